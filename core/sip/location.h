/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * location.h - the location service: keeps this adapter's SIP registrations stored in the overlay,
 *              and finds those of others.
 * Source: RFC 7904 s.3, s.4, s.7.
 * State:  one Location per peer; 56 bytes per AOR registered here, and 48 per request that is out.
 * Time:   what peal_peer_register registered is stored again at 0.9 of its lifetime, for ever; what
 *         location_keep registered ends with its lifetime, for phones that do not refresh must
 *         vanish. A failed Store is tried again after 2 s, then twice as long each time, up to
 *         2 min, with what is left of the lifetime then.
 * Of peal_peer_register and location_keep for one AOR, the last one decides.
 */
#ifndef SIP_LOCATION_H
#define SIP_LOCATION_H

#include "reload/request.h"

typedef struct LocationEntry LocationEntry;
typedef struct LocationCall LocationCall;

typedef struct Location {
    LocationEntry *entries; /* see location_table.h */
    LocationCall *calls;    /* requests that are out; NULL while there are none */
    uint32_t entries_len;
    uint32_t entries_cap;
    uint32_t calls_cap;
    uint16_t calls_len;  /* in use, anywhere in the array */
    uint16_t calls_free; /* the first of a list */
    PealTime deadline;
} Location;

void location_init(PealPeer *peer);
void location_fini(PealPeer *peer);
void location_on_wake(PealPeer *peer, PealTime now);

/*
 * location_find asks the overlay where an AOR is registered.
 * found    called once, from a later dispatch: status 0 with the adapters' Node-IDs (this peer's
 *          own among them if it registered), each once, in the order of the dictionary, at most
 *          LOCATION_ADAPTERS_MAX; an AOR that stands for another (sip_registration_uri) comes as
 *          `uri`, for the caller to follow, at most 8 steps. -PEAL_E_NOT_FOUND: no live record.
 *          -PEAL_E_TIMEOUT, -PEAL_E_UNREACHABLE: nobody could be asked, or gave no sense. Arrays
 *          and text are borrowed.
 * Values whose signer may not store them are passed over, and destination lists of more than one
 * node, for there are no clients behind peers in this overlay.
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

/* `done` answers the Store that its call causes, from a later dispatch, with 0 or an error; what
 * failed is tried again nevertheless. */
typedef void (*LocationDone)(PealPeer *peer, uint64_t arg, int status);

/*
 * location_keep registers an AOR for expires_s > 0 from now, in place of what was left of an
 * earlier time: the registrar calls it at each REGISTER with the lifetime of the AOR's longest
 * binding. Returns 0; -PEAL_E_ARG, -PEAL_E_STATE (not joined) or -PEAL_E_FULL: nothing has changed
 * then, and `done` is not called.
 */
int location_keep(PealPeer *peer, const PealId *resource, uint32_t expires_s, LocationDone done,
                  uint64_t arg) PEAL_MUST_USE;

/*
 * location_drop removes an AOR's registration, and goes on trying until it would have ended.
 * Returns 0; -PEAL_E_NOT_FOUND when there is none here; -PEAL_E_STATE or -PEAL_E_FULL when it
 * cannot be removed now, but will be. `done` is called only after 0.
 */
int location_drop(PealPeer *peer, const PealId *resource, LocationDone done,
                  uint64_t arg) PEAL_MUST_USE;

/* location_leave removes what was registered here, before the peer leaves; without waiting. */
void location_leave(PealPeer *peer);

#endif
