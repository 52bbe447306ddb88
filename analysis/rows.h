/*
 * rows.h - what one replication writes into results.db.
 * Source: analysis/SCHEMA.md.   State: none beyond a call.   Time: none.
 */
#ifndef ROWS_H
#define ROWS_H

#include "database.h"

#include <analysis/results.h>

/* rows_add_replication writes every row, in the caller's transaction. False with
 * RESULTS_ERROR_WRITE. */
bool rows_add_replication(sqlite3 *db, const ResultsReplication *replication,
                          const Recorder *recorder, GError **error);

#endif
