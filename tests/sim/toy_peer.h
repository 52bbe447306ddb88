/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * toy_peer.h - a peer without a protocol, in place of core's: it tells a test what its environment
 *              does to it.
 * Source: none.
 * State:  a log of what came, in the order in which it came; one for the whole program.
 * Time:   each peer wakes at TOY_WAKE for the first time, and hands the script the word.
 */
#ifndef TESTS_SIM_TOY_PEER_H
#define TESTS_SIM_TOY_PEER_H

#include <peal/peer.h>

#include "world.h"

#define TOY_WAKE peal_seconds(1)

typedef enum ToyKind {
    TOY_UP,
    TOY_DOWN,
    TOY_BYTES,
    TOY_WOKEN,
    TOY_SIP,
    TOY_SIP_END,
    TOY_ANSWER
} ToyKind;

typedef struct ToyEvent {
    ToyKind kind;
    uint32_t peer;
    int64_t at_ns;
    PealFlow flow;
    bool opened;     /* TOY_UP */
    uint32_t number; /* TOY_BYTES, TOY_SIP: the first four bytes; TOY_ANSWER: the token */
    size_t len;
    PealHop hop;   /* TOY_SIP, TOY_SIP_END */
    int error;     /* TOY_SIP_END, TOY_ANSWER */
    PealAddr addr; /* TOY_ANSWER: the first target's */
    size_t targets_len;
} ToyEvent;

/* Called in each dispatch, after the event was logged. NULL does nothing. */
typedef void (*ToyScript)(PealEnv *env, uint32_t peer, const ToyEvent *event);

typedef struct Toy {
    ToyScript script;
    GArray *log; /* ToyEvent */
    World *world;
    Recorder *recorder;
    Scenario *scenario;
} Toy;
extern Toy toy;

/* toy_run runs a world of toy peers. settings: NULL-terminated `section.key=value`; the rest is
 * `constant:50ms`, two peers, 20 s. The log and the world stay until toy_end. */
void toy_run(ToyScript script, const char *const *settings);
/* toy_run_struck does so with TCP links and the first seed for which an event at 5 s
 * (`event:x.do=..` for one of the two) strikes peer 1; the script lets only such a peer wake
 * twice. */
void toy_run_struck(ToyScript script, const char *what);
void toy_end(void);

/* toy_find returns the n-th event of a kind at a peer, or NULL. */
const ToyEvent *toy_find(ToyKind kind, uint32_t peer, unsigned n);

/* Shorthands for scripts. */
PealFlow toy_open(PealEnv *env, uint32_t to, PealTransport transport);
void toy_send(PealEnv *env, PealFlow flow, uint32_t number, uint16_t attempt);
/* toy_sip sends 100 bytes of SIP; toy_sip_to is where another peer hears it. */
void toy_sip(PealEnv *env, const PealHop *to, uint32_t number);
PealHop toy_sip_to(uint32_t peer, PealTransport transport);

#endif
