/*
 * database.c - see database.h.
 */
#include "database.h"

#include <analysis/recorder.h>
#include <analysis/results.h>
#include <math.h>
#include <string.h>

const char *const DATABASE_TABLES[] = {
    "run",        "parameters",    "precision",    "replications", "engine",   "figures",
    "series",     "distributions", "histograms",   "drops",        "messages", "lookups",
    "calls",      "call_failures", "peers",        "events",       "trace",    "trace_calls",
    "trace_fits", "trace_spans",   "replay_calls", NULL,
};

static const char SCHEMA[] =
    "CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE parameters (point INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,"
    " swept INTEGER NOT NULL, position INTEGER NOT NULL, PRIMARY KEY (point, key)) WITHOUT ROWID;"
    "CREATE TABLE precision (point INTEGER PRIMARY KEY, figure TEXT NOT NULL, wanted REAL NOT NULL,"
    " reached REAL, replications INTEGER NOT NULL);"
    "CREATE TABLE replications (id INTEGER PRIMARY KEY, point INTEGER NOT NULL,"
    " replication INTEGER NOT NULL, seed TEXT NOT NULL, fingerprint TEXT NOT NULL,"
    " peers INTEGER NOT NULL, interrupted INTEGER NOT NULL, simulated_s REAL NOT NULL,"
    " window_s REAL NOT NULL, prompt_s REAL NOT NULL, warmup_s REAL NOT NULL,"
    " cut_late INTEGER, UNIQUE (point, replication));"
    "CREATE TABLE engine (replication_id INTEGER PRIMARY KEY"
    " REFERENCES replications ON DELETE CASCADE, wall_seconds REAL NOT NULL,"
    " events INTEGER NOT NULL, messages INTEGER NOT NULL, peak_rss_bytes INTEGER NOT NULL);"
    "CREATE TABLE figures (replication_id INTEGER NOT NULL REFERENCES replications"
    " ON DELETE CASCADE, name TEXT NOT NULL, position INTEGER NOT NULL, kind TEXT NOT NULL,"
    " value NUMERIC, trials INTEGER, PRIMARY KEY (replication_id, name)) WITHOUT ROWID;"
    "CREATE TABLE series (replication_id INTEGER NOT NULL REFERENCES replications"
    " ON DELETE CASCADE, start_s REAL NOT NULL, end_s REAL NOT NULL, lookups_started INTEGER,"
    " lookups_succeeded INTEGER, lookups_prompt INTEGER, lookups_correct INTEGER, lookups_found "
    "INTEGER, hops_mean REAL,"
    " latency_ms_mean REAL, latency_ms_p50 REAL, latency_ms_p95 REAL, latency_ms_p99 REAL, online "
    "INTEGER,"
    " joined INTEGER, dropped INTEGER, calls_started INTEGER, calls_answered INTEGER,"
    " setup_ms_mean REAL, setup_ms_p50 REAL, setup_ms_p95 REAL, setup_ms_p99 REAL"
#define X(id, name, meaning) ", " #name " INTEGER"
    RECORDER_COUNTERS(X)
#undef X
        ", PRIMARY KEY (replication_id, start_s)) WITHOUT ROWID;"
        "CREATE TABLE distributions (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, name TEXT NOT NULL, count INTEGER NOT NULL, min INTEGER NOT NULL,"
        " max INTEGER NOT NULL, mean REAL, deviation REAL, PRIMARY KEY (replication_id, name))"
        " WITHOUT ROWID;"
        "CREATE TABLE histograms (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, name TEXT NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,"
        " count INTEGER NOT NULL, PRIMARY KEY (replication_id, name, low)) WITHOUT ROWID;"
        "CREATE TABLE drops (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, reason TEXT NOT NULL, count INTEGER NOT NULL,"
        " PRIMARY KEY (replication_id, reason)) WITHOUT ROWID;"
        "CREATE TABLE messages (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, code INTEGER NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL,"
        " PRIMARY KEY (replication_id, code)) WITHOUT ROWID;"
        "CREATE TABLE lookups (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, started_ns INTEGER NOT NULL, latency_ns INTEGER NOT NULL, hops "
        "INTEGER,"
        " asker INTEGER NOT NULL, key BLOB NOT NULL, succeeded INTEGER NOT NULL,"
        " correct INTEGER NOT NULL, found INTEGER NOT NULL);"
        "CREATE INDEX lookups_replication ON lookups (replication_id);"
        "CREATE TABLE calls (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, started_ns INTEGER NOT NULL, caller INTEGER NOT NULL,"
        " caller_user INTEGER NOT NULL, callee INTEGER NOT NULL, callee_user INTEGER NOT NULL,"
        " status INTEGER NOT NULL, setup_ns INTEGER, answer_ns INTEGER);"
        "CREATE INDEX calls_replication ON calls (replication_id);"
        "CREATE TABLE call_failures (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, status INTEGER NOT NULL, count INTEGER NOT NULL,"
        " PRIMARY KEY (replication_id, status)) WITHOUT ROWID;"
        "CREATE TABLE peers (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, peer INTEGER NOT NULL, messages INTEGER NOT NULL,"
        " values_held INTEGER NOT NULL, PRIMARY KEY (replication_id, peer)) WITHOUT ROWID;"
        "CREATE TABLE events (replication_id INTEGER NOT NULL REFERENCES replications"
        " ON DELETE CASCADE, at_s REAL NOT NULL, text TEXT NOT NULL);"
        "CREATE INDEX events_replication ON events (replication_id);";

