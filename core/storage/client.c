/* SPDX-License-Identifier: GPL-3.0-or-later */
/* client.c - this peer's own Stores and Fetches: the requests' bodies and peal_peer_store. */
#include "peer.h"
#include "security/security.h"
#include "storage/access.h"

enum {
    CLIENT_FIELDS =
        1024, /* StoreReq of one value without key and value, the longest signature in it */
    CLIENT_SELECTOR_MAX = 16,
    CLIENT_SPECIFIER_MAX = 32
};

uint64_t storage_next_ms(PealPeer *peer)
{
    uint64_t now_ms = peer->env->ops->unix_ms(peer->env);
    uint64_t *last_ms = &peer->storage.stored_ms;

    *last_ms = now_ms > *last_ms ? now_ms : *last_ms + 1;
    return *last_ms;
}

void storage_put_fetch_all(Writer *w, const PealId *resource, const PealKind *kind)
{
    static const ReloadRange all = {0, UINT32_MAX};
    uint8_t selector[CLIENT_SELECTOR_MAX];
    uint8_t specifiers[CLIENT_SPECIFIER_MAX];
    Writer elements = writer_make(selector, sizeof(selector));
    Writer list = writer_make(specifiers, sizeof(specifiers));
    ReloadSpecifier specifier = {.kind = kind->id};
    ReloadFetchReq fetch = {.resource = {resource->bytes, PEAL_ID_LEN}};

    switch (kind->model) {
    case PEAL_MODEL_SINGLE:
        break;
    case PEAL_MODEL_ARRAY:
        put_ranges(&elements, &all, 1);
        break;
    case PEAL_MODEL_DICTIONARY:
        put_keys(&elements, NULL, 0); /* a wildcard */
        break;
    }
    specifier.selector = writer_view(&elements);
    put_specifier(&list, &specifier);
    fetch.specifiers = writer_view(&list);
    PEAL_ASSERT(!elements.overflow && !list.overflow);
    put_fetch_req(w, &fetch);
}

bool storage_fetched_value(const PealPeer *peer, const PealId *resource, const Inbound *answer)
{
    const StoreScope scope = {resource, &answer->signer, STORE_REPLICA};
    ReloadFetchAns fetched;
    ReloadKindData data;
    ReloadStored stored;

    if (answer->message.code != RELOAD_FETCH_ANS ||
        reload_fetch_ans_decode(answer->message.body, &fetched) != 0) {
        return false;
    }
    while (reload_kind_data_next(&fetched.kinds, &data)) {
        const PealKind *kind = storage_kind(peer->overlay, data.kind);

        if (kind == NULL || reload_stored_check(data.values, kind->model) != 0) {
            continue;
        }
        while (reload_stored_next(&data.values, kind->model, &stored)) {
            if (stored.exists && access_permits(peer, &scope, kind, &stored)) {
                return true;
            }
        }
    }
    return false;
}

static bool client_item_suits(const PealStoreItem *item, const PealKind *kind)
{
    if (kind == NULL || item->value.len > kind->size_max || item->key.len > UINT16_MAX ||
        (!item->exists && item->value.len > 0)) {
        return false;
    }
    return kind->model == PEAL_MODEL_DICTIONARY || item->key.len == 0;
}

int storage_put_store(PealPeer *peer, Writer *w, const PealStoreItem *item)
{
    const PealKind *kind = storage_kind(peer->overlay, item->kind);
    size_t room = item->key.len + item->value.len + CLIENT_FIELDS;
    uint8_t identity[SECURITY_IDENTITY_LEN];
    ReloadStored stored = {.lifetime_s = item->lifetime_s,
                           .index = item->index,
                           .key = item->key,
                           .exists = item->exists,
                           .value = item->value};
    ReloadKindData data = {.kind = item->kind, .generation = item->generation};
    ReloadStoreReq store = {.resource = {item->resource.bytes, PEAL_ID_LEN}};
    PealBuf *buf;
    Writer values;
    Writer kinds;

    if (!client_item_suits(item, kind)) {
        return -PEAL_E_ARG;
    }
    stored.storage_time_ms = storage_next_ms(peer);
    stored.signature = security_fill(peer->overlay->crypto, &peer->id, identity).signature;
    buf = peer->env->ops->buffer(peer->env, 2 * room);
    values = writer_make(buf->data, room);
    kinds = writer_make(buf->data + room, room);
    put_stored(&values, kind->model, &stored);
    data.values = writer_view(&values);
    put_kind_data(&kinds, &data);
    store.kinds = writer_view(&kinds);
    PEAL_ASSERT(!values.overflow && !kinds.overflow);
    put_store_req(w, &store);
    peer->env->ops->drop(peer->env, buf);
    return 0;
}

static void client_on_done(PealPeer *peer, uint64_t token, const RequestResult *result)
{
    PealOutcome outcome = {.status = result->status,
                           .error_code = result->error,
                           .transaction = result->transaction};

    if (result->answer != NULL) {
        outcome.responder = result->answer->signer;
        outcome.body = result->answer->message.body;
    }
    peer->env->ops->done(peer->env, token, &outcome);
}

int peal_peer_store(PealPeer *peer, const PealStoreItem *item, uint64_t token)
{
    RequestSpec spec = {.code = RELOAD_STORE_REQ,
                        .to = item->resource,
                        .to_resource = true,
                        .link = LINK_NONE,
                        .done = client_on_done,
                        .arg = token};
    size_t room = item->key.len + item->value.len + CLIENT_FIELDS;
    PealBuf *buf;
    Writer body;
    int error;

    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    if (room > peer->overlay->message_max + (size_t)CLIENT_FIELDS) {
        return -PEAL_E_ARG;
    }
    buf = peer->env->ops->buffer(peer->env, room);
    body = writer_make(buf->data, room);
    error = storage_put_store(peer, &body, item);
    if (error == 0) {
        spec.body = writer_view(&body);
        error = request_send(peer, &spec);
    }
    peer->env->ops->drop(peer->env, buf);
    return error == -PEAL_E_TOO_LARGE ? -PEAL_E_ARG : error;
}
