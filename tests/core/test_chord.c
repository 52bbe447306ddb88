/* test_chord.c - CHORD-RELOAD among a few peers that live by messages alone. */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"

static MiniPeer *live_peer(MiniWorld *world, uint32_t i)
{
    CU_ASSERT_FATAL(world->peers[i].alive);
    return &world->peers[i];
}

static void chord_founder_owns_the_whole_ring(void)
{
    MiniWorld *world = mini_new(1);
    MiniPeer *only = mini_peer(world, NULL);
    PealId id = {{0}};

    mini_start(only);
    CU_ASSERT_EQUAL(peal_peer_state(only->peer), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(peal_peer_responsible(only->peer, &id));
    CU_ASSERT_TRUE(peal_peer_responsible(only->peer, peal_peer_id(only->peer)));
    mini_free(world);
}

static void chord_two_peers_share_the_ring(void)
{
    MiniWorld *world = mini_ring(2, 2);
    PealId id;

    CU_ASSERT_TRUE(mini_is_one_ring(world));
    CU_ASSERT_EQUAL(peal_peer_successors(world->peers[0].peer, &id, 1), 1);
    CU_ASSERT_TRUE(peal_id_equal(&id, peal_peer_id(world->peers[1].peer)));
    CU_ASSERT_NOT_EQUAL(peal_peer_responsible(world->peers[0].peer, &id),
                        peal_peer_responsible(world->peers[1].peer, &id));
    mini_free(world);
}

static void chord_joins_by_messages_make_one_ring(void)
{
    for (uint64_t seed = 10; seed < 16; seed++) {
        MiniWorld *world = mini_ring(seed, 40);

        CU_ASSERT_TRUE(mini_is_one_ring(world));
        mini_free(world);
    }
}

static void chord_lookups_reach_the_owner(void)
{
    MiniWorld *world = mini_ring(20, 40);

    for (uint64_t token = 1; token <= 200; token++) {
        PealId key = peal_id_from_halves((PealIdHalves){peal_random_at(7, token, 0), 0});
        const MiniOutcome *outcome;
        MiniPeer *asker = live_peer(world, (uint32_t)(token % 40));

        CU_ASSERT_EQUAL(peal_peer_fetch(asker->peer, &key, PEAL_KIND_SIP_REGISTRATION, token), 0);
        outcome = mini_await(world, token, peal_seconds(5));
        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->status, 0);
        CU_ASSERT_TRUE(
            peal_id_equal(&outcome->responder, peal_peer_id(mini_owner(world, &key)->peer)));
    }
    mini_free(world);
}

static void chord_successor_dies_next_in_list_takes_over(void)
{
    MiniWorld *world = mini_ring(30, 20);
    PealId point = peal_id_successor_point(peal_peer_id(world->peers[3].peer));

    mini_kill(mini_owner(world, &point));
    mini_run(world, peal_seconds(40));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static void chord_two_adjacent_deaths_heal(void)
{
    MiniWorld *world = mini_ring(31, 20);
    PealId point = peal_id_successor_point(peal_peer_id(world->peers[3].peer));

    mini_kill(mini_owner(world, &point));
    mini_kill(mini_owner(world, &point));
    mini_run(world, peal_seconds(60));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

/* Every peer is every other's neighbour, but each talks only to some: a dead one that nobody has
 * missed yet may not shut the answers of its heir out. */
static void chord_a_silent_owner_is_found_out_by_whoever_asks(void)
{
    enum { PEERS = 16, DEAD = 5 };
    MiniWorld *world = mini_new(34);
    PealId key;

    world->overlay.successors = 8;
    world->overlay.predecessors = 8;
    world->overlay.update_interval = peal_seconds(600);
    for (uint32_t i = 0; i < PEERS; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(200));
    }
    mini_run(world, peal_seconds(10));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    /* One that is not sent to the dead peer itself, but to who comes before it. */
    key = peal_id_from_halves(
        peal_halves_sub(peal_id_halves(peal_peer_id(live_peer(world, DEAD)->peer)),
                        (PealIdHalves){.low = 1}));
    CU_ASSERT_TRUE(peal_peer_responsible(world->peers[DEAD].peer, &key));
    mini_kill(live_peer(world, DEAD));
    mini_run(world, peal_seconds(10)); /* those who send to it miss it, and tell nobody */
    for (uint32_t i = 0; i < PEERS; i++) {
        if (i != DEAD) {
            CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[i].peer, &key, PEAL_KIND_SIP_REGISTRATION,
                                            i + 1),
                            0);
        }
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        const MiniOutcome *outcome = mini_await(world, i + 1, peal_seconds(16));

        if (i != DEAD) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
            CU_ASSERT_EQUAL(outcome->status, 0);
            CU_ASSERT_TRUE(
                peal_id_equal(&outcome->responder, peal_peer_id(mini_owner(world, &key)->peer)));
        }
    }
    mini_free(world);
}

