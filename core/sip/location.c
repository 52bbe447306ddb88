/* SPDX-License-Identifier: GPL-3.0-or-later */
/* location.c - registers AORs, keeps them registered, removes them, and finds them. */
#include "sip/location.h"

#include "peer.h"
#include "sip/location_table.h"
#include "sip/registration.h"
#include "storage/access.h"
#include "storage/copies.h"

#define LOCATION_RETRY_FIRST peal_seconds(2)
#define LOCATION_RETRY_MAX peal_seconds(120)
enum {
    LOCATION_BODY_MAX = 1024,     /* a StoreReq of one registration, the longest signature in it */
    LOCATION_NO_CALL = UINT16_MAX /* more than PENDING_MAX requests are never out */
};

/* Who waits for a request's end. */
typedef enum LocationAsker { LOCATION_NOBODY, LOCATION_USER, LOCATION_PART } LocationAsker;

typedef struct LocationAsk {
    LocationAsker asker;
    LocationDone done; /* of a LOCATION_PART */
    uint64_t arg;      /* a LOCATION_USER's token */
} LocationAsk;

/* A Store or Fetch that is out. */
struct LocationCall {
    PealId resource;
    uint64_t arg;
    PealTime sent_at;
    union {
        LocationDone done;
        LocationFound found; /* of a Fetch */
    };
    uint16_t next_free; /* while it is not in use */
    uint8_t asker;      /* of a Store */
};

void location_init(PealPeer *peer)
{
    peer->location = (Location){.deadline = PEAL_TIME_NEVER};
}

static void location_release_calls(PealPeer *peer)
{
    Location *location = &peer->location;

    if (location->calls != NULL) {
        peer_release(peer, location->calls, location->calls_cap * sizeof(*location->calls));
    }
    location->calls = NULL;
    location->calls_cap = 0;
}

void location_fini(PealPeer *peer)
{
    location_release_calls(peer);
    location_table_fini(peer);
    location_init(peer);
}

static void location_act_at(PealPeer *peer, LocationEntry *entry, PealTime at)
{
    location_table_act_at(&peer->location, entry, at);
    peer->location.deadline = peal_time_min(peer->location.deadline, at);
    peer_wake_by(peer, at);
}

static void location_retry(PealPeer *peer, LocationEntry *entry)
{
    PealSpan wait = LOCATION_RETRY_FIRST;

    for (uint8_t i = 0; i < entry->failures && wait.ns < LOCATION_RETRY_MAX.ns; i++) {
        wait.ns *= 2;
    }
    if (wait.ns >= LOCATION_RETRY_MAX.ns) {
        wait = LOCATION_RETRY_MAX;
    } else {
        entry->failures++;
    }
    location_act_at(peer, entry, peal_time_add(peer_now(peer), wait));
}

/* Stores. */

/* A free one, which is the caller's. */
static LocationCall *location_call(PealPeer *peer)
{
    Location *location = &peer->location;
    LocationCall *call;
    uint32_t cap = location->calls_cap;

    if (location->calls_len == cap) {
        if (cap >= LOCATION_NO_CALL ||
            peer_grow(peer, &location->calls, &location->calls_cap, cap + 1, sizeof(*call)) != 0) {
            return NULL;
        }
        for (uint32_t fresh = cap; fresh < location->calls_cap; fresh++) {
            location->calls[fresh].next_free = (uint16_t)(fresh + 1);
        }
        location->calls_free = (uint16_t)cap;
    }
    call = &location->calls[location->calls_free];
    location->calls_free = call->next_free;
    location->calls_len++;
    return call;
}

static void location_end_call(PealPeer *peer, LocationCall *call)
{
    Location *location = &peer->location;

    call->next_free = location->calls_free;
    location->calls_free = (uint16_t)(call - location->calls);
    if (--location->calls_len == 0) {
        location_release_calls(peer);
    }
}

/* A removal has to outlive what it replaces (RFC 6940 s.7.4.1.3), so that its lifetime is rounded
 * up; a registration that may not be lengthened is rounded down, maybe to 0. */
static uint32_t location_rest_s(PealPeer *peer, const LocationEntry *entry)
{
    int64_t rest_ns = peal_time_since(entry->ends_at, peer_now(peer)).ns;
    int64_t rest_s = (rest_ns + (entry->removing ? PEAL_NS_PER_S - 1 : 0)) / PEAL_NS_PER_S;

    if (rest_s > UINT32_MAX) {
        return UINT32_MAX;
    }
    return rest_s < 1 ? entry->removing : (uint32_t)rest_s;
}

