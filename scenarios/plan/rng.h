/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rng.h - a counter-based stream as a GSL random number generator.
 * Source: GSL reference, "Random Number Generation".
 * State:  in the caller's frame: a generator is made for one draw and forgotten.   Time: none.
 */
#ifndef SCENARIOS_RNG_H
#define SCENARIOS_RNG_H

#include <gsl/gsl_rng.h>
#include <peal/random.h>

typedef struct Rng {
    gsl_rng gsl; /* hand &rng.gsl to GSL */
    uint64_t seed;
    uint64_t stream;
    uint64_t count; /* of the next raw number */
} Rng;

/* rng_init makes a generator that begins at raw number `count` of a stream. It must not move. */
void rng_init(Rng *rng, uint64_t seed, uint64_t stream, uint64_t count);

#endif
