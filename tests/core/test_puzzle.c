/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_puzzle.c - proof of work for Node-IDs (security/puzzle.h). */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"
#include "security/puzzle.h"

enum { PEERS = 10, BITS = 8, RATE = 1000 };

/* What Attach requests carry, and what becomes of it on the way. */
typedef enum Tamper { TAMPER_NOTHING, TAMPER_NONCE, TAMPER_EPOCH } Tamper;
typedef struct Watch {
    uint32_t attaches;
    uint32_t with_solution;
    uint32_t from; /* only this peer's are tampered with */
    Tamper tamper;
} Watch;

/* The extension's contents are the first thing in the frame that begins with its type and length:
 * 0xff50, not critical, 12 bytes. */
static uint8_t *find_contents(uint8_t *bytes, size_t len)
{
    static const uint8_t head[] = {0xff, 0x50, 0, 0, 0, 0, 12};

    for (size_t i = 0; i + sizeof(head) + 12 <= len; i++) {
        if (memcmp(bytes + i, head, sizeof(head)) == 0) {
            return bytes + i + sizeof(head);
        }
    }
    return NULL;
}

static bool watch(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    Watch *watched = user;
    uint8_t *contents = find_contents((uint8_t *)bytes, len);
    ReloadMessage message;
    Frame frame;

    (void)to;
    if (frame_parse_datagram(bytes, len, FRAME_MESSAGE_MAX, &frame) != 0 || !frame.data ||
        reload_message_decode((PealBytes){frame.message, frame.message_len}, &message) != 0 ||
        (message.code != RELOAD_ATTACH_REQ && message.code != RELOAD_JOIN_REQ)) {
        return false;
    }
    watched->attaches++;
    watched->with_solution += contents != NULL;
    if (contents != NULL && from == watched->from && watched->tamper == TAMPER_NONCE) {
        contents[11] ^= 0x55;
    } else if (contents != NULL && from == watched->from && watched->tamper == TAMPER_EPOCH) {
        contents[3] = (uint8_t)(contents[3] - 2);
    }
    return false;
}

static MiniWorld *begin(Watch *watched, uint8_t bits, uint8_t modelled)
{
    MiniWorld *world = mini_new(9);

    world->overlay.defence.puzzle_bits = bits;
    world->overlay.defence.puzzle_modelled = modelled;
    world->overlay.defence.puzzle_rate = RATE;
    *watched = (Watch){.from = UINT32_MAX};
    world->hook = watch;
    world->hook_user = watched;
    return world;
}

static void start_all(MiniWorld *world)
{
    for (uint32_t i = 0; i < PEERS; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(500));
    }
    mini_run(world, peal_seconds(60));
}

static void puzzle_of_no_bits_costs_nothing(void)
{
    Watch watched;
    MiniWorld *world = begin(&watched, 0, 0);

    start_all(world);
    CU_ASSERT(mini_is_one_ring(world));
    CU_ASSERT(watched.attaches > 0);
    CU_ASSERT_EQUAL(watched.with_solution, 0);
    CU_ASSERT_PTR_NULL(world->peers[0].peer->defence);
    mini_free(world);
}

static void puzzle_solvers_form_a_ring(void)
{
    Watch watched;
    MiniWorld *world = begin(&watched, BITS, 0);

    start_all(world);
    CU_ASSERT(mini_is_one_ring(world));
    CU_ASSERT_EQUAL(watched.attaches, watched.with_solution);
    mini_free(world);
}

/* Sum of the times from start to the first Attach of peers that join one by one. */
static int64_t joining_takes_ns(uint8_t bits, uint8_t modelled)
{
    Watch watched;
    MiniWorld *world = begin(&watched, bits, modelled);
    int64_t sum_ns = 0;

    mini_start(mini_peer(world, NULL));
    mini_run(world, peal_seconds(60));
    for (uint32_t i = 1; i < PEERS; i++) {
        MiniPeer *mini = mini_peer(world, NULL);
        PealTime start = world->now;

        mini_start(mini);
        while (peal_peer_state(mini->peer) != PEAL_PEER_JOINED &&
               mini_step(world, peal_time_add(start, peal_seconds(60)))) {
        }
        CU_ASSERT_EQUAL(peal_peer_state(mini->peer), PEAL_PEER_JOINED);
        sum_ns += peal_time_since(world->now, start).ns;
    }
    mini_free(world);
    return sum_ns;
}

