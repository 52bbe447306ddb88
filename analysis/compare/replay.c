/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay.c - see replay.h. */
#include "compare/replay.h"

#include "figure/trace.h"

#include <string.h>

/* A call in one replication. */
typedef struct Row {
    gint64 replication;
    gint64 call;
    int end; /* see trace_end_name */
    bool as_in_trace;
} Row;

/* False at the end, or with an error. */
static bool next(sqlite3_stmt *query, Row *ret_row, GError **error)
{
    const char *end;

    if (!database_next(query, error)) {
        return false;
    }
    end = (const char *)sqlite3_column_text(query, 2);
    *ret_row = (Row){.replication = sqlite3_column_int64(query, 0),
                     .call = sqlite3_column_int64(query, 1),
                     .end = trace_end_find(end),
                     .as_in_trace = strcmp((const char *)sqlite3_column_text(query, 3), end) == 0};
    return true;
}

static sqlite3_stmt *query_calls(sqlite3 *db, GError **error)
{
    return database_prepare(db,
                            "SELECT r.replication, c.call, " TRACE_END_SQL ", t.outcome"
                            " FROM replications r JOIN replay_calls c ON c.replication_id = r.id"
                            " JOIN trace_calls t ON t.point = r.point AND t.call = c.call"
                            " ORDER BY r.replication, c.call",
                            error);
}

static int compare_rows(const Row *a, const Row *b)
{
    if (a->replication != b->replication) {
        return a->replication < b->replication ? -1 : 1;
    }
    return (a->call > b->call) - (a->call < b->call);
}

static void count(CompareReplay *replay, const Row *a, const Row *b)
{
    replay->calls++;
    replay->as_in_trace[0] += a->as_in_trace;
    replay->as_in_trace[1] += b->as_in_trace;
    replay->alike += a->end == b->end;
}

/* Walks both in the order of replications and calls. */
static bool walk(sqlite3_stmt *a, sqlite3_stmt *b, CompareReplay *replay, GError **error)
{
    GError *failure = NULL;
    Row one, other;
    bool in_a = next(a, &one, &failure);
    bool in_b = failure == NULL && next(b, &other, &failure);

    while (in_a && in_b && failure == NULL) {
        int order = compare_rows(&one, &other);

        if (order == 0) {
            count(replay, &one, &other);
        }
        in_a = order > 0 || next(a, &one, &failure);
        in_b = failure == NULL && (order < 0 || next(b, &other, &failure));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* The trace of the only point: its name without directories, and its calls; NULL without one. */
static char *trace_of(const Side *side, GError **error)
{
    const Case only = {.db = side->db};
    g_auto(CaseTrace) trace = {0};
    g_autofree char *name = NULL;

    if (!case_trace(&only, &trace, error) || trace.source == NULL) {
        return NULL;
    }
    name = g_path_get_basename(trace.source);
    return g_strdup_printf("%s %" G_GINT64_FORMAT, name, trace.calls);
}

bool compare_replay(const Side *a, const Side *b, CompareReplay *ret_replay, GError **error)
{
    GError *failure = NULL;
    g_autofree char *one = trace_of(a, &failure);
    g_autofree char *other = failure == NULL ? trace_of(b, &failure) : NULL;
    g_autoptr(sqlite3_stmt) of_a = NULL;
    g_autoptr(sqlite3_stmt) of_b = NULL;

    *ret_replay = (CompareReplay){0};
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    if (one == NULL || g_strcmp0(one, other) != 0) {
        return true;
    }
    ret_replay->known = true;
    of_a = query_calls(a->db, error);
    of_b = of_a != NULL ? query_calls(b->db, error) : NULL;
    return of_b != NULL && walk(of_a, of_b, ret_replay, error);
}
