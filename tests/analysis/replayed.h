/*
 * replayed.h - a made-up trace, and what became of its calls, for the tests of results and plots.
 * Source: none.   State: none.   Time: none.
 */
#ifndef REPLAYED_H
#define REPLAYED_H

#include <analysis/history.h>
#include <analysis/results.h>
#include <math.h>
#include <peal/random.h>

#include "recording.h"

/* Calls follow each other by a Weibull distribution of shape 0.7, last log-normally long, and ring
 * after some 200 ms; of ten, seven are answered, and one each cancelled, refused and unanswered. */
typedef struct Replayed {
    uint32_t calls;
    uint64_t seed;
} Replayed;

static inline double replayed_draw(const Replayed *replayed, uint64_t purpose, uint64_t i)
{
    return ((double)(peal_random_at(replayed->seed, purpose, i) >> 11) + 0.5) * 0x1p-53;
}

static inline double replayed_gap_s(const Replayed *replayed, uint32_t i)
{
    return 2 * pow(-log(replayed_draw(replayed, 1, i)), 1 / 0.7);
}

/* A normal draw: Box and Muller. */
static inline double replayed_normal(const Replayed *replayed, uint64_t purpose, uint32_t i)
{
    return sqrt(-2 * log(replayed_draw(replayed, purpose, i))) *
           cos(2 * 3.14159265358979 * replayed_draw(replayed, purpose + 1, i));
}

static inline double replayed_talk_s(const Replayed *replayed, uint32_t i)
{
    return exp(4 + 1.2 * replayed_normal(replayed, 2, i));
}

static inline PealSpan replayed_seconds(double seconds)
{
    return (PealSpan){(int64_t)(seconds * 1e9)};
}

static inline HistoryOutcome replayed_outcome(uint32_t i)
{
    static const HistoryOutcome of_ten[] = {HISTORY_ANSWERED,   HISTORY_CANCELLED, HISTORY_ANSWERED,
                                            HISTORY_REFUSED,    HISTORY_ANSWERED,  HISTORY_ANSWERED,
                                            HISTORY_UNANSWERED, HISTORY_ANSWERED,  HISTORY_ANSWERED,
                                            HISTORY_ANSWERED};

    return of_ten[i % 10];
}

static inline uint16_t replayed_status(HistoryOutcome outcome)
{
    static const uint16_t status[] = {200, 487, 486, 0};

    return status[outcome];
}

/* For ResultsTrace; calls are 3 s apart. */
static inline void replayed_call(void *user, uint32_t i, ResultsTraceCall *ret_call)
{
    static const char *const names[] = {"sip:alice@example.org", "sip:bob@example.org",
                                        "sip:carol@example.org", "sip:dave@example.org",
                                        "sip:erin@example.org"};
    const Replayed *replayed = user;
    HistoryOutcome outcome = replayed_outcome(i);
    bool rings = outcome != HISTORY_REFUSED;

    *ret_call = (ResultsTraceCall){
        .at = peal_seconds(3 * (int64_t)i),
        .caller = names[i % 5],
        .callee = names[(i + 1 + i / 5 % 4) % 5],
        .setup = rings ? replayed_seconds(0.2 * exp(0.5 * replayed_normal(replayed, 4, i)))
                       : (PealSpan){-1},
        .final = outcome == HISTORY_UNANSWERED ? (PealSpan){-1} : peal_seconds(4),
        .cancel = outcome == HISTORY_CANCELLED ? peal_seconds(3) : (PealSpan){-1},
        .talk = outcome == HISTORY_ANSWERED ? replayed_seconds(replayed_talk_s(replayed, i))
                                            : (PealSpan){-1},
        .status = replayed_status(outcome),
        .outcome = (uint8_t)outcome};
}

/* Here set-up takes some 900 ms; of every 50 calls one that was answered is refused, and the last
 * does not begin. */
