/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slot.h - the array of what is stored: a slot is one Kind at one Resource-ID with its values.
 * Source: RFC 6940 s.7.2.
 * State:  Storage's slots; a value is one allocation that holds its StoredData as on the wire.
 * Time:   a value ends at `expires`; whoever reads a slot sweeps the ended ones out first.
 */
#ifndef STORAGE_SLOT_H
#define STORAGE_SLOT_H

#include "storage/storage.h"

typedef struct StorageValue StorageValue;
struct StorageValue {
    StorageValue *next; /* ascending by index or key */
    PealTime expires;
    uint64_t generation; /* the Kind's, when this value came */
    uint32_t len;        /* of data */
    uint8_t data[];      /* StoredData, encoded */
};

enum {
    SLOT_OWNED = 1,   /* this peer answers for the Resource-ID */
    SLOT_OWED = 2,    /* its owner or a joiner has yet to get a copy */
    SLOT_HANDED = 4,  /* the joiner that will own it has a copy of all there is */
    SLOT_SENDING = 8, /* the copy owed is on its way */
    SLOT_STRAY = 16   /* a hold-down ago this peer was not to hold it */
};

struct StorageSlot {
    PealId resource;
    uint64_t generation;
    StorageValue *values; /* at least one */
    PealTime expires;     /* of the value that ends first */
    uint32_t kind;
    uint32_t due; /* bit i: member i of the repair's replica set has yet to get a copy */
    uint8_t flags;
};
_Static_assert(sizeof(StorageSlot) == 56, "every value has one");

/* slot_at is where a slot is, or would be inserted: the first at or after (resource, kind). */
uint32_t slot_at(const Storage *storage, const PealId *resource, uint32_t kind);

/* slot_find returns the slot or NULL. Slots move when another is added or removed. */
StorageSlot *slot_find(const Storage *storage, const PealId *resource, uint32_t kind);

/* slot_holds_resource tells whether any Kind is stored at the Resource-ID. */
bool slot_holds_resource(const Storage *storage, const PealId *resource);

/* slot_reserve makes room for `more` slots, so that slot_add cannot fail; 0 or -PEAL_E_MEMORY. */
int slot_reserve(PealPeer *peer, uint32_t more) PEAL_MUST_USE;

/* slot_add inserts an empty slot into room that was reserved; the caller gives it a value. */
StorageSlot *slot_add(PealPeer *peer, const PealId *resource, uint32_t kind);

/* slot_remove frees a slot and its values. */
void slot_remove(PealPeer *peer, uint32_t index);

/* slot_put inserts a value, in place of the one with its index or key if there is one. */
void slot_put(PealPeer *peer, StorageValue **values, PealModel model, StorageValue *value);

/* slot_sweep frees the values that have ended by now, and slots that are left empty. Returns
 * whether there were any. Sets storage->expire_at. */
bool slot_sweep(PealPeer *peer, PealTime now);

/* slot_live tells whether a slot has a value that exists and has not ended. */
size_t slot_live(const StorageSlot *slot, PealModel model, PealTime now);

/*
 * value_new makes a value of a decoded one.
 * room     bytes it takes on the wire, or more
 * Returns NULL when there is no memory or room is less than it takes.
 */
StorageValue *value_new(PealPeer *peer, PealModel model, const ReloadStored *stored, size_t room);
void value_free(PealPeer *peer, StorageValue *value);
void value_free_all(PealPeer *peer, StorageValue *values);

/* value_read decodes a value, its lifetime cut to what is left of it (s.7.4.1.1), rounded down. */
void value_read(const StorageValue *value, PealModel model, PealTime now, ReloadStored *ret_stored);

/* value_find returns the value with the same place (index, key) as `like`, or NULL. */
StorageValue *value_find(StorageValue *values, PealModel model, const ReloadStored *like);

/* value_compare orders values of one Kind by index or key. */
int value_compare(PealModel model, const ReloadStored *a, const ReloadStored *b);

#endif
