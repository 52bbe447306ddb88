/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_overload.c - overloaded peers: what queueing theory and the papers on SIP say of one, and
 * what a gate makes of a flood. */
#include <math.h>

#include "simulation.h"

#define ONE_SERVER                                                                           \
    "overlay.peers=1", "overlay.start=converged", "network.latency=constant:1ms",            \
        "scenario.duration=300s", "scenario.warmup=60s", "workload.lookups-per-peer-hour=0", \
        "workload.register-expires=30d", "peer.charge=requests"

/* RFC 3261's INVITE is sent at most seven times. */
enum { CAPACITY = 100, WINDOW_S = 240, SENDS_MAX = 7 };

typedef struct Goodput {
    double useful; /* of what could have been served */
    double sends;  /* of a request */
} Goodput;

/* Callers of nobody: each INVITE is a service of 10 ms, and the 404 answers it. What is answered
 * behind the window's end is missing, which is about a hundredth. */
static Goodput goodput(const char *queue, const char *calls)
{
    const char *settings[] = {ONE_SERVER,
                              queue,
                              calls,
                              "peer.cpu=constant:10ms",
                              "workload.users-per-peer=300",
                              "workload.call-target=nobody",
                              NULL};
    Simulation simulation;
    Goodput goodput;

    simulation_run(&simulation, "calls.conf", settings);
    goodput = (Goodput){(double)simulation.figures->calls_failed[404] / (CAPACITY * WINDOW_S),
                        (double)simulation.figures->totals.counter[RECORDER_ARRIVALS] /
                            (double)(simulation.figures->calls_started +
                                     simulation.figures->calls_unfinished)};
    printf("# %s, %s: goodput %.3f, %.2f sends\n", queue, calls, goodput.useful, goodput.sends);
    simulation_end(&simulation);
    return goodput;
}

static void short_queue_of_an_overloaded_server_wastes_nothing(void)
{
    Goodput got = goodput("peer.queue=400ms", "workload.calls-per-user-hour=3600");

    CU_ASSERT_TRUE(fabs(got.useful - 0.99) < 0.02);
    CU_ASSERT_TRUE(got.sends > 5.3 && got.sends < 6.8);
}

static void queue_longer_than_a_retransmission_timer_halves_goodput(void)
{
    Goodput got = goodput("peer.queue=2s", "workload.calls-per-user-hour=3600");

    CU_ASSERT_TRUE(fabs(got.useful - 0.565) < 0.025);
    CU_ASSERT_TRUE(got.sends > 5.3 && got.sends < 6.8);
}

static void goodput_of_a_long_queue_does_not_depend_on_the_load(void)
{
    Goodput got = goodput("peer.queue=2s", "workload.calls-per-user-hour=1260");

    CU_ASSERT_TRUE(fabs(got.useful - 0.565) < 0.025);
}

static void queue_longer_than_a_caller_waits_has_no_goodput(void)
{
    Goodput got = goodput("peer.queue=40s", "workload.calls-per-user-hour=3600");

    CU_ASSERT_EQUAL(got.useful, 0);
    CU_ASSERT_TRUE(got.sends > 6.5 && got.sends <= SENDS_MAX);
}

/* M/M/1/K with K = 10. */
static void check_loss(const char *rate, double expected)
{
    const char *settings[] = {ONE_SERVER,
                              rate,
                              "peer.cpu=exponential:1ms",
                              "peer.queue=10",
                              "workload.users-per-peer=2",
                              "workload.calls-per-user-hour=0.001",
                              "attack:a.kind=sip-flood",
                              "attack:a.method=options",
                              "attack:a.phones=1",
                              "attack:a.target=peer 0",
                              NULL};
    Simulation simulation;
    double arrivals;
    double loss;

    simulation_run(&simulation, "calls.conf", settings);
    arrivals = (double)simulation.figures->totals.counter[RECORDER_ARRIVALS];
    loss = (double)simulation.figures->totals.counter[RECORDER_TURNED_AWAY] / arrivals;
    printf("# %s: %.4f of %.0f lost, %.4f expected\n", rate, loss, arrivals, expected);
    /* Losses come in bursts: three times the deviation of independent ones. */
    CU_ASSERT_TRUE(fabs(loss - expected) < 9 * sqrt(expected * (1 - expected) / arrivals));
    simulation_end(&simulation);
}

