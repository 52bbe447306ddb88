/*
 * pairs.h - the same lookups, or calls, of two runs, one by one.
 * Source: none.   State: none.   Time: none.
 */
#ifndef COMPARE_PAIRS_H
#define COMPARE_PAIRS_H

#include "compare/side.h"

/* How far apart the same lookup may start in two worlds. */
#define PAIRS_START_TOLERANCE_NS (PEAL_NS_PER_S / 2)

typedef struct Pairs {
    uint64_t matched; /* made by both */
    uint64_t only_a;
    uint64_t only_b;
    uint64_t answered; /* of the matched, by both; the figures below are of these */
    uint64_t hops_equal;
    double difference_mean_ms;      /* latency of B less that of A; NaN without any answered */
    double difference_deviation_ms; /* NaN for fewer than two */
    double difference_median_ms;
} Pairs;

/*
 * pairs_match finds the lookups that both runs made: same replication, asker and key, started
 * within PAIRS_START_TOLERANCE_NS of each other. Each has one partner at most. So with calls.
 * a, b   Side.lookups of both, or Side.calls
 */
void pairs_match(const GArray *a, const GArray *b, Pairs *ret_pairs);

#endif
