/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_sip.h - an adapter's block with doubles around registrar and auth: answers are kept instead
 * of
 *              sent, Stores and questions to the world end when the test says so.
 * Source: none.   State: one FakeSip per adapter of a test.   Time: `now`, moved by the test.
 * Link fake_sip.c before core: it takes the place of transaction.c and location.c.
 */
#ifndef TESTS_FAKE_SIP_H
#define TESTS_FAKE_SIP_H

#include "core/plain_env.h"
#include "sip/arena.h"
#include "sip/state.h"

enum { FAKE_STORES_MAX = 512, FAKE_ASKS_MAX = 64 };

typedef struct FakeStore {
    PealId resource;
    uint32_t expires_s; /* 0: a removal */
    LocationDone done;
    uint64_t arg;
    bool ended;
} FakeStore;

typedef struct FakeAsk {
    uint64_t token;
    char user[64];
    char domain[64];
} FakeAsk;

typedef struct FakeSip {
    PlainEnv env; /* first */
    PealPeer peer;
    Sip sip;
    PealSipConfig config;
    PealStr domains[2]; /* example.org, example.net */
    PealTime now;
    PealTime wake_at;
    uint64_t unix_base_ms; /* unix time when now is 0 */
    uint64_t draws;
    /* What came out */
    char answer[65536]; /* the last one, with a NUL */
    unsigned status;
    size_t answers;
    FakeStore stores[FAKE_STORES_MAX];
    size_t stores_len;
    int store_error; /* what location_keep and location_drop return */
    bool holds;      /* Stores wait for fake_stored; else they succeed behind each REGISTER */
    FakeAsk asks[FAKE_ASKS_MAX];
    size_t asks_len;
    int ask_error;
    uint8_t *kept; /* what was persisted last */
    size_t kept_len;
    size_t kept_times;
    uint64_t token; /* of the last `done` */
    int outcome;
    size_t outcomes;
    unsigned cseq;
} FakeSip;

FakeSip *fake_sip_new(void);
/* Asserts that everything was given back. */
void fake_sip_free(FakeSip *fake);

/* fake_hop is where a phone is: UDP at 192.0.2.LAST:PORT. */
PealHop fake_hop(uint8_t last, uint16_t port);
PealId fake_resource(const char *aor);

/* What a phone sends; what is left out is sensible: alice at 192.0.2.1:5070, the next CSeq. */
typedef struct FakeRegister {
    const char *method;
    const char *uri;
    const char *to;
    const char *call_id;
    unsigned cseq;
    const char *via;     /* the whole field value, or several lines */
    const char *headers; /* whole lines */
    PealHop hop;
} FakeRegister;
/* Returns the answer's status, 0 while there is none. */
unsigned fake_send(FakeSip *fake, const FakeRegister *phone);
/* A REGISTER of alice with these header lines. */
unsigned fake_register(FakeSip *fake, const char *headers);

/* What alice says: where she is, and a flow of her phone (RFC 5626) behind a Contact. */
#define FAKE_ALICE "sip:alice@example.org"
#define FAKE_A "Contact: <sip:alice@192.0.2.1:5070>"
#define FAKE_B "Contact: <sip:alice@192.0.2.2:5070>"
#define FAKE_FLOW(id) \
    ";reg-id=" id ";+sip.instance=\"<urn:uuid:0000-A>\"\r\nSupported: outbound, path\r\n"

/* Her targets, and how many there are. */
size_t fake_targets(FakeSip *fake, RegistrarTarget *ret_targets, size_t max);
size_t fake_targets_len(FakeSip *fake);

bool fake_is(PealStr text, const char *z);

/* Does the last answer have this line? How many lines begin so? */
bool fake_has_line(const FakeSip *fake, const char *line);
size_t fake_lines(const FakeSip *fake, const char *start);

/* The Store that was begun last; there must be one. */
const FakeStore *fake_last_store(const FakeSip *fake);
/* Ends the first Store that is out. */
void fake_stored(FakeSip *fake, int status);
size_t fake_storing(const FakeSip *fake);

/* Moves time on and wakes the registrar at its deadline as often as it asks. */
void fake_sip_run(FakeSip *fake, PealSpan span);

/* A restart: the adapter that was, with what it persisted. Frees `fake`. */
FakeSip *fake_sip_restart(FakeSip *fake);

#endif
