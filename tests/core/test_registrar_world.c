/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_registrar_world.c - registrations between phones, adapters and an overlay that answers for
 * itself. */
#include "core/sip_script.h"
#include "peal_test.h"

static SipWorld *world;
static SipPhone *alice;
static SipPhone *bob;

static void begin(uint32_t adapters)
{
    world = sip_world_new(17);
    world->config.min_expires_s = 2;
    sip_world_adapters(world, adapters);
    alice = sip_phone(world, "192.0.2.1", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
}

static void end(void)
{
    sip_world_free(world);
}

/* A REGISTER of bob's, without waiting for what comes of it. */
static void bob_registers(uint32_t adapter, unsigned cseq, const char *branch, const char *contact,
                          const char *headers)
{
    script_request(bob, adapter,
                   &(ScriptRequest){.method = "REGISTER",
                                    .uri = "sip:example.org",
                                    .from = "<sip:bob@example.org>;tag=b",
                                    .to = "<sip:bob@example.org>",
                                    .call_id = "reg@192.0.2.2",
                                    .cseq = cseq,
                                    .branch = branch,
                                    .contact = contact,
                                    .headers = headers});
}

static void alice_writes(uint32_t adapter)
{
    script_request(alice, adapter,
                   &(ScriptRequest){.method = "MESSAGE",
                                    .uri = "sip:bob@example.org",
                                    .from = "<sip:alice@example.org>;tag=a",
                                    .to = "<sip:bob@example.org>",
                                    .call_id = "msg@192.0.2.1",
                                    .cseq = ++world->numbers,
                                    .contact = ""});
}

/* Live records of bob at the peer that answers for him. */
static size_t stored(void)
{
    PealId resource;
    const MiniPeer *owner;

    CU_ASSERT_EQUAL_FATAL(peal_aor_resource(world->mini->peers[0].env.ops->crypto,
                                            (PealStr){"sip:bob@example.org", 19}, &resource),
                          0);
    owner = mini_owner(world->mini, &resource);
    return peal_peer_stored(owner->peer, &resource, PEAL_KIND_SIP_REGISTRATION);
}

static uint32_t bindings(uint32_t adapter)
{
    PealSipStatus status;

    peal_peer_sip_status(sip_world_peer(world, adapter), &status);
    return status.bindings;
}

static void row_1_registration_is_where_the_overlay_looks(void)
{
    const SipReceived *got;

    begin(3);
    for (uint32_t i = 0; i < 3; i++) {
        script_register(bob, i, "bob", NULL);
        CU_ASSERT_EQUAL(stored(), i + 1); /* one for each adapter */
    }
    alice_writes(1);
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    script_answer(bob, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_2_removed_binding_is_gone_everywhere(void)
{
    begin(3);
    bob_registers(1, 1, NULL, "<sip:bob@192.0.2.2:5060>", "Expires: 600\r\n");
    script_expect(bob, 200);
    CU_ASSERT_EQUAL(stored(), 1);
    bob_registers(1, 2, NULL, "*", "Expires: 0\r\n");
    script_expect(bob, 200);
    CU_ASSERT(stored() == 0 && bindings(1) == 0);
    alice_writes(0);
    script_expect(alice, 404);
    end();
}

static void row_4_expired_binding_is_called_no_more(void)
{
    begin(3);
    bob_registers(1, 1, NULL, "<sip:bob@192.0.2.2:5060>;expires=2", "");
    script_expect(bob, 200);
    CU_ASSERT(stored() == 1 && bindings(1) == 1);
    sip_world_run(world, peal_seconds(3));
    CU_ASSERT(stored() == 0 && bindings(1) == 0);
    alice_writes(0);
    script_expect(alice, 404);
    alice_writes(1);
    script_expect(alice, 404);
    sip_world_run(world, peal_seconds(600)); /* and nothing brings it back */
    CU_ASSERT_EQUAL(stored(), 0);
    CU_ASSERT_TRUE(sip_phone_is_quiet(bob, peal_seconds(1)));
    end();
}

static void store_that_is_refused_is_503_and_binds_nothing(void)
{
    const SipReceived *answer;
    uint32_t most;

    begin(2);
    most = world->mini->overlay.resources_max;
    world->mini->overlay.resources_max = 0;     /* nobody has room */
    for (unsigned sent = 0; sent < 3; sent++) { /* again and again, as UDP has it */
        bob_registers(1, 1, "z9hG4bK-same", "<sip:bob@192.0.2.2:5060>", "Expires: 600\r\n");
        answer = script_expect(bob, 503);
        CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
        CU_ASSERT_PTR_NOT_NULL(script_header(answer->text, "Retry-After", 0));
    }
    CU_ASSERT_EQUAL(bindings(1), 0);
    world->mini->overlay.resources_max = most;
    sip_world_run(world, peal_seconds(300)); /* what was refused does not come up again */
    CU_ASSERT_EQUAL(stored(), 0);
    bob_registers(1, 2, NULL, "<sip:bob@192.0.2.2:5060>", "Expires: 600\r\n");
    script_expect(bob, 200);
    CU_ASSERT(stored() == 1 && bindings(1) == 1);
    end();
}

static void operator_binds_for_a_phone_that_does_not_register(void)
{
    const MiniOutcome *outcome;
    const SipReceived *got;

    begin(2);
    CU_ASSERT_EQUAL(peal_peer_bind(sip_world_peer(world, 0), (PealStr){"sip:bob@example.org", 19},
                                   (PealStr){"sip:desk@192.0.2.2:5060", 23}, 600, 99),
                    0);
    outcome = mini_await(world->mini, 99, peal_seconds(20));
    CU_ASSERT_PTR_NOT_NULL_FATAL(outcome);
    CU_ASSERT_EQUAL(outcome->status, 0);
    CU_ASSERT_EQUAL(stored(), 1);
    alice_writes(1);
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), "sip:desk@192.0.2.2:5060");
    script_answer(bob, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

/* A host that comes back finds its phones as they were, and tells the overlay. */
static void restarted_adapter_is_found_again(void)
{
    const SipReceived *got;
    MiniPeer *before;
    MiniPeer *after;
    PealId id;

    begin(3);
    script_register(bob, 2, "bob", NULL);
    sip_world_run(world, peal_seconds(5));
    before = &world->mini->peers[2];
    id = *peal_peer_id(before->peer);
    CU_ASSERT(before->bindings_len > 0);
    mini_kill(before);
    sip_world_run(world, peal_seconds(600)); /* what was stored has ended, or nearly so */
    after = mini_peer(world->mini, &id);
    CU_ASSERT_EQUAL(peal_peer_sip(after->peer, &world->config,
                                  (PealBytes){before->bindings, before->bindings_len}),
                    0);
    CU_ASSERT_EQUAL(bindings(after->index), 0); /* too late */
    end();

    begin(3);
    script_register(bob, 2, "bob", NULL);
    before = &world->mini->peers[2];
    CU_ASSERT_EQUAL(peal_peer_leave(before->peer, 55), 0); /* at once: it is written nevertheless */
    CU_ASSERT_PTR_NOT_NULL(mini_await(world->mini, 55, peal_seconds(20)));
    mini_kill(before);
    sip_world_run(world, peal_seconds(60));
    after = mini_peer(world->mini, &id);
    CU_ASSERT_EQUAL(peal_peer_sip(after->peer, &world->config,
                                  (PealBytes){before->bindings, before->bindings_len}),
                    0);
    CU_ASSERT_EQUAL(bindings(after->index), 1);
    mini_start(after);
    sip_world_run(world, peal_seconds(30));
    CU_ASSERT_EQUAL(peal_peer_state(after->peer), PEAL_PEER_JOINED);
    CU_ASSERT_EQUAL(stored(), 1);
    alice_writes(0);
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT_EQUAL(got->adapter, after->index);
    script_answer(bob, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

PEAL_TEST_MAIN("core/registrar_world", PEAL_TEST(row_1_registration_is_where_the_overlay_looks),
               PEAL_TEST(row_2_removed_binding_is_gone_everywhere),
               PEAL_TEST(row_4_expired_binding_is_called_no_more),
               PEAL_TEST(store_that_is_refused_is_503_and_binds_nothing),
               PEAL_TEST(operator_binds_for_a_phone_that_does_not_register),
               PEAL_TEST(restarted_adapter_is_found_again))
