/*
 * fake_node.h - a double of the node and of the loop's clock, for tests of what serves people.
 * Source: none.   State: one node, reset by fake_node_init.
 * Time:   fake_node_advance moves the clock, and runs timers on the way.
 */
#ifndef FAKE_NODE_H
#define FAKE_NODE_H

#include "node.h"

enum { FAKE_NODE_OUT_MAX = 16 };

/* A request that has not been answered. */
typedef struct FakeRequest {
    bool store; /* else a fetch */
    PealId resource;
    NodeDone done; /* NULL: forgotten, or answered */
    void *user;
} FakeRequest;

typedef struct FakeNode {
    NodeConfig config;
    NodeStatus status;
    PealTime now;
    FakeRequest out[FAKE_NODE_OUT_MAX];
    size_t out_len;
    int refuse;       /* what a request returns, 0: it is taken */
    unsigned asked;   /* requests ever */
    size_t stored;    /* values anywhere */
    uint32_t cut_ppm; /* of the partition; 0: none */
    uint32_t cut_event;
    NodeWatch watch;
    unsigned pinged;
    unsigned renewed;
} FakeNode;

/* The node everything here is about; joined, a founder, alone. */
extern FakeNode fake_node;
Node *fake_node_init(void);
void fake_node_fini(void);

/* Neighbours at a quarter of the ring on either side. */
void fake_node_neighbours(void);
void fake_node_alone(void);

void fake_node_advance(PealSpan span);

/* fake_node_answer answers everything that is out, with a status and a number of values. */
void fake_node_answer(int status, uint16_t values);

#endif
