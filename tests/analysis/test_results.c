/*
 * test_results.c - the results directory: summary.json, results.db, refusals, resuming, CSV.
 */
#include "recording.h"
#include "scratch.h"

#include <analysis/results.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <peal_test.h>
#include <sqlite3.h>

static char *make_dir(void)
{
    return g_dir_make_tmp("peal-results-XXXXXX", NULL);
}

static ResultsConfig config_for(const char *dir)
{
    return (ResultsConfig){.dir = dir,
                           .name = "lookup",
                           .version = "0.1.0",
                           .crypto = "none",
                           .seed = 42,
                           .scenario = "[scenario]\nname = lookup\n",
                           .points = 1,
                           .replications = 3};
}

/* number  ten times the point, and the replication */
static bool add_or_write(Results *results, const char *dir, unsigned number, double hops_mean,
                         int64_t stop_s)
{
    unsigned point = number / 10, replication = number % 10;
    Recording recording = {.seed = 100 * point + replication,
                           .hops_mean = hops_mean,
                           .duration_s = 60,
                           .warmup_s = 10,
                           .per_second = 20,
                           .stop_s = stop_s};
    Recorder *recorder = recording_play(&recording);
    ResultsFigure figure = {.name = "ring.cycles", .value = 1, .kind = RESULTS_MEAN};
    ResultsReplication head = {.point = point,
                               .replication = replication,
                               .seed = 42 + replication,
                               .fingerprint = UINT64_C(0xf000000000000001) + replication,
                               .peers = 1000,
                               .figures = &figure,
                               .figures_len = 1,
                               .wall_seconds = 0.5 + replication,
                               .events = 1000,
                               .messages = 500,
                               .peak_rss_bytes = 1000000 + replication};
    GError *error = NULL;
    bool good = results != NULL ? results_add_replication(results, &head, recorder, &error)
                                : results_write_part(dir, &head, recorder, &error);

    CU_ASSERT_PTR_NULL(error);
    recorder_free(recorder);
    return good;
}

static bool add(Results *results, unsigned point, unsigned replication, double hops_mean,
                int64_t stop_s)
{
    return add_or_write(results, NULL, point * 10 + replication, hops_mean, stop_s);
}

/* The same, as a process beside the one that has the results open does it. */
static bool write_part(const char *dir, unsigned replication, double hops_mean, int64_t stop_s)
{
    return add_or_write(NULL, dir, replication, hops_mean, stop_s);
}

/* The summary of three replications in a directory. */
static json_t *three_replications(const char *dir)
{
    ResultsConfig config = config_for(dir);
    g_autoptr(Results) results = results_open(&config, NULL);
    g_autofree char *path = g_build_filename(dir, "summary.json", NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT(add(results, 0, i, 5, 0));
    }
    CU_ASSERT(results_finish(results, NULL));
    CU_ASSERT(results_write_summary(results, NULL));
    return json_load_file(path, 0, NULL);
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

static void summary_has_the_fields_that_others_rely_on(void)
{
    static const char *const numbers[] = {"seed",
                                          "peers",
                                          "lookups/started",
                                          "lookups/succeeded",
                                          "lookups/correct",
                                          "lookups/found",
                                          "lookups/hops/mean",
                                          "lookups/hops/p50",
                                          "lookups/hops/p95",
                                          "lookups/hops/p99",
                                          "lookups/latency_ms/mean",
                                          "lookups/latency_ms/p50",
                                          "lookups/latency_ms/p95",
                                          "lookups/latency_ms/p99",
                                          "messages/delivered",
                                          "messages/bytes",
                                          "link/acks",
                                          "link/retransmissions",
                                          "engine/wall_seconds",
                                          "engine/messages_per_second",
                                          "engine/events_per_second",
                                          "engine/peak_rss_bytes",
                                          "lookups/hops/ci95/0",
                                          "lookups/latency_ms/ci95/1",
                                          "ring/cycles/mean",
                                          "replications/2/lookups/hops/mean",
                                          "replications/2/seed",
                                          "drops/ttl",
                                          "messages/by_code/fetch_req",
                                          "load/messages/p99",
                                          "simulated_seconds"};
    g_autofree char *dir = make_dir();
    json_t *summary = three_replications(dir);

    CU_ASSERT_PTR_NOT_NULL_FATAL(summary);
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (isnan(number_at(summary, numbers[i]))) {
            CU_FAIL(numbers[i]);
            printf("# %s is not there\n", numbers[i]);
        }
    }
    CU_ASSERT_STRING_EQUAL(json_string_value(at(summary, "crypto")), "none");
    CU_ASSERT_STRING_EQUAL(json_string_value(at(summary, "world")), "simulation");
    CU_ASSERT_STRING_EQUAL(json_string_value(at(summary, "version")), "0.1.0");
    CU_ASSERT(json_is_false(at(summary, "partial")));
    CU_ASSERT_PTR_NULL(at(summary, "points"));
    CU_ASSERT_EQUAL(json_array_size(at(summary, "replications")), 3);
    json_decref(summary);
    remove_tree(dir);
}

