/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * plan.c - merges every peer's agenda and the events into one order of time.
 *
 * A peer's agenda is its start, its registrations, then lookups without end; only the next entry's
 * instant and number are kept. Its users' calls are a second agenda beside it. One pass over all
 * peers collects what falls into the next window of time, and a radix sort puts it in order: a few
 * ns per peer and window, where a heap of a million peers would miss the cache at every step.
 */
#include <scenarios/plan.h>
#include <scenarios/replay.h>

#include "churn.h"
#include "plan/agenda.h"
#include "plan/recorded.h"

enum {
    RADIX_BITS = 10, /* two passes sort a window's 20-bit offsets */
    RADIX = 1 << RADIX_BITS,
    WINDOWS_PER_INTERVAL = 16,
    NUMBER_START = 0, /* numbers of an agenda: the start, users 1.., then lookups */
    RAW_TARGET =
        8, /* of the DIST_RAW_PER_DRAW raw numbers of an entry; its interval uses the first */
    RAW_CALLER = 10,
    RAW_PEER = 11 /* of the caller, in the stream of the whole overlay */
};
static const uint32_t NUMBER_CALL = UINT32_C(1) << 31; /* set in the number of a call */
/* What churn does, in place of a number; below, a peer may have 2^30 lookups. */
static const uint32_t NUMBER_RETURN = UINT32_C(1) << 30;
static const uint32_t NUMBER_CRASH = (UINT32_C(1) << 30) + 1;
static const uint32_t NUMBER_LEAVE = (UINT32_C(1) << 30) + 2;
/* Calls of the one stream of the whole overlay draw from it alone. */
#define STREAM_CALLS peal_random_stream(UINT32_MAX, PEAL_DRAW_CALLS)

/* Calls draw from the same streams as the other agenda, far behind it. */
#define DRAWS_CALLS (UINT64_C(1) << 40)
#define DRAWS_DURATIONS (UINT64_C(2) << 40)

#define WINDOW_MAX_US INT64_C(1000000)
_Static_assert(WINDOW_MAX_US <= INT64_C(1) << (2 * RADIX_BITS), "offsets fit two passes");

/* An entry of the current window. */
typedef struct Entry {
    uint32_t offset_us; /* from the window's begin */
    uint32_t peer;
    uint32_t number;
} Entry;

struct Plan {
    const Scenario *scenario;
    uint64_t seed;
    uint32_t identities;
    uint32_t users;      /* per peer */
    Dist interval;       /* between a peer's lookups; DIST_NONE without lookups */
    int64_t spread_us;   /* of registrations at the start of a converged overlay */
    int64_t end_us;      /* nothing begins at or after it */
    int64_t window_us;   /* length */
    int64_t *next_us;    /* per peer, INT64_MAX when its agenda is empty */
    uint32_t *number;    /* per peer, of that entry */
    Dist call_interval;  /* between the calls of a peer's users */
    int64_t *call_us;    /* per peer, of its users' next call; NULL without calls */
    uint32_t *calls;     /* per peer, that came before that one */
    bool stream;         /* calls come as one stream of the whole overlay, not by peer: */
    int64_t stream_us;   /* its next call, INT64_MAX when there is none */
    uint32_t streamed;   /* calls that came before that one */
    int64_t begin_us;    /* of the current window */
    int64_t earliest_us; /* least next_us of all */
    GArray *entries;     /* Entry, of the current window in order */
    GArray *scratch;     /* Entry */
    guint entries_next;
    guint events_next;
    uint32_t started;   /* peers so far; with churn, those that may have been */
    bool founded;       /* with churn: somebody has started */
    Agenda *agenda;     /* NULL without churn */
    Recorded *recorded; /* NULL without a recorded workload */
    uint32_t *online;   /* peers that are there by churn, in no order; NULL where nobody asks */
    uint32_t *place;    /* per peer, in that list; UINT32_MAX: it is not */
    uint32_t online_len;
};

