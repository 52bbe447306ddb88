/* SPDX-License-Identifier: GPL-3.0-or-later */
/* results_trace.c - see results_trace.h. */
#include "results_trace.h"

#include <analysis/history.h>
#include <math.h>
#include <stdlib.h>

/* Of a sorted sample a span is kept when the share below it has grown by so much, or that above it
 * shrunk to so much of what it was, so that both ends are drawn as they are. */
#define SHARE_STEP 0.002
#define REST_STEP 0.97

static bool clear(sqlite3 *db, unsigned point, GError **error)
{
    g_autofree char *sql = g_strdup_printf("DELETE FROM trace WHERE point = %u;"
                                           "DELETE FROM trace_calls WHERE point = %u;"
                                           "DELETE FROM trace_fits WHERE point = %u;"
                                           "DELETE FROM trace_spans WHERE point = %u;",
                                           point, point, point, point);

    return database_run(db, sql, error);
}

/* What stands in a capture need not be UTF-8, and a database holds nothing else. */
static void bind_text(sqlite3_stmt *insert, int column, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    sqlite3_bind_text(insert, column, valid, -1, SQLITE_TRANSIENT);
}

static void bind_span(sqlite3_stmt *insert, int column, PealSpan span)
{
    if (span.ns >= 0) {
        sqlite3_bind_int64(insert, column, span.ns);
    } else {
        sqlite3_bind_null(insert, column);
    }
}

static bool add_call(sqlite3_stmt *insert, uint32_t number, const ResultsTraceCall *call,
                     GError **error)
{
    sqlite3_bind_int64(insert, 2, number);
    sqlite3_bind_int64(insert, 3, call->at.ns);
    bind_text(insert, 4, call->caller);
    bind_text(insert, 5, call->callee);
    sqlite3_bind_text(insert, 6, history_outcome_name((HistoryOutcome)call->outcome), -1,
                      SQLITE_STATIC);
    if (call->status != 0) {
        sqlite3_bind_int(insert, 7, call->status);
    } else {
        sqlite3_bind_null(insert, 7);
    }
    bind_span(insert, 8, call->setup);
    bind_span(insert, 9, call->final);
    bind_span(insert, 10, call->cancel);
    bind_span(insert, 11, call->talk);
    return database_insert(insert, error);
}

/* The same calls that a recorder keeps. */
static uint32_t step_for(uint32_t calls)
{
    uint32_t step = 1;

    while (calls / step + (calls % step != 0) > RECORDER_REPLAYED_MAX) {
        step *= 2;
    }
    return step;
}

static bool add_calls(sqlite3 *db, unsigned point, const ResultsTrace *trace,
                      uint32_t ret_by_outcome[HISTORY_UNANSWERED + 1], GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO trace_calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         error);
    uint32_t step = step_for(trace->calls);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, point);
    for (uint32_t i = 0; i < trace->calls; i++) {
        ResultsTraceCall call = {.setup = {-1}, .final = {-1}, .cancel = {-1}, .talk = {-1}};

        trace->call(trace->user, i, &call);
        PEAL_ASSERT(call.outcome <= HISTORY_UNANSWERED);
        ret_by_outcome[call.outcome]++;
        if (i % step == 0 && !add_call(insert, i, &call, error)) {
            return false;
        }
    }
    return true;
}

static bool add_head(sqlite3 *db, unsigned point, const ResultsTrace *trace,
                     const uint32_t by_outcome[HISTORY_UNANSWERED + 1], GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO trace VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, point);
    bind_text(insert, 2, trace->source);
    sqlite3_bind_double(insert, 3, (double)trace->span.ns / (double)PEAL_NS_PER_S);
    sqlite3_bind_int64(insert, 4, (gint64)trace->users);
    sqlite3_bind_int64(insert, 5, (gint64)trace->registrations);
    sqlite3_bind_int64(insert, 6, trace->calls);
    sqlite3_bind_int64(insert, 7, step_for(trace->calls));
    for (int i = 0; i <= HISTORY_UNANSWERED; i++) {
        sqlite3_bind_int64(insert, 8 + i, by_outcome[i]);
    }
    sqlite3_bind_double(insert, 12, trace->speed);
    return database_insert(insert, error);
}

static bool add_fit(sqlite3 *db, unsigned point, const ResultsTraceFit *trace, GError **error)
{
    const Fit *fit = trace->fit;
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db,
                         "INSERT INTO trace_fits VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, point);
    sqlite3_bind_text(insert, 2, trace->quantity, -1, SQLITE_STATIC);
    for (int i = 0; i < FIT_FAMILIES; i++) {
        const FitOne *one = &fit->of[i];

        sqlite3_bind_text(insert, 3, fit_family_name((FitFamily)i), -1, SQLITE_STATIC);
        database_bind_double(insert, 4, one->known ? one->a : NAN);
        database_bind_double(insert, 5, one->known && i != FIT_EXPONENTIAL ? one->b : NAN);
        database_bind_double(insert, 6, one->known ? one->log_likelihood : NAN);
        database_bind_double(insert, 7, one->known ? one->bic : NAN);
        database_bind_double(insert, 8, one->known ? one->ks : NAN);
        sqlite3_bind_int(insert, 9, fit->best == i);
        sqlite3_bind_int64(insert, 10, (gint64)fit->n);
        sqlite3_bind_int64(insert, 11, (gint64)fit->zero);
        database_bind_double(insert, 12, fit->mean);
        database_bind_double(insert, 13, fit->median);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;

    return (one > other) - (one < other);
}

/* The empirical distribution of the spans above 0, each different one once. */
static bool add_spans(sqlite3 *db, unsigned point, const ResultsTraceFit *trace, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO trace_spans VALUES (?, ?, ?, ?)", error);
    g_autofree double *spans = g_memdup2(trace->spans, trace->len * sizeof(*spans));
    double kept = 0;
    size_t begin = 0;

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, point);
    sqlite3_bind_text(insert, 2, trace->quantity, -1, SQLITE_STATIC);
    if (trace->len > 0) {
        qsort(spans, trace->len, sizeof(*spans), compare_doubles);
    }
    while (begin < trace->len && !(spans[begin] > 0)) {
        begin++;
    }
    for (size_t i = begin; i < trace->len; i++) {
        double share = (double)(i + 1 - begin) / (double)(trace->len - begin);
        bool last = i + 1 == trace->len;

        if ((!last && spans[i + 1] == spans[i]) ||
            (!last && kept > 0 && share - kept < SHARE_STEP &&
             1 - share > REST_STEP * (1 - kept))) {
            continue;
        }
        sqlite3_bind_double(insert, 3, spans[i]);
        sqlite3_bind_double(insert, 4, share);
        if (!database_insert(insert, error)) {
            return false;
        }
        kept = share;
    }
    return true;
}

bool results_trace_write(sqlite3 *db, unsigned point, const ResultsTrace *trace, GError **error)
{
    uint32_t by_outcome[HISTORY_UNANSWERED + 1] = {0};

    if (!clear(db, point, error) || !add_calls(db, point, trace, by_outcome, error) ||
        !add_head(db, point, trace, by_outcome, error)) {
        return false;
    }
    for (size_t i = 0; i < trace->fits_len; i++) {
        if (!add_fit(db, point, &trace->fits[i], error) ||
            !add_spans(db, point, &trace->fits[i], error)) {
            return false;
        }
    }
    return true;
}