static void summary_sums_counts_and_fingerprints_over_replications(void)
{
    g_autofree char *dir = make_dir();
    json_t *summary = three_replications(dir);

    CU_ASSERT_EQUAL(number_at(summary, "lookups/started"), 3 * 50 * 20);
    CU_ASSERT_EQUAL(number_at(summary, "messages/delivered"), 50 * (1000 + 1001 + 1002));
    CU_ASSERT_EQUAL(number_at(summary, "simulated_seconds"), 180);
    CU_ASSERT_EQUAL(number_at(summary, "engine/wall_seconds"), 4.5);
    CU_ASSERT_DOUBLE_EQUAL(number_at(summary, "engine/events_per_second"), 3000 / 4.5, 1e-6);
    CU_ASSERT_EQUAL(number_at(summary, "engine/peak_rss_bytes"), 1000002);
    /* 3 * 0xf000000000000001 + 0 + 1 + 2, modulo 2^64 */
    CU_ASSERT_STRING_EQUAL(json_string_value(at(summary, "fingerprint")), "d000000000000006");
    json_decref(summary);
    remove_tree(dir);
}

static void summary_interval_is_students_over_the_replications(void)
{
    g_autofree char *dir = make_dir();
    json_t *summary = three_replications(dir);
    double mean[3], sum = 0, squares = 0, half;

    for (size_t i = 0; i < 3; i++) {
        g_autofree char *path = g_strdup_printf("replications/%zu/lookups/hops/mean", i);

        mean[i] = number_at(summary, path);
        sum += mean[i];
    }
    for (size_t i = 0; i < 3; i++) {
        squares += (mean[i] - sum / 3) * (mean[i] - sum / 3);
    }
    half = 4.30265272991 * sqrt(squares / 2 / 3); /* t(0.975, 2) */
    CU_ASSERT(half > 0);
    CU_ASSERT_DOUBLE_EQUAL(number_at(summary, "lookups/hops/mean"), sum / 3, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(number_at(summary, "lookups/hops/ci95/0"), sum / 3 - half, 1e-8);
    CU_ASSERT_DOUBLE_EQUAL(number_at(summary, "lookups/hops/ci95/1"), sum / 3 + half, 1e-8);
    json_decref(summary);
    remove_tree(dir);
}

static void summary_of_equal_runs_is_equal(void)
{
    char *dirs[2] = {make_dir(), make_dir()};
    json_t *one = three_replications(dirs[0]);
    json_t *other = three_replications(dirs[1]);
    char *texts[2] = {json_dumps(one, 0), json_dumps(other, 0)};

    CU_ASSERT_STRING_EQUAL(texts[0], texts[1]);
    free(texts[0]);
    free(texts[1]);
    json_decref(one);
    json_decref(other);
    remove_tree(dirs[0]);
    remove_tree(dirs[1]);
    g_free(dirs[0]);
    g_free(dirs[1]);
}

static void summary_of_one_replication_has_null_intervals(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    g_autoptr(Results) results = NULL;
    g_autofree char *text = NULL;
    json_t *summary;

    config.replications = 1;
    results = results_open(&config, NULL);
    CU_ASSERT(add(results, 0, 0, 5, 0));
    CU_ASSERT(results_finish(results, NULL));
    text = results_summary_text(results, NULL);
    summary = json_loads(text, 0, NULL);
    CU_ASSERT(json_is_null(at(summary, "lookups/hops/ci95")));
    CU_ASSERT(json_is_false(at(summary, "partial")));
    json_decref(summary);
    remove_tree(dir);
}

static void summary_of_a_sweep_lists_points_with_their_parameters(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    g_autoptr(Results) results = NULL;
    g_autofree char *text = NULL;
    static const char *const peers[] = {"100", "1000"};
    json_t *summary, *described;

    config.points = 2;
    config.replications = 2;
    config.sweep = true;
    results = results_open(&config, NULL);
    for (unsigned i = 0; i < 4; i++) {
        ResultsParameter parameters[] = {{"overlay.peers", peers[i / 2], true},
                                         {"network.loss", "0%", false}};

        CU_ASSERT(results_set_point(results, i / 2, parameters, 2, NULL));
        CU_ASSERT(add(results, i / 2, i % 2, i < 2 ? 4 : 5, 0));
    }
    text = results_summary_text(results, NULL);
    summary = json_loads(text, 0, NULL);
    CU_ASSERT_EQUAL(json_array_size(at(summary, "points")), 2);
    described = at(summary, "points/1/parameters");
    CU_ASSERT_EQUAL(json_object_size(described), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(described, "overlay.peers")), 1000);
    CU_ASSERT(number_at(summary, "points/1/lookups/hops/mean") >
              number_at(summary, "points/0/lookups/hops/mean"));
    CU_ASSERT_EQUAL(json_array_size(at(summary, "points/0/replications")), 2);
    CU_ASSERT_PTR_NOT_NULL(at(summary, "fingerprint"));
    CU_ASSERT_PTR_NULL(at(summary, "lookups"));
    json_decref(summary);
    remove_tree(dir);
}

