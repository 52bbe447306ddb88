/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy_target.c - determining request targets (RFC 3261 s.16.5): this adapter's own bindings, and
 * the adapters that the overlay names. */
#include "sip/arena.h"
#include "sip/proxy_state.h"

enum { TARGET_LOCALS_MAX = 32 };

/* Branches. */

void proxy_branch_drop_text(PealPeer *peer, ProxyBranch *branch)
{
    if (branch->text != NULL) {
        peer_release(peer, branch->text, (size_t)branch->uri_len + branch->route_len);
    }
    branch->text = NULL;
    branch->uri_len = 0;
    branch->route_len = 0;
}

int proxy_branch_text(PealPeer *peer, ProxyBranch *branch, PealStr uri, PealStr route)
{
    char *text = NULL;

    if (uri.len + route.len > UINT16_MAX) {
        return -PEAL_E_TOO_LARGE;
    }
    if (uri.len + route.len > 0) {
        text = peer_alloc(peer, uri.len + route.len);
        if (text == NULL) {
            return -PEAL_E_MEMORY;
        }
        memcpy(text, uri.ptr, uri.len);
        if (route.len > 0) {
            memcpy(text + uri.len, route.ptr, route.len);
        }
    }
    proxy_branch_drop_text(peer, branch);
    branch->text = text;
    branch->uri_len = (uint16_t)uri.len;
    branch->route_len = (uint16_t)route.len;
    return 0;
}

/* Appends a branch; -1 when there is no room. */
static int target_add(PealPeer *peer, ProxyContext *context, const ProxyBranch *branch, PealStr uri,
                      PealStr route)
{
    bool target = branch->kind != BRANCH_AOR;
    ProxyBranch *fresh;

    if (context->branches_len == PROXY_BRANCHES_MAX ||
        (target && context->targets >= peer->sip->config->targets_max) ||
        peer_grow(peer, &context->branches, &context->branches_cap, context->branches_len + 1,
                  sizeof(*fresh)) != 0) {
        return -1;
    }
    fresh = &context->branches[context->branches_len];
    *fresh = *branch;
    fresh->text = NULL;
    fresh->alternatives = NULL;
    fresh->deadline = PEAL_TIME_NEVER;
    if (proxy_branch_text(peer, fresh, uri, route) != 0) {
        return -1;
    }
    context->targets += target;
    return (int)context->branches_len++;
}

/* What is an AOR. */

static bool target_own_port(PealPeer *peer, uint16_t port)
{
    PealAddr own[PEAL_ADDRESSES_MAX];
    size_t len = peer->env->ops->addresses(peer->env, PEAL_SERVICE_SIP, own, PEAL_ADDRESSES_MAX);

    for (size_t i = 0; i < len; i++) {
        if (own[i].port == port) {
            return true;
        }
    }
    return false;
}

bool proxy_is_aor(PealPeer *peer, const SipUri *uri, bool bound)
{
    PealAddr addr;

    if (uri->scheme != SIP_SCHEME_SIP || !sip_is_ours(peer, uri->host)) {
        return false;
    }
    if (bound && sip_addr(uri->host, &addr) == 0) {
        return sip_is_self(peer, uri->host, uri->port);
    }
    return uri->port == 0 || target_own_port(peer, uri->port);
}

/* AORs. */

static bool target_was_seen(const ProxyContext *context, const PealId *resource)
{
    for (uint32_t i = 0; i < context->branches_len; i++) {
        if (context->branches[i].kind == BRANCH_AOR &&
            peal_id_equal(&context->branches[i].id, resource)) {
            return true;
        }
    }
    return false;
}

/* A URI that an AOR leads to: another AOR, or a target. */
static void target_follow(PealPeer *peer, ProxyContext *context, const ProxyBranch *branch,
                          PealStr uri_text, PealStr route)
{
    ProxyBranch next = *branch;
    SipUri uri;

    if (sip_uri_parse(uri_text, &uri) != 0 || uri.scheme != SIP_SCHEME_SIP) {
        proxy_candidate(peer, context, 480, NULL);
        return;
    }
    if (uri.headers.len > 0) {
        /* 19.1.1: a Request-URI has no headers. */
        uri_text.len = (size_t)(uri.headers.ptr - uri_text.ptr) - 1;
    }
    if (route.len > 0 || !proxy_is_aor(peer, &uri, true)) {
        (void)target_add(peer, context, &next, uri_text, route);
        return;
    }
    next.kind = BRANCH_AOR;
    next.steps++;
    if (uri.user.len == 0 || peal_aor_resource(peer->env->ops->crypto, uri_text, &next.id) != 0) {
        proxy_candidate(peer, context, 404, NULL);
    } else if (next.steps > PROXY_STEPS_MAX || target_was_seen(context, &next.id)) {
        proxy_candidate(peer, context, 482, NULL);
    } else {
        (void)target_add(peer, context, &next, uri_text, (PealStr){NULL, 0});
    }
}

/* The first of the targets that lead to the same phone as one of them (RFC 5626 s.7). */
static size_t target_same_phone(const RegistrarTarget *locals, size_t index)
{
    size_t i = 0;

    while (i < index && (locals[i].instance.len == 0 ||
                         !sip_equal(locals[i].instance, locals[index].instance))) {
        i++;
    }
    return i;
}

