/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * compare.c - see compare.h: the command, and what it says.
 */
#include <analysis/compare.h>

#include "compare/draw.h"
#include "compare/pairs.h"
#include "compare/replay.h"
#include "plot/gnuplot.h"

#include <analysis/results.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATUS_COMPARED = 0, STATUS_FAILED = 1, STATUS_INPUT = 2 };

typedef struct CompareOptions {
    char *dirs[2];
    char *out;
    gboolean json;
    gboolean no_plot;
} CompareOptions;

/* A key that the two scenarios give different values; "" where one has it not. */
typedef struct Difference {
    char *key;
    char *value[2];
} Difference;

typedef struct Comparison {
    Side sides[2];
    GArray *differences; /* of Difference */
    StatsKs ks[SIDE_FIGURES];
    bool comparable[SIDE_FIGURES]; /* both sides have values */
    Pairs pairs;
    Pairs calls;
    CompareReplay replay;
    bool same_plan;   /* pairs holds something */
    GPtrArray *files; /* paths written, owned */
} Comparison;

static void clear_difference(gpointer data)
{
    Difference *difference = data;

    g_free(difference->key);
    g_free(difference->value[0]);
    g_free(difference->value[1]);
}

/* Each key of either scenario whose values differ; file names and seeds are among them. */
static bool read_differences(Comparison *comparison, GError **error)
{
    static const char sql[] = "SELECT key, value FROM parameters GROUP BY key ORDER BY key";
    sqlite3_stmt *queries[2] = {0};
    bool more[2] = {false, false};
    GError *failure = NULL;

    for (size_t i = 0; i < 2 && failure == NULL; i++) {
        queries[i] = database_prepare(comparison->sides[i].db, sql, &failure);
        more[i] = queries[i] != NULL && database_next(queries[i], &failure);
    }
    while (failure == NULL && (more[0] || more[1])) {
        const char *key[2] = {0};
        const char *value[2] = {"", ""};
        int order;

        for (size_t i = 0; i < 2; i++) {
            key[i] = more[i] ? (const char *)sqlite3_column_text(queries[i], 0) : NULL;
        }
        order = !more[0] ? 1 : !more[1] ? -1 : strcmp(key[0], key[1]);
        for (size_t i = 0; i < 2; i++) {
            if (order == 0 || (order < 0) == (i == 0)) {
                value[i] = (const char *)sqlite3_column_text(queries[i], 1);
            }
        }
        if (strcmp(value[0], value[1]) != 0) {
            Difference difference = {g_strdup(order <= 0 ? key[0] : key[1]),
                                     {g_strdup(value[0]), g_strdup(value[1])}};

            g_array_append_val(comparison->differences, difference);
        }
        more[0] = order <= 0 ? database_next(queries[0], &failure) : more[0];
        more[1] = order >= 0 && failure == NULL ? database_next(queries[1], &failure) : more[1];
    }
    sqlite3_finalize(queries[0]);
    sqlite3_finalize(queries[1]);
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return true;
}

static void compare_figures(Comparison *comparison)
{
    for (size_t i = 0; i < SIDE_FIGURES; i++) {
        const GArray *a = comparison->sides[0].samples[i].values;
        const GArray *b = comparison->sides[1].samples[i].values;

        comparison->comparable[i] =
            stats_ks((const double *)(const void *)a->data, a->len,
                     (const double *)(const void *)b->data, b->len, &comparison->ks[i]);
    }
    /* Plans derive from the seed: without the same there are no same lookups. */
    if (g_strcmp0(comparison->sides[0].seed, comparison->sides[1].seed) == 0) {
        pairs_match(comparison->sides[0].lookups, comparison->sides[1].lookups, &comparison->pairs);
        pairs_match(comparison->sides[0].calls, comparison->sides[1].calls, &comparison->calls);
        comparison->same_plan = comparison->pairs.matched > 0;
    }
}

/* For people. */

static void print_side(char name, const Side *side)
{
    printf("%c  %s: %s, seed %s, %u replication%s%s, %s\n", name, side->dir,
           side->name != NULL ? side->name : "", side->seed != NULL ? side->seed : "0",
           side->replications, side->replications == 1 ? "" : "s",
           side->interrupted ? " (interrupted)" : "", side->world);
}

