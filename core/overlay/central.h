/*
 * central.h - the alternative to a ring: one peer, the server, is responsible for everything.
 * Source: RFC 6940 s.6.4.1 (what a topology plug-in answers); the service is that of a registrar
 *         and proxy of RFC 3261 s.10 and s.16 which a domain has one of.
 * State:  one Central per peer, in the place of its Chord; a link at each peer, and at the server
 *         one for every other peer.
 * Time:   a peer joins by one Join over the bootstrap link, and does so again, with bootstrap.h's
 *         back-off, when that link has died. Nothing is sent to keep tables right.
 *
 * The server is the peer that founds the overlay. There are no neighbours, fingers or replicas, and
 * what the server forgets in a crash is gone until it is stored again. Two peers that are not the
 * server reach each other through it.
 */
#ifndef OVERLAY_CENTRAL_H
#define OVERLAY_CENTRAL_H

#include "overlay/topology.h"

typedef enum CentralPhase {
    CENTRAL_IDLE,    /* not started */
    CENTRAL_SEEKING, /* looking for the server */
    CENTRAL_ASKING,  /* Join is sent */
    CENTRAL_JOINED,
    CENTRAL_LEAVING
} CentralPhase;

typedef struct Central {
    PealTime deadline; /* the phase's patience ends */
    PealId server;     /* while asking and after */
    uint64_t leave_token;
    uint8_t phase;  /* CentralPhase */
    bool is_server; /* this peer itself */
} Central;

extern const TopologyOps CENTRAL_OPS;

#endif
