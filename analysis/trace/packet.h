/*
 * packet.h - from a capture file to UDP datagrams and TCP segments: the lower half of trace.h.
 * Source: libpcap's formats and link types; RFC 791, RFC 815, RFC 8200, RFC 2003, RFC 2784,
 *         RFC 2890, RFC 768, RFC 9293.
 * State:  Source: one per capture, its buffers. Packets: one per capture, the datagrams whose
 *         fragments are under way, at most FRAGMENTS_DATAGRAMS_MAX in FRAGMENTS_BYTES_MAX.
 * Time:   instants are ns since 1970, as the capture has them. Nothing is allocated per packet;
 *         fragments are.
 *
 *     Source *source = source_open(config, sink, &counts, error);
 *     Packets *packets = packets_new(source_link_type(source), &packet_sink, counts.skipped);
 *     while (source_next(source, &frame)) {
 *         packets_take(packets, &frame);
 *     }
 *     packets_free(packets);
 *     ok = source_close(source, error);
 */
#ifndef TRACE_PACKET_H
#define TRACE_PACKET_H

#include <analysis/trace.h>

/* Bytes of a packet: those that the capture has, of those that were on the wire. len <= wire. */
typedef struct PacketSpan {
    const uint8_t *ptr;
    size_t len;
    size_t wire;
} PacketSpan;

typedef struct PacketFrame {
    int64_t at_ns;
    PacketSpan span; /* from the link's header on; borrowed until the next source_next */
    bool broken_off; /* the file ends within it: a longer file would have more of it */
} PacketFrame;

/* A UDP datagram. */
typedef struct UdpPacket {
    int64_t at_ns; /* of the fragment that made it whole; given up: of the last that came */
    PealAddr from;
    PealAddr to;
    PealBytes data; /* of the payload what is there; borrowed for the call */
    size_t len;     /* of the payload, as the headers say: >= data.len */
    bool cut;       /* data ends before the payload does: the capture, a lost fragment or a length
                       that lies cut it; data.len < len */
} UdpPacket;

/* A TCP segment. */
typedef struct TcpPacket {
    int64_t at_ns;
    PealAddr from;
    PealAddr to;
    uint32_t seq; /* of data[0]; with TCP_SYN, of the SYN before it */
    uint32_t ack;
    uint8_t flags; /* TCP_FIN and so on, as on the wire */
    PealBytes data;
    size_t len;      /* of the payload on the wire: what the sequence numbers advance by */
    bool cut;        /* data.len < len; or lost fragments leave it open how long it was */
    bool broken_off; /* as its frame */
} TcpPacket;

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10 };

/* Who takes the packets: both functions are there. They must not call packets_*. */
typedef struct PacketSink {
    void (*udp)(void *user, const UdpPacket *packet);
    void (*tcp)(void *user, const TcpPacket *packet);
    void *user;
} PacketSink;

/* A capture file. TRACE_ERROR's quark is defined with it. */
typedef struct Source Source;

/*
 * source_open opens a capture and reads up to its first packet.
 * config  borrowed for this call
 * sink    its progress is called from source_next; borrowed for the source's life, as is
 * counts  which it keeps: packets, bytes, first_ns, last_ns, skipped[OUTSIDE], interrupted, damage
 * Returns NULL with TRACE_ERROR_OPEN, TRACE_ERROR_FILTER or TRACE_ERROR_READ.
 */
Source *source_open(const TraceConfig *config, const TraceSink *sink, TraceCounts *counts,
                    GError **error);

/* The capture's link type, a DLT_* of libpcap that link_known knows. */
int source_link_type(const Source *source);

/* source_next is the next packet that the filter and the times let through; false at the end: of
 * the file, of what can be read of it, or because progress said so. */
bool source_next(Source *source, PacketFrame *ret_frame);

/* source_close returns false with TRACE_ERROR_READ when the operating system failed half-way. */
bool source_close(Source *source, GError **error);

/* What takes the headers off: link, IP, tunnels, fragments, UDP and TCP. */
typedef struct Packets Packets;

/*
 * link_type  one that link_known knows
 * sink       copied
 * skipped    TRACE_SKIP_COUNT counters, of which it keeps NO_IP to PROTOCOL; borrowed for its life
 */
Packets *packets_new(int link_type, const PacketSink *sink, uint64_t *skipped);

/* packets_take takes a frame apart and calls the sink: once, not at all where something is skipped,
 * or more than once where datagrams are given up whose fragments do not come. */
void packets_take(Packets *packets, const PacketFrame *frame);

/* packets_free first gives up what still waits for fragments: the sink is called for what is there
 * of UDP datagrams. */
void packets_free(Packets *packets);

#endif