bool plan_is_first(const Plan *plan, uint32_t peer)
{
    return plan->agenda != NULL ? agenda_is_first(plan->agenda, peer)
                                : peer < plan->scenario->peers;
}

static bool is_converged(const Plan *plan, uint32_t peer)
{
    return plan->scenario->start == SCENARIO_START_CONVERGED && plan_is_first(plan, peer);
}

static uint64_t plan_stream(uint32_t peer)
{
    return peal_random_stream(peer, PEAL_DRAW_WORKLOAD);
}

/* The instant of an agenda's entry `number`, the entry before it being at `before_us`. */
static int64_t agenda_at(const Plan *plan, uint32_t peer, uint32_t number, int64_t before_us)
{
    int64_t base_us = before_us;
    uint64_t draw;

    if (number <= plan->users) {
        if (!is_converged(plan, peer)) {
            return before_us;
        }
        draw = peal_random_at(plan->seed, plan_stream(peer), (uint64_t)number * DIST_RAW_PER_DRAW);
        /* User u of n registers somewhere in the u-th of n equal parts of the spread. */
        return (plan->spread_us * (int64_t)(number - 1) +
                (int64_t)peal_random_below(draw, (uint64_t)plan->spread_us)) /
               plan->users;
    }
    if (plan->interval.kind == DIST_NONE) {
        return INT64_MAX;
    }
    if (number == plan->users + 1 && is_converged(plan, peer)) {
        base_us = plan->users > 0 ? plan->spread_us : 0;
    }
    return base_us +
           dist_draw(&plan->interval, plan->seed, plan_stream(peer), number).ns / PEAL_NS_PER_US;
}

/* The instant of call `number`, the one before it being at `before_us`. */
static int64_t call_at(const Plan *plan, uint32_t peer, uint32_t number, int64_t before_us)
{
    return before_us +
           dist_draw(&plan->call_interval, plan->seed, plan_stream(peer), DRAWS_CALLS + number).ns /
               PEAL_NS_PER_US;
}

/* The instant of the overlay's call `number`, the one before it being at `before_us`. */
static int64_t stream_at(const Plan *plan, uint32_t number, int64_t before_us)
{
    return before_us + dist_draw(&plan->scenario->workload.call_interval, plan->seed, STREAM_CALLS,
                                 DRAWS_CALLS + number)
                               .ns /
                           PEAL_NS_PER_US;
}

/* Calls begin one interval after the peer's start, or after the spread of registrations. */
static void plan_begin_calls(Plan *plan, uint32_t peer, int64_t start_us)
{
    if (plan->call_us != NULL) {
        int64_t base_us = is_converged(plan, peer) ? plan->spread_us : start_us;

        plan->call_us[peer] = call_at(plan, peer, 0, base_us);
    }
}

static void set_online(Plan *plan, uint32_t peer, bool online)
{
    if (plan->place == NULL || online == (plan->place[peer] != UINT32_MAX)) {
        return;
    }
    if (online) {
        plan->place[peer] = plan->online_len;
        plan->online[plan->online_len++] = peer;
    } else {
        uint32_t last = plan->online[--plan->online_len];

        plan->online[plan->place[peer]] = last;
        plan->place[last] = plan->place[peer];
        plan->place[peer] = UINT32_MAX;
    }
}

/* Puts a peer's first entry, its start at `us`, into its agenda. */
static void plan_begin_peer(Plan *plan, uint32_t peer, int64_t us)
{
    plan->number[peer] = NUMBER_START;
    plan->next_us[peer] = us;
    if (is_converged(plan, peer)) {
        plan->number[peer] = NUMBER_START + 1;
        plan->next_us[peer] = agenda_at(plan, peer, plan->number[peer], 0);
        plan->founded = true;
        set_online(plan, peer, true);
    }
    plan_begin_calls(plan, peer, us);
    if (plan->agenda != NULL) {
        agenda_begin(plan->agenda, peer, us);
    }
}

