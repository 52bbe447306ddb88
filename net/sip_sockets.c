/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sip_sockets.c - SIP over UDP and TCP; see sip_sockets.h. */
#include "sip_sockets.h"

#include <errno.h>
#include <unistd.h>

#include "address.h"
#include "buffer.h"
#include "datagrams.h"
#include "streams.h"

enum {
    QUEUE_MAX = 256 << 10, /* bytes that wait for a slow phone */
    ENDS_MAX = 65536,      /* ends of hops that the peer has not heard of yet */
    PORT_TRIES = 16
};
#define USER_TIMEOUT peal_seconds(30)
#define SWEEP_INTERVAL peal_seconds(5)

typedef struct Place {
    SipSockets *sockets;
    Datagrams *datagrams;
    Listener *listener;
    PealAddr bound;
} Place;

typedef struct Conn {
    SipSockets *sockets;
    Stream *stream;
    PealAddr remote;
    PealAddr remote_ip; /* with port 0: the key of `each` */
    uint32_t number;
    uint8_t local;
    bool up;
    bool heard;     /* something came in */
    bool by_remote; /* it is the one that leads to its address */
    PealTime last;
    PealTime last_arrival; /* of an emulated stream */
    GList age;             /* in `ages` */
} Conn;

/* What an advertised address means here. */
typedef struct Local {
    PealAddr addr;
    const Place *place; /* NULL: none listens for its family */
    bool own;
} Local;

typedef struct End {
    PealHop hop;
    int error;
} End;

struct SipSockets {
    SipSocketsConfig config;
    PealPeer *peer;
    Streams *streams;
    GPtrArray *places;
    Local locals[PEAL_ADDRESSES_MAX];
    size_t locals_len;
    GHashTable *by_number; /* number -> Conn, owned */
    GHashTable *by_remote; /* PealAddr -> Conn */
    GHashTable *each;      /* address without port -> number of connections */
    GQueue ages;           /* connections, idle for longest first */
    LoopTimer sweep;
    GArray *ends; /* of hops, to be told when no dispatch runs */
    uint32_t given;
    SipCounts sent;
    uint64_t received;
};

static guint addr_hash(gconstpointer key)
{
    return (guint)address_hash(key);
}

static gboolean addr_equal(gconstpointer a, gconstpointer b)
{
    return address_equal(a, b);
}

size_t sip_sockets_connections(const SipSockets *sockets)
{
    return g_hash_table_size(sockets->by_number);
}