/* Sends a Store of what the entry says now, to where copy i of it lies. */
static int location_send_copy(PealPeer *peer, const LocationEntry *entry, unsigned i,
                              RequestDone done, uint64_t arg)
{
    uint8_t value[REGISTRATION_LEN];
    uint8_t encoded[LOCATION_BODY_MAX];
    Writer registration = writer_make(value, sizeof(value));
    Writer body = writer_make(encoded, sizeof(encoded));
    PealStoreItem item = {.resource =
                              peal_copy_resource(peer->env->ops->crypto, &entry->resource, i),
                          .kind = copies_kind(i),
                          .key = {peer->id.bytes, PEAL_ID_LEN},
                          .lifetime_s = location_rest_s(peer, entry),
                          .exists = !entry->removing};
    RequestSpec spec = {.code = RELOAD_STORE_REQ,
                        .to = item.resource,
                        .to_resource = true,
                        .link = LINK_NONE,
                        .done = done,
                        .arg = arg};
    int error;

    if (!entry->removing) {
        registration_put_route(&registration, &peer->id);
        item.value = writer_view(&registration);
    }
    error = storage_put_store(peer, &body, &item);
    if (error != 0) {
        return error; /* the overlay does not know the Kind */
    }
    PEAL_ASSERT(!body.overflow && !registration.overflow);
    spec.body = writer_view(&body);
    return request_send(peer, &spec);
}

/* Further copies are stored with the first, whose fate is the entry's: one that fails is there
 * again when the entry is stored the next time, and the others stand in for it until then. */
static int location_send(PealPeer *peer, const LocationEntry *entry, RequestDone done, uint64_t arg)
{
    int error = location_send_copy(peer, entry, 0, done, arg);

    for (unsigned i = 1; error == 0 && i <= peal_overlay_copies(peer->overlay); i++) {
        (void)!location_send_copy(peer, entry, i, NULL, 0);
    }
    return error;
}

static void location_on_done(PealPeer *peer, uint64_t arg, const RequestResult *result);

/* Stores the entry as it is. Nothing has changed on failure. */
static int location_store(PealPeer *peer, LocationEntry *entry, LocationAsk ask)
{
    LocationCall *call = location_call(peer);
    uint64_t idx;
    int error;

    if (call == NULL) {
        return -PEAL_E_FULL;
    }
    idx = (uint64_t)(call - peer->location.calls);
    error = location_send(peer, entry, location_on_done, idx);
    if (error != 0) {
        location_end_call(peer, call);
        return error == -PEAL_E_TOO_LARGE ? -PEAL_E_ARG : error;
    }
    *call = (LocationCall){.resource = entry->resource,
                           .arg = ask.arg,
                           .sent_at = peer_now(peer),
                           .done = ask.done,
                           .asker = (uint8_t)ask.asker};
    entry->call = (uint16_t)idx;
    location_table_act_at(&peer->location, entry, PEAL_TIME_NEVER);
    return 0;
}

static void location_stored(PealPeer *peer, LocationEntry *entry, PealTime sent_at)
{
    const PealSpan refresh = {(int64_t)entry->expires_s * PEAL_NS_PER_S / 10 * 9};

    if (entry->removing) {
        location_table_remove(peer, entry);
        return;
    }
    entry->failures = 0;
    location_act_at(peer, entry,
                    entry->refreshing ? peal_time_add(sent_at, refresh) : entry->ends_at);
}

static void location_tell(PealPeer *peer, const LocationCall *call, const RequestResult *result)
{
    PealOutcome outcome = {.status = result->status,
                           .error_code = result->error,
                           .transaction = result->transaction};

    switch ((LocationAsker)call->asker) {
    case LOCATION_NOBODY:
        break;
    case LOCATION_USER:
        if (result->answer != NULL) {
            outcome.responder = result->answer->signer;
            outcome.body = result->answer->message.body;
        }
        peer->env->ops->done(peer->env, call->arg, &outcome);
        break;
    case LOCATION_PART:
        call->done(peer, call->arg, result->status);
        break;
    }
}

static void location_on_done(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    const LocationCall call = peer->location.calls[arg];
    LocationEntry *entry = location_table_find(&peer->location, &call.resource);

    location_end_call(peer, &peer->location.calls[arg]);
    if (entry != NULL && entry->call == arg) { /* else overtaken by a later request */
        entry->call = LOCATION_NO_CALL;
        if (result->status == 0) {
            location_stored(peer, entry, call.sent_at);
        } else {
            location_retry(peer, entry);
        }
    }
    location_tell(peer, &call, result);
}

