/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fit.c - maximum likelihood of four families. See <analysis/fit.h>.
 *
 * Spans are taken in units of their median, and powers of them by way of logarithms, so that
 * neither the unit nor the spread matters. Where a family has two parameters, the best first one
 * for each value of the second is known in closed form; what is left is one equation, or one
 * minimum.
 */
#include <analysis/fit.h>

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_roots.h>
#include <math.h>

enum {
    BRACKET_MAX = 200, /* steps in search of a bracket */
    ITERATIONS_MAX = 100,
    THIN = 4096 /* spans that tell about where a minimum is */
};

/* Below it, the greatest and the least span differ by less than captures' clocks are good for. */
#define SPREAD_LEAST 1e-6
/* A Pareto of so great a shape is the exponential, whichever shape it is. */
#define SHAPE_MOST 1e4

/* Spans above 0, ascending, of which not all are equal. */
typedef struct Sample {
    const double *seconds;
    double *unit;    /* in medians */
    double *log;     /* of that */
    size_t n;        /* of each */
    double mean;     /* of unit */
    double log_mean; /* of log */
    double log_sd;
    double log_median; /* of the median in seconds */
} Sample;

const char *fit_family_name(FitFamily family)
{
    static const char *const NAMES[FIT_FAMILIES] = {"exponential", "lognormal", "weibull",
                                                    "pareto"};

    return NAMES[family];
}

double fit_cdf(FitFamily family, const FitOne *one, double x)
{
    if (!(x > 0)) {
        return 0;
    }
    switch (family) {
    case FIT_EXPONENTIAL:
        return -expm1(-x / one->a);
    case FIT_LOGNORMAL:
        return gsl_cdf_ugaussian_P((log(x) - one->a) / one->b);
    case FIT_WEIBULL:
        return -expm1(-pow(x / one->b, one->a));
    case FIT_PARETO:
        return -expm1(-one->a * log1p(x / one->b));
    case FIT_FAMILIES:
        break;
    }
    return 0;
}

/* What follows from the parameters and the likelihood of the spans in medians. */
static void fit_finish(FitOne *one, const Sample *sample, double log_likelihood, int parameters)
{
    double n = (double)sample->n;

    one->log_likelihood = log_likelihood - n * sample->log_median;
    one->bic = parameters * log(n) - 2 * one->log_likelihood;
    one->known = isfinite(one->a) && isfinite(one->b) && isfinite(one->bic);
}

static void fit_exponential(const Sample *sample, FitOne *one)
{
    one->a = sample->mean * exp(sample->log_median);
    fit_finish(one, sample, -(double)sample->n * (log(sample->mean) + 1), 1);
}

static void fit_lognormal(const Sample *sample, FitOne *one)
{
    one->a = sample->log_mean + sample->log_median;
    one->b = sample->log_sd;
    fit_finish(one, sample,
               -(double)sample->n *
                   (sample->log_mean + log(sample->log_sd) + (log(2 * G_PI) + 1) / 2),
               2);
}

/*
 * Weibull. For a shape k the best scale is the k-th root of the mean of x^k; then the likelihood's
 * derivative by k is 0 where
 *     k (mean of log x, weighted by x^k, less the plain one) = 1.
 * The left side grows with k, from 0 on.
 */
typedef struct WeibullPowers {
    double log_mean;   /* weighted */
    double mean_power; /* of (x / greatest)^k */
} WeibullPowers;

static WeibullPowers weibull_powers(const Sample *sample, double shape)
{
    double greatest = sample->log[sample->n - 1];
    double sum = 0;
    double weighted = 0;

    for (size_t i = 0; i < sample->n; i++) {
        double power = exp(shape * (sample->log[i] - greatest));

        sum += power;
        weighted += power * sample->log[i];
    }
    return (WeibullPowers){weighted / sum, sum / (double)sample->n};
}

