/* SPDX-License-Identifier: GPL-3.0-or-later */
/* raw.c - the parts of values in their bytes (raw.h). */
#include "sip/raw.h"

#include "sip/lex.h"

enum { PORT_MAX = 65535 };

static bool raw_is_at(PealStr str, size_t at, char c)
{
    return at < str.len && str.ptr[at] == c;
}

/* Behind white space, a separator and white space; false where there is none. */
static bool raw_separator(PealStr str, size_t *at, char separator)
{
    size_t found = lex_span(str, *at, LEX_LWS);

    if (!raw_is_at(str, found, separator)) {
        return false;
    }
    *at = lex_span(str, found + 1, LEX_LWS);
    return true;
}

static int raw_param_value(PealStr params, size_t *at, PealStr *ret_value)
{
    size_t end;

    if (raw_is_at(params, *at, '"')) {
        end = lex_quoted(params, *at);
        if (end == 0) {
            return -PEAL_E_VALUE;
        }
        *ret_value = lex_sub(params, *at + 1, end - 1);
        *at = end;
        return 0;
    }
    end = *at;
    while (end < params.len && (lex_is(params.ptr[end], LEX_BARE) || params.ptr[end] == '=')) {
        end++;
    }
    *ret_value = lex_sub(params, *at, end);
    *at = end;
    return 0;
}

int raw_param_next(PealStr params, size_t *at, RawParam *ret_param)
{
    RawParam param = {.at = lex_span(params, *at, LEX_LWS)};
    size_t end;

    if (param.at == params.len) {
        *at = param.at;
        *ret_param = param;
        return 0;
    }
    if (params.ptr[param.at] != ';') {
        return -PEAL_E_VALUE;
    }
    const size_t name_at = lex_span(params, param.at + 1, LEX_LWS);

    end = lex_span(params, name_at, LEX_BARE);
    if (end == name_at) {
        return -PEAL_E_VALUE;
    }
    param.name = lex_sub(params, name_at, end);
    if (raw_separator(params, &end, '=')) {
        param.has_value = true;
        if (raw_param_value(params, &end, &param.value) != 0) {
            return -PEAL_E_VALUE;
        }
    }
    param.end = end;
    *at = end;
    *ret_param = param;
    return 0;
}

static int raw_params_check(PealStr params)
{
    RawParam param;
    size_t at = 0;

    do {
        if (raw_param_next(params, &at, &param) != 0) {
            return -PEAL_E_VALUE;
        }
    } while (param.name.len > 0);
    return 0;
}

/* A host name, an IPv4 address or an IPv6 reference at `*at`. */
static int raw_host(PealStr text, size_t *at, PealStr *ret_host)
{
    size_t end;

    if (raw_is_at(text, *at, '[')) {
        const char *close = memchr(text.ptr + *at, ']', text.len - *at);
        PealAddr addr;

        if (close == NULL) {
            return -PEAL_E_VALUE;
        }
        end = (size_t)(close - text.ptr) + 1;
        if (sip_addr(lex_sub(text, *at, end), &addr) != 0) {
            return -PEAL_E_VALUE;
        }
    } else {
        end = lex_span(text, *at, LEX_HOST);
        if (end == *at) {
            return -PEAL_E_VALUE;
        }
    }
    *ret_host = lex_sub(text, *at, end);
    *at = end;
    return 0;
}

static int raw_port(PealStr text, size_t *at, uint16_t *ret_port)
{
    size_t end = lex_span(text, *at, LEX_DIGIT);
    uint32_t port;

    if (sip_u32(lex_sub(text, *at, end), PORT_MAX, &port) != 0 || port == 0) {
        return -PEAL_E_VALUE;
    }
    *ret_port = (uint16_t)port;
    *at = end;
    return 0;
}

static int raw_escapes_check(PealStr text)
{
    for (size_t at = 0; at < text.len; at++) {
        if (text.ptr[at] == '%' && (at + 2 >= text.len || !lex_is(text.ptr[at + 1], LEX_HEX) ||
                                    !lex_is(text.ptr[at + 2], LEX_HEX))) {
            return -PEAL_E_VALUE;
        }
    }
    return 0;
}

/* s.25.1 userinfo: the first '@' ends it, since it must be escaped before and cannot stand
 * behind. */