static void chord_a_leaver_is_forgotten_at_once(void)
{
    MiniWorld *world = mini_ring(32, 20);
    MiniPeer *leaver = live_peer(world, 7);
    const MiniOutcome *outcome;

    CU_ASSERT_EQUAL(peal_peer_leave(leaver->peer, 99), 0);
    outcome = mini_await(world, 99, peal_seconds(5));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    mini_kill(leaver);
    mini_run(world, peal_seconds(1));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static void chord_a_peer_restarts_under_its_node_id(void)
{
    MiniWorld *world = mini_ring(33, 12);
    PealId id = *peal_peer_id(world->peers[5].peer);
    MiniPeer *again;

    mini_kill(&world->peers[5]);
    mini_run(world, peal_ms(500));
    again = mini_peer(world, &id);
    mini_start(again);
    mini_run(world, peal_seconds(60));
    CU_ASSERT_EQUAL(peal_peer_state(again->peer), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

/* A third of the ring, at the same moment, before anybody has missed them. */
static void chord_many_that_restart_at_once_join_again(void)
{
    for (uint64_t seed = 60; seed < 160; seed++) {
        MiniWorld *world = mini_ring(seed, 24);

        for (uint32_t i = 3; i < 24; i += 3) {
            PealId id = *peal_peer_id(world->peers[i].peer);

            mini_kill(&world->peers[i]);
            mini_start(mini_peer(world, &id));
        }
        mini_run(world, peal_seconds(60));
        for (uint32_t i = 24; i < world->peers_len; i++) {
            CU_ASSERT_EQUAL(peal_peer_state(world->peers[i].peer), PEAL_PEER_JOINED);
        }
        CU_ASSERT_TRUE(mini_is_one_ring(world));
        mini_free(world);
    }
}

/* Peers of even and odd index cannot hear each other. */
static bool between_halves(void *user, uint32_t from, uint32_t to, const uint8_t *frame, size_t len)
{
    (void)user;
    (void)frame;
    (void)len;
    return (from ^ to) % 2 == 1;
}

static void chord_two_halves_become_one_ring_again(void)
{
    MiniWorld *world = mini_ring(34, 24);

    world->hook = between_halves;
    mini_run(world, peal_seconds(120));
    CU_ASSERT_FALSE(mini_is_one_ring(world));
    world->hook = NULL;
    mini_run(world, peal_seconds(120));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static bool loses_one_in_ten(void *user, uint32_t from, uint32_t to, const uint8_t *frame,
                             size_t len)
{
    uint64_t *count = user;

    (void)frame;
    (void)len;
    return peal_random_below(peal_random_at(5, ((uint64_t)from << 32) | to, (*count)++), 10) == 0;
}

static void chord_joins_survive_ten_percent_loss(void)
{
    MiniWorld *world = mini_new(35);
    uint64_t count = 0;

    world->hook = loses_one_in_ten;
    world->hook_user = &count;
    for (uint32_t i = 0; i < 16; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_seconds(2));
    }
    mini_run(world, peal_seconds(120));
    world->hook = NULL;
    mini_run(world, peal_seconds(30));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static void chord_founder_left_alone_goes_on_and_admits_again(void)
{
    MiniWorld *world = mini_ring(36, 2);
    PealPeer *founder = world->peers[0].peer;
    PealId key = {{1}};

    mini_kill(&world->peers[1]);
    mini_run(world, peal_seconds(60));
    CU_ASSERT_EQUAL(peal_peer_state(founder), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(peal_peer_responsible(founder, &key));
    mini_start(mini_peer(world, NULL));
    mini_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[2].peer), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static void start_first(MiniPeer *mini, uint32_t bootstrap)
{
    const PealTarget target = {mini_addr(bootstrap), mini->world->overlay.link};

    CU_ASSERT_EQUAL(peal_peer_start_first(mini->peer, &target, 1), 0);
}

static void chord_first_peer_comes_back_into_the_overlay_that_lives_on(void)
{
    for (uint64_t seed = 80; seed < 90; seed++) {
        MiniWorld *world = mini_ring(seed, 8);
        PealId id = *peal_peer_id(world->peers[0].peer);
        MiniPeer *again;

        mini_kill(&world->peers[0]);
        again = mini_peer(world, &id);
        start_first(again, 3);
        mini_run(world, peal_ms(4900));
        CU_ASSERT_EQUAL(peal_peer_state(again->peer), PEAL_PEER_JOINED);
        mini_run(world, peal_seconds(30));
        CU_ASSERT_TRUE(mini_is_one_ring(world));
        mini_free(world);
    }
}

static void chord_first_peer_founds_where_nobody_answers(void)
{
    MiniWorld *world = mini_new(90);
    MiniPeer *first = mini_peer(world, NULL);
    MiniPeer *other = mini_peer(world, NULL);
    PealId other_id = *peal_peer_id(other->peer);

    mini_kill(other);
    start_first(first, 1);
    mini_run(world, peal_ms(4900));
    CU_ASSERT_EQUAL(peal_peer_state(first->peer), PEAL_PEER_JOINING);
    mini_run(world, peal_ms(200));
    CU_ASSERT_EQUAL(peal_peer_state(first->peer), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(peal_peer_responsible(first->peer, &other_id));
    mini_start(mini_peer(world, &other_id));
    mini_run(world, peal_seconds(30));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    CU_ASSERT_FALSE(peal_peer_responsible(first->peer, &other_id));
    mini_free(world);
}

/* Both look for each other: the first one's patience ends. */
static void chord_first_peer_founds_with_others_who_have_not_joined(void)
{
    MiniWorld *world = mini_new(91);
    MiniPeer *first = mini_peer(world, NULL);
    MiniPeer *other = mini_peer(world, NULL);

    start_first(first, 1);
    mini_start(other);
    mini_run(world, peal_seconds(20));
    CU_ASSERT_EQUAL(peal_peer_state(first->peer), PEAL_PEER_JOINED);
    CU_ASSERT_EQUAL(peal_peer_state(other->peer), PEAL_PEER_JOINED);
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static void chord_first_peer_left_alone_goes_on_and_admits_again(void)
{
    MiniWorld *world = mini_new(92);
    MiniPeer *first = mini_peer(world, NULL);
    MiniPeer *other = mini_peer(world, NULL);

    start_first(first, 1);
    mini_start(other);
    mini_run(world, peal_seconds(30));
    mini_kill(other);
    mini_run(world, peal_seconds(60));
    CU_ASSERT_EQUAL(peal_peer_state(first->peer), PEAL_PEER_JOINED);
    CU_ASSERT_EQUAL(peal_peer_links(first->peer), 0);
    mini_start(mini_peer(world, NULL));
    mini_run(world, peal_seconds(30));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    CU_ASSERT_EQUAL(peal_peer_links(first->peer), 1);
    mini_free(world);
}

/* Peer `user` hears nobody, and nobody hears it. */
static bool cut_off(void *user, uint32_t from, uint32_t to, const uint8_t *frame, size_t len)
{
    const uint32_t *index = user;

    (void)frame;
    (void)len;
    return from == *index || to == *index;
}

static void chord_first_peer_that_founded_a_second_overlay_finds_the_one_there_was(void)
{
    MiniWorld *world = mini_ring(93, 6);
    PealId id = *peal_peer_id(world->peers[0].peer);
    uint32_t index = 6;
    MiniPeer *again;

    mini_kill(&world->peers[0]);
    again = mini_peer(world, &id);
    world->hook = cut_off;
    world->hook_user = &index;
    start_first(again, 3);
    mini_run(world, peal_seconds(20));
    CU_ASSERT_EQUAL(peal_peer_state(again->peer), PEAL_PEER_JOINED);
    CU_ASSERT_FALSE(mini_is_one_ring(world));
    world->hook = NULL;
    mini_run(world, peal_seconds(120));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

/* What a leaver sends, and what comes back to it. */
typedef struct Leaver {
    uint32_t index;
    uint32_t updates;
    bool lose_answers;
} Leaver;

static bool watch_leaver(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    Leaver *leaver = user;
    PealFrameInfo info;

    if (peal_frame_info(bytes, len, &info) != 0 || !info.data) {
        return false;
    }
    leaver->updates += from == leaver->index && info.code == RELOAD_UPDATE_REQ;
    return leaver->lose_answers && to == leaver->index && info.code == RELOAD_LEAVE_ANS;
}

static void chord_a_leave_is_done_once_though_answers_come_late(void)
{
    MiniWorld *world = mini_ring(37, 6);
    Leaver leaver = {.index = 3, .lose_answers = true};

    world->hook = watch_leaver;
    world->hook_user = &leaver;
    CU_ASSERT_EQUAL(peal_peer_leave(world->peers[3].peer, 99), 0);
    mini_run(world, peal_seconds(4));
    CU_ASSERT_EQUAL(world->outcomes_len, 1);
    leaver.lose_answers = false;
    mini_run(world, peal_seconds(10));
    CU_ASSERT_EQUAL(world->outcomes_len, 1);
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[3].peer), PEAL_PEER_LEFT);
    mini_free(world);
}

/* Its Updates would make it a neighbour again. */
static void chord_a_leaver_sends_no_updates(void)
{
    MiniWorld *world = mini_ring(38, 6);
    Leaver leaver = {.index = 3};

    world->hook = watch_leaver;
    world->hook_user = &leaver;
    CU_ASSERT_EQUAL(peal_peer_leave(world->peers[3].peer, 99), 0);
    mini_run(world, peal_seconds(60));
    CU_ASSERT_EQUAL(leaver.updates, 0);
    mini_kill(&world->peers[3]);
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    mini_free(world);
}

static void chord_a_leaver_does_not_join_when_its_bootstrap_peer_answers_at_last(void)
{
    MiniWorld *world = mini_ring(39, 6);
    PealPeer *leaver = world->peers[3].peer;
    const MiniOutcome *outcome;

    leaver->bootstrap.addrs[0].flow.index = LINK_NONE; /* no link from before */
    bootstrap_seek(leaver);
    CU_ASSERT_EQUAL(peal_peer_leave(leaver, 99), 0);
    mini_run(world, peal_seconds(60));
    outcome = mini_await(world, 99, peal_ms(0));
    CU_ASSERT_PTR_NOT_NULL(outcome);
    CU_ASSERT_EQUAL(leaver->chord.phase, CHORD_LEAVING);
    CU_ASSERT_EQUAL(peal_peer_state(leaver), PEAL_PEER_LEFT);
    mini_free(world);
}

/* A peer that is back before anybody missed it has lost its values: its admission brings them. */
static void chord_a_quick_restart_gets_its_values_back(void)
{
    static const uint8_t value[] = "v";
    static const PealKind kinds[] = {{.id = 0xF0000001,
                                      .model = PEAL_MODEL_SINGLE,
                                      .access = PEAL_ACCESS_ANY,
                                      .count_max = 1,
                                      .size_max = 100}};
    MiniWorld *world = mini_new(40);
    PealId id;

    /* Without link acknowledgements nobody misses it at all. */
    world->overlay.link = PEAL_TCP;
    world->overlay.link_acks = false;
    for (uint32_t i = 0; i < 12; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_seconds(1));
    }
    mini_run(world, peal_seconds(30));
    id = *peal_peer_id(world->peers[5].peer);
    const PealId resources[] = {id, peal_id_from_halves(peal_halves_sub(peal_id_halves(&id),
                                                                        (PealIdHalves){0, 1}))};
    const MiniOutcome *outcome;

    world->overlay.kinds = kinds;
    world->overlay.kinds_len = 1;
    for (uint64_t i = 0; i < 2; i++) {
        PealStoreItem item = {.resource = resources[i],
                              .kind = kinds[0].id,
                              .value = {value, 1},
                              .lifetime_s = 1000,
                              .exists = true};

        CU_ASSERT_EQUAL(peal_peer_store(world->peers[0].peer, &item, i), 0);
        outcome = mini_await(world, i, peal_seconds(10));
        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->status, 0);
    }
    mini_run(world, peal_seconds(1));
    mini_kill(&world->peers[5]);
    mini_run(world, peal_ms(20));
    mini_start(mini_peer(world, &id));
    mini_run(world, peal_seconds(30));
    CU_ASSERT_TRUE(mini_is_one_ring(world));
    for (uint64_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(peal_peer_stored(world->peers[12].peer, &resources[i], kinds[0].id), 1);
        CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[0].peer, &resources[i], kinds[0].id, 10 + i),
                        0);
        outcome = mini_await(world, 10 + i, peal_seconds(10));
        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->status, 0);
        CU_ASSERT_EQUAL(outcome->values, 1);
    }
    mini_free(world);
}

static void chord_a_peer_that_is_linked_again_has_no_tomb_left(void)
{
    MiniWorld *world = mini_ring(46, 2);
    MiniPeer *mini = &world->peers[0];
    PealId other = {{9}};
    const PealFlow flow = {20, 1};

    chord_bury(mini->peer, &other);
    other.bytes[0] = 10;
    mini_run(world, peal_ms(4000)); /* of 5 s */
    chord_bury(mini->peer, &other);
    mini_run(world, peal_ms(2000));
    chord_bury(mini->peer, &other);
    CU_ASSERT_TRUE(chord_buried(mini->peer, &other));
    mini->flows[flow.index] = (MiniFlow){.used = true, .generation = 1, .other = 1};
    peal_peer_adopt(mini->peer, flow, &other);
    mini->peer->topology->on_link_up(mini->peer, flow.index);
    CU_ASSERT_FALSE(chord_buried(mini->peer, &other));
    mini_free(world);
}

static bool joins_with(uint64_t seed, PealCrypto crypto, uint16_t predecessors)
{
    MiniWorld *world = mini_new(seed);
    bool one_ring;

    world->overlay.crypto = crypto;
    world->overlay.predecessors = predecessors;
    for (uint32_t i = 0; i < 12; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(500));
    }
    mini_run(world, peal_seconds(60));
    one_ring = mini_is_one_ring(world);
    for (uint32_t i = 0; i < world->peers_len; i++) {
        one_ring = one_ring && peal_peer_state(world->peers[i].peer) == PEAL_PEER_JOINED;
    }
    mini_free(world);
    return one_ring;
}

