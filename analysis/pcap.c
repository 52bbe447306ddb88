/*
 * pcap.c - see pcap.h.
 */
#include <analysis/pcap.h>

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    RELOAD_PORT = 6084,
    DYNAMIC_PORT_FIRST = 49152,
    DYNAMIC_PORTS = 16384,
    IPV4_HEADER_LEN = 20,
    IPV6_HEADER_LEN = 40,
    UDP_HEADER_LEN = 8,
    TCP_HEADER_LEN = 20,
    TCP_SYN_OPTIONS_LEN = 8, /* MSS, no-operation, window scale */
    IPV4_PACKET_MAX = 65535,
    PACKET_MAX = IPV6_HEADER_LEN + 65535,
    DATAGRAM_MAX = IPV4_PACKET_MAX - IPV4_HEADER_LEN - UDP_HEADER_LEN,
    SEGMENT_MAX = IPV4_PACKET_MAX - IPV4_HEADER_LEN - TCP_HEADER_LEN,
    FILE_HEADER_LEN = 24,
    RECORD_HEADER_LEN = 16,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
};

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_PSH = 0x08, TCP_ACK = 0x10 };

/* One end of a TCP flow. */
typedef struct TcpEnd {
    PealAddr addr;
    uint32_t next; /* sequence number of its next byte */
    bool finished; /* sent its FIN */
} TcpEnd;

typedef struct TcpFlow {
    uint64_t id;
    TcpEnd ends[2]; /* opener, acceptor */
} TcpFlow;

/* A control segment that is due at a later instant. */
typedef struct Pending {
    PealTime at;
    uint64_t serial; /* those of one instant in the order they were made */
    uint64_t flow;
    uint8_t end; /* which end sends it */
    uint8_t flags;
    bool last; /* the flow is over with it */
} Pending;

struct PcapWriter {
    char *path;
    pcap_t *format;
    pcap_dumper_t *dumper;
    int64_t base_unix_ns;
    uint64_t limit_bytes;
    uint64_t bytes;
    uint64_t packets;
    uint64_t left_out;
    uint32_t *peers; /* sorted; NULL for all */
    size_t peers_len;
    int error; /* errno of the first failed write */
    uint16_t ip_id;
    GHashTable *flows;  /* id -> TcpFlow */
    GHashTable *opened; /* pair of peers -> how many flows it had */
    GSequence *pending; /* of Pending, in the order of their instants */
    uint64_t pending_serial;
    uint8_t packet[PACKET_MAX];
};

static int compare_u32(const void *a, const void *b)
{
    uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

    return one < other ? -1 : one > other;
}

static gint compare_pending(gconstpointer a, gconstpointer b, gpointer user)
{
    const Pending *one = a, *other = b;

    (void)user;
    if (one->at.ns != other->at.ns) {
        return one->at.ns < other->at.ns ? -1 : 1;
    }
    return one->serial < other->serial ? -1 : one->serial > other->serial;
}

PcapWriter *pcap_writer_new(const PcapWriterConfig *config, GError **error)
{
    FILE *file = fopen(config->path, "wb");
    PcapWriter *writer;

    if (file == NULL) {
        int reason = errno;

        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason),
                    "cannot write the capture %s: %s; name a file in a directory that can be "
                    "written",
                    config->path, g_strerror(reason));
        return NULL;
    }
    writer = g_new0(PcapWriter, 1);
    writer->path = g_strdup(config->path);
    writer->format =
        pcap_open_dead_with_tstamp_precision(DLT_RAW, PACKET_MAX, PCAP_TSTAMP_PRECISION_NANO);
    writer->dumper = pcap_dump_fopen(writer->format, file);
    PEAL_ASSERT(writer->dumper != NULL);
    writer->bytes = FILE_HEADER_LEN;
    writer->base_unix_ns = config->base_unix_ns;
    writer->limit_bytes = config->limit_bytes;
    if (config->peers != NULL) {
        writer->peers = g_memdup2(config->peers, config->peers_len * sizeof(uint32_t));
        writer->peers_len = config->peers_len;
        qsort(writer->peers, writer->peers_len, sizeof(uint32_t), compare_u32);
    }
    writer->flows = g_hash_table_new_full(g_int64_hash, g_int64_equal, NULL, g_free);
    writer->opened = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    writer->pending = g_sequence_new(g_free);
    return writer;
}

