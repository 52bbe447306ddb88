/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stage_scenario.c - plays a workload into a scenario: the workload becomes a file among the
 *                    results, and `peal run` does the rest.
 */
#include <errno.h>
#include <glib/gstdio.h>
#include <scenarios/scenario.h>
#include <string.h>

#include "replay/stage.h"
#include "units.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, HASH_DIGITS = 12 };

char *replay_stem(const char *path)
{
    g_autofree char *base = g_path_get_basename(path);
    char *dot = strchr(base[0] != '\0' ? base + 1 : base, '.');

    if (dot != NULL) {
        *dot = '\0';
    }
    return g_strdup(strcmp(base, "-") == 0 ? "stdin" : base);
}

/* What is set before the user's own --set, which may say otherwise. */
static GPtrArray *sets_of(const ReplayStage *stage, const char *workload)
{
    static const char *const PLACINGS[] = {[REPLAY_ROUND_ROBIN] = "round-robin",
                                           [REPLAY_BY_SOURCE] = "source",
                                           [REPLAY_BY_MAP] = "map"};
    const ReplayCommand *command = stage->command;
    GPtrArray *sets = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(sets, g_strconcat("workload.trace=", workload, NULL));
    g_ptr_array_add(sets, g_strconcat("workload.trace-users=", PLACINGS[command->placing], NULL));
    g_ptr_array_add(sets, g_strdup("workload.calls-per-user-hour=0"));
    g_ptr_array_add(sets, g_strdup("workload.call-interval=none"));
    for (size_t i = 0; command->sets != NULL && command->sets[i] != NULL; i++) {
        g_ptr_array_add(sets, g_strdup(command->sets[i]));
    }
    if (command->seed != NULL) {
        g_ptr_array_add(sets, g_strconcat("scenario.seed=", command->seed, NULL));
    }
    return sets;
}

static Scenario *load(const ReplayStage *stage, const GPtrArray *sets, GError **error)
{
    g_autoptr(GPtrArray) terminated = g_ptr_array_new();

    for (guint i = 0; i < sets->len; i++) {
        g_ptr_array_add(terminated, sets->pdata[i]);
    }
    g_ptr_array_add(terminated, NULL);
    return scenario_load(stage->command->scenario, (const char *const *)terminated->pdata, error);
}

static bool user_sets(const ReplayCommand *command, const char *key)
{
    g_autofree char *prefix = g_strconcat(key, "=", NULL);

    for (size_t i = 0; command->sets != NULL && command->sets[i] != NULL; i++) {
        if (g_str_has_prefix(command->sets[i], prefix)) {
            return true;
        }
    }
    return false;
}

/* The run lasts as the scenario says, but at least until the trace is over, unless the user says
 * how long. */
static bool add_duration(const ReplayStage *stage, GPtrArray *sets, GError **error)
{
    g_autoptr(Scenario) scenario = load(stage, sets, error);
    PealSpan needed;

    if (scenario == NULL) {
        return false;
    }
    needed = scenario_trace_duration(scenario);
    if (needed.ns > scenario->duration.ns && !user_sets(stage->command, "scenario.duration")) {
        g_autofree char *text = units_span_text(needed);

        g_ptr_array_add(sets, g_strconcat("scenario.duration=", text, NULL));
    }
    return true;
}

/* Its name holds a digest of what is in it, so that another workload is another scenario, and a run
 * that is resumed finds its own. */
