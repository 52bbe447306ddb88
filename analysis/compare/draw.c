/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * draw.c - see draw.h.
 */
#include "compare/draw.h"

#include "plot/figure.h"

#include <math.h>

/* More steps than this are not to be seen: a CDF then skips steps lower than one in so many. */
#define STEPS_MAX 2000

/* Rows of a cumulative distribution: value, fraction not above it. */
static void add_cdf(Figure *figure, const SideFigure *which, const GArray *values)
{
    const double *value = (const double *)(const void *)values->data;
    guint least = values->len / STEPS_MAX, drawn = 0;

    figure_block(figure, which->x_label);
    figure_row(figure, (double[]){value[0], 0}, 2);
    for (guint i = 0; i < values->len; i++) {
        bool last = i + 1 == values->len;

        if (last || (value[i + 1] > value[i] && i + 1 - drawn >= least)) {
            drawn = i + 1;
            figure_row(figure, (double[]){value[i], (double)drawn / (double)values->len}, 2);
        }
    }
}

static void add_curve(GString *curves, unsigned i, const Side *side)
{
    g_autofree char *label = g_strdup_printf("%s (%s)", side->dir, side->world);
    g_autofree char *title = figure_quote(label);

    g_string_append_printf(curves,
                           "%s data index %u using 1:2 with steps lw 2 lc rgb '%s' dashtype %s "
                           "title %s",
                           i > 0 ? ", \\\n" : "", i, figure_colour(i), figure_dash(i), title);
}

/* All but the farthest thousandth, which would squeeze the rest. */
static double reach(const GArray *values)
{
    guint rank = (guint)ceil(0.999 * values->len);

    return ((const double *)(const void *)values->data)[MAX(rank, 1) - 1];
}

bool draw_cdfs(const char *dir, unsigned index, const Side sides[2], const StatsKs *ks,
               GPtrArray *files, GError **error)
{
    const SideFigure *which = &SIDE_FIGURE[index];
    g_autofree char *name = g_strconcat(which->stem, "-cdf", NULL);
    g_autofree char *path = g_strdup(dir);
    Plots plots = {.dir = path, .files = files};
    g_autoptr(Figure) figure = figure_new(&plots, name, NULL);
    g_autoptr(GString) curves = g_string_new(NULL);
    double longest = 0;

    for (unsigned i = 0; i < 2; i++) {
        const GArray *values = sides[i].samples[index].values;

        add_cdf(figure, which, values);
        add_curve(curves, i, &sides[i]);
        longest = fmax(longest, reach(values));
    }
    g_string_append_printf(
        figure->script,
        "set xlabel '%s'\nset ylabel '%s'\nset xrange [0:%.10g]\nset yrange [0:1.1]\n"
        "set ytics 0,0.2,1\nset key bottom right\n"
        "set label 1 'Kolmogorov-Smirnov distance %.4f, p = %.3g' at graph 0.02, graph 0.95 "
        "textcolor rgb '#202020'\nplot %s\n",
        which->x_label, which->y_label, longest > 0 ? longest * 1.02 : 1, ks->distance, ks->p_value,
        curves->str);
    return figure_draw(&plots, figure, error);
}
