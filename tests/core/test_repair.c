/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_repair.c - replicas, hand-over and resynchronisation (RFC 6940 s.6.4.2.3, s.10.4,
 * s.10.7). */
#include "core/fake_peer.h"
#include "peal_test.h"
#include "storage/repair.h"

static const PealBytes KEY_A = {(const uint8_t *)"a", 1};
static const PealBytes KEY_B = {(const uint8_t *)"b", 1};
static const FakeValue SMALL = {.time_ms = 1, .value = "x"};

static uint8_t target(const FakeRequest *request)
{
    return request->spec.to.bytes[0];
}

static uint8_t replica_number(const FakeRequest *request)
{
    uint8_t replica;

    (void)fake_store_resource(request, &replica);
    return replica;
}

/* A peer that stored `len` single values at 0x50, 0x51, ... and has sent their replicas. */
static FakePeer *with_values(uint8_t len)
{
    FakePeer *fake = fake_new();

    for (uint8_t i = 0; i < len; i++) {
        const PealId r = fake_id((uint8_t)(0x50 + i));

        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
        fake_succeed_all(fake);
    }
    return fake;
}

static void store_is_replicated_to_the_next_two_with_rising_numbers(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 2);
    for (size_t i = 0; i < 2; i++) {
        const FakeRequest *request = &fake->requests[i];
        const PealId about = fake_store_resource(request, NULL);

        CU_ASSERT_EQUAL(target(request), 0x90 + 0x10 * i);
        CU_ASSERT_FALSE(request->spec.to_resource); /* to that peer itself */
        CU_ASSERT_EQUAL(replica_number(request), i + 1);
        CU_ASSERT(peal_id_equal(&about, &r));
    }
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
    CU_ASSERT_EQUAL(fake->requests_len, 2); /* nothing changed */
    CU_ASSERT_EQUAL(fake->traces[PEAL_TRACE_REPLICA_SENT], 2);
    fake_succeed_all(fake);
    fake_free(fake);
}

static void replica_arrives_equal_with_generation_and_shorter_lifetime(void)
{
    FakePeer *fake = fake_new();
    FakePeer *successor = fake_new_at(0x90, 0x80);
    const PealId r = fake_id(0x50);
    ReloadStored stored;
    uint64_t generation;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 1, .value = "x"}), 0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 2, .value = "y"}), 0);
    fake_succeed_all(fake);
    fake->now = peal_time_add(fake->now, peal_ms(100500));
    fake->set[0] = fake_id(0x88); /* a new successor gets what was stored 100.5 s ago */
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL_FATAL(fake_outstanding(fake), 1);
    fake_deliver(fake, fake_request(fake, 0), successor);
    CU_ASSERT_EQUAL(fake_fetch_all(successor, &r, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL(fake_values(successor, PEAL_MODEL_SINGLE, &stored, 1, &generation), 1);
    CU_ASSERT(fake_value_is(&stored, "y") && stored.storage_time_ms == 2);
    CU_ASSERT_EQUAL(generation, 2);
    CU_ASSERT_EQUAL(stored.lifetime_s, 3499);
    fake_free(successor);
    fake_free(fake);
}

static void replica_store_carries_what_changed_and_no_more(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    ReloadStoreReq store;
    ReloadKindData data;
    ReloadStored stored;

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = KEY_A, .value = "first"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = KEY_B, .value = "second"}),
                    0);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 4);
    CU_ASSERT_EQUAL_FATAL(reload_store_req_decode(fake->requests[2].spec.body, &store), 0);
    CU_ASSERT_TRUE_FATAL(reload_kind_data_next(&store.kinds, &data));
    CU_ASSERT_EQUAL(data.generation, 2);
    CU_ASSERT_TRUE(reload_stored_next(&data.values, PEAL_MODEL_DICTIONARY, &stored));
    CU_ASSERT(fake_value_is(&stored, "second"));
    CU_ASSERT_EQUAL(data.values.len, 0);
    fake_free(fake);
}

