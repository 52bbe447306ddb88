/* SPDX-License-Identifier: GPL-3.0-or-later */
/* keys.c - the table of scenario keys, and the search for a name in it. See keys.h. */
#include <scenarios/attack.h>
#include <scenarios/keys.h>
#include <scenarios/replay.h>
#include <scenarios/settings.h>
#include <stddef.h>

#define FIELD(member) offsetof(Scenario, member), sizeof(((Scenario *)NULL)->member)
#define NO_FIELD 0, 0

#define NS UINT64_C(1)
#define MS (UINT64_C(1000000) * NS)
#define S (1000 * MS)
#define H (3600 * S)
#define D (24 * H)

static const KeyChoice TOPOLOGIES[] = {{"chord", PEAL_TOPOLOGY_CHORD, NULL},
                                       {"central", PEAL_TOPOLOGY_CENTRAL, NULL},
                                       {NULL, 0, NULL}};
static const KeyChoice WATCHED[] = {{"lookups.latency_ms", RECORDER_WATCHES_LATENCY, NULL},
                                    {"lookups.hops", RECORDER_WATCHES_HOPS, NULL},
                                    {"lookups.success_rate", RECORDER_WATCHES_SUCCESS, NULL},
                                    {"calls.setup_ms", RECORDER_WATCHES_SETUP, NULL},
                                    {"calls.answer_rate", RECORDER_WATCHES_ANSWERS, NULL},
                                    {"messages.delivered", RECORDER_WATCHES_MESSAGES, NULL},
                                    {NULL, 0, NULL}};
static const KeyChoice ROUTINGS[] = {{"recursive", SCENARIO_ROUTING_RECURSIVE, NULL},
                                     {NULL, 0, NULL}};
static const KeyChoice STARTS[] = {{"joins", SCENARIO_START_JOINS, NULL},
                                   {"converged", SCENARIO_START_CONVERGED, NULL},
                                   {NULL, 0, NULL}};
static const KeyChoice FINGER_CHOICES[] = {{"random", PEAL_FINGER_RANDOM, NULL},
                                           {"exact", PEAL_FINGER_EXACT, NULL},
                                           {NULL, 0, NULL}};
static const KeyChoice MAINTENANCES[] = {{"on", PEAL_MAINTENANCE_ON, NULL},
                                         {"off", PEAL_MAINTENANCE_OFF, NULL},
                                         {"stabilise", PEAL_MAINTENANCE_STABILISE, NULL},
                                         {NULL, 0, NULL}};
static const KeyChoice UPDATES_TO[] = {{"neighbours", PEAL_UPDATE_NEIGHBOURS, NULL},
                                       {"immediate", PEAL_UPDATE_IMMEDIATE, NULL},
                                       {NULL, 0, NULL}};
static const KeyChoice SPREADS[] = {{"none", PEAL_SPREAD_NONE, NULL},
                                    {"uniform", PEAL_SPREAD_UNIFORM, NULL},
                                    {"exponential", PEAL_SPREAD_EXPONENTIAL, NULL},
                                    {NULL, 0, NULL}};
static const KeyChoice LINKS[] = {{"udp", PEAL_UDP, NULL},
                                  {"tcp", PEAL_TCP, NULL},
                                  {NULL, 0, NULL}};
static const KeyChoice WINDOWS[] = {{"aimd", false, NULL},
                                    {"stop-and-wait", true, NULL},
                                    {NULL, 0, NULL}};
static const KeyChoice YES_NO[] = {{"yes", true, NULL}, {"no", false, NULL}, {NULL, 0, NULL}};
static const KeyChoice OFF_ON[] = {{"off", false, NULL}, {"on", true, NULL}, {NULL, 0, NULL}};
static const KeyChoice PLACEMENTS[] = {{"successors", PEAL_PLACEMENT_SUCCESSORS, NULL},
                                       {"hashed", PEAL_PLACEMENT_HASHED, NULL},
                                       {"both", PEAL_PLACEMENT_BOTH, NULL},
                                       {NULL, 0, NULL}};
static const KeyChoice COPIES_FETCHES[] = {{"in-turn", false, NULL},
                                           {"at-once", true, NULL},
                                           {NULL, 0, NULL}};
static const KeyChoice CRYPTOS[] = {
    {"none", PEAL_CRYPTO_NONE, NULL},
    {"modelled", PEAL_CRYPTO_MODELLED_P256, NULL},
    {"modelled-rsa", PEAL_CRYPTO_MODELLED_RSA2048, NULL},
    {"openssl", 0, "real signatures are not available in this version: use none or modelled"},
    {NULL, 0, NULL}};
