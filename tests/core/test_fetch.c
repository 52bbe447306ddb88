/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_fetch.c - Fetch, Stat and Find (RFC 6940 s.7.4.2 - s.7.4.4). */
#include "core/fake_peer.h"
#include "peal_test.h"

static const PealBytes KEY_A = {(const uint8_t *)"a", 1};
static const PealBytes KEY_B = {(const uint8_t *)"b", 1};
static const PealBytes NOTHING = {NULL, 0};

static bool is_synthetic(const ReloadStored *stored)
{
    return !stored->exists && stored->signature.identity == RELOAD_SIGNER_NONE &&
           stored->signature.hash == 0 && stored->signature.sign == 0 &&
           stored->signature.value.len == 0 && stored->value.len == 0;
}

static PealBytes range(Writer *w, uint32_t first, uint32_t last)
{
    const ReloadRange one = {first, last};

    put_ranges(w, &one, 1);
    return writer_view(w);
}

static FakePeer *with_array(const PealId *r, const uint32_t *indices, size_t len)
{
    FakePeer *fake = fake_new();

    for (size_t i = 0; i < len; i++) {
        CU_ASSERT_EQUAL(fake_store(fake, r, FAKE_ARRAY,
                                   (FakeValue){.time_ms = 1, .index = indices[i], .value = "x"}),
                        0);
    }
    return fake;
}

static void fetch_of_nothing_answers_generation_0(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadStored stored;
    uint64_t generation = 7;

    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_DICTIONARY), 0);
    CU_ASSERT_EQUAL(fake_values(fake, PEAL_MODEL_DICTIONARY, &stored, 1, &generation), 0);
    CU_ASSERT_EQUAL(generation, 0);
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_ARRAY), 0);
    CU_ASSERT_EQUAL(fake_values(fake, PEAL_MODEL_ARRAY, &stored, 1, &generation), 0);
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL_FATAL(fake_values(fake, PEAL_MODEL_SINGLE, &stored, 1, &generation), 1);
    CU_ASSERT(generation == 0 && is_synthetic(&stored));
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void fetch_with_the_current_generation_brings_no_values(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadStored stored;
    uint64_t generation;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}), 0);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_SINGLE, 1, NOTHING), 0);
    CU_ASSERT_EQUAL(fake_values(fake, PEAL_MODEL_SINGLE, &stored, 1, &generation), 0);
    CU_ASSERT_EQUAL(generation, 1);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_SINGLE, 2, NOTHING), 0);
    CU_ASSERT_EQUAL(fake_values(fake, PEAL_MODEL_SINGLE, &stored, 1, &generation), 1);
    fake_free(fake);
}

static void fetch_by_keys_fills_in_what_is_missing(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const PealBytes keys[] = {KEY_B, KEY_A};
    uint8_t selector[16];
    Writer w = writer_make(selector, sizeof(selector));
    ReloadStored stored[3];

    put_keys(&w, keys, 2);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = KEY_A, .value = "x"}),
                    0);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_DICTIONARY, 0, writer_view(&w)), 0);
    CU_ASSERT_EQUAL_FATAL(fake_values(fake, PEAL_MODEL_DICTIONARY, stored, 3, NULL), 2);
    CU_ASSERT(is_synthetic(&stored[0]) && stored[0].key.ptr[0] == 'b');
    CU_ASSERT(fake_value_is(&stored[1], "x"));
    fake_free(fake);
}

static void fetch_wildcard_brings_every_key_in_order(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    const PealBytes longer = {(const uint8_t *)"aa", 2};
    ReloadStored stored[4];

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = KEY_B, .value = "b"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = longer, .value = "aa"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = KEY_A, .value = "a"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .value = "empty key"}),
                    0);
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_DICTIONARY), 0);
    CU_ASSERT_EQUAL_FATAL(fake_values(fake, PEAL_MODEL_DICTIONARY, stored, 4, NULL), 4);
    CU_ASSERT(fake_value_is(&stored[0], "empty key"));
    CU_ASSERT(fake_value_is(&stored[1], "a"));
    CU_ASSERT(fake_value_is(&stored[2], "aa"));
    CU_ASSERT(fake_value_is(&stored[3], "b"));
    fake_free(fake);
}

