/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_register.c - keeps a phone registered: RFC 3261 s.10.2; the back-off is RFC 5626
 * s.4.5's. */
#include "sip/arena.h"
#include "sip/phone_state.h"

enum {
    REGISTER_RETRY_S = 30, /* doubles with each failure in a row */
    REGISTER_RETRY_MAX_S = 1800,
    REGISTER_DOUBLINGS_MAX = 6,
    REGISTER_SECONDS_MAX = 0x7fffffff
};

/* register_send sends a REGISTER for what is wanted now; `credentials` a header line or empty. */
static int register_send(PealPhone *phone, PealStr credentials)
{
    PhoneRegistration *registration = &phone->registration;
    char lines[PHONE_LINES_MAX];
    char uri[PEAL_AOR_MAX + 8];
    char from[PEAL_AOR_MAX + 32];
    char to[PEAL_AOR_MAX + 8];
    char call_id[PHONE_ID_LEN];
    SipText lines_text = sip_text_make(lines, sizeof(lines));
    SipText uri_text = sip_text_make(uri, sizeof(uri));
    SipText from_text = sip_text_make(from, sizeof(from));
    SipText to_text = sip_text_make(to, sizeof(to));
    SipText call_id_text = sip_text_make(call_id, sizeof(call_id));
    SipTx tx;
    int error;

    sip_put_z(&uri_text, "sip:");
    sip_put(&uri_text, phone_aor_domain(phone));
    sip_put_z(&to_text, "<");
    sip_put(&to_text, phone_aor(phone));
    sip_put_z(&to_text, ">");
    sip_put(&from_text, sip_text_view(&to_text));
    sip_put_z(&from_text, ";tag=");
    phone_put_id(&from_text, phone_random(phone));
    phone_put_id(&call_id_text, registration->call_id);
    phone_put_contact(phone, &lines_text, phone->proxy.transport == PEAL_TCP);
    sip_put_z(&lines_text, "Expires: ");
    sip_put_u32(&lines_text, registration->expires_s);
    sip_put_z(&lines_text, "\r\n");
    sip_put(&lines_text, credentials);
    error = phone_send(phone,
                       &(PhoneDraft){.method = SIP_REGISTER,
                                     .cseq = ++registration->cseq,
                                     .uri = sip_text_view(&uri_text),
                                     .from = sip_text_view(&from_text),
                                     .to = sip_text_view(&to_text),
                                     .call_id = sip_text_view(&call_id_text),
                                     .lines = sip_text_view(&lines_text),
                                     .hop = phone->proxy},
                       PHONE_FOR_REGISTER, &tx);
    registration->asking = error == 0;
    registration->due = PEAL_TIME_NEVER;
    return error;
}

/* register_begin starts a round: at first without credentials. */
static int register_begin(PealPhone *phone)
{
    if (phone->registration.call_id == 0) {
        phone->registration.call_id = phone_random(phone) | 1;
    }
    phone->registration.challenges = 0;
    phone->registration.again = false;
    return register_send(phone, (PealStr){NULL, 0});
}

/* Half of the wait is drawn, so that phones which lost one registrar do not come back as one. */
static PealSpan register_backoff(PealPhone *phone, uint32_t retry_after_s)
{
    PhoneRegistration *registration = &phone->registration;
    unsigned doublings = registration->failures < REGISTER_DOUBLINGS_MAX ? registration->failures
                                                                         : REGISTER_DOUBLINGS_MAX;
    int64_t most_s = (int64_t)REGISTER_RETRY_S << doublings;

    if (registration->failures < UINT8_MAX) {
        registration->failures++;
    }
    if (retry_after_s > 0) {
        return peal_seconds(retry_after_s);
    }
    most_s = most_s < REGISTER_RETRY_MAX_S ? most_s : REGISTER_RETRY_MAX_S;
    return peal_ms(500 * most_s +
                   (int64_t)peal_random_below(phone_random(phone), (uint64_t)(500 * most_s)));
}

/* A round is over: `granted_s` for a 2xx. */
static void register_end(PealPhone *phone, unsigned status, uint32_t granted_s,
                         uint32_t retry_after_s)
{
    PhoneRegistration *registration = &phone->registration;
    PealPhoneEvent event = {.kind = PEAL_PHONE_REGISTERED,
                            .status = (uint16_t)status,
                            .refresh = !registration->owed,
                            .expires_s = granted_s,
                            .token = registration->token,
                            .to_ringing = {-1},
                            .to_answer = {-1}};
    PealTime now = phone_now(phone);

    registration->asking = false;
    if (status / 100 == 2) {
        registration->failures = 0;
        registration->expires_at = peal_time_add(now, peal_seconds(granted_s));
        if (registration->wanted && !registration->again) {
            registration->due =
                peal_time_add(now, peal_ms(granted_s > 1 ? (int64_t)granted_s * 900 : 1000));
        }
    } else if (registration->wanted && !registration->again) {
        registration->due = peal_time_add(now, register_backoff(phone, retry_after_s));
    }
    if (registration->again) { /* this answer is to what is no longer asked */
        registration->due = now;
        return;
    }
    registration->owed = false;
    phone_tell(phone, &event);
}

