/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * workload.h - the [workload] section's recorded workload.
 * Source: none.   State: none.   Time: none.
 */
#ifndef SCENARIOS_WORKLOAD_H
#define SCENARIOS_WORKLOAD_H

#include <scenarios/scenario.h>

/* workload_build reads the file of workload.trace, if there is one, and places its users. */
bool workload_build(Scenario *scenario, GError **error) PEAL_MUST_USE;

#endif
