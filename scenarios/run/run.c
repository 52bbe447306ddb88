/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.c - see run.h: what comes before the work, and after it.
 */
#include <scenarios/run.h>

#include <analysis/results.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <scenarios/attack.h>
#include <scenarios/network.h>
#include <scenarios/settings.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "run/campaign.h"
#include "run/options.h"
#include "run/quote.h"
#include "run/stop.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

typedef struct Run {
    const RunOptions *options;
    Scenario *scenario;
    Results *results;
    char *dir;
} Run;

/* From the first thing written on, a signal ends the run in order. Results are files, so a reader
 * of standard output that has seen enough ends nothing. */
static void catch_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    stop_catch();
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGPIPE, &ignore, NULL);
}

/* Before the work starts. */

static Scenario *load_scenario(const RunOptions *options, GError **error)
{
    g_autoptr(GPtrArray) sets = g_ptr_array_new_with_free_func(g_free);

    for (size_t i = 0; options->sets != NULL && options->sets[i] != NULL; i++) {
        g_ptr_array_add(sets, g_strdup(options->sets[i]));
    }
    if (options->seed != NULL) {
        g_ptr_array_add(sets, g_strconcat("scenario.seed=", options->seed, NULL));
    }
    g_ptr_array_add(sets, NULL);
    return scenario_load(options->files[0], (const char *const *)sets->pdata, error);
}

/* A network file that cannot be used must be told now, not at the third point of a sweep. */
static bool check_points(const Scenario *scenario, const RunOptions *options, GError **error)
{
    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, error);
        g_autoptr(Network) network = NULL;

        if (point != NULL) {
            network = network_new(point, point->seed, scenario_hosts(point), error);
        }
        if (network == NULL || (options->world->check != NULL &&
                                !options->world->check(point, options->base_port, error))) {
            return false;
        }
    }
    return true;
}

static void append_value(void *user, const char *key, const char *value)
{
    g_string_append_printf(user, "%s = %s\n", key, value);
}

/* What tells whether results in a directory are of this scenario: all points, with every key in
 * force. */
static char *whole_text(const Scenario *scenario, GError **error)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, error);

        if (point == NULL) {
            g_string_free(text, TRUE);
            return NULL;
        }
        g_string_append_printf(text, "# point %u\n", i);
        scenario_each_value(point, append_value, text);
    }
    return g_string_free(text, FALSE);
}

static const char *crypto_name(PealCrypto crypto)
{
    return crypto == PEAL_CRYPTO_NONE ? "none" : "modelled";
}

static Results *open_results(const Run *run, GError **error)
{
    const Scenario *scenario = run->scenario;
    g_autofree char *text = whole_text(scenario, error);
    g_autofree char *source = settings_text(scenario->settings);
    g_autoptr(Scenario) first = scenario_point(scenario, 0, NULL);
    ResultsConfig config = {
        .dir = run->dir,
        .name = scenario->name,
        .version = PEAL_VERSION,
        .crypto = crypto_name(scenario->overlay.crypto),
        .world = run->options->world->results,
        .seed = scenario->seed,
        .scenario = text,
        .source = source,
        .points = scenario->points,
        .sweep = first != NULL && first->parameters_len > 0,
        .replications = scenario->replications,
        .force = run->options->force,
    };

    return text == NULL ? NULL : results_open(&config, error);
}

static int run_all(const Run *run, GError **error)
{
    CampaignConfig config = {run->options, run->scenario, run->results, run->dir, stop_requested};
    guint failed = 0;
    bool ok = campaign_run(&config, &failed, error);

    if (failed > 0) {
        fprintf(stderr,
                "peal run: %u of the replications died; what the others measured is in %s, and the "
                "same command runs what is missing\n",
                failed, run->dir);
    }
    /* Whatever went wrong, what was measured stays readable. */
    ok = results_write_summary(run->results, ok ? error : NULL) && ok;
    return ok && failed == 0 ? EXIT_OK : EXIT_FAILED;
}

/* Before anything is written: can the capture be? It is not opened yet, so that an old one survives
 * other errors. */
static bool check_capture(const char *path, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);

    if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
        errno = EISDIR;
    } else if (g_access(exists ? path : dir, W_OK) == 0) {
        return true;
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                "--pcap cannot write %s: %s; name a file in a directory that can be written", path,
                g_strerror(errno));
    return false;
}

/* The worlds' results lie side by side. */
static char *default_dir(const Run *run)
{
    g_autofree char *dir =
        g_strdup_printf("out/%s-%" G_GUINT64_FORMAT, run->scenario->name, run->scenario->seed);
    const RunWorld *world = run->options->world;

    return g_strconcat(dir, world->has_ports ? "-" : "", world->has_ports ? world->name : "", NULL);
}

static int prepare(Run *run, GError **error)
{
    run->scenario = load_scenario(run->options, error);
    if (run->scenario == NULL || !check_points(run->scenario, run->options, error)) {
        return EXIT_USAGE;
    }
    if (run->options->pcap != NULL && run->scenario->points > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--pcap captures one point, but this scenario sweeps %u; "
                    "give each swept key a value with --set",
                    run->scenario->points);
        return EXIT_USAGE;
    }
    if (run->options->pcap != NULL && !check_capture(run->options->pcap, error)) {
        return EXIT_USAGE;
    }
    run->dir = run->options->out != NULL ? g_strdup(run->options->out) : default_dir(run);
    catch_signals();
    run->results = open_results(run, error);
    return run->results == NULL ? EXIT_USAGE : EXIT_OK;
}

static void say_end(const Run *run)
{
    g_autoptr(GError) error = NULL;

    if (run->options->json) {
        g_autofree char *text = results_summary_text(run->results, &error);

        printf("%s\n", text != NULL ? text : "{}");
    } else {
        g_autofree char *quoted = quote_where_needed(run->dir);

        printf("results in %s; draw them with: peal plot %s\n", run->dir, quoted);
    }
    if (stop_requested()) {
        fprintf(
            stderr,
            "peal run: interrupted; what was measured until then is in %s, and the same command "
            "goes on from there\n",
            run->dir);
    }
}

int run_main(int argc, char **argv, const RunWorld *const *worlds, size_t worlds_len)
{
    RunOptions options = {0};
    Run run = {.options = &options};
    g_autoptr(GError) error = NULL;
    int status = EXIT_USAGE;

    g_set_prgname("peal run");
    if (options_parse(argc, argv, (RunWorlds){worlds, worlds_len}, &options, &error)) {
        status = prepare(&run, &error);
        if (status == EXIT_OK) {
            status = run_all(&run, &error);
            say_end(&run);
        }
    }
    if (error != NULL) {
        fprintf(stderr, "peal run: %s\n", error->message);
    }
    if (status == EXIT_OK && stop_requested()) {
        status = EXIT_FAILED;
    }
    results_close(run.results);
    scenario_free(run.scenario);
    g_free(run.dir);
    options_fini(&options);
    return status;
}
