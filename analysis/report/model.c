/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model.c - see model.h.
 */
#include "report/model.h"

#include "figure/look.h"

#include <math.h>

enum { PALETTE_STOPS = 33 };

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *ticks(const GArray *ticks)
{
    json_t *list = json_array();

    for (guint i = 0; i < ticks->len; i++) {
        const FigureTick *tick = &g_array_index(ticks, FigureTick, i);

        json_array_append_new(list,
                              json_pack("{s:o, s:s}", "at", number(tick->at), "text", tick->text));
    }
    return list;
}

static json_t *axis(const FigureAxis *axis)
{
    return json_pack("{s:o, s:s, s:o, s:o, s:o}", "label", text_or_null(axis->label), "scale",
                     axis->scale == FIGURE_LOG ? "log" : "linear", "from", number(axis->from), "to",
                     number(axis->to), "ticks", ticks(axis->ticks));
}

/* [x, y] or [x, y, low, high]. */
static json_t *points(const FigureSeries *series)
{
    json_t *list = json_array();

    for (guint i = 0; i < series->points->len; i++) {
        const FigurePoint *point = &figure_points(series)[i];
        json_t *one = json_pack("[o, o]", number(point->x), number(point->y));

        if (isfinite(point->low)) {
            json_array_append_new(one, number(point->low));
            json_array_append_new(one, number(point->high));
        }
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *dash(unsigned look)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t len;
    const double *pattern = look_dash(look, &len);

    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(text, "%s%g", i > 0 ? " " : "", pattern[i]);
    }
    return json_string(len > 0 ? text->str : "none");
}

static json_t *model_series(const FigureSeries *series)
{
    static const char *const styles[] = {[FIGURE_LINE] = "line",
                                         [FIGURE_STEPS] = "steps",
                                         [FIGURE_MARKED] = "marked",
                                         [FIGURE_MARKS] = "marks",
                                         [FIGURE_BARS] = "bars"};
    json_t *object =
        json_pack("{s:o, s:o, s:o, s:s, s:s, s:i, s:i, s:o, s:o}", "name",
                  text_or_null(series->name), "group", text_or_null(series->group), "note",
                  text_or_null(series->note), "style", styles[series->style], "spread",
                  series->spread == FIGURE_BAND ? "band" : "whiskers", "colour",
                  (int)(series->look % LOOK_COLOURS), "mark", (int)look_mark(series->look), "dash",
                  dash(series->look), "points", points(series));

    if (series->labels != NULL) {
        json_t *labels = json_array();

        for (guint i = 0; i < series->labels->len; i++) {
            json_array_append_new(labels, json_string(g_ptr_array_index(series->labels, i)));
        }
        json_object_set_new(object, "labels", labels);
    }
    if (series->across != NULL) {
        json_t *across = json_array();

        for (guint i = 0; i < series->across->len; i++) {
            const StatsInterval *one = &g_array_index(series->across, StatsInterval, i);

            json_array_append_new(across, json_pack("[o, o]", number(one->low), number(one->high)));
        }
        json_object_set_new(object, "across", across);
    }
    return object;
}

static json_t *panels(const Figure *figure)
{
    json_t *list = json_array();

    for (guint i = 0; i < figure->panels->len; i++) {
        const FigurePanel *panel = figure_panel_at(figure, i);
        json_t *all = json_array();

        for (guint j = 0; j < panel->series->len; j++) {
            json_array_append_new(all, model_series(figure_series_at(panel, j)));
        }
        json_array_append_new(list, json_pack("{s:o, s:o}", "y", axis(&panel->y), "series", all));
    }
    return list;
}

static json_t *rule(const FigureRule *rule)
{
    return json_pack("{s:o, s:s}", "x", number(rule->x), "text", rule->text);
}

static json_t *names(const GPtrArray *texts)
{
    json_t *list = json_array();

    for (guint i = 0; i < texts->len; i++) {
        json_array_append_new(list, json_string(g_ptr_array_index(texts, i)));
    }
    return list;
}

static json_t *grid(const FigureGrid *grid)
{
    json_t *cells = json_array();

    for (guint i = 0; i < grid->cells->len; i++) {
        const FigurePoint *cell = &g_array_index(grid->cells, FigurePoint, i);

        json_array_append_new(cells, json_pack("[o, o, o]", number(cell->y), number(cell->low),
                                               number(cell->high)));
    }
    return json_pack("{s:o, s:o, s:o, s:s, s:s}", "columns", names(grid->columns), "rows",
                     names(grid->rows), "cells", cells, "label", grid->label, "rowLabel",
                     grid->row_label);
}

json_t *model_figure(const Figure *figure)
{
    json_t *events = json_array(), *marks = json_array();
    json_t *object =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", figure->name, "title", figure->title,
                  "x", axis(&figure->x), "panels", panels(figure), "keyTitle",
                  text_or_null(figure->key_title), "remark", text_or_null(figure->remark));

    for (guint i = 0; i < figure->events->len; i++) {
        json_array_append_new(events, rule(&g_array_index(figure->events, FigureRule, i)));
    }
    for (guint i = 0; i < figure->marks->len; i++) {
        const FigureMark *mark = &g_array_index(figure->marks, FigureMark, i);

        json_array_append_new(marks, json_pack("{s:o, s:o, s:s, s:b}", "x", number(mark->x), "y",
                                               number(mark->y), "text", mark->text, "left",
                                               (int)mark->left));
    }
    json_object_set_new(object, "events", events);
    json_object_set_new(object, "marks", marks);
    json_object_set_new(object, "warmup", json_real(figure->warmup));
    json_object_set_new(object, "mean",
                        figure->mean.text != NULL ? rule(&figure->mean) : json_null());
    json_object_set_new(object, "top",
                        figure->top.label != NULL ? axis(&figure->top) : json_null());
    json_object_set_new(object, "grid", figure->grid != NULL ? grid(figure->grid) : json_null());
    return object;
}

json_t *model_palette(void)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < PALETTE_STOPS; i++) {
        LookColour colour = look_heat((double)i / (PALETTE_STOPS - 1));

        json_array_append_new(list, json_pack("[f, f, f]", colour.red, colour.green, colour.blue));
    }
    return list;
}
