/* SPDX-License-Identifier: GPL-3.0-or-later */
/* link.c - links come up, are identified, carry frames and end; see link.h. */
#include "peer.h"

#include "reload/forward.h"
#include "security/gate.h"
#include "sip/adapters.h"

struct LinkStream {
    LinkStream *next;
    PealBuf *held;
    uint16_t slot;
};

enum { LINKS_STEP = 8, LINKS_MANY = 512 };

bool link_valid(const Links *links, PealFlow flow)
{
    return flow.index < links->links_cap && link_at(links, flow.index)->phase != LINK_FREE &&
           link_at(links, flow.index)->generation == flow.generation;
}

static PealFlow flow_of(const Links *links, uint16_t slot)
{
    return (PealFlow){slot, link_at(links, slot)->generation};
}

/* Makes the slot a fresh link in its first phase. */
static int link_begin(PealPeer *peer, PealFlow flow, LinkPhase phase)
{
    Links *links = &peer->links;

    if (flow.index >= links->links_cap) {
        /* By steps, not by a factor: tables of a few dozen exist a million times. Those of
         * thousands, a server's, do not. */
        uint16_t spare = flow.index < LINKS_MANY ? 0 : flow.index / 16;
        uint16_t cap = (uint16_t)((flow.index + spare) / LINKS_STEP * LINKS_STEP + LINKS_STEP);
        Link *larger = peer_alloc(peer, cap * sizeof(Link));

        if (larger == NULL) {
            return -PEAL_E_MEMORY;
        }
        if (links->links_cap > 0) {
            memcpy(larger, links->links, links->links_cap * sizeof(Link));
            peer_release(peer, links->links, links->links_cap * sizeof(Link));
        }
        links->links = larger;
        links->links_cap = cap;
    }
    PEAL_ASSERT(link_at(links, flow.index)->phase == LINK_FREE);
    *link_at(links, flow.index) =
        (Link){.generation = flow.generation, .phase = (uint8_t)phase, .heard = 1};
    return 0;
}

int link_open(PealPeer *peer, const PealAddr *addr, const PealId *expected, uint16_t *ret_slot)
{
    const PealTarget target = {*addr, peer->overlay->link};
    PealFlow flow;
    int error = peer->env->ops->open(peer->env, &target, &flow);

    if (error != 0) {
        return error;
    }
    error = link_begin(peer, flow, LINK_OPENING);
    if (error != 0) {
        peer->env->ops->close(peer->env, flow);
        return error;
    }
    link_at(&peer->links, flow.index)->opened = 1;
    /* The other side may remember a link from before, and not route through this one until it has
     * an Update. Who has yet to join sends it to everybody then. */
    link_at(&peer->links, flow.index)->wants_update = peer->state == PEAL_PEER_JOINED;
    if (expected != NULL) {
        link_at(&peer->links, flow.index)->id = *expected;
    }
    *ret_slot = flow.index;
    return 0;
}

void link_adopt(PealPeer *peer, PealFlow flow, const PealId *identity)
{
    Link *link;

    if (link_begin(peer, flow, LINK_UP) != 0) {
        peer->env->ops->close(peer->env, flow);
        return;
    }
    link = link_at(&peer->links, flow.index);
    link->id = *identity;
    link->named = 1;
    link->ready = 1;
    if (link_find(peer, identity) == LINK_NONE) {
        (void)!link_index_insert(peer, flow.index);
    }
}

void link_stream_drop(PealPeer *peer, uint16_t slot)
{
    LinkStream **at = &peer->links.streams;

    LinkStream *stream;

    while (*at != NULL && (*at)->slot != slot) {
        at = &(*at)->next;
    }
    stream = *at;
    if (stream == NULL) {
        return;
    }
    *at = stream->next;
    if (stream->held != NULL) {
        peer->env->ops->drop(peer->env, stream->held);
    }
    peer_release(peer, stream, sizeof(*stream));
}

/* What the link's end means to the others, once it is out of the tables: nothing where another link
 * to the same peer has taken its place. */
