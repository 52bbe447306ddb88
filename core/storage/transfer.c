/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transfer.c - one slot to one peer: Store by Store, with a Fetch in between when it is behind. */
#include "storage/transfer.h"

#include "peer.h"
#include "security/security.h"
#include "storage/store.h"

enum {
    TRANSFER_BODY_MAX = 65536,
    TRANSFER_HEADER_ROOM = 512, /* forwarding header on a long way, contents, Store's own fields */
    TRANSFER_FIELDS = 64,       /* StoreReq and StoreKindData without their values */
    TRANSFER_FETCH_MAX = 64,    /* a FetchReq for all of one Kind */
    TRANSFER_MERGES_MAX = 2     /* then the two sides disagree for a reason that time may cure */
};

/* Bytes of values that one Store takes. */
static size_t transfer_room(const PealPeer *peer)
{
    size_t taken = TRANSFER_HEADER_ROOM + security_len(peer->overlay->crypto);
    size_t room = peer->overlay->message_max > taken ? peer->overlay->message_max - taken : 0;

    return room < TRANSFER_BODY_MAX ? room : TRANSFER_BODY_MAX;
}

/* A run of values of a slot that fit one Store: at least one, however long. */
typedef struct TransferRun {
    const StorageValue *first;
    uint32_t end; /* of the run, counted in the slot */
    size_t len;   /* bytes */
} TransferRun;

static TransferRun transfer_run(const StorageSlot *slot, const StorageTransfer *transfer,
                                size_t room)
{
    TransferRun run = {NULL, transfer->next, 0};
    uint32_t at = 0;

    for (const StorageValue *value = slot->values; value != NULL; value = value->next, at++) {
        if (at < transfer->next || value->generation < transfer->generation) {
            continue;
        }
        if (run.first == NULL) {
            run.first = value;
        } else if (run.len + value->len > room) {
            break;
        }
        run.len += value->len;
        run.end = at + 1;
    }
    return run;
}

/* Writes the StoreReq into the last third of `buf`; the first two hold the lists it nests. */
static PealBytes transfer_body(PealPeer *peer, const StorageSlot *slot,
                               const StorageTransfer *transfer, const TransferRun *run,
                               PealBuf *buf)
{
    PealModel model = storage_kind(peer->overlay, slot->kind)->model;
    size_t third = run->len + TRANSFER_FIELDS;
    Writer values = writer_make(buf->data, third);
    Writer kinds = writer_make(buf->data + third, third);
    Writer body = writer_make(buf->data + 2 * third, third);
    const StorageValue *value = run->first;
    ReloadKindData data = {.kind = slot->kind, .generation = slot->generation};
    ReloadStoreReq store = {.replica = transfer->replica};

    for (size_t len = run->len; len > 0; value = value->next) {
        ReloadStored stored;

        if (value->generation < transfer->generation) {
            continue;
        }
        value_read(value, model, peer_now(peer), &stored);
        put_stored(&values, model, &stored);
        len -= value->len;
    }
    data.values = writer_view(&values);
    put_kind_data(&kinds, &data);
    store.resource = (PealBytes){slot->resource.bytes, PEAL_ID_LEN};
    store.kinds = writer_view(&kinds);
    put_store_req(&body, &store);
    PEAL_ASSERT(!body.overflow);
    return writer_view(&body);
}

/* Sends the next run of values; -PEAL_E_NOT_FOUND when none is left. */
static int transfer_store(PealPeer *peer, StorageTransfer *transfer, RequestDone done, uint64_t arg)
{
    const StorageSlot *slot = slot_find(&peer->storage, &transfer->resource, transfer->kind);
    RequestSpec spec = {.code = RELOAD_STORE_REQ,
                        .to = transfer->to_owner ? transfer->resource : transfer->to,
                        .to_resource = transfer->to_owner,
                        .link = LINK_NONE,
                        .done = done,
                        .arg = arg};
    TransferRun run;
    PealBuf *buf;
    int error;

    if (slot == NULL) {
        return -PEAL_E_NOT_FOUND;
    }
    run = transfer_run(slot, transfer, transfer_room(peer));
    if (run.first == NULL) {
        return -PEAL_E_NOT_FOUND;
    }
    buf = peer->env->ops->buffer(peer->env, 3 * (run.len + TRANSFER_FIELDS));
    spec.body = transfer_body(peer, slot, transfer, &run, buf);
    error = request_send(peer, &spec);
    peer->env->ops->drop(peer->env, buf);
    if (error == 0) {
        transfer->next = run.end;
        transfer->state = TRANSFER_STORING;
        peer_trace(peer, PEAL_TRACE_REPLICA_SENT, transfer->replica, transfer->kind, 0,
                   &transfer->resource);
    }
    return error;
}

