/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_sockets.c - see run_sockets.h and <net/run.h>. */
#include "run_sockets.h"

#include <analysis/results.h>
#include <glib/gstdio.h>
#include <net/run.h>
#include <stdio.h>

#include "control_socket.h"
#include "run_config.h"
#include "run_report.h"

#define ROUND_INTERVAL peal_ms(250)
#define ROUND_INTERVAL_CHANGE peal_ms(20) /* while somebody starts or leaves */
#define REPORT_PATIENCE peal_seconds(20)
#define LATE_NOTABLE peal_ms(50)

void run_sockets_fail(RunSockets *run, GError *error)
{
    run->over = true;
    if (run->error == NULL) {
        run->error = error;
    } else {
        g_error_free(error);
    }
}

static PealTime scenario_time(const RunSockets *run, PealTime at)
{
    return (PealTime){peal_time_since(at, run->origin).ns};
}

static PealTime end_of(const RunSockets *run)
{
    return (PealTime){run->job->point->duration.ns};
}

/* Before this instant everything that living peers did is known. */
static PealTime known(const RunSockets *run)
{
    PealTime at = loop_now(run->loop);

    for (uint32_t i = 0; i < run->peers_len; i++) {
        at = peal_time_min(at, run->peers[i].known);
    }
    return at;
}

static RecorderTotals totals_of(const RunSockets *run)
{
    RecorderTotals totals = run->ended;
    RunReach reach = run_truth_reach(run->truth);

    totals.counter[RECORDER_REACHABLE_LOOKUPS] = reach.lookups;
    totals.counter[RECORDER_REACHABLE_FOUND] = reach.found;
    for (uint32_t i = 0; i < run->peers_len; i++) {
        const RunPeer *peer = &run->peers[i];

        if (run_peer_is_up(peer)) {
            recorder_totals_add(&totals, &peer->totals);
            totals.online++;
            totals.joined += peer->joined;
        }
    }
    if (run->phones != NULL) {
        const RunPhonesCounts *counts = run_phones_counts(run->phones);
        const SipCounts *sent = &counts->sent;

        totals.counter[RECORDER_REACHABLE_CALLS] = counts->reachable;
        totals.counter[RECORDER_REACHABLE_ANSWERED] = counts->reachable_answered;
        totals.counter[RECORDER_SIP_MESSAGES] += sent->messages;
        totals.counter[RECORDER_SIP_BYTES] += sent->bytes;
        totals.counter[RECORDER_SIP_LOST] += sent->lost;
    }
    return totals;
}

/* Takes the samples that are due before a scenario time, all with what is known now. */
static void sample(RunSockets *run, PealTime until)
{
    PealTime mark;

    while ((mark = recorder_next_sample(run->job->recorder)).ns <= until.ns &&
           mark.ns < end_of(run).ns) {
        RecorderTotals totals = totals_of(run);

        recorder_sample(run->job->recorder, mark, &totals);
        for (uint32_t i = 0; mark.ns == run->job->point->warmup.ns && i < run->peers_len; i++) {
            run->peers[i].load_warmup = run->peers[i].load;
            run->peers[i].seen = run_peer_is_up(&run->peers[i]);
        }
    }
}

/* Goes through what is known, and ends the run when that is all of it. */
static void settle(RunSockets *run)
{
    PealTime at = known(run);

    if (run->assembly != RUN_ASSEMBLED) {
        run_truth_advance(run->truth, at);
        run_assemble_step(run);
        return;
    }
    run_truth_advance(run->truth,
                      peal_time_min(at, peal_time_add(run->origin, run->job->point->duration)));
    sample(run, scenario_time(run, at));
    run->over = run->over || scenario_time(run, at).ns >= end_of(run).ns;
}

/* Peers. */

static void on_connected(void *user, RunPeer *peer)
{
    run_actions_connected(user, peer);
}

