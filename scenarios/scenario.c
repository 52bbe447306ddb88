/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scenario.c - builds scenarios from settings, and checks what no single key can. */
#include "check.h"
#include "churn.h"
#include "event.h"
#include "network/hostfile.h"
#include "sweep.h"
#include "units.h"
#include "workload.h"
#include <scenarios/attack.h>
#include <scenarios/keys.h>
#include <scenarios/replay.h>
#include <scenarios/settings.h>

GQuark scenario_error_quark(void)
{
    return g_quark_from_static_string("peal-scenario-error");
}

bool scenario_fail(const Scenario *scenario, const char *const (*keys)[2], size_t keys_len,
                   GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE, text);
    for (size_t i = 0; i < keys_len; i++) {
        const Setting *setting = settings_find(scenario->settings, keys[i][0], keys[i][1]);

        if (setting != NULL) {
            settings_prefix(scenario->settings, setting, error);
            return false;
        }
    }
    g_prefix_error(error, "%s: ", scenario->settings->path);
    return false;
}

char *scenario_place(const Scenario *scenario, const char *section, const char *key)
{
    const Setting *setting = settings_find(scenario->settings, section, key);

    if (setting == NULL) {
        return g_strdup_printf("%s.%s", section, key);
    }
    if (setting->line == 0) {
        return g_strdup_printf("%s.%s (--set)", section, key);
    }
    return g_strdup_printf("%s.%s (%s:%u)", section, key, scenario->settings->path, setting->line);
}

static bool build_event(Scenario *scenario, const char *section, ScenarioEvent *event,
                        GError **error)
{
    const Setting *at = settings_find(scenario->settings, section, "at");
    const Setting *what = settings_find(scenario->settings, section, "do");
    PealSpan span;

    if (at == NULL || what == NULL) {
        return settings_fail_at(scenario->settings,
                                settings_section_line(scenario->settings, section),
                                SCENARIO_ERROR_VALUE, error,
                                "[%s] lacks its key '%s'; an event needs both at and do", section,
                                at == NULL ? "at" : "do");
    }
    if (!units_span(at->value, &span, error)) {
        settings_prefix(scenario->settings, at, error);
        return false;
    }
    if (span.ns >= scenario->duration.ns) {
        g_autofree char *duration = units_span_text(scenario->duration);

        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "the scenario ends at %s, before this event: set it earlier, or "
                    "scenario.duration longer",
                    duration);
        settings_prefix(scenario->settings, at, error);
        return false;
    }
    if (!event_parse(what->value, event, error)) {
        settings_prefix(scenario->settings, what, error);
        return false;
    }
    event->at = (PealTime){span.ns};
    event->name = g_strdup(section + strlen(KEYS_EVENT_PREFIX));
    return true;
}

static gint event_order(gconstpointer a, gconstpointer b, gpointer data)
{
    const ScenarioEvent *x = a;
    const ScenarioEvent *y = b;

    (void)data;
    return (x->at.ns > y->at.ns) - (x->at.ns < y->at.ns);
}

static bool build_events(Scenario *scenario, GError **error)
{
    g_autoptr(GPtrArray) names = settings_sections_with(scenario->settings, KEYS_EVENT_PREFIX);

    scenario->events = g_new0(ScenarioEvent, names->len);
    for (guint i = 0; i < names->len; i++) {
        if (!build_event(scenario, g_ptr_array_index(names, i), &scenario->events[i], error)) {
            return false;
        }
        scenario->events_len++;
    }
    /* A stable sort: events of one instant happen in the file's order. */
    g_qsort_with_data(scenario->events, (gint)scenario->events_len, sizeof(ScenarioEvent),
                      event_order, NULL);
    return true;
}

