/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sip.h - finds SIP messages in a stream of bytes that comes piece by piece.
 * Source: RFC 3261 s.7.5, s.18.3.
 * State:  one a direction of a connection; its buffer only while a message is not whole.
 * Time:   none of its own. Work is linear in the bytes, however small the pieces are.
 */
#ifndef TRACE_SIP_H
#define TRACE_SIP_H

#include <glib.h>
#include <peal/sip_scan.h>

typedef enum SipStreamState {
    SIP_STREAM_NEW,  /* nothing has been seen that tells */
    SIP_STREAM_SIP,  /* there were messages */
    SIP_STREAM_OTHER /* something else, until a piece begins like SIP */
} SipStreamState;

typedef struct SipStream {
    uint8_t *bytes; /* what is not whole yet, or NULL */
    uint32_t len;
    uint32_t cap;
    uint32_t looked; /* no empty line begins before it */
    uint32_t need;   /* the message's length as far as it is known, 0: not at all */
    uint32_t junk;   /* bytes since the last message, or the beginning */
    uint8_t state;   /* SipStreamState */
    bool lined;      /* the first line of what waits is whole */
} SipStream;

/* What a piece brought. */
typedef struct SipStreamYield {
    unsigned messages;
    unsigned bad; /* places where a message did not go on as one */
} SipStreamYield;

/* Who takes messages; `bytes` is borrowed for the call. */
typedef void (*SipStreamMessage)(void *user, PealStr bytes);

/* sip_stream_take takes the next piece. */
SipStreamYield sip_stream_take(SipStream *stream, PealStr piece, SipStreamMessage message,
                               void *user);

/* sip_stream_break: what follows is not what comes next. What there is of a message is told, if it
 * begins with a whole start line; whether there was. */
bool sip_stream_break(SipStream *stream, SipStreamMessage message, void *user);

/* sip_stream_fini lets go of the buffer; whether there was a message in it that is not whole. */
bool sip_stream_fini(SipStream *stream);

#endif
