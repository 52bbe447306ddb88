/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transaction_client.c - the client transactions: RFC 6026's figure 5 and RFC 3261's figure 6. */
#include "sip/oc.h"
#include "sip/transaction_state.h"

enum { CLIENT_SLACK = 256 }; /* what an ACK or a CANCEL has beyond the header fields it copies */

static PealTime client_in(const SipTransactions *all, PealSpan span)
{
    return peal_time_add(transaction_now(all), span);
}

static void client_tell(SipTransactions *all, const SipTransaction *tx, const TransactionInput *in)
{
    if (!tx->internal) {
        all->ops->on_response(all->user, tx->name, tx->arg, in->message, in->from);
    }
}

static void client_fail(SipTransactions *all, SipTransaction *tx, int error)
{
    tx->state = TRANSACTION_TERMINATED;
    if (!tx->internal) {
        all->ops->on_failed(all->user, tx->name, tx->arg, error);
    }
}

/* On a reliable transport nothing comes again. */
static PealTime client_linger(const SipTransactions *all, const SipTransaction *tx, PealSpan span)
{
    return client_in(all, transaction_is_reliable(tx) ? peal_ms(0) : span);
}

static PealSpan client_timer_d(const SipTransactions *all)
{
    PealSpan t = transaction_64_t1(all);
    PealSpan least = peal_seconds(TRANSACTION_TIMER_D_S);

    return t.ns > least.ns ? t : least;
}

/* client_ack sends the ACK to a final response, and keeps it in the INVITE's place. */
static void client_ack(SipTransactions *all, SipTransaction *tx, const SipMessage *response)
{
    SipMessage invite;
    size_t cap = tx->kept_len + response->fields_end + CLIENT_SLACK;
    PealBuf *buf;
    SipText text;

    if (!transaction_kept(tx, &invite)) {
        return;
    }
    buf = all->env->ops->buffer(all->env, cap);
    text = sip_text_make((char *)buf->data, cap);
    sip_build_ack(&text, &invite, response);
    if (!text.overflow && transaction_keep(all, tx, sip_text_view(&text)) == 0) {
        transaction_send(all, tx);
    }
    all->env->ops->drop(all->env, buf);
}

/* client_cancel sends a CANCEL in a transaction of its own, and gives the INVITE 64 T1 (9.1). */
static void client_cancel(SipTransactions *all, SipTransaction *tx)
{
    SipMessage invite;
    SipMessage cancel;
    PealBuf *buf;
    SipText text;

    tx->cancel = false;
    transaction_timers(all, tx, PEAL_TIME_NEVER, client_in(all, transaction_64_t1(all)));
    if (!transaction_kept(tx, &invite)) {
        return;
    }
    buf = all->env->ops->buffer(all->env, tx->kept_len + CLIENT_SLACK);
    text = sip_text_make((char *)buf->data, tx->kept_len + CLIENT_SLACK);
    sip_build_cancel(&text, &invite);
    if (!text.overflow && sip_message_scan(sip_text_view(&text), true, &cancel) == 0) {
        SipTx name;

        if (sip_tx_request(all, &cancel, &tx->hop, 0, &name) == 0) {
            transaction_named(all, name)->internal = true;
        } else {
            sip_send(all->env, &tx->hop, sip_text_view(&text));
        }
    }
    all->env->ops->drop(all->env, buf);
}

static void client_final(SipTransactions *all, SipTransaction *tx, SipAbsorbing timer,
                         PealTime end_at, const TransactionInput *in)
{
    tx->state = timer == SIP_ABSORBING_M ? TRANSACTION_ACCEPTED : TRANSACTION_COMPLETED;
    tx->error = 0;
    transaction_absorb(all, tx, timer, end_at);
    client_tell(all, tx, in);
}

/* Figure 5: INVITE client transaction. */
static void invite_client_transaction(SipTransactions *all, SipTransaction *tx,
                                      const TransactionInput *in)
{
    switch ((TransactionState)tx->state) {
    case TRANSACTION_CALLING:
    case TRANSACTION_PROCEEDING:
        if (in->event == TRANSACTION_RETRY) { /* A */
            tx->interval.ns *= 2;
            transaction_timers(all, tx, client_in(all, tx->interval), tx->end_at);
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_END) { /* B, or no answer to a CANCEL */
            client_fail(all, tx, -PEAL_E_TIMEOUT);
        } else if (in->event == TRANSACTION_ERROR) {
            client_fail(all, tx, tx->error);
        } else if (in->event == TRANSACTION_1XX) {
            if (tx->state == TRANSACTION_CALLING) {
                tx->state = TRANSACTION_PROCEEDING;
                transaction_timers(all, tx, PEAL_TIME_NEVER, PEAL_TIME_NEVER);
            }
            if (tx->cancel) {
                client_cancel(all, tx);
            }
            client_tell(all, tx, in);
        } else if (in->event == TRANSACTION_2XX) {
            (void)transaction_keep(all, tx, (PealStr){NULL, 0});
            client_final(all, tx, SIP_ABSORBING_M, client_in(all, transaction_64_t1(all)), in);
        } else if (in->event == TRANSACTION_300_699) {
            client_ack(all, tx, in->message);
            client_final(all, tx, SIP_ABSORBING_D, client_linger(all, tx, client_timer_d(all)), in);
        }
        break;
    case TRANSACTION_COMPLETED:
        if (in->event == TRANSACTION_300_699) {
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_END || in->event == TRANSACTION_ERROR) { /* D */
            tx->state = TRANSACTION_TERMINATED;
        }
        break;
    case TRANSACTION_ACCEPTED:
        if (in->event == TRANSACTION_2XX) {
            client_tell(all, tx, in);
        } else if (in->event == TRANSACTION_END) { /* M */
            tx->state = TRANSACTION_TERMINATED;
        }
        break;
    case TRANSACTION_TRYING:
    case TRANSACTION_CONFIRMED:
    case TRANSACTION_TERMINATED:
        break;
    }
}