/* The peers of the start: all, or those whom churn has there. */
static uint32_t plan_begin_first(Plan *plan)
{
    const Scenario *scenario = plan->scenario;
    uint32_t peers = (uint32_t)churn_identities(scenario);
    int64_t interval_ns =
        scenario->start == SCENARIO_START_CONVERGED ? 0 : scenario->join_interval.ns;
    int64_t order = 0;

    for (uint32_t peer = 0; peer < peers; peer++) {
        if (plan_is_first(plan, peer)) {
            plan_begin_peer(plan, peer, order++ * interval_ns / PEAL_NS_PER_US);
        } else {
            plan->next_us[peer] = INT64_MAX;
            if (plan->call_us != NULL) {
                plan->call_us[peer] = INT64_MAX;
            }
        }
    }
    return peers;
}

/* Puts every peer's first entry into its agenda. */
static void plan_begin(Plan *plan)
{
    const Scenario *scenario = plan->scenario;
    uint32_t peer = plan_begin_first(plan);

    if (scenario->start == SCENARIO_START_CONVERGED || plan->agenda != NULL) {
        plan->started = peer;
    }
    for (guint i = 0; i < scenario->events_len; i++) {
        const ScenarioEvent *event = &scenario->events[i];
        int64_t interval_ns =
            event->over.ns > 0 ? event->over.ns / MAX(1, event->count) : scenario->join_interval.ns;

        for (uint32_t j = 0; event->what == SCENARIO_JOIN && j < event->count; j++) {
            plan_begin_peer(plan, peer++, (event->at.ns + j * interval_ns) / PEAL_NS_PER_US);
        }
    }
    PEAL_ASSERT(peer == plan->identities);
    if (plan->stream) {
        plan->stream_us =
            stream_at(plan, 0, scenario->start == SCENARIO_START_CONVERGED ? plan->spread_us : 0);
    }
    plan->earliest_us = 0;
}

static void plan_begin_online(Plan *plan)
{
    const ScenarioWorkload *workload = &plan->scenario->workload;

    if (plan->agenda != NULL && (workload->lookup_target == SCENARIO_TARGET_ONLINE ||
                                 workload->call_target == SCENARIO_CALL_ONLINE)) {
        plan->online = g_new(uint32_t, plan->identities);
        plan->place = g_new(uint32_t, plan->identities);
        memset(plan->place, 0xff, plan->identities * sizeof(*plan->place));
    }
}

/* Windows shrink so that about a WINDOWS_PER_INTERVAL-th of the peers has something in each. */
static void plan_fit_window(Plan *plan, double mean_us)
{
    int64_t window_us = (int64_t)CLAMP(mean_us / WINDOWS_PER_INTERVAL, 1, WINDOW_MAX_US);

    plan->window_us = MIN(plan->window_us, window_us);
}

/* A rate in thousandths an hour as the interval's distribution. */
static Dist plan_interval(Plan *plan, uint64_t rate_milli)
{
    double mean_us = 3600e9 / (double)rate_milli; /* 3600 s, a thousandth of a lookup */

    plan_fit_window(plan, mean_us);
    return (Dist){DIST_EXPONENTIAL, mean_us, 0};
}

