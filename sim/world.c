/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * world.c - the world's set-up and its main loop.
 */
#include "world.h"

#include <sys/mman.h>

enum {
    HUGE_PAGE = 2 << 20,
    KEEP_ON_EVENTS = 4096, /* between two looks at the wall clock: some milliseconds */
    AHEAD_PACKET = 10,     /* events ahead whose packet and peer are fetched, */
    AHEAD_FLOW = 6,        /* and, those being there, their flow, its link and the index, */
    AHEAD_WAY = 2,         /* and, those being there, the link it will leave by */
    LINE = 64,
    PACKET_HOT = 256
};

/*
 * Memory of events to come is asked for before it is needed, in stages: what the event names; what
 * that names; and, nearest, what the peer's decision will name. gcc 12 takes a function that does
 * nothing else for one without effect and drops its calls, hence the attributes.
 */
static inline __attribute__((always_inline)) void prefetch_peer(const World *world, uint32_t index)
{
    const uint8_t *peer = world->peers + index * world->stride;

    for (int i = 0; i < SIM_PEER_BLOCK + PEAL_PEER_HOT; i += LINE) {
        __builtin_prefetch(peer + i, 1);
    }
}

static inline __attribute__((always_inline)) void prefetch_named(const World *world,
                                                                 const Event *event)
{
    prefetch_peer(world, event->dest);
    if (event->ref != 0) {
        const uint8_t *packet = slab_ptr(&world->packets, event->ref);

        for (int i = 0; i <= PACKET_HOT; i += LINE) {
            __builtin_prefetch(packet + i, 1);
        }
    }
}

static inline __attribute__((always_inline)) void prefetch_tables(const World *world,
                                                                  const Event *event)
{
    if (event->ref != 0) {
        SimPeer *there = world_peer(world, event->dest);
        const Packet *packet = packet_at(&world->packets, event->ref);

        if (packet->to.index < there->flows_cap) {
            __builtin_prefetch(&there->flows[packet->to.index]);
            peal_peer_prefetch(sim_peer_core(there), packet->to);
        }
    }
}

static inline __attribute__((always_inline)) void prefetch_way(const World *world,
                                                               const Event *event)
{
    if (event->ref != 0) {
        SimPeer *there = world_peer(world, event->dest);
        const Packet *packet = packet_at(&world->packets, event->ref);
        uint16_t way;

        if (packet->type != PACKET_DATA || !there->up) {
            return;
        }
        way = peal_peer_foresee(sim_peer_core(there), packet->buf.data, packet->buf.len);
        if (way < there->flows_cap) {
            __builtin_prefetch(&there->flows[way], 1);
        }
    }
}

/* Takes the next action of the plan, and puts the last of those ahead in its place. */
static PlanAction next_action(World *world)
{
    PlanAction *place = &world->actions[world->action];
    PlanAction action = *place;

    if (!plan_next(world->plan, PEAL_TIME_NEVER, place)) {
        *place = (PlanAction){.at = PEAL_TIME_NEVER};
    }
    prefetch_peer(world, place->peer);
    world->action = (world->action + 1) % WORLD_ACTIONS_AHEAD;
    peal_peer_prefetch(sim_peer_core(world_peer(world, world->actions[world->action].peer)),
                       (PealFlow){UINT16_MAX, 0});
    return action;
}

static bool peers_map(World *world, GError **error)
{
    size_t bytes = (size_t)world->peers_len * world->stride;
    void *map;

    bytes = (bytes + HUGE_PAGE - 1) & ~(size_t)(HUGE_PAGE - 1);
    map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
               0);
    if (map == MAP_FAILED) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "%u peers need %zu MiB of memory, more than this machine gives; "
                    "lower overlay.peers",
                    world->peers_len, bytes >> 20);
        return false;
    }
    madvise(map, bytes, MADV_HUGEPAGE);
    world->peers = map;
    world->peers_bytes = bytes;
    for (uint32_t i = 0; i < world->peers_len; i++) {
        SimPeer *peer = world_peer(world, i);

        peer->env.ops = &world->ops;
        peer->world = world;
        peer->index = i;
        peer->timer = timers_none();
    }
    return true;
}

