/*
 * recorder.h - what is measured in one replication, kept small while it runs.
 * Source: none.
 * State:  one per replication: a few histograms, at most RECORDER_ROWS_MAX rows of a time series
 *         with two coarse histograms each, bounded samples of single lookups and calls, and 32
 *         bytes for each call of a replayed trace, RECORDER_REPLAYED_MAX at most. It does not grow
 *         with the length of the run.
 * Time:   instants count from the start of the run, which is 0. Nothing here reads a clock.
 *
 * The measured window is [warmup, end). A lookup or call belongs to it by the instant it started;
 * counters by the samples taken at its two ends. The series covers the whole run, warm-up included.
 * Where MSER-5 shall find the end of the warm-up, all is kept for each five rows of the first half
 * apart (31 slices at most), and summed from the cut on in the end.
 * Sums are kept as integers and samples are chosen by their contents, so no figure depends on the
 * order in which lookups and calls are reported.
 */
#ifndef ANALYSIS_RECORDER_H
#define ANALYSIS_RECORDER_H

#include <analysis/histogram.h>
#include <peal/id.h>
#include <peal/trace.h>

enum {
    RECORDER_ROWS_MAX = 302,           /* of the time series */
    RECORDER_LOOKUPS_DEFAULT = 100000, /* single lookups kept, and as many calls */
    RECORDER_PEERS_MAX = 100000,       /* rows of per-peer load; of more peers every k-th is kept */
    RECORDER_EVENTS_MAX = 1000,
    RECORDER_REPLAYED_MAX = 1000000, /* calls of a replayed trace, 32 bytes each; of longer traces
                                        every second is kept, or every fourth ... */
    RECORDER_CODES = 64,             /* message codes counted apart; the last: error, all others */
    RECORDER_STATUSES = 700          /* of SIP's final responses */
};

/* What the world counts. name: its column in results.db, meaning. */
#define RECORDER_COUNTERS(X)                                                                    \
    X(MESSAGES, messages, "data frames with a RELOAD message, first delivery only")             \
    X(MESSAGE_BYTES, message_bytes, "bytes of those frames")                                    \
    X(DUPLICATES, duplicates, "data frames delivered again")                                    \
    X(LINK_ACKS, link_acks, "link acknowledgements delivered")                                  \
    X(LINK_RETRANSMISSIONS, link_retransmissions, "frames sent again on their link")            \
    X(FRAMES_SENT, frames_sent, "frames handed to the network, of any sort")                    \
    X(BYTES_SENT, bytes_sent, "bytes of those frames")                                          \
    X(FRAMES_LOST, frames_lost, "frames that the network lost, or that reached no living peer") \
    X(REQUESTS_SENT, requests_sent, "requests originated")                                      \
    X(REQUESTS_RESENT, requests_resent, "requests sent again end to end")                       \
    X(REQUESTS_FAILED, requests_failed, "requests given up")                                    \
    X(VALUES_STORED, values_stored, "values taken by a responsible peer or a replica")          \
    X(VALUES_REMOVED, values_removed, "values removed or expired")                              \
    X(REPLICAS_SENT, replicas_sent, "values handed on to a replica")                            \
    X(LINKS_UP, links_up, "link ends that came up")                                             \
    X(LINKS_DOWN, links_down, "link ends that went down")                                       \
    X(PEERS_JOINED, peers_joined, "joins completed")                                            \
    X(PEERS_LEFT, peers_left, "peers that left with a word")                                    \
    X(PEERS_FAILED, peers_failed, "peers that ended without a word")                            \
    X(SIP_MESSAGES, sip_messages, "SIP messages delivered to peers and phones, at each hop")    \
    X(SIP_BYTES, sip_bytes, "bytes of those messages")                                          \
    X(SIP_LOST, sip_lost, "SIP messages that the network lost, or that reached nobody")         \
    X(ARRIVALS, arrivals, "messages that came to a processor which is not infinite")            \
    X(TURNED_AWAY, turned_away, "of them, those that found its queue full")                     \
    X(REFUSED, refused, "messages that a peer refused with a word before any work")             \
    X(SHUT_OUT, shut_out, "and those that it dropped without one")                              \
    X(HONEST_BLOCKED, honest_blocked, "of refused and shut out, those of no attacker")          \
    X(REACHABLE_LOOKUPS, reachable_lookups, "lookups of reachable users that ended")            \
    X(REACHABLE_FOUND, reachable_found, "of those, the ones that brought a value")              \
    X(REACHABLE_CALLS, reachable_calls, "calls of reachable users that came to something")      \
    X(REACHABLE_ANSWERED, reachable_answered, "of those, the answered")

