/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_storage.c - values in rings of real peers: where copies lie, and that none is lost. */
#include "core/mini_world.h"
#include "peal_test.h"

enum { USERS = 40, COPIES = 3 };

static PealStr aor_of(uint32_t user, char *ret_text, size_t size)
{
    int len = snprintf(ret_text, size, "sip:user%u@example.org", user);

    return (PealStr){ret_text, (size_t)len};
}

static PealId resource_of(MiniWorld *world, uint32_t user)
{
    char text[64];
    PealId id;

    CU_ASSERT_EQUAL_FATAL(peal_aor_resource(world->peers[0].env.ops->crypto,
                                            aor_of(user, text, sizeof(text)), &id),
                          0);
    return id;
}

/* An adapter for each user, registered and answered. */
static void register_all(MiniWorld *world, uint32_t first, uint32_t adapters)
{
    for (uint32_t user = 0; user < USERS; user++) {
        MiniPeer *adapter = &world->peers[first + user % adapters];
        const MiniOutcome *outcome;
        char text[64];

        CU_ASSERT_EQUAL(peal_peer_register(adapter->peer, aor_of(user, text, sizeof(text)), 36000,
                                           1000 + user),
                        0);
        outcome = mini_await(world, 1000 + user, peal_seconds(20));
        CU_ASSERT_FATAL(outcome != NULL && outcome->status == 0);
    }
}

/* A join may have to be tried again. */
static void settle(MiniWorld *world)
{
    for (int i = 0; i < 60 && !mini_is_one_ring(world); i++) {
        mini_run(world, peal_seconds(1));
    }
    CU_ASSERT_TRUE_FATAL(mini_is_one_ring(world));
}

static MiniWorld *ring_with_users(uint64_t seed, uint32_t peers)
{
    MiniWorld *world = mini_ring(seed, peers);

    settle(world);
    register_all(world, 0, peers);
    mini_run(world, peal_seconds(2));
    return world;
}

static size_t copies_of(const MiniWorld *world, const PealId *resource)
{
    size_t copies = 0;

    for (uint32_t i = 0; i < world->peers_len; i++) {
        copies += world->peers[i].alive &&
                  peal_peer_stored(world->peers[i].peer, resource, PEAL_KIND_SIP_REGISTRATION) > 0;
    }
    return copies;
}

/* The owner and the next two hold a copy of every registration, and nobody else. */
static bool copies_are_where_they_belong(MiniWorld *world)
{
    bool right = true;

    for (uint32_t user = 0; user < USERS; user++) {
        const PealId resource = resource_of(world, user);
        PealId at = resource;

        for (int i = 0; i < COPIES; i++) {
            const MiniPeer *holder = mini_owner(world, &at);

            right &= peal_peer_stored(holder->peer, &resource, PEAL_KIND_SIP_REGISTRATION) == 1;
            at = peal_id_successor_point(peal_peer_id(holder->peer));
        }
        right &= copies_of(world, &resource) == COPIES;
    }
    return right;
}

/* Every user is found, asked for by some live peer. */
static uint32_t users_found(MiniWorld *world, uint64_t token, uint16_t values)
{
    uint32_t found = 0;

    for (uint32_t user = 0; user < USERS; user++) {
        const PealId resource = resource_of(world, user);
        uint32_t at = user % world->peers_len;
        const MiniOutcome *outcome;

        while (!world->peers[at].alive) {
            at = (at + 1) % world->peers_len;
        }
        if (peal_peer_fetch(world->peers[at].peer, &resource, PEAL_KIND_SIP_REGISTRATION,
                            token + user) != 0) {
            continue;
        }
        outcome = mini_await(world, token + user, peal_seconds(20));
        found += outcome != NULL && outcome->status == 0 && outcome->values == values;
    }
    return found;
}

static void storage_keeps_three_copies_where_they_belong(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        MiniWorld *world = ring_with_users(seed, 16);

        CU_ASSERT(copies_are_where_they_belong(world));
        CU_ASSERT_EQUAL(users_found(world, 5000, 1), USERS);
        mini_free(world);
    }
}

static void storage_in_a_ring_of_one_or_two_keeps_what_there_is_room_for(void)
{
    for (uint32_t peers = 1; peers <= 2; peers++) {
        MiniWorld *world = ring_with_users(7, peers);
        const PealId resource = resource_of(world, 0);

        CU_ASSERT_EQUAL(copies_of(world, &resource), peers);
        CU_ASSERT_EQUAL(users_found(world, 5000, 1), USERS);
        mini_free(world);
    }
}

static void storage_survives_two_adjacent_deaths_at_once(void)
{
    for (uint64_t seed = 20; seed <= 24; seed++) {
        MiniWorld *world = ring_with_users(seed, 20);
        const PealId resource = resource_of(world, 0);
        MiniPeer *owner = mini_owner(world, &resource);
        const PealId next = peal_id_successor_point(peal_peer_id(owner->peer));
        MiniPeer *second = mini_owner(world, &next);

        mini_kill(owner);
        mini_kill(second);
        mini_run(world, peal_seconds(60));
        CU_ASSERT(mini_is_one_ring(world));
        CU_ASSERT_EQUAL(users_found(world, 5000, 1), USERS);
        CU_ASSERT(copies_are_where_they_belong(world));
        mini_free(world);
    }
}