static void print_differences(const Comparison *comparison)
{
    if (comparison->differences->len > 0) {
        printf("The scenarios differ:\n");
    }
    for (guint i = 0; i < comparison->differences->len; i++) {
        const Difference *difference = &g_array_index(comparison->differences, Difference, i);

        printf("  %s = %s (A), %s (B)\n", difference->key,
               difference->value[0][0] != '\0' ? difference->value[0] : "nothing",
               difference->value[1][0] != '\0' ? difference->value[1] : "nothing");
    }
}

static void print_sample(char name, const SideFigure *figure, const SideSample *sample)
{
    printf("%s %c n = %u", name == 'A' ? ":" : ";", name, sample->values->len);
    if (sample->values->len < sample->measured) {
        printf(" sampled of %" G_GUINT64_FORMAT, sample->measured);
    }
    if (sample->values->len > 0) {
        printf(", median %.4g%s", side_median(sample->values), figure->unit);
    }
}

/* A scenario without calls has no figures of them. */
static bool is_present(const Comparison *comparison, size_t figure)
{
    return comparison->sides[0].samples[figure].values->len > 0 ||
           comparison->sides[1].samples[figure].values->len > 0;
}

static void print_figures(const Comparison *comparison)
{
    for (size_t i = 0; i < SIDE_FIGURES; i++) {
        const SideFigure *figure = &SIDE_FIGURE[i];

        if (!is_present(comparison, i)) {
            continue;
        }
        printf("%s", figure->title);
        print_sample('A', figure, &comparison->sides[0].samples[i]);
        print_sample('B', figure, &comparison->sides[1].samples[i]);
        if (comparison->comparable[i]) {
            printf("; KS distance %.4f, p = %.3g", comparison->ks[i].distance,
                   comparison->ks[i].p_value);
        }
        printf("\n");
    }
}

static void print_pairs(const Comparison *comparison)
{
    const Pairs *pairs = &comparison->pairs;

    if (!comparison->same_plan) {
        printf("The runs have no lookup in common to compare one by one.\n");
        return;
    }
    printf("lookup by lookup: %" G_GUINT64_FORMAT " made by both, %" G_GUINT64_FORMAT
           " only in A, %" G_GUINT64_FORMAT " only in B\n",
           pairs->matched, pairs->only_a, pairs->only_b);
    if (pairs->answered > 0) {
        printf("  of %" G_GUINT64_FORMAT " answered in both, %" G_GUINT64_FORMAT
               " have equal hops; latency of B less A: mean %.3f ms, median %.3f ms\n",
               pairs->answered, pairs->hops_equal, pairs->difference_mean_ms,
               pairs->difference_median_ms);
    }
}

static void print_call_pairs(const Pairs *pairs)
{
    if (pairs->matched == 0) {
        return;
    }
    printf("call by call: %" G_GUINT64_FORMAT " made by both, %" G_GUINT64_FORMAT
           " only in A, %" G_GUINT64_FORMAT " only in B\n",
           pairs->matched, pairs->only_a, pairs->only_b);
    if (pairs->answered > 0) {
        printf("  %" G_GUINT64_FORMAT
               " answered in both; set-up of B less A: mean %.3f ms, median %.3f ms\n",
               pairs->answered, pairs->difference_mean_ms, pairs->difference_median_ms);
    }
}

static void print_replay(const CompareReplay *replay)
{
    if (replay->known) {
        printf("replay: %" G_GUINT64_FORMAT " calls of one trace in both; %" G_GUINT64_FORMAT
               " ended as there in A, %" G_GUINT64_FORMAT " in B; %" G_GUINT64_FORMAT
               " alike in both\n",
               replay->calls, replay->as_in_trace[0], replay->as_in_trace[1], replay->alike);
    }
}

static void print_text(const Comparison *comparison)
{
    print_side('A', &comparison->sides[0]);
    print_side('B', &comparison->sides[1]);
    print_differences(comparison);
    print_figures(comparison);
    print_pairs(comparison);
    print_call_pairs(&comparison->calls);
    print_replay(&comparison->replay);
    for (guint i = 0; i < comparison->files->len; i++) {
        puts(g_ptr_array_index(comparison->files, i));
    }
}

