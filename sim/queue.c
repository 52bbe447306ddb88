/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * queue.c - buckets of chunks, a counting sort for each bucket, two heaps beside it.
 */
#include "queue.h"

#include <glib.h>

enum {
    WIDTH_SHIFT_START = 20, /* 1 ms */
    WIDTH_SHIFT_MIN = 13,   /* 8 us */
    WIDTH_SHIFT_MAX = 23,   /* 8 ms: some tenths of usual latencies */
    WIDTH_EVENTS = 1 << 15, /* events between two looks at the load */
    BINS_SHIFT_MAX = 12,
    INSERTION_MAX = 24 /* events of a bin that insertion sorts as fast as anything */
};

static Packet *event_packet(const Queue *queue, const Event *event)
{
    return packet_at(queue->packets, event->ref);
}

/* The total order. Only ties touch packets. */
static bool event_before(const Queue *queue, const Event *a, const Event *b)
{
    const Packet *x;
    const Packet *y;

    if (a->at != b->at) {
        return a->at < b->at;
    }
    if (a->dest != b->dest) {
        return a->dest < b->dest;
    }
    if (a->ref == 0 || b->ref == 0) {
        return a->ref == 0 && b->ref != 0;
    }
    x = event_packet(queue, a);
    y = event_packet(queue, b);
    if (x->source != y->source) {
        return x->source < y->source;
    }
    return x->sequence < y->sequence;
}

