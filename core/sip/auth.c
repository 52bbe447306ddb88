/* SPDX-License-Identifier: GPL-3.0-or-later */
/* auth.c - challenges, and the responses to them. */
#include "sip/auth.h"

#include "reload/reader.h"
#include "reload/writer.h"
#include "sip/state.h"
#include "sip/value.h"

enum {
    NONCE_BODY_LEN = 1 + 8 + 4 + 4, /* use, time, number, life */
    NONCE_LEN = NONCE_BODY_LEN - 1 + TOKEN_MAC_LEN,
    NONCE_TEXT_LEN = 2 * NONCE_LEN,
    HEX_MAX = 2 * PEAL_DIGEST_MAX,
    NC_ONCE = UINT32_MAX, /* of a nonce that may not be used again */
    TEXTS_MAX = 1024, /* bytes of a user's texts that are kept while the password is asked for */
};

/* The slot of a nonce is its number modulo AUTH_NONCES_MAX; nc 0 is an empty one. */
typedef struct AuthNonce {
    uint32_t number;
    uint32_t nc;
} AuthNonce;

/* What of a request must be known when the password comes. The texts stand behind it. */
typedef struct AuthCheck {
    uint64_t arg;
    AuthDone done;
    PealStr realm; /* the configuration's */
    uint32_t number;
    uint32_t nc; /* 0: without qop */
    uint16_t user_len;
    uint16_t realm_len; /* as the client writes it */
    uint16_t nonce_len;
    uint16_t nc_len;
    uint16_t cnonce_len;
    uint8_t hash;                 /* PealHash */
    char request_digest[HEX_MAX]; /* H(A2) */
    uint8_t response[PEAL_DIGEST_MAX];
    char texts[]; /* user, realm, nonce, nc, cnonce */
} AuthCheck;

void auth_init(PealPeer *peer)
{
    peer->sip->auth = (Auth){0};
}

static size_t auth_check_size(const AuthCheck *check)
{
    return sizeof(*check) + check->user_len + check->realm_len + check->nonce_len + check->nc_len +
           check->cnonce_len;
}

static void auth_check_free(PealPeer *peer, void *check)
{
    peer_release(peer, check, auth_check_size(check));
}

void auth_fini(PealPeer *peer)
{
    Auth *auth = &peer->sip->auth;

    slots_fini(peer, &auth->checks, auth_check_free);
    if (auth->nonces != NULL) {
        peer_release(peer, auth->nonces, AUTH_NONCES_MAX * sizeof(AuthNonce));
    }
    auth_init(peer);
}

/* Nonces. */

static void nonce_mac(PealPeer *peer, const uint8_t body[NONCE_BODY_LEN], PealStr realm,
                      uint8_t ret_mac[PEAL_MAC_LEN])
{
    const PealBytes parts[] = {{body, NONCE_BODY_LEN}, {(const uint8_t *)realm.ptr, realm.len}};

    peer->env->ops->crypto->mac(peer->sip->key, parts, 2, ret_mac);
}

static void nonce_put(PealPeer *peer, SipText *text, PealStr realm)
{
    uint8_t bytes[NONCE_BODY_LEN + TOKEN_MAC_LEN];
    uint8_t mac[PEAL_MAC_LEN];
    Writer w = writer_make(bytes, NONCE_BODY_LEN);

    put_u8(&w, TOKEN_NONCE);
    put_u64(&w, peer->env->ops->unix_ms(peer->env));
    put_u32(&w, ++peer->sip->auth.nonces_next);
    put_u32(&w, peer->sip->registrar.life);
    PEAL_ASSERT(!w.overflow);
    nonce_mac(peer, bytes, realm, mac);
    memcpy(bytes + NONCE_BODY_LEN, mac, TOKEN_MAC_LEN);
    sip_put_hex(text, bytes + 1, NONCE_LEN);
}

typedef struct Nonce {
    bool ours;  /* this adapter gave it out, for this realm */
    bool fresh; /* in this life and not too long ago */
    uint32_t number;
} Nonce;

