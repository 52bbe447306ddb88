/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip.c - the adapter's life, and what comes in. */
#include "sip/sip.h"

#include "security/gate.h"
#include "sip/admit.h"
#include "sip/arena.h"
#include "sip/keepalive.h"
#include "sip/oc.h"
#include "sip/state.h"

enum {
    SIP_RANDOM_DIGITS = 16,
    SIP_ANSWER_SLACK = 512 /* what an answer has beyond what it copies */
};

/* What the transactions hand on. */

static void on_request(void *user, SipTx tx, const SipMessage *request, const PealHop *from,
                       SipTx matched)
{
    if (request->code == SIP_CANCEL) {
        proxy_on_cancel(user, tx, request, from, matched);
    } else {
        proxy_on_request(user, tx, request, from);
    }
}

static void on_ack(void *user, const SipMessage *ack, const PealHop *from)
{
    proxy_on_ack(user, ack, from);
}

static void on_response(void *user, SipTx tx, uint64_t arg, const SipMessage *response,
                        const PealHop *from)
{
    (void)from;
    proxy_on_response(user, tx, arg, response);
}

static void on_failed(void *user, SipTx tx, uint64_t arg, int error)
{
    proxy_on_failed(user, tx, arg, error);
}

static void on_ended(void *user, SipTx tx, uint64_t arg, bool server)
{
    (void)tx;
    if (server) {
        proxy_on_server_ended(user, arg);
    }
}

static const SipTransactionUser sip_user = {.on_request = on_request,
                                            .on_ack = on_ack,
                                            .on_response = on_response,
                                            .on_failed = on_failed,
                                            .on_ended = on_ended};

/* Life. */

int peal_peer_sip(PealPeer *peer, const PealSipConfig *config, PealBytes bindings)
{
    SipArena arena;
    Sip *sip;

    if (peer->sip != NULL || peer->state != PEAL_PEER_IDLE) {
        return -PEAL_E_STATE;
    }
    sip = peer_alloc(peer, sizeof(*sip));
    if (sip == NULL) {
        return -PEAL_E_MEMORY;
    }
    peer->sip = sip;
    *sip = (Sip){.config = config};
    for (size_t i = 0; i < sizeof(sip->key); i += sizeof(uint64_t)) {
        uint64_t draw = peer_random(peer, PEAL_DRAW_SIP);

        memcpy(sip->key + i, &draw, sizeof(draw));
    }
    sip_arena_setup();
    sip_transactions_init(&sip->transactions, peer->env, config, &sip_user, peer);
    if (peer->overlay->defence.overload_control) {
        sip->transactions.oc = peer_alloc(peer, sizeof(SipOc)); /* without memory it does without */
    }
    sip_streams_init(&sip->streams, peer->env);
    registrar_init(peer);
    auth_init(peer);
    proxy_init(peer);
    adapters_init(peer);
    sip_arena_enter(&arena);
    registrar_restore(peer, bindings);
    sip_arena_leave(&arena);
    peer_schedule(peer);
    return 0;
}

void sip_fini(PealPeer *peer)
{
    Sip *sip = peer->sip;

    if (sip == NULL) {
        return;
    }
    sip_transactions_fini(&sip->transactions);
    if (sip->transactions.oc != NULL) {
        peer_release(peer, sip->transactions.oc, sizeof(SipOc));
    }
    proxy_fini(peer);
    auth_fini(peer);
    registrar_fini(peer);
    adapters_fini(peer);
    sip_streams_fini(&sip->streams);
    peer_release(peer, sip, sizeof(*sip));
    peer->sip = NULL;
}

void sip_joined(PealPeer *peer)
{
    if (peer->sip != NULL) {
        registrar_joined(peer);
    }
}

void sip_leave(PealPeer *peer)
{
    registrar_flush(peer);
}

PealTime sip_deadline(const PealPeer *peer)
{
    const Sip *sip = peer->sip;
    PealTime at = peal_time_min(sip->transactions.deadline, sip->streams.deadline);

    at = peal_time_min(at, peal_time_min(sip->registrar.deadline, sip->proxy.deadline));
    return peal_time_min(at, sip->adapters.deadline);
}

static void sip_close(PealPeer *peer, uint32_t conn)
{
    const PealHop hop = {.transport = PEAL_TCP, .conn = conn};

    sip_streams_end(&peer->sip->streams, conn);
    sip_tx_on_end(&peer->sip->transactions, &hop, 0);
    registrar_flow_failed(peer, &hop);
    peer->env->ops->sip_close(peer->env, conn);
}

void sip_on_wake(PealPeer *peer, PealTime now)
{
    SipArena arena;

    sip_arena_enter(&arena);
    for (uint32_t conn; (conn = sip_streams_on_wake(&peer->sip->streams, now)) != 0;) {
        sip_close(peer, conn);
    }
    sip_transactions_on_wake(&peer->sip->transactions, now);
    proxy_on_wake(peer, now);
    registrar_on_wake(peer, now);
    adapters_on_wake(peer, now);
    sip_arena_leave(&arena);
}

void peal_peer_sip_status(const PealPeer *peer, PealSipStatus *ret_status)
{
    const Sip *sip = peer->sip;

    *ret_status = (PealSipStatus){.aors = 0};
    if (sip != NULL) {
        *ret_status = (PealSipStatus){.aors = sip->registrar.aors,
                                      .bindings = sip->registrar.bindings,
                                      .transactions = sip->transactions.len,
                                      .calls = sip->proxy.invites,
                                      .adapters = sip->adapters.list_len,
                                      .requests = sip->transactions.requests,
                                      .malformed = sip->malformed};
    }
}

