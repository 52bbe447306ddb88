/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ip.c - see ip.h.
 */
#include "trace/ip.h"

#include "trace/link.h"

enum {
    IPV4_HEADER_LEN = 20,
    IPV6_HEADER_LEN = 40,
    EXTENSIONS_MAX = 64, /* RFC 8200 s.4.1 has six kinds, each once but one */
    HOP_BY_HOP = 0,
    ROUTING = 43,
    FRAGMENT = 44,
    AUTHENTICATION = 51,
    DESTINATION = 60,
    MOBILITY = 135,
    HOST_IDENTITY = 139,
    SHIM6 = 140,
    GRE_CHECKSUM = 0x8000,
    GRE_ROUTING = 0x4000,
    GRE_KEY = 0x2000,
    GRE_SEQUENCE = 0x1000,
    GRE_ACKNOWLEDGMENT = 0x0080,
    GRE_VERSION = 0x0007,
    GRE_TYPE_ERSPAN = 0x88be,
};

/* The packet ends where its header says. A header that says more than there was lies, and what
 * there is is used. */
static void end_packet(PacketSpan *span, size_t len, IpHeader *ip)
{
    ip->lies = !span_end(span, len);
}

static TraceSkip strip_ipv4(PacketSpan *span, IpHeader *ip)
{
    const uint8_t *header;
    size_t header_len, total;
    unsigned piece;

    if (span->len < IPV4_HEADER_LEN) {
        return span_short(span, IPV4_HEADER_LEN);
    }
    header_len = (size_t)(span->ptr[0] & 0x0f) * 4;
    total = span_u16(span->ptr + 2);
    if (header_len < IPV4_HEADER_LEN || (total != 0 && total < header_len)) {
        return TRACE_SKIP_BAD_IP;
    }
    /* 0 where the network card was to cut a large segment up: the frame's end is its end. */
    if (total != 0) {
        end_packet(span, total, ip);
    }
    if (!span_take(span, header_len, &header)) {
        return span_short(span, header_len);
    }
    piece = span_u16(header + 6);
    ip->from.family = ip->to.family = 4;
    memcpy(ip->from.ip, header + 12, 4);
    memcpy(ip->to.ip, header + 16, 4);
    ip->protocol = header[9];
    ip->id = span_u16(header + 4);
    ip->more = (piece & 0x2000) != 0;
    ip->offset = (size_t)(piece & 0x1fff) * 8;
    ip->fragment = ip->more || ip->offset > 0;
    return ip->fragment ? TRACE_SKIP_NONE : ip_strip_extensions(span, ip);
}

static TraceSkip strip_ipv6(PacketSpan *span, IpHeader *ip)
{
    const uint8_t *header;
    size_t len;

    if (!span_take(span, IPV6_HEADER_LEN, &header)) {
        return span_short(span, IPV6_HEADER_LEN);
    }
    len = span_u16(header + 4);
    if (len != 0) { /* a jumbogram (RFC 2675), or as with IPv4 */
        end_packet(span, len, ip);
    }
    ip->from.family = ip->to.family = 6;
    memcpy(ip->from.ip, header + 8, 16);
    memcpy(ip->to.ip, header + 24, 16);
    ip->protocol = header[6];
    return ip_strip_extensions(span, ip);
}

TraceSkip ip_strip(PacketSpan *span, IpHeader *ret_ip)
{
    memset(ret_ip, 0, sizeof(*ret_ip));
    if (span->len == 0) {
        return span_short(span, 1);
    }
    switch (span->ptr[0] >> 4) {
    case 4:
        return strip_ipv4(span, ret_ip);
    case 6:
        return strip_ipv6(span, ret_ip);
    default:
        return TRACE_SKIP_BAD_IP;
    }
}

/* RFC 8200 s.4.5. */
static TraceSkip strip_fragment(PacketSpan *span, IpHeader *ip)
{
    const uint8_t *header;
    unsigned piece;

    if (!span_take(span, 8, &header)) {
        return span_short(span, 8);
    }
    piece = span_u16(header + 2);
    ip->protocol = header[0];
    ip->id = span_u32(header + 4);
    ip->more = (piece & 1) != 0;
    ip->offset = piece & 0xfff8;
    ip->fragment = ip->more || ip->offset > 0; /* RFC 6946: one that is alone is whole */
    return TRACE_SKIP_NONE;
}

/* How long an extension header is; 0: that is none. */
static size_t extension_len(const IpHeader *ip, const uint8_t *header)
{
    switch (ip->protocol) {
    case AUTHENTICATION: /* RFC 4302 s.2.2, with IPv4 too */
        return ((size_t)header[1] + 2) * 4;
    case HOP_BY_HOP:
    case ROUTING:
    case DESTINATION:
    case MOBILITY:
    case HOST_IDENTITY:
    case SHIM6:
        return ip->from.family == 6 ? ((size_t)header[1] + 1) * 8 : 0;
    default:
        return 0;
    }
}

static bool is_extension(const IpHeader *ip)
{
    return extension_len(ip, (const uint8_t[2]){0}) != 0;
}

TraceSkip ip_strip_extensions(PacketSpan *span, IpHeader *ip)
{
    ip->fragment = false;
    for (unsigned i = 0; i < EXTENSIONS_MAX; i++) {
        const uint8_t *header;
        size_t len;

        if (ip->from.family == 6 && ip->protocol == FRAGMENT) {
            TraceSkip skip = strip_fragment(span, ip);

            if (skip != TRACE_SKIP_NONE || ip->fragment) {
                return skip;
            }
            continue;
        }
        if (!is_extension(ip)) {
            return TRACE_SKIP_NONE;
        }
        if (span->len < 2) {
            return span_short(span, 2);
        }
        len = extension_len(ip, span->ptr);
        if (!span_take(span, len, &header)) {
            return span_short(span, len);
        }
        ip->protocol = header[0];
    }
    return TRACE_SKIP_BAD_IP;
}

TraceSkip ip_strip_gre(PacketSpan *span)
{
    const uint8_t *header;
    unsigned flags, type;
    size_t options_len;
    TraceSkip skip;

    if (!span_take(span, 4, &header)) {
        return span_short(span, 4);
    }
    flags = span_u16(header);
    type = span_u16(header + 2);
    options_len = ((flags & GRE_KEY) ? 4 : 0) + ((flags & GRE_SEQUENCE) ? 4 : 0);
    if ((flags & GRE_VERSION) == 0 && (flags & GRE_ROUTING) == 0) { /* RFC 2784, RFC 2890 */
        options_len += (flags & GRE_CHECKSUM) ? 4 : 0;
    } else if ((flags & GRE_VERSION) == 1 && type == LINK_TYPE_PPP) { /* RFC 2637 s.4.1 */
        options_len += (flags & GRE_ACKNOWLEDGMENT) ? 4 : 0;
    } else {
        return TRACE_SKIP_PROTOCOL;
    }
    /* What a mirroring switch sends (draft-foschiano-erspan-03 s.4): a frame, behind a header of
     * its own where it is numbered. */
    if (type == GRE_TYPE_ERSPAN) {
        options_len += (flags & GRE_SEQUENCE) ? 8 : 0;
        type = LINK_TYPE_BRIDGED;
    }
    if (!span_take(span, options_len, &header)) {
        return span_short(span, options_len);
    }
    skip = link_strip_type(type, span);
    return skip == TRACE_SKIP_NO_IP ? TRACE_SKIP_PROTOCOL : skip;
}
