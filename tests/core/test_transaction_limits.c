/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_transaction_limits.c - many transactions, the most there may be, and no memory. */
#include "core/tx_bench.h"
#include "peal_test.h"

static void transaction_beyond_the_limit_is_503_in_the_same_words_each_time(void)
{
    bench_setup();
    bench.config.transactions_max = 1;
    bench_come(&bench_options, PEAL_UDP, 0);
    for (int i = 0; i < 2; i++) {
        bench_come(&bench_invite, PEAL_UDP, 0);
    }
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 503 "));
    CU_ASSERT(sip_env_has(&bench.env, 0, "\r\nRetry-After: 10\r\n"));
    CU_ASSERT(sip_env_has(&bench.env, 0, ";tag="));
    CU_ASSERT_STRING_EQUAL(bench.env.sent[0].text.ptr, bench.env.sent[1].text.ptr);
    bench_come(&(BenchLine){"ACK", "z9hG4bKone", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    SipMessage message;
    char text[BENCH_TEXT_LEN];
    SipTx tx;
    bench_request(&bench_invite, text, &message);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, bench_there(PEAL_UDP), 0, &tx),
                    -PEAL_E_FULL);
    bench_finish();
}

static void transaction_at_the_limit_the_longest_answered_gives_way(void)
{
    char branch[16];

    bench_setup();
    bench.config.transactions_max = 3;
    for (unsigned i = 1; i <= 10; i++) {
        bench.env.now.ns += PEAL_NS_PER_MS;
        snprintf(branch, sizeof(branch), "z9hG4bK%u", i);
        bench_come_answered("REGISTER", branch, i);
        CU_ASSERT_EQUAL(bench.all.len, i < 3 ? i : 3);
        CU_ASSERT_EQUAL(bench.told.ended, i < 3 ? 0 : i - 3);
        CU_ASSERT_EQUAL(bench.told.arg, i <= 3 ? 0 : i - 3);
    }
    CU_ASSERT_EQUAL(bench.told.requests, 10);
    CU_ASSERT_EQUAL(bench.env.sent_len, 10);
    for (unsigned i = 8; i <= 10; i++) { /* these still absorb */
        snprintf(branch, sizeof(branch), "z9hG4bK%u", i);
        bench_come(&(BenchLine){"REGISTER", branch, NULL, NULL}, PEAL_UDP, 0);
        CU_ASSERT_EQUAL(bench.told.requests, 10);
        CU_ASSERT(sip_env_says(&bench.env, bench.env.sent_len - 1, "SIP/2.0 200 "));
    }
    bench_come_answered("REGISTER", "z9hG4bK7", 7); /* began again */
    CU_ASSERT_EQUAL(bench.told.requests, 11);
    CU_ASSERT_EQUAL(bench.told.arg, 8);
    bench_finish();
}

