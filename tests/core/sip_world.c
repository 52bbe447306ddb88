/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip_world.c - see sip_world.h. */
#include "core/sip_world.h"

#include <CUnit/CUnit.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const PealStr domains[] = {{"example.org", 11}};

/* Bytes under way to an adapter or to a phone, or word of a connection's end. */
typedef struct Flight {
    SipWorld *world;
    PealHop hop; /* as the adapter sees it */
    uint32_t adapter;
    SipPhone *phone; /* NULL: to the adapter */
    PealAddr from;
    int conn;
    int error;
    bool end;
    size_t len;
    char text[];
} Flight;

static SipWorld *world_of(MiniPeer *mini)
{
    return mini->world->sip->user;
}

static bool addr_equal(const PealAddr *a, const PealAddr *b)
{
    return a->family == b->family && a->port == b->port &&
           memcmp(a->ip, b->ip, a->family == 4 ? 4 : 16) == 0;
}

static void trace(const PealAddr *from, const PealAddr *to, const char *text, size_t len)
{
    char a[INET6_ADDRSTRLEN];
    char b[INET6_ADDRSTRLEN];

    if (getenv("SIP_WORLD_TRACE") != NULL) {
        printf("# %s:%u > %s:%u\n# ",
               inet_ntop(from->family == 4 ? AF_INET : AF_INET6, from->ip, a, sizeof(a)),
               from->port, inet_ntop(to->family == 4 ? AF_INET : AF_INET6, to->ip, b, sizeof(b)),
               to->port);
        for (size_t i = 0; i < len; i++) {
            printf(text[i] == '\n' ? "\n# " : "%c", text[i]);
        }
        printf("\n");
    }
}

/* Addresses. */

PealAddr sip_world_addr(uint32_t adapter)
{
    return (PealAddr){.ip = {10, 1, (uint8_t)(adapter >> 8), (uint8_t)adapter},
                      .port = 5060,
                      .family = 4};
}

const char *sip_world_host(uint32_t adapter)
{
    static char hosts[MINI_PEERS_MAX][16];

    snprintf(hosts[adapter], sizeof(hosts[adapter]), "10.1.0.%u", adapter & 255);
    return hosts[adapter];
}

static PealAddr addr_six(uint32_t adapter)
{
    return (PealAddr){.ip = {0x20, 1, 0xd, 0xb8, [14] = (uint8_t)(adapter >> 8), (uint8_t)adapter},
                      .port = 5060,
                      .family = 6};
}

PealPeer *sip_world_peer(SipWorld *world, uint32_t adapter)
{
    return world->mini->peers[adapter].peer;
}

static size_t on_addresses(MiniPeer *mini, PealAddr *ret_addrs, size_t max)
{
    size_t len = world_of(mini)->two_families ? 2 : 1;

    CU_ASSERT_FATAL(max >= 2);
    ret_addrs[0] = sip_world_addr(mini->index);
    ret_addrs[1] = addr_six(mini->index);
    return len;
}

static PealAddr local_addr(const MiniPeer *mini, const PealHop *hop)
{
    return hop->local == 0 ? sip_world_addr(mini->index) : addr_six(mini->index);
}

/* The adapter at an address, or peers_len. */
static uint32_t adapter_at(const SipWorld *world, const PealAddr *addr)
{
    uint32_t i = 0;

    for (; i < world->mini->peers_len; i++) {
        PealAddr four = sip_world_addr(i);
        PealAddr six = addr_six(i);

        if (addr_equal(addr, &four) || (world->two_families && addr_equal(addr, &six))) {
            break;
        }
    }
    return i;
}

static SipPhone *phone_at(SipWorld *world, const PealAddr *addr)
{
    for (size_t i = 0; i < world->phones_len; i++) {
        if (addr_equal(&world->phones[i].addr, addr)) {
            return &world->phones[i];
        }
    }
    return NULL;
}

/* Flights. */

static void phone_keep(SipPhone *phone, const Flight *flight, const char *text, size_t len)
{
    SipReceived *received = &phone->inbox[phone->inbox_len];

    CU_ASSERT_FATAL(phone->inbox_len < SIP_INBOX_MAX);
    *received = (SipReceived){malloc(len + 1), len, flight->from, flight->adapter, flight->conn};
    memcpy(received->text, text, len);
    received->text[len] = '\0';
    phone->inbox_len++;
}

static size_t content_length(const char *text, size_t head_len)
{
    for (const char *line = text; line < text + head_len; line = strchr(line, '\n') + 1) {
        if (strncasecmp(line, "Content-Length:", 15) == 0) {
            return strtoul(line + 15, NULL, 10);
        }
        if (strncasecmp(line, "l:", 2) == 0) {
            return strtoul(line + 2, NULL, 10);
        }
    }
    return 0;
}

