/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace.h - the trace that a case replays, and what became of its calls there.
 * Source: analysis/SCHEMA.md.   State: none.   Time: none.
 */
#ifndef FIGURE_TRACE_H
#define FIGURE_TRACE_H

#include "figure/cases.h"

#include <analysis/history.h>

/* What a call came to: a HistoryOutcome, or one of these. */
enum { TRACE_UNDER_WAY = HISTORY_UNANSWERED + 1, TRACE_NOT_BEGUN, TRACE_ENDS };

/* trace_end_name is "answered" ..., "under way", "not begun"; trace_end_find tells which one has a
 * name. */
const char *trace_end_name(int end);
int trace_end_find(const char *name);

/* TRACE_END_SQL is what a row of replay_calls, called c, came to, by that name. */
#define TRACE_END_SQL \
    "CASE WHEN NOT c.begun THEN 'not begun' ELSE coalesce(c.outcome, 'under way') END"

typedef struct CaseTrace {
    char *source; /* NULL: the case replays none */
    char *key;    /* the same for the same trace */
    gint64 calls;
    gint64 step;  /* one call in so many has rows */
    double speed; /* by which its times were divided */
    gint64 ends[TRACE_ENDS];
} CaseTrace;

/* case_trace reads it; clear it whatever it returns. False with RESULTS_ERROR_READ. */
bool case_trace(const Case *which, CaseTrace *ret_trace, GError **error);
void case_trace_clear(CaseTrace *trace);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CaseTrace, case_trace_clear)

/* trace_label is an axis of the trace's times, which says so where they are not as they were; to
 * g_free. */
char *trace_label(const CaseTrace *trace, const char *label);

/* trace_ends counts what the calls came to in one replication of a case, or in all of them
 * (replication -1). False with RESULTS_ERROR_READ. */
bool trace_ends(const Case *which, int replication, gint64 ret_ends[TRACE_ENDS], GError **error);

#endif
