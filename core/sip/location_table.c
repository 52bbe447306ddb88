/* SPDX-License-Identifier: GPL-3.0-or-later */
/* location_table.c - AORs by Resource-ID and by time. */
#include "sip/location_table.h"

#include "peer.h"

enum {
    TABLE_NONE = UINT32_MAX,
    TABLE_BYTES =
        sizeof(LocationEntry) + 2 * sizeof(uint32_t) /* an entry, a head, a heap's place */
};

static uint32_t *table_heads(const Location *location)
{
    return (uint32_t *)(location->entries + location->entries_cap);
}

/* As many heads as there is room for entries; a Resource-ID is a hash already. */
static uint32_t *table_head(const Location *location, const PealId *resource)
{
    uint32_t low;

    PEAL_ASSERT(location->entries_cap > 0);
    memcpy(&low, resource->bytes, sizeof(low));
    return &table_heads(location)[low % location->entries_cap];
}

static uint32_t *table_heap(const Location *location)
{
    return table_heads(location) + location->entries_cap;
}

static uint32_t table_number(const Location *location, const LocationEntry *entry)
{
    return (uint32_t)(entry - location->entries);
}

/* The heap. */

static LocationEntry *heap_entry(const Location *location, uint32_t at)
{
    return &location->entries[table_heap(location)[at]];
}

static void heap_put(Location *location, uint32_t at, LocationEntry *entry)
{
    table_heap(location)[at] = table_number(location, entry);
    entry->heap_at = at;
}

static void heap_up(Location *location, LocationEntry *entry)
{
    uint32_t at = entry->heap_at;

    while (at > 0 && heap_entry(location, (at - 1) / 2)->act_at.ns > entry->act_at.ns) {
        heap_put(location, at, heap_entry(location, (at - 1) / 2));
        at = (at - 1) / 2;
    }
    heap_put(location, at, entry);
}

static void heap_down(Location *location, LocationEntry *entry)
{
    uint32_t at = entry->heap_at;

    for (uint32_t child = 2 * at + 1; child < location->entries_len; child = 2 * at + 1) {
        if (child + 1 < location->entries_len &&
            heap_entry(location, child + 1)->act_at.ns < heap_entry(location, child)->act_at.ns) {
            child++;
        }
        if (heap_entry(location, child)->act_at.ns >= entry->act_at.ns) {
            break;
        }
        heap_put(location, at, heap_entry(location, child));
        at = child;
    }
    heap_put(location, at, entry);
}

void location_table_act_at(Location *location, LocationEntry *entry, PealTime at)
{
    entry->act_at = at;
    heap_up(location, entry);
    heap_down(location, entry);
}

LocationEntry *location_table_first(const Location *location)
{
    return location->entries_len > 0 ? heap_entry(location, 0) : NULL;
}

/* The chains. */

static void table_link(Location *location, LocationEntry *entry)
{
    uint32_t *head = table_head(location, &entry->resource);

    entry->next = *head;
    *head = table_number(location, entry);
}

/* Where an entry's number stands. */
static uint32_t *table_place(const Location *location, const LocationEntry *entry)
{
    const uint32_t number = table_number(location, entry);
    uint32_t *at = table_head(location, &entry->resource);

    while (*at != number) {
        at = &location->entries[*at].next;
    }
    return at;
}

LocationEntry *location_table_find(const Location *location, const PealId *resource)
{
    uint32_t at = location->entries_len > 0 ? *table_head(location, resource) : TABLE_NONE;

    while (at != TABLE_NONE && !peal_id_equal(&location->entries[at].resource, resource)) {
        at = location->entries[at].next;
    }
    return at != TABLE_NONE ? &location->entries[at] : NULL;
}

/* Room for one more: what stands behind the array is made anew with it. */
static bool table_grow(PealPeer *peer)
{
    Location *location = &peer->location;
    const Location before = *location;
    const uint32_t cap = before.entries_cap;
    const uint32_t larger = cap > 1 ? cap + cap / 2 : cap + 1; /* most peers have few */
    LocationEntry *fresh;

    if (before.entries_len < cap) {
        return true;
    }
    fresh = peer_alloc(peer, (size_t)larger * TABLE_BYTES);
    if (fresh == NULL) {
        return false;
    }
    location->entries = fresh;
    location->entries_cap = larger;
    for (uint32_t i = 0; i < larger; i++) {
        table_heads(location)[i] = TABLE_NONE;
    }
    for (uint32_t i = 0; i < before.entries_len; i++) {
        fresh[i] = before.entries[i];
        table_link(location, &fresh[i]);
        heap_put(location, fresh[i].heap_at, &fresh[i]);
    }
    if (cap > 0) {
        peer_release(peer, before.entries, (size_t)cap * TABLE_BYTES);
    }
    return true;
}

LocationEntry *location_table_add(PealPeer *peer, const PealId *resource)
{
    Location *location = &peer->location;
    LocationEntry *entry;

    if (!table_grow(peer)) {
        return NULL;
    }
    entry = &location->entries[location->entries_len];
    *entry = (LocationEntry){.resource = *resource,
                             .act_at = PEAL_TIME_NEVER,
                             .heap_at = location->entries_len++};
    table_link(location, entry);
    heap_up(location, entry);
    return entry;
}

void location_table_remove(PealPeer *peer, LocationEntry *entry)
{
    Location *location = &peer->location;
    LocationEntry *last = &location->entries[location->entries_len - 1];
    LocationEntry *moved = heap_entry(location, location->entries_len - 1);
    const uint32_t heap_at = entry->heap_at;

    *table_place(location, entry) = entry->next;
    location->entries_len--;
    if (moved != entry) {
        heap_put(location, heap_at, moved);
        location_table_act_at(location, moved, moved->act_at);
    }
    if (last != entry) {
        *table_place(location, last) = table_number(location, entry);
        *entry = *last;
        heap_put(location, entry->heap_at, entry);
    }
    if (location->entries_len == 0) {
        location_table_fini(peer);
    }
}

void location_table_fini(PealPeer *peer)
{
    Location *location = &peer->location;

    if (location->entries != NULL) {
        peer_release(peer, location->entries, (size_t)location->entries_cap * TABLE_BYTES);
    }
    location->entries = NULL;
    location->entries_len = 0;
    location->entries_cap = 0;
}
