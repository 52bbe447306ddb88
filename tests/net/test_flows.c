/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_flows.c - RELOAD's flows over real sockets on loopback. */
#include "flows.h"

#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "buffer.h"
#include "peal_test.h"
#include "toy_peer.h"

enum { FLOWS = 256, STRANGERS = 200, LARGE = 4 << 20 };

/* Two hosts, as it were. */
typedef struct Pair {
    Loop *loop;
    Tap tap;
    Flows *flows[2];
    PealPeer *peer[2];
    PealAddr addr[2];
    PealTransport transport;
} Pair;

static uint8_t memory[2];

static void pair_init(Pair *pair, PealTransport transport, PealAddr at)
{
    *pair = (Pair){.loop = loop_new(NULL, NULL), .transport = transport};
    for (unsigned i = 0; i < 2; i++) {
        FlowsConfig config = {.loop = pair->loop,
                              .tap = &pair->tap,
                              .transport = transport,
                              .flows_max = FLOWS};

        pair->flows[i] = flows_new(&config);
        pair->peer[i] = toy_peer(&memory[i]);
        CU_ASSERT_EQUAL_FATAL(flows_listen(pair->flows[i], &at, &pair->addr[i]), 0);
        flows_attach(pair->flows[i], pair->peer[i]);
    }
}

static void pair_fini(Pair *pair)
{
    for (unsigned i = 0; i < 2; i++) {
        flows_free(pair->flows[i]);
    }
    loop_free(pair->loop);
    toy_clear();
    CU_ASSERT_EQUAL(buffer_total(), 0);
}

/* Opens a flow from the first to the second, and sends over it. Returns its name at the opener. */
static PealFlow open_and_send(Pair *pair, const char *text)
{
    PealTarget to = {pair->addr[1], pair->transport};
    size_t ups = toy_count(TOY_UP, pair->peer[0]);
    size_t pieces = toy_count(TOY_BYTES, pair->peer[1]);
    PealFlow flow;

    CU_ASSERT_EQUAL_FATAL(flows_open(pair->flows[0], &to, &flow), 0);
    CU_ASSERT_EQUAL(toy_count(TOY_UP, pair->peer[0]), ups);
    CU_ASSERT_TRUE_FATAL(toy_wait(pair->loop, TOY_UP, pair->peer[0], ups + 1));
    CU_ASSERT_TRUE(toy_last(TOY_UP, pair->peer[0])->opened);
    flows_send_take(pair->flows[0], flow, toy_frame(text));
    CU_ASSERT_TRUE_FATAL(toy_wait(pair->loop, TOY_BYTES, pair->peer[1], pieces + 1));
    return flow;
}

static void carry_both_ways(PealTransport transport, PealAddr at)
{
    Pair pair;
    PealFlow here;
    PealFlow there;

    pair_init(&pair, transport, at);
    here = open_and_send(&pair, "to there");
    CU_ASSERT_EQUAL(toy_count(TOY_UP, pair.peer[1]), 1);
    CU_ASSERT_FALSE(toy_last(TOY_UP, pair.peer[1])->opened);
    there = toy_last(TOY_BYTES, pair.peer[1])->flow;
    flows_send_take(pair.flows[1], there, toy_frame("and back"));
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_BYTES, pair.peer[0], 1));
    CU_ASSERT_EQUAL(toy_last(TOY_BYTES, pair.peer[0])->flow.index, here.index);
    CU_ASSERT_EQUAL(toy_last(TOY_BYTES, pair.peer[0])->len, toy_last(TOY_BYTES, pair.peer[1])->len);
    CU_ASSERT_EQUAL(flows_len(pair.flows[0]), 1);
    CU_ASSERT_EQUAL(flows_len(pair.flows[1]), 1);
    pair_fini(&pair);
}

static void flow_over_udp_carries_datagrams_both_ways(void)
{
    carry_both_ways(PEAL_UDP, toy_loopback(0));
}

static void flow_over_tcp_carries_bytes_both_ways(void)
{
    carry_both_ways(PEAL_TCP, toy_loopback(0));
}

static bool has_ipv6(void)
{
    struct sockaddr_storage name;
    const PealAddr loopback = {.ip = {[15] = 1}, .family = 6};
    socklen_t len = address_to_system(&loopback, &name);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    bool good = fd >= 0 && bind(fd, (struct sockaddr *)&name, len) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return good;
}

static void flow_over_ipv6_carries_both_ways(void)
{
    if (!has_ipv6()) {
        PEAL_SKIP("this host has no IPv6");
    }
    carry_both_ways(PEAL_UDP, (PealAddr){.ip = {[15] = 1}, .family = 6});
    carry_both_ways(PEAL_TCP, (PealAddr){.ip = {[15] = 1}, .family = 6});
}

