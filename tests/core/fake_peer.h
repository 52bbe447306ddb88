/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fake_peer.h - a peer's block with doubles around storage and location: the topology says what the
 *               test says, requests are kept instead of sent, answers are kept instead of routed.
 * Source: none.   State: one FakePeer per peer of a test.   Time: `now`, moved by the test.
 * Link fake_peer.c before core: it takes the place of pending.c and peer.c.
 */
#ifndef TESTS_FAKE_PEER_H
#define TESTS_FAKE_PEER_H

#include "core/plain_env.h"
#include "peer.h"
#include "reload/codec.h"

enum { FAKE_REQUESTS_MAX = 512, FAKE_BODY_MAX = 8192, FAKE_SET_MAX = 8, FAKE_KINDS = 6 };

/* Kinds that the fake overlay knows. */
enum {
    FAKE_SINGLE = 0xF0000001,     /* anybody's, up to 64 bytes */
    FAKE_ARRAY = 0xF0000002,      /* anybody's, 8 of up to 3000 bytes */
    FAKE_DICTIONARY = 0xF0000003, /* anybody's, 4 of up to 2000 bytes */
    FAKE_NODE = 0xF0000004,       /* single, NODE-MATCH */
    FAKE_MULTIPLE = 0xF0000005,   /* single, NODE-MULTIPLE up to 3 */
    FAKE_UNKNOWN = 0xF0000099
};

typedef struct FakeRequest {
    RequestSpec spec; /* its body is `body` */
    uint8_t *body;
    bool ended;
} FakeRequest;

typedef struct FakePeer {
    PlainEnv env; /* first */
    PealPeer peer;
    PealOverlay overlay;
    PealKind kinds[FAKE_KINDS];
    TopologyOps ops;
    PealTime now;
    PealTime wake_at;
    /* The topology's truth: responsible for (from, id], holds (holds_from, id]. */
    PealId from;
    PealId holds_from;
    PealId set[FAKE_SET_MAX];
    size_t set_len;
    bool accepts;
    /* What came out */
    FakeRequest requests[FAKE_REQUESTS_MAX];
    size_t requests_len;
    size_t requests_limit; /* then request_send is full */
    size_t answers;
    uint16_t code;
    uint16_t error;
    uint8_t answer[65536];
    PealBytes body; /* of the last answer; error_info of the last error */
    uint32_t traces[PEAL_TRACE_COUNT];
    uint64_t token; /* of the last `done` */
    PealOutcome outcome;
    size_t outcomes;
} FakePeer;

/* One value as a test writes it; what is not set is 0. Signed by the requester. */
typedef struct FakeValue {
    uint64_t time_ms;
    uint32_t lifetime_s; /* 0 means 3600 */
    uint32_t index;
    PealBytes key;
    const char *value; /* NULL: does not exist */
    const PealId *signer;
    bool unsigned_; /* signer identity none */
} FakeValue;

typedef struct FakeKindData {
    uint32_t kind;
    uint64_t generation;
    const FakeValue *values;
    size_t values_len;
} FakeKindData;

/* An id whose first byte is `first` and whose other bytes are 0. */
PealId fake_id(uint8_t first);

/* A peer 0x80 responsible for (0x40, 0x80], with successors 0x90 and 0xa0, which accepts
 * replicas. */
FakePeer *fake_new(void);
FakePeer *fake_new_at(uint8_t id, uint8_t from);
/* Asserts that everything was given back. */
void fake_free(FakePeer *fake);

/* Serves a request here: the answer is in code, error and body. */
void fake_serve(FakePeer *fake, ReloadCode code, PealBytes body, const PealId *signer);
PealBytes fake_store_body(Writer *w, const PealId *resource, uint8_t replica,
                          const FakeKindData *kinds, size_t kinds_len, const PealId *requester);
/* Serves a Store of several Kinds; returns the error, 0 when it was answered. */
uint16_t fake_store_kinds(FakePeer *fake, const PealId *resource, uint8_t replica,
                          const FakeKindData *kinds, size_t kinds_len);
/* Serves a Store of one value by the Node-ID 0x77. */
uint16_t fake_store(FakePeer *fake, const PealId *resource, uint32_t kind, FakeValue value);
uint16_t fake_replica(FakePeer *fake, const PealId *resource, uint32_t kind, uint64_t generation,
                      FakeValue value);
/* Generation counter of the i-th Kind of the last StoreAns, also where an error carries it. */
uint64_t fake_generation(const FakePeer *fake, size_t i);

/* Serves a Fetch or Stat with an encoded selector; returns the error. */
uint16_t fake_fetch(FakePeer *fake, ReloadCode code, const PealId *resource, uint32_t kind,
                    uint64_t generation, PealBytes selector);
uint16_t fake_fetch_all(FakePeer *fake, const PealId *resource, uint32_t kind);
/* Values of the one Kind in the last FetchAns. Returns how many there are. */
size_t fake_values(const FakePeer *fake, PealModel model, ReloadStored *ret_values, size_t max,
                   uint64_t *ret_generation);
bool fake_value_is(const ReloadStored *stored, const char *value);
/* Fetches all and tells whether exactly one value exists and is that. */
bool fake_holds_only(FakePeer *fake, const PealId *resource, uint32_t kind, PealModel model,
                     const char *value);

/* Moves time on and wakes the peer at its deadline as often as it asks. */
void fake_run(FakePeer *fake, PealSpan span);

/* Requests that have not ended; `nth` of them. */
size_t fake_outstanding(const FakePeer *fake);
FakeRequest *fake_request(FakePeer *fake, size_t nth);
/* Ends a request without an answer. */
void fake_fail(FakePeer *fake, FakeRequest *request, int status);
void fake_refuse(FakePeer *fake, FakeRequest *request, uint16_t error, const PealId *responder);
void fake_succeed(FakePeer *fake, FakeRequest *request);
void fake_succeed_all(FakePeer *fake);
/* Ends a request with this answer, from the node it went to. */
void fake_answer(FakePeer *fake, FakeRequest *request, ReloadCode code, PealBytes body);
/* Serves a request at another peer and ends it with what that one answers. */
void fake_deliver(FakePeer *fake, FakeRequest *request, FakePeer *to);
/* Which Resource-ID a Store is about, and its replica number. */
PealId fake_store_resource(const FakeRequest *request, uint8_t *ret_replica);

#endif
