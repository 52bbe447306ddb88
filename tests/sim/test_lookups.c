/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_lookups.c - lookups under way are found by transaction until they end, and then no more. */
#include <glib.h>
#include <peal/random.h>

#include "lookups.h"
#include "peal_test.h"

enum { ASKERS = 5, SLOTS = 800 };

/* Transactions that share their home in the table, so that probing and closing gaps is put to
 * work. */
static uint64_t transaction_of(uint64_t number)
{
    return number % 2 == 0 ? number + 1 : peal_random_at(1, 1, number) | 1;
}

static void lookups_are_found_while_they_last(void)
{
    uint32_t lists[ASKERS] = {0};
    uint32_t number[SLOTS] = {0};
    uint64_t transaction[SLOTS] = {0};
    Lookups lookups;
    bool right = true;
    uint32_t active = 0;

    lookups_init(&lookups);
    for (uint64_t step = 0; step < 40000; step++) {
        uint32_t i = (uint32_t)peal_random_below(peal_random_at(2, 1, step), SLOTS);

        if (number[i] == LOOKUP_NONE) {
            number[i] = lookups_add(&lookups, i % ASKERS, &lists[i % ASKERS]);
            transaction[i] = transaction_of(step);
            lookups_bind(&lookups, number[i], transaction[i]);
            active++;
        } else {
            right =
                right && lookups_find(&lookups, transaction[i]) == lookups_at(&lookups, number[i]);
            lookups_remove(&lookups, number[i], &lists[i % ASKERS]);
            right = right && lookups_find(&lookups, transaction[i]) == NULL;
            number[i] = LOOKUP_NONE;
            active--;
        }
        right = right && lookups.active == active;
    }
    CU_ASSERT_TRUE(right);
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (number[i] != LOOKUP_NONE) {
            CU_ASSERT_PTR_EQUAL(lookups_find(&lookups, transaction[i]),
                                lookups_at(&lookups, number[i]));
            CU_ASSERT_EQUAL(lookups_at(&lookups, number[i])->asker, i % ASKERS);
        }
    }
    lookups_fini(&lookups);
}

static void lookups_of_an_asker_that_dies_all_end(void)
{
    uint32_t list = LOOKUP_NONE;
    uint32_t other = LOOKUP_NONE;
    Lookups lookups;

    lookups_init(&lookups);
    for (uint64_t i = 1; i <= 100; i++) {
        lookups_bind(&lookups, lookups_add(&lookups, 1, &list), i);
    }
    lookups_bind(&lookups, lookups_add(&lookups, 2, &other), 1000);
    (void)lookups_add(&lookups, 1, &list); /* never got as far as a transaction */
    while (list != LOOKUP_NONE) {
        lookups_remove(&lookups, list, &list);
    }
    CU_ASSERT_EQUAL(lookups.active, 1);
    CU_ASSERT_PTR_NULL(lookups_find(&lookups, 50));
    CU_ASSERT_PTR_NOT_NULL(lookups_find(&lookups, 1000));
    lookups_fini(&lookups);
}

PEAL_TEST_MAIN("sim/lookups", PEAL_TEST(lookups_are_found_while_they_last),
               PEAL_TEST(lookups_of_an_asker_that_dies_all_end))
