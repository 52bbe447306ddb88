/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy_branch.c - the way of one branch: to a hop, and on to the next when that fails (RFC 3261
 * s.16.6 step 7, s.16.9; RFC 3263 s.4). */
#include "sip/arena.h"
#include "sip/proxy_state.h"

void proxy_branch_spare(ProxyContext *context, const ProxyBranch *branch)
{
    for (uint32_t i = 0; branch->phone_number != 0 && i < context->branches_len; i++) {
        ProxyBranch *spare = &context->branches[i];

        if (spare->state == BRANCH_SPARE && spare->phone_number == branch->phone_number) {
            spare->state = BRANCH_WAITING;
            return;
        }
    }
}

void proxy_branch_end(PealPeer *peer, ProxyContext *context, ProxyBranch *branch, unsigned status)
{
    if (!branch->cancelled && !branch->provisional) {
        proxy_branch_spare(context, branch);
    }
    branch->state = BRANCH_DONE;
    branch->deadline = PEAL_TIME_NEVER;
    proxy_candidate(peer, context, status, NULL);
}

static void branch_send(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                        uint32_t index)
{
    ProxyBranch *branch = &context->branches[index];
    int error = proxy_forward(peer, context, request, index);

    if (error != 0) {
        proxy_branch_end(peer, context, branch, error == -PEAL_E_UNREACHABLE ? 480 : 500);
        return;
    }
    branch->provisional = false;
    if (context->server == 0) {
        branch->state = BRANCH_DONE; /* an ACK: nothing comes back */
        return;
    }
    branch->state = BRANCH_CALLING;
    if (context->method == SIP_INVITE) {
        PealSpan patience =
            branch->kind == BRANCH_PEER ? PROXY_ADAPTER_SILENCE : peer->sip->config->timer_c;

        branch->deadline = peal_time_add(peer_now(peer), patience);
    }
}

/* Other adapters. */

static void branch_reached(PealPeer *peer, uint64_t handle, int status, const PealId *node,
                           const PealHop *hop, PealStr route)
{
    ProxyContext *context = proxy_context_of(peer, handle);
    ProxyBranch *branch = context != NULL ? proxy_branch_of(context, handle) : NULL;
    SipArena arena;
    SipMessage request;

    (void)node;
    if (branch == NULL || branch->state != BRANCH_ASKING ||
        !proxy_context_request(context, &request)) {
        return;
    }
    sip_arena_enter(&arena); /* RELOAD's dispatch has none, and tells no new deadline */
    branch->deadline = PEAL_TIME_NEVER;
    if (status == 0) {
        char *uri = branch->text;
        ProxyBranch fresh = {.text = NULL};

        branch->hop = *hop;
        status = proxy_branch_text(peer, &fresh, (PealStr){uri, branch->uri_len}, route);
        if (status == 0) {
            proxy_branch_drop_text(peer, branch);
            branch->text = fresh.text;
            branch->uri_len = fresh.uri_len;
            branch->route_len = fresh.route_len;
            branch_send(peer, context, &request, (uint32_t)(branch - context->branches));
        }
    }
    if (status != 0) {
        proxy_branch_end(peer, context, branch, 480);
    }
    proxy_advance(peer, context, &request);
    sip_arena_leave(&arena);
    peer_wake_by(peer, sip_deadline(peer));
}

/* Hosts. */

/* The URI that decides where the branch goes: its first Route, or its Request-URI. */
static int branch_next_uri(const ProxyContext *context, const ProxyBranch *branch,
                           const SipMessage *request, SipUri *ret_uri)
{
    SipAddress route;
    PealStr first = branch->route_len > 0
                        ? (PealStr){branch->text + branch->uri_len, branch->route_len}
                        : proxy_route_next(request, &context->route);

    if (first.len == 0) {
        return sip_uri_parse(branch->uri_len > 0 ? (PealStr){branch->text, branch->uri_len}
                                                 : request->uri,
                             ret_uri);
    }
    if (sip_address_parse(proxy_first_value(first), &route) != 0 || route.star) {
        return -PEAL_E_VALUE;
    }
    *ret_uri = route.uri;
    return 0;
}

