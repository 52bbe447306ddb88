/*
 * scaling.c - how mean hops and median latency grow with the number of peers: fits against log2 n.
 */
#include "plot/figure.h"
#include "summary.h"

#include <analysis/results.h>
#include <analysis/stats.h>
#include <math.h>

enum { BAND_STEPS = 60 };

typedef struct ScalingLook {
    const char *name;
    const char *quantity; /* in the equation of the line */
    const char *y_label;
    const char *unit;
    const SummaryHistogram *which;
    double quantile; /* NaN: the mean */
} ScalingLook;

/* Points that differ in the number of peers only. */
typedef struct Group {
    const char *label;
    unsigned number; /* its look */
} Group;

/* One observation is one replication. */
typedef struct Observations {
    GArray *x; /* log2 of the number of peers */
    GArray *y;
} Observations;

static const double *values_of(const GArray *array)
{
    return (const double *)(const void *)array->data;
}

static bool observe(Plots *plots, const PlotsPoint *point, const ScalingLook *look,
                    GArray *ret_values, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        plots->db,
        "SELECT r.id, d.mean FROM replications r JOIN distributions d ON d.replication_id = r.id"
        " WHERE r.point = ? AND d.name = ? AND d.count > 0 ORDER BY r.replication",
        error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 1, point->point);
    sqlite3_bind_text(query, 2, look->which->name, -1, SQLITE_STATIC);
    while (failure == NULL && database_next(query, &failure)) {
        double value = sqlite3_column_double(query, 1);

        if (!isnan(look->quantile)) {
            Histogram *histogram =
                summary_histogram(plots->db, sqlite3_column_int64(query, 0), look->which, &failure);

            if (histogram == NULL) {
                break;
            }
            value = histogram_quantile(histogram, look->quantile);
            histogram_free(histogram);
        }
        value *= look->which->scale;
        g_array_append_val(ret_values, value);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* The points of a group: their means with intervals as a block, their replications as
 * observations. */
static bool add_points(Plots *plots, Figure *figure, const char *group, const ScalingLook *look,
                       Observations *observations, GError **error)
{
    figure_block(figure, "log2 n, mean over replications, low and high of its 95 % interval, n");
    for (guint i = 0; i < plots->points->len; i++) {
        const PlotsPoint *point = &g_array_index(plots->points, PlotsPoint, i);
        g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
        double x = log2((double)point->peers);
        StatsMean mean;

        if (strcmp(point->group, group) != 0) {
            continue;
        }
        if (!observe(plots, point, look, values, error)) {
            return false;
        }
        if (values->len == 0) {
            continue;
        }
        mean = stats_mean(values_of(values), values->len);
        figure_row(figure,
                   (double[]){x, mean.mean, mean.has_interval ? mean.ci95.low : mean.mean,
                              mean.has_interval ? mean.ci95.high : mean.mean, (double)point->peers},
                   5);
        for (guint j = 0; j < values->len; j++) {
            g_array_append_val(observations->x, x);
        }
        g_array_append_vals(observations->y, values->data, values->len);
    }
    return true;
}

static void add_band(Figure *figure, const StatsFit *fit, double from, double to)
{
    figure_block(figure, "log2 n, fitted line, low and high of its 95 % confidence band");
    for (int i = 0; i <= BAND_STEPS; i++) {
        double x = from + (to - from) * i / BAND_STEPS;
        StatsInterval band;
        double y = stats_fit_at(fit, x, &band);

        figure_row(figure, (double[]){x, y, band.low, band.high}, 4);
    }
}

static void keep_fit(Plots *plots, const ScalingLook *look, const char *group, const StatsFit *fit)
{
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:i}", "figure", look->name, "group", group,
                  "against", "log2 n", "slope", fit->slope, "intercept", fit->intercept,
                  "r_squared", fit->r_squared, "observations", (int)fit->count);

    json_object_set_new(object, "slope_ci95",
                        fit->has_interval
                            ? json_pack("[f, f]", fit->slope_ci95.low, fit->slope_ci95.high)
                            : json_null());
    json_object_set_new(object, "intercept_ci95",
                        fit->has_interval
                            ? json_pack("[f, f]", fit->intercept_ci95.low, fit->intercept_ci95.high)
                            : json_null());
    json_array_append_new(plots->fits, object);
}

