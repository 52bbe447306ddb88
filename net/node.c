/* SPDX-License-Identifier: GPL-3.0-or-later */
/* node.c - what a node says of itself, and what it makes of its peer's records; see node.h. */
#include "node.h"

#include <stdlib.h>

#include "buffer.h"
#include "log.h"
#include "node_state.h"
#include "notify.h"

enum {
    WAITED_MAX = 5,      /* doublings */
    NODE_LEAVE_REQ = 17, /* RFC 6940 s.14.8 */
};
#define WAITING_TIME peal_seconds(5)

Loop *node_loop(Node *node)
{
    return node->loop;
}

const NodeConfig *node_config(const Node *node)
{
    return node->config;
}

void node_watch(Node *node, const NodeWatch *watch)
{
    node->watch = watch != NULL ? *watch : (NodeWatch){0};
    flows_watch(node->flows, watch != NULL ? &node->watch : NULL);
}

size_t node_stored(const Node *node, const PealId *resource, uint32_t kind)
{
    return node->peer != NULL ? peal_peer_stored(node->peer, resource, kind) : 0;
}

int node_renew(Node *node)
{
    return node->peer != NULL && !node->leaving ? peal_peer_renew(node->peer) : -PEAL_E_STATE;
}

bool node_partition(Node *node, uint32_t ppm, uint32_t event)
{
    if (node->shim != NULL) {
        shim_partition(node->shim, ppm, event);
    }
    return node->shim != NULL;
}

bool node_heal(Node *node)
{
    if (node->shim != NULL) {
        shim_heal(node->shim);
    }
    return node->shim != NULL;
}

static void count_resource(void *user, const PealId *resource, uint32_t kind)
{
    size_t *count = user;

    (void)resource;
    (void)kind;
    *count += 1;
}

static void status_of_peer(const Node *node, NodeStatus *status)
{
    const PealPeer *peer = node->peer;

    status->state = peal_peer_state(peer);
    peal_id_text(peal_peer_id(peer), status->id);
    status->peers = peal_peer_links(peer);
    status->attaching = peal_peer_attaching(peer);
    status->successors_len =
        peal_peer_successors(peer, status->successors, G_N_ELEMENTS(status->successors));
    status->predecessors_len =
        peal_peer_predecessors(peer, status->predecessors, G_N_ELEMENTS(status->predecessors));
    status->fingers_len = peal_peer_fingers(peer, status->fingers, G_N_ELEMENTS(status->fingers));
    status->leaves = node->leaves;
    peal_peer_each_resource(peer, count_resource, &status->resources);
    if (node->sip != NULL) {
        peal_peer_sip_status(peer, &status->sip);
        peal_peer_gate_status(peer, &status->gate);
    }
}

void node_each_binding(const Node *node, bool (*visit)(void *user, const PealSipBinding *binding),
                       void *user)
{
    peal_peer_each_binding(node->peer, visit, user);
}

void node_status(const Node *node, NodeStatus *ret_status)
{
    const NetAddresses *reload = &node->env->addresses[PEAL_SERVICE_RELOAD];
    const NetAddresses *sip = &node->env->addresses[PEAL_SERVICE_SIP];

    loop_refresh(node->loop);
    *ret_status = (NodeStatus){
        .version = PEAL_VERSION,
        .leaving = node->leaving,
        .uptime = peal_time_since(loop_now(node->loop), node->started),
        .reload_addresses_len = reload->len,
        .sip_addresses_len = sip->len,
        .bytes_in = node->tap.bytes_in,
        .bytes_out = node->tap.bytes_out,
        .packets_in = node->tap.packets_in,
        .packets_out = node->tap.packets_out,
        .memory = node->env->memory + buffer_total(),
        .flows = flows_len(node->flows),
        .connections = node->sip != NULL ? sip_sockets_connections(node->sip) : 0,
    };
    if (node->sip != NULL) {
        ret_status->sip_sent = *sip_sockets_sent(node->sip);
        ret_status->sip_received = sip_sockets_received(node->sip);
    }
    memcpy(ret_status->reload_addresses, reload->addr, sizeof(reload->addr));
    memcpy(ret_status->sip_addresses, sip->addr, sizeof(sip->addr));
    if (node->joined.ns != PEAL_TIME_NEVER.ns) {
        ret_status->joined = peal_time_since(loop_now(node->loop), node->joined);
    }
    if (node->peer != NULL) {
        status_of_peer(node, ret_status);
    }
}

/* What the peer reports. */

static NodeLogLevel trace_level(PealTraceKind kind)
{
    switch (kind) {
    case PEAL_TRACE_PARTITION_SEEN:
        return NODE_LOG_WARNING;
    case PEAL_TRACE_JOINED:
    case PEAL_TRACE_LEFT:
        return NODE_LOG_NOTICE;
    case PEAL_TRACE_LINK_UP:
    case PEAL_TRACE_LINK_DOWN:
    case PEAL_TRACE_NEIGHBOURS_CHANGED:
        return NODE_LOG_INFO;
    default:
        return NODE_LOG_DEBUG;
    }
}

