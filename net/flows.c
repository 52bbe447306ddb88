/* SPDX-License-Identifier: GPL-3.0-or-later */
/* flows.c - RELOAD's flows over sockets; see flows.h. */
#include "flows.h"

#include <errno.h>
#include <unistd.h>

#include "address.h"
#include "buffer.h"
#include "datagrams.h"
#include "node.h"
#include "streams.h"

enum {
    QUEUE_MAX = 1 << 20, /* bytes that wait for a slow TCP connection */
    ACCEPTED_QUARTERS = 3,
    UNNAMED_MIN = 4,
    WORD_BITS = 64
};
#define USER_TIMEOUT peal_seconds(5) /* RFC 5482, as short as interactive signalling sets it */

typedef enum FlowState { FLOW_OPENING, FLOW_UP } FlowState;

typedef struct Flow {
    Flows *flows;
    PealAddr remote;
    PealAddr local;
    Datagrams *socket; /* its own where it was opened, else a listening one */
    Stream *stream;
    PealTime since;
    PealTime last;   /* when the last bytes of an emulated stream arrive */
    LoopTimer timer; /* of an emulated handshake or failure */
    GList age;       /* in `unnamed` while data is not NULL */
    PealFlow name;
    FlowState state;
    bool opened;
} Flow;

struct Flows {
    FlowsConfig config;
    PealPeer *peer;
    const NodeWatch *watch; /* NULL: nobody */
    Streams *streams;
    GPtrArray *sockets;    /* Datagrams that listen */
    GPtrArray *listeners;  /* Listener */
    GPtrArray *bound;      /* PealAddr of both */
    GHashTable *by_remote; /* accepted UDP flows */
    GQueue unnamed;        /* accepted, not identified; oldest first */
    LoopTimer unnamed_timer;
    GArray *coming; /* PealFlow: opened UDP flows to come up */
    size_t len;
    size_t accepted;
    Flow *flow[FLOWS_MAX];
    uint16_t generation[FLOWS_MAX];
    uint64_t used[FLOWS_MAX / WORD_BITS];
};

static guint flow_hash(gconstpointer key)
{
    const Flow *flow = key;

    return (guint)address_hash(&flow->remote);
}

static gboolean flow_equal(gconstpointer a, gconstpointer b)
{
    const Flow *one = a;
    const Flow *other = b;

    return one->socket == other->socket && address_equal(&one->remote, &other->remote);
}

size_t flows_len(const Flows *flows)
{
    return flows->len;
}

static Flow *flow_get(const Flows *flows, PealFlow name)
{
    Flow *flow = name.index < FLOWS_MAX ? flows->flow[name.index] : NULL;

    return flow != NULL && flow->name.generation == name.generation ? flow : NULL;
}

/* The lowest free index, as the environment promises; NULL when there is none. */
static Flow *flow_new(Flows *flows, const PealAddr *remote, bool opened)
{
    size_t accepted_max = flows->config.flows_max / 4 * ACCEPTED_QUARTERS;
    uint16_t index = 0;
    Flow *flow;

    if (flows->len >= flows->config.flows_max || (!opened && flows->accepted >= accepted_max)) {
        return NULL;
    }
    while (flows->used[index / WORD_BITS] == UINT64_MAX) {
        index = (uint16_t)(index + WORD_BITS);
    }
    index = (uint16_t)(index + __builtin_ctzll(~flows->used[index / WORD_BITS]));
    flows->used[index / WORD_BITS] |= UINT64_C(1) << index % WORD_BITS;
    flow = g_new0(Flow, 1);
    flow->flows = flows;
    flow->remote = *remote;
    flow->name = (PealFlow){index, flows->generation[index]};
    flow->opened = opened;
    flow->since = loop_now(flows->config.loop);
    flows->flow[index] = flow;
    flows->len++;
    flows->accepted += !opened;
    return flow;
}

static void unnamed_leave(Flow *flow)
{
    if (flow->age.data != NULL) {
        g_queue_unlink(&flow->flows->unnamed, &flow->age);
        flow->age.data = NULL;
    }
}

