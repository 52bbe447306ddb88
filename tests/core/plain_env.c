/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plain_env.c - malloc behind the environment's four memory operations, and silence.
 */
#include "core/plain_env.h"

#include <stdlib.h>

static PealBuf *plain_env_buffer(PealEnv *base, size_t cap)
{
    PlainEnv *env = (PlainEnv *)base;
    PealBuf *buf = calloc(1, sizeof(*buf) + cap);

    if (buf == NULL) {
        abort();
    }
    buf->cap = (uint32_t)cap;
    env->buffers++;
    env->buffer_most = cap > env->buffer_most ? cap : env->buffer_most;
    return buf;
}

static void plain_env_drop(PealEnv *base, PealBuf *buf)
{
    ((PlainEnv *)base)->buffers--;
    free(buf);
}

static void *plain_env_alloc(PealEnv *base, size_t size)
{
    PlainEnv *env = (PlainEnv *)base;

    if (env->bytes_limit != 0 && env->bytes + size > env->bytes_limit) {
        return NULL;
    }
    env->bytes += size;
    env->bytes_most = env->bytes > env->bytes_most ? env->bytes : env->bytes_most;
    return calloc(1, size);
}

static void plain_env_release(PealEnv *base, void *ptr, size_t size)
{
    ((PlainEnv *)base)->bytes -= size;
    free(ptr);
}

static void plain_env_done(PealEnv *env, uint64_t token, const PealOutcome *outcome)
{
    (void)env;
    (void)token;
    (void)outcome;
}

static int plain_env_persist(PealEnv *env, PealSlot slot, const uint8_t *data, size_t len)
{
    (void)env;
    (void)slot;
    (void)data;
    (void)len;
    return 0;
}

static void plain_env_trace(PealEnv *env, const PealTrace *record)
{
    (void)env;
    (void)record;
}

void plain_env_init(PlainEnv *env)
{
    *env = (PlainEnv){.ops = {.buffer = plain_env_buffer,
                              .drop = plain_env_drop,
                              .alloc = plain_env_alloc,
                              .release = plain_env_release,
                              .done = plain_env_done,
                              .persist = plain_env_persist,
                              .trace = plain_env_trace}};
    env->env.ops = &env->ops;
}

PealBuf *plain_buffer(PlainEnv *env, const uint8_t *bytes, size_t len, size_t room)
{
    PealBuf *buf = plain_env_buffer(&env->env, len + room);

    if (len > 0) {
        memcpy(buf->data, bytes, len);
    }
    buf->len = (uint32_t)len;
    return buf;
}

bool plain_env_clean(const PlainEnv *env)
{
    return env->buffers == 0 && env->bytes == 0;
}
