/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_agenda.c - peers come and go by a plan: the steady state, lengths, order, targets. */
#include <glib/gstdio.h>
#include <math.h>
#include <scenarios/plan.h>
#include <string.h>

#include "peal_test.h"

static Scenario *loaded(const char *text)
{
    g_autoptr(GError) error = NULL;
    Scenario *scenario = scenario_load_text("test.conf", text, strlen(text), NULL, &error);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

static GArray *actions_of(Plan *plan, PealSpan step)
{
    GArray *actions = g_array_new(FALSE, FALSE, sizeof(PlanAction));
    PealTime until = {step.ns};
    PlanAction action;

    for (; plan_peek(plan).ns != INT64_MAX; until = peal_time_add(until, step)) {
        while (plan_next(plan, until, &action)) {
            g_array_append_val(actions, action);
        }
    }
    return actions;
}

static const PlanAction *at(const GArray *actions, guint i)
{
    return &g_array_index(actions, PlanAction, i);
}

#define KAD                                                     \
    "[churn]\nsession = weibull(shape=0.615, scale=169.5min)\n" \
    "absence = weibull(shape=0.476, scale=413.7min)\nleaves = 30%\n"
#define QUIET "[workload]\nusers-per-peer = 0\nlookups-per-peer-hour = 0\n"

/* What a plan says of each peer, followed through time. */
typedef struct Watch {
    GArray *actions;
    uint32_t identities;
    bool *up;
    uint32_t online;
    double online_area; /* peers times ns */
    int64_t last_ns;
    uint32_t starts, returns, crashes, leaves;
} Watch;

static void watch_begin(Watch *watch, const Scenario *scenario, uint64_t seed)
{
    g_autoptr(Plan) plan = plan_new(scenario, seed);

    *watch = (Watch){.identities = scenario_identities(scenario)};
    watch->up = g_new0(bool, watch->identities);
    for (uint32_t i = 0; scenario->start == SCENARIO_START_CONVERGED && i < watch->identities;
         i++) {
        watch->up[i] = plan_is_first(plan, i);
        watch->online += watch->up[i];
    }
    watch->actions = actions_of(plan, peal_seconds(3600));
}

static void watch_end(Watch *watch)
{
    g_array_unref(watch->actions);
    g_free(watch->up);
}

static void watch_action(Watch *watch, const PlanAction *action)
{
    watch->online_area += (double)watch->online * (double)(action->at.ns - watch->last_ns);
    watch->last_ns = action->at.ns;
    if (action->kind == PLAN_START) {
        CU_ASSERT_FALSE(watch->up[action->peer]);
        watch->up[action->peer] = true;
        watch->online++;
        watch->starts += !action->again;
        watch->returns += action->again;
    } else if (action->kind == PLAN_STOP) {
        CU_ASSERT_TRUE(watch->up[action->peer]);
        watch->up[action->peer] = false;
        watch->online--;
        watch->crashes += !action->graceful;
        watch->leaves += action->graceful;
    }
}

/* Five days: the mean number online is what was asked for from the first day on, and turns
 * come at the rate of one a mean session and absence. */
static void agenda_is_in_the_steady_state_from_the_start(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 5d\nwarmup = 0s\n[overlay]\n"
                                          "start = converged\npeers = 400\n" KAD QUIET);
    double cycle_s = (247.1 + 909.9) * 60;
    double days = 0;
    Watch watch;

    watch_begin(&watch, scenario, 1);
    /* 1873 peers with probability .2136 each: a deviation of 18. */
    CU_ASSERT_DOUBLE_EQUAL(watch.online, 400, 65);
    for (guint i = 0; i < watch.actions->len; i++) {
        watch_action(&watch, at(watch.actions, i));
        if (days == 0 && watch.last_ns >= 86400 * PEAL_NS_PER_S) {
            days = 1;
            CU_ASSERT_DOUBLE_EQUAL(watch.online_area / (double)watch.last_ns, 400, 40);
            CU_ASSERT_DOUBLE_EQUAL(watch.starts + watch.returns, 1873 * 86400.0 / cycle_s, 200);
        }
    }
    CU_ASSERT_DOUBLE_EQUAL(watch.online_area / (double)watch.last_ns, 400, 30);
    CU_ASSERT_DOUBLE_EQUAL(watch.starts + watch.returns, 5 * 1873 * 86400.0 / cycle_s,
                           .03 * 5 * 1873 * 86400.0 / cycle_s);
    CU_ASSERT_DOUBLE_EQUAL((double)watch.leaves / (watch.leaves + watch.crashes), .3, .015);
    watch_end(&watch);
}