static void flow_to_a_wildcard_is_answered_from_the_address_it_came_to(void)
{
    Pair pair;

    pair_init(&pair, PEAL_UDP, (PealAddr){.family = 4});
    pair.addr[1].ip[0] = 127;
    pair.addr[1].ip[3] = 77; /* a connected socket hears nobody else */
    open_and_send(&pair, "to there");
    flows_send_take(pair.flows[1], toy_last(TOY_BYTES, pair.peer[1])->flow, toy_frame("back"));
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_BYTES, pair.peer[0], 1));
    pair_fini(&pair);
}

static void flow_indices_are_the_lowest_free_ones_and_generations_change(void)
{
    Pair pair;
    PealFlow flow[3];
    PealFlow again;

    pair_init(&pair, PEAL_UDP, toy_loopback(0));
    for (unsigned i = 0; i < 3; i++) {
        flow[i] = open_and_send(&pair, "x");
        CU_ASSERT_EQUAL(flow[i].index, i);
    }
    CU_ASSERT_EQUAL(flows_len(pair.flows[1]), 3); /* each a flow of its own there */
    flows_close(pair.flows[0], flow[1]);
    again = open_and_send(&pair, "y");
    CU_ASSERT_EQUAL(again.index, 1);
    CU_ASSERT_NOT_EQUAL(again.generation, flow[1].generation);
    flows_send_take(pair.flows[0], flow[1], toy_frame("late")); /* by the name of old: nowhere */
    flows_close(pair.flows[0], flow[1]);
    CU_ASSERT_EQUAL(flows_len(pair.flows[0]), 3);
    CU_ASSERT_EQUAL(toy_count(TOY_DOWN, NULL), 0);
    pair_fini(&pair);
}

static void go_down_when_refused(PealTransport transport)
{
    Pair pair;
    PealFlow flow;
    PealTarget nobody;

    pair_init(&pair, transport, toy_loopback(0));
    flows_free(pair.flows[1]);
    pair.flows[1] = NULL;
    nobody = (PealTarget){pair.addr[1], transport};
    CU_ASSERT_EQUAL_FATAL(flows_open(pair.flows[0], &nobody, &flow), 0);
    if (transport == PEAL_UDP) {
        CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_UP, pair.peer[0], 1));
        flows_send_take(pair.flows[0], flow, toy_frame("anybody?"));
    }
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_DOWN, pair.peer[0], 1));
    CU_ASSERT_EQUAL(flows_len(pair.flows[0]), 0);
    pair_fini(&pair);
}

static void flow_to_where_nobody_listens_goes_down(void)
{
    go_down_when_refused(PEAL_UDP);
    go_down_when_refused(PEAL_TCP);
}

static void flow_accepted_goes_down_when_its_opener_is_gone(void)
{
    Pair pair;
    PealFlow flow;

    pair_init(&pair, PEAL_UDP, toy_loopback(0));
    flow = open_and_send(&pair, "to there");
    flows_close(pair.flows[0], flow);
    flows_send_take(pair.flows[1], toy_last(TOY_BYTES, pair.peer[1])->flow, toy_frame("back"));
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_DOWN, pair.peer[1], 1));
    CU_ASSERT_EQUAL(flows_len(pair.flows[1]), 0);
    pair_fini(&pair);
}

static void flow_to_no_address_is_unreachable(void)
{
    static const PealAddr BAD[] = {{.family = 0, .port = 1},
                                   {.family = 4, .port = 1},
                                   {.family = 4, .ip = {127, 0, 0, 1}},
                                   {.family = 4, .ip = {224, 0, 0, 1}, .port = 1},
                                   {.family = 6, .ip = {[15] = 1}, .port = 1}};
    Pair pair;
    PealFlow flow;

    pair_init(&pair, PEAL_UDP, toy_loopback(0));
    for (size_t i = 0; i < G_N_ELEMENTS(BAD); i++) {
        CU_ASSERT_EQUAL(flows_open(pair.flows[0], &(PealTarget){BAD[i], PEAL_UDP}, &flow),
                        -PEAL_E_UNREACHABLE);
    }
    CU_ASSERT_EQUAL(flows_open(pair.flows[0], &(PealTarget){pair.addr[1], PEAL_TCP}, &flow),
                    -PEAL_E_UNREACHABLE);
    CU_ASSERT_EQUAL(flows_len(pair.flows[0]), 0);
    pair_fini(&pair);
}

static void flow_closed_over_tcp_goes_down_at_the_other_end_after_its_bytes(void)
{
    Pair pair;
    PealFlow flow;
    size_t before;

    pair_init(&pair, PEAL_TCP, toy_loopback(0));
    flow = open_and_send(&pair, "first");
    before = toy_bytes(pair.peer[1]);
    flows_send_take(pair.flows[0], flow, toy_frame("last words"));
    flows_close(pair.flows[0], flow);
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_DOWN, pair.peer[1], 1));
    CU_ASSERT(toy_bytes(pair.peer[1]) > before);
    CU_ASSERT_EQUAL(flows_len(pair.flows[1]), 0);
    CU_ASSERT_EQUAL(toy_count(TOY_DOWN, pair.peer[0]), 0);
    pair_fini(&pair);
}

