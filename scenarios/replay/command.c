/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command.c - `peal replay`: what is asked for, in order. See <scenarios/replay_main.h>. */
#include <errno.h>
#include <glib/gstdio.h>
#include <scenarios/plan.h>
#include <scenarios/replay_fit.h>
#include <stdio.h>
#include <string.h>

#include "replay/describe.h"
#include "replay/read.h"
#include "replay/stage.h"
#include "run/stop.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

/* Before anything is read: what could not be done in the end. */

static bool check_target(const ReplayStage *stage, GError **error)
{
    char **targets = stage->command->targets;

    for (size_t i = 0; targets != NULL && targets[i] != NULL; i++) {
        if (!stage->live->check(targets[i], error)) {
            return false;
        }
    }
    return true;
}

static bool is_same_file(const char *path, const char *other)
{
    GStatBuf a;
    GStatBuf b;

    return strcmp(path, other) == 0 || (g_stat(path, &a) == 0 && g_stat(other, &b) == 0 &&
                                        a.st_dev == b.st_dev && a.st_ino == b.st_ino);
}

/* What --force may replace: no device, which would be one no longer, and nothing that is needed. */
static bool check_replaced(const ReplayCommand *command, const char *path, const char *option,
                           GError **error)
{
    const char *what = NULL;

    if (path[0] == '\0') {
        what = "wants the name of a file";
    } else if (g_file_test(path, G_FILE_TEST_EXISTS) &&
               !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        what = "replaces no directory, device or pipe; name a file";
    } else if (is_same_file(path, command->files[0]) ||
               (command->scenario != NULL && is_same_file(path, command->scenario))) {
        what = "would replace what is to be read; name another file";
    }
    if (what != NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "%s=%s: it %s", option, path,
                    what);
    }
    return what == NULL;
}

static bool check_output(const ReplayCommand *command, const char *path, const char *option,
                         GError **error)
{
    g_autofree char *dir = path != NULL ? g_path_get_dirname(path) : NULL;

    if (path == NULL) {
        return true;
    }
    if (!check_replaced(command, path, option, error)) {
        return false;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS) && !command->force) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "%s: %s is there already; name another file, or replace it with --force",
                    option, path);
        return false;
    }
    if (g_access(dir, W_OK) != 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "%s cannot write %s: %s", option,
                    path, g_strerror(errno));
        return false;
    }
    return true;
}

/* A scenario that cannot be loaded should not be told after an hour of reading. */
static bool check_scenario(const ReplayCommand *command, GError **error)
{
    g_autoptr(Scenario) scenario = NULL;

    if (command->scenario == NULL) {
        return true;
    }
    scenario = scenario_load(command->scenario, (const char *const *)command->sets, error);
    return scenario != NULL;
}

static bool check_before(const ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;

    if (command->write_workload != NULL && command->write_scenario != NULL &&
        is_same_file(command->write_workload, command->write_scenario)) {
        g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                            "--write-workload and --write-scenario name the same file");
        return false;
    }
    return check_target(stage, error) && check_scenario(command, error) &&
           check_output(command, command->write_workload, "--write-workload", error) &&
           check_output(command, command->write_scenario, "--write-scenario", error);
}

/* The workload. */

/* What users' addresses end in: as the user says, as the first peer does, or NULL. To g_free. */
static char *domain_of(const ReplayStage *stage)
{
    const ReplayCommand *command = stage->command;

    if (command->domain != NULL) {
        return g_strdup(command->domain);
    }
    return command->targets != NULL ? stage->live->domain_of(command->targets[0]) : NULL;
}

static Replay *replay_of_history(const ReplayStage *stage, const HistoryData *data, GError **error)
{
    const ReplayCommand *command = stage->command;
    g_autofree char *named = domain_of(stage);
    const char *domain = named != NULL ? named : PLAN_DOMAIN;
    const ReplayOptions options = {.domain = domain,
                                   .credentials = command->credentials,
                                   .anonymise = command->key,
                                   .keep_headers = command->keep_headers,
                                   .keep_bodies = command->keep_bodies,
                                   .speed = command->speed};

    return replay_from_history(command->files[0], data, &options, error);
}

static bool wants_workload(const ReplayCommand *command)
{
    return command->scenario != NULL || command->targets != NULL ||
           command->write_workload != NULL || command->write_scenario != NULL;
}

/* Reads the capture, and says what it holds where that is wanted. */
static bool take_capture(ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;
    const HistoryConfig config = {.texts = command->keep_headers || command->keep_bodies};
    g_autoptr(History) history = history_new(&config);
    const HistoryData *data;
    TraceCounts counts;

    if (!replay_read(command, history, &counts, error)) {
        return false;
    }
    data = history_finish(history);
    if (!counts.interrupted && wants_workload(command)) {
        stage->replay = replay_of_history(stage, data, error);
        if (stage->replay == NULL) {
            return false;
        }
    }
    if (command->describe) {
        g_autofree char *text = replay_describe(command, &counts, data);

        fputs(text, stdout);
    } else if (counts.damage[0] != '\0') {
        fprintf(stderr, "peal replay: %s: %s; what comes before is used\n", command->files[0],
                counts.damage);
    }
    return true;
}

