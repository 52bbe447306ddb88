/*
 * test_stats.c - confidence intervals and fits against published values.
 */
#include <analysis/stats.h>
#include <math.h>
#include <peal_test.h>

static void stats_mean_of_one_to_five_has_the_tables_interval(void)
{
    double values[] = {1, 2, 3, 4, 5};
    StatsMean mean = stats_mean(values, 5);

    /* t(0.975, 4) = 2.776445, the standard error is sqrt(2.5 / 5). */
    CU_ASSERT_EQUAL(mean.count, 5);
    CU_ASSERT_DOUBLE_EQUAL(mean.mean, 3, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(mean.deviation, 1.5811388300841898, 1e-12);
    CU_ASSERT(mean.has_interval);
    CU_ASSERT_DOUBLE_EQUAL(mean.ci95.low, 3 - 2.7764451052 * sqrt(0.5), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(mean.ci95.high, 3 + 2.7764451052 * sqrt(0.5), 1e-9);
}

static void stats_mean_of_two_uses_one_degree_of_freedom(void)
{
    double values[] = {10, 12};
    StatsMean mean = stats_mean(values, 2);

    CU_ASSERT_DOUBLE_EQUAL(mean.ci95.high - mean.mean, 12.7062047362, 1e-8);
}

static void stats_mean_of_one_has_no_interval(void)
{
    double value = 42;
    StatsMean mean = stats_mean(&value, 1);

    CU_ASSERT_EQUAL(mean.mean, 42);
    CU_ASSERT_FALSE(mean.has_interval);
    CU_ASSERT(isnan(mean.deviation));
}

static void stats_mean_leaves_out_what_is_no_number(void)
{
    double values[] = {NAN, 4, NAN, 6};
    StatsMean mean = stats_mean(values, 4);

    CU_ASSERT_EQUAL(mean.count, 2);
    CU_ASSERT_EQUAL(mean.mean, 5);
    mean = stats_mean(values, 1);
    CU_ASSERT_EQUAL(mean.count, 0);
    CU_ASSERT(isnan(mean.mean));
}

/* NIST Statistical Reference Datasets, linear regression, Norris. */
static const double NORRIS_X[] = {0.2,   337.4, 118.2, 884.6, 10.1,  226.5, 666.3, 996.3, 448.6,
                                  777.0, 558.2, 0.4,   0.6,   775.5, 666.9, 338.0, 447.5, 11.6,
                                  556.0, 228.1, 995.8, 887.6, 120.2, 0.3,   0.3,   556.8, 339.1,
                                  887.2, 999.0, 779.0, 11.1,  118.3, 229.2, 669.1, 448.9, 0.5};
static const double NORRIS_Y[] = {0.1,   338.8, 118.1, 888.0, 9.2,   228.1, 668.5, 998.5, 449.1,
                                  778.9, 559.2, 0.3,   0.1,   778.1, 668.8, 339.3, 448.9, 10.8,
                                  557.7, 228.3, 998.0, 888.8, 119.6, 0.3,   0.6,   557.6, 339.3,
                                  888.0, 998.5, 778.9, 10.2,  117.6, 228.9, 668.4, 449.2, 0.2};
#define NORRIS_LEN (sizeof(NORRIS_X) / sizeof(*NORRIS_X))
#define T_34 2.0322445093177191 /* t(0.975, 34) */

static void stats_fit_meets_the_certified_values_of_norris(void)
{
    StatsFit fit;

    CU_ASSERT_FATAL(stats_fit_line(NORRIS_X, NORRIS_Y, NORRIS_LEN, &fit));
    CU_ASSERT_EQUAL(fit.count, 36);
    CU_ASSERT_DOUBLE_EQUAL(fit.slope, 1.00211681802045, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(fit.intercept, -0.262323073774029, 1e-10);
    CU_ASSERT_DOUBLE_EQUAL(fit.r_squared, 0.999993745883712, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(fit.residual_deviation, 0.884796396144373, 1e-10);
    CU_ASSERT_DOUBLE_EQUAL(fit.slope_ci95.high - fit.slope, T_34 * 0.429796848199937e-03, 1e-10);
    CU_ASSERT_DOUBLE_EQUAL(fit.intercept - fit.intercept_ci95.low, T_34 * 0.232818234301152, 1e-8);
}

static void stats_fit_band_at_zero_is_the_intercepts_interval(void)
{
    StatsFit fit;
    StatsInterval band;

    CU_ASSERT_FATAL(stats_fit_line(NORRIS_X, NORRIS_Y, NORRIS_LEN, &fit));
    CU_ASSERT_DOUBLE_EQUAL(stats_fit_at(&fit, 0, &band), fit.intercept, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(band.low, fit.intercept_ci95.low, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(band.high, fit.intercept_ci95.high, 1e-9);
}

static void stats_fit_band_is_narrowest_at_the_mean(void)
{
    StatsFit fit;
    StatsInterval at_mean, away;

    CU_ASSERT_FATAL(stats_fit_line(NORRIS_X, NORRIS_Y, NORRIS_LEN, &fit));
    stats_fit_at(&fit, fit.mean_x, &at_mean);
    stats_fit_at(&fit, fit.mean_x + 500, &away);
    CU_ASSERT(at_mean.high - at_mean.low < away.high - away.low);
}

static void stats_fit_through_two_points_has_no_interval(void)
{
    double x[] = {1, 3}, y[] = {5, 9};
    StatsFit fit;
    StatsInterval band;

    CU_ASSERT_FATAL(stats_fit_line(x, y, 2, &fit));
    CU_ASSERT_DOUBLE_EQUAL(fit.slope, 2, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(fit.intercept, 3, 1e-12);
    CU_ASSERT_FALSE(fit.has_interval);
    CU_ASSERT_DOUBLE_EQUAL(stats_fit_at(&fit, 2, &band), 7, 1e-12);
    CU_ASSERT(band.low == band.high);
}

static void stats_fit_needs_two_different_x(void)
{
    double x[] = {4, 4, 4}, y[] = {1, 2, 3};
    StatsFit fit = {.count = 77};

    CU_ASSERT_FALSE(stats_fit_line(x, y, 3, &fit));
    CU_ASSERT_FALSE(stats_fit_line(x, y, 1, &fit));
    CU_ASSERT_FALSE(stats_fit_line(x, y, 0, &fit));
    CU_ASSERT_EQUAL(fit.count, 77);
}

static void stats_fit_of_a_level_line_is_perfect(void)
{
    double x[] = {1, 2, 3, 4}, y[] = {7, 7, 7, 7};
    StatsFit fit;

    CU_ASSERT_FATAL(stats_fit_line(x, y, 4, &fit));
    CU_ASSERT_DOUBLE_EQUAL(fit.slope, 0, 1e-12);
    CU_ASSERT_EQUAL(fit.r_squared, 1);
}

PEAL_TEST_MAIN("analysis/stats", PEAL_TEST(stats_mean_of_one_to_five_has_the_tables_interval),
               PEAL_TEST(stats_mean_of_two_uses_one_degree_of_freedom),
               PEAL_TEST(stats_mean_of_one_has_no_interval),
               PEAL_TEST(stats_mean_leaves_out_what_is_no_number),
               PEAL_TEST(stats_fit_meets_the_certified_values_of_norris),
               PEAL_TEST(stats_fit_band_at_zero_is_the_intercepts_interval),
               PEAL_TEST(stats_fit_band_is_narrowest_at_the_mean),
               PEAL_TEST(stats_fit_through_two_points_has_no_interval),
               PEAL_TEST(stats_fit_needs_two_different_x),
               PEAL_TEST(stats_fit_of_a_level_line_is_perfect))
