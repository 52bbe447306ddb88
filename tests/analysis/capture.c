/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * capture.c - see capture.h. A packet is built from its payload outwards: each header is put before
 * what there is.
 */
#include "analysis/capture_file.h"

#include <arpa/inet.h>
#include <glib.h>
#include <pcap/pcap.h>

enum {
    HEADROOM = 1024,
    IP_MAX = 65535,
    ROOM = HEADROOM + IP_MAX + 1024,
    ETHERNET_MIN = 60,
    UDP_LEN = 8,
    TCP_LEN = 20,
    IPV4_LEN = 20,
    IPV6_LEN = 40,
    ETHERNET_LEN = 14,
    AH_LEN = 24,
};

enum { PROTO_IPV4 = 4, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_IPV6 = 41, PROTO_GRE = 47 };
enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, AUTHENTICATION = 51, DESTINATION = 60 };
enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_BRIDGED = 0x6558 };
enum { TAG_MPLS = 0x8847, TAG_PPPOE = 0x8864 };

typedef struct Room {
    uint8_t *start;
    size_t len;
    uint8_t bytes[ROOM];
} Room;

struct Capture {
    CaptureForm form;
    CaptureFile file;
    uint32_t id;
    uint32_t gre_sequence;
    Room whole;
    Room piece;
};

static void put_u16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    put_u16(at, value >> 16);
    put_u16(at + 2, value & 0xffff);
}

/* RFC 1071, in words of this machine: the sum's bytes come out in the right order all the same. */
static uint64_t sum_words(uint64_t sum, const uint8_t *data, size_t len)
{
    uint32_t word;
    uint16_t last = 0;

    for (; len >= sizeof(word); data += sizeof(word), len -= sizeof(word)) {
        memcpy(&word, data, sizeof(word));
        sum += word;
    }
    if (len >= 2) {
        uint16_t half;

        memcpy(&half, data, sizeof(half));
        sum += half;
        data += 2;
        len -= 2;
    }
    if (len > 0) {
        memcpy(&last, data, 1);
    }
    return sum + last;
}

static void put_checksum(uint8_t *at, uint64_t sum)
{
    uint16_t folded;

    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    folded = (uint16_t)~sum;
    memcpy(at, &folded, sizeof(folded));
}

static size_t ip_len(const PealAddr *addr)
{
    return addr->family == 6 ? 16 : 4;
}

/* A transport's checksum with its pseudo header (RFC 9293 s.3.1, RFC 8200 s.8.1). */
static uint64_t transport_sum(const PealAddr *from, const PealAddr *to, uint8_t protocol,
                              PealBytes transport)
{
    uint8_t rest[8] = {0};
    uint64_t sum = sum_words(0, from->ip, ip_len(from));

    sum = sum_words(sum, to->ip, ip_len(to));
    put_u32(rest, (uint32_t)transport.len);
    rest[7] = protocol;
    return sum_words(sum_words(sum, rest, sizeof(rest)), transport.ptr, transport.len);
}

static void room_set(Room *room, PealBytes data)
{
    if (data.len > IP_MAX) {
        g_error("a packet of %zu bytes", data.len);
    }
    room->start = room->bytes + HEADROOM;
    room->len = data.len;
    if (data.len > 0) {
        memcpy(room->start, data.ptr, data.len);
    }
}

static uint8_t *room_prepend(Room *room, size_t len)
{
    if ((size_t)(room->start - room->bytes) < len) {
        g_error("more headers than there is room for");
    }
    room->start -= len;
    room->len += len;
    memset(room->start, 0, len);
    return room->start;
}

/* What precedes the payload of an extension header of 8 bytes: options that are padding, or a
 * route that has no way to go. */
static uint8_t prepend_extension(Room *room, uint8_t kind, uint8_t next)
{
    uint8_t *header = room_prepend(room, 8);

    header[0] = next;
    if (kind == ROUTING) {
        header[2] = 253; /* RFC 4727: for experiments; no segments are left */
    } else {
        header[2] = 1; /* PadN */
        header[3] = 4;
    }
    return kind;
}

/* RFC 4302, its check value all 0. */
static uint8_t prepend_authentication(Room *room, uint8_t next)
{
    uint8_t *header = room_prepend(room, AH_LEN);

    header[0] = next;
    header[1] = AH_LEN / 4 - 2;
    put_u32(header + 4, 256);
    put_u32(header + 8, 1);
    return AUTHENTICATION;
}

