/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_frame.c - frames, acknowledgements, streams cut anywhere, headers edited in place.
 */
#include "core/golden.h"
#include "core/plain_env.h"
#include "peal_test.h"
#include "reload/wire.h"

enum { MESSAGE_MAX = 5000 };

static void data_and_ack_frames_are_written_and_read(void)
{
    uint8_t bytes[16] = {0};
    Frame frame = {0};

    frame_write_data(bytes, 0x01020304, 3);
    CU_ASSERT_EQUAL(frame_parse(bytes, 11, MESSAGE_MAX, &frame), 0);
    CU_ASSERT_TRUE(frame.data);
    CU_ASSERT_EQUAL(frame.sequence, 0x01020304);
    CU_ASSERT_EQUAL(frame.message_len, 3);
    CU_ASSERT_EQUAL(frame.len, 11);
    CU_ASSERT_PTR_EQUAL(frame.message, bytes + 8);
    frame_set_sequence(bytes, 9);
    CU_ASSERT_EQUAL(frame_parse_datagram(bytes, 11, MESSAGE_MAX, &frame), 0);
    CU_ASSERT_EQUAL(frame.sequence, 9);
    frame_write_ack(bytes, 7, 0x80000001);
    CU_ASSERT_EQUAL(frame_parse_datagram(bytes, 9, MESSAGE_MAX, &frame), 0);
    CU_ASSERT_FALSE(frame.data);
    CU_ASSERT_EQUAL(frame.sequence, 7);
    CU_ASSERT_EQUAL(frame.received, 0x80000001);
}

