/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_config.h - a scenario's point as files: one that all nodes share, and a configuration each.
 * Source: none.   State: none.   Time: none.
 */
#ifndef RUN_CONFIG_H
#define RUN_CONFIG_H

#include <scenarios/run.h>

enum { RUN_PEERS_MAX = 200, RUN_BASE_PORT = 24000, RUN_PORTS_PER_PEER = 10 };

/* run_config_check refuses what processes on this machine cannot honour, naming key and place. As
 * RunWorld.check. */
bool run_config_check(const Scenario *point, uint32_t base_port, GError **error);

/* run_config_scenario writes the point without its sweep, to be read from anywhere. */
bool run_config_scenario(const Scenario *point, const char *path, GError **error);

/* run_config_house is the peer that serves the phones of a peer: itself, or the central server. */
uint32_t run_config_house(const Scenario *point, uint32_t peer);

/* run_config_sip_port is where a peer serves phones; RELOAD has the next port. */
uint16_t run_config_sip_port(const RunJob *job, uint32_t peer);

/* One node's configuration. */
typedef struct RunConfigNode {
    const RunJob *job;
    const char *scenario; /* path */
    const char *control;
    const char *log;
    const char *state; /* directory that a central server with a disk is given */
    uint32_t peer;
    const uint32_t *bootstrap; /* peers to ask; none: it founds the overlay */
    size_t bootstrap_len;
} RunConfigNode;

bool run_config_node(const RunConfigNode *node, const char *path, GError **error);

#endif
