/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * token.h - what this adapter writes into URIs and believes when it comes back: text with a keyed
 * MAC
 *           behind it.
 * Source: RFC 5626 s.5.2 (flow tokens); RFC 3261 s.16.6 step 4 (record-routing).
 * State:  none but the adapter's key, which survives a restart with the bindings.   Time: none.
 * A token is lower-case hexadecimal, fit for a URI's user part.
 */
#ifndef SIP_TOKEN_H
#define SIP_TOKEN_H

#include <peal/peer.h>

#include "sip/text.h"

/* The first byte of what is signed, so that nothing signed for one use passes for another. */
typedef enum TokenUse {
    TOKEN_FLOW = 1, /* the hop of a phone: where a request that carries it goes next */
    TOKEN_PEER,     /* given to another adapter by AppAttach: who shows it is that peer */
    TOKEN_NONCE     /* auth.c's: a nonce, with the realm it is for */
} TokenUse;

enum { TOKEN_MAC_LEN = 10, TOKEN_TEXT_MAX = 2 * (1 + 28 + TOKEN_MAC_LEN) };

/*
 * token_put_* write a token; token_get_* read one: 0, or -PEAL_E_VALUE when it is none of this
 * adapter's of that use. token_get_flow returns -PEAL_E_UNREACHABLE for a connection of before a
 * restart: the token is good, the flow is gone (430).
 * call_id: a flow's token is good in the dialog that it was written for and in no other, so that
 * who has been in one call holds no pass for what comes later. Borrowed for the call.
 */
void token_put_flow(PealPeer *peer, SipText *text, const PealHop *hop, PealStr call_id);
int token_get_flow(PealPeer *peer, PealStr text, PealStr call_id, PealHop *ret_hop) PEAL_MUST_USE;
void token_put_peer(PealPeer *peer, SipText *text, const PealId *node);
int token_get_peer(PealPeer *peer, PealStr text, PealId *ret_node) PEAL_MUST_USE;

/* token_bytes_equal compares in a time that depends on the length only. */
bool token_bytes_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* token_read_hex reads exactly len bytes of hexadecimal digits; 0 or -PEAL_E_VALUE. */
int token_read_hex(PealStr text, uint8_t *ret_bytes, size_t len) PEAL_MUST_USE;

#endif
