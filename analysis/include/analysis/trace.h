/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * trace.h - reads captures of network traffic and hands over the SIP messages in them.
 * Source: libpcap's formats and link types; RFC 791, RFC 8200, RFC 2003, RFC 2784, RFC 768,
 *         RFC 9293; RFC 3261 s.7, s.18.3 for what SIP is.
 * State:  one reader at a time: fragments and TCP streams under way, each bounded; it does not grow
 *         with the capture.
 * Time:   instants are ns since 1970, as the capture has them; messages come in the order in which
 *         they became whole.
 *
 * SIP is found by its start line, on any port. A message counts once for each time that it passed
 * the capture: retransmissions of SIP count, retransmissions of TCP do not.
 */
#ifndef ANALYSIS_TRACE_H
#define ANALYSIS_TRACE_H

#include <glib.h>
#include <peal/env.h>
#include <peal/sip_scan.h>

#define TRACE_ERROR trace_error_quark()
GQuark trace_error_quark(void);
typedef enum TraceError {
    TRACE_ERROR_OPEN,   /* no such file, a directory, no capture: nothing was read */
    TRACE_ERROR_FILTER, /* the BPF expression */
    TRACE_ERROR_READ    /* the operating system failed half-way */
} TraceError;

/* Why something of a capture was not used. X(ID, name in the JSON, what it means). */
#define TRACE_SKIPS(X)                                                                      \
    X(NO_IP, no_ip, "frames that carry no IP (ARP and the like)")                           \
    X(CUT, cut, "packets that the capture cut before their headers ended")                  \
    X(BAD_IP, bad_ip, "IP headers that contradict themselves")                              \
    X(BAD_LENGTH, bad_length, "lengths in headers that lie")                                \
    X(FRAGMENTS, fragments, "fragments of which the rest never came")                       \
    X(FRAGMENT_OVERLAP, fragment_overlap, "fragments that overlap with other content")      \
    X(TUNNEL_DEPTH, tunnel_depth, "tunnels within too many tunnels")                        \
    X(PROTOCOL, protocol, "IP packets of other protocols than UDP and TCP")                 \
    X(TCP_GAP, tcp_gap, "gaps in TCP streams")                                              \
    X(TCP_OVERFLOW, tcp_overflow, "TCP segments beyond what is held for a stream")          \
    X(TCP_UNFINISHED, tcp_unfinished, "SIP messages over TCP of which the rest never came") \
    X(TCP_OVERLAP, tcp_overlap, "TCP retransmissions with other content")                   \
    X(NOT_SIP, not_sip, "UDP datagrams and TCP segments of something else")                 \
    X(BAD_SIP, bad_sip, "starts of SIP messages that do not go on as such")                 \
    X(OUTSIDE, outside, "packets before --from or after --until")

typedef enum TraceSkip {
#define X(id, name, meaning) TRACE_SKIP_##id,
    TRACE_SKIPS(X)
#undef X
        TRACE_SKIP_COUNT
} TraceSkip;
const char *trace_skip_name(TraceSkip skip);
const char *trace_skip_meaning(TraceSkip skip);

typedef struct TraceConfig {
    const char *path;   /* "-": standard input; gzip or not */
    const char *filter; /* BPF expression, or NULL */
    int64_t from_ns;    /* INT64_MIN: from the beginning */
    int64_t until_ns;   /* INT64_MAX: to the end; this instant is left out */
} TraceConfig;

typedef struct TraceMessage {
    int64_t at_ns; /* of the packet that made it whole */
    PealAddr from;
    PealAddr to;
    bool tcp;
    PealSipScan scan; /* borrowed for the call */
} TraceMessage;

/* A UDP datagram that is no SIP: perhaps of a call's media. */
typedef struct TraceDatagram {
    int64_t at_ns;
    PealAddr from;
    PealAddr to;
    uint32_t len; /* of its payload, as the headers say */
} TraceDatagram;

/* Who takes what is read; any function may be NULL. */
typedef struct TraceSink {
    void (*message)(void *user, const TraceMessage *message);
    void (*datagram)(void *user, const TraceDatagram *datagram);
    /* progress is called every so many packets with what was read of the file's bytes (compressed,
     * if it is so), total 0 where nobody knows; false ends the reading in order. */
    bool (*progress)(void *user, uint64_t bytes, uint64_t total);
    void *user;
} TraceSink;

typedef struct TraceCounts {
    uint64_t packets; /* that the filter and the times let through */
    uint64_t bytes;   /* of them, on the wire */
    int64_t first_ns; /* instants of the first and the last; meaningful with packets > 0 */
    int64_t last_ns;
    uint64_t messages;     /* SIP messages, */
    uint64_t messages_tcp; /* over TCP */
    uint64_t messages_cut; /* whose bytes the capture does not have to their end */
    uint64_t skipped[TRACE_SKIP_COUNT];
    bool interrupted; /* progress said so */
    char damage[256]; /* why the file could be read no further, in libpcap's or zlib's words and
                          where; empty: it was read to its end */
} TraceCounts;

/*
 * trace_read reads a whole capture.
 * Returns false with a TRACE_ERROR when nothing could be read at all. A capture that ends in the
 * middle, or is damaged there, was read up to that place: true, and ret_counts->damage says so.
 */
bool trace_read(const TraceConfig *config, const TraceSink *sink, TraceCounts *ret_counts,
                GError **error);

#endif