static void heap_push(const Queue *queue, EventHeap *heap, Event event)
{
    uint32_t i = heap->len++;

    if (heap->len > heap->cap) {
        heap->cap = heap->cap == 0 ? 64 : 2 * heap->cap;
        heap->events = g_renew(Event, heap->events, heap->cap);
    }
    while (i > 0 && event_before(queue, &event, &heap->events[(i - 1) / 2])) {
        heap->events[i] = heap->events[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    heap->events[i] = event;
}

static Event heap_pop(const Queue *queue, EventHeap *heap)
{
    Event first = heap->events[0];
    Event last = heap->events[--heap->len];
    uint32_t i = 0;

    while (2 * i + 1 < heap->len) {
        uint32_t child = 2 * i + 1;

        if (child + 1 < heap->len &&
            event_before(queue, &heap->events[child + 1], &heap->events[child])) {
            child++;
        }
        if (!event_before(queue, &heap->events[child], &last)) {
            break;
        }
        heap->events[i] = heap->events[child];
        i = child;
    }
    heap->events[i] = last;
    return first;
}

void queue_init(Queue *queue, const Slab *packets)
{
    memset(queue, 0, sizeof(*queue));
    queue->packets = packets;
    queue->width_shift = WIDTH_SHIFT_START;
    queue->sorted = g_new0(Event, QUEUE_PREFETCH);
}

void queue_fini(Queue *queue)
{
    g_free(queue->sorted);
    g_free(queue->scratch);
    g_free(queue->bins);
    g_free(queue->chunks);
    g_free(queue->near.events);
    g_free(queue->far.events);
    memset(queue, 0, sizeof(*queue));
}

static uint32_t chunk_take(Queue *queue)
{
    uint32_t chunk = queue->chunk_free;

    if (chunk != 0) {
        queue->chunk_free = queue->chunks[chunk - 1].next;
        return chunk;
    }
    if (queue->chunks_len == queue->chunks_cap) {
        queue->chunks_cap = queue->chunks_cap == 0 ? 64 : 2 * queue->chunks_cap;
        queue->chunks = g_renew(QueueChunk, queue->chunks, queue->chunks_cap);
    }
    return ++queue->chunks_len;
}

static uint64_t bucket_number(const Queue *queue, int64_t at)
{
    return (uint64_t)at >> queue->width_shift;
}

static void bucket_put(Queue *queue, const Event *event)
{
    uint32_t i = (uint32_t)bucket_number(queue, event->at) % QUEUE_BUCKETS;
    uint32_t first = queue->buckets[i];
    QueueChunk *chunk;

    if (first == 0 || queue->chunks[first - 1].len == QUEUE_CHUNK_EVENTS) {
        uint32_t taken = chunk_take(queue);

        queue->chunks[taken - 1].next = first;
        queue->chunks[taken - 1].len = 0;
        queue->buckets[i] = taken;
        queue->filled[i / 64] |= UINT64_C(1) << (i % 64);
        first = taken;
    }
    chunk = &queue->chunks[first - 1];
    chunk->events[chunk->len++] = *event;
    queue->waiting++;
}

void queue_push(Queue *queue, Event event)
{
    if (event.at < queue->end) {
        heap_push(queue, &queue->near, event);
        queue->measured_events++;
    } else if (bucket_number(queue, event.at) - bucket_number(queue, queue->end) < QUEUE_BUCKETS) {
        bucket_put(queue, &event);
    } else {
        heap_push(queue, &queue->far, event);
    }
}

bool queue_pop_near(Queue *queue, int64_t before, Event *ret_event)
{
    bool sorted = queue->pos < queue->len &&
                  event_before(queue, &queue->sorted[queue->pos], &queue->near.events[0]);
    const Event *first = sorted ? &queue->sorted[queue->pos] : &queue->near.events[0];

    if (first->at >= before) {
        return false;
    }
    if (sorted) {
        *ret_event = *first;
        queue->pos++;
    } else {
        *ret_event = heap_pop(queue, &queue->near);
    }
    return true;
}

/* The first bucket at or behind `end` that holds something; waiting > 0. */
static uint64_t next_bucket(const Queue *queue)
{
    uint64_t from = bucket_number(queue, queue->end);
    uint32_t start = (uint32_t)from % QUEUE_BUCKETS;
    uint32_t word = start / 64;
    uint64_t bits = queue->filled[word] & ~UINT64_C(0) << (start % 64);

    for (uint32_t turn = 0; bits == 0 && turn < QUEUE_BUCKETS / 64; turn++) {
        word = (word + 1) % (QUEUE_BUCKETS / 64);
        bits = queue->filled[word];
    }
    PEAL_ASSERT(bits != 0);
    return from + (word * 64 + (uint32_t)__builtin_ctzll(bits) - start) % QUEUE_BUCKETS;
}

/* Moves what the wheel now reaches from the far heap into its bucket. */
static void refile(Queue *queue)
{
    uint64_t limit = bucket_number(queue, queue->end) + QUEUE_BUCKETS;

    while (queue->far.len > 0 && bucket_number(queue, queue->far.events[0].at) < limit) {
        Event event = heap_pop(queue, &queue->far);

        bucket_put(queue, &event);
    }
}

/* Copies bucket i to scratch and empties it. Returns how many events there were. */
static uint32_t bucket_take(Queue *queue, uint32_t i)
{
    uint32_t chunk = queue->buckets[i];
    uint32_t len = 0;

    while (chunk != 0) {
        QueueChunk *from = &queue->chunks[chunk - 1];
        uint32_t next = from->next;

        if (len + from->len + QUEUE_PREFETCH > queue->sorted_cap) {
            queue->sorted_cap = 2 * (len + from->len + QUEUE_PREFETCH);
            queue->sorted = g_renew(Event, queue->sorted, queue->sorted_cap);
            queue->scratch = g_renew(Event, queue->scratch, queue->sorted_cap);
        }
        memcpy(queue->scratch + len, from->events, from->len * sizeof(Event));
        len += from->len;
        from->next = queue->chunk_free;
        queue->chunk_free = chunk;
        chunk = next;
    }
    queue->buckets[i] = 0;
    queue->filled[i / 64] &= ~(UINT64_C(1) << (i % 64));
    queue->waiting -= len;
    return len;
}

static int compare_events(const void *a, const void *b, void *queue)
{
    return event_before(queue, a, b) ? -1 : event_before(queue, b, a);
}

/* Brings the events of each bin, which end at bins[], into their order. */
static void sort_bins(Queue *queue, uint32_t bins_len)
{
    uint32_t begin = 0;

    for (uint32_t bin = 0; bin < bins_len; bin++) {
        uint32_t end = queue->bins[bin];

        if (end - begin > INSERTION_MAX) {
            g_qsort_with_data(queue->sorted + begin, (int)(end - begin), sizeof(Event),
                              compare_events, queue);
        }
        for (uint32_t i = begin + 1; i < end && end - begin <= INSERTION_MAX; i++) {
            Event event = queue->sorted[i];
            uint32_t to = i;

            while (to > begin && event_before(queue, &event, &queue->sorted[to - 1])) {
                queue->sorted[to] = queue->sorted[to - 1];
                to--;
            }
            queue->sorted[to] = event;
        }
        begin = end;
    }
}

/* Counting sort by time into about as many bins as events, then the order within each. */
static void sort_bucket(Queue *queue, int64_t start, uint32_t len)
{
    unsigned bins_shift = 4;
    unsigned drop;
    uint32_t sum = 0;

    while (bins_shift < BINS_SHIFT_MAX && (1U << bins_shift) < len) {
        bins_shift++;
    }
    if (queue->bins_cap < 1U << bins_shift) {
        queue->bins_cap = 1U << bins_shift;
        queue->bins = g_renew(uint32_t, queue->bins, queue->bins_cap);
    }
    memset(queue->bins, 0, sizeof(uint32_t) << bins_shift);
    drop = queue->width_shift - bins_shift;
    for (uint32_t i = 0; i < len; i++) {
        queue->bins[(uint64_t)(queue->scratch[i].at - start) >> drop]++;
    }
    for (uint32_t bin = 0; bin < 1U << bins_shift; bin++) {
        uint32_t count = queue->bins[bin];

        queue->bins[bin] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < len; i++) {
        uint64_t bin = (uint64_t)(queue->scratch[i].at - start) >> drop;

        queue->sorted[queue->bins[bin]++] = queue->scratch[i];
    }
    sort_bins(queue, 1U << bins_shift);
}

/* Puts every waiting event into buckets of another width. */
static void set_width(Queue *queue, unsigned shift)
{
    Event *all = g_new(Event, queue->waiting + 1);
    uint64_t len = 0;

    for (uint32_t i = 0; i < QUEUE_BUCKETS; i++) {
        if (queue->buckets[i] != 0) {
            uint32_t taken = bucket_take(queue, i);

            memcpy(all + len, queue->scratch, taken * sizeof(Event));
            len += taken;
        }
    }
    queue->width_shift = shift;
    for (uint64_t i = 0; i < len; i++) {
        queue_push(queue, all[i]);
    }
    refile(queue);
    g_free(all);
}

/* Keeps about QUEUE_BUCKET_AIM events in a bucket; a factor of four off is left alone. */
static void follow_load(Queue *queue)
{
    int64_t elapsed = queue->end - queue->measured_since;
    int64_t width = elapsed / (int64_t)queue->measured_events * QUEUE_BUCKET_AIM;
    unsigned shift = WIDTH_SHIFT_MIN;

    while (shift < WIDTH_SHIFT_MAX && INT64_C(2) << shift <= width) {
        shift++;
    }
    queue->measured_since = queue->end;
    queue->measured_events = 0;
    if (shift + 1 < queue->width_shift || shift > queue->width_shift + 1) {
        set_width(queue, shift);
    }
}

int64_t queue_next_start(Queue *queue)
{
    PEAL_ASSERT(queue_is_drained(queue));
    if (queue->measured_events >= WIDTH_EVENTS) {
        follow_load(queue);
    }
    if (queue->waiting > 0) {
        return (int64_t)(next_bucket(queue) << queue->width_shift);
    }
    if (queue->far.len > 0) {
        return (int64_t)(bucket_number(queue, queue->far.events[0].at) << queue->width_shift);
    }
    return INT64_MAX;
}

bool queue_open(Queue *queue)
{
    uint64_t number;
    int64_t start;

    PEAL_ASSERT(queue_is_drained(queue));
    queue->pos = queue->len = 0;
    if (queue->waiting == 0) {
        if (queue->far.len == 0) {
            return false;
        }
        /* Nothing nearer: the wheel turns at once to where the far heap begins. */
        number = bucket_number(queue, queue->far.events[0].at);
        queue->end = (int64_t)(number << queue->width_shift);
        refile(queue);
    }
    number = next_bucket(queue);
    start = (int64_t)(number << queue->width_shift);
    queue->len = bucket_take(queue, (uint32_t)number % QUEUE_BUCKETS);
    queue->end = start + queue_width(queue);
    sort_bucket(queue, start, queue->len);
    memset(queue->sorted + queue->len, 0, QUEUE_PREFETCH * sizeof(Event));
    refile(queue);
    queue->measured_events += queue->len;
    return true;
}

static void each_of(const Event *events, uint32_t len,
                    void (*visit)(void *user, const Event *event), void *user)
{
    for (uint32_t i = 0; i < len; i++) {
        visit(user, &events[i]);
    }
}

void queue_each(const Queue *queue, void (*visit)(void *user, const Event *event), void *user)
{
    each_of(queue->sorted + queue->pos, queue->len - queue->pos, visit, user);
    each_of(queue->near.events, queue->near.len, visit, user);
    each_of(queue->far.events, queue->far.len, visit, user);
    for (uint32_t i = 0; i < QUEUE_BUCKETS; i++) {
        for (uint32_t c = queue->buckets[i]; c != 0; c = queue->chunks[c - 1].next) {
            each_of(queue->chunks[c - 1].events, queue->chunks[c - 1].len, visit, user);
        }
    }
}
