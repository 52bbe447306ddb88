/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_slab.c - blocks of every size are whole, distinct, and found again by their names. */
#include <glib.h>
#include <peal/random.h>

#include "peal_test.h"
#include "slab.h"

enum { BLOCKS = 3000, OPERATIONS = 60000 };

typedef struct Held {
    uint8_t *block;
    size_t size;
    uint8_t fill;
} Held;

static uint64_t draw(uint64_t count, uint64_t bound)
{
    return peal_random_below(peal_random_at(7, 1, count), bound);
}

static bool is_filled(const Held *held)
{
    for (size_t i = 0; i < held->size; i++) {
        if (held->block[i] != held->fill) {
            return false;
        }
    }
    return true;
}

static void slab_classes_waste_at_most_an_eighth(void)
{
    Slab slab;

    slab_init(&slab, 4);
    for (size_t size = 1; size <= (size_t)SLAB_UNITS_MAX * 16; size++) {
        size_t real = slab_size(&slab, size);

        if (real < size || real % 16 != 0 || (size > 128 && real - size >= size / 8 + 16)) {
            CU_FAIL("a class that is too small, not whole units, or too large");
            break;
        }
    }
    slab_fini(&slab);
}

static void slab_blocks_keep_what_is_in_them(void)
{
    Held *held = g_new0(Held, BLOCKS);
    uint64_t count = 0;
    bool kept = true;
    Slab slab;

    slab_init(&slab, 4);
    for (unsigned i = 0; i < OPERATIONS; i++) {
        Held *one = &held[draw(count++, BLOCKS)];

        if (one->block != NULL) {
            kept = kept && is_filled(one);
            slab_free(&slab, one->block, one->size);
            one->block = NULL;
        } else {
            one->size = 1 + draw(count++, i % 50 == 0 ? 60000 : 700);
            one->fill = (uint8_t)i;
            one->block = slab_alloc(&slab, one->size);
            memset(one->block, one->fill, one->size);
        }
    }
    CU_ASSERT_TRUE(kept);
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (held[i].block != NULL) {
            kept = kept && is_filled(&held[i]);
            slab_free(&slab, held[i].block, held[i].size);
        }
    }
    CU_ASSERT_TRUE(kept);
    CU_ASSERT_EQUAL(slab.bytes, 0);
    slab_fini(&slab);
    g_free(held);
}

static void slab_refs_lead_back_to_their_blocks(void)
{
    enum { COUNT = 2000, SIZE = 60000 }; /* several segments */
    void **blocks = g_new(void *, COUNT);
    bool same = true;
    Slab slab;

    slab_init(&slab, 6);
    for (unsigned i = 0; i < COUNT; i++) {
        blocks[i] = slab_alloc(&slab, SIZE);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        SlabRef ref = slab_ref(&slab, blocks[i]);

        same = same && ref != 0 && slab_ptr(&slab, ref) == blocks[i];
    }
    CU_ASSERT_TRUE(same);
    CU_ASSERT_TRUE(slab.segments_len > 1);
    slab_fini(&slab);
    g_free(blocks);
}

static void slab_gives_the_block_freed_last_first(void)
{
    Slab slab;
    void *a;
    void *b;

    slab_init(&slab, 4);
    a = slab_alloc(&slab, 100);
    b = slab_alloc(&slab, 100);
    slab_free(&slab, a, 100);
    slab_free(&slab, b, 100);
    CU_ASSERT_PTR_EQUAL(slab_alloc(&slab, 100), b);
    CU_ASSERT_PTR_EQUAL(slab_alloc(&slab, 100), a);
    slab_fini(&slab);
}

PEAL_TEST_MAIN("sim/slab", PEAL_TEST(slab_classes_waste_at_most_an_eighth),
               PEAL_TEST(slab_blocks_keep_what_is_in_them),
               PEAL_TEST(slab_refs_lead_back_to_their_blocks),
               PEAL_TEST(slab_gives_the_block_freed_last_first))
