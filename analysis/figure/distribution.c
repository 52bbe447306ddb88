/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * distribution.c - how latency, hops and load are distributed, over all replications of a case.
 */
#include "figure/look.h"
#include "figure/table.h"

#include <math.h>

/* More curves than this are not told apart; evenly spaced cases then stand for all. */
enum { CURVES_MAX = 12 };

static void say_chosen(const Cases *cases, Figure *figure)
{
    if (cases->cases->len > CURVES_MAX) {
        figure->remark = g_strdup_printf("%d of the %u points", CURVES_MAX, cases->cases->len);
    }
}

/* Points of a cumulative distribution: value, fraction not above it. */
static void add_cdf(FigureSeries *series, const Histogram *histogram, double scale)
{
    HistogramBucket bucket;
    size_t position = 0;
    uint64_t seen = 0;
    double count = (double)histogram_count(histogram);

    figure_point(series, (FigurePoint){(double)histogram_min(histogram) * scale, 0, NAN, NAN});
    while (histogram_next(histogram, &position, &bucket)) {
        double high = (double)MIN(bucket.high, histogram_max(histogram));

        seen += bucket.count;
        figure_point(series, (FigurePoint){high * scale, (double)seen / count, NAN, NAN});
    }
}

/* The only curve's median, 95th and 99th percentile. */
static void mark_quantiles(Figure *figure, const Histogram *histogram, double scale)
{
    static const struct {
        double q;
        const char *name;
    } marks[] = {{0.5, "median"}, {0.95, "95 %"}, {0.99, "99 %"}};

    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        double value = histogram_quantile(histogram, marks[i].q) * scale;
        int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;
        g_autofree char *text =
            g_strdup_printf("%s: %.*f%s", marks[i].name, decimals, value, figure->x.unit);

        figure_mark(figure, value, marks[i].q, text, i > 0);
    }
}

/* Up to where a curve is drawn: all but the farthest thousandth, or hundredth if that is far off,
 * which would squeeze the rest. */
static double reach(const Histogram *histogram)
{
    return fmin(histogram_quantile(histogram, 0.999),
                fmax(histogram_quantile(histogram, 0.99), 6 * histogram_quantile(histogram, 0.5)));
}

typedef struct CdfLook {
    const char *name;
    const char *title;
    const char *about;
    const char *x_label;
    const char *y_label;
    const char *unit;
} CdfLook;

static bool add_cdfs(const Cases *cases, const SummaryHistogram *which, const CdfLook *look,
                     GPtrArray *figures, GError **error)
{
    Figure *figure = figure_new(look->name, look->title, look->about);
    FigurePanel *panel = figure_panel(figure, look->y_label, "");
    double longest = 0;

    figure->key_title = cases_brief_title(cases, 0);
    g_ptr_array_add(figures, figure);
    figure_axis_init(&figure->x, look->x_label, look->unit);
    figure->key = FIGURE_KEY_BOTTOM_RIGHT;
    for (guint i = 0; i < MIN(cases->cases->len, CURVES_MAX); i++) {
        const Case *one = cases_pick(cases, CURVES_MAX, i);
        Histogram *histogram = case_histogram(one, which, error);

        if (histogram == NULL) {
            return false;
        }
        if (histogram_count(histogram) > 0) {
            add_cdf(figure_series(panel, one->brief, FIGURE_LINE, panel->series->len), histogram,
                    which->scale);
            longest = fmax(longest, reach(histogram) * which->scale);
            if (cases->cases->len == 1) {
                mark_quantiles(figure, histogram, which->scale);
            }
        }
        histogram_free(histogram);
    }
    say_chosen(cases, figure);
    figure->x.from = 0;
    figure->x.to = longest > 0 ? longest * 1.02 : 1;
    panel->y.from = 0;
    panel->y.to = 1.1;
    return true;
}

bool figures_latency(const Cases *cases, GPtrArray *figures, GError **error)
{
    static const CdfLook look = {"latency-cdf",
                                 "Lookup latency",
                                 "Cumulative distribution of the latency of answered lookups, all "
                                 "replications together.",
                                 "Lookup latency (ms)",
                                 "Fraction of answered lookups",
                                 " ms"};

    return add_cdfs(cases, &SUMMARY_HISTOGRAM[1], &look, figures, error);
}

