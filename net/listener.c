/* SPDX-License-Identifier: GPL-3.0-or-later */
/* listener.c - accepts TCP connections; see streams.h. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "address.h"
#include "streams.h"

enum { BACKLOG = 1024, ACCEPTS_A_TURN = 64 };
#define PAUSE peal_ms(200) /* when the system has no descriptor left */

struct Listener {
    Loop *loop;
    ListenerAccept accept;
    void *user;
    LoopWatch *watch;
    LoopTimer pause;
    PealAddr local;
    int fd;
};

const PealAddr *listener_local(const Listener *listener)
{
    return &listener->local;
}

static void pause_over(void *user)
{
    Listener *listener = user;

    loop_change(listener->loop, listener->watch, EPOLLIN);
}

static void on_ready(void *user, uint32_t events)
{
    Listener *listener = user;

    (void)events;
    for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
        struct sockaddr_storage name;
        socklen_t name_len = sizeof(name);
        PealAddr remote;
        int fd = accept4(listener->fd, (struct sockaddr *)&name, &name_len,
                         SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            loop_change(listener->loop, listener->watch, 0);
            loop_timer_set(listener->loop, &listener->pause,
                           peal_time_add(loop_now(listener->loop), PAUSE));
            return;
        }
        if (fd < 0 && errno != ECONNABORTED) {
            return;
        }
        if (fd >= 0) {
            remote = address_from_system(&name);
            loop_refresh(listener->loop);
            listener->accept(listener->user, fd, &remote);
        }
    }
}

static bool listen_at(Listener *listener, const PealAddr *addr)
{
    struct sockaddr_storage name;
    socklen_t name_len = address_to_system(addr, &name);
    int on = 1;

    (void)setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (addr->family == 6 &&
        setsockopt(listener->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) != 0) {
        return false;
    }
    if (bind(listener->fd, (struct sockaddr *)&name, name_len) != 0 ||
        listen(listener->fd, BACKLOG) != 0) {
        return false;
    }
    name_len = sizeof(name);
    if (getsockname(listener->fd, (struct sockaddr *)&name, &name_len) != 0) {
        return false;
    }
    listener->local = address_from_system(&name);
    return true;
}

Listener *listener_open(Loop *loop, const PealAddr *addr, ListenerAccept accept, void *user)
{
    Listener *listener = g_new0(Listener, 1);
    int reason;

    *listener = (Listener){.loop = loop, .accept = accept, .user = user};
    listener->pause.due = pause_over;
    listener->pause.user = listener;
    listener->fd = socket(addr->family == 6 ? AF_INET6 : AF_INET,
                          SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->fd >= 0 && listen_at(listener, addr)) {
        listener->watch = loop_watch(loop, listener->fd, EPOLLIN, on_ready, listener);
    }
    if (listener->watch != NULL) {
        return listener;
    }
    reason = errno;
    if (listener->fd >= 0) {
        close(listener->fd);
    }
    g_free(listener);
    errno = reason;
    return NULL;
}

void listener_close(Listener *listener)
{
    if (listener == NULL) {
        return;
    }
    loop_timer_unset(listener->loop, &listener->pause);
    loop_unwatch(listener->loop, listener->watch);
    close(listener->fd);
    g_free(listener);
}
