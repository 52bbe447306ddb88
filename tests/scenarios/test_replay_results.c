/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_replay_results.c - what a replay leaves: figures, words, results of their own.
 */
#include "scratch.h"

#include <jansson.h>
#include <math.h>
#include <peal/phone.h>
#include <peal_test.h>
#include <scenarios/replay_results.h>

/* A history of calls among alice, bob and carol, one every 10 s: answered after 4 s, cancelled,
 * refused, unanswered, in turn; callers and callees as long as there are. */
typedef struct Made {
    HistoryData data;
    Replay *replay;
} Made;

static HistoryCall made_call(uint32_t i)
{
    int64_t at_ns = INT64_C(1700000000) * PEAL_NS_PER_S + i * 10 * PEAL_NS_PER_S;
    int64_t second = PEAL_NS_PER_S;
    HistoryCall call = {.caller = i % 3,
                        .callee = (i + 1) % 3,
                        .at_ns = at_ns,
                        .ringing_ns = at_ns + second / 5,
                        .final_ns = HISTORY_NEVER,
                        .cancel_ns = HISTORY_NEVER,
                        .end_ns = HISTORY_NEVER,
                        .last_ns = at_ns + 8 * second,
                        .outcome = (HistoryOutcome)(i % 4),
                        .media_first_ns = HISTORY_NEVER,
                        .media_last_ns = HISTORY_NEVER};

    switch (call.outcome) {
    case HISTORY_ANSWERED:
        call.status = 200;
        call.final_ns = at_ns + 4 * second;
        call.end_ns = at_ns + 7 * second;
        break;
    case HISTORY_CANCELLED:
        call.status = 487;
        call.cancel_ns = at_ns + 3 * second;
        call.final_ns = at_ns + 3 * second + second / 10;
        break;
    case HISTORY_REFUSED:
        call.status = 486;
        call.ringing_ns = HISTORY_NEVER;
        call.final_ns = at_ns + second / 2;
        break;
    case HISTORY_UNANSWERED:
        break;
    }
    return call;
}

static Made make(uint32_t calls)
{
    static const char *const names[] = {"sip:alice@example.org", "sip:bob@example.org",
                                        "sip:carol@example.org"};
    const ReplayOptions options = {.domain = "peal.example", .speed = 1};
    Made made = {.data = {.users = g_array_new(FALSE, TRUE, sizeof(HistoryUser)),
                          .registrations = g_array_new(FALSE, TRUE, sizeof(HistoryRegistration)),
                          .calls = g_array_new(FALSE, TRUE, sizeof(HistoryCall))}};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        HistoryUser user = {.aor = (char *)(uintptr_t)names[i]};

        g_array_append_val(made.data.users, user);
    }
    for (uint32_t i = 0; i < calls; i++) {
        HistoryCall call = made_call(i);

        g_array_append_val(made.data.calls, call);
    }
    made.replay = replay_from_history("made.pcap", &made.data, &options, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(made.replay);
    CU_ASSERT_EQUAL_FATAL(made.replay->calls->len, calls);
    CU_ASSERT(replay_place(made.replay, REPLAY_ROUND_ROBIN, 2, NULL));
    return made;
}

static void made_clear(Made *made)
{
    replay_free(made->replay);
    g_array_unref(made->data.users);
    g_array_unref(made->data.registrations);
    g_array_unref(made->data.calls);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Made, made_clear)

/* Plays a call to its end, as it was in the trace but for `status`. */
static void play_call(ReplayPlay *play, const Replay *replay, uint32_t i, uint16_t status)
{
    const ReplayCall *call = replay_call(replay, i);
    bool answered = status == 200;
    PealPhoneEvent event = {.status = status,
                            .answered = answered,
                            .to_ringing = status == 486 ? (PealSpan){-1} : peal_ms(900),
                            .to_answer = answered ? peal_ms(5000) : (PealSpan){-1}};

    replay_play_begin(play, i, (PealTime){peal_seconds(60).ns + call->at.ns});
    if (status != 486) {
        event.kind = PEAL_PHONE_RINGING;
        replay_play_event(play, i, &event);
    }
    if (answered) {
        event.kind = PEAL_PHONE_ANSWERED;
        replay_play_event(play, i, &event);
    }
    event.kind = PEAL_PHONE_ENDED;
    replay_play_event(play, i, &event);
}

static uint16_t status_in_trace(const Replay *replay, uint32_t i)
{
    static const uint16_t status[] = {200, 487, 486, 408};

    return status[replay_call(replay, i)->outcome];
}