static void fetch_ranges_fill_gaps_and_end_where_they_say(void)
{
    static const uint32_t indices[] = {2, 4};
    static const struct {
        uint32_t first;
        uint32_t last;
        size_t values;
        size_t exist;
    } cases[] = {
        {0, UINT32_MAX, 5, 2}, /* up to the final element */
        {3, UINT32_MAX, 2, 1}, {5, UINT32_MAX, 0, 0}, {0, 1, 2, 0},
        {2, 2, 1, 1},          {4, 6, 3, 1}, /* past the end, but named */
        {0, 0xfffffffe, 8, 2},               /* no such array has more than 8 */
        {8, 20, 0, 0},
    };
    const PealId r = fake_id(0x50);
    FakePeer *fake = with_array(&r, indices, 2);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t selector[16];
        Writer w = writer_make(selector, sizeof(selector));
        ReloadStored stored[9];
        size_t exist = 0;

        CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_ARRAY, 0,
                                   range(&w, cases[i].first, cases[i].last)),
                        0);
        CU_ASSERT_EQUAL_FATAL(fake_values(fake, PEAL_MODEL_ARRAY, stored, 9, NULL),
                              cases[i].values);
        for (size_t j = 0; j < cases[i].values; j++) {
            CU_ASSERT_EQUAL(stored[j].index, cases[i].first + j);
            CU_ASSERT(stored[j].exists || is_synthetic(&stored[j]));
            exist += stored[j].exists;
        }
        CU_ASSERT_EQUAL(exist, cases[i].exist);
    }
    fake_free(fake);
}

static void fetch_overlapping_or_reversed_ranges_are_invalid(void)
{
    static const ReloadRange overlap[] = {{0, 4}, {4, 5}};
    static const ReloadRange reversed[] = {{5, 4}};
    static const ReloadRange apart[] = {{4, 5}, {0, 3}};
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    uint8_t selector[64];
    Writer w = writer_make(selector, sizeof(selector));

    put_ranges(&w, overlap, 2);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_ARRAY, 0, writer_view(&w)),
                    RELOAD_ERROR_INVALID_MESSAGE);
    w.len = 0;
    put_ranges(&w, reversed, 1);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_ARRAY, 0, writer_view(&w)),
                    RELOAD_ERROR_INVALID_MESSAGE);
    w.len = 0;
    put_ranges(&w, apart, 2);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_ARRAY, 0, writer_view(&w)), 0);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_SINGLE, 0, writer_view(&w)),
                    RELOAD_ERROR_INVALID_MESSAGE);
    fake_free(fake);
}

static void fetch_of_unknown_kind_lists_it(void)
{
    static const uint8_t list[] = {4, 0xf0, 0, 0, 0x99};
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_FETCH_REQ, &r, FAKE_UNKNOWN, 0, NOTHING),
                    RELOAD_ERROR_UNKNOWN_KIND);
    CU_ASSERT_EQUAL_FATAL(fake->body.len, sizeof(list));
    CU_ASSERT_EQUAL(memcmp(fake->body.ptr, list, sizeof(list)), 0);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_STAT_REQ, &r, FAKE_UNKNOWN, 0, NOTHING),
                    RELOAD_ERROR_UNKNOWN_KIND);
    fake_free(fake);
}

static void fetch_answer_beyond_the_overlays_limit_is_refused(void)
{
    static char text[3001];
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    memset(text, 'x', 3000);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY,
                               (FakeValue){.time_ms = 1, .index = 0, .value = text}),
                    0);
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_ARRAY), 0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY,
                               (FakeValue){.time_ms = 1, .index = 1, .value = text}),
                    0);
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_ARRAY), RELOAD_ERROR_RESPONSE_TOO_LARGE);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_STAT_REQ, &r, FAKE_ARRAY, 0,
                               (PealBytes){(const uint8_t *)"\0\10\0\0\0\0\377\377\377\377", 10}),
                    0); /* its digests fit */
    fake_free(fake);
}

