/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.h - the world of sockets, for `peal run --on sockets`.
 * Source: none.   State: none beyond a replication.   Time: the machine's.
 */
#ifndef NET_RUN_H
#define NET_RUN_H

#include <scenarios/run.h>

/* `--on sockets`: every peer is a `peal node` process of this machine, on 127.0.0.1. */
extern const RunWorld SOCKETS_WORLD;

#endif
