/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * store.h - takes values in: checks a Store as a whole, then applies it as a whole.
 * Source: RFC 6940 s.7.3, s.7.4.1.
 * State:  none of its own; a checked Kind waits in a StoreStage during the call.
 * Time:   a value's lifetime runs from the call.
 */
#ifndef STORAGE_STORE_H
#define STORAGE_STORE_H

#include "storage/slot.h"

typedef enum StoreOrigin {
    STORE_ORIGINAL, /* replica number 0: by the value's own signer */
    STORE_REPLICA,  /* by a peer that stored it before */
    STORE_MERGE     /* newer data that this peer fetched: older values in it are passed over */
} StoreOrigin;

/* Where, by whom and how a Store happens; the same for all its Kinds. */
typedef struct StoreScope {
    const PealId *resource;
    const PealId *requester; /* Node-ID that signed the request */
    StoreOrigin origin;
} StoreScope;

/* One Kind of a Store, checked. */
typedef struct StoreStage {
    const PealKind *kind;
    uint64_t generation;  /* counter once it is applied */
    StorageValue *values; /* new, ascending; NULL when nothing changes */
} StoreStage;

/* store_stage checks the values of one Kind and copies the new ones. Returns RELOAD_ERROR_NONE, or
 * the error that refuses the Store, with nothing left behind. */
ReloadErrorCode store_stage(PealPeer *peer, const StoreScope *scope, const ReloadKindData *data,
                            StoreStage *ret_stage);
void store_unstage(PealPeer *peer, StoreStage *stage);

/* store_apply moves the staged values into their slot; room must have been reserved. Returns the
 * slot, NULL when nothing is stored there. */
StorageSlot *store_apply(PealPeer *peer, const StoreScope *scope, StoreStage *stage);

/* store_on_request serves a StoreReq. */
void store_on_request(PealPeer *peer, const Inbound *request);

#endif
