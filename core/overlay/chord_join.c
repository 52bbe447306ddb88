/* SPDX-License-Identifier: GPL-3.0-or-later */
/* chord_join.c - joining the ring, admitting joiners, leaving; see chord.h. Source: RFC 6940
 * s.10.5, s.10.9. */
#include "overlay/chord.h"

#include "overlay/guard.h"
#include "peer.h"
#include "reload/codec.h"
#include "security/puzzle.h"

#define JOIN_PAUSE peal_seconds(1)

enum { LEAVE_BODY_MAX = 64 + PEAL_NEIGHBOURS_MAX * PEAL_ID_LEN };

static void set_patience(PealPeer *peer, PealSpan patience)
{
    peer->chord.join_at = peal_time_add(peer_now(peer), patience);
    chord_watch(peer, peer->chord.join_at);
}

/* From the start again, through another bootstrap peer perhaps. */
void chord_rejoin(PealPeer *peer)
{
    peer->chord.phase = CHORD_SEEKING;
    peer->chord.join_at = PEAL_TIME_NEVER;
    chord_stop_timers(peer);
    peer->state = PEAL_PEER_JOINING;
    bootstrap_seek(peer);
}

/* The same, but not at the pace of round trips: what refused this peer will do so again for a
 * while. */
static void rejoin_later(PealPeer *peer)
{
    peer->chord.phase = CHORD_SEEKING;
    set_patience(peer, JOIN_PAUSE);
}

void chord_on_bootstrap(PealPeer *peer, uint16_t link)
{
    Chord *chord = &peer->chord;

    if (chord->phase == CHORD_JOINED) {
        chord_probe_partition(peer, link);
        return;
    }
    if (chord->phase == CHORD_LEAVING) {
        return;
    }
    chord->phase = CHORD_FINDING;
    set_patience(peer, peer->overlay->request_lifetime);
    attach_begin(peer, &(AttachSpec){.to = peal_id_successor_point(&peer->id),
                                     .to_resource = true,
                                     .link = link,
                                     .purpose = CHORD_FOR_ADMISSION});
}

static void on_join_answer(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    (void)arg;
    if (result->status != 0 && peer->chord.phase == CHORD_ASKING) {
        rejoin_later(peer);
    }
}

static void ask_admission(PealPeer *peer)
{
    Chord *chord = &peer->chord;
    uint16_t link = link_find(peer, &chord->admitting);
    const ReloadJoinReq join = {.joining = peer->id};
    uint8_t body[PEAL_ID_LEN + 2];
    Writer writer = writer_make(body, sizeof(body));

    put_join_req(&writer, &join);
    if (link == LINK_NONE || request_send(peer, &(RequestSpec){.code = RELOAD_JOIN_REQ,
                                                               .to = chord->admitting,
                                                               .link = link,
                                                               .body = writer_view(&writer),
                                                               .done = on_join_answer}) != 0) {
        rejoin_later(peer);
        return;
    }
    chord->phase = CHORD_ASKING;
    set_patience(peer, peer->overlay->request_lifetime);
}

static void gather(PealPeer *peer)
{
    peer->chord.phase = CHORD_GATHERING;
    chord_seek_fingers(peer);
    set_patience(peer, (PealSpan){2 * peer->overlay->request_timeout.ns});
    if (attach_wanting(peer, CHORD_FOR_NEIGHBOUR) == 0) {
        ask_admission(peer);
    }
}

void chord_join_on_attached(PealPeer *peer, uint16_t purpose, const PealId *id, bool linked)
{
    Chord *chord = &peer->chord;

    if (chord->phase == CHORD_FINDING && purpose == CHORD_FOR_ADMISSION) {
        uint16_t link = linked ? link_find(peer, id) : LINK_NONE;

        if (link == LINK_NONE) {
            rejoin_later(peer);
            return;
        }
        chord->admitting = *id;
        /* Its Update goes straight, and may have overtaken the answer that says who admits. */
        if (link_at(&peer->links, link)->ready) {
            gather(peer);
        }
        return;
    }
    if (chord->phase == CHORD_GATHERING && purpose == CHORD_FOR_NEIGHBOUR &&
        attach_wanting(peer, CHORD_FOR_NEIGHBOUR) == 0) {
        ask_admission(peer);
    }
}

