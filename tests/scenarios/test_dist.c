/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_dist.c - distributions: their texts, their moments, and that draws are pure functions. */
#include <math.h>
#include <scenarios/scenario.h>

#include "peal_test.h"

enum { DRAWS = 100000 };

static Dist parsed(const char *text)
{
    Dist dist = {DIST_NONE, 0, 0};
    g_autoptr(GError) error = NULL;

    CU_ASSERT_TRUE(dist_parse(text, &dist, &error));
    CU_ASSERT_PTR_NULL(error);
    return dist;
}

/* The mean of many draws, in us. */
static double mean_of(const Dist *dist)
{
    double sum = 0;

    for (uint64_t i = 0; i < DRAWS; i++) {
        sum += (double)dist_draw(dist, 7, 1, i).ns / 1e3;
    }
    return sum / DRAWS;
}

static int compare_spans(const void *a, const void *b)
{
    const PealSpan *x = a;
    const PealSpan *y = b;

    return (x->ns > y->ns) - (x->ns < y->ns);
}

static double median_of(const Dist *dist)
{
    static PealSpan draws[DRAWS];
    const size_t middle = DRAWS / 2;

    for (uint64_t i = 0; i < DRAWS; i++) {
        draws[i] = dist_draw(dist, 8, 2, i);
    }
    qsort(draws, DRAWS, sizeof(draws[0]), compare_spans);
    return (double)draws[middle].ns / 1e3;
}

static void dist_constant_and_none_do_not_vary(void)
{
    Dist none = parsed("none");
    Dist zero = parsed("0ms");
    Dist plain = parsed("5ms");
    Dist named = parsed("constant:5ms");

    CU_ASSERT_EQUAL(none.kind, DIST_NONE);
    CU_ASSERT_EQUAL(zero.kind, DIST_NONE);
    CU_ASSERT_EQUAL(dist_draw(&none, 1, 2, 3).ns, 0);
    CU_ASSERT_EQUAL(dist_draw(&plain, 1, 2, 3).ns, 5 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(dist_draw(&named, 4, 5, 6).ns, 5 * PEAL_NS_PER_MS);
}

static void dist_draws_have_the_stated_mean(void)
{
    static const struct {
        const char *text;
        double mean_us;
        double tolerance;
    } cases[] = {
        {"exponential:20ms", 20e3, .01},
        {"exponential(mean=20ms)", 20e3, .01},
        {"weibull(shape=0.615, scale=169.5min)", 247.1 * 60e6, .02}, /* KAD: mean 247.1 min */
        {"lognormal(mean=180s, median=90s)", 180e6, .03},
        {"pareto(shape=3, scale=10ms)", 15e3, .01},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Dist dist = parsed(cases[i].text);

        CU_ASSERT_DOUBLE_EQUAL(mean_of(&dist), cases[i].mean_us,
                               cases[i].mean_us * cases[i].tolerance);
        CU_ASSERT_DOUBLE_EQUAL(dist_mean_us(&dist), cases[i].mean_us, cases[i].mean_us * .001);
    }
}

static void dist_medians_match_the_publications(void)
{
    Dist session = parsed("weibull(shape=0.615, scale=169.5min)");
    Dist call = parsed("lognormal(mean=180s, median=90s)");

    CU_ASSERT_DOUBLE_EQUAL(median_of(&session), 93.4 * 60e6, 93.4 * 60e6 * .02);
    CU_ASSERT_DOUBLE_EQUAL(median_of(&call), 90e6, 90e6 * .02);
}

static void dist_draw_is_a_function_of_its_arguments(void)
{
    Dist dist = parsed("lognormal(mean=180s, median=90s)");
    PealSpan draw = dist_draw(&dist, 1, 2, 3);

    CU_ASSERT_EQUAL(dist_draw(&dist, 1, 2, 3).ns, draw.ns);
    CU_ASSERT_NOT_EQUAL(dist_draw(&dist, 9, 2, 3).ns, draw.ns);
    CU_ASSERT_NOT_EQUAL(dist_draw(&dist, 1, 9, 3).ns, draw.ns);
    CU_ASSERT_NOT_EQUAL(dist_draw(&dist, 1, 2, 9).ns, draw.ns);
    CU_ASSERT_EQUAL(draw.ns % PEAL_NS_PER_US, 0);
}

static void dist_heavy_tails_stay_finite(void)
{
    Dist dist = parsed("pareto(shape=0.01, scale=1d)");

    for (uint64_t i = 0; i < 1000; i++) {
        PealSpan draw = dist_draw(&dist, 1, 1, i);

        CU_ASSERT_TRUE(draw.ns > 0);
        CU_ASSERT_TRUE(draw.ns <= INT64_C(100) * 365 * 86400 * PEAL_NS_PER_S);
    }
    CU_ASSERT_TRUE(isinf(dist_mean_us(&dist)));
}

static void dist_parse_refuses_what_is_no_distribution(void)
{
    static const char *const bad[] = {
        "",
        "gamma(mean=5ms)",
        "exponential",
        "exponential(5ms)",
        "exponential(mean=5)",
        "exponential(mean=0s)",
        "exponential(mean=5ms, mean=6ms)",
        "exponential(median=5ms)",
        "exponential(mean=5ms",
        "weibull(shape=2)",
        "weibull:5ms",
        "weibull(shape=0, scale=5ms)",
        "lognormal(mean=1s, median=2s)",
        "5",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        Dist dist = {DIST_PARETO, 1, 1};
        g_autoptr(GError) error = NULL;

        CU_ASSERT_FALSE(dist_parse(bad[i], &dist, &error));
        CU_ASSERT_TRUE(g_error_matches(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE));
        CU_ASSERT_EQUAL(dist.kind, DIST_PARETO);
    }
}

PEAL_TEST_MAIN("scenarios/dist", PEAL_TEST(dist_constant_and_none_do_not_vary),
               PEAL_TEST(dist_draws_have_the_stated_mean),
               PEAL_TEST(dist_medians_match_the_publications),
               PEAL_TEST(dist_draw_is_a_function_of_its_arguments),
               PEAL_TEST(dist_heavy_tails_stay_finite),
               PEAL_TEST(dist_parse_refuses_what_is_no_distribution))
