/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transaction_server.c - the server transactions: RFC 6026's figure 7 and RFC 3261's figure 8, with
 * what RFC 4320 changes of the latter. */
#include "sip/oc.h"
#include "sip/transaction_state.h"

enum { SERVER_SLACK = 512 }; /* what an answer has beyond what it copies and is given */

static PealTime server_in(const SipTransactions *all, PealSpan span)
{
    return peal_time_add(transaction_now(all), span);
}

static PealTime server_linger(const SipTransactions *all, const SipTransaction *tx, PealSpan span)
{
    return server_in(all, transaction_is_reliable(tx) ? peal_ms(0) : span);
}

/* server_build writes an answer into a new buffer, NULL when it would be too long. */
static PealBuf *server_build(PealEnv *env, const SipMessage *request, const PealHop *from,
                             const SipAnswer *answer, PealStr *ret_bytes)
{
    size_t cap = request->fields_end + answer->reason.len + answer->to_tag.len +
                 answer->headers.len + answer->content_type.len + answer->body.len + SERVER_SLACK;
    PealBuf *buf = env->ops->buffer(env, cap);
    SipText text = sip_text_make((char *)buf->data, cap);

    sip_build_answer(&text, request, from, answer);
    if (text.overflow || text.len > SIP_MESSAGE_MAX) {
        env->ops->drop(env, buf);
        return NULL;
    }
    *ret_bytes = sip_text_view(&text);
    return buf;
}

/* server_send sends a response and, where it may have to be sent again, keeps it. */
static int server_send(SipTransactions *all, SipTransaction *tx, PealStr bytes)
{
    int error = 0;

    tx->replied = true;
    if (!transaction_is_reliable(tx) && (error = transaction_keep(all, tx, bytes)) == 0) {
        transaction_send(all, tx);
    } else {
        (void)transaction_keep(all, tx, (PealStr){NULL, 0});
        sip_send(all->env, &tx->hop, bytes);
    }
    return error;
}

/* Puts what overload control has to say into a response to a client that takes part. Returns what
 * the new bytes are in, or NULL where they stay. */
static PealBuf *server_say(const SipTransactions *all, const SipTransaction *tx, PealStr *bytes)
{
    PealBuf *said = all->oc != NULL && tx->offered ? oc_answer(all->oc, all->env, *bytes) : NULL;

    if (said != NULL) {
        *bytes = (PealStr){(const char *)said->data, said->len};
    }
    return said;
}

static void server_drop(const SipTransactions *all, PealBuf *said)
{
    if (said != NULL) {
        all->env->ops->drop(all->env, said);
    }
}

/* server_trying sends the 100 that its user has not. */
static void server_trying(SipTransactions *all, SipTransaction *tx, const SipMessage *request)
{
    SipAnswer answer = {.status = 100};
    PealStr bytes;
    PealBuf *buf = server_build(all->env, request, &tx->from, &answer, &bytes);
    PealBuf *said;

    if (buf != NULL) {
        said = server_say(all, tx, &bytes);
        (void)server_send(all, tx, bytes);
        server_drop(all, said);
        all->env->ops->drop(all->env, buf);
    }
}

static void server_trying_kept(SipTransactions *all, SipTransaction *tx)
{
    SipMessage request;

    transaction_timers(all, tx, PEAL_TIME_NEVER, tx->end_at);
    if (!tx->replied && transaction_kept(tx, &request)) {
        server_trying(all, tx, &request);
    }
}

