/* SPDX-License-Identifier: GPL-3.0-or-later */
/* figures.c - see figures.h. */
#include "describe/figures.h"

#include <analysis/history_spans.h>
#include <math.h>

static const HistoryCall *call_at(const HistoryData *data, guint i)
{
    return &g_array_index(data->calls, HistoryCall, i);
}

static const HistoryRegistration *registration_at(const HistoryData *data, guint i)
{
    return &g_array_index(data->registrations, HistoryRegistration, i);
}

static int compare_doubles(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;

    return one < other ? -1 : one > other;
}

static double quantile(const GArray *sorted, double q)
{
    double rank = ceil(q * sorted->len);

    return g_array_index(sorted, double, rank < 1 ? 0 : (guint)rank - 1);
}

/* Takes the values. */
static Spread spread_take(GArray *values)
{
    Spread spread = {0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    double sum = 0;

    if (values->len > 0) {
        g_array_sort(values, compare_doubles);
        for (guint i = 0; i < values->len; i++) {
            sum += g_array_index(values, double, i);
        }
        spread = (Spread){.count = values->len,
                          .mean = sum / values->len,
                          .min = quantile(values, 0),
                          .p25 = quantile(values, 0.25),
                          .median = quantile(values, 0.5),
                          .p75 = quantile(values, 0.75),
                          .p90 = quantile(values, 0.9),
                          .p95 = quantile(values, 0.95),
                          .p99 = quantile(values, 0.99),
                          .max = quantile(values, 1)};
    }
    g_array_unref(values);
    return spread;
}

static void count_call(Figures *figures, const HistoryCall *call)
{
    figures->outcomes[call->outcome]++;
    figures->call_status[call->status]++;
    figures->legs += call->legs;
    figures->on_legs += call->legs > 1;
    figures->forked += call->forks > 1;
    figures->media_packets += call->media_packets;
    figures->media_bytes += call->media_bytes;
    if (call->media_packets > 0) {
        figures->media_calls++;
        figures->media_first_ns = figures->media_first_ns == HISTORY_NEVER
                                      ? call->media_first_ns
                                      : MIN(figures->media_first_ns, call->media_first_ns);
        figures->media_last_ns = MAX(figures->media_last_ns, call->media_last_ns);
    }
    if (call->outcome == HISTORY_ANSWERED) {
        figures->hung_up += call->end_ns != HISTORY_NEVER && call->callee_hung_up;
        figures->open_end += call->end_ns == HISTORY_NEVER;
        figures->talked_s += history_talk_s(call);
    }
}

int figures_compare_counts(const void *a, const void *b)
{
    const HistoryCount *one = a, *other = b;

    if (one->count != other->count) {
        return one->count > other->count ? -1 : 1;
    }
    return strcmp(one->name, other->name);
}

/* Equal codecs need not be one text, in data that another made. */
static void count_codecs(Figures *figures, const HistoryData *data)
{
    g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);

    figures->codecs = g_array_new(FALSE, FALSE, sizeof(HistoryCount));
    for (guint i = 0; i < data->calls->len; i++) {
        HistoryCount added = {.name = call_at(data, i)->codec, .count = 1};
        gpointer place;

        if (added.name == NULL) {
            continue;
        }
        if (g_hash_table_lookup_extended(known, added.name, NULL, &place)) {
            g_array_index(figures->codecs, HistoryCount, GPOINTER_TO_UINT(place)).count++;
            continue;
        }
        g_hash_table_insert(known, (char *)(uintptr_t)added.name,
                            GUINT_TO_POINTER(figures->codecs->len));
        g_array_append_val(figures->codecs, added);
    }
    g_array_sort(figures->codecs, figures_compare_counts);
}

static void count_registration(Figures *figures, const HistoryRegistration *registration)
{
    uint16_t status = registration->status;

    figures->registration_status[status]++;
    figures->queries += registration->query;
    figures->removals += !registration->query && registration->asked_s == 0;
    if (status == 0) {
        figures->unanswered++;
    } else if (status < 300) {
        figures->registered++;
    } else if (status == 401 || status == 407) {
        figures->unfinished++;
    } else {
        figures->refused++;
    }
}

/* Calls under way at a time: +1 and -1 in the order of time, ends first. */
typedef struct Step {
    int64_t at_ns;
    int change;
} Step;

static int compare_steps(const void *a, const void *b)
{
    const Step *one = a, *other = b;

    if (one->at_ns != other->at_ns) {
        return one->at_ns < other->at_ns ? -1 : 1;
    }
    return one->change - other->change;
}

