/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.c - see run.h: one replication in the simulated world.
 */
#include <sim/run.h>

#include <analysis/results.h>
#include <scenarios/replay_results.h>
#include <stdio.h>

#include "invariants.h"
#include "world.h"

/* The kernel's high-water mark of resident memory, started afresh for each replication where it
 * allows that. */
static void peak_rss_reset(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");

    if (file != NULL) {
        fputs("5\n", file);
        fclose(file);
    }
}

static uint64_t peak_rss_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    uint64_t kib = 0;

    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (g_str_has_prefix(line, "VmHWM:")) {
            kib = g_ascii_strtoull(line + strlen("VmHWM:"), NULL, 10);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib * 1024;
}

static void add_counts(RunOutcome *outcome, const World *world)
{
    const WorldCounts *counts = &world->counts;

    run_outcome_figure(outcome, "lookups.abandoned", (double)counts->abandoned, RESULTS_SUM);
    run_outcome_figure(outcome, "registrations.stored", (double)counts->registered, RESULTS_SUM);
    run_outcome_figure(outcome, "registrations.failed", (double)counts->register_failed,
                       RESULTS_SUM);
    if (scenario_has_calls(world->scenario)) {
        run_outcome_figure(outcome, "calls.abandoned", (double)counts->calls_abandoned,
                           RESULTS_SUM);
    }
}

static void add_gate(RunOutcome *outcome, const World *world, const RecorderFigures *figures)
{
    const uint64_t *counter = figures->totals.counter;

    if (!processor_is_infinite(&world->processor)) {
        run_outcome_rate(outcome, "processor.loss_rate", counter[RECORDER_TURNED_AWAY],
                         counter[RECORDER_ARRIVALS]);
        processor_figures(&world->processor, scenario_identities(world->scenario), world->now,
                          outcome);
    }
    if (world->defended) {
        run_outcome_rate(outcome, "defence.honest_blocked_rate", world->counts.honest_blocked,
                         world->counts.honest_judged);
    }
    if (world->overlay.defence.neighbour_check) {
        run_outcome_figure(outcome, "defence.neighbours_refused",
                           (double)g_hash_table_size(world->refused_pairs), RESULTS_SUM);
        run_outcome_figure(outcome, "defence.peers_refused",
                           (double)g_hash_table_size(world->refused_peers), RESULTS_SUM);
    }
}

static void describe(const World *world, RunOutcome *outcome)
{
    outcome->fingerprint = world_fingerprint(world);
    outcome->has_fingerprint = true;
    outcome->events = world->counts.events;
    outcome->messages = world->totals.counter[RECORDER_MESSAGES];
    invariants_check(world, &outcome->invariants);
    run_outcome_invariants(outcome);
    add_counts(outcome, world);
    add_gate(outcome, world, recorder_figures(world->recorder));
    watch_figures(world, outcome);
    if (world->attacks != NULL) {
        attacks_figures(world, outcome);
    }
    if (world->phones != NULL && world->phones->play != NULL) {
        run_outcome_replay(outcome, world->recorder, world->scenario->workload.replay,
                           world->phones->play);
    }
}

static bool run_world(const RunJob *job, RunOutcome *ret_outcome, GError **error)
{
    WorldConfig config = {job->point,   job->seed,    job->recorder,
                          job->capture, job->keep_on, job->user};
    int64_t started_us;
    double wall_seconds;
    World *world;

    peak_rss_reset();
    world = world_new(&config, error);
    if (world == NULL) {
        return false;
    }
    started_us = g_get_monotonic_time();
    world_run(world);
    wall_seconds = (double)(g_get_monotonic_time() - started_us) / 1e6;
    describe(world, ret_outcome);
    ret_outcome->wall_seconds = wall_seconds;
    ret_outcome->peak_rss_bytes = peak_rss_bytes();
    world_free(world);
    return true;
}

const RunWorld SIM_WORLD = {.name = "sim",
                            .results = RESULTS_WORLD_SIMULATION,
                            .captures = true,
                            .run = run_world};
