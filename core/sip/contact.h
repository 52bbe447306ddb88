/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * contact.h - one value of a REGISTER's Contact: where it stands in its text, and what it asks for.
 * Source: RFC 3261 s.10.2, s.20.10; RFC 5626 s.6 (reg-id, +sip.instance).
 * State:  none; texts point into what was read.   Time: none.
 */
#ifndef SIP_CONTACT_H
#define SIP_CONTACT_H

#include "sip/value.h"

typedef struct Contact {
    PealStr element;
    PealStr params; /* the element's end: its parameters */
    SipUri uri;
    bool star;
    bool has_expires;
    uint32_t expires_s;
    uint16_t q_milli;
    uint32_t reg_id;  /* 0 for none, or none that counts (it needs an instance) */
    PealStr instance; /* without its quotes; empty for none */
} Contact;

/* contact_read reads one element, within an arena. Returns 0, or -PEAL_E_VALUE or -PEAL_E_FULL for
 * what is no Contact. */
int contact_read(PealStr element, Contact *ret_contact) PEAL_MUST_USE;

/* contact_put writes the element as it came, but for its expires parameters and for line ends
 * (7.3.1: a folded line is a space). The URI stays where it was in the element; the instance goes
 * to *ret_instance_at from the start of what was written. */
void contact_put(SipText *text, const Contact *contact, size_t *ret_instance_at);

/* contact_expires reads delta-seconds as RFC 3261 s.20.10 wants it: beyond 2^32-1 is 2^32-1, and
 * what is no number is an hour. */
uint32_t contact_expires(PealStr value);

#endif
