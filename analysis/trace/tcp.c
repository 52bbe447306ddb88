/* SPDX-License-Identifier: GPL-3.0-or-later */
/* tcp.c - see tcp.h. */
#include "trace/tcp.h"

#include <string.h>

#include "trace/sip.h"

#define GAP_ACKED_NS (INT64_C(1) * PEAL_NS_PER_S)
#define GAP_LONG_NS (INT64_C(120) * PEAL_NS_PER_S)
/* Further off than any window in use, a sequence number belongs to another connection. */
#define FAR_OFF (INT32_C(1) << 26)
enum { FAR_OFF_MAX = 8 }; /* segments in a row until it is taken for a new one */

/* A segment that waits for what comes before it. */
typedef struct Held {
    struct Held *next;
    uint32_t seq;
    uint32_t len; /* on the wire */
    uint32_t has; /* of it, the bytes that are there */
    uint8_t bytes[];
} Held;

/* One direction. */
typedef struct Half {
    SipStream sip;
    Held *held; /* by sequence number; they may overlap */
    uint32_t held_bytes;
    uint32_t first; /* sequence number of what came first, or comes first behind a SYN */
    uint32_t next;  /* of what comes next */
    uint32_t acked; /* by the other side */
    int64_t gap_ns; /* since when something is held */
    bool begun;
    bool is_acked;
    uint8_t far_off;
} Half;

typedef struct Key {
    PealAddr low;
    PealAddr high;
    uint32_t hash;
} Key;

typedef struct Connection {
    Key key;      /* first, it is the table's key */
    Half half[2]; /* from low, from high */
    struct Connection *newer;
    struct Connection *older;
} Connection;

struct Tcp {
    TcpSink sink;
    GHashTable *table;
    Connection *newest;
    Connection *oldest;
    size_t bytes;       /* of all buffers */
    uint64_t secret[2]; /* nobody can choose addresses that share a hash */
};

/* What is being delivered. */
typedef struct Delivery {
    Tcp *tcp;
    const PealAddr *from;
    const PealAddr *to;
    int64_t at_ns;
    bool broken_off; /* a longer capture may have more of what is cut */
} Delivery;

