/* SPDX-License-Identifier: GPL-3.0-or-later */
/* claims.c - see claims.h. */
#include "claims.h"

/* A figure of results.db, and the mean of a distribution. */
#define FIGURE(name) \
    "SELECT value FROM figures JOIN here ON here.id = replication_id WHERE name = '" name "'"
#define MEAN(name) \
    "SELECT mean FROM distributions JOIN here ON here.id = replication_id WHERE name = '" name "'"

#define RFC6940 "RFC 6940 s.10.3, calculated on arrays (tests/sim/ring_model.c)"

#define CHORD "Stoica et al., Chord, IEEE/ACM ToN 11(1), 2003"

const Claim CLAIMS[] = {
    {1,
     "on a Chord ring with one successor the mean path to a key's predecessor is about half log2 n",
     CHORD ", s.V.C; the values are calculated on arrays", NULL},
    {2, "its length is close to binomially distributed, of log2 n and one half", CHORD ", s.V.C",
     NULL},
    {3, "with r successors the path is half log2 n less half log2 r, and one", CHORD ", s.VI.D",
     NULL},
    {4, "when a fraction p of 1,000 peers fails at once and nothing is repaired, the path grows so",
     CHORD ", table II", NULL},
    {5, "and so many dead peers are met on it", CHORD ", table II", NULL},
    {6, "and none of 10,000 lookups fails to come to the live predecessor", CHORD ", table II",
     NULL},
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

#define PATH(peers, hops)                                                                       \
    {                                                                                           \
        1, "n = " peers ": path", {"chord-path", "overlay.peers=" peers, FIGURE("paths.hops")}, \
            hops, {0}, RULE_ABSOLUTE, 0.1                                                       \
    }

/* The histogram counts to the peer that is responsible, one hop behind the predecessor; 0 is a key
 * that the asker owns. */
#define PATH_SHARE(path, hops, share)                                                       \
    {                                                                                       \
        2, "n = 4096: share of paths of " path " hops",                                     \
            {"chord-path", "overlay.peers=4096",                                            \
             "SELECT CAST(sum(count * (low = " hops ")) AS REAL) / sum(count * (low > 0)) " \
             "FROM histograms JOIN here ON here.id = replication_id "                       \
             "WHERE name = 'lookups.hops' GROUP BY here.id"},                               \
            share, {0}, RULE_ABSOLUTE, 0.03                                                 \
    }

/* One observation: what is lost of all. */
#define LOST                                                                               \
    "SELECT 1e4 * sum(value * (name = 'paths.lost')) / sum(value) FROM figures JOIN here " \
    "ON here.id = replication_id WHERE name IN ('paths.lost', 'paths.reached')"

#define FAILURES(row, p, what, sql, expected, rule, tolerance)                                     \
    {                                                                                              \
        row, "p = " p " %: " what,                                                                 \
            {"chord-failures", "event:failure.do=fail " p "% of peers", sql}, expected, {0}, rule, \
            tolerance                                                                              \
    }
#define FAILED_PATH(p, hops) FAILURES(4, p, "path", FIGURE("paths.hops"), hops, RULE_RELATIVE, 0.04)
#define TIMEOUTS(p, dead) \
    FAILURES(5, p, "dead peers met", FIGURE("paths.timeouts"), dead, RULE_RELATIVE, 0.2)
#define FAILED(p) FAILURES(6, p, "paths lost of 10,000", LOST, 1, RULE_AT_MOST, 0)

const Check CHECKS[] = {
    PATH("32", 2.29),
    PATH("128", 3.37),
    PATH("512", 4.37),
    PATH("1024", 4.84),
    PATH("4096", 5.93),
    PATH("16384", 6.89),
    PATH_SHARE("4", "5", .121),
    PATH_SHARE("5", "6", .193),
    PATH_SHARE("6", "7", .226),
    PATH_SHARE("7", "8", .193),
    PATH_SHARE("8", "9", .121),
    {3,
     "n = 1000, r = 20: path",
     {"chord-successors", NULL, FIGURE("paths.hops")},
     3.82,
     {0},
     RULE_RELATIVE,
     0.03},
    {4,
     "p = 0: path",
     {"chord-successors", NULL, FIGURE("paths.hops")},
     3.84,
     {0},
     RULE_RELATIVE,
     0.04},
    FAILED_PATH("10", 4.03),
    FAILED_PATH("20", 4.22),
    FAILED_PATH("30", 4.44),
    FAILED_PATH("40", 4.69),
    FAILED_PATH("50", 5.09),
    {5,
     "p = 0: dead peers met",
     {"chord-successors", NULL, FIGURE("paths.timeouts")},
     0,
     {0},
     RULE_EXACT,
     0},
    TIMEOUTS("10", .60),
    TIMEOUTS("20", 1.17),
    TIMEOUTS("30", 2.02),
    TIMEOUTS("40", 3.23),
    TIMEOUTS("50", 5.10),
    FAILED("10"),
    FAILED("20"),
    FAILED("30"),
    FAILED("40"),
    FAILED("50"),
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