/* The phone's end of a TCP connection: whole messages, and CRLFs between them as one. */
static void phone_take_stream(const Flight *flight)
{
    SipConn *conn = &flight->world->conns[flight->conn];

    conn->half = realloc(conn->half, conn->half_len + flight->len + 1);
    memcpy(conn->half + conn->half_len, flight->text, flight->len);
    conn->half_len += flight->len;
    while (conn->half_len > 0) {
        const char *blank;
        size_t len;

        conn->half[conn->half_len] = '\0';
        len = strspn(conn->half, "\r\n");
        if (len == 0) {
            blank = strstr(conn->half, "\r\n\r\n");
            if (blank == NULL) {
                return;
            }
            len = (size_t)(blank - conn->half) + 4;
            len += content_length(conn->half, len);
        }
        if (len > conn->half_len) {
            return;
        }
        phone_keep(flight->phone, flight, conn->half, len);
        conn->half_len -= len;
        memmove(conn->half, conn->half + len, conn->half_len);
    }
}

static void land(void *user, bool run)
{
    Flight *flight = user;
    MiniPeer *mini = &flight->world->mini->peers[flight->adapter];

    if (run && flight->conn >= 0 && !flight->world->conns[flight->conn].open && !flight->end) {
        run = false;
    }
    if (run && flight->phone != NULL) {
        if (flight->conn >= 0) {
            phone_take_stream(flight);
        } else {
            phone_keep(flight->phone, flight, flight->text, flight->len);
        }
    } else if (run && mini->alive && flight->end) {
        peal_peer_on_sip_end(mini->peer, &flight->hop, flight->error);
    } else if (run && mini->alive) {
        PealBuf *buf = mini->env.ops->buffer(&mini->env, flight->len);

        memcpy(buf->data, flight->text, flight->len);
        buf->len = (uint32_t)flight->len;
        peal_peer_on_sip_take(mini->peer, &flight->hop, buf);
    }
    free(flight);
}

static void fly(const Flight *flight, const char *text)
{
    Flight *copy = malloc(sizeof(*copy) + flight->len);

    memcpy(copy, flight, sizeof(*copy));
    if (text != NULL) {
        memcpy(copy->text, text, flight->len);
    }
    mini_later(flight->world->mini, flight->world->latency, land, copy);
}

static bool is_lost(SipWorld *world, const PealAddr *from, const PealAddr *to, const char *text,
                    size_t len)
{
    trace(from, to, text, len);
    return world->lose != NULL && world->lose(world->lose_user, from, to, text, len);
}

/* What adapters do. */

static int conn_new(SipWorld *world)
{
    CU_ASSERT_FATAL(world->conns_len < SIP_CONNS_MAX);
    world->conns[world->conns_len] = (SipConn){.open = true, .number = ++world->numbers};
    return (int)world->conns_len++;
}

/* The connection that a hop names, or the one to its address, or a new one; -1: refused. */
static int conn_for(MiniPeer *mini, const PealHop *to)
{
    SipWorld *world = world_of(mini);
    SipPhone *phone = phone_at(world, &to->addr);
    uint32_t other = adapter_at(world, &to->addr);
    int fresh;

    for (size_t i = 0; i < world->conns_len; i++) {
        const SipConn *conn = &world->conns[i];
        bool ours = conn->adapter == mini->index &&
                    (to->conn != 0 ? conn->number == to->conn
                                   : (conn->phone != NULL ? addr_equal(&conn->phone_addr, &to->addr)
                                                          : conn->other == other));
        bool theirs = conn->phone == NULL && conn->other == mini->index && to->conn != 0 &&
                      conn->other_number == to->conn;

        if (conn->open && (ours || theirs)) {
            return (int)i;
        }
    }
    if (to->conn != 0 ||
        ((phone == NULL || !phone->takes_tcp) && other == world->mini->peers_len)) {
        return -1;
    }
    fresh = conn_new(world);
    world->conns[fresh].adapter = mini->index;
    world->conns[fresh].phone = phone;
    world->conns[fresh].phone_addr = to->addr;
    world->conns[fresh].other = other;
    world->conns[fresh].other_number = ++world->numbers;
    return fresh;
}

