/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sample.h - a uniform sample of a stream of items, whose choice does not depend on their order.
 * Source: bottom-k sampling: each item brings a number drawn from what it is, and those with the
 *         smallest numbers stay.
 * State:  up to twice the items that are kept; nothing before the first.
 * Time:   none.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

#include <glib.h>
#include <peal/base.h>

typedef struct Sample {
    size_t item; /* bytes of one; it begins with its number, a uint64_t */
    size_t keep;
    uint8_t *items;
    size_t len;
    uint64_t number_max; /* larger ones are not taken any more */
} Sample;

void sample_init(Sample *sample, size_t item, size_t keep);
void sample_fini(Sample *sample);
void sample_add(Sample *sample, const void *item);

/* sample_filter cuts it to what is kept, and drops what `keep` does not want of that. */
void sample_filter(Sample *sample, bool (*keep)(const void *item, PealTime from), PealTime from);

/* sample_finish cuts it to what is kept, and puts that in the order of `compare`. */
void sample_finish(Sample *sample, int (*compare)(const void *a, const void *b));

#endif
