/*
 * sweep.h - the points of a scenario's [sweep].
 * Source: none.   State: none; a point is computed from its number.   Time: none.
 *
 * `combine` says how the keys' values make points: cross, the default: every combination; zip: the
 * first values of all keys, then the second; zip(KEY, KEY, ...): these keys go together, and are
 * crossed with the others; there may be several such groups.
 */
#ifndef SCENARIOS_SWEEP_H
#define SCENARIOS_SWEEP_H

#include "sweep_values.h"

#define SWEEP_COMBINE "combine"

/* sweep_check_file looks at what a file says, before options change it: a [sweep] that sweeps
 * nothing, keys that `combine` names and that are not swept. */
bool sweep_check_file(const ScenarioSettings *settings, GError **error) PEAL_MUST_USE;

/* sweep_points counts the points, 1 without a sweep; checks that the swept keys exist and that
 * their lists fit each other. */
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
