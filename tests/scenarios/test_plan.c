/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_plan.c - what happens when: order, rates, targets; a plan is a function of its seed. */
#include <math.h>
#include <scenarios/plan.h>

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

/* All actions of a plan, fetched in steps of `step`. */
static GArray *actions_of(const Scenario *scenario, uint64_t seed, PealSpan step)
{
    GArray *actions = g_array_new(FALSE, FALSE, sizeof(PlanAction));
    g_autoptr(Plan) plan = plan_new(scenario, seed);
    PealTime until = {step.ns};
    PlanAction action;

    for (; plan_peek(plan).ns != INT64_MAX; until = peal_time_add(until, step)) {
        while (plan_next(plan, until, &action)) {
            CU_ASSERT_TRUE(action.at.ns < until.ns);
            g_array_append_val(actions, action);
        }
    }
    CU_ASSERT_FALSE(plan_next(plan, PEAL_TIME_NEVER, &action));
    return actions;
}

static const PlanAction *at(const GArray *actions, guint i)
{
    return &g_array_index(actions, PlanAction, i);
}

static bool same_action(const PlanAction *a, const PlanAction *b)
{
    return a->at.ns == b->at.ns && a->kind == b->kind && a->event == b->event &&
           a->peer == b->peer && a->others == b->others && a->user == b->user &&
           a->number == b->number && a->keyed == b->keyed && a->target_peer == b->target_peer &&
           a->target_user == b->target_user && a->duration.ns == b->duration.ns &&
           peal_id_equal(&a->key, &b->key);
}

#define CONVERGED_RANDOM                           \
    "[scenario]\nduration = 100s\nwarmup = 0s\n"   \
    "[overlay]\npeers = 1000\nstart = converged\n" \
    "[workload]\nusers-per-peer = 0\nlookups-per-peer-hour = 360\nlookup-target = random\n"

static void plan_does_not_depend_on_how_it_is_fetched(void)
{
    g_autoptr(Scenario) scenario = loaded(CONVERGED_RANDOM);
    g_autoptr(GArray) coarse = actions_of(scenario, 1, peal_seconds(1000));
    g_autoptr(GArray) fine = actions_of(scenario, 1, peal_us(777));

    CU_ASSERT_EQUAL_FATAL(coarse->len, fine->len);
    CU_ASSERT_EQUAL(memcmp(coarse->data, fine->data, coarse->len * sizeof(PlanAction)), 0);
}

static void plan_follows_the_seed(void)
{
    g_autoptr(Scenario) scenario = loaded(CONVERGED_RANDOM);
    g_autoptr(GArray) one = actions_of(scenario, 1, peal_seconds(10));
    g_autoptr(GArray) two = actions_of(scenario, 2, peal_seconds(10));

    CU_ASSERT_NOT_EQUAL(at(one, 0)->at.ns, at(two, 0)->at.ns);
    CU_ASSERT_FALSE(peal_id_equal(&at(one, 0)->key, &at(two, 0)->key));
}

static void plan_actions_come_in_order(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 20min\n"
                                          "[overlay]\npeers = 100\n"
                                          "[event:a]\nat = 7min\ndo = fail 5%\n"
                                          "[event:b]\nat = 9min\ndo = join 10\n");
    g_autoptr(GArray) actions = actions_of(scenario, 3, peal_seconds(60));

    for (guint i = 1; i < actions->len; i++) {
        const PlanAction *before = at(actions, i - 1);
        const PlanAction *now = at(actions, i);

        CU_ASSERT_TRUE(before->at.ns <= now->at.ns);
        CU_ASSERT_TRUE(before->at.ns < now->at.ns || before->kind == PLAN_EVENT ||
                       before->peer <= now->peer);
        CU_ASSERT_TRUE(now->at.ns < scenario->duration.ns);
        CU_ASSERT_EQUAL(now->at.ns % PEAL_NS_PER_US, 0);
    }
}

