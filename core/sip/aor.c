/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * aor.c - from a SIP URI to the Resource-ID of its AOR (peal_aor_resource, peer.h).
 * Source: RFC 7904 s.2, s.7; RFC 6940 s.10.2; RFC 3261 s.10.3 (canonical form), s.19.1, s.25.1.
 *
 * What is hashed is what a certificate's rfc822Name would say: user@domain without the scheme, URI
 * parameters, headers and port, which no rfc822Name has; %-escapes of the user decoded, the user's
 * case kept, the domain in lower case. Lengths count, never a NUL: %00 is a byte like others.
 */
#include <peal/peer.h>

static bool aor_is_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static uint8_t aor_lower(char c)
{
    return (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int aor_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)aor_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool aor_is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Takes "sip:" or "sips:" off the front, in any case. */
static bool aor_skip_scheme(PealStr *uri)
{
    static const char scheme[] = "sips";
    size_t at = 0;

    while (at < 4 && at < uri->len && aor_lower(uri->ptr[at]) == (uint8_t)scheme[at]) {
        at++;
    }
    if (at < 3 || at == uri->len || uri->ptr[at] != ':') {
        return false;
    }
    *uri = (PealStr){uri->ptr + at + 1, uri->len - at - 1};
    return true;
}

/* The user part as RFC 3261's grammar has it, without a password; returns its decoded length, or 0
 * when it is none. */
static size_t aor_put_user(PealStr user, uint8_t *ret_bytes)
{
    size_t len = 0;

    for (size_t at = 0; at < user.len; at++) {
        char c = user.ptr[at];

        if (c == '%') {
            int high = at + 2 < user.len ? aor_hex(user.ptr[at + 1]) : -1;
            int low = at + 2 < user.len ? aor_hex(user.ptr[at + 2]) : -1;

            if (high < 0 || low < 0) {
                return 0;
            }
            ret_bytes[len++] = (uint8_t)(high << 4 | low);
            at += 2;
        } else if (aor_is_alnum(c) || aor_is_in(c, "-_.!~*'()&=+$,;?/")) {
            ret_bytes[len++] = (uint8_t)c;
        } else {
            return 0;
        }
    }
    return len;
}

/* A port, parameters and headers may follow the host; none of them is part of an AOR. */
static bool aor_tail_is_valid(PealStr tail)
{
    size_t at = 0;

    if (at < tail.len && tail.ptr[at] == ':') {
        size_t digits = 0;

        for (at++; at < tail.len && tail.ptr[at] >= '0' && tail.ptr[at] <= '9'; at++) {
            digits++;
        }
        if (digits == 0 || digits > 5) {
            return false;
        }
    }
    return at == tail.len || tail.ptr[at] == ';' || tail.ptr[at] == '?';
}

/* An IPv6 reference, "[...]"; returns its length, or 0. */
static size_t aor_put_reference(PealStr rest, uint8_t *ret_bytes)
{
    size_t len = 0;

    ret_bytes[len++] = '[';
    while (len < rest.len && (aor_hex(rest.ptr[len]) >= 0 || aor_is_in(rest.ptr[len], ":."))) {
        ret_bytes[len] = aor_lower(rest.ptr[len]);
        len++;
    }
    if (len < 3 || len == rest.len || rest.ptr[len] != ']') {
        return 0;
    }
    ret_bytes[len++] = ']';
    return len;
}

/* A name or an IPv4 address; returns its length, or 0. */
static size_t aor_put_name(PealStr rest, uint8_t *ret_bytes)
{
    size_t len = 0;

    while (len < rest.len && (aor_is_alnum(rest.ptr[len]) || aor_is_in(rest.ptr[len], "-."))) {
        if (rest.ptr[len] == '.' && (len == 0 || rest.ptr[len - 1] == '.')) {
            return 0;
        }
        ret_bytes[len] = aor_lower(rest.ptr[len]);
        len++;
    }
    return len;
}

/* The host in lower case, and nothing behind it that cannot be; returns its length, or 0. */
static size_t aor_put_host(PealStr rest, uint8_t *ret_bytes)
{
    bool reference = rest.len > 0 && rest.ptr[0] == '[';
    size_t len = reference ? aor_put_reference(rest, ret_bytes) : aor_put_name(rest, ret_bytes);

    if (len == 0 || !aor_tail_is_valid((PealStr){rest.ptr + len, rest.len - len})) {
        return 0;
    }
    if (ret_bytes[len - 1] == '.') {
        len--; /* example.org. is example.org, fully qualified */
    }
    return len;
}

int peal_aor_resource(const PealCryptoOps *crypto, PealStr aor, PealId *ret_resource)
{
    uint8_t name[PEAL_AOR_MAX];
    uint8_t digest[PEAL_DIGEST_MAX];
    const char *at;
    size_t user_len;
    size_t host_len;

    if (aor.len > PEAL_AOR_MAX || !aor_skip_scheme(&aor)) {
        return -PEAL_E_VALUE;
    }
    at = memchr(aor.ptr, '@', aor.len);
    if (at == NULL) {
        return -PEAL_E_VALUE; /* a host alone is nobody's address */
    }
    const PealStr user = {aor.ptr, (size_t)(at - aor.ptr)};
    const PealStr rest = {at + 1, aor.len - user.len - 1};

    user_len = aor_put_user(user, name);
    if (user_len == 0 || memchr(rest.ptr, '@', rest.len) != NULL) {
        return -PEAL_E_VALUE;
    }
    name[user_len] = '@';
    host_len = aor_put_host(rest, name + user_len + 1);
    if (host_len == 0) {
        return -PEAL_E_VALUE;
    }
    const PealBytes parts[] = {{name, user_len + 1 + host_len}};

    crypto->digest(PEAL_HASH_SHA1, parts, 1, digest);
    memcpy(ret_resource->bytes, digest, PEAL_ID_LEN); /* its most significant 128 bits */
    return 0;
}
