/* mini_world.c - see mini_world.h. */
#include "mini_world.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "peal_openssl/crypto.h"

typedef enum MiniEventKind { MINI_FRAME, MINI_FLOW_UP, MINI_CALL } MiniEventKind;

struct MiniEvent {
    MiniEvent *next;
    PealTime at;
    uint64_t born;
    PealBuf *buf;
    PealFlow flow; /* MINI_FRAME: the sender's; MINI_FLOW_UP: the peer's own */
    uint32_t from;
    uint32_t to;
    MiniEventKind kind;
    MiniCall call; /* MINI_CALL */
    void *user;
};

static PealEnvOps ops;

static MiniPeer *mini_of(PealEnv *env)
{
    return (MiniPeer *)env;
}

static void push(MiniWorld *world, MiniEvent event)
{
    MiniEvent **at = &world->events;
    MiniEvent *fresh = malloc(sizeof(*fresh));

    event.born = world->events_born++;
    while (*at != NULL && (*at)->at.ns <= event.at.ns) {
        at = &(*at)->next;
    }
    *fresh = event;
    fresh->next = *at;
    *at = fresh;
}

static PealTime op_now(PealEnv *env)
{
    return mini_of(env)->world->now;
}

static uint64_t op_unix_ms(PealEnv *env)
{
    return UINT64_C(1700000000000) + (uint64_t)(op_now(env).ns / PEAL_NS_PER_MS);
}

static uint64_t op_random(PealEnv *env, PealDraw purpose)
{
    MiniPeer *mini = mini_of(env);

    return peal_random_at(mini->world->seed, peal_random_stream(mini->index, purpose),
                          mini->draws[purpose]++);
}

static PealFlow take_flow(MiniPeer *mini, uint32_t other)
{
    for (uint16_t i = 0; i < (uint16_t)MINI_FLOWS_MAX; i++) {
        MiniFlow *flow = &mini->flows[i];

        if (!flow->used) {
            flow->used = true;
            flow->paired = false;
            flow->other = other;
            flow->generation++;
            return (PealFlow){i, flow->generation};
        }
    }
    abort();
}

static size_t op_addresses(PealEnv *env, PealService service, PealAddr *ret_addrs, size_t max)
{
    const MiniSip *sip = mini_of(env)->world->sip;

    if (service == PEAL_SERVICE_SIP) {
        return sip != NULL ? sip->addresses(mini_of(env), ret_addrs, max) : 0;
    }
    if (max == 0) {
        return 0;
    }
    ret_addrs[0] = mini_addr(mini_of(env)->index);
    return 1;
}

static int op_open(PealEnv *env, const PealTarget *to, PealFlow *ret_flow)
{
    MiniPeer *mini = mini_of(env);
    uint32_t other = (uint32_t)to->addr.ip[2] << 8 | to->addr.ip[3];

    if (other >= mini->world->peers_len) {
        return -PEAL_E_UNREACHABLE;
    }
    *ret_flow = take_flow(mini, other);
    push(mini->world, (MiniEvent){.at = mini->world->now,
                                  .flow = *ret_flow,
                                  .from = mini->index,
                                  .to = mini->index,
                                  .kind = MINI_FLOW_UP});
    return 0;
}

static void op_close(PealEnv *env, PealFlow flow)
{
    mini_of(env)->flows[flow.index].used = false;
}

static PealBuf *op_buffer(PealEnv *env, size_t cap)
{
    PealBuf *buf = calloc(1, sizeof(*buf) + cap);

    buf->cap = (uint32_t)cap;
    mini_of(env)->world->buffers++;
    return buf;
}

static void op_drop(PealEnv *env, PealBuf *buf)
{
    mini_of(env)->world->buffers--;
    free(buf);
}

static void op_send_take(PealEnv *env, PealFlow flow, PealBuf *buf)
{
    MiniPeer *mini = mini_of(env);
    MiniWorld *world = mini->world;
    uint32_t to = mini->flows[flow.index].other;

    CU_ASSERT_FATAL(mini->flows[flow.index].used &&
                    mini->flows[flow.index].generation == flow.generation);
    CU_ASSERT_FATAL(buf->len <= buf->cap);
    if (world->hook != NULL &&
        world->hook(world->hook_user, mini->index, to, buf->data, buf->len)) {
        op_drop(env, buf);
        return;
    }
    world->frames++;
    push(world, (MiniEvent){.at = peal_time_add(world->now, world->latency),
                            .buf = buf,
                            .flow = flow,
                            .from = mini->index,
                            .to = to,
                            .kind = MINI_FRAME});
}

