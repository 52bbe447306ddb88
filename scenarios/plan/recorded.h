/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * recorded.h - what the users of a recorded workload do, in the order of time.
 * Source: <scenarios/replay.h>.
 * State:  some words.   Time: instants of the run.
 */
#ifndef PLAN_RECORDED_H
#define PLAN_RECORDED_H

#include <scenarios/plan.h>

typedef struct Recorded Recorded;

/* recorded_new returns NULL for a scenario without one, which is borrowed. */
Recorded *recorded_new(const Scenario *point);
void recorded_free(Recorded *recorded);

/* recorded_peek: when the next thing happens, PEAL_TIME_NEVER when nothing does; NULL is
 * allowed. */
PealTime recorded_peek(const Recorded *recorded);
/* recorded_next takes it; there must be one. */
void recorded_next(Recorded *recorded, PlanAction *ret_action);

/* recorded_target turns a draw into a user of another peer that is there; false: there is none. */
typedef bool (*RecordedIsThere)(const void *crowd, uint32_t peer);
bool recorded_target(const Recorded *recorded, uint64_t draw, RecordedIsThere is_there,
                     const void *crowd, PlanAction *action);

#endif
