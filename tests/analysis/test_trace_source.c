/*
 * test_trace_source.c - capture files: whole, cut anywhere, damaged, none at all; what is let
 * through of them.
 */
#include "analysis/capture.h"
#include "analysis/taken.h"

#include <peal_test.h>
#include <unistd.h>
#include <zlib.h>

enum { PACKETS = 10, DATA_LEN = 50, START_S = 1700000000 };

static int64_t second(int64_t s)
{
    return (START_S + s) * PEAL_NS_PER_S;
}

/* A datagram a second, of 50 bytes and one more each, from port 5060 and 5061 in turn. */
static void write_some(const TakenPlace *place, const CaptureForm *form)
{
    Capture *capture = capture_new(place->path, form);
    uint8_t data[DATA_LEN + PACKETS];
    GRand *rand = g_rand_new_with_seed(1); /* what gzip cannot make small */

    for (int i = 0; i < PACKETS; i++) {
        PealAddr one = capture_addr("192.0.2.1", (uint16_t)(5060 + i % 2));
        PealAddr other = capture_addr("192.0.2.2", 5062);

        for (size_t j = 0; j < sizeof(data); j++) {
            data[j] = (uint8_t)g_rand_int(rand);
        }
        capture_udp(capture, second(i), &one, &other, (PealBytes){data, (size_t)(DATA_LEN + i)});
    }
    g_rand_free(rand);
    capture_close(capture);
}

