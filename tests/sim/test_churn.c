/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * test_churn.c - overlays whose peers came and went, once they are left alone; on several seeds.
 * PEAL_TEST_SEEDS=100 tries as many.
 */
#include <glib/gstdio.h>
#include <math.h>

#include "simulation.h"

enum {
    IDENTITIES = 100, /* half of them up */
    SPAN_MEAN_S = 120,
    CHURN_S = 240,
    QUIET_S = 150 /* five Updates that nothing has caused, or hold-downs */
};

typedef struct TraceLine {
    double at_s;
    unsigned peer;
    bool up;
} TraceLine;

static int compare_lines(const void *a, const void *b)
{
    const TraceLine *left = a;
    const TraceLine *right = b;

    return (left->at_s > right->at_s) - (left->at_s < right->at_s);
}

/* Sessions and absences that are exponential until CHURN_S and then last. Returns how many peers
 * are up from then on. */
static unsigned write_trace(const char *file, unsigned seed)
{
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(TraceLine));
    g_autoptr(GString) text = g_string_new(NULL);
    GRand *rand = g_rand_new_with_seed(seed);
    unsigned last = 0;

    for (unsigned peer = 0; peer < IDENTITIES; peer++) {
        TraceLine line = {0, peer, g_rand_boolean(rand) || peer == 0};

        while (line.at_s < CHURN_S) {
            if (line.at_s > 0 || line.up) {
                g_array_append_val(lines, line);
            }
            last += line.up ? 1 : (line.at_s > 0 ? -1U : 0);
            line.at_s -= SPAN_MEAN_S * log(1 - g_rand_double(rand));
            line.up = !line.up;
        }
    }
    g_rand_free(rand);
    g_array_sort(lines, compare_lines);
    for (unsigned i = 0; i < lines->len; i++) {
        const TraceLine *line = &g_array_index(lines, TraceLine, i);

        g_string_append_printf(text, "%.3f %u %s\n", line->at_s, line->peer,
                               line->up ? "up" : "down");
    }
    CU_ASSERT_TRUE_FATAL(g_file_set_contents(file, text->str, -1, NULL));
    return last;
}

static void peers_that_churn_leaves_up_are_one_ring_soon(void)
{
    g_autofree char *directory = g_dir_make_tmp("peal-churn-XXXXXX", NULL);
    g_autofree char *file = NULL;
    g_autofree char *session = NULL;
    g_autofree char *duration = g_strdup_printf("scenario.duration=%ds", CHURN_S + QUIET_S);
    g_autofree char *peers = g_strdup_printf("overlay.peers=%d", IDENTITIES);

    CU_ASSERT_PTR_NOT_NULL_FATAL(directory);
    file = g_build_filename(directory, "trace", NULL);
    session = g_strconcat("churn.session=trace:", file, NULL);
    for (unsigned seed = 1; seed <= simulation_seeds(20); seed++) {
        g_autofree char *text = g_strdup_printf("scenario.seed=%u", seed);
        unsigned up = write_trace(file, seed);
        const char *settings[] = {text,
                                  peers,
                                  session,
                                  "churn.absence=none",
                                  duration,
                                  "scenario.warmup=0s",
                                  "workload.lookups-per-peer-hour=6",
                                  NULL};
        Simulation simulation;

        simulation_run(&simulation, "churn.conf", settings);
        SIM_ASSERT(&simulation, simulation.invariants.members == up);
        SIM_ASSERT(&simulation, simulation.invariants.outside == 0);
        SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
        simulation_end(&simulation);
    }
    g_unlink(file);
    g_rmdir(directory);
}

PEAL_TEST_MAIN("sim/churn", PEAL_TEST(peers_that_churn_leaves_up_are_one_ring_soon))
