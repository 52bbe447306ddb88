/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cases.c - see cases.h.
 */
#include "figure/cases.h"

#include <analysis/results.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void run_free(gpointer data)
{
    CasesRun *run = data;

    g_free(run->dir);
    g_free(run->label);
    g_clear_pointer(&run->db, sqlite3_close);
    g_free(run);
}

static void clear_case(gpointer data)
{
    Case *which = data;

    g_free(which->label);
    g_free(which->brief);
    g_ptr_array_unref(which->values);
}

static void clear_key(gpointer data)
{
    CasesKey *key = data;

    g_free(key->name);
    g_ptr_array_unref(key->values);
    g_array_unref(key->numbers);
}

const char *cases_key_name(const char *key)
{
    const char *dot = strchr(key, '.');

    return dot != NULL ? dot + 1 : key;
}

const Case *cases_pick(const Cases *cases, guint max, guint i)
{
    guint count = MIN(cases->cases->len, max);

    return cases_at(cases, count > 1 ? i * (cases->cases->len - 1) / (count - 1) : 0);
}

int cases_find_key(const Cases *cases, const char *name)
{
    for (guint i = 0; i < cases->keys->len; i++) {
        if (strcmp(cases_key(cases, i)->name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* The units that a value of a key may carry (scenarios/units.h), and what they are in one. */
static const struct {
    const char *suffix;
    const char *unit;
    double factor;
} UNITS[] = {
    {"", "", 1},
    {"/s", "/s", 1},
    {"/min", "/s", 1.0 / 60},
    {"/h", "/s", 1.0 / 3600},
    {"%", "%", 1},
    {"ns", "s", 1e-9},
    {"us", "s", 1e-6},
    {"ms", "s", 1e-3},
    {"s", "s", 1},
    {"min", "s", 60},
    {"h", "s", 3600},
    {"d", "s", 86400},
    {"bit/s", "bit/s", 1},
    {"kbit/s", "bit/s", 1e3},
    {"Mbit/s", "bit/s", 1e6},
    {"Gbit/s", "bit/s", 1e9},
    {"B", "B", 1},
    {"KiB", "B", 1024},
    {"MiB", "B", 1048576},
    {"GiB", "B", 1073741824.0},
};

/* A distribution with one parameter has its number behind a head, "exponential(mean=" or
 * "constant:". Returns the head's length, 0 without one. */
static size_t head_len(const char *text)
{
    const char *last = strrchr(text, '=');

    if (last == NULL) {
        last = strrchr(text, ':');
    }
    return last == NULL || strchr(text, ',') != NULL ? 0 : (size_t)(last + 1 - text);
}

/* A value as a number: "10", "2.5 %", "30min", "30min)". False for a word. */
static bool read_number(const char *text, double *ret_number, const char **ret_unit)
{
    char *end;
    double number = g_ascii_strtod(text, &end);
    size_t len;

    if (end == text || !isfinite(number)) {
        return false;
    }
    while (*end == ' ') {
        end++;
    }
    len = strlen(end);
    len -= len > 0 && end[len - 1] == ')';
    for (size_t i = 0; i < G_N_ELEMENTS(UNITS); i++) {
        if (strlen(UNITS[i].suffix) == len && strncmp(end, UNITS[i].suffix, len) == 0) {
            *ret_number = number * UNITS[i].factor;
            *ret_unit = UNITS[i].unit;
            return true;
        }
    }
    return false;
}

typedef struct Numbered {
    char *text;
    double number;
} Numbered;

static int by_number(const void *a, const void *b)
{
    double one = ((const Numbered *)a)->number, other = ((const Numbered *)b)->number;

    return (one > other) - (one < other);
}

/* Puts the values in the order of their size if all are numbers of one unit. */
static void order_values(CasesKey *key)
{
    g_autoptr(GArray) numbered = g_array_new(FALSE, FALSE, sizeof(Numbered));

    key->unit = NULL;
    key->head = head_len(g_ptr_array_index(key->values, 0));
    for (guint i = 0; i < key->values->len; i++) {
        Numbered value = {g_ptr_array_index(key->values, i), 0};
        const char *unit;

        if (strncmp(value.text, g_ptr_array_index(key->values, 0), key->head) != 0 ||
            !read_number(value.text + key->head, &value.number, &unit) ||
            (key->unit != NULL && value.number != 0 && strcmp(unit, key->unit) != 0)) {
            key->unit = "";
            key->head = 0;
            return;
        }
        if (key->unit == NULL || value.number != 0) {
            key->unit = unit;
        }
        g_array_append_val(numbered, value);
    }
    qsort(numbered->data, numbered->len, sizeof(Numbered), by_number);
    key->numeric = true;
    for (guint i = 0; i < numbered->len; i++) {
        const Numbered *value = &g_array_index(numbered, Numbered, i);

        key->values->pdata[i] = value->text;
        g_array_append_val(key->numbers, value->number);
    }
}

static guint need_key(Cases *cases, const char *name)
{
    int found = cases_find_key(cases, name);
    CasesKey key;

    if (found >= 0) {
        return (guint)found;
    }
    key = (CasesKey){.name = g_strdup(name),
                     .values = g_ptr_array_new_with_free_func(g_free),
                     .numbers = g_array_new(FALSE, FALSE, sizeof(double)),
                     .unit = ""};
    g_array_append_val(cases->keys, key);
    return cases->keys->len - 1;
}

static void set_value(Cases *cases, Case *which, const char *name, const char *value)
{
    guint key = need_key(cases, name);
    GPtrArray *values = g_array_index(cases->keys, CasesKey, key).values;

    if (which->values->len <= key) {
        g_ptr_array_set_size(which->values, (gint)key + 1);
    }
    g_free(which->values->pdata[key]);
    which->values->pdata[key] = g_strdup(value);
    if (!g_ptr_array_find_with_equal_func(values, value, g_str_equal, NULL)) {
        g_ptr_array_add(values, g_strdup(value));
    }
}

static bool read_parameters(Cases *cases, Case *which, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        case_query(which,
                   "SELECT key, value FROM parameters WHERE point = ? AND swept ORDER BY position",
                   NULL, error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        set_value(cases, which, (const char *)sqlite3_column_text(query, 0),
                  (const char *)sqlite3_column_text(query, 1));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return true;
}

static bool read_points(Cases *cases, unsigned number, GError **error)
{
    const CasesRun *run = g_ptr_array_index(cases->runs, number);
    g_autoptr(sqlite3_stmt) query =
        database_prepare(run->db,
                         "SELECT point, max(peers), count(*) FROM replications GROUP BY point"
                         " ORDER BY point",
                         error);
    guint before = cases->cases->len;
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        Case which = {.run = number,
                      .db = run->db,
                      .point = sqlite3_column_int(query, 0),
                      .peers = sqlite3_column_int64(query, 1),
                      .replications = (unsigned)sqlite3_column_int(query, 2),
                      .values = g_ptr_array_new_with_free_func(g_free)};

        g_array_append_val(cases->cases, which);
        if (!read_parameters(cases, &g_array_index(cases->cases, Case, cases->cases->len - 1),
                             error)) {
            return false;
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    if (cases->cases->len == before) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "%s has no replication yet; let 'peal run' finish one", run->dir);
        return false;
    }
    return true;
}

static int by_peers(const void *a, const void *b)
{
    const Case *one = a, *other = b;

    if (one->peers != other->peers) {
        return one->peers < other->peers ? -1 : 1;
    }
    if (one->run != other->run) {
        return one->run < other->run ? -1 : 1;
    }
    return (one->point > other->point) - (one->point < other->point);
}

/* Two directories of one name are told apart by their whole paths. */
static void label_runs(Cases *cases)
{
    for (guint i = 0; i < cases->runs->len; i++) {
        CasesRun *run = g_ptr_array_index(cases->runs, i);
        g_autofree char *name = g_path_get_basename(run->dir);
        bool alone = true;

        for (guint j = 0; j < cases->runs->len; j++) {
            g_autofree char *other =
                g_path_get_basename(((CasesRun *)g_ptr_array_index(cases->runs, j))->dir);

            alone = alone && (i == j || strcmp(name, other) != 0);
        }
        run->label = alone ? g_steal_pointer(&name) : g_strdup(run->dir);
    }
}

static bool read_all(Cases *cases, GError **error)
{
    for (guint i = 0; i < cases->runs->len; i++) {
        if (!read_points(cases, i, error)) {
            return false;
        }
    }
    for (guint i = 0; cases->runs->len > 1 && i < cases->cases->len; i++) {
        Case *which = &g_array_index(cases->cases, Case, i);
        const CasesRun *run = g_ptr_array_index(cases->runs, which->run);

        set_value(cases, which, CASES_RUN_KEY, run->label);
    }
    for (guint i = 0; i < cases->keys->len; i++) {
        order_values(&g_array_index(cases->keys, CasesKey, i));
    }
    g_array_sort(cases->cases, by_peers);
    for (guint i = 0; i < cases->cases->len; i++) {
        Case *which = &g_array_index(cases->cases, Case, i);

        g_ptr_array_set_size(which->values, (gint)cases->keys->len);
        which->label = cases_group(cases, which, 0);
        which->brief = cases_brief(cases, which, 0);
    }
    return true;
}

Cases *cases_open(char *const *dirs, unsigned len, GError **error)
{
    g_autoptr(Cases) cases = g_new0(Cases, 1);

    cases->runs = g_ptr_array_new_with_free_func(run_free);
    cases->cases = g_array_new(FALSE, FALSE, sizeof(Case));
    cases->keys = g_array_new(FALSE, FALSE, sizeof(CasesKey));
    g_array_set_clear_func(cases->cases, clear_case);
    g_array_set_clear_func(cases->keys, clear_key);
    for (unsigned i = 0; i < len; i++) {
        CasesRun *run = g_new0(CasesRun, 1);

        run->dir = g_strdup(dirs[i]);
        g_ptr_array_add(cases->runs, run);
        run->db = database_open(dirs[i], error);
        if (run->db == NULL) {
            return NULL;
        }
    }
    label_runs(cases);
    return read_all(cases, error) ? g_steal_pointer(&cases) : NULL;
}

void cases_close(Cases *cases)
{
    if (cases != NULL) {
        g_array_unref(cases->cases);
        g_array_unref(cases->keys);
        g_ptr_array_unref(cases->runs);
        g_free(cases);
    }
}

int cases_value(const Cases *cases, const Case *which, guint key)
{
    const char *value = g_ptr_array_index(which->values, key);
    guint index;

    return value != NULL && g_ptr_array_find_with_equal_func(cases_key(cases, key)->values, value,
                                                             g_str_equal, &index)
               ? (int)index
               : -1;
}

static bool is_without(guint64 without, guint key)
{
    return key < 64 && (without & (G_GUINT64_CONSTANT(1) << key)) != 0;
}

char *cases_group(const Cases *cases, const Case *which, guint64 without)
{
    GString *label = g_string_new(NULL);

    for (guint i = 0; i < cases->keys->len; i++) {
        const char *name = cases_key(cases, i)->name;
        const char *value = g_ptr_array_index(which->values, i);

        if (value == NULL || is_without(without, i)) {
            continue;
        }
        if (label->len > 0) {
            g_string_append(label, ", ");
        }
        if (strcmp(name, CASES_RUN_KEY) != 0) {
            g_string_append_printf(label, "%s = ", cases_key_name(name));
        }
        g_string_append(label, value);
    }
    return g_string_free(label, FALSE);
}

char *cases_brief_title(const Cases *cases, guint64 without)
{
    GString *title = g_string_new(NULL);
    guint keys = 0;

    for (guint i = 0; i < cases->keys->len; i++) {
        if (!is_without(without, i)) {
            g_string_append_printf(title, "%s%s", keys++ > 0 ? ", " : "",
                                   cases_key_name(cases_key(cases, i)->name));
        }
    }
    return g_string_free(title, keys < 2);
}

char *cases_brief(const Cases *cases, const Case *which, guint64 without)
{
    g_autofree char *title = cases_brief_title(cases, without);
    GString *brief;

    if (title == NULL) {
        return cases_group(cases, which, without);
    }
    brief = g_string_new(NULL);
    for (guint i = 0; i < cases->keys->len; i++) {
        const char *value = g_ptr_array_index(which->values, i);

        if (!is_without(without, i)) {
            g_string_append_printf(brief, "%s%s", brief->len > 0 ? ", " : "",
                                   value != NULL ? value : "–");
        }
    }
    return g_string_free(brief, FALSE);
}

bool cases_follows(const Cases *cases, guint other, guint key)
{
    for (guint i = 0; i < cases->cases->len; i++) {
        for (guint j = i + 1; j < cases->cases->len; j++) {
            const Case *a = cases_at(cases, i), *b = cases_at(cases, j);

            if (cases_value(cases, a, key) == cases_value(cases, b, key) &&
                cases_value(cases, a, other) != cases_value(cases, b, other)) {
                return false;
            }
        }
    }
    return true;
}

sqlite3_stmt *case_query(const Case *which, const char *sql, const char *name, GError **error)
{
    sqlite3_stmt *query = database_prepare(which->db, sql, error);

    if (query != NULL) {
        sqlite3_bind_int(query, 1, which->point);
        if (name != NULL) {
            sqlite3_bind_text(query, 2, name, -1, SQLITE_TRANSIENT);
        }
    }
    return query;
}

bool case_observe(const Case *which, const char *sql, const char *name, GArray *ret_values,
                  GError **error)
{
    g_autoptr(sqlite3_stmt) query = case_query(which, sql, name, error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        double value =
            sqlite3_column_type(query, 0) == SQLITE_NULL ? NAN : sqlite3_column_double(query, 0);

        g_array_append_val(ret_values, value);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return true;
}

Histogram *case_histogram(const Case *which, const SummaryHistogram *histogram, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        case_query(which, "SELECT id FROM replications WHERE point = ? ORDER BY replication", NULL,
                   error);
    Histogram *all;
    GError *failure = NULL;

    if (query == NULL) {
        return NULL;
    }
    all = histogram_new(histogram->bits);
    while (failure == NULL && database_next(query, &failure)) {
        Histogram *one =
            summary_histogram(which->db, sqlite3_column_int64(query, 0), histogram, &failure);

        if (one != NULL) {
            histogram_merge(all, one);
            histogram_free(one);
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        g_clear_pointer(&all, histogram_free);
    }
    return all;
}

bool case_has_column(const Case *which, const char *column)
{
    g_autoptr(sqlite3_stmt) query = NULL;

    if (sqlite3_prepare_v2(which->db, "SELECT 1 FROM pragma_table_info('series') WHERE name = ?",
                           -1, &query, NULL) != SQLITE_OK) {
        return false;
    }
    sqlite3_bind_text(query, 1, column, -1, SQLITE_STATIC);
    return sqlite3_step(query) == SQLITE_ROW;
}