static void flow_free(Flow *flow)
{
    Flows *flows = flow->flows;
    uint16_t index = flow->name.index;

    unnamed_leave(flow);
    loop_timer_unset(flows->config.loop, &flow->timer);
    if (flow->stream != NULL) {
        stream_close(flow->stream);
    } else if (flow->opened) {
        datagrams_close(flow->socket);
    } else if (flow->socket != NULL) {
        g_hash_table_remove(flows->by_remote, flow);
    }
    flows->flow[index] = NULL;
    flows->generation[index]++;
    flows->used[index / WORD_BITS] &= ~(UINT64_C(1) << index % WORD_BITS);
    flows->len--;
    flows->accepted -= !flow->opened;
    g_free(flow);
}

/* Hands bytes of a flow to the peer; takes them. */
static void hand_over_take(Flow *flow, PealBuf *buf)
{
    Flows *flows = flow->flows;

    if (flows->peer == NULL) {
        buffer_free(buf);
        return;
    }
    if (flows->watch != NULL && flows->watch->received != NULL) {
        flows->watch->received(flows->watch->user, (PealBytes){buf->data, buf->len});
    }
    if (flows->config.gated && peal_peer_admit(flows->peer, flow->name, buf->data, buf->len,
                                               datagrams_age()) != PEAL_ADMIT_SERVE) {
        buffer_free(buf);
        return;
    }
    peal_peer_on_bytes_take(flows->peer, flow->name, buf);
}

/* Ends a flow from this side of the peer. */
static void flow_down(Flow *flow)
{
    Flows *flows = flow->flows;
    PealFlow name = flow->name;

    flow_free(flow);
    if (flows->peer != NULL) {
        peal_peer_on_flow_down(flows->peer, name);
    }
}

static void flow_up(Flow *flow)
{
    flow->state = FLOW_UP;
    if (flow->flows->peer != NULL) {
        peal_peer_on_flow_up(flow->flows->peer, flow->name, flow->opened, NULL);
    }
}

/* Flows whose other side has not named itself. */

static void unnamed_arm(Flows *flows)
{
    const Flow *oldest = g_queue_peek_head(&flows->unnamed);

    loop_timer_set(flows->config.loop, &flows->unnamed_timer,
                   oldest == NULL ? PEAL_TIME_NEVER
                                  : peal_time_add(oldest->since, FLOWS_NAMING_TIME));
}

static void unnamed_due(void *user)
{
    Flows *flows = user;
    PealTime now = loop_now(flows->config.loop);

    for (;;) {
        Flow *oldest = g_queue_peek_head(&flows->unnamed);

        if (oldest == NULL ||
            !peal_time_due(peal_time_add(oldest->since, FLOWS_NAMING_TIME), now)) {
            break;
        }
        flow_down(oldest);
    }
    unnamed_arm(flows);
}

void flows_identified(Flows *flows, uint16_t index)
{
    Flow *flow = index < FLOWS_MAX ? flows->flow[index] : NULL;

    if (flow != NULL) {
        unnamed_leave(flow);
    }
}

/* A flow that somebody else opens; the oldest that has not been named makes room where there is
 * none. */
static Flow *flow_accept(Flows *flows, const PealAddr *remote)
{
    size_t unnamed_max = MAX(flows->config.flows_max / 8, UNNAMED_MIN);
    Flow *flow = NULL;

    if (flows->peer == NULL) {
        return NULL;
    }
    if (flows->unnamed.length < unnamed_max) {
        flow = flow_new(flows, remote, false);
    }
    if (flow == NULL && !g_queue_is_empty(&flows->unnamed)) {
        flow_down(g_queue_peek_head(&flows->unnamed));
        flow = flow_new(flows, remote, false);
    }
    if (flow != NULL) {
        flow->age.data = flow;
        g_queue_push_tail_link(&flows->unnamed, &flow->age);
        if (flows->unnamed.length == 1) {
            unnamed_arm(flows);
        }
    }
    return flow;
}

/* UDP. */

static void on_flow_datagram(void *user, const PealAddr *remote, const PealAddr *local,
                             PealBytes data)
{
    Flow *flow = user;

    (void)remote;
    (void)local;
    if (flow->state == FLOW_UP) {
        hand_over_take(flow, buffer_copy(data.ptr, data.len));
    }
}

static void on_flow_refused(void *user, const PealAddr *remote, int error)
{
    (void)remote;
    if (error == -PEAL_E_REFUSED) {
        flow_down(user);
    }
}

