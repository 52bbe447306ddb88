/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sip_stream.c - a TCP connection's bytes give the same messages whatever the pieces. */
#include "core/plain_env.h"
#include "peal_test.h"
#include "sip/stream.h"
#include "sip/text.h"

enum { LOG_MAX = SIP_MESSAGE_MAX + 4096 };

static const char first[] =
    "OPTIONS sip:a@b SIP/2.0\r\nSubject: x\r\nContent-Length: 4\r\n\r\n\r\n\r\n";
static const char second[] = "SIP/2.0 200 OK\r\nl :\r\n 0\r\n\r\n";
static const char nameless[] = "OPTIONS sip:a@b SIP/2.0\r\nSubject: x\r\n\r\n";

/* A connection's far end: what came out of its stream, each message followed by '|'. */
typedef struct Sink {
    PlainEnv plain; /* first */
    SipStreams streams;
    PealHop hop;
    PealTime now;
    char log[LOG_MAX];
    size_t len;
    bool inside; /* the last message lay in the piece itself */
    const PealBuf *piece;
    bool close;
} Sink;

static PealTime sink_now(PealEnv *env)
{
    return ((Sink *)env)->now;
}

static bool sink_message(void *user, const PealHop *from, PealStr message)
{
    Sink *sink = user;

    CU_ASSERT_EQUAL(from->conn, sink->hop.conn);
    CU_ASSERT_TRUE_FATAL(sink->len + message.len + 5 < LOG_MAX);
    if (message.ptr == NULL) {
        memcpy(sink->log + sink->len, "PING", 4);
        sink->len += 4;
    } else {
        memcpy(sink->log + sink->len, message.ptr, message.len);
        sink->len += message.len;
    }
    sink->log[sink->len++] = '|';
    sink->inside = sink->piece != NULL && message.ptr >= (const char *)sink->piece->data &&
                   message.ptr < (const char *)sink->piece->data + sink->piece->len;
    return !sink->close;
}

static void sink_init(Sink *sink)
{
    memset(sink, 0, sizeof(*sink));
    plain_env_init(&sink->plain);
    sink->plain.ops.now = sink_now;
    sip_streams_init(&sink->streams, &sink->plain.env);
    sink->hop = (PealHop){.transport = PEAL_TCP, .conn = 7};
}

static void sink_fini(Sink *sink)
{
    sip_streams_fini(&sink->streams);
    CU_ASSERT_EQUAL(sink->streams.bytes, 0);
    CU_ASSERT_TRUE(plain_env_clean(&sink->plain));
}

static int sink_take(Sink *sink, const char *bytes, size_t len)
{
    PealBuf *piece = plain_buffer(&sink->plain, (const uint8_t *)bytes, len, 0);

    sink->piece = piece;
    return sip_streams_take(&sink->streams, &sink->hop, piece, sink_message, sink);
}

/* What the stream gives when it comes in pieces of this size, but for the first one. */
static int sink_feed(Sink *sink, PealStr stream, size_t head, size_t piece)
{
    int error = 0;

    for (size_t at = 0; at < stream.len && error == 0;) {
        size_t len = at == 0 && head > 0 ? head : piece;

        len = len < stream.len - at ? len : stream.len - at;
        error = sink_take(sink, stream.ptr + at, len);
        at += len;
    }
    return error;
}

static bool logged(const Sink *sink, const char *expected)
{
    return sip_equal((PealStr){sink->log, sink->len}, sip_str(expected));
}

static void any_split_gives_the_same_messages(void)
{
    static const char *const parts[] = {"\r\n", first,          second, "\r\n\r\n",
                                        second, "\r\n\r\n\r\n", first};
    char stream[1024] = "";
    char expected[1024] = "";
    Sink sink;

    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        strcat(stream, parts[i]);
    }
    (void)snprintf(expected, sizeof(expected), "%s|%s|PING|%s|PING|%s|", first, second, second,
                   first);
    for (size_t head = 0; head <= strlen(stream); head++) {
        sink_init(&sink);
        CU_ASSERT_EQUAL(sink_feed(&sink, sip_str(stream), head, strlen(stream)), 0);
        CU_ASSERT_TRUE(logged(&sink, expected));
        CU_ASSERT_EQUAL(sink.streams.len, 0);
        sink_fini(&sink);
    }
    for (size_t piece = 1; piece < 40; piece++) {
        sink_init(&sink);
        CU_ASSERT_EQUAL(sink_feed(&sink, sip_str(stream), 0, piece), 0);
        CU_ASSERT_TRUE(logged(&sink, expected));
        sink_fini(&sink);
    }
}

