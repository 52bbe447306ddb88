/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_mser.c - where MSER-5 cuts a warm-up off, in itself and in a recording. */
#include <analysis/mser.h>
#include <analysis/recorder.h>
#include <math.h>
#include <peal_test.h>

static void mser_cuts_a_step_where_it_ends(void)
{
    /* 9 9 9 are left out: what follows is 1 3 1 3 ..., whose squares about 2 are 1 each, so that
     * the least error is that of all seventeen values from the fourth on. */
    double values[20] = {9, 9, 9};

    for (size_t i = 3; i < 20; i++) {
        values[i] = i % 2 == 1 ? 1 : 3;
    }
    MserCut cut = mser_cut(values, 20);

    CU_ASSERT_EQUAL(cut.cut, 3);
    CU_ASSERT_TRUE(cut.settled);
}

static void mser_leaves_a_steady_series_whole(void)
{
    const double values[] = {1, 3, 1, 3, 1, 3, 1, 3};
    const double equal[] = {5, 5, 5, 5};

    CU_ASSERT_EQUAL(mser_cut(values, 8).cut, 0);
    CU_ASSERT_EQUAL(mser_cut(equal, 4).cut, 0);
    CU_ASSERT_TRUE(mser_cut(values, 8).settled);
}

static void mser_says_when_a_run_is_too_short_to_tell(void)
{
    const double trend[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    MserCut cut = mser_cut(trend, 10);

    /* Of m values of a trend the sum of squares is m (m^2 - 1) / 12: the fewer the better. */
    CU_ASSERT_EQUAL(cut.cut, 5);
    CU_ASSERT_FALSE(cut.settled);
    CU_ASSERT_FALSE(mser_cut(trend, 1).settled);
    CU_ASSERT_EQUAL(mser_cut(trend, 0).cut, 0);
}

static void mser_leaves_out_what_is_no_number(void)
{
    const double values[] = {NAN, 9, NAN, 2, 2, 2, 2, 2, 2, 2};
    const double some[] = {1, NAN, 3};
    const double none[] = {NAN, NAN};

    CU_ASSERT_EQUAL(mser_cut(values, 10).cut, 2);
    CU_ASSERT_EQUAL(mser_batch(some, 3), 2);
    CU_ASSERT_TRUE(isnan(mser_batch(none, 2)));
}

/* 300 s, a lookup each quarter of a second: they take 500 ms at first, then about 100 ms. */
static Recorder *recording(bool backwards, uint32_t transient_s)
{
    Recorder *recorder = recorder_new(
        &(RecorderConfig){.duration = peal_seconds(300), .mser = true, .lookups = 100000});
    RecorderTotals totals = {0};

    for (int64_t second = 1; second < 300; second++) {
        PealTime at = {second * PEAL_NS_PER_S};

        totals.counter[RECORDER_MESSAGES] = (uint64_t)second * 10;
        if (recorder_next_sample(recorder).ns == at.ns) {
            recorder_sample(recorder, at, &totals);
        }
    }
    for (uint32_t i = 0; i < 1200; i++) {
        uint32_t number = backwards ? 1199 - i : i;
        bool early = number < 4 * transient_s;

        recorder_lookup(recorder,
                        &(RecorderLookup){.started = {number * (PEAL_NS_PER_S / 4)},
                                          .latency = peal_ms(early ? 500 : 90 + number % 21),
                                          .asker = number,
                                          .hops = early ? 9 : 3,
                                          .succeeded = true,
                                          .correct = true});
    }
    totals.counter[RECORDER_MESSAGES] = 3000;
    recorder_finish(recorder, (PealTime){300 * PEAL_NS_PER_S}, &totals);
    return recorder;
}

static void recorder_cuts_a_known_transient_in_any_order(void)
{
    for (int backwards = 0; backwards < 2; backwards++) {
        Recorder *recorder = recording(backwards, 40);
        const RecorderFigures *figures = recorder_figures(recorder);

        /* Rows of a second, batches of five: 40 s is the end of the eighth. */
        CU_ASSERT_EQUAL(figures->warmup.ns, 40 * PEAL_NS_PER_S);
        CU_ASSERT_FALSE(figures->cut_late);
        CU_ASSERT_EQUAL(figures->window.ns, 260 * PEAL_NS_PER_S);
        CU_ASSERT_EQUAL(figures->started, 1040);
        CU_ASSERT_EQUAL(histogram_max(figures->hops), 3);
        CU_ASSERT_EQUAL(histogram_count(figures->latency_ns), 1040);
        CU_ASSERT_EQUAL(figures->totals.counter[RECORDER_MESSAGES], 2600);
        recorder_free(recorder);
    }
}

static void recorder_cuts_no_more_than_half(void)
{
    Recorder *recorder = recording(false, 200);
    const RecorderFigures *figures = recorder_figures(recorder);

    CU_ASSERT_EQUAL(recorder_latest_cut(peal_seconds(300)).ns, 150 * PEAL_NS_PER_S);
    CU_ASSERT_TRUE(figures->warmup.ns <= 150 * PEAL_NS_PER_S);
    CU_ASSERT_TRUE(figures->started >= 600);
    recorder_free(recorder);
}

PEAL_TEST_MAIN("analysis/mser", PEAL_TEST(mser_cuts_a_step_where_it_ends),
               PEAL_TEST(mser_leaves_a_steady_series_whole),
               PEAL_TEST(mser_says_when_a_run_is_too_short_to_tell),
               PEAL_TEST(mser_leaves_out_what_is_no_number),
               PEAL_TEST(recorder_cuts_a_known_transient_in_any_order),
               PEAL_TEST(recorder_cuts_no_more_than_half))
