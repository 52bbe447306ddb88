/* SPDX-License-Identifier: GPL-3.0-or-later */
/* mser.c - see mser.h. */
#include <analysis/mser.h>

#include <math.h>

double mser_batch(const double *observations, size_t len)
{
    double sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        if (!isnan(observations[i])) {
            sum += observations[i];
            count++;
        }
    }
    return count > 0 ? sum / (double)count : NAN;
}

/* The square of the mean's standard error, but for a factor that all cuts share. */
static double error_of(const double *values, size_t len)
{
    double mean = mser_batch(values, len);
    double squares = 0;
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        if (!isnan(values[i])) {
            squares += (values[i] - mean) * (values[i] - mean);
            count++;
        }
    }
    return count > 0 ? squares / ((double)count * (double)count) : NAN;
}

MserCut mser_cut(const double *values, size_t len)
{
    MserCut best = {0, true};
    double least = INFINITY;

    for (size_t cut = 0; cut <= len / 2; cut++) {
        double error = error_of(values + cut, len - cut);

        if (error < least) {
            least = error;
            best.cut = cut;
        }
    }
    best.settled = len >= 2 && best.cut < len / 2;
    return best;
}
