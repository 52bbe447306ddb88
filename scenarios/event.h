/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * event.h - what an event does, as a scenario writes it: `fail 20% of peers`, `partition 50%`.
 * Source: none.   State: none.   Time: none.
 *
 *   join N | leave AMOUNT | restart AMOUNT | fail AMOUNT | partition P% | heal
 *   AMOUNT = N or P%, then optionally `of`, `adjacent`, `peers` in this order
 */
#ifndef SCENARIOS_EVENT_H
#define SCENARIOS_EVENT_H

#include <scenarios/scenario.h>

/* event_parse fills in what, adjacent, count and ppm. Returns false with SCENARIO_ERROR_VALUE. */
bool event_parse(const char *text, ScenarioEvent *ret_event, GError **error) PEAL_MUST_USE;

#endif
