/*
 * copies.h - copies of a registration that the SIP usage places itself, all over the ring, so that
 *            no one region of it holds them all.
 * Source: RFC 6940 s.5.1.2 (usage-level replication: a well-known constant goes into the Resource
 *         Name of each copy), s.10.4 (successors protect against failures, not against malicious
 *         peers).
 * State:  a Copies for each Fetch under way where copies are placed by hashing, else none.
 * Time:   one copy is asked after the other, the next when one brings no value or is silent for
 *         request_timeout; or all at once.
 *
 * Copy 0 is the registration at H(AOR) of Kind SIP-REGISTRATION, as RFC 7904 has it, for peers that
 * know of nothing else. Copy i = 1, 2, ... lies at H(H(AOR) || i), i one octet, under the overlay's
 * own Kind PEAL_KIND_SIP_REGISTRATION_COPY: the same data model and values with another access
 * policy, since USER-NODE-MATCH allows only H(AOR) itself.
 */
#ifndef STORAGE_COPIES_H
#define STORAGE_COPIES_H

#include "reload/request.h"

typedef struct Copies Copies;

/* The Kind of copy i. */
static inline uint32_t copies_kind(unsigned i)
{
    return i == 0 ? PEAL_KIND_SIP_REGISTRATION : PEAL_KIND_SIP_REGISTRATION_COPY;
}

/*
 * copies_fetch asks for all values of a Kind at a Resource-ID, of a registration by as many of its
 * copies as it takes. `done` hears of the first answer with a value, else of the first answer, else
 * of the failure of the last request. Returns what request_send returns; the Kind is known.
 */
int copies_fetch(PealPeer *peer, const PealId *resource, uint32_t kind, RequestDone done,
                 uint64_t arg) PEAL_MUST_USE;

/* For defence.c. copies_on_wake sets the deadline anew. */
bool copies_wanted(const PealOverlay *overlay);
void copies_fini(PealPeer *peer);
void copies_on_wake(PealPeer *peer, PealTime now);

#endif