static void whole_messages_are_not_copied(void)
{
    char both[256];
    Sink sink;

    sink_init(&sink);
    (void)snprintf(both, sizeof(both), "%s%s", first, second);
    CU_ASSERT_EQUAL(sink_take(&sink, both, strlen(both)), 0);
    CU_ASSERT_TRUE(sink.inside);
    CU_ASSERT_EQUAL(sink.plain.bytes_most, 0);
    CU_ASSERT_EQUAL(sink_take(&sink, first, 30), 0);
    CU_ASSERT_EQUAL(sink.streams.len, 1);
    CU_ASSERT_EQUAL(sink_take(&sink, first + 30, sizeof(first) - 31), 0);
    CU_ASSERT_FALSE(sink.inside);
    CU_ASSERT_EQUAL(sink.streams.len, 0);
    sink_fini(&sink);
}

static void a_message_without_a_usable_length_comes_alone_and_ends_the_stream(void)
{
    static const char *const bad[] = {
        nameless,
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: five\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length:\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 1\r\nl: 1\r\n\r\n",
        "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 99999999999\r\n\r\n",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        for (size_t piece = 1; piece < 120; piece += 7) {
            char stream[256];
            char expected[256];
            Sink sink;

            sink_init(&sink);
            (void)snprintf(stream, sizeof(stream), "%s%sbody%s", second, bad[i], second);
            (void)snprintf(expected, sizeof(expected), "%s|%s|", second, bad[i]);
            CU_ASSERT_EQUAL(sink_feed(&sink, sip_str(stream), 0, piece), -PEAL_E_VALUE);
            CU_ASSERT_TRUE(logged(&sink, expected));
            CU_ASSERT_EQUAL(sink.streams.len, 0);
            sink_fini(&sink);
        }
    }
}

static void what_is_no_sip_ends_the_stream(void)
{
    static const char *const bad[] = {"\x16\x03\x01",      "\n",        "\r\r", "\r\n\n",
                                      "\r\nx\r\nab\n\r\n", "OPTIONS\n", " x",   "\r\n\rx"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        for (size_t piece = 1; piece < 4; piece++) {
            Sink sink;

            sink_init(&sink);
            CU_ASSERT_EQUAL(sink_feed(&sink, sip_str(bad[i]), 0, piece), -PEAL_E_VALUE);
            CU_ASSERT_EQUAL(sink.len, 0);
            sink_fini(&sink);
        }
    }
}

static void a_message_too_large_ends_the_stream(void)
{
    static char endless[2 * SIP_MESSAGE_MAX];
    static const char claims[] = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 65500\r\n\r\n";
    Sink sink;

    memset(endless, 'x', sizeof(endless));
    for (size_t piece = 1000; piece <= sizeof(endless); piece += 32767) {
        sink_init(&sink);
        CU_ASSERT_EQUAL(sink_feed(&sink, (PealStr){endless, sizeof(endless)}, 0, piece),
                        -PEAL_E_TOO_LARGE);
        CU_ASSERT_TRUE(sink.plain.bytes_most < 3 * (size_t)SIP_MESSAGE_MAX);
        sink_fini(&sink);
    }
    sink_init(&sink);
    CU_ASSERT_EQUAL(sink_take(&sink, claims, sizeof(claims) - 1), -PEAL_E_TOO_LARGE);
    CU_ASSERT_EQUAL(sink.len, 0);
    sink_fini(&sink);
}

static void the_largest_message_passes_in_any_pieces(void)
{
    static const char head[] = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 65485\r\n\r\n";
    static char largest[SIP_MESSAGE_MAX];
    Sink sink;

    memset(largest, '\n', sizeof(largest));
    memcpy(largest, head, sizeof(head) - 1);
    CU_ASSERT_EQUAL(sizeof(head) - 1 + 65485, SIP_MESSAGE_MAX);
    for (size_t piece = 1; piece < SIP_MESSAGE_MAX; piece += 9973) {
        sink_init(&sink);
        CU_ASSERT_EQUAL(sink_feed(&sink, (PealStr){largest, sizeof(largest)}, 0, piece), 0);
        CU_ASSERT_EQUAL(sink.len, sizeof(largest) + 1);
        CU_ASSERT_EQUAL(memcmp(sink.log, largest, sizeof(largest)), 0);
        CU_ASSERT_TRUE(sink.plain.bytes_most < 3 * (size_t)SIP_MESSAGE_MAX);
        sink_fini(&sink);
    }
}

