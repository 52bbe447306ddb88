/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.c - see run.h: the loop over points and replications, and what it says.
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

#include "run/options.h"
#include "run/progress.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

typedef struct Run {
    const RunOptions *options;
    Scenario *scenario;
    Results *results;
    char *dir;
    Progress progress;
    const Scenario *point; /* at work */
} Run;

static volatile sig_atomic_t stop_requested;

static void on_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

/* From the first thing written on, a signal ends the run in order; a second one ends it at once.
 * Results are files, so a reader of standard output that has seen enough ends nothing. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
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

/* One replication. */

static bool keep_on(void *user, PealTime now, uint64_t messages)
{
    Run *run = user;

    progress_draw(&run->progress, (double)now.ns / (double)run->point->duration.ns, messages);
    return stop_requested == 0;
}

static bool get_ready(void *user, const char *what)
{
    progress_say(&((Run *)user)->progress, what);
    return stop_requested == 0;
}

static PcapWriter *open_capture(const Run *run, GError **error)
{
    PcapWriterConfig config = {
        .path = run->options->pcap,
        .base_unix_ns = (int64_t)RUN_EPOCH_MS * PEAL_NS_PER_MS,
        .limit_bytes = run->options->pcap_limit_bytes,
        .peers = (const uint32_t *)(void *)run->options->pcap_peer_list->data,
        .peers_len = run->options->pcap_peer_list->len,
    };

    if (config.peers_len == 0) {
        config.peers = NULL;
    }
    return pcap_writer_new(&config, error);
}

static void print_lookups(const RecorderFigures *figures)
{
    double percent = 100.0 / (double)MAX(figures->started, 1);

    if (figures->started == 0) {
        return;
    }
    printf("  lookups   %" G_GUINT64_FORMAT ", %.2f %% succeeded, %.2f %% correct",
           figures->started, percent * (double)figures->succeeded,
           percent * (double)figures->correct);
    if (figures->succeeded > 0) {
        printf(", %.2f hops, median %.0f ms, 95 %% under %.0f ms", histogram_mean(figures->hops),
               histogram_quantile(figures->latency_ns, 0.5) / 1e6,
               histogram_quantile(figures->latency_ns, 0.95) / 1e6);
    }
    printf("\n");
}

static void print_calls(const RecorderFigures *figures)
{
    double percent = 100.0 / (double)MAX(figures->calls_started, 1);

    if (figures->calls_started == 0) {
        return;
    }
    printf("  calls     %" G_GUINT64_FORMAT ", %.2f %% answered", figures->calls_started,
           percent * (double)figures->calls_answered);
    if (figures->calls_answered > 0) {
        printf(", set-up median %.0f ms, 95 %% under %.0f ms",
               histogram_quantile(figures->setup_ns, 0.5) / 1e6,
               histogram_quantile(figures->setup_ns, 0.95) / 1e6);
    }
    printf("\n");
}

static void print_replication(const Run *run, const Recorder *recorder,
                              const ResultsReplication *replication, const RunOutcome *outcome)
{
    const RunInvariants *state = &outcome->invariants;
    bool one_ring = state->wrong_successors == 0 && state->wrong_predecessors == 0;

    if (run->options->json) {
        return;
    }
    printf("%u peers, replication %u (seed %" G_GUINT64_FORMAT ")\n", replication->peers,
           replication->replication, replication->seed);
    print_lookups(recorder_figures(recorder));
    print_calls(recorder_figures(recorder));
    printf("  messages  %" G_GUINT64_FORMAT " in %.2f s, %.0f a second\n", replication->messages,
           replication->wall_seconds,
           (double)replication->messages / MAX(replication->wall_seconds, 1e-9));
    printf("  ring      %s of %u peers, %u not joined; %" G_GUINT64_FORMAT
           " values, %" G_GUINT64_FORMAT " lost\n",
           one_ring ? "one" : "BROKEN", state->members, state->outside, state->values,
           state->values_lost);
    if (outcome->has_fingerprint) {
        printf("  fingerprint %016" G_GINT64_MODIFIER "x\n", replication->fingerprint);
    }
    fflush(stdout);
}

static bool has_calls(const Scenario *point)
{
    return point->workload.calls_per_user_hour_milli > 0;
}

static bool add_replication(Run *run, const RunOutcome *outcome, const Recorder *recorder,
                            ResultsReplication *replication, GError **error)
{
    bool ok;

    replication->figures = outcome->figures;
    replication->figures_len = outcome->figures_len;
    replication->fingerprint = outcome->fingerprint;
    replication->events = outcome->events;
    replication->messages = outcome->messages;
    replication->wall_seconds = outcome->wall_seconds;
    replication->peak_rss_bytes = outcome->peak_rss_bytes;
    progress_clear(&run->progress);
    print_replication(run, recorder, replication, outcome);
    ok = results_add_replication(run->results, replication, recorder, error);
    replication->figures = NULL;
    return ok;
}

