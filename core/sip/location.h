/*
 * location.h - the location service: keeps this adapter's SIP registrations stored in the overlay.
 * Source: RFC 7904 s.3, s.4, s.7.
 * State:  one Location per peer; one entry per AOR registered here.
 * Time:   soft state, stored again at 0.9 of its lifetime; a failed Store is tried again with
 *         back-off.
 */
#ifndef SIP_LOCATION_H
#define SIP_LOCATION_H

#include "reload/request.h"

typedef struct LocationEntry LocationEntry;

typedef struct Location {
    LocationEntry *entries;
    uint32_t entries_len;
    uint32_t entries_cap;
    PealTime deadline;
} Location;

void location_init(PealPeer *peer);
void location_fini(PealPeer *peer);
void location_on_wake(PealPeer *peer, PealTime now);
/* As peal_peer_register and peal_peer_unregister (peer.h). */
int location_register(PealPeer *peer, PealStr aor, uint32_t expires_s,
                      uint64_t token) PEAL_MUST_USE;
int location_unregister(PealPeer *peer, PealStr aor, uint64_t token) PEAL_MUST_USE;
/* location_leave removes what was registered here, before the peer leaves. */
void location_leave(PealPeer *peer);

#endif
