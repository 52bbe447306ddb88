/*
 * peer.h - one peer of a P2P-SIP overlay: what the world hands it and what the world may ask of it.
 * Source: RFC 6940, RFC 7904.
 * State:  one block of peal_peer_size() bytes plus small arrays from the environment.
 * Time:   every function is one dispatch; none blocks and none is called from inside an environment
 *         operation.
 */
#ifndef PEAL_PEER_H
#define PEAL_PEER_H

#include <peal/defence.h>
#include <peal/env.h>

typedef struct PealPeer PealPeer;

typedef enum PealTopology {
    PEAL_TOPOLOGY_CHORD,
    PEAL_TOPOLOGY_CENTRAL /* one peer, the founder, serves all others */
} PealTopology;
typedef enum PealCrypto {
    PEAL_CRYPTO_NONE,
    PEAL_CRYPTO_MODELLED_P256,
    PEAL_CRYPTO_MODELLED_RSA2048
} PealCrypto;
typedef enum PealMaintenance {
    PEAL_MAINTENANCE_ON,
    PEAL_MAINTENANCE_OFF,
    PEAL_MAINTENANCE_STABILISE
} PealMaintenance;
typedef enum PealUpdateTo { PEAL_UPDATE_NEIGHBOURS, PEAL_UPDATE_IMMEDIATE } PealUpdateTo;
/* Intervals between rounds: all the same, uniform between half and three halves of it, or
 * exponential with that mean. */
typedef enum PealSpread {
    PEAL_SPREAD_NONE,
    PEAL_SPREAD_UNIFORM,
    PEAL_SPREAD_EXPONENTIAL
} PealSpread;
typedef enum PealFingerChoice { PEAL_FINGER_RANDOM, PEAL_FINGER_EXACT } PealFingerChoice;
typedef enum PealModel { PEAL_MODEL_SINGLE, PEAL_MODEL_ARRAY, PEAL_MODEL_DICTIONARY } PealModel;
typedef enum PealAccess {
    PEAL_ACCESS_USER_MATCH,
    PEAL_ACCESS_NODE_MATCH,
    PEAL_ACCESS_USER_NODE_MATCH,
    PEAL_ACCESS_NODE_MULTIPLE,
    PEAL_ACCESS_ANY,
    /* As USER-NODE-MATCH, at H(H(user) || i) for an i of 1..node_multiple in place of H(user). */
    PEAL_ACCESS_USER_NODE_MULTIPLE
} PealAccess;

enum {
    PEAL_KIND_SIP_REGISTRATION = 1,
    PEAL_NEIGHBOURS_MAX = 32, /* successors, and as many predecessors */
    PEAL_FINGERS_MAX = 128,
    PEAL_AOR_MAX = 255
};

/* A registration's further copies (storage/copies.h), in the range for private use. */
#define PEAL_KIND_SIP_REGISTRATION_COPY UINT32_C(0xf0534950)

/* A Kind's definition (RFC 6940 s.7.4.5). */
typedef struct PealKind {
    uint32_t id;
    PealModel model;
    PealAccess access;
    uint32_t count_max;    /* values under one Resource-ID */
    uint32_t size_max;     /* bytes of one value */
    uint8_t node_multiple; /* PEAL_ACCESS_NODE_MULTIPLE: the largest i of H(Node-ID || i); of
                              USER_NODE_MULTIPLE likewise */
} PealKind;

/*
 * An overlay's configuration: the same for all its peers, shared and never changed while a peer
 * runs. peal_overlay_defaults fills in every field; the ranges are the scenario keys'.
 */
