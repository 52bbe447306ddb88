/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chord_maintain.c - keeping the ring and the fingers true; see chord.h. Source: RFC 6940 s.10.7,
 * s.10.8. */
#include "overlay/chord.h"

#include "overlay/guard.h"
#include "peer.h"
#include "reload/codec.h"

enum {
    SIDE_MAX = PEAL_NEIGHBOURS_MAX * PEAL_ID_LEN,
    UPDATE_BODY_MAX = 16 + 2 * SIDE_MAX + PEAL_FINGERS_MAX * PEAL_ID_LEN,
    QUERY_BODY_MAX = 32,
    PPM = 1000000,
    EXPONENTIAL_MAX = 64 /* means; more has a probability of e^-64 */
};

static uint32_t uptime_s(PealPeer *peer)
{
    return (uint32_t)(peal_time_since(peer_now(peer), peer_started(peer)).ns / PEAL_NS_PER_S);
}

/* Updates. */

/* An Update that nobody answers means a dead neighbour, where the link itself cannot tell. */
static void on_update_answer(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    PealFlow flow = {(uint16_t)arg, (uint16_t)(arg >> 16)};

    if (!link_valid(&peer->links, flow)) {
        return;
    }
    if (result->status == -PEAL_E_TIMEOUT) {
        link_close(peer, flow.index, PEAL_DOWN_DEAD);
    } else if (!link_at(&peer->links, flow.index)->ready) {
        /* An Update of its own, if it is in the ring, came before. A former life may have been a
         * neighbour. */
        chord_refresh(peer, false);
    }
}

/* s.10.7: numerically ascending. The index runs clockwise from this peer, so it starts where the
 * ring wraps. */
static void put_fingers(const PealPeer *peer, Writer *writer)
{
    const Links *links = &peer->links;
    const PealId zero = {{0}};
    uint16_t start = link_rank(peer, &zero);

    for (uint16_t i = 0; i < links->index_len; i++) {
        const Link *link = link_at(links, links->slot[(start + i) % links->index_len]);

        if (link->finger && link->ready) {
            put_id(writer, &link->id);
        }
    }
}

/* It says that this peer may be routed through, so only one that has joined says it (s.6.5.1). */
void chord_send_update(PealPeer *peer, uint16_t slot, uint8_t type)
{
    uint8_t predecessors[SIDE_MAX];
    uint8_t successors[SIDE_MAX];
    uint8_t fingers[PEAL_FINGERS_MAX * PEAL_ID_LEN];
    uint8_t body[UPDATE_BODY_MAX];
    Writer before = writer_make(predecessors, sizeof(predecessors));
    Writer after = writer_make(successors, sizeof(successors));
    Writer across = writer_make(fingers, sizeof(fingers));
    Writer writer = writer_make(body, sizeof(body));
    ChordUpdate update = {.uptime_s = uptime_s(peer), .type = type};
    const Link *link = link_at(&peer->links, slot);

    if (peer->chord.phase != CHORD_JOINED) {
        return;
    }
    if (type != CHORD_UPDATE_PEER_READY) {
        chord_put_side(peer, &before, false);
        chord_put_side(peer, &after, true);
        update.predecessors = writer_view(&before);
        update.successors = writer_view(&after);
    }
    if (type == CHORD_UPDATE_FULL) {
        put_fingers(peer, &across);
        update.fingers = writer_view(&across);
    }
    put_chord_update(&writer, &update);
    PEAL_ASSERT(!writer.overflow);
    /* With too much outstanding already, this Update is left to the next round. */
    (void)!request_send(peer, &(RequestSpec){.code = RELOAD_UPDATE_REQ,
                                             .to = link->id,
                                             .link = slot,
                                             .body = writer_view(&writer),
                                             .done = on_update_answer,
                                             .arg = slot | (uint64_t)link->generation << 16});
}