/* For programs. */

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *side_json(const Side *side)
{
    /* Seeds are below 2^53. */
    json_int_t seed = side->seed != NULL ? (json_int_t)g_ascii_strtoull(side->seed, NULL, 10) : 0;

    return json_pack("{s:s, s:s*, s:I, s:s, s:i, s:b}", "dir", side->dir, "name", side->name,
                     "seed", seed, "world", side->world, "replications", (int)side->replications,
                     "interrupted", (int)side->interrupted);
}

static json_t *sample_json(const SideSample *sample)
{
    return json_pack("{s:I, s:I, s:o}", "n", (json_int_t)sample->values->len, "measured",
                     (json_int_t)sample->measured, "median", number(side_median(sample->values)));
}

static json_t *figures_json(const Comparison *comparison)
{
    json_t *figures = json_object();

    for (size_t i = 0; i < SIDE_FIGURES; i++) {
        const StatsKs *ks = &comparison->ks[i];
        bool known = comparison->comparable[i];
        json_t *figure;

        if (!is_present(comparison, i)) {
            continue;
        }
        figure = json_object();
        json_object_set_new(figure, "a", sample_json(&comparison->sides[0].samples[i]));
        json_object_set_new(figure, "b", sample_json(&comparison->sides[1].samples[i]));
        json_object_set_new(figure, "ks_distance", number(known ? ks->distance : NAN));
        json_object_set_new(figure, "p_value", number(known ? ks->p_value : NAN));
        json_object_set_new(figures, SIDE_FIGURE[i].name, figure);
    }
    return figures;
}

static json_t *pairs_json(const Comparison *comparison)
{
    const Pairs *pairs = &comparison->pairs;

    if (!comparison->same_plan) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:{s:o, s:o, s:o}}", "matched",
                     (json_int_t)pairs->matched, "only_a", (json_int_t)pairs->only_a, "only_b",
                     (json_int_t)pairs->only_b, "answered", (json_int_t)pairs->answered,
                     "hops_equal", (json_int_t)pairs->hops_equal, "latency_difference_ms", "mean",
                     number(pairs->difference_mean_ms), "deviation",
                     number(pairs->difference_deviation_ms), "median",
                     number(pairs->difference_median_ms));
}

static json_t *call_pairs_json(const Pairs *pairs)
{
    if (pairs->matched == 0) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:{s:o, s:o, s:o}}", "matched",
                     (json_int_t)pairs->matched, "only_a", (json_int_t)pairs->only_a, "only_b",
                     (json_int_t)pairs->only_b, "answered", (json_int_t)pairs->answered,
                     "setup_difference_ms", "mean", number(pairs->difference_mean_ms), "deviation",
                     number(pairs->difference_deviation_ms), "median",
                     number(pairs->difference_median_ms));
}

static json_t *replay_json(const CompareReplay *replay)
{
    if (!replay->known) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:I, s:I}", "calls", (json_int_t)replay->calls, "as_in_trace_a",
                     (json_int_t)replay->as_in_trace[0], "as_in_trace_b",
                     (json_int_t)replay->as_in_trace[1], "alike", (json_int_t)replay->alike);
}

static json_t *differences_json(const Comparison *comparison)
{
    json_t *differences = json_object();

    for (guint i = 0; i < comparison->differences->len; i++) {
        const Difference *difference = &g_array_index(comparison->differences, Difference, i);

        json_object_set_new(differences, difference->key,
                            json_pack("{s:s, s:s}", "a", difference->value[0], "b",
                                      difference->value[1]));
    }
    return differences;
}

static void print_json(const Comparison *comparison)
{
    json_t *root = json_object();
    json_t *files = json_array();
    char *text;

    for (guint i = 0; i < comparison->files->len; i++) {
        json_array_append_new(files, json_string(g_ptr_array_index(comparison->files, i)));
    }
    json_object_set_new(root, "a", side_json(&comparison->sides[0]));
    json_object_set_new(root, "b", side_json(&comparison->sides[1]));
    json_object_set_new(root, "differences", differences_json(comparison));
    json_object_set_new(root, "figures", figures_json(comparison));
    json_object_set_new(root, "pairs", pairs_json(comparison));
    json_object_set_new(root, "call_pairs", call_pairs_json(&comparison->calls));
    json_object_set_new(root, "replay", replay_json(&comparison->replay));
    json_object_set_new(root, "files", files);
    text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
    puts(text);
    free(text);
    json_decref(root);
}

