/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * thin.c - see thin.h.
 */
#include "report/thin.h"

#include <math.h>

/* Where bucket i of those between the first and the last point begins. */
static guint bucket_start(guint i, guint len, guint max)
{
    return 1 + (guint)((guint64)i * (len - 2) / (max - 2));
}

/* What a bucket's points come to on the whole; after the last bucket, the last point. */
static FigurePoint middle_of(const FigurePoint *points, guint from, guint to)
{
    FigurePoint middle = {0};

    for (guint i = from; i < to; i++) {
        middle.x += points[i].x / (to - from);
        middle.y += points[i].y / (to - from);
    }
    return middle;
}

/* Of each bucket the point that makes the largest triangle with the one kept before it and the
 * middle of the bucket after it. */
static GArray *thinned(const FigurePoint *points, guint len, guint max)
{
    GArray *kept = g_array_sized_new(FALSE, FALSE, sizeof(FigurePoint), max);
    FigurePoint last = points[0];

    g_array_append_val(kept, last);
    for (guint i = 0; i + 2 < max; i++) {
        guint from = bucket_start(i, len, max), to = bucket_start(i + 1, len, max);
        guint after = i + 3 < max ? bucket_start(i + 2, len, max) : len;
        FigurePoint middle = middle_of(points, to, MAX(after, to + 1));
        FigurePoint best = points[from];
        double largest = -1;

        for (guint j = from; j < to; j++) {
            double area = fabs((last.x - middle.x) * (points[j].y - last.y) -
                               (last.x - points[j].x) * (middle.y - last.y));

            if (area > largest) {
                largest = area;
                best = points[j];
            }
        }
        g_array_append_val(kept, best);
        last = best;
    }
    g_array_append_val(kept, points[len - 1]);
    return kept;
}

void thin_figure(Figure *figure, guint max)
{
    g_assert(max >= 3);
    for (guint i = 0; i < figure->panels->len; i++) {
        FigurePanel *panel = figure_panel_at(figure, i);

        for (guint j = 0; j < panel->series->len; j++) {
            FigureSeries *series = figure_series_at(panel, j);
            bool line = series->style == FIGURE_LINE || series->style == FIGURE_STEPS;

            if (line && series->labels == NULL && series->points->len > max) {
                GArray *kept = thinned(figure_points(series), series->points->len, max);

                g_array_unref(series->points);
                series->points = kept;
            }
        }
    }
}
