/*
 * database.h - SQLite with GError, and the schema of results.db.
 * Source: analysis/SCHEMA.md.   State: none.   Time: none.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>

#define DATABASE_SCHEMA_VERSION 4
/* The oldest that can still be read, though not gone on with: it has no tables of traces. */
#define DATABASE_SCHEMA_READABLE 3
#define DATABASE_NAME "results.db"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3, sqlite3_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/* The tables, in the order in which they are exported; NULL ends the list. */
extern const char *const DATABASE_TABLES[];

/* database_is_of_replications tells whether a table's rows belong to replications. */
bool database_is_of_replications(const char *table);

/* database_create opens the file, making it and its tables when they are not there. NULL with
 * RESULTS_ERROR_WRITE. */
sqlite3 *database_create(const char *path, GError **error);

/* database_open opens dir/results.db for reading; tables that an older version did not have are
 * there and empty. NULL with RESULTS_ERROR_READ, which says what to do when there are no
 * results. */
sqlite3 *database_open(const char *dir, GError **error);

/* database_run runs statements without results. False with RESULTS_ERROR_WRITE. */
bool database_run(sqlite3 *db, const char *sql, GError **error);

/* database_prepare never fails but for a broken file. NULL with RESULTS_ERROR_READ. */
sqlite3_stmt *database_prepare(sqlite3 *db, const char *sql, GError **error);

/* database_insert steps a statement without results and makes it ready for the next row. False with
 * RESULTS_ERROR_WRITE. */
bool database_insert(sqlite3_stmt *statement, GError **error);

/* database_next steps to the next row. False at the end, or with RESULTS_ERROR_READ. */
bool database_next(sqlite3_stmt *statement, GError **error);

/* database_bind_double binds NULL for what is no number. */
void database_bind_double(sqlite3_stmt *statement, int column, double value);

/* database_fact is the value of a key of table `run`, free with g_free; NULL when it is not
 * there. */
char *database_fact(sqlite3 *db, const char *key);

#endif
