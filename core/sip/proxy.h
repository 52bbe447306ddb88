/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy.h - the stateful proxy for the overlay's domains.
 * Source: RFC 3261 s.16, RFC 5393, RFC 6026, RFC 3263; RFC 7904 s.5.
 * State:  one context a request under way, with its branches; a few hundred bytes and the request.
 * Time:   Timer C of each INVITE branch, the wait for a serial fork's group.
 *
 * Where a request goes: along its Route; to this adapter's own bindings and, unless another adapter
 * sent it, to the adapters that the AOR's dictionary names, all at once; to a host outside the
 * overlay's domains by DNS.
 */
#ifndef SIP_PROXY_H
#define SIP_PROXY_H

#include <peal/peer.h>

#include "sip/message.h"
#include "sip/transaction.h"

typedef struct ProxyContext ProxyContext;

typedef struct Proxy {
    ProxyContext **contexts; /* by number */
    uint32_t contexts_cap;
    uint32_t contexts_len;
    uint32_t invites; /* contexts of an INVITE without a final answer */
    PealTime deadline;
} Proxy;

void proxy_init(PealPeer *peer);
void proxy_fini(PealPeer *peer);
void proxy_on_wake(PealPeer *peer, PealTime now);
void proxy_on_request(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from);
void proxy_on_cancel(PealPeer *peer, SipTx tx, const SipMessage *cancel, const PealHop *from,
                     SipTx matched);
void proxy_on_ack(PealPeer *peer, const SipMessage *ack, const PealHop *from);
void proxy_on_response(PealPeer *peer, uint64_t arg, const SipMessage *response);
void proxy_on_stray(PealPeer *peer, const SipMessage *response, const PealHop *from);
void proxy_on_failed(PealPeer *peer, uint64_t arg, int error);
void proxy_on_server_ended(PealPeer *peer, uint64_t arg);
/* proxy_on_answer: the world's answer to PEAL_ASK_RESOLVE. Returns whether the token was the
 * proxy's. */
bool proxy_on_answer(PealPeer *peer, const PealAnswer *answer);

#endif
