/* SPDX-License-Identifier: GPL-3.0-or-later */
/* place.c - which peer each user of a replay lives at. See <scenarios/replay.h>. */
#include <inttypes.h>
#include <scenarios/replay.h>
#include <scenarios/scenario.h>

static guint address_hash(gconstpointer data)
{
    const PealAddr *addr = data;
    guint hash = addr->family;

    for (size_t i = 0; i < sizeof(addr->ip); i++) {
        hash = hash * 31 + addr->ip[i];
    }
    return hash;
}

/* Hosts, not ports: one host's users may have a port each. */
static gboolean address_equal(gconstpointer a, gconstpointer b)
{
    const PealAddr *x = a;
    const PealAddr *y = b;

    return x->family == y->family && memcmp(x->ip, y->ip, x->family == 4 ? 4 : sizeof(x->ip)) == 0;
}

/* Sources take turns in the order in which they are met; users without one do among the others. */
static void place_by_source(Replay *replay, uint32_t peers)
{
    g_autoptr(GHashTable) by_source = g_hash_table_new(address_hash, address_equal);
    uint32_t turn = 0;

    for (uint32_t i = 0; i < replay->users->len; i++) {
        ReplayUser *user = &g_array_index(replay->users, ReplayUser, i);
        gpointer peer;

        if (user->address.family != 0 &&
            g_hash_table_lookup_extended(by_source, &user->address, NULL, &peer)) {
            user->peer = GPOINTER_TO_UINT(peer);
            continue;
        }
        user->peer = turn++ % peers;
        if (user->address.family != 0) {
            g_hash_table_insert(by_source, &user->address, GUINT_TO_POINTER(user->peer));
        }
    }
}

static bool place_by_map(Replay *replay, uint32_t peers, GError **error)
{
    uint32_t turn = 0;

    for (uint32_t i = 0; i < replay->users->len; i++) {
        ReplayUser *user = &g_array_index(replay->users, ReplayUser, i);

        if (user->place == UINT32_MAX) {
            user->peer = turn++ % peers;
            continue;
        }
        if (user->place >= peers) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "the map puts %s at peer %" PRIu32
                        ", but there are only peers 0 to %" PRIu32
                        ": change the map, or have more peers",
                        user->aor, user->place, peers - 1);
            return false;
        }
        user->peer = user->place;
    }
    return true;
}

/* Numbers each peer's users, in their order. */
static void number_users(Replay *replay, uint32_t peers)
{
    uint32_t len = replay->users->len;

    g_free(replay->placed);
    g_free(replay->first);
    replay->placed = g_new0(uint32_t, MAX(len, 1));
    replay->first = g_new0(uint32_t, (gsize)peers + 1);
    replay->peers = peers;
    replay->users_per_peer = 0;
    for (uint32_t i = 0; i < len; i++) {
        ReplayUser *user = &g_array_index(replay->users, ReplayUser, i);

        user->index = replay->first[user->peer + 1]++;
        replay->users_per_peer = MAX(replay->users_per_peer, user->index + 1);
    }
    for (uint32_t peer = 0; peer < peers; peer++) {
        replay->first[peer + 1] += replay->first[peer];
    }
    for (uint32_t i = 0; i < len; i++) {
        const ReplayUser *user = replay_user(replay, i);

        replay->placed[replay->first[user->peer] + user->index] = i;
    }
}

bool replay_place(Replay *replay, ReplayPlacing placing, uint32_t peers, GError **error)
{
    switch (placing) {
    case REPLAY_ROUND_ROBIN:
        for (uint32_t i = 0; i < replay->users->len; i++) {
            g_array_index(replay->users, ReplayUser, i).peer = i % peers;
        }
        break;
    case REPLAY_BY_SOURCE:
        place_by_source(replay, peers);
        break;
    case REPLAY_BY_MAP:
        if (!place_by_map(replay, peers, error)) {
            return false;
        }
        break;
    }
    number_users(replay, peers);
    return true;
}

uint32_t replay_user_at(const Replay *replay, uint32_t peer, uint32_t index)
{
    if (peer >= replay->peers || index >= replay->first[peer + 1] - replay->first[peer]) {
        return HISTORY_NOBODY;
    }
    return replay->placed[replay->first[peer] + index];
}
