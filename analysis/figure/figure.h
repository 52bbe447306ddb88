/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figure.h - a figure as data: axes, series, marks, cells. Who draws it (gnuplot, a page) is not
 * its concern.
 * Source: none.   State: the caller's; a few hundred points a series.   Time: none.
 */
#ifndef FIGURE_FIGURE_H
#define FIGURE_FIGURE_H

#include <analysis/stats.h>
#include <glib.h>

/* A value that is drawn; low and high are its 95 % interval, NaN without one. */
typedef struct FigurePoint {
    double x;
    double y;
    double low;
    double high;
} FigurePoint;

typedef enum FigureStyle {
    FIGURE_LINE,
    FIGURE_STEPS,  /* a line that goes to the next x before it goes to its y */
    FIGURE_MARKED, /* a line with a mark at each point */
    FIGURE_MARKS,
    FIGURE_BARS, /* a bar at each x, one wide */
} FigureStyle;

/* How intervals are drawn where points have them. */
typedef enum FigureSpread { FIGURE_BAND, FIGURE_WHISKERS } FigureSpread;

typedef struct FigureSeries {
    char *name;  /* in the key; NULL keeps it out of the key */
    char *group; /* the name it goes with where it has none of its own; NULL: none */
    char *note;  /* a second line in the key, of its interval; NULL: none */
    FigureStyle style;
    FigureSpread spread;
    unsigned look;     /* number of its colour, dashes and mark, see look.h */
    GArray *points;    /* of FigurePoint */
    GPtrArray *labels; /* what each point is, where x does not say it; over a bar it is written;
                          NULL: none */
    GArray *across;    /* of StatsInterval, x's own where x is a mean too; NULL: none */
} FigureSeries;

typedef enum FigureScale { FIGURE_LINEAR, FIGURE_LOG } FigureScale;

typedef struct FigureTick {
    double at;
    char *text;
} FigureTick;

typedef struct FigureAxis {
    char *label;      /* with the unit: "Lookup latency (ms)" */
    const char *unit; /* after a number, with its space: " ms" */
    FigureScale scale;
    double from; /* NaN: as the data are */
    double to;
    GArray *ticks; /* of FigureTick, in place of numbers; empty: numbers */
} FigureAxis;

/* Panels stand above one another and share x. */
typedef struct FigurePanel {
    FigureAxis y;
    GPtrArray *series; /* of FigureSeries */
} FigurePanel;

/* A point of a curve with its name and a line down to the axis. */
typedef struct FigureMark {
    double x;
    double y;
    char *text;
    bool left; /* the text stands left of it and above, not right of it and below */
} FigureMark;

/* A vertical line: an event of the scenario at its time, or a mean. */
typedef struct FigureRule {
    double x;
    char *text;
} FigureRule;

/* A heat map: cells over two axes of names. */
typedef struct FigureGrid {
    GPtrArray *columns; /* names along x, of char * */
    GPtrArray *rows;    /* names along y, from below */
    char *row_label;    /* of the axis of rows; that of columns is the figure's x */
    GArray *cells;      /* of FigurePoint, rows * columns, row by row; y is NaN where nothing is */
    char *label;        /* of the values, with the unit */
    const char *unit;
} FigureGrid;

/* A straight line that was fitted. */
typedef struct FigureFit {
    char *group;
    StatsFit fit;
} FigureFit;

typedef enum FigureKeyPlace {
    FIGURE_KEY_ABOVE,
    FIGURE_KEY_TOP_LEFT,
    FIGURE_KEY_TOP_RIGHT,
    FIGURE_KEY_BOTTOM_RIGHT,
} FigureKeyPlace;

typedef struct Figure {
    char *name;    /* stem of its files: a-z, 0-9, '-', '.' */
    char *title;   /* what it shows, in a few words */
    char *about;   /* how to read it and how it was made, a sentence or two */
    char *subject; /* the point it is about, where a figure is drawn for each; else NULL */
    FigureAxis x;
    FigureAxis top; /* a second x axis with ticks of its own; its label is NULL without one */
    GPtrArray *panels;
    GArray *events;   /* of FigureRule */
    double warmup;    /* x up to which nothing is counted; 0: none */
    FigureRule mean;  /* its text NULL: none */
    GArray *marks;    /* of FigureMark, in the first panel */
    FigureGrid *grid; /* a heat map has this and no panels */
    GArray *fits;     /* of FigureFit */
    char *remark;     /* words inside the first panel; NULL: none */
    FigureKeyPlace key;
    char *key_title; /* what the names in the key are values of; NULL: they speak for themselves */
} Figure;

/* figure_new starts a figure without panels; the strings are copied. */
Figure *figure_new(const char *name, const char *title, const char *about);
void figure_free(Figure *figure);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Figure, figure_free)

/* figure_axis_init names an axis, linear and as long as the data. unit: a constant. */
void figure_axis_init(FigureAxis *axis, const char *label, const char *unit);

/* figure_axis_tick puts a text in place of a number. */
void figure_axis_tick(FigureAxis *axis, double at, const char *text);

/* figure_panel adds a panel below the others; it belongs to the figure. */
FigurePanel *figure_panel(Figure *figure, const char *label, const char *unit);

/* figure_series adds a series to a panel, which owns it. name: NULL keeps it out of the key. */
FigureSeries *figure_series(FigurePanel *panel, const char *name, FigureStyle style, unsigned look);

/* figure_point adds a point; one whose x or y is no finite number is left out. */
void figure_point(FigureSeries *series, FigurePoint point);

/* figure_mean adds a mean at x with its interval, where it has one, both times `factor`. */
void figure_mean(FigureSeries *series, double x, const StatsMean *mean, double factor);

void figure_event(Figure *figure, double x, const char *text);
void figure_mark(Figure *figure, double x, double y, const char *text, bool left);

/* figure_is_empty tells whether there is nothing to draw: no series has a point, no cell a
 * value. */
bool figure_is_empty(const Figure *figure);

/* figure_span gives the least and greatest y of a panel's points, intervals included; x of all
 * panels. False without a point. */
bool figure_span_y(const FigurePanel *panel, double *ret_least, double *ret_greatest);
bool figure_span_x(const Figure *figure, double *ret_least, double *ret_greatest);

/* Reading. */
static inline FigurePanel *figure_panel_at(const Figure *figure, guint i)
{
    return (FigurePanel *)g_ptr_array_index(figure->panels, i);
}

static inline FigureSeries *figure_series_at(const FigurePanel *panel, guint i)
{
    return (FigureSeries *)g_ptr_array_index(panel->series, i);
}

static inline const FigurePoint *figure_points(const FigureSeries *series)
{
    return (const FigurePoint *)(const void *)series->points->data;
}

/* The unit in which a span of time is read: "min", and " min" behind a number. */
typedef struct FigureTimeUnit {
    const char *name;
    const char *unit;
    double seconds;
} FigureTimeUnit;
FigureTimeUnit figure_time_unit(double seconds);

#endif
