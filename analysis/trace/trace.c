/* SPDX-License-Identifier: GPL-3.0-or-later */
/* trace.c - a capture from its file to its SIP messages. See <analysis/trace.h>. */
#include "trace/packet.h"

typedef struct Trace {
    const TraceSink *sink;
    TraceCounts *counts;
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

static void on_udp(void *user, const UdpPacket *packet)
{
    const Trace *trace = user;
    const TraceSink *sink = trace->sink;
    TraceMessage message = {.at_ns = packet->at_ns, .from = packet->from, .to = packet->to};
    const TraceDatagram datagram = {packet->at_ns, packet->from, packet->to, (uint32_t)packet->len};

    if (peal_sip_scan((PealStr){(const char *)packet->data.ptr, packet->data.len}, &message.scan) ==
        0) {
        trace->counts->messages++;
        trace->counts->messages_cut += message.scan.cut;
        if (sink->message != NULL) {
            sink->message(sink->user, &message);
        }
        return;
    }
    trace->counts->skipped[TRACE_SKIP_NOT_SIP]++;
    if (sink->datagram != NULL) {
        sink->datagram(sink->user, &datagram);
    }
}

static void on_tcp(void *user, const TcpPacket *packet)
{
    const Trace *trace = user;

    trace->counts->skipped[TRACE_SKIP_NOT_SIP] += packet->len > 0;
}

bool trace_read(const TraceConfig *config, const TraceSink *sink, TraceCounts *ret_counts,
                GError **error)
{
    Trace trace = {sink, ret_counts};
    const PacketSink packet_sink = {on_udp, on_tcp, &trace};
    Packets *packets;
    PacketFrame frame;
    Source *source;

    *ret_counts = (TraceCounts){0};
    source = source_open(config, sink, ret_counts, error);
    if (source == NULL) {
        return false;
    }
    packets = packets_new(source_link_type(source), &packet_sink, ret_counts->skipped);
    while (source_next(source, &frame)) {
        packets_take(packets, &frame);
    }
    packets_free(packets);
    return source_close(source, error);
}
