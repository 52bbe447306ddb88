/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow.h - flows between peers: which one at the other end, how far away, and a model of UDP and
 *          TCP.
 * Source: RFC 768; RFC 9293 in so far as a peer can notice it.
 * State:  16 bytes a flow and end, and 8 more while the network can reorder.
 * Time:   delays are the network's.
 *
 * A packet carries the index of its flow at the receiver, as a datagram carries a port, so that
 * nobody searches; the first ones, sent before the opener has heard anything, are found by the
 * sender's index.
 *
 * UDP. The opener's flow is up at once; the other end's comes up with the first datagram. Closing
 * says nothing to the other end, and what it sends afterwards vanishes. TCP. Opening costs a round
 * trip, after which the opener's end is up; the acceptor's is half a round trip later. Nobody
 * there, or a partition between: the opener's flow goes down after FLOW_CONNECT_TIMEOUT. Bytes stay
 * in order. A dead machine or a partition shows as FLOW_USER_TIMEOUT without acknowledgement, and
 * nothing is delivered on such a flow any more; a machine that is up but has forgotten the flow
 * resets it. A segment is never lost otherwise: TCP repairs that below.
 */
#ifndef SIM_FLOW_H
#define SIM_FLOW_H

#include <peal/env.h>

#include "packet.h"

#define FLOW_CONNECT_TIMEOUT peal_seconds(7) /* SYNs at 0, 1 and 3 s (RFC 6298 s.2), and 4 s more */
#define FLOW_USER_TIMEOUT peal_seconds(5) /* RFC 5482, as short as interactive signalling sets it */

typedef enum FlowState {
    FLOW_FREE,
    FLOW_OPENING, /* not up yet */
    FLOW_UP,
    FLOW_BROKEN /* bytes were lost for good: it goes down soon */
} FlowState;

typedef struct SimFlow {
    uint32_t other; /* peer */
    PealFlow there; /* its flow; index PACKET_FLOW_UNKNOWN until it was heard from */
    uint32_t one_way_us;
    uint16_t generation; /* of the flow here */
    uint8_t state;       /* FlowState */
    uint8_t tcp : 1;
    uint8_t opener : 1;
} SimFlow;

_Static_assert(sizeof(SimFlow) == 16, "a flow exists dozens of times a peer");

struct World;
struct SimPeer;

/* As the environment's operations (<peal/env.h>). */
int flow_open(struct World *world, struct SimPeer *peer, const PealTarget *to, PealFlow *ret_flow);
void flow_close(struct World *world, struct SimPeer *peer, PealFlow name);
void flow_send_take(struct World *world, struct SimPeer *peer, PealFlow name, PealBuf *buf);

/* flow_pair makes a flow that is up at both ends without a word; false when one end has none
 * left. */
bool flow_pair(struct World *world, struct SimPeer *opener, struct SimPeer *other,
               PealFlow *ret_opener, PealFlow *ret_other);

/* flow_between finds a flow that is up towards a peer. */
bool flow_between(const struct SimPeer *peer, uint32_t other, PealFlow *ret_flow);

/* flow_of finds the flow here that an arriving packet belongs to, NULL when there is none, and
 * notes what the packet tells about the other end. */
SimFlow *flow_of(struct SimPeer *peer, const Packet *packet);

/* flow_accept makes the flow here that an arriving packet opens; NULL when there is none left. */
SimFlow *flow_accept(struct World *world, struct SimPeer *peer, const Packet *packet);

/* flow_name is the name of a flow at its peer. */
PealFlow flow_name(const struct SimPeer *peer, const SimFlow *flow);

/* flow_number names the flow of a packet to `dest`, the same for both directions. */
uint64_t flow_number(const Packet *packet, uint32_t dest);

/* flow_on_control handles every packet that carries no data. */
void flow_on_control(struct World *world, struct SimPeer *peer, const Packet *packet);

/* flow_refuse answers data that no flow or no peer takes. */
void flow_refuse(struct World *world, struct SimPeer *peer, const Packet *packet);

/* flow_end_all frees the flows of a peer that stops, and their table. graceful: TCP says so to the
 * other ends. */
void flow_end_all(struct World *world, struct SimPeer *peer, bool graceful);

#endif
