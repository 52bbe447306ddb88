/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * attackers.h - who attacks in one replication, when, and how a peer is made an attacker.
 * Source: none for the model.
 * State:  an AttackCast of 4 bytes an attacker and 16 an identity; an AttackAgenda of some words an
 *         attack; an Attacker of some words for each peer and attack.
 * Time:   attackers ask their environment's clock whether the attack is on.
 *
 * Everything derives from the scenario and the seed, so that both worlds have the same attackers.
 */
#ifndef SCENARIOS_ATTACKERS_H
#define SCENARIOS_ATTACKERS_H

#include <peal/message.h>
#include <scenarios/attack.h>
#include <scenarios/plan.h>

/* Who attacks. */
typedef struct AttackCast AttackCast;

/* attack_cast_new returns NULL for a scenario without attacks. The scenario is borrowed. */
AttackCast *attack_cast_new(const Scenario *point, uint64_t seed, const PealCryptoOps *crypto);
void attack_cast_free(AttackCast *cast);

/* attack_cast_hosts: an attack's hosts, its members, identities or phones; borrowed. */
const uint32_t *attack_cast_hosts(const AttackCast *cast, uint32_t attack, uint32_t *ret_len);
/* attack_cast_is: is that host one of any attack's? */
bool attack_cast_is(const AttackCast *cast, uint32_t host);
/* attack_cast_is_id: is that the Node-ID of one? Slow, for checkers. */
bool attack_cast_is_id(const AttackCast *cast, const PealId *id);
/* attack_cast_node_id: as plan_node_id, but for the identities that an attack chose. */
PealId attack_cast_node_id(const AttackCast *cast, uint32_t host);
/* attack_cast_key: the key that an attack is on; everyone has none. */
PealId attack_cast_key(const AttackCast *cast, uint32_t attack);

/* When. */
typedef enum AttackStep {
    ATTACK_BEGINS, /* for the plots; sybils, eclipses and storms begin to join */
    ATTACK_ENDS,   /* not for those that last to the end of the scenario; identities vanish */
    ATTACK_JOINS,  /* identity `host` starts */
    ATTACK_VANISHES,
    ATTACK_SHOOTS /* `host` sends request `number` of the attack */
} AttackStep;

typedef struct AttackAction {
    PealTime at;
    AttackStep step;
    uint32_t attack;
    uint32_t host;
    uint64_t number; /* of shots, over all of the attack's hosts */
} AttackAction;

typedef struct AttackAgenda AttackAgenda;

/* The cast is borrowed for the agenda's life. Actions come in the order of (at, attack). */
AttackAgenda *attack_agenda_new(const AttackCast *cast);
void attack_agenda_free(AttackAgenda *agenda);
/* attack_agenda_peek: the instant of the next action, PEAL_TIME_NEVER behind the last. */
PealTime attack_agenda_peek(const AttackAgenda *agenda);
/* attack_agenda_next takes it; there must be one. */
AttackAction attack_agenda_next(AttackAgenda *agenda);

/* attack_shot_user draws whom a shot concerns where the attack does not say: a user of an honest
 * peer that the scenario starts with. attack_shot_peer: a peer that it is sent to, likewise. */
void attack_shot_user(const AttackCast *cast, const AttackAction *action, uint32_t *ret_peer,
                      uint32_t *ret_user);
uint32_t attack_shot_peer(const AttackCast *cast, const AttackAction *action);
/* attack_shot_key: the key of a lookup flood's shot. */
PealId attack_shot_key(const AttackCast *cast, const AttackAction *action);

/* attack_shot_text writes a SIP flood's request, from `from` to the SIP port of host `to`; the
 * domain is PLAN_DOMAIN. Returns its length, 0 when cap (ATTACK_SHOT_MAX is enough) is too
 * small. attack_is_answer tells whether a SIP message is a final response to one, and its
 * status. */
enum { ATTACK_SHOT_MAX = 1200 };
size_t attack_shot_text(const AttackCast *cast, const AttackAction *action, const PealAddr *from,
                        char *ret_text, size_t cap);
bool attack_is_answer(PealBytes message, unsigned *ret_status);

/* How: an environment around a peer's. */
typedef struct Attacker Attacker;

typedef struct AttackerCounts {
    uint64_t dropped;  /* messages and pieces not handed on, or not served */
    uint64_t answered; /* Fetches answered falsely */
    uint64_t diverted; /* requests sent elsewhere */
    uint64_t lies;     /* Updates that name nobody but attackers, or hide who is there */
} AttackerCounts;

/*
 * attacker_new makes a peer's environment that of an attacker.
 * inner    the world's, or another attacker's; borrowed. alloc and release of it are not used
 * cast     borrowed, as is `counts`, which it adds to
 * Returns an attacker to attacker_free, NULL where the attack leaves environments alone (floods,
 * storms). attacker_env is what the peer is to be given.
 */
Attacker *attacker_new(const AttackCast *cast, uint32_t attack, PealEnv *inner,
                       const PealOverlay *overlay, AttackerCounts *counts);
void attacker_free(Attacker *attacker);
PealEnv *attacker_env(Attacker *attacker);

/* attacker_receive_take takes what has arrived for the peer, and returns what the peer is to have;
 * call it right before peal_peer_on_bytes_take, attackers of one peer from the innermost on. */
PealBuf *attacker_receive_take(Attacker *attacker, PealPeer *peer, PealBuf *buf);

#endif
