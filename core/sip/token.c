/* SPDX-License-Identifier: GPL-3.0-or-later */
/* token.c - signed texts for URIs. */
#include "sip/token.h"

#include "reload/reader.h"
#include "reload/writer.h"
#include "sip/state.h"

enum {
    TOKEN_BODY_MAX = 28,
    TOKEN_LIFE_MASK = 0xffffff, /* as much of registrar.life as a token has room for */
    TOKEN_LEADS = 0x80,         /* beside the transport */
    TOKEN_INSIDE = 0x40
};

bool token_bytes_equal(const uint8_t *a, const uint8_t *b, size_t len)
{
    uint8_t difference = 0;

    for (size_t i = 0; i < len; i++) {
        difference |= (uint8_t)(a[i] ^ b[i]);
    }
    return difference == 0;
}

static int token_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int token_read_hex(PealStr text, uint8_t *ret_bytes, size_t len)
{
    if (text.len != 2 * len) {
        return -PEAL_E_VALUE;
    }
    for (size_t i = 0; i < len; i++) {
        int high = token_digit(text.ptr[2 * i]);
        int low = token_digit(text.ptr[2 * i + 1]);

        if (high < 0 || low < 0) {
            return -PEAL_E_VALUE;
        }
        ret_bytes[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

/* The length comes first, so that no body runs on into what it is bound to. */
static void token_mac(PealPeer *peer, PealBytes body, PealStr bound, uint8_t ret_mac[PEAL_MAC_LEN])
{
    const uint8_t len = (uint8_t)body.len;
    const PealBytes parts[] = {{&len, sizeof(len)}, body, {(const uint8_t *)bound.ptr, bound.len}};

    peer->env->ops->crypto->mac(peer->sip->key, parts, sizeof(parts) / sizeof(parts[0]), ret_mac);
}

/* bytes has room for the MAC behind its len. */
static void token_put(PealPeer *peer, SipText *text, uint8_t *bytes, size_t len, PealStr bound)
{
    uint8_t mac[PEAL_MAC_LEN];

    token_mac(peer, (PealBytes){bytes, len}, bound, mac);
    memcpy(bytes + len, mac, TOKEN_MAC_LEN);
    sip_put_hex(text, bytes, len + TOKEN_MAC_LEN);
}

/* The body behind the use, or an error. */
static int token_get(PealPeer *peer, PealStr text, PealStr bound, TokenUse use,
                     uint8_t bytes[TOKEN_TEXT_MAX / 2], PealBytes *ret_body)
{
    size_t len = text.len / 2;
    uint8_t mac[PEAL_MAC_LEN];

    if (len < 1 + TOKEN_MAC_LEN || len > TOKEN_TEXT_MAX / 2 ||
        token_read_hex(text, bytes, len) != 0) {
        return -PEAL_E_VALUE;
    }
    len -= TOKEN_MAC_LEN;
    token_mac(peer, (PealBytes){bytes, len}, bound, mac);
    if (bytes[0] != (uint8_t)use || !token_bytes_equal(bytes + len, mac, TOKEN_MAC_LEN)) {
        return -PEAL_E_VALUE;
    }
    *ret_body = (PealBytes){bytes + 1, len - 1};
    return 0;
}

void token_put_flow(PealPeer *peer, SipText *text, const TokenFlow *flow, PealStr call_id)
{
    const PealHop *hop = &flow->hop;
    uint8_t bytes[TOKEN_TEXT_MAX / 2];
    Writer w = writer_make(bytes, 1 + TOKEN_BODY_MAX);

    put_u8(&w, TOKEN_FLOW);
    put_u8(&w, hop->addr.family);
    put_u8(&w, (uint8_t)(hop->transport | (flow->leads ? TOKEN_LEADS : 0) |
                         (flow->inside ? TOKEN_INSIDE : 0)));
    put_u8(&w, hop->local);
    put_u16(&w, hop->addr.port);
    put_u32(&w, hop->conn);
    put_u24(&w, hop->conn != 0 ? peer->sip->registrar.life & TOKEN_LIFE_MASK : 0);
    put_bytes(&w, (PealBytes){hop->addr.ip, hop->addr.family == 4 ? 4 : sizeof(hop->addr.ip)});
    PEAL_ASSERT(!w.overflow);
    token_put(peer, text, bytes, w.len, call_id);
}

int token_get_flow(PealPeer *peer, PealStr text, PealStr call_id, TokenFlow *ret_flow)
{
    uint8_t bytes[TOKEN_TEXT_MAX / 2];
    PealHop hop = {0};
    PealBytes body = {NULL, 0};
    PealBytes ip;
    uint32_t life;
    uint8_t flags;
    Reader r;

    if (token_get(peer, text, call_id, TOKEN_FLOW, bytes, &body) != 0) {
        return -PEAL_E_VALUE;
    }
    r = reader_make(body);
    hop.addr.family = reader_u8(&r);
    flags = reader_u8(&r);
    hop.transport = flags & (uint8_t) ~(TOKEN_LEADS | TOKEN_INSIDE);
    hop.local = reader_u8(&r);
    hop.addr.port = reader_u16(&r);
    hop.conn = reader_u32(&r);
    life = reader_u24(&r);
    ip = reader_rest(&r);
    if (r.error != 0 || ip.len > sizeof(hop.addr.ip)) {
        return -PEAL_E_VALUE;
    }
    memcpy(hop.addr.ip, ip.ptr, ip.len);
    *ret_flow =
        (TokenFlow){.hop = hop,
                    .leads = (flags & TOKEN_LEADS) != 0,
                    .inside = (flags & TOKEN_INSIDE) != 0,
                    /* The number may be another connection's now. */
                    .gone = hop.conn != 0 && life != (peer->sip->registrar.life & TOKEN_LIFE_MASK)};
    return 0;
}

void token_put_peer(PealPeer *peer, SipText *text, const PealId *node)
{
    uint8_t bytes[TOKEN_TEXT_MAX / 2] = {TOKEN_PEER};

    memcpy(bytes + 1, node->bytes, PEAL_ID_LEN);
    token_put(peer, text, bytes, 1 + PEAL_ID_LEN, (PealStr){NULL, 0});
}

int token_get_peer(PealPeer *peer, PealStr text, PealId *ret_node)
{
    uint8_t bytes[TOKEN_TEXT_MAX / 2];
    PealBytes body = {NULL, 0};

    if (token_get(peer, text, (PealStr){NULL, 0}, TOKEN_PEER, bytes, &body) != 0 ||
        body.len != PEAL_ID_LEN) {
        return -PEAL_E_VALUE;
    }
    memcpy(ret_node->bytes, body.ptr, PEAL_ID_LEN);
    return 0;
}
