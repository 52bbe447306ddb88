/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_calls.c - calls between simulated phones: they succeed, and take as long as their
 * messages. */
#include "recorder_state.h"
#include "simulation.h"

#define MS PEAL_NS_PER_MS
#define S PEAL_NS_PER_S

/* Where things are on the ring of all peers, clockwise. */
static uint32_t clockwise_before(const Simulation *simulation, uint32_t peer)
{
    const PealId self = plan_node_id(simulation->scenario->seed, peer);
    PealIdHalves least = {UINT64_MAX, UINT64_MAX};
    uint32_t before = peer;

    for (uint32_t i = 0; i < simulation->scenario->peers; i++) {
        const PealId id = plan_node_id(simulation->scenario->seed, i);
        PealIdHalves distance = peal_id_distance(&id, &self);

        if (i != peer && peal_halves_less(distance, least)) {
            least = distance;
            before = i;
        }
    }
    return before;
}

/* Hops of the lookup of a user where everybody is everybody's neighbour: by way of the last peer
 * before the key (RFC 6940 s.10.3). */
static unsigned lookup_hops(const Simulation *simulation, uint32_t asker, uint32_t peer,
                            uint32_t user)
{
    char text[PLAN_AOR_MAX];
    PealId key;
    uint32_t owner;

    CU_ASSERT_EQUAL_FATAL(peal_aor_resource(simulation->world->ops.crypto,
                                            plan_user_aor(peer, user, text), &key),
                          0);
    owner = oracle_owner(&simulation->world->oracle, &key);
    if (owner == asker) {
        return 0;
    }
    return clockwise_before(simulation, owner) == asker ? 1 : 2;
}

static void healthy_overlay_completes_every_call(void)
{
    Simulation simulation;

    simulation_run(&simulation, "calls.conf", NULL);
    SIM_ASSERT(&simulation, simulation.figures->calls_started > 500);
    SIM_ASSERT(&simulation,
               simulation.figures->calls_answered == simulation.figures->calls_started);
    SIM_ASSERT(&simulation,
               histogram_count(simulation.figures->setup_ns) == simulation.figures->calls_answered);
    SIM_ASSERT(&simulation, simulation.invariants.values == 200);
    SIM_ASSERT(&simulation, simulation.world->counts.registered == 200);
    SIM_ASSERT(&simulation, simulation.world->counts.register_failed == 0);
    SIM_ASSERT(&simulation, simulation.world->counts.calls_abandoned == 0);
    SIM_ASSERT(&simulation, simulation.figures->totals.counter[RECORDER_SIP_LOST] == 0);
    /* INVITE, 180, 200, ACK, BYE and its 200 cross three hops, two within one house. */
    SIM_ASSERT(&simulation, simulation.figures->totals.counter[RECORDER_SIP_MESSAGES] >
                                15 * simulation.figures->calls_answered);
    simulation_end(&simulation);
}