/* Only what may be the first frame of a flow begins one. */
static bool may_begin(PealBytes data)
{
    PealFrameInfo info;

    return peal_frame_info(data.ptr, data.len, &info) == 0 && info.data;
}

typedef struct Listening {
    Flows *flows;
    Datagrams *socket;
} Listening;

static void on_datagram(void *user, const PealAddr *remote, const PealAddr *local, PealBytes data)
{
    const Listening *listening = user;
    Flows *flows = listening->flows;
    Flow key = {.socket = listening->socket, .remote = *remote};
    Flow *flow = g_hash_table_lookup(flows->by_remote, &key);
    PealFlow name;

    if (flow == NULL) {
        flow = may_begin(data) ? flow_accept(flows, remote) : NULL;
        if (flow == NULL) {
            return;
        }
        flow->socket = listening->socket;
        flow->local = *local;
        g_hash_table_add(flows->by_remote, flow);
        name = flow->name;
        flow_up(flow);
        flow = flow_get(flows, name); /* unless the peer closed it at once */
    }
    if (flow != NULL) {
        hand_over_take(flow, buffer_copy(data.ptr, data.len));
    }
}

/* The process at the other end of a flow that it opened is gone, but its host is there and says so:
 * to know it now rather than after unanswered frames is worth seconds to whoever asks meanwhile. */
static void on_accepted_refused(void *user, const PealAddr *remote, int error)
{
    const Listening *listening = user;
    Flow key = {.socket = listening->socket, .remote = *remote};
    Flow *flow = g_hash_table_lookup(listening->flows->by_remote, &key);

    if (flow != NULL && error == -PEAL_E_REFUSED) {
        flow_down(flow);
    }
}

static int listen_udp(Flows *flows, const PealAddr *addr, PealAddr *ret_bound)
{
    Listening *listening = g_new0(Listening, 1);
    DatagramsConfig config = {.loop = flows->config.loop,
                              .tap = flows->config.tap,
                              .local = *addr,
                              .timed = flows->config.gated,
                              .on_datagram = on_datagram,
                              .on_refused = flows->config.shim == NULL ? on_accepted_refused : NULL,
                              .user = listening};

    *listening = (Listening){flows, datagrams_open(&config)};
    if (listening->socket == NULL) {
        int reason = errno;

        g_free(listening);
        return reason;
    }
    g_ptr_array_add(flows->sockets, listening);
    *ret_bound = *datagrams_local(listening->socket);
    return 0;
}

/* TCP. */

static void emulated_up(void *user)
{
    flow_up(user);
}

static void emulated_failure(void *user)
{
    flow_down(user);
}

static void flow_after(Flow *flow, PealSpan span, void (*due)(void *user))
{
    Loop *loop = flow->flows->config.loop;

    flow->timer.due = due;
    flow->timer.user = flow;
    loop_timer_set(loop, &flow->timer, peal_time_add(loop_now(loop), span));
}

/* An emulated handshake takes its round trip. */
static void on_stream_up(void *user)
{
    Flow *flow = user;
    const Shim *shim = flow->flows->config.shim;
    uint32_t peer;
    PealSpan round_trip;

    if (shim == NULL || !shim_knows(shim, &flow->remote, &peer)) {
        flow_up(flow);
    } else if (shim_round_trip(shim, peer, &round_trip)) {
        flow_after(flow, round_trip, emulated_up);
    } else {
        flow_after(flow, STREAM_CONNECT_TIMEOUT, emulated_failure);
    }
}

static void on_stream_data_take(void *user, PealBuf *buf)
{
    hand_over_take(user, buf);
}

static void on_stream_down(void *user, int error)
{
    Flow *flow = user;

    (void)error;
    flow->stream = NULL;
    flow_down(flow);
}

static const StreamOps stream_ops = {on_stream_up, on_stream_data_take, on_stream_down};

static void on_accept(void *user, int fd, const PealAddr *remote)
{
    Flows *flows = user;
    Flow *flow = flow_accept(flows, remote);

    if (flow == NULL) {
        close(fd);
        return;
    }
    flow->stream = stream_adopt(flows->streams, fd, remote, &stream_ops, flow);
    if (flow->stream == NULL) {
        flow_free(flow);
        return;
    }
    flow_up(flow);
}

