/* SPDX-License-Identifier: GPL-3.0-or-later */
/* store.c - the Store method: checks first, everything or nothing, then the answer and replicas. */
#include "storage/store.h"

#include "peer.h"
#include "storage/access.h"
#include "storage/repair.h"

enum {
    STORE_KINDS_MAX = 16,   /* Kinds in one request that this peer serves */
    STORE_UNKNOWN_MAX = 63, /* unknown_kinds<0..2^8-1> */
    STORE_ANSWER_MAX = 2 + STORE_KINDS_MAX * (4 + 8 + 2 + PEAL_NEIGHBOURS_MAX * PEAL_ID_LEN)
};
static const uint32_t STORE_APPEND = 0xffffffff;

/* A StoreReq while it is served. */
typedef struct StoreJob {
    const Inbound *request;
    StoreScope scope;
    PealId resource;
    uint8_t replica;
    size_t kinds_len;
    ReloadKindData kinds[STORE_KINDS_MAX];
    StoreStage stages[STORE_KINDS_MAX];
    const char *text; /* error_info where it is text */
    Writer info;      /* ... where it is a structure; also the answer */
    uint8_t scratch[STORE_ANSWER_MAX];
} StoreJob;

/* One Kind's values. */

/* The index that an append gets: one past the end of what is stored and staged. */
static uint64_t store_end(const StorageValue *stored, const StorageValue *staged)
{
    const StorageValue *lists[] = {stored, staged};
    uint64_t end = 0;

    for (size_t i = 0; i < 2; i++) {
        for (const StorageValue *value = lists[i]; value != NULL; value = value->next) {
            ReloadStored read;

            value_read(value, PEAL_MODEL_ARRAY, value->expires, &read);
            if (read.index >= end) {
                end = (uint64_t)read.index + 1;
            }
        }
    }
    return end;
}

typedef enum StoreAge { STORE_NEWER, STORE_SAME, STORE_OLDER } StoreAge;

/* An equal storage time with an equal value is the same Store again; with another value it is too
 * old, or two values could replace each other for ever. */
static StoreAge store_age(const StorageValue *old, PealModel model, const ReloadStored *stored)
{
    ReloadStored mine;

    if (old == NULL) {
        return STORE_NEWER;
    }
    value_read(old, model, old->expires, &mine);
    if (stored->storage_time_ms != mine.storage_time_ms) {
        return stored->storage_time_ms > mine.storage_time_ms ? STORE_NEWER : STORE_OLDER;
    }
    if (stored->exists == mine.exists && stored->value.len == mine.value.len &&
        (mine.value.len == 0 || memcmp(stored->value.ptr, mine.value.ptr, mine.value.len) == 0)) {
        return STORE_SAME;
    }
    return STORE_OLDER;
}

/* Checks that need nothing but the value itself. */
static ReloadErrorCode store_check_value(const PealPeer *peer, const StoreScope *scope,
                                         const PealKind *kind, const ReloadStored *stored)
{
    if (stored->value.len > kind->size_max) {
        return RELOAD_ERROR_DATA_TOO_LARGE;
    }
    if (!access_permits(peer, scope, kind, stored)) {
        return RELOAD_ERROR_FORBIDDEN;
    }
    return RELOAD_ERROR_NONE;
}

/* Gives an appended value its index. Arrays are as long as their last index says, gaps included, so
 * count_max bounds the index too. */
static ReloadErrorCode store_place(const StoreScope *scope, const StoreStage *stage,
                                   const StorageSlot *slot, ReloadStored *stored)
{
    uint64_t index = stored->index;

    if (stage->kind->model != PEAL_MODEL_ARRAY) {
        return RELOAD_ERROR_NONE;
    }
    if (stored->index == STORE_APPEND) {
        if (scope->origin != STORE_ORIGINAL) {
            return RELOAD_ERROR_INVALID_MESSAGE; /* whoever stored it knows its index */
        }
        index = store_end(slot != NULL ? slot->values : NULL, stage->values);
    }
    if (index >= stage->kind->count_max) {
        return RELOAD_ERROR_DATA_TOO_LARGE;
    }
    stored->index = (uint32_t)index;
    return RELOAD_ERROR_NONE;
}

