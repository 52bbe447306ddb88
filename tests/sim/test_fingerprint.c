/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_fingerprint.c - every part of a delivery enters the fingerprint, and its place in the
 * chain. */
#include <stdint.h>

#include "fingerprint.h"
#include "peal_test.h"

enum { LEN = 100 };

static uint64_t add(uint64_t chain, int64_t at, uint32_t source, const uint8_t *data, size_t len)
{
    return fingerprint_add(chain, (PealTime){at}, source, (PealBytes){data, len});
}

static void fingerprint_changes_with_any_bit(void)
{
    uint8_t data[LEN];
    uint64_t original;

    for (size_t len = 0; len < LEN; len++) {
        for (size_t i = 0; i < len; i++) {
            data[i] = (uint8_t)(i * 7);
        }
        original = add(1, 1000, 5, data, len);
        for (size_t bit = 0; bit < len * 8; bit++) {
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT_NOT_EQUAL(add(1, 1000, 5, data, len), original);
            data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        CU_ASSERT_EQUAL(add(1, 1000, 5, data, len), original);
        CU_ASSERT_NOT_EQUAL(add(1, 1001, 5, data, len), original);
        CU_ASSERT_NOT_EQUAL(add(1, 1000, 6, data, len), original);
        CU_ASSERT_NOT_EQUAL(add(2, 1000, 5, data, len), original);
    }
}

static void fingerprint_tells_zeros_of_different_length_apart(void)
{
    const uint8_t zeros[LEN] = {0};

    for (size_t len = 1; len < LEN; len++) {
        CU_ASSERT_NOT_EQUAL(add(0, 0, 0, zeros, len), add(0, 0, 0, zeros, len - 1));
    }
}

static void fingerprint_depends_on_the_order(void)
{
    const uint8_t a[3] = {1, 2, 3};
    const uint8_t b[3] = {4, 5, 6};

    CU_ASSERT_NOT_EQUAL(add(add(0, 1, 1, a, 3), 1, 1, b, 3), add(add(0, 1, 1, b, 3), 1, 1, a, 3));
}

/* The value itself: any build on any machine must give it. */
static void fingerprint_is_the_same_everywhere(void)
{
    uint8_t data[LEN];

    for (size_t i = 0; i < LEN; i++) {
        data[i] = (uint8_t)i;
    }
    CU_ASSERT_EQUAL(add(UINT64_C(0x0123456789ABCDEF), 123456789, 42, data, LEN),
                    UINT64_C(0xBF684C63745A6ECF));
}

PEAL_TEST_MAIN("sim/fingerprint", PEAL_TEST(fingerprint_changes_with_any_bit),
               PEAL_TEST(fingerprint_tells_zeros_of_different_length_apart),
               PEAL_TEST(fingerprint_depends_on_the_order),
               PEAL_TEST(fingerprint_is_the_same_everywhere))