Plan *plan_new(const Scenario *point, uint64_t seed)
{
    Plan *plan = g_new0(Plan, 1);
    const ScenarioWorkload *workload = &point->workload;
    uint64_t calls_milli = workload->calls_per_user_hour_milli * workload->users_per_peer;

    plan->scenario = point;
    plan->seed = seed;
    plan->identities = scenario_identities(point);
    plan->users = workload->users_per_peer;
    plan->end_us = point->duration.ns / PEAL_NS_PER_US;
    plan->spread_us = MAX(1, MIN(PLAN_REGISTER_SPREAD.ns / PEAL_NS_PER_US, plan->end_us / 10));
    plan->window_us = WINDOW_MAX_US;
    if (workload->lookups_per_peer_hour_milli > 0) {
        plan->interval = plan_interval(plan, workload->lookups_per_peer_hour_milli);
    }
    if (calls_milli > 0) {
        plan->call_interval = plan_interval(plan, calls_milli);
        plan->call_us = g_new0(int64_t, plan->identities);
        plan->calls = g_new0(uint32_t, plan->identities);
    }
    plan->stream = workload->call_interval.kind != DIST_NONE && plan->users > 0;
    if (plan->stream) {
        plan_fit_window(plan, dist_median_us(&workload->call_interval) * plan->identities);
    }
    plan->next_us = g_new0(int64_t, plan->identities);
    plan->number = g_new0(uint32_t, plan->identities);
    plan->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    plan->scratch = g_array_new(FALSE, FALSE, sizeof(Entry));
    plan->agenda = agenda_new(point, seed);
    plan->recorded = recorded_new(point);
    plan_begin_online(plan);
    plan_begin(plan);
    return plan;
}

void plan_free(Plan *plan)
{
    if (plan == NULL) {
        return;
    }
    g_free(plan->next_us);
    g_free(plan->number);
    g_free(plan->call_us);
    g_free(plan->calls);
    g_free(plan->online);
    g_free(plan->place);
    agenda_free(plan->agenda);
    recorded_free(plan->recorded);
    g_array_unref(plan->entries);
    g_array_unref(plan->scratch);
    g_free(plan);
}

/* One stable pass of the radix sort, by RADIX_BITS of the offset from `shift` on. */
static void radix_pass(const GArray *from, GArray *to, unsigned shift)
{
    const Entry *source = (const Entry *)(const void *)from->data;
    Entry *target;
    guint place[RADIX] = {0};
    guint sum = 0;

    g_array_set_size(to, from->len);
    target = (Entry *)(void *)to->data;
    for (guint i = 0; i < from->len; i++) {
        place[source[i].offset_us >> shift & (RADIX - 1)]++;
    }
    for (guint i = 0; i < RADIX; i++) {
        guint count = place[i];

        place[i] = sum;
        sum += count;
    }
    for (guint i = 0; i < from->len; i++) {
        target[place[source[i].offset_us >> shift & (RADIX - 1)]++] = source[i];
    }
}

/* Collects a peer's calls before `end_us`. Returns the instant of the one after them. */
static int64_t plan_fill_calls(Plan *plan, uint32_t peer, int64_t end_us)
{
    int64_t at_us = plan->call_us[peer];

    while (at_us < end_us) {
        uint32_t number = plan->calls[peer]++;
        Entry entry = {(uint32_t)(at_us - plan->begin_us), peer, NUMBER_CALL | number};

        g_array_append_val(plan->entries, entry);
        at_us = call_at(plan, peer, number + 1, at_us);
    }
    plan->call_us[peer] = at_us;
    return at_us;
}

/* Does so for the calls of the whole overlay: any user's, each. */
static int64_t plan_fill_stream(Plan *plan, int64_t end_us)
{
    while (plan->stream_us < end_us) {
        uint32_t number = plan->streamed++;
        uint64_t raw = (DRAWS_CALLS + number) * DIST_RAW_PER_DRAW + RAW_PEER;
        uint64_t draw = peal_random_at(plan->seed, STREAM_CALLS, raw);
        Entry entry = {(uint32_t)(plan->stream_us - plan->begin_us),
                       (uint32_t)peal_random_below(draw, plan->identities), NUMBER_CALL | number};

        g_array_append_val(plan->entries, entry);
        plan->stream_us = stream_at(plan, number + 1, plan->stream_us);
    }
    return plan->stream_us;
}

/* Peers have as many users as one of them has; with a recorded workload, some have fewer. */
static bool is_nobody(const Plan *plan, const Entry *entry)
{
    return plan->recorded != NULL && entry->number != NUMBER_START &&
           entry->number <= plan->users &&
           replay_user_at(plan->scenario->workload.replay, entry->peer, entry->number - 1) ==
               HISTORY_NOBODY;
}

