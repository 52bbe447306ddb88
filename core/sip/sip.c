/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip.c - the adapter's life, and what comes in. */
#include "sip/sip.h"

#include "peer.h"

struct Sip {
    const PealSipConfig *config;
    PealTime deadline;
};

void peal_sip_defaults(PealSipConfig *ret_config)
{
    *ret_config = (PealSipConfig){
        .record_route = true,
        .algorithms_len = 2,
        .algorithms = {PEAL_HASH_SHA256, PEAL_HASH_MD5},
        .min_expires_s = 60,
        .default_expires_s = 3600,
        .max_expires_s = 86400,
        .aors_max = 100000,
        .contacts_max = 10,
        .transactions_max = 100000,
        .targets_max = 10,
        .nonce_lifetime = peal_seconds(300),
        .t1 = peal_ms(500),
        .t2 = peal_seconds(4),
        .t4 = peal_seconds(5),
        .timer_b = peal_seconds(32),
        .timer_c = peal_seconds(185),
        .fork_wait = peal_seconds(20),
    };
}

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
    *peer->sip = (Sip){.config = config, .deadline = PEAL_TIME_NEVER};
    return 0;
}

void sip_fini(PealPeer *peer)
{
    if (peer->sip != NULL) {
        peer_release(peer, peer->sip, sizeof(*peer->sip));
        peer->sip = NULL;
    }
}

PealTime sip_deadline(const PealPeer *peer)
{
    return peer->sip->deadline;
}

void sip_on_wake(PealPeer *peer, PealTime now)
{
    (void)peer;
    (void)now;
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
