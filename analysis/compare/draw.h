/*
 * draw.h - the distribution of one figure in two runs, on one plot.
 * Source: none.   State: none.   Time: none.
 */
#ifndef COMPARE_DRAW_H
#define COMPARE_DRAW_H

#include "compare/side.h"

#include "figure/figure.h"

#include <analysis/stats.h>

/* draw_cdfs is the plot of figure `index`, STEM-cdf; free with figure_free. Both samples must hold
 * something. */
Figure *draw_cdfs(unsigned index, const Side sides[2], const StatsKs *ks);

#endif
