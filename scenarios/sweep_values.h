/*
 * sweep_values.h - the values of a swept key: a list of values and ranges.
 * Source: none.   State: none.   Time: none.
 *
 *   list   = item *("," item)          commas inside parentheses are part of an item
 *   item   = range / value
 *   range  = number ".." number ("step" number / "x" factor)
 *   number = digits ["." digits] [unit]
 *
 * The numbers of a range have the same unit, as its values will. Both ends belong to it, and it
 * must hit its end. It goes up or down, whichever way its end lies. Numbers are decimal and exact.
 */
#ifndef SCENARIOS_SWEEP_VALUES_H
#define SCENARIOS_SWEEP_VALUES_H

#include <scenarios/settings.h>

enum { SWEEP_POINTS_MAX = 1000 };

/* sweep_values returns the values (char *) that a text stands for, at least one and at most
 * SWEEP_POINTS_MAX; NULL with SCENARIO_ERROR_VALUE. */
GPtrArray *sweep_values(const char *text, GError **error);

#endif
