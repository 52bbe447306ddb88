/*
 * watch.h - what only somebody who sees everything can tell: how far lookups come on their way, and
 *           how wrong the peers' tables are. For checkers; nothing here reaches a peer.
 * Source: the counting of I. Stoica et al., Chord, IEEE/ACM Transactions on Networking 11(1), 2003:
 *         a path ends at the key's predecessor, and a timeout is a dead peer that was sent to; and
 *         of S. Krishnamurthy et al., A statistical theory of Chord under churn, IPTPS 2005: wrong
 *         and dead entries as fractions of all peers'.
 * State:  one block a world that watches; a path is in its lookup's record.
 * Time:   paths as frames arrive; tables every scenario.watch-ring of the measured window.
 */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H

#include "packet.h"

#include <peal/peer.h>

typedef struct World World;
typedef struct SimPeer SimPeer;
typedef struct Lookup Lookup;
typedef struct RunOutcome RunOutcome;

typedef struct Watch {
    bool paths;
    uint64_t reached; /* paths that came to the predecessor of their key */
    uint64_t lost;    /* ... and that did not: their lookups ended before */
    uint64_t hops;    /* of those that came there, in sum */
    uint64_t dead;    /* dead peers that they were sent to, in sum */

    PealTime next_ring; /* PEAL_TIME_NEVER: tables are not looked at */
    uint64_t samples;
    double wrong_successors; /* sums over the samples of fractions of the members */
    double dead_successors;
    double dead_fingers; /* ... of all members' entries, empty ones too */
    double members;
    uint64_t cut_off; /* members, in sum, all of whose successors were dead */
} Watch;

/* watch_init reads scenario.watch-paths and scenario.watch-ring; world->watching says whether
 * either is wanted. */
void watch_init(World *world);

/* A lookup starts at its asker. One that owns the key itself has no path, and is in no figure. */
void watch_lookup(World *world, Lookup *lookup);
/* A frame came to a peer, in its first transmission that got through. */
void watch_arrival(World *world, const SimPeer *peer, const PealFrameInfo *info);
/* Its first transmission reached nobody alive. */
void watch_dead(World *world, const Packet *packet);
/* The lookup has ended. */
void watch_lookup_end(World *world, const Lookup *lookup);

/* watch_ring compares all tables with the oracle, and sets world->watch.next_ring. */
void watch_ring(World *world);

/* watch_figures: paths.* and ring.*_fraction, where they were wanted. */
void watch_figures(const World *world, RunOutcome *outcome);

#endif
