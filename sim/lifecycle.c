/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lifecycle.c - peers come and go: a converged start, joins, leaves, crashes.
 */
#include "world.h"

enum { INTERRUPT_PEERS = 1024 };

static const uint32_t ADDR_BASE = UINT32_C(10) << 24 | 1; /* peer 0 is 10.0.0.1 */

PealAddr world_addr(uint32_t peer)
{
    uint32_t ip = ADDR_BASE + peer;

    return (PealAddr){
        .ip = {(uint8_t)(ip >> 24), (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip},
        .port = WORLD_PORT,
        .family = 4,
    };
}

bool world_addr_host(const World *world, const PealAddr *addr, uint32_t *ret_peer)
{
    uint32_t ip = (uint32_t)addr->ip[0] << 24 | (uint32_t)addr->ip[1] << 16 |
                  (uint32_t)addr->ip[2] << 8 | addr->ip[3];

    if (addr->family != 4 || ip - ADDR_BASE >= world->peers_len) {
        return false;
    }
    *ret_peer = ip - ADDR_BASE;
    return true;
}

bool world_addr_peer(const World *world, const PealAddr *addr, uint32_t *ret_peer)
{
    return addr->port == WORLD_PORT && world_addr_host(world, addr, ret_peer);
}

PealId world_node_id(const World *world, uint32_t index)
{
    return world->attacks != NULL ? attacks_node_id(world, index)
                                  : plan_node_id(world->seed, index);
}

static PealPeer *init_peer(World *world, SimPeer *peer, const PealId *id)
{
    PealPeer *core = sim_peer_core(peer);

    PEAL_ASSERT(!peer->up);
    peer->up = peer->seen = 1;
    peer->life++;
    world->totals.online++;
    memset(core, 0, peal_peer_size());
    core = peal_peer_init(core, peer->attacker ? attacks_env(world, peer) : &peer->env,
                          &world->overlay, id);
    if (world->phones != NULL && phones_house(world, peer->index) == peer->index) {
        int status = peal_peer_sip(core, &world->phones->sip, environment_kept(world, peer));

        PEAL_ASSERT(status == 0);
    }
    return core;
}

/* What a converging peer sees of the ring. */
typedef struct Converging {
    World *world;
    SimPeer *self;
} Converging;

static PealId view_member(const PealRingView *view, uint32_t rank)
{
    const Converging *converging = view->user;

    return peal_id_from_halves(converging->world->oracle.ids[rank]);
}

static uint32_t view_owner(const PealRingView *view, const PealId *id)
{
    const Converging *converging = view->user;

    return oracle_rank_of(&converging->world->oracle, id);
}

static bool view_link(PealRingView *view, uint32_t rank)
{
    const Converging *converging = view->user;
    World *world = converging->world;
    SimPeer *self = converging->self;
    SimPeer *other = world_peer(world, world->oracle.peers[rank]);
    PealId self_id = view_member(view, view->self_rank);
    PealId other_id = view_member(view, rank);
    PealFlow here;
    PealFlow there;

    if (flow_between(self, other->index, &here)) {
        return true;
    }
    if (!flow_pair(world, self, other, &here, &there)) {
        return false;
    }
    peal_peer_adopt(sim_peer_core(self), here, &other_id);
    peal_peer_adopt(sim_peer_core(other), there, &self_id);
    return true;
}

static bool has_joined(void *user, uint32_t other)
{
    const World *world = user;

    return world_peer(world, other)->joined != 0;
}

/* Peers that are up and joined, as an operator's list of bootstrap peers would name them. */
static size_t find_bootstrap(World *world, uint32_t index, uint32_t others,
                             PealTarget ret_targets[PLAN_BOOTSTRAP_MAX])
{
    uint32_t found[PLAN_BOOTSTRAP_MAX];
    size_t len = plan_bootstraps(world->seed, index, others, has_joined, world, found);

    for (size_t i = 0; i < len; i++) {
        ret_targets[i] = (PealTarget){world_addr(found[i]), world->overlay.link};
    }
    return len;
}

/* A central server is named whether it is up or not; it needs nobody itself. */
static size_t find_server(const World *world, uint32_t index,
                          PealTarget ret_targets[PLAN_BOOTSTRAP_MAX])
{
    ret_targets[0] = (PealTarget){world_addr(0), world->overlay.link};
    return index != 0;
}

/* Peers that will look for a partition during this run, or for a server that was down, are told
 * where, as joiners are. */
static void tell_bootstrap(World *world, SimPeer *peer)
{
    PealTarget targets[PLAN_BOOTSTRAP_MAX];
    size_t len = world_is_central(world)
                     ? find_server(world, peer->index, targets)
                     : find_bootstrap(world, peer->index, world->started, targets);
    int status = peal_peer_bootstrap(sim_peer_core(peer), targets, len);

    PEAL_ASSERT(status == 0);
}

/* Starts the peers that are there at time 0, all of them joined. Returns their ids to g_free. */
static PealId *converge_members(World *world)
{
    uint32_t *peers = g_new(uint32_t, world->peers_len);
    PealId *ids = g_new(PealId, world->peers_len);
    uint32_t len = 0;

    for (uint32_t i = 0; i < world->peers_len; i++) {
        if (plan_is_first(world->plan, i)) {
            ids[len] = plan_node_id(world->seed, i);
            init_peer(world, world_peer(world, i), &ids[len]);
            world_peer(world, i)->joined = 1;
            world->started = i + 1;
            peers[len++] = i;
        }
    }
    world->totals.joined = len;
    oracle_fill(&world->oracle, peers, ids, len);
    g_free(peers);
    return ids;
}

void world_converge(World *world)
{
    bool heals = world_is_central(world) ||
                 world->overlay.partition_interval.ns < world->scenario->duration.ns;
    g_autofree PealId *ids = converge_members(world);
    uint32_t len = world->oracle.len;
    uint32_t first_rank = len > 0 ? oracle_rank_of(&world->oracle, &ids[0]) : 0;

    for (uint32_t rank = 0; rank < len; rank++) {
        Converging converging = {world, world_peer(world, world->oracle.peers[rank])};
        PealRingView view = {len,         rank,       first_rank, &converging,
                             view_member, view_owner, view_link};

        if (rank % INTERRUPT_PEERS == 0 && world_interrupted(world)) {
            break;
        }
        if (heals) {
            tell_bootstrap(world, converging.self);
        }
        peal_peer_converge(sim_peer_core(converging.self), &view);
    }
    /* What the peers say of having joined concerns no join. */
    world->afterwards_len = 0;
}

/* Whom a peer that starts is told of; nobody: it founds the overlay. With nobody joined anywhere
 * that is gone, and whoever comes first founds it anew, as an operator would have it. While there
 * is somebody, he names one that is there. */
static size_t find_way_in(World *world, uint32_t index, uint32_t others,
                          PealTarget ret_targets[PLAN_BOOTSTRAP_MAX])
{
    size_t len;

    if (world_is_central(world)) {
        return find_server(world, index, ret_targets);
    }
    len = others == 0 ? 0 : find_bootstrap(world, index, others, ret_targets);
    if (others > 0 && len == 0 && world->oracle.len > 0) {
        uint32_t rank = plan_bootstrap(world->seed, index, world->oracle.len, 0);

        ret_targets[len++] =
            (PealTarget){world_addr(world->oracle.peers[rank]), world->overlay.link};
    }
    return len;
}

static void start_peer(World *world, uint32_t index, const PealTarget *targets, size_t len)
{
    SimPeer *peer = world_peer(world, index);
    PealId id = world_node_id(world, index);
    PealPeer *core;
    int status;

    if (peer->up) {
        return;
    }
    core = init_peer(world, peer, &id);
    world->started = MAX(world->started, index + 1);
    status = peal_peer_start(core, targets, len);
    PEAL_ASSERT(status == 0);
    if (len == 0) {
        world_after_dispatch(world); /* a founder is there for the next to ask at once */
    }
}

void world_start_peer(World *world, uint32_t index, uint32_t others)
{
    PealTarget targets[PLAN_BOOTSTRAP_MAX];
    size_t len = find_way_in(world, index, others, targets);

    start_peer(world, index, targets, len);
}

void world_start_peer_at(World *world, uint32_t index, uint32_t bootstrap)
{
    const PealTarget target = {world_addr(bootstrap), world->overlay.link};

    start_peer(world, index, &target, 1);
}

void world_make_peer(World *world, uint32_t index)
{
    PealId id = world_node_id(world, index);

    init_peer(world, world_peer(world, index), &id);
}

void world_return_peer(World *world, uint32_t index, uint32_t others)
{
    SimPeer *peer = world_peer(world, index);

    if (peer->leaving) { /* it is back before its Leave is over */
        world_stop_peer(world, index, true);
    }
    if (!peer->up) {
        world_start_peer(world, index, others);
        for (uint32_t user = 0; user < peer->users; user++) {
            workload_register(world, index, user);
        }
    }
}

void world_stop_peer(World *world, uint32_t index, bool graceful)
{
    SimPeer *peer = world_peer(world, index);
    PealId id = world_node_id(world, index);

    if (!peer->up) {
        return;
    }
    workload_stop(world, peer);
    if (peer->joined) {
        oracle_leave(&world->oracle, &id);
        world->totals.joined--;
    }
    world->totals.counter[graceful ? RECORDER_PEERS_LEFT : RECORDER_PEERS_FAILED]++;
    world->totals.online--;
    peer->up = peer->joined = peer->leaving = 0;
    peer->timer = timers_none();
    peal_peer_fini(sim_peer_core(peer));
    flow_end_all(world, peer, graceful);
    siphop_end_all(world, peer);
}

void world_leave_peer(World *world, uint32_t index)
{
    SimPeer *peer = world_peer(world, index);

    if (!peer->up || peer->leaving) {
        return;
    }
    peer->leaving = 1;
    if (peal_peer_leave(sim_peer_core(peer), token_make(TOKEN_LEAVE, index)) != 0) {
        world_stop_peer(world, index, true);
    }
}

void world_peer_joined(World *world, uint32_t index)
{
    SimPeer *peer = world_peer(world, index);
    PealId id = world_node_id(world, index);

    if (!peer->up || peer->joined) {
        return;
    }
    peer->joined = 1;
    world->totals.joined++;
    world->totals.counter[RECORDER_PEERS_JOINED]++;
    oracle_join(&world->oracle, &id, index);
    workload_joined(world, peer);
    if (peer->attacker) {
        attacks_joined(world, index);
    }
}

void world_after_dispatch(World *world)
{
    for (uint32_t i = 0; i < world->afterwards_len; i++) {
        Afterwards next = world->afterwards[i];

        if (next.joined) {
            world_peer_joined(world, next.peer);
        } else {
            world_stop_peer(world, next.peer, true);
        }
    }
    world->afterwards_len = 0;
}
