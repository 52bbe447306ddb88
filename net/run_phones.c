/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_phones.c - see run_phones.h. */
#include "run_phones.h"

#include <errno.h>
#include <scenarios/replay_phone.h>
#include <scenarios/replay_results.h>

#include "run_config.h"
#include "socket_phone.h"

enum { STATUS_UNAVAILABLE = 503 };

typedef struct RunPhone {
    RunPhones *all;
    SocketPhone phone;
    GHashTable *calls; /* RunCall, themselves their keys */
    bool registered;   /* it was told so */
    uint32_t life;     /* phones that were there before it */
} RunPhone;

/* A call under way, until its phone has done with it; its address is its token. */
typedef struct RunCall {
    RunPhone *phone;
    RecorderCall record;
    bool told;      /* it has come to something: the recorder knows it */
    bool reachable; /* the callee was registered when it began, */
    uint32_t life;  /* in this life */
    uint32_t call;  /* of the recorded workload; UINT32_MAX: none of it */
} RunCall;

struct RunPhones {
    RunPhonesConfig config;
    PealSipConfig sip;
    PealPhoneConfig phone;
    const Replay *replay; /* NULL: calls are drawn */
    ReplayPlay *play;
    uint32_t users;
    RunPhone *all;    /* by peer, then user */
    GPtrArray *shims; /* by peer: the network to the central server; NULL: phones are at home */
    RunPhonesCounts counts;
};

static RunPhone *phone_at(const RunPhones *phones, uint32_t peer, uint32_t user)
{
    return &phones->all[(size_t)peer * phones->users + user];
}

bool run_phones_is_registered(const RunPhones *phones, uint32_t peer, uint32_t user)
{
    return phones != NULL && user < phones->users && phone_at(phones, peer, user)->registered;
}

/* Calls. */

static void call_tell(RunCall *call)
{
    RunPhones *phones = call->phone->all;

    if (!call->told) {
        call->told = true;
        phones->counts.unanswered--;
        recorder_call(phones->config.job->recorder, &call->record);
        if (call->reachable &&
            phone_at(phones, call->record.callee, call->record.callee_user)->life == call->life) {
            phones->counts.reachable++;
            phones->counts.reachable_answered += call->record.status / 100 == 2;
        }
    }
}

static void on_answered(RunCall *call, const PealPhoneEvent *event)
{
    const RunPhones *phones = call->phone->all;
    PealSpan rung = phones->phone.ring;

    if (call->call != UINT32_MAX) {
        rung.ns = MAX(replay_call(phones->replay, call->call)->final.ns, 0);
    }
    socket_phone_answered(&call->record, event, rung);
    call_tell(call);
}

static void on_ended(RunCall *call, uint16_t status)
{
    call->record.status = status;
    call_tell(call);
    g_hash_table_remove(call->phone->calls, call);
}

static RunCall *call_of(const PealPhoneEvent *event)
{
    return (RunCall *)(uintptr_t)event->token;
}

static void on_registered(RunPhone *phone, const PealPhoneEvent *event)
{
    RunPhonesCounts *counts = &phone->all->counts;
    bool granted = event->status / 100 == 2;

    phone->registered = granted && event->expires_s > 0;
    if (!event->refresh) {
        *(granted ? &counts->registered : &counts->register_failed) += 1;
        counts->register_failed += socket_phone_asked(&phone->phone) != 0;
    }
}

/* What comes in at a user of a recorded workload goes as it went. */
static void on_incoming(const RunPhone *phone, const PealPhoneEvent *event)
{
    const RunPhones *phones = phone->all;
    uint32_t place = (uint32_t)(phone - phones->all);

    if (phones->play != NULL) {
        (void)replay_phone_incoming(phone->phone.core, phones->play,
                                    replay_user_at(phones->replay, place / phones->users,
                                                   place % phones->users),
                                    event);
    }
}

/* What the caller's phone says of a recorded call. */
static void on_recorded(const RunPhones *phones, const PealPhoneEvent *event)
{
    bool outgoing = !event->incoming && event->kind != PEAL_PHONE_REGISTERED;

    if (phones->play != NULL && outgoing && call_of(event)->call != UINT32_MAX) {
        replay_play_event(phones->play, call_of(event)->call, event);
    }
}

