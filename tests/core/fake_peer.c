/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fake_peer.c - see fake_peer.h. */
#include "core/fake_peer.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "peal_openssl/crypto.h"
#include "security/security.h"

static const uint64_t FAKE_EPOCH_MS = UINT64_C(1700000000000);

static FakePeer *fake_of(const PealPeer *peer)
{
    return (FakePeer *)peer->env;
}

PealId fake_id(uint8_t first)
{
    return (PealId){{first}};
}

/* Doubles of pending.c and peer.c. */

int request_send(PealPeer *peer, const RequestSpec *spec)
{
    FakePeer *fake = fake_of(peer);
    FakeRequest *request = &fake->requests[fake->requests_len];

    if (spec->body.len >= peer->overlay->message_max) {
        return -PEAL_E_TOO_LARGE;
    }
    if (fake->requests_len == FAKE_REQUESTS_MAX ||
        (fake->requests_limit != 0 && fake_outstanding(fake) >= fake->requests_limit)) {
        return -PEAL_E_FULL;
    }
    fake->requests_len++;
    *request = (FakeRequest){.spec = *spec, .body = malloc(spec->body.len + 1)};
    memcpy(request->body, spec->body.ptr, spec->body.len);
    request->spec.body.ptr = request->body;
    request->ended = spec->done == NULL;
    return 0;
}

void request_cancel(PealPeer *peer, RequestDone done, uint64_t arg)
{
    FakePeer *fake = fake_of(peer);

    for (size_t i = 0; i < fake->requests_len; i++) {
        FakeRequest *request = &fake->requests[i];

        request->ended = request->ended || (request->spec.done == done && request->spec.arg == arg);
    }
}

void request_answer(PealPeer *peer, const Inbound *request, PealBytes body)
{
    FakePeer *fake = fake_of(peer);

    CU_ASSERT_FATAL(body.len <= sizeof(fake->answer));
    fake->answers++;
    fake->code = (uint16_t)(request->message.code + 1);
    fake->error = 0;
    memcpy(fake->answer, body.ptr, body.len);
    fake->body = (PealBytes){fake->answer, body.len};
}

void request_refuse(PealPeer *peer, const Inbound *request, ReloadErrorCode error, PealBytes info)
{
    FakePeer *fake = fake_of(peer);

    (void)request;
    fake->answers++;
    fake->code = RELOAD_ERROR;
    fake->error = (uint16_t)error;
    if (info.len > 0) {
        memcpy(fake->answer, info.ptr, info.len);
    }
    fake->body = (PealBytes){fake->answer, info.len};
}

int peer_grow(PealPeer *peer, void *array_ptr, uint32_t *cap, uint32_t need, size_t element)
{
    void *old;
    void *fresh;

    if (need <= *cap) {
        return 0;
    }
    need += need / 2;
    fresh = peer_alloc(peer, need * element);
    if (fresh == NULL) {
        return -PEAL_E_MEMORY;
    }
    memcpy(&old, array_ptr, sizeof(old));
    if (*cap > 0) {
        memcpy(fresh, old, *cap * element);
        peer_release(peer, old, *cap * element);
    }
    memcpy(array_ptr, &fresh, sizeof(fresh));
    *cap = need;
    return 0;
}

void peer_trace(PealPeer *peer, PealTraceKind kind, uint16_t code, uint32_t value,
                uint64_t transaction, const PealId *key)
{
    (void)code;
    (void)value;
    (void)transaction;
    (void)key;
    fake_of(peer)->traces[kind]++;
}

size_t peal_peer_successors(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    return peer->topology->replica_set(peer, ret_ids, max);
}

/* Environment and topology. */

static PealTime fake_now(PealEnv *env)
{
    return ((FakePeer *)env)->now;
}

static uint64_t fake_unix_ms(PealEnv *env)
{
    return FAKE_EPOCH_MS + (uint64_t)(fake_now(env).ns / PEAL_NS_PER_MS);
}

