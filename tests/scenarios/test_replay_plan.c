/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_replay_plan.c - a scenario with a recorded workload: its keys, and what happens when. */
#include <glib/gstdio.h>
#include <inttypes.h>
#include <peal/phone.h>
#include <scenarios/plan.h>
#include <scenarios/replay.h>
#include <scenarios/scenario.h>

#include "peal_test.h"

/* Bob takes his registration away twice, once before he is called. */
static const char TRACE[] = "peal-workload 1\n"
                            "user sip:alice@other.example address=10.0.0.1 place=2\n"
                            "user sip:bob@other.example address=10.0.0.2\n"
                            "user sip:carol@other.example address=10.0.0.1 place=2\n"
                            "register 0 0 600\n"
                            "register 1.5 1 5\n"
                            "register 2 1 0\n"
                            "register 9 1 0\n"
                            "call 3.25 0 1 answered 200 final=2 talk=61 last=63\n"
                            "call 3.25 0 1 answered 200 final=2 talk=61 last=63 by=callee\n"
                            "call 4 2 0 refused 603 final=3 last=3\n";

/* A directory with the trace and a scenario beside it. */
typedef struct Place {
    char *directory;
    char *trace;
    char *conf;
} Place;

static Place place_new(const char *trace)
{
    Place place = {.directory = g_dir_make_tmp("peal-replay-XXXXXX", NULL)};

    place.trace = g_build_filename(place.directory, "x.calls", NULL);
    place.conf = g_build_filename(place.directory, "x.conf", NULL);
    CU_ASSERT_TRUE_FATAL(g_file_set_contents(place.trace, trace, -1, NULL));
    return place;
}

static void place_free(Place *place)
{
    (void)g_unlink(place->trace);
    (void)g_rmdir(place->directory);
    g_free(place->directory);
    g_free(place->trace);
    g_free(place->conf);
}

static Scenario *load(const Place *place, const char *keys, GError **error)
{
    g_autofree char *text =
        g_strconcat("[scenario]\nduration = 10min\nwarmup = 0s\n[overlay]\n"
                    "peers = 4\nstart = converged\n[workload]\ntrace = x.calls\n",
                    keys, NULL);

    return scenario_load_text(place->conf, text, strlen(text), NULL, error);
}

static Scenario *loaded(const Place *place, const char *keys)
{
    g_autoptr(GError) error = NULL;
    Scenario *scenario = load(place, keys, &error);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

static void refused(const Place *place, const char *keys, const char *one, const char *two)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = load(place, keys, &error);

    CU_ASSERT_PTR_NULL(scenario);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    if (strstr(error->message, one) == NULL || strstr(error->message, two) == NULL) {
        printf("# no '%s' or '%s' in: %s\n", one, two, error->message);
        CU_FAIL("a text is missing from the message");
    }
}

static void replay_scenario_has_the_traces_users_in_its_own_domain(void)
{
    Place place = place_new(TRACE);
    g_autoptr(Scenario) turn = loaded(&place, "");
    g_autoptr(Scenario) source = loaded(&place, "trace-users = source\n");
    g_autoptr(Scenario) map = loaded(&place, "trace-users = map\n");
    char text[PLAN_AOR_MAX];
    PealStr aor = scenario_aor(turn, 1, 0, text);

    CU_ASSERT_TRUE(scenario_has_calls(turn));
    CU_ASSERT_EQUAL(turn->workload.users_per_peer, 1);
    CU_ASSERT_EQUAL(source->workload.users_per_peer, 2);
    CU_ASSERT_EQUAL(map->workload.users_per_peer, 2);
    CU_ASSERT_TRUE(aor.len == strlen("sip:bob@example.org") &&
                   memcmp(aor.ptr, "sip:bob@example.org", aor.len) == 0);
    aor = scenario_aor(turn, 3, 0, text); /* there lives nobody */
    CU_ASSERT_TRUE(aor.len == strlen("sip:u0.p3@example.org") &&
                   memcmp(aor.ptr, "sip:u0.p3@example.org", aor.len) == 0);
    CU_ASSERT_EQUAL(replay_user_at(map->workload.replay, 2, 1), 2);
    CU_ASSERT_EQUAL(scenario_register_expires_s(turn, 1, 0, 0), 600);
    CU_ASSERT_EQUAL(scenario_register_expires_s(turn, 1, 1, 0), 3600); /* 5 s are too few */
    place_free(&place);
}