static TraceConfig all_of(const TakenPlace *place)
{
    return (TraceConfig){.path = place->path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
}

static size_t payload_bytes(const Taken *taken)
{
    size_t sum = 0;

    for (guint i = 0; i < taken->packets->len; i++) {
        sum += g_bytes_get_size(taken_at(taken, i)->data);
    }
    return sum;
}

static uint32_t word(const uint8_t *at, bool big_endian)
{
    return big_endian
               ? (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]
               : (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* Whether nobody can tell that there was more. */
static bool ends_between_records(const uint8_t *bytes, gsize cut, gsize len,
                                 const CaptureForm *form)
{
    gsize at = form->pcapng ? 28 + 32 : 24; /* the file's header */

    if (form->gzip) {
        return cut == len;
    }
    while (at < cut) {
        at += form->pcapng ? word(bytes + at + 4, form->big_endian)
                           : 16 + word(bytes + at + 8, form->big_endian);
    }
    return at == cut;
}

/* A file cut at any byte holds what its beginning holds, never less than when it was shorter, of
 * packets and of their bytes; damage is told wherever something is missing. */
static void check_every_cut(const CaptureForm *form, bool every_byte_of_data)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autofree char *bytes = NULL;
    gsize len;
    guint packets = 0;
    size_t payload = 0, last_payload = 0;
    g_auto(Taken) whole = {0};

    write_some(&place, form);
    whole = taken_read(place.path, NULL);
    CU_ASSERT_EQUAL(whole.packets->len, PACKETS);
    CU_ASSERT_STRING_EQUAL(whole.counts.damage, "");
    CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
    for (gsize cut = 0; cut <= len; cut++) {
        g_auto(Taken) taken = {0};

        taken_write(place.path, bytes, cut);
        taken = taken_read(place.path, NULL);
        CU_ASSERT(taken.packets->len >= packets);
        payload = payload_bytes(&taken);
        CU_ASSERT(payload >= last_payload);
        CU_ASSERT(!every_byte_of_data || payload <= last_payload + 1);
        last_payload = payload;
        packets = taken.packets->len;
        CU_ASSERT_EQUAL(taken.error == NULL && taken.counts.damage[0] == '\0',
                        ends_between_records((const uint8_t *)bytes, cut, len, form));
        for (guint i = 0; i < packets; i++) { /* what is there is what was written */
            gsize part = g_bytes_get_size(taken_at(&taken, i)->data);

            CU_ASSERT(part == 0 ||
                      memcmp(g_bytes_get_data(taken_at(&taken, i)->data, NULL),
                             g_bytes_get_data(taken_at(&whole, i)->data, NULL), part) == 0);
            CU_ASSERT_EQUAL(taken_at(&taken, i)->at_ns, second((int64_t)i));
            CU_ASSERT_EQUAL(taken_at(&taken, i)->cut, part < DATA_LEN + i);
        }
    }
    CU_ASSERT_EQUAL(packets, PACKETS);
    CU_ASSERT_EQUAL(payload, payload_bytes(&whole));
}

static void a_file_cut_at_any_byte_gives_all_that_is_before(void)
{
    for (int i = 0; i < 8; i++) {
        check_every_cut(&(CaptureForm){.pcapng = i & 1, .big_endian = i & 2, .microseconds = i & 4},
                        true);
    }
    check_every_cut(&(CaptureForm){.link = CAPTURE_RAW, .fragment = 24}, true);
}

/* Puts a block around bytes: its type, and its length at either end. */
static void put_block(GByteArray *file, uint32_t type, const uint8_t *body, guint len)
{
    uint32_t head[2] = {GUINT32_TO_LE(type), GUINT32_TO_LE(12 + (len + 3) / 4 * 4)};

    g_byte_array_append(file, (const guint8 *)head, sizeof(head));
    g_byte_array_append(file, body, len);
    g_byte_array_append(file, (const guint8 *)"\0\0\0", (4 - len % 4) % 4);
    g_byte_array_append(file, (const guint8 *)&head[1], sizeof(head[1]));
}

/* pcapng's blocks that other programs write: simple packets, packets as they were before there were
 * enhanced ones, and what holds none; a second section at last. */
static GByteArray *file_of_blocks(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    GByteArray *file = g_byte_array_new();
    g_autofree char *bytes = NULL;
    gsize len, start = 28 + 32;
    uint8_t body[200] = {0};

    write_some(&place, &(CaptureForm){.pcapng = true});
    CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
    g_byte_array_append(file, (const guint8 *)bytes, (guint)start);
    for (guint i = 0; start < len; i++, start += word((const uint8_t *)bytes + start + 4, false)) {
        const uint8_t *block = (const uint8_t *)bytes + start;
        uint32_t data_len = word(block + 20, false);

        if (i % 3 == 0) {
            memcpy(body, block + 24, 4);
            memcpy(body + 4, block + 28, data_len);
            put_block(file, 3, body, 4 + data_len);
        } else if (i % 3 == 1) {
            memcpy(body, block + 8, 20 + data_len); /* interface 0, 0 drops: the same bytes */
            put_block(file, 2, body, 20 + data_len);
        } else {
            g_byte_array_append(file, block, word(block + 4, false));
        }
        put_block(file, 5, body, 12 + i); /* statistics */
    }
    g_byte_array_append(file, (const guint8 *)bytes, (guint)len);
    return file;
}

static void blocks_of_every_kind_are_used_as_far_as_they_go(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    GByteArray *file = file_of_blocks();
    size_t payload = 0;
    guint packets = 0;

    for (guint cut = 28 + 32; cut <= file->len; cut++) {
        g_auto(Taken) taken = {0};
        size_t now;

        taken_write(place.path, file->data, cut);
        taken = taken_read(place.path, NULL);
        now = payload_bytes(&taken);
        CU_ASSERT(now == payload || now == payload + 1);
        CU_ASSERT(taken.packets->len >= packets);
        payload = now;
        packets = taken.packets->len;
    }
    CU_ASSERT_EQUAL(packets, 2 * PACKETS);
    CU_ASSERT_EQUAL(payload, 2 * (PACKETS * DATA_LEN + PACKETS * (PACKETS - 1) / 2));
    g_byte_array_unref(file);
}

static void gzip_cut_at_any_byte_gives_all_that_is_before(void)
{
    check_every_cut(&(CaptureForm){.gzip = true}, false);
    check_every_cut(&(CaptureForm){.gzip = true, .pcapng = true}, false);
}

static void a_cut_file_says_where_it_ends(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autofree char *bytes = NULL;
    gsize len;

    write_some(&place, &(CaptureForm){0});
    CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
    {
        g_auto(Taken) taken = {0};

        taken_write(place.path, bytes, len - 9);
        taken = taken_read(place.path, NULL);
        CU_ASSERT_STRING_EQUAL(taken.counts.damage,
                               "the file ends within packet 10, of which 92 bytes of 101 are "
                               "there");
        CU_ASSERT_TRUE(taken.whole);
    }
    {
        g_auto(Taken) taken = {0};

        taken_write(place.path, bytes, 24 + 16 + 92 + 7);
        taken = taken_read(place.path, NULL);
        CU_ASSERT_STRING_EQUAL(taken.counts.damage,
                               "truncated dump file; tried to read 16 header bytes, only got 7, "
                               "at byte 139, after packet 1");
        CU_ASSERT_EQUAL(taken.packets->len, 1);
    }
}

static void garbage_in_the_middle_ends_the_reading(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autofree char *bytes = NULL;
    gsize len;
    g_auto(Taken) taken = {0};

    write_some(&place, &(CaptureForm){0});
    CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
    memset(bytes + 24 + 16 + 92 + 16 + 93, 0xff, 200);
    taken_write(place.path, bytes, len);
    taken = taken_read(place.path, NULL);
    CU_ASSERT_EQUAL(taken.packets->len, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(taken.counts.damage, "invalid packet capture length"));
    CU_ASSERT_PTR_NOT_NULL(strstr(taken.counts.damage, "after packet 2"));
    CU_ASSERT_TRUE(taken.whole);
}

static void gzip_that_is_damaged_gives_what_is_before(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autofree char *bytes = NULL;
    gsize len;
    unsigned told = 0;

    write_some(&place, &(CaptureForm){.gzip = true});
    CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
    for (gsize i = 10; i < len; i++) {
        g_auto(Taken) taken = {0};

        bytes[i] ^= 0x55;
        taken_write(place.path, bytes, len);
        taken = taken_read(place.path, NULL);
        bytes[i] ^= 0x55;
        told += taken.error != NULL || taken.counts.damage[0] != '\0';
    }
    CU_ASSERT_EQUAL(told, len - 10); /* by the checksum at the end, if by nothing before */
}

static void gzip_of_several_members_is_one_file(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autofree char *bytes = NULL;
    gsize len;
    g_auto(Taken) taken = {0};

    write_some(&place, &(CaptureForm){0});
    CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
    for (int i = 0; i < 3; i++) {
        gzFile zip = gzopen(place.path, i == 0 ? "wb" : "ab");
        gsize start = len * (gsize)i / 3, end = len * (gsize)(i + 1) / 3;

        CU_ASSERT_EQUAL(gzwrite(zip, bytes + start, (unsigned)(end - start)), (int)(end - start));
        CU_ASSERT_EQUAL(gzclose(zip), Z_OK);
    }
    taken = taken_read(place.path, NULL);
    CU_ASSERT_EQUAL(taken.packets->len, PACKETS);
    CU_ASSERT_STRING_EQUAL(taken.counts.damage, "");
}

/* What cannot be read at all is an error that says this. */
static void check_refused(const char *path, gint code, const char *words)
{
    g_auto(Taken) taken = taken_read(path, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(taken.error);
    CU_ASSERT_EQUAL(taken.error->domain, TRACE_ERROR);
    CU_ASSERT_EQUAL(taken.error->code, code);
    CU_ASSERT_PTR_NOT_NULL(strstr(taken.error->message, words));
    if (strstr(taken.error->message, words) == NULL) {
        printf("# %s\n", taken.error->message);
    }
}

static void what_is_no_capture_is_refused_in_plain_words(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    static const char text[] = "INVITE sip:bob@example.org SIP/2.0\r\n";
    static const char zipped[] = "\x1f\x8b no gzip all the same";
    uint8_t header[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, [18] = 4, [20] = 105};

    check_refused(place.path, TRACE_ERROR_OPEN, "No such file");
    check_refused(place.dir, TRACE_ERROR_OPEN, "is a directory");
    taken_write(place.path, "", 0);
    check_refused(place.path, TRACE_ERROR_OPEN, "is empty");
    taken_write(place.path, text, sizeof(text) - 1);
    check_refused(place.path, TRACE_ERROR_OPEN, "unknown file format");
    taken_write(place.path, "x", 1);
    check_refused(place.path, TRACE_ERROR_OPEN, "truncated dump file");
    taken_write(place.path, zipped, sizeof(zipped) - 1);
    check_refused(place.path, TRACE_ERROR_OPEN, "unknown compression method");
    taken_write(place.path, header, sizeof(header)); /* IEEE 802.11 */
    check_refused(place.path, TRACE_ERROR_OPEN, "link type 105 (IEEE802_11");
    check_refused(place.path, TRACE_ERROR_OPEN, "are EN10MB, LINUX_SLL");
}

/* What cannot be read further is an error of its own. */
static void a_file_that_cannot_be_read_is_told(void)
{
    if (access("/proc/self/mem", R_OK) != 0) {
        PEAL_SKIP("needs /proc/self/mem");
    }
    check_refused("/proc/self/mem", TRACE_ERROR_READ, "cannot read the capture");
}

/* A pcapng file with an interface of one link type, and then of another. */
static void mixed_link_types_are_refused_in_libpcap_s_words(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autofree char *bytes = NULL;
    gsize len;
    g_autofree char *mixed = NULL;

    write_some(&place, &(CaptureForm){.pcapng = true});
    CU_ASSERT_FATAL(g_file_get_contents(place.path, &bytes, &len, NULL));
    mixed = g_malloc(len + 32);
    memcpy(mixed, bytes, 28 + 32);
    memcpy(mixed + 28 + 32, bytes + 28, 32);
    mixed[28 + 32 + 8] = 101;
    memcpy(mixed + 28 + 64, bytes + 28 + 32, len - 28 - 32);
    taken_write(place.path, mixed, len + 32);
    check_refused(place.path, TRACE_ERROR_OPEN, "different from the type of the first interface");
}

static void the_filter_lets_through_what_it_says(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    TraceConfig config = all_of(&place);
    g_auto(Taken) taken = {0};

    write_some(&place, &(CaptureForm){0});
    config.filter = "udp src port 5061";
    taken = taken_read(place.path, &config);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, PACKETS / 2);
    CU_ASSERT_EQUAL(taken_at(&taken, 0)->at_ns, second(1));
    CU_ASSERT_EQUAL(taken.counts.packets, PACKETS / 2);
    CU_ASSERT_EQUAL(taken.counts.first_ns, second(1));
    CU_ASSERT_EQUAL(taken.counts.last_ns, second(9));
    CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_OUTSIDE], 0);
}

