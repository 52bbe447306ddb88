/* SPDX-License-Identifier: GPL-3.0-or-later */
/* log.c - the node's log; see log.h. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static struct {
    char *path; /* NULL: standard error */
    int fd;
    NodeLogLevel level;
} state = {.fd = STDERR_FILENO, .level = NODE_LOG_NOTICE};

static int open_file(const char *path, GError **error)
{
    /* Nonblocking, for a pipe: one without a reader is an error, and a full one loses lines. */
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);

    if (fd < 0) {
        int reason = errno;

        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason),
                    "cannot write the log %s: %s; set node.log to a file that the node may write",
                    path, g_strerror(reason));
    }
    return fd;
}

void log_close(void)
{
    if (state.fd != STDERR_FILENO) {
        close(state.fd);
    }
    g_clear_pointer(&state.path, g_free);
    state.fd = STDERR_FILENO;
}

bool log_open(const char *path, NodeLogLevel level, GError **error)
{
    int fd = path == NULL ? STDERR_FILENO : open_file(path, error);

    if (fd < 0) {
        return false;
    }
    log_close();
    state.path = g_strdup(path);
    state.fd = fd;
    state.level = level;
    return true;
}

bool log_reopen(GError **error)
{
    int fd;

    if (state.path == NULL) {
        return true;
    }
    fd = open_file(state.path, error);
    if (fd < 0) {
        return false;
    }
    close(state.fd);
    state.fd = fd;
    return true;
}

bool log_wants(NodeLogLevel level)
{
    return level <= state.level;
}

static void append_visible(GString *line, const char *text)
{
    for (; *text != '\0'; text++) {
        if (g_ascii_iscntrl(*text)) {
            g_string_append_printf(line, "\\x%02x", (unsigned char)*text);
        } else {
            g_string_append_c(line, *text);
        }
    }
}

void log_line(NodeLogLevel level, const char *format, ...)
{
    static const char *const NAMES[] = {"error", "warning", "notice", "info", "debug"};
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *text = NULL;
    struct timespec now;
    struct tm tm;
    char stamp[sizeof("2026-01-31T12:00:00")];
    va_list args;

    if (!log_wants(level)) {
        return;
    }
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
    g_string_printf(line, "%s.%03ldZ %s ", stamp, now.tv_nsec / 1000000, NAMES[level]);
    append_visible(line, text);
    g_string_append_c(line, '\n');
    /* A log that cannot be written must not end the node; there is nobody to tell. */
    (void)!write(state.fd, line->str, line->len);
}
