/*
 * results.h - the directory that a run writes: results.db and summary.json.
 * Source: analysis/SCHEMA.md.
 * State:  one SQLite connection; what was recorded is in the database, not in memory.
 * Time:   one transaction for each replication: whatever ends the program, whole replications are
 *         kept. No figure depends on the order in which replications are added.
 */
#ifndef ANALYSIS_RESULTS_H
#define ANALYSIS_RESULTS_H

#include <analysis/fit.h>
#include <analysis/recorder.h>
#include <analysis/stats.h>
#include <glib.h>

#define RESULTS_ERROR results_error_quark()
GQuark results_error_quark(void);
typedef enum ResultsError {
    RESULTS_ERROR_EXISTS, /* the directory holds other results */
    RESULTS_ERROR_WRITE,  /* cannot be made or written */
    RESULTS_ERROR_READ,   /* no results there, or not readable */
} ResultsError;

/* Where peers lived. */
#define RESULTS_WORLD_SIMULATION "simulation"
#define RESULTS_WORLD_SOCKETS "sockets"

enum { RESULTS_REPLICATIONS_MAX = 10000 }; /* of a point */

typedef struct ResultsParameter {
    const char *key; /* "overlay.peers" */
    const char *value;
    bool swept; /* it tells this point from the others */
} ResultsParameter;

/* The run as a whole; all strings are copied. */
typedef struct ResultsConfig {
    const char *dir;
    const char *name; /* the scenario's */
    const char *version;
    const char *crypto; /* "none", "modelled", ... */
    const char *world;  /* RESULTS_WORLD_SIMULATION or _SOCKETS; NULL is the first */
    uint64_t seed;
    const char *
        scenario; /* the scenario in full, after --set: what tells whether results may be resumed */
    const char *source;    /* the file that says the same, to be run again; NULL: not kept */
    const char *command;   /* what runs it again where `peal run` does not; NULL: that does */
    unsigned points;       /* 1 without a sweep */
    bool sweep;            /* summary.json lists points, even if there is only one */
    unsigned replications; /* of each point, to begin with */
    bool force;            /* replace other results */
} ResultsConfig;

typedef struct Results Results;

/*
 * results_open makes the directory (parents too), or opens an unfinished run of the same scenario,
 * seed and version to resume it. Other results there are replaced when config->force, and nothing
 * but results is ever removed.
 * Returns NULL with RESULTS_ERROR_EXISTS or RESULTS_ERROR_WRITE, whose message names the path and
 * the remedy; then nothing was written.
 */
Results *results_open(const ResultsConfig *config, GError **error);

/* results_close is safe on NULL. */
void results_close(Results *results);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Results, results_close)

/* results_has tells whether a whole replication is there already. point 0.., replication 0.. */
bool results_has(Results *results, unsigned point, unsigned replication);

/* results_set_point describes a point by every key in force, swept ones first; called before its
 * first replication. Returns false with RESULTS_ERROR_WRITE. */
bool results_set_point(Results *results, unsigned point, const ResultsParameter *parameters,
                       size_t len, GError **error);

/* A call of a trace, in the times in which it is replayed but for its set-up. Spans of which
 * nothing is known are negative. */
typedef struct ResultsTraceCall {
    PealSpan at;        /* of its INVITE, from the trace's beginning */
    const char *caller; /* AORs, borrowed */
    const char *callee;
    PealSpan setup;  /* as it was in the trace: to the first 101..199, else to the 2xx */
    PealSpan final;  /* from the INVITE to the final response, */
    PealSpan cancel; /* and to the CANCEL */
    PealSpan talk;   /* from the answer to the BYE */
    uint16_t status; /* of the final response; 0: none */
    uint8_t outcome; /* HistoryOutcome */
} ResultsTraceCall;

/* Spans of a trace, and the distributions that were fitted to them. */
typedef struct ResultsTraceFit {
    const char *quantity; /* "interarrival", "holding", "registration" */
    const Fit *fit;
    const double *spans; /* s, in any order */
    size_t len;
} ResultsTraceFit;

/* The trace that a point replays; all is copied. */
typedef struct ResultsTrace {
    const char *source; /* its name */
    PealSpan span;
    double speed; /* by which its times were divided */
    uint64_t users;
    uint64_t registrations;
    uint32_t calls;
    /* call fills in one of them, 0..calls-1; asked for in turn. */
    void (*call)(void *user, uint32_t i, ResultsTraceCall *ret_call);
    void *user;
    const ResultsTraceFit *fits;
    size_t fits_len;
} ResultsTrace;

