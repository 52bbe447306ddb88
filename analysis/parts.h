/*
 * parts.h - replications in files of their own, on their way into results.db.
 * Source: none.
 * State:  DIR/parts/POINT-REPLICATION.db, each a database of the same schema with one replication;
 *         it has that name only when it is whole.
 * Time:   none.
 */
#ifndef PARTS_H
#define PARTS_H

#include <analysis/results.h>

#include "database.h"

/* parts_write makes DIR's part of this replication. False with RESULTS_ERROR_WRITE; then nothing is
 * left of it. */
bool parts_write(const char *dir, const ResultsReplication *replication, const Recorder *recorder,
                 GError **error);

/* parts_take moves a part into DIR/results.db, in one transaction, and removes it. False with
 * RESULTS_ERROR_WRITE or _READ; then the part is still there. */
bool parts_take(sqlite3 *db, const char *dir, unsigned point, unsigned replication, GError **error);

/* parts_adopt takes every part that a killed run left behind, but for interrupted ones, which it
 * removes, as it does whatever never became whole. */
bool parts_adopt(sqlite3 *db, const char *dir, GError **error);

/* parts_close removes the parts' directory if it is empty, and nobody writes parts any more. */
void parts_close(const char *dir);

/* parts_remove removes all parts and, if that empties it, their directory. */
void parts_remove(const char *dir);

#endif
