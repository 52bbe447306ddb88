/* SPDX-License-Identifier: GPL-3.0-or-later */
/* siphop.c - see siphop.h. */
#include "siphop.h"

#include <arpa/inet.h>

#include "fingerprint.h"
#include "world.h"

enum { DYNAMIC_PORT_FIRST = 49152, DYNAMIC_PORTS = 16384, DOMAIN_TARGETS = 3, HOST_MAX = 64 };

/* Where SIP is heard: a port at a peer's address. */
typedef struct SipEnd {
    uint32_t peer;
    uint32_t port;
} SipEnd;

typedef struct SipConn {
    SipEnd ends[2];   /* opener, acceptor */
    PealTime ready;   /* the opener's handshake is over */
    PealTime last[2]; /* arrival of what each end sent last */
    uint32_t number;
    bool closed[2]; /* by that end */
} SipConn;

/* Packets that carry no message carry one of these in their data. */
typedef struct SipEndNote {
    PealHop hop;   /* as the end that hears of it knows it */
    uint32_t conn; /* that ends with it, or 0 */
    int error;
} SipEndNote;

typedef struct SipAnswerNote {
    uint64_t token;
    int status;
    uint32_t targets_len;
    PealTarget targets[DOMAIN_TARGETS];
} SipAnswerNote;

static guint hash_ends(gconstpointer key)
{
    const SipConn *conn = key;
    uint64_t here = (uint64_t)conn->ends[0].peer << 16 | conn->ends[0].port;
    uint64_t there = (uint64_t)conn->ends[1].peer << 16 | conn->ends[1].port;

    return (guint)((here * UINT64_C(0x9E3779B97F4A7C15) ^ there * UINT64_C(0xD1B54A32D192ED03)) >>
                   32);
}

static bool same_end(const SipEnd *a, const SipEnd *b)
{
    return a->peer == b->peer && a->port == b->port;
}

static gboolean equal_ends(gconstpointer a, gconstpointer b)
{
    const SipConn *one = a;
    const SipConn *other = b;

    return same_end(&one->ends[0], &other->ends[0]) && same_end(&one->ends[1], &other->ends[1]);
}

void siphop_init(SipHops *hops)
{
    hops->by_number = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
    hops->by_ends = g_hash_table_new(hash_ends, equal_ends);
    hops->numbers = 0;
}

void siphop_fini(SipHops *hops)
{
    g_hash_table_destroy(hops->by_ends);
    g_hash_table_destroy(hops->by_number);
}

/* Connections. */

/* Which end of a connection this is; -1 when it is none, or has closed it. */
static int conn_end(const SipConn *conn, const SipEnd *end)
{
    for (int i = 0; conn != NULL && i < 2; i++) {
        if (same_end(&conn->ends[i], end) && !conn->closed[i]) {
            return i;
        }
    }
    return -1;
}

static SipConn *conn_find(const World *world, uint32_t number)
{
    return g_hash_table_lookup(world->sip_hops.by_number, GUINT_TO_POINTER(number));
}

/* Nobody shall find it by its ends any more, for another connection may take its place. */
static void conn_hide(World *world, const SipConn *conn)
{
    if (g_hash_table_lookup(world->sip_hops.by_ends, conn) == conn) {
        g_hash_table_remove(world->sip_hops.by_ends, conn);
    }
}

static void conn_remove(World *world, const SipConn *conn)
{
    conn_hide(world, conn);
    g_hash_table_remove(world->sip_hops.by_number, GUINT_TO_POINTER(conn->number)); /* frees it */
}

/* From end to end without what the network adds. */
static PealSpan way(const World *world, const SipEnd *from, const SipEnd *to)
{
    bool phone = from->port != WORLD_SIP_PORT || to->port != WORLD_SIP_PORT;
    PealSpan span = {phone || from->peer == to->peer ? NETWORK_FLOOR.ns : 0};

    if (from->peer != to->peer) {
        span.ns += network_one_way(world->network, from->peer, to->peer).ns;
    }
    return span;
}

/* The one that leads there, or a new one. */
static SipConn *conn_to(World *world, const SipEnd *from, const SipEnd *to)
{
    SipHops *hops = &world->sip_hops;
    SipConn like = {.ends = {*from, *to}};
    SipConn *conn = g_hash_table_lookup(hops->by_ends, &like);

    if (conn == NULL) {
        conn = g_memdup2(&like, sizeof(like));
        conn->number = ++hops->numbers;
        conn->ready = peal_time_add(world->now, (PealSpan){2 * way(world, from, to).ns});
        g_hash_table_insert(hops->by_number, GUINT_TO_POINTER(conn->number), conn);
        g_hash_table_add(hops->by_ends, conn);
    }
    return conn;
}

