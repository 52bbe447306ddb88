/* test_chord_maintain.c - tables that become right, and stay so, among peers that live by messages
 * alone. */
#include "mini_world.h"
#include "peal_test.h"

enum { PEERS = 24, SIDE = 4, FINGERS = 6 };

/* A ring that was made with these settings, the periodic work of `span` behind it. */
static MiniWorld *ring(uint64_t seed, PealMaintenance maintenance, PealSpan span)
{
    MiniWorld *world = mini_new(seed);

    world->overlay.maintenance = maintenance;
    world->overlay.successors = SIDE;
    world->overlay.predecessors = SIDE;
    world->overlay.fingers = FINGERS;
    world->overlay.finger_choice = PEAL_FINGER_EXACT;
    for (uint32_t i = 0; i < PEERS; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(200));
    }
    mini_run(world, span);
    return world;
}

/* The live peer n places clockwise of another; n < 0: the other way. */
static PealId member_at(const MiniWorld *world, const PealId *from, int n)
{
    PealId at = *from;

    for (int i = 0; i < (n < 0 ? -n : n); i++) {
        PealIdHalves best = {UINT64_MAX, UINT64_MAX};
        PealId next = at;

        for (uint32_t k = 0; k < world->peers_len; k++) {
            PealIdHalves way;

            if (!world->peers[k].alive) {
                continue;
            }
            way = n > 0 ? peal_id_distance(&at, peal_peer_id(world->peers[k].peer))
                        : peal_id_distance(peal_peer_id(world->peers[k].peer), &at);
            if ((way.high != 0 || way.low != 0) && peal_halves_less(way, best)) {
                best = way;
                next = *peal_peer_id(world->peers[k].peer);
            }
        }
        at = next;
    }
    return at;
}

static bool are_neighbours_right(const MiniWorld *world, const PealPeer *peer)
{
    PealId after[SIDE], before[SIDE];

    if (peal_peer_successors(peer, after, SIDE) != SIDE ||
        peal_peer_predecessors(peer, before, SIDE) != SIDE) {
        return false;
    }
    for (int i = 0; i < SIDE; i++) {
        PealId next = member_at(world, peal_peer_id(peer), i + 1);
        PealId previous = member_at(world, peal_peer_id(peer), -i - 1);

        if (!peal_id_equal(&after[i], &next) || !peal_id_equal(&before[i], &previous)) {
            return false;
        }
    }
    return true;
}

static uint32_t count_wrong(const MiniWorld *world)
{
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < world->peers_len; i++) {
        wrong += world->peers[i].alive && !are_neighbours_right(world, world->peers[i].peer);
    }
    return wrong;
}

static void stabilise_makes_all_neighbours_right_after_failures(void)
{
    for (uint64_t seed = 50; seed < 54; seed++) {
        MiniWorld *world = ring(seed, PEAL_MAINTENANCE_STABILISE, peal_seconds(60));
        PealId after_3 = peal_id_successor_point(peal_peer_id(world->peers[3].peer));
        PealId after_9 = peal_id_successor_point(peal_peer_id(world->peers[9].peer));

        CU_ASSERT_EQUAL(count_wrong(world), 0);
        mini_kill(mini_owner(world, &after_3));
        mini_kill(mini_owner(world, &after_3)); /* the one after it */
        mini_kill(mini_owner(world, &after_9));
        mini_run(world, peal_seconds(80)); /* rounds of 10 s; a list is longer by one each */
        CU_ASSERT_EQUAL(count_wrong(world), 0);
        CU_ASSERT(mini_is_one_ring(world));
        mini_free(world);
    }
}

static void renew_finds_the_fingers_of_the_ring_that_there_is(void)
{
    MiniWorld *world = ring(60, PEAL_MAINTENANCE_ON, peal_seconds(1));
    PealPeer *founder = world->peers[0].peer;
    PealId fingers[FINGERS];
    size_t len = peal_peer_fingers(founder, fingers, FINGERS);
    size_t found = 0;

    CU_ASSERT(len < FINGERS); /* there was nobody when it began */
    CU_ASSERT_EQUAL(peal_peer_renew(founder), 0);
    CU_ASSERT(peal_peer_attaching(founder) > 0);
    mini_run(world, peal_seconds(2));
    CU_ASSERT_EQUAL(peal_peer_attaching(founder), 0);
    len = peal_peer_fingers(founder, fingers, FINGERS);
    for (unsigned i = 1; i <= FINGERS; i++) {
        PealId point = peal_id_finger_point(peal_peer_id(founder), i, (PealIdHalves){0, 0});
        const MiniPeer *owner = mini_owner(world, &point);

        if (owner->index != 0) { /* a finger of one's own is none */
            CU_ASSERT_FATAL(found < len);
            CU_ASSERT(peal_id_equal(&fingers[found], peal_peer_id(owner->peer)));
            found++;
        }
    }
    CU_ASSERT_EQUAL(found, len);
    mini_free(world);
}

static void renew_wants_a_peer_that_has_joined(void)
{
    MiniWorld *world = mini_new(61);

    CU_ASSERT_EQUAL(peal_peer_renew(mini_peer(world, NULL)->peer), -PEAL_E_STATE);
    mini_free(world);
}

PEAL_TEST_MAIN("core/chord_maintain",
               PEAL_TEST(stabilise_makes_all_neighbours_right_after_failures),
               PEAL_TEST(renew_finds_the_fingers_of_the_ring_that_there_is),
               PEAL_TEST(renew_wants_a_peer_that_has_joined))
