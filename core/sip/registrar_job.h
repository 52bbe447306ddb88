/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * registrar_job.h - a REGISTER under way, and what becomes of its AOR.
 * Source: RFC 3261 s.10.3.
 * State:  a RegistrarJob for each, with a copy of the request.
 * Time:   a job waits for a password, for those before it, and for its Store.
 */
#ifndef SIP_REGISTRAR_JOB_H
#define SIP_REGISTRAR_JOB_H

#include "sip/bindings.h"
#include "sip/location.h"

#define REGISTRAR_BUSY_RETRY peal_seconds(1)

/* `old` is removed, or replaced by `fresh`, or `fresh` is added. */
typedef struct RegistrarOp {
    Binding *old;
    Binding *fresh;
} RegistrarOp;

/* A REGISTER, packed, or an operator's wish: then `bytes` is the URI. */
struct RegistrarJob {
    RegistrarJob *next; /* in its AOR's queue */
    uint64_t name;
    PealId resource;
    PealHop from;
    SipTx tx;
    RegistrarOp *ops;
    uint32_t ops_len;
    uint32_t ops_cap;
    uint64_t token;     /* operator's */
    uint32_t expires_s; /* operator's */
    int *error_at;      /* operator's, while peal_peer_bind has not returned: where an end goes */
    bool operators;
    bool stored; /* operator's: there was nothing to store, and the rest is for the next wake */
    bool flow;   /* a Contact was bound to its flow: the answer requires outbound */
    uint32_t len;
    char bytes[];
};

/* How a REGISTER is answered. The header fields that a status needs come by themselves. */
typedef struct RegistrarReply {
    uint16_t status;    /* 0: go on */
    const char *reason; /* NULL: the status's own */
    int error;          /* for an operator */
} RegistrarReply;

/* registrar_job_new copies a request, or with NULL an operator's URI; NULL when there is no room
 * for it. registrar_job_free ends it without an answer; registrar_job_release does so for
 * slots_fini. */
RegistrarJob *registrar_job_new(PealPeer *peer, const SipMessage *request, PealStr uri);
void registrar_job_free(PealPeer *peer, RegistrarJob *job);
void registrar_job_release(PealPeer *peer, void *thing);
/* registrar_reread unpacks a job's request; false for an operator's. */
bool registrar_reread(const RegistrarJob *job, SipMessage *ret_request) PEAL_MUST_USE;

/* registrar_submit carries out a job whose asker may do this, now or when its turn comes; within an
 * arena. The AOR must be settled afterwards. */
void registrar_submit(PealPeer *peer, RegistrarJob *job, const SipMessage *request);
/* registrar_finish answers a job and frees it; status 200 lists what is bound. */
void registrar_finish(PealPeer *peer, RegistrarJob *job, const SipMessage *request,
                      const RegistrarAor *aor, const RegistrarReply *reply);
/* registrar_on_stored ends the Store of the job of this name. */
void registrar_on_stored(PealPeer *peer, uint64_t name, int status);

/* registrar_settle removes an AOR without bindings and jobs, or makes it due when the next binding
 * expires. */
void registrar_settle(PealPeer *peer, RegistrarAor *aor);
/* registrar_keep stores an AOR until a time; `done` as location_keep's. registrar_on_stored_again
 * is for when nobody waits: location goes on trying by itself. */
int registrar_keep(PealPeer *peer, RegistrarAor *aor, PealTime until, LocationDone done,
                   uint64_t arg) PEAL_MUST_USE;
void registrar_on_stored_again(PealPeer *peer, uint64_t arg, int status);
/* registrar_mark_stale has an AOR stored anew after a while. */
void registrar_mark_stale(PealPeer *peer, RegistrarAor *aor, PealSpan wait);

/* registrar_changed has the bindings written soon. */
void registrar_changed(PealPeer *peer);
/* registrar_schedule tells the deadline. */
void registrar_schedule(PealPeer *peer);

#endif
