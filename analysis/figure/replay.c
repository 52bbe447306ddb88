/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay.c - the calls of a replayed trace, as they were there and as they are in the overlay.
 */
#include "figure/look.h"
#include "figure/table.h"
#include "figure/trace.h"

#include <math.h>
#include <string.h>

/* More overlays than this beside a trace are not told apart. */
enum { OVERLAYS_MAX = 6, STEPS_DRAWN_MAX = 1000, CALLS_DRAWN_MAX = 600 };
/* The look of the trace: black. Overlays have those before it. */
enum { TRACE_LOOK = 6 };

/* Cases that replay, and their traces; evenly spaced ones where they are many. */
typedef struct Replays {
    const Case *cases[OVERLAYS_MAX];
    CaseTrace traces[OVERLAYS_MAX];
    bool repeated[OVERLAYS_MAX]; /* the trace is that of one before */
    guint len;
    bool one_trace;
} Replays;

static void replays_clear(Replays *replays)
{
    for (guint i = 0; i < replays->len; i++) {
        case_trace_clear(&replays->traces[i]);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Replays, replays_clear)

static bool replays_read(const Cases *cases, Replays *ret_replays, GError **error)
{
    *ret_replays = (Replays){.one_trace = true};
    for (guint i = 0; i < MIN(cases->cases->len, OVERLAYS_MAX); i++) {
        const Case *one = cases_pick(cases, OVERLAYS_MAX, i);
        CaseTrace *trace = &ret_replays->traces[ret_replays->len];

        if (!case_trace(one, trace, error)) {
            case_trace_clear(trace);
            return false;
        }
        if (trace->source == NULL || trace->calls == 0) {
            case_trace_clear(trace);
            continue;
        }
        for (guint j = 0; j < ret_replays->len; j++) {
            bool same = g_str_equal(ret_replays->traces[j].key, trace->key);

            ret_replays->repeated[ret_replays->len] |= same;
            ret_replays->one_trace &= same;
        }
        ret_replays->cases[ret_replays->len++] = one;
    }
    return true;
}

/* "trace", or whose trace where there are several; "overlay", or which. */
static char *series_name(const Replays *replays, guint i, bool of_trace)
{
    const char *brief = replays->cases[i]->brief;

    if (of_trace) {
        return replays->one_trace ? g_strdup("trace") : g_strdup_printf("trace, %s", brief);
    }
    return *brief == '\0' ? g_strdup("overlay") : g_strdup(brief);
}

/* Set-up. */

static char *with_median(const char *name, guint64 calls, double median_ms)
{
    int decimals = median_ms >= 100 ? 0 : median_ms >= 10 ? 1 : 2;

    return g_strdup_printf("%s: %" G_GUINT64_FORMAT " call%s, median set-up %.*f ms", name, calls,
                           calls == 1 ? "" : "s", decimals, median_ms);
}

/* How much of a sorted sample a curve shows: each step, or as many as are seen. */
static bool is_drawn(guint i, guint len)
{
    return len <= STEPS_DRAWN_MAX || i + 1 == len ||
           (guint64)i * STEPS_DRAWN_MAX / len != (guint64)(i + 1) * STEPS_DRAWN_MAX / len;
}

static bool add_trace_curve(FigurePanel *panel, const Replays *replays, guint which, GError **error)
{
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(double));
    g_autofree char *name = series_name(replays, which, true), *whole = NULL;
    FigureSeries *series;

    if (!case_observe(replays->cases[which],
                      "SELECT setup_ns / 1e6 FROM trace_calls WHERE point = ?"
                      " AND setup_ns IS NOT NULL ORDER BY setup_ns",
                      NULL, sorted, error)) {
        return false;
    }
    if (sorted->len == 0) {
        return true;
    }
    whole = with_median(name, sorted->len, cases_doubles(sorted)[(sorted->len - 1) / 2]);
    series = figure_series(panel, whole, FIGURE_STEPS, TRACE_LOOK + LOOK_COLOURS * which);
    for (guint i = 0; i < sorted->len; i++) {
        if (is_drawn(i, sorted->len)) {
            figure_point(series, (FigurePoint){cases_doubles(sorted)[i],
                                               (i + 1.0) / (double)sorted->len, NAN, NAN});
        }
    }
    return true;
}

