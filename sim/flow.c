/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * flow.c - tables of flows, and what travels on them.
 */
#include "flow.h"

#include "world.h"

enum {
    FLOWS_STEP = 8,       /* not a factor: tables of a few dozen exist a million times */
    FLOWS_MANY = 512,     /* but those of a server do not */
    FLOWS_RING_MAX = 4096 /* as many as a node on sockets has */
};

PealFlow flow_name(const SimPeer *peer, const SimFlow *flow)
{
    return (PealFlow){(uint16_t)(flow - peer->flows), flow->generation};
}

static SimFlow *flow_get(SimPeer *peer, PealFlow name)
{
    SimFlow *flow;

    if (name.index >= peer->flows_cap) {
        return NULL;
    }
    flow = &peer->flows[name.index];
    return flow->state != FLOW_FREE && flow->generation == name.generation ? flow : NULL;
}

static bool flows_grow(World *world, SimPeer *peer)
{
    size_t max = world_is_central(world) ? PEAL_FLOWS_MAX : FLOWS_RING_MAX;
    size_t old = peer->flows_cap;
    size_t cap = MIN(old + (old < FLOWS_MANY ? FLOWS_STEP : old / 16), max);
    SimFlow *flows;
    int64_t *arrivals = NULL;

    if (old == max) {
        return false;
    }
    flows = environment_alloc(world, cap * sizeof(*flows));
    if (!network_is_plain(world->network)) {
        arrivals = environment_alloc(world, cap * sizeof(*arrivals));
    }
    if (old > 0) {
        memcpy(flows, peer->flows, old * sizeof(*flows));
        environment_release(world, peer->flows, old * sizeof(*flows));
    }
    if (old > 0 && arrivals != NULL) {
        memcpy(arrivals, peer->arrivals, old * sizeof(*arrivals));
        environment_release(world, peer->arrivals, old * sizeof(*arrivals));
    }
    for (size_t i = old; i < cap; i++) {
        flows[i].generation = peer->generation;
    }
    peer->flows = flows;
    peer->arrivals = arrivals;
    peer->flows_cap = (uint16_t)cap;
    return true;
}

/* The lowest free one, as the environment promises. */
static SimFlow *flow_new(World *world, SimPeer *peer, uint32_t other, PealTransport transport)
{
    uint16_t i = 0;
    SimFlow *flow;

    while (i < peer->flows_cap && peer->flows[i].state != FLOW_FREE) {
        i++;
    }
    if (i == peer->flows_cap && !flows_grow(world, peer)) {
        return NULL;
    }
    flow = &peer->flows[i];
    flow->other = other;
    flow->there = (PealFlow){PACKET_FLOW_UNKNOWN, 0};
    flow->one_way_us =
        (uint32_t)(network_one_way(world->network, peer->index, other).ns / PEAL_NS_PER_US);
    flow->tcp = transport == PEAL_TCP;
    flow->opener = 0;
    if (peer->arrivals != NULL) {
        peer->arrivals[i] = 0;
    }
    return flow;
}

static void flow_free(SimFlow *flow)
{
    flow->state = FLOW_FREE;
    flow->generation++;
}

static Packet *control_new(World *world, PacketType type, PealFlow from, PealFlow to)
{
    Packet *packet = packet_new(&world->packets, 0);

    packet->type = (uint16_t)type;
    packet->transport = PEAL_TCP;
    packet->from = from;
    packet->to = to;
    return packet;
}

/* A packet to the peer itself, about one of its flows. */
static void post_self(World *world, SimPeer *peer, PacketType type, PealFlow flow, PealSpan after)
{
    Packet *packet = control_new(world, type, flow, flow);

    world_post(world, peer, peer->index, peal_time_add(world->now, after), packet);
}

