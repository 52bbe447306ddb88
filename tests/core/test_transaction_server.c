/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_transaction_server.c - what came in: RFC 3261 s.17.2 with RFC 6026 and RFC 4320, timer by
 * timer. */
#include "core/tx_bench.h"
#include "peal_test.h"

static void transaction_unanswered_invite_gets_100_after_200_ms(void)
{
    bench_setup();
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    bench_run_to(199);
    CU_ASSERT_EQUAL(bench.env.sent_len, 0);
    bench_run_to(1000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(sip_env_at_ms(&bench.env, 0), 200);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 100 "));
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT(sip_env_says(&bench.env, 1, "SIP/2.0 100 "));
    CU_ASSERT_EQUAL(bench_answer(180, "INVITE"), 0);
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 4);
    CU_ASSERT(sip_env_says(&bench.env, 3, "SIP/2.0 180 "));
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    CU_ASSERT_EQUAL(bench_answer(500, "INVITE"), 0);
    bench_finish();
}

static void transaction_repeated_invite_gets_100_before_200_ms(void)
{
    bench_setup();
    bench_come(&bench_invite, PEAL_UDP, 0);
    bench_run_to(100);
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 100 "));
    bench_run_to(1000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(bench_answer(500, "INVITE"), 0);
    bench_finish();
}

static void transaction_answered_invite_gets_no_100(void)
{
    bench_setup();
    bench.told.answer_at_once = 180;
    bench_come(&bench_invite, PEAL_UDP, 0);
    bench_run_to(5000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 180 "));
    CU_ASSERT_EQUAL(bench_answer(500, "INVITE"), 0);
    bench_finish();
}

static void transaction_refusal_repeats_by_timer_g_until_h(void)
{
    static const int64_t ms[] = {0,     500,   1500,  3500,  7500, 11500,
                                 15500, 19500, 23500, 27500, 31500};

    bench_setup();
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench_answer(486, "INVITE"), 0);
    bench_run_to(40000);
    bench_sent_at(ms, 11, "SIP/2.0 486 ");
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench_answer(486, "INVITE"), -PEAL_E_STATE);
    bench_finish();
}

static void transaction_ack_stops_a_refusal_and_is_absorbed_for_t4(void)
{
    const BenchLine ack = {"ACK", "z9hG4bKone", ";tag=here", NULL};

    bench_setup();
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench_answer(486, "INVITE"), 0);
    CU_ASSERT_EQUAL(bench_answer(200, "INVITE"), -PEAL_E_STATE);
    bench_run_to(600);
    bench_come(&ack, PEAL_UDP, 0);
    bench_come(&bench_invite, PEAL_UDP, 0);
    bench_run_to(5599);
    bench_come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT_EQUAL(bench.told.acks, 0);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    bench_run_to(5600);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    bench_come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    bench_finish();
}

static void transaction_refusal_over_tcp_is_sent_once_and_ends_with_ack(void)
{
    const BenchLine ack = {"ACK", "z9hG4bKone", ";tag=here", NULL};

    bench_setup();
    bench_come(&bench_invite, PEAL_TCP, 9);
    CU_ASSERT_EQUAL(bench_answer(486, "INVITE"), 0);
    bench_run_to(20000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.conn, 9);
    bench_come(&ack, PEAL_TCP, 9);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    bench_finish();
}

