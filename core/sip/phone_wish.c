/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone_wish.c - the calls that a phone is asked to make: RFC 3261 s.7.3, s.8.1.1, s.13.2.1. */
#include "sip/lex.h"
#include "sip/names.h"
#include "sip/phone_state.h"

/* wish_dial makes the texts of a call that has no dialog yet. */
static int wish_dial(PealPhone *phone, PhoneCall *call, const PealPhoneWish *wish)
{
    char id[PHONE_ID_LEN];
    char local[PEAL_AOR_MAX + 32];
    char remote[PEAL_AOR_MAX + 2];
    SipText id_text = sip_text_make(id, sizeof(id));
    SipText local_text = sip_text_make(local, sizeof(local));
    SipText remote_text = sip_text_make(remote, sizeof(remote));

    phone_put_id(&id_text, phone_random(phone));
    sip_put_z(&local_text, "<");
    sip_put(&local_text, phone_aor(phone));
    sip_put_z(&local_text, ">;tag=");
    phone_put_id(&local_text, call->tag);
    sip_put_z(&remote_text, "<");
    sip_put(&remote_text, wish->aor);
    sip_put_z(&remote_text, ">");
    call->dialog.hop = phone->proxy;
    return phone_dialog_set(phone, &call->dialog,
                            (PealStr[PHONE_PARTS]){[PHONE_CALL_ID] = sip_text_view(&id_text),
                                                   [PHONE_LOCAL] = sip_text_view(&local_text),
                                                   [PHONE_REMOTE] = sip_text_view(&remote_text),
                                                   [PHONE_TARGET] = wish->aor,
                                                   [PHONE_HEADERS] = wish->headers,
                                                   [PHONE_CONTENT_TYPE] = wish->content_type,
                                                   [PHONE_CONTENT] = wish->body});
}

/* Nothing that would break the lines it is written into. */
static bool wish_can_dial(PealStr aor)
{
    for (size_t i = 0; i < aor.len; i++) {
        if ((unsigned char)aor.ptr[i] <= ' ' || aor.ptr[i] == '<' || aor.ptr[i] == '>' ||
            aor.ptr[i] == 0x7f) {
            return false;
        }
    }
    return aor.len > 4 && aor.len <= PEAL_AOR_MAX &&
           sip_same((PealStr){aor.ptr, 4}, sip_str("sip:"));
}

/* Header fields that are the phone's own to write. */
static bool wish_is_own(SipHeader header)
{
    switch (header) {
    case SIP_H_VIA:
    case SIP_H_FROM:
    case SIP_H_TO:
    case SIP_H_CALL_ID:
    case SIP_H_CSEQ:
    case SIP_H_CONTACT:
    case SIP_H_MAX_FORWARDS:
    case SIP_H_ROUTE:
    case SIP_H_RECORD_ROUTE:
    case SIP_H_AUTHORIZATION:
    case SIP_H_PROXY_AUTHORIZATION:
    case SIP_H_CONTENT_TYPE:
    case SIP_H_CONTENT_LENGTH:
        return true;
    default:
        return false;
    }
}

/* The length of the first line with its end, 0 when it has none. */
static size_t wish_line(PealStr lines)
{
    for (size_t i = 0; i + 1 < lines.len; i++) {
        char byte = lines.ptr[i];

        if (byte == '\r') {
            return lines.ptr[i + 1] == '\n' ? i + 2 : 0;
        }
        if (byte == '\n' || byte == '\0') {
            return 0;
        }
    }
    return 0;
}

/* Are these whole header fields, of names that may be there? */
static bool wish_can_say(PealStr lines)
{
    bool first = true;
    size_t len;

    for (; lines.len > 0; lines.ptr += len, lines.len -= len) {
        bool folded = !first && (lines.ptr[0] == ' ' || lines.ptr[0] == '\t');
        size_t name = lex_span(lines, 0, LEX_TOKEN);
        size_t colon = name;

        len = wish_line(lines);
        if (len <= 2) {
            return false;
        }
        first = false;
        if (folded) {
            continue;
        }
        while (lines.ptr[colon] == ' ' || lines.ptr[colon] == '\t') {
            colon++;
        }
        if (name == 0 || lines.ptr[colon] != ':' ||
            wish_is_own(sip_header((PealStr){lines.ptr, name}))) {
            return false;
        }
    }
    return true;
}

/* A media type stands in one line. */
static bool wish_is_type(PealStr type)
{
    for (size_t i = 0; i < type.len; i++) {
        if ((unsigned char)type.ptr[i] < ' ' || type.ptr[i] == 0x7f) {
            return false;
        }
    }
    return type.len == 0 || type.ptr[0] != ' ';
}

int peal_phone_call_as(PealPhone *phone, const PealPhoneWish *wish)
{
    PhoneCall *call;
    int error;

    if (!wish_can_dial(wish->aor) || wish->duration.ns < 0 || wish->patience.ns < 0 ||
        wish->headers.len > PEAL_PHONE_TEXT_MAX || wish->content_type.len > PEAL_AOR_MAX ||
        wish->body.len > PEAL_PHONE_TEXT_MAX ||
        (wish->body.len > 0 && wish->content_type.len == 0) || !wish_can_say(wish->headers) ||
        !wish_is_type(wish->content_type)) {
        return -PEAL_E_ARG;
    }
    if (phone->calls_len >= phone->config->calls_max) {
        return -PEAL_E_FULL;
    }
    call = phone_call_new(phone);
    if (call == NULL) {
        return -PEAL_E_MEMORY;
    }
    call->token = wish->token;
    call->duration = wish->duration;
    call->due = peal_time_add(call->started, wish->patience);
    error = wish_dial(phone, call, wish);
    if (error == 0) {
        error = phone_call_send(phone, call, SIP_INVITE, (PealStr){NULL, 0});
    }
    if (error != 0) {
        phone_call_free(phone, call);
    }
    phone_schedule(phone);
    return error;
}

int peal_phone_call(PealPhone *phone, PealStr aor, PealSpan duration, uint64_t token)
{
    return peal_phone_call_as(phone, &(PealPhoneWish){.aor = aor,
                                                      .duration = duration,
                                                      .patience = PEAL_PHONE_NO_END,
                                                      .token = token});
}
