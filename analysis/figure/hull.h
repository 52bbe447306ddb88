/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hull.h - the best that a set of parameters can buy: the lower left convex hull of cost and
 * performance.
 * Source: Li, Stribling, Kaashoek, Morris and Gil, "A performance vs. cost framework for evaluating
 *         DHT design tradeoffs under churn", INFOCOM 2005; the hull by Andrew's monotone chain
 *         (Information Processing Letters 9, 1979).
 * State:  none.   Time: none.
 */
#ifndef FIGURE_HULL_H
#define FIGURE_HULL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct HullPoint {
    double x;
    double y;
    size_t index; /* the caller's */
} HullPoint;

/*
 * hull_lower_left keeps, in ascending x, the corners of the convex hull from the point of least x
 * (of these the one of least y) to that of least y: no other point is both cheaper and better than
 * the line through them.
 * points    reordered; without NaN
 * Returns how many of the first are corners now; 0 for none given.
 */
size_t hull_lower_left(HullPoint *points, size_t len);

#endif
