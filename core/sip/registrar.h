/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * registrar.h - keeps the bindings of the phones that registered at this adapter, and the overlay
 *               informed that they are here.
 * Source: RFC 3261 s.10, RFC 3327 (Path), RFC 5626 (outbound), RFC 7904 s.3.
 * State:  a hash table of AORs; about 100 bytes an AOR and 100 a binding plus their texts; bounded by
 *         config->aors_max and contacts_max. Persisted a few seconds after a change.
 * Time:   bindings expire by themselves; `deadline` is the next to do so, or the next write.
 */
#ifndef SIP_REGISTRAR_H
#define SIP_REGISTRAR_H

#include <peal/peer.h>

#include "sip/message.h"
#include "sip/text.h"
#include "sip/transaction.h"

typedef struct RegistrarAor RegistrarAor;

typedef struct Registrar {
    RegistrarAor **table; /* by Resource-ID */
    uint32_t table_len;
    uint32_t aors;
    uint32_t bindings;
    PealTime persist_at;
    PealTime deadline;
} Registrar;

/* One binding as the proxy needs it; texts are borrowed until the next call that changes bindings. */
typedef struct RegistrarTarget {
    PealStr contact; /* URI */
    PealStr path;    /* Path values, comma-separated; empty for none */
    PealHop hop;     /* where its REGISTER came from */
    uint16_t q_milli;
    bool by_hop; /* go to the hop whatever the URI says: TCP, outbound, or behind NAT */
} RegistrarTarget;

void registrar_init(PealPeer *peer);
void registrar_fini(PealPeer *peer);
void registrar_on_wake(PealPeer *peer, PealTime now);

/* registrar_restore takes up what was persisted; what does not decode is left out. */
void registrar_restore(PealPeer *peer, PealBytes bytes);
/* registrar_joined stores all AORs anew: the peer has joined (again). */
void registrar_joined(PealPeer *peer);

/* registrar_on_register handles a REGISTER for one of the overlay's domains: authentication, the
 * bindings, the Store, the answer. */
void registrar_on_register(PealPeer *peer, SipTx tx, const SipMessage *request,
                           const PealHop *from);

/* registrar_targets lists the live bindings of an AOR here, best q first; at most max. */
size_t registrar_targets(PealPeer *peer, const PealId *resource, RegistrarTarget *ret_targets,
                         size_t max);

/* registrar_flow_failed: a connection that bindings stand on is gone (430 for them from now on). */
void registrar_flow_failed(PealPeer *peer, const PealHop *hop);

#endif
