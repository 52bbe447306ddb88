/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * gnuplot.c - see gnuplot.h.
 */
#include "plot/gnuplot.h"

#include "plot/script.h"

#include <analysis/results.h>
#include <errno.h>
#include <glib/gstdio.h>

/* Formats with the height in points or pixels. */
#define SVG_TERMINAL \
    "set terminal svg size 720,%u noenhanced font 'DejaVu Sans,14' background rgb 'white'\n"
#define PNG_TERMINAL                                                                     \
    "set terminal pngcairo size 1440,%u noenhanced font 'DejaVu Sans,14' fontscale 1.6 " \
    "linewidth 2 pointscale 2 background rgb 'white'\n"

bool gnuplot_check(const char *other_way, GError **error)
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

static bool write_file(const char *dir, const char *name, const char *suffix, const char *text,
                       GPtrArray *files, GError **error)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = g_build_filename(dir, file, NULL);
    GError *failure = NULL;

    if (!g_file_set_contents(path, text, -1, &failure)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "%s", failure->message);
        g_error_free(failure);
        return false;
    }
    g_ptr_array_add(files, g_steal_pointer(&path));
    return true;
}

static bool write_figure(const char *dir, const Figure *figure, GPtrArray *files, GError **error)
{
    g_autofree char *data = script_data(figure);
    g_autofree char *body = script_text(figure);
    g_autoptr(GString) script = g_string_new(NULL);
    unsigned height = script_height(figure);

    g_string_append_printf(script, GNUPLOT_SCRIPT_BEGIN "%s.svg and %s.png from %s.dat\n",
                           figure->name, figure->name, figure->name, figure->name);
    g_string_append_printf(script,
                           "data = '%s.dat'\ndo for [format in 'svg png'] {\n"
                           "if (format eq 'svg') {\n",
                           figure->name);
    g_string_append_printf(script, SVG_TERMINAL, height);
    g_string_append(script, "} else {\n");
    g_string_append_printf(script, PNG_TERMINAL, 2 * height);
    g_string_append_printf(script, "}\nset output '%s.'.format\n%s}\nunset output\n", figure->name,
                           body);
    return write_file(dir, figure->name, ".dat", data, files, error) &&
           write_file(dir, figure->name, ".gp", script->str, files, error);
}

static bool run_script(const char *dir, const char *script, GError **error)
{
    char *argv[] = {"gnuplot", (char *)(uintptr_t)script, NULL};
    g_autofree char *errors = NULL;
    GError *failure = NULL;
    int status = 0;

    if (!g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                      NULL, &errors, &status, &failure) ||
        !g_spawn_check_wait_status(status, &failure)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE,
                    "gnuplot could not draw %s/%s: %s %s", dir, script, failure->message,
                    errors != NULL ? g_strstrip(errors) : "");
        g_error_free(failure);
        return false;
    }
    return true;
}

/* Scripts run side by side, one gnuplot a processor. */
typedef struct Drawing {
    const char *dir;
    GMutex lock;
    GError *error; /* the first */
} Drawing;

static void draw_in_thread(gpointer data, gpointer user)
{
    const Figure *figure = data;
    Drawing *drawing = user;
    g_autofree char *script = g_strconcat(figure->name, ".gp", NULL);
    GError *error = NULL;

    if (!run_script(drawing->dir, script, &error)) {
        g_mutex_lock(&drawing->lock);
        if (drawing->error == NULL) {
            drawing->error = g_steal_pointer(&error);
        }
        g_mutex_unlock(&drawing->lock);
        g_clear_error(&error);
    }
}

static bool run_all(const char *dir, const GPtrArray *figures, GError **error)
{
    Drawing drawing = {.dir = dir};
    GThreadPool *pool;

    g_mutex_init(&drawing.lock);
    pool = g_thread_pool_new(draw_in_thread, &drawing, (gint)MIN(g_get_num_processors(), 8), FALSE,
                             NULL);
    for (guint i = 0; i < figures->len; i++) {
        g_thread_pool_push(pool, g_ptr_array_index(figures, i), NULL);
    }
    g_thread_pool_free(pool, FALSE, TRUE);
    g_mutex_clear(&drawing.lock);
    if (drawing.error != NULL) {
        g_propagate_error(error, drawing.error);
        return false;
    }
    return true;
}

bool gnuplot_draw(const char *dir, const GPtrArray *figures, GPtrArray *ret_files, GError **error)
{
    static const char *const drawn[] = {".svg", ".png"};

    if (g_mkdir_with_parents(dir, 0777) != 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "cannot make %s: %s", dir,
                    g_strerror(errno));
        return false;
    }
    for (guint i = 0; i < figures->len; i++) {
        const Figure *figure = g_ptr_array_index(figures, i);

        if (!write_figure(dir, figure, ret_files, error)) {
            return false;
        }
        for (size_t j = 0; j < G_N_ELEMENTS(drawn); j++) {
            g_autofree char *file = g_strconcat(figure->name, drawn[j], NULL);

            g_ptr_array_add(ret_files, g_build_filename(dir, file, NULL));
        }
    }
    return run_all(dir, figures, error);
}

static bool write_svg_script(const char *dir, const Figure *figure, GPtrArray *files,
                             GError **error)
{
    g_autofree char *data = script_data(figure);
    g_autofree char *body = script_text(figure);
    g_autoptr(GString) script = g_string_new(NULL);

    g_string_append_printf(script, "data = '%s.dat'\n" SVG_TERMINAL "set output '%s.svg'\n%s",
                           figure->name, script_height(figure), figure->name, body);
    return write_file(dir, figure->name, ".dat", data, files, error) &&
           write_file(dir, figure->name, ".gp", script->str, files, error);
}

static bool read_svg(const char *dir, const Figure *figure, GPtrArray *texts, GPtrArray *files,
                     GError **error)
{
    g_autofree char *file = g_strconcat(figure->name, ".svg", NULL);
    char *path = g_build_filename(dir, file, NULL);
    char *text = NULL;
    GError *failure = NULL;

    g_ptr_array_add(files, path);
    if (!g_file_get_contents(path, &text, NULL, &failure)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "%s", failure->message);
        g_error_free(failure);
        return false;
    }
    g_ptr_array_add(texts, text);
    return true;
}

bool gnuplot_svgs(const GPtrArray *figures, GPtrArray *ret_texts, GError **error)
{
    g_autofree char *dir = NULL;
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    GError *failure = NULL;
    bool good = true;

    dir = g_dir_make_tmp("peal-figures-XXXXXX", &failure);
    if (dir == NULL) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_WRITE, "%s", failure->message);
        g_error_free(failure);
        return false;
    }
    for (guint i = 0; good && i < figures->len; i++) {
        good = write_svg_script(dir, g_ptr_array_index(figures, i), files, error);
    }
    good = good && run_all(dir, figures, error);
    for (guint i = 0; good && i < figures->len; i++) {
        good = read_svg(dir, g_ptr_array_index(figures, i), ret_texts, files, error);
    }
    for (guint i = 0; i < files->len; i++) {
        g_unlink(g_ptr_array_index(files, i));
    }
    g_rmdir(dir);
    return good;
}
