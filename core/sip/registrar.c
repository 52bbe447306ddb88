/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registrar.c - what comes to the registrar: REGISTERs, operators' wishes, the proxy's questions,
 * time and restarts. */
#include "sip/registrar.h"

#include "sip/arena.h"
#include "sip/registrar_job.h"
#include "sip/registrar_plan.h"
#include "sip/state.h"

enum {
    STALE_STEP = 64,  /* AORs that are stored anew at a time */
    TABLE_STEP = 4096 /* slots looked at for them */
};
#define STALE_EVERY peal_ms(100)

void registrar_init(PealPeer *peer)
{
    peer->sip->registrar = (Registrar){.stale_at = PEAL_TIME_NEVER,
                                       .persist_at = PEAL_TIME_NEVER,
                                       .deadline = PEAL_TIME_NEVER,
                                       .life = (uint32_t)peer_random(peer, PEAL_DRAW_SIP)};
    bindings_init(peer);
}

void registrar_schedule(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;
    const RegistrarAor *next = bindings_next_due(registrar);

    registrar->deadline = peal_time_min(registrar->stale_at, registrar->persist_at);
    if (next != NULL) {
        registrar->deadline = peal_time_min(registrar->deadline, next->due);
    }
    peer_wake_by(peer, registrar->deadline);
}

void registrar_fini(PealPeer *peer)
{
    slots_fini(peer, &peer->sip->registrar.jobs, registrar_job_release);
    bindings_fini(peer);
}

/* After a job that has ended, an AOR may have nothing left. */
static void settle_by_id(PealPeer *peer, const PealId *resource)
{
    RegistrarAor *aor = bindings_aor(&peer->sip->registrar, resource);

    if (aor != NULL) {
        registrar_settle(peer, aor);
    }
    registrar_schedule(peer);
}

static void on_auth(PealPeer *peer, uint64_t arg, AuthVerdict verdict, PealStr user, PealStr realm,
                    bool stale)
{
    RegistrarJob *job = slots_find(&peer->sip->registrar.jobs, arg);
    RegistrarReply reply = {403, NULL, 0};
    SipMessage request;
    SipArena arena;
    PealId resource;

    if (job == NULL) {
        return;
    }
    if (!registrar_reread(job, &request)) {
        registrar_job_free(peer, job);
        return;
    }
    resource = job->resource;
    sip_arena_enter(&arena);
    switch (verdict) {
    case AUTH_GOOD:
        if (auth_owns(peer, user, realm, &resource)) {
            registrar_submit(peer, job, &request);
        } else {
            registrar_finish(peer, job, &request, NULL, &reply);
        }
        break;
    case AUTH_CHALLENGE:
        registrar_challenge(peer, job, &request, realm, stale);
        registrar_job_free(peer, job);
        break;
    case AUTH_BUSY:
        reply = (RegistrarReply){503, NULL, 0};
        registrar_finish(peer, job, &request, NULL, &reply);
        break;
    case AUTH_FORBIDDEN:
        registrar_finish(peer, job, &request, NULL, &reply);
        break;
    }
    sip_arena_leave(&arena);
    settle_by_id(peer, &resource);
}

void registrar_on_register(PealPeer *peer, SipTx tx, const SipMessage *request, const PealHop *from)
{
    PealStr realm = {NULL, 0};
    PealId resource;
    RegistrarReply reply;
    RegistrarJob *job;
    SipArena arena;

    sip_arena_enter(&arena);
    reply = registrar_vet(peer, request, &resource, &realm);
    job = reply.status == 0 ? registrar_job_new(peer, request, (PealStr){NULL, 0}) : NULL;
    if (job == NULL) {
        const RegistrarJob none = {.tx = tx, .from = *from};

        reply.status = reply.status == 0 ? 503 : reply.status;
        registrar_refuse(peer, &none, request, &reply);
        sip_arena_leave(&arena);
        return;
    }
    job->tx = tx;
    job->from = *from;
    job->resource = resource;
    if (peer->sip->config->users) {
        auth_check(peer, request, false, realm, on_auth, job->name);
    } else {
        registrar_submit(peer, job, request);
        settle_by_id(peer, &resource);
    }
    sip_arena_leave(&arena);
}