static void on_report(void *user, RunPeer *peer, const json_t *json)
{
    RunSockets *run = user;
    RunReport report;

    if (!run_report_read(json, peer, run->truth, &report)) {
        run_sockets_fail(run,
                         g_error_new(G_FILE_ERROR, G_FILE_ERROR_FAILED,
                                     "peer %u gave a report that cannot be read", peer->index));
        return;
    }
    run->registered += report.registered;
    peer->stored += report.registered;
    run->register_failed += report.register_failed;
    if (report.joined && !peer->joined) {
        peer->joined = true;
        run->ended.counter[RECORDER_PEERS_JOINED]++;
        run_actions_joined(run, peer);
        run_actions_waiting(run);
    }
    if (report.more) {
        run_peer_ask(peer);
    } else {
        peer->known = report.now;
        settle(run);
    }
}

static void on_gone(void *user, RunPeer *peer, bool expected)
{
    RunSockets *run = user;
    bool left = peer->ends == RUN_PEER_LEAVES;

    run_truth_add(run->truth, &(RunEvent){.at = loop_now(run->loop),
                                          .kind = RUN_EVENT_GONE,
                                          .peer = peer->index});
    run_phones_stop(run->phones, peer->index);
    recorder_totals_add(&run->ended, &peer->totals);
    run->ended.counter[left ? RECORDER_PEERS_LEFT : RECORDER_PEERS_FAILED]++;
    if (!expected) {
        g_autofree char *said = run_peer_said(peer);

        run_sockets_fail(run, g_error_new(G_FILE_ERROR, G_FILE_ERROR_FAILED,
                                          "the node of peer %u has ended: %s", peer->index, said));
    } else if (peer->restarts) {
        run_actions_again(run, peer);
    }
}

/* The next round comes in time for the next sample. */
static void set_round(RunSockets *run, PealSpan interval)
{
    PealTime now = loop_now(run->loop);
    PealTime mark = recorder_next_sample(run->job->recorder);

    mark = mark.ns == PEAL_TIME_NEVER.ns ? end_of(run) : mark;
    mark = peal_time_add(run->origin, (PealSpan){mark.ns});
    if (run->assembly != RUN_ASSEMBLED || mark.ns <= now.ns) {
        mark = peal_time_add(now, ROUND_INTERVAL_CHANGE);
    }
    loop_timer_set(run->loop, &run->round, peal_time_min(mark, peal_time_add(now, interval)));
}

/* A round: everybody is asked for a report. */
static void on_round(void *user)
{
    RunSockets *run = user;
    PealTime now = loop_now(run->loop);
    PealSpan interval = ROUND_INTERVAL;

    run_actions_waiting(run);
    run->messages = totals_of(run).counter[RECORDER_MESSAGES];
    for (uint32_t i = 0; i < run->peers_len; i++) {
        RunPeer *peer = &run->peers[i];

        run_peer_ask(peer);
        if (run_peer_is_up(peer) && (!peer->joined || peer->ends != RUN_PEER_STAYS)) {
            interval = ROUND_INTERVAL_CHANGE;
        }
        if (run_peer_is_up(peer) && (peer->asked || peer->link == NULL) &&
            peal_time_since(now, peer->asked_at).ns > REPORT_PATIENCE.ns) {
            g_autofree char *said = run_peer_said(peer);

            run_sockets_fail(run, g_error_new(G_FILE_ERROR, G_FILE_ERROR_FAILED,
                                              "the node of peer %u does not answer: %s",
                                              peer->index, said));
        }
    }
    settle(run);
    set_round(run, interval);
}

/* The end. */

static void check_ring(const RunSockets *run, RunInvariants *invariants)
{
    for (uint32_t i = 0; i < run->peers_len; i++) {
        const RunPeer *peer = &run->peers[i];

        invariants->outside += run_peer_is_up(peer) && !peer->joined;
        if (!run_truth_is_member(run->truth, i)) {
            continue;
        }
        invariants->members++;
        if (scenario_is_central(run->job->point)) {
            invariants->wrong_successors +=
                !run_truth_has_server(run->truth, i, peer->successors.ids, peer->successors.len);
            continue;
        }
        invariants->wrong_successors +=
            !run_truth_is_side(run->truth, i, true, peer->successors.ids,
                               MIN(peer->successors.len, 1), 1);
        invariants->wrong_predecessors +=
            !run_truth_is_side(run->truth, i, false, peer->predecessors.ids,
                               MIN(peer->predecessors.len, 1), 1);
    }
}

