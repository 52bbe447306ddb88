/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lorenz.c - how evenly the load is shared: the Lorenz curve and the Gini coefficient of the
 * messages delivered to each peer.
 * Source: Lorenz, Publications of the American Statistical Association 9 (1905); Gini's coefficient
 *         of a sorted sample as in Dorfman, Review of Economics and Statistics 61 (1979).
 */
#include "figure/lorenz.h"

#include "figure/table.h"

#include <math.h>

enum { CURVES_MAX = 8 };

bool lorenz_curve(const double *loads, size_t len, double ret_shares[LORENZ_STEPS + 1],
                  double *ret_gini)
{
    double total = 0, weighted = 0, below = 0;
    size_t taken = 0;

    for (size_t i = 0; i < len; i++) {
        total += loads[i];
        weighted += (double)(i + 1) * loads[i];
    }
    if (len < 2 || !(total > 0)) {
        return false;
    }
    for (unsigned step = 0; step <= LORENZ_STEPS; step++) {
        double reach = (double)len * step / LORENZ_STEPS;

        while (taken < len && (double)(taken + 1) <= reach) {
            below += loads[taken++];
        }
        /* Between two peers the curve is straight. */
        ret_shares[step] =
            (below + (taken < len ? (reach - (double)taken) * loads[taken] : 0)) / total;
    }
    *ret_gini = (2 * weighted / total - ((double)len + 1)) / (double)len;
    return true;
}

typedef struct Shares {
    GArray *at[LORENZ_STEPS + 1]; /* of each replication */
    GArray *gini;
} Shares;

static void add_shares(Shares *shares, const GArray *loads)
{
    double curve[LORENZ_STEPS + 1], gini;

    if (lorenz_curve(cases_doubles(loads), loads->len, curve, &gini)) {
        for (unsigned i = 0; i <= LORENZ_STEPS; i++) {
            g_array_append_val(shares->at[i], curve[i]);
        }
        g_array_append_val(shares->gini, gini);
    }
}

/* Each replication has a curve of its own, so that their mean has an interval. */
static bool read_shares(const Case *one, Shares *shares, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        case_query(one,
                   "SELECT r.id, p.messages FROM peers p JOIN replications r"
                   " ON r.id = p.replication_id WHERE r.point = ?1 ORDER BY r.id, p.messages",
                   NULL, error);
    g_autoptr(GArray) loads = g_array_new(FALSE, FALSE, sizeof(double));
    gint64 replication = -1;
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        gint64 id = sqlite3_column_int64(query, 0);
        double load = sqlite3_column_double(query, 1);

        if (id != replication) {
            add_shares(shares, loads);
            g_array_set_size(loads, 0);
            replication = id;
        }
        g_array_append_val(loads, load);
    }
    add_shares(shares, loads);
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static void add_curve(FigurePanel *panel, const Case *one, const Shares *shares)
{
    StatsMean gini = stats_mean(cases_doubles(shares->gini), shares->gini->len);
    g_autoptr(GString) name = g_string_new(one->brief);
    FigureSeries *series;

    g_string_append_printf(name, "%sGini %.3f", name->len > 0 ? ": " : "", gini.mean);
    if (gini.has_interval) {
        g_string_append_printf(name, " [%.3f, %.3f]", gini.ci95.low, gini.ci95.high);
    }
    series = figure_series(panel, name->str, FIGURE_LINE, panel->series->len - 1);
    for (unsigned i = 0; i <= LORENZ_STEPS; i++) {
        StatsMean mean = stats_mean(cases_doubles(shares->at[i]), shares->at[i]->len);

        figure_mean(series, 100.0 * i / LORENZ_STEPS, &mean, 100);
    }
}

static bool add_case(FigurePanel *panel, const Case *one, GError **error)
{
    Shares shares = {.gini = g_array_new(FALSE, FALSE, sizeof(double))};
    bool read;

    for (unsigned i = 0; i <= LORENZ_STEPS; i++) {
        shares.at[i] = g_array_new(FALSE, FALSE, sizeof(double));
    }
    read = read_shares(one, &shares, error);
    if (read && shares.gini->len > 0) {
        add_curve(panel, one, &shares);
    }
    for (unsigned i = 0; i <= LORENZ_STEPS; i++) {
        g_array_unref(shares.at[i]);
    }
    g_array_unref(shares.gini);
    return read;
}

bool figures_lorenz(const Cases *cases, GPtrArray *figures, GError **error)
{
    g_autoptr(Figure) figure = figure_new(
        "load-lorenz", "How evenly the load is shared",
        "Lorenz curve: the share of all messages that the least loaded peers take together, of the "
        "peers that were up in the measured window. Each replication has a curve; drawn are their "
        "mean and its 95 % interval. The Gini coefficient is 0 where all peers take the same and "
        "near 1 where one takes all.");
    FigurePanel *panel = figure_panel(figure, "Messages delivered to them (%)", " %");
    guint count = MIN(cases->cases->len, CURVES_MAX);
    FigureSeries *even = figure_series(panel, "all the same", FIGURE_LINE, 6);

    figure_axis_init(&figure->x, "Peers, least loaded first (%)", " %");
    figure->key = FIGURE_KEY_ABOVE;
    figure->key_title = cases_brief_title(cases, 0);
    figure->x.from = panel->y.from = 0;
    figure->x.to = panel->y.to = 100;
    figure_point(even, (FigurePoint){0, 0, NAN, NAN});
    figure_point(even, (FigurePoint){100, 100, NAN, NAN});
    for (guint i = 0; i < count; i++) {
        if (!add_case(panel, cases_pick(cases, CURVES_MAX, i), error)) {
            return false;
        }
    }
    if (cases->cases->len > CURVES_MAX) {
        figure->remark = g_strdup_printf("%d of the %u points", CURVES_MAX, cases->cases->len);
    }
    if (panel->series->len > 1) {
        g_ptr_array_add(figures, g_steal_pointer(&figure));
    }
    return true;
}