static const KeyChoice HOSTS[] = {{"own", SCENARIO_HOSTS_OWN, NULL},
                                  {"shared", SCENARIO_HOSTS_SHARED, NULL},
                                  {NULL, 0, NULL}};
static const KeyChoice CALL_TARGETS[] = {{"users", SCENARIO_CALL_USERS, NULL},
                                         {"online", SCENARIO_CALL_ONLINE, NULL},
                                         {"nobody", SCENARIO_CALL_NOBODY, NULL},
                                         {NULL, 0, NULL}};
static const KeyChoice PLACINGS[] = {{"round-robin", REPLAY_ROUND_ROBIN, NULL},
                                     {"source", REPLAY_BY_SOURCE, NULL},
                                     {"map", REPLAY_BY_MAP, NULL},
                                     {NULL, 0, NULL}};
static const KeyChoice CHARGES[] = {{"all", SCENARIO_CHARGE_ALL, NULL},
                                    {"requests", SCENARIO_CHARGE_REQUESTS, NULL},
                                    {NULL, 0, NULL}};
static const KeyChoice TARGETS[] = {{"users", SCENARIO_TARGET_USERS, NULL},
                                    {"online", SCENARIO_TARGET_ONLINE, NULL},
                                    {"random", SCENARIO_TARGET_RANDOM, NULL},
                                    {NULL, 0, NULL}};

