/*
 * test_trace_fragments.c - datagrams out of fragments in any order, of both versions of IP.
 */
#include "analysis/capture.h"
#include "analysis/taken.h"

#include <peal_test.h>
#include <scratch.h>

enum { DATA_LEN = 100, UDP_LEN = 8 + DATA_LEN, PIECE = 32, PIECES = 4 };

/* A capture of fragments under way, of one datagram of 108 bytes: 32, 32, 32 and 12. */
typedef struct Bench {
    char *dir;
    char *path;
    Capture *capture;
    int64_t at_ns;
    uint8_t datagram[UDP_LEN];
    PealAddr from;
    PealAddr to;
} Bench;

static Bench bench_new(bool ipv6)
{
    Bench bench = {.dir = g_dir_make_tmp("peal-fragments-XXXXXX", NULL),
                   .at_ns = 1700000000 * PEAL_NS_PER_S,
                   .from = capture_addr(ipv6 ? "fd00::1" : "192.0.2.1", 5060),
                   .to = capture_addr(ipv6 ? "fd00::2" : "192.0.2.2", 5062)};
    uint8_t data[DATA_LEN];

    for (size_t i = 0; i < DATA_LEN; i++) {
        data[i] = (uint8_t)(i + 1);
    }
    bench.path = g_build_filename(bench.dir, "capture", NULL);
    bench.capture = capture_new(bench.path, &(CaptureForm){.link = CAPTURE_RAW});
    (void)capture_build_udp(&bench.from, &bench.to, (PealBytes){data, DATA_LEN}, bench.datagram);
    return bench;
}

static void bench_free(Bench *bench)
{
    remove_tree(bench->dir);
    g_free(bench->dir);
    g_free(bench->path);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bench, bench_free)

/* Bytes start..end of a datagram, a millisecond after the last. */
static void write_range(Bench *bench, const uint8_t *bytes, size_t start, size_t end, uint32_t id)
{
    CaptureIp ip = {.from = bench->from,
                    .to = bench->to,
                    .protocol = 17,
                    .id = id,
                    .fragment = (uint32_t)start | (end < UDP_LEN)};
    uint8_t packet[200];
    size_t len = capture_build_ip(&ip, (PealBytes){bytes + start, end - start}, packet);

    bench->at_ns += PEAL_NS_PER_MS;
    capture_ip(bench->capture, bench->at_ns, (PealBytes){packet, len});
}

static void write_piece(Bench *bench, unsigned piece, uint32_t id)
{
    size_t start = (size_t)piece * PIECE;

    write_range(bench, bench->datagram, start, MIN(start + PIECE, UDP_LEN), id);
}

static Taken bench_read(Bench *bench)
{
    capture_close(bench->capture);
    return taken_read(bench->path, NULL);
}

/* The i-th packet is the datagram with its first len bytes. */
static void check_datagram(const Bench *bench, const Taken *taken, guint i, size_t len)
{
    const TakenPacket *packet;

    CU_ASSERT_FATAL(i < taken->packets->len);
    packet = taken_at(taken, i);
    CU_ASSERT_EQUAL_FATAL(g_bytes_get_size(packet->data), len);
    CU_ASSERT_EQUAL(packet->len, DATA_LEN);
    CU_ASSERT_EQUAL(packet->cut, len < DATA_LEN);
    CU_ASSERT(memcmp(g_bytes_get_data(packet->data, NULL), bench->datagram + 8, len) == 0);
    CU_ASSERT_EQUAL(packet->from.port, 5060);
    CU_ASSERT(memcmp(packet->to.ip, bench->to.ip, 16) == 0);
}

/* The n-th order of the pieces 0..3. */
static void order(unsigned n, unsigned ret_pieces[PIECES])
{
    unsigned left[PIECES] = {0, 1, 2, 3};

    for (unsigned i = 0; i < PIECES; i++) {
        unsigned at = n % (PIECES - i);

        n /= PIECES - i;
        ret_pieces[i] = left[at];
        memmove(left + at, left + at + 1, (PIECES - 1 - at) * sizeof(left[0]));
    }
}

static void fragments_in_every_order_make_the_datagram(void)
{
    for (unsigned n = 0; n < 48; n++) {
        g_auto(Bench) bench = bench_new(n >= 24);
        unsigned pieces[PIECES];
        g_auto(Taken) taken = {0};

        order(n % 24, pieces);
        for (unsigned i = 0; i < PIECES; i++) {
            write_piece(&bench, pieces[i], 7);
        }
        taken = bench_read(&bench);
        CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
        check_datagram(&bench, &taken, 0, DATA_LEN);
        CU_ASSERT_EQUAL(taken_at(&taken, 0)->at_ns, bench.at_ns); /* the last one's */
        CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
    }
}

static void fragments_of_several_datagrams_are_kept_apart(void)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        g_auto(Bench) bench = bench_new(ipv6);
        g_auto(Taken) taken = {0};

        for (unsigned i = 0; i < PIECES; i++) {
            for (uint32_t id = 1; id <= 500; id++) {
                write_piece(&bench, (i + id) % PIECES, id);
            }
        }
        taken = bench_read(&bench);
        CU_ASSERT_EQUAL_FATAL(taken.packets->len, 500);
        for (guint i = 0; i < 500; i++) {
            check_datagram(&bench, &taken, i, DATA_LEN);
        }
        CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
    }
}

