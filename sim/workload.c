/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * workload.c - users register and look each other up; every lookup is followed and judged by the
 *              oracle.
 */
#include "world.h"

enum { CODE_FETCH_REQ = 9, ERROR_NOT_FOUND = 3 }; /* RFC 6940 s.14.8, s.14.9 */

static PealStr user_aor(const World *world, uint32_t peer, uint32_t user, char text[PLAN_AOR_MAX])
{
    return scenario_aor(world->scenario, peer, user, text);
}

/* Keeps the user for workload_joined. */
static void register_later(World *world, SimPeer *peer, uint32_t user)
{
    uint32_t entry = world->users_due_free;

    if (entry != 0) {
        world->users_due_free = world->users_due[entry].next;
    } else {
        if (world->users_due_len == world->users_due_cap) {
            world->users_due_cap = MAX(64, 2 * world->users_due_cap);
            world->users_due = g_renew(UserDue, world->users_due, world->users_due_cap);
        }
        world->users_due_len = MAX(world->users_due_len, 1);
        entry = world->users_due_len++;
    }
    world->users_due[entry] = (UserDue){user, peer->users_due};
    peer->users_due = entry;
}

static void register_now(World *world, SimPeer *peer, uint32_t user)
{
    char text[PLAN_AOR_MAX];
    uint32_t expires_s =
        scenario_register_expires_s(world->scenario, world->seed, peer->index, user);

    if (world->phones != NULL) {
        phones_register(world, peer, user);
        return;
    }
    if (peal_peer_register(sim_peer_core(peer), user_aor(world, peer->index, user, text), expires_s,
                           token_make(TOKEN_REGISTER, user)) != 0) {
        world->counts.register_failed++;
    }
}

void workload_renew(World *world, const PlanAction *action)
{
    SimPeer *peer = world_peer(world, action->peer);

    if (peer->joined && !peer->attacker) {
        phones_renew(world, peer, action->user,
                     action->kind == PLAN_REGISTER ? action->expires_s : 0);
    }
}

void workload_register(World *world, uint32_t index, uint32_t user)
{
    SimPeer *peer = world_peer(world, index);

    if (peer->attacker) {
        return; /* nobody there is an honest user */
    }
    peer->users = MAX(peer->users, user + 1);
    if (peer->joined) {
        register_now(world, peer, user);
    } else if (peer->up) {
        register_later(world, peer, user);
    }
}

void workload_joined(World *world, SimPeer *peer)
{
    while (peer->users_due != 0) {
        uint32_t entry = peer->users_due;

        peer->users_due = world->users_due[entry].next;
        world->users_due[entry].next = world->users_due_free;
        world->users_due_free = entry;
        register_now(world, peer, world->users_due[entry].user);
    }
}

/* Does the peer with that Node-ID answer for one of the copies that hashing places? */
static bool owns_copy(const World *world, const PealId *key, const PealId *responder)
{
    for (unsigned i = 1; i <= peal_overlay_copies(&world->overlay); i++) {
        PealId copy = peal_copy_resource(world->ops.crypto, key, i);
        uint32_t owner = oracle_owner(&world->oracle, &copy);
        PealId id = plan_node_id(world->seed, owner);

        if (owner != ORACLE_NONE && peal_id_equal(&id, responder)) {
            return true;
        }
    }
    return false;
}

/* A lookup that could not even be asked counts as one that failed at once. */
static void lookup_report(World *world, const Lookup *lookup, const PealOutcome *outcome)
{
    bool answered = outcome->status == 0 ||
                    (outcome->status == -PEAL_E_REFUSED && outcome->error_code == ERROR_NOT_FOUND);
    bool found = answered && outcome->values > 0;
    bool correct = false;

    if (answered && lookup->server != UINT32_MAX) {
        PealId server = world_node_id(world, lookup->server);

        correct = lookup->owner_served && peal_id_equal(&server, &outcome->responder) &&
                  (found || !lookup->value_lives) &&
                  (world->attacks == NULL || !attacks_lies(world, lookup->server));
    }
    correct = correct || (answered && (found || !lookup->value_lives) &&
                          owns_copy(world, &lookup->key, &outcome->responder));
    if (world->watching) {
        watch_lookup_end(world, lookup);
    }
    if (world->attacks != NULL) {
        attacks_lookup(world, lookup, answered);
    }
    if (!lookup->keyed && reach_held(world, &lookup->target)) {
        world->totals.counter[RECORDER_REACHABLE_LOOKUPS]++;
        world->totals.counter[RECORDER_REACHABLE_FOUND] += found;
    }
    recorder_lookup(world->recorder, &(RecorderLookup){
                                         .started = lookup->started,
                                         .latency = peal_time_since(world->now, lookup->started),
                                         .asker = lookup->asker,
                                         .hops = lookup->hops,
                                         .succeeded = answered,
                                         .correct = correct,
                                         .found = found,
                                         .key = lookup->key,
                                     });
}

