/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_gate.c - an adapter with a gate survives whatever comes, gives no stranger more than its
 *               bucket holds, and remembers no more sources than it may.
 * The first bytes choose the overlay's defences. Then comes a list of steps: a byte whose high bits
 * say what happens, and what that takes. Datagrams, frames and pieces of streams are judged and, as
 * the verdict says, handed over; between them the wait changes and time passes.
 * Of each stranger's tokens there is a window: from its start on, burst and rate x time bound what
 * may be let in. A window ends when its source is known, for then it has a bucket of another size.
 */
#include <peal/peer.h>
#include <peal_openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/plain_env.h"
#include "fuzz/fuzz.h"
#include "peer.h"
#include "reload/wire.h"
#include "security/gate.h"

enum {
    SOURCES = 4,
    FLOWS = 4,
    STEPS_MAX = 64,
    WAKES_MAX = 64,
    BLOCK_ALIGN = 64,
    MEMORY_LIMIT = 8 << 20,
    STRANGERS_MAX = 256, /* with 4,096 buckets none of them ever gives way */
    REQUEST_MAX = 512
};

/* What a stranger was let in with since then. */
typedef struct Window {
    PealTime since;
    uint64_t fresh; /* requests outside of dialogs, none of them repeated */
    uint64_t all;
} Window;

