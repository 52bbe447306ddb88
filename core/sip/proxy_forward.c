/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy_forward.c - the copy of a request that one branch sends (RFC 3261 s.16.6): spliced, never
 * printed anew. */
#include "sip/oc.h"
#include "sip/proxy_state.h"

enum {
    FORWARD_HEAD_MAX = 1024, /* Via and Record-Route lines */
    FORWARD_VIA_MAX = 2048,  /* the topmost Via, with received and rport */
    FORWARD_RANDOM_DIGITS = 16
};

/* What the splices point to until they are written. */
typedef struct Forward {
    SipEdit edit;
    PealAddr own[PEAL_ADDRESSES_MAX];
    size_t own_len;
    SipText head;
    char *transport; /* of the Via, within head */
    SipText via;     /* the request's topmost, with received and rport */
    char forwards[16];
    char breadth[16];
} Forward;

/* Step 8; the branch's second part finds loops. */
static void forward_put_via(PealPeer *peer, Forward *f, const ProxyContext *context,
                            const SipMessage *request, const PealHop *hop)
{
    sip_put_z(&f->head, "Via: SIP/2.0/");
    f->transport = f->head.ptr + f->head.len;
    sip_put_z(&f->head, hop->transport == PEAL_TCP ? "TCP " : "UDP ");
    sip_put_addr(&f->head, &f->own[hop->local], f->own[hop->local].port);
    sip_put_z(&f->head, ";branch=z9hG4bK");
    sip_put_random(peer, &f->head, FORWARD_RANDOM_DIGITS);
    proxy_put_hash(&f->head, proxy_loop_hash(request, &context->route));
    sip_put_z(&f->head, ";rport");
    if (peer->sip->transactions.oc != NULL) {
        oc_offer(&f->head);
    }
    sip_put_z(&f->head, "\r\n");
}

/* Does this request begin a dialog, as far as a proxy can know? NOTIFY may, too (RFC 6665
 * s.4.4.1). */
static bool forward_makes_dialog(const SipMessage *request)
{
    switch (request->code) {
    case SIP_INVITE:
    case SIP_SUBSCRIBE:
    case SIP_REFER:
    case SIP_METHOD_OTHER:
        return !proxy_has_to_tag(request);
    case SIP_NOTIFY:
        return true;
    default:
        return false;
    }
}

static void forward_put_route(PealPeer *peer, Forward *f, const PealHop *side, TokenFlow flow)
{
    if (flow.leads || flow.inside) {
        flow.hop = *side;
    }
    sip_put_z(&f->head, "Record-Route: <sip:");
    token_put_flow(peer, &f->head, &flow, sip_field(f->edit.message, SIP_H_CALL_ID));
    sip_put_z(&f->head, "@");
    sip_put_addr(&f->head, &f->own[side->local], f->own[side->local].port);
    sip_put_z(&f->head, side->transport == PEAL_TCP ? ";transport=tcp;lr>\r\n" : ";lr>\r\n");
}

static bool forward_came_directly(const SipMessage *request)
{
    SipCursor at = {0};

    return sip_next(request, SIP_H_VIA, &at) && !sip_next(request, SIP_H_VIA, &at);
}

/*
 * Is the sender of a request that makes a dialog one of the overlay's own? Where there are
 * passwords such a one has given his, unless it was waved through as part of an earlier dialog.
 * Another adapter is not: it lets strangers through to this one.
 */
static bool forward_is_from_inside(PealPeer *peer, const ProxyRoute *route,
                                   const SipMessage *request)
{
    return !route->peer && (route->insider || (!(peer->sip->config->users && route->dialog) &&
                                               proxy_from_domain(peer, request).ptr != NULL));
}

/*
 * Step 4. The last of this adapter's entries on a Route is the one that faces where the request
 * goes. If its token leads to a phone, and no other Route is left, that is where the request goes,
 * whatever NAT made of the phone's Contact. So each side has an entry of its own, but for one where
 * an adapter or another proxy has its own; there, too, if the sides differ in transport or address
 * (RFC 5658), or if the adapter has to be known to let a stranger through to it.
 */
static void forward_put_record_route(PealPeer *peer, Forward *f, const ProxyContext *context,
                                     const ProxyBranch *branch, const SipMessage *request)
{
    const PealHop *in = &context->from;
    const PealHop *out = &branch->hop;
    const bool in_phone = !context->route.peer && !sip_has(request, SIP_H_RECORD_ROUTE);
    const bool differ = in->transport != out->transport || in->local != out->local;
    const bool to_peer = branch->kind == BRANCH_PEER;
    const TokenFlow in_flow = {.leads = in_phone && forward_came_directly(request),
                               .inside = forward_is_from_inside(peer, &context->route, request)};
    const TokenFlow out_flow = {.leads = branch->phone && branch->route_len == 0,
                                .inside = to_peer || branch->bound ||
                                          (branch->phone &&
                                           proxy_is_inside(&context->route, &out->addr))};

    if (differ || !to_peer || !in_flow.inside) {
        forward_put_route(peer, f, out, out_flow);
    }
    if (differ || in_phone || (to_peer && in_flow.inside)) {
        forward_put_route(peer, f, in, in_flow);
    }
}

