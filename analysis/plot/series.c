/*
 * series.c - lookups and messages over simulated time: means over replications with their bands,
 * and the scenario's events.
 */
#include "plot/figure.h"

#include <analysis/recorder.h>
#include <analysis/results.h>
#include <analysis/stats.h>
#include <math.h>

/* The unit in which a run of some length is read. */
typedef struct TimeUnit {
    const char *name;
    double seconds;
} TimeUnit;

static TimeUnit unit_for(double seconds)
{
    if (seconds <= 600) {
        return (TimeUnit){"s", 1};
    }
    if (seconds <= 4 * 3600) {
        return (TimeUnit){"min", 60};
    }
    if (seconds <= 4 * 86400) {
        return (TimeUnit){"h", 3600};
    }
    return (TimeUnit){"days", 86400};
}

/* When a point's longest replication ended, its warm-up, and what a prompt answer is, in
 * seconds. */
typedef struct PointTimes {
    double end;
    double warmup;
    double prompt;
    TimeUnit unit;
} PointTimes;

static bool point_times(Plots *plots, const PlotsPoint *point, PointTimes *ret_times,
                        GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        plots->db,
        "SELECT max(simulated_s), max(simulated_s - window_s), max(prompt_s) FROM replications"
        " WHERE point = ?",
        error);

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 1, point->point);
    if (!database_next(query, error)) {
        return false;
    }
    ret_times->end = sqlite3_column_double(query, 0);
    ret_times->warmup = sqlite3_column_double(query, 1);
    ret_times->prompt = sqlite3_column_double(query, 2);
    ret_times->unit = unit_for(ret_times->end);
    return true;
}

/* Column numbers of each quantity in the data: mean, low, high. */
enum { TIME_COLUMN = 1, COLUMNS_EACH = 3 };

/* One row: the interval's middle, then each quantity's mean over replications and its interval. */
static void add_interval(Figure *figure, double at, GArray *const *values, size_t quantities)
{
    g_autoptr(GArray) row = g_array_new(FALSE, FALSE, sizeof(double));

    g_array_append_val(row, at);
    for (size_t i = 0; i < quantities; i++) {
        StatsMean mean = stats_mean((const double *)(const void *)values[i]->data, values[i]->len);
        double low = mean.has_interval ? mean.ci95.low : mean.mean;
        double high = mean.has_interval ? mean.ci95.high : mean.mean;

        g_array_append_val(row, mean.mean);
        g_array_append_val(row, low);
        g_array_append_val(row, high);
        g_array_set_size(values[i], 0);
    }
    figure_row(figure, (const double *)(const void *)row->data, row->len);
}

/*
 * Adds a block of rows from a query that gives start, end and then the quantities, a row for each
 * interval and replication, in the order of time.
 */
