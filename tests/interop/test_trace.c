/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_trace.c - tshark as judge of what is read out of captures: messages by method and by status,
 * in every capture that is there and in made ones.
 */
#include "analysis/capture.h"

#include <analysis/trace.h>
#include <peal_test.h>
#include <scratch.h>
#include <stdio.h>

#define T0 (INT64_C(1700000000) * PEAL_NS_PER_S)

enum { TSHARK_LINE_MAX = 1 << 16, PIECE_MAX = 700 };

/* Counts */

static void count(GHashTable *counts, const char *what)
{
    guint n = GPOINTER_TO_UINT(g_hash_table_lookup(counts, what));

    g_hash_table_insert(counts, g_strdup(what), GUINT_TO_POINTER(n + 1));
}

static void on_message(void *user, const TraceMessage *message)
{
    const PealSipScan *scan = &message->scan;
    g_autofree char *what = scan->status != 0 ? g_strdup_printf("%u", scan->status)
                                              : g_strndup(scan->method.ptr, scan->method.len);

    count(user, what);
}

/* "ACK 7, INVITE 11, 200 3" and so on: all that was counted, in one order. */
static char *told(GHashTable *counts)
{
    GString *text = g_string_new(NULL);
    GList *names = g_list_sort(g_hash_table_get_keys(counts), (GCompareFunc)strcmp);

    for (GList *name = names; name != NULL; name = name->next) {
        g_string_append_printf(text, "%s %u, ", (const char *)name->data,
                               GPOINTER_TO_UINT(g_hash_table_lookup(counts, name->data)));
    }
    g_list_free(names);
    return g_string_free(text, FALSE);
}

static char *counted_by_us(const char *path, uint64_t *ret_messages)
{
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const TraceConfig config = {.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    const TraceSink sink = {.message = on_message, .user = counts};
    TraceCounts trace;

    CU_ASSERT_TRUE(trace_read(&config, &sink, &trace, NULL));
    *ret_messages = trace.messages;
    return told(counts);
}

/* A frame may hold several messages: their values stand with commas between them. */
static char *counted_by_tshark(const char *path)
{
    g_autoptr(GHashTable) counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *command =
        g_strdup_printf("tshark -n -o tcp.reassemble_out_of_order:TRUE -r %s -Y sip -T fields "
                        "-E occurrence=a -E aggregator=, -e sip.Method -e sip.Status-Code "
                        "2>/dev/null",
                        quoted);
    g_autofree char *line = g_malloc(TSHARK_LINE_MAX);
    FILE *out = popen(command, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    while (fgets(line, TSHARK_LINE_MAX, out) != NULL) {
        g_auto(GStrv) values = g_strsplit_set(line, ",\t\n", -1);

        for (char **value = values; *value != NULL; value++) {
            if (**value != '\0') {
                count(counts, *value);
            }
        }
    }
    CU_ASSERT_EQUAL(pclose(out), 0);
    return told(counts);
}

static bool have_tshark(void)
{
    g_autofree char *path = g_find_program_in_path("tshark");

    return path != NULL;
}

/* messages: how many there are at least, so that nothing passes by being empty. */
static void check_capture(const char *what, const char *path, unsigned messages)
{
    uint64_t n;
    g_autofree char *ours = counted_by_us(path, &n);
    g_autofree char *theirs = counted_by_tshark(path);

    CU_ASSERT(n >= messages);
    CU_ASSERT_STRING_EQUAL(ours, theirs);
    if (strcmp(ours, theirs) != 0 || n < messages) {
        printf("# %s: here      %.300s\n# %s: in tshark %.600s\n", what, ours, what, theirs);
    }
}

static void every_capture_that_is_there_counts_as_in_tshark(void)
{
    g_autofree char *directory = capture_shared("");
    GDir *dir = directory != NULL ? g_dir_open(directory, 0, NULL) : NULL;
    const char *name;
    unsigned captures = 0;

    if (dir == NULL) {
        PEAL_SKIP("needs the captures of ../shared/data/pcap");
    }
    if (!have_tshark()) {
        g_dir_close(dir);
        PEAL_SKIP("needs tshark");
    }
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);

        check_capture(name, path, 1);
        captures++;
    }
    g_dir_close(dir);
    CU_ASSERT(captures > 0);
}

