/* SPDX-License-Identifier: GPL-3.0-or-later */
/* transaction_table.c - where transactions are found: by match and name, by hop, by deadline. One
 * block holds both tables and the heap, and goes with the last transaction. The heap has those that
 * something may yet happen to; the queues have those, thousands of times as many under load, that
 * only wait for their end. */
#include "sip/transaction_state.h"

enum { TABLE_CAP_MIN = 8 };

static SipTransaction **table_chain(const SipTransactions *all, uint64_t match)
{
    return &all->slots[match & (all->cap - 1)];
}

static SipTransaction **table_hop(const SipTransactions *all, const PealHop *hop)
{
    return &all->slots[all->cap + (transaction_hop_hash(all, hop) & (all->cap - 1))];
}

static SipTransaction **table_heap(const SipTransactions *all)
{
    return &all->slots[2 * (size_t)all->cap];
}

static void table_link(SipTransactions *all, SipTransaction *tx)
{
    SipTransaction **chain = table_chain(all, tx->match[0]);

    tx->chain = *chain;
    *chain = tx;
}

static void table_link_hop(SipTransactions *all, SipTransaction *tx)
{
    SipTransaction **first = table_hop(all, &tx->hop);

    tx->hop_next = *first;
    tx->hop_link = first;
    if (*first != NULL) {
        (*first)->hop_link = &tx->hop_next;
    }
    *first = tx;
}

static void table_unlink_hop(SipTransaction *tx)
{
    *tx->hop_link = tx->hop_next;
    if (tx->hop_next != NULL) {
        tx->hop_next->hop_link = tx->hop_link;
    }
}

static size_t table_bytes(uint32_t cap)
{
    return 3 * (size_t)cap * sizeof(SipTransaction *);
}

static void table_drop_empty(SipTransactions *all)
{
    if (all->len == 0 && all->slots != NULL) {
        all->env->ops->release(all->env, all->slots, table_bytes(all->cap));
        all->slots = NULL;
        all->cap = 0;
        all->deadline = PEAL_TIME_NEVER;
    }
}

static int table_grow(SipTransactions *all)
{
    uint32_t cap = all->cap != 0 ? 2 * all->cap : TABLE_CAP_MIN;
    SipTransaction **slots = all->env->ops->alloc(all->env, table_bytes(cap));
    SipTransaction **old = all->slots;
    uint32_t old_cap = all->cap;

    if (slots == NULL) {
        return -PEAL_E_MEMORY;
    }
    all->slots = slots;
    all->cap = cap;
    for (uint32_t i = 0; i < all->heap_len; i++) {
        SipTransaction *tx = old[2 * (size_t)old_cap + i];

        slots[2 * (size_t)cap + i] = tx;
        table_link(all, tx);
        table_link_hop(all, tx);
    }
    for (int i = 0; i < SIP_ABSORBING_COUNT; i++) {
        for (SipTransaction *tx = all->absorbers[i].first; tx != NULL; tx = tx->absorber_next) {
            table_link(all, tx);
            table_link_hop(all, tx);
        }
    }
    if (old != NULL) {
        all->env->ops->release(all->env, old, table_bytes(old_cap));
    }
    return 0;
}

/* Names break ties, so that what is due at one instant happens in the order it was begun. */
static bool heap_before(const SipTransaction *a, const SipTransaction *b)
{
    return a->due.ns != b->due.ns ? a->due.ns < b->due.ns : a->name < b->name;
}

static void heap_put(SipTransactions *all, uint32_t at, SipTransaction *tx)
{
    table_heap(all)[at] = tx;
    tx->heap_at = at;
}