static void send_stream(MiniPeer *mini, const PealHop *to, const char *text, size_t len)
{
    SipWorld *world = world_of(mini);
    int index = conn_for(mini, to);
    PealAddr from = local_addr(mini, to);
    Flight flight = {
        .world = world, .adapter = mini->index, .conn = index, .from = from, .len = len};

    if (index < 0) {
        flight.hop = *to;
        flight.end = true;
        flight.error = to->conn != 0 ? -PEAL_E_UNREACHABLE : -PEAL_E_REFUSED;
        flight.len = 0;
    } else if (is_lost(world, &from, &to->addr, text, len)) {
        return;
    } else if (world->conns[index].phone != NULL) {
        flight.phone = world->conns[index].phone;
    } else {
        const SipConn *conn = &world->conns[index];
        bool forth = conn->adapter == mini->index;

        flight.adapter = forth ? conn->other : conn->adapter;
        flight.hop = (PealHop){.addr = from,
                               .transport = PEAL_TCP,
                               .local = to->local,
                               .conn = forth ? conn->other_number : conn->number};
        flight.hop.addr.port = forth ? 30000 : 5060;
    }
    fly(&flight, text);
}

static void on_send(MiniPeer *mini, const PealHop *to, const uint8_t *bytes, size_t len)
{
    SipWorld *world = world_of(mini);
    const char *text = (const char *)bytes;
    PealAddr from = local_addr(mini, to);
    uint32_t other = adapter_at(world, &to->addr);
    Flight flight = {.world = world, .adapter = mini->index, .conn = -1, .from = from, .len = len};

    world->messages++;
    if (to->transport == PEAL_TCP) {
        send_stream(mini, to, text, len);
        return;
    }
    CU_ASSERT_EQUAL_FATAL(from.family, to->addr.family);
    flight.phone = phone_at(world, &to->addr);
    if (is_lost(world, &from, &to->addr, text, len)) {
        return;
    }
    if (flight.phone != NULL && flight.phone->refuses) {
        flight.phone = NULL;
        flight.hop = *to;
        flight.end = true;
        flight.error = -PEAL_E_REFUSED;
        flight.len = 0;
    } else if (flight.phone == NULL && other == world->mini->peers_len) {
        return; /* nobody there */
    } else if (flight.phone == NULL) {
        flight.adapter = other;
        flight.hop = (PealHop){.addr = from, .transport = PEAL_UDP, .local = to->local};
    }
    fly(&flight, text);
}

static void on_close(MiniPeer *mini, uint32_t number)
{
    SipWorld *world = world_of(mini);

    for (size_t i = 0; i < world->conns_len; i++) {
        SipConn *conn = &world->conns[i];

        if ((conn->adapter == mini->index && conn->number == number) ||
            (conn->phone == NULL && conn->other == mini->index && conn->other_number == number)) {
            conn->open = false;
        }
    }
}

/* Questions to the world. */

typedef struct Question {
    SipWorld *world;
    uint32_t adapter;
    PealAnswer answer;
} Question;

static void answer(void *user, bool run)
{
    Question *question = user;
    MiniPeer *mini = &question->world->mini->peers[question->adapter];

    if (run && mini->alive) {
        peal_peer_on_answer(mini->peer, &question->answer);
    }
    free(question);
}

static bool same(PealStr a, const char *b)
{
    return a.len == strlen(b) && strncasecmp(a.ptr, b, a.len) == 0;
}

static int on_ask(MiniPeer *mini, const PealAsk *ask)
{
    SipWorld *world = world_of(mini);
    Question *question = malloc(sizeof(*question));

    *question = (Question){.world = world,
                           .adapter = mini->index,
                           .answer = {.token = ask->token, .status = -PEAL_E_NOT_FOUND}};
    for (size_t i = 0; i < world->names_len && ask->kind == PEAL_ASK_RESOLVE; i++) {
        const SipName *name = &world->names[i];

        if (same(ask->name, name->host)) {
            question->answer.status = name->status;
            question->answer.targets = name->targets;
            question->answer.targets_len = name->targets_len;
        }
    }
    for (size_t i = 0; i < world->users_len && ask->kind == PEAL_ASK_PASSWORD; i++) {
        const SipUser *user = &world->users[i];

        if (same(ask->name, user->user) && same(ask->domain, domains[0].ptr)) {
            question->answer.status = 0;
            question->answer.password = (PealStr){user->password, strlen(user->password)};
        }
    }
    if (ask->kind == PEAL_ASK_RESOLVE) {
        world->asked_port = ask->port;
        world->asked_transport = ask->transport;
    }
    world->asks++;
    mini_later(world->mini, world->latency, answer, question);
    return 0;
}

/* The world. */

SipWorld *sip_world_new(uint64_t seed)
{
    SipWorld *world = calloc(1, sizeof(*world));

    world->mini = mini_new(seed);
    world->latency = peal_ms(5);
    world->hooks = (MiniSip){on_addresses, on_send, on_close, on_ask, world};
    world->mini->sip = &world->hooks;
    peal_sip_defaults(&world->config);
    world->config.domains = domains;
    world->config.domains_len = 1;
    return world;
}

