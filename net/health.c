/* SPDX-License-Identifier: GPL-3.0-or-later */
/* health.c - rounds of puts and gets. */
#include "health.h"

#include <peal/registration.h>
#include <peal_openssl/crypto.h>
#include <stdio.h>

#include "log.h"

#define HEALTH_TICK peal_seconds(1)
#define HEALTH_TICK_JOINING peal_ms(100)
#define HEALTH_PING_BOUND peal_seconds(5)
enum { HEALTH_NAMES_MAX = 256 }; /* tried for one that a certain peer answers for */

typedef enum HealthPlace { HEALTH_SUCCESSOR, HEALTH_PREDECESSOR, HEALTH_ELSEWHERE } HealthPlace;

typedef struct HealthProbe {
    Health *health;
    PealId resource;
} HealthProbe;

/* One neighbour's sign of life. */
typedef struct HealthPing {
    PealTime sent_at;
    bool out;
} HealthPing;

struct Health {
    Node *node;
    Loop *loop;
    LoopTimer timer;
    PealTime next;       /* round */
    PealTime bound;      /* of the round at work */
    PealTime company_at; /* when there was a neighbour last; PEAL_TIME_NEVER: never */
    unsigned out;        /* probes that have not ended; 0: no round is at work */
    uint64_t leaves;     /* said to this node while it had neighbours */
    bool joined;
    bool alone;
    bool left_alone; /* alone, and its last neighbours had said that they leave */
    bool told_ok;    /* what the log said last */
    bool told;
    uint64_t number; /* of the next name */
    HealthProbe probes[HEALTH_PROBES];
    HealthPing pings[2];                 /* of the successor, and the predecessor */
    HealthRound round;                   /* at work */
    HealthRound history[HEALTH_HISTORY]; /* a ring */
    size_t rounds;                       /* ended */
};

/* What is healthy. */

static bool health_cut_off(const Health *health)
{
    const NodeConfig *config = node_config(health->node);

    if (!health->alone || health->left_alone) {
        return false;
    }
    return !config->first ||
           (health->company_at.ns != PEAL_TIME_NEVER.ns &&
            peal_time_since(loop_now(health->loop), health->company_at).ns < HEALTH_COMPANY.ns);
}

static const HealthRound *health_last(const Health *health)
{
    return health->rounds == 0 ? NULL : &health->history[(health->rounds - 1) % HEALTH_HISTORY];
}

static const char *health_why_not(const Health *health)
{
    const HealthRound *last = health_last(health);

    if (!health->joined) {
        return "it has not joined the overlay";
    }
    if (health_cut_off(health)) {
        return "it is cut off: no other peer of the overlay is linked to it";
    }
    if (last == NULL) {
        return "no put and get has ended yet";
    }
    return last->ok ? NULL : last->failed;
}

bool health_ok(const Health *health, const char **ret_why)
{
    const char *why = health_why_not(health);

    *ret_why = why;
    return why == NULL;
}

size_t health_rounds(const Health *health, HealthRound *ret_rounds, size_t max)
{
    size_t len = MIN(MIN(health->rounds, (size_t)HEALTH_HISTORY), max);

    for (size_t i = 0; i < len; i++) {
        ret_rounds[i] = health->history[(health->rounds - 1 - i) % HEALTH_HISTORY];
    }
    return len;
}

static void health_tell(Health *health)
{
    const char *why;
    bool ok = health_ok(health, &why);

    if (health->told && health->told_ok == ok) {
        return;
    }
    if (ok) {
        log_notice("healthy: puts and gets through the overlay work");
    } else if (health->told) {
        log_warning("not healthy: %s", why);
    }
    health->told = true;
    health->told_ok = ok;
}

/* A round. */

static void health_end_round(Health *health)
{
    PealTime now = loop_now(health->loop);

    for (size_t i = 0; i < HEALTH_PROBES; i++) {
        node_forget(health->node, &health->probes[i]);
    }
    health->out = 0;
    health->round.ok = health->round.failed == NULL;
    health->history[health->rounds++ % HEALTH_HISTORY] = health->round;
    if (!health->round.ok) {
        health->next = peal_time_add(now, HEALTH_AGAIN);
    }
    log_debug("health: %s", health->round.ok ? "put and get work" : health->round.failed);
}

