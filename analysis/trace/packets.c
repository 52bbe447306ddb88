/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * packets.c - see packet.h: from a frame to UDP and TCP, through tunnels and fragments.
 */
#include "trace/fragment.h"
#include "trace/link.h"

enum {
    DEPTH_MAX = 8, /* headers of IP within one another, fragments put together counted too */
    UDP_HEADER_LEN = 8,
    TCP_HEADER_LEN = 20
};

struct Packets {
    int link_type;
    PacketSink sink;
    uint64_t *skipped;
    Fragments *fragments;
};

/* A packet that is being taken apart. */
typedef struct Taking {
    Packets *packets;
    int64_t at_ns;
    unsigned depth;
    bool short_anyway; /* that less is there than its headers say is known, and counted */
    bool given_up;     /* fragments of it are missing, so nobody knows how long it is */
    bool at_end;       /* because the capture is over: they might have come */
    bool broken_off;   /* as the frame that was taken */
    IpHeader ip;
    PacketSpan span;
} Taking;

Packets *packets_new(int link_type, const PacketSink *sink, uint64_t *skipped)
{
    Packets *packets = g_new0(Packets, 1);

    PEAL_ASSERT(link_known(link_type));
    packets->link_type = link_type;
    packets->sink = *sink;
    packets->skipped = skipped;
    packets->fragments = fragments_new();
    return packets;
}

static void skip(Packets *packets, TraceSkip why)
{
    packets->skipped[why]++;
}

/* What a header says is more than there was. */
static void lengths_lie(Taking *taking)
{
    if (!taking->short_anyway) {
        taking->short_anyway = true;
        skip(taking->packets, TRACE_SKIP_BAD_LENGTH);
    }
}

static void take_udp(Taking *taking)
{
    UdpPacket packet = {.at_ns = taking->at_ns, .from = taking->ip.from, .to = taking->ip.to};
    PacketSpan *span = &taking->span;
    const uint8_t *header;
    size_t len;

    if (!span_take(span, UDP_HEADER_LEN, &header)) {
        skip(taking->packets, span_short(span, UDP_HEADER_LEN));
        return;
    }
    packet.from.port = (uint16_t)span_u16(header);
    packet.to.port = (uint16_t)span_u16(header + 2);
    len = span_u16(header + 4);
    /* 0: a jumbogram (RFC 2675 s.4), or many datagrams that a network card was to cut up. */
    len = len == 0 ? UDP_HEADER_LEN + span->wire : len;
    if (len < UDP_HEADER_LEN) {
        skip(taking->packets, TRACE_SKIP_BAD_LENGTH);
        return;
    }
    packet.len = len - UDP_HEADER_LEN;
    if (!span_end(span, packet.len)) {
        lengths_lie(taking);
    }
    packet.data = (PealBytes){span->ptr, span->len};
    packet.cut = packet.data.len < packet.len;
    taking->packets->sink.udp(taking->packets->sink.user, &packet);
}

static void take_tcp(Taking *taking)
{
    TcpPacket packet = {.at_ns = taking->at_ns, .from = taking->ip.from, .to = taking->ip.to};
    PacketSpan *span = &taking->span;
    const uint8_t *header, *options;
    size_t header_len;

    if (taking->at_end) {
        return; /* where the stream would have gone on until they come is not known */
    }
    if (!span_take(span, TCP_HEADER_LEN, &header)) {
        skip(taking->packets, span_short(span, TCP_HEADER_LEN));
        return;
    }
    header_len = (size_t)(header[12] >> 4) * 4;
    if (header_len < TCP_HEADER_LEN) {
        skip(taking->packets, TRACE_SKIP_BAD_LENGTH);
        return;
    }
    if (!span_take(span, header_len - TCP_HEADER_LEN, &options)) {
        skip(taking->packets, span_short(span, header_len - TCP_HEADER_LEN));
        return;
    }
    packet.from.port = (uint16_t)span_u16(header);
    packet.to.port = (uint16_t)span_u16(header + 2);
    packet.seq = span_u32(header + 4);
    packet.ack = span_u32(header + 8);
    packet.flags = header[13];
    packet.data = (PealBytes){span->ptr, span->len};
    packet.len = span->wire;
    packet.cut = packet.data.len < packet.len || taking->given_up;
    packet.broken_off = taking->broken_off;
    taking->packets->sink.tcp(taking->packets->sink.user, &packet);
}

