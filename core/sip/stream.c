/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream.c - cuts streams into messages (stream.h).
 *
 * A piece is looked through where it lies; only a message that it ends within is copied, and from
 * then on just as much of each piece is added as that message needs, so that a connection never
 * holds more than one. What comes out, and where it goes wrong, does not depend on the pieces.
 */
#include "sip/stream.h"

#include "sip/lex.h"
#include "sip/stream_frame.h"

enum { TABLE_MIN = 16, HELD_MIN = 512, PING_LEN = 4 };

struct SipStream {
    SipStream *chain;
    SipStream *older;
    SipStream *newer;
    PealTime since; /* of the message's first byte */
    uint32_t conn;
    uint32_t len; /* bytes held: 0 between messages */
    uint32_t cap;
    uint32_t line;  /* where the line begins that is not whole yet */
    uint32_t total; /* the message's length, 0 until its head is whole */
    uint8_t crlf;   /* bytes of CRLF CRLF that have come between messages */
    char *bytes;
};

/* What a call of sip_streams_take works on. */
typedef struct StreamTake {
    SipStreams *streams;
    const PealHop *from;
    SipStreamMessage message;
    void *user;
    PealStr piece; /* what is left of it */
    bool closed;
} StreamTake;

/* Streams by connection */

static void *stream_alloc(SipStreams *streams, size_t size)
{
    void *ptr;

    if (size > SIP_STREAMS_BYTES - streams->bytes) {
        return NULL;
    }
    ptr = streams->env->ops->alloc(streams->env, size);
    if (ptr != NULL) {
        streams->bytes += size;
    }
    return ptr;
}

static void stream_release(SipStreams *streams, void *ptr, size_t size)
{
    if (ptr != NULL) {
        streams->bytes -= size;
        streams->env->ops->release(streams->env, ptr, size);
    }
}

static uint32_t stream_slot(uint32_t conn, uint32_t table_len)
{
    return (conn * UINT32_C(2654435769)) >> 7 & (table_len - 1);
}

static SipStream *stream_find(const SipStreams *streams, uint32_t conn)
{
    SipStream *stream = NULL;

    if (streams->len > 0) {
        stream = streams->table[stream_slot(conn, streams->table_len)];
    }
    while (stream != NULL && stream->conn != conn) {
        stream = stream->chain;
    }
    return stream;
}

static bool stream_table_grow(SipStreams *streams)
{
    const uint32_t len = streams->table_len > 0 ? streams->table_len * 2 : TABLE_MIN;
    SipStream **table = stream_alloc(streams, len * sizeof(SipStream *));

    if (table == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < streams->table_len; i++) {
        for (SipStream *stream = streams->table[i]; stream != NULL;) {
            SipStream *next = stream->chain;
            SipStream **slot = &table[stream_slot(stream->conn, len)];

            stream->chain = *slot;
            *slot = stream;
            stream = next;
        }
    }
    stream_release(streams, streams->table, streams->table_len * sizeof(SipStream *));
    streams->table = table;
    streams->table_len = len;
    return true;
}

static SipStream *stream_find_or_new(SipStreams *streams, uint32_t conn)
{
    SipStream *stream = stream_find(streams, conn);
    SipStream **slot;

    if (stream != NULL) {
        return stream;
    }
    if (streams->len == streams->table_len && !stream_table_grow(streams)) {
        return NULL;
    }
    stream = stream_alloc(streams, sizeof(*stream));
    if (stream == NULL) {
        return NULL;
    }
    slot = &streams->table[stream_slot(conn, streams->table_len)];
    *stream = (SipStream){.chain = *slot, .conn = conn};
    *slot = stream;
    streams->len++;
    return stream;
}

static void stream_set_deadline(SipStreams *streams)
{
    streams->deadline = streams->oldest != NULL
                            ? peal_time_add(streams->oldest->since, SIP_STREAM_PATIENCE)
                            : PEAL_TIME_NEVER;
}