/* A naming Ping with an RSA certificate is longer than a datagram. */
static void chord_joins_with_messages_longer_than_a_datagram(void)
{
    CU_ASSERT_TRUE(joins_with(50, PEAL_CRYPTO_MODELLED_RSA2048, 3));
}

static void chord_joins_where_predecessors_are_not_routed_through(void)
{
    CU_ASSERT_TRUE(joins_with(51, PEAL_CRYPTO_NONE, 0));
}

PEAL_TEST_MAIN("core/chord", PEAL_TEST(chord_founder_owns_the_whole_ring),
               PEAL_TEST(chord_two_peers_share_the_ring),
               PEAL_TEST(chord_joins_by_messages_make_one_ring),
               PEAL_TEST(chord_lookups_reach_the_owner),
               PEAL_TEST(chord_successor_dies_next_in_list_takes_over),
               PEAL_TEST(chord_two_adjacent_deaths_heal),
               PEAL_TEST(chord_a_silent_owner_is_found_out_by_whoever_asks),
               PEAL_TEST(chord_a_leaver_is_forgotten_at_once),
               PEAL_TEST(chord_a_peer_restarts_under_its_node_id),
               PEAL_TEST(chord_many_that_restart_at_once_join_again),
               PEAL_TEST(chord_two_halves_become_one_ring_again),
               PEAL_TEST(chord_joins_survive_ten_percent_loss),
               PEAL_TEST(chord_founder_left_alone_goes_on_and_admits_again),
               PEAL_TEST(chord_first_peer_comes_back_into_the_overlay_that_lives_on),
               PEAL_TEST(chord_first_peer_founds_where_nobody_answers),
               PEAL_TEST(chord_first_peer_founds_with_others_who_have_not_joined),
               PEAL_TEST(chord_first_peer_left_alone_goes_on_and_admits_again),
               PEAL_TEST(chord_first_peer_that_founded_a_second_overlay_finds_the_one_there_was),
               PEAL_TEST(chord_a_leave_is_done_once_though_answers_come_late),
               PEAL_TEST(chord_a_leaver_sends_no_updates),
               PEAL_TEST(chord_a_leaver_does_not_join_when_its_bootstrap_peer_answers_at_last),
               PEAL_TEST(chord_a_quick_restart_gets_its_values_back),
               PEAL_TEST(chord_a_peer_that_is_linked_again_has_no_tomb_left),
               PEAL_TEST(chord_joins_with_messages_longer_than_a_datagram),
               PEAL_TEST(chord_joins_where_predecessors_are_not_routed_through))