typedef struct PealOverlay {
    uint32_t hash; /* low 32 bits of SHA-1(name) */
    uint16_t config_sequence;
    uint8_t initial_ttl; /* 1..100 */
    PealTopology topology;
    PealCrypto crypto;
    PealTransport link;
    bool link_acks; /* stream links: judge them by application acks */
    bool stop_and_wait;
    uint32_t message_max;  /* max-message-size, bytes */
    uint32_t datagram_max; /* bytes of a UDP datagram before fragmentation */
    /* Chord */
    uint16_t successors;   /* 1..PEAL_NEIGHBOURS_MAX */
    uint16_t predecessors; /* 0..PEAL_NEIGHBOURS_MAX */
    uint16_t fingers;      /* 0..PEAL_FINGERS_MAX */
    uint16_t replicas;     /* 0..successors */
    PealFingerChoice finger_choice;
    PealMaintenance maintenance;
    PealUpdateTo update_to;
    bool reactive;
    PealSpan update_interval;
    PealSpread update_spread; /* of the intervals between Updates */
    /* STABILISE: parts per million of the rounds that go to the successor, the others to a finger
     * drawn at random; 0: each round goes to the successor and to the next finger. */
    uint32_t stabilise_share_ppm;
    PealSpan finger_interval;
    PealSpan partition_interval; /* between looks for a partition through a bootstrap peer */
    PealSpan hold_down;          /* before new replicas for a replaced successor */
    /* Links */
    PealSpan link_rto;     /* first retransmission timer, 500 ms */
    PealSpan link_rto_min; /* floor of the estimated one, 100 ms */
    uint16_t link_sends;   /* transmissions of one message, 5 */
    /* Requests, end to end */
    PealSpan request_timeout;  /* 3 s */
    PealSpan request_lifetime; /* 15 s */
    uint16_t request_sends;    /* 5 */
    /* Storage */
    uint32_t resources_max; /* Resource-IDs one peer stores for others */
    const PealKind *kinds;
    uint32_t kinds_len;
    PealDefence defence;
} PealOverlay;

/* peal_overlay_copies is how many copies of a registration the SIP usage places by hashing, beside
 * the one at the Resource-ID of its AOR; peal_overlay_successor_copies how many copies of a value
 * its owner keeps on its successors. */
static inline unsigned peal_overlay_copies(const PealOverlay *overlay)
{
    return overlay->defence.placement == PEAL_PLACEMENT_SUCCESSORS ||
                   overlay->topology != PEAL_TOPOLOGY_CHORD
               ? 0
               : overlay->replicas;
}
static inline unsigned peal_overlay_successor_copies(const PealOverlay *overlay)
{
    return overlay->defence.placement == PEAL_PLACEMENT_HASHED ? 0 : overlay->replicas;
}

void peal_overlay_defaults(PealOverlay *ret_overlay);

/* peal_overlay_hash is RFC 6940 s.6.3.2's checksum of the overlay's name. */
uint32_t peal_overlay_hash(const PealCryptoOps *crypto, PealStr name);

/* peal_overlay_check: 0, or -PEAL_E_ARG with the name of the first field out of its range. */
int peal_overlay_check(const PealOverlay *overlay, const char **ret_field) PEAL_MUST_USE;

/* Bytes of the block that peal_peer_init wants, a multiple of 64. */
size_t peal_peer_size(void);

/*
 * peal_peer_init makes a peer, not started, in the caller's memory.
 * memory   peal_peer_size() zeroed bytes, aligned to 64
 * env, overlay  borrowed for the peer's life
 */
PealPeer *peal_peer_init(void *memory, PealEnv *env, const PealOverlay *overlay, const PealId *id);

/* peal_peer_fini releases everything, at once and without a word to anybody: a crash. */
void peal_peer_fini(PealPeer *peer);

/*
 * peal_peer_start joins the overlay through the first bootstrap peer that answers, with back-off,
 * for ever.
 * bootstrap  copied; with none the peer founds the overlay
 * Returns 0, -PEAL_E_ARG (more than 8), -PEAL_E_MEMORY or -PEAL_E_STATE (already started).
 */
int peal_peer_start(PealPeer *peer, const PealTarget *bootstrap,
                    size_t bootstrap_len) PEAL_MUST_USE;