/* In the order in which they apply: successors and predecessors after neighbours. */
const Key KEYS[] = {
    {"scenario", "name", KEY_TEXT, NULL, FIELD(name), 1, 64, NULL, "the file's name",
     "Names the results; letters, digits, '-', '_' and '.'."},
    {"scenario", "duration", KEY_SPAN, NULL, FIELD(duration), MS, 3650 * D, "1h", NULL,
     "Simulated time."},
    {"scenario", "warmup", KEY_WARMUP, NULL, FIELD(warmup), 0, 3650 * D, "10min", NULL,
     "Left out of the figures, from the start on; shorter than the duration. mser-5: each "
     "replication's own series of warmup-of tells, by the rule of White (1997), at most half of "
     "the "
     "duration."},
    {"scenario", "warmup-of", KEY_CHOICE, WATCHED, FIELD(warmup_of), 0, 0, "lookups.latency_ms",
     NULL, "What mser-5 looks at: the mean of each interval of the series."},
    {"scenario", "seed", KEY_COUNT, NULL, FIELD(seed), 0, (UINT64_C(1) << 53) - 1, "1", NULL,
     "All draws follow from it; replication 0 uses it as it is, the others a mix."},
    {"scenario", "replications", KEY_COUNT, NULL, FIELD(replications), 1, 10000, "5", NULL,
     "Runs of each point under different seeds; confidence intervals come from them. Replication i "
     "has the same seed at every point of a sweep."},
    {"scenario", "precision", KEY_PPM, NULL, FIELD(precision_ppm), 0, SCENARIO_PPM, "0%", NULL,
     "Adds replications to a point until half the 95 % interval of precision-of is at most this "
     "share of its mean; replications is where it begins, 2 or more. 0%: none are added."},
    {"scenario", "precision-of", KEY_TEXT, NULL, FIELD(precision_of), 1, 64, "lookups.latency_ms",
     NULL, "The figure that shall be so precise, as summary.json names it."},
    {"scenario", "replications-max", KEY_COUNT, NULL, FIELD(replications_max), 1, 10000, "100",
     NULL, "With precision: where it gives up."},
    {"scenario", "watch-paths", KEY_CHOICE, YES_NO, FIELD(watch_paths), 0, 0, "no", NULL,
     "The simulator follows each lookup up to the predecessor of its key, as the Chord papers "
     "count, and the dead peers that it is sent to: paths.* in the results."},
    {"scenario", "watch-ring", KEY_SPAN, NULL, FIELD(watch_ring), 0, D, "0s", NULL,
     "Between two looks of the simulator at all tables, for the fractions of wrong and dead "
     "entries: ring.*_fraction. 0s: never."},

    {"overlay", "name", KEY_TEXT, NULL, FIELD(overlay_name), 1, 64, "overlay.example.org", NULL,
     "The overlay's name; its hash is in every message."},
    {"overlay", "topology", KEY_CHOICE, TOPOLOGIES, FIELD(overlay.topology), 0, 0, "chord", NULL,
     "chord: the ring of RFC 6940; central: the first peer, 0 of a scenario, is the one registrar "
     "and proxy for all users, to compare with. Keys of the ring (successors, fingers, replicas, "
     "maintenance and others) then mean nothing."},
    {"overlay", "server-keeps", KEY_CHOICE, YES_NO, FIELD(server_keeps), 0, 0, "yes", NULL,
     "yes: registrations that phones made at a central server survive its crash, as on a "
     "registrar's disk, but for those of the last seconds; no: they are gone until each phone "
     "registers anew."},
    {"overlay", "peers", KEY_COUNT, NULL, FIELD(peers), 1, SCENARIO_PEERS_MAX, "1000", NULL,
     "Peers that the run starts with; with churn, the mean number online; of a trace, all peers."},
    {"overlay", "routing", KEY_CHOICE, ROUTINGS, FIELD(routing), 0, 0, "recursive", NULL,
     "recursive: symmetric recursive, answers retrace the request's way."},
    {"overlay", "start", KEY_CHOICE, STARTS, FIELD(start), 0, 0, "joins", NULL,
     "joins: peers join one after the other; converged: tables as after perfect stabilisation. On "
     "sockets they join before time 0 then, which comes when all neighbours are right and each has "
     "looked for its fingers anew."},
    {"overlay", "join-interval", KEY_SPAN, NULL, FIELD(join_interval), 0, H, "100ms", NULL,
     "Between the starts of two joining peers, at the start and in join events."},
    {"overlay", "neighbours", KEY_NEIGHBOURS, NULL, NO_FIELD, 1, PEAL_NEIGHBOURS_MAX, "8", NULL,
     "Successors, and as many predecessors, that a peer keeps."},
    {"overlay", "successors", KEY_COUNT, NULL, FIELD(overlay.successors), 1, PEAL_NEIGHBOURS_MAX,
     NULL, "as neighbours", "Successors that a peer keeps."},
    {"overlay", "predecessors", KEY_COUNT, NULL, FIELD(overlay.predecessors), 0,
     PEAL_NEIGHBOURS_MAX, NULL, "as neighbours", "Predecessors that a peer keeps."},
    {"overlay", "fingers", KEY_FINGERS, NULL, FIELD(overlay.fingers), 0, PEAL_FINGERS_MAX, "auto",
     NULL,
     "Fingers that a peer keeps. auto: 16, or as many as it takes to reach the last successor."},
    {"overlay", "finger-choice", KEY_CHOICE, FINGER_CHOICES, FIELD(overlay.finger_choice), 0, 0,
     "random", NULL,
     "random: owner of a random id in the finger's range (RFC 6940); exact: of the range's start."},
    {"overlay", "replicas", KEY_COUNT, NULL, FIELD(overlay.replicas), 0, PEAL_NEIGHBOURS_MAX, "2",
     NULL, "Copies of a value on the next successors; at most as many as successors."},
    {"overlay", "maintenance", KEY_CHOICE, MAINTENANCES, FIELD(overlay.maintenance), 0, 0, "on",
     NULL,
     "on: RFC 6940; off: none; stabilise: as in the Chord papers, each update-interval the next "
     "successor, which brings the further ones, and one finger; no reactive Updates."},
    {"overlay", "reactive", KEY_CHOICE, YES_NO, FIELD(overlay.reactive), 0, 0, "yes", NULL,
     "With maintenance on: a changed neighbour table causes Updates at once, not only periodic."},
    {"overlay", "update-interval", KEY_SPAN, NULL, FIELD(overlay.update_interval), 100 * MS, D,
     "10min", NULL, "Between two periodic Updates to neighbours."},
    {"overlay", "update-spread", KEY_CHOICE, SPREADS, FIELD(overlay.update_spread), 0, 0, "none",
     NULL,
     "Of the intervals between Updates, or rounds of stabilise. none: all are update-interval; "
     "uniform: between half and three halves of it; exponential: with that mean."},
    {"overlay", "stabilise-share", KEY_PPM, NULL, FIELD(overlay.stabilise_share_ppm), 0,
     SCENARIO_PPM, "0%", NULL,
     "With maintenance = stabilise: share of the rounds that go to the next successor, while the "
     "others go to one finger, drawn at random. 0%: every round goes to both, and to the fingers "
     "in turn."},
    {"overlay", "update-to", KEY_CHOICE, UPDATES_TO, FIELD(overlay.update_to), 0, 0, "neighbours",
     NULL, "Who gets the periodic Updates: all neighbours, or the two immediate ones."},
    {"overlay", "finger-interval", KEY_SPAN, NULL, FIELD(overlay.finger_interval), 100 * MS, 30 * D,
     "1h", NULL, "Between two checks of the fingers."},
    {"overlay", "partition-interval", KEY_SPAN, NULL, FIELD(overlay.partition_interval), 100 * MS,
     30 * D, "10min", NULL, "Between two looks for a partition, through a bootstrap peer."},
    {"overlay", "hold-down", KEY_SPAN, NULL, FIELD(overlay.hold_down), 0, D, "30s", NULL,
     "Wait before a replaced neighbour's replicas are sent anew."},
    {"overlay", "link", KEY_CHOICE, LINKS, FIELD(overlay.link), 0, 0, "udp", NULL,
     "udp: frames with acks and a window; tcp: frames on a reliable stream."},
    {"overlay", "link-acks", KEY_CHOICE, YES_NO, FIELD(overlay.link_acks), 0, 0, "yes", NULL,
     "tcp links: judge a link by application acks too. udp links always have them."},
    {"overlay", "link-window", KEY_CHOICE, WINDOWS, FIELD(overlay.stop_and_wait), 0, 0, "aimd",
     NULL, "udp links: frames in flight, an AIMD window or one at a time."},
    {"overlay", "link-rto", KEY_SPAN, NULL, FIELD(overlay.link_rto), 100 * MS, 60 * S, "500ms",
     NULL, "A link's first retransmission timer; RFC 6298 adapts it, with a floor of 100ms."},
    {"overlay", "link-sends", KEY_COUNT, NULL, FIELD(overlay.link_sends), 1, 8, "5", NULL,
     "Transmissions of a frame before its link counts as dead."},
    {"overlay", "request-timeout", KEY_SPAN, NULL, FIELD(overlay.request_timeout), 100 * MS, H,
     "3s", NULL, "End to end: until a request is sent again."},
    {"overlay", "request-lifetime", KEY_SPAN, NULL, FIELD(overlay.request_lifetime), 100 * MS, H,
     "15s", NULL, "End to end: until a request has failed; at least request-timeout."},
    {"overlay", "message-max", KEY_COUNT, NULL, FIELD(overlay.message_max), 1500, 65000, "5000",
     NULL, "Largest RELOAD message, in bytes."},
    {"overlay", "crypto", KEY_CHOICE, CRYPTOS, FIELD(overlay.crypto), 0, 0, "none", NULL,
     "none: no signatures; modelled: sizes of P-256 (modelled-rsa: RSA-2048) certificates and "
     "signatures."},

    {"defence", "redundant-lookups", KEY_COUNT, NULL, FIELD(overlay.defence.redundant_lookups), 1,
     PEAL_REDUNDANT_MAX, "1", NULL,
     "First hops that a lookup goes by at a time. The first answer with a value counts; one "
     "without "
     "waits for the others."},

    {"defence", "source-rate", KEY_LIMIT, NULL, FIELD(overlay.defence.source_rate_milli), 1000,
     UINT64_C(3600000000000), "off", NULL,
     "Messages that a peer takes from one source, an address of phones or another peer. off: any "
     "number."},
    {"defence", "source-burst", KEY_COUNT, NULL, FIELD(overlay.defence.source_burst), 1, 10000,
     "20", NULL, "With a source-rate: messages that a source that was silent may send at once."},
    {"defence", "known-factor", KEY_COUNT, NULL, FIELD(overlay.defence.known_factor), 1, 1000, "20",
     NULL,
     "With a source-rate: what known sources may send is so many times that. Known are addresses "
     "from which a registration came that lives, and the peer's neighbours."},
    {"defence", "sources", KEY_COUNT, NULL, FIELD(overlay.defence.sources), 64, 1 << 20, "4096",
     NULL, "With a source-rate: how many sources a peer tells apart, 24 bytes each."},
    {"defence", "overload-wait", KEY_SPAN, NULL, FIELD(overlay.defence.overload_wait), 0, 60 * S,
     "0s", NULL,
     "New requests are refused before any work is done, SIP's with a 503, while messages wait "
     "longer than this for the peer; those of known sources beyond four times as long. 0s: never."},
    {"defence", "retry-after", KEY_SPAN, NULL, FIELD(overlay.defence.retry_after), S, H, "5s", NULL,
     "A refusal asks the sender to wait so long, or up to twice as long, in whole seconds."},
    {"defence", "overload-control", KEY_CHOICE, YES_NO, FIELD(overlay.defence.overload_control), 0,
     0, "no", NULL,
     "yes: SIP neighbours, phones among them, tell each other by how much to reduce their requests "
     "while messages wait longer than overload-wait (RFC 7339); refusals then name no time."},

    {"defence", "neighbour-check", KEY_CHOICE, OFF_ON, FIELD(overlay.defence.neighbour_check), 0, 0,
     "off", NULL,
     "on: a peer that would crowd a part of the ring more than chance does (probability 10^-5) "
     "becomes nobody's neighbour there."},
    {"defence", "neighbour-rate", KEY_COUNT, NULL, FIELD(overlay.defence.neighbour_rate), 0,
     PEAL_NEIGHBOUR_RATE_MAX, "0", NULL,
     "With neighbour-check: new neighbours that a peer accepts a minute, as many at once; 0: any "
     "number."},

    {"defence", "replica-placement", KEY_CHOICE, PLACEMENTS, FIELD(overlay.defence.placement), 0, 0,
     "successors", NULL,
     "Where the overlay.replicas copies of a registration are: on its owner's successors; hashed: "
     "at "
     "ids all over the ring in their stead; both: there, and each on successors too."},
    {"defence", "replica-fetch", KEY_CHOICE, COPIES_FETCHES, FIELD(overlay.defence.copies_at_once),
     0, 0, "in-turn", NULL,
     "Hashed copies are asked one after the other (the next without a value, or after "
     "request-timeout), or at-once."},

    {"defence", "puzzle-bits", KEY_COUNT, NULL, FIELD(overlay.defence.puzzle_bits), 0,
     PEAL_PUZZLE_BITS_MAX, "0", NULL,
     "Proof of work that a Node-ID shows when it asks for a link or to join: 2^bits hashes on "
     "average, once a day; 0: none."},
    {"defence", "puzzle-modelled", KEY_COUNT, NULL, FIELD(overlay.defence.puzzle_modelled), 0,
     PEAL_PUZZLE_BITS_MAX, "0", NULL,
     "So many of the puzzle's bits cost their time, but are not really hashed: for simulations of "
     "many peers."},
    {"defence", "puzzle-rate", KEY_COUNT, NULL, FIELD(overlay.defence.puzzle_rate), 1000,
     UINT64_C(1000000000), "1000000", NULL, "Hashes a second that a peer spends on its puzzle."},

    {"network", "latency", KEY_LATENCY, NULL, NO_FIELD, 0, 10 * S, "synthetic", NULL,
     "synthetic: a built-in Internet; constant:T one way; plane: points of a square; matrix:FILE: "
     "RTT in ms between hosts; coordinates:FILE: distance is one-way ms. A path is relative to the "
     "scenario file, then to the working directory."},
    {"network", "hosts", KEY_CHOICE, HOSTS, FIELD(network.hosts), 0, 0, "own", NULL,
     "own: a host of the matrix or coordinates holds one peer; shared: any number."},
    {"network", "loss", KEY_PPM, NULL, FIELD(network.loss_ppm), 0, SCENARIO_PPM, "0%", NULL,
     "Datagrams lost, each on its own; a tcp link repairs it below."},
    {"network", "jitter", KEY_DIST, NULL, FIELD(network.jitter), 0, 0, "none", NULL,
     "Added to the one-way delay of each frame."},
    {"network", "bandwidth", KEY_BANDWIDTH, NULL, FIELD(network.bandwidth), 1000,
     UINT64_C(1000000000000), "unlimited", NULL, "Of each peer's uplink."},
    {"network", "bandwidth-queue", KEY_SPAN, NULL, FIELD(network.bandwidth_queue), MS, 60 * S,
     "500ms", NULL, "An uplink drops datagrams that would wait longer."},

    {"churn", "session", KEY_SESSION, NULL, NO_FIELD, 0, 0, "none", NULL,
     "How long a peer is there; trace:FILE has lines SECONDS PEER up|down, peers from 0. All "
     "begins in the steady state. See EXPERIMENTS.md."},
    {"churn", "absence", KEY_DIST, NULL, FIELD(churn.absence), 0, 0, "none", NULL,
     "How long it is away then, until it returns as the same peer with the same users."},
    {"churn", "leaves", KEY_PPM, NULL, FIELD(churn.leaves_ppm), 0, SCENARIO_PPM, "0%", NULL,
     "Sessions that end with a Leave; the others end without a word."},
    {"churn", "diurnal", KEY_PPM, NULL, FIELD(churn.diurnal_ppm), 0, SCENARIO_PPM, "0%", NULL,
     "Amplitude of a sine that the rate of returns follows; it begins at the mean, rising."},
    {"churn", "diurnal-period", KEY_SPAN, NULL, FIELD(churn.diurnal_period), S, 365 * D, "24h",
     NULL, "Period of that sine."},

    {"peer", "cpu", KEY_SERVICE, NULL, FIELD(peer.service), 0, 60 * S, "infinite", NULL,
     "Time that a peer's processor takes for one frame. benchmark: by kind, as was measured of "
     "nodes (9.1us a SIP message, 3.7us a RELOAD frame); benchmark:X: of a machine X times "
     "slower."},
    {"peer", "charge", KEY_CHOICE, CHARGES, FIELD(peer.charge), 0, 0, "all", NULL,
     "What the processor takes time for. requests: SIP requests other than ACK, as models of "
     "overloaded SIP servers have it; all else passes at once."},
    {"peer", "queue", KEY_QUEUE, NULL, FIELD(peer.queue), 1, 1000000, "1000", NULL,
     "Frames (or time) that may wait for a processor that is not infinite; more are dropped."},
    {"peer", "reject-cost", KEY_PPM, NULL, FIELD(peer.reject_ppm), 0, SCENARIO_PPM, "5%", NULL,
     "What the processor spends on a message that the peer refuses or drops unread, as a share of "
     "the mean service. What finds the queue full costs nothing."},

    {"workload", "users-per-peer", KEY_COUNT, NULL, FIELD(workload.users_per_peer), 0, 1000, "1",
     NULL,
     "Users whose registration each peer stores and refreshes; with calls, each has a phone. With "
     "a "
     "trace there are those of the trace instead."},
    {"workload", "register-expires", KEY_LIFETIME, NULL, FIELD(workload.register_expires),
     SCENARIO_EXPIRES_LEAST_S *UINT64_C(1000000000), SCENARIO_EXPIRES_MOST_S *UINT64_C(1000000000),
     "1h", NULL,
     "Lifetime of a registration, in whole seconds; refreshed at 0.9 of it. "
     "A distribution is that of the registrations that are made: each user has one of its own for "
     "good, drawn with a weight of its length, since who registers rarely is seen rarely."},
    {"workload", "lookups-per-peer-hour", KEY_MILLI, NULL,
     FIELD(workload.lookups_per_peer_hour_milli), 0, UINT64_C(3600000000), "60", NULL,
     "Rate of each peer's lookups; intervals are exponential."},
    {"workload", "lookup-target", KEY_CHOICE, TARGETS, FIELD(workload.lookup_target), 0, 0, "users",
     NULL, "users: the AOR of a user of another peer; random: a uniformly random key."},
    {"workload", "calls-per-user-hour", KEY_MILLI, NULL, FIELD(workload.calls_per_user_hour_milli),
     0, UINT64_C(3600000000), "0", NULL,
     "Rate at which each user calls any other, by SIP; intervals are exponential. 0, and "
     "no call-interval: nobody has a phone, and peers store their users' registrations "
     "themselves."},
    {"workload", "call-interval", KEY_DIST, NULL, FIELD(workload.call_interval), 0, 0, "none", NULL,
     "Time between two calls of the whole overlay, in place of calls-per-user-hour: one stream, "
     "in which each call is any user's, as it is in a recorded trace. Calls of users whose peer is "
     "not there are left out."},
    {"workload", "call-target", KEY_CHOICE, CALL_TARGETS, FIELD(workload.call_target), 0, 0,
     "users", NULL,
     "users: calls are for other users; online: for those whose peer is there, by churn; nobody: "
     "for AORs that nobody registers, so that the caller's peer itself answers each INVITE, with a "
     "404."},
    {"workload", "call-duration", KEY_DIST, NULL, FIELD(workload.call_duration), 0, 0,
     "lognormal(mean=180s, median=90s)", NULL, "From a call's answer until its caller hangs up."},
    {"workload", "trace", KEY_PATH, NULL, FIELD(workload.trace_file), 0, 0, NULL,
     "users and calls are drawn",
     "A workload file, as peal replay writes it: its users, registrations and calls take the place "
     "of users-per-peer and of all calls that are drawn."},
    {"workload", "trace-users", KEY_CHOICE, PLACINGS, FIELD(workload.trace_placing), 0, 0,
     "round-robin", NULL,
     "Which peer a user of the trace is at: in turn; source: users of one source address at one "
     "peer; map: where the workload file says so, the others in turn."},
    {"workload", "trace-start", KEY_SPAN, NULL, FIELD(workload.trace_start), 0, 365 * D, "0s", NULL,
     "When the trace begins; never before the end of the warm-up, nor before all have had time to "
     "join and register."},
    {"workload", "ring", KEY_SPAN, NULL, FIELD(workload.ring), 0, 180 * S, "5s", NULL,
     "How long a phone rings before it answers."},
};
const size_t KEYS_LEN = G_N_ELEMENTS(KEYS);

