/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_run_truth.c - what nodes report, judged in the order of time. */
#include <math.h>
#include <peal_test.h>
#include <scenarios/plan.h>
#include <scenarios/settings.h>

#include "run_truth.h"

enum { PEERS = 8, SEED = 7, ORIGIN_S = 1000 };

static const char SCENARIO[] = "[scenario]\nduration = 1min\nwarmup = 0s\n"
                               "[overlay]\npeers = 8\nreplicas = 1\n";

typedef struct World {
    RunJob job;
    RunTruth *truth;
} World;

static PealTime at_ms(int64_t ms)
{
    return (PealTime){ORIGIN_S * PEAL_NS_PER_S + ms * PEAL_NS_PER_MS};
}

static void world_init(World *world)
{
    RecorderConfig config = {.duration = peal_seconds(60)};

    *world = (World){.job = {.seed = SEED}};
    world->job.point = scenario_load_text("test.conf", SCENARIO, sizeof(SCENARIO) - 1, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->job.point);
    world->job.recorder = recorder_new(&config);
    world->truth = run_truth_new(&world->job, PEERS, at_ms(0));
}

static const RecorderFigures *finished(World *world)
{
    RecorderTotals totals = {0};
    Recorder *recorder = world->job.recorder;

    while (recorder_next_sample(recorder).ns < 60 * PEAL_NS_PER_S) {
        recorder_sample(recorder, recorder_next_sample(recorder), &totals);
    }
    recorder_finish(recorder, (PealTime){60 * PEAL_NS_PER_S}, &totals);
    return recorder_figures(recorder);
}

static void world_fini(World *world)
{
    run_truth_free(world->truth);
    recorder_free(world->job.recorder);
    scenario_free((Scenario *)(uintptr_t)world->job.point);
}

static void join(World *world, uint32_t peer, int64_t ms)
{
    run_truth_add(world->truth,
                  &(RunEvent){.at = at_ms(ms), .kind = RUN_EVENT_JOINED, .peer = peer});
}

static void gone(World *world, uint32_t peer, int64_t ms)
{
    run_truth_add(world->truth, &(RunEvent){.at = at_ms(ms), .kind = RUN_EVENT_GONE, .peer = peer});
}

static void served(World *world, uint32_t peer, int64_t ms, const PealId *key, uint32_t hops)
{
    run_truth_add(world->truth, &(RunEvent){.at = at_ms(ms),
                                            .kind = RUN_EVENT_SERVED,
                                            .peer = peer,
                                            .transaction = 99,
                                            .key = *key,
                                            .number = hops});
}

static void stored(World *world, uint32_t peer, int64_t ms, const PealId *key)
{
    run_truth_add(world->truth, &(RunEvent){.at = at_ms(ms),
                                            .kind = RUN_EVENT_STORED,
                                            .peer = peer,
                                            .key = *key});
}

static void fetched(World *world, uint32_t number, uint32_t responder, int64_t ms, uint16_t values)
{
    run_truth_add(world->truth, &(RunEvent){.at = at_ms(ms),
                                            .kind = RUN_EVENT_FETCHED,
                                            .peer = 0,
                                            .transaction = 99,
                                            .key = plan_node_id(SEED, responder),
                                            .number = number,
                                            .values = values,
                                            .started = at_ms(ms - 30),
                                            .took = peal_ms(30)});
}

/* A key that this peer owns, whoever else is there: its own Node-ID. */
static PealId key_of(uint32_t peer)
{
    return plan_node_id(SEED, peer);
}

static void join_all(World *world)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        join(world, i, i);
    }
}

static void truth_takes_hops_from_the_peer_that_served(void)
{
    World world;
    PealId key = key_of(3);
    uint32_t number;
    const RecorderFigures *figures;

    world_init(&world);
    join_all(&world);
    number = run_truth_lookup(world.truth, 0, &key, true);
    fetched(&world, number, 3, 2000, 0); /* told of before the other */
    served(&world, 3, 1990, &key, 4);
    CU_ASSERT_EQUAL(run_truth_unfinished(world.truth), 1);
    run_truth_advance(world.truth, at_ms(3000));
    CU_ASSERT_EQUAL(run_truth_unfinished(world.truth), 0);
    figures = finished(&world);
    CU_ASSERT_EQUAL(figures->started, 1);
    CU_ASSERT_EQUAL(figures->correct, 1);
    CU_ASSERT_EQUAL(figures->found, 0);
    CU_ASSERT_DOUBLE_EQUAL(histogram_mean(figures->hops), 4, 0);
    CU_ASSERT_DOUBLE_EQUAL(histogram_mean(figures->latency_ns), 30e6, 0);
    world_fini(&world);
}

