/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * processor.h - each peer's processor: one server, first in first out, and a bound on what waits
 *               for it.
 * Source: the M/G/1/K queue; service times of kinds: tests/bench/FIGURES.md.
 * State:  24 bytes a peer and a histogram of waits, none with an infinite processor.
 * Time:   a frame that arrives reaches its peer when its service ends. Timers and sending cost
 *         nothing.
 */
#ifndef SIM_PROCESSOR_H
#define SIM_PROCESSOR_H

#include <analysis/histogram.h>
#include <scenarios/run.h>

/* What a service is for. */
typedef enum ProcessorKind {
    PROCESSOR_FRAME,
    PROCESSOR_SIP,         /* a response or an ACK */
    PROCESSOR_SIP_REQUEST, /* any other */
} ProcessorKind;

typedef struct ProcessorState {
    int64_t busy_until;
    int64_t busy_ns;  /* services since the counts began, those to come included */
    uint32_t present; /* frames waiting or in service */
    uint32_t served;  /* number of the next service time to be drawn */
} ProcessorState;

typedef struct Processor {
    const ScenarioProcessor *model;
    uint64_t seed;
    PealSpan reject;        /* what a refused message costs */
    ProcessorState *states; /* per peer; NULL while the processor is infinite */
    uint32_t peers;
    Histogram *waits; /* ns, of the frames that were taken since the counts began */
    PealTime since;   /* when that was */
} Processor;

/* processor_init: model is borrowed; DIST_NONE makes everything here free and immediate. */
void processor_init(Processor *processor, const ScenarioProcessor *model, uint64_t seed,
                    uint32_t peers);
void processor_fini(Processor *processor);

static inline bool processor_is_infinite(const Processor *processor)
{
    return processor->states == NULL;
}

/* processor_charges: does a message of this kind take the processor's time? */
static inline bool processor_charges(const Processor *processor, ProcessorKind kind)
{
    return processor->states != NULL &&
           (processor->model->charge == SCENARIO_CHARGE_ALL || kind == PROCESSOR_SIP_REQUEST);
}

/* processor_wait is how long a frame that arrives now has to wait for its service to begin. */
PealSpan processor_wait(const Processor *processor, uint32_t peer, PealTime now);

/* processor_has_room: a queue of K messages holds K frames, the one in service included; a queue of
 * a time turns away what would wait longer than that for its service to begin. */
bool processor_has_room(const Processor *processor, uint32_t peer, PealTime now);

/* processor_arrive queues one frame, if there is room for it. Returns false when it is turned away,
 * else *ret_end is when its service ends. */
bool processor_arrive(Processor *processor, uint32_t peer, PealTime now, ProcessorKind kind,
                      PealTime *ret_end);

/* processor_reject: a frame was refused at first sight. That takes a share of the mean service,
 * before what waits. */
void processor_reject(Processor *processor, uint32_t peer, PealTime now);

/* processor_served: that service ended. The processor is the machine's, not the peer's: what waits
 * when the peer dies is worked off all the same. */
void processor_served(Processor *processor, uint32_t peer);

/* processor_clear begins the counts anew. */
void processor_clear(Processor *processor, PealTime now);

/* processor_busy is the share of the time since that it worked; 0 of no time. Not of an infinite
 * one. */
double processor_busy(const Processor *processor, uint32_t peer, PealTime now);

/* processor_figures adds the figures `processor.*` of the time since, of the first `peers` peers;
 * none with an infinite one. */
void processor_figures(const Processor *processor, uint32_t peers, PealTime now,
                       RunOutcome *outcome);

#endif
