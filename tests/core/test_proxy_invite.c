/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_proxy_invite.c - INVITE, ACK and CANCEL on their way through one adapter. */
#include "core/sip_script.h"
#include "peal_test.h"

static SipWorld *world;
static SipPhone *alice;
static SipPhone *bob;

static void begin(void)
{
    world = sip_world_new(17);
    sip_world_adapters(world, 1);
    alice = sip_phone(world, "192.0.2.1", 5060);
    bob = sip_phone(world, "192.0.2.2", 5060);
    script_register(bob, 0, "bob", NULL);
}

/* All is over in the end: no transaction and no context is left. */
static void end(void)
{
    PealSipStatus status;

    sip_world_run(world, peal_seconds(80));
    peal_peer_sip_status(sip_world_peer(world, 0), &status);
    CU_ASSERT_EQUAL(status.transactions, 0);
    CU_ASSERT_EQUAL(status.calls, 0);
    sip_world_free(world);
}

/* alice's INVITE comes to bob, and she has her 100. Returns what bob got. ret_invite: what alice
 * sent; may be NULL. */
static const SipReceived *call_bob(const char **ret_invite)
{
    const char *invite = script_invite(alice, 0, "alice", "bob");

    if (ret_invite != NULL) {
        *ret_invite = invite;
    }
    script_expect(alice, 100);
    return script_expect_request(bob, "INVITE");
}

static void bob_rings(const SipReceived *invite)
{
    script_answer(bob, invite, 180, NULL, NULL);
    script_expect(alice, 180);
}

/* The proxy acknowledges what bob says. */
static void bob_refuses(const SipReceived *invite, unsigned status, const char *headers)
{
    script_answer(bob, invite, status, headers, NULL);
    script_expect_request(bob, "ACK");
}

/* She acknowledges what she gets. */
static const SipReceived *alice_is_refused(const char *invite, unsigned status)
{
    const SipReceived *got = script_expect(alice, status);

    script_ack(alice, 0, invite, got->text);
    return got;
}

static void ask_bob(const char *method)
{
    script_request(alice, 0,
                   &(ScriptRequest){.method = method,
                                    .uri = "sip:bob@example.org",
                                    .from = "<sip:alice@example.org>;tag=a",
                                    .to = "<sip:bob@example.org>",
                                    .call_id = "m"});
}

/* Rows 12, 13. */

static void row_12_retransmitted_invite_is_absorbed(void)
{
    const char *invite;
    const SipReceived *got;

    begin();
    got = call_bob(&invite);
    bob_rings(got);
    sip_phone_send(alice, 0, invite);
    script_expect(alice, 180); /* the last answer again */
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(1)));
    bob_refuses(got, 486, NULL);
    alice_is_refused(invite, 486);
    end();
}

static void row_12_other_requests_get_no_100_at_once(void)
{
    const SipReceived *got;

    begin();
    ask_bob("MESSAGE");
    got = script_expect_request(bob, "MESSAGE");
    CU_ASSERT(sip_phone_is_quiet(alice, peal_seconds(1)));
    script_answer(bob, got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_13_ack_of_a_refusal_ends_at_the_proxy(void)
{
    const char *invite;
    const SipReceived *got;

    begin();
    got = call_bob(&invite);
    script_answer(bob, got, 486, NULL, NULL);
    got = script_expect_request(bob, "ACK"); /* the proxy's own */
    CU_ASSERT_EQUAL(script_headers(got->text, "Via"), 1);
    got = script_expect(alice, 486);
    script_expect(alice, 486); /* again while no ACK has come */
    script_ack(alice, 0, invite, got->text);
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(5)));
    CU_ASSERT(sip_phone_is_quiet(alice, peal_seconds(5)));
    end();
}

static void row_13_ack_of_a_success_goes_through(void)
{
    ScriptDialog dialog;
    const SipReceived *got;

    begin();
    got = call_bob(NULL);
    script_answer(bob, got, 200, NULL, NULL);
    script_dialog_caller(&dialog, alice, script_expect(alice, 200));
    script_dialog_send(&dialog, "ACK", NULL, "late offer");
    got = script_expect_request(bob, "ACK");
    CU_ASSERT_EQUAL(script_headers(got->text, "Via"), 2);
    CU_ASSERT_STRING_EQUAL(script_body(got->text), "late offer");
    CU_ASSERT(sip_phone_is_quiet(alice, peal_seconds(5)));
    end();
}

/* Row 14. */

static void row_14_late_and_repeated_2xx_are_forwarded(void)
{
    const SipReceived *invite;
    const SipReceived *first;
    const SipReceived *got;

    begin();
    SipPhone *desk = sip_phone(world, "192.0.2.3", 5060);

    script_register(desk, 0, "bob", NULL);
    invite = call_bob(NULL);
    first = script_expect_request(desk, "INVITE");
    script_answer(bob, invite, 200, NULL, NULL);
    script_expect(alice, 200);
    script_answer(bob, invite, 200, NULL, NULL); /* lost, it thinks */
    script_expect(alice, 200);
    script_answer(desk, first, 200, NULL, NULL); /* picked up at the same time */
    got = script_expect(alice, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(script_header(got->text, "To", 0), "phone2"));
    end();
}

