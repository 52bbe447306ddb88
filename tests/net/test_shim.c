/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_shim.c - a scenario's network between the nodes of one host. */
#include "shim.h"

#include <unistd.h>

#include "address.h"
#include "buffer.h"
#include "peal_test.h"

enum { PACKETS = 50, LATENCY_MS = 20 };

typedef struct World {
    Loop *loop;
    Shim *shim;
    char *path;
    PealTime sent;
    unsigned arrived;
    uint8_t order[PACKETS];
    bool early; /* something came before its time */
} World;

static void world_init(World *world, const char *network, uint16_t base_port)
{
    g_autofree char *text =
        g_strdup_printf("[scenario]\nname = x\n[overlay]\npeers = 300\n[network]\n%s\n", network);
    NodeEmulate emulate = {.seed = 3, .peer = 258, .base_port = base_port};
    g_autoptr(GError) error = NULL;

    *world = (World){.loop = loop_new(NULL, NULL)};
    world->path = g_build_filename(g_get_tmp_dir(), "peal-scenario-XXXXXX", NULL);
    close(g_mkstemp(world->path));
    CU_ASSERT_TRUE(g_file_set_contents(world->path, text, -1, NULL));
    emulate.scenario = world->path;
    world->shim = shim_new(world->loop, &emulate, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(world->shim);
}

static void world_fini(World *world)
{
    shim_free(world->shim);
    loop_free(world->loop);
    remove(world->path);
    g_free(world->path);
    CU_ASSERT_EQUAL(buffer_total(), 0);
}

static void arrive_take(void *user, const ShimTo *to, PealBuf *buf)
{
    World *world = user;

    CU_ASSERT_EQUAL(to->flow.index, 7);
    if (loop_now(world->loop).ns - world->sent.ns < LATENCY_MS * PEAL_NS_PER_MS) {
        world->early = true;
    }
    world->order[world->arrived++] = buf->data[0];
    buffer_free(buf);
}

/* Sends numbered packets to peer 1; returns how many will arrive. */
static unsigned send_all(World *world, PealTime *last)
{
    const ShimPacket packet = {.peer = 1, .last = last};
    const ShimTo to = {.deliver_take = arrive_take, .user = world, .flow = {7, 0}};
    unsigned sent = 0;

    loop_refresh(world->loop);
    world->sent = loop_now(world->loop);
    for (unsigned i = 0; i < PACKETS; i++) {
        const uint8_t number = (uint8_t)i;

        sent += shim_send_take(world->shim, &packet, &to, buffer_copy(&number, 1));
    }
    return sent;
}

static void run_until(World *world, unsigned arrived)
{
    for (unsigned i = 0; i < 10000 && world->arrived < arrived; i++) {
        g_main_context_iteration(NULL, TRUE);
    }
    CU_ASSERT_EQUAL(world->arrived, arrived);
}

static void shim_holds_packets_for_their_time_under_way(void)
{
    World world;

    world_init(&world, "latency = constant:20ms", 0);
    CU_ASSERT_EQUAL(send_all(&world, NULL), PACKETS);
    CU_ASSERT_EQUAL(world.arrived, 0);
    run_until(&world, PACKETS);
    CU_ASSERT_FALSE(world.early);
    world_fini(&world);
}

static void shim_keeps_a_stream_in_order_whatever_the_jitter(void)
{
    World world;
    PealTime last = {0};

    world_init(&world, "latency = constant:20ms\njitter = exponential(mean=5ms)\nloss = 50%", 0);
    CU_ASSERT_EQUAL(send_all(&world, &last), PACKETS); /* a stream loses nothing */
    run_until(&world, PACKETS);
    for (unsigned i = 0; i < PACKETS; i++) {
        CU_ASSERT_EQUAL(world.order[i], i);
    }
    world_fini(&world);
}

static void shim_loses_datagrams_and_forgets_those_of_whom_is_gone(void)
{
    World world;
    unsigned sent;

    world_init(&world, "latency = constant:20ms\nloss = 50%", 0);
    sent = send_all(&world, NULL);
    CU_ASSERT(sent > 0 && sent < PACKETS);
    run_until(&world, sent);
    CU_ASSERT(send_all(&world, NULL) > 0);
    shim_drop(world.shim, &world);
    CU_ASSERT_EQUAL(buffer_total(), 0);
    world_fini(&world);
}

static void shim_knows_peers_by_their_ports_and_sources(void)
{
    World world;
    PealAddr source;
    PealAddr addr = {.ip = {127, 0, 0, 1}, .family = 4};
    uint32_t peer = 0;

    world_init(&world, "latency = constant:20ms", 21000);
    source = shim_source(world.shim);
    source.port = 40000;
    CU_ASSERT_TRUE(address_is_loopback(&source));
    CU_ASSERT_TRUE(shim_knows(world.shim, &source, &peer));
    CU_ASSERT_EQUAL(peer, 258);
    addr.port = 21070;
    CU_ASSERT_TRUE(shim_knows(world.shim, &addr, &peer));
    CU_ASSERT_EQUAL(peer, 7);
    addr.port = 21081;
    CU_ASSERT_TRUE(shim_knows(world.shim, &addr, &peer));
    CU_ASSERT_EQUAL(peer, 8);
    addr.port = 21075; /* a phone */
    CU_ASSERT_FALSE(shim_knows(world.shim, &addr, &peer));
    addr.port = 24000; /* peer 300 is none */
    CU_ASSERT_FALSE(shim_knows(world.shim, &addr, &peer));
    addr = (PealAddr){.ip = {192, 0, 2, 1}, .port = 21070, .family = 4};
    CU_ASSERT_FALSE(shim_knows(world.shim, &addr, &peer));
    world_fini(&world);
}

static void shim_partition_cuts_and_heals(void)
{
    World world;
    PealSpan span;
    uint32_t cut = 0;

    world_init(&world, "latency = constant:20ms", 0);
    CU_ASSERT_TRUE(shim_round_trip(world.shim, 1, &span));
    CU_ASSERT_EQUAL(span.ns, 2 * LATENCY_MS * PEAL_NS_PER_MS);
    shim_partition(world.shim, SCENARIO_PPM / 2, 0);
    for (uint32_t i = 0; i < 258; i++) {
        cut += !shim_round_trip(world.shim, i, &span);
    }
    CU_ASSERT(cut > 0 && cut < 258);
    shim_heal(world.shim);
    CU_ASSERT_EQUAL(send_all(&world, NULL), PACKETS);
    world_fini(&world); /* with all of them under way */
}

static void shim_of_a_peer_that_the_scenario_lacks_is_refused(void)
{
    NodeEmulate emulate = {.peer = 1000};
    g_autoptr(GError) error = NULL;
    World world;

    world_init(&world, "latency = constant:20ms", 0);
    emulate.scenario = world.path;
    CU_ASSERT_PTR_NULL(shim_new(world.loop, &emulate, &error));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, "has peers 0 to 299"));
    world_fini(&world);
}

PEAL_TEST_MAIN("net/shim", PEAL_TEST(shim_holds_packets_for_their_time_under_way),
               PEAL_TEST(shim_keeps_a_stream_in_order_whatever_the_jitter),
               PEAL_TEST(shim_loses_datagrams_and_forgets_those_of_whom_is_gone),
               PEAL_TEST(shim_knows_peers_by_their_ports_and_sources),
               PEAL_TEST(shim_partition_cuts_and_heals),
               PEAL_TEST(shim_of_a_peer_that_the_scenario_lacks_is_refused))