static void new_member_of_the_replica_set_gets_everything(void)
{
    FakePeer *fake = with_values(5);
    size_t before = fake->requests_len;

    fake->set[1] = fake->set[0];
    fake->set[0] = fake_id(0x88); /* somebody joined right behind */
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, before + 5);
    for (uint8_t i = 0; i < 5; i++) {
        const PealId r = fake_store_resource(&fake->requests[before + i], NULL);

        CU_ASSERT_EQUAL(target(&fake->requests[before + i]), 0x88);
        CU_ASSERT_EQUAL(replica_number(&fake->requests[before + i]), 1);
        CU_ASSERT_EQUAL(r.bytes[0], 0x50 + i);
    }
    fake_succeed_all(fake);
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL(fake->requests_len, before + 5); /* the same neighbours again */
    fake_free(fake);
}

static void lost_successors_replacement_waits_for_the_hold_down(void)
{
    FakePeer *fake = with_values(2);
    size_t before = fake->requests_len;
    const PealId r = fake_id(0x60);

    fake->set[0] = fake->set[1];
    fake->set[1] = fake_id(0xb0);
    storage_on_neighbours(&fake->peer, true);
    fake_run(fake, peal_ms(29999));
    CU_ASSERT_EQUAL(fake->requests_len, before);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
    CU_ASSERT_EQUAL(fake->requests_len, before + 2); /* new data goes at once */
    fake_run(fake, peal_ms(1));
    CU_ASSERT_EQUAL(fake->requests_len, before + 5); /* all three, the new one once more */
    for (size_t i = before + 2; i < fake->requests_len; i++) {
        CU_ASSERT_EQUAL(target(&fake->requests[i]), 0xb0);
        CU_ASSERT_EQUAL(replica_number(&fake->requests[i]), 2);
    }
    fake_succeed_all(fake);
    fake_free(fake);
}

static void replacement_by_a_better_match_during_hold_down_gets_it_alone(void)
{
    FakePeer *fake = with_values(1);
    size_t before = fake->requests_len;

    fake->set[0] = fake->set[1];
    fake->set[1] = fake_id(0xc0); /* best known at first */
    storage_on_neighbours(&fake->peer, true);
    fake_run(fake, peal_seconds(5));
    fake->set[1] = fake_id(0xb0); /* an Update names a nearer one */
    storage_on_neighbours(&fake->peer, false);
    fake_run(fake, peal_seconds(30));
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, before + 1);
    CU_ASSERT_EQUAL(target(&fake->requests[before]), 0xb0);
    fake_succeed_all(fake);
    fake_free(fake);
}

static void replica_that_becomes_responsible_replicates(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x30);
    const PealId other = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 3, SMALL), 0);
    CU_ASSERT_EQUAL(fake_store(fake, &other, FAKE_SINGLE, SMALL), 0);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->requests_len, 2);
    fake->from = fake_id(0x20); /* the predecessor died */
    storage_on_neighbours(&fake->peer, true);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, 4); /* its set has not changed: no hold-down */
    for (size_t i = 2; i < 4; i++) {
        const PealId about = fake_store_resource(&fake->requests[i], NULL);

        CU_ASSERT_EQUAL(about.bytes[0], 0x30);
        CU_ASSERT_EQUAL(target(&fake->requests[i]), 0x90 + 0x10 * (i - 2));
    }
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(60));
    CU_ASSERT_EQUAL(fake->requests_len, 4);
    fake_free(fake);
}

static void failed_replica_is_tried_again_with_back_off(void)
{
    static const int64_t after_s[] = {5, 10, 20, 40, 80, 160, 300, 300};
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    fake->set_len = 1;
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){1, 100000, 0, {0}, "x", 0, 0}),
                    0);
    for (size_t i = 0; i < sizeof(after_s) / sizeof(after_s[0]); i++) {
        CU_ASSERT_EQUAL_FATAL(fake->requests_len, i + 1);
        fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
        fake_run(fake, peal_ms(after_s[i] * 1000 - 1));
        CU_ASSERT_EQUAL(fake->requests_len, i + 1);
        fake_run(fake, peal_ms(1));
    }
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(1000));
    CU_ASSERT_EQUAL(fake_outstanding(fake), 0);
    fake_free(fake);
}