static void replay_scenario_that_contradicts_itself_is_refused(void)
{
    Place place = place_new(TRACE);
    Place broken = place_new("peal-workload 1\nuser nobody\n");
    Place empty = place_new("peal-workload 1\n");

    refused(&place, "calls-per-user-hour = 1\n", "calls-per-user-hour", "workload.trace");
    refused(&place, "call-interval = exponential(mean=1s)\n", "call-interval", "workload.trace");
    refused(&place, "trace-users = elsewhere\n", "trace-users", "round-robin");
    refused(&place, "trace-start = soon\n", "trace-start", "");
    refused(&place, "trace-users = map\n[overlay]\npeers = 2\n", "", "");
    refused(&broken, "", "x.calls:2: ", "x.conf");
    refused(&empty, "", "no users", "x.conf");
    (void)g_unlink(empty.trace);
    refused(&empty, "", "no such file", "workload.trace");
    place_free(&place);
    place_free(&broken);
    place_free(&empty);
}

static void replay_scenario_bounds_the_users_of_a_peer(void)
{
    g_autoptr(GString) trace = g_string_new("peal-workload 1\n");
    Place place;

    for (int i = 0; i <= 1000; i++) {
        g_string_append_printf(trace, "user sip:u%d@h address=10.0.0.1\n", i);
    }
    place = place_new(trace->str);
    refused(&place, "trace-users = source\n", "1001 users", "round-robin");
    place_free(&place);
}