static bool wanted(const PcapWriter *writer, uint32_t from, uint32_t to)
{
    if (writer->peers == NULL) {
        return true;
    }
    return bsearch(&from, writer->peers, writer->peers_len, sizeof(uint32_t), compare_u32) ||
           bsearch(&to, writer->peers, writer->peers_len, sizeof(uint32_t), compare_u32);
}

static void put_u16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, value >> 16);
    put_u16(at + 2, value & 0xffff);
}

/* The Internet checksum's sum (RFC 1071), to be folded at last. */
static uint64_t sum_words(uint64_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += (uint64_t)data[i] << 8 | data[i + 1];
    }
    if (len % 2 != 0) {
        sum += (uint64_t)data[len - 1] << 8;
    }
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

/* Checksum of a UDP datagram or TCP segment, with its pseudo header: addresses, which end the IP
 * header of either version (RFC 791 s.3.1, RFC 8200 s.8.1), protocol and length. */
static uint16_t transport_checksum(const uint8_t *transport, const PealAddr *from, uint8_t protocol,
                                   size_t len)
{
    size_t addresses_len = from->family == 6 ? 32 : 8;
    uint64_t sum = sum_words(0, transport - addresses_len, addresses_len);

    sum += protocol + (uint64_t)len;
    return fold(sum_words(sum, transport, len));
}

static void put_ipv4_header(PcapWriter *writer, uint8_t protocol, const PealAddr *from,
                            const PealAddr *to, size_t payload_len)
{
    uint8_t *ip = writer->packet;

    memset(ip, 0, IPV4_HEADER_LEN);
    ip[0] = 0x45;
    put_u16(ip + 2, (unsigned)(IPV4_HEADER_LEN + payload_len));
    put_u16(ip + 4, writer->ip_id++);
    put_u16(ip + 6, 0x4000); /* do not fragment */
    ip[8] = 64;
    ip[9] = protocol;
    memcpy(ip + 12, from->ip, 4);
    memcpy(ip + 16, to->ip, 4);
    put_u16(ip + 10, fold(sum_words(0, ip, IPV4_HEADER_LEN)));
}

static void put_ipv6_header(PcapWriter *writer, uint8_t protocol, const PealAddr *from,
                            const PealAddr *to, size_t payload_len)
{
    uint8_t *ip = writer->packet;

    memset(ip, 0, IPV6_HEADER_LEN);
    ip[0] = 0x60;
    put_u16(ip + 4, (unsigned)payload_len);
    ip[6] = protocol;
    ip[7] = 64;
    memcpy(ip + 8, from->ip, 16);
    memcpy(ip + 24, to->ip, 16);
}

/* Returns where the transport's header goes. */
static uint8_t *put_ip_header(PcapWriter *writer, uint8_t protocol, const PealAddr *from,
                              const PealAddr *to, size_t payload_len)
{
    if (from->family == 6) {
        put_ipv6_header(writer, protocol, from, to, payload_len);
        return writer->packet + IPV6_HEADER_LEN;
    }
    put_ipv4_header(writer, protocol, from, to, payload_len);
    return writer->packet + IPV4_HEADER_LEN;
}

/* The address of a simulated peer. */
static PealAddr peer_addr(uint32_t peer, uint16_t port)
{
    PealAddr addr = {.port = port, .family = 4};

    PEAL_ASSERT(peer < PCAP_WRITER_PEERS_MAX);
    put_u32(addr.ip, (UINT32_C(10) << 24) + peer + 1);
    return addr;
}

static bool same_addr(const PealAddr *a, const PealAddr *b)
{
    return a->port == b->port && a->family == b->family &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : sizeof(a->ip)) == 0;
}

static void write_packet(PcapWriter *writer, PealTime at, size_t len)
{
    int64_t unix_ns = writer->base_unix_ns + at.ns;
    struct pcap_pkthdr header = {
        .ts = {.tv_sec = unix_ns / PEAL_NS_PER_S, .tv_usec = unix_ns % PEAL_NS_PER_S},
        .caplen = (bpf_u_int32)len,
        .len = (bpf_u_int32)len,
    };

    /* Once one packet is left out all are: a TCP flow must not have holes. */
    if (writer->error != 0 || writer->left_out > 0 ||
        (writer->limit_bytes > 0 &&
         writer->bytes + RECORD_HEADER_LEN + len > writer->limit_bytes)) {
        writer->left_out++;
        return;
    }
    errno = 0;
    pcap_dump((u_char *)writer->dumper, &header, writer->packet);
    if (ferror(pcap_dump_file(writer->dumper))) {
        writer->error = errno != 0 ? errno : EIO;
        return;
    }
    writer->bytes += RECORD_HEADER_LEN + len;
    writer->packets++;
}