static const KeyTable SCENARIO_TABLES[] = {{KEYS, G_N_ELEMENTS(KEYS), NULL}};
const KeyFile KEYS_SCENARIO = {"scenario", "a", "scenario", SCENARIO_TABLES,
                               G_N_ELEMENTS(SCENARIO_TABLES)};

const Key *key_table_next(const KeyTable *table, const Key *key)
{
    key = key == NULL ? table->keys : key + 1;
    while (key < table->keys + table->len && table->has != NULL && !table->has(key)) {
        key++;
    }
    return key < table->keys + table->len ? key : NULL;
}

const Key *key_file_find(const KeyFile *file, const char *section, const char *name)
{
    for (size_t i = 0; i < file->tables_len; i++) {
        for (const Key *key = key_table_next(&file->tables[i], NULL); key != NULL;
             key = key_table_next(&file->tables[i], key)) {
            if (strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0) {
                return key;
            }
        }
    }
    return NULL;
}

const Key *key_find(const char *section, const char *name)
{
    return key_file_find(&KEYS_SCENARIO, section, name);
}

enum { NAME_MAX_COMPARED = 40 };

/* Levenshtein's edit distance; names too long to be near anything are far. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    size_t row[NAME_MAX_COMPARED + 1];

    if (a_len > NAME_MAX_COMPARED || b_len > NAME_MAX_COMPARED) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t changed = diagonal + (a[i - 1] != b[j - 1]);

            diagonal = row[j];
            row[j] = MIN(changed, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b_len];
}

/* Keeps the nearer of the best so far and a candidate; ties go to the first. */
static void nearest_offer(const char *name, const char *candidate, const char **best,
                          size_t *best_distance)
{
    size_t distance = edit_distance(name, candidate);

    if (distance < *best_distance) {
        *best = candidate;
        *best_distance = distance;
    }
}

