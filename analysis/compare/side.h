/*
 * side.h - one of the two runs that `peal compare` sets beside each other.
 * Source: analysis/SCHEMA.md.
 * State:  the sampled lookups and calls of a results directory in memory: 48 bytes each.
 * Time:   none.
 */
#ifndef COMPARE_SIDE_H
#define COMPARE_SIDE_H

#include "database.h"

#include <peal/id.h>

/* A sampled lookup, ordered by replication, asker, key and start; or a call, whose asker is the
 * caller's peer, whose key says which users, and which takes as long as its set-up. */
typedef struct SideLookup {
    int64_t started_ns;
    int64_t latency_ns;
    uint32_t replication;
    uint32_t asker;
    PealId key;
    uint16_t hops; /* if succeeded */
    bool succeeded;
} SideLookup;

/* What is compared of two runs. */
typedef struct SideFigure {
    const char *name; /* in JSON, its unit last */
    const char *stem; /* of the plot's files */
    const char *title;
    const char *x_label;
    const char *y_label;
    const char *unit;  /* after a number, with its space */
    const char *query; /* its values in ascending order */
    const char *count; /* how many were measured, sampled or not */
    double scale;      /* figure = value * scale */
} SideFigure;

enum { SIDE_FIGURES = 4 };
extern const SideFigure SIDE_FIGURE[SIDE_FIGURES];

typedef struct SideSample {
    GArray *values;    /* of double, ascending, in the figure's unit */
    uint64_t measured; /* of which `values` are a uniform sample, or all */
} SideSample;

typedef struct Side {
    char *dir;
    sqlite3 *db;
    char *name;  /* the scenario's */
    char *world; /* "simulation" or "sockets" */
    char *seed;
    unsigned replications;
    bool interrupted; /* one of them was */
    SideSample samples[SIDE_FIGURES];
    GArray *lookups; /* of SideLookup, ordered */
    GArray *calls;   /* likewise */
} Side;

/* side_open reads DIR. False with RESULTS_ERROR_READ: no results there, or those of a sweep. */
bool side_open(const char *dir, Side *ret_side, GError **error);

/* side_close frees what side_open read; safe on a zeroed Side. */
void side_close(Side *side);

/* side_median of a sample in ascending order, by nearest rank; NaN without values. */
double side_median(const GArray *values);

#endif
