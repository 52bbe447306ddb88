/*
 * compare.h - `peal compare A B [--json] [--out DIR] [--no-plot]`: two runs' results beside each
 * other.
 * Source: analysis/SCHEMA.md.   State: none beyond a run of the command.   Time: none.
 */
#ifndef ANALYSIS_COMPARE_H
#define ANALYSIS_COMPARE_H

/*
 * compare_main compares the distributions in two results directories by the two-sample
 * Kolmogorov-Smirnov test, draws both on one plot each, and, where both runs made the same lookups,
 * compares those one by one.
 * argv    argv[0] is "compare"
 * Returns the exit status: 0, 2 for usage or unreadable input, 1 when drawing failed.
 */
int compare_main(int argc, char **argv);

#endif