static void duplicates_and_overlaps_that_agree_change_nothing(void)
{
    g_auto(Bench) bench = bench_new(false);
    g_auto(Taken) taken = {0};

    write_piece(&bench, 2, 7);
    write_piece(&bench, 2, 7);
    write_range(&bench, bench.datagram, 16, 72, 7);
    write_piece(&bench, 3, 7);
    write_range(&bench, bench.datagram, 0, 64, 7);
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
    check_datagram(&bench, &taken, 0, DATA_LEN);
    CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
}

static void overlaps_that_differ_are_counted_and_the_first_stays(void)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        g_auto(Bench) bench = bench_new(ipv6);
        uint8_t other[UDP_LEN];
        g_auto(Taken) taken = {0};

        memcpy(other, bench.datagram, sizeof(other));
        memset(other + 32, 'x', 64);
        write_piece(&bench, 0, 7);
        write_piece(&bench, 2, 7);
        write_range(&bench, other, 64, 96, 7); /* all of it another */
        write_piece(&bench, 1, 7);
        write_range(&bench, other, 40, 72, 7);
        write_piece(&bench, 3, 7);
        taken = bench_read(&bench);
        CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
        check_datagram(&bench, &taken, 0, DATA_LEN);
        CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_FRAGMENT_OVERLAP], 2);
        CU_ASSERT_EQUAL(taken_skipped(&taken), 2);
    }
}

static void a_second_end_is_an_overlap(void)
{
    g_auto(Bench) bench = bench_new(false);
    CaptureIp ip = {.from = bench.from, .to = bench.to, .protocol = 17, .id = 7, .fragment = 32};
    uint8_t packet[200];
    size_t len = capture_build_ip(&ip, (PealBytes){bench.datagram, 16}, packet);
    g_auto(Taken) taken = {0};

    write_piece(&bench, 2, 7);
    capture_ip(bench.capture, bench.at_ns, (PealBytes){packet, len}); /* ends at 48 */
    write_piece(&bench, 0, 7);
    write_piece(&bench, 3, 7);
    write_piece(&bench, 1, 7);
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
    CU_ASSERT_EQUAL(g_bytes_get_size(taken_at(&taken, 0)->data), DATA_LEN);
    CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_FRAGMENT_OVERLAP], 2); /* and what differs */
}

static void what_never_comes_is_given_up_as_far_as_it_goes(void)
{
    for (int ipv6 = 0; ipv6 < 2; ipv6++) {
        g_auto(Bench) bench = bench_new(ipv6);
        g_auto(Taken) taken = {0};

        write_piece(&bench, 3, 1); /* no beginning: nothing */
        write_piece(&bench, 1, 2);
        write_piece(&bench, 3, 2);
        write_piece(&bench, 0, 2);
        bench.at_ns += 29 * PEAL_NS_PER_S;
        write_piece(&bench, 0, 3);
        bench.at_ns += 2 * PEAL_NS_PER_S;
        write_piece(&bench, 2, 2); /* too late */
        taken = bench_read(&bench);
        CU_ASSERT_EQUAL_FATAL(taken.packets->len, 2);
        check_datagram(&bench, &taken, 0, 2 * PIECE - 8);
        check_datagram(&bench, &taken, 1, PIECE - 8);
        CU_ASSERT(taken_at(&taken, 0)->at_ns < taken_at(&taken, 1)->at_ns);
        CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_FRAGMENTS], 6);
        CU_ASSERT_EQUAL(taken_skipped(&taken), 6);
    }
}

static void a_fragment_that_is_cut_cuts_the_datagram(void)
{
    g_auto(Bench) bench = bench_new(false);
    g_auto(Taken) taken = {0};

    capture_close(bench.capture);
    bench.capture =
        capture_new(bench.path, &(CaptureForm){.link = CAPTURE_RAW, .snaplen = 20 + 20});
    for (unsigned i = 0; i < PIECES; i++) {
        write_piece(&bench, i, 7);
    }
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
    check_datagram(&bench, &taken, 0, 20 - 8);
    CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
}

static void fragments_without_end_are_bounded(void)
{
    g_auto(Bench) bench = bench_new(false);
    g_auto(Taken) taken = {0};
    enum { FLOOD = 20000 };

    for (uint32_t id = 1; id <= FLOOD; id++) {
        bench.from.ip[3] = (uint8_t)(id >> 8);
        write_piece(&bench, 0, id);
    }
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL(taken.packets->len, FLOOD); /* each its first bytes */
    CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_FRAGMENTS], FLOOD);
}