static void link_ended(PealPeer *peer, uint16_t slot, PealDownReason reason)
{
    Links *links = &peer->links;
    PealId id = link_at(links, slot)->id;
    bool indexed = link_at(links, slot)->indexed;
    LinkPhase phase = (LinkPhase)link_at(links, slot)->phase;
    PealBuf *outstanding[LINK_WAITING_MAX];
    uint16_t outstanding_len;

    if (indexed) {
        link_index_remove(peer, slot);
    }
    outstanding_len = link_sender_take(peer, slot, outstanding);
    link_stream_drop(peer, slot);
    /* What goes on may turn out to be for this peer, and ask it to open a link: where the flow has
     * ended already that may get the same slot. */
    link_at(links, slot)->phase = LINK_FREE;
    for (uint16_t i = 0; i < outstanding_len; i++) {
        if (phase == LINK_UP && reason != PEAL_DOWN_UNUSED) {
            forward_again_take(peer, slot, outstanding[i]);
        } else {
            peer->env->ops->drop(peer->env, outstanding[i]);
        }
    }
    if (phase >= LINK_UP) {
        peer_trace(peer, PEAL_TRACE_LINK_DOWN, slot, reason, 0, &id);
    }
    if (phase != LINK_SUSPECT && link_find(peer, &id) == LINK_NONE) {
        peer->topology->on_link_down(peer, slot, &id, reason);
    }
    if (reason == PEAL_DOWN_DEAD && link_find(peer, &id) == LINK_NONE) {
        adapters_on_link_dead(peer, &id);
    }
}

void link_close(PealPeer *peer, uint16_t slot, PealDownReason reason)
{
    PealFlow flow = flow_of(&peer->links, slot);

    PEAL_ASSERT(link_at(&peer->links, slot)->phase != LINK_FREE);
    link_ended(peer, slot, reason);
    peer->env->ops->close(peer->env, flow);
}

void link_suspect(PealPeer *peer, uint16_t slot)
{
    Link *link = link_at(&peer->links, slot);
    PealId id = link->id;

    link->phase = LINK_SUSPECT;
    if (link->indexed) {
        link_index_remove(peer, slot);
        peer->topology->on_link_down(peer, slot, &id, PEAL_DOWN_DEAD);
        link_sender_reroute(peer, slot); /* by the tables as they are without it */
    }
}

/* Another link to the same Node-ID may have taken its place meanwhile. */
void link_restore(PealPeer *peer, uint16_t slot)
{
    Link *link = link_at(&peer->links, slot);

    link->phase = LINK_UP;
    if (link_find(peer, &link->id) == LINK_NONE && link_index_insert(peer, slot) == 0) {
        peer->topology->on_link_up(peer, slot);
    }
}

void link_on_flow_up(PealPeer *peer, PealFlow flow, bool opened, const PealId *identity)
{
    Links *links = &peer->links;

    if (!opened && link_begin(peer, flow, LINK_NAMING) != 0) {
        peer->env->ops->close(peer->env, flow);
        return;
    }
    if (!link_valid(links, flow)) {
        return;
    }
    link_at(links, flow.index)->phase = LINK_NAMING;
    if (identity != NULL) {
        link_at(links, flow.index)->named = 1;
        link_identify(peer, flow.index, identity);
    } else if (opened) {
        forward_name_link(peer, flow.index);
    }
}

void link_on_flow_down(PealPeer *peer, PealFlow flow)
{
    if (link_valid(&peer->links, flow)) {
        link_ended(peer, flow.index, PEAL_DOWN_CLOSED);
    }
}

/* Links to the same peer that its side, or this one, has forgotten: it would not have opened
 * another else. */
static void close_forgotten(PealPeer *peer, uint16_t slot)
{
    const PealId id = link_at(&peer->links, slot)->id;
    const bool opened = link_at(&peer->links, slot)->opened;

    for (uint16_t i = 0; i < peer->links.links_cap; i++) {
        const Link *link = link_at(&peer->links, i);

        if (i != slot && link->phase >= LINK_UP && link->opened == opened &&
            peal_id_equal(&link->id, &id)) {
            link_close(peer, i, PEAL_DOWN_UNUSED);
        }
    }
}

