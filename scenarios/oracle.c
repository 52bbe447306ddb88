/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * oracle.c - a sorted array, searched by guessing where a uniform id lies.
 */
#include <scenarios/oracle.h>

#include <glib.h>

void oracle_init(Oracle *oracle)
{
    *oracle = (Oracle){0};
}

void oracle_fini(Oracle *oracle)
{
    g_free(oracle->ids);
    g_free(oracle->peers);
    oracle_init(oracle);
}

void oracle_centre(Oracle *oracle)
{
    oracle->central = true;
}

static void reserve(Oracle *oracle, uint32_t cap)
{
    if (cap > oracle->cap) {
        oracle->cap = MAX(cap, 2 * oracle->cap);
        oracle->ids = g_renew(PealIdHalves, oracle->ids, oracle->cap);
        oracle->peers = g_renew(uint32_t, oracle->peers, oracle->cap);
    }
}

static int compare_ids(const void *a, const void *b, void *ids)
{
    const PealId *all = ids;

    return peal_id_compare(&all[*(const uint32_t *)a], &all[*(const uint32_t *)b]);
}

void oracle_fill(Oracle *oracle, const uint32_t *peers, const PealId *ids, uint32_t len)
{
    PEAL_ASSERT(oracle->len == 0);
    reserve(oracle, len);
    for (uint32_t i = 0; i < len; i++) {
        oracle->peers[i] = i;
    }
    g_qsort_with_data(oracle->peers, (int)len, sizeof(uint32_t), compare_ids, (void *)ids);
    for (uint32_t rank = 0; rank < len; rank++) {
        uint32_t place = oracle->peers[rank];

        oracle->ids[rank] = peal_id_halves(&ids[place]);
        oracle->peers[rank] = peers != NULL ? peers[place] : place;
    }
    oracle->len = len;
    oracle->has_first = len > 0 && (peers == NULL || peers[0] == 0);
}

/* How many members lie before the id. Steps away from the guess double, then halve. */
static uint32_t count_before(const Oracle *oracle, PealIdHalves id)
{
    uint32_t low = (uint32_t)(((unsigned __int128)id.high * oracle->len) >> 64);
    uint32_t high = low;
    uint32_t step = 1;

    while (low > 0 && !peal_halves_less(oracle->ids[low - 1], id)) {
        high = low;
        low = low > step ? low - step : 0;
        step *= 2;
    }
    while (high < oracle->len && peal_halves_less(oracle->ids[high], id)) {
        low = high + 1;
        high = oracle->len - high > step ? high + step : oracle->len;
        step *= 2;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (peal_halves_less(oracle->ids[middle], id)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_member(const Oracle *oracle, uint32_t rank, PealIdHalves id)
{
    return rank < oracle->len && oracle->ids[rank].high == id.high &&
           oracle->ids[rank].low == id.low;
}

void oracle_join(Oracle *oracle, const PealId *id, uint32_t peer)
{
    PealIdHalves halves = peal_id_halves(id);
    uint32_t rank = count_before(oracle, halves);
    uint32_t behind = oracle->len - rank;

    if (is_member(oracle, rank, halves)) {
        return;
    }
    reserve(oracle, oracle->len + 1);
    memmove(oracle->ids + rank + 1, oracle->ids + rank, behind * sizeof(*oracle->ids));
    memmove(oracle->peers + rank + 1, oracle->peers + rank, behind * sizeof(*oracle->peers));
    oracle->ids[rank] = halves;
    oracle->peers[rank] = peer;
    oracle->len++;
    oracle->has_first = oracle->has_first || peer == 0;
}

void oracle_leave(Oracle *oracle, const PealId *id)
{
    PealIdHalves halves = peal_id_halves(id);
    uint32_t rank = count_before(oracle, halves);
    uint32_t behind;

    if (!is_member(oracle, rank, halves)) {
        return;
    }
    oracle->has_first = oracle->has_first && oracle->peers[rank] != 0;
    behind = --oracle->len - rank;
    memmove(oracle->ids + rank, oracle->ids + rank + 1, behind * sizeof(*oracle->ids));
    memmove(oracle->peers + rank, oracle->peers + rank + 1, behind * sizeof(*oracle->peers));
}

uint32_t oracle_rank_of(const Oracle *oracle, const PealId *id)
{
    uint32_t before = count_before(oracle, peal_id_halves(id));

    PEAL_ASSERT(oracle->len > 0);
    return before == oracle->len ? 0 : before;
}

uint32_t oracle_owner(const Oracle *oracle, const PealId *id)
{
    if (oracle->central) {
        return oracle->has_first ? 0 : ORACLE_NONE;
    }
    return oracle->len == 0 ? ORACLE_NONE : oracle->peers[oracle_rank_of(oracle, id)];
}

uint32_t oracle_holders(const Oracle *oracle, const PealId *id, uint32_t replicas,
                        uint32_t *ret_peers)
{
    uint32_t rank;
    uint32_t len;

    if (oracle->central) {
        ret_peers[0] = 0;
        return oracle->has_first;
    }
    if (oracle->len == 0) {
        return 0;
    }
    rank = oracle_rank_of(oracle, id);
    len = MIN(oracle->len, 1U + replicas);
    for (uint32_t i = 0; i < len; i++) {
        ret_peers[i] = oracle_at(oracle, rank, i);
    }
    return len;
}