/* Made captures */

typedef struct Made {
    Capture *capture;
    GRand *rand;
    char *path;
    char *dir;
    int64_t now_ns;
} Made;

static Made make(const CaptureForm *form, guint32 seed)
{
    Made made = {.rand = g_rand_new_with_seed(seed), .now_ns = T0};

    made.dir = g_dir_make_tmp("peal-tshark-XXXXXX", NULL);
    made.path = g_build_filename(made.dir, "made.pcap", NULL);
    made.capture = capture_new(made.path, form);
    return made;
}

static void judge(Made *made, const char *what, unsigned messages)
{
    capture_close(made->capture);
    check_capture(what, made->path, messages);
    remove_tree(made->dir);
    g_free(made->dir);
    g_free(made->path);
    g_rand_free(made->rand);
}

static size_t pick(Made *made, size_t from, size_t to)
{
    return (size_t)g_rand_int_range(made->rand, (gint32)from, (gint32)to + 1);
}

/* Message `n` of a kind, with a body of some bytes. */
static char *message(unsigned n, size_t body_len)
{
    static const char *const starts[] = {"INVITE sip:bob@example.org SIP/2.0",
                                         "SIP/2.0 180 Ringing",
                                         "SIP/2.0 200 OK",
                                         "ACK sip:bob@192.0.2.2 SIP/2.0",
                                         "MESSAGE sip:bob@example.org SIP/2.0",
                                         "SIP/2.0 486 Busy Here",
                                         "BYE sip:bob@192.0.2.2 SIP/2.0",
                                         "OPTIONS sip:example.org SIP/2.0"};
    g_autofree char *body = g_strnfill(body_len, 'b');

    return g_strdup_printf("%s\r\n"
                           "Via: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bK%u\r\n"
                           "From: <sip:alice@example.org>;tag=a%u\r\n"
                           "To: <sip:bob@example.org>\r\nCall-ID: %u@192.0.2.1\r\n"
                           "CSeq: %u INVITE\r\nMax-Forwards: 70\r\nContent-Type: text/plain\r\n"
                           "Content-Length: %zu\r\n\r\n%s",
                           starts[n % G_N_ELEMENTS(starts)], n, n, n, n + 1, body_len, body);
}

/* Messages one behind the other. */
static GString *stream(Made *made, unsigned messages)
{
    GString *all = g_string_new(NULL);

    for (unsigned i = 0; i < messages; i++) {
        g_autofree char *text = message(i, pick(made, 0, 3) == 0 ? pick(made, 1, 3000) : 0);

        g_string_append(all, text);
    }
    return all;
}

typedef struct Talk {
    CaptureSegment segment; /* of the talker: addresses; seq of the stream's first byte */
    const GString *stream;
} Talk;

static Talk talk(const GString *stream, uint16_t port, uint32_t seq)
{
    return (Talk){{.from = capture_addr("192.0.2.1", port),
                   .to = capture_addr("192.0.2.2", 5060),
                   .seq = seq,
                   .ack = 5000,
                   .flags = 16},
                  stream};
}

static void say(Made *made, const Talk *talk, size_t from, size_t to)
{
    CaptureSegment segment = talk->segment;

    made->now_ns += PEAL_NS_PER_MS;
    segment.at_ns = made->now_ns;
    segment.seq += (uint32_t)from;
    segment.flags |= 8;
    capture_tcp(made->capture, &segment,
                (PealBytes){(const uint8_t *)talk->stream->str + from, to - from});
}

static void say_flags(Made *made, const Talk *talk, size_t at, uint8_t flags)
{
    CaptureSegment segment = talk->segment;

    made->now_ns += PEAL_NS_PER_MS;
    segment.at_ns = made->now_ns;
    segment.seq += (uint32_t)at;
    segment.flags = flags;
    capture_tcp(made->capture, &segment, (PealBytes){NULL, 0});
}

