/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phone.c - a phone's life, and what the world tells it. */
#include "sip/arena.h"
#include "sip/oc.h"
#include "sip/phone_state.h"

enum {
    PHONE_ALIGN = 16,
    PHONE_TEXT_MAX = 255,
    PHONE_STATUS_TIMEOUT = 408,
    PHONE_STATUS_GONE = 503
};

static void phone_on_response(void *user, SipTx tx, uint64_t arg, const SipMessage *response,
                              const PealHop *from)
{
    PealPhone *phone = user;
    PhoneCall *call = phone_call_numbered(phone, (uint32_t)(arg >> PHONE_NUMBER_SHIFT));

    (void)tx;
    (void)from;
    switch ((PhonePurpose)(arg & PHONE_PURPOSES)) {
    case PHONE_FOR_REGISTER:
        phone_registration_on_response(phone, response);
        break;
    case PHONE_FOR_INVITE:
        if (call != NULL) {
            phone_call_on_invite_response(phone, call, response);
        }
        break;
    case PHONE_FOR_BYE:
        if (call != NULL) {
            phone_call_on_bye_response(phone, call, response);
        }
        break;
    case PHONE_FOR_NOBODY:
        break;
    }
}

static void phone_on_failed(void *user, SipTx tx, uint64_t arg, int error)
{
    PealPhone *phone = user;
    PhoneCall *call = phone_call_numbered(phone, (uint32_t)(arg >> PHONE_NUMBER_SHIFT));
    unsigned status = error == -PEAL_E_TIMEOUT ? PHONE_STATUS_TIMEOUT : PHONE_STATUS_GONE;
    /* 18.1.1: what only its length made go by TCP goes by UDP after all. */
    bool again = (arg & PHONE_TURNED) != 0 && error != -PEAL_E_TIMEOUT && !phone->datagrams;

    (void)tx;
    phone->datagrams |= again;
    switch ((PhonePurpose)(arg & PHONE_PURPOSES)) {
    case PHONE_FOR_REGISTER:
        if (again) {
            phone_registration_again(phone);
        } else {
            phone_registration_on_failed(phone, status);
        }
        break;
    case PHONE_FOR_INVITE:
        if (call != NULL && call->state == PHONE_CALLING &&
            !(again && phone_call_again(phone, call, SIP_INVITE))) {
            phone_call_end(phone, call, status);
        }
        break;
    case PHONE_FOR_BYE:
        if (call != NULL && call->state == PHONE_LEAVING &&
            !(again && phone_call_again(phone, call, SIP_BYE))) {
            call->lost = true;
            phone_call_end(phone, call, status);
        }
        break;
    case PHONE_FOR_NOBODY:
        break;
    }
}

static void phone_on_ended(void *user, SipTx tx, uint64_t arg, bool server)
{
    (void)user;
    (void)tx;
    (void)arg;
    (void)server;
}

static const SipTransactionUser phone_user = {phone_on_request, phone_on_ack, phone_on_response,
                                              phone_on_failed, phone_on_ended};

PealStr phone_username(const PealPhone *phone)
{
    return phone->username_len > 0 ? (PealStr){phone->texts + phone->aor_len, phone->username_len}
                                   : phone_aor_user(phone);
}

size_t peal_phone_size(void)
{
    return (sizeof(PealPhone) + PHONE_ALIGN - 1) & ~(size_t)(PHONE_ALIGN - 1);
}

/* The place of the '@' in a sip: AOR that can be written between angle brackets, 0 for none. */
static size_t aor_at(PealStr aor)
{
    size_t at = 0;

    for (size_t i = 0; i < aor.len; i++) {
        unsigned char byte = (unsigned char)aor.ptr[i];

        if (byte <= ' ' || byte == 0x7f || byte == '<' || byte == '>' || byte == '"') {
            return 0;
        }
        at = byte == '@' ? i : at;
    }
    return aor.len <= PEAL_AOR_MAX && at > 4 && at + 1 < aor.len &&
                   sip_same((PealStr){aor.ptr, 4}, sip_str("sip:"))
               ? at
               : 0;
}

int peal_phone_init(void *memory, PealEnv *env, const PealPhoneConfig *config,
                    const PealPhoneIdentity *identity, void *user, PealPhone **ret_phone)
{
    PealPhone *phone = memory;
    size_t at = aor_at(identity->aor);
    size_t texts_len = identity->aor.len + identity->username.len + identity->password.len;
    char *texts;

    if (at == 0 || identity->username.len > PHONE_TEXT_MAX ||
        identity->password.len > PHONE_TEXT_MAX || identity->contact.family == 0 ||
        identity->proxy.addr.family == 0) {
        return -PEAL_E_ARG;
    }
    texts = env->ops->alloc(env, texts_len);
    if (texts == NULL) {
        return -PEAL_E_MEMORY;
    }
    memcpy(texts, identity->aor.ptr, identity->aor.len);
    if (identity->username.len > 0) {
        memcpy(texts + identity->aor.len, identity->username.ptr, identity->username.len);
    }
    if (identity->password.len > 0) {
        memcpy(texts + identity->aor.len + identity->username.len, identity->password.ptr,
               identity->password.len);
    }
    *phone = (PealPhone){.env = env,
                         .config = config,
                         .user = user,
                         .texts = texts,
                         .wake_at = PEAL_TIME_NEVER,
                         .registration = {.due = PEAL_TIME_NEVER},
                         .proxy = identity->proxy,
                         .contact = identity->contact,
                         .aor_len = (uint8_t)identity->aor.len,
                         .username_len = (uint8_t)identity->username.len,
                         .password_len = (uint8_t)identity->password.len,
                         .at = (uint8_t)at};
    sip_arena_setup();
    sip_transactions_init(&phone->transactions, env, config->sip, &phone_user, phone);
    if (config->overload_control) {
        phone->transactions.oc = env->ops->alloc(env, sizeof(SipOc));
    }
    sip_streams_init(&phone->streams, env);
    *ret_phone = phone;
    return 0;
}

