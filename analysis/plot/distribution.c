/*
 * distribution.c - how latency, hops and load are distributed, over all replications of a point.
 */
#include "plot/figure.h"
#include "summary.h"

#include <analysis/results.h>
#include <analysis/stats.h>
#include <math.h>

/* A point's histogram over all its replications, free with histogram_free. */
static Histogram *pooled(Plots *plots, const PlotsPoint *point, const SummaryHistogram *which,
                         GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(plots->db,
                         "SELECT id FROM replications WHERE point = ? ORDER BY replication", error);
    Histogram *all;
    GError *failure = NULL;

    if (query == NULL) {
        return NULL;
    }
    all = histogram_new(which->bits);
    sqlite3_bind_int(query, 1, point->point);
    while (failure == NULL && database_next(query, &failure)) {
        Histogram *one =
            summary_histogram(plots->db, sqlite3_column_int64(query, 0), which, &failure);

        if (one != NULL) {
            histogram_merge(all, one);
            histogram_free(one);
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        g_clear_pointer(&all, histogram_free);
    }
    return all;
}

/* The mean over replications of a distribution's own mean, in the figures' unit. */
static bool mean_over_replications(Plots *plots, const PlotsPoint *point,
                                   const SummaryHistogram *which, StatsMean *ret_mean,
                                   GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        plots->db,
        "SELECT d.mean FROM distributions d JOIN replications r ON r.id = d.replication_id"
        " WHERE r.point = ? AND d.name = ? AND d.count > 0 ORDER BY r.replication",
        error);
    g_autoptr(GArray) means = g_array_new(FALSE, FALSE, sizeof(double));
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 1, point->point);
    sqlite3_bind_text(query, 2, which->name, -1, SQLITE_STATIC);
    while (database_next(query, &failure)) {
        double value = sqlite3_column_double(query, 0) * which->scale;

        g_array_append_val(means, value);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    *ret_mean = stats_mean((const double *)(const void *)means->data, means->len);
    return true;
}

/* Rows of a cumulative distribution: value, fraction not above it. */
static void add_cdf(Figure *figure, const Histogram *histogram, double scale)
{
    HistogramBucket bucket;
    size_t position = 0;
    uint64_t seen = 0;
    double count = (double)histogram_count(histogram);
    double first[] = {(double)histogram_min(histogram) * scale, 0};

    figure_row(figure, first, 2);
    while (histogram_next(histogram, &position, &bucket)) {
        double high = (double)MIN(bucket.high, histogram_max(histogram));

        seen += bucket.count;
        figure_row(figure, (double[]){high * scale, (double)seen / count}, 2);
    }
}

/* The only curve's median, 95th and 99th percentile, marked and named beside the curve. */
static void mark_quantiles(Figure *figure, const Histogram *histogram, double scale,
                           const char *unit)
{
    static const struct {
        double q;
        const char *name;
        const char *place;
    } marks[] = {{0.5, "median", "left offset 1,-0.6"},
                 {0.95, "95 %", "right offset -1.2,0.4"},
                 {0.99, "99 %", "right offset -1.2,1.0"}};

    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
        double value = histogram_quantile(histogram, marks[i].q) * scale;
        int decimals = value >= 100 ? 0 : value >= 10 ? 1 : 2;

        g_string_append_printf(figure->script,
                               "set arrow %zu from %.10g,0 to %.10g,%g nohead lt 1 lw 0.8 "
                               "dashtype 3 lc rgb '#606060'\n"
                               "set label %zu '%s: %.*f%s' at %.10g,%g %s "
                               "textcolor rgb '#202020' point pt 7 ps 0.6 lc rgb '%s'\n",
                               i + 1, value, value, marks[i].q, i + 1, marks[i].name, decimals,
                               value, unit, value, marks[i].q, marks[i].place, figure_colour(0));
    }
}

typedef struct CdfLook {
    const char *name;
    const char *x_label;
    const char *y_label;
    const char *unit; /* after a number, with its space */
} CdfLook;

static bool plot_cdf(Plots *plots, const SummaryHistogram *which, const CdfLook *look,
                     GError **error)
{
    g_autoptr(Figure) figure = figure_new(plots, look->name, NULL);
    g_autoptr(GString) curves = g_string_new(NULL);
    double longest = 0;
    unsigned index = 0;

    for (guint i = 0; i < plots->points->len; i++) {
        const PlotsPoint *point = &g_array_index(plots->points, PlotsPoint, i);
        g_autofree char *title = figure_quote(point->label);
        Histogram *histogram = pooled(plots, point, which, error);

        if (histogram == NULL) {
            return false;
        }
        if (histogram_count(histogram) > 0) {
            figure_block(figure, look->x_label);
            add_cdf(figure, histogram, which->scale);
            longest = fmax(longest, histogram_quantile(histogram, 0.999) * which->scale);
            if (plots->points->len == 1) {
                mark_quantiles(figure, histogram, which->scale, look->unit);
            }
            g_string_append_printf(curves,
                                   "%s data index %u using 1:2 with lines lw 2 lc rgb '%s' "
                                   "dashtype %s title %s",
                                   index > 0 ? ", \\\n" : "", index, figure_colour(index),
                                   figure_dash(index), title);
            index++;
        }
        histogram_free(histogram);
    }
    if (index == 0) {
        return true;
    }
    g_string_append_printf(figure->script,
                           "set xlabel '%s'\nset ylabel '%s'\nset xrange [0:%.10g]\n"
                           "set yrange [0:1.1]\nset ytics 0,0.2,1\nset key bottom right\nplot %s\n",
                           look->x_label, look->y_label, longest > 0 ? longest * 1.02 : 1,
                           curves->str);
    return figure_draw(plots, figure, error);
}

