/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorded.c - see recorded.h. */
#include "plan/recorded.h"

#include <scenarios/replay.h>

struct Recorded {
    const Replay *replay;
    int64_t start_ns;
    int64_t end_ns;         /* nothing begins at or after it */
    uint32_t registrations; /* that were taken or passed over */
    uint32_t calls;         /* likewise */
};

/* Does a user stay registered although the trace took that away, since there are calls to come? */
static bool is_passed_over(const Recorded *recorded, const ReplayRegistration *registration)
{
    return registration->expires_s == 0 &&
           replay_user(recorded->replay, registration->user)->last_called.ns >= registration->at.ns;
}

static void pass_over(Recorded *recorded)
{
    const Replay *replay = recorded->replay;

    while (recorded->registrations < replay->registrations->len &&
           is_passed_over(recorded, replay_registration(replay, recorded->registrations))) {
        recorded->registrations++;
    }
}

Recorded *recorded_new(const Scenario *point)
{
    const Replay *replay = point->workload.replay;
    Recorded *recorded;

    if (replay == NULL) {
        return NULL;
    }
    recorded = g_new0(Recorded, 1);
    recorded->replay = replay;
    recorded->start_ns = scenario_trace_start(point).ns;
    recorded->end_ns = point->duration.ns;
    pass_over(recorded);
    return recorded;
}

void recorded_free(Recorded *recorded)
{
    g_free(recorded);
}

static int64_t registration_ns(const Recorded *recorded)
{
    return recorded->registrations < recorded->replay->registrations->len
               ? recorded->start_ns +
                     replay_registration(recorded->replay, recorded->registrations)->at.ns
               : INT64_MAX;
}

static int64_t call_ns(const Recorded *recorded)
{
    return recorded->calls < recorded->replay->calls->len
               ? recorded->start_ns + replay_call(recorded->replay, recorded->calls)->at.ns
               : INT64_MAX;
}

PealTime recorded_peek(const Recorded *recorded)
{
    int64_t at_ns =
        recorded == NULL ? INT64_MAX : MIN(registration_ns(recorded), call_ns(recorded));

    return recorded == NULL || at_ns >= recorded->end_ns ? PEAL_TIME_NEVER : (PealTime){at_ns};
}

static void take_registration(Recorded *recorded, PlanAction *action)
{
    const ReplayRegistration *registration =
        replay_registration(recorded->replay, recorded->registrations++);
    const ReplayUser *user = replay_user(recorded->replay, registration->user);

    action->kind = registration->expires_s > 0 ? PLAN_REGISTER : PLAN_UNREGISTER;
    action->peer = user->peer;
    action->user = user->index;
    if (registration->expires_s > 0) {
        action->expires_s =
            CLAMP(registration->expires_s, SCENARIO_EXPIRES_LEAST_S, SCENARIO_EXPIRES_MOST_S);
    }
    pass_over(recorded);
}

static void take_call(Recorded *recorded, PlanAction *action)
{
    const ReplayCall *call = replay_call(recorded->replay, recorded->calls);
    const ReplayUser *caller = replay_user(recorded->replay, call->caller);
    const ReplayUser *callee = replay_user(recorded->replay, call->callee);

    action->kind = PLAN_CALL;
    action->call = recorded->calls;
    action->number = recorded->calls++;
    action->peer = caller->peer;
    action->user = caller->index;
    action->target_peer = callee->peer;
    action->target_user = callee->index;
    action->duration = call->talk;
}

/* Who registers and calls at one instant does so in this order. */
void recorded_next(Recorded *recorded, PlanAction *ret_action)
{
    ret_action->at = recorded_peek(recorded);
    if (registration_ns(recorded) <= call_ns(recorded)) {
        take_registration(recorded, ret_action);
    } else {
        take_call(recorded, ret_action);
    }
}

bool recorded_target(const Recorded *recorded, uint64_t draw, RecordedIsThere is_there,
                     const void *crowd, PlanAction *action)
{
    const uint32_t len = recorded->replay->users->len;
    const uint32_t first = (uint32_t)peal_random_below(draw, len);

    for (uint32_t i = 0; i < len; i++) {
        const ReplayUser *user = replay_user(recorded->replay, (first + i) % len);

        if (user->peer != action->peer && is_there(crowd, user->peer)) {
            action->target_peer = user->peer;
            action->target_user = user->index;
            return true;
        }
    }
    return false;
}