static int raw_userinfo(PealStr text, size_t *at, SipUri *uri)
{
    const char *sign = memchr(text.ptr + *at, '@', text.len - *at);
    const char *colon;
    PealStr info;

    if (sign == NULL) {
        return 0;
    }
    info = lex_sub(text, *at, (size_t)(sign - text.ptr));
    if (raw_escapes_check(info) != 0) {
        return -PEAL_E_VALUE;
    }
    colon = info.len > 0 ? memchr(info.ptr, ':', info.len) : NULL;
    uri->user = (PealStr){info.ptr, colon != NULL ? (size_t)(colon - info.ptr) : info.len};
    if (uri->user.len == 0) {
        return -PEAL_E_VALUE;
    }
    *at = (size_t)(sign - text.ptr) + 1;
    return 0;
}

static int raw_sip_uri(PealStr text, size_t at, SipUri *uri)
{
    const char *question;
    size_t end;

    if (raw_userinfo(text, &at, uri) != 0 || raw_host(text, &at, &uri->host) != 0) {
        return -PEAL_E_VALUE;
    }
    if (raw_is_at(text, at, ':')) {
        at++;
        if (raw_port(text, &at, &uri->port) != 0) {
            return -PEAL_E_VALUE;
        }
    }
    if (at == text.len) {
        return 0;
    }
    question = memchr(text.ptr + at, '?', text.len - at);
    end = question != NULL ? (size_t)(question - text.ptr) : text.len;
    if (question != NULL) {
        uri->headers = lex_sub(text, end + 1, text.len);
    }
    uri->params = lex_sub(text, at, end);
    return raw_params_check(uri->params);
}

static SipScheme raw_scheme(PealStr scheme)
{
    if (sip_is(scheme, "sip")) {
        return SIP_SCHEME_SIP;
    }
    if (sip_is(scheme, "sips")) {
        return SIP_SCHEME_SIPS;
    }
    return sip_is(scheme, "tel") ? SIP_SCHEME_TEL : SIP_SCHEME_OTHER;
}

int raw_uri(PealStr text, SipUri *ret_uri)
{
    SipUri uri = {.text = text};
    size_t colon = lex_span(text, 0, LEX_SCHEME);

    if (colon == 0 || !raw_is_at(text, colon, ':') || colon + 1 == text.len ||
        lex_span(text, colon, LEX_URI) != text.len || lex_lower(text.ptr[0]) < 'a') {
        return -PEAL_E_VALUE;
    }
    uri.scheme = raw_scheme(lex_sub(text, 0, colon));
    if (uri.scheme == SIP_SCHEME_SIP || uri.scheme == SIP_SCHEME_SIPS) {
        if (raw_sip_uri(text, colon + 1, &uri) != 0) {
            return -PEAL_E_VALUE;
        }
    } else if (uri.scheme == SIP_SCHEME_TEL) {
        const char *semicolon = memchr(text.ptr + colon, ';', text.len - colon);
        size_t end = semicolon != NULL ? (size_t)(semicolon - text.ptr) : text.len;

        uri.user = lex_sub(text, colon + 1, end);
        uri.params = lex_sub(text, end, text.len);
        if (uri.user.len == 0 || raw_params_check(uri.params) != 0) {
            return -PEAL_E_VALUE;
        }
    }
    *ret_uri = uri;
    return 0;
}

/* display-name: a quoted string, or tokens; what stands in other alphabets is let through unquoted,
 * as phones write it. */
static int raw_display(PealStr display, PealStr *ret_display)
{
    display = sip_trim(display);
    if (raw_is_at(display, 0, '"')) {
        if (lex_quoted(display, 0) != display.len) {
            return -PEAL_E_VALUE;
        }
        *ret_display = lex_sub(display, 1, display.len - 1);
        return 0;
    }
    for (size_t at = 0; at < display.len; at++) {
        char c = display.ptr[at];

        if (!lex_is(c, LEX_TOKEN | LEX_LWS) && (uint8_t)c < 0x80) {
            return -PEAL_E_VALUE;
        }
    }
    *ret_display = display;
    return 0;
}

/* Where the '<' of a name-addr stands, text.len for an addr-spec. */
static int raw_bracket(PealStr text, size_t *ret_at)
{
    size_t from = 0;
    const char *bracket;

    if (text.ptr[0] == '"') {
        from = lex_quoted(text, 0);
        if (from == 0) {
            return -PEAL_E_VALUE;
        }
    }
    bracket = memchr(text.ptr + from, '<', text.len - from);
    if (bracket == NULL && from > 0) {
        return -PEAL_E_VALUE;
    }
    *ret_at = bracket != NULL ? (size_t)(bracket - text.ptr) : text.len;
    return 0;
}

/* s.20: an addr-spec that stands by itself has no comma, question mark or semicolon; a semicolon
 * begins a parameter of the field. */
