/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_environment.c - what a peer on real sockets is handed. */
#include "environment.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "buffer.h"
#include "peal_test.h"
#include "toy_peer.h"

typedef struct World {
    Loop *loop;
    Tap tap;
    Dns *dns;
    Flows *flows;
    NetEnv *env;
} World;

static uint8_t memory[1];

static void world_init(World *world, NetEnvConfig config)
{
    FlowsConfig flows = {.tap = &world->tap, .transport = PEAL_UDP, .flows_max = 64};

    *world = (World){.loop = loop_new(NULL, NULL)};
    flows.loop = config.loop = world->loop;
    world->dns = config.dns = dns_new(world->loop, NULL, NULL);
    world->flows = config.flows = flows_new(&flows);
    world->env = net_env_new(&config);
    net_env_attach(world->env, toy_peer(memory));
}

static void world_fini(World *world)
{
    flows_free(world->flows);
    dns_free(world->dns);
    net_env_free(world->env);
    loop_free(world->loop);
    toy_clear();
}

static void env_memory_is_zeroed_and_bounded(void)
{
    World world;
    PealEnv *env;
    uint8_t *first;

    world_init(&world, (NetEnvConfig){.memory_max = 1000});
    env = &world.env->env;
    first = env->ops->alloc(env, 600);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    for (unsigned i = 0; i < 600; i++) {
        CU_ASSERT_EQUAL(first[i], 0);
    }
    CU_ASSERT_PTR_NULL(env->ops->alloc(env, 401));
    CU_ASSERT_PTR_NULL(env->ops->alloc(env, SIZE_MAX));
    env->ops->release(env, first, 600);
    first = env->ops->alloc(env, 1000);
    CU_ASSERT_PTR_NOT_NULL(first);
    env->ops->release(env, first, 1000);
    CU_ASSERT_EQUAL(world.env->memory, 0);
    world_fini(&world);
}

static void env_deadline_wakes_once_and_the_last_one_counts(void)
{
    World world;
    PealEnv *env;

    world_init(&world, (NetEnvConfig){.memory_max = 1000});
    env = &world.env->env;
    env->ops->wake_at(env, peal_time_add(env->ops->now(env), peal_seconds(100)));
    env->ops->wake_at(env, env->ops->now(env));
    CU_ASSERT_TRUE(toy_wait(world.loop, TOY_WOKEN, NULL, 1));
    toy_settle(world.loop);
    CU_ASSERT_EQUAL(toy_count(TOY_WOKEN, NULL), 1);
    env->ops->wake_at(env, env->ops->now(env));
    env->ops->wake_at(env, PEAL_TIME_NEVER);
    toy_settle(world.loop);
    CU_ASSERT_EQUAL(toy_count(TOY_WOKEN, NULL), 1);
    world_fini(&world);
}

static void env_deadline_that_has_come_needs_no_turn(void)
{
    World world;
    PealEnv *env;

    world_init(&world, (NetEnvConfig){.memory_max = 1000});
    env = &world.env->env;
    net_env_catch_up(world.env);
    env->ops->wake_at(env, peal_time_add(env->ops->now(env), peal_seconds(100)));
    net_env_catch_up(world.env);
    CU_ASSERT_EQUAL(toy_count(TOY_WOKEN, NULL), 0);
    env->ops->wake_at(env, env->ops->now(env));
    net_env_catch_up(world.env);
    CU_ASSERT_EQUAL(toy_count(TOY_WOKEN, NULL), 1);
    toy_settle(world.loop);
    CU_ASSERT_EQUAL(toy_count(TOY_WOKEN, NULL), 1);
    world_fini(&world);
}

static void env_draws_are_the_scenarios_when_replayed_and_differ_else(void)
{
    World world;
    PealEnv *env;

    world_init(&world, (NetEnvConfig){.replayed = true, .seed = 7, .peer = 3});
    env = &world.env->env;
    for (uint64_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(env->ops->random(env, PEAL_DRAW_FINGER),
                        peal_random_at(7, peal_random_stream(3, PEAL_DRAW_FINGER), i));
    }
    CU_ASSERT_EQUAL(env->ops->random(env, PEAL_DRAW_SIP),
                    peal_random_at(7, peal_random_stream(3, PEAL_DRAW_SIP), 0));
    world_fini(&world);
    world_init(&world, (NetEnvConfig){.memory_max = 1});
    env = &world.env->env;
    CU_ASSERT_NOT_EQUAL(env->ops->random(env, PEAL_DRAW_SIP), env->ops->random(env, PEAL_DRAW_SIP));
    world_fini(&world);
}