static void agenda_does_not_depend_on_how_it_is_fetched(void)
{
    g_autoptr(Scenario) scenario =
        loaded("[scenario]\nduration = 2h\nwarmup = 0s\n[overlay]\npeers = 50\n[churn]\n"
               "session = exponential(mean=2min)\nabsence = exponential(mean=3min)\n"
               "diurnal = 80%\ndiurnal-period = 1h\nleaves = 50%\n"
               "[workload]\nlookup-target = online\nlookups-per-peer-hour = 100\n"
               "calls-per-user-hour = 20\ncall-target = online\n"
               "[event:crowd]\nat = 1h\ndo = join 20 over 5min\n");
    g_autoptr(Plan) one = plan_new(scenario, 9);
    g_autoptr(Plan) two = plan_new(scenario, 9);
    g_autoptr(GArray) coarse = actions_of(one, peal_seconds(10000));
    g_autoptr(GArray) fine = actions_of(two, peal_ms(77));

    CU_ASSERT_EQUAL_FATAL(coarse->len, fine->len);
    CU_ASSERT_EQUAL(memcmp(coarse->data, fine->data, coarse->len * sizeof(PlanAction)), 0);
    for (guint i = 1; i < coarse->len; i++) {
        CU_ASSERT_TRUE(at(coarse, i - 1)->at.ns <= at(coarse, i)->at.ns);
    }
}

/* Each peer: up and down in turns, its users registered once and after its first start; lookups
 * only behind that; targets that are up, but never itself. */
static void agenda_turns_alternate_and_targets_are_online(void)
{
    g_autoptr(Scenario) scenario =
        loaded("[scenario]\nduration = 1h\nwarmup = 0s\n[overlay]\npeers = 50\n"
               "join-interval = 1s\n[churn]\n"
               "session = weibull(shape=0.6, mean=3min)\nabsence = pareto(shape=1.5, mean=5min)\n"
               "[workload]\nusers-per-peer = 2\nlookup-target = online\n"
               "lookups-per-peer-hour = 100\n"
               "[event:crowd]\nat = 30min\ndo = join 20 over 5min\n");
    uint32_t lookups = 0;
    bool registered[200][2] = {{false}};
    Watch watch;
    PealTime crowd_last = {0};

    watch_begin(&watch, scenario, 3);
    CU_ASSERT_EQUAL_FATAL(watch.identities, 153);
    for (guint i = 0; i < watch.actions->len; i++) {
        const PlanAction *action = at(watch.actions, i);

        watch_action(&watch, action);
        if (action->kind == PLAN_START && !action->again) {
            CU_ASSERT_EQUAL(action->others == 0, watch.starts == 1);
            CU_ASSERT_TRUE(action->others <= watch.identities);
            CU_ASSERT_FALSE(registered[action->peer][0]);
            crowd_last = action->peer >= 133 ? action->at : crowd_last;
        } else if (action->kind == PLAN_REGISTER) {
            CU_ASSERT_TRUE(watch.up[action->peer]);
            CU_ASSERT_FALSE(registered[action->peer][action->user]);
            registered[action->peer][action->user] = true;
        } else if (action->kind == PLAN_LOOKUP) {
            CU_ASSERT_TRUE(registered[action->peer][0]);
            CU_ASSERT_TRUE(watch.up[action->target_peer]);
            CU_ASSERT_TRUE(action->target_peer != action->peer || watch.online == 1);
            lookups++;
        }
    }
    CU_ASSERT_EQUAL(crowd_last.ns, (30 * 60 + 19 * 15) * PEAL_NS_PER_S);
    CU_ASSERT_TRUE(lookups > 5000);
    CU_ASSERT_TRUE(watch.returns > 300);
    CU_ASSERT_EQUAL(watch.leaves, 0);
    watch_end(&watch);
}

/* Arrivals follow 1 + a sin(2 pi t / P): with a = 1 nearly none in the trough, and in the first
 * half of the period (1 + 2 / pi) / (1 - 2 / pi) times as many as in the second. */