static bool run_world(Run *run, ResultsReplication *replication, PcapWriter *capture,
                      GError **error)
{
    Recorder *recorder = recorder_new(&(RecorderConfig){.duration = run->point->duration,
                                                        .warmup = run->point->warmup,
                                                        .calls = has_calls(run->point)});
    RunJob job = {
        .point = run->point,
        .seed = replication->seed,
        .recorder = recorder,
        .capture = capture,
        .dir = run->dir,
        .number = replication->point * run->scenario->replications + replication->replication,
        .base_port = run->options->base_port,
        .keep_on = keep_on,
        .get_ready = get_ready,
        .user = run,
    };
    RunOutcome outcome = {0};
    bool ok = run->options->world->run(&job, &outcome, error) &&
              add_replication(run, &outcome, recorder, replication, error);

    recorder_free(recorder);
    return ok;
}

static bool run_replication(Run *run, unsigned point, unsigned number, GError **error)
{
    ResultsReplication replication = {
        .point = point,
        .replication = number,
        .seed = scenario_replication_seed(run->point->seed, number),
        .peers = run->point->peers,
    };
    PcapWriter *capture = NULL;
    bool ok;

    if (run->options->pcap != NULL && number == 0) {
        capture = open_capture(run, error);
        if (capture == NULL) {
            return false;
        }
    }
    ok = run_world(run, &replication, capture, error);
    return pcap_writer_close(capture, ok ? error : NULL) && ok;
}

/* The run. */

typedef struct Parameters {
    const Scenario *point;
    GArray *list; /* ResultsParameter */
} Parameters;

static void add_parameter(Parameters *parameters, const char *key, const char *value, bool swept)
{
    ResultsParameter parameter = {g_strdup(key), g_strdup(value), swept};

    g_array_append_val(parameters->list, parameter);
}

static void add_other_parameter(void *user, const char *key, const char *value)
{
    Parameters *parameters = user;

    for (guint i = 0; i < parameters->point->parameters_len; i++) {
        if (strcmp(parameters->point->parameters[i].key, key) == 0) {
            return;
        }
    }
    add_parameter(parameters, key, value, false);
}

static void clear_parameter(void *parameter)
{
    g_free((char *)((ResultsParameter *)parameter)->key);
    g_free((char *)((ResultsParameter *)parameter)->value);
}

static bool describe_point(Run *run, unsigned point, GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(ResultsParameter));
    Parameters parameters = {run->point, list};

    g_array_set_clear_func(list, clear_parameter);
    for (guint i = 0; i < run->point->parameters_len; i++) {
        add_parameter(&parameters, run->point->parameters[i].key, run->point->parameters[i].value,
                      true);
    }
    scenario_each_value(run->point, add_other_parameter, &parameters);
    return results_set_point(run->results, point, (ResultsParameter *)(void *)list->data, list->len,
                             error);
}

static bool run_point(Run *run, unsigned point, GError **error)
{
    g_autoptr(Scenario) scenario = scenario_point(run->scenario, point, error);
    bool ok = scenario != NULL;

    run->point = scenario;
    ok = ok && describe_point(run, point, error);
    for (uint32_t i = 0; ok && i < run->scenario->replications && stop_requested == 0; i++) {
        if (results_has(run->results, point, i)) {
            run->progress.skipped++;
            continue;
        }
        progress_step(&run->progress, point * run->scenario->replications + i);
        ok = run_replication(run, point, i, error);
    }
    run->point = NULL;
    return ok;
}

static int run_all(Run *run, GError **error)
{
    bool ok = true;

    progress_init(&run->progress, run->scenario->points * run->scenario->replications,
                  run->options->quiet);
    for (guint i = 0; ok && i < run->scenario->points && stop_requested == 0; i++) {
        ok = run_point(run, i, error);
    }
    progress_clear(&run->progress);
    /* Whatever went wrong, what was measured stays readable. */
    ok = results_write_summary(run->results, ok ? error : NULL) && ok;
    return ok ? EXIT_OK : EXIT_FAILED;
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
        printf("results in %s; draw them with: peal plot %s\n", run->dir, run->dir);
    }
    if (stop_requested != 0) {
        fprintf(stderr, "peal run: interrupted; what was measured until then is in %s\n", run->dir);
    }
}

int run_main(int argc, char **argv, const RunWorld *const *worlds, size_t worlds_len)
{
    RunOptions options = {0};
    Run run = {.options = &options};
    g_autoptr(GError) error = NULL;
    int status = EXIT_USAGE;

    g_set_prgname("peal run");
    stop_requested = 0;
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
    if (status == EXIT_OK && stop_requested != 0) {
        status = EXIT_FAILED;
    }
    results_close(run.results);
    scenario_free(run.scenario);
    g_free(run.dir);
    options_fini(&options);
    return status;
}
