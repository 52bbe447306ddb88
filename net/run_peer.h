/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_peer.h - one peer of a scenario on sockets: a process, and the connection to it.
 * Source: none.
 * State:  one per identity. Whatever happens to this process, its nodes end with it.
 * Time:   the loop's.
 */
#ifndef RUN_PEER_H
#define RUN_PEER_H

#include <analysis/recorder.h>
#include <peal/peer.h>

#include "run_link.h"

typedef struct RunPeer RunPeer;

/* What all peers of a run share. */
typedef struct RunPeers {
    Loop *loop;
    const char *dir; /* theirs: peer-K.conf, .log, .out and .sock */
    void (*on_connected)(void *user, RunPeer *peer);
    /* A report has come; borrowed for the call. */
    void (*on_report)(void *user, RunPeer *peer, const json_t *report);
    /* The process has ended; expected: it was told to. The peer is down already. */
    void (*on_gone)(void *user, RunPeer *peer, bool expected);
    void *user;
} RunPeers;

/* A node's neighbours on one side, the nearest first. */
typedef struct RunSide {
    uint32_t len;
    PealId ids[PEAL_NEIGHBOURS_MAX];
} RunSide;

typedef enum RunPeerEnd { RUN_PEER_STAYS, RUN_PEER_LEAVES, RUN_PEER_FAILS } RunPeerEnd;

struct RunPeer {
    const RunPeers *all;
    uint32_t index;
    GPid pid; /* 0: down */
    GSource *watch;
    RunLink *link; /* NULL: not yet */
    LoopTimer connect;
    bool joined;
    bool seen;       /* it was up in the measured window, or since the run began */
    bool asked;      /* for a report that has not come */
    RunPeerEnd ends; /* it is about to */
    bool restarts;   /* and starts again */
    PealTime asked_at;
    PealTime known;             /* what it did before this instant has been reported */
    GArray *users;              /* uint32_t: that have registered here, or wait for it to join */
    guint registered;           /* of those, handed to the node */
    uint64_t stored;            /* of those, told by the node that they are */
    RecorderTotals totals;      /* of this life, from time 0 on, as last reported */
    uint64_t load;              /* messages that came in from time 0 on, of all lives */
    uint64_t load_before;       /* of earlier lives */
    uint64_t load_warmup;       /* by the end of the warm-up */
    RecorderTotals totals_base; /* of this life, before time 0 */
    uint64_t load_base;         /* likewise */
    bool renewed;               /* its fingers, as it was asked to */
    RunSide successors;         /* as last reported */
    RunSide predecessors;
};

void run_peer_init(RunPeer *peer, const RunPeers *all, uint32_t index);
/* run_peer_fini kills the process and waits for its end. */
void run_peer_fini(RunPeer *peer);

/* run_peer_path is a file of the peer's in its directory, by its suffix. Text to g_free. */
char *run_peer_path(const RunPeer *peer, const char *suffix);

/* run_peer_start starts the process with peer-K.conf. */
bool run_peer_start(RunPeer *peer, GError **error);

static inline bool run_peer_is_up(const RunPeer *peer)
{
    return peer->pid != 0;
}

/* Up, joined and to stay. */
static inline bool run_peer_works(const RunPeer *peer)
{
    return peer->pid != 0 && peer->joined && peer->ends == RUN_PEER_STAYS && peer->link != NULL;
}

/* run_peer_ask asks for a report unless one is on its way. */
void run_peer_ask(RunPeer *peer);
void run_peer_fetch(RunPeer *peer, uint32_t number, const PealId *key);
void run_peer_register(RunPeer *peer, PealStr aor, uint32_t expires_s);

/* run_peer_renew has it look for its fingers anew. */
void run_peer_renew(RunPeer *peer);

/* run_peer_begin has what it counts begin now. */
void run_peer_begin(RunPeer *peer);

/* run_peer_partition cuts its share off for an event, or heals the network where ppm is 0. */
void run_peer_partition(RunPeer *peer, uint32_t ppm, uint32_t event);

/* run_peer_end has it leave the overlay, or fail without a word, once it has reported. */
void run_peer_end(RunPeer *peer, RunPeerEnd how);

/* run_peer_said is the last line that the process wrote besides its log, or of its log. Text to
 * g_free. */
char *run_peer_said(const RunPeer *peer);

/* The largest resident memory that it had, in bytes. */
uint64_t run_peer_peak_bytes(const RunPeer *peer);

#endif
