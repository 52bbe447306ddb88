/* SPDX-License-Identifier: GPL-3.0-or-later */
/* bootstrap.c - finding a way into the overlay; see bootstrap.h. */
#include "overlay/bootstrap.h"

#include "peer.h"

enum { DOUBLINGS_MAX = 6 };

void bootstrap_init(PealPeer *peer)
{
    peer->bootstrap = (Bootstrap){.deadline = PEAL_TIME_NEVER, .found_at = PEAL_TIME_NEVER};
}

void bootstrap_fini(PealPeer *peer)
{
    Bootstrap *bootstrap = &peer->bootstrap;

    if (bootstrap->addrs != NULL) {
        peer_release(peer, bootstrap->addrs, bootstrap->addrs_len * sizeof(*bootstrap->addrs));
    }
    bootstrap_init(peer);
}

int bootstrap_set(PealPeer *peer, const PealTarget *targets, size_t targets_len)
{
    Bootstrap *bootstrap = &peer->bootstrap;
    BootstrapAddr *copy;

    if (targets_len > BOOTSTRAP_MAX) {
        return -PEAL_E_ARG;
    }
    bootstrap_fini(peer);
    if (targets_len == 0) {
        return 0;
    }
    copy = peer_alloc(peer, targets_len * sizeof(*copy));
    if (copy == NULL) {
        return -PEAL_E_MEMORY;
    }
    for (size_t i = 0; i < targets_len; i++) {
        copy[i] = (BootstrapAddr){targets[i].addr, {LINK_NONE, 0}};
    }
    bootstrap->addrs = copy;
    bootstrap->addrs_len = (uint8_t)targets_len;
    return 0;
}

/* What comes first, the next try or the founding. */
static void watch(PealPeer *peer, PealTime try_at)
{
    peer->bootstrap.deadline = peal_time_min(try_at, peer->bootstrap.found_at);
    peer_wake_by(peer, peer->bootstrap.deadline);
}

void bootstrap_first(PealPeer *peer, bool first)
{
    peer->bootstrap.first = first;
    if (first) {
        peer->bootstrap.found_at = peal_time_add(peer_now(peer), PEAL_FOUND_AFTER);
    }
}

/* Nobody was heard of who is in the overlay: then it is where this peer is. */
static void found(PealPeer *peer, PealTime now)
{
    Bootstrap *bootstrap = &peer->bootstrap;
    PealId other;

    bootstrap->found_at = PEAL_TIME_NEVER;
    if (peer->state != PEAL_PEER_JOINING) {
        return;
    }
    if (peer->topology->list(peer, TOPOLOGY_SUCCESSORS, &other, 1) > 0) {
        bootstrap->found_at = peal_time_add(now, PEAL_FOUND_AFTER);
        return;
    }
    peer->topology->found(peer);
    /* A bootstrap peer that was found, but let nobody in, may be in it by now. */
    bootstrap->wanted = true;
}

static void arrived(PealPeer *peer, uint16_t link)
{
    Bootstrap *bootstrap = &peer->bootstrap;

    bootstrap->wanted = false;
    bootstrap->trying = false;
    watch(peer, PEAL_TIME_NEVER);
    peer->topology->on_bootstrap(peer, link);
}

static PealSpan patience(unsigned tries)
{
    PealSpan wait = peal_seconds(INT64_C(1) << (tries < DOUBLINGS_MAX ? tries : DOUBLINGS_MAX));

    return wait.ns < BOOTSTRAP_WAIT_MAX.ns ? wait : BOOTSTRAP_WAIT_MAX;
}

/* A link that led to this bootstrap peer before, and is still up, serves again. */
static void try_next(PealPeer *peer)
{
    Bootstrap *bootstrap = &peer->bootstrap;
    uint64_t pick = peal_random_below(peer_random(peer, PEAL_DRAW_ROUTE), bootstrap->addrs_len);
    BootstrapAddr *addr = &bootstrap->addrs[pick];
    uint16_t slot;

    if (link_valid(&peer->links, addr->flow) &&
        link_at(&peer->links, addr->flow.index)->phase == LINK_UP) {
        arrived(peer, addr->flow.index);
        return;
    }
    /* The wait grows with the rounds through all addresses, not with each. */
    watch(peer, peal_time_add(peer_now(peer), patience(bootstrap->tries / bootstrap->addrs_len)));
    bootstrap->tries = (uint8_t)(bootstrap->tries < UINT8_MAX ? bootstrap->tries + 1 : UINT8_MAX);
    bootstrap->trying = link_open(peer, &addr->addr, NULL, &slot) == 0;
    if (bootstrap->trying) {
        addr->flow = (PealFlow){slot, link_at(&peer->links, slot)->generation};
        bootstrap->flow = addr->flow;
    }
}

void bootstrap_seek(PealPeer *peer)
{
    Bootstrap *bootstrap = &peer->bootstrap;

    if (bootstrap->addrs_len > 0 && !bootstrap->wanted) {
        bootstrap->wanted = true;
        bootstrap->tries = 0;
        try_next(peer);
    }
}

void bootstrap_on_link_up(PealPeer *peer, uint16_t link)
{
    Bootstrap *bootstrap = &peer->bootstrap;

    if (bootstrap->wanted && bootstrap->trying && bootstrap->flow.index == link &&
        link_valid(&peer->links, bootstrap->flow)) {
        arrived(peer, link);
    }
}

void bootstrap_on_wake(PealPeer *peer, PealTime now)
{
    Bootstrap *bootstrap = &peer->bootstrap;

    if (!peal_time_due(bootstrap->deadline, now)) {
        return;
    }
    bootstrap->deadline = PEAL_TIME_NEVER;
    if (bootstrap->trying && link_valid(&peer->links, bootstrap->flow) &&
        link_at(&peer->links, bootstrap->flow.index)->phase < LINK_UP) {
        link_close(peer, bootstrap->flow.index, PEAL_DOWN_UNUSED);
    }
    bootstrap->trying = false;
    if (peal_time_due(bootstrap->found_at, now)) {
        found(peer, now);
    }
    if (bootstrap->wanted) {
        try_next(peer);
    } else {
        watch(peer, PEAL_TIME_NEVER);
    }
}
