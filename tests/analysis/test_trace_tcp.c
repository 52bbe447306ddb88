/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_trace_tcp.c - SIP over TCP, whatever order the segments have and whatever is missing. */
#include <glib.h>
#include <string.h>

#include "peal_test.h"
#include "trace/tcp.h"

enum { FIRST_SEQ = -20, MESSAGES = 6 }; /* it wraps around soon */

typedef struct Found {
    Tcp *tcp;
    GString *text; /* messages with '|' behind each */
    unsigned messages;
    uint64_t skipped[TRACE_SKIP_COUNT];
    int64_t now_ns;
} Found;

static void on_message(void *user, int64_t at_ns, const PealAddr *from, const PealAddr *to,
                       PealStr bytes)
{
    Found *found = user;

    (void)to;
    CU_ASSERT_EQUAL(at_ns, found->now_ns);
    CU_ASSERT_EQUAL(from->port, 5060);
    g_string_append_len(found->text, bytes.ptr, (gssize)bytes.len);
    g_string_append_c(found->text, '|');
    found->messages++;
}

static void begin(Found *found)
{
    const TcpSink sink = {on_message, found->skipped, found};

    *found = (Found){.text = g_string_new(NULL)};
    found->tcp = tcp_new(&sink);
    /* the sink's skipped lives in *found, which does not move */
}

static void end(Found *found)
{
    tcp_free(found->tcp);
    g_string_free(found->text, TRUE);
}

static void take(Found *found, uint32_t seq, uint8_t flags, PealStr data, size_t len)
{
    const TcpPacket packet = {.at_ns = found->now_ns,
                              .from = {.ip = {10, 0, 0, 1}, .port = 5060, .family = 4},
                              .to = {.ip = {10, 0, 0, 2}, .port = 40000, .family = 4},
                              .seq = seq,
                              .flags = flags,
                              .data = {(const uint8_t *)data.ptr, data.len},
                              .len = len,
                              .cut = data.len < len};

    tcp_take(found->tcp, &packet);
}

/* The other side says what it has. */
static void acknowledge(Found *found, uint32_t ack)
{
    const TcpPacket packet = {.at_ns = found->now_ns,
                              .from = {.ip = {10, 0, 0, 2}, .port = 40000, .family = 4},
                              .to = {.ip = {10, 0, 0, 1}, .port = 5060, .family = 4},
                              .seq = 1,
                              .ack = ack,
                              .flags = TCP_ACK};

    tcp_take(found->tcp, &packet);
}

static void take_part(Found *found, const GString *all, size_t from, size_t to)
{
    take(found, (uint32_t)FIRST_SEQ + (uint32_t)from, TCP_ACK,
         (PealStr){all->str + from, to - from}, to - from);
}

/* Several messages with bodies and keep-alives between them; `wanted` is what is to be found. */
static GString *make_stream(GString *wanted)
{
    GString *all = g_string_new("\r\n\r\n");

    for (int i = 0; i < MESSAGES; i++) {
        g_autofree char *body = g_strnfill((gsize)37 * (gsize)i, (char)('a' + i));
        g_autofree char *text =
            i % 2 == 0
                ? g_strdup_printf("MESSAGE sip:b@h SIP/2.0\r\nCall-ID: %d\r\nCSeq: 1 MESSAGE\r\n"
                                  "Content-Length: %zu\r\n\r\n%s",
                                  i, strlen(body), body)
                : g_strdup_printf("SIP/2.0 200 OK\r\nCall-ID: %d\r\nl: %zu\r\n\r\n%s", i,
                                  strlen(body), body);

        g_string_append_printf(all, "%s%s", text, i % 3 == 0 ? "\r\n\r\n" : "");
        g_string_append_printf(wanted, "%s|", text);
    }
    return all;
}