static uint64_t peak_of(const HistoryData *data)
{
    g_autoptr(GArray) steps = g_array_sized_new(FALSE, FALSE, sizeof(Step), data->calls->len * 2);
    int64_t now = 0, peak = 0;

    for (guint i = 0; i < data->calls->len; i++) {
        const HistoryCall *call = call_at(data, i);
        Step up = {call->at_ns, 1}, down = {history_over_ns(call), -1};

        if (down.at_ns <= up.at_ns) {
            down.at_ns = up.at_ns + 1;
        }
        g_array_append_val(steps, up);
        g_array_append_val(steps, down);
    }
    g_array_sort(steps, compare_steps);
    for (guint i = 0; i < steps->len; i++) {
        now += g_array_index(steps, Step, i).change;
        peak = MAX(peak, now);
    }
    return (uint64_t)peak;
}

static bool talks_more(const Talker *one, const Talker *other)
{
    uint64_t a = one->made + one->taken, b = other->made + other->taken;

    return a != b ? a > b : one->user < other->user;
}

static void count_users(Figures *figures, const HistoryData *data)
{
    g_autofree Talker *talkers = g_new0(Talker, data->users->len);

    for (guint i = 0; i < data->calls->len; i++) {
        const HistoryCall *call = call_at(data, i);

        if (call->caller != HISTORY_NOBODY) {
            talkers[call->caller].made++;
        }
        if (call->callee != HISTORY_NOBODY) {
            talkers[call->callee].taken++;
        }
    }
    for (guint i = 0; i < data->users->len; i++) {
        Talker talker = talkers[i];
        unsigned at;

        talker.user = i;
        figures->users_registering += g_array_index(data->users, HistoryUser, i).registers;
        figures->users_calling += talker.made > 0;
        figures->users_called += talker.taken > 0;
        if (talker.made + talker.taken == 0 ||
            (figures->top_len == FIGURES_TOP &&
             !talks_more(&talker, &figures->top[FIGURES_TOP - 1]))) {
            continue;
        }
        at = figures->top_len < FIGURES_TOP ? figures->top_len++ : FIGURES_TOP - 1;
        while (at > 0 && talks_more(&talker, &figures->top[at - 1])) {
            figures->top[at] = figures->top[at - 1];
            at--;
        }
        figures->top[at] = talker;
    }
}

void figures_init(Figures *figures, const TraceCounts *counts, const HistoryData *data)
{
    *figures = (Figures){.media_first_ns = HISTORY_NEVER, .media_last_ns = HISTORY_NEVER};
    if (counts->packets > 0 && counts->last_ns > counts->first_ns) {
        figures->duration_s = (double)((uint64_t)counts->last_ns - (uint64_t)counts->first_ns) /
                              (double)PEAL_NS_PER_S;
    }
    for (guint i = 0; i < data->calls->len; i++) {
        count_call(figures, call_at(data, i));
    }
    for (guint i = 0; i < data->registrations->len; i++) {
        count_registration(figures, registration_at(data, i));
    }
    count_codecs(figures, data);
    count_users(figures, data);
    figures->peak = peak_of(data);
    figures->setup = spread_take(history_spans(data, HISTORY_SETUP_S));
    figures->answer = spread_take(history_spans(data, HISTORY_ANSWER_S));
    figures->ring = spread_take(history_spans(data, HISTORY_RING_S));
    figures->talk = spread_take(history_spans(data, HISTORY_TALK_S));
    figures->arrival = spread_take(history_spans(data, HISTORY_ARRIVAL_S));
    figures->interval = spread_take(history_spans(data, HISTORY_INTERVAL_S));
    figures->asked = spread_take(history_spans(data, HISTORY_ASKED_S));
    figures->granted = spread_take(history_spans(data, HISTORY_GRANTED_S));
    figures->media = spread_take(history_spans(data, HISTORY_MEDIA_S));
}

void figures_fini(Figures *figures)
{
    g_clear_pointer(&figures->codecs, g_array_unref);
}

char *figures_readable(const char *text)
{
    return g_utf8_make_valid(text, -1);
}

char *figures_instant(int64_t unix_ns)
{
    int64_t seconds = unix_ns / PEAL_NS_PER_S, ns = unix_ns % PEAL_NS_PER_S;
    g_autoptr(GDateTime) time = NULL;
    g_autofree char *day = NULL;

    if (ns < 0) {
        seconds--;
        ns += PEAL_NS_PER_S;
    }
    time = g_date_time_new_from_unix_utc(seconds);
    if (time == NULL) {
        return g_strdup_printf("%" G_GINT64_FORMAT " s since 1970", seconds);
    }
    day = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%06dZ", day, (int)(ns / PEAL_NS_PER_US));
}