static bool add_overlay_curve(FigurePanel *panel, const Replays *replays, guint which,
                              GError **error)
{
    Histogram *histogram = case_histogram(replays->cases[which], &SUMMARY_HISTOGRAM[6], error);
    g_autofree char *name = series_name(replays, which, false), *whole = NULL;
    double scale = SUMMARY_HISTOGRAM[6].scale;
    uint64_t count, seen = 0;
    HistogramBucket bucket;
    size_t position = 0;
    FigureSeries *series;

    if (histogram == NULL) {
        return false;
    }
    count = histogram_count(histogram);
    if (count > 0) {
        whole = with_median(name, count, histogram_quantile(histogram, 0.5) * scale);
        series = figure_series(panel, whole, FIGURE_STEPS, which);
        while (histogram_next(histogram, &position, &bucket)) {
            uint64_t high = MIN(bucket.high, histogram_max(histogram));

            seen += bucket.count;
            figure_point(series, (FigurePoint){(double)high * scale, (double)seen / (double)count,
                                               NAN, NAN});
        }
    }
    histogram_free(histogram);
    return true;
}

/* The nearest 1, 2 or 5 times a power of ten, downwards or upwards. */
static double round_place(double value, bool up)
{
    double decade = pow(10, floor(log10(value) + 1e-9)), share = value / decade;

    if (up) {
        return decade * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
    }
    return decade * (share >= 5 ? 5 : share >= 2 ? 2 : 1);
}

/* A logarithmic axis with places to read off: of few decades 1, 2 and 5 of each. */
static void set_logarithmic(FigureAxis *axis, double least, double greatest)
{
    static const double shares[] = {1, 2, 5};
    int first, last;
    size_t each;

    axis->scale = FIGURE_LOG;
    axis->from = round_place(least, false);
    axis->to = fmax(round_place(greatest, true), 2 * axis->from);
    each = axis->to <= 500 * axis->from ? G_N_ELEMENTS(shares) : 1;
    first = (int)floor(log10(axis->from) + 1e-9);
    last = (int)floor(log10(axis->to) + 1e-9);
    for (int decade = first; decade <= last; decade++) {
        for (size_t i = 0; i < each; i++) {
            double at = pow(10, decade) * shares[i];
            g_autofree char *text = g_strdup_printf(at >= 1 ? "%.0f" : "%g", at);

            if (at >= axis->from * 0.999 && at <= axis->to * 1.001) {
                figure_axis_tick(axis, at, text);
            }
        }
    }
    axis->from *= 1 - 1e-4; /* gnuplot leaves a place out that is the very end */
}

/* Each curve from end to end of the axis. Of a delay of 0 nothing is seen but the height at which
 * its curve begins. */
static void span_curves(Figure *figure, FigurePanel *panel)
{
    double least = INFINITY, greatest = 0;

    for (guint i = 0; i < panel->series->len; i++) {
        const FigureSeries *series = figure_series_at(panel, i);

        for (guint j = 0; j < series->points->len; j++) {
            double x = figure_points(series)[j].x;

            least = x > 0 ? fmin(least, x) : least;
            greatest = fmax(greatest, x);
        }
    }
    if (!(greatest > 0)) {
        least = greatest = 1;
    }
    set_logarithmic(&figure->x, least / 1.1, greatest * 1.1);
    for (guint i = 0; i < panel->series->len; i++) {
        FigureSeries *series = figure_series_at(panel, i);
        FigurePoint first = {figure->x.from, 0, NAN, NAN}, last = {figure->x.to, 1, NAN, NAN};

        for (guint j = 0; j < series->points->len; j++) {
            FigurePoint *point = &g_array_index(series->points, FigurePoint, j);

            point->x = fmax(point->x, figure->x.from);
        }
        g_array_prepend_val(series->points, first);
        figure_point(series, last);
    }
}

bool figures_replay_setup(const Cases *cases, GPtrArray *figures, GError **error)
{
    g_autoptr(Figure) figure = figure_new(
        "replay-setup", "Set-up delay in the trace and in the overlay",
        "Cumulative distribution of the time from an INVITE until its caller heard it ring, or be "
        "answered where nothing rang, of all calls that came so far: as the trace has them, and as "
        "they are in the overlay, all replications together.");
    FigurePanel *panel = figure_panel(figure, "Fraction of calls that rang or were answered", "");
    g_auto(Replays) replays = {0};

    figure_axis_init(&figure->x, "Set-up delay, INVITE to ringing or answer (ms)", " ms");
    if (!replays_read(cases, &replays, error)) {
        return false;
    }
    for (guint i = 0; i < replays.len; i++) {
        if ((!replays.repeated[i] && !add_trace_curve(panel, &replays, i, error)) ||
            !add_overlay_curve(panel, &replays, i, error)) {
            return false;
        }
    }
    if (panel->series->len > 0) {
        span_curves(figure, panel);
        figure->key = FIGURE_KEY_ABOVE;
        figure->key_title = cases_brief_title(cases, 0);
        panel->y.from = 0;
        panel->y.to = 1.05;
        g_ptr_array_add(figures, g_steal_pointer(&figure));
    }
    return true;
}

/* Answers. */

/* The bars of one trace or overlay. */
typedef struct Bars {
    char *name;
    unsigned look;
    double calls;
    double ends[TRACE_ENDS];
} Bars;

