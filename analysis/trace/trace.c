/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trace.c - a capture from its file to its SIP messages. See <analysis/trace.h>. */
#include "trace/packet.h"
#include "trace/tcp.h"

typedef struct Trace {
    const TraceSink *sink;
    TraceCounts *counts;
    Tcp *tcp;
} Trace;

const char *trace_skip_name(TraceSkip skip)
{
    static const char *const NAMES[] = {
#define X(id, name, meaning) #name,
        TRACE_SKIPS(X)
#undef X
    };

    return NAMES[skip];
}

const char *trace_skip_meaning(TraceSkip skip)
{
    static const char *const MEANINGS[] = {
#define X(id, name, meaning) meaning,
        TRACE_SKIPS(X)
#undef X
    };

    return MEANINGS[skip];
}

/* Counts a message and hands it over; false when it is none. */
static bool tell(const Trace *trace, TraceMessage *message, PealStr bytes)
{
    if (peal_sip_scan(bytes, &message->scan) != 0) {
        return false;
    }
    trace->counts->messages++;
    trace->counts->messages_tcp += message->tcp;
    trace->counts->messages_cut += message->scan.cut;
    if (trace->sink->message != NULL) {
        trace->sink->message(trace->sink->user, message);
    }
    return true;
}

/* s.18.3: what stands behind a datagram's message is no part of it, and is passed over. */
static void on_udp(void *user, const UdpPacket *packet)
{
    const Trace *trace = user;
    TraceMessage message = {.at_ns = packet->at_ns, .from = packet->from, .to = packet->to};
    const TraceDatagram datagram = {packet->at_ns, packet->from, packet->to, (uint32_t)packet->len};

    if (tell(trace, &message, (PealStr){(const char *)packet->data.ptr, packet->data.len})) {
        return;
    }
    trace->counts->skipped[TRACE_SKIP_NOT_SIP]++;
    if (trace->sink->datagram != NULL) {
        trace->sink->datagram(trace->sink->user, &datagram);
    }
}

static void on_tcp(void *user, const TcpPacket *packet)
{
    tcp_take(((Trace *)user)->tcp, packet);
}

static void on_tcp_message(void *user, int64_t at_ns, const PealAddr *from, const PealAddr *to,
                           PealStr bytes)
{
    TraceMessage message = {.at_ns = at_ns, .from = *from, .to = *to, .tcp = true};

    (void)tell(user, &message, bytes);
}

bool trace_read(const TraceConfig *config, const TraceSink *sink, TraceCounts *ret_counts,
                GError **error)
{
    Trace trace = {.sink = sink, .counts = ret_counts};
    const PacketSink packet_sink = {on_udp, on_tcp, &trace};
    const TcpSink tcp_sink = {on_tcp_message, ret_counts->skipped, &trace};
    Packets *packets;
    PacketFrame frame;
    Source *source;

    *ret_counts = (TraceCounts){0};
    source = source_open(config, sink, ret_counts, error);
    if (source == NULL) {
        return false;
    }
    trace.tcp = tcp_new(&tcp_sink);
    packets = packets_new(source_link_type(source), &packet_sink, ret_counts->skipped);
    while (source_next(source, &frame)) {
        packets_take(packets, &frame);
    }
    packets_free(packets);
    tcp_free(trace.tcp);
    return source_close(source, error);
}
