/*
 * chord.h - CHORD-RELOAD: a ring of successors and predecessors, and fingers across it.
 * Source: RFC 6940 s.10.
 * State:  one Chord per peer; its neighbours are the nearest ready links of the index on either
 *         side, so that only their fingerprint is kept; 2 bytes a finger.
 * Time:   Updates every update_interval, fingers looked after every finger_interval, a look for
 *         other partitions every partition_interval, all offset by a draw; a change of neighbours
 *         is told after CHORD_SETTLE.
 */
#ifndef OVERLAY_CHORD_H
#define OVERLAY_CHORD_H

#include "overlay/topology.h"
#include "reload/codec.h"

/* Changes that come together are told together. */
#define CHORD_SETTLE peal_ms(20)

typedef enum ChordPhase {
    CHORD_IDLE,      /* not started */
    CHORD_SEEKING,   /* looking for a bootstrap peer */
    CHORD_FINDING,   /* Attach to Resource n+1 is under way; then waiting for that peer's Update */
    CHORD_GATHERING, /* Attaches to the neighbours-to-be are under way */
    CHORD_ASKING,    /* Join is sent, or answered; waiting to be named predecessor */
    CHORD_JOINED,
    CHORD_LEAVING
} ChordPhase;

typedef enum ChordPurpose {
    CHORD_FOR_ADMISSION,
    CHORD_FOR_NEIGHBOUR,
    CHORD_FOR_MERGE,
    CHORD_FOR_FINGER /* + i, the finger's number */
} ChordPurpose;

typedef struct ChordTomb ChordTomb;

typedef struct Chord {
    PealIdHalves span;   /* from the predecessor to this peer; all zero when it is alone */
    uint16_t *fingers;   /* link of finger i at [i - 1], LINK_NONE when it is invalid */
    ChordTomb *tombs;    /* peers that failed lately */
    uint64_t neighbours; /* fingerprint of successors and predecessors in order */
    PealTime deadline;
    PealTime update_at;
    PealTime finger_at;
    PealTime partition_at;
    PealTime settle_at; /* a change of neighbours is to be told */
    PealTime join_at;   /* the phase's patience ends */
    union {
        PealId admitting;     /* while joining */
        uint64_t leave_token; /* while leaving */
    };
    uint32_t tombs_cap;
    uint16_t tombs_len;
    uint16_t fingers_len;
    uint16_t leaves;         /* Leave requests that are unanswered */
    uint8_t phase;           /* ChordPhase */
    uint8_t next_stabilised; /* STABILISE: the finger whose turn it is */
    bool range_changed;      /* since the last Updates: all links are to be told */
} Chord;

extern const TopologyOps CHORD_OPS;

/* chord.c: tables and routes. */

/* The ready links of the index, clockwise from this peer: entry `i` from the front (successors) or
 * from the back (predecessors); LINK_NONE past the end. */
uint16_t chord_ready(const PealPeer *peer, size_t i, bool successors);

/* How many of them are kept on a side: one predecessor at least, by which the range is known,
 * though with overlay.predecessors = 0 it is not routed through. chord_put_side writes their ids,
 * the nearest first. */
unsigned chord_side_max(const PealPeer *peer, bool successors);
void chord_put_side(const PealPeer *peer, Writer *writer, bool successors);

/* chord_refresh works out neighbours and range anew after links changed, and says what that means
 * to the others.
 * lost  somebody failed */
void chord_refresh(PealPeer *peer, bool lost);

bool chord_wants_neighbour(const PealPeer *peer, const PealId *id);
/* chord_would_neighbour: would a peer that is not ready yet be a neighbour if it were? */
bool chord_would_neighbour(const PealPeer *peer, const PealId *id);
PealId chord_finger_point(PealPeer *peer, unsigned i);
/* Puts a link into the finger table. */
void chord_set_finger(PealPeer *peer, unsigned i, uint16_t link);
void chord_watch(PealPeer *peer, PealTime at);

/* chord_join.c: joining and leaving. */

void chord_rejoin(PealPeer *peer);
void chord_on_bootstrap(PealPeer *peer, uint16_t link);
void chord_leave(PealPeer *peer, uint64_t token);
void chord_on_join(PealPeer *peer, const Inbound *request);
void chord_on_leave(PealPeer *peer, const Inbound *request);
/* An Update from the admitting peer while joining. `named`: it lists this peer as a predecessor. */
void chord_join_on_update(PealPeer *peer, const PealId *from, bool named);
void chord_join_on_attached(PealPeer *peer, uint16_t purpose, const PealId *id, bool linked);
void chord_join_on_wake(PealPeer *peer, PealTime now);
void chord_joined(PealPeer *peer);

/* chord_maintain.c: Updates, fingers, failures, partitions. */

/* type is CHORD_UPDATE_*. */
void chord_send_update(PealPeer *peer, uint16_t slot, uint8_t type);
/* chord_ask_update has the other side of a link say what it knows, by an Update. */
void chord_ask_update(PealPeer *peer, uint16_t slot);
/* To all neighbours, or, when this peer's range changed, to all links. */
void chord_tell(PealPeer *peer);
void chord_on_update(PealPeer *peer, const Inbound *request);
void chord_on_route_query(PealPeer *peer, const Inbound *request);
/* chord_learn hears from `teller` that a peer exists, and links to it if it should be a
 * neighbour. */
void chord_learn(PealPeer *peer, const PealId *id, const PealId *teller);
void chord_learn_all(PealPeer *peer, PealBytes ids, const PealId *teller);
void chord_bury(PealPeer *peer, const PealId *id);
bool chord_buried(const PealPeer *peer, const PealId *id);
void chord_seek_finger(PealPeer *peer, unsigned i);
void chord_seek_fingers(PealPeer *peer);
/* Periodic work goes on from chord_joined until the peer leaves or has to join again. */
void chord_start_timers(PealPeer *peer);
void chord_stop_timers(PealPeer *peer);
void chord_maintain_on_wake(PealPeer *peer, PealTime now);
/* The bootstrap link leads, perhaps, into another partition (s.10.7.4.4). */
void chord_probe_partition(PealPeer *peer, uint16_t link);

/* chord_ping asks the other side of a link for a sign of life, for the link to act upon silence. */
void chord_ping(PealPeer *peer, uint16_t link);

#endif
