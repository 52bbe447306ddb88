/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * packet.h - what travels through the event queue: a buffer with the world's few words in front.
 * Source: none.
 * State:  one block of the packet slab each; 24 bytes before the peer's PealBuf.
 * Time:   none.
 */
#ifndef SIM_PACKET_H
#define SIM_PACKET_H

#include <peal/env.h>

#include "slab.h"

typedef enum PacketType {
    PACKET_DATA,   /* bytes of a flow on their way */
    PACKET_SERVED, /* the same, at the end of their service by the receiver's processor */
    PACKET_SYN,    /* a TCP flow's opening, its answer, and the opener's word that it got that */
    PACKET_SYN_ACK,
    PACKET_ACK,
    PACKET_RESET,           /* the flow named in `to` is gone at the other end */
    PACKET_FLOW_UP,         /* to the sender itself: a UDP flow it opened is usable */
    PACKET_FLOW_DOWN,       /* to the sender itself: nobody acknowledges its data */
    PACKET_CONNECT_TIMEOUT, /* to the sender itself: nobody may have answered its SYN */
    PACKET_SIP,             /* a SIP message; from here on `from` and `to` hold ports: siphop.c */
    PACKET_SIP_SERVED,
    PACKET_SIP_END,    /* a hop is no more */
    PACKET_SIP_ANSWER, /* to what a peer asked the world */
    PACKET_PHONE_WAKE  /* to the peer itself: a phone there may be due */
} PacketType;

enum {
    PACKET_UDP_OVERHEAD = 28, /* IPv4 and UDP headers */
    PACKET_TCP_OVERHEAD = 40
};

#define PACKET_FLOW_UNKNOWN \
    UINT16_MAX /* to.index while the sender has not heard from the other end */

/* Ties of the queue are broken by (source, sequence), so both are unique together. */
typedef struct Packet {
    uint32_t source;   /* peer */
    uint32_t sequence; /* counts what this source has sent */
    PealFlow from;     /* the flow at the source */
    PealFlow to;       /* the same flow at the destination; the port of a datagram, so to speak */
    SlabRef ref;       /* this packet's own name */
    uint16_t type;     /* PacketType */
    uint8_t transport; /* PealTransport */
    uint8_t opener;    /* the source opened the flow */
    PealBuf buf;
} Packet;

_Static_assert(offsetof(Packet, buf) == 24, "the world's words before a buffer");

static inline Packet *packet_of(PealBuf *buf)
{
    return (Packet *)(void *)((char *)buf - offsetof(Packet, buf));
}

/* packet_new makes a packet with room for cap bytes of data, everything else zero. */
static inline Packet *packet_new(Slab *slab, size_t cap)
{
    size_t size = slab_size(slab, sizeof(Packet) + cap);
    Packet *packet = slab_alloc(slab, size);

    memset(packet, 0, sizeof(*packet));
    packet->ref = slab_ref(slab, packet);
    packet->buf.cap = (uint32_t)(size - sizeof(Packet));
    return packet;
}

static inline void packet_free(Slab *slab, Packet *packet)
{
    slab_free(slab, packet, sizeof(Packet) + packet->buf.cap);
}

static inline Packet *packet_at(const Slab *slab, SlabRef ref)
{
    return slab_ptr(slab, ref);
}

#endif