static void agenda_returns_follow_the_day(void)
{
    g_autoptr(Scenario) scenario =
        loaded("[scenario]\nduration = 1d\nwarmup = 0s\n[overlay]\nstart = converged\n"
               "peers = 3\n[churn]\nsession = exponential(mean=1min)\n"
               "absence = exponential(mean=10h)\ndiurnal = 100%\n" QUIET);
    double halves[2] = {0};
    double trough = 0;
    Watch watch;

    watch_begin(&watch, scenario, 4);
    for (guint i = 0; i < watch.actions->len; i++) {
        const PlanAction *action = at(watch.actions, i);
        double hour = (double)action->at.ns / 3600e9;

        if (action->kind == PLAN_START) {
            halves[hour >= 12]++;
            trough += hour >= 17 && hour < 19;
        }
    }
    /* 1803 peers that return once in 601 min on average: a deviation of 66. */
    CU_ASSERT_DOUBLE_EQUAL(halves[0] + halves[1], 1803 * 1440 / 601.0, 230);
    CU_ASSERT_DOUBLE_EQUAL(halves[0] / halves[1], (1 + 2 / G_PI) / (1 - 2 / G_PI), .45);
    CU_ASSERT_DOUBLE_EQUAL(trough / (halves[0] + halves[1]), .00095, .002);
    watch_end(&watch);
}

static void agenda_follows_a_trace(void)
{
    static const char lines[] = "0 0 up\n0 2 up\n0 3 up\n0.2 3 down\n5 1 up\n7 0 down\n7 0 up\n"
                                "9 3 up\n10 2 down\n";
    static const struct {
        int64_t ms;
        PlanKind kind;
        uint32_t peer;
        bool again;
    } expected[] = {
        {0, PLAN_START, 0, false},    {250, PLAN_START, 2, false}, {5000, PLAN_START, 1, false},
        {7000, PLAN_STOP, 0, false},  {7000, PLAN_START, 0, true}, {9000, PLAN_START, 3, false},
        {10000, PLAN_STOP, 2, false},
    };
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    int fd = g_file_open_tmp("peal-trace-XXXXXX", &path, NULL);

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_TRUE(g_close(fd, NULL));
    CU_ASSERT_TRUE(g_file_set_contents(path, lines, -1, NULL));
    text = g_strdup_printf("[scenario]\nduration = 1min\nwarmup = 0s\n[overlay]\npeers = 4\n"
                           "join-interval = 250ms\n[churn]\nsession = trace:%s\n" QUIET,
                           path);
    g_autoptr(Scenario) scenario = loaded(text);
    g_autoptr(Plan) plan = plan_new(scenario, 1);
    g_autoptr(GArray) actions = actions_of(plan, peal_seconds(1));

    g_unlink(path);
    CU_ASSERT_EQUAL_FATAL(actions->len, G_N_ELEMENTS(expected));
    for (guint i = 0; i < actions->len; i++) {
        CU_ASSERT_EQUAL(at(actions, i)->at.ns, expected[i].ms * PEAL_NS_PER_MS);
        CU_ASSERT_EQUAL(at(actions, i)->kind, expected[i].kind);
        CU_ASSERT_EQUAL(at(actions, i)->peer, expected[i].peer);
        CU_ASSERT_EQUAL(at(actions, i)->again, expected[i].again);
    }
    CU_ASSERT_TRUE(plan_is_first(plan, 0));
    CU_ASSERT_FALSE(plan_is_first(plan, 1));
}

static void agenda_of_a_central_overlay_keeps_the_server(void)
{
    g_autoptr(Scenario) scenario =
        loaded("[scenario]\nduration = 2h\nwarmup = 0s\n[overlay]\ntopology = central\npeers = 20\n"
               "[churn]\nsession = exponential(mean=1min)\nabsence = exponential(mean=1min)\n");
    Watch watch;

    watch_begin(&watch, scenario, 1);
    CU_ASSERT_EQUAL(at(watch.actions, 0)->kind, PLAN_START);
    CU_ASSERT_EQUAL(at(watch.actions, 0)->peer, 0);
    for (guint i = 0; i < watch.actions->len; i++) {
        CU_ASSERT_FALSE(at(watch.actions, i)->kind == PLAN_STOP && at(watch.actions, i)->peer == 0);
    }
    watch_end(&watch);
}

PEAL_TEST_MAIN("scenarios/agenda", PEAL_TEST(agenda_is_in_the_steady_state_from_the_start),
               PEAL_TEST(agenda_does_not_depend_on_how_it_is_fetched),
               PEAL_TEST(agenda_turns_alternate_and_targets_are_online),
               PEAL_TEST(agenda_returns_follow_the_day), PEAL_TEST(agenda_follows_a_trace),
               PEAL_TEST(agenda_of_a_central_overlay_keeps_the_server))
