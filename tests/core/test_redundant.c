/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_redundant.c - a Fetch that goes by several first hops at a time (reload/redundant.h). */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"
#include "reload/forward.h"

enum { PEERS = 24, WAYS = 3, COPIES_MAX = 64, ASKER = 0 };

static const PealStr AOR = {"sip:bob@example.org", 19};

/* Copies of Fetches that left peer ASKER. */
typedef struct Copies {
    MiniWorld *world;
    uint64_t transaction;
    uint32_t to[COPIES_MAX];
    PealTime at[COPIES_MAX];
    uint32_t len;
    uint32_t lost_to; /* bit i: what goes to peer i is lost */
    bool one_transaction;
    bool named; /* each begins its destination list with its first hop */
} Copies;

static bool watch(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    Copies *copies = user;
    ReloadMessage message;
    ReloadDest first;
    PealBytes dest;
    Frame frame;

    if (from != ASKER || frame_parse_datagram(bytes, len, FRAME_MESSAGE_MAX, &frame) != 0 ||
        !frame.data ||
        reload_message_decode((PealBytes){frame.message, frame.message_len}, &message) != 0 ||
        message.code != RELOAD_FETCH_REQ || message.header.via.len > 0) {
        return false;
    }
    CU_ASSERT_FATAL(copies->len < COPIES_MAX);
    copies->one_transaction &=
        copies->len == 0 || copies->transaction == message.header.transaction;
    copies->transaction = message.header.transaction;
    dest = message.header.dest;
    copies->named &= reload_dest_next(&dest, &first) && first.type == RELOAD_DEST_NODE &&
                     peal_id_equal(&first.id, peal_peer_id(copies->world->peers[to].peer)) &&
                     reload_dest_next(&dest, &first) && first.type == RELOAD_DEST_RESOURCE;
    copies->at[copies->len] = copies->world->now;
    copies->to[copies->len++] = to;
    return (copies->lost_to >> to & 1) != 0;
}

/* Streams without acknowledgements, so that losing a message harms no link. */
static MiniWorld *ring(Copies *copies, uint8_t ways)
{
    MiniWorld *world = mini_new(7);

    world->overlay.link = PEAL_TCP;
    world->overlay.link_acks = false;
    world->overlay.defence.redundant_lookups = ways;
    for (uint32_t i = 0; i < PEERS; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(500));
    }
    mini_run(world, peal_seconds(30));
    CU_ASSERT_FATAL(mini_is_one_ring(world));
    *copies = (Copies){.world = world, .one_transaction = true, .named = true};
    world->hook = watch;
    world->hook_user = copies;
    return world;
}

/* A key whose owner is far from the asker, so that every copy has a way to go. */
static PealId far_key(MiniWorld *world)
{
    return peal_id_add(peal_peer_id(world->peers[ASKER].peer),
                       (PealIdHalves){UINT64_C(0xa000000000000000), 0});
}

static void fetch(MiniWorld *world, const PealId *key, uint64_t token)
{
    CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[ASKER].peer, key, PEAL_KIND_SIP_REGISTRATION,
                                    token),
                    0);
}

static bool differ(const Copies *copies, uint32_t from, uint32_t upto)
{
    for (uint32_t i = from; i < upto; i++) {
        for (uint32_t j = from; j < i; j++) {
            if (copies->to[i] == copies->to[j]) {
                return false;
            }
        }
    }
    return true;
}

static void redundant_lookup_goes_once_unless_it_is_asked_for(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, 1);
    PealId key = far_key(world);

    fetch(world, &key, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, 1, peal_seconds(10)));
    CU_ASSERT_EQUAL(copies.len, 1);
    CU_ASSERT_FALSE(copies.named);
    mini_free(world);
}

static void redundant_copies_share_a_transaction_and_differ_in_their_first_hop(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    PealId key = far_key(world);
    const MiniOutcome *outcome;

    fetch(world, &key, 1);
    outcome = mini_await(world, 1, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT(peal_id_equal(&outcome->responder, peal_peer_id(mini_owner(world, &key)->peer)));
    CU_ASSERT_EQUAL(copies.len, WAYS);
    CU_ASSERT(copies.one_transaction && copies.named && differ(&copies, 0, WAYS));
    mini_run(world, peal_seconds(20));
    CU_ASSERT_EQUAL(copies.len, WAYS);
    CU_ASSERT_EQUAL(world->outcomes_len, 1);
    mini_free(world);
}

static void redundant_value_comes_by_the_one_way_that_is_left(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    const MiniOutcome *outcome;
    PealId key;
    PealTime start;

    CU_ASSERT_EQUAL(peal_aor_resource(world->peers[0].env.ops->crypto, AOR, &key), 0);
    CU_ASSERT_EQUAL(peal_peer_register(world->peers[5].peer, AOR, 3600, 1), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, 1, peal_seconds(10)));
    fetch(world, &key, 2);
    CU_ASSERT_EQUAL_FATAL(mini_await(world, 2, peal_seconds(10))->values, 1);
    CU_ASSERT_EQUAL_FATAL(copies.len, WAYS);
    copies.lost_to = 1U << copies.to[0] | 1U << copies.to[1];
    start = world->now;
    fetch(world, &key, 3);
    outcome = mini_await(world, 3, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->values, 1);
    CU_ASSERT(peal_time_since(world->now, start).ns < peal_seconds(1).ns);
    mini_free(world);
}