/* Non-neighbours need only hear that this peer is there (s.10.7: peer_ready). */
void chord_tell(PealPeer *peer)
{
    Chord *chord = &peer->chord;

    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        const Link *link = link_at(&peer->links, slot);

        if (!link->indexed) {
            continue;
        }
        if (link->neighbour) {
            chord_send_update(peer, slot, CHORD_UPDATE_NEIGHBORS);
        } else if (chord->range_changed) {
            chord_send_update(peer, slot, CHORD_UPDATE_PEER_READY);
        }
    }
    chord->range_changed = false;
}

void chord_learn(PealPeer *peer, const PealId *id, const PealId *teller)
{
    uint16_t link = link_find(peer, id);
    AttachSpec spec = {.to = *id, .link = link, .purpose = CHORD_FOR_NEIGHBOUR};

    /* Most of what is told is known; then there is nothing to work out. */
    if ((link != LINK_NONE && link_at(&peer->links, link)->ready) || peal_id_equal(id, &peer->id) ||
        chord_buried(peer, id) || !chord_wants_neighbour(peer, id) || !guard_allows(peer, id)) {
        return;
    }
    if (link == LINK_NONE) {
        spec.through = teller;
    }
    attach_begin(peer, &spec);
}

void chord_learn_all(PealPeer *peer, PealBytes ids, const PealId *teller)
{
    PealId id;

    while (reload_id_next(&ids, &id)) {
        chord_learn(peer, &id, teller);
    }
}

static bool names(PealBytes ids, const PealId *who)
{
    PealId id;

    while (reload_id_next(&ids, &id)) {
        if (peal_id_equal(&id, who)) {
            return true;
        }
    }
    return false;
}

/* Neighbours between the immediate one and the last that it names, which it does not name: they may
 * have died, and nobody but who is next to them would know. */
static void doubt_unnamed(PealPeer *peer, const PealId *immediate, PealBytes named, bool successors)
{
    PealFlow flows[PEAL_NEIGHBOURS_MAX];
    unsigned flows_len = 0;
    PealId last = *immediate;

    for (PealBytes rest = named; reload_id_next(&rest, &last);) {
    }
    for (unsigned i = 1; i < chord_side_max(peer, successors); i++) {
        uint16_t slot = chord_ready(peer, i, successors);
        const Link *link;

        if (slot == LINK_NONE) {
            break;
        }
        link = link_at(&peer->links, slot);
        if (!names(named, &link->id) &&
            peal_id_in_open_closed(&link->id, successors ? immediate : &last,
                                   successors ? &last : immediate)) {
            flows[flows_len++] = (PealFlow){slot, link->generation};
        }
    }
    for (unsigned i = 0; i < flows_len; i++) {
        if (link_valid(&peer->links, flows[i])) {
            chord_ping(peer, flows[i].index);
        }
    }
}

static bool is_immediate(const PealPeer *peer, const PealId *id, bool successors)
{
    uint16_t slot = chord_ready(peer, 0, successors);

    return slot != LINK_NONE && peal_id_equal(&link_at(&peer->links, slot)->id, id);
}

/* Who stabilises has its further neighbours from the immediate ones: what those do not know is not
 * there. */
static void follow(PealPeer *peer, const PealId *sender, const ChordUpdate *update)
{
    if (is_immediate(peer, sender, true)) {
        doubt_unnamed(peer, sender, update->successors, true);
    }
    if (is_immediate(peer, sender, false)) {
        doubt_unnamed(peer, sender, update->predecessors, false);
    }
}

static void set_ready(PealPeer *peer, uint16_t slot)
{
    uint16_t indexed = link_find(peer, &link_at(&peer->links, slot)->id);

    link_at(&peer->links, slot)->ready = 1;
    if (indexed != LINK_NONE && !link_at(&peer->links, indexed)->ready) {
        link_prefer(peer, slot);
    }
    chord_refresh(peer, false);
}

