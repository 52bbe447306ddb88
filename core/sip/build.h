/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * build.h - messages this host makes: answers, and the requests that follow from a request.
 * Source: RFC 3261 s.8.2.6, s.9.1, s.17.1.1.3, s.18.2.1.   State: none.   Time: none.
 */
#ifndef SIP_BUILD_H
#define SIP_BUILD_H

#include <peal/env.h>

#include "sip/message.h"
#include "sip/text.h"

/* What an answer has beyond what it copies; all but status may be left empty. */
typedef struct SipAnswer {
    uint16_t status;
    PealStr reason;  /* empty: sip_reason */
    PealStr to_tag;  /* put behind To when that has none; empty for 100 */
    PealStr headers; /* whole lines, each with CRLF */
    PealStr content_type;
    PealStr body;
} SipAnswer;

/*
 * sip_build_answer copies Via (the topmost with received and rport as `from` makes them, RFC 3581),
 * From, To, Call-ID, CSeq, Timestamp for a 100, Record-Route for 101..299 of a dialog-forming
 * request, and adds the rest, Content-Length last.
 */
void sip_build_answer(SipText *text, const SipMessage *request, const PealHop *from,
                      const SipAnswer *answer);

/*
 * sip_build_via writes the topmost Via of a request that came from `from`: received where its
 * sent-by is not the source, and rport where it asks for it (18.2.1, RFC 3581 s.4). Parameters of
 * these names that it came with are left out. What does not read as a Via is written as it is.
 */
void sip_build_via(SipText *text, const SipMessage *request, const PealHop *from);

/* sip_build_reply_hop: where an answer to a request that came from `from` goes (18.2.2, RFC 3581):
 * back on its connection; over UDP to the source address, at the source port with rport and at
 * Via's port (5060 by default) without. */
int sip_build_reply_hop(const SipMessage *request, const PealHop *from,
                        PealHop *ret_hop) PEAL_MUST_USE;

/* sip_build_ack is the ACK to a final answer other than 2xx; sip_build_cancel the CANCEL of an
 * INVITE. Both need the INVITE as it was sent. */
void sip_build_ack(SipText *text, const SipMessage *invite, const SipMessage *answer);
void sip_build_cancel(SipText *text, const SipMessage *invite);

#endif
