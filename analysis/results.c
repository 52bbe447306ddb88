/*
 * results.c - see results.h: the directory, and the rows of a replication.
 */
#include <analysis/results.h>

#include "database.h"
#include "parts.h"
#include "plot/gnuplot.h"
#include "report/page.h"
#include "results_mean.h"
#include "results_trace.h"
#include "rows.h"
#include "summary.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

G_DEFINE_QUARK(peal - results - error - quark, results_error)

struct Results {
    char *dir;
    int lock; /* file descriptor of the directory, held locked */
    sqlite3 *db;
};

static char *path_in(const char *dir, const char *name)
{
    return g_build_filename(dir, name, NULL);
}

static void remove_in(const char *dir, const char *name, const char *suffix)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = path_in(dir, file);

    g_unlink(path);
}

/* The tables that `peal plot --csv` exported, and their directory if that empties it. */
static void remove_csv(const char *dir)
{
    g_autofree char *path = path_in(dir, "csv");

    for (const char *const *table = DATABASE_TABLES; *table != NULL; table++) {
        remove_in(path, *table, ".csv");
    }
    g_rmdir(path);
}

/* The page that `peal report` wrote, by its first words. */
static void remove_report(const char *dir)
{
    g_autofree char *path = path_in(dir, "report.html");
    g_autofree char *text = NULL;

    if (g_file_get_contents(path, &text, NULL, NULL) && g_str_has_prefix(text, PAGE_BEGIN)) {
        g_unlink(path);
    }
}

/* Whether plots/NAME.gp is a script of ours, by its first words. */
static bool is_our_script(const char *plots, const char *name)
{
    g_autofree char *file = g_strconcat(name, ".gp", NULL);
    g_autofree char *path = path_in(plots, file);
    g_autofree char *ours = g_strdup_printf(GNUPLOT_SCRIPT_BEGIN, name);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && g_str_has_prefix(text, ours);
}

/* The figures that `peal plot` drew, and their directory if that empties it. Other files beside
 * them, even images, are somebody's own. */
static void remove_plots(const char *dir)
{
    static const char *const suffixes[] = {".svg", ".png", ".dat", ".gp"};
    g_autofree char *path = path_in(dir, "plots");
    g_autoptr(GPtrArray) scripts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) listing = g_dir_open(path, 0, NULL);
    const char *file;

    while (listing != NULL && (file = g_dir_read_name(listing)) != NULL) {
        if (g_str_has_suffix(file, ".gp")) {
            g_ptr_array_add(scripts, g_strndup(file, strlen(file) - strlen(".gp")));
        }
    }
    for (guint i = 0; i < scripts->len; i++) {
        const char *name = g_ptr_array_index(scripts, i);

        if (!is_our_script(path, name)) {
            continue;
        }
        for (size_t j = 0; j < G_N_ELEMENTS(suffixes); j++) {
            remove_in(path, name, suffixes[j]);
        }
    }
    g_rmdir(path);
}

static void remove_results(const char *dir)
{
    static const char *const files[] = {DATABASE_NAME, DATABASE_NAME "-journal", "summary.json"};

    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        remove_in(dir, files[i], "");
    }
    parts_remove(dir);
    remove_plots(dir);
    remove_csv(dir);
    remove_report(dir);
}

/* Whether a results.db may be replaced: one of ours, of any version or cut off, or an empty file.
 * Another program's is not. */
static bool is_replaceable(const char *path)
{
    g_autoptr(sqlite3) db = NULL;
    g_autofree char *schema = NULL;
    GStatBuf status;
    char head[16] = "";
    FILE *file;

    if (g_stat(path, &status) != 0 || status.st_size == 0) {
        return true;
    }
    file = fopen(path, "rb");
    if (file == NULL) {
        return false;
    }
    if (fread(head, 1, sizeof(head), file) != sizeof(head)) {
        head[0] = '\0';
    }
    fclose(file);
    if (memcmp(head, "SQLite format 3", sizeof(head)) != 0 ||
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        return false;
    }
    schema = database_fact(db, "schema");
    return schema != NULL || sqlite3_errcode(db) == SQLITE_CORRUPT;
}

static bool same_fact(sqlite3 *db, const char *key, const char *value)
{
    g_autofree char *stored = database_fact(db, key);

    return g_strcmp0(stored, value) == 0;
}

static const char *world_of(const ResultsConfig *config)
{
    return config->world != NULL ? config->world : RESULTS_WORLD_SIMULATION;
}

