/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * summary_trace.h - what summary.json says of the trace that a point replays.
 * Source: analysis/SCHEMA.md.   State: none.   Time: none.
 */
#ifndef SUMMARY_TRACE_H
#define SUMMARY_TRACE_H

#include "database.h"

#include <jansson.h>

/* summary_trace puts the object `trace` into that of a point that has one. False with
 * RESULTS_ERROR_READ. */
bool summary_trace(json_t *root, sqlite3 *db, int point, GError **error);

#endif
