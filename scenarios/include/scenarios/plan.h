/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan.h - a scenario compiled into what happens when: starts, registrations, lookups, calls,
 * events. Source: none.
 * State:  12 bytes per identity, 12 more with calls, 12 more with churn, 8 more where targets are
 *         online, and one window's actions; it does not grow with simulated time.
 * Time:   actions come in the order of (at, events first, peer, number), in whole us but events.
 *
 * Whatever a peer does derives from (seed, peer index) alone, so that both worlds plan the same.
 * Peers are identities 0..scenario_identities()-1: those of the start come first, then those of the
 * join events in the order of time.
 *
 * A peer that starts at time t registers its users then, and makes its first lookup one interval
 * later. Peers that are converged at time 0 spread their registrations over PLAN_REGISTER_SPREAD
 * (at most a tenth of the run) and begin to look up after it; without users they begin at once. The
 * calls of a peer's users come as one stream, in which each call is any one's: so each user's calls
 * have exponential intervals. They begin as the lookups do. Where workload.call-interval says how
 * the calls of the whole overlay follow each other, they are one stream instead, which begins with
 * the run, or after the spread; its calls come last among what happens at one instant.
 *
 * A recorded workload has its own users, each at one peer, who register at the start as all users
 * do; what they do in the recording follows from scenario_trace_start on, and comes last among what
 * happens at one instant. Nobody of them takes a registration away while he is still to be called.
 *
 * With churn, each of the start's identities is there at time 0 with the probability of being there
 * in the steady state, and what is left of its session or absence is a residual life. Those who are
 * there make up the converged overlay, or join one per interval; the others come for the first time
 * when their absence ends. The joiners of an event have a whole session before them, and live like
 * all others then. Lookups and calls go on while a peer is away, to be skipped: their intervals are
 * exponential, so that those which are left have the stated rate.
 */
#ifndef SCENARIOS_PLAN_H
#define SCENARIOS_PLAN_H

#include <scenarios/scenario.h>

#define PLAN_REGISTER_SPREAD ((PealSpan){10 * PEAL_NS_PER_S})

typedef enum PlanKind {
    PLAN_EVENT, /* `event` happens; the peers of a join come as PLAN_STARTs */
    PLAN_START, /* `peer` starts to join; never for the first peers of a converged overlay. It may
                      be up, by an event; and, with churn, on its way out. */
    PLAN_STOP,  /* `peer` ends, by churn; it may be down, by an event */
    PLAN_REGISTER, /* `user` of `peer` registers there; before it has joined: when it has. A peer's
                      users register again after a restart and when it returns (`again`), which is
                      not in the plan. */
    PLAN_UNREGISTER, /* `user` of `peer` takes its registration away, in a recorded workload */
    PLAN_LOOKUP,     /* `peer` looks a key up; skip it when the peer is down or has not joined */
    PLAN_CALL /* `user` of `peer` calls the target; skip it when the peer is down, has not joined,
                      or there is nobody else to call, which the target being the caller says */
} PlanKind;

typedef struct PlanAction {
    PealTime at;
    PlanKind kind;
    uint32_t event;  /* PLAN_EVENT: index in scenario->events; else meaningless */
    uint32_t peer;   /* all but PLAN_EVENT */
    uint32_t others; /* PLAN_START: of peers 0..others-1 some started before; 0 for the founder */
    bool again;      /* PLAN_START: it returns */
    bool graceful;   /* PLAN_STOP: with a Leave */
    uint32_t expires_s; /* PLAN_REGISTER: the lifetime that it asks for; 0: as
                           scenario_register_expires_s says */
    uint32_t call;      /* PLAN_CALL: of a recorded workload, else UINT32_MAX */
    uint32_t user;      /* PLAN_REGISTER, PLAN_CALL: which of the peer's users */
    uint32_t number;    /* PLAN_LOOKUP, PLAN_CALL: how many of them the peer made before; with
                        workload.call-interval, all peers */
    bool keyed; /* PLAN_LOOKUP: `key` is the Resource-ID; else that of the target's AOR is */
    uint32_t target_peer; /* PLAN_LOOKUP, PLAN_CALL */
    uint32_t target_user;
    PealSpan duration; /* PLAN_CALL: from the answer until the caller hangs up */
    PealId key;
} PlanAction;

typedef struct Plan Plan;

/* plan_new makes a plan of one replication of one point. The scenario is borrowed for its life. */
Plan *plan_new(const Scenario *point, uint64_t seed);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/*
 * plan_next takes the next action if it is due before `until` (and before the scenario's end).
 * Returns false when it is not; a later `until` may bring more.
 */
bool plan_next(Plan *plan, PealTime until, PlanAction *ret_action) PEAL_MUST_USE;

/* plan_peek returns the instant of the next action, PEAL_TIME_NEVER when there is none any more. */
PealTime plan_peek(Plan *plan);

/* plan_is_first tells whether a peer is there at time 0 of a converged start. */
bool plan_is_first(const Plan *plan, uint32_t peer);

/* plan_node_id is a peer's Node-ID. */
PealId plan_node_id(uint64_t seed, uint32_t peer);

/*
 * plan_bootstrap is choice 0, 1, ... of a bootstrap peer among the first `others` (> 0) peers. It
 * may be down, and a later choice may repeat it: the world asks on until it has what it wants.
 */
uint32_t plan_bootstrap(uint64_t seed, uint32_t peer, uint32_t others, uint32_t choice);

/*
 * plan_bootstraps finds bootstrap peers as an operator's list would name them: others than the peer
 * itself that are there, each once. others > 0. Returns how many, 0..PLAN_BOOTSTRAP_MAX.
 */
#define PLAN_BOOTSTRAP_MAX 3
size_t plan_bootstraps(uint64_t seed, uint32_t peer, uint32_t others,
                       bool (*is_there)(void *user, uint32_t other), void *user,
                       uint32_t ret_others[PLAN_BOOTSTRAP_MAX]);

/* plan_user_aor writes `sip:u<user>.p<peer>@example.org` and returns it. */
#define PLAN_DOMAIN "example.org"
#define PLAN_AOR_MAX 48
PealStr plan_user_aor(uint32_t peer, uint32_t user, char ret_text[PLAN_AOR_MAX]);

/* scenario_aor is that of a peer's user: the replay's, borrowed from it, where there is one and it
 * has such a user; else as plan_user_aor has it. */
PealStr scenario_aor(const Scenario *scenario, uint32_t peer, uint32_t user,
                     char ret_text[PLAN_AOR_MAX]);

/* plan_draw_ranks draws `len` of the ranks 0..total-1 for an event, each once; ascending. */
void plan_draw_ranks(uint64_t seed, uint32_t event, uint32_t total, uint32_t len,
                     uint32_t *ret_ranks);

/* plan_draw_rank draws one rank of 0..total-1 (total > 0): where adjacent victims begin. */
uint32_t plan_draw_rank(uint64_t seed, uint32_t event, uint32_t total);

/* plan_region_centre draws the candidate whose region an event concerns; len > 0. */
uint32_t plan_region_centre(uint64_t seed, uint32_t event, const uint32_t *peers, uint32_t len);

/*
 * plan_victims draws an event's victims, or takes the one that it names.
 * peers   candidates: in the order of their indices; for adjacent victims, of their ids; for
 *         a region's, of their distance from the one that plan_region_centre draws
 * Returns them, to g_free; ret_len may become 0.
 */
uint32_t *plan_victims(const Scenario *point, uint64_t seed, uint32_t event, const uint32_t *peers,
                       uint32_t len, uint32_t *ret_len);

#endif
