/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * figures.h - the figures of a capture that people and programs want at first sight.
 * Source: analysis/SCHEMA.md.   State: the caller's; a few numbers a call.
 * Time:   spans are seconds.
 */
#ifndef ANALYSIS_DESCRIBE_FIGURES_H
#define ANALYSIS_DESCRIBE_FIGURES_H

#include <analysis/history.h>

enum { FIGURES_STATUSES = 700, FIGURES_TOP = 5, FIGURES_OUTCOMES = 4 };

/* Where the values of a sample lie; all NaN for none. Quantiles are by nearest rank. */
typedef struct Spread {
    guint count;
    double mean;
    double min;
    double p25;
    double median;
    double p75;
    double p90;
    double p95;
    double p99;
    double max;
} Spread;

/* A user among those who make and take most calls. */
typedef struct Talker {
    uint32_t user;
    uint64_t made;
    uint64_t taken;
} Talker;

typedef struct Figures {
    double duration_s; /* of the capture */

    uint64_t outcomes[FIGURES_OUTCOMES];
    uint64_t call_status[FIGURES_STATUSES];
    uint64_t legs;     /* of all calls */
    uint64_t on_legs;  /* calls on several */
    uint64_t forked;   /* calls with several dialogs */
    uint64_t hung_up;  /* by the callee */
    uint64_t open_end; /* answered, without a BYE */
    uint64_t peak;     /* calls under way at a time */
    double talked_s;   /* by all */

    uint64_t registration_status[FIGURES_STATUSES]; /* 0: no answer */
    uint64_t registered;                            /* answered 2xx */
    uint64_t unfinished;                            /* whose last answer is a challenge */
    uint64_t unanswered;
    uint64_t refused;
    uint64_t removals; /* that asked for an expiry of 0 */
    uint64_t queries;

    uint64_t users_registering;
    uint64_t users_calling;
    uint64_t users_called;
    Talker top[FIGURES_TOP];
    unsigned top_len;

    uint64_t media_packets;
    uint64_t media_bytes;
    uint64_t media_calls;   /* calls that have some */
    int64_t media_first_ns; /* of all calls; HISTORY_NEVER for none */
    int64_t media_last_ns;
    GArray *codecs; /* HistoryCount, calls by codec, most frequent first; borrowed names */

    Spread setup; /* those of <analysis/history_spans.h> */
    Spread answer;
    Spread ring;
    Spread talk;
    Spread arrival;
    Spread interval;
    Spread asked;
    Spread granted;
    Spread media;
} Figures;

void figures_init(Figures *figures, const TraceCounts *counts, const HistoryData *data);
void figures_fini(Figures *figures);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Figures, figures_fini)

/* For g_array_sort of HistoryCount: the most frequent first, then by name. */
int figures_compare_counts(const void *a, const void *b);

/* UTF-8 for what a stranger wrote; to g_free. */
char *figures_readable(const char *text);

/* "2004-11-22T12:34:56.123456Z"; to g_free. */
char *figures_instant(int64_t unix_ns);

#endif
