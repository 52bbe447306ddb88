/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * series.c - lookups, calls, messages and peers over time: means over replications with their
 * bands, and the scenario's events.
 */
#include "figure/table.h"

#include <math.h>
#include <string.h>

/* More cases than CASES_MAX over time are not told apart in one figure. */
enum { LINES_MAX = 3, PANELS_MAX = 3, CASES_MAX = 6, FIGURES_MAX = 12 };

/* A line: an expression over a row of the series, s. */
typedef struct Line {
    const char *name;
    const char *sql;
    const char *trials; /* of a share: of how many; NULL: it is none */
    const char *column; /* that the results must have; NULL: they all do */
    double factor;
} Line;

typedef struct PanelLook {
    const char *label;
    const char *unit;
    Line lines[LINES_MAX];
    bool share; /* in %, near 100 as a rule */
} PanelLook;

typedef struct TimeLook {
    const char *name;
    const char *title;
    const char *about;
    PanelLook panels[PANELS_MAX];
} TimeLook;

#define SHARE(part, whole) "1.0 * s." part " / nullif(s." whole ", 0)", "s." whole
#define RATE(column) "1.0 * s." column " / (s.end_s - s.start_s)"
#define OVER_REPLICATIONS \
    "Means over replications of what was seen in each interval, with their 95 % intervals."

static const TimeLook LOOKUPS = {
    "lookups-over-time",
    "Lookups over time",
    "Lookups count in the interval in which they started. " OVER_REPLICATIONS,
    {{"Lookups (%)",
      " %",
      {{"answered", SHARE("lookups_succeeded", "lookups_started"), NULL, 100},
       {"correct", SHARE("lookups_correct", "lookups_started"), NULL, 100},
       {"prompt", SHARE("lookups_prompt", "lookups_started"), NULL, 100}},
      true},
     {"Latency (ms)",
      " ms",
      {{"median", "s.latency_ms_p50", NULL, NULL, 1},
       {"95th percentile", "s.latency_ms_p95", NULL, NULL, 1},
       {"99th percentile", "s.latency_ms_p99", NULL, "latency_ms_p99", 1}},
      false}}};

static const TimeLook CALLS = {
    "calls-over-time",
    "Calls over time",
    "Calls count in the interval in which they started. " OVER_REPLICATIONS,
    {{"Calls (%)", " %", {{"answered", SHARE("calls_answered", "calls_started"), NULL, 100}}, true},
     {"Call set-up delay (ms)",
      " ms",
      {{"median", "s.setup_ms_p50", NULL, NULL, 1},
       {"95th percentile", "s.setup_ms_p95", NULL, NULL, 1},
       {"99th percentile", "s.setup_ms_p99", NULL, "setup_ms_p99", 1}},
      false}}};

static const TimeLook MESSAGES = {
    "messages-over-time",
    "Messages over time",
    "Messages delivered, frames sent again on their link, and what the peers "
    "sent. " OVER_REPLICATIONS,
    {{"Messages per second",
      " /s",
      {{"delivered", RATE("messages"), NULL, NULL, 1},
       {"sent again on a link", RATE("link_retransmissions"), NULL, NULL, 1}},
      false},
     {"Bytes sent per peer (B/s)",
      " B/s",
      {{"sent", RATE("bytes_sent") " / nullif(s.online, 0)", NULL, NULL, 1}},
      false}}};

static const TimeLook PEERS = {
    "peers-over-time",
    "Peers over time",
    "Peers running and those of them that have joined, at the end of each interval, and how many "
    "come and go. " OVER_REPLICATIONS,
    {{"Peers",
      "",
      {{"running", "s.online", NULL, NULL, 1}, {"joined", "s.joined", NULL, NULL, 1}},
      false},
     {"Peers per minute",
      " /min",
      {{"joins", RATE("peers_joined"), NULL, NULL, 60},
       {"leaves", RATE("peers_left"), NULL, NULL, 60},
       {"failures", RATE("peers_failed"), NULL, NULL, 60}},
      false}}};

static const TimeLook COMPARED = {
    "success-over-time",
    "Success over time, point by point",
    "Lookups and calls count in the interval in which they started. " OVER_REPLICATIONS,
    {{"Lookups answered (%)",
      " %",
      {{NULL, SHARE("lookups_succeeded", "lookups_started"), NULL, 100}},
      true},
     {"Calls answered (%)",
      " %",
      {{NULL, SHARE("calls_answered", "calls_started"), NULL, 100}},
      true},
     {"Median latency (ms)", " ms", {{NULL, "s.latency_ms_p50", NULL, NULL, 1}}, false}}};

/* When a case's longest replication ended, its warm-up, and what a prompt answer is, in s. */
typedef struct CaseTimes {
    double end;
    double warmup;
    double prompt;
    FigureTimeUnit unit;
} CaseTimes;

