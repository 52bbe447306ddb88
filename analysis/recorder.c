/*
 * recorder.c - see recorder.h.
 */
#include <analysis/mser.h>
#include <analysis/recorder.h>

#include "recorder_state.h"

#include <peal/random.h>

enum {
    ROWS_WANTED = 300,
    PROMPT_SECONDS = 3, /* by then a peer sends its request again */
};

static const int64_t ROUND_SECONDS[] = {1,    2,    5,     10,    15,    20,   30,
                                        60,   120,  300,   600,   900,   1200, 1800,
                                        3600, 7200, 10800, 21600, 43200, 86400};

/* The shortest round interval that cuts the duration into at most ROWS_WANTED rows. */
static PealSpan round_interval(PealSpan duration)
{
    int64_t day = ROUND_SECONDS[G_N_ELEMENTS(ROUND_SECONDS) - 1] * PEAL_NS_PER_S;

    for (size_t i = 0; i < G_N_ELEMENTS(ROUND_SECONDS); i++) {
        PealSpan interval = peal_seconds(ROUND_SECONDS[i]);

        if (duration.ns / interval.ns < ROWS_WANTED ||
            (duration.ns / interval.ns == ROWS_WANTED && duration.ns % interval.ns == 0)) {
            return interval;
        }
    }
    return (PealSpan){(duration.ns / ROWS_WANTED / day + 1) * day};
}

/* Rows end at multiples of the interval, at the end of the warm-up and at the end of the run. */
static void lay_rows_out(Recorder *recorder, PealSpan interval)
{
    const RecorderConfig *config = &recorder->config;
    int64_t at = 0;

    recorder->rows = g_new0(RecorderRow, RECORDER_ROWS_MAX);
    while (at < config->duration.ns) {
        RecorderRow *row = &recorder->rows[recorder->rows_len++];
        int64_t end = (at / interval.ns + 1) * interval.ns;

        PEAL_ASSERT(recorder->rows_len <= RECORDER_ROWS_MAX);
        if (at < config->warmup.ns && config->warmup.ns < end) {
            end = config->warmup.ns;
        }
        end = MIN(end, config->duration.ns);
        row->start.ns = at;
        row->end.ns = end;
        at = end;
    }
}

/* With MSER-5 rows may be shorter than a second, so that a short run has enough of them. */
static PealSpan short_interval(PealSpan duration)
{
    static const int64_t round_ms[] = {10, 20, 50, 100, 200, 500};

    for (size_t i = 0; i < G_N_ELEMENTS(round_ms); i++) {
        if (duration.ns / (round_ms[i] * PEAL_NS_PER_MS) < ROWS_WANTED) {
            return peal_ms(round_ms[i]);
        }
    }
    return round_interval(duration);
}

PealSpan recorder_latest_cut(PealSpan duration)
{
    PealSpan interval = short_interval(duration);
    int64_t rows = (duration.ns + interval.ns - 1) / interval.ns;
    int64_t batches = rows / MSER_BATCH;

    return (PealSpan){batches / 2 * MSER_BATCH * interval.ns};
}

