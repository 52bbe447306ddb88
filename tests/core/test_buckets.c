/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_buckets.c - what a source may send, and whose bucket is forgotten when there is no room. */
#include "security/buckets.h"

#include "core/plain_env.h"
#include "peal_test.h"

static const BucketRate rate = {{100 * PEAL_NS_PER_MS}, 5}; /* 10 a second, 5 at once */

static PealTime at_ms(int64_t ms)
{
    return (PealTime){ms * PEAL_NS_PER_MS};
}

typedef struct World {
    PlainEnv env;
    Buckets buckets;
} World;

static void begin(World *world, uint32_t max)
{
    plain_env_init(&world->env);
    buckets_init(&world->buckets, max);
}

static void end(World *world)
{
    buckets_fini(&world->buckets, &world->env.env);
    CU_ASSERT_TRUE(plain_env_clean(&world->env));
}

static bool take(World *world, uint64_t source, PealTime now)
{
    return buckets_take(&world->buckets, &world->env.env, source, now, &rate);
}

static uint32_t take_all(World *world, uint64_t source, PealTime now)
{
    uint32_t taken = 0;

    while (take(world, source, now)) {
        taken++;
    }
    return taken;
}

static void bucket_gives_its_burst_and_then_one_token_at_a_time(void)
{
    World world;

    begin(&world, 64);
    CU_ASSERT_EQUAL(take_all(&world, 7, at_ms(1000)), 5);
    CU_ASSERT_FALSE(take(&world, 7, (PealTime){at_ms(1100).ns - 1}));
    CU_ASSERT_TRUE(take(&world, 7, at_ms(1100)));
    CU_ASSERT_FALSE(take(&world, 7, at_ms(1100)));
    CU_ASSERT_EQUAL(take_all(&world, 7, at_ms(1400)), 3);
    CU_ASSERT_EQUAL(take_all(&world, 7, at_ms(60000)), 5); /* no more than it holds */
    end(&world);
}

static void bucket_gives_exactly_its_rate_over_an_hour_of_trying(void)
{
    World world;
    uint32_t taken = 0;

    begin(&world, 64);
    for (int64_t ms = 0; ms < 3600 * 1000; ms += 7) {
        taken += take(&world, 7, at_ms(ms));
    }
    CU_ASSERT_EQUAL(taken, 3600 * 10 + 4);
    end(&world);
}

static void bucket_of_one_source_is_no_other_s(void)
{
    World world;

    begin(&world, 64);
    CU_ASSERT_EQUAL(take_all(&world, 7, at_ms(0)), 5);
    CU_ASSERT_EQUAL(take_all(&world, 7 + 64, at_ms(0)), 5);
    end(&world);
}

/* Many sources of one message each, as of somebody who forges addresses. */
static void forge(World *world, uint64_t first, uint32_t len, PealTime now)
{
    for (uint32_t i = 0; i < len; i++) {
        CU_ASSERT_TRUE(take(world, first + i, now));
    }
}

static void forged_sources_take_no_more_memory_than_is_allowed(void)
{
    World world;
    uint32_t known;

    begin(&world, 256);
    forge(&world, 1000, 100000, at_ms(0));
    CU_ASSERT_EQUAL(buckets_count(&world.buckets, at_ms(0), &known), 256);
    CU_ASSERT_EQUAL(known, 0);
    CU_ASSERT_TRUE(world.env.bytes_most <= (256 + 128) * sizeof(Bucket));
    end(&world);
}

static void source_in_debt_is_not_forgotten_for_forged_ones(void)
{
    World world;

    begin(&world, 64);
    CU_ASSERT_EQUAL(take_all(&world, 7, at_ms(0)), 5);
    forge(&world, 1000, 10000, at_ms(1));
    CU_ASSERT_FALSE(take(&world, 7, at_ms(1)));
    end(&world);
}

static void bucket_that_is_full_again_leaves_its_place(void)
{
    World world;
    uint32_t known;

    begin(&world, 64);
    forge(&world, 1000, 64, at_ms(0));
    CU_ASSERT_EQUAL(buckets_count(&world.buckets, at_ms(99), &known), 64);
    CU_ASSERT_EQUAL(buckets_count(&world.buckets, at_ms(100), &known), 0);
    end(&world);
}

