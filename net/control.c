/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control.c - the control socket: clients, lines and answers. */
#include "control.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control_socket.h"
#include "json_text.h"

#define CONTROL_PAUSE peal_ms(200) /* when the system has no descriptor left */

typedef struct ControlClient {
    Control *control;
    LoopWatch *watch;
    GString *answers; /* not yet written */
    int fd;
    guint calls;   /* not answered */
    bool busy;     /* a request of it is being handled: free it later */
    bool finished; /* it sends no more, and waits for its answers */
    bool ended;
    size_t line_len;
    char line[CONTROL_LINE_MAX + 1];
} ControlClient;

struct ControlCall {
    ControlClient *client; /* NULL: gone */
    json_t *id;            /* what the client calls the request, or NULL */
};

struct Control {
    ControlConfig config;
    ControlSocket socket;
    LoopWatch *acceptable;
    LoopTimer pause;
    GPtrArray *clients; /* ControlClient */
    GPtrArray *calls;   /* ControlCall, not answered */
};

/* Clients. */

static void control_client_free(ControlClient *client)
{
    Control *control = client->control;

    for (guint i = 0; i < control->calls->len; i++) {
        ControlCall *call = g_ptr_array_index(control->calls, i);

        if (call->client == client) {
            call->client = NULL;
            g_ptr_array_remove_index_fast(control->calls, i--);
        }
    }
    loop_unwatch(control->config.loop, client->watch);
    close(client->fd);
    g_string_free(client->answers, TRUE);
    g_ptr_array_remove_fast(control->clients, client);
    g_free(client);
}

/* Writes what can be written now. */
static void control_flush(ControlClient *client)
{
    GString *answers = client->answers;

    while (answers->len > 0 && !client->ended) {
        ssize_t written = send(client->fd, answers->str, answers->len, MSG_NOSIGNAL);

        if (written >= 0) {
            g_string_erase(answers, 0, written);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            client->ended = true;
        }
    }
    if (answers->len > CONTROL_BACKLOG_MAX) {
        client->ended = true;
    }
    loop_change(client->control->config.loop, client->watch,
                (client->finished ? 0U : (uint32_t)EPOLLIN) |
                    (answers->len > 0 ? (uint32_t)EPOLLOUT : 0U));
}

/* The client may be gone after this. */
static void control_settle(ControlClient *client)
{
    if (client->finished && client->calls == 0 && client->answers->len == 0) {
        client->ended = true;
    }
    if (client->ended && !client->busy) {
        control_client_free(client);
    }
}

static void control_write(ControlClient *client, const json_t *answer)
{
    g_autofree char *text = json_dumps(answer, JSON_TEXT_LINE);

    /* jansson's allocator is the C library's, and so is GLib's. */
    if (text == NULL) {
        client->ended = true;
        return;
    }
    g_string_append(client->answers, text);
    g_string_append_c(client->answers, '\n');
    control_flush(client);
}

/* Answers. */

static void control_finish(ControlCall *call, json_t *answer)
{
    ControlClient *client = call->client;

    if (call->id != NULL) {
        json_object_set_new(answer, "id", call->id); /* takes the reference */
    }
    if (client != NULL) {
        g_ptr_array_remove_fast(client->control->calls, call);
        client->calls--;
        control_write(client, answer);
        control_settle(client);
    }
    json_decref(answer);
    g_free(call);
}

void control_answer_take(ControlCall *call, json_t *answer)
{
    json_object_set_new(answer, "ok", json_true());
    control_finish(call, answer);
}

void control_refuse(ControlCall *call, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *valid = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    valid = g_utf8_make_valid(text, -1);
    control_finish(call, json_pack("{s:b, s:s}", "ok", 0, "error", valid));
}

/* Requests. */

static void control_on_line(ControlClient *client, const char *line, size_t len)
{
    Control *control = client->control;
    json_error_t why;
    json_t *request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
    const json_t *verb = json_object_get(request, "do");
    const json_t *id = json_object_get(request, "id");
    ControlCall *call = g_new0(ControlCall, 1);

    call->client = client;
    if (json_is_string(id) || json_is_integer(id)) {
        call->id = json_deep_copy(id);
    }
    client->calls++;
    g_ptr_array_add(control->calls, call);
    if (request == NULL) {
        control_refuse(call, "no JSON: %s (column %d)", why.text, why.column);
    } else if (!json_is_string(verb)) {
        control_refuse(call, "a request is an object with a text \"do\"");
    } else if (client->calls > CONTROL_CALLS_MAX) {
        control_refuse(call, "more than %d requests at a time", CONTROL_CALLS_MAX);
    } else {
        control->config.on_request(control->config.user, json_string_value(verb), request, call);
    }
    json_decref(request);
}

