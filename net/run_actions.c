/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_actions.c - what the plan has nodes do: start, register, look up, leave, fail. */
#include <peal_openssl/crypto.h>
#include <scenarios/network.h>

#include "run_config.h"
#include "run_sockets.h"

static PealTime scenario_now(const RunSockets *run)
{
    return (PealTime){peal_time_since(loop_now(run->loop), run->origin).ns};
}

static bool has_joined(void *user, uint32_t other)
{
    const RunSockets *run = user;

    return run->peers[other].joined;
}

static bool is_anybody(const RunSockets *run, bool joined)
{
    for (uint32_t i = 0; i < run->peers_len; i++) {
        if (joined ? run->peers[i].joined : run_peer_is_up(&run->peers[i])) {
            return true;
        }
    }
    return false;
}

/* With nobody joined anywhere the overlay is gone, and whoever comes first founds it anew. While
 * there is somebody, he names one that is there. A central server is named, up or not. */
static size_t find_bootstrap(RunSockets *run, uint32_t index, uint32_t others,
                             uint32_t ret_peers[PLAN_BOOTSTRAP_MAX])
{
    size_t len;

    if (scenario_is_central(run->job->point)) {
        ret_peers[0] = 0;
        return index != 0;
    }
    len = others == 0 ? 0
                      : plan_bootstraps(run->job->seed, index, others, has_joined, run, ret_peers);
    for (uint32_t i = 0; len == 0 && others > 0 && i < run->peers_len; i++) {
        if (i != index && run->peers[i].joined) {
            ret_peers[len++] = i;
        }
    }
    return len;
}

void run_actions_start(RunSockets *run, uint32_t index, uint32_t others)
{
    RunPeer *peer = &run->peers[index];
    uint32_t bootstrap[PLAN_BOOTSTRAP_MAX];
    g_autofree char *path = run_peer_path(peer, ".conf");
    g_autofree char *control = run_peer_path(peer, ".sock");
    g_autofree char *log = run_peer_path(peer, ".log");
    g_autofree char *state = run_peer_path(peer, ".state");
    RunConfigNode config = {.job = run->job,
                            .scenario = run->scenario,
                            .control = control,
                            .log = log,
                            .state = state,
                            .peer = index,
                            .bootstrap = bootstrap};
    GError *error = NULL;

    if (run_peer_is_up(peer)) {
        return;
    }
    run->started = MAX(run->started, index + 1);
    if (!scenario_is_central(run->job->point) && !is_anybody(run, true) && is_anybody(run, false)) {
        g_array_append_val(run->waiting, index); /* a founder is on its way */
        return;
    }
    config.bootstrap_len = find_bootstrap(run, index, others, bootstrap);
    if (!run_config_node(&config, path, &error) || !run_peer_start(peer, &error)) {
        run_sockets_fail(run, error);
    }
}

static void register_users(RunSockets *run, RunPeer *peer)
{
    GError *error = NULL;

    while (peer->registered < peer->users->len) {
        char text[PLAN_AOR_MAX];
        uint32_t user = g_array_index(peer->users, uint32_t, peer->registered++);

        if (run->phones != NULL) {
            if (!run_phones_register(run->phones, peer->index, user, &error)) {
                run_sockets_fail(run, error);
                return;
            }
            continue;
        }
        run_peer_register(peer, scenario_aor(run->job->point, peer->index, user, text),
                          scenario_register_expires_s(run->job->point, run->job->seed, peer->index,
                                                      user));
    }
}

void run_actions_joined(RunSockets *run, RunPeer *peer)
{
    if (run_peer_works(peer)) {
        register_users(run, peer);
    }
}

void run_actions_again(RunSockets *run, RunPeer *peer)
{
    peer->restarts = false;
    run_actions_start(run, peer->index, run->started);
}

void run_actions_waiting(RunSockets *run)
{
    if (run->waiting->len > 0 && (is_anybody(run, true) || !is_anybody(run, false))) {
        g_autoptr(GArray) waiting = run->waiting;

        run->waiting = g_array_new(FALSE, FALSE, sizeof(uint32_t));
        for (guint i = 0; i < waiting->len; i++) {
            run_actions_start(run, g_array_index(waiting, uint32_t, i), run->started);
        }
    }
}

