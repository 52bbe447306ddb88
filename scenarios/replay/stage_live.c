/* SPDX-License-Identifier: GPL-3.0-or-later */
/* stage_live.c - plays a workload into running peers, and keeps what became of it. */
#include <glib/gstdio.h>
#include <scenarios/replay_results.h>
#include <stdio.h>
#include <unistd.h>

#include "replay/stage.h"
#include "run/bar.h"
#include "run/quote.h"
#include "run/stop.h"

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE, DRAW_US = 200000 };

/* Who watches it play. */
typedef struct Watch {
    const ReplayStage *stage;
    bool shown;
    int64_t drawn_us;
} Watch;

static bool is_due(Watch *watch)
{
    int64_t now_us = g_get_monotonic_time();

    if (!watch->shown || now_us - watch->drawn_us < DRAW_US) {
        return false;
    }
    watch->drawn_us = now_us;
    return true;
}

static bool on_ready(void *user, const char *what)
{
    Watch *watch = user;

    if (is_due(watch)) {
        fprintf(stderr, "\r%s\033[K", what);
    }
    return !stop_requested();
}

static bool on_play(void *user, PealTime now, uint64_t ended)
{
    Watch *watch = user;
    const Replay *replay = watch->stage->replay;
    double whole = (double)MAX(replay->span.ns, 1);
    double share = CLAMP((double)now.ns / whole, 0, 1);

    if (is_due(watch)) {
        g_autoptr(GString) bar = g_string_new(NULL);

        bar_append(bar, share);
        fprintf(stderr, "\r%s  %" G_GUINT64_FORMAT " of %u calls over  %.0f s left\033[K", bar->str,
                ended, replay->calls->len, (1 - share) * whole / PEAL_NS_PER_S);
    }
    return !stop_requested();
}

static void add_word(GString *line, const char *option, const char *value)
{
    g_autofree char *word = value != NULL ? quote_where_needed(value) : NULL;

    if (word != NULL) {
        g_string_append_printf(line, " %s%s%s", option, *option != '\0' ? " " : "", word);
    }
}

/* What plays it again. Results are shown to others: a key stays in its file, or with who typed
 * it. */
static char *command_line(const ReplayCommand *command, const char *dir)
{
    const char *key = command->anonymise;
    GString *line = g_string_new("peal replay");

    add_word(line, "", command->files[0]);
    for (char **target = command->targets; *target != NULL; target++) {
        add_word(line, "--to", *target);
    }
    add_word(line, "--filter", command->filter);
    add_word(line, "--from", command->from);
    add_word(line, "--until", command->until);
    add_word(line, "--speed", command->speed_text);
    add_word(line, "--domain", command->domain);
    add_word(line, "--credentials", command->credentials);
    add_word(line, "--anonymise", key == NULL || key[0] == '@' ? key : "KEY");
    add_word(line, "--keep", command->keep);
    add_word(line, "--place", command->place);
    add_word(line, "--out", dir);
    return g_string_free(line, FALSE);
}

static ReplayResults *open_results(const ReplayStage *stage, const char *dir, GError **error)
{
    const ReplayCommand *command = stage->command;
    g_autofree char *stem = replay_stem(command->files[0]);
    g_autofree char *targets = g_strjoinv(" ", command->targets);
    g_autofree char *line = command_line(command, dir);
    char speed[G_ASCII_DTOSTR_BUF_SIZE];
    const ResultsParameter parameters[] = {
        {.key = "replay.to", .value = targets},
        {.key = "replay.speed", .value = g_ascii_dtostr(speed, sizeof(speed), command->speed)},
    };
    const ReplayResultsConfig config = {.dir = dir,
                                        .name = stem,
                                        .command = line,
                                        .replay = stage->replay,
                                        .parameters = parameters,
                                        .parameters_len = G_N_ELEMENTS(parameters),
                                        .force = command->force};

    return replay_results_open(&config, error);
}

static void say_end(const ReplayStage *stage, const char *dir, const char *text)
{
    g_autofree char *path = g_build_filename(dir, "summary.json", NULL);
    g_autofree char *quoted = quote_where_needed(dir);
    g_autofree char *summary = NULL;

    if (!stage->command->json) {
        printf("%sresults in %s; draw them with: peal plot %s\n", text, dir, quoted);
    } else if (g_file_get_contents(path, &summary, NULL, NULL)) {
        fputs(summary, stdout);
    }
    if (stop_requested()) {
        fprintf(stderr, "peal replay: interrupted; what was seen until then is in %s\n", dir);
    }
}

static int play(const ReplayStage *stage, const char *dir, ReplayResults *results, GError **error)
{
    const ReplayCommand *command = stage->command;
    Watch watch = {stage, !command->quiet && isatty(STDERR_FILENO) == 1, 0};
    const ReplayLiveJob job = {.replay = stage->replay,
                               .targets = command->targets,
                               .recorder = replay_results_recorder(results),
                               .keep_on = on_play,
                               .get_ready = on_ready,
                               .user = &watch};
    g_autofree RunOutcome *outcome = g_new0(RunOutcome, 1);
    g_autofree char *text = NULL;
    bool played = stage->live->run(&job, outcome, error);

    if (watch.drawn_us != 0) {
        fputs("\r\033[K", stderr);
    }
    if (!played || !replay_results_finish(results, outcome, stop_requested(), &text, error)) {
        return EXIT_FAILED;
    }
    say_end(stage, dir, text);
    return stop_requested() ? EXIT_FAILED : EXIT_OK;
}

int replay_stage_live(const ReplayStage *stage, GError **error)
{
    const ReplayCommand *command = stage->command;
    g_autofree char *stem = replay_stem(command->files[0]);
    g_autofree char *dir =
        command->out != NULL ? g_strdup(command->out) : g_strconcat("out/", stem, "-live", NULL);
    g_autoptr(ReplayResults) results = NULL;

    if (!replay_place(stage->replay, command->placing, g_strv_length(command->targets), error)) {
        return EXIT_USAGE;
    }
    results = open_results(stage, dir, error);
    return results == NULL ? EXIT_USAGE : play(stage, dir, results, error);
}
