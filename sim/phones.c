/* SPDX-License-Identifier: GPL-3.0-or-later */
/* phones.c - see phones.h. */
#include "phones.h"

#include <peal_openssl/crypto.h>
#include <scenarios/replay_phone.h>

#include "world.h"

enum {
    MIN_EXPIRES_S = 60,
    STREAM_USER_SHIFT = 24,   /* above a peer's index in a stream's name */
    STATUS_UNAVAILABLE = 503, /* of a call that cannot even begin */
    CALL_NONE = 0
};

struct SimPhone {
    PealEnv env; /* first */
    World *world;
    PealPhone *core; /* NULL: there is none now */
    PealTime deadline;
    PealTime posted; /* when the event comes that looks at the deadline */
    uint32_t peer;
    uint32_t user;
    uint32_t draws;
    uint32_t calls; /* first one it made that is under way */
    uint16_t life;
};

/* A call under way, until its phone has done with it. */
struct SimCall {
    RecorderCall record;
    uint32_t next;   /* of the same phone; or in the free list */
    uint32_t played; /* its number in a recorded workload, or UINT32_MAX */
    bool told;       /* it has come to something: the recorder knows it */
    ReachTarget target;
};

/* The environment of a phone. */

static SimPhone *phone_of(PealEnv *env)
{
    return (SimPhone *)(void *)env;
}

static SimPeer *house_of(const SimPhone *phone)
{
    return world_peer(phone->world, phone->peer);
}

static uint16_t port_of(const SimPhone *phone)
{
    return (uint16_t)(WORLD_PHONE_PORT + phone->user);
}

static PealTime env_now(PealEnv *env)
{
    return phone_of(env)->world->now;
}

static uint64_t env_unix_ms(PealEnv *env)
{
    return RUN_EPOCH_MS + (uint64_t)(env_now(env).ns / PEAL_NS_PER_MS);
}

static uint64_t env_random(PealEnv *env, PealDraw purpose)
{
    SimPhone *phone = phone_of(env);
    uint64_t name = (uint64_t)(phone->user + 1) << STREAM_USER_SHIFT | phone->peer;

    return peal_random_at(phone->world->seed, peal_random_stream(name, purpose), phone->draws++);
}

static PealBuf *env_buffer(PealEnv *env, size_t cap)
{
    return &packet_new(&phone_of(env)->world->packets, cap)->buf;
}

static void env_drop(PealEnv *env, PealBuf *buf)
{
    packet_free(&phone_of(env)->world->packets, packet_of(buf));
}

static void env_sip_send_take(PealEnv *env, const PealHop *to, PealBuf *buf)
{
    SimPhone *phone = phone_of(env);

    siphop_send_take(phone->world, house_of(phone), port_of(phone), to, buf);
}

static void env_sip_close(PealEnv *env, uint32_t conn)
{
    SimPhone *phone = phone_of(env);

    siphop_close(phone->world, house_of(phone), port_of(phone), conn);
}

static void post_wake(SimPhone *phone, PealTime at)
{
    Packet *packet = packet_new(&phone->world->packets, 0);

    packet->type = PACKET_PHONE_WAKE;
    packet->to = (PealFlow){port_of(phone), phone->life};
    phone->posted = at;
    world_post(phone->world, house_of(phone), phone->peer, at, packet);
}

/* A deadline that moves later leaves its event alone: that one posts the next. */
static void env_wake_at(PealEnv *env, PealTime at)
{
    SimPhone *phone = phone_of(env);

    at.ns = MAX(at.ns, phone->world->now.ns);
    phone->deadline = at;
    if (at.ns < phone->posted.ns) {
        post_wake(phone, at);
    }
}

static void *env_alloc(PealEnv *env, size_t size)
{
    return environment_alloc(phone_of(env)->world, size);
}

static void env_release(PealEnv *env, void *ptr, size_t size)
{
    environment_release(phone_of(env)->world, ptr, size);
}

static PealEnvOps phone_ops(void)
{
    return (PealEnvOps){.now = env_now,
                        .unix_ms = env_unix_ms,
                        .random = env_random,
                        .buffer = env_buffer,
                        .drop = env_drop,
                        .sip_send_take = env_sip_send_take,
                        .sip_close = env_sip_close,
                        .wake_at = env_wake_at,
                        .alloc = env_alloc,
                        .release = env_release,
                        .crypto = peal_openssl_crypto()};
}

