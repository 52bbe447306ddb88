/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy.c - requests on their way through: from their entry to the choice of what starts next. */
#include "sip/proxy_state.h"

/* Which branches still may bring an answer. */
static bool proxy_is_active(const ProxyBranch *branch)
{
    return branch->state == BRANCH_ASKING || branch->state == BRANCH_CALLING;
}

static bool proxy_any_active(const ProxyContext *context)
{
    for (uint32_t i = 0; i < context->branches_len; i++) {
        if (proxy_is_active(&context->branches[i])) {
            return true;
        }
    }
    return false;
}

void proxy_cancel_branches(PealPeer *peer, ProxyContext *context)
{
    for (uint32_t i = 0; i < context->branches_len; i++) {
        ProxyBranch *branch = &context->branches[i];

        if (branch->state == BRANCH_ASKING && branch->kind == BRANCH_PEER) {
            adapters_cancel(peer, proxy_handle(context, i));
        }
        if (branch->state == BRANCH_WAITING || branch->state == BRANCH_SPARE ||
            branch->state == BRANCH_ASKING) {
            branch->state = BRANCH_DONE;
            branch->deadline = PEAL_TIME_NEVER;
        } else if (branch->state == BRANCH_CALLING && context->method == SIP_INVITE &&
                   !branch->cancelled) {
            branch->cancelled = true;
            branch->deadline = PEAL_TIME_NEVER;
            sip_tx_cancel(&peer->sip->transactions, branch->tx);
        }
    }
}

/* The best q of those that wait; -1 for none. */
static int proxy_next_group(const ProxyContext *context)
{
    int best = -1;

    for (uint32_t i = 0; i < context->branches_len; i++) {
        const ProxyBranch *branch = &context->branches[i];

        if (branch->state == BRANCH_WAITING && branch->q_milli > best) {
            best = branch->q_milli;
        }
    }
    return best;
}

/* Only adapters are left that have not said a word. */
static bool proxy_waits_for_silence(const ProxyContext *context)
{
    for (uint32_t i = 0; i < context->branches_len; i++) {
        const ProxyBranch *branch = &context->branches[i];
        bool silent = branch->kind == BRANCH_PEER &&
                      (branch->state == BRANCH_ASKING ||
                       (context->method == SIP_INVITE && !branch->provisional));

        if (branch->state == BRANCH_WAITING || (proxy_is_active(branch) && !silent)) {
            return false;
        }
    }
    return context->best_status != 0;
}

static bool proxy_is_due(const ProxyContext *context, const ProxyBranch *branch)
{
    return branch->state == BRANCH_WAITING && branch->q_milli >= context->group_q;
}

/*
 * RFC 5393 s.5.3.3: what is left of the incoming Max-Breadth is divided among the branches that are
 * to start now, and the lookups that may bring others. False when nothing is left.
 */
static bool proxy_share_breadth(ProxyContext *context, ProxyBranch *branch)
{
    unsigned used = 0;
    unsigned sharers = 1; /* the branch itself */
    unsigned left;

    for (uint32_t i = 0; i < context->branches_len; i++) {
        const ProxyBranch *other = &context->branches[i];

        used += proxy_is_active(other) ? other->breadth : 0;
        sharers +=
            other != branch && (proxy_is_due(context, other) ||
                                (other->kind == BRANCH_AOR && other->state == BRANCH_ASKING));
    }
    if (used >= context->breadth) {
        return false;
    }
    left = context->breadth - used;
    branch->breadth = (uint8_t)(left > sharers ? left / sharers : 1);
    return true;
}

/* Starts what the current group has; a branch may add others to it while it starts. */
static void proxy_start_group(PealPeer *peer, ProxyContext *context, const SipMessage *request)
{
    for (uint32_t i = 0; i < context->branches_len; i++) {
        ProxyBranch *branch = &context->branches[i];

        if (!proxy_is_due(context, branch)) {
            continue;
        }
        if (branch->kind == BRANCH_AOR || proxy_share_breadth(context, branch)) {
            proxy_branch_start(peer, context, request, i);
        } else {
            proxy_branch_end(peer, context, branch, 440);
        }
    }
}