static void redundant_answer_without_a_value_waits_for_the_others_but_not_for_ever(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    PealId key = far_key(world);
    const MiniOutcome *outcome;
    PealTime start;

    fetch(world, &key, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, 1, peal_seconds(1)));
    copies.lost_to = 1U << copies.to[1];
    start = world->now;
    fetch(world, &key, 2);
    outcome = mini_await(world, 2, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(outcome->values, 0);
    CU_ASSERT_EQUAL(peal_time_since(world->now, start).ns, world->overlay.request_timeout.ns);
    CU_ASSERT_EQUAL(copies.len, 2 * WAYS);
    mini_free(world);
}

static void redundant_tries_go_other_ways(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    PealId key = far_key(world);
    const MiniOutcome *outcome;

    fetch(world, &key, 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, 1, peal_seconds(1)));
    for (uint32_t i = 0; i < WAYS; i++) {
        copies.lost_to |= 1U << copies.to[i];
    }
    copies.len = 0;
    fetch(world, &key, 2);
    outcome = mini_await(world, 2, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL_FATAL(copies.len, 2 * WAYS);
    CU_ASSERT(differ(&copies, 0, 2 * WAYS));
    mini_free(world);
}

/* What a first hop says in the owner's stead: that there is nothing, or an error. */
static void lie(MiniWorld *world, const Copies *copies, uint32_t liar, uint16_t code)
{
    const PealId *asker = peal_peer_id(world->peers[ASKER].peer);
    PealPeer *peer = world->peers[liar].peer;
    uint8_t dest[RELOAD_NODE_ENTRY_LEN];
    uint8_t body[16];
    Writer dest_writer = writer_make(dest, sizeof(dest));
    Writer writer = writer_make(body, sizeof(body));
    PendingDraft draft = {.transaction = copies->transaction, .code = code};

    put_dest_node(&dest_writer, asker);
    if (code == RELOAD_ERROR) {
        put_error(&writer, &(ReloadErrorRes){.code = RELOAD_ERROR_NOT_FOUND});
    } else {
        put_fetch_ans(&writer, &(ReloadFetchAns){{NULL, 0}});
    }
    draft.dest = writer_view(&dest_writer);
    draft.body = writer_view(&writer);
    CU_ASSERT_EQUAL(forward_own_take(peer, link_find(peer, asker), pending_compose(peer, &draft)),
                    0);
}

static void liars_are_outdone(uint16_t code)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    PealId key = far_key(world);
    const MiniOutcome *outcome;

    CU_ASSERT_EQUAL(peal_aor_resource(world->peers[0].env.ops->crypto, AOR, &key), 0);
    CU_ASSERT_EQUAL(peal_peer_register(world->peers[5].peer, AOR, 3600, 1), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, 1, peal_seconds(10)));
    fetch(world, &key, 2);
    mini_run(world, peal_ms(0));
    CU_ASSERT_EQUAL_FATAL(copies.len, WAYS);
    lie(world, &copies, copies.to[0], code);
    lie(world, &copies, copies.to[1], code);
    outcome = mini_await(world, 2, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(outcome->values, 1);
    mini_free(world);
}

static void redundant_value_beats_answers_that_there_is_none(void)
{
    liars_are_outdone(RELOAD_FETCH_ANS);
    liars_are_outdone(RELOAD_ERROR);
}

static void redundant_of_empty_answers_the_nearest_responders_counts(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    PealId key = far_key(world);
    const MiniOutcome *outcome;

    fetch(world, &key, 1);
    mini_run(world, peal_ms(0));
    CU_ASSERT_EQUAL_FATAL(copies.len, WAYS);
    lie(world, &copies, copies.to[0], RELOAD_FETCH_ANS);
    lie(world, &copies, copies.to[1], RELOAD_ERROR);
    outcome = mini_await(world, 1, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT(peal_id_equal(&outcome->responder, peal_peer_id(mini_owner(world, &key)->peer)));
    mini_free(world);
}

static void redundant_first_hops_hear_once_of_several_lies(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    PealId key = far_key(world);
    const MiniOutcome *outcome;

    fetch(world, &key, 1);
    mini_run(world, peal_ms(0));
    CU_ASSERT_EQUAL_FATAL(copies.len, WAYS);
    for (unsigned i = 0; i < 2 * WAYS; i++) { /* one liar alone is never all ways */
        lie(world, &copies, copies.to[0], RELOAD_ERROR);
    }
    outcome = mini_await(world, 1, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    mini_free(world);
}

static void redundant_own_key_goes_nowhere(void)
{
    Copies copies;
    MiniWorld *world = ring(&copies, WAYS);
    PealId key = *peal_peer_id(world->peers[ASKER].peer);
    const MiniOutcome *outcome;

    fetch(world, &key, 1);
    outcome = mini_await(world, 1, peal_seconds(1));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(copies.len, 0);
    mini_free(world);
}

PEAL_TEST_MAIN("core/redundant", PEAL_TEST(redundant_lookup_goes_once_unless_it_is_asked_for),
               PEAL_TEST(redundant_copies_share_a_transaction_and_differ_in_their_first_hop),
               PEAL_TEST(redundant_value_comes_by_the_one_way_that_is_left),
               PEAL_TEST(redundant_answer_without_a_value_waits_for_the_others_but_not_for_ever),
               PEAL_TEST(redundant_tries_go_other_ways),
               PEAL_TEST(redundant_value_beats_answers_that_there_is_none),
               PEAL_TEST(redundant_of_empty_answers_the_nearest_responders_counts),
               PEAL_TEST(redundant_first_hops_hear_once_of_several_lies),
               PEAL_TEST(redundant_own_key_goes_nowhere))
