/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_link.c - see run_link.h. */
#include "run_link.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control_socket.h"
#include "json_text.h"

enum { READ_MAX = 1 << 16, LINE_MAX_BYTES = 1 << 22 };

struct RunLink {
    RunLinkConfig config;
    LoopWatch *watch;
    GString *out;
    GString *in;
    int fd;
    bool busy; /* a callback is under way: free it later */
    bool freed;
    bool ended;
};

static void on_ready(void *user, uint32_t events);

RunLink *run_link_new(const RunLinkConfig *config, const char *path)
{
    int fd = control_socket_connect(path);
    RunLink *link;

    if (fd < 0) {
        return NULL;
    }
    link = g_new0(RunLink, 1);
    link->config = *config;
    link->fd = fd;
    link->watch = fcntl(fd, F_SETFL, O_NONBLOCK) == 0
                      ? loop_watch(config->loop, fd, EPOLLIN, on_ready, link)
                      : NULL;
    if (link->watch == NULL) {
        close(fd);
        g_free(link);
        errno = ENOMEM;
        return NULL;
    }
    link->out = g_string_new(NULL);
    link->in = g_string_new(NULL);
    return link;
}

void run_link_free(RunLink *link)
{
    if (link == NULL) {
        return;
    }
    link->freed = true;
    if (link->busy) {
        return;
    }
    loop_unwatch(link->config.loop, link->watch);
    close(link->fd);
    g_string_free(link->out, TRUE);
    g_string_free(link->in, TRUE);
    g_free(link);
}

static void flush(RunLink *link)
{
    while (link->out->len > 0 && !link->ended) {
        ssize_t sent = send(link->fd, link->out->str, link->out->len, MSG_NOSIGNAL);

        if (sent >= 0) {
            g_string_erase(link->out, 0, sent);
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            return; /* the end shows when reading */
        }
    }
    loop_change(link->config.loop, link->watch,
                link->out->len > 0 ? (uint32_t)EPOLLIN | (uint32_t)EPOLLOUT : (uint32_t)EPOLLIN);
}

void run_link_send_take(RunLink *link, json_t *request)
{
    char *text = json_dumps(request, JSON_TEXT_LINE);

    PEAL_ASSERT(text != NULL);
    g_string_append(link->out, text);
    g_string_append_c(link->out, '\n');
    free(text);
    json_decref(request);
    flush(link);
}

/* Hands over whole lines; false when one is no answer. */
static bool take_lines(RunLink *link)
{
    size_t start = 0;
    const char *newline;

    while (!link->freed &&
           (newline = memchr(link->in->str + start, '\n', link->in->len - start)) != NULL) {
        size_t len = (size_t)(newline - link->in->str) - start;
        json_t *answer = json_loadb(link->in->str + start, len, 0, NULL);

        if (!json_is_object(answer)) {
            json_decref(answer);
            return false;
        }
        link->config.on_answer(link->config.user, answer);
        json_decref(answer);
        start += len + 1;
    }
    g_string_erase(link->in, 0, (gssize)start);
    return link->in->len <= LINE_MAX_BYTES;
}

static void receive(RunLink *link)
{
    char bytes[READ_MAX];
    ssize_t len = recv(link->fd, bytes, sizeof(bytes), 0);

    if (len > 0) {
        g_string_append_len(link->in, bytes, len);
        link->ended = !take_lines(link);
    } else if (len == 0 || (errno != EAGAIN && errno != EINTR)) {
        link->ended = true;
    }
}

static void on_ready(void *user, uint32_t events)
{
    RunLink *link = user;

    link->busy = true;
    if ((events & EPOLLOUT) != 0) {
        flush(link);
    }
    if ((events & ~(uint32_t)EPOLLOUT) != 0) {
        receive(link);
    }
    if (link->ended && !link->freed) {
        loop_unwatch(link->config.loop, link->watch);
        link->watch = NULL;
        link->config.on_end(link->config.user);
    }
    link->busy = false;
    if (link->freed) {
        run_link_free(link);
    }
}
