/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * read.h - reads the capture that `peal replay` was given, with a bar on a terminal.
 * Source: none.   State: none beyond a call.   Time: looks at the wall clock for the bar.
 */
#ifndef REPLAY_READ_H
#define REPLAY_READ_H

#include "replay/options.h"

/* replay_read feeds the capture to the history; a signal (run/stop.h) ends that in order. False
 * with an error where nothing could be read, or an option is wrong. */
bool replay_read(const ReplayCommand *command, History *history, TraceCounts *ret_counts,
                 GError **error);

#endif