void chord_join_on_update(PealPeer *peer, const PealId *from, bool named)
{
    Chord *chord = &peer->chord;

    if (!peal_id_equal(from, &chord->admitting) || attach_wanting(peer, CHORD_FOR_ADMISSION) > 0) {
        return;
    }
    if (chord->phase == CHORD_FINDING) {
        gather(peer);
    } else if (chord->phase == CHORD_ASKING && named) {
        chord_joined(peer);
        /* The same neighbours mean more to a peer that answers for a range. */
        chord->neighbours = 0;
        chord_refresh(peer, false);
        /* Chord's joiner is known to its successor, and to others by stabilisation alone. */
        if (peer->overlay->maintenance != PEAL_MAINTENANCE_STABILISE) {
            chord_tell(peer);
        }
        chord->settle_at = PEAL_TIME_NEVER;
    }
}

static void on_leave_answer(PealPeer *peer, uint64_t token, const RequestResult *result)
{
    (void)result;
    peer->chord.leaves--;
    if (peer->chord.leaves == 0) {
        peer->chord.join_at = PEAL_TIME_NEVER;
        peer_left(peer, token);
    }
}

void chord_join_on_wake(PealPeer *peer, PealTime now)
{
    Chord *chord = &peer->chord;

    if (!peal_time_due(chord->join_at, now)) {
        return;
    }
    chord->join_at = PEAL_TIME_NEVER;
    switch (chord->phase) {
    case CHORD_GATHERING:
        ask_admission(peer);
        break;
    case CHORD_SEEKING:
    case CHORD_FINDING:
    case CHORD_ASKING:
        chord_rejoin(peer);
        break;
    case CHORD_LEAVING:
        request_cancel(peer, on_leave_answer, chord->leave_token);
        peer_left(peer, chord->leave_token);
        break;
    default:
        break;
    }
}

void chord_joined(PealPeer *peer)
{
    Chord *chord = &peer->chord;
    PealSpan took = peal_time_since(peer_now(peer), peer_started(peer));

    chord->phase = CHORD_JOINED;
    chord->join_at = PEAL_TIME_NEVER;
    peer->state = PEAL_PEER_JOINED;
    sip_joined(peer);
    peer_trace(peer, PEAL_TRACE_JOINED, 0, (uint32_t)(took.ns / PEAL_NS_PER_MS), 0, &peer->id);
    chord_start_timers(peer);
    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        if (link_at(&peer->links, slot)->phase == LINK_UP) {
            peer->topology->on_update_wanted(peer, slot);
        }
    }
}

/* There may be two links to it. */
static void set_unready(PealPeer *peer, const PealId *id)
{
    for (uint16_t slot = 0; slot < peer->links.links_cap; slot++) {
        if (peal_id_equal(&link_at(&peer->links, slot)->id, id)) {
            link_at(&peer->links, slot)->ready = 0;
        }
    }
}

/* s.10.5 steps 5 to 8. */
void chord_on_join(PealPeer *peer, const Inbound *request)
{
    Chord *chord = &peer->chord;
    uint8_t answer[2];
    Writer writer = writer_make(answer, sizeof(answer));
    ReloadJoinReq join;
    uint16_t predecessor;
    PealId before;

    if (reload_join_req_decode(request->message.body, &join) != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
        return;
    }
    if (request->link == LINK_NONE || !puzzle_passes(peer, request) ||
        !peal_id_equal(&join.joining, &request->signer) ||
        !peal_id_equal(&join.joining, &link_at(&peer->links, request->link)->id)) {
        request_refuse(peer, request, RELOAD_ERROR_FORBIDDEN, (PealBytes){NULL, 0});
        return;
    }
    /* One that is back before it was missed still has its place, but nothing of what it stored. */
    set_unready(peer, &join.joining);
    link_prefer(peer, request->link);
    chord_refresh(peer, false);
    if (chord->phase != CHORD_JOINED || !peer->topology->responsible(peer, &join.joining)) {
        request_refuse(peer, request, RELOAD_ERROR_NOT_FOUND, (PealBytes){NULL, 0});
        return;
    }
    if (!guard_admits(peer, &join.joining)) {
        request_refuse(peer, request, RELOAD_ERROR_FORBIDDEN, (PealBytes){NULL, 0});
        return;
    }
    predecessor = chord_ready(peer, 0, false);
    before = predecessor == LINK_NONE ? peer->id : link_at(&peer->links, predecessor)->id;
    put_join_ans(&writer, &(ReloadJoinAns){{NULL, 0}});
    request_answer(peer, request, writer_view(&writer));
    storage_hand_over(peer, &join.joining, &before, &join.joining);
    link_at(&peer->links, request->link)->ready = 1;
    chord_refresh(peer, false);
    chord_send_update(peer, request->link, CHORD_UPDATE_NEIGHBORS);
}