void chord_on_update(PealPeer *peer, const Inbound *request)
{
    const PealId sender = request->signer;
    ChordUpdate update;

    if (reload_chord_update_decode(request->message.body, &update) != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
        return;
    }
    if (request->link == LINK_NONE ||
        !peal_id_equal(&link_at(&peer->links, request->link)->id, &sender)) {
        request_refuse(peer, request, RELOAD_ERROR_FORBIDDEN, (PealBytes){NULL, 0});
        return;
    }
    request_answer(peer, request, (PealBytes){NULL, 0});
    if (!link_at(&peer->links, request->link)->ready) {
        if (!guard_admits(peer, &sender)) {
            return;
        }
        set_ready(peer, request->link);
    }
    guard_on_update(peer, &sender, &update);
    chord_learn_all(peer, update.predecessors, &sender);
    chord_learn_all(peer, update.successors, &sender);
    chord_learn_all(peer, update.fingers, &sender);
    if (peer->overlay->maintenance == PEAL_MAINTENANCE_STABILISE) {
        follow(peer, &sender, &update);
    }
    if (peer->chord.phase != CHORD_JOINED) {
        chord_join_on_update(peer, &sender, names(update.predecessors, &peer->id));
    }
}

void chord_on_route_query(PealPeer *peer, const Inbound *request)
{
    ReloadRouteQueryReq query;
    uint8_t answer[PEAL_ID_LEN];
    Writer writer = writer_make(answer, sizeof(answer));
    ChordRouteQueryAns next = {.next = peer->id};

    if (reload_route_query_req_decode(request->message.body, &query) != 0 ||
        (query.dest.type != RELOAD_DEST_NODE &&
         (query.dest.type != RELOAD_DEST_RESOURCE || query.dest.opaque.len != PEAL_ID_LEN))) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
        return;
    }
    if (!peal_id_equal(&query.dest.id, &peer->id) &&
        !peer->topology->responsible(peer, &query.dest.id)) {
        uint16_t link = peer->topology->next_hop(peer, &query.dest.id, LINK_NONE);

        if (link != LINK_NONE) {
            next.next = link_at(&peer->links, link)->id;
        }
    }
    put_chord_route_query_ans(&writer, &next);
    request_answer(peer, request, writer_view(&writer));
    if (query.send_update && request->link != LINK_NONE) {
        chord_send_update(peer, request->link, CHORD_UPDATE_FULL);
    }
}

/* Fingers. */

/* A point that lies before the last successor belongs to one of them: no message is needed to find
 * it. */
static uint16_t owner_among_successors(const PealPeer *peer, const PealId *point)
{
    for (unsigned i = 0; i < peer->overlay->successors; i++) {
        uint16_t slot = chord_ready(peer, i, true);

        if (slot == LINK_NONE) {
            return LINK_NONE;
        }
        if (peal_id_in_open_closed(point, &peer->id, &link_at(&peer->links, slot)->id)) {
            return slot;
        }
    }
    return LINK_NONE;
}

void chord_seek_finger(PealPeer *peer, unsigned i)
{
    PealId point = chord_finger_point(peer, i);
    uint16_t known = owner_among_successors(peer, &point);
    uint16_t way = LINK_NONE;

    if (known != LINK_NONE) {
        chord_set_finger(peer, i, known);
        return;
    }
    if (attach_wanting(peer, (uint16_t)(CHORD_FOR_FINGER + i)) > 0) {
        return;
    }
    if (peer->chord.phase != CHORD_JOINED) {
        way = link_find(peer, &peer->chord.admitting);
    }
    attach_begin(peer, &(AttachSpec){.to = point,
                                     .to_resource = true,
                                     .link = way,
                                     .purpose = (uint16_t)(CHORD_FOR_FINGER + i)});
}

/* s.10.5 step 3: the desired fingers. What lies before the last known successor needs no Attach of
 * its own. */
void chord_seek_fingers(PealPeer *peer)
{
    for (unsigned i = 1; i <= peer->chord.fingers_len; i++) {
        chord_seek_finger(peer, i);
    }
}

