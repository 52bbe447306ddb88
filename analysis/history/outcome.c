/* SPDX-License-Identifier: GPL-3.0-or-later */
/* outcome.c - how calls end, by name; see history.h. */
#include <analysis/history.h>

const char *history_outcome_name(HistoryOutcome outcome)
{
    static const char *const names[] = {[HISTORY_ANSWERED] = "answered",
                                        [HISTORY_CANCELLED] = "cancelled",
                                        [HISTORY_REFUSED] = "refused",
                                        [HISTORY_UNANSWERED] = "unanswered"};

    return names[outcome];
}
