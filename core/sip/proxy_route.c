/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy_route.c - route information preprocessing (RFC 3261 s.16.4). */
#include "sip/proxy_state.h"

enum { ROUTE_OWN_MAX = 16 }; /* two of each of this adapter's turns in a dialog's way */

bool proxy_is_inside(const ProxyRoute *route, const PealAddr *addr)
{
    for (uint8_t i = 0; i < route->inside_len; i++) {
        const PealAddr *inside = &route->inside[i];

        if (inside->family == addr->family &&
            (inside->port == addr->port || inside->port == 0 || addr->port == 0) &&
            memcmp(inside->ip, addr->ip, addr->family == 4 ? 4 : sizeof(addr->ip)) == 0) {
            return true;
        }
    }
    return false;
}

/* A token of a dialog's; outside of one it has no business. */
static bool route_flow(PealPeer *peer, const SipMessage *request, PealStr user, TokenFlow *ret_flow)
{
    return proxy_has_to_tag(request) &&
           token_get_flow(peer, user, sip_field(request, SIP_H_CALL_ID), ret_flow) == 0;
}

/* What the user part of an own Route says. A later one has the last word on the hop: it is the
 * one that faces where the request goes. */
static void route_token(PealPeer *peer, const SipMessage *request, PealStr user, ProxyRoute *route)
{
    TokenFlow flow;
    PealId node;

    if (route_flow(peer, request, user, &flow)) {
        route->dialog = true;
        route->dead = flow.leads && flow.gone;
        route->flow = flow.leads && !flow.gone;
        route->hop = flow.hop;
        if (flow.inside && route->inside_len < PROXY_INSIDE_MAX) {
            PealAddr *inside = &route->inside[route->inside_len++];

            *inside = flow.hop.addr;
            inside->port = flow.hop.conn != 0 ? 0 : inside->port;
        }
    } else if (token_get_peer(peer, user, &node) == 0) {
        route->peer = true;
    }
}

/* The Request-URI is what this adapter wrote into a Record-Route: a strict router in front replaced
 * it, and the one that is meant stands last. */
static bool route_is_strict(PealPeer *peer, const SipMessage *request)
{
    SipUri uri;
    PealStr lr;
    TokenFlow flow;

    return sip_uri_parse(request->uri, &uri) == 0 && uri.user.len > 0 &&
           sip_param(uri.params, "lr", &lr) && sip_is_self(peer, uri.host, uri.port) &&
           route_flow(peer, request, uri.user, &flow);
}

/* Phones may name their domain as their outbound proxy. */
static bool route_is_own(PealPeer *peer, const SipUri *uri)
{
    return sip_is_self(peer, uri->host, uri->port) ||
           (uri->user.len == 0 && proxy_is_aor(peer, uri, false));
}

PealStr proxy_host(const SipUri *uri)
{
    PealStr host = uri->host;

    (void)sip_param(uri->params, "maddr", &host);
    return host;
}

/* The address of what decides where the request goes, its next Route or its URI; family 0 for a
 * name, which only DNS can tell. */
static PealAddr route_next_addr(const SipMessage *request, const ProxyRoute *route)
{
    const PealAddr none = {.family = 0};
    SipAddress next = {.star = false};
    PealAddr addr;
    int error = route->left ? sip_address_parse(proxy_route_next(request, route), &next)
                            : sip_uri_parse(proxy_route_uri(request, route), &next.uri);

    if (error != 0 || next.star || next.uri.scheme != SIP_SCHEME_SIP ||
        sip_addr(proxy_host(&next.uri), &addr) != 0) {
        return none;
    }
    addr.port = next.uri.port != 0 ? next.uri.port : SIP_DEFAULT_PORT;
    return addr;
}

/* Who may do what inside a dialog. */
static void route_judge(PealPeer *peer, const SipMessage *request, const PealHop *from,
                        ProxyRoute *route)
{
    const PealAddr next = route_next_addr(request, route);
    PealAddr sender = from->addr;
    bool vouched;

    sender.port = 0;
    route->insider = proxy_is_inside(route, &sender);
    route->inward = proxy_is_inside(route, &next);
    /* Who was challenged on the way to a name that means an address on the inside could not help
     * it: the adapter that he came by keeps his answer. */
    vouched = proxy_may_vouch(peer, request) && (!peer->sip->config->users || next.family != 0);
    route->guarded = route->dialog && !proxy_is_trusted(route) && !vouched;
}

unsigned proxy_route_read(PealPeer *peer, const SipMessage *request, const PealHop *from,
                          ProxyRoute *ret_route)
{
    SipCursor at = {0};
    size_t values = 0;
    bool on_top = true;

    *ret_route = (ProxyRoute){.own = 0};
    while (sip_next(request, SIP_H_ROUTE, &at)) {
        SipAddress route;

        values++;
        if (!on_top) {
            continue;
        }
        if (sip_address_parse(at.element, &route) != 0 || route.star) {
            return 400;
        }
        on_top = route_is_own(peer, &route.uri);
        if (on_top && ret_route->own == ROUTE_OWN_MAX) {
            return 482;
        }
        if (on_top) {
            ret_route->own++;
            route_token(peer, request, route.uri.user, ret_route);
        }
    }
    if (values > 0 && route_is_strict(peer, request)) {
        SipUri uri;

        if (ret_route->own == values) {
            return 400; /* the URI that was meant is one of this adapter's, too */
        }
        ret_route->strict = true;
        values--;
        if (ret_route->own == 0 && sip_uri_parse(request->uri, &uri) == 0) {
            route_token(peer, request, uri.user, ret_route);
        }
    }
    ret_route->left = values > ret_route->own;
    route_judge(peer, request, from, ret_route);
    return 0;
}

/* The last Route value. */
static bool route_last(const SipMessage *request, SipCursor *ret_at)
{
    SipCursor at = {0};
    bool found = false;

    while (sip_next(request, SIP_H_ROUTE, &at)) {
        *ret_at = at;
        found = true;
    }
    return found;
}

PealStr proxy_route_uri(const SipMessage *request, const ProxyRoute *route)
{
    SipCursor last;
    SipAddress address;

    if (route->strict && route_last(request, &last) &&
        sip_address_parse(last.element, &address) == 0) {
        return address.uri.text;
    }
    return request->uri;
}

PealStr proxy_route_next(const SipMessage *request, const ProxyRoute *route)
{
    SipCursor at = {0};

    for (size_t i = 0; route->left && sip_next(request, SIP_H_ROUTE, &at); i++) {
        if (i == route->own) {
            return at.element;
        }
    }
    return (PealStr){NULL, 0};
}

void proxy_route_strip(SipEdit *edit, const ProxyRoute *route, bool first)
{
    SipCursor at = {0};
    size_t gone = route->own + (first && route->left ? 1U : 0U);
    SipCursor last;

    for (size_t i = 0; i < gone && sip_next(edit->message, SIP_H_ROUTE, &at); i++) {
        sip_edit_remove_element(edit, &at);
    }
    if (route->strict && route_last(edit->message, &last)) {
        sip_edit_remove_element(edit, &last);
    }
}