/* Mean and variance of the intervals between one peer's lookups, over all peers. */
static void plan_lookups_are_poisson_at_the_stated_rate(void)
{
    g_autoptr(Scenario) scenario = loaded(CONVERGED_RANDOM);
    g_autoptr(GArray) actions = actions_of(scenario, 4, peal_seconds(10));
    int64_t last[1000] = {0};
    uint32_t counts[1000] = {0};
    double sum = 0;
    double squares = 0;
    double n = actions->len;
    double variance_of_counts = 0;

    /* 1000 peers, 100 s, one every 10 s: 10,000, with a deviation of 100. */
    CU_ASSERT_DOUBLE_EQUAL(n, 10000, 300);
    for (guint i = 0; i < actions->len; i++) {
        const PlanAction *action = at(actions, i);
        double interval = (double)(action->at.ns - last[action->peer]) / 1e9;

        CU_ASSERT_EQUAL(action->kind, PLAN_LOOKUP);
        CU_ASSERT_EQUAL(action->number, counts[action->peer]);
        last[action->peer] = action->at.ns;
        counts[action->peer]++;
        sum += interval;
        squares += interval * interval;
    }
    /* Of exponential intervals, those that fit into 100 s: a little shorter than 10 s. */
    CU_ASSERT_DOUBLE_EQUAL(sum / n, 9.1, .3);
    CU_ASSERT_DOUBLE_EQUAL(squares / n / (sum / n) / (sum / n), 2, .15);
    for (guint i = 0; i < 1000; i++) {
        variance_of_counts += (counts[i] - n / 1000) * (counts[i] - n / 1000) / 999;
    }
    CU_ASSERT_DOUBLE_EQUAL(variance_of_counts, 10, 1.5);
}

static void plan_random_keys_are_uniform(void)
{
    g_autoptr(Scenario) scenario = loaded(CONVERGED_RANDOM);
    g_autoptr(GArray) actions = actions_of(scenario, 5, peal_seconds(10));
    uint32_t high[16] = {0};
    uint32_t low[16] = {0};
    double expected = actions->len / 16.0;
    double chi_high = 0;
    double chi_low = 0;

    for (guint i = 0; i < actions->len; i++) {
        CU_ASSERT_TRUE(at(actions, i)->keyed);
        high[at(actions, i)->key.bytes[0] >> 4]++;
        low[at(actions, i)->key.bytes[15] & 15]++;
    }
    for (guint i = 0; i < 16; i++) {
        chi_high += (high[i] - expected) * (high[i] - expected) / expected;
        chi_low += (low[i] - expected) * (low[i] - expected) / expected;
    }
    /* 15 degrees of freedom: 37.7 is passed once in a thousand. */
    CU_ASSERT_TRUE(chi_high < 37.7);
    CU_ASSERT_TRUE(chi_low < 37.7);
}

static void plan_joins_start_one_per_interval_and_register(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 10min\nwarmup = 1min\n"
                                          "[overlay]\npeers = 50\njoin-interval = 250ms\n"
                                          "[workload]\nusers-per-peer = 2\n"
                                          "lookups-per-peer-hour = 0\n");
    g_autoptr(GArray) actions = actions_of(scenario, 1, peal_seconds(7));

    CU_ASSERT_EQUAL_FATAL(actions->len, 150);
    for (guint i = 0; i < 50; i++) {
        const PlanAction *start = at(actions, 3 * i);

        CU_ASSERT_EQUAL(start->kind, PLAN_START);
        CU_ASSERT_EQUAL(start->peer, i);
        CU_ASSERT_EQUAL(start->others, i);
        CU_ASSERT_EQUAL(start->at.ns, i * 250 * PEAL_NS_PER_MS);
        for (guint user = 0; user < 2; user++) {
            CU_ASSERT_EQUAL(start[1 + user].kind, PLAN_REGISTER);
            CU_ASSERT_EQUAL(start[1 + user].peer, i);
            CU_ASSERT_EQUAL(start[1 + user].user, user);
            CU_ASSERT_EQUAL(start[1 + user].at.ns, start->at.ns);
        }
    }
}

