/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transaction.c - what comes into the transaction layer, and finds its transaction. */
#include "sip/transaction.h"

#include "sip/oc.h"
#include "sip/transaction_state.h"

enum { TRANSACTION_DATAGRAM_MAX = 1300 }; /* 18.1.1, where the path's MTU is not known */

void sip_transactions_init(SipTransactions *all, PealEnv *env, const PealSipConfig *config,
                           const SipTransactionUser *ops, void *user)
{
    *all = (SipTransactions){.env = env,
                             .config = config,
                             .ops = ops,
                             .user = user,
                             .key = {env->ops->random(env, PEAL_DRAW_SIP),
                                     env->ops->random(env, PEAL_DRAW_SIP)},
                             .deadline = PEAL_TIME_NEVER};
}

void sip_transactions_fini(SipTransactions *all)
{
    SipTransaction *tx;

    while ((tx = transaction_first(all)) != NULL) {
        transaction_free(all, tx);
    }
}

void sip_send(PealEnv *env, const PealHop *to, PealStr bytes)
{
    PealBuf *buf = env->ops->buffer(env, bytes.len);

    memcpy(buf->data, bytes.ptr, bytes.len);
    buf->len = (uint32_t)bytes.len;
    buf->attempt = 1;
    env->ops->sip_send_take(env, to, buf);
}

PealHop sip_hop_for_size(const PealHop *hop, size_t len)
{
    PealHop chosen = *hop;

    if (hop->transport == PEAL_UDP && len > TRANSACTION_DATAGRAM_MAX) {
        chosen.transport = PEAL_TCP;
        chosen.conn = 0;
    }
    return chosen;
}

int transaction_keep(SipTransactions *all, SipTransaction *tx, PealStr bytes)
{
    uint8_t *kept = NULL;

    if (tx->kept != NULL) {
        all->env->ops->release(all->env, tx->kept, tx->kept_len);
    }
    if (bytes.len > 0) {
        kept = all->env->ops->alloc(all->env, bytes.len);
    }
    tx->kept = kept;
    tx->kept_len = kept != NULL ? (uint32_t)bytes.len : 0;
    tx->sends = 0;
    if (kept == NULL) {
        return bytes.len > 0 ? -PEAL_E_MEMORY : 0;
    }
    memcpy(kept, bytes.ptr, bytes.len);
    return 0;
}

void transaction_send(SipTransactions *all, SipTransaction *tx)
{
    PealBuf *buf;

    if (tx->kept == NULL) {
        return;
    }
    buf = all->env->ops->buffer(all->env, tx->kept_len);
    memcpy(buf->data, tx->kept, tx->kept_len);
    buf->len = tx->kept_len;
    buf->attempt = ++tx->sends;
    all->env->ops->sip_send_take(all->env, &tx->hop, buf);
}

bool transaction_kept(const SipTransaction *tx, SipMessage *ret_message)
{
    return tx->kept != NULL && sip_message_scan((PealStr){(const char *)tx->kept, tx->kept_len},
                                                true, ret_message) == 0;
}

/* Without the cookie the To tag tells too: a request's own, an ACK's that of the answer
 * (17.2.3). */
static SipTransaction *receive_find(const SipTransactions *all, const TransactionKey *key, bool ack)
{
    SipTransaction *tx = transaction_find(all, key->match);

    while (tx != NULL && key->old &&
           (tx->match[0] != key->match[0] || tx->match[1] != key->match[1] ||
            (ack ? tx->reply_tag : tx->old_tag) != key->old_tag)) {
        tx = tx->chain;
    }
    return tx;
}

static void receive_request(SipTransactions *all, const SipMessage *request, const PealHop *from)
{
    bool ack = request->code == SIP_ACK;
    TransactionKey key;
    SipTransaction *tx;
    PealStr method = ack ? sip_method_text(SIP_INVITE) : transaction_method(request);

    if (transaction_server_key(all, request, method, &key) != 0) {
        return;
    }
    tx = receive_find(all, &key, ack);
    if (tx != NULL) {
        TransactionInput in = {.event = ack ? TRANSACTION_ACK : TRANSACTION_REQUEST,
                               .message = request,
                               .from = from};

        (void)transaction_server_event(all, tx, &in);
    } else if (ack) {
        all->ops->on_ack(all->user, request, from);
    } else {
        transaction_begin(all, request, from, &key);
    }
}

