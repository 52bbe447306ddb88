/*
 * forward.h - where a message goes: to this peer, or on to the next, in the buffer it came in.
 * Source: RFC 6940 s.6.1, s.6.2, s.10.3.
 * State:  none.   Time: none.
 */
#ifndef RELOAD_FORWARD_H
#define RELOAD_FORWARD_H

#include "reload/request.h"
#include "reload/wire.h"

enum { FORWARD_VIA_ROOM = 8 * RELOAD_NODE_ENTRY_LEN }; /* kept free in new messages for the way */

/* forward_message_take serves or passes on a message that came over the link `from`; buf holds its
 * frame room first. */
void forward_message_take(PealPeer *peer, uint16_t from, PealBuf *buf);

/* forward_own_take sends a message that was made here: over `link` if it is not LINK_NONE, else by
 * its destination list; to itself by the queue of pending.h. Returns 0 or -PEAL_E_UNREACHABLE; buf
 * is taken either way. */
int forward_own_take(PealPeer *peer, uint16_t link, PealBuf *buf);

/* forward_local_take serves a message of this peer to itself, out of the queue of pending.h; or
 * sends it on, where it is no longer for this peer. */
void forward_local_take(PealPeer *peer, PealBuf *buf);

/* forward_again_take sends on what was sent over a link that has failed since. */
void forward_again_take(PealPeer *peer, uint16_t failed, PealBuf *buf);

/* forward_name_link sends the Ping that names this peer on an EXP-LINK link; forward_read_name
 * reads such a Ping: 0, -PEAL_E_OVERLAY when it is another overlay's, or another error when the
 * message is anything else. */
void forward_name_link(PealPeer *peer, uint16_t link);
int forward_read_name(const PealPeer *peer, PealBytes packet, PealId *ret_name) PEAL_MUST_USE;

#endif