static void plan_join_events_start_peers_and_are_events_too(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 10min\nwarmup = 1min\n"
                                          "[overlay]\npeers = 10\nstart = converged\n"
                                          "join-interval = 1s\n"
                                          "[workload]\nusers-per-peer = 0\n"
                                          "lookups-per-peer-hour = 0\n"
                                          "[event:more]\nat = 5min\ndo = join 3\n");
    g_autoptr(GArray) actions = actions_of(scenario, 1, peal_seconds(7));

    CU_ASSERT_EQUAL_FATAL(actions->len, 4);
    CU_ASSERT_EQUAL(at(actions, 0)->kind, PLAN_EVENT);
    CU_ASSERT_EQUAL(at(actions, 0)->at.ns, 300 * PEAL_NS_PER_S);
    for (guint i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(at(actions, 1 + i)->kind, PLAN_START);
        CU_ASSERT_EQUAL(at(actions, 1 + i)->peer, 10 + i);
        CU_ASSERT_EQUAL(at(actions, 1 + i)->others, 10 + i);
        CU_ASSERT_EQUAL(at(actions, 1 + i)->at.ns, (300 + i) * PEAL_NS_PER_S);
    }
}

static void plan_converged_users_register_once_then_lookups_begin(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 5min\nwarmup = 30s\n"
                                          "[overlay]\npeers = 200\nstart = converged\n"
                                          "[workload]\nusers-per-peer = 3\n"
                                          "lookups-per-peer-hour = 60\n");
    g_autoptr(GArray) actions = actions_of(scenario, 6, peal_seconds(7));
    bool registered[200][3] = {{false}};
    uint32_t targets[200] = {0};
    guint registrations = 0;
    guint lookups = 0;

    for (guint i = 0; i < actions->len; i++) {
        const PlanAction *action = at(actions, i);

        if (action->kind == PLAN_REGISTER) {
            CU_ASSERT_TRUE(action->at.ns < PLAN_REGISTER_SPREAD.ns);
            CU_ASSERT_FALSE(registered[action->peer][action->user]);
            registered[action->peer][action->user] = true;
            registrations++;
            continue;
        }
        CU_ASSERT_EQUAL_FATAL(action->kind, PLAN_LOOKUP);
        CU_ASSERT_TRUE(action->at.ns >= PLAN_REGISTER_SPREAD.ns);
        CU_ASSERT_FALSE(action->keyed);
        CU_ASSERT_TRUE_FATAL(action->target_peer < 200);
        CU_ASSERT_TRUE(action->target_user < 3);
        CU_ASSERT_NOT_EQUAL(action->target_peer, action->peer);
        targets[action->target_peer]++;
        lookups++;
    }
    CU_ASSERT_EQUAL(registrations, 600);
    CU_ASSERT_DOUBLE_EQUAL(lookups, 200 * 290 / 60.0, 100);
    for (guint i = 0; i < 200; i++) {
        CU_ASSERT_TRUE(targets[i] < 20); /* about 5 each */
    }
}

static void plan_targets_have_started(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 100s\nwarmup = 0s\n"
                                          "[overlay]\npeers = 100\njoin-interval = 1s\n"
                                          "[workload]\nlookups-per-peer-hour = 3600\n");
    g_autoptr(GArray) actions = actions_of(scenario, 6, peal_seconds(7));
    uint32_t started = 0;
    guint last_target = 0;

    for (guint i = 0; i < actions->len; i++) {
        const PlanAction *action = at(actions, i);

        if (action->kind == PLAN_START) {
            started++;
        } else if (action->kind == PLAN_LOOKUP) {
            CU_ASSERT_TRUE(action->target_peer < started);
            CU_ASSERT_TRUE(action->target_peer != action->peer || started == 1);
            last_target = MAX(last_target, action->target_peer);
        }
    }
    CU_ASSERT_TRUE(last_target >= 90);
}

/* A plan is fetched as it goes: one of ten years holds no more than one of a minute. */
static void plan_goes_on_for_long_and_for_sparse_lookups(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 3650d\nwarmup = 0s\n"
                                          "[overlay]\npeers = 3\nstart = converged\n"
                                          "[workload]\nusers-per-peer = 0\n"
                                          "lookups-per-peer-hour = 0.1\n"
                                          "lookup-target = random\n");
    g_autoptr(Plan) plan = plan_new(scenario, 1);
    PlanAction action;
    double count = 0;

    while (plan_next(plan, PEAL_TIME_NEVER, &action)) {
        count++;
    }
    /* 3 peers, 87,600 h, 0.1 an hour. */
    CU_ASSERT_DOUBLE_EQUAL(count, 26280, 650);
}

