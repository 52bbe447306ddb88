/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * quantity.c - see quantity.h.
 */
#include "figure/quantity.h"

#include <math.h>
#include <string.h>

/* The order in which figures of them are drawn. */
static const Quantity QUANTITIES[] = {
    {.name = "success",
     .label = "Lookups answered (%)",
     .title = "lookups answered",
     .unit = " %",
     .figure = "lookups.success_rate",
     .rate = true,
     .factor = 100},
    {.name = "correct",
     .label = "Lookups answered correctly (%)",
     .title = "lookups answered correctly",
     .unit = " %",
     .figure = "lookups.correct_rate",
     .rate = true,
     .factor = 100},
    {.name = "calls",
     .label = "Calls answered (%)",
     .title = "calls answered",
     .unit = " %",
     .figure = "calls.answer_rate",
     .rate = true,
     .factor = 100},
    {.name = "latency",
     .label = "Median lookup latency (ms)",
     .title = "median lookup latency",
     .unit = " ms",
     .histogram = &SUMMARY_HISTOGRAM[1],
     .quantile = 0.5},
    {.name = "latency-p95",
     .label = "95th percentile of lookup latency (ms)",
     .title = "95th percentile of lookup latency",
     .unit = " ms",
     .histogram = &SUMMARY_HISTOGRAM[1],
     .quantile = 0.95},
    {.name = "setup",
     .label = "Median call set-up delay (ms)",
     .title = "median call set-up delay",
     .unit = " ms",
     .histogram = &SUMMARY_HISTOGRAM[4],
     .quantile = 0.5},
    {.name = "hops",
     .label = "Mean hops to the responsible peer",
     .title = "mean hops",
     .unit = " hops",
     .figure = "lookups.hops",
     .factor = 1},
    {.name = "messages",
     .label = "Messages delivered per peer and second",
     .title = "messages per peer and second",
     .unit = " /s",
     .figure = "messages.delivered",
     .factor = 1,
     .per_peer_second = true},
    {.name = "bytes",
     .label = "Bytes sent per peer and second",
     .title = "bytes per peer and second",
     .unit = " B/s",
     .figure = "network.bytes_sent",
     .factor = 1,
     .per_peer_second = true},
};

const Quantity *quantity_at(size_t i)
{
    return i < G_N_ELEMENTS(QUANTITIES) ? &QUANTITIES[i] : NULL;
}

const Quantity *quantity_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(QUANTITIES); i++) {
        if (strcmp(QUANTITIES[i].name, name) == 0) {
            return &QUANTITIES[i];
        }
    }
    return NULL;
}

static bool observe_quantiles(const Quantity *quantity, const Case *which, GArray *ret_values,
                              GError **error)
{
    g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(double));

    if (!case_observe(which, "SELECT id FROM replications WHERE point = ? ORDER BY replication",
                      NULL, ids, error)) {
        return false;
    }
    for (guint i = 0; i < ids->len; i++) {
        Histogram *histogram =
            summary_histogram(which->db, (gint64)cases_doubles(ids)[i], quantity->histogram, error);
        double value;

        if (histogram == NULL) {
            return false;
        }
        value = histogram_count(histogram) > 0
                    ? histogram_quantile(histogram, quantity->quantile) * quantity->histogram->scale
                    : NAN;
        histogram_free(histogram);
        g_array_append_val(ret_values, value);
    }
    return true;
}

bool quantity_observe(const Quantity *quantity, const Case *which, GArray *ret_values,
                      GError **error)
{
    static const char whole[] =
        "SELECT f.value FROM replications r LEFT JOIN figures f ON f.replication_id = r.id"
        " AND f.name = ?2 WHERE r.point = ?1 ORDER BY r.replication";
    static const char per_peer_second[] =
        "SELECT f.value / (1.0 * r.peers * r.window_s) FROM replications r LEFT JOIN figures f"
        " ON f.replication_id = r.id AND f.name = ?2 WHERE r.point = ?1 ORDER BY r.replication";

    if (quantity->figure == NULL) {
        return observe_quantiles(quantity, which, ret_values, error);
    }
    if (!case_observe(which, quantity->per_peer_second ? per_peer_second : whole, quantity->figure,
                      ret_values, error)) {
        return false;
    }
    for (guint i = 0; i < ret_values->len; i++) {
        g_array_index(ret_values, double, i) *= quantity->factor;
    }
    return true;
}

static bool rate_mean(const Quantity *quantity, const Case *which, StatsMean *ret_mean,
                      GError **error)
{
    static const char sql[] = "SELECT f.trials FROM replications r LEFT JOIN figures f"
                              " ON f.replication_id = r.id AND f.name = ?2 WHERE r.point = ?1"
                              " ORDER BY r.replication";
    const Quantity share = {.figure = quantity->figure, .factor = 1};
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));
    g_autoptr(GArray) trials = g_array_new(FALSE, FALSE, sizeof(double));

    if (!quantity_observe(&share, which, values, error) ||
        !case_observe(which, sql, quantity->figure, trials, error)) {
        return false;
    }
    *ret_mean = stats_rate(cases_doubles(values), cases_doubles(trials), values->len);
    ret_mean->mean *= quantity->factor;
    ret_mean->deviation *= quantity->factor;
    ret_mean->ci95.low *= quantity->factor;
    ret_mean->ci95.high *= quantity->factor;
    return true;
}

bool quantity_mean(const Quantity *quantity, const Case *which, StatsMean *ret_mean, GError **error)
{
    g_autoptr(GArray) values = g_array_new(FALSE, FALSE, sizeof(double));

    if (quantity->rate) {
        return rate_mean(quantity, which, ret_mean, error);
    }
    if (!quantity_observe(quantity, which, values, error)) {
        return false;
    }
    *ret_mean = stats_mean(cases_doubles(values), values->len);
    return true;
}
