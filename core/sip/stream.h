/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream.h - cuts a TCP connection's bytes into SIP messages, whatever the pieces they come in.
 * Source: RFC 3261 s.18.3, s.7.5 (CRLFs between messages); RFC 5626 s.4.4.1 (a double CRLF is a
 *         ping).
 * State:  one SipStream a connection that has half a message (or half a ping), from the
 *         environment; nothing else. At most SIP_STREAMS_BYTES in all, a message at most
 *         SIP_MESSAGE_MAX.
 * Time:   the caller closes connections that keep half a message too long (sip_streams_on_wake).
 */
#ifndef SIP_STREAM_H
#define SIP_STREAM_H

#include <peal/env.h>

#include "sip/message.h"

#define SIP_STREAMS_BYTES ((size_t)16 << 20)
#define SIP_STREAM_PATIENCE peal_seconds(30)

typedef struct SipStream SipStream;

typedef struct SipStreams {
    PealEnv *env;
    SipStream **table; /* by connection, chains */
    uint32_t table_len;
    uint32_t len;
    size_t bytes;
    SipStream *oldest; /* of those with half a message */
    SipStream *newest;
    PealTime deadline; /* PEAL_TIME_NEVER while nobody has half a message */
} SipStreams;

/* Called for each whole message (leading CRLFs removed), and with an empty one for a ping, which is
 * to be answered with CRLF. Returns false when the connection was closed. The bytes are gone when
 * it returns. Called from inside sip_streams_take only. */
typedef bool (*SipStreamMessage)(void *user, const PealHop *from, PealStr message);

void sip_streams_init(SipStreams *streams, PealEnv *env);
void sip_streams_fini(SipStreams *streams);

/*
 * sip_streams_take takes a piece of from->conn's stream and calls `message` for what is whole. It
 * drops the buffer, whatever happens. What stands whole in a piece is not copied.
 * Returns 0; -PEAL_E_VALUE when the stream makes no sense any more (no Content-Length, a bad one,
 * a line without CRLF, garbage), -PEAL_E_TOO_LARGE or -PEAL_E_FULL: then the connection is
 * forgotten and the caller closes it. A message whose Content-Length is missing or bad is handed
 * over first, without a body, so that a request can be refused with 400.
 */
int sip_streams_take(SipStreams *streams, const PealHop *from, PealBuf *buf,
                     SipStreamMessage message, void *user) PEAL_MUST_USE;
/* sip_streams_end forgets a connection. */
void sip_streams_end(SipStreams *streams, uint32_t conn);
/* sip_streams_on_wake returns a connection that has kept half a message for SIP_STREAM_PATIENCE
 * (30 s) and forgets it; 0 when there is none. */
uint32_t sip_streams_on_wake(SipStreams *streams, PealTime now);

#endif
