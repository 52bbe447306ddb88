/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip_env.c - the environment of SIP's tests. */
#include "core/sip_env.h"

#include <peal_openssl/crypto.h>
#include <stdlib.h>

static PealTime sip_env_now(PealEnv *base)
{
    return ((SipEnv *)base)->now;
}

static uint64_t sip_env_unix_ms(PealEnv *base)
{
    return UINT64_C(1700000000000) + (uint64_t)(((SipEnv *)base)->now.ns / PEAL_NS_PER_MS);
}

static uint64_t sip_env_random(PealEnv *base, PealDraw purpose)
{
    SipEnv *env = (SipEnv *)base;

    return peal_random_at(env->seed, peal_random_stream(0, purpose), env->draws++);
}

static void sip_env_wake_at(PealEnv *base, PealTime at)
{
    ((SipEnv *)base)->wake_at = at;
}

static void sip_env_send_take(PealEnv *base, const PealHop *to, PealBuf *buf)
{
    SipEnv *env = (SipEnv *)base;
    SipSent *sent = &env->sent[env->sent_len % SIP_SENT_MAX];

    env->sent_len++;
    if (!env->deaf) {
        char *text;

        if (env->sent_len > SIP_SENT_MAX || (text = malloc(buf->len + 1)) == NULL) {
            abort();
        }
        memcpy(text, buf->data, buf->len);
        text[buf->len] = '\0';
        *sent = (SipSent){env->now, *to, buf->attempt, {text, buf->len}};
    }
    base->ops->drop(base, buf);
}

void sip_env_init(SipEnv *env)
{
    memset(env, 0, sizeof(*env));
    plain_env_init(&env->plain);
    env->plain.ops.now = sip_env_now;
    env->plain.ops.unix_ms = sip_env_unix_ms;
    env->plain.ops.random = sip_env_random;
    env->plain.ops.wake_at = sip_env_wake_at;
    env->plain.ops.sip_send_take = sip_env_send_take;
    env->plain.ops.crypto = peal_openssl_crypto();
    env->wake_at = PEAL_TIME_NEVER;
    env->seed = 1;
}

void sip_env_forget(SipEnv *env)
{
    for (size_t i = 0; !env->deaf && i < env->sent_len; i++) {
        free((char *)env->sent[i].text.ptr);
    }
    env->sent_len = 0;
}

bool sip_env_fini(SipEnv *env)
{
    sip_env_forget(env);
    return plain_env_clean(&env->plain);
}

bool sip_env_says(const SipEnv *env, size_t i, const char *start)
{
    return i < env->sent_len && strncmp(env->sent[i].text.ptr, start, strlen(start)) == 0;
}

bool sip_env_has(const SipEnv *env, size_t i, const char *text)
{
    return i < env->sent_len && strstr(env->sent[i].text.ptr, text) != NULL;
}

int64_t sip_env_at_ms(const SipEnv *env, size_t i)
{
    return i < env->sent_len ? env->sent[i].at.ns / PEAL_NS_PER_MS : -1;
}

PealHop sip_env_hop(uint8_t last_octet, uint16_t port, PealTransport transport, uint32_t conn)
{
    return (PealHop){.addr = {.ip = {192, 0, 2, last_octet}, .port = port, .family = 4},
                     .transport = (uint8_t)transport,
                     .conn = conn};
}
