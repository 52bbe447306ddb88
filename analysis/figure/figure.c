/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure.c - see figure.h.
 */
#include "figure/figure.h"

#include <math.h>

static void clear_tick(gpointer data)
{
    g_free(((FigureTick *)data)->text);
}

static void clear_rule(gpointer data)
{
    g_free(((FigureRule *)data)->text);
}

static void clear_mark(gpointer data)
{
    g_free(((FigureMark *)data)->text);
}

static void clear_fit(gpointer data)
{
    g_free(((FigureFit *)data)->group);
}

static GArray *array_of(guint size, GDestroyNotify clear)
{
    GArray *array = g_array_new(FALSE, FALSE, size);

    g_array_set_clear_func(array, clear);
    return array;
}

static void axis_clear(FigureAxis *axis)
{
    g_clear_pointer(&axis->label, g_free);
    g_clear_pointer(&axis->ticks, g_array_unref);
}

static void series_free(gpointer data)
{
    FigureSeries *series = data;

    g_free(series->name);
    g_free(series->group);
    g_free(series->note);
    g_array_unref(series->points);
    g_clear_pointer(&series->labels, g_ptr_array_unref);
    g_clear_pointer(&series->across, g_array_unref);
    g_free(series);
}

static void panel_free(gpointer data)
{
    FigurePanel *panel = data;

    axis_clear(&panel->y);
    g_ptr_array_unref(panel->series);
    g_free(panel);
}

static void grid_free(FigureGrid *grid)
{
    g_ptr_array_unref(grid->columns);
    g_ptr_array_unref(grid->rows);
    g_array_unref(grid->cells);
    g_free(grid->label);
    g_free(grid->row_label);
    g_free(grid);
}

void figure_axis_init(FigureAxis *axis, const char *label, const char *unit)
{
    axis_clear(axis);
    *axis = (FigureAxis){.label = g_strdup(label),
                         .unit = unit,
                         .from = NAN,
                         .to = NAN,
                         .ticks = array_of(sizeof(FigureTick), clear_tick)};
}

Figure *figure_new(const char *name, const char *title, const char *about)
{
    Figure *figure = g_new0(Figure, 1);

    figure->name = g_strdup(name);
    figure->title = g_strdup(title);
    figure->about = g_strdup(about);
    figure_axis_init(&figure->x, "", "");
    figure_axis_init(&figure->top, NULL, "");
    figure->panels = g_ptr_array_new_with_free_func(panel_free);
    figure->events = array_of(sizeof(FigureRule), clear_rule);
    figure->marks = array_of(sizeof(FigureMark), clear_mark);
    figure->fits = array_of(sizeof(FigureFit), clear_fit);
    return figure;
}

void figure_free(Figure *figure)
{
    if (figure == NULL) {
        return;
    }
    g_free(figure->name);
    g_free(figure->title);
    g_free(figure->about);
    g_free(figure->subject);
    g_free(figure->remark);
    g_free(figure->key_title);
    g_free(figure->mean.text);
    axis_clear(&figure->x);
    axis_clear(&figure->top);
    g_ptr_array_unref(figure->panels);
    g_array_unref(figure->events);
    g_array_unref(figure->marks);
    g_array_unref(figure->fits);
    g_clear_pointer(&figure->grid, grid_free);
    g_free(figure);
}

void figure_axis_tick(FigureAxis *axis, double at, const char *text)
{
    FigureTick tick = {at, g_strdup(text)};

    g_array_append_val(axis->ticks, tick);
}

FigurePanel *figure_panel(Figure *figure, const char *label, const char *unit)
{
    FigurePanel *panel = g_new0(FigurePanel, 1);

    figure_axis_init(&panel->y, label, unit);
    panel->series = g_ptr_array_new_with_free_func(series_free);
    g_ptr_array_add(figure->panels, panel);
    return panel;
}

