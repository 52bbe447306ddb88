/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_phones.c - see run_phones.h. */
#include "run_phones.h"

#include <errno.h>

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
} RunCall;

struct RunPhones {
    RunPhonesConfig config;
    PealSipConfig sip;
    PealPhoneConfig phone;
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
    socket_phone_answered(&call->record, event, call->phone->all->phone.ring);
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

static void on_event(void *user, PealPhone *core, const PealPhoneEvent *event)
{
    RunPhone *phone = user;
    RunPhones *phones = phone->all;

    (void)core;
    switch (event->kind) {
    case PEAL_PHONE_REGISTERED:
        phone->registered = event->status / 100 == 2;
        if (!event->refresh) {
            *(event->status / 100 == 2 ? &phones->counts.registered
                                       : &phones->counts.register_failed) += 1;
        }
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
                                      .calls_max = PEAL_PHONE_CALLS_MAX,
                                      .event = on_event};
    phones->users = workload->users_per_peer;
    phones->all = g_new0(RunPhone, (size_t)config->peers * phones->users);
    if (scenario_is_central(config->job->point) && !shims_make(phones, error)) {
        run_phones_free(phones);
        return NULL;
    }
    return phones;
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
        phone->all->counts.abandoned += !((RunCall *)call)->told;
        phone->all->counts.unanswered -= !((RunCall *)call)->told;
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
    if (peal_phone_register(phone->phone.core, expires_s, 0) != 0) {
        phones->counts.register_failed++;
    }
    return true;
}

void run_phones_renew(RunPhones *phones, const PlanAction *action)
{
    RunPhone *phone = phone_at(phones, action->peer, action->user);
    int status = -PEAL_E_STATE;

    if (phone->phone.core != NULL) {
        status = action->kind == PLAN_REGISTER
                     ? peal_phone_register(phone->phone.core, action->expires_s, 0)
                     : peal_phone_unregister(phone->phone.core, 0);
    }
    phones->counts.register_failed += status != 0;
}

void run_phones_call(RunPhones *phones, const PlanAction *action)
{
    RunPhone *phone = phone_at(phones, action->peer, action->user);
    const RunPhone *callee = phone_at(phones, action->target_peer, action->target_user);
    bool self = callee == phone;
    char text[PLAN_AOR_MAX];
    RunCall *call;

    if (phone->phone.core == NULL || self) {
        return;
    }
    call = g_new0(RunCall, 1);
    *call = (RunCall){
        .phone = phone,
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
    if (peal_phone_call(phone->phone.core,
                        scenario_aor(phones->config.job->point, action->target_peer,
                                     action->target_user, text),
                        action->duration, (uintptr_t)call) != 0) {
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

const RunPhonesCounts *run_phones_counts(const RunPhones *phones)
{
    return &phones->counts;
}