static Nonce nonce_read(PealPeer *peer, PealStr text, PealStr realm)
{
    const uint64_t lifetime_ms = (uint64_t)(peer->sip->config->nonce_lifetime.ns / PEAL_NS_PER_MS);
    const uint64_t now_ms = peer->env->ops->unix_ms(peer->env);
    uint8_t bytes[NONCE_BODY_LEN + TOKEN_MAC_LEN] = {TOKEN_NONCE};
    uint8_t mac[PEAL_MAC_LEN];
    Nonce nonce = {0};
    uint64_t made_ms;
    Reader r;

    if (token_read_hex(text, bytes + 1, NONCE_LEN) != 0) {
        return nonce;
    }
    nonce_mac(peer, bytes, realm, mac);
    nonce.ours = token_bytes_equal(bytes + NONCE_BODY_LEN, mac, TOKEN_MAC_LEN);
    r = reader_make((PealBytes){bytes + 1, NONCE_BODY_LEN - 1});
    made_ms = reader_u64(&r);
    nonce.number = reader_u32(&r);
    /* What was counted in an earlier life is forgotten: from then nothing may be repeated. */
    nonce.fresh = reader_u32(&r) == peer->sip->registrar.life && made_ms <= now_ms &&
                  now_ms - made_ms <= lifetime_ms;
    return nonce;
}

static AuthNonce *nonce_slot(const Auth *auth, uint32_t number)
{
    return &auth->nonces[number % AUTH_NONCES_MAX];
}

/* Whether a request with this nc may not have been seen before. Numbers only grow, so a slot that a
 * later nonce holds says that this one may have been used and forgotten. */
static bool nonce_allows(const Auth *auth, uint32_t number, uint32_t nc)
{
    const AuthNonce *slot;

    if (auth->nonces == NULL) {
        return true;
    }
    slot = nonce_slot(auth, number);
    if (slot->nc == 0 || (int32_t)(slot->number - number) < 0) {
        return true;
    }
    return slot->number == number && nc > slot->nc;
}

/* Counts a request that proved itself; false where that cannot be remembered. */
static bool nonce_use(PealPeer *peer, uint32_t number, uint32_t nc)
{
    Auth *auth = &peer->sip->auth;

    if (auth->nonces == NULL) {
        auth->nonces = peer_alloc(peer, AUTH_NONCES_MAX * sizeof(AuthNonce));
    }
    if (auth->nonces == NULL) {
        return false;
    }
    *nonce_slot(auth, number) = (AuthNonce){number, nc};
    return true;
}

/* Challenges. */

static const char *auth_hash_text(uint8_t hash)
{
    return hash == PEAL_HASH_MD5 ? "MD5" : "SHA-256";
}

void auth_put_challenge(PealPeer *peer, SipText *text, bool proxy, PealStr realm, bool stale)
{
    const PealSipConfig *config = peer->sip->config;
    char nonce[NONCE_TEXT_LEN];
    SipText nonce_text = sip_text_make(nonce, sizeof(nonce));

    nonce_put(peer, &nonce_text, realm);
    for (uint8_t i = 0; i < config->algorithms_len; i++) {
        sip_put(text, sip_header_text(proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE));
        sip_put_z(text, ": Digest realm=\"");
        sip_put(text, realm);
        sip_put_z(text, "\", nonce=\"");
        sip_put(text, sip_text_view(&nonce_text));
        sip_put_z(text, "\", algorithm=");
        sip_put_z(text, auth_hash_text(config->algorithms[i]));
        sip_put_z(text, ", qop=\"auth\"");
        sip_put_z(text, stale ? ", stale=true\r\n" : "\r\n");
    }
}

/* Digests, as hexadecimal text where they go into others. */

static size_t auth_hex(PealPeer *peer, uint8_t hash, const PealStr *texts, size_t texts_len,
                       char ret_hex[HEX_MAX])
{
    PealBytes parts[11];
    uint8_t digest[PEAL_DIGEST_MAX];
    SipText text = sip_text_make(ret_hex, HEX_MAX);
    size_t len;

    PEAL_ASSERT(texts_len <= sizeof(parts) / sizeof(parts[0]));
    for (size_t i = 0; i < texts_len; i++) {
        parts[i] = (PealBytes){(const uint8_t *)texts[i].ptr, texts[i].len};
    }
    len = peer->env->ops->crypto->digest((PealHash)hash, parts, texts_len, digest);
    sip_put_hex(&text, digest, len);
    return text.len;
}

