/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_answer.c - what comes in to a phone: calls, and requests within them. RFC 3261 s.8.2,
 * s.9.2, s.11.2, s.13.3, s.15.1.2. */
#include "sip/phone_state.h"

enum { ANSWER_STILL_S = 60 }; /* between the 180s of a call that rings on */

static const char ANSWER_ALLOW[] = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n";

static void answer_reply(PealPhone *phone, SipTx tx, const SipMessage *request, const PealHop *from,
                         SipAnswer answer)
{
    char tag[PHONE_ID_LEN];
    SipText text = sip_text_make(tag, sizeof(tag));

    if (answer.to_tag.len == 0) {
        phone_put_id(&text, phone_random(phone));
        answer.to_tag = sip_text_view(&text);
    }
    /* Without memory it is sent once only; a transaction that is gone needs no answer. */
    (void)!sip_tx_reply(&phone->transactions, tx, request, from, &answer);
}

static void answer_status(PealPhone *phone, SipTx tx, const SipMessage *request,
                          const PealHop *from, uint16_t status)
{
    answer_reply(phone, tx, request, from, (SipAnswer){.status = status});
}

static bool tag_is(PealStr tag, uint64_t id)
{
    char text[PHONE_ID_LEN];
    SipText own = sip_text_make(text, sizeof(text));

    phone_put_id(&own, id);
    return sip_same(tag, sip_text_view(&own));
}

/* The call whose dialog a request belongs to (12.2.2). */
static PhoneCall *answer_dialog(const PealPhone *phone, const SipMessage *request)
{
    PealStr own = phone_tag(sip_field(request, SIP_H_TO));
    PealStr other = phone_tag(sip_field(request, SIP_H_FROM));
    PealStr call_id = sip_field(request, SIP_H_CALL_ID);

    for (PhoneCall *call = phone->calls; call != NULL; call = call->next) {
        if (call->state != PHONE_CALLING && tag_is(own, call->tag) &&
            sip_equal(call_id, phone_dialog_part(&call->dialog, PHONE_CALL_ID)) &&
            sip_same(other, phone_tag(phone_dialog_part(&call->dialog, PHONE_REMOTE)))) {
            return call;
        }
    }
    return NULL;
}

/* 8.2.2.2: has this request come already, on another way? */
static bool answer_is_merged(const PealPhone *phone, const SipMessage *request)
{
    PealStr from = sip_field(request, SIP_H_FROM);
    PealStr call_id = sip_field(request, SIP_H_CALL_ID);

    for (const PhoneCall *call = phone->calls; call != NULL; call = call->next) {
        if (call->incoming && sip_equal(call_id, phone_dialog_part(&call->dialog, PHONE_CALL_ID)) &&
            sip_equal(phone_tag(from), phone_tag(phone_dialog_part(&call->dialog, PHONE_REMOTE)))) {
            return true;
        }
    }
    return false;
}

static int call_keep(PealPhone *phone, PhoneCall *call, PealStr bytes)
{
    const PealEnvOps *ops = phone->env->ops;

    if (call->kept != NULL) {
        ops->release(phone->env, call->kept, call->kept_len);
    }
    call->kept = bytes.len > 0 ? ops->alloc(phone->env, bytes.len) : NULL;
    call->kept_len = call->kept != NULL ? (uint32_t)bytes.len : 0;
    if (call->kept == NULL) {
        return bytes.len > 0 ? -PEAL_E_MEMORY : 0;
    }
    memcpy(call->kept, bytes.ptr, bytes.len);
    return 0;
}

static bool call_kept(const PhoneCall *call, SipMessage *ret_message)
{
    return call->kept != NULL &&
           sip_message_scan((PealStr){(const char *)call->kept, call->kept_len}, true,
                            ret_message) == 0;
}