Recorder *recorder_new(const RecorderConfig *config)
{
    Recorder *recorder = g_new0(Recorder, 1);
    PealSpan interval = config->interval;

    PEAL_ASSERT(config->duration.ns > 0);
    PEAL_ASSERT(config->warmup.ns >= 0 && config->warmup.ns <= config->duration.ns);
    recorder->config = *config;
    if (recorder->config.lookups == 0) {
        recorder->config.lookups = RECORDER_LOOKUPS_DEFAULT;
    }
    if (recorder->config.prompt.ns == 0) {
        recorder->config.prompt = peal_seconds(PROMPT_SECONDS);
    }
    if (config->mser) {
        recorder->config.warmup.ns = 0;
        interval = short_interval(config->duration);
    } else if (interval.ns <= 0 || config->duration.ns / interval.ns >= ROWS_WANTED) {
        interval = round_interval(config->duration);
    }
    lay_rows_out(recorder, interval);
    recorder->hops = histogram_new(HISTOGRAM_EXACT);
    recorder->latency_ns = histogram_new(HISTOGRAM_FINE);
    recorder->peer_messages = histogram_new(HISTOGRAM_EXACT);
    recorder->peer_values = histogram_new(HISTOGRAM_EXACT);
    recorder->window_open = recorder->config.warmup.ns == 0;
    if (config->mser) {
        recorder_slices_init(recorder);
    }
    sample_init(&recorder->lookups, sizeof(struct RecorderSampled), recorder->config.lookups);
    recorder_calls_init(&recorder->calls, recorder->config.lookups);
    recorder->marks = g_array_new(FALSE, FALSE, sizeof(RecorderMark));
    recorder->peers = g_array_new(FALSE, FALSE, sizeof(RecorderPeerRow));
    return recorder;
}

void recorder_free(Recorder *recorder)
{
    if (recorder == NULL) {
        return;
    }
    for (size_t i = 0; i < RECORDER_ROWS_MAX; i++) {
        histogram_free(recorder->rows[i].latency_ns);
        histogram_free(recorder->rows[i].setup_ns);
    }
    g_free(recorder->rows);
    recorder_slices_fini(recorder);
    histogram_free(recorder->hops);
    histogram_free(recorder->latency_ns);
    histogram_free(recorder->peer_messages);
    histogram_free(recorder->peer_values);
    sample_fini(&recorder->lookups);
    recorder_calls_fini(&recorder->calls);
    recorder_replay_fini(&recorder->replay);
    for (guint i = 0; i < recorder->marks->len; i++) {
        g_free(g_array_index(recorder->marks, RecorderMark, i).text);
    }
    g_array_unref(recorder->marks);
    g_array_unref(recorder->peers);
    g_free(recorder);
}

void recorder_totals_add(RecorderTotals *totals, const RecorderTotals *more)
{
    for (size_t i = 0; i < RECORDER_COUNTER_COUNT; i++) {
        totals->counter[i] += more->counter[i];
    }
    for (size_t i = 0; i < PEAL_DROP_COUNT; i++) {
        totals->drops[i] += more->drops[i];
    }
    for (size_t i = 0; i < RECORDER_CODES; i++) {
        totals->codes[i] += more->codes[i];
    }
    totals->online += more->online;
    totals->joined += more->joined;
}

/* What was counted from `from` to `to`; levels are those of `to`. */
static RecorderTotals totals_between(const RecorderTotals *from, const RecorderTotals *to)
{
    RecorderTotals result = *to;

    for (size_t i = 0; i < RECORDER_COUNTER_COUNT; i++) {
        result.counter[i] -= from->counter[i];
    }
    for (size_t i = 0; i < PEAL_DROP_COUNT; i++) {
        result.drops[i] -= from->drops[i];
    }
    for (size_t i = 0; i < RECORDER_CODES; i++) {
        result.codes[i] -= from->codes[i];
    }
    return result;
}

RecorderRow *recorder_row_at(Recorder *recorder, PealTime at)
{
    size_t low = 0, high = recorder->rows_len;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (at.ns < recorder->rows[middle].end.ns) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low < recorder->rows_len && at.ns >= 0 ? &recorder->rows[low] : NULL;
}

static int compare_sampled_start(const void *a, const void *b)
{
    const RecorderLookup *one = &((const struct RecorderSampled *)a)->lookup;
    const RecorderLookup *other = &((const struct RecorderSampled *)b)->lookup;

    if (one->started.ns != other->started.ns) {
        return one->started.ns < other->started.ns ? -1 : 1;
    }
    if (one->asker != other->asker) {
        return one->asker < other->asker ? -1 : 1;
    }
    return peal_id_compare(&one->key, &other->key);
}