FigureSeries *figure_series(FigurePanel *panel, const char *name, FigureStyle style, unsigned look)
{
    FigureSeries *series = g_new0(FigureSeries, 1);

    series->name = g_strdup(name);
    series->style = style;
    series->spread =
        style == FIGURE_MARKED || style == FIGURE_MARKS ? FIGURE_WHISKERS : FIGURE_BAND;
    series->look = look;
    series->points = g_array_new(FALSE, FALSE, sizeof(FigurePoint));
    g_ptr_array_add(panel->series, series);
    return series;
}

void figure_point(FigureSeries *series, FigurePoint point)
{
    if (isfinite(point.x) && isfinite(point.y)) {
        g_array_append_val(series->points, point);
    }
}

void figure_mean(FigureSeries *series, double x, const StatsMean *mean, double factor)
{
    figure_point(series, (FigurePoint){x, mean->mean * factor,
                                       mean->has_interval ? mean->ci95.low * factor : NAN,
                                       mean->has_interval ? mean->ci95.high * factor : NAN});
}

void figure_event(Figure *figure, double x, const char *text)
{
    FigureRule rule = {x, g_strdup(text)};

    g_array_append_val(figure->events, rule);
}

void figure_mark(Figure *figure, double x, double y, const char *text, bool left)
{
    FigureMark mark = {x, y, g_strdup(text), left};

    g_array_append_val(figure->marks, mark);
}

bool figure_is_empty(const Figure *figure)
{
    for (guint i = 0; i < figure->panels->len; i++) {
        const FigurePanel *panel = figure_panel_at(figure, i);

        for (guint j = 0; j < panel->series->len; j++) {
            if (figure_series_at(panel, j)->points->len > 0) {
                return false;
            }
        }
    }
    for (guint i = 0; figure->grid != NULL && i < figure->grid->cells->len; i++) {
        if (isfinite(g_array_index(figure->grid->cells, FigurePoint, i).y)) {
            return false;
        }
    }
    return true;
}

static void widen(double value, double *least, double *greatest)
{
    if (isfinite(value)) {
        *least = fmin(*least, value);
        *greatest = fmax(*greatest, value);
    }
}

bool figure_span_y(const FigurePanel *panel, double *ret_least, double *ret_greatest)
{
    double least = INFINITY, greatest = -INFINITY;

    for (guint i = 0; i < panel->series->len; i++) {
        const FigureSeries *series = figure_series_at(panel, i);

        for (guint j = 0; j < series->points->len; j++) {
            const FigurePoint *point = &figure_points(series)[j];

            widen(point->y, &least, &greatest);
            widen(point->low, &least, &greatest);
            widen(point->high, &least, &greatest);
        }
    }
    if (least > greatest) {
        return false;
    }
    *ret_least = least;
    *ret_greatest = greatest;
    return true;
}

bool figure_span_x(const Figure *figure, double *ret_least, double *ret_greatest)
{
    double least = INFINITY, greatest = -INFINITY;

    for (guint i = 0; i < figure->panels->len; i++) {
        const FigurePanel *panel = figure_panel_at(figure, i);

        for (guint j = 0; j < panel->series->len; j++) {
            const FigureSeries *series = figure_series_at(panel, j);

            for (guint k = 0; k < series->points->len; k++) {
                widen(figure_points(series)[k].x, &least, &greatest);
            }
        }
    }
    if (least > greatest) {
        return false;
    }
    *ret_least = least;
    *ret_greatest = greatest;
    return true;
}

FigureTimeUnit figure_time_unit(double seconds)
{
    if (seconds <= 600) {
        return (FigureTimeUnit){"s", " s", 1};
    }
    if (seconds <= 4 * 3600) {
        return (FigureTimeUnit){"min", " min", 60};
    }
    if (seconds <= 4 * 86400) {
        return (FigureTimeUnit){"h", " h", 3600};
    }
    return (FigureTimeUnit){"days", " days", 86400};
}
