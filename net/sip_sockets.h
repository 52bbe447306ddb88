/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip_sockets.h - SIP over UDP and TCP: hops instead of flows.
 * Source: RFC 3261 s.18, RFC 3581 s.4.
 * State:  two sockets per address listened at; 300 bytes per TCP connection, of which there are at
 *         most connections_max, and connections_each from one address.
 * Time:   what is sent leaves at the end of the turn. A connection on which nothing comes in
 *         SIP_FIRST_TIME ends; when there are too many, the one that was idle for longest gives
 *         way, if that was more than SIP_IDLE_TIME.
 */
#ifndef NET_SIP_SOCKETS_H
#define NET_SIP_SOCKETS_H

#include <peal/peer.h>

#include "loop.h"
#include "shim.h"
#include "tap.h"

#define SIP_FIRST_TIME peal_seconds(30)
#define SIP_IDLE_TIME peal_seconds(60)

typedef struct SipSockets SipSockets;

typedef struct SipSocketsConfig {
    Loop *loop;
    Tap *tap;
    Shim *shim; /* an emulated network, or NULL */
    size_t connections_max;
    size_t connections_each;
    bool gated; /* the peer is asked whether it lets messages in */
} SipSocketsConfig;

SipSockets *sip_sockets_new(const SipSocketsConfig *config);
void sip_sockets_free(SipSockets *sockets);

/* sip_sockets_listen listens over UDP and TCP; 0 with the address bound, or an errno. */
int sip_sockets_listen(SipSockets *sockets, const PealAddr *addr, PealAddr *ret_bound);

/*
 * sip_sockets_advertise says what a hop's `local` counts: addresses as others are told. To be
 * called once all is listened at.
 * own   which of them are the host's, so that datagrams can leave from them
 */
void sip_sockets_advertise(SipSockets *sockets, const PealAddr *addrs, const bool *own, size_t len);

/* sip_sockets_attach says whom events go to; NULL: nobody any more. */
void sip_sockets_attach(SipSockets *sockets, PealPeer *peer);

/* As the environment's operations. */
void sip_sockets_send_take(SipSockets *sockets, const PealHop *to, PealBuf *buf);
void sip_sockets_close(SipSockets *sockets, uint32_t number);

/* What was sent so far. */
const SipCounts *sip_sockets_sent(const SipSockets *sockets);

/* Datagrams that the peer was given so far, and pieces of streams. */
uint64_t sip_sockets_received(const SipSockets *sockets);

size_t sip_sockets_connections(const SipSockets *sockets);

#endif
