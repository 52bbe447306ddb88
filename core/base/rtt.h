/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rtt.h - round-trip estimation and the retransmission timer of one link.
 * Source: RFC 6298 s.2, with RFC 6940 s.6.6.3.1: rounded up to the millisecond, not to the second.
 * State:  8 bytes per link; all zero means that nothing has been measured.
 * Time:   integer arithmetic in eighths and quarters of a microsecond.
 */
#ifndef BASE_RTT_H
#define BASE_RTT_H

#include <peal/base.h>

#define RTT_SAMPLE_MAX (INT64_C(60) * PEAL_NS_PER_S) /* a longer one counts as this */

typedef struct Rtt {
    uint32_t smoothed_us8;  /* SRTT in 1/8 us */
    uint32_t variation_us4; /* RTTVAR in 1/4 us */
} Rtt;

/* rtt_sample takes one measurement; a negative one counts as 0. */
void rtt_sample(Rtt *rtt, PealSpan sample);

/*
 * rtt_timeout is the retransmission timer: SRTT + max(1 ms, 4 RTTVAR), rounded up to a millisecond.
 * initial  returned while nothing has been measured
 * floor    the estimate is never below it
 */
PealSpan rtt_timeout(const Rtt *rtt, PealSpan initial, PealSpan floor);

/*
 * rtt_backoff is the wait after transmission number `sends` (1 for the first): the timer doubled
 * sends - 1 times.
 */
PealSpan rtt_backoff(PealSpan timeout, unsigned sends);

#endif
