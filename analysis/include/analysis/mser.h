/*
 * mser.h - where a run's warm-up ends, judged by the run itself: the MSER-5 rule.
 * Source: White, "An effective truncation heuristic for bias reduction in simulation output",
 *         Simulation 69, 1997; White, Cobb and Spratt, "A comparison of five steady-state
 *         truncation heuristics for simulation", Winter Simulation Conference 2000.
 * State:  none.   Time: none.
 */
#ifndef ANALYSIS_MSER_H
#define ANALYSIS_MSER_H

#include <stdbool.h>
#include <stddef.h>

enum { MSER_BATCH = 5 }; /* observations whose mean is one value */

typedef struct MserCut {
    size_t cut;   /* values that belong to the warm-up, at most half of all */
    bool settled; /* the best cut lies before the latest one: the run was long enough to tell */
} MserCut;

/*
 * mser_cut finds how many values to leave out so that the mean of the rest has the least standard
 * error: the d of 0..len/2 that minimises sum of (value - mean)^2 / count^2 over the values from d
 * on, the first where several do. Values that are NaN count for nothing.
 */
MserCut mser_cut(const double *values, size_t len);

/* mser_batch is the mean of some observations, those that are NaN left out; NaN of none. */
double mser_batch(const double *observations, size_t len);

#endif