static double weibull_equation(double log_shape, void *user)
{
    const Sample *sample = user;
    double shape = exp(log_shape);

    return shape * (weibull_powers(sample, shape).log_mean - sample->log_mean) - 1;
}

/* The root between two logarithms of shapes, on the two sides of it. */
static double weibull_root(Sample *sample, double low, double high)
{
    gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
    gsl_function function = {weibull_equation, sample};
    double root;

    gsl_root_fsolver_set(solver, &function, low, high);
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        gsl_root_fsolver_iterate(solver);
        low = gsl_root_fsolver_x_lower(solver);
        high = gsl_root_fsolver_x_upper(solver);
        if (gsl_root_test_interval(low, high, 1e-10, 0) == GSL_SUCCESS) {
            break;
        }
    }
    root = gsl_root_fsolver_root(solver);
    gsl_root_fsolver_free(solver);
    return root;
}

static void fit_weibull(Sample *sample, FitOne *one)
{
    /* log x of a Weibull has a standard deviation of pi / (sqrt(6) shape). */
    double low = log(G_PI / sqrt(6) / sample->log_sd);
    double high = low;
    double greatest = sample->log[sample->n - 1];
    double log_scale;
    int steps = 0;

    while (weibull_equation(low, sample) >= 0 && steps++ < BRACKET_MAX) {
        high = low;
        low -= 0.5;
    }
    while (weibull_equation(high, sample) <= 0 && steps++ < BRACKET_MAX) {
        high += 0.5;
    }
    if (steps >= BRACKET_MAX) {
        return;
    }
    one->a = exp(weibull_root(sample, low, high));
    log_scale = greatest + log(weibull_powers(sample, one->a).mean_power) / one->a;
    one->b = exp(log_scale + sample->log_median);
    fit_finish(one, sample,
               (double)sample->n *
                   (log(one->a) - one->a * log_scale + (one->a - 1) * sample->log_mean - 1),
               2);
}

/*
 * Pareto. For a scale s the best shape is 1 / (mean of log(1 + x / s)); what a span then adds to
 * the likelihood, with the sign turned and less 1, is
 *     log s + log(mean) + mean.
 * It is without bound where s goes to 0; where s goes to infinity it is the exponential's, and that
 * may be its least: then there is no Pareto that is the best one.
 */
typedef struct ParetoSpans {
    const double *unit;
    const double *log;
    size_t n;
    size_t stride;
} ParetoSpans;

static double pareto_mean_log(const ParetoSpans *spans, double log_scale)
{
    double rate = exp(-log_scale);
    double sum = 0;
    size_t count = 0;

    for (size_t i = spans->stride / 2; i < spans->n; i += spans->stride) {
        double ratio = spans->unit[i] * rate;

        /* The product may be too much for a double, its logarithm is not. */
        sum += ratio < 1e300 ? log1p(ratio) : spans->log[i] - log_scale;
        count++;
    }
    return sum / (double)count;
}

static double pareto_cost(double log_scale, void *user)
{
    double mean = pareto_mean_log(user, log_scale);

    return log_scale + log(mean) + mean;
}

/* Where about the least cost is, as told by some of the spans. */
static double pareto_guess(const Sample *sample, double most)
{
    ParetoSpans some = {sample->unit, sample->log, sample->n, sample->n / THIN + 1};
    double best = most;
    double least = pareto_cost(most, &some);

    for (int down = 1; most - down > sample->log[0] - 20; down++) {
        double cost = pareto_cost(most - down, &some);

        if (cost < least) {
            least = cost;
            best = most - down;
        }
    }
    return best;
}

