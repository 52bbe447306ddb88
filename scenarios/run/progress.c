/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress.c - a bar with rate and time to go.
 */
#include "run/progress.h"

#include <glib.h>
#include <stdio.h>
#include <unistd.h>

enum { DRAW_US = 100000, BAR_LEN = 30 };

void progress_init(Progress *progress, unsigned steps, bool quiet)
{
    *progress = (Progress){
        .shown = !quiet && isatty(STDERR_FILENO) == 1,
        .started_us = g_get_monotonic_time(),
        .steps = MAX(steps, 1),
    };
}

void progress_step(Progress *progress, unsigned step)
{
    progress->step = step;
    progress->replication_us = g_get_monotonic_time();
    progress->drawn_us = 0;
}

static void draw_time(int64_t seconds)
{
    if (seconds >= 3600) {
        fprintf(stderr, "%d h %02d min to go", (int)(seconds / 3600), (int)(seconds % 3600 / 60));
    } else if (seconds >= 60) {
        fprintf(stderr, "%d min %02d s to go", (int)(seconds / 60), (int)(seconds % 60));
    } else {
        fprintf(stderr, "%d s to go", (int)seconds);
    }
}

void progress_draw(Progress *progress, double fraction, uint64_t messages)
{
    int64_t now_us = g_get_monotonic_time();
    double done = (progress->step + fraction) / progress->steps;
    double fresh = progress->step + fraction - progress->skipped;
    double elapsed_s = (double)(now_us - progress->started_us) / 1e6;
    double rate = (double)messages * 1e6 / (double)MAX(now_us - progress->replication_us, 1);
    int full = (int)(done * BAR_LEN);

    if (!progress->shown || now_us - progress->drawn_us < DRAW_US) {
        return;
    }
    progress->drawn_us = now_us;
    fputs("\r[", stderr);
    for (int i = 0; i < BAR_LEN; i++) {
        fputc(i < full ? '#' : '.', stderr);
    }
    fprintf(stderr, "] %3.0f %%  %.2f M messages/s  ", done * 100, rate / 1e6);
    if (fresh > 0) {
        draw_time((int64_t)(elapsed_s / fresh * (progress->steps - progress->step - fraction)));
    }
    fputs("\033[K", stderr);
    fflush(stderr);
}

void progress_say(Progress *progress, const char *words)
{
    int64_t now_us = g_get_monotonic_time();

    if (progress->shown && now_us - progress->drawn_us >= DRAW_US) {
        progress->drawn_us = now_us;
        fprintf(stderr, "\r%s\033[K", words);
        fflush(stderr);
    }
}

void progress_clear(Progress *progress)
{
    if (progress->shown) {
        fputs("\r\033[K", stderr);
        fflush(stderr);
    }
}
