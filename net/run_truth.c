/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_truth.c - see run_truth.h. */
#include "run_truth.h"

#include <glib.h>
#include <scenarios/oracle.h>
#include <scenarios/plan.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_NOT_FOUND = 3 }; /* RFC 6940 s.14.9 */

/* A lookup under way. */
typedef struct TruthLookup {
    PealId key;
    uint32_t peer;
    bool keyed;
    bool open;
    bool reachable; /* its user is, at `target` */
    uint32_t target;
} TruthLookup;

/* Who answered a Fetch, judged at that instant. */
typedef struct TruthServed {
    uint64_t transaction;
    uint32_t peer;
    uint16_t hops;
    bool owner;
    bool value_lives;
} TruthServed;

struct RunTruth {
    const RunJob *job;
    PealTime origin;
    uint32_t peers;
    Oracle oracle;
    GHashTable **held;  /* of each peer: its Resource-IDs with a value */
    GArray *lookups;    /* TruthLookup by number */
    GHashTable *served; /* transaction -> TruthServed, itself its key */
    GArray *coming;     /* RunEvent */
    uint32_t open;
    uint64_t abandoned;
    uint64_t nobodys[2]; /* ended lookups that nobody counts: failed, answered */
    RunReach reach;
};

static guint id_hash(gconstpointer id)
{
    return (guint)peal_id_halves(id).high;
}

static gboolean id_equal(gconstpointer a, gconstpointer b)
{
    return peal_id_equal(a, b);
}

RunTruth *run_truth_new(const RunJob *job, uint32_t peers, PealTime origin)
{
    RunTruth *truth = g_new0(RunTruth, 1);

    truth->job = job;
    truth->origin = origin;
    truth->peers = peers;
    oracle_init(&truth->oracle);
    if (scenario_is_central(job->point)) {
        oracle_centre(&truth->oracle);
    }
    truth->held = g_new0(GHashTable *, peers);
    for (uint32_t i = 0; i < peers; i++) {
        truth->held[i] = g_hash_table_new_full(id_hash, id_equal, g_free, NULL);
    }
    truth->lookups = g_array_new(FALSE, FALSE, sizeof(TruthLookup));
    truth->served = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    truth->coming = g_array_new(FALSE, FALSE, sizeof(RunEvent));
    return truth;
}

void run_truth_free(RunTruth *truth)
{
    if (truth == NULL) {
        return;
    }
    for (uint32_t i = 0; i < truth->peers; i++) {
        g_hash_table_unref(truth->held[i]);
    }
    g_free(truth->held);
    g_array_unref(truth->lookups);
    g_hash_table_unref(truth->served);
    g_array_unref(truth->coming);
    oracle_fini(&truth->oracle);
    g_free(truth);
}

void run_truth_begin(RunTruth *truth, PealTime origin)
{
    truth->origin = origin;
}

uint32_t run_truth_lookup(RunTruth *truth, uint32_t peer, const PealId *key, bool keyed)
{
    TruthLookup lookup = {.key = *key, .peer = peer, .keyed = keyed, .open = true};

    g_array_append_val(truth->lookups, lookup);
    truth->open++;
    return truth->lookups->len - 1;
}

void run_truth_reachable(RunTruth *truth, uint32_t number, uint32_t target)
{
    TruthLookup *lookup = &g_array_index(truth->lookups, TruthLookup, number);

    lookup->reachable = true;
    lookup->target = target;
}

RunReach run_truth_reach(const RunTruth *truth)
{
    return truth->reach;
}

void run_truth_add(RunTruth *truth, const RunEvent *event)
{
    PEAL_ASSERT(event->peer < truth->peers);
    g_array_append_vals(truth->coming, event, 1);
}

