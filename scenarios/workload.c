/* SPDX-License-Identifier: GPL-3.0-or-later */
/* workload.c - what a scenario's workload means for one user. See <scenarios/scenario.h>. */
#include <scenarios/scenario.h>

static uint32_t lifetime_s(PealSpan span)
{
    int64_t s = (span.ns + PEAL_NS_PER_S / 2) / PEAL_NS_PER_S;

    return (uint32_t)CLAMP(s, (int64_t)SCENARIO_EXPIRES_LEAST_S, (int64_t)SCENARIO_EXPIRES_MOST_S);
}

uint32_t scenario_register_expires_s(const Scenario *scenario, uint64_t seed, uint32_t peer,
                                     uint32_t user)
{
    uint64_t stream = peal_random_stream(peer, PEAL_DRAW_LIFETIME);

    return lifetime_s(dist_draw_met(&scenario->workload.register_expires, seed, stream, user));
}

void scenario_register_bounds(const Scenario *scenario, uint32_t *ret_least_s, uint32_t *ret_most_s)
{
    const Dist *expires = &scenario->workload.register_expires;

    *ret_least_s = SCENARIO_EXPIRES_LEAST_S;
    *ret_most_s = SCENARIO_EXPIRES_MOST_S;
    if (expires->kind == DIST_CONSTANT) {
        *ret_least_s = *ret_most_s = lifetime_s(dist_draw(expires, 0, 0, 0));
    }
}
