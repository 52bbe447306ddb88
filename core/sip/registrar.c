/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registrar.c - REGISTERs one after the other, each AOR's in their order: plan, store, commit,
 * answer. */
#include "sip/registrar.h"

#include "sip/arena.h"
#include "sip/registrar_plan.h"
#include "sip/state.h"

enum {
    STALE_STEP = 64,  /* AORs that are stored anew at a time */
    TABLE_STEP = 4096 /* slots looked at for them */
};
#define STALE_EVERY peal_ms(100)
#define BUSY_RETRY peal_seconds(1)
#define PERSIST_AFTER peal_seconds(2)
/* A snapshot holds everything, so that many bindings are written less often. */
#define PERSIST_PER_BINDING peal_us(100)

static PealTime no_time(void)
{
    return PEAL_TIME_NEVER;
}

void registrar_init(PealPeer *peer)
{
    peer->sip->registrar = (Registrar){.stale_at = no_time(),
                                       .persist_at = no_time(),
                                       .deadline = no_time(),
                                       .life = (uint32_t)peer_random(peer, PEAL_DRAW_SIP)};
    bindings_init(peer);
}

static void registrar_schedule(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;
    const RegistrarAor *next = bindings_next_due(registrar);

    registrar->deadline = peal_time_min(registrar->stale_at, registrar->persist_at);
    if (next != NULL) {
        registrar->deadline = peal_time_min(registrar->deadline, next->due);
    }
    peer_wake_by(peer, registrar->deadline);
}

static void registrar_changed(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;
    const PealSpan wait = {PERSIST_AFTER.ns +
                           (int64_t)registrar->bindings * PERSIST_PER_BINDING.ns};

    registrar->persist_at =
        peal_time_min(registrar->persist_at, peal_time_add(peer_now(peer), wait));
}

/* Jobs. */

static RegistrarJob *job_new(PealPeer *peer, PealStr bytes)
{
    Registrar *registrar = &peer->sip->registrar;
    RegistrarJob *job;

    if (registrar->jobs_bytes + bytes.len > REGISTRAR_JOBS_BYTES_MAX || bytes.len > UINT16_MAX) {
        return NULL;
    }
    job = peer_alloc(peer, sizeof(*job) + bytes.len);
    if (job == NULL) {
        return NULL;
    }
    job->name = slots_add(peer, &registrar->jobs, job, REGISTRAR_JOBS_MAX);
    if (job->name == 0) {
        peer_release(peer, job, sizeof(*job) + bytes.len);
        return NULL;
    }
    job->len = (uint16_t)bytes.len;
    memcpy(job->bytes, bytes.ptr, bytes.len);
    registrar->jobs_bytes += bytes.len;
    return job;
}

static void job_release(PealPeer *peer, void *thing)
{
    RegistrarJob *job = thing;

    registrar_unplan(peer, job);
    peer_release(peer, job, sizeof(*job) + job->len);
}

static void job_free(PealPeer *peer, RegistrarJob *job)
{
    Registrar *registrar = &peer->sip->registrar;

    registrar->jobs_bytes -= job->len;
    slots_remove(peer, &registrar->jobs, job->name);
    job_release(peer, job);
}

void registrar_fini(PealPeer *peer)
{
    slots_fini(peer, &peer->sip->registrar.jobs, job_release);
    bindings_fini(peer);
}

/* The end of a queue. */
static void job_enqueue(RegistrarAor *aor, RegistrarJob *job)
{
    RegistrarJob **at = &aor->jobs;

    while (*at != NULL) {
        at = &(*at)->next;
    }
    job->next = NULL;
    *at = job;
    aor->jobs_len++;
}

static void job_push(RegistrarAor *aor, RegistrarJob *job)
{
    job->next = aor->jobs;
    aor->jobs = job;
    aor->jobs_len++;
}

static RegistrarJob *job_pop(RegistrarAor *aor)
{
    RegistrarJob *job = aor->jobs;

    if (job != NULL) {
        aor->jobs = job->next;
        aor->jobs_len--;
    }
    return job;
}

/* Ends a job with its answer; status 200 lists what is bound. */
static void finish(PealPeer *peer, RegistrarJob *job, const SipMessage *request,
                   const RegistrarAor *aor, const RegistrarReply *reply)
{
    if (job->operators) {
        if (job->error_at != NULL) {
            *job->error_at = reply->error;
        } else {
            peer->env->ops->done(peer->env, job->token, &(PealOutcome){.status = reply->error});
        }
    } else if (reply->status == 200) {
        registrar_accept(peer, job, request, aor);
    } else {
        registrar_refuse(peer, job, request, reply);
    }
    job_free(peer, job);
}