/* Figure 7: INVITE server transaction. */
static int invite_server_transaction(SipTransactions *all, SipTransaction *tx,
                                     const TransactionInput *in)
{
    int error = 0;

    switch ((TransactionState)tx->state) {
    case TRANSACTION_PROCEEDING:
        if (in->event == TRANSACTION_REQUEST && tx->replied) {
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_REQUEST) {
            server_trying(all, tx, in->message);
        } else if (in->event == TRANSACTION_RETRY) {
            server_trying_kept(all, tx);
        } else if (in->event == TRANSACTION_1XX) {
            error = server_send(all, tx, in->bytes);
            transaction_timers(all, tx, PEAL_TIME_NEVER, PEAL_TIME_NEVER);
        } else if (in->event == TRANSACTION_2XX) {
            /* Sent again by its user, not from here (RFC 6026 s.7.1). */
            tx->state = TRANSACTION_ACCEPTED;
            (void)transaction_keep(all, tx, (PealStr){NULL, 0});
            sip_send(all->env, &tx->hop, in->bytes);
            transaction_absorb(all, tx, SIP_ABSORBING_M, server_in(all, transaction_64_t1(all)));
        } else if (in->event == TRANSACTION_300_699) {
            tx->state = TRANSACTION_COMPLETED;
            tx->interval = all->config->t1;
            error = server_send(all, tx, in->bytes);
            transaction_timers(all, tx,
                               transaction_is_reliable(tx) ? PEAL_TIME_NEVER
                                                           : server_in(all, tx->interval),
                               server_in(all, all->config->timer_b));
        }
        return error;
    case TRANSACTION_COMPLETED:
        if (in->event == TRANSACTION_REQUEST) {
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_ACK) {
            tx->state = TRANSACTION_CONFIRMED;
            (void)transaction_keep(all, tx, (PealStr){NULL, 0});
            transaction_absorb(all, tx, SIP_ABSORBING_I, server_linger(all, tx, all->config->t4));
        } else if (in->event == TRANSACTION_RETRY) { /* G */
            tx->interval.ns =
                2 * tx->interval.ns < all->config->t2.ns ? 2 * tx->interval.ns : all->config->t2.ns;
            transaction_timers(all, tx, server_in(all, tx->interval), tx->end_at);
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_END) { /* H */
            tx->state = TRANSACTION_TERMINATED;
        }
        break;
    case TRANSACTION_CONFIRMED:
        if (in->event == TRANSACTION_END) { /* I */
            tx->state = TRANSACTION_TERMINATED;
        }
        break;
    case TRANSACTION_ACCEPTED:
        if (in->event == TRANSACTION_ACK) {
            all->ops->on_ack(all->user, in->message, in->from);
        } else if (in->event == TRANSACTION_2XX) {
            sip_send(all->env, &tx->hop, in->bytes);
            return 0;
        } else if (in->event == TRANSACTION_END) { /* L */
            tx->state = TRANSACTION_TERMINATED;
        }
        break;
    case TRANSACTION_CALLING:
    case TRANSACTION_TRYING:
    case TRANSACTION_TERMINATED:
        break;
    }
    return -PEAL_E_STATE;
}

/* Figure 8: non-INVITE server transaction. */
static int non_invite_server_transaction(SipTransactions *all, SipTransaction *tx,
                                         const TransactionInput *in)
{
    int error = 0;

    switch ((TransactionState)tx->state) {
    case TRANSACTION_TRYING:
    case TRANSACTION_PROCEEDING:
        if (in->event == TRANSACTION_REQUEST && tx->state == TRANSACTION_PROCEEDING) {
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_RETRY) { /* RFC 4320 s.4.1 */
            tx->state = TRANSACTION_PROCEEDING;
            server_trying_kept(all, tx);
        } else if (in->event == TRANSACTION_END) { /* RFC 4320 s.4.2 */
            tx->state = TRANSACTION_TERMINATED;
        } else if (in->event == TRANSACTION_1XX) {
            tx->state = TRANSACTION_PROCEEDING;
            error = server_send(all, tx, in->bytes);
            transaction_timers(all, tx, PEAL_TIME_NEVER, tx->end_at);
        } else if (in->event == TRANSACTION_2XX || in->event == TRANSACTION_300_699) {
            tx->state = TRANSACTION_COMPLETED;
            error = server_send(all, tx, in->bytes);
            transaction_absorb(all, tx, SIP_ABSORBING_J,
                               server_linger(all, tx, transaction_64_t1(all)));
        }
        return error;
    case TRANSACTION_COMPLETED:
        if (in->event == TRANSACTION_REQUEST) {
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_END) { /* J */
            tx->state = TRANSACTION_TERMINATED;
        }
        break;
    case TRANSACTION_CALLING:
    case TRANSACTION_CONFIRMED:
    case TRANSACTION_ACCEPTED:
    case TRANSACTION_TERMINATED:
        break;
    }
    return -PEAL_E_STATE;
}

int transaction_server_event(SipTransactions *all, SipTransaction *tx, const TransactionInput *in)
{
    if (tx->kind == TRANSACTION_INVITE_SERVER) {
        return invite_server_transaction(all, tx, in);
    }
    return non_invite_server_transaction(all, tx, in);
}

/* The To tag comes from the request, so that a retransmission is refused in the same words
 * (8.2.7). */
