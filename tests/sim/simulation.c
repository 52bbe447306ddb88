/* SPDX-License-Identifier: GPL-3.0-or-later */
/* simulation.c - see simulation.h. */
#include "simulation.h"

static char *replay_command(const char *file, const char *const *settings)
{
    GString *command = g_string_new(NULL);

    g_string_printf(command, "peal run scenarios/%s --force", file);
    for (size_t i = 0; settings != NULL && settings[i] != NULL; i++) {
        g_string_append_printf(command, " --set '%s'", settings[i]);
    }
    return g_string_free(command, FALSE);
}

void simulation_run(Simulation *simulation, const char *file, const char *const *settings)
{
    const char *root = g_getenv("PEAL_SOURCE_ROOT");
    g_autofree char *path = g_build_filename(root != NULL ? root : ".", "scenarios", file, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = scenario_load(path, settings, &error);
    WorldConfig config = {0};

    *simulation = (Simulation){.command = replay_command(file, settings)};
    if (scenario != NULL) {
        simulation->scenario = scenario_point(scenario, 0, &error);
    }
    if (simulation->scenario == NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(simulation->scenario);
    simulation->recorder =
        recorder_new(&(RecorderConfig){.duration = simulation->scenario->duration,
                                       .warmup = simulation->scenario->warmup});
    config.point = simulation->scenario;
    config.seed = simulation->scenario->seed;
    config.recorder = simulation->recorder;
    simulation->world = world_new(&config, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(simulation->world);
    CU_ASSERT_TRUE(world_run(simulation->world));
    invariants_check(simulation->world, &simulation->invariants);
    simulation->figures = recorder_figures(simulation->recorder);
    simulation->fingerprint = world_fingerprint(simulation->world);
}

void simulation_end(Simulation *simulation)
{
    world_free(simulation->world);
    recorder_free(simulation->recorder);
    scenario_free(simulation->scenario);
    g_free(simulation->command);
    *simulation = (Simulation){0};
}

unsigned simulation_seeds(unsigned usual)
{
    const char *text = g_getenv("PEAL_TEST_SEEDS");

    return text != NULL ? (unsigned)g_ascii_strtoull(text, NULL, 10) : usual;
}
