/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.c - see replay_results.h: a replay's figures, and what is printed of them. */
#include <scenarios/replay_results.h>

#include <string.h>

enum { OUTCOMES = HISTORY_UNANSWERED + 1 };

/* What became of a call that was begun and is neither answered nor over. */
static bool is_under_way(const RecorderReplayed *call)
{
    return call->begun && !call->ended && call->answer.ns < 0;
}

static bool is_as_in_trace(const ReplayCall *recorded, const RecorderReplayed *call)
{
    return call->begun && !is_under_way(call) && call->outcome == recorded->outcome;
}

static RecorderReplayed row_of(uint32_t number, const ReplayEnd *end)
{
    RecorderReplayed row = {.started = end->started,
                            .setup = end->setup,
                            .answer = end->answer,
                            .call = number,
                            .status = end->status,
                            .outcome = end->outcome,
                            .begun = end->begun,
                            .ended = end->ended};

    if (!row.ended && row.answer.ns >= 0) {
        row.outcome = HISTORY_ANSWERED; /* the conversation goes on */
    }
    return row;
}

/* The figures. */

typedef struct Counts {
    uint64_t begun;
    uint64_t under_way;
    uint64_t as_in_trace;
    uint64_t by_outcome[OUTCOMES];
    uint64_t setups;
    double setup_ms; /* sum */
    uint64_t answers;
    double answer_ms;
} Counts;

static void count(Counts *counts, const ReplayCall *recorded, const RecorderReplayed *call)
{
    if (!call->begun) {
        return;
    }
    counts->begun++;
    counts->as_in_trace += is_as_in_trace(recorded, call);
    if (is_under_way(call)) {
        counts->under_way++;
    } else {
        counts->by_outcome[call->outcome]++;
    }
    if (call->setup.ns >= 0) {
        counts->setups++;
        counts->setup_ms += (double)call->setup.ns / (double)PEAL_NS_PER_MS;
    }
    if (call->answer.ns >= 0) {
        counts->answers++;
        counts->answer_ms += (double)call->answer.ns / (double)PEAL_NS_PER_MS;
    }
}

static void add_figures(RunOutcome *outcome, uint64_t calls, const Counts *counts)
{
    static const char *const names[OUTCOMES] = {[HISTORY_ANSWERED] = "replay.answered",
                                                [HISTORY_CANCELLED] = "replay.cancelled",
                                                [HISTORY_REFUSED] = "replay.refused",
                                                [HISTORY_UNANSWERED] = "replay.unanswered"};

    run_outcome_figure(outcome, "replay.calls", (double)calls, RESULTS_SUM);
    run_outcome_figure(outcome, "replay.begun", (double)counts->begun, RESULTS_SUM);
    run_outcome_rate(outcome, "replay.as_in_trace", counts->as_in_trace, counts->begun);
    for (int i = 0; i < OUTCOMES; i++) {
        run_outcome_figure(outcome, names[i], (double)counts->by_outcome[i], RESULTS_SUM);
    }
    run_outcome_figure(outcome, "replay.unfinished", (double)counts->under_way, RESULTS_SUM);
    run_outcome_figure(outcome, "replay.setup_ms", counts->setup_ms / (double)counts->setups,
                       RESULTS_MEAN);
    run_outcome_figure(outcome, "replay.answer_ms", counts->answer_ms / (double)counts->answers,
                       RESULTS_MEAN);
}

void run_outcome_replay(RunOutcome *outcome, Recorder *recorder, const Replay *replay,
                        const ReplayPlay *play)
{
    Counts counts = {0};

    for (uint32_t i = 0; i < replay->calls->len; i++) {
        RecorderReplayed row = row_of(i, replay_play_end(play, i));

        count(&counts, replay_call(replay, i), &row);
        recorder_replayed(recorder, &row);
    }
    add_figures(outcome, replay->calls->len, &counts);
}

/* What is printed. */

enum { LISTED_MAX = 20, LISTED_AGAIN_MAX = 5, NAME_WIDTH_MAX = 24 };

/* Places of an outcome here, behind those of HistoryOutcome. */
enum { UNDER_WAY = OUTCOMES, NOT_BEGUN, PLACES };

static int place_of(const RecorderReplayed *call)
{
    return !call->begun ? NOT_BEGUN : is_under_way(call) ? UNDER_WAY : call->outcome;
}

static const char *place_name(int place)
{
    return place == NOT_BEGUN   ? "not begun"
           : place == UNDER_WAY ? "under way"
                                : history_outcome_name((HistoryOutcome)place);
}

