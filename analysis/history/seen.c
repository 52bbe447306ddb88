/* SPDX-License-Identifier: GPL-3.0-or-later */
/* seen.c - whether a message, or a request, was met a short while ago; see state.h. */
#include "history/state.h"

void history_hash(const History *history, TableHash *hash)
{
    table_hash_init(hash, &history->secret);
}

TableKey history_key(const History *history, const char *kind, PealStr text)
{
    TableHash hash;

    table_hash_init(&hash, &history->secret);
    table_hash_number(&hash, (uint8_t)kind[0]);
    table_hash_text(&hash, text);
    return table_hash_key(&hash);
}

void history_hash_addr(TableHash *hash, const PealAddr *addr)
{
    uint64_t word[2] = {0, 0};

    memcpy(word, addr->ip, addr->family == 4 ? 4 : sizeof(word));
    table_hash_number(hash, word[0]);
    if (addr->family != 4) {
        table_hash_number(hash, word[1]);
    }
    table_hash_number(hash, (uint64_t)addr->family << 16 | addr->port);
}

static void take_turns(Seen *seen, int64_t now_ns)
{
    Table kept = seen->now;

    seen->now = seen->before;
    table_clear(&seen->now);
    seen->before = kept;
    if (now_ns - seen->turn_ns >= 2 * TRANSACTION_NS) {
        table_clear(&seen->before);
    }
    seen->turn_ns = now_ns;
}

bool seen_again(Seen *seen, TableKey key, int64_t now_ns)
{
    bool again;

    if (!seen->begun) {
        seen->begun = true;
        seen->turn_ns = now_ns;
    }
    if (now_ns - seen->turn_ns >= TRANSACTION_NS || seen->now.len >= SEEN_MAX) {
        take_turns(seen, now_ns);
    }
    if (table_get(&seen->now, key) != TABLE_NONE) {
        return true;
    }
    again = table_get(&seen->before, key) != TABLE_NONE;
    table_put(&seen->now, key, 0);
    return again;
}

bool seen_has(const Seen *seen, TableKey key)
{
    return table_get(&seen->now, key) != TABLE_NONE || table_get(&seen->before, key) != TABLE_NONE;
}

void seen_fini(Seen *seen)
{
    table_fini(&seen->now);
    table_fini(&seen->before);
}
