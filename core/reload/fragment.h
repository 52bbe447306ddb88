/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fragment.h - messages cut to fit a datagram, and put together again where they end.
 * Source: RFC 6940 s.6.7.
 * State:  one Reassembly per peer; at most REASSEMBLY_MESSAGES_MAX incomplete messages of
 *         REASSEMBLY_BYTES_MAX bytes in all, each piece in memory of its own size, so that nothing
 *         is allocated for bytes that have not come.
 * Time:   an incomplete message is dropped 15 s after its first fragment came.
 */
#ifndef RELOAD_FRAGMENT_H
#define RELOAD_FRAGMENT_H

#include <peal/peer.h>

#include "reload/wire.h"

enum {
    FRAGMENT_BODY_MIN = 256, /* bytes after the header in each fragment */
    FRAGMENT_VIA_ROOM = 32,  /* left free for a via list that grows on the way */
    REASSEMBLY_MESSAGES_MAX = 16,
    REASSEMBLY_PIECES_MAX = 64, /* of one message */
    REASSEMBLY_BYTES_MAX = 65536
};
#define REASSEMBLY_LIFETIME (INT64_C(15) * PEAL_NS_PER_S)

/* How a message, or a fragment that has to be cut again, is to be cut. */
typedef struct FragmentPlan {
    uint32_t count; /* 1: it goes as it is */
    uint32_t header_len;
    uint32_t body_len;
    uint32_t chunk; /* body bytes of each fragment, the last may have less */
} FragmentPlan;

/*
 * fragment_plan divides a message that wire_check has passed into pieces of equal size.
 * datagram_max  bytes of a datagram, the frame's header included
 * A message is left whole (count 1) when it fits, and when its fragments could not hold
 * FRAGMENT_BODY_MIN bytes each; IP then fragments it.
 */
FragmentPlan fragment_plan(const uint8_t *message, size_t len, uint32_t datagram_max);

/*
 * fragment_make builds fragment i (0..count-1) of a plan. Returns a buffer that is the caller's: 8
 * bytes for the data frame, filled in with sequence 0, and the fragment; room for FRAGMENT_VIA_ROOM
 * more.
 */
PealBuf *fragment_make(PealEnv *env, const FragmentPlan *plan, const uint8_t *message, uint32_t i);

typedef struct ReassemblyMessage ReassemblyMessage;

typedef struct Reassembly {
    ReassemblyMessage *first; /* oldest first; NULL while nothing is incomplete */
    uint32_t bytes;
    uint16_t messages_len;
} Reassembly;
_Static_assert(sizeof(Reassembly) == 16, "one per peer");

void reassembly_fini(Reassembly *reassembly, PealEnv *env);

/* Where a fragment came from and how large its message may become. */
typedef struct ReassemblyRules {
    PealTime now;
    PealId
        from; /* Node-ID at the other end of the link; the originator when the via list is empty */
    uint32_t message_max;
} ReassemblyRules;

/*
 * reassembly_add takes in one fragment for this peer, which wire_check has passed and which is no
 * whole message. Fragments belong together when transaction and originator (first via entry) are
 * equal; they may come in any order, twice, and cut differently, as end-to-end retransmissions over
 * other routes are, if they agree on every byte.
 * ret_whole  NULL while pieces are missing, else a buffer that is the caller's: data frame header
 *            and whole message, under the header of the fragment that came first
 * Returns 0; or, with the message's pieces dropped, -PEAL_E_OVERLAP (fragments contradict each
 * other), -PEAL_E_TOO_LARGE, -PEAL_E_VALUE (empty fragment); or -PEAL_E_FULL and -PEAL_E_MEMORY.
 */
int reassembly_add(Reassembly *reassembly, PealEnv *env, const ReassemblyRules *rules,
                   PealBytes fragment, PealBuf **ret_whole) PEAL_MUST_USE;

/*
 * reassembly_deadline is when reassembly_on_wake wants to be called; PEAL_TIME_NEVER while nothing
 * is incomplete.
 */
PealTime reassembly_deadline(const Reassembly *reassembly);
void reassembly_on_wake(Reassembly *reassembly, PealEnv *env, PealTime now);

#endif