static bool add_series(Plots *plots, Figure *figure, const PlotsPoint *point, const char *sql,
                       const PointTimes *times, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(plots->db, sql, error);
    GArray *values[8];
    size_t quantities;
    double at = NAN, start = NAN;
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 1, point->point);
    quantities = (size_t)sqlite3_column_count(query) - 2;
    g_assert(quantities <= G_N_ELEMENTS(values));
    for (size_t i = 0; i < quantities; i++) {
        values[i] = g_array_new(FALSE, FALSE, sizeof(double));
    }
    while (database_next(query, &failure)) {
        double from = sqlite3_column_double(query, 0);

        if (isnan(start) || from > start) {
            if (!isnan(start)) {
                add_interval(figure, at, values, quantities);
            }
            start = from;
            at = (from + sqlite3_column_double(query, 1)) / 2 / times->unit.seconds;
        }
        for (size_t i = 0; i < quantities; i++) {
            int column = (int)i + 2;
            double value = sqlite3_column_type(query, column) == SQLITE_NULL
                               ? NAN
                               : sqlite3_column_double(query, column);

            g_array_append_val(values[i], value);
        }
    }
    if (!isnan(start)) {
        add_interval(figure, at, values, quantities);
    }
    for (size_t i = 0; i < quantities; i++) {
        g_array_unref(values[i]);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

enum { EVENT_LEVELS = 3 }; /* names of events that are close to one another differ in height */

/*
 * Vertical lines at the scenario's events. In the upper panel they carry their names above it;
 * tells how many lines of names there are.
 */
static bool add_events(Plots *plots, Figure *figure, const PlotsPoint *point,
                       const PointTimes *times, unsigned *ret_levels, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        plots->db,
        "SELECT at_s, text FROM events WHERE replication_id = (SELECT min(id) FROM replications"
        " WHERE point = ?) ORDER BY at_s",
        error);
    GError *failure = NULL;
    double last = -times->end;
    unsigned tag = 1, level = 0, levels = 0;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 1, point->point);
    while (database_next(query, &failure)) {
        double at = sqlite3_column_double(query, 0);
        g_autofree char *text = figure_quote((const char *)sqlite3_column_text(query, 1));

        level = at - last < times->end / 4 ? (level + 1) % EVENT_LEVELS : 0;
        levels = MAX(levels, level + 1);
        last = at;
        g_string_append_printf(figure->script,
                               "set arrow %u from %.10g, graph 0 to %.10g, graph 1 nohead front "
                               "lt 1 lw 1 dashtype 3 lc rgb '#404040'\n"
                               "set label %u %s at %.10g, graph 1 %s offset 0,%g "
                               "font ',11' textcolor rgb '#202020'\n",
                               tag, at / times->unit.seconds, at / times->unit.seconds, tag, text,
                               at / times->unit.seconds, at > 0.8 * times->end ? "right" : "left",
                               0.6 + level * 0.9);
        tag++;
    }
    *ret_levels = levels;
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* Shades the warm-up, which no figure counts, and names it where events are named. */
static void shade_warmup(Figure *figure, const PointTimes *times)
{
    if (times->warmup > 0) {
        g_string_append_printf(figure->script,
                               "set object 1 rectangle from 0, graph 0 to %.10g, graph 1 behind "
                               "fillcolor rgb '#eeeeee' fillstyle solid noborder\n"
                               "set label %d 'warm-up' at 0, graph 1 left offset 0,0.6 "
                               "font ',11' textcolor rgb '#606060'\n",
                               times->warmup / times->unit.seconds, RECORDER_EVENTS_MAX + 1);
    }
}

/* One quantity's band and line. quantity counts from 0; factor: into the axis' unit. */
static void add_line(GString *plot, unsigned quantity, unsigned look, double factor,
                     const char *title)
{
    unsigned column = TIME_COLUMN + 1 + quantity * COLUMNS_EACH;

    g_string_append_printf(plot,
                           "%s data using %d:($%u*%g):($%u*%g) with filledcurves fc rgb '%s' "
                           "fs transparent solid 0.2, \\\n"
                           " data using %d:($%u*%g) with lines lw 1.8 lc rgb '%s' dashtype %s "
                           "title '%s'",
                           plot->len > 0 ? ", \\\n" : "plot", TIME_COLUMN, column + 1, factor,
                           column + 2, factor, figure_colour(look), TIME_COLUMN, column, factor,
                           figure_colour(look), figure_dash(look), title);
}

/* Begins a figure of two panels that share the time axis, each with its key above it. */
static bool begin_panels(Plots *plots, Figure *figure, const PlotsPoint *point,
                         const PointTimes *times, GError **error)
{
    unsigned levels = 0;

    figure->height = 560;
    if (!add_events(plots, figure, point, times, &levels, error)) {
        return false;
    }
    shade_warmup(figure, times);
    levels = times->warmup > 0 ? MAX(levels, 1) : levels;
    g_string_append_printf(figure->script,
                           "set xrange [0:%.10g]\nset lmargin 11\nset rmargin 4\n"
                           "set key at screen 0.96,0.99 right top horizontal maxrows 1\n"
                           "set multiplot\nset format x ''\nset bmargin at screen 0.56\n"
                           "set tmargin at screen %g\n",
                           times->end / times->unit.seconds, 0.93 - 0.03 * levels);
    return true;
}

static void next_panel(Figure *figure, TimeUnit unit)
{
    g_string_append_printf(figure->script,
                           "unset label\nset format x '%%g'\n"
                           "set key at graph 1,1.03 right bottom horizontal\n"
                           "set xlabel 'Simulated time (%s)'\nset bmargin at screen 0.13\n"
                           "set tmargin at screen 0.47\n",
                           unit.name);
}