/* Adds what a peer's agenda has before `end_us`, as far as an entry's number allows. Returns the
 * instant of the one after it. */
static int64_t plan_fill_agenda(Plan *plan, uint32_t peer, int64_t end_us, uint32_t last)
{
    int64_t at_us = plan->next_us[peer];

    if (at_us < end_us) {
        for (; at_us < end_us && plan->number[peer] <= last; plan->number[peer]++) {
            Entry entry = {(uint32_t)(at_us - plan->begin_us), peer, plan->number[peer]};

            if (!is_nobody(plan, &entry)) {
                g_array_append_val(plan->entries, entry);
            }
            at_us = agenda_at(plan, peer, entry.number + 1, at_us);
        }
        plan->next_us[peer] = at_us;
    }
    return at_us;
}

static void plan_fill_turn(Plan *plan, const AgendaTurn *turn)
{
    Entry entry = {(uint32_t)(turn->us - plan->begin_us), turn->peer, NUMBER_RETURN};

    if (turn->up && plan->number[turn->peer] == NUMBER_START) {
        /* Its start and registrations are entries at once: it may go again in this window. */
        plan->next_us[turn->peer] = turn->us;
        plan_begin_calls(plan, turn->peer, turn->us);
        (void)plan_fill_agenda(plan, turn->peer, turn->us + 1, plan->users);
        return;
    }
    if (!turn->up) {
        entry.number = turn->graceful ? NUMBER_LEAVE : NUMBER_CRASH;
        if (plan->number[turn->peer] == NUMBER_START && plan->next_us[turn->peer] > turn->us) {
            plan->next_us[turn->peer] = INT64_MAX; /* its turn to join has not come */
            return;
        }
    }
    g_array_append_val(plan->entries, entry);
}

/* Adds a peer's coming and going before `end_us`. Returns the instant of the next turn. */
static int64_t plan_fill_turns(Plan *plan, uint32_t peer, int64_t end_us)
{
    AgendaTurn turn;

    while (agenda_take(plan->agenda, peer, end_us, &turn)) {
        plan_fill_turn(plan, &turn);
    }
    return agenda_next_us(plan->agenda, peer);
}

/* Does so for all peers of a trace. */
static int64_t plan_fill_lines(Plan *plan, int64_t end_us)
{
    AgendaTurn turn;

    while (agenda_take_line(plan->agenda, end_us, &turn)) {
        plan_fill_turn(plan, &turn);
    }
    return agenda_next_line_us(plan->agenda);
}

/* Collects the window that begins with the earliest entry; false when there is none. */
static bool plan_fill(Plan *plan)
{
    int64_t earliest_us = INT64_MAX;
    int64_t end_us;

    if (plan->earliest_us >= plan->end_us) {
        return false;
    }
    plan->begin_us = plan->earliest_us;
    end_us = MIN(plan->begin_us + plan->window_us, plan->end_us);
    plan->entries_next = 0;
    g_array_set_size(plan->entries, 0);
    if (plan->agenda != NULL) {
        earliest_us = plan_fill_lines(plan, end_us);
    }
    for (uint32_t peer = 0; peer < plan->identities; peer++) {
        if (plan->agenda != NULL) {
            earliest_us = MIN(earliest_us, plan_fill_turns(plan, peer, end_us));
        }
        earliest_us = MIN(earliest_us, plan_fill_agenda(plan, peer, end_us, UINT32_MAX));
        if (plan->call_us != NULL) {
            earliest_us = MIN(earliest_us, plan_fill_calls(plan, peer, end_us));
        }
    }
    if (plan->stream) {
        earliest_us = MIN(earliest_us, plan_fill_stream(plan, end_us));
    }
    plan->earliest_us = earliest_us;
    /* Entries of one instant stay in the order of (peer, number). */
    radix_pass(plan->entries, plan->scratch, 0);
    radix_pass(plan->scratch, plan->entries, RADIX_BITS);
    return true;
}

