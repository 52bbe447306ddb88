/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_phones.h - the phones of a scenario's users, in this process, and the calls between them.
 * Source: <peal/phone.h>.
 * State:  one per replication: a phone and a UDP socket for each user whose peer has joined, and
 *         calls under way.
 * Time:   the loop's.
 *
 * Each phone has its peer for registrar and outbound proxy, or the central server, which lies as
 * far away as from its peer. The phones of a peer that ends are gone
 * with it and their calls abandoned; when it is back they are made anew and register again.
 */
#ifndef RUN_PHONES_H
#define RUN_PHONES_H

#include <scenarios/plan.h>
#include <scenarios/run.h>

#include "loop.h"
#include "tap.h"

typedef struct RunPhones RunPhones;

typedef struct RunPhonesConfig {
    const RunJob *job; /* borrowed */
    Loop *loop;
    const char *scenario; /* path of the nodes' */
    uint32_t peers;
    PealTime origin;
} RunPhonesConfig;

/* run_phones_new returns NULL when the scenario has no calls, or with an error. */
RunPhones *run_phones_new(const RunPhonesConfig *config, GError **error);
void run_phones_free(RunPhones *phones);

/* run_phones_register makes the user's phone, unless it is there, and has it register at its peer.
 * Errors: no socket. */
bool run_phones_register(RunPhones *phones, uint32_t peer, uint32_t user, GError **error);

/* run_phones_renew has a phone register again, or take its registration away, as the action
 * says. */
void run_phones_renew(RunPhones *phones, const PlanAction *action);

/* run_phones_call begins a call of the plan, if its phone is there. */
void run_phones_call(RunPhones *phones, const PlanAction *action);

/* run_phones_stop ends the phones of a peer that has ended; NULL phones are allowed. */
void run_phones_stop(RunPhones *phones, uint32_t peer);

/* run_phones_partition cuts a share of the peers off, and their phones from the central server, or
 * heals that where ppm is 0; NULL phones are allowed. */
void run_phones_partition(RunPhones *phones, uint32_t ppm, uint32_t event);

/* run_phones_is_registered tells whether a user has a phone that was told so; NULL phones have
 * none. */
bool run_phones_is_registered(const RunPhones *phones, uint32_t peer, uint32_t user);

/* run_phones_replay adds what became of a recorded workload to the outcome, if there is one;
 * NULL phones are allowed. */
void run_phones_replay(const RunPhones *phones, RunOutcome *outcome);

/* What phones have come to. */
typedef struct RunPhonesCounts {
    uint64_t registered;
    uint64_t register_failed;
    uint64_t abandoned;  /* calls whose caller's peer ended */
    uint64_t unanswered; /* calls that have not come to anything yet */
    uint64_t reachable;  /* calls of reachable users that have; see analysis/SCHEMA.md */
    uint64_t reachable_answered;
    SipCounts sent;
} RunPhonesCounts;
const RunPhonesCounts *run_phones_counts(const RunPhones *phones);

#endif
