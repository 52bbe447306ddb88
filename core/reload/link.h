/*
 * link.h - a peer's links: who is at the other end, what is outstanding on them, who lies where on
 *          the ring.
 * Source: RFC 6940 s.6.5.1, s.6.6.2, s.6.6.3, with an AIMD window in place of stop and wait
 *         (s.6.6.3 allows it).
 * State:  40 bytes a link, 10 bytes more in the index once it is identified; a LinkTx while frames
 *         are unacknowledged.
 * Time:   RFC 6298's timer, doubling, link_sends transmissions. After the third retransmission
 *         without any acknowledgement the link leaves the routing table; after the last it is
 *         closed.
 */
#ifndef RELOAD_LINK_H
#define RELOAD_LINK_H

#include "base/rtt.h"
#include "reload/frame.h"
#include "reload/request.h"

typedef enum LinkPhase {
    LINK_FREE,
    LINK_OPENING, /* asked the world for the flow */
    LINK_NAMING,  /* the flow is up, the other side has not named itself */
    LINK_UP,
    LINK_SUSPECT /* up, but silent: out of the index until it answers */
} LinkPhase;

typedef struct LinkTx LinkTx;

/* One link, at its flow's index. */
typedef struct Link {
    PealId id; /* of the other side; all zero until it is named or expected */
    uint32_t tx_sequence;
    AckState rx;
    Rtt rtt;
    uint16_t generation;
    uint8_t phase;      /* LinkPhase */
    uint8_t opened : 1; /* this peer opened it */
    uint8_t named : 1;  /* this peer has named itself on it */
    uint8_t ready : 1;  /* an Update came over it: its peer may be routed through (s.6.5.1) */
    uint8_t neighbour : 1;
    uint8_t finger : 1;
    uint8_t indexed : 1;
    uint8_t wants_update : 1; /* its Attach asked for an Update once the link is up */
    uint8_t heard : 1;        /* it is new, or a frame came, since the last look */
} Link;

_Static_assert(sizeof(Link) == 40, "a link exists dozens of times a peer");

/* Half a frame of a stream. */
typedef struct LinkStream LinkStream;

/*
 * All links of a peer. The index lists those that are up and identified, one per Node-ID, clockwise
 * from the peer: `dist` holds the top 64 bits of the way to each, `slot` its flow index, and a bit
 * of `routes` says whether it belongs to the routing table. The three arrays are one block.
 */
typedef struct Links {
    Link *links;
    uint64_t *dist;
    uint64_t *routes;
    uint16_t *slot;
    uint16_t links_cap;
    uint16_t index_len;
    uint16_t index_cap;
    LinkTx *active; /* links with something outstanding */
    LinkStream *streams;
    PealTime deadline;
} Links;

void links_init(PealPeer *peer);
void links_fini(PealPeer *peer);

/* Lifecycle. */

/* link_open asks for a flow to an address and names this peer on it once it is up.
 * expected  Node-ID that should answer there, or NULL. Returns 0 or what env->open said. */
int link_open(PealPeer *peer, const PealAddr *addr, const PealId *expected,
              uint16_t *ret_slot) PEAL_MUST_USE;

/* link_adopt takes a flow as up, identified and ready, without a message. */
void link_adopt(PealPeer *peer, PealFlow flow, const PealId *identity);

/* link_close ends a link and tells the topology. */
void link_close(PealPeer *peer, uint16_t slot, PealDownReason reason);

void link_on_flow_up(PealPeer *peer, PealFlow flow, bool opened, const PealId *identity);
void link_on_flow_down(PealPeer *peer, PealFlow flow);

/* link_identify: the other side named itself. A further link to the same Node-ID takes the place of
 * the one before in the index; those that the same side had opened are closed, since that side has
 * then forgotten them. */
void link_identify(PealPeer *peer, uint16_t slot, const PealId *id);

/* link_prefer puts a link that is up into the index in place of another to the same Node-ID. Where
 * both sides opened one at the same time, each has its own idea of which came last. */
void link_prefer(PealPeer *peer, uint16_t slot);

/* link_on_bytes_take reads frames, acknowledges them and hands each message to
 * forward_message_take. */
void link_on_bytes_take(PealPeer *peer, PealFlow flow, PealBuf *buf);

void link_on_wake(PealPeer *peer, PealTime now);

/* Sending. */

/* link_send_take sends a message that stands in buf behind RELOAD_DATA_FRAME_LEN bytes of room for
 * its frame. */
void link_send_take(PealPeer *peer, uint16_t slot, PealBuf *buf);

/* link_is_sending: is something out on it that the other side has not acknowledged? Then a silent
 * other side will be noticed. */
bool link_is_sending(const PealPeer *peer, uint16_t slot);

/* Index. */

static inline Link *link_at(const Links *links, uint16_t slot)
{
    return &links->links[slot];
}

/* link_valid: does the flow still mean this link? */
bool link_valid(const Links *links, PealFlow flow);

/* link_find: the indexed link to a Node-ID, or LINK_NONE. */
uint16_t link_find(const PealPeer *peer, const PealId *id);

/* link_guess: the link that link_find probably finds, told without touching a link. */
uint16_t link_guess(const PealPeer *peer, const PealId *id);

/* link_find_any: also one that is still coming up and expects that Node-ID. */
uint16_t link_find_any(const PealPeer *peer, const PealId *id);

/* link_rank: how many indexed links lie nearer clockwise than id; the place of id among them. */
uint16_t link_rank(const PealPeer *peer, const PealId *id);

/* link_routes_refresh rebuilds the bits of `routes`: neighbours and fingers that are ready. */
void link_routes_refresh(PealPeer *peer);

/* Between link.c, link_index.c and link_send.c. */

int link_index_insert(PealPeer *peer, uint16_t slot) PEAL_MUST_USE;
void link_index_remove(PealPeer *peer, uint16_t slot);
void link_stream_drop(PealPeer *peer, uint16_t slot);
void link_sender_ack(PealPeer *peer, uint16_t slot, const Frame *ack);
void link_sender_drop(PealPeer *peer, uint16_t slot);
/* link_sender_take does so too, and hands over what is outstanding, the oldest first, to be sent
 * otherwise or dropped. Returns how many there are. */
#define LINK_WAITING_MAX 256 /* messages, in flight or not */
uint16_t link_sender_take(PealPeer *peer, uint16_t slot, PealBuf *ret_bufs[LINK_WAITING_MAX]);
/* link_sender_reroute sends what is unacknowledged by other ways; its oldest message stays to probe
 * the link. */
void link_sender_reroute(PealPeer *peer, uint16_t slot);
/* link_suspect takes a silent link out of the index. link_restore puts a link that is heard of
 * again back, unless there is another to the same Node-ID. */
void link_suspect(PealPeer *peer, uint16_t slot);
void link_restore(PealPeer *peer, uint16_t slot);

#endif