static size_t raw_addr_spec(PealStr text)
{
    size_t at = 0;

    while (at < text.len && lex_is(text.ptr[at], LEX_URI) && text.ptr[at] != ';' &&
           text.ptr[at] != ',' && text.ptr[at] != '?') {
        at++;
    }
    return at;
}

int raw_address(PealStr text, SipAddress *ret_address)
{
    SipAddress address = {0};
    size_t bracket;
    size_t end;
    PealStr uri;

    text = sip_trim(text);
    if (text.len == 0 || raw_bracket(text, &bracket) != 0) {
        return -PEAL_E_VALUE;
    }
    if (text.len == 1 && text.ptr[0] == '*') {
        *ret_address = (SipAddress){.star = true};
        return 0;
    }
    end = bracket == text.len ? raw_addr_spec(text) : text.len;
    if (bracket < end) {
        const char *close = memchr(text.ptr + bracket, '>', text.len - bracket);

        if (close == NULL || raw_display(lex_sub(text, 0, bracket), &address.display) != 0) {
            return -PEAL_E_VALUE;
        }
        end = (size_t)(close - text.ptr);
        uri = lex_sub(text, bracket + 1, end);
        end++;
    } else {
        uri = lex_sub(text, 0, end);
    }
    if (raw_uri(uri, &address.uri) != 0) {
        return -PEAL_E_VALUE;
    }
    address.params = lex_sub(text, end, text.len);
    if (raw_params_check(address.params) != 0) {
        return -PEAL_E_VALUE;
    }
    *ret_address = address;
    return 0;
}

int raw_cseq(PealStr text, SipCSeq *ret_cseq)
{
    size_t digits = lex_span(text, 0, LEX_DIGIT);
    size_t method = lex_span(text, digits, LEX_LWS);
    uint32_t number;

    /* s.8.1.1.5: 32 bits; libosip2 would wrap around. */
    if (method == digits || method == text.len || lex_span(text, method, LEX_TOKEN) != text.len ||
        sip_u32(lex_sub(text, 0, digits), UINT32_MAX, &number) != 0) {
        return -PEAL_E_VALUE;
    }
    *ret_cseq = (SipCSeq){number, lex_sub(text, method, text.len)};
    return 0;
}

/* sent-protocol: three tokens with slashes, white space around them allowed. */
static int raw_protocol(PealStr text, size_t *at, SipVia *via)
{
    size_t end = lex_span(text, 0, LEX_TOKEN);
    size_t from;

    if (!sip_is(lex_sub(text, 0, end), "SIP") || !raw_separator(text, &end, '/')) {
        return -PEAL_E_VALUE;
    }
    from = end;
    end = lex_span(text, from, LEX_TOKEN);
    via->version = lex_sub(text, from, end);
    if (!raw_separator(text, &end, '/')) {
        return -PEAL_E_VALUE;
    }
    from = end;
    end = lex_span(text, from, LEX_TOKEN);
    via->transport = lex_sub(text, from, end);
    *at = lex_span(text, end, LEX_LWS);
    return via->version.len > 0 && via->transport.len > 0 && *at > end ? 0 : -PEAL_E_VALUE;
}

static int raw_via_params(SipVia *via)
{
    RawParam param;
    size_t at = 0;

    do {
        uint32_t port;

        if (raw_param_next(via->params, &at, &param) != 0) {
            return -PEAL_E_VALUE;
        }
        if (sip_is(param.name, "branch")) {
            via->branch = param.value;
        } else if (sip_is(param.name, "received")) {
            via->received = param.value;
        } else if (sip_is(param.name, "rport")) {
            via->rport_asked = param.value.len == 0;
            if (param.value.len > 0) {
                if (sip_u32(param.value, PORT_MAX, &port) != 0) {
                    return -PEAL_E_VALUE;
                }
                via->rport = (uint16_t)port;
            }
        }
    } while (param.name.len > 0);
    return 0;
}

int raw_via(PealStr text, SipVia *ret_via, bool *ret_whole)
{
    SipVia via = {0};
    size_t at = 0;

    text = sip_trim(text);
    if (raw_protocol(text, &at, &via) != 0 || raw_host(text, &at, &via.host) != 0) {
        return -PEAL_E_VALUE;
    }
    if (raw_separator(text, &at, ':') && raw_port(text, &at, &via.port) != 0) {
        return -PEAL_E_VALUE;
    }
    at = lex_span(text, at, LEX_LWS);
    via.params = lex_sub(text, at, text.len);
    via.text = text;
    *ret_whole = raw_via_params(&via) == 0;
    *ret_via = via;
    return 0;
}
