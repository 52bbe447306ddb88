/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_figure_replay.c - figures of a replayed trace: what is in them, and that they can be drawn.
 */
#include "replayed.h"
#include "scratch.h"

#include "figure/look.h"
#include "figure/table.h"
#include "plot/gnuplot.h"

#include <peal_test.h>

/* The figures of these results that fit a pattern; NULL when there are none. */
static GPtrArray *figures_of(char **dirs, unsigned len, const char *pattern)
{
    char *only[] = {(char *)(uintptr_t)pattern, NULL};
    const TableRequest request = {.only = only};
    g_autoptr(Cases) cases = cases_open(dirs, len, NULL);
    g_autoptr(GPtrArray) figures =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void *)figure_free);

    CU_ASSERT_PTR_NOT_NULL_FATAL(cases);
    return table_build(cases, &request, figures, NULL) ? g_steal_pointer(&figures) : NULL;
}

static GPtrArray *one_figure(char *dir, const char *name)
{
    GPtrArray *figures = figures_of(&dir, 1, name);

    CU_ASSERT_PTR_NOT_NULL_FATAL(figures);
    CU_ASSERT_EQUAL_FATAL(figures->len, 1);
    return figures;
}

static const FigureSeries *series_in(const GPtrArray *figures, guint panel, guint i)
{
    const Figure *figure = g_ptr_array_index(figures, 0);

    CU_ASSERT_FATAL(figure_panel_at(figure, panel)->series->len > i);
    return figure_series_at(figure_panel_at(figure, panel), i);
}

static void setup_is_a_curve_for_the_trace_and_one_for_the_overlay(void)
{
    g_autofree char *dir = replayed_results(1000, 2);
    g_autoptr(GPtrArray) figures = one_figure(dir, "replay-setup");
    const Figure *figure = g_ptr_array_index(figures, 0);

    CU_ASSERT_EQUAL(figure->x.scale, FIGURE_LOG);
    CU_ASSERT_EQUAL(figure_panel_at(figure, 0)->series->len, 2);
    CU_ASSERT(g_str_has_prefix(series_in(figures, 0, 0)->name, "trace: 900 calls, median"));
    /* In each replication 120 calls are refused and 20 do not begin. */
    CU_ASSERT(g_str_has_prefix(series_in(figures, 0, 1)->name, "overlay: 1720 calls, median"));
    for (guint i = 0; i < 2; i++) {
        const FigureSeries *series = series_in(figures, 0, i);
        const FigurePoint *points = figure_points(series);

        CU_ASSERT_EQUAL(points[0].x, figure->x.from);
        CU_ASSERT_EQUAL(points[0].y, 0);
        CU_ASSERT_EQUAL(points[series->points->len - 1].x, figure->x.to);
        CU_ASSERT_EQUAL(points[series->points->len - 1].y, 1);
        for (guint j = 1; j < series->points->len; j++) {
            CU_ASSERT(points[j].x >= points[j - 1].x && points[j].y >= points[j - 1].y);
        }
    }
    remove_tree(dir);
}

static void answers_are_bars_side_by_side_with_their_numbers(void)
{
    g_autofree char *dir = replayed_results(100, 2);
    g_autoptr(GPtrArray) figures = one_figure(dir, "replay-answers");
    const Figure *figure = g_ptr_array_index(figures, 0);
    const FigureSeries *trace = series_in(figures, 0, 0), *overlay = series_in(figures, 0, 1);

    CU_ASSERT_EQUAL_FATAL(trace->points->len, 5); /* four ends, and not begun */
    CU_ASSERT_EQUAL_FATAL(overlay->points->len, 5);
    CU_ASSERT_STRING_EQUAL(trace->name, "trace: 100 calls");
    CU_ASSERT_STRING_EQUAL(overlay->name, "overlay: 100 calls");
    CU_ASSERT_EQUAL(figure_points(trace)[0].y, 70);
    CU_ASSERT_EQUAL(figure_points(overlay)[0].y, 66);
    CU_ASSERT_EQUAL(figure_points(overlay)[2].y, 12);
    CU_ASSERT_EQUAL(figure_points(overlay)[4].y, 2);
    CU_ASSERT_STRING_EQUAL(g_ptr_array_index(overlay->labels, 2), "12");
    CU_ASSERT_STRING_EQUAL(g_array_index(figure->x.ticks, FigureTick, 4).text, "not begun");
    for (guint i = 0; i < 5; i++) {
        CU_ASSERT_EQUAL(figure_points(overlay)[i].x, figure_points(trace)[i].x + 1);
    }
    remove_tree(dir);
}

static void delays_of_many_calls_are_those_of_some(void)
{
    g_autofree char *dir = replayed_results(3000, 1);
    g_autoptr(GPtrArray) figures = one_figure(dir, "replay-delay-by-call");
    const Figure *figure = g_ptr_array_index(figures, 0);

    /* Calls 0, 5, 10 ...: each of them rings. */
    CU_ASSERT_EQUAL(series_in(figures, 0, 0)->points->len, 600);
    CU_ASSERT_PTR_NOT_NULL(strstr(figure->x.label, "(min), one call in 5"));
    remove_tree(dir);
}