/* The other side has all up to byte `at`. */
static void hear(Made *made, const Talk *talk, size_t at)
{
    CaptureSegment segment = {.from = talk->segment.to,
                              .to = talk->segment.from,
                              .seq = talk->segment.ack,
                              .ack = talk->segment.seq + (uint32_t)at,
                              .flags = 16};

    made->now_ns += PEAL_NS_PER_MS;
    segment.at_ns = made->now_ns;
    capture_tcp(made->capture, &segment, (PealBytes){NULL, 0});
}

static void open_talk(Made *made, const Talk *talk)
{
    CaptureSegment answer = {.from = talk->segment.to,
                             .to = talk->segment.from,
                             .seq = talk->segment.ack - 1,
                             .ack = talk->segment.seq,
                             .flags = 2 | 16};

    say_flags(made, talk, (size_t)-1, 2);
    made->now_ns += PEAL_NS_PER_MS;
    answer.at_ns = made->now_ns;
    capture_tcp(made->capture, &answer, (PealBytes){NULL, 0});
    say_flags(made, talk, 0, 16);
}

typedef struct Piece {
    size_t from;
    size_t to;
} Piece;

/* Cuts the stream into segments; some of them go again, wider than before. */
static GArray *pieces_of(Made *made, size_t len, bool again)
{
    GArray *pieces = g_array_new(FALSE, FALSE, sizeof(Piece));

    for (size_t at = 0; at < len;) {
        const Piece piece = {at, MIN(at + pick(made, 1, PIECE_MAX), len)};
        const Piece wider = {at - MIN(at, 50), piece.to};

        g_array_append_val(pieces, piece);
        if (again && pick(made, 0, 5) == 0) {
            g_array_append_val(pieces, wider);
        }
        at = piece.to;
    }
    return pieces;
}

/* Moves each segment by up to `reach` places. */
static void shuffle(Made *made, GArray *pieces, size_t reach)
{
    for (size_t i = 0; i + 1 < pieces->len; i++) {
        Piece *one = &g_array_index(pieces, Piece, i);
        Piece *other =
            &g_array_index(pieces, Piece, i + MIN(pick(made, 0, reach), pieces->len - 1 - i));
        const Piece swapped = *one;

        *one = *other;
        *other = swapped;
    }
}

static void say_pieces(Made *made, const Talk *talk, const GArray *pieces)
{
    for (guint i = 0; i < pieces->len; i++) {
        const Piece *piece = &g_array_index(pieces, Piece, i);

        say(made, talk, piece->from, piece->to);
    }
}

static void segments_of_any_size_in_any_order(void)
{
    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    for (guint32 seed = 1; seed <= 6; seed++) {
        const CaptureForm form = {.ipv6 = seed & 1};
        Made made = make(&form, seed);
        g_autoptr(GString) all = stream(&made, 60);
        g_autoptr(GArray) pieces = pieces_of(&made, all->len, seed > 2);
        const Talk one = talk(all, 40000, seed == 6 ? (uint32_t)-3000 : 1000);

        shuffle(&made, pieces, seed > 1 ? 4 : 0);
        open_talk(&made, &one);
        say_pieces(&made, &one, pieces);
        hear(&made, &one, all->len);
        judge(&made, "segments", 60);
    }
}

static void several_messages_of_one_segment(void)
{
    Made made;
    g_autoptr(GString) all = NULL;
    Talk one;

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    made = make(&(CaptureForm){0}, 7);
    all = stream(&made, 20);
    one = talk(all, 40000, 77);
    open_talk(&made, &one);
    say(&made, &one, 0, all->len / 2);
    say(&made, &one, all->len / 2, all->len);
    judge(&made, "several", 20);
}

/* Keep-alives (RFC 5626 s.3.5.1, RFC 9293 s.3.8.4) have segments of their own: behind one within a
 * segment, tshark looks no further. */
