/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * location.h - the location service: keeps this adapter's SIP registrations stored in the overlay.
 * Source: RFC 7904 s.3, s.4, s.7.
 * State:  one Location per peer; 40 bytes per AOR registered here, and 40 per Store that is out.
 * Time:   soft state, stored again at 0.9 of its lifetime; a failed Store is tried again after 2 s,
 *         then twice as long each time, up to 2 min.
 * Its requests are peal_peer_register and peal_peer_unregister (peer.h).
 */
#ifndef SIP_LOCATION_H
#define SIP_LOCATION_H

#include "reload/request.h"

typedef struct LocationEntry LocationEntry;
typedef struct LocationCall LocationCall;

typedef struct Location {
    LocationEntry *entries; /* sorted by Resource-ID */
    LocationCall *calls;    /* Stores that are out; NULL while there are none */
    uint32_t entries_len;
    uint32_t entries_cap;
    uint32_t calls_len; /* in use, anywhere in the array */
    uint32_t calls_cap;
    PealTime deadline;
} Location;

void location_init(PealPeer *peer);
void location_fini(PealPeer *peer);
void location_on_wake(PealPeer *peer, PealTime now);

/* location_leave removes what was registered here, before the peer leaves; without waiting. */
void location_leave(PealPeer *peer);

#endif