/* call_reply answers the INVITE that a call came in with. */
static void call_reply(PealPhone *phone, const PhoneCall *call, SipAnswer answer)
{
    char tag[PHONE_ID_LEN];
    char contact[PEAL_AOR_MAX + 96];
    SipText tag_text = sip_text_make(tag, sizeof(tag));
    SipText contact_text = sip_text_make(contact, sizeof(contact));
    SipMessage invite;

    if (!call_kept(call, &invite)) {
        return;
    }
    phone_put_id(&tag_text, call->tag);
    answer.to_tag = sip_text_view(&tag_text);
    if (answer.status < 300) {
        phone_put_contact(phone, &contact_text, call->from.transport == PEAL_TCP);
        answer.headers = sip_text_view(&contact_text);
    }
    answer_reply(phone, call->tx, &invite, &call->from, answer);
}

/* call_learn fills in the dialog of a call that comes in. */
static int call_learn(PealPhone *phone, PhoneCall *call, const SipMessage *invite)
{
    char local[PEAL_AOR_MAX * 2];
    SipText text = sip_text_make(local, sizeof(local));

    sip_put(&text, sip_field(invite, SIP_H_TO));
    sip_put_z(&text, ";tag=");
    phone_put_id(&text, call->tag);
    if (text.overflow) {
        return -PEAL_E_VALUE;
    }
    return phone_dialog_learn(phone, &call->dialog, invite, sip_text_view(&text),
                              sip_field(invite, SIP_H_FROM));
}

static void on_invite(PealPhone *phone, SipTx tx, const SipMessage *invite, const PealHop *from)
{
    PhoneCall *call = phone_call_new(phone);
    PealPhoneEvent event;
    SipAddress caller;
    SipCSeq cseq;
    int error;

    if (call == NULL) {
        answer_status(phone, tx, invite, from, 486);
        return;
    }
    error = call_learn(phone, call, invite);
    if (error == 0) {
        error = call_keep(phone, call, invite->bytes);
    }
    if (error != 0 || sip_cseq_parse(sip_field(invite, SIP_H_CSEQ), &cseq) != 0 ||
        sip_address_parse(sip_field(invite, SIP_H_FROM), &caller) != 0) {
        phone_call_free(phone, call);
        answer_status(phone, tx, invite, from, error == -PEAL_E_MEMORY ? 500 : 400);
        return;
    }
    call->incoming = true;
    call->state = PHONE_RINGING;
    call->tx = tx;
    call->from = *from;
    call->invite_cseq = cseq.number;
    call->remote_cseq = cseq.number;
    call->reply = 200;
    call->give_up = peal_time_add(phone_now(phone), phone->config->ring);
    call_reply(phone, call, (SipAnswer){.status = 180});
    phone_answer_wait(phone, call);
    event = phone_call_event(call, PEAL_PHONE_INCOMING);
    event.peer = caller.uri.text;
    event.call_id = sip_field(invite, SIP_H_CALL_ID);
    phone_tell(phone, &event);
}

void phone_answer_refuse(PealPhone *phone, PhoneCall *call, uint16_t status)
{
    call_reply(phone, call, (SipAnswer){.status = status});
    (void)call_keep(phone, call, (PealStr){NULL, 0});
}

