/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * testbed_ring.h - are these peers one overlay? By what they say about themselves.
 * Source: RFC 6940 s.10.1: each peer's successor is the next Node-ID clockwise.
 * State:  one status per peer.   Time: as old as the statuses.
 */
#ifndef TESTBED_RING_H
#define TESTBED_RING_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

typedef struct TestbedRing TestbedRing;

TestbedRing *testbed_ring_new(unsigned peers);
void testbed_ring_free(TestbedRing *ring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TestbedRing, testbed_ring_free)

/* testbed_ring_take takes the status of a peer (1..peers), or NULL when it says nothing. */
void testbed_ring_take(TestbedRing *ring, unsigned peer, json_t *status);

/* How many are healthy; and whether all are, and each one's first successor is the right one. */
unsigned testbed_ring_healthy(const TestbedRing *ring);
bool testbed_ring_whole(const TestbedRing *ring);

/* The first peer that is not as it should be, and how it is: "says nothing", "is not healthy: ..."
 * or "has another successor than it should"; text to g_free. */
unsigned testbed_ring_first_bad(const TestbedRing *ring);
char *testbed_ring_why(const TestbedRing *ring, unsigned peer);

#endif
