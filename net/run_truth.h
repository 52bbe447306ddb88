/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_truth.h - what nodes report, put into the order of time, and lookups judged by it.
 * Source: analysis/SCHEMA.md, Counting.
 * State:  one per replication: the ring's members, which peer holds a value of which Resource-ID,
 *         lookups under way, and the events that others may still come before.
 * Time:   the machine's monotonic clock, which all processes share. Events may be added in any
 *         order; run_truth_advance goes through those that no other can come before.
 */
#ifndef RUN_TRUTH_H
#define RUN_TRUTH_H

#include <analysis/recorder.h>
#include <scenarios/run.h>

typedef enum RunEventKind {
    RUN_EVENT_JOINED,
    RUN_EVENT_GONE, /* the process has ended */
    RUN_EVENT_SERVED,
    RUN_EVENT_STORED,
    RUN_EVENT_REMOVED,
    RUN_EVENT_FETCHED
} RunEventKind;

typedef struct RunEvent {
    PealTime at;
    RunEventKind kind;
    uint32_t peer;
    uint64_t transaction; /* SERVED, FETCHED; 0: none */
    PealId key;           /* SERVED, STORED, REMOVED; FETCHED: who answered */
    uint32_t number;      /* FETCHED: the lookup; SERVED: hops */
    /* FETCHED: */
    int32_t status; /* 0 or -PEAL_E_* */
    uint16_t error_code;
    uint16_t values;
    PealTime started;
    PealSpan took;
} RunEvent;

typedef struct RunTruth RunTruth;

/* The recorder and the job are borrowed; origin is the run's time 0. */
RunTruth *run_truth_new(const RunJob *job, uint32_t peers, PealTime origin);
void run_truth_free(RunTruth *truth);

/* run_truth_begin: time 0 is another one. There were no lookups yet. */
void run_truth_begin(RunTruth *truth, PealTime origin);

/* run_truth_lookup notes a lookup that a peer is asked to make; returns its number.
 * keyed    a random key: nobody stores a value there */
uint32_t run_truth_lookup(RunTruth *truth, uint32_t peer, const PealId *key, bool keyed);

/* run_truth_reachable: the lookup is for a user that is registered at a peer, and counts as one of
 * a reachable user unless that peer ends before it. */
void run_truth_reachable(RunTruth *truth, uint32_t number, uint32_t target);

/* Of those lookups that ended so: all, and those that brought a value. */
typedef struct RunReach {
    uint64_t lookups;
    uint64_t found;
} RunReach;
RunReach run_truth_reach(const RunTruth *truth);

void run_truth_add(RunTruth *truth, const RunEvent *event);

/* run_truth_advance goes through the events before an instant; none before it may be added any
 * more. Lookups that ended are recorded. */
void run_truth_advance(RunTruth *truth, PealTime until);

/* The state as of the last advance. */
uint32_t run_truth_unfinished(const RunTruth *truth); /* lookups under way */
uint64_t run_truth_abandoned(const RunTruth *truth);  /* whose asker or server is gone */
/* Lookups under numbers that run_truth_lookup did not give: answered ones, or others that ended. */
uint64_t run_truth_nobodys(const RunTruth *truth, bool answered);
uint32_t run_truth_held(const RunTruth *truth, uint32_t peer);
bool run_truth_is_member(const RunTruth *truth, uint32_t peer);
/* Whether these are all that a member of a central server's overlay should know: the server. */
bool run_truth_has_server(const RunTruth *truth, uint32_t peer, const PealId *ids, uint32_t len);
/* Whether these are a member's nearest successors (or predecessors): max of them, or all others
 * where there are fewer. */
bool run_truth_is_side(const RunTruth *truth, uint32_t peer, bool successors, const PealId *ids,
                       uint32_t len, uint32_t max);
void run_truth_count_values(const RunTruth *truth, uint64_t *ret_values, uint64_t *ret_lost);

#endif