/* What came with version 4: the traces that are replayed. */
#define TRACE_TABLES(create)                                                                      \
    create " trace (point INTEGER PRIMARY KEY, source TEXT NOT NULL, span_s REAL NOT NULL,"       \
           " users INTEGER NOT NULL, registrations INTEGER NOT NULL, calls INTEGER NOT NULL,"     \
           " step INTEGER NOT NULL, answered INTEGER NOT NULL, cancelled INTEGER NOT NULL,"       \
           " refused INTEGER NOT NULL, unanswered INTEGER NOT NULL, speed REAL NOT NULL);" create \
           " trace_calls (point INTEGER NOT NULL, call INTEGER NOT NULL, at_ns INTEGER NOT NULL," \
           " caller TEXT NOT NULL, callee TEXT NOT NULL, outcome TEXT NOT NULL, status INTEGER,"  \
           " setup_ns INTEGER, final_ns INTEGER, cancel_ns INTEGER,"                              \
           " talk_ns INTEGER, PRIMARY KEY (point, call)) WITHOUT ROWID;" create                   \
           " trace_fits (point INTEGER NOT NULL, quantity TEXT NOT NULL, family TEXT NOT NULL,"   \
           " a REAL, b REAL, log_likelihood REAL, bic REAL, ks REAL, best INTEGER NOT NULL,"      \
           " n INTEGER NOT NULL, zero INTEGER NOT NULL, mean_s REAL, median_s REAL,"              \
           " PRIMARY KEY (point, quantity, family)) WITHOUT ROWID;" create                        \
           " trace_spans (point INTEGER NOT NULL, quantity TEXT NOT NULL, span_s REAL NOT NULL,"  \
           " share REAL NOT NULL, PRIMARY KEY (point, quantity, span_s)) WITHOUT ROWID;" create   \
           " replay_calls (replication_id INTEGER NOT NULL REFERENCES replications"               \
           " ON DELETE CASCADE, call INTEGER NOT NULL, begun INTEGER NOT NULL,"                   \
           " ended INTEGER NOT NULL, outcome TEXT, status INTEGER, started_ns INTEGER,"           \
           " setup_ns INTEGER, answer_ns INTEGER, PRIMARY KEY (replication_id, call))"            \
           " WITHOUT ROWID;"

bool database_is_of_replications(const char *table)
{
    static const char *const others[] = {"run",         "parameters", "precision",  "trace",
                                         "trace_calls", "trace_fits", "trace_spans"};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        if (strcmp(table, others[i]) == 0) {
            return false;
        }
    }
    return true;
}

/* Who reads results while a run writes them makes the run wait, not fail. */
enum { BUSY_MS = 60 * 1000 };

static void set_error(GError **error, ResultsError code, sqlite3 *db, const char *doing)
{
    const char *path = db != NULL ? sqlite3_db_filename(db, "main") : NULL;

    g_set_error(error, RESULTS_ERROR, (gint)code, "cannot %s %s: %s", doing,
                path != NULL ? path : DATABASE_NAME, db != NULL ? sqlite3_errmsg(db) : "no memory");
}

static void set_write_error(GError **error, sqlite3 *db)
{
    set_error(error, RESULTS_ERROR_WRITE, db, "write");
}

