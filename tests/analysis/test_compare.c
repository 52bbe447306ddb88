/*
 * test_compare.c - `peal compare` on made-up results: figures, pairs, refusals.
 */
#include "recording.h"
#include "scratch.h"

#include <analysis/compare.h>
#include <analysis/results.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <peal_test.h>
#include <sqlite3.h>
#include <unistd.h>

enum { DURATION_S = 120, WARMUP_S = 10, PER_SECOND = 50 };
#define MEASURED ((DURATION_S - WARMUP_S) * PER_SECOND)

/* Results of one run, in a directory below `base`. */
typedef struct Made {
    const char *name;
    uint64_t seed;
    uint64_t lookups_seed; /* what hops and latencies derive from */
    int64_t later_ms;      /* all lookups start and last this much longer */
    const char *latency;   /* a key of the scenario */
    uint32_t kept;         /* sampled rows; 0: the usual bound */
    unsigned points;
    const char *world;
    unsigned calls_per_second;
} Made;

static Recorder *play(const Made *made)
{
    RecorderConfig config = {.duration = peal_seconds(DURATION_S),
                             .warmup = peal_seconds(WARMUP_S),
                             .lookups = made->kept,
                             .calls = made->calls_per_second > 0};
    Recording recording = {.seed = made->lookups_seed,
                           .hops_mean = 3,
                           .duration_s = DURATION_S,
                           .warmup_s = WARMUP_S,
                           .per_second = PER_SECOND,
                           .calls_per_second = made->calls_per_second};
    Recorder *recorder = recorder_new(&config);
    RecorderTotals totals = {0};

    for (uint64_t i = 0; i < DURATION_S * PER_SECOND; i++) {
        RecorderLookup lookup = recording_lookup(&recording, i);

        lookup.succeeded = lookup.correct = true;
        lookup.key = peal_id_from_halves((PealIdHalves){i * 7919, made->seed});
        lookup.started.ns += made->later_ms * PEAL_NS_PER_MS;
        lookup.latency.ns += made->later_ms * PEAL_NS_PER_MS;
        recorder_lookup(recorder, &lookup);
    }
    for (uint64_t i = 0; i < (uint64_t)DURATION_S * made->calls_per_second; i++) {
        RecorderCall call = recording_call(&recording, i);

        call.setup.ns += made->later_ms * PEAL_NS_PER_MS;
        recorder_call(recorder, &call);
    }
    while (recorder_next_sample(recorder).ns < DURATION_S * PEAL_NS_PER_S) {
        recorder_sample(recorder, recorder_next_sample(recorder), &totals);
    }
    recorder_finish(recorder, (PealTime){DURATION_S * PEAL_NS_PER_S}, &totals);
    return recorder;
}

