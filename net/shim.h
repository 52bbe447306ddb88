/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * shim.h - a scenario's network between the nodes of one host: what a node sends to another is held
 *          back as long as it would be under way, or lost.
 * Source: scenarios/network.
 * State:  one per node; 80 bytes per packet under way, and the packet.
 * Time:   the loop's.
 *
 * Peers are known by their ports (see NodeEmulate), and at the accepting end of a flow by the
 * loopback address that each peer opens its flows from.
 */
#ifndef NET_SHIM_H
#define NET_SHIM_H

#include <peal/env.h>
#include <scenarios/network.h>

#include "config.h"
#include "loop.h"

typedef struct Shim Shim;

/* Errors are the scenario's and its network's. */
Shim *shim_new(Loop *loop, const NodeEmulate *emulate, GError **error);
void shim_free(Shim *shim);

/* The address that this peer opens flows and connections from. */
PealAddr shim_source(const Shim *shim);

/* shim_knows tells which peer an address is of; false: of none, such as a phone. */
bool shim_knows(const Shim *shim, const PealAddr *addr, uint32_t *ret_peer);

/* Where a packet goes when it has arrived. */
typedef struct ShimTo {
    void (*deliver_take)(void *user, const struct ShimTo *to, PealBuf *buf);
    void *user;
    PealFlow flow;
    PealHop hop;
} ShimTo;

/* What a packet is to the network. */
typedef struct ShimPacket {
    uint32_t peer;  /* where it goes */
    PealTime *last; /* of a stream: when its last packet arrives, in and out; NULL: a datagram */
} ShimPacket;

/*
 * shim_send_take has a packet delivered after its time under way; one that is lost is freed. Each
 * sending of a stream keeps behind the one before.
 * Returns whether it will arrive.
 */
bool shim_send_take(Shim *shim, const ShimPacket *packet, const ShimTo *to, PealBuf *buf);

/* shim_drop forgets what is under way to `user`. */
void shim_drop(Shim *shim, const void *user);

/* shim_round_trip is the time of a handshake with a peer; false: a partition lies between. */
bool shim_round_trip(const Shim *shim, uint32_t peer, PealSpan *ret_span);

/* As network_partition and network_heal. */
void shim_partition(Shim *shim, uint32_t ppm, uint32_t event);
void shim_heal(Shim *shim);

#endif