static void prepend_ipv4(Room *room, const CaptureIp *ip, bool options)
{
    size_t header_len = IPV4_LEN + (options ? 4 : 0);
    uint8_t *header = room_prepend(room, header_len);

    header[0] = (uint8_t)(0x40 | header_len / 4);
    put_u16(header + 2, room->len);
    put_u16(header + 4, ip->id & 0xffff);
    put_u16(header + 6, ip->fragment / 8 | (ip->fragment & 1 ? 0x2000 : 0));
    header[8] = 64;
    header[9] = ip->protocol;
    memcpy(header + 12, ip->from.ip, 4);
    memcpy(header + 16, ip->to.ip, 4);
    if (options) {
        memset(header + IPV4_LEN, 1, 3); /* no operation; then the end */
    }
    put_checksum(header + 10, sum_words(0, header, header_len));
}

static void prepend_ipv6(Room *room, const CaptureIp *ip, bool options)
{
    uint8_t next = ip->protocol;
    uint8_t *header;

    if (ip->id != 0) {
        header = room_prepend(room, 8);
        header[0] = next;
        put_u16(header + 2, ip->fragment);
        put_u32(header + 4, ip->id);
        next = FRAGMENT;
    }
    if (options) {
        next = prepend_extension(room, ROUTING, next);
        next = prepend_extension(room, HOP_BY_HOP, next);
    }
    header = room_prepend(room, IPV6_LEN);
    header[0] = 0x60;
    put_u16(header + 4, room->len - IPV6_LEN);
    header[6] = next;
    header[7] = 64;
    memcpy(header + 8, ip->from.ip, 16);
    memcpy(header + 24, ip->to.ip, 16);
}

static void prepend_ip(Room *room, const CaptureIp *ip, bool options)
{
    if (ip->from.family == 6) {
        prepend_ipv6(room, ip, options);
    } else {
        prepend_ipv4(room, ip, options);
    }
}

static uint16_t ip_type(const Room *room)
{
    return room->start[0] >> 4 == 6 ? TYPE_IPV6 : TYPE_IPV4;
}

