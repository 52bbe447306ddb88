/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * side.c - see side.h.
 */
#include "compare/side.h"

#include <analysis/results.h>
#include <math.h>
#include <string.h>

const SideFigure SIDE_FIGURE[SIDE_FIGURES] = {
    {"lookups.latency_ms", "lookup-latency", "lookup latency", "Lookup latency (ms)",
     "Fraction of answered lookups", " ms",
     "SELECT latency_ns FROM lookups WHERE succeeded ORDER BY latency_ns",
     "SELECT sum(count) FROM distributions WHERE name = 'lookups.latency_ns'", 1e-6},
    {"lookups.hops", "lookup-hops", "hops", "Hops to the responsible peer",
     "Fraction of answered lookups", "", "SELECT hops FROM lookups WHERE succeeded ORDER BY hops",
     "SELECT sum(count) FROM distributions WHERE name = 'lookups.hops'", 1},
    {"calls.setup_ms", "call-setup", "call set-up delay", "Call set-up delay (ms)",
     "Fraction of answered calls", " ms",
     "SELECT setup_ns FROM calls WHERE setup_ns IS NOT NULL ORDER BY setup_ns",
     "SELECT sum(count) FROM distributions WHERE name = 'calls.setup_ns'", 1e-6},
    {"calls.answer_ms", "call-answer", "call answer delay", "Call answer delay (ms)",
     "Fraction of answered calls", " ms",
     "SELECT answer_ns FROM calls WHERE answer_ns IS NOT NULL ORDER BY answer_ns",
     "SELECT sum(count) FROM distributions WHERE name = 'calls.answer_ns'", 1e-6},
};

/* Points of a sweep differ on purpose: pooled, they would be the distribution of nothing. */
static bool read_replications(Side *side, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(
        side->db, "SELECT count(DISTINCT point), count(*), max(interrupted) FROM replications",
        error);

    if (query == NULL || !database_next(query, error)) {
        return false;
    }
    side->replications = (unsigned)sqlite3_column_int(query, 1);
    side->interrupted = sqlite3_column_int(query, 2) != 0;
    if (side->replications == 0) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "%s has no replication yet; let 'peal run' finish one", side->dir);
        return false;
    }
    if (sqlite3_column_int(query, 0) > 1) {
        g_set_error(error, RESULTS_ERROR, RESULTS_ERROR_READ,
                    "%s holds a sweep of %d points; compare runs of one point: set the swept keys "
                    "with 'peal run --set'",
                    side->dir, sqlite3_column_int(query, 0));
        return false;
    }
    return true;
}