static Recorder *open_recorder(void)
{
    return recorder_new(
        &(RecorderConfig){.duration = peal_seconds(200), .calls = true, .open_ended = true});
}

static void finish_recorder(Recorder *recorder)
{
    RecorderTotals totals = {0};
    PealTime end = {peal_seconds(100).ns};

    while (recorder_next_sample(recorder).ns < end.ns) {
        recorder_sample(recorder, recorder_next_sample(recorder), &totals);
    }
    recorder_finish(recorder, end, &totals);
}

static double figure_of(const RunOutcome *outcome, const char *name)
{
    for (size_t i = 0; i < outcome->figures_len; i++) {
        if (strcmp(outcome->figures[i].name, name) == 0) {
            return outcome->figures[i].value;
        }
    }
    CU_FAIL("no such figure");
    return NAN;
}

static void figures_say_what_ended_as_in_the_trace(void)
{
    g_auto(Made) made = make(8);
    ReplayPlay *play = replay_play_new(made.replay);
    Recorder *recorder = open_recorder();
    RunOutcome *outcome = g_new0(RunOutcome, 1);
    size_t len;
    uint32_t step;

    for (uint32_t i = 0; i < 6; i++) {
        play_call(play, made.replay, i, i == 4 ? 486 : status_in_trace(made.replay, i));
    }
    replay_play_begin(play, 6, (PealTime){0}); /* under way at the end; call 7 never begins */
    run_outcome_replay(outcome, recorder, made.replay, play);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.calls"), 8);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.begun"), 7);
    CU_ASSERT_DOUBLE_EQUAL(figure_of(outcome, "replay.as_in_trace"), 5.0 / 7, 1e-12);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.answered"), 1);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.cancelled"), 2);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.refused"), 2);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.unanswered"), 1);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.unfinished"), 1);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.setup_ms"), 900);
    CU_ASSERT_EQUAL(figure_of(outcome, "replay.answer_ms"), 5000);
    (void)recorder_replayed_rows(recorder, &len, &step);
    CU_ASSERT_EQUAL(len, 8);
    g_free(outcome);
    recorder_free(recorder);
    replay_play_free(play);
}

static char *report_of(const Made *made, uint32_t wrong, bool all)
{
    ReplayPlay *play = replay_play_new(made->replay);
    Recorder *recorder = open_recorder();
    RunOutcome *outcome = g_new0(RunOutcome, 1);
    GString *text = g_string_new(NULL);

    for (uint32_t i = 0; i < made->replay->calls->len; i++) {
        play_call(play, made->replay, i, i < wrong ? 480 : status_in_trace(made->replay, i));
    }
    run_outcome_replay(outcome, recorder, made->replay, play);
    replay_report_text(text, made->replay, recorder, all);
    g_free(outcome);
    recorder_free(recorder);
    replay_play_free(play);
    return g_string_free(text, FALSE);
}

static unsigned count_of(const char *text, const char *part)
{
    unsigned count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part)) {
        count++;
    }
    return count;
}

static void report_lists_few_calls_each_with_both_ends(void)
{
    g_auto(Made) made = make(4);
    g_autofree char *text = report_of(&made, 1, true);

    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "4 calls of made.pcap, 4 begun, 3 ended as in the trace\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text,
               "!      0  alice -> bob    answered 200 in 200 ms  | refused 480 in 900 ms\n"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text,
               "       1  bob -> carol    cancelled 487 in 200 ms | cancelled 487 in 900 ms\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "refused 486             | refused 486\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "median 200 ms in the trace, median 900 ms here"));
    CU_ASSERT_PTR_NULL(strstr(text, "results.db"));
}

static void report_of_many_calls_lists_those_that_ended_otherwise_and_says_where_all_are(void)
{
    g_auto(Made) made = make(200);
    g_autofree char *text = report_of(&made, 60, true);

    CU_ASSERT_EQUAL(count_of(text, "\n  !"), 20);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "and 25 more that ended otherwise\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "results.db"));
}