static void interrupted_run_says_that_it_is_partial(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    g_autoptr(Results) results = results_open(&config, NULL);
    g_autofree char *text = NULL;
    json_t *summary;

    CU_ASSERT(add(results, 0, 0, 5, 0));
    CU_ASSERT(add(results, 0, 1, 5, 30));
    text = results_summary_text(results, NULL);
    summary = json_loads(text, 0, NULL);
    CU_ASSERT(json_is_true(at(summary, "partial")));
    CU_ASSERT_PTR_NULL(at(summary, "replications/0/partial"));
    CU_ASSERT(json_is_true(at(summary, "replications/1/partial")));
    CU_ASSERT_EQUAL(number_at(summary, "simulated_seconds"), 90);
    json_decref(summary);
    remove_tree(dir);
}

static void unfinished_run_resumes_without_its_interrupted_replication(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    Results *results = results_open(&config, NULL);

    CU_ASSERT(add(results, 0, 0, 5, 0));
    CU_ASSERT(add(results, 0, 1, 5, 30));
    results_close(results);
    results = results_open(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT_TRUE(results_has(results, 0, 0));
    CU_ASSERT_FALSE(results_has(results, 0, 1));
    CU_ASSERT_FALSE(results_has(results, 0, 2));
    CU_ASSERT(add(results, 0, 1, 5, 0));
    results_close(results);
    remove_tree(dir);
}

static void parts_in_any_order_make_the_same_summary_as_replications_in_turn(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *other = make_dir();
    g_autofree char *parts = g_build_filename(other, "parts", NULL);
    g_autofree char *path = g_build_filename(dir, "summary.json", NULL);
    g_autofree char *text = NULL;
    g_autofree char *expected = NULL;
    static const unsigned order[] = {2, 0, 1};
    ResultsConfig config = config_for(other);
    Results *results = results_open(&config, NULL);

    json_decref(three_replications(dir));
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        CU_ASSERT(write_part(other, order[i], 5, 0));
        CU_ASSERT(results_take_part(results, 0, order[i], NULL));
    }
    CU_ASSERT(results_finish(results, NULL));
    text = results_summary_text(results, NULL);
    CU_ASSERT_FATAL(g_file_get_contents(path, &expected, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(text, expected);
    results_close(results);
    CU_ASSERT_FALSE(g_file_test(parts, G_FILE_TEST_EXISTS));
    remove_tree(dir);
    remove_tree(other);
}

static void parts_of_a_killed_run_are_taken_in_when_it_is_resumed(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *parts = g_build_filename(dir, "parts", NULL);
    g_autofree char *cut_off = g_build_filename(parts, "0-2.db.tmp", NULL);
    ResultsConfig config = config_for(dir);
    Results *results = results_open(&config, NULL);

    CU_ASSERT(write_part(dir, 0, 5, 0));
    CU_ASSERT(write_part(dir, 1, 5, 30)); /* interrupted */
    CU_ASSERT(g_file_set_contents(cut_off, "SQLite format 3", -1, NULL));
    results_close(results);
    results = results_open(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT_TRUE(results_has(results, 0, 0));
    CU_ASSERT_FALSE(results_has(results, 0, 1));
    CU_ASSERT_FALSE(results_has(results, 0, 2));
    CU_ASSERT_FALSE(g_file_test(parts, G_FILE_TEST_EXISTS));
    results_close(results);
    remove_tree(dir);
}

static void mean_of_a_figure_is_of_the_first_replications(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *names = NULL;
    ResultsConfig config = config_for(dir);
    Results *results = results_open(&config, NULL);
    ResultsMean all, first, none;

    for (unsigned i = 0; i < 3; i++) {
        CU_ASSERT(add(results, 0, i, 5 + i, 0));
    }
    CU_ASSERT(results_mean(results, 0, "lookups.hops", 3, &all, NULL));
    CU_ASSERT(results_mean(results, 0, "lookups.hops", 2, &first, NULL));
    CU_ASSERT(all.known && all.mean.count == 3 && first.mean.count == 2);
    CU_ASSERT(all.mean.mean > first.mean.mean);
    CU_ASSERT(results_mean(results, 0, "lookups.success_rate", 3, &all, NULL));
    CU_ASSERT(all.rate && all.mean.ci95.low < all.mean.mean);
    CU_ASSERT(results_mean(results, 0, "lookups.luck", 3, &none, NULL));
    CU_ASSERT_FALSE(none.known);
    names = results_figure_names(results, 0);
    CU_ASSERT(g_str_has_prefix(names, "lookups.started lookups.succeeded "));
    results_close(results);
    remove_tree(dir);
}

static void precision_is_in_the_summary(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    Results *results = results_open(&config, NULL);
    ResultsPrecision precision = {"lookups.hops", 0.02, 0.01, 3};
    g_autofree char *text = NULL;
    json_t *summary;

    CU_ASSERT(add(results, 0, 0, 5, 0));
    CU_ASSERT(results_set_precision(results, 0, &precision, NULL));
    text = results_summary_text(results, NULL);
    summary = json_loads(text, 0, NULL);
    CU_ASSERT_EQUAL(number_at(summary, "precision/wanted"), 0.02);
    CU_ASSERT_EQUAL(number_at(summary, "precision/reached"), 0.01);
    CU_ASSERT(json_is_true(at(summary, "precision/met")));
    json_decref(summary);
    results_close(results);
    remove_tree(dir);
}

static void other_results_are_refused_and_left_alone(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    g_autofree char *path = g_build_filename(dir, "summary.json", NULL);
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    GError *error = NULL;

    json_decref(three_replications(dir));
    CU_ASSERT(g_file_get_contents(path, &before, NULL, NULL));
    CU_ASSERT_PTR_NULL(results_open(&config, &error)); /* the same run, but finished */
    CU_ASSERT(g_error_matches(error, RESULTS_ERROR, RESULTS_ERROR_EXISTS));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, dir));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "--force"));
    g_clear_error(&error);
    config.seed = 43;
    CU_ASSERT_PTR_NULL(results_open(&config, &error));
    CU_ASSERT(g_error_matches(error, RESULTS_ERROR, RESULTS_ERROR_EXISTS));
    g_clear_error(&error);
    CU_ASSERT(g_file_get_contents(path, &after, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(before, after);
    remove_tree(dir);
}

static void force_replaces_results_and_nothing_else(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    g_autofree char *summary = g_build_filename(dir, "summary.json", NULL);
    g_autofree char *plots = g_build_filename(dir, "plots", NULL);
    g_autofree char *script = g_build_filename(plots, "hops.gp", NULL);
    g_autofree char *plot = g_build_filename(plots, "hops.png", NULL);
    g_autofree char *notes = g_build_filename(plots, "notes.txt", NULL);
    g_autofree char *image = g_build_filename(plots, "photo.png", NULL);
    g_autofree char *own_script = g_build_filename(plots, "photo.gp", NULL);
    g_autofree char *csv = g_build_filename(dir, "csv", NULL);
    g_autofree char *exported = g_build_filename(csv, "series.csv", NULL);
    g_autofree char *table = g_build_filename(csv, "survey.csv", NULL);
    Results *results;

    json_decref(three_replications(dir));
    CU_ASSERT_TRUE(results_export_csv(dir, NULL, NULL));
    g_mkdir(plots, 0777);
    g_file_set_contents(script, "# gnuplot hops.gp draws hops.svg", -1, NULL);
    g_file_set_contents(plot, "old", -1, NULL);
    g_file_set_contents(notes, "mine", -1, NULL);
    g_file_set_contents(image, "mine", -1, NULL);
    g_file_set_contents(own_script, "plot sin(x)", -1, NULL);
    g_file_set_contents(table, "mine", -1, NULL);
    config.force = true;
    results = results_open(&config, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT_FALSE(results_has(results, 0, 0));
    CU_ASSERT_FALSE(g_file_test(summary, G_FILE_TEST_EXISTS));
    CU_ASSERT_FALSE(g_file_test(script, G_FILE_TEST_EXISTS));
    CU_ASSERT_FALSE(g_file_test(plot, G_FILE_TEST_EXISTS));
    CU_ASSERT_FALSE(g_file_test(exported, G_FILE_TEST_EXISTS));
    CU_ASSERT(g_file_test(notes, G_FILE_TEST_EXISTS));
    CU_ASSERT(g_file_test(image, G_FILE_TEST_EXISTS));
    CU_ASSERT(g_file_test(own_script, G_FILE_TEST_EXISTS));
    CU_ASSERT(g_file_test(table, G_FILE_TEST_EXISTS));
    results_close(results);
    remove_tree(dir);
}

/* Opens a directory by force whose results.db has this text, or is another program's database when
 * it is NULL. */
static bool force_takes(const char *text, gssize len)
{
    g_autofree char *dir = make_dir();
    g_autofree char *path = g_build_filename(dir, "results.db", NULL);
    ResultsConfig config = config_for(dir);
    Results *results;
    sqlite3 *db = NULL;
    bool taken;

    if (text != NULL) {
        g_file_set_contents(path, text, len, NULL);
    } else {
        CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
        CU_ASSERT_EQUAL(sqlite3_exec(db, "CREATE TABLE savings (euro)", NULL, NULL, NULL),
                        SQLITE_OK);
        sqlite3_close(db);
    }
    config.force = true;
    results = results_open(&config, NULL);
    taken = results != NULL;
    CU_ASSERT(g_file_test(path, G_FILE_TEST_EXISTS));
    results_close(results);
    remove_tree(dir);
    return taken;
}

static void force_leaves_a_database_of_others_alone(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *path = g_build_filename(dir, "results.db", NULL);
    g_autofree char *whole = NULL;
    gsize len = 0;

    json_decref(three_replications(dir));
    CU_ASSERT_FATAL(g_file_get_contents(path, &whole, &len, NULL));
    CU_ASSERT_FALSE(force_takes(NULL, 0));
    CU_ASSERT_FALSE(force_takes("Dear diary, today I learnt SQL.", -1));
    CU_ASSERT_TRUE(force_takes("", 0));
    CU_ASSERT_TRUE(force_takes(whole, (gssize)len));
    CU_ASSERT_TRUE(force_takes(whole, (gssize)len / 2));
    CU_ASSERT_TRUE(force_takes(whole, 5000));
    remove_tree(dir);
}

static void place_that_cannot_be_written_is_named_with_the_remedy(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *file = g_build_filename(dir, "file", NULL);
    g_autofree char *below = g_build_filename(file, "out", NULL);
    const char *places[] = {file, below, "/proc/peal/out"};
    GError *error = NULL;

    g_file_set_contents(file, "", -1, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        ResultsConfig config = config_for(places[i]);

        CU_ASSERT_PTR_NULL(results_open(&config, &error));
        CU_ASSERT(g_error_matches(error, RESULTS_ERROR, RESULTS_ERROR_WRITE));
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, places[i]));
        CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "--out"));
        g_clear_error(&error);
    }
    remove_tree(dir);
}

