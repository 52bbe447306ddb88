/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * node.h - `peal node`: one peer of an overlay on real sockets.
 * Source: none.   State: none beyond a call.   Time: none.
 */
#ifndef NET_NODE_MAIN_H
#define NET_NODE_MAIN_H

#include <stdbool.h>

/*
 * node_main runs `peal node FILE [options]` until SIGINT or SIGTERM, which make it leave the
 * overlay first; a second one ends it at once. SIGHUP reopens the log and rereads the users.
 * argv    argv[0] is "node"
 * Returns the exit status: 0; 2 for whatever is wrong before the work starts; 1 for what fails
 * later.
 */
int node_main(int argc, char **argv);

/* node_keys_text is the reference of all keys of a node's configuration, for a terminal or in
 * markdown. Text to free with g_free. */
char *node_keys_text(bool markdown);

#endif