void proxy_advance(PealPeer *peer, ProxyContext *context, const SipMessage *request)
{
    PealTime now = peer_now(peer);
    int q = -1;

    if (context->busy || context->answered || context->asking_user) {
        return;
    }
    context->busy = true;
    proxy_start_group(peer, context, request);
    while (!proxy_any_active(context) && (q = proxy_next_group(context)) >= 0) {
        context->group_q = (uint16_t)q;
        context->group_at = PEAL_TIME_NEVER;
        proxy_start_group(peer, context, request);
    }
    context->busy = false;
    if (!proxy_any_active(context)) {
        proxy_finish(peer, context, request);
        if (context->server == 0) {
            proxy_context_free(peer, context);
        }
        return;
    }
    if (proxy_next_group(context) < 0) {
        context->group_at = PEAL_TIME_NEVER;
    } else if (context->group_at.ns == PEAL_TIME_NEVER.ns) {
        context->group_at = peal_time_add(now, peer->sip->config->fork_wait);
    }
    if (!proxy_waits_for_silence(context)) {
        context->patience_at = PEAL_TIME_NEVER;
    } else if (context->patience_at.ns == PEAL_TIME_NEVER.ns) {
        context->patience_at = peal_time_add(now, PROXY_PATIENCE);
    }
    proxy_context_time(peer, context);
}

/* Entry. */

static void proxy_trying(PealPeer *peer, const ProxyContext *context, const SipMessage *request)
{
    if (context->method == SIP_INVITE) {
        (void)!sip_tx_reply(&peer->sip->transactions, context->server, request, &context->from,
                            &(SipAnswer){.status = 100});
    }
}

static uint8_t proxy_breadth(const SipMessage *request)
{
    uint32_t breadth;

    if (sip_u32(sip_field(request, SIP_H_MAX_BREADTH), UINT32_MAX, &breadth) != 0 ||
        breadth > PROXY_BREADTH) {
        return PROXY_BREADTH;
    }
    return (uint8_t)breadth;
}

static void proxy_go(PealPeer *peer, ProxyContext *context, const SipMessage *request)
{
    context->breadth = proxy_breadth(request);
    proxy_trying(peer, context, request);
    proxy_targets(peer, context, request);
    proxy_advance(peer, context, request);
}

/* May who has authenticated as user@realm use this From? */
static bool proxy_from_is(PealPeer *peer, const SipMessage *request, PealStr user, PealStr realm)
{
    SipAddress from;
    PealId said;

    return sip_address_parse(sip_field(request, SIP_H_FROM), &from) == 0 &&
           peal_aor_resource(peer->env->ops->crypto, from.uri.text, &said) == 0 &&
           auth_owns(peer, user, realm, &said);
}

static void proxy_authenticated(PealPeer *peer, uint64_t handle, AuthVerdict verdict, PealStr user,
                                PealStr realm, bool stale)
{
    ProxyContext *context = proxy_context_of(peer, handle);
    char bytes[2048];
    SipText headers = sip_text_make(bytes, sizeof(bytes));
    SipAnswer answer = {.status = 403};
    SipMessage request;

    if (context == NULL || context->answered || !proxy_context_request(context, &request)) {
        return;
    }
    if (verdict == AUTH_GOOD && proxy_from_is(peer, &request, user, realm)) {
        proxy_go(peer, context, &request);
        return;
    }
    if (verdict == AUTH_CHALLENGE) {
        auth_put_challenge(peer, &headers, true, realm, stale);
        answer.status = headers.overflow ? 500 : 407;
        answer.headers = sip_text_view(&headers);
    } else if (verdict == AUTH_BUSY) {
        answer.status = 503;
    }
    proxy_reply(peer, context, &request, &answer);
}

