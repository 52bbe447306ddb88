/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_scenario.c - scenarios load as written; whatever is wrong is named with its place. */
#include <glib/gstdio.h>
#include <scenarios/scenario.h>
#include <unistd.h>

#include "peal_test.h"

static Scenario *load(const char *text, const char *const *sets, GError **error)
{
    return scenario_load_text("dir/test.conf", text, strlen(text), sets, error);
}

static Scenario *loaded(const char *text, const char *const *sets)
{
    g_autoptr(GError) error = NULL;
    Scenario *scenario = load(text, sets, &error);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

/* The text must be refused, with every one of the NULL-terminated words in the message. */
static void refused(const char *text, const char *const *sets, ScenarioError code,
                    const char *const *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = load(text, sets, &error);

    CU_ASSERT_PTR_NULL(scenario);
    if (error == NULL) {
        CU_FAIL("there is no error");
        return;
    }
    CU_ASSERT_EQUAL(error->domain, SCENARIO_ERROR);
    CU_ASSERT_EQUAL(error->code, (gint)code);
    for (; *words != NULL; words++) {
        if (strstr(error->message, *words) == NULL) {
            printf("# no '%s' in: %s\n", *words, error->message);
            CU_FAIL("a word is missing from the message");
        }
    }
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define SETS WORDS

static void scenario_defaults_are_the_documented_ones(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\n", NULL);

    CU_ASSERT_STRING_EQUAL(scenario->name, "test");
    CU_ASSERT_EQUAL(scenario->duration.ns, 3600 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(scenario->warmup.ns, 600 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(scenario->seed, 1);
    CU_ASSERT_EQUAL(scenario->replications, 5);
    CU_ASSERT_EQUAL(scenario->peers, 1000);
    CU_ASSERT_EQUAL(scenario->start, SCENARIO_START_JOINS);
    CU_ASSERT_EQUAL(scenario->join_interval.ns, 100 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(scenario->overlay.successors, 8);
    CU_ASSERT_EQUAL(scenario->overlay.predecessors, 8);
    CU_ASSERT_EQUAL(scenario->overlay.fingers, 16);
    CU_ASSERT_TRUE(scenario->fingers_auto);
    CU_ASSERT_EQUAL(scenario->overlay.replicas, 2);
    CU_ASSERT_EQUAL(scenario->overlay.link, PEAL_UDP);
    CU_ASSERT_EQUAL(scenario->overlay.crypto, PEAL_CRYPTO_NONE);
    CU_ASSERT_EQUAL(scenario->network.latency, SCENARIO_LATENCY_SYNTHETIC);
    CU_ASSERT_EQUAL(scenario->network.loss_ppm, 0);
    CU_ASSERT_EQUAL(scenario->network.bandwidth, 0);
    CU_ASSERT_EQUAL(scenario->peer.service.kind, DIST_NONE);
    CU_ASSERT_EQUAL(scenario->peer.queue.messages, 1000);
    CU_ASSERT_EQUAL(scenario->workload.users_per_peer, 1);
    CU_ASSERT_EQUAL(scenario->workload.lookups_per_peer_hour_milli, 60000);
    CU_ASSERT_EQUAL(scenario->workload.lookup_target, SCENARIO_TARGET_USERS);
    CU_ASSERT_EQUAL(scenario->events_len, 0);
    CU_ASSERT_EQUAL(scenario->points, 1);
}

static void scenario_overlay_defaults_agree_with_core(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\n", NULL);
    PealOverlay core;

    peal_overlay_defaults(&core);
    CU_ASSERT_EQUAL(scenario->overlay.update_interval.ns, core.update_interval.ns);
    CU_ASSERT_EQUAL(scenario->overlay.finger_interval.ns, core.finger_interval.ns);
    CU_ASSERT_EQUAL(scenario->overlay.partition_interval.ns, core.partition_interval.ns);
    CU_ASSERT_EQUAL(scenario->overlay.hold_down.ns, core.hold_down.ns);
    CU_ASSERT_EQUAL(scenario->overlay.link_rto.ns, core.link_rto.ns);
    CU_ASSERT_EQUAL(scenario->overlay.link_sends, core.link_sends);
    CU_ASSERT_EQUAL(scenario->overlay.link_acks, core.link_acks);
    CU_ASSERT_EQUAL(scenario->overlay.stop_and_wait, core.stop_and_wait);
    CU_ASSERT_EQUAL(scenario->overlay.reactive, core.reactive);
    CU_ASSERT_EQUAL(scenario->overlay.request_timeout.ns, core.request_timeout.ns);
    CU_ASSERT_EQUAL(scenario->overlay.request_lifetime.ns, core.request_lifetime.ns);
    CU_ASSERT_EQUAL(scenario->overlay.message_max, core.message_max);
    CU_ASSERT_EQUAL(scenario->overlay.replicas, core.replicas);
}

static void scenario_reads_values_of_every_type(void)
{
    g_autoptr(Scenario) scenario = loaded("# a comment\n"
                                          "[scenario]\n"
                                          "name = churn-1000   # after white space\n"
                                          "duration=90s\n"
                                          "  warmup =  0s  \n"
                                          "\r\n"
                                          "[overlay]\n"
                                          "predecessors = 0\n"
                                          "neighbours = 20\n"
                                          "link = tcp\n"
                                          "link-acks = no\n"
                                          "link-window = stop-and-wait\n"
                                          "fingers = 7\n"
                                          "crypto = modelled-rsa\n"
                                          "[network]\n"
                                          "latency = constant:50ms\n"
                                          "loss = 0.5%\n"
                                          "bandwidth = 64kbit/s\n"
                                          "jitter = exponential(mean=5ms)\n"
                                          "[peer]\n"
                                          "cpu = exponential:2ms\n"
                                          "queue = 200ms\n"
                                          "[workload]\n"
                                          "lookups-per-peer-hour = 0.125\n"
                                          "lookup-target = random\n"
                                          "calls-per-user-hour = 1.5\n"
                                          "call-duration = exponential(mean=1min)\n"
                                          "ring = 2s\n",
                                          NULL);

    CU_ASSERT_STRING_EQUAL(scenario->name, "churn-1000");
    CU_ASSERT_EQUAL(scenario->duration.ns, 90 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(scenario->overlay.successors, 20);
    CU_ASSERT_EQUAL(scenario->overlay.predecessors, 0);
    CU_ASSERT_EQUAL(scenario->overlay.link, PEAL_TCP);
    CU_ASSERT_FALSE(scenario->overlay.link_acks);
    CU_ASSERT_TRUE(scenario->overlay.stop_and_wait);
    CU_ASSERT_EQUAL(scenario->overlay.fingers, 7);
    CU_ASSERT_FALSE(scenario->fingers_auto);
    CU_ASSERT_EQUAL(scenario->overlay.crypto, PEAL_CRYPTO_MODELLED_RSA2048);
    CU_ASSERT_EQUAL(scenario->network.constant.ns, 50 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(scenario->network.loss_ppm, 5000);
    CU_ASSERT_EQUAL(scenario->network.bandwidth, 64000);
    CU_ASSERT_EQUAL(scenario->network.jitter.kind, DIST_EXPONENTIAL);
    CU_ASSERT_EQUAL(scenario->peer.service.kind, DIST_EXPONENTIAL);
    CU_ASSERT_EQUAL(scenario->peer.queue.messages, 0);
    CU_ASSERT_EQUAL(scenario->peer.queue.time.ns, 200 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(scenario->workload.lookups_per_peer_hour_milli, 125);
    CU_ASSERT_EQUAL(scenario->workload.lookup_target, SCENARIO_TARGET_RANDOM);
    CU_ASSERT_EQUAL(scenario->workload.calls_per_user_hour_milli, 1500);
    CU_ASSERT_EQUAL(scenario->workload.call_duration.kind, DIST_EXPONENTIAL);
    CU_ASSERT_EQUAL(scenario->workload.ring.ns, 2 * PEAL_NS_PER_S);
}

static void scenario_fingers_grow_with_the_overlay(void)
{
    static const struct {
        const char *peers;
        uint16_t fingers;
    } cases[] = {{"1", 16}, {"1000", 16}, {"65536", 16}, {"100000", 17}, {"1000000", 20}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *set = g_strconcat("overlay.peers=", cases[i].peers, NULL);
        g_autoptr(Scenario) scenario = loaded("[scenario]\n[overlay]\nneighbours = 3\n", SETS(set));

        CU_ASSERT_EQUAL(scenario->overlay.fingers, cases[i].fingers);
    }
}

static void scenario_names_line_key_and_nearest_of_an_unknown_key(void)
{
    refused("[scenario]\n\n[overlay]\npeerz = 5\n", NULL, SCENARIO_ERROR_UNKNOWN,
            WORDS("dir/test.conf:4", "peerz", "[overlay]", "'peers'"));
    refused("[scenario]\nloss = 5%\n", NULL, SCENARIO_ERROR_UNKNOWN,
            WORDS("dir/test.conf:2", "loss", "belongs to [network]"));
    refused("[scenario]\n[netwrok]\n", NULL, SCENARIO_ERROR_UNKNOWN,
            WORDS("dir/test.conf:2", "[netwrok]", "[network]"));
    refused("[scenario]\n", SETS("overlay.peerz=5"), SCENARIO_ERROR_UNKNOWN,
            WORDS("--set overlay.peerz=5", "'peers'"));
}

static void scenario_names_both_lines_of_a_duplicate(void)
{
    refused("[scenario]\n[overlay]\npeers = 5\n# x\npeers = 6\n", NULL, SCENARIO_ERROR_SYNTAX,
            WORDS("dir/test.conf:5", "duplicate key 'peers'", "line 3"));
    refused("[scenario]\n[overlay]\n[scenario]\n", NULL, SCENARIO_ERROR_SYNTAX,
            WORDS("dir/test.conf:3", "duplicate section [scenario]", "line 1"));
}

static void scenario_names_line_key_and_range_of_a_bad_value(void)
{
    refused("[scenario]\nduration = 5\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:2", "scenario.duration", "'5'", "lacks its unit"));
    refused("[scenario]\nduration = 5 fortnights\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:2", "scenario.duration", "fortnights", "units: ns"));
    refused("[scenario]\n[overlay]\npeers = 0\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "overlay.peers = 0", "1 to 16000000"));
    refused("[scenario]\n", SETS("overlay.peers=0"), SCENARIO_ERROR_VALUE,
            WORDS("--set overlay.peers=0", "1 to 16000000"));
    refused("[scenario]\n[overlay]\nstart = convergd\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "overlay.start", "joins or converged"));
    refused("[scenario]\n[network]\nloss = 0.5\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "network.loss", "percentage"));
    refused("[scenario]\n[network]\nlatency = constant:11s\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "up to 10s"));
    refused("[scenario]\n[network]\nlatency = cubic\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "matrix:FILE"));
    refused("[scenario]\n[network]\nlatency = matrix:\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "file is missing"));
    refused("[scenario]\n[peer]\ncpu = weibull(shape=1, scale=5ms)\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "constant:T"));
    refused("[scenario]\n[peer]\nqueue = 0\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "peer.queue"));
    refused("[scenario]\nname = a/b\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:2", "scenario.name", "letters"));
    refused("[scenario]\nname = ..\n", NULL, SCENARIO_ERROR_VALUE, WORDS("dir/test.conf:2"));
}

static void scenario_refuses_contradictions(void)
{
    refused("[scenario]\nwarmup = 2h\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:2", "warm-up", "shorter"));
    refused("[scenario]\nduration = 5min\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:2", "scenario.warmup"));
    refused("[scenario]\n[overlay]\nneighbours = 2\nreplicas = 3\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:4", "successors"));
    refused("[scenario]\n[overlay]\nrequest-lifetime = 1s\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "timeout"));
    refused("[scenario]\n[overlay]\npeers = 1\n[workload]\ncalls-per-user-hour = 1\n", NULL,
            SCENARIO_ERROR_VALUE, WORDS("calls-per-user-hour", "two"));
    refused("[scenario]\n[workload]\nusers-per-peer = 0\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "lookup-target", "random"));
    refused("[scenario]\n[workload]\nregister-expires = 10.5s\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "whole seconds"));
    refused("[scenario]\n[workload]\nregister-expires = none\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "10s to 365d"));
    refused("[scenario]\n[workload]\nregister-expires = exponential(mean=14s)\n", NULL,
            SCENARIO_ERROR_VALUE, WORDS("dir/test.conf:3", "median", "10s to 365d"));
    refused("[scenario]\n[workload]\nregister-expires = pareto(shape=1, scale=1h)\n", NULL,
            SCENARIO_ERROR_VALUE, WORDS("dir/test.conf:3", "mean"));
    refused("[scenario]\n[workload]\ncall-interval = 1s\ncalls-per-user-hour = 1\n", NULL,
            SCENARIO_ERROR_VALUE, WORDS("call-interval", "calls-per-user-hour", "both"));
    refused("[scenario]\n[workload]\ncall-interval = exponential(mean=1us)\n", NULL,
            SCENARIO_ERROR_VALUE, WORDS("dir/test.conf:3", "median"));
    refused("[scenario]\n[overlay]\npeers = 1\n[workload]\ncall-interval = 1s\n", NULL,
            SCENARIO_ERROR_VALUE, WORDS("call-interval", "two", "none"));
}

static void scenario_clamps_default_replicas_to_successors(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\n[overlay]\nsuccessors = 1\n", NULL);

    CU_ASSERT_EQUAL(scenario->overlay.replicas, 1);
}

static void scenario_refuses_what_is_not_available_and_says_so(void)
{
    refused("[scenario]\n[peer]\ncpu = benchmark:fast\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "benchmark:X"));
    refused("[scenario]\n[overlay]\ncrypto = openssl\n", NULL, SCENARIO_ERROR_UNAVAILABLE,
            WORDS("dir/test.conf:3", "modelled"));
}

static void scenario_refuses_what_is_no_scenario(void)
{
    g_autoptr(GError) error = NULL;

    refused("", NULL, SCENARIO_ERROR_FILE, WORDS("dir/test.conf", "no [scenario] section"));
    refused("[overlay]\npeers = 5\n", NULL, SCENARIO_ERROR_FILE, WORDS("no [scenario] section"));
    refused("\xff\xfe binary", NULL, SCENARIO_ERROR_FILE, WORDS("is no scenario"));
    refused("Once upon a time\n", NULL, SCENARIO_ERROR_SYNTAX,
            WORDS("dir/test.conf:1", "Once upon", "key = value"));
    refused("peers = 5\n", NULL, SCENARIO_ERROR_SYNTAX,
            WORDS("dir/test.conf:1", "before any section"));
    refused("[scenario\n", NULL, SCENARIO_ERROR_SYNTAX, WORDS("dir/test.conf:1", "no section"));
    refused("[scenario] # comment\n", NULL, SCENARIO_ERROR_SYNTAX, WORDS("dir/test.conf:1"));
    refused("[sce nario]\n", NULL, SCENARIO_ERROR_SYNTAX, WORDS("dir/test.conf:1"));
    refused("[scenario]\n= 5\n", NULL, SCENARIO_ERROR_SYNTAX, WORDS("dir/test.conf:2"));
    CU_ASSERT_PTR_NULL(scenario_load_text("nul.conf", "[scenario]\n\0", 12, NULL, &error));
    CU_ASSERT_TRUE(g_error_matches(error, SCENARIO_ERROR, SCENARIO_ERROR_FILE));
}

static void scenario_load_names_a_missing_file(void)
{
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) directory = NULL;

    CU_ASSERT_PTR_NULL(scenario_load("/nonexistent/x.conf", NULL, &missing));
    CU_ASSERT_TRUE(g_error_matches(missing, SCENARIO_ERROR, SCENARIO_ERROR_FILE));
    CU_ASSERT_PTR_NOT_NULL(strstr(missing->message, "/nonexistent/x.conf"));
    CU_ASSERT_PTR_NULL(scenario_load("/", NULL, &directory));
    CU_ASSERT_TRUE(g_error_matches(directory, SCENARIO_ERROR, SCENARIO_ERROR_FILE));
}

static void scenario_set_replaces_a_value_and_needs_its_form(void)
{
    g_autoptr(Scenario) scenario =
        loaded("[scenario]\n[overlay]\npeers = 5\n", SETS("overlay.peers=7", "scenario.seed=3"));

    CU_ASSERT_EQUAL(scenario->peers, 7);
    CU_ASSERT_EQUAL(scenario->seed, 3);
    refused("[scenario]\n", SETS("peers=7"), SCENARIO_ERROR_SYNTAX,
            WORDS("--set peers=7", "section.key=value"));
    refused("[scenario]\n", SETS("overlay.peers"), SCENARIO_ERROR_SYNTAX, WORDS("--set"));
    refused("[scenario]\n", SETS("=.x"), SCENARIO_ERROR_SYNTAX, WORDS("--set"));
}

static void scenario_events_come_in_the_order_of_time(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 1h\n"
                                          "[event:heal]\nat = 30min\ndo = heal\n"
                                          "[event:cut]\nat = 20min\ndo = partition 12.5%\n"
                                          "[event:more]\nat = 20min\ndo = join 10\n"
                                          "[event:crash]\nat = 1min\ndo = fail 20% of peers\n"
                                          "[event:row]\nat = 2min\ndo = fail 3 adjacent peers\n"
                                          "[event:out]\nat = 3min\ndo = leave 1 peer\n"
                                          "[event:again]\nat = 4min\ndo = restart 5%\n",
                                          NULL);
    static const char *const names[] = {"crash", "row", "out", "again", "cut", "more", "heal"};
    static const char *const texts[] = {
        "fail 20% of peers",        "fail 3 adjacent peers", "leave 1 peer", "restart 5% of peers",
        "partition 12.5% of peers", "join 10 peers",         "heal"};

    CU_ASSERT_EQUAL_FATAL(scenario->events_len, G_N_ELEMENTS(names));
    for (guint i = 0; i < scenario->events_len; i++) {
        g_autofree char *text = scenario_event_text(&scenario->events[i]);

        CU_ASSERT_STRING_EQUAL(scenario->events[i].name, names[i]);
        CU_ASSERT_STRING_EQUAL(text, texts[i]);
    }
    CU_ASSERT_EQUAL(scenario_identities(scenario), 1010);
    CU_ASSERT_EQUAL(scenario_event_peers(&scenario->events[0], 1000), 200);
    CU_ASSERT_EQUAL(scenario_event_peers(&scenario->events[0], 0), 0);
    CU_ASSERT_EQUAL(scenario_event_peers(&scenario->events[1], 2), 2);
    CU_ASSERT_TRUE(scenario->events[1].adjacent);
}

static void scenario_events_name_a_peer_by_its_index(void)
{
    static const char *const names[] = {"fail peer 0", "start peer 0", "restart peer 999",
                                        "leave peer 17"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text =
            g_strdup_printf("[scenario]\n[event:x]\nat = 1min\ndo = %s\n", names[i]);
        g_autoptr(Scenario) scenario = loaded(text, NULL);
        g_autofree char *again = scenario_event_text(&scenario->events[0]);

        CU_ASSERT_TRUE(scenario->events[0].named);
        CU_ASSERT_STRING_EQUAL(again, names[i]);
        CU_ASSERT_EQUAL(scenario_event_peers(&scenario->events[0], 1000), 1);
        CU_ASSERT_EQUAL(scenario_event_peers(&scenario->events[0], 0), 0);
    }
}

static void scenario_with_a_server_has_keys_of_the_ring_and_a_limit(void)
{
    static const char TEXT[] = "[scenario]\n[overlay]\ntopology = central\npeers = 57600\n"
                               "successors = 4\nfingers = 7\nreplicas = 3\nserver-keeps = no\n";
    g_autoptr(Scenario) scenario = loaded(TEXT, NULL);

    CU_ASSERT_EQUAL(scenario->overlay.topology, PEAL_TOPOLOGY_CENTRAL);
    CU_ASSERT_FALSE(scenario->server_keeps);
    refused(TEXT, WORDS("overlay.peers=57601"), SCENARIO_ERROR_VALUE,
            WORDS("57600", "lower overlay.peers"));
    refused(TEXT, WORDS("event:x.at=1min", "event:x.do=join 1"), SCENARIO_ERROR_VALUE,
            WORDS("57600", "join events"));
    refused(TEXT, WORDS("overlay.topology=star"), SCENARIO_ERROR_VALUE, WORDS("chord", "central"));
}

static void scenario_refuses_bad_events(void)
{
    static const char *const bad[] = {"explode",
                                      "fail",
                                      "fail x peers",
                                      "fail 0 peers",
                                      "fail 0%",
                                      "join 5%",
                                      "join 5 adjacent peers",
                                      "partition 5",
                                      "heal 5",
                                      "fail 5 of adjacent peers now",
                                      "leave -1",
                                      "start 3",
                                      "start 5% of peers",
                                      "start peer",
                                      "fail peer x",
                                      "fail peer 0 1",
                                      "fail peer 16000000",
                                      "join peer 0",
                                      "partition peer 0",
                                      "a b c d e f g h i j k"};

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text =
            g_strdup_printf("[scenario]\n[event:x]\nat = 1min\ndo = %s\n", bad[i]);

        refused(text, NULL, SCENARIO_ERROR_VALUE, WORDS("dir/test.conf:4", "event:x.do"));
    }
    refused("[scenario]\n[event:x]\nat = 1h\ndo = fail 1\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "ends at 1h"));
    refused("[scenario]\n[event:x]\nat = 1min\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:2", "[event:x]", "'do'"));
    refused("[scenario]\n[event:x]\ndo = heal\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:2", "'at'"));
    refused("[scenario]\n[event:x]\nat = 1min\ndo = heal\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:4", "no partition"));
    refused("[scenario]\n[event:x]\nat = 1min\ndo = fail 1001 peers\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:4", "only 1000 peers"));
    refused("[scenario]\n[event:x]\nat = 1min\ndo = fail peer 1000\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:4", "only peers 0 to 999"));
    refused("[scenario]\n[event:x]\nat = 1min\ndo = join 16000000\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:4", "16000000"));
    refused("[scenario]\n[event:]\nat = 1min\n", NULL, SCENARIO_ERROR_UNKNOWN,
            WORDS("dir/test.conf:2", "[event:NAME]"));
    refused("[scenario]\n[event:x]\nwhen = 1min\n", NULL, SCENARIO_ERROR_UNKNOWN,
            WORDS("dir/test.conf:3", "'at'"));
}

#define SWEEP                      \
    "[scenario]\n[sweep]\n"        \
    "overlay.peers = 10, 20, 30\n" \
    "network.jitter = none, weibull(shape=1, scale=5ms)\n"

static void scenario_sweep_crosses_its_lists(void)
{
    g_autoptr(Scenario) scenario = loaded(SWEEP, NULL);
    static const uint32_t peers[] = {10, 10, 20, 20, 30, 30};

    CU_ASSERT_EQUAL_FATAL(scenario->points, 6);
    CU_ASSERT_EQUAL(scenario->parameters_len, 0);
    CU_ASSERT_EQUAL(scenario->peers, 10);
    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, NULL);

        if (point == NULL) {
            CU_FAIL("there is no such point");
            return;
        }
        CU_ASSERT_EQUAL(point->peers, peers[i]);
        CU_ASSERT_EQUAL(point->network.jitter.kind, i % 2 == 0 ? DIST_NONE : DIST_WEIBULL);
        CU_ASSERT_EQUAL(point->points, 1);
        CU_ASSERT_STRING_EQUAL(point->text, SWEEP);
        CU_ASSERT_EQUAL_FATAL(point->parameters_len, 2);
        CU_ASSERT_STRING_EQUAL(point->parameters[0].key, "overlay.peers");
        CU_ASSERT_STRING_EQUAL(point->parameters[1].key, "network.jitter");
        CU_ASSERT_EQUAL(strtoul(point->parameters[0].value, NULL, 10), peers[i]);
    }
}

static void scenario_sweep_base_need_not_be_valid(void)
{
    /* 2 successors cannot bear 3 replicas, but every point has more. */
    g_autoptr(Scenario) scenario = loaded("[scenario]\n[overlay]\nsuccessors = 2\nreplicas = 3\n"
                                          "[sweep]\noverlay.successors = 4, 8\n",
                                          NULL);

    CU_ASSERT_EQUAL(scenario->overlay.successors, 4);
}

static void scenario_set_on_a_swept_key_replaces_the_sweep(void)
{
    g_autoptr(Scenario) scenario = loaded(SWEEP, SETS("overlay.peers=7"));
    g_autoptr(Scenario) point = scenario_point(scenario, 1, NULL);
    g_autoptr(Scenario) other = loaded("[scenario]\n", SETS("sweep.overlay.peers=5,6"));

    CU_ASSERT_EQUAL(scenario->points, 2);
    CU_ASSERT_EQUAL(point->peers, 7);
    CU_ASSERT_EQUAL(point->parameters_len, 1);
    CU_ASSERT_EQUAL(other->points, 2);
}

static void scenario_refuses_bad_sweeps(void)
{
    refused("[scenario]\n[sweep]\noverlay.peerz = 1, 2\n", NULL, SCENARIO_ERROR_UNKNOWN,
            WORDS("dir/test.conf:3", "'peers'"));
    refused("[scenario]\n[sweep]\npeers = 1, 2\n", NULL, SCENARIO_ERROR_UNKNOWN,
            WORDS("dir/test.conf:3", "section.key"));
    refused("[scenario]\n[sweep]\noverlay.peers = 1,, 2\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "value 2", "empty"));
    refused("[scenario]\n[sweep]\noverlay.peers = 10, 0\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "value 0", "1 to 16000000"));
    refused("[scenario]\n[sweep]\nscenario.warmup = 1min, 2h\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "value 2h", "shorter"));
    refused("[scenario]\n[sweep]\nscenario.replications = 1, 2\n", NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:3", "scenario.replications", "share"));
    refused("[scenario]\n", SETS("sweep.scenario.name=a, b"), SCENARIO_ERROR_VALUE,
            WORDS("--set sweep.scenario.name", "share"));
}

static void scenario_may_begin_with_a_byte_order_mark(void)
{
    g_autoptr(Scenario) scenario = loaded("\xef\xbb\xbf[scenario]\r\nduration = 20min\r\n", NULL);

    CU_ASSERT_EQUAL(scenario->duration.ns, 1200 * PEAL_NS_PER_S);
    refused("\xef\xbb\xbf", NULL, SCENARIO_ERROR_FILE, WORDS("dir/test.conf", "no scenario"));
}

static void scenario_set_takes_any_utf8_and_nothing_else(void)
{
    refused("[scenario]\n", SETS("network.latency=matrix:/n\xc3\xb6/m.txt"), SCENARIO_ERROR_VALUE,
            WORDS("/n\xc3\xb6/m.txt", "no such file"));
    refused("[scenario]\n", SETS("network.latency=matrix:/n\xf6/m.txt"), SCENARIO_ERROR_SYNTAX,
            WORDS("--set", "UTF-8"));
}

static void scenario_replication_seeds_differ_and_start_with_the_seed(void)
{
    CU_ASSERT_EQUAL(scenario_replication_seed(42, 0), 42);
    for (uint32_t i = 1; i < 100; i++) {
        uint64_t seed = scenario_replication_seed(42, i);

        CU_ASSERT_TRUE(seed < UINT64_C(1) << 53);
        CU_ASSERT_NOT_EQUAL(seed, scenario_replication_seed(42, i - 1));
        CU_ASSERT_NOT_EQUAL(seed, scenario_replication_seed(43, i));
        CU_ASSERT_EQUAL(seed, scenario_replication_seed(42, i));
    }
}

static void collect_value(void *user, const char *key, const char *value)
{
    g_string_append_printf(user, "%s=%s\n", key, value);
}

static void scenario_values_in_force_are_all_visited(void)
{
    g_autoptr(Scenario) scenario =
        loaded("[scenario]\n[overlay]\nstart = converged\n[event:x]\nat = 90s\ndo = fail 5%\n",
               SETS("overlay.peers=77"));
    g_autoptr(GString) text = g_string_new(NULL);

    scenario_each_value(scenario, collect_value, text);
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, "overlay.peers=77\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, "overlay.start=converged\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, "overlay.replicas=2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text->str, "event:x.do=fail 5% of peers at 90s\n"));
}

/* A file in a directory of its own, both removed by `gone`. */
typedef struct TempFile {
    char *directory;
    char *path;
} TempFile;

/* has tells whether an error's message contains a word. */
static bool has(const GError *error, const char *word)
{
    return error != NULL && strstr(error->message, word) != NULL;
}

static TempFile temp_file(const char *name, const char *text)
{
    TempFile file = {.directory = g_dir_make_tmp("peal-XXXXXX", NULL)};

    CU_ASSERT_PTR_NOT_NULL_FATAL(file.directory);
    file.path = g_build_filename(file.directory, name, NULL);
    CU_ASSERT_TRUE_FATAL(g_file_set_contents(file.path, text, -1, NULL));
    return file;
}

static void gone(TempFile *file)
{
    g_unlink(file->path);
    g_rmdir(file->directory);
    g_free(file->path);
    g_free(file->directory);
}

#define MATRIX_SCENARIO "[scenario]\n[overlay]\npeers = 3\n[network]\nlatency = matrix:rtt.txt\n"

static void scenario_finds_a_matrix_beside_the_file_and_checks_it(void)
{
    TempFile file = temp_file("rtt.txt", "0 10 20\n10 0 30\n20 30 0\n");
    g_autofree char *path = g_build_filename(file.directory, "x.conf", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario =
        scenario_load_text(path, MATRIX_SCENARIO, strlen(MATRIX_SCENARIO), NULL, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_STRING_EQUAL(scenario->network.latency_file, file.path);
    CU_ASSERT_PTR_NULL(scenario_load_text(path, MATRIX_SCENARIO, strlen(MATRIX_SCENARIO),
                                          SETS("overlay.peers=4"), &error));
    CU_ASSERT_TRUE(has(error, "x.conf:5: network.latency"));
    CU_ASSERT_TRUE(has(error, "3 hosts"));
    CU_ASSERT_TRUE(has(error, "4 peers"));
    CU_ASSERT_TRUE(has(error, "network.hosts = shared"));
    gone(&file);
}

static void scenario_names_the_hole_of_a_matrix(void)
{
    TempFile file = temp_file("rtt.txt", "0 10 20\n10 nan 30\n20 30 0\n");
    g_autofree char *path = g_build_filename(file.directory, "x.conf", NULL);
    g_autoptr(GError) error = NULL;

    CU_ASSERT_PTR_NULL(
        scenario_load_text(path, MATRIX_SCENARIO, strlen(MATRIX_SCENARIO), NULL, &error));
    CU_ASSERT_TRUE(g_error_matches(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK));
    CU_ASSERT_TRUE(has(error, "x.conf:5: network.latency"));
    CU_ASSERT_TRUE(has(error, "rtt.txt:2:4: 'nan'"));
    gone(&file);
}

static void scenario_names_a_missing_matrix(void)
{
    refused(MATRIX_SCENARIO, NULL, SCENARIO_ERROR_VALUE,
            WORDS("dir/test.conf:5", "network.latency", "no such file", "dir/rtt.txt"));
}

static void scenario_files_of_the_project_load(void)
{
    g_autofree char *directory = g_build_filename(g_getenv("PEAL_SOURCE_ROOT"), "scenarios", NULL);
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    const char *name;
    guint count = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_autoptr(GError) error = NULL;

        if (!g_str_has_suffix(name, ".conf")) {
            continue;
        }
        g_autoptr(Scenario) scenario = scenario_load(path, NULL, &error);

        if (error != NULL) {
            printf("# %s\n", error->message);
        }
        CU_ASSERT_PTR_NOT_NULL(scenario);
        count++;
    }
    CU_ASSERT_TRUE(count >= 6);
}

PEAL_TEST_MAIN(
    "scenarios/scenario", PEAL_TEST(scenario_defaults_are_the_documented_ones),
    PEAL_TEST(scenario_overlay_defaults_agree_with_core),
    PEAL_TEST(scenario_reads_values_of_every_type),
    PEAL_TEST(scenario_fingers_grow_with_the_overlay),
    PEAL_TEST(scenario_names_line_key_and_nearest_of_an_unknown_key),
    PEAL_TEST(scenario_names_both_lines_of_a_duplicate),
    PEAL_TEST(scenario_names_line_key_and_range_of_a_bad_value),
    PEAL_TEST(scenario_refuses_contradictions),
    PEAL_TEST(scenario_clamps_default_replicas_to_successors),
    PEAL_TEST(scenario_refuses_what_is_not_available_and_says_so),
    PEAL_TEST(scenario_refuses_what_is_no_scenario), PEAL_TEST(scenario_load_names_a_missing_file),
    PEAL_TEST(scenario_set_replaces_a_value_and_needs_its_form),
    PEAL_TEST(scenario_events_come_in_the_order_of_time), PEAL_TEST(scenario_refuses_bad_events),
    PEAL_TEST(scenario_events_name_a_peer_by_its_index),
    PEAL_TEST(scenario_with_a_server_has_keys_of_the_ring_and_a_limit),
    PEAL_TEST(scenario_sweep_crosses_its_lists), PEAL_TEST(scenario_sweep_base_need_not_be_valid),
    PEAL_TEST(scenario_set_on_a_swept_key_replaces_the_sweep),
    PEAL_TEST(scenario_refuses_bad_sweeps), PEAL_TEST(scenario_may_begin_with_a_byte_order_mark),
    PEAL_TEST(scenario_set_takes_any_utf8_and_nothing_else),
    PEAL_TEST(scenario_replication_seeds_differ_and_start_with_the_seed),
    PEAL_TEST(scenario_values_in_force_are_all_visited),
    PEAL_TEST(scenario_finds_a_matrix_beside_the_file_and_checks_it),
    PEAL_TEST(scenario_names_the_hole_of_a_matrix), PEAL_TEST(scenario_names_a_missing_matrix),
    PEAL_TEST(scenario_files_of_the_project_load))
