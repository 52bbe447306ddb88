/* SPDX-License-Identifier: GPL-3.0-or-later */
/* value.c - values: libosip2's judgement, its reading of credentials, and comparing URIs. */
#include "sip/value.h"

#include <osipparser2/osip_message.h>

#include "sip/arena.h"
#include "sip/lex.h"
#include "sip/raw.h"

/*
 * A copy in the arena that ends with a NUL, as libosip2 wants it, and unfolded, as it expects of a
 * value. Its parsers read a few bytes past the end of what they look for, never past the NUL.
 */
static char *value_copy(PealStr text)
{
    char *copy = sip_arena_alloc(text.len + 1);

    if (copy == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        copy[i] = c == '\r' || c == '\n' ? ' ' : c;
    }
    copy[text.len] = '\0';
    return copy;
}

static int value_error(int osip)
{
    if (osip == OSIP_SUCCESS) {
        return 0;
    }
    return osip == OSIP_NOMEM ? -PEAL_E_FULL : -PEAL_E_VALUE;
}

/* A quoted NUL (RFC 4475 s.3.1.1.2) is valid, but libosip2 would judge half of the text. */
static bool value_is_judged(PealStr text)
{
    return text.ptr != NULL && text.len > 0 && memchr(text.ptr, '\0', text.len) == NULL;
}

static int value_judge_uri(PealStr text)
{
    osip_uri_t *uri = NULL;
    const char *copy = value_copy(text);

    if (copy == NULL || osip_uri_init(&uri) != OSIP_SUCCESS) {
        return -PEAL_E_FULL;
    }
    return value_error(osip_uri_parse(uri, copy));
}

int sip_uri_parse(PealStr text, SipUri *ret_uri)
{
    SipArena *arena = sip_arena_current();
    const size_t used = arena->used;
    SipUri uri;
    int error = raw_uri(text, &uri);

    if (error == 0 && uri.scheme != SIP_SCHEME_OTHER) {
        error = value_judge_uri(text);
        arena->used = used; /* nothing of it is kept */
    }
    if (error == 0) {
        *ret_uri = uri;
    }
    return error;
}

static int value_judge_address(PealStr text)
{
    osip_contact_t *contact = NULL;
    const char *copy;

    if (!value_is_judged(text)) {
        return 0;
    }
    copy = value_copy(text);
    if (copy == NULL || osip_contact_init(&contact) != OSIP_SUCCESS) {
        return -PEAL_E_FULL;
    }
    return value_error(osip_contact_parse(contact, copy));
}

int sip_address_parse(PealStr text, SipAddress *ret_address)
{
    SipArena *arena = sip_arena_current();
    const size_t used = arena->used;
    SipAddress address;
    int error;

    text = sip_trim(text);
    error = raw_address(text, &address);
    if (error == 0 && !address.star && address.uri.scheme != SIP_SCHEME_OTHER) {
        /* From the bracket on: of a display name libosip2 knows only ASCII, and no quoted NUL. */
        const size_t from = (size_t)(address.uri.text.ptr - text.ptr);

        error = value_judge_address(lex_sub(text, from > 0 ? from - 1 : 0, text.len));
        arena->used = used;
    }
    if (error == 0) {
        *ret_address = address;
    }
    return error;
}

int sip_via_parse(PealStr text, SipVia *ret_via)
{
    SipVia via;
    bool whole;

    if (raw_via(text, &via, &whole) != 0 || !whole) {
        return -PEAL_E_VALUE;
    }
    *ret_via = via;
    return 0;
}

int sip_cseq_parse(PealStr text, SipCSeq *ret_cseq)
{
    return raw_cseq(text, ret_cseq);
}

bool sip_param(PealStr params, const char *name, PealStr *ret_value)
{
    RawParam param;
    size_t at = 0;

    while (raw_param_next(params, &at, &param) == 0 && param.name.len > 0) {
        if (sip_is(param.name, name)) {
            *ret_value = param.value;
            return true;
        }
    }
    return false;
}

/* Without its quotes; empty where libosip2 found none. */
static PealStr value_unquoted(const char *z)
{
    PealStr str = z != NULL ? sip_trim(sip_str(z)) : (PealStr){0};

    if (str.len >= 2 && str.ptr[0] == '"' && str.ptr[str.len - 1] == '"') {
        return lex_sub(str, 1, str.len - 1);
    }
    return str;
}

/* A challenge has what credentials have not: stale, and a list of qop, at which the parser of
 * credentials stumbles. */
static int value_challenge(const char *copy, SipDigest *ret_digest)
{
    osip_www_authenticate_t *read = NULL;
    int error;

    if (osip_www_authenticate_init(&read) != OSIP_SUCCESS) {
        return -PEAL_E_FULL;
    }
    error = value_error(osip_www_authenticate_parse(read, copy));
    if (error == 0) {
        *ret_digest = (SipDigest){.scheme = value_unquoted(read->auth_type),
                                  .realm = value_unquoted(read->realm),
                                  .nonce = value_unquoted(read->nonce),
                                  .algorithm = value_unquoted(read->algorithm),
                                  .opaque = value_unquoted(read->opaque),
                                  .qop = value_unquoted(read->qop_options),
                                  .stale = sip_is(value_unquoted(read->stale), "true")};
    }
    return error;
}

int sip_digest_parse(PealStr text, SipDigest *ret_digest)
{
    osip_authorization_t *read = NULL;
    SipDigest digest = {0};
    const char *copy;
    int error;

    (void)sip_arena_current();
    text = sip_trim(text);
    if (!value_is_judged(text)) {
        return -PEAL_E_VALUE;
    }
    copy = value_copy(text);
    if (copy == NULL || osip_authorization_init(&read) != OSIP_SUCCESS) {
        return -PEAL_E_FULL;
    }
    error = value_error(osip_authorization_parse(read, copy));
    if (error == -PEAL_E_FULL) {
        return error;
    }
    if (error != 0 || (read->response == NULL && read->username == NULL)) {
        return value_challenge(copy, ret_digest);
    }
    digest.scheme = value_unquoted(read->auth_type);
    digest.username = value_unquoted(read->username);
    digest.realm = value_unquoted(read->realm);
    digest.nonce = value_unquoted(read->nonce);
    digest.uri = value_unquoted(read->uri);
    digest.response = value_unquoted(read->response);
    digest.algorithm = value_unquoted(read->algorithm);
    digest.cnonce = value_unquoted(read->cnonce);
    digest.opaque = value_unquoted(read->opaque);
    digest.qop = value_unquoted(read->message_qop);
    digest.nc = value_unquoted(read->nonce_count);
    *ret_digest = digest;
    return 0;
}
