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

/*
 * location_find asks the overlay where an AOR is registered.
 * found    called once, from a later dispatch: status 0 with the adapters' Node-IDs (this peer's own
 *          among them if it registered), each once, in the order of the dictionary; an AOR that
 *          stands for another (sip_registration_uri) comes as `uri`, for the caller to follow, at most
 *          8 steps. -PEAL_E_NOT_FOUND: no live record. -PEAL_E_TIMEOUT, -PEAL_E_UNREACHABLE: nobody
 *          could be asked. Arrays and text are borrowed.
 * Returns 0, -PEAL_E_STATE (not joined), -PEAL_E_FULL or -PEAL_E_MEMORY; then found is not called.
 */
typedef struct LocationAnswer {
    int status;
    const PealId *adapters;
    size_t adapters_len;
    PealStr uri; /* empty for none */
} LocationAnswer;
enum { LOCATION_ADAPTERS_MAX = 32 };
typedef void (*LocationFound)(PealPeer *peer, uint64_t arg, const LocationAnswer *answer);
int location_find(PealPeer *peer, const PealId *resource, LocationFound found,
                  uint64_t arg) PEAL_MUST_USE;

/* location_keep keeps an AOR registered as peal_peer_register does, location_drop removes it; `done`
 * answers the Store this causes, with 0 or an error. For the registrar. */
typedef void (*LocationDone)(PealPeer *peer, uint64_t arg, int status);
int location_keep(PealPeer *peer, const PealId *resource, uint32_t expires_s, LocationDone done,
                  uint64_t arg) PEAL_MUST_USE;
int location_drop(PealPeer *peer, const PealId *resource, LocationDone done,
                  uint64_t arg) PEAL_MUST_USE;

/* location_leave removes what was registered here, before the peer leaves; without waiting. */
void location_leave(PealPeer *peer);

#endif