/* Storing. */

/* Marks an AOR whose registration in the overlay may be missing. */
static void mark_stale(PealPeer *peer, RegistrarAor *aor, PealSpan wait)
{
    Registrar *registrar = &peer->sip->registrar;

    registrar->stale += !aor->stale;
    aor->stale = true;
    registrar->stale_at = peal_time_min(registrar->stale_at, peal_time_add(peer_now(peer), wait));
}

static void unmark_stale(PealPeer *peer, RegistrarAor *aor)
{
    peer->sip->registrar.stale -= aor->stale;
    aor->stale = false;
}

/* What nobody waits for; location goes on trying by itself. */
static void on_stored_again(PealPeer *peer, uint64_t arg, int status)
{
    (void)peer;
    (void)arg;
    (void)status;
}

static int keep(PealPeer *peer, RegistrarAor *aor, PealTime until, LocationDone done, uint64_t arg)
{
    PealTime now = peer_now(peer);
    uint32_t lifetime_s = registrar_rest_s(until, now);
    int error = location_keep(peer, &aor->resource, lifetime_s, done, arg);

    if (error == 0) {
        aor->kept_until = peal_time_add(now, peal_seconds(lifetime_s));
        unmark_stale(peer, aor);
    }
    return error;
}

/* An AOR without work: gone when nothing is bound, else due when the next binding expires. */
static void settle(PealPeer *peer, RegistrarAor *aor)
{
    PealTime now = peer_now(peer);
    PealTime due;

    if (aor->jobs != NULL) {
        return;
    }
    if (aor->bindings == NULL) {
        /* What the overlay holds ends with the last binding; unless a REGISTER failed whose Store
         * has come through after all, or may yet. */
        if (!peal_time_due(aor->kept_until, now)) {
            /* What cannot be removed now, location removes later. */
            (void)!location_drop(peer, &aor->resource, on_stored_again, 0);
        }
        unmark_stale(peer, aor);
        bindings_remove_aor(peer, aor);
        return;
    }
    due = bindings_earliest(aor);
    /* Refreshes move an expiry away all the time: the heap finds that out when it is due. */
    if (due.ns < aor->due.ns || peal_time_due(aor->due, now)) {
        bindings_set_due(&peer->sip->registrar, aor, due);
    }
}

/* When the last of an AOR's bindings would expire after the job; 0 when there would be none. */
static PealTime planned_latest(const RegistrarAor *aor, const RegistrarJob *job)
{
    PealTime latest = {0};

    for (const Binding *b = aor->bindings; b != NULL; b = b->next) {
        bool goes = false;

        for (uint32_t i = 0; i < job->ops_len && !goes; i++) {
            goes = job->ops[i].old == b;
        }
        latest.ns = !goes && b->expires_at.ns > latest.ns ? b->expires_at.ns : latest.ns;
    }
    for (uint32_t i = 0; i < job->ops_len; i++) {
        const Binding *b = job->ops[i].fresh;

        latest.ns = b != NULL && b->expires_at.ns > latest.ns ? b->expires_at.ns : latest.ns;
    }
    return latest;
}

static void commit(PealPeer *peer, RegistrarAor *aor, RegistrarJob *job)
{
    if (planned_latest(aor, job).ns == 0) {
        aor->kept_until = (PealTime){0}; /* it has been removed from the overlay */
    }
    for (uint32_t i = 0; i < job->ops_len; i++) {
        RegistrarOp *op = &job->ops[i];

        bindings_replace(peer, aor, op->old, op->fresh);
        op->fresh = NULL;
    }
    registrar_changed(peer);
}

static void on_stored(PealPeer *peer, uint64_t arg, int status);

static RegistrarReply not_stored(int error)
{
    return (RegistrarReply){503, error == -PEAL_E_STATE ? "Overlay Not Joined" : "Not Stored",
                            error};
}

/* Starts the Store that a job's changes cause. Returns 0, an error, or -PEAL_E_NOT_FOUND when there is
 * nothing to remove from the overlay. */