static bool same_run(sqlite3 *db, const ResultsConfig *config)
{
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, config->seed);

    return same_fact(db, "scenario", config->scenario) && same_fact(db, "seed", seed) &&
           same_fact(db, "world", world_of(config)) && same_fact(db, "version", config->version);
}

static bool add_fact(sqlite3_stmt *insert, const char *key, const char *value, GError **error)
{
    sqlite3_bind_text(insert, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, value, -1, SQLITE_TRANSIENT);
    return database_insert(insert, error);
}

static bool add_number(sqlite3_stmt *insert, const char *key, uint64_t value, GError **error)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

    return add_fact(insert, key, text, error);
}

static bool describe_run(sqlite3 *db, const ResultsConfig *config, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT OR REPLACE INTO run VALUES (?, ?)", error);

    return insert != NULL && add_fact(insert, "name", config->name, error) &&
           add_fact(insert, "version", config->version, error) &&
           add_fact(insert, "crypto", config->crypto, error) &&
           add_fact(insert, "world", world_of(config), error) &&
           add_number(insert, "seed", config->seed, error) &&
           add_fact(insert, "scenario", config->scenario, error) &&
           (config->source == NULL || add_fact(insert, "source", config->source, error)) &&
           (config->command == NULL || add_fact(insert, "command", config->command, error)) &&
           add_number(insert, "points", config->points, error) &&
           add_number(insert, "replications", config->replications, error) &&
           add_number(insert, "sweep", config->sweep, error) &&
           add_number(insert, "finished", 0, error);
}

/* The database of an unfinished run of the same scenario, rid of interrupted replications; NULL
 * without an error when the directory holds anything else. */
static sqlite3 *open_unfinished(const ResultsConfig *config, const char *path, GError **error)
{
    g_autoptr(sqlite3) db = NULL;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        return NULL;
    }
    db = database_create(path, NULL);
    if (db == NULL || !same_run(db, config) || same_fact(db, "finished", "1")) {
        return NULL;
    }
    if (!database_run(db, "DELETE FROM replications WHERE interrupted", error) ||
        !describe_run(db, config, error) || !parts_adopt(db, config->dir, error)) {
        return NULL;
    }
    return g_steal_pointer(&db);
}

static bool make_directory(const char *dir, bool *ret_made, GError **error)
{
    bool made = !g_file_test(dir, G_FILE_TEST_EXISTS);

    if (g_mkdir_with_parents(dir, 0777) != 0 || access(dir, W_OK | X_OK) != 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE,
                    "cannot write the results directory %s: %s; choose another with --out", dir,
                    g_strerror(errno));
        return false;
    }
    *ret_made = made;
    return true;
}

/* Two runs must not write into one directory. Where locks are not to be had, that is not
 * checked. */
static bool lock_directory(const char *dir, int *ret_lock, GError **error)
{
    int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_EXISTS,
                    "another run is writing to %s; wait for it or choose another --out", dir);
        close(lock);
        return false;
    }
    *ret_lock = lock;
    return true;
}

static sqlite3 *make_database(const ResultsConfig *config, const char *path, GError **error)
{
    g_autoptr(sqlite3) db = database_create(path, error);

    if (db == NULL || !describe_run(db, config, error)) {
        g_unlink(path);
        return NULL;
    }
    return g_steal_pointer(&db);
}

/* Opens what may be resumed, clears what may be replaced, or refuses; then makes the database. */
static sqlite3 *take_directory(const ResultsConfig *config, GError **error)
{
    g_autofree char *path = path_in(config->dir, DATABASE_NAME);
    g_autofree char *summary = path_in(config->dir, "summary.json");
    GError *failure = NULL;
    sqlite3 *db = open_unfinished(config, path, &failure);

    if (failure != NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    if (db != NULL) {
        return db;
    }
    if (g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(summary, G_FILE_TEST_EXISTS)) {
        if (!config->force) {
            g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_EXISTS,
                        "%s holds results already; choose another --out, or replace them with "
                        "--force",
                        config->dir);
            return NULL;
        }
        if (!is_replaceable(path)) {
            g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_EXISTS,
                        "%s is not of Peal's making and is left alone; choose another --out", path);
            return NULL;
        }
        remove_results(config->dir);
    }
    return make_database(config, path, error);
}

Results *results_open(const ResultsConfig *config, GError **error)
{
    bool made = false;
    int lock = -1;
    sqlite3 *db = NULL;
    Results *results;

    PEAL_ASSERT(config->points > 0 && config->replications > 0);
    if (!make_directory(config->dir, &made, error)) {
        return NULL;
    }
    if (lock_directory(config->dir, &lock, error)) {
        db = take_directory(config, error);
    }
    if (db == NULL) {
        if (lock >= 0) {
            close(lock);
        }
        if (made) {
            g_rmdir(config->dir);
        }
        return NULL;
    }
    results = g_new0(Results, 1);
    results->dir = g_strdup(config->dir);
    results->lock = lock;
    results->db = db;
    return results;
}