/* Calls. */

static const Replay *replay_of(const World *world)
{
    return world->scenario->workload.replay;
}

static bool is_played(const SimCall *call)
{
    return call->played != UINT32_MAX;
}

static uint32_t call_add(Phones *phones, SimPhone *phone, const RecorderCall *record)
{
    uint32_t number = phones->calls_free;

    if (number != CALL_NONE) {
        phones->calls_free = phones->calls[number].next;
    } else {
        phones->calls_len = MAX(phones->calls_len, 1);
        number = phones->calls_len++;
        if (number >= phones->calls_cap) {
            phones->calls_cap = MAX(64, 2 * phones->calls_cap);
            phones->calls = g_renew(SimCall, phones->calls, phones->calls_cap);
        }
    }
    phones->calls[number] =
        (SimCall){.record = *record, .next = phone->calls, .played = UINT32_MAX};
    phone->calls = number;
    phones->unanswered++;
    return number;
}

static void call_remove(Phones *phones, SimPhone *phone, uint32_t number)
{
    SimCall *call = &phones->calls[number];
    uint32_t *list = &phone->calls;

    while (*list != number) {
        PEAL_ASSERT(*list != CALL_NONE);
        list = &phones->calls[*list].next;
    }
    *list = call->next;
    phones->unanswered -= !call->told;
    call->next = phones->calls_free;
    phones->calls_free = number;
}

/* A recorded call that its callee refused tells nothing of who can be reached. */
static bool is_to_be_answered(const World *world, const SimCall *call)
{
    return !is_played(call) ||
           replay_call(replay_of(world), call->played)->outcome == HISTORY_ANSWERED;
}

static void call_tell(World *world, SimCall *call)
{
    if (!call->told) {
        call->told = true;
        world->phones->unanswered--;
        recorder_call(world->recorder, &call->record);
        if (is_to_be_answered(world, call) && reach_held(world, &call->target)) {
            world->totals.counter[RECORDER_REACHABLE_CALLS]++;
            world->totals.counter[RECORDER_REACHABLE_ANSWERED] += call->record.status / 100 == 2;
        }
    }
}

static void on_answered(World *world, SimCall *call, const PealPhoneEvent *event)
{
    PealSpan ring = is_played(call) ? replay_call(replay_of(world), call->played)->final
                                    : world->phones->config.ring;
    int64_t answer_ns = event->to_answer.ns - MAX(ring.ns, 0);

    call->record.status = event->status;
    call->record.setup = event->to_ringing.ns >= 0 ? event->to_ringing : event->to_answer;
    call->record.answer.ns = MAX(answer_ns, 0);
    call_tell(world, call);
}

static void on_ended(World *world, SimPhone *phone, const PealPhoneEvent *event)
{
    SimCall *call = &world->phones->calls[event->token];

    call->record.status = event->status;
    call_tell(world, call);
    call_remove(world->phones, phone, (uint32_t)event->token);
}

/* Tells the play what a caller's phone says of one of its calls. */
static void tell_play(World *world, const PealPhoneEvent *event)
{
    const SimCall *call = &world->phones->calls[event->token];

    if (is_played(call)) {
        replay_play_event(world->phones->play, call->played, event);
    }
}

static void on_incoming(World *world, const SimPhone *phone, const PealPhoneEvent *event)
{
    if (world->phones->play != NULL) {
        (void)replay_phone_incoming(phone->core, world->phones->play,
                                    replay_user_at(replay_of(world), phone->peer, phone->user),
                                    event);
    }
}

static void on_registered(World *world, const SimPhone *phone, const PealPhoneEvent *event)
{
    reach_registered(&world->reach, phone->peer, phone->user,
                     event->status / 100 == 2 && event->expires_s > 0);
    if (!event->refresh) {
        world->counts.registered += event->status / 100 == 2;
        world->counts.register_failed += event->status / 100 != 2;
    }
}

static void on_event(void *user, PealPhone *core, const PealPhoneEvent *event)
{
    SimPhone *phone = user;
    World *world = phone->world;

    (void)core;
    if (event->kind == PEAL_PHONE_REGISTERED) {
        on_registered(world, phone, event);
        return;
    }
    if (event->kind == PEAL_PHONE_INCOMING) {
        on_incoming(world, phone, event);
        return;
    }
    if (event->incoming) {
        return;
    }
    tell_play(world, event);
    if (event->kind == PEAL_PHONE_ANSWERED) {
        on_answered(world, &world->phones->calls[event->token], event);
    } else if (event->kind == PEAL_PHONE_ENDED) {
        on_ended(world, phone, event);
    }
}

