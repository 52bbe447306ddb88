/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * scenario.h - a scenario file, read and checked: what shall happen, whichever the world.
 * Source: none.   State: one plain struct, never changed after loading.   Time: none.
 *
 * Every error is a GError of SCENARIO_ERROR, worded for the user: where (file:line, or the option),
 * which key, what is wrong with it, and what would be right.
 */
#ifndef SCENARIOS_SCENARIO_H
#define SCENARIOS_SCENARIO_H

#include <analysis/recorder.h>
#include <glib.h>
#include <peal/peer.h>
#include <scenarios/dist.h>
#include <stdio.h>

#define SCENARIO_ERROR (scenario_error_quark())
GQuark scenario_error_quark(void);

typedef enum ScenarioError {
    SCENARIO_ERROR_FILE,        /* cannot be read, or is no scenario */
    SCENARIO_ERROR_SYNTAX,      /* a line that is neither section, key nor comment; a duplicate */
    SCENARIO_ERROR_UNKNOWN,     /* section or key that does not exist */
    SCENARIO_ERROR_VALUE,       /* bad unit, out of range, contradiction */
    SCENARIO_ERROR_UNAVAILABLE, /* known, but this version cannot do it */
    SCENARIO_ERROR_NETWORK      /* matrix or coordinates file */
} ScenarioError;

#define SCENARIO_PEERS_MAX 16000000 /* one 10.x address a peer */
#define SCENARIO_PPM 1000000u       /* fractions are parts per million: 2% is 20000 */

/* Lifetimes of registrations lie between them. */
#define SCENARIO_EXPIRES_LEAST_S 10u
#define SCENARIO_EXPIRES_MOST_S 31536000u /* 365 days */

typedef enum ScenarioStart { SCENARIO_START_JOINS, SCENARIO_START_CONVERGED } ScenarioStart;
typedef enum ScenarioRouting { SCENARIO_ROUTING_RECURSIVE } ScenarioRouting;
typedef enum ScenarioHosts { SCENARIO_HOSTS_OWN, SCENARIO_HOSTS_SHARED } ScenarioHosts;
typedef enum ScenarioTarget {
    SCENARIO_TARGET_USERS,  /* the AOR of a user that some peer registers */
    SCENARIO_TARGET_RANDOM, /* a uniformly random key */
    SCENARIO_TARGET_ONLINE  /* a user of a peer that is there */
} ScenarioTarget;

typedef enum ScenarioCallTarget {
    SCENARIO_CALL_USERS,  /* any other user */
    SCENARIO_CALL_ONLINE, /* one whose peer is there */
    SCENARIO_CALL_NOBODY  /* an AOR that nobody registers: 404 or 480 */
} ScenarioCallTarget;

typedef enum ScenarioLatency {
    SCENARIO_LATENCY_SYNTHETIC,
    SCENARIO_LATENCY_CONSTANT,
    SCENARIO_LATENCY_MATRIX,
    SCENARIO_LATENCY_COORDINATES,
    SCENARIO_LATENCY_PLANE
} ScenarioLatency;

typedef struct ScenarioNetwork {
    ScenarioLatency latency;
    PealSpan constant;  /* one way; constant */
    char *latency_file; /* as resolved; matrix and coordinates, else NULL */
    ScenarioHosts hosts;
    uint32_t loss_ppm;
    Dist jitter;              /* added to each frame's one-way delay */
    uint64_t bandwidth;       /* of each peer's uplink, bit/s; 0 is unlimited */
    PealSpan bandwidth_queue; /* the uplink drops what would wait longer */
} ScenarioNetwork;

typedef struct ChurnTrace ChurnTrace; /* see churn.h */
typedef struct Replay Replay;         /* <scenarios/replay.h> */

/* Peers come and go by themselves where `session` is a distribution, or there is a trace. */
typedef struct ScenarioChurn {
    Dist session; /* DIST_NONE: no churn, or a trace's */
    Dist absence;
    uint32_t leaves_ppm;  /* of the sessions' ends that are leaves; the others are crashes */
    uint32_t diurnal_ppm; /* amplitude of the rate of returns around its mean */
    PealSpan diurnal_period;
    char *trace_file; /* as resolved, or NULL */
    ChurnTrace *trace;
} ScenarioChurn;

