/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * registration.h - the value that stands for "reach this AOR at this peer", or by another AOR.
 * Source: RFC 7904 s.3.2, s.7.   State: none.   Time: none.
 */
#ifndef SIP_REGISTRATION_H
#define SIP_REGISTRATION_H

#include "reload/codec.h"

enum { REGISTRATION_LEN = 1 + 2 + 2 + 2 + RELOAD_NODE_ENTRY_LEN };

/* registration_put_route writes a sip_registration_route whose destination list is one node. */
void registration_put_route(Writer *w, const PealId *node);

typedef struct Registration {
    PealStr uri; /* 1..65535 bytes of it, borrowed from the value; empty: `node` counts */
    PealId node; /* of the adapter */
} Registration;

/* registration_read reads a value. Returns 0; -PEAL_E_UNKNOWN for a destination list that is not
 * one Node-ID, or what the codec says. */
int registration_read(PealBytes value, Registration *ret_registration) PEAL_MUST_USE;

#endif
