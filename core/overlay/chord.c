/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chord.c - CHORD-RELOAD's tables and routes; see chord.h. */
#include "overlay/chord.h"

#include "peer.h"
#include "reload/codec.h"

/* A tomb keeps a failed peer from being asked for again because others still name it. */
struct ChordTomb {
    PealId id;
    PealTime until;
};

enum { TOMBS_MAX = 64, DOUBTS_MAX = 4, PPB = 1000000000 };

static void chord_init(PealPeer *peer)
{
    const PealTime never = PEAL_TIME_NEVER;

    peer->chord = (Chord){.deadline = never,
                          .update_at = never,
                          .finger_at = never,
                          .partition_at = never,
                          .settle_at = never,
                          .join_at = never};
    if (peer->overlay->fingers > 0) {
        peer->chord.fingers = peer_alloc(peer, peer->overlay->fingers * sizeof(uint16_t));
    }
    if (peer->chord.fingers != NULL) {
        peer->chord.fingers_len = peer->overlay->fingers;
        memset(peer->chord.fingers, 0xff, peer->chord.fingers_len * sizeof(uint16_t));
    }
}

static void chord_fini(PealPeer *peer)
{
    Chord *chord = &peer->chord;

    if (chord->fingers != NULL) {
        peer_release(peer, chord->fingers, chord->fingers_len * sizeof(uint16_t));
    }
    if (chord->tombs != NULL) {
        peer_release(peer, chord->tombs, chord->tombs_cap * sizeof(ChordTomb));
    }
    memset(chord, 0, sizeof(*chord));
}

void chord_watch(PealPeer *peer, PealTime at)
{
    if (at.ns < peer->chord.deadline.ns) {
        peer->chord.deadline = at;
        peer_wake_by(peer, at);
    }
}

/* Neighbours. */

uint16_t chord_ready(const PealPeer *peer, size_t i, bool successors)
{
    const Links *links = &peer->links;

    for (uint16_t place = 0; place < links->index_len; place++) {
        uint16_t slot = links->slot[successors ? place : (uint16_t)(links->index_len - 1 - place)];

        if (link_at(links, slot)->ready && i-- == 0) {
            return slot;
        }
    }
    return LINK_NONE;
}

/* Marks up to `max` ready links from one end as neighbours and chains their ids into the
 * fingerprint. */
static uint64_t mark_side(PealPeer *peer, bool successors, unsigned max, uint64_t fingerprint,
                          uint16_t *ret_count)
{
    Links *links = &peer->links;
    uint16_t count = 0;

    for (uint16_t place = 0; place < links->index_len && count < max; place++) {
        Link *link =
            link_at(links,
                    links->slot[successors ? place : (uint16_t)(links->index_len - 1 - place)]);

        if (link->ready) {
            PealIdHalves halves = peal_id_halves(&link->id);

            link->neighbour = 1;
            fingerprint = (fingerprint ^ halves.high) * UINT64_C(0x9e3779b97f4a7c15);
            fingerprint = (fingerprint ^ halves.low ^ count) * UINT64_C(0xc2b2ae3d27d4eb4f);
            fingerprint ^= fingerprint >> 29;
            count++;
        }
    }
    *ret_count = count;
    return fingerprint;
}

static PealIdHalves range_span(const PealPeer *peer)
{
    uint16_t predecessor = chord_ready(peer, 0, false);

    if (predecessor == LINK_NONE) {
        return (PealIdHalves){0, 0};
    }
    return peal_id_distance(&link_at(&peer->links, predecessor)->id, &peer->id);
}

