/*
 * summary.c - see summary.h.
 */
#include "summary.h"

#include "summary_trace.h"

#include <analysis/results.h>
#include <analysis/stats.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

const SummaryHistogram SUMMARY_HISTOGRAM[SUMMARY_HISTOGRAMS] = {
    {"lookups.hops", "lookups.hops", HISTOGRAM_EXACT, 1},
    {"lookups.latency_ns", "lookups.latency_ms", HISTOGRAM_FINE, 1e-6},
    {"load.messages", "load.messages", HISTOGRAM_EXACT, 1},
    {"load.values", "load.values", HISTOGRAM_EXACT, 1},
    {"calls.setup_ns", "calls.setup_ms", HISTOGRAM_FINE, 1e-6},
    {"calls.answer_ns", "calls.answer_ms", HISTOGRAM_FINE, 1e-6},
    {"replay.setup_ns", "replay.setup_ms", HISTOGRAM_FINE, 1e-6},
    {"replay.answer_ns", "replay.answer_ms", HISTOGRAM_FINE, 1e-6},
};

/* Which replications figures are made of: one, those of a point, or all. */
typedef struct Selection {
    sqlite3 *db;
    int point;       /* -1: all */
    int replication; /* -1: all */
} Selection;

#define SELECTED                                                                     \
    " JOIN replications r ON r.id = t.replication_id WHERE (?1 < 0 OR r.point = ?1)" \
    " AND (?2 < 0 OR r.replication = ?2)"

static sqlite3_stmt *select_rows(const Selection *selection, const char *sql, GError **error)
{
    sqlite3_stmt *query = database_prepare(selection->db, sql, error);

    if (query != NULL) {
        sqlite3_bind_int(query, 1, selection->point);
        sqlite3_bind_int(query, 2, selection->replication);
    }
    return query;
}

static const char *text_at(sqlite3_stmt *query, int column)
{
    return (const char *)sqlite3_column_text(query, column);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* JSON readers keep whole numbers up to 2^53 or 2^63; what is larger goes as text. */
static json_t *whole_number(uint64_t value)
{
    if (value <= INT64_MAX) {
        return json_integer((json_int_t)value);
    }
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);
    return json_string(text);
}

/* Puts a value under a dotted path, making the objects on its way. Takes the value. */
static void put_take(json_t *root, const char *path, json_t *value)
{
    g_auto(GStrv) parts = g_strsplit(path, ".", -1);
    json_t *object = root;

    for (char **part = parts; *part != NULL; part++) {
        json_t *next;

        if (part[1] == NULL) {
            json_object_set_new(object, *part, value);
            return;
        }
        next = json_object_get(object, *part);
        if (!json_is_object(next)) {
            next = json_object();
            json_object_set_new(object, *part, next);
        }
        object = next;
    }
    json_decref(value);
}

static void put_under_take(json_t *root, const char *prefix, const char *name, json_t *value)
{
    g_autofree char *path = g_strconcat(prefix, ".", name, NULL);

    put_take(root, path, value);
}

static json_t *interval(const StatsMean *mean)
{
    return mean->has_interval ? json_pack("[o, o]", number(mean->ci95.low), number(mean->ci95.high))
                              : json_null();
}

/* A figure, and its values in each replication. */
typedef struct FigureValues {
    char *name;
    char *kind;
    GArray *values; /* double */
    GArray *trials; /* double, of a rate */
} FigureValues;

static void put_figure(json_t *root, const Selection *selection, const FigureValues *figure)
{
    const double *value = (const double *)(const void *)figure->values->data;
    const double *trials = (const double *)(const void *)figure->trials->data;
    guint len = figure->values->len;
    bool rate = strcmp(figure->kind, "rate") == 0;
    double total = 0, greatest = 0;

    if (rate || strcmp(figure->kind, "mean") == 0) {
        StatsMean mean = rate ? stats_rate(value, trials, len) : stats_mean(value, len);

        put_under_take(root, figure->name, "mean", number(mean.mean));
        if (selection->replication < 0) {
            put_under_take(root, figure->name, "ci95", interval(&mean));
        }
        return;
    }
    for (guint i = 0; i < len; i++) {
        total += value[i];
        greatest = i == 0 ? value[i] : MAX(greatest, value[i]);
    }
    put_take(root, figure->name,
             json_integer((json_int_t)(strcmp(figure->kind, "sum") == 0 ? total : greatest)));
}