static void clear_bars(gpointer data)
{
    g_free(((Bars *)data)->name);
}

static void add_bars(GArray *all, const char *name, unsigned look, const gint64 ends[TRACE_ENDS],
                     double per)
{
    Bars bars = {.name = g_strdup(name), .look = look};

    for (int i = 0; i < TRACE_ENDS; i++) {
        bars.ends[i] = (double)ends[i] / per;
        bars.calls += bars.ends[i];
    }
    g_array_append_val(all, bars);
}

static bool read_bars(const Replays *replays, GArray *all, GError **error)
{
    for (guint i = 0; i < replays->len; i++) {
        const CaseTrace *trace = &replays->traces[i];
        g_autofree char *there = series_name(replays, i, true);
        g_autofree char *here = series_name(replays, i, false);
        gint64 ends[TRACE_ENDS];

        if (!trace_ends(replays->cases[i], -1, ends, error)) {
            return false;
        }
        if (!replays->repeated[i]) {
            add_bars(all, there, TRACE_LOOK + LOOK_COLOURS * i, trace->ends, 1);
        }
        add_bars(all, here, i, ends, (double)replays->cases[i]->replications / (double)trace->step);
    }
    return true;
}

static char *count_text(double count)
{
    return g_strdup_printf(count == floor(count) ? "%.0f" : "%.1f", count);
}

/* The group of an end: one bar each, a bar's width apart from the next group. */
static void add_group(Figure *figure, FigurePanel *panel, const GArray *all, int end, double left)
{
    for (guint i = 0; i < all->len; i++) {
        const Bars *bars = &g_array_index(all, Bars, i);
        FigureSeries *series = figure_series_at(panel, i);

        figure_point(series, (FigurePoint){left + i, 100 * bars->ends[end] / fmax(bars->calls, 1),
                                           NAN, NAN});
        g_ptr_array_add(series->labels, count_text(bars->ends[end]));
    }
    figure_axis_tick(&figure->x, left + (all->len - 1) / 2.0, trace_end_name(end));
}

/* Numbers over bars are left out where they would not fit: x is so long, of some PLOT_POINTS. */
static void drop_wide_labels(FigurePanel *panel, double x_len)
{
    enum { PLOT_POINTS = 590, CHARACTER_POINTS = 8 };
    size_t longest = 0;

    for (guint i = 0; i < panel->series->len; i++) {
        const GPtrArray *labels = figure_series_at(panel, i)->labels;

        for (guint j = 0; j < labels->len; j++) {
            longest = MAX(longest, strlen(g_ptr_array_index(labels, j)));
        }
    }
    if ((double)(longest * CHARACTER_POINTS) <= PLOT_POINTS / x_len) {
        return;
    }
    for (guint i = 0; i < panel->series->len; i++) {
        g_clear_pointer(&figure_series_at(panel, i)->labels, g_ptr_array_unref);
    }
}

static void draw_bars(Figure *figure, FigurePanel *panel, const GArray *all)
{
    double left = 0;

    for (guint i = 0; i < all->len; i++) {
        const Bars *bars = &g_array_index(all, Bars, i);
        g_autofree char *count = count_text(bars->calls);
        g_autofree char *name =
            g_strdup_printf("%s: %s call%s", bars->name, count, bars->calls == 1 ? "" : "s");
        FigureSeries *series = figure_series(panel, name, FIGURE_BARS, bars->look);

        series->labels = g_ptr_array_new_with_free_func(g_free);
    }
    for (int end = 0; end < TRACE_ENDS; end++) {
        bool any = end <= HISTORY_UNANSWERED;

        for (guint i = 0; i < all->len; i++) {
            any = any || g_array_index(all, Bars, i).ends[end] > 0;
        }
        if (any) {
            add_group(figure, panel, all, end, left);
            left += all->len + 1;
        }
    }
    figure->x.from = -1;
    figure->x.to = left - 1;
    drop_wide_labels(panel, left);
}

bool figures_replay_answers(const Cases *cases, GPtrArray *figures, GError **error)
{
    g_autoptr(Figure) figure = figure_new(
        "replay-answers", "How the trace's calls ended, there and in the overlay",
        "Calls by how they ended: answered by a 2xx; cancelled, given up by their caller before an "
        "answer; refused by another final response; unanswered, 408 or none. The number over a "
        "bar is that of calls, of an overlay the mean over replications. Calls under way had not "
        "ended with the run.");
    FigurePanel *panel = figure_panel(figure, "Calls (%)", " %");
    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(Bars));
    g_auto(Replays) replays = {0};
    double least, greatest;

    g_array_set_clear_func(all, clear_bars);
    figure_axis_init(&figure->x, "How a call ended", "");
    if (!replays_read(cases, &replays, error) || !read_bars(&replays, all, error)) {
        return false;
    }
    if (all->len > 0) {
        draw_bars(figure, panel, all);
        figure->key = FIGURE_KEY_ABOVE;
        figure->key_title = cases_brief_title(cases, 0);
        panel->y.from = 0;
        panel->y.to = figure_span_y(panel, &least, &greatest) ? greatest * 1.12 : 100;
        g_ptr_array_add(figures, g_steal_pointer(&figure));
    }
    return true;
}