void chord_refresh(PealPeer *peer, bool lost)
{
    Chord *chord = &peer->chord;
    PealIdHalves span = range_span(peer);
    uint64_t fingerprint;
    uint16_t successors;
    uint16_t predecessors;
    bool range_changed = span.high != chord->span.high || span.low != chord->span.low;
    bool alone;

    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        link_at(&peer->links, slot)->neighbour = 0;
    }
    fingerprint = mark_side(peer, true, peer->overlay->successors, 1, &successors);
    fingerprint = mark_side(peer, false, peer->overlay->predecessors, fingerprint, &predecessors);
    link_routes_refresh(peer);
    chord->span = span;
    if (fingerprint == chord->neighbours && !range_changed) {
        return;
    }
    chord->neighbours = fingerprint;
    chord->range_changed = chord->range_changed || range_changed;
    if (chord->phase != CHORD_JOINED) {
        return;
    }
    peer_trace(peer, PEAL_TRACE_NEIGHBOURS_CHANGED, range_changed,
               (uint32_t)successors + predecessors, 0, &peer->id);
    /* s.10.7.1. Who founded the overlay is the overlay when left alone: with nobody in it, nobody
     * could join it again. */
    alone = successors == 0 && lost && peer->bootstrap.addrs_len > 0;
    if (alone && !peer->bootstrap.first) {
        chord_rejoin(peer);
        return;
    }
    storage_on_neighbours(peer, lost);
    if (peer->overlay->maintenance == PEAL_MAINTENANCE_ON && peer->overlay->reactive &&
        chord->settle_at.ns == PEAL_TIME_NEVER.ns) {
        chord->settle_at = peal_time_add(peer_now(peer), CHORD_SETTLE);
        chord_watch(peer, chord->settle_at);
    }
    if (alone) {
        bootstrap_seek(peer); /* but it may be cut off from them */
    }
}

/* Would the id be among the neighbours if it, and all that are being attached to, were ready? */
bool chord_wants_neighbour(const PealPeer *peer, const PealId *id)
{
    const Links *links = &peer->links;
    uint16_t rank = link_rank(peer, id);
    unsigned nearer_after = 0;
    unsigned nearer_before = 0;
    unsigned before_max = chord_side_max(peer, false);

    /* A joiner's links lead to what it was told are its neighbours, ready or not yet. */
    for (uint16_t place = 0; place < links->index_len; place++) {
        if (link_at(links, links->slot[place])->ready || peer->chord.phase != CHORD_JOINED) {
            nearer_after += place < rank;
            nearer_before += place >= rank;
        }
    }
    attach_around(peer, CHORD_FOR_NEIGHBOUR, id, &nearer_after, &nearer_before);
    return nearer_after < peer->overlay->successors || nearer_before < before_max;
}

bool chord_would_neighbour(const PealPeer *peer, const PealId *id)
{
    const Links *links = &peer->links;
    uint16_t rank = link_rank(peer, id);
    unsigned nearer_after = 0;
    unsigned nearer_before = 0;

    for (uint16_t place = 0; place < links->index_len; place++) {
        const Link *link = link_at(links, links->slot[place]);

        if (link->ready && peal_id_equal(&link->id, id)) {
            return false;
        }
        nearer_after += link->ready && place < rank;
        nearer_before += link->ready && place >= rank;
    }
    return nearer_after < peer->overlay->successors || nearer_before < chord_side_max(peer, false);
}

/* Fingers. */

PealId chord_finger_point(PealPeer *peer, unsigned i)
{
    PealIdHalves random = {0, 0};

    if (peer->overlay->finger_choice == PEAL_FINGER_RANDOM) {
        random.high = peer_random(peer, PEAL_DRAW_FINGER);
        random.low = peer_random(peer, PEAL_DRAW_FINGER);
    }
    return peal_id_finger_point(&peer->id, i, random);
}

void chord_set_finger(PealPeer *peer, unsigned i, uint16_t link)
{
    Chord *chord = &peer->chord;
    uint16_t old = chord->fingers[i - 1];

    chord->fingers[i - 1] = link;
    if (link != LINK_NONE) {
        link_at(&peer->links, link)->finger = 1;
    }
    if (old != LINK_NONE && old != link) {
        bool used = false;

        for (unsigned k = 0; k < chord->fingers_len; k++) {
            used = used || chord->fingers[k] == old;
        }
        link_at(&peer->links, old)->finger = used;
    }
    link_routes_refresh(peer);
}

/* Tombs. */

static ChordTomb *tomb_of(const Chord *chord, const PealId *id)
{
    for (uint16_t i = 0; i < chord->tombs_len; i++) {
        if (peal_id_equal(&chord->tombs[i].id, id)) {
            return &chord->tombs[i];
        }
    }
    return NULL;
}

