/* SPDX-License-Identifier: GPL-3.0-or-later */
/* read.c - see read.h. */
#include "replay/read.h"

#include "run/bar.h"
#include "run/stop.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DRAW_US = 100000 };

typedef struct Reading {
    History *history;
    const char *name;
    bool shown;
    int64_t started_us;
    int64_t drawn_us;
} Reading;

static void on_message(void *user, const TraceMessage *message)
{
    history_message(((Reading *)user)->history, message);
}

static void on_datagram(void *user, const TraceDatagram *datagram)
{
    history_datagram(((Reading *)user)->history, datagram);
}

static void draw(const Reading *reading, uint64_t bytes, uint64_t total, int64_t now_us)
{
    double seconds = (double)(now_us - reading->started_us) / 1e6;
    double rate = (double)bytes / MAX(seconds, 1e-3);
    g_autoptr(GString) bar = g_string_new(NULL);

    if (total == 0) {
        fprintf(stderr, "\r%s  %.0f MB, %.0f MB/s\033[K", reading->name, (double)bytes / 1e6,
                rate / 1e6);
        return;
    }
    bar_append(bar, (double)bytes / (double)total);
    fprintf(stderr, "\r%s  %s  %.0f MB/s  %.0f s left\033[K", reading->name, bar->str, rate / 1e6,
            (double)(total - bytes) / rate);
}

static bool on_progress(void *user, uint64_t bytes, uint64_t total)
{
    Reading *reading = user;
    int64_t now_us = g_get_monotonic_time();

    if (reading->shown && now_us - reading->drawn_us >= DRAW_US) {
        reading->drawn_us = now_us;
        draw(reading, bytes, MAX(total, total > 0 ? bytes : 0), now_us);
    }
    return !stop_requested();
}

/* Reads no further than it must to know when the capture begins. */
static bool only_first(void *user, uint64_t bytes, uint64_t total)
{
    (void)user;
    (void)bytes;
    (void)total;
    return false;
}

static bool find_first(const ReplayCommand *command, int64_t *ret_ns, GError **error)
{
    const TraceSink sink = {.progress = only_first};
    const TraceConfig config = {.path = command->files[0],
                                .from_ns = INT64_MIN,
                                .until_ns = INT64_MAX};
    TraceCounts counts;

    if (strcmp(config.path, "-") == 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "a time behind the first packet, as +10min, cannot be had of standard input");
        return false;
    }
    if (!trace_read(&config, &sink, &counts, error)) {
        return false;
    }
    *ret_ns = counts.packets > 0 ? counts.first_ns : 0;
    return true;
}

/* A capture may lie at either end of time. */
static int64_t later(int64_t first_ns, int64_t span_ns)
{
    return first_ns > INT64_MAX - span_ns ? INT64_MAX : first_ns + span_ns;
}

static bool set_window(const ReplayCommand *command, TraceConfig *config, GError **error)
{
    bool from_relative = false;
    bool until_relative = false;
    int64_t first_ns = 0;

    if (command->from != NULL &&
        !replay_instant("--from", command->from, &config->from_ns, &from_relative, error)) {
        return false;
    }
    if (command->until != NULL &&
        !replay_instant("--until", command->until, &config->until_ns, &until_relative, error)) {
        return false;
    }
    if ((from_relative || until_relative) && !find_first(command, &first_ns, error)) {
        return false;
    }
    config->from_ns = from_relative ? later(first_ns, config->from_ns) : config->from_ns;
    config->until_ns = until_relative ? later(first_ns, config->until_ns) : config->until_ns;
    if (config->from_ns >= config->until_ns) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--from lies at or behind --until: nothing is left between them");
        return false;
    }
    return true;
}

bool replay_read(const ReplayCommand *command, History *history, TraceCounts *ret_counts,
                 GError **error)
{
    TraceConfig config = {.path = command->files[0],
                          .filter = command->filter,
                          .from_ns = INT64_MIN,
                          .until_ns = INT64_MAX};
    Reading reading = {.history = history,
                       .name = command->files[0],
                       .shown = !command->quiet && isatty(STDERR_FILENO) == 1,
                       .started_us = g_get_monotonic_time()};
    const TraceSink sink = {on_message, on_datagram, on_progress, &reading};
    bool ok = set_window(command, &config, error) && trace_read(&config, &sink, ret_counts, error);

    if (reading.drawn_us != 0) {
        fputs("\r\033[K", stderr);
    }
    return ok;
}
