/*
 * ip.h - takes IP's headers off, of either version, and GRE's.
 * Source: RFC 791, RFC 8200, RFC 4302, RFC 7045; RFC 2784, RFC 2890, RFC 2637.
 * State:  none.   Time: none.
 *
 * Checksums are not looked at: where a network card computes them, a capture has them wrong.
 */
#ifndef TRACE_IP_H
#define TRACE_IP_H

#include "trace/span.h"

enum {
    IP_PROTOCOL_IPV4 = 4,
    IP_PROTOCOL_TCP = 6,
    IP_PROTOCOL_UDP = 17,
    IP_PROTOCOL_IPV6 = 41,
    IP_PROTOCOL_GRE = 47,
    IP_PAYLOAD_MAX = 65535
};

typedef struct IpHeader {
    PealAddr from; /* port 0 */
    PealAddr to;
    uint8_t protocol; /* of what follows; of a fragment, of what its datagram begins with */
    bool lies;        /* it says more bytes than the packet had */
    bool fragment;    /* what follows is a piece of something */
    bool more;
    uint32_t id;
    size_t offset;
} IpHeader;

/*
 * ip_strip takes a header and what extends it off, up to UDP, TCP, a tunnel, or a fragment's piece;
 * the span ends where the packet does: padding of the link is off.
 * Returns TRACE_SKIP_NONE, CUT, BAD_IP or BAD_LENGTH.
 */
TraceSkip ip_strip(PacketSpan *span, IpHeader *ret_ip);

/* The same for what a whole datagram's fragments held: extensions may stand there too. */
TraceSkip ip_strip_extensions(PacketSpan *span, IpHeader *ip);

/* Takes GRE's header off, and what is between it and IP. Returns TRACE_SKIP_NONE when an IP packet
 * follows, PROTOCOL where something else does. */
TraceSkip ip_strip_gre(PacketSpan *span);

#endif
