/*
 * live.h - the live view of a run on a terminal: a bar over all, and a line for each job.
 * Source: none.
 * State:  one; a line per job at most.
 * Time:   looks at the wall clock, which reaches no result.
 *
 * All of it is drawn in place, by one write each time. Lines are cut at the terminal's width, which
 * may change between any two drawings. Nothing is ever written where standard error is no terminal.
 */
#ifndef RUN_LIVE_H
#define RUN_LIVE_H

#include "run/replication.h"

typedef struct Live Live;

/* live_new: shown only where standard error is a terminal and `quiet` is not set.
 * jobs   as many replications run at a time
 * done   the share of the work that was there to begin with, 0..1 */
Live *live_new(bool quiet, unsigned jobs, double done);
/* live_free wipes it. */
void live_free(Live *live);

bool live_is_shown(const Live *live);

/* A job begins, shows a view or words, and ends. job is below `jobs`, name is copied.
 * weight   its share of all the work, 0..1 */
void live_begin(Live *live, unsigned job, const char *name, PealSpan duration, double weight);
void live_view(Live *live, unsigned job, const ReplicationView *view);
void live_words(Live *live, unsigned job, const char *words);
void live_end(Live *live, unsigned job);

/* live_count says how many replications of how many have ended, and the share of the work they
 * were. */
void live_count(Live *live, unsigned ended, unsigned wanted, double done);

/* live_draw is called as often as one likes. */
void live_draw(Live *live);

/* live_clear wipes the view, so that other text can take its lines; live_draw brings it back. */
void live_clear(Live *live);

#endif
