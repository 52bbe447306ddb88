/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_base.c - random streams, round-trip estimation, times, names.
 */
#include <peal/random.h>
#include <peal/trace.h>

#include "base/rtt.h"
#include "peal_test.h"

static void philox_gives_the_known_answers(void)
{
    /* kat_vectors of Random123 1.14, philox2x64 with 10 rounds: counter, key, result. */
    static const struct {
        PealRandomBlock counter;
        uint64_t key;
        PealRandomBlock result;
    } known[] = {
        {{{0, 0}}, 0, {{UINT64_C(0xca00a0459843d731), UINT64_C(0x66c24222c9a845b5)}}},
        {{{UINT64_MAX, UINT64_MAX}},
         UINT64_MAX,
         {{UINT64_C(0x65b021d60cd8310f), UINT64_C(0x4d02f3222f86df20)}}},
        {{{UINT64_C(0x243f6a8885a308d3), UINT64_C(0x13198a2e03707344)}},
         UINT64_C(0xa4093822299f31d0),
         {{UINT64_C(0x0a5e742c2997341c), UINT64_C(0xb0f883d38000de5d)}}},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        PealRandomBlock block = peal_random_block(known[i].counter, known[i].key);

        CU_ASSERT_EQUAL(block.word[0], known[i].result.word[0]);
        CU_ASSERT_EQUAL(block.word[1], known[i].result.word[1]);
    }
}

static void random_streams_of_peers_and_purposes_differ(void)
{
    uint64_t first = peal_random_at(1, peal_random_stream(5, PEAL_DRAW_FINGER), 0);

    CU_ASSERT_EQUAL(first, peal_random_at(1, peal_random_stream(5, PEAL_DRAW_FINGER), 0));
    CU_ASSERT_NOT_EQUAL(first, peal_random_at(2, peal_random_stream(5, PEAL_DRAW_FINGER), 0));
    CU_ASSERT_NOT_EQUAL(first, peal_random_at(1, peal_random_stream(6, PEAL_DRAW_FINGER), 0));
    CU_ASSERT_NOT_EQUAL(first, peal_random_at(1, peal_random_stream(5, PEAL_DRAW_TIMER), 0));
    CU_ASSERT_NOT_EQUAL(first, peal_random_at(1, peal_random_stream(5, PEAL_DRAW_FINGER), 1));
}

static void random_below_covers_its_range_evenly(void)
{
    enum { BOUND = 10, DRAWS = 100000 };
    unsigned seen[BOUND] = {0};

    for (uint64_t i = 0; i < DRAWS; i++) {
        uint64_t value = peal_random_below(peal_random_at(3, 0, i), BOUND);

        CU_ASSERT_FATAL(value < BOUND);
        seen[value]++;
    }
    for (unsigned i = 0; i < BOUND; i++) {
        /* Six standard deviations of a binomial count. */
        CU_ASSERT_TRUE(seen[i] > 10000 - 570 && seen[i] < 10000 + 570);
    }
    CU_ASSERT_EQUAL(peal_random_below(UINT64_MAX, 7), 6);
    CU_ASSERT_EQUAL(peal_random_below(0, 7), 0);
}

static void rtt_has_the_initial_timer_until_something_is_measured(void)
{
    Rtt rtt = {0};

    CU_ASSERT_EQUAL(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns, peal_ms(500).ns);
}

static void rtt_follows_rfc_6298(void)
{
    Rtt rtt = {0};

    /* R = 200 ms: SRTT 200, RTTVAR 100, timer 600. */
    rtt_sample(&rtt, peal_ms(200));
    CU_ASSERT_EQUAL(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns, peal_ms(600).ns);
    /* R' = 300: RTTVAR 3/4 100 + 1/4 100 = 100, SRTT 7/8 200 + 1/8 300 = 212.5, timer 612.5 */
    rtt_sample(&rtt, peal_ms(300));
    CU_ASSERT_EQUAL(rtt.smoothed_us8, 212500 * 8);
    CU_ASSERT_EQUAL(rtt.variation_us4, 100000 * 4);
    CU_ASSERT_EQUAL(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns, peal_ms(613).ns);
    /* R' = 212.5: RTTVAR 75, SRTT unchanged, timer 512.5 */
    rtt_sample(&rtt, peal_us(212500));
    CU_ASSERT_EQUAL(rtt.variation_us4, 75000 * 4);
    CU_ASSERT_EQUAL(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns, peal_ms(513).ns);
}

