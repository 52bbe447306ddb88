/* SPDX-License-Identifier: GPL-3.0-or-later */
/* workload.c - what a scenario's workload means for one user. See <scenarios/scenario.h>. */
#include "workload.h"

#include <peal/phone.h>
#include <scenarios/keys.h>
#include <scenarios/plan.h>
#include <scenarios/replay.h>

#include "check.h"
#include "churn.h"

/* Joins and registrations take their time before a trace begins. */
static const PealSpan SETTLE_CONVERGED = {10 * PEAL_NS_PER_S};
static const PealSpan SETTLE_JOINS = {30 * PEAL_NS_PER_S};

bool workload_build(Scenario *scenario, GError **error)
{
    ScenarioWorkload *workload = &scenario->workload;
    const guint users_max = (guint)key_find("workload", "users-per-peer")->max;
    g_autoptr(GError) inner = NULL;

    if (workload->trace_file == NULL) {
        return true;
    }
    if (!scenario_resolve(scenario, "workload", "trace", &workload->trace_file, error)) {
        return false;
    }
    workload->replay = replay_load(workload->trace_file, &inner);
    if (workload->replay == NULL) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"workload", "trace"}), error, "%s",
                             inner->message);
    }
    replay_set_domain(workload->replay, PLAN_DOMAIN);
    if (workload->replay->users->len == 0) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"workload", "trace"}), error,
                             "%s has no users", workload->trace_file);
    }
    if (!replay_place(workload->replay, (ReplayPlacing)workload->trace_placing,
                      (uint32_t)churn_identities(scenario), &inner)) {
        return scenario_fail(scenario,
                             KEYS_TO_BLAME({"workload", "trace-users"}, {"workload", "trace"}),
                             error, "%s", inner->message);
    }
    if (workload->replay->users_per_peer > users_max) {
        return scenario_fail(scenario,
                             KEYS_TO_BLAME({"workload", "trace-users"}, {"workload", "trace"},
                                           {"overlay", "peers"}),
                             error,
                             "one peer would have %u users of %s, but may have %u: set "
                             "workload.trace-users to round-robin, or overlay.peers higher",
                             workload->replay->users_per_peer, workload->trace_file, users_max);
    }
    workload->users_per_peer = workload->replay->users_per_peer;
    return true;
}

uint32_t scenario_phone_calls_max(const Scenario *scenario)
{
    return scenario->workload.replay != NULL ? PEAL_PHONE_CALLS_MAX : SCENARIO_PHONE_CALLS_MAX;
}

PealTime scenario_trace_start(const Scenario *scenario)
{
    int64_t settled_ns = PLAN_REGISTER_SPREAD.ns + SETTLE_CONVERGED.ns;

    if (scenario->start == SCENARIO_START_JOINS) {
        settled_ns = scenario->peers * scenario->join_interval.ns + SETTLE_JOINS.ns;
    }
    if (!scenario->warmup_mser) { /* else it is known only at the end */
        settled_ns = MAX(settled_ns, scenario->warmup.ns);
    }
    return (PealTime){MAX(settled_ns, scenario->workload.trace_start.ns)};
}

PealSpan scenario_trace_duration(const Scenario *scenario)
{
    return (PealSpan){scenario_trace_start(scenario).ns + scenario->workload.replay->span.ns +
                      SCENARIO_TRACE_TAIL.ns};
}

static uint32_t lifetime_s(PealSpan span)
{
    int64_t s = (span.ns + PEAL_NS_PER_S / 2) / PEAL_NS_PER_S;

    return (uint32_t)CLAMP(s, (int64_t)SCENARIO_EXPIRES_LEAST_S, (int64_t)SCENARIO_EXPIRES_MOST_S);
}

uint32_t scenario_register_expires_s(const Scenario *scenario, uint64_t seed, uint32_t peer,
                                     uint32_t user)
{
    const Replay *replay = scenario->workload.replay;
    uint32_t recorded = replay != NULL ? replay_user_at(replay, peer, user) : HISTORY_NOBODY;
    uint64_t stream = peal_random_stream(peer, PEAL_DRAW_LIFETIME);
    uint32_t drawn_s =
        lifetime_s(dist_draw_met(&scenario->workload.register_expires, seed, stream, user));

    return recorded == HISTORY_NOBODY
               ? drawn_s
               : MIN(replay_lifetime_s(replay, recorded, SCENARIO_EXPIRES_LEAST_S, drawn_s),
                     SCENARIO_EXPIRES_MOST_S);
}

void scenario_register_bounds(const Scenario *scenario, uint32_t *ret_least_s, uint32_t *ret_most_s)
{
    const Dist *expires = &scenario->workload.register_expires;

    *ret_least_s = SCENARIO_EXPIRES_LEAST_S;
    *ret_most_s = SCENARIO_EXPIRES_MOST_S;
    if (expires->kind == DIST_CONSTANT && scenario->workload.replay == NULL) {
        *ret_least_s = *ret_most_s = lifetime_s(dist_draw(expires, 0, 0, 0));
    }
}
