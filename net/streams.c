/* SPDX-License-Identifier: GPL-3.0-or-later */
/* streams.c - TCP connections without blocking; see streams.h. */
#include "streams.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "address.h"
#include "buffer.h"

enum {
    READ_LEN = 16384,
    READS_A_TURN = 4, /* other connections have their turn too */
    PARTS_A_WRITE = 16,
    KEEPALIVE_IDLE_S = 120,
    CLOSING_MAX = 256 /* connections that were closed but still send */
};
#define CLOSING_TIME peal_seconds(5)

typedef struct Piece {
    struct Piece *next;
    PealBuf *buf;
    size_t sent;
} Piece;

typedef enum StreamState { STREAM_CONNECTING, STREAM_UP, STREAM_CLOSING, STREAM_GONE } StreamState;

struct Stream {
    Streams *streams;
    const StreamOps *ops;
    void *user;
    LoopWatch *watch;
    LoopTimer timer; /* connecting, closing */
    PealAddr local;
    PealAddr remote;
    uint64_t number; /* the tap's */
    Piece *first;
    Piece **last;
    size_t queued;
    int fd;
    StreamState state;
    bool opened;   /* from here */
    bool busy;     /* inside its own callback */
    bool overflow; /* more was to be sent than may wait */
    GList dirty;   /* in streams->dirty while data is non-NULL */
    GList closing; /* in streams->closing while data is non-NULL */
};

struct Streams {
    StreamsConfig config;
    GQueue dirty;   /* have bytes to write at the end of the turn */
    GQueue closing; /* oldest first */
    size_t queued;  /* bytes of all queues */
};

const PealAddr *stream_local(const Stream *stream)
{
    return &stream->local;
}

const PealAddr *stream_remote(const Stream *stream)
{
    return &stream->remote;
}

static void list_leave(GQueue *queue, GList *link)
{
    if (link->data != NULL) {
        g_queue_unlink(queue, link);
        link->data = NULL;
    }
}

static void list_enter(GQueue *queue, GList *link, Stream *stream)
{
    if (link->data == NULL) {
        *link = (GList){.data = stream};
        g_queue_push_tail_link(queue, link);
    }
}

static void drop_queue(Stream *stream)
{
    while (stream->first != NULL) {
        Piece *piece = stream->first;

        stream->first = piece->next;
        buffer_free(piece->buf);
        g_free(piece);
    }
    stream->last = &stream->first;
    stream->streams->queued -= stream->queued;
    stream->queued = 0;
}

/* Lets go of everything but the memory, which a callback on the stack may still look at. */
static void stream_end(Stream *stream)
{
    Streams *streams = stream->streams;

    if (stream->state != STREAM_GONE) {
        if (stream->state != STREAM_CONNECTING && streams->config.tap->capture != NULL) {
            capture_stream_close(streams->config.tap->capture, stream->number, &stream->local);
        }
        list_leave(&streams->dirty, &stream->dirty);
        list_leave(&streams->closing, &stream->closing);
        loop_timer_unset(streams->config.loop, &stream->timer);
        loop_unwatch(streams->config.loop, stream->watch);
        if (stream->fd >= 0) {
            close(stream->fd);
        }
        drop_queue(stream);
        stream->state = STREAM_GONE;
    }
    if (!stream->busy) {
        g_free(stream);
    }
}

void stream_abort(Stream *stream)
{
    if (stream != NULL) {
        stream_end(stream);
    }
}

/* Ends it and tells its owner, unless the owner has closed it. */
static void stream_fail(Stream *stream, int error)
{
    bool told = stream->state == STREAM_CLOSING;
    bool outermost = !stream->busy;

    stream->busy = true;
    stream_end(stream);
    if (!told) {
        stream->ops->down(stream->user, error);
    }
    stream->busy = !outermost;
    if (outermost) {
        stream_end(stream);
    }
}

static int error_of(int reason)
{
    switch (reason) {
    case 0:
    case ECONNRESET:
    case EPIPE:
        return 0;
    case ECONNREFUSED:
        return -PEAL_E_REFUSED;
    case ETIMEDOUT:
        return -PEAL_E_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case EADDRNOTAVAIL:
    case EAGAIN:
        return -PEAL_E_FULL;
    default:
        return -PEAL_E_UNREACHABLE;
    }
}

/* Writing. */

static void forget_written(Stream *stream, size_t len)
{
    stream->queued -= len;
    stream->streams->queued -= len;
    while (len > 0) {
        Piece *piece = stream->first;
        size_t left = piece->buf->len - piece->sent;
        size_t written = MIN(left, len);

        tap_stream_data(stream->streams->config.tap, stream->number, &stream->local,
                        &stream->remote, (PealBytes){piece->buf->data + piece->sent, written},
                        true);
        piece->sent += written;
        len -= written;
        if (written < left) {
            return;
        }
        stream->first = piece->next;
        if (stream->first == NULL) {
            stream->last = &stream->first;
        }
        buffer_free(piece->buf);
        g_free(piece);
    }
}