static void report_peers(const RunSockets *run)
{
    g_autofree RecorderPeer *peers = g_new0(RecorderPeer, run->peers_len);

    for (uint32_t i = 0; i < run->peers_len; i++) {
        peers[i].messages = (uint32_t)(run->peers[i].load - run->peers[i].load_warmup);
        peers[i].values = run_truth_held(run->truth, i);
        peers[i].seen = run->peers[i].seen;
        peers[i].up = run_peer_is_up(&run->peers[i]);
    }
    recorder_peers(run->job->recorder, peers, run->peers_len);
}

static void add_figures(const RunSockets *run, RunOutcome *outcome)
{
    const RunPhonesCounts *phones = run->phones != NULL ? run_phones_counts(run->phones) : NULL;
    uint64_t registered = phones != NULL ? phones->registered : run->registered;
    uint64_t failed = phones != NULL ? phones->register_failed : run->register_failed;

    run_outcome_invariants(outcome);
    run_outcome_figure(outcome, "lookups.abandoned", (double)run_truth_abandoned(run->truth),
                       RESULTS_SUM);
    run_outcome_figure(outcome, "registrations.stored", (double)registered, RESULTS_SUM);
    run_outcome_figure(outcome, "registrations.failed", (double)failed, RESULTS_SUM);
    if (phones != NULL) {
        run_outcome_figure(outcome, "calls.abandoned", (double)phones->abandoned, RESULTS_SUM);
    }
    if (run->flood != NULL) {
        run_flood_figures(run->flood, outcome);
    }
    run_phones_replay(run->phones, outcome);
}

static void finish(RunSockets *run, RunOutcome *outcome)
{
    PealTime at = peal_time_min(scenario_time(run, known(run)), end_of(run));
    RecorderTotals totals = totals_of(run);

    if (run->phones != NULL) {
        recorder_unfinished_calls(run->job->recorder, run_phones_counts(run->phones)->unanswered);
    }
    check_ring(run, &outcome->invariants);
    run_truth_count_values(run->truth, &outcome->invariants.values,
                           &outcome->invariants.values_lost);
    report_peers(run);
    recorder_unfinished(run->job->recorder, run_truth_unfinished(run->truth));
    recorder_finish(run->job->recorder, (PealTime){MAX(at.ns, 0)}, &totals);
    outcome->messages = totals.counter[RECORDER_MESSAGES];
    outcome->wall_seconds =
        (double)peal_time_since(loop_now(run->loop), run->origin).ns / (double)PEAL_NS_PER_S;
    for (uint32_t i = 0; i < run->peers_len; i++) {
        outcome->events += run->peers[i].load;
        outcome->peak_rss_bytes += run_peer_peak_bytes(&run->peers[i]);
    }
    add_figures(run, outcome);
    if (run->late.ns > LATE_NOTABLE.ns) {
        fprintf(stderr,
                "peal run: this machine is busy: something began up to %.0f ms after it should\n",
                (double)run->late.ns / (double)PEAL_NS_PER_MS);
    }
}

/* The whole replication. */

static void remove_dir(const char *path)
{
    GDir *dir = g_dir_open(path, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *file = g_build_filename(path, name, NULL);

        if (g_file_test(file, G_FILE_TEST_IS_DIR)) {
            remove_dir(file); /* a node's state, which holds files alone */
        } else {
            g_unlink(file);
        }
    }
    g_clear_pointer(&dir, g_dir_close);
    g_rmdir(path);
}

static bool make_dir(RunSockets *run, GError **error)
{
    g_autofree char *longest = NULL;

    run->dir = g_dir_make_tmp("peal-run-XXXXXX", error);
    if (run->dir == NULL) {
        return false;
    }
    longest = g_strdup_printf("%s/peer-%d.sock", run->dir, RUN_PEERS_MAX);
    if (!control_socket_fits(longest)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_NAMETOOLONG,
                    "the path %s is too long for a socket: set TMPDIR to a shorter directory",
                    longest);
        return false;
    }
    return true;
}

