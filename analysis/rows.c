/*
 * rows.c - see rows.h.
 */
#include "rows.h"

#include "message_code.h"
#include "recorder_state.h"
#include "summary.h"

#include <analysis/history.h>
#include <math.h>

static double seconds(int64_t ns)
{
    return (double)ns / (double)PEAL_NS_PER_S;
}

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : NAN;
}

static bool add_head(sqlite3 *db, const ResultsReplication *replication, const Recorder *recorder,
                     gint64 id, GError **error)
{
    const RecorderFigures *figures = recorder_figures(recorder);
    g_autoptr(sqlite3_stmt) insert = database_prepare(
        db, "INSERT INTO replications VALUES (?10, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?11, ?12)",
        error);
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, replication->seed);
    g_autofree char *fingerprint =
        g_strdup_printf("%016" G_GINT64_MODIFIER "x", replication->fingerprint);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, replication->point);
    sqlite3_bind_int64(insert, 2, replication->replication);
    sqlite3_bind_text(insert, 3, seed, -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 4, fingerprint, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 5, replication->peers);
    sqlite3_bind_int(insert, 6, figures->interrupted);
    sqlite3_bind_double(insert, 7, seconds(figures->end.ns));
    sqlite3_bind_double(insert, 8, seconds(figures->window.ns));
    sqlite3_bind_double(insert, 9, seconds(recorder->config.prompt.ns));
    sqlite3_bind_int64(insert, 10, id);
    sqlite3_bind_double(insert, 11, seconds(figures->warmup.ns));
    if (recorder->config.mser) {
        sqlite3_bind_int(insert, 12, figures->cut_late);
    }
    return database_insert(insert, error);
}

static bool add_engine(sqlite3 *db, gint64 id, const ResultsReplication *replication,
                       GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO engine VALUES (?, ?, ?, ?, ?)", error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    sqlite3_bind_double(insert, 2, replication->wall_seconds);
    sqlite3_bind_int64(insert, 3, (gint64)replication->events);
    sqlite3_bind_int64(insert, 4, (gint64)replication->messages);
    sqlite3_bind_int64(insert, 5, (gint64)replication->peak_rss_bytes);
    return database_insert(insert, error);
}

/* Figures in the order of their insertion, which summary.json keeps. */
typedef struct FigureWriter {
    sqlite3_stmt *insert;
    int position;
    bool failed;
    GError **error;
} FigureWriter;

