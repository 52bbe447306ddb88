/*
 * guard.h - who may become a neighbour: a bound against neighbours that somebody makes up.
 * Source: Castro, Druschel, Ganesh, Rowstron, Wallach: Secure routing for structured peer-to-peer
 *         overlay networks (OSDI 2002), s.5.2; Baumgart, Mies: S/Kademlia (ICPADS 2007) for
 *         preferring who is there already.
 * State:  one Guard, while PealDefence.neighbour_check is on: about 300 bytes.
 * Time:   fingers tell how dense the ring is when they are attached to; they are asked again at
 *         most every GUARD_REFRESH with a look at the fingers, and every GUARD_ASK_INTERVAL when a
 *         peer is refused. Who was refused for the rate is asked for again when that allows it.
 *
 * Every neighbour has a link and has sent an Update or a Join over it (RFC 6940 s.6.5.1): an id
 * that is only told is none. Beyond that the guard refuses a peer that would make this part of the
 * ring more crowded than chance does, by the gaps that other parts have, so that those who are
 * there stay; and more new neighbours a minute than PealDefence.neighbour_rate. A joining peer
 * knows nobody yet: it takes whom it is told.
 */
#ifndef OVERLAY_GUARD_H
#define OVERLAY_GUARD_H

#include "reload/message.h"

#define GUARD_ASK_INTERVAL peal_seconds(10)
#define GUARD_REFRESH peal_seconds(600)

enum { GUARD_SAMPLES_MAX = 16, GUARD_SAMPLES_MIN = 3 };

typedef struct Guard Guard;

bool guard_wanted(const PealOverlay *overlay);
void guard_init(PealPeer *peer);
void guard_fini(PealPeer *peer);
void guard_on_wake(PealPeer *peer, PealTime now);

/* guard_allows tells whether a peer might become a neighbour now, or will not be one anyhow;
 * nothing changes. */
bool guard_allows(PealPeer *peer, const PealId *id);

/* guard_admits is the same for a peer that becomes ready with this: it counts. */
bool guard_admits(PealPeer *peer, const PealId *id);

/* guard_on_update takes from a finger's Update how dense the ring is there. */
void guard_on_update(PealPeer *peer, const PealId *teller, const ChordUpdate *update);

/* guard_refresh asks the fingers for Updates, unless they were asked less than `age` ago. */
void guard_refresh(PealPeer *peer, PealSpan age);

/* guard_gap is the mean gap between peers in units of 2^64 of the ring: the median of what fingers
 * have told; as long as too few have, the least of that and what this peer's own neighbours show;
 * 0: unknown. */
uint64_t guard_gap(const PealPeer *peer);

#endif
