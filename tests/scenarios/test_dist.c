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
        {"lognormal(median=90s, sigma=1.177)", 180e6, .03},
        {"lognormal(mean=180s, sigma=1.177)", 180e6, .03},
        {"weibull(shape=0.5, mean=10000s)", 1e10, .02},
        {"pareto(shape=3, scale=10ms)", 5e3, .02},
        {"pareto(shape=3, mean=1h)", 3600e6, .02},
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

/* KAD's peers (Steiner et al., 2007): how long they are there and away, in min. */
static const struct {
    const char *text;
    double mean, median, residual;
} KAD[] = {{"weibull(shape=0.615, scale=169.5min)", 247.1, 93.4, 482.9},
           {"weibull(shape=0.476, scale=413.7min)", 909.9, 191.6, 3071.9}};

static void dist_moments_of_kad_are_the_published_ones(void)
{
    double means[G_N_ELEMENTS(KAD)];

    for (size_t i = 0; i < G_N_ELEMENTS(KAD); i++) {
        Dist dist = parsed(KAD[i].text);

        means[i] = dist_mean_us(&dist);
        CU_ASSERT_DOUBLE_EQUAL(means[i] / 60e6, KAD[i].mean, .1);
        CU_ASSERT_DOUBLE_EQUAL(dist_median_us(&dist) / 60e6, KAD[i].median, .1);
        CU_ASSERT_DOUBLE_EQUAL(dist_residual_mean_us(&dist) / 60e6, KAD[i].residual, .1);
        CU_ASSERT_DOUBLE_EQUAL(dist_survival(&dist, dist_median_us(&dist)), .5, 1e-9);
    }
    CU_ASSERT_DOUBLE_EQUAL(means[0] / (means[0] + means[1]), .214, .001);
}

static const char *const EVERY[] = {
    "constant:20min",
    "exponential(mean=20min)",
    "weibull(shape=0.615, scale=169.5min)",
    "weibull(shape=0.476, scale=413.7min)",
    "weibull(shape=3, mean=1h)",
    "lognormal(mean=180s, median=90s)",
    "lognormal(mean=180s, median=180s)",
    "pareto(shape=3.5, mean=1h)",
    "pareto(shape=1.5, mean=1h)",
};

/* The integral of survival up to x over the mean, by Simpson's rule after x = t^4, which is smooth
 * where a survival is not. */
static double residual_cdf(const Dist *dist, double x)
{
    enum { STEPS = 2000 };
    double top = pow(x, .25);
    double sum = 0;

    for (int i = 0; i <= STEPS; i++) {
        double t = top * i / STEPS;
        double weight = i == 0 || i == STEPS ? 1 : i % 2 == 1 ? 4 : 2;

        sum += weight * dist_survival(dist, t * t * t * t) * 4 * t * t * t;
    }
    return sum * top / STEPS / 3 / dist_mean_us(dist);
}

/* The Kolmogorov-Smirnov distance of n draws passes 1.95 / sqrt(n) once in a thousand. */
static void dist_residual_lives_have_the_equilibrium_distribution(void)
{
    static PealSpan draws[DRAWS];

    for (size_t i = 0; i < G_N_ELEMENTS(EVERY); i++) {
        Dist dist = parsed(EVERY[i]);
        double distance = 0;

        for (uint64_t j = 0; j < DRAWS; j++) {
            draws[j] = dist_draw_residual(&dist, 11, 3, j);
        }
        qsort(draws, DRAWS, sizeof(draws[0]), compare_spans);
        for (size_t j = DRAWS / 200; j < DRAWS; j += DRAWS / 200) {
            double below = residual_cdf(&dist, (double)draws[j].ns / 1e3);

            distance = MAX(distance, fabs(below - (double)j / DRAWS));
        }
        if (distance >= 1.95 / sqrt(DRAWS)) {
            printf("# %s: %g\n", EVERY[i], distance);
        }
        CU_ASSERT_TRUE(distance < 1.95 / sqrt(DRAWS));
    }
}

