/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * testbed_log.h - shows the logs of a testbed's peers.
 * Source: none.   State: none beyond a call.
 * Time:   with `follow` it looks four times a second, until SIGINT or SIGTERM.
 */
#ifndef TESTBED_LOG_H
#define TESTBED_LOG_H

#include "testbed.h"

/* testbed_log_show prints the last lines of each peer's log, or of one (0: all), each line after
 * its peer's number where there are more. */
void testbed_log_show(const Testbed *testbed, unsigned peer, unsigned lines, bool follow);

#endif
