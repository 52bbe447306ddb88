/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ring_model.h - hops on an ideal CHORD-RELOAD ring, calculated on arrays: nothing here knows
 *                the peer's code.
 * Source: RFC 6940 s.10.3 (routing), s.10.7.4.2 (fingers).
 * State:  none beyond a call.   Time: none.
 */
#ifndef TESTS_SIM_RING_MODEL_H
#define TESTS_SIM_RING_MODEL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct RingModel {
    uint32_t nodes;
    unsigned fingers;    /* finger i = 1.. lies 2^-i to 2^-(i-1) of the ring ahead */
    bool exact;          /* fingers at the start of their range, else uniform in it */
    unsigned neighbours; /* successors, and as many predecessors */
    unsigned lookups;    /* of uniform keys by uniform nodes */
    uint64_t seed;
} RingModel;

/* ring_model_hops is the mean number of hops to the node responsible for the key. */
double ring_model_hops(const RingModel *model);

/*
 * ring_model_failed is the share of lookups by living nodes that do not come to the living owner
 * when a share `dead` of the nodes fails at once and nothing is repaired. A lookup that meets a
 * dead node takes the next best entry; the next lookup knows nothing of that.
 * beyond_by_all  true: any entry may take the last step, and links are used from both sides, as
 *                s.10.3 has it; false: only a node's successors may
 */
double ring_model_failed(const RingModel *model, double dead, bool beyond_by_all);

#endif
