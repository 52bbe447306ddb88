/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sip_sockets.c - SIP's hops over real sockets on loopback. */
#include "sip_sockets.h"

#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "buffer.h"
#include "peal_test.h"
#include "toy_peer.h"

enum { EACH = 4, CONNECTIONS = 6 };

typedef struct Adapter {
    Loop *loop;
    Tap tap;
    SipSockets *sockets;
    PealPeer *peer;
    PealAddr addr;
} Adapter;

static uint8_t memory[1];

static void adapter_init_gated(Adapter *adapter, bool gated)
{
    const bool own[] = {true};
    SipSocketsConfig config = {.tap = &adapter->tap,
                               .gated = gated,
                               .connections_max = CONNECTIONS,
                               .connections_each = EACH};

    *adapter = (Adapter){.loop = loop_new(NULL, NULL), .peer = toy_peer(memory)};
    config.loop = adapter->loop;
    adapter->sockets = sip_sockets_new(&config);
    CU_ASSERT_EQUAL_FATAL(sip_sockets_listen(adapter->sockets,
                                             &(PealAddr){.ip = {127, 0, 0, 1}, .family = 4},
                                             &adapter->addr),
                          0);
    sip_sockets_advertise(adapter->sockets, &adapter->addr, own, 1);
    sip_sockets_attach(adapter->sockets, adapter->peer);
}

static void adapter_init(Adapter *adapter)
{
    adapter_init_gated(adapter, false);
}

static void adapter_fini(Adapter *adapter)
{
    sip_sockets_free(adapter->sockets);
    loop_free(adapter->loop);
    toy_clear();
    CU_ASSERT_EQUAL(buffer_total(), 0);
}

/* A phone's socket, connected to the adapter. */
static int phone(const Adapter *adapter, int type, const char *from)
{
    struct sockaddr_storage name;
    PealAddr source = {0};
    socklen_t len;
    int fd = socket(AF_INET, type, 0);

    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_TRUE(address_parse_ip((PealStr){from, strlen(from)}, 0, &source));
    len = address_to_system(&source, &name);
    CU_ASSERT_EQUAL(bind(fd, (struct sockaddr *)&name, len), 0);
    len = address_to_system(&adapter->addr, &name);
    CU_ASSERT_EQUAL(connect(fd, (struct sockaddr *)&name, len), 0);
    return fd;
}

static PealAddr address_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t len = sizeof(name);

    CU_ASSERT_EQUAL(getsockname(fd, (struct sockaddr *)&name, &len), 0);
    return address_from_system(&name);
}

