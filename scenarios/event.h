/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * event.h - what an event does, as a scenario writes it: `fail 20% of peers`, `partition 50%`.
 * Source: none.   State: none.   Time: none.
 *
 *   join N [over T] | leave WHOM | restart WHOM | fail WHOM | start peer INDEX | partition P% |
 *   heal
 *   WHOM = AMOUNT or `peer INDEX`
 *   AMOUNT = N or P%, then optionally `of`, `adjacent` or `region`, `peers` in this order
 */
#ifndef SCENARIOS_EVENT_H
#define SCENARIOS_EVENT_H

#include <scenarios/scenario.h>

/* event_parse fills in all but name and at. Returns false with SCENARIO_ERROR_VALUE. */
bool event_parse(const char *text, ScenarioEvent *ret_event, GError **error) PEAL_MUST_USE;

#endif
