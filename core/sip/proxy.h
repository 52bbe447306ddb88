/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * proxy.h - the stateful proxy for the overlay's domains.
 * Source: RFC 3261 s.16, RFC 5393, RFC 6026, RFC 3263; RFC 7904 s.5.
 * State:  one context a request under way, about 240 bytes, with the request and 100 bytes a branch
 *         until its final answer; bounded by the transactions.
 * Time:   Timer C of each INVITE branch, the wait for a serial fork's group.
 *
 * Where a request goes: along its Route; to this adapter's own bindings and, unless another adapter
 * sent it, to the adapters that the AOR's dictionary names, all at once; to a host outside the
 * overlay's domains by DNS. What is addressed to the adapter itself goes to sip_serve (state.h).
 */
#ifndef SIP_PROXY_H
#define SIP_PROXY_H

#include <peal/peer.h>

#include "sip/message.h"
#include "sip/transaction.h"

typedef struct ProxyContext ProxyContext;

typedef struct Proxy {
    ProxyContext **contexts; /* by number; NULL where the number is free */
    uint32_t *free;          /* the numbers that are free, a stack */
    ProxyContext **heap;     /* by deadline */
    uint32_t cap;            /* of each of the three */
    uint32_t contexts_len;
    uint32_t heap_len;
    uint32_t generation;
    uint32_t invites; /* contexts of an INVITE without a final answer */
    PealTime deadline;
} Proxy;

void proxy_init(PealPeer *peer);
void proxy_fini(PealPeer *peer);
/* What follows works inside an arena (arena.h), and calls for peer_schedule afterwards. */
void proxy_on_wake(PealPeer *peer, PealTime now);
void proxy_on_request(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from);
/* matched: the INVITE's server transaction, 0 for none. */
void proxy_on_cancel(PealPeer *peer, SipTx tx, const SipMessage *cancel, const PealHop *from,
                     SipTx matched);
void proxy_on_ack(PealPeer *peer, const SipMessage *ack, const PealHop *from);
void proxy_on_response(PealPeer *peer, SipTx tx, uint64_t arg, const SipMessage *response);
void proxy_on_failed(PealPeer *peer, SipTx tx, uint64_t arg, int error);
/* arg: as the proxy gave it to the server transaction, or 0. */
void proxy_on_server_ended(PealPeer *peer, uint64_t arg);
/* proxy_on_answer: the world's answer to PEAL_ASK_RESOLVE or PEAL_ASK_PASSWORD. Returns whether the
 * token was the proxy's. */
bool proxy_on_answer(PealPeer *peer, const PealAnswer *answer);

#endif
