/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slots.c - names for things. */
#include "sip/slots.h"

#include "peer.h"

enum { SLOTS_FIRST = 16, PLACE_BITS = 20 };

static uint32_t slots_place(uint64_t name)
{
    return (uint32_t)(name & (SLOTS_MAX - 1));
}

static bool slots_grow(PealPeer *peer, Slots *slots, uint32_t max)
{
    uint32_t fresh_cap = slots->cap == 0 ? SLOTS_FIRST : 2 * slots->cap;
    Slot *fresh;

    if (fresh_cap > SLOTS_MAX || slots->len >= max) {
        return false;
    }
    fresh = peer_alloc(peer, fresh_cap * sizeof(Slot));
    if (fresh == NULL) {
        return false;
    }
    if (slots->list != NULL) {
        memcpy(fresh, slots->list, slots->cap * sizeof(Slot));
        peer_release(peer, slots->list, slots->cap * sizeof(Slot));
    }
    slots->list = fresh;
    slots->cap = fresh_cap;
    return true;
}

uint64_t slots_add(PealPeer *peer, Slots *slots, void *thing, uint32_t max)
{
    if (slots->len >= max || (slots->len == slots->cap && !slots_grow(peer, slots, max))) {
        return 0;
    }
    slots->names++;
    /* What comes first mostly goes first: the next place is mostly free. */
    for (uint32_t i = 0; i < slots->cap; i++) {
        uint32_t place = (uint32_t)((slots->names + i) & (slots->cap - 1));

        if (slots->list[place].name == 0) {
            slots->list[place] = (Slot){slots->names << PLACE_BITS | place, thing};
            slots->len++;
            return slots->list[place].name;
        }
    }
    PEAL_ASSERT(false); /* len < cap */
}

void *slots_find(const Slots *slots, uint64_t name)
{
    uint32_t place = slots_place(name);

    return name != 0 && place < slots->cap && slots->list[place].name == name
               ? slots->list[place].thing
               : NULL;
}

void slots_remove(PealPeer *peer, Slots *slots, uint64_t name)
{
    slots->list[slots_place(name)] = (Slot){0, NULL};
    if (--slots->len == 0) {
        peer_release(peer, slots->list, slots->cap * sizeof(Slot));
        slots->list = NULL;
        slots->cap = 0;
    }
}

void slots_fini(PealPeer *peer, Slots *slots, void (*release)(PealPeer *peer, void *thing))
{
    for (uint32_t i = 0; i < slots->cap; i++) {
        if (slots->list[i].name != 0) {
            release(peer, slots->list[i].thing);
        }
    }
    if (slots->list != NULL) {
        peer_release(peer, slots->list, slots->cap * sizeof(Slot));
    }
    *slots = (Slots){.names = slots->names};
}
