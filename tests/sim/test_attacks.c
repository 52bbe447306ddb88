/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_attacks.c - each attack has its effect, and none where it is off. */
#include <math.h>
#include <scenarios/attackers.h>

#include "simulation.h"

/* A small overlay whose lookups have one try each. */
#define OVERLAY                                                           \
    "overlay.peers=300", "scenario.duration=2min", "scenario.warmup=20s", \
        "overlay.request-timeout=3s", "overlay.request-lifetime=3s", "overlay.update-interval=20s"

#define RUN(simulation, file, ...) \
    simulation_run((simulation), (file), (const char *const[]){OVERLAY, __VA_ARGS__, NULL})

static double rate(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static const AttackCounts *counts_of(const Simulation *simulation)
{
    return &simulation->world->attacks->counts;
}

/* The chance that all on a way are honest, over the lookups of a run without attack. */
static double expected_success(const Histogram *hops, double attackers)
{
    HistogramBucket bucket;
    size_t position = 0;
    uint64_t all = 0;
    double sum = 0;

    while (histogram_next(hops, &position, &bucket)) {
        sum += (double)bucket.count * pow(1 - attackers, fmax((double)bucket.low - 1, 0));
        all += bucket.count;
    }
    return sum / (double)all;
}

static void droppers_stop_what_passes_them(void)
{
    Simulation honest;
    Simulation attacked;
    double expected;
    double found;

    RUN(&honest, "lookup.conf", "workload.lookup-target=random");
    expected = expected_success(honest.figures->hops, 0.2);
    simulation_end(&honest);
    RUN(&attacked, "lookup.conf", "workload.lookup-target=random", "attack:d.kind=drop",
        "attack:d.attackers=20%");
    found = rate(counts_of(&attacked)->honest_succeeded, counts_of(&attacked)->honest_owners);
    printf("# success %.3f, expected %.3f\n", found, expected);
    SIM_ASSERT(&attacked, counts_of(&attacked)->honest_owners > 1500);
    SIM_ASSERT(&attacked, fabs(found - expected) < 0.06); /* one placement of the attackers */
    SIM_ASSERT(&attacked, counts_of(&attacked)->attackers.dropped > 1000);
    /* Links hold: droppers acknowledge, and nothing is thrown away in anybody else's name. */
    SIM_ASSERT(&attacked, attacked.figures->totals.counter[RECORDER_LINKS_DOWN] == 0);
    SIM_ASSERT(&attacked, attacked.figures->totals.drops[PEAL_DROP_OVERLAY] == 0);
    simulation_end(&attacked);
}

static void droppers_of_answers_let_requests_pass(void)
{
    Simulation simulation;
    uint64_t served;

    RUN(&simulation, "lookup.conf", "workload.lookup-target=random", "attack:d.kind=drop",
        "attack:d.attackers=20%", "attack:d.drops=answers");
    served = simulation.figures->totals.codes[9]; /* fetch_req, at each hop */
    SIM_ASSERT(&simulation, counts_of(&simulation)->attackers.dropped > 500);
    SIM_ASSERT(&simulation, served > 3 * simulation.figures->started);
    SIM_ASSERT(&simulation, simulation.figures->succeeded < simulation.figures->started * 3 / 4);
    simulation_end(&simulation);
}

static void wrong_answers_are_answers_but_not_right(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "attack:w.kind=wrong-answer", "attack:w.attackers=10%");
    SIM_ASSERT(&simulation, simulation.figures->succeeded == simulation.figures->started);
    SIM_ASSERT(&simulation, simulation.figures->correct < simulation.figures->started * 4 / 5);
    /* Nothing but lies are wrong, and they say that nobody is there. */
    SIM_ASSERT(&simulation, simulation.figures->found <= simulation.figures->correct);
    SIM_ASSERT(&simulation, counts_of(&simulation)->attackers.answered > 500);
    simulation_end(&simulation);
}

static void false_registrations_are_found(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "attack:w.kind=wrong-answer", "attack:w.attackers=10%",
        "attack:w.answer=false");
    SIM_ASSERT(&simulation, simulation.figures->found == simulation.figures->started);
    SIM_ASSERT(&simulation, simulation.figures->correct < simulation.figures->started * 4 / 5);
    simulation_end(&simulation);
}