/* The Resource-ID of an AOR that is one of the domains'; within an arena. */
static int own_resource(PealPeer *peer, PealStr aor, PealId *ret_resource)
{
    SipUri uri;

    if (sip_uri_parse(aor, &uri) != 0 || !sip_is_ours(peer, uri.host)) {
        return -PEAL_E_VALUE;
    }
    return peal_aor_resource(peer->env->ops->crypto, aor, ret_resource);
}

int peal_peer_bind(PealPeer *peer, PealStr aor, PealStr contact, uint32_t expires_s, uint64_t token)
{
    char bytes[REGISTRAR_CONTACT_MAX];
    SipText text = sip_text_make(bytes, sizeof(bytes));
    RegistrarJob *job;
    PealId resource;
    SipArena arena;
    uint64_t name;
    int error;

    if (peer->sip == NULL || peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    sip_put_z(&text, "<");
    sip_put(&text, contact);
    sip_put_z(&text, ">");
    sip_arena_enter(&arena);
    error = text.overflow || own_resource(peer, aor, &resource) != 0 ? -PEAL_E_ARG : 0;
    job = error == 0 ? registrar_job_new(peer, NULL, sip_text_view(&text)) : NULL;
    if (job != NULL) {
        name = job->name;
        job->operators = true;
        job->resource = resource;
        job->token = token;
        job->expires_s = expires_s;
        job->error_at = &error;
        registrar_submit(peer, job, NULL);
        job = slots_find(&peer->sip->registrar.jobs, name);
        if (job != NULL) {
            job->error_at = NULL; /* it goes on, and ends in `done` */
        }
        settle_by_id(peer, &resource);
    } else if (error == 0) {
        error = -PEAL_E_FULL;
    }
    sip_arena_leave(&arena);
    return error;
}

/* Bindings as the proxy sees them. */

/* Is it being refreshed? Its REGISTER came in time, however long the Store takes. */
static bool is_refreshed(const RegistrarAor *aor, const Binding *binding)
{
    const RegistrarJob *job = aor->jobs;

    for (uint32_t i = 0; job != NULL && i < job->ops_len; i++) {
        if (job->ops[i].old == binding) {
            return job->ops[i].fresh != NULL;
        }
    }
    return false;
}

static bool is_target(const RegistrarAor *aor, const Binding *binding, PealTime now)
{
    return (binding->flags & BINDING_GONE) == 0 &&
           (!peal_time_due(binding->expires_at, now) || is_refreshed(aor, binding));
}

static RegistrarTarget target_of(const Binding *b)
{
    RegistrarTarget target = {.contact = binding_uri(b),
                              .path = binding_path(b),
                              .hop = b->hop,
                              .q_milli = b->q_milli,
                              .by_hop = (b->flags & BINDING_BY_HOP) != 0};

    if ((b->flags & BINDING_OUTBOUND) != 0) {
        target.instance = binding_instance(b);
    }
    return target;
}

size_t registrar_targets(PealPeer *peer, const PealId *resource, RegistrarTarget *ret_targets,
                         size_t max)
{
    const RegistrarAor *aor = bindings_aor(&peer->sip->registrar, resource);
    PealTime now = peer_now(peer);
    size_t len = 0;

    for (const Binding *b = aor != NULL ? aor->bindings : NULL; b != NULL; b = b->next) {
        size_t at = len;

        if (!is_target(aor, b, now)) {
            continue;
        }
        while (at > 0 && ret_targets[at - 1].q_milli < b->q_milli) {
            at--;
        }
        if (at < max) {
            len += len < max;
            memmove(&ret_targets[at + 1], &ret_targets[at],
                    (len - at - 1) * sizeof(RegistrarTarget));
            ret_targets[at] = target_of(b);
        }
    }
    return len;
}

void registrar_flow_failed(PealPeer *peer, const PealHop *hop)
{
    const Registrar *registrar = &peer->sip->registrar;
    Binding *binding = NULL;

    if (hop->conn == 0) {
        return;
    }
    while ((binding = bindings_next_on_conn(registrar, hop->conn, binding)) != NULL) {
        binding->flags |= (binding->flags & BINDING_OUTBOUND) != 0 ? BINDING_GONE : 0;
        binding->flags &= (uint8_t)~BINDING_BY_HOP;
    }
}

/* Time, and a restart. */

void registrar_restore(PealPeer *peer, PealBytes bytes)
{
    bindings_restore(peer, bytes);
    registrar_schedule(peer);
}

void registrar_joined(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;

    for (uint32_t i = 0; i < registrar->aors; i++) {
        registrar_mark_stale(peer, registrar->heap[i], (PealSpan){0});
    }
    registrar_schedule(peer);
}

/* Stores stale AORs anew, as many as may be at a time. */
static void store_stale(PealPeer *peer, PealTime now)
{
    Registrar *registrar = &peer->sip->registrar;
    uint32_t stored = 0;
    bool busy = peer->state != PEAL_PEER_JOINED;

    for (uint32_t i = 0; i < TABLE_STEP && i < registrar->table_len && stored < STALE_STEP && !busy;
         i++) {
        uint32_t slot = registrar->stale_next & (registrar->table_len - 1);

        for (RegistrarAor *aor = registrar->table[slot]; aor != NULL && !busy; aor = aor->next) {
            if (aor->stale && aor->jobs == NULL && aor->bindings != NULL) {
                busy = registrar_keep(peer, aor, bindings_latest(aor), registrar_on_stored_again,
                                      0) != 0;
                stored++;
            }
        }
        registrar->stale_next += !busy;
    }
    registrar->stale_at = PEAL_TIME_NEVER;
    if (registrar->stale > 0) {
        registrar->stale_at = peal_time_add(now, busy ? REGISTRAR_BUSY_RETRY : STALE_EVERY);
    }
}

static void expire(PealPeer *peer, RegistrarAor *aor, PealTime now)
{
    uint16_t before = aor->bindings_len;

    if (aor->jobs != NULL && aor->jobs->stored) {
        registrar_on_stored(peer, aor->jobs->name, 0);
        return;
    }
    if (aor->jobs != NULL) {
        /* Its job counts on what is there; run looks again. */
        bindings_set_due(&peer->sip->registrar, aor, peal_time_add(now, REGISTRAR_BUSY_RETRY));
        return;
    }
    bindings_expire(peer, aor, now);
    if (aor->bindings_len != before) {
        registrar_changed(peer);
    }
    registrar_settle(peer, aor);
}

void registrar_flush(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;

    if (registrar->persist_at.ns == PEAL_TIME_NEVER.ns) {
        return;
    }
    registrar->persist_at = PEAL_TIME_NEVER;
    if (bindings_persist(peer) != 0) {
        registrar_changed(peer); /* again, later */
    }
}

void registrar_on_wake(PealPeer *peer, PealTime now)
{
    Registrar *registrar = &peer->sip->registrar;
    RegistrarAor *aor;

    if (!peal_time_due(registrar->deadline, now)) {
        return;
    }
    while ((aor = bindings_next_due(registrar)) != NULL && peal_time_due(aor->due, now)) {
        expire(peer, aor, now);
    }
    if (peal_time_due(registrar->stale_at, now)) {
        store_stale(peer, now);
    }
    if (peal_time_due(registrar->persist_at, now)) {
        registrar_flush(peer);
    }
    registrar_schedule(peer);
}

/* For pages. */

void peal_peer_each_binding(PealPeer *peer,
                            bool (*visit)(void *user, const PealSipBinding *binding), void *user)
{
    const Registrar *registrar;
    PealTime now = peer_now(peer);

    if (peer->sip == NULL) {
        return;
    }
    registrar = &peer->sip->registrar;
    for (uint32_t i = 0; i < registrar->aors; i++) {
        const RegistrarAor *aor = registrar->heap[i];

        for (const Binding *b = aor->bindings; b != NULL; b = b->next) {
            const PealSipBinding binding = {.resource = aor->resource,
                                            .contact = binding_uri(b),
                                            .from = b->hop,
                                            .expires_s = registrar_rest_s(b->expires_at, now)};

            if (b->expires_at.ns > now.ns && !visit(user, &binding)) {
                return;
            }
        }
    }
}
