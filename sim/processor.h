/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * processor.h - each peer's processor: one server, first in first out, and a bound on what waits
 *               for it.
 * Source: the M/G/1/K queue.
 * State:  16 bytes a peer, none with an infinite processor.
 * Time:   a frame that arrives reaches its peer when its service ends. Timers and sending cost
 *         nothing.
 */
#ifndef SIM_PROCESSOR_H
#define SIM_PROCESSOR_H

#include <scenarios/scenario.h>

typedef struct ProcessorState {
    int64_t busy_until;
    uint32_t present; /* frames waiting or in service */
    uint32_t served;  /* number of the next service time to be drawn */
} ProcessorState;

typedef struct Processor {
    const ScenarioProcessor *model;
    uint64_t seed;
    ProcessorState *states; /* per peer; NULL while the processor is infinite */
} Processor;

/* processor_init: model is borrowed; DIST_NONE makes everything here free and immediate. */
void processor_init(Processor *processor, const ScenarioProcessor *model, uint64_t seed,
                    uint32_t peers);
void processor_fini(Processor *processor);

static inline bool processor_is_infinite(const Processor *processor)
{
    return processor->states == NULL;
}

/*
 * processor_arrive queues one frame. A queue of K messages holds K frames, the one in service
 * included; a queue of a time turns away what would wait longer than that for its service to begin.
 * Returns false when it is turned away, else *ret_end is when its service ends.
 */
bool processor_arrive(Processor *processor, uint32_t peer, PealTime now, PealTime *ret_end);

/* processor_served: that service ended. The processor is the machine's, not the peer's: what waits
 * when the peer dies is worked off all the same. */
void processor_served(Processor *processor, uint32_t peer);

#endif
