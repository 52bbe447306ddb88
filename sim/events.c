/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * events.c - what a scenario's [event:NAME] does: victims are drawn among the peers that are up.
 */
#include "world.h"

/* Is this a peer that the event can concern: one that is up, or, to start again, one that was? */
static bool is_candidate(const SimPeer *peer, ScenarioDo what)
{
    return what == SCENARIO_START ? !peer->up && peer->life > 0 : peer->up && !peer->leaving;
}

/* Peers in the order of their indices, or clockwise those that are joined; without those that
 * attacks bring along. */
static uint32_t *candidates(World *world, const ScenarioEvent *event, uint32_t *ret_len)
{
    uint32_t peers = scenario_identities(world->scenario);
    uint32_t *list = g_new(uint32_t, peers);
    uint32_t len = 0;

    if (event->adjacent) {
        for (uint32_t i = 0; i < world->oracle.len; i++) {
            if (world->oracle.peers[i] < peers) {
                list[len++] = world->oracle.peers[i];
            }
        }
    } else {
        for (uint32_t i = 0; i < peers; i++) {
            if (is_candidate(world_peer(world, i), event->what)) {
                list[len++] = i;
            }
        }
    }
    *ret_len = len;
    return list;
}

/* Returns the victims to g_free. */
static uint32_t *victims(World *world, uint32_t number, uint32_t *ret_len)
{
    const ScenarioEvent *event = &world->scenario->events[number];
    uint32_t total;
    g_autofree uint32_t *list = candidates(world, event, &total);

    if (event->region && total > 0) {
        network_sort_near(world->network, plan_region_centre(world->seed, number, list, total),
                          list, total);
    }

    return plan_victims(world->scenario, world->seed, number, list, total, ret_len);
}

static void run_on_victims(World *world, uint32_t number)
{
    uint32_t len;
    uint32_t *list = victims(world, number, &len);

    for (uint32_t i = 0; i < len; i++) {
        switch (world->scenario->events[number].what) {
        case SCENARIO_LEAVE:
            world_leave_peer(world, list[i]);
            break;
        case SCENARIO_RESTART:
            world_stop_peer(world, list[i], false);
            world_return_peer(world, list[i], world->started);
            break;
        case SCENARIO_START:
            world_return_peer(world, list[i], world->started);
            break;
        case SCENARIO_FAIL:
            world_stop_peer(world, list[i], false);
            break;
        default:
            PEAL_ASSERT(false); /* no victims */
        }
    }
    g_free(list);
}

void events_run(World *world, const PlanAction *action)
{
    const ScenarioEvent *event = &world->scenario->events[action->event];
    g_autofree char *text = scenario_event_text(event);

    recorder_event(world->recorder, world->now, text);
    switch (event->what) {
    case SCENARIO_JOIN:
        break; /* its peers come as starts of their own */
    case SCENARIO_PARTITION:
        network_partition(world->network, event->ppm, action->event);
        break;
    case SCENARIO_HEAL:
        network_heal(world->network);
        break;
    case SCENARIO_LEAVE:
    case SCENARIO_RESTART:
    case SCENARIO_FAIL:
    case SCENARIO_START:
        run_on_victims(world, action->event);
        break;
    }
    world->plain = network_is_plain(world->network) && !network_is_partitioned(world->network);
}