static PealId lookup_key(World *world, const PlanAction *action)
{
    char text[PLAN_AOR_MAX];
    PealId key = action->key;
    int status = 0;

    if (!action->keyed) {
        status = peal_aor_resource(world->ops.crypto,
                                   user_aor(world, action->target_peer, action->target_user, text),
                                   &key);
    }
    PEAL_ASSERT(status == 0);
    return key;
}

void workload_lookup(World *world, const PlanAction *action)
{
    SimPeer *peer = world_peer(world, action->peer);
    uint32_t number;
    Lookup *lookup;
    int status;

    if (!peer->joined || peer->leaving || attacks_concern(world, action)) {
        return;
    }
    number = lookups_add(&world->lookups, peer->index, &peer->lookups);
    lookup = lookups_at(&world->lookups, number);
    lookup->started = world->now;
    lookup->key = lookup_key(world, action);
    lookup->keyed = action->keyed;
    if (!lookup->keyed) {
        lookup->target = reach_begin(world, action->target_peer, action->target_user);
    }
    lookup->honest_owner = world->attacks != NULL && attacks_owner_honest(world, &lookup->key);
    if (world->watching) {
        watch_lookup(world, lookup);
    }
    world->starting_lookup = number;
    status = peal_peer_fetch(sim_peer_core(peer), &lookup->key, PEAL_KIND_SIP_REGISTRATION,
                             token_make(TOKEN_LOOKUP, number));
    world->starting_lookup = LOOKUP_NONE;
    if (status != 0) {
        lookup_report(world, lookup, &(PealOutcome){.status = status});
        lookups_remove(&world->lookups, number, &peer->lookups);
    }
}

/* Does the owner or one of those that should hold its replicas have a value? */
static bool lives_at(const World *world, const PealId *key, uint32_t kind)
{
    uint32_t holders[PEAL_NEIGHBOURS_MAX + 1];
    uint32_t len = oracle_holders(&world->oracle, key,
                                  peal_overlay_successor_copies(&world->overlay), holders);

    for (uint32_t i = 0; i < len; i++) {
        if (peal_peer_stored(sim_peer_core(world_peer(world, holders[i])), key, kind) > 0) {
            return true;
        }
    }
    return false;
}

bool workload_value_lives(const World *world, const PealId *key)
{
    bool lives = lives_at(world, key, PEAL_KIND_SIP_REGISTRATION);

    for (unsigned i = 1; !lives && i <= peal_overlay_copies(&world->overlay); i++) {
        PealId copy = peal_copy_resource(world->ops.crypto, key, i);

        lives = lives_at(world, &copy, PEAL_KIND_SIP_REGISTRATION_COPY);
    }
    return lives;
}

static void request_sent(World *world, const PealTrace *record)
{
    world->totals.counter[RECORDER_REQUESTS_SENT]++;
    if (world->starting_lookup != LOOKUP_NONE && record->code == CODE_FETCH_REQ) {
        lookups_bind(&world->lookups, world->starting_lookup, record->transaction);
    }
}

/* The same peer serving a repeated request gives the equal answer again: the first one counts. Of
 * several that are asked at a time the owner's answer is the one that can be correct. */
static void request_served(World *world, SimPeer *peer, const PealTrace *record)
{
    Lookup *lookup;

    if (record->code != CODE_FETCH_REQ) {
        return;
    }
    lookup = lookups_find(&world->lookups, record->transaction);
    if (lookup == NULL || lookup->server == peer->index ||
        (world->overlay.defence.redundant_lookups > 1 && lookup->owner_served)) {
        return;
    }
    lookup->server = peer->index;
    lookup->hops = (uint16_t)record->value;
    lookup->owner_served = oracle_owner(&world->oracle, &lookup->key) == peer->index;
    lookup->value_lives = !lookup->keyed && workload_value_lives(world, &lookup->key);
}