/* A message has begun; patience runs from here. */
static void stream_queue(SipStreams *streams, SipStream *stream)
{
    stream->since = streams->env->ops->now(streams->env);
    stream->older = streams->newest;
    if (streams->newest != NULL) {
        streams->newest->newer = stream;
    } else {
        streams->oldest = stream;
    }
    streams->newest = stream;
    stream_set_deadline(streams);
}

static void stream_unqueue(SipStreams *streams, SipStream *stream)
{
    if (stream->older != NULL) {
        stream->older->newer = stream->newer;
    } else if (streams->oldest == stream) {
        streams->oldest = stream->newer;
    }
    if (stream->newer != NULL) {
        stream->newer->older = stream->older;
    } else if (streams->newest == stream) {
        streams->newest = stream->older;
    }
    stream->older = NULL;
    stream->newer = NULL;
    stream_set_deadline(streams);
}

/* Takes a stream out of the table and the queue; its memory stays. */
static void stream_detach(SipStreams *streams, SipStream *stream)
{
    SipStream **at = &streams->table[stream_slot(stream->conn, streams->table_len)];

    while (*at != stream) {
        at = &(*at)->chain;
    }
    *at = stream->chain;
    streams->len--;
    stream_unqueue(streams, stream);
}

static void stream_free(SipStreams *streams, SipStream *stream)
{
    stream_release(streams, stream->bytes, stream->cap);
    stream_release(streams, stream, sizeof(*stream));
}

/* Taking pieces */

static void stream_consume(StreamTake *take, size_t len)
{
    take->piece.ptr += len;
    take->piece.len -= len;
}

static void stream_hand_over(StreamTake *take, PealStr message)
{
    take->closed = !take->message(take->user, take->from, message);
}

/* Adds the next bytes of the piece to what is held. */
static int stream_add(StreamTake *take, SipStream *stream, size_t len)
{
    SipStreams *streams = take->streams;

    if (stream->len + len > stream->cap) {
        size_t cap = stream->cap > 0 ? stream->cap * (size_t)2 : HELD_MIN;
        char *bytes;

        while (cap < stream->len + len) {
            cap *= 2;
        }
        bytes = stream_alloc(streams, cap);
        if (bytes == NULL) {
            return -PEAL_E_FULL;
        }
        if (stream->len > 0) {
            memcpy(bytes, stream->bytes, stream->len);
        }
        stream_release(streams, stream->bytes, stream->cap);
        stream->bytes = bytes;
        stream->cap = (uint32_t)cap;
    }
    if (stream->len == 0) {
        stream_queue(streams, stream);
    }
    memcpy(stream->bytes + stream->len, take->piece.ptr, len);
    stream->len += (uint32_t)len;
    stream_consume(take, len);
    return 0;
}

/* RFC 5626 s.4.4.1: CRLF CRLF between messages is a ping; RFC 3261 s.7.5: a single CRLF is
 * nothing. */
static int stream_between(StreamTake *take, uint8_t *crlf)
{
    while (take->piece.len > 0 && !take->closed) {
        const char c = take->piece.ptr[0];

        if (c != (*crlf % 2 == 0 ? '\r' : '\n')) {
            if (*crlf % 2 != 0 || !lex_is(c, LEX_TOKEN)) {
                return -PEAL_E_VALUE;
            }
            *crlf = 0;
            return 0;
        }
        stream_consume(take, 1);
        if (++*crlf == PING_LEN) {
            *crlf = 0;
            stream_hand_over(take, (PealStr){NULL, 0});
        }
    }
    return 0;
}

/* Keeps how much of a ping there is; nothing when it is none. */
static int stream_keep_crlf(StreamTake *take, uint8_t crlf)
{
    SipStreams *streams = take->streams;
    SipStream *stream;

    if (crlf == 0) {
        sip_streams_end(streams, take->from->conn);
        return 0;
    }
    stream = stream_find_or_new(streams, take->from->conn);
    if (stream == NULL) {
        return -PEAL_E_FULL;
    }
    stream->crlf = crlf;
    return 0;
}