bool figures_setup(const Cases *cases, GPtrArray *figures, GError **error)
{
    static const CdfLook look = {"setup-cdf",
                                 "Call set-up delay",
                                 "Cumulative distribution of the time from an INVITE to the first "
                                 "180 that the caller hears, of answered calls, all replications "
                                 "together.",
                                 "Call set-up delay, INVITE to 180 (ms)",
                                 "Fraction of answered calls",
                                 " ms"};

    return add_cdfs(cases, &SUMMARY_HISTOGRAM[4], &look, figures, error);
}

bool figures_load(const Cases *cases, GPtrArray *figures, GError **error)
{
    static const CdfLook look = {"load-cdf",
                                 "Load of peers",
                                 "Cumulative distribution of the messages delivered to a peer in "
                                 "the measured window, all replications together.",
                                 "Messages delivered to a peer",
                                 "Fraction of peers",
                                 ""};

    return add_cdfs(cases, &SUMMARY_HISTOGRAM[2], &look, figures, error);
}

static void add_fractions(FigureSeries *series, const Histogram *histogram)
{
    HistogramBucket bucket;
    size_t position = 0;
    double count = (double)histogram_count(histogram);

    while (histogram_next(histogram, &position, &bucket)) {
        figure_point(series,
                     (FigurePoint){(double)bucket.low, (double)bucket.count / count, NAN, NAN});
    }
}

/* The mean over replications of each one's own mean, as a line with the interval in words. */
static bool add_mean(const Case *one, Figure *figure, GError **error)
{
    g_autoptr(GArray) means = g_array_new(FALSE, FALSE, sizeof(double));
    StatsMean mean;

    if (!case_observe(one,
                      "SELECT d.mean FROM distributions d JOIN replications r"
                      " ON r.id = d.replication_id WHERE r.point = ?1 AND d.name = ?2"
                      " AND d.count > 0 ORDER BY r.replication",
                      SUMMARY_HISTOGRAM[0].name, means, error)) {
        return false;
    }
    mean = stats_mean(cases_doubles(means), means->len);
    figure->mean.x = mean.mean;
    figure->mean.text = mean.has_interval
                            ? g_strdup_printf("mean %.3f, 95 %% interval [%.3f, %.3f]", mean.mean,
                                              mean.ci95.low, mean.ci95.high)
                            : g_strdup_printf("mean %.3f", mean.mean);
    return true;
}

bool figures_hops(const Cases *cases, GPtrArray *figures, GError **error)
{
    Figure *figure = figure_new("hops", "Hops of lookups",
                                "Hops from the asker to the responsible peer, of answered lookups, "
                                "all replications together.");
    FigurePanel *panel = figure_panel(figure, "Fraction of answered lookups", "");
    bool single = cases->cases->len == 1;
    double least, greatest, farthest = 0;

    figure->key_title = cases_brief_title(cases, 0);
    g_ptr_array_add(figures, figure);
    figure_axis_init(&figure->x, "Hops to the responsible peer", " hops");
    figure->key = FIGURE_KEY_ABOVE;
    for (guint i = 0; i < MIN(cases->cases->len, CURVES_MAX); i++) {
        const Case *one = cases_pick(cases, CURVES_MAX, i);
        Histogram *histogram = case_histogram(one, &SUMMARY_HISTOGRAM[0], error);

        if (histogram == NULL) {
            return false;
        }
        if (histogram_count(histogram) > 0) {
            unsigned look = panel->series->len;

            farthest = fmax(farthest, fmin(histogram_quantile(histogram, 0.9995),
                                           3 * histogram_quantile(histogram, 0.95) + 2));
            add_fractions(figure_series(panel, single ? NULL : one->brief,
                                        single ? FIGURE_BARS : FIGURE_MARKED, single ? 5 : look),
                          histogram);
        }
        histogram_free(histogram);
    }
    say_chosen(cases, figure);
    if (figure_span_y(panel, &least, &greatest)) {
        figure->x.from = -0.6;
        figure->x.to = farthest + 0.6;
        panel->y.from = 0;
        panel->y.to = greatest * 1.08;
    }
    return !single || figure_is_empty(figure) || add_mean(cases_at(cases, 0), figure, error);
}
