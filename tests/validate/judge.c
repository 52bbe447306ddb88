/* SPDX-License-Identifier: GPL-3.0-or-later */
/* judge.c - see judge.h. */
#include "judge.h"

#include "capture.h"

#include <math.h>
#include <sqlite3.h>

G_DEFINE_QUARK(validate - judge - error, judge_error)

/* The replications of the point, as the head of a query. */
static char *here_sql(const Query *query)
{
    GString *sql = g_string_new("WITH here AS (SELECT id, seed FROM replications WHERE 1");
    char **texts = g_strsplit(query->point != NULL ? query->point : "", "; ", -1);

    for (char **text = texts; *text != NULL; text++) {
        const char *equals = strchr(*text, '=');
        g_autofree char *key = equals != NULL ? g_strndup(*text, (gsize)(equals - *text)) : NULL;
        char *condition =
            key == NULL
                ? NULL
                : sqlite3_mprintf(" AND EXISTS (SELECT 1 FROM parameters WHERE parameters.point = "
                                  "replications.point AND key = %Q AND value = %Q)",
                                  key, equals + 1);

        g_string_append(sql, condition != NULL ? condition : "");
        sqlite3_free(condition);
    }
    g_strfreev(texts);
    g_string_append(sql, " ORDER BY point, replication) ");
    g_string_append(sql, query->sql);
    return g_string_free(sql, FALSE);
}

static bool read_rows(sqlite3 *db, sqlite3_stmt *statement, const Query *query, GArray *ret_values,
                      GError **error)
{
    const char *point = query->point != NULL ? query->point : "all points";
    guint len = ret_values->len;
    int status;

    while ((status = sqlite3_step(statement)) == SQLITE_ROW) {
        double value = sqlite3_column_double(statement, 0);

        if (sqlite3_column_type(statement, 0) == SQLITE_NULL) {
            g_set_error(error, JUDGE_ERROR, 0, "%s, %s: a replication has no such figure",
                        query->scenario, point);
            return false;
        }
        g_array_append_val(ret_values, value);
    }
    if (status != SQLITE_DONE) {
        g_set_error(error, JUDGE_ERROR, 0, "%s: %s", query->scenario, sqlite3_errmsg(db));
        return false;
    }
    if (ret_values->len == len) {
        g_set_error(error, JUDGE_ERROR, 0, "%s, %s: no observations", query->scenario, point);
        return false;
    }
    return true;
}

/* Figures of a replication that did not run to its end are none. */
static bool is_whole(sqlite3 *db)
{
    static const char SQL[] =
        "SELECT count(*) FROM replications WHERE NOT interrupted HAVING count(*) >= "
        "(SELECT value FROM run WHERE key = 'points') * "
        "(SELECT value FROM run WHERE key = 'replications')";
    sqlite3_stmt *statement = NULL;
    bool whole = sqlite3_prepare_v2(db, SQL, -1, &statement, NULL) == SQLITE_OK &&
                 sqlite3_step(statement) == SQLITE_ROW;

    sqlite3_finalize(statement);
    return whole;
}

static bool observe_figures(const char *results, const Query *query, GArray *ret_values,
                            GError **error)
{
    g_autofree char *path = g_build_filename(results, query->scenario, "results.db", NULL);
    g_autofree char *sql = here_sql(query);
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    bool good = false;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        g_set_error(error, JUDGE_ERROR, 0, "%s: %s", path, sqlite3_errmsg(db));
    } else if (!is_whole(db)) {
        g_set_error(error, JUDGE_ERROR, 0, "%s: the run did not come to its end", path);
    } else {
        good = read_rows(db, statement, query, ret_values, error);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return good;
}

static bool observe_capture(const char *results, const Query *query, GArray *ret_values,
                            GError **error)
{
    g_autofree char *path = g_strdup_printf("%s/%s.pcap", results, query->scenario);
    g_autofree char *wrong = capture_answer(path, query->sql, ret_values);

    if (wrong != NULL) {
        g_set_error(error, JUDGE_ERROR, 0, "%s: %s", path, wrong);
    }
    return wrong == NULL;
}

bool judge_observe(const char *results, const Query *query, GArray *ret_values, GError **error)
{
    return capture_asked(query->sql) ? observe_capture(results, query, ret_values, error)
                                     : observe_figures(results, query, ret_values, error);
}

static bool is_exact(const GArray *values, double expected)
{
    for (guint i = 0; i < values->len; i++) {
        if (g_array_index(values, double, i) != expected) {
            return false;
        }
    }
    return true;
}

static bool is_good(const Check *check, const Verdict *verdict, const GArray *values)
{
    double off = verdict->measured.mean - verdict->expected;

    switch (check->rule) {
    case RULE_EXACT:
        return is_exact(values, verdict->expected);
    case RULE_ABSOLUTE:
        return fabs(off) <= check->tolerance;
    case RULE_RELATIVE:
        return fabs(off) <= check->tolerance * fabs(verdict->expected);
    case RULE_SIGMA:
        return verdict->measured.has_interval &&
               fabs(off) <= check->tolerance * verdict->measured.deviation /
                                sqrt((double)verdict->measured.count);
    case RULE_AT_MOST:
        return off <= check->tolerance;
    case RULE_NONE:
        return true;
    }
    return false;
}

bool judge_check(const char *results, const Check *check, Verdict *ret_verdict, GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    Verdict verdict = {.expected = check->expected};

    if (check->expects.sql != NULL) {
        g_autoptr(GArray) expected = g_array_new(FALSE, FALSE, sizeof(double));

        if (!judge_observe(results, &check->expects, expected, error)) {
            return false;
        }
        verdict.expected = stats_mean((const double *)(void *)expected->data, expected->len).mean;
    }
    if (!judge_observe(results, &check->measured, values, error)) {
        return false;
    }
    verdict.measured = stats_mean((const double *)(void *)values->data, values->len);
    verdict.good = is_good(check, &verdict, values);
    *ret_verdict = verdict;
    return true;
}

char *judge_tolerance(const Check *check)
{
    switch (check->rule) {
    case RULE_EXACT:
        return g_strdup("exact");
    case RULE_ABSOLUTE:
        return g_strdup_printf("%g", check->tolerance);
    case RULE_RELATIVE:
        return g_strdup_printf("%g %%", 100 * check->tolerance);
    case RULE_SIGMA:
        return g_strdup_printf("%g sigma", check->tolerance);
    case RULE_AT_MOST:
        return check->tolerance > 0 ? g_strdup_printf("at most, and %g", check->tolerance)
                                    : g_strdup("at most");
    case RULE_NONE:
        return g_strdup("context");
    }
    return NULL;
}