static bool read_sample(Side *side, const SideFigure *figure, SideSample *sample, GError **error)
{
    g_autoptr(sqlite3_stmt) query = database_prepare(side->db, figure->query, error);
    g_autoptr(sqlite3_stmt) count = database_prepare(side->db, figure->count, error);
    GError *failure = NULL;

    if (query == NULL || count == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        double value = sqlite3_column_double(query, 0) * figure->scale;

        g_array_append_val(sample->values, value);
    }
    if (failure == NULL && database_next(count, &failure)) {
        sample->measured = (uint64_t)sqlite3_column_int64(count, 0);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return true;
}

static bool read_lookups(Side *side, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(side->db,
                         "SELECT r.replication, l.asker, l.key, l.started_ns, l.latency_ns, l.hops,"
                         " l.succeeded FROM lookups l JOIN replications r ON r.id ="
                         " l.replication_id ORDER BY 1, 2, 3, 4",
                         error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        SideLookup lookup = {.replication = (uint32_t)sqlite3_column_int64(query, 0),
                             .asker = (uint32_t)sqlite3_column_int64(query, 1),
                             .started_ns = sqlite3_column_int64(query, 3),
                             .latency_ns = sqlite3_column_int64(query, 4),
                             .hops = (uint16_t)sqlite3_column_int(query, 5),
                             .succeeded = sqlite3_column_int(query, 6) != 0};
        const void *key = sqlite3_column_blob(query, 2);

        if (key == NULL || sqlite3_column_bytes(query, 2) != PEAL_ID_LEN) {
            continue; /* no lookup of ours */
        }
        memcpy(lookup.key.bytes, key, PEAL_ID_LEN);
        g_array_append_val(side->lookups, lookup);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return true;
}

/* Who calls whom, in the order of the query's columns from `column` on. */
static PealId users_key(sqlite3_stmt *query, int column)
{
    PealIdHalves halves = {(uint64_t)sqlite3_column_int64(query, column),
                           (uint64_t)sqlite3_column_int64(query, column + 1) << 32 |
                               (uint32_t)sqlite3_column_int64(query, column + 2)};

    return peal_id_from_halves(halves);
}

static bool read_calls(Side *side, GError **error)
{
    g_autoptr(sqlite3_stmt) query =
        database_prepare(side->db,
                         "SELECT r.replication, c.caller, c.caller_user, c.callee, c.callee_user,"
                         " c.started_ns, c.setup_ns FROM calls c JOIN replications r ON r.id ="
                         " c.replication_id ORDER BY 1, 2, 3, 4, 5, 6",
                         error);
    GError *failure = NULL;

    if (query == NULL) {
        return false;
    }
    while (database_next(query, &failure)) {
        SideLookup call = {.replication = (uint32_t)sqlite3_column_int64(query, 0),
                           .asker = (uint32_t)sqlite3_column_int64(query, 1),
                           .key = users_key(query, 2),
                           .started_ns = sqlite3_column_int64(query, 5),
                           .latency_ns = sqlite3_column_int64(query, 6),
                           .succeeded = sqlite3_column_type(query, 6) != SQLITE_NULL};

        g_array_append_val(side->calls, call);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return true;
}

static bool read_side(Side *side, GError **error)
{
    if (!read_replications(side, error)) {
        return false;
    }
    for (size_t i = 0; i < SIDE_FIGURES; i++) {
        if (!read_sample(side, &SIDE_FIGURE[i], &side->samples[i], error)) {
            return false;
        }
    }
    return read_lookups(side, error) && read_calls(side, error);
}

bool side_open(const char *dir, Side *ret_side, GError **error)
{
    Side side = {.db = database_open(dir, error)};

    if (side.db == NULL) {
        return false;
    }
    side.dir = g_strdup(dir);
    side.name = database_fact(side.db, "name");
    side.seed = database_fact(side.db, "seed");
    side.world = database_fact(side.db, "world");
    side.lookups = g_array_new(FALSE, FALSE, sizeof(SideLookup));
    side.calls = g_array_new(FALSE, FALSE, sizeof(SideLookup));
    for (size_t i = 0; i < SIDE_FIGURES; i++) {
        side.samples[i].values = g_array_new(FALSE, FALSE, sizeof(double));
    }
    if (side.world == NULL) {
        side.world =
            g_strdup(RESULTS_WORLD_SIMULATION); /* what wrote results before there were two */
    }
    if (!read_side(&side, error)) {
        side_close(&side);
        return false;
    }
    *ret_side = side;
    return true;
}

void side_close(Side *side)
{
    g_clear_pointer(&side->db, sqlite3_close);
    g_clear_pointer(&side->dir, g_free);
    g_clear_pointer(&side->name, g_free);
    g_clear_pointer(&side->seed, g_free);
    g_clear_pointer(&side->world, g_free);
    g_clear_pointer(&side->lookups, g_array_unref);
    g_clear_pointer(&side->calls, g_array_unref);
    for (size_t i = 0; i < SIDE_FIGURES; i++) {
        g_clear_pointer(&side->samples[i].values, g_array_unref);
    }
}

double side_median(const GArray *values)
{
    return values->len > 0 ? ((const double *)(const void *)values->data)[(values->len - 1) / 2]
                           : NAN;
}