static void keepalives_between_messages(void)
{
    g_autoptr(GString) all = g_string_new(NULL);
    const Talk one = talk(all, 40000, 1);
    Made made;

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    made = make(&(CaptureForm){0}, 8);
    open_talk(&made, &one);
    for (unsigned i = 0; i < 20; i++) {
        g_autofree char *text = message(i, i % 3 == 0 ? 40 : 0);
        const size_t from = all->len;
        const size_t behind = from + strlen(text);

        g_string_append_printf(all, "%s\r\n\r\n", text);
        say(&made, &one, from, behind);
        say(&made, &one, behind, all->len);
        say_flags(&made, &one, all->len - 1, 16);
        hear(&made, &one, all->len);
    }
    judge(&made, "keep-alives", 20);
}

/* Nobody saw how the connection began. */
static void streams_picked_up_in_the_middle(void)
{
    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    for (guint32 seed = 1; seed <= 3; seed++) {
        Made made = make(&(CaptureForm){0}, seed);
        g_autoptr(GString) all = stream(&made, 30);
        const Talk one = talk(all, 40000, 4000000000);
        size_t at;

        g_string_prepend(all, "-Forwards: 70\r\nContent-Length: 0\r\n\r\n");
        at = (size_t)(strstr(all->str, "INVITE sip") - all->str);
        say(&made, &one, 0, at);
        while (at < all->len) {
            const size_t to = MIN(at + pick(&made, 1, PIECE_MAX), all->len);

            say(&made, &one, at, to);
            at = to;
        }
        judge(&made, "middle", 30);
    }
}

/* Behind a gap that is not filled, nothing is told at once: it may still come. */
static void segments_that_are_lost_or_late(void)
{
    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    for (unsigned late = 0; late < 2; late++) {
        Made made = make(&(CaptureForm){0}, 9);
        g_autoptr(GString) all = stream(&made, 20);
        const Talk one = talk(all, 40000, 1000);
        const size_t third = all->len / 3;

        open_talk(&made, &one);
        say(&made, &one, 0, third);
        say(&made, &one, third + 100, 2 * third);
        say(&made, &one, 2 * third, all->len);
        hear(&made, &one, late ? third : all->len);
        say_flags(&made, &one, all->len, 1 | 16);
        if (late) {
            say(&made, &one, third, third + 100);
        }
        judge(&made, late ? "late" : "lost", late ? 20 : 4);
    }
}

/* With and without a goodbye of the first connection. */
static void ports_that_are_used_again(void)
{
    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    for (unsigned goodbye = 0; goodbye < 3; goodbye++) {
        static const uint8_t flags[] = {0, 1 | 16, 4 | 16};
        Made made = make(&(CaptureForm){0}, 10);
        g_autoptr(GString) all = stream(&made, 20);
        const Talk one = talk(all, 40000, 1000);
        const Talk other = talk(all, 40000, 2000000000);

        open_talk(&made, &one);
        say(&made, &one, 0, all->len - 10);
        if (flags[goodbye] != 0) {
            say(&made, &one, all->len - 10, all->len);
            say_flags(&made, &one, all->len, flags[goodbye]);
        }
        open_talk(&made, &other);
        say(&made, &other, 0, all->len / 2);
        say(&made, &other, all->len / 2, all->len);
        judge(&made, "used again", 39);
    }
}

/* Both directions, and other ports than 5060: more connections at once. */
static void connections_side_by_side(void)
{
    enum { TALKS = 12 };
    GString *streams[TALKS];
    Talk talks[TALKS];
    Made made;

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    made = make(&(CaptureForm){.pcapng = true}, 11);
    for (unsigned i = 0; i < TALKS; i++) {
        streams[i] = stream(&made, 10);
        talks[i] = talk(streams[i], (uint16_t)(40000 + i / 2), 1000 * i);
        if (i % 2 == 1) {
            const PealAddr from = talks[i].segment.from;

            talks[i].segment.from = talks[i].segment.to;
            talks[i].segment.to = from;
        }
        talks[i].segment.ack = talks[i].segment.seq + (i % 2 == 0 ? 1000 : (uint32_t)-1000);
    }
    for (unsigned step = 0; step < 40; step++) {
        for (unsigned i = 0; i < TALKS; i++) {
            const size_t len = streams[i]->len;

            say(&made, &talks[i], len * step / 40, len * (step + 1) / 40);
        }
    }
    for (unsigned i = 0; i < TALKS; i++) {
        g_string_free(streams[i], TRUE);
    }
    judge(&made, "side by side", TALKS * 10);
}