/* s.10.7.4.2: an entry is valid while it lies in its range, which is where the way to it has i - 1
 * leading zeros. The ring grows, and the owner of a point then is not the owner now. */
static bool finger_is_valid(const PealPeer *peer, unsigned i)
{
    uint16_t slot = peer->chord.fingers[i - 1];
    PealIdHalves way;

    if (slot == LINK_NONE) {
        return false;
    }
    way = peal_id_distance(&peer->id, &link_at(&peer->links, slot)->id);
    if (way.high != 0) {
        return (unsigned)__builtin_clzll(way.high) == i - 1;
    }
    return way.low != 0 && (unsigned)__builtin_clzll(way.low) + 64 == i - 1;
}

/* s.10.7.4.2, alternative 1: of the invalid entries each is tried with probability one half, from
 * the half ring down. An exact finger is the owner of its range's start, who changes when somebody
 * joins before him: those are all looked up anew. */
static void refresh_fingers(PealPeer *peer)
{
    Chord *chord = &peer->chord;
    uint64_t coins = peer_random(peer, PEAL_DRAW_FINGER);
    bool exact = peer->overlay->finger_choice == PEAL_FINGER_EXACT;

    for (unsigned i = 1; i <= chord->fingers_len; i++) {
        if (exact || (!finger_is_valid(peer, i) && (coins >> (i % 64) & 1) != 0)) {
            chord_seek_finger(peer, i);
        }
    }
}

/* A link over which nothing came since the last look is asked for a sign of life: peer_ready is
 * also the connectivity check of non-neighbours (s.10.7). One whose other side has not even named
 * itself is closed. */
static void check_silent_links(PealPeer *peer)
{
    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        const Link *link = link_at(&peer->links, slot);

        if (link->phase == LINK_UP && !link->heard) {
            chord_send_update(peer, slot, CHORD_UPDATE_PEER_READY);
        } else if (link->phase == LINK_NAMING && !link->heard) {
            link_close(peer, slot, PEAL_DOWN_UNUSED);
        }
        link_at(&peer->links, slot)->heard = 0;
    }
}

/* Periods. */

static PealTime offset_by_draw(PealPeer *peer, PealSpan interval)
{
    uint64_t us = peal_random_below(peer_random(peer, PEAL_DRAW_TIMER),
                                    (uint64_t)(interval.ns / PEAL_NS_PER_US) + 1);

    return peal_time_add(peer_now(peer), peal_us((int64_t)us));
}

/* An exponential draw of mean 2^32 (von Neumann, Various techniques used in connection with random
 * digits, 1951): runs of falling uniforms, of which every even one adds 1 to the whole part. */
static uint64_t exponential(PealPeer *peer)
{
    for (uint64_t whole = 0; whole < EXPONENTIAL_MAX; whole++) {
        uint64_t first = peer_random(peer, PEAL_DRAW_TIMER);
        uint64_t least = first;
        unsigned len = 1;

        for (uint64_t next; (next = peer_random(peer, PEAL_DRAW_TIMER)) < least; len++) {
            least = next;
        }
        if (len % 2 == 1) {
            return (whole << 32) + (first >> 32);
        }
    }
    return (uint64_t)EXPONENTIAL_MAX << 32;
}

static PealSpan next_interval(PealPeer *peer)
{
    PealSpan mean = peer->overlay->update_interval;

    switch (peer->overlay->update_spread) {
    case PEAL_SPREAD_UNIFORM:
        return (PealSpan){
            mean.ns / 2 +
            (int64_t)peal_random_below(peer_random(peer, PEAL_DRAW_TIMER), (uint64_t)mean.ns + 1)};
    case PEAL_SPREAD_EXPONENTIAL:
        return (PealSpan){
            (int64_t)(((unsigned __int128)exponential(peer) * (uint64_t)mean.ns) >> 32)};
    default:
        return mean;
    }
}

