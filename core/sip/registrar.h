/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * registrar.h - keeps the bindings of the phones that registered at this adapter, and the overlay
 *               informed that they are here.
 * Source: RFC 3261 s.10, RFC 3327 (Path), RFC 5626 (outbound), RFC 7904 s.3.
 * State:  a hash table and a heap of AORs; about 100 bytes an AOR and 80 a binding plus their
 *         texts; bounded by config->aors_max and contacts_max. A copy of each REGISTER that waits
 *         for a password, a Store or an earlier REGISTER for the same AOR; at most
 *         REGISTRAR_JOBS_MAX. Persisted a few seconds after a change.
 * Time:   bindings expire by themselves; `deadline` is the next to do so, or the next write.
 *
 * A REGISTER is carried out whole or not at all: its changes count when the Store that they cause
 * has succeeded; until then, and if it fails (503), what was bound before is bound, and what is
 * being refreshed stays a target even past its time. One that changes nothing causes no Store.
 * Answers beyond RFC 3261's: 420 for a Require other than path and
 * outbound, 439 for outbound behind a first hop that lacks it, 403 for more than contacts_max
 * contacts, 503 for more than aors_max AORs and while the peer has not joined. Path is taken
 * whether or not the phone says that it supports it (RFC 3327 s.5.3 leaves that to the registrar):
 * behind an edge proxy many that say nothing work.
 */
#ifndef SIP_REGISTRAR_H
#define SIP_REGISTRAR_H

#include <peal/peer.h>

#include "sip/message.h"
#include "sip/slots.h"
#include "sip/text.h"
#include "sip/transaction.h"

typedef struct RegistrarAor RegistrarAor;

enum {
    REGISTRAR_JOBS_MAX = 65536,
    REGISTRAR_JOBS_BYTES_MAX = 64 << 20,
    REGISTRAR_QUEUE_MAX = 16,    /* REGISTERs for one AOR that wait for their turn */
    REGISTRAR_CONTACT_MAX = 2048 /* bytes of a Contact, and of a Path */
};

typedef struct Registrar {
    RegistrarAor **table; /* by Resource-ID */
    RegistrarAor **heap;  /* the same, by their next expiry */
    uint32_t table_len;   /* a power of two */
    uint32_t heap_cap;
    uint32_t aors;
    uint32_t bindings;
    uint32_t life;       /* of this adapter since it was started: connections and nonces of another
                             one are none of its own */
    uint32_t stale;      /* AORs to be stored anew */
    uint32_t stale_next; /* where in the table to look for them next */
    uint32_t conns_len;  /* a power of two */
    uint32_t on_conns;   /* bindings in conns */
    struct Binding **conns; /* those that stand on a connection, by its number */
    Slots jobs;
    size_t jobs_bytes;
    PealTime stale_at;
    PealTime persist_at;
    PealTime deadline;
} Registrar;

/* One binding as the proxy needs it; texts are borrowed until the next call that changes
 * bindings. */
typedef struct RegistrarTarget {
    PealStr contact; /* URI */
    PealStr path;    /* Path values, comma-separated; empty for none */
    PealStr
        instance; /* outbound: of two targets with the same one, the second is for when the first
                         fails with 430 (RFC 5626 s.7); else empty */
    PealHop hop;  /* where its REGISTER came from */
    uint16_t q_milli;
    bool by_hop; /* go to the hop whatever the URI says: TCP, outbound, or behind NAT */
} RegistrarTarget;

void registrar_init(PealPeer *peer);
void registrar_fini(PealPeer *peer);
void registrar_on_wake(PealPeer *peer, PealTime now);

/* registrar_restore takes up what was persisted, the adapter's key too; what does not decode is
 * left out. */
void registrar_restore(PealPeer *peer, PealBytes bytes);
/* registrar_flush writes now what would be written soon: the peer is leaving. */
void registrar_flush(PealPeer *peer);
/* registrar_joined stores all AORs anew, a few at a time: the peer has joined (again). */
void registrar_joined(PealPeer *peer);

/* registrar_on_register handles a REGISTER for one of the overlay's domains: authentication, the
 * bindings, the Store, the answer. */
void registrar_on_register(PealPeer *peer, SipTx tx, const SipMessage *request,
                           const PealHop *from);

/* registrar_targets lists the live bindings of an AOR here, best q first and among equals the
 * oldest; at most max. Those whose outbound flow has failed are left out. */
size_t registrar_targets(PealPeer *peer, const PealId *resource, RegistrarTarget *ret_targets,
                         size_t max);

/* registrar_flow_failed: a connection that bindings stand on is gone. Outbound ones are no targets
 * from now on; others are reached by their URI. */
void registrar_flow_failed(PealPeer *peer, const PealHop *hop);

#endif
