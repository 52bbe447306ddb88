/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * facts.h - what a report says in words and tables: the runs, what is wrong with them, figures with
 * their intervals, every key in force.
 * Source: analysis/SCHEMA.md.   State: none.   Time: none.
 */
#ifndef REPORT_FACTS_H
#define REPORT_FACTS_H

#include "figure/cases.h"

/* Each appends markup to the page. False with RESULTS_ERROR_READ. */

/* facts_runs: name, version, world, seed, replications of each directory. */
bool facts_runs(const Cases *cases, GString *page, GError **error);

/* facts_warnings: runs that are partial or interrupted, intervals that cannot be had or come from
 * few replications. */
bool facts_warnings(const Cases *cases, GString *page, GError **error);

/* facts_command: the file and the command that give these results again, for each directory. */
void facts_command(const Cases *cases, GString *page);

/* facts_tables: the main figures of each point, and all of them folded away. */
bool facts_tables(const Cases *cases, GString *page, GError **error);

/* facts_replay: how the calls of a replayed trace ended there and here, where there was one. */
bool facts_replay(const Cases *cases, GString *page, GError **error);

/* facts_keys: every key in force, with its values where points or runs differ. */
bool facts_keys(const Cases *cases, GString *page, GError **error);

#endif
