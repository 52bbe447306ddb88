/* SPDX-License-Identifier: GPL-3.0-or-later */
/* results_mean.c - see results_mean.h. */
#include "results_mean.h"

#include <math.h>
#include <string.h>

static sqlite3_stmt *select_values(sqlite3 *db, const ResultsMeanOf *of, GError **error)
{
    sqlite3_stmt *query =
        database_prepare(db,
                         "SELECT f.kind, f.value, f.trials FROM figures f JOIN replications r"
                         " ON r.id = f.replication_id WHERE r.point = ? AND f.name = ?"
                         " AND r.replication < ? AND NOT r.interrupted ORDER BY r.replication",
                         error);

    if (query != NULL) {
        sqlite3_bind_int64(query, 1, of->point);
        sqlite3_bind_text(query, 2, of->figure, -1, SQLITE_STATIC);
        sqlite3_bind_int64(query, 3, of->replications);
    }
    return query;
}

bool results_mean_read(sqlite3 *db, const ResultsMeanOf *of, ResultsMean *ret_mean, GError **error)
{
    g_autoptr(sqlite3_stmt) query = select_values(db, of, error);
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) trials = g_array_new(FALSE, FALSE, sizeof(double));
    const double *value;
    ResultsMean mean = {0};
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        bool missing = sqlite3_column_type(query, 1) == SQLITE_NULL;
        double one = missing ? NAN : sqlite3_column_double(query, 1);
        double of_trials = sqlite3_column_double(query, 2);

        mean.rate = strcmp((const char *)sqlite3_column_text(query, 0), "rate") == 0;
        mean.known = true;
        g_array_append_val(values, one);
        g_array_append_val(trials, of_trials);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    value = (const double *)(const void *)values->data;
    mean.mean = mean.rate
                    ? stats_rate(value, (const double *)(const void *)trials->data, values->len)
                    : stats_mean(value, values->len);
    *ret_mean = mean;
    return true;
}

char *results_mean_names(sqlite3 *db, unsigned point)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(db,
                         "SELECT DISTINCT f.name FROM figures f JOIN replications r"
                         " ON r.id = f.replication_id WHERE r.point = ? ORDER BY f.position",
                         NULL);
    GString *names = g_string_new(NULL);

    if (query != NULL) {
        sqlite3_bind_int64(query, 1, point);
    }
    while (query != NULL && database_next(query, NULL)) {
        g_string_append_printf(names, "%s%s", names->len > 0 ? " " : "",
                               (const char *)sqlite3_column_text(query, 0));
    }
    return g_string_free(names, FALSE);
}