static void write_one(FigureWriter *writer, const ResultsFigure *figure)
{
    static const char *const kinds[] = {[RESULTS_MEAN] = "mean",
                                        [RESULTS_SUM] = "sum",
                                        [RESULTS_MAX] = "max",
                                        [RESULTS_RATE] = "rate"};
    bool whole = figure->kind == RESULTS_SUM || figure->kind == RESULTS_MAX;

    if (writer->failed) {
        return;
    }
    sqlite3_bind_text(writer->insert, 2, figure->name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_int(writer->insert, 3, writer->position++);
    sqlite3_bind_text(writer->insert, 4, kinds[figure->kind], -1, SQLITE_STATIC);
    if (whole && isfinite(figure->value)) {
        sqlite3_bind_int64(writer->insert, 5, (gint64)figure->value);
    } else {
        database_bind_double(writer->insert, 5, figure->value);
    }
    sqlite3_bind_null(writer->insert, 6);
    if (figure->kind == RESULTS_RATE) {
        sqlite3_bind_int64(writer->insert, 6, (gint64)figure->trials);
    }
    writer->failed = !database_insert(writer->insert, writer->error);
}

static void write_figure(FigureWriter *writer, const char *name, ResultsKind kind, double value)
{
    write_one(writer, &(ResultsFigure){.name = name, .value = value, .kind = kind});
}

static void write_rate(FigureWriter *writer, const char *name, uint64_t part, uint64_t whole)
{
    write_one(writer, &(ResultsFigure){.name = name,
                                       .value = ratio(part, whole),
                                       .kind = RESULTS_RATE,
                                       .trials = whole});
}

static void write_lookup_figures(FigureWriter *writer, const RecorderFigures *figures)
{
    const uint64_t *counter = figures->totals.counter;

    write_figure(writer, "lookups.started", RESULTS_SUM, (double)figures->started);
    write_figure(writer, "lookups.succeeded", RESULTS_SUM, (double)figures->succeeded);
    write_figure(writer, "lookups.correct", RESULTS_SUM, (double)figures->correct);
    write_figure(writer, "lookups.found", RESULTS_SUM, (double)figures->found);
    write_figure(writer, "lookups.unfinished", RESULTS_SUM, (double)figures->unfinished);
    write_rate(writer, "lookups.success_rate", figures->succeeded, figures->started);
    write_rate(writer, "lookups.correct_rate", figures->correct, figures->started);
    write_figure(writer, "lookups.reachable", RESULTS_SUM,
                 (double)counter[RECORDER_REACHABLE_LOOKUPS]);
    write_rate(writer, "lookups.reachable_found_rate", counter[RECORDER_REACHABLE_FOUND],
               counter[RECORDER_REACHABLE_LOOKUPS]);
    write_figure(writer, "lookups.hops", RESULTS_MEAN, histogram_mean(figures->hops));
    write_figure(writer, "lookups.latency_ms", RESULTS_MEAN,
                 histogram_mean(figures->latency_ns) / (double)PEAL_NS_PER_MS);
}

static uint64_t failed_calls(const RecorderFigures *figures)
{
    return figures->calls_started - figures->calls_answered;
}

static void write_call_figures(FigureWriter *writer, const RecorderFigures *figures)
{
    const uint64_t *counter = figures->totals.counter;

    write_figure(writer, "calls.started", RESULTS_SUM, (double)figures->calls_started);
    write_figure(writer, "calls.answered", RESULTS_SUM, (double)figures->calls_answered);
    write_figure(writer, "calls.failed", RESULTS_SUM, (double)failed_calls(figures));
    write_figure(writer, "calls.unfinished", RESULTS_SUM, (double)figures->calls_unfinished);
    write_rate(writer, "calls.answer_rate", figures->calls_answered, figures->calls_started);
    write_figure(writer, "calls.reachable", RESULTS_SUM, (double)counter[RECORDER_REACHABLE_CALLS]);
    write_rate(writer, "calls.reachable_answer_rate", counter[RECORDER_REACHABLE_ANSWERED],
               counter[RECORDER_REACHABLE_CALLS]);
    write_figure(writer, "calls.setup_ms", RESULTS_MEAN,
                 histogram_mean(figures->setup_ns) / (double)PEAL_NS_PER_MS);
    write_figure(writer, "calls.answer_ms", RESULTS_MEAN,
                 histogram_mean(figures->answer_ns) / (double)PEAL_NS_PER_MS);
}

/* summary.json's name of each counter; NULL: it is written apart. */
static const char *const COUNTER_FIGURE[RECORDER_COUNTER_COUNT] = {
    [RECORDER_MESSAGES] = "messages.delivered",
    [RECORDER_MESSAGE_BYTES] = "messages.bytes",
    [RECORDER_DUPLICATES] = "link.duplicates",
    [RECORDER_LINK_ACKS] = "link.acks",
    [RECORDER_LINK_RETRANSMISSIONS] = "link.retransmissions",
    [RECORDER_LINKS_UP] = "link.up",
    [RECORDER_LINKS_DOWN] = "link.down",
    [RECORDER_FRAMES_SENT] = "network.frames_sent",
    [RECORDER_BYTES_SENT] = "network.bytes_sent",
    [RECORDER_FRAMES_LOST] = "network.frames_lost",
    [RECORDER_REQUESTS_SENT] = "requests.sent",
    [RECORDER_REQUESTS_RESENT] = "requests.resent",
    [RECORDER_REQUESTS_FAILED] = "requests.failed",
    [RECORDER_VALUES_STORED] = "storage.stored",
    [RECORDER_VALUES_REMOVED] = "storage.removed",
    [RECORDER_REPLICAS_SENT] = "storage.replicas_sent",
    [RECORDER_PEERS_JOINED] = "membership.joined",
    [RECORDER_PEERS_LEFT] = "membership.left",
    [RECORDER_PEERS_FAILED] = "membership.failed",
    [RECORDER_SIP_MESSAGES] = "sip.messages",
    [RECORDER_SIP_BYTES] = "sip.bytes",
    [RECORDER_SIP_LOST] = "sip.lost",
    [RECORDER_ARRIVALS] = "processor.arrivals",
    [RECORDER_TURNED_AWAY] = "processor.turned_away",
    [RECORDER_REFUSED] = "defence.refused",
    [RECORDER_SHUT_OUT] = "defence.dropped",
    [RECORDER_HONEST_BLOCKED] = "defence.honest_blocked",
};

static bool add_figures(sqlite3 *db, gint64 id, const ResultsReplication *replication,
                        const Recorder *recorder, GError **error)
{
    const RecorderFigures *figures = recorder_figures(recorder);
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?)", error);
    FigureWriter writer = {.insert = insert, .error = error};

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    write_lookup_figures(&writer, figures);
    if (recorder->config.calls) {
        write_call_figures(&writer, figures);
    }
    for (size_t i = 0; i < RECORDER_COUNTER_COUNT; i++) {
        if (COUNTER_FIGURE[i] != NULL) {
            write_figure(&writer, COUNTER_FIGURE[i], RESULTS_SUM,
                         (double)figures->totals.counter[i]);
        }
    }
    if (histogram_count(figures->peer_messages) > 0) {
        write_figure(&writer, "load.messages", RESULTS_MEAN,
                     histogram_mean(figures->peer_messages));
        write_figure(&writer, "load.values", RESULTS_MEAN, histogram_mean(figures->peer_values));
    }
    for (size_t i = 0; i < replication->figures_len; i++) {
        write_one(&writer, &replication->figures[i]);
    }
    return !writer.failed;
}

