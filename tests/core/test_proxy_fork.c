/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_proxy_fork.c - several phones of one user: at one adapter by q, and at several adapters. */
#include "core/sip_script.h"
#include "peal_test.h"

static SipWorld *world;
static SipPhone *alice;
static SipPhone *phones[4];

/* bob's phones at one adapter, each with the q of its Contact ("" for none). */
static void begin(size_t count, const char *const *q)
{
    world = sip_world_new(19);
    sip_world_adapters(world, 1);
    alice = sip_phone(world, "192.0.2.1", 5060);
    for (size_t i = 0; i < count; i++) {
        char ip[32];
        char contact[64];

        snprintf(ip, sizeof(ip), "192.0.2.%zu", 10 + i);
        phones[i] = sip_phone(world, ip, 5060);
        snprintf(contact, sizeof(contact), "<sip:bob@%s>%s", ip, q != NULL ? q[i] : "");
        script_register(phones[i], 0, "bob", contact);
    }
}

/* bob's phones at adapters 1, 2, ... of an overlay of `adapters`. */
static void begin_apart(uint32_t adapters, size_t count)
{
    world = sip_world_new(23);
    sip_world_adapters(world, adapters);
    alice = sip_phone(world, "192.0.2.1", 5060);
    for (size_t i = 0; i < count; i++) {
        char ip[32];

        snprintf(ip, sizeof(ip), "192.0.2.%zu", 10 + i);
        phones[i] = sip_phone(world, ip, 5060);
        script_register(phones[i], (uint32_t)(1 + i), "bob", NULL);
    }
}

static void end(void)
{
    sip_world_run(world, peal_seconds(80));
    for (uint32_t i = 0; i < world->mini->peers_len; i++) {
        if (world->mini->peers[i].alive) {
            PealSipStatus status;

            peal_peer_sip_status(sip_world_peer(world, i), &status);
            CU_ASSERT_EQUAL(status.transactions, 0);
            CU_ASSERT_EQUAL(status.calls, 0);
        }
    }
    sip_world_free(world);
}

static void refuse(SipPhone *phone, const SipReceived *invite, unsigned status, const char *headers)
{
    script_answer(phone, invite, status, headers, NULL);
    script_expect_request(phone, "ACK");
}

static void expect_final(const char *invite, unsigned status)
{
    script_ack(alice, 0, invite, script_expect(alice, status)->text);
}

static void row_16_equal_q_rings_in_parallel_and_the_first_success_wins(void)
{
    const SipReceived *got[2];

    begin(2, NULL);
    script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    for (size_t i = 0; i < 2; i++) {
        got[i] = script_expect_request(phones[i], "INVITE");
        script_answer(phones[i], got[i], 180, NULL, NULL);
        script_expect(alice, 180);
    }
    CU_ASSERT_STRING_NOT_EQUAL(script_header(got[0]->text, "Via", 0),
                               script_header(got[1]->text, "Via", 0));
    script_answer(phones[1], got[1], 200, NULL, NULL);
    script_expect(alice, 200);
    script_answer(phones[0], script_expect_request(phones[0], "CANCEL"), 200, NULL, NULL);
    refuse(phones[0], got[0], 487, NULL);
    CU_ASSERT(sip_phone_is_quiet(alice, peal_seconds(2)));
    end();
}

static void row_16_lower_q_rings_after_the_others_have_refused(void)
{
    static const char *const q[] = {";q=0.2", ";q=0.9", ";q=0.9"};
    const char *invite;
    const SipReceived *got[3];

    begin(3, q);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got[1] = script_expect_request(phones[1], "INVITE");
    got[2] = script_expect_request(phones[2], "INVITE");
    script_answer(phones[2], got[2], 180, NULL, NULL);
    script_expect(alice, 180);
    refuse(phones[1], got[1], 486, NULL);
    CU_ASSERT(sip_phone_is_quiet(phones[0], peal_seconds(2)));
    refuse(phones[2], got[2], 480, NULL);
    got[0] = script_expect_request(phones[0], "INVITE");
    CU_ASSERT(sip_phone_is_quiet(alice, peal_ms(100)));
    refuse(phones[0], got[0], 404, NULL);
    expect_final(invite, 486); /* what a phone says weighs more than that it is not there */
    end();
}