static void health_end_probe(HealthProbe *probe, const char *failed, int status)
{
    Health *health = probe->health;

    if (failed != NULL && health->round.failed == NULL) {
        health->round.failed = failed;
        health->round.status = status;
    }
    health->out--;
}

static void health_settle(Health *health)
{
    if (health->out == 0) {
        health_end_round(health);
        health_tell(health);
    }
}

static void health_on_got(void *user, const NodeOutcome *outcome)
{
    HealthProbe *probe = user;
    Health *health = probe->health;

    if (outcome->status != 0) {
        health_end_probe(probe, "a get through the overlay failed", outcome->status);
    } else if (outcome->values == 0) {
        health_end_probe(probe, "a get did not find what was just put", -PEAL_E_NOT_FOUND);
    } else {
        health->round.get.ns = MAX(health->round.get.ns, outcome->took.ns);
        health_end_probe(probe, NULL, 0);
    }
    health_settle(health);
}

static void health_on_put(void *user, const NodeOutcome *outcome)
{
    HealthProbe *probe = user;
    Health *health = probe->health;
    int error = outcome->status;

    if (error == 0) {
        health->round.put.ns = MAX(health->round.put.ns, outcome->took.ns);
        error = node_fetch(health->node, &probe->resource, PEAL_KIND_SIP_REGISTRATION,
                           health_on_got, probe);
        if (error == 0) {
            return;
        }
    }
    health_end_probe(probe, "a put through the overlay failed", error);
    health_settle(health);
}

/* Another name of this node's own, and its Resource-ID. */
static PealId health_name(Health *health, const NodeStatus *status)
{
    const char *domain = node_config(health->node)->overlay->overlay_name;
    const PealCryptoOps *crypto = peal_openssl_crypto();
    PealId resource = {{0}};
    char aor[PEAL_AOR_MAX];
    uint64_t number = health->number++;

    snprintf(aor, sizeof(aor), "sip:health-%s-%" G_GUINT64_FORMAT "@%s", status->id, number,
             domain);
    if (peal_aor_resource(crypto, (PealStr){aor, strlen(aor)}, &resource) != 0) {
        snprintf(aor, sizeof(aor), "sip:health-%s-%" G_GUINT64_FORMAT "@health.invalid", status->id,
                 number); /* the overlay's name is no host's */
        PEAL_ASSERT(peal_aor_resource(crypto, (PealStr){aor, strlen(aor)}, &resource) == 0);
    }
    return resource;
}

static bool health_lies(const NodeStatus *status, const PealId *self, HealthPlace place,
                        const PealId *resource)
{
    const PealId *before = status->predecessors;

    switch (place) {
    case HEALTH_SUCCESSOR:
        return status->successors_len == 0 ||
               peal_id_in_open_closed(resource, self, &status->successors[0]);
    case HEALTH_PREDECESSOR:
        return status->predecessors_len == 0 ||
               peal_id_in_open_closed(resource, status->predecessors_len > 1 ? &before[1] : self,
                                      &before[0]);
    case HEALTH_ELSEWHERE:
        break;
    }
    return status->predecessors_len == 0 || !peal_id_in_open_closed(resource, &before[0], self);
}

static PealId health_choose(Health *health, const NodeStatus *status, HealthPlace place)
{
    PealId resource = health_name(health, status);
    PealId self;

    /* In a large overlay a neighbour's range is too small to be hit: then it is anywhere. */
    if (peal_id_parse((PealStr){status->id, strlen(status->id)}, &self) == 0) {
        for (unsigned i = 1; i < HEALTH_NAMES_MAX && !health_lies(status, &self, place, &resource);
             i++) {
            resource = health_name(health, status);
        }
    }
    return resource;
}

static int health_put(Health *health, const NodeStatus *status, HealthProbe *probe)
{
    uint8_t value[PEAL_REGISTRATION_LEN];
    PealId self = {{0}};
    PealStoreItem item = {.resource = probe->resource,
                          .kind = PEAL_KIND_SIP_REGISTRATION,
                          .key = {self.bytes, PEAL_ID_LEN},
                          .value = {value, sizeof(value)},
                          .lifetime_s = HEALTH_LIFETIME_S,
                          .exists = true};
    int error = peal_id_parse((PealStr){status->id, strlen(status->id)}, &self);

    if (error != 0) {
        return error;
    }
    peal_registration_value(&self, value);
    return node_store(health->node, &item, health_on_put, probe);
}