static void replay_trace_begins_after_warmup_joins_and_registrations(void)
{
    Place place = place_new(TRACE);
    g_autoptr(Scenario) converged = loaded(&place, "");
    g_autoptr(GError) error = NULL;
    static const char JOINS[] = "[scenario]\nduration = 10min\nwarmup = 0s\n[overlay]\npeers = 4\n"
                                "start = joins\njoin-interval = 5s\n[workload]\n"
                                "trace = x.calls\ntrace-start = 10s\n";
    static const char WARM[] = "[scenario]\nduration = 10min\nwarmup = 2min\n[overlay]\npeers = 4\n"
                               "[workload]\ntrace = x.calls\n";
    g_autoptr(Scenario) joins = scenario_load_text(place.conf, JOINS, strlen(JOINS), NULL, &error);
    g_autoptr(Scenario) warm = scenario_load_text(place.conf, WARM, strlen(WARM), NULL, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(joins);
    CU_ASSERT_PTR_NOT_NULL_FATAL(warm);
    CU_ASSERT_EQUAL(scenario_trace_start(converged).ns,
                    PLAN_REGISTER_SPREAD.ns + 10 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(scenario_trace_start(joins).ns, 50 * PEAL_NS_PER_S);
    CU_ASSERT_EQUAL(scenario_trace_start(warm).ns, 120 * PEAL_NS_PER_S);
    /* The last call ends 66.25 s after the trace's begin. */
    CU_ASSERT_EQUAL(scenario_trace_duration(warm).ns,
                    (120 + 66) * PEAL_NS_PER_S + 250 * PEAL_NS_PER_MS + SCENARIO_TRACE_TAIL.ns);
    place_free(&place);
}

/* What the plan has users do, but for lookups, a line each. */
static char *plan_text(const Scenario *scenario)
{
    g_autoptr(Plan) plan = plan_new(scenario, 7);
    GString *text = g_string_new(NULL);
    PlanAction action;
    PealTime before = {0};

    for (;;) {
        PealTime next = plan_peek(plan);

        if (!plan_next(plan, PEAL_TIME_NEVER, &action)) {
            break;
        }
        CU_ASSERT_EQUAL(next.ns, action.at.ns);
        CU_ASSERT_TRUE(action.at.ns >= before.ns);
        before = action.at;
        if (action.kind == PLAN_CALL) {
            g_string_append_printf(text, "%" PRId64 " call %u: %u.%u to %u.%u\n",
                                   action.at.ns / PEAL_NS_PER_MS, action.call, action.peer,
                                   action.user, action.target_peer, action.target_user);
        } else if (action.kind == PLAN_REGISTER && action.at.ns >= PLAN_REGISTER_SPREAD.ns) {
            g_string_append_printf(text, "%" PRId64 " register %u.%u %u\n",
                                   action.at.ns / PEAL_NS_PER_MS, action.peer, action.user,
                                   action.expires_s);
        } else if (action.kind == PLAN_REGISTER) {
            g_string_append_printf(text, "first %u.%u\n", action.peer, action.user);
        } else if (action.kind == PLAN_UNREGISTER) {
            g_string_append_printf(text, "%" PRId64 " unregister %u.%u\n",
                                   action.at.ns / PEAL_NS_PER_MS, action.peer, action.user);
        }
    }
    return g_string_free(text, FALSE);
}

static void replay_plan_registers_everybody_first_and_then_does_as_the_trace(void)
{
    Place place = place_new(TRACE);
    g_autoptr(Scenario) scenario = loaded(&place, "trace-users = map\ntrace-start = 30s\n");
    g_autofree char *text = plan_text(scenario);
    const char *deeds = strstr(text, "30000 ");

    if (deeds == NULL) {
        printf("# %s\n", text);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(deeds);
    CU_ASSERT_EQUAL(deeds - text, 3 * strlen("first 2.1\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "first 0.0\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "first 2.0\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "first 2.1\n"));
    CU_ASSERT_STRING_EQUAL(deeds, "30000 register 2.0 600\n"
                                  "31500 register 0.0 10\n"
                                  "33250 call 0: 2.0 to 0.0\n"
                                  "33250 call 1: 2.0 to 0.0\n"
                                  "34000 call 2: 2.1 to 2.0\n"
                                  "39000 unregister 0.0\n");
    place_free(&place);
}

static void replay_plan_does_nothing_after_the_end(void)
{
    Place place = place_new(TRACE);
    g_autoptr(Scenario) scenario = loaded(&place, "trace-start = 597s\n");
    g_autofree char *text = plan_text(scenario);

    CU_ASSERT_PTR_NOT_NULL(strstr(text, "598500 register"));
    CU_ASSERT_PTR_NULL(strstr(text, "call"));
    place_free(&place);
}

static void replay_plan_looks_up_users_that_there_are(void)
{
    Place place = place_new(TRACE);
    g_autoptr(Scenario) scenario =
        loaded(&place, "trace-users = map\nlookups-per-peer-hour = 3600\n");
    g_autoptr(Plan) plan = plan_new(scenario, 7);
    uint32_t asked[3] = {0};
    PlanAction action;

    while (plan_next(plan, PEAL_TIME_NEVER, &action)) {
        if (action.kind == PLAN_LOOKUP) {
            uint32_t user =
                replay_user_at(scenario->workload.replay, action.target_peer, action.target_user);

            CU_ASSERT_TRUE_FATAL(user < 3);
            CU_ASSERT_NOT_EQUAL(action.target_peer, action.peer);
            asked[user]++;
        }
    }
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(asked[i] > 300);
    }
    place_free(&place);
}

/* Peers that have not come are no targets: with joins, alice's peer is the last but one. */
static void replay_plan_looks_up_nobody_who_has_not_come(void)
{
    static const char JOINS[] = "[scenario]\nduration = 10min\nwarmup = 0s\n[overlay]\npeers = 4\n"
                                "start = joins\njoin-interval = 1min\n[workload]\n"
                                "lookups-per-peer-hour = 3600\ntrace = x.calls\n"
                                "trace-users = map\n";
    Place place = place_new(TRACE);
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario =
        scenario_load_text(place.conf, JOINS, strlen(JOINS), NULL, &error);
    g_autoptr(Plan) plan = plan_new(scenario, 7);
    uint32_t started = 0;
    PlanAction action;

    while (plan_next(plan, PEAL_TIME_NEVER, &action)) {
        started += action.kind == PLAN_START;
        if (action.kind == PLAN_LOOKUP) {
            CU_ASSERT_TRUE(action.target_peer < started);
        }
    }
    CU_ASSERT_EQUAL(started, 4);
    place_free(&place);
}

static void replay_attacks_know_the_traces_users(void)
{
    Place place = place_new(TRACE);
    g_autoptr(Scenario) flood =
        loaded(&place,
               "[attack:x]\nkind = sip-flood\nphones = 2\nrate = 1/s\ntarget = user 0 of peer 2\n");

    CU_ASSERT_EQUAL(flood->attacks_len, 1);
    refused(&place,
            "[attack:x]\nkind = sip-flood\nphones = 2\nrate = 1/s\ntarget = user 0 of peer 3\n",
            "peer 3", "");
    place_free(&place);
}

static void replay_scenario_sweeps(void)
{
    Place place = place_new(TRACE);
    g_autoptr(Scenario) scenario = loaded(&place, "[sweep]\noverlay.peers = 4, 8\n"
                                                  "workload.trace-users = map, source\n");

    CU_ASSERT_EQUAL(scenario->points, 4);
    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, NULL);

        CU_ASSERT_PTR_NOT_NULL_FATAL(point);
        CU_ASSERT_EQUAL(point->workload.replay->peers, i < 2 ? 4 : 8);
    }
    place_free(&place);
}

PEAL_TEST_MAIN("scenarios/replay_plan",
               PEAL_TEST(replay_scenario_has_the_traces_users_in_its_own_domain),
               PEAL_TEST(replay_scenario_that_contradicts_itself_is_refused),
               PEAL_TEST(replay_scenario_bounds_the_users_of_a_peer),
               PEAL_TEST(replay_trace_begins_after_warmup_joins_and_registrations),
               PEAL_TEST(replay_plan_registers_everybody_first_and_then_does_as_the_trace),
               PEAL_TEST(replay_plan_does_nothing_after_the_end),
               PEAL_TEST(replay_plan_looks_up_users_that_there_are),
               PEAL_TEST(replay_plan_looks_up_nobody_who_has_not_come),
               PEAL_TEST(replay_attacks_know_the_traces_users), PEAL_TEST(replay_scenario_sweeps))
