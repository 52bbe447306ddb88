/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * token.h - what this adapter writes into URIs and believes when it comes back: text with a keyed MAC
 *           behind it.
 * Source: RFC 5626 s.5.2 (flow tokens); RFC 3261 s.16.6 step 4 (record-routing).
 * State:  none but the adapter's key, which survives a restart with the bindings.   Time: none.
 * A token is lower-case hexadecimal, fit for a URI's user part.
 */
#ifndef SIP_TOKEN_H
#define SIP_TOKEN_H

#include <peal/peer.h>

#include "sip/text.h"

typedef enum TokenUse {
    TOKEN_FLOW = 1, /* the hop of a phone: where a request that carries it goes next */
    TOKEN_PEER      /* given to another adapter by AppAttach: who shows it is that peer */
} TokenUse;

enum { TOKEN_MAC_LEN = 10, TOKEN_TEXT_MAX = 2 * (1 + 28 + TOKEN_MAC_LEN) };

/* token_put_* write a token; token_get_* read one: 0, or -PEAL_E_VALUE when it is none of this
 * adapter's of that use. */
void token_put_flow(PealPeer *peer, SipText *text, const PealHop *hop);
int token_get_flow(PealPeer *peer, PealStr text, PealHop *ret_hop) PEAL_MUST_USE;
void token_put_peer(PealPeer *peer, SipText *text, const PealId *node);
int token_get_peer(PealPeer *peer, PealStr text, PealId *ret_node) PEAL_MUST_USE;

#endif