typedef struct FuzzWorld {
    PlainEnv plain; /* first: the peer sees this */
    PealPeer *peer;
    PealOverlay overlay;
    PealSipConfig config;
    PealTime now;
    PealTime wake_at;
    PealSpan wait;
    uint64_t draws;
    uint64_t sends; /* SIP messages that the peer sent */
    uint32_t strangers;
    bool exact; /* no bucket gives way: windows hold */
    Window sip[SOURCES];
    Window frames[FLOWS];
    PealHop asked; /* where the last request was sent, and its bytes */
    char request[REQUEST_MAX];
    size_t request_len;
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

static int world_open(PealEnv *env, const PealTarget *to, PealFlow *ret_flow)
{
    (void)env;
    (void)to;
    (void)ret_flow;
    return -PEAL_E_FULL;
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

static void world_sip_send_take(PealEnv *env, const PealHop *to, PealBuf *buf)
{
    FuzzWorld *world = (FuzzWorld *)env;

    world->sends++;
    if (buf->len > 4 && buf->len <= REQUEST_MAX && memcmp(buf->data, "SIP/", 4) != 0) {
        world->asked = *to;
        world->request_len = buf->len;
        memcpy(world->request, buf->data, buf->len);
    }
    env->ops->drop(env, buf);
}

static void world_sip_close(PealEnv *env, uint32_t conn)
{
    (void)env;
    (void)conn;
}

static int world_ask(PealEnv *env, const PealAsk *ask)
{
    (void)env;
    (void)ask;
    return -PEAL_E_FULL;
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
    ops->sip_send_take = world_sip_send_take;
    ops->sip_close = world_sip_close;
    ops->ask = world_ask;
    ops->wake_at = world_wake_at;
    ops->crypto = peal_openssl_crypto();
}

static void world_run(FuzzWorld *world, PealSpan span)
{
    PealTime until = peal_time_add(world->now, span);

    for (int wakes = 0; wakes < WAKES_MAX && peal_time_due(world->wake_at, until); wakes++) {
        if (world->wake_at.ns > world->now.ns) {
            world->now = world->wake_at;
        }
        peal_peer_on_wake(world->peer);
    }
    world->now = until;
}

/* Absurd rates and bursts are the overlay's right: from one message in forty days to all there
 * are. */
static void choose_defences(FuzzWorld *world, uint8_t mode, uint8_t size)
{
    static const uint64_t rates[] = {0, 1, 1000, 3600000, 36000000, UINT64_C(3600000000000)};
    static const uint16_t bursts[] = {1, 2, 20, UINT16_MAX};
    PealDefence *defence = &world->overlay.defence;

    defence->overload_control = (mode & 1) != 0;
    world->overlay.link = (mode & 2) != 0 ? PEAL_TCP : PEAL_UDP;
    defence->overload_wait = peal_ms((mode & 4) != 0 ? 100 : 0);
    world->exact = (mode & 8) == 0;
    defence->sources = world->exact ? 4096 : 64;
    defence->known_factor = (mode & 16) != 0 ? 1000 : 20;
    defence->retry_after = peal_seconds((mode & 32) != 0 ? 0 : 5);
    defence->source_rate_milli = rates[(size >> 2) % 6];
    defence->source_burst = bursts[size % 4];
}

/* Windows. */

/* Has the window's source been let in with more than burst + time / token? GATE_URGENT_FACTOR times
 * as much of what is urgent comes on top. */
static void window_check(const FuzzWorld *world, const Window *window)
{
    const PealDefence *defence = &world->overlay.defence;
    const BucketRate *rate = &gate_of(world->peer)->rate;
    uint64_t span_ns = (uint64_t)peal_time_since(world->now, window->since).ns;
    uint64_t urgent_token_ns;

    if (!world->exact || defence->source_rate_milli == 0) {
        return;
    }
    urgent_token_ns = (uint64_t)rate->token.ns / GATE_URGENT_FACTOR;
    urgent_token_ns = urgent_token_ns > 0 ? urgent_token_ns : 1;
    PEAL_ASSERT(window->fresh <= rate->burst + span_ns / (uint64_t)rate->token.ns);
    PEAL_ASSERT(window->all <= (1 + GATE_URGENT_FACTOR) * (uint64_t)rate->burst +
                                   span_ns / (uint64_t)rate->token.ns + span_ns / urgent_token_ns);
}

static void window_count(const FuzzWorld *world, Window *window, bool known, bool fresh)
{
    if (known) {
        *window = (Window){.since = world->now};
        return;
    }
    window->fresh += fresh;
    window->all++;
    window_check(world, window);
}

static void gate_check(const FuzzWorld *world)
{
    PealGateStatus status;

    if (gate_of(world->peer) == NULL) {
        return;
    }
    peal_peer_gate_status(world->peer, &status);
    PEAL_ASSERT(status.sources <= world->overlay.defence.sources);
    PEAL_ASSERT(status.known <= status.sources);
    PEAL_ASSERT(status.dropped_frames <= status.dropped && status.reduction < 100);
    PEAL_ASSERT(gate_of(world->peer)->buckets.len <= world->overlay.defence.sources);
}

/* What arrives. */

/* number 0..SOURCES-1: the sources that have a window; the last of them has IPv6. */
static PealHop hop_of(uint32_t number)
{
    PealHop hop = {.addr = {.ip = {192, 0, (uint8_t)(number >> 8), (uint8_t)number},
                            .port = 5060,
                            .family = number == SOURCES - 1 ? 6 : 4}};

    return hop;
}

/* A SIP datagram; window NULL: nobody counts. */
static void datagram(FuzzWorld *world, const PealHop *from, PealBytes bytes, Window *window,
                     bool fresh)
{
    Gate *gate = gate_of(world->peer);
    bool known = gate != NULL && gate_knows(world->peer, gate_addr(gate, &from->addr));
    uint64_t sends = world->sends;
    PealBuf *buf = plain_buffer(&world->plain, bytes.ptr, bytes.len, 0);
    PealAdmit verdict = peal_peer_sip_admit(world->peer, from, buf->data, buf->len, world->wait);

    PEAL_ASSERT(world->sends - sends == (verdict == PEAL_ADMIT_REFUSE));
    if (verdict != PEAL_ADMIT_SERVE) {
        world->plain.ops.drop(&world->plain.env, buf);
    } else {
        peal_peer_on_sip_take(world->peer, from, buf);
    }
    if (gate != NULL && window != NULL && (known || verdict != PEAL_ADMIT_DROP)) {
        window_count(world, window, known, fresh);
    }
}

static void on_stream(FuzzWorld *world, uint32_t source, PealBytes bytes)
{
    PealHop from = hop_of(source);
    PealBuf *buf = plain_buffer(&world->plain, bytes.ptr, bytes.len, 0);

    from.transport = PEAL_TCP;
    from.conn = source + 1;
    PEAL_ASSERT(peal_peer_sip_admit(world->peer, &from, buf->data, buf->len, world->wait) ==
                PEAL_ADMIT_SERVE);
    peal_peer_on_sip_take(world->peer, &from, buf);
}

/* New requests, each its own: from one source, or from as many as there are requests. */
static void storm(FuzzWorld *world, uint8_t count, uint32_t source, bool spread)
{
    char text[REQUEST_MAX];

    for (int i = 0; i < count; i++) {
        bool stranger = spread && (!world->exact || world->strangers < STRANGERS_MAX);
        uint32_t number = stranger ? SOURCES + world->strangers++ : source;
        PealHop from = hop_of(number);
        int len =
            snprintf(text, sizeof(text),
                     "OPTIONS sip:example.org SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK%u.%llu;oc;oc-algo=\"loss\"\r\n"
                     "From: <sip:x@example.org>;tag=1\r\nTo: <sip:example.org>\r\n"
                     "Call-ID: %llu\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
                     number, (unsigned long long)world->draws,
                     (unsigned long long)world->now.ns + (unsigned)i);

        datagram(world, &from, (PealBytes){(const uint8_t *)text, (size_t)len},
                 number < SOURCES ? &world->sip[number] : NULL, true);
    }
}

/* A neighbour answers what the peer asked it last, with these parameters in the Via on top. */
static void answer(FuzzWorld *world, PealBytes params)
{
    static const char status[] = "SIP/2.0 503 Service Unavailable\r\n";
    const char *start = memchr(world->request, '\n', world->request_len);
    const char *end = world->request + world->request_len;
    const char *via_end;
    char text[2 * REQUEST_MAX];
    size_t len = sizeof(status) - 1;
    size_t via_len;

    if (start == NULL || ++start == end ||
        (via_end = memchr(start, '\r', (size_t)(end - start))) == NULL) {
        return;
    }
    params.len = params.len < 256 ? params.len : 256;
    via_len = (size_t)(via_end - start);
    memcpy(text, status, len);
    memcpy(text + len, start, via_len);
    len += via_len;
    if (params.len > 0) {
        memcpy(text + len, params.ptr, params.len);
    }
    len += params.len;
    memcpy(text + len, via_end, (size_t)(end - via_end));
    len += (size_t)(end - via_end);
    datagram(world, &world->asked, (PealBytes){(const uint8_t *)text, len}, NULL, false);
}

/* One data frame over a flow; a message's token, overlay and length are put right. */
static void frame(FuzzWorld *world, uint16_t index, PealBytes bytes)
{
    PealBuf *buf = world->plain.ops.buffer(&world->plain.env, RELOAD_DATA_FRAME_LEN + bytes.len);
    uint8_t *message = wire_message(buf);
    const Link *link = link_at(&world->peer->links, index);
    PealId id = link->id;
    bool known = link->neighbour || link->finger || index < FLOWS / 2;
    PealAdmit verdict;

    frame_write_data(buf->data, (uint32_t)world->draws, (uint32_t)bytes.len);
    if (bytes.len > 0) {
        memcpy(message, bytes.ptr, bytes.len);
    }
    if (bytes.len >= RELOAD_HEADER_LEN) {
        bytes_set_u32(message + WIRE_AT_TOKEN, RELOAD_TOKEN);
        bytes_set_u32(message + WIRE_AT_OVERLAY, world->overlay.hash);
        bytes_set_u32(message + WIRE_AT_LENGTH, (uint32_t)bytes.len);
    }
    buf->len = (uint32_t)(RELOAD_DATA_FRAME_LEN + bytes.len);
    verdict =
        peal_peer_admit(world->peer, (PealFlow){.index = index}, buf->data, buf->len, world->wait);
    PEAL_ASSERT(verdict != PEAL_ADMIT_REFUSE);
    if (verdict == PEAL_ADMIT_DROP) {
        world->plain.ops.drop(&world->plain.env, buf);
    } else {
        peal_peer_on_bytes_take(world->peer, (PealFlow){.index = index}, buf);
    }
    link = link_at(&world->peer->links, index);
    if (gate_of(world->peer) != NULL && world->overlay.link == PEAL_UDP &&
        (known || verdict == PEAL_ADMIT_SERVE)) {
        known = known || memcmp(&id, &link->id, sizeof(id)) != 0;
        window_count(world, &world->frames[index], known, false);
    }
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

static void step(FuzzWorld *world, const uint8_t **data, size_t *size)
{
    uint8_t what = fuzz_take_u8(data, size);
    uint32_t source = what % SOURCES;
    PealHop from = hop_of(source);

    switch (what >> 5) {
    case 0:
        world_run(world, peal_ms((int64_t)1 << (what % 24)));
        break;
    case 1: /* even a wait of two hours, or none */
        world->wait = peal_ms((what & 31) == 0 ? 0 : (int64_t)1 << (what % 24));
        break;
    case 2:
        storm(world, fuzz_take_u8(data, size), source, (what & 4) != 0);
        break;
    case 3:
        answer(world, take(data, size));
        break;
    case 4:
    case 5:
        datagram(world, &from, take(data, size), &world->sip[source], false);
        break;
    case 6:
        on_stream(world, source, take(data, size));
        break;
    default:
        frame(world, what % FLOWS, take(data, size));
        break;
    }
    gate_check(world);
}

/* A peer that is adapter and member, with two neighbours and two flows from strangers. */
static void world_start(FuzzWorld *world, void *memory)
{
    static const PealStr domains[] = {{"example.org", 11}};
    PealId id = {{0x80}};

    peal_sip_defaults(&world->config);
    world->config.domains = domains;
    world->config.domains_len = 1;
    world->config.contacts_max = 4;
    world->peer = peal_peer_init(memory, &world->plain.env, &world->overlay, &id);
    PEAL_ASSERT(peal_peer_sip(world->peer, &world->config, (PealBytes){NULL, 0}) == 0);
    PEAL_ASSERT(peal_peer_start(world->peer, NULL, 0) == 0);
    world_run(world, peal_seconds(1));
    for (unsigned flow = 0; flow < FLOWS; flow++) {
        PealId other = {{(uint8_t)(0x40 * flow), 1}};

        if (flow < FLOWS / 2) {
            peal_peer_adopt(world->peer, (PealFlow){.index = (uint16_t)flow}, &other);
        } else {
            peal_peer_on_flow_up(world->peer, (PealFlow){.index = (uint16_t)flow}, false, NULL);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzWorld *world = calloc(1, sizeof(*world));
    void *memory = aligned_alloc(BLOCK_ALIGN, peal_peer_size());
    uint8_t mode = fuzz_take_u8(&data, &size);

    PEAL_ASSERT(world != NULL && memory != NULL);
    memset(memory, 0, peal_peer_size());
    world->now = (PealTime){1};
    world_init(world);
    peal_overlay_defaults(&world->overlay);
    world->overlay.hash = UINT32_C(0x9aa32b8d);
    choose_defences(world, mode, fuzz_take_u8(&data, &size));
    world_start(world, memory);
    for (int i = 0; i < SOURCES; i++) {
        world->sip[i].since = world->frames[i].since = world->now;
    }
    for (int steps = 0; steps < STEPS_MAX && size > 0; steps++) {
        step(world, &data, &size);
    }
    peal_peer_fini(world->peer);
    PEAL_ASSERT(plain_env_clean(&world->plain));
    free(memory);
    free(world);
    return 0;
}
