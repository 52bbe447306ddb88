/* SPDX-License-Identifier: GPL-3.0-or-later */
/* uri_same.c - are two URIs the same (RFC 3261 s.19.1.4)? */
#include "sip/lex.h"
#include "sip/raw.h"

/* Longer ones are the same only to the byte: comparing all pairs of parameters has its bound
 * here. */
enum { URI_SAME_MAX = 2048 };

/* One character of a URI. An escaped one outside the reserved set is the same as written plainly
 * (s.19.1.4); of the others the escape is part of what they are. */
typedef struct UriUnit {
    uint8_t byte;
    bool escaped;
} UriUnit;

static unsigned uri_hex(char c)
{
    c = lex_lower(c);
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static UriUnit uri_unit(PealStr text, size_t *at)
{
    static const char reserved[] = ";/?:@&=+$,%";
    const size_t here = *at;

    if (text.ptr[here] == '%' && here + 2 < text.len && lex_is(text.ptr[here + 1], LEX_HEX) &&
        lex_is(text.ptr[here + 2], LEX_HEX)) {
        uint8_t byte = (uint8_t)(uri_hex(text.ptr[here + 1]) << 4 | uri_hex(text.ptr[here + 2]));

        *at = here + 3;
        return (UriUnit){byte, byte == 0 || strchr(reserved, byte) != NULL};
    }
    *at = here + 1;
    return (UriUnit){(uint8_t)text.ptr[here], false};
}

static bool uri_text_same(PealStr a, PealStr b, bool any_case)
{
    size_t at_a = 0;
    size_t at_b = 0;

    while (at_a < a.len && at_b < b.len) {
        UriUnit unit_a = uri_unit(a, &at_a);
        UriUnit unit_b = uri_unit(b, &at_b);

        if (any_case) {
            unit_a.byte = (uint8_t)lex_lower((char)unit_a.byte);
            unit_b.byte = (uint8_t)lex_lower((char)unit_b.byte);
        }
        if (unit_a.byte != unit_b.byte || unit_a.escaped != unit_b.escaped) {
            return false;
        }
    }
    return at_a == a.len && at_b == b.len;
}

/* User and password: what stands between the scheme and '@', case sensitive. */
static PealStr uri_userinfo(const SipUri *uri)
{
    if (uri->user.len == 0) {
        return (PealStr){0};
    }
    return (PealStr){uri->user.ptr, (size_t)(uri->host.ptr - 1 - uri->user.ptr)};
}

static bool uri_find_param(PealStr params, PealStr name, PealStr *ret_value)
{
    RawParam param;
    size_t at = 0;

    while (raw_param_next(params, &at, &param) == 0 && param.name.len > 0) {
        if (uri_text_same(param.name, name, true)) {
            *ret_value = param.value;
            return true;
        }
    }
    return false;
}

/* These count even where only one of the two URIs has them; others must agree only in both. */
static bool uri_param_counts(PealStr name)
{
    static const char *const counts[] = {"user", "ttl", "method", "maddr", "transport"};

    for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
        if (sip_is(name, counts[i])) {
            return true;
        }
    }
    return false;
}

static bool uri_params_same(PealStr a, PealStr b)
{
    RawParam param;
    size_t at = 0;

    while (raw_param_next(a, &at, &param) == 0 && param.name.len > 0) {
        PealStr other;

        if (uri_find_param(b, param.name, &other) ? !uri_text_same(param.value, other, true)
                                                  : uri_param_counts(param.name)) {
            return false;
        }
    }
    return true;
}

/* The header, `name=value`, that begins at `*at`; empty at the end. */
static PealStr uri_header_next(PealStr headers, size_t *at)
{
    const size_t from = *at;
    size_t end = from;

    while (end < headers.len && headers.ptr[end] != '&') {
        end++;
    }
    *at = end < headers.len ? end + 1 : end;
    return from < headers.len ? lex_sub(headers, from, end) : (PealStr){0};
}

/* Every header of `a` is in `b`. */
static bool uri_headers_in(PealStr a, PealStr b)
{
    for (size_t at_a = 0; at_a < a.len;) {
        PealStr header = uri_header_next(a, &at_a);
        bool found = false;

        for (size_t at_b = 0; at_b < b.len && !found;) {
            found = uri_text_same(header, uri_header_next(b, &at_b), true);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool sip_uri_same(const SipUri *a, const SipUri *b)
{
    if (sip_equal(a->text, b->text)) {
        return true;
    }
    if (a->scheme != b->scheme || a->scheme == SIP_SCHEME_OTHER || a->text.len > URI_SAME_MAX ||
        b->text.len > URI_SAME_MAX) {
        return false;
    }
    if (a->scheme == SIP_SCHEME_TEL) {
        return sip_same(a->user, b->user) && uri_params_same(a->params, b->params) &&
               uri_params_same(b->params, a->params);
    }
    return sip_same(a->host, b->host) && a->port == b->port &&
           uri_text_same(uri_userinfo(a), uri_userinfo(b), false) &&
           uri_params_same(a->params, b->params) && uri_params_same(b->params, a->params) &&
           uri_headers_in(a->headers, b->headers) && uri_headers_in(b->headers, a->headers);
}
