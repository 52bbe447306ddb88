/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_central.c - one server and its peers, which live by messages alone. */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"

enum { PEERS = 12, WAY_MS = 10 };

static MiniWorld *star(uint64_t seed, uint32_t count)
{
    MiniWorld *world = mini_new(seed);

    world->overlay.topology = PEAL_TOPOLOGY_CENTRAL;
    while (count-- > 0) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(200));
    }
    return world;
}

/* A peer that was killed, started again under its Node-ID; flows of before mean nothing to it. */
static void start_again(MiniPeer *mini, const PealId *id)
{
    mini->memory = aligned_alloc(64, peal_peer_size());
    memset(mini->memory, 0, peal_peer_size());
    for (size_t i = 0; i < MINI_FLOWS_MAX; i++) {
        mini->flows[i].generation = 100;
    }
    mini->alive = true;
    mini->peer = peal_peer_init(mini->memory, &mini->env, &mini->world->overlay, id);
    mini_start(mini);
}

static PealId key_of(uint64_t number)
{
    return peal_id_from_halves((PealIdHalves){peal_random_at(7, number, 0), number});
}

/* Fetches, and waits for the outcome. */
static const MiniOutcome *fetched(MiniWorld *world, uint32_t asker, uint64_t token)
{
    PealId key = key_of(token);

    CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[asker].peer, &key, PEAL_KIND_SIP_REGISTRATION,
                                    token),
                    0);
    return mini_await(world, token, peal_seconds(20));
}

static void central_server_is_responsible_for_everything_and_nobody_else_is(void)
{
    MiniWorld *world = star(1, PEERS);
    PealId key = key_of(1);
    PealId ids[2];

    for (uint32_t i = 0; i < PEERS; i++) {
        PealPeer *peer = world->peers[i].peer;

        CU_ASSERT_EQUAL(peal_peer_state(peer), PEAL_PEER_JOINED);
        CU_ASSERT_EQUAL(peal_peer_responsible(peer, &key), i == 0);
        CU_ASSERT_EQUAL(peal_peer_responsible(peer, peal_peer_id(peer)), i == 0);
        CU_ASSERT_EQUAL(peal_peer_links(peer), i == 0 ? PEERS - 1 : 1);
        CU_ASSERT_EQUAL(peal_peer_successors(peer, ids, 2), i > 0);
        CU_ASSERT_TRUE(i == 0 || peal_id_equal(&ids[0], peal_peer_id(world->peers[0].peer)));
        CU_ASSERT_EQUAL(peal_peer_predecessors(peer, ids, 2), 0);
        CU_ASSERT_EQUAL(peal_peer_fingers(peer, ids, 2), 0);
        CU_ASSERT_EQUAL(peal_peer_attaching(peer), 0);
    }
    mini_free(world);
}

static void central_lookups_take_one_hop_there_and_one_back(void)
{
    MiniWorld *world = star(2, PEERS);

    for (uint32_t i = 0; i < PEERS; i++) {
        PealTime began = world->now;
        const MiniOutcome *outcome = fetched(world, i, i + 1);

        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->status, 0);
        CU_ASSERT_TRUE(peal_id_equal(&outcome->responder, peal_peer_id(world->peers[0].peer)));
        CU_ASSERT_EQUAL(world->peers[0].last_served.value, i > 0);
        CU_ASSERT_EQUAL(peal_time_since(world->now, began).ns, i > 0 ? peal_ms(2 * WAY_MS).ns : 0);
    }
    mini_free(world);
}

static void central_peers_reach_each_other_through_the_server(void)
{
    MiniWorld *world = star(3, PEERS);
    PealId nobody = key_of(99);
    const MiniOutcome *outcome;

    CU_ASSERT_EQUAL(peal_peer_ping(world->peers[3].peer, peal_peer_id(world->peers[7].peer), false,
                                   1),
                    0);
    outcome = mini_await(world, 1, peal_seconds(20));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(world->peers[7].last_served.value, 2);
    CU_ASSERT_EQUAL(peal_peer_ping(world->peers[3].peer, &nobody, false, 2), 0);
    outcome = mini_await(world, 2, peal_seconds(20));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_NOT_EQUAL(outcome->status, 0);
    CU_ASSERT_TRUE(world->peers[0].drops[PEAL_DROP_NOT_MINE] > 0);
    mini_free(world);
}

static void central_peers_are_out_while_the_server_is_down_and_in_again_after(void)
{
    MiniWorld *world = star(4, PEERS);
    PealId server = *peal_peer_id(world->peers[0].peer);
    const MiniOutcome *outcome;

    mini_kill(&world->peers[0]);
    outcome = fetched(world, 5, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_NOT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[5].peer), PEAL_PEER_JOINING);
    mini_run(world, peal_seconds(300));
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[5].peer), PEAL_PEER_JOINING);
    start_again(&world->peers[0], &server);
    /* The longest wait between two tries, and the way. */
    mini_run(world, peal_seconds(62));
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[5].peer), PEAL_PEER_JOINED);
    outcome = fetched(world, 5, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    /* One that had nothing to say meanwhile finds out by its next request, which lives on. */
    outcome = fetched(world, 6, 3);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    mini_free(world);
}