static void nearest_section(const KeyFile *file, const char *section, const char **best,
                            size_t *best_distance)
{
    for (size_t i = 0; i < file->tables_len; i++) {
        for (const Key *key = key_table_next(&file->tables[i], NULL); key != NULL;
             key = key_table_next(&file->tables[i], key)) {
            nearest_offer(section, key->section, best, best_distance);
        }
    }
}

static bool fail_section(const KeyFile *file, const char *section, const char *nearest,
                         GError **error)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNKNOWN,
                "unknown section [%s]; the nearest is [%s] ('peal help keys' lists all)", section,
                nearest != NULL ? nearest : file->section);
    return false;
}

/* [event:NAME] and [attack:NAME]: `prefix` with a name behind it. */
static bool check_named_section(const char *section, const char *prefix, GError **error)
{
    if (strlen(section) > strlen(prefix) && strchr(section, '.') == NULL) {
        return true;
    }
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNKNOWN,
                "[%s] is no name for an %.*s: write [%sNAME], without dots", section,
                (int)strlen(prefix) - 1, prefix, prefix);
    return false;
}

/* With a name, or with nothing at all behind it. */
static bool is_named_section(const char *section, const char *prefix)
{
    size_t len = strlen(prefix);

    return strncmp(section, prefix, len) == 0 ||
           (strlen(section) == len - 1 && strncmp(section, prefix, len - 1) == 0);
}

