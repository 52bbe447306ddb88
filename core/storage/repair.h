/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * repair.h - keeps copies where they belong: replicas of what this peer answers for, and values
 *            that others have come to answer for.
 * Source: RFC 6940 s.6.4.2.3, s.7.4.1.1 (resynchronisation), s.10.4, s.10.5 step 6, s.10.7.1,
 *         s.10.7.3.
 * State:  one StorageRepair per peer that has stored anything: the replica set as last served.
 *         What is still owed stands in the slots; a StorageWork of about 1 KiB exists while Stores
 *         are out.
 * Time:   at most REPAIR_TRANSFERS_MAX Stores are out at once; what failed is tried again after 5
 *         s, then twice as long each time, up to 5 min.
 */
#ifndef STORAGE_REPAIR_H
#define STORAGE_REPAIR_H

#include "storage/slot.h"

enum { REPAIR_TRANSFERS_MAX = 16, REPAIR_JOINERS_MAX = 2 };

typedef enum TransferState { TRANSFER_FREE, TRANSFER_STORING, TRANSFER_FETCHING } TransferState;

/* A slot on its way to one other peer. */
typedef struct StorageTransfer {
    PealId resource;
    PealId to;           /* a Node-ID; unset while to_owner */
    uint64_t generation; /* send values of this generation or later; 0 for all */
    uint32_t kind;
    uint32_t next;   /* first value that was not sent yet, counted in the slot */
    uint8_t replica; /* number */
    uint8_t state;   /* TransferState */
    uint8_t merges;  /* how often newer data had to be fetched */
    bool owed;       /* pays what SLOT_OWED stands for, else a replica */
    bool to_owner;   /* routed by Resource-ID */
} StorageTransfer;

/* A node that is about to take (from, upto] over. */
typedef struct StorageJoiner {
    PealId to;
    PealId from;
    PealId upto;
    bool active;
} StorageJoiner;

typedef struct StorageWork {
    StorageTransfer transfers[REPAIR_TRANSFERS_MAX];
    StorageJoiner joiners[REPAIR_JOINERS_MAX];
    PealId cursor; /* the walk over the slots goes on here */
    uint32_t cursor_kind;
    uint16_t outstanding;
    uint8_t next_joiner;
    bool walking;
} StorageWork;

struct StorageRepair {
    PealTime replicate_at; /* hold-down over; PEAL_TIME_NEVER when there is none */
    PealTime forget_at;
    PealTime retry_at;
    PealSpan retry_after; /* of the next failure */
    StorageWork *work;    /* NULL while nothing is to be sent */
    uint32_t set_len;
    PealId set[]; /* overlay->replicas: members that the slots' `due` bits speak of */
};

/* repair_on_stored: a slot was just stored to, `changed` says whether that changed anything. Sends
 * replicas when this peer answers for it. */
void repair_on_stored(PealPeer *peer, StorageSlot *slot, bool changed);

/* repair_on_swept: values have ended, so that counts into slots no longer hold. */
void repair_on_swept(PealPeer *peer);

/* As storage_on_neighbours, storage_hand_over and storage_leave (storage.h). */
void repair_on_neighbours(PealPeer *peer, bool lost_neighbour);
void repair_hand_over(PealPeer *peer, const PealId *to, const PealId *from, const PealId *upto);
void repair_leave(PealPeer *peer);

/* storage_set_deadline follows what the repair waits for; in storage.c. */
void storage_set_deadline(PealPeer *peer);

/* repair_on_wake needs a StorageRepair. */
void repair_on_wake(PealPeer *peer, PealTime now);
PealTime repair_deadline(const PealPeer *peer);
void repair_fini(PealPeer *peer);

#endif
