/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phones.c - see phones.h. */
#include "core/phones.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sip/arena.h"

enum { DELAY_MS = 10 };

Phones phones;

const PealPhoneEventKind phones_outgoing[3] = {PEAL_PHONE_RINGING, PEAL_PHONE_ANSWERED,
                                               PEAL_PHONE_ENDED};
const PealPhoneEventKind phones_incoming[3] = {PEAL_PHONE_INCOMING, PEAL_PHONE_ANSWERED,
                                               PEAL_PHONE_ENDED};

static void on_event(void *user, PealPhone *phone, const PealPhoneEvent *event)
{
    PhonesUser *self = user;

    CU_ASSERT_FATAL(self->events_len < PHONES_EVENTS_MAX);
    self->events[self->events_len++] = *event;
    if (event->kind == PEAL_PHONE_INCOMING && phones.part != NULL) {
        CU_ASSERT_EQUAL(peal_phone_play(phone, event->call, phones.part), 0);
    }
}

PealHop phones_hop_of(unsigned phone)
{
    return sip_env_hop((uint8_t)(phone + 1), 5060, PEAL_UDP, 0);
}

void phones_setup_with(const char *password)
{
    static const char *const aors[PHONES_LEN] = {"sip:alice@example.org", "sip:bob@example.org"};

    memset(&phones, 0, sizeof(phones));
    phones.cseq = 100;
    peal_sip_defaults(&phones.sip);
    phones.config = (PealPhoneConfig){.sip = &phones.sip,
                                      .ring = peal_seconds(2),
                                      .calls_max = 4,
                                      .event = on_event};
    for (unsigned i = 0; i < PHONES_LEN; i++) {
        PhonesUser *user = &phones.users[i];
        PealPhoneIdentity identity = {.aor = sip_str(aors[i]),
                                      .contact = phones_hop_of(i).addr,
                                      .proxy = phones_hop_of(1 - i),
                                      .password = sip_str(password)};

        sip_env_init(&user->env);
        user->env.seed = i + 1;
        CU_ASSERT_FATAL(peal_phone_size() <= sizeof(user->memory));
        CU_ASSERT_EQUAL_FATAL(peal_phone_init(user->memory, &user->env.plain.env, &phones.config,
                                              &identity, user, &user->phone),
                              0);
    }
}

void phones_setup(void)
{
    phones_setup_with("");
}

void phones_collect(void)
{
    for (unsigned i = 0; i < PHONES_LEN; i++) {
        SipEnv *env = &phones.users[i].env;

        for (size_t n = 0; n < env->sent_len; n++) {
            const SipSent *sent = &env->sent[n];
            unsigned to = (unsigned)sent->to.addr.ip[3] - 1;

            if (to >= PHONES_LEN || (phones.loses != NULL && phones.loses(i, sent->text.ptr))) {
                continue;
            }
            CU_ASSERT_FATAL(phones.flying_len < PHONES_FLYING_MAX);
            phones.flying[phones.flying_len++] =
                (PhonesFlying){peal_time_add(phones.now, peal_ms(DELAY_MS)), phones_hop_of(i), to,
                               strdup(sent->text.ptr)};
        }
        phones.sent += (unsigned)env->sent_len;
        sip_env_forget(env);
    }
}

void phones_give(unsigned phone, const PealHop *from, const char *text)
{
    PhonesUser *user = &phones.users[phone];
    PealBuf *buf = plain_buffer(&user->env.plain, (const uint8_t *)text, strlen(text), 0);

    peal_phone_on_sip_take(user->phone, from, buf);
}

static PealTime next_time(void)
{
    PealTime at = phones.flying_len > 0 ? phones.flying[0].at : PEAL_TIME_NEVER;

    for (unsigned i = 0; i < PHONES_LEN; i++) {
        at = peal_time_min(at, phones.users[i].env.wake_at);
    }
    return at;
}