static void figure_begin(FigureValues *figure, const char *name, const char *kind)
{
    g_free(figure->name);
    g_free(figure->kind);
    figure->name = g_strdup(name);
    figure->kind = g_strdup(kind);
    g_array_set_size(figure->values, 0);
    g_array_set_size(figure->trials, 0);
}

static void figure_fini(FigureValues *figure)
{
    g_free(figure->name);
    g_free(figure->kind);
    g_array_unref(figure->values);
    g_array_unref(figure->trials);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(FigureValues, figure_fini)

static bool put_figures(json_t *root, const Selection *selection, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        select_rows(selection,
                    "SELECT t.name, t.kind, t.value, t.trials FROM figures t" SELECTED
                    " ORDER BY t.position, t.name, r.point, r.replication",
                    error);
    g_auto(FigureValues) figure = {.values = g_array_new(FALSE, FALSE, sizeof(double)),
                                   .trials = g_array_new(FALSE, FALSE, sizeof(double))};
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        double value =
            sqlite3_column_type(query, 2) == SQLITE_NULL ? NAN : sqlite3_column_double(query, 2);
        double trials = sqlite3_column_double(query, 3);

        if (g_strcmp0(figure.name, text_at(query, 0)) != 0) {
            if (figure.name != NULL) {
                put_figure(root, selection, &figure);
            }
            figure_begin(&figure, text_at(query, 0), text_at(query, 1));
        }
        g_array_append_val(figure.values, value);
        g_array_append_val(figure.trials, trials);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    if (figure.name != NULL) {
        put_figure(root, selection, &figure);
    }
    return true;
}

/* Reads the buckets and extremes that a query gives: low, high, count, min, max. */
static bool restore(Histogram *histogram, sqlite3_stmt *query, GError **error)
{
    GError *failure = NULL;

    while (database_next(query, &failure)) {
        HistogramBucket bucket = {.low = (uint64_t)sqlite3_column_int64(query, 0),
                                  .high = (uint64_t)sqlite3_column_int64(query, 1),
                                  .count = (uint64_t)sqlite3_column_int64(query, 2)};

        histogram_restore(histogram, &bucket, 1, (uint64_t)sqlite3_column_int64(query, 3),
                          (uint64_t)sqlite3_column_int64(query, 4));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

Histogram *summary_histogram(sqlite3 *db, gint64 replication_id, const SummaryHistogram *which,
                             GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        db,
        "SELECT t.low, t.high, t.count, d.min, d.max FROM histograms t JOIN distributions d"
        " USING (replication_id, name) WHERE t.replication_id = ? AND t.name = ? ORDER BY t.low",
        error);
    Histogram *histogram;

    if (query == NULL) {
        return NULL;
    }
    sqlite3_bind_int64(query, 1, replication_id);
    sqlite3_bind_text(query, 2, which->name, -1, SQLITE_STATIC);
    histogram = histogram_new(which->bits);
    if (!restore(histogram, query, error)) {
        g_clear_pointer(&histogram, histogram_free);
    }
    return histogram;
}

/* Quantiles of all replications' values together. */
static bool put_quantiles(json_t *root, const Selection *selection, const SummaryHistogram *which,
                          GError **error)
{
    g_autoptr(sqlite3_stmt) query = select_rows(
        selection,
        "SELECT t.low, t.high, t.count, d.min, d.max FROM histograms t JOIN distributions d"
        " USING (replication_id, name)" SELECTED " AND t.name = ?3",
        error);
    Histogram *histogram;
    bool good;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_text(query, 3, which->name, -1, SQLITE_STATIC);
    histogram = histogram_new(which->bits);
    good = restore(histogram, query, error);
    if (good && (histogram_count(histogram) > 0 || g_str_has_prefix(which->name, "lookups."))) {
        static const struct {
            const char *name;
            double q;
        } quantiles[] = {{"p50", 0.5}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}};

        for (size_t i = 0; i < G_N_ELEMENTS(quantiles); i++) {
            double value = histogram_quantile(histogram, quantiles[i].q);

            put_under_take(root, which->figure, quantiles[i].name, number(value * which->scale));
        }
    }
    histogram_free(histogram);
    return good;
}

/* Puts named counts, as a query gives them, into an object of their own. */
static bool put_counts(json_t *root, const char *path, const Selection *selection, const char *sql,
                       GError **error)
{
    g_autoptr(sqlite3_stmt) query = select_rows(selection, sql, error);
    GError *failure = NULL;
    json_t *counts;

    if (query == NULL) {
        return false;
    }
    counts = json_object();
    put_take(root, path, counts);
    while (database_next(query, &failure)) {
        json_object_set_new(counts, text_at(query, 0),
                            json_integer(sqlite3_column_int64(query, 1)));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* Failures by status, in runs that have calls. */
static bool put_call_failures(json_t *root, const Selection *selection, GError **error)
{
    return json_object_get(root, "calls") == NULL ||
           put_counts(root, "calls.by_status", selection,
                      "SELECT CAST(t.status AS TEXT), sum(t.count) FROM call_failures t" SELECTED
                      " GROUP BY t.status ORDER BY t.status",
                      error);
}

/* How narrow the interval became that was to be so narrow, of a point. */
static bool put_precision(json_t *root, const Selection *selection, GError **error)
{
    g_autoptr(sqlite3_stmt) query = NULL;

    if (selection->replication >= 0) {
        return true;
    }
    query =
        database_prepare(selection->db,
                         "SELECT figure, wanted, reached FROM precision WHERE point = ?", error);
    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 1, selection->point);
    if (database_next(query, NULL)) {
        bool has_interval = sqlite3_column_type(query, 2) != SQLITE_NULL;
        double wanted = sqlite3_column_double(query, 1);
        double reached = has_interval ? sqlite3_column_double(query, 2) : NAN;

        put_take(root, "precision.figure", json_string(text_at(query, 0)));
        put_take(root, "precision.wanted", number(wanted));
        put_take(root, "precision.reached", number(reached));
        put_take(root, "precision.met", json_boolean(reached <= wanted));
    }
    return true;
}

static bool put_engine(json_t *root, const Selection *selection, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        select_rows(selection,
                    "SELECT sum(wall_seconds), sum(events), sum(messages), max(peak_rss_bytes)"
                    " FROM engine t" SELECTED,
                    error);
    double wall;

    if (query == NULL || !database_next(query, error)) {
        return false;
    }
    wall = sqlite3_column_double(query, 0);
    put_take(root, "engine.wall_seconds", number(wall));
    put_take(root, "engine.messages_per_second",
             number(wall > 0 ? sqlite3_column_double(query, 2) / wall : NAN));
    put_take(root, "engine.events_per_second",
             number(wall > 0 ? sqlite3_column_double(query, 1) / wall : NAN));
    put_take(root, "engine.peak_rss_bytes", json_integer(sqlite3_column_int64(query, 3)));
    return true;
}

/* Fingerprint (the sum), peers and simulated time. */
static bool put_head(json_t *root, const Selection *selection, bool with_peers, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        select_rows(selection,
                    "SELECT fingerprint, r.peers, simulated_s, t.replication_id"
                    " FROM engine t" SELECTED " ORDER BY r.point, r.replication",
                    error);
    g_autofree char *fingerprint = NULL;
    uint64_t sum = 0;
    double simulated = 0;
    gint64 peers = 0;
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        sum += g_ascii_strtoull(text_at(query, 0), NULL, 16);
        peers = sqlite3_column_int64(query, 1);
        simulated += sqlite3_column_double(query, 2);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    fingerprint = g_strdup_printf("%016" G_GINT64_MODIFIER "x", sum);
    put_take(root, "fingerprint", json_string(fingerprint));
    put_take(root, "simulated_seconds", number(simulated));
    if (with_peers) {
        put_take(root, "peers", json_integer(peers));
    }
    return true;
}

static bool put_selection(json_t *root, const Selection *selection, GError **error)
{
    if (!put_head(root, selection, true, error) || !put_figures(root, selection, error) ||
        (selection->replication < 0 &&
         !summary_trace(root, selection->db, selection->point, error))) {
        return false;
    }
    for (size_t i = 0; i < SUMMARY_HISTOGRAMS; i++) {
        if (!put_quantiles(root, selection, &SUMMARY_HISTOGRAM[i], error)) {
            return false;
        }
    }
    return put_counts(root, "messages.by_code", selection,
                      "SELECT t.name, sum(t.count) FROM messages t" SELECTED
                      " GROUP BY t.name ORDER BY min(t.code)",
                      error) &&
           put_counts(root, "drops", selection,
                      "SELECT t.reason, sum(t.count) FROM drops t" SELECTED
                      " GROUP BY t.reason ORDER BY t.reason",
                      error) &&
           put_call_failures(root, selection, error) && put_precision(root, selection, error) &&
           put_engine(root, selection, error);
}

/* The list of a point's replications, each with its seed and figures. */
static bool put_replications(json_t *root, sqlite3 *db, int point, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        db,
        "SELECT replication, seed, interrupted, warmup_s, cut_late FROM replications"
        " WHERE point = ? ORDER BY replication",
        error);
    json_t *list;
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    list = json_array();
    json_object_set_new(root, "replications", list);
    sqlite3_bind_int(query, 1, point);
    while (database_next(query, &failure)) {
        Selection one = {db, point, sqlite3_column_int(query, 0)};
        json_t *object = json_object();

        json_array_append_new(list, object);
        put_take(object, "seed", whole_number(g_ascii_strtoull(text_at(query, 1), NULL, 10)));
        if (sqlite3_column_int(query, 2)) {
            put_take(object, "partial", json_true());
        }
        put_take(object, "warmup_seconds", number(sqlite3_column_double(query, 3)));
        if (sqlite3_column_type(query, 4) != SQLITE_NULL) { /* MSER-5 found it */
            put_take(object, "warmup_cut_late", json_boolean(sqlite3_column_int(query, 4)));
        }
        if (!put_selection(object, &one, error)) {
            return false;
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

/* A swept value as a number where it is one. */
static json_t *parameter(const char *text)
{
    char *end;
    gint64 whole;
    double value;

    if (g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &whole, NULL)) {
        return json_integer(whole);
    }
    value = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(value) ? json_real(value) : json_string(text);
}

static bool put_parameters(json_t *root, sqlite3 *db, int point, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(db,
                         "SELECT key, value FROM parameters WHERE point = ? AND swept"
                         " ORDER BY position",
                         error);
    json_t *object;
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    object = json_object();
    json_object_set_new(root, "parameters", object);
    sqlite3_bind_int(query, 1, point);
    while (database_next(query, &failure)) {
        /* Not put_take: the dot in the key is part of its name. */
        json_object_set_new(object, text_at(query, 0), parameter(text_at(query, 1)));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
    }
    return failure == NULL;
}

static bool put_points(json_t *root, sqlite3 *db, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(db, "SELECT DISTINCT point FROM replications ORDER BY point", error);
    Selection all = {db, -1, -1};
    json_t *list;
    GError *failure = NULL;

    if (query == NULL || !put_head(root, &all, false, error)) {
        return false;
    }
    list = json_array();
    json_object_set_new(root, "points", list);
    while (database_next(query, &failure)) {
        int point = sqlite3_column_int(query, 0);
        Selection selection = {db, point, -1};
        json_t *object = json_object();

        json_array_append_new(list, object);
        if (!put_parameters(object, db, point, error) ||
            !put_selection(object, &selection, error) ||
            !put_replications(object, db, point, error)) {
            return false;
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return put_engine(root, &all, error);
}

static bool put_only_point(json_t *root, sqlite3 *db, GError **error)
{
    Selection selection = {db, 0, -1};

    return put_selection(root, &selection, error) && put_replications(root, db, 0, error);
}

static gint64 fact_number(sqlite3 *db, const char *key)
{
    g_autofree char *text = database_fact(db, key);

    return text != NULL ? g_ascii_strtoll(text, NULL, 10) : 0;
}

static void put_run(json_t *root, sqlite3 *db)
{
    static const char *const texts[] = {"name", "version", "crypto", "world"};
    g_autofree char *seed = database_fact(db, "seed");

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *text = database_fact(db, texts[i]);

        put_take(root, texts[i], json_string(text != NULL ? text : ""));
    }
    put_take(root, "seed", whole_number(seed != NULL ? g_ascii_strtoull(seed, NULL, 10) : 0));
    put_take(root, "partial", json_boolean(!fact_number(db, "finished")));
}

char *summary_text(sqlite3 *db, GError **error)
{
    json_t *root = json_object();
    char *result = NULL;

    put_run(root, db);
    if (fact_number(db, "sweep") ? put_points(root, db, error) : put_only_point(root, db, error)) {
        char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

        result = g_strconcat(text, "\n", NULL);
        free(text);
    }
    json_decref(root);
    return result;
}
