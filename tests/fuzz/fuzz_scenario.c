/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fuzz_scenario.c - a scenario, a matrix or coordinates are taken, or refused with a reason.
 * The first byte says which of them the rest is; a trace of churn is another.
 */
#include <scenarios/network.h>
#include <scenarios/plan.h>
#include <scenarios/scenario.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz/fuzz.h"

enum { POINTS_MAX = 4, PEERS = 3, HEADER_MAX = 200 };

/* A scenario that loads can be taken apart and described. */
static void fuzz_text(const char *text, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = scenario_load_text("fuzz.conf", text, size, NULL, &error);

    g_assert((scenario == NULL) == (error != NULL));
    for (guint i = 0; scenario != NULL && i < MIN(scenario->points, POINTS_MAX); i++) {
        g_autoptr(GError) point_error = NULL;
        g_autoptr(Scenario) point = scenario_point(scenario, i, &point_error);

        g_assert(point != NULL);
        g_assert_cmpuint(point->points, ==, 1);
        g_assert_cmpuint(scenario_identities(point), >=, point->peers);
        for (guint j = 0; j < point->events_len; j++) {
            g_autofree char *event = scenario_event_text(&point->events[j]);

            g_assert_nonnull(event);
            g_assert_cmpuint(scenario_event_peers(&point->events[j], PEERS), <=, PEERS);
        }
    }
}

/* The network is built from a file that exists only in memory. */
static void fuzz_network(const char *model, const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", 0);
    char text[HEADER_MAX];
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = NULL;
    g_autoptr(Network) network = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    g_snprintf(text, sizeof(text),
               "[scenario]\nduration = 1s\nwarmup = 0s\n[overlay]\npeers = %d\n[network]\nlatency "
               "= %s:/proc/self/fd/%d\nhosts = shared\n",
               PEERS, model, fd);
    scenario = scenario_load_text("fuzz.conf", text, strlen(text), NULL, &error);
    if (scenario != NULL) {
        network = network_new(scenario, 1, PEERS, &error);
    }
    g_assert((network == NULL) == (error != NULL));
    for (uint32_t i = 0; network != NULL && i < PEERS * PEERS; i++) {
        PealSpan one_way = network_one_way(network, i / PEERS, i % PEERS);

        g_assert_cmpint(one_way.ns, >=, network_min_one_way(network).ns);
    }
    close(fd);
}

/* A trace of churn, likewise; its plan is gone through to the end. */
static void fuzz_trace(const uint8_t *data, size_t size)
{
    int fd = memfd_create("fuzz", 0);
    char text[HEADER_MAX];
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = NULL;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, data, size), ==, (ssize_t)size);
    g_snprintf(text, sizeof(text),
               "[scenario]\nduration = 1min\nwarmup = 0s\n[overlay]\npeers = %d\n[churn]\n"
               "session = trace:/proc/self/fd/%d\n",
               PEERS, fd);
    scenario = scenario_load_text("fuzz.conf", text, strlen(text), NULL, &error);
    g_assert((scenario == NULL) == (error != NULL));
    if (scenario != NULL) {
        g_autoptr(Plan) plan = plan_new(scenario, 1);
        PlanAction action;

        while (plan_next(plan, PEAL_TIME_NEVER, &action)) {
            g_assert_cmpuint(action.peer, <, PEERS);
        }
    }
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    switch (fuzz_take_u8(&data, &size)) {
    case 'm':
        fuzz_network("matrix", data, size);
        break;
    case 'c':
        fuzz_network("coordinates", data, size);
        break;
    case 't':
        fuzz_trace(data, size);
        break;
    default: {
        g_autofree char *text = g_strndup((const char *)data, size);

        fuzz_text(text, size);
        break;
    }
    }
    return 0;
}
