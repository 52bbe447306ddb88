/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parts.c - see parts.h. */
#include "parts.h"

#include "rows.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#define PARTS_DIR "parts"
#define UNFINISHED ".tmp"

static char *parts_dir(const char *dir)
{
    return g_build_filename(dir, PARTS_DIR, NULL);
}

static char *part_path(const char *dir, unsigned point, unsigned replication)
{
    g_autofree char *name = g_strdup_printf("%u-%u.db", point, replication);

    return g_build_filename(dir, PARTS_DIR, name, NULL);
}

/* Reads POINT-REPLICATION.db. */
static bool part_name(const char *name, unsigned *ret_point, unsigned *ret_replication)
{
    g_autofree char *again = NULL;
    char *end = NULL;

    *ret_point = (unsigned)g_ascii_strtoull(name, &end, 10);
    *ret_replication = *end == '-' ? (unsigned)g_ascii_strtoull(end + 1, NULL, 10) : 0;
    again = g_strdup_printf("%u-%u.db", *ret_point, *ret_replication);
    return strcmp(name, again) == 0;
}

static bool make_parts_dir(const char *dir, GError **error)
{
    g_autofree char *path = parts_dir(dir);

    if (g_mkdir_with_parents(path, 0777) != 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot write %s: %s", path,
                    g_strerror(errno));
        return false;
    }
    return true;
}

/* Whatever is cut off has not its name yet, so that the file needs no journal. */
static bool fill(const char *path, const ResultsReplication *replication, const Recorder *recorder,
                 GError **error)
{
    g_autoptr(sqlite3) db = database_create(path, error);

    return db != NULL &&
           database_run(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; BEGIN", error) &&
           rows_add_replication(db, replication, recorder, error) &&
           database_run(db, "COMMIT", error);
}

bool parts_write(const char *dir, const ResultsReplication *replication, const Recorder *recorder,
                 GError **error)
{
    g_autofree char *path = part_path(dir, replication->point, replication->replication);
    g_autofree char *unfinished = g_strconcat(path, UNFINISHED, NULL);

    if (!make_parts_dir(dir, error)) {
        return false;
    }
    g_unlink(unfinished);
    if (!fill(unfinished, replication, recorder, error)) {
        g_unlink(unfinished);
        return false;
    }
    if (g_rename(unfinished, path) != 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot write %s: %s", path,
                    g_strerror(errno));
        g_unlink(unfinished);
        return false;
    }
    return true;
}

/* Copies the rows of every table that has replications. */
static bool copy_tables(sqlite3 *db, GError **error)
{
    for (const char *const *table = DATABASE_TABLES; *table != NULL; table++) {
        g_autofree char *sql =
            g_strdup_printf("INSERT INTO main.%s SELECT * FROM part.%s", *table, *table);

        if (database_is_of_replications(*table) && !database_run(db, sql, error)) {
            return false;
        }
    }
    return true;
}

static bool take_path(sqlite3 *db, const char *path, GError **error)
{
    g_autoptr(sqlite3_stmt) attach = database_prepare(db, "ATTACH ? AS part", error);
    bool good;

    if (attach == NULL) {
        return false;
    }
    sqlite3_bind_text(attach, 1, path, -1, SQLITE_STATIC);
    if (!database_insert(attach, error)) {
        return false;
    }
    good = database_run(db, "BEGIN IMMEDIATE", error) && copy_tables(db, error) &&
           database_run(db, "COMMIT", error);
    if (!good) {
        database_run(db, "ROLLBACK", NULL);
    }
    database_run(db, "DETACH part", NULL);
    return good;
}

bool parts_take(sqlite3 *db, const char *dir, unsigned point, unsigned replication, GError **error)
{
    g_autofree char *path = part_path(dir, point, replication);

    if (!take_path(db, path, error)) {
        return false;
    }
    g_unlink(path);
    return true;
}

/* Whether a part holds a replication that was not interrupted and is not in the database yet. */
static bool is_wanted(sqlite3 *db, const char *path, unsigned point, unsigned replication)
{
    g_autoptr(sqlite3) part = NULL;
    g_autoptr(sqlite3_stmt) whole = NULL;
    g_autoptr(sqlite3_stmt) known = NULL;

    if (sqlite3_open_v2(path, &part, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        return false;
    }
    whole = database_prepare(part, "SELECT 1 FROM replications WHERE NOT interrupted", NULL);
    known = database_prepare(db, "SELECT 1 FROM replications WHERE point = ? AND replication = ?",
                             NULL);
    if (whole == NULL || known == NULL) {
        return false;
    }
    sqlite3_bind_int64(known, 1, point);
    sqlite3_bind_int64(known, 2, replication);
    return database_next(whole, NULL) && !database_next(known, NULL);
}

/* The names of the files in DIR/parts. */
static GPtrArray *list_parts(const char *parts)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) listing = g_dir_open(parts, 0, NULL);
    const char *name;

    while (listing != NULL && (name = g_dir_read_name(listing)) != NULL) {
        g_ptr_array_add(names, g_strdup(name));
    }
    return names;
}

bool parts_adopt(sqlite3 *db, const char *dir, GError **error)
{
    g_autofree char *parts = parts_dir(dir);
    g_autoptr(GPtrArray) names = list_parts(parts);

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *path = g_build_filename(parts, name, NULL);
        unsigned point, replication;

        if (part_name(name, &point, &replication) && is_wanted(db, path, point, replication) &&
            !take_path(db, path, error)) {
            return false;
        }
    }
    parts_remove(dir);
    return true;
}

void parts_close(const char *dir)
{
    g_autofree char *parts = parts_dir(dir);

    g_rmdir(parts);
}

void parts_remove(const char *dir)
{
    g_autofree char *parts = parts_dir(dir);
    g_autoptr(GPtrArray) names = list_parts(parts);

    for (guint i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *bare = g_strdup(name);
        g_autofree char *path = g_build_filename(parts, name, NULL);
        unsigned point, replication;

        if (g_str_has_suffix(bare, UNFINISHED)) {
            bare[strlen(bare) - strlen(UNFINISHED)] = '\0';
        }
        if (part_name(bare, &point, &replication)) {
            g_unlink(path);
        }
    }
    g_rmdir(parts);
}