/* The port that an end shows: an opener's is any. */
static uint16_t wire_port(const SipEnd *end, uint32_t conn, bool opener)
{
    return opener ? (uint16_t)(DYNAMIC_PORT_FIRST + conn % DYNAMIC_PORTS) : (uint16_t)end->port;
}

/* An end as the other one knows it. */
static PealHop hop_to(const SipEnd *end, uint32_t conn, bool opener)
{
    PealHop hop = {.addr = world_addr(end->peer),
                   .transport = conn != 0 ? PEAL_TCP : PEAL_UDP,
                   .conn = conn};

    hop.addr.port = wire_port(end, conn, opener);
    return hop;
}

static void post_note(World *world, SimPeer *peer, PacketType type, const SipEnd *to, PealTime at,
                      PealBytes note)
{
    Packet *packet = packet_new(&world->packets, note.len);

    packet->type = (uint16_t)type;
    packet->to = (PealFlow){(uint16_t)to->port, world_peer(world, to->peer)->life};
    memcpy(packet->buf.data, note.ptr, note.len);
    packet->buf.len = (uint32_t)note.len;
    world_post(world, peer, to->peer, at, packet);
}

/* Tells an end that a hop is no more. */
static void post_end(World *world, SimPeer *peer, const SipEnd *to, PealTime at,
                     const SipEndNote *note)
{
    post_note(world, peer, PACKET_SIP_END, to, at,
              (PealBytes){(const uint8_t *)note, sizeof(*note)});
}

/* Sending. */

static void lose(World *world, Packet *packet)
{
    world->totals.counter[RECORDER_SIP_LOST]++;
    packet_free(&world->packets, packet);
}

/* What the network makes of a packet. Returns whether it arrives. */
static bool pass(World *world, SimPeer *peer, const SipEnd *to, const Packet *packet,
                 PealSpan *delay)
{
    bool stream = packet->transport == PEAL_TCP;
    NetworkFrame frame = {.from = peer->index,
                          .to = to->peer,
                          .bytes = packet->buf.len +
                                   (uint32_t)(stream ? PACKET_TCP_OVERHEAD : PACKET_UDP_OVERHEAD),
                          .number = peer->sequence,
                          .one_way = *delay,
                          .now = world->now,
                          .lossless = stream};

    if (world->plain || peer->index == to->peer ||
        network_send(world->network, &frame, delay) == NETWORK_ARRIVES) {
        return true;
    }
    peer->sequence++; /* a lost frame's number is spent too, or the next would share its fate */
    return false;
}

static void send_datagram(World *world, SimPeer *peer, const SipEnd *from, const SipEnd *to,
                          Packet *packet)
{
    PealSpan delay = way(world, from, to);

    if (pass(world, peer, to, packet, &delay)) {
        world_post(world, peer, to->peer, peal_time_add(world->now, delay), packet);
    } else {
        lose(world, packet);
    }
}

static void send_stream(World *world, SimPeer *peer, SipConn *conn, int end, Packet *packet)
{
    const SipEnd *from = &conn->ends[end];
    const SipEnd *to = &conn->ends[1 - end];
    PealSpan delay = way(world, from, to);
    PealTime at = world->now;

    packet->to = (PealFlow){(uint16_t)to->port, 0};
    packet->opener = end == 0;
    packet->buf.serial = conn->number;
    if (!pass(world, peer, to, packet, &delay)) {
        const SipEndNote note = {hop_to(to, conn->number, end != 0), conn->number, -PEAL_E_TIMEOUT};

        post_end(world, peer, from, peal_time_add(world->now, FLOW_USER_TIMEOUT), &note);
        lose(world, packet);
        return;
    }
    if (end == 0 && conn->ready.ns > at.ns) {
        at = conn->ready;
    }
    at = peal_time_add(at, delay);
    at.ns = MAX(at.ns, conn->last[end].ns);
    conn->last[end] = at;
    world_post(world, peer, to->peer, at, packet);
}

/* What was sent on a connection that is no more, or to where there is nothing. */
static void send_nowhere(World *world, SimPeer *peer, const SipEnd *from, const PealHop *to,
                         Packet *packet)
{
    const SipEndNote note = {.hop = *to, .error = -PEAL_E_UNREACHABLE};

    if (to->transport == PEAL_TCP) {
        post_end(world, peer, from, world->now, &note);
    }
    lose(world, packet);
}

