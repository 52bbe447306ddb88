/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * script.h - a figure as gnuplot's commands and data.
 * Source: gnuplot 5.4's manual.   State: none.   Time: none.
 */
#ifndef PLOT_SCRIPT_H
#define PLOT_SCRIPT_H

#include "figure/figure.h"

/* script_data is the data of all series, in blocks that the script tells apart by index; free with
 * g_free. */
char *script_data(const Figure *figure);

/* script_text draws the figure from the data file that the script's variable `data` names, on a
 * terminal already set; free with g_free. */
char *script_text(const Figure *figure);

/* script_height is how high it is, in points, being 720 wide. */
unsigned script_height(const Figure *figure);

/* script_quote is text as a gnuplot string with its quotes; free with g_free. */
char *script_quote(const char *text);

#endif
