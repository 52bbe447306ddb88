/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * slab.c - size classes: a block of c is taken from the class's free list, else carved from the
 *          last segment.
 */
#include "slab.h"

#include <glib.h>
#include <sys/mman.h>

#include <peal/base.h>

#if defined(__SANITIZE_ADDRESS__)
#define SLAB_POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLAB_POISONED 1
#endif
#endif

#ifdef SLAB_POISONED
#include <sanitizer/asan_interface.h>
#define slab_poison(block, len) __asan_poison_memory_region(block, len)
#define slab_unpoison(block, len) __asan_unpoison_memory_region(block, len)
#else
#define slab_poison(block, len) ((void)0)
#define slab_unpoison(block, len) ((void)0)
#endif

#define SEGMENT_SIZE ((size_t)1 << SLAB_SEGMENT_SHIFT)

enum { SEGMENT_HEADER = 64 }; /* holds the segment's number; so no block is ever named 0 */

static unsigned class_of(size_t units)
{
    unsigned top;

    if (units <= 8) {
        return (unsigned)units - 1;
    }
    top = 31U - (unsigned)__builtin_clz((unsigned)units - 1);
    return (top - 3) * 8 + (unsigned)((units - 1) >> (top - 3));
}

static size_t class_units(unsigned class)
{
    return class < 8 ? class + 1 : (size_t)((class & 7) + 9) << ((class >> 3) - 1);
}

static size_t units_of(const Slab *slab, size_t size)
{
    size_t units = (size + ((size_t)1 << slab->unit_shift) - 1) >> slab->unit_shift;

    PEAL_ASSERT(units > 0 && units <= SLAB_UNITS_MAX);
    return units;
}

void slab_init(Slab *slab, unsigned unit_shift)
{
    PEAL_ASSERT(unit_shift >= 4 && unit_shift <= 6);
    *slab = (Slab){.unit_shift = unit_shift, .used = SEGMENT_SIZE};
}

void slab_fini(Slab *slab)
{
    for (uint32_t i = 0; i < slab->segments_len; i++) {
        slab_unpoison(slab->segments[i], SEGMENT_SIZE);
        munmap(slab->segments[i], SEGMENT_SIZE);
    }
    g_free(slab->segments);
    *slab = (Slab){.unit_shift = slab->unit_shift, .used = SEGMENT_SIZE};
}

/* Maps twice the size and gives back what lies outside the aligned middle. */
static uint8_t *segment_new(void)
{
    uint8_t *map = mmap(NULL, 2 * SEGMENT_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before;

    if (map == MAP_FAILED) {
        g_error("out of memory: cannot map another %zu MiB", SEGMENT_SIZE >> 20);
    }
    before = (SEGMENT_SIZE - ((uintptr_t)map & (SEGMENT_SIZE - 1))) & (SEGMENT_SIZE - 1);
    if (before > 0) {
        munmap(map, before);
    }
    if (before < SEGMENT_SIZE) {
        munmap(map + before + SEGMENT_SIZE, SEGMENT_SIZE - before);
    }
    madvise(map + before, SEGMENT_SIZE, MADV_HUGEPAGE);
    return map + before;
}

static void segment_add(Slab *slab)
{
    uint8_t *segment = segment_new();

    PEAL_ASSERT(slab->segments_len < 1U << (32 - SLAB_SEGMENT_SHIFT + slab->unit_shift));
    if (slab->segments_len == slab->segments_cap) {
        slab->segments_cap = slab->segments_cap == 0 ? 8 : 2 * slab->segments_cap;
        slab->segments = g_renew(uint8_t *, slab->segments, slab->segments_cap);
    }
    *(uint32_t *)(void *)segment = slab->segments_len;
    slab->segments[slab->segments_len++] = segment;
    slab->used = SEGMENT_HEADER;
}

void *slab_alloc(Slab *slab, size_t size)
{
    unsigned class = class_of(units_of(slab, size));
    size_t bytes = class_units(class) << slab->unit_shift;
    void *block = slab->free[class];

    slab->bytes += bytes;
    if (block != NULL) {
        slab_unpoison(block, bytes);
        slab->free[class] = *(void **)block;
        return block;
    }
    if (slab->used + bytes > SEGMENT_SIZE) {
        segment_add(slab);
    }
    block = slab->segments[slab->segments_len - 1] + slab->used;
    slab->used += bytes;
    return block;
}

void slab_free(Slab *slab, void *block, size_t size)
{
    unsigned class = class_of(units_of(slab, size));
    size_t bytes = class_units(class) << slab->unit_shift;

    *(void **)block = slab->free[class];
    slab->free[class] = block;
    slab->bytes -= bytes;
    slab_poison(block, bytes);
}

size_t slab_size(const Slab *slab, size_t size)
{
    return class_units(class_of(units_of(slab, size))) << slab->unit_shift;
}
