/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_central.c - one registrar and proxy for all: what it takes, and what its death costs. */
#include "recorder_state.h"
#include "simulation.h"

#define MS PEAL_NS_PER_MS
#define S PEAL_NS_PER_S
#define CENTRAL "overlay.topology=central"

/* The INVITE of a call is sent again for 32 s (RFC 3261 s.17.1.1.2), and may find a server that is
 * back. */
#define PATIENCE (32 * S)

static void lookups_take_one_hop_there_and_back(void)
{
    static const char *const STARTS[] = {"overlay.start=converged", "overlay.start=joins"};

    for (size_t start = 0; start < G_N_ELEMENTS(STARTS); start++) {
        const char *settings[] = {CENTRAL,
                                  STARTS[start],
                                  "overlay.peers=200",
                                  "overlay.join-interval=50ms",
                                  "network.latency=constant:50ms",
                                  NULL};
        Simulation simulation;
        const RecorderFigures *figures;

        simulation_run(&simulation, "lookup.conf", settings);
        figures = simulation.figures;
        SIM_ASSERT(&simulation, figures->started > 4000);
        SIM_ASSERT(&simulation, figures->correct == figures->started);
        SIM_ASSERT(&simulation, figures->found == figures->started);
        /* All but the server's own. */
        SIM_ASSERT(&simulation, histogram_min(figures->latency_ns) == 0);
        SIM_ASSERT(&simulation, histogram_max(figures->latency_ns) == 2 * 50 * MS);
        SIM_ASSERT(&simulation, histogram_min(figures->hops) == 0);
        SIM_ASSERT(&simulation, histogram_max(figures->hops) == 1);
        SIM_ASSERT(&simulation, simulation.invariants.members == 200);
        SIM_ASSERT(&simulation, simulation.invariants.outside == 0);
        SIM_ASSERT(&simulation, simulation.invariants.wrong_successors == 0);
        SIM_ASSERT(&simulation, simulation.invariants.values == 200);
        SIM_ASSERT(&simulation, simulation.invariants.values_lost == 0);
        simulation_end(&simulation);
    }
}

/* INVITE and 180 each go by the server, and 0.25 ms within the house at either end. */
static void set_up_takes_both_ways_to_the_server_there_and_back(void)
{
    const char *settings[] = {CENTRAL, "network.latency=constant:50ms", NULL};
    unsigned exact = 0;
    Simulation simulation;
    const struct RecorderSampledCall *sample;
    size_t len;

    simulation_run(&simulation, "calls.conf", settings);
    SIM_ASSERT(&simulation,
               simulation.figures->calls_answered == simulation.figures->calls_started);
    SIM_ASSERT(&simulation, simulation.world->counts.registered == 200);
    SIM_ASSERT(&simulation, simulation.figures->totals.counter[RECORDER_MESSAGES] == 0);
    sample = recorder_sampled_calls(simulation.recorder, &len);
    for (size_t i = 0; i < len; i++) {
        const RecorderCall *call = &sample[i].call;
        int ways = 2 * (call->caller != 0) + 2 * (call->callee != 0);

        SIM_ASSERT(&simulation, call->status == 200);
        SIM_ASSERT(&simulation, call->setup.ns == 4 * NETWORK_FLOOR.ns + ways * 50 * MS);
        SIM_ASSERT(&simulation, call->answer.ns == call->setup.ns);
        exact++;
    }
    CU_ASSERT(exact > 500);
    simulation_end(&simulation);
}

/* Calls that began in [from, to): how many there were, and how many were answered. */
typedef struct Part {
    unsigned calls;
    unsigned answered;
} Part;

static Part part_of(const Simulation *simulation, int64_t from_ns, int64_t to_ns)
{
    Part part = {0};
    size_t len;
    const struct RecorderSampledCall *sample = recorder_sampled_calls(simulation->recorder, &len);

    for (size_t i = 0; i < len; i++) {
        const RecorderCall *call = &sample[i].call;

        if (call->started.ns >= from_ns && call->started.ns < to_ns) {
            part.calls++;
            part.answered += call->status / 100 == 2;
        }
    }
    return part;
}

static void nobody_calls_while_the_server_is_down_and_everybody_when_it_is_back(void)
{
    const char *settings[] = {CENTRAL,
                              "event:down.at=180s",
                              "event:down.do=fail peer 0",
                              "event:up.at=300s",
                              "event:up.do=start peer 0",
                              NULL};
    Simulation simulation;
    Part before;
    Part down;
    Part after;

    simulation_run(&simulation, "calls.conf", settings);
    before = part_of(&simulation, 0, 180 * S - 2 * S);
    down = part_of(&simulation, 180 * S, 300 * S - PATIENCE);
    after = part_of(&simulation, 300 * S + S, 600 * S);
    SIM_ASSERT(&simulation, before.calls > 80 && before.answered == before.calls);
    SIM_ASSERT(&simulation, down.calls > 50 && down.answered == 0);
    /* Its disk knows where they all are. */
    SIM_ASSERT(&simulation, after.calls > 200 && after.answered == after.calls);
    SIM_ASSERT(&simulation, simulation.invariants.members == 100);
    simulation_end(&simulation);
}

static void without_a_disk_users_are_back_when_their_phones_register_again(void)
{
    const char *settings[] = {CENTRAL,
                              "overlay.server-keeps=no",
                              "workload.register-expires=100s",
                              "event:down.at=180s",
                              "event:down.do=restart peer 0",
                              NULL};
    Simulation simulation;
    Part lost;
    Part after;

    simulation_run(&simulation, "calls.conf", settings);
    lost = part_of(&simulation, 180 * S, 185 * S);
    after = part_of(&simulation, 280 * S, 600 * S);
    SIM_ASSERT(&simulation, lost.calls > 2 && lost.answered < lost.calls);
    SIM_ASSERT(&simulation, after.calls > 200 && after.answered == after.calls);
    simulation_end(&simulation);
}

