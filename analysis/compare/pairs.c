/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pairs.c - see pairs.h.
 */
#include "compare/pairs.h"

#include <analysis/stats.h>
#include <stdlib.h>
#include <string.h>

static int compare_numbers(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

/* The order of Side.lookups and Side.calls, with lookups that can be the same being equal. */
static int compare_lookups(const SideLookup *a, const SideLookup *b)
{
    int order = compare_numbers(a->replication, b->replication);

    if (order == 0) {
        order = compare_numbers(a->asker, b->asker);
    }
    if (order == 0) {
        order = memcmp(a->key.bytes, b->key.bytes, PEAL_ID_LEN);
    }
    if (order == 0 && llabs(a->started_ns - b->started_ns) > PAIRS_START_TOLERANCE_NS) {
        order = a->started_ns < b->started_ns ? -1 : 1;
    }
    return order;
}

static void add_pair(Pairs *pairs, GArray *differences, const SideLookup *a, const SideLookup *b)
{
    double difference = (double)(b->latency_ns - a->latency_ns) / (double)PEAL_NS_PER_MS;

    pairs->matched++;
    if (a->succeeded && b->succeeded) {
        pairs->answered++;
        pairs->hops_equal += a->hops == b->hops;
        g_array_append_val(differences, difference);
    }
}

static gint compare_doubles(gconstpointer a, gconstpointer b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

void pairs_match(const GArray *a, const GArray *b, Pairs *ret_pairs)
{
    g_autoptr(GArray) differences = g_array_new(FALSE, FALSE, sizeof(double));
    Pairs pairs = {0};
    guint i = 0, j = 0;
    StatsMean mean;

    while (i < a->len && j < b->len) {
        const SideLookup *left = &g_array_index(a, SideLookup, i);
        const SideLookup *right = &g_array_index(b, SideLookup, j);
        int order = compare_lookups(left, right);

        if (order == 0) {
            add_pair(&pairs, differences, left, right);
        }
        i += order <= 0;
        j += order >= 0;
    }
    pairs.only_a = a->len - pairs.matched;
    pairs.only_b = b->len - pairs.matched;
    mean = stats_mean((const double *)(const void *)differences->data, differences->len);
    g_array_sort(differences, compare_doubles);
    pairs.difference_mean_ms = mean.mean;
    pairs.difference_deviation_ms = mean.deviation;
    pairs.difference_median_ms = side_median(differences);
    *ret_pairs = pairs;
}
