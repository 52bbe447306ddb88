/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip_env.h - an environment for tests of SIP: a clock that stands until it is moved, and a record
 * of
 *             what was sent.
 * Source: none.   State: one SipEnv per test, large: static.   Time: the test's.
 */
#ifndef TESTS_SIP_ENV_H
#define TESTS_SIP_ENV_H

#include "core/plain_env.h"

enum { SIP_SENT_MAX = 4096 };

typedef struct SipSent {
    PealTime at;
    PealHop to;
    uint16_t attempt;
    PealStr text; /* NUL behind it */
} SipSent;

typedef struct SipEnv {
    PlainEnv plain; /* first: the parts see this */
    PealTime now;
    PealTime wake_at;
    uint64_t draws;
    uint64_t seed;
    SipSent sent[SIP_SENT_MAX];
    size_t sent_len;
    bool deaf; /* count what is sent, keep no text */
} SipEnv;

void sip_env_init(SipEnv *env);
/* sip_env_fini forgets what was sent; whether everything else was given back. */
bool sip_env_fini(SipEnv *env);
void sip_env_forget(SipEnv *env);

/* sip_env_says: does message number `i` that was sent start with this text? */
bool sip_env_says(const SipEnv *env, size_t i, const char *start);
/* sip_env_has: is this text anywhere in it? */
bool sip_env_has(const SipEnv *env, size_t i, const char *text);
/* Milliseconds from the start to when it was sent. */
int64_t sip_env_at_ms(const SipEnv *env, size_t i);

PealHop sip_env_hop(uint8_t last_octet, uint16_t port, PealTransport transport, uint32_t conn);

#endif