/* The 2xx is written here and not by its transaction, because it is sent again from here. */
static void answer_now(PealPhone *phone, PhoneCall *call)
{
    const PealEnvOps *ops = phone->env->ops;
    char tag[PHONE_ID_LEN];
    char lines[PEAL_AOR_MAX + 192];
    char body[PHONE_BODY_MAX];
    SipText tag_text = sip_text_make(tag, sizeof(tag));
    SipText lines_text = sip_text_make(lines, sizeof(lines));
    SipText body_text = sip_text_make(body, sizeof(body));
    SipMessage invite;
    PealTime now = phone_now(phone);

    if (!call_kept(call, &invite)) {
        phone_call_end(phone, call, 500);
        return;
    }
    if (invite.body.len > 0) {
        phone_put_answer(phone, &body_text, invite.body);
    } else {
        phone_put_offer(phone, &body_text); /* answered in the ACK (13.2.1) */
    }
    if (body_text.overflow) {
        phone_answer_refuse(phone, call, 488);
        phone_call_end(phone, call, 488);
        return;
    }
    phone_put_id(&tag_text, call->tag);
    phone_put_contact(phone, &lines_text, call->from.transport == PEAL_TCP);
    sip_put_z(&lines_text, ANSWER_ALLOW);

    size_t cap = call->kept_len + lines_text.len + body_text.len + 512;
    PealBuf *buf = ops->buffer(phone->env, cap);
    SipText text = sip_text_make((char *)buf->data, cap);

    sip_build_answer(&text, &invite, &call->from,
                     &(SipAnswer){.status = 200,
                                  .to_tag = sip_text_view(&tag_text),
                                  .headers = sip_text_view(&lines_text),
                                  .content_type = sip_str("application/sdp"),
                                  .body = sip_text_view(&body_text)});
    call->state = PHONE_UNACKED;
    call->started = now;
    call->interval = phone->config->sip->t1;
    call->due = peal_time_add(now, call->interval);
    call->give_up = peal_time_add(now, (PealSpan){64 * phone->config->sip->t1.ns});
    if (text.overflow || call_keep(phone, call, sip_text_view(&text)) != 0 ||
        sip_tx_answer(&phone->transactions, call->tx, 200, sip_text_view(&text)) != 0) {
        phone_call_end(phone, call, 500);
    } else {
        call->answered = true;
        call->status = 200;
    }
    ops->drop(phone->env, buf);
}

/* A proxy ends a call of which it hears nothing for three minutes (16.8). */
void phone_answer_wait(PealPhone *phone, PhoneCall *call)
{
    PealTime still = peal_time_add(phone_now(phone), peal_seconds(ANSWER_STILL_S));

    call->due = peal_time_min(call->give_up, still);
}

void phone_answer_due(PealPhone *phone, PhoneCall *call)
{
    if (!peal_time_due(call->give_up, phone_now(phone))) {
        call_reply(phone, call, (SipAnswer){.status = 180});
        phone_answer_wait(phone, call);
    } else if (call->reply == 200) {
        answer_now(phone, call);
    } else {
        phone_answer_refuse(phone, call, call->reply);
        phone_call_end(phone, call, call->reply);
    }
}

int peal_phone_play(PealPhone *phone, uint32_t call, const PealPhonePart *part)
{
    PhoneCall *rings = phone_call_numbered(phone, call);

    if (part->ring.ns < 0 || part->talk.ns < 0 ||
        (part->status != 200 && (part->status < 300 || part->status > 699))) {
        return -PEAL_E_ARG;
    }
    if (rings == NULL || rings->state != PHONE_RINGING) {
        return -PEAL_E_STATE;
    }
    rings->reply = part->status;
    rings->duration = part->talk;
    rings->give_up = peal_time_add(phone_now(phone), part->ring);
    phone_answer_wait(phone, rings);
    phone_schedule(phone);
    return 0;
}

void phone_answer_again(PealPhone *phone, PhoneCall *call)
{
    PealTime now = phone_now(phone);
    int64_t t2 = phone->config->sip->t2.ns;

    if (peal_time_due(call->give_up, now)) { /* 13.3.1.4 */
        call->lost = true;
        phone_call_bye(phone, call);
        return;
    }
    call->interval.ns = 2 * call->interval.ns < t2 ? 2 * call->interval.ns : t2;
    call->due = peal_time_min(peal_time_add(now, call->interval), call->give_up);
    (void)!sip_tx_answer(&phone->transactions, call->tx, 200,
                         (PealStr){(const char *)call->kept, call->kept_len});
}

void phone_on_ack(void *user, const SipMessage *ack, const PealHop *from)
{
    PealPhone *phone = user;
    PhoneCall *call = answer_dialog(phone, ack);
    PealPhoneEvent event;

    (void)from;
    if (call == NULL || call->state != PHONE_UNACKED) {
        return;
    }
    (void)call_keep(phone, call, (PealStr){NULL, 0});
    call->state = PHONE_UP;
    call->due = peal_time_add(call->started, call->duration);
    if (call->give_in) {
        phone_call_bye(phone, call);
    }
    event = phone_call_event(call, PEAL_PHONE_ANSWERED);
    phone_tell(phone, &event);
}

