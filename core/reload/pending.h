/*
 * pending.h - what this peer has asked and not yet been told.
 * Source: RFC 6940 s.6.2.1.
 * State:  one Pending per peer; a block per outstanding request that holds its body for
 *         retransmission.
 * Time:   see request.h. Messages to this peer itself wait for the next dispatch, which is due at
 *         once.
 */
#ifndef RELOAD_PENDING_H
#define RELOAD_PENDING_H

#include "reload/request.h"

enum { PENDING_MAX = 1024, PENDING_LOCAL_MAX = 1024 };

typedef struct PendingRequest PendingRequest;

typedef struct Pending {
    PendingRequest *first;
    PealBuf **local; /* messages to itself, oldest first */
    PealTime deadline;
    uint16_t requests_len;
    uint16_t local_len;
    uint32_t local_cap;
} Pending;

void pending_init(PealPeer *peer);
void pending_fini(PealPeer *peer);
void pending_on_wake(PealPeer *peer, PealTime now);

/* pending_on_answer matches an answer or an error to its request and says `done`. */
void pending_on_answer(PealPeer *peer, const Inbound *answer);

/* pending_local_take keeps a message to this peer itself for the next dispatch. */
int pending_local_take(PealPeer *peer, PealBuf *buf) PEAL_MUST_USE;

/* pending_compose makes a message in a new buffer, signed, with room for its frame and for a way of
 * some hops.
 * dest, options, extensions  encoded lists; body encoded. NULL when it would exceed the overlay's
 *                max-message-size. */
typedef struct PendingDraft {
    uint64_t transaction;
    uint16_t code;
    PealBytes dest;
    PealBytes options;
    PealBytes body;
    PealBytes extensions;
} PendingDraft;
PealBuf *pending_compose(PealPeer *peer, const PendingDraft *draft);

#endif
