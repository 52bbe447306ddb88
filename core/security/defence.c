/* SPDX-License-Identifier: GPL-3.0-or-later */
/* defence.c - the parts of a peer's defence side by side; see defence.h. */
#include "security/defence.h"

#include "peer.h"

void defence_init(PealPeer *peer)
{
    if (!guard_wanted(peer->overlay) && !copies_wanted(peer->overlay) &&
        !puzzle_wanted(peer->overlay) && !gate_wanted(peer->overlay)) {
        return;
    }
    peer->defence = peer_alloc(peer, sizeof(Defence));
    if (peer->defence == NULL) {
        return;
    }
    peer->defence->deadline = PEAL_TIME_NEVER;
    if (guard_wanted(peer->overlay)) {
        guard_init(peer);
    }
    if (puzzle_wanted(peer->overlay)) {
        puzzle_init(peer);
    }
    gate_init(peer);
}

void defence_fini(PealPeer *peer)
{
    if (peer->defence == NULL) {
        return;
    }
    guard_fini(peer);
    copies_fini(peer);
    puzzle_fini(peer);
    gate_fini(peer);
    peer_release(peer, peer->defence, sizeof(Defence));
    peer->defence = NULL;
}

void defence_on_wake(PealPeer *peer, PealTime now)
{
    Defence *defence = peer->defence;

    if (!peal_time_due(defence->deadline, now)) {
        return;
    }
    defence->deadline = PEAL_TIME_NEVER;
    if (defence->guard != NULL) {
        guard_on_wake(peer, now);
    }
    if (defence->puzzle != NULL) {
        puzzle_on_wake(peer, now);
    }
    copies_on_wake(peer, now);
}
