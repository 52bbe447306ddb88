/*
 * buckets.h - a bucket of tokens for each source of messages, in bounded memory.
 * Source: the generic cell rate algorithm (ITU-T I.371, Annex A): a bucket is the instant at which
 *         it will be full again. Its sums are whole nanoseconds.
 * State:  24 bytes a source in sets of BUCKETS_WAYS, from BUCKETS_FIRST sources up to the bound.
 * Time:   the caller's.
 *
 * A bucket that is full is no different from one that is not there, so forgetting it costs nobody
 * anything. When a set has room for no other, a source gives way that nobody vouches for, among
 * those the one that is nearest to full: who sends under a thousand forged addresses pushes out
 * forged addresses, and the honest, who get a full bucket back; never one that is in debt more
 * than they are, and never more than BUCKETS_KNOWN_MAX of a set's vouched-for ones, which only
 * others of their kind push out, those first that would end first.
 */
#ifndef SECURITY_BUCKETS_H
#define SECURITY_BUCKETS_H

#include <peal/env.h>

enum { BUCKETS_WAYS = 8, BUCKETS_KNOWN_MAX = 6, BUCKETS_FIRST = 64 };

typedef struct Bucket {
    uint64_t source; /* 0: none */
    PealTime full_at;
    PealTime known_until; /* somebody vouches for it so long */
} Bucket;

typedef struct Buckets {
    Bucket *list;
    uint32_t len; /* a power of two */
    uint32_t max;
} Buckets;

/* What comes back, and how much fits in. */
typedef struct BucketRate {
    PealSpan token; /* from one to the next, > 0 */
    uint32_t burst; /* > 0 */
} BucketRate;

/* buckets_init: max sources are rounded up to a power of two. */
void buckets_init(Buckets *buckets, uint32_t max);
void buckets_fini(Buckets *buckets, PealEnv *env);

/* buckets_find: the source's bucket, or NULL: then it is full, and nobody vouches for it. */
Bucket *buckets_find(const Buckets *buckets, uint64_t source);

/* buckets_take takes a token; false if there is none. A source that has no bucket yet gets one. */
bool buckets_take(Buckets *buckets, PealEnv *env, uint64_t source, PealTime now,
                  const BucketRate *rate) PEAL_MUST_USE;

/* buckets_vouch makes a source a known one until then, if that is later than what was said before.
 */
void buckets_vouch(Buckets *buckets, PealEnv *env, uint64_t source, PealTime now, PealTime until);

/* buckets_count: how many sources are remembered, and how many of them are known at `now`. */
uint32_t buckets_count(const Buckets *buckets, PealTime now, uint32_t *ret_known);

#endif
