/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * facts.c - see facts.h: the runs, their warnings, their commands and their keys. Tables of figures
 * are in tables.c.
 */
#include "report/facts.h"

#include "report/html.h"

#include <analysis/results.h>
#include <stdlib.h>
#include <string.h>

/* Fewer make intervals that are wide and lean on the values being normal. */
enum { REPLICATIONS_FEW = 5 };

static const CasesRun *run_at(const Cases *cases, guint i)
{
    return g_ptr_array_index(cases->runs, i);
}

static char *fact(const CasesRun *run, const char *key)
{
    char *value = database_fact(run->db, key);

    return value != NULL ? value : g_strdup("");
}

static bool one_number(sqlite3 *db, const char *sql, double *ret_value, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(db, sql, error);

    if (query == NULL || !database_next(query, error)) {
        return false;
    }
    *ret_value = sqlite3_column_double(query, 0);
    return true;
}

static const char *ending(double count)
{
    return count == 1 ? "" : "s";
}

/* What is not of `peal run`, but of a replay into running peers, is never repeated. */
static bool is_repeated(const CasesRun *run)
{
    g_autofree char *command = database_fact(run->db, "command");

    return command == NULL;
}

bool facts_runs(const Cases *cases, GString *page, GError **error)
{
    for (guint i = 0; i < cases->runs->len; i++) {
        const CasesRun *run = run_at(cases, i);
        g_autofree char *name = fact(run, "name"), *version = fact(run, "version");
        g_autofree char *world = fact(run, "world"), *seed = fact(run, "seed");
        g_autofree char *crypto = fact(run, "crypto"), *words = NULL;
        double simulated, replications, points;

        if (!one_number(run->db, "SELECT sum(simulated_s) FROM replications", &simulated, error) ||
            !one_number(run->db, "SELECT count(*) FROM replications", &replications, error) ||
            !one_number(run->db, "SELECT count(DISTINCT point) FROM replications", &points,
                        error)) {
            return false;
        }
        words = g_strdup_printf("%s%s%s %s, %s, Peal %s, crypto %s, seed %s; %.0f point%s, "
                                "%.0f replication%s, %.0f s of %s time in all.",
                                cases->runs->len > 1 ? run->label : "",
                                cases->runs->len > 1 ? ": " : "",
                                is_repeated(run) ? "Scenario" : "Replay of", name,
                                !is_repeated(run)                           ? "into running peers"
                                : strcmp(world, RESULTS_WORLD_SOCKETS) == 0 ? "on sockets"
                                                                            : "simulated",
                                version, crypto, seed, points, ending(points), replications,
                                ending(replications), simulated,
                                strcmp(world, RESULTS_WORLD_SOCKETS) == 0 ? "real" : "simulated");
        html_element(page, "p", "class=\"facts\"", words);
    }
    return true;
}

