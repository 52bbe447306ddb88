/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ring_model.c - a ring of 64-bit ids in a sorted array; a node is its place there. */
#include "ring_model.h"

#include <stdlib.h>

enum { TABLE_MAX = 200 };

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The node responsible for an id: the first at or after it. */
static uint32_t owner_of(const uint64_t *ids, uint32_t nodes, uint64_t id)
{
    uint32_t low = 0;
    uint32_t high = nodes;

    while (low < high) {
        uint32_t middle = (low + high) / 2;

        if (ids[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == nodes ? 0 : low;
}

static unsigned fill_table(const RingModel *model, const uint64_t *ids, uint32_t node,
                           uint64_t *random, uint32_t *table)
{
    unsigned len = 0;

    for (uint32_t i = 1; i <= model->neighbours && i < model->nodes; i++) {
        table[len++] = (node + i) % model->nodes;
        table[len++] = (node + model->nodes - i) % model->nodes;
    }
    for (unsigned i = 1; i <= model->fingers; i++) {
        uint64_t width = (uint64_t)1 << (64 - i);
        uint64_t ahead = width + (model->exact ? 0 : next_random(random) % width);
        uint32_t finger = owner_of(ids, model->nodes, ids[node] + ahead);

        if (finger != node) {
            table[len++] = finger;
        }
    }
    return len;
}

/* The largest id between this node and the key, else the smallest beyond the key. */
static uint32_t next_hop(const uint64_t *ids, uint32_t node, const uint32_t *table, unsigned len,
                         uint64_t key)
{
    uint64_t to_key = key - ids[node];
    uint64_t below = 0;
    uint64_t beyond = UINT64_MAX;
    uint32_t best_below = node;
    uint32_t best_beyond = node;

    for (unsigned i = 0; i < len; i++) {
        uint64_t distance = ids[table[i]] - ids[node];

        if (distance < to_key && distance > below) {
            below = distance;
            best_below = table[i];
        }
        if (distance >= to_key && distance <= beyond) {
            beyond = distance;
            best_beyond = table[i];
        }
    }
    return best_below != node ? best_below : best_beyond;
}

double ring_model_hops(const RingModel *model)
{
    uint64_t random = model->seed;
    uint64_t *ids = malloc(model->nodes * sizeof(*ids));
    uint32_t *tables = malloc((size_t)model->nodes * TABLE_MAX * sizeof(*tables));
    unsigned *lens = malloc(model->nodes * sizeof(*lens));
    uint64_t hops = 0;

    for (uint32_t i = 0; i < model->nodes; i++) {
        ids[i] = next_random(&random);
    }
    qsort(ids, model->nodes, sizeof(*ids), compare);
    for (uint32_t i = 0; i < model->nodes; i++) {
        lens[i] = fill_table(model, ids, i, &random, &tables[(size_t)i * TABLE_MAX]);
    }
    for (unsigned i = 0; i < model->lookups; i++) {
        uint32_t node = (uint32_t)(next_random(&random) % model->nodes);
        uint64_t key = next_random(&random);
        uint32_t owner = owner_of(ids, model->nodes, key);

        for (; node != owner; hops++) {
            node = next_hop(ids, node, &tables[(size_t)node * TABLE_MAX], lens[node], key);
        }
    }
    free(ids);
    free(tables);
    free(lens);
    return (double)hops / model->lookups;
}
