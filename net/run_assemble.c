/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_assemble.c - a converged start: nodes join one after the other before time 0, which is when
 * the ring is right and each node has looked for its fingers in it. */
#include "run_sockets.h"

#define PATIENCE peal_seconds(60)
#define PATIENCE_PEER peal_seconds(1) /* more for each */

/* Is this a peer that is there at time 0? */
static bool is_first(const RunSockets *run, uint32_t index)
{
    return plan_is_first(run->plan, index);
}

static uint32_t first_peers(const RunSockets *run)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < run->peers_len; i++) {
        count += is_first(run, i);
    }
    return count;
}

static uint32_t count_joined(const RunSockets *run)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < run->peers_len; i++) {
        count += run->peers[i].joined;
    }
    return count;
}

static bool is_side_right(const RunSockets *run, const RunPeer *peer, bool successors)
{
    const PealOverlay *overlay = &run->job->point->overlay;
    const RunSide *side = successors ? &peer->successors : &peer->predecessors;
    uint32_t max = successors ? overlay->successors : MAX(overlay->predecessors, 1);

    return run_truth_is_side(run->truth, peer->index, successors, side->ids, side->len, max);
}

static bool is_right(const RunSockets *run, const RunPeer *peer)
{
    if (scenario_is_central(run->job->point)) {
        return run_truth_has_server(run->truth, peer->index, peer->successors.ids,
                                    peer->successors.len);
    }
    return is_side_right(run, peer, true) && is_side_right(run, peer, false);
}

/* The first node whose neighbours are not those that it should have; NULL: there is none. */
static const RunPeer *find_wrong(const RunSockets *run)
{
    for (uint32_t i = 0; i < run->peers_len; i++) {
        const RunPeer *peer = &run->peers[i];

        if (is_first(run, i) && !is_right(run, peer)) {
            return peer;
        }
    }
    return NULL;
}

static uint32_t count_renewed(const RunSockets *run)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < run->peers_len; i++) {
        count += run->peers[i].renewed;
    }
    return count;
}

static void renew_all(RunSockets *run)
{
    for (uint32_t i = 0; i < run->peers_len; i++) {
        run_peer_renew(&run->peers[i]);
    }
}

char *run_assemble_text(const RunSockets *run)
{
    const RunPeer *wrong;

    switch (run->assembly) {
    case RUN_JOINING:
        return g_strdup_printf("joining, %u of %u have", count_joined(run), first_peers(run));
    case RUN_SETTLING:
        wrong = find_wrong(run);
        return wrong == NULL
                   ? g_strdup("the ring is right")
                   : g_strdup_printf("peer %u has other neighbours than it should", wrong->index);
    case RUN_RENEWING:
        return g_strdup_printf("looking for fingers, %u of %u have", count_renewed(run),
                               first_peers(run));
    case RUN_ASSEMBLED:
        break;
    }
    return g_strdup("ready");
}

static void check_patience(RunSockets *run)
{
    int64_t limit_ns = PATIENCE.ns + PATIENCE_PEER.ns * first_peers(run);
    g_autofree char *text = NULL;

    if (peal_time_since(loop_now(run->loop), run->origin).ns <= limit_ns) {
        return;
    }
    text = run_assemble_text(run);
    run_sockets_fail(run, g_error_new(G_FILE_ERROR, G_FILE_ERROR_FAILED,
                                      "%u peers were to be a converged overlay within %d s, and "
                                      "are not: %s",
                                      first_peers(run), (int)(limit_ns / PEAL_NS_PER_S), text));
}

/* The next one starts once the one before has joined. */
static void join_next(RunSockets *run)
{
    uint32_t next = run->started;

    if (next > 0 && !run->peers[next - 1].joined) {
        return;
    }
    while (next < run->peers_len && !is_first(run, next)) {
        next++;
    }
    if (next < run->peers_len) {
        run_actions_start(run, next, run->started);
    } else {
        run->assembly = RUN_SETTLING;
    }
}

void run_assemble_step(RunSockets *run)
{
    if (run->assembly == RUN_JOINING) {
        join_next(run);
    }
    if (run->assembly == RUN_SETTLING && find_wrong(run) == NULL) {
        renew_all(run);
        run->assembly = RUN_RENEWING;
    }
    if (run->assembly == RUN_RENEWING && count_renewed(run) == first_peers(run) &&
        find_wrong(run) == NULL) {
        run->assembly = RUN_ASSEMBLED;
        run_sockets_begin(run);
        return;
    }
    check_patience(run);
}
