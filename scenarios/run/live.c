/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live.c - see live.h. */
#include "run/live.h"

#include "run/bar.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { DRAW_US = 100000, WIDTH_DEFAULT = 80, HEIGHT_DEFAULT = 24, WIDTH_LEAST = 20 };

/* Of what ended lately, this much is still counted at the next view, a tenth of a second later. */
static const double KEPT = 0.9;

typedef struct LiveJob {
    bool busy;
    char *name;
    char *words; /* that it waits for; NULL: it runs */
    PealSpan duration;
    double weight;
    PealTime now;
    uint64_t messages;
    int64_t viewed_us; /* wall clock */
    double rate;       /* messages a second */
    /* What ended lately, as in RecorderLately, the older the less */
    double lookups, succeeded, latency_ns, calls, answered, setup_ns;
} LiveJob;

struct Live {
    bool shown;
    unsigned jobs_len;
    LiveJob *jobs;
    int64_t started_us;
    int64_t drawn_us;
    unsigned ended;
    unsigned wanted;
    double done;    /* share of the work that has ended */
    double resumed; /* and of that which was there before */
    GArray *lines;  /* size_t: the columns of each line that stands on the terminal */
};

Live *live_new(bool quiet, unsigned jobs, double done)
{
    Live *live = g_new0(Live, 1);

    live->shown = !quiet && isatty(STDERR_FILENO) == 1;
    live->jobs_len = jobs;
    live->jobs = g_new0(LiveJob, jobs);
    live->started_us = g_get_monotonic_time();
    live->done = live->resumed = done;
    live->lines = g_array_new(FALSE, FALSE, sizeof(size_t));
    return live;
}

void live_free(Live *live)
{
    if (live == NULL) {
        return;
    }
    live_clear(live);
    for (unsigned i = 0; i < live->jobs_len; i++) {
        live_end(live, i);
    }
    g_free(live->jobs);
    g_array_unref(live->lines);
    g_free(live);
}

bool live_is_shown(const Live *live)
{
    return live->shown;
}

void live_begin(Live *live, unsigned job, const char *name, PealSpan duration, double weight)
{
    live_end(live, job);
    live->jobs[job] = (LiveJob){.busy = true,
                                .name = g_strdup(name),
                                .duration = duration,
                                .weight = weight,
                                .viewed_us = g_get_monotonic_time()};
}

void live_end(Live *live, unsigned job)
{
    g_free(live->jobs[job].name);
    g_free(live->jobs[job].words);
    live->jobs[job] = (LiveJob){0};
}

void live_words(Live *live, unsigned job, const char *words)
{
    g_free(live->jobs[job].words);
    live->jobs[job].words = g_strdup(words);
}

static void fade(double *sum, uint64_t more)
{
    *sum = *sum * KEPT + (double)more;
}

void live_view(Live *live, unsigned job, const ReplicationView *view)
{
    LiveJob *at = &live->jobs[job];
    int64_t now_us = g_get_monotonic_time();
    double seconds = (double)MAX(now_us - at->viewed_us, 1) / 1e6;
    double rate = (double)(view->messages - at->messages) / seconds;

    at->rate = at->messages == 0 ? rate : at->rate * KEPT + rate * (1 - KEPT);
    at->messages = view->messages;
    at->now = view->now;
    at->viewed_us = now_us;
    fade(&at->lookups, view->lately.lookups);
    fade(&at->succeeded, view->lately.succeeded);
    fade(&at->latency_ns, view->lately.latency_ns);
    fade(&at->calls, view->lately.calls);
    fade(&at->answered, view->lately.answered);
    fade(&at->setup_ns, view->lately.setup_ns);
    g_clear_pointer(&at->words, g_free);
}

void live_count(Live *live, unsigned ended, unsigned wanted, double done)
{
    live->ended = ended;
    live->wanted = wanted;
    live->done = done;
}

/* The text of it. */

static void append_time(GString *text, int64_t seconds)
{
    if (seconds >= 3600) {
        g_string_append_printf(text, "%d h %02d min", (int)(seconds / 3600),
                               (int)(seconds % 3600 / 60));
    } else if (seconds >= 60) {
        g_string_append_printf(text, "%d min %02d s", (int)(seconds / 60), (int)(seconds % 60));
    } else {
        g_string_append_printf(text, "%d s", (int)seconds);
    }
}

static double fraction_of(const LiveJob *job)
{
    return job->duration.ns > 0 ? (double)job->now.ns / (double)job->duration.ns : 0;
}

