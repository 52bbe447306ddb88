/*
 * schedule.h - which replications of which points there shall be, and which is next.
 * Source: a fixed schedule of looks at the interval, as sequential procedures for steady-state
 *         simulation have it (Law and Kelton, Simulation Modeling and Analysis, ch. 9).
 * State:  a byte for each replication.
 * Time:   none. What is decided depends on the figures of replications 0..n-1 alone, never on the
 *         order or the number of processes in which they ended.
 */
#ifndef RUN_SCHEDULE_H
#define RUN_SCHEDULE_H

#include <analysis/results.h>
#include <scenarios/scenario.h>

/* A replication of a point. */
typedef struct Task {
    guint point;
    guint replication;
} Task;

typedef struct Schedule Schedule;

/* schedule_new: what results has already is done. The scenario and the results must outlive it.
 * NULL when they cannot be read. */
Schedule *schedule_new(const Scenario *scenario, Results *results, GError **error);
void schedule_free(Schedule *schedule);

/* schedule_next takes the first task that nobody has taken. False when there is none now; one that
 * ends may bring new ones. */
bool schedule_next(Schedule *schedule, Task *ret_task);

/* schedule_done tells that a task is in the results; the point may want more replications then.
 * Returns false with an error: the figure that shall be precise is none. */
bool schedule_done(Schedule *schedule, Task task, GError **error);

/* schedule_failed tells that a task ended without results. */
void schedule_failed(Schedule *schedule, Task task);

/* schedule_wanted is how many replications a point has, as far as is known now. */
guint schedule_wanted(const Schedule *schedule, guint point);

/* schedule_is_decided tells that no more will come to be wanted. */
bool schedule_is_decided(const Schedule *schedule, guint point);

/* schedule_has_ended tells that a task is done or has failed. */
bool schedule_has_ended(const Schedule *schedule, Task task);

/* schedule_is_whole tells that all that is wanted is in the results. */
bool schedule_is_whole(const Schedule *schedule);

/* Tasks that are wanted as far as is known now, that ended, and that were there to begin with. */
typedef struct ScheduleCount {
    guint wanted;
    guint ended;
    guint resumed;
} ScheduleCount;
ScheduleCount schedule_count(const Schedule *schedule);

#endif