/* Folds the product of two words of which one is secret, or has been made so. */
static uint64_t mix(uint64_t a, uint64_t b)
{
    const unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint32_t hash_of(const Tcp *tcp, const PealAddr *low, const PealAddr *high)
{
    uint64_t hash = mix(tcp->secret[0], tcp->secret[1] ^ low->port ^ (uint64_t)high->port << 32);

    for (int i = 0; i < 2; i++) {
        uint64_t words[2];

        memcpy(words, i == 0 ? low->ip : high->ip, sizeof(words));
        hash = mix(hash ^ words[0], tcp->secret[0]);
        hash = mix(hash ^ words[1], tcp->secret[1]);
    }
    return (uint32_t)(hash >> 32);
}

static guint key_hash(gconstpointer key)
{
    return ((const Key *)key)->hash;
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const Key *x = a;
    const Key *y = b;

    return x->low.port == y->low.port && x->high.port == y->high.port &&
           x->low.family == y->low.family && memcmp(x->low.ip, y->low.ip, sizeof(x->low.ip)) == 0 &&
           memcmp(x->high.ip, y->high.ip, sizeof(x->high.ip)) == 0;
}

/* Whether a comes before b, by address and port. */
static bool is_lower(const PealAddr *a, const PealAddr *b)
{
    int order = memcmp(a->ip, b->ip, sizeof(a->ip));

    return order != 0 ? order < 0 : a->port < b->port;
}

/* Signed, as sequence numbers wrap around (RFC 9293 s.3.4). */
static int32_t seq_minus(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

Tcp *tcp_new(const TcpSink *sink)
{
    Tcp *tcp = g_new0(Tcp, 1);

    tcp->sink = *sink;
    tcp->table = g_hash_table_new(key_hash, key_equal);
    for (unsigned i = 0; i < G_N_ELEMENTS(tcp->secret); i++) {
        tcp->secret[i] = (uint64_t)g_random_int() << 32 | g_random_int() | 1;
    }
    return tcp;
}

/* Connections in the order of their last packet. */

static void unlink_connection(Tcp *tcp, Connection *connection)
{
    *(connection->newer != NULL ? &connection->newer->older : &tcp->newest) = connection->older;
    *(connection->older != NULL ? &connection->older->newer : &tcp->oldest) = connection->newer;
}

static void link_newest(Tcp *tcp, Connection *connection)
{
    connection->newer = NULL;
    connection->older = tcp->newest;
    *(tcp->newest != NULL ? &tcp->newest->newer : &tcp->oldest) = connection;
    tcp->newest = connection;
}

static size_t half_bytes(const Half *half)
{
    return half->sip.cap + half->held_bytes;
}

static void drop_held(Half *half)
{
    while (half->held != NULL) {
        Held *held = half->held;

        half->held = held->next;
        g_free(held);
    }
    half->held_bytes = 0;
}

/* Lets go of a direction's bytes, counting what did not become whole. */
static void end_half(Tcp *tcp, Half *half)
{
    tcp->sink.skipped[TRACE_SKIP_TCP_GAP] += half->held != NULL;
    drop_held(half);
    tcp->sink.skipped[TRACE_SKIP_TCP_UNFINISHED] += sip_stream_fini(&half->sip);
}

static void end_connection(Tcp *tcp, Connection *connection)
{
    tcp->bytes -= half_bytes(&connection->half[0]) + half_bytes(&connection->half[1]);
    end_half(tcp, &connection->half[0]);
    end_half(tcp, &connection->half[1]);
    unlink_connection(tcp, connection);
    g_hash_table_remove(tcp->table, connection);
    g_free(connection);
}

void tcp_free(Tcp *tcp)
{
    while (tcp->newest != NULL) {
        end_connection(tcp, tcp->newest);
    }
    g_hash_table_unref(tcp->table);
    g_free(tcp);
}

static Connection *connection_of(Tcp *tcp, const TcpPacket *packet, bool *ret_from_high)
{
    bool from_low = is_lower(&packet->from, &packet->to);
    const PealAddr *low = from_low ? &packet->from : &packet->to;
    const PealAddr *high = from_low ? &packet->to : &packet->from;
    const Key key = {*low, *high, hash_of(tcp, low, high)};
    Connection *connection = g_hash_table_lookup(tcp->table, &key);

    *ret_from_high = !from_low;
    if (connection == NULL) {
        connection = g_new0(Connection, 1);
        connection->key = key;
        g_hash_table_add(tcp->table, connection);
        link_newest(tcp, connection);
    } else if (connection != tcp->newest) {
        unlink_connection(tcp, connection);
        link_newest(tcp, connection);
    }
    return connection;
}

/* Bytes in their order. */

static void on_message(void *user, PealStr bytes)
{
    const Delivery *delivery = user;

    delivery->tcp->sink.message(delivery->tcp->sink.user, delivery->at_ns, delivery->from,
                                delivery->to, bytes);
}

/* Hands over what comes next, of which the capture need not have all `len` bytes: then what there
 * is of a message in them is told. */
static void deliver(Delivery *delivery, Half *half, PealStr bytes, uint32_t len)
{
    uint64_t *skipped = delivery->tcp->sink.skipped;
    SipStreamYield yield;

    half->next += len;
    if (bytes.len > 0) {
        yield = sip_stream_take(&half->sip, bytes, on_message, delivery);
        skipped[TRACE_SKIP_BAD_SIP] += yield.bad;
        skipped[TRACE_SKIP_NOT_SIP] += yield.messages == 0 && yield.bad == 0 && half->sip.len == 0;
    }
    if (bytes.len < len && !delivery->broken_off) {
        (void)sip_stream_break(&half->sip, on_message, delivery);
    }
}

/* The first of what is held, without what has come already. */
static void deliver_first(Delivery *delivery, Half *half)
{
    Held *held = half->held;
    const uint32_t known = (uint32_t)MAX(seq_minus(half->next, held->seq), 0);

    half->held = held->next;
    half->held_bytes -= held->has + TCP_HELD_COST;
    if (known < held->len) {
        const uint32_t from = MIN(known, held->has);

        deliver(delivery, half, (PealStr){(const char *)held->bytes + from, held->has - from},
                held->len - known);
    }
    g_free(held);
}

static void deliver_held(Delivery *delivery, Half *half)
{
    while (half->held != NULL && seq_minus(half->held->seq, half->next) <= 0) {
        deliver_first(delivery, half);
    }
}

/* What is missing will not come: goes on behind it. */
static void pass_gap(Delivery *delivery, Half *half)
{
    delivery->tcp->sink.skipped[TRACE_SKIP_TCP_GAP]++;
    (void)sip_stream_break(&half->sip, on_message, delivery);
    half->next = half->held->seq;
    half->gap_ns = delivery->at_ns;
    deliver_held(delivery, half);
}

static bool is_lost(const Half *half, int64_t now_ns)
{
    const int64_t waited_ns = now_ns - half->gap_ns;

    return half->held_bytes > TCP_HELD_MAX || waited_ns >= GAP_LONG_NS ||
           (half->is_acked && seq_minus(half->acked, half->held->seq) > 0 &&
            waited_ns >= GAP_ACKED_NS);
}

static void pass_lost(Delivery *delivery, Half *half)
{
    while (half->held != NULL && is_lost(half, delivery->at_ns)) {
        pass_gap(delivery, half);
    }
}

/* Keeps a segment that is too early, unless all of it is held. */
static void hold(Tcp *tcp, Half *half, const TcpPacket *packet)
{
    Held **at = &half->held;
    Held *held;

    while (*at != NULL && seq_minus((*at)->seq, packet->seq) < 0) {
        at = &(*at)->next;
    }
    if (*at != NULL && (*at)->seq == packet->seq && (*at)->len >= packet->len) {
        const size_t both = MIN((*at)->has, packet->data.len);

        tcp->sink.skipped[TRACE_SKIP_TCP_OVERLAP] +=
            memcmp((*at)->bytes, packet->data.ptr, both) != 0;
        return;
    }
    if (half->held == NULL) {
        half->gap_ns = packet->at_ns;
    }
    held = g_malloc(sizeof(*held) + packet->data.len);
    *held = (Held){.next = *at,
                   .seq = packet->seq,
                   .len = (uint32_t)packet->len,
                   .has = (uint32_t)packet->data.len};
    memcpy(held->bytes, packet->data.ptr, packet->data.len);
    *at = held;
    half->held_bytes += held->has + TCP_HELD_COST;
}

/* A direction begins with a SYN, or where the capture does. */
static void begin_half(Tcp *tcp, Half *half, uint32_t next)
{
    end_half(tcp, half);
    *half = (Half){.begun = true, .first = next, .next = next};
}

/* Nothing is told of what lies behind a segment in which the file ends: in a longer file there may
 * be no hole before it. */
static void take_data(Delivery *delivery, Half *half, const TcpPacket *packet)
{
    const uint32_t len = (uint32_t)packet->len;
    int32_t ahead;

    deliver_held(delivery, half);
    ahead = seq_minus(packet->seq, half->next);
    if (half->sip.state == SIP_STREAM_OTHER && half->held == NULL) {
        /* It is looked at by segments: their order does not matter. */
        half->next = ahead >= 0 ? packet->seq : half->next;
        deliver(delivery, half, (PealStr){(const char *)packet->data.ptr, packet->data.len},
                ahead >= 0 ? len : 0);
    } else if (ahead > 0) {
        hold(delivery->tcp, half, packet);
    } else if ((uint32_t)-ahead < len) {
        const uint32_t known = (uint32_t)-ahead;
        const uint32_t from = (uint32_t)MIN(known, packet->data.len);

        deliver(delivery, half,
                (PealStr){(const char *)packet->data.ptr + from, packet->data.len - from},
                len - known);
    }
    if (!packet->broken_off) {
        deliver_held(delivery, half);
    }
}

/* Sequence numbers that do not belong here: ignored, unless they go on. */
static bool is_far_off(Tcp *tcp, Half *half, const TcpPacket *packet)
{
    const int32_t ahead = seq_minus(packet->seq, half->next);

    if (ahead > -FAR_OFF && ahead < FAR_OFF) {
        half->far_off = 0;
        return false;
    }
    tcp->sink.skipped[TRACE_SKIP_TCP_OVERFLOW]++;
    if (++half->far_off < FAR_OFF_MAX) {
        return true;
    }
    begin_half(tcp, half, packet->seq);
    return false;
}

static void take_ack(const TcpPacket *packet, Half *other)
{
    if ((packet->flags & TCP_ACK) != 0 &&
        (!other->is_acked || seq_minus(packet->ack, other->acked) > 0)) {
        other->acked = packet->ack;
        other->is_acked = true;
    }
}

/* Where a direction begins: with a SYN, or where the capture does. A SYN that comes twice, or
 * behind what it begins, changes nothing. */
static void take_start(Tcp *tcp, Half *half, const TcpPacket *packet)
{
    if ((packet->flags & TCP_SYN) != 0) {
        if (!half->begun || half->first != packet->seq + 1) {
            begin_half(tcp, half, packet->seq + 1);
        }
    } else if (!half->begun && packet->len > 0) {
        half->begun = true;
        half->first = half->next = packet->seq;
    }
}

void tcp_take(Tcp *tcp, const TcpPacket *packet)
{
    bool from_high;
    Connection *connection = connection_of(tcp, packet, &from_high);
    Half *half = &connection->half[from_high];
    Half *other = &connection->half[!from_high];
    const size_t before = half_bytes(half) + half_bytes(other);
    TcpPacket data = *packet;
    Delivery delivery = {tcp, &packet->from, &packet->to, packet->at_ns, packet->broken_off};
    Delivery back = {tcp, &packet->to, &packet->from, packet->at_ns, false};

    take_ack(packet, other);
    take_start(tcp, half, packet);
    data.seq += (packet->flags & TCP_SYN) != 0;
    if (data.len > 0 && !is_far_off(tcp, half, &data)) {
        take_data(&delivery, half, &data);
    }
    if (!packet->broken_off) {
        pass_lost(&delivery, half);
    }
    pass_lost(&back, other);
    tcp->bytes += half_bytes(half) + half_bytes(other) - before;
    while (tcp->bytes > TCP_BYTES_MAX || g_hash_table_size(tcp->table) > TCP_CONNECTIONS_MAX) {
        tcp->sink.skipped[TRACE_SKIP_TCP_OVERFLOW] +=
            half_bytes(&tcp->oldest->half[0]) + half_bytes(&tcp->oldest->half[1]) > 0;
        end_connection(tcp, tcp->oldest);
    }
}