static void prepend_ethernet(Room *room, uint16_t type)
{
    static const uint8_t macs[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    uint8_t *header = room_prepend(room, ETHERNET_LEN);

    memcpy(header, macs, sizeof(macs));
    put_u16(header + 12, type);
    if (room->len < ETHERNET_MIN) {
        memset(room->start + room->len, 0, ETHERNET_MIN - room->len);
        room->len = ETHERNET_MIN;
    }
}

static void prepend_gre(Capture *capture, Room *room)
{
    bool options = capture->form.tunnel == CAPTURE_GRE_OPTIONS;
    uint16_t type = ip_type(room);
    uint8_t *header;

    if (capture->form.tunnel == CAPTURE_GRE_ETHERNET) {
        prepend_ethernet(room, type);
        type = TYPE_BRIDGED;
    }
    header = room_prepend(room, options ? 16 : 4);
    put_u16(header + 2, type);
    if (options) {
        put_u16(header, 0xb000); /* checksum, key and sequence are there */
        put_u32(header + 8, 7);
        put_u32(header + 12, capture->gre_sequence++);
        put_checksum(header + 4, sum_words(0, header, room->len));
    }
}

static void prepend_tunnels(Capture *capture, Room *room)
{
    CaptureTunnel tunnel = capture->form.tunnel;
    unsigned tunnels = tunnel == CAPTURE_NO_TUNNEL ? 0 : MAX(capture->form.tunnels, 1);
    bool outer_ipv6 = tunnel == CAPTURE_IN_IPV6;

    for (unsigned i = 0; i < tunnels; i++) {
        CaptureIp ip = {
            .from = capture_addr(outer_ipv6 ? "fd01::1" : "192.0.2.254", 0),
            .to = capture_addr(outer_ipv6 ? "fd01::2" : "192.0.2.253", 0),
            .protocol = ip_type(room) == TYPE_IPV6 ? PROTO_IPV6 : PROTO_IPV4,
        };

        if (tunnel != CAPTURE_IN_IPV4 && tunnel != CAPTURE_IN_IPV6) {
            prepend_gre(capture, room);
            ip.protocol = PROTO_GRE;
        }
        prepend_ip(room, &ip, false);
    }
}

/* The tags from the innermost to the outermost; returns the outermost's EtherType. */
static uint16_t prepend_tags(const Capture *capture, Room *room, uint16_t type)
{
    size_t len = 0;
    bool bottom = true; /* of a stack of labels */

    while (len < CAPTURE_TAGS_MAX && capture->form.tags[len] != 0) {
        len++;
    }
    while (len-- > 0) {
        uint16_t tag = capture->form.tags[len];
        uint8_t *header;

        if (tag == TAG_MPLS) {
            header = room_prepend(room, 4);
            put_u32(header, (uint32_t)(100 + len) << 12 | (bottom ? 0x100 : 0) | 64);
            bottom = false;
        } else if (tag == TAG_PPPOE) {
            size_t payload_len = room->len + 2;

            header = room_prepend(room, 8);
            header[0] = 0x11;
            put_u16(header + 2, 1);
            put_u16(header + 4, payload_len);
            put_u16(header + 6, type == TYPE_IPV6 ? 0x57 : type == TAG_MPLS ? 0x281 : 0x21);
        } else {
            header = room_prepend(room, 4);
            put_u16(header, 100 + len);
            put_u16(header + 2, type);
        }
        type = tag;
    }
    return type;
}

static void prepend_sll(Room *room, bool second, uint16_t type)
{
    static const uint8_t address[] = {0, 6, 2, 0, 0, 0, 0, 1, 0, 0};
    uint8_t *header = room_prepend(room, second ? 20 : 16);

    if (second) {
        put_u16(header, type);
        put_u32(header + 4, 3); /* interface */
        put_u16(header + 8, 1); /* ARPHRD_ETHER */
        memcpy(header + 11, address + 1, sizeof(address) - 1);
    } else {
        put_u16(header + 2, 1);
        memcpy(header + 4, address, sizeof(address));
        put_u16(header + 14, type);
    }
}

static void prepend_ppp(Room *room, CaptureLink link, uint16_t type)
{
    size_t before = link == CAPTURE_PPP ? 0 : link == CAPTURE_PPP_ETHER ? 6 : 2;
    size_t payload_len = room->len + 2;
    uint8_t *header = room_prepend(room, before + 2);

    if (link == CAPTURE_PPP_ETHER) {
        header[0] = 0x11;
        put_u16(header + 2, 1);
        put_u16(header + 4, payload_len);
    } else if (before > 0) {
        put_u16(header, 0xff03);
    }
    put_u16(header + before, type == TYPE_IPV6 ? 0x57 : 0x21);
}

static void prepend_af(const Capture *capture, Room *room, uint16_t type)
{
    uint32_t ipv6 = capture->form.null_af != 0 ? capture->form.null_af : 30;
    uint32_t af = type == TYPE_IPV6 ? ipv6 : 2;
    uint8_t *header = room_prepend(room, 4);

    if (capture->form.link == CAPTURE_NULL) {
        capture_file_put_u32(&capture->file, header, af);
    } else {
        put_u32(header, af);
    }
}

/* The link's header before an IP packet, and away with it. */
static void send_ip(Capture *capture, int64_t at_ns, Room *room)
{
    uint16_t type = ip_type(room);

    switch (capture->form.link) {
    case CAPTURE_ETHERNET:
        type = prepend_tags(capture, room, type);
        prepend_ethernet(room, type);
        break;
    case CAPTURE_SLL:
    case CAPTURE_SLL2:
        type = prepend_tags(capture, room, type);
        prepend_sll(room, capture->form.link == CAPTURE_SLL2, type);
        break;
    case CAPTURE_NULL:
    case CAPTURE_LOOP:
        prepend_af(capture, room, type);
        break;
    case CAPTURE_PPP:
    case CAPTURE_PPP_HDLC:
    case CAPTURE_PPP_SERIAL:
    case CAPTURE_PPP_ETHER:
        prepend_ppp(room, capture->form.link, type);
        break;
    case CAPTURE_CISCO:
        put_u32(room_prepend(room, 4), 0x0f000000U | type);
        break;
    case CAPTURE_RAW:
    case CAPTURE_IPV4:
    case CAPTURE_IPV6:
    case CAPTURE_LINKS:
        break;
    }
    capture_frame(capture, at_ns, (PealBytes){room->start, room->len}, 0);
}

/* What is in `whole`, transport and payload, in fragments where they are asked for. */
static void send_transport(Capture *capture, int64_t at_ns, CaptureIp *ip)
{
    const CaptureForm *form = &capture->form;
    Room *whole = &capture->whole;

    if (form->extensions) {
        ip->protocol = prepend_authentication(whole, ip->protocol);
        if (ip->from.family == 6) {
            ip->protocol = prepend_extension(whole, DESTINATION, ip->protocol);
        }
    }
    capture->id = capture->id % 0xffff + 1;
    if (form->fragment == 0 || whole->len <= form->fragment) {
        if (ip->from.family == 4) {
            ip->id = capture->id;
        }
        prepend_ip(whole, ip, form->extensions);
        prepend_tunnels(capture, whole);
        send_ip(capture, at_ns, whole);
        return;
    }
    ip->id = capture->id;
    for (size_t at = 0; at < whole->len; at += form->fragment) {
        size_t len = MIN(form->fragment, whole->len - at);

        room_set(&capture->piece, (PealBytes){whole->start + at, len});
        ip->fragment = (uint32_t)at | (at + len < whole->len);
        prepend_ip(&capture->piece, ip, form->extensions);
        prepend_tunnels(capture, &capture->piece);
        send_ip(capture, at_ns, &capture->piece);
    }
}

/* RFC 4193: a unique local address that tells which IPv4 address it stands for. */
static PealAddr dressed(const Capture *capture, const PealAddr *addr)
{
    PealAddr ipv6 = {.ip = {0xfd}, .port = addr->port, .family = 6};

    if (!capture->form.ipv6 || addr->family == 6) {
        return *addr;
    }
    memcpy(ipv6.ip + 12, addr->ip, 4);
    return ipv6;
}

static void put_udp_header(uint8_t *header, const PealAddr *from, const PealAddr *to, size_t len)
{
    put_u16(header, from->port);
    put_u16(header + 2, to->port);
    put_u16(header + 4, len);
    put_u16(header + 6, 0);
    put_checksum(header + 6, transport_sum(from, to, PROTO_UDP, (PealBytes){header, len}));
    if (header[6] == 0 && header[7] == 0) {
        put_u16(header + 6, 0xffff); /* RFC 768: 0 would mean none */
    }
}

void capture_udp(Capture *capture, int64_t at_ns, const PealAddr *from, const PealAddr *to,
                 PealBytes data)
{
    CaptureIp ip = {.from = dressed(capture, from),
                    .to = dressed(capture, to),
                    .protocol = PROTO_UDP};
    uint8_t *header;

    room_set(&capture->whole, data);
    header = room_prepend(&capture->whole, UDP_LEN);
    put_udp_header(header, &ip.from, &ip.to, capture->whole.len);
    send_transport(capture, at_ns, &ip);
}

void capture_tcp(Capture *capture, const CaptureSegment *segment, PealBytes data)
{
    CaptureIp ip = {.from = dressed(capture, &segment->from),
                    .to = dressed(capture, &segment->to),
                    .protocol = PROTO_TCP};
    Room *whole = &capture->whole;
    uint8_t *header;

    room_set(whole, data);
    header = room_prepend(whole, TCP_LEN);
    put_u16(header, segment->from.port);
    put_u16(header + 2, segment->to.port);
    put_u32(header + 4, segment->seq);
    put_u32(header + 8, segment->ack);
    header[12] = TCP_LEN / 4 << 4;
    header[13] = segment->flags;
    put_u16(header + 14, 65535);
    put_checksum(header + 16,
                 transport_sum(&ip.from, &ip.to, PROTO_TCP, (PealBytes){whole->start, whole->len}));
    send_transport(capture, segment->at_ns, &ip);
}

void capture_ip(Capture *capture, int64_t at_ns, PealBytes packet)
{
    room_set(&capture->whole, packet);
    send_ip(capture, at_ns, &capture->whole);
}

void capture_frame(Capture *capture, int64_t at_ns, PealBytes frame, uint32_t wire)
{
    capture_file_record(&capture->file, at_ns, frame, wire != 0 ? wire : (uint32_t)frame.len);
}

size_t capture_build_ip(const CaptureIp *ip, PealBytes data, uint8_t *ret_packet)
{
    Room room;

    room_set(&room, data);
    prepend_ip(&room, ip, false);
    memcpy(ret_packet, room.start, room.len);
    return room.len;
}

size_t capture_build_udp(const PealAddr *from, const PealAddr *to, PealBytes data,
                         uint8_t *ret_datagram)
{
    if (data.len > 0) {
        memcpy(ret_datagram + UDP_LEN, data.ptr, data.len);
    }
    put_udp_header(ret_datagram, from, to, UDP_LEN + data.len);
    return UDP_LEN + data.len;
}

PealAddr capture_addr(const char *ip, uint16_t port)
{
    PealAddr addr = {.port = port, .family = strchr(ip, ':') != NULL ? 6 : 4};

    if (inet_pton(addr.family == 6 ? AF_INET6 : AF_INET, ip, addr.ip) != 1) {
        g_error("%s is no address", ip);
    }
    return addr;
}

Capture *capture_new(const char *path, const CaptureForm *form)
{
    static const uint32_t link_types[CAPTURE_LINKS] = {
        [CAPTURE_ETHERNET] = 1, [CAPTURE_SLL] = 113,       [CAPTURE_SLL2] = 276,
        [CAPTURE_RAW] = 101,    [CAPTURE_IPV4] = 228,      [CAPTURE_IPV6] = 229,
        [CAPTURE_NULL] = 0,     [CAPTURE_LOOP] = 108,      [CAPTURE_PPP] = 9,
        [CAPTURE_PPP_HDLC] = 9, [CAPTURE_PPP_SERIAL] = 50, [CAPTURE_PPP_ETHER] = 51,
        [CAPTURE_CISCO] = 104,
    };
    Capture *capture = g_new0(Capture, 1);

    capture->form = *form;
    capture->file = capture_file_open(path, form, link_types[form->link]);
    return capture;
}

void capture_close(Capture *capture)
{
    capture_file_close(&capture->file);
    g_free(capture);
}

static unsigned read_u16(const uint8_t *at)
{
    return (unsigned)at[0] << 8 | at[1];
}

static uint32_t read_u32(const uint8_t *at)
{
    return (uint32_t)read_u16(at) << 16 | read_u16(at + 2);
}

/* Takes a whole Ethernet frame apart; false for what is left out. */
static bool copy_packet(Capture *capture, int64_t at_ns, const uint8_t *frame, size_t len)
{
    const uint8_t *ip = frame + ETHERNET_LEN, *transport;
    PealAddr from = {.family = 4}, to = {.family = 4};
    size_t header_len, total, rest;

    if (len < ETHERNET_LEN + IPV4_LEN + UDP_LEN || read_u16(frame + 12) != TYPE_IPV4) {
        return false;
    }
    header_len = (size_t)(ip[0] & 15) * 4;
    total = read_u16(ip + 2);
    if ((read_u16(ip + 6) & 0x3fff) != 0 || total + ETHERNET_LEN > len ||
        total < header_len + UDP_LEN) {
        return false;
    }
    transport = ip + header_len;
    rest = total - header_len;
    memcpy(from.ip, ip + 12, 4);
    memcpy(to.ip, ip + 16, 4);
    from.port = (uint16_t)read_u16(transport);
    to.port = (uint16_t)read_u16(transport + 2);
    if (ip[9] == PROTO_UDP && read_u16(transport + 4) >= UDP_LEN &&
        read_u16(transport + 4) <= rest) {
        capture_udp(capture, at_ns, &from, &to,
                    (PealBytes){transport + UDP_LEN, read_u16(transport + 4) - UDP_LEN});
        return true;
    }
    if (ip[9] == PROTO_TCP && rest >= TCP_LEN && rest >= (size_t)(transport[12] >> 4) * 4) {
        size_t offset = (size_t)(transport[12] >> 4) * 4;
        CaptureSegment segment = {.at_ns = at_ns,
                                  .from = from,
                                  .to = to,
                                  .seq = read_u32(transport + 4),
                                  .ack = read_u32(transport + 8),
                                  .flags = transport[13]};

        capture_tcp(capture, &segment, (PealBytes){transport + offset, rest - offset});
        return true;
    }
    return false;
}

unsigned capture_reclothe(const char *from_path, const char *to_path, const CaptureForm *form)
{
    char words[PCAP_ERRBUF_SIZE];
    pcap_t *from =
        pcap_open_offline_with_tstamp_precision(from_path, PCAP_TSTAMP_PRECISION_NANO, words);
    Capture *to;
    struct pcap_pkthdr *header;
    const u_char *frame;
    unsigned packets = 0;

    if (from == NULL) {
        return 0;
    }
    to = capture_new(to_path, form);
    while (pcap_next_ex(from, &header, &frame) == 1) {
        int64_t at_ns = header->ts.tv_sec * PEAL_NS_PER_S + header->ts.tv_usec;

        packets += copy_packet(to, at_ns, frame, header->caplen);
    }
    pcap_close(from);
    capture_close(to);
    return packets;
}

char *capture_shared(const char *name)
{
    const char *root = g_getenv("PEAL_SOURCE_ROOT");
    char *path = g_build_filename(root != NULL ? root : ".", "../shared/data/pcap", name, NULL);

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        g_clear_pointer(&path, g_free);
    }
    return path;
}