static void on_event(void *user, PealPhone *core, const PealPhoneEvent *event)
{
    RunPhone *phone = user;

    (void)core;
    on_recorded(phone->all, event);
    switch (event->kind) {
    case PEAL_PHONE_REGISTERED:
        on_registered(phone, event);
        break;
    case PEAL_PHONE_ANSWERED:
        if (!event->incoming) {
            on_answered(call_of(event), event);
        }
        break;
    case PEAL_PHONE_ENDED:
        if (!event->incoming) {
            on_ended(call_of(event), event->status);
        }
        break;
    case PEAL_PHONE_INCOMING:
        on_incoming(phone, event);
        break;
    case PEAL_PHONE_RINGING:
        break;
    }
}

/* Phones. */

/* One for each peer: what leaves there is drawn on its own, as in the nodes. */
static bool shims_make(RunPhones *phones, GError **error)
{
    const RunPhonesConfig *config = &phones->config;

    phones->shims = g_ptr_array_new_with_free_func((GDestroyNotify)shim_free);
    for (uint32_t i = 0; i < config->peers; i++) {
        const NodeEmulate emulate = {
            .scenario = (char *)(uintptr_t)config->scenario,
            .seed = config->job->seed,
            .peer = i,
            .base_port = run_config_sip_port(config->job, 0),
        };
        Shim *shim = shim_new(config->loop, &emulate, error);

        if (shim == NULL) {
            return false;
        }
        g_ptr_array_add(phones->shims, shim);
    }
    return true;
}

RunPhones *run_phones_new(const RunPhonesConfig *config, GError **error)
{
    const ScenarioWorkload *workload = &config->job->point->workload;
    RunPhones *phones;

    if (!scenario_has_calls(config->job->point)) {
        return NULL;
    }
    phones = g_new0(RunPhones, 1);
    phones->config = *config;
    peal_sip_defaults(&phones->sip);
    phones->phone = (PealPhoneConfig){.sip = &phones->sip,
                                      .ring = workload->ring,
                                      .calls_max = scenario_phone_calls_max(config->job->point),
                                      .event = on_event};
    phones->users = workload->users_per_peer;
    phones->replay = workload->replay;
    phones->play = phones->replay != NULL ? replay_play_new(phones->replay) : NULL;
    phones->all = g_new0(RunPhone, (size_t)config->peers * phones->users);
    if (scenario_is_central(config->job->point) && !shims_make(phones, error)) {
        run_phones_free(phones);
        return NULL;
    }
    return phones;
}

/* A call whose caller's phone is gone. */
static void call_lose(RunPhones *phones, const RunCall *call)
{
    phones->counts.abandoned += !call->told;
    phones->counts.unanswered -= !call->told;
    if (call->call != UINT32_MAX) {
        replay_play_lost(phones->play, call->call);
    }
}

static void phone_end(RunPhone *phone)
{
    GHashTableIter iter;
    gpointer call;

    if (phone->phone.core == NULL) {
        return;
    }
    g_hash_table_iter_init(&iter, phone->calls);
    while (g_hash_table_iter_next(&iter, &call, NULL)) {
        call_lose(phone->all, call);
    }
    socket_phone_close(&phone->phone);
    g_hash_table_unref(phone->calls);
    *phone = (RunPhone){.life = phone->life + 1};
}

void run_phones_free(RunPhones *phones)
{
    if (phones == NULL) {
        return;
    }
    for (uint32_t i = 0; i < phones->config.peers * phones->users; i++) {
        phone_end(&phones->all[i]);
    }
    g_clear_pointer(&phones->shims, g_ptr_array_unref);
    replay_play_free(phones->play);
    g_free(phones->all);
    g_free(phones);
}

static bool phone_make(RunPhones *phones, uint32_t peer, uint32_t user, GError **error)
{
    RunPhone *phone = phone_at(phones, peer, user);
    const RunPhonesConfig *config = &phones->config;
    const uint32_t house = run_config_house(config->job->point, peer);
    const PealAddr proxy = {.ip = {127, 0, 0, 1},
                            .port = run_config_sip_port(config->job, house),
                            .family = 4};
    char text[PLAN_AOR_MAX];
    const SocketPhoneWho who = {.aor = scenario_aor(config->job->point, peer, user, text),
                                .proxy = proxy};
    PhoneEnv *env = house == peer ? phone_env_new(config->loop, &proxy, &phones->counts.sent)
                                  : phone_env_new_in(config->loop, phones->shims->pdata[peer],
                                                     &phones->counts.sent);
    int status;

    if (env == NULL) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "no socket for user %u of peer %u: %s", user, peer, g_strerror(errno));
        return false;
    }
    phone->all = phones;
    phone->calls = g_hash_table_new_full(NULL, NULL, g_free, NULL);
    status = socket_phone_open(&phone->phone, env, &phones->phone, &who, phone);
    PEAL_ASSERT(status == 0);
    return true;
}

