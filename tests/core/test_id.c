/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_id.c - ring arithmetic, exhaustively on a ring of 256 places laid over the real one.
 */
#include <peal/id.h>

#include "peal_test.h"

enum { RING = 256 };

/*
 * Place i of the small ring; `low` fills the other 15 bytes, so that carries run through the
 * halves.
 */
static PealId place(unsigned i, uint8_t low)
{
    PealId id;

    memset(id.bytes, low, sizeof(id.bytes));
    id.bytes[0] = (uint8_t)i;
    return id;
}

/*
 * Marks the places met on the way from from + 1 clockwise to `to`, which is the interval by
 * definition.
 */
static void walk(unsigned from, unsigned to, bool closed, bool ret_inside[RING])
{
    memset(ret_inside, 0, RING * sizeof(bool));
    for (unsigned at = (from + 1) % RING; at != to; at = (at + 1) % RING) {
        ret_inside[at] = true;
    }
    ret_inside[to] = closed;
}

static void compare_intervals(uint8_t low)
{
    unsigned wrong = 0;

    for (unsigned from = 0; from < RING; from++) {
        for (unsigned to = 0; to < RING; to++) {
            bool open[RING];
            bool closed[RING];
            PealId a = place(from, low);
            PealId b = place(to, low);

            walk(from, to, false, open);
            walk(from, to, true, closed);
            for (unsigned i = 0; i < RING; i++) {
                PealId id = place(i, low);

                wrong += peal_id_in_open(&id, &a, &b) != open[i];
                wrong += peal_id_in_open_closed(&id, &a, &b) != closed[i];
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

static void ring_intervals_hold_for_every_pair_of_ends(void)
{
    compare_intervals(0x00);
    compare_intervals(0xff);
}

static void ring_intervals_wrap_between_neighbouring_ids(void)
{
    PealId last = PEAL_ID_WILDCARD;
    PealId zero = {{0}};
    PealId one = peal_id_successor_point(&zero);

    CU_ASSERT_TRUE(peal_id_in_open_closed(&zero, &last, &zero));
    CU_ASSERT_FALSE(peal_id_in_open(&zero, &last, &zero));
    CU_ASSERT_TRUE(peal_id_in_open(&zero, &last, &one));
    CU_ASSERT_TRUE(peal_id_in_open_closed(&one, &last, &one));
    CU_ASSERT_FALSE(peal_id_in_open_closed(&last, &last, &one));
}

static void ring_interval_between_equal_ends_is_the_whole_ring(void)
{
    PealId a = place(7, 0x55);
    PealId b = place(8, 0x55);

    CU_ASSERT_TRUE(peal_id_in_open_closed(&a, &a, &a));
    CU_ASSERT_TRUE(peal_id_in_open_closed(&b, &a, &a));
    CU_ASSERT_FALSE(peal_id_in_open(&a, &a, &a));
    CU_ASSERT_TRUE(peal_id_in_open(&b, &a, &a));
}

static void distance_and_sum_are_inverse_and_carry_between_halves(void)
{
    PealId a = place(0xfe, 0xff);
    PealId b = place(0x01, 0x00);
    PealIdHalves way = peal_id_distance(&a, &b);
    PealId sum = peal_id_add(&a, way);

    CU_ASSERT_TRUE(peal_id_equal(&sum, &b));
    CU_ASSERT_EQUAL(way.high, UINT64_C(0x0200000000000000));
    CU_ASSERT_EQUAL(way.low, 1);
}

static void successor_point_of_the_last_id_is_zero(void)
{
    PealId zero = {{0}};
    PealId next = peal_id_successor_point(&PEAL_ID_WILDCARD);

    CU_ASSERT_TRUE(peal_id_equal(&next, &zero));
}

static void finger_ranges_halve_and_end_where_the_wider_one_starts(void)
{
    const PealIdHalves lowest = {0, 0};
    const PealIdHalves highest = {UINT64_MAX, UINT64_MAX};
    PealId self = place(0xc3, 0x9d);

    for (unsigned i = 1; i <= PEAL_ID_BITS; i++) {
        PealId start = peal_id_finger_point(&self, i, lowest);
        PealId end = peal_id_finger_point(&self, i, highest);
        PealId next = peal_id_successor_point(&end);
        PealId wider = i == 1 ? self : peal_id_finger_point(&self, i - 1, lowest);
        PealIdHalves way = peal_id_distance(&self, &start);

        CU_ASSERT_TRUE(peal_id_equal(&next, &wider));
        CU_ASSERT_EQUAL(way.high, i <= 64 ? UINT64_C(1) << (64 - i) : 0);
        CU_ASSERT_EQUAL(way.low, i <= 64 ? 0 : UINT64_C(1) << (128 - i));
    }
}

static void finger_point_uses_the_top_bits_of_the_draw(void)
{
    PealId zero = {{0}};
    PealId point = peal_id_finger_point(&zero, 1, (PealIdHalves){UINT64_C(1) << 63, 0});

    CU_ASSERT_EQUAL(point.bytes[0], 0xc0);
    point = peal_id_finger_point(&zero, 4, (PealIdHalves){UINT64_C(1) << 63, 0});
    CU_ASSERT_EQUAL(point.bytes[0], 0x18);
}

static void text_is_read_back_and_bad_text_is_refused(void)
{
    char text[PEAL_ID_TEXT_LEN];
    PealId id = place(0x1f, 0xa0);
    PealId back;

    peal_id_text(&id, text);
    CU_ASSERT_STRING_EQUAL(text, "1fa0a0a0a0a0a0a0a0a0a0a0a0a0a0a0");
    CU_ASSERT_EQUAL(peal_id_parse((PealStr){text, 32}, &back), 0);
    CU_ASSERT_TRUE(peal_id_equal(&id, &back));
    CU_ASSERT_EQUAL(peal_id_parse((PealStr){"1FA0A0A0A0A0A0A0A0A0A0A0A0A0A0A0", 32}, &back), 0);
    CU_ASSERT_TRUE(peal_id_equal(&id, &back));
    CU_ASSERT_EQUAL(peal_id_parse((PealStr){text, 31}, &back), -PEAL_E_VALUE);
    CU_ASSERT_EQUAL(peal_id_parse((PealStr){"1fa0a0a0a0a0a0a0a0a0a0a0a0a0a0g0", 32}, &back),
                    -PEAL_E_VALUE);
}

static void order_is_that_of_unsigned_integers(void)
{
    PealId small = place(0x7f, 0xff);
    PealId large = place(0x80, 0x00);
    PealIdHalves a = peal_id_halves(&small);
    PealIdHalves b = peal_id_halves(&large);

    CU_ASSERT_TRUE(peal_id_compare(&small, &large) < 0);
    CU_ASSERT_TRUE(peal_halves_less(a, b));
    CU_ASSERT_FALSE(peal_halves_less(b, a));
    CU_ASSERT_TRUE(peal_id_is_wildcard(&PEAL_ID_WILDCARD));
    CU_ASSERT_FALSE(peal_id_is_wildcard(&small));
}

PEAL_TEST_MAIN("core/id", PEAL_TEST(ring_intervals_hold_for_every_pair_of_ends),
               PEAL_TEST(ring_intervals_wrap_between_neighbouring_ids),
               PEAL_TEST(ring_interval_between_equal_ends_is_the_whole_ring),
               PEAL_TEST(distance_and_sum_are_inverse_and_carry_between_halves),
               PEAL_TEST(successor_point_of_the_last_id_is_zero),
               PEAL_TEST(finger_ranges_halve_and_end_where_the_wider_one_starts),
               PEAL_TEST(finger_point_uses_the_top_bits_of_the_draw),
               PEAL_TEST(text_is_read_back_and_bad_text_is_refused),
               PEAL_TEST(order_is_that_of_unsigned_integers))
