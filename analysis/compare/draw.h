/*
 * draw.h - the distribution of one figure in two runs, on one plot.
 * Source: none.   State: none.   Time: none.
 */
#ifndef COMPARE_DRAW_H
#define COMPARE_DRAW_H

#include "compare/side.h"

#include <analysis/stats.h>

/* draw_cdfs draws figure `index` into dir as STEM-cdf.svg and .png beside its data and script,
 * whose paths it adds to `files`. Both samples must hold something. False with
 * RESULTS_ERROR_WRITE. */
bool draw_cdfs(const char *dir, unsigned index, const Side sides[2], const StatsKs *ks,
               GPtrArray *files, GError **error);

#endif
