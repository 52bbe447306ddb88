/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * reach.h - which users can be reached: their peer has joined, and they have registered there.
 * Source: analysis/SCHEMA.md, Counting.
 * State:  a byte a user.
 * Time:   the caller's.
 *
 * A lookup or call counts as one of a reachable user when he was that as it began and without a
 * break until it ended: then whoever does not find him has met a lost registration.
 */
#ifndef SIM_REACH_H
#define SIM_REACH_H

#include <scenarios/plan.h>

#include "users.h"

struct World;

typedef struct Reach {
    uint8_t *registered; /* by peer, then user; NULL without users */
    Users users;
} Reach;

/* Whom a lookup or call is for. */
typedef struct ReachTarget {
    uint32_t peer;
    uint16_t life; /* of that peer when it began */
    bool reachable;
} ReachTarget;

void reach_init(Reach *reach, const Users *users);
void reach_fini(Reach *reach);

/* reach_registered: a user was told that he is registered, or that he is not. */
void reach_registered(Reach *reach, uint32_t peer, uint32_t user, bool registered);
/* reach_stop: the peer is down, and its users with it. */
void reach_stop(Reach *reach, uint32_t peer);

/* reach_begin notes how a user is when a lookup or call for him begins. Users that do not exist are
 * not reachable. */
ReachTarget reach_begin(const struct World *world, uint32_t peer, uint32_t user);
/* reach_held tells whether he was reachable then and is in the same life of his peer. */
bool reach_held(const struct World *world, const ReachTarget *target);

#endif
