/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_overlay.c - whole overlays under joins, crashes and partitions, on several seeds.
 * PEAL_TEST_SEEDS=20 tries as many.
 */
#include "simulation.h"

static char *seed_text(unsigned seed)
{
    return g_strdup_printf("scenario.seed=%u", seed);
}

static bool rate_is(uint64_t good, uint64_t all, double least)
{
    return all > 0 && (double)good >= least * (double)all;
}

static void overlay_of_joins_alone_is_one_ring_after_ten_minutes(void)
{
    for (unsigned seed = 1; seed <= simulation_seeds(1); seed++) {
        g_autofree char *text = seed_text(seed);
        const char *settings[] = {text, NULL};
        Simulation simulation;

        simulation_run(&simulation, "joins.conf", settings);
        SIM_ASSERT(&simulation, simulation.invariants.members == 1000);
        SIM_ASSERT(&simulation, simulation.invariants.outside == 0);
        SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
        SIM_ASSERT(&simulation, simulation.invariants.values == 1000);
        SIM_ASSERT(&simulation, simulation.invariants.values_lost == 0);
        simulation_end(&simulation);
    }
}

/* Values that some living peer holds right after the crash: they must all be there in the end. No
 * user registers again meanwhile. */
static uint64_t values_left_by_crash(const char *seed)
{
    const char *settings[] = {seed, "scenario.duration=300001ms", "scenario.warmup=1min",
                              "workload.register-expires=1h", NULL};
    Simulation simulation;
    uint64_t values;

    simulation_run(&simulation, "crash.conf", settings);
    values = simulation.invariants.values;
    SIM_ASSERT(&simulation, simulation.world->totals.online == 800);
    simulation_end(&simulation);
    return values;
}

static void overlay_heals_when_a_fifth_of_it_crashes(void)
{
    for (unsigned seed = 1; seed <= simulation_seeds(1); seed++) {
        g_autofree char *text = seed_text(seed);
        const char *settings[] = {text, "scenario.duration=20min", "scenario.warmup=15min",
                                  "workload.register-expires=1h", NULL};
        uint64_t values = values_left_by_crash(text);
        Simulation simulation;

        simulation_run(&simulation, "crash.conf", settings);
        SIM_ASSERT(&simulation, simulation.invariants.members == 800);
        SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
        SIM_ASSERT(&simulation, simulation.invariants.values == values);
        SIM_ASSERT(&simulation, simulation.invariants.values_lost == 0);
        SIM_ASSERT(&simulation,
                   rate_is(simulation.figures->succeeded, simulation.figures->started, 0.999));
        SIM_ASSERT(&simulation,
                   rate_is(simulation.figures->correct, simulation.figures->started, 0.999));
        simulation_end(&simulation);
    }
}

static void two_adjacent_peers_may_crash_without_a_value_lost(void)
{
    for (unsigned seed = 1; seed <= simulation_seeds(5); seed++) {
        g_autofree char *text = seed_text(seed);
        const char *settings[] = {text,
                                  "overlay.peers=200",
                                  "scenario.duration=6min",
                                  "workload.register-expires=1h",
                                  "event:crash.at=2min",
                                  "event:crash.do=fail 2 adjacent peers",
                                  NULL};
        Simulation simulation;

        simulation_run(&simulation, "crash.conf", settings);
        SIM_ASSERT(&simulation, simulation.invariants.members == 198);
        SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
        SIM_ASSERT(&simulation, simulation.invariants.values == 200);
        SIM_ASSERT(&simulation, simulation.invariants.values_lost == 0);
        simulation_end(&simulation);
    }
}

static void peers_that_leave_or_restart_take_no_value_along(void)
{
    for (unsigned seed = 1; seed <= simulation_seeds(5); seed++) {
        g_autofree char *text = seed_text(seed);
        const char *settings[] = {text,
                                  "overlay.peers=200",
                                  "scenario.duration=6min",
                                  "workload.register-expires=1h",
                                  "event:crash.at=2min",
                                  "event:crash.do=restart 1 peers",
                                  "event:leave.at=3min",
                                  "event:leave.do=leave 10% of peers",
                                  "event:join.at=4min",
                                  "event:join.do=join 20 peers",
                                  NULL};
        Simulation simulation;

        simulation_run(&simulation, "crash.conf", settings);
        SIM_ASSERT(&simulation, simulation.invariants.members == 200);
        SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
        SIM_ASSERT(&simulation, simulation.invariants.values_lost == 0);
        /* A peer that leaves takes its users' registrations back (20 of them); those that join
         * bring their own. */
        SIM_ASSERT(&simulation, simulation.invariants.values >= 180);
        simulation_end(&simulation);
    }
}

