/* SPDX-License-Identifier: GPL-3.0-or-later */
/* buckets.c - see buckets.h. */
#include "security/buckets.h"

void buckets_init(Buckets *buckets, uint32_t max)
{
    *buckets = (Buckets){.max = BUCKETS_FIRST};
    while (buckets->max < max) {
        buckets->max *= 2;
    }
}

void buckets_fini(Buckets *buckets, PealEnv *env)
{
    if (buckets->list != NULL) {
        env->ops->release(env, buckets->list, buckets->len * sizeof(Bucket));
    }
    buckets->list = NULL;
    buckets->len = 0;
}

static Bucket *set_of(const Buckets *buckets, uint64_t source)
{
    return &buckets->list[source & (buckets->len - 1) & ~(uint64_t)(BUCKETS_WAYS - 1)];
}

Bucket *buckets_find(const Buckets *buckets, uint64_t source)
{
    Bucket *set;

    if (buckets->list == NULL) {
        return NULL;
    }
    set = set_of(buckets, source);
    for (int i = 0; i < BUCKETS_WAYS; i++) {
        if (set[i].source == source) {
            return &set[i];
        }
    }
    return NULL;
}

static bool is_known(const Bucket *bucket, PealTime now)
{
    return bucket->known_until.ns > now.ns;
}

/* Nothing would be lost with it. */
static bool is_idle(const Bucket *bucket, PealTime now)
{
    return bucket->source == 0 || (!is_known(bucket, now) && peal_time_due(bucket->full_at, now));
}

/* Which of two gives way first? */
static bool yields(const Bucket *a, const Bucket *b, PealTime now)
{
    bool a_known = is_known(a, now);
    bool b_known = is_known(b, now);

    if (a_known != b_known) {
        return b_known;
    }
    return a_known ? a->known_until.ns < b->known_until.ns : a->full_at.ns < b->full_at.ns;
}

/* The place for a new source in its set: an idle one, else the one that gives way. */
static Bucket *place_in(Bucket *set, PealTime now, bool known)
{
    Bucket *first = NULL;
    Bucket *first_known = NULL;
    int known_len = 0;

    for (int i = 0; i < BUCKETS_WAYS; i++) {
        Bucket *bucket = &set[i];

        if (is_known(bucket, now)) {
            known_len++;
            if (first_known == NULL || yields(bucket, first_known, now)) {
                first_known = bucket;
            }
        }
        if (first == NULL || (is_idle(bucket, now) && !is_idle(first, now)) ||
            (!is_idle(first, now) && yields(bucket, first, now))) {
            first = bucket;
        }
    }
    return known && known_len >= BUCKETS_KNOWN_MAX ? first_known : first;
}

/* Twice the room, as long as there may be more. Without memory what there is has to do. */
static bool grow(Buckets *buckets, PealEnv *env, PealTime now)
{
    uint32_t larger = buckets->len == 0 ? BUCKETS_FIRST : 2 * buckets->len;
    Buckets before = *buckets;

    if (larger > buckets->max) {
        return false;
    }
    buckets->list = env->ops->alloc(env, larger * sizeof(Bucket));
    if (buckets->list == NULL) {
        buckets->list = before.list;
        return false;
    }
    buckets->len = larger;
    for (uint32_t i = 0; i < before.len; i++) {
        const Bucket *bucket = &before.list[i];

        if (!is_idle(bucket, now)) {
            *place_in(set_of(buckets, bucket->source), now, is_known(bucket, now)) = *bucket;
        }
    }
    if (before.list != NULL) {
        env->ops->release(env, before.list, before.len * sizeof(Bucket));
    }
    return true;
}

/* A bucket for a source that has none; NULL without memory. */
static Bucket *add(Buckets *buckets, PealEnv *env, uint64_t source, PealTime now, bool known)
{
    Bucket *place;

    if (buckets->list == NULL && !grow(buckets, env, now)) {
        return NULL;
    }
    place = place_in(set_of(buckets, source), now, known);
    if (!is_idle(place, now) && grow(buckets, env, now)) {
        place = place_in(set_of(buckets, source), now, known);
    }
    *place = (Bucket){.source = source, .full_at = now, .known_until = {INT64_MIN}};
    return place;
}

/* How far a bucket may lack fullness; far enough is for ever. */
static int64_t limit_ns(const BucketRate *rate)
{
    int64_t limit;

    if (__builtin_mul_overflow(rate->token.ns, (int64_t)rate->burst, &limit)) {
        return INT64_MAX;
    }
    return limit;
}

bool buckets_take(Buckets *buckets, PealEnv *env, uint64_t source, PealTime now,
                  const BucketRate *rate)
{
    Bucket *bucket = buckets_find(buckets, source);
    PealTime full_at = now;

    if (bucket != NULL && bucket->full_at.ns > now.ns) {
        full_at = bucket->full_at;
    }
    full_at = peal_time_add(full_at, rate->token);
    if (full_at.ns == INT64_MAX || peal_time_since(full_at, now).ns > limit_ns(rate)) {
        return false;
    }
    if (bucket == NULL) {
        bucket = add(buckets, env, source, now, false);
    }
    if (bucket != NULL) {
        bucket->full_at = full_at;
    }
    return true;
}

void buckets_vouch(Buckets *buckets, PealEnv *env, uint64_t source, PealTime now, PealTime until)
{
    Bucket *bucket = buckets_find(buckets, source);
    PealTime full_at = now;

    if (bucket != NULL && !is_known(bucket, now)) {
        full_at = bucket->full_at;
        bucket->source = 0; /* it comes back among the known ones, if there is room for it */
        bucket = NULL;
    }
    if (bucket == NULL) {
        bucket = add(buckets, env, source, now, true);
    }
    if (bucket != NULL && bucket->known_until.ns < until.ns) {
        bucket->known_until = until;
    }
    if (bucket != NULL && bucket->full_at.ns < full_at.ns) {
        bucket->full_at = full_at;
    }
}

uint32_t buckets_count(const Buckets *buckets, PealTime now, uint32_t *ret_known)
{
    uint32_t count = 0;

    *ret_known = 0;
    for (uint32_t i = 0; i < buckets->len; i++) {
        count += !is_idle(&buckets->list[i], now);
        *ret_known += buckets->list[i].source != 0 && is_known(&buckets->list[i], now);
    }
    return count;
}