/* A workload file was made with what these say. */
static bool check_workload_options(const ReplayCommand *command, GError **error)
{
    const struct {
        bool given;
        const char *name;
    } options[] = {{command->filter != NULL, "--filter"},
                   {command->from != NULL, "--from"},
                   {command->until != NULL, "--until"},
                   {command->speed_text != NULL, "--speed"},
                   {command->keep != NULL, "--keep"},
                   {command->anonymise != NULL, "--anonymise"}};

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        if (options[i].given) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                        "%s goes with a capture, but %s is a workload file: give it where that is "
                        "written",
                        options[i].name, command->files[0]);
            return false;
        }
    }
    return true;
}

static bool take_workload_file(ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;
    g_autofree char *domain = domain_of(stage);

    if (command->describe) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "%s is a workload file, not a capture: play it with --scenario or --to, or "
                    "fit it with --write-scenario",
                    command->files[0]);
        return false;
    }
    if (!check_workload_options(command, error)) {
        return false;
    }
    stage->replay = replay_load(command->files[0], error);
    if (stage->replay != NULL && domain != NULL) {
        replay_set_domain(stage->replay, domain);
    }
    return stage->replay != NULL &&
           (command->credentials == NULL ||
            replay_read_credentials(stage->replay, command->credentials, error));
}

/* What of the trace is not played, and what was said of users that it has not. */
static void say_left_out(const Replay *replay)
{
    for (int i = 0; i < REPLAY_OUT_REASONS; i++) {
        if (replay->left_out[i] > 0) {
            fprintf(stderr, "peal replay: left out %u: %s\n", replay->left_out[i],
                    replay_left_out_name((ReplayLeftOut)i));
        }
    }
    if (replay->strangers > 0) {
        fprintf(stderr, "peal replay: %u lines of --credentials or map files name no user\n",
                replay->strangers);
    }
}

static bool write_files(const ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;
    const ReplayScale scale = {.users = command->users,
                               .workload = command->write_workload,
                               .force = command->force};

    if (command->write_workload != NULL) {
        if (!replay_save(stage->replay, command->write_workload, error)) {
            return false;
        }
        fprintf(stderr, "peal replay: %u users, %u registrations and %u calls are in %s\n",
                stage->replay->users->len, stage->replay->registrations->len,
                stage->replay->calls->len, command->write_workload);
    }
    return command->write_scenario == NULL ||
           replay_write_scenario(stage->replay, &scale, command->write_scenario, error);
}

static int play(const ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;

    if (stage->replay->users->len == 0 && (command->scenario != NULL || command->targets != NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "%s has no users: there is nothing to play", command->files[0]);
        return EXIT_USAGE;
    }
    if (command->scenario != NULL) {
        return replay_stage_scenario(stage, error);
    }
    return command->targets != NULL ? replay_stage_live(stage, error) : EXIT_OK;
}

static int work(ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;
    GError *failure = NULL;
    bool taken;

    if (!check_before(stage, error)) {
        return EXIT_USAGE;
    }
    stop_catch();
    taken = replay_is_workload(command->files[0]) ? take_workload_file(stage, error)
                                                  : take_capture(stage, error);
    if (!taken) {
        return stop_requested() ? EXIT_FAILED : EXIT_USAGE;
    }
    if (stop_requested()) {
        fprintf(stderr, "peal replay: interrupted; %s\n",
                command->describe ? "what was read until then is above" : "nothing was written");
        return EXIT_FAILED;
    }
    if (stage->replay == NULL) {
        return EXIT_OK;
    }
    if (command->map != NULL && !replay_read_map(stage->replay, command->map, error)) {
        return EXIT_USAGE;
    }
    say_left_out(stage->replay);
    if (!write_files(stage, &failure)) {
        bool disk = failure->domain == G_FILE_ERROR;

        g_propagate_error(error, failure);
        return disk ? EXIT_FAILED : EXIT_USAGE;
    }
    return play(stage, error);
}

int replay_main(int argc, char **argv, const RunWorld *const *worlds, size_t worlds_len,
                const ReplayLiveWorld *live)
{
    ReplayCommand command = {0};
    ReplayStage stage = {.command = &command,
                         .worlds = worlds,
                         .worlds_len = worlds_len,
                         .live = live};
    g_autoptr(GError) error = NULL;
    int status = EXIT_USAGE;

    g_set_prgname("peal replay");
    if (replay_options_parse(argc, argv, &command, &error)) {
        status = work(&stage, &error);
    }
    if (error != NULL) {
        fprintf(stderr, "peal replay: %s\n", error->message);
    }
    replay_free(stage.replay);
    replay_options_fini(&command);
    return status;
}
