/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * swept.h - swept keys as axes of figures.
 * Source: none.   State: none.   Time: none.
 */
#ifndef FIGURE_SWEPT_H
#define FIGURE_SWEPT_H

#include "figure/cases.h"
#include "figure/figure.h"
#include "figure/quantity.h"

/* swept_bound is a bit for each key whose value that of `key` settles, its own among them. */
guint64 swept_bound(const Cases *cases, guint key);

/* swept_axis makes an axis of a key: of numbers, logarithmic where they span much, or of names. */
void swept_axis(const CasesKey *key, FigureAxis *axis);

/* swept_position is where a case stands on the axis of a key; NaN where it has no value. */
double swept_position(const Cases *cases, const Case *one, guint key);

#endif
