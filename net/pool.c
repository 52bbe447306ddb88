/* SPDX-License-Identifier: GPL-3.0-or-later */
/* pool.c - a list of pieces for each size; see pool.h. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

/* What is given back is to be forgotten where a sanitizer looks for its use. */
#if defined(__SANITIZE_ADDRESS__)
#define POOL_KEEPS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOL_KEEPS 0
#endif
#endif
#ifndef POOL_KEEPS
#define POOL_KEEPS 1
#endif

static size_t pool_steps(size_t size)
{
    return size == 0 ? 1 : (size + POOL_STEP - 1) / POOL_STEP;
}

size_t pool_size(size_t size)
{
    return size <= POOL_SIZE_MAX ? pool_steps(size) * POOL_STEP : size;
}

void *pool_alloc(Pool *pool, size_t size)
{
    void *piece = size <= POOL_SIZE_MAX ? pool->kept[pool_steps(size)] : NULL;

    if (piece == NULL) {
        return malloc(pool_size(size));
    }
    memcpy(&pool->kept[pool_steps(size)], piece, sizeof(void *));
    pool->kept_bytes -= pool_size(size);
    return piece;
}

void pool_release(Pool *pool, void *piece, size_t size)
{
    if (piece == NULL) {
        return;
    }
    if (!POOL_KEEPS || size > POOL_SIZE_MAX || pool->kept_bytes + pool_size(size) > POOL_KEPT_MAX) {
        free(piece);
        return;
    }
    memcpy(piece, &pool->kept[pool_steps(size)], sizeof(void *));
    pool->kept[pool_steps(size)] = piece;
    pool->kept_bytes += pool_size(size);
}

void pool_fini(Pool *pool)
{
    for (size_t i = 0; i < sizeof(pool->kept) / sizeof(*pool->kept); i++) {
        while (pool->kept[i] != NULL) {
            void *piece = pool->kept[i];

            memcpy(&pool->kept[i], piece, sizeof(void *));
            free(piece);
        }
    }
    pool->kept_bytes = 0;
}