void proxy_put_length(SipText *text, const SipMessage *message)
{
    if (!sip_has(message, SIP_H_CONTENT_LENGTH)) {
        sip_put_z(text, "Content-Length: ");
        sip_put_u32(text, (uint32_t)message->body.len);
        sip_put_z(text, "\r\n");
    }
}

/* Step 3. */
static void forward_max_forwards(Forward *f, const SipMessage *request)
{
    SipText text = sip_text_make(f->forwards, sizeof(f->forwards));
    int16_t field = request->first[SIP_H_MAX_FORWARDS];
    uint32_t forwards;

    if (field < 0) {
        sip_put_z(&f->head, "Max-Forwards: ");
        sip_put_u32(&f->head, PROXY_FORWARDS);
        sip_put_z(&f->head, "\r\n");
    } else if (sip_u32(sip_field(request, SIP_H_MAX_FORWARDS), UINT32_MAX, &forwards) == 0 &&
               forwards > 0) {
        sip_put_u32(&text, forwards - 1);
        sip_edit_replace(&f->edit, request->fields[field].value, request->fields[field].end,
                         sip_text_view(&text));
    }
}

/* RFC 5393 s.5.3.3; where a request has no Max-Breadth and goes one way only, the default does for
 * the next proxy as well as a header field would. */
static void forward_max_breadth(Forward *f, const ProxyContext *context, const ProxyBranch *branch,
                                const SipMessage *request)
{
    SipText text = sip_text_make(f->breadth, sizeof(f->breadth));
    int16_t field = request->first[SIP_H_MAX_BREADTH];

    if (field >= 0) {
        sip_put_u32(&text, branch->breadth);
        sip_edit_replace(&f->edit, request->fields[field].value, request->fields[field].end,
                         sip_text_view(&text));
    } else if (context->targets > 1) {
        sip_put_z(&f->head, "Max-Breadth: ");
        sip_put_u32(&f->head, branch->breadth);
        sip_put_z(&f->head, "\r\n");
    }
}

/* RFC 7339 s.5.6: what the client and this adapter have agreed on is no business of the next. */
static void forward_strip_oc(PealPeer *peer, Forward *f)
{
    char bytes[FORWARD_VIA_MAX];
    SipText via = sip_text_make(bytes, sizeof(bytes));

    if (peer->sip->transactions.oc != NULL) {
        oc_strip(&via, sip_text_view(&f->via));
        f->via.len = 0;
        sip_put(&f->via, sip_text_view(&via));
    }
}

static void forward_top_via(PealPeer *peer, Forward *f, const ProxyContext *context,
                            const SipMessage *request)
{
    SipCursor top = {0};

    if (!sip_next(request, SIP_H_VIA, &top)) {
        return;
    }
    sip_build_via(&f->via, request, &context->from);
    forward_strip_oc(peer, f);
    if (!sip_equal(top.element, sip_text_view(&f->via))) {
        sip_edit_replace(&f->edit, top.at, top.end, sip_text_view(&f->via));
    }
}

/* Credentials for the overlay's domains have served here; beyond they would only help who wants to
 * guess the password (22.3). */
static void forward_keep_credentials(PealPeer *peer, SipEdit *edit)
{
    const SipMessage *request = edit->message;

    for (size_t i = 0; peer->sip->config->users && i < request->fields_len; i++) {
        const SipField *field = &request->fields[i];
        const PealStr value = {request->bytes.ptr + field->value,
                               (size_t)field->end - field->value};
        SipDigest digest;

        if (field->header == SIP_H_PROXY_AUTHORIZATION && sip_digest_parse(value, &digest) == 0 &&
            sip_is_ours(peer, digest.realm)) {
            sip_edit_remove_field(edit, i);
        }
    }
}

/* The first of comma-separated values, as Path and Route have them. */
PealStr proxy_first_value(PealStr values)
{
    bool quoted = false;
    bool angled = false;

    for (size_t i = 0; i < values.len; i++) {
        char c = values.ptr[i];

        if (c == '"') {
            quoted = !quoted;
        } else if (!quoted && (c == '<' || c == '>')) {
            angled = c == '<';
        } else if (!quoted && !angled && c == ',') {
            return sip_trim((PealStr){values.ptr, i});
        }
    }
    return sip_trim(values);
}

static void forward_put_routes(SipText *head, PealStr routes)
{
    if (routes.len > 0) {
        sip_put_z(head, "Route: ");
        sip_put(head, routes);
        sip_put_z(head, "\r\n");
    }
}

/*
 * Steps 2 and 6, and what was this adapter's own Route. A next hop that is a strict router gets its
 * URI as Request-URI, and the Request-URI as the last Route.
 */
