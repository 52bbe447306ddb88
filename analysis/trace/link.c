/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * link.c - see link.h.
 */
#include "trace/link.h"

#include <pcap/pcap.h>

enum {
    TAGS_MAX = 32, /* no stack of tags that is meant is longer */
    TYPE_IPV4 = 0x0800,
    TYPE_IPV6 = 0x86dd,
    TYPE_VLAN = 0x8100,
    TYPE_VLAN_SERVICE = 0x88a8,
    TYPE_VLAN_OLD = 0x9100, /* before 802.1ad; 0x9200 and 0x9300 with it */
    TYPE_VLAN_OLD_2 = 0x9200,
    TYPE_VLAN_OLD_3 = 0x9300,
    TYPE_MPLS = 0x8847,
    TYPE_MPLS_UPSTREAM = 0x8848, /* RFC 5332 */
    TYPE_PPPOE_SESSION = 0x8864,
    TYPE_MIN = 0x0600,  /* smaller ones are lengths: IEEE 802.3 */
    SLL_802_2 = 0x0004, /* what Linux cooked captures say for LLC */
    PPP_IPV4 = 0x0021,
    PPP_IPV6 = 0x0057,
    PPP_MPLS = 0x0281,
    PPP_MPLS_UPSTREAM = 0x0283,
    DLT_RAW_BSDOS = 14, /* what DLT_RAW is on OpenBSD */
};

static const int known[] = {
    DLT_EN10MB,     DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW,          DLT_RAW_BSDOS,
    DLT_IPV4,       DLT_IPV6,      DLT_NULL,       DLT_LOOP,         DLT_PPP,
    DLT_PPP_SERIAL, DLT_PPP_ETHER, DLT_PPP_PPPD,   DLT_PPP_WITH_DIR, DLT_C_HDLC,
};

bool link_known(int link_type)
{
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (known[i] == link_type) {
            return true;
        }
    }
    return false;
}

char *link_names(void)
{
    GString *names = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        const char *name = pcap_datalink_val_to_name(known[i]);

        if (name != NULL) {
            g_string_append_printf(names, "%s%s", names->len > 0 ? ", " : "", name);
        }
    }
    return g_string_free(names, FALSE);
}

/* IEEE 802.2 with SNAP: an EtherType after all (RFC 1042). */
static TraceSkip strip_llc(PacketSpan *span, unsigned *ret_type)
{
    static const uint8_t snap[] = {0xaa, 0xaa, 0x03, 0, 0, 0};
    const uint8_t *header;

    if (!span_take(span, sizeof(snap) + 2, &header)) {
        return span_short(span, sizeof(snap) + 2) == TRACE_SKIP_CUT ? TRACE_SKIP_CUT
                                                                    : TRACE_SKIP_NO_IP;
    }
    if (memcmp(header, snap, sizeof(snap)) != 0) {
        return TRACE_SKIP_NO_IP;
    }
    *ret_type = span_u16(header + sizeof(snap));
    return TRACE_SKIP_NONE;
}

static TraceSkip strip_ethernet(PacketSpan *span, unsigned *ret_type)
{
    const uint8_t *header;

    if (!span_take(span, 14, &header)) {
        return span_short(span, 14);
    }
    *ret_type = span_u16(header + 12);
    if (*ret_type >= TYPE_MIN) {
        return TRACE_SKIP_NONE;
    }
    (void)span_end(span, *ret_type);
    return strip_llc(span, ret_type);
}

/* PPP's protocol, behind address and control where they are there (RFC 1661 s.6.5, s.6.6: both and
 * the protocol's first byte may be left out). An EtherType that says the same comes out. */
static TraceSkip strip_ppp(PacketSpan *span, unsigned *ret_type)
{
    const uint8_t *header;
    unsigned protocol;

    if (span->len >= 2 && span->ptr[0] == 0xff && span->ptr[1] == 0x03) {
        (void)span_take(span, 2, &header);
    }
    if (!span_take(span, 1, &header)) {
        return span_short(span, 1);
    }
    protocol = header[0];
    if ((protocol & 1) == 0) {
        if (!span_take(span, 1, &header)) {
            return span_short(span, 1);
        }
        protocol = protocol << 8 | header[0];
    }
    switch (protocol) {
    case PPP_IPV4:
        *ret_type = TYPE_IPV4;
        return TRACE_SKIP_NONE;
    case PPP_IPV6:
        *ret_type = TYPE_IPV6;
        return TRACE_SKIP_NONE;
    case PPP_MPLS:
    case PPP_MPLS_UPSTREAM:
        *ret_type = TYPE_MPLS;
        return TRACE_SKIP_NONE;
    default:
        return TRACE_SKIP_NO_IP;
    }
}

/* RFC 2516 s.4: a session's packets are PPP without address and control. */
static TraceSkip strip_pppoe(PacketSpan *span, unsigned *ret_type)
{
    const uint8_t *header;

    if (!span_take(span, 6, &header)) {
        return span_short(span, 6);
    }
    if (header[0] != 0x11 || header[1] != 0) {
        return TRACE_SKIP_NO_IP;
    }
    (void)span_end(span, span_u16(header + 4));
    return strip_ppp(span, ret_type);
}