static void failed_replica_of_a_member_that_left_is_dropped(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
    fake->set[0] = fake->set[1];
    fake->set_len = 1;
    storage_on_neighbours(&fake->peer, true);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_UNREACHABLE);
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(100));
    CU_ASSERT_EQUAL(fake->requests_len, 2);
    fake_free(fake);
}

static void repair_keeps_at_most_16_stores_out(void)
{
    FakePeer *fake = with_values(0x2f);
    size_t before = fake->requests_len;

    fake->set[0] = fake_id(0x88);
    fake->set[1] = fake_id(0x8c);
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL(fake_outstanding(fake), REPAIR_TRANSFERS_MAX);
    while (fake_outstanding(fake) > 0) {
        CU_ASSERT(fake_outstanding(fake) <= REPAIR_TRANSFERS_MAX);
        fake_succeed(fake, fake_request(fake, 0));
    }
    CU_ASSERT_EQUAL(fake->requests_len, before + 2 * 0x2f);
    CU_ASSERT_PTR_NULL(fake->peer.storage.repair->work); /* an idle peer keeps no table */
    fake_free(fake);
}

static void repair_goes_on_when_requests_are_full(void)
{
    FakePeer *fake = with_values(8);
    size_t before = fake->requests_len;

    fake->requests_limit = 3;
    fake->set[0] = fake_id(0x88);
    storage_on_neighbours(&fake->peer, false);
    for (int round = 0; round < 10; round++) {
        fake_succeed_all(fake);
        fake_run(fake, peal_seconds(60));
    }
    CU_ASSERT_EQUAL(fake->requests_len, before + 8);
    fake_free(fake);
}

static void many_stores_at_once_all_reach_the_replicas(void)
{
    FakePeer *fake = fake_new();
    bool seen[2][30] = {{false}};

    for (uint8_t i = 0; i < 30; i++) {
        const PealId r = fake_id((uint8_t)(0x50 + i));

        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
        CU_ASSERT(fake_outstanding(fake) <= REPAIR_TRANSFERS_MAX);
    }
    fake_succeed_all(fake);
    for (size_t i = 0; i < fake->requests_len; i++) {
        const PealId r = fake_store_resource(&fake->requests[i], NULL);

        seen[(target(&fake->requests[i]) - 0x90) / 0x10][r.bytes[0] - 0x50] = true;
    }
    for (size_t i = 0; i < 30; i++) {
        CU_ASSERT(seen[0][i] && seen[1][i]);
    }
    fake_free(fake);
}

static void kind_larger_than_a_message_goes_in_parts(void)
{
    static char text[1501];
    FakePeer *fake = fake_new();
    FakePeer *successor = fake_new_at(0x88, 0x80);
    const PealId r = fake_id(0x50);

    memset(text, 'x', 1500);
    for (uint32_t i = 0; i < 7; i++) {
        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY,
                                   (FakeValue){.time_ms = 1, .index = i, .value = text}),
                        0);
    }
    fake_succeed_all(fake);
    fake->set[0] = fake_id(0x88);
    fake->set_len = 1;
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL(fake_outstanding(fake), 1);
    while (fake_outstanding(fake) > 0) {
        CU_ASSERT(fake_request(fake, 0)->spec.body.len < 5000);
        fake_deliver(fake, fake_request(fake, 0), successor);
    }
    CU_ASSERT_EQUAL(peal_peer_stored(&successor->peer, &r, FAKE_ARRAY), 7);
    fake_free(successor);
    fake_free(fake);
}