static void fits_are_drawn_with_the_best_first(void)
{
    g_autofree char *dir = replayed_results(2000, 1);
    g_autoptr(GPtrArray) figures = one_figure(dir, "fit-interarrival");
    const FigureSeries *measured = series_in(figures, 0, 0), *best = series_in(figures, 0, 1);

    CU_ASSERT_STRING_EQUAL(measured->name, "measured, 1999 spans");
    CU_ASSERT(g_str_has_prefix(best->name, "best: weibull(shape="));
    CU_ASSERT_PTR_NOT_NULL(strstr(best->name, "), KS 0.0"));
    CU_ASSERT_EQUAL(figure_panel_at(g_ptr_array_index(figures, 0), 0)->series->len,
                    1 + FIT_FAMILIES);
    /* The best lies near what was measured, in the tail too. */
    for (guint i = 0; i < measured->points->len; i++) {
        const FigurePoint *point = &figure_points(measured)[i];
        double nearest = 1;

        for (guint j = 0; j < best->points->len; j++) {
            const FigurePoint *fitted = &figure_points(best)[j];

            nearest = fmin(nearest, hypot(log(fitted->x / point->x) / 10, fitted->y - point->y));
        }
        CU_ASSERT(point->y < 0.01 || nearest < 0.05);
    }
    remove_tree(dir);
}

static void few_spans_have_no_fit_and_no_figure(void)
{
    g_autofree char *dir = replayed_results(4, 1);
    char *dirs[] = {dir};

    CU_ASSERT_PTR_NULL(figures_of(dirs, 1, "fit"));
    remove_tree(dir);
}

static void several_replays_of_one_trace_stand_beside_it_once(void)
{
    g_autofree char *near = replayed_results(50, 1), *far = replayed_results(50, 1);
    char *dirs[] = {near, far};
    g_autoptr(GPtrArray) setup = figures_of(dirs, 2, "replay-setup");
    g_autoptr(GPtrArray) fits = figures_of(dirs, 2, "fit-interarrival*");

    CU_ASSERT_PTR_NOT_NULL_FATAL(setup);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fits);
    CU_ASSERT_EQUAL(figure_panel_at(g_ptr_array_index(setup, 0), 0)->series->len, 3);
    CU_ASSERT(g_str_has_prefix(series_in(setup, 0, 0)->name, "trace: "));
    CU_ASSERT_EQUAL(fits->len, 1);
    remove_tree(near);
    remove_tree(far);
}

static void replays_of_different_traces_are_told_apart(void)
{
    g_autofree char *near = replayed_results(50, 1), *far = replayed_results(60, 1);
    char *dirs[] = {near, far};
    g_autoptr(GPtrArray) setup = figures_of(dirs, 2, "replay-setup");
    g_autoptr(GPtrArray) fits = figures_of(dirs, 2, "fit-interarrival*");
    const FigureSeries *one, *other;

    CU_ASSERT_PTR_NOT_NULL_FATAL(setup);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fits);
    CU_ASSERT_EQUAL(figure_panel_at(g_ptr_array_index(setup, 0), 0)->series->len, 4);
    one = series_in(setup, 0, 0);
    other = series_in(setup, 0, 2);
    CU_ASSERT(g_str_has_prefix(one->name, "trace, peal-replayed-"));
    CU_ASSERT_STRING_EQUAL(look_colour(one->look), look_colour(other->look));
    CU_ASSERT_NOT_EQUAL(one->look, other->look);
    CU_ASSERT_EQUAL(fits->len, 2);
    remove_tree(near);
    remove_tree(far);
}

static void figures_of_one_call_can_be_drawn(void)
{
    g_autofree char *dir = NULL, *out = NULL;
    g_autoptr(GPtrArray) figures = NULL;
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    GError *error = NULL;

    if (!gnuplot_check("", NULL)) {
        PEAL_SKIP("needs gnuplot");
    }
    dir = replayed_results(1, 1);
    out = g_build_filename(dir, "plots", NULL);
    figures = figures_of(&dir, 1, "replay-*");
    CU_ASSERT_PTR_NOT_NULL_FATAL(figures);
    CU_ASSERT_EQUAL(figures->len, 3);
    CU_ASSERT(gnuplot_draw(out, figures, files, &error));
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_EQUAL(files->len, 12);
    remove_tree(dir);
}

PEAL_TEST_MAIN("analysis/figure_replay",
               PEAL_TEST(setup_is_a_curve_for_the_trace_and_one_for_the_overlay),
               PEAL_TEST(answers_are_bars_side_by_side_with_their_numbers),
               PEAL_TEST(delays_of_many_calls_are_those_of_some),
               PEAL_TEST(fits_are_drawn_with_the_best_first),
               PEAL_TEST(few_spans_have_no_fit_and_no_figure),
               PEAL_TEST(several_replays_of_one_trace_stand_beside_it_once),
               PEAL_TEST(replays_of_different_traces_are_told_apart),
               PEAL_TEST(figures_of_one_call_can_be_drawn))