static void same_seed_gives_the_same_calls(void)
{
    const char *settings[] = {"scenario.duration=3min", "network.loss=1%",
                              "network.jitter=exponential:5ms", "peer.cpu=constant:100us", NULL};
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

/* Four peers, all linked, 50 ms apart: a call takes the lookup there and back, the first one
 * between two peers an AppAttach there and back, then INVITE and 180 one way each, and four hops
 * within the houses at both ends. */
static void set_up_takes_as_long_as_its_messages(void)
{
    const char *settings[] = {
        "overlay.peers=4",    "network.latency=constant:50ms",   "scenario.duration=9min",
        "scenario.warmup=0s", "workload.calls-per-user-hour=60", NULL};
    int64_t acquainted[4][4] = {{0}}; /* first call between two peers */
    unsigned exact = 0;
    Simulation simulation;
    const struct RecorderSampledCall *sample;
    size_t len;

    simulation_run(&simulation, "calls.conf", settings);
    sample = recorder_sampled_calls(simulation.recorder, &len);
    for (size_t i = 0; i < len; i++) {
        const RecorderCall *call = &sample[i].call;
        int64_t *first =
            &acquainted[MIN(call->caller, call->callee)][MAX(call->caller, call->callee)];
        unsigned ways = 2 * lookup_hops(&simulation, call->caller, call->callee, call->callee_user);

        SIM_ASSERT(&simulation, call->status == 200);
        SIM_ASSERT(&simulation, call->answer.ns == call->setup.ns);
        if (call->caller == call->callee) { /* rings at once, whatever the lookup brings */
            SIM_ASSERT(&simulation, call->setup.ns == 4 * NETWORK_FLOOR.ns);
            continue;
        }
        ways += *first == 0 ? 4U : 2U;
        if (*first == 0) {
            *first = call->started.ns;
        } else if (call->started.ns < *first + S) {
            continue; /* may share the AppAttach of the first */
        }
        SIM_ASSERT(&simulation, call->setup.ns == 4 * NETWORK_FLOOR.ns + ways * 50 * MS);
        exact++;
    }
    CU_ASSERT(exact > 40);
    simulation_end(&simulation);
}

static void calls_to_the_living_succeed_after_a_crash(void)
{
    static const int64_t CRASH = 180 * S;
    const char *settings[] = {"event:crash.at=180s", "event:crash.do=fail 20% of peers", NULL};
    unsigned living = 0;
    unsigned dead = 0;
    Simulation simulation;
    const struct RecorderSampledCall *sample;
    size_t len;

    simulation_run(&simulation, "calls.conf", settings);
    sample = recorder_sampled_calls(simulation.recorder, &len);
    for (size_t i = 0; i < len; i++) {
        const RecorderCall *call = &sample[i].call;

        if (call->started.ns < CRASH) {
            SIM_ASSERT(&simulation, call->status == 200);
        } else if (world_peer(simulation.world, call->callee)->up) {
            SIM_ASSERT(&simulation, call->started.ns < CRASH + 60 * S || call->status == 200);
            living++;
        } else {
            SIM_ASSERT(&simulation, call->status >= 400);
            dead++;
        }
    }
    SIM_ASSERT(&simulation, simulation.world->totals.online == 80);
    CU_ASSERT(living > 200 && dead > 30);
    simulation_end(&simulation);
}

static void phones_of_restarted_peers_register_again(void)
{
    static const int64_t RESTART = 180 * S;
    const char *settings[] = {"event:again.at=180s", "event:again.do=restart 20% of peers", NULL};
    unsigned after = 0;
    Simulation simulation;
    const struct RecorderSampledCall *sample;
    size_t len;

    simulation_run(&simulation, "calls.conf", settings);
    sample = recorder_sampled_calls(simulation.recorder, &len);
    for (size_t i = 0; i < len; i++) {
        if (sample[i].call.started.ns > RESTART + 60 * S) {
            SIM_ASSERT(&simulation, sample[i].call.status == 200);
            after++;
        }
    }
    CU_ASSERT(after > 250);
    SIM_ASSERT(&simulation, simulation.world->counts.registered == 240);
    SIM_ASSERT(&simulation, simulation.world->totals.online == 100);
    simulation_end(&simulation);
}

static void loss_delays_calls_and_breaks_none(void)
{
    const char *settings[] = {"network.loss=2%", NULL};
    Simulation simulation;

    simulation_run(&simulation, "calls.conf", settings);
    SIM_ASSERT(&simulation, simulation.figures->totals.counter[RECORDER_SIP_LOST] > 50);
    SIM_ASSERT(&simulation,
               simulation.figures->calls_answered == simulation.figures->calls_started);
    SIM_ASSERT(&simulation, histogram_max(simulation.figures->setup_ns) > 3 * (uint64_t)S);
    simulation_end(&simulation);
}

/* Two calls a second for five minutes behind the warm-up; the count of a renewal process varies by
 * the square of the intervals' coefficient of variation, here 2.1, times 600. */
static void calls_come_as_one_stream_from_users_with_lifetimes_of_their_own(void)
{
    const char *settings[] = {"workload.calls-per-user-hour=0",
                              "workload.call-interval=weibull(shape=0.7, mean=500ms)",
                              "workload.call-duration=lognormal(median=5s, sigma=1)",
                              "workload.register-expires=lognormal(median=1min, sigma=0.5)",
                              "scenario.duration=6min",
                              NULL};
    Simulation simulation;

    simulation_run(&simulation, "calls.conf", settings);
    SIM_ASSERT(&simulation, simulation.figures->calls_started > 600 - 4 * 36);
    SIM_ASSERT(&simulation, simulation.figures->calls_started < 600 + 4 * 36);
    SIM_ASSERT(&simulation,
               simulation.figures->calls_answered == simulation.figures->calls_started);
    SIM_ASSERT(&simulation, simulation.world->counts.register_failed == 0);
    simulation_end(&simulation);
}

PEAL_TEST_MAIN("sim/calls", PEAL_TEST(healthy_overlay_completes_every_call),
               PEAL_TEST(same_seed_gives_the_same_calls),
               PEAL_TEST(set_up_takes_as_long_as_its_messages),
               PEAL_TEST(calls_to_the_living_succeed_after_a_crash),
               PEAL_TEST(phones_of_restarted_peers_register_again),
               PEAL_TEST(loss_delays_calls_and_breaks_none),
               PEAL_TEST(calls_come_as_one_stream_from_users_with_lifetimes_of_their_own))