void sip_put_random(PealPeer *peer, SipText *text, size_t len)
{
    while (len > 0) {
        uint64_t draw = peer_random(peer, PEAL_DRAW_SIP);
        char digits[SIP_RANDOM_DIGITS];
        SipText part = sip_text_make(digits, sizeof(digits));
        size_t some = len < sizeof(digits) ? len : sizeof(digits);

        sip_put_hex(&part, (const uint8_t *)&draw, sizeof(draw));
        sip_put(text, (PealStr){digits, some});
        len -= some;
    }
}

/* What comes in. */

/* Refuses what is not well-formed, where there is somebody to tell and enough to tell him: without
 * a transaction, so that nothing is kept for it. */
static void sip_malformed(PealPeer *peer, const SipMessage *message, const PealHop *from,
                          unsigned status, const char *why)
{
    SipAnswer answer = {.status = (uint16_t)status};
    char tag_text[SIP_TAG_LEN];
    SipText tag = sip_text_make(tag_text, sizeof(tag_text));
    uint8_t mac[PEAL_MAC_LEN];
    PealBytes bytes = {(const uint8_t *)message->bytes.ptr, message->bytes.len};
    size_t cap = message->bytes.len + SIP_ANSWER_SLACK;
    PealBuf *buf;
    SipText text;
    PealHop to;

    peer->sip->malformed++;
    if (!sip_message_answerable(message) || sip_build_reply_hop(message, from, &to) != 0) {
        return;
    }
    /* 8.2.7: the same tag for the same request. */
    peer->env->ops->crypto->mac(peer->sip->key, &bytes, 1, mac);
    sip_put_hex(&tag, mac, SIP_TAG_LEN / 2);
    answer.to_tag = sip_text_view(&tag);
    answer.reason = why != NULL ? sip_str(why) : (PealStr){NULL, 0};
    buf = peer->env->ops->buffer(peer->env, cap);
    text = sip_text_make((char *)buf->data, cap);
    sip_build_answer(&text, message, from, &answer);
    if (text.overflow) {
        peer->env->ops->drop(peer->env, buf);
        return;
    }
    buf->len = (uint32_t)text.len;
    peer->env->ops->sip_send_take(peer->env, &to, buf);
}

static void sip_on_message(PealPeer *peer, const PealHop *from, PealStr bytes, bool datagram)
{
    const char *why = NULL;
    unsigned status = 0;
    SipMessage message;
    int error = sip_message_scan(bytes, datagram, &message);

    if (error == -PEAL_E_UNKNOWN) {
        peer->sip->malformed++;
        return;
    }
    if (error != 0) {
        status = error == -PEAL_E_VERSION ? 505 : 400;
    } else {
        status = sip_message_check(&message, &why);
    }
    if (status != 0) {
        sip_malformed(peer, &message, from, status, why);
        return;
    }
    sip_tx_receive(&peer->sip->transactions, &message, from);
}

static bool on_stream_message(void *user, const PealHop *from, PealStr message)
{
    PealPeer *peer = user;

    if (message.len == 0) {
        sip_send(peer->env, from, (PealStr){"\r\n", 2}); /* RFC 5626 s.4.4.1 */
    } else if (gate_of(peer) == NULL || sip_admit(peer, from, message) == PEAL_ADMIT_SERVE) {
        sip_on_message(peer, from, message, false);
    }
    return true;
}

static void sip_on_datagram(PealPeer *peer, const PealHop *from, const PealBuf *buf)
{
    PealStr bytes = {(const char *)buf->data, buf->len};

    if (keepalive_is_stun(bytes)) {
        keepalive_answer(peer->env, from, bytes);
        return;
    }
    while (bytes.len > 0 && (bytes.ptr[0] == '\r' || bytes.ptr[0] == '\n')) {
        bytes = (PealStr){bytes.ptr + 1, bytes.len - 1}; /* 7.5 */
    }
    if (bytes.len > 0 && bytes.len <= SIP_MESSAGE_MAX) {
        sip_on_message(peer, from, bytes, true);
    }
}

void peal_peer_on_sip_take(PealPeer *peer, const PealHop *from, PealBuf *buf)
{
    SipArena arena;

    if (peer->sip == NULL) {
        peer->env->ops->drop(peer->env, buf);
        return;
    }
    sip_arena_enter(&arena);
    if (from->transport == PEAL_UDP) {
        sip_on_datagram(peer, from, buf);
        peer->env->ops->drop(peer->env, buf);
    } else if (sip_streams_take(&peer->sip->streams, from, buf, on_stream_message, peer) != 0) {
        peer->sip->malformed++;
        sip_close(peer, from->conn);
    }
    sip_arena_leave(&arena);
    peer_schedule(peer);
}

void peal_peer_on_sip_end(PealPeer *peer, const PealHop *hop, int error)
{
    SipArena arena;

    if (peer->sip == NULL) {
        return;
    }
    sip_arena_enter(&arena);
    sip_tx_on_end(&peer->sip->transactions, hop, error);
    if (hop->transport == PEAL_TCP && hop->conn != 0) {
        sip_streams_end(&peer->sip->streams, hop->conn);
        registrar_flow_failed(peer, hop);
    }
    sip_arena_leave(&arena);
    peer_schedule(peer);
}

void peal_peer_on_answer(PealPeer *peer, const PealAnswer *answer)
{
    SipArena arena;

    if (peer->sip == NULL) {
        return;
    }
    sip_arena_enter(&arena);
    if (!auth_on_answer(peer, answer)) {
        (void)proxy_on_answer(peer, answer);
    }
    sip_arena_leave(&arena);
    peer_schedule(peer);
}
