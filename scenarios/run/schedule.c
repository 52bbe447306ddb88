/* SPDX-License-Identifier: GPL-3.0-or-later */
/* schedule.c - see schedule.h. */
#include "run/schedule.h"

#include <math.h>

enum { TASK_WAITS, TASK_TAKEN, TASK_DONE, TASK_FAILED };

typedef struct SchedulePoint {
    GByteArray *state; /* of each replication that is wanted */
    guint done;
    guint resumed;
    guint failed;
    guint taken; /* those before it are not to be taken any more */
    bool decided;
} SchedulePoint;

struct Schedule {
    const Scenario *scenario;
    Results *results;
    SchedulePoint *points;
    guint first; /* points before it have nothing to take */
};

static void want(SchedulePoint *point, guint replications)
{
    static const guint8 waits = TASK_WAITS;

    while (point->state->len < replications) {
        g_byte_array_append(point->state, &waits, 1);
    }
}

/* Half the interval over the mean; NaN where there is no interval. */
static double relative_width(const StatsMean *mean)
{
    double half = fmax(mean->mean - mean->ci95.low, mean->ci95.high - mean->mean);

    if (!mean->has_interval) {
        return NAN;
    }
    return half == 0 ? 0 : half / fabs(mean->mean);
}

static bool fail_figure(const Schedule *schedule, guint point, GError **error)
{
    g_autofree char *names = results_figure_names(schedule->results, point);

    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                "scenario.precision-of = %s: there is no such figure; write one of: %s",
                schedule->scenario->precision_of, names);
    return false;
}

/*
 * After n replications: enough, or how many it takes as the spread is now, but at most half as many
 * again, since a spread that was estimated from few may be wrong. With n0 replications at first the
 * looks at the interval come at n0, 1.5 n0, 2.25 n0, ... at the closest.
 */
static guint more_for(guint n, double reached, double wanted)
{
    double needed = ceil(n * (reached / wanted) * (reached / wanted));
    guint most = n + (n + 1) / 2;

    return needed >= most ? most : MAX((guint)needed, n + 1);
}

/* All replications that were wanted of a point are there: are they enough? */
static bool decide(Schedule *schedule, guint number, GError **error)
{
    const Scenario *scenario = schedule->scenario;
    SchedulePoint *point = &schedule->points[number];
    ResultsPrecision precision = {.figure = scenario->precision_of,
                                  .wanted = (double)scenario->precision_ppm / SCENARIO_PPM,
                                  .replications = point->state->len};
    ResultsMean mean;

    if (scenario->precision_ppm == 0) {
        point->decided = true;
        return true;
    }
    if (!results_mean(schedule->results, number, precision.figure, precision.replications, &mean,
                      error)) {
        return false;
    }
    if (!mean.known) {
        return fail_figure(schedule, number, error);
    }
    precision.reached = relative_width(&mean.mean);
    /* Without an interval (nothing was looked up) more of the same does not help. */
    point->decided = !(precision.reached > precision.wanted) ||
                     precision.replications >= scenario->replications_max;
    if (point->decided) {
        return results_set_precision(schedule->results, number, &precision, error);
    }
    want(point, MIN(more_for(precision.replications, precision.reached, precision.wanted),
                    scenario->replications_max));
    return true;
}

static bool decide_if_all_are_there(Schedule *schedule, guint number, GError **error)
{
    SchedulePoint *point = &schedule->points[number];

    return point->decided || point->done < point->state->len || decide(schedule, number, error);
}

/* Notes what the results have of a point, and again as long as that makes more wanted. */
static bool resume(Schedule *schedule, guint number, GError **error)
{
    SchedulePoint *point = &schedule->points[number];
    guint looked = 0;

    while (looked < point->state->len) {
        for (; looked < point->state->len; looked++) {
            if (results_has(schedule->results, number, looked)) {
                point->state->data[looked] = TASK_DONE;
                point->done++;
                point->resumed++;
            }
        }
        if (!decide_if_all_are_there(schedule, number, error)) {
            return false;
        }
    }
    return true;
}

Schedule *schedule_new(const Scenario *scenario, Results *results, GError **error)
{
    Schedule *schedule = g_new0(Schedule, 1);

    schedule->scenario = scenario;
    schedule->results = results;
    schedule->points = g_new0(SchedulePoint, scenario->points);
    for (guint i = 0; i < scenario->points; i++) {
        schedule->points[i].state = g_byte_array_new();
        want(&schedule->points[i], scenario->replications);
    }
    for (guint i = 0; i < scenario->points; i++) {
        if (!resume(schedule, i, error)) {
            schedule_free(schedule);
            return NULL;
        }
    }
    return schedule;
}

void schedule_free(Schedule *schedule)
{
    if (schedule == NULL) {
        return;
    }
    for (guint i = 0; i < schedule->scenario->points; i++) {
        g_byte_array_unref(schedule->points[i].state);
    }
    g_free(schedule->points);
    g_free(schedule);
}

bool schedule_next(Schedule *schedule, Task *ret_task)
{
    for (guint i = schedule->first; i < schedule->scenario->points; i++) {
        SchedulePoint *point = &schedule->points[i];

        while (point->taken < point->state->len && point->state->data[point->taken] != TASK_WAITS) {
            point->taken++;
        }
        if (point->taken < point->state->len) {
            point->state->data[point->taken] = TASK_TAKEN;
            *ret_task = (Task){i, point->taken++};
            return true;
        }
        if (i == schedule->first && point->decided) {
            schedule->first++;
        }
    }
    return false;
}

/* A figure that there is not is named as soon as one replication has told which there are. */
static bool check_figure(const Schedule *schedule, Task task, GError **error)
{
    ResultsMean mean;

    if (schedule->scenario->precision_ppm == 0 || schedule->points[task.point].done > 1) {
        return true;
    }
    if (!results_mean(schedule->results, task.point, schedule->scenario->precision_of,
                      task.replication + 1, &mean, error)) {
        return false;
    }
    return mean.known || fail_figure(schedule, task.point, error);
}

bool schedule_done(Schedule *schedule, Task task, GError **error)
{
    SchedulePoint *point = &schedule->points[task.point];

    PEAL_ASSERT(point->state->data[task.replication] == TASK_TAKEN);
    point->state->data[task.replication] = TASK_DONE;
    point->done++;
    return check_figure(schedule, task, error) &&
           decide_if_all_are_there(schedule, task.point, error);
}

void schedule_failed(Schedule *schedule, Task task)
{
    SchedulePoint *point = &schedule->points[task.point];

    PEAL_ASSERT(point->state->data[task.replication] == TASK_TAKEN);
    point->state->data[task.replication] = TASK_FAILED;
    point->failed++;
}

guint schedule_wanted(const Schedule *schedule, guint point)
{
    return schedule->points[point].state->len;
}

bool schedule_is_decided(const Schedule *schedule, guint number)
{
    return schedule->points[number].decided;
}

bool schedule_has_ended(const Schedule *schedule, Task task)
{
    return schedule->points[task.point].state->data[task.replication] >= TASK_DONE;
}

bool schedule_is_whole(const Schedule *schedule)
{
    for (guint i = 0; i < schedule->scenario->points; i++) {
        if (!schedule->points[i].decided) {
            return false;
        }
    }
    return true;
}

ScheduleCount schedule_count(const Schedule *schedule)
{
    ScheduleCount count = {0};

    for (guint i = 0; i < schedule->scenario->points; i++) {
        const SchedulePoint *point = &schedule->points[i];

        count.wanted += point->state->len;
        count.ended += point->done + point->failed;
        count.resumed += point->resumed;
    }
    return count;
}
