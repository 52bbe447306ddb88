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

static void stats_kolmogorov_meets_smirnovs_table(void)
{
    /* Smirnov (1948) tabulates 1 - these to six places. */
    static const double table[][2] = {{0.3, 0.999991}, {0.5, 0.963945},  {0.8, 0.544142},
                                      {1.0, 0.270000}, {1.36, 0.049486}, {1.63, 0.009846},
                                      {2.0, 0.000671}};

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CU_ASSERT_DOUBLE_EQUAL(stats_kolmogorov(table[i][0]), table[i][1], 6e-7);
    }
    CU_ASSERT_EQUAL(stats_kolmogorov(0), 1);
    CU_ASSERT_EQUAL(stats_kolmogorov(0.01), 1);
    CU_ASSERT(stats_kolmogorov(10) < 1e-80);
}

static void stats_kolmogorov_series_meet_where_one_takes_over(void)
{
    CU_ASSERT_DOUBLE_EQUAL(stats_kolmogorov(1 - 1e-13), stats_kolmogorov(1), 1e-12);
}

static void stats_ks_is_the_greatest_gap_of_the_two_steps(void)
{
    double a[] = {1, 2, 3, 4, 5}, b[] = {2.5, 3.5, 6, 7};
    StatsKs ks;

    /* After 5: all of a, half of b. */
    CU_ASSERT_FATAL(stats_ks(a, 5, b, 4, &ks));
    CU_ASSERT_DOUBLE_EQUAL(ks.distance, 0.5, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(ks.p_value, stats_kolmogorov(0.5 * sqrt(20.0 / 9)), 1e-12);
    CU_ASSERT_FATAL(stats_ks(b, 4, a, 5, &ks));
    CU_ASSERT_DOUBLE_EQUAL(ks.distance, 0.5, 1e-12);
}

static void stats_ks_steps_over_equal_values_at_once(void)
{
    double a[] = {1, 1, 2, 2}, b[] = {1, 2, 2, 2};
    StatsKs ks;

    CU_ASSERT_FATAL(stats_ks(a, 4, b, 4, &ks));
    CU_ASSERT_DOUBLE_EQUAL(ks.distance, 0.25, 1e-12);
    CU_ASSERT_FATAL(stats_ks(a, 4, a, 4, &ks));
    CU_ASSERT_EQUAL(ks.distance, 0);
    CU_ASSERT_EQUAL(ks.p_value, 1);
}

static void stats_ks_of_samples_apart_is_one(void)
{
    double a[50], b[50];
    StatsKs ks = {.distance = 7};

    for (size_t i = 0; i < 50; i++) {
        a[i] = (double)i;
        b[i] = 100 + (double)i;
    }
    CU_ASSERT_FALSE(stats_ks(a, 0, b, 50, &ks));
    CU_ASSERT_EQUAL(ks.distance, 7);
    CU_ASSERT_FATAL(stats_ks(a, 50, b, 50, &ks));
    CU_ASSERT_EQUAL(ks.distance, 1);
    CU_ASSERT_DOUBLE_EQUAL(ks.p_value, 2 * exp(-50), 1e-25);
}

static void stats_rate_without_spread_is_as_wide_as_its_trials_allow(void)
{
    const double ones[] = {1, 1, 1};
    const double trials[] = {100, 100, 100};
    StatsMean rate = stats_rate(ones, trials, 3);

    /* Wilson's lower end of 300 in 300: 1 / (1 + z^2 / n). */
    CU_ASSERT_EQUAL(rate.mean, 1);
    CU_ASSERT_DOUBLE_EQUAL(rate.ci95.low, 1 / (1 + 3.8414588 / 300), 1e-9);
    CU_ASSERT_EQUAL(rate.ci95.high, 1);
}

static void stats_rate_with_spread_is_student_t_within_0_and_1(void)
{
    const double shares[] = {0.99, 0.90, 0.95};
    const double trials[] = {1000, 1000, 1000};
    StatsMean rate = stats_rate(shares, trials, 3);
    StatsMean mean = stats_mean(shares, 3);

    CU_ASSERT_EQUAL(rate.mean, mean.mean);
    CU_ASSERT_EQUAL(rate.ci95.low, mean.ci95.low);
    CU_ASSERT_TRUE(mean.ci95.high > 1);
    CU_ASSERT_EQUAL(rate.ci95.high, 1);
}

static void stats_rate_leaves_out_what_is_no_number(void)
{
    const double shares[] = {0.5, NAN, 0.5};
    const double trials[] = {10, 0, 10};
    StatsMean rate = stats_rate(shares, trials, 3);

    /* Wilson's interval of 10 in 20. */
    CU_ASSERT_EQUAL(rate.count, 2);
    CU_ASSERT_DOUBLE_EQUAL(rate.ci95.low, 0.2992980, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(rate.ci95.high, 0.7007020, 1e-6);
    CU_ASSERT_FALSE(stats_rate(shares, trials, 1).has_interval);
}

PEAL_TEST_MAIN("analysis/stats",
               PEAL_TEST(stats_rate_without_spread_is_as_wide_as_its_trials_allow),
               PEAL_TEST(stats_rate_with_spread_is_student_t_within_0_and_1),
               PEAL_TEST(stats_rate_leaves_out_what_is_no_number),
               PEAL_TEST(stats_mean_of_one_to_five_has_the_tables_interval),
               PEAL_TEST(stats_mean_of_two_uses_one_degree_of_freedom),
               PEAL_TEST(stats_mean_of_one_has_no_interval),
               PEAL_TEST(stats_mean_leaves_out_what_is_no_number),
               PEAL_TEST(stats_fit_meets_the_certified_values_of_norris),
               PEAL_TEST(stats_fit_band_at_zero_is_the_intercepts_interval),
               PEAL_TEST(stats_fit_band_is_narrowest_at_the_mean),
               PEAL_TEST(stats_fit_through_two_points_has_no_interval),
               PEAL_TEST(stats_fit_needs_two_different_x),
               PEAL_TEST(stats_fit_of_a_level_line_is_perfect),
               PEAL_TEST(stats_kolmogorov_meets_smirnovs_table),
               PEAL_TEST(stats_kolmogorov_series_meet_where_one_takes_over),
               PEAL_TEST(stats_ks_is_the_greatest_gap_of_the_two_steps),
               PEAL_TEST(stats_ks_steps_over_equal_values_at_once),
               PEAL_TEST(stats_ks_of_samples_apart_is_one))