/* Writes until the queue is empty or the system full; false when the connection is broken. */
static bool write_queue(Stream *stream)
{
    while (stream->first != NULL) {
        struct iovec parts[PARTS_A_WRITE];
        struct msghdr message = {.msg_iov = parts};
        ssize_t sent;

        for (Piece *piece = stream->first; piece != NULL && message.msg_iovlen < PARTS_A_WRITE;
             piece = piece->next) {
            parts[message.msg_iovlen++] =
                (struct iovec){piece->buf->data + piece->sent, piece->buf->len - piece->sent};
        }
        sent = sendmsg(stream->fd, &message, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
        }
        forget_written(stream, (size_t)sent);
    }
    return true;
}

static void want_events(Stream *stream)
{
    uint32_t events = stream->state == STREAM_CLOSING ? 0 : EPOLLIN;

    if (stream->state == STREAM_CONNECTING || stream->first != NULL) {
        events |= EPOLLOUT;
    }
    loop_change(stream->streams->config.loop, stream->watch, events);
}

/* Writes, and says what to wait for next. A broken connection is left to its own event, but for
 * one that is closed already. */
static void pump(Stream *stream)
{
    bool good = write_queue(stream);

    if (stream->state == STREAM_CLOSING && (!good || stream->first == NULL)) {
        stream_end(stream);
        return;
    }
    if (!good) {
        drop_queue(stream);
    }
    want_events(stream);
}

static void turn_end(void *user)
{
    Streams *streams = user;

    while (!g_queue_is_empty(&streams->dirty)) {
        Stream *stream = g_queue_peek_head(&streams->dirty);

        list_leave(&streams->dirty, &stream->dirty);
        if (stream->overflow) {
            stream_fail(stream, -PEAL_E_FULL);
        } else {
            pump(stream);
        }
    }
}

void stream_send_take(Stream *stream, PealBuf *buf)
{
    Piece *piece;

    if (stream->state > STREAM_UP || stream->overflow || buf->len == 0) {
        buffer_free(buf);
        return;
    }
    if (stream->queued + buf->len > stream->streams->config.queue_max ||
        stream->streams->queued + buf->len > STREAM_QUEUES_MAX) {
        stream->overflow = true;
        buffer_free(buf);
    } else {
        piece = g_new(Piece, 1);
        *piece = (Piece){.buf = buf};
        *stream->last = piece;
        stream->last = &piece->next;
        stream->queued += buf->len;
        stream->streams->queued += buf->len;
    }
    if (stream->state == STREAM_UP || stream->overflow) {
        list_enter(&stream->streams->dirty, &stream->dirty, stream);
        loop_need_turn(stream->streams->config.loop);
    }
}

static void closing_too_long(void *user)
{
    stream_end(user);
}

void stream_close(Stream *stream)
{
    Streams *streams = stream->streams;

    if (stream->state == STREAM_UP && stream->first != NULL) {
        (void)write_queue(stream);
    }
    if (stream->state != STREAM_UP || stream->first == NULL) {
        stream_end(stream);
        return;
    }
    if (streams->closing.length == CLOSING_MAX) {
        stream_end(g_queue_peek_head(&streams->closing));
    }
    list_enter(&streams->closing, &stream->closing, stream);
    stream->state = STREAM_CLOSING;
    stream->timer.due = closing_too_long;
    loop_timer_set(streams->config.loop, &stream->timer,
                   peal_time_add(loop_now(streams->config.loop), CLOSING_TIME));
    want_events(stream);
}

/* Reading. */

static void receive(Stream *stream)
{
    uint8_t data[READ_LEN];

    for (unsigned i = 0; i < READS_A_TURN && stream->state == STREAM_UP; i++) {
        ssize_t len = recv(stream->fd, data, sizeof(data), 0);

        if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
            return;
        }
        if (len <= 0) {
            stream_fail(stream, error_of(len == 0 ? 0 : errno));
            return;
        }
        tap_stream_data(stream->streams->config.tap, stream->number, &stream->remote,
                        &stream->local, (PealBytes){data, (size_t)len}, false);
        loop_refresh(stream->streams->config.loop);
        stream->ops->data_take(stream->user, buffer_copy(data, (size_t)len));
        if ((size_t)len < sizeof(data)) {
            return;
        }
    }
}

/* What is known once the connection stands. */
static void stream_stands(Stream *stream)
{
    struct sockaddr_storage name;
    socklen_t name_len = sizeof(name);
    const Tap *tap = stream->streams->config.tap;

    if (getsockname(stream->fd, (struct sockaddr *)&name, &name_len) == 0) {
        stream->local = address_from_system(&name);
    }
    stream->state = STREAM_UP;
    loop_timer_unset(stream->streams->config.loop, &stream->timer);
    if (tap->capture != NULL) {
        capture_stream_open(tap->capture, stream->number,
                            stream->opened ? &stream->local : &stream->remote,
                            stream->opened ? &stream->remote : &stream->local);
    }
}