static inline RecorderReplayed replayed_row(const Replayed *replayed, uint32_t i)
{
    HistoryOutcome outcome = i % 50 == 42 ? HISTORY_REFUSED : replayed_outcome(i);
    bool answered = outcome == HISTORY_ANSWERED;
    PealSpan setup = outcome == HISTORY_REFUSED
                         ? (PealSpan){-1}
                         : replayed_seconds(0.9 * exp(0.4 * replayed_normal(replayed, 6, i)));

    return (RecorderReplayed){.call = i,
                              .begun = i % 50 != 49,
                              .ended = i % 50 != 49,
                              .outcome = (uint8_t)outcome,
                              .status = replayed_status(outcome),
                              .started = {(int64_t)(60 + 3 * i) * PEAL_NS_PER_S},
                              .setup = setup,
                              .answer = answered ? replayed_seconds(5) : (PealSpan){-1}};
}

/* Tells the recorder of every call. */
static inline void replayed_record(const Replayed *replayed, Recorder *recorder)
{
    for (uint32_t i = 0; i < replayed->calls; i++) {
        RecorderReplayed row = replayed_row(replayed, i);

        recorder_replayed(recorder, &row);
    }
}

/* Stores the trace, with two quantities. */
static inline bool replayed_set(const Replayed *replayed, Results *results, unsigned point)
{
    g_autofree double *gaps = g_new0(double, replayed->calls + 1);
    g_autofree double *talks = g_new0(double, replayed->calls + 1);
    size_t gaps_len = 0, talks_len = 0;
    Fit fits[2];
    ResultsTraceFit list[2];
    const ResultsTrace trace = {.source = "trace.pcap",
                                .span = peal_seconds(3 * (int64_t)replayed->calls),
                                .speed = 1,
                                .users = 5,
                                .registrations = 10,
                                .calls = replayed->calls,
                                .call = replayed_call,
                                .user = (void *)(uintptr_t)replayed,
                                .fits = list,
                                .fits_len = 2};

    for (uint32_t i = 0; i < replayed->calls; i++) {
        if (i > 0) {
            gaps[gaps_len++] = replayed_gap_s(replayed, i);
        }
        if (replayed_outcome(i) == HISTORY_ANSWERED) {
            talks[talks_len++] = replayed_talk_s(replayed, i);
        }
    }
    fits[0] = fit_spans(gaps, gaps_len);
    fits[1] = fit_spans(talks, talks_len);
    list[0] = (ResultsTraceFit){"interarrival", &fits[0], gaps, gaps_len};
    list[1] = (ResultsTraceFit){"holding", &fits[1], talks, talks_len};
    return results_set_trace(results, point, &trace, NULL);
}

/* Results in which each replication replays the trace; free the name of the directory. */
static inline char *replayed_results(uint32_t calls, unsigned replications)
{
    char *dir = g_dir_make_tmp("peal-replayed-XXXXXX", NULL);
    ResultsConfig config = {.dir = dir,
                            .name = "replay",
                            .version = "0.1.0",
                            .crypto = "none",
                            .scenario = "[scenario]\nname = replay\n",
                            .points = 1,
                            .replications = replications};
    g_autoptr(Results) results = results_open(&config, NULL);
    Replayed trace = {calls, 1};

    PEAL_ASSERT(results != NULL && replayed_set(&trace, results, 0));
    for (unsigned i = 0; i < replications; i++) {
        Replayed here = {calls, 2 + i};
        Recording recording = {
            .seed = i, .hops_mean = 4, .duration_s = 60, .warmup_s = 10, .per_second = 5};
        Recorder *recorder = recording_play(&recording);
        uint64_t begun = calls - calls / 50, same = begun - (calls + 7) / 50;
        ResultsFigure figures[] = {{"replay.calls", calls, RESULTS_SUM, 0},
                                   {"replay.begun", (double)begun, RESULTS_SUM, 0},
                                   {"replay.as_in_trace",
                                    begun > 0 ? (double)same / (double)begun : NAN, RESULTS_RATE,
                                    begun}};
        ResultsReplication head = {.replication = i,
                                   .peers = 100,
                                   .wall_seconds = 1,
                                   .figures = figures,
                                   .figures_len = G_N_ELEMENTS(figures)};

        replayed_record(&here, recorder);
        PEAL_ASSERT(results_add_replication(results, &head, recorder, NULL));
        recorder_free(recorder);
    }
    PEAL_ASSERT(results_finish(results, NULL) && results_write_summary(results, NULL));
    return dir;
}

#endif
