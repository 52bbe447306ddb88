/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * churn.h - the [churn] section: what its keys say together, and its traces.
 * Source: none.
 * State:  16 bytes a line of a trace, in the scenario.
 * Time:   a trace's, from the start of the run, in whole us.
 */
#ifndef SCENARIOS_CHURN_H
#define SCENARIOS_CHURN_H

#include <scenarios/scenario.h>

/* At `us` a peer comes (up) or goes. */
typedef struct ChurnLine {
    int64_t us;
    uint32_t peer;
    bool up;
} ChurnLine;

struct ChurnTrace {
    ChurnLine *lines; /* in the order of time, then of the file */
    size_t len;
};

/*
 * churn_trace_parse reads a trace: lines `SECONDS PEER up|down`, in the order of time; `#` begins a
 * comment. Peers are down until their first line.
 * path    for errors
 * peers   of them there are 0..peers-1
 * Errors of SCENARIO_ERROR_VALUE name path:line: what is no such line, an unknown peer, a time
 * before that of the line above, a peer that is up (or down) already; nobody who ever comes.
 */
ChurnTrace *churn_trace_parse(const char *path, const char *text, size_t len, uint32_t peers,
                              GError **error);
void churn_trace_free(ChurnTrace *trace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ChurnTrace, churn_trace_free)

/* churn_build reads the trace, if there is one, and checks the section against the events. */
bool churn_build(Scenario *scenario, GError **error) PEAL_MUST_USE;

/* churn_identities is how many peers there are without those of join events; below 2^32. */
uint64_t churn_identities(const Scenario *scenario);

/* churn_availability is the share of its time that a peer is there, by the distributions. */
double churn_availability(const Scenario *scenario);

#endif
