/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay_fit.h - the distributions that a recorded workload follows, and a scenario of any size
 *                with them.
 * Source: <analysis/fit.h>.   State: none.   Time: spans are seconds here.
 */
#ifndef SCENARIOS_REPLAY_FIT_H
#define SCENARIOS_REPLAY_FIT_H

#include <analysis/fit.h>
#include <scenarios/replay.h>

typedef enum ReplaySpans {
    REPLAY_INTERARRIVAL, /* between two calls, of the whole trace */
    REPLAY_HOLDING,      /* from the answer to the BYE, of calls that had both */
    REPLAY_REGISTRATION, /* between two registrations of one user, none of which takes away */
    REPLAY_SPANS
} ReplaySpans;
const char *replay_spans_name(ReplaySpans which); /* "interarrival" ... */

/* replay_spans returns them as doubles, in the order of time; to g_array_unref. */
GArray *replay_spans(const Replay *replay, ReplaySpans which);

typedef struct ReplayFits {
    Fit interarrival;
    Fit holding;
    Fit registration;
} ReplayFits;

ReplayFits replay_fits(const Replay *replay);

/* A zero stands for what the trace has. */
typedef struct ReplayScale {
    uint32_t users;
    uint32_t users_per_peer; /* 0: one */
    PealSpan duration;       /* 0: the trace's, within 10 min to a day */
    const char *workload;    /* file with the trace's own calls, which the scenario's comments tell
                                of; or NULL */
    bool force;              /* replace a file that exists */
} ReplayScale;

/*
 * replay_write_scenario writes a scenario in which so many users behave as those of the trace: the
 * rate at which a user calls, how calls follow each other, how long they last, how often users
 * register. Its comments say what was fitted and what was made of it.
 * Returns false with an error: a trace without calls; a scale that scenarios do not have; a file
 * that exists or cannot be written.
 */
bool replay_write_scenario(const Replay *replay, const ReplayScale *scale, const char *path,
                           GError **error);

#endif