/* Which of the advertised addresses stands for one that bytes came to. */
static uint8_t local_index(const SipSockets *sockets, const PealAddr *addr)
{
    uint8_t best = 0;
    unsigned best_score = 0;

    for (uint8_t i = 0; i < sockets->locals_len; i++) {
        const Local *local = &sockets->locals[i];
        bool there = local->place != NULL && local->place->bound.family == addr->family &&
                     local->place->bound.port == addr->port;
        unsigned score = address_equal(&local->addr, addr)    ? 3
                         : there                              ? 2
                         : local->addr.family == addr->family ? 1
                                                              : 0;

        if (score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

/* The local end for a hop: as it says, else the first of the right family. NULL: none. */
static const Local *local_for(const SipSockets *sockets, const PealHop *hop)
{
    if (hop->local < sockets->locals_len &&
        sockets->locals[hop->local].addr.family == hop->addr.family &&
        sockets->locals[hop->local].place != NULL) {
        return &sockets->locals[hop->local];
    }
    for (size_t i = 0; i < sockets->locals_len; i++) {
        if (sockets->locals[i].addr.family == hop->addr.family &&
            sockets->locals[i].place != NULL) {
            return &sockets->locals[i];
        }
    }
    return NULL;
}

static void tell_end_later(SipSockets *sockets, const PealHop *hop, int error)
{
    End end = {*hop, error};

    if (sockets->ends->len < ENDS_MAX) {
        g_array_append_val(sockets->ends, end);
        loop_need_turn(sockets->config.loop);
    }
}

/* Connections. */

static void conn_leave(Conn *conn)
{
    SipSockets *sockets = conn->sockets;
    guint each = GPOINTER_TO_UINT(g_hash_table_lookup(sockets->each, &conn->remote_ip));

    if (conn->by_remote) {
        g_hash_table_remove(sockets->by_remote, &conn->remote);
    }
    if (each > 1) {
        g_hash_table_replace(sockets->each, g_memdup2(&conn->remote_ip, sizeof(conn->remote_ip)),
                             GUINT_TO_POINTER(each - 1));
    } else {
        g_hash_table_remove(sockets->each, &conn->remote_ip);
    }
    g_queue_unlink(&sockets->ages, &conn->age);
    g_hash_table_remove(sockets->by_number, GUINT_TO_POINTER(conn->number));
    g_free(conn);
}

static PealHop conn_hop(const Conn *conn)
{
    return (PealHop){.addr = conn->remote,
                     .transport = PEAL_TCP,
                     .local = conn->local,
                     .conn = conn->up ? conn->number : 0};
}

/* Ends a connection from this side of the peer. */
static void conn_end(Conn *conn, int error)
{
    SipSockets *sockets = conn->sockets;
    PealHop hop = conn_hop(conn);

    if (conn->stream != NULL) {
        stream_abort(conn->stream);
    }
    conn_leave(conn);
    if (sockets->peer != NULL) {
        peal_peer_on_sip_end(sockets->peer, &hop, error);
    }
}

static void conn_touch(Conn *conn)
{
    SipSockets *sockets = conn->sockets;

    conn->last = loop_now(sockets->config.loop);
    g_queue_unlink(&sockets->ages, &conn->age);
    g_queue_push_tail_link(&sockets->ages, &conn->age);
}

static void on_stream_up(void *user)
{
    Conn *conn = user;

    conn->up = true;
    conn_touch(conn);
}

/* Gives the peer what has come, if it lets it in. What a stream brings is read at once, as far as
 * this process can tell: the kernel holds back who sends too fast. */
static void give_take(SipSockets *sockets, const PealHop *from, PealBuf *buf)
{
    if (sockets->config.gated && peal_peer_sip_admit(sockets->peer, from, buf->data, buf->len,
                                                     datagrams_age()) != PEAL_ADMIT_SERVE) {
        buffer_free(buf);
        return;
    }
    peal_peer_on_sip_take(sockets->peer, from, buf);
}

static void on_stream_data_take(void *user, PealBuf *buf)
{
    Conn *conn = user;
    PealHop hop = conn_hop(conn);

    conn->heard = true;
    conn_touch(conn);
    if (conn->sockets->peer != NULL) {
        conn->sockets->received++;
        give_take(conn->sockets, &hop, buf);
    } else {
        buffer_free(buf);
    }
}

static void on_stream_down(void *user, int error)
{
    Conn *conn = user;

    conn->stream = NULL;
    conn_end(conn, error);
}

static const StreamOps stream_ops = {on_stream_up, on_stream_data_take, on_stream_down};

/* When there are too many the one that was idle for longest gives way, if that was long. */
static bool make_room(SipSockets *sockets, const PealAddr *ip, bool inside_dispatch)
{
    Conn *idle = g_queue_peek_head(&sockets->ages);
    PealTime now = loop_now(sockets->config.loop);

    if (GPOINTER_TO_UINT(g_hash_table_lookup(sockets->each, ip)) >=
        sockets->config.connections_each) {
        return false;
    }
    if (sip_sockets_connections(sockets) < sockets->config.connections_max) {
        return true;
    }
    if (idle == NULL || !peal_time_due(peal_time_add(idle->last, SIP_IDLE_TIME), now)) {
        return false;
    }
    if (inside_dispatch) {
        PealHop hop = conn_hop(idle);

        tell_end_later(sockets, &hop, 0);
        stream_abort(idle->stream);
        conn_leave(idle);
    } else {
        conn_end(idle, 0);
    }
    return true;
}

static void arm_sweep(SipSockets *sockets)
{
    if (sockets->sweep.place == 0 && sip_sockets_connections(sockets) > 0) {
        loop_timer_set(sockets->config.loop, &sockets->sweep,
                       peal_time_add(loop_now(sockets->config.loop), SWEEP_INTERVAL));
    }
}

/* Connections on which nothing ever came are at the front, but for those in use. */
static void on_sweep(void *user)
{
    SipSockets *sockets = user;
    PealTime now = loop_now(sockets->config.loop);
    GList *link = sockets->ages.head;

    while (link != NULL) {
        Conn *conn = link->data;

        link = link->next;
        if (!peal_time_due(peal_time_add(conn->last, SIP_FIRST_TIME), now)) {
            break;
        }
        if (!conn->heard && conn->up) {
            conn_end(conn, -PEAL_E_TIMEOUT);
            link = sockets->ages.head; /* the peer may have ended others */
        }
    }
    arm_sweep(sockets);
}

static Conn *conn_new(SipSockets *sockets, const PealAddr *remote)
{
    Conn *conn = g_new0(Conn, 1);
    guint each;

    conn->sockets = sockets;
    conn->remote = *remote;
    conn->remote_ip = *remote;
    conn->remote_ip.port = 0;
    conn->number = ++sockets->given != 0 ? sockets->given : ++sockets->given;
    conn->last = loop_now(sockets->config.loop);
    conn->age.data = conn;
    g_queue_push_tail_link(&sockets->ages, &conn->age);
    g_hash_table_insert(sockets->by_number, GUINT_TO_POINTER(conn->number), conn);
    each = GPOINTER_TO_UINT(g_hash_table_lookup(sockets->each, &conn->remote_ip));
    g_hash_table_replace(sockets->each, g_memdup2(&conn->remote_ip, sizeof(conn->remote_ip)),
                         GUINT_TO_POINTER(each + 1));
    if (g_hash_table_lookup(sockets->by_remote, &conn->remote) == NULL) {
        g_hash_table_insert(sockets->by_remote, &conn->remote, conn);
        conn->by_remote = true;
    }
    arm_sweep(sockets);
    return conn;
}

static void on_accept(void *user, int fd, const PealAddr *remote)
{
    Place *place = user;
    SipSockets *sockets = place->sockets;
    PealAddr ip = *remote;
    Conn *conn;

    ip.port = 0;
    if (sockets->peer == NULL || !make_room(sockets, &ip, false)) {
        close(fd);
        return;
    }
    conn = conn_new(sockets, remote);
    conn->stream = stream_adopt(sockets->streams, fd, remote, &stream_ops, conn);
    if (conn->stream == NULL) {
        conn_leave(conn);
        return;
    }
    conn->up = true;
    conn->local = local_index(sockets, stream_local(conn->stream));
}

/* Opens a connection for a hop; NULL with an error. */
static Conn *conn_open(SipSockets *sockets, const PealHop *to, int *ret_error)
{
    const Local *local = local_for(sockets, to);
    PealAddr ip = to->addr;
    PealAddr source = {0};
    Conn *conn;

    ip.port = 0;
    if (local == NULL || to->addr.port == 0 || address_is_any(&to->addr) ||
        address_is_multicast(&to->addr)) {
        *ret_error = -PEAL_E_UNREACHABLE;
        return NULL;
    }
    if (!make_room(sockets, &ip, true)) {
        *ret_error = -PEAL_E_FULL;
        return NULL;
    }
    if (sockets->config.shim != NULL && to->addr.family == 4) {
        source = shim_source(sockets->config.shim);
    } else if (local->own && address_is_loopback(&local->addr) == address_is_loopback(&to->addr)) {
        source = local->addr;
        source.port = 0;
    }
    conn = conn_new(sockets, &to->addr);
    conn->local = (uint8_t)(local - sockets->locals);
    conn->heard = true; /* what this node opened is not timed by what comes in */
    conn->stream =
        stream_connect(sockets->streams, &to->addr, &source, &stream_ops, conn, ret_error);
    if (conn->stream == NULL) {
        conn_leave(conn);
        return NULL;
    }
    return conn;
}

/* Returns false where there is no way to go. */
static bool send_udp_take(SipSockets *sockets, const PealHop *to, PealBuf *buf)
{
    const Local *local = local_for(sockets, to);
    const PealAddr *from = NULL;

    if (local == NULL || to->addr.port == 0 || address_is_any(&to->addr) ||
        address_is_multicast(&to->addr)) {
        buffer_free(buf);
        tell_end_later(sockets, to, -PEAL_E_UNREACHABLE);
        return false;
    }
    /* A program of this host that talks over loopback expects to be answered over it. */
    if (local->own && address_is_loopback(&local->addr) == address_is_loopback(&to->addr)) {
        from = &local->addr;
    }
    datagrams_send_take(local->place->datagrams, &to->addr, from, buf);
    loop_need_turn(sockets->config.loop);
    return true;
}

/* A packet has been under way for its time. */
static void emulated_arrival_take(void *user, const ShimTo *to, PealBuf *buf)
{
    SipSockets *sockets = user;
    Conn *conn;

    if (to->hop.transport != PEAL_TCP) {
        (void)!send_udp_take(sockets, &to->hop, buf);
        return;
    }
    conn = g_hash_table_lookup(sockets->by_number, GUINT_TO_POINTER(to->hop.conn));
    if (conn == NULL) {
        buffer_free(buf);
    } else {
        stream_send_take(conn->stream, buf);
    }
}

/* Takes the buffer if an emulated network lies on its way, which may lose it. */
static bool emulate_take(SipSockets *sockets, const PealHop *hop, PealTime *last, PealBuf *buf,
                         bool *ret_arrives)
{
    Shim *shim = sockets->config.shim;
    ShimPacket packet = {.last = last};
    ShimTo to = {.deliver_take = emulated_arrival_take, .user = sockets, .hop = *hop};

    if (shim == NULL || !shim_knows(shim, &hop->addr, &packet.peer)) {
        return false;
    }
    *ret_arrives = shim_send_take(shim, &packet, &to, buf);
    if (!*ret_arrives && last != NULL) {
        tell_end_later(sockets, hop, -PEAL_E_TIMEOUT);
        sip_sockets_close(sockets, hop->conn);
    }
    return true;
}

static bool send_tcp_take(SipSockets *sockets, const PealHop *to, PealBuf *buf)
{
    PealHop hop;
    bool arrives = true;
    int error = -PEAL_E_UNREACHABLE; /* the connection is no more */
    Conn *conn = to->conn != 0 ? g_hash_table_lookup(sockets->by_number, GUINT_TO_POINTER(to->conn))
                               : g_hash_table_lookup(sockets->by_remote, &to->addr);

    if (conn == NULL && to->conn == 0) {
        conn = conn_open(sockets, to, &error);
    }
    if (conn == NULL) {
        buffer_free(buf);
        tell_end_later(sockets, to, error);
        return false;
    }
    conn_touch(conn);
    hop = conn_hop(conn);
    hop.conn = conn->number;
    if (!emulate_take(sockets, &hop, &conn->last_arrival, buf, &arrives)) {
        stream_send_take(conn->stream, buf);
    }
    return arrives;
}

void sip_sockets_send_take(SipSockets *sockets, const PealHop *to, PealBuf *buf)
{
    uint32_t len = buf->len;
    bool arrives = true;

    if (to->transport == PEAL_TCP) {
        arrives = send_tcp_take(sockets, to, buf);
    } else if (!emulate_take(sockets, to, NULL, buf, &arrives)) {
        arrives = send_udp_take(sockets, to, buf);
    }
    sip_count(&sockets->sent, len, arrives);
}

const SipCounts *sip_sockets_sent(const SipSockets *sockets)
{
    return &sockets->sent;
}

uint64_t sip_sockets_received(const SipSockets *sockets)
{
    return sockets->received;
}

void sip_sockets_close(SipSockets *sockets, uint32_t number)
{
    Conn *conn = g_hash_table_lookup(sockets->by_number, GUINT_TO_POINTER(number));

    if (conn != NULL) {
        stream_close(conn->stream);
        conn_leave(conn);
    }
}

/* Datagrams. */

static void on_datagram(void *user, const PealAddr *remote, const PealAddr *local, PealBytes data)
{
    const Place *place = user;
    PealHop from = {.addr = *remote,
                    .transport = PEAL_UDP,
                    .local = local_index(place->sockets, local)};

    if (place->sockets->peer != NULL) {
        place->sockets->received++;
        give_take(place->sockets, &from, buffer_copy(data.ptr, data.len));
    }
}

static void on_refused(void *user, const PealAddr *remote, int error)
{
    const Place *place = user;
    PealHop hop = {.addr = *remote,
                   .transport = PEAL_UDP,
                   .local = local_index(place->sockets, &place->bound)};

    if (place->sockets->peer != NULL) {
        peal_peer_on_sip_end(place->sockets->peer, &hop, error);
    }
}

static void place_free(gpointer data)
{
    Place *place = data;

    datagrams_close(place->datagrams);
    listener_close(place->listener);
    g_free(place);
}

static int listen_once(Place *place, const PealAddr *addr)
{
    DatagramsConfig config = {.loop = place->sockets->config.loop,
                              .tap = place->sockets->config.tap,
                              .local = *addr,
                              .timed = place->sockets->config.gated,
                              .on_datagram = on_datagram,
                              .on_refused = on_refused,
                              .user = place};

    place->datagrams = datagrams_open(&config);
    if (place->datagrams == NULL) {
        return errno;
    }
    place->bound = *datagrams_local(place->datagrams);
    place->listener = listener_open(config.loop, &place->bound, on_accept, place);
    if (place->listener == NULL) {
        int reason = errno;

        datagrams_close(place->datagrams);
        place->datagrams = NULL;
        return reason;
    }
    return 0;
}

int sip_sockets_listen(SipSockets *sockets, const PealAddr *addr, PealAddr *ret_bound)
{
    Place *place = g_new0(Place, 1);
    int reason = EADDRINUSE;

    place->sockets = sockets;
    /* A port that the system chose for UDP may be taken for TCP. */
    for (unsigned i = 0; reason == EADDRINUSE && i < (addr->port == 0 ? PORT_TRIES : 1u); i++) {
        reason = listen_once(place, addr);
    }
    if (reason != 0) {
        g_free(place);
        return reason;
    }
    g_ptr_array_add(sockets->places, place);
    *ret_bound = place->bound;
    return 0;
}

/* The place that stands best for an advertised address. */
static const Place *place_for(const SipSockets *sockets, const PealAddr *addr)
{
    const Place *best = NULL;
    unsigned best_score = 0;

    for (guint i = 0; i < sockets->places->len; i++) {
        const Place *place = g_ptr_array_index(sockets->places, i);
        unsigned score;

        if (place->bound.family != addr->family) {
            continue;
        }
        score = address_same_ip(&place->bound, addr) || address_is_any(&place->bound) ? 5 : 1;
        score += place->bound.port == addr->port ? 2 : 0;
        if (score > best_score) {
            best = place;
            best_score = score;
        }
    }
    return best;
}

void sip_sockets_advertise(SipSockets *sockets, const PealAddr *addrs, const bool *own, size_t len)
{
    sockets->locals_len = MIN(len, PEAL_ADDRESSES_MAX);
    for (size_t i = 0; i < sockets->locals_len; i++) {
        sockets->locals[i] = (Local){addrs[i], place_for(sockets, &addrs[i]), own[i]};
    }
}

/* The peer hears of ends, then what was sent leaves. */
static void turn_end(void *user)
{
    SipSockets *sockets = user;
    guint len = sockets->ends->len;

    for (guint i = 0; i < len && sockets->peer != NULL; i++) {
        End end = g_array_index(sockets->ends, End, i);

        peal_peer_on_sip_end(sockets->peer, &end.hop, end.error);
    }
    g_array_remove_range(sockets->ends, 0, len);
    for (guint i = 0; i < sockets->places->len; i++) {
        datagrams_flush(((Place *)g_ptr_array_index(sockets->places, i))->datagrams);
    }
}

void sip_sockets_attach(SipSockets *sockets, PealPeer *peer)
{
    sockets->peer = peer;
}

SipSockets *sip_sockets_new(const SipSocketsConfig *config)
{
    SipSockets *sockets = g_new0(SipSockets, 1);
    StreamsConfig streams = {.loop = config->loop,
                             .tap = config->tap,
                             .queue_max = QUEUE_MAX,
                             .user_timeout = USER_TIMEOUT};

    sockets->config = *config;
    sockets->places = g_ptr_array_new_with_free_func(place_free);
    sockets->by_number = g_hash_table_new(NULL, NULL);
    sockets->by_remote = g_hash_table_new(addr_hash, addr_equal);
    sockets->each = g_hash_table_new_full(addr_hash, addr_equal, g_free, NULL);
    sockets->ends = g_array_new(FALSE, FALSE, sizeof(End));
    sockets->sweep.due = on_sweep;
    sockets->sweep.user = sockets;
    loop_at_turn_end(config->loop, turn_end, sockets);
    sockets->streams = streams_new(&streams);
    return sockets;
}

void sip_sockets_free(SipSockets *sockets)
{
    if (sockets == NULL) {
        return;
    }
    sockets->peer = NULL;
    if (sockets->config.shim != NULL) {
        shim_drop(sockets->config.shim, sockets);
    }
    while (!g_queue_is_empty(&sockets->ages)) {
        Conn *conn = g_queue_peek_head(&sockets->ages);

        stream_close(conn->stream);
        conn_leave(conn);
    }
    loop_timer_unset(sockets->config.loop, &sockets->sweep);
    loop_not_at_turn_end(sockets->config.loop, turn_end, sockets);
    streams_free(sockets->streams);
    g_ptr_array_unref(sockets->places);
    g_hash_table_unref(sockets->by_number);
    g_hash_table_unref(sockets->by_remote);
    g_hash_table_unref(sockets->each);
    g_array_unref(sockets->ends);
    g_free(sockets);
}