static void transaction_accepted_invite_absorbs_it_and_passes_acks_until_timer_l(void)
{
    const BenchLine ack = {"ACK", "z9hG4bKone", ";tag=here", NULL};

    bench_setup();
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench_answer(200, "INVITE"), 0);
    bench_run_to(500);
    bench_come(&bench_invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(bench_answer(200, "INVITE"), 0); /* its user's retransmission */
    CU_ASSERT_EQUAL(bench_answer(486, "INVITE"), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    bench_come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    bench_run_to(31999);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    bench_run_to(32000);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    bench_finish();
}

static void transaction_provisional_to_other_request_is_repeated(void)
{
    bench_setup();
    bench_come(&bench_options, PEAL_UDP, 0);
    bench_run_to(4000);
    CU_ASSERT_EQUAL(bench_answer(100, "OPTIONS"), 0);
    bench_come(&bench_options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 3);
    CU_ASSERT(sip_env_says(&bench.env, 2, "SIP/2.0 100 "));
    bench_finish();
}

static void transaction_final_answer_is_repeated_to_retransmissions_until_timer_j(void)
{
    bench_setup();
    bench_come(&bench_options, PEAL_UDP, 0);
    bench_come(&bench_options, PEAL_UDP, 0); /* Trying: nothing to say yet */
    CU_ASSERT_EQUAL(bench.env.sent_len, 0);
    CU_ASSERT_EQUAL(bench_answer(200, "OPTIONS"), 0);
    CU_ASSERT_EQUAL(bench_answer(500, "OPTIONS"), -PEAL_E_STATE);
    bench_run_to(31999);
    bench_come(&bench_options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 1, "SIP/2.0 200 "));
    bench_run_to(32000);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    bench_come(&bench_options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 2);
    bench_finish();
}

static void transaction_answered_over_tcp_ends_at_once(void)
{
    bench_setup();
    bench.told.answer_at_once = 200;
    bench_come(&bench_options, PEAL_TCP, 9);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    bench_finish();
}