static void op_sip_send_take(PealEnv *env, const PealHop *to, PealBuf *buf)
{
    const MiniSip *sip = mini_of(env)->world->sip;

    CU_ASSERT_FATAL(buf->len <= buf->cap);
    if (sip != NULL) {
        sip->send(mini_of(env), to, buf->data, buf->len);
    }
    op_drop(env, buf);
}

static void op_sip_close(PealEnv *env, uint32_t conn)
{
    const MiniSip *sip = mini_of(env)->world->sip;

    if (sip != NULL) {
        sip->close(mini_of(env), conn);
    }
}

static int op_ask(PealEnv *env, const PealAsk *ask)
{
    const MiniSip *sip = mini_of(env)->world->sip;

    return sip != NULL ? sip->ask(mini_of(env), ask) : -PEAL_E_FULL;
}

static void op_wake_at(PealEnv *env, PealTime at)
{
    mini_of(env)->wake_at = at;
}

static void op_done(PealEnv *env, uint64_t token, const PealOutcome *outcome)
{
    MiniWorld *world = mini_of(env)->world;

    if (world->outcomes_len < MINI_OUTCOMES_MAX) {
        world->outcomes[world->outcomes_len++] =
            (MiniOutcome){token, outcome->status, outcome->error_code, outcome->values,
                          outcome->responder};
    }
}

static int op_persist(PealEnv *env, PealSlot slot, const uint8_t *data, size_t len)
{
    MiniPeer *mini = mini_of(env);

    if (slot == PEAL_SLOT_BINDINGS) {
        free(mini->bindings);
        mini->bindings = malloc(len + 1);
        memcpy(mini->bindings, data, len);
        mini->bindings_len = len;
    }
    return 0;
}

static void *op_alloc(PealEnv *env, size_t size)
{
    mini_of(env)->allocated += size;
    return calloc(1, size);
}

static void op_release(PealEnv *env, void *ptr, size_t size)
{
    CU_ASSERT_FATAL(mini_of(env)->allocated >= size);
    mini_of(env)->allocated -= size;
    free(ptr);
}

static void op_trace(PealEnv *env, const PealTrace *record)
{
    MiniPeer *mini = mini_of(env);

    mini->traces[record->kind]++;
    if (record->kind == PEAL_TRACE_MESSAGE_DROPPED) {
        mini->drops[record->code]++;
    }
    if (record->kind == PEAL_TRACE_REQUEST_SERVED) {
        mini->last_served = *record;
    }
}

MiniWorld *mini_new(uint64_t seed)
{
    MiniWorld *world = calloc(1, sizeof(*world));

    ops = (PealEnvOps){.now = op_now,
                       .unix_ms = op_unix_ms,
                       .random = op_random,
                       .addresses = op_addresses,
                       .open = op_open,
                       .close = op_close,
                       .buffer = op_buffer,
                       .drop = op_drop,
                       .send_take = op_send_take,
                       .sip_send_take = op_sip_send_take,
                       .sip_close = op_sip_close,
                       .ask = op_ask,
                       .wake_at = op_wake_at,
                       .done = op_done,
                       .persist = op_persist,
                       .alloc = op_alloc,
                       .release = op_release,
                       .trace = op_trace,
                       .crypto = peal_openssl_crypto()};
    world->seed = seed;
    world->latency = peal_ms(10);
    peal_overlay_defaults(&world->overlay);
    world->overlay.hash = 0x12345678;
    world->overlay.successors = 3;
    world->overlay.predecessors = 3;
    world->overlay.update_interval = peal_seconds(10);
    world->overlay.finger_interval = peal_seconds(20);
    world->overlay.partition_interval = peal_seconds(20);
    world->overlay.hold_down = peal_seconds(5);
    return world;
}

