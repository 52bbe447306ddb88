/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * dist.c - distributions of spans as texts. See <scenarios/dist.h>; dist_draw.c draws from them.
 * A new distribution is one kind, a row of SHAPES, a case of dist_of and of each function there.
 */
#include <math.h>
#include <scenarios/scenario.h>

#include "plan/dist_max.h"
#include "units.h"

/* A parameter is a bit, so that a set of them is a number. */
typedef enum Parameter {
    SPAN_VALUE = 1 << 0,
    SPAN_MEAN = 1 << 1,
    SPAN_MEDIAN = 1 << 2,
    SPAN_SCALE = 1 << 3,
    NUMBER_SHAPE = 1 << 4,
    NUMBER_SIGMA = 1 << 5,
    NUMBERS = NUMBER_SHAPE | NUMBER_SIGMA
} Parameter;

static const char *const PARAMETERS[] = {"value", "mean", "median", "scale", "shape", "sigma"};
enum { PARAMETERS_LEN = G_N_ELEMENTS(PARAMETERS), SETS_MAX = 3 };

/* How a distribution is written: its name, and the sets of parameters that tell all about it. */
typedef struct DistShape {
    const char *name;
    DistKind kind;
    unsigned sets[SETS_MAX]; /* 0 ends the list */
} DistShape;

static const DistShape SHAPES[] = {
    {"constant", DIST_CONSTANT, {SPAN_VALUE}},
    {"exponential", DIST_EXPONENTIAL, {SPAN_MEAN}},
    {"weibull", DIST_WEIBULL, {NUMBER_SHAPE | SPAN_SCALE, NUMBER_SHAPE | SPAN_MEAN}},
    {"lognormal",
     DIST_LOGNORMAL,
     {SPAN_MEAN | SPAN_MEDIAN, SPAN_MEAN | NUMBER_SIGMA, SPAN_MEDIAN | NUMBER_SIGMA}},
    {"pareto", DIST_PARETO, {NUMBER_SHAPE | SPAN_SCALE, NUMBER_SHAPE | SPAN_MEAN}},
};

/* What a text says: spans in us and numbers by the place of their parameter, and which are set. */
typedef struct DistValues {
    double at[PARAMETERS_LEN];
    unsigned set;
} DistValues;

static double value_of(const DistValues *values, Parameter parameter)
{
    return values->at[__builtin_ctz(parameter)];
}

static bool dist_fail(GError **error, const char *text, const char *why)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                "'%s' %s; a distribution is one of none, constant:T, exponential:T, "
                "weibull(shape=X, scale=T), lognormal(mean=T, median=T), "
                "lognormal(median=T, sigma=X), pareto(shape=X, scale=T), and in place of scale "
                "or median there may be mean=T",
                text, why);
    return false;
}

static unsigned allowed_in(const DistShape *shape)
{
    unsigned allowed = 0;

    for (size_t i = 0; i < SETS_MAX; i++) {
        allowed |= shape->sets[i];
    }
    return allowed;
}

/* dist_read_parameter reads one `name=value`. */
static bool dist_read_parameter(const DistShape *shape, char *assignment, DistValues *values,
                                GError **error)
{
    char *value = strchr(assignment, '=');

    if (value == NULL) {
        return dist_fail(error, assignment, "is no name=value");
    }
    *value++ = '\0';
    g_strstrip(assignment);
    g_strstrip(value);
    for (size_t i = 0; i < PARAMETERS_LEN; i++) {
        unsigned bit = 1U << i;
        PealSpan span;
        uint64_t milli;

        if ((allowed_in(shape) & bit) == 0 || strcmp(PARAMETERS[i], assignment) != 0) {
            continue;
        }
        if ((values->set & bit) != 0) {
            return dist_fail(error, assignment, "is given twice");
        }
        values->set |= bit;
        if ((bit & NUMBERS) != 0) {
            if (!units_milli(value, &milli, error)) {
                return false;
            }
            values->at[i] = (double)milli / 1e3;
        } else {
            if (!units_span(value, &span, error)) {
                return false;
            }
            values->at[i] = (double)span.ns / 1e3;
        }
        return true;
    }
    return dist_fail(error, assignment, "is no parameter of this distribution");
}

