/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * swept.c - a quantity against a swept key, the other swept keys as lines.
 */
#include "figure/swept.h"

#include "figure/look.h"
#include "figure/table.h"

#include <analysis/results.h>
#include <math.h>
#include <string.h>

/* A span that a factor this large parts is seen better on a logarithmic axis. */
#define LOG_FROM 20

guint64 swept_bound(const Cases *cases, guint key)
{
    guint64 bound = 0;

    for (guint i = 0; i < MIN(cases->keys->len, 64); i++) {
        if (i == key || cases_follows(cases, i, key)) {
            bound |= G_GUINT64_CONSTANT(1) << i;
        }
    }
    return bound;
}

enum { TICKS_MAX = 9 };

/* The values themselves as ticks, if there are few and each has room for its text. */
static void tick_values(const CasesKey *key, FigureAxis *axis)
{
    const double *numbers = cases_doubles(key->numbers);
    guint len = key->numbers->len;
    bool log = axis->scale == FIGURE_LOG;
    double span = log ? numbers[len - 1] / numbers[0] : numbers[len - 1] - numbers[0];

    for (guint i = 1; i < len; i++) {
        double step = log ? log2(numbers[i] / numbers[i - 1]) / log2(span)
                          : (numbers[i] - numbers[i - 1]) / span;

        if (len > TICKS_MAX || step < 0.06) {
            return;
        }
    }
    for (guint i = 0; i < len; i++) {
        const char *text = (const char *)g_ptr_array_index(key->values, i) + key->head;
        g_autofree char *number =
            g_strndup(text, strlen(text) - (key->head > 0 && g_str_has_suffix(text, ")")));

        figure_axis_tick(axis, numbers[i], number);
    }
}

void swept_axis(const CasesKey *key, FigureAxis *axis)
{
    const char *name = cases_key_name(key->name);
    double least, greatest;

    figure_axis_init(axis, name, "");
    if (!key->numeric) {
        for (guint i = 0; i < key->values->len; i++) {
            figure_axis_tick(axis, i, g_ptr_array_index(key->values, i));
        }
        axis->from = -0.5;
        axis->to = key->values->len - 0.5;
        return;
    }
    least = cases_doubles(key->numbers)[0];
    greatest = cases_doubles(key->numbers)[key->numbers->len - 1];
    axis->scale = least > 0 && greatest >= LOG_FROM * least && key->numbers->len > 2
                      ? FIGURE_LOG
                      : FIGURE_LINEAR;
    tick_values(key, axis);
    if (key->head > 0) {
        const char *first = g_ptr_array_index(key->values, 0);

        g_free(axis->label);
        axis->label = g_strdup_printf("%s: %.*s...%s", name, (int)key->head, first,
                                      g_str_has_suffix(first, ")") ? ")" : "");
    }
    if (axis->ticks->len == 0 && *key->unit != '\0') {
        g_autofree char *label = axis->label;

        axis->label = g_strdup_printf("%s (%s)", label, key->unit);
    }
}

double swept_position(const Cases *cases, const Case *one, guint key)
{
    int value = cases_value(cases, one, key);

    if (value < 0) {
        return NAN;
    }
    return cases_key(cases, key)->numeric ? cases_doubles(cases_key(cases, key)->numbers)[value]
                                          : value;
}

static FigureSeries *need_line(FigurePanel *panel, GPtrArray *groups, const char *group,
                               bool numeric)
{
    guint index;
    FigureSeries *series;

    if (g_ptr_array_find_with_equal_func(groups, group, g_str_equal, &index)) {
        return figure_series_at(panel, index);
    }
    series = figure_series(panel, *group != '\0' ? group : NULL,
                           numeric ? FIGURE_MARKED : FIGURE_MARKS, groups->len);
    g_ptr_array_add(groups, g_strdup(group));
    return series;
}

static int by_x(const void *a, const void *b)
{
    double one = ((const FigurePoint *)a)->x, other = ((const FigurePoint *)b)->x;

    return (one > other) - (one < other);
}

static void set_y(FigurePanel *panel, const Quantity *quantity)
{
    double least, greatest;

    if (!figure_span_y(panel, &least, &greatest)) {
        return;
    }
    if (strcmp(quantity->unit, " %") == 0) {
        panel->y.from = fmax(0, fmin(95, floor(least)));
        panel->y.to = 100 + (100 - panel->y.from) * 0.03; /* an interval may reach beyond */
    } else if (least > 0 && greatest >= LOG_FROM * least) {
        panel->y.scale = FIGURE_LOG;
    } else if (least >= 0) {
        panel->y.from = 0;
    }
}

/* Marks of several lines at one name would hide one another: they stand side by side. */
static void spread_names(FigurePanel *panel)
{
    double step = 0.5 / panel->series->len;

    for (guint i = 0; i < panel->series->len; i++) {
        GArray *points = figure_series_at(panel, i)->points;

        for (guint j = 0; j < points->len; j++) {
            g_array_index(points, FigurePoint, j).x +=
                step * ((double)i - (panel->series->len - 1) / 2.0);
        }
    }
}

