/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * validate.c - compares results of the validation scenarios with what is known.
 * usage: validate --scenarios [ROW...]             which scenarios those rows want, one a line
 *        validate --results DIR [--readme FILE] [ROW...]
 * Without ROW, all of them. Exits with 1 when a row is neither as expected nor explained.
 */
#include "report.h"
#include "trends.h"

#include <errno.h>

/* Without a row, for the sections behind the table. */
static const char *const TRENDS[] = {"messages", "churn-limit"};

typedef struct Options {
    gboolean scenarios;
    char *results;
    char *readme;
    char **rows;
} Options;

static bool is_wanted(const Options *options, unsigned row)
{
    g_autofree char *text = g_strdup_printf("%u", row);

    return options->rows == NULL || g_strv_contains((const char *const *)options->rows, text);
}

static bool rows_exist(const Options *options)
{
    for (char **text = options->rows; text != NULL && *text != NULL; text++) {
        bool known = false;

        for (size_t i = 0; i < CLAIMS_LEN; i++) {
            g_autofree char *row = g_strdup_printf("%u", CLAIMS[i].row);

            known = known || strcmp(row, *text) == 0;
        }
        if (!known) {
            fprintf(stderr, "validate: there is no row %s\n", *text);
            return false;
        }
    }
    return true;
}

static void add_scenario(GPtrArray *names, const Query *query)
{
    if (query->sql != NULL &&
        !g_ptr_array_find_with_equal_func(names, query->scenario, g_str_equal, NULL)) {
        g_ptr_array_add(names, (gpointer)query->scenario);
    }
}

static void print_scenarios(const Options *options)
{
    GPtrArray *names = g_ptr_array_new();

    for (size_t i = 0; i < CHECKS_LEN; i++) {
        if (is_wanted(options, CHECKS[i].row)) {
            add_scenario(names, &CHECKS[i].measured);
            add_scenario(names, &CHECKS[i].expects);
        }
    }
    if (options->rows == NULL) {
        for (size_t i = 0; i < G_N_ELEMENTS(TRENDS); i++) {
            g_ptr_array_add(names, (gpointer)TRENDS[i]);
        }
    }
    for (guint i = 0; i < names->len; i++) {
        puts(g_ptr_array_index(names, i));
    }
    g_ptr_array_unref(names);
}

static void finding_clear(gpointer data)
{
    g_free(((Finding *)data)->error);
}

static GArray *judge_all(const Options *options)
{
    GArray *findings = g_array_new(FALSE, FALSE, sizeof(Finding));

    g_array_set_clear_func(findings, finding_clear);
    for (size_t i = 0; i < CHECKS_LEN; i++) {
        Finding finding = {.check = &CHECKS[i], .claim = report_claim(CHECKS[i].row)};
        g_autoptr(GError) error = NULL;

        if (!is_wanted(options, CHECKS[i].row)) {
            continue;
        }
        if (!judge_check(options->results, &CHECKS[i], &finding.verdict, &error)) {
            finding.error = g_strdup(error->message);
        }
        g_array_append_val(findings, finding);
    }
    return findings;
}

static bool write_readme(const char *path, const char *results, const Finding *findings, size_t len)
{
    g_autoptr(GError) error = NULL;
    FILE *file = fopen(path, "w");
    bool good = file != NULL;

    if (good) {
        report_markdown(file, findings, len);
        if (!trends_markdown(file, results, &error)) {
            fprintf(stderr, "validate: %s\n", error->message);
            fclose(file);
            return false;
        }
        good = fclose(file) == 0;
    }
    if (!good) {
        fprintf(stderr, "validate: %s: %s\n", path, g_strerror(errno));
    }
    return good;
}

static int judge(const Options *options)
{
    GArray *findings = judge_all(options);
    const Finding *all = (const Finding *)(void *)findings->data;
    size_t failures = report_failures(all, findings->len);
    bool written = true;

    report_lines(stdout, all, findings->len);
    if (options->readme != NULL) {
        written = write_readme(options->readme, options->results, all, findings->len);
    }
    if (failures > 0) {
        printf("%zu of %u figures are neither as expected nor explained\n", failures,
               findings->len);
    } else {
        printf("%u figures are as expected, or explained\n", findings->len);
    }
    g_array_unref(findings);
    return failures > 0 || !written;
}

int main(int argc, char **argv)
{
    Options options = {0};
    const GOptionEntry entries[] = {
        {"scenarios", 0, 0, G_OPTION_ARG_NONE, &options.scenarios, "List scenarios", NULL},
        {"results", 0, 0, G_OPTION_ARG_FILENAME, &options.results, "Where results are", "DIR"},
        {"readme", 0, 0, G_OPTION_ARG_FILENAME, &options.readme, "Write the table there", "FILE"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options.rows, NULL, "[ROW...]"},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    int status = 2;

    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "validate: %s\n", error->message);
    } else if (!rows_exist(&options)) {
        status = 2;
    } else if (options.scenarios) {
        print_scenarios(&options);
        status = 0;
    } else if (options.results == NULL) {
        fprintf(stderr, "validate: --results DIR is missing\n");
    } else {
        status = judge(&options);
    }
    g_free(options.results);
    g_free(options.readme);
    g_strfreev(options.rows);
    return status;
}