static void messages_are_whole_however_the_stream_is_cut(void)
{
    g_autoptr(GString) wanted = g_string_new(NULL);
    g_autoptr(GString) all = make_stream(wanted);

    for (size_t step = 1; step <= all->len; step += step < 40 ? 1 : 97) {
        Found found;

        begin(&found);
        for (size_t at = 0; at < all->len; at += step) {
            take_part(&found, all, at, MIN(at + step, all->len));
        }
        CU_ASSERT_STRING_EQUAL(found.text->str, wanted->str);
        end(&found);
    }
}

typedef struct Piece {
    size_t from;
    size_t to;
} Piece;

/* The first piece stays where it is: without a SYN, nobody knows what comes before it. */
static void segments_in_any_order_and_more_than_once_give_the_same(void)
{
    g_autoptr(GString) wanted = g_string_new(NULL);
    g_autoptr(GString) all = make_stream(wanted);

    for (guint32 seed = 1; seed <= 200; seed++) {
        g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
        g_autoptr(GArray) pieces = g_array_new(FALSE, FALSE, sizeof(Piece));
        Found found;

        begin(&found);
        take(&found, (uint32_t)FIRST_SEQ - 1, TCP_SYN, (PealStr){"", 0}, 0);
        for (size_t at = 0; at < all->len;) {
            size_t to = MIN(at + (size_t)g_rand_int_range(rand, 1, 120), all->len);
            const Piece piece = {at, to};
            const Piece wider = {at - MIN(at, 9), MIN(to + 7, all->len)};

            g_array_append_val(pieces, piece);
            if (g_rand_int_range(rand, 0, 3) == 0) {
                g_array_append_val(pieces, wider);
            }
            at = to;
        }
        for (guint i = pieces->len - 1; i > 0; i--) {
            const guint j = (guint)g_rand_int_range(rand, 0, (gint32)i + 1);
            const Piece swapped = g_array_index(pieces, Piece, i);

            g_array_index(pieces, Piece, i) = g_array_index(pieces, Piece, j);
            g_array_index(pieces, Piece, j) = swapped;
        }
        for (guint i = 0; i < pieces->len; i++) {
            const Piece *piece = &g_array_index(pieces, Piece, i);

            take_part(&found, all, piece->from, piece->to);
        }
        CU_ASSERT_STRING_EQUAL(found.text->str, wanted->str);
        CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_OVERLAP], 0);
        end(&found);
    }
}

static const char BYE[] = "BYE sip:b@h SIP/2.0\r\nCall-ID: 1\r\nl: 0\r\n\r\n";

static void take_text(Found *found, uint32_t seq, const char *text)
{
    take(found, seq, TCP_ACK, (PealStr){text, strlen(text)}, strlen(text));
}

/* A gap is passed once the other side has what lies behind it and a second is over. */
static void what_the_capture_lost_is_passed_by_what_the_other_side_has(void)
{
    Found found;

    begin(&found);
    take_text(&found, 1000, "INVITE sip:b@h SIP/2.0\r\nCall-ID: 9\r\nSubj");
    take_text(&found, 1500, BYE);
    acknowledge(&found, 1500 + (uint32_t)strlen(BYE));
    found.now_ns += PEAL_NS_PER_S / 2;
    take_text(&found, 1500 + (uint32_t)strlen(BYE), BYE);
    CU_ASSERT_EQUAL(found.messages, 0);
    found.now_ns += PEAL_NS_PER_S;
    take_text(&found, 1500 + 2 * (uint32_t)strlen(BYE), BYE);
    CU_ASSERT_EQUAL(found.messages, 4);
    CU_ASSERT_TRUE(
        g_str_has_prefix(found.text->str, "INVITE sip:b@h SIP/2.0\r\nCall-ID: 9\r\nSubj|"));
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_GAP], 1);
    end(&found);
}

/* Nothing more comes from that side: what the other one says is enough. */
static void a_gap_is_passed_by_an_acknowledgement_alone(void)
{
    Found found;

    begin(&found);
    take_text(&found, 1000, "\r\n\r\n");
    take_text(&found, 1500, BYE);
    acknowledge(&found, 1500 + (uint32_t)strlen(BYE));
    CU_ASSERT_EQUAL(found.messages, 0);
    found.now_ns += 2 * PEAL_NS_PER_S;
    acknowledge(&found, 1500 + (uint32_t)strlen(BYE));
    CU_ASSERT_EQUAL(found.messages, 1);
    end(&found);
}

