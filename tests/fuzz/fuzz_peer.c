/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_peer.c - a joined peer survives whatever its links bring: no assertion, and all its memory
 *               comes back.
 * The first byte chooses links and crypto mode. Then comes a list of steps: a byte that says what
 * happens, and over which flow or how much later; for bytes that arrive a length and as many bytes,
 * framed and put under the overlay's hash here, so that they get past the door.
 */
#include <peal/peer.h>
#include <peal_openssl/crypto.h>
#include <stdlib.h>

#include "core/plain_env.h"
#include "fuzz/fuzz.h"
#include "reload/wire.h"

enum { FLOWS = 4, STEPS_MAX = 64, WAKES_MAX = 64, BLOCK_ALIGN = 64, MEMORY_LIMIT = 1 << 20 };

typedef struct FuzzWorld {
    PlainEnv plain; /* first: the peer sees this */
    PealTime now;
    PealTime wake_at;
    uint64_t draws;
    uint16_t flows_open; /* flows the peer has asked for, from index FLOWS up */
} FuzzWorld;

static PealTime world_now(PealEnv *env)
{
    return ((FuzzWorld *)env)->now;
}

static uint64_t world_unix_ms(PealEnv *env)
{
    return (uint64_t)(((FuzzWorld *)env)->now.ns / PEAL_NS_PER_MS) + UINT64_C(1700000000000);
}

static uint64_t world_random(PealEnv *env, PealDraw purpose)
{
    return peal_random_at(1, peal_random_stream(0, purpose), ((FuzzWorld *)env)->draws++);
}

static size_t world_addresses(PealEnv *env, PealService service, PealAddr *ret_addrs, size_t max)
{
    (void)env;
    (void)service;
    if (max == 0) {
        return 0;
    }
    ret_addrs[0] = (PealAddr){.ip = {10, 0, 0, 1}, .port = 6084, .family = 4};
    return 1;
}

static int world_open(PealEnv *env, const PealTarget *to, PealFlow *ret_flow)
{
    FuzzWorld *world = (FuzzWorld *)env;

    (void)to;
    if (world->flows_open == FLOWS) {
        return -PEAL_E_FULL;
    }
    *ret_flow = (PealFlow){.index = (uint16_t)(FLOWS + world->flows_open++)};
    return 0;
}

static void world_close(PealEnv *env, PealFlow flow)
{
    (void)env;
    (void)flow;
}

static void world_send_take(PealEnv *env, PealFlow flow, PealBuf *buf)
{
    (void)flow;
    env->ops->drop(env, buf);
}

static void world_wake_at(PealEnv *env, PealTime at)
{
    ((FuzzWorld *)env)->wake_at = at;
}

static void world_init(FuzzWorld *world)
{
    PealEnvOps *ops = &world->plain.ops;

    plain_env_init(&world->plain);
    world->plain.bytes_limit = MEMORY_LIMIT;
    world->wake_at = PEAL_TIME_NEVER;
    ops->now = world_now;
    ops->unix_ms = world_unix_ms;
    ops->random = world_random;
    ops->addresses = world_addresses;
    ops->open = world_open;
    ops->close = world_close;
    ops->send_take = world_send_take;
    ops->wake_at = world_wake_at;
    ops->crypto = peal_openssl_crypto();
}

/* Lets time pass, waking the peer as often as it wants to be. */
static void world_run(FuzzWorld *world, PealPeer *peer, PealSpan span)
{
    PealTime until = peal_time_add(world->now, span);

    for (int wakes = 0; wakes < WAKES_MAX && peal_time_due(world->wake_at, until); wakes++) {
        if (world->wake_at.ns > world->now.ns) {
            world->now = world->wake_at;
        }
        peal_peer_on_wake(peer);
    }
    world->now = until;
}

/* Bytes arrive over a flow as one data frame; a message's token, overlay and length are put
 * right. */
