/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * status.h - what a node says about itself, as JSON: /status.json, `peal status`, and the source of
 *            the page and the metrics.
 * Source: net/CONTROL.md describes the members.   State: none.   Time: a snapshot.
 */
#ifndef STATUS_H
#define STATUS_H

#include <jansson.h>

#include "health.h"

/* health NULL: the node is not looked after, and healthy when it has joined. A new reference. */
json_t *status_json(const Node *node, const Health *health);

/* status_peers lists neighbours, fingers and links alone. */
json_t *status_peers_json(const Node *node);

/* status_text makes JSON of text from outside, whatever bytes it has. */
json_t *status_text(const char *text, size_t len);

/* status_id is a Node-ID's or Resource-ID's text. */
json_t *status_id(const PealId *id);

#endif
