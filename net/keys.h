/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * keys.h - the tables of a node's keys; those of the overlay that scenarios have too are theirs.
 * Source: none.   State: none.   Time: none.
 */
#ifndef NET_KEYS_H
#define NET_KEYS_H

#include <scenarios/keys.h>

#include "config.h"

/* The tables: NODE_KEYS_OVERLAY fills in a Scenario, the others a NodeConfig. */
enum { NODE_KEYS_FIRST, NODE_KEYS_OVERLAY, NODE_KEYS_LAST, NODE_KEYS_TABLES };
const KeyFile *node_keys(void);

#endif