void siphop_send_take(World *world, SimPeer *peer, uint16_t port, const PealHop *to, PealBuf *buf)
{
    Packet *packet = packet_of(buf);
    const SipEnd from = {peer->index, port};
    SipEnd there = {.port = to->addr.port};
    bool known = world_addr_host(world, &to->addr, &there.peer);
    SipConn *conn = NULL;
    int end;

    packet->type = PACKET_SIP;
    packet->transport = to->transport;
    packet->from = (PealFlow){port, 0};
    packet->to = (PealFlow){to->addr.port, 0};
    if (to->transport == PEAL_UDP && known) {
        send_datagram(world, peer, &from, &there, packet);
        return;
    }
    if (to->transport == PEAL_TCP && to->conn != 0) {
        conn = conn_find(world, to->conn);
    } else if (to->transport == PEAL_TCP && known) {
        conn = conn_to(world, &from, &there);
    }
    end = conn_end(conn, &from);
    if (end >= 0) {
        send_stream(world, peer, conn, end, packet);
    } else {
        send_nowhere(world, peer, &from, to, packet);
    }
}

/* The other end hears of it behind what is under way to it. */
void siphop_close(World *world, SimPeer *peer, uint16_t port, uint32_t number)
{
    const SipEnd from = {peer->index, port};
    SipConn *conn = conn_find(world, number);
    int end = conn_end(conn, &from);
    PealTime at;

    if (end < 0) {
        return;
    }
    conn_hide(world, conn);
    conn->closed[end] = true;
    if (conn->closed[1 - end]) {
        conn_remove(world, conn);
        return;
    }
    at = peal_time_add(world->now, way(world, &from, &conn->ends[1 - end]));
    at.ns = MAX(at.ns, conn->last[end].ns);
    post_end(world, peer, &conn->ends[1 - end], at,
             &(SipEndNote){hop_to(&from, number, end == 0), number, 0});
}

/* The other ends do not know yet. */
void siphop_end_all(World *world, const SimPeer *peer)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, world->sip_hops.by_number);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        SipConn *conn = value;

        conn->closed[0] = conn->closed[0] || conn->ends[0].peer == peer->index;
        conn->closed[1] = conn->closed[1] || conn->ends[1].peer == peer->index;
        if (conn->closed[0]) {
            conn_hide(world, conn);
        }
        if (conn->closed[0] && conn->closed[1]) {
            g_hash_table_iter_remove(&iter);
        }
    }
}

/* Questions. */

static void resolve(const World *world, const PealAsk *ask, SipAnswerNote *answer)
{
    char host[HOST_MAX];
    PealAddr addr = {.port = ask->port != 0 ? ask->port : WORLD_SIP_PORT};
    PealTransport transport =
        ask->transport == PEAL_TRANSPORT_ANY ? PEAL_UDP : (PealTransport)ask->transport;

    if (ask->name.len >= sizeof(host)) {
        return;
    }
    memcpy(host, ask->name.ptr, ask->name.len);
    host[ask->name.len] = '\0';
    if (inet_pton(AF_INET, host, addr.ip) == 1) {
        addr.family = 4;
        answer->targets[answer->targets_len++] = (PealTarget){addr, transport};
    } else if (g_ascii_strcasecmp(host, PLAN_DOMAIN) == 0) {
        uint32_t targets = world_is_central(world) ? 1 : DOMAIN_TARGETS;

        for (uint32_t i = 0; i < MIN(world->started, targets); i++) {
            addr = world_addr(i);
            addr.port = WORLD_SIP_PORT;
            answer->targets[answer->targets_len++] = (PealTarget){addr, transport};
        }
    }
}

int siphop_ask(World *world, SimPeer *peer, const PealAsk *ask)
{
    const SipEnd self = {peer->index, WORLD_SIP_PORT};
    SipAnswerNote answer = {.token = ask->token};

    if (ask->kind == PEAL_ASK_RESOLVE) {
        resolve(world, ask, &answer);
    }
    answer.status = answer.targets_len > 0 ? 0 : -PEAL_E_NOT_FOUND;
    post_note(world, peer, PACKET_SIP_ANSWER, &self, world->now,
              (PealBytes){(const uint8_t *)&answer, sizeof(answer)});
    return 0;
}

/* Arriving. */

static void capture(World *world, const SimPeer *peer, const Packet *packet)
{
    const SipEnd from = {packet->source, packet->from.index};
    const SipEnd to = {peer->index, packet->to.index};
    bool stream = packet->transport == PEAL_TCP;
    const PcapEnd wire_from = {from.peer,
                               wire_port(&from, packet->buf.serial, stream && packet->opener)};
    const PcapEnd wire_to = {to.peer,
                             wire_port(&to, packet->buf.serial, stream && !packet->opener)};
    const PealBytes data = {packet->buf.data, packet->buf.len};

    if (stream) {
        /* Numbers of RELOAD's flows have an index below the highest in their lower half. */
        pcap_writer_tcp_between(world->capture, world->now,
                                UINT64_C(0xffffffff00000000) | packet->buf.serial, &wire_from,
                                &wire_to, data);
    } else {
        pcap_writer_udp(world->capture, world->now, &wire_from, &wire_to, data);
    }
}