/*
 * peal_peer_start_first is peal_peer_start for the peer that founds the overlay where there is
 * none: when no peer of it has been heard of within PEAL_FOUND_AFTER, or at once without
 * bootstrap. It goes on alone when it has lost all others, and goes on looking for them.
 */
#define PEAL_FOUND_AFTER peal_seconds(5)
int peal_peer_start_first(PealPeer *peer, const PealTarget *bootstrap,
                          size_t bootstrap_len) PEAL_MUST_USE;

/* peal_peer_bootstrap gives a peer that is to be converged, not started, its bootstrap peers: for
 * partitions to heal. To be called before peal_peer_converge. Returns 0, -PEAL_E_ARG (more than 8)
 * or -PEAL_E_MEMORY. */
int peal_peer_bootstrap(PealPeer *peer, const PealTarget *bootstrap,
                        size_t bootstrap_len) PEAL_MUST_USE;

/* peal_peer_leave says Leave to every neighbour; `done` gets token once, from a later dispatch,
 * when all have answered or request_timeout is over. Then fini. Returns 0 or -PEAL_E_STATE (not
 * joined). */
int peal_peer_leave(PealPeer *peer, uint64_t token) PEAL_MUST_USE;

/* What the world tells the peer. */
void peal_peer_on_wake(PealPeer *peer);
/* identity: the other side's Node-ID where the link authenticates it (TLS), else NULL.
 * opened: this peer asked for the flow. */
void peal_peer_on_flow_up(PealPeer *peer, PealFlow flow, bool opened, const PealId *identity);
void peal_peer_on_flow_down(PealPeer *peer, PealFlow flow);
/* Takes buf. On UDP one whole datagram; on TCP any piece of the stream. */
void peal_peer_on_bytes_take(PealPeer *peer, PealFlow flow, PealBuf *buf);

/*
 * The adapter between phones and the overlay: registrar and proxy of the SIP domains that the
 * overlay serves. A peer without it serves no phone, and costs nothing for it.
 */
typedef struct PealSipConfig {
    const PealStr *domains; /* of the AORs that the overlay serves, lower case; borrowed */
    uint32_t domains_len;
    bool users;        /* there are users with passwords: REGISTER and calls are challenged */
    bool record_route; /* stay in the way of a dialog, yes unless phones can reach each other */
    uint8_t algorithms_len; /* 1..2 */
    uint8_t algorithms[2];  /* PealHash: MD5 and SHA256, in the order of the challenges */
    uint32_t min_expires_s; /* of a binding, 423 below it */
    uint32_t default_expires_s;
    uint32_t max_expires_s; /* longer ones are shortened */
    uint32_t aors_max;      /* registered here at a time */
    uint32_t contacts_max;  /* of one AOR here */
    uint32_t transactions_max;
    uint32_t targets_max; /* one request forks to at most so many, 1..32 */
    PealSpan nonce_lifetime;
    PealSpan t1; /* RFC 3261 s.17.1.1.1 */
    PealSpan t2;
    PealSpan t4;
    PealSpan timer_b;   /* also F and H; 64 t1 */
    PealSpan timer_c;   /* over 3 min */
    PealSpan fork_wait; /* serial forking: for one group of equal q, before the next is tried */
} PealSipConfig;

void peal_sip_defaults(PealSipConfig *ret_config);

/* peal_sip_check: 0, or -PEAL_E_ARG with the name of the first field out of its range. */
int peal_sip_check(const PealSipConfig *config, const char **ret_field) PEAL_MUST_USE;

/*
 * peal_peer_sip makes the peer an adapter; before peal_peer_start.
 * config    borrowed for the peer's life; its `users` may change meanwhile
 * bindings  what the environment was given to persist in PEAL_SLOT_BINDINGS, or empty; bindings
 *           that have not expired are taken up again, and their AORs stored once the peer has
 *           joined
 * Returns 0, -PEAL_E_MEMORY, or -PEAL_E_STATE (it is one already, or was started).
 */
int peal_peer_sip(PealPeer *peer, const PealSipConfig *config, PealBytes bindings) PEAL_MUST_USE;