typedef enum RecorderCounter {
#define X(id, name, meaning) RECORDER_##id,
    RECORDER_COUNTERS(X)
#undef X
        RECORDER_COUNTER_COUNT
} RecorderCounter;

/* Running totals since the start of the run, and two levels at the instant they are handed over. */
typedef struct RecorderTotals {
    uint64_t counter[RECORDER_COUNTER_COUNT];
    uint64_t drops[PEAL_DROP_COUNT];
    uint64_t codes[RECORDER_CODES]; /* messages delivered, by recorder_code */
    uint64_t online;                /* running now, joined or not */
    uint64_t joined;                /* of those, the joined */
} RecorderTotals;

/* recorder_code is the place of a RELOAD message code in RecorderTotals.codes. */
static inline unsigned recorder_code(uint16_t code)
{
    return code < RECORDER_CODES - 1 ? code : RECORDER_CODES - 1;
}

/* recorder_totals_add adds what another worker counted, levels included. */
void recorder_totals_add(RecorderTotals *totals, const RecorderTotals *more);

/*
 * A lookup that ended: a Fetch, started to answered or given up. It succeeded when an answer came,
 * value or Not_Found, and is correct when that came from the peer responsible at that moment, with
 * the value if a live replica holds one.
 */
typedef struct RecorderLookup {
    PealTime started;
    PealSpan latency; /* started to answered; of a failed one, until it was given up */
    uint32_t asker;   /* peer index */
    uint16_t hops;    /* initial ttl minus ttl as the responsible peer reads it, if succeeded */
    bool succeeded;
    bool correct;
    bool found; /* brought a value */
    PealId key;
} RecorderLookup;

/*
 * A call that has come to something: an INVITE, sent to its 200, or to the failure that ended it.
 * The conversation that follows is no part of it.
 */
typedef struct RecorderCall {
    PealTime started; /* its phone sent the INVITE */
    PealSpan setup;   /* until the caller heard it ring (180), or the 200 where nothing rang; of an
                         answered call */
    PealSpan answer; /* until the 200, less the time it rang at the callee's; of an answered call */
    uint32_t caller; /* peer index */
    uint32_t caller_user;
    uint32_t callee;
    uint32_t callee_user;
    uint16_t status; /* of the final response: 200..299 answered it */
} RecorderCall;

/* What became of one call of a replayed trace; see ReplayEnd in <scenarios/replay.h>. */
typedef struct RecorderReplayed {
    PealTime started;
    PealSpan setup;  /* to the first 101..199, else the 2xx, that the caller heard; -1: neither */
    PealSpan answer; /* to the 2xx; -1: none */
    uint32_t call;   /* its number in the trace */
    uint16_t status; /* of the final response; 0: none */
    uint8_t outcome; /* HistoryOutcome, of a call that has begun */
    bool begun : 1;  /* its caller's phone was there */
    bool ended : 1;  /* false: under way at the end of the run */
} RecorderReplayed;
_Static_assert(sizeof(RecorderReplayed) == 32, "there are a million of them");

/* What one peer carried in the measured window or, values, holds at the end. */
typedef struct RecorderPeer {
    uint32_t messages; /* delivered to it, RELOAD and, as an adapter, SIP */
    uint32_t values;   /* Resource-IDs with a live value, replicas included */
    bool seen;         /* it was up at some time in the window; others are in no figure of load */
    bool up;           /* at the end; only then it is an observation of values */
} RecorderPeer;

/* What MSER-5 looks at: the mean of each row of the series is one observation. */
typedef enum RecorderWatched {
    RECORDER_WATCHES_LATENCY,
    RECORDER_WATCHES_HOPS,
    RECORDER_WATCHES_SUCCESS,
    RECORDER_WATCHES_SETUP,
    RECORDER_WATCHES_ANSWERS,
    RECORDER_WATCHES_MESSAGES /* delivered in the row */
} RecorderWatched;

typedef struct RecorderConfig {
    PealSpan duration; /* > 0 */
    PealSpan warmup;   /* 0..duration; without meaning where mser is set */
    bool mser;         /* the warm-up is cut by MSER-5, at recorder_latest_cut at the latest */
    RecorderWatched watched;
    PealSpan interval; /* of the series; 0: the shortest round one that gives at most 300 rows */
    uint32_t lookups;  /* single lookups kept, and calls; 0: RECORDER_LOOKUPS_DEFAULT */
    PealSpan prompt;   /* a lookup answered within it was prompt, in the series; 0: 3 s */
    bool calls;        /* there may be calls: figures of them are wanted, even of none */
    bool open_ended;   /* the run is whole whenever it ends; an end after the duration counts as
                          then */
} RecorderConfig;

