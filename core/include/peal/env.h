/*
 * env.h - the environment: a peer's only door to the world. One per peer, handed in, never global.
 * Source: none.   State: the world's.
 * Time:   `now` is monotonic and does not change during one dispatch.
 *
 * A dispatch is one call of a peal_peer_on_* or peal_peer_* function. Operations never call back
 * into the peer: what they cause arrives in a later dispatch.
 */
#ifndef PEAL_ENV_H
#define PEAL_ENV_H

#include <peal/id.h>
#include <peal/random.h>
#include <peal/trace.h>

typedef struct PealEnv PealEnv;

/*
 * A flow: a UDP 5-tuple or a TCP connection to one other host. The world keeps a peer's indices
 * small and dense (the lowest free one is given out), so that the peer may index an array by it;
 * the generation changes at each reuse of an index.
 */
typedef struct PealFlow {
    uint16_t index;
    uint16_t generation;
} PealFlow;

#define PEAL_FLOWS_MAX 61440 /* flows of one peer at a time; a world may grant fewer */

/*
 * Bytes on their way. The world allocates it, with as much room as it likes beyond what was asked
 * for; whoever holds it either hands it on (a `_take` in the name) or drops it. `attempt` and
 * `serial` travel beside the bytes for counting only: attempt 1 is a frame's first transmission,
 * and all transmissions of one message over one flow share a serial.
 */
typedef struct PealBuf {
    uint32_t len; /* bytes used */
    uint32_t cap; /* bytes there are */
    uint32_t serial;
    uint16_t attempt; /* 0 for link acknowledgements */
    uint16_t spare;
    uint8_t data[];
} PealBuf;

typedef enum PealTransport { PEAL_UDP, PEAL_TCP } PealTransport;

typedef struct PealTarget {
    PealAddr addr;
    PealTransport transport;
} PealTarget;

/*
 * A hop: where a SIP message comes from, or goes to. SIP goes by hops, not by flows: a phone over
 * UDP leaves nothing behind in the world, so that ten thousand of them cost a peer no flow.
 */
typedef struct PealHop {
    PealAddr addr;     /* the other end */
    uint8_t transport; /* PealTransport */
    uint8_t local;     /* index among PEAL_SERVICE_SIP's addresses: this end */
    uint16_t spare;
    uint32_t conn; /* a TCP connection's number, never 0 and not given out again in the peer's life;
                      0: UDP, or whatever connection leads to addr */
} PealHop;

/* What a peer listens for. */
typedef enum PealService { PEAL_SERVICE_RELOAD, PEAL_SERVICE_SIP } PealService;
#define PEAL_ADDRESSES_MAX 8

/* What a peer cannot know by itself; see PealEnvOps.ask. */
typedef enum PealAskKind {
    PEAL_ASK_RESOLVE, /* the targets of a host name, best first (RFC 3263) */
    PEAL_ASK_PASSWORD /* a user's password */
} PealAskKind;

typedef struct PealAsk {
    PealAskKind kind;
    uint8_t transport; /* RESOLVE: PealTransport, or PEAL_TRANSPORT_ANY where the URI names none */
    uint16_t port;     /* RESOLVE: 0 where the URI names none: then SRV is asked first */
    uint64_t token;
    PealStr name;   /* RESOLVE: the host; PASSWORD: the user */
    PealStr domain; /* PASSWORD: the user's domain, which is the realm */
} PealAsk;
#define PEAL_TRANSPORT_ANY 255

typedef struct PealAnswer {
    uint64_t token;
    /* 0; -PEAL_E_NOT_FOUND: no such host, no such user; -PEAL_E_TIMEOUT: nobody knows now */
    int status;
    const PealTarget *targets; /* RESOLVE */
    size_t targets_len;
    PealStr password; /* PASSWORD */
} PealAnswer;

/* Outcome of a local request, see peer.h. */
typedef struct PealOutcome {
    int status; /* 0, or -PEAL_E_TIMEOUT, -PEAL_E_REFUSED (see error_code), -PEAL_E_STATE, ... */
    uint16_t error_code;  /* RELOAD error code where the other side refused, else 0 */
    uint16_t values;      /* existing values in the answer */
    uint64_t transaction; /* of the request */
    PealId responder;     /* Node-ID that answered */
    PealBytes body;       /* the answer's message body, borrowed for the call; empty on failure */
} PealOutcome;