/* Where the network does more than delay. */
static void transmit_slowly(World *world, SimPeer *peer, SimFlow *flow, Packet *packet)
{
    int64_t *last = peer->arrivals == NULL ? NULL : &peer->arrivals[flow - peer->flows];
    NetworkFrame frame = {
        .from = peer->index,
        .to = flow->other,
        .bytes = packet->buf.len + (flow->tcp ? PACKET_TCP_OVERHEAD : PACKET_UDP_OVERHEAD),
        .number = peer->sequence,
        .one_way = peal_us(flow->one_way_us),
        .now = world->now,
        .lossless = flow->tcp,
    };
    PealSpan delay;
    PealTime at;

    if (network_send(world->network, &frame, &delay) != NETWORK_ARRIVES) {
        if (flow->tcp && flow->state == FLOW_UP) {
            flow->state = FLOW_BROKEN;
            post_self(world, peer, PACKET_FLOW_DOWN, flow_name(peer, flow), FLOW_USER_TIMEOUT);
        }
        peer->sequence++; /* a lost frame's number is spent too, or the next would share its fate */
        delivery_lost(world, packet);
        packet_free(&world->packets, packet);
        return;
    }
    at = peal_time_add(world->now, delay);
    if (flow->tcp && last != NULL) {
        at.ns = MAX(at.ns, *last);
        *last = at.ns;
    }
    world_post(world, peer, flow->other, at, packet);
}

/* Sends a packet along a flow; takes it. */
static void transmit(World *world, SimPeer *peer, SimFlow *flow, Packet *packet)
{
    packet->from = flow_name(peer, flow);
    packet->to = flow->there;
    packet->transport = flow->tcp ? PEAL_TCP : PEAL_UDP;
    packet->opener = flow->opener;
    packet->source = peer->index;
    if (world->plain) {
        world_post(world, peer, flow->other, peal_time_add(world->now, peal_us(flow->one_way_us)),
                   packet);
    } else {
        transmit_slowly(world, peer, flow, packet);
    }
}

int flow_open(World *world, SimPeer *peer, const PealTarget *to, PealFlow *ret_flow)
{
    uint32_t other;
    SimFlow *flow;

    if (!world_addr_peer(world, &to->addr, &other) || other == peer->index) {
        return -PEAL_E_UNREACHABLE;
    }
    flow = flow_new(world, peer, other, to->transport);
    if (flow == NULL) {
        return -PEAL_E_FULL;
    }
    flow->opener = 1;
    flow->state = FLOW_OPENING;
    *ret_flow = flow_name(peer, flow);
    if (flow->tcp) {
        transmit(world, peer, flow, control_new(world, PACKET_SYN, *ret_flow, flow->there));
        post_self(world, peer, PACKET_CONNECT_TIMEOUT, *ret_flow, FLOW_CONNECT_TIMEOUT);
    } else {
        post_self(world, peer, PACKET_FLOW_UP, *ret_flow, (PealSpan){0});
    }
    return 0;
}

void flow_close(World *world, SimPeer *peer, PealFlow name)
{
    SimFlow *flow = flow_get(peer, name);

    if (flow == NULL) {
        return;
    }
    if (flow->tcp && flow->state == FLOW_UP) {
        transmit(world, peer, flow, control_new(world, PACKET_RESET, name, flow->there));
    }
    flow_free(flow);
}

void flow_send_take(World *world, SimPeer *peer, PealFlow name, PealBuf *buf)
{
    Packet *packet = packet_of(buf);
    SimFlow *flow = flow_get(peer, name);

    if (flow == NULL || flow->state != FLOW_UP) {
        packet_free(&world->packets, packet);
        return;
    }
    world->totals.counter[RECORDER_FRAMES_SENT]++;
    world->totals.counter[RECORDER_BYTES_SENT] += buf->len;
    if (buf->attempt > 1) {
        world->totals.counter[RECORDER_LINK_RETRANSMISSIONS]++;
    }
    packet->type = PACKET_DATA;
    transmit(world, peer, flow, packet);
}

bool flow_between(const SimPeer *peer, uint32_t other, PealFlow *ret_flow)
{
    for (uint16_t i = 0; i < peer->flows_cap; i++) {
        if (peer->flows[i].other == other && peer->flows[i].state == FLOW_UP) {
            *ret_flow = flow_name(peer, &peer->flows[i]);
            return true;
        }
    }
    return false;
}

