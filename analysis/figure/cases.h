/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cases.h - what is set beside one another in figures: every point of every results directory
 * given.
 * Source: analysis/SCHEMA.md.
 * State:  one read-only SQLite connection a directory.   Time: none.
 */
#ifndef FIGURE_CASES_H
#define FIGURE_CASES_H

#include "database.h"
#include "summary.h"

#include <analysis/stats.h>

#define CASES_PEERS_KEY "overlay.peers"
/* The key whose values are the directories, where there are several. */
#define CASES_RUN_KEY "run"

/* A results directory. */
typedef struct CasesRun {
    char *dir;
    char *label; /* its last part, or all of it where two have the same */
    sqlite3 *db;
} CasesRun;

typedef struct Case {
    unsigned run;
    sqlite3 *db; /* the run's */
    int point;
    unsigned replications;
    gint64 peers;
    char *label;       /* "peers = 1000, loss = 1%"; "" of a single run without a sweep */
    char *brief;       /* "1000, 1%" where several keys are swept, else as the label */
    GPtrArray *values; /* of char *, one for each of Cases.keys; NULL: the run does not sweep it */
} Case;

/* A swept key. */
typedef struct CasesKey {
    char *name;        /* "overlay.peers" */
    GPtrArray *values; /* its different values: by size if numeric, else as they come */
    GArray *numbers;   /* of double, the values as numbers, times in s; empty unless `numeric` */
    bool numeric;
    const char *unit; /* of the numbers: "s", "%" or "" */
    size_t head;      /* bytes before the number, the same in all: of "exponential(mean=" */
} CasesKey;

typedef struct Cases {
    GPtrArray *runs; /* of CasesRun */
    GArray *cases;   /* of Case: smaller overlays first, then runs and points in their order */
    GArray *keys;    /* of CasesKey */
} Cases;

/*
 * cases_open reads the points of the directories that have a replication.
 * NULL with RESULTS_ERROR_READ: no results there, or none yet.
 */
Cases *cases_open(char *const *dirs, unsigned len, GError **error);
void cases_close(Cases *cases);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cases, cases_close)

static inline const Case *cases_at(const Cases *cases, guint i)
{
    return &g_array_index(cases->cases, Case, i);
}

static inline const CasesKey *cases_key(const Cases *cases, guint i)
{
    return &g_array_index(cases->keys, CasesKey, i);
}

/* cases_pick is the i-th of at most `max` cases that stand for all, evenly spaced. */
const Case *cases_pick(const Cases *cases, guint max, guint i);

/* cases_find_key is the number of a swept key, or -1. */
int cases_find_key(const Cases *cases, const char *name);

/* cases_value numbers a case's value among those of a key; -1 where it has none. */
int cases_value(const Cases *cases, const Case *which, guint key);

/* cases_group says which case it is without the keys whose bits are set in `without`:
 * "topology = central"; free with g_free. */
char *cases_group(const Cases *cases, const Case *which, guint64 without);

/* cases_brief is the group's values alone where it is of several keys: "central, 5%", and
 * cases_brief_title their names: "topology, loss", or NULL of one key; free with g_free. */
char *cases_brief(const Cases *cases, const Case *which, guint64 without);
char *cases_brief_title(const Cases *cases, guint64 without);

/* cases_follows tells whether key `other` has one value for each value of `key`, in all cases:
 * they were swept together. */
bool cases_follows(const Cases *cases, guint other, guint key);

/* cases_key_name is a key's name without its section. */
const char *cases_key_name(const char *key);

/*
 * case_query prepares a query with the case's point as ?1 and, unless NULL, `name` as ?2.
 * NULL with RESULTS_ERROR_READ; finalize it.
 */
sqlite3_stmt *case_query(const Case *which, const char *sql, const char *name, GError **error);

/* case_observe adds the first column of every row, a double, NaN for NULL. False with
 * RESULTS_ERROR_READ. */
bool case_observe(const Case *which, const char *sql, const char *name, GArray *ret_values,
                  GError **error);

/* case_histogram is a histogram of all replications of a case together; free with histogram_free.
 * NULL with RESULTS_ERROR_READ. */
Histogram *case_histogram(const Case *which, const SummaryHistogram *histogram, GError **error);

/* case_has_column tells whether the case's table of series has a column. */
bool case_has_column(const Case *which, const char *column);

static inline const double *cases_doubles(const GArray *array)
{
    return (const double *)(const void *)array->data;
}

#endif
