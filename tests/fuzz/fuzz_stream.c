/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_stream.c - a stream cut anywhere gives the same frames, and fragments come together or are
 *                 dropped; whatever happens, every buffer and byte is given back.
 * The first byte is the size of the pieces that the rest of the input arrives in.
 */
#include "core/plain_env.h"
#include "fuzz/fuzz.h"
#include "reload/fragment.h"

enum { MESSAGE_MAX = 5000, DATAGRAM_MAX = 1200, CLOCK_STEP_MS = 700, TTL_MAX = 100 };
#define OVERLAY_HASH UINT32_C(0x9aa32b8d) /* of overlay.example.org, as the corpus has it */

/* What comes off the stream: counted, and put together where it is a fragment. */
typedef struct Sink {
    PlainEnv plain;
    Reassembly reassembly;
    PealTime now;
    uint32_t frames;
    uint32_t bytes;
} Sink;

/* A message that was put together can be cut again, and the pieces make it whole. */
static void cut_and_join(Sink *sink, const uint8_t *message, size_t len)
{
    FragmentPlan plan = fragment_plan(message, len, DATAGRAM_MAX);
    Reassembly reassembly = {0};
    ReassemblyRules rules = {.now = sink->now, .message_max = MESSAGE_MAX};
    PealBuf *whole = NULL;

    if (plan.count == 1) {
        return;
    }
    for (uint32_t i = plan.count; i > 0; i--) {
        PealBuf *piece = fragment_make(&sink->plain.env, &plan, message, i - 1);
        PealBytes fragment = {piece->data + RELOAD_DATA_FRAME_LEN,
                              piece->len - RELOAD_DATA_FRAME_LEN};

        PEAL_ASSERT(whole == NULL);
        PEAL_ASSERT(wire_check(fragment.ptr, fragment.len, OVERLAY_HASH, TTL_MAX) == 0);
        PEAL_ASSERT(reassembly_add(&reassembly, &sink->plain.env, &rules, fragment, &whole) == 0);
        sink->plain.env.ops->drop(&sink->plain.env, piece);
    }
    PEAL_ASSERT(whole != NULL);
    PEAL_ASSERT(whole->len == RELOAD_DATA_FRAME_LEN + len);
    PEAL_ASSERT(memcmp(whole->data + RELOAD_DATA_FRAME_LEN + plan.header_len,
                       message + plan.header_len, len - plan.header_len) == 0);
    sink->plain.env.ops->drop(&sink->plain.env, whole);
    reassembly_fini(&reassembly, &sink->plain.env);
}

static void on_message(Sink *sink, PealBytes message)
{
    ReassemblyRules rules = {.now = sink->now, .message_max = MESSAGE_MAX};
    PealBuf *whole = NULL;

    if (wire_check(message.ptr, message.len, OVERLAY_HASH, TTL_MAX) != 0) {
        return;
    }
    if (wire_is_whole(message.ptr)) {
        cut_and_join(sink, message.ptr, message.len);
        return;
    }
    if (reassembly_add(&sink->reassembly, &sink->plain.env, &rules, message, &whole) == 0 &&
        whole != NULL) {
        sink->plain.env.ops->drop(&sink->plain.env, whole);
    }
    PEAL_ASSERT(sink->reassembly.bytes <= REASSEMBLY_BYTES_MAX);
}

static void on_frame_take(Sink *sink, PealBuf *buf)
{
    Frame frame;
    int error = frame_parse_datagram(buf->data, buf->len, MESSAGE_MAX, &frame);

    PEAL_ASSERT(error == 0); /* the stream cuts whole frames */
    sink->frames++;
    sink->bytes += buf->len;
    sink->now = peal_time_add(sink->now, peal_ms(CLOCK_STEP_MS));
    reassembly_on_wake(&sink->reassembly, &sink->plain.env, sink->now);
    if (frame.data) {
        on_message(sink, (PealBytes){frame.message, frame.message_len});
    }
    sink->plain.env.ops->drop(&sink->plain.env, buf);
}

/* Feeds the input in pieces of this size; returns how many frames came of it. */
static uint32_t feed(const uint8_t *data, size_t size, size_t piece_max, uint32_t *ret_bytes)
{
    Sink sink = {0};
    PealBuf *held = NULL;
    int error = 0;

    plain_env_init(&sink.plain);
    while (size > 0 && error == 0) {
        size_t len = size < piece_max ? size : piece_max;
        FrameCursor cursor = {plain_buffer(&sink.plain, data, len, 0), 0};
        PealBuf *frame;

        while ((error = frame_stream_next(&held, &sink.plain.env, MESSAGE_MAX, &cursor, &frame)) ==
                   0 &&
               frame != NULL) {
            on_frame_take(&sink, frame);
        }
        data += len;
        size -= len;
    }
    if (held != NULL) {
        sink.plain.env.ops->drop(&sink.plain.env, held);
    }
    reassembly_fini(&sink.reassembly, &sink.plain.env);
    PEAL_ASSERT(plain_env_clean(&sink.plain));
    *ret_bytes = sink.bytes;
    return sink.frames;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t piece_max = (size_t)fuzz_take_u8(&data, &size) + 1;
    uint32_t bytes_cut;
    uint32_t bytes_whole;
    uint32_t frames_cut = feed(data, size, piece_max, &bytes_cut);
    uint32_t frames_whole = feed(data, size, size + 1, &bytes_whole);

    PEAL_ASSERT(frames_cut == frames_whole);
    PEAL_ASSERT(bytes_cut == bytes_whole);
    return 0;
}
