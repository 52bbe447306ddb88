/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_results_trace.c - what results keep of a replayed trace and of its calls.
 */
#include "replayed.h"
#include "scratch.h"

#include <analysis/results.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <peal_test.h>
#include <sqlite3.h>

static sqlite3 *open_db(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, "results.db", NULL);
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static double query_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *query = NULL;
    double value = NAN;

    CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
    if (sqlite3_step(query) == SQLITE_ROW) {
        value = sqlite3_column_double(query, 0);
    }
    sqlite3_finalize(query);
    return value;
}

static double number_in(const char *dir, const char *sql)
{
    sqlite3 *db = open_db(dir);
    double value = query_number(db, sql);

    sqlite3_close(db);
    return value;
}

static json_t *at(json_t *root, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (char **part = parts; *part != NULL; part++) {
        root = json_is_array(root) ? json_array_get(root, g_ascii_strtoull(*part, NULL, 10))
                                   : json_object_get(root, *part);
    }
    return root;
}

static double number_at(json_t *root, const char *path)
{
    return json_is_number(at(root, path)) ? json_number_value(at(root, path)) : NAN;
}

/* Several points are those of a sweep. */
static ResultsConfig config_for(const char *dir, unsigned points, unsigned replications)
{
    return (ResultsConfig){.dir = dir,
                           .name = "run",
                           .version = "0",
                           .crypto = "none",
                           .scenario = "",
                           .points = points,
                           .sweep = points > 1,
                           .replications = replications};
}

static void calls_of_trace_and_replay_stand_beside_one_another(void)
{
    g_autofree char *dir = replayed_results(100, 2);
    sqlite3 *db = open_db(dir);

    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM trace_calls"), 100);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM replay_calls"), 200);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM trace_calls t JOIN replay_calls r"
                                     " USING (call) WHERE t.outcome = 'answered'"
                                     " AND r.outcome = 'refused' AND r.status = 486"
                                     " AND r.setup_ns IS NULL"),
                    2 * 2);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM replay_calls WHERE NOT begun AND"
                                     " outcome IS NULL AND started_ns IS NULL"),
                    2 * 2);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM trace_calls WHERE status IS NULL AND"
                                     " outcome = 'unanswered' AND final_ns IS NULL"),
                    10);
    CU_ASSERT_EQUAL(query_number(db, "SELECT answered + cancelled * 1000 + refused * 1000000"
                                     " + unanswered * 1e9 FROM trace"),
                    70 + 10e3 + 10e6 + 10e9);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM distributions"
                                     " WHERE name = 'replay.answer_ns' AND count = 66"),
                    2);
    sqlite3_close(db);
    remove_tree(dir);
}

static void call_under_way_has_an_outcome_once_it_is_answered(void)
{
    g_autofree char *dir = g_dir_make_tmp("peal-replayed-XXXXXX", NULL);
    ResultsConfig config = config_for(dir, 1, 1);
    Results *results = results_open(&config, NULL);
    Recording recording = {.duration_s = 10, .per_second = 1};
    Recorder *recorder = recording_play(&recording);
    ResultsReplication head = {.peers = 1};

    recorder_replayed(recorder,
                      &(RecorderReplayed){.call = 0, .begun = true, .setup = {-1}, .answer = {-1}});
    recorder_replayed(
        recorder,
        &(RecorderReplayed){.call = 1, .begun = true, .status = 200, .setup = {5}, .answer = {7}});
    CU_ASSERT(results_add_replication(results, &head, recorder, NULL));
    recorder_free(recorder);
    results_close(results);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM replay_calls WHERE call = 0"
                                   " AND outcome IS NULL AND NOT ended"),
                    1);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM replay_calls WHERE call = 1"
                                   " AND outcome = 'answered' AND NOT ended"),
                    1);
    remove_tree(dir);
}

static void summary_tells_of_the_trace_and_its_fits(void)
{
    g_autofree char *dir = replayed_results(1000, 3);
    g_autofree char *path = g_build_filename(dir, "summary.json", NULL);
    json_t *root = json_load_file(path, 0, NULL);

    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "trace/source")), "trace.pcap");
    CU_ASSERT_EQUAL(number_at(root, "trace/users"), 5);
    CU_ASSERT_EQUAL(number_at(root, "trace/calls"), 1000);
    CU_ASSERT_EQUAL(number_at(root, "trace/answered"), 700);
    CU_ASSERT_EQUAL(number_at(root, "trace/unanswered"), 100);
    CU_ASSERT_EQUAL(number_at(root, "trace/span_seconds"), 3000);
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "trace/setup_ms/p50"), 200, 10);
    CU_ASSERT_EQUAL(number_at(root, "trace/answer_ms/p50"), 4000);
    CU_ASSERT_EQUAL(number_at(root, "trace/speed"), 1);
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "replay/setup_ms/p50"), 900, 45);
    CU_ASSERT_EQUAL(number_at(root, "replay/calls"), 3000);
    CU_ASSERT(json_is_array(at(root, "replay/as_in_trace/ci95")));
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "trace/fits/interarrival/best")), "weibull");
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "trace/fits/interarrival/weibull/shape"), 0.7, 0.06);
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "trace/fits/holding/best")), "lognormal");
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "trace/fits/holding/lognormal/mu"), 4, 0.15);
    CU_ASSERT_EQUAL(number_at(root, "trace/fits/holding/n"), 700);
    CU_ASSERT_PTR_NULL(at(root, "replications/0/trace"));
    CU_ASSERT_EQUAL(number_at(root, "replications/0/replay/calls"), 1000);
    json_decref(root);
    remove_tree(dir);
}

