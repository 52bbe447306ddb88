/*
 * trace.h - what a peer reports about itself: fixed-size records, never text.
 * Source: none.   State: none.   Time: a record is about the instant env->now gives.
 */
#ifndef PEAL_TRACE_H
#define PEAL_TRACE_H

#include <peal/id.h>

/* kind, unit of `code`, unit of `value`; `key` is the Resource-ID or the other peer's Node-ID,
 * `transaction` 0 where there is none. */
#define PEAL_TRACES(X)                                                                            \
    X(REQUEST_SENT, "message code", "0")                /* a request was originated here */       \
    X(REQUEST_RESENT, "message code", "try, 2..5")      /* end-to-end retransmission */           \
    X(REQUEST_SERVED, "message code", "hops travelled") /* the responsible peer answers it now */ \
    X(REQUEST_FAILED, "message code", "-error")         /* gave up */                             \
    X(MESSAGE_DROPPED, "PealDrop", "message code or 0; 1: OVERLAY of a link opened here")         \
    X(LINK_UP, "flow index", "1 if this peer opened it")                                          \
    X(LINK_DOWN, "flow index", "PealDownReason")                                                  \
    X(LINK_RESENT, "flow index", "try, 2..5")                                                     \
    X(JOINED, "0", "ms since start") /* an Update named this peer predecessor */                  \
    X(LEFT, "0", "0")                                                                             \
    X(NEIGHBOURS_CHANGED, "1 when the range changed too", "entries")                              \
    X(PARTITION_SEEN, "0", "0")                                                                   \
    X(VALUE_STORED, "replica number", "Kind-ID")                                                  \
    X(VALUE_REMOVED, "0", "Kind-ID")                                                              \
    X(REPLICA_SENT, "replica number", "Kind-ID")                                                  \
    X(NEIGHBOUR_REFUSED, "1 for crowding, 0 for the rate", "0") /* overlay/guard.h */

typedef enum PealTraceKind {
#define X(name, code, value) PEAL_TRACE_##name,
    PEAL_TRACES(X)
#undef X
        PEAL_TRACE_COUNT
} PealTraceKind;

/* Why a message went no further. */
#define PEAL_DROPS(X)                                                \
    X(MALFORMED, "could not be decoded")                             \
    X(OVERLAY, "another overlay, version or token")                  \
    X(TTL, "ran out of hops")                                        \
    X(NOT_MINE, "Node-ID in my range that is neither me nor linked") \
    X(NO_ROUTE, "nobody to hand it to")                              \
    X(UNIDENTIFIED, "came before the other side named itself")       \
    X(STALE, "answer to nothing outstanding")                        \
    X(OPTION, "unknown critical option")                             \
    X(SIGNATURE, "signature or signer not acceptable")               \
    X(FULL, "queue or buffer full")

typedef enum PealDrop {
#define X(name, text) PEAL_DROP_##name,
    PEAL_DROPS(X)
#undef X
        PEAL_DROP_COUNT
} PealDrop;

typedef enum PealDownReason {
    PEAL_DOWN_CLOSED,  /* by the other side or the world */
    PEAL_DOWN_DEAD,    /* unanswered frames */
    PEAL_DOWN_UNUSED,  /* this peer no longer wanted it */
    PEAL_DOWN_PROTOCOL /* the other side broke the protocol */
} PealDownReason;

typedef struct PealTrace {
    uint16_t kind; /* PealTraceKind */
    uint16_t code;
    uint32_t value;
    uint64_t transaction;
    PealId key;
} PealTrace;

const char *peal_trace_name(PealTraceKind kind);
const char *peal_drop_name(PealDrop drop);

#endif
