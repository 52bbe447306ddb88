/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flows.h - RELOAD's flows: UDP 5-tuples and TCP connections under the peer's small indices.
 * Source: RFC 6940 s.6.6, RFC 768, RFC 9293.
 * State:  one Flows per peer, at most FLOWS_MAX flows, 200 bytes each.
 * Time:   an accepted flow whose other side does not name itself within FLOWS_NAMING_TIME ends.
 *
 * A UDP flow that this peer opens has a socket of its own: so the other end sees a flow of its own
 * too, whatever it remembers of an earlier one, and ICMP tells when nobody is there. Flows that
 * others open share the listening sockets, and are told apart by the other side's address.
 *
 * Anybody can make up addresses, so flows whose other side has not named itself are few: a new one
 * takes the place of the oldest. Those that were accepted never take all indices.
 */
#ifndef NET_FLOWS_H
#define NET_FLOWS_H

#include <peal/peer.h>

#include "loop.h"
#include "shim.h"
#include "tap.h"

#define FLOWS_NAMING_TIME peal_seconds(10)

enum { FLOWS_MAX = 4096 }; /* of the indices that PEAL_FLOWS_MAX allows */

typedef struct Flows Flows;

typedef struct FlowsConfig {
    Loop *loop;
    Tap *tap;
    PealTransport transport;
    Shim *shim;       /* an emulated network, or NULL */
    size_t flows_max; /* 8..FLOWS_MAX */
    bool gated;       /* the peer is asked whether it lets messages in */
} FlowsConfig;

Flows *flows_new(const FlowsConfig *config);
/* Ends all flows without a word to the peer. */
void flows_free(Flows *flows);

/* flows_listen returns 0 with the address bound, or an errno. */
int flows_listen(Flows *flows, const PealAddr *addr, PealAddr *ret_bound);

/* flows_attach says whom events go to; NULL: nobody any more. */
void flows_attach(Flows *flows, PealPeer *peer);

/* As the environment's operations. */
int flows_open(Flows *flows, const PealTarget *to, PealFlow *ret_flow);
void flows_close(Flows *flows, PealFlow name);
void flows_send_take(Flows *flows, PealFlow name, PealBuf *buf);

/* flows_reach tells whether flows can be opened to an address: this peer listens where they could
 * come from. */
bool flows_reach(const Flows *flows, const PealAddr *addr);

/* The other side of a flow has named itself. */
void flows_identified(Flows *flows, uint16_t index);

/* flows_watch has the frames on the flows told; NULL: no more. The struct is borrowed. */
struct NodeWatch;
void flows_watch(Flows *flows, const struct NodeWatch *watch);

size_t flows_len(const Flows *flows);

#endif