/* PealTransport, PEAL_TRANSPORT_ANY, or -1 for one that there is not. */
static int branch_transport(const SipUri *uri)
{
    PealStr transport;

    if (uri->scheme != SIP_SCHEME_SIP) {
        return -1;
    }
    if (!sip_param(uri->params, "transport", &transport)) {
        return PEAL_TRANSPORT_ANY;
    }
    if (sip_is(transport, "udp")) {
        return PEAL_UDP;
    }
    return sip_is(transport, "tcp") ? (int)PEAL_TCP : -1;
}

/* Takes an alternative as the branch's hop: 0, or the status that says why it cannot be. */
static unsigned branch_take(PealPeer *peer, const ProxyContext *context, ProxyBranch *branch,
                            const PealTarget *target)
{
    PealHop hop = {.addr = target->addr, .transport = (uint8_t)target->transport};

    if (branch->guarded && !proxy_is_inside(&context->route, &hop.addr)) {
        return 403;
    }
    if (sip_local(peer, &hop.addr, &hop.local) != 0) {
        return 480; /* none of its family here */
    }
    branch->hop = hop;
    return 0;
}

static void branch_resolve(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                           uint32_t index)
{
    ProxyBranch *branch = &context->branches[index];
    PealTarget target = {.transport = PEAL_UDP};
    PealAsk ask = {.kind = PEAL_ASK_RESOLVE,
                   .token = proxy_handle(context, index) << SIP_ASK_BITS | SIP_ASK_PROXY};
    PealStr host;
    SipUri uri;
    unsigned status;
    int transport;

    if (branch_next_uri(context, branch, request, &uri) != 0) {
        proxy_branch_end(peer, context, branch, 400);
        return;
    }
    transport = branch_transport(&uri);
    if (transport < 0) {
        proxy_branch_end(peer, context, branch, 500); /* 16.6 step 7: as a 503 from there */
        return;
    }
    host = proxy_host(&uri);
    if (sip_addr(host, &target.addr) == 0) {
        target.addr.port = uri.port != 0 ? uri.port : SIP_DEFAULT_PORT;
        target.transport = transport == (int)PEAL_TCP ? PEAL_TCP : PEAL_UDP;
        status = branch_take(peer, context, branch, &target);
        if (status == 0) {
            branch_send(peer, context, request, index);
        } else {
            proxy_branch_end(peer, context, branch, status);
        }
        return;
    }
    ask.name = host;
    ask.port = uri.port;
    ask.transport = (uint8_t)transport;
    branch->state = BRANCH_ASKING;
    if (peer->env->ops->ask(peer->env, &ask) != 0) {
        proxy_branch_end(peer, context, branch, 500);
    }
}

bool proxy_branch_next(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                       uint32_t index)
{
    ProxyBranch *branch = &context->branches[index];

    while (branch->alternative + 1 < branch->alternatives_len) {
        branch->alternative++;
        if (branch_take(peer, context, branch, &branch->alternatives[branch->alternative]) == 0) {
            branch->grown = false;
            branch_send(peer, context, request, index);
            return true;
        }
    }
    return false;
}

static void branch_resolved(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                            uint32_t index, const PealAnswer *answer)
{
    ProxyBranch *branch = &context->branches[index];
    size_t len =
        answer->targets_len < PROXY_ALTERNATIVES_MAX ? answer->targets_len : PROXY_ALTERNATIVES_MAX;
    unsigned status;

    if (answer->status != 0 || len == 0) {
        /* RFC 3263 s.4.3: no such host is as a 503 from it; one's own resolver that fails, too. */
        proxy_branch_end(peer, context, branch, answer->status == -PEAL_E_NOT_FOUND ? 404 : 500);
        return;
    }
    branch->alternatives = peer_alloc(peer, PROXY_ALTERNATIVES_MAX * sizeof(*branch->alternatives));
    if (branch->alternatives == NULL) {
        proxy_branch_end(peer, context, branch, 500);
        return;
    }
    memcpy(branch->alternatives, answer->targets, len * sizeof(*branch->alternatives));
    branch->alternatives_len = (uint8_t)len;
    status = branch_take(peer, context, branch, &branch->alternatives[0]);
    if (status == 0) {
        branch_send(peer, context, request, index);
    } else if (!proxy_branch_next(peer, context, request, index)) {
        proxy_branch_end(peer, context, branch, status);
    }
}