bool key_check_section(const char *section, GError **error)
{
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;

    if (is_named_section(section, KEYS_EVENT_PREFIX)) {
        return check_named_section(section, KEYS_EVENT_PREFIX, error);
    }
    if (is_named_section(section, ATTACK_PREFIX)) {
        return check_named_section(section, ATTACK_PREFIX, error);
    }
    nearest_section(&KEYS_SCENARIO, section, &nearest, &distance);
    nearest_offer(section, KEYS_SWEEP, &nearest, &distance);
    nearest_offer(section, "event:NAME", &nearest, &distance);
    nearest_offer(section, ATTACK_SECTION, &nearest, &distance);
    return distance == 0 || fail_section(&KEYS_SCENARIO, section, nearest, error);
}

/* Looks for a name that no section of this name has: another section's, else the nearest of this
 * one. Returns false with an error where another section has it. */
static bool nearest_key(const KeyFile *file, const char *section, const char *name,
                        const char **best, size_t *best_distance, GError **error)
{
    for (size_t i = 0; i < file->tables_len; i++) {
        for (const Key *key = key_table_next(&file->tables[i], NULL); key != NULL;
             key = key_table_next(&file->tables[i], key)) {
            if (strcmp(key->name, name) == 0) {
                g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNKNOWN,
                            "unknown key '%s' in [%s]; it belongs to [%s]", name, section,
                            key->section);
                return false;
            }
            if (strcmp(key->section, section) == 0) {
                nearest_offer(name, key->name, best, best_distance);
            }
        }
    }
    return true;
}