static size_t auth_hash_len(uint8_t hash)
{
    return hash == PEAL_HASH_MD5 ? 16 : 32;
}

/* RFC 7616 s.3.4.1: is the response the one that this password makes? */
static bool auth_response_is(PealPeer *peer, const AuthCheck *check, PealStr password)
{
    const PealStr colon = {":", 1};
    const PealStr user = {check->texts, check->user_len};
    const PealStr realm = {user.ptr + user.len, check->realm_len};
    const PealStr nonce = {realm.ptr + realm.len, check->nonce_len};
    const PealStr nc = {nonce.ptr + nonce.len, check->nc_len};
    const PealStr cnonce = {nc.ptr + nc.len, check->cnonce_len};
    const PealStr secret[] = {user, colon, realm, colon, password};
    char a1[HEX_MAX];
    char expected[HEX_MAX];
    uint8_t bytes[PEAL_DIGEST_MAX];
    size_t hex_len = auth_hex(peer, check->hash, secret, 5, a1);
    const PealStr a1_text = {a1, hex_len};
    const PealStr a2_text = {check->request_digest, hex_len};

    if (check->nc == 0) {
        const PealStr all[] = {a1_text, colon, nonce, colon, a2_text};

        hex_len = auth_hex(peer, check->hash, all, 5, expected);
    } else {
        const PealStr qop = {"auth", 4};
        const PealStr all[] = {a1_text, colon, nonce, colon, nc,     colon,
                               cnonce,  colon, qop,   colon, a2_text};

        hex_len = auth_hex(peer, check->hash, all, 11, expected);
    }
    return token_read_hex((PealStr){expected, hex_len}, bytes, hex_len / 2) == 0 &&
           token_bytes_equal(bytes, check->response, hex_len / 2);
}

/* Credentials. */

static uint8_t auth_hash_of(const PealSipConfig *config, PealStr algorithm)
{
    for (uint8_t i = 0; i < config->algorithms_len; i++) {
        uint8_t hash = config->algorithms[i];

        if (sip_is(algorithm, auth_hash_text(hash)) ||
            (algorithm.len == 0 && hash == PEAL_HASH_MD5)) {
            return hash;
        }
    }
    return PEAL_HASH_NONE;
}

/* The first credentials for this realm that the configuration can tell right from wrong. A field
 * holds one credentials each, commas and all (RFC 3261 s.7.3.1). */
static bool auth_find(PealPeer *peer, const SipMessage *request, SipHeader header, PealStr realm,
                      SipDigest *ret_digest)
{
    for (size_t i = 0; i < request->fields_len; i++) {
        const SipField *field = &request->fields[i];
        SipDigest digest = {.stale = false};

        if (field->header == header &&
            sip_digest_parse((PealStr){request->bytes.ptr + field->value,
                                       (size_t)field->end - field->value},
                             &digest) == 0 &&
            sip_is(digest.scheme, "Digest") && sip_same(digest.realm, realm) &&
            auth_hash_of(peer->sip->config, digest.algorithm) != PEAL_HASH_NONE) {
            *ret_digest = digest;
            return true;
        }
    }
    return false;
}

/* nc, 0 without qop; false when the credentials are not of a form that can be checked. */
static bool auth_read_nc(const SipDigest *digest, uint8_t hash, uint32_t *ret_nc)
{
    uint8_t bytes[4];

    if (digest->qop.len == 0) {
        *ret_nc = 0;
        return hash == PEAL_HASH_MD5; /* RFC 7616 s.3.4: qop is there */
    }
    if (!sip_is(digest->qop, "auth") || digest->cnonce.len == 0 ||
        token_read_hex(digest->nc, bytes, sizeof(bytes)) != 0) {
        return false;
    }
    *ret_nc = bytes_u32(bytes);
    return *ret_nc != 0 && *ret_nc != NC_ONCE;
}

