/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * datagrams.h - one UDP socket: many datagrams a system call, each with the address it came to.
 * Source: recvmmsg(2), sendmmsg(2), ip(7), ipv6(7).
 * State:  one per socket; at most DATAGRAMS_QUEUE datagrams that wait for the end of the turn or
 *         for the system.
 * Time:   what is sent leaves at datagrams_flush, or at once on a connected socket.
 */
#ifndef NET_DATAGRAMS_H
#define NET_DATAGRAMS_H

#include <peal/env.h>

#include "loop.h"
#include "tap.h"

enum { DATAGRAMS_QUEUE = 1024, DATAGRAM_MAX = 65507 };

typedef struct Datagrams Datagrams;

typedef struct DatagramsConfig {
    Loop *loop;
    Tap *tap;
    PealAddr local;  /* to bind; port 0: any */
    PealAddr remote; /* family 0: from and to everywhere; else connected */
    bool timed;      /* datagrams_age is wanted */
    /* data is borrowed for the call, in which the socket may be closed. */
    void (*on_datagram)(void *user, const PealAddr *remote, const PealAddr *local, PealBytes data);
    /* ICMP says that nobody listens there, or no way leads there: -PEAL_E_REFUSED or
     * -PEAL_E_UNREACHABLE. NULL: not wanted. */
    void (*on_refused)(void *user, const PealAddr *remote, int error);
    void *user;
} DatagramsConfig;

/* Returns NULL with errno set. */
Datagrams *datagrams_open(const DatagramsConfig *config);
void datagrams_close(Datagrams *datagrams);

/* datagrams_age: how long the datagram that is being handed over has waited in its socket, by the
 * kernel's clock; 0 where that is not known. */
PealSpan datagrams_age(void);

/* The address bound, its port known. */
const PealAddr *datagrams_local(const Datagrams *datagrams);

/* from: the address that it shall come from, where the socket is bound to all; NULL: the system
 * chooses. What finds no room is dropped, as a network would. */
void datagrams_send_take(Datagrams *datagrams, const PealAddr *to, const PealAddr *from,
                         PealBuf *buf);
void datagrams_flush(Datagrams *datagrams);

#endif