static void fake_wake_at(PealEnv *env, PealTime at)
{
    ((FakePeer *)env)->wake_at = at;
}

static void fake_done(PealEnv *env, uint64_t token, const PealOutcome *outcome)
{
    FakePeer *fake = (FakePeer *)env;

    fake->token = token;
    fake->outcome = *outcome;
    fake->outcomes++;
}

static bool fake_responsible(const PealPeer *peer, const PealId *id)
{
    return peal_id_in_open_closed(id, &fake_of(peer)->from, &peer->id);
}

static bool fake_holds(const PealPeer *peer, const PealId *resource)
{
    return peal_id_in_open_closed(resource, &fake_of(peer)->holds_from, &peer->id);
}

static size_t fake_replica_set(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    const FakePeer *fake = fake_of(peer);
    size_t len = fake->set_len < max ? fake->set_len : max;

    memcpy(ret_ids, fake->set, len * sizeof(PealId));
    return len;
}

static bool fake_accepts_replica(const PealPeer *peer, const PealId *resource, const PealId *sender)
{
    (void)resource;
    (void)sender;
    return fake_of(peer)->accepts;
}

FakePeer *fake_new_at(uint8_t id, uint8_t from)
{
    FakePeer *fake = calloc(1, sizeof(*fake));
    const PealKind kinds[FAKE_KINDS] = {
        {PEAL_KIND_SIP_REGISTRATION, PEAL_MODEL_DICTIONARY, PEAL_ACCESS_USER_NODE_MATCH, 4, 256, 0},
        {FAKE_SINGLE, PEAL_MODEL_SINGLE, PEAL_ACCESS_ANY, 1, 64, 0},
        {FAKE_ARRAY, PEAL_MODEL_ARRAY, PEAL_ACCESS_ANY, 8, 3000, 0},
        {FAKE_DICTIONARY, PEAL_MODEL_DICTIONARY, PEAL_ACCESS_ANY, 4, 2000, 0},
        {FAKE_NODE, PEAL_MODEL_SINGLE, PEAL_ACCESS_NODE_MATCH, 1, 64, 0},
        {FAKE_MULTIPLE, PEAL_MODEL_SINGLE, PEAL_ACCESS_NODE_MULTIPLE, 1, 64, 3},
    };

    plain_env_init(&fake->env);
    fake->env.ops.now = fake_now;
    fake->env.ops.unix_ms = fake_unix_ms;
    fake->env.ops.wake_at = fake_wake_at;
    fake->env.ops.done = fake_done;
    fake->env.ops.crypto = peal_openssl_crypto();
    fake->env.env.ops = &fake->env.ops;
    memcpy(fake->kinds, kinds, sizeof(kinds));
    fake->overlay = (PealOverlay){.crypto = PEAL_CRYPTO_NONE,
                                  .message_max = 5000,
                                  .replicas = 2,
                                  .hold_down = peal_seconds(30),
                                  .resources_max = 100,
                                  .kinds = fake->kinds,
                                  .kinds_len = FAKE_KINDS};
    fake->ops = (TopologyOps){.name = "fake",
                              .responsible = fake_responsible,
                              .holds = fake_holds,
                              .replica_set = fake_replica_set,
                              .accepts_replica = fake_accepts_replica};
    fake->accepts = true;
    fake->from = fake_id(from);
    fake->holds_from = fake_id(0x10);
    fake->set[0] = fake_id((uint8_t)(id + 0x10));
    fake->set[1] = fake_id((uint8_t)(id + 0x20));
    fake->set_len = 2;
    fake->wake_at = PEAL_TIME_NEVER;
    fake->peer.env = &fake->env.env;
    fake->peer.overlay = &fake->overlay;
    fake->peer.topology = &fake->ops;
    fake->peer.id = fake_id(id);
    fake->peer.wake_at = PEAL_TIME_NEVER;
    fake->peer.state = PEAL_PEER_JOINED;
    storage_init(&fake->peer);
    location_init(&fake->peer);
    return fake;
}

