/* SPDX-License-Identifier: GPL-3.0-or-later */
/* peer.c - wires the parts of one peer together; see <peal/peer.h>. */
#include "peer.h"

#include "security/defence.h"

enum { BLOCK_ALIGN = 64 };

_Static_assert(sizeof(PealPeer) <= 448, "a peer exists a million times");

size_t peal_peer_size(void)
{
    return (sizeof(PealPeer) + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
}

static const TopologyOps *const TOPOLOGIES[] = {
    [PEAL_TOPOLOGY_CHORD] = &CHORD_OPS, [PEAL_TOPOLOGY_CENTRAL] = &CENTRAL_OPS};

PealPeer *peal_peer_init(void *memory, PealEnv *env, const PealOverlay *overlay, const PealId *id)
{
    PealPeer *peer = memory;

    peer->env = env;
    peer->overlay = overlay;
    peer->topology = TOPOLOGIES[overlay->topology];
    peer->id = *id;
    peer->wake_at = PEAL_TIME_NEVER;
    peer_set_started(peer, peer_now(peer));
    peer->state = PEAL_PEER_IDLE;
    links_init(peer);
    pending_init(peer);
    attach_init(peer);
    bootstrap_init(peer);
    storage_init(peer);
    location_init(peer);
    peer->topology->init(peer);
    defence_init(peer);
    return peer;
}

void peal_peer_fini(PealPeer *peer)
{
    links_fini(peer);
    pending_fini(peer);
    attach_fini(peer);
    bootstrap_fini(peer);
    storage_fini(peer);
    location_fini(peer);
    sip_fini(peer);
    reassembly_fini(&peer->reassembly, peer->env);
    peer->topology->fini(peer);
    defence_fini(peer);
}

void peer_schedule(PealPeer *peer)
{
    PealTime at = peal_time_min(peer->links.deadline, peer->pending.deadline);

    at = peal_time_min(at, peer->topology->deadline(peer));
    at = peal_time_min(at, peal_time_min(peer->attaches.deadline, peer->bootstrap.deadline));
    at = peal_time_min(at, peal_time_min(peer->storage.deadline, peer->location.deadline));
    at = peal_time_min(at, reassembly_deadline(&peer->reassembly));
    if (peer->sip != NULL) {
        at = peal_time_min(at, sip_deadline(peer));
    }
    if (peer->defence != NULL) {
        at = peal_time_min(at, peer->defence->deadline);
    }
    if (at.ns != peer->wake_at.ns) {
        peer->wake_at = at;
        peer->env->ops->wake_at(peer->env, at);
    }
}

static int start(PealPeer *peer, const PealTarget *bootstrap, size_t bootstrap_len, bool first)
{
    int error;

    if (peer->state != PEAL_PEER_IDLE) {
        return -PEAL_E_STATE;
    }
    error = bootstrap_set(peer, bootstrap, bootstrap_len);
    if (error != 0) {
        return error;
    }
    peer->state = PEAL_PEER_JOINING;
    peer_set_started(peer, peer_now(peer));
    if (bootstrap_len == 0) {
        peer->topology->found(peer);
    } else {
        bootstrap_first(peer, first);
        if (!puzzle_join_waits(peer)) {
            bootstrap_seek(peer);
        }
    }
    peer_schedule(peer);
    return 0;
}

int peal_peer_start(PealPeer *peer, const PealTarget *bootstrap, size_t bootstrap_len)
{
    return start(peer, bootstrap, bootstrap_len, false);
}

int peal_peer_start_first(PealPeer *peer, const PealTarget *bootstrap, size_t bootstrap_len)
{
    return start(peer, bootstrap, bootstrap_len, true);
}

int peal_peer_bootstrap(PealPeer *peer, const PealTarget *bootstrap, size_t bootstrap_len)
{
    return bootstrap_set(peer, bootstrap, bootstrap_len);
}

int peal_peer_leave(PealPeer *peer, uint64_t token)
{
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    location_leave(peer);
    if (peer->sip != NULL) {
        sip_leave(peer);
    }
    peer->topology->leave(peer, token);
    peer_schedule(peer);
    return 0;
}

void peer_left(PealPeer *peer, uint64_t token)
{
    peer->state = PEAL_PEER_LEFT;
    peer_trace(peer, PEAL_TRACE_LEFT, 0, 0, 0, &peer->id);
    peer->env->ops->done(peer->env, token, &(PealOutcome){.responder = peer->id});
}

void peal_peer_on_wake(PealPeer *peer)
{
    PealTime now = peer_now(peer);

    peer->wake_at = PEAL_TIME_NEVER;
    pending_on_wake(peer, now);
    link_on_wake(peer, now);
    attach_on_wake(peer, now);
    bootstrap_on_wake(peer, now);
    peer->topology->on_wake(peer, now);
    storage_on_wake(peer, now);
    location_on_wake(peer, now);
    reassembly_on_wake(&peer->reassembly, peer->env, now);
    if (peer->sip != NULL) {
        sip_on_wake(peer, now);
    }
    if (peer->defence != NULL) {
        defence_on_wake(peer, now);
    }
    peer_schedule(peer);
}

void peal_peer_on_flow_up(PealPeer *peer, PealFlow flow, bool opened, const PealId *identity)
{
    link_on_flow_up(peer, flow, opened, identity);
    peer_schedule(peer);
}

void peal_peer_on_flow_down(PealPeer *peer, PealFlow flow)
{
    link_on_flow_down(peer, flow);
    peer_schedule(peer);
}

/* The way most messages go: what is passed on changes no deadline but its link's, which lowers it
 * itself. */
void peal_peer_on_bytes_take(PealPeer *peer, PealFlow flow, PealBuf *buf)
{
    link_on_bytes_take(peer, flow, buf);
}

void peal_peer_adopt(PealPeer *peer, PealFlow flow, const PealId *identity)
{
    link_adopt(peer, flow, identity);
}

void peal_peer_converge(PealPeer *peer, PealRingView *view)
{
    peer_set_started(peer, peer_now(peer));
    peer->topology->converge(peer, view);
    peer_schedule(peer);
}

int peal_peer_renew(PealPeer *peer)
{
    if (peer->state != PEAL_PEER_JOINED) {
        return -PEAL_E_STATE;
    }
    peer->topology->renew(peer);
    peer_schedule(peer);
    return 0;
}

int peer_grow(PealPeer *peer, void *array_ptr, uint32_t *cap, uint32_t need, size_t element)
{
    uint32_t larger = *cap;
    void *old;
    void *fresh;

    if (need <= *cap) {
        return 0;
    }
    /* Half as much again, but exactly what is asked for at first: most peers have few of
     * anything. */
    larger = larger + larger / 2 > need ? larger + larger / 2 : need;
    fresh = peer_alloc(peer, larger * element);
    if (fresh == NULL) {
        return -PEAL_E_MEMORY;
    }
    memcpy(&old, array_ptr, sizeof(old));
    if (*cap > 0) {
        memcpy(fresh, old, *cap * element);
        peer_release(peer, old, *cap * element);
    }
    memcpy(array_ptr, &fresh, sizeof(fresh));
    *cap = larger;
    return 0;
}

void peer_trace(PealPeer *peer, PealTraceKind kind, uint16_t code, uint32_t value,
                uint64_t transaction, const PealId *key)
{
    const PealTrace record = {.kind = (uint16_t)kind,
                              .code = code,
                              .value = value,
                              .transaction = transaction,
                              .key = *key};

    peer->env->ops->trace(peer->env, &record);
}

void peer_drop(PealPeer *peer, PealDrop why, uint16_t code, uint64_t transaction)
{
    peer_trace(peer, PEAL_TRACE_MESSAGE_DROPPED, (uint16_t)why, code, transaction, &peer->id);
}

/* Looks from outside. */

PealPeerState peal_peer_state(const PealPeer *peer)
{
    return (PealPeerState)peer->state;
}

const PealId *peal_peer_id(const PealPeer *peer)
{
    return &peer->id;
}

size_t peal_peer_successors(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    return peer->topology->list(peer, TOPOLOGY_SUCCESSORS, ret_ids, max);
}

size_t peal_peer_predecessors(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    return peer->topology->list(peer, TOPOLOGY_PREDECESSORS, ret_ids, max);
}

size_t peal_peer_fingers(const PealPeer *peer, PealId *ret_ids, size_t max)
{
    return peer->topology->list(peer, TOPOLOGY_FINGERS, ret_ids, max);
}

size_t peal_peer_links(const PealPeer *peer)
{
    return peer->links.index_len;
}

size_t peal_peer_attaching(const PealPeer *peer)
{
    return peer->attaches.list_len;
}

bool peal_peer_responsible(const PealPeer *peer, const PealId *resource)
{
    return peer->topology->responsible(peer, resource);
}