static void log_trace(const PealTrace *record)
{
    char key[PEAL_ID_TEXT_LEN];

    peal_id_text(&record->key, key);
    switch ((PealTraceKind)record->kind) {
    case PEAL_TRACE_JOINED:
        log_notice("joined the overlay after %u ms", record->value);
        break;
    case PEAL_TRACE_LEFT:
        log_notice("left the overlay");
        break;
    case PEAL_TRACE_LINK_UP:
        log_info("link to %s is up, %s", key, record->value ? "opened here" : "opened there");
        break;
    case PEAL_TRACE_MESSAGE_DROPPED:
        log_debug("message dropped: %s", peal_drop_name((PealDrop)record->code));
        break;
    default:
        log_line(trace_level((PealTraceKind)record->kind), "%s code %u value %u key %s",
                 peal_trace_name((PealTraceKind)record->kind), record->code, record->value, key);
    }
}

/* Once a doubling of their number, so that a flood of them is no flood in the log. */
static void note_other_overlay(Node *node)
{
    node->dropped_overlay++;
    if ((node->dropped_overlay & (node->dropped_overlay - 1)) == 0) {
        log_warning("messages of another overlay came: %" G_GUINT64_FORMAT
                    " so far; does everybody have the overlay name %s?",
                    node->dropped_overlay, node->config->overlay->overlay_name);
    }
}

void node_on_trace(void *user, const PealTrace *record)
{
    Node *node = user;

    if (record->kind == PEAL_TRACE_JOINED) {
        node->joined = loop_now(node->loop);
        loop_timer_unset(node->loop, &node->waiting);
        notify_manager("STATUS=joined the overlay");
    }
    if (record->kind == PEAL_TRACE_REQUEST_SERVED && record->code == NODE_LEAVE_REQ) {
        node->leaves++;
    }
    if (record->kind == PEAL_TRACE_MESSAGE_DROPPED && record->code == PEAL_DROP_OVERLAY) {
        node->bootstrap_foreign = node->bootstrap_foreign || record->value == 1;
        note_other_overlay(node);
    }
    if (log_wants(trace_level((PealTraceKind)record->kind))) {
        log_trace(record);
    }
    if (node->watch.trace != NULL) {
        node->watch.trace(node->watch.user, record);
    }
}

void node_on_done(void *user, uint64_t token, const PealOutcome *outcome)
{
    Node *node = user;

    if (token == NODE_TOKEN_LEAVE) {
        loop_timer_set(node->loop, &node->leave_limit, loop_now(node->loop));
        return;
    }
    requests_on_done(node, token, outcome);
}

/* Waiting for the overlay. */

static void still_waiting(void *user)
{
    Node *node = user;
    g_autofree char *hosts = g_strjoinv(", ", node->config->bootstrap.words);
    int64_t seconds = peal_time_since(loop_now(node->loop), node->started).ns / PEAL_NS_PER_S;

    if (node->bootstrap_foreign && node->bootstrap_len == 1) {
        log_error(
            "the peer at %s is of another overlay than %s: set overlay.name to the name of its "
            "overlay, or overlay.bootstrap to a peer of this one",
            hosts, node->config->overlay->overlay_name);
        node->status = EXIT_FAILURE;
        g_main_loop_quit(node->main);
        return;
    }
    log_warning("not joined after %" G_GINT64_FORMAT
                " s: no bootstrap peer (%s) answers, or none as a peer of this overlay; are they "
                "up and reachable, and is the overlay name %s theirs too? Trying on",
                seconds, hosts, node->config->overlay->overlay_name);
    node_expect_join(node);
}

void node_expect_join(Node *node)
{
    node->waiting.due = still_waiting;
    node->waiting.user = node;
    loop_timer_set(node->loop, &node->waiting,
                   peal_time_add(loop_now(node->loop),
                                 (PealSpan){WAITING_TIME.ns << MIN(node->waited, WAITED_MAX)}));
    node->waited++;
}

/* Leaving. */

static void left(void *user)
{
    Node *node = user;

    g_main_loop_quit(node->main);
}

void node_leave(Node *node)
{
    PealSpan limit = {node->overlay.request_timeout.ns + PEAL_NS_PER_S};

    if (node->leaving) {
        return;
    }
    node->leaving = true;
    node->leave_limit.due = left;
    node->leave_limit.user = node;
    loop_refresh(node->loop);
    notify_manager("STOPPING=1");
    loop_timer_unset(node->loop, &node->waiting);
    if (node->peer == NULL || peal_peer_leave(node->peer, NODE_TOKEN_LEAVE) != 0) {
        limit = (PealSpan){0}; /* there is nothing to leave yet */
    }
    loop_timer_set(node->loop, &node->leave_limit, peal_time_add(loop_now(node->loop), limit));
}
