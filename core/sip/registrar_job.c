/* SPDX-License-Identifier: GPL-3.0-or-later */
/* registrar_job.c - REGISTERs one after the other, each AOR's in their order: plan, store, commit,
 * answer. */
#include "sip/registrar_job.h"

#include "sip/arena.h"
#include "sip/registrar_plan.h"
#include "sip/state.h"

#define PERSIST_AFTER peal_seconds(2)
/* A snapshot holds everything, so that many bindings are written less often. */
#define PERSIST_PER_BINDING peal_us(100)

void registrar_changed(PealPeer *peer)
{
    Registrar *registrar = &peer->sip->registrar;
    const PealSpan wait = {PERSIST_AFTER.ns +
                           (int64_t)registrar->bindings * PERSIST_PER_BINDING.ns};

    registrar->persist_at =
        peal_time_min(registrar->persist_at, peal_time_add(peer_now(peer), wait));
}

/* Jobs. */

RegistrarJob *registrar_job_new(PealPeer *peer, const SipMessage *request, PealStr uri)
{
    Registrar *registrar = &peer->sip->registrar;
    size_t len = request != NULL ? sip_message_packed_len(request) : uri.len;
    RegistrarJob *job;

    if (registrar->jobs_bytes + len > REGISTRAR_JOBS_BYTES_MAX) {
        return NULL;
    }
    job = peer_alloc(peer, sizeof(*job) + len);
    if (job == NULL) {
        return NULL;
    }
    job->name = slots_add(peer, &registrar->jobs, job, REGISTRAR_JOBS_MAX);
    if (job->name == 0) {
        peer_release(peer, job, sizeof(*job) + len);
        return NULL;
    }
    job->len = (uint32_t)len;
    if (request != NULL) {
        sip_message_pack(request, (uint8_t *)job->bytes);
    } else {
        memcpy(job->bytes, uri.ptr, uri.len);
    }
    registrar->jobs_bytes += len;
    return job;
}

void registrar_job_release(PealPeer *peer, void *thing)
{
    RegistrarJob *job = thing;

    registrar_unplan(peer, job);
    peer_release(peer, job, sizeof(*job) + job->len);
}

void registrar_job_free(PealPeer *peer, RegistrarJob *job)
{
    Registrar *registrar = &peer->sip->registrar;

    registrar->jobs_bytes -= job->len;
    slots_remove(peer, &registrar->jobs, job->name);
    registrar_job_release(peer, job);
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

void registrar_finish(PealPeer *peer, RegistrarJob *job, const SipMessage *request,
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
    registrar_job_free(peer, job);
}

/* Storing. */

void registrar_mark_stale(PealPeer *peer, RegistrarAor *aor, PealSpan wait)
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

void registrar_on_stored_again(PealPeer *peer, uint64_t arg, int status)
{
    (void)peer;
    (void)arg;
    (void)status;
}

int registrar_keep(PealPeer *peer, RegistrarAor *aor, PealTime until, LocationDone done,
                   uint64_t arg)
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

void registrar_settle(PealPeer *peer, RegistrarAor *aor)
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
            (void)!location_drop(peer, &aor->resource, registrar_on_stored_again, 0);
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

static RegistrarReply not_stored(int error)
{
    return (RegistrarReply){503, error == -PEAL_E_STATE ? "Overlay Not Joined" : "Not Stored",
                            error};
}

/* Starts the Store that a job's changes cause. Returns 0, an error, or -PEAL_E_NOT_FOUND when there
 * is nothing to remove from the overlay. */
static int store(PealPeer *peer, RegistrarAor *aor, const RegistrarJob *job)
{
    PealTime latest = planned_latest(aor, job);
    int error;

    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    if (latest.ns > 0) {
        return registrar_keep(peer, aor, latest, registrar_on_stored, job->name);
    }
    error = location_drop(peer, &aor->resource, registrar_on_stored, job->name);
    if (error != 0 && error != -PEAL_E_NOT_FOUND) {
        /* Location will remove it, but the phone stays. */
        registrar_mark_stale(peer, aor, REGISTRAR_BUSY_RETRY);
    }
    return error;
}

/*
 * Plans a job and starts its Store. `aor` may be NULL; no other job of it is under way. Returns the
 * AOR when the job is now the first of its queue, else the job has ended.
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
    registrar_finish(peer, job, request, aor, &reply);
    return NULL;
}

bool registrar_reread(const RegistrarJob *job, SipMessage *ret_request)
{
    if (job->operators) {
        return false;
    }
    sip_message_unpack((const uint8_t *)job->bytes, ret_request);
    return true;
}

/* The jobs that waited for the one before, until one waits for a Store. */
static void run_next(PealPeer *peer, RegistrarAor *aor)
{
    SipMessage request;
    RegistrarJob *job;

    while ((job = job_pop(aor)) != NULL) {
        if (job->operators || registrar_reread(job, &request)) {
            if (run(peer, job, &request, aor) != NULL) {
                break;
            }
        } else {
            registrar_job_free(peer, job);
        }
    }
    registrar_settle(peer, aor);
}

void registrar_on_stored(PealPeer *peer, uint64_t name, int status)
{
    RegistrarJob *job = slots_find(&peer->sip->registrar.jobs, name);
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
        /* Location goes on trying to store what was not to be; what is bound counts. */
        registrar_mark_stale(peer, aor, REGISTRAR_BUSY_RETRY);
    }
    if (job->operators || registrar_reread(job, &request)) {
        registrar_finish(peer, job, &request, aor, &reply);
    } else {
        registrar_job_free(peer, job);
    }
    run_next(peer, aor);
    sip_arena_leave(&arena);
    registrar_schedule(peer);
}

void registrar_submit(PealPeer *peer, RegistrarJob *job, const SipMessage *request)
{
    RegistrarAor *aor = bindings_aor(&peer->sip->registrar, &job->resource);

    if (aor != NULL && aor->jobs != NULL) {
        if (aor->jobs_len > REGISTRAR_QUEUE_MAX) {
            const RegistrarReply busy = {503, "Too Many at a Time", -PEAL_E_FULL};

            registrar_finish(peer, job, request, aor, &busy);
        } else {
            job_enqueue(aor, job);
        }
        return;
    }
    (void)run(peer, job, request, aor);
}
