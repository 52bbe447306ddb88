/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * quote.h - names in commands that the user is told to give.
 * Source: none.   State: none.   Time: none.
 */
#ifndef RUN_QUOTE_H
#define RUN_QUOTE_H

/* quote_where_needed is a name as a shell takes it; most need no quotes. To g_free. */
char *quote_where_needed(const char *name);

#endif