static void write_segment(PcapWriter *writer, PealTime at, TcpFlow *flow, unsigned end,
                          uint8_t flags, PealBytes data)
{
    TcpEnd *from = &flow->ends[end];
    const TcpEnd *to = &flow->ends[1 - end];
    uint8_t *tcp;
    size_t options_len = flags & TCP_SYN ? TCP_SYN_OPTIONS_LEN : 0;
    size_t header_len = TCP_HEADER_LEN + options_len;

    tcp = put_ip_header(writer, IP_PROTOCOL_TCP, &from->addr, &to->addr, header_len + data.len);
    memset(tcp, 0, header_len);
    put_u16(tcp, from->addr.port);
    put_u16(tcp + 2, to->addr.port);
    put_u32(tcp + 4, from->next);
    put_u32(tcp + 8, flags & TCP_ACK ? to->next : 0);
    tcp[12] = (uint8_t)(header_len / 4 << 4);
    tcp[13] = flags;
    put_u16(tcp + 14, 65535);
    if (options_len > 0) {
        static const uint8_t options[TCP_SYN_OPTIONS_LEN] = {
            2, 4, SEGMENT_MAX >> 8, SEGMENT_MAX & 0xff, 1, 3, 3, 14};

        memcpy(tcp + TCP_HEADER_LEN, options, sizeof(options));
    }
    if (data.len > 0) {
        memcpy(tcp + header_len, data.ptr, data.len);
    }
    put_u16(tcp + 16, transport_checksum(tcp, &from->addr, IP_PROTOCOL_TCP, header_len + data.len));
    write_packet(writer, at, (size_t)(tcp - writer->packet) + header_len + data.len);
    from->next += (uint32_t)data.len + ((flags & (TCP_SYN | TCP_FIN)) != 0);
    from->finished = from->finished || (flags & TCP_FIN);
}

/* Writes the control segments that are due by now, so that the file stays in order. */
static void write_due(PcapWriter *writer, PealTime now)
{
    while (!g_sequence_is_empty(writer->pending)) {
        GSequenceIter *first = g_sequence_get_begin_iter(writer->pending);
        Pending pending = *(Pending *)g_sequence_get(first);
        TcpFlow *flow;

        if (pending.at.ns > now.ns) {
            return;
        }
        g_sequence_remove(first);
        flow = g_hash_table_lookup(writer->flows, &pending.flow);
        if (flow == NULL) {
            continue;
        }
        if (!(pending.flags & TCP_FIN) || !flow->ends[pending.end].finished) {
            write_segment(writer, pending.at, flow, pending.end, pending.flags, (PealBytes){0});
        }
        if (pending.last) {
            g_hash_table_remove(writer->flows, &pending.flow);
        }
    }
}

static void write_later(PcapWriter *writer, Pending pending)
{
    pending.serial = writer->pending_serial++;
    g_sequence_insert_sorted(writer->pending, g_memdup2(&pending, sizeof(pending)), compare_pending,
                             NULL);
}

void pcap_writer_host_udp(PcapWriter *writer, PealTime at, const PealAddr *from, const PealAddr *to,
                          PealBytes data)
{
    uint8_t *udp;
    size_t udp_len = UDP_HEADER_LEN + data.len;
    uint16_t checksum;

    PEAL_ASSERT(data.len <= DATAGRAM_MAX && from->family == to->family);
    write_due(writer, at);
    udp = put_ip_header(writer, IP_PROTOCOL_UDP, from, to, udp_len);
    put_u16(udp, from->port);
    put_u16(udp + 2, to->port);
    put_u16(udp + 4, (unsigned)udp_len);
    put_u16(udp + 6, 0);
    if (data.len > 0) {
        memcpy(udp + UDP_HEADER_LEN, data.ptr, data.len);
    }
    checksum = transport_checksum(udp, from, IP_PROTOCOL_UDP, udp_len);
    put_u16(udp + 6, checksum != 0 ? checksum : 0xffff); /* RFC 768: 0 means none */
    write_packet(writer, at, (size_t)(udp - writer->packet) + udp_len);
}

void pcap_writer_udp(PcapWriter *writer, PealTime at, const PcapEnd *from, const PcapEnd *to,
                     PealBytes data)
{
    PealAddr from_addr = peer_addr(from->peer, from->port);
    PealAddr to_addr = peer_addr(to->peer, to->port);

    if (wanted(writer, from->peer, to->peer)) {
        pcap_writer_host_udp(writer, at, &from_addr, &to_addr, data);
    }
}