static ReloadErrorCode store_stage_value(PealPeer *peer, const StoreScope *scope,
                                         const StorageSlot *slot, StoreStage *stage,
                                         ReloadStored *stored, size_t room)
{
    PealModel model = stage->kind->model;
    StorageValue *old;
    StorageValue *value;
    ReloadErrorCode error = store_check_value(peer, scope, stage->kind, stored);

    if (error == RELOAD_ERROR_NONE) {
        error = store_place(scope, stage, slot, stored);
    }
    if (error != RELOAD_ERROR_NONE) {
        return error;
    }
    old = value_find(stage->values, model, stored); /* each value is processed in turn */
    if (old == NULL && slot != NULL) {
        old = value_find(slot->values, model, stored);
    }
    switch (store_age(old, model, stored)) {
    case STORE_OLDER:
        return RELOAD_ERROR_DATA_TOO_OLD;
    case STORE_SAME:
        return RELOAD_ERROR_NONE;
    case STORE_NEWER:
        break;
    }
    value = value_new(peer, model, stored, room);
    if (value == NULL) {
        return RELOAD_ERROR_DATA_TOO_LARGE; /* this peer's memory is at its end */
    }
    value->expires = peal_time_add(peer_now(peer), peal_seconds(stored->lifetime_s));
    slot_put(peer, &stage->values, model, value);
    return RELOAD_ERROR_NONE;
}

/* How many values the slot would have. */
static uint64_t store_count(const StorageSlot *slot, const StoreStage *stage)
{
    uint64_t count = 0;

    for (const StorageValue *value = stage->values; value != NULL; value = value->next) {
        count++;
    }
    for (StorageValue *value = slot != NULL ? slot->values : NULL; value != NULL;
         value = value->next) {
        ReloadStored stored;

        value_read(value, stage->kind->model, value->expires, &stored);
        count += value_find(stage->values, stage->kind->model, &stored) == NULL;
    }
    return count;
}

static uint64_t store_generation(const StoreScope *scope, const StorageSlot *slot,
                                 const StoreStage *stage, uint64_t named)
{
    uint64_t current = slot != NULL ? slot->generation : 0;

    switch (scope->origin) {
    case STORE_ORIGINAL:
        break;
    case STORE_REPLICA:
        return named; /* s.7.4.1.1: it is set, not checked */
    case STORE_MERGE:
        if (named > current) {
            return named;
        }
        break;
    }
    return stage->values != NULL ? current + 1 : current;
}

ReloadErrorCode store_stage(PealPeer *peer, const StoreScope *scope, const ReloadKindData *data,
                            StoreStage *ret_stage)
{
    StoreStage stage = {.kind = storage_kind(peer->overlay, data->kind)};
    const StorageSlot *slot = slot_find(&peer->storage, scope->resource, data->kind);
    PealBytes list = data->values;
    size_t before = list.len;
    ReloadStored stored;

    if (reload_stored_check(data->values, stage.kind->model) != 0) {
        return RELOAD_ERROR_INVALID_MESSAGE;
    }
    while (reload_stored_next(&list, stage.kind->model, &stored)) {
        ReloadErrorCode error =
            store_stage_value(peer, scope, slot, &stage, &stored, before - list.len);

        if (error != RELOAD_ERROR_NONE && scope->origin != STORE_MERGE) {
            store_unstage(peer, &stage);
            return error;
        }
        before = list.len;
    }
    if (stage.values != NULL && store_count(slot, &stage) > stage.kind->count_max) {
        store_unstage(peer, &stage);
        return RELOAD_ERROR_DATA_TOO_LARGE;
    }
    stage.generation = store_generation(scope, slot, &stage, data->generation);
    *ret_stage = stage;
    return RELOAD_ERROR_NONE;
}

void store_unstage(PealPeer *peer, StoreStage *stage)
{
    value_free_all(peer, stage->values);
    stage->values = NULL;
}

StorageSlot *store_apply(PealPeer *peer, const StoreScope *scope, StoreStage *stage)
{
    Storage *storage = &peer->storage;
    StorageSlot *slot = slot_find(storage, scope->resource, stage->kind->id);

    if (slot == NULL) {
        if (stage->values == NULL) {
            return NULL;
        }
        slot = slot_add(peer, scope->resource, stage->kind->id);
    }
    slot->generation = stage->generation;
    while (stage->values != NULL) {
        StorageValue *value = stage->values;

        stage->values = value->next;
        value->generation = stage->generation;
        slot->expires = peal_time_min(slot->expires, value->expires);
        slot_put(peer, &slot->values, stage->kind->model, value);
    }
    storage->expire_at = peal_time_min(storage->expire_at, slot->expires);
    return slot;
}

/* The request. */

static ReloadErrorCode store_refused(StoreJob *job, ReloadErrorCode error, const char *text)
{
    job->text = text;
    return error;
}

