/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.h - the simulated world, for `peal run`.
 * Source: none.   State: none beyond a replication.   Time: simulated.
 */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include <scenarios/run.h>

/* `--on sim`. */
extern const RunWorld SIM_WORLD;

#endif