void sip_world_adapters(SipWorld *world, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        MiniPeer *mini = mini_peer(world->mini, NULL);

        CU_ASSERT_EQUAL_FATAL(peal_peer_sip(mini->peer, &world->config, (PealBytes){NULL, 0}), 0);
        mini_start(mini);
        mini_run(world->mini, peal_ms(200));
    }
    if (count > 1) {
        mini_run(world->mini, peal_seconds(30));
    }
}

void sip_world_free(SipWorld *world)
{
    mini_free(world->mini);
    for (size_t i = 0; i < world->phones_len; i++) {
        for (size_t m = 0; m < world->phones[i].inbox_len; m++) {
            free(world->phones[i].inbox[m].text);
        }
    }
    for (size_t i = 0; i < world->conns_len; i++) {
        free(world->conns[i].half);
    }
    free(world);
}

void sip_world_run(SipWorld *world, PealSpan span)
{
    mini_run(world->mini, span);
}

/* Phones. */

SipPhone *sip_phone(SipWorld *world, const char *ip, uint16_t port)
{
    SipPhone *phone = &world->phones[world->phones_len++];

    CU_ASSERT_FATAL(world->phones_len <= SIP_PHONES_MAX);
    phone->world = world;
    phone->addr.port = port;
    if (inet_pton(AF_INET, ip, phone->addr.ip) == 1) {
        phone->addr.family = 4;
        snprintf(phone->host, sizeof(phone->host), "%s", ip);
    } else {
        CU_ASSERT_EQUAL_FATAL(inet_pton(AF_INET6, ip, phone->addr.ip), 1);
        phone->addr.family = 6;
        snprintf(phone->host, sizeof(phone->host), "[%s]", ip);
    }
    return phone;
}

void sip_phone_send_from(SipPhone *phone, uint16_t port, uint32_t adapter, const char *text,
                         size_t len)
{
    Flight flight = {.world = phone->world,
                     .hop = {.addr = phone->addr,
                             .transport = PEAL_UDP,
                             .local = phone->addr.family == 6},
                     .adapter = adapter,
                     .conn = -1,
                     .len = len};
    PealAddr to = phone->addr.family == 6 ? addr_six(adapter) : sip_world_addr(adapter);

    if (port != 0) {
        flight.hop.addr.port = port;
    }
    if (!is_lost(phone->world, &flight.hop.addr, &to, text, len)) {
        fly(&flight, text);
    }
}

void sip_phone_send(SipPhone *phone, uint32_t adapter, const char *text)
{
    sip_phone_send_from(phone, 0, adapter, text, strlen(text));
}

int sip_phone_connect(SipPhone *phone, uint32_t adapter)
{
    int index = conn_new(phone->world);
    SipConn *conn = &phone->world->conns[index];

    conn->adapter = adapter;
    conn->phone = phone;
    conn->phone_addr = phone->addr;
    conn->phone_addr.port = (uint16_t)(40000 + index);
    return index;
}

static Flight conn_flight(SipWorld *world, int index)
{
    const SipConn *conn = &world->conns[index];

    return (Flight){.world = world,
                    .hop = {.addr = conn->phone_addr,
                            .transport = PEAL_TCP,
                            .local = conn->phone_addr.family == 6,
                            .conn = conn->number},
                    .adapter = conn->adapter,
                    .conn = index};
}

void sip_conn_send(SipWorld *world, int conn, const char *text, size_t len)
{
    Flight flight = conn_flight(world, conn);
    PealAddr to = sip_world_addr(flight.adapter);

    flight.len = len;
    if (!is_lost(world, &flight.hop.addr, &to, text, len)) {
        fly(&flight, text);
    }
}

void sip_conn_close(SipWorld *world, int conn)
{
    Flight flight = conn_flight(world, conn);

    world->conns[conn].open = false;
    flight.end = true;
    fly(&flight, NULL);
}

const SipReceived *sip_phone_next(SipPhone *phone, PealSpan span)
{
    PealTime until = peal_time_add(phone->world->mini->now, span);

    while (phone->inbox_read == phone->inbox_len && mini_step(phone->world->mini, until)) {
    }
    if (phone->inbox_read == phone->inbox_len) {
        phone->world->mini->now = until;
        return NULL;
    }
    return &phone->inbox[phone->inbox_read++];
}

bool sip_phone_is_quiet(SipPhone *phone, PealSpan span)
{
    const SipReceived *received = sip_phone_next(phone, span);

    if (received != NULL) {
        phone->inbox_read--;
    }
    return received == NULL;
}
