/*
 * redundant.h - a lookup that goes several ways at a time, so that one peer on the way that loses
 *               or falsifies it does not decide.
 * Source: Castro, Druschel, Ganesh, Rowstron, Wallach: Secure routing for structured peer-to-peer
 *         overlay networks (OSDI 2002), s.5.3; by RFC 6940's own means: one request whose copies
 *         share a transaction id, as its retransmissions do (s.6.2.1), each with a destination list
 *         that begins with another first hop (s.6.3.2.2).
 * State:  a Redundant in the request's block; the best answer that did not settle it.
 * Time:   an answer that brings nothing waits for the others', at most until the request would be
 *         sent again.
 *
 * The ways differ in their first hop. Whether they meet further on is the ring's business: they all
 * end at the one peer that answers for the Resource-ID.
 */
#ifndef RELOAD_REDUNDANT_H
#define RELOAD_REDUNDANT_H

#include "reload/held.h"

typedef struct Redundant {
    PealId through[PEAL_REDUNDANT_MAX]; /* first hops of the last transmission */
    RequestGood good;
    Held *held;        /* NULL while no answer came */
    uint16_t ways;     /* of the last transmission; 0: it went the ordinary way */
    uint16_t answered; /* bit i: something came back from through[i] */
} Redundant;

/* redundant_choose picks the first hops of transmission `turn` (0, 1, ...): the nearest to the
 * Resource-ID at first, then others, as long as there are any. */
void redundant_choose(PealPeer *peer, Redundant *redundant, const PealId *to, unsigned turn);

/*
 * redundant_settles tells whether the request ends with this answer: it is good, or the last that
 * can be expected. Of answers that are not, the one of the responder nearest behind the Resource-ID
 * is the truest, since its owner is the first peer there: then *result becomes that one.
 */
bool redundant_settles(PealPeer *peer, Redundant *redundant, const PealId *to,
                       RequestResult *result);

/* redundant_held puts the answer that waited for better ones into *result; false: there is none. */
bool redundant_held(const Redundant *redundant, RequestResult *result);

void redundant_fini(PealPeer *peer, Redundant *redundant);

#endif
