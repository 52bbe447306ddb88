/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * delivery.c - data that arrives: through the processor to its flow and its peer, hashed and
 *              counted on the way.
 */
#include "fingerprint.h"
#include "world.h"

/* Names a frame, whichever transmission of it: its flow and its serial there. */
static gpointer frame_key(const Packet *packet)
{
    uint64_t flow = (uint64_t)packet->source << 32 | (uint64_t)packet->from.index << 16 |
                    packet->from.generation;
    uint64_t key =
        flow * UINT64_C(0x9E3779B97F4A7C15) ^ packet->buf.serial * UINT64_C(0xD1B54A32D192ED03);

    _Static_assert(sizeof(gpointer) == sizeof(uint64_t), "a key fits a pointer");
    return (gpointer)(uintptr_t)(key ^ key >> 32);
}

/* Keeps what was lost in the last minute or two: no frame is sent again after that. */
static void lost_turn(World *world)
{
    GHashTable *oldest = world->lost[1];

    if (world->now.ns - world->lost_since.ns < peal_seconds(WORLD_LOST_SECONDS).ns) {
        return;
    }
    g_hash_table_remove_all(oldest);
    world->lost[1] = world->lost[0];
    world->lost[0] = oldest;
    world->lost_since = world->now;
}

void delivery_lost(World *world, const Packet *packet)
{
    if (packet->type >= PACKET_SIP) {
        world->totals.counter[RECORDER_SIP_LOST]++;
        return;
    }
    if (packet->type != PACKET_DATA && packet->type != PACKET_SERVED) {
        return;
    }
    world->totals.counter[RECORDER_FRAMES_LOST]++;
    if (packet->buf.attempt == 1) {
        lost_turn(world);
        g_hash_table_add(world->lost[0], frame_key(packet));
    }
}

/* Is this the first transmission of its message to get through? */
static bool is_first(World *world, const Packet *packet)
{
    gpointer key;

    if (packet->buf.attempt == 1) {
        return true;
    }
    key = frame_key(packet);
    return g_hash_table_remove(world->lost[0], key) || g_hash_table_remove(world->lost[1], key);
}

static void count_delivered(World *world, SimPeer *peer, const Packet *packet)
{
    RecorderTotals *totals = &world->totals;
    PealFrameInfo info;

    if (packet->buf.attempt == 0) {
        totals->counter[RECORDER_LINK_ACKS]++;
    } else if (is_first(world, packet)) {
        totals->counter[RECORDER_MESSAGES]++;
        totals->counter[RECORDER_MESSAGE_BYTES] += packet->buf.len;
        peer->messages++;
        if (peal_frame_info(packet->buf.data, packet->buf.len, &info) == 0) {
            totals->codes[recorder_code(info.code)]++;
            if (__builtin_expect(world->watching, 0)) {
                watch_arrival(world, peer, &info);
            }
        }
    } else {
        totals->counter[RECORDER_DUPLICATES]++;
    }
}

static void capture(World *world, const SimPeer *peer, const Packet *packet)
{
    if (packet->transport == PEAL_TCP) {
        pcap_writer_tcp_data(world->capture, world->now, flow_number(packet, peer->index),
                             packet->source, peer->index,
                             (PealBytes){packet->buf.data, packet->buf.len});
    } else {
        pcap_writer_datagram(world->capture, world->now, packet->source, peer->index,
                             packet->buf.data, packet->buf.len);
    }
}

/* Hands data to the peer, whose flow comes up first when this is a flow's first datagram. */
static void hand_over(World *world, SimPeer *peer, Packet *packet)
{
    PealPeer *core = sim_peer_core(peer);
    SimFlow *flow = flow_of(peer, packet);
    PealFlow name;

    if (flow == NULL && packet->transport == PEAL_UDP && packet->to.index == PACKET_FLOW_UNKNOWN) {
        flow = flow_accept(world, peer, packet);
        if (flow != NULL) {
            name = flow_name(peer, flow);
            peal_peer_on_flow_up(core, name, false, NULL);
            flow = flow_of(peer, packet); /* unless the peer closed it at once */
        }
    }
    if (flow == NULL || flow->state != FLOW_UP) {
        delivery_lost(world, packet);
        if (world->watching) {
            watch_dead(world, packet);
        }
        flow_refuse(world, peer, packet);
        packet_free(&world->packets, packet);
        return;
    }
    name = flow_name(peer, flow);
    peer->fingerprint = fingerprint_add(peer->fingerprint, world->now, packet->source,
                                        (PealBytes){packet->buf.data, packet->buf.len});
    count_delivered(world, peer, packet);
    if (__builtin_expect(peer->attacker, 0)) {
        peal_peer_on_bytes_take(core, name, attacks_receive_take(world, peer, &packet->buf));
        return;
    }
    peal_peer_on_bytes_take(core, name, &packet->buf);
}

