/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.c - `peal run`: options, the loop over points and replications, and what it says.
 */
#include <sim/run.h>

#include <analysis/results.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "invariants.h"
#include "progress.h"
#include "world.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

typedef struct RunOptions {
    char **files;
    char **sets;
    char *out;
    char *pcap;
    char *pcap_peers;
    char *pcap_limit;
    char *seed;
    gboolean force;
    gboolean json;
    gboolean quiet;
    uint64_t pcap_limit_bytes;
    GArray *pcap_peer_list; /* uint32_t */
} RunOptions;

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

/* Options. */

static bool parse_limit(RunOptions *options, GError **error)
{
    char *end;
    uint64_t factor = 1;
    uint64_t number;

    if (options->pcap_limit == NULL) {
        return true;
    }
    errno = 0;
    number = g_ascii_strtoull(options->pcap_limit, &end, 10);
    if (*end != '\0') {
        const char *units = "kMG";
        const char *unit = strchr(units, *end);

        for (const char *u = units; unit != NULL && u <= unit; u++) {
            factor *= 1000;
        }
        end += unit != NULL;
    }
    if (!g_ascii_isdigit(options->pcap_limit[0]) || *end != '\0' || errno != 0 || number == 0 ||
        number > UINT64_MAX / factor) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--pcap-limit=%s is no size; write bytes, or 100k, 20M, 1G",
                    options->pcap_limit);
        return false;
    }
    options->pcap_limit_bytes = number * factor;
    return true;
}

static bool bad_peers(const RunOptions *options, GError **error)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--pcap-peers=%s is no list of peers; write numbers and ranges, as 0,3,10-19",
                options->pcap_peers);
    return false;
}

static bool parse_peers(RunOptions *options, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(options->pcap_peers ? options->pcap_peers : "", ",", -1);

    options->pcap_peer_list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (options->pcap_peers != NULL && parts[0] == NULL) {
        return bad_peers(options, error);
    }
    for (size_t i = 0; parts[i] != NULL; i++) {
        char *end;
        uint64_t first = g_ascii_strtoull(parts[i], &end, 10);
        uint64_t last = first;

        if (!g_ascii_isdigit(parts[i][0])) {
            return bad_peers(options, error);
        }
        if (*end == '-' && g_ascii_isdigit(end[1])) {
            last = g_ascii_strtoull(end + 1, &end, 10);
        }
        if (*end != '\0' || last < first || last >= SCENARIO_PEERS_MAX) {
            return bad_peers(options, error);
        }
        for (uint64_t peer = first; peer <= last; peer++) {
            uint32_t index = (uint32_t)peer;

            g_array_append_val(options->pcap_peer_list, index);
        }
    }
    return true;
}

