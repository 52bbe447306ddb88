/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lorenz.h - the Lorenz curve of a sample.
 * Source: see lorenz.c.   State: none.   Time: none.
 */
#ifndef FIGURE_LORENZ_H
#define FIGURE_LORENZ_H

#include <stdbool.h>
#include <stddef.h>

enum { LORENZ_STEPS = 100 };

/*
 * lorenz_curve gives the share of the sum that the least part step/LORENZ_STEPS of a sample holds.
 * loads    ascending, none negative
 * Returns false, and leaves the rest alone, when the sample has not two values or all are 0.
 */
bool lorenz_curve(const double *loads, size_t len, double ret_shares[LORENZ_STEPS + 1],
                  double *ret_gini);

#endif
