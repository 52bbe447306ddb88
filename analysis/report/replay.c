/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay.c - see facts.h: the calls of a replayed trace, there and in the overlay.
 */
#include "figure/trace.h"
#include "report/facts.h"
#include "report/html.h"

#include <string.h>

/* More points are not read, nor more calls; those that ended otherwise come first then. */
enum { POINTS_MAX = 6, CALLS_MAX = 200 };

typedef struct Ends {
    gint64 count[TRACE_ENDS][TRACE_ENDS]; /* in the trace, here */
    gint64 there[TRACE_ENDS];
    gint64 here[TRACE_ENDS];
    gint64 calls;
    gint64 same;
} Ends;

static bool read_ends(const Case *one, Ends *ends, GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(
        one,
        "SELECT t.outcome, " TRACE_END_SQL ", count(*) FROM replay_calls c JOIN replications r"
        " ON r.id = c.replication_id JOIN trace_calls t ON t.point = r.point AND t.call = c.call"
        " WHERE r.point = ?1 GROUP BY 1, 2",
        NULL, error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        int there = trace_end_find((const char *)sqlite3_column_text(query, 0));
        int here = trace_end_find((const char *)sqlite3_column_text(query, 1));
        gint64 count = sqlite3_column_int64(query, 2);

        ends->count[there][here] += count;
        ends->there[there] += count;
        ends->here[here] += count;
        ends->calls += count;
        ends->same += there == here ? count : 0;
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static void add_ends(GString *page, const Ends *ends)
{
    g_string_append_printf(
        page,
        "<div class=\"table\"><table><caption>Calls by how they ended in the "
        "trace (rows) and here (columns), all replications together: %" G_GINT64_FORMAT
        " of %" G_GINT64_FORMAT " as in the trace</caption><thead><tr><th>in the trace</th>",
        ends->same, ends->calls);
    for (int here = 0; here < TRACE_ENDS; here++) {
        if (ends->here[here] + ends->there[here] > 0) {
            html_element(page, "th", NULL, trace_end_name(here));
        }
    }
    g_string_append(page, "</tr></thead><tbody>");
    for (int there = 0; there < TRACE_ENDS; there++) {
        if (ends->there[there] == 0) {
            continue;
        }
        g_string_append(page, "<tr>");
        html_element(page, "td", NULL, trace_end_name(there));
        for (int here = 0; here < TRACE_ENDS; here++) {
            if (ends->here[here] + ends->there[here] > 0) {
                g_string_append_printf(page, "<td>%" G_GINT64_FORMAT "</td>",
                                       ends->count[there][here]);
            }
        }
        g_string_append(page, "</tr>");
    }
    g_string_append(page, "</tbody></table></div>");
}

/* Single calls. A row is a call and one of the ways in which it ended, over the replications. */

static const char CALLS_SQL[] =
    "WITH ended AS (SELECT c.call AS call, " TRACE_END_SQL
    " AS here, c.status AS status, count(*) AS times,"
    " avg(c.setup_ns) AS setup_ns FROM replay_calls c JOIN replications r"
    " ON r.id = c.replication_id WHERE r.point = ?1 GROUP BY 1, 2, 3),"
    " chosen AS (SELECT t.call AS call, max(e.here <> t.outcome) AS differs FROM trace_calls t"
    " JOIN ended e ON e.call = t.call WHERE t.point = ?1 GROUP BY t.call"
    " ORDER BY differs DESC, t.call LIMIT ?2)"
    " SELECT t.call, t.at_ns / 1e9, t.caller, t.callee, t.outcome, t.status, t.setup_ns / 1e6,"
    " e.here, e.status, e.times, e.setup_ns / 1e6 FROM chosen JOIN trace_calls t"
    " ON t.point = ?1 AND t.call = chosen.call JOIN ended e ON e.call = t.call"
    " ORDER BY CASE WHEN ?3 THEN 0 ELSE -chosen.differs END, t.call, e.times DESC, e.here, "
    "e.status";

static const char *text_at(sqlite3_stmt *query, int column)
{
    const char *text = (const char *)sqlite3_column_text(query, column);

    return text != NULL ? text : "";
}

/* "answered 200" */
static void append_end(GString *text, sqlite3_stmt *query, int end, int status)
{
    g_string_append(text, text_at(query, end));
    if (sqlite3_column_type(query, status) != SQLITE_NULL) {
        g_string_append_printf(text, " %d", sqlite3_column_int(query, status));
    }
}

static void add_ms(GString *page, sqlite3_stmt *query, int column)
{
    if (sqlite3_column_type(query, column) == SQLITE_NULL) {
        g_string_append(page, "<td>–</td>");
    } else {
        double ms = sqlite3_column_double(query, column);

        g_string_append_printf(page, "<td>%.*f</td>", ms >= 100 ? 0 : ms >= 1 ? 1 : 2, ms);
    }
}

/* How a call was in the trace; how it ended here follows. */
static void begin_call(GString *page, sqlite3_stmt *query)
{
    g_autoptr(GString) there = g_string_new(NULL);

    append_end(there, query, 4, 5);
    g_string_append_printf(page, "<tr><td>%" G_GINT64_FORMAT "</td><td>%.3f</td>",
                           (gint64)sqlite3_column_int64(query, 0), sqlite3_column_double(query, 1));
    html_element(page, "td", "class=\"text\"", text_at(query, 2));
    html_element(page, "td", "class=\"text\"", text_at(query, 3));
    html_element(page, "td", "class=\"text\"", there->str);
    add_ms(page, query, 6);
}

/* The first way in which it ended comes with its set-up; others, with how often, below it. */
static void add_end(GString *page, sqlite3_stmt *query, bool first, unsigned replications)
{
    g_autoptr(GString) here = g_string_new(NULL);

    if (!first) {
        g_string_append(page, "<tr><td></td><td></td><td></td><td></td><td></td><td></td>");
    }
    append_end(here, query, 7, 8);
    if (replications > 1) {
        g_string_append_printf(here, " × %" G_GINT64_FORMAT,
                               (gint64)sqlite3_column_int64(query, 9));
    }
    if (strcmp(text_at(query, 7), text_at(query, 4)) == 0) {
        html_element(page, "td", "class=\"text\"", here->str);
    } else {
        g_string_append(page, "<td class=\"text\">");
        html_element(page, "strong", NULL, here->str);
        g_string_append(page, "</td>");
    }
    add_ms(page, query, 10);
    g_string_append(page, "</tr>");
}

static bool add_calls(GString *page, const Case *one, gint64 calls, GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(one, CALLS_SQL, NULL, error);
    GError *failure = NULL;
    gint64 last = -1;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 2, CALLS_MAX);
    sqlite3_bind_int(query, 3, calls <= CALLS_MAX);
    if (calls > CALLS_MAX) {
        g_string_append_printf(page,
                               "<details><summary>%d of the calls, those that ended otherwise "
                               "first</summary>",
                               CALLS_MAX);
    } else {
        g_string_append(page, "<details open><summary>Each call</summary>");
    }
    g_string_append(page, "<div class=\"table\"><table><thead><tr><th>call</th><th>at (s)</th>"
                          "<th class=\"text\">caller</th><th class=\"text\">callee</th>"
                          "<th class=\"text\">in the trace</th><th>set-up (ms)</th>"
                          "<th class=\"text\">here</th><th>set-up (ms)</th></tr></thead><tbody>");
    while (database_next(query, &failure)) {
        gint64 call = sqlite3_column_int64(query, 0);

        if (call != last) {
            begin_call(page, query);
        }
        add_end(page, query, call != last, one->replications);
        last = call;
    }
    g_string_append(page, "</tbody></table></div></details>");
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static bool add_case(GString *page, const Case *one, const CaseTrace *trace, GError **error)
{
    g_autofree char *source = g_path_get_basename(trace->source);
    g_autofree char *heading =
        g_strdup_printf("%s%s%s", one->label, *one->label != '\0' ? ": " : "", source);
    Ends ends = {0};

    if (!read_ends(one, &ends, error)) {
        return false;
    }
    html_element(page, "h3", NULL, heading);
    add_ends(page, &ends);
    return add_calls(page, one, (trace->calls + trace->step - 1) / trace->step, error);
}

bool facts_replay(const Cases *cases, GString *page, GError **error)
{
    bool any = false;

    for (guint i = 0; i < MIN(cases->cases->len, POINTS_MAX); i++) {
        const Case *one = cases_pick(cases, POINTS_MAX, i);
        g_auto(CaseTrace) trace = {0};

        if (!case_trace(one, &trace, error)) {
            return false;
        }
        if (trace.source == NULL || trace.calls == 0) {
            continue;
        }
        if (!any) {
            g_string_append(page, "<h2 id=\"replay\">Calls of the trace</h2>");
            any = true;
        }
        if (!add_case(page, one, &trace, error)) {
            return false;
        }
    }
    if (any && cases->cases->len > POINTS_MAX) {
        g_string_append_printf(page, "<p>%d of the %u points.</p>", POINTS_MAX, cases->cases->len);
    }
    return true;
}
