/*
 * test_recorder.c - what belongs to the measured window, the series, and the sample of lookups.
 */
#include "recorder_state.h"
#include "recording.h"

#include <peal_test.h>

static const Recording PLAIN = {
    .seed = 3, .hops_mean = 5, .duration_s = 100, .warmup_s = 20, .per_second = 50};

static void recorder_counts_lookups_started_in_the_window_only(void)
{
    Recorder *recorder = recording_play(&PLAIN);
    const RecorderFigures *figures = recorder_figures(recorder);

    CU_ASSERT_EQUAL(figures->started, 80 * 50);
    CU_ASSERT_EQUAL(figures->succeeded, 80 * 50);
    CU_ASSERT_EQUAL(figures->correct, 80 * 50);
    CU_ASSERT_EQUAL(figures->found, 80 * 25);
    CU_ASSERT_EQUAL(histogram_count(figures->hops), 80 * 50);
    CU_ASSERT_EQUAL(figures->window.ns, 80 * PEAL_NS_PER_S);
    CU_ASSERT_FALSE(figures->interrupted);
    recorder_free(recorder);
}

static void recorder_counters_are_those_between_warmup_and_end(void)
{
    Recorder *recorder = recording_play(&PLAIN);
    const RecorderFigures *figures = recorder_figures(recorder);

    CU_ASSERT_EQUAL(figures->totals.counter[RECORDER_MESSAGES], 80 * 1003);
    CU_ASSERT_EQUAL(figures->totals.drops[PEAL_DROP_TTL], 80);
    CU_ASSERT_EQUAL(figures->totals.codes[9], 80 * 600);
    CU_ASSERT_EQUAL(figures->totals.joined, 100);
    recorder_free(recorder);
}

static void recorder_failed_lookups_have_neither_hops_nor_latency(void)
{
    Recording recording = PLAIN;
    Recorder *recorder;
    const RecorderFigures *figures;

    recording.outage_from_s = 40;
    recording.outage_until_s = 60;
    recorder = recording_play(&recording);
    figures = recorder_figures(recorder);
    CU_ASSERT_EQUAL(figures->started, 80 * 50);
    CU_ASSERT(figures->succeeded < figures->started - 300);
    CU_ASSERT_EQUAL(histogram_count(figures->hops), figures->succeeded);
    CU_ASSERT_EQUAL(histogram_count(figures->latency_ns), figures->succeeded);
    CU_ASSERT(histogram_max(figures->latency_ns) < 15 * (uint64_t)PEAL_NS_PER_S);
    recorder_free(recorder);
}

