/*
 * traffic.h - telephone traffic with known distributions, as a capture of its SIP: phones that
 *             register at a proxy and call each other, all at the proxy's side.
 * Source: RFC 3261 for the flow; GSL draws.   State: some ten MB for ten thousand calls.
 * Time:   the first registration is at TRAFFIC_EPOCH_S.
 */
#ifndef TESTS_TRAFFIC_H
#define TESTS_TRAFFIC_H

#include <glib.h>
#include <stdint.h>

#define TRAFFIC_EPOCH_S INT64_C(1767225600) /* 2026-01-01 */

typedef struct Traffic {
    unsigned long seed;
    uint32_t users;
    uint32_t calls;
    double shape; /* of the Weibull between calls, */
    double scale_s;
    double median_s; /* of the log-normal from answer to BYE, */
    double sigma;
    double refresh_s;   /* the mean of the exponential between a user's registrations, */
    uint32_t refreshes; /* of which each user makes so many */
    double ring_s;      /* of all calls */
} Traffic;

/* What its test and its program generate, but for the seed. */
#define TRAFFIC_KNOWN                                                                        \
    .users = 200, .calls = 8000, .shape = 0.7, .scale_s = 0.8, .median_s = 60, .sigma = 1.2, \
    .refresh_s = 100, .refreshes = 40, .ring_s = 4

/* traffic_write makes a capture of it; every call is answered and ended by its caller. */
void traffic_write(const Traffic *traffic, const char *path);

#endif
