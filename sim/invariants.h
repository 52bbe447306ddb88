/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * invariants.h - what must be true of an overlay that was left alone for a while: one ring, and no
 *                value lost.
 * Source: RFC 6940 s.10.7; Zave, How to make Chord correct, 2015.
 * State:  none.
 * Time:   at the instant of the call.
 */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "world.h"

typedef RunInvariants Invariants;

void invariants_check(const World *world, Invariants *ret_invariants);

/* invariants_one_ring: every member follows the next, all round. */
static inline bool invariants_one_ring(const Invariants *invariants)
{
    return invariants->wrong_successors == 0 && invariants->wrong_predecessors == 0;
}

#endif