static bool prepare(RunSockets *run, GError **error)
{
    const Scenario *point = run->job->point;

    if (!make_dir(run, error)) {
        return false;
    }
    run->scenario = g_build_filename(run->dir, "scenario.conf", NULL);
    run->loop = loop_new(NULL, error);
    if (run->loop == NULL || !run_config_scenario(point, run->scenario, error)) {
        return false;
    }
    run->all = (RunPeers){run->loop, run->dir, on_connected, on_report, on_gone, run};
    run->peers_len = scenario_identities(point);
    run->peers = g_new0(RunPeer, run->peers_len);
    for (uint32_t i = 0; i < run->peers_len; i++) {
        run_peer_init(&run->peers[i], &run->all, i);
    }
    run->waiting = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    run->plan = plan_new(point, run->job->seed);
    loop_refresh(run->loop);
    run->origin = loop_now(run->loop);
    run->truth = run_truth_new(run->job, run->peers_len, run->origin);
    run->assembly = point->start == SCENARIO_START_CONVERGED ? RUN_JOINING : RUN_ASSEMBLED;
    run->action = (LoopTimer){.due = run_actions_due, .user = run};
    run->round = (LoopTimer){.due = on_round, .user = run};
    return true;
}

static void clear(RunSockets *run)
{
    for (uint32_t i = 0; run->peers != NULL && i < run->peers_len; i++) {
        run_peer_fini(&run->peers[i]);
    }
    g_free(run->peers);
    g_clear_pointer(&run->waiting, g_array_unref);
    run_flood_free(run->flood);
    run_phones_free(run->phones);
    plan_free(run->plan);
    run_truth_free(run->truth);
    if (run->loop != NULL) {
        loop_timer_unset(run->loop, &run->action);
        loop_timer_unset(run->loop, &run->round);
        loop_free(run->loop);
    }
    if (run->dir != NULL && run->error == NULL) {
        remove_dir(run->dir);
    }
    g_free(run->scenario);
    g_free(run->dir);
}

/* What the nodes did before is no part of the run. */
static void set_origin(RunSockets *run)
{
    run->assembly = RUN_ASSEMBLED;
    run->origin = loop_now(run->loop);
    run_truth_begin(run->truth, run->origin);
    run->ended = (RecorderTotals){0};
    run->registered = run->register_failed = 0;
    for (uint32_t i = 0; i < run->peers_len; i++) {
        run_peer_begin(&run->peers[i]);
    }
}

void run_sockets_begin(RunSockets *run)
{
    const RunPhonesConfig config = {run->job, run->loop, run->scenario, run->peers_len,
                                    run->origin};
    GError *error = NULL;

    set_origin(run);
    run->phones = run_phones_new(&config, &error);
    if (error == NULL) {
        run->flood = run_flood_new(run, &error);
    }
    if (error != NULL) {
        run_sockets_fail(run, error);
        return;
    }
    run_actions_due(run);
}

/* Shows how far the run is; false: it is to end. */
static bool show(const RunSockets *run)
{
    const RunJob *job = run->job;
    PealTime now = peal_time_min(scenario_time(run, loop_now(run->loop)), end_of(run));
    g_autofree char *text = NULL;

    if (run->assembly == RUN_ASSEMBLED) {
        return job->keep_on(job->user, now, run->messages);
    }
    text = run_assemble_text(run);
    return job->get_ready(job->user, text);
}

static void turn(RunSockets *run)
{
    loop_refresh(run->loop);
    if (run->assembly == RUN_ASSEMBLED) {
        run_sockets_begin(run);
    }
    on_round(run);
    while (!run->over) {
        g_main_context_iteration(loop_context(run->loop), TRUE);
        loop_refresh(run->loop);
        run->over = run->over || !show(run);
    }
    if (run->assembly != RUN_ASSEMBLED) {
        set_origin(run);
    }
}

static bool run_sockets(const RunJob *job, RunOutcome *ret_outcome, GError **error)
{
    RunSockets run = {.job = job};
    bool ok = prepare(&run, error);

    if (ok) {
        turn(&run);
        ok = run.error == NULL;
        if (ok) {
            finish(&run, ret_outcome);
        } else {
            g_propagate_prefixed_error(error, run.error, "logs are in %s: ", run.dir);
        }
    }
    clear(&run);
    return ok;
}

const RunWorld SOCKETS_WORLD = {
    .name = "sockets",
    .results = RESULTS_WORLD_SOCKETS,
    .has_ports = true,
    .check = run_config_check,
    .run = run_sockets,
};
