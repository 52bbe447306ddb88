/* SPDX-License-Identifier: GPL-3.0-or-later */
/* draws.c - what is drawn for a peer or an event: ids, names, victims. See <scenarios/plan.h>. */
#include <inttypes.h>
#include <scenarios/plan.h>
#include <scenarios/replay.h>
#include <string.h>

/* Events have a stream of their own: the last index that a peer could have. */
#define EVENT_STREAM peal_random_stream(UINT32_MAX, PEAL_DRAW_EVENT)

enum { BOOTSTRAP_CHOICES = 64 };

static uint64_t event_draw(uint64_t seed, uint32_t event, uint32_t number)
{
    return peal_random_at(seed, EVENT_STREAM, (uint64_t)event << 32 | number);
}

PealId plan_node_id(uint64_t seed, uint32_t peer)
{
    uint64_t stream = peal_random_stream(peer, PEAL_DRAW_NODE_ID);

    return peal_id_from_halves((PealIdHalves){.high = peal_random_at(seed, stream, 0),
                                              .low = peal_random_at(seed, stream, 1)});
}

uint32_t plan_bootstrap(uint64_t seed, uint32_t peer, uint32_t others, uint32_t choice)
{
    /* The peer's own draws for its routes begin at 0. */
    const uint64_t first = UINT64_C(1) << 40;
    uint64_t stream = peal_random_stream(peer, PEAL_DRAW_ROUTE);

    return (uint32_t)peal_random_below(peal_random_at(seed, stream, first + choice), others);
}

size_t plan_bootstraps(uint64_t seed, uint32_t peer, uint32_t others,
                       bool (*is_there)(void *user, uint32_t other), void *user,
                       uint32_t ret_others[PLAN_BOOTSTRAP_MAX])
{
    size_t len = 0;

    for (uint32_t choice = 0; choice < BOOTSTRAP_CHOICES && len < PLAN_BOOTSTRAP_MAX; choice++) {
        uint32_t other = plan_bootstrap(seed, peer, others, choice);
        bool known = other == peer || !is_there(user, other);

        for (size_t i = 0; i < len; i++) {
            known = known || ret_others[i] == other;
        }
        if (!known) {
            ret_others[len++] = other;
        }
    }
    return len;
}

PealStr plan_user_aor(uint32_t peer, uint32_t user, char ret_text[PLAN_AOR_MAX])
{
    int len = g_snprintf(ret_text, PLAN_AOR_MAX, "sip:u%" PRIu32 ".p%" PRIu32 "@" PLAN_DOMAIN, user,
                         peer);

    return (PealStr){ret_text, (size_t)len};
}

PealStr scenario_aor(const Scenario *scenario, uint32_t peer, uint32_t user,
                     char ret_text[PLAN_AOR_MAX])
{
    const Replay *replay = scenario->workload.replay;
    uint32_t number = replay != NULL ? replay_user_at(replay, peer, user) : HISTORY_NOBODY;

    if (number == HISTORY_NOBODY) {
        return plan_user_aor(peer, user, ret_text);
    }
    return (PealStr){replay_user(replay, number)->aor, strlen(replay_user(replay, number)->aor)};
}

/* Selection sampling: Knuth, The Art of Computer Programming, vol. 2, 3.4.2, algorithm S. */
void plan_draw_ranks(uint64_t seed, uint32_t event, uint32_t total, uint32_t len,
                     uint32_t *ret_ranks)
{
    uint32_t taken = 0;

    PEAL_ASSERT(len <= total);
    for (uint32_t rank = 0; taken < len; rank++) {
        if (peal_random_below(event_draw(seed, event, rank), total - rank) < len - taken) {
            ret_ranks[taken++] = rank;
        }
    }
}

uint32_t plan_draw_rank(uint64_t seed, uint32_t event, uint32_t total)
{
    return (uint32_t)peal_random_below(event_draw(seed, event, UINT32_MAX), total);
}

uint32_t plan_region_centre(uint64_t seed, uint32_t event, const uint32_t *peers, uint32_t len)
{
    return peers[plan_draw_rank(seed, event, len)];
}

/* The one that the event names, if it is a candidate. */
static uint32_t *named_victim(uint32_t peer, const uint32_t *peers, uint32_t len, uint32_t *ret_len)
{
    uint32_t *victim = g_new0(uint32_t, 1);

    *ret_len = 0;
    for (uint32_t i = 0; i < len; i++) {
        if (peers[i] == peer) {
            *victim = peer;
            *ret_len = 1;
        }
    }
    return victim;
}

uint32_t *plan_victims(const Scenario *point, uint64_t seed, uint32_t event, const uint32_t *peers,
                       uint32_t len, uint32_t *ret_len)
{
    uint32_t wanted = scenario_event_peers(&point->events[event], len);
    uint32_t *ranks;

    if (point->events[event].named) {
        return named_victim(point->events[event].peer, peers, len, ret_len);
    }
    ranks = g_new0(uint32_t, MAX(wanted, 1));
    if (point->events[event].adjacent && wanted > 0) {
        uint32_t first = plan_draw_rank(seed, event, len);

        for (uint32_t i = 0; i < wanted; i++) {
            ranks[i] = (uint32_t)(((uint64_t)first + i) % len);
        }
    } else if (point->events[event].region) {
        for (uint32_t i = 0; i < wanted; i++) {
            ranks[i] = i;
        }
    } else if (wanted > 0) {
        plan_draw_ranks(seed, event, len, wanted, ranks);
    }
    for (uint32_t i = 0; i < wanted; i++) {
        ranks[i] = peers[ranks[i]];
    }
    *ret_len = wanted;
    return ranks;
}