/* The one that has served its time, or a new one; NULL when all are in use. */
static ChordTomb *tomb_free(PealPeer *peer)
{
    Chord *chord = &peer->chord;
    PealTime now = peer_now(peer);

    for (uint16_t i = 0; i < chord->tombs_len; i++) {
        if (peal_time_due(chord->tombs[i].until, now)) {
            return &chord->tombs[i];
        }
    }
    if (chord->tombs_len == TOMBS_MAX || peer_grow(peer, &chord->tombs, &chord->tombs_cap,
                                                   chord->tombs_len + 1u, sizeof(ChordTomb)) != 0) {
        return NULL;
    }
    return &chord->tombs[chord->tombs_len++];
}

void chord_bury(PealPeer *peer, const PealId *id)
{
    ChordTomb *tomb = tomb_of(&peer->chord, id);

    if (tomb == NULL) {
        tomb = tomb_free(peer);
    }
    if (tomb != NULL) {
        *tomb = (ChordTomb){*id, peal_time_add(peer_now(peer), peer->overlay->hold_down)};
    }
}

bool chord_buried(const PealPeer *peer, const PealId *id)
{
    const ChordTomb *tomb = tomb_of(&peer->chord, id);

    return tomb != NULL && !peal_time_due(tomb->until, peer->env->ops->now(peer->env));
}

static void exhume(PealPeer *peer, const PealId *id)
{
    Chord *chord = &peer->chord;
    ChordTomb *tomb = tomb_of(chord, id);

    if (tomb != NULL) {
        *tomb = chord->tombs[--chord->tombs_len];
    }
}

/* The plug-in's answers. */

/* s.10.1: (predecessor, self]. */
static bool chord_responsible(const PealPeer *peer, const PealId *id)
{
    const Chord *chord = &peer->chord;

    if (chord->phase != CHORD_JOINED && chord->phase != CHORD_LEAVING) {
        return false;
    }
    if (chord->span.high == 0 && chord->span.low == 0) {
        return true;
    }
    return peal_halves_less(peal_id_distance(id, &peer->id), chord->span);
}

/* The last routing table entry at a place below `end`, or LINK_NONE. */
static uint16_t last_route_below(const Links *links, uint16_t end, uint16_t except)
{
    int word = end / 64;
    uint64_t bits = end % 64 == 0 ? 0 : links->routes[word] & ((UINT64_C(1) << (end % 64)) - 1);

    for (;;) {
        while (bits != 0) {
            int bit = 63 - __builtin_clzll(bits);
            uint16_t slot = links->slot[word * 64 + bit];

            if (slot != except) {
                return slot;
            }
            bits &= ~(UINT64_C(1) << bit);
        }
        if (--word < 0) {
            return LINK_NONE;
        }
        bits = links->routes[word];
    }
}

static uint16_t first_route_from(const Links *links, uint16_t begin, uint16_t except)
{
    for (uint16_t place = begin; place < links->index_len; place++) {
        uint16_t slot = links->slot[place];

        if ((links->routes[place / 64] >> (place % 64) & 1) != 0 && slot != except) {
            return slot;
        }
    }
    return LINK_NONE;
}

/*
 * s.10.3: the largest Node-ID between this peer and the id, else the smallest beyond it. Where that
 * is the peer the message came from, the two disagree about who lies between them, as while a peer
 * joins: sending it back would make a loop, and the smallest beyond is the one the other has not
 * heard of.
 */
static uint16_t chord_next_hop(const PealPeer *peer, const PealId *id, uint16_t back)
{
    const Links *links = &peer->links;
    uint16_t rank = link_rank(peer, id);
    uint16_t slot;

    if (links->index_len == 0) {
        return LINK_NONE;
    }
    if (rank < links->index_len && links->dist[rank] == peal_id_distance(&peer->id, id).high) {
        const Link *link = link_at(links, links->slot[rank]);

        if (link->ready && peal_id_equal(&link->id, id)) {
            return links->slot[rank];
        }
    }
    slot = last_route_below(links, rank, LINK_NONE);
    if (slot == LINK_NONE || slot == back) {
        uint16_t beyond = first_route_from(links, rank, back);

        slot = beyond != LINK_NONE ? beyond : last_route_below(links, rank, back);
    }
    return slot;
}