bool database_run(sqlite3 *db, const char *sql, GError **error)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
        set_write_error(error, db);
        return false;
    }
    return true;
}

char *database_fact(sqlite3 *db, const char *key)
{
    g_autoptr(sqlite3_stmt) query = NULL;

    if (sqlite3_prepare_v2(db, "SELECT value FROM run WHERE key = ?", -1, &query, NULL) !=
        SQLITE_OK) {
        return NULL;
    }
    sqlite3_bind_text(query, 1, key, -1, SQLITE_STATIC);
    if (sqlite3_step(query) != SQLITE_ROW) {
        return NULL;
    }
    return g_strdup((const char *)sqlite3_column_text(query, 0));
}

/* Another program's database, or one of another version of Peal, is not to be read as ours.
 * least    the oldest schema that will do; *ret_version is the one that it is */
static bool check_schema(sqlite3 *db, const char *path, int least, int *ret_version, GError **error)
{
    g_autofree char *text = database_fact(db, "schema");

    *ret_version = text != NULL ? (int)g_ascii_strtoll(text, NULL, 10) : 0;
    if (*ret_version < least || *ret_version > DATABASE_SCHEMA_VERSION) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "%s holds no results that this version can read; run the scenario again with "
                    "--force or another --out",
                    path);
        return false;
    }
    return true;
}

static bool create_tables(sqlite3 *db, GError **error)
{
    g_autofree char *version = g_strdup_printf("INSERT INTO run VALUES ('schema', '%d'); COMMIT;",
                                               DATABASE_SCHEMA_VERSION);

    return database_run(db, "BEGIN IMMEDIATE;", error) && database_run(db, SCHEMA, error) &&
           database_run(db, TRACE_TABLES("CREATE TABLE"), error) &&
           database_run(db, version, error);
}

sqlite3 *database_create(const char *path, GError **error)
{
    g_autoptr(sqlite3) db = NULL;
    bool exists = g_file_test(path, G_FILE_TEST_EXISTS);
    int version;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK) {
        set_write_error(error, db);
        return NULL;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    /* A crash of the machine may cost the last replications; a crash of the program does not. */
    if (!database_run(db, "PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL;", error)) {
        return NULL;
    }
    if (exists ? !check_schema(db, path, DATABASE_SCHEMA_VERSION, &version, error)
               : !create_tables(db, error)) {
        return NULL;
    }
    return g_steal_pointer(&db);
}

sqlite3 *database_open(const char *dir, GError **error)
{
    g_autofree char *path = g_build_filename(dir, DATABASE_NAME, NULL);
    g_autoptr(sqlite3) db = NULL;
    int version;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "%s holds no results (there is no %s); name a directory that 'peal run' wrote",
                    dir, DATABASE_NAME);
        return NULL;
    }
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        set_error(error, RESULTS_ERROR_READ, db, "read");
        return NULL;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    if (!check_schema(db, path, DATABASE_SCHEMA_READABLE, &version, error)) {
        return NULL;
    }
    /* Temporary tables can be made beside a file that is only read. */
    if (version < DATABASE_SCHEMA_VERSION &&
        !database_run(db, TRACE_TABLES("CREATE TEMP TABLE"), error)) {
        return NULL;
    }
    return g_steal_pointer(&db);
}

sqlite3_stmt *database_prepare(sqlite3 *db, const char *sql, GError **error)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        set_error(error, RESULTS_ERROR_READ, db, "read");
        return NULL;
    }
    return statement;
}

bool database_insert(sqlite3_stmt *statement, GError **error)
{
    int status = sqlite3_step(statement);

    if (status != SQLITE_DONE) {
        set_write_error(error, sqlite3_db_handle(statement));
    }
    sqlite3_reset(statement);
    return status == SQLITE_DONE;
}

bool database_next(sqlite3_stmt *statement, GError **error)
{
    int status = sqlite3_step(statement);

    if (status != SQLITE_ROW && status != SQLITE_DONE) {
        set_error(error, RESULTS_ERROR_READ, sqlite3_db_handle(statement), "read");
    }
    return status == SQLITE_ROW;
}

void database_bind_double(sqlite3_stmt *statement, int column, double value)
{
    if (isfinite(value)) {
        sqlite3_bind_double(statement, column, value);
    } else {
        sqlite3_bind_null(statement, column);
    }
}
