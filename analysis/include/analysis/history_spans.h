/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * history_spans.h - the spans of time in a history, for quantiles, fits and plots.
 * Source: none.   State: none.   Time: spans are seconds.
 */
#ifndef ANALYSIS_HISTORY_SPANS_H
#define ANALYSIS_HISTORY_SPANS_H

#include <analysis/history.h>

typedef enum HistorySpan {
    HISTORY_SETUP_S,    /* INVITE to the first 101..199 at the caller's end, where nothing rang to
                           the 2xx; of answered calls */
    HISTORY_ANSWER_S,   /* INVITE to 2xx, of answered calls */
    HISTORY_RING_S,     /* the first 101..199 to the 2xx, of answered calls that rang */
    HISTORY_TALK_S,     /* 2xx to BYE, of answered calls whose BYE was seen */
    HISTORY_ARRIVAL_S,  /* between the first INVITEs of two calls, one after the other */
    HISTORY_INTERVAL_S, /* between two registrations of a user, one after the other, where neither
                           was refused, only asked, or took the binding away */
    HISTORY_ASKED_S,    /* expiries asked for, over 0 */
    HISTORY_GRANTED_S,  /* expiries granted by 2xx, over 0 */
    HISTORY_MEDIA_S     /* from a call's first datagram of media to its last */
} HistorySpan;

/* history_spans gives all of them, in the order of time (of the user, for intervals): doubles, to
 * g_array_unref. */
GArray *history_spans(const HistoryData *data, HistorySpan which);

/* history_over_ns is when nothing more of a call was under way: its BYE; its final response where
 * that was no 2xx; else its last message or datagram. */
int64_t history_over_ns(const HistoryCall *call);

/* history_talk_s is how long an answered call was talked, to history_over_ns. */
double history_talk_s(const HistoryCall *call);

#endif
