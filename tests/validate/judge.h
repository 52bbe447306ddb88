/*
 * judge.h - measures what a check asks for, and says whether it is as expected.
 * Source: analysis/SCHEMA.md for where figures lie; Student's t for the interval.
 * State:  none beyond a call: a results.db is opened to read and closed again.   Time: none.
 */
#ifndef VALIDATE_JUDGE_H
#define VALIDATE_JUDGE_H

#include "claims.h"

#include <analysis/stats.h>
#include <glib.h>
#include <stdbool.h>

#define JUDGE_ERROR judge_error_quark()
GQuark judge_error_quark(void);

typedef struct Verdict {
    double expected;
    StatsMean measured; /* over replications */
    bool good;          /* true where nothing is judged */
} Verdict;

/* judge_observe adds one observation a replication to ret_values, an array of double, in the order
 * of points and replications. results holds SCENARIO/results.db. Returns false with JUDGE_ERROR
 * when there is no such result, an interrupted one, or one without that figure. */
bool judge_observe(const char *results, const Query *query, GArray *ret_values, GError **error);

/* judge_check measures a check. Returns false as judge_observe does. */
bool judge_check(const char *results, const Check *check, Verdict *ret_verdict, GError **error);

/* judge_tolerance writes a check's tolerance in words. Text to g_free. */
char *judge_tolerance(const Check *check);

#endif