static void sample_lookup(Recorder *recorder, const RecorderLookup *lookup)
{
    PealIdHalves key = peal_id_halves(&lookup->key);
    struct RecorderSampled item = {.number = peal_random_at(key.high ^ key.low, lookup->asker,
                                                            (uint64_t)lookup->started.ns),
                                   .lookup = *lookup};

    sample_add(&recorder->lookups, &item);
}

static void count_in_series(Recorder *recorder, const RecorderLookup *lookup)
{
    RecorderRow *row = recorder_row_at(recorder, lookup->started);

    if (row == NULL) {
        return;
    }
    row->started++;
    if (lookup->succeeded) {
        row->succeeded++;
        row->prompt += lookup->latency.ns <= recorder->config.prompt.ns;
        row->correct += lookup->correct;
        row->found += lookup->found;
        row->hops += lookup->hops;
        if (row->latency_ns == NULL) {
            row->latency_ns = histogram_new(HISTOGRAM_COARSE);
        }
        histogram_add(row->latency_ns, (uint64_t)lookup->latency.ns, 1);
    }
}

bool recorder_target(Recorder *recorder, PealTime started, RecorderTarget *ret_target)
{
    size_t slice = recorder->slices_len;

    if (started.ns < recorder->config.warmup.ns || started.ns >= recorder->config.duration.ns) {
        return false;
    }
    while (slice > 1 && recorder->slices[slice - 1].start.ns > started.ns) {
        slice--;
    }
    if (slice > 0) {
        RecorderSlice *of = &recorder->slices[slice - 1];

        *ret_target =
            (RecorderTarget){&of->counts, of->hops, of->latency_ns, of->setup_ns, of->answer_ns};
    } else {
        *ret_target = (RecorderTarget){&recorder->figures, recorder->hops, recorder->latency_ns,
                                       recorder->calls.setup_ns, recorder->calls.answer_ns};
    }
    return true;
}

void recorder_lookup(Recorder *recorder, const RecorderLookup *lookup)
{
    RecorderTarget target;

    PEAL_ASSERT(!recorder->finished);
    PEAL_ASSERT(lookup->latency.ns >= 0);
    recorder->lately.lookups++;
    if (lookup->succeeded) {
        recorder->lately.succeeded++;
        recorder->lately.latency_ns += (uint64_t)lookup->latency.ns;
    }
    count_in_series(recorder, lookup);
    if (!recorder_target(recorder, lookup->started, &target)) {
        return;
    }
    target.counts->started++;
    if (lookup->succeeded) {
        target.counts->succeeded++;
        target.counts->correct += lookup->correct;
        target.counts->found += lookup->found;
        histogram_add(target.hops, lookup->hops, 1);
        histogram_add(target.latency_ns, (uint64_t)lookup->latency.ns, 1);
    }
    sample_lookup(recorder, lookup);
}

RecorderLately recorder_lately(Recorder *recorder)
{
    RecorderLately lately = recorder->lately;

    recorder->lately = (RecorderLately){0};
    return lately;
}

void recorder_unfinished(Recorder *recorder, uint64_t lookups)
{
    recorder->figures.unfinished += lookups;
}

PealTime recorder_next_sample(const Recorder *recorder)
{
    if (recorder->finished || recorder->sampled == recorder->rows_len) {
        return PEAL_TIME_NEVER;
    }
    return recorder->rows[recorder->sampled].end;
}

/* Fills in the row that ends now. */
static void sample_row(Recorder *recorder, const RecorderTotals *totals)
{
    RecorderRow *row = &recorder->rows[recorder->sampled++];
    RecorderTotals between = totals_between(&recorder->last, totals);

    memcpy(row->counter, between.counter, sizeof(row->counter));
    for (size_t i = 0; i < PEAL_DROP_COUNT; i++) {
        row->dropped += between.drops[i];
    }
    row->online = totals->online;
    row->joined = totals->joined;
    row->sampled = true;
    recorder->last = *totals;
}

