/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * attack.h - a scenario's attacks in the simulated world.
 * Source: <scenarios/attackers.h>.
 * State:  none without attacks; else a pointer a host and attack, and each attacker's environment.
 * Time:   the agenda's; attackers do the rest as frames come.
 *
 * A member is a peer of the overlay whose environment is an attacker's. Identities are hosts behind
 * the scenario's, which join as any peer does. Phones are hosts behind them on which no peer runs:
 * they are heard at WORLD_PHONE_PORT. SimPeer.attacker is set for all of them, from the start.
 */
#ifndef SIM_ATTACK_H
#define SIM_ATTACK_H

#include <scenarios/attackers.h>
#include <scenarios/run.h>

#include "packet.h"

struct World;
struct SimPeer;
struct Lookup;

typedef struct AttackCounts {
    AttackerCounts attackers;
    uint64_t sent;          /* requests of floods */
    uint64_t answered;      /* of them: 2xx, or a Fetch's answer */
    uint64_t refused;       /* 503s that came back, repetitions included */
    uint64_t failed;        /* other final responses, likewise, and Fetches without an answer */
    uint64_t victim_sip;    /* SIP messages that reached a target in the measured window */
    uint64_t victim_flood;  /* of them, those of attackers */
    uint64_t honest_owners; /* lookups of honest users in the window whose owner is honest */
    uint64_t honest_succeeded;
} AttackCounts;

/* What attacks on keys and neighbour tables hold. */
typedef struct AttackCaptured {
    uint64_t keys;       /* that sybils surround */
    uint64_t keys_taken; /* of them, those whose owner is an attacker */
    uint64_t neighbours; /* of the peers to be eclipsed */
    uint64_t neighbours_taken;
} AttackCaptured;

typedef struct Attacks {
    AttackCast *cast;
    AttackAgenda *agenda;
    Attacker **attackers; /* by attack, then host; NULL: none */
    uint8_t *is_victim;   /* by host */
    AttackCounts counts;
} Attacks;

/* attacks_new returns NULL for a scenario without attacks. To be called when the peers' memory is
 * there, and none of them runs. */
Attacks *attacks_new(struct World *world);
void attacks_free(struct World *world);

/* attacks_node_id is a host's Node-ID, attacker or not. */
PealId attacks_node_id(const struct World *world, uint32_t host);
/* attacks_env is the environment for a peer of an attacker. */
PealEnv *attacks_env(struct World *world, struct SimPeer *peer);
/* attacks_receive_take is what an attacker's peer gets of a frame. */
PealBuf *attacks_receive_take(struct World *world, struct SimPeer *peer, PealBuf *buf);

/* attacks_joined: an attacker's peer has joined; the one of an eclipse links up with its decoys. */
void attacks_joined(struct World *world, uint32_t host);

/* attacks_peek is when the agenda goes on, attacks_step goes on with it. */
PealTime attacks_peek(const struct World *world);
void attacks_step(struct World *world);

/* attacks_concern: would the plan have a user of an attacker's peer look up, call, be looked up or
 * be called? Such a one is no honest user. */
bool attacks_concern(const struct World *world, const PlanAction *action);
/* attacks_owner_honest: is the owner of a key no attacker? attacks_lies: does that peer answer
 * Fetches falsely now? */
bool attacks_owner_honest(const struct World *world, const PealId *key);
bool attacks_lies(const struct World *world, uint32_t host);

/* attacks_sip looks at a SIP message that has arrived, before its processor does. Returns whether
 * it has taken it, for a host without a peer. */
bool attacks_sip(struct World *world, struct SimPeer *peer, Packet *packet);
/* attacks_fetched: a flood's Fetch has ended. */
void attacks_fetched(struct World *world, const PealOutcome *outcome);
/* attacks_lookup counts a lookup of the workload that has ended. */
void attacks_lookup(struct World *world, const struct Lookup *lookup, bool succeeded);

/* attacks_captured looks at how it is now. */
AttackCaptured attacks_captured(const struct World *world);

/* attacks_figures adds the figures `attack.*`. */
void attacks_figures(const struct World *world, RunOutcome *outcome);

#endif
