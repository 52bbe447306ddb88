/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * simulation.h - runs one replication of one of the project's scenarios, and looks at what came
 *                of it.
 * Source: none.   State: one at a time.   Time: none.
 */
#ifndef TESTS_SIM_SIMULATION_H
#define TESTS_SIM_SIMULATION_H

#include "invariants.h"
#include "peal_test.h"
#include "world.h"

typedef struct Simulation {
    Scenario *scenario;
    Recorder *recorder;
    World *world;
    const RecorderFigures *figures;
    Invariants invariants;
    uint64_t fingerprint;
    char *command; /* that replays it */
} Simulation;

/* simulation_run runs scenarios/FILE. settings: NULL-terminated `section.key=value` texts. Ends
 * the test when the scenario is refused. */
void simulation_run(Simulation *simulation, const char *file, const char *const *settings);
void simulation_end(Simulation *simulation);

/* simulation_seeds is how many seeds the long tests try: PEAL_TEST_SEEDS, else `usual`. */
unsigned simulation_seeds(unsigned usual);

/* A condition of a simulation; when it fails, the command that replays that is printed. */
#define SIM_ASSERT(simulation, condition)                    \
    do {                                                     \
        if (!(condition)) {                                  \
            printf("# replay: %s\n", (simulation)->command); \
        }                                                    \
        CU_ASSERT(condition);                                \
    } while (0)

#endif
