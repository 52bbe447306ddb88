/*
 * storage.h - values stored for others: three data models, generations, lifetimes, replicas and their repair.
 * Source: RFC 6940 s.7, s.10.4, s.10.7.3.
 * State:  one Storage per peer; a resource, its Kinds and values while they live, at most resources_max resources.
 * Time:   a value ends `lifetime` after it came; replicas of a replaced successor wait for the hold-down.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include "reload/request.h"

typedef struct StorageResource StorageResource;

typedef struct Storage {
    StorageResource *resources; /* sorted by Resource-ID; NULL while there are none */
    uint32_t resources_len;
    uint32_t resources_cap;
    PealTime deadline; /* when storage_on_wake wants to be called */
    PealTime repair_at; /* hold-down over, PEAL_TIME_NEVER when nothing waits */
    PealTime expire_at; /* of the value that ends first */
} Storage;

void storage_init(PealPeer *peer);
void storage_fini(PealPeer *peer);

/* store, fetch, stat and find requests that this peer is to answer. */
void storage_on_request(PealPeer *peer, const Inbound *request);

void storage_on_wake(PealPeer *peer, PealTime now);

/* storage_on_neighbours: the replica set or the range this peer answers for has changed. `lost_neighbour` says that
 * somebody failed, so that new replicas wait for the hold-down (s.10.7.1). Values that are no longer this peer's to
 * hold go to their owner and are forgotten (s.6.4.2.3, s.10.7.3). */
void storage_on_neighbours(PealPeer *peer, bool lost_neighbour);

/* storage_hand_over Stores at `to`, over its link, all values in (from, upto]: for a joiner (s.10.5 step 6). */
void storage_hand_over(PealPeer *peer, const PealId *to, const PealId *from, const PealId *upto);

/* storage_leave Stores everything this peer is responsible for at its successor (s.10.9). */
void storage_leave(PealPeer *peer);

uint32_t storage_resources(const PealPeer *peer);

#endif
