/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * measured.c - latency models from data: a matrix of round-trip times, or coordinates.
 * Source: see hostfile.h.
 * A host of its own for each peer is drawn without replacement, shared hosts with.
 */
#include "network/hostfile.h"
#include "network/model.h"

/* hosts_assign draws a host for each peer. NULL with error set when there are too few. */
static uint32_t *hosts_assign(const Scenario *scenario, uint64_t seed, uint32_t peers,
                              uint32_t hosts, GError **error)
{
    bool shared = scenario->network.hosts == SCENARIO_HOSTS_SHARED;
    uint32_t *free_hosts;
    uint32_t *host;

    if (!shared && peers > hosts) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK,
                    "%s has %u hosts, fewer than the %u peers: set network.hosts = shared",
                    scenario->network.latency_file, hosts, peers);
        return NULL;
    }
    host = g_new(uint32_t, peers);
    free_hosts = g_new(uint32_t, hosts);
    for (uint32_t i = 0; i < hosts; i++) {
        free_hosts[i] = i;
    }
    for (uint32_t i = 0; i < peers; i++) {
        uint64_t draw = peal_random_at(seed, peal_random_stream(i, PEAL_DRAW_LATENCY), 0);
        uint32_t left = shared ? hosts : hosts - i;
        uint32_t pick = (uint32_t)peal_random_below(draw, left);

        host[i] = free_hosts[pick];
        if (!shared) {
            free_hosts[pick] = free_hosts[left - 1];
        }
    }
    g_free(free_hosts);
    return host;
}

static PealSpan matrix_least(const uint32_t *one_way_us, uint32_t hosts, bool shared)
{
    uint32_t least = UINT32_MAX;

    for (uint32_t from = 0; from < hosts; from++) {
        for (uint32_t to = 0; to < hosts; to++) {
            uint32_t us = one_way_us[(size_t)from * hosts + to];

            if (us < least && (from != to || shared)) {
                least = us;
            }
        }
    }
    return peal_us(least);
}

static void coordinates_place(Network *network, const float *xy_us, uint32_t peers)
{
    network->points = g_new0(NetworkPoint, peers);
    for (uint32_t i = 0; i < peers; i++) {
        const float *xy = xy_us + 2 * (size_t)network->host[i];

        network->points[i] = (NetworkPoint){.x = xy[0], .y = xy[1]};
    }
}

bool model_measured(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                    GError **error)
{
    const ScenarioNetwork *wanted = &scenario->network;
    bool matrix = wanted->latency == SCENARIO_LATENCY_MATRIX;
    g_autoptr(HostFile) file = hostfile_load(wanted->latency_file, matrix, error);

    if (file == NULL) {
        return false;
    }
    network->host = hosts_assign(scenario, seed, peers, file->hosts, error);
    if (network->host == NULL) {
        return false;
    }
    network->hosts = file->hosts;
    network->least = NETWORK_FLOOR;
    if (matrix) {
        network->matrix_us = g_steal_pointer(&file->one_way_us);
        network->least = matrix_least(network->matrix_us, network->hosts,
                                      wanted->hosts == SCENARIO_HOSTS_SHARED);
    } else {
        coordinates_place(network, file->xy_us, peers);
    }
    return true;
}
