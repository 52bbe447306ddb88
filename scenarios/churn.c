/* SPDX-License-Identifier: GPL-3.0-or-later */
/* churn.c - what the keys of [churn] say together, and against events. See churn.h. */
#include "churn.h"

#include <math.h>
#include <scenarios/keys.h>
#include <scenarios/settings.h>

#include "check.h"

enum { TRACE_BYTES_MAX = 1 << 30 };

static bool read_trace(Scenario *scenario, GError **error)
{
    ScenarioChurn *churn = &scenario->churn;
    g_autoptr(GMappedFile) file = NULL;
    g_autoptr(GError) inner = NULL;

    if (!scenario_resolve(scenario, "churn", "session", &churn->trace_file, error)) {
        return false;
    }
    if (!g_file_test(churn->trace_file, G_FILE_TEST_IS_REGULAR)) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "session"}), error,
                             "%s is no file to read a trace from", churn->trace_file);
    }
    file = g_mapped_file_new(churn->trace_file, FALSE, &inner);
    if (file == NULL) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "session"}), error,
                             "cannot read the trace: %s", inner->message);
    }
    if (g_mapped_file_get_length(file) > TRACE_BYTES_MAX) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "session"}), error,
                             "%s is larger than %d MiB", churn->trace_file, TRACE_BYTES_MAX >> 20);
    }
    churn->trace =
        churn_trace_parse(churn->trace_file,
                          g_mapped_file_get_length(file) > 0 ? g_mapped_file_get_contents(file)
                                                             : "",
                          g_mapped_file_get_length(file), scenario->peers, error);
    return churn->trace != NULL;
}

/* A trace says all about who comes and goes. */
static bool check_trace(const Scenario *scenario, GError **error)
{
    g_autofree char *place = scenario_place(scenario, "churn", "session");

    if (scenario->churn.absence.kind != DIST_NONE) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "absence"}), error,
                             "the trace of %s says when peers return: remove one of the two",
                             place);
    }
    if (scenario->churn.diurnal_ppm > 0) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "diurnal"}), error,
                             "the trace of %s has its own days: remove one of the two", place);
    }
    for (guint i = 0; i < scenario->events_len; i++) {
        g_autofree char *section = g_strconcat(KEYS_EVENT_PREFIX, scenario->events[i].name, NULL);

        if (scenario->events[i].what == SCENARIO_JOIN) {
            return scenario_fail(
                scenario, KEYS_TO_BLAME({section, "do"}), error,
                "the trace of %s says who comes and when: write the joiners there, "
                "or remove this event",
                place);
        }
    }
    return true;
}

/* Keys that mean nothing by themselves. */
static bool check_lone(const Scenario *scenario, GError **error)
{
    const ScenarioChurn *churn = &scenario->churn;

    if (churn->absence.kind != DIST_NONE) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "absence"}), error,
                             "no session ends that an absence could follow: set churn.session too");
    }
    if (churn->leaves_ppm > 0) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "leaves"}), error,
                             "no session ends, with a Leave or without: set churn.session too");
    }
    if (churn->diurnal_ppm > 0) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "diurnal"}), error,
                             "nobody returns, by day or by night: set churn.session and "
                             "churn.absence too");
    }
    return true;
}

/* The steady state is known by the means; a pareto may have none. */
static bool check_means(const Scenario *scenario, GError **error)
{
    static const char *const keys[] = {"session", "absence"};
    const Dist *dists[] = {&scenario->churn.session, &scenario->churn.absence};

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (!isfinite(dist_mean_us(dists[i]))) {
            return scenario_fail(scenario, KEYS_TO_BLAME({"churn", keys[i]}), error,
                                 "its mean is infinite, so that there is no steady state to start "
                                 "in: a pareto takes a shape above 1 here");
        }
    }
    if ((double)scenario->peers / churn_availability(scenario) > SCENARIO_PEERS_MAX) {
        g_autofree char *place = scenario_place(scenario, "churn", "absence");

        return scenario_fail(scenario, KEYS_TO_BLAME({"churn", "session"}), error,
                             "with %s a peer is there %.3g %% of its time, so that it takes more "
                             "than %d peers to have %u online: lower overlay.peers, or shorten the "
                             "absence",
                             place, 100 * churn_availability(scenario), SCENARIO_PEERS_MAX,
                             scenario->peers);
    }
    return true;
}

bool churn_build(Scenario *scenario, GError **error)
{
    const ScenarioChurn *churn = &scenario->churn;

    if (churn->trace_file != NULL) {
        return check_trace(scenario, error) && read_trace(scenario, error);
    }
    if (churn->session.kind == DIST_NONE) {
        return check_lone(scenario, error);
    }
    if (churn->absence.kind == DIST_NONE) {
        return scenario_fail(
            scenario, KEYS_TO_BLAME({"churn", "session"}), error,
            "peers that go must return some time, or nobody is left: set "
            "churn.absence; with the same distribution, as many are away as there");
    }
    return check_means(scenario, error);
}

double churn_availability(const Scenario *scenario)
{
    double session = dist_mean_us(&scenario->churn.session);

    return session / (session + dist_mean_us(&scenario->churn.absence));
}

uint64_t churn_identities(const Scenario *scenario)
{
    if (scenario->churn.session.kind == DIST_NONE) {
        return scenario->peers;
    }
    return (uint64_t)llround((double)scenario->peers / churn_availability(scenario));
}

uint32_t scenario_online(const Scenario *scenario)
{
    const ChurnTrace *trace = scenario->churn.trace;
    int64_t end_us = scenario->duration.ns / PEAL_NS_PER_US;
    double online_us = 0;

    if (trace == NULL) {
        return scenario->peers;
    }
    for (size_t i = 0; i < trace->len; i++) {
        double rest_us = (double)MAX(end_us - trace->lines[i].us, 0);

        online_us += trace->lines[i].up ? rest_us : -rest_us;
    }
    return (uint32_t)MAX(1, llround(online_us / (double)MAX(end_us, 1)));
}
