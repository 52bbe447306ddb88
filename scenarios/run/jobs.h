/*
 * jobs.h - how many replications run at a time.
 * Source: none.   State: none.   Time: none.
 */
#ifndef RUN_JOBS_H
#define RUN_JOBS_H

#include "run/options.h"

/* jobs_count is --jobs; without it as many as there are processors, and as the memory that is free
 * now holds of the scenario's largest point; 1 where peers are processes of their own. */
unsigned jobs_count(const RunOptions *options, const Scenario *scenario);

#endif