static bool check_events(const Scenario *scenario, GError **error)
{
    uint64_t identities = churn_identities(scenario);
    bool partitioned = false;

    for (guint i = 0; i < scenario->events_len; i++) {
        const ScenarioEvent *event = &scenario->events[i];
        g_autofree char *section = g_strconcat(KEYS_EVENT_PREFIX, event->name, NULL);

        identities += event->what == SCENARIO_JOIN ? event->count : 0;
        if (identities > SCENARIO_PEERS_MAX) {
            return scenario_fail(scenario, KEYS_TO_BLAME({section, "do"}), error,
                                 "this makes more than %d peers in all", SCENARIO_PEERS_MAX);
        }
        if (event->what != SCENARIO_JOIN && event->count > identities) {
            return scenario_fail(scenario, KEYS_TO_BLAME({section, "do"}), error,
                                 "there are only %u peers at that time", (guint)identities);
        }
        if (event->named && event->peer >= identities) {
            return scenario_fail(scenario, KEYS_TO_BLAME({section, "do"}), error,
                                 "there are only peers 0 to %u at that time",
                                 (guint)identities - 1);
        }
        if (event->region && scenario->network.latency == SCENARIO_LATENCY_CONSTANT) {
            g_autofree char *place = scenario_place(scenario, "network", "latency");

            return scenario_fail(scenario, KEYS_TO_BLAME({section, "do"}), error,
                                 "with a constant latency no peers are near each other: set %s to "
                                 "another model",
                                 place);
        }
        if (event->what == SCENARIO_HEAL && !partitioned) {
            return scenario_fail(scenario, KEYS_TO_BLAME({section, "do"}), error,
                                 "there is no partition to heal at that time");
        }
        partitioned =
            event->what == SCENARIO_PARTITION || (partitioned && event->what != SCENARIO_HEAL);
    }
    return true;
}

/* How many peers join events add. */
static uint32_t count_joiners(const Scenario *scenario)
{
    uint32_t joiners = 0;

    for (guint i = 0; i < scenario->events_len; i++) {
        joiners += scenario->events[i].what == SCENARIO_JOIN ? scenario->events[i].count : 0;
    }
    return joiners;
}

uint32_t scenario_identities(const Scenario *scenario)
{
    return (uint32_t)churn_identities(scenario) + count_joiners(scenario);
}

/*
 * RFC 6940 s.10.7.4.3: 16, or as many as make the table contain the final successor. That one lies
 * about successors / n of the ring away, and the shortest finger's range begins at 2^-fingers.
 */
static uint16_t fingers_for(uint32_t peers, uint32_t successors)
{
    uint16_t fingers = 1;

    while (((uint64_t)successors << fingers) < 2 * (uint64_t)peers) {
        fingers++;
    }
    return MAX(fingers, 16);
}

/* A server has a link to every other peer, and both the old and the new one of a few that come
 * back. */
static bool check_server(const Scenario *scenario, GError **error)
{
    const uint32_t most = PEAL_FLOWS_MAX - PEAL_FLOWS_MAX / 16;

    if (scenario_is_central(scenario) && scenario_identities(scenario) > most) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"overlay", "topology"}, {"overlay", "peers"}),
                             error,
                             "a central server has links to every peer, at most %u of them with "
                             "those of join events: lower overlay.peers",
                             most);
    }
    return true;
}

bool scenario_check_overlay(Scenario *scenario, GError **error)
{
    PealOverlay *overlay = &scenario->overlay;
    const char *field;

    if (overlay->replicas > overlay->successors) {
        if (settings_find(scenario->settings, "overlay", "replicas") != NULL) {
            return scenario_fail(
                scenario, KEYS_TO_BLAME({"overlay", "replicas"}), error,
                "replicas live on successors, of which there are %u: set overlay.successors higher",
                overlay->successors);
        }
        overlay->replicas = overlay->successors;
    }
    if (overlay->request_lifetime.ns < overlay->request_timeout.ns) {
        return scenario_fail(scenario,
                             KEYS_TO_BLAME({"overlay", "request-lifetime"},
                                           {"overlay", "request-timeout"}),
                             error, "a request must live at least as long as its timeout");
    }
    if (peal_overlay_check(overlay, &field) != 0) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"overlay", field}), error,
                             "the overlay's %s is out of range or does not fit the other keys",
                             field);
    }
    return true;
}