/* 64 KB in the smallest pieces, every second one first. */
static void the_largest_datagram_comes_of_the_smallest_fragments(void)
{
    g_auto(Bench) bench = bench_new(false);
    static uint8_t datagram[65528];
    g_auto(Taken) taken = {0};
    PealAddr one = bench.from, other = bench.to;
    uint8_t data[65520], packet[64];

    memset(data, 'z', sizeof(data));
    (void)capture_build_udp(&one, &other, (PealBytes){data, sizeof(data)}, datagram);
    for (unsigned odd = 0; odd < 2; odd++) {
        for (uint32_t at = odd * 8; at < sizeof(datagram); at += 16) {
            CaptureIp ip = {.from = one,
                            .to = other,
                            .protocol = 17,
                            .id = 9,
                            .fragment = at | (at + 8 < sizeof(datagram))};
            size_t len = capture_build_ip(&ip, (PealBytes){datagram + at, 8}, packet);

            capture_ip(bench.capture, bench.at_ns, (PealBytes){packet, len});
        }
    }
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
    CU_ASSERT_EQUAL(g_bytes_get_size(taken_at(&taken, 0)->data), sizeof(data));
    CU_ASSERT(memcmp(g_bytes_get_data(taken_at(&taken, 0)->data, NULL), data, sizeof(data)) == 0);
    CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
}

static void fragments_of_odd_lengths_or_beyond_the_end_are_refused(void)
{
    g_auto(Bench) bench = bench_new(false);
    CaptureIp odd = {.from = bench.from, .to = bench.to, .protocol = 17, .id = 7, .fragment = 1};
    CaptureIp far = {
        .from = bench.from, .to = bench.to, .protocol = 17, .id = 8, .fragment = 65528};
    uint8_t packet[200];
    size_t len;
    g_auto(Taken) taken = {0};

    len = capture_build_ip(&odd, (PealBytes){bench.datagram, 31}, packet);
    capture_ip(bench.capture, bench.at_ns, (PealBytes){packet, len});
    len = capture_build_ip(&far, (PealBytes){bench.datagram, 8}, packet);
    capture_ip(bench.capture, bench.at_ns, (PealBytes){packet, len});
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL(taken.packets->len, 0);
    CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_BAD_LENGTH], 2);
    CU_ASSERT_EQUAL(taken_skipped(&taken), 2);
}

/* RFC 6946: of IPv6, with an offset of 0 and no more to come. */
static void a_fragment_that_is_alone_is_whole(void)
{
    g_auto(Bench) bench = bench_new(true);
    CaptureIp ip = {.from = bench.from, .to = bench.to, .protocol = 17, .id = 7};
    uint8_t packet[300];
    size_t len = capture_build_ip(&ip, (PealBytes){bench.datagram, UDP_LEN}, packet);
    g_auto(Taken) taken = {0};

    write_piece(&bench, 0, 7);
    capture_ip(bench.capture, bench.at_ns, (PealBytes){packet, len});
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 2);
    check_datagram(&bench, &taken, 0, DATA_LEN);
}

/* Fragments within the fragments of a tunnel. */
static void fragments_of_tunnels_come_together_too(void)
{
    g_auto(Bench) bench = bench_new(false);
    g_auto(Taken) taken = {0};

    for (unsigned i = 0; i < PIECES; i++) {
        size_t start = (size_t)i * PIECE, piece = MIN(PIECE, UDP_LEN - start);
        CaptureIp ip = {.from = bench.from,
                        .to = bench.to,
                        .protocol = 17,
                        .id = 7,
                        .fragment = (uint32_t)start | (i + 1 < PIECES)};
        uint8_t inner[100], outer[100];
        size_t len = capture_build_ip(&ip, (PealBytes){bench.datagram + start, piece}, inner);

        for (size_t at = 0; at < len; at += 16) {
            CaptureIp tunnel = {.from = bench.to,
                                .to = bench.from,
                                .protocol = 4,
                                .id = 100 + i,
                                .fragment = (uint32_t)at | (at + 16 < len)};
            size_t outer_len =
                capture_build_ip(&tunnel, (PealBytes){inner + at, MIN(16, len - at)}, outer);

            capture_ip(bench.capture, bench.at_ns, (PealBytes){outer, outer_len});
        }
    }
    taken = bench_read(&bench);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 1);
    check_datagram(&bench, &taken, 0, DATA_LEN);
    CU_ASSERT_EQUAL(taken_skipped(&taken), 0);
}

PEAL_TEST_MAIN("analysis/trace/fragment", PEAL_TEST(fragments_in_every_order_make_the_datagram),
               PEAL_TEST(fragments_of_several_datagrams_are_kept_apart),
               PEAL_TEST(duplicates_and_overlaps_that_agree_change_nothing),
               PEAL_TEST(overlaps_that_differ_are_counted_and_the_first_stays),
               PEAL_TEST(a_second_end_is_an_overlap),
               PEAL_TEST(what_never_comes_is_given_up_as_far_as_it_goes),
               PEAL_TEST(a_fragment_that_is_cut_cuts_the_datagram),
               PEAL_TEST(fragments_without_end_are_bounded),
               PEAL_TEST(the_largest_datagram_comes_of_the_smallest_fragments),
               PEAL_TEST(fragments_of_odd_lengths_or_beyond_the_end_are_refused),
               PEAL_TEST(a_fragment_that_is_alone_is_whole),
               PEAL_TEST(fragments_of_tunnels_come_together_too))
