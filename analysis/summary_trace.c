/* SPDX-License-Identifier: GPL-3.0-or-later */
/* summary_trace.c - see summary_trace.h. */
#include "summary_trace.h"

#include <math.h>
#include <string.h>

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *number_at(sqlite3_stmt *query, int column)
{
    return sqlite3_column_type(query, column) == SQLITE_NULL
               ? json_null()
               : number(sqlite3_column_double(query, column));
}

static sqlite3_stmt *select_point(sqlite3 *db, int point, const char *sql, GError **error)
{
    sqlite3_stmt *query = database_prepare(db, sql, error);

    if (query != NULL) {
        sqlite3_bind_int(query, 1, point);
    }
    return query;
}

/* The nearest rank, as of every quantile in the summary. */
static json_t *quantile(const GArray *sorted, double q)
{
    double rank = ceil(q * sorted->len);

    return sorted->len == 0 ? json_null()
                            : json_real(g_array_index(sorted, double, (guint)fmax(rank, 1) - 1));
}

/* A delay of the calls that have one, as a query gives it in order. */
static bool put_delay(json_t *trace, const char *name, sqlite3_stmt *query, GError **error)
{
    g_autoptr(GArray) sorted = g_array_new(FALSE, FALSE, sizeof(double));
    GError *failure = NULL;
    double sum = 0;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        double ms = sqlite3_column_double(query, 0);

        g_array_append_val(sorted, ms);
        sum += ms;
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    json_object_set_new(trace, name,
                        json_pack("{s:o, s:o, s:o, s:o, s:o}", "mean", number(sum / sorted->len),
                                  "p50", quantile(sorted, 0.5), "p95", quantile(sorted, 0.95),
                                  "p99", quantile(sorted, 0.99), "max", quantile(sorted, 1)));
    return true;
}

static bool put_delays(json_t *trace, sqlite3 *db, int point, GError **error)
{
    static const char setup[] = "SELECT setup_ns / 1e6 FROM trace_calls WHERE point = ?"
                                " AND setup_ns IS NOT NULL ORDER BY setup_ns";
    static const char answer[] = "SELECT final_ns / 1e6 FROM trace_calls WHERE point = ?"
                                 " AND outcome = 'answered' AND final_ns IS NOT NULL"
                                 " ORDER BY final_ns";
    g_autoptr(sqlite3_stmt) setups = select_point(db, point, setup, error);
    g_autoptr(sqlite3_stmt) answers =
        setups != NULL ? select_point(db, point, answer, error) : NULL;

    return answers != NULL && put_delay(trace, "setup_ms", setups, error) &&
           put_delay(trace, "answer_ms", answers, error);
}

/* The parameters of a family by their names, as <analysis/fit.h> tells them. */
static json_t *parameters(const char *family, sqlite3_stmt *query)
{
    if (strcmp(family, "exponential") == 0) {
        return json_pack("{s:o}", "mean_s", number_at(query, 2));
    }
    if (strcmp(family, "lognormal") == 0) {
        return json_pack("{s:o, s:o}", "mu", number_at(query, 2), "sigma", number_at(query, 3));
    }
    return json_pack("{s:o, s:o}", "shape", number_at(query, 2), "scale_s", number_at(query, 3));
}

static void put_fit(json_t *fits, sqlite3_stmt *query)
{
    const char *quantity = (const char *)sqlite3_column_text(query, 0);
    const char *family = (const char *)sqlite3_column_text(query, 1);
    json_t *of = json_object_get(fits, quantity), *one = parameters(family, query);

    if (of == NULL) {
        of = json_pack("{s:I, s:I, s:o, s:o, s:n}", "n", (json_int_t)sqlite3_column_int64(query, 8),
                       "zero", (json_int_t)sqlite3_column_int64(query, 9), "mean_s",
                       number_at(query, 10), "median_s", number_at(query, 11), "best");
        json_object_set_new(fits, quantity, of);
    }
    if (sqlite3_column_int(query, 7)) {
        json_object_set_new(of, "best", json_string(family));
    }
    json_object_set_new(one, "log_likelihood", number_at(query, 4));
    json_object_set_new(one, "bic", number_at(query, 5));
    json_object_set_new(one, "ks", number_at(query, 6));
    json_object_set_new(of, family, one);
}

static bool put_fits(json_t *trace, sqlite3 *db, int point, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        select_point(db, point,
                     "SELECT quantity, family, a, b, log_likelihood, bic, ks, best, n, zero,"
                     " mean_s, median_s FROM trace_fits WHERE point = ?"
                     " ORDER BY quantity, family",
                     error);
    GError *failure = NULL;
    json_t *fits;

    if (query == NULL) {
        return false;
    }
    fits = json_object();
    json_object_set_new(trace, "fits", fits);
    while (database_next(query, &failure)) {
        put_fit(fits, query);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

bool summary_trace(json_t *root, sqlite3 *db, int point, GError **error)
{
    static const char *const counts[] = {"users",     "registrations", "calls",     "answered",
                                         "cancelled", "refused",       "unanswered"};
    g_autoptr(sqlite3_stmt) query =
        select_point(db, point,
                     "SELECT source, span_s, users, registrations, calls, answered, cancelled,"
                     " refused, unanswered, speed FROM trace WHERE point = ?",
                     error);
    GError *failure = NULL;
    json_t *trace;

    if (query == NULL) {
        return false;
    }
    if (!database_next(query, &failure)) {
        if (failure != NULL) {
            g_propagate_error(error, failure);
        }
        return failure == NULL;
    }
    trace = json_object();
    json_object_set_new(root, "trace", trace);
    json_object_set_new(trace, "source", json_string((const char *)sqlite3_column_text(query, 0)));
    json_object_set_new(trace, "span_seconds", number_at(query, 1));
    json_object_set_new(trace, "speed", number_at(query, 9));
    for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
        json_object_set_new(trace, counts[i],
                            json_integer(sqlite3_column_int64(query, 2 + (int)i)));
    }
    return put_delays(trace, db, point, error) && put_fits(trace, db, point, error);
}
