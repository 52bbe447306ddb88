/* SPDX-License-Identifier: GPL-3.0-or-later */
/* repair.c - decides who is owed a copy of what, and walks the slots to send it. */
#include "storage/repair.h"

#include "peer.h"
#include "storage/transfer.h"

#define REPAIR_RETRY_FIRST peal_seconds(5)
#define REPAIR_RETRY_MAX peal_seconds(300)
enum { REPAIR_NOBODY = -1 };

/* The repair's own state. */

static size_t repair_size(const PealPeer *peer)
{
    return sizeof(StorageRepair) + peer->overlay->replicas * sizeof(PealId);
}

/* Makes the state when the first value comes; the replica set of that moment is the one served. */
static StorageRepair *repair_ensure(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;

    if (repair != NULL) {
        return repair;
    }
    repair = peer_alloc(peer, repair_size(peer));
    if (repair == NULL) {
        return NULL;
    }
    repair->replicate_at = PEAL_TIME_NEVER;
    repair->forget_at = PEAL_TIME_NEVER;
    repair->retry_at = PEAL_TIME_NEVER;
    repair->retry_after = REPAIR_RETRY_FIRST;
    repair->set_len =
        (uint32_t)peer->topology->replica_set(peer, repair->set, peer->overlay->replicas);
    peer->storage.repair = repair;
    return repair;
}

static StorageWork *repair_work(PealPeer *peer, StorageRepair *repair)
{
    if (repair->work == NULL) {
        repair->work = peer_alloc(peer, sizeof(StorageWork));
    }
    return repair->work;
}

/* Gives back what an idle peer does not need. */
static void repair_trim(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;

    if (repair == NULL) {
        return;
    }
    if (repair->work != NULL && repair->work->outstanding == 0 && !repair->work->walking) {
        peer_release(peer, repair->work, sizeof(StorageWork));
        repair->work = NULL;
    }
    if (repair->work == NULL && peer->storage.slots_len == 0) {
        peer_release(peer, repair, repair_size(peer));
        peer->storage.repair = NULL;
    }
}

void repair_fini(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;

    if (repair == NULL) {
        return;
    }
    if (repair->work != NULL) {
        peer_release(peer, repair->work, sizeof(StorageWork));
    }
    peer_release(peer, repair, repair_size(peer));
    peer->storage.repair = NULL;
}

static int repair_member(const StorageRepair *repair, const PealId *id)
{
    for (uint32_t i = 0; i < repair->set_len; i++) {
        if (peal_id_equal(&repair->set[i], id)) {
            return (int)i;
        }
    }
    return REPAIR_NOBODY;
}

static uint32_t repair_everybody(const StorageRepair *repair)
{
    return (uint32_t)((UINT64_C(1) << repair->set_len) - 1);
}

static void repair_failed(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;

    if (repair->retry_at.ns != PEAL_TIME_NEVER.ns) {
        return;
    }
    repair->retry_at = peal_time_add(peer_now(peer), repair->retry_after);
    repair->retry_after.ns *= 2;
    if (repair->retry_after.ns > REPAIR_RETRY_MAX.ns) {
        repair->retry_after = REPAIR_RETRY_MAX;
    }
}

/* Values that are not this peer's to hold go after a hold-down, not at once: neighbours that are
 * seen now may be gone in a moment. */
static void repair_forget_later(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;

    repair->forget_at =
        peal_time_min(repair->forget_at, peal_time_add(peer_now(peer), peer->overlay->hold_down));
}

/* The walk. */

static StorageJoiner *repair_joiner(StorageWork *work, const PealId *resource)
{
    for (size_t i = 1; i <= REPAIR_JOINERS_MAX; i++) { /* the latest first */
        StorageJoiner *joiner =
            &work->joiners[(work->next_joiner + REPAIR_JOINERS_MAX - i) % REPAIR_JOINERS_MAX];

        if (joiner->active && peal_id_in_open_closed(resource, &joiner->from, &joiner->upto)) {
            return joiner;
        }
    }
    return NULL;
}

/* Starts the copy that is owed: to the joiner while this peer still owns the slot, else to whoever
 * the overlay routes the Resource-ID to. */