/* What is for this adapter itself, or for a domain and not for one of its users. */
static bool proxy_is_own(PealPeer *peer, const SipMessage *request, const ProxyRoute *route)
{
    SipUri uri;
    bool named;

    if (route->left || route->flow || route->dead ||
        sip_uri_parse(proxy_route_uri(request, route), &uri) != 0 || uri.scheme != SIP_SCHEME_SIP) {
        return false;
    }
    named = proxy_is_aor(peer, &uri, false) || sip_is_self(peer, uri.host, uri.port);
    return named && (uri.user.len == 0 ||
                     (request->code == SIP_REGISTER && proxy_is_aor(peer, &uri, false)));
}

/* 16.3 step 3: an OPTIONS that may go no further may be answered here. */
static bool proxy_is_trace(const SipMessage *request, const ProxyRefusal *refusal)
{
    return request->code == SIP_OPTIONS && refusal->status == 483;
}

void proxy_on_request(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from)
{
    ProxyRefusal refusal = {.status = 0};
    ProxyContext *context = NULL;
    ProxyRoute route;
    PealStr realm;

    refusal.status = proxy_route_read(peer, request, from, &route);
    if (refusal.status == 0 && proxy_is_own(peer, request, &route)) {
        sip_serve(peer, tx, request, from);
        return;
    }
    if (refusal.status == 0) {
        proxy_check(peer, request, &route, &refusal);
    }
    if (proxy_is_trace(request, &refusal)) {
        sip_serve(peer, tx, request, from);
        return;
    }
    if (refusal.status == 0) {
        context = proxy_context_new(peer, tx, request, from);
        refusal.status = context == NULL ? 503 : 0;
    }
    if (refusal.status != 0) {
        sip_refuse(peer, tx, request, from,
                   &(SipAnswer){.status = (uint16_t)refusal.status,
                                .reason =
                                    refusal.why != NULL ? sip_str(refusal.why) : (PealStr){NULL, 0},
                                .headers = refusal.headers});
        return;
    }
    context->route = route;
    sip_tx_set_arg(&peer->sip->transactions, tx, proxy_handle(context, PROXY_BRANCH_NONE));
    if (proxy_must_authenticate(peer, request, &route, &realm)) {
        auth_check(peer, request, true, realm, proxy_authenticated,
                   proxy_handle(context, PROXY_BRANCH_NONE));
    } else {
        proxy_go(peer, context, request);
    }
}

void proxy_on_ack(PealPeer *peer, const SipMessage *ack, const PealHop *from)
{
    ProxyRefusal refusal = {.status = 0};
    ProxyContext *context;
    ProxyRoute route;

    if (proxy_route_read(peer, ack, from, &route) != 0 || proxy_is_own(peer, ack, &route)) {
        return;
    }
    proxy_check(peer, ack, &route, &refusal);
    context = refusal.status == 0 ? proxy_context_new(peer, 0, ack, from) : NULL;
    if (context != NULL) {
        context->route = route;
        context->breadth = proxy_breadth(ack);
        proxy_targets(peer, context, ack);
        proxy_advance(peer, context, ack);
    }
}

void proxy_on_cancel(PealPeer *peer, SipTx tx, const SipMessage *cancel, const PealHop *from,
                     SipTx matched)
{
    ProxyContext *context;
    SipMessage request;

    if (matched == 0) {
        /* 16.10: there may be an INVITE of which this proxy has forgotten; the CANCEL goes where
         * the INVITE would go now. */
        proxy_on_request(peer, tx, cancel, from);
        return;
    }
    sip_refuse(peer, tx, cancel, from, &(SipAnswer){.status = 200});
    context = proxy_context_of(peer, sip_tx_arg(&peer->sip->transactions, matched));
    if (context != NULL && !context->answered && proxy_context_request(context, &request)) {
        context->cancelled = true;
        proxy_cancel_branches(peer, context);
        proxy_advance(peer, context, &request);
    }
}

/* What ends. */

