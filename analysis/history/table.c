/* SPDX-License-Identifier: GPL-3.0-or-later */
/* table.c - see table.h. */
#include "history/table.h"

#include <glib.h>

enum { ROOM_FIRST = 64 };

static inline uint64_t rotate(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

void table_hash_init(TableHash *hash, const TableKey *secret)
{
    uint64_t k0 = secret->word[0], k1 = secret->word[1];

    hash->v[0] = k0 ^ UINT64_C(0x736f6d6570736575);
    hash->v[1] = k1 ^ UINT64_C(0x646f72616e646f6d) ^ 0xee;
    hash->v[2] = k0 ^ UINT64_C(0x6c7967656e657261);
    hash->v[3] = k1 ^ UINT64_C(0x7465646279746573);
}

void table_hash_number(TableHash *hash, uint64_t number)
{
    hash->v[3] ^= number;
    sip_round(hash->v);
    hash->v[0] ^= number;
}

void table_hash_text(TableHash *hash, PealStr text)
{
    uint64_t word;
    size_t at = 0;

    for (; at + sizeof(word) <= text.len; at += sizeof(word)) {
        memcpy(&word, text.ptr + at, sizeof(word));
        table_hash_number(hash, word);
    }
    word = 0;
    if (at < text.len) {
        memcpy(&word, text.ptr + at, text.len - at);
        table_hash_number(hash, word);
    }
    table_hash_number(hash, text.len);
}

TableKey table_hash_key(TableHash *hash)
{
    TableKey key;

    hash->v[2] ^= 0xee;
    for (unsigned i = 0; i < 3; i++) {
        sip_round(hash->v);
    }
    key.word[0] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
    hash->v[1] ^= 0xdd;
    for (unsigned i = 0; i < 3; i++) {
        sip_round(hash->v);
    }
    key.word[1] = hash->v[0] ^ hash->v[1] ^ hash->v[2] ^ hash->v[3];
    return key;
}

void table_fini(Table *table)
{
    g_free(table->slots);
    *table = (Table){0};
}

void table_clear(Table *table)
{
    for (size_t i = 0; i < table->room; i++) {
        table->slots[i].value = TABLE_NONE;
    }
    table->len = 0;
}

/* The slot that holds the key, or the free one where it would be. */
static size_t slot_of(const Table *table, TableKey key)
{
    size_t at = key.word[0] & (table->room - 1);

    while (table->slots[at].value != TABLE_NONE && !table_key_equal(table->slots[at].key, key)) {
        at = (at + 1) & (table->room - 1);
    }
    return at;
}

uint32_t table_get(const Table *table, TableKey key)
{
    return table->room == 0 ? TABLE_NONE : table->slots[slot_of(table, key)].value;
}

static void grow(Table *table)
{
    Table larger = {.room = table->room == 0 ? ROOM_FIRST : table->room * 2, .len = table->len};

    larger.slots = g_new(TableSlot, larger.room);
    for (size_t i = 0; i < larger.room; i++) {
        larger.slots[i].value = TABLE_NONE;
    }
    for (size_t i = 0; i < table->room; i++) {
        if (table->slots[i].value != TABLE_NONE) {
            larger.slots[slot_of(&larger, table->slots[i].key)] = table->slots[i];
        }
    }
    g_free(table->slots);
    *table = larger;
}

void table_put(Table *table, TableKey key, uint32_t value)
{
    size_t at;

    PEAL_ASSERT(value != TABLE_NONE);
    if ((table->len + 1) * 4 > table->room * 3) {
        grow(table);
    }
    at = slot_of(table, key);
    if (table->slots[at].value == TABLE_NONE) {
        table->slots[at].key = key;
        table->len++;
    }
    table->slots[at].value = value;
}

void table_remove(Table *table, TableKey key)
{
    size_t mask = table->room - 1, hole, at;

    if (table_get(table, key) == TABLE_NONE) {
        return;
    }
    hole = slot_of(table, key);
    table->slots[hole].value = TABLE_NONE;
    table->len--;
    /* Knuth, algorithm R: what stood further on because of it moves up. */
    for (at = (hole + 1) & mask; table->slots[at].value != TABLE_NONE; at = (at + 1) & mask) {
        size_t home = table->slots[at].key.word[0] & mask;

        if (((at - home) & mask) >= ((at - hole) & mask)) {
            table->slots[hole] = table->slots[at];
            table->slots[at].value = TABLE_NONE;
            hole = at;
        }
    }
}
