/* SPDX-License-Identifier: GPL-3.0-or-later */
/* control_socket.c - one listening UNIX socket per path, whoever died before. */
#include "control_socket.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { CONTROL_SOCKET_BACKLOG = 16, CONTROL_SOCKET_CONNECT_S = 2 };

bool control_socket_fits(const char *path)
{
    return strlen(path) < sizeof(((struct sockaddr_un *)NULL)->sun_path);
}

static struct sockaddr_un control_socket_address(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
    return address;
}

int control_socket_connect(const char *path)
{
    struct sockaddr_un address = control_socket_address(path);
    const struct timeval patience = {.tv_sec = CONTROL_SOCKET_CONNECT_S};
    int fd;

    if (!control_socket_fits(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        /* A process that hangs does not accept; then its queue fills up, and connect waits. */
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    }
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static bool control_socket_fail(const char *path, const char *what, GError **error)
{
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                "control socket %s: %s: %s", path, what, g_strerror(errno));
    return false;
}

/* Something has the name. Removes it if it is a socket on which nobody listens. */
static bool control_socket_replace(const char *path, GError **error)
{
    struct stat file;
    int fd;

    if (lstat(path, &file) == 0 && !S_ISSOCK(file.st_mode)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                    "control socket %s: there is a file of that name that is no socket", path);
        return false;
    }
    fd = control_socket_connect(path);
    if (fd >= 0) {
        close(fd);
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_EXIST,
                    "control socket %s: a running node listens on it", path);
        return false;
    }
    if (errno != ECONNREFUSED && errno != ENOENT) {
        return control_socket_fail(path, "is taken", error);
    }
    if (unlink(path) != 0 && errno != ENOENT) {
        return control_socket_fail(path, "a dead process left it, and it cannot be removed", error);
    }
    return true;
}

static bool control_socket_bind(int fd, const char *path, GError **error)
{
    struct sockaddr_un address = control_socket_address(path);

    /* Linux gives the file the mode that the socket has when it is bound: never open to others. */
    if (fchmod(fd, S_IRUSR | S_IWUSR) != 0) {
        return control_socket_fail(path, "cannot be made private", error);
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        return true;
    }
    if (errno != EADDRINUSE) {
        return control_socket_fail(path, "cannot be made", error);
    }
    if (!control_socket_replace(path, error)) {
        return false;
    }
    return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ||
           control_socket_fail(path, "cannot be made", error);
}

static bool control_socket_open(int fd, const char *path, ControlSocket *ret_socket, GError **error)
{
    struct stat file;

    if (!control_socket_bind(fd, path, error)) {
        return false;
    }
    if (listen(fd, CONTROL_SOCKET_BACKLOG) != 0 || lstat(path, &file) != 0) {
        return control_socket_fail(path, "cannot be listened on", error);
    }
    *ret_socket = (ControlSocket){.fd = fd,
                                  .path = g_strdup(path),
                                  .device = file.st_dev,
                                  .inode = file.st_ino};
    return true;
}

bool control_socket_listen(const char *path, ControlSocket *ret_socket, GError **error)
{
    g_autofree char *dir = g_path_get_dirname(path);
    int fd;

    if (!control_socket_fits(path)) {
        errno = ENAMETOOLONG;
        return control_socket_fail(path, "give it a shorter path", error);
    }
    if (g_mkdir(dir, S_IRWXU) != 0 && errno != EEXIST) {
        return control_socket_fail(path, "its directory cannot be made", error);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return control_socket_fail(path, "no descriptor for it", error);
    }
    if (!control_socket_open(fd, path, ret_socket, error)) {
        close(fd);
        return false;
    }
    return true;
}

void control_socket_close(ControlSocket *listening)
{
    struct stat file;

    if (lstat(listening->path, &file) == 0 && file.st_dev == listening->device &&
        file.st_ino == listening->inode) {
        unlink(listening->path);
    }
    close(listening->fd);
    g_free(listening->path);
}
