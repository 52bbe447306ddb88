/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_call.c - the calls of a phone, and those that it makes: RFC 3261 s.12, s.13.2, s.15. */
#include "sip/phone_state.h"

PhoneCall *phone_call_new(PealPhone *phone)
{
    PhoneCall *call;

    if (phone->calls_len >= phone->config->calls_max) {
        return NULL;
    }
    call = phone->env->ops->alloc(phone->env, sizeof(*call));
    if (call == NULL) {
        return NULL;
    }
    if (++phone->next_call == 0) {
        phone->next_call = 1;
    }
    *call = (PhoneCall){.next = phone->calls,
                        .tag = phone_random(phone),
                        .number = phone->next_call,
                        .duration = PEAL_PHONE_NO_END,
                        .started = phone_now(phone),
                        .to_ringing = {-1},
                        .to_answer = {-1},
                        .due = PEAL_TIME_NEVER};
    phone->calls = call;
    phone->calls_len++;
    return call;
}

void phone_call_free(PealPhone *phone, PhoneCall *call)
{
    PhoneCall **link = &phone->calls;

    while (*link != call) {
        link = &(*link)->next;
    }
    *link = call->next;
    phone->calls_len--;
    phone_dialog_free(phone, &call->dialog);
    if (call->kept != NULL) {
        phone->env->ops->release(phone->env, call->kept, call->kept_len);
    }
    phone->env->ops->release(phone->env, call, sizeof(*call));
}

PhoneCall *phone_call_numbered(const PealPhone *phone, uint32_t number)
{
    PhoneCall *call = phone->calls;

    while (call != NULL && call->number != number) {
        call = call->next;
    }
    return call;
}

PealStr peal_phone_call_id(const PealPhone *phone, uint64_t token)
{
    for (const PhoneCall *call = phone->calls; call != NULL; call = call->next) {
        if (!call->incoming && call->token == token) {
            return phone_dialog_part(&call->dialog, PHONE_CALL_ID);
        }
    }
    return (PealStr){NULL, 0};
}

PealPhoneEvent phone_call_event(const PhoneCall *call, PealPhoneEventKind kind)
{
    return (PealPhoneEvent){.kind = kind,
                            .status = call->status,
                            .incoming = call->incoming,
                            .answered = call->answered,
                            .hung_up = call->answered && call->hung_up,
                            .lost = call->lost,
                            .token = call->token,
                            .call = call->number,
                            .to_ringing = call->to_ringing,
                            .to_answer = call->to_answer};
}

void phone_call_end(PealPhone *phone, PhoneCall *call, unsigned status)
{
    PealPhoneEvent event;

    call->status = call->answered ? 200 : (uint16_t)status;
    event = phone_call_event(call, PEAL_PHONE_ENDED);
    phone_call_free(phone, call);
    phone_tell(phone, &event);
}

static uint64_t call_arg(const PhoneCall *call, PhonePurpose purpose)
{
    return (uint64_t)call->number << PHONE_NUMBER_SHIFT | (uint64_t)purpose;
}

/* call_over leaves the last word to the next wake, which is due at once. */
static void call_over(PealPhone *phone, PhoneCall *call, unsigned status)
{
    call->state = PHONE_OVER;
    call->status = (uint16_t)status;
    call->due = phone_now(phone);
}

