/* SPDX-License-Identifier: GPL-3.0-or-later */
/* proxy_check.c - request validation (RFC 3261 s.16.3), and whom this proxy works for. */
#include "sip/proxy_state.h"

enum { CHECK_VIAS_MAX = 128, CHECK_HASH_DIGITS = 16 };

/* FNV-1a. Who makes two requests collide has only his own refused. */
static uint64_t check_mix(uint64_t hash, PealStr part)
{
    for (size_t i = 0; i < part.len; i++) {
        hash = (hash ^ (uint8_t)part.ptr[i]) * UINT64_C(0x100000001b3);
    }
    return (hash ^ 0xff) * UINT64_C(0x100000001b3);
}

/* Whatever decides where the request goes, and what tells transactions apart; not the method. */
uint64_t proxy_loop_hash(const SipMessage *request, const ProxyRoute *route)
{
    static const SipHeader headers[] = {SIP_H_CALL_ID, SIP_H_FROM, SIP_H_TO, SIP_H_PROXY_REQUIRE,
                                        SIP_H_PROXY_AUTHORIZATION};
    uint64_t hash = check_mix(UINT64_C(0xcbf29ce484222325), request->uri);
    SipCursor at = {0};
    SipCSeq cseq;

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        hash = check_mix(hash, sip_field(request, headers[i]));
    }
    if (sip_cseq_parse(sip_field(request, SIP_H_CSEQ), &cseq) == 0) {
        hash = (hash ^ cseq.number) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; sip_next(request, SIP_H_ROUTE, &at); i++) {
        if (i >= route->own) {
            hash = check_mix(hash, at.element);
        }
    }
    return (hash ^ (route->peer ? 1 : 0)) * UINT64_C(0x100000001b3);
}

void proxy_put_hash(SipText *text, uint64_t hash)
{
    uint8_t bytes[sizeof(hash)];

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(hash >> (8 * (sizeof(bytes) - 1 - i)));
    }
    sip_put_hex(text, bytes, sizeof(bytes));
}

static bool check_loops(PealPeer *peer, const SipMessage *request, const ProxyRoute *route)
{
    char digits[CHECK_HASH_DIGITS];
    SipText text = sip_text_make(digits, sizeof(digits));
    SipCursor at = {0};
    bool hashed = false;

    for (size_t i = 0; i < CHECK_VIAS_MAX && sip_next(request, SIP_H_VIA, &at); i++) {
        SipVia via;
        PealStr second;

        if (sip_via_parse(at.element, &via) != 0 || !sip_is_self(peer, via.host, via.port) ||
            via.branch.len <= CHECK_HASH_DIGITS) {
            continue;
        }
        if (!hashed) {
            proxy_put_hash(&text, proxy_loop_hash(request, route));
            hashed = true;
        }
        second = (PealStr){via.branch.ptr + via.branch.len - CHECK_HASH_DIGITS, CHECK_HASH_DIGITS};
        if (sip_same(second, sip_text_view(&text))) {
            return true;
        }
    }
    return false;
}

bool proxy_has_to_tag(const SipMessage *request)
{
    SipAddress to;
    PealStr tag;

    return sip_address_parse(sip_field(request, SIP_H_TO), &to) == 0 &&
           sip_param(to.params, "tag", &tag);
}

PealStr proxy_from_domain(PealPeer *peer, const SipMessage *request)
{
    SipAddress from;

    if (sip_address_parse(sip_field(request, SIP_H_FROM), &from) != 0 ||
        from.uri.scheme > SIP_SCHEME_SIPS) {
        return (PealStr){NULL, 0};
    }
    return sip_domain(peer, from.uri.host);
}

/* From an adapter that has looked at it, for a binding here; or inside a dialog that this adapter
 * is in, to the phone of its token, or from or to its inside. */
bool proxy_is_trusted(const ProxyRoute *route)
{
    const bool to_phone = !route->left && (route->flow || route->dead);

    return (route->peer && !route->left) ||
           (route->dialog && (to_phone || route->insider || route->inward));
}

static bool check_can_be_asked(const SipMessage *request)
{
    return request->code != SIP_ACK && request->code != SIP_CANCEL;
}

bool proxy_may_vouch(PealPeer *peer, const SipMessage *request)
{
    const PealSipConfig *config = peer->sip->config;

    if (config->users && !check_can_be_asked(request) &&
        (request->code != SIP_ACK || config->record_route)) {
        /* The CANCEL is of no INVITE that was challenged (22.1); the ACK of a call that was has a
         * token, unless nobody records routes. Here From proves nothing. */
        return false;
    }
    return proxy_from_domain(peer, request).ptr != NULL;
}

bool proxy_must_authenticate(PealPeer *peer, const SipMessage *request, const ProxyRoute *route,
                             PealStr *ret_realm)
{
    if (!peer->sip->config->users || !check_can_be_asked(request) || proxy_is_trusted(route) ||
        route->guarded) {
        return false;
    }
    *ret_realm = proxy_from_domain(peer, request);
    return ret_realm->ptr != NULL;
}

/* No open relay: what comes from outside the domains stays inside. */
static bool check_may_pass(PealPeer *peer, const SipMessage *request, const ProxyRoute *route,
                           const SipUri *uri)
{
    if (proxy_is_trusted(route) || route->guarded) {
        return true;
    }
    if (!route->left && proxy_is_aor(peer, uri, false)) {
        return true;
    }
    return proxy_may_vouch(peer, request);
}

static void check_unsupported(const SipMessage *request, ProxyRefusal *refusal)
{
    SipText text = sip_text_make(refusal->text, sizeof(refusal->text));
    SipCursor at = {0};

    sip_put_z(&text, "Unsupported: ");
    for (size_t i = 0; sip_next(request, SIP_H_PROXY_REQUIRE, &at); i++) {
        sip_put_z(&text, i > 0 ? ", " : "");
        sip_put(&text, at.element);
    }
    sip_put_z(&text, "\r\n");
    if (!text.overflow) {
        refusal->headers = sip_text_view(&text);
    }
}

void proxy_check(PealPeer *peer, const SipMessage *request, const ProxyRoute *route,
                 ProxyRefusal *ret_refusal)
{
    SipCursor required = {0};
    uint32_t forwards;
    SipUri uri;

    ret_refusal->status = 0;
    ret_refusal->why = NULL;
    ret_refusal->headers = (PealStr){NULL, 0};
    if (sip_uri_parse(proxy_route_uri(request, route), &uri) != 0) {
        ret_refusal->status = 400;
        ret_refusal->why = "Bad Request-URI";
    } else if (uri.scheme != SIP_SCHEME_SIP) {
        ret_refusal->status = 416; /* sips, too: there is no TLS to go by */
    } else if (sip_has(request, SIP_H_MAX_FORWARDS) &&
               sip_u32(sip_field(request, SIP_H_MAX_FORWARDS), UINT32_MAX, &forwards) == 0 &&
               forwards == 0) {
        ret_refusal->status = 483;
    } else if (check_loops(peer, request, route)) {
        ret_refusal->status = 482;
    } else if (request->code != SIP_ACK && request->code != SIP_CANCEL &&
               sip_next(request, SIP_H_PROXY_REQUIRE, &required)) {
        ret_refusal->status = 420;
        check_unsupported(request, ret_refusal);
    } else if (!check_may_pass(peer, request, route, &uri)) {
        ret_refusal->status = 403;
        ret_refusal->why = "Relaying Denied";
    }
}