static bool is_reachable(const RunSockets *run, uint32_t index, uint32_t user)
{
    const RunPeer *peer = &run->peers[index];

    /* Users without phones register one after the other. */
    return run_peer_works(peer) &&
           (run->phones != NULL ? run_phones_is_registered(run->phones, index, user)
                                : user < peer->stored);
}

static void look_up(RunSockets *run, const PlanAction *action)
{
    uint32_t number;
    RunPeer *peer = &run->peers[action->peer];
    char text[PLAN_AOR_MAX];
    PealId key = action->key;
    int status = 0;

    if (!run_peer_works(peer) || run_flood_concerns(run->flood, action)) {
        return;
    }
    if (!action->keyed) {
        status = peal_aor_resource(peal_openssl_crypto(),
                                   scenario_aor(run->job->point, action->target_peer,
                                                action->target_user, text),
                                   &key);
    }
    PEAL_ASSERT(status == 0);
    number = run_truth_lookup(run->truth, peer->index, &key, action->keyed);
    if (!action->keyed && is_reachable(run, action->target_peer, action->target_user)) {
        run_truth_reachable(run->truth, number, action->target_peer);
    }
    run_peer_fetch(peer, number, &key);
}

static gint compare_ring(gconstpointer a, gconstpointer b, gpointer user)
{
    const RunSockets *run = user;
    PealId left = plan_node_id(run->job->seed, *(const uint32_t *)a);
    PealId right = plan_node_id(run->job->seed, *(const uint32_t *)b);

    return peal_id_compare(&left, &right);
}

/* Is this a peer that the event can concern: one that is up to stay, or, to start again, one that
 * was up and is not, or not for long? */
static bool is_candidate(const RunSockets *run, const RunPeer *peer, const ScenarioEvent *event)
{
    bool stays = run_peer_is_up(peer) && peer->ends == RUN_PEER_STAYS;

    if (event->what == SCENARIO_START) {
        return !stays && peer->index < run->started;
    }
    return stays && (peer->joined || !event->adjacent);
}

static void concern(RunSockets *run, RunPeer *peer, ScenarioDo what)
{
    peer->restarts = what == SCENARIO_RESTART || what == SCENARIO_START;
    if (what != SCENARIO_START) {
        run_peer_end(peer, what == SCENARIO_LEAVE ? RUN_PEER_LEAVES : RUN_PEER_FAILS);
    } else if (!run_peer_is_up(peer)) {
        run_actions_again(run, peer);
    }
}

/* Puts candidates into the order of their distance from the one whose region it is. */
static bool sort_near(RunSockets *run, uint32_t number, GArray *candidates)
{
    uint32_t *peers = (uint32_t *)(void *)candidates->data;
    GError *error = NULL;
    g_autoptr(Network) network =
        network_new(run->job->point, run->job->seed, run->peers_len, &error);

    if (network == NULL) {
        run_sockets_fail(run, error);
        return false;
    }
    if (candidates->len > 0) {
        network_sort_near(network,
                          plan_region_centre(run->job->seed, number, peers, candidates->len), peers,
                          candidates->len);
    }
    return true;
}

static void concern_peers(RunSockets *run, uint32_t number)
{
    const ScenarioEvent *event = &run->job->point->events[number];
    g_autoptr(GArray) candidates = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    g_autofree uint32_t *victims = NULL;
    uint32_t len;

    for (uint32_t i = 0; i < run->peers_len; i++) {
        if (is_candidate(run, &run->peers[i], event)) {
            g_array_append_val(candidates, i);
        }
    }
    if (event->adjacent) {
        g_array_sort_with_data(candidates, compare_ring, run);
    }
    if (event->region && !sort_near(run, number, candidates)) {
        return;
    }
    victims = plan_victims(run->job->point, run->job->seed, number,
                           (const uint32_t *)(const void *)candidates->data, candidates->len, &len);
    for (uint32_t i = 0; i < len; i++) {
        concern(run, &run->peers[victims[i]], event->what);
    }
}

void run_actions_connected(RunSockets *run, RunPeer *peer)
{
    const ScenarioEvent *partition = run->partition;

    if (partition != NULL) {
        run_peer_partition(peer, partition->ppm, (uint32_t)(partition - run->job->point->events));
    }
}