/* Phones. */

Phones *phones_new(World *world)
{
    const ScenarioWorkload *workload = &world->scenario->workload;
    uint32_t least_s;
    uint32_t most_s;
    Phones *phones;

    if (!scenario_has_calls(world->scenario)) {
        return NULL;
    }
    phones = g_new0(Phones, 1);
    phones->domain = (PealStr){PLAN_DOMAIN, strlen(PLAN_DOMAIN)};
    peal_sip_defaults(&phones->sip);
    phones->sip.domains = &phones->domain;
    phones->sip.domains_len = 1;
    scenario_register_bounds(world->scenario, &least_s, &most_s);
    phones->sip.min_expires_s = MIN(MIN_EXPIRES_S, least_s);
    phones->sip.max_expires_s = MAX(phones->sip.max_expires_s, most_s);
    phones->config =
        (PealPhoneConfig){.sip = &phones->sip,
                          .ring = workload->ring,
                          .calls_max = scenario_phone_calls_max(world->scenario),
                          .overload_control = world->scenario->overlay.defence.overload_control,
                          .event = on_event};
    phones->ops = phone_ops();
    phones->users = users_of(world->scenario, world->peers_len);
    if (world_is_central(world)) {
        uint32_t all = (uint32_t)users_all(&phones->users);

        phones->sip.aors_max = MAX(phones->sip.aors_max, all);
        phones->sip.transactions_max = MAX(phones->sip.transactions_max, all);
    }
    phones->all = g_new0(SimPhone, users_all(&phones->users));
    if (replay_of(world) != NULL) {
        phones->play = replay_play_new(replay_of(world));
    }
    return phones;
}

uint32_t phones_house(const World *world, uint32_t peer)
{
    return world_is_central(world) ? 0 : peer;
}

void phones_free(Phones *phones)
{
    if (phones != NULL) {
        g_free(phones->all);
        g_free(phones->calls);
        replay_play_free(phones->play);
        g_free(phones);
    }
}

static SimPhone *phone_at(const World *world, uint32_t peer, uint32_t user)
{
    return &world->phones->all[users_place(&world->phones->users, peer, user)];
}

/* The phone that runs at a port, or NULL. */
static SimPhone *phone_by_port(const World *world, const SimPeer *peer, uint16_t port)
{
    SimPhone *phone;

    if (world->phones == NULL || port < WORLD_PHONE_PORT ||
        port - (uint32_t)WORLD_PHONE_PORT >= users_at(&world->phones->users, peer->index)) {
        return NULL;
    }
    phone = phone_at(world, peer->index, port - (uint32_t)WORLD_PHONE_PORT);
    return phone->core != NULL ? phone : NULL;
}

static void phone_make(World *world, SimPhone *phone, uint32_t peer, uint32_t user)
{
    PealPhoneIdentity identity = {.contact = world_addr(peer),
                                  .proxy = {.addr = world_addr(phones_house(world, peer)),
                                            .transport = PEAL_UDP}};
    char text[PLAN_AOR_MAX];
    void *memory = environment_alloc(world, peal_phone_size());
    int status;

    phone->env.ops = &world->phones->ops;
    phone->world = world;
    phone->peer = peer;
    phone->user = user;
    phone->deadline = phone->posted = PEAL_TIME_NEVER;
    phone->life++;
    identity.aor = scenario_aor(world->scenario, peer, user, text);
    identity.contact.port = port_of(phone);
    identity.proxy.addr.port = WORLD_SIP_PORT;
    status = peal_phone_init(memory, &phone->env, &world->phones->config, &identity, phone,
                             &phone->core);
    PEAL_ASSERT(status == 0);
}

void phones_register(World *world, SimPeer *peer, uint32_t user)
{
    SimPhone *phone = phone_at(world, peer->index, user);
    uint32_t expires_s =
        scenario_register_expires_s(world->scenario, world->seed, peer->index, user);

    if (phone->core == NULL) {
        phone_make(world, phone, peer->index, user);
    }
    if (peal_phone_register(phone->core, expires_s, 0) != 0) {
        world->counts.register_failed++;
    }
}