void link_identify(PealPeer *peer, uint16_t slot, const PealId *id)
{
    Links *links = &peer->links;
    uint16_t old = link_find(peer, id);

    if (peal_id_equal(id, &peer->id) || peal_id_is_wildcard(id)) {
        link_close(peer, slot, PEAL_DOWN_PROTOCOL);
        return;
    }
    link_at(links, slot)->id = *id;
    link_at(links, slot)->phase = LINK_UP;
    if (!link_at(links, slot)->named) {
        forward_name_link(peer, slot);
    }
    if (old != LINK_NONE) {
        /* An Update that was sent over the old one may never have come. The other side's does not
         * count for the new one: it may be another life, which has yet to join (s.6.5.1). */
        link_at(links, slot)->wants_update = 1;
        link_index_remove(peer, old);
    }
    if (link_index_insert(peer, slot) != 0) {
        link_close(peer, slot, PEAL_DOWN_UNUSED);
        return;
    }
    peer_trace(peer, PEAL_TRACE_LINK_UP, slot, link_at(links, slot)->opened, 0, id);
    peer->topology->on_link_up(peer, slot);
    close_forgotten(peer, slot);
}

void link_prefer(PealPeer *peer, uint16_t slot)
{
    uint16_t old = link_find(peer, &link_at(&peer->links, slot)->id);

    if (old != slot && old != LINK_NONE && link_at(&peer->links, slot)->phase == LINK_UP) {
        link_index_remove(peer, old);
        if (link_index_insert(peer, slot) != 0) {
            PEAL_ASSERT(false); /* there is the other's place */
        }
        peer->topology->on_link_up(peer, slot);
    }
}

static void acknowledge(PealPeer *peer, uint16_t slot, uint32_t sequence)
{
    PealBuf *ack = peer->env->ops->buffer(peer->env, RELOAD_ACK_FRAME_LEN);
    uint32_t received;

    (void)frame_note_received(&link_at(&peer->links, slot)->rx, sequence, &received);
    frame_write_ack(ack->data, sequence, received);
    ack->len = RELOAD_ACK_FRAME_LEN;
    ack->attempt = 0;
    peer->env->ops->send_take(peer->env, flow_of(&peer->links, slot), ack);
}

/* What came in place of the other side's name. A host of another overlay is shown this peer's name
 * once, so that it can tell whoever runs it why it is not let in. */
static void on_no_name(PealPeer *peer, uint16_t slot, int error)
{
    const Link *link = link_at(&peer->links, slot);

    if (error != -PEAL_E_OVERLAY) {
        peer_drop(peer, PEAL_DROP_UNIDENTIFIED, 0, 0);
        return;
    }
    peer_drop(peer, PEAL_DROP_OVERLAY, link->opened, 0);
    if (!link->named) {
        forward_name_link(peer, slot);
    }
}

/* Before the other side has named itself nothing but that is accepted, nor acknowledged, so that
 * what overtook the naming Ping is sent again. */
static void on_data_take(PealPeer *peer, uint16_t slot, PealBuf *buf, const Frame *frame)
{
    const Link *link = link_at(&peer->links, slot);
    PealId named;
    bool naming = link->phase < LINK_UP;
    int error = 0;

    if (naming) {
        error = forward_read_name(peer, (PealBytes){frame->message, frame->message_len}, &named);
    }
    if (error != 0) {
        on_no_name(peer, slot, error);
        peer->env->ops->drop(peer->env, buf);
        return;
    }
    if (peer->overlay->link == PEAL_UDP || peer->overlay->link_acks) {
        acknowledge(peer, slot, frame->sequence);
    }
    if (naming) {
        PealFlow flow = flow_of(&peer->links, slot);

        link_identify(peer, slot, &named);
        if (!link_valid(&peer->links, flow)) {
            peer->env->ops->drop(peer->env, buf);
            return;
        }
    }
    forward_message_take(peer, slot, buf);
}

