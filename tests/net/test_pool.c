/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_pool.c - memory kept by size. */
#include "pool.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "peal_test.h"

static void pool_pieces_do_not_overlap(void)
{
    enum { SIZES = POOL_SIZE_MAX + 2 };
    static uint8_t *pieces[SIZES];
    Pool pool = {0};

    for (int turn = 0; turn < 3; turn++) {
        for (size_t size = 0; size < SIZES; size += 17) {
            pieces[size] = pool_alloc(&pool, size);
            CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[size]);
            memset(pieces[size], (int)(size % 251), size);
        }
        for (size_t size = 0; size < SIZES; size += 17) {
            bool whole = true;

            for (size_t i = 0; i < size; i++) {
                whole = whole && pieces[size][i] == size % 251;
            }
            CU_ASSERT(whole);
            pool_release(&pool, pieces[size], size);
        }
    }
    pool_fini(&pool);
    CU_ASSERT_EQUAL(pool.kept_bytes, 0);
}

static void pool_keeps_no_more_than_its_bound(void)
{
    enum { PIECES = 2 * POOL_KEPT_MAX / POOL_SIZE_MAX };
    static void *pieces[PIECES];
    Pool pool = {0};

    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = pool_alloc(&pool, POOL_SIZE_MAX);
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        pool_release(&pool, pieces[i], POOL_SIZE_MAX);
        CU_ASSERT(pool.kept_bytes <= POOL_KEPT_MAX);
    }
    pool_release(&pool, NULL, 1);
    pool_fini(&pool);
}

PEAL_TEST_MAIN("net/pool", PEAL_TEST(pool_pieces_do_not_overlap),
               PEAL_TEST(pool_keeps_no_more_than_its_bound))
