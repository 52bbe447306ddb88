/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text.c - a capture's figures for people: a line for each thing, lists and quantiles below it. */
#include "describe/figures.h"

#include <math.h>

enum { LABEL = 20 };
#define ALIKE 1e-3 /* values that differ less are told as one */

/* "12,345": long numbers are read by threes. */
static void append_count(GString *text, uint64_t count)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, count);
    size_t len = strlen(digits);

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            g_string_append_c(text, ',');
        }
        g_string_append_c(text, digits[i]);
    }
}

/* "12 calls", "1 call" */
static void append_counted(GString *text, uint64_t count, const char *one, const char *many)
{
    append_count(text, count);
    g_string_append_printf(text, " %s", count == 1 ? one : many);
}

/* ", 3 of something", where there are some. */
static void append_some(GString *text, uint64_t count, const char *what)
{
    if (count > 0) {
        g_string_append(text, ", ");
        append_count(text, count);
        g_string_append_printf(text, " %s", what);
    }
}

static void append_label(GString *text, const char *label)
{
    g_string_append_printf(text, "%-*s", LABEL, label);
}

/* Three digits, more where there are more before the point; of small numbers two. */
static void append_number(GString *text, double value)
{
    double size = fabs(value);
    int decimals = size >= 100 || size == 0 ? 0 : size >= 10 ? 1 : 2;

    if (size > 0 && size < 0.1) {
        decimals = MIN(1 - (int)floor(log10(size)), 9);
    }
    g_string_append_printf(text, "%.*f", decimals, value);
}

static void append_spread(GString *text, const char *label, const Spread *spread, double factor,
                          const char *unit)
{
    const struct {
        const char *name;
        double value;
    } parts[] = {{"mean", spread->mean}, {"median", spread->median}, {"90 %", spread->p90},
                 {"95 %", spread->p95},  {"99 %", spread->p99},      {"most", spread->max}};
    bool equal = spread->max - spread->min <= fabs(spread->max) * ALIKE;

    if (spread->count == 0) {
        return;
    }
    append_label(text, label);
    for (size_t i = 0; i < (equal ? 1 : G_N_ELEMENTS(parts)); i++) {
        if (!equal) {
            g_string_append_printf(text, "%s%s ", i > 0 ? ", " : "", parts[i].name);
        }
        append_number(text, equal ? spread->max * factor : parts[i].value * factor);
    }
    g_string_append_printf(text, " %s (", unit);
    append_counted(text, spread->count, "value", "values");
    g_string_append(text, ")\n");
}

static void append_named(GString *text, const char *name, uint64_t count)
{
    g_autofree char *readable = figures_readable(name);
    glong len = g_utf8_strlen(readable, -1);

    g_string_append_printf(text, "  %s%*s", readable, len + 2 < 40 ? (int)(38 - len) : 1, "");
    append_count(text, count);
    g_string_append_c(text, '\n');
}

static void append_statuses(GString *text, const uint64_t *counts)
{
    for (unsigned status = 0; status < FIGURES_STATUSES; status++) {
        PealStr reason = peal_sip_reason(status);
        g_autofree char *name = NULL;

        if (counts[status] > 0) {
            name = status == 0 ? g_strdup("no final response")
                               : g_strdup_printf("%u %.*s", status, (int)reason.len, reason.ptr);
            append_named(text, name, counts[status]);
        }
    }
}

static void append_capture(GString *text, const char *name, const TraceCounts *counts,
                           const Figures *figures)
{
    g_autofree char *readable = figures_readable(name);
    g_autofree char *first = counts->packets > 0 ? figures_instant(counts->first_ns) : NULL;
    g_autofree char *size = g_format_size(counts->bytes);

    g_string_append_printf(text, "%s: ", readable);
    append_counted(text, counts->packets, "packet", "packets");
    g_string_append_printf(text, ", %s", size);
    if (first != NULL) {
        g_string_append(text, ", ");
        append_number(text, figures->duration_s);
        g_string_append_printf(text, " s from %s", first);
    }
    g_string_append_c(text, '\n');
    if (counts->damage[0] != '\0') {
        g_autofree char *damage = figures_readable(counts->damage);

        g_string_append_printf(text, "It could be read no further: %s\n", damage);
    }
    if (counts->interrupted) {
        g_string_append(text, "Reading was interrupted: figures are of what was read.\n");
    }
}

static void append_messages(GString *text, const TraceCounts *counts, const HistoryData *data)
{
    g_autoptr(GArray) methods = g_array_copy(data->methods);

    g_string_append_c(text, '\n');
    append_label(text, "SIP messages");
    append_count(text, counts->messages);
    g_string_append(text, " in all");
    append_some(text, counts->messages_tcp, "over TCP");
    append_some(text, counts->messages_cut, "cut off by the capture");
    append_some(text, data->retransmissions, "retransmitted");
    append_some(text, data->lost, "of nothing that was seen to begin");
    g_string_append_c(text, '\n');
    g_array_sort(methods, figures_compare_counts);
    for (guint i = 0; i < methods->len; i++) {
        const HistoryCount *method = &g_array_index(methods, HistoryCount, i);

        append_named(text, method->name, method->count);
    }
    append_statuses(text, data->responses);
}

