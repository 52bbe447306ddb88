/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tx_bench.c - see tx_bench.h. */
#include "core/tx_bench.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "sip/arena.h"

TxBench bench;

const BenchLine bench_invite = {"INVITE", "z9hG4bKone", NULL, NULL};
const BenchLine bench_options = {"OPTIONS", "z9hG4bKone", NULL, NULL};

static void told_request(void *user, SipTx tx, const SipMessage *request, const PealHop *from,
                         SipTx matched)
{
    TxBench *b = user;

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
    ((TxBench *)user)->told.acks++;
}

static void told_response(void *user, SipTx tx, uint64_t arg, const SipMessage *response,
                          const PealHop *from)
{
    TxBench *b = user;

    (void)tx;
    (void)from;
    b->told.responses++;
    b->told.last_status = response->status;
    b->told.arg = arg;
    b->told.at = b->env.now;
}

static void told_failed(void *user, SipTx tx, uint64_t arg, int error)
{
    TxBench *b = user;

    (void)tx;
    b->told.failed++;
    b->told.error = error;
    b->told.arg = arg;
    b->told.at = b->env.now;
}

static void told_ended(void *user, SipTx tx, uint64_t arg, bool server)
{
    TxBench *b = user;

    (void)tx;
    (void)server;
    b->told.ended++;
    b->told.arg = arg;
    b->told.at = b->env.now;
}

static const SipTransactionUser told_ops = {told_request, told_ack, told_response, told_failed,
                                            told_ended};

void bench_setup(void)
{
    sip_arena_setup();
    sip_env_init(&bench.env);
    peal_sip_defaults(&bench.config);
    memset(&bench.told, 0, sizeof(bench.told));
    sip_transactions_init(&bench.all, &bench.env.plain.env, &bench.config, &told_ops, &bench);
}

void bench_run_to(int64_t ms)
{
    while (bench.all.deadline.ns <= ms * PEAL_NS_PER_MS) {
        if (bench.all.deadline.ns > bench.env.now.ns) {
            bench.env.now = bench.all.deadline;
        }
        sip_transactions_on_wake(&bench.all, bench.env.now);
    }
    bench.env.now = (PealTime){ms * PEAL_NS_PER_MS};
}

void bench_finish(void)
{
    bench_run_to(100000000);
    CU_ASSERT_EQUAL(bench.all.len, 0);
    CU_ASSERT_EQUAL(bench.env.plain.bytes, 0);
    CU_ASSERT_EQUAL(bench.all.deadline.ns, PEAL_TIME_NEVER.ns);
    sip_transactions_fini(&bench.all);
    CU_ASSERT(sip_env_fini(&bench.env));
}

const PealHop *bench_there(PealTransport transport)
{
    static PealHop hop;

    hop = sip_env_hop(2, 5060, transport, 0);
    return &hop;
}

void bench_scan(const char *text, SipMessage *ret_message)
{
    int error = sip_message_scan(sip_str(text), true, ret_message);

    CU_ASSERT_EQUAL_FATAL(error, 0);
}

void bench_request(const BenchLine *line, char text[BENCH_TEXT_LEN], SipMessage *ret_message)
{
    snprintf(text, BENCH_TEXT_LEN,
             "%s sip:bob@example.org SIP/2.0\r\n"
             "Via: SIP/2.0/UDP %s%s%s\r\n"
             "Max-Forwards: 70\r\n"
             "From: <sip:alice@example.org>;tag=a1\r\n"
             "To: <sip:bob@example.org>%s\r\n"
             "Call-ID: c1@192.0.2.1\r\n"
             "CSeq: 7 %s\r\n"
             "Content-Length: 0\r\n\r\n",
             line->method, line->sent_by != NULL ? line->sent_by : "192.0.2.1:5060",
             line->branch != NULL ? ";branch=" : "", line->branch != NULL ? line->branch : "",
             line->to_tag != NULL ? line->to_tag : "", line->method);
    bench_scan(text, ret_message);
}

SipTx bench_start(const char *method, PealTransport transport)
{
    char text[BENCH_TEXT_LEN];
    SipMessage message;
    SipTx tx = 0;

    bench_request(&(BenchLine){method, "z9hG4bKone", NULL, NULL}, text, &message);
    CU_ASSERT_EQUAL(sip_tx_request(&bench.all, &message, bench_there(transport), 42, &tx), 0);
    CU_ASSERT_NOT_EQUAL(tx, 0);
    return tx;
}

void bench_come(const BenchLine *line, PealTransport transport, uint32_t conn)
{
    char text[BENCH_TEXT_LEN];
    SipMessage message;
    PealHop from = sip_env_hop(1, 5060, transport, conn);

    bench_request(line, text, &message);
    sip_tx_receive(&bench.all, &message, &from);
}

void bench_come_answered(const char *method, const char *branch, uint64_t arg)
{
    char text[BENCH_TEXT_LEN];
    SipMessage message;

    bench_come(&(BenchLine){method, branch, NULL, NULL}, PEAL_UDP, 0);
    sip_tx_set_arg(&bench.all, bench.told.request_tx, arg);
    bench_request(&(BenchLine){method, branch, NULL, NULL}, text, &message);
    CU_ASSERT_EQUAL(sip_tx_reply(&bench.all, bench.told.request_tx, &message, bench_there(PEAL_UDP),
                                 &(SipAnswer){.status = 200}),
                    0);
}

void bench_respond(unsigned status, const char *method)
{
    char text[BENCH_TEXT_LEN];
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
    bench_scan(text, &message);
    sip_tx_receive(&bench.all, &message, bench_there(PEAL_UDP));
}

int bench_answer(uint16_t status, const char *method)
{
    char text[512];

    snprintf(text, sizeof(text),
             "SIP/2.0 %u Word\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKone\r\n"
             "From: <sip:alice@example.org>;tag=a1\r\nTo: <sip:bob@example.org>;tag=here\r\n"
             "Call-ID: c1@192.0.2.1\r\nCSeq: 7 %s\r\nContent-Length: 0\r\n\r\n",
             status, method);
    return sip_tx_answer(&bench.all, bench.told.request_tx, status, sip_str(text));
}

void bench_sent_at(const int64_t *ms, size_t len, const char *start_line)
{
    CU_ASSERT_EQUAL(bench.env.sent_len, len);
    for (size_t i = 0; i < len; i++) {
        CU_ASSERT_EQUAL(sip_env_at_ms(&bench.env, i), ms[i]);
        CU_ASSERT_EQUAL(bench.env.sent[i].attempt, i + 1);
        CU_ASSERT(sip_env_says(&bench.env, i, start_line));
    }
}
