/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_transaction.c - RFC 3261 s.17 with RFC 6026 and RFC 4320, timer by timer. */
#include "core/sip_env.h"
#include "peal_test.h"
#include "sip/arena.h"
#include "sip/transaction.h"

/* What the layer told its user. */
typedef struct Told {
    SipTx request_tx;
    SipTx matched;
    unsigned requests;
    unsigned acks;
    unsigned responses;
    unsigned last_status;
    unsigned failed;
    int error;
    unsigned ended;
    uint64_t arg;
    PealTime at;             /* of the last word */
    uint16_t answer_at_once; /* to each request, 0 for none */
} Told;

typedef struct Bench {
    SipEnv env;
    PealSipConfig config;
    SipTransactions all;
    Told told;
} Bench;

static Bench bench;

static void told_request(void *user, SipTx tx, const SipMessage *request, const PealHop *from,
                         SipTx matched)
{
    Bench *b = user;

    b->told.requests++;
    b->told.request_tx = tx;
    b->told.matched = matched;
    if (b->told.answer_at_once != 0) {
        SipAnswer answer = {.status = b->told.answer_at_once, .to_tag = sip_str("here")};

        CU_ASSERT_EQUAL(sip_tx_reply(&b->all, tx, request, from, &answer), 0);
    }
}

static void told_ack(void *user, const SipMessage *ack, const PealHop *from)
{
    (void)ack;
    (void)from;
    ((Bench *)user)->told.acks++;
}

static void told_response(void *user, SipTx tx, uint64_t arg, const SipMessage *response,
                          const PealHop *from)
{
    Bench *b = user;

    (void)tx;
    (void)from;
    b->told.responses++;
    b->told.last_status = response->status;
    b->told.arg = arg;
    b->told.at = b->env.now;
}

static void told_failed(void *user, SipTx tx, uint64_t arg, int error)
{
    Bench *b = user;

    (void)tx;
    b->told.failed++;
    b->told.error = error;
    b->told.arg = arg;
    b->told.at = b->env.now;
}

static void told_ended(void *user, SipTx tx, uint64_t arg, bool server)
{
    Bench *b = user;

    (void)tx;
    (void)server;
    b->told.ended++;
    b->told.arg = arg;
    b->told.at = b->env.now;
}

static const SipTransactionUser told_ops = {told_request, told_ack, told_response, told_failed,
                                            told_ended};

static void setup(void)
{
    sip_arena_setup();
    sip_env_init(&bench.env);
    peal_sip_defaults(&bench.config);
    memset(&bench.told, 0, sizeof(bench.told));
    sip_transactions_init(&bench.all, &bench.env.plain.env, &bench.config, &told_ops, &bench);
}

/* Moves the clock to `ms`, waking at each deadline on the way. */
static void run_to(int64_t ms)
{
    while (bench.all.deadline.ns <= ms * PEAL_NS_PER_MS) {
        if (bench.all.deadline.ns > bench.env.now.ns) {
            bench.env.now = bench.all.deadline;
        }
        sip_transactions_on_wake(&bench.all, bench.env.now);
    }
    bench.env.now = (PealTime){ms * PEAL_NS_PER_MS};
}

static void finish(void)
{
    run_to(100000000);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    CU_ASSERT_EQUAL(bench.env.plain.bytes, 0);
    CU_ASSERT_EQUAL(bench.all.deadline.ns, PEAL_TIME_NEVER.ns);
    sip_transactions_fini(&bench.all);
    CU_ASSERT(sip_env_fini(&bench.env));
}

static const PealHop *there(PealTransport transport)
{
    static PealHop hop;

    hop = sip_env_hop(2, 5060, transport, 0);
    return &hop;
}

typedef struct Line {
    const char *method;
    const char *branch;
    const char *to_tag; /* with its semicolon */
    const char *sent_by;
    const char *via_more;
} Line;

static const char *request_text(const Line *line, char *text, size_t cap)
{
    snprintf(text, cap,
             "%s sip:bob@example.org SIP/2.0\r\n"
             "Via: SIP/2.0/UDP %s%s%s%s\r\n"
             "Max-Forwards: 70\r\n"
             "From: <sip:alice@example.org>;tag=a1\r\n"
             "To: <sip:bob@example.org>%s\r\n"
             "Call-ID: c1@192.0.2.1\r\n"
             "CSeq: 7 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             line->method, line->sent_by != NULL ? line->sent_by : "192.0.2.1:5060",
             line->branch != NULL ? ";branch=" : "", line->branch != NULL ? line->branch : "",
             line->via_more != NULL ? line->via_more : "", line->to_tag != NULL ? line->to_tag : "",
             line->method);
    return text;
}

