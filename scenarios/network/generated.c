/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * generated.c - latency models that need no data: constant, plane, and the synthetic Internet.
 * Source: the synthetic Internet is a plane with clusters and access delays, after the "height" of
 *         Dabek et al., Vivaldi (SIGCOMM 2004). Its numbers were fitted to the round-trip times
 *         between 490 PlanetLab hosts (Zhu et al., ToN 2017): RTT quantiles p10 31, p25 59,
 *         p50 134, p75 203, p90 291, p99 404 ms.
 */
#include <gsl/gsl_randist.h>

#include "network/model.h"
#include "plan/rng.h"

/* The mean one-way delay is 0.52 of the side: 73 ms, as between PlanetLab's hosts. */
#define PLANE_SIDE_US 140000.0

/* A part of the world: its share of the peers, its centre and its spread, in ms one way. */
typedef struct Cluster {
    double share;
    double x;
    double y;
    double deviation;
} Cluster;

static const Cluster CLUSTERS[] = {
    {0.45, 0.0, 0.0, 12.5},
    {0.33, 63.3, 10.0, 6.5},
    {0.16, -56.0, 57.0, 23.8},
    {0.06, -14.0, -126.0, 20.0},
};

/* Between a host and its part of the world: at least the one, and on average the other more. */
#define ACCESS_LEAST_MS 0.5
#define ACCESS_MEAN_MS 1.5
#define ACCESS_MOST_MS 50.0

/* Whole us, so that the last digit of a logarithm cannot matter. */
static float quantise_us(double us)
{
    return (float)round(us);
}

bool model_constant(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                    GError **error)
{
    (void)seed;
    (void)peers;
    (void)error;
    network->constant = scenario->network.constant;
    if (network->constant.ns < NETWORK_FLOOR.ns) {
        network->constant = NETWORK_FLOOR;
    }
    network->least = network->constant;
    return true;
}

bool model_plane(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                 GError **error)
{
    (void)scenario;
    (void)error;
    network->points = g_new0(NetworkPoint, peers);
    for (uint32_t i = 0; i < peers; i++) {
        Rng rng;

        rng_init(&rng, seed, peal_random_stream(i, PEAL_DRAW_LATENCY), 0);
        network->points[i].x = quantise_us(gsl_rng_uniform(&rng.gsl) * PLANE_SIDE_US);
        network->points[i].y = quantise_us(gsl_rng_uniform(&rng.gsl) * PLANE_SIDE_US);
    }
    network->least = NETWORK_FLOOR;
    return true;
}

static const Cluster *cluster_of(double draw)
{
    size_t i = 0;

    while (i + 1 < G_N_ELEMENTS(CLUSTERS) && draw >= CLUSTERS[i].share) {
        draw -= CLUSTERS[i].share;
        i++;
    }
    return &CLUSTERS[i];
}

bool model_synthetic(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                     GError **error)
{
    (void)scenario;
    (void)error;
    network->points = g_new0(NetworkPoint, peers);
    for (uint32_t i = 0; i < peers; i++) {
        NetworkPoint *point = &network->points[i];
        const Cluster *cluster;
        double access;
        Rng rng;

        rng_init(&rng, seed, peal_random_stream(i, PEAL_DRAW_LATENCY), 0);
        cluster = cluster_of(gsl_rng_uniform(&rng.gsl));
        access = ACCESS_LEAST_MS + gsl_ran_exponential(&rng.gsl, ACCESS_MEAN_MS);
        point->access = quantise_us(1e3 * MIN(access, ACCESS_MOST_MS));
        point->x = quantise_us(1e3 * (cluster->x + gsl_ran_gaussian(&rng.gsl, cluster->deviation)));
        point->y = quantise_us(1e3 * (cluster->y + gsl_ran_gaussian(&rng.gsl, cluster->deviation)));
    }
    network->least = peal_us((int64_t)(2 * ACCESS_LEAST_MS * 1e3));
    return true;
}