bool proxy_on_answer(PealPeer *peer, const PealAnswer *answer)
{
    uint64_t handle = answer->token >> SIP_ASK_BITS;
    ProxyContext *context;
    ProxyBranch *branch;
    SipMessage request;

    if ((answer->token & SIP_ASK_MASK) != SIP_ASK_PROXY) {
        return false;
    }
    context = proxy_context_of(peer, handle);
    if (context == NULL || !proxy_context_request(context, &request)) {
        return true;
    }
    branch = proxy_branch_of(context, handle);
    if (branch == NULL) {
        proxy_user_is(peer, context, answer->status);
        proxy_advance(peer, context, &request);
    } else if (branch->state == BRANCH_ASKING) {
        branch_resolved(peer, context, &request, (uint32_t)(branch - context->branches), answer);
        proxy_advance(peer, context, &request);
    }
    return true;
}

/* Asks whether the world knows the user that the request is for. */
bool proxy_ask_user(PealPeer *peer, ProxyContext *context, const SipMessage *request)
{
    PealAsk ask = {.kind = PEAL_ASK_PASSWORD,
                   .token =
                       proxy_handle(context, PROXY_BRANCH_NONE) << SIP_ASK_BITS | SIP_ASK_PROXY};
    SipUri uri;

    if (sip_uri_parse(proxy_route_uri(request, &context->route), &uri) != 0) {
        return false;
    }
    ask.name = uri.user;
    ask.domain = sip_domain(peer, uri.host);
    return ask.domain.ptr != NULL && peer->env->ops->ask(peer->env, &ask) == 0;
}

/* The branch's life. */

void proxy_branch_start(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                        uint32_t index)
{
    ProxyBranch *branch = &context->branches[index];

    switch ((BranchKind)branch->kind) {
    case BRANCH_AOR:
        proxy_aor_start(peer, context, index);
        break;
    case BRANCH_PEER:
        branch->state = BRANCH_ASKING;
        branch->deadline = peal_time_add(peer_now(peer), PROXY_ADAPTER_SILENCE);
        adapters_reach(peer, &branch->id, branch_reached, proxy_handle(context, index));
        break;
    case BRANCH_HOP:
        branch_send(peer, context, request, index);
        break;
    case BRANCH_URI:
        branch_resolve(peer, context, request, index);
        break;
    }
}

/* What the caller hears of a hop that does not work (16.9: as if it had answered 503), except where
 * this proxy knows that it is the user who cannot be reached. A phone whose host refuses datagrams
 * is one that does not answer: nobody could tell the two apart without that host's courtesy. */
static unsigned branch_verdict(const ProxyBranch *branch, int error)
{
    if (error == -PEAL_E_FULL) {
        return 503; /* it asked for fewer requests: RFC 7339 s.5.10 */
    }
    if (branch->kind == BRANCH_PEER) {
        return 480;
    }
    if (error == -PEAL_E_TIMEOUT ||
        ((branch->phone || branch->bound) && branch->hop.transport == PEAL_UDP)) {
        return 408;
    }
    if (branch->phone) {
        return 430;
    }
    return branch->bound ? 480 : 503;
}

void proxy_branch_failed(PealPeer *peer, ProxyContext *context, const SipMessage *request,
                         uint32_t index, int error)
{
    ProxyBranch *branch = &context->branches[index];

    branch->tx = 0;
    context->throttled |= error == -PEAL_E_FULL;
    if (branch->kind == BRANCH_PEER && !branch->provisional && error != -PEAL_E_FULL) {
        adapters_failed(peer, &branch->id);
    }
    if (!branch->cancelled && branch->grown && !branch->provisional) {
        branch_send(peer, context, request, index); /* 18.1.1: UDP after all */
    } else if (branch->cancelled || branch->provisional ||
               !proxy_branch_next(peer, context, request, index)) {
        proxy_branch_end(peer, context, branch, branch_verdict(branch, error));
    }
}