static void scan(const char *text, SipMessage *message)
{
    int error = sip_message_scan(sip_str(text), true, message);

    CU_ASSERT_EQUAL_FATAL(error, 0);
}

static SipTx start(const char *method, PealTransport transport)
{
    char text[1024];
    SipMessage message;
    SipTx tx = 0;

    scan(request_text(&(Line){method, "z9hG4bKone", NULL, NULL, NULL}, text, sizeof(text)),
         &message);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, there(transport), 42, &tx), 0);
    CU_ASSERT_NOT_EQUAL(tx, 0);
    return tx;
}

static void come(const Line *line, PealTransport transport, uint32_t conn)
{
    char text[1024];
    SipMessage message;
    PealHop from = sip_env_hop(1, 5060, transport, conn);

    scan(request_text(line, text, sizeof(text)), &message);
    sip_tx_receive(&bench.all, &message, &from);
}

static void respond(unsigned status, const char *method)
{
    char text[1024];
    SipMessage message;

    snprintf(text, sizeof(text),
             "SIP/2.0 %u Word\r\n"
             "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone\r\n"
             "From: <sip:alice@example.org>;tag=a1\r\n"
             "To: <sip:bob@example.org>;tag=b%u\r\n"
             "Call-ID: c1@192.0.2.1\r\n"
             "CSeq: 7 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             status, status, method);
    scan(text, &message);
    sip_tx_receive(&bench.all, &message, there(PEAL_UDP));
}

static int answer(uint16_t status, const char *method)
{
    char text[512];

    snprintf(text, sizeof(text),
             "SIP/2.0 %u Word\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone\r\n"
             "From: <sip:alice@example.org>;tag=a1\r\nTo: <sip:bob@example.org>;tag=here\r\n"
             "Call-ID: c1@192.0.2.1\r\nCSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
             status, method);
    return sip_tx_answer(&bench.all, bench.told.request_tx, status, sip_str(text));
}

static void sent_at(const int64_t *ms, size_t len, const char *start_line)
{
    CU_ASSERT_EQUAL(bench.env.sent_len, len);
    for (size_t i = 0; i < len; i++) {
        CU_ASSERT_EQUAL(sip_env_at_ms(&bench.env, i), ms[i]);
        CU_ASSERT_EQUAL(bench.env.sent[i].attempt, i + 1);
        CU_ASSERT(sip_env_says(&bench.env, i, start_line));
    }
}

static void transaction_invite_over_udp_is_sent_seven_times_and_fails_at_32_s(void)
{
    static const int64_t ms[] = {0, 500, 1500, 3500, 7500, 15500, 31500};

    setup();
    SipTx tx = start("INVITE", PEAL_UDP);
    run_to(31999);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    CU_ASSERT(sip_tx_is_live(&bench.all, tx));
    run_to(40000);
    sent_at(ms, 7, "INVITE sip:bob@example.org SIP/2.0\r\n");
    CU_ASSERT_EQUAL(bench.told.failed, 1);
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bench.told.arg, 42);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    CU_ASSERT(!sip_tx_is_live(&bench.all, tx));
    finish();
}

static void transaction_other_request_over_udp_is_sent_eleven_times_and_fails_at_32_s(void)
{
    static const int64_t ms[] = {0,     500,   1500,  3500,  7500, 11500,
                                 15500, 19500, 23500, 27500, 31500};

    setup();
    (void)start("REGISTER", PEAL_UDP);
    run_to(40000);
    sent_at(ms, 11, "REGISTER ");
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    finish();
}

static void transaction_over_tcp_sends_once_and_fails_at_32_s(void)
{
    static const char *const methods[] = {"INVITE", "OPTIONS"};

    for (size_t i = 0; i < 2; i++) {
        setup();
        (void)start(methods[i], PEAL_TCP);
        run_to(40000);
        CU_ASSERT_EQUAL(bench.env.sent_len, 1);
        CU_ASSERT_EQUAL(bench.told.failed, 1);
        CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
        finish();
    }
}

static void transaction_invite_waits_without_end_after_a_provisional(void)
{
    setup();
    SipTx tx = start("INVITE", PEAL_UDP);
    run_to(600);
    respond(180, "INVITE");
    run_to(1000000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_tx_is_live(&bench.all, tx));
    respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    finish();
}

static void transaction_other_request_repeats_every_t2_after_a_provisional(void)
{
    static const int64_t ms[] = {0, 500, 4500, 8500, 12500, 16500, 20500, 24500, 28500};

    setup();
    (void)start("OPTIONS", PEAL_UDP);
    run_to(100);
    respond(100, "OPTIONS");
    run_to(40000);
    sent_at(ms, 9, "OPTIONS ");
    CU_ASSERT_EQUAL(bench.told.failed, 1);
    finish();
}

