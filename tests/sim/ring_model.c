/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ring_model.c - a ring of 64-bit ids in a sorted array; a node is its place there. */
#include "ring_model.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_MAX = 200, HOPS_MAX = 100 };

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

/* What a node may ask, by distance from it, and the lookup in which it found an entry dead. */
typedef struct Entry {
    uint32_t node;
    bool finger;
    bool successor;
    unsigned gone;
} Entry;

typedef struct Routes {
    const RingModel *model;
    bool beyond_by_all;
    uint64_t *ids;
    bool *dead;
    Entry *tables; /* TABLE_MAX of each node */
    unsigned *lens;
} Routes;

static void add_entry(Routes *routes, uint32_t node, Entry entry)
{
    Entry *table = &routes->tables[(size_t)node * TABLE_MAX];
    uint64_t distance = routes->ids[entry.node] - routes->ids[node];
    unsigned at = 0;

    while (at < routes->lens[node] && routes->ids[table[at].node] - routes->ids[node] < distance) {
        at++;
    }
    if (at < routes->lens[node] && table[at].node == entry.node) {
        table[at].finger |= entry.finger;
        table[at].successor |= entry.successor;
        return;
    }
    if (entry.node == node || routes->lens[node] == TABLE_MAX) {
        return;
    }
    memmove(&table[at + 1], &table[at], (routes->lens[node] - at) * sizeof(*table));
    table[at] = entry;
    routes->lens[node]++;
}

/* A link leads both ways: who is somebody's finger knows him too. */
static void fill_routes(Routes *routes, uint32_t node, uint64_t *random)
{
    const RingModel *model = routes->model;

    for (uint32_t i = 1; i <= model->neighbours; i++) {
        add_entry(routes, node, (Entry){.node = (node + i) % model->nodes, .successor = true});
        if (routes->beyond_by_all) {
            add_entry(routes, node, (Entry){.node = (node + model->nodes - i) % model->nodes});
        }
    }
    for (unsigned i = 1; i <= model->fingers; i++) {
        uint64_t width = (uint64_t)1 << (64 - i);
        uint64_t ahead = width + (model->exact ? 0 : next_random(random) % width);
        uint32_t finger = owner_of(routes->ids, model->nodes, routes->ids[node] + ahead);

        add_entry(routes, node, (Entry){.node = finger, .finger = true});
        if (routes->beyond_by_all) {
            add_entry(routes, finger, (Entry){.node = node});
        }
    }
}

/* Of the links that this lookup has not found dead those are used that are fingers or among the
 * nearest on either side. NULL: none is left; *ret_mine: this node takes itself for the owner. */
static Entry *route(const Routes *routes, uint32_t node, uint64_t key, unsigned lookup,
                    uint32_t back, bool *ret_mine)
{
    Entry *table = &routes->tables[(size_t)node * TABLE_MAX];
    uint64_t to_key = key - routes->ids[node];
    Entry *below = NULL, *below_not_back = NULL, *beyond = NULL;
    uint32_t last = node;
    unsigned alive = 0, place = 0;

    for (unsigned i = 0; i < routes->lens[node]; i++) {
        if (table[i].gone != lookup) {
            alive++;
            last = table[i].node;
        }
    }
    *ret_mine = last == node || routes->ids[node] - key < routes->ids[node] - routes->ids[last];
    for (unsigned i = 0; i < routes->lens[node]; i++) {
        Entry *entry = &table[i];
        bool kept = entry->finger || place < routes->model->neighbours ||
                    place + routes->model->neighbours >= alive;

        if (entry->gone == lookup) {
            continue;
        }
        place++;
        if (kept && routes->ids[entry->node] - routes->ids[node] < to_key) {
            below = entry;
            below_not_back = entry->node != back ? entry : below_not_back;
        } else if (kept && beyond == NULL && (routes->beyond_by_all || entry->successor) &&
                   entry->node != back) {
            beyond = entry;
        }
    }
    if (below != NULL && (below->node != back || !routes->beyond_by_all)) {
        return below;
    }
    return beyond != NULL ? beyond : below_not_back;
}

static bool reaches(Routes *routes, uint32_t node, uint64_t key, unsigned lookup)
{
    uint32_t owner = owner_of(routes->ids, routes->model->nodes, key);
    uint32_t back = routes->model->nodes; /* nobody */

    while (routes->dead[owner]) {
        owner = (owner + 1) % routes->model->nodes;
    }
    for (unsigned hops = 0; hops < HOPS_MAX;) {
        bool mine = false;
        Entry *next = route(routes, node, key, lookup, back, &mine);

        if (routes->beyond_by_all ? mine : node == owner) {
            return node == owner;
        }
        if (next == NULL) {
            return false;
        }
        if (routes->dead[next->node]) {
            next->gone = lookup;
            back = next->node;
            continue;
        }
        back = node;
        node = next->node;
        hops++;
    }
    return false;
}

double ring_model_failed(const RingModel *model, double dead, bool beyond_by_all)
{
    uint64_t random = model->seed;
    Routes routes = {.model = model,
                     .beyond_by_all = beyond_by_all,
                     .ids = malloc(model->nodes * sizeof(*routes.ids)),
                     .dead = calloc(model->nodes, sizeof(*routes.dead)),
                     .tables = calloc((size_t)model->nodes * TABLE_MAX, sizeof(*routes.tables)),
                     .lens = calloc(model->nodes, sizeof(*routes.lens))};
    unsigned failed = 0;

    for (uint32_t i = 0; i < model->nodes; i++) {
        routes.ids[i] = next_random(&random);
    }
    qsort(routes.ids, model->nodes, sizeof(*routes.ids), compare);
    for (uint32_t i = 0; i < model->nodes; i++) {
        fill_routes(&routes, i, &random);
    }
    for (uint32_t left = (uint32_t)(dead * model->nodes + .5); left > 0;) {
        uint32_t node = (uint32_t)(next_random(&random) % model->nodes);

        left -= !routes.dead[node];
        routes.dead[node] = true;
    }
    for (unsigned i = 1; i <= model->lookups; i++) {
        uint32_t node;

        do {
            node = (uint32_t)(next_random(&random) % model->nodes);
        } while (routes.dead[node]);
        failed += !reaches(&routes, node, next_random(&random), i);
    }
    free(routes.ids);
    free(routes.dead);
    free(routes.tables);
    free(routes.lens);
    return (double)failed / model->lookups;
}
