/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.c - see run.h: one replication in the simulated world.
 */
#include <sim/run.h>

#include <analysis/results.h>
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

static RunOutcome outcome_of(const World *world)
{
    RunOutcome outcome = {
        .lookups_abandoned = world->counts.abandoned,
        .calls_abandoned = world->counts.calls_abandoned,
        .registered = world->counts.registered,
        .register_failed = world->counts.register_failed,
        .turned_away = world->counts.turned_away,
        .fingerprint = world_fingerprint(world),
        .has_fingerprint = true,
        .events = world->counts.events,
        .messages = world->totals.counter[RECORDER_MESSAGES],
    };

    invariants_check(world, &outcome.invariants);
    return outcome;
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
    *ret_outcome = outcome_of(world);
    ret_outcome->wall_seconds = wall_seconds;
    ret_outcome->peak_rss_bytes = peak_rss_bytes();
    world_free(world);
    return true;
}

const RunWorld SIM_WORLD = {.name = "sim",
                            .results = RESULTS_WORLD_SIMULATION,
                            .captures = true,
                            .run = run_world};
