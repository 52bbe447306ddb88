/* SPDX-License-Identifier: GPL-3.0-or-later */
/* reach.c - see reach.h. */
#include "reach.h"

#include "world.h"

void reach_init(Reach *reach, uint32_t peers, uint32_t users)
{
    *reach = (Reach){.users = users};
    if (users > 0) {
        reach->registered = g_new0(uint8_t, (size_t)peers * users);
    }
}

void reach_fini(Reach *reach)
{
    g_free(reach->registered);
    *reach = (Reach){0};
}

void reach_registered(Reach *reach, uint32_t peer, uint32_t user, bool registered)
{
    if (user < reach->users) {
        reach->registered[(size_t)peer * reach->users + user] = registered;
    }
}

void reach_stop(Reach *reach, uint32_t peer)
{
    if (reach->users > 0) {
        memset(&reach->registered[(size_t)peer * reach->users], 0, reach->users);
    }
}

ReachTarget reach_begin(const World *world, uint32_t peer, uint32_t user)
{
    const Reach *reach = &world->reach;
    const SimPeer *target = world_peer(world, peer);

    return (ReachTarget){.peer = peer,
                         .life = target->life,
                         .reachable = user < reach->users && target->joined && !target->leaving &&
                                      reach->registered[(size_t)peer * reach->users + user] != 0};
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