static bool fail_key(const char *section, const char *name, const char *nearest, GError **error)
{
    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNKNOWN,
                "unknown key '%s' in [%s]; the nearest is '%s' ('peal help keys' lists all)", name,
                section, nearest != NULL ? nearest : KEYS[0].name);
    return false;
}

static bool key_fail_unknown(const char *section, const char *name, GError **error)
{
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;

    if (!nearest_key(&KEYS_SCENARIO, section, name, &nearest, &distance, error)) {
        return false;
    }
    if (g_str_has_prefix(section, KEYS_EVENT_PREFIX)) {
        nearest_offer(name, "at", &nearest, &distance);
        nearest_offer(name, "do", &nearest, &distance);
    }
    for (size_t i = 0; g_str_has_prefix(section, ATTACK_PREFIX) && i < ATTACK_KEYS_LEN; i++) {
        nearest_offer(name, ATTACK_KEYS[i].name, &nearest, &distance);
    }
    return fail_key(section, name, nearest, error);
}

static bool is_attack_key(const char *name)
{
    for (size_t i = 0; i < ATTACK_KEYS_LEN; i++) {
        if (strcmp(ATTACK_KEYS[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

bool key_check_name(const char *section, const char *name, GError **error)
{
    bool event = g_str_has_prefix(section, KEYS_EVENT_PREFIX) &&
                 (strcmp(name, "at") == 0 || strcmp(name, "do") == 0);

    bool attack = g_str_has_prefix(section, ATTACK_PREFIX) && is_attack_key(name);

    return key_check_section(section, error) &&
           (event || attack || key_find(section, name) != NULL ||
            key_fail_unknown(section, name, error));
}

static bool file_check_section(const KeyFile *file, const char *section, GError **error)
{
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;

    nearest_section(file, section, &nearest, &distance);
    return distance == 0 || fail_section(file, section, nearest, error);
}

static bool file_check_key(const KeyFile *file, const char *section, const char *name,
                           GError **error)
{
    const char *nearest = NULL;
    size_t distance = SIZE_MAX;

    if (!file_check_section(file, section, error)) {
        return false;
    }
    return key_file_find(file, section, name) != NULL ||
           (nearest_key(file, section, name, &nearest, &distance, error) &&
            fail_key(section, name, nearest, error));
}

bool key_file_check(const KeyFile *file, const ScenarioSettings *settings, GError **error)
{
    for (guint i = 0; i < settings->sections->len; i++) {
        const SettingSection *section = g_ptr_array_index(settings->sections, i);

        if (!file_check_section(file, section->name, error)) {
            g_prefix_error(error, "%s:%u: ", settings->path, section->line);
            return false;
        }
    }
    for (guint i = 0; i < settings->list->len; i++) {
        const Setting *setting = g_ptr_array_index(settings->list, i);

        if (!file_check_key(file, setting->section, setting->key, error)) {
            settings_prefix(settings, setting, error);
            return false;
        }
    }
    return true;
}

bool key_table_apply(const KeyTable *table, const ScenarioSettings *settings, void *target,
                     GError **error)
{
    for (const Key *key = key_table_next(table, NULL); key != NULL;
         key = key_table_next(table, key)) {
        const Setting *setting = settings_find(settings, key->section, key->name);

        if (setting != NULL) {
            if (!key_apply(key, setting->value, target, error)) {
                settings_prefix(settings, setting, error);
                return false;
            }
        } else if (key->fallback != NULL) {
            bool good = key_apply(key, key->fallback, target, NULL);

            PEAL_ASSERT(good);
        }
    }
    return true;
}
