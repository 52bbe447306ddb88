/* SPDX-License-Identifier: GPL-3.0-or-later */
/* testbed_ring.c - a ring from its members' statuses. */
#include "testbed_ring.h"

#include <string.h>

struct TestbedRing {
    json_t **statuses; /* of peer k at k - 1; NULL: it says nothing */
    unsigned peers;
};

TestbedRing *testbed_ring_new(unsigned peers)
{
    TestbedRing *ring = g_new0(TestbedRing, 1);

    ring->statuses = g_new0(json_t *, peers);
    ring->peers = peers;
    return ring;
}

void testbed_ring_free(TestbedRing *ring)
{
    for (unsigned i = 0; i < ring->peers; i++) {
        json_decref(ring->statuses[i]);
    }
    g_free(ring->statuses);
    g_free(ring);
}

void testbed_ring_take(TestbedRing *ring, unsigned peer, json_t *status)
{
    json_decref(ring->statuses[peer - 1]);
    ring->statuses[peer - 1] = status;
}

static bool ring_is_healthy(const TestbedRing *ring, unsigned peer)
{
    return json_is_true(json_object_get(ring->statuses[peer - 1], "healthy"));
}

static const char *ring_id(const TestbedRing *ring, unsigned peer)
{
    return json_string_value(json_object_get(ring->statuses[peer - 1], "node_id"));
}

unsigned testbed_ring_healthy(const TestbedRing *ring)
{
    unsigned healthy = 0;

    for (unsigned peer = 1; peer <= ring->peers; peer++) {
        healthy += ring_is_healthy(ring, peer);
    }
    return healthy;
}

/* The next Node-ID clockwise of a peer's, by its text, which sorts as the number does. */
static const char *ring_next(const TestbedRing *ring, const char *id)
{
    const char *next = NULL;
    const char *least = id;

    for (unsigned peer = 1; peer <= ring->peers; peer++) {
        const char *other = ring_id(ring, peer);

        if (other == NULL) {
            continue;
        }
        least = strcmp(other, least) < 0 ? other : least;
        if (strcmp(other, id) > 0 && (next == NULL || strcmp(other, next) < 0)) {
            next = other;
        }
    }
    return next != NULL ? next : least;
}

static bool ring_is_placed(const TestbedRing *ring, unsigned peer)
{
    const char *id = ring_id(ring, peer);
    const json_t *successors = json_object_get(ring->statuses[peer - 1], "successors");
    const char *successor = json_string_value(json_array_get(successors, 0));

    if (ring->peers == 1) {
        return true; /* it may be the first of more */
    }
    return id != NULL && successor != NULL && strcmp(successor, ring_next(ring, id)) == 0;
}

unsigned testbed_ring_first_bad(const TestbedRing *ring)
{
    unsigned peer = 1;

    while (peer < ring->peers && ring_is_healthy(ring, peer) && ring_is_placed(ring, peer)) {
        peer++;
    }
    return peer;
}

bool testbed_ring_whole(const TestbedRing *ring)
{
    unsigned last = testbed_ring_first_bad(ring);

    return last == ring->peers && ring_is_healthy(ring, last) && ring_is_placed(ring, last);
}

char *testbed_ring_why(const TestbedRing *ring, unsigned peer)
{
    const json_t *status = ring->statuses[peer - 1];
    const char *why = json_string_value(json_object_get(json_object_get(status, "health"), "why"));

    if (status == NULL) {
        return g_strdup("does not answer at its control socket");
    }
    if (!ring_is_healthy(ring, peer)) {
        return g_strdup_printf("is not healthy: %s", why != NULL ? why : "it does not say why");
    }
    return g_strdup("has joined, but another overlay, or its successor is not the next peer");
}