static void spans_are_kept_sorted_few_and_to_their_end(void)
{
    g_autofree char *dir = replayed_results(20000, 1);
    sqlite3 *db = open_db(dir);

    CU_ASSERT(query_number(db, "SELECT count(*) FROM trace_spans"
                               " WHERE quantity = 'interarrival'") < 1000);
    CU_ASSERT(query_number(db, "SELECT count(*) FROM trace_spans"
                               " WHERE quantity = 'interarrival'") > 400);
    CU_ASSERT_EQUAL(query_number(db, "SELECT max(share) FROM trace_spans"
                                     " WHERE quantity = 'interarrival'"),
                    1);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM (SELECT share, lag(share) OVER (ORDER"
                                     " BY span_s) AS before FROM trace_spans WHERE"
                                     " quantity = 'interarrival') WHERE share <= before"),
                    0);
    sqlite3_close(db);
    remove_tree(dir);
}

static void trace_of_a_point_takes_the_place_of_another(void)
{
    g_autofree char *dir = g_dir_make_tmp("peal-replayed-XXXXXX", NULL);
    ResultsConfig config = config_for(dir, 2, 1);
    Replayed many = {80, 1}, few = {30, 1};
    Results *results = results_open(&config, NULL);

    CU_ASSERT(replayed_set(&many, results, 0));
    CU_ASSERT(replayed_set(&many, results, 1));
    CU_ASSERT(replayed_set(&few, results, 0));
    results_close(results);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM trace_calls WHERE point = 0"), 30);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM trace_calls WHERE point = 1"), 80);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT n FROM trace_fits WHERE point = 0"
                                   " AND quantity = 'interarrival' LIMIT 1"),
                    29);
    remove_tree(dir);
}

static void parts_carry_the_calls(void)
{
    g_autofree char *dir = g_dir_make_tmp("peal-replayed-XXXXXX", NULL);
    ResultsConfig config = config_for(dir, 1, 2);
    Replayed trace = {60, 1};
    Results *results = results_open(&config, NULL);
    Recording recording = {.duration_s = 10, .per_second = 1};

    CU_ASSERT(replayed_set(&trace, results, 0));
    for (unsigned i = 0; i < 2; i++) {
        ResultsReplication head = {.replication = i};
        Recorder *recorder = recording_play(&recording);

        replayed_record(&trace, recorder);
        CU_ASSERT(results_write_part(dir, &head, recorder, NULL));
        recorder_free(recorder);
    }
    CU_ASSERT(results_take_part(results, 0, 0, NULL));
    results_close(results); /* killed: the other part is left behind */
    results = results_open(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT(replayed_set(&trace, results, 0));
    results_close(results);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM replay_calls"), 120);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM trace_calls"), 60);
    remove_tree(dir);
}

static void runs_without_a_replay_say_nothing_of_one(void)
{
    g_autofree char *dir = g_dir_make_tmp("peal-replayed-XXXXXX", NULL);
    ResultsConfig config = config_for(dir, 1, 1);
    Results *results = results_open(&config, NULL);
    Recording recording = {.duration_s = 10, .per_second = 1};
    Recorder *recorder = recording_play(&recording);
    ResultsReplication head = {.peers = 1};
    g_autofree char *text = NULL;

    CU_ASSERT(results_add_replication(results, &head, recorder, NULL));
    text = results_summary_text(results, NULL);
    CU_ASSERT_PTR_NULL(strstr(text, "trace"));
    CU_ASSERT_PTR_NULL(strstr(text, "replay"));
    recorder_free(recorder);
    results_close(results);
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM distributions"
                                   " WHERE name LIKE 'replay%'"),
                    0);
    remove_tree(dir);
}