static void recorder_series_covers_the_run_and_adds_up(void)
{
    Recorder *recorder = recording_play(&PLAIN);
    uint64_t messages = 0, started = 0;
    int64_t at = 0;

    CU_ASSERT_EQUAL(recorder->rows_len, 100);
    for (size_t i = 0; i < recorder->rows_len; i++) {
        const RecorderRow *row = &recorder->rows[i];

        CU_ASSERT_EQUAL(row->start.ns, at);
        CU_ASSERT(row->sampled);
        at = row->end.ns;
        messages += row->counter[RECORDER_MESSAGES];
        started += row->started;
    }
    CU_ASSERT_EQUAL(at, 100 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(messages, 100 * 1003);
    CU_ASSERT_EQUAL(started, 100 * 50);
    recorder_free(recorder);
}

static void recorder_lookup_is_prompt_up_to_the_span_and_not_beyond(void)
{
    RecorderConfig config = {.duration = peal_seconds(1), .prompt = peal_ms(100)};
    Recorder *recorder = recorder_new(&config);
    RecorderTotals totals = {0};

    for (int64_t ms = 98; ms <= 103; ms++) {
        RecorderLookup lookup = {.latency = peal_ms(ms), .succeeded = ms != 98};

        recorder_lookup(recorder, &lookup);
    }
    recorder_finish(recorder, (PealTime){PEAL_NS_PER_S}, &totals);
    CU_ASSERT_EQUAL(recorder->rows[0].succeeded, 5);
    CU_ASSERT_EQUAL(recorder->rows[0].prompt, 2);
    recorder_free(recorder);
}

static void recorder_rows_stay_few_however_long_the_run(void)
{
    static const int64_t durations_s[] = {1, 299, 300, 301, 3600, 86400, 86400 * 365};

    for (size_t i = 0; i < sizeof(durations_s) / sizeof(*durations_s); i++) {
        RecorderConfig config = {.duration = peal_seconds(durations_s[i]),
                                 .warmup = {peal_seconds(durations_s[i]).ns / 7 + 1},
                                 .interval = peal_ms(10)};
        Recorder *recorder = recorder_new(&config);

        CU_ASSERT(recorder->rows_len >= 1 && recorder->rows_len <= RECORDER_ROWS_MAX);
        CU_ASSERT_EQUAL(recorder->rows[0].start.ns, 0);
        CU_ASSERT_EQUAL(recorder->rows[recorder->rows_len - 1].end.ns, config.duration.ns);
        recorder_free(recorder);
    }
}

static void recorder_asks_for_a_sample_at_the_end_of_the_warmup(void)
{
    RecorderConfig config = {.duration = peal_seconds(3), .warmup = peal_ms(1500)};
    Recorder *recorder = recorder_new(&config);
    static const int64_t expected_ms[] = {1000, 1500, 2000, 3000};
    RecorderTotals totals = {0};

    for (size_t i = 0; i < 4; i++) {
        PealTime next = recorder_next_sample(recorder);

        CU_ASSERT_EQUAL(next.ns, expected_ms[i] * PEAL_NS_PER_MS);
        totals.counter[RECORDER_MESSAGES] = (uint64_t)next.ns;
        recorder_sample(recorder, next, &totals);
    }
    CU_ASSERT_EQUAL(recorder_next_sample(recorder).ns, PEAL_TIME_NEVER.ns);
    recorder_finish(recorder, (PealTime){3 * PEAL_NS_PER_S}, &totals);
    CU_ASSERT_EQUAL(recorder_figures(recorder)->totals.counter[RECORDER_MESSAGES],
                    1500 * (uint64_t)PEAL_NS_PER_MS);
    recorder_free(recorder);
}

static void recorder_interrupted_run_ends_where_it_stopped(void)
{
    Recording recording = PLAIN;
    Recorder *recorder;
    const RecorderFigures *figures;

    recording.stop_s = 50;
    recorder = recording_play(&recording);
    figures = recorder_figures(recorder);
    CU_ASSERT(figures->interrupted);
    CU_ASSERT_EQUAL(figures->end.ns, 50 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(figures->window.ns, 30 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(figures->totals.counter[RECORDER_MESSAGES], 30 * 1003);
    CU_ASSERT_EQUAL(recorder->rows_len, 50);
    recorder_free(recorder);
}

static void recorder_interrupted_in_its_warmup_has_an_empty_window(void)
{
    Recording recording = PLAIN;
    Recorder *recorder;

    recording.stop_s = 5;
    recorder = recording_play(&recording);
    CU_ASSERT_EQUAL(recorder_figures(recorder)->window.ns, 0);
    CU_ASSERT_EQUAL(recorder_figures(recorder)->started, 0);
    CU_ASSERT_EQUAL(recorder_figures(recorder)->totals.counter[RECORDER_MESSAGES], 0);
    recorder_free(recorder);
}

/* Reports the lookups 0..len-1 in one order or the other. */
static Recorder *report(bool backwards, uint64_t len, uint32_t kept)
{
    RecorderConfig config = {.duration = peal_seconds(1000), .lookups = kept};
    Recorder *recorder = recorder_new(&config);
    RecorderTotals totals = {0};
    PealTime next;

    for (uint64_t i = 0; i < len; i++) {
        RecorderLookup lookup = recording_lookup(&PLAIN, backwards ? len - 1 - i : i);

        recorder_lookup(recorder, &lookup);
    }
    while ((next = recorder_next_sample(recorder)).ns < 1000 * PEAL_NS_PER_S) {
        recorder_sample(recorder, next, &totals);
    }
    recorder_finish(recorder, (PealTime){1000 * PEAL_NS_PER_S}, &totals);
    return recorder;
}

static void recorder_figures_do_not_depend_on_the_order_of_reports(void)
{
    Recorder *one = report(false, 30000, 1000);
    Recorder *other = report(true, 30000, 1000);
    const struct RecorderSampled *samples[2];
    size_t lens[2];

    CU_ASSERT_EQUAL(histogram_mean(recorder_figures(one)->latency_ns),
                    histogram_mean(recorder_figures(other)->latency_ns));
    CU_ASSERT_EQUAL(histogram_deviation(recorder_figures(one)->latency_ns),
                    histogram_deviation(recorder_figures(other)->latency_ns));
    samples[0] = recorder_lookups(one, &lens[0]);
    samples[1] = recorder_lookups(other, &lens[1]);
    CU_ASSERT_EQUAL(lens[0], 1000);
    CU_ASSERT_EQUAL_FATAL(lens[1], 1000);
    for (size_t i = 0; i < lens[0]; i++) {
        CU_ASSERT_EQUAL(samples[0][i].lookup.started.ns, samples[1][i].lookup.started.ns);
        CU_ASSERT_EQUAL(samples[0][i].number, samples[1][i].number);
    }
    recorder_free(one);
    recorder_free(other);
}

static void recorder_sample_of_lookups_is_spread_over_the_run(void)
{
    Recorder *recorder = report(false, 40000, 2000);
    size_t len, quarters[4] = {0};
    const struct RecorderSampled *sample = recorder_lookups(recorder, &len);

    CU_ASSERT_EQUAL_FATAL(len, 2000);
    for (size_t i = 0; i < len; i++) {
        int64_t at = sample[i].lookup.started.ns;

        quarters[at / (200 * PEAL_NS_PER_S)]++;
        CU_ASSERT(i == 0 || sample[i - 1].lookup.started.ns <= at);
    }
    for (size_t i = 0; i < 4; i++) {
        /* 500 expected; 5 standard deviations are 97. */
        CU_ASSERT(quarters[i] > 403 && quarters[i] < 597);
    }
    recorder_free(recorder);
}

static void recorder_keeps_every_lookup_when_there_are_few(void)
{
    Recorder *recorder = report(true, 150, 1000);
    size_t len;

    recorder_lookups(recorder, &len);
    CU_ASSERT_EQUAL(len, 150);
    recorder_free(recorder);
}

static void recorder_keeps_every_kth_peer_of_many(void)
{
    enum { PEERS = 250001 };
    RecorderConfig config = {.duration = peal_seconds(1)};
    Recorder *recorder = recorder_new(&config);
    RecorderPeer *peers = calloc(PEERS, sizeof(*peers));
    RecorderTotals totals = {0};

    for (size_t i = 0; i < PEERS; i++) {
        peers[i].messages = (uint32_t)i % 11;
        peers[i].seen = true;
    }
    recorder_peers(recorder, peers, PEERS);
    recorder_finish(recorder, (PealTime){PEAL_NS_PER_S}, &totals);
    CU_ASSERT(recorder->peers->len <= RECORDER_PEERS_MAX);
    CU_ASSERT(recorder->peers->len > RECORDER_PEERS_MAX / 2);
    CU_ASSERT_EQUAL(histogram_count(recorder_figures(recorder)->peer_messages), PEERS);
    free(peers);
    recorder_free(recorder);
}

/* Peers 0 to 9: the even ones were up in the window, and of those 0 and 2 are up as it ends. */
static void recorder_leaves_peers_out_that_were_not_there(void)
{
    RecorderConfig config = {.duration = peal_seconds(1)};
    Recorder *recorder = recorder_new(&config);
    RecorderPeer peers[10] = {0};
    RecorderTotals totals = {0};
    const RecorderFigures *figures;

    for (uint32_t i = 0; i < 10; i++) {
        peers[i] = (RecorderPeer){i + 1, 7, i % 2 == 0, i < 4 && i % 2 == 0};
    }
    recorder_peers(recorder, peers, 10);
    recorder_finish(recorder, (PealTime){PEAL_NS_PER_S}, &totals);
    figures = recorder_figures(recorder);
    CU_ASSERT_EQUAL(histogram_count(figures->peer_messages), 5);
    CU_ASSERT_DOUBLE_EQUAL(histogram_mean(figures->peer_messages), 5, 1e-9);
    CU_ASSERT_EQUAL(histogram_count(figures->peer_values), 2);
    CU_ASSERT_EQUAL(recorder->peers->len, 5);
    CU_ASSERT_EQUAL(g_array_index(recorder->peers, RecorderPeerRow, 4).peer, 8);
    recorder_free(recorder);
}

static void recorder_totals_of_workers_add_up(void)
{
    RecorderTotals sum = {.online = 3}, more = {.online = 4, .joined = 1};

    sum.counter[RECORDER_MESSAGES] = 10;
    more.counter[RECORDER_MESSAGES] = 5;
    more.drops[PEAL_DROP_FULL] = 2;
    more.codes[recorder_code(0xffff)] = 6;
    recorder_totals_add(&sum, &more);
    CU_ASSERT_EQUAL(sum.counter[RECORDER_MESSAGES], 15);
    CU_ASSERT_EQUAL(sum.drops[PEAL_DROP_FULL], 2);
    CU_ASSERT_EQUAL(sum.codes[RECORDER_CODES - 1], 6);
    CU_ASSERT(sum.online == 7 && sum.joined == 1);
}

/* 10 a second, of which 80 s lie in the window; every tenth fails. */
static void recorder_counts_calls_started_in_the_window_only(void)
{
    Recording recording = PLAIN;
    Recorder *recorder;
    const RecorderFigures *figures;
    uint64_t in_series = 0;
    size_t len;
    const struct RecorderSampledCall *sample;

    recording.calls_per_second = 10;
    recorder = recording_play(&recording);
    figures = recorder_figures(recorder);
    CU_ASSERT_EQUAL(figures->calls_started, 800);
    CU_ASSERT_EQUAL(figures->calls_answered, 720);
    CU_ASSERT_EQUAL(figures->calls_failed[480], 40);
    CU_ASSERT_EQUAL(figures->calls_failed[408], 40);
    CU_ASSERT_EQUAL(histogram_count(figures->setup_ns), 720);
    CU_ASSERT_DOUBLE_EQUAL(histogram_mean(figures->setup_ns) / 1e6, 150, 1);
    CU_ASSERT_DOUBLE_EQUAL(histogram_mean(figures->answer_ns) / 1e6, 200, 1);
    for (size_t i = 0; i < recorder->rows_len; i++) {
        in_series += recorder->rows[i].calls_started;
        CU_ASSERT(recorder->rows[i].calls_answered < recorder->rows[i].calls_started);
        CU_ASSERT_EQUAL(histogram_count(recorder->rows[i].setup_ns),
                        recorder->rows[i].calls_answered);
    }
    CU_ASSERT_EQUAL(in_series, 10 * (uint64_t)recording.duration_s);
    sample = recorder_sampled_calls(recorder, &len);
    CU_ASSERT_EQUAL_FATAL(len, 800);
    for (size_t i = 1; i < len; i++) {
        CU_ASSERT(sample[i - 1].call.started.ns < sample[i].call.started.ns);
    }
    recorder_free(recorder);
}

PEAL_TEST_MAIN("analysis/recorder", PEAL_TEST(recorder_counts_lookups_started_in_the_window_only),
               PEAL_TEST(recorder_counters_are_those_between_warmup_and_end),
               PEAL_TEST(recorder_failed_lookups_have_neither_hops_nor_latency),
               PEAL_TEST(recorder_series_covers_the_run_and_adds_up),
               PEAL_TEST(recorder_lookup_is_prompt_up_to_the_span_and_not_beyond),
               PEAL_TEST(recorder_rows_stay_few_however_long_the_run),
               PEAL_TEST(recorder_asks_for_a_sample_at_the_end_of_the_warmup),
               PEAL_TEST(recorder_interrupted_run_ends_where_it_stopped),
               PEAL_TEST(recorder_interrupted_in_its_warmup_has_an_empty_window),
               PEAL_TEST(recorder_figures_do_not_depend_on_the_order_of_reports),
               PEAL_TEST(recorder_sample_of_lookups_is_spread_over_the_run),
               PEAL_TEST(recorder_keeps_every_lookup_when_there_are_few),
               PEAL_TEST(recorder_keeps_every_kth_peer_of_many),
               PEAL_TEST(recorder_leaves_peers_out_that_were_not_there),
               PEAL_TEST(recorder_totals_of_workers_add_up),
               PEAL_TEST(recorder_counts_calls_started_in_the_window_only))
