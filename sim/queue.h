/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * queue.h - the event queue: a calendar of time buckets, each sorted when its turn comes.
 * Source: R. Brown, Calendar queues, CACM 31(10), 1988; the layout follows measurements of our own
 *         (README).
 * State:  16 bytes an event; 4,096 buckets as wide as about QUEUE_BUCKET_AIM events, a heap for
 *         what lies beyond them and a heap for what is put into the bucket that is being drained.
 * Time:   events come out in the total order (time, destination, own timer first, source, source
 *         sequence), exactly, whatever the width of a bucket; so the width may follow the load
 *         without changing any result.
 */
#ifndef SIM_QUEUE_H
#define SIM_QUEUE_H

#include "packet.h"

enum {
    QUEUE_BUCKETS = 4096,
    QUEUE_BUCKET_AIM = 192,
    QUEUE_CHUNK_EVENTS = 63,
    QUEUE_PREFETCH = 16 /* a consumer may look this far ahead */
};

typedef struct Event {
    int64_t at; /* ns */
    uint32_t dest;
    SlabRef ref; /* of the packet; 0 is the peer's own timer */
} Event;

typedef struct EventHeap {
    Event *events;
    uint32_t len;
    uint32_t cap;
} EventHeap;

typedef struct QueueChunk {
    uint32_t next; /* + 1; 0 at the end, or in the free list */
    uint32_t len;
    uint64_t spare;
    Event events[QUEUE_CHUNK_EVENTS];
} QueueChunk;

typedef struct Queue {
    const Slab *packets; /* where refs lead, for ties */
    /* The bucket that is being drained. */
    Event *sorted;
    uint32_t pos;
    uint32_t len;
    int64_t end;    /* of that bucket: earlier events go to `near` */
    EventHeap near; /* events put in while their bucket is open */
    /* Buckets to come. */
    unsigned width_shift;                /* log2 of a bucket's ns */
    uint32_t buckets[QUEUE_BUCKETS];     /* first chunk + 1 */
    uint64_t filled[QUEUE_BUCKETS / 64]; /* one bit a bucket */
    QueueChunk *chunks;
    uint32_t chunks_len;
    uint32_t chunks_cap;
    uint32_t chunk_free; /* + 1 */
    EventHeap far;       /* beyond the last bucket */
    Event *scratch;
    uint32_t *bins;
    uint32_t sorted_cap;
    uint32_t bins_cap;
    uint64_t waiting; /* events in buckets */
    /* What the width follows. */
    uint64_t measured_events;
    int64_t measured_since;
} Queue;

/* queue_init makes an empty queue whose clock starts at 0. packets: borrowed. */
void queue_init(Queue *queue, const Slab *packets);
void queue_fini(Queue *queue);

/* queue_push adds an event; at >= the time of the last one popped. */
void queue_push(Queue *queue, Event event);

/* queue_is_drained tells whether nothing is left of the open bucket. */
static inline bool queue_is_drained(const Queue *queue)
{
    return queue->pos == queue->len && queue->near.len == 0;
}

/* queue_next_start is the least time that the next bucket may hold, INT64_MAX when there is none.
 * The open bucket must be drained; this is where the width of the buckets follows the load. */
int64_t queue_next_start(Queue *queue);

/* queue_width is how many ns the next bucket spans. */
static inline int64_t queue_width(const Queue *queue)
{
    return INT64_C(1) << queue->width_shift;
}

/* queue_open sorts the next bucket; the one before must be drained. Returns false when there is
 * none. */
bool queue_open(Queue *queue);

/* queue_pop_near is queue_pop where `near` holds something. */
bool queue_pop_near(Queue *queue, int64_t before, Event *ret_event);

/* queue_pop takes the first event of the open bucket if it comes before `before`, else returns
 * false. */
static inline bool queue_pop(Queue *queue, int64_t before, Event *ret_event)
{
    if (__builtin_expect(queue->near.len > 0, 0)) {
        return queue_pop_near(queue, before, ret_event);
    }
    if (queue->pos == queue->len || queue->sorted[queue->pos].at >= before) {
        return false;
    }
    *ret_event = queue->sorted[queue->pos++];
    return true;
}

/* queue_ahead is the event n places behind the one popped last, for prefetching; n <
 * QUEUE_PREFETCH. Past the end of the bucket it is an event of peer 0 without a packet. */
static inline const Event *queue_ahead(const Queue *queue, uint32_t n)
{
    return &queue->sorted[queue->pos + n];
}

/* queue_each calls visit for everything still queued, in no order. */
void queue_each(const Queue *queue, void (*visit)(void *user, const Event *event), void *user);

#endif