World *world_new(const WorldConfig *config, GError **error)
{
    World *world = g_new0(World, 1);
    const Scenario *scenario = config->point;
    Users users;
    PealStr name = {scenario->overlay_name, strlen(scenario->overlay_name)};

    world->ops = environment_ops();
    world->scenario = scenario;
    world->seed = config->seed;
    world->recorder = config->recorder;
    world->capture = config->capture;
    world->keep_on = config->keep_on;
    world->keep_on_user = config->user;
    world->overlay = scenario->overlay;
    if (world_is_central(world)) {
        users = users_of(scenario, scenario_identities(scenario));
        world->overlay.resources_max =
            (uint32_t)MAX(world->overlay.resources_max, users_all(&users));
    }
    world->overlay.hash = peal_overlay_hash(world->ops.crypto, name);
    world->peers_len = scenario_hosts(scenario);
    world->stride = SIM_PEER_BLOCK + peal_peer_size();
    slab_init(&world->packets, 6);
    slab_init(&world->arrays, 4);
    queue_init(&world->queue, &world->packets);
    timers_init(&world->timers, &world->queue);
    oracle_init(&world->oracle);
    if (world_is_central(world)) {
        oracle_centre(&world->oracle);
    }
    lookups_init(&world->lookups);
    users = users_of(scenario, world->peers_len);
    reach_init(&world->reach, &users);
    siphop_init(&world->sip_hops);
    processor_init(&world->processor, &scenario->peer, config->seed, world->peers_len);
    world->defended = peal_defence_admits(&world->overlay);
    world->gated = world->defended || !processor_is_infinite(&world->processor);
    world->lost[0] = g_hash_table_new(g_direct_hash, g_direct_equal);
    world->refused_pairs = g_hash_table_new(g_direct_hash, g_direct_equal);
    world->refused_peers = g_hash_table_new(g_direct_hash, g_direct_equal);
    world->lost[1] = g_hash_table_new(g_direct_hash, g_direct_equal);
    world->network = network_new(scenario, config->seed, world->peers_len, error);
    if (world->network == NULL || !peers_map(world, error)) {
        world_free(world);
        return NULL;
    }
    world->plain = network_is_plain(world->network);
    watch_init(world);
    world->plan = plan_new(scenario, config->seed);
    world->phones = phones_new(world);
    world->attacks = attacks_new(world);
    for (int i = 0; i < WORLD_ACTIONS_AHEAD; i++) {
        (void)next_action(world);
    }
    if (scenario->start == SCENARIO_START_CONVERGED) {
        world_converge(world);
    }
    return world;
}

void world_free(World *world)
{
    if (world == NULL) {
        return;
    }
    environment_free_big(world);
    if (world->peers != NULL) {
        munmap(world->peers, world->peers_bytes);
    }
    plan_free(world->plan);
    phones_free(world->phones);
    attacks_free(world);
    network_free(world->network);
    g_hash_table_destroy(world->lost[0]);
    g_hash_table_destroy(world->lost[1]);
    g_hash_table_destroy(world->refused_pairs);
    g_hash_table_destroy(world->refused_peers);
    processor_fini(&world->processor);
    lookups_fini(&world->lookups);
    reach_fini(&world->reach);
    siphop_fini(&world->sip_hops);
    oracle_fini(&world->oracle);
    timers_fini(&world->timers);
    queue_fini(&world->queue);
    slab_fini(&world->arrays);
    slab_fini(&world->packets);
    g_free(world->users_due);
    g_free(world->kept);
    g_free(world->afterwards);
    g_free(world);
}

uint64_t world_fingerprint(const World *world)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < world->peers_len; i++) {
        sum += world_peer(world, i)->fingerprint;
    }
    return sum;
}

static void run_action(World *world, const PlanAction *action)
{
    switch (action->kind) {
    case PLAN_EVENT:
        events_run(world, action);
        break;
    case PLAN_START:
        if (action->again) {
            world_return_peer(world, action->peer, action->others);
        } else {
            world_start_peer(world, action->peer, action->others);
        }
        break;
    case PLAN_STOP:
        if (action->graceful) {
            world_leave_peer(world, action->peer);
        } else {
            world_stop_peer(world, action->peer, false);
        }
        break;
    case PLAN_REGISTER:
        if (action->expires_s > 0) {
            workload_renew(world, action);
        } else {
            workload_register(world, action->peer, action->user);
        }
        break;
    case PLAN_UNREGISTER:
        workload_renew(world, action);
        break;
    case PLAN_LOOKUP:
        workload_lookup(world, action);
        break;
    case PLAN_CALL:
        phones_call(world, action);
        break;
    }
    world_after_dispatch(world);
}

/* The first events of a bucket have had nobody to look ahead for them. */
static void prefetch_first(const World *world)
{
    for (uint32_t i = 0; i <= AHEAD_PACKET; i++) {
        prefetch_named(world, queue_ahead(&world->queue, i));
    }
    for (uint32_t i = 0; i <= AHEAD_FLOW; i++) {
        prefetch_tables(world, queue_ahead(&world->queue, i));
    }
}

/* What comes from outside the queue: samples first, then the scenario's actions, then the peers'
 * events. */
static PealTime next_mark(const World *world)
{
    PealTime at =
        peal_time_min(recorder_next_sample(world->recorder), world->actions[world->action].at);

    at = peal_time_min(at, world->watch.next_ring);
    return world->attacks == NULL ? at : peal_time_min(at, attacks_peek(world));
}

