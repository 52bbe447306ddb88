/*
 * stats.c - see stats.h.
 */
#include <analysis/stats.h>

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

/* Half the width of a 95 % interval, in standard errors. */
static double student_95(size_t degrees)
{
    return gsl_cdf_tdist_Pinv(0.975, (double)degrees);
}

static StatsInterval around(double centre, double half_width)
{
    return (StatsInterval){centre - half_width, centre + half_width};
}

StatsMean stats_mean(const double *values, size_t len)
{
    StatsMean result = {.mean = NAN, .deviation = NAN};
    double sum = 0, squares = 0;

    for (size_t i = 0; i < len; i++) {
        if (!isnan(values[i])) {
            sum += values[i];
            result.count++;
        }
    }
    if (result.count == 0) {
        return result;
    }
    result.mean = sum / (double)result.count;
    if (result.count == 1) {
        return result;
    }
    for (size_t i = 0; i < len; i++) {
        if (!isnan(values[i])) {
            squares += (values[i] - result.mean) * (values[i] - result.mean);
        }
    }
    result.deviation = sqrt(squares / (double)(result.count - 1));
    result.has_interval = true;
    result.ci95 = around(result.mean, student_95(result.count - 1) * result.deviation /
                                          sqrt((double)result.count));
    return result;
}

/* Wilson's score interval of a share p of n trials. */
static StatsInterval wilson_95(double p, double n)
{
    double z = gsl_cdf_ugaussian_Pinv(0.975);
    double scale = 1 + z * z / n;

    return around((p + z * z / (2 * n)) / scale,
                  z / scale * sqrt(p * (1 - p) / n + z * z / (4 * n * n)));
}

StatsMean stats_rate(const double *values, const double *trials, size_t len)
{
    StatsMean result = stats_mean(values, len);
    double all = 0;
    StatsInterval score;

    for (size_t i = 0; i < len; i++) {
        all += isnan(values[i]) ? 0 : trials[i];
    }
    if (!result.has_interval || !(all > 0)) {
        return result;
    }
    score = wilson_95(result.mean, all);
    result.ci95.low = fmax(0, fmin(result.ci95.low, score.low));
    result.ci95.high = fmin(1, fmax(result.ci95.high, score.high));
    return result;
}

bool stats_fit_line(const double *x, const double *y, size_t len, StatsFit *ret_fit)
{
    StatsFit fit = {.count = len};
    double cov00, cov01, cov11, residual, total;

    if (len < 2) {
        return false;
    }
    fit.mean_x = gsl_stats_mean(x, 1, len);
    fit.spread_x = gsl_stats_tss_m(x, 1, len, fit.mean_x);
    if (!(fit.spread_x > 0)) {
        return false;
    }
    gsl_fit_linear(x, 1, y, 1, len, &fit.intercept, &fit.slope, &cov00, &cov01, &cov11, &residual);
    total = gsl_stats_tss(y, 1, len);
    fit.r_squared = total > 0 ? 1 - residual / total : 1;
    if (len > 2) {
        double t = student_95(len - 2);

        fit.has_interval = true;
        fit.residual_deviation = sqrt(residual / (double)(len - 2));
        fit.slope_ci95 = around(fit.slope, t * sqrt(cov11));
        fit.intercept_ci95 = around(fit.intercept, t * sqrt(cov00));
    }
    *ret_fit = fit;
    return true;
}

double stats_fit_at(const StatsFit *fit, double x, StatsInterval *ret_ci95)
{
    double y = fit->intercept + fit->slope * x;
    double half_width = 0;

    if (fit->has_interval) {
        double leverage =
            1 / (double)fit->count + (x - fit->mean_x) * (x - fit->mean_x) / fit->spread_x;

        half_width = student_95(fit->count - 2) * fit->residual_deviation * sqrt(leverage);
    }
    *ret_ci95 = around(y, half_width);
    return y;
}

double stats_kolmogorov(double lambda)
{
    double sum = 0;

    if (!(lambda > 0)) {
        return 1;
    }
    if (lambda < 1) {
        /* The theta function's other series: the one below needs many terms here. */
        double step = M_PI * M_PI / (8 * lambda * lambda);

        for (int k = 1; k <= 7; k += 2) {
            sum += exp(-k * k * step);
        }
        return fmin(1, fmax(0, 1 - sqrt(2 * M_PI) / lambda * sum));
    }
    for (int k = 1; k <= 5; k++) {
        sum += (k % 2 == 1 ? 2 : -2) * exp(-2.0 * k * k * lambda * lambda);
    }
    return fmin(1, fmax(0, sum));
}

bool stats_ks(const double *a, size_t a_len, const double *b, size_t b_len, StatsKs *ret_ks)
{
    StatsKs ks = {0};
    size_t i = 0, j = 0;

    if (a_len == 0 || b_len == 0) {
        return false;
    }
    while (i < a_len && j < b_len) {
        double value = fmin(a[i], b[j]);

        while (i < a_len && a[i] <= value) {
            i++;
        }
        while (j < b_len && b[j] <= value) {
            j++;
        }
        ks.distance =
            fmax(ks.distance, fabs((double)i / (double)a_len - (double)j / (double)b_len));
    }
    ks.p_value = stats_kolmogorov(
        ks.distance * sqrt((double)a_len * ((double)b_len / ((double)a_len + (double)b_len))));
    *ret_ks = ks;
    return true;
}