void phones_renew(World *world, SimPeer *peer, uint32_t user, uint32_t expires_s)
{
    SimPhone *phone = phone_at(world, peer->index, user);
    int status = -PEAL_E_STATE;

    if (phone->core != NULL) {
        status = expires_s > 0 ? peal_phone_register(phone->core, expires_s, 0)
                               : peal_phone_unregister(phone->core, 0);
    }
    world->counts.register_failed += status != 0;
}

/* Has the caller's phone make the call, as it is drawn or as it is recorded. */
static int call_make(World *world, SimPhone *phone, const PlanAction *action, uint32_t number)
{
    SimCall *call = &world->phones->calls[number];
    char text[PLAN_AOR_MAX];

    if (action->call == UINT32_MAX) {
        return peal_phone_call(phone->core,
                               scenario_aor(world->scenario, call->record.callee,
                                            call->record.callee_user, text),
                               action->duration, number);
    }
    call->played = action->call;
    replay_play_begin(world->phones->play, action->call, world->now);
    return replay_phone_call(phone->core, world->phones->play, replay_of(world), action->call,
                             number);
}

void phones_call(World *world, const PlanAction *action)
{
    SimPeer *peer = world_peer(world, action->peer);
    SimPhone *phone = phone_at(world, action->peer, action->user);
    const RecorderCall record = {.started = world->now,
                                 .caller = action->peer,
                                 .caller_user = action->user,
                                 .callee = action->target_peer,
                                 .callee_user = action->target_user};
    bool self = action->target_peer == action->peer && action->target_user == action->user;
    uint32_t number;

    if (!peer->joined || peer->leaving || phone->core == NULL || self ||
        attacks_concern(world, action)) {
        return;
    }
    number = call_add(world->phones, phone, &record);
    world->phones->calls[number].target = reach_begin(world, record.callee, record.callee_user);
    if (call_make(world, phone, action, number) != 0) {
        const PealPhoneEvent ended = {.kind = PEAL_PHONE_ENDED,
                                      .status = STATUS_UNAVAILABLE,
                                      .token = number};

        tell_play(world, &ended);
        on_ended(world, phone, &ended);
    }
}

void phones_stop(World *world, SimPeer *peer)
{
    Phones *phones = world->phones;

    uint32_t users = phones != NULL ? users_at(&phones->users, peer->index) : 0;

    for (uint32_t user = 0; user < users; user++) {
        SimPhone *phone = phone_at(world, peer->index, user);

        if (phone->core == NULL) {
            continue;
        }
        while (phone->calls != CALL_NONE) {
            const SimCall *call = &phones->calls[phone->calls];

            world->counts.calls_abandoned += !call->told;
            if (is_played(call)) {
                replay_play_lost(phones->play, call->played);
            }
            call_remove(phones, phone, phone->calls);
        }
        peal_phone_fini(phone->core);
        environment_release(world, phone->core, peal_phone_size());
        phone->core = NULL;
    }
}

bool phones_take(World *world, SimPeer *peer, uint16_t port, const PealHop *from, PealBuf *buf)
{
    SimPhone *phone = phone_by_port(world, peer, port);

    if (phone == NULL) {
        packet_free(&world->packets, packet_of(buf));
        return false;
    }
    peal_phone_on_sip_take(phone->core, from, buf);
    return true;
}

void phones_end(World *world, SimPeer *peer, uint16_t port, const PealHop *hop, int error)
{
    SimPhone *phone = phone_by_port(world, peer, port);

    if (phone != NULL) {
        peal_phone_on_sip_end(phone->core, hop, error);
    }
}

void phones_wake(World *world, SimPeer *peer, const Packet *packet)
{
    SimPhone *phone = phone_by_port(world, peer, packet->to.index);

    if (phone == NULL || phone->life != packet->to.generation ||
        phone->posted.ns != world->now.ns) {
        return; /* of an earlier life, or the deadline moved before it */
    }
    phone->posted = PEAL_TIME_NEVER;
    if (peal_time_due(phone->deadline, world->now)) {
        phone->deadline = PEAL_TIME_NEVER;
        peal_phone_on_wake(phone->core);
    } else if (phone->deadline.ns != PEAL_TIME_NEVER.ns) {
        post_wake(phone, phone->deadline);
    }
}
