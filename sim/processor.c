/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * processor.c - one server with a bounded queue for each peer.
 */
#include "processor.h"

/*
 * Measured of `peal node` on one core (tests/bench/FIGURES.md). A REGISTER at one peer took 9.1 us,
 * and the six messages of a call that come in 56 us: 9.3 us each; so one figure for all of SIP. At
 * three peers a REGISTER took 40 us more, for the 10.7 frames of a Store at another peer (two times
 * in three), two replicas, their answers and all their acknowledgements.
 */
static const int64_t BENCHMARK_NS[] = {
    [PROCESSOR_FRAME] = 3700, [PROCESSOR_SIP] = 9100, [PROCESSOR_SIP_REQUEST] = 9100};

enum { MILLI = 1000 };

static int64_t benchmark_ns(const Processor *processor, ProcessorKind kind)
{
    return BENCHMARK_NS[kind] * processor->model->benchmark_milli / MILLI;
}

void processor_init(Processor *processor, const ScenarioProcessor *model, uint64_t seed,
                    uint32_t peers)
{
    double mean_ns = 1e3 * dist_mean_us(&model->service);

    *processor = (Processor){.model = model, .seed = seed, .peers = peers};
    if (model->service.kind == DIST_NONE) {
        return;
    }
    if (model->benchmark_milli > 0) {
        mean_ns = (double)benchmark_ns(processor, PROCESSOR_SIP_REQUEST);
    }
    processor->reject.ns = (int64_t)(mean_ns * model->reject_ppm / SCENARIO_PPM);
    processor->states = g_new0(ProcessorState, peers);
    processor->waits = histogram_new(HISTOGRAM_FINE);
}

void processor_fini(Processor *processor)
{
    g_free(processor->states);
    processor->states = NULL;
    if (processor->waits != NULL) {
        histogram_free(processor->waits);
        processor->waits = NULL;
    }
}

PealSpan processor_wait(const Processor *processor, uint32_t peer, PealTime now)
{
    if (processor->states == NULL) {
        return (PealSpan){0};
    }
    return (PealSpan){MAX(processor->states[peer].busy_until - now.ns, 0)};
}

bool processor_has_room(const Processor *processor, uint32_t peer, PealTime now)
{
    const ScenarioQueue *queue = &processor->model->queue;

    return queue->messages > 0 ? processor->states[peer].present < queue->messages
                               : processor_wait(processor, peer, now).ns <= queue->time.ns;
}

static PealSpan service_of(Processor *processor, uint32_t peer, ProcessorKind kind)
{
    if (processor->model->benchmark_milli > 0) {
        return (PealSpan){benchmark_ns(processor, kind)};
    }
    return dist_draw(&processor->model->service, processor->seed,
                     peal_random_stream(peer, PEAL_DRAW_PROCESSOR),
                     processor->states[peer].served++);
}

static void work(Processor *processor, uint32_t peer, PealTime now, PealSpan service)
{
    ProcessorState *state = &processor->states[peer];

    state->busy_until = MAX(state->busy_until, now.ns) + service.ns;
    state->busy_ns += service.ns;
}

bool processor_arrive(Processor *processor, uint32_t peer, PealTime now, ProcessorKind kind,
                      PealTime *ret_end)
{
    ProcessorState *state = &processor->states[peer];

    if (!processor_has_room(processor, peer, now)) {
        return false;
    }
    histogram_add(processor->waits, (uint64_t)processor_wait(processor, peer, now).ns, 1);
    work(processor, peer, now, service_of(processor, peer, kind));
    state->present++;
    *ret_end = (PealTime){state->busy_until};
    return true;
}

void processor_reject(Processor *processor, uint32_t peer, PealTime now)
{
    if (processor->states != NULL) {
        work(processor, peer, now, processor->reject);
    }
}

void processor_served(Processor *processor, uint32_t peer)
{
    PEAL_ASSERT(processor->states[peer].present > 0);
    processor->states[peer].present--;
}

void processor_clear(Processor *processor, PealTime now)
{
    if (processor->states == NULL) {
        return;
    }
    for (uint32_t i = 0; i < processor->peers; i++) {
        processor->states[i].busy_ns = processor_wait(processor, i, now).ns;
    }
    histogram_free(processor->waits);
    processor->waits = histogram_new(HISTOGRAM_FINE);
    processor->since = now;
}

double processor_busy(const Processor *processor, uint32_t peer, PealTime now)
{
    double window = (double)peal_time_since(now, processor->since).ns;
    int64_t done = processor->states[peer].busy_ns - processor_wait(processor, peer, now).ns;

    return window > 0 ? (double)MAX(done, 0) / window : 0;
}

void processor_figures(const Processor *processor, uint32_t peers, PealTime now,
                       RunOutcome *outcome)
{
    double sum = 0;
    double most = 0;

    if (processor->states == NULL) {
        return;
    }
    for (uint32_t i = 0; i < peers; i++) {
        double busy = processor_busy(processor, i, now);

        sum += busy;
        most = MAX(most, busy);
    }
    run_outcome_figure(outcome, "processor.busy_mean", sum / peers, RESULTS_MEAN);
    run_outcome_figure(outcome, "processor.busy_max", most, RESULTS_MEAN);
    run_outcome_figure(outcome, "processor.wait_ms_mean", histogram_mean(processor->waits) / 1e6,
                       RESULTS_MEAN);
    run_outcome_figure(outcome, "processor.wait_ms_p50",
                       histogram_quantile(processor->waits, 0.5) / 1e6, RESULTS_MEAN);
    run_outcome_figure(outcome, "processor.wait_ms_p95",
                       histogram_quantile(processor->waits, 0.95) / 1e6, RESULTS_MEAN);
    run_outcome_figure(outcome, "processor.wait_ms_p99",
                       histogram_quantile(processor->waits, 0.99) / 1e6, RESULTS_MEAN);
}
