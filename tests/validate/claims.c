/* SPDX-License-Identifier: GPL-3.0-or-later */
/* claims.c - see claims.h. */
#include "claims.h"

#include "capture.h"

/* A figure of results.db, and the mean of a distribution. */
#define FIGURE(name) \
    "SELECT value FROM figures JOIN here ON here.id = replication_id WHERE name = '" name "'"
#define MEAN(name) \
    "SELECT mean FROM distributions JOIN here ON here.id = replication_id WHERE name = '" name "'"

#define RFC6940 "RFC 6940 s.10.3, calculated on arrays (tests/sim/ring_model.c)"

#define KRISHNAMURTHY "Krishnamurthy et al., A statistical theory of Chord under churn, IPTPS 2005"
#define CHORD "Stoica et al., Chord, IEEE/ACM ToN 11(1), 2003"

const Claim CLAIMS[] = {
    {1,
     "on a Chord ring with one successor the mean path to a key's predecessor is about half log2 n",
     CHORD ", s.V.C; the values are calculated on arrays", NULL, EXPLAINS_NOTHING},
    {2, "its length is close to binomially distributed, of log2 n and one half", CHORD ", s.V.C",
     NULL, EXPLAINS_NOTHING},
    {3, "with r successors the path is half log2 n less half log2 r, and one", CHORD ", s.VI.D",
     NULL, EXPLAINS_NOTHING},
    {4, "when a fraction p of 1,000 peers fails at once and nothing is repaired, the path grows so",
     CHORD ", table II", NULL, EXPLAINS_NOTHING},
    {5, "and so many dead peers are met on it", CHORD ", table II", NULL, EXPLAINS_NOTHING},
    {6, "and none of 10,000 lookups fails to come to the live predecessor", CHORD ", table II",
     NULL, EXPLAINS_NOTHING},
    {7,
     "while peers join and leave with a word, R a second each, the path, the dead peers met on it "
     "and "
     "the paths lost",
     CHORD ", table III",
     "The paths fit, and none is lost, but fewer dead peers are met. A peer of Peal forgets a dead "
     "one "
     "at the first request that finds it silent, whosever that is and whatever entries lead to it; "
     "a finger then stays empty until its next round. Chord's lookups stumble over the same finger "
     "until a round finds it dead. Row 23 counts both sorts.",
     EXPLAINS_LESS},
    {8,
     "keys on a peer: the 99th percentile is ln 100 times the mean, the largest about the "
     "harmonic number of n times",
     CHORD ", s.VI.B; exponential gaps", NULL, EXPLAINS_NOTHING},
    {9,
     "without copies, when the ring is whole again, the share of values lost is that of the "
     "peers that failed",
     "Stoica et al., Chord, SIGCOMM 2001, s.VI.D", NULL, EXPLAINS_NOTHING},
    {10, "hops to the responsible peer with 16 random fingers and 3 + 3 neighbours", RFC6940, NULL,
     EXPLAINS_NOTHING},
    {11, "the same with 16 exact fingers", RFC6940, NULL, EXPLAINS_NOTHING},
    {12, "at a constant one-way delay, latency is that delay times the hops there and back",
     "arithmetic", NULL, EXPLAINS_NOTHING},
    {13, "with two copies, a value is gone when all three holders fail at once: p^3", "arithmetic",
     NULL, EXPLAINS_NOTHING},
    {14, "with S successors and no repair at least p^S (1 + S (1 - p)) of lookups fail",
     "arithmetic on the dead peers before the owner; totals from a simulation on arrays; by "
     "s.10.3: tests/sim/ring_model.c",
     "Fewer fail. The claim lets nothing but a peer's S successors take the last step to the "
     "owner; calculated on arrays by that rule (tests/sim/ring_model.c, 200 rings, as are the rows "
     "by s.10.3), .0040, .0361, .1123 and .4438 fail at S = 3 and .0334 at S = 8. RFC 6940 s.10.3 "
     "takes the nearest entry beyond the key, a finger or a predecessor too, and what goes too far "
     "comes back by predecessors. Below the shares by that rule Peal lies because a peer that "
     "waited for a dead one knows better at the next lookup, and on the arrays it does not: with a "
     "fifth of the lookups in each overlay .060 fail at p = 30 %.",
     EXPLAINS_LESS},
    {15,
     "no living peer of 1,000 has lost all S successors with probability "
     "exp(-n (1 - p) p^S), p = 1/2",
     "arithmetic", NULL, EXPLAINS_NOTHING},
    {21,
     "wrong successors under churn: 2 / (3 + r a), r rounds a session, a of them to the successor",
     KRISHNAMURTHY,
     "Fewer are wrong because fewer are dead; see row 22. Those that joins make wrong, wrong less "
     "dead, are .041, .020 and .010 where .034, .019 and .010 follow from both rows, but .18 where "
     ".11 does at r = 10, where two replications tell little.",
     EXPLAINS_LESS},
    {22, "dead successors: 1 / (2 + r a)", KRISHNAMURTHY,
     "Fewer are dead. In the theory a round alone mends an entry; in Peal every message does that "
     "meets a dead successor. In an hour of one overlay at r = 100, 1,019 dead immediate "
     "successors were found by: Attaches on their way to somebody else, of refreshes and joiners, "
     "572; Updates of the peer's own, of rounds and of changes among neighbours, 334; Pings on "
     "their way 83; others 30. Own Updates are 33 %, and 1 / (2 + r a / .33) is .0065 where .0062 "
     "was measured (4 overlays). Without refreshes (all rounds to the successor, the same r a = "
     "50) "
     "500 of 1,014, 49 %, are found by own Updates: .0096 by that formula, .0085 measured; "
     "Attaches "
     "on their way find 323, Pings of others on their way 167. That is not joiners alone: "
     "at r a = 400 without refreshes .0017 are dead where .0025 are expected. No setting turns off "
     "what requests on their way find. With rounds alone (2 % of 1,000 "
     "peers crash at once, nobody joins, no fingers; 20 overlays, r and a as here for r = 100) a "
     "dead successor was dead for 63 s in the mean, where 72 s are expected; that difference was "
     "not traced.",
     EXPLAINS_LESS},
    {23, "dead fingers, of M: 1 / (2 + r (1 - a) / M)", KRISHNAMURTHY,
     "A tenth more are dead or, found dead by a request, empty, mostly because refreshes fail. A "
     "refresh is an Attach along the ring as it is. Where a joiner stands before the owner and its "
     "old predecessor does not know it yet, the owner, which keeps but one predecessor here, no "
     "longer knows that one: it sends the request on by a finger, round the ring and back, until "
     "its TTL of 100 hops is used up, which happened about 9,600 times a run at r = 100. With "
     "4 predecessors that is 180 times, and .231, .148 and .088 are dead or empty at r = 50, 100 "
     "and 200 "
     "(2 overlays each). What remains, 4 to 6 %, was not traced.",
     EXPLAINS_MORE},
    {24,
     "KAD's peers, Weibull sessions (169.5 min, .615) and absences (413.7 min, .476), have these "
     "means "
     "from the start on; medians and residual lives are tested in tests/scenarios",
     "Steiner et al., A global view of KAD, IMC 2007; arithmetic", NULL, EXPLAINS_NOTHING},
    {27,
     "with a fraction f of peers that drop what they should hand on, lookups succeed in the mean "
     "of "
     "(1 - f)^(h - 1), h their hops without an attack",
     "arithmetic", NULL, EXPLAINS_NOTHING},
    {30,
     "over UDP an INVITE that nobody answers is sent at 0, .5, 1.5, 3.5, 7.5, 15.5 and 31.5 s; "
     "another request every 4 s at the most, 11 times (that they fail at 32 s: "
     "tests/core/test_transaction_client.c)",
     "RFC 3261 s.17.1.1.2, s.17.1.2.2", NULL, EXPLAINS_NOTHING},
    {31,
     "the goodput of an overloaded server falls with the delay of its buffer, because callers send "
     "again what waits in it, and hardly depends on the load",
     "simulation on arrays; one queue, deterministic service, answers on completion", NULL,
     EXPLAINS_NOTHING},
    {32,
     "a queue of K that is full turns away (1 - rho) rho^K / (1 - rho^(K + 1)) of Poisson arrivals",
     "M/M/1/K, K = 10", NULL, EXPLAINS_NOTHING},
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

/* The smallest load that 99 of 100 peers do not exceed. */
#define P99_OVER_MEAN                                                                 \
    "SELECT min(values_held) / mean FROM (SELECT replication_id, values_held, "       \
    "cume_dist() OVER (PARTITION BY replication_id ORDER BY values_held) AS share, "  \
    "avg(values_held) OVER (PARTITION BY replication_id) AS mean "                    \
    "FROM peers JOIN here ON here.id = replication_id) WHERE share >= 0.99 GROUP BY " \
    "replication_id"

#define GONE                                                               \
    "SELECT 1 - sum(value * (name = 'values.live')) / "                    \
    "sum(value * (name = 'registrations.stored')) FROM figures JOIN here " \
    "ON here.id = replication_id GROUP BY here.id"
#define NOT_FOUND                                                                                 \
    "SELECT 1 - sum(value * (name = 'lookups.found')) / sum(value * (name = 'lookups.started')) " \
    "FROM figures JOIN here ON here.id = replication_id GROUP BY here.id"

#define AFTER(row, scenario, p, what, sql, expected, rule, tolerance)                      \
    {                                                                                      \
        row, "p = " p " %: share of " what,                                                \
            {scenario, "event:failure.do=fail " p "% of peers", sql}, expected, {0}, rule, \
            tolerance                                                                      \
    }

/* One observation: single overlays make too few lookups. */
#define ROUTES_BY(successors, p, rule, expected, judged, tolerance)                      \
    {                                                                                    \
        14, "S = " successors ", p = " p " %: share of lookups failed" rule,             \
            {"static-routes",                                                            \
             "overlay.neighbours=" successors "; event:failure.do=fail " p "% of peers", \
             "SELECT 1 - sum(value * (name = 'lookups.correct')) / "                     \
             "sum(value * (name = 'lookups.started')) FROM figures JOIN here "           \
             "ON here.id = replication_id"},                                             \
            expected, {0}, judged, tolerance                                             \
    }
/* What tests/sim/test_routes.c calculates by either rule; the second is no publication's. */
#define ROUTES(successors, p, expected, by_s_10_3)               \
    ROUTES_BY(successors, p, "", expected, RULE_RELATIVE, 0.15), \
        ROUTES_BY(successors, p, ", by s.10.3 on arrays", by_s_10_3, RULE_NONE, 0)

#define CUT_OFF(successors, expected)                                               \
    {                                                                               \
        15, "S = " successors ": share of overlays with nobody cut off",            \
            {"cut-off", "overlay.successors=" successors,                           \
             "SELECT value = 0 FROM figures JOIN here ON here.id = replication_id " \
             "WHERE name = 'ring.cut_off_mean'"},                                   \
            expected, {0}, RULE_ABSOLUTE, 0.03                                      \
    }

#define DROPPERS(f, percent)                                                     \
    {                                                                            \
        27, "f = " percent " %: share of lookups that succeed",                  \
            {"droppers", "attack:droppers.attackers=" percent "%",               \
             FIGURE("attack.honest_owner_success_rate")},                        \
            0,                                                                   \
            {"droppers", "attack:droppers.attackers=0%",                         \
             "SELECT sum(count * pow(1 - " f ", max(low - 1, 0))) / sum(count) " \
             "FROM histograms JOIN here ON here.id = replication_id "            \
             "WHERE name = 'lookups.hops' GROUP BY here.id"},                    \
            RULE_ABSOLUTE, 0.015                                                 \
    }

/* Those that are still waiting for an answer at the end were sent as well. */
#define SENT_PER_REQUEST                                            \
    "SELECT sum(value * (name = 'processor.arrivals')) / "          \
    "sum(value * (name IN ('calls.started', 'calls.unfinished'))) " \
    "FROM figures JOIN here ON here.id = replication_id GROUP BY here.id"

/* Of 100 a second, in the measured 250 s. */
#define GOODPUT                                                                             \
    "SELECT coalesce((SELECT sum(count) FROM call_failures WHERE replication_id = here.id " \
    "AND status = 404), 0) / 25000.0 FROM here"

#define OVERLOAD(queue, rate, load, what, sql, expected, tolerance)                            \
    {                                                                                          \
        31, "buffer of " queue ", load " load ": " what,                                       \
            {"sip-overload", "peer.queue=" queue "; workload.calls-per-user-hour=" rate, sql}, \
            expected, {0}, RULE_ABSOLUTE, tolerance                                            \
    }
#define GOODPUTS(queue, expected)                                           \
    OVERLOAD(queue, "1080", "1.05", "goodput", GOODPUT, expected, 0.02),    \
        OVERLOAD(queue, "1543", "1.5", "goodput", GOODPUT, expected, 0.02), \
        OVERLOAD(queue, "3086", "3", "goodput", GOODPUT, expected, 0.02)

#define TIMERS(method, what, figure, expected)                                                  \
    {                                                                                           \
        30, method ": " what, {"sip-timers", NULL, figure method}, expected, {0}, RULE_EXACT, 0 \
    }

#define CHURN_CHECK(r_s, session, what, sql, expected, rule, tolerance)                         \
    {                                                                                           \
        7, "R = " r_s "/s: " what,                                                              \
            {"chord-churn", "churn.session=exponential(mean=" session ")", sql}, expected, {0}, \
            rule, tolerance                                                                     \
    }
#define CHORD_CHURN(r_s, session, hops, dead, lost)                                                \
    CHURN_CHECK(r_s, session, "path", FIGURE("paths.hops"), hops, RULE_RELATIVE, 0.04),            \
        CHURN_CHECK(r_s, session, "dead peers met", FIGURE("paths.timeouts"), dead, RULE_RELATIVE, \
                    0.2),                                                                          \
        CHURN_CHECK(r_s, session, "paths lost of 10,000", LOST, lost, RULE_AT_MOST, 5)

#define ENTRIES(row, interval, r, what, figure, expected, tolerance)                           \
    {                                                                                          \
        row, "r = " r ": share of " what,                                                      \
            {"stabilise", "overlay.update-interval=" interval, FIGURE(figure)}, expected, {0}, \
            RULE_RELATIVE, tolerance                                                           \
    }
#define WRONG(interval, r, share) \
    ENTRIES(21, interval, r, "successors wrong", "ring.wrong_successors_fraction", share, 0.05)
#define DEAD(interval, r, share) \
    ENTRIES(22, interval, r, "successors dead", "ring.dead_successors_fraction", share, 0.03)
#define DEAD_FINGERS(interval, r, share) \
    ENTRIES(23, interval, r, "fingers dead", "ring.dead_fingers_fraction", share, 0.03)

/* Renewal: who is there, or away, for how long, over how often that ends. */
#define KAD(what, who, expected)                                                              \
    {                                                                                         \
        24, what,                                                                             \
            {"kad", NULL,                                                                     \
             "SELECT " who " FROM (SELECT here.id, (SELECT avg(online) FROM series WHERE "    \
             "replication_id = here.id) AS online, (SELECT value / 360.0 FROM figures WHERE " \
             "replication_id = here.id AND name = 'membership.failed') AS ends FROM here)"},  \
            expected, {0}, RULE_RELATIVE, 0.02                                                \
    }

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
    CHORD_CHURN(".05", "20000s", 3.90, .05, 0),
    CHORD_CHURN(".10", "10000s", 3.83, .11, 0),
    CHORD_CHURN(".20", "5000s", 3.81, .23, 5),
    CHORD_CHURN(".40", "2500s", 4.06, .46, 15),
    {8,
     "99th percentile over the mean",
     {"placement", NULL, P99_OVER_MEAN},
     4.605,
     {0},
     RULE_RELATIVE,
     0.05},
    {8,
     "largest over the mean",
     {"placement", NULL,
      "SELECT max / mean FROM distributions JOIN here ON here.id = replication_id "
      "WHERE name = 'load.values'"},
     10,
     {0},
     RULE_ABSOLUTE,
     2},
    AFTER(9, "loss", "10", "values gone", GONE, .1, RULE_ABSOLUTE, .01),
    AFTER(9, "loss", "20", "values gone", GONE, .2, RULE_ABSOLUTE, .01),
    AFTER(9, "loss", "30", "values gone", GONE, .3, RULE_ABSOLUTE, .01),
    AFTER(9, "loss", "50", "values gone", GONE, .5, RULE_ABSOLUTE, .01),
    AFTER(9, "loss", "10", "lookups that bring none", NOT_FOUND, .1, RULE_ABSOLUTE, .01),
    AFTER(9, "loss", "20", "lookups that bring none", NOT_FOUND, .2, RULE_ABSOLUTE, .01),
    AFTER(9, "loss", "30", "lookups that bring none", NOT_FOUND, .3, RULE_ABSOLUTE, .01),
    AFTER(9, "loss", "50", "lookups that bring none", NOT_FOUND, .5, RULE_ABSOLUTE, .01),
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
    AFTER(13, "copies", "10", "values gone", GONE, .001, RULE_SIGMA, 3),
    AFTER(13, "copies", "20", "values gone", GONE, .008, RULE_SIGMA, 3),
    AFTER(13, "copies", "30", "values gone", GONE, .027, RULE_SIGMA, 3),
    AFTER(13, "copies", "50", "values gone", GONE, .125, RULE_SIGMA, 3),
    ROUTES("3", "10", .0038, .0023),
    ROUTES("3", "20", .0325, .0215),
    ROUTES("3", "30", .1131, .0679),
    ROUTES("3", "50", .4254, .3014),
    ROUTES("8", "50", .0303, .0228),
    CUT_OFF("8", .142),
    CUT_OFF("10", .614),
    CUT_OFF("20", .9995),
    WRONG("360s", "10", .250),
    WRONG("72s", "50", .0714),
    WRONG("36s", "100", .0377),
    WRONG("18s", "200", .0194),
    DEAD("360s", "10", .143),
    DEAD("72s", "50", .0370),
    DEAD("36s", "100", .0192),
    DEAD("18s", "200", .0098),
    DEAD_FINGERS("360s", "10", .400),
    DEAD_FINGERS("72s", "50", .222),
    DEAD_FINGERS("36s", "100", .143),
    DEAD_FINGERS("18s", "200", .083),
    KAD("mean session, min", "online / ends", 247.1),
    KAD("mean absence, min", "(4673 - online) / ends", 909.9),
    KAD("share of 4,673 peers online", "online / 4673", .214),
    DROPPERS(".05", "5"),
    DROPPERS(".1", "10"),
    DROPPERS(".2", "20"),
    DROPPERS(".3", "30"),
    TIMERS("INVITE", "times sent", CAPTURE_SENDS, 7),
    TIMERS("INVITE", "ns off the schedule", CAPTURE_OFF_NS, 0),
    TIMERS("REGISTER", "times sent", CAPTURE_SENDS, 11),
    TIMERS("REGISTER", "ns off the schedule", CAPTURE_OFF_NS, 0),
    {30,
     "calls that end otherwise than by 408",
     {"sip-timers", NULL,
      "SELECT (SELECT sum(value * (name = 'calls.started')) FROM figures WHERE replication_id = "
      "here.id) - (SELECT sum(count) FROM call_failures WHERE replication_id = here.id AND status "
      "= 408) FROM here"},
     0,
     {0},
     RULE_EXACT,
     0},
    GOODPUTS("200ms", .99),
    GOODPUTS("400ms", .99),
    GOODPUTS("2s", .565),
    GOODPUTS("10s", .39),
    GOODPUTS("40s", 0),
    OVERLOAD("200ms", "3086", "3", "messages sent a request", SENT_PER_REQUEST, 6.05, .75),
    OVERLOAD("2s", "3086", "3", "messages sent a request", SENT_PER_REQUEST, 6.05, .75),
    OVERLOAD("10s", "3086", "3", "messages sent a request", SENT_PER_REQUEST, 6.05, .75),
    {32,
     "rho = .9: share turned away",
     {"queue", "attack:requests.rate=900/s", FIGURE("processor.loss_rate")},
     .0508,
     {0},
     RULE_SIGMA,
     3},
    {32,
     "rho = 2: share turned away",
     {"queue", "attack:requests.rate=2000/s", FIGURE("processor.loss_rate")},
     .5002,
     {0},
     RULE_SIGMA,
     3},
};
const size_t CHECKS_LEN = sizeof(CHECKS) / sizeof(*CHECKS);