static void health_begin_round(Health *health, const NodeStatus *status)
{
    PealTime now = loop_now(health->loop);

    health->next = peal_time_add(now, HEALTH_INTERVAL);
    health->bound = peal_time_add(now, HEALTH_BOUND);
    health->round = (HealthRound){.unix_ms = g_get_real_time() / 1000};
    health->out = HEALTH_PROBES;
    for (size_t i = 0; i < HEALTH_PROBES; i++) {
        HealthProbe *probe = &health->probes[i];
        int error;

        probe->resource = health_choose(health, status, (HealthPlace)i);
        error = health_put(health, status, probe);
        if (error != 0) {
            health_end_probe(probe, "a put through the overlay could not be sent", error);
        }
    }
    health_settle(health);
}

/* Neighbours. */

static void health_on_pong(void *user, const NodeOutcome *outcome)
{
    HealthPing *ping = user;

    (void)outcome; /* silence is for the link to act upon */
    ping->out = false;
}

static void health_ping(Health *health, HealthPing *ping, const PealId *neighbour)
{
    PealTime now = loop_now(health->loop);
    int64_t ago_ns = peal_time_since(now, ping->sent_at).ns;

    if (ago_ns < HEALTH_PING.ns || (ping->out && ago_ns < HEALTH_PING_BOUND.ns)) {
        return;
    }
    node_forget(health->node, ping);
    ping->sent_at = now;
    ping->out = node_ping(health->node, neighbour, false, health_on_pong, ping) == 0;
}

static void health_ping_neighbours(Health *health, const NodeStatus *status)
{
    if (health->joined && status->successors_len > 0) {
        health_ping(health, &health->pings[0], &status->successors[0]);
    }
    if (health->joined && status->predecessors_len > 0) {
        health_ping(health, &health->pings[1], &status->predecessors[0]);
    }
}

static void health_look_around(Health *health, const NodeStatus *status)
{
    bool alone = status->successors_len == 0 && status->predecessors_len == 0;

    if (alone && !health->alone) {
        health->left_alone = status->leaves > health->leaves;
    }
    if (!alone) {
        health->leaves = status->leaves;
        health->company_at = loop_now(health->loop);
    }
    health->alone = alone;
}

/* Life. */

static void health_on_tick(void *user)
{
    Health *health = user;
    PealTime now = loop_now(health->loop);
    NodeStatus status;

    node_status(health->node, &status);
    health->joined = status.state == PEAL_PEER_JOINED && !status.leaving;
    health_look_around(health, &status);
    health_ping_neighbours(health, &status);
    if (health->out > 0 && peal_time_due(health->bound, now)) {
        if (health->round.failed == NULL) {
            health->round.failed = "a put and get through the overlay got no answer in time";
            health->round.status = -PEAL_E_TIMEOUT;
        }
        health_end_round(health);
    }
    if (health->out == 0 && health->joined && peal_time_due(health->next, now)) {
        health_begin_round(health, &status);
    }
    health_tell(health);
    loop_timer_set(health->loop, &health->timer,
                   peal_time_add(now, health->joined ? HEALTH_TICK : HEALTH_TICK_JOINING));
}

Health *health_new(Node *node)
{
    Health *health = g_new0(Health, 1);

    health->node = node;
    health->loop = node_loop(node);
    health->company_at = PEAL_TIME_NEVER;
    health->number = g_random_int(); /* other names than before a restart */
    health->timer = (LoopTimer){.due = health_on_tick, .user = health};
    for (size_t i = 0; i < HEALTH_PROBES; i++) {
        health->probes[i].health = health;
    }
    loop_timer_set(health->loop, &health->timer,
                   peal_time_add(loop_now(health->loop), HEALTH_TICK_JOINING));
    return health;
}

void health_free(Health *health)
{
    if (health == NULL) {
        return;
    }
    for (size_t i = 0; i < HEALTH_PROBES; i++) {
        node_forget(health->node, &health->probes[i]);
    }
    node_forget(health->node, &health->pings[0]);
    node_forget(health->node, &health->pings[1]);
    loop_timer_unset(health->loop, &health->timer);
    g_free(health);
}
