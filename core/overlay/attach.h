/*
 * attach.h - links wanted: Attach requests and what becomes of them, on both sides.
 * Source: RFC 6940 s.6.5.1, with No-ICE host candidates.
 * State:  one Attaches per peer; an entry while an Attach is under way, at most ATTACH_MAX.
 * Time:   the other side opens the flow when it answers; ATTACH_PATIENCE after the answer this side
 *         does.
 */
#ifndef OVERLAY_ATTACH_H
#define OVERLAY_ATTACH_H

#include "reload/codec.h"
#include "reload/request.h"

enum { ATTACH_MAX = 256, ATTACH_CANDIDATES_LEN = 256, ATTACH_BODY_LEN = 384 };

typedef struct Attach Attach;

typedef struct Attaches {
    Attach *list;
    PealTime deadline;
    uint32_t list_cap;
    uint16_t list_len;
    uint16_t next_key;
} Attaches;

typedef struct AttachSpec {
    PealId to;
    bool to_resource;
    const PealId *through; /* the peer it was learned from (s.10.6), or NULL */
    uint16_t link;         /* to send it over, or LINK_NONE */
    uint16_t purpose;      /* the topology's, handed back in on_attached */
} AttachSpec;

void attach_init(PealPeer *peer);
void attach_fini(PealPeer *peer);

/* attach_begin asks for a link, unless one to the same place is asked for already;
 * topology->on_attached hears of its end from a later dispatch. Always asks the other side for an
 * Update. */
void attach_begin(PealPeer *peer, const AttachSpec *spec);

/* attach_wanting: how many are under way with this purpose. */
size_t attach_wanting(const PealPeer *peer, uint16_t purpose);

/* attach_around adds to the counts how many Attaches to Node-IDs with this purpose are under way
 * that lie nearer than id on the way clockwise, and how many that lie nearer on the other way. */
void attach_around(const PealPeer *peer, uint16_t purpose, const PealId *id, unsigned *after,
                   unsigned *before);

/* attach_put_candidates writes where this peer listens for a service as host candidates, at most
 * ATTACH_CANDIDATES_LEN bytes; attach_usable_address reads the other side's first one of a family
 * that this peer has too. */
void attach_put_candidates(PealPeer *peer, PealService service, Writer *w);
bool attach_usable_address(PealPeer *peer, PealService service, PealBytes candidates,
                           PealAddr *ret_addr) PEAL_MUST_USE;

void attach_on_request(PealPeer *peer, const Inbound *request);
void attach_on_link_up(PealPeer *peer, uint16_t link);
void attach_on_wake(PealPeer *peer, PealTime now);

#endif
