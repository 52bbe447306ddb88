/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sweep.h - the points of a scenario's [sweep]: every combination of its keys' lists.
 * Source: none.   State: none; a point is computed from its number.   Time: none.
 */
#ifndef SCENARIOS_SWEEP_H
#define SCENARIOS_SWEEP_H

#include <scenarios/settings.h>

enum { SWEEP_POINTS_MAX = 1000 };

/* sweep_points counts the points, 1 without a sweep; checks that the swept keys exist. */
bool sweep_points(const ScenarioSettings *settings, guint *ret_points,
                  GError **error) PEAL_MUST_USE;

/*
 * sweep_point returns the settings of one point: the sweep gone, its values in place.
 * point    below sweep_points; the last key of the file varies fastest
 * ret_parameters  *ret_len of them, to sweep_parameters_free
 */
ScenarioSettings *sweep_point(const ScenarioSettings *settings, guint point,
                              ScenarioParameter **ret_parameters, guint *ret_len);
void sweep_parameters_free(ScenarioParameter *parameters, guint len);

#endif