/* Lists every unknown Kind in error_info: KindId unknown_kinds<0..2^8-1>. */
static ReloadErrorCode store_list_unknown(const PealPeer *peer, StoreJob *job, PealBytes kinds)
{
    ReloadKindData data;
    size_t unknown = 0;

    put_u8(&job->info, 0);
    while (unknown < STORE_UNKNOWN_MAX && reload_kind_data_next(&kinds, &data)) {
        if (storage_kind(peer->overlay, data.kind) == NULL) {
            put_u32(&job->info, data.kind);
            unknown++;
        }
    }
    job->info.ptr[0] = (uint8_t)(unknown * sizeof(uint32_t));
    return RELOAD_ERROR_UNKNOWN_KIND;
}

static ReloadErrorCode store_read(const PealPeer *peer, StoreJob *job)
{
    ReloadStoreReq store;
    ReloadKindData data;
    PealBytes list;
    int error;

    error = reload_store_req_decode(job->request->message.body, &store);
    if (error != 0) {
        return store_refused(job, RELOAD_ERROR_INVALID_MESSAGE, peal_error_text(error));
    }
    if (store.resource.len != PEAL_ID_LEN) {
        return store_refused(job, RELOAD_ERROR_INVALID_MESSAGE, "Resource-ID is not 128 bits");
    }
    memcpy(job->resource.bytes, store.resource.ptr, PEAL_ID_LEN);
    job->replica = store.replica;
    job->scope.origin = store.replica == 0 ? STORE_ORIGINAL : STORE_REPLICA;
    list = store.kinds;
    while (reload_kind_data_next(&list, &data)) {
        if (storage_kind(peer->overlay, data.kind) == NULL) {
            return store_list_unknown(peer, job, store.kinds);
        }
        if (job->kinds_len == STORE_KINDS_MAX) {
            return store_refused(job, RELOAD_ERROR_DATA_TOO_LARGE, "too many Kinds");
        }
        job->kinds[job->kinds_len++] = data;
    }
    return RELOAD_ERROR_NONE;
}

/* May this peer be asked to store that by this sender at all? (s.7.4.1.1) */
static ReloadErrorCode store_admit(const PealPeer *peer, StoreJob *job)
{
    const PealId *sender = &job->request->signer;

    if (job->replica == 0) {
        /* The text names no error for this; what is refused here is the right to store here. */
        return peer->topology->responsible(peer, &job->resource)
                   ? RELOAD_ERROR_NONE
                   : store_refused(job, RELOAD_ERROR_FORBIDDEN, "not responsible for it");
    }
    /* Better refused, and sent again when the neighbour tables agree, than taken and forgotten. */
    if (!peer->topology->holds(peer, &job->resource) ||
        !peer->topology->accepts_replica(peer, &job->resource, sender)) {
        return store_refused(job, RELOAD_ERROR_FORBIDDEN, "no replica expected from this sender");
    }
    for (size_t i = 0; i < job->kinds_len; i++) {
        if (job->kinds[i].generation == 0) {
            return store_refused(job, RELOAD_ERROR_INVALID_MESSAGE, "replica of generation 0");
        }
    }
    return RELOAD_ERROR_NONE;
}

/* The StoreAns: each Kind's counter and the peers that get replicas; both lists in one pass, since
 * the writer cannot overflow. */
static void store_put_answer(StoreJob *job, const uint64_t *generations, PealBytes replicas)
{
    uint8_t elements[STORE_ANSWER_MAX];
    Writer w = writer_make(elements, sizeof(elements));
    ReloadStoreAns answer;

    for (size_t i = 0; i < job->kinds_len; i++) {
        const ReloadStoreKindAns kind = {job->kinds[i].kind, generations[i], replicas};

        put_store_kind_ans(&w, &kind);
    }
    answer = (ReloadStoreAns){writer_view(&w)};
    job->info.len = 0;
    put_store_ans(&job->info, &answer);
}

/* A counter that is nonzero must equal the one here. One that is ahead is refused with the same
 * error, for its StoreAns tells the sender what it needs to know. */
static ReloadErrorCode store_check_generations(const PealPeer *peer, StoreJob *job)
{
    uint64_t current[STORE_KINDS_MAX];
    bool equal = true;
    bool any = false;

    for (size_t i = 0; i < job->kinds_len; i++) {
        any |= job->kinds[i].generation != 0;
    }
    if (job->replica != 0 || !any) {
        return RELOAD_ERROR_NONE;
    }
    for (size_t i = 0; i < job->kinds_len; i++) {
        const ReloadKindData *data = &job->kinds[i];
        const StorageSlot *slot = slot_find(&peer->storage, &job->resource, data->kind);

        current[i] = slot != NULL ? slot->generation : 0;
        equal &= data->generation == 0 || data->generation == current[i];
    }
    if (!equal) {
        store_put_answer(job, current, (PealBytes){NULL, 0});
        return RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW;
    }
    return RELOAD_ERROR_NONE;
}

