/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * random.h - counter-based random streams: a draw is a pure function of
 *            (seed, peer, purpose, count).
 * Source: Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC 2011),
 *         Philox2x64-10.
 * State:  none but the caller's counter, 4 bytes per peer and purpose.   Time: none.
 */
#ifndef PEAL_RANDOM_H
#define PEAL_RANDOM_H

#include <peal/base.h>

/* What a draw is for. Each purpose is a stream of its own, so that one feature's draws never shift
 * another's. */
typedef enum PealDraw {
    PEAL_DRAW_NODE_ID,                        /* the peer's Node-ID */
    PEAL_DRAW_TRANSACTION,                    /* transaction ids and Ping response ids */
    PEAL_DRAW_FINGER,                         /* points in finger ranges */
    PEAL_DRAW_TIMER,                          /* offsets of periodic work */
    PEAL_DRAW_ROUTE,                          /* choices among routes and bootstrap peers */
    PEAL_DRAW_CORE_COUNT,                     /* core's purposes end here, but for SIP */
    PEAL_DRAW_LATENCY = PEAL_DRAW_CORE_COUNT, /* network models: position, jitter */
    PEAL_DRAW_LOSS,
    PEAL_DRAW_WORKLOAD, /* users' lookups, registrations and calls */
    PEAL_DRAW_CHURN,
    PEAL_DRAW_EVENT,     /* victims of a scenario's events */
    PEAL_DRAW_PROCESSOR, /* service times */
    PEAL_DRAW_SIP, /* core's: tags, branches, nonces. Behind the world's, so that their streams keep
                      their numbers. */
    PEAL_DRAW_ATTACK,   /* the world's: attackers, what they send and when */
    PEAL_DRAW_CALLS,    /* the calls of the whole overlay, as one stream */
    PEAL_DRAW_LIFETIME, /* of users' registrations */
    PEAL_DRAW_COUNT
} PealDraw;

/* One block of the generator: 128 bits. */
typedef struct PealRandomBlock {
    uint64_t word[2];
} PealRandomBlock;

/* peal_random_block is the generator itself: both words of the block at a counter, under a key. */
PealRandomBlock peal_random_block(PealRandomBlock counter, uint64_t key);

/*
 * peal_random_at returns draw number `count` of a stream.
 * seed     the replication's seed
 * stream   any 64-bit name of the stream: the peer's index in the low 40 bits, the purpose above
 */
uint64_t peal_random_at(uint64_t seed, uint64_t stream, uint64_t count);

static inline uint64_t peal_random_stream(uint64_t peer, PealDraw purpose)
{
    return peer | (uint64_t)purpose << 40;
}

/* peal_random_below maps a draw to 0..bound-1 (bound > 0) by multiplication; its bias is under
 * bound / 2^64. */
static inline uint64_t peal_random_below(uint64_t draw, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)draw * bound) >> 64);
}

#endif
