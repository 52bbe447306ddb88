/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * verbs.h - what can be asked of a node at its control socket.
 * Source: net/CONTROL.md describes each.
 * State:  one per node, and the requests to the overlay that are out.
 * Time:   never blocks; what asks the overlay answers when the overlay does.
 */
#ifndef VERBS_H
#define VERBS_H

#include "control.h"
#include "health.h"

typedef struct Verbs Verbs;

/* Both are borrowed for the life of what is made; health may be NULL. */
Verbs *verbs_new(Node *node, const Health *health);

/* verbs_free refuses what is out: to be called before control_free. */
void verbs_free(Verbs *verbs);

/* A ControlConfig's on_request; user is the Verbs. */
void verbs_on_request(void *user, const char *verb, const json_t *request, ControlCall *call);

#endif