static void fetch_allocates_nothing(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    size_t most;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}), 0);
    fake_succeed_all(fake);
    fake->env.bytes_most = fake->env.bytes;
    most = fake->env.bytes_most;
    CU_ASSERT_EQUAL(fake_fetch_all(fake, &r, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL(fake->env.bytes_most, most);
    CU_ASSERT_EQUAL(fake->env.buffers, 0);
    fake_free(fake);
}

static void fetch_of_garbage_is_invalid(void)
{
    FakePeer *fake = fake_new();
    const PealId signer = fake_id(0x77);
    const PealId r = fake_id(0x50);
    uint8_t encoded[128];
    Writer w = writer_make(encoded, sizeof(encoded));

    storage_put_fetch_all(&w, &r, storage_kind(&fake->overlay, FAKE_ARRAY));
    for (size_t len = 0; len < w.len; len++) {
        fake_serve(fake, RELOAD_FETCH_REQ, (PealBytes){encoded, len}, &signer);
        CU_ASSERT_EQUAL(fake->error, RELOAD_ERROR_INVALID_MESSAGE);
        fake_serve(fake, RELOAD_FIND_REQ, (PealBytes){encoded, len}, &signer);
    }
    for (size_t bit = 0; bit < 8 * w.len; bit++) {
        encoded[bit / 8] ^= (uint8_t)(1u << bit % 8);
        fake_serve(fake, RELOAD_FETCH_REQ, writer_view(&w), &signer);
        fake_serve(fake, RELOAD_STAT_REQ, writer_view(&w), &signer);
        fake_serve(fake, RELOAD_FIND_REQ, writer_view(&w), &signer);
        encoded[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    fake_free(fake);
}

static void stat_digests_the_value_with_its_length(void)
{
    /* SHA-256 of 00 00 00 03 'a' 'b' 'c', by sha256sum */
    static const uint8_t expected[32] = {0xd0, 0x4b, 0x72, 0xa6, 0x50, 0xce, 0x0f, 0x8c,
                                         0xe4, 0x96, 0x33, 0x30, 0xa5, 0x3e, 0xe2, 0x83,
                                         0x27, 0x33, 0xd2, 0xba, 0xef, 0xff, 0xf3, 0xc1,
                                         0xd8, 0xe2, 0x56, 0xcc, 0xa0, 0x96, 0xd1, 0x20};
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadFetchAns answer;
    ReloadKindData data;
    ReloadStoredMeta meta;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 5, .value = "abc"}),
                    0);
    CU_ASSERT_EQUAL(fake_fetch(fake, RELOAD_STAT_REQ, &r, FAKE_SINGLE, 0, NOTHING), 0);
    CU_ASSERT_EQUAL(fake->code, RELOAD_STAT_ANS);
    CU_ASSERT_EQUAL_FATAL(reload_fetch_ans_decode(fake->body, &answer), 0);
    CU_ASSERT_TRUE_FATAL(reload_kind_data_next(&answer.kinds, &data));
    CU_ASSERT_EQUAL_FATAL(reload_stored_meta_check(data.values, PEAL_MODEL_SINGLE), 0);
    CU_ASSERT_TRUE_FATAL(reload_stored_meta_next(&data.values, PEAL_MODEL_SINGLE, &meta));
    CU_ASSERT_EQUAL(data.generation, 1);
    CU_ASSERT_EQUAL(meta.storage_time_ms, 5);
    CU_ASSERT_EQUAL(meta.lifetime_s, 3600);
    CU_ASSERT(meta.exists && meta.length == 3 && meta.hash == PEAL_HASH_SHA256);
    CU_ASSERT_EQUAL_FATAL(meta.digest.len, sizeof(expected));
    CU_ASSERT_EQUAL(memcmp(meta.digest.ptr, expected, sizeof(expected)), 0);
    fake_free(fake);
}

/* Find. */

static uint16_t find(FakePeer *fake, const PealId *resource, const uint32_t *kinds, size_t len)
{
    const PealId signer = fake_id(0x77);
    uint8_t list[64];
    uint8_t encoded[128];
    Writer elements = writer_make(list, sizeof(list));
    Writer w = writer_make(encoded, sizeof(encoded));
    ReloadFindReq request = {.resource = {resource->bytes, PEAL_ID_LEN}};

    for (size_t i = 0; i < len; i++) {
        put_u32(&elements, kinds[i]);
    }
    request.kinds = writer_view(&elements);
    put_find_req(&w, &request);
    fake_serve(fake, RELOAD_FIND_REQ, writer_view(&w), &signer);
    return fake->error;
}