static void central_registrations_come_back_to_a_server_that_lost_them(void)
{
    static const char TEXT[] = "sip:bob@example.org";
    const PealStr aor = {TEXT, sizeof(TEXT) - 1};
    MiniWorld *world = star(5, PEERS);
    PealId server = *peal_peer_id(world->peers[0].peer);
    PealId resource;

    CU_ASSERT_EQUAL(peal_aor_resource(world->peers[4].env.ops->crypto, aor, &resource), 0);
    CU_ASSERT_EQUAL(peal_peer_register(world->peers[4].peer, aor, 60, 1), 0);
    CU_ASSERT_PTR_NOT_NULL(mini_await(world, 1, peal_seconds(5)));
    CU_ASSERT_EQUAL(peal_peer_stored(world->peers[0].peer, &resource, PEAL_KIND_SIP_REGISTRATION),
                    1);
    mini_kill(&world->peers[0]);
    mini_run(world, peal_seconds(5));
    start_again(&world->peers[0], &server);
    mini_run(world, peal_seconds(10));
    CU_ASSERT_EQUAL(peal_peer_stored(world->peers[0].peer, &resource, PEAL_KIND_SIP_REGISTRATION),
                    0);
    mini_run(world, peal_seconds(90));
    CU_ASSERT_EQUAL(peal_peer_stored(world->peers[0].peer, &resource, PEAL_KIND_SIP_REGISTRATION),
                    1);
    mini_free(world);
}

static void central_peer_that_is_not_the_server_lets_nobody_in(void)
{
    MiniWorld *world = star(6, 2);
    MiniPeer *late = mini_peer(world, NULL);
    const PealTarget targets[] = {{mini_addr(1), PEAL_UDP}, {mini_addr(0), PEAL_UDP}};

    CU_ASSERT_EQUAL(peal_peer_start(late->peer, targets, 1), 0);
    mini_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(peal_peer_state(late->peer), PEAL_PEER_JOINING);
    late = mini_peer(world, NULL);
    CU_ASSERT_EQUAL(peal_peer_start(late->peer, targets, 2), 0);
    mini_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(peal_peer_state(late->peer), PEAL_PEER_JOINED);
    mini_free(world);
}

static void central_server_with_bootstrap_peers_serves_when_it_has_found_none(void)
{
    MiniWorld *world = star(7, 0);
    MiniPeer *server = mini_peer(world, NULL);
    MiniPeer *host = mini_peer(world, NULL);
    const PealTarget other = {mini_addr(1), PEAL_UDP};

    CU_ASSERT_EQUAL(peal_peer_start_first(server->peer, &other, 1), 0);
    mini_start(host);
    mini_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(peal_peer_state(server->peer), PEAL_PEER_JOINED);
    CU_ASSERT_EQUAL(peal_peer_state(host->peer), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(peal_peer_responsible(server->peer, peal_peer_id(host->peer)));
    mini_free(world);
}

static void central_peer_and_server_leave_once_each(void)
{
    MiniWorld *world = star(8, 3);

    CU_ASSERT_EQUAL(peal_peer_leave(world->peers[2].peer, 1), 0);
    CU_ASSERT_PTR_NOT_NULL(mini_await(world, 1, peal_seconds(5)));
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[2].peer), PEAL_PEER_LEFT);
    CU_ASSERT_EQUAL(peal_peer_leave(world->peers[0].peer, 2), 0);
    CU_ASSERT_PTR_NOT_NULL(mini_await(world, 2, peal_seconds(5)));
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[0].peer), PEAL_PEER_LEFT);
    /* Nobody answers any more: the token comes nevertheless. */
    mini_kill(&world->peers[0]);
    CU_ASSERT_EQUAL(peal_peer_leave(world->peers[1].peer, 3), 0);
    CU_ASSERT_PTR_NOT_NULL(mini_await(world, 3, peal_seconds(5)));
    mini_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(world->outcomes_len, 3);
    mini_free(world);
}

static void central_overlay_that_is_idle_sends_nothing(void)
{
    MiniWorld *world = star(9, PEERS);
    uint64_t frames = world->frames;

    mini_run(world, peal_seconds(3600));
    CU_ASSERT_EQUAL(world->frames, frames);
    mini_free(world);
}

PEAL_TEST_MAIN("core/central",
               PEAL_TEST(central_server_is_responsible_for_everything_and_nobody_else_is),
               PEAL_TEST(central_lookups_take_one_hop_there_and_one_back),
               PEAL_TEST(central_peers_reach_each_other_through_the_server),
               PEAL_TEST(central_peers_are_out_while_the_server_is_down_and_in_again_after),
               PEAL_TEST(central_registrations_come_back_to_a_server_that_lost_them),
               PEAL_TEST(central_peer_that_is_not_the_server_lets_nobody_in),
               PEAL_TEST(central_server_with_bootstrap_peers_serves_when_it_has_found_none),
               PEAL_TEST(central_peer_and_server_leave_once_each),
               PEAL_TEST(central_overlay_that_is_idle_sends_nothing))
