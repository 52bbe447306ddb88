/* SPDX-License-Identifier: GPL-3.0-or-later */
/* spans.c - see history_spans.h. */
#include <analysis/history_spans.h>

#include <peal/base.h>

static void add_span(GArray *spans, int64_t from_ns, int64_t to_ns)
{
    if (from_ns != HISTORY_NEVER && to_ns != HISTORY_NEVER && to_ns >= from_ns) {
        double span = (double)(to_ns - from_ns) / (double)PEAL_NS_PER_S;

        g_array_append_val(spans, span);
    }
}

int64_t history_over_ns(const HistoryCall *call)
{
    if (call->end_ns != HISTORY_NEVER) {
        return call->end_ns;
    }
    if (call->outcome != HISTORY_ANSWERED && call->final_ns != HISTORY_NEVER) {
        return call->final_ns;
    }
    return MAX(call->last_ns, call->media_last_ns);
}

double history_talk_s(const HistoryCall *call)
{
    int64_t over_ns = history_over_ns(call);

    return over_ns > call->final_ns ? (double)(over_ns - call->final_ns) / (double)PEAL_NS_PER_S
                                    : 0;
}

static void add_of_call(GArray *spans, const HistoryCall *call, HistorySpan which)
{
    if (call->outcome != HISTORY_ANSWERED) {
        return;
    }
    switch (which) {
    case HISTORY_SETUP_S:
        add_span(spans, call->at_ns,
                 call->ringing_ns != HISTORY_NEVER ? call->ringing_ns : call->final_ns);
        break;
    case HISTORY_ANSWER_S:
        add_span(spans, call->at_ns, call->final_ns);
        break;
    case HISTORY_RING_S:
        add_span(spans, call->ringing_ns, call->final_ns);
        break;
    default:
        add_span(spans, call->final_ns, call->end_ns);
    }
}

static void add_expiry(GArray *spans, const HistoryRegistration *registration, HistorySpan which)
{
    bool granted = registration->status >= 200 && registration->status < 300;
    double span = registration->expires_s;

    if (which == HISTORY_ASKED_S) {
        span = registration->asked_s == HISTORY_UNSAID ? 0 : registration->asked_s;
    } else if (!granted) {
        return;
    }
    if (span > 0 && !registration->query) {
        g_array_append_val(spans, span);
    }
}

static bool keeps(const HistoryRegistration *registration)
{
    return registration->status < 300 && !registration->query && registration->expires_s > 0;
}

static void add_intervals(GArray *spans, const HistoryData *data)
{
    g_autofree int64_t *before = g_new(int64_t, data->users->len);

    for (guint i = 0; i < data->users->len; i++) {
        before[i] = HISTORY_NEVER;
    }
    for (guint i = 0; i < data->registrations->len; i++) {
        const HistoryRegistration *registration =
            &g_array_index(data->registrations, HistoryRegistration, i);

        if (registration->user == HISTORY_NOBODY) {
            continue;
        }
        if (keeps(registration)) {
            add_span(spans, before[registration->user], registration->at_ns);
            before[registration->user] = registration->at_ns;
        } else if (registration->status < 300 && !registration->query) {
            before[registration->user] = HISTORY_NEVER; /* it went */
        }
    }
}

GArray *history_spans(const HistoryData *data, HistorySpan which)
{
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(double));

    if (which == HISTORY_INTERVAL_S) {
        add_intervals(spans, data);
        return spans;
    }
    if (which == HISTORY_ASKED_S || which == HISTORY_GRANTED_S) {
        for (guint i = 0; i < data->registrations->len; i++) {
            add_expiry(spans, &g_array_index(data->registrations, HistoryRegistration, i), which);
        }
        return spans;
    }
    for (guint i = 0; i < data->calls->len; i++) {
        const HistoryCall *call = &g_array_index(data->calls, HistoryCall, i);

        if (which == HISTORY_MEDIA_S) {
            add_span(spans, call->media_first_ns, call->media_last_ns);
        } else if (which != HISTORY_ARRIVAL_S) {
            add_of_call(spans, call, which);
        } else if (i > 0) {
            add_span(spans, call[-1].at_ns, call->at_ns);
        }
    }
    return spans;
}
