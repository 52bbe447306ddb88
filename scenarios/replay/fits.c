/* SPDX-License-Identifier: GPL-3.0-or-later */
/* fits.c - the spans of a recorded workload, and their fits. See <scenarios/replay_fit.h>. */
#include <scenarios/replay_fit.h>

const char *replay_spans_name(ReplaySpans which)
{
    static const char *const NAMES[REPLAY_SPANS] = {"interarrival", "holding", "registration"};

    return NAMES[which];
}

static void add_span(GArray *spans, int64_t ns)
{
    double seconds = (double)ns / PEAL_NS_PER_S;

    g_array_append_val(spans, seconds);
}

static void add_interarrivals(const Replay *replay, GArray *spans)
{
    for (guint i = 1; i < replay->calls->len; i++) {
        add_span(spans, replay_call(replay, i)->at.ns - replay_call(replay, i - 1)->at.ns);
    }
}

static void add_holdings(const Replay *replay, GArray *spans)
{
    for (guint i = 0; i < replay->calls->len; i++) {
        const ReplayCall *call = replay_call(replay, i);

        if (call->outcome == HISTORY_ANSWERED && call->talk.ns >= 0) {
            add_span(spans, call->talk.ns);
        }
    }
}

static void add_registrations(const Replay *replay, GArray *spans)
{
    g_autofree int64_t *last_ns = g_new(int64_t, MAX(replay->users->len, 1));

    for (guint i = 0; i < replay->users->len; i++) {
        last_ns[i] = REPLAY_NEVER.ns;
    }
    for (guint i = 0; i < replay->registrations->len; i++) {
        const ReplayRegistration *registration = replay_registration(replay, i);
        int64_t *last = &last_ns[registration->user];

        if (*last >= 0 && registration->expires_s > 0) {
            add_span(spans, registration->at.ns - *last);
        }
        *last = registration->expires_s > 0 ? registration->at.ns : REPLAY_NEVER.ns;
    }
}

GArray *replay_spans(const Replay *replay, ReplaySpans which)
{
    GArray *spans = g_array_new(FALSE, FALSE, sizeof(double));

    switch (which) {
    case REPLAY_INTERARRIVAL:
        add_interarrivals(replay, spans);
        break;
    case REPLAY_HOLDING:
        add_holdings(replay, spans);
        break;
    case REPLAY_REGISTRATION:
        add_registrations(replay, spans);
        break;
    case REPLAY_SPANS:
        break;
    }
    return spans;
}

static Fit fit_of(const Replay *replay, ReplaySpans which)
{
    g_autoptr(GArray) spans = replay_spans(replay, which);

    return fit_spans((const double *)(const void *)spans->data, spans->len);
}

ReplayFits replay_fits(const Replay *replay)
{
    return (ReplayFits){.interarrival = fit_of(replay, REPLAY_INTERARRIVAL),
                        .holding = fit_of(replay, REPLAY_HOLDING),
                        .registration = fit_of(replay, REPLAY_REGISTRATION)};
}
