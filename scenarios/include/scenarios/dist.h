/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dist.h - distributions of time spans, as a scenario writes them, and draws from them.
 * Source: GSL's random number distributions over the counter-based streams of <peal/random.h>.
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
    DIST_PARETO
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
 * text     `none`, a span (`5ms`, `constant:5ms`), `exponential:T`, `exponential(mean=T)`,
 *          `weibull(shape=X, scale=T)`, `lognormal(mean=T, median=T)` or `pareto(shape=X, scale=T)`
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

/* dist_mean_us returns the mean, infinite where a pareto has none. */
double dist_mean_us(const Dist *dist);

#endif
