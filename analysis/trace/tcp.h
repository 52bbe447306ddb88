/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tcp.h - TCP segments in any order, put together to SIP messages.
 * Source: RFC 9293 for sequence numbers; RFC 3261 s.7.5, s.18.3 for messages in a stream.
 * State:  at most TCP_CONNECTIONS_MAX connections of some 250 bytes, those longest silent go first,
 *         and TCP_BYTES_MAX of what is not whole yet.
 * Time:   instants of the capture.
 *
 * What is told depends on the packets up to now alone, never on where the capture ends: so a longer
 * capture holds every message that its beginning holds. A gap is therefore never closed because the
 * capture is over, but
 *   when the other side has acknowledged what lies behind it and a second has passed: the capture,
 *     not the connection, has lost it;
 *   when 2 minutes have passed: nobody sends it again;
 *   when more waits behind it than is held.
 * Then what there is of the message before it is told as cut, and the next start line is looked
 * for where a line or a segment begins. So it is behind a segment that the capture cut, too. A
 * stream in whose first bytes there is no SIP is looked at where its segments begin only.
 */
#ifndef TRACE_TCP_H
#define TRACE_TCP_H

#include "trace/packet.h"

enum {
    TCP_CONNECTIONS_MAX = 1 << 16,
    TCP_BYTES_MAX = 1 << 26,
    TCP_HELD_MAX =
        1 << 18, /* of one direction, behind gaps; also in segments, each TCP_HELD_COST */
    TCP_HELD_COST = 512,
    TCP_JUNK_MAX = 4096 /* bytes without a message after which a stream is something else */
};

typedef struct TcpSink {
    /* message gets a message, or what there is of one. */
    void (*message)(void *user, int64_t at_ns, const PealAddr *from, const PealAddr *to,
                    PealStr bytes);
    uint64_t *skipped; /* TRACE_SKIP_COUNT counters */
    void *user;
} TcpSink;

typedef struct Tcp Tcp;

/* The sink is copied. */
Tcp *tcp_new(const TcpSink *sink);
void tcp_take(Tcp *tcp, const TcpPacket *packet);
/* tcp_free counts what never became whole. */
void tcp_free(Tcp *tcp);

#endif
