/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * script.c - see script.h.
 */
#include "plot/script.h"

#include "figure/look.h"

#include <math.h>
#include <string.h>

/* gnuplot's numbers of the marks of look.h. */
static const unsigned MARKS[] = {7, 5, 9, 13, 11, 6, 4};

static const char PREAMBLE[] = "reset\nset encoding utf8\n"
                               "set border 3 lw 0.8 lc rgb '#404040'\n"
                               "set tics nomirror out scale 0.6 textcolor rgb '#202020'\n"
                               "set grid ytics lt 1 lw 0.5 lc rgb '#d8d8d8'\n"
                               "set key opaque noautotitle samplen 2.5 spacing 1.15\n"
                               "set style fill solid 1.0 noborder\nset boxwidth 0.85\n";

/* Points of height. */
enum {
    HEIGHT_ONE = 450,
    HEIGHT_PANEL = 280,
    FOOT = 73,       /* below the last panel: tics, label */
    GAP = 50,        /* between panels: a key */
    HEAD = 39,       /* above the first: its key */
    EVENT_LINE = 17, /* a line of events' names */
    KEY_LINE = 21,   /* a line of the key */
    SUBJECT = 24,    /* the subject, above all */
};
enum { WIDTH = 720, EVENT_LINES = 4, CHARACTER = 7 };

char *script_quote(const char *text)
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

/* The text of a tick, which gnuplot takes for a format. */
static char *quote_tick(const char *text)
{
    g_autoptr(GString) format = g_string_new(text);

    g_string_replace(format, "%", "%%", 0);
    return script_quote(format->str);
}

/* The data. */

static void add_number(GString *data, double value)
{
    char number[G_ASCII_DTOSTR_BUF_SIZE] = "NaN";

    if (isfinite(value)) {
        g_ascii_formatd(number, sizeof(number), "%.10g", value);
    }
    g_string_append_printf(data, "%s%s",
                           data->len > 0 && data->str[data->len - 1] != '\n' ? " " : "", number);
}

static void add_series_data(GString *data, const Figure *figure, const FigureSeries *series)
{
    g_string_append_printf(data, "%s# %s%s%s, low and high of its 95 %% interval%s\n",
                           data->len > 0 ? "\n\n" : "", series->name != NULL ? series->name : "",
                           series->name != NULL ? ": " : "", figure->x.label,
                           series->across != NULL ? ", low and high of x" : "");
    for (guint i = 0; i < series->points->len; i++) {
        const FigurePoint *point = &figure_points(series)[i];

        add_number(data, point->x);
        add_number(data, point->y);
        add_number(data, point->low);
        add_number(data, point->high);
        if (series->across != NULL) {
            add_number(data, g_array_index(series->across, StatsInterval, i).low);
            add_number(data, g_array_index(series->across, StatsInterval, i).high);
        }
        g_string_append_c(data, '\n');
    }
}

static void add_grid_data(GString *data, const FigureGrid *grid)
{
    g_string_append_printf(data, "# column, row, %s, low and high of its 95 %% interval\n",
                           grid->label);
    for (guint i = 0; i < grid->cells->len; i++) {
        const FigurePoint *cell = &g_array_index(grid->cells, FigurePoint, i);

        guint row = i / grid->columns->len;

        add_number(data, i % grid->columns->len);
        add_number(data, row);
        add_number(data, cell->y);
        add_number(data, cell->low);
        add_number(data, cell->high);
        g_string_append_c(data, '\n');
    }
}

char *script_data(const Figure *figure)
{
    GString *data = g_string_new(NULL);

    for (guint i = 0; i < figure->panels->len; i++) {
        const FigurePanel *panel = figure_panel_at(figure, i);

        for (guint j = 0; j < panel->series->len; j++) {
            const FigureSeries *series = figure_series_at(panel, j);

            if (series->points->len > 0) {
                add_series_data(data, figure, series);
            }
        }
    }
    if (figure->grid != NULL) {
        add_grid_data(data, figure->grid);
    }
    return g_string_free(data, FALSE);
}

/* The lines. */