void mini_kill(MiniPeer *mini)
{
    if (mini->alive) {
        mini->alive = false;
        peal_peer_fini(mini->peer);
        CU_ASSERT_EQUAL(mini->allocated, 0);
        free(mini->memory);
        mini->memory = NULL;
        mini->peer = NULL;
        memset(mini->flows, 0, sizeof(mini->flows));
        mini->wake_at = PEAL_TIME_NEVER;
    }
}

void mini_free(MiniWorld *world)
{
    for (uint32_t i = 0; i < world->peers_len; i++) {
        mini_kill(&world->peers[i]);
        free(world->peers[i].bindings);
    }
    while (world->events != NULL) {
        MiniEvent *event = world->events;

        world->events = event->next;
        if (event->buf != NULL) {
            op_drop(&world->peers[event->from].env, event->buf);
        }
        if (event->kind == MINI_CALL) {
            event->call(event->user, false);
        }
        free(event);
    }
    CU_ASSERT_EQUAL(world->buffers, 0);
    free(world);
}

PealAddr mini_addr(uint32_t index)
{
    return (
        PealAddr){.ip = {10, 0, (uint8_t)(index >> 8), (uint8_t)index}, .port = 6084, .family = 4};
}

MiniPeer *mini_peer(MiniWorld *world, const PealId *id)
{
    MiniPeer *mini = &world->peers[world->peers_len];
    PealIdHalves drawn;
    PealId own;

    CU_ASSERT_FATAL(world->peers_len < MINI_PEERS_MAX);
    mini->env.ops = &ops;
    mini->world = world;
    mini->index = world->peers_len++;
    mini->wake_at = PEAL_TIME_NEVER;
    drawn.high = op_random(&mini->env, PEAL_DRAW_NODE_ID);
    drawn.low = op_random(&mini->env, PEAL_DRAW_NODE_ID);
    own = id != NULL ? *id : peal_id_from_halves(drawn);
    mini->memory = aligned_alloc(64, peal_peer_size());
    memset(mini->memory, 0, peal_peer_size());
    mini->alive = true;
    mini->peer = peal_peer_init(mini->memory, &mini->env, &world->overlay, &own);
    return mini;
}

void mini_start(MiniPeer *mini)
{
    const PealTarget first = {mini_addr(0), mini->world->overlay.link};

    CU_ASSERT_EQUAL(peal_peer_start(mini->peer, &first, mini->index == 0 ? 0 : 1), 0);
}

PealFlow mini_flow(const MiniPeer *from, uint32_t to)
{
    for (uint16_t i = 0; i < (uint16_t)MINI_FLOWS_MAX; i++) {
        if (from->flows[i].used && from->flows[i].other == to) {
            return (PealFlow){i, from->flows[i].generation};
        }
    }
    return (PealFlow){UINT16_MAX, 0};
}

/* The receiver's end of a sender's flow; it comes up with the first datagram. */
static PealFlow receiving_flow(MiniPeer *mini, const MiniEvent *event)
{
    MiniFlow *sender = &mini->world->peers[event->from].flows[event->flow.index];
    PealFlow fresh;

    if (sender->paired && mini->flows[sender->other_flow.index].used &&
        mini->flows[sender->other_flow.index].generation == sender->other_flow.generation) {
        return sender->other_flow;
    }
    fresh = take_flow(mini, event->from);
    mini->flows[fresh.index].paired = true;
    mini->flows[fresh.index].other_flow = event->flow;
    sender->paired = true;
    sender->other_flow = fresh;
    peal_peer_on_flow_up(mini->peer, fresh, false, NULL);
    return fresh;
}

static bool sender_flow_lives(const MiniWorld *world, const MiniEvent *event)
{
    const MiniFlow *flow = &world->peers[event->from].flows[event->flow.index];

    return world->peers[event->from].alive && flow->used &&
           flow->generation == event->flow.generation;
}

static void dispatch(MiniWorld *world, MiniEvent *event)
{
    MiniPeer *mini = &world->peers[event->to];

    if (event->kind == MINI_CALL) {
        event->call(event->user, true);
    } else if (event->kind == MINI_FLOW_UP) {
        if (mini->alive && sender_flow_lives(world, event)) {
            peal_peer_on_flow_up(mini->peer, event->flow, true, NULL);
        }
    } else if (mini->alive && sender_flow_lives(world, event)) {
        peal_peer_on_bytes_take(mini->peer, receiving_flow(mini, event), event->buf);
    } else {
        op_drop(&mini->env, event->buf);
    }
    free(event);
}

