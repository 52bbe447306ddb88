/*
 * topology.h - what an overlay algorithm must answer: RELOAD's topology plug-in.
 * Source: RFC 6940 s.6.4.1.
 * State:  the plug-in's own, inside the peer.   Time: each function runs inside a dispatch.
 * A new overlay is one file with one table of these, and one row in peer.c.
 */
#ifndef OVERLAY_TOPOLOGY_H
#define OVERLAY_TOPOLOGY_H

#include "reload/request.h"

/* Lists of other peers' Node-IDs, for whoever looks on. */
typedef enum TopologyList {
    TOPOLOGY_SUCCESSORS,
    TOPOLOGY_PREDECESSORS,
    TOPOLOGY_FINGERS
} TopologyList;

typedef struct TopologyOps {
    const char *name; /* as in the overlay's configuration document */
    void (*init)(PealPeer *peer);
    void (*fini)(PealPeer *peer);
    /* found begins an overlay of one. */
    void (*found)(PealPeer *peer);
    /* leave says so to whom it concerns, then calls peer_left with the token. */
    void (*leave)(PealPeer *peer, uint64_t token);
    void (*converge)(PealPeer *peer, PealRingView *view);
    /* renew looks anew for all of the tables that are not neighbours. */
    void (*renew)(PealPeer *peer);
    /* Routing. responsible: is this Resource-ID mine? next_hop: the link towards an id, not
     * `back`, which it came over; LINK_NONE when there is none. Node-IDs that are linked directly
     * have been tried before. */
    bool (*responsible)(const PealPeer *peer, const PealId *id);
    uint16_t (*next_hop)(const PealPeer *peer, const PealId *id, uint16_t back);
    /* first_hops: the links of the routing table in the order in which a message for the id may
     * begin its way by them, the best first; none when the id is this peer's. At most max. NULL:
     * there is one way only. */
    size_t (*first_hops)(const PealPeer *peer, const PealId *id, uint16_t *ret_links, size_t max);
    /* replica_set: who else stores what this peer is responsible for, nearest first, up to max. */
    size_t (*replica_set)(const PealPeer *peer, PealId *ret_ids, size_t max);
    /* May this sender Store replica number `replica` of a resource here (s.7.4.1.1, s.10.4)? */
    bool (*accepts_replica)(const PealPeer *peer, const PealId *resource, const PealId *sender);
    /* Is this peer one of those that should hold the resource: owner or replica (s.10.7.3)? */
    bool (*holds)(const PealPeer *peer, const PealId *resource);
    /* Is the responder at least as near to the resource as every neighbour known here (s.6.3.4)? */
    bool (*plausible)(const PealPeer *peer, const PealId *resource, const PealId *responder);
    /* An answer came from a responder that is not plausible: whoever seems to be nearer may be gone
     * without a word, and is asked for a sign of life. */
    void (*doubt)(PealPeer *peer, const PealId *resource, const PealId *responder);
    /* Links come (identified) and go. */
    void (*on_link_up)(PealPeer *peer, uint16_t link);
    void (*on_link_down)(PealPeer *peer, uint16_t link, const PealId *id, PealDownReason reason);
    /* An Attach with this purpose ended: `linked` says that a link to id is up. */
    void (*on_attached)(PealPeer *peer, uint16_t purpose, const PealId *id, bool linked);
    /* The other side of the link wants an Update; the link may still be coming up. */
    void (*on_update_wanted)(PealPeer *peer, uint16_t link);
    /* The bootstrap link is up: a way into the overlay, or, once joined, into what may be another
     * part of it. */
    void (*on_bootstrap)(PealPeer *peer, uint16_t link);
    /* join, leave, update, route_query and attach's send_update. */
    void (*on_request)(PealPeer *peer, const Inbound *request);
    void (*on_wake)(PealPeer *peer, PealTime now);
    PealTime (*deadline)(const PealPeer *peer);
    /* The nearest first; at most max. Returns how many there are of them. */
    size_t (*list)(const PealPeer *peer, TopologyList which, PealId *ret_ids, size_t max);
    /* fraction of the ring this peer answers for, parts per billion (Probe). */
    uint32_t (*responsible_ppb)(const PealPeer *peer);
} TopologyOps;

#endif
