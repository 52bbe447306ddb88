/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * services.h - what serves people about a node: control socket, HTTP, health.
 * Source: none.   State: one per node.   Time: all on the node's loop.
 */
#ifndef NET_SERVICES_H
#define NET_SERVICES_H

#include "node.h"

typedef struct Services Services;

/* services_new starts what the node's config asks for. Called before the peer starts; errors are
 * worded for the user (address in use, no permission: what, where, what to do). */
Services *services_new(Node *node, GError **error);

/* services_free ends them, unlinks the control socket and forgets what is outstanding. */
void services_free(Services *services);

#endif