/* Where signatures are real an attacker signs as itself, and askers know somebody nearer. */
static void signed_lies_are_not_believed(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "attack:w.kind=wrong-answer", "attack:w.attackers=10%",
        "overlay.crypto=modelled");
    SIM_ASSERT(&simulation, simulation.figures->succeeded < simulation.figures->started * 9 / 10);
    SIM_ASSERT(&simulation, simulation.figures->totals.drops[PEAL_DROP_SIGNATURE] > 500);
    simulation_end(&simulation);
}

static void wrong_hops_cost_messages(void)
{
    Simulation honest;
    Simulation away;
    Simulation circle;

    RUN(&honest, "lookup.conf", "workload.lookup-target=random");
    RUN(&away, "lookup.conf", "workload.lookup-target=random", "attack:h.kind=wrong-hop",
        "attack:h.attackers=10%");
    RUN(&circle, "lookup.conf", "workload.lookup-target=random", "attack:h.kind=wrong-hop",
        "attack:h.attackers=10%", "attack:h.hop=circle");
    SIM_ASSERT(&away, away.figures->totals.counter[RECORDER_MESSAGES] >
                          2 * honest.figures->totals.counter[RECORDER_MESSAGES]);
    SIM_ASSERT(&away, away.figures->succeeded < away.figures->started);
    SIM_ASSERT(&circle, circle.figures->totals.drops[PEAL_DROP_TTL] > 500);
    SIM_ASSERT(&circle, circle.figures->succeeded < away.figures->succeeded);
    simulation_end(&honest);
    simulation_end(&away);
    simulation_end(&circle);
}

static void sybils_own_the_key(void)
{
    Simulation simulation;
    AttackCaptured captured;
    PealId key;

    RUN(&simulation, "lookup.conf", "attack:s.kind=sybil", "attack:s.identities=8",
        "attack:s.target=user 0 of peer 5", "attack:s.from=30s");
    captured = attacks_captured(simulation.world);
    key = attack_cast_key(simulation.world->attacks->cast, 0);
    SIM_ASSERT(&simulation, captured.keys == 1 && captured.keys_taken == 1);
    SIM_ASSERT(&simulation, simulation.world->oracle.len == 308);
    SIM_ASSERT(&simulation, oracle_owner(&simulation.world->oracle, &key) >= 300);
    SIM_ASSERT(&simulation, counts_of(&simulation)->attackers.dropped > 10);
    /* Owner and replicas are theirs, and hold nothing. */
    SIM_ASSERT(&simulation, !workload_value_lives(simulation.world, &key));
    simulation_end(&simulation);
}

static void an_eclipsed_peer_has_attackers_for_neighbours(void)
{
    Simulation simulation;
    AttackCaptured captured;

    RUN(&simulation, "lookup.conf", "attack:e.kind=eclipse", "attack:e.identities=7",
        "attack:e.target=peer 7", "attack:e.from=30s");
    captured = attacks_captured(simulation.world);
    SIM_ASSERT(&simulation, captured.neighbours == 6);
    SIM_ASSERT(&simulation, captured.neighbours_taken == 6);
    SIM_ASSERT(&simulation, counts_of(&simulation)->attackers.lies > 10);
    /* Only one of them is in the ring that the others know. */
    SIM_ASSERT(&simulation, simulation.world->oracle.len == 301);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_successors <= 1);
    simulation_end(&simulation);
}

static void an_eclipse_that_ends_is_got_over(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "attack:e.kind=eclipse", "attack:e.identities=7",
        "attack:e.target=peer 7", "attack:e.from=30s", "attack:e.until=50s");
    SIM_ASSERT(&simulation, attacks_captured(simulation.world).neighbours_taken == 0);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_successors == 0);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_predecessors == 0);
    simulation_end(&simulation);
}

static void a_storm_passes(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "attack:s.kind=storm", "attack:s.identities=20",
        "attack:s.period=10s", "attack:s.from=30s", "attack:s.until=70s");
    SIM_ASSERT(&simulation, simulation.world->totals.counter[RECORDER_PEERS_JOINED] > 60);
    SIM_ASSERT(&simulation, simulation.world->totals.counter[RECORDER_PEERS_FAILED] > 60);
    SIM_ASSERT(&simulation, simulation.world->totals.online == 300);
    SIM_ASSERT(&simulation, simulation.invariants.wrong_successors == 0);
    simulation_end(&simulation);
}

