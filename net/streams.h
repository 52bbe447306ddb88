/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * streams.h - TCP connections without blocking: connect, accept, read, write what was queued.
 * Source: RFC 9293, RFC 5482 for the user timeout.
 * State:  one Streams for all connections of a purpose; a connection holds at most queue_max bytes
 *         that the system has not taken, all together at most STREAM_QUEUES_MAX.
 * Time:   what is sent leaves at the end of the turn.
 */
#ifndef NET_STREAMS_H
#define NET_STREAMS_H

#include <peal/env.h>

#include "loop.h"
#include "tap.h"

enum { STREAM_QUEUES_MAX = 64 << 20 };
/* SYNs at 0, 1 and 3 s (RFC 6298 s.2), and 4 s more. */
#define STREAM_CONNECT_TIMEOUT peal_seconds(7)

typedef struct Streams Streams;
typedef struct Stream Stream;
typedef struct Listener Listener;

/* Callbacks of one connection; in each it may be closed. */
typedef struct StreamOps {
    /* A connection that was asked for is there. */
    void (*up)(void *user);
    void (*data_take)(void *user, PealBuf *buf);
    /* It is over, and freed after this: 0, closed by the other side; -PEAL_E_REFUSED,
     * -PEAL_E_UNREACHABLE, -PEAL_E_TIMEOUT, -PEAL_E_FULL (the other side does not read). */
    void (*down)(void *user, int error);
} StreamOps;

typedef struct StreamsConfig {
    Loop *loop;
    Tap *tap;
    size_t queue_max;
    PealSpan user_timeout; /* unacknowledged data ends a connection after it */
} StreamsConfig;

Streams *streams_new(const StreamsConfig *config);
/* Frees them, and cuts connections that were closed but still sending. All others must be closed
 * already. */
void streams_free(Streams *streams);

/* stream_connect begins a connection. from: address to bind, its port 0 for any; family 0: the
 * system chooses. NULL with 0, -PEAL_E_FULL or -PEAL_E_UNREACHABLE in ret_error. */
Stream *stream_connect(Streams *streams, const PealAddr *to, const PealAddr *from,
                       const StreamOps *ops, void *user, int *ret_error);

/* stream_adopt takes an accepted connection; NULL when the system has no room (fd is closed). */
Stream *stream_adopt(Streams *streams, int fd, const PealAddr *remote, const StreamOps *ops,
                     void *user);

/* Queues bytes; buf is taken whatever happens. */
void stream_send_take(Stream *stream, PealBuf *buf);

/* stream_close ends it once what was queued has gone, within seconds; stream_abort at once. No
 * callback follows. */
void stream_close(Stream *stream);
void stream_abort(Stream *stream);

const PealAddr *stream_local(const Stream *stream);
const PealAddr *stream_remote(const Stream *stream);

typedef void (*ListenerAccept)(void *user, int fd, const PealAddr *remote);

/* listener_open listens at an address. Each accepted descriptor is the callback's. NULL with errno
 * set. */
Listener *listener_open(Loop *loop, const PealAddr *addr, ListenerAccept accept, void *user);
void listener_close(Listener *listener);
const PealAddr *listener_local(const Listener *listener);

#endif