static double pareto_minimum(ParetoSpans *all, double middle, double low, double high)
{
    gsl_min_fminimizer *minimiser = gsl_min_fminimizer_alloc(gsl_min_fminimizer_brent);
    gsl_function function = {pareto_cost, all};
    double minimum;

    gsl_min_fminimizer_set(minimiser, &function, middle, low, high);
    for (int i = 0; i < ITERATIONS_MAX; i++) {
        gsl_min_fminimizer_iterate(minimiser);
        low = gsl_min_fminimizer_x_lower(minimiser);
        high = gsl_min_fminimizer_x_upper(minimiser);
        if (gsl_min_test_interval(low, high, 1e-7, 0) == GSL_SUCCESS) {
            break;
        }
    }
    minimum = gsl_min_fminimizer_x_minimum(minimiser);
    gsl_min_fminimizer_free(minimiser);
    return minimum;
}

static void fit_pareto(const Sample *sample, FitOne *one)
{
    ParetoSpans all = {sample->unit, sample->log, sample->n, 1};
    double most = log(sample->mean * SHAPE_MOST);
    double middle = pareto_guess(sample, most);
    double cost = pareto_cost(middle, &all);
    double least;
    int steps = 0;

    for (double way = -1; steps < BRACKET_MAX; steps++) {
        double next = pareto_cost(middle + way, &all);

        if (next <= cost) {
            middle += way;
            cost = next;
        } else if (way < 0) {
            way = 1;
        } else {
            break;
        }
        if (middle >= most) {
            return;
        }
    }
    if (steps >= BRACKET_MAX || !(pareto_cost(middle - 1, &all) > cost)) {
        return;
    }
    least = pareto_minimum(&all, middle, middle - 1, middle + 1);
    one->a = 1 / pareto_mean_log(&all, least);
    one->b = exp(least + sample->log_median);
    fit_finish(one, sample, -(double)sample->n * (pareto_cost(least, &all) + 1), 2);
}

/* The greatest distance between the sample's steps and the fit. Where spans are equal, their step
 * has its ends at the first and the last of them: what is reckoned between lies within. */
static double kolmogorov(const Sample *sample, FitFamily family, const FitOne *one)
{
    double n = (double)sample->n;
    double most = 0;

    for (size_t i = 0; i < sample->n; i++) {
        double below = fit_cdf(family, one, sample->seconds[i]);

        most = MAX(most, MAX((double)(i + 1) / n - below, below - (double)i / n));
    }
    return most;
}

