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

typedef struct Defence {
    PealTime deadline; /* when defence_on_wake wants to be called */
    Guard *guard;      /* NULL unless neighbours are checked */
} Defence;

/* Without memory for it the peer does without its defences. */
void defence_init(PealPeer *peer);
void defence_fini(PealPeer *peer);
void defence_on_wake(PealPeer *peer, PealTime now);

/* defence_watch lowers the deadline. */
void defence_watch(PealPeer *peer, PealTime at);

#endif
