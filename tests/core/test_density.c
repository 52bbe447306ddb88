/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_density.c - crowded and ordinary stretches of the ring (overlay/density.h). */
#include "peal_test.h"

#include <peal/random.h>

#include "overlay/density.h"

enum { LEN = 17 };
static const uint64_t GAP = UINT64_C(1) << 50;

/* Gaps uniform in 0..2 GAP. */
static void uniform(uint64_t seed, uint64_t *ret_places)
{
    uint64_t place = 0;

    for (uint64_t i = 0; i < LEN; i++) {
        ret_places[i] = place;
        place += peal_random_at(seed, 1, i) >> 13;
    }
}

static void density_even_places_are_not_suspect(void)
{
    uint64_t places[LEN];

    for (uint64_t i = 0; i < LEN; i++) {
        places[i] = i * GAP;
    }
    for (size_t at = 0; at < LEN; at++) {
        CU_ASSERT_FALSE(density_suspect(places, LEN, at, GAP));
    }
}

static void density_chance_is_hardly_ever_suspect(void)
{
    unsigned suspect = 0;

    for (uint64_t seed = 0; seed < 1000; seed++) {
        uint64_t places[LEN];

        uniform(seed, places);
        for (size_t at = 0; at < LEN; at++) {
            suspect += density_suspect(places, LEN, at, GAP);
        }
    }
    CU_ASSERT(suspect <= 2);
}

static void density_two_next_to_each_other_are_suspect(void)
{
    uint64_t places[LEN];

    for (uint64_t i = 0; i < LEN; i++) {
        places[i] = i * GAP;
    }
    places[8] = places[7] + 1;
    CU_ASSERT(density_suspect(places, LEN, 8, GAP));
    CU_ASSERT(density_suspect(places, LEN, 7, GAP));
    CU_ASSERT_FALSE(density_suspect(places, LEN, 6, GAP));
    places[8] = places[7] + GAP / 1000;
    CU_ASSERT_FALSE(density_suspect(places, LEN, 8, GAP));
}

static void density_crowd_is_suspect_though_no_pair_is(void)
{
    uint64_t places[LEN];

    for (uint64_t i = 0; i < LEN; i++) {
        places[i] = i * (GAP / 8);
    }
    CU_ASSERT(density_suspect(places, LEN, 8, GAP));
    CU_ASSERT_FALSE(density_suspect(places, 2, 1, GAP));
}

static void density_of_one_place_or_an_unknown_gap_is_not_suspect(void)
{
    const uint64_t places[] = {5, 5};

    CU_ASSERT_FALSE(density_suspect(places, 1, 0, GAP));
    CU_ASSERT_FALSE(density_suspect(places, 2, 1, 0));
    CU_ASSERT(density_suspect(places, 2, 1, UINT64_MAX));
}

static void density_looks_no_further_than_its_table(void)
{
    uint64_t places[3 * DENSITY_GAPS_MAX];

    for (uint64_t i = 0; i < 3 * DENSITY_GAPS_MAX; i++) {
        places[i] = i * (GAP / 2 + GAP / 4);
    }
    CU_ASSERT_FALSE(density_suspect(places, 3 * DENSITY_GAPS_MAX, 3 * DENSITY_GAPS_MAX / 2, GAP));
}

PEAL_TEST_MAIN("core/density", PEAL_TEST(density_even_places_are_not_suspect),
               PEAL_TEST(density_chance_is_hardly_ever_suspect),
               PEAL_TEST(density_two_next_to_each_other_are_suspect),
               PEAL_TEST(density_crowd_is_suspect_though_no_pair_is),
               PEAL_TEST(density_of_one_place_or_an_unknown_gap_is_not_suspect),
               PEAL_TEST(density_looks_no_further_than_its_table))