static char *make(const char *base, const Made *made)
{
    char *dir = g_build_filename(base, made->name, NULL);
    ResultsConfig config = {.dir = dir,
                            .name = "compared",
                            .version = "0.1.0",
                            .crypto = "none",
                            .world = made->world,
                            .seed = made->seed,
                            .scenario = "",
                            .points = MAX(made->points, 1),
                            .replications = 1};
    g_autoptr(Results) results = results_open(&config, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    for (unsigned i = 0; i < config.points; i++) {
        Recorder *recorder = play(made);
        ResultsParameter parameters[] = {{"network.latency", made->latency, false},
                                         {"overlay.peers", "100", false}};
        ResultsReplication head = {.point = i, .peers = 100, .wall_seconds = 1};

        CU_ASSERT(results_set_point(results, i, parameters, made->latency != NULL ? 2 : 0, NULL));
        CU_ASSERT(results_add_replication(results, &head, recorder, NULL));
        recorder_free(recorder);
    }
    return dir;
}

/* Runs the command with one stream in a file; what it wrote there comes back. */
static int run_compare(char *const *arguments, int stream, char **ret_output)
{
    g_autofree char *name = NULL;
    int file = g_file_open_tmp("peal-compare-XXXXXX", &name, NULL);
    int kept = dup(stream);
    char *argv[12] = {(char *)(uintptr_t) "compare"};
    int argc = 1, status;

    while (*arguments != NULL) {
        argv[argc++] = *arguments++;
    }
    fflush(NULL);
    dup2(file, stream);
    status = compare_main(argc, argv);
    fflush(NULL);
    dup2(kept, stream);
    close(kept);
    close(file);
    g_file_get_contents(name, ret_output, NULL, NULL);
    g_unlink(name);
    return status;
}

#define RUN(stream, ret_output, ...) run_compare((char *[]){__VA_ARGS__, NULL}, stream, ret_output)

static char JSON[] = "--json", NO_PLOT[] = "--no-plot", OUT[] = "--out";

/* The comparison of two runs as JSON, nothing drawn; the directories are gone after it. */
static json_t *compared(const Made *a, const Made *b)
{
    g_autofree char *base = g_dir_make_tmp("peal-compare-XXXXXX", NULL);
    g_autofree char *first = make(base, a);
    g_autofree char *second = make(base, b);
    g_autofree char *output = NULL;
    json_t *root;

    CU_ASSERT_EQUAL(RUN(STDOUT_FILENO, &output, first, second, JSON, NO_PLOT), 0);
    root = json_loads(output, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    remove_tree(base);
    return root;
}

static json_t *at(json_t *root, const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);

    for (char **part = parts; *part != NULL; part++) {
        root = json_object_get(root, *part);
    }
    return root;
}

static double real_at(json_t *root, const char *path)
{
    return json_number_value(at(root, path));
}

static void compare_of_equal_runs_finds_no_distance(void)
{
    Made a = {"a", 1, 5, 0, "constant:20ms", 0, 1, NULL, 0};
    Made b = {"b", 1, 5, 0, "constant:20ms", 0, 1, RESULTS_WORLD_SOCKETS, 0};
    json_t *root = compared(&a, &b);

    CU_ASSERT_EQUAL(real_at(root, "figures/lookups.latency_ms/ks_distance"), 0);
    CU_ASSERT_EQUAL(real_at(root, "figures/lookups.latency_ms/p_value"), 1);
    CU_ASSERT_EQUAL(real_at(root, "figures/lookups.hops/ks_distance"), 0);
    CU_ASSERT_EQUAL(json_object_size(at(root, "differences")), 0);
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "a/world")), "simulation");
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "b/world")), "sockets");
    CU_ASSERT_EQUAL(json_array_size(at(root, "files")), 0);
    json_decref(root);
}

static void compare_keeps_more_than_five_thousand_lookups_of_each(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    Made b = {"b", 1, 6, 0, NULL, 0, 1, NULL, 0};
    json_t *root = compared(&a, &b);

    CU_ASSERT(MEASURED > 5000);
    CU_ASSERT_EQUAL(real_at(root, "figures/lookups.latency_ms/a/n"), MEASURED);
    CU_ASSERT_EQUAL(real_at(root, "figures/lookups.latency_ms/a/measured"), MEASURED);
    CU_ASSERT_EQUAL(real_at(root, "figures/lookups.hops/b/n"), MEASURED);
    json_decref(root);
}

static void compare_says_how_many_rows_were_sampled(void)
{
    Made a = {"a", 1, 5, 0, NULL, 1000, 1, NULL, 0};
    Made b = {"b", 1, 5, 0, NULL, 0, 1, NULL, 0};
    g_autofree char *base = g_dir_make_tmp("peal-compare-XXXXXX", NULL);
    g_autofree char *first = make(base, &a);
    g_autofree char *second = make(base, &b);
    g_autofree char *output = NULL;

    CU_ASSERT_EQUAL(RUN(STDOUT_FILENO, &output, first, second, NO_PLOT), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "A n = 1000 sampled of 5500,"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "B n = 5500, median"));
    remove_tree(base);
}

