/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_trace_cut.c - captures that end anywhere: a longer piece of a file holds every message that
 * a shorter one holds, whatever is late, lost, cut or gainsaid.
 */
#include "analysis/capture.h"

#include <analysis/trace.h>
#include <peal_test.h>
#include <scratch.h>
#include <sys/mman.h>
#include <unistd.h>

#define T0 (INT64_C(1700000000) * PEAL_NS_PER_S)

/* A file in memory, as it is read again and again. */
typedef struct Memory {
    int fd;
    char path[32];
} Memory;

static Memory memory_of(const void *bytes, size_t len)
{
    Memory memory = {.fd = memfd_create("cut", 0)};

    CU_ASSERT_FATAL(memory.fd >= 0);
    CU_ASSERT_EQUAL_FATAL(write(memory.fd, bytes, len), (ssize_t)len);
    (void)g_snprintf(memory.path, sizeof(memory.path), "/proc/self/fd/%d", memory.fd);
    return memory;
}

/* What a file holds: how often each start line passed from where to where. */

static void on_message(void *user, const TraceMessage *message)
{
    GHashTable *counts = user;
    const char *line = message->scan.bytes.ptr;
    const char *end = memchr(line, '\n', message->scan.bytes.len);
    char *key = g_strdup_printf("%.*s %u %u", (int)(end - line), line, message->from.port,
                                message->to.port);
    const guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, key));

    g_hash_table_insert(counts, key, GUINT_TO_POINTER(n + 1));
}

static GHashTable *read_lines(const char *path, TraceCounts *ret_counts)
{
    GHashTable *counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const TraceConfig config = {.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    const TraceSink sink = {.message = on_message, .user = counts};
    g_autoptr(GError) error = NULL;

    CU_ASSERT_EQUAL(trace_read(&config, &sink, ret_counts, &error), error == NULL);
    return counts;
}

/* How many of the messages of `less` are not in `more`. */
static unsigned missing(GHashTable *less, GHashTable *more)
{
    GHashTableIter iter;
    gpointer key, n;
    unsigned lost = 0;

    g_hash_table_iter_init(&iter, less);
    while (g_hash_table_iter_next(&iter, &key, &n)) {
        const guint there = GPOINTER_TO_UINT(g_hash_table_lookup(more, key));

        lost += GPOINTER_TO_UINT(n) > there ? GPOINTER_TO_UINT(n) - there : 0;
    }
    return lost;
}

/* Shorter and shorter: each piece holds nothing that a longer one does not. */
static void check_cuts(const char *name, const char *path)
{
    g_autofree char *bytes = NULL;
    gsize len;
    TraceCounts counts;
    GHashTable *longer;
    Memory memory;
    uint64_t messages;

    CU_ASSERT_TRUE_FATAL(g_file_get_contents(path, &bytes, &len, NULL));
    memory = memory_of(bytes, len);
    longer = read_lines(memory.path, &counts);
    messages = counts.messages;
    CU_ASSERT(messages > 0);
    while (len > 0) {
        GHashTable *shorter;
        unsigned lost;

        len--;
        CU_ASSERT_EQUAL_FATAL(ftruncate(memory.fd, (off_t)len), 0);
        shorter = read_lines(memory.path, &counts);
        lost = missing(shorter, longer);
        CU_ASSERT_EQUAL(lost, 0);
        CU_ASSERT(counts.messages <= messages);
        if (lost > 0) {
            printf("# %s: %zu bytes have %u messages that one more has not\n", name, len, lost);
        }
        messages = counts.messages;
        g_hash_table_destroy(longer);
        longer = shorter;
    }
    CU_ASSERT_EQUAL(messages, 0);
    g_hash_table_destroy(longer);
    close(memory.fd);
}

static void captures_cut_at_any_byte(void)
{
    static const char *const names[] = {"sip-tcp.pcap", "sip-two-users.pcap", "sip-rawip-ipip.pcap",
                                        "sip-snaplen96.pcap", "sip-junk-before-request.pcap"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = capture_shared(names[i]);

        if (path == NULL) {
            PEAL_SKIP("needs the captures of ../shared/data/pcap");
        }
        check_cuts(names[i], path);
    }
}

/* Made captures */

typedef struct Talk {
    Capture *capture;
    GRand *rand;
    int64_t now_ns;
} Talk;

static char *message(unsigned n)
{
    static const char *const starts[] = {"INVITE", "BYE", "MESSAGE", "REGISTER"};
    g_autofree char *body = g_strnfill(n % 3 == 0 ? 90 : 0, 'b');

    return g_strdup_printf("%s sip:n%u@h SIP/2.0\r\nCall-ID: %u\r\nl: %zu\r\n\r\n%s",
                           starts[n % G_N_ELEMENTS(starts)], n, n, strlen(body), body);
}

/* A segment of 192.0.2.1's, or the other side's word that it has all before `ack`. */
static void say(Talk *talk, uint16_t port, uint32_t seq, PealStr data)
{
    const CaptureSegment segment = {.at_ns = talk->now_ns,
                                    .from = capture_addr("192.0.2.1", port),
                                    .to = capture_addr("192.0.2.2", 5060),
                                    .seq = seq,
                                    .ack = 1,
                                    .flags = 16};

    capture_tcp(talk->capture, &segment, (PealBytes){(const uint8_t *)data.ptr, data.len});
}

static void hear(Talk *talk, uint16_t port, uint32_t ack)
{
    const CaptureSegment segment = {.at_ns = talk->now_ns,
                                    .from = capture_addr("192.0.2.2", 5060),
                                    .to = capture_addr("192.0.2.1", port),
                                    .seq = 1,
                                    .ack = ack,
                                    .flags = 16};

    capture_tcp(talk->capture, &segment, (PealBytes){NULL, 0});
}

/* Segments in disorder, twice, lost for good; acknowledged or not; some wait for others long. */
static void write_stream(Talk *talk, uint16_t port)
{
    g_autoptr(GString) all = g_string_new(NULL);

    for (unsigned i = 0; i < 14; i++) {
        g_autofree char *text = message(i);

        g_string_append(all, text);
    }
    for (size_t at = 0; at < all->len;) {
        const size_t len = MIN((size_t)g_rand_int_range(talk->rand, 1, 160), all->len - at);
        const size_t second =
            MIN((size_t)g_rand_int_range(talk->rand, 1, 160), all->len - at - len);
        const int fate = g_rand_int_range(talk->rand, 0, 6);

        talk->now_ns += (g_rand_int_range(talk->rand, 0, 4) == 0 ? 2000 : 10) * PEAL_NS_PER_MS;
        if (second > 0) {
            say(talk, port, 1000 + (uint32_t)(at + len), (PealStr){all->str + at + len, second});
        }
        if (fate != 0) {
            say(talk, port, 1000 + (uint32_t)at, (PealStr){all->str + at, len});
        }
        if (fate == 1) {
            say(talk, port, 1000 + (uint32_t)(at - MIN(at, 40)),
                (PealStr){all->str + at - MIN(at, 40), MIN(at, 40) + len});
        }
        at += len + second;
        if (fate < 4) {
            hear(talk, port, 1000 + (uint32_t)at);
        }
    }
}

static void write_datagrams(Talk *talk, unsigned n)
{
    const PealAddr from = capture_addr("192.0.2.3", 5060);
    const PealAddr to = capture_addr("192.0.2.4", 5062);

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *text = message(i);

        talk->now_ns += PEAL_NS_PER_MS;
        capture_udp(talk->capture, talk->now_ns, &from, &to,
                    (PealBytes){(const uint8_t *)text, strlen(text)});
    }
}

