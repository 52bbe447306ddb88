/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * storage.h - values stored for others: three data models, generations, lifetimes, replicas and
 *             their repair.
 * Source: RFC 6940 s.7, s.10.4, s.10.7.3.
 * State:  one Storage per peer; 56 bytes a Resource-ID and Kind, one allocation a value, at most
 *         overlay->resources_max Resource-IDs. 48 bytes while nothing is stored.
 * Time:   a value ends `lifetime` after it came; replicas for a replaced successor wait for the
 *         hold-down.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include "reload/codec.h"
#include "reload/request.h"

typedef struct StorageSlot StorageSlot;     /* slot.h */
typedef struct StorageRepair StorageRepair; /* repair.h */

typedef struct Storage {
    StorageSlot *slots; /* sorted by Resource-ID, then Kind-ID; NULL while there are none */
    uint32_t slots_len;
    uint32_t slots_cap;
    PealTime deadline;  /* when storage_on_wake wants to be called */
    PealTime expire_at; /* of the value that ends first, or before that */
    uint64_t stored_ms; /* storage time of the last Store that this peer originated */
    StorageRepair *repair;
} Storage;
_Static_assert(sizeof(Storage) <= 48, "every peer has one");

void storage_init(PealPeer *peer);
void storage_fini(PealPeer *peer);

/* storage_kind looks a Kind up in the overlay's configuration; NULL when it is not known. */
const PealKind *storage_kind(const PealOverlay *overlay, uint32_t id);

/* storage_on_request serves store, fetch, stat and find requests: each gets its answer or error. */
void storage_on_request(PealPeer *peer, const Inbound *request);

void storage_on_wake(PealPeer *peer, PealTime now);

/*
 * storage_on_neighbours: the replica set or the range this peer answers for has changed.
 * lost_neighbour  somebody failed, so that new members of the replica set wait for the hold-down
 *                 (s.10.7.1)
 * Values this peer no longer answers for go to their owner (s.6.4.2.3), and those it no longer
 * holds are forgotten one or two hold-downs later (s.10.7.3): neighbours that are seen now may be
 * gone in a moment.
 */
void storage_on_neighbours(PealPeer *peer, bool lost_neighbour);

/*
 * storage_hand_over Stores at the directly linked node `to` all values in (from, upto]: for a
 * joiner, before it is told that it has joined (s.10.5 step 6). They go as replica number 1: number
 * 0 is for a node's own data, whose signer must sign the request too (s.7.4.1.1), and a replica
 * Store carries the generation counter over.
 */
void storage_hand_over(PealPeer *peer, const PealId *to, const PealId *from, const PealId *upto);

/* storage_leave Stores at its successor whatever this peer is responsible for and the successor
 * may not have yet. */
void storage_leave(PealPeer *peer);

/* storage_resources counts the Resource-IDs stored here. */
uint32_t storage_resources(const PealPeer *peer);

/* storage_next_ms gives a storage time for a value of this peer's own: the clock, but always later
 * than the last one given (s.7: an equal time with another value is Data_Too_Old). */
uint64_t storage_next_ms(PealPeer *peer);

/* storage_put_fetch_all writes a FetchReq for all values of a Kind at a Resource-ID. */
void storage_put_fetch_all(Writer *w, const PealId *resource, const PealKind *kind);

/* storage_fetched_value tells whether a FetchAns brings a value that exists, by a signer who may
 * store it at that Resource-ID. */
bool storage_fetched_value(const PealPeer *peer, const PealId *resource, const Inbound *answer);

/* storage_put_store writes a StoreReq of one value signed by this peer, replica number 0.
 * Returns 0, or -PEAL_E_ARG when the Kind is unknown or the value does not suit it. */
int storage_put_store(PealPeer *peer, Writer *w, const PealStoreItem *item) PEAL_MUST_USE;

#endif