static void plan_node_ids_and_names_belong_to_identities(void)
{
    PealId a = plan_node_id(1, 5);
    PealId b = plan_node_id(1, 5);
    PealId other_peer = plan_node_id(1, 6);
    PealId other_seed = plan_node_id(2, 5);
    char text[PLAN_AOR_MAX];
    PealStr aor = plan_user_aor(UINT32_MAX, 1000, text);

    CU_ASSERT_TRUE(peal_id_equal(&a, &b));
    CU_ASSERT_FALSE(peal_id_equal(&a, &other_peer));
    CU_ASSERT_FALSE(peal_id_equal(&a, &other_seed));
    CU_ASSERT_STRING_EQUAL(aor.ptr, "sip:u1000.p4294967295@example.org");
    CU_ASSERT_EQUAL(aor.len, strlen(text));
}

static void plan_bootstrap_is_one_of_those_before(void)
{
    uint32_t seen[8] = {0};

    for (uint32_t choice = 0; choice < 800; choice++) {
        uint32_t bootstrap = plan_bootstrap(1, 8, 8, choice);

        CU_ASSERT_TRUE_FATAL(bootstrap < 8);
        seen[bootstrap]++;
    }
    for (guint i = 0; i < 8; i++) {
        CU_ASSERT_DOUBLE_EQUAL(seen[i], 100, 40);
    }
    CU_ASSERT_EQUAL(plan_bootstrap(1, 1, 1, 0), 0);
}

static void plan_draws_distinct_ranks_evenly(void)
{
    uint32_t ranks[100];
    uint32_t hits[100] = {0};

    for (uint32_t event = 0; event < 1000; event++) {
        plan_draw_ranks(9, event, 100, 20, ranks);
        for (guint i = 0; i < 20; i++) {
            CU_ASSERT_TRUE_FATAL(ranks[i] < 100);
            CU_ASSERT_TRUE(i == 0 || ranks[i] > ranks[i - 1]);
            hits[ranks[i]]++;
        }
        CU_ASSERT_TRUE(plan_draw_rank(9, event, 7) < 7);
    }
    for (guint i = 0; i < 100; i++) {
        CU_ASSERT_DOUBLE_EQUAL(hits[i], 200, 60); /* a deviation is 12.6 */
    }
    plan_draw_ranks(9, 0, 5, 5, ranks);
    CU_ASSERT_EQUAL(ranks[4], 4);
    plan_draw_ranks(9, 0, 5, 0, ranks);
    plan_draw_ranks(9, 0, 0, 0, ranks);
}

/* Calls: 20 peers of 5 users that each make 36 calls an hour, for 30 min: 1,800. */
#define CALLING                                   \
    "[scenario]\nduration = 30min\nwarmup = 0s\n" \
    "[overlay]\npeers = 20\nstart = converged\n"  \
    "[workload]\nusers-per-peer = 5\nlookups-per-peer-hour = 60\n"

static Scenario *calling(void)
{
    Scenario *scenario = loaded(CALLING);

    scenario->workload.calls_per_user_hour_milli = 36000;
    scenario->workload.call_duration = (Dist){DIST_EXPONENTIAL, 60e6, 0};
    return scenario;
}

static void plan_calls_are_poisson_among_all_users(void)
{
    g_autoptr(Scenario) scenario = calling();
    g_autoptr(GArray) actions = actions_of(scenario, 7, peal_seconds(100));
    uint32_t made[100] = {0};
    uint32_t taken[100] = {0};
    uint32_t numbers[20] = {0};
    double seconds = 0;
    double calls = 0;

    for (guint i = 0; i < actions->len; i++) {
        const PlanAction *action = at(actions, i);

        if (action->kind != PLAN_CALL) {
            continue;
        }
        CU_ASSERT_FATAL(action->peer < 20 && action->user < 5);
        CU_ASSERT_FATAL(action->target_peer < 20 && action->target_user < 5);
        CU_ASSERT(action->peer != action->target_peer || action->user != action->target_user);
        CU_ASSERT_EQUAL(action->number, numbers[action->peer]++);
        CU_ASSERT(action->at.ns >= PLAN_REGISTER_SPREAD.ns);
        made[action->peer * 5 + action->user]++;
        taken[action->target_peer * 5 + action->target_user]++;
        seconds += (double)action->duration.ns / 1e9;
        calls++;
    }
    CU_ASSERT_DOUBLE_EQUAL(calls, 1790, 130);
    CU_ASSERT_DOUBLE_EQUAL(seconds / calls, 60, 5);
    for (guint user = 0; user < 100; user++) {
        CU_ASSERT_DOUBLE_EQUAL(made[user], 17.9, 17);
        CU_ASSERT_DOUBLE_EQUAL(taken[user], 17.9, 17);
        CU_ASSERT(made[user] > 0 && taken[user] > 0);
    }
}

