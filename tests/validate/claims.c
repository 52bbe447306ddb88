/* SPDX-License-Identifier: GPL-3.0-or-later */
/* claims.c - see claims.h. */
#include "claims.h"

/* A figure of results.db, and the mean of a distribution. */
#define FIGURE(name) \
    "SELECT value FROM figures JOIN here ON here.id = replication_id WHERE name = '" name "'"
#define MEAN(name) \
    "SELECT mean FROM distributions JOIN here ON here.id = replication_id WHERE name = '" name "'"

#define RFC6940 "RFC 6940 s.10.3, calculated on arrays (tests/sim/ring_model.c)"

const Claim CLAIMS[] = {
    {10, "hops to the responsible peer with 16 random fingers and 3 + 3 neighbours", RFC6940, NULL},
    {11, "the same with 16 exact fingers", RFC6940, NULL},
    {12, "at a constant one-way delay, latency is that delay times the hops there and back",
     "arithmetic", NULL},
};
const size_t CLAIMS_LEN = sizeof(CLAIMS) / sizeof(*CLAIMS);

#define HOPS(row, fingers, peers, hops)                                         \
    {                                                                           \
        row, fingers " fingers, n = " peers ": hops",                           \
            {"hops", "overlay.finger-choice=" fingers "; overlay.peers=" peers, \
             MEAN("lookups.hops")},                                             \
            hops, {0}, RULE_RELATIVE, 0.02                                      \
    }

const Check CHECKS[] = {
    HOPS(10, "random", "100", 3.85),
    HOPS(10, "random", "1000", 5.48),
    HOPS(10, "random", "10000", 7.05),
    HOPS(11, "exact", "100", 3.90),
    HOPS(11, "exact", "1000", 5.64),
    HOPS(11, "exact", "10000", 7.35),
    {12,
     "lookups whose latency differs from it",
     {"exact", NULL,
      "SELECT sum(latency_ns != 2 * hops * 50000000) FROM lookups JOIN here "
      "ON here.id = replication_id GROUP BY replication_id"},
     0,
     {0},
     RULE_EXACT,
     0},
};
const size_t CHECKS_LEN = sizeof(CHECKS) / sizeof(*CHECKS);