static void a_gap_that_nobody_fills_is_passed_in_the_end(void)
{
    Found found;

    begin(&found);
    take_text(&found, 1000, "\r\n\r\n");
    take_text(&found, 1500, BYE);
    found.now_ns += 119 * PEAL_NS_PER_S;
    take_text(&found, 1500 + (uint32_t)strlen(BYE), BYE);
    CU_ASSERT_EQUAL(found.messages, 0);
    found.now_ns += 2 * PEAL_NS_PER_S;
    take_text(&found, 1500 + 2 * (uint32_t)strlen(BYE), BYE);
    CU_ASSERT_EQUAL(found.messages, 3);
    end(&found);
}

/* The capture's snap length: what is there of a message is told with its segment, at its time. */
static void a_segment_that_is_cut_gives_what_there_is(void)
{
    Found found;

    begin(&found);
    take(&found, 1000, TCP_ACK, (PealStr){BYE, 30}, strlen(BYE));
    CU_ASSERT_EQUAL(found.messages, 1);
    found.now_ns += PEAL_NS_PER_S;
    take_text(&found, 1000 + (uint32_t)strlen(BYE), BYE);
    CU_ASSERT_EQUAL(found.messages, 2);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_UNFINISHED], 0);
    end(&found);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_UNFINISHED], 0);
}

/* Where the file ends within a segment, a longer one may have the rest of it. */
static void a_segment_in_which_the_file_ends_gives_whole_messages_only(void)
{
    g_autofree char *two = g_strconcat(BYE, BYE, NULL);
    const size_t len = strlen(two);
    Found found;
    TcpPacket packet;

    begin(&found);
    packet = (TcpPacket){.from = {.ip = {10, 0, 0, 1}, .port = 5060, .family = 4},
                         .to = {.ip = {10, 0, 0, 2}, .port = 40000, .family = 4},
                         .seq = 1000,
                         .flags = TCP_ACK,
                         .data = {(const uint8_t *)two, len - 5},
                         .len = len,
                         .cut = true,
                         .broken_off = true};
    take_text(&found, 1000 + (uint32_t)len, "\r\n");
    tcp_take(found.tcp, &packet);
    CU_ASSERT_EQUAL(found.messages, 0);
    end(&found);

    begin(&found);
    tcp_take(found.tcp, &packet);
    CU_ASSERT_EQUAL(found.messages, 1);
    end(&found);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_UNFINISHED], 1);
}

/* Every segment is cut, the first was lost, and the other side says nothing. */
static void segments_that_are_cut_wait_no_longer_than_whole_ones(void)
{
    static const char START[] = "BYE sip:b@h SIP/2.0\r\nCall-ID: 1\r\n";
    Found found;

    begin(&found);
    take_text(&found, 1000, "\r\n\r\n");
    for (uint32_t i = 0; i < 5000; i++) {
        take(&found, 2000 + i * 1460, TCP_ACK, (PealStr){START, strlen(START)}, 1460);
    }
    CU_ASSERT_EQUAL(found.messages, 5000);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_GAP], 1);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_OVERFLOW], 0);
    end(&found);
}

static void a_syn_that_comes_late_or_twice_changes_nothing(void)
{
    static const char FIRST[] = "BYE sip:b@h SIP/2.0\r\nCall-ID: 1\r\n";
    Found found;

    begin(&found);
    take_text(&found, 1001, FIRST);
    take(&found, 1000, TCP_SYN, (PealStr){"", 0}, 0);
    take_text(&found, 1001 + (uint32_t)strlen(FIRST), "l: 0\r\n\r\n");
    take(&found, 1000, TCP_SYN, (PealStr){"", 0}, 0);
    take_text(&found, 1001 + (uint32_t)strlen(FIRST) + 8, BYE);
    CU_ASSERT_EQUAL(found.messages, 2);
    end(&found);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_UNFINISHED], 0);
}