static void append_users(GString *text, const Figures *figures, const HistoryData *data)
{
    g_string_append_c(text, '\n');
    append_label(text, "Users");
    append_count(text, data->users->len);
    g_string_append(text, " in all");
    append_some(text, figures->users_registering, "register");
    append_some(text, figures->users_calling, "call");
    append_some(text, figures->users_called, "are called");
    g_string_append_c(text, '\n');
    for (unsigned i = 0; i < figures->top_len; i++) {
        const Talker *talker = &figures->top[i];
        g_autofree char *aor =
            figures_readable(g_array_index(data->users, HistoryUser, talker->user).aor);

        g_string_append_printf(text, "  %-36s  ", aor);
        append_count(text, talker->made);
        g_string_append(text, " made, ");
        append_count(text, talker->taken);
        g_string_append(text, " taken\n");
    }
}

static void append_registrations(GString *text, const Figures *figures, const HistoryData *data)
{
    g_string_append_c(text, '\n');
    append_label(text, "Registrations");
    append_count(text, data->registrations->len);
    g_string_append(text, " in all");
    append_some(text, figures->registered, "succeeded");
    append_some(text, figures->refused, "refused");
    append_some(text, figures->unfinished, "left at a challenge");
    append_some(text, figures->unanswered, "unanswered");
    append_some(text, figures->removals, "to take a binding away");
    append_some(text, figures->queries, "only asked");
    g_string_append_c(text, '\n');
    append_statuses(text, figures->registration_status);
    append_spread(text, "  expiry asked for", &figures->asked, 1, "s");
    append_spread(text, "  expiry granted", &figures->granted, 1, "s");
    append_spread(text, "  interval", &figures->interval, 1, "s");
}

static void append_call_lines(GString *text, const Figures *figures, const HistoryData *data)
{
    double hours = figures->duration_s / 3600;

    append_spread(text, "  set-up", &figures->setup, 1e3, "ms");
    append_spread(text, "  answer", &figures->answer, 1e3, "ms");
    append_spread(text, "  ringing", &figures->ring, 1, "s");
    append_spread(text, "  talk", &figures->talk, 1, "s");
    append_spread(text, "  between calls", &figures->arrival, 1, "s");
    if (hours > 0) {
        append_label(text, "  load");
        append_number(text, data->calls->len / hours);
        g_string_append(text, " calls an hour, ");
        append_number(text, figures->talked_s / figures->duration_s);
        g_string_append(text, " erlang, at most ");
        append_count(text, figures->peak);
        g_string_append(text, " at a time\n");
    }
    append_label(text, "  ways");
    append_counted(text, figures->legs, "leg", "legs");
    append_some(text, figures->on_legs, "on several legs");
    append_some(text, figures->forked, "with several dialogs");
    append_some(text, figures->hung_up, "hung up by the callee");
    append_some(text, figures->open_end, "answered without a BYE");
    g_string_append_c(text, '\n');
}

static void append_calls(GString *text, const Figures *figures, const HistoryData *data)
{
    g_string_append_c(text, '\n');
    append_label(text, "Calls");
    append_count(text, data->calls->len);
    g_string_append(text, " in all");
    for (unsigned i = 0; i < FIGURES_OUTCOMES; i++) {
        append_some(text, figures->outcomes[i], history_outcome_name((HistoryOutcome)i));
    }
    g_string_append_c(text, '\n');
    append_statuses(text, figures->call_status);
    if (data->calls->len > 0) {
        append_call_lines(text, figures, data);
    }
    for (guint i = 0; i < figures->codecs->len; i++) {
        const HistoryCount *codec = &g_array_index(figures->codecs, HistoryCount, i);
        g_autofree char *label = g_strconcat("codec ", codec->name, NULL);

        append_named(text, label, codec->count);
    }
    if (data->challenged > 0) {
        g_string_append_c(text, '\n');
        append_label(text, "Challenged");
        append_count(text, data->challenged);
        g_string_append(text, " registrations and calls, made again with credentials");
        g_string_append_c(text, '\n');
    }
}

static void append_media(GString *text, const Figures *figures)
{
    g_autofree char *size = g_format_size(figures->media_bytes);

    if (figures->media_packets == 0) {
        return;
    }
    g_string_append_c(text, '\n');
    append_label(text, "Media");
    append_counted(text, figures->media_packets, "packet", "packets");
    g_string_append_printf(text, ", %s, of ", size);
    append_counted(text, figures->media_calls, "call", "calls");
    g_string_append_c(text, '\n');
    append_spread(text, "  first to last", &figures->media, 1, "s");
}

static void append_skipped(GString *text, const TraceCounts *counts)
{
    bool any = false;

    for (unsigned i = 0; i < TRACE_SKIP_COUNT; i++) {
        if (counts->skipped[i] > 0) {
            g_string_append(text, any ? "" : "\nSkipped\n");
            any = true;
            g_string_append(text, "  ");
            append_count(text, counts->skipped[i]);
            g_string_append_printf(text, " %s\n", trace_skip_meaning((TraceSkip)i));
        }
    }
}

char *describe_text(const char *name, const TraceCounts *counts, const HistoryData *data)
{
    g_auto(Figures) figures = {.codecs = NULL};
    GString *text = g_string_new(NULL);

    figures_init(&figures, counts, data);
    append_capture(text, name, counts, &figures);
    append_messages(text, counts, data);
    append_users(text, &figures, data);
    append_registrations(text, &figures, data);
    append_calls(text, &figures, data);
    append_media(text, &figures);
    append_skipped(text, counts);
    return g_string_free(text, FALSE);
}
