/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * state.h (internal) - the block that is one adapter: its parts side by side.
 * Source: none.   State: this.   Time: each part's `deadline`; sip.c hands the earliest to peer.c.
 */
#ifndef SIP_STATE_H
#define SIP_STATE_H

#include "peer.h"
#include "sip/adapters.h"
#include "sip/auth.h"
#include "sip/proxy.h"
#include "sip/registrar.h"
#include "sip/sip.h"
#include "sip/stream.h"
#include "sip/token.h"
#include "sip/transaction.h"
#include "sip/value.h"

enum { SIP_DEFAULT_PORT = 5060, SIP_TAG_LEN = 16 };
/* Whose question to the world it is stands in the lowest bits of env->ask's token. */
enum { SIP_ASK_AUTH = 0, SIP_ASK_PROXY = 1, SIP_ASK_BITS = 2, SIP_ASK_MASK = 3 };

struct Sip {
    const PealSipConfig *config;
    uint8_t key[PEAL_MAC_LEN]; /* of tokens and nonces */
    SipTransactions transactions;
    SipStreams streams;
    Registrar registrar;
    Auth auth;
    Proxy proxy;
    Adapters adapters;
    uint64_t malformed;
};

/* sip_domain is the configured domain that a host names, compared without case and brackets; ptr
 * NULL for none. */
PealStr sip_domain(const PealPeer *peer, PealStr host);
/* sip_is_ours: does the overlay serve this domain? */
bool sip_is_ours(const PealPeer *peer, PealStr host);
/* sip_is_self: does this host and port name this adapter (one of its own SIP addresses, port 0
 * being 5060)? */
bool sip_is_self(PealPeer *peer, PealStr host, uint16_t port);
/* sip_local is the number of the first own address of an address's family, the near end of the way
 * there; -PEAL_E_UNREACHABLE for none. */
int sip_local(PealPeer *peer, const PealAddr *to, uint8_t *ret_local) PEAL_MUST_USE;
/* sip_put_random writes `len` random hexadecimal digits, for tags, branches and Call-IDs. */
void sip_put_random(PealPeer *peer, SipText *text, size_t len);

/* sip_serve answers a request that is for this adapter itself, or for one of its domains: REGISTER
 * and OPTIONS; any other is refused. */
void sip_serve(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from);
/* sip_refuse answers a request with a status, its usual words or `why`, and header lines. */
void sip_refuse(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from,
                const SipAnswer *answer);

#endif
