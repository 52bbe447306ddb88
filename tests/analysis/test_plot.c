/*
 * test_plot.c - `peal plot` on made-up results: files, fits, refusals.
 */
#include "recording.h"
#include "scratch.h"

#include <analysis/plot.h>
#include <analysis/results.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <peal_test.h>
#include <unistd.h>

static bool have_gnuplot(void)
{
    g_autofree char *path = g_find_program_in_path("gnuplot");

    return path != NULL;
}

/* Results whose hops grow by half a hop with each doubling of the peers. */
static char *make_results(unsigned points, unsigned replications)
{
    char *dir = g_dir_make_tmp("peal-plot-XXXXXX", NULL);
    ResultsConfig config = {.dir = dir,
                            .name = "plot",
                            .version = "0.1.0",
                            .crypto = "none",
                            .scenario = "",
                            .points = points,
                            .sweep = points > 1,
                            .replications = replications};
    g_autoptr(Results) results = results_open(&config, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    for (unsigned i = 0; i < points * replications; i++) {
        unsigned point = i / replications;
        uint32_t peers = 64U << (2 * point);
        g_autofree char *value = g_strdup_printf("%u", peers);
        ResultsParameter swept = {"overlay.peers", value, points > 1};
        Recording recording = {.seed = i,
                               .hops_mean = 3 + point,
                               .duration_s = 40,
                               .warmup_s = 10,
                               .per_second = 50,
                               .outage_from_s = 20,
                               .outage_until_s = 25,
                               .calls_per_second = 5};
        Recorder *recorder = recording_play(&recording);
        ResultsReplication head = {.point = point,
                                   .replication = i % replications,
                                   .peers = peers,
                                   .wall_seconds = 1};

        CU_ASSERT(results_set_point(results, point, &swept, 1, NULL));
        CU_ASSERT(results_add_replication(results, &head, recorder, NULL));
        recorder_free(recorder);
    }
    return dir;
}

/* Runs the command with one stream in a file; what it wrote there comes back. */
static int run_plot(const char *dir, const char *option, int stream, char **ret_output)
{
    g_autofree char *name = NULL;
    int file = g_file_open_tmp("peal-plot-XXXXXX", &name, NULL);
    int kept = dup(stream);
    char *argv[] = {"plot", (char *)(uintptr_t)dir, (char *)(uintptr_t)option, NULL};
    int status;

    fflush(NULL);
    dup2(file, stream);
    status = plot_main(option != NULL ? 3 : 2, argv);
    fflush(NULL);
    dup2(kept, stream);
    close(kept);
    close(file);
    g_file_get_contents(name, ret_output, NULL, NULL);
    g_unlink(name);
    return status;
}

static bool starts_with(const char *dir, const char *file, const char *bytes)
{
    g_autofree char *path = g_build_filename(dir, "plots", file, NULL);
    g_autofree char *contents = NULL;
    gsize len = 0;

    return g_file_get_contents(path, &contents, &len, NULL) && len > 1000 &&
           memcmp(contents, bytes, strlen(bytes)) == 0;
}

static void plot_of_a_run_draws_each_figure_as_svg_and_png(void)
{
    static const char *const names[] = {"latency-cdf", "setup-cdf",         "hops",
                                        "load-cdf",    "lookups-over-time", "messages-over-time"};
    g_autofree char *output = NULL;
    g_autofree char *dir = NULL;

    if (!have_gnuplot()) {
        PEAL_SKIP("needs gnuplot");
    }
    dir = make_results(1, 2);
    CU_ASSERT_EQUAL(run_plot(dir, NULL, STDOUT_FILENO, &output), 0);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *svg = g_strconcat(names[i], ".svg", NULL);
        g_autofree char *png = g_strconcat(names[i], ".png", NULL);
        g_autofree char *script = g_strconcat("/plots/", names[i], ".gp\n", NULL);
        g_autofree char *data = g_strconcat("/plots/", names[i], ".dat\n", NULL);

        CU_ASSERT(starts_with(dir, svg, "<?xml"));
        CU_ASSERT(starts_with(dir, png, "\x89PNG"));
        CU_ASSERT_PTR_NOT_NULL(strstr(output, script));
        CU_ASSERT_PTR_NOT_NULL(strstr(output, data));
    }
    CU_ASSERT_FALSE(starts_with(dir, "hops-scaling.svg", "<?xml"));
    remove_tree(dir);
}