/* First byte of the closest Resource-ID, -1 when it is 0 (none). */
static int closest(FakePeer *fake, const PealId *resource, uint32_t kind)
{
    ReloadFindAns answer;
    ReloadFindResult result;

    CU_ASSERT_EQUAL_FATAL(find(fake, resource, &kind, 1), 0);
    CU_ASSERT_EQUAL_FATAL(reload_find_ans_decode(fake->body, &answer), 0);
    CU_ASSERT_TRUE_FATAL(reload_find_result_next(&answer.results, &result));
    CU_ASSERT_EQUAL(result.kind, kind);
    return result.closest.len == 0 ? -1 : result.closest.ptr[0];
}

static void find_gives_the_nearest_clockwise_of_each_kind(void)
{
    static const uint8_t singles[] = {0x48, 0x60, 0x70};
    FakePeer *fake = fake_new();
    const PealId at = fake_id(0x60);
    const PealId after = peal_id_successor_point(&at);
    const PealId last = fake_id(0x75);
    const PealId dictionary = fake_id(0x50);

    CU_ASSERT_EQUAL(closest(fake, &at, FAKE_SINGLE), -1);
    for (size_t i = 0; i < sizeof(singles); i++) {
        const PealId r = fake_id(singles[i]);

        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}),
                        0);
    }
    CU_ASSERT_EQUAL(fake_store(fake, &dictionary, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = KEY_A, .value = "x"}),
                    0);
    CU_ASSERT_EQUAL(closest(fake, &at, FAKE_SINGLE), 0x60);
    CU_ASSERT_EQUAL(closest(fake, &after, FAKE_SINGLE), 0x70); /* as a walk goes on */
    CU_ASSERT_EQUAL(closest(fake, &last, FAKE_SINGLE), 0x48);
    CU_ASSERT_EQUAL(closest(fake, &at, FAKE_DICTIONARY), 0x50);
    CU_ASSERT_EQUAL(closest(fake, &at, FAKE_ARRAY), -1);
    CU_ASSERT_EQUAL(closest(fake, &at, FAKE_UNKNOWN), -1);
    fake_free(fake);
}

static void find_elsewhere_is_not_found(void)
{
    static const uint32_t kind = FAKE_SINGLE;
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x30);

    CU_ASSERT_EQUAL(find(fake, &r, &kind, 1), RELOAD_ERROR_NOT_FOUND);
    fake_free(fake);
}

static void find_naming_a_kind_twice_is_invalid(void)
{
    static const uint32_t kinds[] = {FAKE_SINGLE, FAKE_ARRAY, FAKE_SINGLE};
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(find(fake, &r, kinds, 3), RELOAD_ERROR_INVALID_MESSAGE);
    CU_ASSERT_EQUAL(find(fake, &r, kinds, 2), 0);
    fake_free(fake);
}

PEAL_TEST_MAIN("core/fetch", PEAL_TEST(fetch_of_nothing_answers_generation_0),
               PEAL_TEST(fetch_with_the_current_generation_brings_no_values),
               PEAL_TEST(fetch_by_keys_fills_in_what_is_missing),
               PEAL_TEST(fetch_wildcard_brings_every_key_in_order),
               PEAL_TEST(fetch_ranges_fill_gaps_and_end_where_they_say),
               PEAL_TEST(fetch_overlapping_or_reversed_ranges_are_invalid),
               PEAL_TEST(fetch_of_unknown_kind_lists_it),
               PEAL_TEST(fetch_answer_beyond_the_overlays_limit_is_refused),
               PEAL_TEST(fetch_allocates_nothing), PEAL_TEST(fetch_of_garbage_is_invalid),
               PEAL_TEST(stat_digests_the_value_with_its_length),
               PEAL_TEST(find_gives_the_nearest_clockwise_of_each_kind),
               PEAL_TEST(find_elsewhere_is_not_found),
               PEAL_TEST(find_naming_a_kind_twice_is_invalid))