static void dist_residual_lives_have_the_stated_mean(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(EVERY) - 1; i++) { /* the last has none */
        Dist dist = parsed(EVERY[i]);
        double expected = dist_residual_mean_us(&dist);
        double sum = 0;

        for (uint64_t j = 0; j < DRAWS; j++) {
            sum += (double)dist_draw_residual(&dist, 12, 4, j).ns / 1e3;
        }
        CU_ASSERT_DOUBLE_EQUAL(sum / DRAWS, expected, .04 * expected);
    }
}

/* Weighted by how often they are met, spans have their own distribution again. The weights' mean is
 * that of 1 / x: of long tails, few draws make most of it, so the bound is wide. */
static void dist_met_spans_make_up_their_own_distribution(void)
{
    static const char *const texts[] = {"exponential(mean=1h)", "weibull(shape=2, mean=1h)",
                                        "lognormal(median=1h, sigma=0.8)",
                                        "pareto(shape=2.5, scale=1h)", "constant:1h"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Dist dist = parsed(texts[i]);
        double bounds[] = {0, dist_median_us(&dist) / 3, dist_median_us(&dist),
                           dist_median_us(&dist) * 3};
        double above[G_N_ELEMENTS(bounds)] = {0};

        for (uint64_t j = 0; j < DRAWS; j++) {
            double us = (double)dist_draw_met(&dist, 15, 7, j).ns / 1e3;

            for (size_t k = 0; k < G_N_ELEMENTS(bounds); k++) {
                above[k] += us > bounds[k] ? dist_mean_us(&dist) / us : 0;
            }
        }
        for (size_t k = 0; k < G_N_ELEMENTS(bounds); k++) {
            CU_ASSERT_DOUBLE_EQUAL(above[k] / DRAWS, dist_survival(&dist, bounds[k]), 0.03);
        }
    }
}

static void dist_pareto_begins_at_zero(void)
{
    Dist dist = parsed("pareto(shape=2, scale=10s)");
    unsigned below = 0;

    for (uint64_t i = 0; i < DRAWS; i++) {
        below += dist_draw(&dist, 13, 5, i).ns < 10 * PEAL_NS_PER_S;
    }
    CU_ASSERT_DOUBLE_EQUAL((double)below / DRAWS, .75, .005); /* 1 - 2^-2 */
    CU_ASSERT_DOUBLE_EQUAL(dist_survival(&dist, 10e6), .25, 1e-12);
}

/* However odd the shape, the inverse of the incomplete gamma function is found. */
static void dist_residual_lives_of_odd_shapes_are_spans(void)
{
    static const char *const texts[] = {"weibull(shape=0.01, scale=1s)",
                                        "weibull(shape=0.1, mean=1h)",
                                        "weibull(shape=1, mean=1h)",
                                        "weibull(shape=50, mean=1h)",
                                        "weibull(shape=100000, mean=1h)",
                                        "lognormal(median=1s, sigma=9)",
                                        "pareto(shape=1.001, mean=1h)"};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        Dist dist = parsed(texts[i]);

        for (uint64_t j = 0; j < DRAWS; j++) {
            PealSpan draw = dist_draw_residual(&dist, 14, 6, j);

            if (draw.ns < 0 || draw.ns > INT64_C(100) * 365 * 86400 * PEAL_NS_PER_S) {
                CU_FAIL("a residual life is out of range");
                break;
            }
        }
    }
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
        "lognormal(mean=1s, median=1s, sigma=1)",
        "lognormal(sigma=1)",
        "weibull(shape=2, scale=5ms, mean=5ms)",
        "weibull(shape=0.001, mean=5ms)",
        "pareto(shape=1, mean=1h)",
        "pareto(mean=1h)",
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
               PEAL_TEST(dist_moments_of_kad_are_the_published_ones),
               PEAL_TEST(dist_residual_lives_have_the_equilibrium_distribution),
               PEAL_TEST(dist_residual_lives_have_the_stated_mean),
               PEAL_TEST(dist_met_spans_make_up_their_own_distribution),
               PEAL_TEST(dist_pareto_begins_at_zero),
               PEAL_TEST(dist_residual_lives_of_odd_shapes_are_spans),
               PEAL_TEST(dist_draw_is_a_function_of_its_arguments),
               PEAL_TEST(dist_heavy_tails_stay_finite),
               PEAL_TEST(dist_parse_refuses_what_is_no_distribution))
