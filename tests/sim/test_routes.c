/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_routes.c - lookups over a ring that lost peers and repairs nothing, calculated on arrays
 * (ring_model.h): by the rule of which the validation's row 14 speaks, and by RFC 6940's. */
#include <math.h>

#include <peal_test.h>

#include "ring_model.h"

enum { RINGS = 200 };

typedef struct Case {
    unsigned successors;
    double dead;
    double expected; /* failed, where only successors take the last step */
    double s_10_3;   /* ... where any entry does: what the validation's table shows */
} Case;

static const Case CASES[] = {
    {3, .1, .0038, .0023}, {3, .2, .0325, .0215}, {3, .3, .1131, .0679},
    {3, .5, .4254, .3014}, {8, .5, .0303, .0228},
};

static double failed(const Case *test, bool beyond_by_all)
{
    double sum = 0;

    for (unsigned seed = 1; seed <= RINGS; seed++) {
        sum += ring_model_failed(&(RingModel){.nodes = 1000,
                                              .fingers = 16,
                                              .neighbours = test->successors,
                                              .lookups = 400,
                                              .seed = seed},
                                 test->dead, beyond_by_all);
    }
    return sum / RINGS;
}

static void successors_alone_fail_as_published(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        double share = failed(&CASES[i], false);
        double bound = pow(CASES[i].dead, CASES[i].successors) *
                       (1 + CASES[i].successors * (1 - CASES[i].dead));

        printf("# %u successors, %.0f %% dead: %.4f fail by successors alone\n",
               CASES[i].successors, CASES[i].dead * 100, share);
        CU_ASSERT(fabs(share / CASES[i].expected - 1) < .15);
        CU_ASSERT(share > bound * .85);
    }
}

static void by_any_entry_fewer_fail(void)
{
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        double share = failed(&CASES[i], true);

        printf("# %u successors, %.0f %% dead: %.4f fail by any entry\n", CASES[i].successors,
               CASES[i].dead * 100, share);
        CU_ASSERT(fabs(share - CASES[i].s_10_3) < .0001);
    }
}

PEAL_TEST_MAIN("sim/routes", PEAL_TEST(successors_alone_fail_as_published),
               PEAL_TEST(by_any_entry_fewer_fail))
