/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scaling.c - how hops, latency and messages grow with the number of peers: fits against log2 n.
 */
#include "figure/quantity.h"
#include "figure/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BAND_STEPS = 60 };

typedef struct ScalingLook {
    const char *name;
    const char *quantity; /* quantity.h */
    const char *title;
    const char *symbol; /* in the equation of the line */
} ScalingLook;

/* One observation is one replication: x = log2 of its number of peers. */
typedef struct Observations {
    GArray *x;
    GArray *y;
} Observations;

/* Cases that differ in the number of peers only. */
typedef struct Group {
    const char *label;
    guint64 without; /* the keys that its label leaves out */
    unsigned number; /* its look */
} Group;

/* The cases of a group: their means as points, their replications as observations. */
static bool observe_group(const Cases *cases, const Group *group, const Quantity *quantity,
                          FigureSeries *series, Observations *observations, GError **error)
{
    for (guint i = 0; i < cases->cases->len; i++) {
        const Case *one = cases_at(cases, i);
        g_autofree char *name = cases_group(cases, one, group->without);
        g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
        double x = log2((double)one->peers);
        StatsMean mean;

        if (strcmp(name, group->label) != 0) {
            continue;
        }
        if (!quantity_observe(quantity, one, values, error)) {
            return false;
        }
        mean = stats_mean(cases_doubles(values), values->len);
        figure_mean(series, x, &mean, 1);
        for (guint j = 0; j < values->len; j++) {
            if (isfinite(cases_doubles(values)[j])) {
                g_array_append_val(observations->x, x);
                g_array_append_val(observations->y, cases_doubles(values)[j]);
            }
        }
    }
    return true;
}

static void add_band(FigureSeries *line, const StatsFit *fit, double from, double to)
{
    for (int i = 0; i <= BAND_STEPS; i++) {
        double x = from + (to - from) * i / BAND_STEPS;
        StatsInterval band;
        double y = stats_fit_at(fit, x, &band);

        figure_point(line, (FigurePoint){x, y, fit->has_interval ? band.low : NAN,
                                         fit->has_interval ? band.high : NAN});
    }
}

/* The fit in words, for the key. */
static void name_fit(FigureSeries *line, const char *symbol, const char *unit, const char *group,
                     const StatsFit *fit)
{
    line->name =
        g_strdup_printf("%s%s%s = %.3g log₂ n %s %.3g%s,  R² = %.4f", group,
                        *group != '\0' ? ": " : "", symbol, fit->slope,
                        fit->intercept < 0 ? "−" : "+", fabs(fit->intercept), unit, fit->r_squared);
    if (fit->has_interval) {
        line->note = g_strdup_printf("95 %%: slope [%.3g, %.3g], intercept [%.3g, %.3g]",
                                     fit->slope_ci95.low, fit->slope_ci95.high,
                                     fit->intercept_ci95.low, fit->intercept_ci95.high);
    }
}

/* A group's points and, where two sizes or more were run, its line. */
static bool add_group(const Cases *cases, Figure *figure, const Group *group,
                      const ScalingLook *look, GError **error)
{
    const Quantity *quantity = quantity_find(look->quantity);
    g_autoptr(GArray) x = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) y = g_array_new(FALSE, FALSE, sizeof(double));
    Observations observations = {x, y};
    FigurePanel *panel = figure_panel_at(figure, 0);
    FigureSeries *line = figure_series(panel, NULL, FIGURE_LINE, group->number);
    FigureSeries *points =
        figure_series(panel, group->number == 0 ? "mean over replications, 95 % interval" : NULL,
                      FIGURE_MARKS, group->number);
    FigureFit fit = {.group = NULL};

    points->group = g_strdup(group->label);
    if (!observe_group(cases, group, quantity, points, &observations, error)) {
        return false;
    }
    if (stats_fit_line(cases_doubles(x), cases_doubles(y), x->len, &fit.fit)) {
        add_band(line, &fit.fit, cases_doubles(x)[0], cases_doubles(x)[x->len - 1]);
        name_fit(line, look->symbol, quantity->unit, group->label, &fit.fit);
        g_array_append_val(figure->fits, fit);
        g_array_index(figure->fits, FigureFit, figure->fits->len - 1).group =
            g_strdup(group->label);
    }
    return true;
}

/* The sizes that were run, as ticks of the upper axis. */
static void mark_sizes(const Cases *cases, Figure *figure)
{
    guint len = cases->cases->len; /* 1 at least */
    gint64 last = 0;

    figure_axis_init(&figure->top, "Number of peers n", "");
    for (guint i = 0; i < len; i++) {
        gint64 peers = cases_at(cases, i)->peers; /* in ascending order */
        g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, peers);

        if (peers != last) {
            figure_axis_tick(&figure->top, log2((double)peers), text);
        }
        last = peers;
    }
    figure->x.from = log2((double)cases_at(cases, 0)->peers) - 0.4;
    figure->x.to = log2((double)cases_at(cases, len - 1)->peers) + 0.4;
}

static bool add_scaling(const Cases *cases, guint64 without, const ScalingLook *look,
                        GPtrArray *figures, GError **error)
{
    const Quantity *quantity = quantity_find(look->quantity);
    Figure *figure =
        figure_new(look->name, look->title,
                   "Points are means over replications. The line is fitted by least squares, each "
                   "replication one observation; the band is the 95 % interval of the mean "
                   "response.");
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);

    g_ptr_array_add(figures, figure);
    figure_panel(figure, quantity->label, quantity->unit)->y.from = 0;
    figure_axis_init(&figure->x, "log₂ n", "");
    figure->key = FIGURE_KEY_BOTTOM_RIGHT;
    mark_sizes(cases, figure);
    for (guint i = 0; i < cases->cases->len; i++) {
        g_autofree char *group = cases_group(cases, cases_at(cases, i), without);

        if (g_ptr_array_find_with_equal_func(groups, group, g_str_equal, NULL)) {
            continue;
        }
        if (!add_group(cases, figure, &(Group){group, without, groups->len}, look, error)) {
            return false;
        }
        g_ptr_array_add(groups, g_steal_pointer(&group));
    }
    return true;
}

/* The keys that only follow the number of peers do not make groups. */
static guint64 keys_of_size(const Cases *cases, guint peers)
{
    guint64 without = 0;

    for (guint i = 0; i < MIN(cases->keys->len, 64); i++) {
        if (cases_follows(cases, i, peers)) {
            without |= G_GUINT64_CONSTANT(1) << i;
        }
    }
    return without;
}

bool figures_scaling(const Cases *cases, GPtrArray *figures, GError **error)
{
    static const ScalingLook looks[] = {
        {"hops-scaling", "hops", "Hops against the number of peers", "hops"},
        {"latency-scaling", "latency", "Latency against the number of peers", "latency"},
        {"messages-scaling", "messages", "Messages against the number of peers", "messages"},
    };
    int peers = cases_find_key(cases, CASES_PEERS_KEY);

    if (peers < 0 || cases_key(cases, (guint)peers)->values->len < 2) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(looks); i++) {
        if (!add_scaling(cases, keys_of_size(cases, (guint)peers), &looks[i], figures, error)) {
            return false;
        }
    }
    return true;
}