/* Adds the fit's line and band, each with a line of words in the key. */
static void add_line(GString *plot, const ScalingLook *look, const char *group, const StatsFit *fit,
                     unsigned band, unsigned number)
{
    g_autofree char *words = g_strdup_printf("%s%s%s = %.3g log₂ n %s %.3g%s,  R² = %.4f", group,
                                             *group != '\0' ? ": " : "", look->quantity, fit->slope,
                                             fit->intercept < 0 ? "−" : "+", fabs(fit->intercept),
                                             look->unit, fit->r_squared);
    g_autofree char *title = figure_quote(words);

    g_string_append_printf(plot,
                           "%s data index %u using 1:3:4 with filledcurves fc rgb '%s' "
                           "fs transparent solid 0.25, \\\n"
                           " data index %u using 1:2 with lines lw 1.6 lc rgb '%s' "
                           "dashtype %s title %s",
                           plot->len > 0 ? ", \\\n" : "plot", band, figure_colour(number), band,
                           figure_colour(number), figure_dash(number), title);
    if (fit->has_interval) {
        g_string_append_printf(plot,
                               ", \\\n keyentry with filledcurves fc rgb '%s' fs transparent "
                               "solid 0.25 title '95 %%: slope [%.3g, %.3g], "
                               "intercept [%.3g, %.3g]'",
                               figure_colour(number), fit->slope_ci95.low, fit->slope_ci95.high,
                               fit->intercept_ci95.low, fit->intercept_ci95.high);
    }
}

/* One group's points and, where two sizes or more were run, its line. */
static bool add_group(Plots *plots, Figure *figure, const Group *group, const ScalingLook *look,
                      GString *plot, GError **error)
{
    g_autoptr(GArray) x = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) y = g_array_new(FALSE, FALSE, sizeof(double));
    Observations observations = {x, y};
    unsigned points = figure->blocks;
    StatsFit fit;

    if (!add_points(plots, figure, group->label, look, &observations, error)) {
        return false;
    }
    if (stats_fit_line(values_of(x), values_of(y), x->len, &fit)) {
        unsigned band = figure->blocks;

        add_band(figure, &fit, g_array_index(x, double, 0), g_array_index(x, double, x->len - 1));
        keep_fit(plots, look, group->label, &fit);
        add_line(plot, look, group->label, &fit, band, group->number);
    }
    g_string_append_printf(plot,
                           "%s data index %u using 1:2:3:4 with yerrorbars lw 1.2 lc rgb '%s' "
                           "pt %u ps 0.7%s",
                           plot->len > 0 ? ", \\\n" : "plot", points, figure_colour(group->number),
                           figure_mark(group->number),
                           group->number == 0 ? " title 'mean over replications, 95 % interval'"
                                              : "");
    return true;
}

static int compare_peers(const void *a, const void *b)
{
    gint64 one = *(const gint64 *)a, other = *(const gint64 *)b;

    return one < other ? -1 : one > other;
}

/* The sizes that were run, as marks of the upper axis. */
static void mark_sizes(const Plots *plots, Figure *figure)
{
    g_autoptr(GArray) sizes = g_array_new(FALSE, FALSE, sizeof(gint64));
    double least, greatest;

    for (guint i = 0; i < plots->points->len; i++) {
        g_array_append_val(sizes, g_array_index(plots->points, PlotsPoint, i).peers);
    }
    g_array_sort(sizes, compare_peers);
    least = log2((double)g_array_index(sizes, gint64, 0)) - 0.4;
    greatest = log2((double)g_array_index(sizes, gint64, sizes->len - 1)) + 0.4;
    g_string_append_printf(figure->script,
                           "set xrange [%.10g:%.10g]\nset x2range [%.10g:%.10g]\n"
                           "set x2tics nomirror out scale 0.6\n",
                           least, greatest, least, greatest);
    for (guint i = 0; i < sizes->len; i++) {
        gint64 size = g_array_index(sizes, gint64, i);

        g_string_append_printf(figure->script, "set x2tics %s('%" G_GINT64_FORMAT "' %.10g)\n",
                               i > 0 ? "add " : "", size, log2((double)size));
    }
}

static bool plot_quantity(Plots *plots, const ScalingLook *look, GError **error)
{
    g_autoptr(Figure) figure = figure_new(plots, look->name, NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GString) plot = g_string_new(NULL);
    unsigned groups = 0;

    for (guint i = 0; i < plots->points->len; i++) {
        const PlotsPoint *point = &g_array_index(plots->points, PlotsPoint, i);

        if (g_hash_table_add(seen, point->group)) {
            Group group = {point->group, groups++};

            if (!add_group(plots, figure, &group, look, plot, error)) {
                return false;
            }
        }
    }
    mark_sizes(plots, figure);
    g_string_append_printf(figure->script,
                           "set border 7\nset xlabel 'log₂ n'\nset x2label 'Number of peers n'\n"
                           "set ylabel '%s'\nset yrange [0:*]\n"
                           "set key bottom right reverse Left\n%s\n",
                           look->y_label, plot->str);
    return figure_draw(plots, figure, error);
}

bool plot_scaling(Plots *plots, GError **error)
{
    const ScalingLook looks[] = {
        {"hops-scaling", "hops", "Mean hops to the responsible peer", "", &SUMMARY_HISTOGRAM[0],
         NAN},
        {"latency-scaling", "latency", "Median lookup latency (ms)", " ms", &SUMMARY_HISTOGRAM[1],
         0.5},
    };

    if (!plots->sweeps_peers || plots->points->len < 2) {
        return true;
    }
    return plot_quantity(plots, &looks[0], error) && plot_quantity(plots, &looks[1], error);
}
