/*
 * summary.h - summary.json, made from results.db alone.
 * Source: analysis/SCHEMA.md.   State: none beyond a call.   Time: none.
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "database.h"

#include <analysis/histogram.h>

/* summary_text is the whole file's contents, free with g_free. NULL with RESULTS_ERROR_READ. */
char *summary_text(sqlite3 *db, GError **error);

/* How a histogram of results.db is read: the unit of its values, and how many make one of the
 * figures'. */
typedef struct SummaryHistogram {
    const char *name;   /* in tables distributions and histograms */
    const char *figure; /* prefix of its figures in summary.json */
    HistogramBits bits;
    double scale; /* figure = value * scale */
} SummaryHistogram;

#define SUMMARY_HISTOGRAMS 8
extern const SummaryHistogram SUMMARY_HISTOGRAM[SUMMARY_HISTOGRAMS];

/* summary_histogram reads one histogram of one replication; empty when it is not there, NULL with
 * RESULTS_ERROR_READ. */
Histogram *summary_histogram(sqlite3 *db, gint64 replication_id, const SummaryHistogram *which,
                             GError **error);

#endif
