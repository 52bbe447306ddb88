/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dist.h - distributions of time spans, as a scenario writes them, and draws from them.
 * Source: GSL's random number distributions over the counter-based streams of <peal/random.h>;
 *         residual lives: Feller, An Introduction to Probability Theory, vol. 2, XI.4.
 * State:  none: a draw is a pure function of (distribution, seed, stream, number).
 * Time:   spans, quantised to 1 us so that the last digit of a logarithm cannot matter.
 */
#ifndef SCENARIOS_DIST_H
#define SCENARIOS_DIST_H

#include <glib.h>
#include <peal/random.h>

typedef enum DistKind {
    DIST_NONE, /* always zero */
    DIST_CONSTANT,
    DIST_EXPONENTIAL,
    DIST_WEIBULL,
    DIST_LOGNORMAL,
    DIST_PARETO /* shifted to begin at 0 (Lomax): P(X > x) = (1 + x / scale)^-shape */
} DistKind;

/*
 * The two parameters, by kind: spans in us or pure numbers.
 *              constant   exponential  weibull  lognormal  pareto
 * a            the span   mean         scale    mu         scale
 * b            -          -            shape    sigma      shape
 */
typedef struct Dist {
    DistKind kind;
    double a;
    double b;
} Dist;

/*
 * dist_parse reads a distribution.
 * text     `none`, a span (`5ms`, `constant:5ms`), `exponential:T`, or a name with two of its
 *          parameters, spans T and numbers X:
 *          `exponential(mean=T)`, `weibull(shape=X, scale=T)`, `weibull(shape=X, mean=T)`,
 *          `pareto(shape=X, scale=T)`, `pareto(shape=X, mean=T)`, `lognormal(mean=T, median=T)`,
 *          `lognormal(mean=T, sigma=X)`, `lognormal(median=T, sigma=X)`; exp(mu) is the median
 * Returns false with an error of SCENARIO_ERROR_VALUE that says what is wrong with the text.
 */
bool dist_parse(const char *text, Dist *ret_dist, GError **error) PEAL_MUST_USE;

/*
 * dist_draw returns draw `number` of a stream, 0 or more and at most 100 years.
 * stream   see peal_random_stream. A draw may take a few raw numbers of the stream: they start at
 *          number * DIST_RAW_PER_DRAW, so that draws neither shift nor repeat each other.
 */
#define DIST_RAW_PER_DRAW 16
PealSpan dist_draw(const Dist *dist, uint64_t seed, uint64_t stream, uint64_t number);

/*
 * dist_draw_residual draws what is left of a span that somebody comes upon at a random instant: the
 * equilibrium distribution of a renewal process, whose density is dist_survival / mean. It is not
 * short where spans vary: long ones are met more often. The mean must be finite.
 */
PealSpan dist_draw_residual(const Dist *dist, uint64_t seed, uint64_t stream, uint64_t number);

/* dist_draw_met draws the whole of such a span, with a weight of its length. Where each of many
 * goes on in spans of a length of its own, drawn so, the spans that they make have `dist`. The mean
 * must be finite. */
PealSpan dist_draw_met(const Dist *dist, uint64_t seed, uint64_t stream, uint64_t number);

/* dist_mean_us returns the mean, infinite where there is none (a pareto of shape 1 or less). */
double dist_mean_us(const Dist *dist);

/* dist_median_us returns the median. */
double dist_median_us(const Dist *dist);

/* dist_residual_mean_us returns the mean of dist_draw_residual, E[X^2] / (2 E[X]), infinite where
 * there is none (a pareto of shape 2 or less). Of DIST_NONE it is 0. */
double dist_residual_mean_us(const Dist *dist);

/* dist_survival returns P(X > us). */
double dist_survival(const Dist *dist, double us);

#endif