static uint32_t field_seconds(const SipMessage *message, SipHeader header, uint32_t otherwise)
{
    PealStr value = sip_field(message, header);
    size_t len = 0;
    uint32_t seconds;

    /* Retry-After goes on behind its number. */
    while (len < value.len && value.ptr[len] >= '0' && value.ptr[len] <= '9') {
        len++;
    }
    return sip_u32((PealStr){value.ptr, len}, REGISTER_SECONDS_MAX, &seconds) == 0 ? seconds
                                                                                   : otherwise;
}

/* What a 2xx grants to this phone's own Contact. */
static uint32_t register_granted(const PealPhone *phone, const SipMessage *response)
{
    uint32_t otherwise = field_seconds(response, SIP_H_EXPIRES, phone->registration.expires_s);
    char own_text[PEAL_AOR_MAX + 96];
    SipText text = sip_text_make(own_text, sizeof(own_text));
    SipUri own;

    phone_put_contact_uri(phone, &text, phone->proxy.transport == PEAL_TCP);
    if (phone->registration.expires_s == 0 || sip_uri_parse(sip_text_view(&text), &own) != 0) {
        return 0;
    }
    for (SipCursor at = {0}; sip_next(response, SIP_H_CONTACT, &at);) {
        SipAddress contact;
        PealStr expires;
        uint32_t seconds;

        if (sip_address_parse(at.element, &contact) == 0 && sip_uri_same(&contact.uri, &own) &&
            sip_param(contact.params, "expires", &expires) &&
            sip_u32(expires, REGISTER_SECONDS_MAX, &seconds) == 0) {
            return seconds;
        }
    }
    return otherwise;
}

/* register_authenticate answers a challenge; whether it did. */
static bool register_authenticate(PealPhone *phone, const SipMessage *response)
{
    PhoneRegistration *registration = &phone->registration;
    char uri[PEAL_AOR_MAX + 8];
    char line[PHONE_LINES_MAX / 2];
    SipText uri_text = sip_text_make(uri, sizeof(uri));
    SipText text = sip_text_make(line, sizeof(line));
    bool stale;

    sip_put_z(&uri_text, "sip:");
    sip_put(&uri_text, phone_aor_domain(phone));
    if (registration->challenges >= PHONE_CHALLENGES_MAX ||
        !phone_put_credentials(phone, &text, response, SIP_REGISTER, sip_text_view(&uri_text),
                               &stale) ||
        (registration->challenges > 0 && !stale)) {
        return false;
    }
    registration->challenges++;
    return register_send(phone, sip_text_view(&text)) == 0;
}

void phone_registration_on_response(PealPhone *phone, const SipMessage *response)
{
    PhoneRegistration *registration = &phone->registration;
    uint32_t least_s;

    if (response->status < 200) {
        return;
    }
    if ((response->status == 401 || response->status == 407) && !registration->again &&
        register_authenticate(phone, response)) {
        return;
    }
    least_s = field_seconds(response, SIP_H_MIN_EXPIRES, 0);
    if (response->status == 423 && registration->expires_s != 0 &&
        least_s > registration->expires_s) { /* 10.2.8 */
        registration->expires_s = least_s;
        if (register_begin(phone) == 0) {
            return;
        }
    }
    register_end(phone, response->status,
                 response->status / 100 == 2 ? register_granted(phone, response) : 0,
                 field_seconds(response, SIP_H_RETRY_AFTER, 0));
}

void phone_registration_on_failed(PealPhone *phone, unsigned status)
{
    register_end(phone, status, 0, 0);
}

void phone_registration_again(PealPhone *phone)
{
    if (register_begin(phone) != 0) {
        register_end(phone, 503, 0, 0);
    }
}

void phone_registration_on_wake(PealPhone *phone, PealTime now)
{
    if (peal_time_due(phone->registration.due, now) && !phone->registration.asking) {
        phone_registration_again(phone);
    }
}

static int register_ask(PealPhone *phone, uint32_t expires_s, uint64_t token)
{
    PhoneRegistration *registration = &phone->registration;
    int error = 0;

    if (registration->owed) {
        return -PEAL_E_STATE;
    }
    registration->expires_s = expires_s;
    if (registration->asking) {
        registration->again = true;
    } else {
        error = register_begin(phone);
    }
    registration->wanted = error == 0 && expires_s > 0;
    registration->owed = error == 0;
    registration->token = token;
    phone_schedule(phone);
    return error;
}

int peal_phone_register(PealPhone *phone, uint32_t expires_s, uint64_t token)
{
    if (expires_s == 0 || expires_s > REGISTER_SECONDS_MAX) {
        return -PEAL_E_ARG;
    }
    return register_ask(phone, expires_s, token);
}

int peal_phone_unregister(PealPhone *phone, uint64_t token)
{
    return register_ask(phone, 0, token);
}

bool peal_phone_registered(const PealPhone *phone)
{
    PealTime now = phone->env->ops->now(phone->env);

    return !peal_time_due(phone->registration.expires_at, now);
}