static void add_dash(GString *script, unsigned look)
{
    size_t len;
    const double *dash = look_dash(look, &len);

    if (len == 0) {
        g_string_append(script, " dashtype solid");
        return;
    }
    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(script, "%s%g", i > 0 ? "," : " dashtype (", dash[i]);
    }
    g_string_append_c(script, ')');
}

static bool has_intervals(const FigureSeries *series)
{
    for (guint i = 0; i < series->points->len; i++) {
        if (isfinite(figure_points(series)[i].low)) {
            return true;
        }
    }
    return false;
}

static void add_title(GString *plot, const char *name)
{
    if (name != NULL) {
        g_autofree char *title = script_quote(name);

        g_string_append_printf(plot, " title %s", title);
    }
}

static void add_whiskers(GString *plot, const FigureSeries *series, unsigned index)
{
    const char *colour = look_colour(series->look);
    unsigned mark = MARKS[look_mark(series->look)];

    g_string_append_printf(plot,
                           "data index %u using 1:2:3:4 with yerrorbars lw 0.8 lc rgb '%s' "
                           "pt %u ps 0.8, \\\n ",
                           index, colour, mark);
    if (series->across != NULL) {
        g_string_append_printf(plot,
                               "data index %u using 1:2:5:6 with xerrorbars lw 0.8 lc rgb '%s' "
                               "pt %u ps 0.8, \\\n ",
                               index, colour, mark);
    }
}

/* A series: its intervals, itself, and the second line of its entry in the key. */
static void add_series(GString *plot, const FigureSeries *series, unsigned index)
{
    static const char *const with[] = {[FIGURE_LINE] = "lines",
                                       [FIGURE_STEPS] = "steps",
                                       [FIGURE_MARKED] = "linespoints",
                                       [FIGURE_MARKS] = "points",
                                       [FIGURE_BARS] = "boxes"};
    const char *colour = look_colour(series->look);
    bool intervals = has_intervals(series);

    g_string_append(plot, plot->len > 0 ? ", \\\n " : "plot ");
    if (intervals && series->spread == FIGURE_BAND) {
        g_string_append_printf(plot,
                               "data index %u using 1:3:4 with filledcurves fc rgb '%s' "
                               "fs transparent solid 0.2, \\\n ",
                               index, colour);
    } else if (intervals) {
        add_whiskers(plot, series, index);
    }
    g_string_append_printf(plot, "data index %u using 1:2 with %s lc rgb '%s'", index,
                           with[series->style], colour);
    if (series->style != FIGURE_BARS && series->style != FIGURE_MARKS) {
        g_string_append(plot, " lw 1.8");
        add_dash(plot, series->look);
    }
    if (series->style == FIGURE_MARKED || series->style == FIGURE_MARKS) {
        g_string_append_printf(plot, " pt %u ps 0.8", MARKS[look_mark(series->look)]);
    }
    add_title(plot, series->name);
    if (series->note != NULL) {
        g_string_append_printf(plot,
                               ", \\\n keyentry with filledcurves fc rgb '%s' fs transparent "
                               "solid 0.2",
                               colour);
        add_title(plot, series->note);
    }
}

/* The axes. */

static void add_ticks(GString *script, const char *which, const GArray *ticks)
{
    for (guint i = 0; i < ticks->len; i++) {
        const FigureTick *tick = &g_array_index(ticks, FigureTick, i);
        g_autofree char *text = quote_tick(tick->text);

        g_string_append_printf(script, "set %s %s(%s %.10g)\n", which, i > 0 ? "add " : "", text,
                               tick->at);
    }
}

static void add_range(GString *script, const char *which, double from, double to)
{
    g_string_append_printf(script, "set %s [", which);
    isnan(from) ? g_string_append(script, "*:") : g_string_append_printf(script, "%.10g:", from);
    isnan(to) ? g_string_append(script, "*]\n") : g_string_append_printf(script, "%.10g]\n", to);
}

static void add_axis(GString *script, char which, const FigureAxis *axis)
{
    g_autofree char *label = script_quote(axis->label);
    g_autofree char *range = g_strdup_printf("%crange", which);
    g_autofree char *tics = g_strdup_printf("%ctics", which);

    g_string_append_printf(script, "set %clabel %s\n", which, label);
    if (axis->scale == FIGURE_LOG) {
        g_string_append_printf(script, "set logscale %c\n", which);
    } else {
        g_string_append_printf(script, "unset logscale %c\n", which);
    }
    add_range(script, range, axis->from, axis->to);
    add_ticks(script, tics, axis->ticks);
}