bool plot_latency(Plots *plots, GError **error)
{
    static const CdfLook look = {"latency-cdf", "Lookup latency (ms)",
                                 "Fraction of answered lookups", " ms"};

    return plot_cdf(plots, &SUMMARY_HISTOGRAM[1], &look, error);
}

bool plot_setup(Plots *plots, GError **error)
{
    static const CdfLook look = {"setup-cdf", "Call set-up delay, INVITE to 180 (ms)",
                                 "Fraction of answered calls", " ms"};

    return plot_cdf(plots, &SUMMARY_HISTOGRAM[4], &look, error);
}

bool plot_load(Plots *plots, GError **error)
{
    static const CdfLook look = {"load-cdf", "Messages delivered to a peer", "Fraction of peers",
                                 ""};

    return plot_cdf(plots, &SUMMARY_HISTOGRAM[2], &look, error);
}

/* What the histograms of hops span. */
typedef struct Extent {
    double fraction;
    double hops;
} Extent;

static void add_fractions(Figure *figure, const Histogram *histogram, Extent *extent)
{
    HistogramBucket bucket;
    size_t position = 0;
    double count = (double)histogram_count(histogram);

    figure_block(figure, "hops, fraction of answered lookups");
    while (histogram_next(histogram, &position, &bucket)) {
        double fraction = (double)bucket.count / count;

        figure_row(figure, (double[]){(double)bucket.low, fraction}, 2);
        extent->fraction = fmax(extent->fraction, fraction);
        extent->hops = fmax(extent->hops, (double)bucket.high);
    }
}

/* The only point's bars, and its mean as a line with the interval in words. */
static void add_bars(Figure *figure, GString *curves, const StatsMean *mean)
{
    g_string_append_printf(figure->script,
                           "set arrow 1 from %.10g, graph 0 to %.10g, graph 1 nohead front lt 1 "
                           "lw 1.6 dashtype %s lc rgb '#000000'\n",
                           mean->mean, mean->mean, figure_dash(1));
    g_string_append_printf(
        curves,
        "data index 0 using 1:2 with boxes lc rgb '%s', \\\n"
        " keyentry with lines lw 1.6 dashtype %s lc rgb '#000000' title 'mean %.3f",
        figure_colour(5), figure_dash(1), mean->mean);
    if (mean->has_interval) {
        g_string_append_printf(curves, ", 95 %% interval [%.3f, %.3f]", mean->ci95.low,
                               mean->ci95.high);
    }
    g_string_append_c(curves, '\'');
}

static void add_curve(GString *curves, unsigned index, const char *label)
{
    g_autofree char *title = figure_quote(label);

    g_string_append_printf(curves,
                           "%s data index %u using 1:2 with linespoints lw 1.6 lc rgb '%s' "
                           "dashtype %s pt %u ps 0.7 title %s",
                           index > 0 ? ", \\\n" : "", index, figure_colour(index),
                           figure_dash(index), figure_mark(index), title);
}

bool plot_hops(Plots *plots, GError **error)
{
    g_autoptr(Figure) figure = figure_new(plots, "hops", NULL);
    g_autoptr(GString) curves = g_string_new(NULL);
    bool single = plots->points->len == 1;
    Extent extent = {0};
    unsigned index = 0;

    for (guint i = 0; i < plots->points->len; i++) {
        const PlotsPoint *point = &g_array_index(plots->points, PlotsPoint, i);
        Histogram *histogram = pooled(plots, point, &SUMMARY_HISTOGRAM[0], error);
        StatsMean mean;

        if (histogram == NULL ||
            !mean_over_replications(plots, point, &SUMMARY_HISTOGRAM[0], &mean, error)) {
            histogram_free(histogram);
            return false;
        }
        if (histogram_count(histogram) > 0) {
            add_fractions(figure, histogram, &extent);
            if (single) {
                add_bars(figure, curves, &mean);
            } else {
                add_curve(curves, index, point->label);
            }
            index++;
        }
        histogram_free(histogram);
    }
    if (index == 0) {
        return true;
    }
    g_string_append_printf(figure->script,
                           "set xlabel 'Hops to the responsible peer'\n"
                           "set ylabel 'Fraction of answered lookups'\nset boxwidth 0.85\n"
                           "set xtics %d\nset xrange [-0.6:%g]\nset yrange [0:%.10g]\n"
                           "set key above horizontal\nplot %s\n",
                           extent.hops > 20 ? 5 : 1, extent.hops + 0.6, extent.fraction * 1.08,
                           curves->str);
    return figure_draw(plots, figure, error);
}