/* The next entry of an agenda, or NULL when all agendas are empty. */
static const Entry *plan_entry(Plan *plan)
{
    while (plan->entries_next == plan->entries->len) {
        if (!plan_fill(plan)) {
            return NULL;
        }
    }
    return &g_array_index(plan->entries, Entry, plan->entries_next);
}

static PealTime entry_at(const Plan *plan, const Entry *entry)
{
    return entry == NULL ? PEAL_TIME_NEVER
                         : (PealTime){(plan->begin_us + entry->offset_us) * PEAL_NS_PER_US};
}

static PealTime event_at(const Plan *plan)
{
    return plan->events_next < plan->scenario->events_len
               ? plan->scenario->events[plan->events_next].at
               : PEAL_TIME_NEVER;
}

PealTime plan_peek(Plan *plan)
{
    PealTime drawn = peal_time_min(entry_at(plan, plan_entry(plan)), event_at(plan));

    return peal_time_min(drawn, recorded_peek(plan->recorded));
}

/* The peers whose users a target may be: all that have started, or those that are there. */
typedef struct Crowd {
    const uint32_t *list;  /* NULL: peers 0..peers-1 */
    const uint32_t *place; /* with it: per peer, UINT32_MAX for those that are not in it */
    uint32_t peers;
    uint32_t self_rank; /* of the peer itself; UINT32_MAX: it is not among them */
} Crowd;

static Crowd crowd_of(const Plan *plan, bool online, uint32_t self)
{
    if (online && plan->place != NULL) {
        return (Crowd){plan->online, plan->place, plan->online_len, plan->place[self]};
    }
    return (Crowd){NULL, NULL, plan->started, self < plan->started ? self : UINT32_MAX};
}

static uint32_t crowd_peer(const Crowd *crowd, uint64_t rank)
{
    return crowd->list != NULL ? crowd->list[rank] : (uint32_t)rank;
}

static bool crowd_has(const void *data, uint32_t peer)
{
    const Crowd *crowd = data;

    return crowd->place != NULL ? crowd->place[peer] != UINT32_MAX : peer < crowd->peers;
}

/* Draws what a lookup looks up: a key, or a user of another peer that has started. */
static void plan_draw_target(const Plan *plan, PlanAction *action, uint32_t number)
{
    ScenarioTarget target = plan->scenario->workload.lookup_target;
    uint64_t stream = plan_stream(action->peer);
    uint64_t raw = (uint64_t)number * DIST_RAW_PER_DRAW + RAW_TARGET;
    uint64_t draw = peal_random_at(plan->seed, stream, raw);
    Crowd crowd = crowd_of(plan, target == SCENARIO_TARGET_ONLINE, action->peer);
    bool skip_self = crowd.self_rank != UINT32_MAX && crowd.peers > 1;
    uint64_t users = plan->users;
    uint64_t pick;
    uint64_t rank;

    action->keyed = target == SCENARIO_TARGET_RANDOM;
    if (action->keyed) {
        uint64_t low = peal_random_at(plan->seed, stream, raw + 1);

        action->key = peal_id_from_halves((PealIdHalves){.high = draw, .low = low});
        return;
    }
    action->target_peer = action->peer; /* where there is nobody: the asker itself */
    if (plan->recorded != NULL) {
        (void)recorded_target(plan->recorded, draw, crowd_has, &crowd, action);
        return;
    }
    if (crowd.peers == 0) {
        return;
    }
    pick = peal_random_below(draw, (crowd.peers - skip_self) * users);
    rank = pick / users;
    rank += skip_self && rank >= crowd.self_rank;
    action->target_peer = crowd_peer(&crowd, rank);
    action->target_user = (uint32_t)(pick % users);
}

