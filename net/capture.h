/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capture.h - a node's own traffic as a capture that Wireshark opens, taken without privileges.
 * Source: the pcap format with nanoseconds.
 * State:  one writer; 100 bytes a TCP connection.
 * Time:   packets carry the wall clock's time; the file is flushed about once a second, so that it
 *         can be read at any time.
 */
#ifndef NET_CAPTURE_H
#define NET_CAPTURE_H

#include "loop.h"

typedef struct Capture Capture;

/* limit_bytes: the file grows no larger; 0: as large as the disk. */
Capture *capture_open(Loop *loop, const char *path, uint64_t limit_bytes, GError **error);

/* capture_close writes what is left; an error is logged. Safe on NULL. */
void capture_close(Capture *capture);

void capture_datagram(Capture *capture, const PealAddr *from, const PealAddr *to, PealBytes data);

/* A stream is known by a number of the caller's. */
void capture_stream_open(Capture *capture, uint64_t stream, const PealAddr *opener,
                         const PealAddr *acceptor);
void capture_stream_data(Capture *capture, uint64_t stream, const PealAddr *from,
                         const PealAddr *to, PealBytes data);
void capture_stream_close(Capture *capture, uint64_t stream, const PealAddr *from);

#endif
