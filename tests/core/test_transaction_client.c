/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_transaction_client.c - what was asked: RFC 3261 s.17.1 with RFC 6026, timer by timer. */
#include "core/tx_bench.h"
#include "peal_test.h"

static void transaction_invite_over_udp_is_sent_seven_times_and_fails_at_32_s(void)
{
    static const int64_t ms[] = {0, 500, 1500, 3500, 7500, 15500, 31500};

    bench_setup();
    SipTx tx = bench_start("INVITE", PEAL_UDP);
    bench_run_to(31999);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    CU_ASSERT(sip_tx_is_live(&bench.all, tx));
    bench_run_to(40000);
    bench_sent_at(ms, 7, "INVITE sip:bob@example.org SIP/2.0\r\n");
    CU_ASSERT_EQUAL(bench.told.failed, 1);
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bench.told.arg, 42);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    CU_ASSERT(!sip_tx_is_live(&bench.all, tx));
    bench_finish();
}

static void transaction_other_request_over_udp_is_sent_eleven_times_and_fails_at_32_s(void)
{
    static const int64_t ms[] = {0,     500,   1500,  3500,  7500, 11500,
                                 15500, 19500, 23500, 27500, 31500};

    bench_setup();
    (void)bench_start("REGISTER", PEAL_UDP);
    bench_run_to(40000);
    bench_sent_at(ms, 11, "REGISTER ");
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    bench_finish();
}

static void transaction_over_tcp_sends_once_and_fails_at_32_s(void)
{
    static const char *const methods[] = {"INVITE", "OPTIONS"};

    for (size_t i = 0; i < 2; i++) {
        bench_setup();
        (void)bench_start(methods[i], PEAL_TCP);
        bench_run_to(40000);
        CU_ASSERT_EQUAL(bench.env.sent_len, 1);
        CU_ASSERT_EQUAL(bench.told.failed, 1);
        CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
        bench_finish();
    }
}

static void transaction_invite_waits_without_end_after_a_provisional(void)
{
    bench_setup();
    SipTx tx = bench_start("INVITE", PEAL_UDP);
    bench_run_to(600);
    bench_respond(180, "INVITE");
    bench_run_to(1000000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_tx_is_live(&bench.all, tx));
    bench_respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    bench_finish();
}

static void transaction_other_request_repeats_every_t2_after_a_provisional(void)
{
    static const int64_t ms[] = {0, 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500};

    bench_setup();
    (void)bench_start("OPTIONS", PEAL_UDP);
    bench_run_to(100);
    bench_respond(100, "OPTIONS");
    bench_run_to(40000);
    bench_sent_at(ms, 9, "OPTIONS ");
    CU_ASSERT_EQUAL(bench.told.failed, 1);
    bench_finish();
}

static void transaction_refused_invite_is_acked_each_time_until_timer_d(void)
{
    bench_setup();
    (void)bench_start("INVITE", PEAL_UDP);
    bench_run_to(100);
    bench_respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 1, "ACK sip:bob@example.org SIP/2.0\r\n"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "branch=z9hG4bKone"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "tag=b486"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "CSeq: 7 ACK"));
    bench_respond(486, "INVITE");
    bench_run_to(32099);
    bench_respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 4);
    CU_ASSERT(sip_env_says(&bench.env, 3, "ACK "));
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    bench_run_to(32100);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    bench_respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.env.sent_len, 4);
    bench_finish();
}