void proxy_on_failed(PealPeer *peer, SipTx tx, uint64_t arg, int error)
{
    ProxyContext *context = proxy_context_of(peer, arg);
    ProxyBranch *branch = context != NULL ? proxy_branch_of(context, arg) : NULL;
    SipMessage request;

    if (branch != NULL && branch->tx == tx && branch->state == BRANCH_CALLING &&
        proxy_context_request(context, &request)) {
        proxy_branch_failed(peer, context, &request, (uint32_t)(branch - context->branches), error);
        proxy_advance(peer, context, &request);
    }
}

void proxy_on_server_ended(PealPeer *peer, uint64_t arg)
{
    ProxyContext *context = proxy_context_of(peer, arg);

    if (context != NULL && context->server != 0) {
        proxy_cancel_branches(peer, context);
        proxy_context_free(peer, context);
    }
}

/* Timer C (16.8), and an adapter that cannot be reached, or has not even said 100. */
static void proxy_branch_late(PealPeer *peer, ProxyContext *context, uint32_t index)
{
    ProxyBranch *branch = &context->branches[index];

    branch->deadline = PEAL_TIME_NEVER;
    if (branch->state == BRANCH_ASKING) {
        adapters_cancel(peer, proxy_handle(context, index));
        proxy_branch_end(peer, context, branch, 480);
        return;
    }
    sip_tx_cancel(&peer->sip->transactions, branch->tx);
    branch->cancelled = true;
    if (branch->provisional) {
        return; /* its end comes by itself */
    }
    if (branch->kind == BRANCH_PEER) {
        adapters_failed(peer, &branch->id);
    }
    proxy_branch_end(peer, context, branch, branch->kind == BRANCH_PEER ? 480 : 408);
}

/* The group has had its time: it stops ringing, and the next one begins. */
static void proxy_group_late(PealPeer *peer, ProxyContext *context)
{
    int q = proxy_next_group(context);

    context->group_at = PEAL_TIME_NEVER;
    for (uint32_t i = 0; i < context->branches_len; i++) {
        ProxyBranch *branch = &context->branches[i];

        if (branch->state == BRANCH_CALLING && context->method == SIP_INVITE &&
            !branch->cancelled) {
            branch->cancelled = true;
            branch->deadline = PEAL_TIME_NEVER;
            sip_tx_cancel(&peer->sip->transactions, branch->tx);
        }
    }
    if (q >= 0) {
        context->group_q = (uint16_t)q;
    }
}

static void proxy_patience_ends(PealPeer *peer, ProxyContext *context)
{
    context->patience_at = PEAL_TIME_NEVER;
    proxy_cancel_branches(peer, context);
    for (uint32_t i = 0; i < context->branches_len; i++) {
        ProxyBranch *branch = &context->branches[i];

        if (branch->state == BRANCH_CALLING && !branch->provisional) {
            adapters_failed(peer, &branch->id);
            proxy_branch_end(peer, context, branch, 480);
        }
    }
}

static void proxy_late(PealPeer *peer, ProxyContext *context, PealTime now)
{
    SipMessage request;

    if (!proxy_context_request(context, &request)) {
        proxy_context_settle(peer, context);
        return;
    }
    for (uint32_t i = 0; i < context->branches_len; i++) {
        if (peal_time_due(context->branches[i].deadline, now)) {
            proxy_branch_late(peer, context, i);
        }
    }
    if (peal_time_due(context->group_at, now)) {
        proxy_group_late(peer, context);
    }
    if (peal_time_due(context->patience_at, now)) {
        proxy_patience_ends(peer, context);
    }
    proxy_context_time(peer, context);
    proxy_advance(peer, context, &request);
}

void proxy_on_wake(PealPeer *peer, PealTime now)
{
    Proxy *proxy = &peer->sip->proxy;

    while (proxy->heap_len > 0 && peal_time_due(proxy->heap[0]->deadline, now)) {
        proxy_late(peer, proxy->heap[0], now);
    }
}
