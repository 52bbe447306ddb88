/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * describe.h - what `peal replay --describe` prints.
 * Source: <analysis/history.h>, <scenarios/replay_fit.h>.   State: none.   Time: none.
 */
#ifndef REPLAY_DESCRIBE_H
#define REPLAY_DESCRIBE_H

#include "replay/options.h"

/* replay_describe is the description, as text or JSON, with the fits of calls and registrations.
 * With a key the users' names in `data` are replaced for good, so it is the last to read them. To
 * g_free. */
char *replay_describe(const ReplayCommand *command, const TraceCounts *counts,
                      const HistoryData *data);

#endif
