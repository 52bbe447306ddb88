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
    TOKEN_FLOW = 1, /* one side of a dialog, as this adapter knew it */
    TOKEN_PEER,     /* given to another adapter by AppAttach: who shows it is that peer */
    TOKEN_NONCE     /* auth.c's: a nonce, with the realm it is for */
} TokenUse;

enum { TOKEN_MAC_LEN = 10, TOKEN_TEXT_MAX = 2 * (1 + 28 + TOKEN_MAC_LEN) };

/* What a Record-Route says of one side of a dialog. */
typedef struct TokenFlow {
    PealHop hop; /* all zero when it is none of the two */
    bool leads;  /* a phone's: a request that faces it goes there, whatever its URI says */
    bool inside; /* a phone's or another adapter's of this overlay: who comes from its address may
                    send inside the dialog to wherever he likes */
    bool gone;   /* read only: its connection is of before a restart (430) */
} TokenFlow;

/*
 * token_put_* write a token; token_get_* read one: 0, or -PEAL_E_VALUE when it is none of this
 * adapter's of that use.
 * call_id: a flow's token is good in the dialog that it was written for and in no other, so that
 * who has been in one call holds no pass for what comes later. Borrowed for the call.
 */
void token_put_flow(PealPeer *peer, SipText *text, const TokenFlow *flow, PealStr call_id);
int token_get_flow(PealPeer *peer, PealStr text, PealStr call_id,
                   TokenFlow *ret_flow) PEAL_MUST_USE;
void token_put_peer(PealPeer *peer, SipText *text, const PealId *node);
int token_get_peer(PealPeer *peer, PealStr text, PealId *ret_node) PEAL_MUST_USE;

/* token_bytes_equal compares in a time that depends on the length only. */
bool token_bytes_equal(const uint8_t *a, const uint8_t *b, size_t len);

/* token_read_hex reads exactly len bytes of hexadecimal digits; 0 or -PEAL_E_VALUE. */
int token_read_hex(PealStr text, uint8_t *ret_bytes, size_t len) PEAL_MUST_USE;

#endif