static void append_bar(GString *text, const Live *live)
{
    double elapsed_s = (double)(g_get_monotonic_time() - live->started_us) / 1e6;
    double done = live->done, rate = 0;

    for (unsigned i = 0; i < live->jobs_len; i++) {
        done += live->jobs[i].weight * fraction_of(&live->jobs[i]);
        rate += live->jobs[i].rate;
    }
    done = CLAMP(done, 0, 1);
    bar_append(text, done);
    if (done > live->resumed) {
        g_string_append(text, "  ");
        append_time(text, (int64_t)(elapsed_s / (done - live->resumed) * (1 - done)));
        g_string_append(text, " to go");
    }
    g_string_append_printf(text, "  %.2f M messages/s  %u of %u replications", rate / 1e6,
                           live->ended, live->wanted);
}

static void append_job(GString *text, const LiveJob *job)
{
    g_string_append_printf(text, "%3.0f %%  ", fraction_of(job) * 100);
    if (job->words != NULL) {
        g_string_append_printf(text, "%s  %s", job->words, job->name);
        return;
    }
    append_time(text, job->now.ns / PEAL_NS_PER_S);
    g_string_append(text, " of ");
    append_time(text, job->duration.ns / PEAL_NS_PER_S);
    if (job->lookups >= 1) {
        g_string_append_printf(text, "  lookups %.1f %%", 100 * job->succeeded / job->lookups);
    }
    if (job->succeeded >= 1) {
        g_string_append_printf(text, " in %.0f ms", job->latency_ns / job->succeeded / 1e6);
    }
    if (job->calls >= 1) {
        g_string_append_printf(text, "  calls %.1f %%", 100 * job->answered / job->calls);
    }
    if (job->answered >= 1) {
        g_string_append_printf(text, " in %.0f ms", job->setup_ns / job->answered / 1e6);
    }
    g_string_append_printf(text, "  %s", job->name);
}

/* The drawing of it. */

static void terminal_size(size_t *ret_width, size_t *ret_height)
{
    struct winsize size = {0};

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
        size = (struct winsize){.ws_col = WIDTH_DEFAULT, .ws_row = HEIGHT_DEFAULT};
    }
    *ret_width = MAX(size.ws_col, WIDTH_LEAST);
    *ret_height = MAX(size.ws_row, 2);
}

/* Goes to where the view begins and wipes from there on. A terminal that became narrower has
 * broken the old lines. */
static void append_wipe(GString *text, Live *live, size_t width)
{
    size_t rows = 0;

    for (guint i = 0; i < live->lines->len; i++) {
        size_t columns = g_array_index(live->lines, size_t, i);

        rows += columns > width ? (columns + width - 1) / width : 1;
    }
    if (rows > 1) {
        g_string_append_printf(text, "\033[%zuA", rows - 1);
    }
    if (rows > 0) {
        g_string_append(text, "\r\033[J");
    }
    g_array_set_size(live->lines, 0);
}

/* The last line has no end, so that a view as high as the terminal does not scroll. */
static void append_line(GString *text, Live *live, const char *line, size_t width)
{
    g_autofree char *cut =
        g_utf8_substring(line, 0, MIN(g_utf8_strlen(line, -1), (glong)width - 1));
    size_t columns = (size_t)g_utf8_strlen(cut, -1);

    g_string_append_printf(text, "%s%s", live->lines->len > 0 ? "\r\n" : "\r", cut);
    g_array_append_val(live->lines, columns);
}

static void write_out(const GString *text)
{
    size_t at = 0;

    fflush(stdout);
    while (at < text->len) {
        ssize_t written = write(STDERR_FILENO, text->str + at, text->len - at);

        if (written <= 0) {
            return;
        }
        at += (size_t)written;
    }
}

void live_draw(Live *live)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GString) line = g_string_new(NULL);
    int64_t now_us = g_get_monotonic_time();
    size_t width, height;

    if (!live->shown || now_us - live->drawn_us < DRAW_US) {
        return;
    }
    live->drawn_us = now_us;
    terminal_size(&width, &height);
    append_wipe(text, live, width);
    append_bar(line, live);
    append_line(text, live, line->str, width);
    for (unsigned i = 0; i < live->jobs_len; i++) {
        if (live->jobs[i].busy && live->lines->len + 1 < height) {
            g_string_truncate(line, 0);
            append_job(line, &live->jobs[i]);
            append_line(text, live, line->str, width);
        }
    }
    write_out(text);
}

void live_clear(Live *live)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t width, height;

    if (!live->shown || live->lines->len == 0) {
        return;
    }
    terminal_size(&width, &height);
    append_wipe(text, live, width);
    write_out(text);
    live->drawn_us = 0;
}
