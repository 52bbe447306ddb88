/* SPDX-License-Identifier: GPL-3.0-or-later */
/* datagrams.c - one UDP socket; see datagrams.h. */
#include "datagrams.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "buffer.h"

enum {
    BATCH = 32,
    ROUNDS_A_TURN = 4, /* other sockets have their turn too */
    CONTROL_LEN = 128,
    ERRORS_A_TURN = 16,
    SOCKET_BUFFER = 4 << 20 /* of a socket that everybody sends to; the system may give less */
};

typedef struct Outgoing {
    PealAddr to;
    PealAddr from; /* family 0: the system chooses */
    PealBuf *buf;
} Outgoing;

struct Datagrams {
    DatagramsConfig config;
    int fd;
    bool any;    /* bound to all of the host's addresses */
    bool busy;   /* inside its own callback */
    bool closed; /* there */
    LoopWatch *watch;
    Outgoing *queue; /* of DATAGRAMS_QUEUE, NULL when connected */
    size_t queue_len;
};

/* Where datagrams are received, before each is looked at and copied to its size; pages that no
 * large datagram touches cost nothing. */
static struct {
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_storage names[BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[BATCH][CONTROL_LEN];
    uint8_t data[BATCH][DATAGRAM_MAX + 1];
} room;

const PealAddr *datagrams_local(const Datagrams *datagrams)
{
    return &datagrams->config.local;
}

static PealSpan age; /* of the datagram that is being handed over */

PealSpan datagrams_age(void)
{
    return age;
}

static bool set_option(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

static bool prepare(const Datagrams *datagrams)
{
    const DatagramsConfig *config = &datagrams->config;
    bool v6 = config->local.family == 6;
    bool good = !v6 || set_option(datagrams->fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

    if (config->on_refused != NULL) {
        good = good && (v6 ? set_option(datagrams->fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
                           : set_option(datagrams->fd, IPPROTO_IP, IP_RECVERR, 1));
    }
    if (datagrams->any) {
        good = good && (v6 ? set_option(datagrams->fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                           : set_option(datagrams->fd, IPPROTO_IP, IP_PKTINFO, 1));
    }
    if (config->timed) {
        (void)set_option(datagrams->fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    }
    if (config->remote.family == 0) {
        (void)set_option(datagrams->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
        (void)set_option(datagrams->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
    }
    return good;
}

static bool bind_and_connect(Datagrams *datagrams)
{
    DatagramsConfig *config = &datagrams->config;
    struct sockaddr_storage name;
    socklen_t name_len = address_to_system(&config->local, &name);

    if (bind(datagrams->fd, (struct sockaddr *)&name, name_len) != 0) {
        return false;
    }
    if (config->remote.family != 0) {
        name_len = address_to_system(&config->remote, &name);
        if (connect(datagrams->fd, (struct sockaddr *)&name, name_len) != 0) {
            return false;
        }
    }
    name_len = sizeof(name);
    if (getsockname(datagrams->fd, (struct sockaddr *)&name, &name_len) != 0) {
        return false;
    }
    config->local = address_from_system(&name);
    return true;
}

static void on_ready(void *user, uint32_t events);

Datagrams *datagrams_open(const DatagramsConfig *config)
{
    Datagrams *datagrams = g_new0(Datagrams, 1);
    int reason;

    datagrams->config = *config;
    datagrams->any = config->remote.family == 0 && address_is_any(&config->local);
    datagrams->fd = socket(config->local.family == 6 ? AF_INET6 : AF_INET,
                           SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (datagrams->fd >= 0 && prepare(datagrams) && bind_and_connect(datagrams)) {
        datagrams->watch = loop_watch(config->loop, datagrams->fd, EPOLLIN, on_ready, datagrams);
    }
    if (datagrams->watch == NULL) {
        reason = errno;
        if (datagrams->fd >= 0) {
            close(datagrams->fd);
        }
        g_free(datagrams);
        errno = reason;
        return NULL;
    }
    if (config->remote.family == 0) {
        datagrams->queue = g_new(Outgoing, DATAGRAMS_QUEUE);
    }
    return datagrams;
}

void datagrams_close(Datagrams *datagrams)
{
    if (datagrams == NULL) {
        return;
    }
    if (!datagrams->closed) {
        datagrams_flush(datagrams);
        loop_unwatch(datagrams->config.loop, datagrams->watch);
        close(datagrams->fd);
        for (size_t i = 0; i < datagrams->queue_len; i++) {
            buffer_free(datagrams->queue[i].buf);
        }
        datagrams->queue_len = 0;
    }
    datagrams->closed = true;
    if (!datagrams->busy) {
        g_free(datagrams->queue);
        g_free(datagrams);
    }
}

/* Receiving. */

/* The address a datagram came to, as far as the system says. */
static PealAddr local_of(const Datagrams *datagrams, struct msghdr *message)
{
    PealAddr local = datagrams->config.local;

    if (!datagrams->any) {
        return local;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            memcpy(local.ip, &info.ipi_addr, sizeof(info.ipi_addr));
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;

            memcpy(&info, CMSG_DATA(c), sizeof(info));
            memcpy(local.ip, &info.ipi6_addr, sizeof(info.ipi6_addr));
        }
    }
    return local;
}

/* Both clocks are the wall's, which may be set back in between. */
static PealSpan age_of(const Datagrams *datagrams, struct msghdr *message)
{
    struct timespec now;
    struct timespec then;

    if (!datagrams->config.timed) {
        return (PealSpan){0};
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS &&
            clock_gettime(CLOCK_REALTIME, &now) == 0) {
            memcpy(&then, CMSG_DATA(c), sizeof(then));
            return (PealSpan){
                MAX((now.tv_sec - then.tv_sec) * PEAL_NS_PER_S + now.tv_nsec - then.tv_nsec, 0)};
        }
    }
    return (PealSpan){0};
}

static void prepare_room(void)
{
    for (size_t i = 0; i < BATCH; i++) {
        room.parts[i] = (struct iovec){room.data[i], sizeof(room.data[i])};
        room.messages[i].msg_hdr = (struct msghdr){
            .msg_name = &room.names[i],
            .msg_namelen = sizeof(room.names[i]),
            .msg_iov = &room.parts[i],
            .msg_iovlen = 1,
            .msg_control = room.controls[i],
            .msg_controllen = CONTROL_LEN,
        };
    }
}

static void hand_over(Datagrams *datagrams, size_t i)
{
    struct msghdr *message = &room.messages[i].msg_hdr;
    PealBytes data = {room.data[i], room.messages[i].msg_len};
    PealAddr remote = datagrams->config.remote;
    PealAddr local;

    if (remote.family == 0) {
        remote = address_from_system(&room.names[i]);
    }
    /* Nobody can be answered at port 0. */
    if (message->msg_flags & MSG_TRUNC || remote.family == 0 || remote.port == 0) {
        return;
    }
    local = local_of(datagrams, message);
    tap_datagram(datagrams->config.tap, &remote, &local, data, false);
    age = age_of(datagrams, message);
    datagrams->config.on_datagram(datagrams->config.user, &remote, &local, data);
    age = (PealSpan){0};
}

static void receive(Datagrams *datagrams)
{
    for (unsigned round = 0; round < ROUNDS_A_TURN && !datagrams->closed; round++) {
        int len;

        prepare_room();
        len = recvmmsg(datagrams->fd, room.messages, BATCH, 0, NULL);
        for (int i = 0; i < len && !datagrams->closed; i++) {
            loop_refresh(datagrams->config.loop);
            hand_over(datagrams, (size_t)i);
        }
        if (len < BATCH) {
            return;
        }
    }
}

static int refusal_of(uint32_t error)
{
    switch (error) {
    case ECONNREFUSED:
        return -PEAL_E_REFUSED;
    case EHOSTUNREACH:
    case ENETUNREACH:
        return -PEAL_E_UNREACHABLE;
    default:
        return 0; /* too large, for one: the next datagram may pass */
    }
}

/* One ICMP message; false when there is none any more. */
static bool receive_error(Datagrams *datagrams)
{
    struct sockaddr_storage name;
    _Alignas(struct cmsghdr) uint8_t control[2 * CONTROL_LEN];
    struct msghdr message = {.msg_name = &name,
                             .msg_namelen = sizeof(name),
                             .msg_control = control,
                             .msg_controllen = sizeof(control)};
    PealAddr remote;

    if (recvmsg(datagrams->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
        return false;
    }
    remote = datagrams->config.remote;
    if (remote.family == 0) {
        remote = address_from_system(&name);
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c != NULL; c = CMSG_NXTHDR(&message, c)) {
        struct sock_extended_err reason;

        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            memcpy(&reason, CMSG_DATA(c), sizeof(reason));
            if (remote.family != 0 && refusal_of(reason.ee_errno) != 0) {
                datagrams->config.on_refused(datagrams->config.user, &remote,
                                             refusal_of(reason.ee_errno));
                return true;
            }
        }
    }
    return true;
}

static void on_ready(void *user, uint32_t events)
{
    Datagrams *datagrams = user;

    datagrams->busy = true;
    if (events & EPOLLOUT) {
        datagrams_flush(datagrams);
    }
    if (events & EPOLLIN) {
        receive(datagrams);
    }
    if (events & EPOLLERR && !datagrams->closed) {
        int error;
        socklen_t len = sizeof(error);

        (void)getsockopt(datagrams->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        for (unsigned i = 0;
             i < ERRORS_A_TURN && datagrams->config.on_refused != NULL && !datagrams->closed; i++) {
            if (!receive_error(datagrams)) {
                break;
            }
        }
    }
    datagrams->busy = false;
    if (datagrams->closed) {
        datagrams_close(datagrams);
    }
}

/* Sending. */

/* Room for what names the address a datagram leaves from; returns its length. */
static size_t put_from(const PealAddr *from, uint8_t control[CONTROL_LEN])
{
    struct cmsghdr *c = (struct cmsghdr *)(void *)control;
    struct in_pktinfo info = {0};
    struct in6_pktinfo info6 = {0};

    memset(control, 0, CONTROL_LEN);
    if (from->family == 4) {
        memcpy(&info.ipi_spec_dst, from->ip, sizeof(info.ipi_spec_dst));
        *c = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
        return CMSG_SPACE(sizeof(info));
    }
    memcpy(&info6.ipi6_addr, from->ip, sizeof(info6.ipi6_addr));
    *c = (struct cmsghdr){CMSG_LEN(sizeof(info6)), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(c), &info6, sizeof(info6));
    return CMSG_SPACE(sizeof(info6));
}

static void send_connected_take(Datagrams *datagrams, PealBuf *buf)
{
    const DatagramsConfig *config = &datagrams->config;
    ssize_t sent = send(datagrams->fd, buf->data, buf->len, MSG_NOSIGNAL);

    /* A pending ICMP error is told once, in place of sending. */
    if (sent < 0 && errno == ECONNREFUSED) {
        sent = send(datagrams->fd, buf->data, buf->len, MSG_NOSIGNAL);
    }
    if (sent >= 0) {
        tap_datagram(config->tap, &config->local, &config->remote, (PealBytes){buf->data, buf->len},
                     true);
    }
    buffer_free(buf);
}

void datagrams_send_take(Datagrams *datagrams, const PealAddr *to, const PealAddr *from,
                         PealBuf *buf)
{
    Outgoing *out;

    if (datagrams->closed || buf->len > DATAGRAM_MAX) {
        buffer_free(buf);
        return;
    }
    if (datagrams->queue == NULL) {
        send_connected_take(datagrams, buf);
        return;
    }
    if (datagrams->queue_len == DATAGRAMS_QUEUE) {
        datagrams_flush(datagrams);
    }
    if (datagrams->queue_len == DATAGRAMS_QUEUE || to->family != datagrams->config.local.family) {
        buffer_free(buf);
        return;
    }
    out = &datagrams->queue[datagrams->queue_len++];
    *out = (Outgoing){.to = *to, .buf = buf};
    if (datagrams->any && from != NULL && !address_is_any(from)) {
        out->from = *from;
    }
}

/* Sends up to a batch from `first` on; returns how many are done with, 0: the system is full. */
static size_t send_batch(Datagrams *datagrams, size_t first)
{
    struct mmsghdr messages[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_storage names[BATCH];
    _Alignas(struct cmsghdr) uint8_t controls[BATCH][CONTROL_LEN];
    size_t len = MIN(datagrams->queue_len - first, BATCH);
    int sent;

    for (size_t i = 0; i < len; i++) {
        Outgoing *out = &datagrams->queue[first + i];

        parts[i] = (struct iovec){out->buf->data, out->buf->len};
        messages[i].msg_hdr = (struct msghdr){.msg_name = &names[i],
                                              .msg_namelen = address_to_system(&out->to, &names[i]),
                                              .msg_iov = &parts[i],
                                              .msg_iovlen = 1};
        if (out->from.family != 0) {
            messages[i].msg_hdr.msg_control = controls[i];
            messages[i].msg_hdr.msg_controllen = put_from(&out->from, controls[i]);
        }
    }
    sent = sendmmsg(datagrams->fd, messages, (unsigned)len, MSG_NOSIGNAL);
    if (sent < 0 && (errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH)) {
        /* An earlier datagram's fate may be told in place of sending. */
        sent = sendmmsg(datagrams->fd, messages, (unsigned)len, MSG_NOSIGNAL);
    }
    if (sent < 0) {
        /* One that cannot be sent is dropped, so that the next have their chance. */
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : 1;
    }
    for (size_t i = 0; i < (size_t)sent; i++) {
        const Outgoing *out = &datagrams->queue[first + i];
        PealAddr from = datagrams->config.local;

        if (out->from.family != 0) {
            memcpy(from.ip, out->from.ip, sizeof(from.ip));
        }
        tap_datagram(datagrams->config.tap, &from, &out->to,
                     (PealBytes){out->buf->data, out->buf->len}, true);
    }
    return (size_t)sent;
}

void datagrams_flush(Datagrams *datagrams)
{
    size_t done = 0;

    if (datagrams->closed) {
        return;
    }
    while (done < datagrams->queue_len) {
        size_t sent = send_batch(datagrams, done);

        for (size_t i = 0; i < sent; i++) {
            buffer_free(datagrams->queue[done + i].buf);
        }
        done += sent;
        if (sent == 0) {
            break;
        }
    }
    if (done > 0) {
        datagrams->queue_len -= done;
        memmove(datagrams->queue, datagrams->queue + done,
                datagrams->queue_len * sizeof(*datagrams->queue));
    }
    loop_change(datagrams->config.loop, datagrams->watch,
                datagrams->queue_len > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}
