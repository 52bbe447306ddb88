/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_copies.c - registrations with copies all over the ring (storage/copies.h). */
#include "mini_world.h"
#include "peal_test.h"

#include "peer.h"
#include "reload/codec.h"
#include "storage/copies.h"

enum { PEERS = 24, COPIES = 3, ADAPTER = 5, ASKER = 9 };

static const PealStr AOR = {"sip:bob@example.org", 19};

static MiniWorld *ring(PealPlacement placement, bool at_once)
{
    MiniWorld *world = mini_new(3);

    world->overlay.link = PEAL_TCP;
    world->overlay.link_acks = false;
    world->overlay.defence.placement = (uint8_t)placement;
    world->overlay.defence.copies_at_once = at_once;
    for (uint32_t i = 0; i < PEERS; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(500));
    }
    mini_run(world, peal_seconds(30));
    CU_ASSERT_FATAL(mini_is_one_ring(world));
    return world;
}

static PealId place(MiniWorld *world, unsigned i)
{
    const PealCryptoOps *crypto = world->peers[0].env.ops->crypto;
    PealId resource;

    CU_ASSERT_EQUAL(peal_aor_resource(crypto, AOR, &resource), 0);
    return peal_copy_resource(crypto, &resource, i);
}

static void enrol(MiniWorld *world)
{
    CU_ASSERT_EQUAL(peal_peer_register(world->peers[ADAPTER].peer, AOR, 3600, 1), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, 1, peal_seconds(10)));
    mini_run(world, peal_seconds(2));
}

/* How many peers hold copy i. */
static unsigned holders(MiniWorld *world, unsigned i)
{
    PealId resource = place(world, i);
    unsigned count = 0;

    for (uint32_t p = 0; p < world->peers_len; p++) {
        count += world->peers[p].alive &&
                 peal_peer_stored(world->peers[p].peer, &resource, copies_kind(i)) > 0;
    }
    return count;
}

static const MiniOutcome *fetch(MiniWorld *world, uint64_t token)
{
    PealId resource = place(world, 0);

    CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[ASKER].peer, &resource, PEAL_KIND_SIP_REGISTRATION,
                                    token),
                    0);
    return mini_await(world, token, peal_seconds(60));
}

static void copies_lie_at_different_ids_and_copy_0_at_the_aors(void)
{
    MiniWorld *world = ring(PEAL_PLACEMENT_HASHED, false);
    PealId resource;

    CU_ASSERT_EQUAL(peal_aor_resource(world->peers[0].env.ops->crypto, AOR, &resource), 0);
    for (unsigned i = 0; i < COPIES; i++) {
        PealId id = place(world, i);

        CU_ASSERT_EQUAL(peal_id_equal(&id, &resource), i == 0);
        for (unsigned j = 0; j < i; j++) {
            PealId other = place(world, j);

            CU_ASSERT_FALSE(peal_id_equal(&id, &other));
        }
    }
    mini_free(world);
}

static void copies_are_where_the_placement_says(void)
{
    static const struct {
        PealPlacement placement;
        unsigned first;
        unsigned further;
    } cases[] = {{PEAL_PLACEMENT_SUCCESSORS, 3, 0},
                 {PEAL_PLACEMENT_HASHED, 1, 1},
                 {PEAL_PLACEMENT_BOTH, 3, 3}};

    for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        MiniWorld *world = ring(cases[c].placement, false);

        enrol(world);
        for (unsigned i = 0; i < COPIES; i++) {
            PealId id = place(world, i);

            CU_ASSERT_EQUAL(holders(world, i), i == 0 ? cases[c].first : cases[c].further);
            if (holders(world, i) > 0) {
                CU_ASSERT_EQUAL(peal_peer_stored(mini_owner(world, &id)->peer, &id, copies_kind(i)),
                                1);
            }
        }
        CU_ASSERT_EQUAL(holders(world, COPIES), 0);
        mini_free(world);
    }
}

static void copies_are_removed_with_the_first(void)
{
    MiniWorld *world = ring(PEAL_PLACEMENT_HASHED, false);

    enrol(world);
    CU_ASSERT_EQUAL(peal_peer_unregister(world->peers[ADAPTER].peer, AOR, 2), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(mini_await(world, 2, peal_seconds(10)));
    mini_run(world, peal_seconds(2));
    for (unsigned i = 0; i < COPIES; i++) {
        CU_ASSERT_EQUAL(holders(world, i), 0);
    }
    mini_free(world);
}

static void copies_stand_in_for_one_that_is_gone(void)
{
    MiniWorld *world = ring(PEAL_PLACEMENT_HASHED, false);
    PealId id = place(world, 0);
    const MiniOutcome *outcome;

    enrol(world);
    mini_kill(mini_owner(world, &id));
    mini_run(world, peal_seconds(60));
    CU_ASSERT_EQUAL(holders(world, 0), 0);
    outcome = fetch(world, 3);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->values, 1);
    id = place(world, holders(world, 1) > 0 ? 1 : 2); /* copy 1 may have been with the same peer */
    CU_ASSERT(peal_id_equal(&outcome->responder, peal_peer_id(mini_owner(world, &id)->peer)));
    mini_free(world);
}