static void transfer_on_done(PealPeer *peer, uint64_t arg, const RequestResult *result);

/* s.7.4.1.1: fetch the newer data from the peer that says it has it. */
static int transfer_fetch(PealPeer *peer, StorageTransfer *transfer, const PealId *from,
                          uint64_t arg)
{
    uint8_t encoded[TRANSFER_FETCH_MAX];
    Writer w = writer_make(encoded, sizeof(encoded));
    RequestSpec spec = {.code = RELOAD_FETCH_REQ,
                        .to = *from,
                        .link = LINK_NONE,
                        .done = transfer_on_done,
                        .arg = arg};

    storage_put_fetch_all(&w, &transfer->resource, storage_kind(peer->overlay, transfer->kind));
    spec.body = writer_view(&w);
    transfer->state = TRANSFER_FETCHING;
    return request_send(peer, &spec);
}

/* Replaces what is older here by what the answer holds. */
static void transfer_merge(PealPeer *peer, const StorageTransfer *transfer, const Inbound *answer)
{
    const StoreScope scope = {&transfer->resource, &answer->signer, STORE_MERGE};
    ReloadFetchAns fetched;
    ReloadKindData data;

    if (reload_fetch_ans_decode(answer->message.body, &fetched) != 0) {
        return;
    }
    while (reload_kind_data_next(&fetched.kinds, &data)) {
        StoreStage stage;

        if (data.kind != transfer->kind ||
            store_stage(peer, &scope, &data, &stage) != RELOAD_ERROR_NONE) {
            continue;
        }
        if (stage.values == NULL || slot_reserve(peer, 1) != 0) {
            store_unstage(peer, &stage);
            continue;
        }
        repair_on_merged(peer, store_apply(peer, &scope, &stage), &answer->signer);
        peer_trace(peer, PEAL_TRACE_VALUE_STORED, transfer->replica, transfer->kind,
                   answer->message.header.transaction, &transfer->resource);
    }
}

static bool transfer_is_behind(const StorageTransfer *transfer, const RequestResult *result)
{
    return result->status == -PEAL_E_REFUSED && result->answer != NULL &&
           transfer->merges < TRANSFER_MERGES_MAX &&
           (result->error == RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW ||
            result->error == RELOAD_ERROR_DATA_TOO_OLD);
}

/* What to do next about a transfer whose request has ended: 0 and it goes on, -PEAL_E_NOT_FOUND and
 * it is complete, or the error that ends it. */
static int transfer_go_on(PealPeer *peer, StorageTransfer *transfer, uint64_t arg,
                          const RequestResult *result)
{
    if (transfer->state == TRANSFER_STORING && transfer_is_behind(transfer, result)) {
        return transfer_fetch(peer, transfer, &result->answer->signer, arg);
    }
    if (result->status != 0) {
        return result->status;
    }
    if (transfer->state == TRANSFER_FETCHING) {
        transfer_merge(peer, transfer, result->answer);
        transfer->merges++;
        transfer->next = 0; /* what that peer lacks is sent with everything else */
        transfer->generation = 0;
    }
    return transfer_store(peer, transfer, transfer_on_done, arg);
}

static void transfer_on_done(PealPeer *peer, uint64_t arg, const RequestResult *result)
{
    StorageTransfer *transfer = &peer->storage.repair->work->transfers[arg];
    int error = transfer_go_on(peer, transfer, arg, result);

    if (error != 0) {
        repair_on_transfer(peer, transfer, error == -PEAL_E_NOT_FOUND);
    }
    storage_set_deadline(peer);
}

int transfer_start(PealPeer *peer, StorageWork *work, const StorageTransfer *what)
{
    uint64_t i = 0;
    StorageTransfer *transfer;
    int error;

    while (i < REPAIR_TRANSFERS_MAX && work->transfers[i].state != TRANSFER_FREE) {
        i++;
    }
    if (i == REPAIR_TRANSFERS_MAX) {
        return -PEAL_E_FULL;
    }
    transfer = &work->transfers[i];
    *transfer = *what;
    transfer->next = 0;
    transfer->merges = 0;
    error = transfer_store(peer, transfer, transfer_on_done, i);
    if (error != 0) {
        transfer->state = TRANSFER_FREE;
        return error;
    }
    work->outstanding++;
    return 0;
}

void transfer_last_words(PealPeer *peer, const StorageTransfer *what)
{
    StorageTransfer transfer = *what;

    transfer.next = 0;
    while (transfer_store(peer, &transfer, NULL, 0) == 0) {
    }
}