static void a_claimed_length_holds_no_memory(void)
{
    static const char head[] = "OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 60000\r\n\r\n";
    Sink sink;

    sink_init(&sink);
    CU_ASSERT_EQUAL(sink_take(&sink, head, sizeof(head) - 1), 0);
    CU_ASSERT_TRUE(sink.streams.bytes < 2048);
    sink_fini(&sink);
}

static void many_half_messages_are_bounded(void)
{
    static char piece[60000];
    uint32_t held = 0;
    Sink sink;

    memset(piece, 'x', sizeof(piece));
    sink_init(&sink);
    for (; held < 1000; held++) {
        sink.hop.conn = held + 1;
        if (sink_take(&sink, piece, sizeof(piece)) != 0) {
            break;
        }
    }
    CU_ASSERT_TRUE(held > 200 && held < 1000);
    CU_ASSERT_TRUE(sink.streams.bytes <= SIP_STREAMS_BYTES);
    CU_ASSERT_EQUAL(sink.streams.len, held);
    CU_ASSERT_EQUAL(sink_take(&sink, piece, sizeof(piece)), -PEAL_E_FULL);
    sip_streams_end(&sink.streams, 1);
    CU_ASSERT_EQUAL(sink_take(&sink, piece, sizeof(piece)), 0);
    sink_fini(&sink);
}

static void half_a_message_is_kept_for_its_patience(void)
{
    Sink sink;

    sink_init(&sink);
    sink.now.ns = 5;
    CU_ASSERT_EQUAL(sink.streams.deadline.ns, PEAL_TIME_NEVER.ns);
    CU_ASSERT_EQUAL(sink_take(&sink, "\r\n", 2), 0); /* a keep-alive waits for nothing */
    CU_ASSERT_EQUAL(sink.streams.deadline.ns, PEAL_TIME_NEVER.ns);
    CU_ASSERT_EQUAL(sink_take(&sink, "O", 1), 0);
    const PealTime deadline = peal_time_add(sink.now, SIP_STREAM_PATIENCE);

    CU_ASSERT_EQUAL(sink.streams.deadline.ns, deadline.ns);
    sink.now = peal_time_add(sink.now, peal_seconds(10));
    CU_ASSERT_EQUAL(sink_take(&sink, "P", 1), 0); /* a trickle gains nothing */
    sink.hop.conn = 8;
    CU_ASSERT_EQUAL(sink_take(&sink, "O", 1), 0);
    CU_ASSERT_EQUAL(sink.streams.deadline.ns, deadline.ns);
    CU_ASSERT_EQUAL(sip_streams_on_wake(&sink.streams, sink.now), 0);
    CU_ASSERT_EQUAL(sip_streams_on_wake(&sink.streams, deadline), 7);
    CU_ASSERT_EQUAL(sip_streams_on_wake(&sink.streams, deadline), 0);
    CU_ASSERT_EQUAL(sink.streams.len, 1);
    CU_ASSERT_EQUAL(sink.streams.deadline.ns, peal_time_add(deadline, peal_seconds(10)).ns);
    sink_fini(&sink);
}

static void a_closed_connection_gives_no_more(void)
{
    char both[256];
    Sink sink;

    for (size_t piece = 1; piece < 100; piece += 9) {
        sink_init(&sink);
        sink.close = true;
        (void)snprintf(both, sizeof(both), "%s%s", first, second);
        for (size_t at = 0; sink.len == 0; at += piece) {
            CU_ASSERT_EQUAL(sink_take(&sink, both + at, piece), 0);
        }
        CU_ASSERT_EQUAL(sink.len, sizeof(first));
        CU_ASSERT_EQUAL(sink.streams.len, 0);
        sink_fini(&sink);
    }
}

PEAL_TEST_MAIN("core/sip_stream", PEAL_TEST(any_split_gives_the_same_messages),
               PEAL_TEST(whole_messages_are_not_copied),
               PEAL_TEST(a_message_without_a_usable_length_comes_alone_and_ends_the_stream),
               PEAL_TEST(what_is_no_sip_ends_the_stream),
               PEAL_TEST(a_message_too_large_ends_the_stream),
               PEAL_TEST(the_largest_message_passes_in_any_pieces),
               PEAL_TEST(a_claimed_length_holds_no_memory),
               PEAL_TEST(many_half_messages_are_bounded),
               PEAL_TEST(half_a_message_is_kept_for_its_patience),
               PEAL_TEST(a_closed_connection_gives_no_more))