/* recorder_latest_cut is the latest instant at which MSER-5 may cut a run of this duration: about
 * the half of it. What is measured from there on lies in the measured window. */
PealSpan recorder_latest_cut(PealSpan duration);

typedef struct Recorder Recorder;

/* recorder_new: an interval that would give more than 300 rows is made longer. */
Recorder *recorder_new(const RecorderConfig *config);
void recorder_free(Recorder *recorder);

/*
 * recorder_lookup reports a lookup when it has ended; those started outside the measured window
 * only enter the series. recorder_unfinished tells how many were under way at the end; they belong
 * to no other figure.
 */
void recorder_lookup(Recorder *recorder, const RecorderLookup *lookup);
void recorder_unfinished(Recorder *recorder, uint64_t lookups);

/* recorder_call reports a call, and recorder_unfinished_calls those under way at the end, as for
 * lookups. */
void recorder_call(Recorder *recorder, const RecorderCall *call);
void recorder_unfinished_calls(Recorder *recorder, uint64_t calls);

/*
 * recorder_replayed reports a call of a replayed trace, whenever it was, in the order of their
 * numbers; also after recorder_finish.
 * It is kept apart from recorder_call, which is told of the same call.
 */
void recorder_replayed(Recorder *recorder, const RecorderReplayed *replayed);

/* recorder_replayed_rows are those that were kept, by number; NULL when there was none. They are
 * all with *ret_step 1, else one in so many. Borrowed until the next recorder_replayed. */
const RecorderReplayed *recorder_replayed_rows(const Recorder *recorder, size_t *ret_len,
                                               uint32_t *ret_step);

/*
 * recorder_next_sample is the next instant at which the recorder wants the totals: the end of a
 * row, of the warm-up or of the run. PEAL_TIME_NEVER after the last.
 */
PealTime recorder_next_sample(const Recorder *recorder);

/* recorder_sample hands over the totals as they are before anything at `at` happens.
 * at      equals recorder_next_sample() */
void recorder_sample(Recorder *recorder, PealTime at, const RecorderTotals *totals);

/* recorder_event marks an instant for the plots; at most RECORDER_EVENTS_MAX are kept.
 * text    a few words of UTF-8, copied */
void recorder_event(Recorder *recorder, PealTime at, const char *text);

/* recorder_peers hands over per-peer loads, entry i being peer i, at most once and before
 * recorder_finish; borrowed for the call. Only those seen enter anything. */
void recorder_peers(Recorder *recorder, const RecorderPeer *peers, size_t len);

/* What ended lately, for who watches a run; it reaches no figure. */
typedef struct RecorderLately {
    uint64_t lookups; /* that ended, well or not, whenever they started */
    uint64_t succeeded;
    uint64_t latency_ns; /* sum over those that succeeded */
    uint64_t calls;
    uint64_t answered;
    uint64_t setup_ns; /* sum over the answered */
} RecorderLately;

/* recorder_lately tells what was reported since it was last called. */
RecorderLately recorder_lately(Recorder *recorder);

/*
 * recorder_finish ends the recording, at the run's end or before it when the run is interrupted;
 * then rows after `at` and lookups started after it are gone, and only reading is left.
 * totals  at `at`; recorder_sample need not be called for the same instant
 */
void recorder_finish(Recorder *recorder, PealTime at, const RecorderTotals *totals);

/* recorder_interrupted says of an open-ended run that has finished that it was not whole. */
void recorder_interrupted(Recorder *recorder);

/* The figures of the measured window, valid after recorder_finish while the recorder lives. */
typedef struct RecorderFigures {
    PealSpan warmup; /* as configured, or where MSER-5 cut */
    bool cut_late;   /* MSER-5 would have cut later if it might: the run was too short to tell */
    PealSpan window; /* end - warmup, 0 when interrupted during the warm-up */
    PealTime end;
    bool interrupted; /* ended before its duration */
    uint64_t started; /* lookups started in the window and ended, well or not */
    uint64_t succeeded;
    uint64_t correct;
    uint64_t found;
    uint64_t unfinished;
    const Histogram *hops;          /* of succeeded lookups */
    const Histogram *latency_ns;    /* the same */
    const Histogram *peer_messages; /* RecorderPeer.messages over the peers; empty without them */
    const Histogram *peer_values;
    uint64_t calls_started; /* as for lookups */
    uint64_t calls_answered;
    uint64_t calls_failed[RECORDER_STATUSES]; /* by status */
    uint64_t calls_unfinished;
    const Histogram *setup_ns; /* of answered calls */
    const Histogram *answer_ns;
    RecorderTotals totals; /* counters in the window; levels at the end */
} RecorderFigures;
const RecorderFigures *recorder_figures(const Recorder *recorder);

#endif