/* Fetches for the first copy never arrive. */
static bool lose_first(void *user, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
    MiniWorld *world = user;
    PealId resource = place(world, 0);
    ReloadMessage message;
    ReloadFetchReq request;
    Frame frame;

    (void)from;
    (void)to;
    return frame_parse_datagram(bytes, len, FRAME_MESSAGE_MAX, &frame) == 0 && frame.data &&
           reload_message_decode((PealBytes){frame.message, frame.message_len}, &message) == 0 &&
           message.code == RELOAD_FETCH_REQ &&
           reload_fetch_req_decode(message.body, &request) == 0 &&
           request.resource.len == PEAL_ID_LEN &&
           memcmp(request.resource.ptr, resource.bytes, PEAL_ID_LEN) == 0;
}

static int64_t silent_first_takes_ns(bool at_once)
{
    MiniWorld *world = ring(PEAL_PLACEMENT_HASHED, at_once);
    const MiniOutcome *outcome;
    PealTime start;
    int64_t took_ns;

    enrol(world);
    world->hook = lose_first;
    world->hook_user = world;
    start = world->now;
    outcome = fetch(world, 3);
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->values, 1);
    took_ns = peal_time_since(world->now, start).ns;
    mini_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(world->outcomes_len, 2);
    mini_free(world);
    return took_ns;
}

static void copies_are_asked_when_the_first_is_silent_or_at_once(void)
{
    int64_t timeout_ns = peal_seconds(3).ns;
    int64_t took_ns = silent_first_takes_ns(false);

    CU_ASSERT(took_ns >= timeout_ns && took_ns < 2 * timeout_ns);
    CU_ASSERT(silent_first_takes_ns(true) < timeout_ns);
}

static void copies_of_nobody_are_answered_as_the_first_is(void)
{
    for (unsigned at_once = 0; at_once < 2; at_once++) {
        MiniWorld *world = ring(PEAL_PLACEMENT_HASHED, at_once == 1);
        const MiniOutcome *outcome = fetch(world, 3);

        CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
        CU_ASSERT_EQUAL(outcome->status, 0);
        CU_ASSERT_EQUAL(outcome->values, 0);
        mini_free(world);
    }
}

static void copies_under_way_are_given_back_when_the_peer_ends(void)
{
    MiniWorld *world = ring(PEAL_PLACEMENT_HASHED, true);
    PealId resource = place(world, 0);

    CU_ASSERT_EQUAL(peal_peer_fetch(world->peers[ASKER].peer, &resource, PEAL_KIND_SIP_REGISTRATION,
                                    1),
                    0);
    mini_free(world); /* asserts it */
}

static void copies_may_be_written_by_their_signer_only(void)
{
    MiniWorld *world = ring(PEAL_PLACEMENT_HASHED, false);
    const PealId *self = peal_peer_id(world->peers[ASKER].peer);
    const PealId *other = peal_peer_id(world->peers[ADAPTER].peer);
    PealStoreItem item = {.resource = place(world, 1),
                          .kind = PEAL_KIND_SIP_REGISTRATION_COPY,
                          .key = {other->bytes, PEAL_ID_LEN},
                          .value = {(const uint8_t *)"x", 1},
                          .lifetime_s = 60,
                          .exists = true};
    const MiniOutcome *outcome;

    CU_ASSERT_EQUAL(peal_peer_store(world->peers[ASKER].peer, &item, 1), 0);
    outcome = mini_await(world, 1, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->error_code, RELOAD_ERROR_FORBIDDEN);
    item.key.ptr = self->bytes;
    CU_ASSERT_EQUAL(peal_peer_store(world->peers[ASKER].peer, &item, 2), 0);
    outcome = mini_await(world, 2, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    mini_free(world);
}

PEAL_TEST_MAIN("core/copies", PEAL_TEST(copies_lie_at_different_ids_and_copy_0_at_the_aors),
               PEAL_TEST(copies_are_where_the_placement_says),
               PEAL_TEST(copies_are_removed_with_the_first),
               PEAL_TEST(copies_stand_in_for_one_that_is_gone),
               PEAL_TEST(copies_are_asked_when_the_first_is_silent_or_at_once),
               PEAL_TEST(copies_of_nobody_are_answered_as_the_first_is),
               PEAL_TEST(copies_under_way_are_given_back_when_the_peer_ends),
               PEAL_TEST(copies_may_be_written_by_their_signer_only))