int flows_listen(Flows *flows, const PealAddr *addr, PealAddr *ret_bound)
{
    if (flows->config.transport == PEAL_UDP) {
        int reason = listen_udp(flows, addr, ret_bound);

        if (reason != 0) {
            return reason;
        }
    } else {
        Listener *listener = listener_open(flows->config.loop, addr, on_accept, flows);

        if (listener == NULL) {
            return errno;
        }
        g_ptr_array_add(flows->listeners, listener);
        *ret_bound = *listener_local(listener);
    }
    g_ptr_array_add(flows->bound, g_memdup2(ret_bound, sizeof(*ret_bound)));
    return 0;
}

/* What the peer does. */

/* The address to open a flow from: what this peer listens at, where that is one address. */
static bool source_for(const Flows *flows, const PealAddr *to, PealAddr *ret_source)
{
    if (flows->config.shim != NULL && to->family == 4) {
        *ret_source = shim_source(flows->config.shim);
        return true;
    }
    for (guint i = 0; i < flows->bound->len; i++) {
        const PealAddr *bound = g_ptr_array_index(flows->bound, i);
        bool local_to_all = address_is_loopback(bound) && !address_is_loopback(to);

        if (bound->family == to->family && !local_to_all) {
            *ret_source = *bound;
            ret_source->port = 0;
            return true;
        }
    }
    return false;
}

bool flows_reach(const Flows *flows, const PealAddr *addr)
{
    PealAddr source;

    return source_for(flows, addr, &source);
}

static int open_udp(Flow *flow, const PealAddr *source)
{
    Flows *flows = flow->flows;
    DatagramsConfig config = {.loop = flows->config.loop,
                              .tap = flows->config.tap,
                              .local = *source,
                              .remote = flow->remote,
                              .timed = flows->config.gated,
                              .on_datagram = on_flow_datagram,
                              .on_refused = flows->config.shim == NULL ? on_flow_refused : NULL,
                              .user = flow};

    flow->socket = datagrams_open(&config);
    if (flow->socket == NULL) {
        return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == EAGAIN
                   ? -PEAL_E_FULL
                   : -PEAL_E_UNREACHABLE;
    }
    g_array_append_val(flows->coming, flow->name);
    loop_need_turn(flows->config.loop);
    return 0;
}

int flows_open(Flows *flows, const PealTarget *to, PealFlow *ret_flow)
{
    PealAddr source;
    Flow *flow;
    int error = 0;

    if (to->transport != flows->config.transport || to->addr.port == 0 ||
        (to->addr.family != 4 && to->addr.family != 6) || address_is_any(&to->addr) ||
        address_is_multicast(&to->addr) || !source_for(flows, &to->addr, &source)) {
        return -PEAL_E_UNREACHABLE;
    }
    flow = flow_new(flows, &to->addr, true);
    if (flow == NULL) {
        return -PEAL_E_FULL;
    }
    if (to->transport == PEAL_UDP) {
        error = open_udp(flow, &source);
    } else {
        flow->stream =
            stream_connect(flows->streams, &to->addr, &source, &stream_ops, flow, &error);
    }
    if (error != 0) {
        flow_free(flow);
        return error;
    }
    *ret_flow = flow->name;
    return 0;
}

void flows_close(Flows *flows, PealFlow name)
{
    Flow *flow = flow_get(flows, name);

    if (flow != NULL) {
        flow_free(flow);
    }
}

static void flow_send_take(Flow *flow, PealBuf *buf)
{
    if (flow->stream != NULL) {
        stream_send_take(flow->stream, buf);
    } else {
        datagrams_send_take(flow->socket, &flow->remote, flow->opened ? NULL : &flow->local, buf);
        loop_need_turn(flow->flows->config.loop);
    }
}

/* A packet has been under way for its time. */
static void emulated_arrival_take(void *user, const ShimTo *to, PealBuf *buf)
{
    Flow *flow = flow_get(user, to->flow);

    if (flow == NULL) {
        buffer_free(buf);
    } else {
        flow_send_take(flow, buf);
    }
}