static void heap_settle(SipTransactions *all, SipTransaction *tx)
{
    SipTransaction **heap = table_heap(all);
    uint32_t at = tx->heap_at;

    while (at > 0 && heap_before(tx, heap[(at - 1) / 2])) {
        heap_put(all, at, heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (uint32_t child = 2 * at + 1; child < all->heap_len; child = 2 * at + 1) {
        if (child + 1 < all->heap_len && heap_before(heap[child + 1], heap[child])) {
            child++;
        }
        if (!heap_before(heap[child], tx)) {
            break;
        }
        heap_put(all, at, heap[child]);
        at = child;
    }
    heap_put(all, at, tx);
}

static void heap_remove(SipTransactions *all, const SipTransaction *tx)
{
    SipTransaction *last = table_heap(all)[--all->heap_len];

    if (last != tx) {
        last->heap_at = tx->heap_at;
        heap_settle(all, last);
    }
}

SipTransaction *transaction_first(const SipTransactions *all)
{
    SipTransaction *first = all->heap_len > 0 ? table_heap(all)[0] : NULL;

    for (int i = 0; i < SIP_ABSORBING_COUNT; i++) {
        SipTransaction *tx = all->absorbers[i].first;

        if (tx != NULL && (first == NULL || heap_before(tx, first))) {
            first = tx;
        }
    }
    return first;
}

static void table_schedule(SipTransactions *all)
{
    const SipTransaction *first = transaction_first(all);

    all->deadline = first != NULL ? first->due : PEAL_TIME_NEVER;
}

SipTransaction *transaction_new(SipTransactions *all, TransactionKind kind,
                                const TransactionKey *key, const PealHop *hop)
{
    SipTransaction *tx;

    if (all->len == all->cap && table_grow(all) != 0) {
        return NULL;
    }
    tx = all->env->ops->alloc(all->env, sizeof(*tx));
    if (tx == NULL) {
        table_drop_empty(all);
        return NULL;
    }
    if (++all->next_name == 0) {
        all->next_name = 1; /* 0 names none */
    }
    *tx = (SipTransaction){.match = {key->match[0], key->match[1]},
                           .old_tag = key->old_tag,
                           .old = key->old,
                           .name = (SipTx)all->next_name << 32 | (uint32_t)key->match[0],
                           .kind = (uint8_t)kind,
                           .hop = *hop,
                           .via_port = key->via_port,
                           .retry_at = PEAL_TIME_NEVER,
                           .end_at = PEAL_TIME_NEVER,
                           .due = PEAL_TIME_NEVER,
                           .heap_at = all->heap_len++};
    table_link(all, tx);
    table_link_hop(all, tx);
    all->len++;
    heap_settle(all, tx);
    table_schedule(all);
    return tx;
}

static void absorber_unlink(SipTransactions *all, SipTransaction *tx)
{
    SipAbsorbers *absorbers = &all->absorbers[tx->absorbs - 1];

    if (tx->absorber_before != NULL) {
        tx->absorber_before->absorber_next = tx->absorber_next;
    } else {
        absorbers->first = tx->absorber_next;
    }
    if (tx->absorber_next != NULL) {
        tx->absorber_next->absorber_before = tx->absorber_before;
    } else {
        absorbers->last = tx->absorber_before;
    }
    tx->absorbs = 0;
}

void transaction_timers(SipTransactions *all, SipTransaction *tx, PealTime retry_at,
                        PealTime end_at)
{
    if (tx->absorbs != 0) {
        absorber_unlink(all, tx);
        tx->heap_at = all->heap_len++;
    }
    tx->retry_at = retry_at;
    tx->end_at = end_at;
    tx->due = peal_time_min(retry_at, end_at);
    heap_settle(all, tx);
    table_schedule(all);
}

void transaction_absorb(SipTransactions *all, SipTransaction *tx, SipAbsorbing kind,
                        PealTime end_at)
{
    SipAbsorbers *absorbers = &all->absorbers[kind];

    if (peal_time_due(end_at, transaction_now(all))) {
        transaction_timers(all, tx, PEAL_TIME_NEVER, end_at);
        return;
    }
    heap_remove(all, tx);
    tx->retry_at = PEAL_TIME_NEVER;
    tx->end_at = end_at;
    tx->due = end_at;
    tx->absorbs = (uint8_t)(kind + 1);
    tx->absorber_before = absorbers->last;
    tx->absorber_next = NULL;
    if (absorbers->last != NULL) {
        absorbers->last->absorber_next = tx;
    } else {
        absorbers->first = tx;
    }
    absorbers->last = tx;
    table_schedule(all);
}

bool transaction_make_room(SipTransactions *all)
{
    if (all->len - all->leaving < all->config->transactions_max) {
        return true;
    }
    for (int i = 0; i < SIP_ABSORBING_COUNT; i++) {
        SipTransaction *tx = all->absorbers[i].first;

        if (tx != NULL) {
            /* Its user hears of its end from the wake, as of any other's. */
            tx->leaving = true;
            all->leaving++;
            transaction_timers(all, tx, PEAL_TIME_NEVER, transaction_now(all));
            return true;
        }
    }
    return false;
}

void transaction_free(SipTransactions *all, SipTransaction *tx)
{
    SipTransaction **link = table_chain(all, tx->match[0]);

    while (*link != tx) {
        link = &(*link)->chain;
    }
    *link = tx->chain;
    table_unlink_hop(tx);
    if (tx->absorbs != 0) {
        absorber_unlink(all, tx);
    } else {
        heap_remove(all, tx);
    }
    all->leaving -= tx->leaving;
    all->len--;
    if (tx->kept != NULL) {
        all->env->ops->release(all->env, tx->kept, tx->kept_len);
    }
    all->env->ops->release(all->env, tx, sizeof(*tx));
    table_schedule(all);
    table_drop_empty(all);
}

SipTransaction *transaction_find(const SipTransactions *all, const uint64_t match[2])
{
    SipTransaction *tx = all->cap != 0 ? *table_chain(all, match[0]) : NULL;

    while (tx != NULL && (tx->match[0] != match[0] || tx->match[1] != match[1])) {
        tx = tx->chain;
    }
    return tx;
}

SipTransaction *transaction_named(const SipTransactions *all, SipTx name)
{
    SipTransaction *tx = all->cap != 0 ? *table_chain(all, (uint32_t)name) : NULL;

    while (tx != NULL && tx->name != name) {
        tx = tx->chain;
    }
    return tx;
}

SipTransaction *transaction_hops(const SipTransactions *all, const PealHop *hop)
{
    return all->cap != 0 ? *table_hop(all, hop) : NULL;
}

void transaction_set_hop(SipTransactions *all, SipTransaction *tx, const PealHop *hop)
{
    table_unlink_hop(tx);
    tx->hop = *hop;
    table_link_hop(all, tx);
}
