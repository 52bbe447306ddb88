/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * environment.h - what a peer on real sockets is handed (<peal/env.h>).
 * Source: none.
 * State:  one per peer; it holds at most memory_max bytes for the peer.
 * Time:   now is the loop's.
 */
#ifndef NET_ENVIRONMENT_H
#define NET_ENVIRONMENT_H

#include <peal/peer.h>

#include "dns.h"
#include "flows.h"
#include "loop.h"
#include "pool.h"
#include "sip_sockets.h"
#include "state.h"
#include "users.h"

typedef struct NetEnvConfig {
    Loop *loop;
    Flows *flows;
    SipSockets *sip; /* NULL: the peer serves no phones */
    Dns *dns;        /* NULL: no host name is known */
    State *state;    /* NULL: nothing is kept */
    uint64_t memory_max;
    bool replayed; /* draws come from (seed, peer), as in a simulation */
    uint64_t seed;
    uint32_t peer;
    /* From inside the peer's dispatch: neither may call the peer. Each may be NULL. */
    void (*on_done)(void *user, uint64_t token, const PealOutcome *outcome);
    void (*on_trace)(void *user, const PealTrace *record);
    void *user;
} NetEnvConfig;

/* Where others reach the peer. */
typedef struct NetAddresses {
    PealAddr addr[PEAL_ADDRESSES_MAX];
    bool own[PEAL_ADDRESSES_MAX]; /* the host's: packets can leave from it */
    size_t len;
} NetAddresses;

typedef struct NetEnv {
    PealEnv env; /* first */
    PealEnvOps ops;
    NetEnvConfig config;
    NetAddresses addresses[2]; /* by PealService */
    const Users *users;        /* NULL: there are none; borrowed */
    PealPeer *peer;
    LoopTimer deadline;
    GArray *answers;       /* to questions, for the end of the turn */
    GHashTable *resolving; /* questions to DNS on their way */
    uint64_t memory;
    Pool pool; /* what the peer holds comes from here */
    uint64_t draws[PEAL_DRAW_COUNT];
    size_t chance_left; /* bytes of `chance` not used yet */
    uint8_t chance[4096];
} NetEnv;

NetEnv *net_env_new(const NetEnvConfig *config);
/* After the peer's end; what it held must have been released. Sockets and DNS may be gone by
 * then. */
void net_env_free(NetEnv *env);

/* net_env_catch_up wakes the peer if its deadline has come, at the same instant: what it asks of
 * itself need not wait for the loop's next turn. Not from inside the peer's dispatch. */
void net_env_catch_up(NetEnv *env);

/* net_env_attach hands the world's events to the peer; NULL: to nobody any more. */
void net_env_attach(NetEnv *env, PealPeer *peer);

#endif