static void on_frame_take(PealPeer *peer, uint16_t slot, PealBuf *buf, const Frame *frame)
{
    Link *link = link_at(&peer->links, slot);

    link->heard = 1;
    if (frame->data) {
        if (link->phase >= LINK_UP && !link->indexed) {
            link_restore(peer, slot);
        }
        on_data_take(peer, slot, buf, frame);
        return;
    }
    link_sender_ack(peer, slot, frame);
    peer->env->ops->drop(peer->env, buf);
}

/* The half frame that waits on a stream, taken off the list; NULL when there is none. */
static PealBuf *held_take(PealPeer *peer, uint16_t slot)
{
    for (LinkStream *stream = peer->links.streams; stream != NULL; stream = stream->next) {
        if (stream->slot == slot) {
            PealBuf *held = stream->held;

            stream->held = NULL;
            link_stream_drop(peer, slot);
            return held;
        }
    }
    return NULL;
}

static int hold_take(PealPeer *peer, uint16_t slot, PealBuf *held)
{
    LinkStream *stream = peer_alloc(peer, sizeof(*stream));

    if (stream == NULL) {
        peer->env->ops->drop(peer->env, held);
        return -PEAL_E_MEMORY;
    }
    *stream = (LinkStream){peer->links.streams, held, slot};
    peer->links.streams = stream;
    return 0;
}

/* Does a frame of a stream get in? A datagram was judged before it came here. The overlay, which
 * all peers of a simulation share, is asked first: the peer's own pointer is out of the cache at
 * each frame. */
static bool admits(PealPeer *peer, uint16_t slot, const PealBuf *frame)
{
    return !peal_defence_admits(peer->overlay) || gate_of(peer) == NULL ||
           gate_admit_frame(peer, slot, frame->data, frame->len) == PEAL_ADMIT_SERVE;
}

/* Cuts a piece of a stream into frames. A frame may end the link, so it is looked at again after
 * each. */
static void on_piece_take(PealPeer *peer, PealFlow flow, PealBuf *piece)
{
    FrameCursor cursor = {piece, 0};
    PealBuf *held = held_take(peer, flow.index);
    PealBuf *whole = NULL;
    int error = 0;

    while (link_valid(&peer->links, flow)) {
        Frame frame;

        error = frame_stream_next(&held, peer->env, peer->overlay->message_max, &cursor, &whole);
        if (error != 0 || whole == NULL) {
            break;
        }
        if (frame_parse_datagram(whole->data, whole->len, peer->overlay->message_max, &frame) ==
                0 &&
            admits(peer, flow.index, whole)) {
            on_frame_take(peer, flow.index, whole, &frame);
        } else {
            peer->env->ops->drop(peer->env, whole);
        }
    }
    frame_stream_abandon(peer->env, &cursor);
    if (!link_valid(&peer->links, flow)) {
        if (held != NULL) {
            peer->env->ops->drop(peer->env, held);
        }
        return;
    }
    if (error != 0) {
        peer_drop(peer, PEAL_DROP_MALFORMED, 0, 0);
        link_close(peer, flow.index, PEAL_DOWN_PROTOCOL);
        return;
    }
    if (held != NULL && hold_take(peer, flow.index, held) != 0) {
        link_close(peer, flow.index, PEAL_DOWN_UNUSED);
    }
}

void link_on_bytes_take(PealPeer *peer, PealFlow flow, PealBuf *buf)
{
    Frame frame;

    if (!link_valid(&peer->links, flow)) {
        peer->env->ops->drop(peer->env, buf);
        return;
    }
    if (peer->links.streams == NULL &&
        frame_parse_datagram(buf->data, buf->len, peer->overlay->message_max, &frame) == 0) {
        if (peer->overlay->link == PEAL_UDP || admits(peer, flow.index, buf)) {
            on_frame_take(peer, flow.index, buf, &frame);
        } else {
            peer->env->ops->drop(peer->env, buf);
        }
        return;
    }
    if (peer->overlay->link == PEAL_TCP) {
        on_piece_take(peer, flow, buf);
        return;
    }
    peer_drop(peer, PEAL_DROP_MALFORMED, 0, 0);
    peer->env->ops->drop(peer->env, buf);
}
