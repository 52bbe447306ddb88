/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * health.h - is this node of use? It is when a put and a get through the overlay just worked.
 * Source: none.
 * State:  one per node: a round of probes, and the last HEALTH_HISTORY rounds.
 * Time:   a round every HEALTH_INTERVAL, at most HEALTH_BOUND long, looked after once a second:
 *         what stops working shows within HEALTH_RED_S. After a bad round the next comes
 *         HEALTH_AGAIN later.
 *
 * Its nearest neighbours are pinged every HEALTH_PING too. Links notice that the other side is gone
 * only when they carry something: so whoever fails is missed by both neighbours within seconds, and
 * what was stored there is found at a replica.
 *
 * A round stores a registration under a name of the node's own and fetches it back, three times:
 * where its successor answers for it, where its predecessor does, and anywhere else; with no
 * neighbours, here. The values end after HEALTH_LIFETIME_S. A node is healthy when it has joined,
 * all of its last round worked, and it is not cut off: alone after neighbours that did not say
 * goodbye. One that founded the overlay gets over that after HEALTH_COMPANY.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include "node.h"

#define HEALTH_INTERVAL peal_seconds(10)
#define HEALTH_BOUND peal_seconds(12)
#define HEALTH_AGAIN peal_seconds(2)
#define HEALTH_COMPANY peal_seconds(600)
#define HEALTH_PING peal_seconds(2)
enum { HEALTH_RED_S = 30, HEALTH_LIFETIME_S = 20, HEALTH_PROBES = 3, HEALTH_HISTORY = 32 };

/* One round. */
typedef struct HealthRound {
    int64_t unix_ms; /* when it began */
    bool ok;
    PealSpan put; /* the slowest of its probes that worked; 0 when none did */
    PealSpan get;
    const char *failed; /* static: what failed, or NULL */
    int status;         /* with what: -PEAL_E_* */
} HealthRound;

typedef struct Health Health;

/* health_new starts to look. The node is borrowed for the life of what is made. */
Health *health_new(Node *node);
void health_free(Health *health);

/* health_ok tells whether the node is healthy, and if not, why: a static text. */
bool health_ok(const Health *health, const char **ret_why);

/* health_rounds copies the last rounds, the latest first, and returns how many, at most max. */
size_t health_rounds(const Health *health, HealthRound *ret_rounds, size_t max);

#endif
