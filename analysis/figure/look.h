/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * look.h - colours, dashes and marks that the colour-blind and a grey printer tell apart.
 * Source: Okabe and Ito, Color Universal Design (2008); viridis, van der Walt and Smith (2015),
 *         whose luminance grows from end to end.
 * State:  none.   Time: none.
 */
#ifndef FIGURE_LOOK_H
#define FIGURE_LOOK_H

#include <stddef.h>

/* After so many series a colour comes again, with other dashes; after LOOK_MAX all of it. */
enum { LOOK_COLOURS = 7, LOOK_MAX = 14 };

/* look_colour is "#RRGGBB". */
const char *look_colour(unsigned i);

/* look_dash is a pattern in points, drawn and left out by turns; *ret_len is 0 for a solid
 * line. */
const double *look_dash(unsigned i, size_t *ret_len);

/* look_mark numbers the shape of a mark, 0..6: disc, square, triangle, diamond, triangle upside
 * down, circle, empty square. */
unsigned look_mark(unsigned i);

typedef struct LookColour {
    double red; /* 0..1, sRGB */
    double green;
    double blue;
} LookColour;

/* look_heat is the colour of a share 0..1 of a heat map's range; beyond, that of the end. */
LookColour look_heat(double share);

/* look_luminance is the relative luminance 0..1 (WCAG 2.1). */
double look_luminance(LookColour colour);

#endif