/* The distribution that good values describe. */
static Dist dist_of(DistKind kind, const DistValues *values)
{
    double mean = value_of(values, SPAN_MEAN);
    double shape = value_of(values, NUMBER_SHAPE);
    double sigma = value_of(values, NUMBER_SIGMA);
    bool by_mean = (values->set & SPAN_MEAN) != 0;

    switch (kind) {
    case DIST_WEIBULL:
        return (Dist){kind, by_mean ? mean / tgamma(1 + 1 / shape) : value_of(values, SPAN_SCALE),
                      shape};
    case DIST_PARETO:
        return (Dist){kind, by_mean ? mean * (shape - 1) : value_of(values, SPAN_SCALE), shape};
    case DIST_LOGNORMAL:
        /* mean = exp(mu + sigma^2 / 2), median = exp(mu) */
        if ((values->set & NUMBER_SIGMA) == 0) {
            double median = value_of(values, SPAN_MEDIAN);

            return (Dist){kind, log(median), sqrt(2 * log(mean / median))};
        }
        return (Dist){kind,
                      by_mean ? log(mean) - sigma * sigma / 2 : log(value_of(values, SPAN_MEDIAN)),
                      sigma};
    case DIST_EXPONENTIAL:
        return (Dist){kind, mean, 0};
    case DIST_CONSTANT:
        return (Dist){kind, value_of(values, SPAN_VALUE), 0};
    case DIST_NONE:
        break;
    }
    return (Dist){DIST_NONE, 0, 0};
}

/* dist_finish checks the values and makes the distribution of them. */
static bool dist_finish(const char *text, const DistShape *shape, const DistValues *values,
                        Dist *ret_dist, GError **error)
{
    bool whole = false;
    Dist dist;

    for (size_t i = 0; i < SETS_MAX; i++) {
        whole = whole || (values->set != 0 && values->set == shape->sets[i]);
    }
    if (!whole) {
        return dist_fail(error, text, "has not just the parameters that tell all about it");
    }
    for (size_t i = 0; i < PARAMETERS_LEN; i++) {
        if ((values->set & 1U << i) != 0 && (!(values->at[i] > 0) || values->at[i] > DIST_MAX_US)) {
            return dist_fail(error, text,
                             "has a parameter that is not above 0 and below 100 years");
        }
    }
    if (values->set == (SPAN_MEAN | SPAN_MEDIAN) &&
        value_of(values, SPAN_MEAN) < value_of(values, SPAN_MEDIAN)) {
        return dist_fail(error, text, "has a mean below its median");
    }
    if (shape->kind == DIST_PARETO && (values->set & SPAN_MEAN) != 0 &&
        value_of(values, NUMBER_SHAPE) <= 1) {
        return dist_fail(error, text, "has no mean: that takes a shape above 1");
    }
    dist = dist_of(shape->kind, values);
    if (!isfinite(dist.a) || (shape->kind != DIST_LOGNORMAL && !(dist.a > 0))) {
        return dist_fail(error, text, "has a shape too far from 1 for its mean");
    }
    *ret_dist = dist;
    return true;
}

static bool dist_parse_shape(const char *text, const DistShape *shape, const char *rest,
                             Dist *ret_dist, GError **error)
{
    DistValues values = {.set = 0};

    if (*rest == ':' && (allowed_in(shape) & (allowed_in(shape) - 1)) == 0) {
        PealSpan span;

        if (!units_span(rest + 1, &span, error)) {
            return false;
        }
        values.set = allowed_in(shape);
        values.at[__builtin_ctz(values.set)] = (double)span.ns / 1e3;
    } else if (*rest == '(' && g_str_has_suffix(rest, ")")) {
        g_autofree char *inside = g_strndup(rest + 1, strlen(rest) - 2);
        g_auto(GStrv) parts = g_strsplit(inside, ",", 4);

        for (size_t i = 0; parts[i] != NULL; i++) {
            if (!dist_read_parameter(shape, parts[i], &values, error)) {
                return false;
            }
        }
    } else {
        return dist_fail(error, text, "is not written so");
    }
    return dist_finish(text, shape, &values, ret_dist, error);
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