static void part_is_sent_again_when_values_end_in_between(void)
{
    static char text[1501];
    FakePeer *fake = fake_new();
    FakePeer *successor = fake_new_at(0x88, 0x80);
    const PealId r = fake_id(0x50);

    memset(text, 'x', 1500);
    for (uint32_t i = 0; i < 7; i++) {
        const FakeValue value = {.time_ms = 1,
                                 .index = i,
                                 .value = text,
                                 .lifetime_s = i < 2 ? 10 : 3600};

        CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_ARRAY, value), 0);
    }
    fake_succeed_all(fake);
    fake->set[0] = fake_id(0x88);
    fake->set_len = 1;
    storage_on_neighbours(&fake->peer, false);
    fake_deliver(fake, fake_request(fake, 0), successor);
    fake_run(fake, peal_seconds(12)); /* the first two are gone, what follows moves up */
    while (fake_outstanding(fake) > 0) {
        fake_deliver(fake, fake_request(fake, 0), successor);
    }
    successor->now = fake->now;
    CU_ASSERT_EQUAL(peal_peer_stored(&successor->peer, &r, FAKE_ARRAY), 5);
    fake_free(successor);
    fake_free(fake);
}

/* Joiners. */

static void join_that_carries_no_data_sends_nothing(void)
{
    FakePeer *fake = fake_new();
    const PealId joiner = fake_id(0x60);

    storage_hand_over(&fake->peer, &joiner, &fake->from, &joiner);
    CU_ASSERT(fake->requests_len == 0 && fake->env.bytes == 0);
    fake->from = joiner;
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT(fake->requests_len == 0 && fake->env.bytes == 0);
    fake_free(fake);
}

static void joiner_gets_its_range_and_the_rest_stays(void)
{
    FakePeer *fake = with_values(8); /* 0x50 ... 0x57 */
    const PealId joiner = fake_id(0x53);
    size_t before = fake->requests_len;

    storage_hand_over(&fake->peer, &joiner, &fake->from, &joiner);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, before + 4);
    for (size_t i = before; i < fake->requests_len; i++) {
        const PealId r = fake_store_resource(&fake->requests[i], NULL);

        CU_ASSERT(r.bytes[0] <= 0x53);
        CU_ASSERT_EQUAL(target(&fake->requests[i]), 0x53);
        CU_ASSERT_FALSE(fake->requests[i].spec.to_resource);
        CU_ASSERT_EQUAL(replica_number(&fake->requests[i]), 1); /* not its own data */
    }
    fake_succeed_all(fake);
    fake->from = joiner;
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL(fake->requests_len, before + 4);    /* the new owner is known to have it */
    CU_ASSERT_EQUAL(storage_resources(&fake->peer), 8); /* this peer is a replica for it now */
    fake_free(fake);
}

static void joiner_that_takes_it_becomes_the_owner_and_replicates(void)
{
    FakePeer *fake = with_values(1);
    FakePeer *joiner = fake_new_at(0x60, 0x40);
    const PealId r = fake_id(0x50);

    joiner->from =
        fake_id(0x5f); /* nobody told it yet that it has joined: it owns next to nothing */
    storage_hand_over(&fake->peer, &joiner->peer.id, &fake->from, &joiner->peer.id);
    fake_deliver(fake, fake_request(fake, 0), joiner);
    CU_ASSERT_EQUAL(joiner->requests_len, 0);
    joiner->from = fake_id(0x40);
    storage_on_neighbours(&joiner->peer, false);
    CU_ASSERT_EQUAL(joiner->requests_len, 2);
    CU_ASSERT_EQUAL(peal_peer_stored(&joiner->peer, &r, FAKE_SINGLE), 1);
    fake_succeed_all(joiner);
    fake_free(joiner);
    fake_free(fake);
}

