/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slots.h - things that somebody else will name again later: a name is never used twice, so that a
 * late
 *           word about what is gone finds nothing.
 * Source: none.
 * State:  16 bytes a slot; no memory while it is empty.   Time: none.
 */
#ifndef SIP_SLOTS_H
#define SIP_SLOTS_H

#include <peal/peer.h>

typedef struct Slot {
    uint64_t name; /* 0: free */
    void *thing;
} Slot;

typedef struct Slots {
    Slot *list;
    uint32_t cap;
    uint32_t len;
    uint64_t names; /* given out */
} Slots;

enum { SLOTS_MAX = 1 << 20 };

/* slots_add gives a thing a name, under 2^62 and never 0; or returns 0 when there are max (at most
 * SLOTS_MAX) of them, or no memory. */
uint64_t slots_add(PealPeer *peer, Slots *slots, void *thing, uint32_t max);
/* slots_find is the thing of a name, or NULL. */
void *slots_find(const Slots *slots, uint64_t name);
/* slots_remove forgets a name that slots_find knows. */
void slots_remove(PealPeer *peer, Slots *slots, uint64_t name);
/* slots_fini forgets all, handing each thing to `release`. */
void slots_fini(PealPeer *peer, Slots *slots, void (*release)(PealPeer *peer, void *thing));

#endif
