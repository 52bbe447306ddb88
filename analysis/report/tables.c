/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tables.c - see facts.h: figures with their intervals.
 */
#include "figure/quantity.h"
#include "report/facts.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

/* A wider table than this is no longer read. */
enum { COLUMNS_MAX = 24 };

static void add_mean(GString *page, const StatsMean *mean)
{
    g_string_append(page, "<td>");
    if (isfinite(mean->mean)) {
        g_string_append_printf(page, "%.5g", mean->mean);
        if (mean->has_interval) {
            g_string_append_printf(page, " <small>[%.5g, %.5g]</small>", mean->ci95.low,
                                   mean->ci95.high);
        }
    } else {
        g_string_append(page, "–");
    }
    g_string_append(page, "</td>");
}

static const char *label_of(const Case *one)
{
    return *one->label != '\0' ? one->label : "all";
}

/* The quantities that any case has a value of, and the values, case by case. */
static bool read_main(const Cases *cases, GPtrArray *quantities, GArray *means, GError **error)
{
    const Quantity *quantity;

    for (size_t i = 0; (quantity = quantity_at(i)) != NULL; i++) {
        g_autoptr(GArray) own = g_array_new(FALSE, FALSE, sizeof(StatsMean));
        bool any = false;

        for (guint j = 0; j < cases->cases->len; j++) {
            StatsMean mean;

            if (!quantity_mean(quantity, cases_at(cases, j), &mean, error)) {
                return false;
            }
            any = any || isfinite(mean.mean);
            g_array_append_val(own, mean);
        }
        if (any) {
            g_ptr_array_add(quantities, (gpointer)(uintptr_t)quantity);
            g_array_append_vals(means, own->data, own->len);
        }
    }
    return true;
}

static bool add_main(const Cases *cases, GString *page, GError **error)
{
    g_autoptr(GPtrArray) quantities = g_ptr_array_new();
    g_autoptr(GArray) means = g_array_new(FALSE, FALSE, sizeof(StatsMean));

    if (!read_main(cases, quantities, means, error)) {
        return false;
    }
    g_string_append(page, "<div class=\"table\"><table><caption>Means over replications with their "
                          "95 % intervals</caption><thead><tr><th>point</th><th>n</th>");
    for (guint i = 0; i < quantities->len; i++) {
        html_element(page, "th", NULL, ((const Quantity *)quantities->pdata[i])->label);
    }
    g_string_append(page, "</tr></thead><tbody>");
    for (guint i = 0; i < cases->cases->len; i++) {
        g_string_append(page, "<tr>");
        html_element(page, "td", NULL, label_of(cases_at(cases, i)));
        g_string_append_printf(page, "<td>%u</td>", cases_at(cases, i)->replications);
        for (guint j = 0; j < quantities->len; j++) {
            add_mean(page, &g_array_index(means, StatsMean, j * cases->cases->len + i));
        }
        g_string_append(page, "</tr>");
    }
    g_string_append(page, "</tbody></table></div>");
    return true;
}

/* A figure's values over the replications of a case, by name. */
typedef struct Values {
    char kind; /* 'm'ean, 's'um, 'r'ate or the greatest */
    GArray *values;
    GArray *trials;
} Values;

static void values_free(gpointer data)
{
    Values *values = data;

    g_array_unref(values->values);
    g_array_unref(values->trials);
    g_free(values);
}

static bool read_figures(const Case *one, GHashTable *table, GPtrArray *order, GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(
        one,
        "SELECT f.name, f.kind, f.value, f.trials FROM figures f JOIN replications r"
        " ON r.id = f.replication_id WHERE r.point = ? ORDER BY r.replication, f.position",
        NULL, error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        const char *name = (const char *)sqlite3_column_text(query, 0);
        double value =
            sqlite3_column_type(query, 2) == SQLITE_NULL ? NAN : sqlite3_column_double(query, 2);
        double trials = sqlite3_column_double(query, 3);
        Values *values = g_hash_table_lookup(table, name);

        if (values == NULL) {
            values = g_new0(Values, 1);
            values->kind = *(const char *)sqlite3_column_text(query, 1);
            values->values = g_array_new(FALSE, FALSE, sizeof(double));
            values->trials = g_array_new(FALSE, FALSE, sizeof(double));
            g_hash_table_insert(table, g_strdup(name), values);
        }
        if (!g_ptr_array_find_with_equal_func(order, name, g_str_equal, NULL)) {
            g_ptr_array_add(order, g_strdup(name));
        }
        g_array_append_val(values->values, value);
        g_array_append_val(values->trials, trials);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* Of sums and counts, too, the mean over replications is what has an interval. */
static void add_values(GString *page, const Values *values)
{
    StatsMean mean;

    if (values == NULL) {
        g_string_append(page, "<td>–</td>");
        return;
    }
    mean = values->kind == 'r' ? stats_rate(cases_doubles(values->values),
                                            cases_doubles(values->trials), values->values->len)
                               : stats_mean(cases_doubles(values->values), values->values->len);
    add_mean(page, &mean);
}

static void add_rows(const GPtrArray *tables, const GPtrArray *order, GString *page)
{
    for (guint i = 0; i < order->len; i++) {
        const char *name = g_ptr_array_index(order, i);

        g_string_append(page, "<tr>");
        html_element(page, "td", NULL, name);
        for (guint j = 0; j < tables->len; j++) {
            add_values(page, g_hash_table_lookup(g_ptr_array_index(tables, j), name));
        }
        g_string_append(page, "</tr>");
    }
}

static bool add_all(const Cases *cases, GString *page, GError **error)
{
    g_autoptr(GPtrArray) order = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) tables =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void *)g_hash_table_unref);
    guint count = MIN(cases->cases->len, COLUMNS_MAX);

    g_string_append(page, "<details><summary>Every figure, as a mean over replications"
                          "</summary><div class=\"table\"><table><thead><tr><th>figure</th>");
    for (guint i = 0; i < count; i++) {
        const Case *one = cases_pick(cases, COLUMNS_MAX, i);
        GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, values_free);

        g_ptr_array_add(tables, table);
        html_element(page, "th", NULL, label_of(one));
        if (!read_figures(one, table, order, error)) {
            return false;
        }
    }
    g_string_append(page, "</tr></thead><tbody>");
    add_rows(tables, order, page);
    g_string_append(page, "</tbody></table></div>");
    if (cases->cases->len > COLUMNS_MAX) {
        g_string_append_printf(page, "<p>%d of the %u points; summary.json has all.</p>",
                               COLUMNS_MAX, cases->cases->len);
    }
    g_string_append(page, "</details>");
    return true;
}

bool facts_tables(const Cases *cases, GString *page, GError **error)
{
    return add_main(cases, page, error) && add_all(cases, page, error);
}