static void store_between_hand_over_and_join_reaches_the_joiner(void)
{
    FakePeer *fake = with_values(1);
    const PealId joiner = fake_id(0x60);
    const PealId r = fake_id(0x50);
    size_t before = fake->requests_len;

    storage_hand_over(&fake->peer, &joiner, &fake->from, &joiner);
    fake_succeed_all(fake);
    CU_ASSERT_EQUAL(fake->requests_len, before + 1);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 2, .value = "y"}), 0);
    fake->from = joiner;
    storage_on_neighbours(&fake->peer, false);
    bool sent = false;
    for (size_t i = before + 1; i < fake->requests_len; i++) {
        sent |= fake->requests[i].spec.to_resource;
    }
    CU_ASSERT(sent);
    fake_succeed_all(fake);
    fake_free(fake);
}

static void store_during_hand_over_is_handed_over_too(void)
{
    FakePeer *fake = with_values(1);
    FakePeer *joiner = fake_new_at(0x60, 0x5f);
    const PealId r = fake_id(0x50);

    storage_hand_over(&fake->peer, &joiner->peer.id, &fake->from, &joiner->peer.id);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, (FakeValue){.time_ms = 2, .value = "y"}), 0);
    while (fake_outstanding(fake) > 0) {
        FakeRequest *request = fake_request(fake, 0);

        if (target(request) == 0x60) {
            fake_deliver(fake, request, joiner);
        } else {
            fake_succeed(fake, request);
        }
    }
    CU_ASSERT(fake_holds_only(joiner, &r, FAKE_SINGLE, PEAL_MODEL_SINGLE, "y"));
    fake_free(joiner);
    fake_free(fake);
}

static void joiner_that_dies_gets_nothing_more(void)
{
    FakePeer *fake = with_values(1);
    const PealId joiner = fake_id(0x60);
    size_t before = fake->requests_len;

    storage_hand_over(&fake->peer, &joiner, &fake->from, &joiner);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    fake_run(fake, peal_seconds(600));
    CU_ASSERT_EQUAL(fake->requests_len, before + 1);
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &(PealId){{0x50}}, FAKE_SINGLE), 1);
    fake->from = joiner; /* it has come after all, or another: now it is owed a copy */
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, before + 2);
    CU_ASSERT(fake->requests[before + 1].spec.to_resource);
    fake_succeed_all(fake);
    fake_free(fake);
}

static void joiner_that_took_its_copy_but_never_came_counts_for_nothing(void)
{
    FakePeer *fake = with_values(1);
    const PealId joiner = fake_id(0x60);
    size_t before = fake->requests_len;

    storage_hand_over(&fake->peer, &joiner, &fake->from, &joiner);
    fake_succeed_all(fake);
    storage_on_neighbours(&fake->peer, false); /* others come and go, the range stays */
    CU_ASSERT_EQUAL(fake->requests_len, before + 1);
    fake->from = fake_id(0x70); /* long after, somebody else takes it over */
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, before + 2);
    CU_ASSERT(fake->requests[before + 1].spec.to_resource);
    fake_succeed_all(fake);
    fake_free(fake);
}

/* Ranges that move. */

static void value_of_a_new_owner_is_stored_there_and_forgotten_later(void)
{
    FakePeer *fake = with_values(2);
    size_t before = fake->requests_len;
    const PealId owner = fake_id(0x78);

    fake->from = owner;
    fake->holds_from = owner; /* three predecessors lie between */
    storage_on_neighbours(&fake->peer, false);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, before + 2);
    CU_ASSERT(fake->requests[before].spec.to_resource);
    CU_ASSERT_EQUAL(target(&fake->requests[before]), 0x50);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    fake_refuse(fake, fake_request(fake, 0), RELOAD_ERROR_FORBIDDEN, &owner);
    fake_run(fake, peal_ms(4999));
    CU_ASSERT_EQUAL(storage_resources(&fake->peer), 2); /* kept until its owner has it */
    fake_run(fake, peal_ms(1));
    CU_ASSERT_EQUAL(fake->requests_len, before + 4);
    fake_run(fake, peal_seconds(100));
    CU_ASSERT_EQUAL(storage_resources(&fake->peer), 2);
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(60));
    CU_ASSERT_EQUAL(storage_resources(&fake->peer), 0);
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