/* Points in x stand off the plot's edges where the axis has no ends of its own. */
static void add_x(GString *script, const Figure *figure)
{
    FigureAxis axis = figure->x;
    double least, greatest;

    if (isnan(axis.to) && figure_span_x(figure, &least, &greatest)) {
        if (axis.scale == FIGURE_LOG) {
            double room = pow(greatest / least, 0.04);

            axis.from = least / room;
            axis.to = greatest * room;
        } else {
            double from = isnan(axis.from) ? least : axis.from;
            double room = greatest > from ? 0.04 * (greatest - from) : 1;

            axis.from = isnan(axis.from) ? least - room : axis.from;
            axis.to = greatest + room;
        }
    }
    add_axis(script, 'x', &axis);
    if (figure->top.label != NULL) {
        g_autofree char *label = script_quote(figure->top.label);

        g_string_append_printf(script,
                               "set border 7\nset x2label %s\nset x2range [%.10g:%.10g]\n"
                               "set x2tics nomirror out scale 0.6\n",
                               label, axis.from, axis.to);
        add_ticks(script, "x2tics", figure->top.ticks);
    }
}

/* How a key is laid out. */
typedef struct KeyLook {
    unsigned columns;
    unsigned rows; /* above the plot; 0: inside it */
} KeyLook;

enum { INSIDE_ENTRIES = 6, INSIDE_CHARACTERS = 76, ENTRY = 60 /* the sample and gaps */ };

/* A key of many or long entries stands above the plot, which grows by it. */
static KeyLook key_look(const Figure *figure)
{
    const FigurePanel *panel = figure_panel_at(figure, 0);
    unsigned entries = figure->mean.text != NULL;
    glong longest = figure->mean.text != NULL ? g_utf8_strlen(figure->mean.text, -1) : 0;
    KeyLook look = {1, 0};

    for (guint i = 0; i < panel->series->len; i++) {
        const FigureSeries *series = figure_series_at(panel, i);

        if (series->name != NULL && series->points->len > 0) {
            entries += series->note != NULL ? 2 : 1;
            longest = MAX(longest, g_utf8_strlen(series->name, -1));
            longest = MAX(longest, series->note != NULL ? g_utf8_strlen(series->note, -1) : 0);
        }
    }
    if (entries > 0 && (figure->key == FIGURE_KEY_ABOVE || entries > INSIDE_ENTRIES ||
                        longest > INSIDE_CHARACTERS)) {
        look.columns = MAX(1, (WIDTH - 90) / (unsigned)(longest * 8 + ENTRY));
        look.columns = MIN(look.columns, entries);
        look.rows = (entries + look.columns - 1) / look.columns + (figure->key_title != NULL);
    }
    return look;
}

static void add_key(GString *script, const Figure *figure)
{
    static const char *const places[] = {
        [FIGURE_KEY_ABOVE] = "above horizontal",
        [FIGURE_KEY_TOP_LEFT] = "top left reverse Left",
        [FIGURE_KEY_TOP_RIGHT] = "top right",
        [FIGURE_KEY_BOTTOM_RIGHT] = "bottom right",
    };
    KeyLook look = key_look(figure);

    g_string_append_printf(script, "set key %s",
                           places[look.rows > 0 ? FIGURE_KEY_ABOVE : figure->key]);
    if (look.rows > 0) {
        g_string_append_printf(script, " maxcols %u", look.columns);
    }
    if (figure->key_title != NULL) {
        g_autofree char *title = script_quote(figure->key_title);

        g_string_append_printf(script, " title %s", title);
    }
    g_string_append_c(script, '\n');
}

/* What else is drawn. */