/* RFC 6026 s.8.2: who forwards what nobody asked for can be used against others. */
static void row_14_stray_2xx_is_not_forwarded(void)
{
    const SipReceived *invite;

    begin();
    script_invite(alice, 0, "alice", "bob");
    invite = script_expect_request(bob, "INVITE");
    script_answer(bob, invite, 200, NULL, NULL);
    script_expect(alice, 100);
    script_expect(alice, 200);
    sip_world_run(world, peal_seconds(70)); /* the transaction is gone */
    script_answer(bob, invite, 200, NULL, NULL);
    CU_ASSERT_TRUE(sip_phone_is_quiet(alice, peal_seconds(1)));
    end();
}

/* Row 15. */

static void row_15_cancel_is_answered_at_once_and_ends_in_487(void)
{
    const char *invite;
    const SipReceived *ringing;
    const SipReceived *got;

    begin();
    ringing = call_bob(&invite);
    bob_rings(ringing);
    script_cancel(alice, 0, invite);
    got = script_expect(alice, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(script_header(got->text, "CSeq", 0), "CANCEL"));
    got = script_expect_request(bob, "CANCEL");
    CU_ASSERT_STRING_EQUAL(script_uri(got->text), script_uri(ringing->text));
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Via", 0),
                           script_header(ringing->text, "Via", 0));
    CU_ASSERT_EQUAL(script_headers(got->text, "Via"), 1);
    script_answer(bob, got, 200, NULL, NULL);
    bob_refuses(ringing, 487, NULL);
    alice_is_refused(invite, 487);
    end();
}

/* Some phones answer the INVITE with the header fields of the CANCEL, which has one Via. */
static void row_15_487_that_lacks_vias_ends_the_call_nevertheless(void)
{
    const char *invite;
    const SipReceived *got;

    begin();
    got = call_bob(&invite);
    bob_rings(got);
    script_cancel(alice, 0, invite);
    script_expect(alice, 200);
    got = script_expect_request(bob, "CANCEL");
    script_answer(bob, got, 200, NULL, NULL);
    memcpy(strstr(got->text, "CSeq: 1 CANCEL"), "CSeq: 1 INVITE", 14);
    bob_refuses(got, 487, NULL);
    alice_is_refused(invite, 487);
    end();
}

static void row_15_no_cancel_goes_out_before_a_provisional(void)
{
    const char *invite;
    const SipReceived *ringing;
    const SipReceived *got;

    begin();
    ringing = call_bob(&invite);
    script_cancel(alice, 0, invite);
    script_expect(alice, 200);
    got = script_expect_request(bob, "INVITE"); /* again, and no CANCEL */
    script_answer(bob, got, 100, NULL, NULL);
    script_expect_request(bob, "CANCEL");
    bob_refuses(ringing, 487, NULL);
    alice_is_refused(invite, 487);
    end();
}

static void row_15_cancel_while_the_overlay_is_asked_ends_in_487(void)
{
    const char *invite;

    begin();
    invite = script_invite(alice, 0, "alice", "nobody");
    script_cancel(alice, 0, invite);
    script_expect(alice, 100);
    script_expect(alice, 200);
    alice_is_refused(invite, 487);
    end();
}

static void row_15_cancel_that_matches_nothing_is_passed_on(void)
{
    const SipReceived *got;

    begin();
    script_request(alice, 0,
                   &(ScriptRequest){.method = "CANCEL",
                                    .uri = "sip:bob@example.org",
                                    .from = "<sip:alice@example.org>;tag=a",
                                    .to = "<sip:bob@example.org>",
                                    .call_id = "c",
                                    .contact = ""});
    got = script_expect_request(bob, "CANCEL");
    script_answer(bob, got, 481, NULL, NULL);
    script_expect(alice, 481);
    end();
}

/* Row 17. */

static void row_17_silent_phone_is_408_after_timer_b(void)
{
    const char *invite;

    begin();
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    CU_ASSERT(sip_phone_is_quiet(alice, peal_ms(31500)));
    alice_is_refused(invite, 408);
    end();
}

static void row_17_nobody_sends_408_to_another_request(void)
{
    const SipReceived *got;

    begin();
    ask_bob("OPTIONS");
    got = sip_phone_next(alice, peal_seconds(10));
    CU_ASSERT_PTR_NOT_NULL_FATAL(got);
    CU_ASSERT_EQUAL(script_status(got->text), 100); /* RFC 4320 s.4.1 */
    CU_ASSERT(sip_phone_is_quiet(alice, peal_seconds(60)));
    end();
}

/* Row 18. */

static void row_18_timer_c_cancels_a_phone_that_rings_for_ever(void)
{
    const char *invite;
    const SipReceived *ringing;
    const SipReceived *got;

    begin();
    ringing = call_bob(&invite);
    bob_rings(ringing);
    sip_world_run(world, peal_seconds(150));
    bob_rings(ringing); /* resets it */
    CU_ASSERT(sip_phone_is_quiet(bob, peal_seconds(180)));
    got = sip_phone_next(bob, peal_seconds(6));
    CU_ASSERT_FATAL(got != NULL && script_is(got->text, "CANCEL"));
    script_answer(bob, got, 200, NULL, NULL);
    bob_refuses(ringing, 487, NULL);
    alice_is_refused(invite, 408);
    end();
}

