/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_flood.h - a scenario's floods against real nodes.
 * Source: <scenarios/attackers.h>.
 * State:  one per replication; a UDP socket for each phone that floods.
 * Time:   the run's; a shot that is late is sent at once.
 *
 * Phones that flood are sockets of the run's own process, each at a loopback address of its own
 * (127.1.x.y), so that nodes can tell them apart. Peers that flood with lookups are nodes, told to
 * fetch. What they send is no honest workload: it enters no figure but `attack.*`.
 */
#ifndef RUN_FLOOD_H
#define RUN_FLOOD_H

#include <scenarios/attackers.h>
#include <scenarios/run.h>

#include "loop.h"

struct RunSockets;
typedef struct RunFlood RunFlood;

enum {
    RUN_FLOOD_PHONES_MAX = 250,  /* of all attacks together: sockets */
    RUN_FLOOD_RATE_MAX = 10000,  /* requests a second, likewise */
    RUN_FLOOD_NOBODY = INT32_MAX /* the number of a lookup that nobody counts */
};

/* run_flood_check refuses attacks that real nodes cannot be made to do, naming them. */
bool run_flood_check(const Scenario *point, GError **error) PEAL_MUST_USE;

/* run_flood_new begins at the run's time 0. NULL without attacks, or with an error. */
RunFlood *run_flood_new(struct RunSockets *run, GError **error);
void run_flood_free(RunFlood *flood);

/* run_flood_concerns: is that lookup or call one of an attacker's, or to one? NULL: no. */
bool run_flood_concerns(const RunFlood *flood, const PlanAction *action);
/* run_flood_has: is that peer an attacker? NULL: no. */
bool run_flood_has(const RunFlood *flood, uint32_t peer);

/* run_flood_figures adds the figures `attack.*`. */
void run_flood_figures(const RunFlood *flood, RunOutcome *outcome);

#endif
