/*
 * pcap.h - writes simulated traffic, or a host's own, as a capture that Wireshark opens.
 * Source: the pcap format with nanoseconds; RFC 791, RFC 8200, RFC 768, RFC 9293 for the headers.
 * State:  one writer, 48 bytes for each TCP flow that was seen and not closed, 32 for each
 *         handshake packet to come.
 * Time:   calls come in the order of their instants, and so do the packets in the file.
 *
 * Link type RAW: IPv4 and IPv6 packets. Simulated peer i has the address 10.0.0.0 + i + 1, so peers
 * number 2^24 - 2 at most. RELOAD's datagrams use its port 6084 at both ends; so does the first TCP
 * flow of a pair of peers, a further one has a dynamic port at its opener's end. Other traffic
 * brings its ports. A peer's TCP stack is taken to acknowledge with its next segment, and never to
 * lose one.
 */
#ifndef ANALYSIS_PCAP_H
#define ANALYSIS_PCAP_H

#include <glib.h>
#include <peal/base.h>

#define PCAP_WRITER_PEERS_MAX ((UINT32_C(1) << 24) - 2)

typedef struct PcapWriterConfig {
    const char *path;
    int64_t base_unix_ns;  /* what instant 0 is, ns since 1970 */
    uint64_t limit_bytes;  /* of the file; packets that would pass it are left out; 0: none */
    const uint32_t *peers; /* only packets from or to one of these; NULL: all; copied */
    size_t peers_len;
} PcapWriterConfig;

typedef struct PcapWriter PcapWriter;

/* pcap_writer_new makes the file, replacing one that is there. NULL with a GError (G_FILE_ERROR)
 * that names path and remedy. */
PcapWriter *pcap_writer_new(const PcapWriterConfig *config, GError **error);

/* One end of what is not RELOAD: a port at a peer's address. */
typedef struct PcapEnd {
    uint32_t peer;
    uint16_t port;
} PcapEnd;

/* pcap_writer_udp writes a UDP datagram of 0..65507 bytes. */
void pcap_writer_udp(PcapWriter *writer, PealTime at, const PcapEnd *from, const PcapEnd *to,
                     PealBytes data);

/* pcap_writer_tcp_between writes bytes of a TCP stream between two ends, as pcap_writer_tcp_data
 * does; the stream was opened by whoever sends first. */
void pcap_writer_tcp_between(PcapWriter *writer, PealTime at, uint64_t flow, const PcapEnd *from,
                             const PcapEnd *to, PealBytes data);

/* pcap_writer_datagram writes one of RELOAD's UDP datagrams. len: 0..65507. */
void pcap_writer_datagram(PcapWriter *writer, PealTime at, uint32_t from, uint32_t to,
                          const uint8_t *data, size_t len);

/*
 * A TCP flow is known by a number that the caller chooses, unique among the open ones.
 * open    writes the handshake: SYN at `at`, SYN-ACK one_way later, ACK another one_way later. A
 *         flow that was up before the capture began needs no call: it starts with its first data,
 *         as a late capture sees it.
 * data    writes bytes of the stream, in as many segments as needed; from and to are its ends
 * close   writes FIN from `from`, FIN-ACK from the other end one_way later, ACK another one_way
 *         later; a flow of which nothing was written is forgotten without a packet
 */
void pcap_writer_tcp_open(PcapWriter *writer, PealTime at, PealSpan one_way, uint64_t flow,
                          uint32_t opener, uint32_t acceptor);
void pcap_writer_tcp_data(PcapWriter *writer, PealTime at, uint64_t flow, uint32_t from,
                          uint32_t to, PealBytes data);
void pcap_writer_tcp_close(PcapWriter *writer, PealTime at, PealSpan one_way, uint64_t flow,
                           uint32_t from);

/*
 * The same between real addresses, of one family both: datagrams, and streams whose handshakes and
 * farewells take no time. Flow numbers are of the same set as those above.
 */
void pcap_writer_host_udp(PcapWriter *writer, PealTime at, const PealAddr *from, const PealAddr *to,
                          PealBytes data);
void pcap_writer_host_open(PcapWriter *writer, PealTime at, uint64_t flow, const PealAddr *opener,
                           const PealAddr *acceptor);
void pcap_writer_host_data(PcapWriter *writer, PealTime at, uint64_t flow, const PealAddr *from,
                           const PealAddr *to, PealBytes data);
void pcap_writer_host_close(PcapWriter *writer, PealTime at, uint64_t flow, const PealAddr *from);

/* Packets written, and left out because of the size limit. */
uint64_t pcap_writer_packets(const PcapWriter *writer);
uint64_t pcap_writer_left_out(const PcapWriter *writer);

/* pcap_writer_flush gives the file all that was written so far; errors as pcap_writer_close. */
bool pcap_writer_flush(PcapWriter *writer, GError **error);

/*
 * pcap_writer_close writes what is buffered, closes and frees. Writing stops at the first error
 * (disk full), which is told here: false with a G_FILE_ERROR that names the path. Safe on NULL.
 */
bool pcap_writer_close(PcapWriter *writer, GError **error);

#endif