static void bounded_queue_loses_what_the_m_m_1_k_queue_loses(void)
{
    check_loss("attack:a.rate=900/s", 0.0508);
    check_loss("attack:a.rate=2000/s", 0.5002);
}

#define FLOOD "scenario.duration=200s", "scenario.warmup=100s", "attack:flood.from=90s"

static double answered_of(const char *rate, const char *wait, const char *method,
                          uint64_t *ret_blocked)
{
    const char *settings[] = {FLOOD, rate, wait, method, NULL};
    Simulation simulation;
    double answered;

    simulation_run(&simulation, "flood-goodput.conf", settings);
    answered =
        (double)simulation.figures->calls_answered / (double)simulation.figures->calls_started;
    *ret_blocked = simulation.figures->totals.counter[RECORDER_HONEST_BLOCKED];
    printf("# %s, %s, %s: %.3f answered\n", rate, wait, method, answered);
    simulation_end(&simulation);
    return answered;
}

static void flood_beyond_capacity_takes_honest_calls_with_it_without_a_gate(void)
{
    uint64_t blocked;

    CU_ASSERT_TRUE(answered_of("attack:flood.rate=50/s", "defence.overload-wait=0s",
                               "attack:flood.method=options", &blocked) < 0.5);
    CU_ASSERT_EQUAL(blocked, 0);
}

static void gate_keeps_honest_calls_whole_at_ten_times_capacity(void)
{
    uint64_t blocked;

    CU_ASSERT_TRUE(answered_of("attack:flood.rate=50/s", "defence.overload-wait=100ms",
                               "attack:flood.method=options", &blocked) > 0.98);
    CU_ASSERT_TRUE(answered_of("attack:flood.rate=50/s", "defence.overload-wait=100ms",
                               "attack:flood.method=invite", &blocked) > 0.9);
}

static void gate_costs_no_call_when_nobody_attacks(void)
{
    uint64_t blocked;

    CU_ASSERT_EQUAL(answered_of("attack:flood.phones=0", "defence.overload-wait=100ms",
                                "defence.source-rate=5/s", &blocked),
                    1);
    CU_ASSERT_EQUAL(blocked, 0);
}

static uint64_t fingerprint_of(const char *seed)
{
    const char *settings[] = {FLOOD,
                              seed,
                              "defence.overload-wait=100ms",
                              "defence.source-rate=5/s",
                              "defence.overload-control=yes",
                              NULL};
    Simulation simulation;
    uint64_t fingerprint;

    simulation_run(&simulation, "flood-goodput.conf", settings);
    fingerprint = simulation.fingerprint;
    simulation_end(&simulation);
    return fingerprint;
}

static void same_seed_is_refused_the_same(void)
{
    CU_ASSERT_EQUAL(fingerprint_of("scenario.seed=3"), fingerprint_of("scenario.seed=3"));
    CU_ASSERT_NOT_EQUAL(fingerprint_of("scenario.seed=3"), fingerprint_of("scenario.seed=4"));
}

PEAL_TEST_MAIN("sim/overload", PEAL_TEST(short_queue_of_an_overloaded_server_wastes_nothing),
               PEAL_TEST(queue_longer_than_a_retransmission_timer_halves_goodput),
               PEAL_TEST(goodput_of_a_long_queue_does_not_depend_on_the_load),
               PEAL_TEST(queue_longer_than_a_caller_waits_has_no_goodput),
               PEAL_TEST(bounded_queue_loses_what_the_m_m_1_k_queue_loses),
               PEAL_TEST(flood_beyond_capacity_takes_honest_calls_with_it_without_a_gate),
               PEAL_TEST(gate_keeps_honest_calls_whole_at_ten_times_capacity),
               PEAL_TEST(gate_costs_no_call_when_nobody_attacks),
               PEAL_TEST(same_seed_is_refused_the_same))
