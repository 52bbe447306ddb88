/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * registrar_plan.h - what a REGISTER would change, before anything has, and how it is answered.
 * Source: RFC 3261 s.10.3, RFC 3327 s.5.3, RFC 5626 s.6.
 * State:  none.   Time: none.
 */
#ifndef SIP_REGISTRAR_PLAN_H
#define SIP_REGISTRAR_PLAN_H

#include "sip/registrar_job.h"

/* registrar_vet looks at what needs no bindings: Require, the domain, the AOR. */
RegistrarReply registrar_vet(PealPeer *peer, const SipMessage *request, PealId *ret_resource,
                             PealStr *ret_realm);

/*
 * registrar_plan fills in the job's ops; within an arena. Expired bindings of the AOR must be gone.
 * aor   NULL when there is none
 * The ops are the job's even when it fails: registrar_unplan releases them.
 */
RegistrarReply registrar_plan(PealPeer *peer, RegistrarJob *job, const SipMessage *request,
                              const RegistrarAor *aor);
/* registrar_plan_operator does the same for an operator's job. */
RegistrarReply registrar_plan_operator(PealPeer *peer, RegistrarJob *job, const RegistrarAor *aor);
void registrar_unplan(PealPeer *peer, RegistrarJob *job);

/* registrar_accept answers 200 with what is bound (aor may be NULL), registrar_refuse what the
 * reply says, registrar_challenge 401. */
void registrar_accept(PealPeer *peer, const RegistrarJob *job, const SipMessage *request,
                      const RegistrarAor *aor);
void registrar_refuse(PealPeer *peer, const RegistrarJob *job, const SipMessage *request,
                      const RegistrarReply *reply);
void registrar_challenge(PealPeer *peer, const RegistrarJob *job, const SipMessage *request,
                         PealStr realm, bool stale);
/* registrar_next_unsupported is the next option of a Require that this adapter lacks (8.2.2.3);
 * registrar_put_unsupported writes them as header lines. */
bool registrar_next_unsupported(const SipMessage *request, SipCursor *cursor);
void registrar_put_unsupported(SipText *text, const SipMessage *request);
/* registrar_rest_s is what is left of a lifetime, rounded up. */
uint32_t registrar_rest_s(PealTime until, PealTime now);

#endif
