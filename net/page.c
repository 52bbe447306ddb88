/* SPDX-License-Identifier: GPL-3.0-or-later */
/* page.c - the status page: one document, no script, nothing loaded from elsewhere. */
#include "page.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { PAGE_ROUNDS_MAX = 12, PAGE_IDS_MAX = 32, PAGE_REFRESH_S = 10 };

static const char STYLE[] =
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}"
    "table{border-collapse:collapse}"
    "th,td{text-align:left;padding:.15rem 1.5rem .15rem 0;vertical-align:top}"
    "th{font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}"
    "code{font-size:.9em;overflow-wrap:anywhere}"
    ".ok,.bad{color:#fff;border-radius:.3rem;padding:.1rem .6rem}"
    ".ok{background:#1a7f37}.bad{background:#b3261e}";

/* Pieces. */

static void page_put_escaped(GString *page, const char *text)
{
    g_autofree char *escaped = g_markup_escape_text(text != NULL ? text : "", -1);

    g_string_append(page, escaped);
}

static const char *page_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static json_int_t page_number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* Cells of a table. */

static void page_put_text(GString *page, const json_t *value)
{
    g_string_append(page, "<td>");
    page_put_escaped(page, json_string_value(value));
    g_string_append(page, "</td>");
}

static void page_put_count(GString *page, const json_t *value)
{
    g_string_append_printf(page, "<td class=\"n\">%" JSON_INTEGER_FORMAT "</td>",
                           json_integer_value(value));
}

/* A list of texts in one cell. Several fingers in a row may be one peer: it is named once. */
static void page_put_list(GString *page, const json_t *list)
{
    size_t len = json_array_size(list);
    const char *last = NULL;

    g_string_append(page, "<td>");
    for (size_t i = 0; i < MIN(len, (size_t)PAGE_IDS_MAX); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (g_strcmp0(text, last) == 0) {
            continue;
        }
        g_string_append(page, i > 0 ? "<br><code>" : "<code>");
        page_put_escaped(page, text);
        g_string_append(page, "</code>");
        last = text;
    }
    if (len > PAGE_IDS_MAX) {
        g_string_append_printf(page, "<br>and %zu more", len - PAGE_IDS_MAX);
    }
    g_string_append(page, len == 0 ? "none</td>" : "</td>");
}

static void page_put_span(GString *page, const json_t *seconds)
{
    long whole = (long)json_number_value(seconds);

    g_string_append(page, "<td>");
    if (whole < 60) {
        g_string_append_printf(page, "%ld s", whole);
    } else if (whole < 3600) {
        g_string_append_printf(page, "%ld min %ld s", whole / 60, whole % 60);
    } else {
        g_string_append_printf(page, "%ld d %ld h %ld min", whole / 86400, whole / 3600 % 24,
                               whole / 60 % 60);
    }
    g_string_append(page, "</td>");
}

typedef struct PageRow {
    const char *name;
    const char *part; /* member of the status that holds it; NULL: the status itself */
    const char *key;
    void (*put)(GString *page, const json_t *value);
} PageRow;

static const json_t *page_member(const json_t *status, const char *part, const char *key)
{
    return json_object_get(part != NULL ? json_object_get(status, part) : status, key);
}

static void page_put_rows(GString *page, const json_t *status, const PageRow *rows, size_t len)
{
    g_string_append(page, "<table>\n");
    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(page, "<tr><th>%s</th>", rows[i].name);
        rows[i].put(page, page_member(status, rows[i].part, rows[i].key));
        g_string_append(page, "</tr>\n");
    }
    g_string_append(page, "</table>\n");
}

/* Sections. */

static void page_put_head(GString *page, const json_t *status)
{
    bool healthy = json_is_true(json_object_get(status, "healthy"));
    const char *id = page_text(status, "node_id");

    g_string_append_printf(page,
                           "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                           "<meta name=\"viewport\" content=\"width=device-width\">\n"
                           "<meta http-equiv=\"refresh\" content=\"%d\">\n"
                           "<title>%s - Peal node ",
                           PAGE_REFRESH_S, healthy ? "healthy" : "NOT HEALTHY");
    page_put_escaped(page, id);
    g_string_append_printf(page,
                           "</title>\n<style>%s</style>\n</head>\n<body>\n"
                           "<h1>Peal node <code>",
                           STYLE);
    page_put_escaped(page, id);
    g_string_append_printf(page, "</code> <span class=\"%s\">%s</span></h1>\n",
                           healthy ? "ok" : "bad", healthy ? "healthy" : "not healthy");
    if (!healthy) {
        g_string_append(page, "<p>Why not: ");
        page_put_escaped(page, page_text(json_object_get(status, "health"), "why"));
        g_string_append(page, ".</p>\n");
    }
}

