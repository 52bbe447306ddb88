/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_watch.c - paths of lookups and wrong entries, as the simulator sees them. */
#include "simulation.h"

#include <math.h>

#define SMALL                                                                                     \
    "overlay.peers=500", "scenario.duration=60s", "overlay.finger-choice=exact",                  \
        "overlay.successors=8", "overlay.predecessors=0", "overlay.link=udp",                     \
        "overlay.link-acks=yes", "overlay.link-sends=1", "overlay.link-rto=100ms",                \
        "network.latency=constant:5ms", "overlay.maintenance=off", "overlay.request-timeout=20s", \
        "overlay.request-lifetime=20s"

/* Lookups whose asker owned the key. */
static uint64_t own_keys(const RecorderFigures *figures)
{
    size_t position = 0;
    HistogramBucket bucket;

    return histogram_next(figures->hops, &position, &bucket) && bucket.low == 0 ? bucket.count : 0;
}

static void a_path_ends_one_hop_before_the_responsible_peer(void)
{
    const char *settings[] = {SMALL, "scenario.watch-paths=yes", NULL};
    Simulation simulation;
    const Watch *watch;
    uint64_t owned;
    double hops;

    simulation_run(&simulation, "bench-w.conf", settings);
    watch = &simulation.world->watch;
    owned = own_keys(simulation.figures);
    hops = histogram_mean(simulation.figures->hops) * (double)simulation.figures->succeeded;
    SIM_ASSERT(&simulation, simulation.figures->started > 2000);
    /* Those under way at the end may have come to the predecessor. */
    SIM_ASSERT(&simulation, watch->reached >= simulation.figures->succeeded - owned);
    SIM_ASSERT(&simulation,
               watch->reached <= simulation.figures->started + simulation.figures->unfinished);
    SIM_ASSERT(&simulation, watch->lost == 0 && watch->dead == 0);
    SIM_ASSERT(&simulation,
               fabs((double)watch->hops / (double)watch->reached -
                    (hops / (double)(simulation.figures->succeeded - owned) - 1)) < 0.02);
    simulation_end(&simulation);
}

static void watching_changes_nothing(void)
{
    const char *watched[] = {SMALL, "scenario.watch-paths=yes", "scenario.watch-ring=1s", NULL};
    const char *alone[] = {SMALL, NULL};
    Simulation simulation;
    uint64_t fingerprint;

    simulation_run(&simulation, "bench-w.conf", watched);
    SIM_ASSERT(&simulation, simulation.world->watch.samples == 60);
    SIM_ASSERT(&simulation, simulation.world->watch.wrong_successors == 0);
    SIM_ASSERT(&simulation, simulation.world->watch.dead_fingers == 0);
    fingerprint = simulation.fingerprint;
    simulation_end(&simulation);
    simulation_run(&simulation, "bench-w.conf", alone);
    SIM_ASSERT(&simulation, simulation.fingerprint == fingerprint);
    simulation_end(&simulation);
}

/* crash.conf's peers fail at 5 min, a fifth of them. */
static void dead_peers_are_met_and_passed_by(void)
{
    const char *settings[] = {SMALL,
                              "scenario.watch-paths=yes",
                              "scenario.watch-ring=1s",
                              "overlay.start=converged",
                              "overlay.replicas=0",
                              "scenario.duration=330s",
                              "scenario.warmup=301s",
                              "workload.lookup-target=random",
                              "workload.users-per-peer=0",
                              "workload.lookups-per-peer-hour=20",
                              NULL};
    Simulation simulation;
    const Watch *watch;

    simulation_run(&simulation, "crash.conf", settings);
    watch = &simulation.world->watch;
    SIM_ASSERT(&simulation, watch->reached > 30);
    SIM_ASSERT(&simulation, watch->lost == 0);
    SIM_ASSERT(&simulation, watch->dead > watch->reached / 4);
    SIM_ASSERT(&simulation, watch->members / (double)watch->samples == 400);
    /* At first a fifth; those that were sent to are known to be dead by and by. */
    SIM_ASSERT(&simulation, watch->dead_fingers / (double)watch->samples > 0.1);
    SIM_ASSERT(&simulation, watch->dead_fingers / (double)watch->samples < 0.25);
    SIM_ASSERT(&simulation, watch->wrong_successors >= watch->dead_successors);
    simulation_end(&simulation);
}

/* Each round asks the successor for an Update, by one RouteQuery (21). */
static void rounds_come_at_their_mean_rate_however_they_are_spread(void)
{
    static const struct {
        const char *spread;
        const char *share;
        double rounds;
    } CASES[] = {
        {"overlay.update-spread=none", "overlay.stabilise-share=0%", 1},
        {"overlay.update-spread=uniform", "overlay.stabilise-share=0%", 1},
        {"overlay.update-spread=exponential", "overlay.stabilise-share=0%", 1},
        {"overlay.update-spread=exponential", "overlay.stabilise-share=30%", 0.3},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(CASES); i++) {
        const char *settings[] = {CASES[i].spread,
                                  CASES[i].share,
                                  "overlay.peers=300",
                                  "overlay.maintenance=stabilise",
                                  "overlay.update-interval=1s",
                                  "workload.lookups-per-peer-hour=0",
                                  "scenario.duration=100s",
                                  NULL};
        Simulation simulation;
        double rounds;

        simulation_run(&simulation, "bench-w.conf", settings);
        rounds = (double)simulation.figures->totals.codes[21] / (300 * 100);
        /* 30,000 rounds or a third: three standard deviations are within 4 %. */
        SIM_ASSERT(&simulation, fabs(rounds / CASES[i].rounds - 1) < 0.04);
        simulation_end(&simulation);
    }
}

PEAL_TEST_MAIN("sim/watch", PEAL_TEST(a_path_ends_one_hop_before_the_responsible_peer),
               PEAL_TEST(watching_changes_nothing), PEAL_TEST(dead_peers_are_met_and_passed_by),
               PEAL_TEST(rounds_come_at_their_mean_rate_however_they_are_spread))