static void flooding_lookups_are_not_the_users(void)
{
    Simulation honest;
    Simulation flooded;

    RUN(&honest, "lookup.conf", "attack:f.kind=lookup-flood", "attack:f.attackers=10",
        "attack:f.rate=1/h", "attack:f.arrivals=regular", "attack:f.target=peer 5");
    RUN(&flooded, "lookup.conf", "attack:f.kind=lookup-flood", "attack:f.attackers=10",
        "attack:f.rate=5/s", "attack:f.arrivals=regular", "attack:f.target=peer 5");
    SIM_ASSERT(&honest, counts_of(&honest)->sent == 0);
    SIM_ASSERT(&flooded, counts_of(&flooded)->sent == 5999); /* one fell due at the end */
    SIM_ASSERT(&flooded, honest.figures->started == flooded.figures->started);
    SIM_ASSERT(&flooded, flooded.figures->succeeded == flooded.figures->started);
    SIM_ASSERT(&flooded, world_peer(flooded.world, 5)->messages >
                             world_peer(honest.world, 5)->messages + 4000);
    simulation_end(&honest);
    simulation_end(&flooded);
}

#define CALLS                                                                                \
    "overlay.peers=20", "scenario.duration=2min", "scenario.warmup=20s", "workload.ring=1s", \
        "workload.calls-per-user-hour=120", "network.latency=constant:20ms"

/* Phones at 5 a second each, for 30 s, at a peer that has time enough: all reach it, every one gets
 * its answer, and the calls of honest users go on. */
static void phones_flood_a_peer(const char *method, uint64_t least_answered)
{
    g_autofree char *set = g_strconcat("attack:f.method=", method, NULL);
    const char *settings[] = {CALLS,
                              "attack:f.kind=sip-flood",
                              "attack:f.phones=4",
                              "attack:f.rate=5/s",
                              "attack:f.arrivals=regular",
                              "attack:f.target=peer 3",
                              "attack:f.from=60s",
                              "attack:f.until=90s",
                              set,
                              NULL};
    Simulation simulation;
    const AttackCounts *counts;

    simulation_run(&simulation, "calls.conf", settings);
    counts = counts_of(&simulation);
    printf("# %s: %" G_GUINT64_FORMAT " sent, %" G_GUINT64_FORMAT " answered, %" G_GUINT64_FORMAT
           " other answers\n",
           method, counts->sent, counts->answered, counts->failed);
    SIM_ASSERT(&simulation, counts->sent == 599);
    SIM_ASSERT(&simulation, counts->victim_flood == 599);
    SIM_ASSERT(&simulation, counts->victim_sip > 599);
    SIM_ASSERT(&simulation, counts->answered >= least_answered);
    SIM_ASSERT(&simulation, counts->answered + counts->failed >= 599);
    SIM_ASSERT(&simulation, simulation.figures->calls_started > 100);
    simulation_end(&simulation);
}

static void phones_flood_with_register(void)
{
    phones_flood_a_peer("register", 590);
}

static void phones_flood_with_options(void)
{
    phones_flood_a_peer("options", 590);
}

static void phones_flood_with_invite(void)
{
    phones_flood_a_peer("invite", 1);
}

static void peers_flood_everyone(void)
{
    const char *settings[] = {CALLS,
                              "attack:f.kind=sip-flood",
                              "attack:f.attackers=4",
                              "attack:f.rate=5/s",
                              "attack:f.method=options",
                              NULL};
    Simulation simulation;

    simulation_run(&simulation, "calls.conf", settings);
    SIM_ASSERT(&simulation, counts_of(&simulation)->sent > 2000);
    SIM_ASSERT(&simulation, counts_of(&simulation)->answered > 2000);
    SIM_ASSERT(&simulation,
               simulation.figures->calls_answered == simulation.figures->calls_started);
    simulation_end(&simulation);
}

