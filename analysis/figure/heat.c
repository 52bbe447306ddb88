/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * heat.c - a quantity over two swept keys, as a heat map for each value of the others.
 */
#include "figure/swept.h"
#include "figure/table.h"

#include <math.h>
#include <string.h>

enum { MAPS_MAX = 6 };

static guint64 bit(guint i)
{
    return i < 64 ? G_GUINT64_CONSTANT(1) << i : 0;
}

/* The two keys with the most values of which neither settles the other. */
static bool choose_keys(const Cases *cases, guint *ret_x, guint *ret_y)
{
    guint best = 0;

    for (guint i = 0; i < cases->keys->len; i++) {
        for (guint j = 0; j < cases->keys->len; j++) {
            guint columns = cases_key(cases, i)->values->len;
            guint rows = cases_key(cases, j)->values->len;

            if (i != j && columns > 1 && rows > 1 && columns >= rows && columns * rows > best &&
                !cases_follows(cases, i, j) && !cases_follows(cases, j, i)) {
                best = columns * rows;
                *ret_x = i;
                *ret_y = j;
            }
        }
    }
    return best > 0;
}

static void copy_names(const CasesKey *key, GPtrArray *names)
{
    for (guint i = 0; i < key->values->len; i++) {
        g_ptr_array_add(names, g_strdup(g_ptr_array_index(key->values, i)));
    }
}

static Figure *new_map(const Cases *cases, const guint keys[2], const Quantity *quantity,
                       const char *group, guint number)
{
    const CasesKey *x = cases_key(cases, keys[0]), *y = cases_key(cases, keys[1]);
    g_autofree char *name = number == 0 ? g_strdup_printf("heat-%s", quantity->name)
                                        : g_strdup_printf("heat-%s-%u", quantity->name, number);
    g_autofree char *title = g_strdup_printf("%s over %s and %s", quantity->title,
                                             cases_key_name(x->name), cases_key_name(y->name));
    Figure *figure;
    FigureGrid *grid = g_new0(FigureGrid, 1);

    title[0] = g_ascii_toupper(title[0]);
    figure = figure_new(name, title, "Each cell is a mean over replications.");
    figure->subject = *group != '\0' ? g_strdup(group) : NULL;
    figure->grid = grid;
    figure_axis_init(&figure->x, cases_key_name(x->name), "");
    grid->row_label = g_strdup(cases_key_name(y->name));
    grid->columns = g_ptr_array_new_with_free_func(g_free);
    grid->rows = g_ptr_array_new_with_free_func(g_free);
    grid->cells = g_array_new(FALSE, FALSE, sizeof(FigurePoint));
    grid->label = g_strdup(quantity->label);
    grid->unit = quantity->unit;
    copy_names(x, grid->columns);
    copy_names(y, grid->rows);
    for (guint i = 0; i < grid->columns->len * grid->rows->len; i++) {
        FigurePoint nothing = {i % grid->columns->len, NAN, NAN, NAN};

        g_array_append_val(grid->cells, nothing);
    }
    return figure;
}

static bool fill_map(const Cases *cases, const guint keys[2], const Quantity *quantity,
                     const char *group, Figure *figure, GError **error)
{
    for (guint i = 0; i < cases->cases->len; i++) {
        const Case *one = cases_at(cases, i);
        g_autofree char *own = cases_group(cases, one, bit(keys[0]) | bit(keys[1]));
        int column = cases_value(cases, one, keys[0]), row = cases_value(cases, one, keys[1]);
        StatsMean mean;

        if (strcmp(own, group) != 0 || column < 0 || row < 0) {
            continue;
        }
        if (!quantity_mean(quantity, one, &mean, error)) {
            return false;
        }
        g_array_index(figure->grid->cells, FigurePoint,
                      (guint)row * figure->grid->columns->len + (guint)column) =
            (FigurePoint){column, mean.mean, mean.has_interval ? mean.ci95.low : NAN,
                          mean.has_interval ? mean.ci95.high : NAN};
    }
    return true;
}

static bool add_maps(const Cases *cases, const guint keys[2], const Quantity *quantity,
                     GPtrArray *figures, GError **error)
{
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < cases->cases->len; i++) {
        g_autofree char *group =
            cases_group(cases, cases_at(cases, i), bit(keys[0]) | bit(keys[1]));

        if (!g_ptr_array_find_with_equal_func(groups, group, g_str_equal, NULL)) {
            g_ptr_array_add(groups, g_steal_pointer(&group));
        }
    }
    for (guint i = 0; i < MIN(groups->len, MAPS_MAX); i++) {
        const char *group = g_ptr_array_index(groups, i);
        Figure *figure = new_map(cases, keys, quantity, group, groups->len > 1 ? i + 1 : 0);

        g_ptr_array_add(figures, figure);
        if (!fill_map(cases, keys, quantity, group, figure, error)) {
            return false;
        }
    }
    return true;
}

bool figures_heat(const Cases *cases, GPtrArray *figures, GError **error)
{
    static const char *const names[] = {"success", "calls", "latency"};
    guint keys[2];

    if (!choose_keys(cases, &keys[0], &keys[1])) {
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!add_maps(cases, keys, quantity_find(names[i]), figures, error)) {
            return false;
        }
    }
    return true;
}
