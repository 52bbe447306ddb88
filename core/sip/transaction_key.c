/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transaction_key.c - what tells one transaction from another, hashed to 128 bits under a secret
 * key (SipHash-1-3; Aumasson, Bernstein 2012), so that no sender can make two of them collide. */
#include "sip/arena.h"
#include "sip/transaction_state.h"
#include "sip/value.h"

enum { KEY_CLIENT = 1, KEY_SERVER, KEY_OLD, KEY_TAG, KEY_HOP, KEY_PORT_DEFAULT = 5060 };

static const char KEY_COOKIE[] = "z9hG4bK"; /* 8.1.1.7 */

typedef struct Hash {
    uint64_t v[4];
    uint64_t word; /* not yet taken in */
    uint64_t len;
} Hash;

static uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static void hash_round(Hash *hash)
{
    uint64_t *v = hash->v;

    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void hash_begin(Hash *hash, const uint64_t key[2])
{
    *hash =
        (Hash){.v = {key[0] ^ UINT64_C(0x736f6d6570736575), key[1] ^ UINT64_C(0x646f72616e646f83),
                     key[0] ^ UINT64_C(0x6c7967656e657261), key[1] ^ UINT64_C(0x7465646279746573)}};
}

static void hash_byte(Hash *hash, uint8_t byte)
{
    hash->word |= (uint64_t)byte << (8 * (hash->len & 7));
    if ((++hash->len & 7) == 0) {
        hash->v[3] ^= hash->word;
        hash_round(hash);
        hash->v[0] ^= hash->word;
        hash->word = 0;
    }
}

/* Each text is led by its length, so that two lists of texts never look alike. */
static void hash_text(Hash *hash, PealStr text, bool fold)
{
    hash_byte(hash, (uint8_t)(text.len >> 8));
    hash_byte(hash, (uint8_t)text.len);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = (uint8_t)text.ptr[i];

        hash_byte(hash, fold && byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte);
    }
}

static void hash_end(Hash *hash, uint64_t ret_value[2])
{
    uint64_t last = hash->word | hash->len << 56;

    hash->v[3] ^= last;
    hash_round(hash);
    hash->v[0] ^= last;
    hash->v[2] ^= 0xee;
    for (int i = 0; i < 3; i++) {
        hash_round(hash);
    }
    ret_value[0] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
    hash->v[1] ^= 0xdd;
    for (int i = 0; i < 3; i++) {
        hash_round(hash);
    }
    ret_value[1] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
}

PealStr transaction_method(const SipMessage *message)
{
    PealStr cseq = sip_field(message, SIP_H_CSEQ);
    size_t at = cseq.len;

    if (message->code != SIP_METHOD_OTHER) {
        return sip_method_text(message->code);
    }
    if (message->status == 0) {
        return message->method;
    }
    while (at > 0 && cseq.ptr[at - 1] != ' ' && cseq.ptr[at - 1] != '\t' &&
           cseq.ptr[at - 1] != '\n') {
        at--;
    }
    return (PealStr){cseq.ptr + at, cseq.len - at};
}

static bool key_has_cookie(PealStr branch)
{
    size_t len = sizeof(KEY_COOKIE) - 1;

    return branch.len > len && sip_same((PealStr){branch.ptr, len}, sip_str(KEY_COOKIE));
}

int transaction_client_key(const SipTransactions *all, const SipMessage *message,
                           TransactionKey *ret_key)
{
    Hash hash;

    if (message->via_state != SIP_VIA_WHOLE) {
        return -PEAL_E_VALUE;
    }
    *ret_key = (TransactionKey){.via_port = message->via.port};
    hash_begin(&hash, all->key);
    hash_byte(&hash, KEY_CLIENT);
    hash_text(&hash, message->via.branch, true);
    hash_text(&hash, transaction_method(message), false);
    hash_end(&hash, ret_key->match);
    return 0;
}

static void hash_tag(Hash *hash, const SipMessage *message, SipHeader header)
{
    SipAddress address;
    PealStr tag = {NULL, 0};

    if (sip_address_parse(sip_field(message, header), &address) == 0) {
        (void)sip_param(address.params, "tag", &tag);
    }
    hash_text(hash, tag, true);
}

uint64_t transaction_to_tag(const SipTransactions *all, const SipMessage *message)
{
    SipArena arena;
    Hash hash;
    uint64_t value[2];

    sip_arena_enter(&arena);
    hash_begin(&hash, all->key);
    hash_byte(&hash, KEY_TAG);
    hash_tag(&hash, message, SIP_H_TO);
    hash_end(&hash, value);
    sip_arena_leave(&arena);
    return value[0];
}

/* 17.2.3: what came before RFC 3261 matches by everything but the To tag, which transaction.c looks
 * at. URIs compare as written: a retransmission and an ACK repeat them. */
static void hash_old(Hash *hash, const SipMessage *message)
{
    SipCSeq cseq = {0};
    SipArena arena;

    sip_arena_enter(&arena);
    hash_byte(hash, KEY_OLD);
    hash_text(hash, message->uri, false);
    hash_tag(hash, message, SIP_H_FROM);
    hash_text(hash, sip_field(message, SIP_H_CALL_ID), false);
    if (sip_cseq_parse(sip_field(message, SIP_H_CSEQ), &cseq) != 0) {
        cseq.number = 0;
    }
    for (int shift = 0; shift < 32; shift += 8) {
        hash_byte(hash, (uint8_t)(cseq.number >> shift));
    }
    hash_text(hash, message->via.text, true);
    sip_arena_leave(&arena);
}

int transaction_server_key(const SipTransactions *all, const SipMessage *message, PealStr method,
                           TransactionKey *ret_key)
{
    const SipVia *via = &message->via;
    uint16_t port = via->port != 0 ? via->port : KEY_PORT_DEFAULT;
    Hash hash;

    if (message->via_state != SIP_VIA_WHOLE) {
        return -PEAL_E_VALUE;
    }
    *ret_key = (TransactionKey){.via_port = port, .old = !key_has_cookie(via->branch)};
    hash_begin(&hash, all->key);
    if (ret_key->old) {
        hash_old(&hash, message);
        ret_key->old_tag = transaction_to_tag(all, message);
    } else {
        hash_byte(&hash, KEY_SERVER);
        hash_text(&hash, via->branch, true);
        hash_text(&hash, via->host, true);
        hash_byte(&hash, (uint8_t)(port >> 8));
        hash_byte(&hash, (uint8_t)port);
    }
    hash_text(&hash, method, false);
    hash_end(&hash, ret_key->match);
    return 0;
}

uint64_t transaction_hop_hash(const SipTransactions *all, const PealHop *hop)
{
    Hash hash;
    uint64_t value[2];

    hash_begin(&hash, all->key);
    hash_byte(&hash, KEY_HOP);
    hash_byte(&hash, hop->transport);
    hash_text(&hash, (PealStr){(const char *)hop->addr.ip, hop->addr.family == 4 ? 4 : 16}, false);
    hash_byte(&hash, (uint8_t)(hop->addr.port >> 8));
    hash_byte(&hash, (uint8_t)hop->addr.port);
    hash_end(&hash, value);
    return value[0];
}