typedef struct ScenarioWorkload {
    uint32_t users_per_peer;
    uint64_t lookups_per_peer_hour_milli; /* thousandths */
    ScenarioTarget lookup_target;
    uint64_t calls_per_user_hour_milli; /* thousandths; 0: none by this key */
    ScenarioCallTarget call_target;
    Dist call_duration; /* from the answer on */
    PealSpan ring;      /* until a phone answers */

    /* Of registrations. A distribution is what registrars see: each user has a lifetime of its own,
     * drawn with a weight of its length, since who registers rarely is seen rarely. */
    Dist register_expires;
    /* Between the calls of the whole overlay, in place of a rate of each user; DIST_NONE: none. */
    Dist call_interval;

    /* A recorded workload, placed onto the start's identities, in place of both; or NULL.
     * users_per_peer is the most that a peer has of its users then. */
    char *trace_file; /* as resolved, or NULL */
    Replay *replay;
    int trace_placing;    /* ReplayPlacing */
    PealSpan trace_start; /* of its time 0, at the earliest */
} ScenarioWorkload;

/* A bound on a queue: exactly one of the two is not 0. */
typedef struct ScenarioQueue {
    uint32_t messages;
    PealSpan time;
} ScenarioQueue;

typedef enum ScenarioCharge {
    SCENARIO_CHARGE_ALL,     /* every frame and SIP message that arrives */
    SCENARIO_CHARGE_REQUESTS /* SIP requests other than ACK */
} ScenarioCharge;

typedef struct ScenarioProcessor {
    Dist service;             /* of one frame; DIST_NONE is the infinite processor */
    uint32_t benchmark_milli; /* service is by kind, as measured, so many thousandths of it; or 0 */
    ScenarioCharge charge;
    ScenarioQueue queue;
    uint32_t reject_ppm; /* of the mean service: what a frame costs that is refused or dropped */
} ScenarioProcessor;

typedef enum ScenarioDo {
    SCENARIO_JOIN,
    SCENARIO_LEAVE,
    SCENARIO_RESTART, /* a crash, and a start again at once under the same Node-ID */
    SCENARIO_FAIL,
    SCENARIO_PARTITION,
    SCENARIO_HEAL,
    SCENARIO_START /* one that is down, again, under the same Node-ID */
} ScenarioDo;

typedef struct ScenarioEvent {
    char *name; /* of its section [event:NAME] */
    PealTime at;
    ScenarioDo what;
    bool adjacent; /* victims are neighbours on the ring */
    bool region;   /* victims are near each other in the network */
    PealSpan over; /* joiners start within it, evenly; 0: one per overlay.join-interval */
    bool named;    /* it concerns `peer` alone; count and ppm are 0 */
    uint32_t peer;
    uint32_t count; /* peers; 0 when ppm says how many */
    uint32_t ppm;   /* fraction of the peers that are up */
} ScenarioEvent;

typedef struct ScenarioAttack ScenarioAttack; /* <scenarios/attack.h> */

/* One swept key's value at one point. */
typedef struct ScenarioParameter {
    char *key; /* `overlay.peers` */
    char *value;
} ScenarioParameter;

typedef struct ScenarioSettings ScenarioSettings; /* the loader's: raw texts and their places */

typedef struct Scenario {
    char *path; /* as given */
    char *text; /* the file, NUL-terminated */
    char *name; /* scenario.name, by default the file's name without .conf */
    PealSpan duration;
    PealSpan warmup; /* excluded from figures; with warmup_mser, the latest that may become */
    bool warmup_mser;
    RecorderWatched warmup_of;
    uint64_t seed;         /* below 2^53, so that every JSON reader keeps it */
    uint32_t replications; /* of each point; with precision_ppm, to begin with */
    uint32_t replications_max;
    uint32_t precision_ppm; /* half the interval over the mean; 0: as many as `replications` */
    char *precision_of;     /* the figure, as summary.json names it */

    bool watch_paths;    /* the simulator follows lookups to their key's predecessor */
    PealSpan watch_ring; /* ... and compares all tables with the truth so often; 0: never */

    PealOverlay overlay; /* `hash` is left to the world: peal_overlay_hash(crypto, overlay_name) */
    char *overlay_name;
    uint32_t
        peers; /* that the run starts with; with churn, the mean number online; of a trace, all */
    ScenarioRouting routing;
    ScenarioStart start;
    PealSpan join_interval;
    bool fingers_auto; /* overlay.fingers was computed from peers */
    bool server_keeps; /* a central server has its phones' registrations on disk */

    ScenarioNetwork network;
    ScenarioChurn churn;
    ScenarioWorkload workload;
    ScenarioProcessor peer;

    ScenarioEvent *events; /* by time, then by place in the file */
    guint events_len;

    ScenarioAttack *attacks; /* in the file's order */
    guint attacks_len;

    ScenarioParameter *parameters; /* of this point; none unless scenario_point made it */
    guint parameters_len;
    guint points; /* of the sweep; 1 without one */

    ScenarioSettings *settings;
} Scenario;

