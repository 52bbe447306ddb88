/*
 * defence.h - what a peer keeps to defend itself: nothing, unless the overlay's configuration turns
 *             on a defence that has to remember something.
 * Source: each part's.
 * State:  one Defence per peer, or none; its parts are made when they are needed.
 * Time:   the earliest of its parts' deadlines.
 */
#ifndef SECURITY_DEFENCE_H
#define SECURITY_DEFENCE_H

#include "overlay/guard.h"
#include "peer.h"
#include "security/gate.h"
#include "security/puzzle.h"
#include "storage/copies.h"

typedef struct Defence {
    PealTime deadline; /* when defence_on_wake wants to be called */
    Guard *guard;      /* NULL unless neighbours are checked */
    Copies *fetches;   /* of registrations that have copies, under way */
    uint64_t fetches_made;
    Puzzle *puzzle; /* NULL unless Node-IDs cost work */
    Gate *gate;     /* NULL unless what comes in is judged first */
} Defence;

/* Without memory for it the peer does without its defences. */
void defence_init(PealPeer *peer);
void defence_fini(PealPeer *peer);
void defence_on_wake(PealPeer *peer, PealTime now);

/* defence_watch lowers the deadline. */
static inline void defence_watch(PealPeer *peer, PealTime at)
{
    if (at.ns < peer->defence->deadline.ns) {
        peer->defence->deadline = at;
        peer_wake_by(peer, at);
    }
}

#endif
