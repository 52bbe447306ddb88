/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plain_env.h - an environment for tests of single parts: malloc, and a count of what is not given
 * back.
 * Source: none.   State: one PlainEnv per test.   Time: none.
 */
#ifndef TESTS_PLAIN_ENV_H
#define TESTS_PLAIN_ENV_H

#include <peal/env.h>

typedef struct PlainEnv {
    PealEnv env; /* first: the parts see this */
    PealEnvOps ops;
    size_t buffers;     /* not dropped yet */
    size_t bytes;       /* allocated and not released */
    size_t bytes_most;  /* the most there ever were, buffers not counted */
    size_t buffer_most; /* capacity of the largest buffer asked for */
    size_t bytes_limit; /* alloc gives NULL beyond; 0 for none */
} PlainEnv;

/* plain_env_init makes an environment that can only allocate, and hears done, persist and trace
 * without a word. */
void plain_env_init(PlainEnv *env);

/* plain_buffer copies bytes into a new buffer with `room` bytes to spare. */
PealBuf *plain_buffer(PlainEnv *env, const uint8_t *bytes, size_t len, size_t room);

/* plain_env_clean: has everything been given back? */
bool plain_env_clean(const PlainEnv *env);

#endif
