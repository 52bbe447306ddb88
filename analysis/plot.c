/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plot.c - see plot.h: the command.
 */
#include <analysis/plot.h>

#include "figure/table.h"
#include "plot/gnuplot.h"

#include <analysis/results.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATUS_DRAWN = 0, STATUS_FAILED = 1, STATUS_INPUT = 2 };

typedef struct PlotOptions {
    char **dirs; /* NULL ends them */
    unsigned dirs_len;
    char *out;
    char **only;
    char **quantities;
    gboolean list;
    gboolean csv;
    gboolean json;
} PlotOptions;

static void print_files(const GPtrArray *files)
{
    for (guint i = 0; i < files->len; i++) {
        puts(g_ptr_array_index(files, i));
    }
}

static json_t *interval_json(bool has, StatsInterval interval)
{
    return has ? json_pack("[f, f]", interval.low, interval.high) : json_null();
}

static void add_fits(json_t *fits, const Figure *figure)
{
    for (guint i = 0; i < figure->fits->len; i++) {
        const FigureFit *one = &g_array_index(figure->fits, FigureFit, i);
        const StatsFit *fit = &one->fit;

        json_array_append_new(
            fits,
            json_pack("{s:s, s:s, s:s, s:f, s:f, s:f, s:i, s:o, s:o}", "figure", figure->name,
                      "group", one->group, "against", "log2 n", "slope", fit->slope, "intercept",
                      fit->intercept, "r_squared", fit->r_squared, "observations", (int)fit->count,
                      "slope_ci95", interval_json(fit->has_interval, fit->slope_ci95),
                      "intercept_ci95", interval_json(fit->has_interval, fit->intercept_ci95)));
    }
}

static void print_json(const GPtrArray *figures, const GPtrArray *files)
{
    json_t *root = json_object(), *names = json_array(), *fits = json_array();
    char *text;

    for (guint i = 0; i < files->len; i++) {
        json_array_append_new(names, json_string(g_ptr_array_index(files, i)));
    }
    for (guint i = 0; i < figures->len; i++) {
        add_fits(fits, g_ptr_array_index(figures, i));
    }
    json_object_set_new(root, "files", names);
    json_object_set_new(root, "fits", fits);
    text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    puts(text);
    free(text);
    json_decref(root);
}

static void print_list(const GPtrArray *figures)
{
    for (guint i = 0; i < figures->len; i++) {
        const Figure *figure = g_ptr_array_index(figures, i);

        printf("%-26s  %s%s%s\n", figure->name, figure->title, figure->subject != NULL ? ": " : "",
               figure->subject != NULL ? figure->subject : "");
    }
}

/* DIR/plots; of several directories out/plot-A-B. */
static char *out_dir(const PlotOptions *options)
{
    g_autoptr(GString) name = g_string_new("plot");

    if (options->out != NULL) {
        return g_strdup(options->out);
    }
    if (options->dirs_len == 1) {
        return g_build_filename(options->dirs[0], "plots", NULL);
    }
    for (unsigned i = 0; i < options->dirs_len; i++) {
        g_autofree char *base = g_path_get_basename(options->dirs[i]);

        g_string_append_printf(name, "-%s", base);
    }
    return g_build_filename("out", name->str, NULL);
}

static int export_csv(const PlotOptions *options, GError **error)
{
    g_autoptr(sqlite3) db = database_open(options->dirs[0], error);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);

    if (db == NULL) {
        return STATUS_INPUT;
    }
    if (!results_export_csv(options->dirs[0], files, error)) {
        return STATUS_FAILED;
    }
    print_files(files);
    return STATUS_DRAWN;
}

/* What is found wrong before anything is written ends with STATUS_INPUT. */
static int plot_figures(const PlotOptions *options, GError **error)
{
    const TableRequest request = {options->only, options->quantities};
    g_autoptr(Cases) cases = cases_open(options->dirs, options->dirs_len, error);
    g_autoptr(GPtrArray) figures =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void *)figure_free);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *dir = out_dir(options);

    if (cases == NULL || !table_build(cases, &request, figures, error)) {
        return STATUS_INPUT;
    }
    if (options->list) {
        print_list(figures);
        return STATUS_DRAWN;
    }
    if (!gnuplot_check("export the figures with --csv", error)) {
        return STATUS_INPUT;
    }
    if (!gnuplot_draw(dir, figures, files, error)) {
        return STATUS_FAILED;
    }
    options->json ? print_json(figures, files) : print_files(files);
    return STATUS_DRAWN;
}

static bool check_options(const PlotOptions *options, GError **error)
{
    const char *wrong = NULL;

    if (options->dirs_len == 0) {
        wrong = "name a results directory: peal plot DIR (see peal plot --help)";
    } else if (options->csv && (options->list || options->only != NULL ||
                                options->quantities != NULL || options->out != NULL)) {
        wrong = "--csv exports every table to DIR/csv; leave the other options out";
    } else if (options->csv && options->dirs_len > 1) {
        wrong = "--csv exports one results directory";
    }
    if (wrong != NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "%s", wrong);
    }
    return wrong == NULL;
}

static bool parse_options(int argc, char **argv, PlotOptions *options, GError **error)
{
    GOptionEntry entries[] = {
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
         "Directory for the figures (default DIR/plots, of several out/plot-A-B)", "DIR"},
        {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->only,
         "Draw only this family or figure; * and ? stand for anything; may be repeated", "NAME"},
        {"quantity", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->quantities,
         "Draw a figure of summary.json against the swept key as well, such as lookups.hops; may "
         "be "
         "repeated",
         "NAME"},
        {"list", 0, 0, G_OPTION_ARG_NONE, &options->list,
         "Name the figures that these results can show, draw nothing", NULL},
        {"csv", 0, 0, G_OPTION_ARG_NONE, &options->csv,
         "Write DIR/csv, every table of the results as CSV, instead of figures", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json,
         "Print the files and the fits as JSON instead of the files' names", NULL},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GOptionContext) context = g_option_context_new("DIR...");
    g_autofree char *families = table_families();
    g_autofree char *summary = g_strconcat(
        "Draws the figures that the results in DIR, a directory that 'peal run' wrote, can show,\n"
        "into DIR/plots. Each comes as SVG and PNG beside the gnuplot script and the data that\n"
        "draw it again. Several directories are drawn beside one another. The families:\n",
        families, NULL);

    g_option_context_set_summary(context, summary);
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    options->dirs = argv + 1;
    options->dirs_len = (unsigned)(argc - 1);
    return check_options(options, error);
}

int plot_main(int argc, char **argv)
{
    PlotOptions options = {0};
    GError *error = NULL;
    int status = STATUS_INPUT;

    g_set_prgname("peal plot");
    if (parse_options(argc, argv, &options, &error)) {
        status = options.csv ? export_csv(&options, &error) : plot_figures(&options, &error);
    }
    g_free(options.out);
    g_strfreev(options.only);
    g_strfreev(options.quantities);
    if (error != NULL) {
        fprintf(stderr, "peal plot: %s\n", error->message);
        g_error_free(error);
    }
    return status;
}