static void plot_marks_the_event_and_shows_the_dip(void)
{
    g_autofree char *output = NULL;
    g_autofree char *dir = NULL;
    g_autofree char *script = NULL;
    g_autofree char *data = NULL;
    g_autofree char *path = NULL;
    g_autofree char *data_path = NULL;
    g_auto(GStrv) lines = NULL;
    unsigned low = 0, high = 0;

    if (!have_gnuplot()) {
        PEAL_SKIP("needs gnuplot");
    }
    dir = make_results(1, 2);
    CU_ASSERT_EQUAL(run_plot(dir, NULL, STDOUT_FILENO, &output), 0);
    path = g_build_filename(dir, "plots", "lookups-over-time.gp", NULL);
    data_path = g_build_filename(dir, "plots", "lookups-over-time.dat", NULL);
    CU_ASSERT_FATAL(g_file_get_contents(path, &script, NULL, NULL));
    CU_ASSERT_FATAL(g_file_get_contents(data_path, &data, NULL, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(script, "\"fail 20% of peers\" at 20,"));
    /* The first block is of those answered: time, mean in %, low, high. */
    lines = g_strsplit(data, "\n", -1);
    for (char **line = lines; *line != NULL && (*line)[0] != '\0'; line++) {
        g_auto(GStrv) cells = g_strsplit(*line, " ", -1);

        if (g_ascii_isdigit(**line)) {
            double at = g_ascii_strtod(cells[0], NULL), answered = g_ascii_strtod(cells[1], NULL);
            bool outage = at > 20 && at < 25;

            CU_ASSERT(outage ? answered < 85 : answered == 100);
            outage ? low++ : high++;
        }
    }
    CU_ASSERT_EQUAL(low, 5);
    CU_ASSERT_EQUAL(high, 35);
    remove_tree(dir);
}

static void plot_of_a_sweep_fits_hops_against_the_logarithm(void)
{
    g_autofree char *output = NULL;
    g_autofree char *dir = NULL;
    json_t *root, *fit;
    double slope;

    if (!have_gnuplot()) {
        PEAL_SKIP("needs gnuplot");
    }
    dir = make_results(3, 2);
    CU_ASSERT_EQUAL(run_plot(dir, "--json", STDOUT_FILENO, &output), 0);
    root = json_loads(output, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "fits")), 3);
    fit = json_array_get(json_object_get(root, "fits"), 0);
    slope = json_real_value(json_object_get(fit, "slope"));
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(fit, "figure")), "hops-scaling");
    CU_ASSERT_DOUBLE_EQUAL(slope, 0.5, 0.02);
    CU_ASSERT(json_real_value(json_object_get(fit, "r_squared")) > 0.999);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(fit, "observations")), 6);
    CU_ASSERT(json_real_value(json_array_get(json_object_get(fit, "slope_ci95"), 0)) < slope);
    CU_ASSERT(json_real_value(json_array_get(json_object_get(fit, "slope_ci95"), 1)) > slope);
    CU_ASSERT(starts_with(dir, "hops-scaling.svg", "<?xml"));
    CU_ASSERT(starts_with(dir, "latency-scaling.png", "\x89PNG"));
    CU_ASSERT(starts_with(dir, "lookups-over-time-2.svg", "<?xml"));
    json_decref(root);
    remove_tree(dir);
}

static void plot_exports_csv_without_gnuplot(void)
{
    g_autofree char *output = NULL;
    g_autofree char *dir = make_results(1, 1);
    g_autofree char *path = g_strdup(g_getenv("PATH"));

    g_setenv("PATH", "/nonexistent", TRUE);
    CU_ASSERT_EQUAL(run_plot(dir, "--csv", STDOUT_FILENO, &output), 0);
    g_setenv("PATH", path, TRUE);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "/csv/lookups.csv\n"));
    remove_tree(dir);
}

static void plot_without_gnuplot_names_the_package(void)
{
    g_autofree char *output = NULL;
    g_autofree char *dir = make_results(1, 1);
    g_autofree char *path = g_strdup(g_getenv("PATH"));

    g_setenv("PATH", "/nonexistent", TRUE);
    CU_ASSERT_EQUAL(run_plot(dir, NULL, STDERR_FILENO, &output), 2);
    g_setenv("PATH", path, TRUE);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "gnuplot-nox"));
    remove_tree(dir);
}

static void plot_of_a_place_without_results_is_refused(void)
{
    g_autofree char *output = NULL;

    CU_ASSERT_EQUAL(run_plot("/nonexistent/out", NULL, STDERR_FILENO, &output), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "/nonexistent/out"));
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "peal run"));
}

static void plot_of_another_programs_database_is_refused(void)
{
    g_autofree char *output = NULL;
    g_autofree char *dir = g_dir_make_tmp("peal-plot-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "results.db", NULL);

    g_file_set_contents(path, "this is no database at all, whatever its name says", -1, NULL);
    CU_ASSERT_EQUAL(run_plot(dir, NULL, STDERR_FILENO, &output), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, path));
    remove_tree(dir);
}

static void plot_with_an_unknown_option_is_refused(void)
{
    g_autofree char *output = NULL;

    CU_ASSERT_EQUAL(run_plot(".", "--colour", STDERR_FILENO, &output), 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(output, "--colour"));
}

PEAL_TEST_MAIN("analysis/plot", PEAL_TEST(plot_of_a_run_draws_each_figure_as_svg_and_png),
               PEAL_TEST(plot_marks_the_event_and_shows_the_dip),
               PEAL_TEST(plot_of_a_sweep_fits_hops_against_the_logarithm),
               PEAL_TEST(plot_exports_csv_without_gnuplot),
               PEAL_TEST(plot_without_gnuplot_names_the_package),
               PEAL_TEST(plot_of_a_place_without_results_is_refused),
               PEAL_TEST(plot_of_another_programs_database_is_refused),
               PEAL_TEST(plot_with_an_unknown_option_is_refused))