/* Draws who calls whom, and for how long: any two users of peers that have started. */
static void plan_draw_call(const Plan *plan, PlanAction *action)
{
    uint64_t stream = plan->stream ? STREAM_CALLS : plan_stream(action->peer);
    uint64_t raw = (DRAWS_CALLS + action->number) * DIST_RAW_PER_DRAW;
    Crowd crowd =
        crowd_of(plan, plan->scenario->workload.call_target == SCENARIO_CALL_ONLINE, action->peer);
    uint64_t users = (uint64_t)crowd.peers * plan->users;
    bool skip_self = crowd.self_rank != UINT32_MAX;

    action->user = (uint32_t)peal_random_below(peal_random_at(plan->seed, stream, raw + RAW_CALLER),
                                               plan->users);
    action->target_peer = action->peer;
    action->target_user = action->user;
    if (users > skip_self) {
        uint64_t caller = (uint64_t)crowd.self_rank * plan->users + action->user;
        uint64_t callee = peal_random_below(peal_random_at(plan->seed, stream, raw + RAW_TARGET),
                                            users - skip_self);

        callee += skip_self && callee >= caller;
        action->target_peer = crowd_peer(&crowd, callee / plan->users);
        action->target_user = (uint32_t)(callee % plan->users);
    }
    if (plan->scenario->workload.call_target == SCENARIO_CALL_NOBODY) {
        action->target_user += plan->users; /* there is none of that number */
    }
    action->duration = dist_draw(&plan->scenario->workload.call_duration, plan->seed, stream,
                                 DRAWS_DURATIONS + action->number);
}

/* How many peers a starting one may look for others among: 0 for the founder. */
static uint32_t plan_others(Plan *plan, uint32_t peer)
{
    uint32_t others = plan->started;

    if (plan->agenda == NULL) {
        plan->started++;
        return others;
    }
    others = plan->founded ? others : 0;
    plan->founded = true;
    plan->started = MAX(plan->started, peer + 1); /* an event's joiner */
    return others;
}

static void plan_take_start(Plan *plan, PlanAction *action, bool again)
{
    action->kind = PLAN_START;
    action->again = again;
    action->others = plan_others(plan, action->peer);
    set_online(plan, action->peer, true);
}

static void plan_take_entry(Plan *plan, const Entry *entry, PlanAction *action)
{
    action->peer = entry->peer;
    if (entry->number == NUMBER_START) {
        plan_take_start(plan, action, false);
    } else if (entry->number <= plan->users) {
        action->kind = PLAN_REGISTER;
        action->user = entry->number - 1;
    } else if ((entry->number & NUMBER_CALL) != 0) {
        action->kind = PLAN_CALL;
        action->number = entry->number & ~NUMBER_CALL;
        plan_draw_call(plan, action);
    } else if (entry->number == NUMBER_RETURN) {
        plan_take_start(plan, action, true);
    } else if (entry->number == NUMBER_CRASH || entry->number == NUMBER_LEAVE) {
        action->kind = PLAN_STOP;
        action->graceful = entry->number == NUMBER_LEAVE;
        set_online(plan, action->peer, false);
    } else {
        action->kind = PLAN_LOOKUP;
        action->number = entry->number - plan->users - 1;
        plan_draw_target(plan, action, entry->number);
    }
    plan->entries_next++;
}

bool plan_next(Plan *plan, PealTime until, PlanAction *ret_action)
{
    const Entry *entry = plan_entry(plan);
    PealTime agenda = entry_at(plan, entry);
    PealTime event = event_at(plan);
    PealTime at = peal_time_min(peal_time_min(agenda, event), recorded_peek(plan->recorded));
    PlanAction action = {.at = at, .call = UINT32_MAX};

    if (at.ns >= until.ns) {
        return false;
    }
    if (event.ns == at.ns) {
        action.kind = PLAN_EVENT;
        action.event = plan->events_next++;
    } else if (agenda.ns == at.ns) {
        plan_take_entry(plan, entry, &action);
    } else {
        recorded_next(plan->recorded, &action);
    }
    *ret_action = action;
    return true;
}
