/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * attack.h - what a scenario's [attack:NAME] sections say, and who the attackers are.
 * Source: none for the model.
 * State:  one ScenarioAttack a section, never changed after loading.
 * Time:   an attack lasts from `from` until before `until`.
 *
 * Attackers are of three sorts. Members are peers of the overlay, drawn by the seed, that do
 * something else with what passes through them. Identities are peers that the attack brings along,
 * under Node-IDs of its own choice. Phones are addresses that only send. Members and identities run
 * the ordinary peer in an environment that is not honest; no peer knows that it attacks.
 */
#ifndef SCENARIOS_ATTACK_H
#define SCENARIOS_ATTACK_H

#include <scenarios/scenario.h>

typedef enum AttackKind {
    ATTACK_SIP_FLOOD,    /* SIP requests that nobody means, by phones or members */
    ATTACK_LOOKUP_FLOOD, /* Fetches, by members */
    ATTACK_DROP,         /* members forward nothing of others */
    ATTACK_WRONG_ANSWER, /* members answer Fetches that pass through, and what they own, falsely */
    ATTACK_WRONG_HOP,    /* members send requests of others elsewhere */
    ATTACK_SYBIL,        /* identities join right around a key */
    ATTACK_ECLIPSE,      /* identities fill a peer's neighbour table by lying Updates */
    ATTACK_STORM         /* identities join and vanish all the time */
} AttackKind;

typedef enum AttackMethod { ATTACK_REGISTER, ATTACK_INVITE, ATTACK_OPTIONS } AttackMethod;
typedef enum AttackArrivals { ATTACK_POISSON, ATTACK_REGULAR } AttackArrivals;
typedef enum AttackDrops {
    ATTACK_DROPS_ALL,
    ATTACK_DROPS_REQUESTS,
    ATTACK_DROPS_ANSWERS
} AttackDrops;
typedef enum AttackAnswer { ATTACK_ANSWER_NOT_FOUND, ATTACK_ANSWER_FALSE } AttackAnswer;
typedef enum AttackHop { ATTACK_HOP_AWAY, ATTACK_HOP_CIRCLE } AttackHop;
/* What identities do once they are where they want to be. */
typedef enum AttackThen { ATTACK_THEN_DROP, ATTACK_THEN_LIE, ATTACK_THEN_NOTHING } AttackThen;

typedef enum AttackTargetKind {
    ATTACK_ON_EVERYONE,
    ATTACK_ON_PEER, /* `peer` */
    ATTACK_ON_USER  /* `user` of `peer`, or the key of his AOR */
} AttackTargetKind;

typedef struct AttackTarget {
    AttackTargetKind kind;
    uint32_t peer;
    uint32_t user;
} AttackTarget;

/* Some of the peers: `count`, unless ppm says what part of them. */
typedef struct AttackAmount {
    uint32_t count;
    uint32_t ppm;
} AttackAmount;

struct ScenarioAttack {
    char *name; /* of its section [attack:NAME] */
    AttackKind kind;
    PealSpan from;
    PealSpan until; /* at most the scenario's duration */
    AttackAmount attackers;
    uint32_t phones;
    uint32_t identities;
    uint64_t rate_milli; /* of each attacker, thousandths an hour */
    AttackArrivals arrivals;
    AttackMethod method;
    AttackTarget target;
    AttackDrops drops;
    AttackAnswer answer;
    AttackHop hop;
    AttackThen then;
    PealSpan period; /* of a storm: from join to join of one identity */
};

/* attack_population: the scenario's identities without those of join events: whom attacks draw from
 * and can be on. attack_members: how many of them an attack draws. */
uint32_t attack_population(const Scenario *scenario);
uint32_t attack_members(const Scenario *scenario, const ScenarioAttack *attack);

/* attack_extras: how many hosts an attack adds, its identities or its phones. scenario_hosts: the
 * scenario's identities (<scenarios/scenario.h>) and all attacks' hosts, which come behind them in
 * the order of the attacks. */
uint32_t attack_extras(const ScenarioAttack *attack);
uint32_t scenario_hosts(const Scenario *scenario);

/* attack_text says what an attack is, in a few words (`sip-flood on peer 3`). Text to g_free. */
char *attack_text(const ScenarioAttack *attack);

/* Inside the loader. attack_sections_build reads the [attack:NAME] sections into the scenario,
 * attack_sections_check what only the whole scenario tells. */
bool attack_sections_build(Scenario *scenario, GError **error) PEAL_MUST_USE;
bool attack_sections_check(const Scenario *scenario, GError **error) PEAL_MUST_USE;
void attack_sections_free(Scenario *scenario);

#endif