static bool knows(const World *world, uint64_t source, PealTime now)
{
    const Bucket *bucket = buckets_find(&world->buckets, source);

    return bucket != NULL && bucket->known_until.ns > now.ns;
}

static void known_source_is_known_until_its_time_and_longer_when_said_again(void)
{
    World world;

    begin(&world, 64);
    CU_ASSERT_EQUAL(take_all(&world, 7, at_ms(0)), 5);
    buckets_vouch(&world.buckets, &world.env.env, 7, at_ms(0), at_ms(5000));
    CU_ASSERT_TRUE(knows(&world, 7, at_ms(4999)));
    CU_ASSERT_FALSE(knows(&world, 7, at_ms(5000)));
    CU_ASSERT_FALSE(take(&world, 7, at_ms(0))); /* what it has used up is used up */
    buckets_vouch(&world.buckets, &world.env.env, 7, at_ms(0), at_ms(9000));
    buckets_vouch(&world.buckets, &world.env.env, 7, at_ms(0), at_ms(6000));
    CU_ASSERT_TRUE(knows(&world, 7, at_ms(8999)));
    end(&world);
}

static void known_sources_are_not_forgotten_for_strangers_in_whatever_debt(void)
{
    World world;

    begin(&world, 64);
    for (uint64_t i = 0; i < 8; i++) { /* one in each set */
        buckets_vouch(&world.buckets, &world.env.env, 1 + 8 * i, at_ms(0), at_ms(100000));
    }
    for (uint64_t i = 0; i < 5000; i++) {
        (void)!take_all(&world, 1000 + i, at_ms(1));
    }
    for (uint64_t i = 0; i < 8; i++) {
        CU_ASSERT_TRUE(knows(&world, 1 + 8 * i, at_ms(1)));
    }
    end(&world);
}

static void known_sources_beyond_a_set_s_share_push_out_those_that_end_first(void)
{
    World world;
    uint32_t known;

    begin(&world, 64);
    for (uint64_t i = 0; i < 1000; i++) {
        buckets_vouch(&world.buckets, &world.env.env, 1 + i, at_ms(0), at_ms(1000 + (int64_t)i));
    }
    (void)buckets_count(&world.buckets, at_ms(0), &known);
    CU_ASSERT_EQUAL(known, 64 / BUCKETS_WAYS * BUCKETS_KNOWN_MAX);
    CU_ASSERT_TRUE(knows(&world, 1000, at_ms(0)));
    CU_ASSERT_FALSE(knows(&world, 1, at_ms(0)));
    end(&world);
}

static void bucket_without_memory_lets_messages_pass(void)
{
    World world;

    begin(&world, 64);
    world.env.bytes_limit = 1;
    CU_ASSERT_TRUE(take(&world, 7, at_ms(0)));
    buckets_vouch(&world.buckets, &world.env.env, 7, at_ms(0), at_ms(5000));
    CU_ASSERT_PTR_NULL(buckets_find(&world.buckets, 7));
    end(&world);
}

static void slowest_rate_and_largest_burst_do_not_overflow(void)
{
    const BucketRate slow = {{3600 * PEAL_NS_PER_S}, 10000 * 1000};
    World world;

    begin(&world, 64);
    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_TRUE(buckets_take(&world.buckets, &world.env.env, 7, at_ms(i), &slow));
    }
    end(&world);
}

PEAL_TEST_MAIN("core/buckets", PEAL_TEST(bucket_gives_its_burst_and_then_one_token_at_a_time),
               PEAL_TEST(bucket_gives_exactly_its_rate_over_an_hour_of_trying),
               PEAL_TEST(bucket_of_one_source_is_no_other_s),
               PEAL_TEST(forged_sources_take_no_more_memory_than_is_allowed),
               PEAL_TEST(source_in_debt_is_not_forgotten_for_forged_ones),
               PEAL_TEST(bucket_that_is_full_again_leaves_its_place),
               PEAL_TEST(known_source_is_known_until_its_time_and_longer_when_said_again),
               PEAL_TEST(known_sources_are_not_forgotten_for_strangers_in_whatever_debt),
               PEAL_TEST(known_sources_beyond_a_set_s_share_push_out_those_that_end_first),
               PEAL_TEST(bucket_without_memory_lets_messages_pass),
               PEAL_TEST(slowest_rate_and_largest_burst_do_not_overflow))
