/*
 * defence.h - how a peer defends itself, and what it asks of others for that.
 * Source: each field's.   State: none: part of the overlay's configuration.   Time: none.
 */
#ifndef PEAL_DEFENCE_H
#define PEAL_DEFENCE_H

#include <peal/base.h>

enum { PEAL_REDUNDANT_MAX = 8, PEAL_NEIGHBOUR_RATE_MAX = 1000, PEAL_PUZZLE_BITS_MAX = 24 };

typedef enum PealPlacement {
    PEAL_PLACEMENT_SUCCESSORS, /* on the owner's successors */
    PEAL_PLACEMENT_HASHED,     /* in their stead, at ids all over the ring */
    PEAL_PLACEMENT_BOTH        /* there, and each on successors too */
} PealPlacement;

/* All off as peal_overlay_defaults leaves it. */
typedef struct PealDefence {
    uint8_t redundant_lookups; /* 1..PEAL_REDUNDANT_MAX first hops that a Fetch goes by at a time */

    /*
     * Against floods. Every source has a bucket of tokens, and each message takes one. Sources are
     * strangers until they are known: a live binding came from there, or it is a neighbour.
     */
    bool overload_control; /* RFC 7339 towards SIP neighbours that support it */
    uint16_t source_burst; /* tokens of a stranger's full bucket, 1.. */
    uint16_t known_factor; /* rate and burst of a known source are so many times a stranger's */
    uint32_t sources;      /* buckets of strangers and of known ones together, 64..2^20 */
    uint64_t source_rate_milli; /* tokens that come back, thousandths an hour; 0: no buckets */
    PealSpan overload_wait;     /* new requests of strangers are refused beyond it; 0: never */
    PealSpan retry_after;       /* what a refusal asks for, to twice that; whole seconds */

    /* Neighbours (overlay/guard.h). */
    bool neighbour_check;    /* refuse those that crowd the ring */
    uint16_t neighbour_rate; /* with it: new ones a minute, as many at once; 0: any number */

    /* A registration's copies (storage/copies.h), overlay->replicas of them. */
    uint8_t placement;   /* PealPlacement */
    bool copies_at_once; /* a Fetch asks all of them at once, not one after the other */

    /* Node-IDs cost work (security/puzzle.h). */
    uint8_t puzzle_bits;     /* 0..PEAL_PUZZLE_BITS_MAX; 2^bits hashes on average; 0: none */
    uint8_t puzzle_modelled; /* so many of the bits cost time, but are not hashed */
    uint32_t puzzle_rate;    /* hashes a second that a peer spends on it, 1000..10^9 */
} PealDefence;

#endif
