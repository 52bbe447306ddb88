/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.c - see report.h. */
#include "run/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The figures that are printed, in this order, where a run has them. */
typedef struct ReportFigure {
    const char *name;
    const char *title; /* in a table */
    const char *unit;  /* behind the number, in a sentence */
    double scale;
    int decimals;
} ReportFigure;

static const ReportFigure LOOKUPS[] = {
    {"lookups.success_rate", "lookups %", " % succeeded", 100, 2},
    {"lookups.hops", "hops", " hops", 1, 2},
    {"lookups.latency_ms", "latency ms", " ms", 1, 0},
};
static const ReportFigure CALLS[] = {
    {"calls.answer_rate", "calls %", " % answered", 100, 2},
    {"calls.setup_ms", "set-up ms", " ms to set up", 1, 0},
};

static const ReportFigure REPLAY[] = {
    {"replay.as_in_trace", "as in trace %", " % ended as in the trace", 100, 2},
    {"replay.setup_ms", "replay ms", " ms to set up", 1, 0},
};

typedef struct Sentence {
    const char *begin;
    const ReportFigure *figures;
    size_t len;
} Sentence;

static const Sentence SENTENCES[] = {{"  lookups   ", LOOKUPS, G_N_ELEMENTS(LOOKUPS)},
                                     {"  calls     ", CALLS, G_N_ELEMENTS(CALLS)},
                                     {"  replay    ", REPLAY, G_N_ELEMENTS(REPLAY)}};

/* As many decimals as the half-width has two digits for, so that no spread is printed as 0. */
static int decimals_for(double half, int least)
{
    int decimals = least;

    while (half > 0 && decimals < 6 && half * pow(10, decimals) < 9.5) {
        decimals++;
    }
    return decimals;
}

/* A mean and its interval: `793 ± 4`; that of a rate is not symmetric: `99.98 (99.90..100)`. */
static char *mean_text(const ReportFigure *figure, const ResultsMean *value)
{
    const StatsMean *mean = &value->mean;
    double half = figure->scale * (mean->ci95.high - mean->mean);
    double low = figure->scale * mean->ci95.low, high = figure->scale * mean->ci95.high;

    if (mean->count == 0) {
        return g_strdup("-");
    }
    if (!mean->has_interval) {
        return g_strdup_printf("%.*f", figure->decimals, figure->scale * mean->mean);
    }
    if (value->rate) {
        return g_strdup_printf("%.*f (%.*f..%.*f)", figure->decimals, figure->scale * mean->mean,
                               figure->decimals, low, figure->decimals, high);
    }
    int decimals = decimals_for(half, figure->decimals);

    return g_strdup_printf("%.*f \u00b1 %.*f", decimals, figure->scale * mean->mean, decimals,
                           half);
}

static bool read_mean(Results *results, guint point, const char *name, guint replications,
                      ResultsMean *ret_mean)
{
    return results_mean(results, point, name, replications, ret_mean, NULL) && ret_mean->known &&
           ret_mean->mean.count > 0;
}

static void print_sentence(Results *results, guint point, guint replications,
                           const Sentence *sentence)
{
    const char *before = sentence->begin;

    for (size_t i = 0; i < sentence->len; i++) {
        const ReportFigure *figure = &sentence->figures[i];
        ResultsMean mean;

        if (read_mean(results, point, figure->name, replications, &mean)) {
            g_autofree char *text = mean_text(figure, &mean);

            printf("%s%s%s", before, text, figure->unit);
            before = ", ";
        }
    }
    if (before != sentence->begin) {
        printf("\n");
    }
}

void report_point(Results *results, const Scenario *point, guint number, guint replications)
{
    if (replications < 2) {
        return;
    }
    printf("means of %u replications, with 95 %% intervals", replications);
    for (guint i = 0; i < point->parameters_len; i++) {
        printf("%s%s = %s", i == 0 ? ": " : ", ", point->parameters[i].key,
               point->parameters[i].value);
    }
    printf("\n");
    for (size_t i = 0; i < G_N_ELEMENTS(SENTENCES); i++) {
        print_sentence(results, number, replications, &SENTENCES[i]);
    }
    fflush(stdout);
}