/* A socket of somebody who is no peer. */
static int stranger(int type, const PealAddr *to)
{
    struct sockaddr_storage name;
    socklen_t len = address_to_system(to, &name);
    int fd = socket(AF_INET, type, 0);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&name, len), 0);
    return fd;
}

static void flow_whose_other_end_does_not_read_ends(void)
{
    Pair pair;
    uint8_t chunk[65536] = {128};
    int fd;

    pair_init(&pair, PEAL_TCP, toy_loopback(0));
    fd = stranger(SOCK_STREAM, &pair.addr[1]);
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_UP, pair.peer[1], 1));
    for (size_t sent = 0; sent < 4 * (size_t)LARGE; sent += sizeof(chunk)) {
        flows_send_take(pair.flows[1], toy_last(TOY_UP, pair.peer[1])->flow,
                        buffer_copy(chunk, sizeof(chunk)));
    }
    CU_ASSERT(buffer_total() < LARGE);
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_DOWN, pair.peer[1], 1));
    CU_ASSERT_EQUAL(flows_len(pair.flows[1]), 0);
    close(fd);
    pair_fini(&pair);
}

static void flow_of_strangers_gives_way_to_the_next_and_named_ones_stay(void)
{
    Pair pair;
    int fds[STRANGERS];
    PealFlow named;

    pair_init(&pair, PEAL_UDP, toy_loopback(0));
    open_and_send(&pair, "a peer");
    named = toy_last(TOY_UP, pair.peer[1])->flow;
    flows_identified(pair.flows[1], named.index);
    for (unsigned i = 0; i < STRANGERS; i++) {
        PealBuf *frame = toy_frame("who knows");

        fds[i] = stranger(SOCK_DGRAM, &pair.addr[1]);
        CU_ASSERT_EQUAL(send(fds[i], frame->data, frame->len, 0), (ssize_t)frame->len);
        buffer_free(frame);
        CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_UP, pair.peer[1], i + 2));
    }
    CU_ASSERT_EQUAL(flows_len(pair.flows[1]), 1 + FLOWS / 8);
    CU_ASSERT_EQUAL(toy_count(TOY_DOWN, pair.peer[1]), STRANGERS - FLOWS / 8);
    flows_send_take(pair.flows[1], named, toy_frame("still there"));
    CU_ASSERT_TRUE(toy_wait(pair.loop, TOY_BYTES, pair.peer[0], 1));
    for (unsigned i = 0; i < STRANGERS; i++) {
        close(fds[i]);
    }
    pair_fini(&pair);
}

static void flow_begins_with_a_frame_and_not_with_junk(void)
{
    static const char *const JUNK[] = {"", "\n\n", "OPTIONS sip:x SIP/2.0\r\n\r\n",
                                       "\x81\x00\x00\x00\x01\x00\x00\x00\x00"};
    Pair pair;
    int fd;

    pair_init(&pair, PEAL_UDP, toy_loopback(0));
    fd = stranger(SOCK_DGRAM, &pair.addr[1]);
    for (size_t i = 0; i < G_N_ELEMENTS(JUNK); i++) {
        CU_ASSERT(send(fd, JUNK[i], i == 3 ? 9 : strlen(JUNK[i]), 0) >= 0);
    }
    toy_settle(pair.loop);
    CU_ASSERT_EQUAL(flows_len(pair.flows[1]), 0);
    CU_ASSERT_EQUAL(toy_count(TOY_UP, pair.peer[1]), 0);
    close(fd);
    pair_fini(&pair);
}

PEAL_TEST_MAIN("net/flows", PEAL_TEST(flow_over_udp_carries_datagrams_both_ways),
               PEAL_TEST(flow_over_tcp_carries_bytes_both_ways),
               PEAL_TEST(flow_over_ipv6_carries_both_ways),
               PEAL_TEST(flow_to_a_wildcard_is_answered_from_the_address_it_came_to),
               PEAL_TEST(flow_indices_are_the_lowest_free_ones_and_generations_change),
               PEAL_TEST(flow_to_where_nobody_listens_goes_down),
               PEAL_TEST(flow_accepted_goes_down_when_its_opener_is_gone),
               PEAL_TEST(flow_to_no_address_is_unreachable),
               PEAL_TEST(flow_closed_over_tcp_goes_down_at_the_other_end_after_its_bytes),
               PEAL_TEST(flow_whose_other_end_does_not_read_ends),
               PEAL_TEST(flow_of_strangers_gives_way_to_the_next_and_named_ones_stay),
               PEAL_TEST(flow_begins_with_a_frame_and_not_with_junk))