/* peal_peer_bindings_whole says whether persisted bindings are of this version and undamaged, all
 * of them; nothing is whole. Before peal_peer_sip or after. */
bool peal_peer_bindings_whole(PealPeer *peer, PealBytes bindings);

/* peal_peer_on_sip_take takes buf: on UDP one datagram, on TCP any piece of the stream of
 * from->conn. A peer that is no adapter drops it. */
void peal_peer_on_sip_take(PealPeer *peer, const PealHop *from, PealBuf *buf);

/*
 * peal_peer_on_sip_end: a TCP connection ended or could not be made, or a host refuses datagrams.
 * hop      as given to sip_send_take, or as it came with on_sip_take; conn 0: it was never made
 * error    0: closed by the other side; -PEAL_E_UNREACHABLE, -PEAL_E_REFUSED, -PEAL_E_TIMEOUT,
 *          -PEAL_E_FULL (no descriptor or memory)
 */
void peal_peer_on_sip_end(PealPeer *peer, const PealHop *hop, int error);

/*
 * What to do with bytes before any work goes into them. A world asks when they arrive and does as
 * told: SERVE hands them to the peer, in their turn; REFUSE and DROP do not, and what was to be
 * said to the sender has been said. Both are cheap: no more than a look at the first lines and, to
 * refuse, one answer without memory.
 */
typedef enum PealAdmit { PEAL_ADMIT_SERVE, PEAL_ADMIT_REFUSE, PEAL_ADMIT_DROP } PealAdmit;

/* peal_defence_admits: whether a peer of this overlay ever says anything but SERVE. */
static inline bool peal_defence_admits(const PealOverlay *overlay)
{
    return overlay->defence.source_rate_milli > 0 || overlay->defence.overload_wait.ns > 0;
}

/*
 * peal_peer_admit judges a RELOAD datagram or piece of a stream, peal_peer_sip_admit one of SIP.
 * A piece of a stream is served: peal_peer_on_bytes_take and peal_peer_on_sip_take judge its
 * messages when they have found them, by the wait named last.
 * wait  how long the bytes have waited, or will have to, until the peer gets to them
 */
PealAdmit peal_peer_admit(PealPeer *peer, PealFlow flow, const uint8_t *bytes, size_t len,
                          PealSpan wait) PEAL_MUST_USE;
PealAdmit peal_peer_sip_admit(PealPeer *peer, const PealHop *from, const uint8_t *bytes, size_t len,
                              PealSpan wait) PEAL_MUST_USE;

/* What came of it so far. */
typedef struct PealGateStatus {
    uint64_t refused;        /* answered with a 503 */
    uint64_t dropped;        /* without a word */
    uint64_t dropped_frames; /* of them, RELOAD's */
    uint32_t sources;        /* that have used tokens of late, or are known */
    uint32_t known;
    uint8_t reduction; /* percent of their requests that SIP neighbours are asked to keep back */
} PealGateStatus;
void peal_peer_gate_status(const PealPeer *peer, PealGateStatus *ret_status);

/* peal_peer_on_answer brings the answer to an env->ask; answer is borrowed for the call. */
void peal_peer_on_answer(PealPeer *peer, const PealAnswer *answer);

/*
 * peal_peer_bind binds a contact to an AOR without a phone, as an operator wishes; `done` answers
 * the Store that this causes.
 * aor        sip: URI, 1..PEAL_AOR_MAX bytes, of one of the adapter's domains; borrowed
 * contact    the URI that calls for it go to; borrowed
 * expires_s  its lifetime; 0 removes it
 * Returns 0, -PEAL_E_STATE (no adapter, or not joined), -PEAL_E_ARG, -PEAL_E_NOT_FOUND (nothing to
 * remove), -PEAL_E_FULL or -PEAL_E_MEMORY; then `done` is not called.
 */
int peal_peer_bind(PealPeer *peer, PealStr aor, PealStr contact, uint32_t expires_s,
                   uint64_t token) PEAL_MUST_USE;

