/*
 * peer.h (internal) - the block that is one peer: its parts side by side, hot fields first.
 * Source: none.   State: this.   Time: `deadline` of each part; peer.c hands the earliest to
 * env->wake_at.
 */
#ifndef CORE_PEER_H
#define CORE_PEER_H

#include <peal/peer.h>

#include "overlay/attach.h"
#include "overlay/bootstrap.h"
#include "overlay/central.h"
#include "overlay/chord.h"
#include "reload/fragment.h"
#include "reload/link.h"
#include "reload/pending.h"
#include "sip/location.h"
#include "sip/sip.h"
#include "storage/storage.h"

struct PealPeer {
    PealEnv *env;
    const PealOverlay *overlay;
    const TopologyOps *topology;
    PealTime wake_at; /* what env->wake_at was last told */
    PealId id;
    Links links;
    union { /* by topology */
        Chord chord;
        Central central;
    };
    Pending pending;
    Storage storage;
    Location location;
    Attaches attaches;
    Reassembly reassembly;
    Bootstrap bootstrap;
    /* One word: 60 bits of ns are 18 years. */
    uint64_t started_ns : 60;
    uint64_t state : 4;      /* PealPeerState */
    Sip *sip;                /* NULL unless it is an adapter */
    struct Defence *defence; /* NULL unless the overlay's defences need state of a peer's own */
};

static inline PealTime peer_now(PealPeer *peer)
{
    return peer->env->ops->now(peer->env);
}
static inline PealTime peer_started(const PealPeer *peer)
{
    return (PealTime){(int64_t)peer->started_ns};
}
static inline void peer_set_started(PealPeer *peer, PealTime at)
{
    peer->started_ns = (uint64_t)at.ns & ((UINT64_C(1) << 60) - 1);
}
static inline uint64_t peer_random(PealPeer *peer, PealDraw purpose)
{
    return peer->env->ops->random(peer->env, purpose);
}
static inline void *peer_alloc(PealPeer *peer, size_t size)
{
    return peer->env->ops->alloc(peer->env, size);
}
static inline void peer_release(PealPeer *peer, void *ptr, size_t size)
{
    peer->env->ops->release(peer->env, ptr, size);
}

/* peer_wake_by lowers the peer's one deadline; each part keeps its own, and peer.c raises this one
 * again after a wake. */
static inline void peer_wake_by(PealPeer *peer, PealTime at)
{
    if (at.ns < peer->wake_at.ns) {
        peer->wake_at = at;
        peer->env->ops->wake_at(peer->env, at);
    }
}

/* peer_schedule tells the world the earliest of the parts' deadlines; called at the end of a
 * dispatch. */
void peer_schedule(PealPeer *peer);

/* peer_serve answers a request that is addressed to this peer: serve.c. */
void peer_serve(PealPeer *peer, const Inbound *request);
/* peer_left: every neighbour has heard that this peer leaves, or will not answer any more. */
void peer_left(PealPeer *peer, uint64_t token);

/* peer_grow makes room for `need` elements in an array; 0, or -PEAL_E_MEMORY, the array intact. */
int peer_grow(PealPeer *peer, void *array_ptr, uint32_t *cap, uint32_t need,
              size_t element) PEAL_MUST_USE;
void peer_trace(PealPeer *peer, PealTraceKind kind, uint16_t code, uint32_t value,
                uint64_t transaction, const PealId *key);
void peer_drop(PealPeer *peer, PealDrop why, uint16_t code, uint64_t transaction);

#endif
