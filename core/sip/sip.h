/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip.h - the adapter of one peer: SIP comes in here, and goes to the registrar or the proxy.
 * Source: RFC 3261, RFC 7904.
 * State:  one Sip per adapter, from the environment; a peer without one has a NULL pointer.
 * Time:   `sip_deadline` is the earliest of its parts'.
 * What the world calls is in <peal/peer.h>.
 */
#ifndef SIP_SIP_H
#define SIP_SIP_H

#include <peal/peer.h>

typedef struct Sip Sip;

void sip_fini(PealPeer *peer);
/* sip_joined: the peer has joined the overlay, for the first time or again. */
void sip_joined(PealPeer *peer);
/* sip_leave: the peer is about to leave; what is to survive is written. */
void sip_leave(PealPeer *peer);
void sip_on_wake(PealPeer *peer, PealTime now);
PealTime sip_deadline(const PealPeer *peer);

#endif
