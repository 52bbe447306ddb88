/*
 * recorder_state.h - a recorder's memory, for the recorder itself and for the results it is written
 * to. Source: none.   State: see recorder.h.   Time: see recorder.h.
 */
#ifndef RECORDER_STATE_H
#define RECORDER_STATE_H

#include <analysis/recorder.h>
#include <glib.h>

#include "sample.h"

/* One row of the series: [start, end). Lookups belong to it by the instant they started. */
typedef struct RecorderRow {
    PealTime start;
    PealTime end;
    uint64_t started;
    uint64_t succeeded;
    uint64_t prompt; /* of those, within config.prompt */
    uint64_t correct;
    uint64_t found;
    uint64_t hops;         /* sum over succeeded lookups */
    Histogram *latency_ns; /* of succeeded lookups; NULL while there are none */
    bool sampled;          /* the fields below are known */
    uint64_t counter[RECORDER_COUNTER_COUNT];
    uint64_t dropped;
    uint64_t online; /* at the end of the row */
    uint64_t joined;
    uint64_t calls_started; /* by the instant they started */
    uint64_t calls_answered;
    Histogram *setup_ns; /* of answered calls; NULL while there are none */
} RecorderRow;

typedef struct RecorderMark {
    PealTime at;
    char *text;
} RecorderMark;

typedef struct RecorderPeerRow {
    uint32_t peer;
    RecorderPeer load;
} RecorderPeerRow;

/* In the samples; see sample.h. */
struct RecorderSampled {
    uint64_t number;
    RecorderLookup lookup;
};
struct RecorderSampledCall {
    uint64_t number;
    RecorderCall call;
};

typedef struct RecorderCalls {
    Histogram *setup_ns;
    Histogram *answer_ns;
    Sample sample; /* of struct RecorderSampledCall */
} RecorderCalls;

/* Calls of a replayed trace. */
typedef struct RecorderReplay {
    GArray *rows;  /* of RecorderReplayed; NULL: there was no call */
    uint32_t step; /* calls whose number it divides are kept */
    Histogram *setup_ns;
    Histogram *answer_ns;
} RecorderReplay;

enum { RECORDER_SLICES_MAX = 32 };

/* What is measured in a part of the run, by the instant at which things start. */
typedef struct RecorderSlice {
    PealTime start;
    RecorderFigures counts; /* its counts of lookups and calls */
    Histogram *hops;
    Histogram *latency_ns;
    Histogram *setup_ns;
    Histogram *answer_ns;
    RecorderTotals totals; /* at its start */
} RecorderSlice;

struct Recorder {
    RecorderConfig config;
    bool finished;
    RecorderLately lately;
    RecorderFigures figures;
    RecorderSlice *slices; /* with mser; else NULL */
    size_t slices_len;
    Histogram *hops;
    Histogram *latency_ns;
    Histogram *peer_messages;
    Histogram *peer_values;
    /* Series */
    RecorderRow *rows;
    size_t rows_len;
    size_t sampled;       /* rows whose end was sampled */
    RecorderTotals last;  /* at the last sample */
    RecorderTotals start; /* at the start of the window */
    bool window_open;
    Sample lookups; /* of struct RecorderSampled */
    RecorderCalls calls;
    RecorderReplay replay;
    GArray *marks; /* of RecorderMark */
    GArray *peers; /* of RecorderPeerRow */
};

/* recorder_row_at is the row of the series that an instant falls into, NULL outside the run. */
RecorderRow *recorder_row_at(Recorder *recorder, PealTime at);

/* Where the counts of something that started at an instant go; NULL outside the measured window. */
typedef struct RecorderTarget {
    RecorderFigures *counts;
    Histogram *hops;
    Histogram *latency_ns;
    Histogram *setup_ns;
    Histogram *answer_ns;
} RecorderTarget;
bool recorder_target(Recorder *recorder, PealTime started, RecorderTarget *ret_target);

/* recorder_slices.c: the slices' part of a recorder's life. Rows are laid out before. */
void recorder_slices_init(Recorder *recorder);
void recorder_slices_fini(Recorder *recorder);
/* recorder_slices_sample: the totals at the end of a row. */
void recorder_slices_sample(Recorder *recorder, PealTime at, const RecorderTotals *totals);
/* recorder_slices_cut finds the end of the warm-up, once all rows are there, and sums what follows
 * into the figures. Only what is sampled is left to be cut. */
void recorder_slices_cut(Recorder *recorder);

/* recorder_calls.c: the calls' part of a recorder's life. */
void recorder_calls_init(RecorderCalls *calls, uint32_t keep);
void recorder_calls_fini(RecorderCalls *calls);
void recorder_calls_finish(Recorder *recorder);
const struct RecorderSampledCall *recorder_sampled_calls(const Recorder *recorder, size_t *ret_len);

/* recorder_replay.c */
void recorder_replay_fini(RecorderReplay *replay);

/* recorder_lookups returns the sampled lookups in the order of their start; valid after
 * recorder_finish. */
const struct RecorderSampled *recorder_lookups(const Recorder *recorder, size_t *ret_len);

#endif