static void page_put_node(GString *page, const json_t *status)
{
    static const PageRow ROWS[] = {
        {"Overlay", NULL, "overlay", page_put_text},
        {"State", NULL, "state", page_put_text},
        {"Running for", NULL, "uptime_s", page_put_span},
        {"RELOAD", "addresses", "reload", page_put_list},
        {"SIP", "addresses", "sip", page_put_list},
        {"Version", NULL, "version", page_put_text},
    };

    page_put_rows(page, status, ROWS, G_N_ELEMENTS(ROWS));
}

static void page_put_sip(GString *page, const json_t *status)
{
    static const PageRow ROWS[] = {
        {"Domains", "sip", "domains", page_put_list},
        {"Registrations", NULL, "registrations", page_put_count},
        {"Contacts", "sip", "bindings", page_put_count},
        {"Calls being set up", "sip", "calls", page_put_count},
        {"Transactions", "sip", "transactions", page_put_count},
        {"Other adapters in use", "sip", "adapters", page_put_count},
        {"Requests so far", "sip", "requests", page_put_count},
        {"Malformed messages", "sip", "malformed", page_put_count},
        {"TCP connections", "sip", "connections", page_put_count},
        {"Refused before any work", "gate", "refused", page_put_count},
        {"Dropped before any work", "gate", "dropped", page_put_count},
    };

    g_string_append(page, "<h2>Phones</h2>\n");
    page_put_rows(page, status, ROWS, G_N_ELEMENTS(ROWS));
}

static void page_put_contacts(GString *page, const json_t *status)
{
    const json_t *list = json_object_get(status, "contacts");
    size_t len = json_array_size(list);

    if (len == 0) {
        return;
    }
    g_string_append(page, "<h2>Contacts</h2>\n<table>\n<tr><th>Contact</th><th>Registered from</th>"
                          "<th>for, s</th></tr>\n");
    for (size_t i = 0; i < len; i++) {
        const json_t *contact = json_array_get(list, i);
        const char *from = page_text(contact, "from");

        g_string_append(page, "<tr><td><code>");
        page_put_escaped(page, page_text(contact, "contact"));
        g_string_append(page, "</code></td><td>");
        page_put_escaped(page, from[0] != '\0' ? from : "the operator");
        g_string_append(page, from[0] != '\0' ? " " : "");
        page_put_escaped(page, page_text(contact, "transport"));
        g_string_append(page, "</td>");
        page_put_count(page, json_object_get(contact, "expires_s"));
        g_string_append(page, "</tr>\n");
    }
    g_string_append(page, "</table>\n");
    if ((json_int_t)len < page_number(json_object_get(status, "sip"), "bindings")) {
        g_string_append(page, "<p>There are more.</p>\n");
    }
}

static void page_put_overlay(GString *page, const json_t *status)
{
    static const PageRow ROWS[] = {
        {"Linked peers", NULL, "peers", page_put_count},
        {"Successors", NULL, "successors", page_put_list},
        {"Predecessors", NULL, "predecessors", page_put_list},
        {"Fingers", NULL, "fingers", page_put_list},
        {"Resources stored here", NULL, "resources", page_put_count},
    };

    g_string_append(page, "<h2>Overlay</h2>\n");
    page_put_rows(page, status, ROWS, G_N_ELEMENTS(ROWS));
}

static void page_put_traffic(GString *page, const json_t *status)
{
    const json_t *traffic = json_object_get(status, "traffic");

    g_string_append(page, "<h2>Traffic</h2>\n<table>\n<tr><th></th><th>in</th><th>out</th></tr>\n"
                          "<tr><th>Packets</th>");
    page_put_count(page, json_object_get(traffic, "packets_in"));
    page_put_count(page, json_object_get(traffic, "packets_out"));
    g_string_append(page, "</tr>\n<tr><th>Bytes</th>");
    page_put_count(page, json_object_get(traffic, "bytes_in"));
    page_put_count(page, json_object_get(traffic, "bytes_out"));
    g_string_append(page, "</tr>\n</table>\n");
}

static void page_put_round(GString *page, const json_t *round)
{
    g_autoptr(GDateTime) at =
        g_date_time_new_from_unix_utc((gint64)(page_number(round, "unix_ms") / 1000));
    g_autofree char *when = at != NULL ? g_date_time_format(at, "%Y-%m-%d %H:%M:%S") : NULL;

    g_string_append_printf(page, "<tr><td>%s</td>", when != NULL ? when : "");
    if (json_is_true(json_object_get(round, "ok"))) {
        g_string_append_printf(page,
                               "<td>worked</td><td class=\"n\">%.1f</td>"
                               "<td class=\"n\">%.1f</td></tr>\n",
                               json_number_value(json_object_get(round, "put_ms")),
                               json_number_value(json_object_get(round, "get_ms")));
        return;
    }
    g_string_append(page, "<td colspan=\"3\">");
    page_put_escaped(page, page_text(round, "failed"));
    g_string_append(page, " (");
    page_put_escaped(page, page_text(round, "error"));
    g_string_append(page, ")</td></tr>\n");
}

