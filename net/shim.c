/* SPDX-License-Identifier: GPL-3.0-or-later */
/* shim.c - a scenario's network between the nodes of one host; see shim.h. */
#include "shim.h"

#include "address.h"
#include "buffer.h"

enum {
    SIP_PORT = 5060,
    RELOAD_PORT = 6084,
    PORTS_A_PEER = 10,
    SOURCE_NET = 128,  /* peers open from 127.128.0.0 on */
    UDP_OVERHEAD = 28, /* IPv4 and UDP headers */
    TCP_OVERHEAD = 40
};

/* A packet under way. */
typedef struct Parcel {
    LoopTimer timer;
    Shim *shim;
    ShimTo to;
    PealBuf *buf;
    GList link; /* in shim->parcels */
} Parcel;

struct Shim {
    Loop *loop;
    Scenario *scenario;
    Network *network;
    uint32_t self;
    uint32_t peers;
    uint16_t sip_base;
    uint16_t reload_base;
    uint64_t sent; /* numbers the network's draws */
    GQueue parcels;
};

Shim *shim_new(Loop *loop, const NodeEmulate *emulate, GError **error)
{
    Shim *shim = g_new0(Shim, 1);

    shim->loop = loop;
    shim->self = emulate->peer;
    shim->sip_base = emulate->base_port != 0 ? emulate->base_port : SIP_PORT;
    shim->reload_base = emulate->base_port != 0 ? (uint16_t)(emulate->base_port + 1) : RELOAD_PORT;
    shim->scenario = scenario_load(emulate->scenario, NULL, error);
    if (shim->scenario != NULL) {
        shim->peers = scenario_identities(shim->scenario);
        shim->network = network_new(shim->scenario, emulate->seed, shim->peers, error);
    }
    if (shim->network != NULL && shim->self >= shim->peers) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "emulate.peer = %u: the scenario %s has peers 0 to %u", shim->self,
                    emulate->scenario, shim->peers - 1);
        g_clear_pointer(&shim->network, network_free);
    }
    if (shim->network == NULL) {
        shim_free(shim);
        return NULL;
    }
    return shim;
}

static void parcel_free(Parcel *parcel)
{
    loop_timer_unset(parcel->shim->loop, &parcel->timer);
    g_queue_unlink(&parcel->shim->parcels, &parcel->link);
    g_free(parcel);
}

void shim_drop(Shim *shim, const void *user)
{
    GList *link = shim->parcels.head;

    while (link != NULL) {
        Parcel *parcel = link->data;

        link = link->next;
        if (parcel->to.user == user) {
            buffer_free(parcel->buf);
            parcel_free(parcel);
        }
    }
}

void shim_free(Shim *shim)
{
    if (shim == NULL) {
        return;
    }
    while (!g_queue_is_empty(&shim->parcels)) {
        Parcel *parcel = g_queue_peek_head(&shim->parcels);

        buffer_free(parcel->buf);
        parcel_free(parcel);
    }
    if (shim->network != NULL) {
        network_free(shim->network);
    }
    scenario_free(shim->scenario);
    g_free(shim);
}

PealAddr shim_source(const Shim *shim)
{
    return (PealAddr){.ip = {127, (uint8_t)(SOURCE_NET + (shim->self >> 16)),
                             (uint8_t)(shim->self >> 8), (uint8_t)shim->self},
                      .family = 4};
}

static bool at_base(const Shim *shim, uint16_t port, uint16_t base, uint32_t *ret_peer)
{
    uint32_t offset = (uint32_t)port - base;

    if (port < base || offset % PORTS_A_PEER != 0 || offset / PORTS_A_PEER >= shim->peers) {
        return false;
    }
    *ret_peer = offset / PORTS_A_PEER;
    return true;
}

bool shim_knows(const Shim *shim, const PealAddr *addr, uint32_t *ret_peer)
{
    if (addr->family != 4 || addr->ip[0] != 127) {
        return false;
    }
    if (addr->ip[1] >= SOURCE_NET) {
        *ret_peer =
            (uint32_t)(addr->ip[1] - SOURCE_NET) << 16 | (uint32_t)addr->ip[2] << 8 | addr->ip[3];
        return *ret_peer < shim->peers;
    }
    return at_base(shim, addr->port, shim->sip_base, ret_peer) ||
           at_base(shim, addr->port, shim->reload_base, ret_peer);
}

static void on_arrival(void *user)
{
    Parcel *parcel = user;
    ShimTo to = parcel->to;
    PealBuf *buf = parcel->buf;

    parcel_free(parcel);
    to.deliver_take(to.user, &to, buf);
}

bool shim_send_take(Shim *shim, const ShimPacket *packet, const ShimTo *to, PealBuf *buf)
{
    NetworkFrame frame = {
        .from = shim->self,
        .to = packet->peer,
        .bytes = buf->len + (packet->last != NULL ? TCP_OVERHEAD : UDP_OVERHEAD),
        .number = shim->sent++,
        .one_way = network_one_way(shim->network, shim->self, packet->peer),
        .now = loop_now(shim->loop),
        .lossless = packet->last != NULL,
    };
    PealSpan delay;
    PealTime at;
    Parcel *parcel;

    if (network_send(shim->network, &frame, &delay) != NETWORK_ARRIVES) {
        buffer_free(buf);
        return false;
    }
    at = peal_time_add(frame.now, delay);
    if (packet->last != NULL) {
        at.ns = MAX(at.ns, packet->last->ns + 1);
        *packet->last = at;
    }
    parcel = g_new0(Parcel, 1);
    *parcel = (Parcel){.shim = shim, .to = *to, .buf = buf};
    parcel->timer.due = on_arrival;
    parcel->timer.user = parcel;
    parcel->link.data = parcel;
    g_queue_push_tail_link(&shim->parcels, &parcel->link);
    loop_timer_set(shim->loop, &parcel->timer, at);
    return true;
}

bool shim_round_trip(const Shim *shim, uint32_t peer, PealSpan *ret_span)
{
    if (network_is_partitioned(shim->network) && network_cut(shim->network, shim->self, peer)) {
        return false;
    }
    ret_span->ns = network_one_way(shim->network, shim->self, peer).ns +
                   network_one_way(shim->network, peer, shim->self).ns;
    return true;
}

void shim_partition(Shim *shim, uint32_t ppm, uint32_t event)
{
    network_partition(shim->network, ppm, event);
}

void shim_heal(Shim *shim)
{
    network_heal(shim->network);
}