/* Fragments of datagrams in disorder: some twice, some with other content, some never. */
static void write_fragments(Talk *talk, unsigned n)
{
    enum { PIECE = 40 };
    const PealAddr from = capture_addr("192.0.2.5", 5060);
    const PealAddr to = capture_addr("192.0.2.6", 5062);
    uint8_t datagram[512];
    uint8_t packet[512] = {0};

    for (unsigned i = 0; i < n; i++) {
        g_autofree char *text = message(i);
        const size_t len =
            capture_build_udp(&from, &to, (PealBytes){(const uint8_t *)text, strlen(text)},
                              datagram);
        const size_t pieces = (len + PIECE - 1) / PIECE;

        for (size_t turn = 0; turn < pieces + 2; turn++) {
            const size_t at = PIECE * (size_t)g_rand_int_range(talk->rand, 0, (gint32)pieces);
            const size_t piece_len = MIN(PIECE, len - at);
            size_t packet_len;
            const CaptureIp ip = {.from = from,
                                  .to = to,
                                  .protocol = 17,
                                  .id = 1 + i / 2,
                                  .fragment = (uint32_t)at | (at + piece_len < len)};

            datagram[at] ^= g_rand_int_range(talk->rand, 0, 9) == 0;
            talk->now_ns += (turn % 8 == 7 ? 40000 : 1) * PEAL_NS_PER_MS;
            packet_len = capture_build_ip(&ip, (PealBytes){datagram + at, piece_len}, packet);
            capture_ip(talk->capture, talk->now_ns, (PealBytes){packet, packet_len});
        }
    }
}

/* Writes a capture of all sorts into `path`. */
static void write_capture(const char *path, const CaptureForm *form, guint32 seed)
{
    Talk talk = {capture_new(path, form), g_rand_new_with_seed(seed), T0};

    write_stream(&talk, 40000);
    write_datagrams(&talk, 3);
    write_fragments(&talk, form->link == CAPTURE_ETHERNET && !form->ipv6 ? 4 : 0);
    write_stream(&talk, 40001);
    capture_close(talk.capture);
    g_rand_free(talk.rand);
}

static const CaptureForm forms[] = {
    {0},
    {.pcapng = true, .big_endian = true},
    {.fragment = 56},
    {.link = CAPTURE_SLL2, .ipv6 = true, .extensions = true, .microseconds = true},
    {.tunnel = CAPTURE_GRE_OPTIONS, .fragment = 96, .pcapng = true},
    {.snaplen = 150, .tags = {0x8100, 0}},
    {.gzip = true, .big_endian = true},
};

static void made_captures_cut_at_any_byte(void)
{
    g_autofree char *dir = g_dir_make_tmp("peal-cut-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "made", NULL);

    for (guint32 i = 0; i < G_N_ELEMENTS(forms) * 2; i++) {
        g_autofree char *name = g_strdup_printf("form %u", i);

        write_capture(path, &forms[i % G_N_ELEMENTS(forms)], i);
        check_cuts(name, path);
    }
    remove_tree(dir);
}

PEAL_TEST_MAIN("analysis/trace/cut", PEAL_TEST(captures_cut_at_any_byte),
               PEAL_TEST(made_captures_cut_at_any_byte))
