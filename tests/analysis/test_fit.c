/*
 * test_fit.c - distributions of spans: known parameters come back, published samples have their
 * published fits, and what can be no sample of a family is none.
 */
#include <analysis/fit.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <peal_test.h>

enum { DRAWN = 5000, SEEDS = 40 };

typedef struct Truth {
    FitFamily family;
    double a;
    double b;
} Truth;

static const Truth TRUTHS[] = {
    {FIT_EXPONENTIAL, 12.5, 0},  {FIT_EXPONENTIAL, 3e-6, 0}, {FIT_LOGNORMAL, 4.5, 1.2},
    {FIT_LOGNORMAL, -9, 0.3},    {FIT_WEIBULL, 0.6, 0.8},    {FIT_WEIBULL, 1.8, 4000},
    {FIT_WEIBULL, 0.85, 1e-4},   {FIT_PARETO, 2.5, 30},      {FIT_PARETO, 1.2, 0.004},
    {FIT_PARETO, 0.8, 100000.0},
};

static double draw(const gsl_rng *rng, const Truth *truth)
{
    switch (truth->family) {
    case FIT_EXPONENTIAL:
        return gsl_ran_exponential(rng, truth->a);
    case FIT_LOGNORMAL:
        return gsl_ran_lognormal(rng, truth->a, truth->b);
    case FIT_WEIBULL:
        return gsl_ran_weibull(rng, truth->b, truth->a);
    default:
        return gsl_ran_pareto(rng, truth->a, truth->b) - truth->b;
    }
}

static Fit fit_drawn(const Truth *truth, size_t len, unsigned long seed)
{
    g_autofree double *spans = g_new(double, len);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

    gsl_rng_set(rng, seed);
    for (size_t i = 0; i < len; i++) {
        spans[i] = draw(rng, truth);
    }
    gsl_rng_free(rng);
    return fit_spans(spans, len);
}

/* The standard errors of the estimates, from the inverse of Fisher's information. Weibull: Lawless,
 * Statistical Models and Methods for Lifetime Data (1982), 4.1: var(shape) = 0.608 shape^2 / n,
 * var(log scale) = 1.109 / (n shape^2). Lomax: its information is n (1 / a^2, -1 / (b (a + 1)), a /
 * (b^2 (a + 2))). */
static void errors_of(const Truth *truth, double n, double *ret_a, double *ret_b)
{
    double a = truth->a;

    switch (truth->family) {
    case FIT_EXPONENTIAL:
        *ret_a = a / sqrt(n);
        *ret_b = 0;
        break;
    case FIT_LOGNORMAL:
        *ret_a = truth->b / sqrt(n);
        *ret_b = truth->b / sqrt(2 * n);
        break;
    case FIT_WEIBULL:
        *ret_a = a * sqrt(0.608 / n);
        *ret_b = truth->b * sqrt(1.109 / n) / a;
        break;
    default: {
        double determinant = 1 / (a * (a + 2)) - 1 / ((a + 1) * (a + 1));

        *ret_a = sqrt(a / (a + 2) / determinant / n);
        *ret_b = truth->b * sqrt(1 / (a * a) / determinant / n);
    }
    }
}

static void fit_recovers_parameters_and_names_the_family(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(TRUTHS); i++) {
        const Truth *truth = &TRUTHS[i];
        unsigned named = 0;
        unsigned near = 0;
        double error_a;
        double error_b;

        errors_of(truth, DRAWN, &error_a, &error_b);
        for (unsigned seed = 1; seed <= SEEDS; seed++) {
            Fit fit = fit_drawn(truth, DRAWN, seed + 100 * i);
            const FitOne *one = &fit.of[truth->family];

            CU_ASSERT_EQUAL(fit.n, DRAWN);
            CU_ASSERT_FATAL(one->known);
            CU_ASSERT_DOUBLE_EQUAL(one->a, truth->a, 4.5 * error_a);
            CU_ASSERT_DOUBLE_EQUAL(one->b, truth->b, 4.5 * error_b);
            near += fabs(one->a - truth->a) < 2 * error_a;
            named += fit.best == (int)truth->family;
            CU_ASSERT(one->ks < 1.95 / sqrt(DRAWN)); /* exceeded in one of 1,000 */
        }
        printf("# %s %g %g: named rightly for %u of %u seeds, within 2 errors %u\n",
               fit_family_name(truth->family), truth->a, truth->b, named, SEEDS, near);
        /* By BIC an exponential is taken for another one with a probability of about 0.4 %. */
        CU_ASSERT(named >= SEEDS - 2);
        CU_ASSERT(near >= SEEDS * 4 / 5);
    }
}