/* Takes `@realm` off a user name; false when it names another domain. */
static bool auth_user(PealStr *user, PealStr realm)
{
    const char *at = user->len > 0 ? memchr(user->ptr, '@', user->len) : NULL;
    size_t user_len;

    if (at == NULL) {
        return user->len > 0;
    }
    user_len = (size_t)(at - user->ptr);
    if (user_len == 0 || !sip_same((PealStr){at + 1, user->len - user_len - 1}, realm)) {
        return false;
    }
    user->len = user_len;
    return true;
}

/* Copies what the answer will need; NULL without memory. */
static AuthCheck *auth_check_new(PealPeer *peer, const SipDigest *digest)
{
    const PealStr texts[] = {digest->username, digest->realm, digest->nonce, digest->nc,
                             digest->cnonce};
    size_t len = 0;
    AuthCheck *check;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        len += texts[i].len;
    }
    if (len > TEXTS_MAX) {
        return NULL;
    }
    check = peer_alloc(peer, sizeof(*check) + len);
    if (check == NULL) {
        return NULL;
    }
    len = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].len > 0) {
            memcpy(check->texts + len, texts[i].ptr, texts[i].len);
        }
        len += texts[i].len;
    }
    check->user_len = (uint16_t)digest->username.len;
    check->realm_len = (uint16_t)digest->realm.len;
    check->nonce_len = (uint16_t)digest->nonce.len;
    check->nc_len = (uint16_t)digest->nc.len;
    check->cnonce_len = (uint16_t)digest->cnonce.len;
    return check;
}

/* Asks for the password; false when nobody can be asked. Takes the check. */
static bool auth_ask_take(PealPeer *peer, AuthCheck *check, PealStr user)
{
    Slots *checks = &peer->sip->auth.checks;
    uint64_t name = slots_add(peer, checks, check, AUTH_CHECKS_MAX);
    const PealAsk ask = {.kind = PEAL_ASK_PASSWORD,
                         .token = name << SIP_ASK_BITS | SIP_ASK_AUTH,
                         .name = user,
                         .domain = check->realm};

    if (name != 0) {
        if (peer->env->ops->ask(peer->env, &ask) == 0) {
            return true;
        }
        slots_remove(peer, checks, name);
    }
    auth_check_free(peer, check);
    return false;
}

/* Credentials, taken apart. */
typedef struct Claim {
    SipDigest digest;
    PealStr user; /* without a domain */
    Nonce nonce;
    uint32_t nc;
    uint8_t hash;
    uint8_t response[PEAL_DIGEST_MAX];
    bool stale; /* good but for the nonce */
} Claim;

/* What can be said without the password: GOOD is "ask". */
static AuthVerdict auth_look(PealPeer *peer, Claim *claim, PealStr realm)
{
    const SipDigest *digest = &claim->digest;
    SipUri uri;

    claim->user = digest->username;
    if (!auth_user(&claim->user, realm)) {
        return claim->user.len == 0 ? AUTH_CHALLENGE : AUTH_FORBIDDEN;
    }
    claim->hash = auth_hash_of(peer->sip->config, digest->algorithm);
    claim->nonce = nonce_read(peer, digest->nonce, realm);
    if (!claim->nonce.ours || !auth_read_nc(digest, claim->hash, &claim->nc) ||
        token_read_hex(digest->response, claim->response, auth_hash_len(claim->hash)) != 0 ||
        sip_uri_parse(digest->uri, &uri) != 0) {
        return AUTH_CHALLENGE;
    }
    /* Too old or counted already: the client may answer the next nonce without asking anybody. */
    claim->stale = !claim->nonce.fresh || !nonce_allows(&peer->sip->auth, claim->nonce.number,
                                                        claim->nc == 0 ? NC_ONCE : claim->nc);
    return claim->stale ? AUTH_CHALLENGE : AUTH_GOOD;
}

