/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * model.h - what a latency model does: it places peers.
 * Source: none.   State: the arrays of Network.   Time: none.
 * A new model is one file with one build function and one row of MODELS in network.c.
 *
 * A build function fills in points, or matrix_us, host and hosts, or constant; and `least`, the
 * least delay between two different peers, which may be too small but never too large. It draws
 * from the stream (seed, peer, PEAL_DRAW_LATENCY) of each peer, below MODEL_JITTER_FIRST.
 * Returns false with SCENARIO_ERROR_NETWORK.
 */
#ifndef SCENARIOS_MODEL_H
#define SCENARIOS_MODEL_H

#include <scenarios/network.h>

/* Raw numbers of a peer's stream from here on are its jitter. */
#define MODEL_JITTER_FIRST (UINT64_C(1) << 40)

typedef bool (*ModelBuild)(Network *network, const Scenario *scenario, uint64_t seed,
                           uint32_t peers, GError **error);

bool model_constant(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                    GError **error);
bool model_plane(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                 GError **error);
bool model_synthetic(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                     GError **error);
bool model_measured(Network *network, const Scenario *scenario, uint64_t seed, uint32_t peers,
                    GError **error);

#endif
