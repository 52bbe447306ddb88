/* SPDX-License-Identifier: GPL-3.0-or-later */
/* toy_peer.c - stands in for core's peer.c, function by function; see toy_peer.h. */
#include "toy_peer.h"

#include <CUnit/CUnit.h>
#include <string.h>

struct PealPeer {
    PealEnv *env;
    PealId id;
    uint32_t index;
    PealPeerState state;
};

Toy toy;

static void note(PealPeer *peer, ToyEvent event)
{
    event.peer = peer->index;
    event.at_ns = peer->env->ops->now(peer->env).ns;
    g_array_append_val(toy.log, event);
    if (toy.script != NULL) {
        toy.script(peer->env, peer->index, &event);
    }
}

size_t peal_peer_size(void)
{
    return 64;
}

PealPeer *peal_peer_init(void *memory, PealEnv *env, const PealOverlay *overlay, const PealId *id)
{
    PealPeer *peer = memory;
    PealAddr addr;

    (void)overlay;
    peer->env = env;
    peer->id = *id;
    env->ops->addresses(env, PEAL_SERVICE_RELOAD, &addr, 1);
    peer->index = (uint32_t)addr.ip[3] - 1;
    return peer;
}

void peal_peer_fini(PealPeer *peer)
{
    peer->state = PEAL_PEER_LEFT;
}

int peal_peer_start(PealPeer *peer, const PealTarget *bootstrap, size_t bootstrap_len)
{
    (void)bootstrap;
    (void)bootstrap_len;
    peer->state = PEAL_PEER_JOINED;
    peer->env->ops->wake_at(peer->env, (PealTime){TOY_WAKE.ns});
    return 0;
}

int peal_peer_bootstrap(PealPeer *peer, const PealTarget *bootstrap, size_t bootstrap_len)
{
    (void)peer;
    (void)bootstrap;
    (void)bootstrap_len;
    return 0;
}

int peal_peer_leave(PealPeer *peer, uint64_t token)
{
    peer->env->ops->done(peer->env, token, &(PealOutcome){.status = 0});
    return 0;
}

void peal_peer_on_wake(PealPeer *peer)
{
    note(peer, (ToyEvent){.kind = TOY_WOKEN});
}

void peal_peer_on_flow_up(PealPeer *peer, PealFlow flow, bool opened, const PealId *identity)
{
    CU_ASSERT_PTR_NULL(identity);
    note(peer, (ToyEvent){.kind = TOY_UP, .flow = flow, .opened = opened});
}

void peal_peer_on_flow_down(PealPeer *peer, PealFlow flow)
{
    note(peer, (ToyEvent){.kind = TOY_DOWN, .flow = flow});
}

void peal_peer_on_bytes_take(PealPeer *peer, PealFlow flow, PealBuf *buf)
{
    ToyEvent event = {.kind = TOY_BYTES, .flow = flow, .len = buf->len};

    memcpy(&event.number, buf->data, sizeof(event.number));
    peer->env->ops->drop(peer->env, buf);
    note(peer, event);
}

int peal_peer_sip(PealPeer *peer, const PealSipConfig *config, PealBytes bindings)
{
    (void)peer;
    (void)config;
    (void)bindings;
    return 0;
}

void peal_peer_on_sip_take(PealPeer *peer, const PealHop *from, PealBuf *buf)
{
    ToyEvent event = {.kind = TOY_SIP, .len = buf->len, .hop = *from};

    memcpy(&event.number, buf->data, sizeof(event.number));
    peer->env->ops->drop(peer->env, buf);
    note(peer, event);
}

PealAdmit peal_peer_admit(PealPeer *peer, PealFlow flow, const uint8_t *bytes, size_t len,
                          PealSpan wait)
{
    (void)peer;
    (void)flow;
    (void)bytes;
    (void)len;
    (void)wait;
    return PEAL_ADMIT_SERVE;
}

PealAdmit peal_peer_sip_admit(PealPeer *peer, const PealHop *from, const uint8_t *bytes, size_t len,
                              PealSpan wait)
{
    (void)peer;
    (void)from;
    (void)bytes;
    (void)len;
    (void)wait;
    return PEAL_ADMIT_SERVE;
}

void peal_peer_on_sip_end(PealPeer *peer, const PealHop *hop, int error)
{
    note(peer, (ToyEvent){.kind = TOY_SIP_END, .hop = *hop, .error = error});
}

void peal_peer_on_answer(PealPeer *peer, const PealAnswer *answer)
{
    ToyEvent event = {.kind = TOY_ANSWER,
                      .number = (uint32_t)answer->token,
                      .error = answer->status,
                      .targets_len = answer->targets_len};

    if (answer->targets_len > 0) {
        event.addr = answer->targets[0].addr;
    }
    note(peer, event);
}

void peal_peer_prefetch(const PealPeer *peer, PealFlow flow)
{
    (void)peer;
    (void)flow;
}

uint16_t peal_peer_foresee(const PealPeer *peer, const uint8_t *bytes, size_t len)
{
    (void)peer;
    (void)bytes;
    (void)len;
    return UINT16_MAX;
}

int peal_peer_fetch(PealPeer *peer, const PealId *resource, uint32_t kind, uint64_t token)
{
    (void)peer;
    (void)resource;
    (void)kind;
    (void)token;
    return -PEAL_E_STATE;
}