static int repair_pay(PealPeer *peer, StorageWork *work, StorageSlot *slot)
{
    StorageTransfer what = {.resource = slot->resource,
                            .kind = slot->kind,
                            .replica = 1,
                            .owed = true};
    int error;

    if (slot->flags & SLOT_OWNED) {
        const StorageJoiner *joiner = repair_joiner(work, &slot->resource);

        if (joiner == NULL) {
            slot->flags &= (uint8_t)~SLOT_OWED; /* it never came; nothing has changed hands */
            return 0;
        }
        what.to = joiner->to;
    } else {
        what.to_owner = true;
    }
    error = transfer_start(peer, work, &what);
    if (error == 0) {
        slot->flags |= SLOT_SENDING;
    } else if (error == -PEAL_E_TOO_LARGE) {
        slot->flags &= (uint8_t)~SLOT_OWED; /* no message can carry it */
        error = 0;
    }
    return error;
}

static int repair_replicate_due(PealPeer *peer, StorageWork *work, StorageSlot *slot)
{
    StorageRepair *repair = peer->storage.repair;
    unsigned member = (unsigned)__builtin_ctz(slot->due);
    const StorageTransfer what = {.resource = slot->resource,
                                  .kind = slot->kind,
                                  .to = repair->set[member],
                                  .replica = (uint8_t)(member + 1)};
    int error = transfer_start(peer, work, &what);

    if (error == 0 || error == -PEAL_E_TOO_LARGE) { /* no message can carry it */
        slot->due &= ~(UINT32_C(1) << member);
        error = 0;
    }
    return error;
}

static void repair_walk_on(PealPeer *peer, StorageWork *work)
{
    Storage *storage = &peer->storage;
    uint32_t at = slot_at(storage, &work->cursor, work->cursor_kind);
    int error = 0;

    while (at < storage->slots_len && error == 0) {
        StorageSlot *slot = &storage->slots[at];

        if ((slot->flags & SLOT_OWED) && !(slot->flags & SLOT_SENDING)) {
            error = repair_pay(peer, work, slot);
        } else if (slot->due != 0) {
            error = repair_replicate_due(peer, work, slot);
        } else {
            at++;
        }
    }
    if (at < storage->slots_len && work->outstanding == REPAIR_TRANSFERS_MAX) {
        work->cursor = storage->slots[at].resource;
        work->cursor_kind = storage->slots[at].kind;
        return;
    }
    work->walking = false;
    if (error != 0) {
        repair_failed(peer); /* this peer has too many requests out, or no memory */
    }
}

/* Goes on with what is to be sent, as far as there is room. */
static void repair_pump(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;

    if (repair->work != NULL && repair->work->walking) {
        repair_walk_on(peer, repair->work);
    }
    repair_trim(peer);
}

/* Looks through all slots for what is to be sent. */
static void repair_walk(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;
    StorageWork *work = repair_work(peer, repair);

    if (work == NULL) {
        repair_failed(peer);
        return;
    }
    memset(&work->cursor, 0, sizeof(work->cursor));
    work->cursor_kind = 0;
    work->walking = true;
    repair_pump(peer);
}

/* A joiner that did not take its copy died or thinks otherwise: what the ring becomes decides. */
static void repair_unpaid(StorageSlot *slot, StorageJoiner *joiner)
{
    slot->flags &= (uint8_t) ~(SLOT_SENDING | SLOT_HANDED);
    if (!(slot->flags & SLOT_OWNED)) {
        slot->flags |= SLOT_OWED;
    } else if (joiner != NULL) {
        joiner->active = false;
    }
}

static void repair_paid(PealPeer *peer, StorageSlot *slot, bool to_joiner)
{
    if (!(slot->flags & SLOT_SENDING)) {
        return; /* stored to meanwhile: what was delivered is not all */
    }
    slot->flags &= (uint8_t) ~(SLOT_SENDING | SLOT_OWED);
    if (slot->flags & SLOT_OWNED) {
        slot->flags |= to_joiner ? SLOT_HANDED : 0;
    } else if (!peer->topology->holds(peer, &slot->resource)) {
        repair_forget_later(peer);
    }
}