static int forward_routes(Forward *f, const ProxyContext *context, const ProxyBranch *branch,
                          const SipMessage *request, SipText *last)
{
    PealStr pushed = branch->route_len > 0
                         ? (PealStr){branch->text + branch->uri_len, branch->route_len}
                         : (PealStr){NULL, 0};
    PealStr uri = {branch->text, branch->uri_len};
    PealStr next =
        pushed.len > 0 ? proxy_first_value(pushed) : proxy_route_next(request, &context->route);
    const size_t uri_at = (size_t)(request->uri.ptr - request->bytes.ptr);
    bool strict = false;
    SipAddress route;
    PealStr lr;

    if (next.len > 0 && branch->kind != BRANCH_PEER) {
        if (sip_address_parse(next, &route) != 0) {
            return -PEAL_E_VALUE;
        }
        strict = !sip_param(route.uri.params, "lr", &lr);
    }
    proxy_route_strip(&f->edit, &context->route, strict && pushed.len == 0);
    if (strict && pushed.len > 0) {
        size_t past = (size_t)(next.ptr + next.len - pushed.ptr);

        pushed = (PealStr){pushed.ptr + past, pushed.len - past};
        pushed = sip_trim(pushed);
        if (pushed.len > 0) {
            pushed = sip_trim((PealStr){pushed.ptr + 1, pushed.len - 1}); /* its comma */
        }
    }
    forward_put_routes(&f->head, pushed);
    if (strict) {
        sip_put_z(last, "Route: <");
        sip_put(last, uri.len > 0 ? uri : proxy_route_uri(request, &context->route));
        sip_put_z(last, ">\r\n");
        sip_edit_insert(&f->edit, request->fields_end, sip_text_view(last));
        uri = route.uri.text;
    } else if (uri.len == 0 && context->route.strict) {
        uri = proxy_route_uri(request, &context->route);
    }
    if (uri.len > 0) {
        sip_edit_replace(&f->edit, uri_at, uri_at + request->uri.len, uri);
    }
    return 0;
}

/* Step 10. A request that is too long for a datagram tries TCP, but not to where only answers get
 * through. */
static int forward_send(PealPeer *peer, ProxyContext *context, uint32_t index, Forward *f)
{
    ProxyBranch *branch = &context->branches[index];
    const size_t cap = sip_edit_len(&f->edit);
    const bool may_grow =
        !branch->grown && !branch->phone && sip_has(f->edit.message, SIP_H_CONTENT_LENGTH);
    PealHop hop = may_grow ? sip_hop_for_size(&branch->hop, cap) : branch->hop;
    PealBuf *buf = peer->env->ops->buffer(peer->env, cap);
    SipMessage message;
    size_t len;
    int error;

    branch->grown = hop.transport != branch->hop.transport;
    if (branch->grown) {
        memcpy(f->transport, "TCP", 3);
    }
    error = sip_edit_write(&f->edit, buf->data, cap, &len);
    if (error == 0 && len > SIP_MESSAGE_MAX) {
        error = -PEAL_E_TOO_LARGE;
    }
    if (error == 0) {
        error = sip_message_scan((PealStr){(const char *)buf->data, len}, true, &message);
    }
    if (error == 0 && context->server == 0) {
        sip_send(peer->env, &hop, message.bytes);
    } else if (error == 0) {
        error = sip_tx_request(&peer->sip->transactions, &message, &hop,
                               proxy_handle(context, index), &branch->tx);
    }
    peer->env->ops->drop(peer->env, buf);
    return error;
}

int proxy_forward(PealPeer *peer, ProxyContext *context, const SipMessage *request, uint32_t index)
{
    const ProxyBranch *branch = &context->branches[index];
    char via[FORWARD_VIA_MAX];
    char last_bytes[PROXY_LAST_ROUTE_MAX];
    SipText last = sip_text_make(last_bytes, sizeof(last_bytes));
    char head[FORWARD_HEAD_MAX + PROXY_LAST_ROUTE_MAX];
    Forward f;
    int error;

    f.own_len = peer->env->ops->addresses(peer->env, PEAL_SERVICE_SIP, f.own, PEAL_ADDRESSES_MAX);
    if (branch->hop.local >= f.own_len || context->from.local >= f.own_len) {
        return -PEAL_E_UNREACHABLE;
    }
    f.head = sip_text_make(head, sizeof(head));
    f.via = sip_text_make(via, sizeof(via));
    sip_edit_init(&f.edit, request);
    forward_put_via(peer, &f, context, request, &branch->hop);
    if (peer->sip->config->record_route && forward_makes_dialog(request)) {
        forward_put_record_route(peer, &f, context, branch, request);
    }
    if (branch->hop.transport == PEAL_TCP) {
        proxy_put_length(&f.head, request);
    }
    forward_max_forwards(&f, request);
    forward_max_breadth(&f, context, branch, request);
    forward_top_via(peer, &f, context, request);
    forward_keep_credentials(peer, &f.edit);
    error = forward_routes(&f, context, branch, request, &last);
    sip_edit_insert(&f.edit, request->fields_at, sip_text_view(&f.head));
    if (error != 0 || f.head.overflow || f.via.overflow || last.overflow) {
        return error != 0 ? error : -PEAL_E_TOO_LARGE;
    }
    return forward_send(peer, context, index, &f);
}
