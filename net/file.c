/* SPDX-License-Identifier: GPL-3.0-or-later */
/* file.c - a user's file, read up to a bound; see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { PIECE = 64 << 10 };

/* A named pipe without a writer must not hold the program up, and has nothing in it. */
static int open_waiting_for_nobody(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);

    if (flags >= 0) {
        (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    return fd;
}

/* 0, or an errno. */
static int read_all(int fd, GString *text, gsize max)
{
    for (;;) {
        const gsize len = text->len;
        ssize_t got;

        g_string_set_size(text, len + PIECE);
        got = read(fd, text->str + len, PIECE);
        g_string_set_size(text, len + (got > 0 ? (gsize)got : 0));
        if (got == 0) {
            return 0;
        }
        if (got < 0 && errno != EINTR) {
            return errno;
        }
        if (text->len > max) {
            return EFBIG;
        }
    }
}

char *file_read(const char *path, gsize max, gsize *ret_len, GError **error)
{
    g_autofree char *size = g_format_size_full(max, G_FORMAT_SIZE_IEC_UNITS);
    int fd = open_waiting_for_nobody(path);
    GString *text = g_string_new(NULL);
    int reason = fd < 0 ? errno : read_all(fd, text, max);

    if (fd >= 0) {
        close(fd);
    }
    if (reason == EFBIG) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: has more than %s", path, size);
    } else if (reason != 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason), "%s: %s", path,
                    g_strerror(reason));
    }
    if (reason != 0) {
        g_string_free(text, TRUE);
        return NULL;
    }
    *ret_len = text->len;
    return g_string_free(text, FALSE);
}
