/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rtt.c - RFC 6298's two filters with their gains of 1/8 and 1/4 as shifts.
 */
#include "base/rtt.h"

enum { BACKOFF_DOUBLINGS_MAX = 16 };

void rtt_sample(Rtt *rtt, PealSpan sample)
{
    int64_t ns = sample.ns < 0 ? 0 : sample.ns > RTT_SAMPLE_MAX ? RTT_SAMPLE_MAX : sample.ns;
    uint32_t us = (uint32_t)(ns / PEAL_NS_PER_US);
    uint32_t smoothed_us = rtt->smoothed_us8 >> 3;
    uint32_t error_us = us > smoothed_us ? us - smoothed_us : smoothed_us - us;

    if (rtt->smoothed_us8 == 0) {
        /*
         * (2.2): SRTT = R, RTTVAR = R/2. At least 1 us, since zero says that nothing was measured.
         */
        us = us > 0 ? us : 1;
        rtt->smoothed_us8 = us << 3;
        rtt->variation_us4 = us << 1;
        return;
    }
    /* (2.3): RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, then SRTT = 7/8 SRTT + 1/8 R */
    rtt->variation_us4 += error_us - (rtt->variation_us4 >> 2);
    rtt->smoothed_us8 += us - smoothed_us;
    if (rtt->smoothed_us8 < 8) {
        rtt->smoothed_us8 = 8;
    }
}

PealSpan rtt_timeout(const Rtt *rtt, PealSpan initial, PealSpan floor)
{
    int64_t variation_ns = (int64_t)rtt->variation_us4 * PEAL_NS_PER_US; /* 4 RTTVAR */
    int64_t timeout_ns = ((int64_t)rtt->smoothed_us8 * PEAL_NS_PER_US) >> 3;

    if (rtt->smoothed_us8 == 0) {
        return initial;
    }
    timeout_ns += variation_ns > PEAL_NS_PER_MS ? variation_ns : PEAL_NS_PER_MS;
    timeout_ns = (timeout_ns + PEAL_NS_PER_MS - 1) / PEAL_NS_PER_MS * PEAL_NS_PER_MS;
    return (PealSpan){timeout_ns > floor.ns ? timeout_ns : floor.ns};
}

PealSpan rtt_backoff(PealSpan timeout, unsigned sends)
{
    unsigned doublings = sends > 0 ? sends - 1 : 0;

    if (doublings > BACKOFF_DOUBLINGS_MAX) {
        doublings = BACKOFF_DOUBLINGS_MAX;
    }
    return (PealSpan){timeout.ns << doublings};
}
