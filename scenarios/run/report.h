/*
 * report.h - what a run prints of its points: means over replications, with their intervals.
 * Source: none.   State: none.   Time: none.
 */
#ifndef RUN_REPORT_H
#define RUN_REPORT_H

#include <analysis/results.h>
#include <scenarios/scenario.h>

/* report_point prints the means of a point's replications 0..replications-1, if there are two or
 * more. */
void report_point(Results *results, const Scenario *point, guint number, guint replications);

/* report_table prints a row for each point of a sweep. wanted: replications of each point. */
void report_table(Results *results, const Scenario *scenario, const guint *wanted);

#endif