/* results_set_trace describes it, in place of what was said of it before; of more than
 * RECORDER_REPLAYED_MAX calls those are kept that the recorder keeps. Returns false with
 * RESULTS_ERROR_WRITE. */
bool results_set_trace(Results *results, unsigned point, const ResultsTrace *trace, GError **error);

/* How a figure of several replications becomes one: RESULTS_MEAN gives NAME.mean and NAME.ci95, and
 * so does RESULTS_RATE, a mean of shares of trials. */
typedef enum ResultsKind { RESULTS_MEAN, RESULTS_SUM, RESULTS_MAX, RESULTS_RATE } ResultsKind;

/* A figure of the world's own, shown in summary.json under its dotted name; deterministic. */
typedef struct ResultsFigure {
    const char *name; /* "ring.cycles" */
    double value;     /* of RESULTS_SUM and RESULTS_MAX an integer */
    ResultsKind kind;
    uint64_t trials; /* of RESULTS_RATE */
} ResultsFigure;

/* What the recorder does not know of a replication. */
typedef struct ResultsReplication {
    unsigned point;
    unsigned replication;
    uint64_t seed;
    uint64_t fingerprint;
    uint32_t peers; /* the mean number online that was asked for */
    const ResultsFigure *figures;
    size_t figures_len;
    /* The engine's, over the whole run, not deterministic */
    double wall_seconds;
    uint64_t events;
    uint64_t messages;
    uint64_t peak_rss_bytes;
} ResultsReplication;

/*
 * results_add_replication writes a finished recorder in one transaction.
 * Returns false with RESULTS_ERROR_WRITE (disk full, ...); what was written before stays.
 */
bool results_add_replication(Results *results, const ResultsReplication *replication,
                             const Recorder *recorder, GError **error);

/*
 * results_write_part writes a finished recorder beside results.db, whole or not at all: for a
 * process that is not the one which holds the results open. Parts that a killed run left are taken
 * in when it is resumed.
 * dir     of results that are open in some process
 * Returns false with RESULTS_ERROR_WRITE.
 */
bool results_write_part(const char *dir, const ResultsReplication *replication,
                        const Recorder *recorder, GError **error);

/* results_take_part moves such a part into results.db, in one transaction. False with
 * RESULTS_ERROR_WRITE or _READ; then the part is still there. */
bool results_take_part(Results *results, unsigned point, unsigned replication, GError **error);

/* One figure of a point: the mean of its values in the replications, with its interval. */
typedef struct ResultsMean {
    bool known; /* some replication has it */
    bool rate;
    StatsMean mean;
} ResultsMean;

/* results_mean looks at replications 0..replications-1; of RESULTS_SUM and RESULTS_MAX it is the
 * mean of their values too. Returns false with RESULTS_ERROR_READ. */
bool results_mean(Results *results, unsigned point, const char *figure, unsigned replications,
                  ResultsMean *ret_mean, GError **error);

/* results_figure_names lists the figures of a point with spaces between them; free with g_free. */
char *results_figure_names(Results *results, unsigned point);

/* How narrow an interval became that was to be so narrow. */
typedef struct ResultsPrecision {
    const char *figure;
    double wanted;  /* half the 95 % interval over the mean: 0.02 is 2 % */
    double reached; /* NaN: the figure has no interval */
    unsigned replications;
} ResultsPrecision;

/* results_set_precision notes it for summary.json. False with RESULTS_ERROR_WRITE. */
bool results_set_precision(Results *results, unsigned point, const ResultsPrecision *precision,
                           GError **error);

/* results_finish notes that all that was wanted is there: from now on nothing is to be resumed.
 * False with RESULTS_ERROR_WRITE. */
bool results_finish(Results *results, GError **error);

/*
 * results_write_summary writes summary.json from the database, in place of the last at once. Unless
 * results_finish was called before, it says "partial": true.
 * Returns false with RESULTS_ERROR_WRITE.
 */
bool results_write_summary(Results *results, GError **error);

/* results_summary_text is the same as text, for --json; free with g_free. NULL on error. */
char *results_summary_text(Results *results, GError **error);

/* results_export_csv writes every table of dir/results.db to dir/csv/TABLE.csv (RFC 4180, a
 * header line), and adds the paths to ret_files (of g_malloc'ed strings) unless it is NULL. */
bool results_export_csv(const char *dir, GPtrArray *ret_files, GError **error);

#endif