static bool parse_options(int argc, char **argv, RunOptions *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->sets, /* bytes as they are */
         "Set a scenario key, in place of the file's value or sweep", "SECTION.KEY=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_STRING, &options->seed, "Same as --set scenario.seed=N", "N"},
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
         "Directory for the results (default out/NAME-SEED)", "DIR"},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &options->force,
         "Replace other results in that directory", NULL},
        {"pcap", 0, 0, G_OPTION_ARG_FILENAME, &options->pcap,
         "Write the traffic of replication 0 as a capture", "FILE"},
        {"pcap-peers", 0, 0, G_OPTION_ARG_STRING, &options->pcap_peers,
         "Capture only what these peers send or receive", "0,3,10-19"},
        {"pcap-limit", 0, 0, G_OPTION_ARG_STRING, &options->pcap_limit,
         "Leave out packets beyond this size of the file", "100M"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print the summary as JSON", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "No progress bar", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->files, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("FILE - simulate a scenario");

    g_option_context_set_summary(
        context,
        "Simulates every point and replication of the scenario file, writes results.db and\n"
        "summary.json, and prints the main figures. `peal help keys` lists the keys of a\n"
        "scenario; `peal plot DIR` draws its results.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    if (options->files == NULL || options->files[1] != NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "one scenario file is wanted, as in: peal run scenarios/lookup.conf");
        return false;
    }
    if (options->pcap == NULL && (options->pcap_peers != NULL || options->pcap_limit != NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--pcap-peers and --pcap-limit go with --pcap FILE");
        return false;
    }
    return parse_limit(options, error) && parse_peers(options, error);
}

static void free_options(RunOptions *options)
{
    g_strfreev(options->files);
    g_strfreev(options->sets);
    g_free(options->out);
    g_free(options->pcap);
    g_free(options->pcap_peers);
    g_free(options->pcap_limit);
    g_free(options->seed);
    if (options->pcap_peer_list != NULL) {
        g_array_unref(options->pcap_peer_list);
    }
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
static bool check_points(const Scenario *scenario, GError **error)
{
    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, error);
        g_autoptr(Network) network = NULL;

        if (point != NULL) {
            network = network_new(point, point->seed, scenario_identities(point), error);
        }
        if (network == NULL) {
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
    g_autoptr(Scenario) first = scenario_point(scenario, 0, NULL);
    ResultsConfig config = {
        .dir = run->dir,
        .name = scenario->name,
        .version = PEAL_VERSION,
        .crypto = crypto_name(scenario->overlay.crypto),
        .seed = scenario->seed,
        .scenario = text,
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

/* The kernel's high-water mark of resident memory, started afresh for each replication where it
 * allows that. */
static void peak_rss_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file != NULL) {
        fputs("5\n", file);
        fclose(file);
    }
}

static uint64_t peak_rss_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t kib = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (g_str_has_prefix(line, "VmHWM:")) {
            kib = g_ascii_strtoull(line + strlen("VmHWM:"), NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib * 1024;
}

static PcapWriter *open_capture(const Run *run, GError **error)
{
    PcapWriterConfig config = {
        .path = run->options->pcap,
        .base_unix_ns = (int64_t)WORLD_EPOCH_MS * PEAL_NS_PER_MS,
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

static void print_replication(const Run *run, const Recorder *recorder,
                              const ResultsReplication *replication, const Invariants *invariants)
{
    if (run->options->json) {
        return;
    }
    printf("%u peers, replication %u (seed %" G_GUINT64_FORMAT ")\n", replication->peers,
           replication->replication, replication->seed);
    print_lookups(recorder_figures(recorder));
    printf("  messages  %" G_GUINT64_FORMAT " in %.2f s, %.0f a second\n", replication->messages,
           replication->wall_seconds,
           (double)replication->messages / MAX(replication->wall_seconds, 1e-9));
    printf("  ring      %s of %u peers, %u not joined; %" G_GUINT64_FORMAT
           " values, %" G_GUINT64_FORMAT " lost\n",
           invariants_one_ring(invariants) ? "one" : "BROKEN", invariants->members,
           invariants->outside, invariants->values, invariants->values_lost);
    printf("  fingerprint %016" G_GINT64_MODIFIER "x\n", replication->fingerprint);
    fflush(stdout);
}

static bool add_replication(Run *run, const World *world, const Recorder *recorder,
                            ResultsReplication *replication, GError **error)
{
    Invariants invariants;
    bool ok;

    invariants_check(world, &invariants);
    const ResultsFigure figures[] = {
        {"ring.members", invariants.members, RESULTS_MEAN},
        {"ring.outside", invariants.outside, RESULTS_SUM},
        {"ring.wrong_successors", invariants.wrong_successors, RESULTS_SUM},
        {"ring.wrong_predecessors", invariants.wrong_predecessors, RESULTS_SUM},
        {"values.live", (double)invariants.values, RESULTS_SUM},
        {"values.lost", (double)invariants.values_lost, RESULTS_SUM},
        {"lookups.abandoned", (double)world->counts.abandoned, RESULTS_SUM},
        {"registrations.stored", (double)world->counts.registered, RESULTS_SUM},
        {"registrations.failed", (double)world->counts.register_failed, RESULTS_SUM},
        {"processor.turned_away", (double)world->counts.turned_away, RESULTS_SUM},
    };

    replication->figures = figures;
    replication->figures_len = G_N_ELEMENTS(figures);
    replication->fingerprint = world_fingerprint(world);
    replication->events = world->counts.events;
    replication->messages = world->totals.counter[RECORDER_MESSAGES];
    replication->peak_rss_bytes = peak_rss_bytes();
    progress_clear(&run->progress);
    print_replication(run, recorder, replication, &invariants);
    ok = results_add_replication(run->results, replication, recorder, error);
    replication->figures = NULL;
    return ok;
}

static bool run_world(Run *run, ResultsReplication *replication, PcapWriter *capture,
                      GError **error)
{
    Recorder *recorder = recorder_new(
        &(RecorderConfig){.duration = run->point->duration, .warmup = run->point->warmup});
    WorldConfig config = {run->point, replication->seed, recorder, capture, keep_on, run};
    World *world = world_new(&config, error);
    int64_t started_us = g_get_monotonic_time();
    bool ok = world != NULL;

    if (ok) {
        world_run(world);
        replication->wall_seconds = (double)(g_get_monotonic_time() - started_us) / 1e6;
        ok = add_replication(run, world, recorder, replication, error);
    }
    world_free(world);
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

    peak_rss_reset();
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

static int prepare(Run *run, GError **error)
{
    run->scenario = load_scenario(run->options, error);
    if (run->scenario == NULL || !check_points(run->scenario, error)) {
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
    run->dir = run->options->out != NULL
                   ? g_strdup(run->options->out)
                   : g_strdup_printf("out/%s-%" G_GUINT64_FORMAT, run->scenario->name,
                                     run->scenario->seed);
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

int sim_run_main(int argc, char **argv)
{
    RunOptions options = {0};
    Run run = {.options = &options};
    g_autoptr(GError) error = NULL;
    int status = EXIT_USAGE;

    g_set_prgname("peal run");
    stop_requested = 0;
    if (parse_options(argc, argv, &options, &error)) {
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
    free_options(&options);
    return status;
}