static void two_runs_cannot_write_into_one_directory(void)
{
    g_autofree char *dir = make_dir();
    ResultsConfig config = config_for(dir);
    Results *first = results_open(&config, NULL);
    GError *error = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NULL(results_open(&config, &error));
    CU_ASSERT(g_error_matches(error, RESULTS_ERROR, RESULTS_ERROR_EXISTS));
    g_clear_error(&error);
    results_close(first);
    remove_tree(dir);
}

static gpointer end_reading(gpointer db)
{
    g_usleep(50 * 1000);
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    return NULL;
}

static void reader_of_a_running_run_does_not_make_it_fail(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *path = g_build_filename(dir, "results.db", NULL);
    ResultsConfig config = config_for(dir);
    Results *results = results_open(&config, NULL);
    sqlite3 *reader = NULL;
    GThread *thread;

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &reader), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM replications", NULL, NULL,
                                 NULL),
                    SQLITE_OK);
    thread = g_thread_new("reader", end_reading, reader);
    CU_ASSERT_TRUE(add(results, 0, 0, 4, 60));
    g_thread_join(thread);
    CU_ASSERT_TRUE(results_has(results, 0, 0));
    sqlite3_close(reader);
    results_close(results);
    remove_tree(dir);
}

static sqlite3_int64 query_number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *query = NULL;
    sqlite3_int64 value = -1;

    CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, sql, -1, &query, NULL), SQLITE_OK);
    if (sqlite3_step(query) == SQLITE_ROW) {
        value = sqlite3_column_int64(query, 0);
    }
    sqlite3_finalize(query);
    return value;
}