static void row_18_a_100_does_not_reset_timer_c(void)
{
    const SipReceived *ringing;
    const SipReceived *got;

    begin();
    ringing = call_bob(NULL);
    script_answer(bob, ringing, 100, NULL, NULL);
    sip_world_run(world, peal_seconds(100));
    script_answer(bob, ringing, 100, NULL, NULL);
    got = sip_phone_next(bob, peal_seconds(90));
    CU_ASSERT_FATAL(got != NULL && script_is(got->text, "CANCEL"));
    bob_refuses(ringing, 487, NULL);
    script_expect(alice, 408);
    end();
}

/* Row 19. */

static void row_19_redirection_is_passed(void)
{
    const char *invite;
    const SipReceived *got;

    begin();
    got = call_bob(&invite);
    bob_refuses(got, 302, "X-New: 1\r\n");
    got = alice_is_refused(invite, 302);
    CU_ASSERT_STRING_EQUAL(script_header(got->text, "Contact", 0), "<sip:phone@192.0.2.2:5060>");
    end();
}

static void row_19_lonely_503_becomes_500(void)
{
    const char *invite;
    const SipReceived *got;

    begin();
    got = call_bob(&invite);
    bob_refuses(got, 503, "Retry-After: 10\r\n");
    got = alice_is_refused(invite, 500);
    CU_ASSERT_PTR_NULL(script_header(got->text, "Retry-After", 0));
    end();
}

/* Its host refuses datagrams. */
static void unreachable_phone_is_408_at_once(void)
{
    const char *invite;

    begin();
    bob->refuses = true;
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    alice_is_refused(invite, 408);
    end();
}

static bool lose_what_adapters_say(void *user, const PealAddr *from, const PealAddr *to,
                                   const char *text, size_t len)
{
    (void)user;
    (void)to;
    (void)text;
    (void)len;
    return from->ip[0] == 10;
}

/* More than there is room for; a third of them is cancelled. Whatever was taken comes back. */
static void thousands_of_calls_at_once_end_without_a_trace(void)
{
    PealSipStatus status;
    uint64_t before;

    begin();
    sip_world_run(world, peal_seconds(80));
    before = world->mini->peers[0].allocated;
    world->config.transactions_max = 5000;
    world->lose = lose_what_adapters_say;
    for (unsigned i = 0; i < 3000; i++) {
        const char *invite = script_invite(alice, 0, "alice", "bob");

        sip_world_run(world, peal_ms(6));
        if (i % 3 == 0) {
            script_cancel(alice, 0, invite);
        }
    }
    peal_peer_sip_status(sip_world_peer(world, 0), &status);
    CU_ASSERT(status.transactions >= 4900 && status.transactions <= 7000);
    CU_ASSERT(status.calls > 1000);
    sip_world_run(world, peal_seconds(200));
    peal_peer_sip_status(sip_world_peer(world, 0), &status);
    CU_ASSERT_EQUAL(status.transactions, 0);
    CU_ASSERT_EQUAL(status.calls, 0);
    CU_ASSERT_EQUAL(world->mini->peers[0].allocated, before);
    world->lose = NULL;
    end();
}

PEAL_TEST_MAIN("core/proxy_invite", PEAL_TEST(row_12_retransmitted_invite_is_absorbed),
               PEAL_TEST(row_12_other_requests_get_no_100_at_once),
               PEAL_TEST(row_13_ack_of_a_refusal_ends_at_the_proxy),
               PEAL_TEST(row_13_ack_of_a_success_goes_through),
               PEAL_TEST(row_14_late_and_repeated_2xx_are_forwarded),
               PEAL_TEST(row_14_stray_2xx_is_not_forwarded),
               PEAL_TEST(row_15_cancel_is_answered_at_once_and_ends_in_487),
               PEAL_TEST(row_15_487_that_lacks_vias_ends_the_call_nevertheless),
               PEAL_TEST(row_15_no_cancel_goes_out_before_a_provisional),
               PEAL_TEST(row_15_cancel_while_the_overlay_is_asked_ends_in_487),
               PEAL_TEST(row_15_cancel_that_matches_nothing_is_passed_on),
               PEAL_TEST(row_17_silent_phone_is_408_after_timer_b),
               PEAL_TEST(row_17_nobody_sends_408_to_another_request),
               PEAL_TEST(row_18_timer_c_cancels_a_phone_that_rings_for_ever),
               PEAL_TEST(row_18_a_100_does_not_reset_timer_c),
               PEAL_TEST(row_19_redirection_is_passed), PEAL_TEST(row_19_lonely_503_becomes_500),
               PEAL_TEST(unreachable_phone_is_408_at_once),
               PEAL_TEST(thousands_of_calls_at_once_end_without_a_trace))
