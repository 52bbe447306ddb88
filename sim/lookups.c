/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lookups.c - records in an array with a free list; a table with linear probing over their
 *             transactions.
 */
#include "lookups.h"

#include <glib.h>

enum { TABLE_SHIFT_START = 8 };

void lookups_init(Lookups *lookups)
{
    *lookups = (Lookups){.table_shift = TABLE_SHIFT_START, .len = 1};
    lookups->table = g_new0(uint32_t, 1U << TABLE_SHIFT_START);
}

void lookups_fini(Lookups *lookups)
{
    g_free(lookups->all);
    g_free(lookups->table);
    *lookups = (Lookups){0};
}

uint32_t lookups_add(Lookups *lookups, uint32_t asker, uint32_t *asker_list)
{
    uint32_t number = lookups->free;

    if (number != LOOKUP_NONE) {
        lookups->free = lookups->all[number].next;
    } else {
        number = lookups->len++;
        if (number >= lookups->cap) {
            lookups->cap = MAX(64, 2 * lookups->cap);
            lookups->all = g_renew(Lookup, lookups->all, lookups->cap);
        }
    }
    lookups->all[number] = (Lookup){.asker = asker, .next = *asker_list, .server = UINT32_MAX};
    *asker_list = number;
    lookups->active++;
    return number;
}

/* Transactions are drawn at random, but the multiplication costs nothing beside the cache miss. */
static uint32_t home_of(const Lookups *lookups, uint64_t transaction)
{
    return (uint32_t)((transaction * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - lookups->table_shift));
}

static void table_put(Lookups *lookups, uint32_t number)
{
    uint32_t mask = (1U << lookups->table_shift) - 1;
    uint32_t i = home_of(lookups, lookups->all[number].transaction);

    while (lookups->table[i] != LOOKUP_NONE) {
        i = (i + 1) & mask;
    }
    lookups->table[i] = number;
}

static void table_grow(Lookups *lookups)
{
    uint32_t *old = lookups->table;
    uint32_t old_len = 1U << lookups->table_shift;

    lookups->table_shift++;
    lookups->table = g_new0(uint32_t, 1U << lookups->table_shift);
    for (uint32_t i = 0; i < old_len; i++) {
        if (old[i] != LOOKUP_NONE) {
            table_put(lookups, old[i]);
        }
    }
    g_free(old);
}

void lookups_bind(Lookups *lookups, uint32_t number, uint64_t transaction)
{
    if (lookups->all[number].transaction != 0 || transaction == 0) {
        return;
    }
    if (lookups->bound >= 1U << (lookups->table_shift - 1)) {
        table_grow(lookups);
    }
    lookups->all[number].transaction = transaction;
    table_put(lookups, number);
    lookups->bound++;
}

static uint32_t table_find(const Lookups *lookups, uint64_t transaction)
{
    uint32_t mask = (1U << lookups->table_shift) - 1;
    uint32_t i = home_of(lookups, transaction);

    while (lookups->table[i] != LOOKUP_NONE &&
           lookups->all[lookups->table[i]].transaction != transaction) {
        i = (i + 1) & mask;
    }
    return i;
}

Lookup *lookups_find(const Lookups *lookups, uint64_t transaction)
{
    uint32_t number = lookups->table[table_find(lookups, transaction)];

    return number == LOOKUP_NONE ? NULL : &lookups->all[number];
}

/* Closes the gap by moving back what probing had pushed past it (Knuth, TAOCP 3, 6.4 R). */
static void table_remove(Lookups *lookups, uint64_t transaction)
{
    uint32_t mask = (1U << lookups->table_shift) - 1;
    uint32_t gap = table_find(lookups, transaction);
    uint32_t i = gap;

    if (lookups->table[gap] == LOOKUP_NONE) {
        return;
    }
    for (;;) {
        uint32_t home;

        i = (i + 1) & mask;
        if (lookups->table[i] == LOOKUP_NONE) {
            break;
        }
        home = home_of(lookups, lookups->all[lookups->table[i]].transaction);
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            lookups->table[gap] = lookups->table[i];
            gap = i;
        }
    }
    lookups->table[gap] = LOOKUP_NONE;
    lookups->bound--;
}

void lookups_remove(Lookups *lookups, uint32_t number, uint32_t *asker_list)
{
    Lookup *lookup = &lookups->all[number];

    while (*asker_list != number) {
        PEAL_ASSERT(*asker_list != LOOKUP_NONE);
        asker_list = &lookups->all[*asker_list].next;
    }
    *asker_list = lookup->next;
    if (lookup->transaction != 0) {
        table_remove(lookups, lookup->transaction);
    }
    lookup->next = lookups->free;
    lookup->transaction = 0;
    lookups->free = number;
    lookups->active--;
}
