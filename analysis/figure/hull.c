/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hull.c - see hull.h.
 */
#include "figure/hull.h"

#include <stdlib.h>

static int by_place(const void *a, const void *b)
{
    const HullPoint *one = a, *other = b;

    if (one->x != other->x) {
        return one->x < other->x ? -1 : 1;
    }
    return (one->y > other->y) - (one->y < other->y);
}

/* Whether b lies on or above the straight line from a to c. */
static bool is_above(const HullPoint *a, const HullPoint *b, const HullPoint *c)
{
    return (b->x - a->x) * (c->y - a->y) - (b->y - a->y) * (c->x - a->x) <= 0;
}

size_t hull_lower_left(HullPoint *points, size_t len)
{
    size_t corners = 0;

    qsort(points, len, sizeof(*points), by_place);
    for (size_t i = 0; i < len; i++) {
        HullPoint point = points[i];

        /* Once the least y is reached, paying more buys nothing. */
        if (corners > 0 && point.y >= points[corners - 1].y) {
            continue;
        }
        while (corners > 1 && is_above(&points[corners - 2], &points[corners - 1], &point)) {
            corners--;
        }
        points[corners++] = point;
    }
    return corners;
}
