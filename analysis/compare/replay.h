/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay.h - how the calls of one trace ended in two replays of it.
 * Source: analysis/SCHEMA.md.   State: none beyond a call.   Time: none.
 */
#ifndef COMPARE_REPLAY_H
#define COMPARE_REPLAY_H

#include "compare/side.h"

typedef struct CompareReplay {
    bool known;              /* both replay traces of one name with as many calls */
    uint64_t calls;          /* of replications that both have */
    uint64_t as_in_trace[2]; /* of those, in each */
    uint64_t alike;          /* ended alike in both */
} CompareReplay;

/* compare_replay: False with RESULTS_ERROR_READ. */
bool compare_replay(const Side *a, const Side *b, CompareReplay *ret_replay, GError **error);

#endif