void pcap_writer_datagram(PcapWriter *writer, PealTime at, uint32_t from, uint32_t to,
                          const uint8_t *data, size_t len)
{
    pcap_writer_udp(writer, at, &(PcapEnd){from, RELOAD_PORT}, &(PcapEnd){to, RELOAD_PORT},
                    (PealBytes){data, len});
}

/* The opener's port: a pair's flows never share both ports, however many follow one another. */
static uint16_t opener_port(PcapWriter *writer, uint32_t opener, uint32_t acceptor)
{
    uint64_t pair = (uint64_t)MIN(opener, acceptor) << 32 | MAX(opener, acceptor);
    unsigned before = GPOINTER_TO_UINT(g_hash_table_lookup(writer->opened, &pair));

    g_hash_table_replace(writer->opened, g_memdup2(&pair, sizeof(pair)),
                         GUINT_TO_POINTER(before + 1));
    return before == 0 ? RELOAD_PORT
                       : (uint16_t)(DYNAMIC_PORT_FIRST + (before - 1) % DYNAMIC_PORTS);
}

/* Any number will do to begin with; a simulated peer's is its own. */
static uint32_t first_sequence(const PealAddr *addr)
{
    const uint8_t *ip = addr->ip;

    return ((uint32_t)ip[1] << 16 | (uint32_t)ip[2] << 8 | ip[3]) - 1;
}

static TcpFlow *add_flow(PcapWriter *writer, uint64_t id, const PealAddr *opener,
                         const PealAddr *acceptor)
{
    TcpFlow *flow = g_new0(TcpFlow, 1);

    *flow = (TcpFlow){
        .id = id,
        .ends = {{.addr = *opener, .next = first_sequence(opener)},
                 {.addr = *acceptor, .next = first_sequence(acceptor)}},
    };
    g_hash_table_insert(writer->flows, &flow->id, flow);
    return flow;
}

static TcpFlow *add_reload_flow(PcapWriter *writer, uint64_t id, uint32_t opener, uint32_t acceptor)
{
    PealAddr from = peer_addr(opener, opener_port(writer, opener, acceptor));
    PealAddr to = peer_addr(acceptor, RELOAD_PORT);

    return add_flow(writer, id, &from, &to);
}

/* The handshake of a flow that was just added. */
static void write_handshake(PcapWriter *writer, PealTime at, PealSpan one_way, TcpFlow *flow)
{
    PealTime there = peal_time_add(at, one_way);

    write_segment(writer, at, flow, 0, TCP_SYN, (PealBytes){0});
    write_later(writer,
                (Pending){.at = there, .flow = flow->id, .end = 1, .flags = TCP_SYN | TCP_ACK});
    write_later(writer, (Pending){.at = peal_time_add(there, one_way),
                                  .flow = flow->id,
                                  .end = 0,
                                  .flags = TCP_ACK});
}

void pcap_writer_tcp_open(PcapWriter *writer, PealTime at, PealSpan one_way, uint64_t flow_id,
                          uint32_t opener, uint32_t acceptor)
{
    write_due(writer, at);
    if (!wanted(writer, opener, acceptor)) {
        return;
    }
    PEAL_ASSERT(!g_hash_table_contains(writer->flows, &flow_id));
    write_handshake(writer, at, one_way, add_reload_flow(writer, flow_id, opener, acceptor));
}

void pcap_writer_host_open(PcapWriter *writer, PealTime at, uint64_t flow_id,
                           const PealAddr *opener, const PealAddr *acceptor)
{
    write_due(writer, at);
    PEAL_ASSERT(!g_hash_table_contains(writer->flows, &flow_id));
    write_handshake(writer, at, (PealSpan){0}, add_flow(writer, flow_id, opener, acceptor));
}

static void write_stream(PcapWriter *writer, PealTime at, TcpFlow *flow, unsigned end,
                         PealBytes data)
{
    while (data.len > 0 && !flow->ends[end].finished) {
        PealBytes part = {data.ptr, MIN(data.len, SEGMENT_MAX)};

        write_segment(writer, at, flow, end, TCP_ACK | (part.len == data.len ? TCP_PSH : 0), part);
        data.ptr += part.len;
        data.len -= part.len;
    }
}

/* Which end of a flow a simulated peer is. */
static uint8_t end_of(const TcpFlow *flow, uint32_t peer)
{
    PealAddr addr = peer_addr(peer, flow->ends[0].addr.port);

    return same_addr(&flow->ends[0].addr, &addr) ? 0 : 1;
}

