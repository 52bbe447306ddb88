/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * invariants.c - compares what the peers believe with what the oracle knows.
 */
#include "invariants.h"

typedef struct Stored {
    PealId resource;
    uint32_t kind;
} Stored;

static bool names(const PealId *ids, size_t len, PealIdHalves expected)
{
    PealId id = peal_id_from_halves(expected);

    return len > 0 && peal_id_equal(&ids[0], &id);
}

static void check_ring(const World *world, Invariants *result)
{
    const Oracle *oracle = &world->oracle;

    for (uint32_t rank = 0; rank < oracle->len && oracle->len > 1; rank++) {
        const PealPeer *core = sim_peer_core(world_peer(world, oracle->peers[rank]));
        uint32_t before = rank == 0 ? oracle->len - 1 : rank - 1;
        uint32_t behind = rank + 1 == oracle->len ? 0 : rank + 1;
        PealId id[1];

        if (!names(id, peal_peer_successors(core, id, 1), oracle->ids[behind])) {
            result->wrong_successors++;
        }
        if (world->overlay.predecessors > 0 &&
            !names(id, peal_peer_predecessors(core, id, 1), oracle->ids[before])) {
            result->wrong_predecessors++;
        }
    }
}

/* With a server a peer's one neighbour is that, and it has nobody before it. */
static void check_star(const World *world, Invariants *result)
{
    const Oracle *oracle = &world->oracle;
    PealId server = plan_node_id(world->seed, 0);

    for (uint32_t rank = 0; rank < oracle->len; rank++) {
        const PealPeer *core = sim_peer_core(world_peer(world, oracle->peers[rank]));
        PealId id[1];

        if (oracle->peers[rank] != 0 &&
            !names(id, peal_peer_successors(core, id, 1), peal_id_halves(&server))) {
            result->wrong_successors++;
        }
    }
}

static void add_stored(void *user, const PealId *resource, uint32_t kind)
{
    Stored stored = {*resource, kind};

    g_array_append_val((GArray *)user, stored);
}

static int compare_stored(const void *a, const void *b)
{
    const Stored *x = a;
    const Stored *y = b;
    int order = peal_id_compare(&x->resource, &y->resource);

    return order != 0 ? order : (x->kind > y->kind) - (x->kind < y->kind);
}

static void check_values(const World *world, GArray *all, Invariants *result)
{
    const Stored *last = NULL;

    g_array_sort(all, compare_stored);
    for (guint i = 0; i < all->len; i++) {
        const Stored *stored = &g_array_index(all, Stored, i);
        uint32_t owner = oracle_owner(&world->oracle, &stored->resource);

        if (last != NULL && compare_stored(last, stored) == 0) {
            continue;
        }
        last = stored;
        result->values++;
        if (owner == ORACLE_NONE || peal_peer_stored(sim_peer_core(world_peer(world, owner)),
                                                     &stored->resource, stored->kind) == 0) {
            result->values_lost++;
        }
    }
}

void invariants_check(const World *world, Invariants *ret_invariants)
{
    Invariants result = {.members = world->oracle.len};
    GArray *stored = g_array_new(FALSE, FALSE, sizeof(Stored));

    if (world_is_central(world)) {
        check_star(world, &result);
    } else {
        check_ring(world, &result);
    }
    for (uint32_t i = 0; i < world->peers_len; i++) {
        SimPeer *peer = world_peer(world, i);

        if (peer->up) {
            result.outside += !peer->joined && !peer->attacker;
            peal_peer_each_resource(sim_peer_core(peer), add_stored, stored);
        }
    }
    check_values(world, stored, &result);
    g_array_unref(stored);
    *ret_invariants = result;
}
