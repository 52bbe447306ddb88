/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * message.h - a RELOAD message in its frame, for whoever stands between a peer and its world: what
 *             it is, whether the peer will hand it on, and how to make another of it.
 * Source: RFC 6940 s.6.1, s.6.3, s.7.4.2, s.10.7; RFC 7904 s.3.2.
 * State:  none.   Time: none.
 *
 * Everything works on a buffer or bytes that hold exactly one data frame with a message, or a piece
 * of one; what does not is refused with an error and left as it was. Editors keep all lengths true,
 * and the link's sequence number.
 */
#ifndef PEAL_MESSAGE_H
#define PEAL_MESSAGE_H

#include <peal/peer.h>

enum {
    PEAL_MESSAGE_STORE_REQ = 7,
    PEAL_MESSAGE_ATTACH_REQ = 3,
    PEAL_MESSAGE_FETCH_REQ = 9,
    PEAL_MESSAGE_FETCH_ANS = 10,
    PEAL_MESSAGE_UPDATE_REQ = 19,
    PEAL_MESSAGE_DETOUR_MAX = 4
};

typedef struct PealMessage {
    uint16_t code;
    uint8_t ttl;
    bool request;
    bool to_resource; /* `to` is a Resource-ID */
    uint64_t transaction;
    PealId to;      /* the last entry of the destination list; all zero where it has not 16 bytes */
    PealId next;    /* the first entry of that list, likewise */
    PealId first;   /* the node of the first entry of the via list, which made the request; all zero
                      where that list is empty: then the sender did */
    PealId signer;  /* Node-ID in the security block; all zero where that does not fit the mode */
    PealBytes body; /* borrowed */
} PealMessage;

/* peal_message_read reads a whole message. Returns 0, or an error of the decoder; -PEAL_E_STATE for
 * a piece of a message. */
int peal_message_read(const PealOverlay *overlay, PealBytes bytes,
                      PealMessage *ret_message) PEAL_MUST_USE;

/* peal_message_passes tells whether the peer would hand the message, or piece, on to others: false
 * for what it serves or takes itself, and for what is no message. */
bool peal_message_passes(const PealPeer *peer, PealBytes bytes);

/* peal_message_spoil makes it a message that a receiver acknowledges on the link and then throws
 * away as one of another version. Returns 0 or an error. */
int peal_message_spoil(PealBuf *buf) PEAL_MUST_USE;

/* peal_message_detour puts nodes in front of the destination list: the message goes to each of them
 * first. len 1..PEAL_MESSAGE_DETOUR_MAX. Returns 0 or an error; -PEAL_E_FULL where buf has no room
 * for 18 bytes a node. */
int peal_message_detour(PealBuf *buf, const PealId *nodes, size_t len) PEAL_MUST_USE;

/* peal_message_divert makes a node its only destination. Returns 0 or an error. */
int peal_message_divert(PealBuf *buf, const PealId *node) PEAL_MUST_USE;

/*
 * peal_message_rewrite makes a message with another code and body of one, with the same header and
 * extensions, signed by `signer` as far as the overlay's crypto mode signs.
 * Returns a buffer that is the caller's, or NULL where buf holds no whole message.
 */
PealBuf *peal_message_rewrite(PealEnv *env, const PealOverlay *overlay, const PealBuf *buf,
                              const PealMessage *message);

/*
 * peal_message_put_found writes the body of a Fetch's answer, for the Kind SIP-REGISTRATION:
 * without a value, or with one that says that the AOR is registered at an adapter.
 * adapter  its Node-ID, or NULL
 * Returns the length, 0 when cap is too small; PEAL_MESSAGE_FOUND_MAX is enough.
 */
enum { PEAL_MESSAGE_FOUND_MAX = 1024, PEAL_MESSAGE_UPDATE_MAX = 4096 };
size_t peal_message_put_found(const PealOverlay *overlay, const PealId *adapter, uint64_t unix_ms,
                              uint8_t *ret_body, size_t cap);

/* peal_message_put_update writes the body of a CHORD-RELOAD Update that names nobody but these, at
 * most 2 * PEAL_NEIGHBOURS_MAX in all; none of them makes it one that only says that its sender is
 * there. Returns as peal_message_put_found. */
size_t peal_message_put_update(const PealId *predecessors, size_t predecessors_len,
                               const PealId *successors, size_t successors_len, uint8_t *ret_body,
                               size_t cap);

#endif