static void a_filter_that_is_none_is_refused_in_libpcap_s_words(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    TraceConfig config = all_of(&place);
    g_auto(Taken) taken = {0};

    write_some(&place, &(CaptureForm){0});
    config.filter = "udp prot 5060";
    taken = taken_read(place.path, &config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(taken.error);
    CU_ASSERT_EQUAL(taken.error->code, TRACE_ERROR_FILTER);
    CU_ASSERT_PTR_NOT_NULL(strstr(taken.error->message, "syntax error"));
    CU_ASSERT_PTR_NOT_NULL(strstr(taken.error->message, "udp prot 5060"));
}

static void times_let_through_what_is_between_them(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    TraceConfig config = all_of(&place);
    g_auto(Taken) taken = {0};

    write_some(&place, &(CaptureForm){0});
    config.from_ns = second(3);
    config.until_ns = second(7);
    taken = taken_read(place.path, &config);
    CU_ASSERT_EQUAL_FATAL(taken.packets->len, 4);
    CU_ASSERT_EQUAL(taken_at(&taken, 0)->at_ns, second(3));
    CU_ASSERT_EQUAL(taken_at(&taken, 3)->at_ns, second(6));
    CU_ASSERT_EQUAL(taken.counts.packets, 4);
    CU_ASSERT_EQUAL(taken.counts.skipped[TRACE_SKIP_OUTSIDE], 6);
}

static void standard_input_is_read(void)
{
    for (int gzip = 0; gzip < 2; gzip++) {
        g_auto(TakenPlace) place = taken_place_new();
        TraceConfig config = {.path = "-", .from_ns = INT64_MIN, .until_ns = INT64_MAX};
        g_auto(Taken) taken = {0};
        g_autofree char *command = g_strdup_printf("cat %s", place.path);
        FILE *pipe;
        int before = dup(STDIN_FILENO);

        write_some(&place, &(CaptureForm){.gzip = gzip});
        pipe = popen(command, "r"); /* bytes come when they like */
        CU_ASSERT_FATAL(pipe != NULL && dup2(fileno(pipe), STDIN_FILENO) == STDIN_FILENO);
        taken = taken_read(NULL, &config);
        (void)dup2(before, STDIN_FILENO);
        (void)close(before);
        CU_ASSERT_EQUAL(pclose(pipe), 0);
        CU_ASSERT_EQUAL(taken.packets->len, PACKETS);
        CU_ASSERT_STRING_EQUAL(taken.counts.damage, "");
    }
}

typedef struct Watch {
    unsigned calls;
    unsigned most; /* after which it says stop */
    uint64_t bytes;
    uint64_t total;
} Watch;

static bool watch(void *user, uint64_t bytes, uint64_t total)
{
    Watch *watched = user;

    CU_ASSERT(bytes >= watched->bytes && bytes <= total);
    watched->bytes = bytes;
    watched->total = total;
    return ++watched->calls < watched->most;
}

static void progress_is_told_and_may_end_the_reading(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    Capture *capture = capture_new(place.path, &(CaptureForm){0});
    PealAddr addr = capture_addr("192.0.2.1", 5060);
    TraceConfig config = all_of(&place);

    config.filter = "tcp"; /* of which there is nothing: it is told all the same */
    for (int i = 0; i < 40000; i++) {
        capture_udp(capture, second(i), &addr, &addr, (PealBytes){(const uint8_t *)"data", 4});
    }
    capture_close(capture);
    for (unsigned most = 3; most <= 1000; most += 997) {
        Watch watched = {.most = most};
        TraceSink sink = {.progress = watch, .user = &watched};
        TraceCounts counts = {0};
        Source *source = source_open(&config, &sink, &counts, NULL);
        PacketFrame frame;

        CU_ASSERT_PTR_NOT_NULL_FATAL(source);
        CU_ASSERT_FALSE(source_next(source, &frame));
        CU_ASSERT_TRUE(source_close(source, NULL));
        CU_ASSERT_EQUAL(counts.interrupted, most == 3);
        CU_ASSERT_EQUAL(watched.calls, most == 3 ? 3 : 9);
        CU_ASSERT_EQUAL(watched.total, 24 + 40000 * (16 + 60));
    }
}

PEAL_TEST_MAIN("analysis/trace/source", PEAL_TEST(a_file_cut_at_any_byte_gives_all_that_is_before),
               PEAL_TEST(blocks_of_every_kind_are_used_as_far_as_they_go),
               PEAL_TEST(gzip_cut_at_any_byte_gives_all_that_is_before),
               PEAL_TEST(a_cut_file_says_where_it_ends),
               PEAL_TEST(garbage_in_the_middle_ends_the_reading),
               PEAL_TEST(gzip_that_is_damaged_gives_what_is_before),
               PEAL_TEST(gzip_of_several_members_is_one_file),
               PEAL_TEST(what_is_no_capture_is_refused_in_plain_words),
               PEAL_TEST(a_file_that_cannot_be_read_is_told),
               PEAL_TEST(mixed_link_types_are_refused_in_libpcap_s_words),
               PEAL_TEST(the_filter_lets_through_what_it_says),
               PEAL_TEST(a_filter_that_is_none_is_refused_in_libpcap_s_words),
               PEAL_TEST(times_let_through_what_is_between_them), PEAL_TEST(standard_input_is_read),
               PEAL_TEST(progress_is_told_and_may_end_the_reading))
