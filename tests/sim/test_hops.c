/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_hops.c - hops of converged overlays against an independent ring calculation
 * (ring_model.h). */
#include <math.h>

#include "ring_model.h"
#include "simulation.h"

typedef struct Size {
    uint32_t nodes;
    unsigned simulations; /* rings; small ones differ more */
    unsigned models;
    const char *duration;
} Size;

static double simulated_hops(const Size *size, bool exact)
{
    double sum = 0;

    for (unsigned seed = 1; seed <= size->simulations; seed++) {
        g_autofree char *peers = g_strdup_printf("overlay.peers=%u", size->nodes);
        g_autofree char *text = g_strdup_printf("scenario.seed=%u", seed);
        const char *settings[] = {peers, text, size->duration,
                                  exact ? "overlay.finger-choice=exact"
                                        : "overlay.finger-choice=random",
                                  NULL};
        Simulation simulation;

        simulation_run(&simulation, "bench-w.conf", settings);
        SIM_ASSERT(&simulation, simulation.figures->started > 1000);
        SIM_ASSERT(&simulation, simulation.figures->succeeded == simulation.figures->started);
        SIM_ASSERT(&simulation, simulation.figures->correct == simulation.figures->succeeded);
        SIM_ASSERT(&simulation, invariants_one_ring(&simulation.invariants));
        sum += histogram_mean(simulation.figures->hops);
        simulation_end(&simulation);
    }
    return sum / size->simulations;
}

static double model_hops(const Size *size, bool exact)
{
    double sum = 0;

    for (unsigned seed = 1; seed <= size->models; seed++) {
        sum += ring_model_hops(&(RingModel){.nodes = size->nodes,
                                            .fingers = 16,
                                            .exact = exact,
                                            .neighbours = 3,
                                            .lookups = 20000,
                                            .seed = seed});
    }
    return sum / size->models;
}

static void compare(bool exact)
{
    static const Size SIZES[] = {
        {100, 20, 40, "scenario.duration=200s"},
        {1000, 4, 8, "scenario.duration=60s"},
        {10000, 1, 2, "scenario.duration=20s"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(SIZES); i++) {
        double simulated = simulated_hops(&SIZES[i], exact);
        double expected = model_hops(&SIZES[i], exact);

        printf("# %u peers, %s fingers: %.3f hops simulated, %.3f calculated\n", SIZES[i].nodes,
               exact ? "exact" : "random", simulated, expected);
        CU_ASSERT(fabs(simulated / expected - 1) < 0.02);
    }
}

static void hops_with_random_fingers_are_as_calculated(void)
{
    compare(false);
}

static void hops_with_exact_fingers_are_as_calculated(void)
{
    compare(true);
}

PEAL_TEST_MAIN("sim/hops", PEAL_TEST(hops_with_random_fingers_are_as_calculated),
               PEAL_TEST(hops_with_exact_fingers_are_as_calculated))
