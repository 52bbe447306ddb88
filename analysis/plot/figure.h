/*
 * figure.h - what the figures of `peal plot` share: the points they show, their look, drawing them.
 * Source: colours that the colour-blind tell apart: Okabe and Ito, Color Universal Design (2008).
 * State:  one Plots for a run of the command.   Time: none.
 */
#ifndef PLOT_FIGURE_H
#define PLOT_FIGURE_H

#include "database.h"

#include <jansson.h>

/* A point of the sweep; a run without one has a single point with an empty label. */
typedef struct PlotsPoint {
    int point;
    char *label; /* "peers = 1000, loss = 1%" */
    char *group; /* the same without overlay.peers */
    gint64 peers;
    unsigned replications;
} PlotsPoint;

typedef struct Plots {
    sqlite3 *db;
    char *dir;         /* where figures go */
    GArray *points;    /* of PlotsPoint */
    GPtrArray *files;  /* paths written, owned */
    json_t *fits;      /* array of objects */
    bool sweeps_peers; /* the sweep has overlay.peers */
} Plots;

/* A figure being made: data in blocks that gnuplot tells apart by index, and the plot commands. */
typedef struct Figure {
    char *name; /* stem of its files */
    GString *data;
    GString *script;
    unsigned blocks; /* begun */
    unsigned rows;   /* in the last block */
    unsigned height; /* of the SVG in points, 720 wide; the PNG has twice as many pixels each way */
} Figure;

/* How the script NAME.gp of a figure begins, which is how results_open knows the figure for
 * ours. */
#define FIGURE_SCRIPT_BEGIN "# gnuplot %s.gp draws "

/* figure_new starts a figure. name: stem of its files; "-POINT" is added in a sweep unless point is
 * NULL. */
Figure *figure_new(const Plots *plots, const char *name, const PlotsPoint *point);
void figure_free(Figure *figure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Figure, figure_free)

/* figure_block begins a block of data; columns: their names and units, for the comment above it. */
void figure_block(Figure *figure, const char *columns);

/* figure_row adds a row; what is no number becomes NaN, which gnuplot leaves out. */
void figure_row(Figure *figure, const double *values, size_t len);

/* figure_quote is text as a gnuplot string with its quotes; free with g_free. */
char *figure_quote(const char *text);

/* figure_colour, figure_dash and figure_mark are the look of the i-th line. */
const char *figure_colour(unsigned i);
const char *figure_dash(unsigned i);
unsigned figure_mark(unsigned i);

/* figure_draw writes NAME.dat and NAME.gp, runs gnuplot on them and lists the four files. False
 * with RESULTS_ERROR_WRITE. */
bool figure_draw(Plots *plots, Figure *figure, GError **error);

/* figure_check_gnuplot tells whether there is a gnuplot to draw with; false with
 * RESULTS_ERROR_READ, which says what to install, or that `other_way` does without. */
bool figure_check_gnuplot(const char *other_way, GError **error);

/* figure_make_dir makes the directory of figures, parents too. False with RESULTS_ERROR_WRITE. */
bool figure_make_dir(const char *dir, GError **error);

/* The figures; each leaves out what the results cannot show. */
bool plot_latency(Plots *plots, GError **error);
bool plot_setup(Plots *plots, GError **error);
bool plot_hops(Plots *plots, GError **error);
bool plot_load(Plots *plots, GError **error);
bool plot_lookups(Plots *plots, GError **error);
bool plot_messages(Plots *plots, GError **error);
bool plot_scaling(Plots *plots, GError **error);

#endif
