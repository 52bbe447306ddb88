/*
 * trends.h - what no publication gives a value for: messages against the number of peers, and how
 *            much churn the overlay bears.
 * Source: least squares over log2 n; straight lines between measured points.
 * State:  none beyond a call.   Time: none.
 */
#ifndef VALIDATE_TRENDS_H
#define VALIDATE_TRENDS_H

#include "judge.h"

#include <stdio.h>

/* trends_markdown writes both as sections; results as judge_observe has it. Returns false with
 * JUDGE_ERROR when one of them was not measured. */
bool trends_markdown(FILE *file, const char *results, GError **error);

/* trends_crossing is the x at which the line through points, x descending, first falls below
 * `level`, by straight lines over log x; NaN when it does not. */
double trends_crossing(const double *x, const double *y, size_t len, double level);

#endif