/* As the version before made them. */
static void make_older(const char *dir, const char *version)
{
    sqlite3 *db = open_db(dir);
    g_autofree char *sql =
        g_strdup_printf("DROP TABLE trace; DROP TABLE trace_calls; DROP TABLE trace_fits;"
                        "DROP TABLE trace_spans; DROP TABLE replay_calls;"
                        "UPDATE run SET value = '%s' WHERE key = 'schema'",
                        version);

    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void results_of_the_version_before_are_read_and_those_before_it_are_not(void)
{
    g_autofree char *dir = replayed_results(10, 1);
    g_autofree char *csv = g_build_filename(dir, "csv", "trace_calls.csv", NULL);
    g_autofree char *text = NULL;
    GError *error = NULL;

    make_older(dir, "3");
    CU_ASSERT(results_export_csv(dir, NULL, NULL));
    CU_ASSERT(g_file_get_contents(csv, &text, NULL, NULL));
    CU_ASSERT(g_str_has_prefix(text, "point,call,at_ns,caller,"));
    CU_ASSERT_PTR_NULL(strstr(text, "alice"));
    CU_ASSERT_EQUAL(number_in(dir, "SELECT count(*) FROM sqlite_schema WHERE name = 'trace'"), 0);
    {
        sqlite3 *db = open_db(dir);

        sqlite3_exec(db, "UPDATE run SET value = '2' WHERE key = 'schema'", NULL, NULL, NULL);
        sqlite3_close(db);
    }
    CU_ASSERT_FALSE(results_export_csv(dir, NULL, &error));
    CU_ASSERT(g_error_matches(error, RESULTS_ERROR, RESULTS_ERROR_READ));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "run the scenario again"));
    g_clear_error(&error);
    remove_tree(dir);
}

static void rest_of_a_trace_too_long_is_thinned_by_number(void)
{
    Recording recording = {.duration_s = 10, .per_second = 1};
    Recorder *recorder = recording_play(&recording);
    const RecorderReplayed *rows;
    size_t len;
    uint32_t step;

    CU_ASSERT_PTR_NULL(recorder_replayed_rows(recorder, &len, &step));
    CU_ASSERT_EQUAL(len, 0);
    for (uint32_t i = 0; i < RECORDER_REPLAYED_MAX; i++) {
        recorder_replayed(recorder, &(RecorderReplayed){.call = i});
    }
    (void)recorder_replayed_rows(recorder, &len, &step);
    CU_ASSERT_EQUAL(len, RECORDER_REPLAYED_MAX);
    CU_ASSERT_EQUAL(step, 1);
    for (uint32_t i = RECORDER_REPLAYED_MAX; i < 2 * RECORDER_REPLAYED_MAX; i++) {
        recorder_replayed(recorder, &(RecorderReplayed){.call = i});
    }
    rows = recorder_replayed_rows(recorder, &len, &step);
    CU_ASSERT_EQUAL(len, RECORDER_REPLAYED_MAX);
    CU_ASSERT_EQUAL(step, 2);
    CU_ASSERT_EQUAL(rows[12345].call, 2 * 12345);
    recorder_free(recorder);
}

static void open_ended_recording_is_whole_whenever_it_ends(void)
{
    RecorderConfig config = {.duration = peal_seconds(100), .open_ended = true};
    RecorderTotals totals = {0};
    Recorder *early = recorder_new(&config), *late = recorder_new(&config);

    while (recorder_next_sample(early).ns < peal_seconds(30).ns) {
        recorder_sample(early, recorder_next_sample(early), &totals);
    }
    recorder_finish(early, (PealTime){peal_seconds(30).ns}, &totals);
    CU_ASSERT_FALSE(recorder_figures(early)->interrupted);
    CU_ASSERT_EQUAL(recorder_figures(early)->window.ns, peal_seconds(30).ns);
    recorder_interrupted(early);
    CU_ASSERT(recorder_figures(early)->interrupted);
    while (recorder_next_sample(late).ns < PEAL_TIME_NEVER.ns) {
        recorder_sample(late, recorder_next_sample(late), &totals);
    }
    recorder_finish(late, (PealTime){peal_seconds(130).ns}, &totals);
    CU_ASSERT_EQUAL(recorder_figures(late)->end.ns, peal_seconds(100).ns);
    recorder_free(early);
    recorder_free(late);
}

PEAL_TEST_MAIN("analysis/results_trace",
               PEAL_TEST(calls_of_trace_and_replay_stand_beside_one_another),
               PEAL_TEST(call_under_way_has_an_outcome_once_it_is_answered),
               PEAL_TEST(summary_tells_of_the_trace_and_its_fits),
               PEAL_TEST(spans_are_kept_sorted_few_and_to_their_end),
               PEAL_TEST(trace_of_a_point_takes_the_place_of_another),
               PEAL_TEST(parts_carry_the_calls),
               PEAL_TEST(runs_without_a_replay_say_nothing_of_one),
               PEAL_TEST(results_of_the_version_before_are_read_and_those_before_it_are_not),
               PEAL_TEST(rest_of_a_trace_too_long_is_thinned_by_number),
               PEAL_TEST(open_ended_recording_is_whole_whenever_it_ends))
