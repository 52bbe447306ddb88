/* SPDX-License-Identifier: GPL-3.0-or-later */
/* client.c - one request over one connection. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "control_socket.h"
#include "json_text.h"

enum { CLIENT_ANSWER_MAX = 4 << 20, CLIENT_PIECE = 16384 };

static const char SYSTEM_SOCKET[] = "/run/peal/control";

GQuark client_error_quark(void)
{
    return g_quark_from_static_string("peal-client-error");
}

char *client_path(const char *named)
{
    const char *chosen = named != NULL ? named : g_getenv("PEAL_CONTROL");
    g_autofree char *own = g_build_filename(g_get_user_runtime_dir(), "peal", "control", NULL);

    if (chosen != NULL && chosen[0] != '\0') {
        return g_strdup(chosen);
    }
    if (!g_file_test(SYSTEM_SOCKET, G_FILE_TEST_EXISTS) && g_file_test(own, G_FILE_TEST_EXISTS)) {
        return g_steal_pointer(&own);
    }
    return g_strdup(SYSTEM_SOCKET);
}

static int client_connect(const char *path, GError **error)
{
    int fd = control_socket_connect(path);
    const char *hint = errno == EACCES ? "the node belongs to another user"
                                       : "is the node running? Name its socket with --socket PATH";

    if (fd < 0) {
        g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_ABSENT, "no node at %s: %s; %s", path,
                    g_strerror(errno), hint);
    }
    return fd;
}

static void client_silent(const char *path, const char *why, GError **error)
{
    g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_SILENT, "the node at %s %s", path, why);
}

static bool client_send(int fd, const json_t *request)
{
    g_autofree char *text = json_dumps(request, JSON_TEXT_LINE);
    g_autofree char *line = text != NULL ? g_strconcat(text, "\n", NULL) : NULL;
    size_t len = line != NULL ? strlen(line) : 0;

    /* One line fits into a socket's buffer. */
    return len > 0 && len <= CONTROL_LINE_MAX && send(fd, line, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* Reads a line, without its newline. */
static bool client_receive(int fd, const char *path, gint64 deadline_us, GString *line,
                           GError **error)
{
    char piece[CLIENT_PIECE];

    while (line->len == 0 || line->str[line->len - 1] != '\n') {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        gint64 left_ms = (deadline_us - g_get_monotonic_time()) / 1000;
        int ready = left_ms > 0 ? poll(&wait, 1, (int)left_ms) : 0;
        ssize_t len;

        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready == 0) {
            client_silent(path, "does not answer in time", error);
            return false;
        }
        len = ready > 0 ? recv(fd, piece, sizeof(piece), 0) : -1;
        if (len <= 0 || line->len + (size_t)len > CLIENT_ANSWER_MAX) {
            client_silent(path, "ended the connection before it answered", error);
            return false;
        }
        g_string_append_len(line, piece, len);
    }
    return true;
}

static json_t *client_exchange(int fd, const char *path, const json_t *request, gint64 deadline_us,
                               GError **error)
{
    g_autoptr(GString) line = g_string_new(NULL);
    const char *refusal;
    json_t *answer;

    if (!client_send(fd, request)) {
        client_silent(path, "does not take the request", error);
        return NULL;
    }
    if (!client_receive(fd, path, deadline_us, line, error)) {
        return NULL;
    }
    answer = json_loadb(line->str, line->len, 0, NULL);
    if (json_is_true(json_object_get(answer, "ok"))) {
        return answer;
    }
    refusal = json_string_value(json_object_get(answer, "error"));
    if (refusal == NULL) {
        client_silent(path, "gives an answer that makes no sense", error);
    } else {
        g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_REFUSED, "%s", refusal);
    }
    json_decref(answer);
    return NULL;
}

json_t *client_ask(const char *path, json_t *request, unsigned timeout_ms, GError **error)
{
    gint64 deadline_us = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    int fd = client_connect(path, error);
    json_t *answer = NULL;

    if (fd >= 0) {
        answer = client_exchange(fd, path, request, deadline_us, error);
        close(fd);
    }
    json_decref(request);
    return answer;
}