/*
 * scenario_load reads a file and checks all of it, every point of its sweep included.
 * sets     NULL-terminated `section.key=value` texts that replace the file's values, or NULL
 * Returns a scenario to scenario_free, or NULL with error set.
 */
Scenario *scenario_load(const char *path, const char *const *sets, GError **error);

/* scenario_load_text does so with text in memory; path is named in errors and resolves files. */
Scenario *scenario_load_text(const char *path, const char *text, gsize len, const char *const *sets,
                             GError **error);

void scenario_free(Scenario *scenario);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scenario, scenario_free)

/* scenario_point returns point 0..points-1 of the sweep as a scenario of its own (points = 1,
 * parameters set). The last key of the file varies fastest. */
Scenario *scenario_point(const Scenario *scenario, guint point, GError **error);

/* scenario_check_overlay checks `overlay` against what no single key can tell, and fits replicas to
 * successors where no key says how many there shall be. `settings` tells whom to blame. */
bool scenario_check_overlay(Scenario *scenario, GError **error) PEAL_MUST_USE;

/* scenario_is_central: peer 0 is the server of all others, and there is no ring. */
static inline bool scenario_is_central(const Scenario *scenario)
{
    return scenario->overlay.topology == PEAL_TOPOLOGY_CENTRAL;
}

/* scenario_identities: how many peers there are ever: the start's (with churn, peers divided by
 * availability) and those of join events. */
uint32_t scenario_identities(const Scenario *scenario);

/* scenario_has_churn: peers come and go by themselves. */
static inline bool scenario_has_churn(const Scenario *scenario)
{
    return scenario->churn.session.kind != DIST_NONE || scenario->churn.trace != NULL;
}

/* scenario_has_calls: users have phones, and call each other. */
static inline bool scenario_has_calls(const Scenario *scenario)
{
    return scenario->workload.calls_per_user_hour_milli > 0 ||
           scenario->workload.call_interval.kind != DIST_NONE || scenario->workload.replay != NULL;
}

/* scenario_phone_calls_max: so many calls a phone has at a time, and is busy beyond. An address of
 * a trace may be a gateway's, and is not busy unless it was there. */
#define SCENARIO_PHONE_CALLS_MAX 64u
uint32_t scenario_phone_calls_max(const Scenario *scenario);

/* scenario_trace_start is when a recorded workload's time 0 is: once the warm-up is over and all
 * have had time to join and register. scenario_trace_duration is how long a run takes that plays
 * all of it, with SCENARIO_TRACE_TAIL for the last call to end. There must be one. */
#define SCENARIO_TRACE_TAIL ((PealSpan){10 * PEAL_NS_PER_S})
PealTime scenario_trace_start(const Scenario *scenario);
PealSpan scenario_trace_duration(const Scenario *scenario);

/* scenario_register_expires_s: the lifetime that a user's registrations ask for. A draw depends on
 * (seed, peer, user) alone, is rounded to whole seconds, and kept within what the key takes. */
uint32_t scenario_register_expires_s(const Scenario *scenario, uint64_t seed, uint32_t peer,
                                     uint32_t user);

/* scenario_register_bounds: no user's lifetime lies outside them. */
void scenario_register_bounds(const Scenario *scenario, uint32_t *ret_least_s,
                              uint32_t *ret_most_s);

/* scenario_online: the mean number of peers online that is asked for, before any event; of a trace,
 * its own, at least 1. */
uint32_t scenario_online(const Scenario *scenario);

/* scenario_replication_seed: for replication 0 the seed itself, else a mix of both, below 2^53. */
uint64_t scenario_replication_seed(uint64_t seed, uint32_t replication);

/* scenario_event_peers returns how many of `live` peers an event concerns, at most `live`. */
uint32_t scenario_event_peers(const ScenarioEvent *event, uint32_t live);

/* scenario_event_text writes an event as a file would (`fail 20% of peers`). Text to g_free. */
char *scenario_event_text(const ScenarioEvent *event);

/* scenario_each_value calls visit for every key in force, defaults included, and for every event.
 * Both texts are borrowed for the call. */
typedef void (*ScenarioVisit)(void *user, const char *key, const char *value);
void scenario_each_value(const Scenario *scenario, ScenarioVisit visit, void *user);

/* scenario_keys_text is the reference of all keys, for a terminal or KEYS.md. Text to g_free. */
char *scenario_keys_text(bool markdown);

#endif
