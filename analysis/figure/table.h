/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table.h - the figures that results can show, each made by one function.
 * Source: none.   State: none.   Time: none.
 */
#ifndef FIGURE_TABLE_H
#define FIGURE_TABLE_H

#include "figure/cases.h"
#include "figure/figure.h"

/* What is asked for. */
typedef struct TableRequest {
    char **only;       /* patterns (* and ?) of names, of figures or families; NULL: all */
    char **quantities; /* names in table figures, each to be drawn against the swept key */
} TableRequest;

/*
 * table_build makes every figure that the cases can show and that is asked for, in the table's
 * order.
 * ret_figures    of Figure, made with figure_free as its free function; figures are added
 * Returns false with RESULTS_ERROR_READ: also for a pattern that fits no name there is, and for a
 * quantity that the results do not have.
 */
bool table_build(const Cases *cases, const TableRequest *request, GPtrArray *ret_figures,
                 GError **error);

/* table_families is a line for each family, its name and what it shows, for the help text; free
 * with g_free. */
char *table_families(void);

/* The functions of the table. Each adds what the cases can show, and nothing where they cannot.
 * False with RESULTS_ERROR_READ. */
bool figures_latency(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_setup(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_load(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_hops(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_lorenz(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_lookups(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_calls(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_messages(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_peers(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_success(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_scaling(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_swept(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_heat(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_cost(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_replay_setup(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_replay_answers(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_replay_delays(const Cases *cases, GPtrArray *figures, GError **error);
bool figures_fits(const Cases *cases, GPtrArray *figures, GError **error);

/* figures_quantity draws any figure of the results against the swept key. */
bool figures_quantity(const Cases *cases, const char *name, GPtrArray *figures, GError **error);

#endif