/* Those between this peer and the id, the last of them first, as the next hop is chosen; then those
 * beyond it, of which the first may be its owner. */
static size_t chord_first_hops(const PealPeer *peer, const PealId *id, uint16_t *ret_links,
                               size_t max)
{
    const Links *links = &peer->links;
    uint16_t rank = link_rank(peer, id);
    size_t count = 0;

    if (peer->topology->responsible(peer, id)) {
        return 0;
    }
    for (uint16_t i = 0; i < links->index_len && count < max; i++) {
        uint16_t place = i < rank ? (uint16_t)(rank - 1 - i) : i;

        if ((links->routes[place / 64] >> (place % 64) & 1) != 0) {
            ret_links[count++] = links->slot[place];
        }
    }
    return count;
}

unsigned chord_side_max(const PealPeer *peer, bool successors)
{
    unsigned max = successors ? peer->overlay->successors : peer->overlay->predecessors;

    return max > 0 ? max : 1;
}

void chord_put_side(const PealPeer *peer, Writer *writer, bool successors)
{
    for (unsigned i = 0; i < chord_side_max(peer, successors); i++) {
        uint16_t slot = chord_ready(peer, i, successors);

        if (slot == LINK_NONE) {
            return;
        }
        put_id(writer, &link_at(&peer->links, slot)->id);
    }
}

static size_t list_side(const PealPeer *peer, bool successors, PealId *ret_ids, size_t max)
{
    size_t side = chord_side_max(peer, successors);
    size_t count = 0;

    while (count < max && count < side) {
        uint16_t slot = chord_ready(peer, count, successors);

        if (slot == LINK_NONE) {
            break;
        }
        ret_ids[count++] = link_at(&peer->links, slot)->id;
    }
    return count;
}

static size_t chord_replica_set(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    size_t replicas = peal_overlay_successor_copies(peer->overlay);

    return list_side(peer, true, ret_ids, max < replicas ? max : replicas);
}

/* How many ready links lie in [id, self), the sender among them: predecessors nearer to the
 * resource's owner. */
static unsigned ready_between(const PealPeer *peer, const PealId *id)
{
    const Links *links = &peer->links;
    unsigned count = 0;

    if (peal_id_equal(id, &peer->id)) {
        return 0; /* not the whole ring */
    }
    for (uint16_t place = link_rank(peer, id); place < links->index_len; place++) {
        count += link_at(links, links->slot[place])->ready;
    }
    return count;
}

/* A sender is plausible when it owns the resource as far as this peer can see, or is in its replica
 * set, and this peer may be in it too (s.7.4.1.1). The owner takes a copy from whoever stored it
 * before: a peer that finds it is no longer responsible must hand on what it has (s.6.4.2.3),
 * however far away the ring has moved it, and a value speaks for itself by its signer and storage
 * time. */
static bool chord_accepts_replica(const PealPeer *peer, const PealId *resource,
                                  const PealId *sender)
{
    if (chord_responsible(peer, resource)) {
        return true;
    }
    return ready_between(peer, resource) <= peal_overlay_successor_copies(peer->overlay) + 1u &&
           link_find(peer, sender) != LINK_NONE;
}

static bool chord_holds(const PealPeer *peer, const PealId *resource)
{
    return chord_responsible(peer, resource) ||
           ready_between(peer, resource) <= peal_overlay_successor_copies(peer->overlay);
}

/* Is this link's peer a neighbour that lies nearer to the resource than the responder? */
static bool stands_between(const Link *link, const PealId *resource, const PealId *responder)
{
    return link->neighbour && peal_halves_less(peal_id_distance(resource, &link->id),
                                               peal_id_distance(resource, responder));
}

/* The responder may not lie further clockwise from the resource than a neighbour of this peer
 * (s.6.3.4). */
