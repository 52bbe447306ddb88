/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * timers.c - the wheel behind the peers' deadlines.
 */
#include "timers.h"

#include <glib.h>

void timers_init(Timers *timers, Queue *queue)
{
    memset(timers, 0, sizeof(*timers));
    timers->queue = queue;
    timers->next = INT64_MAX;
}

void timers_fini(Timers *timers)
{
    g_free(timers->chunks);
    memset(timers, 0, sizeof(*timers));
}

static uint32_t chunk_take(Timers *timers)
{
    uint32_t chunk = timers->chunk_free;

    if (chunk != 0) {
        timers->chunk_free = timers->chunks[chunk - 1].next;
        return chunk;
    }
    if (timers->chunks_len == timers->chunks_cap) {
        timers->chunks_cap = timers->chunks_cap == 0 ? 64 : 2 * timers->chunks_cap;
        timers->chunks = g_renew(TimerChunk, timers->chunks, timers->chunks_cap);
    }
    return ++timers->chunks_len;
}

static void slot_put(Timers *timers, uint32_t *slot, TimerEntry entry)
{
    TimerChunk *chunk;

    if (*slot == 0 || timers->chunks[*slot - 1].len == TIMERS_CHUNK_ENTRIES) {
        uint32_t taken = chunk_take(timers);

        timers->chunks[taken - 1].next = *slot;
        timers->chunks[taken - 1].len = 0;
        *slot = taken;
    }
    chunk = &timers->chunks[*slot - 1];
    chunk->entries[chunk->len++] = entry;
}

static void put_level_0(Timers *timers, uint32_t peer, int64_t at)
{
    int64_t slot = at >> TIMERS_SHIFT_0;
    uint32_t i = (uint32_t)slot % TIMERS_SLOTS_0;

    slot_put(timers, &timers->slots_0[i],
             (TimerEntry){(uint32_t)(at - (slot << TIMERS_SHIFT_0)), peer});
    timers->filled_0[i / 64] |= UINT64_C(1) << (i % 64);
    timers->next = MIN(timers->next, slot << TIMERS_SHIFT_0);
}

static void put_level_1(Timers *timers, uint32_t peer, int64_t at)
{
    int64_t slot = at >> TIMERS_SHIFT_1;
    uint32_t i = (uint32_t)slot % TIMERS_SLOTS_1;

    slot_put(timers, &timers->slots_1[i],
             (TimerEntry){(uint32_t)(at - (slot << TIMERS_SHIFT_1)), peer});
    timers->filled_1[i / 64] |= UINT64_C(1) << (i % 64);
    timers->next = MIN(timers->next, slot << TIMERS_SHIFT_1);
}

int64_t timers_file(Timers *timers, uint32_t peer, int64_t at)
{
    int64_t opened_1 = timers->opened >> (TIMERS_SHIFT_1 - TIMERS_SHIFT_0);
    int64_t last = ((opened_1 + TIMERS_SLOTS_1) << TIMERS_SHIFT_1) - 1;

    if (at >> TIMERS_SHIFT_0 < timers->opened) {
        queue_push(timers->queue, (Event){at, peer, 0});
    } else if ((at >> TIMERS_SHIFT_0) - timers->opened < TIMERS_SLOTS_0) {
        put_level_0(timers, peer, at);
    } else {
        at = MIN(at, last);
        put_level_1(timers, peer, at);
    }
    return at;
}

bool timers_due(Timers *timers, uint32_t peer, PeerTimer *timer, int64_t at)
{
    int64_t deadline = timer->deadline;

    if (at != timer->near) {
        return false;
    }
    timer->near = timer->far;
    timer->far = INT64_MAX;
    if (deadline <= at) {
        timer->deadline = INT64_MAX;
        return true;
    }
    if (deadline != INT64_MAX) {
        timers_set(timers, peer, timer, deadline);
    }
    return false;
}

/* First bit set at or behind `from`, going round; the distance from there, or -1. */
static int64_t find_filled(const uint64_t *filled, uint32_t slots, uint32_t from)
{
    uint32_t word = from / 64;
    uint64_t bits = filled[word] & ~UINT64_C(0) << (from % 64);

    for (uint32_t turn = 0; bits == 0 && turn < slots / 64; turn++) {
        word = (word + 1) % (slots / 64);
        bits = filled[word];
    }
    if (bits == 0) {
        return -1;
    }
    return (word * 64 + (uint32_t)__builtin_ctzll(bits) + slots - from) % slots;
}

/* A slot of level 1 that lies ahead of `opened` is spread over level 0 as soon as the wheel stands
 * at its start. */
static void find_next(Timers *timers)
{
    const unsigned ratio = TIMERS_SHIFT_1 - TIMERS_SHIFT_0;
    int64_t opened_1 = (timers->opened + (INT64_C(1) << ratio) - 1) >> ratio;
    int64_t ahead_0 =
        find_filled(timers->filled_0, TIMERS_SLOTS_0, (uint32_t)timers->opened % TIMERS_SLOTS_0);
    int64_t ahead_1 =
        find_filled(timers->filled_1, TIMERS_SLOTS_1, (uint32_t)opened_1 % TIMERS_SLOTS_1);

    timers->next = INT64_MAX;
    if (ahead_0 >= 0) {
        timers->next = (timers->opened + ahead_0) << TIMERS_SHIFT_0;
    }
    if (ahead_1 >= 0) {
        timers->next = MIN(timers->next, (opened_1 + ahead_1) << TIMERS_SHIFT_1);
    }
}

static void spread_level_1(Timers *timers, int64_t slot)
{
    uint32_t i = (uint32_t)slot % TIMERS_SLOTS_1;
    uint32_t chunk = timers->slots_1[i];

    timers->slots_1[i] = 0;
    timers->filled_1[i / 64] &= ~(UINT64_C(1) << (i % 64));
    while (chunk != 0) {
        TimerChunk from = timers->chunks[chunk - 1];

        timers->chunks[chunk - 1].next = timers->chunk_free;
        timers->chunk_free = chunk;
        for (uint32_t k = 0; k < from.len; k++) {
            put_level_0(timers, from.entries[k].peer,
                        (slot << TIMERS_SHIFT_1) + from.entries[k].offset_ns);
        }
        chunk = from.next;
    }
}

static void open_level_0(Timers *timers, int64_t slot)
{
    uint32_t i = (uint32_t)slot % TIMERS_SLOTS_0;
    uint32_t chunk = timers->slots_0[i];

    timers->slots_0[i] = 0;
    timers->filled_0[i / 64] &= ~(UINT64_C(1) << (i % 64));
    while (chunk != 0) {
        TimerChunk *from = &timers->chunks[chunk - 1];
        uint32_t next = from->next;

        for (uint32_t k = 0; k < from->len; k++) {
            queue_push(timers->queue, (Event){(slot << TIMERS_SHIFT_0) + from->entries[k].offset_ns,
                                              from->entries[k].peer, 0});
        }
        from->next = timers->chunk_free;
        timers->chunk_free = chunk;
        chunk = next;
    }
}

void timers_open(Timers *timers)
{
    const unsigned ratio = TIMERS_SHIFT_1 - TIMERS_SHIFT_0;
    int64_t slot = timers->next >> TIMERS_SHIFT_0;

    PEAL_ASSERT(timers->next != INT64_MAX);
    timers->opened = slot;
    if ((slot & ((INT64_C(1) << ratio) - 1)) == 0) {
        spread_level_1(timers, slot >> ratio);
    }
    open_level_0(timers, slot);
    timers->opened = slot + 1;
    find_next(timers);
}