bool flow_pair(World *world, SimPeer *opener, SimPeer *other, PealFlow *ret_opener,
               PealFlow *ret_other)
{
    PealTransport transport = world->overlay.link;
    SimFlow *here = flow_new(world, opener, other->index, transport);
    SimFlow *there;

    if (here == NULL) {
        return false;
    }
    here->state = FLOW_UP;
    there = flow_new(world, other, opener->index, transport);
    if (there == NULL) {
        flow_free(here);
        return false;
    }
    there->state = FLOW_UP;
    here->opener = 1;
    here->there = flow_name(other, there);
    there->there = flow_name(opener, here);
    *ret_opener = there->there;
    *ret_other = here->there;
    return true;
}

static bool flow_fits(const SimFlow *flow, const Packet *packet)
{
    return flow->state != FLOW_FREE && flow->other == packet->source &&
           flow->there.index == packet->from.index &&
           flow->there.generation == packet->from.generation;
}

SimFlow *flow_of(SimPeer *peer, const Packet *packet)
{
    SimFlow *flow;

    if (packet->to.index != PACKET_FLOW_UNKNOWN) {
        flow = flow_get(peer, packet->to);
        if (flow != NULL && flow->there.index == PACKET_FLOW_UNKNOWN) {
            flow->there = packet->from;
        }
        return flow;
    }
    for (uint16_t i = 0; i < peer->flows_cap; i++) {
        if (flow_fits(&peer->flows[i], packet)) {
            return &peer->flows[i];
        }
    }
    return NULL;
}

SimFlow *flow_accept(World *world, SimPeer *peer, const Packet *packet)
{
    SimFlow *flow = flow_new(world, peer, packet->source, (PealTransport)packet->transport);

    if (flow != NULL) {
        flow->state = FLOW_UP;
        flow->there = packet->from;
    }
    return flow;
}

/* An answer to a packet for which there may be no flow here. */
static void reply(World *world, SimPeer *peer, const Packet *packet, PacketType type)
{
    SimFlow back = {.other = packet->source, .there = packet->from, .tcp = 1};
    Packet *answer = control_new(world, type, packet->to, packet->from);
    NetworkFrame frame = {.from = peer->index,
                          .to = packet->source,
                          .bytes = PACKET_TCP_OVERHEAD,
                          .number = peer->sequence,
                          .one_way = network_one_way(world->network, peer->index, back.other),
                          .now = world->now,
                          .lossless = true};
    PealSpan delay;

    if (network_send(world->network, &frame, &delay) != NETWORK_ARRIVES) {
        peer->sequence++;
        packet_free(&world->packets, answer);
        return;
    }
    world_post(world, peer, packet->source, peal_time_add(world->now, delay), answer);
}

uint64_t flow_number(const Packet *packet, uint32_t dest)
{
    uint32_t peer = packet->opener ? packet->source : dest;
    PealFlow flow = packet->opener ? packet->from : packet->to;

    return (uint64_t)peer << 32 | (uint64_t)flow.index << 16 | flow.generation;
}

void flow_refuse(World *world, SimPeer *peer, const Packet *packet)
{
    if (packet->transport == PEAL_TCP && peer->up) {
        reply(world, peer, packet, PACKET_RESET);
    } else if (packet->transport == PEAL_TCP) {
        /* Nobody acknowledges: the sender's own stack gives up in the end. */
        world_post(world, peer, packet->source, peal_time_add(world->now, FLOW_USER_TIMEOUT),
                   control_new(world, PACKET_FLOW_DOWN, packet->to, packet->from));
    }
}

static void flow_down(SimPeer *peer, SimFlow *flow)
{
    PealFlow name = flow_name(peer, flow);

    flow_free(flow);
    peal_peer_on_flow_down(sim_peer_core(peer), name);
}

static void on_syn_ack(World *world, SimPeer *peer, const Packet *packet)
{
    SimFlow *flow = flow_get(peer, packet->to);

    if (flow == NULL || flow->state != FLOW_OPENING) {
        return;
    }
    flow->state = FLOW_UP;
    transmit(world, peer, flow, control_new(world, PACKET_ACK, packet->to, flow->there));
    peal_peer_on_flow_up(sim_peer_core(peer), packet->to, true, NULL);
}

