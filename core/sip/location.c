/* SPDX-License-Identifier: GPL-3.0-or-later */
/* location.c - registers AORs, keeps them registered, and removes them. */
#include "sip/location.h"

#include "peer.h"
#include "sip/registration.h"

#define LOCATION_RETRY_FIRST peal_seconds(2)
#define LOCATION_RETRY_MAX peal_seconds(120)
enum { LOCATION_BODY_MAX = 1024 }; /* a StoreReq of one registration, the longest signature in it */

struct LocationEntry {
    PealId resource;
    PealTime act_at;  /* refresh or retry; PEAL_TIME_NEVER while a Store is out */
    PealTime ends_at; /* of what may be stored in the overlay */
    uint32_t expires_s;
    uint8_t failures; /* in a row */
    bool removing;
};
_Static_assert(sizeof(LocationEntry) == 40, "every AOR has one");

/* A Store that is out; free when `sent_at` is PEAL_TIME_NEVER. */
struct LocationCall {
    PealId resource;
    uint64_t token;
    PealTime sent_at;
    bool asked; /* somebody waits for `done(token)` */
    bool removal;
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

static void location_release_entries(PealPeer *peer)
{
    Location *location = &peer->location;

    if (location->entries != NULL) {
        peer_release(peer, location->entries, location->entries_cap * sizeof(*location->entries));
    }
    location->entries = NULL;
    location->entries_cap = 0;
}

void location_fini(PealPeer *peer)
{
    location_release_calls(peer);
    location_release_entries(peer);
    location_init(peer);
}

/* Entries. */

static uint32_t location_at(const Location *location, const PealId *resource)
{
    uint32_t low = 0;
    uint32_t high = location->entries_len;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (peal_id_compare(&location->entries[middle].resource, resource) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static LocationEntry *location_entry(const Location *location, const PealId *resource)
{
    uint32_t at = location_at(location, resource);

    if (at < location->entries_len && peal_id_equal(&location->entries[at].resource, resource)) {
        return &location->entries[at];
    }
    return NULL;
}

static LocationEntry *location_add(PealPeer *peer, const PealId *resource)
{
    Location *location = &peer->location;
    uint32_t at = location_at(location, resource);
    LocationEntry *entry;

    if (peer_grow(peer, &location->entries, &location->entries_cap, location->entries_len + 1,
                  sizeof(*entry)) != 0) {
        return NULL;
    }
    entry = &location->entries[at];
    memmove(entry + 1, entry, (location->entries_len - at) * sizeof(*entry));
    location->entries_len++;
    *entry = (LocationEntry){.resource = *resource, .act_at = PEAL_TIME_NEVER};
    return entry;
}

static void location_remove(PealPeer *peer, LocationEntry *entry)
{
    Location *location = &peer->location;
    const LocationEntry *end = location->entries + location->entries_len;

    memmove(entry, entry + 1, (size_t)(end - (entry + 1)) * sizeof(*entry));
    location->entries_len--;
    if (location->entries_len == 0) {
        location_release_entries(peer);
    }
}

static void location_act_at(PealPeer *peer, LocationEntry *entry, PealTime at)
{
    entry->act_at = at;
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

static LocationCall *location_call(PealPeer *peer)
{
    Location *location = &peer->location;
    uint32_t cap = location->calls_cap;
    uint32_t i = 0;

    while (i < cap && location->calls[i].sent_at.ns != PEAL_TIME_NEVER.ns) {
        i++;
    }
    if (i == cap) {
        if (peer_grow(peer, &location->calls, &location->calls_cap, cap + 1,
                      sizeof(*location->calls)) != 0) {
            return NULL;
        }
        for (uint32_t fresh = cap; fresh < location->calls_cap; fresh++) {
            location->calls[fresh].sent_at = PEAL_TIME_NEVER;
        }
    }
    return &location->calls[i];
}

static void location_end_call(PealPeer *peer, LocationCall *call)
{
    call->sent_at = PEAL_TIME_NEVER;
    if (--peer->location.calls_len == 0) {
        location_release_calls(peer);
    }
}

/* What a removal has to outlive: the rest of what it replaces, rounded up (RFC 6940 s.7.4.1.3). */
static uint32_t location_rest_s(PealPeer *peer, const LocationEntry *entry)
{
    int64_t rest_ns = peal_time_since(entry->ends_at, peer_now(peer)).ns;
    int64_t rest_s = (rest_ns + PEAL_NS_PER_S - 1) / PEAL_NS_PER_S;

    if (rest_s > UINT32_MAX) {
        return UINT32_MAX;
    }
    return rest_s < 1 ? 1 : (uint32_t)rest_s;
}

/* Sends a Store of what the entry says now. */
static int location_send(PealPeer *peer, const LocationEntry *entry, RequestDone done, uint64_t arg)
{
    uint8_t value[REGISTRATION_LEN];
    uint8_t encoded[LOCATION_BODY_MAX];
    Writer registration = writer_make(value, sizeof(value));
    Writer body = writer_make(encoded, sizeof(encoded));
    PealStoreItem item = {.resource = entry->resource,
                          .kind = PEAL_KIND_SIP_REGISTRATION,
                          .key = {peer->id.bytes, PEAL_ID_LEN},
                          .lifetime_s = entry->expires_s,
                          .exists = !entry->removing};
    RequestSpec spec = {.code = RELOAD_STORE_REQ,
                        .to = entry->resource,
                        .to_resource = true,
                        .link = LINK_NONE,
                        .done = done,
                        .arg = arg};
    int error;

    if (entry->removing) {
        item.lifetime_s = location_rest_s(peer, entry);
    } else {
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

static void location_on_done(PealPeer *peer, uint64_t arg, const RequestResult *result);

/* Stores the entry. Nothing has changed on failure. */
static int location_store(PealPeer *peer, LocationEntry *entry, const uint64_t *token)
{
    PealTime now = peer_now(peer);
    LocationCall *call = location_call(peer);
    int error;

    if (call == NULL) {
        return -PEAL_E_FULL;
    }
    error = location_send(peer, entry, location_on_done, (uint64_t)(call - peer->location.calls));
    if (error != 0) {
        if (peer->location.calls_len == 0) {
            location_release_calls(peer);
        }
        return error == -PEAL_E_TOO_LARGE ? -PEAL_E_ARG : error;
    }
    peer->location.calls_len++;
    *call = (LocationCall){.resource = entry->resource,
                           .token = token != NULL ? *token : 0,
                           .sent_at = now,
                           .asked = token != NULL,
                           .removal = entry->removing};
    entry->act_at = PEAL_TIME_NEVER;
    if (!entry->removing) {
        entry->ends_at = peal_time_add(now, peal_seconds(entry->expires_s));
    }
    return 0;
}

static void location_stored(PealPeer *peer, LocationEntry *entry, PealTime sent_at)
{
    const PealSpan refresh = {(int64_t)entry->expires_s * PEAL_NS_PER_S / 10 * 9};

    if (entry->removing) {
        location_remove(peer, entry);
        return;
    }
    entry->failures = 0;
    location_act_at(peer, entry, peal_time_add(sent_at, refresh));
}

static void location_on_done(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    const LocationCall call = peer->location.calls[arg];
    LocationEntry *entry = location_entry(&peer->location, &call.resource);

    location_end_call(peer, &peer->location.calls[arg]);
    if (entry != NULL && entry->removing == call.removal) { /* else overtaken by a later request */
        if (result->status == 0) {
            location_stored(peer, entry, call.sent_at);
        } else {
            location_retry(peer, entry);
        }
    }
    if (call.asked) {
        PealOutcome outcome = {.status = result->status,
                               .error_code = result->error,
                               .transaction = result->transaction};

        if (result->answer != NULL) {
            outcome.responder = result->answer->signer;
            outcome.body = result->answer->message.body;
        }
        peer->env->ops->done(peer->env, call.token, &outcome);
    }
}

/* What others ask. */

int peal_peer_register(PealPeer *peer, PealStr aor, uint32_t expires_s, uint64_t token)
{
    LocationEntry *entry;
    LocationEntry before;
    PealId resource;
    bool known;
    int error;

    if (expires_s == 0 || peal_aor_resource(peer->env->ops->crypto, aor, &resource) != 0) {
        return -PEAL_E_ARG;
    }
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    entry = location_entry(&peer->location, &resource);
    known = entry != NULL;
    if (!known) {
        entry = location_add(peer, &resource);
    }
    if (entry == NULL) {
        return -PEAL_E_FULL;
    }
    before = *entry;
    entry->expires_s = expires_s;
    entry->removing = false;
    entry->failures = 0;
    error = location_store(peer, entry, &token);
    if (error != 0) {
        *entry = before;
        if (!known) {
            location_remove(peer, entry);
        }
    }
    return error;
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
    entry = location_entry(&peer->location, &resource);
    if (entry == NULL || entry->removing) {
        return -PEAL_E_ARG;
    }
    entry->removing = true;
    error = location_store(peer, entry, &token);
    if (error == 0) {
        entry->failures = 0;
    } else {
        entry->removing = false;
    }
    return error;
}

void location_leave(PealPeer *peer)
{
    Location *location = &peer->location;

    for (uint32_t i = 0; i < location->entries_len; i++) {
        LocationEntry *entry = &location->entries[i];

        entry->removing = true;
        entry->act_at = PEAL_TIME_NEVER;
        if (location_send(peer, entry, NULL, 0) != 0) {
            return; /* the rest ends by itself */
        }
    }
}

static void location_act(PealPeer *peer, LocationEntry *entry, PealTime now)
{
    if (entry->removing && peal_time_due(entry->ends_at, now)) {
        location_remove(peer, entry); /* there is nothing left to remove */
        return;
    }
    if (peer->state != PEAL_PEER_JOINED || location_store(peer, entry, NULL) != 0) {
        location_retry(peer, entry);
    }
}

void location_on_wake(PealPeer *peer, PealTime now)
{
    Location *location = &peer->location;

    if (!peal_time_due(location->deadline, now)) {
        return;
    }
    for (uint32_t i = 0; i < location->entries_len;) {
        if (peal_time_due(location->entries[i].act_at, now)) {
            location_act(peer, &location->entries[i], now); /* later, or never, or gone */
        } else {
            i++;
        }
    }
    location->deadline = PEAL_TIME_NEVER;
    for (uint32_t i = 0; i < location->entries_len; i++) {
        location->deadline = peal_time_min(location->deadline, location->entries[i].act_at);
    }
}
