/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link_index.c - identified links in ring order; see link.h. */
#include "peer.h"

enum { INDEX_STEP = 8, INDEX_MANY = 512 };

static size_t words_for(size_t cap)
{
    return (cap + 63) / 64;
}

static size_t block_size(size_t cap)
{
    return words_for(cap) * sizeof(uint64_t) + cap * (sizeof(uint64_t) + sizeof(uint16_t));
}

static void block_lay_out(Links *links, void *block, uint16_t cap)
{
    links->routes = block;
    links->dist = links->routes + words_for(cap);
    links->slot = (uint16_t *)(links->dist + cap);
    links->index_cap = cap;
}

static int index_grow(PealPeer *peer)
{
    Links *links = &peer->links;
    Links old = *links;
    uint16_t spare = old.index_cap < INDEX_MANY ? 0 : old.index_cap / 16;
    uint16_t cap = (uint16_t)(old.index_cap + spare + INDEX_STEP);
    void *block = peer_alloc(peer, block_size(cap));

    if (block == NULL) {
        return -PEAL_E_MEMORY;
    }
    block_lay_out(links, block, cap);
    if (old.index_len > 0) {
        memcpy(links->dist, old.dist, old.index_len * sizeof(*old.dist));
        memcpy(links->slot, old.slot, old.index_len * sizeof(*old.slot));
    }
    if (old.routes != NULL) {
        peer_release(peer, old.routes, block_size(old.index_cap));
    }
    return 0;
}

/* Two ids may share the top 64 bits of their distance: the whole ids decide then. */
static bool nearer(const PealPeer *peer, uint16_t place, PealIdHalves distance)
{
    const Links *links = &peer->links;

    if (links->dist[place] != distance.high) {
        return links->dist[place] < distance.high;
    }
    return peal_halves_less(peal_id_distance(&peer->id, &link_at(links, links->slot[place])->id),
                            distance);
}

/* How many indexed links lie nearer by the top 64 bits of the way alone: no link is touched. A
 * lower bound without branches on the data, since the index is short and the keys are random. */
static uint32_t rank_by_top(const Links *links, uint64_t top)
{
    const uint64_t *base = links->dist;
    uint32_t len = links->index_len;

    if (len == 0) {
        return 0;
    }
    while (len > 1) {
        uint32_t half = len / 2;

        base += base[half - 1] < top ? half : 0;
        len -= half;
    }
    return (uint32_t)(base - links->dist) + (base[0] < top);
}

uint16_t link_rank(const PealPeer *peer, const PealId *id)
{
    const Links *links = &peer->links;
    PealIdHalves distance = peal_id_distance(&peer->id, id);
    uint32_t rank = rank_by_top(links, distance.high);

    while (rank < links->index_len && links->dist[rank] == distance.high &&
           nearer(peer, (uint16_t)rank, distance)) {
        rank++;
    }
    return (uint16_t)rank;
}

uint16_t link_guess(const PealPeer *peer, const PealId *id)
{
    const Links *links = &peer->links;
    uint64_t top = peal_id_distance(&peer->id, id).high;
    uint32_t rank = rank_by_top(links, top);

    return rank < links->index_len && links->dist[rank] == top ? links->slot[rank] : LINK_NONE;
}

uint16_t link_find(const PealPeer *peer, const PealId *id)
{
    const Links *links = &peer->links;
    uint16_t place = link_rank(peer, id);

    if (place < links->index_len && links->dist[place] == peal_id_distance(&peer->id, id).high) {
        uint16_t slot = links->slot[place];

        if (peal_id_equal(&link_at(links, slot)->id, id)) {
            return slot;
        }
    }
    return LINK_NONE;
}

uint16_t link_find_any(const PealPeer *peer, const PealId *id)
{
    const Links *links = &peer->links;
    uint16_t found = link_find(peer, id);

    for (uint16_t slot = 0; found == LINK_NONE && slot < links->links_cap; slot++) {
        const Link *link = link_at(links, slot);

        if ((link->phase == LINK_OPENING || link->phase == LINK_NAMING) &&
            peal_id_equal(&link->id, id)) {
            found = slot;
        }
    }
    return found;
}

int link_index_insert(PealPeer *peer, uint16_t slot)
{
    Links *links = &peer->links;
    Link *link = link_at(links, slot);
    PealIdHalves distance = peal_id_distance(&peer->id, &link->id);
    uint16_t place;
    size_t after;

    if (links->index_len == links->index_cap && index_grow(peer) != 0) {
        return -PEAL_E_MEMORY;
    }
    place = link_rank(peer, &link->id);
    after = (size_t)(links->index_len - place);
    memmove(&links->dist[place + 1], &links->dist[place], after * sizeof(*links->dist));
    memmove(&links->slot[place + 1], &links->slot[place], after * sizeof(*links->slot));
    links->dist[place] = distance.high;
    links->slot[place] = slot;
    links->index_len++;
    link->indexed = 1;
    link_routes_refresh(peer);
    return 0;
}

void link_index_remove(PealPeer *peer, uint16_t slot)
{
    Links *links = &peer->links;
    uint16_t place = 0;
    size_t after;

    while (place < links->index_len && links->slot[place] != slot) {
        place++;
    }
    PEAL_ASSERT(place < links->index_len);
    after = (size_t)(links->index_len - place - 1);
    memmove(&links->dist[place], &links->dist[place + 1], after * sizeof(*links->dist));
    memmove(&links->slot[place], &links->slot[place + 1], after * sizeof(*links->slot));
    links->index_len--;
    link_at(links, slot)->indexed = 0;
    link_routes_refresh(peer);
}

void link_routes_refresh(PealPeer *peer)
{
    Links *links = &peer->links;

    if (links->index_cap == 0) {
        return;
    }
    memset(links->routes, 0, words_for(links->index_cap) * sizeof(*links->routes));
    for (uint16_t place = 0; place < links->index_len; place++) {
        const Link *link = link_at(links, links->slot[place]);

        if (link->ready && (link->neighbour || link->finger)) {
            links->routes[place / 64] |= UINT64_C(1) << (place % 64);
        }
    }
}

void links_init(PealPeer *peer)
{
    peer->links = (Links){.deadline = PEAL_TIME_NEVER};
}

void links_fini(PealPeer *peer)
{
    Links *links = &peer->links;

    for (uint16_t slot = 0; slot < links->links_cap; slot++) {
        if (link_at(links, slot)->phase != LINK_FREE) {
            link_sender_drop(peer, slot);
            link_stream_drop(peer, slot);
        }
    }
    if (links->links != NULL) {
        peer_release(peer, links->links, links->links_cap * sizeof(Link));
    }
    if (links->routes != NULL) {
        peer_release(peer, links->routes, block_size(links->index_cap));
    }
    links_init(peer);
}
