/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run_link.h - a connection to a node's control socket that is kept: a line out, a line in.
 * Source: net/CONTROL.md.
 * State:  one per node, with what is not sent yet and the line that is coming in.
 * Time:   never blocks; answers come from the loop.
 */
#ifndef RUN_LINK_H
#define RUN_LINK_H

#include <jansson.h>

#include "loop.h"

typedef struct RunLink RunLink;

typedef struct RunLinkConfig {
    Loop *loop;
    /* One answer, borrowed for the call. The link may be freed in it. */
    void (*on_answer)(void *user, const json_t *answer);
    /* The node has closed the connection, or said what is no answer; nothing more comes. */
    void (*on_end)(void *user);
    void *user;
} RunLinkConfig;

/* run_link_new connects; NULL with errno when nobody listens (yet). */
RunLink *run_link_new(const RunLinkConfig *config, const char *path);
void run_link_free(RunLink *link);

/* run_link_send_take sends one request; takes it. */
void run_link_send_take(RunLink *link, json_t *request);

#endif
