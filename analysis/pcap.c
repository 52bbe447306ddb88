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
    IP_HEADER_LEN = 20,
    UDP_HEADER_LEN = 8,
    TCP_HEADER_LEN = 20,
    TCP_SYN_OPTIONS_LEN = 8, /* MSS, no-operation, window scale */
    PACKET_MAX = 65535,
    SEGMENT_MAX = PACKET_MAX - IP_HEADER_LEN - TCP_HEADER_LEN,
    FILE_HEADER_LEN = 24,
    RECORD_HEADER_LEN = 16,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
};

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_PSH = 0x08, TCP_ACK = 0x10 };

/* One end of a TCP flow. */
typedef struct TcpEnd {
    uint32_t peer;
    uint32_t next; /* sequence number of its next byte */
    uint16_t port;
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

/* Checksum of a UDP datagram or TCP segment, with its pseudo header. */
static uint16_t transport_checksum(const uint8_t *packet, uint8_t protocol, size_t len)
{
    uint64_t sum = sum_words(0, packet + 12, 8);

    sum += protocol + (uint64_t)len;
    return fold(sum_words(sum, packet + IP_HEADER_LEN, len));
}

static void put_ip_header(PcapWriter *writer, uint8_t protocol, uint32_t from, uint32_t to,
                          size_t payload_len)
{
    uint8_t *ip = writer->packet;

    PEAL_ASSERT(from < PCAP_WRITER_PEERS_MAX && to < PCAP_WRITER_PEERS_MAX);
    memset(ip, 0, IP_HEADER_LEN);
    ip[0] = 0x45;
    put_u16(ip + 2, (unsigned)(IP_HEADER_LEN + payload_len));
    put_u16(ip + 4, writer->ip_id++);
    put_u16(ip + 6, 0x4000); /* do not fragment */
    ip[8] = 64;
    ip[9] = protocol;
    put_u32(ip + 12, (UINT32_C(10) << 24) + from + 1);
    put_u32(ip + 16, (UINT32_C(10) << 24) + to + 1);
    put_u16(ip + 10, fold(sum_words(0, ip, IP_HEADER_LEN)));
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
    uint8_t *tcp = writer->packet + IP_HEADER_LEN;
    size_t options_len = flags & TCP_SYN ? TCP_SYN_OPTIONS_LEN : 0;
    size_t header_len = TCP_HEADER_LEN + options_len;

    put_ip_header(writer, IP_PROTOCOL_TCP, from->peer, to->peer, header_len + data.len);
    memset(tcp, 0, header_len);
    put_u16(tcp, from->port);
    put_u16(tcp + 2, to->port);
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
    put_u16(tcp + 16, transport_checksum(writer->packet, IP_PROTOCOL_TCP, header_len + data.len));
    write_packet(writer, at, IP_HEADER_LEN + header_len + data.len);
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

void pcap_writer_udp(PcapWriter *writer, PealTime at, const PcapEnd *from, const PcapEnd *to,
                     PealBytes data)
{
    uint8_t *udp = writer->packet + IP_HEADER_LEN;
    size_t udp_len = UDP_HEADER_LEN + data.len;
    uint16_t checksum;

    PEAL_ASSERT(data.len <= PACKET_MAX - IP_HEADER_LEN - UDP_HEADER_LEN);
    write_due(writer, at);
    if (!wanted(writer, from->peer, to->peer)) {
        return;
    }
    put_ip_header(writer, IP_PROTOCOL_UDP, from->peer, to->peer, udp_len);
    put_u16(udp, from->port);
    put_u16(udp + 2, to->port);
    put_u16(udp + 4, (unsigned)udp_len);
    put_u16(udp + 6, 0);
    if (data.len > 0) {
        memcpy(udp + UDP_HEADER_LEN, data.ptr, data.len);
    }
    checksum = transport_checksum(writer->packet, IP_PROTOCOL_UDP, udp_len);
    put_u16(udp + 6, checksum != 0 ? checksum : 0xffff); /* RFC 768: 0 means none */
    write_packet(writer, at, IP_HEADER_LEN + udp_len);
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

static TcpFlow *add_flow(PcapWriter *writer, uint64_t id, PcapEnd opener, PcapEnd acceptor)
{
    TcpFlow *flow = g_new0(TcpFlow, 1);

    *flow = (TcpFlow){
        .id = id,
        .ends = {{.peer = opener.peer, .port = opener.port, .next = opener.peer},
                 {.peer = acceptor.peer, .port = acceptor.port, .next = acceptor.peer}},
    };
    g_hash_table_insert(writer->flows, &flow->id, flow);
    return flow;
}

static TcpFlow *add_reload_flow(PcapWriter *writer, uint64_t id, uint32_t opener, uint32_t acceptor)
{
    return add_flow(writer, id, (PcapEnd){opener, opener_port(writer, opener, acceptor)},
                    (PcapEnd){acceptor, RELOAD_PORT});
}

void pcap_writer_tcp_open(PcapWriter *writer, PealTime at, PealSpan one_way, uint64_t flow_id,
                          uint32_t opener, uint32_t acceptor)
{
    TcpFlow *flow;
    PealTime there = peal_time_add(at, one_way);

    write_due(writer, at);
    if (!wanted(writer, opener, acceptor)) {
        return;
    }
    PEAL_ASSERT(!g_hash_table_contains(writer->flows, &flow_id));
    flow = add_reload_flow(writer, flow_id, opener, acceptor);
    write_segment(writer, at, flow, 0, TCP_SYN, (PealBytes){0});
    write_later(writer,
                (Pending){.at = there, .flow = flow_id, .end = 1, .flags = TCP_SYN | TCP_ACK});
    write_later(writer, (Pending){.at = peal_time_add(there, one_way),
                                  .flow = flow_id,
                                  .end = 0,
                                  .flags = TCP_ACK});
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
    write_stream(writer, at, flow, flow->ends[0].peer == from ? 0 : 1, data);
}

void pcap_writer_tcp_between(PcapWriter *writer, PealTime at, uint64_t flow_id, const PcapEnd *from,
                             const PcapEnd *to, PealBytes data)
{
    TcpFlow *flow;
    bool opener;

    write_due(writer, at);
    if (!wanted(writer, from->peer, to->peer)) {
        return;
    }
    flow = g_hash_table_lookup(writer->flows, &flow_id);
    if (flow == NULL) {
        flow = add_flow(writer, flow_id, *from, *to);
    }
    opener = flow->ends[0].peer == from->peer && flow->ends[0].port == from->port;
    write_stream(writer, at, flow, opener ? 0 : 1, data);
}

void pcap_writer_tcp_close(PcapWriter *writer, PealTime at, PealSpan one_way, uint64_t flow_id,
                           uint32_t from)
{
    TcpFlow *flow;
    uint8_t end;
    PealTime there = peal_time_add(at, one_way);

    write_due(writer, at);
    flow = g_hash_table_lookup(writer->flows, &flow_id);
    if (flow == NULL) {
        return;
    }
    end = flow->ends[0].peer == from ? 0 : 1;
    if (flow->ends[end].finished) {
        return;
    }
    write_segment(writer, at, flow, end, TCP_FIN | TCP_ACK, (PealBytes){0});
    write_later(writer, (Pending){.at = there,
                                  .flow = flow_id,
                                  .end = 1 - end,
                                  .flags = TCP_FIN | TCP_ACK});
    write_later(writer, (Pending){.at = peal_time_add(there, one_way),
                                  .flow = flow_id,
                                  .end = end,
                                  .flags = TCP_ACK,
                                  .last = true});
}

uint64_t pcap_writer_packets(const PcapWriter *writer)
{
    return writer->packets;
}

uint64_t pcap_writer_left_out(const PcapWriter *writer)
{
    return writer->left_out;
}

bool pcap_writer_close(PcapWriter *writer, GError **error)
{
    bool good;

    if (writer == NULL) {
        return true;
    }
    write_due(writer, PEAL_TIME_NEVER);
    errno = 0;
    if (pcap_dump_flush(writer->dumper) != 0 && writer->error == 0) {
        writer->error = errno != 0 ? errno : EIO;
    }
    good = writer->error == 0;
    if (!good) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(writer->error),
                    "the capture %s ends early: %s; it holds the first %" G_GUINT64_FORMAT
                    " packets",
                    writer->path, g_strerror(writer->error), writer->packets);
    }
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
