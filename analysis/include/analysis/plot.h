/*
 * plot.h - `peal plot`: figures from a results directory, drawn by gnuplot.
 * Source: none.   State: none beyond a call.   Time: none.
 */
#ifndef ANALYSIS_PLOT_H
#define ANALYSIS_PLOT_H

/*
 * plot_main runs `peal plot DIR... [--out DIR] [--only NAME] [--quantity NAME] [--list] [--csv]
 * [--json]`. It reads results.db of each directory and writes DIR/plots: each figure as SVG and
 * PNG, beside the gnuplot script and the data that draw it again.
 * The files' names go to standard output; with --json, the fits too.
 * argv    argv[0] is "plot"
 * Returns the exit status: 0, 2 for usage or unreadable input, 1 when drawing failed.
 */
int plot_main(int argc, char **argv);

#endif