static bool add_histogram(sqlite3 *db, gint64 id, const char *name, const Histogram *histogram,
                          GError **error)
{
    g_autoptr(sqlite3_stmt) whole =
        database_prepare(db, "INSERT INTO distributions VALUES (?, ?, ?, ?, ?, ?, ?)", error);
    g_autoptr(sqlite3_stmt) part =
        database_prepare(db, "INSERT INTO histograms VALUES (?, ?, ?, ?, ?)", error);
    HistogramBucket bucket;
    size_t position = 0;

    if (whole == NULL || part == NULL) {
        return false;
    }
    sqlite3_bind_int64(whole, 1, id);
    sqlite3_bind_text(whole, 2, name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(whole, 3, (gint64)histogram_count(histogram));
    sqlite3_bind_int64(whole, 4, (gint64)histogram_min(histogram));
    sqlite3_bind_int64(whole, 5, (gint64)histogram_max(histogram));
    database_bind_double(whole, 6, histogram_mean(histogram));
    database_bind_double(whole, 7, histogram_deviation(histogram));
    if (!database_insert(whole, error)) {
        return false;
    }
    sqlite3_bind_int64(part, 1, id);
    sqlite3_bind_text(part, 2, name, -1, SQLITE_STATIC);
    while (histogram_next(histogram, &position, &bucket)) {
        sqlite3_bind_int64(part, 3, (gint64)bucket.low);
        sqlite3_bind_int64(part, 4, (gint64)bucket.high);
        sqlite3_bind_int64(part, 5, (gint64)bucket.count);
        if (!database_insert(part, error)) {
            return false;
        }
    }
    return true;
}

static bool add_histograms(sqlite3 *db, gint64 id, const Recorder *recorder, GError **error)
{
    const RecorderFigures *figures = recorder_figures(recorder);
    const Histogram *histograms[SUMMARY_HISTOGRAMS] = {figures->hops,
                                                       figures->latency_ns,
                                                       figures->peer_messages,
                                                       figures->peer_values,
                                                       figures->setup_ns,
                                                       figures->answer_ns,
                                                       recorder->replay.setup_ns,
                                                       recorder->replay.answer_ns};

    for (size_t i = 0; i < SUMMARY_HISTOGRAMS; i++) {
        if (histograms[i] != NULL &&
            !add_histogram(db, id, SUMMARY_HISTOGRAM[i].name, histograms[i], error)) {
            return false;
        }
    }
    return true;
}

static bool add_drops(sqlite3 *db, gint64 id, const RecorderTotals *totals, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO drops VALUES (?, lower(?), ?)", error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (size_t i = 0; i < PEAL_DROP_COUNT; i++) {
        static const char *const names[] = {
#define X(name, text) #name,
            PEAL_DROPS(X)
#undef X
        };

        sqlite3_bind_text(insert, 2, names[i], -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, (gint64)totals->drops[i]);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

static bool add_messages(sqlite3 *db, gint64 id, const RecorderTotals *totals, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO messages VALUES (?, ?, ?, ?)", error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (unsigned i = 0; i < RECORDER_CODES; i++) {
        if (totals->codes[i] == 0) {
            continue;
        }
        sqlite3_bind_int64(insert, 2, i);
        sqlite3_bind_text(insert, 3, message_code_name(i), -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 4, (gint64)totals->codes[i]);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

/* Mean, median, 95 % and 99 % quantile of a row's values, in ms; NULL for none. Returns the next
 * column. */
static int bind_spread(sqlite3_stmt *insert, int column, const Histogram *values_ns)
{
    double per_ms = (double)PEAL_NS_PER_MS;

    database_bind_double(insert, column++, values_ns ? histogram_mean(values_ns) / per_ms : NAN);
    database_bind_double(insert, column++,
                         values_ns ? histogram_quantile(values_ns, 0.5) / per_ms : NAN);
    database_bind_double(insert, column++,
                         values_ns ? histogram_quantile(values_ns, 0.95) / per_ms : NAN);
    database_bind_double(insert, column++,
                         values_ns ? histogram_quantile(values_ns, 0.99) / per_ms : NAN);
    return column;
}

static void bind_row(sqlite3_stmt *insert, const RecorderRow *row)
{
    int column = 2;

    sqlite3_bind_double(insert, column++, seconds(row->start.ns));
    sqlite3_bind_double(insert, column++, seconds(row->end.ns));
    sqlite3_bind_int64(insert, column++, (gint64)row->started);
    sqlite3_bind_int64(insert, column++, (gint64)row->succeeded);
    sqlite3_bind_int64(insert, column++, (gint64)row->prompt);
    sqlite3_bind_int64(insert, column++, (gint64)row->correct);
    sqlite3_bind_int64(insert, column++, (gint64)row->found);
    database_bind_double(insert, column++, ratio(row->hops, row->succeeded));
    column = bind_spread(insert, column, row->latency_ns);
    sqlite3_bind_int64(insert, column++, (gint64)row->online);
    sqlite3_bind_int64(insert, column++, (gint64)row->joined);
    sqlite3_bind_int64(insert, column++, (gint64)row->dropped);
    sqlite3_bind_int64(insert, column++, (gint64)row->calls_started);
    sqlite3_bind_int64(insert, column++, (gint64)row->calls_answered);
    column = bind_spread(insert, column, row->setup_ns);
    for (size_t i = 0; i < RECORDER_COUNTER_COUNT; i++) {
        sqlite3_bind_int64(insert, column++, (gint64)row->counter[i]);
    }
}

static bool add_series(sqlite3 *db, gint64 id, const Recorder *recorder, GError **error)
{
    g_autoptr(GString) sql = g_string_new("INSERT INTO series VALUES (?");
    g_autoptr(sqlite3_stmt) insert = NULL;

    for (size_t i = 1; i < 22 + RECORDER_COUNTER_COUNT; i++) {
        g_string_append(sql, ", ?");
    }
    g_string_append_c(sql, ')');
    insert = database_prepare(db, sql->str, error);
    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (size_t i = 0; i < recorder->rows_len; i++) {
        bind_row(insert, &recorder->rows[i]);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

static bool add_lookups(sqlite3 *db, gint64 id, const Recorder *recorder, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO lookups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", error);
    size_t len;
    const struct RecorderSampled *sampled = recorder_lookups(recorder, &len);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (size_t i = 0; i < len; i++) {
        const RecorderLookup *lookup = &sampled[i].lookup;

        sqlite3_bind_int64(insert, 2, lookup->started.ns);
        sqlite3_bind_int64(insert, 3, lookup->latency.ns);
        if (lookup->succeeded) {
            sqlite3_bind_int(insert, 4, lookup->hops);
        } else {
            sqlite3_bind_null(insert, 4);
        }
        sqlite3_bind_int64(insert, 5, lookup->asker);
        sqlite3_bind_blob(insert, 6, lookup->key.bytes, PEAL_ID_LEN, SQLITE_STATIC);
        sqlite3_bind_int(insert, 7, lookup->succeeded);
        sqlite3_bind_int(insert, 8, lookup->correct);
        sqlite3_bind_int(insert, 9, lookup->found);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

static bool add_calls(sqlite3 *db, gint64 id, const Recorder *recorder, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", error);
    size_t len;
    const struct RecorderSampledCall *sampled = recorder_sampled_calls(recorder, &len);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (size_t i = 0; i < len; i++) {
        const RecorderCall *call = &sampled[i].call;
        bool answered = call->status >= 200 && call->status < 300;

        sqlite3_bind_int64(insert, 2, call->started.ns);
        sqlite3_bind_int64(insert, 3, call->caller);
        sqlite3_bind_int64(insert, 4, call->caller_user);
        sqlite3_bind_int64(insert, 5, call->callee);
        sqlite3_bind_int64(insert, 6, call->callee_user);
        sqlite3_bind_int(insert, 7, call->status);
        sqlite3_bind_null(insert, 8);
        sqlite3_bind_null(insert, 9);
        if (answered) {
            sqlite3_bind_int64(insert, 8, call->setup.ns);
            sqlite3_bind_int64(insert, 9, call->answer.ns);
        }
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

static bool add_call_failures(sqlite3 *db, gint64 id, const RecorderFigures *figures,
                              GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO call_failures VALUES (?, ?, ?)", error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (int status = 0; status < RECORDER_STATUSES; status++) {
        if (figures->calls_failed[status] > 0) {
            sqlite3_bind_int(insert, 2, status);
            sqlite3_bind_int64(insert, 3, (gint64)figures->calls_failed[status]);
            if (!database_insert(insert, error)) {
                return false;
            }
        }
    }
    return true;
}

static bool add_replayed(sqlite3_stmt *insert, const RecorderReplayed *replayed, GError **error)
{
    sqlite3_bind_int64(insert, 2, replayed->call);
    sqlite3_bind_int(insert, 3, replayed->begun);
    sqlite3_bind_int(insert, 4, replayed->begun && replayed->ended);
    for (int column = 5; column <= 9; column++) {
        sqlite3_bind_null(insert, column);
    }
    if (replayed->begun) {
        sqlite3_bind_int64(insert, 7, replayed->started.ns);
    }
    if (replayed->begun && (replayed->ended || replayed->answer.ns >= 0)) {
        sqlite3_bind_text(insert, 5, history_outcome_name((HistoryOutcome)replayed->outcome), -1,
                          SQLITE_STATIC);
    }
    if (replayed->begun && replayed->status != 0) {
        sqlite3_bind_int(insert, 6, replayed->status);
    }
    if (replayed->begun && replayed->setup.ns >= 0) {
        sqlite3_bind_int64(insert, 8, replayed->setup.ns);
    }
    if (replayed->begun && replayed->answer.ns >= 0) {
        sqlite3_bind_int64(insert, 9, replayed->answer.ns);
    }
    return database_insert(insert, error);
}

static bool add_replay(sqlite3 *db, gint64 id, const Recorder *recorder, GError **error)
{
    size_t len;
    uint32_t step;
    const RecorderReplayed *rows = recorder_replayed_rows(recorder, &len, &step);
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO replay_calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (size_t i = 0; i < len; i++) {
        if (!add_replayed(insert, &rows[i], error)) {
            return false;
        }
    }
    return true;
}

static bool add_peers(sqlite3 *db, gint64 id, const Recorder *recorder, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO peers VALUES (?, ?, ?, ?)", error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (guint i = 0; i < recorder->peers->len; i++) {
        const RecorderPeerRow *row = &g_array_index(recorder->peers, RecorderPeerRow, i);

        sqlite3_bind_int64(insert, 2, row->peer);
        sqlite3_bind_int64(insert, 3, row->load.messages);
        sqlite3_bind_int64(insert, 4, row->load.values);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

static bool add_events(sqlite3 *db, gint64 id, const Recorder *recorder, GError **error)
{
    g_autoptr(sqlite3_stmt) insert =
        database_prepare(db, "INSERT INTO events VALUES (?, ?, ?)", error);

    if (insert == NULL) {
        return false;
    }
    sqlite3_bind_int64(insert, 1, id);
    for (guint i = 0; i < recorder->marks->len; i++) {
        const RecorderMark *mark = &g_array_index(recorder->marks, RecorderMark, i);

        sqlite3_bind_double(insert, 2, seconds(mark->at.ns));
        sqlite3_bind_text(insert, 3, mark->text, -1, SQLITE_STATIC);
        if (!database_insert(insert, error)) {
            return false;
        }
    }
    return true;
}

bool rows_add_replication(sqlite3 *db, const ResultsReplication *replication,
                          const Recorder *recorder, GError **error)
{
    const RecorderFigures *figures = recorder_figures(recorder);
    /* The same whatever the order in which replications end. */
    gint64 id =
        (gint64)replication->point * RESULTS_REPLICATIONS_MAX + replication->replication + 1;

    PEAL_ASSERT(replication->replication < RESULTS_REPLICATIONS_MAX);
    return add_head(db, replication, recorder, id, error) &&
           add_engine(db, id, replication, error) &&
           add_figures(db, id, replication, recorder, error) &&
           add_histograms(db, id, recorder, error) && add_drops(db, id, &figures->totals, error) &&
           add_messages(db, id, &figures->totals, error) && add_series(db, id, recorder, error) &&
           add_lookups(db, id, recorder, error) && add_calls(db, id, recorder, error) &&
           add_call_failures(db, id, figures, error) && add_replay(db, id, recorder, error) &&
           add_peers(db, id, recorder, error) && add_events(db, id, recorder, error);
}
