/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * toy_peer.h - a peer without a protocol, in place of core's: it tells a test what the sockets do
 * to
 *              it.
 * Source: none.
 * State:  a log of what came to all peers, in the order in which it came.
 * Time:   toy_until runs a loop until something holds, for some seconds at most.
 */
#ifndef TESTS_NET_TOY_PEER_H
#define TESTS_NET_TOY_PEER_H

#include <peal/peer.h>

#include "loop.h"

typedef enum ToyKind {
    TOY_UP,
    TOY_DOWN,
    TOY_BYTES,
    TOY_SIP,
    TOY_SIP_END,
    TOY_WOKEN,
    TOY_ANSWER
} ToyKind;

typedef struct ToyEvent {
    ToyKind kind;
    PealPeer *peer;
    PealFlow flow;
    bool opened;
    char text[64]; /* of bytes: their beginning */
    size_t len;
    PealHop hop;
    int error;
    uint64_t token;
    PealTarget targets[8];
    size_t targets_len;
} ToyEvent;

/* A peer is a pointer that only tests look at: give each a byte of its own. */
PealPeer *toy_peer(uint8_t *memory);

void toy_clear(void);
/* toy_count counts the events of a kind at a peer (NULL: any); toy_last is the last one, or
 * NULL. */
size_t toy_count(ToyKind kind, const PealPeer *peer);
const ToyEvent *toy_last(ToyKind kind, const PealPeer *peer);

/* toy_bytes is how many bytes came over flows to a peer. */
size_t toy_bytes(const PealPeer *peer);

/* toy_until returns whether it came true. */
bool toy_until(Loop *loop, bool (*holds)(void *user), void *user);

/* toy_wait waits for n events of a kind. */
bool toy_wait(Loop *loop, ToyKind kind, const PealPeer *peer, size_t n);

/* toy_settle runs the loop for a while, for what must not happen. */
void toy_settle(Loop *loop);

/* toy_waited is how long, as the world said, what came last had waited. */
PealSpan toy_waited(void);

/* toy_frame is a buffer with the frame of a message that may begin a flow. */
PealBuf *toy_frame(const char *text);
PealBuf *toy_text(const char *text);

PealAddr toy_loopback(uint16_t port);

#endif
