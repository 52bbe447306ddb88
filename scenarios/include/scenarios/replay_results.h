/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay_results.h - what a replay leaves: how each call ended in the trace, and how here.
 * Source: analysis/SCHEMA.md.
 * State:  32 bytes a call, in the recorder.   Time: instants count from the run's start.
 */
#ifndef SCENARIOS_REPLAY_RESULTS_H
#define SCENARIOS_REPLAY_RESULTS_H

#include <scenarios/replay.h>
#include <scenarios/run.h>

/*
 * run_outcome_replay adds the figures `replay.*` to a replication and hands every call to its
 * recorder, before or after recorder_finish. A world calls it once, at the end, where its point has
 * a replay.
 */
void run_outcome_replay(RunOutcome *outcome, Recorder *recorder, const Replay *replay,
                        const ReplayPlay *play);

/* replay_set_trace stores a point's trace beside its replications: its calls, and the distributions
 * fitted to it. Returns false with RESULTS_ERROR_WRITE. */
bool replay_set_trace(Results *results, unsigned point, const Replay *replay, GError **error);

/*
 * replay_report_text appends what people read of a replication: outcomes in the trace against those
 * here, set-up on both sides, and single calls, those that ended otherwise first where they are
 * many.
 * recorder    with the calls of run_outcome_replay
 * all         false: only a few calls that ended otherwise are listed
 */
void replay_report_text(GString *text, const Replay *replay, const Recorder *recorder, bool all);

/* The results of a replay outside of `peal run`: one point with one replication. */
typedef struct ReplayResultsConfig {
    const char *dir;
    const char *name;                   /* of the results: what the capture is called */
    const char *command;                /* what runs it again */
    const Replay *replay;               /* placed; borrowed until the results are closed */
    const ResultsParameter *parameters; /* what else it was told ("replay.to", "replay.speed"):
                                           with the name what makes it the same replay again */
    size_t parameters_len;
    bool force; /* replace other results */
} ReplayResultsConfig;

typedef struct ReplayResults ReplayResults;

/* replay_results_open makes the directory and stores the trace. NULL with RESULTS_ERROR_EXISTS or
 * RESULTS_ERROR_WRITE, as results_open says. */
ReplayResults *replay_results_open(const ReplayResultsConfig *config, GError **error);

/* replay_results_recorder is the recorder for the world to fill and finish, with room for
 * REPLAY_RESULTS_TAIL_S more than the trace lasts; what is finished later counts as then. */
enum { REPLAY_RESULTS_TAIL_S = 120 };
Recorder *replay_results_recorder(ReplayResults *results);

/*
 * replay_results_finish stores the replication and writes summary.json.
 * outcome      as the world has left it
 * interrupted  it was ended before its end: the results are partial, and the same replay may be
 *              run into them again
 * ret_text     what people read of it, to g_free; NULL: not wanted
 * Returns false with RESULTS_ERROR_WRITE.
 */
bool replay_results_finish(ReplayResults *results, const RunOutcome *outcome, bool interrupted,
                           char **ret_text, GError **error);

/* replay_results_close is safe on NULL; without replay_results_finish no replication is there. */
void replay_results_close(ReplayResults *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReplayResults, replay_results_close)

#endif
