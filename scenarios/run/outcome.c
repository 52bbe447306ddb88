/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outcome.c - the figures that a world adds to a replication; see run.h. */
#include <scenarios/run.h>

#include <math.h>
#include <string.h>

static void add(RunOutcome *outcome, ResultsFigure figure)
{
    for (size_t i = 0; i < outcome->figures_len; i++) {
        PEAL_ASSERT(strcmp(outcome->figures[i].name, figure.name) != 0);
    }
    PEAL_ASSERT(outcome->figures_len < RUN_FIGURES_MAX);
    outcome->figures[outcome->figures_len++] = figure;
}

void run_outcome_figure(RunOutcome *outcome, const char *name, double value, ResultsKind kind)
{
    PEAL_ASSERT(kind != RESULTS_RATE);
    add(outcome, (ResultsFigure){.name = name, .value = value, .kind = kind});
}

void run_outcome_rate(RunOutcome *outcome, const char *name, uint64_t part, uint64_t whole)
{
    PEAL_ASSERT(part <= whole);
    add(outcome, (ResultsFigure){.name = name,
                                 .value = whole > 0 ? (double)part / (double)whole : NAN,
                                 .kind = RESULTS_RATE,
                                 .trials = whole});
}

void run_outcome_invariants(RunOutcome *outcome)
{
    const RunInvariants *state = &outcome->invariants;

    run_outcome_figure(outcome, "ring.members", state->members, RESULTS_MEAN);
    run_outcome_figure(outcome, "ring.outside", state->outside, RESULTS_SUM);
    run_outcome_figure(outcome, "ring.wrong_successors", state->wrong_successors, RESULTS_SUM);
    run_outcome_figure(outcome, "ring.wrong_predecessors", state->wrong_predecessors, RESULTS_SUM);
    run_outcome_figure(outcome, "values.live", (double)state->values, RESULTS_SUM);
    run_outcome_figure(outcome, "values.lost", (double)state->values_lost, RESULTS_SUM);
}
