/*
 * results_mean.h - the mean of a figure over the first replications of a point.
 * Source: none.   State: none.   Time: none.
 */
#ifndef RESULTS_MEAN_H
#define RESULTS_MEAN_H

#include <analysis/results.h>

#include "database.h"

typedef struct ResultsMeanOf {
    unsigned point;
    const char *figure;
    unsigned replications; /* 0.. */
} ResultsMeanOf;

/* See results_mean and results_figure_names. */
bool results_mean_read(sqlite3 *db, const ResultsMeanOf *of, ResultsMean *ret_mean, GError **error);
char *results_mean_names(sqlite3 *db, unsigned point);

#endif
