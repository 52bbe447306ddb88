/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pool.h - memory that comes and goes thousands of times a second, kept by size for the next time.
 * Source: none.
 * State:  a pool has at most POOL_KEPT_MAX bytes that nobody uses, none before they were used once.
 * Time:   none.
 */
#ifndef NET_POOL_H
#define NET_POOL_H

#include <stddef.h>

enum {
    POOL_STEP = 64, /* sizes are rounded up to these */
    POOL_SIZE_MAX = 4096,
    POOL_KEPT_MAX = 4 << 20
};

/* All zero is an empty pool. */
typedef struct Pool {
    void *kept[POOL_SIZE_MAX / POOL_STEP + 1]; /* by size in steps: each leads to the next */
    size_t kept_bytes;
} Pool;

/* pool_size is how many bytes a piece of `size` has in truth. */
size_t pool_size(size_t size);
/* pool_alloc gives a piece of at least size bytes, with whatever is in it; NULL without memory. */
void *pool_alloc(Pool *pool, size_t size);
/* pool_release takes a piece back. NULL is allowed. */
void pool_release(Pool *pool, void *piece, size_t size);
void pool_fini(Pool *pool);

#endif
