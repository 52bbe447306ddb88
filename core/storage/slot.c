/* SPDX-License-Identifier: GPL-3.0-or-later */
/* slot.c - the sorted array of stored Kinds and the lists of their values. */
#include "storage/slot.h"

#include "peer.h"

static int slot_compare(const StorageSlot *slot, const PealId *resource, uint32_t kind)
{
    int order = peal_id_compare(&slot->resource, resource);

    if (order != 0) {
        return order;
    }
    return slot->kind < kind ? -1 : slot->kind > kind;
}

uint32_t slot_at(const Storage *storage, const PealId *resource, uint32_t kind)
{
    uint32_t low = 0;
    uint32_t high = storage->slots_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (slot_compare(&storage->slots[middle], resource, kind) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

StorageSlot *slot_find(const Storage *storage, const PealId *resource, uint32_t kind)
{
    uint32_t at = slot_at(storage, resource, kind);

    if (at < storage->slots_len && slot_compare(&storage->slots[at], resource, kind) == 0) {
        return &storage->slots[at];
    }
    return NULL;
}

bool slot_holds_resource(const Storage *storage, const PealId *resource)
{
    uint32_t at = slot_at(storage, resource, 0);

    return at < storage->slots_len && peal_id_equal(&storage->slots[at].resource, resource);
}

int slot_reserve(PealPeer *peer, uint32_t more)
{
    Storage *storage = &peer->storage;

    return peer_grow(peer, &storage->slots, &storage->slots_cap, storage->slots_len + more,
                     sizeof(StorageSlot));
}

/* Gives back room that was left by slots that are gone, once most of it is; without memory for a
 * smaller array the old one stays. */
static void slot_shrink(PealPeer *peer)
{
    Storage *storage = &peer->storage;
    uint32_t cap = storage->slots_cap;
    StorageSlot *slots = NULL;

    while (cap > 0 && (storage->slots_len == 0 || storage->slots_len < cap / 4)) {
        cap /= 2;
    }
    if (cap == storage->slots_cap) {
        return;
    }
    if (cap > 0) {
        slots = peer_alloc(peer, cap * sizeof(*slots));
        if (slots == NULL) {
            return;
        }
        memcpy(slots, storage->slots, storage->slots_len * sizeof(*slots));
    }
    peer_release(peer, storage->slots, storage->slots_cap * sizeof(*slots));
    storage->slots = slots;
    storage->slots_cap = cap;
}

StorageSlot *slot_add(PealPeer *peer, const PealId *resource, uint32_t kind)
{
    Storage *storage = &peer->storage;
    uint32_t at = slot_at(storage, resource, kind);
    StorageSlot *slot = &storage->slots[at];

    PEAL_ASSERT(storage->slots_len < storage->slots_cap);
    memmove(slot + 1, slot, (storage->slots_len - at) * sizeof(*slot));
    storage->slots_len++;
    *slot = (StorageSlot){.resource = *resource, .kind = kind, .expires = PEAL_TIME_NEVER};
    return slot;
}

void slot_remove(PealPeer *peer, uint32_t index)
{
    Storage *storage = &peer->storage;
    StorageSlot *slot = &storage->slots[index];

    value_free_all(peer, slot->values);
    storage->slots_len--;
    memmove(slot, slot + 1, (storage->slots_len - index) * sizeof(*slot));
    slot_shrink(peer);
}

/* Frees the ended values of one slot; the rest sets the slot's `expires`. */
static bool slot_sweep_values(PealPeer *peer, StorageSlot *slot, PealTime now)
{
    StorageValue **link = &slot->values;
    bool any = false;

    slot->expires = PEAL_TIME_NEVER;
    while (*link != NULL) {
        StorageValue *value = *link;

        if (peal_time_due(value->expires, now)) {
            *link = value->next;
            value_free(peer, value);
            peer_trace(peer, PEAL_TRACE_VALUE_REMOVED, 0, slot->kind, 0, &slot->resource);
            any = true;
        } else {
            slot->expires = peal_time_min(slot->expires, value->expires);
            link = &value->next;
        }
    }
    return any;
}

/* The slots that stay move up in one pass: whoever stores much to end at once costs no more than
 * that. */
bool slot_sweep(PealPeer *peer, PealTime now)
{
    Storage *storage = &peer->storage;
    uint32_t kept = 0;
    bool any = false;

    if (!peal_time_due(storage->expire_at, now)) {
        return false;
    }
    storage->expire_at = PEAL_TIME_NEVER;
    for (uint32_t i = 0; i < storage->slots_len; i++) {
        StorageSlot *slot = &storage->slots[i];

        if (peal_time_due(slot->expires, now)) {
            any |= slot_sweep_values(peer, slot, now);
        }
        if (slot->values != NULL) {
            storage->expire_at = peal_time_min(storage->expire_at, slot->expires);
            storage->slots[kept++] = *slot;
        }
    }
    storage->slots_len = kept;
    slot_shrink(peer);
    return any;
}

size_t slot_live(const StorageSlot *slot, PealModel model, PealTime now)
{
    size_t live = 0;

    for (const StorageValue *value = slot->values; value != NULL; value = value->next) {
        ReloadStored stored;

        value_read(value, model, now, &stored);
        live += stored.exists && !peal_time_due(value->expires, now);
    }
    return live;
}

void slot_put(PealPeer *peer, StorageValue **values, PealModel model, StorageValue *value)
{
    ReloadStored mine;

    value_read(value, model, value->expires, &mine);
    while (*values != NULL) {
        StorageValue *old = *values;
        ReloadStored other;
        int order;

        value_read(old, model, old->expires, &other);
        order = value_compare(model, &other, &mine);
        if (order == 0) {
            *values = old->next;
            value_free(peer, old);
            break;
        }
        if (order > 0) {
            break;
        }
        values = &old->next;
    }
    value->next = *values;
    *values = value;
}

StorageValue *value_new(PealPeer *peer, PealModel model, const ReloadStored *stored, size_t room)
{
    StorageValue *value = peer_alloc(peer, offsetof(StorageValue, data) + room);
    Writer w;

    if (value == NULL) {
        return NULL;
    }
    value->len = (uint32_t)room;
    w = writer_make(value->data, room);
    put_stored(&w, model, stored);
    if (w.overflow) {
        value_free(peer, value);
        return NULL;
    }
    return value;
}

void value_free(PealPeer *peer, StorageValue *value)
{
    peer_release(peer, value, offsetof(StorageValue, data) + value->len);
}

void value_free_all(PealPeer *peer, StorageValue *values)
{
    while (values != NULL) {
        StorageValue *value = values;

        values = value->next;
        value_free(peer, value);
    }
}

void value_read(const StorageValue *value, PealModel model, PealTime now, ReloadStored *ret_stored)
{
    PealBytes data = {value->data, value->len};
    int64_t left_s = peal_time_since(value->expires, now).ns / PEAL_NS_PER_S;
    bool whole = reload_stored_next(&data, model, ret_stored);

    PEAL_ASSERT(whole); /* this peer encoded it */
    if (left_s < 0) {
        left_s = 0;
    }
    if (left_s < ret_stored->lifetime_s) {
        ret_stored->lifetime_s = (uint32_t)left_s;
    }
}

int value_compare(PealModel model, const ReloadStored *a, const ReloadStored *b)
{
    switch (model) {
    case PEAL_MODEL_SINGLE:
        return 0;
    case PEAL_MODEL_ARRAY:
        return a->index < b->index ? -1 : a->index > b->index;
    case PEAL_MODEL_DICTIONARY:
        break;
    }
    size_t len = a->key.len < b->key.len ? a->key.len : b->key.len;
    int order = len > 0 ? memcmp(a->key.ptr, b->key.ptr, len) : 0;

    if (order != 0) {
        return order;
    }
    return a->key.len < b->key.len ? -1 : a->key.len > b->key.len;
}

StorageValue *value_find(StorageValue *values, PealModel model, const ReloadStored *like)
{
    for (; values != NULL; values = values->next) {
        ReloadStored stored;
        int order;

        value_read(values, model, values->expires, &stored);
        order = value_compare(model, &stored, like);
        if (order >= 0) {
            return order == 0 ? values : NULL;
        }
    }
    return NULL;
}
