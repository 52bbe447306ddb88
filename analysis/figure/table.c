/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table.c - see table.h.
 */
#include "figure/table.h"

#include <analysis/results.h>
#include <string.h>

typedef struct Family {
    const char *name; /* its figures' names begin with it */
    const char *what;
    bool (*build)(const Cases *, GPtrArray *, GError **);
} Family;

/* A new figure is a function here. */
static const Family FAMILIES[] = {
    {"latency-cdf", "lookup latency, distribution", figures_latency},
    {"setup-cdf", "call set-up delay, distribution", figures_setup},
    {"hops", "hops of lookups, distribution", figures_hops},
    {"load-cdf", "messages delivered to a peer, distribution", figures_load},
    {"load-lorenz", "load shared among peers, Lorenz curve with Gini coefficient", figures_lorenz},
    {"success-over-time", "points beside one another over time", figures_success},
    {"lookups-over-time", "lookups answered and their latency over time", figures_lookups},
    {"calls-over-time", "calls answered and their set-up over time", figures_calls},
    {"messages-over-time", "messages and bytes over time", figures_messages},
    {"peers-over-time", "peers online, joining and going over time", figures_peers},
    {"scaling", "hops, latency and messages against log2 n, with fits", figures_scaling},
    {"swept", "success, latency and cost against a swept key", figures_swept},
    {"heat", "success and latency over two swept keys", figures_heat},
    {"cost", "latency and failures against bytes sent, with convex hulls", figures_cost},
    {"replay-setup", "a replayed trace's set-up delay, there and here", figures_replay_setup},
    {"replay-answers", "how a replayed trace's calls ended, there and here",
     figures_replay_answers},
    {"replay-delay-by-call", "set-up delay of each of its calls", figures_replay_delays},
    {"fit", "spans of a replayed trace, with distributions fitted to them", figures_fits},
};

char *table_families(void)
{
    GString *text = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(FAMILIES); i++) {
        g_string_append_printf(text, "  %-20s  %s\n", FAMILIES[i].name, FAMILIES[i].what);
    }
    return g_string_free(text, FALSE);
}

/* Whether a pattern asks for a figure; *used tells which patterns ever did. */
static bool is_wanted(char **only, const char *family, const char *name, bool *used)
{
    bool wanted = only == NULL;

    for (size_t i = 0; only != NULL && only[i] != NULL; i++) {
        if (g_pattern_match_simple(only[i], name) || strcmp(only[i], family) == 0) {
            used[i] = true;
            wanted = true;
        }
    }
    return wanted;
}

static bool build_family(const Family *family, const Cases *cases, const TableRequest *request,
                         bool *used, GPtrArray *ret_figures, GError **error)
{
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func((GDestroyNotify)(void *)figure_free);

    if (!family->build(cases, made, error)) {
        return false;
    }
    while (made->len > 0) {
        Figure *figure = g_ptr_array_steal_index(made, 0);

        if (!figure_is_empty(figure) &&
            is_wanted(request->only, family->name, figure->name, used)) {
            g_ptr_array_add(ret_figures, figure);
        } else {
            figure_free(figure);
        }
    }
    return true;
}

static bool is_family(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(FAMILIES); i++) {
        if (strcmp(FAMILIES[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void set_unknown(GError **error, const Cases *cases, const char *pattern)
{
    const CasesRun *run = g_ptr_array_index(cases->runs, 0);

    if (is_family(pattern)) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "the results in %s cannot show '%s'; 'peal plot --list %s' names what they can",
                    run->dir, pattern, run->dir);
    } else {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "there is no figure '%s' in %s; 'peal plot --list %s' names those there are",
                    pattern, run->dir, run->dir);
    }
}

bool table_build(const Cases *cases, const TableRequest *request, GPtrArray *ret_figures,
                 GError **error)
{
    guint patterns = request->only != NULL ? g_strv_length(request->only) : 0;
    g_autofree bool *used = g_new0(bool, patterns + 1);

    for (size_t i = 0; i < G_N_ELEMENTS(FAMILIES); i++) {
        if (!build_family(&FAMILIES[i], cases, request, used, ret_figures, error)) {
            return false;
        }
    }
    for (guint i = 0; i < patterns; i++) {
        if (!used[i]) {
            set_unknown(error, cases, request->only[i]);
            return false;
        }
    }
    for (size_t i = 0; request->quantities != NULL && request->quantities[i] != NULL; i++) {
        if (!figures_quantity(cases, request->quantities[i], ret_figures, error)) {
            return false;
        }
    }
    return true;
}
