/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fetch.c - answers to Fetch, Stat and Find. */
#include "storage/fetch.h"

#include "peer.h"

enum {
    FETCH_LIST_MAX = 65536, /* bytes of values in one answer, whatever the overlay permits */
    FETCH_KINDS_MAX = 16,   /* specifiers in one request that this peer serves */
    FETCH_UNKNOWN_MAX = 63, /* unknown_kinds<0..2^8-1>, and Kinds of a Find */
    FETCH_FIND_MAX = 2 + FETCH_UNKNOWN_MAX * (4 + 1 + PEAL_ID_LEN)
};

/* An answer while it is made. Its nested lists are written side by side in one buffer. */
typedef struct FetchJob {
    PealPeer *peer;
    bool stat; /* metadata instead of values */
    PealModel model;
    const StorageSlot *slot; /* NULL when nothing of the Kind is stored */
    Writer values;
    Writer kinds;
} FetchJob;

static PealBytes fetch_text(const char *text)
{
    return (PealBytes){(const uint8_t *)text, strlen(text)};
}

/* One value. */

static void fetch_put_meta(FetchJob *job, const ReloadStored *stored)
{
    uint8_t len[sizeof(uint32_t)];
    uint8_t digest[PEAL_DIGEST_MAX];
    Writer prefix = writer_make(len, sizeof(len));
    ReloadStoredMeta meta = {.storage_time_ms = stored->storage_time_ms,
                             .lifetime_s = stored->lifetime_s,
                             .index = stored->index,
                             .key = stored->key,
                             .exists = stored->exists,
                             .length = (uint32_t)stored->value.len,
                             .hash = PEAL_HASH_SHA256};

    /* s.7.4.3.2: over the value field, its 4 length bytes included */
    put_u32(&prefix, meta.length);
    const PealBytes parts[] = {writer_view(&prefix), stored->value};

    meta.digest.ptr = digest;
    meta.digest.len = job->peer->env->ops->crypto->digest(PEAL_HASH_SHA256, parts, 2, digest);
    put_stored_meta(&job->values, job->model, &meta);
}

static void fetch_put(FetchJob *job, const ReloadStored *stored)
{
    if (job->stat) {
        fetch_put_meta(job, stored);
    } else {
        put_stored(&job->values, job->model, stored);
    }
}

/* s.7.4.2.2: what this peer does not know of is a value that does not exist and that nobody
 * signed. */
static void fetch_put_synthetic(FetchJob *job, uint32_t index, PealBytes key)
{
    const ReloadStored nothing = {.index = index,
                                  .key = key,
                                  .signature = {.identity = RELOAD_SIGNER_NONE}};

    fetch_put(job, &nothing);
}

static void fetch_put_value(FetchJob *job, const StorageValue *value)
{
    ReloadStored stored;

    value_read(value, job->model, peer_now(job->peer), &stored);
    fetch_put(job, &stored);
}

/* One Kind. */

static StorageValue *fetch_first(const FetchJob *job)
{
    return job->slot != NULL ? job->slot->values : NULL;
}

static uint32_t fetch_index(const StorageValue *value)
{
    ReloadStored stored;

    value_read(value, PEAL_MODEL_ARRAY, value->expires, &stored);
    return stored.index;
}

/* Indices that are not stored are filled in up to the range's end; an end of 0xffffffff is the
 * array's own. An index that no array of this Kind can have is left out. */
static void fetch_put_range(FetchJob *job, ReloadRange range, uint32_t count_max)
{
    uint64_t at = range.first;
    uint64_t end = range.last == UINT32_MAX ? 0 : (uint64_t)range.last + 1;

    end = end < count_max ? end : count_max;
    for (const StorageValue *value = fetch_first(job); value != NULL; value = value->next) {
        uint32_t index = fetch_index(value);

        if (index < range.first || index > range.last) {
            continue;
        }
        for (; at < index && !job->values.overflow; at++) {
            fetch_put_synthetic(job, (uint32_t)at, (PealBytes){NULL, 0});
        }
        fetch_put_value(job, value);
        at = (uint64_t)index + 1;
    }
    for (; at < end && !job->values.overflow; at++) {
        fetch_put_synthetic(job, (uint32_t)at, (PealBytes){NULL, 0});
    }
}