static bool case_times(const Case *one, CaseTimes *ret_times, GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(
        one,
        "SELECT max(simulated_s), max(simulated_s - window_s), max(prompt_s) FROM replications"
        " WHERE point = ?",
        NULL, error);

    if (query == NULL || !database_next(query, error)) {
        return false;
    }
    ret_times->end = sqlite3_column_double(query, 0);
    ret_times->warmup = sqlite3_column_double(query, 1);
    ret_times->prompt = sqlite3_column_double(query, 2);
    ret_times->unit = figure_time_unit(ret_times->end);
    return true;
}

/* What the replications saw in an interval. */
typedef struct Interval {
    GArray *values;
    GArray *trials; /* of shares */
} Interval;

/* Adds the mean of an interval's values, and empties it for the next. */
static void add_interval(FigureSeries *series, double at, const Interval *interval,
                         const Line *line)
{
    const double *values = cases_doubles(interval->values);
    StatsMean mean = line->trials != NULL ? stats_rate(values, cases_doubles(interval->trials),
                                                       interval->values->len)
                                          : stats_mean(values, interval->values->len);

    figure_mean(series, at, &mean, line->factor);
    g_array_set_size(interval->values, 0);
    g_array_set_size(interval->trials, 0);
}

/* Rows come by time, a row for each interval and replication: those of one time are one point. */
static bool add_line(FigureSeries *series, const Case *one, const Line *line, FigureTimeUnit unit,
                     GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT s.start_s, s.end_s, %s, %s FROM series s JOIN replications r"
        " ON r.id = s.replication_id WHERE r.point = ? ORDER BY s.start_s, r.replication",
        line->sql, line->trials != NULL ? line->trials : "0");
    g_autoptr(sqlite3_stmt) query = case_query(one, sql, NULL, error);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) trials = g_array_new(FALSE, FALSE, sizeof(double));
    const Interval interval = {values, trials};
    double at = NAN, start = NAN;
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        double from = sqlite3_column_double(query, 0), of = sqlite3_column_double(query, 3);
        double value =
            sqlite3_column_type(query, 2) == SQLITE_NULL ? NAN : sqlite3_column_double(query, 2);

        if (isnan(start) || from > start) {
            add_interval(series, at, &interval, line);
            start = from;
            at = (from + sqlite3_column_double(query, 1)) / 2 / unit.seconds;
        }
        g_array_append_val(values, value);
        g_array_append_val(trials, of);
    }
    add_interval(series, at, &interval, line);
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static bool add_events(Figure *figure, const Case *one, FigureTimeUnit unit, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        case_query(one,
                   "SELECT at_s, text FROM events WHERE replication_id ="
                   " (SELECT min(id) FROM replications WHERE point = ?) ORDER BY at_s",
                   NULL, error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        figure_event(figure, sqlite3_column_double(query, 0) / unit.seconds,
                     (const char *)sqlite3_column_text(query, 1));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* Shares near 100 % are looked at closely, others as a whole; amounts begin at 0. */
static void set_range(FigurePanel *panel, bool share)
{
    double least, greatest;

    if (!share) {
        panel->y.from = 0;
    } else if (figure_span_y(panel, &least, &greatest)) {
        panel->y.from = fmax(0, fmin(95, floor(least)));
        panel->y.to = 100 + (100 - panel->y.from) * 0.03;
    }
}

static Figure *new_figure(const TimeLook *look, const char *name, const CaseTimes *times)
{
    Figure *figure = figure_new(name, look->title, look->about);
    g_autofree char *label = g_strdup_printf("Simulated time (%s)", times->unit.name);

    figure_axis_init(&figure->x, label, times->unit.unit);
    figure->x.from = 0;
    figure->x.to = times->end / times->unit.seconds;
    figure->warmup = times->warmup / times->unit.seconds;
    figure->key = FIGURE_KEY_ABOVE;
    return figure;
}

static bool add_panel(Figure *figure, const Case *one, const PanelLook *look,
                      const CaseTimes *times, GError **error)
{
    FigurePanel *panel = figure_panel(figure, look->label, look->unit);

    for (unsigned i = 0; i < LINES_MAX && look->lines[i].sql != NULL; i++) {
        const Line *line = &look->lines[i];
        g_autofree char *name = strcmp(line->name, "prompt") == 0
                                    ? g_strdup_printf("within %g s", times->prompt)
                                    : g_strdup(line->name);

        if (line->column != NULL && !case_has_column(one, line->column)) {
            continue;
        }
        if (!add_line(figure_series(panel, name, FIGURE_LINE, i), one, line, times->unit, error)) {
            return false;
        }
    }
    set_range(panel, look->share);
    return true;
}

/* The figure of one case; in a sweep its name ends with the point's number. */
static bool add_figure(const Cases *cases, const Case *one, const TimeLook *look,
                       GPtrArray *figures, GError **error)
{
    g_autoptr(GString) name = g_string_new(look->name);
    g_autoptr(Figure) figure = NULL;
    CaseTimes times;
    double least, greatest;

    if (!case_times(one, &times, error)) {
        return false;
    }
    if (cases->runs->len > 1) {
        g_string_append_printf(name, "-%u", one->run + 1);
    }
    if (cases->cases->len > cases->runs->len) {
        g_string_append_printf(name, "-%d", one->point);
    }
    figure = new_figure(look, name->str, &times);
    figure->subject = cases->cases->len > 1 ? g_strdup(one->label) : NULL;
    for (unsigned i = 0; i < PANELS_MAX && look->panels[i].label != NULL; i++) {
        if (!add_panel(figure, one, &look->panels[i], &times, error)) {
            return false;
        }
    }
    /* A single interval is no course of time. */
    if (figure_span_x(figure, &least, &greatest) && least < greatest) {
        if (!add_events(figure, one, times.unit, error)) {
            return false;
        }
        g_ptr_array_add(figures, g_steal_pointer(&figure));
    }
    return true;
}

/* Of a large sweep evenly spaced points stand for all, so that drawing it stays bounded. */
static bool add_figures(const Cases *cases, const TimeLook *look, GPtrArray *figures,
                        GError **error)
{
    guint count = MIN(cases->cases->len, FIGURES_MAX);

    for (guint i = 0; i < count; i++) {
        if (!add_figure(cases, cases_pick(cases, FIGURES_MAX, i), look, figures, error)) {
            return false;
        }
    }
    return true;
}

bool figures_lookups(const Cases *cases, GPtrArray *figures, GError **error)
{
    return add_figures(cases, &LOOKUPS, figures, error);
}

/* Drops the figures added after `before` whose panel's lines are all 0 throughout, or empty. */
static void drop_idle(GPtrArray *figures, guint before, guint panel)
{
    for (guint i = figures->len; i-- > before;) {
        double least, greatest;

        if (!figure_span_y(figure_panel_at(g_ptr_array_index(figures, i), panel), &least,
                           &greatest) ||
            !(greatest > 0)) {
            g_ptr_array_remove_index(figures, i);
        }
    }
}

bool figures_calls(const Cases *cases, GPtrArray *figures, GError **error)
{
    guint before = figures->len;

    if (!add_figures(cases, &CALLS, figures, error)) {
        return false;
    }
    drop_idle(figures, before, 0);
    return true;
}

bool figures_messages(const Cases *cases, GPtrArray *figures, GError **error)
{
    guint before = figures->len;

    if (!add_figures(cases, &MESSAGES, figures, error)) {
        return false;
    }
    drop_idle(figures, before, 0);
    return true;
}

bool figures_peers(const Cases *cases, GPtrArray *figures, GError **error)
{
    guint before = figures->len;

    if (!add_figures(cases, &PEERS, figures, error)) {
        return false;
    }
    drop_idle(figures, before, 1);
    return true;
}

/* A line for each case, in the unit of time of the longest. */
static bool add_compared(const Cases *cases, Figure *figure, const CaseTimes *times, GError **error)
{
    for (unsigned i = 0; i < PANELS_MAX; i++) {
        const PanelLook *look = &COMPARED.panels[i];
        FigurePanel *panel = figure_panel(figure, look->label, look->unit);

        for (guint j = 0; j < cases->cases->len; j++) {
            const Case *one = cases_at(cases, j);
            FigureSeries *series = figure_series(panel, NULL, FIGURE_LINE, j);

            series->group = g_strdup(one->brief);
            if (!add_line(series, one, &look->lines[0], times->unit, error)) {
                return false;
            }
        }
        set_range(panel, look->share);
    }
    return true;
}

/* Without lookups, or calls. The first panel names the lines for all. */
static void drop_empty_panels(Figure *figure)
{
    for (guint i = figure->panels->len; i-- > 0;) {
        double least, greatest;

        if (!figure_span_y(figure_panel_at(figure, i), &least, &greatest)) {
            g_ptr_array_remove_index(figure->panels, i);
        }
    }
    if (figure->panels->len > 0) {
        FigurePanel *first = figure_panel_at(figure, 0);

        for (guint i = 0; i < first->series->len; i++) {
            FigureSeries *series = figure_series_at(first, i);

            g_free(series->name);
            series->name = g_strdup(series->group);
        }
    }
}

bool figures_success(const Cases *cases, GPtrArray *figures, GError **error)
{
    g_autoptr(Figure) figure = NULL;
    CaseTimes longest = {0};
    double least, greatest;

    if (cases->cases->len < 2 || cases->cases->len > CASES_MAX) {
        return true;
    }
    for (guint i = 0; i < cases->cases->len; i++) {
        CaseTimes times;

        if (!case_times(cases_at(cases, i), &times, error)) {
            return false;
        }
        longest = times.end > longest.end ? times : longest;
    }
    figure = new_figure(&COMPARED, COMPARED.name, &longest);
    if (!add_compared(cases, figure, &longest, error) ||
        !add_events(figure, cases_at(cases, 0), longest.unit, error)) {
        return false;
    }
    figure->key_title = cases_brief_title(cases, 0);
    drop_empty_panels(figure);
    if (figure->panels->len > 0 && figure_span_x(figure, &least, &greatest) && least < greatest) {
        g_ptr_array_add(figures, g_steal_pointer(&figure));
    }
    return true;
}
