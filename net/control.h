/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * control.h - a node's UNIX control socket: one JSON object a line in, one a line out.
 * Source: net/CONTROL.md is the protocol.
 * State:  one Control per node, at most CONTROL_CLIENTS_MAX clients, each with a line, its answers
 *         and at most CONTROL_CALLS_MAX requests that are not answered.
 * Time:   never blocks; callbacks run from the loop. A client may keep its connection.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <jansson.h>

#include "loop.h"

enum {
    CONTROL_CLIENTS_MAX = 32,
    CONTROL_CALLS_MAX = 16,  /* of one client */
    CONTROL_LINE_MAX = 8192, /* bytes of one request, its newline not counted */
    CONTROL_BACKLOG_MAX =
        1 << 20, /* bytes of answers that a client has not read: then it is left */
};

typedef struct Control Control;

/* One request; it lives until control_answer_take or control_refuse, whether or not its client and
 * its Control still do. */
typedef struct ControlCall ControlCall;

typedef struct ControlConfig {
    const char *path; /* of the socket; its last directory is made (0700) if need be */
    Loop *loop;
    /* One request came. verb: its `do`. request: the whole object, borrowed for the call. Answer it
     * exactly once, from inside this call or later. */
    void (*on_request)(void *user, const char *verb, const json_t *request, ControlCall *call);
    void *user;
} ControlConfig;

/*
 * control_new listens. The socket is readable and writable for its owner alone. One that a dead
 * process left is replaced.
 * Errors (G_FILE_ERROR): the path is too long, is no socket, cannot be made, or a living process
 * listens on it.
 */
Control *control_new(const ControlConfig *config, GError **error);

/* control_free removes the socket and leaves every client. */
void control_free(Control *control);

/* control_answer_take answers with the object's members and "ok": true. Takes both arguments. */
void control_answer_take(ControlCall *call, json_t *answer);

/* control_refuse answers {"ok": false, "error": ...}. Takes the call. */
void control_refuse(ControlCall *call, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
