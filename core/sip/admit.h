/*
 * admit.h - SIP messages at the gate (security/gate.h): who gets in while there is too much, and
 *           what the others are told.
 * Source: RFC 3261 s.8.2.7, s.21.5.4; RFC 7339 s.5.10.2.
 * State:  none.   Time: none.
 *
 * What has to be known of a message that may come in is known from its first bytes; only one that
 * shall be refused is scanned, for its To tag, its transaction and for the lines that an answer
 * copies. A repetition of a request that was taken in gets in, so that nobody is refused what is
 * being done. A refusal is a 503 without a transaction; the ACK that it may cause is dropped by its
 * To tag. A source that has used up its tokens gets no answer, unless it is known: its address may
 * be forged, and what it does not answer need not be sent.
 */
#ifndef SIP_ADMIT_H
#define SIP_ADMIT_H

#include "sip/state.h"

/* sip_admit judges one whole message by the gate's `wait`; on REFUSE it has been answered. The peer
 * has a gate. */
PealAdmit sip_admit(PealPeer *peer, const PealHop *from, PealStr bytes) PEAL_MUST_USE;

#endif
