/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.h - `peal run`: a scenario in one of the worlds that the program has.
 * Source: none.   State: none beyond a call.   Time: none.
 */
#ifndef SCENARIOS_RUN_H
#define SCENARIOS_RUN_H

#include <analysis/pcap.h>
#include <analysis/recorder.h>
#include <analysis/results.h>
#include <scenarios/scenario.h>

/* Unix time of a simulated run's start: 2025-01-01 00:00:00 UTC. */
#define RUN_EPOCH_MS UINT64_C(1735689600000)

/* What must be true of an overlay that was left alone for a while: one ring, and no value lost. */
typedef struct RunInvariants {
    uint32_t members;            /* joined peers */
    uint32_t outside;            /* peers that are up and have not joined */
    uint32_t wrong_successors;   /* members whose nearest successor is not the next member */
    uint32_t wrong_predecessors; /* and likewise */
    uint64_t values;             /* Resource-IDs of which some living peer has a value */
    uint64_t values_lost;        /* of those, the ones that the responsible peer does not have */
} RunInvariants;

/* One replication that a world is to run. */
typedef struct RunJob {
    const Scenario *point;
    uint64_t seed;
    Recorder *recorder;  /* to be filled and finished */
    PcapWriter *capture; /* NULL: none is wanted */
    const char *dir;     /* of the results, for what the world keeps beside them */
    unsigned number;     /* of the replication, over all points */
    uint32_t base_port;  /* 0: the world's own choice */
    /* keep_on is called a few times a second at least, at scenario time `now` with so many messages
     * delivered; when it returns false the world ends the replication at once, in order. */
    bool (*keep_on)(void *user, PealTime now, uint64_t messages);
    /* get_ready is called likewise by a world that takes its time before scenario time 0; what it
     * does then is said in a few words, borrowed for the call. */
    bool (*get_ready)(void *user, const char *what);
    void *user;
} RunJob;

enum { RUN_FIGURES_MAX = 256 };

/* What the recorder does not know of a replication. */
typedef struct RunOutcome {
    RunInvariants invariants; /* at its end */
    uint64_t fingerprint;     /* meaningful where has_fingerprint */
    bool has_fingerprint;     /* the world can be repeated to the last bit */
    double wall_seconds;
    uint64_t events;
    uint64_t messages;
    uint64_t peak_rss_bytes;
    /* The world's own figures, in the order in which summary.json has them. */
    ResultsFigure figures[RUN_FIGURES_MAX];
    size_t figures_len;
} RunOutcome;

/*
 * run_outcome_figure adds a figure of this replication to results.db and summary.json. It must not
 * depend on wall time, and every replication of a scenario has the same figures.
 * name    dotted (`attack.sent`), unlike every other; borrowed: a string that lives on
 * value   of RESULTS_SUM and RESULTS_MAX an integer below 2^53; NaN: cannot be had
 * kind    RESULTS_MEAN, RESULTS_SUM or RESULTS_MAX
 */
void run_outcome_figure(RunOutcome *outcome, const char *name, double value, ResultsKind kind);

/* run_outcome_rate adds one that is a share of trials, part / whole (calls answered of those made):
 * a RESULTS_RATE, whose interval is wide enough for so many trials. NaN when whole is 0. */
void run_outcome_rate(RunOutcome *outcome, const char *name, uint64_t part, uint64_t whole);

/* run_outcome_invariants adds the figures of outcome->invariants; every world calls it. */
void run_outcome_invariants(RunOutcome *outcome);

/* Where peers live. */
typedef struct RunWorld {
    const char *name;    /* for --on */
    const char *results; /* as results.db names it, RESULTS_WORLD_* */
    bool captures;       /* --pcap is to be had */
    bool has_ports;      /* --base-port is */
    /* check refuses what this world cannot honour, naming the key; NULL: it can everything. Called
     * for each point before anything is written. */
    bool (*check)(const Scenario *point, uint32_t base_port, GError **error);
    /* run runs one replication and fills in the outcome, which is all zero before. When it was
     * interrupted, the recorder is finished nevertheless and it returns true. False with an error:
     * nothing is to be kept. */
    bool (*run)(const RunJob *job, RunOutcome *ret_outcome, GError **error);
} RunWorld;

/*
 * run_main runs `peal run FILE [options]`: every point and replication of a scenario, one after the
 * other, in the world of --on, by default the first. Results go to files and standard output,
 * messages and progress to standard error. SIGINT and SIGTERM end the run soon and keep what was
 * measured.
 * argv    argv[0] is "run"
 * worlds  at least one
 * Returns the exit status: 0; 2 for whatever is wrong before the work starts; 1 for a run that
 * failed or was interrupted.
 */
int run_main(int argc, char **argv, const RunWorld *const *worlds, size_t worlds_len);

#endif
