/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * environment.c - the operations that a simulated peer is handed (<peal/env.h>).
 */
#include <peal_openssl/crypto.h>

#include "world.h"

/* An array too large for the slab's classes, in a list so that the world's end finds it. */
typedef struct BigBlock {
    struct BigBlock *next;
    struct BigBlock **link; /* what points here */
} BigBlock;

enum { ARRAY_UNIT = 16 };

static SimPeer *peer_of(PealEnv *env)
{
    return (SimPeer *)(void *)env;
}

static PealTime env_now(PealEnv *env)
{
    return peer_of(env)->world->now;
}

static uint64_t env_unix_ms(PealEnv *env)
{
    return RUN_EPOCH_MS + (uint64_t)(peer_of(env)->world->now.ns / PEAL_NS_PER_MS);
}

static uint64_t env_random(PealEnv *env, PealDraw purpose)
{
    SimPeer *peer = peer_of(env);

    size_t counter = purpose == PEAL_DRAW_SIP ? PEAL_DRAW_CORE_COUNT : purpose;

    PEAL_ASSERT(counter <= PEAL_DRAW_CORE_COUNT);
    return peal_random_at(peer->world->seed, peal_random_stream(peer->index, purpose),
                          peer->draws[counter]++);
}

static size_t env_addresses(PealEnv *env, PealService service, PealAddr *ret_addrs, size_t max)
{
    if (max == 0) {
        return 0;
    }
    ret_addrs[0] = world_addr(peer_of(env)->index);
    if (service == PEAL_SERVICE_SIP) {
        ret_addrs[0].port = WORLD_SIP_PORT;
    }
    return 1;
}

static int env_open(PealEnv *env, const PealTarget *to, PealFlow *ret_flow)
{
    return flow_open(peer_of(env)->world, peer_of(env), to, ret_flow);
}

static void env_close(PealEnv *env, PealFlow flow)
{
    flow_close(peer_of(env)->world, peer_of(env), flow);
}

static PealBuf *env_buffer(PealEnv *env, size_t cap)
{
    return &packet_new(&peer_of(env)->world->packets, cap)->buf;
}

static void env_drop(PealEnv *env, PealBuf *buf)
{
    packet_free(&peer_of(env)->world->packets, packet_of(buf));
}

static void env_send_take(PealEnv *env, PealFlow flow, PealBuf *buf)
{
    flow_send_take(peer_of(env)->world, peer_of(env), flow, buf);
}

static void env_sip_send_take(PealEnv *env, const PealHop *to, PealBuf *buf)
{
    siphop_send_take(peer_of(env)->world, peer_of(env), WORLD_SIP_PORT, to, buf);
}

static void env_sip_close(PealEnv *env, uint32_t conn)
{
    siphop_close(peer_of(env)->world, peer_of(env), WORLD_SIP_PORT, conn);
}

static int env_ask(PealEnv *env, const PealAsk *ask)
{
    return siphop_ask(peer_of(env)->world, peer_of(env), ask);
}

static void env_wake_at(PealEnv *env, PealTime at)
{
    SimPeer *peer = peer_of(env);
    int64_t when = MAX(at.ns, peer->world->now.ns);

    timers_set(&peer->world->timers, peer->index, &peer->timer, when);
}

static void env_done(PealEnv *env, uint64_t token, const PealOutcome *outcome)
{
    workload_done(peer_of(env)->world, peer_of(env), token, outcome);
}

/* A simulated peer that restarts is given its identity by the plan, and its users register
 * again. Those of a central server lie elsewhere, and do not: it has their registrations on its
 * disk. */
static int env_persist(PealEnv *env, PealSlot slot, const uint8_t *data, size_t len)
{
    World *world = peer_of(env)->world;

    if (slot == PEAL_SLOT_BINDINGS && world_is_central(world) && world->scenario->server_keeps) {
        g_free(world->kept);
        world->kept = g_memdup2(data, len);
        world->kept_len = len;
    }
    return 0;
}

PealBytes environment_kept(const World *world, const SimPeer *peer)
{
    return peer->index == 0 ? (PealBytes){world->kept, world->kept_len} : (PealBytes){NULL, 0};
}

void *environment_alloc(World *world, size_t size)
{
    BigBlock *big;
    void *block;

    if (size <= (size_t)SLAB_UNITS_MAX * ARRAY_UNIT) {
        block = slab_alloc(&world->arrays, MAX(size, 1));
        memset(block, 0, size);
        return block;
    }
    big = g_malloc0(sizeof(*big) + size);
    big->next = world->big;
    big->link = &world->big;
    if (big->next != NULL) {
        big->next->link = &big->next;
    }
    world->big = big;
    return big + 1;
}

void environment_release(World *world, void *ptr, size_t size)
{
    BigBlock *big;

    if (ptr == NULL) {
        return;
    }
    if (size <= (size_t)SLAB_UNITS_MAX * ARRAY_UNIT) {
        slab_free(&world->arrays, ptr, MAX(size, 1));
        return;
    }
    big = (BigBlock *)ptr - 1;
    *big->link = big->next;
    if (big->next != NULL) {
        big->next->link = big->link;
    }
    g_free(big);
}

static void *env_alloc(PealEnv *env, size_t size)
{
    return environment_alloc(peer_of(env)->world, size);
}

static void env_release(PealEnv *env, void *ptr, size_t size)
{
    environment_release(peer_of(env)->world, ptr, size);
}

void environment_free_big(World *world)
{
    while (world->big != NULL) {
        BigBlock *big = world->big;

        world->big = big->next;
        g_free(big);
    }
}

static void env_trace(PealEnv *env, const PealTrace *record)
{
    workload_trace(peer_of(env)->world, peer_of(env), record);
}

PealEnvOps environment_ops(void)
{
    return (PealEnvOps){
        .now = env_now,
        .unix_ms = env_unix_ms,
        .random = env_random,
        .addresses = env_addresses,
        .open = env_open,
        .close = env_close,
        .buffer = env_buffer,
        .drop = env_drop,
        .send_take = env_send_take,
        .sip_send_take = env_sip_send_take,
        .sip_close = env_sip_close,
        .ask = env_ask,
        .wake_at = env_wake_at,
        .done = env_done,
        .persist = env_persist,
        .alloc = env_alloc,
        .release = env_release,
        .trace = env_trace,
        .crypto = peal_openssl_crypto(),
    };
}
