/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * draw.c - see draw.h.
 */
#include "compare/draw.h"

#include <math.h>

/* More steps than this are not to be seen: a CDF then skips steps lower than one in so many. */
#define STEPS_MAX 2000

/* Points of a cumulative distribution: value, fraction not above it. */
static void add_cdf(FigureSeries *series, const GArray *values)
{
    const double *value = (const double *)(const void *)values->data;
    guint least = values->len / STEPS_MAX, drawn = 0;

    figure_point(series, (FigurePoint){value[0], 0, NAN, NAN});
    for (guint i = 0; i < values->len; i++) {
        bool last = i + 1 == values->len;

        if (last || (value[i + 1] > value[i] && i + 1 - drawn >= least)) {
            drawn = i + 1;
            figure_point(series,
                         (FigurePoint){value[i], (double)drawn / (double)values->len, NAN, NAN});
        }
    }
}

/* All but the farthest thousandth, which would squeeze the rest. */
static double reach(const GArray *values)
{
    guint rank = (guint)ceil(0.999 * values->len);

    return ((const double *)(const void *)values->data)[MAX(rank, 1) - 1];
}

Figure *draw_cdfs(unsigned index, const Side sides[2], const StatsKs *ks)
{
    const SideFigure *which = &SIDE_FIGURE[index];
    g_autofree char *name = g_strconcat(which->stem, "-cdf", NULL);
    Figure *figure = figure_new(name, which->title, "Cumulative distributions of sampled values.");
    FigurePanel *panel = figure_panel(figure, which->y_label, "");
    double longest = 0;

    figure_axis_init(&figure->x, which->x_label, which->unit);
    for (unsigned i = 0; i < 2; i++) {
        const GArray *values = sides[i].samples[index].values;
        g_autofree char *label = g_strdup_printf("%s (%s)", sides[i].dir, sides[i].world);

        add_cdf(figure_series(panel, label, FIGURE_STEPS, i), values);
        longest = fmax(longest, reach(values));
    }
    figure->x.from = panel->y.from = 0;
    figure->x.to = longest > 0 ? longest * 1.02 : 1;
    panel->y.to = 1;
    figure->key = FIGURE_KEY_BOTTOM_RIGHT;
    figure->remark =
        g_strdup_printf("Kolmogorov-Smirnov distance %.4f, p = %.3g", ks->distance, ks->p_value);
    return figure;
}