/* The command. */

static bool draw(Comparison *comparison, const char *dir, GError **error)
{
    g_autoptr(GPtrArray) figures =
        g_ptr_array_new_with_free_func((GDestroyNotify)(void *)figure_free);

    for (unsigned i = 0; i < SIDE_FIGURES; i++) {
        if (comparison->comparable[i]) {
            g_ptr_array_add(figures, draw_cdfs(i, comparison->sides, &comparison->ks[i]));
        }
    }
    return gnuplot_draw(dir, figures, comparison->files, error);
}

static char *default_out(char *const dirs[2])
{
    g_autofree char *a = g_path_get_basename(dirs[0]);
    g_autofree char *b = g_path_get_basename(dirs[1]);
    g_autofree char *name = g_strdup_printf("compare-%s-%s", a, b);

    return g_build_filename("out", name, NULL);
}

static int compare_all(Comparison *comparison, const CompareOptions *options, GError **error)
{
    g_autofree char *out =
        options->out != NULL ? g_strdup(options->out) : default_out(options->dirs);

    if (!side_open(options->dirs[0], &comparison->sides[0], error) ||
        !side_open(options->dirs[1], &comparison->sides[1], error) ||
        !read_differences(comparison, error) ||
        !compare_replay(&comparison->sides[0], &comparison->sides[1], &comparison->replay, error) ||
        (!options->no_plot && !gnuplot_check("leave the plots out with --no-plot", error))) {
        return STATUS_INPUT;
    }
    compare_figures(comparison);
    return options->no_plot || draw(comparison, out, error) ? STATUS_COMPARED : STATUS_FAILED;
}

static bool parse_options(int argc, char **argv, CompareOptions *options, GError **error)
{
    GOptionEntry entries[] = {{"out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
                               "Directory for the plots (default out/compare-A-B)", "DIR"},
                              {"no-plot", 0, 0, G_OPTION_ARG_NONE, &options->no_plot,
                               "Print figures, draw nothing", NULL},
                              {"json", 0, 0, G_OPTION_ARG_NONE, &options->json,
                               "Print the comparison as JSON", NULL},
                              G_OPTION_ENTRY_NULL};
    g_autoptr(GOptionContext) context = g_option_context_new("A B");

    g_option_context_set_summary(
        context,
        "Sets the results in directories A and B, which 'peal run' wrote, beside each other:\n"
        "each distribution of both on one plot, with the two-sample Kolmogorov-Smirnov distance\n"
        "and its p value (an upper bound for hops, which repeat). Runs that made the same\n"
        "lookups, as those of one scenario and seed in two worlds do, are compared lookup by\n"
        "lookup too, and call by call.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    if (argc != 3) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "name two results directories: peal compare A B (see peal compare --help)");
        return false;
    }
    options->dirs[0] = argv[1];
    options->dirs[1] = argv[2];
    return true;
}

int compare_main(int argc, char **argv)
{
    CompareOptions options = {0};
    Comparison comparison = {0};
    GError *error = NULL;
    int status = STATUS_INPUT;

    g_set_prgname("peal compare");
    comparison.files = g_ptr_array_new_with_free_func(g_free);
    comparison.differences = g_array_new(FALSE, FALSE, sizeof(Difference));
    g_array_set_clear_func(comparison.differences, clear_difference);
    if (parse_options(argc, argv, &options, &error)) {
        status = compare_all(&comparison, &options, &error);
    }
    if (status == STATUS_COMPARED) {
        options.json ? print_json(&comparison) : print_text(&comparison);
    }
    side_close(&comparison.sides[0]);
    side_close(&comparison.sides[1]);
    g_array_unref(comparison.differences);
    g_ptr_array_unref(comparison.files);
    g_free(options.out);
    if (error != NULL) {
        fprintf(stderr, "peal compare: %s\n", error->message);
        g_error_free(error);
    }
    return status;
}