/* Does the owner or one of those that should hold its replicas have a value? */
static bool value_lives(const RunTruth *truth, const PealId *key)
{
    uint32_t holders[PEAL_NEIGHBOURS_MAX + 1];
    uint32_t len =
        oracle_holders(&truth->oracle, key,
                       peal_overlay_successor_copies(&truth->job->point->overlay), holders);

    for (uint32_t i = 0; i < len; i++) {
        if (g_hash_table_contains(truth->held[holders[i]], key)) {
            return true;
        }
    }
    return false;
}

/* The same peer serving a repeated request gives the equal answer again: the first one counts. Of
 * several that are asked at a time the owner's answer is the one that can be correct. */
static void on_served(RunTruth *truth, const RunEvent *event)
{
    TruthServed *served = g_hash_table_lookup(truth->served, &event->transaction);

    if (served != NULL &&
        (served->peer == event->peer ||
         (truth->job->point->overlay.defence.redundant_lookups > 1 && served->owner))) {
        return;
    }
    served = g_new(TruthServed, 1);
    *served = (TruthServed){.transaction = event->transaction,
                            .peer = event->peer,
                            .hops = (uint16_t)event->number,
                            .owner = oracle_owner(&truth->oracle, &event->key) == event->peer,
                            .value_lives = value_lives(truth, &event->key)};
    g_hash_table_replace(truth->served, &served->transaction, served);
}

static void close_lookup(RunTruth *truth, TruthLookup *lookup)
{
    lookup->open = false;
    truth->open--;
}

static void record(RunTruth *truth, const TruthLookup *lookup, const RunEvent *event,
                   const TruthServed *served)
{
    bool answered = event->status == 0 ||
                    (event->status == -PEAL_E_REFUSED && event->error_code == ERROR_NOT_FOUND);
    bool found = answered && event->values > 0;
    bool correct = false;

    if (answered && served != NULL) {
        PealId server = plan_node_id(truth->job->seed, served->peer);

        correct = served->owner && peal_id_equal(&server, &event->key) &&
                  (found || lookup->keyed || !served->value_lives);
    }
    truth->reach.lookups += lookup->reachable;
    truth->reach.found += lookup->reachable && found;
    recorder_lookup(
        truth->job->recorder,
        &(RecorderLookup){.started = {peal_time_since(event->started, truth->origin).ns},
                          .latency = event->took,
                          .asker = lookup->peer,
                          .hops = served != NULL ? served->hops : 0,
                          .succeeded = answered,
                          .correct = correct,
                          .found = found,
                          .key = lookup->key});
}

static void on_fetched(RunTruth *truth, const RunEvent *event)
{
    const TruthServed *served = g_hash_table_lookup(truth->served, &event->transaction);
    TruthLookup *lookup;

    if (event->number >= truth->lookups->len) {
        bool answered = event->status == 0 || event->status == -PEAL_E_REFUSED;

        truth->nobodys[answered]++;
        g_hash_table_remove(truth->served, &event->transaction);
        return;
    }
    lookup = &g_array_index(truth->lookups, TruthLookup, event->number);
    if (!lookup->open) {
        return;
    }
    close_lookup(truth, lookup);
    if (event->status == 0 && served == NULL) {
        truth->abandoned++; /* who answered it ended before it could tell of it */
    } else {
        record(truth, lookup, event, served);
    }
    g_hash_table_remove(truth->served, &event->transaction);
}

static void on_gone(RunTruth *truth, uint32_t peer)
{
    PealId id = plan_node_id(truth->job->seed, peer);

    oracle_leave(&truth->oracle, &id);
    g_hash_table_remove_all(truth->held[peer]);
    for (guint i = 0; i < truth->lookups->len; i++) {
        TruthLookup *lookup = &g_array_index(truth->lookups, TruthLookup, i);

        lookup->reachable = lookup->reachable && lookup->target != peer;
        if (lookup->open && lookup->peer == peer) {
            close_lookup(truth, lookup);
            truth->abandoned++;
        }
    }
}

