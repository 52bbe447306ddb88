/*
 * mini_world.h - a handful of peers on a clock of their own, with a hook that loses or looks at any
 *                frame: enough to script what a link, a route or a ring must survive. It knows
 *                nothing of sim/.
 * Source: none.   State: one MiniWorld, at most MINI_PEERS_MAX peers.   Time: events in order of
 *         time, then of birth.
 */
#ifndef MINI_WORLD_H
#define MINI_WORLD_H

#include <peal/peer.h>

enum { MINI_PEERS_MAX = 64, MINI_FLOWS_MAX = 128, MINI_OUTCOMES_MAX = 4096 };

typedef struct MiniWorld MiniWorld;

typedef struct MiniFlow {
    uint32_t other;
    PealFlow other_flow;
    uint16_t generation;
    bool used;
    bool paired; /* other_flow is known */
} MiniFlow;

typedef struct MiniOutcome {
    uint64_t token;
    int status;
    uint16_t error_code;
    uint16_t values;
    PealId responder;
} MiniOutcome;

typedef struct MiniPeer {
    PealEnv env;
    MiniWorld *world;
    PealPeer *peer;
    void *memory;
    PealTime wake_at;
    MiniFlow flows[MINI_FLOWS_MAX];
    uint64_t draws[PEAL_DRAW_COUNT];
    uint32_t traces[PEAL_TRACE_COUNT];
    uint32_t drops[PEAL_DROP_COUNT];
    PealTrace last_served;
    uint64_t allocated;
    uint8_t *bindings; /* last persisted, survive a crash; NULL for none */
    size_t bindings_len;
    uint32_t index;
    bool alive;
} MiniPeer;

/* What stands behind the peers' SIP (sip_world.h has it all); without it they have no address. */
typedef struct MiniSip {
    size_t (*addresses)(MiniPeer *mini, PealAddr *ret_addrs, size_t max);
    void (*send)(MiniPeer *mini, const PealHop *to, const uint8_t *bytes, size_t len);
    void (*close)(MiniPeer *mini, uint32_t conn);
    int (*ask)(MiniPeer *mini, const PealAsk *ask);
    void *user;
} MiniSip;

/* Returns true to lose the frame. */
typedef bool (*MiniHook)(void *user, uint32_t from, uint32_t to, const uint8_t *frame, size_t len);

typedef struct MiniEvent MiniEvent;

struct MiniWorld {
    MiniPeer peers[MINI_PEERS_MAX];
    PealOverlay overlay;
    PealTime now;
    PealSpan latency;
    MiniEvent *events;
    uint64_t events_born;
    uint32_t peers_len;
    MiniHook hook;
    void *hook_user;
    const MiniSip *sip;
    MiniOutcome outcomes[MINI_OUTCOMES_MAX];
    uint32_t outcomes_len;
    uint64_t frames;
    int64_t buffers; /* not yet given back */
    uint64_t seed;
};

/* Defaults: UDP links, 10 ms one way, the built-in Kinds, short timers. Change world->overlay
 * before the first peer. */
MiniWorld *mini_new(uint64_t seed);
/* Ends all peers; asserts that every byte and buffer was given back. */
void mini_free(MiniWorld *world);

/* Makes a peer, not started. id NULL draws one. */
MiniPeer *mini_peer(MiniWorld *world, const PealId *id);
PealAddr mini_addr(uint32_t index);
/* Joins it to the overlay through peer 0, or founds it (peer 0). */
void mini_start(MiniPeer *mini);
/* A crash: its frames and those to it vanish. */
void mini_kill(MiniPeer *mini);

void mini_run(MiniWorld *world, PealSpan span);
/* One thing that happens, or the next one's time is later than `until`: false. */
bool mini_step(MiniWorld *world, PealTime until);
/* Calls once, that much later; or with run false when the world ends before. */
typedef void (*MiniCall)(void *user, bool run);
void mini_later(MiniWorld *world, PealSpan span, MiniCall call, void *user);
/* Runs until the outcome of `token` is in, `limit` at most; NULL when it is not. */
const MiniOutcome *mini_await(MiniWorld *world, uint64_t token, PealSpan limit);

/* `count` peers, started 200 ms apart, and time to settle. */
MiniWorld *mini_ring(uint64_t seed, uint32_t count);
/* The live joined peers form one cycle of first successors and first predecessors. */
bool mini_is_one_ring(const MiniWorld *world);
/* The live joined peer that owns an id. */
MiniPeer *mini_owner(MiniWorld *world, const PealId *id);
/* Hands raw bytes to a peer as if they came over a flow. */
void mini_inject(MiniPeer *mini, PealFlow flow, const uint8_t *bytes, size_t len);
/* The flow from one peer to another, index UINT16_MAX when there is none. */
PealFlow mini_flow(const MiniPeer *from, uint32_t to);

#endif