static bool fill(const Cases *cases, guint key, const Quantity *quantity, Figure *figure,
                 GError **error)
{
    guint64 bound = swept_bound(cases, key);
    FigurePanel *panel = figure_panel(figure, quantity->label, quantity->unit);
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(g_free);
    bool numeric = cases_key(cases, key)->numeric;

    figure->key_title = cases_brief_title(cases, bound);
    swept_axis(cases_key(cases, key), &figure->x);
    for (guint i = 0; i < cases->cases->len; i++) {
        const Case *one = cases_at(cases, i);
        g_autofree char *group = cases_brief(cases, one, bound);
        StatsMean mean;

        if (!quantity_mean(quantity, one, &mean, error)) {
            return false;
        }
        figure_mean(need_line(panel, groups, group, numeric), swept_position(cases, one, key),
                    &mean, 1);
    }
    for (guint i = 0; i < panel->series->len; i++) {
        g_array_sort(figure_series_at(panel, i)->points, by_x);
    }
    if (!numeric) {
        spread_names(panel);
    }
    set_y(panel, quantity);
    return true;
}

/* More lines than there are looks say nothing. */
static bool is_readable(const Figure *figure)
{
    return figure_panel_at(figure, 0)->series->len <= LOOK_MAX;
}

static bool add_swept(const Cases *cases, guint key, const Quantity *quantity, bool named,
                      GPtrArray *figures, GError **error)
{
    const char *key_name = cases_key_name(cases_key(cases, key)->name);
    g_autofree char *name = named ? g_strdup_printf("swept-%s-%s", quantity->name, key_name)
                                  : g_strdup_printf("swept-%s", quantity->name);
    g_autofree char *title = g_strdup_printf("%s against %s", quantity->title, key_name);
    g_autoptr(Figure) figure = NULL;

    title[0] = g_ascii_toupper(title[0]);
    figure = figure_new(name, title,
                        "Means over replications with their 95 % intervals; a line for each value "
                        "of the other swept keys.");
    figure->key = FIGURE_KEY_ABOVE;
    if (!fill(cases, key, quantity, figure, error)) {
        return false;
    }
    if (is_readable(figure)) {
        g_ptr_array_add(figures, g_steal_pointer(&figure));
    }
    return true;
}

/* The keys that make an axis: those with numbers in three values or more; of none such, the one
 * with the most values, numbers first. */
static guint64 axis_keys(const Cases *cases)
{
    guint64 axes = 0;
    int best = -1;
    guint best_score = 0;

    for (guint i = 0; i < MIN(cases->keys->len, 64); i++) {
        const CasesKey *key = cases_key(cases, i);
        guint score = key->values->len < 2 ? 0 : key->values->len + (key->numeric ? 1000 : 0);
        bool follows = false;

        for (guint j = 0; j < i; j++) {
            follows = follows || (cases_follows(cases, i, j) && cases_follows(cases, j, i));
        }
        if (follows) {
            continue; /* the key that it was swept with stands for both */
        }
        if (key->numeric && key->values->len > 2) {
            axes |= G_GUINT64_CONSTANT(1) << i;
        }
        if (score > best_score) {
            best = (int)i;
            best_score = score;
        }
    }
    return axes != 0 || best < 0 ? axes : G_GUINT64_CONSTANT(1) << best;
}

/* Those that scaling.c draws against the number of peers. */
static bool is_shown_by_scaling(const CasesKey *key, const Quantity *quantity)
{
    static const char *const names[] = {"hops", "latency", "messages", NULL};

    return strcmp(key->name, CASES_PEERS_KEY) == 0 && g_strv_contains(names, quantity->name);
}

static bool add_quantity(const Cases *cases, const Quantity *quantity, GPtrArray *figures,
                         GError **error)
{
    guint64 axes = axis_keys(cases);
    bool several = (axes & (axes - 1)) != 0;

    for (guint i = 0; i < MIN(cases->keys->len, 64); i++) {
        if ((axes & G_GUINT64_CONSTANT(1) << i) != 0 &&
            !is_shown_by_scaling(cases_key(cases, i), quantity) &&
            !add_swept(cases, i, quantity, several, figures, error)) {
            return false;
        }
    }
    return true;
}

bool figures_swept(const Cases *cases, GPtrArray *figures, GError **error)
{
    const Quantity *quantity;

    for (size_t i = 0; (quantity = quantity_at(i)) != NULL; i++) {
        if (!add_quantity(cases, quantity, figures, error)) {
            return false;
        }
    }
    return true;
}

static bool has_figure(const Cases *cases, const char *name, bool *ret_has, GError **error)
{
    for (guint i = 0; i < cases->cases->len; i++) {
        g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));

        if (!case_observe(cases_at(cases, i),
                          "SELECT value FROM figures f JOIN replications r ON r.id ="
                          " f.replication_id WHERE r.point = ?1 AND f.name = ?2",
                          name, values, error)) {
            return false;
        }
        if (values->len > 0) {
            *ret_has = true;
            return true;
        }
    }
    *ret_has = false;
    return true;
}

bool figures_quantity(const Cases *cases, const char *name, GPtrArray *figures, GError **error)
{
    const CasesRun *run = g_ptr_array_index(cases->runs, 0);
    const Quantity quantity = {
        .name = name, .label = name, .title = name, .unit = "", .figure = name, .factor = 1};
    bool has;

    if (!has_figure(cases, name, &has, error)) {
        return false;
    }
    if (!has) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "the results in %s have no figure '%s'; their names are those in summary.json, "
                    "such as lookups.hops",
                    run->dir, name);
        return false;
    }
    if (axis_keys(cases) == 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "%s holds no sweep to draw '%s' against; give several directories, or run a "
                    "scenario with [sweep]",
                    run->dir, name);
        return false;
    }
    return add_quantity(cases, &quantity, figures, error);
}