/* There is no such connection here, or no machine that runs: its sender learns of it, the sooner if
 * somebody is there to say so. */
static void refuse(World *world, SimPeer *peer, Packet *packet)
{
    const SipEnd from = {packet->source, packet->from.index};
    const SipEnd here = {peer->index, packet->to.index};
    const SipEndNote note = {hop_to(&here, packet->buf.serial, !packet->opener), packet->buf.serial,
                             peer->up ? -PEAL_E_REFUSED : -PEAL_E_TIMEOUT};
    PealSpan after = peer->up ? way(world, &here, &from) : FLOW_USER_TIMEOUT;

    if (packet->transport == PEAL_TCP) {
        post_end(world, peer, &from, peal_time_add(world->now, after), &note);
    }
    lose(world, packet);
}

PealHop siphop_from(const Packet *packet)
{
    const SipEnd from = {packet->source, packet->from.index};
    uint32_t number = packet->transport == PEAL_TCP ? packet->buf.serial : 0;

    return hop_to(&from, number, number != 0 && packet->opener);
}

static void hand_over(World *world, SimPeer *peer, Packet *packet)
{
    const SipEnd here = {peer->index, packet->to.index};
    const PealHop hop = siphop_from(packet);
    uint32_t number = hop.conn;
    uint32_t len;

    if (number != 0 && conn_end(conn_find(world, number), &here) < 0) {
        refuse(world, peer, packet);
        return;
    }
    peer->fingerprint = fingerprint_add(peer->fingerprint, world->now, packet->source,
                                        (PealBytes){packet->buf.data, packet->buf.len});
    len = packet->buf.len;
    if (here.port == WORLD_SIP_PORT) {
        peer->messages++;
        peal_peer_on_sip_take(sim_peer_core(peer), &hop, &packet->buf);
    } else if (!phones_take(world, peer, packet->to.index, &hop, &packet->buf)) {
        world->totals.counter[RECORDER_SIP_LOST]++;
        return;
    }
    world->totals.counter[RECORDER_SIP_MESSAGES]++;
    world->totals.counter[RECORDER_SIP_BYTES] += len;
}

static void on_message(World *world, SimPeer *peer, Packet *packet)
{
    bool adapter = packet->to.index == WORLD_SIP_PORT;

    if (world->attacks != NULL && packet->type == PACKET_SIP && attacks_sip(world, peer, packet)) {
        return;
    }
    if (!peer->up) {
        if (packet->type == PACKET_SIP_SERVED) {
            processor_served(&world->processor, peer->index);
        }
        refuse(world, peer, packet);
        return;
    }
    if (world->capture != NULL && packet->type == PACKET_SIP) {
        capture(world, peer, packet);
    }
    if (!adapter || !world->gated || delivery_process(world, peer, packet)) {
        hand_over(world, peer, packet);
    }
}

static void on_end(World *world, SimPeer *peer, const Packet *packet)
{
    SipConn *conn;
    SipEndNote note;

    memcpy(&note, packet->buf.data, sizeof(note));
    conn = conn_find(world, note.conn);
    if (conn != NULL) {
        conn_remove(world, conn);
    }
    if (packet->to.index == WORLD_SIP_PORT) {
        peal_peer_on_sip_end(sim_peer_core(peer), &note.hop, note.error);
    } else {
        phones_end(world, peer, packet->to.index, &note.hop, note.error);
    }
}

static void on_answer(SimPeer *peer, const Packet *packet)
{
    SipAnswerNote note;

    memcpy(&note, packet->buf.data, sizeof(note));
    peal_peer_on_answer(sim_peer_core(peer), &(PealAnswer){.token = note.token,
                                                           .status = note.status,
                                                           .targets = note.targets,
                                                           .targets_len = note.targets_len});
}

void siphop_arrive(World *world, SimPeer *peer, Packet *packet)
{
    bool same_life = peer->up && packet->to.generation == peer->life;

    switch ((PacketType)packet->type) {
    case PACKET_SIP:
    case PACKET_SIP_SERVED:
        on_message(world, peer, packet);
        return; /* taken */
    case PACKET_SIP_END:
        if (same_life) {
            on_end(world, peer, packet);
        }
        break;
    case PACKET_SIP_ANSWER:
        if (same_life) {
            on_answer(peer, packet);
        }
        break;
    case PACKET_PHONE_WAKE:
        if (peer->up) {
            phones_wake(world, peer, packet);
        }
        break;
    default:
        PEAL_ASSERT(false); /* the others are RELOAD's */
    }
    packet_free(&world->packets, packet);
}
