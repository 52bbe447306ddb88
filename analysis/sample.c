/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sample.c - see sample.h. */
#include "sample.h"

#include <stdlib.h>

enum { SAMPLE_ROOM = 2 }; /* in multiples of what is kept: it is cut when the room is full */

void sample_init(Sample *sample, size_t item, size_t keep)
{
    *sample = (Sample){.item = item, .keep = keep, .number_max = UINT64_MAX};
}

void sample_fini(Sample *sample)
{
    g_free(sample->items);
}

static uint64_t number_of(const void *item)
{
    uint64_t number;

    memcpy(&number, item, sizeof(number));
    return number;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t one = number_of(a);
    uint64_t other = number_of(b);

    return one < other ? -1 : one > other;
}

static void sample_cut(Sample *sample)
{
    if (sample->len <= sample->keep) {
        return;
    }
    qsort(sample->items, sample->len, sample->item, compare_numbers);
    sample->len = sample->keep;
    sample->number_max = number_of(sample->items + (sample->len - 1) * sample->item);
}

void sample_add(Sample *sample, const void *item)
{
    size_t room = sample->keep * SAMPLE_ROOM;

    if (number_of(item) > sample->number_max) {
        return;
    }
    if (sample->items == NULL) {
        sample->items = g_malloc_n(room, sample->item);
        /* All of it is taken at once: what a run takes does not depend on how long it is. */
        memset(sample->items, 0xff, room * sample->item);
    }
    memcpy(sample->items + sample->len++ * sample->item, item, sample->item);
    if (sample->len == room) {
        sample_cut(sample);
    }
}

void sample_filter(Sample *sample, bool (*keep)(const void *item, PealTime from), PealTime from)
{
    size_t kept = 0;

    sample_cut(sample);
    for (size_t i = 0; i < sample->len; i++) {
        const uint8_t *item = sample->items + i * sample->item;

        if (keep(item, from)) {
            memmove(sample->items + kept++ * sample->item, item, sample->item);
        }
    }
    sample->len = kept;
}

void sample_finish(Sample *sample, int (*compare)(const void *a, const void *b))
{
    sample_cut(sample);
    if (sample->len > 0) {
        qsort(sample->items, sample->len, sample->item, compare);
    }
}
