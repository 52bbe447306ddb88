/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * quantity.h - what a replication is measured by, for figures that set points against one another.
 * Source: analysis/SCHEMA.md.   State: none.   Time: none.
 */
#ifndef FIGURE_QUANTITY_H
#define FIGURE_QUANTITY_H

#include "figure/cases.h"

typedef struct Quantity {
    const char *name;   /* in figures' names: "latency" */
    const char *label;  /* of an axis, with the unit */
    const char *title;  /* "median lookup latency" */
    const char *unit;   /* after a number, with its space */
    const char *figure; /* its name in table figures; NULL: the quantile of a histogram */
    const SummaryHistogram *histogram;
    double quantile;
    double factor;        /* quantity = figure * factor */
    bool rate;            /* a share of trials: its interval is stats_rate's */
    bool per_peer_second; /* divided by the peers online and the seconds of the window */
} Quantity;

/* quantity_find is one of the known quantities by name, or NULL. */
const Quantity *quantity_find(const char *name);

/* quantity_at goes through the known ones, NULL after the last. */
const Quantity *quantity_at(size_t i);

/* quantity_observe adds the value of each replication of a case, in their order, NaN where it has
 * none. False with RESULTS_ERROR_READ. */
bool quantity_observe(const Quantity *quantity, const Case *which, GArray *ret_values,
                      GError **error);

/* quantity_mean is its mean over replications. False with RESULTS_ERROR_READ. */
bool quantity_mean(const Quantity *quantity, const Case *which, StatsMean *ret_mean,
                   GError **error);

#endif