/* answer_within finds the call that a request belongs to, or refuses it: without a dialog, or out
 * of order (12.2.2). */
static PhoneCall *answer_within(PealPhone *phone, SipTx tx, const SipMessage *request,
                                const PealHop *from)
{
    PhoneCall *call = answer_dialog(phone, request);
    SipCSeq cseq;

    if (call == NULL || sip_cseq_parse(sip_field(request, SIP_H_CSEQ), &cseq) != 0) {
        answer_status(phone, tx, request, from, 481);
        return NULL;
    }
    if (cseq.number < call->remote_cseq) {
        answer_status(phone, tx, request, from, 500);
        return NULL;
    }
    call->remote_cseq = cseq.number;
    return call;
}

static void on_bye(PealPhone *phone, SipTx tx, const SipMessage *bye, const PealHop *from)
{
    PhoneCall *call = answer_within(phone, tx, bye, from);

    if (call == NULL) {
        return;
    }
    answer_status(phone, tx, bye, from, 200);
    if (call->state == PHONE_RINGING) { /* 15.1.2: what is pending gets 487 */
        phone_answer_refuse(phone, call, 487);
    }
    if (call->state != PHONE_OVER) {
        phone_call_end(phone, call, 487);
    }
}

static void on_cancel(PealPhone *phone, SipTx tx, const SipMessage *cancel, const PealHop *from,
                      SipTx matched)
{
    PhoneCall *call = phone->calls;

    while (call != NULL && (matched == 0 || call->tx != matched)) {
        call = call->next;
    }
    answer_status(phone, tx, cancel, from, matched != 0 ? 200 : 481);
    if (call != NULL && call->state == PHONE_RINGING) {
        phone_answer_refuse(phone, call, 487);
        phone_call_end(phone, call, 487);
    }
}

/* 8.2.2.3: an extension that is required and not known. */
static bool refuse_required(PealPhone *phone, SipTx tx, const SipMessage *request,
                            const PealHop *from)
{
    char line[PEAL_AOR_MAX];
    SipText text = sip_text_make(line, sizeof(line));

    if (!sip_has(request, SIP_H_REQUIRE)) {
        return false;
    }
    sip_put_z(&text, "Unsupported: ");
    sip_put(&text, sip_field(request, SIP_H_REQUIRE));
    sip_put_z(&text, "\r\n");
    answer_reply(phone, tx, request, from,
                 (SipAnswer){.status = 420,
                             .headers = text.overflow ? (PealStr){NULL, 0} : sip_text_view(&text)});
    return true;
}

void phone_on_request(void *user, SipTx tx, const SipMessage *request, const PealHop *from,
                      SipTx matched)
{
    PealPhone *phone = user;
    bool within = phone_tag(sip_field(request, SIP_H_TO)).len > 0;

    if (request->code == SIP_CANCEL) {
        on_cancel(phone, tx, request, from, matched);
    } else if (request->code != SIP_INVITE && request->code != SIP_BYE &&
               request->code != SIP_OPTIONS) {
        answer_reply(phone, tx, request, from,
                     (SipAnswer){.status = 405, .headers = sip_str(ANSWER_ALLOW)});
    } else if (refuse_required(phone, tx, request, from)) {
        return;
    } else if (request->code == SIP_BYE) {
        on_bye(phone, tx, request, from);
    } else if (request->code == SIP_OPTIONS) {
        answer_reply(phone, tx, request, from,
                     (SipAnswer){.status = 200, .headers = sip_str(ANSWER_ALLOW)});
    } else if (!within && answer_is_merged(phone, request)) {
        answer_status(phone, tx, request, from, 482);
    } else if (!within) {
        on_invite(phone, tx, request, from);
    } else { /* 14.2: the session stays as it is */
        answer_status(phone, tx, request, from, answer_dialog(phone, request) != NULL ? 488 : 481);
    }
}