typedef struct Table {
    uint64_t cells[OUTCOMES][PLACES];
    uint64_t calls;
    uint64_t begun;
    uint64_t as_in_trace;
} Table;

static void fill(Table *table, const Replay *replay, const RecorderReplayed *rows, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const ReplayCall *recorded = replay_call(replay, rows[i].call);

        table->cells[recorded->outcome][place_of(&rows[i])]++;
        table->calls++;
        table->begun += rows[i].begun;
        table->as_in_trace += is_as_in_trace(recorded, &rows[i]);
    }
}

/* Only rows and columns that hold something, and the outcomes of the trace on both sides. */
static void say_table(GString *text, const Table *table)
{
    uint64_t rows[OUTCOMES] = {0}, columns[PLACES] = {0};

    for (int i = 0; i < OUTCOMES; i++) {
        for (int j = 0; j < PLACES; j++) {
            rows[i] += table->cells[i][j];
            columns[j] += table->cells[i][j];
        }
    }
    g_string_append(text, "            in the trace |");
    for (int j = 0; j < PLACES; j++) {
        if (columns[j] > 0 || (j < OUTCOMES && rows[j] > 0)) {
            g_string_append_printf(text, "  %10s", place_name(j));
        }
    }
    g_string_append(text, " here\n");
    for (int i = 0; i < OUTCOMES; i++) {
        if (rows[i] == 0) {
            continue;
        }
        g_string_append_printf(text, "              %10s |", place_name(i));
        for (int j = 0; j < PLACES; j++) {
            if (columns[j] > 0 || (j < OUTCOMES && rows[j] > 0)) {
                g_string_append_printf(text, "  %10" G_GUINT64_FORMAT, table->cells[i][j]);
            }
        }
        g_string_append_c(text, '\n');
    }
}

static int compare_spans(const void *a, const void *b)
{
    gint64 one = *(const gint64 *)a, other = *(const gint64 *)b;

    return (one > other) - (one < other);
}

/* "median 180 ms", or "none". */
static void say_median(GString *text, GArray *spans_ns)
{
    guint middle;

    if (spans_ns->len == 0) {
        g_string_append(text, "none");
        return;
    }
    g_array_sort(spans_ns, compare_spans);
    middle = (spans_ns->len - 1) / 2;
    g_string_append_printf(text, "median %.0f ms",
                           (double)g_array_index(spans_ns, gint64, middle) /
                               (double)PEAL_NS_PER_MS);
}

static void say_setup(GString *text, const Replay *replay, const RecorderReplayed *rows, size_t len)
{
    g_autoptr(GArray) there = g_array_new(FALSE, FALSE, sizeof(gint64));
    g_autoptr(GArray) here = g_array_new(FALSE, FALSE, sizeof(gint64));

    for (size_t i = 0; i < len; i++) {
        gint64 in_trace = replay_trace_setup(replay, rows[i].call).ns;
        gint64 setup = rows[i].begun ? rows[i].setup.ns : -1;

        if (in_trace >= 0) {
            g_array_append_val(there, in_trace);
        }
        if (setup >= 0) {
            g_array_append_val(here, setup);
        }
    }
    if (there->len + here->len > 0) {
        g_string_append(text, "  set-up    ");
        say_median(text, there);
        g_string_append(text, " in the trace, ");
        say_median(text, here);
        g_string_append(text, " here\n");
    }
}

/* Single calls. */

/* The user of an AOR; whatever no terminal should be sent becomes '?'. */
static char *name_of(const Replay *replay, uint32_t user)
{
    const char *aor = replay_user(replay, user)->aor;
    const char *colon = strchr(aor, ':');
    const char *begin = colon != NULL ? colon + 1 : aor;
    const char *at = strchr(begin, '@');
    g_autofree char *name = at != NULL ? g_strndup(begin, (gsize)(at - begin)) : g_strdup(begin);
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    GString *shown = g_string_new(NULL);

    for (const char *c = valid; *c != '\0'; c = g_utf8_next_char(c)) {
        gunichar letter = g_utf8_get_char(c);

        if (g_utf8_strlen(shown->str, -1) == NAME_WIDTH_MAX) {
            g_string_truncate(shown,
                              (gsize)(g_utf8_prev_char(shown->str + shown->len) - shown->str));
            g_string_append(shown, "…");
            break;
        }
        g_string_append_unichar(shown, g_unichar_isprint(letter) ? letter : '?');
    }
    return g_string_free(shown, FALSE);
}

static void pad(GString *text, const char *name, glong width)
{
    g_string_append(text, name);
    for (glong i = g_utf8_strlen(name, -1); i < width; i++) {
        g_string_append_c(text, ' ');
    }
}

