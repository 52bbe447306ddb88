/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fits.c - spans of a replayed trace, with the distributions that were fitted to them.
 */
#include "figure/table.h"
#include "figure/trace.h"

#include <analysis/fit.h>
#include <math.h>
#include <string.h>

/* What is fitted, as results.db names it. */
static const struct {
    const char *quantity;
    const char *title;
    const char *about;
    const char *label;
} LOOKS[] = {
    {"interarrival", "Time between the trace's calls",
     "Time from one call's INVITE to the next one's, of all users together.",
     "Time between two calls (s)"},
    {"holding", "Duration of the trace's calls",
     "Time from a call's answer to its BYE, of those that have both.", "Duration of a call (s)"},
    {"registration", "Time between a user's registrations in the trace",
     "Time from one registration of a user to the user's next one, none of which takes away.",
     "Time between two registrations of a user (s)"},
};

static const char ABOUT[] =
    " Above the share of those that are as long or shorter, below the share of those that are "
    "longer, on logarithmic axes. Distributions are fitted by maximum likelihood; the solid one is "
    "the best by BIC, KS the greatest distance between it and what was measured.";

enum { CURVE_POINTS = 200, MEASURED_LOOK = 6 };

/* Where x begins: shorter spans are a flat line that would push the rest together. */
#define SHARE_LEFT_OUT 0.005

typedef struct Fits {
    FitOne of[FIT_FAMILIES];
    int best;
    gint64 n;
} Fits;

static double number_at(sqlite3_stmt *query, int column)
{
    return sqlite3_column_type(query, column) == SQLITE_NULL ? NAN
                                                             : sqlite3_column_double(query, column);
}