static bool check_precision(const Scenario *scenario, GError **error)
{
    if (scenario->precision_ppm == 0) {
        return true;
    }
    if (scenario->replications < 2) {
        return scenario_fail(
            scenario, KEYS_TO_BLAME({"scenario", "replications"}, {"scenario", "precision"}), error,
            "a precision is judged by how replications differ: set scenario.replications to 2 or "
            "more, 5 for a start");
    }
    if (scenario->replications_max < scenario->replications) {
        return scenario_fail(
            scenario, KEYS_TO_BLAME({"scenario", "replications-max"}, {"scenario", "replications"}),
            error, "scenario.replications-max is less than the %u replications to begin with",
            scenario->replications);
    }
    return true;
}

static bool check_calls(const Scenario *scenario, GError **error)
{
    const ScenarioWorkload *workload = &scenario->workload;
    bool stream = workload->call_interval.kind != DIST_NONE;

    if (workload->replay != NULL && (stream || workload->calls_per_user_hour_milli > 0)) {
        return scenario_fail(
            scenario,
            KEYS_TO_BLAME({"workload", "calls-per-user-hour"}, {"workload", "call-interval"}),
            error,
            "the calls are those of workload.trace: set calls-per-user-hour to 0 and call-interval "
            "to none");
    }
    if (stream && workload->calls_per_user_hour_milli > 0) {
        return scenario_fail(
            scenario,
            KEYS_TO_BLAME({"workload", "call-interval"}, {"workload", "calls-per-user-hour"}),
            error,
            "workload.call-interval and workload.calls-per-user-hour both say when calls are made: "
            "set call-interval to none, or calls-per-user-hour to 0");
    }
    /* Draws are whole us: below, most would be 0. */
    if (stream && dist_median_us(&workload->call_interval) < 1) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"workload", "call-interval"}), error,
                             "intervals have a median of at least 1us");
    }
    if (scenario_has_calls(scenario) && workload->replay == NULL &&
        (uint64_t)scenario_identities(scenario) * workload->users_per_peer < 2) {
        return scenario_fail(scenario,
                             KEYS_TO_BLAME({"workload", "users-per-peer"},
                                           {"workload", "calls-per-user-hour"},
                                           {"workload", "call-interval"}),
                             error,
                             "it takes two to make a call: set users-per-peer to 2 or more, or "
                             "%s to %s",
                             stream ? "call-interval" : "calls-per-user-hour",
                             stream ? "none" : "0");
    }
    return true;
}

static bool check_workload(const Scenario *scenario, GError **error)
{
    const ScenarioWorkload *workload = &scenario->workload;

    if (scenario->warmup.ns >= scenario->duration.ns) {
        return scenario_fail(
            scenario, KEYS_TO_BLAME({"scenario", "warmup"}, {"scenario", "duration"}), error,
            "the warm-up must be shorter than the duration: set scenario.warmup as well");
    }
    if (!check_precision(scenario, error)) {
        return false;
    }
    if (workload->lookup_target == SCENARIO_TARGET_USERS && workload->users_per_peer == 0 &&
        workload->lookups_per_peer_hour_milli > 0) {
        return scenario_fail(
            scenario, KEYS_TO_BLAME({"workload", "users-per-peer"}, {"workload", "lookup-target"}),
            error,
            "nobody is there to be looked up: set users-per-peer to 1 or more, lookup-target to "
            "random, or lookups-per-peer-hour to 0");
    }
    return check_calls(scenario, error);
}

bool scenario_resolve(const Scenario *scenario, const char *section, const char *key, char **file,
                      GError **error)
{
    g_autofree char *directory = g_path_get_dirname(scenario->path);
    g_autofree char *beside =
        g_path_is_absolute(*file) ? g_strdup(*file) : g_build_filename(directory, *file, NULL);

    if (g_file_test(beside, G_FILE_TEST_EXISTS)) {
        g_free(*file);
        *file = g_steal_pointer(&beside);
        return true;
    }
    if (g_file_test(*file, G_FILE_TEST_EXISTS)) {
        return true;
    }
    return scenario_fail(scenario, KEYS_TO_BLAME({section, key}), error,
                         "no such file: neither %s nor, in the working directory, %s; a path is "
                         "relative to the scenario file",
                         beside, *file);
}