/* The table. */

typedef struct Table {
    GPtrArray *cells; /* char *, row after row */
    guint columns;
} Table;

static void print_cell(const char *text, glong width, bool last)
{
    printf("%s", text);
    for (glong i = g_utf8_strlen(text, -1); !last && i < width; i++) {
        putchar(' ');
    }
}

static void print_table(const Table *table)
{
    g_autofree glong *width = g_new0(glong, table->columns);

    PEAL_ASSERT(table->columns > 0);
    for (guint i = 0; i < table->cells->len; i++) {
        const char *text = g_ptr_array_index(table->cells, i);
        glong len = g_utf8_strlen(text, -1);

        width[i % table->columns] = MAX(width[i % table->columns], len);
    }
    for (guint i = 0; i < table->cells->len; i++) {
        guint column = i % table->columns;
        bool last = column == table->columns - 1;

        printf("  ");
        print_cell(g_ptr_array_index(table->cells, i), width[column], last);
        if (last) {
            putchar('\n');
        }
    }
}

/* Whether some point has a figure. */
static bool is_there(Results *results, const Scenario *scenario, const guint *wanted,
                     const ReportFigure *figure)
{
    ResultsMean mean;

    for (guint point = 0; point < scenario->points; point++) {
        if (read_mean(results, point, figure->name, wanted[point], &mean)) {
            return true;
        }
    }
    return false;
}

static GPtrArray *figures_there(Results *results, const Scenario *scenario, const guint *wanted)
{
    GPtrArray *list = g_ptr_array_new();

    for (size_t i = 0; i < G_N_ELEMENTS(SENTENCES); i++) {
        for (size_t j = 0; j < SENTENCES[i].len; j++) {
            const ReportFigure *figure = &SENTENCES[i].figures[j];

            if (is_there(results, scenario, wanted, figure)) {
                g_ptr_array_add(list, (gpointer)figure);
            }
        }
    }
    return list;
}

typedef struct Rows {
    Results *results;
    const GPtrArray *figures;
    Table table;
} Rows;

static void add_heading(const Rows *rows, const Scenario *point)
{
    for (guint i = 0; i < point->parameters_len; i++) {
        g_ptr_array_add(rows->table.cells, g_strdup(point->parameters[i].key));
    }
    g_ptr_array_add(rows->table.cells, g_strdup("n"));
    for (guint i = 0; i < rows->figures->len; i++) {
        const ReportFigure *figure = g_ptr_array_index(rows->figures, i);

        g_ptr_array_add(rows->table.cells, g_strdup(figure->title));
    }
}

static void add_row(const Rows *rows, const Scenario *point, guint number, guint replications)
{
    GPtrArray *cells = rows->table.cells;

    for (guint i = 0; i < point->parameters_len; i++) {
        g_ptr_array_add(cells, g_strdup(point->parameters[i].value));
    }
    g_ptr_array_add(cells, g_strdup_printf("%u", replications));
    for (guint i = 0; i < rows->figures->len; i++) {
        const ReportFigure *figure = g_ptr_array_index(rows->figures, i);
        ResultsMean mean;

        g_ptr_array_add(cells, read_mean(rows->results, number, figure->name, replications, &mean)
                                   ? mean_text(figure, &mean)
                                   : g_strdup("-"));
    }
}

void report_table(Results *results, const Scenario *scenario, const guint *wanted)
{
    g_autoptr(GPtrArray) figures = figures_there(results, scenario, wanted);
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    Rows rows = {results, figures, {cells, 0}};

    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, NULL);

        if (point == NULL) { /* a file went away in between */
            return;
        }
        if (i == 0) {
            add_heading(&rows, point);
            rows.table.columns = cells->len;
        }
        add_row(&rows, point, i, wanted[i]);
    }
    printf("means of n replications, with 95 %% intervals\n");
    print_table(&rows.table);
}
