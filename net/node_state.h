/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node_state.h - what a node is made of, for the files that make it.
 * Source: none.   State: one per process.   Time: none.
 */
#ifndef NET_NODE_STATE_H
#define NET_NODE_STATE_H

#include "environment.h"
#include "node.h"
#include "services.h"
#include "tap.h"

/* A request of somebody above, until its outcome is told. */
typedef struct NodeRequest NodeRequest;

struct Node {
    NodeConfig *config;
    Loop *loop;
    GMainLoop *main;
    Tap tap;
    State *state;
    Users *users;
    Shim *shim; /* NULL: the network is the real one */
    Dns *dns;
    Flows *flows;
    SipSockets *sip;
    NetEnv *env;
    Services *services;
    PealOverlay overlay;
    void *memory; /* the peer's block */
    PealPeer *peer;
    PealTarget bootstrap[8];
    size_t bootstrap_len;
    NodeWatch watch;
    PealTime started;
    PealTime joined;      /* PEAL_TIME_NEVER before */
    GHashTable *requests; /* token -> NodeRequest */
    GQueue outcomes;      /* NodeRequest, to be told at the end of the turn */
    uint64_t tokens;
    uint64_t leaves;          /* other peers said Leave */
    uint64_t dropped_overlay; /* messages of another overlay */
    LoopTimer waiting;        /* says now and then that nobody answers */
    unsigned waited;
    LoopTimer leave_limit;
    bool leaving;
    bool bootstrap_foreign; /* a bootstrap peer named another overlay */
    int status;             /* what node_main returns */
};

/* node.c */
#define NODE_TOKEN_LEAVE UINT64_MAX
void node_on_done(void *user, uint64_t token, const PealOutcome *outcome);
void node_on_trace(void *user, const PealTrace *record);
/* node_expect_join says in the log, now and then, that the peer has not joined. */
void node_expect_join(Node *node);

/* requests.c */
void requests_init(Node *node);
void requests_on_done(Node *node, uint64_t token, const PealOutcome *outcome);
/* requests_fini tells everybody that there is no outcome any more. */
void requests_fini(Node *node);

/* lifecycle.c */

/* node_open makes what a node needs and listens; errors are for the user. */
bool node_open(Node *node, GError **error) PEAL_MUST_USE;
/* node_begin has the peer join, or found, the overlay. */
bool node_begin(Node *node, GError **error) PEAL_MUST_USE;
/* node_end ends everything at once. */
void node_end(Node *node);
/* node_reload does what SIGHUP asks for. */
void node_reload(Node *node);

/* bootstrap.c: node_resolve finds the bootstrap peers' addresses, running the loop meanwhile. */
bool node_resolve(Node *node, GError **error) PEAL_MUST_USE;

#endif
