/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * processor.c - one server with a bounded queue for each peer.
 */
#include "processor.h"

void processor_init(Processor *processor, const ScenarioProcessor *model, uint64_t seed,
                    uint32_t peers)
{
    *processor = (Processor){.model = model, .seed = seed};
    if (model->service.kind != DIST_NONE) {
        processor->states = g_new0(ProcessorState, peers);
    }
}

void processor_fini(Processor *processor)
{
    g_free(processor->states);
    processor->states = NULL;
}

bool processor_arrive(Processor *processor, uint32_t peer, PealTime now, PealTime *ret_end)
{
    ProcessorState *state = &processor->states[peer];
    const ScenarioQueue *queue = &processor->model->queue;
    int64_t begin = MAX(state->busy_until, now.ns);
    PealSpan service;

    if (queue->messages > 0 ? state->present >= queue->messages : begin - now.ns > queue->time.ns) {
        return false;
    }
    service = dist_draw(&processor->model->service, processor->seed,
                        peal_random_stream(peer, PEAL_DRAW_PROCESSOR), state->served++);
    state->busy_until = begin + service.ns;
    state->present++;
    *ret_end = (PealTime){state->busy_until};
    return true;
}

void processor_served(Processor *processor, uint32_t peer)
{
    PEAL_ASSERT(processor->states[peer].present > 0);
    processor->states[peer].present--;
}