static int store(PealPeer *peer, RegistrarAor *aor, const RegistrarJob *job)
{
    PealTime latest = planned_latest(aor, job);
    int error;

    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    if (latest.ns > 0) {
        return keep(peer, aor, latest, on_stored, job->name);
    }
    error = location_drop(peer, &aor->resource, on_stored, job->name);
    if (error != 0 && error != -PEAL_E_NOT_FOUND) {
        mark_stale(peer, aor, BUSY_RETRY); /* location will remove it, but the phone stays */
    }
    return error;
}

/*
 * Plans a job and starts its Store. `aor` may be NULL; no other job of it is under way. Returns the AOR
 * when the job is now the first of its queue, else the job has ended.
 */
static RegistrarAor *run(PealPeer *peer, RegistrarJob *job, const SipMessage *request,
                         RegistrarAor *aor)
{
    RegistrarReply reply;
    int error;

    if (aor != NULL) {
        bindings_expire(peer, aor, peer_now(peer));
    }
    reply = job->operators ? registrar_plan_operator(peer, job, aor)
                           : registrar_plan(peer, job, request, aor);
    if (reply.status == 0 && job->ops_len == 0) {
        reply.status = 200; /* a query, or nothing that was there to remove */
    }
    if (reply.status == 0 && aor == NULL) {
        aor = bindings_add_aor(peer, &job->resource);
        reply.status = aor == NULL ? 503 : 0;
        reply.error = aor == NULL ? -PEAL_E_MEMORY : 0;
    }
    if (reply.status == 0) {
        job_push(aor, job);
        error = store(peer, aor, job);
        if (error == 0) {
            return aor;
        }
        if (error == -PEAL_E_NOT_FOUND && job->operators) {
            job->stored = true; /* `done` comes from a later dispatch */
            bindings_set_due(&peer->sip->registrar, aor, peer_now(peer));
            return aor;
        }
        (void)job_pop(aor);
        reply = not_stored(error);
        if (error == -PEAL_E_NOT_FOUND) {
            commit(peer, aor, job);
            reply = (RegistrarReply){.status = 200};
        }
    }
    finish(peer, job, request, aor, &reply);
    return NULL;
}

/* A job's own request; false when there is none. */
static bool reread(const RegistrarJob *job, SipMessage *ret_request)
{
    /* It has been read once, and framed: all of it is one message. */
    return !job->operators &&
           sip_message_scan((PealStr){job->bytes, job->len}, true, ret_request) == 0;
}

/* The jobs that waited for the one before, until one waits for a Store. */
static void run_next(PealPeer *peer, RegistrarAor *aor)
{
    SipMessage request;
    RegistrarJob *job;

    while ((job = job_pop(aor)) != NULL) {
        if (job->operators || reread(job, &request)) {
            if (run(peer, job, &request, aor) != NULL) {
                break;
            }
        } else {
            job_free(peer, job);
        }
    }
    settle(peer, aor);
}

static void on_stored(PealPeer *peer, uint64_t arg, int status)
{
    RegistrarJob *job = slots_find(&peer->sip->registrar.jobs, arg);
    RegistrarReply reply = {.status = 200};
    RegistrarAor *aor;
    SipMessage request;
    SipArena arena;

    if (job == NULL) {
        return;
    }
    aor = bindings_aor(&peer->sip->registrar, &job->resource);
    sip_arena_enter(&arena);
    (void)job_pop(aor);
    if (status == 0) {
        commit(peer, aor, job);
    } else {
        reply = not_stored(status);
        if (planned_latest(aor, job).ns == 0) {
            mark_stale(peer, aor, BUSY_RETRY); /* location goes on removing, but the phone stays */
        }
    }
    if (job->operators || reread(job, &request)) {
        finish(peer, job, &request, aor, &reply);
    } else {
        job_free(peer, job);
    }
    run_next(peer, aor);
    sip_arena_leave(&arena);
    registrar_schedule(peer);
}

/* What comes in. */

/* A job whose asker may do this: its turn, or the end of its AOR's queue. */
static void submit(PealPeer *peer, RegistrarJob *job, const SipMessage *request)
{
    RegistrarAor *aor = bindings_aor(&peer->sip->registrar, &job->resource);

    if (aor != NULL && aor->jobs != NULL) {
        if (aor->jobs_len > REGISTRAR_QUEUE_MAX) {
            const RegistrarReply busy = {503, "Too Many at a Time", -PEAL_E_FULL};

            finish(peer, job, request, aor, &busy);
        } else {
            job_enqueue(aor, job);
        }
        return;
    }
    (void)run(peer, job, request, aor);
}