static char *write_workload(const ReplayStage *stage, const char *dir, bool *ret_made,
                            GError **error)
{
    g_autofree char *unnamed = g_build_filename(dir, ".workload.calls", NULL);
    g_autofree char *text = NULL;
    g_autofree char *digest = NULL;
    g_autofree char *name = NULL;
    g_autofree char *path = NULL;
    gsize len;

    if (g_mkdir_with_parents(dir, 0777) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot make the results directory %s: %s; choose another with --out", dir,
                    g_strerror(errno));
        return NULL;
    }
    if (!replay_save(stage->replay, unnamed, error) ||
        !g_file_get_contents(unnamed, &text, &len, error)) {
        (void)g_unlink(unnamed);
        return NULL;
    }
    digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, len);
    digest[HASH_DIGITS] = '\0';
    name = g_strconcat("workload-", digest, ".calls", NULL);
    path = g_build_filename(dir, name, NULL);
    *ret_made = !g_file_test(path, G_FILE_TEST_EXISTS);
    if (g_rename(unnamed, path) != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot write %s: %s", path, g_strerror(errno));
        (void)g_unlink(unnamed);
        return NULL;
    }
    return g_steal_pointer(&path);
}

/* Where the results go: as `peal run` would have it, with the capture's name in front. */
static char *results_dir(const ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;
    g_autoptr(Scenario) scenario = NULL;
    g_autofree char *stem = replay_stem(command->files[0]);
    g_autofree char *seed = NULL;
    const char *sets[2] = {NULL, NULL};

    if (command->out != NULL) {
        return g_strdup(command->out);
    }
    if (command->seed != NULL) {
        seed = g_strconcat("scenario.seed=", command->seed, NULL);
        sets[0] = seed;
    }
    scenario = scenario_load(command->scenario, sets, error);
    return scenario == NULL ? NULL
                            : g_strdup_printf("out/%s-%s-%" G_GUINT64_FORMAT, stem, scenario->name,
                                              scenario->seed);
}

/* The words of a `peal run`, which borrows them. */
static GPtrArray *run_words(const ReplayStage *stage, const GPtrArray *sets, const char *dir)
{
    const ReplayCommand *command = stage->command;
    const struct {
        const char *option;
        const char *value;
    } values[] = {{"--out", dir},
                  {"--on", command->on},
                  {"--base-port", command->base_port},
                  {"--jobs", command->jobs},
                  {"--pcap", command->pcap}};
    const struct {
        const char *option;
        bool given;
    } flags[] = {{"--force", command->force},
                 {"--json", command->json},
                 {"--quiet", command->quiet}};
    GPtrArray *words = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(words, g_strdup("run"));
    for (guint i = 0; i < sets->len; i++) {
        g_ptr_array_add(words, g_strconcat("--set=", sets->pdata[i], NULL));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        if (values[i].value != NULL) {
            g_ptr_array_add(words, g_strconcat(values[i].option, "=", values[i].value, NULL));
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
        if (flags[i].given) {
            g_ptr_array_add(words, g_strdup(flags[i].option));
        }
    }
    g_ptr_array_add(words, g_strdup("--"));
    g_ptr_array_add(words, g_strdup(command->scenario));
    return words;
}

static int run(const ReplayStage *stage, const GPtrArray *sets, const char *dir)
{
    g_autoptr(GPtrArray) words = run_words(stage, sets, dir);
    g_autofree char **argv = g_new0(char *, words->len + 1);

    /* An argument parser moves the pointers about. */
    memcpy(argv, words->pdata, words->len * sizeof(*argv));
    return run_main((int)words->len, argv, stage->worlds, stage->worlds_len);
}

int replay_stage_scenario(const ReplayStage *stage, GError **error)
{
    g_autofree char *dir = results_dir(stage, error);
    g_autofree char *workload = NULL;
    g_autoptr(GPtrArray) sets = NULL;
    bool made = false;
    int status = EXIT_USAGE;

    if (dir != NULL) {
        workload = write_workload(stage, dir, &made, error);
        if (workload == NULL) {
            (void)g_rmdir(dir); /* which stays unless it is empty */
        }
    }
    if (workload != NULL) {
        sets = sets_of(stage, workload);
        if (add_duration(stage, sets, error)) {
            status = run(stage, sets, dir);
        }
        if (status == EXIT_USAGE && made) {
            (void)g_unlink(workload);
            (void)g_rmdir(dir); /* which stays unless it is empty */
        }
    }
    return status;
}