static void afterwards(World *world, uint32_t peer, bool joined)
{
    if (world->afterwards_len == world->afterwards_cap) {
        world->afterwards_cap = MAX(16, 2 * world->afterwards_cap);
        world->afterwards = g_renew(Afterwards, world->afterwards, world->afterwards_cap);
    }
    world->afterwards[world->afterwards_len++] = (Afterwards){peer, joined};
}

/* 64 bits of an id, and of a pair, tell them apart well enough to be counted. */
static void refused(World *world, const SimPeer *peer, const PealTrace *record)
{
    uint64_t id = peal_id_halves(&record->key).high ^ peal_id_halves(&record->key).low;
    uint64_t pair = (id ^ peer->index) * UINT64_C(0x9E3779B97F4A7C15);

    g_hash_table_add(world->refused_pairs, (gpointer)(uintptr_t)pair);
    g_hash_table_add(world->refused_peers, (gpointer)(uintptr_t)id);
}

void workload_trace(World *world, SimPeer *peer, const PealTrace *record)
{
    uint64_t *counter = world->totals.counter;

    switch ((PealTraceKind)record->kind) {
    case PEAL_TRACE_REQUEST_SENT:
        request_sent(world, record);
        break;
    case PEAL_TRACE_REQUEST_SERVED:
        request_served(world, peer, record);
        break;
    case PEAL_TRACE_REQUEST_RESENT:
        counter[RECORDER_REQUESTS_RESENT]++;
        break;
    case PEAL_TRACE_REQUEST_FAILED:
        counter[RECORDER_REQUESTS_FAILED]++;
        break;
    case PEAL_TRACE_MESSAGE_DROPPED:
        world->totals.drops[MIN(record->code, PEAL_DROP_COUNT - 1)]++;
        break;
    case PEAL_TRACE_LINK_UP:
        counter[RECORDER_LINKS_UP]++;
        break;
    case PEAL_TRACE_LINK_DOWN:
        counter[RECORDER_LINKS_DOWN]++;
        break;
    case PEAL_TRACE_VALUE_STORED:
        counter[RECORDER_VALUES_STORED]++;
        break;
    case PEAL_TRACE_VALUE_REMOVED:
        counter[RECORDER_VALUES_REMOVED]++;
        break;
    case PEAL_TRACE_REPLICA_SENT:
        counter[RECORDER_REPLICAS_SENT]++;
        break;
    case PEAL_TRACE_NEIGHBOUR_REFUSED:
        refused(world, peer, record);
        break;
    case PEAL_TRACE_JOINED:
        afterwards(world, peer->index, true);
        break;
    default:
        break;
    }
}

void workload_done(World *world, SimPeer *peer, uint64_t token, const PealOutcome *outcome)
{
    uint32_t number = (uint32_t)token;

    switch ((TokenKind)(token >> 56)) {
    case TOKEN_LOOKUP:
        lookup_report(world, lookups_at(&world->lookups, number), outcome);
        lookups_remove(&world->lookups, number, &peer->lookups);
        break;
    case TOKEN_REGISTER:
        reach_registered(&world->reach, peer->index, number, outcome->status == 0);
        if (outcome->status == 0) {
            world->counts.registered++;
        } else {
            world->counts.register_failed++;
        }
        break;
    case TOKEN_ATTACK:
        attacks_fetched(world, outcome);
        break;
    case TOKEN_LEAVE:
        afterwards(world, peer->index, false);
        break;
    }
}

/* The peer stops: what its users had under way is no figure of the overlay's. */
void workload_stop(World *world, SimPeer *peer)
{
    phones_stop(world, peer);
    reach_stop(&world->reach, peer->index);
    while (peer->lookups != LOOKUP_NONE) {
        lookups_remove(&world->lookups, peer->lookups, &peer->lookups);
        world->counts.abandoned++;
    }
    while (peer->users_due != 0) {
        uint32_t entry = peer->users_due;

        peer->users_due = world->users_due[entry].next;
        world->users_due[entry].next = world->users_due_free;
        world->users_due_free = entry;
    }
}