static void database_rows_agree_with_each_other(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *path = g_build_filename(dir, "results.db", NULL);
    sqlite3 *db = NULL;

    json_decref(three_replications(dir));
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM replications"), 3);
    CU_ASSERT_EQUAL(query_number(db, "SELECT sum(lookups_started) FROM series"), 3 * 60 * 20);
    CU_ASSERT_EQUAL(query_number(db, "SELECT sum(count) FROM histograms"
                                     " WHERE name = 'lookups.hops'"),
                    3 * 50 * 20);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM lookups"), 3 * 50 * 20);
    CU_ASSERT_EQUAL(query_number(db, "SELECT sum(messages) FROM series WHERE start_s >= 10"),
                    query_number(db, "SELECT sum(value) FROM figures"
                                     " WHERE name = 'messages.delivered'"));
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM peers"), 300);
    CU_ASSERT_EQUAL(query_number(db, "SELECT length(key) FROM lookups LIMIT 1"), 16);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM distributions WHERE count <> (SELECT"
                                     " sum(h.count) FROM histograms h WHERE h.name ="
                                     " distributions.name AND h.replication_id ="
                                     " distributions.replication_id)"),
                    0);
    sqlite3_close(db);
    remove_tree(dir);
}

static void csv_has_a_header_and_a_line_for_each_row(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *path = g_build_filename(dir, "csv", "series.csv", NULL);
    g_autofree char *parameters = g_build_filename(dir, "csv", "run.csv", NULL);
    g_autofree char *text = NULL;
    g_autofree char *quoted = NULL;
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    unsigned lines = 0;

    json_decref(three_replications(dir));
    CU_ASSERT(results_export_csv(dir, files, NULL));
    CU_ASSERT_EQUAL(files->len, 21);
    CU_ASSERT_FATAL(g_file_get_contents(path, &text, NULL, NULL));
    CU_ASSERT(g_str_has_prefix(text, "replication_id,start_s,end_s,lookups_started,"));
    for (const char *c = text; *c != '\0'; c++) {
        lines += *c == '\n';
    }
    CU_ASSERT_EQUAL(lines, 1 + 3 * 60);
    CU_ASSERT_FATAL(g_file_get_contents(parameters, &quoted, NULL, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(quoted, "scenario,\"[scenario]\nname = lookup\n\"\n"));
    remove_tree(dir);
}

static void csv_of_no_results_is_refused(void)
{
    g_autofree char *dir = make_dir();
    GError *error = NULL;

    CU_ASSERT_FALSE(results_export_csv(dir, NULL, &error));
    CU_ASSERT(g_error_matches(error, RESULTS_ERROR, RESULTS_ERROR_READ));
    g_clear_error(&error);
    remove_tree(dir);
}

static void calls_are_told_where_there_are_any(void)
{
    g_autofree char *dir = make_dir();
    g_autofree char *path = g_build_filename(dir, "results.db", NULL);
    ResultsConfig config = config_for(dir);
    Results *results = results_open(&config, NULL);
    Recording recording = {
        .hops_mean = 5, .duration_s = 60, .warmup_s = 10, .per_second = 1, .calls_per_second = 4};
    json_t *root;
    sqlite3 *db = NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    for (unsigned i = 0; i < 3; i++) {
        ResultsReplication head = {.replication = i};
        Recorder *recorder;

        recording.seed = i;
        recorder = recording_play(&recording);
        CU_ASSERT(results_add_replication(results, &head, recorder, NULL));
        recorder_free(recorder);
    }
    CU_ASSERT(results_write_summary(results, NULL));
    results_close(results);
    {
        g_autofree char *summary = g_build_filename(dir, "summary.json", NULL);

        root = json_load_file(summary, 0, NULL);
    }
    CU_ASSERT_EQUAL(number_at(root, "calls/started"), 3 * 200);
    CU_ASSERT_EQUAL(number_at(root, "calls/answered"), 3 * 180);
    CU_ASSERT_EQUAL(number_at(root, "calls/failed"), 3 * 20);
    CU_ASSERT_EQUAL(number_at(root, "calls/by_status/480"), 3 * 10);
    CU_ASSERT_EQUAL(number_at(root, "calls/by_status/408"), 3 * 10);
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "calls/answer_rate/mean"), 0.9, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "calls/setup_ms/mean"), 150, 1);
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "calls/setup_ms/p95"), 195, 3);
    CU_ASSERT(json_is_array(at(root, "calls/setup_ms/ci95")));
    CU_ASSERT_DOUBLE_EQUAL(number_at(root, "replications/0/calls/answer_ms/p50"), 200, 3);
    json_decref(root);
    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM calls"), 3 * 200);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM calls WHERE setup_ns IS NULL"), 3 * 20);
    CU_ASSERT_EQUAL(query_number(db, "SELECT sum(calls_answered) FROM series"), 3 * 216);
    CU_ASSERT_EQUAL(query_number(db, "SELECT count(*) FROM series WHERE setup_ms_p50 > 0"),
                    query_number(db, "SELECT count(*) FROM series"));
    sqlite3_close(db);
    remove_tree(dir);
}