/* A capture sees a flow open when the SYN arrives, and close when the other end hears of it. */
static void on_syn(World *world, SimPeer *peer, const Packet *packet)
{
    if (world->capture != NULL) {
        pcap_writer_tcp_open(world->capture, world->now,
                             network_one_way(world->network, peer->index, packet->source),
                             flow_number(packet, peer->index), packet->source, peer->index);
    }
    reply(world, peer, packet, PACKET_SYN_ACK);
}

static void on_reset(World *world, SimPeer *peer, const Packet *packet)
{
    SimFlow *flow = flow_of(peer, packet);

    if (flow == NULL || flow->state == FLOW_OPENING) {
        return;
    }
    if (world->capture != NULL) {
        pcap_writer_tcp_close(world->capture, world->now, peal_us(flow->one_way_us),
                              flow_number(packet, peer->index), packet->source);
    }
    flow_down(peer, flow);
}

static void on_ack(World *world, SimPeer *peer, const Packet *packet)
{
    SimFlow *flow = flow_accept(world, peer, packet);

    if (flow == NULL) {
        reply(world, peer, packet, PACKET_RESET);
        return;
    }
    peal_peer_on_flow_up(sim_peer_core(peer), flow_name(peer, flow), false, NULL);
}

void flow_on_control(World *world, SimPeer *peer, const Packet *packet)
{
    SimFlow *flow;

    switch ((PacketType)packet->type) {
    case PACKET_SYN:
        on_syn(world, peer, packet);
        break;
    case PACKET_SYN_ACK:
        on_syn_ack(world, peer, packet);
        break;
    case PACKET_ACK:
        on_ack(world, peer, packet);
        break;
    case PACKET_FLOW_UP:
        flow = flow_get(peer, packet->to);
        if (flow != NULL && flow->state == FLOW_OPENING) {
            flow->state = FLOW_UP;
            peal_peer_on_flow_up(sim_peer_core(peer), packet->to, true, NULL);
        }
        break;
    case PACKET_CONNECT_TIMEOUT:
        flow = flow_get(peer, packet->to);
        if (flow != NULL && flow->state == FLOW_OPENING) {
            flow_down(peer, flow);
        }
        break;
    case PACKET_RESET:
        on_reset(world, peer, packet);
        break;
    case PACKET_FLOW_DOWN:
        flow = flow_get(peer, packet->to);
        if (flow != NULL) {
            flow_down(peer, flow);
        }
        break;
    default:
        PEAL_ASSERT(false); /* the others carry data */
    }
}

/* A peer that is away has no table: under churn most identities are. Of what its packets on the way
 * name nothing may be in the next one, so that one begins with generations that none here had. */
static void flows_release(World *world, SimPeer *peer)
{
    size_t cap = peer->flows_cap;
    uint16_t most = 0; /* by how much any has gone beyond the generation all began with */

    for (size_t i = 0; i < cap; i++) {
        most = MAX(most, (uint16_t)(peer->flows[i].generation - peer->generation));
    }
    peer->generation = (uint16_t)(peer->generation + most);
    if (cap > 0) {
        environment_release(world, peer->flows, cap * sizeof(*peer->flows));
    }
    if (peer->arrivals != NULL) {
        environment_release(world, peer->arrivals, cap * sizeof(*peer->arrivals));
    }
    peer->flows = NULL;
    peer->arrivals = NULL;
    peer->flows_cap = 0;
}

void flow_end_all(World *world, SimPeer *peer, bool graceful)
{
    for (uint16_t i = 0; i < peer->flows_cap; i++) {
        SimFlow *flow = &peer->flows[i];

        if (graceful && flow->tcp && flow->state == FLOW_UP) {
            transmit(world, peer, flow,
                     control_new(world, PACKET_RESET, flow_name(peer, flow), flow->there));
        }
        if (flow->state != FLOW_FREE) {
            flow_free(flow);
        }
    }
    flows_release(world, peer);
}
