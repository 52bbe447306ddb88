/*
 * plot.c - see plot.h: the command, the table of figures, and the points that they show.
 */
#include <analysis/plot.h>

#include "plot/figure.h"

#include <analysis/results.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_DRAWN = 0, STATUS_FAILED = 1, STATUS_INPUT = 2 };

#define PEERS_KEY "overlay.peers"

/* A new figure is a function here. */
static bool (*const FIGURES[])(Plots *, GError **) = {
    plot_latency, plot_setup, plot_hops, plot_load, plot_lookups, plot_messages, plot_scaling,
};

typedef struct PlotOptions {
    char *dir;
    gboolean csv;
    gboolean json;
} PlotOptions;

static void clear_point(gpointer data)
{
    PlotsPoint *point = data;

    g_free(point->label);
    g_free(point->group);
}

/* "overlay.peers" -> "peers": the section goes without saying in a figure. */
static void add_label(GString *label, const char *key, const char *value)
{
    const char *dot = strchr(key, '.');

    g_string_append_printf(label, "%s%s = %s", label->len > 0 ? ", " : "",
                           dot != NULL ? dot + 1 : key, value);
}

static bool describe_point(Plots *plots, PlotsPoint *point, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        plots->db, "SELECT key, value FROM parameters WHERE point = ? AND swept ORDER BY position",
        error);
    g_autoptr(GString) label = g_string_new(NULL);
    g_autoptr(GString) group = g_string_new(NULL);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    sqlite3_bind_int(query, 1, point->point);
    while (database_next(query, &failure)) {
        const char *key = (const char *)sqlite3_column_text(query, 0);
        const char *value = (const char *)sqlite3_column_text(query, 1);

        add_label(label, key, value);
        if (strcmp(key, PEERS_KEY) == 0) {
            plots->sweeps_peers = true;
        } else {
            add_label(group, key, value);
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    point->label = g_strdup(label->str);
    point->group = g_strdup(group->str);
    return true;
}

/* The points that have a replication, smaller overlays first. */
static bool read_points(Plots *plots, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(plots->db,
                         "SELECT point, max(peers), count(*) FROM replications GROUP BY point"
                         " ORDER BY max(peers), point",
                         error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        PlotsPoint point = {.point = sqlite3_column_int(query, 0),
                            .peers = sqlite3_column_int64(query, 1),
                            .replications = (unsigned)sqlite3_column_int(query, 2)};

        if (!describe_point(plots, &point, error)) {
            return false;
        }
        g_array_append_val(plots->points, point);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    if (plots->points->len == 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "%s has no replication yet; let 'peal run' finish one",
                    sqlite3_db_filename(plots->db, "main"));
        return false;
    }
    return true;
}

static void print_files(const GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++) {
        puts(g_ptr_array_index(files, i));
    }
}

static void print_json(const Plots *plots)
{
    json_t *root = json_object();
    json_t *files = json_array();
    char *text;

    for (guint i = 0; i < plots->files->len; i++) {
        json_array_append_new(files, json_string(g_ptr_array_index(plots->files, i)));
    }
    json_object_set_new(root, "files", files);
    json_object_set(root, "fits", plots->fits);
    text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    puts(text);
    free(text);
    json_decref(root);
}

/* Draws everything, or exports; what was found wrong before that ends with STATUS_INPUT. */
static int plot_all(Plots *plots, const PlotOptions *options, GError **error)
{
    if (!read_points(plots, error) ||
        (!options->csv && !figure_check_gnuplot("export the figures with --csv", error))) {
        return STATUS_INPUT;
    }
    if (options->csv) {
        return results_export_csv(options->dir, plots->files, error) ? STATUS_DRAWN : STATUS_FAILED;
    }
    if (!figure_make_dir(plots->dir, error)) {
        return STATUS_FAILED;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(FIGURES); i++) {
        if (!FIGURES[i](plots, error)) {
            return STATUS_FAILED;
        }
    }
    return STATUS_DRAWN;
}

static bool parse_options(int argc, char **argv, PlotOptions *ret_options, GError **error)
{
    PlotOptions options = {0};
    GOptionEntry entries[] = {
        {"csv", 0, 0, G_OPTION_ARG_NONE, &options.csv,
         "Write DIR/csv, every table of the results as CSV, instead of figures", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options.json,
         "Print the files and the fits as JSON instead of the files' names", NULL},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GOptionContext) context = g_option_context_new("DIR");

    g_option_context_set_summary(
        context, "Draws the figures of the results in DIR, a directory that 'peal run' wrote, into "
                 "DIR/plots:\nlatency, hops and load as distributions, lookups and messages over "
                 "time, and for a\nsweep over overlay.peers mean hops and median latency against "
                 "log2 n with their fits.\nEach comes as SVG and PNG beside the gnuplot script and "
                 "the data that draw it again.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    if (argc != 2) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "name one results directory: peal plot DIR (see peal plot --help)");
        return false;
    }
    options.dir = argv[1];
    *ret_options = options;
    return true;
}

int plot_main(int argc, char **argv)
{
    PlotOptions options;
    Plots plots = {0};
    GError *error = NULL;
    int status = STATUS_INPUT;

    g_set_prgname("peal plot");
    if (parse_options(argc, argv, &options, &error) &&
        (plots.db = database_open(options.dir, &error)) != NULL) {
        plots.dir = g_build_filename(options.dir, "plots", NULL);
        plots.points = g_array_new(FALSE, FALSE, sizeof(PlotsPoint));
        plots.files = g_ptr_array_new_with_free_func(g_free);
        plots.fits = json_array();
        g_array_set_clear_func(plots.points, clear_point);
        status = plot_all(&plots, &options, &error);
        if (status == STATUS_DRAWN) {
            options.json ? print_json(&plots) : print_files(plots.files);
        }
        json_decref(plots.fits);
        g_ptr_array_unref(plots.files);
        g_array_unref(plots.points);
        g_free(plots.dir);
        sqlite3_close(plots.db);
    }
    if (error != NULL) {
        fprintf(stderr, "peal plot: %s\n", error->message);
        g_error_free(error);
    }
    return status;
}