static void set_now(PealTime now)
{
    phones.now = now.ns > phones.now.ns ? now : phones.now;
    for (unsigned i = 0; i < PHONES_LEN; i++) {
        phones.users[i].env.now = phones.now;
    }
}

void phones_run_to(int64_t ms)
{
    phones_collect();
    while (next_time().ns <= ms * PEAL_NS_PER_MS) {
        set_now(next_time());
        if (phones.flying_len > 0 && peal_time_due(phones.flying[0].at, phones.now)) {
            PhonesFlying flying = phones.flying[0];

            phones.flying_len--;
            memmove(phones.flying, phones.flying + 1, phones.flying_len * sizeof(phones.flying[0]));
            phones_give(flying.to, &flying.from, flying.text);
            free(flying.text);
        } else {
            for (unsigned i = 0; i < PHONES_LEN; i++) {
                if (peal_time_due(phones.users[i].env.wake_at, phones.now)) {
                    phones.users[i].env.wake_at = PEAL_TIME_NEVER;
                    peal_phone_on_wake(phones.users[i].phone);
                }
            }
        }
        phones_collect();
    }
    set_now((PealTime){ms * PEAL_NS_PER_MS});
}

void phones_finish(void)
{
    for (unsigned i = 0; i < PHONES_LEN; i++) {
        peal_phone_fini(phones.users[i].phone);
        CU_ASSERT(sip_env_fini(&phones.users[i].env));
    }
    for (unsigned i = 0; i < phones.flying_len; i++) {
        free(phones.flying[i].text);
    }
}

void phones_play(const PealPhonePart *part)
{
    phones.part = part;
}

void phones_kinds_are(unsigned phone, const PealPhoneEventKind *kinds, unsigned len)
{
    const PhonesUser *user = &phones.users[phone];

    CU_ASSERT_EQUAL_FATAL(user->events_len, len);
    for (unsigned i = 0; i < len; i++) {
        CU_ASSERT_EQUAL(user->events[i].kind, kinds[i]);
    }
}

int phones_call_bob(int64_t duration_s)
{
    return peal_phone_call(phones.users[0].phone, sip_str("sip:bob@example.org"),
                           duration_s < 0 ? PEAL_PHONE_NO_END : peal_seconds(duration_s), 77);
}

void phones_tell(const char *status, const char *request, const char *more)
{
    char answer[4096];
    char copied[2048] = "";
    const char *at = strstr(request, "\r\n") + 2;
    PealHop from = phones_hop_of(1);

    for (const char *end; (end = strstr(at, "\r\n")) != NULL && end != at; at = end + 2) {
        static const char *const names[] = {"Via:", "From:", "To:", "Call-ID:", "CSeq:"};

        for (size_t i = 0; i < 5; i++) {
            if (strncmp(at, names[i], strlen(names[i])) == 0) {
                strncat(copied, at, (size_t)(end - at));
                strcat(copied, i == 2 && strncmp(status, "100", 3) != 0 ? ";tag=srv\r\n" : "\r\n");
            }
        }
    }
    snprintf(answer, sizeof(answer), "SIP/2.0 %s\r\n%s%sContent-Length: 0\r\n\r\n", status, copied,
             more);
    phones_give(0, &from, answer);
}

const char *phones_last_sent(unsigned phone)
{
    const SipEnv *env = &phones.users[phone].env;

    CU_ASSERT_FATAL(env->sent_len > 0);
    return env->sent[env->sent_len - 1].text.ptr;
}

void phones_wait_to(int64_t ms)
{
    SipEnv *env = &phones.users[0].env;

    while (env->wake_at.ns <= ms * PEAL_NS_PER_MS) {
        set_now(env->wake_at);
        env->wake_at = PEAL_TIME_NEVER;
        peal_phone_on_wake(phones.users[0].phone);
    }
    set_now((PealTime){ms * PEAL_NS_PER_MS});
}