static void target_locals(PealPeer *peer, ProxyContext *context, uint32_t index)
{
    RegistrarTarget locals[TARGET_LOCALS_MAX];
    const uint8_t steps = context->branches[index].steps;
    const uint32_t first = context->branches_len; /* not 0 */
    size_t len = registrar_targets(peer, &context->branches[index].id, locals, TARGET_LOCALS_MAX);

    for (size_t i = 0; i < len; i++) {
        const RegistrarTarget *local = &locals[i];
        const size_t same = target_same_phone(locals, i);
        ProxyBranch branch = {.kind = local->by_hop ? BRANCH_HOP : BRANCH_URI,
                              .hop = local->hop,
                              .phone = local->by_hop,
                              .bound = true,
                              .state = same < i ? BRANCH_SPARE : BRANCH_WAITING,
                              .phone_number = local->instance.len > 0 ? (uint8_t)(first + same) : 0,
                              .q_milli = local->q_milli,
                              .steps = steps};

        target_follow(peer, context, &branch, local->contact, local->path);
    }
}

/* What the overlay knows of an AOR. */
static void target_take(PealPeer *peer, ProxyContext *context, uint32_t index,
                        const LocationAnswer *answer)
{
    ProxyBranch aor;

    context->branches[index].state = BRANCH_DONE;
    aor = context->branches[index]; /* the array may move */
    if (answer->status != 0) {
        context->unknown = answer->status == -PEAL_E_NOT_FOUND && aor.steps == 0;
        proxy_candidate(peer, context, answer->status == -PEAL_E_NOT_FOUND ? 404 : 480, NULL);
    } else if (answer->uri.len > 0) {
        const ProxyBranch next = {.kind = BRANCH_URI,
                                  .q_milli = PROXY_Q_REMOTE,
                                  .steps = aor.steps};

        target_follow(peer, context, &next, answer->uri, (PealStr){NULL, 0});
    } else {
        ProxyBranch next = {.kind = BRANCH_PEER, .q_milli = PROXY_Q_REMOTE, .steps = aor.steps};

        /* This adapter's own record stands for its bindings, which are in hand. */
        for (size_t i = 0; i < answer->adapters_len; i++) {
            next.id = answer->adapters[i];
            if (!peal_id_equal(&next.id, &peer->id)) {
                (void)target_add(peer, context, &next, (PealStr){aor.text, aor.uri_len},
                                 (PealStr){NULL, 0});
            }
        }
    }
}

static void target_found(PealPeer *peer, uint64_t handle, const LocationAnswer *answer)
{
    ProxyContext *context = proxy_context_of(peer, handle);
    ProxyBranch *branch = context != NULL ? proxy_branch_of(context, handle) : NULL;
    SipArena arena;
    SipMessage request;

    if (branch == NULL || branch->state != BRANCH_ASKING ||
        !proxy_context_request(context, &request)) {
        return;
    }
    sip_arena_enter(&arena); /* RELOAD's dispatch has none, and tells no new deadline */
    target_take(peer, context, (uint32_t)(branch - context->branches), answer);
    proxy_advance(peer, context, &request);
    sip_arena_leave(&arena);
    peer_wake_by(peer, sip_deadline(peer));
}

void proxy_aor_start(PealPeer *peer, ProxyContext *context, uint32_t index)
{
    int error;

    target_locals(peer, context, index);
    if (context->server == 0 || (context->route.peer && context->branches[index].steps == 0)) {
        /* RFC 7904 s.5 has the sender look it up; looking again could go round for ever. An ACK
         * has a Route to where its INVITE went, or stays here. Without a binding it is a 480, with
         * some it is for them to say. */
        context->branches[index].state = BRANCH_DONE;
        return;
    }
    context->branches[index].state = BRANCH_ASKING;
    error = location_find(peer, &context->branches[index].id, target_found,
                          proxy_handle(context, index));
    if (error != 0) {
        proxy_branch_end(peer, context, &context->branches[index], 480);
    }
}

/* The first target: 0 with its branch and, unless it stays, its Request-URI; or the status that
 * says there is none. */
static unsigned target_first(PealPeer *peer, const ProxyRoute *route, PealStr uri_text,
                             ProxyBranch *branch, PealStr *uri)
{
    SipUri parsed;

    if (route->left) {
        branch->guarded = route->guarded;
        return 0;
    }
    if (route->dead) {
        return 430;
    }
    if (route->flow) {
        branch->kind = BRANCH_HOP;
        branch->hop = route->hop;
        branch->phone = true;
        return 0;
    }
    if (sip_uri_parse(uri_text, &parsed) != 0) {
        return 400;
    }
    if (proxy_is_aor(peer, &parsed, false)) {
        branch->kind = BRANCH_AOR;
        *uri = uri_text;
        return peal_aor_resource(peer->env->ops->crypto, uri_text, &branch->id) == 0 ? 0 : 404;
    }
    branch->guarded = route->guarded;
    return route->peer || sip_is_self(peer, parsed.host, parsed.port) ? 404 : 0;
}

void proxy_targets(PealPeer *peer, ProxyContext *context, const SipMessage *request)
{
    const PealStr uri_text = proxy_route_uri(request, &context->route);
    PealStr uri = context->route.strict ? uri_text : (PealStr){NULL, 0};
    ProxyBranch branch = {.kind = BRANCH_URI, .q_milli = PROXY_Q_REMOTE};
    unsigned status = target_first(peer, &context->route, uri_text, &branch, &uri);

    if (status == 0 && target_add(peer, context, &branch, uri, (PealStr){NULL, 0}) < 0) {
        status = 500;
    }
    if (status != 0) {
        proxy_candidate(peer, context, status, NULL);
    }
}
