/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trace.c - see trace.h. */
#include "figure/trace.h"

#include <string.h>

const char *trace_end_name(int end)
{
    return end == TRACE_UNDER_WAY   ? "under way"
           : end == TRACE_NOT_BEGUN ? "not begun"
                                    : history_outcome_name((HistoryOutcome)end);
}

int trace_end_find(const char *name)
{
    int end = 0;

    while (end < TRACE_ENDS - 1 && strcmp(trace_end_name(end), name) != 0) {
        end++;
    }
    return end;
}

void case_trace_clear(CaseTrace *trace)
{
    g_clear_pointer(&trace->source, g_free);
    g_clear_pointer(&trace->key, g_free);
}

bool case_trace(const Case *which, CaseTrace *ret_trace, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        case_query(which,
                   "SELECT source, calls, step, answered, cancelled, refused, unanswered, span_s,"
                   " speed"
                   " FROM trace WHERE point = ?",
                   NULL, error);
    GError *failure = NULL;

    *ret_trace = (CaseTrace){0};
    if (query == NULL) {
        return false;
    }
    if (database_next(query, &failure)) {
        ret_trace->source = g_strdup((const char *)sqlite3_column_text(query, 0));
        ret_trace->calls = sqlite3_column_int64(query, 1);
        ret_trace->step = sqlite3_column_int64(query, 2);
        for (int i = 0; i <= HISTORY_UNANSWERED; i++) {
            ret_trace->ends[i] = sqlite3_column_int64(query, 3 + i);
        }
        ret_trace->speed = sqlite3_column_double(query, 8);
        ret_trace->key = g_strdup_printf("%s %" G_GINT64_FORMAT " %.9g", ret_trace->source,
                                         ret_trace->calls, sqlite3_column_double(query, 7));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

char *trace_label(const CaseTrace *trace, const char *label)
{
    return trace->speed == 1 ? g_strdup(label)
                             : g_strdup_printf("%s, at %g times the speed", label, trace->speed);
}

bool trace_ends(const Case *which, int replication, gint64 ret_ends[TRACE_ENDS], GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        case_query(which,
                   "SELECT " TRACE_END_SQL ", count(*) FROM replay_calls c JOIN replications r"
                   " ON r.id = c.replication_id WHERE r.point = ?1 AND (?2 < 0 OR"
                   " r.replication = ?2) GROUP BY 1",
                   NULL, error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 2, replication);
    memset(ret_ends, 0, TRACE_ENDS * sizeof(*ret_ends));
    while (database_next(query, &failure)) {
        const char *name = (const char *)sqlite3_column_text(query, 0);

        ret_ends[trace_end_find(name)] = sqlite3_column_int64(query, 1);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}
