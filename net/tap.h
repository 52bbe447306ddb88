/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tap.h - what sees all bytes that pass the node's sockets: its counters and its capture.
 * Source: none.   State: one per node.   Time: bytes are seen when the system has them, or gives
 *         them.
 */
#ifndef NET_TAP_H
#define NET_TAP_H

#include "capture.h"

/* SIP messages that were sent. */
typedef struct SipCounts {
    uint64_t messages;
    uint64_t bytes; /* of those */
    uint64_t lost;  /* others: the emulated network lost them, or there was no way to go */
} SipCounts;

static inline void sip_count(SipCounts *counts, uint32_t len, bool arrives)
{
    counts->messages += arrives;
    counts->bytes += arrives ? len : 0;
    counts->lost += !arrives;
}

typedef struct Tap {
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t packets_in;
    uint64_t packets_out;
    uint64_t streams; /* numbers given out */
    Capture *capture; /* NULL: none */
} Tap;

static inline void tap_count(Tap *tap, size_t len, bool out)
{
    *(out ? &tap->packets_out : &tap->packets_in) += 1;
    *(out ? &tap->bytes_out : &tap->bytes_in) += len;
}

static inline void tap_datagram(Tap *tap, const PealAddr *from, const PealAddr *to, PealBytes data,
                                bool out)
{
    tap_count(tap, data.len, out);
    if (tap->capture != NULL) {
        capture_datagram(tap->capture, from, to, data);
    }
}

static inline void tap_stream_data(Tap *tap, uint64_t stream, const PealAddr *from,
                                   const PealAddr *to, PealBytes data, bool out)
{
    tap_count(tap, data.len, out);
    if (tap->capture != NULL) {
        capture_stream_data(tap->capture, stream, from, to, data);
    }
}

#endif
