/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_sockets.h - one replication with real nodes: the plan carried out, reports gathered.
 * Source: none.
 * State:  one per replication.
 * Time:   the machine's monotonic clock, counted from `origin`: when the nodes have become what
 *         a converged start says, or when the first one starts. Nodes report in rounds, several a
 *         second; what needs the order of events is judged when all nodes have reported.
 */
#ifndef RUN_SOCKETS_H
#define RUN_SOCKETS_H

#include <scenarios/plan.h>

#include "run_flood.h"
#include "run_peer.h"
#include "run_phones.h"
#include "run_truth.h"

/* What nodes do before time 0, where the scenario begins with a converged overlay. */
typedef enum RunAssembly { RUN_ASSEMBLED, RUN_JOINING, RUN_SETTLING, RUN_RENEWING } RunAssembly;

typedef struct RunSockets {
    const RunJob *job;
    Loop *loop;
    char *dir; /* of the nodes' files */
    char *scenario;
    RunPeers all;
    RunPeer *peers;
    uint32_t peers_len;
    uint32_t started; /* by the plan */
    Plan *plan;
    RunTruth *truth;
    RunPhones *phones; /* NULL: users have none */
    RunFlood *flood;   /* NULL: nobody attacks */
    RunAssembly assembly;
    PealTime origin;      /* time 0; while nodes assemble, when they began to */
    GArray *waiting;      /* uint32_t: peers to start when somebody is there to join */
    RecorderTotals ended; /* of processes that are gone, and of membership */
    LoopTimer action;
    LoopTimer round;
    uint64_t messages;              /* so far, as last reported */
    PealSpan late;                  /* the worst delay of an action */
    const ScenarioEvent *partition; /* in force; NULL: none */
    uint64_t registered;
    uint64_t register_failed;
    bool over; /* it has ended, well or not */
    GError *error;
} RunSockets;

/* run_sockets_begin: it is time 0. */
void run_sockets_begin(RunSockets *run);

/* run_assemble_step has the nodes of a converged start go on, as far as the last reports allow. */
void run_assemble_step(RunSockets *run);

/* run_assemble_text says how far they are. Text to g_free. */
char *run_assemble_text(const RunSockets *run);

/* run_actions_start starts a peer, which joins through some of the first `others`. */
void run_actions_start(RunSockets *run, uint32_t index, uint32_t others);

/* run_actions_due carries out what the plan has due, and sets the timer for what comes next. */
void run_actions_due(void *user);

/* A peer has joined: its users register. */
void run_actions_joined(RunSockets *run, RunPeer *peer);

/* run_actions_connected tells a new process of a partition. */
void run_actions_connected(RunSockets *run, RunPeer *peer);

/* run_actions_again starts a peer that was to restart. */
void run_actions_again(RunSockets *run, RunPeer *peer);

/* run_actions_waiting starts those that waited, if somebody has joined. */
void run_actions_waiting(RunSockets *run);

/* run_sockets_fail ends the run with an error; takes it. */
void run_sockets_fail(RunSockets *run, GError *error);

#endif
