/*
 * phones.h - two phones, alice's and bob's, and between them a network that may lose; or alice's
 *            alone, whose server's every word is the test's.
 * Source: none.   State: one pair a test program, `phones`.   Time: `phones_run_to` moves it.
 *
 * Phone i has the address 192.0.2.(i + 1); its proxy is the other phone; messages take 10 ms.
 */
#ifndef PHONES_H
#define PHONES_H

#include "core/sip_env.h"
#include "sip/phone_state.h"

enum { PHONES_LEN = 2, PHONES_EVENTS_MAX = 64, PHONES_FLYING_MAX = 512 };

typedef struct PhonesUser {
    SipEnv env; /* first: its phone knows it */
    PealPhone *phone;
    PealPhoneEvent events[PHONES_EVENTS_MAX];
    unsigned events_len;
    _Alignas(16) uint8_t memory[1024];
} PhonesUser;

typedef struct PhonesFlying {
    PealTime at;
    PealHop from;
    unsigned to;
    char *text;
} PhonesFlying;

typedef struct Phones {
    PhonesUser users[PHONES_LEN];
    PealSipConfig sip;
    PealPhoneConfig config;
    PealTime now;
    PhonesFlying flying[PHONES_FLYING_MAX];
    unsigned flying_len;
    unsigned sent;
    /* Whether message number `sent` from this phone is lost; NULL: none is. */
    bool (*loses)(unsigned phone, const char *text);
    unsigned counts[8]; /* for `loses` */
    const PealPhonePart *part;
    unsigned cseq; /* for a test that asks */
} Phones;

extern Phones phones;

/* What happens at either end of a call that is answered. */
extern const PealPhoneEventKind phones_outgoing[3];
extern const PealPhoneEventKind phones_incoming[3];

void phones_setup(void);
void phones_setup_with(const char *password);
/* phones_finish asserts that the phones give back all they had. */
void phones_finish(void);

PealHop phones_hop_of(unsigned phone);

/* phones_run_to lets everything happen until `ms`. */
void phones_run_to(int64_t ms);
/* phones_collect puts what was sent on its way; what goes to no phone is forgotten. */
void phones_collect(void);

/* phones_call_bob: alice calls, with token 77, for so long; negative: until someone hangs up. */
int phones_call_bob(int64_t duration_s);

/* phones_play: bob's phone plays this part in every call that comes in. */
void phones_play(const PealPhonePart *part);

/* phones_kinds_are asserts what has happened at a phone. */
void phones_kinds_are(unsigned phone, const PealPhoneEventKind *kinds, unsigned len);

/* With a scripted server nothing is collected: what alice's phone sends stays in its
 * environment. */

const char *phones_last_sent(unsigned phone);
void phones_give(unsigned phone, const PealHop *from, const char *text);
/* phones_tell answers alice's request: status and reason, then whole lines. */
void phones_tell(const char *status, const char *request, const char *more);
/* phones_wait_to wakes alice's phone at its deadlines until `ms`. */
void phones_wait_to(int64_t ms);

#endif
