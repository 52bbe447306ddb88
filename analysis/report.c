/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * report.c - see report.h: the command.
 */
#include <analysis/report.h>

#include "figure/table.h"
#include "plot/gnuplot.h"
#include "report/page.h"
#include "report/thin.h"

#include <analysis/results.h>
#include <errno.h>
#include <stdio.h>

enum { STATUS_WRITTEN = 0, STATUS_FAILED = 1, STATUS_INPUT = 2 };

/* A line of more points than LINE_POINTS looks no finer; all figures together have about
 * PAGE_POINTS, some 2 MB, with LINE_POINTS_LEAST a line whatever comes. */
enum { LINE_POINTS = 500, LINE_POINTS_LEAST = 60, PAGE_POINTS = 60000 };

typedef struct ReportOptions {
    char **dirs; /* NULL ends them */
    unsigned dirs_len;
    char *out;
    char **only;
    char **quantities;
} ReportOptions;

static guint count_points(const GPtrArray *figures)
{
    guint points = 0;

    for (guint i = 0; i < figures->len; i++) {
        const Figure *figure = g_ptr_array_index(figures, i);

        for (guint j = 0; j < figure->panels->len; j++) {
            const FigurePanel *panel = figure_panel_at(figure, j);

            for (guint k = 0; k < panel->series->len; k++) {
                points += figure_series_at(panel, k)->points->len;
            }
        }
    }
    return points;
}

static void thin_all(const GPtrArray *figures)
{
    guint points, most = LINE_POINTS;

    for (guint i = 0; i < figures->len; i++) {
        thin_figure(g_ptr_array_index(figures, i), most);
    }
    points = count_points(figures);
    if (points > PAGE_POINTS) {
        most = MAX(LINE_POINTS_LEAST, (guint)((guint64)LINE_POINTS * PAGE_POINTS / points));
        for (guint i = 0; i < figures->len; i++) {
            thin_figure(g_ptr_array_index(figures, i), most);
        }
    }
}

/* DIR/report.html; of several directories out/report-A-B.html. */
static char *out_file(const ReportOptions *options)
{
    g_autoptr(GString) name = g_string_new("report");

    if (options->out != NULL) {
        return g_strdup(options->out);
    }
    if (options->dirs_len == 1) {
        return g_build_filename(options->dirs[0], "report.html", NULL);
    }
    for (unsigned i = 0; i < options->dirs_len; i++) {
        g_autofree char *base = g_path_get_basename(options->dirs[i]);

        g_string_append_printf(name, "-%s", base);
    }
    g_string_append(name, ".html");
    return g_build_filename("out", name->str, NULL);
}

static bool write_page(const char *path, const char *text, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    GError *failure = NULL;

    if (g_mkdir_with_parents(dir, 0777) != 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot make %s: %s", dir,
                    g_strerror(errno));
        return false;
    }
    if (!g_file_set_contents(path, text, -1, &failure)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot write %s: %s", path,
                    failure->message);
        g_error_free(failure);
        return false;
    }
    return true;
}

/* Without a gnuplot the page has no pictures for who runs no script. */
static bool draw_pictures(const GPtrArray *figures, GPtrArray *pictures, GError **error)
{
    if (!gnuplot_check("", NULL)) {
        g_ptr_array_set_size(pictures, (gint)figures->len);
        return true;
    }
    return gnuplot_svgs(figures, pictures, error);
}

static int make_report(const ReportOptions *options, GError **error)
{
    const TableRequest request = {options->only, options->quantities};
    g_autoptr(Cases) cases = cases_open(options->dirs, options->dirs_len, error);
    g_autoptr(GPtrArray) figures =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void *)figure_free);
    g_autoptr(GPtrArray) pictures = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *path = out_file(options), *text = NULL;

    if (cases == NULL || !table_build(cases, &request, figures, error)) {
        return STATUS_INPUT;
    }
    thin_all(figures);
    if (!draw_pictures(figures, pictures, error)) {
        return STATUS_FAILED;
    }
    text = page_text(cases, figures, pictures, error);
    if (text == NULL) {
        return STATUS_INPUT;
    }
    if (!write_page(path, text, error)) {
        return STATUS_FAILED;
    }
    puts(path);
    return STATUS_WRITTEN;
}

static bool parse_options(int argc, char **argv, ReportOptions *options, GError **error)
{
    GOptionEntry entries[] = {
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
         "The page's file (default DIR/report.html, of several out/report-A-B.html)", "FILE"},
        {"only", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->only,
         "Show only this family or figure, as 'peal plot' names them; may be repeated", "NAME"},
        {"quantity", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->quantities,
         "Show a figure of summary.json against the swept key as well; may be repeated", "NAME"},
        G_OPTION_ENTRY_NULL};
    g_autoptr(GOptionContext) context = g_option_context_new("DIR...");

    g_option_context_set_summary(
        context, "Writes the results in DIR, a directory that 'peal run' wrote, as one HTML page:\n"
                 "scenario, figures to be zoomed and read off, tables with intervals, and the\n"
                 "command that gives them again. The page needs no network and no other file.\n"
                 "Several directories are shown beside one another.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    options->dirs = argv + 1;
    options->dirs_len = (unsigned)(argc - 1);
    if (options->dirs_len == 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "name a results directory: peal report DIR (see peal report --help)");
        return false;
    }
    return true;
}

int report_main(int argc, char **argv)
{
    ReportOptions options = {0};
    GError *error = NULL;
    int status = STATUS_INPUT;

    g_set_prgname("peal report");
    if (parse_options(argc, argv, &options, &error)) {
        status = make_report(&options, &error);
    }
    g_free(options.out);
    g_strfreev(options.only);
    g_strfreev(options.quantities);
    if (error != NULL) {
        fprintf(stderr, "peal report: %s\n", error->message);
        g_error_free(error);
    }
    return status;
}
