/*
 * bootstrap.h - the way into the overlay: bootstrap peers tried one after the other, with back-off.
 * Source: RFC 6940 s.11.4, s.10.7.4.4.
 * State:  one Bootstrap per peer, and its list of addresses.
 * Time:   the first try at once, the next ones after 1 s each; with every round of as many tries as
 *         there are addresses that doubles, up to BOOTSTRAP_WAIT_MAX, until a link is up. The first
 *         peer founds the overlay PEAL_FOUND_AFTER its start, or the same again after each look,
 *         unless an Update has come from one that is in it.
 */
#ifndef OVERLAY_BOOTSTRAP_H
#define OVERLAY_BOOTSTRAP_H

#include "reload/request.h"

enum { BOOTSTRAP_MAX = 8 };
#define BOOTSTRAP_WAIT_MAX peal_seconds(60)

/* Where a bootstrap peer is, and the link that led there last. */
typedef struct BootstrapAddr {
    PealAddr addr; /* its transport is the overlay's */
    PealFlow flow;
} BootstrapAddr;

typedef struct Bootstrap {
    BootstrapAddr *addrs;
    PealTime deadline;
    PealTime found_at; /* PEAL_TIME_NEVER but for the first peer, until it has joined or founded */
    PealFlow flow;     /* of the try under way */
    uint8_t addrs_len;
    uint8_t tries;
    bool wanted : 1;
    bool trying : 1;
    bool first : 1; /* never without the overlay: founds it where there is none */
} Bootstrap;

void bootstrap_init(PealPeer *peer);
void bootstrap_fini(PealPeer *peer);
int bootstrap_set(PealPeer *peer, const PealTarget *targets, size_t targets_len) PEAL_MUST_USE;

/* bootstrap_first says, after bootstrap_set, whether this is the first peer of the overlay where
 * there is none. */
void bootstrap_first(PealPeer *peer, bool first);

/* bootstrap_seek looks for a link to a bootstrap peer; topology->on_bootstrap hears of it, at
 * once when a link from before serves. */
void bootstrap_seek(PealPeer *peer);
void bootstrap_on_link_up(PealPeer *peer, uint16_t link);
void bootstrap_on_wake(PealPeer *peer, PealTime now);

#endif
