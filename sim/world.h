/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * world.h - the simulated world: one replication of one point of a scenario.
 * Source: none.
 * State:  one block a peer identity (128 bytes of the world's, then the peer itself), its flows,
 *         and what is under way.
 * Time:   discrete events in a total order; a run depends on the scenario and the seed alone.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include <analysis/pcap.h>
#include <analysis/recorder.h>
#include <peal/peer.h>
#include <scenarios/network.h>
#include <scenarios/oracle.h>
#include <scenarios/plan.h>
#include <scenarios/run.h>

#include "attack.h"
#include "flow.h"
#include "lookups.h"
#include "phones.h"
#include "processor.h"
#include "queue.h"
#include "reach.h"
#include "siphop.h"
#include "timers.h"
#include "watch.h"

enum {
    WORLD_PORT = 6084,        /* RELOAD's, at both ends of every flow */
    WORLD_SIP_PORT = 5060,    /* a peer's, as its adapter */
    WORLD_PHONE_PORT = 10000, /* of a peer's first user */
    WORLD_ACTIONS_AHEAD = 2,  /* of the plan, so that their peers' memory is fetched in time */
    WORLD_LOST_SECONDS = 64   /* a lost frame is remembered at least that long */
};

typedef struct World World;

/* What a token given to a peer stands for: kind in the top byte, number below. */
typedef enum TokenKind { TOKEN_LOOKUP = 1, TOKEN_REGISTER, TOKEN_LEAVE, TOKEN_ATTACK } TokenKind;

static inline uint64_t token_make(TokenKind kind, uint32_t number)
{
    return (uint64_t)kind << 56 | number;
}

/* The world's side of a peer; the peer's own block follows it. */
typedef struct SimPeer {
    PealEnv env;
    World *world;
    SimFlow *flows;
    PeerTimer timer;
    uint64_t fingerprint;
    uint32_t index;
    uint32_t sequence; /* of the next packet from here */
    /* --- second line */
    int64_t *arrivals; /* of the last bytes on each flow, where the network can reorder */
    uint32_t draws[PEAL_DRAW_CORE_COUNT + 1]; /* the last for PEAL_DRAW_SIP */
    uint32_t messages;                        /* delivered in the measured window, SIP too */
    uint32_t lookups;                         /* first one under way */
    uint32_t users_due; /* first user that waits for this peer to join, in world->users_due */
    uint32_t users;     /* that have registered here */
    uint16_t flows_cap;
    uint8_t up;          /* running */
    uint8_t joined;      /* in the oracle's ring */
    uint8_t leaving;     /* said so, not yet gone */
    uint8_t attacker;    /* or an attacker's host; its users are no honest ones */
    uint8_t seen;        /* it was up in the measured window */
    uint16_t life;       /* how often it was started */
    uint16_t generation; /* that its flows begin with */
} SimPeer;

_Static_assert(sizeof(SimPeer) <= 128, "two lines of the world's a peer");
enum { SIM_PEER_BLOCK = 128 };

/* A user whose registration waits until its peer has joined. */
typedef struct UserDue {
    uint32_t user;
    uint32_t next;
} UserDue;

/* What must wait until the dispatch that caused it is over. */
typedef struct Afterwards {
    uint32_t peer;
    bool joined; /* else it has said its leave */
} Afterwards;

typedef struct WorldCounts {
    uint64_t events;
    uint64_t abandoned; /* lookups whose asker died */
    uint64_t calls_abandoned;
    uint64_t honest_judged;  /* messages of no attacker that came to a peer's gate */
    uint64_t honest_blocked; /* of them, those that it kept out */
    uint64_t registered;
    uint64_t register_failed;
} WorldCounts;

/* WorldKeepOn is called now and then, at least ten times a second of wall time; false
 * interrupts. */
typedef bool (*WorldKeepOn)(void *user, PealTime now, uint64_t messages);

struct World {
    /* What every event touches. */
    PealTime now;
    uint8_t *peers;
    size_t stride;
    bool plain;    /* the network is delay only, and whole */
    bool watching; /* paths of lookups are wanted */
    Slab packets;
    RecorderTotals totals;
    WorldCounts counts;
    uint64_t seed;
    WorldKeepOn keep_on;
    void *keep_on_user;
    bool interrupted;
    bool gated;               /* what arrives goes by delivery_process */
    bool defended;            /* and peers judge it */
    uint32_t starting_lookup; /* whose Fetch is being started in this dispatch */
    Afterwards *afterwards;
    uint32_t afterwards_len;
    uint32_t afterwards_cap;

    PealEnvOps ops;
    const Scenario *scenario;
    PealOverlay overlay;
    uint32_t peers_len;
    size_t peers_bytes;
    uint32_t started; /* identities that were up at some time */
    Slab arrays;
    struct BigBlock *big; /* arrays beyond the slab's largest */
    Network *network;
    Plan *plan;
    PlanAction actions[WORLD_ACTIONS_AHEAD]; /* the next ones, from `action` on, round */
    uint32_t action;
    Recorder *recorder;
    PcapWriter *capture;
    SipHops sip_hops;
    Phones *phones;   /* NULL without calls */
    Attacks *attacks; /* NULL without attacks */
    uint8_t *kept;    /* a central server's bindings, as it persisted them last */
    size_t kept_len;
    Processor processor;
    Oracle oracle;
    Lookups lookups;
    Reach reach;
    UserDue *users_due; /* entry 0 is not used */
    uint32_t users_due_len;
    uint32_t users_due_cap;
    uint32_t users_due_free;
    GHashTable *refused_pairs; /* (peer, whom its neighbour check refused), as hashes */
    GHashTable *refused_peers; /* those who were, by anybody */
    GHashTable *lost[2]; /* first transmissions that were lost, this minute's and the last's */
    PealTime lost_since;
    Queue queue;
    Timers timers;
    Watch watch;
};

typedef struct WorldConfig {
    const Scenario *point;
    uint64_t seed;       /* of the replication */
    Recorder *recorder;  /* borrowed */
    PcapWriter *capture; /* borrowed, NULL for none */
    WorldKeepOn keep_on; /* NULL: nothing interrupts */
    void *user;
} WorldConfig;

/* world_new sets everything up, peers of a converged start included. NULL with a GError of
 * SCENARIO_ERROR. */
World *world_new(const WorldConfig *config, GError **error);
void world_free(World *world);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(World, world_free)

/* world_run runs to the scenario's end, and finishes the recorder. Returns false when it was
 * interrupted. */
bool world_run(World *world);

/* world_fingerprint is the sum of all peers'. */
uint64_t world_fingerprint(const World *world);

static inline SimPeer *world_peer(const World *world, uint32_t index)
{
    return (SimPeer *)(void *)(world->peers + index * world->stride);
}

/* Does peer 0 serve all others? */
static inline bool world_is_central(const World *world)
{
    return scenario_is_central(world->scenario);
}

static inline PealPeer *sim_peer_core(SimPeer *peer)
{
    return (PealPeer *)(void *)((uint8_t *)peer + SIM_PEER_BLOCK);
}

/* Inside the world. */

/* world_interrupted asks whether to keep on, and remembers. */
bool world_interrupted(World *world);

/* world_post puts a packet from `source` into the queue, with the source's next sequence. */
static inline void world_post(World *world, SimPeer *source, uint32_t dest, PealTime at,
                              Packet *packet)
{
    packet->source = source->index;
    packet->sequence = source->sequence++;
    queue_push(&world->queue, (Event){at.ns, dest, packet->ref});
}

/* environment.c */
PealEnvOps environment_ops(void);
void environment_free_big(World *world);
/* What a peer that starts has kept of its phones' registrations; borrowed, maybe empty. */
PealBytes environment_kept(const World *world, const SimPeer *peer);
/* As a peer's alloc and release. */
void *environment_alloc(World *world, size_t size);
void environment_release(World *world, void *ptr, size_t size);

/* lifecycle.c: peers come and go. */
PealAddr world_addr(uint32_t peer);
bool world_addr_peer(const World *world, const PealAddr *addr, uint32_t *ret_peer);
bool world_addr_host(const World *world, const PealAddr *addr, uint32_t *ret_peer); /* any port */
PealId world_node_id(const World *world, uint32_t index);
void world_converge(World *world);
void world_start_peer(World *world, uint32_t index, uint32_t others);
/* As world_start_peer, by way of one peer; and: made, but not started. */
void world_start_peer_at(World *world, uint32_t index, uint32_t bootstrap);
void world_make_peer(World *world, uint32_t index);
/* world_return_peer starts a peer that was up before, and its users with it; not one that is up. */
void world_return_peer(World *world, uint32_t index, uint32_t others);
void world_stop_peer(World *world, uint32_t index, bool graceful);
void world_leave_peer(World *world, uint32_t index);
void world_peer_joined(World *world, uint32_t index);
void world_after_dispatch(World *world);

/* workload.c: what users do, and what becomes of it. */
void workload_register(World *world, uint32_t index, uint32_t user);
/* workload_renew has a user's phone do what a recorded REGISTER did, unless its peer is away: then
 * it registers when that is back, as all users do. */
void workload_renew(World *world, const PlanAction *action);
void workload_joined(World *world, SimPeer *peer);
void workload_lookup(World *world, const PlanAction *action);
void workload_trace(World *world, SimPeer *peer, const PealTrace *record);
void workload_done(World *world, SimPeer *peer, uint64_t token, const PealOutcome *outcome);
void workload_stop(World *world, SimPeer *peer);
bool workload_value_lives(const World *world, const PealId *key);

/* events.c: what the scenario does to the overlay. */
void events_run(World *world, const PlanAction *action);

/* delivery.c: packets that have arrived, and how they count. */
void delivery_arrive(World *world, SimPeer *peer, Packet *packet);
void delivery_lost(World *world, const Packet *packet);
/* delivery_process lets the peer's gate judge a packet, and its processor take it. Returns false
 * when it waits for that, or was turned away. */
bool delivery_process(World *world, SimPeer *peer, Packet *packet);

#endif