/* The joiner that a transfer went to, if it is still the one that takes the slot over. */
static StorageJoiner *repair_joiner_of(StorageWork *work, const StorageTransfer *transfer)
{
    StorageJoiner *joiner = repair_joiner(work, &transfer->resource);

    if (joiner == NULL || transfer->to_owner || !peal_id_equal(&joiner->to, &transfer->to)) {
        return NULL;
    }
    return joiner;
}

void repair_on_transfer(PealPeer *peer, StorageTransfer *transfer, bool delivered)
{
    StorageRepair *repair = peer->storage.repair;
    StorageSlot *slot = slot_find(&peer->storage, &transfer->resource, transfer->kind);

    if (slot != NULL && transfer->owed) {
        StorageJoiner *joiner = repair_joiner_of(repair->work, transfer);

        if (delivered) {
            repair_paid(peer, slot, joiner != NULL);
        } else {
            repair_unpaid(slot, joiner);
        }
    } else if (slot != NULL && !delivered && (slot->flags & SLOT_OWNED)) {
        int member = repair_member(repair, &transfer->to);

        if (member != REPAIR_NOBODY) {
            slot->due |= UINT32_C(1) << member;
        }
    }
    if (delivered) {
        repair->retry_after = REPAIR_RETRY_FIRST;
    } else {
        repair_failed(peer);
    }
    transfer->state = TRANSFER_FREE;
    repair->work->outstanding--;
    repair_pump(peer);
}

/* What is owed. */

/* Sends what is new in a slot to everybody who should hold a replica now (s.10.4). A member of the
 * served set that cannot be reached for want of room gets all of it by the walk. */
static void repair_replicate(PealPeer *peer, StorageSlot *slot, uint64_t generation)
{
    StorageRepair *repair = peer->storage.repair;
    PealId ids[PEAL_NEIGHBOURS_MAX];
    size_t ids_len = peer->topology->replica_set(peer, ids, peer->overlay->replicas);
    StorageWork *work = ids_len > 0 ? repair_work(peer, repair) : NULL;
    uint32_t due = slot->due;

    for (size_t i = 0; i < ids_len; i++) {
        int member = repair_member(repair, &ids[i]);
        uint32_t bit = member != REPAIR_NOBODY ? UINT32_C(1) << member : 0;
        const StorageTransfer what = {.resource = slot->resource,
                                      .kind = slot->kind,
                                      .to = ids[i],
                                      .generation = generation,
                                      .replica = (uint8_t)(i + 1)};

        if (slot->due & bit) {
            continue; /* a later walk brings it everything */
        }
        if (work == NULL || transfer_start(peer, work, &what) != 0) {
            slot->due |= bit;
        }
    }
    if (slot->due != due || (slot->flags & SLOT_OWED)) {
        repair_walk(peer);
    }
    repair_trim(peer);
}

void repair_on_stored(PealPeer *peer, StorageSlot *slot, bool changed)
{
    bool fresh = !(slot->flags & SLOT_OWNED);

    if (!peer->topology->responsible(peer, &slot->resource) || repair_ensure(peer) == NULL) {
        /* A joiner is handed what it will own; should it not, because another joined in between,
         * then whoever does is owed a copy. */
        slot->flags |= peer->state == PEAL_PEER_JOINED ? 0 : SLOT_OWED;
        return;
    }
    slot->flags |= SLOT_OWNED;
    if (changed && (slot->flags & SLOT_HANDED)) {
        slot->flags = (uint8_t)((slot->flags & ~SLOT_HANDED) | SLOT_OWED);
    }
    if (changed) {
        slot->flags &= (uint8_t)~SLOT_SENDING;
    }
    if (changed || fresh) {
        repair_replicate(peer, slot, fresh ? 0 : slot->generation);
    }
}

