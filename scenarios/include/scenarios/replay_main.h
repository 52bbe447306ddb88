/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay_main.h - `peal replay`: a capture described, made a workload, and played.
 * Source: scenarios/REPLAY.md.   State: none beyond a call.   Time: none.
 */
#ifndef SCENARIOS_REPLAY_MAIN_H
#define SCENARIOS_REPLAY_MAIN_H

#include <scenarios/replay.h>
#include <scenarios/run.h>

/* A replay into peers that somebody else runs. */
typedef struct ReplayLiveJob {
    const Replay *replay; /* placed onto as many peers as there are targets */
    char **targets;       /* NULL-terminated, as --to has them */
    Recorder *recorder;   /* to be filled and finished */
    /* keep_on is called a few times a second; when it returns false the replay ends at once, in
     * order. now: of the trace; `ended` of its calls are over. */
    bool (*keep_on)(void *user, PealTime now, uint64_t ended);
    /* get_ready is called likewise before the trace's time 0. */
    bool (*get_ready)(void *user, const char *what);
    void *user;
} ReplayLiveJob;

typedef struct ReplayLiveWorld {
    /* check refuses what is no target, before anything else is done. */
    bool (*check)(const char *target, GError **error);
    /* domain_of is what users' addresses end in at a target where nobody says it; to g_free. */
    char *(*domain_of)(const char *target);
    /* run plays it; interrupted, too, it returns true with the recorder finished. */
    bool (*run)(const ReplayLiveJob *job, RunOutcome *ret_outcome, GError **error);
} ReplayLiveWorld;

/*
 * replay_main runs `peal replay CAPTURE [options]`.
 * argv    argv[0] is "replay"
 * worlds  of --scenario, as run_main takes them
 * live    of --to
 * Returns the exit status: 0; 2 for whatever is wrong before the work starts; 1 for a run that
 * failed or was interrupted.
 */
int replay_main(int argc, char **argv, const RunWorld *const *worlds, size_t worlds_len,
                const ReplayLiveWorld *live);

#endif