static bool plot_lookups_of(Plots *plots, const PlotsPoint *point, GError **error)
{
    static const char sql[] =
        "SELECT s.start_s, s.end_s, 1.0 * s.lookups_succeeded / nullif(s.lookups_started, 0),"
        " 1.0 * s.lookups_correct / nullif(s.lookups_started, 0),"
        " 1.0 * s.lookups_prompt / nullif(s.lookups_started, 0), s.latency_ms_p50,"
        " s.latency_ms_p95 FROM series s JOIN replications r ON r.id = s.replication_id"
        " WHERE r.point = ? ORDER BY s.start_s, r.replication";
    g_autoptr(Figure) figure = figure_new(plots, "lookups-over-time", point);
    g_autoptr(GString) upper = g_string_new(NULL);
    g_autoptr(GString) lower = g_string_new(NULL);
    g_autofree char *prompt = NULL;
    PointTimes times = {0};

    if (!point_times(plots, point, &times, error)) {
        return false;
    }
    figure_block(figure, "time, then mean, low and high (95 %) over replications of: fraction "
                         "answered, fraction correct, fraction answered promptly, median latency "
                         "(ms), 95th percentile (ms)");
    if (!add_series(plots, figure, point, sql, &times, error)) {
        return false;
    }
    if (figure->rows < 2) {
        return true;
    }
    if (!begin_panels(plots, figure, point, &times, error)) {
        return false;
    }
    prompt = g_strdup_printf("within %g s", times.prompt);
    add_line(upper, 0, 0, 100, "answered");
    add_line(upper, 1, 1, 100, "correct");
    add_line(upper, 2, 2, 100, prompt);
    add_line(lower, 3, 0, 1, "median");
    add_line(lower, 4, 1, 1, "95th percentile");
    g_string_append_printf(figure->script,
                           "set ylabel 'Lookups (%%)'\nset yrange [*<95:100.5]\n%s\n", upper->str);
    next_panel(figure, times.unit);
    g_string_append_printf(figure->script,
                           "set ylabel 'Latency (ms)'\nset yrange [0:*]\n%s\n"
                           "unset multiplot\n",
                           lower->str);
    return figure_draw(plots, figure, error);
}

static bool plot_messages_of(Plots *plots, const PlotsPoint *point, GError **error)
{
    static const char sql[] = "SELECT s.start_s, s.end_s, s.messages / (s.end_s - s.start_s),"
                              " s.link_retransmissions / (s.end_s - s.start_s), s.online, s.joined"
                              " FROM series s JOIN replications r ON r.id = s.replication_id"
                              " WHERE r.point = ? ORDER BY s.start_s, r.replication";
    g_autoptr(Figure) figure = figure_new(plots, "messages-over-time", point);
    g_autoptr(GString) upper = g_string_new(NULL);
    g_autoptr(GString) lower = g_string_new(NULL);
    PointTimes times = {0};

    if (!point_times(plots, point, &times, error)) {
        return false;
    }
    figure_block(figure, "time, then mean, low and high (95 %) over replications of: messages/s, "
                         "link retransmissions/s, peers online, peers joined");
    if (!add_series(plots, figure, point, sql, &times, error)) {
        return false;
    }
    if (figure->rows < 2) {
        return true;
    }
    if (!begin_panels(plots, figure, point, &times, error)) {
        return false;
    }
    add_line(upper, 0, 0, 1, "delivered");
    add_line(upper, 1, 1, 1, "sent again on a link");
    add_line(lower, 2, 0, 1, "running");
    add_line(lower, 3, 1, 1, "joined");
    g_string_append_printf(figure->script,
                           "set ylabel 'Messages per second'\nset yrange [0:*]\n%s\n", upper->str);
    next_panel(figure, times.unit);
    g_string_append_printf(figure->script,
                           "set ylabel 'Peers'\nset yrange [0:*]\n%s\n"
                           "unset multiplot\n",
                           lower->str);
    return figure_draw(plots, figure, error);
}

static bool plot_each(Plots *plots, bool (*plot)(Plots *, const PlotsPoint *, GError **),
                      GError **error)
{
    for (guint i = 0; i < plots->points->len; i++) {
        if (!plot(plots, &g_array_index(plots->points, PlotsPoint, i), error)) {
            return false;
        }
    }
    return true;
}

bool plot_lookups(Plots *plots, GError **error)
{
    return plot_each(plots, plot_lookups_of, error);
}

bool plot_messages(Plots *plots, GError **error)
{
    return plot_each(plots, plot_messages_of, error);
}
