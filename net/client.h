/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * client.h - asks a running node at its control socket.
 * Source: net/CONTROL.md.   State: none beyond a call.
 * Time:   blocks, for a bounded time.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <glib.h>
#include <jansson.h>

#define CLIENT_ERROR client_error_quark()
GQuark client_error_quark(void);
typedef enum ClientError {
    CLIENT_ERROR_ABSENT,  /* no node there, or none that may be asked */
    CLIENT_ERROR_REFUSED, /* the node says no, and why */
    CLIENT_ERROR_SILENT   /* no sensible answer in time */
} ClientError;

/*
 * client_path chooses the control socket: what the user named (may be NULL), else $PEAL_CONTROL,
 * else of /run/peal/control and $XDG_RUNTIME_DIR/peal/control the first that exists, else the
 * first.
 */
char *client_path(const char *named);

/*
 * client_ask makes one request and waits for its answer.
 * request     taken
 * timeout_ms  for connecting, asking and answering together
 * Returns the answer, an object with "ok": true, or NULL with a CLIENT_ERROR worded for the user.
 */
json_t *client_ask(const char *path, json_t *request, unsigned timeout_ms, GError **error);

#endif
