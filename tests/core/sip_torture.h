/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip_torture.h - the 49 torture messages of RFC 4475 and what an element does with each before any
 *                 registrar or proxy looks at it.
 * Source: RFC 4475; the bytes are those of its appendix.   State: none.   Time: none.
 */
#ifndef TESTS_SIP_TORTURE_H
#define TESTS_SIP_TORTURE_H

#include "sip/message.h"

typedef struct SipTorture {
    const char *name;
    const char *section; /* of RFC 4475 */
    int scan;            /* what sip_message_scan returns for it as a datagram */
    unsigned check;      /* what sip_message_check returns where it scans */
    bool answerable;     /* can be answered */
} SipTorture;

enum { SIP_TORTURE_LEN = 49, SIP_TORTURE_MAX = 8192 };
extern const SipTorture sip_torture[SIP_TORTURE_LEN];

/* sip_torture_load reads one message; returns its length, 0 where the collection is not there. */
size_t sip_torture_load(const SipTorture *torture, char *ret_bytes, size_t cap);

#endif