/* "answered 200 in 180 ms" */
static char *end_text(int place, uint16_t status, PealSpan setup)
{
    GString *text = g_string_new(place_name(place));

    if (status != 0) {
        g_string_append_printf(text, " %u", status);
    }
    if (setup.ns >= PEAL_NS_PER_S) {
        g_string_append_printf(text, " in %.2f s", (double)setup.ns / (double)PEAL_NS_PER_S);
    } else if (setup.ns >= 0) {
        g_string_append_printf(text, " in %.0f ms", (double)setup.ns / (double)PEAL_NS_PER_MS);
    }
    return g_string_free(text, FALSE);
}

typedef struct Line {
    uint32_t call;
    bool differs;
    char *names; /* caller -> callee */
    char *there;
    char *here;
} Line;

static void clear_line(gpointer data)
{
    Line *line = data;

    g_free(line->names);
    g_free(line->there);
    g_free(line->here);
}

static void add_line(GArray *lines, const Replay *replay, const RecorderReplayed *row)
{
    const ReplayCall *recorded = replay_call(replay, row->call);
    g_autofree char *caller = name_of(replay, recorded->caller);
    g_autofree char *callee = name_of(replay, recorded->callee);
    Line line = {.call = row->call,
                 .differs = !is_as_in_trace(recorded, row),
                 .names = g_strdup_printf("%s -> %s", caller, callee),
                 .there = end_text(recorded->outcome, recorded->status,
                                   replay_trace_setup(replay, row->call)),
                 .here = end_text(place_of(row), row->begun ? row->status : 0,
                                  row->begun ? row->setup : (PealSpan){-1})};

    g_array_append_val(lines, line);
}

static void say_lines(GString *text, const GArray *lines)
{
    glong names = 0, there = 0;

    for (guint i = 0; i < lines->len; i++) {
        const Line *line = &g_array_index(lines, Line, i);

        names = MAX(names, g_utf8_strlen(line->names, -1));
        there = MAX(there, g_utf8_strlen(line->there, -1));
    }
    for (guint i = 0; i < lines->len; i++) {
        const Line *line = &g_array_index(lines, Line, i);

        g_string_append_printf(text, "  %c %6u  ", line->differs ? '!' : ' ', line->call);
        pad(text, line->names, names);
        g_string_append(text, "  ");
        pad(text, line->there, there);
        g_string_append_printf(text, " | %s\n", line->here);
    }
}

/* All calls where they are few; else those that ended otherwise. */
static void say_calls(GString *text, const Replay *replay, const RecorderReplayed *rows, size_t len,
                      bool all)
{
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(Line));
    bool whole = all && len <= LISTED_MAX;
    size_t wanted = 0, most = all ? LISTED_MAX : LISTED_AGAIN_MAX;

    g_array_set_clear_func(lines, clear_line);
    for (size_t i = 0; i < len; i++) {
        if (whole || !is_as_in_trace(replay_call(replay, rows[i].call), &rows[i])) {
            if (wanted++ < most) {
                add_line(lines, replay, &rows[i]);
            }
        }
    }
    if (lines->len > 0) {
        g_string_append_printf(text,
                               "  calls     %s, in the trace | here; in: until ringing or answer\n",
                               whole ? "each" : "those that ended otherwise");
        say_lines(text, lines);
    }
    if (wanted > most) {
        g_string_append_printf(text, "            and %zu more that ended otherwise\n",
                               wanted - most);
    }
    if (!whole) {
        g_string_append(text, "            every call is in results.db, tables trace_calls and "
                              "replay_calls\n");
    }
}

void replay_report_text(GString *text, const Replay *replay, const Recorder *recorder, bool all)
{
    size_t len;
    uint32_t step;
    const RecorderReplayed *rows = recorder_replayed_rows(recorder, &len, &step);
    g_autofree char *source = g_path_get_basename(replay->source);
    Table table = {0};

    if (len == 0) {
        return;
    }
    fill(&table, replay, rows, len);
    g_string_append_printf(text, "  replay    %" G_GUINT64_FORMAT " call%s of %s", table.calls,
                           table.calls == 1 ? "" : "s", source);
    if (step > 1) {
        g_string_append_printf(text, " (one in %u)", step);
    }
    g_string_append_printf(text,
                           ", %" G_GUINT64_FORMAT " begun, %" G_GUINT64_FORMAT
                           " ended as in the trace\n",
                           table.begun, table.as_in_trace);
    say_table(text, &table);
    say_setup(text, replay, rows, len);
    say_calls(text, replay, rows, len, all);
}