/* What others ask. */

/* Nothing has changed on failure. */
static int location_begin(PealPeer *peer, const PealId *resource, uint32_t expires_s,
                          bool refreshing, LocationAsk ask)
{
    LocationEntry *entry;
    LocationEntry before;
    bool known;
    int error;

    if (expires_s == 0) {
        return -PEAL_E_ARG;
    }
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    entry = location_table_find(&peer->location, resource);
    known = entry != NULL;
    if (!known) {
        entry = location_table_add(peer, resource);
    }
    if (entry == NULL) {
        return -PEAL_E_FULL;
    }
    entry->call = known ? entry->call : LOCATION_NO_CALL;
    before = *entry;
    entry->ends_at = peal_time_add(peer_now(peer), peal_seconds(expires_s));
    entry->expires_s = expires_s;
    entry->refreshing = refreshing;
    entry->removing = false;
    entry->failures = 0;
    error = location_store(peer, entry, ask);
    if (error != 0) {
        *entry = before;
        if (!known) {
            location_table_remove(peer, entry);
        }
    }
    return error;
}

int peal_peer_register(PealPeer *peer, PealStr aor, uint32_t expires_s, uint64_t token)
{
    PealId resource;

    if (peal_aor_resource(peer->env->ops->crypto, aor, &resource) != 0) {
        return -PEAL_E_ARG;
    }
    return location_begin(peer, &resource, expires_s, true,
                          (LocationAsk){.asker = LOCATION_USER, .arg = token});
}

int location_keep(PealPeer *peer, const PealId *resource, uint32_t expires_s, LocationDone done,
                  uint64_t arg)
{
    return location_begin(peer, resource, expires_s, false,
                          (LocationAsk){.asker = LOCATION_PART, .done = done, .arg = arg});
}

int peal_peer_unregister(PealPeer *peer, PealStr aor, uint64_t token)
{
    LocationEntry *entry;
    PealId resource;
    int error;

    if (peal_aor_resource(peer->env->ops->crypto, aor, &resource) != 0) {
        return -PEAL_E_ARG;
    }
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    entry = location_table_find(&peer->location, &resource);
    if (entry == NULL || entry->removing) {
        return -PEAL_E_ARG;
    }
    entry->removing = true;
    error = location_store(peer, entry, (LocationAsk){.asker = LOCATION_USER, .arg = token});
    if (error == 0) {
        entry->failures = 0;
    } else {
        entry->removing = false;
    }
    return error;
}

int location_drop(PealPeer *peer, const PealId *resource, LocationDone done, uint64_t arg)
{
    LocationEntry *entry = location_table_find(&peer->location, resource);
    int error = -PEAL_E_STATE;

    if (entry == NULL || entry->removing) {
        return -PEAL_E_NOT_FOUND;
    }
    entry->removing = true;
    entry->failures = 0;
    if (peer->state == PEAL_PEER_JOINED) {
        error = location_store(peer, entry,
                               (LocationAsk){.asker = LOCATION_PART, .done = done, .arg = arg});
    }
    if (error != 0) {
        entry->call = LOCATION_NO_CALL; /* what is out would register it again */
        location_retry(peer, entry);
    }
    return error;
}

void location_leave(PealPeer *peer)
{
    Location *location = &peer->location;

    for (uint32_t i = 0; i < location->entries_len; i++) {
        LocationEntry *entry = &location->entries[i];

        entry->removing = true;
        location_table_act_at(location, entry, PEAL_TIME_NEVER);
        if (location_send(peer, entry, NULL, 0) != 0) {
            return; /* the rest ends by itself */
        }
    }
}

static void location_act(PealPeer *peer, LocationEntry *entry, PealTime now)
{
    PealTime ended_at = entry->ends_at;

    if (entry->refreshing && !entry->removing) {
        entry->ends_at = peal_time_add(now, peal_seconds(entry->expires_s));
    } else if (peal_time_due(ended_at, now) || location_rest_s(peer, entry) == 0) {
        location_table_remove(peer, entry); /* there is nothing left to store, or to remove */
        return;
    }
    if (peer->state != PEAL_PEER_JOINED ||
        location_store(peer, entry, (LocationAsk){.asker = LOCATION_NOBODY}) != 0) {
        entry->ends_at = ended_at;
        location_retry(peer, entry);
    }
}

