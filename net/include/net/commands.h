/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * commands.h - the commands that ask running nodes, and those that run a testbed of them.
 * Source: none.   State: none beyond a call.   Time: each waits for a bounded time.
 *
 * argv[0] is the command's name. Each returns its exit status: 0; 2 for whatever is wrong before
 * the work starts (options, no node at the socket); 1 for what fails later.
 */
#ifndef NET_COMMANDS_H
#define NET_COMMANDS_H

/* `peal status`: what a node says about itself; 1 when it is not healthy. */
int net_status_main(int argc, char **argv);

/* `peal lookup AOR`: where the overlay says that a user is registered; 1 when nowhere. */
int net_lookup_main(int argc, char **argv);

/* `peal register AOR [CONTACT]`: registers a user at the node, or removes that. */
int net_register_main(int argc, char **argv);

/* `peal call AOR`: a real call by SIP through the node; 0 when it was answered. */
int net_call_main(int argc, char **argv);

/* `peal testbed start|status|stop|logs`: an overlay of node processes on this machine. */
int net_testbed_main(int argc, char **argv);

#endif
