/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * value.h - the values of header fields, read by libosip2 inside an arena (arena.h) and checked
 * where
 *           libosip2 lets through what it should not.
 * Source: RFC 3261 s.19.1, s.20, s.25.1; RFC 3581; RFC 8760 for credentials.
 * State:  none; texts point into what was read, a digest's into the arena.   Time: one dispatch.
 *
 * sip_uri_parse, sip_address_parse and sip_digest_parse work inside an arena only. libosip2 judges
 * the grammar of the first two; where their parts stand is found in the bytes themselves (raw.h),
 * because what libosip2 decodes cannot be written back and ends at `%00`. The others need no arena.
 * All parsers return 0, -PEAL_E_VALUE, or -PEAL_E_FULL when the arena is used up.
 */
#ifndef SIP_VALUE_H
#define SIP_VALUE_H

#include "sip/text.h"

typedef enum SipScheme {
    SIP_SCHEME_SIP,
    SIP_SCHEME_SIPS,
    SIP_SCHEME_TEL,
    SIP_SCHEME_OTHER
} SipScheme;

typedef struct SipUri {
    PealStr text; /* the whole URI as written */
    SipScheme scheme;
    PealStr user;    /* as written, escapes kept; empty for none */
    PealStr host;    /* an IPv6 reference with its brackets */
    uint16_t port;   /* 0 for none */
    PealStr params;  /* from the first ';' on, without '?' and what follows */
    PealStr headers; /* behind '?' */
} SipUri;
int sip_uri_parse(PealStr text, SipUri *ret_uri) PEAL_MUST_USE;

/* sip_uri_same compares by RFC 3261 s.19.1.4. */
bool sip_uri_same(const SipUri *a, const SipUri *b);

/* sip_param finds `;name` or `;name=value` in parameters, name in any case; value trimmed and
 * unquoted, empty for a flag. */
bool sip_param(PealStr params, const char *name, PealStr *ret_value);

/* name-addr or addr-spec with parameters, as in From, To, Contact, Route, Record-Route, Path. */
typedef struct SipAddress {
    bool star; /* Contact: * */
    PealStr display;
    SipUri uri;
    PealStr params; /* of the field, not of the URI */
} SipAddress;
int sip_address_parse(PealStr text, SipAddress *ret_address) PEAL_MUST_USE;

typedef struct SipVia {
    PealStr text;      /* all of it, trimmed */
    PealStr version;   /* 2.0 */
    PealStr transport; /* UDP, TCP, ... */
    PealStr host;
    uint16_t port; /* 0 for none */
    PealStr branch;
    PealStr received;
    bool rport_asked; /* ;rport without a value */
    uint16_t rport;   /* 0 for none */
    PealStr params;
} SipVia;
int sip_via_parse(PealStr text, SipVia *ret_via) PEAL_MUST_USE;

typedef struct SipCSeq {
    uint32_t number;
    PealStr method;
} SipCSeq;
int sip_cseq_parse(PealStr text, SipCSeq *ret_cseq) PEAL_MUST_USE;

/* Digest credentials or a challenge: values unquoted. */
typedef struct SipDigest {
    PealStr scheme; /* Digest */
    PealStr username;
    PealStr realm;
    PealStr nonce;
    PealStr uri;
    PealStr response;
    PealStr algorithm;
    PealStr cnonce;
    PealStr opaque;
    PealStr qop;
    PealStr nc;
    bool stale;
} SipDigest;
int sip_digest_parse(PealStr text, SipDigest *ret_digest) PEAL_MUST_USE;

#endif