static void clear_counts(World *world)
{
    processor_clear(&world->processor, world->now);
    world->counts.honest_judged = world->counts.honest_blocked = 0;
    for (uint32_t i = 0; i < world->peers_len; i++) {
        SimPeer *peer = world_peer(world, i);

        peer->messages = 0;
        peer->seen = peer->up;
    }
}

/* Counts an event, and looks at the wall clock now and then. Returns false when interrupted. */
static bool count_event(World *world)
{
    return ++world->counts.events % KEEP_ON_EVENTS != 0 || !world_interrupted(world);
}

/* Returns false when interrupted. */
static bool run_mark(World *world, PealTime at)
{
    PlanAction action;

    world->now = at;
    if (recorder_next_sample(world->recorder).ns == at.ns) {
        if (at.ns == world->scenario->warmup.ns) {
            clear_counts(world);
        }
        recorder_sample(world->recorder, at, &world->totals);
        return true;
    }
    if (world->watch.next_ring.ns == at.ns) {
        watch_ring(world);
        return true;
    }
    if (world->attacks != NULL && attacks_peek(world).ns == at.ns) {
        attacks_step(world);
        world_after_dispatch(world);
        return count_event(world);
    }
    action = next_action(world);
    run_action(world, &action);
    return count_event(world);
}

static void dispatch(World *world, const Event *event)
{
    SimPeer *peer = world_peer(world, event->dest);

    world->now = (PealTime){event->at};
    if (event->ref != 0) {
        delivery_arrive(world, peer, packet_at(&world->packets, event->ref));
    } else if (timers_due(&world->timers, event->dest, &peer->timer, event->at)) {
        peal_peer_on_wake(sim_peer_core(peer));
    }
    if (__builtin_expect(world->afterwards_len > 0, 0)) {
        world_after_dispatch(world);
    }
}

/* Opens the next bucket, with the timers that fall into it. Returns false when nothing is due
 * before `mark`. */
static bool advance(World *world, PealTime mark)
{
    for (;;) {
        int64_t start = queue_next_start(&world->queue);
        int64_t end = start == INT64_MAX ? start : start + queue_width(&world->queue);

        if (MIN(start, world->timers.next) >= mark.ns) {
            return false;
        }
        if (world->timers.next >= end) {
            timers_pass(&world->timers, end);
            if (!queue_open(&world->queue)) {
                return false;
            }
            prefetch_first(world);
            return true;
        }
        timers_open(&world->timers);
    }
}

bool world_interrupted(World *world)
{
    if (!world->interrupted && world->keep_on != NULL) {
        world->interrupted = !world->keep_on(world->keep_on_user, world->now,
                                             world->totals.counter[RECORDER_MESSAGES]);
    }
    return world->interrupted;
}

/* Drains what is due before `mark`. Returns false when interrupted. */
static bool run_until(World *world, PealTime mark)
{
    Event event;

    do {
        while (queue_pop(&world->queue, mark.ns, &event)) {
            prefetch_named(world, queue_ahead(&world->queue, AHEAD_PACKET));
            prefetch_tables(world, queue_ahead(&world->queue, AHEAD_FLOW));
            prefetch_way(world, queue_ahead(&world->queue, AHEAD_WAY));
            dispatch(world, &event);
            if (!count_event(world)) {
                return false;
            }
        }
    } while (queue_is_drained(&world->queue) && advance(world, mark));
    return true;
}

static void count_resource(void *user, const PealId *resource, uint32_t kind)
{
    (void)resource;
    (void)kind;
    ++*(uint32_t *)user;
}

static void report_peers(World *world)
{
    uint32_t len = scenario_identities(world->scenario); /* without what attacks bring along */
    RecorderPeer *peers = g_new0(RecorderPeer, len);

    for (uint32_t i = 0; i < len; i++) {
        SimPeer *peer = world_peer(world, i);

        peers[i].messages = peer->messages;
        peers[i].seen = peer->seen;
        peers[i].up = peer->up;
        if (peer->up) {
            peal_peer_each_resource(sim_peer_core(peer), count_resource, &peers[i].values);
        }
    }
    recorder_peers(world->recorder, peers, len);
    g_free(peers);
}

bool world_run(World *world)
{
    PealTime end = {world->scenario->duration.ns};
    bool whole = !world->interrupted;

    while (whole && world->now.ns < end.ns) {
        PealTime mark = peal_time_min(next_mark(world), end);

        whole = run_until(world, mark);
        if (whole && mark.ns < end.ns) {
            whole = run_mark(world, mark);
        } else if (whole) {
            world->now = end;
        }
    }
    report_peers(world);
    recorder_unfinished(world->recorder, world->lookups.active);
    if (world->phones != NULL) {
        recorder_unfinished_calls(world->recorder, world->phones->unanswered);
    }
    recorder_finish(world->recorder, world->now, &world->totals);
    return whole;
}