static void receive_response(SipTransactions *all, const SipMessage *response, const PealHop *from)
{
    TransactionInput in = {.event = transaction_status_event(response->status),
                           .message = response,
                           .from = from};
    TransactionKey key;
    SipTransaction *tx;

    if (transaction_client_key(all, response, &key) != 0) {
        return;
    }
    tx = transaction_find(all, key.match);
    if (tx != NULL && all->oc != NULL) {
        oc_learn(all->oc, &tx->hop.addr, response, transaction_now(all));
    }
    if (tx != NULL) {
        transaction_client_event(all, tx, &in);
    } /* else a stray, that nobody may forward (RFC 6026 s.8.2) */
}

void sip_tx_receive(SipTransactions *all, const SipMessage *message, const PealHop *from)
{
    PealTime now = transaction_now(all);

    if (message->status != 0) {
        receive_response(all, message, from);
    } else {
        receive_request(all, message, from);
    }
    if (peal_time_due(all->deadline, now)) {
        sip_transactions_on_wake(all, now);
    }
}

static void wake_one(SipTransactions *all, SipTransaction *tx, PealTime now)
{
    TransactionInput in = {.event = tx->error != 0                   ? TRANSACTION_ERROR
                                    : peal_time_due(tx->end_at, now) ? TRANSACTION_END
                                                                     : TRANSACTION_RETRY};

    if (transaction_is_server(tx)) {
        (void)transaction_server_event(all, tx, &in);
    } else {
        transaction_client_event(all, tx, &in);
    }
    tx->error = 0;
    if (tx->state == TRANSACTION_TERMINATED) {
        SipTx name = tx->name;
        uint64_t arg = tx->arg;
        bool server = transaction_is_server(tx);
        bool internal = tx->internal;

        transaction_free(all, tx);
        if (!internal) {
            all->ops->on_ended(all->user, name, arg, server);
        }
    }
}

void sip_transactions_on_wake(SipTransactions *all, PealTime now)
{
    SipTransaction *tx;

    while ((tx = transaction_first(all)) != NULL && peal_time_due(tx->due, now)) {
        wake_one(all, tx, now);
    }
}

static bool hop_is(const PealHop *a, const PealHop *b)
{
    return a->transport == b->transport && a->addr.family == b->addr.family &&
           a->addr.port == b->addr.port &&
           memcmp(a->addr.ip, b->addr.ip, a->addr.family == 4 ? 4 : 16) == 0;
}

static void end_one(SipTransactions *all, SipTransaction *tx, const PealHop *hop, int error)
{
    PealTime now = transaction_now(all);
    bool mine = tx->hop.conn == 0 || hop->conn == 0 || tx->hop.conn == hop->conn;

    if (hop->conn != 0 && tx->hop.conn == hop->conn) {
        PealHop other = tx->hop;

        other.conn = 0;
        other.addr.port = transaction_is_server(tx) ? tx->via_port : other.addr.port;
        transaction_set_hop(all, tx, &other);
    } else if (error != 0 && mine && transaction_is_server(tx) && tx->kind == TRANSACTION_SERVER &&
               tx->state == TRANSACTION_COMPLETED) {
        transaction_timers(all, tx, PEAL_TIME_NEVER, now);
    }
    if (error != 0 && mine && !transaction_is_server(tx) && transaction_is_open(tx)) {
        tx->error = (int8_t)error;
        transaction_timers(all, tx, now, tx->end_at);
    }
}

void sip_tx_on_end(SipTransactions *all, const PealHop *hop, int error)
{
    SipTransaction *next;

    for (SipTransaction *tx = transaction_hops(all, hop); tx != NULL; tx = next) {
        next = tx->hop_next; /* a response's hop may change */
        if (hop_is(&tx->hop, hop)) {
            end_one(all, tx, hop, error);
        }
    }
}

void sip_tx_set_arg(SipTransactions *all, SipTx name, uint64_t arg)
{
    SipTransaction *tx = transaction_named(all, name);

    if (tx != NULL) {
        tx->arg = arg;
    }
}

uint64_t sip_tx_arg(const SipTransactions *all, SipTx name)
{
    const SipTransaction *tx = transaction_named(all, name);

    return tx != NULL ? tx->arg : 0;
}

bool sip_tx_is_repetition(const SipTransactions *all, const SipMessage *request)
{
    TransactionKey key;

    return transaction_server_key(all, request, transaction_method(request), &key) == 0 &&
           receive_find(all, &key, false) != NULL;
}

bool sip_tx_is_live(const SipTransactions *all, SipTx name)
{
    const SipTransaction *tx = transaction_named(all, name);

    return tx != NULL && transaction_is_open(tx);
}
