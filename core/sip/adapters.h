/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * adapters.h - the other adapters: how SIP reaches the peers that an AOR is registered at.
 * Source: RFC 6940 s.6.5.2 (AppAttach), RFC 7904 s.5; application 5060.
 * State:  one entry an adapter in use, at most ADAPTERS_MAX, and what waits for an AppAttach.
 * Time:   an entry is used for ADAPTERS_LIFETIME, or until SIP along it fails.
 *
 * The answer to an AppAttach brings the other adapter's SIP addresses and, as its password, a token
 * (token.h). A request to it carries `Route: <sip:TOKEN@address;lr>`; who shows a token that
 * this adapter gave to a peer is that peer.
 */
#ifndef SIP_ADAPTERS_H
#define SIP_ADAPTERS_H

#include "reload/request.h"
#include "sip/text.h"

enum { ADAPTERS_MAX = 4096, ADAPTERS_WAITING_MAX = 65536 };

typedef struct Adapters {
    struct Adapter *list; /* by Node-ID */
    struct AdapterWait *waits;
    uint32_t list_len;
    uint32_t list_cap;
    uint32_t waits_len;
    uint32_t waits_cap;
    PealTime deadline;
} Adapters;

/* status 0 with the hop (conn 0, UDP) and the Route value to push, else an error; borrowed. Called
 * once: from adapters_reach itself when the adapter is known, else from a later dispatch. */
typedef void (*AdaptersReached)(PealPeer *peer, uint64_t arg, int status, const PealId *node,
                                const PealHop *hop, PealStr route);

void adapters_init(PealPeer *peer);
void adapters_fini(PealPeer *peer);
void adapters_on_wake(PealPeer *peer, PealTime now);
void adapters_reach(PealPeer *peer, const PealId *node, AdaptersReached reached, uint64_t arg);
/* adapters_cancel forgets whoever waits with this arg. */
void adapters_cancel(PealPeer *peer, uint64_t arg);
/* adapters_failed: SIP along the entry failed; ask again next time. */
void adapters_failed(PealPeer *peer, const PealId *node);
/* adapters_on_request answers an AppAttach; refuses applications that are not SIP, and everything
 * where the peer is no adapter. */
void adapters_on_request(PealPeer *peer, const Inbound *request);

#endif
