/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip.c - see sip.h. */
#include "trace/sip.h"

#include <peal/base.h>
#include <string.h>

#include "trace/tcp.h"

enum { MESSAGE_MAX = 1 << 17 }; /* head and body */

static PealStr sub(PealStr str, size_t at)
{
    return (PealStr){str.ptr + at, str.len - at};
}

/* Keep-alives, and what follows the last message (s.7.5). */
static size_t line_ends(PealStr bytes)
{
    size_t len = 0;

    while (len < bytes.len && (bytes.ptr[len] == '\r' || bytes.ptr[len] == '\n')) {
        len++;
    }
    return len;
}

/* Where the next line begins, or the end. */
static size_t next_line(PealStr bytes)
{
    const char *feed = memchr(bytes.ptr, '\n', bytes.len);

    return feed != NULL ? (size_t)(feed - bytes.ptr) + 1 : bytes.len;
}

/* Is there something that could make the message whole: the end of its first line, an empty line,
 * all of its body? Only then is it worth to look at it from its beginning. */
static bool is_worth_it(SipStream *stream)
{
    const char *bytes = (const char *)stream->bytes;

    if (stream->need > 0) {
        return stream->len >= stream->need;
    }
    if (!stream->lined) {
        return stream->len >= PEAL_SIP_LINE_MAX ||
               memchr(bytes + stream->looked, '\n', stream->len - stream->looked) != NULL;
    }
    for (uint32_t at = stream->looked; at < stream->len; at++) {
        const char *feed = memchr(bytes + at, '\n', stream->len - at);
        uint32_t behind;

        if (feed == NULL) {
            break;
        }
        at = (uint32_t)(feed - bytes);
        behind = at + 1;
        behind += behind < stream->len && bytes[behind] == '\r';
        if (behind >= stream->len) { /* the next piece tells */
            stream->looked = at;
            return stream->len >= MESSAGE_MAX;
        }
        if (bytes[behind] == '\n') {
            return true;
        }
    }
    stream->looked = stream->len;
    return stream->len >= MESSAGE_MAX;
}

static void keep(SipStream *stream, PealStr rest)
{
    if (rest.len == 0) {
        g_clear_pointer(&stream->bytes, g_free);
        stream->cap = 0;
    } else if ((const char *)stream->bytes != rest.ptr) {
        if (rest.len > stream->cap) {
            uint8_t *bytes = g_malloc(rest.len);

            memcpy(bytes, rest.ptr, rest.len);
            g_free(stream->bytes);
            stream->bytes = bytes;
            stream->cap = (uint32_t)rest.len;
        } else {
            memmove(stream->bytes, rest.ptr, rest.len);
        }
    }
    stream->len = (uint32_t)rest.len;
    stream->lined = rest.len > 0 && memchr(rest.ptr, '\n', rest.len) != NULL;
    stream->looked = stream->lined ? 0 : stream->len;
}

/* Without a line's end, `looked` stays where the first piece ended: the scan is short. */
static void append(SipStream *stream, PealStr piece)
{
    if (stream->cap - stream->len < piece.len) {
        stream->cap = (uint32_t)MAX(2 * (size_t)stream->cap, stream->len + piece.len);
        stream->bytes = g_realloc(stream->bytes, stream->cap);
    }
    memcpy(stream->bytes + stream->len, piece.ptr, piece.len);
    stream->len += (uint32_t)piece.len;
}

/* Takes messages from the front, passing over what is none. Returns what is to wait. */
static PealStr take_messages(SipStream *stream, PealStr bytes, SipStreamYield *yield,
                             SipStreamMessage message, void *user)
{
    bool passing = false;

    stream->need = 0;
    while (bytes.len > 0) {
        size_t len = line_ends(bytes);
        int error;

        bytes = sub(bytes, len);
        if (bytes.len == 0) {
            break;
        }
        len = 0;
        error = peal_sip_frame(bytes, &len);
        if (error == -PEAL_E_TRUNCATED && bytes.len < MESSAGE_MAX) {
            stream->need = (uint32_t)MIN(len, MESSAGE_MAX);
            return bytes;
        }
        if (error == 0) {
            message(user, (PealStr){bytes.ptr, len});
            yield->messages++;
            stream->state = SIP_STREAM_SIP;
            stream->junk = 0;
            passing = false;
        } else {
            len = next_line(bytes);
            stream->junk += (uint32_t)MIN(len, TCP_JUNK_MAX);
            yield->bad += !passing && stream->state == SIP_STREAM_SIP;
            passing = true;
        }
        if (stream->junk >= TCP_JUNK_MAX) {
            stream->state = SIP_STREAM_OTHER;
            return (PealStr){NULL, 0};
        }
        bytes = sub(bytes, len);
    }
    return (PealStr){NULL, 0};
}

SipStreamYield sip_stream_take(SipStream *stream, PealStr piece, SipStreamMessage message,
                               void *user)
{
    SipStreamYield yield = {0, 0};
    PealStr bytes = piece;

    if (stream->state == SIP_STREAM_OTHER) {
        PealSipScan scan;

        if (peal_sip_scan(piece, &scan) != 0) {
            return yield;
        }
        stream->state = SIP_STREAM_SIP;
        stream->junk = 0;
    }
    if (stream->len > 0) {
        append(stream, piece);
        if (!is_worth_it(stream)) {
            return yield;
        }
        bytes = (PealStr){(const char *)stream->bytes, stream->len};
    }
    keep(stream, take_messages(stream, bytes, &yield, message, user));
    return yield;
}

bool sip_stream_break(SipStream *stream, SipStreamMessage message, void *user)
{
    PealSipScan scan;
    const PealStr bytes = {(const char *)stream->bytes, stream->len};
    const bool begun = stream->len > 0 && peal_sip_scan(bytes, &scan) == 0;

    if (begun) {
        message(user, bytes);
    }
    stream->need = 0;
    keep(stream, (PealStr){NULL, 0});
    return begun;
}

bool sip_stream_fini(SipStream *stream)
{
    PealSipScan scan;
    const bool begun =
        stream->len > 0 &&
        peal_sip_scan((PealStr){(const char *)stream->bytes, stream->len}, &scan) == 0;

    keep(stream, (PealStr){NULL, 0});
    return begun;
}
