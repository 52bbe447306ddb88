/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * siphop.h - SIP's way between peers and their phones: datagrams and connections by address, and
 *            the answers to what peers ask the world.
 * Source: RFC 3261 s.18; none for the model.
 * State:  56 bytes a TCP connection, from its first message until both ends know that it is over;
 *         nothing for datagrams.
 * Time:   delays are the network's; a phone lies one NETWORK_FLOOR away from its peer, whose
 *         address it shares.
 *
 * A peer's SIP is heard at WORLD_SIP_PORT of its address, that of its user u at WORLD_PHONE_PORT +
 * u. Between a peer and its own phones nothing is lost and nothing queues. TCP hands over what was
 * sent in one piece, in order and without loss. Its first message waits a round trip for the
 * handshake; whoever sends to a dead machine or over a partition hears of it after
 * FLOW_USER_TIMEOUT, to one that has forgotten the connection, after the way there and back.
 *
 * There is no DNS: addresses resolve to themselves, the overlay's domain to its first peers,
 * or the one server.
 */
#ifndef SIM_SIPHOP_H
#define SIM_SIPHOP_H

#include <glib.h>
#include <peal/env.h>

#include "packet.h"

struct World;
struct SimPeer;

typedef struct SipHops {
    GHashTable *by_number; /* of SipConn */
    GHashTable *by_ends;   /* the same, by opener and acceptor */
    uint32_t numbers;      /* given out */
} SipHops;

void siphop_init(SipHops *hops);
void siphop_fini(SipHops *hops);

/* As the environment's operations (<peal/env.h>), of the peer's adapter or of a phone there; port:
 * where that one is heard. */
void siphop_send_take(struct World *world, struct SimPeer *peer, uint16_t port, const PealHop *to,
                      PealBuf *buf);
void siphop_close(struct World *world, struct SimPeer *peer, uint16_t port, uint32_t number);
int siphop_ask(struct World *world, struct SimPeer *peer, const PealAsk *ask);

/* siphop_arrive handles every packet of a type from PACKET_SIP on; takes it. */
void siphop_arrive(struct World *world, struct SimPeer *peer, Packet *packet);

/* siphop_from is where a message came from, as its receiver knows it. */
PealHop siphop_from(const Packet *packet);

/* siphop_end_all: a peer stops, and its phones with it, without a word to the other ends of their
 * connections. */
void siphop_end_all(struct World *world, const struct SimPeer *peer);

#endif