static void replica_out_of_range_is_forgotten_after_two_hold_downs(void)
{
    FakePeer *fake = fake_new();
    const PealId near = fake_id(0x30);
    const PealId far = fake_id(0x20);

    CU_ASSERT_EQUAL(fake_replica(fake, &near, FAKE_SINGLE, 1, SMALL), 0);
    CU_ASSERT_EQUAL(fake_replica(fake, &far, FAKE_SINGLE, 1, SMALL), 0);
    fake->holds_from = fake_id(0x28);
    storage_on_neighbours(&fake->peer, false);
    fake_run(fake, peal_ms(59999));
    CU_ASSERT_EQUAL(storage_resources(&fake->peer), 2);
    fake_run(fake, peal_ms(1));
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &near, FAKE_SINGLE), 1);
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &far, FAKE_SINGLE), 0);
    CU_ASSERT_EQUAL(fake->requests_len, 0); /* its owner never depended on this copy */
    fake_free(fake);
}

static void replica_out_of_range_for_a_moment_is_kept(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x30);

    CU_ASSERT_EQUAL(fake_replica(fake, &r, FAKE_SINGLE, 1, SMALL), 0);
    for (int i = 0; i < 10; i++) { /* however often */
        fake->holds_from = fake_id(0x38);
        storage_on_neighbours(&fake->peer, false);
        fake_run(fake, peal_seconds(29));
        fake->holds_from = fake_id(0x28);
        storage_on_neighbours(&fake->peer, true);
    }
    fake_run(fake, peal_seconds(100));
    CU_ASSERT_EQUAL(peal_peer_stored(&fake->peer, &r, FAKE_SINGLE), 1);
    fake_free(fake);
}

/* Resynchronisation. */

static void older_copy_fetches_the_newer_one_and_passes_it_on(void)
{
    FakePeer *fake = with_values(1); /* time 1, "x" */
    FakePeer *replica = fake_new_at(0x88, 0x80);
    const PealId r = fake_id(0x50);
    size_t before = fake->requests_len;

    CU_ASSERT_EQUAL(fake_replica(replica, &r, FAKE_SINGLE, 7,
                                 (FakeValue){.time_ms = 9, .value = "newer"}),
                    0);
    fake->set[0] = replica->peer.id;
    storage_on_neighbours(&fake->peer, false);
    fake_deliver(fake, fake_request(fake, 0), replica); /* Data_Too_Old */
    CU_ASSERT_EQUAL_FATAL(fake_outstanding(fake), 1);
    CU_ASSERT_EQUAL(fake_request(fake, 0)->spec.code, RELOAD_FETCH_REQ);
    CU_ASSERT_EQUAL(target(fake_request(fake, 0)), 0x88);
    fake_deliver(fake, fake_request(fake, 0), replica);
    CU_ASSERT(fake_holds_only(fake, &r, FAKE_SINGLE, PEAL_MODEL_SINGLE, "newer"));
    while (fake_outstanding(fake) > 0) {
        FakeRequest *request = fake_request(fake, 0);

        if (target(request) == 0x88) {
            fake_deliver(fake, request, replica);
            CU_ASSERT_EQUAL(replica->error, 0);
        } else {
            fake_succeed(fake, request);
        }
    }
    /* Store, Fetch, Store at 0x88, and the newer value at the other member */
    CU_ASSERT_EQUAL(fake->requests_len, before + 4);
    fake_free(replica);
    fake_free(fake);
}