void location_on_wake(PealPeer *peer, PealTime now)
{
    Location *location = &peer->location;
    LocationEntry *first;

    if (!peal_time_due(location->deadline, now)) {
        return;
    }
    while ((first = location_table_first(location)) != NULL && peal_time_due(first->act_at, now)) {
        location_act(peer, first, now); /* later, or never, or gone */
    }
    location->deadline = first != NULL ? first->act_at : PEAL_TIME_NEVER;
}

/* Finding. */

/* What a FetchAns says, as far as it is signed by whom it should be. */
typedef struct LocationReading {
    PealId adapters[LOCATION_ADAPTERS_MAX];
    size_t adapters_len;
    PealStr uri;
} LocationReading;

static void location_read_node(LocationReading *reading, const PealId *node)
{
    for (size_t i = 0; i < reading->adapters_len; i++) {
        if (peal_id_equal(&reading->adapters[i], node)) {
            return; /* RFC 7904 s.4.2: duplicates are removed */
        }
    }
    if (reading->adapters_len < LOCATION_ADAPTERS_MAX) {
        reading->adapters[reading->adapters_len++] = *node;
    }
}

/* Returns 0, or -PEAL_E_* when the answer makes no sense. */
static int location_read(const PealPeer *peer, const PealId *resource, const Inbound *inbound,
                         LocationReading *reading)
{
    const StoreScope scope = {resource, &inbound->signer, STORE_REPLICA};
    const PealKind *kind;
    ReloadFetchAns answer;
    ReloadKindData data;
    ReloadStored stored;
    Registration registration;
    int error = reload_fetch_ans_decode(inbound->message.body, &answer);

    if (error != 0) {
        return error;
    }
    if (!reload_kind_data_next(&answer.kinds, &data)) {
        return -PEAL_E_VALUE;
    }
    kind = storage_kind(peer->overlay, data.kind);
    if (kind == NULL || (data.kind != copies_kind(0) && data.kind != copies_kind(1))) {
        return -PEAL_E_VALUE;
    }
    error = reload_stored_check(data.values, kind->model);
    if (error != 0) {
        return error;
    }
    while (reload_stored_next(&data.values, kind->model, &stored)) {
        if (!stored.exists || !access_permits(peer, &scope, kind, &stored) ||
            registration_read(stored.value, &registration) != 0) {
            continue;
        }
        if (registration.uri.len == 0) {
            location_read_node(reading, &registration.node);
        } else if (reading->uri.len == 0) {
            reading->uri = registration.uri;
        }
    }
    return 0;
}

static void location_on_fetched(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    const LocationCall call = peer->location.calls[arg];
    LocationReading reading = {.adapters_len = 0};
    LocationAnswer answer = {.status = result->status};

    location_end_call(peer, &peer->location.calls[arg]);
    if (result->status == 0 && location_read(peer, &call.resource, result->answer, &reading) != 0) {
        answer.status = -PEAL_E_UNREACHABLE;
    } else if (result->status == -PEAL_E_REFUSED) {
        answer.status =
            result->error == RELOAD_ERROR_NOT_FOUND ? -PEAL_E_NOT_FOUND : -PEAL_E_UNREACHABLE;
    } else if (result->status == 0 && reading.adapters_len == 0 && reading.uri.len == 0) {
        answer.status = -PEAL_E_NOT_FOUND;
    }
    if (answer.status == 0) {
        answer.adapters = reading.adapters;
        answer.adapters_len = reading.adapters_len;
        answer.uri = reading.uri;
    }
    call.found(peer, call.arg, &answer);
}

int location_find(PealPeer *peer, const PealId *resource, LocationFound found, uint64_t arg)
{
    LocationCall *call;
    int error;

    if (peer->state != PEAL_PEER_JOINED ||
        storage_kind(peer->overlay, PEAL_KIND_SIP_REGISTRATION) == NULL) {
        return -PEAL_E_STATE;
    }
    call = location_call(peer);
    if (call == NULL) {
        return -PEAL_E_MEMORY;
    }
    error = copies_fetch(peer, resource, PEAL_KIND_SIP_REGISTRATION, location_on_fetched,
                         (uint64_t)(call - peer->location.calls));
    if (error != 0) {
        location_end_call(peer, call);
        return error;
    }
    *call = (LocationCall){.resource = *resource,
                           .arg = arg,
                           .sent_at = peer_now(peer),
                           .found = found};
    return 0;
}