static int compare_spans(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void sample_init(Sample *sample, const double *seconds, size_t n, double median)
{
    double squares = 0;

    *sample = (Sample){.seconds = seconds, .n = n, .log_median = log(median)};
    sample->unit = g_new(double, n);
    sample->log = g_new(double, n);
    for (size_t i = 0; i < n; i++) {
        sample->unit[i] = seconds[i] / median;
        sample->log[i] = log(seconds[i]) - sample->log_median;
        sample->mean += sample->unit[i] / (double)n;
        sample->log_mean += sample->log[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        double off = sample->log[i] - sample->log_mean;

        squares += off * off;
    }
    sample->log_sd = sqrt(squares / (double)n);
}

static void fit_families(Fit *fit, const double *seconds)
{
    Sample sample;

    sample_init(&sample, seconds, fit->n, fit->median);
    fit_exponential(&sample, &fit->of[FIT_EXPONENTIAL]);
    fit_lognormal(&sample, &fit->of[FIT_LOGNORMAL]);
    fit_weibull(&sample, &fit->of[FIT_WEIBULL]);
    fit_pareto(&sample, &fit->of[FIT_PARETO]);
    for (int i = 0; i < FIT_FAMILIES; i++) {
        FitOne *one = &fit->of[i];

        if (!one->known) {
            *one = (FitOne){0};
            continue;
        }
        one->ks = kolmogorov(&sample, (FitFamily)i, one);
        if (fit->best < 0 || one->bic < fit->of[fit->best].bic) {
            fit->best = i;
        }
    }
    g_free(sample.unit);
    g_free(sample.log);
}

Fit fit_spans(const double *spans, size_t len)
{
    g_autofree double *seconds = g_new(double, MAX(len, 1));
    Fit fit = {.best = -1};

    for (size_t i = 0; i < len; i++) {
        fit.zero += spans[i] == 0;
        if (spans[i] > 0 && isfinite(spans[i])) {
            seconds[fit.n++] = spans[i];
        }
    }
    if (fit.n == 0) {
        return fit;
    }
    qsort(seconds, fit.n, sizeof(*seconds), compare_spans);
    for (size_t i = 0; i < fit.n; i++) {
        fit.mean += seconds[i] / (double)fit.n;
    }
    fit.median = (seconds[(fit.n - 1) / 2] + seconds[fit.n / 2]) / 2;
    if (fit.n >= FIT_MIN && seconds[fit.n - 1] / seconds[0] - 1 > SPREAD_LEAST) {
        fit_families(&fit, seconds);
    }
    return fit;
}

double fit_mean(FitFamily family, const FitOne *one)
{
    switch (family) {
    case FIT_EXPONENTIAL:
        return one->a;
    case FIT_LOGNORMAL:
        return exp(one->a + one->b * one->b / 2);
    case FIT_WEIBULL:
        return one->b * tgamma(1 + 1 / one->a);
    case FIT_PARETO:
        return one->a > 1 ? one->b / (one->a - 1) : INFINITY;
    case FIT_FAMILIES:
        break;
    }
    return 0;
}

FitOne fit_times(FitFamily family, const FitOne *one, double factor)
{
    FitOne scaled = {.known = one->known, .a = one->a, .b = one->b, .ks = one->ks};

    if (family == FIT_EXPONENTIAL) {
        scaled.a *= factor;
    } else if (family == FIT_LOGNORMAL) {
        scaled.a += log(factor);
    } else {
        scaled.b *= factor;
    }
    return scaled;
}

/* A number > 0 in 6 digits, of which at most `decimals` are decimals, without zeros at its end. */
static void add_number(GString *text, double value, int decimals)
{
    int places = CLAMP(5 - (int)floor(log10(value)), 0, decimals);

    g_string_append_printf(text, "%.*f", places, value);
    if (places > 0) {
        while (text->str[text->len - 1] == '0') {
            g_string_truncate(text, text->len - 1);
        }
        if (text->str[text->len - 1] == '.') {
            g_string_truncate(text, text->len - 1);
        }
    }
}

/* Scenarios take 1 ns to 100 years, and whole ns. */
static void add_span(GString *text, const char *name, double seconds)
{
    static const struct {
        const char *name;
        double seconds;
        int decimals;
    } UNITS[] = {{"s", 1, 9}, {"ms", 1e-3, 6}, {"us", 1e-6, 3}, {"ns", 1e-9, 0}};
    double value = CLAMP(seconds, 1e-9, 100.0 * 365 * 86400);
    size_t i = 0;

    while (i + 1 < G_N_ELEMENTS(UNITS) && value < UNITS[i].seconds) {
        i++;
    }
    g_string_append_printf(text, "%s=", name);
    add_number(text, value / UNITS[i].seconds, UNITS[i].decimals);
    g_string_append(text, UNITS[i].name);
}

/* Scenarios take thousandths. */
static void add_shape(GString *text, const char *name, double value)
{
    g_string_append_printf(text, "%s=", name);
    add_number(text, CLAMP(value, 1e-3, 1e9), 3);
}

char *fit_text(FitFamily family, const FitOne *one)
{
    GString *text = g_string_new(fit_family_name(family));

    g_string_append_c(text, '(');
    switch (family) {
    case FIT_EXPONENTIAL:
        add_span(text, "mean", one->a);
        break;
    case FIT_LOGNORMAL:
        add_span(text, "median", exp(one->a));
        g_string_append(text, ", ");
        add_shape(text, "sigma", one->b);
        break;
    case FIT_WEIBULL:
    case FIT_PARETO:
        add_shape(text, "shape", one->a);
        g_string_append(text, ", ");
        add_span(text, "scale", one->b);
        break;
    case FIT_FAMILIES:
        break;
    }
    g_string_append_c(text, ')');
    return g_string_free(text, FALSE);
}