static void transaction_refused_invite_is_acked_each_time_until_timer_d(void)
{
    setup();
    (void)start("INVITE", PEAL_UDP);
    run_to(100);
    respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 1, "ACK sip:bob@example.org SIP/2.0\r\n"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "branch=z9hG4bKone"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "tag=b486"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "CSeq: 7 ACK"));
    respond(486, "INVITE");
    run_to(32099);
    respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 4);
    CU_ASSERT(sip_env_says(&bench.env, 3, "ACK "));
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    run_to(32100);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    respond(486, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.env.sent_len, 4);
    finish();
}

static void transaction_over_tcp_ends_with_its_final_response(void)
{
    setup();
    (void)start("INVITE", PEAL_TCP);
    respond(404, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT(sip_env_says(&bench.env, 1, "ACK "));
    (void)start("BYE", PEAL_TCP);
    respond(200, "BYE");
    CU_ASSERT_EQUAL(bench.told.ended, 2);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    finish();
}

static void transaction_other_request_absorbs_responses_for_t4(void)
{
    setup();
    (void)start("BYE", PEAL_UDP);
    respond(200, "BYE");
    run_to(4999);
    respond(200, "BYE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    run_to(5000);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    respond(200, "BYE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    finish();
}

static void transaction_accepted_invite_passes_every_2xx_until_timer_m(void)
{
    setup();
    (void)start("INVITE", PEAL_TCP);
    run_to(100);
    respond(200, "INVITE");
    run_to(32099);
    respond(200, "INVITE");
    respond(486, "INVITE"); /* too late to matter */
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    run_to(32100);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    respond(200, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    finish();
}

static void transaction_cancel_waits_for_a_provisional(void)
{
    setup();
    SipTx tx = start("INVITE", PEAL_TCP);
    sip_tx_cancel(&bench.all, tx);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    run_to(2000);
    respond(180, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 1, "CANCEL sip:bob@example.org SIP/2.0\r\n"));
    CU_ASSERT(sip_env_has(&bench.env, 1, "branch=z9hG4bKone"));
    sip_tx_cancel(&bench.all, tx);
    respond(183, "INVITE");
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    respond(200, "CANCEL"); /* not its user's business */
    CU_ASSERT_EQUAL(bench.told.responses, 2);
    respond(487, "INVITE");
    CU_ASSERT_EQUAL(bench.told.last_status, 487);
    CU_ASSERT(sip_env_says(&bench.env, 2, "ACK "));
    finish();
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
}

static void transaction_cancelled_invite_without_answer_fails_after_64_t1(void)
{
    setup();
    SipTx tx = start("INVITE", PEAL_UDP);
    respond(180, "INVITE");
    run_to(50000);
    sip_tx_cancel(&bench.all, tx);
    run_to(81999);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    run_to(82000);
    CU_ASSERT_EQUAL(bench.told.failed, 1);
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_TIMEOUT);
    CU_ASSERT_EQUAL(bench.env.sent_len, 12); /* INVITE, and CANCEL eleven times */
    finish();
}

static void transaction_cancel_after_the_answer_does_nothing(void)
{
    setup();
    SipTx tx = start("INVITE", PEAL_UDP);
    respond(200, "INVITE");
    sip_tx_cancel(&bench.all, tx);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    finish();
}

static const Line invite = {"INVITE", "z9hG4bKone", NULL, NULL, NULL};
static const Line options = {"OPTIONS", "z9hG4bKone", NULL, NULL, NULL};

static void transaction_unanswered_invite_gets_100_after_200_ms(void)
{
    setup();
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    run_to(199);
    CU_ASSERT_EQUAL(bench.env.sent_len, 0);
    run_to(1000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(sip_env_at_ms(&bench.env, 0), 200);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 100 "));
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT(sip_env_says(&bench.env, 1, "SIP/2.0 100 "));
    CU_ASSERT_EQUAL(answer(180, "INVITE"), 0);
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 4);
    CU_ASSERT(sip_env_says(&bench.env, 3, "SIP/2.0 180 "));
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    CU_ASSERT_EQUAL(answer(500, "INVITE"), 0);
    finish();
}

static void transaction_answered_invite_gets_no_100(void)
{
    setup();
    bench.told.answer_at_once = 180;
    come(&invite, PEAL_UDP, 0);
    run_to(5000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 180 "));
    CU_ASSERT_EQUAL(answer(500, "INVITE"), 0);
    finish();
}

static void transaction_refusal_repeats_by_timer_g_until_h(void)
{
    static const int64_t ms[] = {0,     500,   1500,  3500,  7500, 11500,
                                 15500, 19500, 23500, 27500, 31500};

    setup();
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(answer(486, "INVITE"), 0);
    run_to(40000);
    sent_at(ms, 11, "SIP/2.0 486 ");
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(answer(486, "INVITE"), -PEAL_E_STATE);
    finish();
}

static void transaction_ack_stops_a_refusal_and_is_absorbed_for_t4(void)
{
    const Line ack = {"ACK", "z9hG4bKone", ";tag=here", NULL, NULL};

    setup();
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(answer(486, "INVITE"), 0);
    CU_ASSERT_EQUAL(answer(200, "INVITE"), -PEAL_E_STATE);
    run_to(600);
    come(&ack, PEAL_UDP, 0);
    come(&invite, PEAL_UDP, 0);
    run_to(5599);
    come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT_EQUAL(bench.told.acks, 0);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    run_to(5600);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    finish();
}

static void transaction_refusal_over_tcp_is_sent_once_and_ends_with_ack(void)
{
    const Line ack = {"ACK", "z9hG4bKone", ";tag=here", NULL, NULL};

    setup();
    come(&invite, PEAL_TCP, 9);
    CU_ASSERT_EQUAL(answer(486, "INVITE"), 0);
    run_to(20000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.conn, 9);
    come(&ack, PEAL_TCP, 9);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    finish();
}

static void transaction_accepted_invite_absorbs_it_and_passes_acks_until_timer_l(void)
{
    const Line ack = {"ACK", "z9hG4bKone", ";tag=here", NULL, NULL};

    setup();
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(answer(200, "INVITE"), 0);
    run_to(500);
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(answer(200, "INVITE"), 0); /* its user's retransmission */
    CU_ASSERT_EQUAL(answer(486, "INVITE"), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    run_to(31999);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    run_to(32000);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    finish();
}

static void transaction_final_answer_is_repeated_to_retransmissions_until_timer_j(void)
{
    setup();
    come(&options, PEAL_UDP, 0);
    come(&options, PEAL_UDP, 0); /* Trying: nothing to say yet */
    CU_ASSERT_EQUAL(bench.env.sent_len, 0);
    CU_ASSERT_EQUAL(answer(200, "OPTIONS"), 0);
    CU_ASSERT_EQUAL(answer(500, "OPTIONS"), -PEAL_E_STATE);
    run_to(31999);
    come(&options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 1, "SIP/2.0 200 "));
    run_to(32000);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    come(&options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 2);
    finish();
}

static void transaction_answered_over_tcp_ends_at_once(void)
{
    setup();
    bench.told.answer_at_once = 200;
    come(&options, PEAL_TCP, 9);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    finish();
}

static void transaction_other_request_without_answer_gets_100_but_no_408(void)
{
    setup();
    come(&options, PEAL_UDP, 0);
    run_to(60000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 100 "));
    CU_ASSERT_EQUAL(sip_env_at_ms(&bench.env, 0), 3500);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.at.ns, 32 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(answer(200, "OPTIONS"), -PEAL_E_STATE);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    finish();
}

static void transaction_requests_match_by_branch_sent_by_and_method(void)
{
    setup();
    come(&options, PEAL_UDP, 0);
    come(&(Line){"OPTIONS", "Z9HG4BKONE", NULL, "192.0.2.1", NULL}, PEAL_UDP, 0); /* the same */
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    come(&(Line){"OPTIONS", "z9hG4bKtwo", NULL, NULL, NULL}, PEAL_UDP, 0);
    come(&(Line){"OPTIONS", "z9hG4bKone", NULL, "192.0.2.3:5060", NULL}, PEAL_UDP, 0);
    come(&(Line){"OPTIONS", "z9hG4bKone", NULL, "192.0.2.1:5062", NULL}, PEAL_UDP, 0);
    come(&(Line){"INFO", "z9hG4bKone", NULL, NULL, NULL}, PEAL_UDP, 0);
    come(&(Line){"NEWMETHOD", "z9hG4bKone", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 6);
    come(&(Line){"NEWMETHOD", "z9hG4bKone", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 6);
    come(&(Line){"ACK", "z9hG4bKone", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    CU_ASSERT_EQUAL(bench.all.requests, 6);
    finish();
}

static void transaction_responses_match_by_branch_and_method(void)
{
    setup();
    (void)start("OPTIONS", PEAL_UDP);
    respond(200, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 0);
    respond(200, "OPTIONS");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    finish();
}

static void transaction_without_cookie_matches_by_the_older_rules(void)
{
    const Line old = {"INVITE", NULL, NULL, "192.0.2.1:5060", NULL};
    const Line old_branch = {"INVITE", "1", NULL, "192.0.2.1:5060", NULL};
    const Line ack = {"ACK", NULL, ";tag=here", "192.0.2.1:5060", NULL};
    const Line wrong_ack = {"ACK", NULL, ";tag=there", "192.0.2.1:5060", NULL};

    setup();
    bench.told.answer_at_once = 486;
    come(&old, PEAL_UDP, 0);
    come(&old, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    come(&(Line){"INVITE", NULL, ";tag=x", "192.0.2.1:5060", NULL}, PEAL_UDP, 0);
    come(&old_branch, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 3);
    come(&wrong_ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    come(&ack, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.acks, 1);
    finish();
}

static void transaction_cancel_names_the_invite_it_matches(void)
{
    setup();
    come(&invite, PEAL_UDP, 0);
    SipTx tx = bench.told.request_tx;
    come(&(Line){"CANCEL", "z9hG4bKone", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 2);
    CU_ASSERT_EQUAL(bench.told.matched, tx);
    CU_ASSERT_NOT_EQUAL(bench.told.request_tx, tx);
    come(&(Line){"CANCEL", "z9hG4bKother", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.matched, 0);
    bench.told.request_tx = tx;
    CU_ASSERT_EQUAL(answer(487, "INVITE"), 0);
    finish();
}

static void transaction_beyond_the_limit_is_503_in_the_same_words_each_time(void)
{
    setup();
    bench.config.transactions_max = 1;
    come(&options, PEAL_UDP, 0);
    for (int i = 0; i < 2; i++) {
        come(&invite, PEAL_UDP, 0);
    }
    CU_ASSERT_EQUAL(bench.told.requests, 1);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 503 "));
    CU_ASSERT(sip_env_has(&bench.env, 0, "\r\nRetry-After: 10\r\n"));
    CU_ASSERT(sip_env_has(&bench.env, 0, ";tag="));
    CU_ASSERT_STRING_EQUAL(bench.env.sent[0].text.ptr, bench.env.sent[1].text.ptr);
    come(&(Line){"ACK", "z9hG4bKone", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 2);
    SipMessage message;
    char text[1024];
    SipTx tx;
    scan(request_text(&invite, text, sizeof(text)), &message);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, there(PEAL_UDP), 0, &tx), -PEAL_E_FULL);
    finish();
}

/* The request of another branch, answered at once with 200 and named by its number. */
static void come_answered(const char *method, const char *branch, uint64_t arg)
{
    char text[1024];
    SipMessage message;

    come(&(Line){method, branch, NULL, NULL, NULL}, PEAL_UDP, 0);
    sip_tx_set_arg(&bench.all, bench.told.request_tx, arg);
    scan(request_text(&(Line){method, branch, NULL, NULL, NULL}, text, sizeof(text)), &message);
    CU_ASSERT_EQUAL(sip_tx_reply(&bench.all, bench.told.request_tx, &message, there(PEAL_UDP),
                                 &(SipAnswer){.status = 200}),
                    0);
}

static void transaction_at_the_limit_the_longest_answered_gives_way(void)
{
    char branch[16];

    setup();
    bench.config.transactions_max = 3;
    for (unsigned i = 1; i <= 10; i++) {
        bench.env.now.ns += PEAL_NS_PER_MS;
        snprintf(branch, sizeof(branch), "z9hG4bK%u", i);
        come_answered("REGISTER", branch, i);
        CU_ASSERT_EQUAL(bench.all.len, i < 3 ? i : 3);
        CU_ASSERT_EQUAL(bench.told.ended, i < 3 ? 0 : i - 3);
        CU_ASSERT_EQUAL(bench.told.arg, i <= 3 ? 0 : i - 3);
    }
    CU_ASSERT_EQUAL(bench.told.requests, 10);
    CU_ASSERT_EQUAL(bench.env.sent_len, 10);
    for (unsigned i = 8; i <= 10; i++) { /* these still absorb */
        snprintf(branch, sizeof(branch), "z9hG4bK%u", i);
        come(&(Line){"REGISTER", branch, NULL, NULL, NULL}, PEAL_UDP, 0);
        CU_ASSERT_EQUAL(bench.told.requests, 10);
        CU_ASSERT(sip_env_says(&bench.env, bench.env.sent_len - 1, "SIP/2.0 200 "));
    }
    come_answered("REGISTER", "z9hG4bK7", 7); /* began again */
    CU_ASSERT_EQUAL(bench.told.requests, 11);
    CU_ASSERT_EQUAL(bench.told.arg, 8);
    finish();
}

static void transaction_unanswered_never_gives_way(void)
{
    setup();
    bench.config.transactions_max = 3;
    come(&(Line){"OPTIONS", "z9hG4bKlive", NULL, NULL, NULL}, PEAL_UDP, 0);
    SipTx live = bench.told.request_tx;
    come(&(Line){"INVITE", "z9hG4bKcall", NULL, NULL, NULL}, PEAL_UDP, 0);
    SipTx call = bench.told.request_tx;
    come_answered("OPTIONS", "z9hG4bKone", 1);
    come(&(Line){"OPTIONS", "z9hG4bKtwo", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.arg, 1);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    come(&(Line){"OPTIONS", "z9hG4bKthree", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    CU_ASSERT(sip_env_says(&bench.env, bench.env.sent_len - 1, "SIP/2.0 503 "));
    CU_ASSERT(sip_tx_is_live(&bench.all, live));
    CU_ASSERT(sip_tx_is_live(&bench.all, call));
    bench.told.request_tx = call; /* a refusal waits for its ACK: it is sent again */
    CU_ASSERT_EQUAL(answer(486, "INVITE"), 0);
    come(&(Line){"OPTIONS", "z9hG4bKthree", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    come(&(Line){"ACK", "z9hG4bKcall", ";tag=here", NULL, NULL}, PEAL_UDP, 0);
    come(&(Line){"OPTIONS", "z9hG4bKthree", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 5);
    CU_ASSERT_EQUAL(bench.all.len, 3);
    finish();
}

static void transaction_of_an_invite_gives_way_after_the_others(void)
{
    setup();
    bench.config.transactions_max = 2;
    come_answered("INVITE", "z9hG4bKcall", 1);
    bench.env.now.ns += PEAL_NS_PER_S;
    come_answered("OPTIONS", "z9hG4bKone", 2);
    come(&(Line){"INFO", "z9hG4bKtwo", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.arg, 2);
    come(&(Line){"INFO", "z9hG4bKthree", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.arg, 1);
    come(&(Line){"INFO", "z9hG4bKfour", NULL, NULL, NULL}, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 4);
    finish();
}

static void transaction_that_gave_way_to_a_request_ends_at_the_wake(void)
{
    char text[1024];
    SipMessage message;
    SipTx tx;

    setup();
    bench.config.transactions_max = 1;
    (void)start("INVITE", PEAL_UDP);
    respond(200, "INVITE");
    scan(request_text(&(Line){"INFO", "z9hG4bKtwo", NULL, NULL, NULL}, text, sizeof(text)),
         &message);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, there(PEAL_UDP), 43, &tx), 0);
    CU_ASSERT_EQUAL(bench.told.ended, 0); /* never from inside */
    CU_ASSERT_EQUAL(bench.all.deadline.ns, bench.env.now.ns);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, there(PEAL_UDP), 44, &tx), -PEAL_E_FULL);
    run_to(0);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    CU_ASSERT_EQUAL(bench.told.arg, 42);
    CU_ASSERT_EQUAL(bench.all.len, 1);
    respond(200, "INVITE");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    finish();
}

static void transaction_without_memory_is_503(void)
{
    setup();
    bench.env.plain.bytes_limit = 1;
    come(&options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.told.requests, 0);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 503 "));
    finish();
}

static void transaction_fails_when_the_world_says_so(void)
{
    static const PealTransport transports[] = {PEAL_UDP, PEAL_TCP};

    for (size_t i = 0; i < 2; i++) {
        setup();
        (void)start("INVITE", transports[i]);
        PealHop elsewhere = sip_env_hop(3, 5060, transports[i], 0);
        sip_tx_on_end(&bench.all, &elsewhere, -PEAL_E_REFUSED);
        run_to(10);
        CU_ASSERT_EQUAL(bench.told.failed, 0);
        sip_tx_on_end(&bench.all, there(transports[i]), -PEAL_E_REFUSED);
        CU_ASSERT_EQUAL(bench.told.failed, 0); /* never from inside */
        run_to(10);
        CU_ASSERT_EQUAL(bench.told.failed, 1);
        CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_REFUSED);
        CU_ASSERT_EQUAL(bench.told.ended, 1);
        finish();
    }
}

static void transaction_of_a_closed_connection_is_answered_at_vias_address(void)
{
    PealHop closed = sip_env_hop(1, 40000, PEAL_TCP, 9);
    char text[1024];
    SipMessage message;

    setup();
    scan(request_text(&(Line){"INVITE", "z9hG4bKone", NULL, "192.0.2.1:5070", NULL}, text,
                      sizeof(text)),
         &message);
    sip_tx_receive(&bench.all, &message, &closed);
    sip_tx_on_end(&bench.all, &closed, 0);
    CU_ASSERT_EQUAL(answer(180, "INVITE"), 0);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.conn, 0);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.addr.port, 5070);
    CU_ASSERT_EQUAL(bench.env.sent[0].to.transport, PEAL_TCP);
    CU_ASSERT_EQUAL(answer(500, "INVITE"), 0);
    (void)start("OPTIONS", PEAL_TCP);
    sip_tx_on_end(&bench.all, there(PEAL_TCP), 0);
    run_to(1000);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    finish();
}

static void transaction_of_many_is_found_and_ends_in_its_order(void)
{
    enum { MANY = 100000 };
    char text[1024];
    SipMessage message;
    uint64_t state = 7;

    setup();
    bench.env.deaf = true;
    bench.config.transactions_max = MANY;
    for (unsigned i = 0; i < MANY; i++) {
        char branch[32];
        SipTx tx;

        snprintf(branch, sizeof(branch), "z9hG4bK%u", i);
        scan(request_text(&(Line){i % 2 != 0 ? "INVITE" : "INFO", branch, NULL, NULL, NULL}, text,
                          sizeof(text)),
             &message);
        bench.env.now.ns += (int64_t)(state % 1000);
        state = state * UINT64_C(6364136223846793005) + 1;
        CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, there(PEAL_UDP), i, &tx), 0);
        CU_ASSERT(sip_tx_is_live(&bench.all, tx));
    }
    CU_ASSERT_EQUAL(bench.all.len, MANY);
    run_to(100);
    for (unsigned i = 0; i < MANY; i += 2) {
        snprintf(text, sizeof(text),
                 "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%u\r\n"
                 "From: <sip:a@b>;tag=a1\r\nTo: <sip:c@d>;tag=x\r\nCall-ID: c1\r\nCSeq: 7 INFO\r\n"
                 "Content-Length: 0\r\n\r\n",
                 i);
        scan(text, &message);
        sip_tx_receive(&bench.all, &message, there(PEAL_UDP));
        CU_ASSERT_EQUAL(bench.told.arg, i);
    }
    CU_ASSERT_EQUAL(bench.told.responses, MANY / 2);
    run_to(40000);
    CU_ASSERT_EQUAL(bench.told.failed, MANY / 2);
    CU_ASSERT_EQUAL(bench.env.sent_len, MANY / 2 + MANY / 2 * 7);
    finish();
}

static void transaction_repeated_invite_gets_100_before_200_ms(void)
{
    setup();
    come(&invite, PEAL_UDP, 0);
    run_to(100);
    come(&invite, PEAL_UDP, 0);
    CU_ASSERT(sip_env_says(&bench.env, 0, "SIP/2.0 100 "));
    run_to(1000);
    CU_ASSERT_EQUAL(bench.env.sent_len, 1);
    CU_ASSERT_EQUAL(answer(500, "INVITE"), 0);
    finish();
}

static void transaction_provisional_to_other_request_is_repeated(void)
{
    setup();
    come(&options, PEAL_UDP, 0);
    run_to(4000);
    CU_ASSERT_EQUAL(answer(100, "OPTIONS"), 0);
    come(&options, PEAL_UDP, 0);
    CU_ASSERT_EQUAL(bench.env.sent_len, 3);
    CU_ASSERT(sip_env_says(&bench.env, 2, "SIP/2.0 100 "));
    finish();
}

static void transaction_of_an_unknown_method_finds_its_response(void)
{
    setup();
    SipTx tx = start("NEWMETHOD", PEAL_UDP);
    respond(200, "NEWMETHODS");
    CU_ASSERT_EQUAL(bench.told.responses, 0);
    respond(200, "NEWMETHOD");
    CU_ASSERT_EQUAL(bench.told.responses, 1);
    CU_ASSERT(!sip_tx_is_live(&bench.all, tx));
    finish();
}

static void transaction_answered_to_nobody_ends_when_the_world_says_so(void)
{
    PealHop there_too = sip_env_hop(1, 5060, PEAL_UDP, 0);

    setup();
    come(&options, PEAL_UDP, 0);
    sip_tx_on_end(&bench.all, &there_too, -PEAL_E_REFUSED); /* it may still be answered */
    run_to(10);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    CU_ASSERT_EQUAL(answer(200, "OPTIONS"), 0);
    sip_tx_on_end(&bench.all, &there_too, -PEAL_E_REFUSED);
    run_to(20);
    CU_ASSERT_EQUAL(bench.told.ended, 1);
    (void)start("OPTIONS", PEAL_UDP);
    sip_tx_on_end(&bench.all, there(PEAL_UDP), -PEAL_E_UNREACHABLE);
    run_to(30);
    CU_ASSERT_EQUAL(bench.told.error, -PEAL_E_UNREACHABLE);
    finish();
}

static void transaction_args_come_back(void)
{
    setup();
    come(&options, PEAL_UDP, 0);
    sip_tx_set_arg(&bench.all, bench.told.request_tx, 99);
    sip_tx_set_arg(&bench.all, 12345, 1); /* nobody's */
    CU_ASSERT_EQUAL(answer(200, "OPTIONS"), 0);
    run_to(40000);
    CU_ASSERT_EQUAL(bench.told.arg, 99);
    finish();
}

static void transaction_left_over_is_forgotten_without_a_word(void)
{
    setup();
    (void)start("INVITE", PEAL_UDP);
    come(&options, PEAL_UDP, 0);
    sip_transactions_fini(&bench.all);
    CU_ASSERT_EQUAL(bench.told.ended, 0);
    CU_ASSERT_EQUAL(bench.told.failed, 0);
    CU_ASSERT(sip_env_fini(&bench.env));
}

static void transaction_without_memory_starts_nothing(void)
{
    char text[1024];
    SipMessage message;
    SipTx tx;

    scan(request_text(&invite, text, sizeof(text)), &message);
    for (size_t limit = 1; limit < 1024; limit += 16) {
        setup();
        bench.env.plain.bytes_limit = limit;
        int error = sip_tx_request(&bench.all, &message, there(PEAL_UDP), 0, &tx);
        CU_ASSERT(error == 0 || error == -PEAL_E_MEMORY);
        CU_ASSERT_EQUAL(bench.env.sent_len, error == 0 ? 1 : 0);
        CU_ASSERT_EQUAL(bench.all.len, error == 0 ? 1 : 0);
        finish();
    }
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

PEAL_TEST_MAIN("core/transaction",
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
               PEAL_TEST(transaction_unanswered_invite_gets_100_after_200_ms),
               PEAL_TEST(transaction_answered_invite_gets_no_100),
               PEAL_TEST(transaction_refusal_repeats_by_timer_g_until_h),
               PEAL_TEST(transaction_ack_stops_a_refusal_and_is_absorbed_for_t4),
               PEAL_TEST(transaction_refusal_over_tcp_is_sent_once_and_ends_with_ack),
               PEAL_TEST(transaction_accepted_invite_absorbs_it_and_passes_acks_until_timer_l),
               PEAL_TEST(transaction_final_answer_is_repeated_to_retransmissions_until_timer_j),
               PEAL_TEST(transaction_answered_over_tcp_ends_at_once),
               PEAL_TEST(transaction_other_request_without_answer_gets_100_but_no_408),
               PEAL_TEST(transaction_requests_match_by_branch_sent_by_and_method),
               PEAL_TEST(transaction_responses_match_by_branch_and_method),
               PEAL_TEST(transaction_without_cookie_matches_by_the_older_rules),
               PEAL_TEST(transaction_cancel_names_the_invite_it_matches),
               PEAL_TEST(transaction_beyond_the_limit_is_503_in_the_same_words_each_time),
               PEAL_TEST(transaction_at_the_limit_the_longest_answered_gives_way),
               PEAL_TEST(transaction_unanswered_never_gives_way),
               PEAL_TEST(transaction_of_an_invite_gives_way_after_the_others),
               PEAL_TEST(transaction_that_gave_way_to_a_request_ends_at_the_wake),
               PEAL_TEST(transaction_without_memory_is_503),
               PEAL_TEST(transaction_fails_when_the_world_says_so),
               PEAL_TEST(transaction_of_a_closed_connection_is_answered_at_vias_address),
               PEAL_TEST(transaction_of_many_is_found_and_ends_in_its_order),
               PEAL_TEST(transaction_repeated_invite_gets_100_before_200_ms),
               PEAL_TEST(transaction_provisional_to_other_request_is_repeated),
               PEAL_TEST(transaction_of_an_unknown_method_finds_its_response),
               PEAL_TEST(transaction_answered_to_nobody_ends_when_the_world_says_so),
               PEAL_TEST(transaction_args_come_back),
               PEAL_TEST(transaction_left_over_is_forgotten_without_a_word),
               PEAL_TEST(transaction_without_memory_starts_nothing),
               PEAL_TEST(transaction_hop_turns_to_tcp_above_1300_bytes))
