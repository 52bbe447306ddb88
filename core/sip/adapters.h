/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * adapters.h - the other adapters: how SIP reaches the peers that an AOR is registered at.
 * Source: RFC 6940 s.6.5.2 (AppAttach), RFC 7904 s.5; application 5060.
 * State:  150 bytes an adapter in use, at most ADAPTERS_MAX; 24 bytes for each who waits for an
 *         AppAttach, at most ADAPTERS_WAITING_MAX.
 * Time:   an entry is used for ADAPTERS_LIFETIME, or until SIP along it fails, or a link to it
 *         dies. Who waits hears within a request's lifetime (request.h), and at once when the link
 *         to the other adapter dies.
 *
 * An AppAttach and its answer bring the other adapter's SIP addresses and, as their password, a
 * token (token.h), so that one exchange serves both directions. A request to it carries
 * `Route: <sip:TOKEN@address:port;lr>`; who shows a token that this adapter gave to a peer is that
 * peer.
 */
#ifndef SIP_ADAPTERS_H
#define SIP_ADAPTERS_H

#include "reload/request.h"
#include "sip/text.h"

enum { ADAPTERS_MAX = 4096, ADAPTERS_WAITING_MAX = 65536 };
#define ADAPTERS_LIFETIME peal_seconds(600)

typedef struct Adapters {
    struct Adapter *list; /* by Node-ID */
    struct AdapterWait *waits;
    uint32_t list_len;
    uint32_t list_cap;
    uint32_t waits_len;
    uint32_t waits_cap;
    uint32_t rounds; /* AppAttaches ever begun */
    bool settling;   /* those who wait are being told */
    PealTime deadline;
} Adapters;

/*
 * status 0 with the hop (conn 0, UDP) and the Route value to push; borrowed. Else hop is NULL and
 * status -PEAL_E_REFUSED (no adapter, or none that makes sense), -PEAL_E_TIMEOUT,
 * -PEAL_E_UNREACHABLE (its link died, or no address of a family of this host's), -PEAL_E_STATE (not
 * joined), -PEAL_E_FULL, -PEAL_E_ARG (this peer itself). Called once: from adapters_reach itself
 * when the adapter is known or cannot be asked, else from a later dispatch.
 */
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
/* adapters_on_link_dead: the RELOAD link to a node has died, and probably the node. */
void adapters_on_link_dead(PealPeer *peer, const PealId *node);
/* adapters_on_request answers an AppAttach; refuses applications that are not SIP, and everything
 * where the peer is no adapter. */
void adapters_on_request(PealPeer *peer, const Inbound *request);

#endif
