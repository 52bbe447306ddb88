/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * table.h - finds small numbers by texts that are long and come from strangers.
 * Source: SipHash (Aumasson, Bernstein, SipHash: a fast short-input PRF, 2012), 1-3 rounds with 128
 *         bits; open addressing with linear probing
 *         (Knuth, The Art of Computer Programming 3, 6.4).
 * State:  24 bytes a slot, at most three quarters of the slots used; texts are not kept.
 * Time:   none.
 *
 * Texts are told apart by 128 bits under a key drawn anew in each process: two that share them are
 * taken for one, which nobody can bring about. No result depends on the key otherwise.
 */
#ifndef ANALYSIS_HISTORY_TABLE_H
#define ANALYSIS_HISTORY_TABLE_H

#include <peal/base.h>

typedef struct TableKey {
    uint64_t word[2];
} TableKey;

/* A key is made of any number of texts and numbers; where one ends is part of it. */
typedef struct TableHash {
    uint64_t v[4];
} TableHash;

void table_hash_init(TableHash *hash, const TableKey *secret);
void table_hash_text(TableHash *hash, PealStr text);
void table_hash_number(TableHash *hash, uint64_t number);
TableKey table_hash_key(TableHash *hash);

static inline bool table_key_equal(TableKey a, TableKey b)
{
    return a.word[0] == b.word[0] && a.word[1] == b.word[1];
}

#define TABLE_NONE UINT32_MAX

typedef struct TableSlot {
    TableKey key;
    uint32_t value; /* TABLE_NONE: free */
} TableSlot;

/* Zeroed, it is empty. */
typedef struct Table {
    TableSlot *slots;
    size_t room; /* a power of two, or 0 */
    size_t len;
} Table;

void table_fini(Table *table);
void table_clear(Table *table); /* keeps the room */
/* table_get returns TABLE_NONE when there is no such key. */
uint32_t table_get(const Table *table, TableKey key);
/* table_put adds a key or gives it another value (not TABLE_NONE). */
void table_put(Table *table, TableKey key, uint32_t value);
void table_remove(Table *table, TableKey key);

#endif