static void connected(Stream *stream)
{
    int reason = 0;
    socklen_t len = sizeof(reason);

    (void)getsockopt(stream->fd, SOL_SOCKET, SO_ERROR, &reason, &len);
    if (reason != 0) {
        stream_fail(stream, error_of(reason));
        return;
    }
    stream_stands(stream);
    stream->ops->up(stream->user);
    if (stream->state == STREAM_UP) {
        pump(stream);
    }
}

static void on_ready(void *user, uint32_t events)
{
    Stream *stream = user;

    stream->busy = true;
    if (stream->state == STREAM_CONNECTING) {
        connected(stream);
    } else {
        if (events & EPOLLOUT) {
            pump(stream);
        }
        if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) && stream->state == STREAM_UP) {
            receive(stream);
        }
        if (events & (EPOLLHUP | EPOLLERR) && stream->state == STREAM_CLOSING) {
            stream_end(stream);
        }
    }
    stream->busy = false;
    if (stream->state == STREAM_GONE) {
        stream_end(stream);
    }
}

static void connecting_too_long(void *user)
{
    stream_fail(user, -PEAL_E_TIMEOUT);
}

static void set_options(Stream *stream)
{
    const StreamsConfig *config = &stream->streams->config;
    unsigned user_ms = (unsigned)(config->user_timeout.ns / PEAL_NS_PER_MS);
    int on = 1;
    int idle_s = KEEPALIVE_IDLE_S;

    (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(stream->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(stream->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_ms, sizeof(user_ms));
}

static Stream *stream_new(Streams *streams, const PealAddr *remote, const StreamOps *ops,
                          void *user)
{
    Stream *stream = g_new0(Stream, 1);

    stream->streams = streams;
    stream->ops = ops;
    stream->user = user;
    stream->remote = *remote;
    stream->number = ++streams->config.tap->streams;
    stream->last = &stream->first;
    stream->timer.user = stream;
    return stream;
}

static bool begin_connect(Stream *stream, const PealAddr *from)
{
    struct sockaddr_storage name;
    socklen_t name_len;

    set_options(stream);
    if (from->family != 0) {
        int late = 1;

        /* The port is chosen when the other end is known, so that there are enough. */
        (void)setsockopt(stream->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof(late));
        name_len = address_to_system(from, &name);
        if (bind(stream->fd, (struct sockaddr *)&name, name_len) != 0) {
            return false;
        }
    }
    name_len = address_to_system(&stream->remote, &name);
    return connect(stream->fd, (struct sockaddr *)&name, name_len) == 0 || errno == EINPROGRESS;
}

Stream *stream_connect(Streams *streams, const PealAddr *to, const PealAddr *from,
                       const StreamOps *ops, void *user, int *ret_error)
{
    const StreamsConfig *config = &streams->config;
    Stream *stream = stream_new(streams, to, ops, user);

    stream->opened = true;
    stream->fd =
        socket(to->family == 6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (stream->fd >= 0 && begin_connect(stream, from)) {
        stream->watch = loop_watch(config->loop, stream->fd, EPOLLOUT, on_ready, stream);
    }
    if (stream->watch == NULL) {
        *ret_error = error_of(errno) == 0 ? -PEAL_E_UNREACHABLE : error_of(errno);
        stream_end(stream);
        return NULL;
    }
    stream->timer.due = connecting_too_long;
    loop_timer_set(config->loop, &stream->timer,
                   peal_time_add(loop_now(config->loop), STREAM_CONNECT_TIMEOUT));
    return stream;
}

Stream *stream_adopt(Streams *streams, int fd, const PealAddr *remote, const StreamOps *ops,
                     void *user)
{
    Stream *stream = stream_new(streams, remote, ops, user);

    stream->fd = fd;
    set_options(stream);
    stream->watch = loop_watch(streams->config.loop, fd, EPOLLIN, on_ready, stream);
    if (stream->watch == NULL) {
        stream_end(stream);
        return NULL;
    }
    stream_stands(stream);
    return stream;
}

Streams *streams_new(const StreamsConfig *config)
{
    Streams *streams = g_new0(Streams, 1);

    streams->config = *config;
    loop_at_turn_end(config->loop, turn_end, streams);
    return streams;
}

void streams_free(Streams *streams)
{
    if (streams == NULL) {
        return;
    }
    while (!g_queue_is_empty(&streams->closing)) {
        stream_end(g_queue_peek_head(&streams->closing));
    }
    loop_not_at_turn_end(streams->config.loop, turn_end, streams);
    g_free(streams);
}