static void compare_matches_the_same_lookups_one_by_one(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    Made b = {"b", 1, 5, 3, NULL, 0, 1, NULL, 0};
    json_t *root = compared(&a, &b);
    double matched = real_at(root, "pairs/matched");

    /* Starting 3 ms later, none crosses the window's ends: a lookup starts every 20 ms. */
    CU_ASSERT_EQUAL(matched, MEASURED);
    CU_ASSERT_EQUAL(real_at(root, "pairs/only_a"), 0);
    CU_ASSERT_EQUAL(real_at(root, "pairs/hops_equal"), matched);
    CU_ASSERT_DOUBLE_EQUAL(real_at(root, "pairs/latency_difference_ms/mean"), 3, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(real_at(root, "pairs/latency_difference_ms/median"), 3, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(real_at(root, "pairs/latency_difference_ms/deviation"), 0, 1e-6);
    CU_ASSERT(real_at(root, "figures/lookups.latency_ms/ks_distance") > 0);
    json_decref(root);
}

static void compare_of_calls_sets_their_delays_beside_each_other(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 10};
    Made b = {"b", 1, 5, 3, NULL, 0, 1, NULL, 10};
    json_t *root = compared(&a, &b);

    /* Set-up takes 100 to 199 ms, each as often; every tenth call fails. */
    CU_ASSERT_EQUAL(real_at(root, "figures/calls.setup_ms/a/n"), 0.9 * 1100);
    CU_ASSERT_EQUAL(real_at(root, "figures/calls.setup_ms/a/measured"), 0.9 * 1100);
    CU_ASSERT_DOUBLE_EQUAL(real_at(root, "figures/calls.setup_ms/b/median") -
                               real_at(root, "figures/calls.setup_ms/a/median"),
                           3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(real_at(root, "figures/calls.setup_ms/ks_distance"), 0.03, 0.01);
    CU_ASSERT_EQUAL(real_at(root, "figures/calls.answer_ms/ks_distance"), 0);
    CU_ASSERT_EQUAL(real_at(root, "call_pairs/answered"), 0.9 * 1100);
    CU_ASSERT_EQUAL(real_at(root, "call_pairs/only_a"), 0);
    CU_ASSERT_EQUAL(real_at(root, "call_pairs/only_b"), 0);
    CU_ASSERT_DOUBLE_EQUAL(real_at(root, "call_pairs/setup_difference_ms/mean"), 3, 1e-6);
    json_decref(root);
}

static void compare_without_calls_says_nothing_of_them(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    json_t *root = compared(&a, &(Made){"b", 1, 5, 0, NULL, 0, 1, NULL, 0});

    CU_ASSERT_PTR_NULL(at(root, "figures/calls.setup_ms"));
    CU_ASSERT(json_is_null(at(root, "call_pairs")));
    json_decref(root);
}

static void compare_counts_equal_hops_of_other_draws(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    Made b = {"b", 1, 6, 0, NULL, 0, 1, NULL, 0};
    json_t *root = compared(&a, &b);

    CU_ASSERT_EQUAL(real_at(root, "pairs/answered"), MEASURED);
    CU_ASSERT(real_at(root, "pairs/hops_equal") > 0.2 * MEASURED);
    CU_ASSERT(real_at(root, "pairs/hops_equal") < 0.6 * MEASURED);
    /* The same distribution. */
    CU_ASSERT(real_at(root, "figures/lookups.latency_ms/ks_distance") < 0.04);
    CU_ASSERT(real_at(root, "figures/lookups.latency_ms/p_value") > 0.001);
    json_decref(root);
}

static void compare_of_other_seeds_matches_nothing(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    Made b = {"b", 2, 5, 0, NULL, 0, 1, NULL, 0};
    json_t *root = compared(&a, &b);

    CU_ASSERT(json_is_null(at(root, "pairs")));
    json_decref(root);
}

static void compare_does_not_match_lookups_far_apart_in_time(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    Made b = {"b", 1, 5, 600, NULL, 0, 1, NULL, 0};
    json_t *root = compared(&a, &b);

    CU_ASSERT(json_is_null(at(root, "pairs")));
    json_decref(root);
}

static void compare_names_the_keys_that_differ(void)
{
    Made a = {"a", 1, 5, 0, "constant:20ms", 0, 1, NULL, 0};
    Made b = {"b", 1, 5, 0, "synthetic", 0, 1, NULL, 0};
    json_t *root = compared(&a, &b);

    CU_ASSERT_EQUAL(json_object_size(at(root, "differences")), 1);
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "differences/network.latency/a")),
                           "constant:20ms");
    CU_ASSERT_STRING_EQUAL(json_string_value(at(root, "differences/network.latency/b")),
                           "synthetic");
    json_decref(root);
}

static bool starts_with(const char *dir, const char *file, const char *bytes)
{
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *contents = NULL;
    gsize len = 0;

    return g_file_get_contents(path, &contents, &len, NULL) && len > 1000 &&
           memcmp(contents, bytes, strlen(bytes)) == 0;
}

