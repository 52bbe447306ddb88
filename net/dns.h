/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dns.h - where a host is: its addresses, or the targets of its SIP service.
 * Source: RFC 3263 s.4 without NAPTR, RFC 2782; c-ares does the asking, /etc/hosts included.
 * State:  one per node; at most DNS_QUERIES_MAX outstanding.
 * Time:   an answer comes within DNS_TIME_MAX, and never from inside dns_resolve.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include <peal/env.h>

#include "loop.h"

enum { DNS_QUERIES_MAX = 1024, DNS_TARGETS_MAX = 16 };
#define DNS_TIME_MAX peal_seconds(10)

typedef struct Dns Dns;

/* servers: `ADDRESS[:PORT]` items with commas, or NULL for the system's. */
Dns *dns_new(Loop *loop, const char *servers, GError **error);
/* Outstanding questions are not answered any more. */
void dns_free(Dns *dns);

typedef struct DnsQuestion {
    PealStr host;
    uint16_t port;     /* 0: the service's records are asked for first (SIP) */
    uint8_t transport; /* PealTransport, or PEAL_TRANSPORT_ANY */
} DnsQuestion;

/* status 0 with 1..DNS_TARGETS_MAX targets, best first, borrowed for the call; -PEAL_E_NOT_FOUND;
 * -PEAL_E_TIMEOUT: nobody knows now. */
typedef void (*DnsDone)(void *user, int status, const PealTarget *targets, size_t targets_len);

/* Returns 0 or -PEAL_E_FULL. */
int dns_resolve(Dns *dns, const DnsQuestion *question, DnsDone done, void *user) PEAL_MUST_USE;

#endif
