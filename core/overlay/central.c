/* SPDX-License-Identifier: GPL-3.0-or-later */
/* central.c - one server and its peers; see central.h. */
#include "overlay/central.h"

#include "peer.h"
#include "reload/codec.h"
#include "security/puzzle.h"

#define JOIN_PAUSE peal_seconds(1)

enum { PPB = 1000000000, LEAVE_BODY_MAX = 32 };

static void central_init(PealPeer *peer)
{
    peer->central = (Central){.deadline = PEAL_TIME_NEVER};
}

static void central_fini(PealPeer *peer)
{
    central_init(peer);
}

static void set_patience(PealPeer *peer, PealSpan patience)
{
    peer->central.deadline = peal_time_add(peer_now(peer), patience);
    peer_wake_by(peer, peer->central.deadline);
}

static void joined(PealPeer *peer)
{
    PealSpan took = peal_time_since(peer_now(peer), peer_started(peer));

    peer->central.phase = CENTRAL_JOINED;
    peer->central.deadline = PEAL_TIME_NEVER;
    peer->state = PEAL_PEER_JOINED;
    sip_joined(peer);
    peer_trace(peer, PEAL_TRACE_JOINED, 0, (uint32_t)(took.ns / PEAL_NS_PER_MS), 0, &peer->id);
}

static void central_found(PealPeer *peer)
{
    peer->central.is_server = true;
    peer->central.server = peer->id;
    joined(peer);
}

/* Joining. */

static void rejoin(PealPeer *peer)
{
    peer->central.phase = CENTRAL_SEEKING;
    peer->central.deadline = PEAL_TIME_NEVER;
    peer->state = PEAL_PEER_JOINING;
    bootstrap_seek(peer);
}

/* The same, but not at the pace of round trips: whoever refused this peer will do so again. */
static void rejoin_later(PealPeer *peer)
{
    peer->central.phase = CENTRAL_SEEKING;
    set_patience(peer, JOIN_PAUSE);
}

static void on_join_answer(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    (void)arg;
    if (peer->central.phase != CENTRAL_ASKING) {
        return;
    }
    if (result->status == 0 && link_find(peer, &peer->central.server) != LINK_NONE) {
        joined(peer);
    } else {
        rejoin_later(peer);
    }
}

/* Whoever is at the other end may be the server, or say that it is not. */
static void central_on_bootstrap(PealPeer *peer, uint16_t link)
{
    Central *central = &peer->central;
    const ReloadJoinReq join = {.joining = peer->id};
    uint8_t body[PEAL_ID_LEN + 2];
    Writer writer = writer_make(body, sizeof(body));

    if (central->is_server || central->phase >= CENTRAL_JOINED) {
        return;
    }
    put_join_req(&writer, &join);
    central->server = link_at(&peer->links, link)->id;
    central->phase = CENTRAL_ASKING;
    set_patience(peer, peer->overlay->request_lifetime);
    if (request_send(peer, &(RequestSpec){.code = RELOAD_JOIN_REQ,
                                          .to = central->server,
                                          .link = link,
                                          .body = writer_view(&writer),
                                          .done = on_join_answer}) != 0) {
        rejoin_later(peer);
    }
}

static void on_join(PealPeer *peer, const Inbound *request)
{
    uint8_t answer[2];
    Writer writer = writer_make(answer, sizeof(answer));
    ReloadJoinReq join;

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
    if (!peer->central.is_server || peer->central.phase != CENTRAL_JOINED) {
        request_refuse(peer, request, RELOAD_ERROR_NOT_FOUND, (PealBytes){NULL, 0});
        return;
    }
    /* Both sides may have opened one. */
    link_prefer(peer, request->link);
    put_join_ans(&writer, &(ReloadJoinAns){{NULL, 0}});
    request_answer(peer, request, writer_view(&writer));
}

/* Leaving. */

static void on_leave_answer(PealPeer *peer, uint64_t token, const RequestResult *result)
{
    (void)result;
    peer->central.deadline = PEAL_TIME_NEVER;
    peer_left(peer, token);
}

/* The server has nobody to tell: who is left behind finds out. */
static void central_leave(PealPeer *peer, uint64_t token)
{
    Central *central = &peer->central;
    uint16_t link = central->is_server ? LINK_NONE : link_find(peer, &central->server);
    const ReloadLeaveReq leave = {.leaving = peer->id};
    uint8_t body[LEAVE_BODY_MAX];
    Writer writer = writer_make(body, sizeof(body));
    bool told = false;

    central->phase = CENTRAL_LEAVING;
    central->leave_token = token;
    put_leave_req(&writer, &leave);
    PEAL_ASSERT(!writer.overflow);
    if (link != LINK_NONE) {
        told = request_send(peer, &(RequestSpec){.code = RELOAD_LEAVE_REQ,
                                                 .to = central->server,
                                                 .link = link,
                                                 .body = writer_view(&writer),
                                                 .done = on_leave_answer,
                                                 .arg = token}) == 0;
    }
    set_patience(peer, told ? peer->overlay->request_timeout : peal_ms(0));
}

static void on_leave(PealPeer *peer, const Inbound *request)
{
    ReloadLeaveReq leave;

    if (reload_leave_req_decode(request->message.body, &leave) != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
    } else if (!peal_id_equal(&leave.leaving, &request->signer)) {
        request_refuse(peer, request, RELOAD_ERROR_FORBIDDEN, (PealBytes){NULL, 0});
    } else {
        request_answer(peer, request, (PealBytes){NULL, 0});
    }
}