static void partition_all(RunSockets *run, const ScenarioEvent *event)
{
    run->partition = event->what == SCENARIO_PARTITION ? event : NULL;
    run_phones_partition(run->phones, run->partition != NULL ? event->ppm : 0,
                         (uint32_t)(event - run->job->point->events));
    for (uint32_t i = 0; i < run->peers_len; i++) {
        if (event->what == SCENARIO_PARTITION) {
            run_actions_connected(run, &run->peers[i]);
        } else {
            run_peer_partition(&run->peers[i], 0, 0);
        }
    }
}

static void happen(RunSockets *run, uint32_t number)
{
    const ScenarioEvent *event = &run->job->point->events[number];
    g_autofree char *text = scenario_event_text(event);

    recorder_event(run->job->recorder, scenario_now(run), text);
    switch (event->what) {
    case SCENARIO_JOIN:
        break; /* its peers come as starts of their own */
    case SCENARIO_PARTITION:
    case SCENARIO_HEAL:
        partition_all(run, event);
        break;
    case SCENARIO_LEAVE:
    case SCENARIO_RESTART:
    case SCENARIO_FAIL:
    case SCENARIO_START:
        concern_peers(run, number);
        break;
    }
}

/* A peer ends by churn, and does not start if it was about to. */
static void stop(RunSockets *run, RunPeer *peer, bool graceful)
{
    peer->restarts = false;
    for (guint i = run->waiting->len; i > 0; i--) {
        if (g_array_index(run->waiting, uint32_t, i - 1) == peer->index) {
            g_array_remove_index(run->waiting, i - 1);
        }
    }
    if (run_peer_is_up(peer) && peer->ends == RUN_PEER_STAYS) {
        run_peer_end(peer, graceful ? RUN_PEER_LEAVES : RUN_PEER_FAILS);
    }
}

/* A recorded REGISTER: unless its peer is away, for then the phone registers when that is back. */
static void renew(RunSockets *run, const PlanAction *action)
{
    if (run->phones != NULL && run_peer_works(&run->peers[action->peer]) &&
        !run_flood_has(run->flood, action->peer)) {
        run_phones_renew(run->phones, action);
    }
}

static void carry_out(RunSockets *run, const PlanAction *action)
{
    RunPeer *peer;

    switch (action->kind) {
    case PLAN_START:
        peer = &run->peers[action->peer];
        if (run_peer_is_up(peer) && peer->ends != RUN_PEER_STAYS) {
            peer->restarts = true; /* when its process has ended */
        } else {
            run_actions_start(run, action->peer, action->others);
        }
        break;
    case PLAN_STOP:
        stop(run, &run->peers[action->peer], action->graceful);
        break;
    case PLAN_UNREGISTER:
        renew(run, action);
        break;
    case PLAN_REGISTER:
        if (action->expires_s > 0) {
            renew(run, action);
            break;
        }
        peer = &run->peers[action->peer];
        if (run_flood_has(run->flood, action->peer)) {
            break; /* nobody there is an honest user */
        }
        g_array_append_val(peer->users, action->user);
        if (run_peer_works(peer)) {
            register_users(run, peer);
        }
        break;
    case PLAN_LOOKUP:
        look_up(run, action);
        break;
    case PLAN_CALL:
        if (run->phones != NULL && run_peer_works(&run->peers[action->peer]) &&
            !run_flood_concerns(run->flood, action)) {
            run_phones_call(run->phones, action);
        }
        break;
    case PLAN_EVENT:
        happen(run, action->event);
        break;
    }
}

void run_actions_due(void *user)
{
    RunSockets *run = user;
    PealTime now = scenario_now(run);
    PealTime next;
    PlanAction action;

    while (!run->over && plan_next(run->plan, (PealTime){now.ns + 1}, &action)) {
        run->late.ns = MAX(run->late.ns, now.ns - action.at.ns);
        carry_out(run, &action);
    }
    next = plan_peek(run->plan);
    if (next.ns != PEAL_TIME_NEVER.ns) {
        loop_timer_set(run->loop, &run->action, peal_time_add(run->origin, (PealSpan){next.ns}));
    }
}