void repair_on_merged(PealPeer *peer, StorageSlot *slot, const PealId *from)
{
    const StorageRepair *repair = peer->storage.repair;
    int member = repair_member(repair, from);

    if (slot->flags & SLOT_OWNED) {
        slot->due = repair_everybody(repair);
        if (member != REPAIR_NOBODY) {
            slot->due &= ~(UINT32_C(1) << member);
        }
        repair->work->walking = true;
        memset(&repair->work->cursor, 0, sizeof(repair->work->cursor));
        repair->work->cursor_kind = 0;
    }
}

void repair_on_swept(PealPeer *peer)
{
    StorageRepair *repair = peer->storage.repair;

    for (size_t i = 0; repair != NULL && repair->work != NULL && i < REPAIR_TRANSFERS_MAX; i++) {
        repair->work->transfers[i].next = 0;
    }
    repair_trim(peer);
}

/*
 * Takes the topology's replica set over. During a hold-down those who are new to it are left out
 * (s.10.7.1); afterwards they are due everything this peer answers for (s.10.7.3).
 */
static void repair_adopt(PealPeer *peer, bool admit_new)
{
    StorageRepair *repair = peer->storage.repair;
    PealId set[PEAL_NEIGHBOURS_MAX];
    int was[PEAL_NEIGHBOURS_MAX];
    size_t found = peer->topology->replica_set(peer, set, peer->overlay->replicas);
    uint32_t len = 0;

    for (size_t i = 0; i < found; i++) {
        was[len] = repair_member(repair, &set[i]);
        if (was[len] != REPAIR_NOBODY || admit_new) {
            set[len++] = set[i];
        }
    }
    for (uint32_t i = 0; i < peer->storage.slots_len; i++) {
        StorageSlot *slot = &peer->storage.slots[i];
        uint32_t due = 0;

        for (uint32_t member = 0; member < len && (slot->flags & SLOT_OWNED); member++) {
            bool owed = was[member] == REPAIR_NOBODY || (slot->due >> was[member] & 1);

            due |= (uint32_t)owed << member;
        }
        slot->due = due;
    }
    memcpy(repair->set, set, len * sizeof(set[0]));
    repair->set_len = len;
}

/* Compares what a slot is to this peer now with what it was. Returns whether it is to be kept. */
static bool repair_judge(PealPeer *peer, StorageSlot *slot)
{
    bool owned = peer->topology->responsible(peer, &slot->resource);

    if (owned) {
        if (!(slot->flags & SLOT_OWNED)) {
            slot->due = repair_everybody(peer->storage.repair);
            slot->flags &= (uint8_t)~SLOT_OWED;
        }
        slot->flags |= SLOT_OWNED;
        slot->flags &= (uint8_t) ~(SLOT_HANDED | SLOT_STRAY);
        return true;
    }
    slot->due = 0;
    if (slot->flags & SLOT_OWNED) {
        /* s.6.4.2.3: the new owner gets a copy, unless it is known to have one */
        if (!(slot->flags & SLOT_HANDED)) {
            slot->flags |= SLOT_OWED;
        }
        slot->flags &= (uint8_t) ~(SLOT_OWNED | SLOT_HANDED);
    }
    if (peer->topology->holds(peer, &slot->resource)) {
        slot->flags &= (uint8_t)~SLOT_STRAY;
        return true;
    }
    return false;
}

static void repair_judge_all(PealPeer *peer)
{
    bool keep = true;

    for (uint32_t i = 0; i < peer->storage.slots_len; i++) {
        keep &= repair_judge(peer, &peer->storage.slots[i]);
    }
    if (!keep) {
        repair_forget_later(peer);
    }
}

void repair_on_neighbours(PealPeer *peer, bool lost_neighbour)
{
    StorageRepair *repair = peer->storage.repair;

    if (repair == NULL && peer->storage.slots_len == 0) {
        return;
    }
    repair = repair_ensure(peer);
    if (repair == NULL) {
        return;
    }
    if (lost_neighbour && peer->overlay->hold_down.ns > 0) {
        repair->replicate_at =
            peal_time_min(repair->replicate_at,
                          peal_time_add(peer_now(peer), peer->overlay->hold_down));
    }
    repair_adopt(peer, repair->replicate_at.ns == PEAL_TIME_NEVER.ns);
    repair_judge_all(peer);
    repair_walk(peer);
}

