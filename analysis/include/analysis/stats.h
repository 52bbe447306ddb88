/*
 * stats.h - means with confidence intervals, straight-line fits with theirs, two samples compared.
 * Source: Student's t; Wilson, Journal of the American Statistical Association 22, 1927; ordinary
 *         least squares (Draper and Smith, Applied Regression Analysis); Kolmogorov's limit
 *         distribution (Smirnov, Annals of Mathematical Statistics 19, 1948).
 * State:  the caller's.   Time: none.
 */
#ifndef ANALYSIS_STATS_H
#define ANALYSIS_STATS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct StatsInterval {
    double low;
    double high;
} StatsInterval;

/* A mean of independent observations. */
typedef struct StatsMean {
    size_t count;
    double mean;        /* NaN without observations */
    double deviation;   /* of the sample, n - 1; NaN for fewer than two */
    bool has_interval;  /* there are two observations or more */
    StatsInterval ci95; /* Student's t with n - 1 degrees of freedom */
} StatsMean;

/* stats_mean summarises values; those that are NaN are left out. */
StatsMean stats_mean(const double *values, size_t len);

/*
 * stats_rate summarises shares, of trials[i] trials each; those that are NaN are left out.
 * Student's t says that replications which all came out alike, as at 100 %, have no spread; so many
 * trials cannot tell so much. The interval therefore reaches, at either end, to where the further
 * of two ends: Student's t over the replications, and Wilson's score interval of as many
 * independent trials as there were in all, about the same mean. It lies within 0..1.
 */
StatsMean stats_rate(const double *values, const double *trials, size_t len);

/* y = intercept + slope x; intervals by Student's t with n - 2 degrees of freedom. */
typedef struct StatsFit {
    size_t count;
    double slope;
    double intercept;
    double r_squared;  /* 1 when all y are equal and the line meets them */
    bool has_interval; /* three observations or more */
    StatsInterval slope_ci95;
    StatsInterval intercept_ci95;
    double residual_deviation; /* sqrt(sum of squared residuals / (n - 2)) */
    double mean_x;
    double spread_x; /* sum of (x - mean x)^2 */
} StatsFit;

/*
 * stats_fit_line fits by least squares.
 * Returns false, and leaves *ret_fit alone, unless there are two different x at least.
 */
bool stats_fit_line(const double *x, const double *y, size_t len, StatsFit *ret_fit);

/* stats_fit_at gives the line at x, and the 95 % confidence interval of the mean response there;
 * without an interval (two observations) both its ends are the line. */
double stats_fit_at(const StatsFit *fit, double x, StatsInterval *ret_ci95);

/* stats_kolmogorov is the probability that Kolmogorov's limit distribution exceeds lambda: 1 for
 * lambda <= 0, .05 at 1.3581. */
double stats_kolmogorov(double lambda);

typedef struct StatsKs {
    double distance; /* the greatest difference of the two samples' distribution functions, 0..1 */
    double p_value;  /* asymptotic; where values repeat (hops) it is an upper bound */
} StatsKs;

/*
 * stats_ks compares two samples, each in ascending order and without NaN, by the two-sample
 * Kolmogorov-Smirnov test.
 * Returns false, and leaves *ret_ks alone, when one is empty.
 */
bool stats_ks(const double *a, size_t a_len, const double *b, size_t b_len, StatsKs *ret_ks);

#endif
