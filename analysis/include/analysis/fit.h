/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fit.h - which distribution spans of time come from: maximum likelihood, four families.
 * Source: GSL's minimisers and distributions; Lomax, Business Failures (1954), for the Pareto that
 *         begins at 0; Schwarz, Estimating the dimension of a model (1978), for the choice.
 * State:  none.   Time: spans are seconds.
 */
#ifndef ANALYSIS_FIT_H
#define ANALYSIS_FIT_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/*                     a        b
 * FIT_EXPONENTIAL     mean s   -
 * FIT_LOGNORMAL       mu       sigma   (of the logarithm of seconds)
 * FIT_WEIBULL         shape    scale s
 * FIT_PARETO          shape    scale s (P(X > x) = (1 + x / scale)^-shape) */
typedef enum FitFamily {
    FIT_EXPONENTIAL,
    FIT_LOGNORMAL,
    FIT_WEIBULL,
    FIT_PARETO,
    FIT_FAMILIES
} FitFamily;
const char *fit_family_name(FitFamily family); /* "exponential", as scenarios write it */

/* A Pareto is not known where the likelihood grows up to its limit, the exponential: so it is of
 * spans that vary less than that one's. */
typedef struct FitOne {
    bool known; /* it could be fitted */
    double a;
    double b;
    double log_likelihood;
    double bic; /* less is better: likelihood, with a price on the second parameter */
    double ks;  /* Kolmogorov-Smirnov distance between sample and fit, 0..1 */
} FitOne;

typedef struct Fit {
    size_t n;    /* spans that were fitted: those > 0 */
    size_t zero; /* and those that are 0, which no family has */
    double mean;
    double median;
    FitOne of[FIT_FAMILIES];
    int best; /* FitFamily of the least bic; -1: too few spans (under FIT_MIN), or all equal, but
                 for a millionth */
} Fit;

enum { FIT_MIN = 20 };

/* fit_spans fits all families; the spans are >= 0 and in any order. Time: about len * 1 us. */
Fit fit_spans(const double *spans, size_t len);

/* fit_cdf is P(X <= x) of one fit. */
double fit_cdf(FitFamily family, const FitOne *one, double x);

/* fit_mean is that of one fit, infinite where there is none (a Pareto of shape 1 or less). */
double fit_mean(FitFamily family, const FitOne *one);

/* fit_times is the fit of spans that are so many times longer, without likelihood and BIC. */
FitOne fit_times(FitFamily family, const FitOne *one, double factor);

/* fit_text is a fit that is known as a scenario writes it: `weibull(shape=0.7, scale=1.25s)`, of 6
 * digits, shapes in thousandths; what is beyond the limits of scenarios becomes the limit. To
 * g_free. */
char *fit_text(FitFamily family, const FitOne *one);

#endif