static void row_16_lower_q_rings_when_the_others_have_had_their_time(void)
{
    static const char *const q[] = {";q=0.2", ""};
    const SipReceived *got[2];

    begin(2, q);
    script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got[1] = script_expect_request(phones[1], "INVITE");
    script_answer(phones[1], got[1], 180, NULL, NULL);
    script_expect(alice, 180);
    CU_ASSERT(sip_phone_is_quiet(phones[0], peal_seconds(19)));
    got[0] = sip_phone_next(phones[0], peal_seconds(2));
    CU_ASSERT_FATAL(got[0] != NULL && script_is(got[0]->text, "INVITE"));
    script_answer(phones[1], script_expect_request(phones[1], "CANCEL"), 200, NULL, NULL);
    refuse(phones[1], got[1], 487, NULL);
    script_answer(phones[0], got[0], 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_16_best_response_is_of_the_lowest_class(void)
{
    const char *invite;
    const SipReceived *got[3];

    begin(3, NULL);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    for (size_t i = 0; i < 3; i++) {
        got[i] = script_expect_request(phones[i], "INVITE");
    }
    refuse(phones[0], got[0], 500, NULL);
    refuse(phones[1], got[1], 415, NULL);
    CU_ASSERT(sip_phone_is_quiet(alice, peal_ms(400)));
    refuse(phones[2], got[2], 486, NULL);
    expect_final(invite, 415);
    end();
}

static void row_16_6xx_is_held_until_the_others_are_cancelled(void)
{
    static const char *const q[] = {"", "", ";q=0.1"};
    const char *invite;
    const SipReceived *got[2];

    begin(3, q);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got[0] = script_expect_request(phones[0], "INVITE");
    got[1] = script_expect_request(phones[1], "INVITE");
    script_answer(phones[0], got[0], 180, NULL, NULL);
    script_expect(alice, 180);
    refuse(phones[1], got[1], 603, NULL);
    script_answer(phones[0], script_expect_request(phones[0], "CANCEL"), 200, NULL, NULL);
    CU_ASSERT(sip_phone_is_quiet(alice, peal_ms(400)));
    refuse(phones[0], got[0], 487, NULL);
    expect_final(invite, 603);
    CU_ASSERT(sip_phone_is_quiet(phones[2], peal_seconds(1)));
    end();
}

static void row_16_success_after_a_6xx_is_forwarded(void)
{
    const SipReceived *got[2];

    begin(2, NULL);
    script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got[0] = script_expect_request(phones[0], "INVITE");
    got[1] = script_expect_request(phones[1], "INVITE");
    refuse(phones[1], got[1], 603, NULL);
    script_answer(phones[0], got[0], 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void row_16_challenges_are_merged(void)
{
    const char *invite;
    const SipReceived *got[3];
    const SipReceived *answer;

    begin(3, NULL);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    for (size_t i = 0; i < 3; i++) {
        got[i] = script_expect_request(phones[i], "INVITE");
    }
    refuse(phones[0], got[0], 401, "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\"\r\n");
    refuse(phones[1], got[1], 486, NULL);
    refuse(phones[2], got[2], 407,
           "Proxy-Authenticate: Digest realm=\"b\", nonce=\"2\"\r\n"
           "Proxy-Authenticate: Digest realm=\"c\", nonce=\"3\"\r\n");
    answer = script_expect(alice, 401);
    CU_ASSERT_EQUAL(script_headers(answer->text, "WWW-Authenticate"), 1);
    CU_ASSERT_EQUAL(script_headers(answer->text, "Proxy-Authenticate"), 2);
    CU_ASSERT_STRING_EQUAL(script_header(answer->text, "Proxy-Authenticate", 1),
                           "Digest realm=\"c\", nonce=\"3\"");
    script_ack(alice, 0, invite, answer->text);
    end();
}

static void cancel_ends_all_forks_in_one_487(void)
{
    const char *invite;
    const SipReceived *got[2];

    begin(2, NULL);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    for (size_t i = 0; i < 2; i++) {
        got[i] = script_expect_request(phones[i], "INVITE");
        script_answer(phones[i], got[i], 180, NULL, NULL);
        script_expect(alice, 180);
    }
    script_cancel(alice, 0, invite);
    script_expect(alice, 200);
    for (size_t i = 0; i < 2; i++) {
        script_answer(phones[i], script_expect_request(phones[i], "CANCEL"), 200, NULL, NULL);
        refuse(phones[i], got[i], 487, NULL);
    }
    expect_final(invite, 487);
    CU_ASSERT(sip_phone_is_quiet(alice, peal_seconds(1)));
    end();
}

static void forks_are_bounded(void)
{
    begin(0, NULL);
    world->config.targets_max = 2;
    for (size_t i = 0; i < 4; i++) {
        char ip[32];

        snprintf(ip, sizeof(ip), "192.0.2.%zu", 10 + i);
        phones[i] = sip_phone(world, ip, 5060);
        script_register(phones[i], 0, "bob", NULL);
    }
    script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    script_expect_request(phones[0], "INVITE");
    script_expect_request(phones[1], "INVITE");
    CU_ASSERT(sip_phone_is_quiet(phones[2], peal_ms(100)));
    CU_ASSERT(sip_phone_is_quiet(phones[3], peal_ms(100)));
    end();
}

static const ScriptRequest message = {.method = "MESSAGE",
                                      .uri = "sip:bob@example.org",
                                      .from = "<sip:alice@example.org>;tag=a",
                                      .to = "<sip:bob@example.org>",
                                      .call_id = "m",
                                      .contact = ""};

/* RFC 5393. */
static void breadth_is_divided_among_the_forks(void)
{
    ScriptRequest request = message;
    unsigned sum = 0;

    begin(3, NULL);
    request.headers = "Max-Breadth: 9\r\n";
    script_request(alice, 0, &request);
    for (size_t i = 0; i < 3; i++) {
        const SipReceived *got = script_expect_request(phones[i], "MESSAGE");
        unsigned share = (unsigned)strtoul(script_header(got->text, "Max-Breadth", 0), NULL, 10);

        CU_ASSERT(share >= 2);
        CU_ASSERT_EQUAL(script_headers(got->text, "Max-Breadth"), 1);
        sum += share;
    }
    CU_ASSERT(sum <= 9);
    end();
}

static void forks_beyond_the_breadth_do_not_start(void)
{
    ScriptRequest request = message;

    begin(2, NULL);
    request.headers = "Max-Breadth: 1\r\n";
    script_request(alice, 0, &request);
    script_answer(phones[0], script_expect_request(phones[0], "MESSAGE"), 480, NULL, NULL);
    script_expect(alice, 480);
    CU_ASSERT(sip_phone_is_quiet(phones[1], peal_seconds(1)));
    end();
}

/* RFC 5626: a phone with two connections is one phone. */
static void second_flow_of_a_phone_is_for_when_the_first_fails(void)
{
    int conns[2];
    const SipReceived *got;

    begin(0, NULL);
    phones[0] = sip_phone(world, "192.0.2.10", 5060);
    for (int i = 0; i < 2; i++) {
        char contact[256];

        conns[i] = sip_phone_connect(phones[0], 0);
        snprintf(contact, sizeof(contact),
                 "<sip:bob@192.0.2.10;transport=tcp;line=%d>;reg-id=%d;"
                 "+sip.instance=\"<urn:uuid:00000000-0000-1000-8000-AABBCCDDEEFF>\"",
                 i, i + 1);
        script_request(phones[0], 0,
                       &(ScriptRequest){.method = "REGISTER",
                                        .uri = "sip:example.org",
                                        .from = "<sip:bob@example.org>;tag=r",
                                        .to = "<sip:bob@example.org>",
                                        .call_id = i == 0 ? "r0" : "r1",
                                        .contact = contact,
                                        .headers = "Supported: path, outbound\r\n",
                                        .conn = conns[i] + 1});
        script_expect(phones[0], 200);
    }
    script_request(alice, 0, &message);
    got = script_expect_request(phones[0], "MESSAGE");
    CU_ASSERT(sip_phone_is_quiet(phones[0], peal_ms(400)));
    script_answer(phones[0], got, 200, NULL, NULL);
    script_expect(alice, 200);
    world->conns[got->conn].open = false; /* nobody has noticed */
    script_request(alice, 0, &message);
    got = script_expect_request(phones[0], "MESSAGE");
    script_answer(phones[0], got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

/* Over the overlay. */

static void phones_at_three_adapters_all_ring(void)
{
    const SipReceived *got[3];
    ScriptDialog dialog;

    begin_apart(4, 3);
    script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    for (size_t i = 0; i < 3; i++) {
        got[i] = script_expect_request(phones[i], "INVITE");
        CU_ASSERT_EQUAL(script_headers(got[i]->text, "Via"), 3);
    }
    script_answer(phones[2], got[2], 180, NULL, NULL);
    script_expect(alice, 180);
    script_answer(phones[1], got[1], 200, NULL, NULL);
    script_dialog_caller(&dialog, alice, script_expect(alice, 200));
    script_dialog_send(&dialog, "ACK", NULL, NULL);
    script_expect_request(phones[1], "ACK");
    script_answer(phones[2], script_expect_request(phones[2], "CANCEL"), 200, NULL, NULL);
    refuse(phones[2], got[2], 487, NULL);
    /* The first has not said a word: its CANCEL waits for one. */
    script_answer(phones[0], got[0], 180, NULL, NULL);
    script_answer(phones[0], script_expect_request(phones[0], "CANCEL"), 200, NULL, NULL);
    refuse(phones[0], got[0], 487, NULL);
    end();
}

static void phones_here_and_there_ring_together(void)
{
    const SipReceived *here;
    const SipReceived *there;
    const char *invite;

    begin_apart(3, 1);
    phones[1] = sip_phone(world, "192.0.2.20", 5060);
    script_register(phones[1], 0, "bob", NULL);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    here = script_expect_request(phones[1], "INVITE");
    there = script_expect_request(phones[0], "INVITE");
    refuse(phones[1], here, 486, NULL);
    CU_ASSERT(sip_phone_is_quiet(alice, peal_ms(400)));
    refuse(phones[0], there, 603, NULL);
    expect_final(invite, 603);
    end();
}

static void row_9_loop_through_two_adapters_is_482(void)
{
    ScriptRequest request = message;

    begin_apart(3, 0);
    SipPhone *desk = sip_phone(world, "192.0.2.40", 5060);

    script_register(desk, 1, "bob", "<sip:carol@example.org>");
    script_register(desk, 2, "carol", "<sip:bob@example.org>");
    request.uri = "sip:bob@example.org";
    script_request(alice, 0, &request);
    script_expect(alice, 482);
    CU_ASSERT(world->messages < 40);
    end();
}

static void row_9_user_that_stands_for_one_at_another_adapter_is_followed(void)
{
    ScriptRequest request = message;

    begin_apart(3, 1);
    SipPhone *desk = sip_phone(world, "192.0.2.40", 5060);

    script_register(desk, 2, "sales", "<sip:bob@example.org>");
    request.uri = "sip:sales@example.org";
    script_request(alice, 0, &request);
    script_answer(phones[0], script_expect_request(phones[0], "MESSAGE"), 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

/* Nobody has told the adapters that one of them is gone. */
static void dead_adapter_does_not_delay_the_others(void)
{
    const SipReceived *got;

    begin_apart(5, 2);
    mini_kill(&world->mini->peers[1]);
    script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got = sip_phone_next(phones[1], peal_seconds(5)); /* a Fetch may go by the dead peer first */
    CU_ASSERT_FATAL(got != NULL && script_is(got->text, "INVITE"));
    script_answer(phones[1], got, 200, NULL, NULL);
    script_expect(alice, 200);
    end();
}

static void dead_adapter_is_waited_for_two_seconds_when_all_others_refuse(void)
{
    const SipReceived *got;
    const char *invite;
    PealTime refused;

    begin_apart(5, 2);
    mini_kill(&world->mini->peers[1]);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got = sip_phone_next(phones[1], peal_seconds(5));
    CU_ASSERT_FATAL(got != NULL && script_is(got->text, "INVITE"));
    refuse(phones[1], got, 486, NULL);
    refused = world->mini->now;
    got = sip_phone_next(alice, peal_seconds(3));
    CU_ASSERT_FATAL(got != NULL && script_status(got->text) == 486);
    CU_ASSERT(peal_time_since(world->mini->now, refused).ns <= peal_ms(2100).ns);
    script_ack(alice, 0, invite, got->text);
    end();
}

static void row_17_silent_phone_of_another_adapter_is_408(void)
{
    const SipReceived *got;
    const char *invite;

    begin_apart(5, 1);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got = sip_phone_next(alice, peal_seconds(34));
    CU_ASSERT_FATAL(got != NULL && script_status(got->text) == 408);
    script_ack(alice, 0, invite, got->text);
    end();
}

static void user_of_a_dead_adapter_is_480(void)
{
    const SipReceived *got;
    const char *invite;

    begin_apart(5, 1);
    mini_kill(&world->mini->peers[1]);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got = sip_phone_next(alice, peal_seconds(12)); /* the Fetch may have gone by the dead peer */
    CU_ASSERT_FATAL(got != NULL && script_status(got->text) == 480);
    script_ack(alice, 0, invite, got->text);
    end();
}

/* SIP went along the entry before, so that the first sign is silence. */
static void adapter_that_dies_after_a_call_is_480_within_seconds(void)
{
    const SipReceived *got;
    const char *invite;

    begin_apart(3, 1);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    refuse(phones[0], script_expect_request(phones[0], "INVITE"), 486, NULL);
    expect_final(invite, 486);
    mini_kill(&world->mini->peers[1]);
    invite = script_invite(alice, 0, "alice", "bob");
    script_expect(alice, 100);
    got = sip_phone_next(alice, peal_seconds(25));
    CU_ASSERT_FATAL(got != NULL && script_status(got->text) == 480);
    script_ack(alice, 0, invite, got->text);
    end();
}

PEAL_TEST_MAIN("core/proxy_fork",
               PEAL_TEST(row_16_equal_q_rings_in_parallel_and_the_first_success_wins),
               PEAL_TEST(row_16_lower_q_rings_after_the_others_have_refused),
               PEAL_TEST(row_16_lower_q_rings_when_the_others_have_had_their_time),
               PEAL_TEST(row_16_best_response_is_of_the_lowest_class),
               PEAL_TEST(row_16_6xx_is_held_until_the_others_are_cancelled),
               PEAL_TEST(row_16_success_after_a_6xx_is_forwarded),
               PEAL_TEST(row_16_challenges_are_merged), PEAL_TEST(cancel_ends_all_forks_in_one_487),
               PEAL_TEST(forks_are_bounded), PEAL_TEST(breadth_is_divided_among_the_forks),
               PEAL_TEST(forks_beyond_the_breadth_do_not_start),
               PEAL_TEST(second_flow_of_a_phone_is_for_when_the_first_fails),
               PEAL_TEST(phones_at_three_adapters_all_ring),
               PEAL_TEST(phones_here_and_there_ring_together),
               PEAL_TEST(row_9_loop_through_two_adapters_is_482),
               PEAL_TEST(row_9_user_that_stands_for_one_at_another_adapter_is_followed),
               PEAL_TEST(dead_adapter_does_not_delay_the_others),
               PEAL_TEST(dead_adapter_is_waited_for_two_seconds_when_all_others_refuse),
               PEAL_TEST(row_17_silent_phone_of_another_adapter_is_408),
               PEAL_TEST(user_of_a_dead_adapter_is_480),
               PEAL_TEST(adapter_that_dies_after_a_call_is_480_within_seconds))