static void add_marks(GString *script, const Figure *figure)
{
    for (guint i = 0; i < figure->marks->len; i++) {
        const FigureMark *mark = &g_array_index(figure->marks, FigureMark, i);
        g_autofree char *text = script_quote(mark->text);
        g_autofree char *place = mark->left
                                     ? g_strdup_printf("right offset -1.2,%g", 0.4 + 0.6 * (i - 1))
                                     : g_strdup("left offset 1,-0.6");

        g_string_append_printf(script,
                               "set arrow %u from %.10g,0 to %.10g,%.10g nohead lt 1 lw 0.8 "
                               "dashtype 3 lc rgb '#606060'\n"
                               "set label %u %s at %.10g,%.10g %s "
                               "textcolor rgb '#202020' point pt 7 ps 0.6 lc rgb '%s'\n",
                               i + 1, mark->x, mark->x, mark->y, i + 1, text, mark->x, mark->y,
                               place, look_colour(0));
    }
}

/* What stands over bars. */
static void add_bar_labels(GString *script, const FigurePanel *panel)
{
    enum { FIRST_LABEL = 20001 };
    unsigned label = FIRST_LABEL;

    for (guint i = 0; i < panel->series->len; i++) {
        const FigureSeries *series = figure_series_at(panel, i);

        for (guint j = 0;
             series->style == FIGURE_BARS && series->labels != NULL && j < series->points->len;
             j++) {
            const FigurePoint *point = &figure_points(series)[j];
            g_autofree char *text = script_quote(g_ptr_array_index(series->labels, j));

            g_string_append_printf(script,
                                   "set label %u %s at %.10g,%.10g center offset 0,0.6 "
                                   "font ',12' textcolor rgb '#202020'\n",
                                   label++, text, point->x, point->y);
        }
    }
}

static void add_mean_line(GString *script, GString *plot, const FigureRule *mean)
{
    if (mean->text == NULL) {
        return;
    }
    g_string_append_printf(script,
                           "set arrow 1 from %.10g, graph 0 to %.10g, graph 1 nohead front lt 1 "
                           "lw 1.6 dashtype (10,5) lc rgb '#000000'\n",
                           mean->x, mean->x);
    g_string_append(plot, ", \\\n keyentry with lines lw 1.6 dashtype (10,5) lc rgb '#000000'");
    add_title(plot, mean->text);
}

/* A line of height for each event's name where names before it leave room; of more than fit, the
 * line alone. Tells how many lines of names there are. */
static unsigned add_events(GString *script, const Figure *figure)
{
    double span = figure->x.to - figure->x.from, taken[EVENT_LINES];
    unsigned levels = 0;

    for (unsigned i = 0; i < EVENT_LINES; i++) {
        taken[i] = -INFINITY;
    }
    if (figure->warmup > 0) {
        taken[0] = figure->x.from + span * 9 * CHARACTER / (WIDTH - 120);
        levels = 1;
    }
    for (guint i = 0; i < figure->events->len; i++) {
        const FigureRule *event = &g_array_index(figure->events, FigureRule, i);
        double width =
            span * ((double)g_utf8_strlen(event->text, -1) + 2) * CHARACTER / (WIDTH - 120);
        bool right = event->x + width > figure->x.to && event->x - width > figure->x.from;
        double start = right ? event->x - width : event->x;
        unsigned level = 0;

        g_string_append_printf(script,
                               "set arrow %u from %.10g, graph 0 to %.10g, graph 1 nohead front "
                               "lt 1 lw 1 dashtype 3 lc rgb '#404040'\n",
                               i + 1, event->x, event->x);
        while (level < EVENT_LINES && start < taken[level]) {
            level++;
        }
        if (level < EVENT_LINES) {
            g_autofree char *text = script_quote(event->text);

            g_string_append_printf(script,
                                   "set label %u %s at %.10g, graph 1 %s offset 0,%g "
                                   "font ',11' textcolor rgb '#202020'\n",
                                   i + 1, text, event->x, right ? "right" : "left",
                                   0.6 + level * 0.9);
            taken[level] = start + width;
            levels = MAX(levels, level + 1);
        }
    }
    return levels;
}

