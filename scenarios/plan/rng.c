/* SPDX-License-Identifier: GPL-3.0-or-later */
/* rng.c - the counter-based stream behind GSL's interface. See rng.h. */
#include "plan/rng.h"

static unsigned long rng_get(void *state)
{
    Rng *rng = state;

    return peal_random_at(rng->seed, rng->stream, rng->count++);
}

/* In [0, 1), all 53 bits of a double. */
static double rng_get_double(void *state)
{
    return (double)(rng_get(state) >> 11) * 0x1p-53;
}

/* GSL reseeds through this; a stream has no other seed than the one it was made with. */
static void rng_set(void *state, unsigned long seed)
{
    Rng *rng = state;

    (void)seed;
    rng->count = 0;
}

static const gsl_rng_type RNG_TYPE = {
    .name = "peal-stream",
    .max = UINT64_MAX,
    .min = 0,
    .size = 0, /* never allocated by GSL */
    .set = rng_set,
    .get = rng_get,
    .get_double = rng_get_double,
};

void rng_init(Rng *rng, uint64_t seed, uint64_t stream, uint64_t count)
{
    *rng = (Rng){.gsl = {.type = &RNG_TYPE, .state = rng},
                 .seed = seed,
                 .stream = stream,
                 .count = count};
}
