/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_figure.c - what figures are made of: hulls, Lorenz curves, colours, the model.
 */
#include "figure/figure.h"
#include "figure/hull.h"
#include "figure/look.h"
#include "figure/lorenz.h"

#include <math.h>
#include <peal_test.h>

static void hull_keeps_what_is_not_beaten_on_both_sides(void)
{
    HullPoint points[] = {{5, 1, 0}, {1, 9, 1}, {2, 4, 2},  {3, 3.5, 3},
                          {4, 5, 4}, {9, 1, 5}, {1, 12, 6}, {2.5, 3, 7}};
    static const size_t corners[] = {1, 2, 7, 0};
    size_t len = hull_lower_left(points, G_N_ELEMENTS(points));

    CU_ASSERT_EQUAL_FATAL(len, G_N_ELEMENTS(corners));
    for (size_t i = 0; i < len; i++) {
        CU_ASSERT_EQUAL(points[i].index, corners[i]);
    }
}

/* Each point lies on or above the hull, by brute force over random points. */
static void hull_lies_below_all_points(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(7);

    for (unsigned round = 0; round < 200; round++) {
        HullPoint points[40], all[40];
        size_t len = 1 + (size_t)g_rand_int_range(random, 0, 40), corners;

        for (size_t i = 0; i < len; i++) {
            all[i] = points[i] =
                (HullPoint){g_rand_int_range(random, 0, 12), g_rand_int_range(random, 0, 12), i};
        }
        corners = hull_lower_left(points, len);
        CU_ASSERT_FATAL(corners > 0);
        for (size_t i = 0; i < len; i++) {
            for (size_t j = 0; j + 1 < corners; j++) {
                const HullPoint *a = &points[j], *b = &points[j + 1];
                double line = a->y + (b->y - a->y) * (all[i].x - a->x) / (b->x - a->x);

                CU_ASSERT(all[i].x < a->x || all[i].x > b->x || all[i].y >= line - 1e-9);
            }
            CU_ASSERT(all[i].y >= points[corners - 1].y);
            CU_ASSERT(all[i].x >= points[0].x);
        }
    }
}

static void hull_of_one_point_is_the_point_and_of_none_is_nothing(void)
{
    HullPoint point = {3, 4, 0};

    CU_ASSERT_EQUAL(hull_lower_left(&point, 1), 1);
    CU_ASSERT_EQUAL(hull_lower_left(&point, 0), 0);
}

static void lorenz_of_equal_loads_is_the_diagonal(void)
{
    const double loads[] = {4, 4, 4, 4, 4};
    double shares[LORENZ_STEPS + 1], gini;

    CU_ASSERT_FATAL(lorenz_curve(loads, G_N_ELEMENTS(loads), shares, &gini));
    CU_ASSERT_DOUBLE_EQUAL(gini, 0, 1e-12);
    for (unsigned i = 0; i <= LORENZ_STEPS; i++) {
        CU_ASSERT_DOUBLE_EQUAL(shares[i], (double)i / LORENZ_STEPS, 1e-12);
    }
}

/* Of 1, 2, 3, 4 the Gini coefficient is 0.25: the mean difference 5/4 over twice the mean 5/2. */
static void lorenz_gives_the_coefficient_of_a_known_sample(void)
{
    const double loads[] = {1, 2, 3, 4}, one[] = {0, 0, 0, 8};
    double shares[LORENZ_STEPS + 1], gini;

    CU_ASSERT_FATAL(lorenz_curve(loads, 4, shares, &gini));
    CU_ASSERT_DOUBLE_EQUAL(gini, 0.25, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(shares[50], 0.3, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(shares[75], 0.6, 1e-12);
    CU_ASSERT_FATAL(lorenz_curve(one, 4, shares, &gini));
    CU_ASSERT_DOUBLE_EQUAL(gini, 0.75, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(shares[75], 0, 1e-12);
    CU_ASSERT_DOUBLE_EQUAL(shares[100], 1, 1e-12);
}

static void lorenz_of_nothing_is_refused(void)
{
    const double idle[] = {0, 0};
    double shares[LORENZ_STEPS + 1], gini;

    CU_ASSERT_FALSE(lorenz_curve(NULL, 0, shares, &gini));
    CU_ASSERT_FALSE(lorenz_curve(idle, 2, shares, &gini));
}

static void heat_colours_grow_brighter_from_end_to_end(void)
{
    double last = -1;

    for (unsigned i = 0; i <= 1000; i++) {
        double luminance = look_luminance(look_heat(i / 1000.0));

        CU_ASSERT(luminance > last);
        last = luminance;
    }
    CU_ASSERT(look_luminance(look_heat(0)) < 0.03);
    CU_ASSERT(last > 0.75);
    CU_ASSERT_EQUAL(look_luminance(look_heat(-1)), look_luminance(look_heat(0)));
    CU_ASSERT_EQUAL(look_luminance(look_heat(7)), look_luminance(look_heat(1)));
}

static void lines_of_one_colour_differ_in_their_dashes(void)
{
    for (unsigned i = 0; i < LOOK_MAX; i++) {
        for (unsigned j = i + 1; j < LOOK_MAX; j++) {
            size_t a, b;
            const double *one = look_dash(i, &a), *other = look_dash(j, &b);

            CU_ASSERT(strcmp(look_colour(i), look_colour(j)) != 0 || a != b || one != other);
        }
    }
}

static void points_without_a_place_are_left_out(void)
{
    g_autoptr(Figure) figure = figure_new("name", "title", "about");
    FigurePanel *panel = figure_panel(figure, "y", "");
    FigureSeries *series = figure_series(panel, "s", FIGURE_LINE, 0);
    double least, greatest;

    CU_ASSERT(figure_is_empty(figure));
    CU_ASSERT_FALSE(figure_span_y(panel, &least, &greatest));
    figure_point(series, (FigurePoint){NAN, 1, NAN, NAN});
    figure_point(series, (FigurePoint){1, INFINITY, NAN, NAN});
    CU_ASSERT(figure_is_empty(figure));
    figure_point(series, (FigurePoint){1, 5, 3, 8});
    CU_ASSERT_FALSE(figure_is_empty(figure));
    CU_ASSERT(figure_span_y(panel, &least, &greatest));
    CU_ASSERT_EQUAL(least, 3);
    CU_ASSERT_EQUAL(greatest, 8);
}

PEAL_TEST_MAIN("analysis/figure", PEAL_TEST(hull_keeps_what_is_not_beaten_on_both_sides),
               PEAL_TEST(hull_lies_below_all_points),
               PEAL_TEST(hull_of_one_point_is_the_point_and_of_none_is_nothing),
               PEAL_TEST(lorenz_of_equal_loads_is_the_diagonal),
               PEAL_TEST(lorenz_gives_the_coefficient_of_a_known_sample),
               PEAL_TEST(lorenz_of_nothing_is_refused),
               PEAL_TEST(heat_colours_grow_brighter_from_end_to_end),
               PEAL_TEST(lines_of_one_colour_differ_in_their_dashes),
               PEAL_TEST(points_without_a_place_are_left_out))