static void emulate_take(Flow *flow, uint32_t peer, PealBuf *buf)
{
    Flows *flows = flow->flows;
    const NodeWatch *watch = flows->watch;
    ShimPacket packet = {.peer = peer, .last = flow->stream != NULL ? &flow->last : NULL};
    ShimTo to = {.deliver_take = emulated_arrival_take, .user = flows, .flow = flow->name};
    PealBuf *shown = watch != NULL && watch->sent != NULL ? buffer_copy(buf->data, buf->len) : NULL;
    bool arrives;

    if (shown != NULL) {
        shown->serial = buf->serial;
        shown->attempt = buf->attempt;
    }
    arrives = shim_send_take(flows->config.shim, &packet, &to, buf);
    if (shown != NULL) {
        watch->sent(watch->user, shown, !arrives);
        buffer_free(shown);
    }
    if (!arrives && flow->stream != NULL && flow->timer.place == 0) {
        flow_after(flow, USER_TIMEOUT, emulated_failure);
    }
}

void flows_send_take(Flows *flows, PealFlow name, PealBuf *buf)
{
    Flow *flow = flow_get(flows, name);
    uint32_t peer;

    if (flow == NULL || flow->state != FLOW_UP) {
        buffer_free(buf);
        return;
    }
    if (flows->config.shim != NULL && shim_knows(flows->config.shim, &flow->remote, &peer)) {
        emulate_take(flow, peer, buf);
        return;
    }
    if (flows->watch != NULL && flows->watch->sent != NULL) {
        flows->watch->sent(flows->watch->user, buf, false);
    }
    flow_send_take(flow, buf);
}

/* Opened UDP flows come up, then what was sent leaves. */
static void turn_end(void *user)
{
    Flows *flows = user;
    guint len = flows->coming->len;

    for (guint i = 0; i < len; i++) {
        Flow *flow = flow_get(flows, g_array_index(flows->coming, PealFlow, i));

        if (flow != NULL && flow->state == FLOW_OPENING) {
            flow_up(flow);
        }
    }
    g_array_remove_range(flows->coming, 0, len);
    for (guint i = 0; i < flows->sockets->len; i++) {
        datagrams_flush(((Listening *)g_ptr_array_index(flows->sockets, i))->socket);
    }
}

void flows_watch(Flows *flows, const NodeWatch *watch)
{
    flows->watch = watch;
}

void flows_attach(Flows *flows, PealPeer *peer)
{
    flows->peer = peer;
}

static void listening_free(gpointer data)
{
    Listening *listening = data;

    datagrams_close(listening->socket);
    g_free(listening);
}

static void close_listener(gpointer data)
{
    listener_close(data);
}

Flows *flows_new(const FlowsConfig *config)
{
    Flows *flows = g_new0(Flows, 1);
    StreamsConfig streams = {.loop = config->loop,
                             .tap = config->tap,
                             .queue_max = QUEUE_MAX,
                             .user_timeout = USER_TIMEOUT};

    flows->config = *config;
    flows->config.flows_max = CLAMP(config->flows_max, 8, FLOWS_MAX);
    flows->sockets = g_ptr_array_new_with_free_func(listening_free);
    flows->listeners = g_ptr_array_new_with_free_func(close_listener);
    flows->bound = g_ptr_array_new_with_free_func(g_free);
    flows->by_remote = g_hash_table_new(flow_hash, flow_equal);
    flows->coming = g_array_new(FALSE, FALSE, sizeof(PealFlow));
    flows->unnamed_timer.due = unnamed_due;
    flows->unnamed_timer.user = flows;
    loop_at_turn_end(config->loop, turn_end, flows);
    flows->streams = streams_new(&streams);
    return flows;
}

void flows_free(Flows *flows)
{
    if (flows == NULL) {
        return;
    }
    flows->peer = NULL;
    if (flows->config.shim != NULL) {
        shim_drop(flows->config.shim, flows);
    }
    for (size_t i = 0; i < FLOWS_MAX; i++) {
        if (flows->flow[i] != NULL) {
            flow_free(flows->flow[i]);
        }
    }
    loop_timer_unset(flows->config.loop, &flows->unnamed_timer);
    loop_not_at_turn_end(flows->config.loop, turn_end, flows);
    streams_free(flows->streams);
    g_ptr_array_unref(flows->sockets);
    g_ptr_array_unref(flows->listeners);
    g_ptr_array_unref(flows->bound);
    g_hash_table_unref(flows->by_remote);
    g_array_unref(flows->coming);
    g_free(flows);
}