int phone_call_send(PealPhone *phone, PhoneCall *call, SipMethod method, PealStr more)
{
    char lines[PHONE_LINES_MAX];
    char body[PHONE_BODY_MAX];
    SipText lines_text = sip_text_make(lines, sizeof(lines));
    SipText body_text = sip_text_make(body, sizeof(body));
    PhoneDraft draft = phone_dialog_draft(&call->dialog, method,
                                          method == SIP_ACK ? call->invite_cseq : ++call->cseq);
    SipTx tx = 0;
    int error;

    sip_put(&lines_text, draft.lines);
    sip_put(&lines_text,
            method == SIP_BYE ? more : phone_dialog_part(&call->dialog, PHONE_CREDENTIALS));
    if (method == SIP_INVITE) {
        phone_put_contact(phone, &lines_text, draft.hop.transport == PEAL_TCP);
        call->invite_cseq = call->cseq;
        draft.more = phone_dialog_part(&call->dialog, PHONE_HEADERS);
        draft.content_type = phone_dialog_part(&call->dialog, PHONE_CONTENT_TYPE);
        draft.body = phone_dialog_part(&call->dialog, PHONE_CONTENT);
        if (draft.content_type.len == 0) {
            phone_put_offer(phone, &body_text);
            draft.content_type = sip_str("application/sdp");
            draft.body = sip_text_view(&body_text);
        }
    }
    if (lines_text.overflow) {
        return -PEAL_E_FULL;
    }
    draft.lines = sip_text_view(&lines_text);
    error =
        phone_send(phone, &draft,
                   call_arg(call, method == SIP_INVITE ? PHONE_FOR_INVITE : PHONE_FOR_BYE), &tx);
    if (error == 0 && method == SIP_INVITE) {
        call->tx = tx;
    }
    return error;
}

void phone_call_bye(PealPhone *phone, PhoneCall *call)
{
    call->state = PHONE_LEAVING;
    call->hung_up = true;
    call->due = PEAL_TIME_NEVER;
    call->challenges = 0;
    if (phone_call_send(phone, call, SIP_BYE, (PealStr){NULL, 0}) != 0) {
        call->lost = true;
        call_over(phone, call, 200);
    }
}

/* call_authenticate answers a challenge to an INVITE or BYE; whether it did. */
static bool call_authenticate(PealPhone *phone, PhoneCall *call, SipMethod method,
                              const SipMessage *response)
{
    char line[PHONE_LINES_MAX / 2];
    SipText text = sip_text_make(line, sizeof(line));
    bool stale;

    if ((response->status != 401 && response->status != 407) ||
        call->challenges >= PHONE_CHALLENGES_MAX ||
        !phone_put_credentials(phone, &text, response, method,
                               phone_dialog_part(&call->dialog, PHONE_TARGET), &stale) ||
        (call->challenges > 0 && !stale)) {
        return false;
    }
    call->challenges++;
    if (method == SIP_INVITE) {
        PealStr parts[PHONE_PARTS];

        for (int part = 0; part < PHONE_PARTS; part++) {
            parts[part] = phone_dialog_part(&call->dialog, (PhoneDialogPart)part);
        }
        parts[PHONE_CREDENTIALS] = sip_text_view(&text);
        if (phone_dialog_set(phone, &call->dialog, parts) != 0) {
            return false;
        }
    }
    return phone_call_send(phone, call, method, sip_text_view(&text)) == 0;
}

static void call_on_provisional(PealPhone *phone, PhoneCall *call, unsigned status)
{
    PealPhoneEvent event;

    if (status == 100 || call->to_ringing.ns >= 0) {
        return;
    }
    call->to_ringing = peal_time_since(phone_now(phone), call->started);
    event = phone_call_event(call, PEAL_PHONE_RINGING);
    phone_tell(phone, &event);
}

/* Another branch of a forked INVITE answered too: its dialog is accepted and ended (13.2.2.4). */
static void call_decline_fork(PealPhone *phone, const PhoneCall *call, const SipMessage *response)
{
    PhoneCall other = {.number = 0, .cseq = call->cseq, .invite_cseq = call->invite_cseq};

    if (phone_dialog_learn(phone, &other.dialog, response,
                           phone_dialog_part(&call->dialog, PHONE_LOCAL),
                           sip_field(response, SIP_H_TO)) == 0) {
        (void)!phone_call_send(phone, &other, SIP_ACK, (PealStr){NULL, 0});
        (void)!phone_call_send(phone, &other, SIP_BYE, (PealStr){NULL, 0});
    }
    phone_dialog_free(phone, &other.dialog);
}