FakePeer *fake_new(void)
{
    return fake_new_at(0x80, 0x40);
}

void fake_free(FakePeer *fake)
{
    storage_fini(&fake->peer);
    location_fini(&fake->peer);
    CU_ASSERT(plain_env_clean(&fake->env));
    for (size_t i = 0; i < fake->requests_len; i++) {
        free(fake->requests[i].body);
    }
    free(fake);
}

/* Requests to the peer. */

void fake_serve(FakePeer *fake, ReloadCode code, PealBytes body, const PealId *signer)
{
    const Inbound inbound = {.message = {.code = (uint16_t)code, .body = body},
                             .signer = *signer,
                             .link = LINK_NONE};
    size_t answers = fake->answers;

    storage_on_request(&fake->peer, &inbound);
    CU_ASSERT_EQUAL(fake->answers, answers + 1); /* every request gets one answer */
}

static void fake_put_value(Writer *w, PealModel model, const FakeValue *value,
                           const PealId *requester)
{
    uint8_t identity[SECURITY_IDENTITY_LEN];
    ReloadStored stored = {.storage_time_ms = value->time_ms,
                           .lifetime_s = value->lifetime_s != 0 ? value->lifetime_s : 3600,
                           .index = value->index,
                           .key = value->key,
                           .exists = value->value != NULL};

    if (value->value != NULL) {
        stored.value = (PealBytes){(const uint8_t *)value->value, strlen(value->value)};
    }
    stored.signature =
        security_fill(PEAL_CRYPTO_NONE, value->signer != NULL ? value->signer : requester, identity)
            .signature;
    if (value->unsigned_) {
        stored.signature = (ReloadSignature){.identity = RELOAD_SIGNER_NONE};
    }
    put_stored(w, model, &stored);
}

static PealModel fake_model(uint32_t kind)
{
    switch (kind) {
    case FAKE_ARRAY:
        return PEAL_MODEL_ARRAY;
    case FAKE_DICTIONARY:
    case PEAL_KIND_SIP_REGISTRATION:
        return PEAL_MODEL_DICTIONARY;
    default:
        return PEAL_MODEL_SINGLE;
    }
}

PealBytes fake_store_body(Writer *w, const PealId *resource, uint8_t replica,
                          const FakeKindData *kinds, size_t kinds_len, const PealId *requester)
{
    uint8_t list[FAKE_BODY_MAX];
    Writer elements = writer_make(list, sizeof(list));
    ReloadStoreReq store = {.resource = {resource->bytes, PEAL_ID_LEN}, .replica = replica};

    for (size_t i = 0; i < kinds_len; i++) {
        uint8_t encoded[FAKE_BODY_MAX];
        Writer values = writer_make(encoded, sizeof(encoded));
        ReloadKindData data = {.kind = kinds[i].kind, .generation = kinds[i].generation};

        for (size_t j = 0; j < kinds[i].values_len; j++) {
            fake_put_value(&values, fake_model(kinds[i].kind), &kinds[i].values[j], requester);
        }
        data.values = writer_view(&values);
        put_kind_data(&elements, &data);
        CU_ASSERT_FALSE_FATAL(values.overflow);
    }
    store.kinds = writer_view(&elements);
    put_store_req(w, &store);
    CU_ASSERT_FALSE_FATAL(elements.overflow || w->overflow);
    return writer_view(w);
}

uint16_t fake_store_kinds(FakePeer *fake, const PealId *resource, uint8_t replica,
                          const FakeKindData *kinds, size_t kinds_len)
{
    const PealId requester = fake_id(0x77);
    uint8_t encoded[FAKE_BODY_MAX];
    Writer w = writer_make(encoded, sizeof(encoded));

    fake_serve(fake, RELOAD_STORE_REQ,
               fake_store_body(&w, resource, replica, kinds, kinds_len, &requester), &requester);
    return fake->error;
}

