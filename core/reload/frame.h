/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * frame.h - the framing of one hop: data frames, acknowledgements, and frames cut to pieces by a
 * stream.
 * Source: RFC 6940 s.6.6.2.
 * State:  AckState, 8 bytes per link that acknowledges; a PealBuf per stream only while a frame is
 *         split.
 * Time:   none.
 *
 * A buffer that carries a message holds it as: data frame header (8 bytes), then the message, from
 * data[0] on.
 */
#ifndef RELOAD_FRAME_H
#define RELOAD_FRAME_H

#include <peal/env.h>

#include "reload/bytes.h"
#include "reload/message.h"

enum { FRAME_TYPE_DATA = 128, FRAME_TYPE_ACK = 129, FRAME_MESSAGE_MAX = 0xffffff };

typedef struct Frame {
    const uint8_t *message; /* of a data frame, inside the bytes that were read */
    uint32_t message_len;
    uint32_t sequence; /* of a data frame; in an ack the sequence it acknowledges */
    uint32_t received; /* ack: bit i tells that sequence - 1 - i came too */
    uint32_t len;      /* of the whole frame */
    bool data;
} Frame;

/*
 * frame_write_data fills in the 8 bytes before a message of message_len <= FRAME_MESSAGE_MAX bytes.
 */
static inline void frame_write_data(uint8_t *at, uint32_t sequence, uint32_t message_len)
{
    at[0] = FRAME_TYPE_DATA;
    bytes_set_u32(at + 1, sequence);
    bytes_set_u24(at + 5, message_len);
}

/* frame_set_sequence renumbers a data frame: each retransmission takes a new sequence (s.6.6.2). */
static inline void frame_set_sequence(uint8_t *at, uint32_t sequence)
{
    bytes_set_u32(at + 1, sequence);
}

/* frame_write_ack writes RELOAD_ACK_FRAME_LEN bytes. */
static inline void frame_write_ack(uint8_t *at, uint32_t sequence, uint32_t received)
{
    at[0] = FRAME_TYPE_ACK;
    bytes_set_u32(at + 1, sequence);
    bytes_set_u32(at + 5, received);
}

/*
 * frame_parse reads the frame at the start of the bytes; more may follow.
 * Returns 0, -PEAL_E_TRUNCATED (a stream has to wait for more), -PEAL_E_VALUE (unknown type) or
 * -PEAL_E_TOO_LARGE (message longer than message_max).
 */
static inline int frame_parse(const uint8_t *bytes, size_t len, uint32_t message_max,
                              Frame *ret_frame)
{
    uint32_t message_len;

    if (len == 0) {
        return -PEAL_E_TRUNCATED;
    }
    if (bytes[0] == FRAME_TYPE_ACK) {
        if (len < RELOAD_ACK_FRAME_LEN) {
            return -PEAL_E_TRUNCATED;
        }
        *ret_frame = (Frame){.sequence = bytes_u32(bytes + 1),
                             .received = bytes_u32(bytes + 5),
                             .len = RELOAD_ACK_FRAME_LEN};
        return 0;
    }
    if (bytes[0] != FRAME_TYPE_DATA) {
        return -PEAL_E_VALUE;
    }
    if (len < RELOAD_DATA_FRAME_LEN) {
        return -PEAL_E_TRUNCATED;
    }
    message_len = bytes_u24(bytes + 5);
    if (message_len > message_max) {
        return -PEAL_E_TOO_LARGE;
    }
    if (len - RELOAD_DATA_FRAME_LEN < message_len) {
        return -PEAL_E_TRUNCATED;
    }
    *ret_frame = (Frame){.message = bytes + RELOAD_DATA_FRAME_LEN,
                         .message_len = message_len,
                         .sequence = bytes_u32(bytes + 1),
                         .len = RELOAD_DATA_FRAME_LEN + message_len,
                         .data = true};
    return 0;
}

/*
 * frame_parse_datagram reads a datagram, which is one frame: as frame_parse, and -PEAL_E_TRAILING.
 */
static inline int frame_parse_datagram(const uint8_t *bytes, size_t len, uint32_t message_max,
                                       Frame *ret_frame)
{
    Frame frame;
    int error = frame_parse(bytes, len, message_max, &frame);

    if (error != 0) {
        return error;
    }
    if (frame.len != len) {
        return -PEAL_E_TRAILING;
    }
    *ret_frame = frame;
    return 0;
}

/* Acknowledging */

/*
 * What a receiver remembers; all zero at the start of a link. Sequence numbers compare modulo 2^32.
 */
typedef struct AckState {
    uint32_t next;     /* the highest sequence received, plus one */
    uint32_t received; /* bit i: next - 1 - i was received */
} AckState;

/*
 * frame_note_received notes a data frame's sequence and says what to acknowledge with it: bit i of
 * ret_received is set when sequence - 1 - i was received and is known to be (least significant bit:
 * sequence - 1).
 * Returns false when this very sequence was received before, which is a duplicate made by the
 * network.
 */
static inline bool frame_note_received(AckState *ack, uint32_t sequence, uint32_t *ret_received)
{
    uint32_t ahead = sequence - ack->next;
    uint32_t behind = ack->next - 1 - sequence;
    bool fresh = true;

    if (ahead < UINT32_C(0x80000000)) {
        *ret_received = ahead < 32 ? ack->received << ahead : 0;
        ack->received = ahead < 31 ? ack->received << (ahead + 1) | 1 : 1;
        ack->next = sequence + 1;
        return true;
    }
    *ret_received = behind < 31 ? ack->received >> (behind + 1) : 0;
    if (behind < 32) {
        fresh = (ack->received >> behind & 1) == 0;
        ack->received |= UINT32_C(1) << behind;
    }
    return fresh;
}

/* frame_acknowledges tells whether an ack covers a sequence that was sent. */
static inline bool frame_acknowledges(uint32_t ack_sequence, uint32_t received, uint32_t sequence)
{
    uint32_t before = ack_sequence - 1 - sequence;

    return sequence == ack_sequence || (before < 32 && (received >> before & 1) != 0);
}

/* Streams */

/* A piece of a stream being cut into frames; lives on the caller's stack. */
typedef struct FrameCursor {
    PealBuf *piece; /* owned; NULL once used up */
    uint32_t at;
} FrameCursor;

/*
 * frame_stream_next cuts the next whole frame out of a stream.
 *   FrameCursor cursor = {piece, 0};
 *   while ((error = frame_stream_next(&held, env, max, &cursor, &frame)) == 0 && frame != NULL) {
 *   ... }
 * held     the stream's split frame: NULL at first, and whenever none is split; at most message_max
 *          + 8 bytes, and never more than twice what has really come. Between two calls the caller
 *          may move it elsewhere.
 * Returns 0 with a buffer that holds exactly one frame and is the caller's, or with NULL when the
 * piece is used up; a piece that is one frame is handed through as it is. On -PEAL_E_VALUE and
 * -PEAL_E_TOO_LARGE, the other side does not speak RELOAD: piece and held are dropped and the
 * stream cannot go on.
 */
int frame_stream_next(PealBuf **held, PealEnv *env, uint32_t message_max, FrameCursor *cursor,
                      PealBuf **ret_frame) PEAL_MUST_USE;

/*
 * frame_stream_abandon drops what is left of a piece, when its stream ends while frames are being
 * cut.
 */
void frame_stream_abandon(PealEnv *env, FrameCursor *cursor);

#endif