/* Finds a matrix or coordinates. */
static bool resolve_file(Scenario *scenario, GError **error)
{
    ScenarioNetwork *network = &scenario->network;

    return (network->latency != SCENARIO_LATENCY_MATRIX &&
            network->latency != SCENARIO_LATENCY_COORDINATES) ||
           scenario_resolve(scenario, "network", "latency", &network->latency_file, error);
}

/* hosts_by_file: how many hosts each file has that was read already. */
static bool check_hosts(const Scenario *scenario, GHashTable *hosts_by_file, GError **error)
{
    const ScenarioNetwork *network = &scenario->network;
    bool matrix = network->latency == SCENARIO_LATENCY_MATRIX;
    uint32_t identities = scenario_hosts(scenario);
    uint32_t hosts;

    if (!matrix && network->latency != SCENARIO_LATENCY_COORDINATES) {
        return true;
    }
    g_autofree char *id = g_strdup_printf("%c%s", matrix ? 'm' : 'c', network->latency_file);

    hosts = GPOINTER_TO_UINT(g_hash_table_lookup(hosts_by_file, id));
    if (hosts == 0) {
        g_autoptr(HostFile) file = hostfile_load(network->latency_file, matrix, error);

        if (file == NULL) {
            const Setting *setting = settings_find(scenario->settings, "network", "latency");

            settings_prefix(scenario->settings, setting, error);
            return false;
        }
        hosts = file->hosts;
        g_hash_table_insert(hosts_by_file, g_steal_pointer(&id), GUINT_TO_POINTER(hosts));
    }
    if (network->hosts == SCENARIO_HOSTS_OWN && hosts < identities) {
        return scenario_fail(scenario, KEYS_TO_BLAME({"network", "latency"}), error,
                             "%s has %u hosts, fewer than the %u peers: set network.hosts = "
                             "shared, or overlay.peers to %u or less",
                             network->latency_file, hosts, identities, hosts);
    }
    return true;
}

static bool check_names(const ScenarioSettings *settings, GError **error)
{
    for (guint i = 0; i < settings->sections->len; i++) {
        const SettingSection *section = g_ptr_array_index(settings->sections, i);

        if (!key_check_section(section->name, error)) {
            g_prefix_error(error, "%s:%u: ", settings->path, section->line);
            return false;
        }
    }
    for (guint i = 0; i < settings->list->len; i++) {
        const Setting *setting = g_ptr_array_index(settings->list, i);

        if (strcmp(setting->section, KEYS_SWEEP) != 0 &&
            !key_check_name(setting->section, setting->key, error)) {
            settings_prefix(settings, setting, error);
            return false;
        }
    }
    return true;
}

static char *name_of_file(const char *path)
{
    char *name = g_path_get_basename(path);

    if (g_str_has_suffix(name, ".conf")) {
        name[strlen(name) - strlen(".conf")] = '\0';
    }
    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.", '-');
    return name;
}

/* scenario_build makes a scenario of one point. Takes settings. */
static Scenario *scenario_build_take(ScenarioSettings *settings, GError **error)
{
    g_autoptr(Scenario) scenario = g_new0(Scenario, 1);

    scenario->settings = settings;
    scenario->path = g_strdup(settings->path);
    scenario->points = 1;
    peal_overlay_defaults(&scenario->overlay);
    if (!check_names(settings, error) ||
        !key_table_apply(&KEYS_SCENARIO.tables[0], settings, scenario, error) ||
        !build_events(scenario, error) || !churn_build(scenario, error) ||
        !check_events(scenario, error) || !workload_build(scenario, error) ||
        !attack_sections_build(scenario, error) || !attack_sections_check(scenario, error)) {
        return NULL;
    }
    if (scenario->name == NULL) {
        scenario->name = name_of_file(scenario->path);
    }
    if (scenario->warmup_mser) {
        scenario->warmup = recorder_latest_cut(scenario->duration);
    }
    if (scenario->fingers_auto) {
        scenario->overlay.fingers =
            fingers_for(scenario->peers + count_joiners(scenario), scenario->overlay.successors);
    }
    if (!scenario_check_overlay(scenario, error) || !check_server(scenario, error) ||
        !check_workload(scenario, error) || !resolve_file(scenario, error)) {
        return NULL;
    }
    return g_steal_pointer(&scenario);
}