static void deliver(FuzzWorld *world, PealPeer *peer, const PealOverlay *overlay, uint16_t flow,
                    PealBytes bytes)
{
    PealBuf *buf = world->plain.ops.buffer(&world->plain.env, RELOAD_DATA_FRAME_LEN + bytes.len);
    uint8_t *message = wire_message(buf);

    frame_write_data(buf->data, (uint32_t)world->draws, (uint32_t)bytes.len);
    if (bytes.len > 0) {
        memcpy(message, bytes.ptr, bytes.len);
    }
    if (bytes.len >= RELOAD_HEADER_LEN) {
        bytes_set_u32(message + WIRE_AT_TOKEN, RELOAD_TOKEN);
        bytes_set_u32(message + WIRE_AT_OVERLAY, overlay->hash);
        bytes_set_u32(message + WIRE_AT_LENGTH, (uint32_t)bytes.len);
    }
    buf->len = (uint32_t)(RELOAD_DATA_FRAME_LEN + bytes.len);
    peal_peer_on_bytes_take(peer, (PealFlow){.index = flow}, buf);
}

/* One step of the input; its low bits name a flow, its high bits what happens there. */
static void step(FuzzWorld *world, PealPeer *peer, const PealOverlay *overlay, const uint8_t **data,
                 size_t *size)
{
    uint8_t what = fuzz_take_u8(data, size);
    uint16_t flow = what % (2 * FLOWS);
    size_t len;

    switch (what >> 6) {
    case 0: /* a known flow fails, or one that was asked for comes up */
        if (flow < FLOWS) {
            peal_peer_on_flow_down(peer, (PealFlow){.index = flow});
        } else if (flow < FLOWS + world->flows_open) {
            peal_peer_on_flow_up(peer, (PealFlow){.index = flow}, true, NULL);
        }
        break;
    case 1:
        world_run(world, peer, peal_ms((int64_t)1 << (what % 20)));
        break;
    default:
        len = (size_t)fuzz_take_u8(data, size) << 8;
        len |= fuzz_take_u8(data, size);
        len = len < *size ? len : *size;
        deliver(world, peer, overlay, flow, (PealBytes){*data, len});
        *data += len;
        *size -= len;
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzWorld world = {0};
    PealOverlay overlay;
    PealId id = {{0x80}};
    void *memory = aligned_alloc(BLOCK_ALIGN, peal_peer_size());
    uint8_t mode = fuzz_take_u8(&data, &size);
    PealPeer *peer;

    PEAL_ASSERT(memory != NULL);
    memset(memory, 0, peal_peer_size());
    world_init(&world);
    peal_overlay_defaults(&overlay);
    overlay.hash = UINT32_C(0x9aa32b8d);
    overlay.link = (mode & 1) != 0 ? PEAL_TCP : PEAL_UDP;
    overlay.link_acks = (mode & 2) == 0;
    overlay.crypto = (mode & 4) != 0 ? PEAL_CRYPTO_MODELLED_P256 : PEAL_CRYPTO_NONE;
    overlay.topology = (mode & 8) != 0 ? PEAL_TOPOLOGY_CENTRAL : PEAL_TOPOLOGY_CHORD;
    if ((mode & 16) != 0) {
        overlay.defence.redundant_lookups = 3;
        overlay.defence.placement = PEAL_PLACEMENT_BOTH;
        overlay.defence.copies_at_once = (mode & 32) != 0;
        overlay.defence.neighbour_check = true;
        overlay.defence.neighbour_rate = 2;
        overlay.defence.puzzle_bits = (mode & 64) != 0 ? 2 : 0;
    }
    peer = peal_peer_init(memory, &world.plain.env, &overlay, &id);
    PEAL_ASSERT(peal_peer_start(peer, NULL, 0) == 0);
    /* Two flows to peers whose names are known, two more from strangers. */
    for (uint16_t flow = 0; flow < (uint16_t)FLOWS; flow++) {
        PealId other = {{(uint8_t)(0x40 * flow), 1}};

        if (flow < FLOWS / 2) {
            peal_peer_adopt(peer, (PealFlow){.index = flow}, &other);
        } else {
            peal_peer_on_flow_up(peer, (PealFlow){.index = flow}, false, NULL);
        }
    }
    for (int steps = 0; steps < STEPS_MAX && size > 0; steps++) {
        step(&world, peer, &overlay, &data, &size);
    }
    peal_peer_fini(peer);
    PEAL_ASSERT(plain_env_clean(&world.plain));
    free(memory);
    return 0;
}
