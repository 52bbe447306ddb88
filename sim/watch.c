/* SPDX-License-Identifier: GPL-3.0-or-later */
/* watch.c - see watch.h. */
#include "watch.h"

#include "world.h"

enum { FETCH_REQUEST = 9 }; /* RFC 6940 s.14.8 */

void watch_init(World *world)
{
    const Scenario *scenario = world->scenario;
    Watch *watch = &world->watch;

    *watch = (Watch){.paths = scenario->watch_paths, .next_ring = PEAL_TIME_NEVER};
    if (scenario->watch_ring.ns > 0) {
        watch->next_ring = (PealTime){scenario->warmup.ns};
    }
    world->watching = watch->paths;
}

/* Paths. */

static bool precedes(const World *world, uint32_t peer, const PealId *key)
{
    const Oracle *oracle = &world->oracle;
    uint32_t rank;

    if (oracle->len == 0) {
        return false;
    }
    rank = oracle_rank_of(oracle, key);
    return oracle_at(oracle, rank, oracle->len - 1) == peer;
}

static bool counts(const World *world, const Lookup *lookup)
{
    return lookup->started.ns >= world->scenario->warmup.ns;
}

static void reach(World *world, Lookup *lookup, unsigned hops)
{
    lookup->path_ended = 1;
    if (counts(world, lookup)) {
        world->watch.reached++;
        world->watch.hops += hops;
        world->watch.dead += lookup->path_dead;
    }
}

void watch_lookup(World *world, Lookup *lookup)
{
    if (oracle_owner(&world->oracle, &lookup->key) == lookup->asker) {
        lookup->path_ended = 1;
    } else if (precedes(world, lookup->asker, &lookup->key)) {
        reach(world, lookup, 0);
    }
}

/* Whoever hands a request to the owner took itself for the predecessor, and the owner was right:
 * another peer that just joined between them is known to neither. */
void watch_arrival(World *world, const SimPeer *peer, const PealFrameInfo *info)
{
    Lookup *lookup =
        info->code == FETCH_REQUEST ? lookups_find(&world->lookups, info->transaction) : NULL;

    if (lookup == NULL || lookup->path_ended) {
        return;
    }
    if (precedes(world, peer->index, &lookup->key)) {
        reach(world, lookup, lookup->path_hops + 1U);
    } else if (oracle_owner(&world->oracle, &lookup->key) == peer->index) {
        reach(world, lookup, lookup->path_hops);
    }
    lookup->path_hops++;
}

void watch_dead(World *world, const Packet *packet)
{
    PealFrameInfo info;
    Lookup *lookup;

    if (packet->type != PACKET_DATA || packet->buf.attempt != 1 ||
        peal_frame_info(packet->buf.data, packet->buf.len, &info) != 0 ||
        info.code != FETCH_REQUEST) {
        return;
    }
    lookup = lookups_find(&world->lookups, info.transaction);
    if (lookup != NULL && !lookup->path_ended) {
        lookup->path_dead++;
    }
}

void watch_lookup_end(World *world, const Lookup *lookup)
{
    if (!lookup->path_ended && counts(world, lookup)) {
        world->watch.lost++;
    }
}

/* Tables. */

static bool is_member(const Oracle *oracle, const PealId *id)
{
    PealIdHalves halves = peal_id_halves(id);
    uint32_t rank = oracle_rank_of(oracle, id);

    return oracle->ids[rank].high == halves.high && oracle->ids[rank].low == halves.low;
}

static size_t dead_of(const Oracle *oracle, const PealId *ids, size_t len)
{
    size_t dead = 0;

    for (size_t i = 0; i < len; i++) {
        dead += !is_member(oracle, &ids[i]);
    }
    return dead;
}

void watch_ring(World *world)
{
    const Oracle *oracle = &world->oracle;
    Watch *watch = &world->watch;
    uint64_t wrong = 0;
    uint64_t dead = 0;
    uint64_t dead_fingers = 0;
    uint64_t fingers = 0;
    uint64_t cut_off = 0;

    watch->next_ring = peal_time_add(watch->next_ring, world->scenario->watch_ring);
    if (oracle->len < 2) {
        return;
    }
    for (uint32_t rank = 0; rank < oracle->len; rank++) {
        const PealPeer *core = sim_peer_core(world_peer(world, oracle->peers[rank]));
        PealId next = peal_id_from_halves(oracle->ids[(rank + 1) % oracle->len]);
        PealId ids[PEAL_FINGERS_MAX];
        size_t len = peal_peer_successors(core, ids, PEAL_NEIGHBOURS_MAX);

        wrong += len == 0 || !peal_id_equal(&ids[0], &next);
        dead += len > 0 && !is_member(oracle, &ids[0]);
        cut_off += dead_of(oracle, ids, len) == len;
        len = peal_peer_fingers(core, ids, G_N_ELEMENTS(ids));
        /* One that was found dead is empty until somebody looks for it again. */
        fingers += world->overlay.fingers;
        dead_fingers += world->overlay.fingers - (len - dead_of(oracle, ids, len));
    }
    watch->samples++;
    watch->members += oracle->len;
    watch->cut_off += cut_off;
    watch->wrong_successors += (double)wrong / oracle->len;
    watch->dead_successors += (double)dead / oracle->len;
    watch->dead_fingers += fingers > 0 ? (double)dead_fingers / (double)fingers : 0;
}

/* The results have no figure that cannot be had. */
static void add_mean(RunOutcome *outcome, const char *name, double sum, uint64_t count)
{
    if (count > 0) {
        run_outcome_figure(outcome, name, sum / (double)count, RESULTS_MEAN);
    }
}

void watch_figures(const World *world, RunOutcome *outcome)
{
    const Watch *watch = &world->watch;

    if (watch->paths) {
        run_outcome_figure(outcome, "paths.reached", (double)watch->reached, RESULTS_SUM);
        run_outcome_figure(outcome, "paths.lost", (double)watch->lost, RESULTS_SUM);
        add_mean(outcome, "paths.hops", (double)watch->hops, watch->reached);
        add_mean(outcome, "paths.timeouts", (double)watch->dead, watch->reached);
    }
    add_mean(outcome, "ring.wrong_successors_fraction", watch->wrong_successors, watch->samples);
    add_mean(outcome, "ring.dead_successors_fraction", watch->dead_successors, watch->samples);
    add_mean(outcome, "ring.dead_fingers_fraction", watch->dead_fingers, watch->samples);
    add_mean(outcome, "ring.members_mean", watch->members, watch->samples);
    add_mean(outcome, "ring.cut_off_mean", (double)watch->cut_off, watch->samples);
}