static bool chord_plausible(const PealPeer *peer, const PealId *resource, const PealId *responder)
{
    const Links *links = &peer->links;

    if (chord_responsible(peer, resource)) {
        return peal_id_equal(responder, &peer->id);
    }
    /* A joiner keeps no neighbour table: a dead peer in it would shut the overlay's true answers
     * out for ever. */
    if (peer->chord.phase != CHORD_JOINED) {
        return true;
    }
    for (uint16_t place = 0; place < links->index_len; place++) {
        if (stands_between(link_at(links, links->slot[place]), resource, responder)) {
            return false;
        }
    }
    return true;
}

/* A neighbour that died is missed by those who send to it. This peer may have none to send: its way
 * to the resource goes by others, who know already. */
static void chord_doubt(PealPeer *peer, const PealId *resource, const PealId *responder)
{
    const Links *links = &peer->links;
    PealFlow flows[DOUBTS_MAX];
    unsigned flows_len = 0;

    for (uint16_t place = 0; place < links->index_len && flows_len < DOUBTS_MAX; place++) {
        uint16_t slot = links->slot[place];
        const Link *link = link_at(links, slot);

        if (stands_between(link, resource, responder) && !link_is_sending(peer, slot)) {
            flows[flows_len++] = (PealFlow){slot, link->generation};
        }
    }
    for (unsigned i = 0; i < flows_len; i++) {
        if (link_valid(links, flows[i])) {
            chord_ping(peer, flows[i].index);
        }
    }
}

static size_t chord_list(const PealPeer *peer, TopologyList which, PealId *ret_ids, size_t max)
{
    size_t count = 0;

    if (which != TOPOLOGY_FINGERS) {
        return list_side(peer, which == TOPOLOGY_SUCCESSORS, ret_ids, max);
    }
    for (size_t i = 0; i < peer->chord.fingers_len && count < max; i++) {
        if (peer->chord.fingers[i] != LINK_NONE) {
            ret_ids[count++] = link_at(&peer->links, peer->chord.fingers[i])->id;
        }
    }
    return count;
}

static uint32_t chord_responsible_ppb(const PealPeer *peer)
{
    const Chord *chord = &peer->chord;

    if (chord->span.high == 0 && chord->span.low == 0) {
        return PPB;
    }
    return (uint32_t)(((unsigned __int128)chord->span.high * PPB) >> 64);
}

/* Links. */

static void chord_on_link_up(PealPeer *peer, uint16_t slot)
{
    Chord *chord = &peer->chord;
    const PealId id = link_at(&peer->links, slot)->id;

    exhume(peer, &id);
    for (unsigned i = 0; i < chord->fingers_len; i++) {
        uint16_t old = chord->fingers[i];

        if (old != LINK_NONE && old != slot &&
            peal_id_equal(&link_at(&peer->links, old)->id, &id)) {
            chord_set_finger(peer, i + 1, slot);
        }
    }
    if (link_at(&peer->links, slot)->ready) {
        chord_refresh(peer, false);
    }
    bootstrap_on_link_up(peer, slot);
    attach_on_link_up(peer, slot);
    peer->topology->on_update_wanted(peer, slot);
}

static void chord_on_update_wanted(PealPeer *peer, uint16_t slot)
{
    Link *link = link_at(&peer->links, slot);

    if (link->wants_update && link->phase == LINK_UP && peer->chord.phase == CHORD_JOINED) {
        link->wants_update = 0;
        chord_send_update(peer, slot, CHORD_UPDATE_FULL);
    }
}

static void chord_on_link_down(PealPeer *peer, uint16_t slot, const PealId *id,
                               PealDownReason reason)
{
    Chord *chord = &peer->chord;
    bool reactive = peer->overlay->maintenance == PEAL_MAINTENANCE_ON && peer->overlay->reactive &&
                    chord->phase == CHORD_JOINED;

    if (reason == PEAL_DOWN_DEAD || reason == PEAL_DOWN_CLOSED) {
        chord_bury(peer, id);
    }
    for (unsigned i = 1; i <= chord->fingers_len; i++) {
        if (chord->fingers[i - 1] == slot) {
            chord->fingers[i - 1] = LINK_NONE;
            if (reactive) {
                chord_seek_finger(peer, i);
            }
        }
    }
    link_at(&peer->links, slot)->finger = 0;
    chord_refresh(peer, reason != PEAL_DOWN_UNUSED);
}