static void bad_frames_are_refused_by_name(void)
{
    uint8_t bytes[32] = {0};
    Frame frame;

    frame_write_data(bytes, 0, 3);
    for (size_t len = 0; len < 11; len++) {
        CU_ASSERT_EQUAL(frame_parse(bytes, len, MESSAGE_MAX, &frame), -PEAL_E_TRUNCATED);
    }
    CU_ASSERT_EQUAL(frame_parse_datagram(bytes, 12, MESSAGE_MAX, &frame), -PEAL_E_TRAILING);
    CU_ASSERT_EQUAL(frame_parse(bytes, 12, 2, &frame), -PEAL_E_TOO_LARGE);
    bytes[0] = 130;
    CU_ASSERT_EQUAL(frame_parse(bytes, 12, MESSAGE_MAX, &frame), -PEAL_E_VALUE);
    frame_write_ack(bytes, 0, 0);
    CU_ASSERT_EQUAL(frame_parse(bytes, 8, MESSAGE_MAX, &frame), -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(frame_parse_datagram(bytes, 10, MESSAGE_MAX, &frame), -PEAL_E_TRAILING);
}

/* Acknowledgements */

static void acks_name_the_sequences_before_lowest_bit_first(void)
{
    AckState ack = {0};
    uint32_t received;

    CU_ASSERT_TRUE(frame_note_received(&ack, 0, &received));
    CU_ASSERT_EQUAL(received, 0);
    CU_ASSERT_TRUE(frame_note_received(&ack, 1, &received));
    CU_ASSERT_EQUAL(received, 1);
    CU_ASSERT_TRUE(frame_note_received(&ack, 3, &received));
    CU_ASSERT_EQUAL(received, 6); /* 2 is missing, 1 and 0 are not */
    CU_ASSERT_TRUE(frame_note_received(&ack, 2, &received));
    CU_ASSERT_EQUAL(received, 3);
    CU_ASSERT_TRUE(frame_note_received(&ack, 4, &received));
    CU_ASSERT_EQUAL(received, 15);
    CU_ASSERT_FALSE(frame_note_received(&ack, 3, &received));
}

/* Against the definition: remember everything, build the mask from that. */
static void acks_agree_with_the_definition_over_the_wrap_of_sequences(void)
{
    enum { STEPS = 2000, SPAN = 4096 };
    static bool seen[SPAN];
    AckState ack = {.next = UINT32_MAX - 700, .received = 0};
    const uint32_t base = UINT32_MAX - 700;
    uint32_t highest = 0;
    uint64_t draw = 88172645463325252U;

    memset(seen, 0, sizeof(seen));
    for (int step = 0; step < STEPS; step++) {
        uint32_t at;
        uint32_t received;
        uint32_t expected = 0;
        bool fresh;

        draw ^= draw << 13;
        draw ^= draw >> 7;
        draw ^= draw << 17;
        at = highest + (uint32_t)(draw % 7); /* up to three back, up to three on */
        at = at < 3 ? 0 : at - 3;
        if (draw % 97 == 0) {
            at = highest + 40;
        }
        if (at >= SPAN) {
            break;
        }
        fresh = frame_note_received(&ack, base + at, &received);
        CU_ASSERT_EQUAL(fresh, !seen[at]);
        for (uint32_t i = 0; i < 32 && i < at; i++) {
            /* Only the 32 sequences up to the highest are remembered. */
            bool known = at - 1 - i + 32 > highest;

            expected |= (uint32_t)(seen[at - 1 - i] && known) << i;
        }
        CU_ASSERT_EQUAL(received, expected);
        seen[at] = true;
        highest = at > highest ? at : highest;
    }
    CU_ASSERT_TRUE(base + highest < base); /* it did wrap */
}

static void an_ack_covers_what_its_mask_says(void)
{
    CU_ASSERT_TRUE(frame_acknowledges(5, 0, 5));
    CU_ASSERT_FALSE(frame_acknowledges(5, 0, 4));
    CU_ASSERT_TRUE(frame_acknowledges(5, 1, 4));
    CU_ASSERT_TRUE(frame_acknowledges(0, 2, UINT32_MAX - 1));
    CU_ASSERT_FALSE(frame_acknowledges(5, UINT32_MAX, 6));
    CU_ASSERT_FALSE(frame_acknowledges(100, UINT32_MAX, 67));
    CU_ASSERT_TRUE(frame_acknowledges(100, UINT32_MAX, 68));
}

/* Streams */

/* A stream of an ack, golden messages of all sizes and an empty message. */
typedef struct Stream {
    uint8_t bytes[32768];
    size_t len;
    size_t starts[64]; /* of the frames */
    size_t frames;
} Stream;

static void stream_build(Stream *stream)
{
    stream->len = 0;
    stream->frames = 0;
    stream->starts[stream->frames++] = 0;
    frame_write_ack(stream->bytes, 1, 2);
    stream->len = RELOAD_ACK_FRAME_LEN;
    for (size_t i = 0; i <= golden_messages_len; i++) {
        uint8_t *at = stream->bytes + stream->len;
        size_t room = sizeof(stream->bytes) - stream->len - RELOAD_DATA_FRAME_LEN;
        size_t len = i == golden_messages_len
                         ? 0
                         : golden_build(&golden_messages[i], at + RELOAD_DATA_FRAME_LEN, room);

        frame_write_data(at, (uint32_t)i, (uint32_t)len);
        stream->starts[stream->frames++] = stream->len;
        stream->len += RELOAD_DATA_FRAME_LEN + len;
    }
    stream->starts[stream->frames] = stream->len;
}

/* Feeds the stream in pieces that end at the given cuts and checks every frame that comes out. */
static void stream_check(const Stream *stream, const size_t *cuts, size_t cuts_len)
{
    PlainEnv env;
    PealBuf *held = NULL;
    size_t from = 0;
    size_t frames = 0;
    size_t wrong = 0;

    plain_env_init(&env);
    for (size_t i = 0; i <= cuts_len; i++) {
        size_t upto = i < cuts_len ? cuts[i] : stream->len;
        FrameCursor cursor = {plain_buffer(&env, stream->bytes + from, upto - from, 0), 0};
        PealBuf *frame;

        while (frame_stream_next(&held, &env.env, MESSAGE_MAX, &cursor, &frame) == 0 &&
               frame != NULL) {
            size_t start = stream->starts[frames];

            wrong += frame->len != stream->starts[frames + 1] - start ||
                     memcmp(frame->data, stream->bytes + start, frame->len) != 0;
            frames++;
            env.ops.drop(&env.env, frame);
        }
        from = upto;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(frames, stream->frames);
    CU_ASSERT_PTR_NULL(held);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_stream_cut_at_any_byte_gives_the_same_frames(void)
{
    static Stream stream;

    stream_build(&stream);
    stream_check(&stream, NULL, 0);
    for (size_t cut = 0; cut <= stream.len; cut++) {
        stream_check(&stream, &cut, 1);
    }
}

static void a_stream_of_single_bytes_gives_the_same_frames(void)
{
    static Stream stream;
    static size_t cuts[32768];

    stream_build(&stream);
    for (size_t i = 0; i < stream.len; i++) {
        cuts[i] = i;
    }
    stream_check(&stream, cuts, stream.len);
}

static void a_piece_that_is_one_frame_is_handed_through(void)
{
    PlainEnv env;
    PealBuf *held = NULL;
    PealBuf *piece;
    PealBuf *frame;
    uint8_t ack[RELOAD_ACK_FRAME_LEN];
    FrameCursor cursor;

    plain_env_init(&env);
    frame_write_ack(ack, 1, 0);
    piece = plain_buffer(&env, ack, sizeof(ack), 0);
    cursor = (FrameCursor){piece, 0};
    CU_ASSERT_EQUAL(frame_stream_next(&held, &env.env, MESSAGE_MAX, &cursor, &frame), 0);
    CU_ASSERT_PTR_EQUAL(frame, piece);
    env.ops.drop(&env.env, frame);
    CU_ASSERT_EQUAL(frame_stream_next(&held, &env.env, MESSAGE_MAX, &cursor, &frame), 0);
    CU_ASSERT_PTR_NULL(frame);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

static void a_stream_that_is_not_reload_ends_and_leaves_nothing(void)
{
    static const struct {
        const char *bytes;
        size_t len;
        int error;
    } bad[] = {{"GET / HTTP/1.1", 14, -PEAL_E_VALUE},
               {"\x80\0\0\0\0\xff\xff\xff", 8, -PEAL_E_TOO_LARGE},
               {"\x80\0\0\0\0\x00\x13\x89", 8, -PEAL_E_TOO_LARGE}};

    for (size_t i = 0; i < 3; i++) {
        for (size_t split = 0; split < bad[i].len; split++) {
            PlainEnv env;
            PealBuf *held = NULL;
            PealBuf *frame = NULL;
            FrameCursor cursor;
            int error;

            plain_env_init(&env);
            cursor = (FrameCursor){plain_buffer(&env, (const uint8_t *)bad[i].bytes, split, 0), 0};
            error = frame_stream_next(&held, &env.env, MESSAGE_MAX, &cursor, &frame);
            if (error == 0) {
                CU_ASSERT_PTR_NULL(frame);
                cursor = (FrameCursor){plain_buffer(&env, (const uint8_t *)bad[i].bytes + split,
                                                    bad[i].len - split, 0),
                                       0};
                error = frame_stream_next(&held, &env.env, MESSAGE_MAX, &cursor, &frame);
            }
            CU_ASSERT_EQUAL(error, bad[i].error);
            CU_ASSERT_PTR_NULL(held);
            CU_ASSERT_PTR_NULL(cursor.piece);
            CU_ASSERT_TRUE(plain_env_clean(&env));
        }
    }
}

static void a_claimed_length_allocates_nothing_by_itself(void)
{
    PlainEnv env;
    PealBuf *held = NULL;
    PealBuf *frame;
    FrameCursor cursor;

    plain_env_init(&env);
    cursor =
        (FrameCursor){plain_buffer(&env, (const uint8_t *)"\x80\0\0\0\0\x00\xff\xff", 8, 0), 0};
    CU_ASSERT_EQUAL(frame_stream_next(&held, &env.env, 65535, &cursor, &frame), 0);
    CU_ASSERT_PTR_NULL(frame);
    CU_ASSERT_PTR_NOT_NULL(held);
    CU_ASSERT_TRUE(env.buffer_most <= 256);
    frame_stream_abandon(&env.env, &cursor);
    env.ops.drop(&env.env, held);
    CU_ASSERT_TRUE(plain_env_clean(&env));
}

/* Frame info */

static void frame_info_names_what_a_frame_carries(void)
{
    uint8_t bytes[GOLDEN_MESSAGE_MAX + RELOAD_DATA_FRAME_LEN];
    size_t len =
        golden_build(golden_find("store_req"), bytes + RELOAD_DATA_FRAME_LEN, GOLDEN_MESSAGE_MAX);
    PealFrameInfo info;

    frame_write_data(bytes, 4, (uint32_t)len);
    CU_ASSERT_EQUAL(peal_frame_info(bytes, len + RELOAD_DATA_FRAME_LEN, &info), 0);
    CU_ASSERT_TRUE(info.data);
    CU_ASSERT_EQUAL(info.code, RELOAD_STORE_REQ);
    CU_ASSERT_EQUAL(info.bytes, len + RELOAD_DATA_FRAME_LEN);
    CU_ASSERT_EQUAL(info.transaction, GOLDEN_TRANSACTION);
    /* The start of a segment is enough for the header; the code may lie past it. */
    CU_ASSERT_EQUAL(peal_frame_info(bytes, RELOAD_DATA_FRAME_LEN + RELOAD_HEADER_LEN, &info), 0);
    CU_ASSERT_TRUE(info.data && info.code == 0);
    bytes_set_u32(bytes + RELOAD_DATA_FRAME_LEN + WIRE_AT_FRAGMENT, 0xc0000100);
    CU_ASSERT_EQUAL(peal_frame_info(bytes, len + RELOAD_DATA_FRAME_LEN, &info), 0);
    CU_ASSERT_TRUE(info.data && info.code == 0);
    bytes[RELOAD_DATA_FRAME_LEN] = 0;
    CU_ASSERT_EQUAL(peal_frame_info(bytes, len + RELOAD_DATA_FRAME_LEN, &info), 0);
    CU_ASSERT_FALSE(info.data);
    frame_write_ack(bytes, 1, 1);
    CU_ASSERT_EQUAL(peal_frame_info(bytes, RELOAD_ACK_FRAME_LEN, &info), 0);
    CU_ASSERT_TRUE(!info.data && info.bytes == RELOAD_ACK_FRAME_LEN);
    CU_ASSERT_EQUAL(peal_frame_info(bytes, RELOAD_ACK_FRAME_LEN - 1, &info), -PEAL_E_TRUNCATED);
    CU_ASSERT_EQUAL(peal_frame_info(NULL, 0, &info), -PEAL_E_TRUNCATED);
    bytes[0] = 22;
    CU_ASSERT_EQUAL(peal_frame_info(bytes, len, &info), -PEAL_E_VALUE);
}

PEAL_TEST_MAIN("core/frame", PEAL_TEST(data_and_ack_frames_are_written_and_read),
               PEAL_TEST(bad_frames_are_refused_by_name),
               PEAL_TEST(acks_name_the_sequences_before_lowest_bit_first),
               PEAL_TEST(acks_agree_with_the_definition_over_the_wrap_of_sequences),
               PEAL_TEST(an_ack_covers_what_its_mask_says),
               PEAL_TEST(a_stream_cut_at_any_byte_gives_the_same_frames),
               PEAL_TEST(a_stream_of_single_bytes_gives_the_same_frames),
               PEAL_TEST(a_piece_that_is_one_frame_is_handed_through),
               PEAL_TEST(a_stream_that_is_not_reload_ends_and_leaves_nothing),
               PEAL_TEST(a_claimed_length_allocates_nothing_by_itself),
               PEAL_TEST(frame_info_names_what_a_frame_carries))