static bool store_adds_anything(const StoreJob *job)
{
    for (size_t i = 0; i < job->kinds_len; i++) {
        if (job->stages[i].values != NULL) {
            return true;
        }
    }
    return false;
}

static const char *store_error_text(ReloadErrorCode error)
{
    switch (error) {
    case RELOAD_ERROR_FORBIDDEN:
        return "value's signer may not write it here";
    case RELOAD_ERROR_DATA_TOO_LARGE:
        return "value too large, or too many values";
    case RELOAD_ERROR_DATA_TOO_OLD:
        return "a newer value is stored";
    default:
        return "malformed value";
    }
}

static ReloadErrorCode store_check(PealPeer *peer, StoreJob *job)
{
    ReloadErrorCode error = store_read(peer, job);

    if (error == RELOAD_ERROR_NONE) {
        error = store_admit(peer, job);
    }
    if (error == RELOAD_ERROR_NONE) {
        error = store_check_generations(peer, job);
    }
    for (size_t i = 0; error == RELOAD_ERROR_NONE && i < job->kinds_len; i++) {
        error = store_stage(peer, &job->scope, &job->kinds[i], &job->stages[i]);
        if (error != RELOAD_ERROR_NONE) {
            job->text = store_error_text(error);
        }
    }
    if (error != RELOAD_ERROR_NONE || !store_adds_anything(job)) {
        return error;
    }
    if (peer->storage.slots_len >= peer->overlay->resources_max &&
        !slot_holds_resource(&peer->storage, &job->resource) &&
        storage_resources(peer) >= peer->overlay->resources_max) {
        return store_refused(job, RELOAD_ERROR_DATA_TOO_LARGE, "this peer's storage is full");
    }
    if (slot_reserve(peer, (uint32_t)job->kinds_len) != 0) {
        return store_refused(job, RELOAD_ERROR_DATA_TOO_LARGE, "this peer is out of memory");
    }
    return RELOAD_ERROR_NONE;
}

static void store_apply_all(PealPeer *peer, StoreJob *job)
{
    uint64_t transaction = job->request->message.header.transaction;

    for (size_t i = 0; i < job->kinds_len; i++) {
        StoreStage *stage = &job->stages[i];
        bool changes = stage->values != NULL;
        StorageSlot *slot = store_apply(peer, &job->scope, stage);

        if (changes) {
            peer_trace(peer, PEAL_TRACE_VALUE_STORED, job->replica, stage->kind->id, transaction,
                       &job->resource);
        }
        if (slot != NULL) {
            repair_on_stored(peer, slot, changes);
        }
    }
}

static void store_answer(PealPeer *peer, StoreJob *job)
{
    uint64_t generations[STORE_KINDS_MAX];
    uint8_t encoded[PEAL_NEIGHBOURS_MAX * PEAL_ID_LEN];
    Writer replicas = writer_make(encoded, sizeof(encoded));

    if (job->replica == 0) {
        PealId ids[PEAL_NEIGHBOURS_MAX];
        size_t ids_len = peer->topology->replica_set(peer, ids, peer->overlay->replicas);

        for (size_t i = 0; i < ids_len; i++) {
            put_id(&replicas, &ids[i]);
        }
    }
    for (size_t i = 0; i < job->kinds_len; i++) {
        generations[i] = job->stages[i].generation;
    }
    store_put_answer(job, generations, writer_view(&replicas));
    request_answer(peer, job->request, writer_view(&job->info));
}

void store_on_request(PealPeer *peer, const Inbound *request)
{
    StoreJob job;
    ReloadErrorCode error;

    job.request = request;
    job.kinds_len = 0;
    job.text = NULL;
    job.info = writer_make(job.scratch, sizeof(job.scratch));
    memset(job.stages, 0, sizeof(job.stages));
    job.replica = 0;
    job.scope = (StoreScope){&job.resource, &request->signer, STORE_ORIGINAL};
    error = store_check(peer, &job);
    if (error == RELOAD_ERROR_NONE) {
        store_answer(peer,
                     &job); /* before the replicas, as the answer is what somebody waits for */
        store_apply_all(peer, &job);
        return;
    }
    for (size_t i = 0; i < job.kinds_len; i++) {
        store_unstage(peer, &job.stages[i]);
    }
    if (job.text != NULL) {
        const PealBytes text = {(const uint8_t *)job.text, strlen(job.text)};

        request_refuse(peer, request, error, text);
    } else {
        request_refuse(peer, request, error, writer_view(&job.info));
    }
}
