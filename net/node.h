/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node.h - one node: a peer, its sockets and what serves people about it.
 * Source: none.
 * State:  one per process.
 * Time:   everything runs on the node's loop; nothing blocks.
 *
 * What serves people (control socket, HTTP, health) is made by services_new once the node has
 * its sockets, and freed before the node lets them go; see services.h.
 */
#ifndef NET_NODE_H
#define NET_NODE_H

#include <peal/peer.h>

#include "config.h"
#include "loop.h"
#include "tap.h"

typedef struct Node Node;

Loop *node_loop(Node *node);
const NodeConfig *node_config(const Node *node);

typedef struct NodeStatus {
    const char *version;
    PealPeerState state;
    bool leaving;
    char id[PEAL_ID_TEXT_LEN];
    PealSpan uptime;
    PealSpan joined;  /* since the peer joined, 0 before */
    uint64_t leaves;  /* other peers that told this one that they leave */
    size_t peers;     /* links to other peers */
    size_t attaching; /* links that are asked for */
    size_t successors_len;
    size_t predecessors_len;
    size_t fingers_len;
    PealId successors[PEAL_NEIGHBOURS_MAX];
    PealId predecessors[PEAL_NEIGHBOURS_MAX];
    PealId fingers[PEAL_FINGERS_MAX];
    size_t resources; /* stored here for the overlay */
    size_t reload_addresses_len;
    size_t sip_addresses_len;
    PealAddr reload_addresses[PEAL_ADDRESSES_MAX]; /* as others are told */
    PealAddr sip_addresses[PEAL_ADDRESSES_MAX];
    PealSipStatus sip; /* registrations are sip.aors */
    PealGateStatus gate;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t packets_in;  /* datagrams, and reads from streams */
    uint64_t packets_out; /* datagrams, and writes to streams */
    uint64_t memory;      /* bytes the peer holds */
    size_t flows;         /* RELOAD's, identified or not */
    size_t connections;   /* SIP's over TCP */
    SipCounts sip_sent;
    uint64_t sip_received; /* datagrams, and pieces of streams */
} NodeStatus;

void node_status(const Node *node, NodeStatus *ret_status);

/* node_each_binding is peal_peer_each_binding. */
void node_each_binding(const Node *node, bool (*visit)(void *user, const PealSipBinding *binding),
                       void *user);

/* How a request ended. */
typedef struct NodeOutcome {
    int status; /* 0 or -PEAL_E_*, as PealOutcome */
    uint16_t error_code;
    uint16_t values;
    PealId responder; /* meaningless unless status is 0 */
    PealSpan took;
    PealBytes body; /* the answer's RELOAD message body, borrowed for the call */
} NodeOutcome;

/*
 * Requests of people to the overlay. Each returns 0 and calls `done` once, from the main loop and
 * never from inside the call; or returns -PEAL_E_STATE (not joined), -PEAL_E_FULL or -PEAL_E_ARG
 * and does not. A node that ends calls what is outstanding with -PEAL_E_STATE. `done` may make new
 * requests. Arguments are borrowed for the call.
 */
typedef void (*NodeDone)(void *user, const NodeOutcome *outcome);

int node_fetch(Node *node, const PealId *resource, uint32_t kind, NodeDone done,
               void *user) PEAL_MUST_USE;
int node_store(Node *node, const PealStoreItem *item, NodeDone done, void *user) PEAL_MUST_USE;
/* The peer keeps the AOR registered, itself its adapter, until it is unregistered or ends. */
int node_register(Node *node, PealStr aor, uint32_t expires_s, NodeDone done,
                  void *user) PEAL_MUST_USE;
int node_unregister(Node *node, PealStr aor, NodeDone done, void *user) PEAL_MUST_USE;
/* peal_peer_bind: a contact of an AOR for expires_s, 0 removes it. */
int node_bind(Node *node, PealStr aor, PealStr contact, uint32_t expires_s, NodeDone done,
              void *user) PEAL_MUST_USE;
int node_ping(Node *node, const PealId *to, bool resource, NodeDone done, void *user) PEAL_MUST_USE;

/* node_stored: as peal_peer_stored; 0 where there is no peer any more. */
size_t node_stored(const Node *node, const PealId *resource, uint32_t kind);

/* node_renew: as peal_peer_renew; -PEAL_E_STATE where there is no peer any more. */
int node_renew(Node *node) PEAL_MUST_USE;

/* node_forget has `done` of the requests with this user not be called any more. */
void node_forget(Node *node, void *user);

/*
 * What a scenario on sockets learns of a node: its peer's records, and the frames on its flows. The
 * calls come from inside the peer's dispatch: they may not call the node. Each may be NULL.
 */
typedef struct NodeWatch {
    void (*trace)(void *user, const PealTrace *record);
    void (*sent)(void *user, const PealBuf *frame, bool lost); /* lost: by the emulated network */
    void (*received)(void *user, PealBytes bytes);             /* a datagram, or part of a stream */
    void *user;
} NodeWatch;

/* node_watch has one watch at a time, copied; NULL ends it. */
void node_watch(Node *node, const NodeWatch *watch);

/* A scenario's events in an emulated network (see [emulate]), as network_partition and
 * network_heal; false where there is none. */
bool node_partition(Node *node, uint32_t ppm, uint32_t event);
bool node_heal(Node *node);

/* node_leave does what SIGTERM does: the node leaves the overlay and node_main returns. */
void node_leave(Node *node);

#endif
