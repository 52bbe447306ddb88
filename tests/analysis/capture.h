/*
 * capture.h - writes captures of any kind for tests: the same packets in any clothes.
 * Source: pcap and pcapng as draft-ietf-opsawg-pcap-05 and -pcapng-05 have them, libpcap's link
 *         types; RFC 791, RFC 8200, RFC 2003, RFC 2784, RFC 2890, RFC 768, RFC 9293, RFC 1332.
 * State:  one writer per file, some buffers.
 * Time:   instants are ns since 1970. Some hundred MB a second. Whatever fails ends the program.
 *
 * It shares no code with the reader that it serves as judge.
 */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

#include <peal/base.h>

typedef enum CaptureLink {
    CAPTURE_ETHERNET,
    CAPTURE_SLL,        /* Linux cooked */
    CAPTURE_SLL2,       /* version 2 of it */
    CAPTURE_RAW,        /* LINKTYPE_RAW */
    CAPTURE_IPV4,       /* LINKTYPE_IPV4: only IPv4 fits */
    CAPTURE_IPV6,       /* LINKTYPE_IPV6: only IPv6 fits */
    CAPTURE_NULL,       /* BSD null: AF in the file's byte order */
    CAPTURE_LOOP,       /* OpenBSD: AF in network order */
    CAPTURE_PPP,        /* the protocol alone */
    CAPTURE_PPP_HDLC,   /* LINKTYPE_PPP with address and control */
    CAPTURE_PPP_SERIAL, /* LINKTYPE_PPP_HDLC with address and control */
    CAPTURE_PPP_ETHER,  /* LINKTYPE_PPP_ETHER: PPPoE without Ethernet */
    CAPTURE_CISCO,      /* LINKTYPE_C_HDLC */
    CAPTURE_LINKS
} CaptureLink;

typedef enum CaptureTunnel {
    CAPTURE_NO_TUNNEL,
    CAPTURE_IN_IPV4,      /* RFC 2003, RFC 4213 */
    CAPTURE_IN_IPV6,      /* RFC 2473 */
    CAPTURE_GRE,          /* within IPv4; RFC 2784 without options */
    CAPTURE_GRE_OPTIONS,  /* with checksum, key and sequence number */
    CAPTURE_GRE_ETHERNET, /* a whole Ethernet frame within */
    CAPTURE_TUNNELS
} CaptureTunnel;

enum { CAPTURE_TAGS_MAX = 8 };

/* The clothes; all 0: Ethernet, IPv4, a little-endian pcap with nanoseconds. */
typedef struct CaptureForm {
    CaptureLink link;
    uint16_t tags[CAPTURE_TAGS_MAX]; /* Ethernet, SLL: EtherTypes 0x8100, 0x88a8, 0x9100 (VLAN),
                                        0x8847 (an MPLS label) or 0x8864 (PPPoE session), outermost
                                        first; 0 ends them */
    CaptureTunnel tunnel;
    unsigned tunnels; /* how many times over; 0 as 1 */
    bool ipv6;        /* IPv4 addresses a.b.c.d become fd00::a.b.c.d */
    bool extensions;  /* IPv6: with hop-by-hop, routing and destination options; IPv4: options */
    size_t fragment;  /* bytes of IP payload in a fragment, a multiple of 8; 0: whole */
    bool big_endian;
    bool microseconds;
    bool pcapng;
    bool gzip;
    uint32_t snaplen; /* 0: nothing is cut */
    uint32_t null_af; /* CAPTURE_NULL, CAPTURE_LOOP: what stands for IPv6; 0: 30, as on Darwin */
} CaptureForm;

typedef struct Capture Capture;

Capture *capture_new(const char *path, const CaptureForm *form);
void capture_close(Capture *capture);

/* A UDP datagram in the capture's clothes. */
void capture_udp(Capture *capture, int64_t at_ns, const PealAddr *from, const PealAddr *to,
                 PealBytes data);

typedef struct CaptureSegment {
    int64_t at_ns;
    PealAddr from;
    PealAddr to;
    uint32_t seq;
    uint32_t ack;
    uint8_t flags; /* as on the wire: 1 FIN, 2 SYN, 4 RST, 8 PSH, 16 ACK */
} CaptureSegment;

void capture_tcp(Capture *capture, const CaptureSegment *segment, PealBytes data);

/* An IP packet of which the caller wrote the headers, in the capture's link clothes. */
void capture_ip(Capture *capture, int64_t at_ns, PealBytes packet);

/* A whole frame as it stands. wire: its length on the wire; 0 for the bytes that are there. */
void capture_frame(Capture *capture, int64_t at_ns, PealBytes frame, uint32_t wire);

/* Builds an IPv4 or IPv6 packet into ret_packet (room for 65,600 bytes); returns its length. `id`
 * and `fragment` (offset in bytes, + 1 for "more") other than 0 make it a fragment. */
typedef struct CaptureIp {
    PealAddr from; /* its port plays no part */
    PealAddr to;
    uint8_t protocol;
    uint32_t id;
    uint32_t fragment;
} CaptureIp;
size_t capture_build_ip(const CaptureIp *ip, PealBytes data, uint8_t *ret_packet);

/* A UDP datagram's header and data into ret_datagram, with the checksum. */
size_t capture_build_udp(const PealAddr *from, const PealAddr *to, PealBytes data,
                         uint8_t *ret_datagram);

/* capture_addr is an address from numbers: capture_addr("192.0.2.1", 5060), or of IPv6. */
PealAddr capture_addr(const char *ip, uint16_t port);

/*
 * capture_reclothe writes what a capture has of UDP and TCP over IPv4 without fragments, on
 * Ethernet, in other clothes, packet by packet.
 * Returns how many packets it wrote; what else there is is left out. 0: no such file.
 */
unsigned capture_reclothe(const char *from_path, const char *to_path, const CaptureForm *form);

/* Where ../shared/data/pcap/NAME is, g_free it; NULL where it is absent. */
char *capture_shared(const char *name);

#endif