/* What an adapter holds, for status pages. */
typedef struct PealSipStatus {
    uint32_t aors; /* registered here */
    uint32_t bindings;
    uint32_t transactions;
    uint32_t calls;     /* INVITE transactions without a final answer */
    uint32_t adapters;  /* other adapters known by AppAttach */
    uint64_t requests;  /* received, retransmissions not counted */
    uint64_t malformed; /* messages refused or dropped for their form */
} PealSipStatus;
void peal_peer_sip_status(const PealPeer *peer, PealSipStatus *ret_status);

/* A contact that is registered here; texts are borrowed for the visit. */
typedef struct PealSipBinding {
    PealId resource; /* of its AOR */
    PealStr contact; /* URI */
    PealHop from;    /* where its REGISTER came from; family 0: an operator's */
    uint32_t expires_s;
} PealSipBinding;

/* peal_peer_each_binding visits the live contacts, in no order, until visit returns false. */
void peal_peer_each_binding(PealPeer *peer,
                            bool (*visit)(void *user, const PealSipBinding *binding), void *user);

/*
 * For worlds with so many peers that memory is the limit: what the peer will touch when these bytes
 * arrive can be asked for ahead of time. Neither changes anything, and a wrong guess costs only
 * time. Both want the peer's block and the bytes in the cache already; peal_peer_foresee wants what
 * peal_peer_prefetch asked for. peal_peer_foresee returns the index of the flow by which the
 * message will probably leave, or UINT16_MAX.
 */
#define PEAL_PEER_HOT 256 /* first bytes of the block that such a message touches */
void peal_peer_prefetch(const PealPeer *peer, PealFlow flow);
uint16_t peal_peer_foresee(const PealPeer *peer, const uint8_t *bytes, size_t len);

/* Local requests: each ends in exactly one `done(token)`, never from inside the call. All return 0
 * or -PEAL_E_STATE (not joined), -PEAL_E_FULL (too many outstanding), -PEAL_E_ARG; then `done` is
 * not called. */

/* peal_peer_fetch asks for all values of a Kind at a Resource-ID. */
int peal_peer_fetch(PealPeer *peer, const PealId *resource, uint32_t kind,
                    uint64_t token) PEAL_MUST_USE;

/* One value to store; exists = false removes. */
typedef struct PealStoreItem {
    PealId resource;
    uint32_t kind;
    uint32_t index;      /* arrays; 0xffffffff appends */
    PealBytes key;       /* dictionaries */
    PealBytes value;     /* borrowed for the call */
    uint64_t generation; /* expected counter, 0 for any */
    uint32_t lifetime_s;
    bool exists;
} PealStoreItem;
int peal_peer_store(PealPeer *peer, const PealStoreItem *item, uint64_t token) PEAL_MUST_USE;

/*
 * peal_peer_register keeps the AOR's registration, this peer being its adapter: stored now, and
 * again at 0.9 of its lifetime until peal_peer_unregister. `done` answers the first Store of each
 * call.
 * aor      sip: URI, 1..PEAL_AOR_MAX bytes, borrowed; expires_s > 0
 */
int peal_peer_register(PealPeer *peer, PealStr aor, uint32_t expires_s,
                       uint64_t token) PEAL_MUST_USE;
int peal_peer_unregister(PealPeer *peer, PealStr aor, uint64_t token) PEAL_MUST_USE;

/* peal_aor_resource is the Resource-ID of a sip: or sips: AOR: SHA-1 of user@domain without scheme,
 * unescaped, cut to 128 bits (RFC 7904 s.7). Returns 0 or -PEAL_E_VALUE for what is no AOR. */
int peal_aor_resource(const PealCryptoOps *crypto, PealStr aor, PealId *ret_resource) PEAL_MUST_USE;

/* peal_copy_resource is where copy i of what belongs to a Resource-ID lies: SHA-1 of that and of i
 * as one octet, cut to 128 bits; the Resource-ID itself for i = 0. */
