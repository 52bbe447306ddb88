/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * progress.h - how far a run is, on standard error: a bar on a terminal, nothing elsewhere.
 * Source: none.   State: one.
 * Time:   looks at the wall clock, which reaches no result.
 */
#ifndef RUN_PROGRESS_H
#define RUN_PROGRESS_H

#include <peal/base.h>

typedef struct Progress {
    bool shown;
    int64_t started_us; /* wall clock */
    int64_t drawn_us;
    int64_t replication_us; /* when this one started */
    unsigned steps;         /* replications of all points */
    unsigned skipped;       /* that were there already */
    unsigned step;          /* this one */
} Progress;

/* progress_init: shown only where standard error is a terminal and `quiet` is not set. */
void progress_init(Progress *progress, unsigned steps, bool quiet);

/* progress_step begins replication number `step` of all. */
void progress_step(Progress *progress, unsigned step);

/* progress_draw is called as often as one likes. fraction of this replication that is done,
 * messages delivered in it. */
void progress_draw(Progress *progress, double fraction, uint64_t messages);

/* progress_say shows words in place of the bar. */
void progress_say(Progress *progress, const char *words);

/* progress_clear wipes the bar, so that a message can take its line. */
void progress_clear(Progress *progress);

#endif