/* What a phone reads; the loop runs until it is there. */
static bool can_read(void *user)
{
    char byte;

    return recv(*(int *)user, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static void expect(Adapter *adapter, int fd, const char *text)
{
    char read[64] = {0};

    CU_ASSERT_TRUE_FATAL(toy_until(adapter->loop, can_read, &fd));
    CU_ASSERT_EQUAL(recv(fd, read, sizeof(read) - 1, 0), (ssize_t)strlen(text));
    CU_ASSERT_STRING_EQUAL(read, text);
}

static void say(int fd, const char *text)
{
    CU_ASSERT_EQUAL(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static void sip_datagram_comes_with_its_hop_and_is_answered_from_the_same_socket(void)
{
    Adapter adapter;
    PealAddr there;
    PealHop hop;
    int fd;

    adapter_init(&adapter);
    fd = phone(&adapter, SOCK_DGRAM, "127.0.0.1");
    there = address_of(fd);
    say(fd, "REGISTER");
    CU_ASSERT_TRUE_FATAL(toy_wait(adapter.loop, TOY_SIP, adapter.peer, 1));
    hop = toy_last(TOY_SIP, adapter.peer)->hop;
    CU_ASSERT_STRING_EQUAL(toy_last(TOY_SIP, adapter.peer)->text, "REGISTER");
    CU_ASSERT_TRUE(address_equal(&hop.addr, &there));
    CU_ASSERT_EQUAL(hop.transport, PEAL_UDP);
    CU_ASSERT_EQUAL(hop.conn, 0);
    sip_sockets_send_take(adapter.sockets, &hop, toy_text("200"));
    expect(&adapter, fd, "200"); /* a connected socket hears nobody else */
    hop.addr.port = 0;
    sip_sockets_send_take(adapter.sockets, &hop, toy_text("404"));
    CU_ASSERT_EQUAL(sip_sockets_sent(adapter.sockets)->messages, 1);
    CU_ASSERT_EQUAL(sip_sockets_sent(adapter.sockets)->bytes, 3);
    CU_ASSERT_EQUAL(sip_sockets_sent(adapter.sockets)->lost, 1);
    close(fd);
    adapter_fini(&adapter);
}

static void sip_connection_has_a_number_that_answers_go_by(void)
{
    Adapter adapter;
    PealHop hop;
    PealHop other;
    int fd[2];

    adapter_init(&adapter);
    for (unsigned i = 0; i < 2; i++) {
        fd[i] = phone(&adapter, SOCK_STREAM, "127.0.0.1");
    }
    say(fd[0], "one");
    CU_ASSERT_TRUE_FATAL(toy_wait(adapter.loop, TOY_SIP, adapter.peer, 1));
    hop = toy_last(TOY_SIP, adapter.peer)->hop;
    say(fd[1], "two");
    CU_ASSERT_TRUE_FATAL(toy_wait(adapter.loop, TOY_SIP, adapter.peer, 2));
    other = toy_last(TOY_SIP, adapter.peer)->hop;
    CU_ASSERT_EQUAL(hop.transport, PEAL_TCP);
    CU_ASSERT_NOT_EQUAL(hop.conn, 0);
    CU_ASSERT_NOT_EQUAL(other.conn, hop.conn);
    sip_sockets_send_take(adapter.sockets, &hop, toy_text("for one"));
    expect(&adapter, fd[0], "for one");
    other.conn = 0; /* whichever leads there */
    sip_sockets_send_take(adapter.sockets, &other, toy_text("for two"));
    expect(&adapter, fd[1], "for two");
    CU_ASSERT_EQUAL(sip_sockets_connections(adapter.sockets), 2);
    close(fd[0]);
    close(fd[1]);
    adapter_fini(&adapter);
}

static void sip_end_is_told_once_and_what_is_sent_afterwards_is_too(void)
{
    Adapter adapter;
    PealHop hop;
    int fd;

    adapter_init(&adapter);
    fd = phone(&adapter, SOCK_STREAM, "127.0.0.1");
    say(fd, "hello");
    CU_ASSERT_TRUE_FATAL(toy_wait(adapter.loop, TOY_SIP, adapter.peer, 1));
    hop = toy_last(TOY_SIP, adapter.peer)->hop;
    close(fd);
    CU_ASSERT_TRUE_FATAL(toy_wait(adapter.loop, TOY_SIP_END, adapter.peer, 1));
    CU_ASSERT_EQUAL(toy_last(TOY_SIP_END, adapter.peer)->hop.conn, hop.conn);
    CU_ASSERT_EQUAL(toy_last(TOY_SIP_END, adapter.peer)->error, 0);
    sip_sockets_send_take(adapter.sockets, &hop, toy_text("too late"));
    CU_ASSERT_EQUAL(toy_count(TOY_SIP_END, adapter.peer), 1); /* not from inside the call */
    CU_ASSERT_TRUE(toy_wait(adapter.loop, TOY_SIP_END, adapter.peer, 2));
    CU_ASSERT_EQUAL(toy_last(TOY_SIP_END, adapter.peer)->error, -PEAL_E_UNREACHABLE);
    CU_ASSERT_EQUAL(sip_sockets_connections(adapter.sockets), 0);
    adapter_fini(&adapter);
}

static void sip_to_where_nobody_listens_is_refused(void)
{
    Adapter adapter;
    PealHop hop = {.transport = PEAL_TCP};
    int fd;

    adapter_init(&adapter);
    fd = phone(&adapter, SOCK_DGRAM, "127.0.0.1");
    hop.addr = address_of(fd);
    close(fd);
    sip_sockets_send_take(adapter.sockets, &hop, toy_text("INVITE"));
    CU_ASSERT_TRUE_FATAL(toy_wait(adapter.loop, TOY_SIP_END, adapter.peer, 1));
    CU_ASSERT_EQUAL(toy_last(TOY_SIP_END, adapter.peer)->error, -PEAL_E_REFUSED);
    CU_ASSERT_EQUAL(toy_last(TOY_SIP_END, adapter.peer)->hop.conn, 0);
    hop.transport = PEAL_UDP;
    sip_sockets_send_take(adapter.sockets, &hop, toy_text("INVITE"));
    CU_ASSERT_TRUE_FATAL(toy_wait(adapter.loop, TOY_SIP_END, adapter.peer, 2));
    CU_ASSERT_EQUAL(toy_last(TOY_SIP_END, adapter.peer)->error, -PEAL_E_REFUSED);
    CU_ASSERT_TRUE(address_equal(&toy_last(TOY_SIP_END, adapter.peer)->hop.addr, &hop.addr));
    adapter_fini(&adapter);
}

static void sip_connection_is_opened_where_none_leads_there(void)
{
    Adapter here;
    PealHop hop = {.transport = PEAL_TCP};
    struct sockaddr_storage name;
    const PealAddr loopback = {.ip = {127, 0, 0, 1}, .family = 4};
    socklen_t len = address_to_system(&loopback, &name);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    int fd;

    adapter_init(&here);
    CU_ASSERT_EQUAL(bind(server, (struct sockaddr *)&name, len), 0);
    CU_ASSERT_EQUAL(listen(server, 1), 0);
    hop.addr = address_of(server);
    sip_sockets_send_take(here.sockets, &hop, toy_text("INVITE "));
    sip_sockets_send_take(here.sockets, &hop, toy_text("sip:x")); /* over the same one */
    toy_settle(here.loop);
    fd = accept(server, NULL, NULL);
    expect(&here, fd, "INVITE sip:x");
    CU_ASSERT_EQUAL(sip_sockets_connections(here.sockets), 1);
    say(fd, "100");
    CU_ASSERT_TRUE_FATAL(toy_wait(here.loop, TOY_SIP, here.peer, 1));
    CU_ASSERT_TRUE(address_equal(&toy_last(TOY_SIP, here.peer)->hop.addr, &hop.addr));
    sip_sockets_send_take(here.sockets, &toy_last(TOY_SIP, here.peer)->hop, toy_text("bye"));
    sip_sockets_close(here.sockets, toy_last(TOY_SIP, here.peer)->hop.conn);
    expect(&here, fd, "bye"); /* what was sent still goes */
    expect(&here, fd, "");
    CU_ASSERT_EQUAL(toy_count(TOY_SIP_END, here.peer), 0);
    close(fd);
    close(server);
    adapter_fini(&here);
}

static void sip_connections_of_one_address_and_of_all_are_bounded(void)
{
    Adapter adapter;
    int fds[2 * CONNECTIONS];

    adapter_init(&adapter);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        fds[i] = phone(&adapter, SOCK_STREAM, "127.0.0.1");
    }
    toy_settle(adapter.loop);
    CU_ASSERT_EQUAL(sip_sockets_connections(adapter.sockets), EACH);
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        fds[CONNECTIONS + i] = phone(&adapter, SOCK_STREAM, "127.0.0.2");
    }
    toy_settle(adapter.loop);
    CU_ASSERT_EQUAL(sip_sockets_connections(adapter.sockets), CONNECTIONS);
    say(fds[0], "still served");
    CU_ASSERT_TRUE(toy_wait(adapter.loop, TOY_SIP, adapter.peer, 1));
    for (unsigned i = 0; i < G_N_ELEMENTS(fds); i++) {
        close(fds[i]);
    }
    adapter_fini(&adapter);
}

static void sip_of_a_gated_peer_comes_with_the_time_it_waited_or_not_at_all(void)
{
    enum { WAITED_MS = 30, TRIES = 50 };
    Adapter adapter;
    int fd;

    adapter_init_gated(&adapter, true);
    fd = phone(&adapter, SOCK_DGRAM, "127.0.0.1");
    say(fd, "!away");
    /* The kernel begins to stamp datagrams some time after it was asked to. */
    for (size_t n = 1; n <= TRIES && toy_waited().ns < peal_ms(WAITED_MS).ns; n++) {
        say(fd, "in");
        g_usleep(WAITED_MS * 1000);
        CU_ASSERT_TRUE(toy_wait(adapter.loop, TOY_SIP, adapter.peer, n));
        CU_ASSERT_STRING_EQUAL(toy_last(TOY_SIP, adapter.peer)->text, "in");
    }
    CU_ASSERT_TRUE(toy_waited().ns >= peal_ms(WAITED_MS).ns);
    close(fd);
    adapter_fini(&adapter);
}

PEAL_TEST_MAIN("net/sip_sockets",
               PEAL_TEST(sip_of_a_gated_peer_comes_with_the_time_it_waited_or_not_at_all),
               PEAL_TEST(sip_datagram_comes_with_its_hop_and_is_answered_from_the_same_socket),
               PEAL_TEST(sip_connection_has_a_number_that_answers_go_by),
               PEAL_TEST(sip_end_is_told_once_and_what_is_sent_afterwards_is_too),
               PEAL_TEST(sip_to_where_nobody_listens_is_refused),
               PEAL_TEST(sip_connection_is_opened_where_none_leads_there),
               PEAL_TEST(sip_connections_of_one_address_and_of_all_are_bounded))