PealId peal_copy_resource(const PealCryptoOps *crypto, const PealId *resource, unsigned i);

/* peal_peer_ping asks a Node-ID, or the owner of an id, for a sign of life. */
int peal_peer_ping(PealPeer *peer, const PealId *to, bool resource, uint64_t token) PEAL_MUST_USE;

/*
 * Setting a converged overlay up without messages. The world owns the truth about who exists; each
 * peer says whom it wants, and the world makes the flows and tells both ends.
 */
typedef struct PealRingView PealRingView;
struct PealRingView {
    /* Members in clockwise order, in 0..members_len-1; self_rank is this peer's place, first_rank
     * that of the peer which founded the overlay. */
    uint32_t members_len;
    uint32_t self_rank;
    uint32_t first_rank;
    void *user;
    PealId (*member)(const PealRingView *view, uint32_t rank);
    /* Rank of the first member at or after the id: its owner. */
    uint32_t (*owner)(const PealRingView *view, const PealId *id);
    /* Makes sure that this peer and the member share an open, identified flow (peal_peer_adopt at
     * both ends); false when one of them has no flow left. */
    bool (*link)(PealRingView *view, uint32_t rank);
};
/* peal_peer_adopt takes a flow as up, identified and ready, without a word. */
void peal_peer_adopt(PealPeer *peer, PealFlow flow, const PealId *identity);
/* peal_peer_converge fills the tables as after perfect stabilisation, asking view->link for each
 * entry, and counts the peer as joined. */
void peal_peer_converge(PealPeer *peer, PealRingView *view);

/* peal_peer_renew has a joined peer look for all its fingers anew, as a joiner does, for tables
 * like those of peal_peer_converge: what it found while the ring grew is not what it would find
 * now. Returns 0 or -PEAL_E_STATE; it has ended when peal_peer_attaching says 0. */
int peal_peer_renew(PealPeer *peer) PEAL_MUST_USE;

/* For checkers, pages and people; no protocol decision reads them. */
typedef enum PealPeerState {
    PEAL_PEER_IDLE,
    PEAL_PEER_JOINING,
    PEAL_PEER_JOINED,
    PEAL_PEER_LEFT
} PealPeerState;
PealPeerState peal_peer_state(const PealPeer *peer);
const PealId *peal_peer_id(const PealPeer *peer);
/* Entry 0 is the nearest. Returns how many were written, at most max. */
size_t peal_peer_successors(const PealPeer *peer, PealId *ret_ids, size_t max);
size_t peal_peer_predecessors(const PealPeer *peer, PealId *ret_ids, size_t max);
size_t peal_peer_fingers(const PealPeer *peer, PealId *ret_ids, size_t max);
size_t peal_peer_links(const PealPeer *peer);
size_t peal_peer_attaching(const PealPeer *peer); /* links that are asked for */
bool peal_peer_responsible(const PealPeer *peer, const PealId *resource);
/* Live (unexpired, existing) values of a Kind at a Resource-ID here. */
size_t peal_peer_stored(const PealPeer *peer, const PealId *resource, uint32_t kind);
/* Calls visit for every Resource-ID with a live value here. */
void peal_peer_each_resource(const PealPeer *peer,
                             void (*visit)(void *user, const PealId *resource, uint32_t kind),
                             void *user);

/* peal_frame_message tells the world's processor model and counters what a frame is, without
 * decoding it all: the RELOAD message code, 0 for a link ack or what is no whole message. Works on
 * a datagram or the start of a stream segment that begins with a frame. */
typedef struct PealFrameInfo {
    bool data;      /* a data frame that carries a RELOAD message, else an ack */
    uint16_t code;  /* message code, 0 when fragmented past it */
    uint32_t bytes; /* of the whole frame */
    uint64_t transaction;
} PealFrameInfo;
int peal_frame_info(const uint8_t *data, size_t len, PealFrameInfo *ret_info) PEAL_MUST_USE;

#endif
