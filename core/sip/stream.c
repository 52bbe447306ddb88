/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stream.c - cuts streams into messages (stream.h).
 *
 * A piece is looked through where it lies; only a message that it ends within is copied, and from
 * then on just as much of each piece is added as that message needs, so that a connection never holds
 * more than one. What comes out, and where it goes wrong, does not depend on the pieces.
 */
#include "sip/stream.h"

#include "sip/lex.h"
#include "sip/names.h"
#include "sip/text.h"

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

/* Framing */

/*
 * Walks the lines from `*line` on. Returns 1 when the empty line is found, `*line` behind it; 0 when
 * more is needed, `*line` at the line that is not whole; -PEAL_E_VALUE for a line end without CR.
 */
static int stream_head(PealStr bytes, size_t *line)
{
    while (*line < bytes.len) {
        const char *from = bytes.ptr + *line;
        const char *feed = memchr(from, '\n', bytes.len - *line);
        size_t len;

        if (feed == NULL) {
            return 0;
        }
        len = (size_t)(feed - from) + 1;
        if (len < 2 || feed[-1] != '\r') {
            return -PEAL_E_VALUE;
        }
        *line += len;
        if (len == 2) {
            return 1;
        }
    }
    return 0;
}

/* The value of the field whose first line begins at `at`, with the lines that continue it. */
static PealStr stream_value(PealStr head, size_t colon)
{
    size_t end = colon + 1;

    do {
        const char *feed = memchr(head.ptr + end, '\n', head.len - end);

        end = feed != NULL ? (size_t)(feed - head.ptr) + 1 : head.len;
    } while (end < head.len && (head.ptr[end] == ' ' || head.ptr[end] == '\t'));
    return sip_trim(lex_sub(head, colon + 1, end));
}

/* s.18.3: how long the message is. -PEAL_E_VALUE when its head does not say, or says it twice. */
static int stream_total(PealStr head, size_t *ret_total)
{
    const char *feed = memchr(head.ptr, '\n', head.len);
    bool known = false;
    uint32_t len = 0;

    while (feed != NULL) {
        const size_t at = (size_t)(feed - head.ptr) + 1;
        const size_t name = lex_span(head, at, LEX_TOKEN);
        size_t colon = name;

        while (colon < head.len && (head.ptr[colon] == ' ' || head.ptr[colon] == '\t')) {
            colon++;
        }
        if (colon < head.len && head.ptr[colon] == ':' &&
            sip_header(lex_sub(head, at, name)) == SIP_H_CONTENT_LENGTH) {
            if (known || sip_u32(stream_value(head, colon), UINT32_MAX, &len) != 0) {
                return -PEAL_E_VALUE;
            }
            known = true;
        }
        feed = memchr(head.ptr + at, '\n', head.len - at);
    }
    if (!known) {
        return -PEAL_E_VALUE;
    }
    if (len > SIP_MESSAGE_MAX - head.len) {
        return -PEAL_E_TOO_LARGE;
    }
    *ret_total = head.len + len;
    return 0;
}

/* Finds the end of the message that begins with `bytes`. Returns 0 with its length, or with 0 when
 * more is needed to know it. A head that does not tell it is handed over by itself. */
static int stream_measure(StreamTake *take, PealStr bytes, size_t *line, size_t *ret_total)
{
    int found;
    int error;

    bytes.len = bytes.len < SIP_MESSAGE_MAX ? bytes.len : SIP_MESSAGE_MAX;
    *ret_total = 0;
    found = stream_head(bytes, line);
    if (found < 0) {
        return found;
    }
    if (found == 0) {
        return bytes.len == SIP_MESSAGE_MAX ? -PEAL_E_TOO_LARGE : 0;
    }
    const PealStr head = {bytes.ptr, *line};

    error = stream_total(head, ret_total);
    if (error == -PEAL_E_VALUE) {
        take->closed = !take->message(take->user, take->from, head);
    }
    return error;
}

/* Taking pieces */

static void stream_consume(StreamTake *take, size_t len)
{
    take->piece.ptr += len;
    take->piece.len -= len;
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

/* RFC 5626 s.4.4.1: CRLF CRLF between messages is a ping; RFC 3261 s.7.5: a single CRLF is nothing. */
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
            take->closed = !take->message(take->user, take->from, (PealStr){NULL, 0});
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
    error = stream_measure(take, take->piece, &line, &total);
    if (error != 0) {
        return error;
    }
    if (total > 0 && total <= take->piece.len) {
        const PealStr whole = {take->piece.ptr, total};

        stream_consume(take, total);
        take->closed = !take->message(take->user, take->from, whole);
        return 0;
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

        error = stream_measure(take, (PealStr){stream->bytes, stream->len}, &line, &total);
        if (error == 0) {
            stream->line = (uint32_t)line;
            stream->total = (uint32_t)total;
        }
    }
    if (error != 0 || stream->total == 0 || stream->len < stream->total) {
        return error;
    }
    stream_detach(take->streams, stream);
    take->closed = !take->message(take->user, take->from, (PealStr){stream->bytes, stream->len});
    stream_free(take->streams, stream);
    return 0;
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