static void transaction_unanswered_never_gives_way(void)
{
    bench_setup();
    bench.config.transactions_max = 3;
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKlive", NULL, NULL}, PEAL_UDP, 0);
    SipTx live = bench.told.request_tx;
    bench_come(&(BenchLine){"INVITE", "z9hG4bKcall", NULL, NULL}, PEAL_UDP, 0);
    SipTx call = bench.told.request_tx;
    bench_come_answered("OPTIONS", "z9hG4bKone", 1);
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKtwo", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.arg, 1);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKthree", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    CU_ASSERT(sip_env_says(&bench.env, bench.env.sent_len - 1, "SIP/2.0 503 "));
    CU_ASSERT(sip_tx_is_live(&bench.all, live));
    CU_ASSERT(sip_tx_is_live(&bench.all, call));
    bench.told.request_tx = call; /* a refusal waits for its ACK: it is sent again */
    CU_ASSERT_EQUAL(bench_answer(486, "INVITE"), 0);
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKthree", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    bench_come(&(BenchLine){"ACK", "z9hG4bKcall", ";tag=here", NULL}, PEAL_UDP, 0);
    bench_come(&(BenchLine){"OPTIONS", "z9hG4bKthree", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 5);
    CU_ASSERT_EQUAL(bench.all.len, 3);
    bench_finish();
}

static void transaction_of_an_invite_gives_way_after_the_others(void)
{
    bench_setup();
    bench.config.transactions_max = 2;
    bench_come_answered("INVITE", "z9hG4bKcall", 1);
    bench.env.now.ns += PEAL_NS_PER_S;
    bench_come_answered("OPTIONS", "z9hG4bKone", 2);
    bench_come(&(BenchLine){"INFO", "z9hG4bKtwo", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.arg, 2);
    bench_come(&(BenchLine){"INFO", "z9hG4bKthree", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.arg, 1);
    bench_come(&(BenchLine){"INFO", "z9hG4bKfour", NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    bench_finish();
}

static void transaction_that_gave_way_to_a_request_ends_at_the_wake(void)
{
    char text[BENCH_TEXT_LEN];
    SipMessage message;
    SipTx tx;

    bench_setup();
    bench.config.transactions_max = 1;
    (void)bench_start("INVITE", PEAL_UDP);
    bench_respond(200, "INVITE");
    bench_request(&(BenchLine){"INFO", "z9hG4bKtwo", NULL, NULL}, text, &message);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, bench_there(PEAL_UDP), 43, &tx), 0);
    CU_ASSERT_EQUAL(bench.told.ended, 0); /* never from inside */
    CU_ASSERT_EQUAL(bench.all.deadline.ns, bench.env.now.ns);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, bench_there(PEAL_UDP), 44, &tx),
                    -PEAL_E_FULL);
    bench_run_to(0);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.arg, 42);
    CU_ASSERT_EQUAL(bench.all.len, 1);
    bench_respond(200, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    bench_finish();
}

static void transaction_without_memory_is_503(void)
{
    bench_setup();
    bench.env.plain.bytes_limit = 1;
    bench_come(&bench_options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 0);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 503 "));
    bench_finish();
}

static void transaction_without_memory_starts_nothing(void)
{
    char text[BENCH_TEXT_LEN];
    SipMessage message;
    SipTx tx;

    bench_request(&bench_invite, text, &message);
    for (size_t limit = 1; limit < 1024; limit += 16) {
        bench_setup();
        bench.env.plain.bytes_limit = limit;
        int error = sip_tx_request(&bench.all, &message, bench_there(PEAL_UDP), 0, &tx);
        CU_ASSERT(error == 0 || error == -PEAL_E_MEMORY);
        CU_ASSERT_EQUAL(bench.env.sent_len, error == 0 ? 1 : 0);
        CU_ASSERT_EQUAL(bench.all.len, error == 0 ? 1 : 0);
        bench_finish();
    }
}

static void transaction_of_many_is_found_and_ends_in_its_order(void)
{
    enum { MANY = 100000 };
    char text[BENCH_TEXT_LEN];
    SipMessage message;
    uint64_t state = 7;

    bench_setup();
    bench.env.deaf = true;
    bench.config.transactions_max = MANY;
    for (unsigned i = 0; i < MANY; i++) {
        char branch[32];
        SipTx tx;

        snprintf(branch, sizeof(branch), "z9hG4bK%u", i);
        bench_request(&(BenchLine){i % 2 != 0 ? "INVITE" : "INFO", branch, NULL, NULL}, text,
                      &message);
        bench.env.now.ns += (int64_t)(state % 1000);
        state = state * UINT64_C(6364136223846793005) + 1;
        CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, bench_there(PEAL_UDP), i, &tx), 0);
        CU_ASSERT(sip_tx_is_live(&bench.all, tx));
    }
    CU_ASSERT_EQUAL(bench.all.len, MANY);
    bench_run_to(100);
    for (unsigned i = 0; i < MANY; i += 2) {
        snprintf(text, sizeof(text),
                 "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%u\r\n"
                 "From: <sip:a@b>;tag=a1\r\nTo: <sip:c@d>;tag=x\r\nCall-ID: c1\r\nCSeq: 7 INFO\r\n"
                 "Content-Length: 0\r\n\r\n",
                 i);
        bench_scan(text, &message);
        sip_tx_receive(&bench.all, &message, bench_there(PEAL_UDP));
        CU_ASSERT_EQUAL(bench.told.arg, i);
    }
    CU_ASSERT_EQUAL(bench.told.responses, MANY / 2);
    bench_run_to(40000);
    CU_ASSERT_EQUAL(bench.told.failed, MANY / 2);
    CU_ASSERT_EQUAL(bench.env.sent_len, MANY / 2 + MANY / 2 * 7);
    bench_finish();
}

static void transaction_left_over_is_forgotten_without_a_word(void)
{
    bench_setup();
    (void)bench_start("INVITE", PEAL_UDP);
    bench_come(&bench_options, PEAL_UDP, 0);
    sip_transactions_fini(&bench.all);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    CU_ASSERT(sip_env_fini(&bench.env));
}

PEAL_TEST_MAIN("core/transaction_limits",
               PEAL_TEST(transaction_beyond_the_limit_is_503_in_the_same_words_each_time),
               PEAL_TEST(transaction_at_the_limit_the_longest_answered_gives_way),
               PEAL_TEST(transaction_unanswered_never_gives_way),
               PEAL_TEST(transaction_of_an_invite_gives_way_after_the_others),
               PEAL_TEST(transaction_that_gave_way_to_a_request_ends_at_the_wake),
               PEAL_TEST(transaction_without_memory_is_503),
               PEAL_TEST(transaction_without_memory_starts_nothing),
               PEAL_TEST(transaction_of_many_is_found_and_ends_in_its_order),
               PEAL_TEST(transaction_left_over_is_forgotten_without_a_word))
