/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * users.h - how many users a peer has, and a place for each in the arrays that hold one entry a
 *           user.
 * Source: none.   State: none of its own.   Time: none.
 *
 * Users that are drawn are as many at every peer. Those of a recorded workload are not: all of them
 * may be at one peer.
 */
#ifndef SIM_USERS_H
#define SIM_USERS_H

#include <scenarios/replay.h>
#include <scenarios/scenario.h>

typedef struct Users {
    const uint32_t *first; /* of a recorded workload: per peer, where its users begin; or NULL */
    uint32_t peers;        /* that may have users */
    uint32_t per_peer;     /* of drawn users */
} Users;

static inline Users users_of(const Scenario *scenario, uint32_t peers)
{
    const Replay *replay = scenario->workload.replay;

    return replay != NULL ? (Users){.first = replay->first, .peers = replay->peers}
                          : (Users){.peers = peers, .per_peer = scenario->workload.users_per_peer};
}

/* users_at is how many a peer has; 0 for one that can have none. */
static inline uint32_t users_at(const Users *users, uint32_t peer)
{
    if (peer >= users->peers) {
        return 0;
    }
    return users->first == NULL ? users->per_peer : users->first[peer + 1] - users->first[peer];
}

/* users_place is below users_all; user below users_at. */
static inline size_t users_place(const Users *users, uint32_t peer, uint32_t user)
{
    return user + (users->first == NULL ? (size_t)peer * users->per_peer : users->first[peer]);
}
static inline size_t users_all(const Users *users)
{
    return users->first == NULL ? (size_t)users->peers * users->per_peer
                                : users->first[users->peers];
}

#endif