/* Figure 6: non-INVITE client transaction. */
static void non_invite_client_transaction(SipTransactions *all, SipTransaction *tx,
                                          const TransactionInput *in)
{
    int64_t t2 = all->config->t2.ns;

    switch ((TransactionState)tx->state) {
    case TRANSACTION_TRYING:
    case TRANSACTION_PROCEEDING:
        if (in->event == TRANSACTION_RETRY) { /* E */
            bool far = tx->state == TRANSACTION_PROCEEDING || 2 * tx->interval.ns > t2;

            tx->interval.ns = far ? t2 : 2 * tx->interval.ns;
            transaction_timers(all, tx, client_in(all, tx->interval), tx->end_at);
            transaction_send(all, tx);
        } else if (in->event == TRANSACTION_END) { /* F */
            client_fail(all, tx, -PEAL_E_TIMEOUT);
        } else if (in->event == TRANSACTION_ERROR) {
            client_fail(all, tx, tx->error);
        } else if (in->event == TRANSACTION_1XX) {
            tx->state = TRANSACTION_PROCEEDING;
            client_tell(all, tx, in);
        } else if (in->event == TRANSACTION_2XX || in->event == TRANSACTION_300_699) {
            (void)transaction_keep(all, tx, (PealStr){NULL, 0});
            client_final(all, tx, SIP_ABSORBING_K, client_linger(all, tx, all->config->t4), in);
        }
        break;
    case TRANSACTION_COMPLETED:
        if (in->event == TRANSACTION_END) { /* K */
            tx->state = TRANSACTION_TERMINATED;
        }
        break;
    case TRANSACTION_CALLING:
    case TRANSACTION_CONFIRMED:
    case TRANSACTION_ACCEPTED:
    case TRANSACTION_TERMINATED:
        break;
    }
}

void transaction_client_event(SipTransactions *all, SipTransaction *tx, const TransactionInput *in)
{
    if (tx->kind == TRANSACTION_INVITE_CLIENT) {
        invite_client_transaction(all, tx, in);
    } else {
        non_invite_client_transaction(all, tx, in);
    }
}

int sip_tx_request(SipTransactions *all, const SipMessage *request, const PealHop *to, uint64_t arg,
                   SipTx *ret_tx)
{
    bool invite = request->code == SIP_INVITE;
    TransactionKey key;
    SipTransaction *tx;

    /* A CANCEL makes room, and there is at most one for each INVITE. */
    if (request->code != SIP_CANCEL && !transaction_make_room(all)) {
        return -PEAL_E_FULL;
    }
    if (transaction_client_key(all, request, &key) != 0) {
        return -PEAL_E_ARG;
    }
    tx = transaction_new(all, invite ? TRANSACTION_INVITE_CLIENT : TRANSACTION_CLIENT, &key, to);
    if (tx == NULL) {
        return -PEAL_E_MEMORY;
    }
    tx->state = invite ? TRANSACTION_CALLING : TRANSACTION_TRYING;
    tx->arg = arg;
    tx->interval = all->config->t1;
    if (all->oc != NULL && !oc_lets_go(all->oc, &to->addr, request, transaction_now(all),
                                       all->env->ops->random(all->env, PEAL_DRAW_SIP))) {
        tx->error = -PEAL_E_FULL;
        transaction_timers(all, tx, transaction_now(all), client_in(all, all->config->timer_b));
        *ret_tx = tx->name;
        return 0;
    }
    if (invite || !transaction_is_reliable(tx)) {
        if (transaction_keep(all, tx, request->bytes) != 0) {
            transaction_free(all, tx);
            return -PEAL_E_MEMORY;
        }
        transaction_send(all, tx);
    } else {
        sip_send(all->env, to, request->bytes);
    }
    transaction_timers(all, tx,
                       transaction_is_reliable(tx) ? PEAL_TIME_NEVER : client_in(all, tx->interval),
                       client_in(all, all->config->timer_b));
    *ret_tx = tx->name;
    return 0;
}

void sip_tx_cancel(SipTransactions *all, SipTx name)
{
    SipTransaction *tx = transaction_named(all, name);

    if (tx == NULL || tx->kind != TRANSACTION_INVITE_CLIENT || !transaction_is_open(tx)) {
        return;
    }
    if (tx->state == TRANSACTION_CALLING) {
        tx->cancel = true;
    } else if (tx->end_at.ns == PEAL_TIME_NEVER.ns) {
        client_cancel(all, tx);
    }
}