void peal_phone_fini(PealPhone *phone)
{
    sip_transactions_fini(&phone->transactions);
    if (phone->transactions.oc != NULL) {
        phone->env->ops->release(phone->env, phone->transactions.oc, sizeof(SipOc));
    }
    sip_streams_fini(&phone->streams);
    while (phone->calls != NULL) {
        phone_call_free(phone, phone->calls);
    }
    phone->env->ops->release(phone->env, phone->texts,
                             (size_t)phone->aor_len + phone->username_len + phone->password_len);
}

void phone_schedule(PealPhone *phone)
{
    PealTime at = peal_time_min(phone->transactions.deadline, phone->registration.due);

    if (phone->dispatch) {
        return;
    }
    at = peal_time_min(at, phone->streams.deadline);
    for (const PhoneCall *call = phone->calls; call != NULL; call = call->next) {
        at = peal_time_min(at, call->due);
    }
    if (at.ns != phone->wake_at.ns) {
        phone->wake_at = at;
        phone->env->ops->wake_at(phone->env, at);
    }
}

/* Every dispatch that may tell events: values are read in its arena. */
static void dispatch_begin(PealPhone *phone, SipArena *arena)
{
    phone->dispatch = true;
    sip_arena_enter(arena);
}

static void dispatch_end(PealPhone *phone, SipArena *arena)
{
    sip_arena_leave(arena);
    phone->dispatch = false;
    phone_schedule(phone);
}

static void phone_refuse(PealPhone *phone, const SipMessage *request, const PealHop *from,
                         unsigned status, const char *why)
{
    size_t cap = request->bytes.len + 512;
    PealBuf *buf = phone->env->ops->buffer(phone->env, cap);
    SipText text = sip_text_make((char *)buf->data, cap);
    PealHop to;

    sip_build_answer(&text, request, from,
                     &(SipAnswer){.status = (uint16_t)status, .reason = sip_str(why)});
    if (!text.overflow && sip_build_reply_hop(request, from, &to) == 0) {
        sip_send(phone->env, &to, sip_text_view(&text));
    }
    phone->env->ops->drop(phone->env, buf);
}

static void phone_message(PealPhone *phone, const PealHop *from, PealStr bytes, bool datagram)
{
    SipMessage message;
    const char *why = "";
    int error = sip_message_scan(bytes, datagram, &message);
    unsigned status = error == 0                 ? sip_message_check(&message, &why)
                      : error == -PEAL_E_VERSION ? 505
                                                 : 400;

    if (error == -PEAL_E_UNKNOWN) {
        return;
    }
    if (status == 0) {
        sip_tx_receive(&phone->transactions, &message, from);
    } else if (sip_message_answerable(&message)) {
        phone_refuse(phone, &message, from, status, why);
    }
}

static bool phone_on_stream(void *user, const PealHop *from, PealStr message)
{
    PealPhone *phone = user;

    if (message.len == 0) {
        sip_send(phone->env, from, sip_str("\r\n"));
    } else {
        phone_message(phone, from, message, false);
    }
    return true;
}

void peal_phone_on_sip_take(PealPhone *phone, const PealHop *from, PealBuf *buf)
{
    SipArena arena;

    dispatch_begin(phone, &arena);
    if (from->transport == PEAL_TCP) {
        if (sip_streams_take(&phone->streams, from, buf, phone_on_stream, phone) != 0) {
            phone->env->ops->sip_close(phone->env, from->conn);
        }
    } else {
        PealStr bytes = {(const char *)buf->data, buf->len};

        while (bytes.len > 0 && (bytes.ptr[0] == '\r' || bytes.ptr[0] == '\n')) {
            bytes.ptr++;
            bytes.len--;
        }
        phone_message(phone, from, bytes, true);
        phone->env->ops->drop(phone->env, buf);
    }
    dispatch_end(phone, &arena);
}

void peal_phone_on_sip_end(PealPhone *phone, const PealHop *hop, int error)
{
    sip_streams_end(&phone->streams, hop->conn);
    sip_tx_on_end(&phone->transactions, hop, error);
    phone_schedule(phone);
}

/* Calls that are due, one after the other: telling of one may change the list. */
static PhoneCall *phone_due_call(const PealPhone *phone, PealTime now)
{
    PhoneCall *call = phone->calls;

    while (call != NULL && !peal_time_due(call->due, now)) {
        call = call->next;
    }
    return call;
}

void peal_phone_on_wake(PealPhone *phone)
{
    PealTime now = phone_now(phone);
    PhoneCall *call;
    SipArena arena;
    uint32_t conn;

    dispatch_begin(phone, &arena);
    phone->wake_at = PEAL_TIME_NEVER;
    sip_transactions_on_wake(&phone->transactions, now);
    phone_registration_on_wake(phone, now);
    while ((call = phone_due_call(phone, now)) != NULL) {
        phone_call_on_wake(phone, call);
    }
    while (peal_time_due(phone->streams.deadline, now) &&
           (conn = sip_streams_on_wake(&phone->streams, now)) != 0) {
        phone->env->ops->sip_close(phone->env, conn);
    }
    dispatch_end(phone, &arena);
}

void peal_phone_move(PealPhone *phone, const PealAddr *contact, const PealHop *proxy)
{
    phone->contact = *contact;
    phone->proxy = *proxy;
    if (phone->registration.wanted) {
        phone->registration.again = phone->registration.asking;
        phone->registration.due = phone_now(phone);
    }
    phone_schedule(phone);
}