void chord_start_timers(PealPeer *peer)
{
    Chord *chord = &peer->chord;
    const PealOverlay *overlay = peer->overlay;

    if (overlay->maintenance == PEAL_MAINTENANCE_OFF) {
        return;
    }
    chord->update_at = overlay->update_spread == PEAL_SPREAD_EXPONENTIAL
                           ? peal_time_add(peer_now(peer), next_interval(peer))
                           : offset_by_draw(peer, overlay->update_interval);
    chord_watch(peer, chord->update_at);
    if (overlay->maintenance == PEAL_MAINTENANCE_STABILISE) {
        return;
    }
    chord->finger_at = offset_by_draw(peer, overlay->finger_interval);
    chord_watch(peer, chord->finger_at);
    if (peer->bootstrap.addrs_len > 0) {
        chord->partition_at = offset_by_draw(peer, overlay->partition_interval);
        chord_watch(peer, chord->partition_at);
    }
}

void chord_stop_timers(PealPeer *peer)
{
    Chord *chord = &peer->chord;

    chord->update_at = PEAL_TIME_NEVER;
    chord->finger_at = PEAL_TIME_NEVER;
    chord->partition_at = PEAL_TIME_NEVER;
    chord->settle_at = PEAL_TIME_NEVER;
}

static void update_neighbours(PealPeer *peer)
{
    if (peer->overlay->update_to == PEAL_UPDATE_IMMEDIATE) {
        uint16_t after = chord_ready(peer, 0, true);
        uint16_t before = chord_ready(peer, 0, false);

        if (after != LINK_NONE) {
            chord_send_update(peer, after, CHORD_UPDATE_NEIGHBORS);
        }
        if (before != LINK_NONE && before != after) {
            chord_send_update(peer, before, CHORD_UPDATE_NEIGHBORS);
        }
        return;
    }
    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        if (link_at(&peer->links, slot)->indexed && link_at(&peer->links, slot)->neighbour) {
            chord_send_update(peer, slot, CHORD_UPDATE_NEIGHBORS);
        }
    }
}

/* What the other side of a link knows comes as an Update (s.10.8). */
void chord_ask_update(PealPeer *peer, uint16_t slot)
{
    const PealId id = link_at(&peer->links, slot)->id;
    const ReloadRouteQueryReq query = {.send_update = true,
                                       .dest = {.type = RELOAD_DEST_NODE, .id = id}};
    uint8_t body[QUERY_BODY_MAX];
    Writer writer = writer_make(body, sizeof(body));

    put_route_query_req(&writer, &query);
    PEAL_ASSERT(!writer.overflow);
    (void)!request_send(peer, &(RequestSpec){.code = RELOAD_ROUTE_QUERY_REQ,
                                             .to = id,
                                             .link = slot,
                                             .body = writer_view(&writer)});
}

/* Who stabilises tells its successor every round; one that does not may be dead. */
static void check_predecessor(PealPeer *peer)
{
    uint16_t before = chord_ready(peer, 0, false);

    if (before == LINK_NONE) {
        return;
    }
    if (!link_at(&peer->links, before)->heard) {
        chord_ping(peer, before);
    }
    link_at(&peer->links, before)->heard = 0;
}

/* The immediate successor is notified, and asked for its predecessors and successors. */
static void stabilise_successor(PealPeer *peer)
{
    uint16_t after = chord_ready(peer, 0, true);

    if (after != LINK_NONE) {
        chord_send_update(peer, after, CHORD_UPDATE_NEIGHBORS);
        chord_ask_update(peer, after);
    }
    check_predecessor(peer);
}

/* One round of Chord's own stabilisation. With a share for the successor, rounds are independent of
 * each other, as theories of churn have them (Krishnamurthy et al., IPTPS 2005). */