static bool read_fits(const Case *one, const char *quantity, Fits *ret_fits, GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(
        one, "SELECT family, a, b, ks, best, n FROM trace_fits WHERE point = ?1 AND quantity = ?2",
        quantity, error);
    GError *failure = NULL;

    *ret_fits = (Fits){.best = -1};
    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        const char *name = (const char *)sqlite3_column_text(query, 0);

        for (int i = 0; i < FIT_FAMILIES; i++) {
            FitOne *fit = &ret_fits->of[i];

            if (strcmp(fit_family_name((FitFamily)i), name) == 0) {
                *fit = (FitOne){.a = number_at(query, 1),
                                .b = number_at(query, 2),
                                .ks = number_at(query, 3)};
                fit->known = isfinite(fit->a);
                ret_fits->best = sqlite3_column_int(query, 4) ? i : ret_fits->best;
            }
        }
        ret_fits->n = sqlite3_column_int64(query, 5);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* The two panels: shares up to a span, and beyond it. */
typedef struct Panels {
    FigurePanel *up_to;
    FigurePanel *beyond;
    double least; /* spans that are drawn */
    double greatest;
} Panels;

static bool add_measured(Panels *panels, const Case *one, const char *quantity, gint64 n,
                         GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(
        one,
        "SELECT span_s, share FROM trace_spans WHERE point = ?1 AND quantity = ?2 ORDER BY span_s",
        quantity, error);
    g_autofree char *name = g_strdup_printf("measured, %" G_GINT64_FORMAT " spans", n);
    FigureSeries *up_to, *beyond;
    GError *failure = NULL;
    double rest = 1;

    if (query == NULL) {
        return false;
    }
    up_to = figure_series(panels->up_to, name, FIGURE_STEPS, MEASURED_LOOK);
    beyond = figure_series(panels->beyond, NULL, FIGURE_STEPS, MEASURED_LOOK);
    up_to->group = g_strdup("measured");
    beyond->group = g_strdup(name);
    while (database_next(query, &failure)) {
        double span = sqlite3_column_double(query, 0), share = sqlite3_column_double(query, 1);

        if (up_to->points->len == 0 || share <= SHARE_LEFT_OUT) {
            panels->least = span;
        }
        panels->greatest = span;
        figure_point(up_to, (FigurePoint){span, share, NAN, NAN});
        /* The last one has nothing beyond it, for which a logarithm has no place. */
        rest = 1 - share > 0 ? 1 - share : rest;
        figure_point(beyond, (FigurePoint){span, rest, NAN, NAN});
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static void add_fit(Panels *panels, FitFamily family, const FitOne *fit, bool best, unsigned look)
{
    g_autofree char *text = fit_text(family, fit);
    g_autofree char *name = g_strdup_printf("%s%s, KS %.3f", best ? "best: " : "", text, fit->ks);
    FigureSeries *up_to = figure_series(panels->up_to, name, FIGURE_LINE, look);
    FigureSeries *beyond = figure_series(panels->beyond, NULL, FIGURE_LINE, look);

    beyond->group = g_strdup(name);
    for (int i = 0; i <= CURVE_POINTS; i++) {
        double x = panels->least * pow(panels->greatest / panels->least, i / (double)CURVE_POINTS);
        double share = fit_cdf(family, fit, x);

        figure_point(up_to, (FigurePoint){x, share, NAN, NAN});
        if (1 - share > 0) {
            figure_point(beyond, (FigurePoint){x, 1 - share, NAN, NAN});
        }
    }
}

/* The tail is drawn down to its last span, however far below a fit goes. */
static void set_ranges(Figure *figure, const Panels *panels, gint64 n)
{
    double room = pow(panels->greatest / panels->least, 0.03);

    figure->x.scale = FIGURE_LOG;
    figure->x.from = panels->least / room;
    figure->x.to = panels->greatest * room;
    panels->up_to->y.from = 0;
    panels->up_to->y.to = 1.02;
    panels->beyond->y.scale = FIGURE_LOG;
    panels->beyond->y.from = 0.5 / (double)n;
    panels->beyond->y.to = 1.3;
    for (int decade = 0; decade >= (int)ceil(log10(panels->beyond->y.from)); decade--) {
        g_autofree char *text = g_strdup_printf("%g", pow(10, decade));

        figure_axis_tick(&panels->beyond->y, pow(10, decade), text);
    }
}

static bool add_figure(const Case *one, const CaseTrace *trace, size_t which, const char *suffix,
                       GPtrArray *figures, GError **error)
{
    g_autofree char *label = trace_label(trace, LOOKS[which].label);
    g_autofree char *name = g_strconcat("fit-", LOOKS[which].quantity, suffix, NULL);
    g_autofree char *about = g_strconcat(LOOKS[which].about, ABOUT, NULL);
    g_autoptr(Figure) figure = figure_new(name, LOOKS[which].title, about);
    Panels panels = {figure_panel(figure, "Share of them ≤ x", ""),
                     figure_panel(figure, "Share of them > x", ""), 0, 0};
    unsigned look = 0;
    Fits fits;

    if (!read_fits(one, LOOKS[which].quantity, &fits, error)) {
        return false;
    }
    if (fits.best < 0) {
        return true;
    }
    if (!add_measured(&panels, one, LOOKS[which].quantity, fits.n, error)) {
        return false;
    }
    figure_axis_init(&figure->x, label, " s");
    figure->key = FIGURE_KEY_ABOVE;
    add_fit(&panels, (FitFamily)fits.best, &fits.of[fits.best], true, look++);
    for (int i = 0; i < FIT_FAMILIES; i++) {
        if (i != fits.best && fits.of[i].known) {
            add_fit(&panels, (FitFamily)i, &fits.of[i], false, look++);
        }
    }
    set_ranges(figure, &panels, fits.n);
    g_ptr_array_add(figures, g_steal_pointer(&figure));
    return true;
}

/* The figures of a case's trace; the suffix tells it from others. */
static bool add_trace(const Case *one, const CaseTrace *trace, const char *suffix,
                      const char *subject, GPtrArray *figures, GError **error)
{
    guint before = figures->len;

    for (size_t i = 0; i < G_N_ELEMENTS(LOOKS); i++) {
        if (!add_figure(one, trace, i, suffix, figures, error)) {
            return false;
        }
    }
    for (guint i = before; i < figures->len; i++) {
        ((Figure *)g_ptr_array_index(figures, i))->subject = g_strdup(subject);
    }
    return true;
}

/* Each trace once, however many points replay it. */
bool figures_fits(const Cases *cases, GPtrArray *figures, GError **error)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < cases->cases->len; i++) {
        const Case *one = cases_at(cases, i);
        g_autofree char *suffix = NULL, *source = NULL;
        g_auto(CaseTrace) trace = {0};

        if (!case_trace(one, &trace, error)) {
            return false;
        }
        if (trace.source == NULL || g_hash_table_contains(seen, trace.key)) {
            continue;
        }
        suffix = g_hash_table_size(seen) > 0 ? g_strdup_printf("-%u", g_hash_table_size(seen) + 1)
                                             : g_strdup("");
        g_hash_table_add(seen, g_strdup(trace.key));
        source = cases->cases->len > 1 ? g_path_get_basename(trace.source) : NULL;
        if (!add_trace(one, &trace, suffix, source, figures, error)) {
            return false;
        }
    }
    return true;
}
