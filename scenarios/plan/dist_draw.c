/* SPDX-License-Identifier: GPL-3.0-or-later */
/* dist_draw.c - draws from distributions of spans, and their moments. See <scenarios/dist.h>. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <scenarios/dist.h>

#include "plan/dist_max.h"
#include "plan/rng.h"

/* Of a residual life's raw numbers, where the second draw begins. */
enum { RAW_SHARE = DIST_RAW_PER_DRAW / 2 };

/* The negated comparison also catches a NaN. */
static PealSpan whole_us(double us)
{
    return peal_us(!(us < DIST_MAX_US) ? (int64_t)DIST_MAX_US : llround(us));
}

PealSpan dist_draw(const Dist *dist, uint64_t seed, uint64_t stream, uint64_t number)
{
    double us = 0;
    Rng rng;

    rng_init(&rng, seed, stream, number * DIST_RAW_PER_DRAW);
    switch (dist->kind) {
    case DIST_NONE:
        break;
    case DIST_CONSTANT:
        return (PealSpan){llround(dist->a * 1e3)};
    case DIST_EXPONENTIAL:
        us = gsl_ran_exponential(&rng.gsl, dist->a);
        break;
    case DIST_WEIBULL:
        us = gsl_ran_weibull(&rng.gsl, dist->a, dist->b);
        break;
    case DIST_LOGNORMAL:
        us = gsl_ran_lognormal(&rng.gsl, dist->a, dist->b);
        break;
    case DIST_PARETO: /* GSL's begins at its scale */
        us = gsl_ran_pareto(&rng.gsl, dist->b, dist->a) - dist->a;
        break;
    }
    return whole_us(us);
}

/*
 * Whoever comes at a random instant meets a span with a probability proportional to its length, and
 * it is uniformly far gone then. So the rest is U L, where L has the density x f(x) / mean: of a
 * Weibull, (L / scale)^shape has the gamma distribution of 1 + 1 / shape; a log-normal stays one,
 * with mu + sigma^2. Of the others the rest has a form of its own.
 */
PealSpan dist_draw_residual(const Dist *dist, uint64_t seed, uint64_t stream, uint64_t number)
{
    double us = 0;
    double share;
    Rng rng;

    rng_init(&rng, seed, stream, number * DIST_RAW_PER_DRAW + RAW_SHARE);
    share = gsl_rng_uniform(&rng.gsl);
    rng_init(&rng, seed, stream, number * DIST_RAW_PER_DRAW);
    switch (dist->kind) {
    case DIST_NONE:
        break;
    case DIST_CONSTANT:
        us = share * dist->a;
        break;
    case DIST_EXPONENTIAL: /* it has no memory */
        us = gsl_ran_exponential(&rng.gsl, dist->a);
        break;
    case DIST_WEIBULL: {
        double gamma = gsl_cdf_gamma_Qinv(gsl_rng_uniform_pos(&rng.gsl), 1 + 1 / dist->b, 1);

        us = share * dist->a * pow(gamma, 1 / dist->b);
        break;
    }
    case DIST_LOGNORMAL:
        us = share * gsl_ran_lognormal(&rng.gsl, dist->a + dist->b * dist->b, dist->b);
        break;
    case DIST_PARETO:
        us = gsl_ran_pareto(&rng.gsl, dist->b - 1, dist->a) - dist->a;
        break;
    }
    return whole_us(us);
}

/* Of an exponential and a Pareto it is what is gone, which has the same distribution as what is
 * left, and what is left given that. */
PealSpan dist_draw_met(const Dist *dist, uint64_t seed, uint64_t stream, uint64_t number)
{
    double us = 0;
    Rng rng;

    rng_init(&rng, seed, stream, number * DIST_RAW_PER_DRAW);
    switch (dist->kind) {
    case DIST_NONE:
        break;
    case DIST_CONSTANT:
        return (PealSpan){llround(dist->a * 1e3)};
    case DIST_EXPONENTIAL:
        us = gsl_ran_exponential(&rng.gsl, dist->a);
        us += gsl_ran_exponential(&rng.gsl, dist->a);
        break;
    case DIST_WEIBULL:
        us = dist->a * pow(gsl_cdf_gamma_Qinv(gsl_rng_uniform_pos(&rng.gsl), 1 + 1 / dist->b, 1),
                           1 / dist->b);
        break;
    case DIST_LOGNORMAL:
        us = gsl_ran_lognormal(&rng.gsl, dist->a + dist->b * dist->b, dist->b);
        break;
    case DIST_PARETO: /* having lasted for `us`, it goes on as one of the scale a + us */
        us = gsl_ran_pareto(&rng.gsl, dist->b - 1, dist->a) - dist->a;
        us = gsl_ran_pareto(&rng.gsl, dist->b, dist->a + us) - dist->a;
        break;
    }
    return whole_us(us);
}

double dist_mean_us(const Dist *dist)
{
    switch (dist->kind) {
    case DIST_NONE:
        return 0;
    case DIST_CONSTANT:
    case DIST_EXPONENTIAL:
        return dist->a;
    case DIST_WEIBULL:
        return dist->a * tgamma(1 + 1 / dist->b);
    case DIST_LOGNORMAL:
        return exp(dist->a + dist->b * dist->b / 2);
    case DIST_PARETO:
        return dist->b > 1 ? dist->a / (dist->b - 1) : INFINITY;
    }
    return 0;
}

double dist_median_us(const Dist *dist)
{
    switch (dist->kind) {
    case DIST_NONE:
        return 0;
    case DIST_CONSTANT:
        return dist->a;
    case DIST_EXPONENTIAL:
        return dist->a * log(2);
    case DIST_WEIBULL:
        return dist->a * pow(log(2), 1 / dist->b);
    case DIST_LOGNORMAL:
        return exp(dist->a);
    case DIST_PARETO:
        return dist->a * (pow(2, 1 / dist->b) - 1);
    }
    return 0;
}

double dist_residual_mean_us(const Dist *dist)
{
    switch (dist->kind) {
    case DIST_NONE:
        return 0;
    case DIST_CONSTANT:
        return dist->a / 2;
    case DIST_EXPONENTIAL:
        return dist->a;
    case DIST_WEIBULL:
        return dist->a * tgamma(1 + 2 / dist->b) / (2 * tgamma(1 + 1 / dist->b));
    case DIST_LOGNORMAL:
        return exp(dist->a + 1.5 * dist->b * dist->b) / 2;
    case DIST_PARETO:
        return dist->b > 2 ? dist->a / (dist->b - 2) : INFINITY;
    }
    return 0;
}

double dist_survival(const Dist *dist, double us)
{
    if (us < 0) {
        return 1;
    }
    switch (dist->kind) {
    case DIST_NONE:
        return 0;
    case DIST_CONSTANT:
        return us < dist->a ? 1 : 0;
    case DIST_EXPONENTIAL:
        return gsl_cdf_exponential_Q(us, dist->a);
    case DIST_WEIBULL:
        return gsl_cdf_weibull_Q(us, dist->a, dist->b);
    case DIST_LOGNORMAL:
        return dist->b > 0 ? gsl_cdf_lognormal_Q(us, dist->a, dist->b) : us < exp(dist->a);
    case DIST_PARETO:
        return pow(1 + us / dist->a, -dist->b);
    }
    return 0;
}
