/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dist.c - distributions of spans: their texts and their draws. See <scenarios/dist.h>.
 * A new distribution is one kind, one row of SHAPES and one case of dist_draw and dist_mean_us.
 */
#include <gsl/gsl_randist.h>
#include <math.h>
#include <scenarios/scenario.h>

#include "plan/rng.h"
#include "units.h"

static const double DIST_MAX_US = 100.0 * 365 * 86400 * 1e6;

/* How a distribution is written: its name and its parameters, each a span (T) or a number (X). */
typedef struct DistShape {
    const char *name;
    const char *parameters[2];
    bool number[2];
    DistKind kind;
} DistShape;

static const DistShape SHAPES[] = {
    {"constant", {"value", NULL}, {false, false}, DIST_CONSTANT},
    {"exponential", {"mean", NULL}, {false, false}, DIST_EXPONENTIAL},
    {"weibull", {"scale", "shape"}, {false, true}, DIST_WEIBULL},
    {"lognormal", {"mean", "median"}, {false, false}, DIST_LOGNORMAL},
    {"pareto", {"scale", "shape"}, {false, true}, DIST_PARETO},
};

static bool dist_fail(GError **error, const char *text, const char *why)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                "'%s' %s; a distribution is one of none, constant:T, exponential:T, "
                "weibull(shape=X, scale=T), lognormal(mean=T, median=T), pareto(shape=X, scale=T)",
                text, why);
    return false;
}

/* dist_read_parameter reads one `name=value` into its place of ret_values. */
static bool dist_read_parameter(const DistShape *shape, char *assignment, double ret_values[2],
                                bool ret_seen[2], GError **error)
{
    char *value = strchr(assignment, '=');

    if (value == NULL) {
        return dist_fail(error, assignment, "is no name=value");
    }
    *value++ = '\0';
    g_strstrip(assignment);
    g_strstrip(value);
    for (size_t i = 0; i < G_N_ELEMENTS(shape->parameters); i++) {
        PealSpan span;
        uint64_t milli;

        if (shape->parameters[i] == NULL || strcmp(shape->parameters[i], assignment) != 0) {
            continue;
        }
        if (ret_seen[i]) {
            return dist_fail(error, assignment, "is given twice");
        }
        if (shape->number[i]) {
            if (!units_milli(value, &milli, error)) {
                return false;
            }
            ret_values[i] = (double)milli / 1e3;
        } else {
            if (!units_span(value, &span, error)) {
                return false;
            }
            ret_values[i] = (double)span.ns / 1e3;
        }
        ret_seen[i] = true;
        return true;
    }
    return dist_fail(error, assignment, "is no parameter of this distribution");
}

/* dist_finish checks the values and turns them into those that dist_draw wants. */
static bool dist_finish(const char *text, const DistShape *shape, const double values[2],
                        const bool seen[2], Dist *ret_dist, GError **error)
{
    Dist dist = {shape->kind, values[0], values[1]};

    for (size_t i = 0; i < G_N_ELEMENTS(shape->parameters) && shape->parameters[i] != NULL; i++) {
        if (!seen[i]) {
            return dist_fail(error, text, "lacks a parameter");
        }
        if (!(values[i] > 0) || values[i] > DIST_MAX_US) {
            return dist_fail(error, text,
                             "has a parameter that is not above 0 and below 100 years");
        }
    }
    if (shape->kind == DIST_LOGNORMAL) {
        /* mean = exp(mu + sigma^2 / 2), median = exp(mu) */
        if (values[0] < values[1]) {
            return dist_fail(error, text, "has a mean below its median");
        }
        dist.a = log(values[1]);
        dist.b = sqrt(2 * log(values[0] / values[1]));
    }
    *ret_dist = dist;
    return true;
}

static bool dist_parse_shape(const char *text, const DistShape *shape, const char *rest,
                             Dist *ret_dist, GError **error)
{
    double values[2] = {0, 0};
    bool seen[2] = {false, false};

    if (*rest == ':' && shape->parameters[1] == NULL) {
        PealSpan span;

        if (!units_span(rest + 1, &span, error)) {
            return false;
        }
        values[0] = (double)span.ns / 1e3;
        seen[0] = true;
    } else if (*rest == '(' && g_str_has_suffix(rest, ")")) {
        g_autofree char *inside = g_strndup(rest + 1, strlen(rest) - 2);
        g_auto(GStrv) parts = g_strsplit(inside, ",", 4);

        for (size_t i = 0; parts[i] != NULL; i++) {
            if (!dist_read_parameter(shape, parts[i], values, seen, error)) {
                return false;
            }
        }
    } else {
        return dist_fail(error, text, "is not written so");
    }
    return dist_finish(text, shape, values, seen, ret_dist, error);
}

bool dist_parse(const char *text, Dist *ret_dist, GError **error)
{
    PealSpan span;

    if (strcmp(text, "none") == 0) {
        *ret_dist = (Dist){DIST_NONE, 0, 0};
        return true;
    }
    if (g_ascii_isdigit(text[0])) {
        if (!units_span(text, &span, error)) {
            return false;
        }
        *ret_dist = (Dist){span.ns > 0 ? DIST_CONSTANT : DIST_NONE, (double)span.ns / 1e3, 0};
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(SHAPES); i++) {
        size_t len = strlen(SHAPES[i].name);

        if (strncmp(text, SHAPES[i].name, len) == 0 && !g_ascii_isalnum(text[len])) {
            return dist_parse_shape(text, &SHAPES[i], text + len, ret_dist, error);
        }
    }
    return dist_fail(error, text, "names no distribution");
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
        us = dist->a;
        break;
    case DIST_EXPONENTIAL:
        us = gsl_ran_exponential(&rng.gsl, dist->a);
        break;
    case DIST_WEIBULL:
        us = gsl_ran_weibull(&rng.gsl, dist->a, dist->b);
        break;
    case DIST_LOGNORMAL:
        us = gsl_ran_lognormal(&rng.gsl, dist->a, dist->b);
        break;
    case DIST_PARETO:
        us = gsl_ran_pareto(&rng.gsl, dist->b, dist->a);
        break;
    }
    if (dist->kind == DIST_CONSTANT) {
        return (PealSpan){llround(us * 1e3)};
    }
    /* The negated comparison also catches a NaN. */
    return peal_us(!(us < DIST_MAX_US) ? (int64_t)DIST_MAX_US : llround(us));
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
        return dist->b > 1 ? dist->b * dist->a / (dist->b - 1) : INFINITY;
    }
    return 0;
}