bool run_phones_register(RunPhones *phones, uint32_t peer, uint32_t user, GError **error)
{
    RunPhone *phone = phone_at(phones, peer, user);
    uint32_t expires_s = scenario_register_expires_s(phones->config.job->point,
                                                     phones->config.job->seed, peer, user);

    if (phone->phone.core == NULL && !phone_make(phones, peer, user, error)) {
        return false;
    }
    if (socket_phone_ask(&phone->phone, expires_s) != 0) {
        phones->counts.register_failed++;
    }
    return true;
}

void run_phones_renew(RunPhones *phones, const PlanAction *action)
{
    RunPhone *phone = phone_at(phones, action->peer, action->user);
    int status = -PEAL_E_STATE;

    if (phone->phone.core != NULL) {
        status =
            socket_phone_ask(&phone->phone, action->kind == PLAN_REGISTER ? action->expires_s : 0);
    }
    phones->counts.register_failed += status != 0;
}

/* Has the phone make a call of the plan, as in the trace where it is recorded. Returns 0 when it
 * does. */
static int call_begin(const RunPhones *phones, RunCall *call, const PlanAction *action)
{
    PealPhone *core = call->phone->phone.core;
    char text[PLAN_AOR_MAX];

    if (call->call == UINT32_MAX) {
        return peal_phone_call(core,
                               scenario_aor(phones->config.job->point, action->target_peer,
                                            action->target_user, text),
                               action->duration, (uintptr_t)call);
    }
    replay_play_begin(phones->play, call->call, call->record.started);
    return replay_phone_call(core, phones->play, phones->replay, call->call, (uintptr_t)call);
}

void run_phones_call(RunPhones *phones, const PlanAction *action)
{
    RunPhone *phone = phone_at(phones, action->peer, action->user);
    const RunPhone *callee = phone_at(phones, action->target_peer, action->target_user);
    RunCall *call;

    if (phone->phone.core == NULL || callee == phone) {
        return;
    }
    call = g_new0(RunCall, 1);
    *call = (RunCall){
        .phone = phone,
        .call = action->call,
        .reachable = callee->registered,
        .life = callee->life,
        .record = {
            .started = {peal_time_since(loop_now(phones->config.loop), phones->config.origin).ns},
            .caller = action->peer,
            .caller_user = action->user,
            .callee = action->target_peer,
            .callee_user = action->target_user}};
    g_hash_table_add(phone->calls, call);
    phones->counts.unanswered++;
    if (call_begin(phones, call, action) != 0) {
        const PealPhoneEvent ended = {.kind = PEAL_PHONE_ENDED,
                                      .status = STATUS_UNAVAILABLE,
                                      .token = (uintptr_t)call};

        on_recorded(phones, &ended);
        on_ended(call, STATUS_UNAVAILABLE);
    }
}

void run_phones_stop(RunPhones *phones, uint32_t peer)
{
    for (uint32_t user = 0; phones != NULL && user < phones->users; user++) {
        phone_end(phone_at(phones, peer, user));
    }
}

void run_phones_partition(RunPhones *phones, uint32_t ppm, uint32_t event)
{
    for (guint i = 0; phones != NULL && phones->shims != NULL && i < phones->shims->len; i++) {
        if (ppm > 0) {
            shim_partition(phones->shims->pdata[i], ppm, event);
        } else {
            shim_heal(phones->shims->pdata[i]);
        }
    }
}

void run_phones_replay(const RunPhones *phones, RunOutcome *outcome)
{
    if (phones != NULL && phones->play != NULL) {
        run_outcome_replay(outcome, phones->config.job->recorder, phones->replay, phones->play);
    }
}

const RunPhonesCounts *run_phones_counts(const RunPhones *phones)
{
    return &phones->counts;
}
