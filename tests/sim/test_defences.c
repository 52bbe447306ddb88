/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_defences.c - each of the overlay's defences does something about its attack, and is no harm
 * where there is none. */
#include <scenarios/attackers.h>

#include "simulation.h"

#define OVERLAY                                                           \
    "overlay.peers=300", "scenario.duration=2min", "scenario.warmup=20s", \
        "overlay.request-timeout=3s", "overlay.request-lifetime=3s", "overlay.update-interval=20s"

#define RUN(simulation, file, ...) \
    simulation_run((simulation), (file), (const char *const[]){OVERLAY, __VA_ARGS__, NULL})

static double honest_success(const char *lookups)
{
    Simulation simulation;
    const AttackCounts *counts;
    double rate;

    RUN(&simulation, "lookup.conf", "workload.lookup-target=random", "attack:d.kind=drop",
        "attack:d.attackers=20%", lookups);
    counts = &simulation.world->attacks->counts;
    SIM_ASSERT(&simulation, counts->honest_owners > 1000);
    rate = (double)counts->honest_succeeded / (double)MAX(counts->honest_owners, 1);
    simulation_end(&simulation);
    return rate;
}

static void redundant_lookups_pass_droppers(void)
{
    double one = honest_success("defence.redundant-lookups=1");
    double two = honest_success("defence.redundant-lookups=2");
    double four = honest_success("defence.redundant-lookups=4");

    printf("# success by 1, 2, 4 first hops: %.3f, %.3f, %.3f\n", one, two, four);
    CU_ASSERT(two > one + .05);
    CU_ASSERT(four > two + .05);
}

static void redundant_lookups_of_honest_peers_are_correct(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "defence.redundant-lookups=3");
    SIM_ASSERT(&simulation, simulation.figures->started > 1000);
    SIM_ASSERT(&simulation, simulation.figures->correct == simulation.figures->started);
    simulation_end(&simulation);
}

static void hashed_copies_outlive_their_region(void)
{
    static const char *const placements[] = {"defence.replica-placement=successors",
                                             "defence.replica-placement=hashed"};
    double found[2];

    for (size_t i = 0; i < 2; i++) {
        Simulation simulation;

        RUN(&simulation, "lookup.conf", "workload.lookup-target=users",
            "workload.register-expires=1h", "scenario.warmup=60s", "event:r.at=40s",
            "event:r.do=fail 20 adjacent peers", "overlay.update-interval=5s",
            "overlay.finger-interval=10s", placements[i]);
        found[i] = (double)simulation.figures->found / (double)simulation.figures->started;
        simulation_end(&simulation);
    }
    printf("# found with copies on successors %.3f, hashed %.3f\n", found[0], found[1]);
    CU_ASSERT(found[0] < .985); /* the keys of those whose successors went too are gone */
    CU_ASSERT(found[1] > .995);
}

static void checked_neighbours_are_not_eclipsed(void)
{
    Simulation simulation;
    AttackCaptured captured;

    RUN(&simulation, "lookup.conf", "attack:e.kind=eclipse", "attack:e.identities=7",
        "attack:e.target=peer 7", "attack:e.from=30s", "defence.neighbour-check=on");
    captured = attacks_captured(simulation.world);
    SIM_ASSERT(&simulation, captured.neighbours_taken == 0);
    SIM_ASSERT(&simulation, g_hash_table_size(simulation.world->refused_peers) > 0);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_successors == 0);
    simulation_end(&simulation);
}

static void checked_neighbours_of_honest_peers_are_those_of_the_ring(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "defence.neighbour-check=on", "event:j.at=30s",
        "event:j.do=join 200 peers", "event:f.at=80s", "event:f.do=fail 5% peers");
    SIM_ASSERT(&simulation, simulation.world->oracle.len == 475);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_successors == 0);
    SIM_ASSERT(&simulation, g_hash_table_size(simulation.world->refused_peers) <= 5);
    simulation_end(&simulation);
}

static void puzzles_slow_a_storm_down(void)
{
    static const char *const bits[] = {"defence.puzzle-bits=0", "defence.puzzle-bits=24"};
    uint64_t joined[2];

    for (size_t i = 0; i < 2; i++) {
        Simulation simulation;

        RUN(&simulation, "lookup.conf", "attack:s.kind=storm", "attack:s.identities=20",
            "attack:s.period=20s", "defence.puzzle-modelled=16", bits[i]);
        joined[i] = simulation.figures->totals.counter[RECORDER_PEERS_JOINED];
        SIM_ASSERT(&simulation, simulation.figures->succeeded > 0);
        simulation_end(&simulation);
    }
    printf("# joins without and with a puzzle: %u, %u\n", (unsigned)joined[0], (unsigned)joined[1]);
    CU_ASSERT(joined[0] > 80);
    /* Ten seconds of a life, 16.8 of work on average: under half of the lives join. */
    CU_ASSERT(joined[1] < joined[0] * 3 / 5);
}

PEAL_TEST_MAIN("sim/defences", PEAL_TEST(redundant_lookups_pass_droppers),
               PEAL_TEST(redundant_lookups_of_honest_peers_are_correct),
               PEAL_TEST(hashed_copies_outlive_their_region),
               PEAL_TEST(checked_neighbours_are_not_eclipsed),
               PEAL_TEST(checked_neighbours_of_honest_peers_are_those_of_the_ring),
               PEAL_TEST(puzzles_slow_a_storm_down))
