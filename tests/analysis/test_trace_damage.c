/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_trace_damage.c - captures that are cut, spoilt or something else: what can be read is, and
 * what is not has its count.
 */
#include "analysis/taken.h"

#include <glib.h>
#include <peal_test.h>

/* Captures of the fuzzer's corpus, by their file names. */
static const char *const captures[] = {
    "link_ethernet",      "fragments6", "pcapng",  "gzip",          "tcp_one",
    "tcp_swapped",        "tcp_middle", "tcp_gap", "tcp_fragments", "tcp_gzip",
    "tunnel_gre_options",
};

enum { SPOILINGS = 60, GARBAGES = 200, GARBAGE_MAX = 600 };

static GBytes *bytes_of(const char *name)
{
    g_autofree char *path =
        g_build_filename(g_getenv("PEAL_SOURCE_ROOT"), "tests/fuzz/corpus/trace", name, NULL);
    char *bytes = NULL;
    gsize len = 0;

    CU_ASSERT_FATAL(g_file_get_contents(path, &bytes, &len, NULL));
    return g_bytes_new_take(bytes, len);
}

typedef struct Told {
    uint64_t messages;
    uint64_t skipped;
    bool read;
    bool damaged;
} Told;

static Told read_bytes(const TakenPlace *place, const void *bytes, size_t len)
{
    const TraceConfig config = {.path = place->path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    const TraceSink sink = {0};
    g_autoptr(GError) error = NULL;
    TraceCounts counts;
    Told told = {0};

    taken_write(place->path, bytes, len);
    told.read = trace_read(&config, &sink, &counts, &error);
    CU_ASSERT_EQUAL(told.read, error == NULL);
    CU_ASSERT(told.read || error->message[0] != '\0');
    told.messages = counts.messages;
    told.damaged = counts.damage[0] != '\0';
    for (int i = 0; i < TRACE_SKIP_COUNT; i++) {
        told.skipped += counts.skipped[i];
    }
    return told;
}

static void messages_never_fall_as_a_file_grows(void)
{
    g_auto(TakenPlace) place = taken_place_new();

    for (size_t i = 0; i < G_N_ELEMENTS(captures); i++) {
        g_autoptr(GBytes) bytes = bytes_of(captures[i]);
        const size_t len = g_bytes_get_size(bytes);
        uint64_t messages = 0;

        for (size_t cut = 0; cut <= len; cut++) {
            const Told told = read_bytes(&place, g_bytes_get_data(bytes, NULL), cut);

            if (told.messages < messages) {
                printf("# %s: fewer messages with %zu bytes\n", captures[i], cut);
            }
            CU_ASSERT(told.messages >= messages);
            messages = told.messages;
        }
        CU_ASSERT_EQUAL(messages, strcmp(captures[i], "tcp_gap") == 0 ? 3 : 4);
    }
}

/* Some bits are others. Datagrams are judged one by one, so a message that is lost has its count;
 * of a pcapng nothing can be said so: a block of another type is no packet. */
static void spoilt_bytes_cost_what_they_touch(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (size_t i = 0; i < G_N_ELEMENTS(captures); i++) {
        g_autoptr(GBytes) bytes = bytes_of(captures[i]);
        const gsize len = g_bytes_get_size(bytes);
        const Told whole = read_bytes(&place, g_bytes_get_data(bytes, NULL), len);
        const bool counted =
            strstr(captures[i], "tcp") == NULL && strcmp(captures[i], "pcapng") != 0;

        for (int j = 0; j < SPOILINGS; j++) {
            g_autofree uint8_t *spoilt = g_memdup2(g_bytes_get_data(bytes, NULL), len);
            Told told;

            for (int k = 0; k <= j % 4; k++) {
                spoilt[g_rand_int_range(rand, 0, (gint32)len)] ^=
                    (uint8_t)(1 << g_rand_int_range(rand, 0, 8));
            }
            told = read_bytes(&place, spoilt, len);
            CU_ASSERT(!counted || !told.read || told.messages >= whole.messages || told.damaged ||
                      told.skipped > whole.skipped);
        }
    }
}

static void garbage_is_refused_or_read_as_far_as_it_goes(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autoptr(GRand) rand = g_rand_new_with_seed(2);
    g_autoptr(GBytes) bytes = bytes_of("link_ethernet");
    uint8_t garbage[GARBAGE_MAX];

    for (int i = 0; i < GARBAGES; i++) {
        const size_t kept = (size_t)(i % 3) * 12; /* of a file's header: none, half, all */
        const size_t len = (size_t)g_rand_int_range(rand, 24, GARBAGE_MAX);
        Told told;

        for (size_t j = 0; j < len; j++) {
            garbage[j] = (uint8_t)g_rand_int(rand);
        }
        memcpy(garbage, g_bytes_get_data(bytes, NULL), kept);
        told = read_bytes(&place, garbage, len);
        CU_ASSERT(!told.read || told.damaged || told.skipped > 0);
        CU_ASSERT_EQUAL(told.messages, 0);
    }
}

/* libpcap would drop the packet; a file that ended before the lie would have it. */
static void a_block_with_two_lengths_is_used_and_counted(void)
{
    g_auto(TakenPlace) place = taken_place_new();
    g_autoptr(GBytes) bytes = bytes_of("pcapng");
    const gsize len = g_bytes_get_size(bytes);
    g_autofree uint8_t *spoilt = g_memdup2(g_bytes_get_data(bytes, NULL), len);
    Told told;

    spoilt[len - 3] ^= 1; /* of the last block's length, behind it */
    told = read_bytes(&place, spoilt, len);
    CU_ASSERT_TRUE(told.read);
    CU_ASSERT_FALSE(told.damaged);
    CU_ASSERT_EQUAL(told.messages, 4);
    CU_ASSERT_EQUAL(told.skipped, 2); /* and the datagram of media */
}

PEAL_TEST_MAIN("analysis/trace_damage", PEAL_TEST(messages_never_fall_as_a_file_grows),
               PEAL_TEST(spoilt_bytes_cost_what_they_touch),
               PEAL_TEST(garbage_is_refused_or_read_as_far_as_it_goes),
               PEAL_TEST(a_block_with_two_lengths_is_used_and_counted))
