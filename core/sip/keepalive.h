/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keepalive.h - STUN Binding requests on the SIP port, by which phones keep a NAT's binding open
 * and
 *               learn how it shows them.
 * Source: RFC 5626 s.4.4.2, RFC 8489 s.5, s.6, s.14.2.   State: none.   Time: none.
 */
#ifndef SIP_KEEPALIVE_H
#define SIP_KEEPALIVE_H

#include <peal/env.h>

/* keepalive_is_stun: a datagram that cannot be SIP: its first two bits are zero, and the cookie is
 * there. */
bool keepalive_is_stun(PealStr bytes);
/* keepalive_answer answers a Binding request, and drops whatever else it is. */
void keepalive_answer(PealEnv *env, const PealHop *from, PealStr bytes);

#endif