/* The warm-up, which no figure counts, named where events are named. */
static void shade_warmup(GString *script, const Figure *figure)
{
    if (figure->warmup > 0) {
        g_string_append_printf(script,
                               "set object 1 rectangle from graph 0, graph 0 to %.10g, graph 1 "
                               "behind fillcolor rgb '#eeeeee' fillstyle solid noborder\n"
                               "set label %u 'warm-up' at graph 0, graph 1 left offset 0,0.6 "
                               "font ',11' textcolor rgb '#606060'\n",
                               figure->warmup, figure->events->len + 1);
    }
}

static void add_subject(GString *script, const Figure *figure)
{
    if (figure->subject != NULL) {
        g_autofree char *text = script_quote(figure->subject);

        g_string_append_printf(script,
                               "set label 10001 %s at screen 0.015,%.4f left font ',11' "
                               "textcolor rgb '#606060'\n",
                               text, 1 - 12.0 / script_height(figure));
    }
    if (figure->remark != NULL) {
        g_autofree char *text = script_quote(figure->remark);

        g_string_append_printf(script,
                               "set label 10002 %s at graph 0.02, graph 0.95 font ',12' "
                               "textcolor rgb '#202020'\n",
                               text);
    }
}

/* The commands that plot a panel whose first series has block *index. */
static void add_plot(GString *plot, const FigurePanel *panel, unsigned *index)
{
    for (guint i = 0; i < panel->series->len; i++) {
        const FigureSeries *series = figure_series_at(panel, i);

        if (series->points->len > 0) {
            add_series(plot, series, (*index)++);
        }
    }
}

/* Room for the ends of intervals and for bars that begin at nothing. */
static void add_y(GString *script, const FigurePanel *panel)
{
    FigureAxis axis = panel->y;
    double least, greatest;

    if (!figure_span_y(panel, &least, &greatest)) { /* gnuplot finds no range for nothing */
        axis.from = axis.scale == FIGURE_LINEAR ? 0 : 1;
        axis.to = 100;
    } else if (axis.scale == FIGURE_LINEAR && isnan(axis.to) && greatest > axis.from) {
        axis.to = greatest + 0.06 * (greatest - (isnan(axis.from) ? least : axis.from));
    }
    add_axis(script, 'y', &axis);
}

static void draw_one(GString *script, const Figure *figure)
{
    const FigurePanel *panel = figure_panel_at(figure, 0);
    g_autoptr(GString) plot = g_string_new(NULL);
    unsigned index = 0, levels = add_events(script, figure);

    shade_warmup(script, figure);
    add_x(script, figure);
    add_y(script, panel);
    add_marks(script, figure);
    add_bar_labels(script, panel);
    add_subject(script, figure);
    add_key(script, figure);
    if (levels > 0) {
        g_string_append_printf(script, "set tmargin %u\n", 3 + levels + key_look(figure).rows);
    }
    if (figure->x.from == 0 && figure->x.to == 100 && panel->y.to == 100) {
        g_string_append(script, "set size square\n");
    }
    add_plot(plot, panel, &index);
    add_mean_line(script, plot, &figure->mean);
    g_string_append_printf(script, "%s\n", plot->str);
}

static void draw_panels(GString *script, const Figure *figure)
{
    double height = script_height(figure);
    unsigned levels = add_events(script, figure), index = 0;
    KeyLook key = key_look(figure);
    double above = figure->subject != NULL ? SUBJECT : 6;
    double head = above + HEAD - 6 + EVENT_LINE * levels + KEY_LINE * (MAX(key.rows, 1) - 1);
    double each = (height - FOOT - head - GAP * (figure->panels->len - 1)) / figure->panels->len;
    double top = height - head;

    shade_warmup(script, figure);
    add_subject(script, figure);
    add_x(script, figure);
    add_key(script, figure);
    g_string_append_printf(script,
                           "unset xlabel\nset lmargin 11\nset rmargin 4\n"
                           "set key at screen 0.96,%.4f right top horizontal\n"
                           "set multiplot\nset format x ''\n",
                           1 - above / height);
    for (guint i = 0; i < figure->panels->len; i++) {
        const FigurePanel *panel = figure_panel_at(figure, i);
        g_autoptr(GString) plot = g_string_new(NULL);

        if (i == 1) {
            g_string_append(script, "unset label\nset key at graph 1,1.03 right bottom "
                                    "horizontal notitle maxcols 4 maxrows 1\n");
        }
        if (i + 1 == figure->panels->len) {
            g_autofree char *label = script_quote(figure->x.label);

            g_string_append_printf(script, "set format x '%%g'\nset xlabel %s\n", label);
        }
        g_string_append_printf(script, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
                               top / height, (top - each) / height);
        add_y(script, panel);
        add_plot(plot, panel, &index);
        g_string_append_printf(script, "%s\n", plot->len > 0 ? plot->str : "plot NaN notitle");
        top -= each + GAP;
    }
    g_string_append(script, "unset multiplot\n");
}