/* Leaving. */

/* A neighbour after this peer has it as predecessor, and hears the predecessors; one before it the
 * successors. */
static void say_leave(PealPeer *peer, uint16_t slot, bool to_successor)
{
    uint8_t ids[PEAL_NEIGHBOURS_MAX * PEAL_ID_LEN];
    uint8_t data[sizeof(ids) + 8];
    uint8_t body[LEAVE_BODY_MAX];
    Writer ids_writer = writer_make(ids, sizeof(ids));
    Writer data_writer = writer_make(data, sizeof(data));
    Writer writer = writer_make(body, sizeof(body));
    ChordLeave leave = {.type = to_successor ? CHORD_LEAVE_FROM_PRED : CHORD_LEAVE_FROM_SUCC};
    ReloadLeaveReq request = {.leaving = peer->id};

    chord_put_side(peer, &ids_writer, !to_successor);
    leave.ids = writer_view(&ids_writer);
    put_chord_leave(&data_writer, &leave);
    request.data = writer_view(&data_writer);
    put_leave_req(&writer, &request);
    PEAL_ASSERT(!data_writer.overflow && !writer.overflow);
    if (request_send(peer, &(RequestSpec){.code = RELOAD_LEAVE_REQ,
                                          .to = link_at(&peer->links, slot)->id,
                                          .link = slot,
                                          .body = writer_view(&writer),
                                          .done = on_leave_answer,
                                          .arg = peer->chord.leave_token}) == 0) {
        peer->chord.leaves++;
    }
}

void chord_leave(PealPeer *peer, uint64_t token)
{
    Chord *chord = &peer->chord;
    Links *links = &peer->links;
    uint16_t told = 0; /* links of lower rank have heard it */

    chord->phase = CHORD_LEAVING;
    chord->leave_token = token;
    chord->leaves = 0;
    chord_stop_timers(peer);
    storage_leave(peer);
    for (unsigned i = 0; i < chord_side_max(peer, true); i++) {
        uint16_t slot = chord_ready(peer, i, true);

        if (slot != LINK_NONE) {
            say_leave(peer, slot, true);
            told = (uint16_t)(link_rank(peer, &link_at(links, slot)->id) + 1);
        }
    }
    /* In a small ring the same peers are found on both sides: each hears it once. */
    for (unsigned i = 0; i < chord_side_max(peer, false); i++) {
        uint16_t slot = chord_ready(peer, i, false);

        if (slot != LINK_NONE && link_rank(peer, &link_at(links, slot)->id) >= told) {
            say_leave(peer, slot, false);
        }
    }
    set_patience(peer, chord->leaves > 0 ? peer->overlay->request_timeout : peal_ms(0));
}

void chord_on_leave(PealPeer *peer, const Inbound *request)
{
    ReloadLeaveReq leave;
    ChordLeave data;

    if (reload_leave_req_decode(request->message.body, &leave) != 0 ||
        reload_chord_leave_decode(leave.data, &data) != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
        return;
    }
    if (request->link == LINK_NONE || !peal_id_equal(&leave.leaving, &request->signer) ||
        !peal_id_equal(&leave.leaving, &link_at(&peer->links, request->link)->id)) {
        request_refuse(peer, request, RELOAD_ERROR_FORBIDDEN, (PealBytes){NULL, 0});
        return;
    }
    request_answer(peer, request, (PealBytes){NULL, 0});
    chord_bury(peer, &leave.leaving);
    set_unready(peer, &leave.leaving);
    for (unsigned i = 1; i <= peer->chord.fingers_len; i++) {
        if (peer->chord.fingers[i - 1] == request->link) {
            chord_set_finger(peer, i, LINK_NONE);
        }
    }
    chord_refresh(peer, true);
    chord_learn_all(peer, data.ids, &leave.leaving);
}
