/*
 * recording.h - a made-up replication for the tests of recorder, results and plots.
 * Source: none.   State: none.   Time: none.
 */
#ifndef RECORDING_H
#define RECORDING_H

#include <analysis/recorder.h>
#include <math.h>
#include <peal/random.h>

typedef struct Recording {
    uint64_t seed;
    double hops_mean; /* of a triangular distribution, 2 wide to both sides */
    int64_t duration_s;
    int64_t warmup_s;
    int64_t outage_from_s;     /* lookups fail from here ... */
    int64_t outage_until_s;    /* ... to here; nothing fails when both are 0 */
    unsigned per_second;       /* lookups */
    unsigned calls_per_second; /* every tenth fails; 0: there are none */
    int64_t stop_s;            /* interrupted here; 0: not */
} Recording;

static inline RecorderLookup recording_lookup(const Recording *recording, uint64_t number)
{
    int64_t started = (int64_t)(number * PEAL_NS_PER_S / recording->per_second);
    double draw[2];
    RecorderLookup lookup = {.started = {started}, .asker = (uint32_t)(number % 97)};
    int64_t second = started / PEAL_NS_PER_S;

    for (uint64_t i = 0; i < 2; i++) {
        draw[i] = (double)(peal_random_at(recording->seed, i, number) >> 11) * 0x1p-53;
    }
    lookup.succeeded =
        second < recording->outage_from_s || second >= recording->outage_until_s || draw[0] < 0.6;
    lookup.correct = lookup.succeeded;
    lookup.found = lookup.succeeded && number % 2 == 0;
    lookup.hops = (uint16_t)fmax(0, recording->hops_mean - 2 + 2 * (draw[0] + draw[1]) + 0.5);
    lookup.latency.ns = lookup.succeeded
                            ? (int64_t)(lookup.hops * 120e6 * (0.5 + draw[1])) + PEAL_NS_PER_MS
                            : 15 * PEAL_NS_PER_S;
    lookup.key = peal_id_from_halves((PealIdHalves){number * 7919, recording->seed});
    return lookup;
}

static inline RecorderCall recording_call(const Recording *recording, uint64_t number)
{
    RecorderCall call = {.started = {(int64_t)(number * PEAL_NS_PER_S /
                                               recording->calls_per_second)},
                         .caller = (uint32_t)(number % 31),
                         .callee = (uint32_t)(number % 37),
                         .callee_user = 1,
                         .status = 200};

    if (number % 10 == 0) {
        call.status = number % 20 == 0 ? 480 : 408;
        return call;
    }
    call.setup = peal_ms((int64_t)(100 + number % 100));
    call.answer = peal_ms((int64_t)(150 + number % 100));
    return call;
}

static inline RecorderTotals recording_totals(const Recording *recording, PealTime at)
{
    RecorderTotals totals = {.online = 100, .joined = 100};
    uint64_t seconds = (uint64_t)(at.ns / PEAL_NS_PER_S);

    totals.counter[RECORDER_MESSAGES] = seconds * (1000 + recording->seed % 10);
    totals.counter[RECORDER_MESSAGE_BYTES] = totals.counter[RECORDER_MESSAGES] * 300;
    totals.counter[RECORDER_LINK_ACKS] = seconds * 990;
    totals.counter[RECORDER_LINK_RETRANSMISSIONS] = seconds * 5;
    totals.drops[PEAL_DROP_TTL] = seconds;
    totals.codes[9] = seconds * 600;
    totals.codes[10] = seconds * 400;
    return totals;
}

/* Plays the whole replication; free the recorder with recorder_free. */
static inline Recorder *recording_play(const Recording *recording)
{
    RecorderConfig config = {.duration = peal_seconds(recording->duration_s),
                             .warmup = peal_seconds(recording->warmup_s),
                             .calls = recording->calls_per_second > 0};
    int64_t stop_s = recording->stop_s > 0 ? recording->stop_s : recording->duration_s;
    Recorder *recorder = recorder_new(&config);
    PealTime end = {stop_s * PEAL_NS_PER_S};
    RecorderPeer peers[100];
    RecorderTotals totals;
    PealTime next;

    for (uint64_t i = 0; i < (uint64_t)stop_s * recording->per_second; i++) {
        RecorderLookup lookup = recording_lookup(recording, i);

        recorder_lookup(recorder, &lookup);
    }
    for (uint64_t i = 0; i < (uint64_t)stop_s * recording->calls_per_second; i++) {
        RecorderCall call = recording_call(recording, i);

        recorder_call(recorder, &call);
    }
    while ((next = recorder_next_sample(recorder)).ns < end.ns) {
        totals = recording_totals(recording, next);
        recorder_sample(recorder, next, &totals);
    }
    if (recording->outage_until_s > 0) {
        recorder_event(recorder, (PealTime){recording->outage_from_s * PEAL_NS_PER_S},
                       "fail 20% of peers");
    }
    for (uint32_t i = 0; i < 100; i++) {
        peers[i] = (RecorderPeer){.messages = 1000 + i, .values = i % 5, .seen = true, .up = true};
    }
    recorder_peers(recorder, peers, 100);
    totals = recording_totals(recording, end);
    recorder_finish(recorder, end, &totals);
    return recorder;
}

#endif
