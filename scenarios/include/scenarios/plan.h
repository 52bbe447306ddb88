/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan.h - a scenario compiled into what happens when: starts, registrations, lookups and events in the order of time.
 * Source: none.
 * State:  12 bytes per identity and one window's actions; it does not grow with the simulated length.
 * Time:   actions come in the order (at, kind, peer, number); their instants are whole us.
 *
 * Whatever a peer does derives from (seed, peer index) alone, so that both worlds plan the same. Peers are identities
 * 0..scenario_identities()-1; those of the start come first, then the joins of events in the order of time.
 */
#ifndef SCENARIOS_PLAN_H
#define SCENARIOS_PLAN_H

#include <scenarios/scenario.h>

typedef enum PlanKind {
    PLAN_EVENT, /* `event` happens; a join's peers come as PLAN_STARTs */
    PLAN_START, /* `peer` starts to join; never for the first peers of a converged overlay */
    PLAN_REGISTER, /* `user` of `peer` registers there; a peer that has not joined yet does it when it has */
    PLAN_LOOKUP /* `peer` looks a key up; skip it when the peer is down or has not joined */
} PlanKind;

typedef struct PlanAction {
    PealTime at;
    PlanKind kind;
    uint32_t peer;  /* all but PLAN_EVENT */
    uint32_t event; /* PLAN_EVENT: index in scenario->events */
    uint32_t
        number; /* PLAN_REGISTER: the user of the peer; PLAN_LOOKUP: how many lookups the peer made before */
    uint32_t
        others; /* PLAN_START: how many identities started before, 0 for the founder; see plan_bootstrap */
    bool keyed; /* PLAN_LOOKUP: `key` is the Resource-ID; else it is that of target_user's AOR */
    uint32_t target_peer;
    uint32_t target_user;
    PealId key;
} PlanAction;

typedef struct Plan Plan;

/* plan_new makes a plan of one replication of one point. The scenario is borrowed for the plan's life. */
Plan *plan_new(const Scenario *point, uint64_t seed);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* plan_next returns the next action when it is due before `until` (and before the scenario's end), else false; false is
 * for now: a later `until` may bring more. `until` never goes back. */
bool plan_next(Plan *plan, PealTime until, PlanAction *ret_action) PEAL_MUST_USE;

/* plan_peek returns the instant of the next action, PEAL_TIME_NEVER when there is none any more. */
PealTime plan_peek(Plan *plan);

/* plan_node_id is identity `peer`'s Node-ID. */
PealId plan_node_id(uint64_t seed, uint32_t peer);

/* plan_bootstrap is choice 0, 1, ... of a bootstrap peer among the first `others` identities (> 0). It may be down, and
 * a later choice may repeat one: the world asks on until it has what it wants. */
uint32_t plan_bootstrap(uint64_t seed, uint32_t peer, uint32_t others, uint32_t choice);

/* plan_user_aor writes `sip:u<user>.p<peer>@example.org` and returns it. */
#define PLAN_AOR_MAX 48
PealStr plan_user_aor(uint32_t peer, uint32_t user, char ret_text[PLAN_AOR_MAX]);

/* plan_draw_ranks draws `len` of the ranks 0..total-1 without replacement, for event number `event`; ascending. */
void plan_draw_ranks(uint64_t seed, uint32_t event, uint32_t total, uint32_t len,
                     uint32_t *ret_ranks);

/* plan_draw_rank draws one rank of 0..total-1: where adjacent victims begin. */
uint32_t plan_draw_rank(uint64_t seed, uint32_t event, uint32_t total);

#endif