static void runs_without_calls_have_no_figures_of_them(void)
{
    g_autofree char *dir = make_dir();
    json_t *root = three_replications(dir);

    CU_ASSERT_PTR_NULL(at(root, "calls"));
    CU_ASSERT_PTR_NULL(at(root, "replications/0/calls"));
    json_decref(root);
    remove_tree(dir);
}

PEAL_TEST_MAIN("analysis/results", PEAL_TEST(summary_has_the_fields_that_others_rely_on),
               PEAL_TEST(summary_sums_counts_and_fingerprints_over_replications),
               PEAL_TEST(summary_interval_is_students_over_the_replications),
               PEAL_TEST(summary_of_equal_runs_is_equal),
               PEAL_TEST(summary_of_one_replication_has_null_intervals),
               PEAL_TEST(summary_of_a_sweep_lists_points_with_their_parameters),
               PEAL_TEST(parts_in_any_order_make_the_same_summary_as_replications_in_turn),
               PEAL_TEST(parts_of_a_killed_run_are_taken_in_when_it_is_resumed),
               PEAL_TEST(mean_of_a_figure_is_of_the_first_replications),
               PEAL_TEST(precision_is_in_the_summary),
               PEAL_TEST(interrupted_run_says_that_it_is_partial),
               PEAL_TEST(unfinished_run_resumes_without_its_interrupted_replication),
               PEAL_TEST(other_results_are_refused_and_left_alone),
               PEAL_TEST(force_replaces_results_and_nothing_else),
               PEAL_TEST(force_leaves_a_database_of_others_alone),
               PEAL_TEST(place_that_cannot_be_written_is_named_with_the_remedy),
               PEAL_TEST(two_runs_cannot_write_into_one_directory),
               PEAL_TEST(reader_of_a_running_run_does_not_make_it_fail),
               PEAL_TEST(database_rows_agree_with_each_other),
               PEAL_TEST(csv_has_a_header_and_a_line_for_each_row),
               PEAL_TEST(csv_of_no_results_is_refused),
               PEAL_TEST(calls_are_told_where_there_are_any),
               PEAL_TEST(runs_without_calls_have_no_figures_of_them))