/* Delay by call. */

/* Of many calls every so-manieth is drawn; those are among the ones that have rows. */
static gint64 drawn_step(const CaseTrace *trace)
{
    gint64 rows = (trace->calls + trace->step - 1) / trace->step;

    return trace->step * ((rows + CALLS_DRAWN_MAX - 1) / CALLS_DRAWN_MAX);
}

/* Points of a query: s in the trace, ms. */
static bool add_delays(FigureSeries *series, const Case *one, const char *sql, gint64 step,
                       GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(one, sql, NULL, error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int64(query, 2, step);
    while (database_next(query, &failure)) {
        figure_point(series, (FigurePoint){sqlite3_column_double(query, 0),
                                           sqlite3_column_double(query, 1), NAN, NAN});
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static bool add_delays_of(FigurePanel *panel, const Replays *replays, guint i, GError **error)
{
    static const char there[] =
        "SELECT at_ns / 1e9, setup_ns / 1e6 FROM trace_calls WHERE point = ?1 AND call % ?2 = 0"
        " AND setup_ns > 0 ORDER BY call";
    static const char here[] =
        "SELECT t.at_ns / 1e9, avg(c.setup_ns) / 1e6 FROM replay_calls c JOIN replications r"
        " ON r.id = c.replication_id JOIN trace_calls t ON t.point = r.point AND t.call = c.call"
        " WHERE r.point = ?1 AND c.call % ?2 = 0 AND c.setup_ns > 0 GROUP BY c.call"
        " ORDER BY c.call";
    g_autofree char *trace = series_name(replays, i, true);
    g_autofree char *overlay = series_name(replays, i, false);
    gint64 step = drawn_step(&replays->traces[i]);

    return (replays->repeated[i] ||
            add_delays(figure_series(panel, trace, FIGURE_MARKS, TRACE_LOOK + LOOK_COLOURS * i),
                       replays->cases[i], there, step, error)) &&
           add_delays(figure_series(panel, overlay, FIGURE_MARKS, i), replays->cases[i], here, step,
                      error);
}

/* Names the axis of time, in a unit that suits. */
static void set_time(Figure *figure, const CaseTrace *trace)
{
    const FigurePanel *panel = figure_panel_at(figure, 0);
    g_autofree char *name = NULL, *label = NULL;
    gint64 step = drawn_step(trace);
    double least = 0, greatest = 0;
    FigureTimeUnit unit;

    (void)figure_span_x(figure, &least, &greatest);
    unit = figure_time_unit(greatest);
    greatest = fmax(greatest, 1) / unit.seconds;
    for (guint i = 0; i < panel->series->len; i++) {
        GArray *points = figure_series_at(panel, i)->points;

        for (guint j = 0; j < points->len; j++) {
            g_array_index(points, FigurePoint, j).x /= unit.seconds;
        }
    }
    name = step > 1 ? g_strdup_printf("Time in the trace (%s), one call in %" G_GINT64_FORMAT,
                                      unit.name, step)
                    : g_strdup_printf("Time in the trace (%s)", unit.name);
    label = trace_label(trace, name);
    figure_axis_init(&figure->x, label, unit.unit);
    figure->x.from = -0.02 * greatest;
    figure->x.to = 1.02 * greatest;
}

bool figures_replay_delays(const Cases *cases, GPtrArray *figures, GError **error)
{
    g_autoptr(Figure) figure =
        figure_new("replay-delay-by-call", "Set-up delay of each of the trace's calls",
                   "Each call at its time in the trace: its set-up delay there, and in the overlay "
                   "the mean over the replications in which it rang or was answered.");
    FigurePanel *panel =
        figure_panel(figure, "Set-up delay, INVITE to ringing or answer (ms)", " ms");
    g_auto(Replays) replays = {0};
    double least, greatest;

    if (!replays_read(cases, &replays, error)) {
        return false;
    }
    for (guint i = 0; i < replays.len; i++) {
        if (!add_delays_of(panel, &replays, i, error)) {
            return false;
        }
    }
    if (replays.len > 0) {
        set_time(figure, &replays.traces[0]);
        if (figure_span_y(panel, &least, &greatest)) {
            set_logarithmic(&panel->y, least / 1.1, greatest * 1.1);
        }
        figure->key = FIGURE_KEY_ABOVE;
        figure->key_title = cases_brief_title(cases, 0);
        g_ptr_array_add(figures, g_steal_pointer(&figure));
    }
    return true;
}