static void truth_finds_an_answer_from_another_than_the_owner_wrong(void)
{
    World world;
    PealId key = key_of(3);
    const RecorderFigures *figures;

    world_init(&world);
    join_all(&world);
    run_truth_lookup(world.truth, 0, &key, true);
    served(&world, 4, 1990, &key, 4);
    fetched(&world, 0, 4, 2000, 0);
    run_truth_advance(world.truth, at_ms(3000));
    figures = finished(&world);
    CU_ASSERT_EQUAL(figures->succeeded, 1);
    CU_ASSERT_EQUAL(figures->correct, 0);
    world_fini(&world);
}

/* The member after one. */
static uint32_t next_of(const World *world, uint32_t peer)
{
    uint32_t other = 0;
    PealId id = key_of(other);

    while (!run_truth_is_side(world->truth, peer, true, &id, 1, 1)) {
        id = key_of(++other);
        CU_ASSERT_FATAL(other < PEERS);
    }
    return other;
}

static void truth_knows_the_neighbours_of_a_member(void)
{
    World world;
    PealId after[PEERS], before[PEERS];
    uint32_t peer = 3;

    world_init(&world);
    join_all(&world);
    run_truth_advance(world.truth, at_ms(100));
    for (uint32_t i = 0; i < PEERS; i++) {
        peer = next_of(&world, peer);
        after[i] = key_of(peer);
        before[(PEERS - 2 - i) % PEERS] = after[i];
    }
    CU_ASSERT_EQUAL(peer, 3);
    CU_ASSERT(run_truth_is_side(world.truth, 3, true, after, 2, 2));
    CU_ASSERT(run_truth_is_side(world.truth, 3, false, before, 2, 2));
    CU_ASSERT_FALSE(run_truth_is_side(world.truth, 3, true, before, 2, 2));
    CU_ASSERT_FALSE(run_truth_is_side(world.truth, 3, true, after, 1, 2));
    CU_ASSERT(run_truth_is_side(world.truth, 3, true, after, PEERS - 1, PEERS + 1));
    CU_ASSERT(run_truth_is_side(world.truth, 3, false, before, PEERS - 1, PEERS + 1));
    (void)finished(&world);
    world_fini(&world);
}

static void truth_judges_by_who_was_there_at_that_instant(void)
{
    World world;
    PealId key = key_of(3);
    const RecorderFigures *figures;
    uint32_t after;

    world_init(&world);
    join_all(&world);
    run_truth_advance(world.truth, at_ms(100));
    after = next_of(&world, 3);
    /* 3 answers, ends, and its successor answers: both are right. */
    run_truth_lookup(world.truth, 0, &key, true);
    run_truth_lookup(world.truth, 0, &key, true);
    served(&world, 3, 1990, &key, 1);
    fetched(&world, 0, 3, 2000, 0);
    gone(&world, 3, 2500);
    served(&world, after, 2990, &key, 2);
    fetched(&world, 1, after, 3000, 0);
    run_truth_advance(world.truth, at_ms(4000));
    figures = finished(&world);
    CU_ASSERT_EQUAL(figures->correct, 2);
    CU_ASSERT_FALSE(run_truth_is_member(world.truth, 3));
    CU_ASSERT(run_truth_is_member(world.truth, after));
    world_fini(&world);
}

static void truth_wants_the_value_that_a_replica_holds(void)
{
    World world;
    PealId key = key_of(3);
    const RecorderFigures *figures;
    uint64_t values, lost;

    world_init(&world);
    join_all(&world);
    stored(&world, 3, 500, &key);
    run_truth_lookup(world.truth, 0, &key, false);
    run_truth_lookup(world.truth, 0, &key, false);
    served(&world, 3, 1990, &key, 1);
    fetched(&world, 0, 3, 2000, 1);
    served(&world, 3, 2990, &key, 1);
    fetched(&world, 1, 3, 3000, 0);
    run_truth_advance(world.truth, at_ms(4000));
    figures = finished(&world);
    CU_ASSERT_EQUAL(figures->found, 1);
    CU_ASSERT_EQUAL(figures->correct, 1);
    CU_ASSERT_EQUAL(run_truth_held(world.truth, 3), 1);
    run_truth_count_values(world.truth, &values, &lost);
    CU_ASSERT_EQUAL(values, 1);
    CU_ASSERT_EQUAL(lost, 0);
    world_fini(&world);
}