static void stabilise(PealPeer *peer)
{
    Chord *chord = &peer->chord;
    uint32_t share_ppm = peer->overlay->stabilise_share_ppm;
    bool both = share_ppm == 0;
    bool successor =
        both || peal_random_below(peer_random(peer, PEAL_DRAW_FINGER), PPM) < share_ppm;

    if (successor) {
        stabilise_successor(peer);
    }
    if (chord->fingers_len > 0 && (both || !successor)) {
        uint64_t last =
            both ? chord->next_stabilised
                 : peal_random_below(peer_random(peer, PEAL_DRAW_FINGER), chord->fingers_len);

        chord->next_stabilised = (uint8_t)(last % chord->fingers_len + 1);
        chord_seek_finger(peer, chord->next_stabilised);
    }
}

static void on_update_timer(PealPeer *peer, PealTime now)
{
    peer->chord.update_at = peal_time_add(now, next_interval(peer));
    if (peer->overlay->maintenance == PEAL_MAINTENANCE_STABILISE) {
        stabilise(peer);
    } else {
        update_neighbours(peer);
    }
}

void chord_maintain_on_wake(PealPeer *peer, PealTime now)
{
    Chord *chord = &peer->chord;

    if (peal_time_due(chord->settle_at, now)) {
        chord->settle_at = PEAL_TIME_NEVER;
        chord_tell(peer);
    }
    if (peal_time_due(chord->update_at, now)) {
        on_update_timer(peer, now);
    }
    if (peal_time_due(chord->finger_at, now)) {
        chord->finger_at = peal_time_add(now, peer->overlay->finger_interval);
        refresh_fingers(peer);
        guard_refresh(peer, GUARD_REFRESH);
        check_silent_links(peer);
    }
    if (peal_time_due(chord->partition_at, now)) {
        chord->partition_at = peal_time_add(now, peer->overlay->partition_interval);
        bootstrap_seek(peer);
    }
}

/* Partitions. */

/* Somebody who is not my successor answers for the point after me: there is another ring, or this
 * one has grown. */
static void on_probe_answer(PealPeer *peer, uint64_t link, const RequestResult *result)
{
    const PealId *other;
    PealFlow flow = {(uint16_t)link, (uint16_t)(link >> 16)};
    uint16_t successor = chord_ready(peer, 0, true);

    if (result->status != 0) {
        return;
    }
    other = &result->answer->signer;
    if (peal_id_equal(other, &peer->id) ||
        (successor != LINK_NONE && peal_id_equal(other, &link_at(&peer->links, successor)->id))) {
        return;
    }
    peer_trace(peer, PEAL_TRACE_PARTITION_SEEN, 0, 0, result->transaction, other);
    attach_begin(peer,
                 &(AttachSpec){.to = *other,
                               .link = link_valid(&peer->links, flow) ? flow.index : LINK_NONE,
                               .purpose = CHORD_FOR_MERGE});
}

void chord_ping(PealPeer *peer, uint16_t link)
{
    uint8_t body[2];
    Writer writer = writer_make(body, sizeof(body));

    put_ping_req(&writer, &(ReloadPingReq){{NULL, 0}});
    (void)!request_send(peer, &(RequestSpec){.code = RELOAD_PING_REQ,
                                             .to = link_at(&peer->links, link)->id,
                                             .link = link,
                                             .body = writer_view(&writer)});
}

void chord_probe_partition(PealPeer *peer, uint16_t link)
{
    uint8_t body[2];
    Writer writer = writer_make(body, sizeof(body));

    put_ping_req(&writer, &(ReloadPingReq){{NULL, 0}});
    (void)!request_send(peer,
                        &(RequestSpec){.code = RELOAD_PING_REQ,
                                       .to = peal_id_successor_point(&peer->id),
                                       .to_resource = true,
                                       .link = link,
                                       .body = writer_view(&writer),
                                       .done = on_probe_answer,
                                       .arg =
                                           link | (uint64_t)link_at(&peer->links, link)->generation
                                                      << 16});
}