static void storage_moves_to_peers_that_join(void)
{
    for (uint64_t seed = 30; seed <= 32; seed++) {
        MiniWorld *world = ring_with_users(seed, 8);

        for (uint32_t i = 0; i < 12; i++) {
            mini_start(mini_peer(world, NULL));
            settle(world);
            CU_ASSERT_EQUAL(users_found(world, 5000 + 100 * i, 1), USERS);
        }
        mini_run(world, peal_seconds(60));
        CU_ASSERT(mini_is_one_ring(world));
        CU_ASSERT(copies_are_where_they_belong(world)); /* and are gone where they do not */
        mini_free(world);
    }
}

static void storage_moves_on_when_peers_leave(void)
{
    for (uint64_t seed = 40; seed <= 42; seed++) {
        MiniWorld *world = mini_ring(seed, 20);

        settle(world);
        register_all(world, 12, 8); /* with those who stay */
        for (uint32_t i = 1; i < 12; i++) {
            CU_ASSERT_EQUAL(peal_peer_leave(world->peers[i].peer, 9000 + i), 0);
            CU_ASSERT_PTR_NOT_NULL(mini_await(world, 9000 + i, peal_seconds(20)));
            mini_kill(&world->peers[i]);
            CU_ASSERT_EQUAL(users_found(world, 5000 + 100 * i, 1), USERS);
            mini_run(world, peal_seconds(10));
        }
        mini_run(world, peal_seconds(60));
        CU_ASSERT(mini_is_one_ring(world));
        CU_ASSERT(copies_are_where_they_belong(world));
        mini_free(world);
    }
}

static bool between_halves(void *user, uint32_t from, uint32_t to, const uint8_t *frame, size_t len)
{
    (void)user;
    (void)frame;
    (void)len;
    return from % 2 != to % 2;
}

static void storage_of_two_halves_becomes_one_when_they_meet(void)
{
    MiniWorld *world = ring_with_users(50, 12);

    world->hook = between_halves;
    mini_run(world, peal_seconds(120));
    for (uint32_t user = 0; user < USERS; user++) { /* each user has a second adapter, there */
        char text[64];

        CU_ASSERT_EQUAL(peal_peer_register(world->peers[(user + 1) % 12].peer,
                                           aor_of(user, text, sizeof(text)), 36000, 3000 + user),
                        0);
    }
    mini_run(world, peal_seconds(60));
    world->hook = NULL;
    mini_run(world, peal_seconds(600));
    CU_ASSERT(mini_is_one_ring(world));
    CU_ASSERT_EQUAL(users_found(world, 5000, 2), USERS);
    mini_free(world);
}

/* A peer dies and another joins every 12 s; adapters, the first four peers, register anew
 * meanwhile. */
static void live_through(MiniWorld *world, uint64_t seed, int rounds)
{
    uint64_t draws = 0;
    uint64_t token = 20000;

    for (int round = 0; round < rounds; round++) {
        uint32_t victim;

        do {
            victim = 4 + (uint32_t)peal_random_below(peal_random_at(seed, 1, draws++),
                                                     world->peers_len - 4);
        } while (!world->peers[victim].alive);
        mini_kill(&world->peers[victim]);
        mini_start(mini_peer(world, NULL));
        for (int second = 0; second < 12; second++) {
            uint32_t user = (uint32_t)peal_random_below(peal_random_at(seed, 1, draws++), USERS);
            char text[64];

            CU_ASSERT_EQUAL(peal_peer_register(world->peers[user % 4].peer,
                                               aor_of(user, text, sizeof(text)), 36000, token++),
                            0);
            mini_run(world, peal_seconds(1));
        }
    }
}

static void storage_survives_churn(void)
{
    for (uint64_t seed = 1; seed <= 3; seed++) {
        MiniWorld *world = mini_ring(seed, 20);

        settle(world);
        register_all(world, 0, 4);
        live_through(world, seed, 40);
        settle(world);
        mini_run(world, peal_seconds(60));
        world->outcomes_len = 0;
        CU_ASSERT_EQUAL(users_found(world, 5000, 1), USERS);
        CU_ASSERT(copies_are_where_they_belong(world));
        mini_free(world);
    }
}

PEAL_TEST_MAIN("core/storage", PEAL_TEST(storage_keeps_three_copies_where_they_belong),
               PEAL_TEST(storage_in_a_ring_of_one_or_two_keeps_what_there_is_room_for),
               PEAL_TEST(storage_survives_two_adjacent_deaths_at_once),
               PEAL_TEST(storage_moves_to_peers_that_join),
               PEAL_TEST(storage_moves_on_when_peers_leave),
               PEAL_TEST(storage_of_two_halves_becomes_one_when_they_meet),
               PEAL_TEST(storage_survives_churn))