static void page_put_health(GString *page, const json_t *status)
{
    const json_t *health = json_object_get(status, "health");
    const json_t *rounds = json_object_get(health, "rounds");
    size_t len = json_array_size(rounds);

    g_string_append_printf(page,
                           "<h2>Health</h2>\n<p>Healthy means that this node has joined, and that "
                           "values it has just put into the overlay came back. What stops working "
                           "shows within %" JSON_INTEGER_FORMAT " s.</p>\n<table>\n"
                           "<tr><th>When (UTC)</th><th>Put and get</th><th>put, ms</th>"
                           "<th>get, ms</th></tr>\n",
                           page_number(health, "red_within_s"));
    for (size_t i = 0; i < MIN(len, (size_t)PAGE_ROUNDS_MAX); i++) {
        page_put_round(page, json_array_get(rounds, i));
    }
    g_string_append(page, "</table>\n");
}

char *page_html(const json_t *status)
{
    GString *page = g_string_sized_new(8192);

    page_put_head(page, status);
    page_put_node(page, status);
    page_put_sip(page, status);
    page_put_contacts(page, status);
    page_put_overlay(page, status);
    page_put_traffic(page, status);
    page_put_health(page, status);
    g_string_append(page, "<p>For programs: <a href=\"/status.json\">status.json</a>, "
                          "<a href=\"/metrics\">metrics</a>.</p>\n</body>\n</html>\n");
    return g_string_free(page, FALSE);
}

/* Metrics. */

typedef struct PageMetric {
    const char *name;
    const char *part; /* member of the status that holds it; NULL: the status itself */
    const char *key;
    const char *type;
    const char *help;
} PageMetric;

static const PageMetric METRICS[] = {
    {"peal_healthy", NULL, "healthy", "gauge", "1 when a put and a get just worked"},
    {"peal_linked_peers", NULL, "peers", "gauge", "Other peers that are linked"},
    {"peal_resources", NULL, "resources", "gauge", "Resource-IDs stored here"},
    {"peal_memory_bytes", NULL, "memory", "gauge", "Memory that the peer holds"},
    {"peal_uptime_seconds", NULL, "uptime_s", "gauge", "Since the node was started"},
    {"peal_registrations", NULL, "registrations", "gauge", "AORs registered here"},
    {"peal_contacts", "sip", "bindings", "gauge", "Contacts registered here"},
    {"peal_sip_transactions", "sip", "transactions", "gauge", "SIP transactions at work"},
    {"peal_sip_calls", "sip", "calls", "gauge", "Calls being set up"},
    {"peal_sip_connections", "sip", "connections", "gauge", "TCP connections of phones"},
    {"peal_sip_requests_total", "sip", "requests", "counter", "SIP requests received"},
    {"peal_sip_malformed_total", "sip", "malformed", "counter", "Malformed SIP messages"},
    {"peal_refused_total", "gate", "refused", "counter", "SIP requests refused before any work"},
    {"peal_dropped_total", "gate", "dropped", "counter", "Messages dropped before any work"},
    {"peal_sources", "gate", "sources", "gauge", "Sources that are being counted"},
    {"peal_sources_known", "gate", "known", "gauge", "Of them, those that are known"},
    {"peal_bytes_in_total", "traffic", "bytes_in", "counter", "Bytes received"},
    {"peal_bytes_out_total", "traffic", "bytes_out", "counter", "Bytes sent"},
    {"peal_packets_in_total", "traffic", "packets_in", "counter", "Packets received"},
    {"peal_packets_out_total", "traffic", "packets_out", "counter", "Packets sent"},
};

char *page_metrics(const json_t *status)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(METRICS); i++) {
        const PageMetric *metric = &METRICS[i];
        const json_t *value = page_member(status, metric->part, metric->key);
        char number[G_ASCII_DTOSTR_BUF_SIZE];

        g_ascii_dtostr(number, sizeof(number),
                       json_is_true(value) ? 1.0 : json_number_value(value));
        g_string_append_printf(text, "# HELP %s %s\n# TYPE %s %s\n%s %s\n", metric->name,
                               metric->help, metric->name, metric->type, metric->name, number);
    }
    return g_string_free(text, FALSE);
}
