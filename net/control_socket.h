/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control_socket.h - the UNIX socket itself: made, found and removed safely.
 * Source: unix(7).   State: the descriptor and which file it is.   Time: never blocks.
 */
#ifndef CONTROL_SOCKET_H
#define CONTROL_SOCKET_H

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef struct ControlSocket {
    int fd;
    char *path;
    dev_t device; /* which file it is, so that no other one's socket is removed */
    ino_t inode;
} ControlSocket;

/* control_socket_listen: errors as control_new's. */
bool control_socket_listen(const char *path, ControlSocket *ret_socket, GError **error);
void control_socket_close(ControlSocket *listening);

/* control_socket_fits tells whether a path is short enough for a socket's name. */
bool control_socket_fits(const char *path);

/* control_socket_connect returns a blocking descriptor that is closed on exec, or -1 with errno,
 * after 2 s at most. */
int control_socket_connect(const char *path);

#endif