static void report_without_the_list_has_only_what_ended_otherwise(void)
{
    g_auto(Made) made = make(4);
    g_autofree char *text = report_of(&made, 1, false);

    CU_ASSERT_EQUAL(count_of(text, " -> "), 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n  !      0  alice -> bob"));
}

static ReplayResults *open_results(const char *dir, const Replay *replay)
{
    static const ResultsParameter parameters[] = {{"replay.to", "127.0.0.1:5060", false}};
    const ReplayResultsConfig config = {.dir = dir,
                                        .name = "made",
                                        .command = "peal replay made.pcap --to 127.0.0.1:5060",
                                        .replay = replay,
                                        .parameters = parameters,
                                        .parameters_len = 1};

    return replay_results_open(&config, NULL);
}

/* Plays the first calls, as a live world does. */
static bool finish_results(ReplayResults *results, const Made *made, uint32_t calls,
                           char **ret_text)
{
    Recorder *recorder = replay_results_recorder(results);
    ReplayPlay *play = replay_play_new(made->replay);
    RunOutcome *outcome = g_new0(RunOutcome, 1);
    bool good;

    for (uint32_t i = 0; i < calls; i++) {
        play_call(play, made->replay, i, status_in_trace(made->replay, i));
    }
    finish_recorder(recorder);
    run_outcome_replay(outcome, recorder, made->replay, play);
    good =
        replay_results_finish(results, outcome, calls < made->replay->calls->len, ret_text, NULL);
    g_free(outcome);
    replay_play_free(play);
    return good;
}

static json_t *summary_of(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "summary.json", NULL);

    return json_load_file(path, 0, NULL);
}

static void replay_of_its_own_leaves_results_as_a_run_does(void)
{
    g_auto(Made) made = make(4);
    g_autofree char *dir = g_dir_make_tmp("peal-replay-XXXXXX", NULL), *text = NULL;
    ReplayResults *results = open_results(dir, made.replay);
    json_t *root;

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT(finish_results(results, &made, 4, &text));
    replay_results_close(results);
    CU_ASSERT_EQUAL(count_of(text, " -> "), 4);
    root = summary_of(dir);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "name")), "made");
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(root, "world")), "sockets");
    CU_ASSERT(json_is_false(json_object_get(root, "partial")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(root, "peers")), 2);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "trace"), "refused")),
                    1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "replay"), "refused")),
                    1);
    json_decref(root);
    CU_ASSERT_PTR_NULL(open_results(dir, made.replay)); /* there already */
    remove_tree(dir);
}

static void interrupted_replay_is_partial_and_may_be_done_again(void)
{
    g_auto(Made) made = make(4);
    g_autofree char *dir = g_dir_make_tmp("peal-replay-XXXXXX", NULL);
    ReplayResults *results = open_results(dir, made.replay);
    json_t *root;

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT(finish_results(results, &made, 2, NULL));
    replay_results_close(results);
    root = summary_of(dir);
    CU_ASSERT(json_is_true(json_object_get(root, "partial")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "replay"), "begun")),
                    2);
    json_decref(root);
    results = open_results(dir, made.replay);
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT(finish_results(results, &made, 4, NULL));
    replay_results_close(results);
    root = summary_of(dir);
    CU_ASSERT(json_is_false(json_object_get(root, "partial")));
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json_object_get(root, "replay"), "begun")),
                    4);
    json_decref(root);
    remove_tree(dir);
}

static void names_that_no_terminal_should_see_are_made_harmless(void)
{
    g_auto(Made) made = make(1);
    ReplayUser *caller = &g_array_index(made.replay->users, ReplayUser, 0);
    ReplayUser *callee = &g_array_index(made.replay->users, ReplayUser, 1);
    g_autofree char *text = NULL;

    g_free(caller->aor);
    caller->aor = g_strdup("sip:a\033[2J\xff@peal.example");
    g_free(callee->aor);
    callee->aor = g_strdup("sip:a-name-of-more-letters-than-a-line-has-room-for@peal.example");
    text = report_of(&made, 0, true);
    CU_ASSERT_PTR_NULL(strchr(text, '\033'));
    CU_ASSERT(g_utf8_validate(text, -1, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "a?[2J"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "-> a-name-of-more-letters-…"));
}

PEAL_TEST_MAIN(
    "scenarios/replay_results", PEAL_TEST(figures_say_what_ended_as_in_the_trace),
    PEAL_TEST(report_lists_few_calls_each_with_both_ends),
    PEAL_TEST(report_of_many_calls_lists_those_that_ended_otherwise_and_says_where_all_are),
    PEAL_TEST(report_without_the_list_has_only_what_ended_otherwise),
    PEAL_TEST(replay_of_its_own_leaves_results_as_a_run_does),
    PEAL_TEST(interrupted_replay_is_partial_and_may_be_done_again),
    PEAL_TEST(names_that_no_terminal_should_see_are_made_harmless))
