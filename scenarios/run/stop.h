/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stop.h - a signal ends what a command does in order, a second one ends it at once.
 * Source: none.   State: a flag of the process, as signals are.   Time: none.
 */
#ifndef RUN_STOP_H
#define RUN_STOP_H

#include <stdbool.h>

/* stop_catch begins to listen for SIGINT and SIGTERM; none has come yet. */
void stop_catch(void);

/* stop_requested tells whether one has come since. */
bool stop_requested(void);

#endif
