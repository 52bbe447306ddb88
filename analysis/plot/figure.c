/*
 * figure.c - see figure.h.
 */
#include "plot/figure.h"

#include <analysis/results.h>
#include <errno.h>
#include <math.h>

/* Okabe and Ito without yellow, which is lost on white; told apart in grey by dashes and marks. */
static const char *const COLOURS[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                      "#E69F00", "#56B4E9", "#000000"};
static const char *const DASHES[] = {"solid",  "(10,5)",         "(4,4)", "(16,5,4,5)",
                                     "(22,7)", "(16,5,4,5,4,5)", "solid"};
static const unsigned MARKS[] = {7, 5, 9, 13, 11, 6, 4};

static const char PREAMBLE[] = "reset\nset encoding utf8\n"
                               "set datafile missing 'NaN'\n"
                               "set border 3 lw 0.8 lc rgb '#404040'\n"
                               "set tics nomirror out scale 0.6 textcolor rgb '#202020'\n"
                               "set grid ytics lt 1 lw 0.5 lc rgb '#d8d8d8'\n"
                               "set key opaque noautotitle samplen 2.5 spacing 1.15\n"
                               "set style fill solid 1.0 noborder\n";

Figure *figure_new(const Plots *plots, const char *name, const PlotsPoint *point)
{
    Figure *figure = g_new0(Figure, 1);

    figure->name = point != NULL && plots->points->len > 1
                       ? g_strdup_printf("%s-%d", name, point->point)
                       : g_strdup(name);
    figure->data = g_string_new(NULL);
    figure->script = g_string_new(NULL);
    figure->height = 450;
    return figure;
}

void figure_free(Figure *figure)
{
    if (figure != NULL) {
        g_free(figure->name);
        g_string_free(figure->data, TRUE);
        g_string_free(figure->script, TRUE);
        g_free(figure);
    }
}

void figure_block(Figure *figure, const char *columns)
{
    figure->blocks++;
    figure->rows = 0;
    g_string_append_printf(figure->data, "%s# %s\n", figure->data->len > 0 ? "\n\n" : "", columns);
}

void figure_row(Figure *figure, const double *values, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        char number[G_ASCII_DTOSTR_BUF_SIZE] = "NaN";

        if (isfinite(values[i])) {
            g_ascii_formatd(number, sizeof(number), "%.10g", values[i]);
        }
        g_string_append_printf(figure->data, "%s%s", i > 0 ? " " : "", number);
    }
    g_string_append_c(figure->data, '\n');
    figure->rows++;
}

char *figure_quote(const char *text)
{
    GString *quoted = g_string_new("\"");

    for (; *text != '\0'; text++) {
        switch (*text) {
        case '"':
        case '\\':
        case '`':
            g_string_append_c(quoted, '\\');
            g_string_append_c(quoted, *text);
            break;
        case '\n':
            g_string_append(quoted, "\\n");
            break;
        default:
            g_string_append_c(quoted, *text);
        }
    }
    g_string_append_c(quoted, '"');
    return g_string_free(quoted, FALSE);
}

const char *figure_colour(unsigned i)
{
    return COLOURS[i % G_N_ELEMENTS(COLOURS)];
}

const char *figure_dash(unsigned i)
{
    return DASHES[i % G_N_ELEMENTS(DASHES)];
}

unsigned figure_mark(unsigned i)
{
    return MARKS[i % G_N_ELEMENTS(MARKS)];
}

static bool write_file(Plots *plots, const char *name, const char *suffix, const char *text,
                       GError **error)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(plots->dir, file, NULL);
    GError *failure = NULL;

    if (!g_file_set_contents(path, text, -1, &failure)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "%s", failure->message);
        g_error_free(failure);
        return false;
    }
    g_ptr_array_add(plots->files, g_steal_pointer(&path));
    return true;
}

static bool run_gnuplot(Plots *plots, const char *name, GError **error)
{
    g_autofree char *script = g_strconcat(name, ".gp", NULL);
    char *argv[] = {"gnuplot", script, NULL};
    g_autofree char *output = NULL;
    g_autofree char *errors = NULL;
    GError *failure = NULL;
    int status = 0;

    if (!g_spawn_sync(plots->dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output, &errors,
                      &status, &failure) ||
        !g_spawn_check_wait_status(status, &failure)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE,
                    "gnuplot could not draw %s/%s: %s %s", plots->dir, script, failure->message,
                    errors != NULL ? g_strstrip(errors) : "");
        g_error_free(failure);
        return false;
    }
    return true;
}

bool figure_draw(Plots *plots, Figure *figure, GError **error)
{
    static const char *const drawn[] = {".svg", ".png"};
    g_autoptr(GString) script = g_string_new(NULL);

    g_string_append_printf(script, FIGURE_SCRIPT_BEGIN "%s.svg and %s.png from %s.dat\n",
                           figure->name, figure->name, figure->name, figure->name);
    g_string_append_printf(script,
                           "data = '%s.dat'\n"
                           "do for [format in 'svg png'] {\n"
                           "if (format eq 'svg') {\n"
                           "set terminal svg size 720,%u noenhanced font 'DejaVu Sans,14' "
                           "background rgb 'white'\n"
                           "} else {\n"
                           "set terminal pngcairo size 1440,%u noenhanced font 'DejaVu Sans,14' "
                           "fontscale 1.6 linewidth 2 pointscale 2 background rgb 'white'\n"
                           "}\n"
                           "set output '%s.'.format\n",
                           figure->name, figure->height, 2 * figure->height, figure->name);
    g_string_append(script, PREAMBLE);
    g_string_append(script, figure->script->str);
    g_string_append(script, "}\nunset output\n");
    if (!write_file(plots, figure->name, ".dat", figure->data->str, error) ||
        !write_file(plots, figure->name, ".gp", script->str, error) ||
        !run_gnuplot(plots, figure->name, error)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(drawn); i++) {
        g_autofree char *file = g_strconcat(figure->name, drawn[i], NULL);

        g_ptr_array_add(plots->files, g_build_filename(plots->dir, file, NULL));
    }
    return true;
}

bool figure_check_gnuplot(const char *other_way, GError **error)
{
    g_autofree char *path = g_find_program_in_path("gnuplot");

    if (path == NULL) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "there is no gnuplot to draw with; install the package gnuplot-nox, or %s",
                    other_way);
        return false;
    }
    return true;
}

bool figure_make_dir(const char *dir, GError **error)
{
    if (g_mkdir_with_parents(dir, 0777) != 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot make %s: %s", dir,
                    g_strerror(errno));
        return false;
    }
    return true;
}
