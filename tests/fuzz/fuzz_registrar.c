/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_registrar.c - an adapter survives whatever it had persisted and whatever phones send it: no
 *                    assertion, and all its memory comes back.
 * The first byte chooses users with passwords, a digest, and whether connections end. Then comes,
 * behind a 16-bit length, the record of one AOR, which gets its head and its checks here. The rest
 * is a list of steps: a byte below 128 is time that passes, any other is a message with its 16-bit
 * length in front.
 */
#include <peal/peer.h>
#include <peal_openssl/crypto.h>
#include <stdlib.h>

#include "core/plain_env.h"
#include "fuzz/fuzz.h"
#include "reload/codec.h"

enum {
    STEPS_MAX = 64,
    WAKES_MAX = 256,
    BLOCK_ALIGN = 64,
    MEMORY_LIMIT = 4 << 20,
    ASKS_MAX = 64,
    CHECK_LEN = 8
};

typedef struct FuzzWorld {
    PlainEnv plain; /* first: the peer sees this */
    PealTime now;
    PealTime wake_at;
    uint64_t draws;
    uint64_t asks[ASKS_MAX]; /* tokens that wait for an answer */
    size_t asks_len;
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
    if (max == 0) {
        return 0;
    }
    ret_addrs[0] = (PealAddr){.ip = {10, 0, 0, 1}, .family = 4};
    ret_addrs[0].port = service == PEAL_SERVICE_SIP ? 5060 : 6084;
    return 1;
}

static void world_sip_send_take(PealEnv *env, const PealHop *to, PealBuf *buf)
{
    (void)to;
    env->ops->drop(env, buf);
}

static void world_sip_close(PealEnv *env, uint32_t conn)
{
    (void)env;
    (void)conn;
}

static int world_ask(PealEnv *env, const PealAsk *ask)
{
    FuzzWorld *world = (FuzzWorld *)env;

    if (world->asks_len == ASKS_MAX) {
        return -PEAL_E_FULL;
    }
    world->asks[world->asks_len++] = ask->token;
    return 0;
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
    ops->sip_send_take = world_sip_send_take;
    ops->sip_close = world_sip_close;
    ops->ask = world_ask;
    ops->wake_at = world_wake_at;
    ops->crypto = peal_openssl_crypto();
}

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

static void put_check(Writer *w, size_t from)
{
    const PealBytes part = {w->ptr + from, w->len - from};
    uint8_t digest[PEAL_DIGEST_MAX];

    (void)peal_openssl_crypto()->digest(PEAL_HASH_SHA256, &part, 1, digest);
    put_bytes(w, (PealBytes){digest, CHECK_LEN});
}

/* A snapshot of one record, as core/sip/bindings_persist.c writes it. */
static void put_snapshot(Writer *w, PealBytes record)
{
    static const uint8_t magic[] = {'P', 'e', 'a', 'l', 'S', 'I', 'P', 1};
    const uint8_t key[PEAL_MAC_LEN] = {7};
    size_t start;

    put_bytes(w, (PealBytes){magic, sizeof(magic)});
    put_bytes(w, (PealBytes){key, sizeof(key)});
    put_check(w, 0);
    put_u32(w, (uint32_t)record.len);
    start = w->len;
    put_bytes(w, record);
    put_check(w, start);
}

static PealBytes take(const uint8_t **data, size_t *size)
{
    size_t len = (size_t)fuzz_take_u8(data, size) << 8;
    PealBytes taken;

    len |= fuzz_take_u8(data, size);
    taken = (PealBytes){*data, len < *size ? len : *size};
    *data += taken.len;
    *size -= taken.len;
    return taken;
}

/* What was asked is answered in turn: a password, no such user, nobody knows. */
static void answer_all(FuzzWorld *world, PealPeer *peer)
{
    static const int statuses[] = {0, -PEAL_E_NOT_FOUND, -PEAL_E_TIMEOUT};

    while (world->asks_len > 0) {
        const PealAnswer answer = {.token = world->asks[--world->asks_len],
                                   .status = statuses[world->asks_len % 3],
                                   .password = {"secret", 6}};

        peal_peer_on_answer(peer, &answer);
    }
}

static void step(FuzzWorld *world, PealPeer *peer, const uint8_t **data, size_t *size)
{
    uint8_t what = fuzz_take_u8(data, size);
    PealHop hop = {.addr = {.ip = {192, 0, 2, 1}, .port = 5060, .family = 4}};
    PealBytes bytes;

    if (what < 128) {
        world_run(world, peer, peal_ms((int64_t)1 << (what % 24)));
        return;
    }
    bytes = take(data, size);
    if ((what & 1) != 0) {
        hop.transport = PEAL_TCP;
        hop.conn = 1 + (what & 6);
    }
    peal_peer_on_sip_take(peer, &hop, plain_buffer(&world->plain, bytes.ptr, bytes.len, 0));
    if ((what & 8) != 0) {
        answer_all(world, peer);
    }
    if ((what & 0x11) == 0x11) {
        peal_peer_on_sip_end(peer, &hop, 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const PealStr domains[] = {{"example.org", 11}};
    FuzzWorld world = {.now = {1}};
    PealSipConfig config;
    PealOverlay overlay;
    PealId id = {{0x80}};
    void *memory = aligned_alloc(BLOCK_ALIGN, peal_peer_size());
    uint8_t mode = fuzz_take_u8(&data, &size);
    PealBytes record = take(&data, &size);
    uint8_t *bytes = malloc(record.len + 128);
    Writer snapshot = writer_make(bytes, record.len + 128);
    PealPeer *peer;

    PEAL_ASSERT(memory != NULL && bytes != NULL);
    memset(memory, 0, peal_peer_size());
    world_init(&world);
    peal_overlay_defaults(&overlay);
    peal_sip_defaults(&config);
    config.domains = domains;
    config.domains_len = 1;
    config.users = (mode & 1) != 0;
    config.algorithms_len = (mode & 2) != 0 ? 1 : 2;
    config.contacts_max = 4;
    peer = peal_peer_init(memory, &world.plain.env, &overlay, &id);
    put_snapshot(&snapshot, record);
    PEAL_ASSERT(!snapshot.overflow);
    PEAL_ASSERT(peal_peer_sip(peer, &config, writer_view(&snapshot)) == 0);
    free(bytes);
    PEAL_ASSERT(peal_peer_start(peer, NULL, 0) == 0);
    world_run(&world, peer, peal_seconds(1));
    for (int steps = 0; steps < STEPS_MAX && size > 0; steps++) {
        step(&world, peer, &data, &size);
    }
    peal_peer_fini(peer);
    PEAL_ASSERT(plain_env_clean(&world.plain));
    free(memory);
    return 0;
}
