/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * transfer.h - carries one slot to one other peer, in as many Stores as it takes, and fetches what
 *              is newer there first when that peer says so.
 * Source: RFC 6940 s.7.4.1.1.
 * State:  a StorageTransfer in the StorageWork, from transfer_start until repair_on_transfer.
 * Time:   each Store and Fetch has its request's lifetime.
 */
#ifndef STORAGE_TRANSFER_H
#define STORAGE_TRANSFER_H

#include "storage/repair.h"

/*
 * transfer_start begins to carry a slot.
 * work   has a free transfer, or the result is -PEAL_E_FULL
 * what   resource, kind, to, generation, replica, owed and to_owner; the rest is set here
 * Returns 0, and repair_on_transfer hears of the end from a later dispatch; or what request_send
 * returns, or -PEAL_E_NOT_FOUND when there is nothing to send.
 */
int transfer_start(PealPeer *peer, StorageWork *work, const StorageTransfer *what) PEAL_MUST_USE;

/* transfer_last_words sends a slot without waiting for the outcome. */
void transfer_last_words(PealPeer *peer, const StorageTransfer *what);

/* repair_on_transfer: a transfer has ended; implemented in repair.c. */
void repair_on_transfer(PealPeer *peer, StorageTransfer *transfer, bool delivered);

/* repair_on_merged: newer values came into the slot from `from`; implemented in repair.c. */
void repair_on_merged(PealPeer *peer, StorageSlot *slot, const PealId *from);

#endif