static void compare_draws_both_distributions_on_one_plot(void)
{
    static const char *const names[] = {"lookup-latency-cdf", "lookup-hops-cdf"};
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    Made b = {"b", 1, 6, 0, NULL, 0, 1, RESULTS_WORLD_SOCKETS, 0};
    g_autofree char *gnuplot = g_find_program_in_path("gnuplot");
    g_autofree char *base = NULL;
    g_autofree char *first = NULL;
    g_autofree char *second = NULL;
    g_autofree char *plots = NULL;
    g_autofree char *output = NULL;

    if (gnuplot == NULL) {
        PEAL_SKIP("needs gnuplot");
    }
    base = g_dir_make_tmp("peal-compare-XXXXXX", NULL);
    first = make(base, &a);
    second = make(base, &b);
    plots = g_build_filename(base, "new", "plots", NULL);
    CU_ASSERT_EQUAL(RUN(STDOUT_FILENO, &output, first, second, OUT, plots), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *svg = g_strconcat(names[i], ".svg", NULL);
        g_autofree char *png = g_strconcat(names[i], ".png", NULL);
        g_autofree char *script = g_strconcat("/plots/", names[i], ".gp\n", NULL);

        CU_ASSERT(starts_with(plots, svg, "<?xml"));
        CU_ASSERT(starts_with(plots, png, "\x89PNG"));
        CU_ASSERT_PTR_NOT_NULL(strstr(output, script));
    }
    remove_tree(base);
}

static void compare_without_gnuplot_names_the_way_out(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    g_autofree char *base = g_dir_make_tmp("peal-compare-XXXXXX", NULL);
    g_autofree char *first = make(base, &a);
    g_autofree char *path = g_strdup(g_getenv("PATH"));
    g_autofree char *output = NULL;

    g_setenv("PATH", "/nonexistent", TRUE);
    CU_ASSERT_EQUAL(RUN(STDERR_FILENO, &output, first, first), 2);
    g_setenv("PATH", path, TRUE);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "gnuplot-nox"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "--no-plot"));
    remove_tree(base);
}

static void compare_of_a_sweep_is_refused(void)
{
    Made a = {"a", 1, 5, 0, "synthetic", 0, 2, NULL, 0};
    g_autofree char *base = g_dir_make_tmp("peal-compare-XXXXXX", NULL);
    g_autofree char *first = make(base, &a);
    g_autofree char *output = NULL;

    CU_ASSERT_EQUAL(RUN(STDERR_FILENO, &output, first, first, NO_PLOT), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "sweep of 2 points"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "--set"));
    remove_tree(base);
}

static void compare_survives_a_row_without_a_key(void)
{
    Made a = {"a", 1, 5, 0, NULL, 0, 1, NULL, 0};
    g_autofree char *base = g_dir_make_tmp("peal-compare-XXXXXX", NULL);
    g_autofree char *first = make(base, &a);
    g_autofree char *path = g_build_filename(first, "results.db", NULL);
    g_autofree char *output = NULL;
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, "UPDATE lookups SET key = x'00' WHERE asker = 1", NULL, NULL,
                                 NULL),
                    SQLITE_OK);
    sqlite3_close(db);
    CU_ASSERT_EQUAL(RUN(STDOUT_FILENO, &output, first, first, NO_PLOT), 0);
    remove_tree(base);
}

PEAL_TEST_MAIN("analysis/compare", PEAL_TEST(compare_of_equal_runs_finds_no_distance),
               PEAL_TEST(compare_keeps_more_than_five_thousand_lookups_of_each),
               PEAL_TEST(compare_says_how_many_rows_were_sampled),
               PEAL_TEST(compare_matches_the_same_lookups_one_by_one),
               PEAL_TEST(compare_of_calls_sets_their_delays_beside_each_other),
               PEAL_TEST(compare_without_calls_says_nothing_of_them),
               PEAL_TEST(compare_counts_equal_hops_of_other_draws),
               PEAL_TEST(compare_of_other_seeds_matches_nothing),
               PEAL_TEST(compare_does_not_match_lookups_far_apart_in_time),
               PEAL_TEST(compare_names_the_keys_that_differ),
               PEAL_TEST(compare_draws_both_distributions_on_one_plot),
               PEAL_TEST(compare_without_gnuplot_names_the_way_out),
               PEAL_TEST(compare_of_a_sweep_is_refused),
               PEAL_TEST(compare_survives_a_row_without_a_key))
