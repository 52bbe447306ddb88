/*
 * span.h - reads a packet's bytes from the front, and no further than they are there.
 * Source: none.   State: none.   Time: none.
 */
#ifndef TRACE_SPAN_H
#define TRACE_SPAN_H

#include "trace/packet.h"

/* What functions that take headers off return when nothing is wrong. */
#define TRACE_SKIP_NONE TRACE_SKIP_COUNT

static inline unsigned span_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static inline uint32_t span_u32(const uint8_t *at)
{
    return (uint32_t)span_u16(at) << 16 | span_u16(at + 2);
}

/* The first len bytes, with ret_bytes on them, are taken off; false when they are not there. */
static inline bool span_take(PacketSpan *span, size_t len, const uint8_t **ret_bytes)
{
    if (span->len < len) {
        return false;
    }
    *ret_bytes = span->ptr;
    span->ptr += len;
    span->len -= len;
    span->wire -= len;
    return true;
}

/* The span ends after `wire` bytes; false when it does not reach there. */
static inline bool span_end(PacketSpan *span, size_t wire)
{
    if (wire > span->wire) {
        return false;
    }
    span->wire = wire;
    span->len = MIN(span->len, wire);
    return true;
}

/* Why `len` bytes are not there: the capture cut them, or there never were that many. */
static inline TraceSkip span_short(const PacketSpan *span, size_t len)
{
    return len <= span->wire ? TRACE_SKIP_CUT : TRACE_SKIP_BAD_LENGTH;
}

#endif
