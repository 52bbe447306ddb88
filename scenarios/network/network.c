/* SPDX-License-Identifier: GPL-3.0-or-later */
/* network.c - what becomes of a frame: uplink, partition, loss, delay and jitter. */
#include <scenarios/plan.h>

#include <stdlib.h>

#include "network/model.h"

struct NetworkPrivate {
    uint64_t seed;
    uint32_t peers;
    uint32_t loss_ppm;
    Dist jitter;
    uint64_t bandwidth; /* bit/s, 0: unlimited */
    PealSpan queue;
    PealTime *uplink_free; /* per peer, when its uplink has sent everything; with a bandwidth */
    uint8_t *cut_off;      /* per peer, while there is a partition */
};

static const ModelBuild MODELS[] = {
    [SCENARIO_LATENCY_SYNTHETIC] = model_synthetic, [SCENARIO_LATENCY_CONSTANT] = model_constant,
    [SCENARIO_LATENCY_MATRIX] = model_measured,     [SCENARIO_LATENCY_COORDINATES] = model_measured,
    [SCENARIO_LATENCY_PLANE] = model_plane,
};

Network *network_new(const Scenario *point, uint64_t seed, uint32_t peers, GError **error)
{
    g_autoptr(Network) network = g_new0(Network, 1);
    struct NetworkPrivate *private = g_new0(struct NetworkPrivate, 1);
    const ScenarioNetwork *wanted = &point->network;

    network->private = private;
    private->seed = seed;
    private->peers = peers;
    private->loss_ppm = wanted->loss_ppm;
    private->jitter = wanted->jitter;
    private->bandwidth = wanted->bandwidth;
    private->queue = wanted->bandwidth_queue;
    if (!MODELS[wanted->latency](network, point, seed, peers, error)) {
        return NULL;
    }
    if (network->least.ns < NETWORK_FLOOR.ns) {
        network->least = NETWORK_FLOOR;
    }
    if (private->bandwidth > 0) {
        private->uplink_free = g_new0(PealTime, peers);
    }
    return g_steal_pointer(&network);
}

void network_free(Network *network)
{
    if (network == NULL) {
        return;
    }
    g_free(network->private->uplink_free);
    g_free(network->private->cut_off);
    g_free(network->private);
    g_free(network->points);
    g_free(network->matrix_us);
    g_free(network->host);
    g_free(network);
}

bool network_is_plain(const Network *network)
{
    const struct NetworkPrivate *private = network->private;

    return private->loss_ppm == 0 && private->jitter.kind == DIST_NONE && private->bandwidth == 0;
}

/* uplink_take queues a frame at its sender's uplink; false when it would wait too long. */
static bool uplink_take(struct NetworkPrivate *private, const NetworkFrame *frame,
                        PealSpan *ret_delay)
{
    PealTime *free_at = &private->uplink_free[frame->from];
    PealTime start = *free_at;
    uint64_t bits = (uint64_t)frame->bytes * 8;
    PealTime end;

    if (start.ns < frame->now.ns) {
        start = frame->now;
    }
    if (!frame->lossless && peal_time_since(start, frame->now).ns > private->queue.ns) {
        return false;
    }
    /* bits < 2^35 and 10^9 < 2^30: no overflow. Rounded up. */
    end = peal_time_add(start, (PealSpan){(int64_t)((bits * (uint64_t)PEAL_NS_PER_S +
                                                     private->bandwidth - 1) /
                                                    private->bandwidth)});
    *free_at = end;
    *ret_delay = peal_time_since(end, frame->now);
    return true;
}

static bool is_lost(const struct NetworkPrivate *private, const NetworkFrame *frame)
{
    uint64_t stream = peal_random_stream(frame->from, PEAL_DRAW_LOSS);

    return private->loss_ppm > 0 && !frame->lossless &&
           peal_random_below(peal_random_at(private->seed, stream, frame->number), SCENARIO_PPM) <
               private->loss_ppm;
}

NetworkFate network_send(Network *network, const NetworkFrame *frame, PealSpan *ret_delay)
{
    struct NetworkPrivate *private = network->private;
    PealSpan uplink = {0};
    PealSpan jitter = {0};

    if (private->bandwidth > 0 && !uplink_take(private, frame, &uplink)) {
        return NETWORK_OVERFLOWED;
    }
    if (network_cut(network, frame->from, frame->to)) {
        return NETWORK_CUT;
    }
    if (is_lost(private, frame)) {
        return NETWORK_LOST;
    }
    if (private->jitter.kind != DIST_NONE) {
        jitter = dist_draw(&private->jitter, private->seed,
                           peal_random_stream(frame->from, PEAL_DRAW_LATENCY),
                           MODEL_JITTER_FIRST / DIST_RAW_PER_DRAW + frame->number);
    }
    *ret_delay = (PealSpan){uplink.ns + frame->one_way.ns + jitter.ns};
    return NETWORK_ARRIVES;
}

void network_partition(Network *network, uint32_t ppm, uint32_t event)
{
    struct NetworkPrivate *private = network->private;

    uint32_t len = (uint32_t)(((uint64_t) private->peers * ppm + SCENARIO_PPM / 2) / SCENARIO_PPM);
    g_autofree uint32_t *ranks = g_new(uint32_t, len);

    network_heal(network);
    private->cut_off = g_new0(uint8_t, private->peers);
    plan_draw_ranks(private->seed, event, private->peers, len, ranks);
    for (uint32_t i = 0; i < len; i++) {
        private->cut_off[ranks[i]] = 1;
    }
}

void network_heal(Network *network)
{
    g_clear_pointer(&network->private->cut_off, g_free);
}

bool network_is_partitioned(const Network *network)
{
    return network->private->cut_off != NULL;
}

bool network_cut(const Network *network, uint32_t from, uint32_t to)
{
    const uint8_t *cut_off = network->private->cut_off;

    return cut_off != NULL && cut_off[from] != cut_off[to];
}

/* A peer and its distance from a place, the order of a sort. */
typedef struct NearPeer {
    double distance;
    uint32_t peer;
} NearPeer;

static double distance_of(const Network *network, uint32_t centre, uint32_t peer)
{
    if (network->points != NULL) {
        double dx = (double)network->points[centre].x - (double)network->points[peer].x;
        double dy = (double)network->points[centre].y - (double)network->points[peer].y;

        return dx * dx + dy * dy;
    }
    if (network->matrix_us != NULL) {
        size_t here = network->host[centre];
        size_t there = network->host[peer];

        /* The way to itself is no matter of the matrix. */
        return here == there ? 0
                             : (double)network->matrix_us[here * network->hosts + there] +
                                   (double)network->matrix_us[there * network->hosts + here];
    }
    return 0;
}

static int compare_near(const void *a, const void *b)
{
    const NearPeer *x = a;
    const NearPeer *y = b;

    return x->distance != y->distance ? (x->distance > y->distance) - (x->distance < y->distance)
                                      : (x->peer > y->peer) - (x->peer < y->peer);
}

void network_sort_near(const Network *network, uint32_t centre, uint32_t *peers, uint32_t len)
{
    g_autofree NearPeer *near = g_new(NearPeer, MAX(len, 1));

    for (uint32_t i = 0; i < len; i++) {
        near[i] = (NearPeer){distance_of(network, centre, peers[i]), peers[i]};
    }
    qsort(near, len, sizeof(*near), compare_near);
    for (uint32_t i = 0; i < len; i++) {
        peers[i] = near[i].peer;
    }
}