/* Labels until the bottom of their stack (RFC 3032 s.2.1), under which only IP is looked for. */
static TraceSkip strip_labels(PacketSpan *span, unsigned *ret_type)
{
    const uint8_t *label;

    for (unsigned i = 0; i < TAGS_MAX; i++) {
        if (!span_take(span, 4, &label)) {
            return span_short(span, 4);
        }
        if (label[2] & 1) {
            unsigned version = span->len > 0 ? span->ptr[0] >> 4 : 0;

            *ret_type = version == 6 ? TYPE_IPV6 : TYPE_IPV4;
            return version == 4 || version == 6 ? TRACE_SKIP_NONE : TRACE_SKIP_NO_IP;
        }
    }
    return TRACE_SKIP_NO_IP;
}

TraceSkip link_strip_type(unsigned type, PacketSpan *span)
{
    TraceSkip skip = TRACE_SKIP_NONE;
    const uint8_t *tag;

    for (unsigned i = 0; i < TAGS_MAX && skip == TRACE_SKIP_NONE; i++) {
        switch (type) {
        case TYPE_IPV4:
        case TYPE_IPV6:
            return TRACE_SKIP_NONE;
        case TYPE_VLAN:
        case TYPE_VLAN_SERVICE:
        case TYPE_VLAN_OLD:
        case TYPE_VLAN_OLD_2:
        case TYPE_VLAN_OLD_3:
            if (!span_take(span, 4, &tag)) {
                return span_short(span, 4);
            }
            type = span_u16(tag + 2);
            if (type < TYPE_MIN) {
                (void)span_end(span, type);
                skip = strip_llc(span, &type);
            }
            break;
        case TYPE_MPLS:
        case TYPE_MPLS_UPSTREAM:
            skip = strip_labels(span, &type);
            break;
        case TYPE_PPPOE_SESSION:
            skip = strip_pppoe(span, &type);
            break;
        case LINK_TYPE_PPP:
            skip = strip_ppp(span, &type);
            break;
        case LINK_TYPE_BRIDGED:
            skip = strip_ethernet(span, &type);
            break;
        default:
            return TRACE_SKIP_NO_IP;
        }
    }
    return skip != TRACE_SKIP_NONE ? skip : TRACE_SKIP_NO_IP;
}

/* Linux cooked, either version: the protocol is an EtherType, or says what little there is. */
static TraceSkip strip_cooked(PacketSpan *span, size_t header_len, size_t type_at)
{
    const uint8_t *header;
    unsigned type;
    TraceSkip skip;

    if (!span_take(span, header_len, &header)) {
        return span_short(span, header_len);
    }
    type = span_u16(header + type_at);
    if (type == SLL_802_2 && (skip = strip_llc(span, &type)) != TRACE_SKIP_NONE) {
        return skip;
    }
    return link_strip_type(type, span);
}

/* The number of an address family, in the byte order of whoever captured, or of the network: those
 * of IPv6 are Linux's 10, Windows' 23, NetBSD's and OpenBSD's 24, FreeBSD's 28 and Darwin's 30. */
static TraceSkip strip_family(PacketSpan *span)
{
    const uint8_t *header;
    uint32_t family;

    if (!span_take(span, 4, &header)) {
        return span_short(span, 4);
    }
    family = span_u32(header);
    switch (family <= 0xff ? family : GUINT32_SWAP_LE_BE(family)) {
    case 2:
    case 10:
    case 23:
    case 24:
    case 28:
    case 30:
        return TRACE_SKIP_NONE;
    default:
        return TRACE_SKIP_NO_IP;
    }
}

/* Cisco's HDLC: address 0x0f or 0x8f, 0, an EtherType. */
static TraceSkip strip_cisco(PacketSpan *span)
{
    const uint8_t *header;

    if (!span_take(span, 4, &header)) {
        return span_short(span, 4);
    }
    return link_strip_type(span_u16(header + 2), span);
}

static TraceSkip strip_ppp_link(PacketSpan *span)
{
    unsigned type;
    TraceSkip skip;

    if (span->len >= 2 && (span->ptr[0] == 0x0f || span->ptr[0] == 0x8f) && span->ptr[1] == 0) {
        return strip_cisco(span);
    }
    skip = strip_ppp(span, &type);
    return skip != TRACE_SKIP_NONE ? skip : link_strip_type(type, span);
}

TraceSkip link_strip(int link_type, PacketSpan *span)
{
    const uint8_t *header;

    switch (link_type) {
    case DLT_EN10MB:
        return link_strip_type(LINK_TYPE_BRIDGED, span);
    case DLT_LINUX_SLL:
        return strip_cooked(span, 16, 14);
    case DLT_LINUX_SLL2:
        return strip_cooked(span, 20, 0);
    case DLT_RAW:
    case DLT_RAW_BSDOS:
    case DLT_IPV4:
    case DLT_IPV6:
        return TRACE_SKIP_NONE;
    case DLT_NULL:
    case DLT_LOOP:
        return strip_family(span);
    case DLT_PPP_PPPD:
    case DLT_PPP_WITH_DIR: /* a byte that tells the direction; both leave address and control */
        if (!span_take(span, 1, &header)) {
            return span_short(span, 1);
        }
        return strip_ppp_link(span);
    case DLT_PPP:
    case DLT_PPP_SERIAL:
        return strip_ppp_link(span);
    case DLT_PPP_ETHER:
        return link_strip_type(TYPE_PPPOE_SESSION, span);
    case DLT_C_HDLC:
        return strip_cisco(span);
    default:
        return TRACE_SKIP_NO_IP;
    }
}