static void transaction_other_request_without_answer_gets_100_but_no_408(void)
{
    bench_setup();
    bench_come(&bench_options, PEAL_UDP, 0);
    bench_run_to(60000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 100 "));
    CU_ASSERT_EQUAL(sip_env_at_ms(&bench.env, 0), 3500);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(bench_answer(200, "OPTIONS"), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    bench_finish();
}

static void transaction_requests_match_by_branch_sent_by_and_method(void)
{
    bench_setup();
    bench_come(&bench_options, PEAL_UDP, 0);
    bench_come(&(BenchLine){"OPTIONS", "Z9HG4BKONE", NULL, "192.0.2.1"}, PEAL_UDP,
               0); /* the same */
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKtwo", NULL, NULL}, PEAL_UDP, 0);
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKone", NULL, "192.0.2.3:5060"}, PEAL_UDP, 0);
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKone", NULL, "192.0.2.1:5062"}, PEAL_UDP, 0);
    bench_come(&(BenchLine){"INFO", "z9hG4bKone", NULL, NULL}, PEAL_UDP, 0);
    bench_come(&(BenchLine){"NEWMETHOD", "z9hG4bKone", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 6);
    bench_come(&(BenchLine){"NEWMETHOD", "z9hG4bKone", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 6);
    bench_come(&(BenchLine){"ACK", "z9hG4bKone", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    CU_ASSERT_EQUAL(bench.all.requests, 6);
    bench_finish();
}

static void transaction_without_cookie_matches_by_the_older_rules(void)
{
    const BenchLine old = {"INVITE", NULL, NULL, "192.0.2.1:5060"};
    const BenchLine old_branch = {"INVITE", "1", NULL, "192.0.2.1:5060"};
    const BenchLine ack = {"ACK", NULL, ";tag=here", "192.0.2.1:5060"};
    const BenchLine wrong_ack = {"ACK", NULL, ";tag=there", "192.0.2.1:5060"};

    bench_setup();
    bench.told.answer_at_once = 486;
    bench_come(&old, PEAL_UDP, 0);
    bench_come(&old, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    bench_come(&(BenchLine){"INVITE", NULL, ";tag=x", "192.0.2.1:5060"}, PEAL_UDP, 0);
    bench_come(&old_branch, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 3);
    bench_come(&wrong_ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    bench_come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    bench_finish();
}

static void transaction_cancel_names_the_invite_it_matches(void)
{
    bench_setup();
    bench_come(&bench_invite, PEAL_UDP, 0);
    SipTx tx = bench.told.request_tx;
    bench_come(&(BenchLine){"CANCEL", "z9hG4bKone", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 2);
    CU_ASSERT_EQUAL(bench.told.matched, tx);
    CU_ASSERT_NOT_EQUAL(bench.told.request_tx, tx);
    bench_come(&(BenchLine){"CANCEL", "z9hG4bKother", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.matched, 0);
    bench.told.request_tx = tx;
    CU_ASSERT_EQUAL(bench_answer(487, "INVITE"), 0);
    bench_finish();
}

static void transaction_of_a_closed_connection_is_answered_at_vias_address(void)
{
    PealHop closed = sip_env_hop(1, 40000, PEAL_TCP, 9);
    char text[BENCH_TEXT_LEN];
    SipMessage message;

    bench_setup();
    bench_request(&(BenchLine){"INVITE", "z9hG4bKone", NULL, "192.0.2.1:5070"}, text, &message);
    sip_tx_receive(&bench.all, &message, &closed);
    sip_tx_on_end(&bench.all, &closed, 0);
    CU_ASSERT_EQUAL(bench_answer(180, "INVITE"), 0);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.conn, 0);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.addr.port, 5070);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.transport, PEAL_TCP);
    CU_ASSERT_EQUAL(bench_answer(500, "INVITE"), 0);
    (void)bench_start("OPTIONS", PEAL_TCP);
    sip_tx_on_end(&bench.all, bench_there(PEAL_TCP), 0);
    bench_run_to(1000);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    bench_finish();
}

static void transaction_answered_to_nobody_ends_when_the_world_says_so(void)
{
    PealHop there_too = sip_env_hop(1, 5060, PEAL_UDP, 0);

    bench_setup();
    bench_come(&bench_options, PEAL_UDP, 0);
    sip_tx_on_end(&bench.all, &there_too, -PEAL_E_REFUSED); /* it may still be answered */
    bench_run_to(10);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    CU_ASSERT_EQUAL(bench_answer(200, "OPTIONS"), 0);
    sip_tx_on_end(&bench.all, &there_too, -PEAL_E_REFUSED);
    bench_run_to(20);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    (void)bench_start("OPTIONS", PEAL_UDP);
    sip_tx_on_end(&bench.all, bench_there(PEAL_UDP), -PEAL_E_UNREACHABLE);
    bench_run_to(30);
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_UNREACHABLE);
    bench_finish();
}

static void transaction_args_come_back(void)
{
    bench_setup();
    bench_come(&bench_options, PEAL_UDP, 0);
    sip_tx_set_arg(&bench.all, bench.told.request_tx, 99);
    sip_tx_set_arg(&bench.all, 12345, 1); /* nobody's */
    CU_ASSERT_EQUAL(bench_answer(200, "OPTIONS"), 0);
    bench_run_to(40000);
    CU_ASSERT_EQUAL(bench.told.arg, 99);
    bench_finish();
}

PEAL_TEST_MAIN("core/transaction_server",
               PEAL_TEST(transaction_unanswered_invite_gets_100_after_200_ms),
               PEAL_TEST(transaction_repeated_invite_gets_100_before_200_ms),
               PEAL_TEST(transaction_answered_invite_gets_no_100),
               PEAL_TEST(transaction_refusal_repeats_by_timer_g_until_h),
               PEAL_TEST(transaction_ack_stops_a_refusal_and_is_absorbed_for_t4),
               PEAL_TEST(transaction_refusal_over_tcp_is_sent_once_and_ends_with_ack),
               PEAL_TEST(transaction_accepted_invite_absorbs_it_and_passes_acks_until_timer_l),
               PEAL_TEST(transaction_provisional_to_other_request_is_repeated),
               PEAL_TEST(transaction_final_answer_is_repeated_to_retransmissions_until_timer_j),
               PEAL_TEST(transaction_answered_over_tcp_ends_at_once),
               PEAL_TEST(transaction_other_request_without_answer_gets_100_but_no_408),
               PEAL_TEST(transaction_requests_match_by_branch_sent_by_and_method),
               PEAL_TEST(transaction_without_cookie_matches_by_the_older_rules),
               PEAL_TEST(transaction_cancel_names_the_invite_it_matches),
               PEAL_TEST(transaction_of_a_closed_connection_is_answered_at_vias_address),
               PEAL_TEST(transaction_answered_to_nobody_ends_when_the_world_says_so),
               PEAL_TEST(transaction_args_come_back))
