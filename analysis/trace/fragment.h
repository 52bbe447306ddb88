/*
 * fragment.h - puts datagrams together from fragments that come in any order.
 * Source: RFC 791 s.3.2, RFC 815, RFC 8200 s.4.5, RFC 5722.
 * State:  one per capture: at most FRAGMENTS_DATAGRAMS_MAX datagrams under way and about
 *         FRAGMENTS_BYTES_MAX bytes of them.
 * Time:   that of the capture: a datagram is given up FRAGMENTS_WAIT_S after its first fragment.
 *
 * The first copy of a byte that came stays. RFC 5722 has a host drop a datagram whose fragments
 * overlap; an observer that did so would know less for having seen more, so the contradiction is
 * counted and the datagram kept. What is given up is handed out as far as it goes from its start.
 */
#ifndef TRACE_FRAGMENT_H
#define TRACE_FRAGMENT_H

#include "trace/ip.h"

enum {
    FRAGMENTS_DATAGRAMS_MAX = 4096,
    FRAGMENTS_BYTES_MAX = 16 << 20,
    FRAGMENTS_WAIT_S = 30 /* Linux's net.ipv4.ipfrag_time; RFC 8200 has 60 s */
};

typedef struct Fragments Fragments;

/* A datagram, or what there is of it. */
typedef struct FragmentsDatagram {
    IpHeader ip;     /* as of its first fragment, which is one no more */
    PacketSpan span; /* borrowed until fragments_clear */
    int64_t at_ns;   /* of the last fragment that came */
    unsigned depth;  /* as given */
    unsigned pieces; /* fragments that came */
} FragmentsDatagram;

/* One fragment. */
typedef struct FragmentsPiece {
    int64_t at_ns;
    const IpHeader *ip;
    PacketSpan span;
    unsigned depth; /* within how many tunnels: only fragments of one depth belong together */
} FragmentsPiece;

Fragments *fragments_new(void);
void fragments_free(Fragments *fragments);

/*
 * fragments_take adds a fragment.
 * Returns true when its datagram is whole with it. ret_skip is TRACE_SKIP_NONE, or why the fragment
 * was not used, or not all of it: BAD_LENGTH, FRAGMENT_OVERLAP.
 */
bool fragments_take(Fragments *fragments, const FragmentsPiece *piece, TraceSkip *ret_skip,
                    FragmentsDatagram *ret_datagram);

/* fragments_give_up hands out the oldest datagram that has waited too long at now_ns, or that must
 * go because there are too many; false when there is none. INT64_MAX: whatever there is. */
bool fragments_give_up(Fragments *fragments, int64_t now_ns, FragmentsDatagram *ret_datagram);

/* Lets go of the bytes of all datagrams that were handed out. */
void fragments_clear(Fragments *fragments);

#endif