static void call_on_2xx(PealPhone *phone, PhoneCall *call, const SipMessage *response)
{
    PealPhoneEvent event;

    if (call->state != PHONE_CALLING) {
        if (!sip_equal(phone_tag(sip_field(response, SIP_H_TO)),
                       phone_tag(phone_dialog_part(&call->dialog, PHONE_REMOTE)))) {
            call_decline_fork(phone, call, response);
        } else {
            (void)!phone_call_send(phone, call, SIP_ACK, (PealStr){NULL, 0}); /* ours was lost */
        }
        return;
    }
    if (phone_dialog_learn(phone, &call->dialog, response,
                           phone_dialog_part(&call->dialog, PHONE_LOCAL),
                           sip_field(response, SIP_H_TO)) != 0) {
        phone_call_end(phone, call, 500); /* a 2xx that names no Contact makes no dialog */
        return;
    }
    (void)!phone_call_send(phone, call, SIP_ACK, (PealStr){NULL, 0});
    call->state = PHONE_UP;
    call->answered = true;
    call->status = response->status;
    call->to_answer = peal_time_since(phone_now(phone), call->started);
    if (call->give_in) { /* the CANCEL came too late */
        phone_call_bye(phone, call);
    } else {
        call->due = peal_time_add(phone_now(phone), call->duration);
    }
    event = phone_call_event(call, PEAL_PHONE_ANSWERED);
    phone_tell(phone, &event);
}

void phone_call_on_invite_response(PealPhone *phone, PhoneCall *call, const SipMessage *response)
{
    unsigned status = response->status;

    if (status / 100 == 2) {
        call_on_2xx(phone, call, response);
    } else if (call->state == PHONE_CALLING && status < 200) {
        call_on_provisional(phone, call, status);
    } else if (call->state == PHONE_CALLING &&
               (call->give_in || !call_authenticate(phone, call, SIP_INVITE, response))) {
        phone_call_end(phone, call, status);
    }
}

void phone_call_on_bye_response(PealPhone *phone, PhoneCall *call, const SipMessage *response)
{
    if (response->status >= 200 && call->state == PHONE_LEAVING &&
        !call_authenticate(phone, call, SIP_BYE, response)) {
        phone_call_end(phone, call, 200);
    }
}

bool phone_call_again(PealPhone *phone, PhoneCall *call, SipMethod method)
{
    return phone_call_send(phone, call, method, (PealStr){NULL, 0}) == 0;
}

void phone_call_on_wake(PealPhone *phone, PhoneCall *call)
{
    switch ((PhoneCallState)call->state) {
    case PHONE_CALLING: /* its patience is over */
        call->due = PEAL_TIME_NEVER;
        call->give_in = true;
        sip_tx_cancel(&phone->transactions, call->tx);
        break;
    case PHONE_RINGING:
        phone_answer_due(phone, call);
        break;
    case PHONE_UNACKED:
        phone_answer_again(phone, call);
        break;
    case PHONE_UP:
        phone_call_bye(phone, call);
        break;
    case PHONE_OVER:
        phone_call_end(phone, call, call->status);
        break;
    case PHONE_LEAVING:
        call->due = PEAL_TIME_NEVER;
        break;
    }
}

void peal_phone_hang_up_all(PealPhone *phone)
{
    for (PhoneCall *call = phone->calls; call != NULL; call = call->next) {
        call->give_in = true;
        if (call->state == PHONE_CALLING) {
            sip_tx_cancel(&phone->transactions, call->tx);
        } else if (call->state == PHONE_RINGING) {
            phone_answer_refuse(phone, call, 480);
            call_over(phone, call, 480);
        } else if (call->state == PHONE_UP) {
            phone_call_bye(phone, call);
        }
    }
    phone_schedule(phone);
}

uint32_t peal_phone_calls(const PealPhone *phone)
{
    return phone->calls_len;
}