static void plan_calls_shift_nothing_else(void)
{
    g_autoptr(Scenario) scenario = calling();
    g_autoptr(Scenario) silent = loaded(CALLING);
    g_autoptr(GArray) actions = actions_of(scenario, 7, peal_seconds(100));
    g_autoptr(GArray) others = actions_of(silent, 7, peal_us(7777777));
    guint next = 0;

    for (guint i = 0; i < actions->len; i++) {
        if (at(actions, i)->kind != PLAN_CALL) {
            CU_ASSERT_FATAL(next < others->len);
            CU_ASSERT_TRUE(same_action(at(actions, i), at(others, next++)));
        }
    }
    CU_ASSERT_EQUAL(next, others->len);
}

static void plan_call_of_the_only_user_is_to_himself(void)
{
    g_autoptr(Scenario) scenario = loaded("[scenario]\nduration = 10min\nwarmup = 0s\n"
                                          "[overlay]\npeers = 2\njoin-interval = 5min\n"
                                          "[workload]\nlookups-per-peer-hour = 0\n");
    g_autoptr(GArray) actions = NULL;
    uint32_t alone = 0;
    uint32_t calls = 0;

    scenario->workload.calls_per_user_hour_milli = 360000;
    actions = actions_of(scenario, 7, peal_seconds(100));
    for (guint i = 0; i < actions->len; i++) {
        const PlanAction *action = at(actions, i);

        if (action->kind == PLAN_CALL) {
            bool self = action->target_peer == action->peer;

            CU_ASSERT_EQUAL(self, action->at.ns < peal_seconds(300).ns);
            alone += self;
            calls++;
        }
    }
    CU_ASSERT(alone > 5 && calls > alone + 10);
}

#define STREAM CALLING "call-interval = weibull(shape=0.5, scale=500ms)\n"

/* A mean of 1 s over 1,790 s. Half a Weibull's draws are below its median of ln(2)^2 scales. */
static void plan_calls_of_the_overlay_are_one_stream_of_any_user(void)
{
    g_autoptr(Scenario) scenario = loaded(STREAM);
    g_autoptr(GArray) actions = actions_of(scenario, 7, peal_us(333333));
    int64_t before_ns = PLAN_REGISTER_SPREAD.ns;
    uint32_t made[100] = {0};
    uint32_t taken[100] = {0};
    uint32_t calls = 0;
    uint32_t brief = 0;

    for (guint i = 0; i < actions->len; i++) {
        const PlanAction *action = at(actions, i);

        if (action->kind != PLAN_CALL) {
            continue;
        }
        CU_ASSERT_FATAL(action->peer < 20 && action->user < 5);
        CU_ASSERT_FATAL(action->target_peer < 20 && action->target_user < 5);
        CU_ASSERT(action->peer != action->target_peer || action->user != action->target_user);
        CU_ASSERT_EQUAL(action->number, calls++);
        CU_ASSERT(action->at.ns >= before_ns);
        brief += (double)(action->at.ns - before_ns) < 500e6 * M_LN2 * M_LN2;
        before_ns = action->at.ns;
        made[action->peer * 5 + action->user]++;
        taken[action->target_peer * 5 + action->target_user]++;
    }
    /* The count of a renewal process has about n times the square of the coefficient of variation,
     * here 5, as its variance; both bounds are four standard deviations. */
    CU_ASSERT_DOUBLE_EQUAL(calls, 1790, 378);
    CU_ASSERT_DOUBLE_EQUAL((double)brief / calls, 0.5, 0.05);
    for (guint user = 0; user < 100; user++) {
        CU_ASSERT(made[user] > 0 && made[user] < 41);
        CU_ASSERT(taken[user] > 0 && taken[user] < 41);
    }
}