void pcap_writer_tcp_data(PcapWriter *writer, PealTime at, uint64_t flow_id, uint32_t from,
                          uint32_t to, PealBytes data)
{
    TcpFlow *flow;

    write_due(writer, at);
    if (!wanted(writer, from, to)) {
        return;
    }
    flow = g_hash_table_lookup(writer->flows, &flow_id);
    if (flow == NULL) {
        flow = add_reload_flow(writer, flow_id, from, to);
    }
    write_stream(writer, at, flow, end_of(flow, from), data);
}

void pcap_writer_tcp_between(PcapWriter *writer, PealTime at, uint64_t flow_id, const PcapEnd *from,
                             const PcapEnd *to, PealBytes data)
{
    PealAddr from_addr = peer_addr(from->peer, from->port);
    PealAddr to_addr = peer_addr(to->peer, to->port);

    if (wanted(writer, from->peer, to->peer)) {
        pcap_writer_host_data(writer, at, flow_id, &from_addr, &to_addr, data);
    }
}

void pcap_writer_host_data(PcapWriter *writer, PealTime at, uint64_t flow_id, const PealAddr *from,
                           const PealAddr *to, PealBytes data)
{
    TcpFlow *flow;

    write_due(writer, at);
    flow = g_hash_table_lookup(writer->flows, &flow_id);
    if (flow == NULL) {
        flow = add_flow(writer, flow_id, from, to);
    }
    write_stream(writer, at, flow, same_addr(&flow->ends[0].addr, from) ? 0 : 1, data);
}

/* One end has no more to say, and neither has the other. */
static void write_farewell(PcapWriter *writer, PealTime at, PealSpan one_way, TcpFlow *flow,
                           uint8_t end)
{
    PealTime there = peal_time_add(at, one_way);

    if (flow->ends[end].finished) {
        return;
    }
    write_segment(writer, at, flow, end, TCP_FIN | TCP_ACK, (PealBytes){0});
    write_later(writer, (Pending){.at = there,
                                  .flow = flow->id,
                                  .end = 1 - end,
                                  .flags = TCP_FIN | TCP_ACK});
    write_later(writer, (Pending){.at = peal_time_add(there, one_way),
                                  .flow = flow->id,
                                  .end = end,
                                  .flags = TCP_ACK,
                                  .last = true});
}

void pcap_writer_tcp_close(PcapWriter *writer, PealTime at, PealSpan one_way, uint64_t flow_id,
                           uint32_t from)
{
    TcpFlow *flow;

    write_due(writer, at);
    flow = g_hash_table_lookup(writer->flows, &flow_id);
    if (flow != NULL) {
        write_farewell(writer, at, one_way, flow, end_of(flow, from));
    }
}

void pcap_writer_host_close(PcapWriter *writer, PealTime at, uint64_t flow_id, const PealAddr *from)
{
    TcpFlow *flow;

    write_due(writer, at);
    flow = g_hash_table_lookup(writer->flows, &flow_id);
    if (flow != NULL) {
        write_farewell(writer, at, (PealSpan){0}, flow,
                       same_addr(&flow->ends[0].addr, from) ? 0 : 1);
    }
}

uint64_t pcap_writer_packets(const PcapWriter *writer)
{
    return writer->packets;
}

uint64_t pcap_writer_left_out(const PcapWriter *writer)
{
    return writer->left_out;
}

bool pcap_writer_flush(PcapWriter *writer, GError **error)
{
    errno = 0;
    if (pcap_dump_flush(writer->dumper) != 0 && writer->error == 0) {
        writer->error = errno != 0 ? errno : EIO;
    }
    if (writer->error != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(writer->error),
                    "the capture %s ends early: %s; it holds the first %" G_GUINT64_FORMAT
                    " packets",
                    writer->path, g_strerror(writer->error), writer->packets);
    }
    return writer->error == 0;
}

bool pcap_writer_close(PcapWriter *writer, GError **error)
{
    bool good;

    if (writer == NULL) {
        return true;
    }
    write_due(writer, PEAL_TIME_NEVER);
    good = pcap_writer_flush(writer, error);
    pcap_dump_close(writer->dumper);
    pcap_close(writer->format);
    g_hash_table_unref(writer->flows);
    g_hash_table_unref(writer->opened);
    g_sequence_free(writer->pending);
    g_free(writer->peers);
    g_free(writer->path);
    g_free(writer);
    return good;
}