/* The share of the range up to which white is read better on a cell than black. */
#define DARK 0.55

static void draw_grid(GString *script, const Figure *figure)
{
    const FigureGrid *grid = figure->grid;
    g_autofree char *x = script_quote(figure->x.label), *y = script_quote(grid->row_label);
    g_autofree char *label = script_quote(grid->label);
    double least = INFINITY, greatest = -INFINITY, half;
    enum { STOPS = 32 };

    for (guint i = 0; i < grid->cells->len; i++) {
        double value = g_array_index(grid->cells, FigurePoint, i).y;

        least = isfinite(value) ? fmin(least, value) : least;
        greatest = isfinite(value) ? fmax(greatest, value) : greatest;
    }
    add_subject(script, figure);
    g_string_append(script, figure->subject != NULL ? "set tmargin 2\n" : "");
    g_string_append(script, "set palette defined (");
    for (unsigned i = 0; i <= STOPS; i++) {
        LookColour colour = look_heat((double)i / STOPS);

        g_string_append_printf(script, "%s%u %.3f %.3f %.3f", i > 0 ? "," : "", i, colour.red,
                               colour.green, colour.blue);
    }
    g_string_append_printf(script,
                           ")\nset xlabel %s\nset ylabel %s\nset cblabel %s\nunset grid\n"
                           "set xrange [-0.5:%u.5]\nset yrange [-0.5:%u.5]\nset tics scale 0\n"
                           "set border 15\n",
                           x, y, label, grid->columns->len - 1, grid->rows->len - 1);
    for (guint i = 0; i < grid->columns->len; i++) {
        g_autofree char *text = quote_tick(g_ptr_array_index(grid->columns, i));

        g_string_append_printf(script, "set xtics %s(%s %u)\n", i > 0 ? "add " : "", text, i);
    }
    for (guint i = 0; i < grid->rows->len; i++) {
        g_autofree char *text = quote_tick(g_ptr_array_index(grid->rows, i));

        g_string_append_printf(script, "set ytics %s(%s %u)\n", i > 0 ? "add " : "", text, i);
    }
    /* How bright a cell is decides the colour of its number. */
    half = least + DARK * (greatest - least);
    if (least == greatest) {
        least -= 1;
        greatest += 1;
    }
    g_string_append_printf(script,
                           "set cbrange [%.10g:%.10g]\nplot data using 1:2:3 with image, \\\n"
                           " data using 1:2:($3 < %.10g ? sprintf('%%.4g', $3) : '') with labels "
                           "textcolor rgb '#ffffff' font ',12', \\\n"
                           " data using 1:2:($3 >= %.10g ? sprintf('%%.4g', $3) : '') with labels "
                           "textcolor rgb '#000000' font ',12'\n",
                           least, greatest, half, half);
}

unsigned script_height(const Figure *figure)
{
    unsigned height = figure->panels->len > 1 ? HEIGHT_PANEL * figure->panels->len : HEIGHT_ONE;

    if (figure->grid == NULL) {
        unsigned rows = key_look(figure).rows;

        height += KEY_LINE * (MAX(rows, 1) - 1);
    }
    return height + (figure->subject != NULL ? SUBJECT : 0);
}

char *script_text(const Figure *figure)
{
    GString *script = g_string_new(PREAMBLE);

    if (figure->grid != NULL) {
        draw_grid(script, figure);
    } else if (figure->panels->len == 1) {
        draw_one(script, figure);
    } else {
        draw_panels(script, figure);
    }
    return g_string_free(script, FALSE);
}