static void env_password_is_answered_later(void)
{
    World world;
    PealEnv *env;
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "peal-users-XXXXXX", NULL);
    PealAsk ask = {.kind = PEAL_ASK_PASSWORD,
                   .token = 5,
                   .name = {"bob", 3},
                   .domain = {"EXAMPLE.org", 11}};
    Users *users;

    close(g_mkstemp(path));
    CU_ASSERT_TRUE(g_file_set_contents(path, "bob:example.org:se:cret\n", -1, NULL));
    users = users_read(path, NULL);
    world_init(&world, (NetEnvConfig){.memory_max = 1});
    env = &world.env->env;
    world.env->users = users;
    CU_ASSERT_EQUAL(env->ops->ask(env, &ask), 0);
    CU_ASSERT_EQUAL(toy_count(TOY_ANSWER, NULL), 0);
    CU_ASSERT_TRUE_FATAL(toy_wait(world.loop, TOY_ANSWER, NULL, 1));
    CU_ASSERT_EQUAL(toy_last(TOY_ANSWER, NULL)->token, 5);
    CU_ASSERT_EQUAL(toy_last(TOY_ANSWER, NULL)->error, 0);
    CU_ASSERT_STRING_EQUAL(toy_last(TOY_ANSWER, NULL)->text, "se:cret");
    ask.name = (PealStr){"eve", 3};
    CU_ASSERT_EQUAL(env->ops->ask(env, &ask), 0);
    CU_ASSERT_TRUE_FATAL(toy_wait(world.loop, TOY_ANSWER, NULL, 2));
    CU_ASSERT_EQUAL(toy_last(TOY_ANSWER, NULL)->error, -PEAL_E_NOT_FOUND);
    world_fini(&world);
    users_free(users);
    remove(path);
}

static void env_numeric_host_is_answered_later_and_not_after_the_peers_end(void)
{
    World world;
    PealEnv *env;
    PealAsk ask = {.kind = PEAL_ASK_RESOLVE,
                   .transport = PEAL_TRANSPORT_ANY,
                   .token = 9,
                   .name = {"192.0.2.7", 9}};

    world_init(&world, (NetEnvConfig){.memory_max = 1});
    env = &world.env->env;
    CU_ASSERT_EQUAL(env->ops->ask(env, &ask), 0);
    CU_ASSERT_EQUAL(toy_count(TOY_ANSWER, NULL), 0);
    CU_ASSERT_TRUE_FATAL(toy_wait(world.loop, TOY_ANSWER, NULL, 1));
    CU_ASSERT_EQUAL(toy_last(TOY_ANSWER, NULL)->targets_len, 1);
    CU_ASSERT_EQUAL(toy_last(TOY_ANSWER, NULL)->targets[0].addr.port, 5060);
    CU_ASSERT_EQUAL(toy_last(TOY_ANSWER, NULL)->targets[0].transport, PEAL_UDP);
    CU_ASSERT_EQUAL(env->ops->ask(env, &ask), 0);
    net_env_attach(world.env, NULL);
    toy_settle(world.loop);
    CU_ASSERT_EQUAL(toy_count(TOY_ANSWER, NULL), 1);
    world_fini(&world);
}

PEAL_TEST_MAIN("net/environment", PEAL_TEST(env_memory_is_zeroed_and_bounded),
               PEAL_TEST(env_deadline_wakes_once_and_the_last_one_counts),
               PEAL_TEST(env_deadline_that_has_come_needs_no_turn),
               PEAL_TEST(env_draws_are_the_scenarios_when_replayed_and_differ_else),
               PEAL_TEST(env_password_is_answered_later),
               PEAL_TEST(env_numeric_host_is_answered_later_and_not_after_the_peers_end))
