/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip.c - the adapter's life, and what comes in. */
#include "sip/sip.h"

#include "sip/state.h"

int peal_peer_sip(PealPeer *peer, const PealSipConfig *config, PealBytes bindings)
{
    (void)bindings;
    if (peer->sip != NULL || peer->state != PEAL_PEER_IDLE) {
        return -PEAL_E_STATE;
    }
    peer->sip = peer_alloc(peer, sizeof(*peer->sip));
    if (peer->sip == NULL) {
        return -PEAL_E_MEMORY;
    }
    peer->sip->config = config;
    adapters_init(peer);
    return 0;
}

void sip_fini(PealPeer *peer)
{
    if (peer->sip != NULL) {
        adapters_fini(peer);
        peer_release(peer, peer->sip, sizeof(*peer->sip));
        peer->sip = NULL;
    }
}

PealTime sip_deadline(const PealPeer *peer)
{
    return peer->sip->adapters.deadline;
}

void sip_on_wake(PealPeer *peer, PealTime now)
{
    adapters_on_wake(peer, now);
}

void peal_peer_on_sip_take(PealPeer *peer, const PealHop *from, PealBuf *buf)
{
    (void)from;
    peer->env->ops->drop(peer->env, buf);
}

void peal_peer_on_sip_end(PealPeer *peer, const PealHop *hop, int error)
{
    (void)peer;
    (void)hop;
    (void)error;
}

void peal_peer_on_answer(PealPeer *peer, const PealAnswer *answer)
{
    (void)peer;
    (void)answer;
}
