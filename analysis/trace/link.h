/*
 * link.h - takes the headers of links off, down to IP.
 * Source: www.tcpdump.org/linktypes.html; IEEE 802.1Q, 802.1ad, 802.2; RFC 1661, RFC 1662,
 *         RFC 2516, RFC 3032, RFC 1042.
 * State:  none.   Time: none.
 */
#ifndef TRACE_LINK_H
#define TRACE_LINK_H

#include "trace/span.h"

enum {
    LINK_TYPE_PPP = 0x880b,    /* RFC 2637 s.4.1 */
    LINK_TYPE_BRIDGED = 0x6558 /* transparent Ethernet bridging: RFC 1701, RFC 7637 */
};

/* Whether link_strip can take a DLT_* apart. */
bool link_known(int link_type);

/* The names of those that it can, with commas between; g_free it. */
char *link_names(void);

/*
 * link_strip takes a frame's headers off, and any tags below: VLANs, labels of MPLS, PPPoE.
 * Returns TRACE_SKIP_NONE when the span begins with an IP packet, which may still be of any
 * version; else NO_IP, CUT or BAD_LENGTH.
 */
TraceSkip link_strip(int link_type, PacketSpan *span);

/* The same for what an EtherType announces; LINK_TYPE_BRIDGED and LINK_TYPE_PPP are known here. */
TraceSkip link_strip_type(unsigned type, PacketSpan *span);

#endif
