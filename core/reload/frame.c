/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * frame.c - frames cut out of a stream, and a first look at a frame for the world outside.
 */
#include "reload/wire.h"

enum {
    HELD_CAP_MIN = 256, /* first room for a split frame */
    FRAME_VIA_ROOM = 64 /* spare bytes behind a frame, so that a forward can add itself in place */
};

/* Hands the rest of the piece, which is exactly one frame, over as it is. */
static PealBuf *piece_release(FrameCursor *cursor)
{
    PealBuf *frame = cursor->piece;

    if (cursor->at > 0) {
        memmove(frame->data, frame->data + cursor->at, frame->len - cursor->at);
        frame->len -= cursor->at;
    }
    cursor->piece = NULL;
    return frame;
}

/* Makes room for need bytes in *held, doubling, so that no claim of length allocates by itself. */
static void held_reserve(PealBuf **held, PealEnv *env, uint32_t need)
{
    PealBuf *old = *held;
    uint32_t cap = old == NULL ? HELD_CAP_MIN : old->cap;
    PealBuf *grown;

    if (old != NULL && old->cap >= need) {
        return;
    }
    while (cap < need) {
        cap *= 2;
    }
    grown = env->ops->buffer(env, cap);
    if (old != NULL) {
        memcpy(grown->data, old->data, old->len);
        grown->len = old->len;
        grown->serial = old->serial;
        grown->attempt = old->attempt;
        env->ops->drop(env, old);
    }
    *held = grown;
}

/* Moves up to len bytes of the piece to the end of *held. */
static void held_feed(PealBuf **held, PealEnv *env, FrameCursor *cursor, uint32_t len)
{
    PealBuf *piece = cursor->piece;
    uint32_t left = piece->len - cursor->at;
    bool first = *held == NULL;

    if (len > left) {
        len = left;
    }
    held_reserve(held, env, (first ? 0 : (*held)->len) + len);
    if (first) {
        (*held)->serial = piece->serial;
        (*held)->attempt = piece->attempt;
    }
    memcpy((*held)->data + (*held)->len, piece->data + cursor->at, len);
    (*held)->len += len;
    cursor->at += len;
}

/*
 * How many bytes the frame that starts in *held still lacks; 0 when it is whole. While its header
 * is not all there, that is the header's rest. Returns a negative error for what is no frame.
 */
static int64_t held_lacks(const PealBuf *held, uint32_t message_max)
{
    Frame frame;
    int error = frame_parse(held->data, held->len, message_max, &frame);

    if (error != -PEAL_E_TRUNCATED) {
        return error;
    }
    if (held->len == 0) {
        return 1;
    }
    if (held->data[0] == FRAME_TYPE_ACK) {
        return RELOAD_ACK_FRAME_LEN - (int64_t)held->len;
    }
    if (held->len < RELOAD_DATA_FRAME_LEN) {
        return RELOAD_DATA_FRAME_LEN - (int64_t)held->len;
    }
    return (int64_t)RELOAD_DATA_FRAME_LEN + bytes_u24(held->data + 5) - held->len;
}

/* Copies one frame out of the middle of the piece. */
static PealBuf *piece_copy(PealEnv *env, FrameCursor *cursor, uint32_t len)
{
    PealBuf *frame = env->ops->buffer(env, len + FRAME_VIA_ROOM);

    memcpy(frame->data, cursor->piece->data + cursor->at, len);
    frame->len = len;
    frame->serial = cursor->piece->serial;
    frame->attempt = cursor->piece->attempt;
    cursor->at += len;
    return frame;
}

void frame_stream_abandon(PealEnv *env, FrameCursor *cursor)
{
    if (cursor->piece != NULL) {
        env->ops->drop(env, cursor->piece);
        cursor->piece = NULL;
    }
}

/* The other side does not speak RELOAD. */
static int stream_fail(PealBuf **held, PealEnv *env, FrameCursor *cursor, int error)
{
    frame_stream_abandon(env, cursor);
    if (*held != NULL) {
        env->ops->drop(env, *held);
        *held = NULL;
    }
    return error;
}

/*
 * Goes on with the frame in *held: 0 and the frame when it is whole, 0 and NULL when the piece did
 * not do.
 */
static int stream_resume(PealBuf **held, PealEnv *env, uint32_t message_max, FrameCursor *cursor,
                         PealBuf **ret_frame)
{
    for (;;) {
        int64_t lacks = held_lacks(*held, message_max);

        if (lacks < 0) {
            return stream_fail(held, env, cursor, (int)lacks);
        }
        if (lacks == 0) {
            *ret_frame = *held;
            *held = NULL;
            return 0;
        }
        if (cursor->at == cursor->piece->len) {
            frame_stream_abandon(env, cursor);
            *ret_frame = NULL;
            return 0;
        }
        held_feed(held, env, cursor, (uint32_t)lacks);
    }
}

int frame_stream_next(PealBuf **held, PealEnv *env, uint32_t message_max, FrameCursor *cursor,
                      PealBuf **ret_frame)
{
    PealBuf *piece = cursor->piece;
    Frame frame;
    int error;

    if (piece == NULL) {
        *ret_frame = NULL;
        return 0;
    }
    if (*held != NULL) {
        return stream_resume(held, env, message_max, cursor, ret_frame);
    }
    if (cursor->at == piece->len) {
        frame_stream_abandon(env, cursor);
        *ret_frame = NULL;
        return 0;
    }
    error = frame_parse(piece->data + cursor->at, piece->len - cursor->at, message_max, &frame);
    if (error == -PEAL_E_TRUNCATED) {
        held_feed(held, env, cursor, piece->len - cursor->at);
        frame_stream_abandon(env, cursor);
        *ret_frame = NULL;
        return 0;
    }
    if (error != 0) {
        return stream_fail(held, env, cursor, error);
    }
    *ret_frame = cursor->at + frame.len == piece->len ? piece_release(cursor)
                                                      : piece_copy(env, cursor, frame.len);
    return 0;
}

int peal_frame_info(const uint8_t *data, size_t len, PealFrameInfo *ret_info)
{
    PealFrameInfo info = {.bytes = RELOAD_ACK_FRAME_LEN};
    const uint8_t *message;
    size_t have;

    if (len == 0) {
        return -PEAL_E_TRUNCATED;
    }
    if (data[0] == FRAME_TYPE_ACK) {
        if (len < RELOAD_ACK_FRAME_LEN) {
            return -PEAL_E_TRUNCATED;
        }
        *ret_info = info;
        return 0;
    }
    if (data[0] != FRAME_TYPE_DATA) {
        return -PEAL_E_VALUE;
    }
    if (len < RELOAD_DATA_FRAME_LEN) {
        return -PEAL_E_TRUNCATED;
    }
    message = data + RELOAD_DATA_FRAME_LEN;
    info.bytes = (uint32_t)RELOAD_DATA_FRAME_LEN + bytes_u24(data + 5);
    have = (len < info.bytes ? len : info.bytes) - RELOAD_DATA_FRAME_LEN;
    if (have >= RELOAD_HEADER_LEN && bytes_u32(message + WIRE_AT_TOKEN) == RELOAD_TOKEN) {
        info.data = true;
        info.code = wire_code(message, have);
        info.transaction = wire_transaction(message);
    }
    *ret_info = info;
    return 0;
}
