/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reach.c - see reach.h. */
#include "reach.h"

#include "world.h"

void reach_init(Reach *reach, const Users *users)
{
    *reach = (Reach){.registered = g_new0(uint8_t, users_all(users)), .users = *users};
}

void reach_fini(Reach *reach)
{
    g_free(reach->registered);
    *reach = (Reach){0};
}

void reach_registered(Reach *reach, uint32_t peer, uint32_t user, bool registered)
{
    if (user < users_at(&reach->users, peer)) {
        reach->registered[users_place(&reach->users, peer, user)] = registered;
    }
}

void reach_stop(Reach *reach, uint32_t peer)
{
    uint32_t len = users_at(&reach->users, peer);

    if (len > 0) {
        memset(&reach->registered[users_place(&reach->users, peer, 0)], 0, len);
    }
}

ReachTarget reach_begin(const World *world, uint32_t peer, uint32_t user)
{
    const Reach *reach = &world->reach;
    const SimPeer *target = world_peer(world, peer);
    bool registered = user < users_at(&reach->users, peer) &&
                      reach->registered[users_place(&reach->users, peer, user)] != 0;

    return (ReachTarget){.peer = peer,
                         .life = target->life,
                         .reachable = registered && target->joined && !target->leaving};
}

bool reach_held(const World *world, const ReachTarget *target)
{
    const SimPeer *peer;

    if (!target->reachable) {
        return false;
    }
    peer = world_peer(world, target->peer);
    return peer->joined && !peer->leaving && peer->life == target->life;
}