/* What survives a restart. */
typedef enum PealSlot { PEAL_SLOT_IDENTITY, PEAL_SLOT_BINDINGS } PealSlot;

/* Hash algorithms, by their TLS numbers (RFC 5246 s.7.4.1.4.1). */
typedef enum PealHash {
    PEAL_HASH_NONE = 0,
    PEAL_HASH_MD5 = 1, /* for SIP's digest authentication only */
    PEAL_HASH_SHA1 = 2,
    PEAL_HASH_SHA256 = 4
} PealHash;
#define PEAL_DIGEST_MAX 32
#define PEAL_MAC_LEN 32

/* Digests are real in every crypto mode. */
typedef struct PealCryptoOps {
    /* Writes the digest of the parts' concatenation, returns its length (16, 20 or 32). */
    size_t (*digest)(PealHash hash, const PealBytes *parts, size_t parts_len,
                     uint8_t ret_digest[PEAL_DIGEST_MAX]);
    /* Writes HMAC-SHA-256 of the parts' concatenation. */
    void (*mac)(const uint8_t key[PEAL_MAC_LEN], const PealBytes *parts, size_t parts_len,
                uint8_t ret_mac[PEAL_MAC_LEN]);
} PealCryptoOps;

typedef struct PealEnvOps {
    PealTime (*now)(PealEnv *env);
    uint64_t (*unix_ms)(PealEnv *env);
    uint64_t (*random)(PealEnv *env, PealDraw purpose);
    /* Where others reach this peer: 0..max addresses, best first. Those of RELOAD go into its
     * Attach candidates. */
    size_t (*addresses)(PealEnv *env, PealService service, PealAddr *ret_addrs, size_t max);
    /* Starts a flow; it is usable when on_flow_up names it. Returns 0, -PEAL_E_FULL or
     * -PEAL_E_UNREACHABLE. */
    int (*open)(PealEnv *env, const PealTarget *to, PealFlow *ret_flow);
    /* Ends a flow at once; on_flow_down is not called for it. */
    void (*close)(PealEnv *env, PealFlow flow);
    /* A buffer with room for cap bytes, len 0; never NULL (a world out of memory drops the peer
     * instead). */
    PealBuf *(*buffer)(PealEnv *env, size_t cap);
    void (*drop)(PealEnv *env, PealBuf *buf);
    /* Takes the buffer whatever happens. On a UDP flow it is one datagram, on TCP bytes of the
     * stream. */
    void (*send_take)(PealEnv *env, PealFlow flow, PealBuf *buf);
    /*
     * SIP: takes the buffer whatever happens. On UDP it is one datagram, on TCP bytes of the stream
     * of `conn`, or, where that is 0, of a connection to addr that is there or is opened for it.
     * peal_peer_on_sip_end tells of what could not be sent, as far as the world knows.
     */
    void (*sip_send_take)(PealEnv *env, const PealHop *to, PealBuf *buf);
    /* Ends a connection once what was sent on it has gone; on_sip_end is not called for it. */
    void (*sip_close)(PealEnv *env, uint32_t conn);
    /* Asks the world; peal_peer_on_answer brings the answer, exactly once and from a later
     * dispatch. Texts are copied. Returns 0 or -PEAL_E_FULL. */
    int (*ask)(PealEnv *env, const PealAsk *ask);
    /* The peer's ONE deadline; replaces the last. PEAL_TIME_NEVER for none. */
    void (*wake_at)(PealEnv *env, PealTime at);
    /* Answers a local request, exactly once each. */
    void (*done)(PealEnv *env, uint64_t token, const PealOutcome *outcome);
    /* Keeps bytes over a restart, in place of the slot's last; they are copied. Returns 0, or
     * -PEAL_E_FULL when they cannot be kept. */
    int (*persist)(PealEnv *env, PealSlot slot, const uint8_t *data, size_t len);
    /* Zeroed memory; NULL when the peer has had its share. The size given back is the size asked
     * for. */
    void *(*alloc)(PealEnv *env, size_t size);
    void (*release)(PealEnv *env, void *ptr, size_t size);
    void (*trace)(PealEnv *env, const PealTrace *record);
    const PealCryptoOps *crypto;
} PealEnvOps;

/* The world's environment starts with this. */
struct PealEnv {
    const PealEnvOps *ops;
};

#endif
