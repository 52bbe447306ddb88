/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slab.h - memory of one simulation: size classes carved from huge pages, free blocks kept last in
 *          first out.
 * Source: none.
 * State:  one Slab per use (packet buffers, peers' arrays); 32 MiB segments, touched as they fill.
 * Time:   none. The same calls in the same order give the same blocks: nothing depends on an
 *         address.
 */
#ifndef SIM_SLAB_H
#define SIM_SLAB_H

#include <stddef.h>
#include <stdint.h>

enum {
    SLAB_SEGMENT_SHIFT = 25, /* 32 MiB, aligned to its size */
    SLAB_CLASSES = 80,       /* 1 to 8 units, then eight sizes to each doubling up to 4096 units */
    SLAB_UNITS_MAX = 4096
};

/* A block's name in 32 bits; 0 is no block. */
typedef uint32_t SlabRef;

typedef struct Slab {
    unsigned unit_shift; /* log2 of the smallest block: 4 or 6 */
    uint8_t **segments;
    uint32_t segments_len;
    uint32_t segments_cap;
    size_t used; /* bytes carved from the last segment */
    void *free[SLAB_CLASSES];
    uint64_t bytes; /* in blocks handed out, rounded up to their class */
} Slab;

/* slab_init makes an empty slab. unit_shift: 4..6; blocks are aligned to 2^unit_shift bytes. */
void slab_init(Slab *slab, unsigned unit_shift);

/* slab_fini gives all memory back, whatever is still in use. */
void slab_fini(Slab *slab);

/*
 * slab_alloc returns a block of at least `size` bytes, contents undefined; size > 0 and at most
 * SLAB_UNITS_MAX units. Ends the program when the machine is out of memory.
 */
void *slab_alloc(Slab *slab, size_t size);

/* slab_free takes a block back. size: as it was asked for. */
void slab_free(Slab *slab, void *block, size_t size);

/* slab_size is what a block asked for with `size` really holds. */
size_t slab_size(const Slab *slab, size_t size);

/* slab_ref and slab_ptr turn a block into its 32-bit name and back. */
static inline SlabRef slab_ref(const Slab *slab, const void *block)
{
    uintptr_t at = (uintptr_t)block;
    uintptr_t offset = at & (((uintptr_t)1 << SLAB_SEGMENT_SHIFT) - 1);
    uint32_t segment = *(const uint32_t *)(at - offset);

    return segment << (SLAB_SEGMENT_SHIFT - slab->unit_shift) |
           (uint32_t)(offset >> slab->unit_shift);
}

static inline void *slab_ptr(const Slab *slab, SlabRef ref)
{
    unsigned shift = SLAB_SEGMENT_SHIFT - slab->unit_shift;

    return slab->segments[ref >> shift] + ((size_t)(ref & ((1U << shift) - 1)) << slab->unit_shift);
}

#endif