static void fetch_put_key(FetchJob *job, PealBytes key)
{
    const ReloadStored like = {.key = key};
    const StorageValue *value = value_find(fetch_first(job), job->model, &like);

    if (value != NULL) {
        fetch_put_value(job, value);
    } else {
        fetch_put_synthetic(job, 0, key);
    }
}

static void fetch_put_selected(FetchJob *job, PealBytes selector, uint32_t count_max)
{
    ReloadRange range;
    PealBytes key;

    switch (job->model) {
    case PEAL_MODEL_SINGLE:
        fetch_put_key(job, (PealBytes){NULL, 0}); /* its one value, wherever there is one */
        break;
    case PEAL_MODEL_ARRAY:
        while (!job->values.overflow && reload_range_next(&selector, &range)) {
            fetch_put_range(job, range, count_max);
        }
        break;
    case PEAL_MODEL_DICTIONARY:
        if (selector.len == 0) { /* a wildcard */
            for (const StorageValue *value = fetch_first(job); value != NULL; value = value->next) {
                fetch_put_value(job, value);
            }
        }
        while (!job->values.overflow && reload_key_next(&selector, &key)) {
            fetch_put_key(job, key);
        }
        break;
    }
}

/* A generation of 0 in the request means that the requester has seen none. */
static void fetch_put_kind(FetchJob *job, const ReloadSpecifier *specifier, PealBytes elements,
                           const PealKind *kind)
{
    uint64_t generation = job->slot != NULL ? job->slot->generation : 0;
    ReloadKindData data = {.kind = kind->id, .generation = generation};

    job->values.len = 0;
    if (specifier->generation == 0 || specifier->generation != generation) {
        fetch_put_selected(job, elements, kind->count_max);
    }
    data.values = writer_view(&job->values);
    put_kind_data(&job->kinds, &data);
    job->kinds.overflow |= job->values.overflow;
}

/* The requests. */

/* Checks each specifier against its Kind before anything is written. Returns whether the request
 * was refused. */
static bool fetch_refused(PealPeer *peer, const Inbound *request, PealBytes specifiers)
{
    uint8_t unknown[1 + FETCH_UNKNOWN_MAX * sizeof(uint32_t)];
    Writer w = writer_make(unknown, sizeof(unknown));
    ReloadSpecifier specifier;
    size_t kinds_len = 0;

    put_u8(&w, 0);
    while (reload_specifier_next(&specifiers, &specifier)) {
        const PealKind *kind = storage_kind(peer->overlay, specifier.kind);
        PealBytes elements;

        if (kind == NULL && w.len < sizeof(unknown)) {
            put_u32(&w, specifier.kind);
        } else if (kind != NULL &&
                   reload_selector_check(specifier.selector, kind->model, &elements) != 0) {
            request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE,
                           fetch_text("selector does not suit the Kind"));
            return true;
        }
        kinds_len++;
    }
    if (w.len > 1) {
        unknown[0] = (uint8_t)(w.len - 1);
        request_refuse(peer, request, RELOAD_ERROR_UNKNOWN_KIND, writer_view(&w));
        return true;
    }
    if (kinds_len > FETCH_KINDS_MAX) {
        request_refuse(peer, request, RELOAD_ERROR_RESPONSE_TOO_LARGE,
                       fetch_text("too many Kinds"));
        return true;
    }
    return false;
}