void recorder_sample(Recorder *recorder, PealTime at, const RecorderTotals *totals)
{
    PEAL_ASSERT(at.ns == recorder_next_sample(recorder).ns);
    sample_row(recorder, totals);
    recorder_slices_sample(recorder, at, totals);
    if (at.ns == recorder->config.warmup.ns) {
        recorder->start = *totals;
        recorder->window_open = true;
    }
}

void recorder_event(Recorder *recorder, PealTime at, const char *text)
{
    RecorderMark mark = {.at = at};

    if (recorder->marks->len < RECORDER_EVENTS_MAX) {
        mark.text = g_utf8_make_valid(text, -1);
        g_array_append_val(recorder->marks, mark);
    }
}

void recorder_peers(Recorder *recorder, const RecorderPeer *peers, size_t len)
{
    size_t seen = 0, step;

    PEAL_ASSERT(!recorder->finished && recorder->peers->len == 0);
    for (size_t i = 0; i < len; i++) {
        seen += peers[i].seen;
    }
    step = (seen + RECORDER_PEERS_MAX - 1) / RECORDER_PEERS_MAX;
    seen = 0;
    for (size_t i = 0; i < len; i++) {
        RecorderPeerRow row = {.peer = (uint32_t)i, .load = peers[i]};

        if (!peers[i].seen) {
            continue;
        }
        histogram_add(recorder->peer_messages, peers[i].messages, 1);
        if (peers[i].up) {
            histogram_add(recorder->peer_values, peers[i].values, 1);
        }
        if (seen++ % step == 0) {
            g_array_append_val(recorder->peers, row);
        }
    }
}

/* An interrupted run's series ends where the run did. */
static void cut_rows(Recorder *recorder, PealTime at)
{
    while (recorder->rows_len > 0 && recorder->rows[recorder->rows_len - 1].start.ns >= at.ns) {
        recorder->rows_len--;
    }
    if (recorder->rows_len > 0) {
        RecorderRow *last = &recorder->rows[recorder->rows_len - 1];

        last->end = peal_time_min(last->end, at);
    }
}

void recorder_finish(Recorder *recorder, PealTime at, const RecorderTotals *totals)
{
    const RecorderConfig *config = &recorder->config;
    RecorderFigures *figures = &recorder->figures;

    if (config->open_ended) {
        at.ns = MIN(at.ns, config->duration.ns);
    }
    PEAL_ASSERT(!recorder->finished && at.ns <= config->duration.ns);
    cut_rows(recorder, at);
    if (recorder->sampled < recorder->rows_len) {
        PEAL_ASSERT(recorder->sampled + 1 == recorder->rows_len);
        sample_row(recorder, totals);
    }
    figures->warmup = config->warmup;
    if (config->mser) {
        recorder_slices_cut(recorder);
    }
    sample_finish(&recorder->lookups, compare_sampled_start);
    recorder_calls_finish(recorder);
    recorder->finished = true;
    figures->end = at;
    figures->interrupted = !config->open_ended && at.ns < config->duration.ns;
    if (recorder->window_open) {
        figures->window.ns = at.ns - figures->warmup.ns;
        figures->totals = totals_between(&recorder->start, totals);
    }
    figures->hops = recorder->hops;
    figures->latency_ns = recorder->latency_ns;
    figures->peer_messages = recorder->peer_messages;
    figures->peer_values = recorder->peer_values;
}

void recorder_interrupted(Recorder *recorder)
{
    PEAL_ASSERT(recorder->finished && recorder->config.open_ended);
    recorder->figures.interrupted = true;
}

const RecorderFigures *recorder_figures(const Recorder *recorder)
{
    PEAL_ASSERT(recorder->finished);
    return &recorder->figures;
}

const struct RecorderSampled *recorder_lookups(const Recorder *recorder, size_t *ret_len)
{
    PEAL_ASSERT(recorder->finished);
    *ret_len = recorder->lookups.len;
    return (const void *)recorder->lookups.items;
}