/* One message, or what there is of it, from the piece itself. */
static int stream_take_here(StreamTake *take, uint8_t crlf)
{
    size_t line = 0;
    size_t total;
    SipStream *stream;
    int error = stream_between(take, &crlf);

    if (error != 0 || take->closed) {
        return error;
    }
    error = stream_keep_crlf(take, crlf);
    if (error != 0 || take->piece.len == 0) {
        return error;
    }
    error = stream_frame(take->piece, &line, &total);
    if (total > 0 && total <= take->piece.len) {
        const PealStr whole = {take->piece.ptr, total};

        stream_consume(take, total);
        stream_hand_over(take, whole);
        return error;
    }
    if (error != 0) {
        return error;
    }
    stream = stream_find_or_new(take->streams, take->from->conn);
    if (stream == NULL) {
        return -PEAL_E_FULL;
    }
    stream->line = (uint32_t)line;
    stream->total = (uint32_t)total;
    return stream_add(take, stream, take->piece.len);
}

/* Adds to a message that began in an earlier piece what it still needs. */
static int stream_take_more(StreamTake *take, SipStream *stream)
{
    size_t want = take->piece.len;
    size_t most = (stream->total > 0 ? stream->total : SIP_MESSAGE_MAX) - stream->len;
    int error;

    if (stream->total == 0) {
        const char *feed = memchr(take->piece.ptr, '\n', take->piece.len);

        want = feed != NULL ? (size_t)(feed - take->piece.ptr) + 1 : want;
    }
    error = stream_add(take, stream, want < most ? want : most);
    if (error == 0 && stream->total == 0) {
        size_t line = stream->line;
        size_t total;

        error = stream_frame((PealStr){stream->bytes, stream->len}, &line, &total);
        stream->line = (uint32_t)line;
        stream->total = (uint32_t)total;
    }
    if (stream->total > 0 && stream->len >= stream->total) {
        /* out of the table first: the connection may be forgotten from within */
        stream_detach(take->streams, stream);
        stream_hand_over(take, (PealStr){stream->bytes, stream->len});
        stream_free(take->streams, stream);
    }
    return error;
}

void sip_streams_init(SipStreams *streams, PealEnv *env)
{
    *streams = (SipStreams){.env = env, .deadline = PEAL_TIME_NEVER};
}

void sip_streams_fini(SipStreams *streams)
{
    for (uint32_t i = 0; i < streams->table_len; i++) {
        while (streams->table[i] != NULL) {
            sip_streams_end(streams, streams->table[i]->conn);
        }
    }
    stream_release(streams, streams->table, streams->table_len * sizeof(SipStream *));
    streams->table = NULL;
    streams->table_len = 0;
}

int sip_streams_take(SipStreams *streams, const PealHop *from, PealBuf *buf,
                     SipStreamMessage message, void *user)
{
    StreamTake take = {.streams = streams,
                       .from = from,
                       .message = message,
                       .user = user,
                       .piece = {(const char *)buf->data, buf->len}};
    int error = 0;

    while (take.piece.len > 0 && error == 0 && !take.closed) { /* each turn takes some of it */
        SipStream *stream = stream_find(streams, from->conn);

        if (stream != NULL && stream->len > 0) {
            error = stream_take_more(&take, stream);
        } else {
            error = stream_take_here(&take, stream != NULL ? stream->crlf : 0);
        }
    }
    if (error != 0 || take.closed) {
        sip_streams_end(streams, from->conn);
    }
    streams->env->ops->drop(streams->env, buf);
    return take.closed ? 0 : error;
}

void sip_streams_end(SipStreams *streams, uint32_t conn)
{
    SipStream *stream = stream_find(streams, conn);

    if (stream != NULL) {
        stream_detach(streams, stream);
        stream_free(streams, stream);
    }
}

uint32_t sip_streams_on_wake(SipStreams *streams, PealTime now)
{
    uint32_t conn;

    if (!peal_time_due(streams->deadline, now)) {
        return 0;
    }
    conn = streams->oldest->conn;
    sip_streams_end(streams, conn);
    return conn;
}
