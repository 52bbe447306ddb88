/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_proxy_call.c - whole calls through one adapter and through two. */
#include "core/sip_script.h"
#include "peal_test.h"

static SipWorld *world_with(uint32_t adapters)
{
    SipWorld *world = sip_world_new(7);

    sip_world_adapters(world, adapters);
    return world;
}

/* A call from alice at one adapter to bob at another, or the same; bob hangs up when `callee`. */
static void call(SipWorld *world, uint32_t from, uint32_t to, bool callee)
{
    SipPhone *alice = sip_phone(world, "192.0.2.1", 5060);
    SipPhone *bob = sip_phone(world, "192.0.2.2", 5062);
    const SipReceived *invite;
    const SipReceived *answer;
    const SipReceived *bye;
    ScriptDialog caller;
    ScriptDialog called;

    script_register(bob, to, "bob", NULL);
    script_invite(alice, from, "alice", "bob");
    script_expect(alice, 100);
    invite = script_expect_request(bob, "INVITE");
    CU_ASSERT_STRING_EQUAL(script_uri(invite->text), "sip:bob@192.0.2.2:5062");
    CU_ASSERT_EQUAL(script_headers(invite->text, "Via"), from == to ? 2 : 3);
    CU_ASSERT_STRING_EQUAL(script_header(invite->text, "Max-Forwards", 0),
                           from == to ? "69" : "68");
    CU_ASSERT_EQUAL(script_headers(invite->text, "Route"), 0);
    script_answer(bob, invite, 180, NULL, NULL);
    answer = script_expect(alice, 180);
    CU_ASSERT_EQUAL(script_headers(answer->text, "Via"), 1);
    script_answer(bob, invite, 200, NULL, "v=0\r\n");
    answer = script_expect(alice, 200);
    CU_ASSERT_STRING_EQUAL(script_body(answer->text), "v=0\r\n");
    script_dialog_caller(&caller, alice, answer);
    script_dialog_callee(&called, bob, invite);
    script_dialog_send(&caller, "ACK", NULL, NULL);
    script_expect_request(bob, "ACK");
    script_dialog_send(callee ? &called : &caller, "BYE", NULL, NULL);
    bye = script_expect_request(callee ? alice : bob, "BYE");
    CU_ASSERT_EQUAL(script_headers(bye->text, "Route"), 0);
    script_answer(callee ? alice : bob, bye, 200, NULL, NULL);
    script_expect(callee ? bob : alice, 200);
    CU_ASSERT(sip_phone_is_quiet(alice, peal_seconds(40)));
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(1)));
}

static void call_through_one_adapter(void)
{
    SipWorld *world = world_with(1);
    PealSipStatus status;

    call(world, 0, 0, false);
    peal_peer_sip_status(sip_world_peer(world, 0), &status);
    CU_ASSERT_EQUAL(status.transactions, 0);
    CU_ASSERT_EQUAL(status.calls, 0);
    CU_ASSERT_EQUAL(status.bindings, 1);
    sip_world_free(world);
}

static void call_through_one_adapter_that_the_callee_ends(void)
{
    SipWorld *world = world_with(1);

    call(world, 0, 0, true);
    sip_world_free(world);
}

static void call_through_two_adapters(void)
{
    SipWorld *world = world_with(3);

    call(world, 0, 2, false);
    sip_world_free(world);
}

static void call_through_two_adapters_that_the_callee_ends(void)
{
    SipWorld *world = world_with(3);

    call(world, 0, 2, true);
    sip_world_free(world);
}

PEAL_TEST_MAIN("core/proxy_call", PEAL_TEST(call_through_one_adapter),
               PEAL_TEST(call_through_one_adapter_that_the_callee_ends),
               PEAL_TEST(call_through_two_adapters),
               PEAL_TEST(call_through_two_adapters_that_the_callee_ends))
