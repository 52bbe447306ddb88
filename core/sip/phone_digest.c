/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_digest.c - credentials for a challenge: RFC 3261 s.22, RFC 7616 s.3.4, RFC 8760. */
#include "sip/phone_state.h"

enum { DIGEST_PARTS_MAX = 16, DIGEST_HEX_MAX = 2 * PEAL_DIGEST_MAX };

/* Hexadecimal text of a digest. */
typedef struct DigestHex {
    char text[DIGEST_HEX_MAX];
    size_t len;
} DigestHex;

/* digest_of hashes the texts with a colon between any two. */
static DigestHex digest_of(const PealPhone *phone, PealHash hash, const PealStr *texts, size_t len)
{
    PealBytes parts[DIGEST_PARTS_MAX];
    uint8_t digest[PEAL_DIGEST_MAX];
    DigestHex hex;
    SipText text = sip_text_make(hex.text, sizeof(hex.text));
    size_t parts_len = 0;
    size_t digest_len;

    PEAL_ASSERT(2 * len <= DIGEST_PARTS_MAX);
    for (size_t i = 0; i < len; i++) {
        if (i > 0) {
            parts[parts_len++] = (PealBytes){(const uint8_t *)":", 1};
        }
        parts[parts_len++] = (PealBytes){(const uint8_t *)texts[i].ptr, texts[i].len};
    }
    digest_len = phone->env->ops->crypto->digest(hash, parts, parts_len, digest);
    sip_put_hex(&text, digest, digest_len);
    hex.len = text.len;
    return hex;
}

static PealStr digest_text(const DigestHex *hex)
{
    return (PealStr){hex->text, hex->len};
}

static void put_value(SipText *text, const char *name, PealStr value)
{
    sip_put_z(text, name);
    sip_put_z(text, "=\"");
    sip_put(text, value);
    sip_put_z(text, "\"");
}

/* The hash of a challenge that this phone can answer, PEAL_HASH_NONE for others: another scheme or
 * algorithm, or only auth-int. */
static PealHash digest_hash(const SipDigest *digest)
{
    bool no_auth = digest->qop.len > 0;

    for (size_t at = 0; at < digest->qop.len && no_auth;) {
        PealStr rest = {digest->qop.ptr + at, digest->qop.len - at};
        const char *comma = memchr(rest.ptr, ',', rest.len);

        rest.len = comma != NULL ? (size_t)(comma - rest.ptr) : rest.len;
        no_auth = !sip_is(sip_trim(rest), "auth");
        at += rest.len + 1;
    }
    if (no_auth || !sip_is(digest->scheme, "Digest")) {
        return PEAL_HASH_NONE;
    }
    if (digest->algorithm.len == 0 || sip_is(digest->algorithm, "MD5")) {
        return PEAL_HASH_MD5;
    }
    return sip_is(digest->algorithm, "SHA-256") ? PEAL_HASH_SHA256 : PEAL_HASH_NONE;
}

/* RFC 8760 s.2.4: the topmost challenge whose algorithm one knows. */
static PealHash digest_choose(const SipMessage *challenge, SipHeader header, SipDigest *ret_digest)
{
    for (size_t i = 0; i < challenge->fields_len; i++) {
        const SipField *field = &challenge->fields[i];
        PealStr value = {challenge->bytes.ptr + field->value, (size_t)field->end - field->value};
        PealHash hash;

        if (field->header == header && sip_digest_parse(value, ret_digest) == 0 &&
            (hash = digest_hash(ret_digest)) != PEAL_HASH_NONE) {
            return hash;
        }
    }
    return PEAL_HASH_NONE;
}

bool phone_put_credentials(PealPhone *phone, SipText *text, const SipMessage *challenge,
                           SipMethod method, PealStr uri, bool *ret_stale)
{
    bool proxy = challenge->status == 407;
    SipDigest digest;
    PealHash hash =
        digest_choose(challenge, proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE,
                      &digest);
    char nonce_text[PHONE_ID_LEN];
    SipText cnonce = sip_text_make(nonce_text, sizeof(nonce_text));
    PealStr count = sip_str("00000001"); /* each nonce is used once */

    if (hash == PEAL_HASH_NONE || phone->password_len == 0) {
        return false;
    }
    phone_put_id(&cnonce, phone_random(phone));
    DigestHex a1 =
        digest_of(phone, hash,
                  (PealStr[]){phone_username(phone), digest.realm, phone_password(phone)}, 3);
    DigestHex a2 = digest_of(phone, hash, (PealStr[]){sip_method_text(method), uri}, 2);
    DigestHex response =
        digest.qop.len > 0
            ? digest_of(phone, hash,
                        (PealStr[]){digest_text(&a1), digest.nonce, count, sip_text_view(&cnonce),
                                    sip_str("auth"), digest_text(&a2)},
                        6)
            : digest_of(phone, hash, (PealStr[]){digest_text(&a1), digest.nonce, digest_text(&a2)},
                        3);

    sip_put_z(text, proxy ? "Proxy-Authorization: Digest " : "Authorization: Digest ");
    put_value(text, "username", phone_username(phone));
    put_value(text, ", realm", digest.realm);
    put_value(text, ", nonce", digest.nonce);
    put_value(text, ", uri", uri);
    put_value(text, ", response", digest_text(&response));
    sip_put_z(text, hash == PEAL_HASH_MD5 ? ", algorithm=MD5" : ", algorithm=SHA-256");
    if (digest.opaque.len > 0) {
        put_value(text, ", opaque", digest.opaque);
    }
    if (digest.qop.len > 0) {
        put_value(text, ", cnonce", sip_text_view(&cnonce));
        sip_put_z(text, ", qop=auth, nc=");
        sip_put(text, count);
    }
    sip_put_z(text, "\r\n");
    *ret_stale = digest.stale;
    return !text->overflow;
}