/* Twice what the processor can do, at the peer that serves a twentieth of the users. */
static void a_flood_beyond_capacity_costs_calls(void)
{
    const char *settings[] = {CALLS,
                              "peer.cpu=constant:5ms",
                              "peer.queue=10s",
                              "attack:f.kind=sip-flood",
                              "attack:f.phones=10",
                              "attack:f.rate=40/s",
                              "attack:f.target=peer 3",
                              "attack:f.from=30s",
                              NULL};
    Simulation simulation;
    double answered;

    simulation_run(&simulation, "calls.conf", settings);
    answered = rate(simulation.figures->calls_answered, simulation.figures->calls_started);
    printf("# %.3f of the calls are answered\n", answered);
    SIM_ASSERT(&simulation, simulation.world->totals.counter[RECORDER_TURNED_AWAY] > 1000);
    SIM_ASSERT(&simulation, answered < 0.98);
    SIM_ASSERT(&simulation,
               processor_busy(&simulation.world->processor, 3, simulation.world->now) > 0.8);
    SIM_ASSERT(&simulation, answered > 0.5); /* the other peers go on */
    simulation_end(&simulation);
}

static uint64_t fingerprint_with(const char *attackers)
{
    g_autofree char *set = g_strconcat("attack:w.attackers=", attackers, NULL);
    Simulation simulation;
    uint64_t fingerprint;

    RUN(&simulation, "lookup.conf", "attack:w.kind=wrong-answer", set, "attack:s.kind=storm",
        "attack:s.identities=1", "attack:s.from=119s", "scenario.seed=7");
    fingerprint = simulation.fingerprint;
    simulation_end(&simulation);
    return fingerprint;
}

static void same_seed_gives_the_same_attack(void)
{
    CU_ASSERT_EQUAL(fingerprint_with("10%"), fingerprint_with("10%"));
    CU_ASSERT_NOT_EQUAL(fingerprint_with("10%"), fingerprint_with("11%"));
}

static void nobody_attacking_is_no_attack(void)
{
    Simulation none;
    Simulation nobody;

    RUN(&none, "lookup.conf", "scenario.seed=3");
    RUN(&nobody, "lookup.conf", "scenario.seed=3", "attack:d.kind=drop", "attack:d.attackers=0%");
    SIM_ASSERT(&nobody, none.fingerprint == nobody.fingerprint);
    SIM_ASSERT(&nobody, none.figures->started == nobody.figures->started);
    SIM_ASSERT(&nobody, counts_of(&nobody)->honest_owners == nobody.figures->started);
    SIM_ASSERT(&none, none.world->attacks == NULL);
    simulation_end(&none);
    simulation_end(&nobody);
}

static void attackers_live_through_restarts(void)
{
    Simulation simulation;

    RUN(&simulation, "lookup.conf", "attack:d.kind=drop", "attack:d.attackers=20%",
        "attack:h.kind=wrong-hop", "attack:h.attackers=20%", "event:r.at=40s",
        "event:r.do=restart 50% of peers");
    SIM_ASSERT(&simulation, counts_of(&simulation)->attackers.dropped > 100);
    SIM_ASSERT(&simulation, counts_of(&simulation)->attackers.diverted > 100);
    SIM_ASSERT(&simulation, simulation.world->totals.online == 300);
    simulation_end(&simulation);
}

PEAL_TEST_MAIN("sim/attacks", PEAL_TEST(droppers_stop_what_passes_them),
               PEAL_TEST(droppers_of_answers_let_requests_pass),
               PEAL_TEST(wrong_answers_are_answers_but_not_right),
               PEAL_TEST(false_registrations_are_found), PEAL_TEST(signed_lies_are_not_believed),
               PEAL_TEST(wrong_hops_cost_messages), PEAL_TEST(sybils_own_the_key),
               PEAL_TEST(an_eclipsed_peer_has_attackers_for_neighbours),
               PEAL_TEST(an_eclipse_that_ends_is_got_over), PEAL_TEST(a_storm_passes),
               PEAL_TEST(flooding_lookups_are_not_the_users), PEAL_TEST(phones_flood_with_register),
               PEAL_TEST(phones_flood_with_options), PEAL_TEST(phones_flood_with_invite),
               PEAL_TEST(peers_flood_everyone), PEAL_TEST(a_flood_beyond_capacity_costs_calls),
               PEAL_TEST(same_seed_gives_the_same_attack), PEAL_TEST(nobody_attacking_is_no_attack),
               PEAL_TEST(attackers_live_through_restarts))