static ProcessorKind kind_of(const Packet *packet)
{
    static const char response[] = "SIP/";
    static const char ack[] = "ACK ";

    if (packet->type < PACKET_SIP) {
        return PROCESSOR_FRAME;
    }
    if (packet->buf.len >= 4 &&
        (memcmp(packet->buf.data, response, 4) == 0 || memcmp(packet->buf.data, ack, 4) == 0)) {
        return PROCESSOR_SIP;
    }
    return PROCESSOR_SIP_REQUEST;
}

/* Asks the peer whether to let it in. */
static PealAdmit admit(World *world, SimPeer *peer, const Packet *packet)
{
    PealPeer *core = sim_peer_core(peer);
    PealSpan wait = processor_wait(&world->processor, peer->index, world->now);
    SimFlow *flow;

    if (packet->type >= PACKET_SIP) {
        PealHop from = siphop_from(packet);

        return peal_peer_sip_admit(core, &from, packet->buf.data, packet->buf.len, wait);
    }
    flow = flow_of(peer, packet);
    return flow == NULL || flow->state != FLOW_UP
               ? PEAL_ADMIT_SERVE
               : peal_peer_admit(core, flow_name(peer, flow), packet->buf.data, packet->buf.len,
                                 wait);
}

/* What the peer's gate keeps out has cost it that look. Returns whether it was. */
static bool keep_out(World *world, SimPeer *peer, Packet *packet)
{
    uint64_t *counter = world->totals.counter;
    bool honest = !world_peer(world, packet->source)->attacker;
    PealAdmit verdict = admit(world, peer, packet);

    world->counts.honest_judged += honest;
    if (verdict == PEAL_ADMIT_SERVE) {
        return false;
    }
    processor_reject(&world->processor, peer->index, world->now);
    counter[verdict == PEAL_ADMIT_REFUSE ? RECORDER_REFUSED : RECORDER_SHUT_OUT]++;
    counter[RECORDER_HONEST_BLOCKED] += honest;
    world->counts.honest_blocked += honest;
    return true;
}

bool delivery_process(World *world, SimPeer *peer, Packet *packet)
{
    ProcessorKind kind = kind_of(packet);
    bool charged = processor_charges(&world->processor, kind);
    PealTime end;

    if (packet->type == PACKET_SERVED || packet->type == PACKET_SIP_SERVED) {
        processor_served(&world->processor, peer->index);
        return true;
    }
    world->totals.counter[RECORDER_ARRIVALS] += charged;
    if (charged && !processor_has_room(&world->processor, peer->index, world->now)) {
        world->totals.counter[RECORDER_TURNED_AWAY]++;
        delivery_lost(world, packet);
        packet_free(&world->packets, packet);
        return false;
    }
    if (world->defended && keep_out(world, peer, packet)) {
        packet_free(&world->packets, packet);
        return false;
    }
    if (charged && processor_arrive(&world->processor, peer->index, world->now, kind, &end)) {
        packet->type = packet->type == PACKET_SIP ? PACKET_SIP_SERVED : PACKET_SERVED;
        queue_push(&world->queue, (Event){end.ns, peer->index, packet->ref});
        return false;
    }
    return true;
}

static void refuse_dead(World *world, SimPeer *peer, Packet *packet)
{
    world->totals.counter[RECORDER_FRAMES_LOST] +=
        packet->type == PACKET_DATA || packet->type == PACKET_SERVED;
    if (world->watching) {
        watch_dead(world, packet);
    }
    if (packet->type == PACKET_DATA) {
        flow_refuse(world, peer, packet);
    }
    packet_free(&world->packets, packet);
}

void delivery_arrive(World *world, SimPeer *peer, Packet *packet)
{
    if (__builtin_expect(packet->type >= PACKET_SIP, 0)) {
        siphop_arrive(world, peer, packet);
        return;
    }
    if (!peer->up) {
        if (packet->type == PACKET_SERVED) {
            processor_served(&world->processor, peer->index);
        }
        refuse_dead(world, peer, packet);
        return;
    }
    if (packet->type != PACKET_DATA && packet->type != PACKET_SERVED) {
        flow_on_control(world, peer, packet);
        packet_free(&world->packets, packet);
        return;
    }
    if (world->capture != NULL && packet->type == PACKET_DATA) {
        capture(world, peer, packet);
    }
    if (!world->gated || delivery_process(world, peer, packet)) {
        hand_over(world, peer, packet);
    }
}
