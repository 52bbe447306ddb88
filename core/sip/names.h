/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * names.h - which header field a name is.
 * Source: RFC 3261 s.7.3.1, s.7.3.3.   State: none.   Time: none.
 */
#ifndef SIP_NAMES_H
#define SIP_NAMES_H

#include "sip/message.h"

/* sip_header knows a header field's name, in any case, or its compact form. */
SipHeader sip_header(PealStr name);

#endif