static void transaction_over_tcp_ends_with_its_final_response(void)
{
    bench_setup();
    (void)bench_start("INVITE", PEAL_TCP);
    bench_respond(404, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT(sip_env_says(&bench.env, 1, "ACK "));
    (void)bench_start("BYE", PEAL_TCP);
    bench_respond(200, "BYE");
    CU_ASSERT_EQUAL(bench.told.ended, 2);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    bench_finish();
}

static void transaction_other_request_absorbs_responses_for_t4(void)
{
    bench_setup();
    (void)bench_start("BYE", PEAL_UDP);
    bench_respond(200, "BYE");
    bench_run_to(4999);
    bench_respond(200, "BYE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    bench_run_to(5000);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    bench_respond(200, "BYE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    bench_finish();
}

static void transaction_accepted_invite_passes_every_2xx_until_timer_m(void)
{
    bench_setup();
    (void)bench_start("INVITE", PEAL_TCP);
    bench_run_to(100);
    bench_respond(200, "INVITE");
    bench_run_to(32099);
    bench_respond(200, "INVITE");
    bench_respond(486, "INVITE"); /* too late to matter */
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    bench_run_to(32100);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    bench_respond(200, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    bench_finish();
}

static void transaction_cancel_waits_for_a_provisional(void)
{
    bench_setup();
    SipTx tx = bench_start("INVITE", PEAL_TCP);
    sip_tx_cancel(&bench.all, tx);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    bench_run_to(2000);
    bench_respond(180, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 1, "CANCEL sip:bob@example.org SIP/2.0\r\n"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "branch=z9hG4bKone"));
    sip_tx_cancel(&bench.all, tx);
    bench_respond(183, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    bench_respond(200, "CANCEL"); /* not its user's business */
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    bench_respond(487, "INVITE");
    CU_ASSERT_EQUAL(bench.told.last_status, 487);
    CU_ASSERT(sip_env_says(&bench.env, 2, "ACK "));
    bench_finish();
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
}

static void transaction_cancelled_invite_without_answer_fails_after_64_t1(void)
{
    bench_setup();
    SipTx tx = bench_start("INVITE", PEAL_UDP);
    bench_respond(180, "INVITE");
    bench_run_to(50000);
    sip_tx_cancel(&bench.all, tx);
    bench_run_to(81999);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    bench_run_to(82000);
    CU_ASSERT_EQUAL(bench.told.failed, 1);
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bench.env.sent_len, 12); /* INVITE, and CANCEL eleven times */
    bench_finish();
}

static void transaction_cancel_after_the_answer_does_nothing(void)
{
    bench_setup();
    SipTx tx = bench_start("INVITE", PEAL_UDP);
    bench_respond(200, "INVITE");
    sip_tx_cancel(&bench.all, tx);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    bench_finish();
}

static void transaction_responses_match_by_branch_and_method(void)
{
    bench_setup();
    (void)bench_start("OPTIONS", PEAL_UDP);
    bench_respond(200, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 0);
    bench_respond(200, "OPTIONS");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    bench_finish();
}

static void transaction_fails_when_the_world_says_so(void)
{
    static const PealTransport transports[] = {PEAL_UDP, PEAL_TCP};

    for (size_t i = 0; i < 2; i++) {
        bench_setup();
        (void)bench_start("INVITE", transports[i]);
        PealHop elsewhere = sip_env_hop(3, 5060, transports[i], 0);
        sip_tx_on_end(&bench.all, &elsewhere, -PEAL_E_REFUSED);
        bench_run_to(10);
        CU_ASSERT_EQUAL(bench.told.failed, 0);
        sip_tx_on_end(&bench.all, bench_there(transports[i]), -PEAL_E_REFUSED);
        CU_ASSERT_EQUAL(bench.told.failed, 0); /* never from inside */
        bench_run_to(10);
        CU_ASSERT_EQUAL(bench.told.failed, 1);
        CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_REFUSED);
        CU_ASSERT_EQUAL(bench.told.ended, 1);
        bench_finish();
    }
}

static void transaction_of_an_unknown_method_finds_its_response(void)
{
    bench_setup();
    SipTx tx = bench_start("NEWMETHOD", PEAL_UDP);
    bench_respond(200, "NEWMETHODS");
    CU_ASSERT_EQUAL(bench.told.responses, 0);
    bench_respond(200, "NEWMETHOD");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT(!sip_tx_is_live(&bench.all, tx));
    bench_finish();
}

static void transaction_hop_turns_to_tcp_above_1300_bytes(void)
{
    PealHop udp = sip_env_hop(2, 5060, PEAL_UDP, 0);
    PealHop tcp = sip_env_hop(2, 5060, PEAL_TCP, 4);

    CU_ASSERT_EQUAL(sip_hop_for_size(&udp, 1300).transport, PEAL_UDP);
    CU_ASSERT_EQUAL(sip_hop_for_size(&udp, 1301).transport, PEAL_TCP);
    CU_ASSERT_EQUAL(sip_hop_for_size(&udp, 1301).conn, 0);
    CU_ASSERT_EQUAL(sip_hop_for_size(&udp, 1301).addr.port, 5060);
    CU_ASSERT_EQUAL(sip_hop_for_size(&tcp, 9000).conn, 4);
}

PEAL_TEST_MAIN("core/transaction_client",
               PEAL_TEST(transaction_invite_over_udp_is_sent_seven_times_and_fails_at_32_s),
               PEAL_TEST(transaction_other_request_over_udp_is_sent_eleven_times_and_fails_at_32_s),
               PEAL_TEST(transaction_over_tcp_sends_once_and_fails_at_32_s),
               PEAL_TEST(transaction_invite_waits_without_end_after_a_provisional),
               PEAL_TEST(transaction_other_request_repeats_every_t2_after_a_provisional),
               PEAL_TEST(transaction_refused_invite_is_acked_each_time_until_timer_d),
               PEAL_TEST(transaction_over_tcp_ends_with_its_final_response),
               PEAL_TEST(transaction_other_request_absorbs_responses_for_t4),
               PEAL_TEST(transaction_accepted_invite_passes_every_2xx_until_timer_m),
               PEAL_TEST(transaction_cancel_waits_for_a_provisional),
               PEAL_TEST(transaction_cancelled_invite_without_answer_fails_after_64_t1),
               PEAL_TEST(transaction_cancel_after_the_answer_does_nothing),
               PEAL_TEST(transaction_responses_match_by_branch_and_method),
               PEAL_TEST(transaction_fails_when_the_world_says_so),
               PEAL_TEST(transaction_of_an_unknown_method_finds_its_response),
               PEAL_TEST(transaction_hop_turns_to_tcp_above_1300_bytes))
