/* SPDX-License-Identifier: GPL-3.0-or-later */
/* prefetch.c - asks the processor for the memory that a message will need, some messages ahead; see
 * <peal/peer.h>. */
#include "peer.h"
#include "reload/wire.h"

enum { LINE = 64 };

/* A link may lie across two lines. */
static inline __attribute__((always_inline)) void prefetch_link(const Links *links, uint16_t slot)
{
    const char *link = (const char *)link_at(links, slot);

    __builtin_prefetch(link, 1);
    __builtin_prefetch(link + sizeof(Link) - 1, 1);
}

void peal_peer_prefetch(const PealPeer *peer, PealFlow flow)
{
    const Links *links = &peer->links;
    const uint8_t *end;

    if (flow.index < links->links_cap) {
        prefetch_link(links, flow.index);
    }
    if (links->index_len == 0) {
        return; /* there may be no arrays yet */
    }
    end = (const uint8_t *)(links->slot + links->index_len);
    for (const uint8_t *line = (const uint8_t *)links->routes; line < end; line += LINE) {
        __builtin_prefetch(line);
    }
}

/* The decision of forward.c's decide, but nothing is checked beyond what keeps it inside the
 * bytes. */
uint16_t peal_peer_foresee(const PealPeer *peer, const uint8_t *bytes, size_t len)
{
    const uint8_t *message = bytes + RELOAD_DATA_FRAME_LEN;
    const uint8_t *entry;
    uint16_t link;
    PealId id;

    if (len < (size_t)RELOAD_DATA_FRAME_LEN + RELOAD_HEADER_LEN || bytes[0] != FRAME_TYPE_DATA) {
        return LINK_NONE;
    }
    entry = wire_dest(message);
    if ((size_t)(entry - bytes) + RELOAD_NODE_ENTRY_LEN + RELOAD_RESOURCE_ENTRY_LEN > len ||
        !wire_entry_id(entry, &id)) {
        return LINK_NONE;
    }
    if (entry[0] == RELOAD_DEST_RESOURCE) {
        if (peer->topology->responsible(peer, &id)) {
            return LINK_NONE;
        }
        link = peer->topology->next_hop(peer, &id, LINK_NONE);
    } else {
        if (peal_id_equal(&id, &peer->id) && wire_dest_len(message) > RELOAD_NODE_ENTRY_LEN &&
            !wire_entry_id(entry + RELOAD_NODE_ENTRY_LEN, &id)) {
            return LINK_NONE;
        }
        link = link_guess(peer, &id);
    }
    if (link != LINK_NONE) {
        prefetch_link(&peer->links, link);
    }
    return link;
}