/* Updates and RouteQueries are about tables, of which there are none. */
static void central_on_request(PealPeer *peer, const Inbound *request)
{
    if (request->message.code == RELOAD_JOIN_REQ) {
        on_join(peer, request);
    } else if (request->message.code == RELOAD_LEAVE_REQ) {
        on_leave(peer, request);
    } else {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE, (PealBytes){NULL, 0});
    }
}

static void central_converge(PealPeer *peer, PealRingView *view)
{
    if (view->self_rank == view->first_rank) {
        central_found(peer);
        return;
    }
    if (view->link(view, view->first_rank)) {
        peer->central.server = view->member(view, view->first_rank);
        joined(peer);
    } else {
        rejoin(peer);
    }
}

static void central_renew(PealPeer *peer)
{
    (void)peer;
}

/* Routing. */

static bool central_responsible(const PealPeer *peer, const PealId *id)
{
    (void)id;
    return peer->central.is_server && peer->central.phase >= CENTRAL_JOINED;
}

/* What the server sends to a peer that is not its destination has nowhere else to go. */
static uint16_t central_next_hop(const PealPeer *peer, const PealId *id, uint16_t back)
{
    const Central *central = &peer->central;
    uint16_t link = LINK_NONE;

    (void)id;
    if (!central->is_server && central->phase >= CENTRAL_JOINED) {
        link = link_find(peer, &central->server);
    }
    return link != back ? link : LINK_NONE;
}

static size_t central_replica_set(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    (void)peer;
    (void)ret_ids;
    (void)max;
    return 0;
}

static bool central_accepts_replica(const PealPeer *peer, const PealId *resource,
                                    const PealId *sender)
{
    (void)sender;
    return central_responsible(peer, resource);
}

static bool central_plausible(const PealPeer *peer, const PealId *resource, const PealId *responder)
{
    (void)resource;
    return peal_id_equal(responder, &peer->central.server);
}

static void central_doubt(PealPeer *peer, const PealId *resource, const PealId *responder)
{
    (void)peer;
    (void)resource;
    (void)responder;
}

/* Links. */

static void central_on_link_up(PealPeer *peer, uint16_t link)
{
    bootstrap_on_link_up(peer, link);
    attach_on_link_up(peer, link);
}

static void central_on_link_down(PealPeer *peer, uint16_t link, const PealId *id,
                                 PealDownReason reason)
{
    const Central *central = &peer->central;

    (void)link;
    (void)reason;
    if (!central->is_server && peal_id_equal(id, &central->server) &&
        (central->phase == CENTRAL_ASKING || central->phase == CENTRAL_JOINED)) {
        rejoin(peer);
    }
}

static void central_on_attached(PealPeer *peer, uint16_t purpose, const PealId *id, bool linked)
{
    (void)peer;
    (void)purpose;
    (void)id;
    (void)linked;
}

static void central_on_update_wanted(PealPeer *peer, uint16_t link)
{
    link_at(&peer->links, link)->wants_update = 0;
}

static void central_on_wake(PealPeer *peer, PealTime now)
{
    Central *central = &peer->central;

    if (!peal_time_due(central->deadline, now)) {
        return;
    }
    central->deadline = PEAL_TIME_NEVER;
    if (central->phase == CENTRAL_LEAVING) {
        request_cancel(peer, on_leave_answer, central->leave_token);
        peer_left(peer, central->leave_token);
    } else if (central->phase == CENTRAL_SEEKING || central->phase == CENTRAL_ASKING) {
        rejoin(peer);
    }
}

static PealTime central_deadline(const PealPeer *peer)
{
    return peer->central.deadline;
}

/* A peer's one neighbour is the server; the server has none. */
static size_t central_list(const PealPeer *peer, TopologyList which, PealId *ret_ids, size_t max)
{
    const Central *central = &peer->central;

    if (which != TOPOLOGY_SUCCESSORS || max == 0 || central->is_server ||
        central->phase < CENTRAL_JOINED || link_find(peer, &central->server) == LINK_NONE) {
        return 0;
    }
    ret_ids[0] = central->server;
    return 1;
}

static uint32_t central_responsible_ppb(const PealPeer *peer)
{
    return central_responsible(peer, &peer->id) ? PPB : 0;
}

const TopologyOps CENTRAL_OPS = {.name = "X-CENTRAL",
                                 .init = central_init,
                                 .fini = central_fini,
                                 .found = central_found,
                                 .leave = central_leave,
                                 .converge = central_converge,
                                 .renew = central_renew,
                                 .responsible = central_responsible,
                                 .next_hop = central_next_hop,
                                 .replica_set = central_replica_set,
                                 .accepts_replica = central_accepts_replica,
                                 .holds = central_responsible,
                                 .plausible = central_plausible,
                                 .doubt = central_doubt,
                                 .on_link_up = central_on_link_up,
                                 .on_link_down = central_on_link_down,
                                 .on_attached = central_on_attached,
                                 .on_update_wanted = central_on_update_wanted,
                                 .on_bootstrap = central_on_bootstrap,
                                 .on_request = central_on_request,
                                 .on_wake = central_on_wake,
                                 .deadline = central_deadline,
                                 .list = central_list,
                                 .responsible_ppb = central_responsible_ppb};