static void puzzle_delays_a_join_by_its_work_hashed_or_modelled(void)
{
    int64_t free_ns = joining_takes_ns(0, 0);
    int64_t expected_ns = (PEERS - 1) * (INT64_C(1) << BITS) * PEAL_NS_PER_S / RATE;
    int64_t hashed_ns = joining_takes_ns(BITS, 0) - free_ns;
    int64_t modelled_ns = joining_takes_ns(BITS, 5) - free_ns;

    /* Of nine exponential times the sum lies within these bounds but for one in a thousand. */
    CU_ASSERT(hashed_ns > expected_ns / 4 && hashed_ns < expected_ns * 5 / 2);
    CU_ASSERT(modelled_ns > expected_ns / 4 && modelled_ns < expected_ns * 5 / 2);
}

static void nobody_joins_with(Tamper tamper)
{
    Watch watched;
    MiniWorld *world = begin(&watched, BITS, 0);

    start_all(world);
    watched.tamper = tamper;
    watched.from = PEERS;
    mini_start(mini_peer(world, NULL));
    mini_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[PEERS].peer), PEAL_PEER_JOINING);
    CU_ASSERT_EQUAL(peal_peer_links(world->peers[PEERS].peer), 1); /* to the bootstrap peer */
    watched.tamper = TAMPER_NOTHING;
    mini_run(world, peal_seconds(120));
    CU_ASSERT_EQUAL(peal_peer_state(world->peers[PEERS].peer), PEAL_PEER_JOINED);
    mini_free(world);
}

static void puzzle_false_nonces_and_past_epochs_are_refused(void)
{
    nobody_joins_with(TAMPER_NONCE);
    nobody_joins_with(TAMPER_EPOCH);
}

static void puzzle_solution_serves_its_own_node_id_only(void)
{
    Watch watched;
    MiniWorld *world = begin(&watched, BITS, 0);
    uint8_t bytes[PUZZLE_EXTENSION_LEN];
    Writer w = writer_make(bytes, sizeof(bytes));
    Inbound request = {.link = LINK_NONE};
    unsigned accepted = 0;

    start_all(world);
    puzzle_put(world->peers[1].peer, RELOAD_ATTACH_REQ, &w);
    CU_ASSERT_EQUAL(w.len, PUZZLE_EXTENSION_LEN);
    request.message.extensions = writer_view(&w);
    for (uint32_t i = 0; i < PEERS; i++) {
        request.signer = *peal_peer_id(world->peers[i].peer);
        CU_ASSERT(i != 1 || puzzle_passes(world->peers[0].peer, &request));
        accepted += puzzle_passes(world->peers[0].peer, &request);
    }
    CU_ASSERT(accepted <= 2); /* by chance one in 2^BITS passes for another */
    request.message.extensions = (PealBytes){NULL, 0};
    CU_ASSERT_FALSE(puzzle_passes(world->peers[0].peer, &request));
    w.len = 0;
    puzzle_put(world->peers[1].peer, RELOAD_PING_REQ, &w);
    CU_ASSERT_EQUAL(w.len, 0);
    mini_free(world);
}

static void puzzle_is_solved_anew_for_each_epoch(void)
{
    Watch watched;
    MiniWorld *world = begin(&watched, BITS, 0);
    uint8_t first[PUZZLE_EXTENSION_LEN];
    uint8_t second[PUZZLE_EXTENSION_LEN];
    Writer before = writer_make(first, sizeof(first));
    Writer after = writer_make(second, sizeof(second));
    Inbound request = {.link = LINK_NONE};

    world->overlay.update_interval = peal_seconds(20000);
    world->overlay.finger_interval = peal_seconds(20000);
    mini_start(mini_peer(world, NULL));
    mini_run(world, peal_seconds(10));
    request.signer = *peal_peer_id(world->peers[0].peer);
    puzzle_put(world->peers[0].peer, RELOAD_ATTACH_REQ, &before);
    request.message.extensions = writer_view(&before);
    CU_ASSERT(puzzle_passes(world->peers[0].peer, &request));
    mini_run(world, peal_ms((int64_t)PUZZLE_EPOCH_MS)); /* the last one's still counts */
    CU_ASSERT(puzzle_passes(world->peers[0].peer, &request));
    puzzle_put(world->peers[0].peer, RELOAD_ATTACH_REQ, &after);
    CU_ASSERT_NOT_EQUAL(memcmp(first, second, sizeof(first)), 0);
    mini_run(world, peal_ms((int64_t)PUZZLE_EPOCH_MS));
    CU_ASSERT_FALSE(puzzle_passes(world->peers[0].peer, &request));
    mini_free(world);
}

PEAL_TEST_MAIN("core/puzzle", PEAL_TEST(puzzle_of_no_bits_costs_nothing),
               PEAL_TEST(puzzle_solvers_form_a_ring),
               PEAL_TEST(puzzle_delays_a_join_by_its_work_hashed_or_modelled),
               PEAL_TEST(puzzle_false_nonces_and_past_epochs_are_refused),
               PEAL_TEST(puzzle_solution_serves_its_own_node_id_only),
               PEAL_TEST(puzzle_is_solved_anew_for_each_epoch))