/* UDP: what a datagram has behind its message is passed over, as is one that begins otherwise. */
static void say_datagram(Made *made, uint16_t port, const char *text)
{
    const PealAddr from = capture_addr("192.0.2.1", port);
    const PealAddr to = capture_addr("192.0.2.2", port);

    made->now_ns += PEAL_NS_PER_MS;
    capture_udp(made->capture, made->now_ns, &from, &to,
                (PealBytes){(const uint8_t *)text, strlen(text)});
}

static void say_datagrams(Made *made)
{
    g_autofree char *invite = message(0, 20);
    g_autofree char *ringing = message(1, 0);
    g_autofree char *both = g_strconcat(invite, ringing, NULL);
    g_autofree char *behind_lines = g_strconcat("\r\n\r\n", invite, NULL);
    g_autofree char *behind_junk = g_strconcat("junk\r\n", invite, NULL);
    g_autofree char *fragment = g_strconcat(
        "NOTIFY sip:a@h SIP/2.0\r\nCSeq: 1 NOTIFY\r\nContent-Type: message/sipfrag\r\n\r\n",
        "SIP/2.0 100 Trying\r\n", NULL);
    const char *const texts[] = {invite,
                                 both,
                                 "\r\n\r\n",
                                 behind_lines,
                                 behind_junk,
                                 fragment,
                                 "FOO sip:a@h SIP/2.0\r\n\r\n",
                                 "SIP/2.0 606 Not Acceptable\r\n",
                                 "INVITE sip:a@h SIP/2.0\n\n",
                                 "INVITE a SIP/2.0\r\n\r\n",
                                 "INVITE sip:a@h SIP/3.0\r\n\r\n",
                                 "INVITE sip:a@",
                                 "SIP/2.0 42 Small\r\n",
                                 "GET / HTTP/1.1\r\n\r\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        say_datagram(made, 5060, texts[i]);
        say_datagram(made, 7000, texts[i]);
    }
}

static void datagrams_in_all_clothes(void)
{
    static const CaptureForm forms[] = {
        {0},
        {.tags = {0x8100, 0}},
        {.tags = {0x88a8, 0x8100, 0}, .ipv6 = true},
        {.fragment = 136, .extensions = true},
        {.fragment = 296, .ipv6 = true, .extensions = true},
        {.link = CAPTURE_SLL, .tunnel = CAPTURE_IN_IPV4},
        {.link = CAPTURE_SLL2, .tunnel = CAPTURE_GRE_OPTIONS, .big_endian = true},
        {.link = CAPTURE_RAW, .tunnel = CAPTURE_GRE_ETHERNET, .pcapng = true, .gzip = true},
        {.link = CAPTURE_NULL, .microseconds = true, .ipv6 = true},
        {.link = CAPTURE_PPP_HDLC, .tunnel = CAPTURE_IN_IPV6},
    };

    if (!have_tshark()) {
        PEAL_SKIP("needs tshark");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        Made made = make(&forms[i], 12);
        g_autofree char *what = g_strdup_printf("clothes %zu", i);
        g_autoptr(GString) all = stream(&made, 20);
        g_autoptr(GArray) pieces = pieces_of(&made, all->len, true);
        const Talk one = talk(all, 40000, 1000);

        say_datagrams(&made);
        shuffle(&made, pieces, 3);
        open_talk(&made, &one);
        say_pieces(&made, &one, pieces);
        judge(&made, what, 32);
    }
}

PEAL_TEST_MAIN("interop/trace", PEAL_TEST(every_capture_that_is_there_counts_as_in_tshark),
               PEAL_TEST(segments_of_any_size_in_any_order),
               PEAL_TEST(several_messages_of_one_segment), PEAL_TEST(keepalives_between_messages),
               PEAL_TEST(streams_picked_up_in_the_middle),
               PEAL_TEST(segments_that_are_lost_or_late), PEAL_TEST(ports_that_are_used_again),
               PEAL_TEST(connections_side_by_side), PEAL_TEST(datagrams_in_all_clothes))