static void plan_stream_of_calls_shifts_nothing_and_does_not_depend_on_fetching(void)
{
    g_autoptr(Scenario) scenario = loaded(STREAM);
    g_autoptr(Scenario) silent = loaded(CALLING);
    g_autoptr(GArray) fine = actions_of(scenario, 7, peal_us(7777777));
    g_autoptr(GArray) actions = actions_of(scenario, 7, peal_seconds(100));
    g_autoptr(GArray) others = actions_of(silent, 7, peal_seconds(100));
    guint next = 0;

    CU_ASSERT_EQUAL_FATAL(fine->len, actions->len);
    for (guint i = 0; i < actions->len; i++) {
        CU_ASSERT_TRUE(same_action(at(actions, i), at(fine, i)));
        if (at(actions, i)->kind != PLAN_CALL) {
            CU_ASSERT_FATAL(next < others->len);
            CU_ASSERT_TRUE(same_action(at(actions, i), at(others, next++)));
        }
    }
    CU_ASSERT_EQUAL(next, others->len);
}

static void plan_lifetimes_are_drawn_once_for_each_user(void)
{
    g_autoptr(Scenario) constant = loaded(CALLING "register-expires = 90s\n");
    g_autoptr(Scenario) drawn =
        loaded(CALLING "register-expires = lognormal(median=15s, sigma=0.5)\n");
    uint32_t least_s;
    uint32_t most_s;
    uint32_t brief = 0;

    scenario_register_bounds(constant, &least_s, &most_s);
    CU_ASSERT_EQUAL(least_s, 90);
    CU_ASSERT_EQUAL(most_s, 90);
    scenario_register_bounds(drawn, &least_s, &most_s);
    CU_ASSERT_EQUAL(least_s, SCENARIO_EXPIRES_LEAST_S);
    for (uint32_t peer = 0; peer < 1000; peer++) {
        uint32_t expires_s = scenario_register_expires_s(drawn, 7, peer, peer % 3);

        CU_ASSERT_EQUAL(scenario_register_expires_s(constant, 7, peer, peer % 3), 90);
        CU_ASSERT_EQUAL(scenario_register_expires_s(drawn, 7, peer, peer % 3), expires_s);
        CU_ASSERT(expires_s >= least_s && expires_s <= most_s);
        brief += expires_s < 19;
    }
    CU_ASSERT_DOUBLE_EQUAL(brief, 468, 65); /* below 18.5 s, of a median of 15 s exp(0.25) */
    CU_ASSERT_NOT_EQUAL(scenario_register_expires_s(drawn, 7, 0, 0),
                        scenario_register_expires_s(drawn, 7, 0, 1));
    CU_ASSERT_NOT_EQUAL(scenario_register_expires_s(drawn, 7, 0, 0),
                        scenario_register_expires_s(drawn, 8, 0, 0));
}

PEAL_TEST_MAIN(
    "scenarios/plan", PEAL_TEST(plan_does_not_depend_on_how_it_is_fetched),
    PEAL_TEST(plan_follows_the_seed), PEAL_TEST(plan_actions_come_in_order),
    PEAL_TEST(plan_lookups_are_poisson_at_the_stated_rate), PEAL_TEST(plan_random_keys_are_uniform),
    PEAL_TEST(plan_joins_start_one_per_interval_and_register),
    PEAL_TEST(plan_join_events_start_peers_and_are_events_too),
    PEAL_TEST(plan_converged_users_register_once_then_lookups_begin),
    PEAL_TEST(plan_targets_have_started), PEAL_TEST(plan_goes_on_for_long_and_for_sparse_lookups),
    PEAL_TEST(plan_node_ids_and_names_belong_to_identities),
    PEAL_TEST(plan_bootstrap_is_one_of_those_before), PEAL_TEST(plan_draws_distinct_ranks_evenly),
    PEAL_TEST(plan_calls_are_poisson_among_all_users), PEAL_TEST(plan_calls_shift_nothing_else),
    PEAL_TEST(plan_call_of_the_only_user_is_to_himself),
    PEAL_TEST(plan_calls_of_the_overlay_are_one_stream_of_any_user),
    PEAL_TEST(plan_stream_of_calls_shifts_nothing_and_does_not_depend_on_fetching),
    PEAL_TEST(plan_lifetimes_are_drawn_once_for_each_user))