static void truth_counts_values_that_the_owner_lacks_as_lost(void)
{
    World world;
    PealId key = key_of(3);
    uint64_t values, lost;

    world_init(&world);
    join_all(&world);
    stored(&world, 5, 500, &key);
    run_truth_advance(world.truth, at_ms(4000));
    run_truth_count_values(world.truth, &values, &lost);
    CU_ASSERT_EQUAL(values, 1);
    CU_ASSERT_EQUAL(lost, 1);
    gone(&world, 5, 5000);
    run_truth_advance(world.truth, at_ms(6000));
    run_truth_count_values(world.truth, &values, &lost);
    CU_ASSERT_EQUAL(values, 0);
    (void)finished(&world);
    world_fini(&world);
}

static void truth_abandons_the_lookups_of_a_peer_that_ends(void)
{
    World world;
    PealId key = key_of(3);
    const RecorderFigures *figures;

    world_init(&world);
    join_all(&world);
    run_truth_lookup(world.truth, 0, &key, true);
    run_truth_lookup(world.truth, 1, &key, true);
    gone(&world, 0, 2000);
    fetched(&world, 0, 3, 2100, 0); /* cannot be, and does no harm */
    run_truth_advance(world.truth, at_ms(3000));
    CU_ASSERT_EQUAL(run_truth_abandoned(world.truth), 1);
    CU_ASSERT_EQUAL(run_truth_unfinished(world.truth), 1);
    figures = finished(&world);
    CU_ASSERT_EQUAL(figures->started, 0);
    world_fini(&world);
}

static void truth_does_not_make_up_the_hops_of_a_server_that_ended(void)
{
    World world;
    PealId key = key_of(3);
    const RecorderFigures *figures;

    world_init(&world);
    join_all(&world);
    run_truth_lookup(world.truth, 0, &key, true);
    fetched(&world, 0, 3, 2000, 0);
    run_truth_advance(world.truth, at_ms(3000));
    CU_ASSERT_EQUAL(run_truth_abandoned(world.truth), 1);
    figures = finished(&world);
    CU_ASSERT_EQUAL(figures->started, 0);
    world_fini(&world);
}

static void truth_ignores_numbers_of_no_lookup(void)
{
    World world;

    world_init(&world);
    fetched(&world, 5, 3, 2000, 0);
    run_truth_advance(world.truth, at_ms(3000));
    CU_ASSERT_EQUAL(run_truth_abandoned(world.truth), 0);
    (void)finished(&world);
    world_fini(&world);
}

static void truth_of_a_server_has_one_owner_and_no_ring(void)
{
    World world;
    PealId server = plan_node_id(SEED, 0);
    PealId other = plan_node_id(SEED, 2);

    world_init(&world);
    run_truth_free(world.truth);
    ((Scenario *)(uintptr_t)world.job.point)->overlay.topology = PEAL_TOPOLOGY_CENTRAL;
    world.truth = run_truth_new(&world.job, PEERS, at_ms(0));
    join(&world, 0, 1);
    join(&world, 1, 2);
    run_truth_advance(world.truth, at_ms(10));
    CU_ASSERT_TRUE(run_truth_has_server(world.truth, 0, NULL, 0));
    CU_ASSERT_TRUE(run_truth_has_server(world.truth, 1, &server, 1));
    CU_ASSERT_FALSE(run_truth_has_server(world.truth, 1, NULL, 0));
    CU_ASSERT_FALSE(run_truth_has_server(world.truth, 1, &other, 1));
    CU_ASSERT_FALSE(run_truth_has_server(world.truth, 0, &other, 1));
    CU_ASSERT_FALSE(run_truth_has_server(world.truth, 2, &server, 1));
    (void)finished(&world);
    world_fini(&world);
}

PEAL_TEST_MAIN("net/run_truth", PEAL_TEST(truth_of_a_server_has_one_owner_and_no_ring),
               PEAL_TEST(truth_takes_hops_from_the_peer_that_served),
               PEAL_TEST(truth_finds_an_answer_from_another_than_the_owner_wrong),
               PEAL_TEST(truth_knows_the_neighbours_of_a_member),
               PEAL_TEST(truth_judges_by_who_was_there_at_that_instant),
               PEAL_TEST(truth_wants_the_value_that_a_replica_holds),
               PEAL_TEST(truth_counts_values_that_the_owner_lacks_as_lost),
               PEAL_TEST(truth_abandons_the_lookups_of_a_peer_that_ends),
               PEAL_TEST(truth_does_not_make_up_the_hops_of_a_server_that_ended),
               PEAL_TEST(truth_ignores_numbers_of_no_lookup))