static void fetch_answer(PealPeer *peer, const Inbound *request, const PealId *resource,
                         PealBytes specifiers)
{
    size_t room =
        peer->overlay->message_max < FETCH_LIST_MAX ? peer->overlay->message_max : FETCH_LIST_MAX;
    PealBuf *buf = peer->env->ops->buffer(peer->env, 3 * room);
    FetchJob job = {.peer = peer,
                    .stat = request->message.code == RELOAD_STAT_REQ,
                    .values = writer_make(buf->data, room),
                    .kinds = writer_make(buf->data + room, room)};
    Writer body = writer_make(buf->data + 2 * room, room);
    ReloadSpecifier specifier;
    ReloadFetchAns answer;

    while (!job.kinds.overflow && reload_specifier_next(&specifiers, &specifier)) {
        const PealKind *kind = storage_kind(peer->overlay, specifier.kind);
        PealBytes elements = {NULL, 0};
        int error = reload_selector_check(specifier.selector, kind->model, &elements);

        PEAL_ASSERT(error == 0); /* fetch_refused saw to it */
        job.model = kind->model;
        job.slot = slot_find(&peer->storage, resource, specifier.kind);
        fetch_put_kind(&job, &specifier, elements, kind);
    }
    answer.kinds = writer_view(&job.kinds);
    put_fetch_ans(&body, &answer);
    if (job.kinds.overflow || body.overflow) {
        request_refuse(peer, request, RELOAD_ERROR_RESPONSE_TOO_LARGE, (PealBytes){NULL, 0});
    } else {
        request_answer(peer, request, writer_view(&body));
    }
    peer->env->ops->drop(peer->env, buf);
}

void fetch_on_request(PealPeer *peer, const Inbound *request)
{
    ReloadFetchReq fetch;
    PealId resource;
    int error = reload_fetch_req_decode(request->message.body, &fetch);

    if (error != 0) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE,
                       fetch_text(peal_error_text(error)));
        return;
    }
    if (fetch.resource.len != PEAL_ID_LEN) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE,
                       fetch_text("Resource-ID is not 128 bits"));
        return;
    }
    memcpy(resource.bytes, fetch.resource.ptr, PEAL_ID_LEN);
    if (!fetch_refused(peer, request, fetch.specifiers)) {
        fetch_answer(peer, request, &resource, fetch.specifiers);
    }
}

/* The stored Resource-ID of the Kind that is nearest at or after `from`; NULL when there is
 * none. */
static const PealId *fetch_closest(const Storage *storage, const PealId *from, uint32_t kind)
{
    uint32_t at = slot_at(storage, from, 0);

    for (uint32_t i = 0; i < storage->slots_len; i++) {
        const StorageSlot *slot = &storage->slots[(at + i) % storage->slots_len];

        if (slot->kind == kind) {
            return &slot->resource;
        }
    }
    return NULL;
}

void fetch_on_find(PealPeer *peer, const Inbound *request)
{
    uint8_t list[FETCH_FIND_MAX];
    uint8_t encoded[FETCH_FIND_MAX];
    Writer results = writer_make(list, sizeof(list));
    Writer body = writer_make(encoded, sizeof(encoded));
    ReloadFindReq find;
    ReloadFindAns answer;
    PealId resource;
    uint32_t kind;
    int error = reload_find_req_decode(request->message.body, &find);

    if (error != 0 || find.resource.len != PEAL_ID_LEN) {
        request_refuse(peer, request, RELOAD_ERROR_INVALID_MESSAGE,
                       fetch_text(error != 0 ? peal_error_text(error)
                                             : "Resource-ID is not 128 bits"));
        return;
    }
    memcpy(resource.bytes, find.resource.ptr, PEAL_ID_LEN);
    if (!peer->topology->responsible(peer, &resource)) {
        request_refuse(peer, request, RELOAD_ERROR_NOT_FOUND, fetch_text("not responsible for it"));
        return;
    }
    while (reload_u32_next(&find.kinds, &kind)) {
        const PealId *closest = fetch_closest(&peer->storage, &resource, kind);
        ReloadFindResult result = {.kind = kind};

        if (closest != NULL) { /* else 0, for a Kind that is not known too (s.7.4.4.2) */
            result.closest = (PealBytes){closest->bytes, PEAL_ID_LEN};
        }
        put_find_result(&results, &result);
    }
    answer.results = writer_view(&results);
    put_find_ans(&body, &answer);
    PEAL_ASSERT(!results.overflow && !body.overflow);
    request_answer(peer, request, writer_view(&body));
}
