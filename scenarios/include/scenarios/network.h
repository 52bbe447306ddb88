/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * network.h - what lies between peers: latency, jitter, loss, bandwidth and partitions.
 * Source: the models are named in each file of scenarios/network.
 * State:  up to 25 bytes per peer, and a matrix of 4 bytes per pair of hosts.
 * Time:   one-way delays are whole us, at least NETWORK_FLOOR. The caller numbers the draws: one
 *         count per sending peer. Senders share only what network_partition and _heal change.
 */
#ifndef SCENARIOS_NETWORK_H
#define SCENARIOS_NETWORK_H

#include <math.h>
#include <scenarios/scenario.h>

#define NETWORK_FLOOR ((PealSpan){250 * PEAL_NS_PER_US})

/* A place in the plane and an access delay on top of it, all in us one way. */
typedef struct NetworkPoint {
    float x;
    float y;
    float access;
} NetworkPoint;

/* Read by network_one_way; the rest is in NetworkPrivate. */
typedef struct Network {
    NetworkPoint *points; /* per peer, or NULL */
    uint32_t *matrix_us;  /* hosts x hosts, one way, or NULL */
    uint32_t *host;       /* per peer, with a matrix */
    uint32_t hosts;
    PealSpan constant; /* when there are neither points nor matrix */
    PealSpan least;
    struct NetworkPrivate *private;
} Network;

/*
 * network_new builds the scenario's network for identities 0..peers-1.
 * Errors: a file that cannot be read, is no matrix or has holes (file:line:column); too few hosts.
 */
Network *network_new(const Scenario *point, uint64_t seed, uint32_t peers, GError **error);
void network_free(Network *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Network, network_free)

/* network_one_way is the delay between two peers, the same each time: a link may remember it. */
static inline PealSpan network_one_way(const Network *network, uint32_t from, uint32_t to)
{
    int64_t us;

    if (network->points != NULL) {
        const NetworkPoint *a = &network->points[from];
        const NetworkPoint *b = &network->points[to];
        float dx = a->x - b->x;
        float dy = a->y - b->y;

        us = (int64_t)(sqrtf(dx * dx + dy * dy) + a->access + b->access);
    } else if (network->matrix_us != NULL) {
        us = network->matrix_us[(size_t)network->host[from] * network->hosts + network->host[to]];
    } else {
        return network->constant;
    }
    us *= PEAL_NS_PER_US;
    return (PealSpan){us > NETWORK_FLOOR.ns ? us : NETWORK_FLOOR.ns};
}

/* network_sort_near puts peers into the order of their distance from one of them: in the plane,
 * without anybody's access delay; with a matrix, by the round-trip time to its host. Of those that
 * are equally far the lower index comes first. */
void network_sort_near(const Network *network, uint32_t centre, uint32_t *peers, uint32_t len);

/* network_min_one_way: no frame arrives sooner than this after it was sent. */
static inline PealSpan network_min_one_way(const Network *network)
{
    return network->least;
}

/* network_is_plain tells whether delay is all there is: no loss, jitter or bandwidth limit. Then
 * network_send is not needed, only network_cut, and that only while network_is_partitioned. */
bool network_is_plain(const Network *network);

typedef struct NetworkFrame {
    uint32_t from;
    uint32_t to;
    uint32_t bytes;   /* on the wire, IP and transport headers included */
    uint64_t number;  /* of the sending peer's frames so far */
    PealSpan one_way; /* network_one_way(from, to) */
    PealTime now;
    bool lossless; /* a stream: TCP repairs losses below, so none is drawn, and no queue drops it */
} NetworkFrame;

typedef enum NetworkFate {
    NETWORK_ARRIVES,
    NETWORK_LOST,       /* by the loss rate */
    NETWORK_OVERFLOWED, /* the uplink's queue is full */
    NETWORK_CUT         /* a partition lies between */
} NetworkFate;

/*
 * network_send decides what becomes of one frame, and takes its share of the sender's uplink.
 * ret_delay  from now to its arrival: uplink queue and transmission, one-way delay, jitter. Jitter
 *            can reorder frames: the world keeps a stream in order.
 */
NetworkFate network_send(Network *network, const NetworkFrame *frame, PealSpan *ret_delay);

/*
 * network_partition cuts a fraction of all peers, drawn for event number `event`, off from the
 * rest; it replaces a partition before it. network_heal ends it. network_cut tells whether two
 * peers cannot reach each other.
 */
void network_partition(Network *network, uint32_t ppm, uint32_t event);
void network_heal(Network *network);
bool network_is_partitioned(const Network *network);
bool network_cut(const Network *network, uint32_t from, uint32_t to);

#endif
