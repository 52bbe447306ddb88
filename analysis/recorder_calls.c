/* SPDX-License-Identifier: GPL-3.0-or-later */
/* recorder_calls.c - the calls of a recording; see recorder.h. */
#include <peal/random.h>

#include "recorder_state.h"

void recorder_calls_init(RecorderCalls *calls, uint32_t keep)
{
    calls->setup_ns = histogram_new(HISTOGRAM_FINE);
    calls->answer_ns = histogram_new(HISTOGRAM_FINE);
    sample_init(&calls->sample, sizeof(struct RecorderSampledCall), keep);
}

void recorder_calls_fini(RecorderCalls *calls)
{
    histogram_free(calls->setup_ns);
    histogram_free(calls->answer_ns);
    sample_fini(&calls->sample);
}

static void call_in_series(Recorder *recorder, const RecorderCall *call, bool answered)
{
    RecorderRow *row = recorder_row_at(recorder, call->started);

    if (row == NULL) {
        return;
    }
    row->calls_started++;
    if (answered) {
        row->calls_answered++;
        if (row->setup_ns == NULL) {
            row->setup_ns = histogram_new(HISTOGRAM_COARSE);
        }
        histogram_add(row->setup_ns, (uint64_t)call->setup.ns, 1);
    }
}

static void sample_call(RecorderCalls *calls, const RecorderCall *call)
{
    uint64_t caller = (uint64_t)call->caller << 32 | call->caller_user;
    uint64_t callee = (uint64_t)call->callee << 32 | call->callee_user;
    struct RecorderSampledCall item = {.number = peal_random_at(callee, caller,
                                                                (uint64_t)call->started.ns),
                                       .call = *call};

    sample_add(&calls->sample, &item);
}

void recorder_call(Recorder *recorder, const RecorderCall *call)
{
    RecorderCalls *calls = &recorder->calls;
    RecorderTarget target;
    bool answered = call->status >= 200 && call->status < 300;

    PEAL_ASSERT(!recorder->finished && call->status < RECORDER_STATUSES);
    PEAL_ASSERT(!answered || (call->setup.ns >= 0 && call->answer.ns >= 0));
    recorder->lately.calls++;
    if (answered) {
        recorder->lately.answered++;
        recorder->lately.setup_ns += (uint64_t)call->setup.ns;
    }
    call_in_series(recorder, call, answered);
    if (!recorder_target(recorder, call->started, &target)) {
        return;
    }
    target.counts->calls_started++;
    if (answered) {
        target.counts->calls_answered++;
        histogram_add(target.setup_ns, (uint64_t)call->setup.ns, 1);
        histogram_add(target.answer_ns, (uint64_t)call->answer.ns, 1);
    } else {
        target.counts->calls_failed[call->status]++;
    }
    sample_call(calls, call);
}

void recorder_unfinished_calls(Recorder *recorder, uint64_t calls)
{
    recorder->figures.calls_unfinished += calls;
}

static int compare_calls(const void *a, const void *b)
{
    const RecorderCall *one = &((const struct RecorderSampledCall *)a)->call;
    const RecorderCall *other = &((const struct RecorderSampledCall *)b)->call;

    if (one->started.ns != other->started.ns) {
        return one->started.ns < other->started.ns ? -1 : 1;
    }
    if (one->caller != other->caller) {
        return one->caller < other->caller ? -1 : 1;
    }
    return one->caller_user < other->caller_user ? -1 : one->caller_user > other->caller_user;
}

void recorder_calls_finish(Recorder *recorder)
{
    sample_finish(&recorder->calls.sample, compare_calls);
    recorder->figures.setup_ns = recorder->calls.setup_ns;
    recorder->figures.answer_ns = recorder->calls.answer_ns;
}

const struct RecorderSampledCall *recorder_sampled_calls(const Recorder *recorder, size_t *ret_len)
{
    PEAL_ASSERT(recorder->finished);
    *ret_len = recorder->calls.sample.len;
    return (const void *)recorder->calls.sample.items;
}
