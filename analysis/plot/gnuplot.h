/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gnuplot.h - figures drawn by gnuplot, and kept as the script and the data that draw them again.
 * Source: gnuplot 5.4's manual.   State: none.   Time: none.
 */
#ifndef PLOT_GNUPLOT_H
#define PLOT_GNUPLOT_H

#include "figure/figure.h"

/* How the script NAME.gp of a figure begins, which is how results_open knows the figure for
 * ours. */
#define GNUPLOT_SCRIPT_BEGIN "# gnuplot %s.gp draws "

/* gnuplot_check tells whether there is a gnuplot to draw with; false with RESULTS_ERROR_READ, which
 * says what to install, or that `other_way` does without. */
bool gnuplot_check(const char *other_way, GError **error);

/*
 * gnuplot_draw writes DIR/NAME.dat and .gp for every figure, runs gnuplot on them, and adds the
 * paths of all four files of each to ret_files (owned). DIR is made, parents too.
 * figures    of Figure
 * Returns false with RESULTS_ERROR_WRITE.
 */
bool gnuplot_draw(const char *dir, const GPtrArray *figures, GPtrArray *ret_files, GError **error);

/* gnuplot_svgs adds each figure as SVG text to ret_texts (owned). False with
 * RESULTS_ERROR_WRITE. */
bool gnuplot_svgs(const GPtrArray *figures, GPtrArray *ret_texts, GError **error);

#endif