/* scenario_build_point makes point number `point` of settings with a sweep. */
static Scenario *scenario_build_point(const ScenarioSettings *settings, const char *text,
                                      guint point, GError **error)
{
    ScenarioParameter *parameters;
    guint parameters_len;
    ScenarioSettings *own = sweep_point(settings, point, &parameters, &parameters_len);
    Scenario *scenario = scenario_build_take(own, error);

    if (scenario == NULL) {
        sweep_parameters_free(parameters, parameters_len);
        return NULL;
    }
    scenario->text = g_strdup(text);
    scenario->parameters = parameters;
    scenario->parameters_len = parameters_len;
    return scenario;
}

Scenario *scenario_point(const Scenario *scenario, guint point, GError **error)
{
    PEAL_ASSERT(point < scenario->points);
    return scenario_build_point(scenario->settings, scenario->text, point, error);
}

static bool check_points(const ScenarioSettings *settings, guint points, GError **error)
{
    g_autoptr(GHashTable) hosts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (guint i = 0; i < points; i++) {
        g_autoptr(Scenario) point = scenario_build_point(settings, "", i, error);

        if (point == NULL || !check_hosts(point, hosts, error)) {
            return false;
        }
    }
    return true;
}

Scenario *scenario_load_text(const char *path, const char *text, gsize len, const char *const *sets,
                             GError **error)
{
    g_autoptr(ScenarioSettings) settings = settings_read(&KEYS_SCENARIO, path, text, len, error);
    g_autofree char *copy = NULL;
    Scenario *scenario;
    guint points;

    if (settings == NULL || !sweep_check_file(settings, error)) {
        return NULL;
    }
    for (; sets != NULL && *sets != NULL; sets++) {
        if (!settings_override(settings, *sets, error)) {
            return NULL;
        }
    }
    if (!check_names(settings, error) || !sweep_points(settings, &points, error) ||
        !check_points(settings, points, error)) {
        return NULL;
    }
    copy = g_strndup(text, len);
    scenario = scenario_build_point(settings, copy, 0, error);
    if (scenario == NULL) { /* a file went away in between */
        return NULL;
    }
    /* The whole scenario: point 0's values, but the settings of all. */
    sweep_parameters_free(scenario->parameters, scenario->parameters_len);
    scenario->parameters = NULL;
    scenario->parameters_len = 0;
    settings_free(scenario->settings);
    scenario->settings = g_steal_pointer(&settings);
    scenario->points = points;
    return scenario;
}

Scenario *scenario_load(const char *path, const char *const *sets, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) inner = NULL;
    gsize len;

    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE, "%s: %s", path,
                    g_file_test(path, G_FILE_TEST_EXISTS) ? "is no file" : "no such scenario file");
        return NULL;
    }
    if (!g_file_get_contents(path, &text, &len, &inner)) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE, "cannot read the scenario: %s",
                    inner->message);
        return NULL;
    }
    return scenario_load_text(path, text, len, sets, error);
}

void scenario_free(Scenario *scenario)
{
    if (scenario == NULL) {
        return;
    }
    for (guint i = 0; i < scenario->events_len; i++) {
        g_free(scenario->events[i].name);
    }
    sweep_parameters_free(scenario->parameters, scenario->parameters_len);
    settings_free(scenario->settings);
    g_free(scenario->events);
    attack_sections_free(scenario);
    g_free(scenario->network.latency_file);
    g_free(scenario->churn.trace_file);
    churn_trace_free(scenario->churn.trace);
    g_free(scenario->workload.trace_file);
    replay_free(scenario->workload.replay);
    g_free(scenario->overlay_name);
    g_free(scenario->precision_of);
    g_free(scenario->name);
    g_free(scenario->text);
    g_free(scenario->path);
    g_free(scenario);
}

uint64_t scenario_replication_seed(uint64_t seed, uint32_t replication)
{
    /* A stream of its own, beyond every peer's: its purpose field is not one of PealDraw. */
    const uint64_t stream = UINT64_MAX;

    return replication == 0 ? seed : peal_random_at(seed, stream, replication) >> 11;
}
