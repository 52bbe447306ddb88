/* SPDX-License-Identifier: GPL-3.0-or-later */
/* storage.c - the door of the storage room: requests, the deadline, and what checkers may ask. */
#include "storage/storage.h"

#include "peer.h"
#include "storage/fetch.h"
#include "storage/repair.h"
#include "storage/store.h"

/* Values that end about the same time are swept together; who reads before that sweeps first. */
#define STORAGE_SWEEP_SLACK peal_seconds(1)

void storage_set_deadline(PealPeer *peer)
{
    Storage *storage = &peer->storage;

    storage->deadline = peal_time_min(peal_time_add(storage->expire_at, STORAGE_SWEEP_SLACK),
                                      repair_deadline(peer));
    peer_wake_by(peer, storage->deadline);
}

void storage_init(PealPeer *peer)
{
    peer->storage = (Storage){.deadline = PEAL_TIME_NEVER, .expire_at = PEAL_TIME_NEVER};
}

void storage_fini(PealPeer *peer)
{
    Storage *storage = &peer->storage;

    for (uint32_t i = 0; i < storage->slots_len; i++) {
        value_free_all(peer, storage->slots[i].values);
    }
    if (storage->slots != NULL) {
        peer_release(peer, storage->slots, storage->slots_cap * sizeof(StorageSlot));
    }
    repair_fini(peer);
    storage_init(peer);
}

static void storage_sweep(PealPeer *peer)
{
    if (slot_sweep(peer, peer_now(peer))) {
        repair_on_swept(peer);
    }
}

void storage_on_request(PealPeer *peer, const Inbound *request)
{
    storage_sweep(peer);
    switch (request->message.code) {
    case RELOAD_STORE_REQ:
        store_on_request(peer, request);
        break;
    case RELOAD_FETCH_REQ:
    case RELOAD_STAT_REQ:
        fetch_on_request(peer, request);
        break;
    case RELOAD_FIND_REQ:
        fetch_on_find(peer, request);
        break;
    default:
        break; /* the caller hands over these four only */
    }
    storage_set_deadline(peer);
}

void storage_on_wake(PealPeer *peer, PealTime now)
{
    storage_sweep(peer);
    if (peer->storage.repair != NULL) {
        repair_on_wake(peer, now);
    }
    storage_set_deadline(peer);
}

void storage_on_neighbours(PealPeer *peer, bool lost_neighbour)
{
    storage_sweep(peer);
    repair_on_neighbours(peer, lost_neighbour);
    storage_set_deadline(peer);
}

void storage_hand_over(PealPeer *peer, const PealId *to, const PealId *from, const PealId *upto)
{
    storage_sweep(peer);
    repair_hand_over(peer, to, from, upto);
    storage_set_deadline(peer);
}

void storage_leave(PealPeer *peer)
{
    storage_sweep(peer);
    repair_leave(peer);
}

uint32_t storage_resources(const PealPeer *peer)
{
    const Storage *storage = &peer->storage;
    uint32_t resources = 0;

    for (uint32_t i = 0; i < storage->slots_len; i++) {
        resources +=
            i == 0 || !peal_id_equal(&storage->slots[i].resource, &storage->slots[i - 1].resource);
    }
    return resources;
}

static PealTime storage_now(const PealPeer *peer)
{
    return peer->env->ops->now(peer->env);
}

size_t peal_peer_stored(const PealPeer *peer, const PealId *resource, uint32_t kind)
{
    const StorageSlot *slot = slot_find(&peer->storage, resource, kind);

    if (slot == NULL) {
        return 0;
    }
    return slot_live(slot, storage_kind(peer->overlay, kind)->model, storage_now(peer));
}

void peal_peer_each_resource(const PealPeer *peer,
                             void (*visit)(void *user, const PealId *resource, uint32_t kind),
                             void *user)
{
    for (uint32_t i = 0; i < peer->storage.slots_len; i++) {
        const StorageSlot *slot = &peer->storage.slots[i];
        PealModel model = storage_kind(peer->overlay, slot->kind)->model;

        if (slot_live(slot, model, storage_now(peer)) > 0) {
            visit(user, &slot->resource, slot->kind);
        }
    }
}
