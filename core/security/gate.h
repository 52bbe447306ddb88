/*
 * gate.h - what comes in before any work goes into it: how much of each source, and what while the
 *          peer is behind with its work.
 * Source: buckets.h; E. Noel, C. Johnson, Novel Overload Controls for SIP Networks, ITC 21, 2009
 *         (the wait in the queue is what tells that a server is overloaded).
 * State:  one Gate per peer whose overlay asks for it, and its buckets.
 * Time:   none of its own.
 *
 * Sources are SIP's by address (IPv6: by /64, of which one host has all), RELOAD's by Node-ID, or
 * by flow before it is named. Known are addresses that a live binding came from or that are another
 * adapter's in use, and peers in the routing table. Their buckets are larger, not bottomless: a
 * registered attacker is limited too.
 *
 * Urgent is what finishes work that was begun: responses, acknowledgements, ACK, BYE, CANCEL, PRACK
 * and requests inside a dialog. Of it a source may send GATE_URGENT_FACTOR times as much as of new
 * requests, by a bucket of its own: what others make its phones answer takes nothing from what they
 * may ask. As the wait grows, first
 * strangers' new requests stay out, then the rest of theirs, then the known ones' new requests;
 * what is urgent of them never does.
 *
 * A call of a stranger makes work for half a minute after it was let in: the callee's answers, and
 * their repetitions when nobody acknowledges them. So it does not do to look at the wait alone.
 * Strangers' new requests get in one at a time with a gap between them that doubles every GATE_STEP
 * while the wait is too long, and shrinks by 3 % a second while it is short; when none of them was
 * kept out for GATE_CALM there is no gap.
 */
#ifndef SECURITY_GATE_H
#define SECURITY_GATE_H

#include <peal/peer.h>

#include "security/buckets.h"

enum { GATE_URGENT_FACTOR = 4, GATE_STRANGER_URGENT_WAIT = 2, GATE_KNOWN_WAIT = 4 };
enum { GATE_TAG_LEN = 16 };
#define GATE_STEP peal_ms(100)
#define GATE_CALM peal_seconds(32) /* RFC 3261's 64 T1: then what was let in is over */

typedef struct Gate {
    Buckets buckets;
    BucketRate rate;        /* of strangers; token 0 ns: no buckets */
    BucketRate known_rate;  /* of known ones */
    uint64_t key;           /* of sources' hashes: senders choose addresses */
    PealSpan wait;          /* as the world said last */
    PealSpan gap;           /* between strangers' new requests; 0 ns: none */
    PealTime next_at;       /* of the next of them */
    PealTime step_at;       /* of the next look at the gap */
    PealTime kept_out_at;   /* the last of them that was */
    uint32_t let_in;        /* of them, since that look */
    char tag[GATE_TAG_LEN]; /* To tag of refusals, by which their ACKs are told */
    PealGateStatus status;  /* its `reduction` is what SIP neighbours are asked for (RFC 7339) */
} Gate;

/* gate_wanted: does this overlay ask for one? */
bool gate_wanted(const PealOverlay *overlay);
void gate_init(PealPeer *peer);
void gate_fini(PealPeer *peer);
/* gate_of: the peer's, or NULL. */
Gate *gate_of(const PealPeer *peer);

uint64_t gate_addr(const Gate *gate, const PealAddr *addr);
uint64_t gate_node(const Gate *gate, const PealId *node);
uint64_t gate_flow(const Gate *gate, PealFlow flow);

/* gate_vouch: an address is known until then. Does nothing without a gate. */
void gate_vouch(PealPeer *peer, const PealAddr *addr, PealTime until);
/* gate_knows: is somebody vouching for this address? */
bool gate_knows(const PealPeer *peer, uint64_t source);

/* One message at the gate. */
typedef struct GateCase {
    uint64_t source;
    bool known;
    bool urgent;
} GateCase;

/* gate_take takes a token for it; gate_has_time: is the peer not too far behind for it? */
bool gate_take(PealPeer *peer, const GateCase *item) PEAL_MUST_USE;
bool gate_has_time(PealPeer *peer, const GateCase *item) PEAL_MUST_USE;

/* reload/admit.c: gate_admit_frame judges one frame of a link by the gate's `wait`. The peer has a
 * gate. */
PealAdmit gate_admit_frame(PealPeer *peer, uint16_t slot, const uint8_t *bytes,
                           size_t len) PEAL_MUST_USE;

#endif