static MiniPeer *next_to_wake(MiniWorld *world)
{
    MiniPeer *first = &world->peers[0];

    for (uint32_t i = 1; i < world->peers_len; i++) {
        if (world->peers[i].wake_at.ns < first->wake_at.ns) {
            first = &world->peers[i];
        }
    }
    return first;
}

void mini_later(MiniWorld *world, PealSpan span, MiniCall call, void *user)
{
    push(world, (MiniEvent){.at = peal_time_add(world->now, span),
                            .kind = MINI_CALL,
                            .call = call,
                            .user = user});
}

bool mini_step(MiniWorld *world, PealTime until)
{
    MiniPeer *sleeper = next_to_wake(world);
    MiniEvent *event = world->events;

    if (event != NULL && event->at.ns <= sleeper->wake_at.ns) {
        if (event->at.ns > until.ns) {
            return false;
        }
        world->events = event->next;
        world->now = event->at;
        dispatch(world, event);
        return true;
    }
    if (sleeper->wake_at.ns > until.ns) {
        return false;
    }
    if (sleeper->wake_at.ns > world->now.ns) {
        world->now = sleeper->wake_at;
    }
    sleeper->wake_at = PEAL_TIME_NEVER;
    peal_peer_on_wake(sleeper->peer);
    return true;
}

void mini_run(MiniWorld *world, PealSpan span)
{
    PealTime until = peal_time_add(world->now, span);

    while (mini_step(world, until)) {
    }
    world->now = until;
}

const MiniOutcome *mini_await(MiniWorld *world, uint64_t token, PealSpan limit)
{
    PealTime until = peal_time_add(world->now, limit);

    do {
        for (uint32_t i = 0; i < world->outcomes_len; i++) {
            if (world->outcomes[i].token == token) {
                return &world->outcomes[i];
            }
        }
    } while (mini_step(world, until));
    return NULL;
}

MiniWorld *mini_ring(uint64_t seed, uint32_t count)
{
    MiniWorld *world = mini_new(seed);

    for (uint32_t i = 0; i < count; i++) {
        mini_start(mini_peer(world, NULL));
        mini_run(world, peal_ms(200));
    }
    mini_run(world, peal_seconds(30));
    return world;
}

MiniPeer *mini_owner(MiniWorld *world, const PealId *id)
{
    MiniPeer *owner = NULL;
    PealIdHalves nearest = {0, 0};

    for (uint32_t i = 0; i < world->peers_len; i++) {
        MiniPeer *mini = &world->peers[i];
        PealIdHalves distance;

        if (!mini->alive || peal_peer_state(mini->peer) != PEAL_PEER_JOINED) {
            continue;
        }
        distance = peal_id_distance(id, peal_peer_id(mini->peer));
        if (owner == NULL || peal_halves_less(distance, nearest)) {
            owner = mini;
            nearest = distance;
        }
    }
    return owner;
}

bool mini_is_one_ring(const MiniWorld *world)
{
    for (uint32_t i = 0; i < world->peers_len; i++) {
        const MiniPeer *mini = &world->peers[i];
        PealId point;
        PealId successor;
        PealId predecessor;
        MiniPeer *next;

        if (!mini->alive) {
            continue;
        }
        point = peal_id_successor_point(peal_peer_id(mini->peer));
        next = mini_owner((MiniWorld *)world, &point);
        if (next == NULL || next == mini) {
            continue;
        }
        if (peal_peer_state(mini->peer) != PEAL_PEER_JOINED ||
            peal_peer_successors(mini->peer, &successor, 1) != 1 ||
            !peal_id_equal(&successor, peal_peer_id(next->peer)) ||
            peal_peer_predecessors(next->peer, &predecessor, 1) != 1 ||
            !peal_id_equal(&predecessor, peal_peer_id(mini->peer))) {
            return false;
        }
    }
    return true;
}

void mini_inject(MiniPeer *mini, PealFlow flow, const uint8_t *bytes, size_t len)
{
    PealBuf *buf = op_buffer(&mini->env, len);

    memcpy(buf->data, bytes, len);
    buf->len = (uint32_t)len;
    peal_peer_on_bytes_take(mini->peer, flow, buf);
}