static void warn(GString *page, const Cases *cases, const CasesRun *run, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void warn(GString *page, const Cases *cases, const CasesRun *run, const char *format, ...)
{
    g_autofree char *words = NULL, *whole = NULL;
    va_list arguments;

    va_start(arguments, format);
    words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    whole = cases->runs->len > 1 ? g_strdup_printf("%s: %s", run->label, words) : g_strdup(words);
    html_element(page, "p", "class=\"warning\"", whole);
}

static void warn_of_few(const Cases *cases, const CasesRun *run, double fewest, GString *page)
{
    if (!is_repeated(run)) {
        return;
    }
    if (fewest < 2) {
        warn(page, cases, run,
             "A single replication has no confidence interval; set scenario.replications to 2 or "
             "more.");
    } else if (fewest < REPLICATIONS_FEW) {
        warn(page, cases, run,
             "%.0f replications: intervals are wide, and rest on the replications' values being "
             "normally distributed.",
             fewest);
    }
}

static bool warn_of_run(const Cases *cases, const CasesRun *run, GString *page, GError **error)
{
    g_autofree char *points = fact(run, "points"), *replications = fact(run, "replications");
    double wanted = g_ascii_strtod(points, NULL) * g_ascii_strtod(replications, NULL);
    double there, interrupted, fewest, idle;

    if (!one_number(run->db, "SELECT count(*) FROM replications", &there, error) ||
        !one_number(run->db, "SELECT count(*) FROM replications WHERE interrupted", &interrupted,
                    error) ||
        !one_number(run->db,
                    "SELECT min(n) FROM (SELECT count(*) AS n FROM replications GROUP BY point)",
                    &fewest, error) ||
        !one_number(run->db,
                    "SELECT count(*) FROM replications r WHERE NOT EXISTS (SELECT 1 FROM figures f"
                    " WHERE f.replication_id = r.id AND f.name IN ('lookups.started',"
                    " 'calls.started') AND f.value > 0)",
                    &idle, error)) {
        return false;
    }
    if (there < wanted) {
        warn(page, cases, run,
             "Partial: %.0f of %.0f replications are there; the same command resumes the run.",
             there, wanted);
    }
    if (interrupted > 0) {
        warn(page, cases, run,
             "%.0f replication%s interrupted: figures are of the time until then.", interrupted,
             interrupted == 1 ? " was" : "s were");
    }
    warn_of_few(cases, run, fewest, page);
    if (idle > 0) {
        warn(page, cases, run, "%.0f replication%s measured no lookup and no call.", idle,
             ending(idle));
    }
    return true;
}

bool facts_warnings(const Cases *cases, GString *page, GError **error)
{
    g_autofree char *version = fact(run_at(cases, 0), "version");

    for (guint i = 0; i < cases->runs->len; i++) {
        g_autofree char *other = fact(run_at(cases, i), "version");

        if (!warn_of_run(cases, run_at(cases, i), page, error)) {
            return false;
        }
        if (strcmp(other, version) != 0) {
            warn(page, cases, run_at(cases, i), "This run is of version %s, the first of %s.",
                 other, version);
        }
    }
    return true;
}

/* A name for a file: letters, digits, '-' and '_' stay. */
static char *file_name(const char *name)
{
    char *file = g_strdup(name);

    g_strcanon(file, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", '-');
    return file;
}

void facts_command(const Cases *cases, GString *page)
{
    for (guint i = 0; i < cases->runs->len; i++) {
        const CasesRun *run = run_at(cases, i);
        g_autofree char *source = database_fact(run->db, "source");
        g_autofree char *other = database_fact(run->db, "command");
        g_autofree char *name = fact(run, "name"), *seed = fact(run, "seed");
        g_autofree char *version = fact(run, "version"), *world = fact(run, "world");
        g_autofree char *file = file_name(name), *command = NULL, *base64 = NULL;
        bool sockets = strcmp(world, RESULTS_WORLD_SOCKETS) == 0;

        if (cases->runs->len > 1) {
            html_element(page, "h3", NULL, run->label);
        }
        command = other != NULL
                      ? g_strdup(other)
                      : g_strdup_printf("peal run %s.conf%s --set scenario.seed=%s --out out/%s-%s",
                                        file, sockets ? " --on sockets" : "", seed, file, seed);
        g_string_append(page, "<p>With Peal ");
        html_text(page, version);
        g_string_append(page, sockets ? ", where real time passes and nothing repeats exactly:</p>"
                                      : ", to the last digit:</p>");
        html_element(page, "pre", NULL, command);
        if (source != NULL) {
            base64 = g_base64_encode((const guchar *)source, strlen(source));
            g_string_append_printf(page,
                                   "<p><a download=\"%s.conf\" href=\"data:text/plain;base64,%s\">"
                                   "%s.conf</a>, with what options set:</p>",
                                   file, base64, file);
            html_element(page, "pre", NULL, source);
        }
    }
}

/* The keys. */

/* A key's different values over a run's points, in their order: "100, 200, 500". */
static bool read_values(const CasesRun *run, GHashTable *values, GPtrArray *order, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(run->db,
                         "SELECT key, value FROM parameters GROUP BY key, value"
                         " ORDER BY min(position), key, min(point)",
                         error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        const char *key = (const char *)sqlite3_column_text(query, 0);
        const char *value = (const char *)sqlite3_column_text(query, 1);
        const char *before = g_hash_table_lookup(values, key);

        if (!g_ptr_array_find_with_equal_func(order, key, g_str_equal, NULL)) {
            g_ptr_array_add(order, g_strdup(key));
        }
        g_hash_table_replace(values, g_strdup(key),
                             before != NULL ? g_strdup_printf("%s, %s", before, value)
                                            : g_strdup(value));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

bool facts_keys(const Cases *cases, GString *page, GError **error)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) tables =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void *)g_hash_table_unref);

    for (guint i = 0; i < cases->runs->len; i++) {
        GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);

        g_ptr_array_add(tables, values);
        if (!read_values(run_at(cases, i), values, order, error)) {
            return false;
        }
    }
    g_string_append(page, "<div class=\"table\"><table><thead><tr><th>key</th>");
    for (guint i = 0; i < cases->runs->len; i++) {
        html_element(page, "th", "class=\"text\"",
                     cases->runs->len > 1 ? run_at(cases, i)->label : "value");
    }
    g_string_append(page, "</tr></thead><tbody>");
    for (guint i = 0; i < order->len; i++) {
        g_string_append(page, "<tr>");
        html_element(page, "td", NULL, g_ptr_array_index(order, i));
        for (guint j = 0; j < tables->len; j++) {
            html_element(page, "td", "class=\"text\"",
                         g_hash_table_lookup(g_ptr_array_index(tables, j),
                                             g_ptr_array_index(order, i)));
        }
        g_string_append(page, "</tr>");
    }
    g_string_append(page, "</tbody></table></div>");
    return true;
}