uint16_t fake_store(FakePeer *fake, const PealId *resource, uint32_t kind, FakeValue value)
{
    const FakeKindData data = {kind, 0, &value, 1};

    return fake_store_kinds(fake, resource, 0, &data, 1);
}

uint16_t fake_replica(FakePeer *fake, const PealId *resource, uint32_t kind, uint64_t generation,
                      FakeValue value)
{
    const FakeKindData data = {kind, generation, &value, 1};

    return fake_store_kinds(fake, resource, 1, &data, 1);
}

uint64_t fake_generation(const FakePeer *fake, size_t i)
{
    ReloadStoreAns answer;
    ReloadStoreKindAns kind = {0};

    CU_ASSERT_EQUAL_FATAL(reload_store_ans_decode(fake->body, &answer), 0);
    for (size_t at = 0; at <= i; at++) {
        CU_ASSERT_TRUE_FATAL(reload_store_kind_ans_next(&answer.kinds, &kind));
    }
    return kind.generation;
}

uint16_t fake_fetch(FakePeer *fake, ReloadCode code, const PealId *resource, uint32_t kind,
                    uint64_t generation, PealBytes selector)
{
    const PealId requester = fake_id(0x77);
    const ReloadSpecifier specifier = {kind, generation, selector};
    uint8_t encoded[FAKE_BODY_MAX];
    uint8_t list[FAKE_BODY_MAX];
    Writer specifiers = writer_make(list, sizeof(list));
    Writer w = writer_make(encoded, sizeof(encoded));
    ReloadFetchReq fetch = {.resource = {resource->bytes, PEAL_ID_LEN}};

    put_specifier(&specifiers, &specifier);
    fetch.specifiers = writer_view(&specifiers);
    put_fetch_req(&w, &fetch);
    fake_serve(fake, code, writer_view(&w), &requester);
    return fake->error;
}

uint16_t fake_fetch_all(FakePeer *fake, const PealId *resource, uint32_t kind)
{
    const PealId requester = fake_id(0x77);
    uint8_t encoded[128];
    Writer w = writer_make(encoded, sizeof(encoded));

    storage_put_fetch_all(&w, resource, storage_kind(&fake->overlay, kind));
    fake_serve(fake, RELOAD_FETCH_REQ, writer_view(&w), &requester);
    return fake->error;
}

size_t fake_values(const FakePeer *fake, PealModel model, ReloadStored *ret_values, size_t max,
                   uint64_t *ret_generation)
{
    ReloadFetchAns answer;
    ReloadKindData data = {0};
    size_t len = 0;

    CU_ASSERT_EQUAL_FATAL(fake->code, RELOAD_FETCH_ANS);
    CU_ASSERT_EQUAL_FATAL(reload_fetch_ans_decode(fake->body, &answer), 0);
    CU_ASSERT_TRUE_FATAL(reload_kind_data_next(&answer.kinds, &data));
    CU_ASSERT_EQUAL(answer.kinds.len, 0);
    CU_ASSERT_EQUAL_FATAL(reload_stored_check(data.values, model), 0);
    if (ret_generation != NULL) {
        *ret_generation = data.generation;
    }
    while (len < max && reload_stored_next(&data.values, model, &ret_values[len])) {
        len++;
    }
    CU_ASSERT_EQUAL(data.values.len, 0);
    return len;
}

bool fake_value_is(const ReloadStored *stored, const char *value)
{
    return stored->exists && stored->value.len == strlen(value) &&
           memcmp(stored->value.ptr, value, stored->value.len) == 0;
}

bool fake_holds_only(FakePeer *fake, const PealId *resource, uint32_t kind, PealModel model,
                     const char *value)
{
    ReloadStored stored[2];

    return fake_fetch_all(fake, resource, kind) == 0 &&
           fake_values(fake, model, stored, 2, NULL) == 1 && fake_value_is(&stored[0], value);
}

/* Time and what went out. */