static void server_refuse(SipTransactions *all, const SipMessage *request, const PealHop *from,
                          const TransactionKey *key, const PealHop *to)
{
    char tag[16];
    char line[32];
    SipText tag_text = sip_text_make(tag, sizeof(tag));
    SipText headers = sip_text_make(line, sizeof(line));
    SipAnswer answer = {.status = 503};
    PealStr bytes;
    PealBuf *buf;

    sip_put_hex(&tag_text, (const uint8_t *)key->match, sizeof(tag) / 2);
    sip_put_z(&headers, "Retry-After: ");
    sip_put_u32(&headers, TRANSACTION_RETRY_AFTER_S);
    sip_put_z(&headers, "\r\n");
    answer.to_tag = sip_text_view(&tag_text);
    answer.headers = sip_text_view(&headers);
    buf = server_build(all->env, request, from, &answer, &bytes);
    if (buf != NULL) {
        buf->len = (uint32_t)bytes.len;
        buf->attempt = 1;
        all->env->ops->sip_send_take(all->env, to, buf);
    }
}

static SipTx server_cancelled(const SipTransactions *all, const SipMessage *cancel)
{
    TransactionKey key;
    const SipTransaction *invite;

    if (transaction_server_key(all, cancel, sip_method_text(SIP_INVITE), &key) != 0) {
        return 0;
    }
    invite = transaction_find(all, key.match);
    return invite != NULL ? invite->name : 0;
}

/* How long Timer E takes to become T2. */
static PealSpan server_patience(const SipTransactions *all)
{
    PealSpan sum = all->config->t1;

    for (int64_t e = 2 * sum.ns; e < all->config->t2.ns; e *= 2) {
        sum.ns += e;
    }
    return sum;
}

void transaction_begin(SipTransactions *all, const SipMessage *request, const PealHop *from,
                       const TransactionKey *key)
{
    bool invite = request->code == SIP_INVITE;
    SipTransaction *tx = NULL;
    SipTx matched = 0;
    PealHop to;

    if (sip_build_reply_hop(request, from, &to) != 0) {
        return;
    }
    if (transaction_make_room(all)) {
        tx =
            transaction_new(all, invite ? TRANSACTION_INVITE_SERVER : TRANSACTION_SERVER, key, &to);
    }
    if (tx == NULL) {
        server_refuse(all, request, from, key, &to);
        return;
    }
    all->requests++;
    tx->from = *from;
    tx->offered = all->oc != NULL && oc_offered(request);
    tx->state = invite ? TRANSACTION_PROCEEDING : TRANSACTION_TRYING;
    transaction_timers(all, tx,
                       server_in(all,
                                 invite ? peal_ms(TRANSACTION_TRYING_MS) : server_patience(all)),
                       invite ? PEAL_TIME_NEVER : server_in(all, transaction_64_t1(all)));
    if (request->code == SIP_CANCEL) {
        matched = server_cancelled(all, request);
    }
    all->ops->on_request(all->user, tx->name, request, from, matched);
    if (transaction_is_open(tx) && !tx->replied && transaction_keep(all, tx, request->bytes) != 0) {
        transaction_timers(all, tx, PEAL_TIME_NEVER, tx->end_at); /* no memory, no 100 */
    }
}

/* An ACK to a request without the cookie is told by the tag it was answered with (17.2.3). */
static void server_remember_tag(SipTransactions *all, SipTransaction *tx, PealStr response)
{
    SipMessage message;

    if (tx->old && sip_message_scan(response, true, &message) == 0) {
        tx->reply_tag = transaction_to_tag(all, &message);
    }
}

int sip_tx_answer(SipTransactions *all, SipTx name, uint16_t status, PealStr response)
{
    SipTransaction *tx = transaction_named(all, name);
    TransactionInput in = {.event = transaction_status_event(status), .bytes = response};
    PealBuf *said;
    int error;

    if (tx == NULL || !transaction_is_server(tx)) {
        return -PEAL_E_STATE;
    }
    if (status >= 200 && transaction_is_open(tx)) {
        server_remember_tag(all, tx, response);
    }
    said = server_say(all, tx, &in.bytes);
    error = transaction_server_event(all, tx, &in);
    server_drop(all, said);
    return error;
}

int sip_tx_reply(SipTransactions *all, SipTx name, const SipMessage *request, const PealHop *from,
                 const SipAnswer *answer)
{
    PealStr bytes;
    PealBuf *buf = server_build(all->env, request, from, answer, &bytes);
    int error;

    if (buf == NULL) {
        return -PEAL_E_FULL;
    }
    error = sip_tx_answer(all, name, answer->status, bytes);
    all->env->ops->drop(all->env, buf);
    return error;
}
