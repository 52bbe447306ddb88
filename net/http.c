/* SPDX-License-Identifier: GPL-3.0-or-later */
/* http.c - libmicrohttpd on the node's loop: its epoll descriptor is one of ours. */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <sys/epoll.h>

#include "address.h"
#include "streams.h"

typedef struct HttpDaemon {
    Http *http;
    struct MHD_Daemon *daemon;
    Listener *listener;
    LoopWatch *watch;
    LoopTimer timer;
} HttpDaemon;

struct Http {
    HttpConfig config;
    HttpDaemon *daemons;
    size_t daemons_len;
};

/* Answers. */

static const char REFUSAL[] = "only GET and HEAD are served here\n";
static const char NO_PAGE[] = "there is no such page; / is for people, /status.json and /metrics "
                              "for programs\n";

static HttpAnswer http_plain(unsigned status, const char *text)
{
    return (HttpAnswer){status, "text/plain; charset=utf-8", g_strdup(text)};
}

static HttpAnswer http_find(const Http *http, const char *path, const char *method)
{
    HttpAnswer answer;

    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        return http_plain(MHD_HTTP_METHOD_NOT_ALLOWED, REFUSAL);
    }
    if (!http->config.on_get(http->config.user, path, &answer)) {
        return http_plain(MHD_HTTP_NOT_FOUND, NO_PAGE);
    }
    return answer;
}

static enum MHD_Result http_queue(struct MHD_Connection *connection, HttpAnswer answer)
{
    /* Nothing that is shown may run or load anything, whatever names others gave themselves. */
    static const char policy[] = "default-src 'none'; style-src 'unsafe-inline'; "
                                 "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(answer.text), answer.text, MHD_RESPMEM_MUST_FREE);
    enum MHD_Result result;

    if (response == NULL) {
        g_free(answer.text);
        return MHD_NO;
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "Content-Security-Policy", policy);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
    if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    }
    result = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return result;
}

/* A request's headers have come. It is answered without waiting for a body, which ends the
 * connection if there is one. */
/* NOLINTBEGIN(readability-function-size, readability-non-const-parameter): libmicrohttpd's type */
static enum MHD_Result http_on_request(void *user, struct MHD_Connection *connection,
                                       const char *url, const char *method, const char *version,
                                       const char *upload, size_t *upload_len, void **request)
{
    const HttpDaemon *daemon = user;

    (void)version;
    (void)upload;
    (void)upload_len;
    (void)request;
    return http_queue(connection, http_find(daemon->http, url, method));
}
/* NOLINTEND(readability-function-size, readability-non-const-parameter) */

/* The daemon on the loop. */

static void http_turn(HttpDaemon *daemon)
{
    Loop *loop = daemon->http->config.loop;
    PealTime next = PEAL_TIME_NEVER;
    MHD_UNSIGNED_LONG_LONG wait_ms;

    MHD_run(daemon->daemon);
    if (MHD_get_timeout(daemon->daemon, &wait_ms) == MHD_YES) {
        /* A connection's end is not urgent, but what is to be done at once is. */
        next = peal_time_add(loop_now(loop), peal_ms((int64_t)MIN(wait_ms, HTTP_IDLE_S * 1000)));
    }
    loop_timer_set(loop, &daemon->timer, next);
}

static void http_on_ready(void *user, uint32_t events)
{
    (void)events;
    http_turn(user);
}

static void http_on_due(void *user)
{
    http_turn(user);
}

static void http_on_accept(void *user, int fd, const PealAddr *remote)
{
    HttpDaemon *daemon = user;
    struct sockaddr_storage system;
    socklen_t len = address_to_system(remote, &system);

    /* It closes what is too much. */
    (void)MHD_add_connection(daemon->daemon, fd, (struct sockaddr *)&system, len);
    http_turn(daemon);
}

static void http_log(void *user, const char *format, va_list arguments)
{
    /* What others do to their connections is nothing for the node's log. */
    (void)user;
    (void)format;
    (void)arguments;
}

/* Life. */

static bool http_fail(const PealAddr *addr, const char *what, GError **error)
{
    char text[ADDRESS_TEXT_LEN];
    int why = errno;

    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(why), "[http] listen: %s %s: %s",
                address_text(addr, text), what, g_strerror(why));
    return false;
}

/* It has no listening socket: where the system ran out of descriptors libmicrohttpd turns in a
 * circle, and then never listens again. */
static bool http_start(HttpDaemon *daemon)
{
    const union MHD_DaemonInfo *info;

    daemon->daemon =
        MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, http_on_request,
                         daemon, MHD_OPTION_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_MAX,
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)HTTP_CONNECTIONS_EACH,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)HTTP_IDLE_S,
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HTTP_CONNECTION_BYTES,
                         MHD_OPTION_EXTERNAL_LOGGER, http_log, NULL, MHD_OPTION_END);
    if (daemon->daemon == NULL) {
        return false;
    }
    info = MHD_get_daemon_info(daemon->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    daemon->watch =
        loop_watch(daemon->http->config.loop, info->epoll_fd, EPOLLIN, http_on_ready, daemon);
    return daemon->watch != NULL;
}

static bool http_add(Http *http, const PealAddr *addr, GError **error)
{
    HttpDaemon *daemon = &http->daemons[http->daemons_len];

    *daemon = (HttpDaemon){.http = http, .timer = {.due = http_on_due, .user = daemon}};
    http->daemons_len++;
    if (!http_start(daemon)) {
        return http_fail(addr, "gets no web server", error);
    }
    daemon->listener = listener_open(http->config.loop, addr, http_on_accept, daemon);
    return daemon->listener != NULL || http_fail(addr, "cannot be listened on", error);
}

Http *http_new(const HttpConfig *config, GError **error)
{
    Http *http = g_new0(Http, 1);

    http->config = *config;
    http->config.addrs = NULL; /* borrowed for this call */
    http->daemons = g_new0(HttpDaemon, config->addrs_len);
    for (size_t i = 0; i < config->addrs_len; i++) {
        if (!http_add(http, &config->addrs[i], error)) {
            http_free(http);
            return NULL;
        }
    }
    return http;
}

void http_free(Http *http)
{
    if (http == NULL) {
        return;
    }
    for (size_t i = 0; i < http->daemons_len; i++) {
        HttpDaemon *daemon = &http->daemons[i];

        listener_close(daemon->listener);
        loop_timer_unset(http->config.loop, &daemon->timer);
        loop_unwatch(http->config.loop, daemon->watch);
        if (daemon->daemon != NULL) {
            MHD_stop_daemon(daemon->daemon);
        }
    }
    g_free(http->daemons);
    g_free(http);
}