/* After a job that has ended, an AOR may have nothing left. */
static void settle_by_id(PealPeer *peer, const PealId *resource)
{
    RegistrarAor *aor = bindings_aor(&peer->sip->registrar, resource);

    if (aor != NULL) {
        settle(peer, aor);
    }
    registrar_schedule(peer);
}

/* Is sip:user@realm this AOR? What a URI cannot have as it is, is escaped. */
static bool owns(PealPeer *peer, PealStr user, PealStr realm, const PealId *resource)
{
    static const char unreserved[] = "-_.!~*'()&=+$,;?/";
    char bytes[PEAL_AOR_MAX];
    SipText aor = sip_text_make(bytes, sizeof(bytes));
    PealId id;

    sip_put_z(&aor, "sip:");
    for (size_t i = 0; i < user.len; i++) {
        char c = user.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                     (c != '\0' && strchr(unreserved, c) != NULL);

        if (plain) {
            sip_put(&aor, (PealStr){user.ptr + i, 1});
        } else {
            sip_put_z(&aor, "%");
            sip_put_hex(&aor, (const uint8_t *)user.ptr + i, 1);
        }
    }
    sip_put_z(&aor, "@");
    sip_put(&aor, realm);
    return !aor.overflow &&
           peal_aor_resource(peer->env->ops->crypto, sip_text_view(&aor), &id) == 0 &&
           peal_id_equal(&id, resource);
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
    if (!reread(job, &request)) {
        job_free(peer, job);
        return;
    }
    resource = job->resource;
    sip_arena_enter(&arena);
    switch (verdict) {
    case AUTH_GOOD:
        if (owns(peer, user, realm, &resource)) {
            submit(peer, job, &request);
        } else {
            finish(peer, job, &request, NULL, &reply);
        }
        break;
    case AUTH_CHALLENGE:
        registrar_challenge(peer, job, &request, realm, stale);
        job_free(peer, job);
        break;
    case AUTH_BUSY:
        reply = (RegistrarReply){503, NULL, 0};
        finish(peer, job, &request, NULL, &reply);
        break;
    case AUTH_FORBIDDEN:
        finish(peer, job, &request, NULL, &reply);
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
    job = reply.status == 0 ? job_new(peer, request->bytes) : NULL;
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
        submit(peer, job, request);
        settle_by_id(peer, &resource);
    }
    sip_arena_leave(&arena);
}

/* The Resource-ID of an AOR that is one of the domains'; within an arena. */
static int own_resource(PealPeer *peer, PealStr aor, PealId *ret_resource)
{
    SipUri uri;

    if (sip_uri_parse(aor, &uri) != 0 || registrar_realm(peer, uri.host).len == 0) {
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
    job = error == 0 ? job_new(peer, sip_text_view(&text)) : NULL;
    if (job != NULL) {
        name = job->name;
        job->operators = true;
        job->resource = resource;
        job->token = token;
        job->expires_s = expires_s;
        job->error_at = &error;
        submit(peer, job, NULL);
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

static bool is_target(const Binding *binding, PealTime now)
{
    return (binding->flags & BINDING_GONE) == 0 && !peal_time_due(binding->expires_at, now);
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

        if (!is_target(b, now)) {
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
        mark_stale(peer, registrar->heap[i], (PealSpan){0});
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
                busy = keep(peer, aor, bindings_latest(aor), on_stored_again, 0) != 0;
                stored++;
            }
        }
        registrar->stale_next += !busy;
    }
    registrar->stale_at = no_time();
    if (registrar->stale > 0) {
        registrar->stale_at = peal_time_add(now, busy ? BUSY_RETRY : STALE_EVERY);
    }
}

static void expire(PealPeer *peer, RegistrarAor *aor, PealTime now)
{
    uint16_t before = aor->bindings_len;

    if (aor->jobs != NULL && aor->jobs->stored) {
        on_stored(peer, aor->jobs->name, 0);
        return;
    }
    if (aor->jobs != NULL) {
        /* Its job counts on what is there; run looks again. */
        bindings_set_due(&peer->sip->registrar, aor, peal_time_add(now, BUSY_RETRY));
        return;
    }
    bindings_expire(peer, aor, now);
    if (aor->bindings_len != before) {
        registrar_changed(peer);
    }
    settle(peer, aor);
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
        registrar->persist_at = no_time();
        if (bindings_persist(peer) != 0) {
            registrar_changed(peer); /* again, later */
        }
    }
    registrar_schedule(peer);
}