static void halves_of_a_partition_become_one_ring_again(void)
{
    for (unsigned seed = 1; seed <= simulation_seeds(1); seed++) {
        g_autofree char *text = seed_text(seed);
        const char *settings[] = {text, "overlay.peers=300", NULL};
        Simulation simulation;

        simulation_run(&simulation, "partition.conf", settings);
        SIM_ASSERT(&simulation, simulation.invariants.members == 300);
        SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
        SIM_ASSERT(&simulation, simulation.invariants.values == 300);
        SIM_ASSERT(&simulation, simulation.invariants.values_lost == 0);
        simulation_end(&simulation);
    }
}

static void one_seed_gives_one_fingerprint_and_another_seed_another(void)
{
    static const char *const SEEDS[] = {"scenario.seed=5", "scenario.seed=5", "scenario.seed=6"};
    uint64_t fingerprint[G_N_ELEMENTS(SEEDS)];

    for (size_t i = 0; i < G_N_ELEMENTS(SEEDS); i++) {
        const char *settings[] = {SEEDS[i],
                                  "overlay.peers=60",
                                  "scenario.duration=90s",
                                  "scenario.warmup=0s",
                                  "network.loss=1%",
                                  "network.jitter=exponential:5ms",
                                  "event:crash.at=60s",
                                  "event:crash.do=fail 10% of peers",
                                  NULL};
        Simulation simulation;

        simulation_run(&simulation, "joins.conf", settings);
        fingerprint[i] = simulation.fingerprint;
        simulation_end(&simulation);
    }
    CU_ASSERT_EQUAL(fingerprint[0], fingerprint[1]);
    CU_ASSERT_NOT_EQUAL(fingerprint[0], fingerprint[2]);
}

static void peer_that_an_event_names_fails_and_is_back_with_its_users(void)
{
    const char *settings[] = {"overlay.peers=60",
                              "scenario.duration=4min",
                              "scenario.warmup=0s",
                              "event:crash.at=60s",
                              "event:crash.do=fail peer 7",
                              "event:not-down.at=70s",
                              "event:not-down.do=start peer 8",
                              "event:back.at=2min",
                              "event:back.do=start peer 7",
                              NULL};
    Simulation simulation;

    simulation_run(&simulation, "joins.conf", settings);
    SIM_ASSERT(&simulation, simulation.invariants.members == 60);
    SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
    SIM_ASSERT(&simulation, simulation.invariants.values == 60);
    SIM_ASSERT(&simulation, world_peer(simulation.world, 7)->life == 2);
    SIM_ASSERT(&simulation, world_peer(simulation.world, 8)->life == 1);
    SIM_ASSERT(&simulation, simulation.world->totals.counter[RECORDER_PEERS_FAILED] == 1);
    simulation_end(&simulation);
}

/* What a dead link leaves behind may be for this peer now, and ask it to open another while the
 * stream's place is free already. Of few overlays one comes to that: this does. */
static void overlay_serves_what_a_dead_link_leaves_to_it(void)
{
    const char *settings[] = {"event:failure.do=fail 30% of peers",
                              "event:failure.at=30s",
                              "overlay.peers=2000",
                              "overlay.update-interval=30s",
                              "overlay.finger-interval=60s",
                              "overlay.hold-down=5s",
                              "workload.lookups-per-peer-hour=60",
                              "scenario.seed=8212727989474493",
                              "scenario.replications=1",
                              "scenario.warmup=60s",
                              "scenario.duration=120s",
                              NULL};
    Simulation simulation;

    simulation_run(&simulation, "validation/loss.conf", settings);
    SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
    simulation_end(&simulation);
}

PEAL_TEST_MAIN("sim/overlay", PEAL_TEST(peer_that_an_event_names_fails_and_is_back_with_its_users),
               PEAL_TEST(overlay_of_joins_alone_is_one_ring_after_ten_minutes),
               PEAL_TEST(overlay_heals_when_a_fifth_of_it_crashes),
               PEAL_TEST(two_adjacent_peers_may_crash_without_a_value_lost),
               PEAL_TEST(peers_that_leave_or_restart_take_no_value_along),
               PEAL_TEST(halves_of_a_partition_become_one_ring_again),
               PEAL_TEST(one_seed_gives_one_fingerprint_and_another_seed_another),
               PEAL_TEST(overlay_serves_what_a_dead_link_leaves_to_it))
