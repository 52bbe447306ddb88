/* SPDX-License-Identifier: GPL-3.0-or-later */
/* admit.c - see admit.h. */
#include "sip/admit.h"

#include "security/gate.h"
#include "sip/oc.h"

enum { ADMIT_ANSWER_SLACK = 512, ADMIT_LINE_MAX = 64 };

static bool begins_with(PealStr bytes, const char *z)
{
    size_t len = strlen(z);

    return bytes.len >= len && memcmp(bytes.ptr, z, len) == 0;
}

/* By the first bytes alone. Keep-alives and STUN are no requests of SIP, and cost next to
 * nothing. */
static bool admit_is_urgent(PealStr bytes)
{
    static const char *const finish[] = {"SIP/2.0 ", "ACK ", "BYE ", "CANCEL ", "PRACK "};

    for (size_t i = 0; i < sizeof(finish) / sizeof(finish[0]); i++) {
        if (begins_with(bytes, finish[i])) {
            return true;
        }
    }
    return bytes.len == 0 || bytes.ptr[0] < 'A' || bytes.ptr[0] > 'z';
}

/* The ACK to a refusal: it has the refusal's To tag. Only where there were refusals, for it takes a
 * look at every byte. */
static bool admit_is_ack_to_refusal(const Gate *gate, PealStr bytes)
{
    const char *at = bytes.ptr;
    const char *end = bytes.ptr + bytes.len;

    if (gate->status.refused == 0 || !begins_with(bytes, "ACK ")) {
        return false;
    }
    while (end - at >= GATE_TAG_LEN &&
           (at = memchr(at, gate->tag[0], (size_t)(end - at) - GATE_TAG_LEN + 1)) != NULL) {
        if (memcmp(at, gate->tag, GATE_TAG_LEN) == 0) {
            return true;
        }
        at++;
    }
    return false;
}

/* Whole seconds, and no two clients at the same time. RFC 7339 s.5.10.2: who does not take part in
 * overload control is told no time. */
static void admit_put_retry_after(PealPeer *peer, SipText *text)
{
    int64_t base_s = (peer->overlay->defence.retry_after.ns + PEAL_NS_PER_S - 1) / PEAL_NS_PER_S;
    uint64_t more_s = peal_random_below(peer_random(peer, PEAL_DRAW_SIP), (uint64_t)base_s + 1);

    if (!peer->overlay->defence.overload_control) {
        sip_put_z(text, "Retry-After: ");
        sip_put_u32(text, (uint32_t)((uint64_t)base_s + more_s));
        sip_put_z(text, "\r\n");
    }
}

/* Returns whether somebody was told. */
static bool admit_refuse(PealPeer *peer, const SipMessage *request, const PealHop *from)
{
    const Gate *gate = gate_of(peer);
    size_t cap = request->bytes.len + ADMIT_ANSWER_SLACK;
    char line[ADMIT_LINE_MAX];
    SipText headers = sip_text_make(line, sizeof(line));
    SipAnswer answer = {.status = 503, .to_tag = {gate->tag, GATE_TAG_LEN}};
    PealBuf *buf;
    SipText text;
    PealHop to;

    if (!sip_message_answerable(request) || sip_build_reply_hop(request, from, &to) != 0) {
        return false;
    }
    admit_put_retry_after(peer, &headers);
    answer.headers = sip_text_view(&headers);
    buf = peer->env->ops->buffer(peer->env, cap);
    text = sip_text_make((char *)buf->data, cap);
    sip_build_answer(&text, request, from, &answer);
    if (text.overflow) {
        peer->env->ops->drop(peer->env, buf);
        return false;
    }
    buf->len = (uint32_t)text.len;
    if (peer->sip->transactions.oc != NULL && oc_offered(request)) {
        PealBuf *said = oc_answer(peer->sip->transactions.oc, peer->env, sip_text_view(&text));

        if (said != NULL) {
            peer->env->ops->drop(peer->env, buf);
            buf = said;
        }
    }
    buf->attempt = 1;
    peer->env->ops->sip_send_take(peer->env, &to, buf);
    return true;
}

/* What did not get in at first sight. `token`: it was for the wait alone. */
static PealAdmit admit_look(PealPeer *peer, const PealHop *from, PealStr bytes, GateCase item,
                            bool token)
{
    Gate *gate = gate_of(peer);
    SipMessage request;

    if (item.urgent || sip_message_scan(bytes, true, &request) != 0) {
        return PEAL_ADMIT_DROP;
    }
    if (sip_has_to_tag(&request) || sip_tx_is_repetition(&peer->sip->transactions, &request)) {
        item.urgent = true;
        if ((token || gate_take(peer, &item)) && gate_has_time(peer, &item)) {
            return PEAL_ADMIT_SERVE;
        }
    }
    if ((item.known || token) && admit_refuse(peer, &request, from)) {
        gate->status.refused++;
        return PEAL_ADMIT_REFUSE;
    }
    return PEAL_ADMIT_DROP;
}

/* Tells the transactions what to say to those who take part in overload control. */
static void admit_say(PealPeer *peer)
{
    SipOc *oc = peer->sip->transactions.oc;

    if (oc != NULL) {
        oc_say(oc, gate_of(peer)->status.reduction, peer->env->ops->unix_ms(peer->env));
    }
}

PealAdmit sip_admit(PealPeer *peer, const PealHop *from, PealStr bytes)
{
    Gate *gate = gate_of(peer);
    GateCase item = {.source = gate_addr(gate, &from->addr), .urgent = admit_is_urgent(bytes)};
    PealAdmit verdict = PEAL_ADMIT_DROP;

    item.known = gate_knows(peer, item.source);
    if (!admit_is_ack_to_refusal(gate, bytes)) {
        bool token = gate_take(peer, &item);
        bool time = token && gate_has_time(peer, &item);

        admit_say(peer);
        if (time) {
            return PEAL_ADMIT_SERVE;
        }
        verdict = admit_look(peer, from, bytes, item, token);
    }
    gate->status.dropped += verdict == PEAL_ADMIT_DROP;
    return verdict;
}

PealAdmit peal_peer_sip_admit(PealPeer *peer, const PealHop *from, const uint8_t *bytes, size_t len,
                              PealSpan wait)
{
    Gate *gate = gate_of(peer);

    if (gate == NULL || peer->sip == NULL) {
        return PEAL_ADMIT_SERVE;
    }
    gate->wait = wait;
    if (from->transport != PEAL_UDP) {
        return PEAL_ADMIT_SERVE; /* sip.c judges messages of a stream, when it has found them */
    }
    return sip_admit(peer, from, (PealStr){(const char *)bytes, len});
}