static void check_one(const FitOne *one, double a, double b, double log_likelihood, double bic,
                      double ks)
{
    CU_ASSERT_TRUE(one->known);
    CU_ASSERT_DOUBLE_EQUAL(one->a / a, 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(b > 0 ? one->b / b : 1, 1, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(one->log_likelihood, log_likelihood, 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(one->bic, bic, 2e-6);
    CU_ASSERT_DOUBLE_EQUAL(one->ks, ks, 1e-6);
}

/* Millions of revolutions to the failure of ball bearings: Lieblein and Zelen (1956). Lawless
 * (1982) has for them the Weibull of 2.10 and 81.9, and the log-normal of 4.15 and 0.522. All
 * digits here were computed by bisection and golden section in another program. */
static void fit_of_ball_bearings_is_the_published_one(void)
{
    static const double BEARINGS[] = {17.88, 28.92, 33.00,  41.52,  42.12,  45.60,  48.40, 51.84,
                                      51.96, 54.12, 55.56,  67.80,  68.64,  68.64,  68.88, 84.12,
                                      93.12, 98.64, 105.12, 105.84, 127.92, 128.04, 173.40};
    Fit fit = fit_spans(BEARINGS, G_N_ELEMENTS(BEARINGS));

    CU_ASSERT_EQUAL(fit.n, 23);
    CU_ASSERT_EQUAL(fit.best, FIT_LOGNORMAL);
    CU_ASSERT_DOUBLE_EQUAL(fit.median, 67.80, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(fit.mean, 72.22086956521738, 1e-9);
    check_one(&fit.of[FIT_EXPONENTIAL], 72.22086956521738, 0, -121.43376829446487,
              246.0030308048589, 0.30680580583234485);
    check_one(&fit.of[FIT_LOGNORMAL], 4.150382688326942, 0.5216865113017404, -113.12855433022014,
              232.5280970922986, 0.08973712630284103);
    check_one(&fit.of[FIT_WEIBULL], 2.101846863764876, 81.87455872410808, -113.69195908769007,
              233.65490660723844, 0.1510412266956399);
    CU_ASSERT_FALSE(fit.of[FIT_PARETO].known); /* they vary less than an exponential */
}

/* Hours between failures of the air conditioning of a Boeing 720: Proschan, Theoretical explanation
 * of observed decreasing failure rate (1963), plane 7912. */
static void fit_of_air_conditioning_is_as_computed_elsewhere(void)
{
    static const double HOURS[] = {23, 261, 87, 7, 120, 14, 62, 47, 225, 71, 246, 21, 42, 20, 5,
                                   12, 120, 11, 3, 14,  71, 11, 14, 11,  16, 90,  1,  16, 52, 95};
    Fit fit = fit_spans(HOURS, G_N_ELEMENTS(HOURS));

    CU_ASSERT_EQUAL(fit.best, FIT_EXPONENTIAL);
    check_one(&fit.of[FIT_EXPONENTIAL], 59.6, 0, -152.62966722213912, 308.6605318259404,
              0.21316773307050618);
    check_one(&fit.of[FIT_LOGNORMAL], 3.358091225606136, 1.319162923857868, -151.62081436977894,
              310.04402350288217, 0.10475563372956459);
    check_one(&fit.of[FIT_WEIBULL], 0.8535873397810043, 54.61344687252359, -151.93688869919495,
              310.6761721617142, 0.153363165723006);
    check_one(&fit.of[FIT_PARETO], 3.296200138337594, 141.26521799337465, -151.83745221009934,
              310.477299183523, 0.14155895102465887);
}

/* In another unit scales follow, and nothing else but the likelihood's constant. */
static void fit_does_not_depend_on_the_unit(void)
{
    const Truth truth = {FIT_PARETO, 1.5, 2};
    Fit plain = fit_drawn(&truth, 500, 3);

    for (int decade = -9; decade < 12; decade += 7) {
        const double unit = pow(10, decade);
        const Truth scaled = {FIT_PARETO, 1.5, 2 * unit};
        Fit fit = fit_drawn(&scaled, 500, 3);

        CU_ASSERT_EQUAL(fit.best, plain.best);
        for (int i = 0; i < FIT_FAMILIES; i++) {
            CU_ASSERT_DOUBLE_EQUAL(fit.of[i].ks, plain.of[i].ks, 1e-5);
            CU_ASSERT_DOUBLE_EQUAL(fit.of[i].log_likelihood,
                                   plain.of[i].log_likelihood - 500 * log(unit), 1e-4);
        }
        CU_ASSERT_DOUBLE_EQUAL(fit.of[FIT_WEIBULL].a, plain.of[FIT_WEIBULL].a, 1e-6);
        CU_ASSERT_DOUBLE_EQUAL(fit.of[FIT_PARETO].a / plain.of[FIT_PARETO].a, 1, 1e-5);
        CU_ASSERT_DOUBLE_EQUAL(fit.of[FIT_PARETO].b / plain.of[FIT_PARETO].b / unit, 1, 1e-5);
    }
}

/* Straight from the definition: at each span, and just below it. */
static double kolmogorov_directly(const double *spans, size_t len, FitFamily family,
                                  const FitOne *one)
{
    double most = 0;

    for (size_t i = 0; i < len; i++) {
        double up_to = 0;
        double below = 0;

        for (size_t j = 0; j < len; j++) {
            up_to += spans[j] <= spans[i];
            below += spans[j] < spans[i];
        }
        most = fmax(most, fabs(up_to / (double)len - fit_cdf(family, one, spans[i])));
        most = fmax(most, fabs(below / (double)len - fit_cdf(family, one, spans[i])));
    }
    return most;
}

static void fit_distance_is_that_of_the_definition_with_and_without_ties(void)
{
    enum { LEN = 700 };
    double spans[LEN];
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

    for (int step = 0; step < 4; step++) {
        double grid = 0.75 * step;
        Fit fit;

        for (size_t i = 0; i < LEN; i++) {
            spans[i] = gsl_ran_weibull(rng, 2, 0.9);
            spans[i] = grid > 0 ? grid * ceil(spans[i] / grid) : spans[i];
        }
        fit = fit_spans(spans, LEN);
        CU_ASSERT(fit.best >= 0);
        for (int i = 0; i < FIT_FAMILIES; i++) {
            CU_ASSERT(!fit.of[i].known ||
                      fabs(fit.of[i].ks -
                           kolmogorov_directly(spans, LEN, (FitFamily)i, &fit.of[i])) < 1e-12);
        }
    }
    gsl_rng_free(rng);
}

static void fit_of_too_few_or_equal_spans_is_none(void)
{
    double spans[2 * FIT_MIN];
    Fit fit = fit_spans(NULL, 0);

    CU_ASSERT(fit.n == 0 && fit.zero == 0 && fit.best == -1);
    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++) {
        spans[i] = (double)i;
    }
    fit = fit_spans(spans, FIT_MIN); /* one of them is 0 */
    CU_ASSERT(fit.n == FIT_MIN - 1 && fit.zero == 1 && fit.best == -1);
    CU_ASSERT_DOUBLE_EQUAL(fit.mean, FIT_MIN / 2.0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(fit.median, FIT_MIN / 2.0, 1e-12);
    fit = fit_spans(spans, FIT_MIN + 1);
    CU_ASSERT(fit.n == FIT_MIN && fit.best >= 0);
    for (size_t i = 0; i < G_N_ELEMENTS(spans); i++) {
        spans[i] = 3600 + 1e-6 * (double)i;
    }
    fit = fit_spans(spans, G_N_ELEMENTS(spans));
    CU_ASSERT_EQUAL(fit.best, -1);
    CU_ASSERT_DOUBLE_EQUAL(fit.median, 3600, 1e-3);
    for (int i = 0; i < FIT_FAMILIES; i++) {
        CU_ASSERT_FALSE(fit.of[i].known);
    }
    memset(spans, 0, sizeof(spans));
    fit = fit_spans(spans, G_N_ELEMENTS(spans));
    CU_ASSERT(fit.n == 0 && fit.zero == G_N_ELEMENTS(spans) && fit.best == -1);
}

/* Nothing hangs, and what is called known is made of numbers. */
static void check_sane(const double *spans, size_t len)
{
    Fit fit = fit_spans(spans, len);

    for (int i = 0; i < FIT_FAMILIES; i++) {
        const FitOne *one = &fit.of[i];

        if (one->known) {
            g_autofree char *text = fit_text((FitFamily)i, one);

            CU_ASSERT(isfinite(one->a) && isfinite(one->b) && isfinite(one->bic));
            CU_ASSERT(i == FIT_LOGNORMAL || one->a > 0);
            CU_ASSERT(i == FIT_EXPONENTIAL || one->b > 0);
            CU_ASSERT(one->ks >= 0 && one->ks <= 1);
            CU_ASSERT(one->bic >= fit.of[fit.best].bic);
            CU_ASSERT_PTR_NULL(strstr(text, "nan"));
            CU_ASSERT_PTR_NULL(strstr(text, "-"));
        }
    }
}

static void fit_bears_samples_that_no_family_has(void)
{
    enum { LEN = 64 };
    double spans[LEN];

    for (int kind = 0; kind < 8; kind++) {
        for (int i = 0; i < LEN; i++) {
            const double all[] = {
                i % 2 == 0 ? 1 : 2,                           /* two values */
                i == 0 ? 1 : 2,                               /* all but one equal */
                i == 0 ? 1e-9 : 1e9,                          /* and that one far away */
                pow(10, i / 3.0 - 10),                        /* over 21 decades */
                pow(10, i * 9.0 - 290),                       /* over all that a double has */
                i % 3 == 0 ? 0 : i,                           /* zeros */
                i % 3 == 0 ? (double)NAN : i,                 /* no numbers */
                i % 3 == 0 ? (double)INFINITY : 1 + 1e-5 * i, /* nearly equal */
            };

            spans[i] = all[kind];
        }
        check_sane(spans, LEN);
    }
}

static void fit_mean_is_that_of_the_family_and_scales(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(TRUTHS); i++) {
        const FitOne one = {.known = true, .a = TRUTHS[i].a, .b = TRUTHS[i].b};
        FitFamily family = TRUTHS[i].family;
        FitOne longer = fit_times(family, &one, 7);
        double mean = fit_mean(family, &one);

        if (family == FIT_PARETO && one.a <= 1) {
            CU_ASSERT(isinf(mean));
            continue;
        }
        if (family != FIT_PARETO || one.a > 2) { /* else the sample's mean is too wild */
            CU_ASSERT_DOUBLE_EQUAL(fit_drawn(&TRUTHS[i], 100000, 1).mean / mean, 1, 0.03);
        }
        CU_ASSERT_DOUBLE_EQUAL(fit_mean(family, &longer) / mean, 7, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(fit_cdf(family, &longer, 7 * mean), fit_cdf(family, &one, mean),
                               1e-9);
    }
}

static void fit_text_is_what_scenarios_read(void)
{
    static const struct {
        FitFamily family;
        FitOne one;
        const char *text;
    } TEXTS[] = {
        {FIT_EXPONENTIAL, {.a = 12.5}, "exponential(mean=12.5s)"},
        {FIT_EXPONENTIAL, {.a = 0.00123456789}, "exponential(mean=1.23457ms)"},
        {FIT_EXPONENTIAL, {.a = 3.2e-9}, "exponential(mean=3ns)"},
        {FIT_EXPONENTIAL, {.a = 1e-12}, "exponential(mean=1ns)"},
        {FIT_EXPONENTIAL, {.a = 1e30}, "exponential(mean=3153600000s)"},
        {FIT_EXPONENTIAL, {.a = 100}, "exponential(mean=100s)"},
        {FIT_LOGNORMAL, {.a = 0, .b = 1.20004}, "lognormal(median=1s, sigma=1.2)"},
        {FIT_LOGNORMAL, {.a = 800, .b = 1e-7}, "lognormal(median=3153600000s, sigma=0.001)"},
        {FIT_WEIBULL, {.a = 0.7, .b = 1.25}, "weibull(shape=0.7, scale=1.25s)"},
        {FIT_PARETO, {.a = 12345.678, .b = 2e-5}, "pareto(shape=12345.7, scale=20us)"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(TEXTS); i++) {
        g_autofree char *text = fit_text(TEXTS[i].family, &TEXTS[i].one);

        CU_ASSERT_STRING_EQUAL(text, TEXTS[i].text);
    }
}

PEAL_TEST_MAIN("analysis/fit", PEAL_TEST(fit_recovers_parameters_and_names_the_family),
               PEAL_TEST(fit_of_ball_bearings_is_the_published_one),
               PEAL_TEST(fit_of_air_conditioning_is_as_computed_elsewhere),
               PEAL_TEST(fit_does_not_depend_on_the_unit),
               PEAL_TEST(fit_distance_is_that_of_the_definition_with_and_without_ties),
               PEAL_TEST(fit_of_too_few_or_equal_spans_is_none),
               PEAL_TEST(fit_bears_samples_that_no_family_has),
               PEAL_TEST(fit_mean_is_that_of_the_family_and_scales),
               PEAL_TEST(fit_text_is_what_scenarios_read))