static void on_event(RunTruth *truth, const RunEvent *event)
{
    PealId id = plan_node_id(truth->job->seed, event->peer);

    switch (event->kind) {
    case RUN_EVENT_JOINED:
        oracle_join(&truth->oracle, &id, event->peer);
        break;
    case RUN_EVENT_GONE:
        on_gone(truth, event->peer);
        break;
    case RUN_EVENT_SERVED:
        on_served(truth, event);
        break;
    case RUN_EVENT_STORED:
        g_hash_table_add(truth->held[event->peer], g_memdup2(&event->key, sizeof(event->key)));
        break;
    case RUN_EVENT_REMOVED:
        g_hash_table_remove(truth->held[event->peer], &event->key);
        break;
    case RUN_EVENT_FETCHED:
        on_fetched(truth, event);
        break;
    }
}

/* By time; events of one instant as they came, which for one peer is the order they happened in. */
static gint compare_events(gconstpointer a, gconstpointer b)
{
    const RunEvent *left = a, *right = b;

    return (left->at.ns > right->at.ns) - (left->at.ns < right->at.ns);
}

void run_truth_advance(RunTruth *truth, PealTime until)
{
    guint done = 0;

    g_array_sort(truth->coming, compare_events); /* GLib's sort is stable */
    while (done < truth->coming->len &&
           g_array_index(truth->coming, RunEvent, done).at.ns < until.ns) {
        on_event(truth, &g_array_index(truth->coming, RunEvent, done));
        done++;
    }
    g_array_remove_range(truth->coming, 0, done);
}

uint32_t run_truth_unfinished(const RunTruth *truth)
{
    return truth->open;
}

uint64_t run_truth_nobodys(const RunTruth *truth, bool answered)
{
    return truth->nobodys[answered];
}

uint64_t run_truth_abandoned(const RunTruth *truth)
{
    return truth->abandoned;
}

uint32_t run_truth_held(const RunTruth *truth, uint32_t peer)
{
    return g_hash_table_size(truth->held[peer]);
}

bool run_truth_is_member(const RunTruth *truth, uint32_t peer)
{
    const Oracle *oracle = &truth->oracle;
    PealId id = plan_node_id(truth->job->seed, peer);

    return oracle->len > 0 && oracle->peers[oracle_rank_of(oracle, &id)] == peer;
}

bool run_truth_is_side(const RunTruth *truth, uint32_t peer, bool successors, const PealId *ids,
                       uint32_t len, uint32_t max)
{
    const Oracle *oracle = &truth->oracle;
    PealId id = plan_node_id(truth->job->seed, peer);
    uint32_t rank;

    if (!run_truth_is_member(truth, peer) || len != MIN(max, oracle->len - 1)) {
        return false;
    }
    rank = oracle_rank_of(oracle, &id);
    for (uint32_t i = 1; i <= len; i++) {
        uint32_t other = successors ? rank + i : rank + oracle->len - i;
        PealId expected = peal_id_from_halves(oracle->ids[other % oracle->len]);

        if (!peal_id_equal(&ids[i - 1], &expected)) {
            return false;
        }
    }
    return true;
}

bool run_truth_has_server(const RunTruth *truth, uint32_t peer, const PealId *ids, uint32_t len)
{
    PealId server = plan_node_id(truth->job->seed, 0);

    return run_truth_is_member(truth, peer) && len == (peer != 0) &&
           (peer == 0 || peal_id_equal(&ids[0], &server));
}

void run_truth_count_values(const RunTruth *truth, uint64_t *ret_values, uint64_t *ret_lost)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(id_hash, id_equal);

    *ret_values = *ret_lost = 0;
    for (uint32_t i = 0; i < truth->peers; i++) {
        GHashTableIter iter;
        gpointer key;

        g_hash_table_iter_init(&iter, truth->held[i]);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
            uint32_t owner = oracle_owner(&truth->oracle, key);

            if (g_hash_table_add(seen, key)) {
                ++*ret_values;
                *ret_lost +=
                    owner == ORACLE_NONE || !g_hash_table_contains(truth->held[owner], key);
            }
        }
    }
}
