/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_guard.c - who may become a neighbour (overlay/guard.h). */
#include "mini_world.h"
#include "peal_test.h"

#include "overlay/guard.h"
#include "peer.h"

enum { HONEST = 20, SYBILS = 12, VICTIM = 3 };

static MiniWorld *ring(bool check, uint16_t rate)
{
    MiniWorld *world = mini_new(11);

    world->overlay.defence.neighbour_check = check;
    world->overlay.defence.neighbour_rate = rate;
    world->overlay.successors = 4;
    world->overlay.predecessors = 4;
    for (uint32_t i = 0; i < HONEST; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(500));
    }
    mini_run(world, peal_seconds(30));
    return world;
}

static uint32_t refusals(const MiniWorld *world)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < world->peers_len; i++) {
        sum += world->peers[i].traces[PEAL_TRACE_NEIGHBOUR_REFUSED];
    }
    return sum;
}

/* Peers under ids right before the victim's, one beside the other. */
static void add_sybils(MiniWorld *world, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        PealId id = peal_id_add(peal_peer_id(world->peers[VICTIM].peer),
                                (PealIdHalves){UINT64_MAX, (uint64_t)0 - i});

        mini_start(mini_peer(world, &id));
        mini_run(world, peal_ms(500));
    }
    mini_run(world, peal_seconds(10));
}

static unsigned sybils_of(const MiniWorld *world, uint32_t peer)
{
    PealId ids[2 * PEAL_NEIGHBOURS_MAX];
    size_t len = peal_peer_predecessors(world->peers[peer].peer, ids, PEAL_NEIGHBOURS_MAX);
    unsigned count = 0;

    len += peal_peer_successors(world->peers[peer].peer, ids + len, PEAL_NEIGHBOURS_MAX);
    for (size_t i = 0; i < len; i++) {
        for (uint32_t s = HONEST; s < world->peers_len; s++) {
            count += peal_id_equal(&ids[i], peal_peer_id(world->peers[s].peer));
        }
    }
    return count;
}

static void guard_is_not_there_unless_asked_for(void)
{
    MiniWorld *world = ring(false, 0);

    CU_ASSERT_PTR_NULL(world->peers[0].peer->defence);
    add_sybils(world, SYBILS);
    CU_ASSERT(sybils_of(world, VICTIM) >= 4);
    CU_ASSERT_EQUAL(refusals(world), 0);
    mini_free(world);
}

static void guard_lets_an_honest_ring_grow(void)
{
    MiniWorld *world = ring(true, 0);

    CU_ASSERT_PTR_NOT_NULL(world->peers[0].peer->defence);
    CU_ASSERT(mini_is_one_ring(world));
    CU_ASSERT_EQUAL(refusals(world), 0);
    mini_free(world);
}

static void guard_keeps_a_crowd_of_sybils_out(void)
{
    MiniWorld *world = ring(true, 0);
    unsigned joined = 0;

    add_sybils(world, SYBILS);
    CU_ASSERT(sybils_of(world, VICTIM) <= 1);
    for (uint32_t i = 0; i < HONEST; i++) {
        CU_ASSERT(sybils_of(world, i) <= 1);
    }
    for (uint32_t s = HONEST; s < world->peers_len; s++) {
        joined += peal_peer_state(world->peers[s].peer) == PEAL_PEER_JOINED;
    }
    CU_ASSERT(joined <= 1);
    CU_ASSERT(refusals(world) > 0);
    mini_free(world);
}

static void guard_knows_the_gap_from_fingers(void)
{
    MiniWorld *world = ring(true, 0);
    uint64_t mean = UINT64_MAX / HONEST;

    for (uint32_t i = 0; i < HONEST; i++) {
        guard_refresh(world->peers[i].peer, peal_ms(0));
        peer_schedule(world->peers[i].peer);
    }
    mini_run(world, peal_seconds(2));
    for (uint32_t i = 0; i < HONEST; i++) {
        uint64_t gap = guard_gap(world->peers[i].peer);

        CU_ASSERT(gap > mean / 3 && gap < mean * 3);
    }
    mini_free(world);
}

static void guard_lets_in_whom_it_refused_when_the_ring_has_grown_as_dense(void)
{
    MiniWorld *world = mini_new(5);

    world->overlay.defence.neighbour_check = true;
    world->overlay.successors = 4;
    world->overlay.predecessors = 4;
    for (uint32_t i = 0; i < 60; i++) { /* twenty times as many as the first knew */
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(i < 3 ? 10000 : 200));
    }
    mini_run(world, peal_seconds(120));
    CU_ASSERT(mini_is_one_ring(world));
    mini_free(world);
}

static void guard_spreads_new_neighbours_over_time(void)
{
    MiniWorld *world = ring(true, 60);
    MiniPeer *victim = &world->peers[VICTIM];
    PealId id;
    const PealId *before;
    uint32_t was;

    mini_run(world, peal_seconds(60));
    world->overlay.defence.neighbour_rate = 1; /* a shared configuration: all peers' */
    mini_run(world, peal_seconds(120));
    CU_ASSERT(mini_is_one_ring(world));
    was = victim->traces[PEAL_TRACE_NEIGHBOUR_REFUSED];
    CU_ASSERT_EQUAL_FATAL(peal_peer_predecessors(victim->peer, &id, 1), 1);
    before = &id;
    for (uint32_t i = 1; i <= 3; i++) { /* evenly, where there is room */
        PealIdHalves gap = peal_id_distance(before, peal_peer_id(victim->peer));
        PealId between = peal_id_add(before, (PealIdHalves){gap.high / 4 * i, 0});

        mini_start(mini_peer(world, &between));
    }
    mini_run(world, peal_seconds(20));
    CU_ASSERT(sybils_of(world, VICTIM) < 3);
    CU_ASSERT(victim->traces[PEAL_TRACE_NEIGHBOUR_REFUSED] > was);
    mini_run(world, peal_seconds(400));
    CU_ASSERT_EQUAL(sybils_of(world, VICTIM), 3);
    CU_ASSERT(mini_is_one_ring(world));
    mini_free(world);
}

PEAL_TEST_MAIN("core/guard", PEAL_TEST(guard_is_not_there_unless_asked_for),
               PEAL_TEST(guard_lets_an_honest_ring_grow),
               PEAL_TEST(guard_keeps_a_crowd_of_sybils_out),
               PEAL_TEST(guard_knows_the_gap_from_fingers),
               PEAL_TEST(guard_lets_in_whom_it_refused_when_the_ring_has_grown_as_dense),
               PEAL_TEST(guard_spreads_new_neighbours_over_time))
