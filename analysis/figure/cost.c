/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cost.c - cost against performance: what the points of a sweep pay in bytes, and what they get for
 * it, with the convex hull of each group.
 * Source: see hull.h.
 */
#include "figure/hull.h"
#include "figure/quantity.h"
#include "figure/table.h"

#include <math.h>
#include <string.h>

/* A group's points are parameters of one design; words (a topology, a defence) and the size of the
 * overlay make different designs. */
static guint64 parameter_keys(const Cases *cases)
{
    guint64 keys = 0;

    for (guint i = 0; i < MIN(cases->keys->len, 64); i++) {
        const CasesKey *key = cases_key(cases, i);

        if (key->numeric && strcmp(key->name, CASES_PEERS_KEY) != 0) {
            keys |= G_GUINT64_CONSTANT(1) << i;
        }
    }
    return keys;
}

/* Which parameters a point has: its keys that make no group. */
static char *name_point(const Cases *cases, const Case *one, guint64 parameters)
{
    return cases_group(cases, one, ~parameters);
}

typedef struct CostLook {
    const char *name;
    const char *title;
    const char *quantity;
    const char *label;
    double from; /* performance = from + sign * quantity */
    double sign;
} CostLook;

static bool add_point(const Case *one, const CostLook *look, char *label, FigureSeries *series,
                      GError **error)
{
    StatsMean cost, performance;
    StatsInterval across;
    double y, low, high;

    if (!quantity_mean(quantity_find("bytes"), one, &cost, error) ||
        !quantity_mean(quantity_find(look->quantity), one, &performance, error)) {
        g_free(label);
        return false;
    }
    y = look->from + look->sign * performance.mean;
    low = performance.has_interval ? look->from + look->sign * performance.ci95.low : NAN;
    high = performance.has_interval ? look->from + look->sign * performance.ci95.high : NAN;
    if (isfinite(cost.mean) && isfinite(y)) {
        figure_point(series, (FigurePoint){cost.mean, y, fmin(low, high), fmax(low, high)});
        across.low = cost.has_interval ? cost.ci95.low : NAN;
        across.high = cost.has_interval ? cost.ci95.high : NAN;
        g_array_append_val(series->across, across);
        g_ptr_array_add(series->labels, label);
    } else {
        g_free(label);
    }
    return true;
}

static void add_hull(FigurePanel *panel, const FigureSeries *points, const char *name,
                     unsigned look)
{
    g_autofree HullPoint *corners = g_new(HullPoint, points->points->len + 1);
    FigureSeries *hull = figure_series(panel, name, FIGURE_LINE, look);
    size_t len;

    hull->labels = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < points->points->len; i++) {
        const FigurePoint *point = &figure_points(points)[i];

        corners[i] = (HullPoint){point->x, point->y, i};
    }
    len = hull_lower_left(corners, points->points->len);
    for (size_t i = 0; i < len; i++) {
        figure_point(hull, (FigurePoint){corners[i].x, corners[i].y, NAN, NAN});
        g_ptr_array_add(hull->labels,
                        g_strdup(g_ptr_array_index(points->labels, corners[i].index)));
    }
}

static bool add_group(const Cases *cases, const char *group, guint64 parameters,
                      const CostLook *look, FigurePanel *panel, GError **error)
{
    unsigned number = panel->series->len / 2; /* of the group: each has its marks and its hull */
    FigureSeries *points = figure_series(panel, NULL, FIGURE_MARKS, number);

    points->group = g_strdup(*group != '\0' ? group : "convex hull");
    points->labels = g_ptr_array_new_with_free_func(g_free);
    points->across = g_array_new(FALSE, FALSE, sizeof(StatsInterval));
    for (guint i = 0; i < cases->cases->len; i++) {
        const Case *one = cases_at(cases, i);
        g_autofree char *own = cases_group(cases, one, parameters);

        if (strcmp(own, group) == 0 &&
            !add_point(one, look, name_point(cases, one, parameters), points, error)) {
            return false;
        }
    }
    add_hull(panel, points, *group != '\0' ? group : "convex hull", number);
    return true;
}

static bool add_cost(const Cases *cases, guint64 parameters, const CostLook *look,
                     GPtrArray *figures, GError **error)
{
    Figure *figure = figure_new(
        look->name, look->title,
        "Each mark is a point of the sweep, the mean over replications with its 95 % interval. The "
        "line is the lower left convex hull of a group: what its parameters can buy at best for "
        "so many bytes.");
    FigurePanel *panel = figure_panel(figure, look->label, quantity_find(look->quantity)->unit);
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(figures, figure);
    figure_axis_init(&figure->x, quantity_find("bytes")->label, quantity_find("bytes")->unit);
    figure->key = FIGURE_KEY_ABOVE;
    figure->x.from = 0;
    panel->y.from = 0;
    for (guint i = 0; i < cases->cases->len; i++) {
        g_autofree char *group = cases_group(cases, cases_at(cases, i), parameters);

        if (g_ptr_array_find_with_equal_func(groups, group, g_str_equal, NULL)) {
            continue;
        }
        if (!add_group(cases, group, parameters, look, panel, error)) {
            return false;
        }
        g_ptr_array_add(groups, g_steal_pointer(&group));
    }
    return true;
}

bool figures_cost(const Cases *cases, GPtrArray *figures, GError **error)
{
    static const CostLook looks[] = {
        {"cost-latency", "Cost against latency", "latency", "Median lookup latency (ms)", 0, 1},
        {"cost-failures", "Cost against failures", "success", "Lookups that failed (%)", 100, -1},
    };
    guint64 parameters = parameter_keys(cases);

    /* Without a parameter that was varied there is nothing to buy. */
    if (parameters == 0 || cases->cases->len < 3) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(looks); i++) {
        if (!add_cost(cases, parameters, &looks[i], figures, error)) {
            return false;
        }
    }
    return true;
}