static void lookups_fail_while_the_server_is_down_and_find_what_is_stored_again(void)
{
    const char *settings[] = {CENTRAL,
                              "overlay.peers=100",
                              "workload.register-expires=60s",
                              "scenario.duration=8min",
                              "scenario.warmup=5min",
                              "event:down.at=60s",
                              "event:down.do=fail peer 0",
                              "event:up.at=2min",
                              "event:up.do=start peer 0",
                              NULL};
    Simulation simulation;

    /* Hosts ask for the server every 60 s at least, and store again within 2 min. */
    simulation_run(&simulation, "lookup.conf", settings);
    SIM_ASSERT(&simulation, simulation.figures->started > 1500);
    SIM_ASSERT(&simulation, simulation.figures->correct == simulation.figures->started);
    SIM_ASSERT(&simulation, simulation.figures->found == simulation.figures->started);
    SIM_ASSERT(&simulation, simulation.invariants.members == 100);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_successors == 0);
    simulation_end(&simulation);
}

static void peers_of_a_server_come_and_go_as_events_say(void)
{
    const char *settings[] = {CENTRAL,
                              "overlay.peers=100",
                              "event:crash.at=60s",
                              "event:crash.do=fail peer 7",
                              "event:again.at=90s",
                              "event:again.do=start peer 7",
                              "event:more.at=100s",
                              "event:more.do=join 20",
                              "event:out.at=2min",
                              "event:out.do=leave peer 8",
                              NULL};
    Simulation simulation;

    simulation_run(&simulation, "lookup.conf", settings);
    SIM_ASSERT(&simulation, simulation.invariants.members == 119);
    SIM_ASSERT(&simulation, simulation.invariants.outside == 0);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_successors == 0);
    SIM_ASSERT(&simulation, simulation.figures->correct == simulation.figures->started);
    SIM_ASSERT(&simulation, simulation.world->totals.counter[RECORDER_PEERS_LEFT] == 1);
    simulation_end(&simulation);
}

static void same_seed_gives_the_same_central_run(void)
{
    const char *settings[] = {CENTRAL,
                              "scenario.duration=4min",
                              "network.loss=1%",
                              "network.jitter=exponential:5ms",
                              "peer.cpu=constant:100us",
                              "workload.lookups-per-peer-hour=60",
                              "event:down.at=2min",
                              "event:down.do=restart peer 0",
                              NULL};
    uint64_t fingerprints[2];

    for (int i = 0; i < 2; i++) {
        Simulation simulation;

        simulation_run(&simulation, "calls.conf", settings);
        SIM_ASSERT(&simulation, simulation.figures->calls_answered > 100);
        fingerprints[i] = simulation.fingerprint;
        simulation_end(&simulation);
    }
    CU_ASSERT_EQUAL(fingerprints[0], fingerprints[1]);
}

/* Twice what a processor can serve, for a minute: the calls that begin in it. */
static void flood_of_one_machine_takes_all_users_of_a_server_and_few_of_a_ring(void)
{
    static const char *const TOPOLOGIES[] = {CENTRAL, "overlay.topology=chord"};
    Part flooded[2];

    for (int i = 0; i < 2; i++) {
        const char *settings[] = {TOPOLOGIES[i], "overlay.peers=30", "scenario.duration=4min",
                                  "attack:flood.rate=50/s", NULL};
        Simulation simulation;
        Part before;

        simulation_run(&simulation, "central-flood.conf", settings);
        before = part_of(&simulation, 60 * S, 110 * S);
        flooded[i] = part_of(&simulation, 130 * S, 180 * S);
        SIM_ASSERT(&simulation, before.calls > 50 && before.answered >= before.calls - 1);
        SIM_ASSERT(&simulation, flooded[i].calls > 50);
        simulation_end(&simulation);
    }
    CU_ASSERT(2 * flooded[0].answered < flooded[0].calls);
    CU_ASSERT(10 * flooded[1].answered > 8 * flooded[1].calls);
}

static void server_has_a_link_to_each_of_five_thousand(void)
{
    const char *settings[] = {CENTRAL, "overlay.peers=5000", "scenario.duration=1min", NULL};
    Simulation simulation;

    simulation_run(&simulation, "lookup.conf", settings);
    SIM_ASSERT(&simulation,
               peal_peer_links(sim_peer_core(world_peer(simulation.world, 0))) == 4999);
    SIM_ASSERT(&simulation, simulation.figures->started > 10000);
    SIM_ASSERT(&simulation, simulation.figures->correct == simulation.figures->started);
    SIM_ASSERT(&simulation, simulation.invariants.values == 5000);
    simulation_end(&simulation);
}

PEAL_TEST_MAIN("sim/central", PEAL_TEST(lookups_take_one_hop_there_and_back),
               PEAL_TEST(set_up_takes_both_ways_to_the_server_there_and_back),
               PEAL_TEST(nobody_calls_while_the_server_is_down_and_everybody_when_it_is_back),
               PEAL_TEST(without_a_disk_users_are_back_when_their_phones_register_again),
               PEAL_TEST(lookups_fail_while_the_server_is_down_and_find_what_is_stored_again),
               PEAL_TEST(peers_of_a_server_come_and_go_as_events_say),
               PEAL_TEST(same_seed_gives_the_same_central_run),
               PEAL_TEST(flood_of_one_machine_takes_all_users_of_a_server_and_few_of_a_ring),
               PEAL_TEST(server_has_a_link_to_each_of_five_thousand))