static void rtt_settles_on_a_steady_link_at_the_floor_or_just_above_it(void)
{
    Rtt rtt = {0};

    for (int i = 0; i < 1000; i++) {
        rtt_sample(&rtt, peal_ms(20));
    }
    CU_ASSERT_EQUAL(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns, peal_ms(100).ns);
    CU_ASSERT_TRUE(rtt_timeout(&rtt, peal_ms(500), peal_ms(1)).ns >= peal_ms(21).ns);
    CU_ASSERT_TRUE(rtt_timeout(&rtt, peal_ms(500), peal_ms(1)).ns <= peal_ms(23).ns);
}

static void rtt_survives_absurd_samples(void)
{
    Rtt rtt = {0};

    rtt_sample(&rtt, (PealSpan){-5});
    CU_ASSERT_TRUE(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns == peal_ms(100).ns);
    rtt_sample(&rtt, (PealSpan){INT64_MAX});
    CU_ASSERT_TRUE(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns <= 120 * PEAL_NS_PER_S);
    for (int i = 0; i < 100; i++) {
        rtt_sample(&rtt, (PealSpan){0});
    }
    CU_ASSERT_TRUE(rtt_timeout(&rtt, peal_ms(500), peal_ms(100)).ns >= peal_ms(100).ns);
}

static void rtt_backoff_doubles_with_each_transmission(void)
{
    /* RFC 6940 s.6.6.3.1: sent at 0, 500, 1500, 3500 and 7500 ms. */
    int64_t at = 0;
    static const int64_t sent_ms[] = {500, 1500, 3500, 7500};

    for (unsigned sends = 1; sends <= 4; sends++) {
        at += rtt_backoff(peal_ms(500), sends).ns;
        CU_ASSERT_EQUAL(at, sent_ms[sends - 1] * PEAL_NS_PER_MS);
    }
    CU_ASSERT_TRUE(rtt_backoff(peal_seconds(60), 1000).ns > 0);
}

static void times_saturate_at_never(void)
{
    CU_ASSERT_EQUAL(peal_time_add(PEAL_TIME_NEVER, peal_ms(1)).ns, PEAL_TIME_NEVER.ns);
    CU_ASSERT_EQUAL(peal_time_add((PealTime){5}, peal_us(1)).ns, 1005);
    CU_ASSERT_TRUE(peal_time_due((PealTime){5}, (PealTime){5}));
    CU_ASSERT_FALSE(peal_time_due(PEAL_TIME_NEVER, (PealTime){5}));
}

static void every_error_and_record_has_a_name(void)
{
    CU_ASSERT_STRING_EQUAL(peal_error_text(0), "no error");
    CU_ASSERT_STRING_EQUAL(peal_error_text(-PEAL_E_TRAILING),
                           "bytes left over after the last field");
    CU_ASSERT_STRING_EQUAL(peal_error_text(-12345), "unknown error");
    CU_ASSERT_STRING_EQUAL(peal_error_text(12345), "unknown error");
    for (int i = 0; i < PEAL_TRACE_COUNT; i++) {
        CU_ASSERT_TRUE(strlen(peal_trace_name((PealTraceKind)i)) > 0);
    }
    for (int i = 0; i < PEAL_DROP_COUNT; i++) {
        CU_ASSERT_TRUE(strlen(peal_drop_name((PealDrop)i)) > 0);
    }
    CU_ASSERT_STRING_EQUAL(peal_trace_name(PEAL_TRACE_REQUEST_SENT), "REQUEST_SENT");
    CU_ASSERT_STRING_EQUAL(peal_drop_name(PEAL_DROP_FULL), "FULL");
}

PEAL_TEST_MAIN("core/base", PEAL_TEST(philox_gives_the_known_answers),
               PEAL_TEST(random_streams_of_peers_and_purposes_differ),
               PEAL_TEST(random_below_covers_its_range_evenly),
               PEAL_TEST(rtt_has_the_initial_timer_until_something_is_measured),
               PEAL_TEST(rtt_follows_rfc_6298),
               PEAL_TEST(rtt_settles_on_a_steady_link_at_the_floor_or_just_above_it),
               PEAL_TEST(rtt_survives_absurd_samples),
               PEAL_TEST(rtt_backoff_doubles_with_each_transmission),
               PEAL_TEST(times_saturate_at_never), PEAL_TEST(every_error_and_record_has_a_name))
