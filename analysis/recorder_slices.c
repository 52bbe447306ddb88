/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorder_slices.c - a recording whose warm-up is found at its end; see recorder.h. */
#include <analysis/mser.h>
#include <math.h>

#include "recorder_state.h"

/* A slice for each batch of the first half, and one for all that follows. */
void recorder_slices_init(Recorder *recorder)
{
    size_t batches = recorder->rows_len / MSER_BATCH;

    recorder->slices_len = batches / 2 + 1;
    PEAL_ASSERT(recorder->slices_len <= RECORDER_SLICES_MAX);
    recorder->slices = g_new0(RecorderSlice, recorder->slices_len);
    for (size_t i = 0; i < recorder->slices_len; i++) {
        RecorderSlice *slice = &recorder->slices[i];

        slice->start = recorder->rows[i * MSER_BATCH].start;
        slice->hops = histogram_new(HISTOGRAM_EXACT);
        slice->latency_ns = histogram_new(HISTOGRAM_FINE);
        slice->setup_ns = histogram_new(HISTOGRAM_FINE);
        slice->answer_ns = histogram_new(HISTOGRAM_FINE);
    }
}

void recorder_slices_fini(Recorder *recorder)
{
    for (size_t i = 0; i < recorder->slices_len; i++) {
        histogram_free(recorder->slices[i].hops);
        histogram_free(recorder->slices[i].latency_ns);
        histogram_free(recorder->slices[i].setup_ns);
        histogram_free(recorder->slices[i].answer_ns);
    }
    g_free(recorder->slices);
}

void recorder_slices_sample(Recorder *recorder, PealTime at, const RecorderTotals *totals)
{
    for (size_t i = 0; i < recorder->slices_len; i++) {
        if (recorder->slices[i].start.ns == at.ns) {
            recorder->slices[i].totals = *totals;
        }
    }
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

static double observation(const RecorderRow *row, RecorderWatched watched)
{
    switch (watched) {
    case RECORDER_WATCHES_LATENCY:
        return row->latency_ns != NULL ? histogram_mean(row->latency_ns) : NAN;
    case RECORDER_WATCHES_HOPS:
        return ratio(row->hops, row->succeeded);
    case RECORDER_WATCHES_SUCCESS:
        return ratio(row->succeeded, row->started);
    case RECORDER_WATCHES_SETUP:
        return row->setup_ns != NULL ? histogram_mean(row->setup_ns) : NAN;
    case RECORDER_WATCHES_ANSWERS:
        return ratio(row->calls_answered, row->calls_started);
    case RECORDER_WATCHES_MESSAGES:
        return (double)row->counter[RECORDER_MESSAGES];
    }
    return NAN;
}

/* Batches of five rows; those that an interruption left are whole but for the last. */
static MserCut find_cut(const Recorder *recorder)
{
    double batches[RECORDER_ROWS_MAX / MSER_BATCH];
    size_t len = recorder->rows_len / MSER_BATCH;

    for (size_t i = 0; i < len; i++) {
        double rows[MSER_BATCH];

        for (size_t j = 0; j < MSER_BATCH; j++) {
            rows[j] = observation(&recorder->rows[i * MSER_BATCH + j], recorder->config.watched);
        }
        batches[i] = mser_batch(rows, MSER_BATCH);
    }
    return mser_cut(batches, len);
}

static void add_slice(Recorder *recorder, const RecorderSlice *slice)
{
    RecorderFigures *figures = &recorder->figures;

    figures->started += slice->counts.started;
    figures->succeeded += slice->counts.succeeded;
    figures->correct += slice->counts.correct;
    figures->found += slice->counts.found;
    figures->calls_started += slice->counts.calls_started;
    figures->calls_answered += slice->counts.calls_answered;
    for (size_t i = 0; i < RECORDER_STATUSES; i++) {
        figures->calls_failed[i] += slice->counts.calls_failed[i];
    }
    histogram_merge(recorder->hops, slice->hops);
    histogram_merge(recorder->latency_ns, slice->latency_ns);
    histogram_merge(recorder->calls.setup_ns, slice->setup_ns);
    histogram_merge(recorder->calls.answer_ns, slice->answer_ns);
}

static bool lookup_is_after(const void *item, PealTime from)
{
    return ((const struct RecorderSampled *)item)->lookup.started.ns >= from.ns;
}

static bool call_is_after(const void *item, PealTime from)
{
    return ((const struct RecorderSampledCall *)item)->call.started.ns >= from.ns;
}

void recorder_slices_cut(Recorder *recorder)
{
    MserCut cut = find_cut(recorder);
    const RecorderSlice *first = &recorder->slices[cut.cut];

    recorder->figures.warmup.ns = first->start.ns;
    recorder->figures.cut_late = !cut.settled;
    recorder->start = first->totals;
    for (size_t i = cut.cut; i < recorder->slices_len; i++) {
        add_slice(recorder, &recorder->slices[i]);
    }
    sample_filter(&recorder->lookups, lookup_is_after, first->start);
    sample_filter(&recorder->calls.sample, call_is_after, first->start);
}