void auth_check(PealPeer *peer, const SipMessage *request, bool proxy, PealStr realm, AuthDone done,
                uint64_t arg)
{
    const SipHeader header = proxy ? SIP_H_PROXY_AUTHORIZATION : SIP_H_AUTHORIZATION;
    const PealStr none = {NULL, 0};
    AuthVerdict verdict = AUTH_CHALLENGE;
    Claim claim = {.stale = false};
    AuthCheck *check;

    if (auth_find(peer, request, header, realm, &claim.digest)) {
        verdict = auth_look(peer, &claim, realm);
    }
    if (verdict != AUTH_GOOD) {
        done(peer, arg, verdict, none, realm, claim.stale);
        return;
    }
    check = auth_check_new(peer, &claim.digest);
    if (check == NULL) {
        done(peer, arg, AUTH_BUSY, none, realm, false);
        return;
    }
    check->arg = arg;
    check->done = done;
    check->realm = realm;
    check->number = claim.nonce.number;
    check->nc = claim.nc;
    check->hash = claim.hash;
    memcpy(check->response, claim.response, sizeof(check->response));
    (void)auth_hex(peer, check->hash,
                   (const PealStr[]){request->method, {":", 1}, claim.digest.uri}, 3,
                   check->request_digest);
    if (!auth_ask_take(peer, check, claim.user)) {
        done(peer, arg, AUTH_BUSY, none, realm, false);
    }
}

/* What the answer means. */
static AuthVerdict auth_judge(PealPeer *peer, const AuthCheck *check, const PealAnswer *answer,
                              bool *ret_stale)
{
    const uint32_t nc = check->nc == 0 ? NC_ONCE : check->nc;
    bool known = answer->status == 0;
    bool right;

    if (!known && answer->status != -PEAL_E_NOT_FOUND) {
        return AUTH_BUSY;
    }
    right = auth_response_is(peer, check, known ? answer->password : (PealStr){NULL, 0});
    if (!known || !right) {
        return AUTH_CHALLENGE;
    }
    /* Another request with the same nonce may have been first. */
    *ret_stale = !nonce_allows(&peer->sip->auth, check->number, nc);
    if (*ret_stale) {
        return AUTH_CHALLENGE;
    }
    return nonce_use(peer, check->number, nc) ? AUTH_GOOD : AUTH_BUSY;
}

bool auth_on_answer(PealPeer *peer, const PealAnswer *answer)
{
    Slots *checks = &peer->sip->auth.checks;
    uint64_t name = answer->token >> SIP_ASK_BITS;
    bool stale = false;
    AuthVerdict verdict;
    AuthCheck *check;
    PealStr user;

    if ((answer->token & SIP_ASK_MASK) != SIP_ASK_AUTH) {
        return false;
    }
    check = slots_find(checks, name);
    if (check == NULL) {
        return true;
    }
    slots_remove(peer, checks, name);
    verdict = auth_judge(peer, check, answer, &stale);
    user = (PealStr){check->texts, check->user_len};
    (void)auth_user(&user, check->realm);
    check->done(peer, check->arg, verdict, user, check->realm, stale);
    auth_check_free(peer, check);
    return true;
}

bool auth_owns(PealPeer *peer, PealStr user, PealStr realm, const PealId *resource)
{
    static const char unreserved[] = "-_.!~*'()&=+$,;?/";
    char bytes[PEAL_AOR_MAX];
    SipText aor = sip_text_make(bytes, sizeof(bytes));
    PealId id;

    sip_put_z(&aor, "sip:");
    for (size_t i = 0; i < user.len; i++) {
        char c = user.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr(unreserved, c) != NULL);

        if (plain) {
            sip_put(&aor, (PealStr){user.ptr + i, 1});
        } else {
            sip_put_z(&aor, "%");
            sip_put_hex(&aor, (const uint8_t *)user.ptr + i, 1);
        }
    }
    sip_put_z(&aor, "@");
    sip_put(&aor, realm);
    return !aor.overflow &&
           peal_aor_resource(peer->env->ops->crypto, sip_text_view(&aor), &id) == 0 &&
           peal_id_equal(&id, resource);
}