static void chord_on_attached(PealPeer *peer, uint16_t purpose, const PealId *id, bool linked)
{
    uint16_t slot = linked ? link_find(peer, id) : LINK_NONE;

    if (purpose > CHORD_FOR_FINGER && slot != LINK_NONE) {
        chord_set_finger(peer, (unsigned)purpose - CHORD_FOR_FINGER, slot);
    }
    if (purpose == CHORD_FOR_NEIGHBOUR && !linked) {
        chord_bury(peer, id);
    }
    if (purpose == CHORD_FOR_MERGE && slot != LINK_NONE) {
        chord_send_update(peer, slot, CHORD_UPDATE_NEIGHBORS);
    }
    if (peer->chord.phase != CHORD_JOINED) {
        chord_join_on_attached(peer, purpose, id, linked);
    }
}

static void chord_on_request(PealPeer *peer, const Inbound *request)
{
    switch (request->message.code) {
    case RELOAD_JOIN_REQ:
        chord_on_join(peer, request);
        break;
    case RELOAD_LEAVE_REQ:
        chord_on_leave(peer, request);
        break;
    case RELOAD_UPDATE_REQ:
        chord_on_update(peer, request);
        break;
    default:
        chord_on_route_query(peer, request);
        break;
    }
}

static void chord_on_wake(PealPeer *peer, PealTime now)
{
    Chord *chord = &peer->chord;

    if (!peal_time_due(chord->deadline, now)) {
        return;
    }
    chord_join_on_wake(peer, now);
    chord_maintain_on_wake(peer, now);
    chord->deadline =
        peal_time_min(peal_time_min(peal_time_min(chord->update_at, chord->finger_at),
                                    peal_time_min(chord->partition_at, chord->settle_at)),
                      chord->join_at);
}

static PealTime chord_deadline(const PealPeer *peer)
{
    return peer->chord.deadline;
}

static void chord_found(PealPeer *peer)
{
    chord_joined(peer);
}

static void chord_converge(PealPeer *peer, PealRingView *view)
{
    uint32_t others = view->members_len - 1;
    uint32_t ahead = peer->overlay->successors;
    uint32_t behind = chord_side_max(peer, false);

    for (uint32_t i = 1; i <= others && i <= ahead; i++) {
        (void)!view->link(view, (view->self_rank + i) % view->members_len);
    }
    for (uint32_t i = 1; i <= others && i <= behind; i++) {
        (void)!view->link(view, (view->self_rank + view->members_len - i) % view->members_len);
    }
    for (unsigned i = 1; i <= peer->chord.fingers_len; i++) {
        PealId point = chord_finger_point(peer, i);
        uint32_t owner = view->owner(view, &point);

        if (owner != view->self_rank && view->link(view, owner)) {
            PealId id = view->member(view, owner);

            chord_set_finger(peer, i, link_find(peer, &id));
        }
    }
    chord_joined(peer);
    chord_refresh(peer, false);
    /* Nobody needs to be told. */
    peer->chord.settle_at = PEAL_TIME_NEVER;
    peer->chord.range_changed = false;
}

const TopologyOps CHORD_OPS = {.name = "CHORD-RELOAD",
                               .init = chord_init,
                               .fini = chord_fini,
                               .found = chord_found,
                               .leave = chord_leave,
                               .converge = chord_converge,
                               .renew = chord_seek_fingers,
                               .responsible = chord_responsible,
                               .next_hop = chord_next_hop,
                               .first_hops = chord_first_hops,
                               .replica_set = chord_replica_set,
                               .accepts_replica = chord_accepts_replica,
                               .holds = chord_holds,
                               .plausible = chord_plausible,
                               .doubt = chord_doubt,
                               .on_link_up = chord_on_link_up,
                               .on_link_down = chord_on_link_down,
                               .on_attached = chord_on_attached,
                               .on_update_wanted = chord_on_update_wanted,
                               .on_bootstrap = chord_on_bootstrap,
                               .on_request = chord_on_request,
                               .on_wake = chord_on_wake,
                               .deadline = chord_deadline,
                               .list = chord_list,
                               .responsible_ppb = chord_responsible_ppb};
