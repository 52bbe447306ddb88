/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * results_trace.h - the rows of a replayed trace: what it holds, its calls, fits and spans.
 * Source: analysis/SCHEMA.md.   State: none.   Time: none.
 */
#ifndef RESULTS_TRACE_H
#define RESULTS_TRACE_H

#include "database.h"

#include <analysis/results.h>

/* results_trace_write puts a point's trace in the place of another, in the caller's transaction.
 * False with RESULTS_ERROR_WRITE. */
bool results_trace_write(sqlite3 *db, unsigned point, const ResultsTrace *trace, GError **error);

#endif