void fake_run(FakePeer *fake, PealSpan span)
{
    PealTime end = peal_time_add(fake->now, span);
    PealPeer *peer = &fake->peer;

    for (;;) {
        PealTime at = peal_time_min(peer->storage.deadline, peer->location.deadline);

        if (at.ns > end.ns) {
            break;
        }
        CU_ASSERT(peer->wake_at.ns <= at.ns); /* the world was told */
        if (at.ns > fake->now.ns) {
            fake->now = at;
        }
        peer->wake_at = PEAL_TIME_NEVER;
        storage_on_wake(peer, fake->now);
        location_on_wake(peer, fake->now);
        peer_wake_by(peer, peal_time_min(peer->storage.deadline, peer->location.deadline));
    }
    fake->now = end;
}

size_t fake_outstanding(const FakePeer *fake)
{
    size_t count = 0;

    for (size_t i = 0; i < fake->requests_len; i++) {
        count += !fake->requests[i].ended;
    }
    return count;
}

FakeRequest *fake_request(FakePeer *fake, size_t nth)
{
    for (size_t i = 0; i < fake->requests_len; i++) {
        if (!fake->requests[i].ended && nth-- == 0) {
            return &fake->requests[i];
        }
    }
    CU_FAIL_FATAL("no such request");
    return NULL;
}

static void fake_end(FakePeer *fake, FakeRequest *request, const RequestResult *result)
{
    request->ended = true;
    request->spec.done(&fake->peer, request->spec.arg, result);
}

void fake_fail(FakePeer *fake, FakeRequest *request, int status)
{
    fake_end(fake, request, &(RequestResult){.status = status});
}

void fake_refuse(FakePeer *fake, FakeRequest *request, uint16_t error, const PealId *responder)
{
    const Inbound answer = {.message = {.code = RELOAD_ERROR}, .signer = *responder};

    fake_end(fake, request,
             &(RequestResult){.status = -PEAL_E_REFUSED, .error = error, .answer = &answer});
}

void fake_succeed(FakePeer *fake, FakeRequest *request)
{
    const Inbound answer = {.message = {.code = (uint16_t)(request->spec.code + 1)},
                            .signer = request->spec.to};

    fake_end(fake, request, &(RequestResult){.answer = &answer});
}

void fake_answer(FakePeer *fake, FakeRequest *request, ReloadCode code, PealBytes body)
{
    const Inbound answer = {.message = {.code = (uint16_t)code, .body = body},
                            .signer = request->spec.to};

    fake_end(fake, request, &(RequestResult){.answer = &answer});
}

void fake_succeed_all(FakePeer *fake)
{
    while (fake_outstanding(fake) > 0) {
        fake_succeed(fake, fake_request(fake, 0));
    }
}

void fake_deliver(FakePeer *fake, FakeRequest *request, FakePeer *to)
{
    Inbound answer = {.signer = to->peer.id};
    RequestResult result = {.answer = &answer};

    fake_serve(to, request->spec.code, request->spec.body, &fake->peer.id);
    answer.message = (ReloadMessage){.code = to->code, .body = to->body};
    if (to->code == RELOAD_ERROR) {
        result.status = -PEAL_E_REFUSED;
        result.error = to->error;
    }
    fake_end(fake, request, &result);
}

PealId fake_store_resource(const FakeRequest *request, uint8_t *ret_replica)
{
    ReloadStoreReq store;
    PealId resource;

    CU_ASSERT_EQUAL_FATAL(request->spec.code, RELOAD_STORE_REQ);
    CU_ASSERT_EQUAL_FATAL(reload_store_req_decode(request->spec.body, &store), 0);
    CU_ASSERT_EQUAL_FATAL(store.resource.len, PEAL_ID_LEN);
    memcpy(resource.bytes, store.resource.ptr, PEAL_ID_LEN);
    if (ret_replica != NULL) {
        *ret_replica = store.replica;
    }
    return resource;
}