/* Waits for the other fragments; true when the datagram is whole, and taken in the place of the
 * fragment. */
static bool take_fragment(Taking *taking)
{
    FragmentsPiece piece = {taking->at_ns, &taking->ip, taking->span, taking->depth};
    FragmentsDatagram datagram;
    TraceSkip why;
    bool whole = fragments_take(taking->packets->fragments, &piece, &why, &datagram);

    if (why != TRACE_SKIP_NONE) {
        skip(taking->packets, why);
    }
    if (!whole) {
        return false;
    }
    taking->ip = datagram.ip;
    taking->span = datagram.span;
    why = ip_strip_extensions(&taking->span, &taking->ip);
    if (why != TRACE_SKIP_NONE) {
        skip(taking->packets, why);
    }
    return why == TRACE_SKIP_NONE;
}

/* What IP carries; true when that is IP again, or a fragment of it. */
static bool take_payload(Taking *taking)
{
    TraceSkip why;

    if (taking->ip.fragment) {
        return take_fragment(taking);
    }
    switch (taking->ip.protocol) {
    case IP_PROTOCOL_UDP:
        take_udp(taking);
        return false;
    case IP_PROTOCOL_TCP:
        take_tcp(taking);
        return false;
    case IP_PROTOCOL_GRE:
        why = ip_strip_gre(&taking->span);
        break;
    case IP_PROTOCOL_IPV4:
    case IP_PROTOCOL_IPV6:
        why = TRACE_SKIP_NONE;
        break;
    default:
        why = TRACE_SKIP_PROTOCOL;
        break;
    }
    if (why == TRACE_SKIP_NONE) {
        why = ip_strip(&taking->span, &taking->ip);
        if (why == TRACE_SKIP_NONE && taking->ip.lies) {
            lengths_lie(taking);
        }
    }
    if (why != TRACE_SKIP_NONE) {
        skip(taking->packets, why);
    }
    return why == TRACE_SKIP_NONE;
}

static void take_ip(Taking *taking)
{
    while (take_payload(taking)) {
        taking->depth++;
        if (taking->depth >= DEPTH_MAX) {
            skip(taking->packets, TRACE_SKIP_TUNNEL_DEPTH);
            return;
        }
    }
}

/* What came of a datagram of which the rest does not. */
static void take_given_up(Packets *packets, const FragmentsDatagram *datagram, bool at_end)
{
    Taking taking = {
        .packets = packets,
        .at_ns = datagram->at_ns,
        .depth = datagram->depth,
        .short_anyway = true,
        .given_up = true,
        .at_end = at_end,
        .ip = datagram->ip,
        .span = datagram->span,
    };

    packets->skipped[TRACE_SKIP_FRAGMENTS] += datagram->pieces;
    if (taking.span.len > 0 && ip_strip_extensions(&taking.span, &taking.ip) == TRACE_SKIP_NONE) {
        take_ip(&taking);
    }
}

static void give_up(Packets *packets, int64_t now_ns)
{
    FragmentsDatagram datagram;

    while (fragments_give_up(packets->fragments, now_ns, &datagram)) {
        take_given_up(packets, &datagram, now_ns == INT64_MAX);
        fragments_clear(packets->fragments);
    }
}

void packets_take(Packets *packets, const PacketFrame *frame)
{
    Taking taking = {
        .packets = packets,
        .at_ns = frame->at_ns,
        .broken_off = frame->broken_off,
        .span = frame->span,
    };
    TraceSkip why;

    give_up(packets, frame->at_ns);
    why = link_strip(packets->link_type, &taking.span);
    if (why == TRACE_SKIP_NONE) {
        why = ip_strip(&taking.span, &taking.ip);
    }
    if (why != TRACE_SKIP_NONE) {
        skip(packets, why);
        return;
    }
    if (taking.ip.lies) {
        lengths_lie(&taking);
    }
    take_ip(&taking);
    fragments_clear(packets->fragments);
}

void packets_free(Packets *packets)
{
    if (packets == NULL) {
        return;
    }
    give_up(packets, INT64_MAX);
    fragments_free(packets->fragments);
    g_free(packets);
}