static void two_halves_of_a_dictionary_merge_by_storage_time(void)
{
    FakePeer *fake = fake_new();
    FakePeer *other = fake_new_at(0x88, 0x80);
    const PealId r = fake_id(0x50);
    ReloadStored stored[2];

    fake->set_len = 0;
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 5, .key = KEY_A, .value = "A5"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 3, .key = KEY_B, .value = "B3"}),
                    0);
    CU_ASSERT_EQUAL(fake_replica(other, &r, FAKE_DICTIONARY, 1,
                                 (FakeValue){.time_ms = 4, .key = KEY_A, .value = "A4"}),
                    0);
    CU_ASSERT_EQUAL(fake_replica(other, &r, FAKE_DICTIONARY, 1,
                                 (FakeValue){.time_ms = 4, .key = KEY_B, .value = "B4"}),
                    0);
    fake->set[0] = other->peer.id;
    fake->set_len = 1;
    storage_on_neighbours(&fake->peer, false);
    while (fake_outstanding(fake) > 0) {
        fake_deliver(fake, fake_request(fake, 0), other);
    }
    for (int side = 0; side < 2; side++) {
        FakePeer *peer = side == 0 ? fake : other;

        CU_ASSERT_EQUAL(fake_fetch_all(peer, &r, FAKE_DICTIONARY), 0);
        CU_ASSERT_EQUAL_FATAL(fake_values(peer, PEAL_MODEL_DICTIONARY, stored, 2, NULL), 2);
        CU_ASSERT(fake_value_is(&stored[0], "A5") && fake_value_is(&stored[1], "B4"));
    }
    fake_free(other);
    fake_free(fake);
}

static void replica_found_ahead_after_a_store_gets_everything_it_lacks(void)
{
    FakePeer *fake = fake_new();
    FakePeer *other = fake_new_at(0x90, 0x80);
    const PealId r = fake_id(0x50);
    ReloadStored stored[3];

    fake->set_len = 0;
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 1, .key = KEY_A, .value = "A"}),
                    0);
    fake->set_len = 1; /* nobody told storage yet */
    CU_ASSERT_EQUAL(fake_replica(other, &r, FAKE_DICTIONARY, 3,
                                 (FakeValue){.time_ms = 9, .key = KEY_B, .value = "B9"}),
                    0);
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_DICTIONARY,
                               (FakeValue){.time_ms = 2, .key = KEY_B, .value = "B2"}),
                    0);
    while (fake_outstanding(fake) > 0) {
        fake_deliver(fake, fake_request(fake, 0), other);
    }
    CU_ASSERT_EQUAL(fake_fetch_all(other, &r, FAKE_DICTIONARY), 0);
    CU_ASSERT_EQUAL_FATAL(fake_values(other, PEAL_MODEL_DICTIONARY, stored, 3, NULL), 2);
    CU_ASSERT(fake_value_is(&stored[0], "A") && fake_value_is(&stored[1], "B9"));
    fake_free(other);
    fake_free(fake);
}

static void peer_that_insists_on_newer_data_is_left_alone_for_a_while(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);
    size_t stores = 0;

    fake->set_len = 1;
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
    while (fake_outstanding(fake) > 0) {
        FakeRequest *request = fake_request(fake, 0);

        if (request->spec.code == RELOAD_STORE_REQ) {
            stores++;
            fake_refuse(fake, request, RELOAD_ERROR_DATA_TOO_OLD, &request->spec.to);
        } else {
            fake_succeed(fake, request); /* with a body that is no FetchAns */
        }
    }
    CU_ASSERT_EQUAL(stores, 3);
    fake_run(fake, peal_seconds(5));
    CU_ASSERT_EQUAL(fake_outstanding(fake), 1);
    fake_free(fake);
}

static void value_that_ends_while_it_is_sent_harms_nothing(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE,
                               (FakeValue){.time_ms = 1, .lifetime_s = 2, .value = "x"}),
                    0);
    fake_run(fake, peal_seconds(10));
    CU_ASSERT_EQUAL(fake->peer.storage.slots_len, 0);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    fake_refuse(fake, fake_request(fake, 0), RELOAD_ERROR_DATA_TOO_OLD, &fake->set[1]);
    fake_succeed_all(fake);
    fake_run(fake, peal_seconds(100));
    CU_ASSERT_EQUAL(fake->env.bytes, 0);
    fake_free(fake);
}