void repair_hand_over(PealPeer *peer, const PealId *to, const PealId *from, const PealId *upto)
{
    StorageRepair *repair;
    StorageWork *work;

    if (peer->storage.slots_len == 0) {
        return;
    }
    repair = repair_ensure(peer);
    work = repair != NULL ? repair_work(peer, repair) : NULL;
    if (work == NULL) {
        return; /* once the joiner owns its range, what it lacks is owed to it */
    }
    work->joiners[work->next_joiner] = (StorageJoiner){*to, *from, *upto, true};
    work->next_joiner = (uint8_t)((work->next_joiner + 1) % REPAIR_JOINERS_MAX);
    for (uint32_t i = 0; i < peer->storage.slots_len; i++) {
        StorageSlot *slot = &peer->storage.slots[i];

        if (peal_id_in_open_closed(&slot->resource, from, upto) && repair_judge(peer, slot) &&
            (slot->flags & SLOT_OWNED)) {
            slot->flags &= (uint8_t) ~(SLOT_HANDED | SLOT_SENDING);
            slot->flags |= SLOT_OWED;
        }
    }
    repair_walk(peer);
}

void repair_leave(PealPeer *peer)
{
    const StorageRepair *repair = peer->storage.repair;
    StorageTransfer what = {.replica = 1};
    int member;

    if (repair == NULL || peal_peer_successors(peer, &what.to, 1) == 0) {
        return;
    }
    member = repair_member(repair, &what.to);
    for (uint32_t i = 0; i < peer->storage.slots_len; i++) {
        const StorageSlot *slot = &peer->storage.slots[i];

        if ((slot->flags & SLOT_OWNED) && (member == REPAIR_NOBODY || (slot->due >> member & 1))) {
            what.resource = slot->resource;
            what.kind = slot->kind;
            transfer_last_words(peer, &what);
        }
    }
}

/* Whether a slot has been out of this peer's range at two looks in a row, and nobody is owed it. */
static bool repair_is_over(PealPeer *peer, StorageSlot *slot, bool *again)
{
    if ((slot->flags & SLOT_OWNED) || peer->topology->holds(peer, &slot->resource)) {
        slot->flags &= (uint8_t)~SLOT_STRAY;
        return false;
    }
    if (slot->flags & SLOT_OWED) {
        return false; /* kept until its owner has it */
    }
    if (slot->flags & SLOT_STRAY) {
        return true;
    }
    slot->flags |= SLOT_STRAY;
    *again = true;
    return false;
}

static void repair_forget(PealPeer *peer)
{
    bool again = false;

    for (uint32_t i = 0; i < peer->storage.slots_len;) {
        StorageSlot *slot = &peer->storage.slots[i];

        if (repair_is_over(peer, slot, &again)) {
            peer_trace(peer, PEAL_TRACE_VALUE_REMOVED, 0, slot->kind, 0, &slot->resource);
            slot_remove(peer, i);
        } else {
            i++;
        }
    }
    if (again) {
        repair_forget_later(peer);
    }
    repair_trim(peer);
}

void repair_on_wake(PealPeer *peer, PealTime now)
{
    StorageRepair *repair = peer->storage.repair;
    bool replicate = peal_time_due(repair->replicate_at, now);
    bool walk = replicate || peal_time_due(repair->retry_at, now);

    if (replicate) {
        repair->replicate_at = PEAL_TIME_NEVER;
        repair_adopt(peer, true);
    }
    if (walk) {
        repair->retry_at = PEAL_TIME_NEVER;
        repair_walk(peer);
    }
    if (peer->storage.repair != NULL && peal_time_due(repair->forget_at, now)) {
        repair->forget_at = PEAL_TIME_NEVER;
        repair_forget(peer);
    }
}

PealTime repair_deadline(const PealPeer *peer)
{
    const StorageRepair *repair = peer->storage.repair;

    if (repair == NULL) {
        return PEAL_TIME_NEVER;
    }
    return peal_time_min(repair->replicate_at, peal_time_min(repair->forget_at, repair->retry_at));
}
