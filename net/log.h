/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * log.h - the node's log: one line per event, `2026-01-31T12:00:00.123Z notice text`.
 * Source: none.   State: one file and a level, of the process.   Time: none.
 */
#ifndef NET_LOG_H
#define NET_LOG_H

#include <glib.h>

#include "config.h"

/* log_open starts the log; path NULL: standard error. Before it, lines go to standard error. */
bool log_open(const char *path, NodeLogLevel level, GError **error);
/* log_reopen opens the file of the same name anew; the old one stays in use when that fails. */
bool log_reopen(GError **error);
void log_close(void);

bool log_wants(NodeLogLevel level);

/* log_line writes a line; control characters in it are written as \xNN. */
void log_line(NodeLogLevel level, const char *format, ...) G_GNUC_PRINTF(2, 3);

#define log_error(...) log_line(NODE_LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(NODE_LOG_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(NODE_LOG_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(NODE_LOG_INFO, __VA_ARGS__)
#define log_debug(...) (log_wants(NODE_LOG_DEBUG) ? log_line(NODE_LOG_DEBUG, __VA_ARGS__) : (void)0)

#endif