/* Leaving. */

static void leaving_peer_stores_what_its_successor_lacks(void)
{
    FakePeer *fake = with_values(2);
    size_t before = fake->requests_len;
    const PealId r = fake_id(0x60);

    storage_leave(&fake->peer);
    CU_ASSERT_EQUAL(fake->requests_len, before); /* 0x90 has replicas */
    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
    fake_fail(fake, fake_request(fake, 0), -PEAL_E_TIMEOUT);
    fake_succeed_all(fake);
    storage_leave(&fake->peer);
    CU_ASSERT_EQUAL_FATAL(fake->requests_len, before + 3);
    CU_ASSERT_EQUAL(target(&fake->requests[before + 2]), 0x90);
    CU_ASSERT_EQUAL(fake_store_resource(&fake->requests[before + 2], NULL).bytes[0], 0x60);
    fake_free(fake);
}

static void peer_that_ends_with_stores_out_gives_everything_back(void)
{
    FakePeer *fake = fake_new();
    const PealId r = fake_id(0x50);

    CU_ASSERT_EQUAL(fake_store(fake, &r, FAKE_SINGLE, SMALL), 0);
    CU_ASSERT_EQUAL(fake_outstanding(fake), 2);
    fake_free(fake);
}

PEAL_TEST_MAIN("core/repair", PEAL_TEST(store_is_replicated_to_the_next_two_with_rising_numbers),
               PEAL_TEST(replica_arrives_equal_with_generation_and_shorter_lifetime),
               PEAL_TEST(replica_store_carries_what_changed_and_no_more),
               PEAL_TEST(new_member_of_the_replica_set_gets_everything),
               PEAL_TEST(lost_successors_replacement_waits_for_the_hold_down),
               PEAL_TEST(replacement_by_a_better_match_during_hold_down_gets_it_alone),
               PEAL_TEST(replica_that_becomes_responsible_replicates),
               PEAL_TEST(failed_replica_is_tried_again_with_back_off),
               PEAL_TEST(failed_replica_of_a_member_that_left_is_dropped),
               PEAL_TEST(repair_keeps_at_most_16_stores_out),
               PEAL_TEST(repair_goes_on_when_requests_are_full),
               PEAL_TEST(many_stores_at_once_all_reach_the_replicas),
               PEAL_TEST(kind_larger_than_a_message_goes_in_parts),
               PEAL_TEST(part_is_sent_again_when_values_end_in_between),
               PEAL_TEST(join_that_carries_no_data_sends_nothing),
               PEAL_TEST(joiner_that_took_its_copy_but_never_came_counts_for_nothing),
               PEAL_TEST(joiner_gets_its_range_and_the_rest_stays),
               PEAL_TEST(joiner_that_takes_it_becomes_the_owner_and_replicates),
               PEAL_TEST(store_between_hand_over_and_join_reaches_the_joiner),
               PEAL_TEST(store_during_hand_over_is_handed_over_too),
               PEAL_TEST(joiner_that_dies_gets_nothing_more),
               PEAL_TEST(value_of_a_new_owner_is_stored_there_and_forgotten_later),
               PEAL_TEST(replica_out_of_range_is_forgotten_after_two_hold_downs),

               PEAL_TEST(replica_out_of_range_for_a_moment_is_kept),
               PEAL_TEST(older_copy_fetches_the_newer_one_and_passes_it_on),
               PEAL_TEST(two_halves_of_a_dictionary_merge_by_storage_time),
               PEAL_TEST(replica_found_ahead_after_a_store_gets_everything_it_lacks),
               PEAL_TEST(peer_that_insists_on_newer_data_is_left_alone_for_a_while),
               PEAL_TEST(value_that_ends_while_it_is_sent_harms_nothing),
               PEAL_TEST(leaving_peer_stores_what_its_successor_lacks),
               PEAL_TEST(peer_that_ends_with_stores_out_gives_everything_back))