int peal_peer_register(PealPeer *peer, PealStr aor, uint32_t expires_s, uint64_t token)
{
    (void)peer;
    (void)aor;
    (void)expires_s;
    (void)token;
    return -PEAL_E_STATE;
}

void peal_peer_adopt(PealPeer *peer, PealFlow flow, const PealId *identity)
{
    (void)peer;
    (void)flow;
    (void)identity;
}

void peal_peer_converge(PealPeer *peer, PealRingView *view)
{
    (void)peer;
    (void)view;
}

size_t peal_peer_successors(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    (void)peer;
    (void)ret_ids;
    (void)max;
    return 0;
}

size_t peal_peer_predecessors(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    return peal_peer_successors(peer, ret_ids, max);
}

size_t peal_peer_fingers(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    return peal_peer_successors(peer, ret_ids, max);
}

const PealId *peal_peer_id(const PealPeer *peer)
{
    return &peer->id;
}

size_t peal_peer_stored(const PealPeer *peer, const PealId *resource, uint32_t kind)
{
    (void)peer;
    (void)resource;
    (void)kind;
    return 0;
}

void peal_peer_each_resource(const PealPeer *peer,
                             void (*visit)(void *user, const PealId *resource, uint32_t kind),
                             void *user)
{
    (void)peer;
    (void)visit;
    (void)user;
}

/* The world around it. */

void toy_run(ToyScript script, const char *const *settings)
{
    static const char TEXT[] = "[scenario]\nduration = 20s\nwarmup = 0s\nseed = 1\n"
                               "[overlay]\npeers = 2\nstart = joins\njoin-interval = 1ms\n"
                               "[network]\nlatency = constant:50ms\n"
                               "[workload]\nusers-per-peer = 0\nlookups-per-peer-hour = 0\n";
    g_autoptr(GError) error = NULL;
    WorldConfig config = {0};

    toy.script = script;
    toy.log = g_array_new(FALSE, FALSE, sizeof(ToyEvent));
    toy.scenario = scenario_load_text("toy.conf", TEXT, strlen(TEXT), settings, &error);
    if (toy.scenario == NULL) {
        fprintf(stderr, "%s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(toy.scenario);
    toy.recorder = recorder_new(&(RecorderConfig){.duration = toy.scenario->duration});
    config.point = toy.scenario;
    config.seed = toy.scenario->seed;
    config.recorder = toy.recorder;
    toy.world = world_new(&config, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(toy.world);
    CU_ASSERT_TRUE(world_run(toy.world));
}

void toy_run_struck(ToyScript script, const char *what)
{
    for (unsigned seed = 1; seed < 50; seed++) {
        g_autofree char *text = g_strdup_printf("scenario.seed=%u", seed);
        const char *settings[] = {text, "overlay.link=tcp", "event:x.at=5s", what, NULL};

        toy_run(script, settings);
        if (!world_peer(toy.world, 1)->up || toy_find(TOY_WOKEN, 1, 1) != NULL) {
            return;
        }
        toy_end();
    }
    CU_FAIL_FATAL("no seed strikes peer 1");
}

void toy_end(void)
{
    world_free(toy.world);
    recorder_free(toy.recorder);
    scenario_free(toy.scenario);
    g_array_unref(toy.log);
    toy = (Toy){0};
}

const ToyEvent *toy_find(ToyKind kind, uint32_t peer, unsigned n)
{
    for (guint i = 0; i < toy.log->len; i++) {
        const ToyEvent *event = &g_array_index(toy.log, ToyEvent, i);

        if (event->kind == kind && event->peer == peer && n-- == 0) {
            return event;
        }
    }
    return NULL;
}

PealFlow toy_open(PealEnv *env, uint32_t to, PealTransport transport)
{
    PealTarget target = {{.ip = {10, 0, 0, (uint8_t)(to + 1)}, .port = WORLD_PORT, .family = 4},
                         transport};
    PealFlow flow = {0};

    CU_ASSERT_EQUAL(env->ops->open(env, &target, &flow), 0);
    return flow;
}

void toy_send(PealEnv *env, PealFlow flow, uint32_t number, uint16_t attempt)
{
    PealBuf *buf = env->ops->buffer(env, 100);

    CU_ASSERT_TRUE(buf->cap >= 100);
    memset(buf->data, 0, 100);
    memcpy(buf->data, &number, sizeof(number));
    buf->len = 100;
    buf->serial = number;
    buf->attempt = attempt;
    env->ops->send_take(env, flow, buf);
}

void toy_sip(PealEnv *env, const PealHop *to, uint32_t number)
{
    PealBuf *buf = env->ops->buffer(env, 100);

    memset(buf->data, 0, 100);
    memcpy(buf->data, &number, sizeof(number));
    buf->len = 100;
    env->ops->sip_send_take(env, to, buf);
}

PealHop toy_sip_to(uint32_t peer, PealTransport transport)
{
    return (PealHop){.addr = {.ip = {10, 0, 0, (uint8_t)(peer + 1)},
                              .port = WORLD_SIP_PORT,
                              .family = 4},
                     .transport = (uint8_t)transport};
}
