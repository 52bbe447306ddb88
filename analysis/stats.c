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
