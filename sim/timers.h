/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * timers.h - the peers' deadlines, one each, in a wheel of two levels that is put right lazily.
 * Source: G. Varghese, A. Lauck, Hashed and hierarchical timing wheels, SOSP 1987.
 * State:  24 bytes a peer, 8 bytes an entry of the wheel, usually one or two entries a peer.
 * Time:   level 0 spans 1.07 s in slots of 1.05 ms, level 1 73 min in slots of 1.07 s. What lies
 *         beyond is filed at the wheel's end and filed again there.
 *
 * A deadline that moves later leaves its entry alone: when that comes up, it is filed again. One
 * that moves earlier adds an entry, and the later entry stays known, for the deadline often moves
 * back.
 */
#ifndef SIM_TIMERS_H
#define SIM_TIMERS_H

#include "queue.h"

enum {
    TIMERS_SLOTS_0 = 1024,
    TIMERS_SLOTS_1 = 4096,
    TIMERS_SHIFT_0 = 20,
    TIMERS_SHIFT_1 = 30,
    TIMERS_CHUNK_ENTRIES = 31
};

/* Inside each peer. All INT64_MAX while there is no deadline. */
typedef struct PeerTimer {
    int64_t deadline; /* what the peer asked for */
    int64_t near;     /* the entry that counts: at or before the deadline */
    int64_t far;      /* one more that is known, behind it */
} PeerTimer;

typedef struct TimerEntry {
    uint32_t offset_ns; /* in its slot */
    uint32_t peer;
} TimerEntry;

typedef struct TimerChunk {
    uint32_t next; /* + 1 */
    uint32_t len;
    TimerEntry entries[TIMERS_CHUNK_ENTRIES];
} TimerChunk;

typedef struct Timers {
    Queue *queue;
    int64_t opened; /* slots of level 0 before this one have gone to the queue */
    int64_t next;   /* start of the first slot that holds something, INT64_MAX for none */
    uint32_t slots_0[TIMERS_SLOTS_0];
    uint32_t slots_1[TIMERS_SLOTS_1];
    uint64_t filled_0[TIMERS_SLOTS_0 / 64];
    uint64_t filled_1[TIMERS_SLOTS_1 / 64];
    TimerChunk *chunks;
    uint32_t chunks_len;
    uint32_t chunks_cap;
    uint32_t chunk_free;
} Timers;

/* timers_init: deadlines whose slot comes up go to `queue` as events without a packet. */
void timers_init(Timers *timers, Queue *queue);
void timers_fini(Timers *timers);

static inline PeerTimer timers_none(void)
{
    return (PeerTimer){INT64_MAX, INT64_MAX, INT64_MAX};
}

/* timers_file adds an entry for a peer; inside timers.c and timers_set. Returns the time it is
 * filed at. */
int64_t timers_file(Timers *timers, uint32_t peer, int64_t at);

/* timers_set replaces the peer's deadline. at: not before the last event popped; INT64_MAX for
 * none. */
static inline void timers_set(Timers *timers, uint32_t peer, PeerTimer *timer, int64_t at)
{
    timer->deadline = at;
    if (at < timer->near) {
        if (timer->far == INT64_MAX) {
            timer->far = timer->near;
        }
        timer->near = timers_file(timers, peer, at);
    }
}

/* timers_due is called with each timer event. Returns true when the peer's deadline has come, which
 * is then cleared; otherwise the event was out of date. */
bool timers_due(Timers *timers, uint32_t peer, PeerTimer *timer, int64_t at);

/* timers_open moves the entries of the first slot that holds something to the queue, at
 * timers->next. */
void timers_open(Timers *timers);

/* timers_pass tells that the queue has opened a bucket that ends at `end`, at or before
 * timers->next: deadlines before that go straight to the queue from now on. */
static inline void timers_pass(Timers *timers, int64_t end)
{
    int64_t slot = ((end - 1) >> TIMERS_SHIFT_0) + 1;

    if (slot > timers->opened) {
        timers->opened = slot;
    }
}

#endif
