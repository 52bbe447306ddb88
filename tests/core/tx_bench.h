/*
 * tx_bench.h - the transactions of one element, between a user who keeps what he is told and a
 *              world that keeps what is sent.
 * Source: RFC 3261 s.17.   State: `bench`, one a test program.   Time: moved by `bench_run_to`.
 *
 * The bench asks 192.0.2.2 and is asked by 192.0.2.1.
 */
#ifndef TX_BENCH_H
#define TX_BENCH_H

#include "core/sip_env.h"
#include "sip/transaction.h"

/* What the layer told its user. */
typedef struct BenchTold {
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
} BenchTold;

typedef struct TxBench {
    SipEnv env;
    PealSipConfig config;
    SipTransactions all;
    BenchTold told;
} TxBench;

extern TxBench bench;

void bench_setup(void);
/* bench_finish lets every transaction end and asserts that nothing is left of them. */
void bench_finish(void);

/* bench_run_to moves the clock to `ms`, waking at each deadline on the way. */
void bench_run_to(int64_t ms);

/* bench_there is where requests go: good until the next call. */
const PealHop *bench_there(PealTransport transport);

/* bench_scan reads a message, which can be read; it points into `text`. */
void bench_scan(const char *text, SipMessage *ret_message);

enum { BENCH_TEXT_LEN = 1024 };

/* A request of call c1; what is NULL is left out, but `sent_by` is then 192.0.2.1:5060. */
typedef struct BenchLine {
    const char *method;
    const char *branch;
    const char *to_tag; /* with its semicolon */
    const char *sent_by;
} BenchLine;

extern const BenchLine bench_invite;
extern const BenchLine bench_options;

/* bench_request writes it and reads it. */
void bench_request(const BenchLine *line, char text[BENCH_TEXT_LEN], SipMessage *ret_message);

/* bench_start asks with branch z9hG4bKone and argument 42; bench_respond answers that. */
SipTx bench_start(const char *method, PealTransport transport);
void bench_respond(unsigned status, const char *method);

/* bench_come: a request comes in; bench_answer answers the one that did last (or which
 * `bench.told.request_tx` names). */
void bench_come(const BenchLine *line, PealTransport transport, uint32_t conn);
int bench_answer(uint16_t status, const char *method);
/* bench_come_answered: one of another branch comes, is answered at once with 200 and gets `arg`. */
void bench_come_answered(const char *method, const char *branch, uint64_t arg);

/* bench_sent_at asserts that all that was sent is this message, at these times. */
void bench_sent_at(const int64_t *ms, size_t len, const char *start_line);

#endif