void results_close(Results *results)
{
    if (results == NULL) {
        return;
    }
    parts_close(results->dir);
    sqlite3_close(results->db);
    if (results->lock >= 0) {
        close(results->lock);
    }
    g_free(results->dir);
    g_free(results);
}

bool results_has(Results *results, unsigned point, unsigned replication)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(results->db,
                         "SELECT 1 FROM replications WHERE point = ? AND replication = ?"
                         " AND NOT interrupted",
                         NULL);

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int64(query, 1, point);
    sqlite3_bind_int64(query, 2, replication);
    return database_next(query, NULL);
}

static bool add_parameters(sqlite3_stmt *insert, const ResultsParameter *parameters, size_t len,
                           GError **error)
{
    for (size_t i = 0; i < len; i++) {
        sqlite3_bind_text(insert, 2, parameters[i].key, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, parameters[i].value, -1, SQLITE_STATIC);
        sqlite3_bind_int(insert, 4, parameters[i].swept);
        sqlite3_bind_int64(insert, 5, (gint64)i);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

/* Ends a transaction: with COMMIT if all went well, else with ROLLBACK. */
static bool end_transaction(sqlite3 *db, bool good, GError **error)
{
    if (good && database_run(db, "COMMIT", error)) {
        return true;
    }
    database_run(db, "ROLLBACK", NULL);
    return false;
}

bool results_set_point(Results *results, unsigned point, const ResultsParameter *parameters,
                       size_t len, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(results->db, "INSERT OR REPLACE INTO parameters VALUES (?, ?, ?, ?, ?)",
                         error);

    if (insert == NULL || !database_run(results->db, "BEGIN IMMEDIATE", error)) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, point);
    return end_transaction(results->db, add_parameters(insert, parameters, len, error), error);
}

bool results_set_trace(Results *results, unsigned point, const ResultsTrace *trace, GError **error)
{
    return database_run(results->db, "BEGIN IMMEDIATE", error) &&
           end_transaction(results->db, results_trace_write(results->db, point, trace, error),
                           error);
}

bool results_write_part(const char *dir, const ResultsReplication *replication,
                        const Recorder *recorder, GError **error)
{
    return parts_write(dir, replication, recorder, error);
}

bool results_take_part(Results *results, unsigned point, unsigned replication, GError **error)
{
    return parts_take(results->db, results->dir, point, replication, error);
}

bool results_mean(Results *results, unsigned point, const char *figure, unsigned replications,
                  ResultsMean *ret_mean, GError **error)
{
    return results_mean_read(results->db, &(ResultsMeanOf){point, figure, replications}, ret_mean,
                             error);
}

char *results_figure_names(Results *results, unsigned point)
{
    return results_mean_names(results->db, point);
}

bool results_set_precision(Results *results, unsigned point, const ResultsPrecision *precision,
                           GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(results->db, "INSERT OR REPLACE INTO precision VALUES (?, ?, ?, ?, ?)",
                         error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, point);
    sqlite3_bind_text(insert, 2, precision->figure, -1, SQLITE_STATIC);
    sqlite3_bind_double(insert, 3, precision->wanted);
    database_bind_double(insert, 4, precision->reached);
    sqlite3_bind_int64(insert, 5, precision->replications);
    return database_insert(insert, error);
}

bool results_finish(Results *results, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(results->db, "INSERT OR REPLACE INTO run VALUES (?, ?)", error);

    return insert != NULL && add_fact(insert, "finished", "1", error);
}

bool results_write_summary(Results *results, GError **error)
{
    g_autofree char *path = path_in(results->dir, "summary.json");
    g_autofree char *text = summary_text(results->db, error);
    GError *failure = NULL;

    if (text == NULL) {
        return false;
    }
    if (!g_file_set_contents(path, text, -1, &failure)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "%s", failure->message);
        g_error_free(failure);
        return false;
    }
    return true;
}

char *results_summary_text(Results *results, GError **error)
{
    return summary_text(results->db, error);
}

bool results_add_replication(Results *results, const ResultsReplication *replication,
                             const Recorder *recorder, GError **error)
{
    if (!database_run(results->db, "BEGIN IMMEDIATE", error)) {
        return false;
    }
    return end_transaction(results->db,
                           rows_add_replication(results->db, replication, recorder, error), error);
}