static void a_stream_of_something_else_costs_nothing_until_it_begins_like_sip(void)
{
    g_autofree char *junk = g_strnfill(TCP_JUNK_MAX + 1, 'x');
    uint32_t seq = 1000;
    Found found;

    begin(&found);
    take_text(&found, seq, junk);
    CU_ASSERT_TRUE(found.skipped[TRACE_SKIP_NOT_SIP] == 1);
    seq += TCP_JUNK_MAX + 1;
    take_text(&found, seq + 100, "y"); /* nothing is held */
    take_text(&found, seq + 101, BYE);
    CU_ASSERT_EQUAL(found.messages, 1);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_GAP], 0);
    end(&found);
}

static void a_stream_is_found_again_behind_rubbish(void)
{
    Found found;

    begin(&found);
    take_text(&found, 1000, "middle of something\r\nmore of it\r\n");
    take_text(&found, 1033, BYE);
    take_text(&found, 1033 + (uint32_t)strlen(BYE), "garbage\r\nBYE sip:c@h SIP/2.0\r\n\r\n");
    CU_ASSERT_EQUAL(found.messages, 2);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_BAD_SIP], 1);
    end(&found);
}

static void a_port_that_is_used_again_begins_anew(void)
{
    Found found;

    begin(&found);
    take(&found, 1000, TCP_SYN, (PealStr){"", 0}, 0);
    take_text(&found, 1001, BYE);
    take_text(&found, 1001 + (uint32_t)strlen(BYE), "INVITE sip:b@h SIP/2.0\r\n");
    take(&found, 900000000, TCP_SYN, (PealStr){"", 0}, 0);
    take_text(&found, 900000001, BYE);
    CU_ASSERT_EQUAL(found.messages, 2);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_UNFINISHED], 1);
    end(&found);
}

/* Far more than may be held: the oldest connections go, and nothing grows. */
static void connections_and_bytes_are_bounded(void)
{
    static const char START[] = "INVITE sip:b@h SIP/2.0\r\nSubject: ";
    Found found;

    begin(&found);
    for (uint32_t i = 0; i < TCP_CONNECTIONS_MAX + 100; i++) {
        const TcpPacket packet = {.from = {.ip = {10, 0, 0, 1}, .port = 5060, .family = 4},
                                  .to = {.ip = {11, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
                                                (uint8_t)i},
                                         .port = 9,
                                         .family = 4},
                                  .seq = 1,
                                  .flags = TCP_ACK,
                                  .data = {(const uint8_t *)START, strlen(START)},
                                  .len = strlen(START)};

        tcp_take(found.tcp, &packet);
    }
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_OVERFLOW], 100);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_UNFINISHED], 100);
    end(&found);
    CU_ASSERT_EQUAL(found.skipped[TRACE_SKIP_TCP_UNFINISHED], TCP_CONNECTIONS_MAX + 100);
}

PEAL_TEST_MAIN("analysis/trace_tcp", PEAL_TEST(messages_are_whole_however_the_stream_is_cut),
               PEAL_TEST(segments_in_any_order_and_more_than_once_give_the_same),
               PEAL_TEST(what_the_capture_lost_is_passed_by_what_the_other_side_has),
               PEAL_TEST(a_gap_is_passed_by_an_acknowledgement_alone),
               PEAL_TEST(a_gap_that_nobody_fills_is_passed_in_the_end),
               PEAL_TEST(a_segment_that_is_cut_gives_what_there_is),
               PEAL_TEST(a_segment_in_which_the_file_ends_gives_whole_messages_only),
               PEAL_TEST(segments_that_are_cut_wait_no_longer_than_whole_ones),
               PEAL_TEST(a_syn_that_comes_late_or_twice_changes_nothing),
               PEAL_TEST(a_stream_of_something_else_costs_nothing_until_it_begins_like_sip),
               PEAL_TEST(a_stream_is_found_again_behind_rubbish),
               PEAL_TEST(a_port_that_is_used_again_begins_anew),
               PEAL_TEST(connections_and_bytes_are_bounded))