/* Handles the whole lines that have come, and keeps the start of the next one. */
static void control_take_lines(ControlClient *client)
{
    char *start = client->line;
    char *end = client->line + client->line_len;
    char *newline;

    while (!client->ended && (newline = memchr(start, '\n', (size_t)(end - start))) != NULL) {
        size_t len = (size_t)(newline - start);

        if (len > 0 && newline[-1] == '\r') {
            len--;
        }
        if (len > 0) {
            control_on_line(client, start, len);
        }
        start = newline + 1;
    }
    client->line_len = (size_t)(end - start);
    memmove(client->line, start, client->line_len);
    if (client->line_len > CONTROL_LINE_MAX && !client->ended) {
        json_t *answer = json_pack("{s:b, s:s}", "ok", 0, "error", "the line is too long");

        control_write(client, answer);
        json_decref(answer);
        client->ended = true;
    }
}

static void control_read(ControlClient *client)
{
    ssize_t len = recv(client->fd, client->line + client->line_len,
                       sizeof(client->line) - client->line_len, 0);

    if (len > 0) {
        client->line_len += (size_t)len;
        control_take_lines(client);
    } else if (len == 0) {
        client->finished = true;
        control_flush(client);
    } else if (errno != EAGAIN && errno != EINTR) {
        client->ended = true;
    }
}

static void control_on_client(void *user, uint32_t events)
{
    ControlClient *client = user;

    client->busy = true;
    if ((events & EPOLLOUT) != 0) {
        control_flush(client);
    }
    if ((events & EPOLLIN) != 0 && !client->ended) {
        control_read(client);
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        client->ended = true;
    }
    client->busy = false;
    control_settle(client);
}

static bool control_add_client(Control *control, int fd)
{
    ControlClient *client = g_new0(ControlClient, 1);

    client->control = control;
    client->fd = fd;
    client->watch = loop_watch(control->config.loop, fd, EPOLLIN, control_on_client, client);
    if (client->watch == NULL) {
        g_free(client);
        return false;
    }
    client->answers = g_string_new(NULL);
    g_ptr_array_add(control->clients, client);
    return true;
}

static void control_pause_over(void *user)
{
    Control *control = user;

    loop_change(control->config.loop, control->acceptable, EPOLLIN);
}

static void control_on_acceptable(void *user, uint32_t events)
{
    static const char full[] = "{\"ok\":false,\"error\":\"too many clients; try again\"}\n";
    Control *control = user;
    int fd = accept4(control->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)events;
    if (fd < 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        /* The client still waits to be accepted, and epoll would say so all the time. */
        loop_change(control->config.loop, control->acceptable, 0);
        loop_timer_set(control->config.loop, &control->pause,
                       peal_time_add(loop_now(control->config.loop), CONTROL_PAUSE));
    }
    if (fd >= 0 &&
        (control->clients->len >= CONTROL_CLIENTS_MAX || !control_add_client(control, fd))) {
        (void)!send(fd, full, sizeof(full) - 1, MSG_NOSIGNAL);
        close(fd);
    }
}

/* Life. */

Control *control_new(const ControlConfig *config, GError **error)
{
    ControlSocket listening;
    Control *control;

    if (!control_socket_listen(config->path, &listening, error)) {
        return NULL;
    }
    control = g_new0(Control, 1);
    control->config = *config;
    control->config.path = NULL; /* the socket has its own copy */
    control->socket = listening;
    control->clients = g_ptr_array_new();
    control->calls = g_ptr_array_new();
    control->pause.due = control_pause_over;
    control->pause.user = control;
    control->acceptable =
        loop_watch(config->loop, listening.fd, EPOLLIN, control_on_acceptable, control);
    if (control->acceptable == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_MFILE,
                    "control socket %s: no room to wait on it", config->path);
        control_free(control);
        return NULL;
    }
    return control;
}

void control_free(Control *control)
{
    if (control == NULL) {
        return;
    }
    loop_timer_unset(control->config.loop, &control->pause);
    loop_unwatch(control->config.loop, control->acceptable);
    while (control->clients->len > 0) {
        control_client_free(g_ptr_array_index(control->clients, 0));
    }
    control_socket_close(&control->socket);
    g_ptr_array_unref(control->clients);
    g_ptr_array_unref(control->calls);
    g_free(control);
}
