/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_replay_fit.c - what a recorded workload follows, and the scenario that is made of it. */
#include <glib/gstdio.h>
#include <gsl/gsl_randist.h>
#include <math.h>
#include <scenarios/replay_fit.h>
#include <scenarios/scenario.h>

#include "peal_test.h"
#include "scenarios/traffic.h"

static Replay *empty_replay(uint32_t users)
{
    Replay *replay = g_new0(Replay, 1);

    replay->users = g_array_new(FALSE, TRUE, sizeof(ReplayUser));
    replay->registrations = g_array_new(FALSE, TRUE, sizeof(ReplayRegistration));
    replay->calls = g_array_new(FALSE, TRUE, sizeof(ReplayCall));
    replay->source = g_strdup("some.pcap");
    g_array_set_size(replay->users, users);
    return replay;
}

/* It owns no texts but its source. */
static void drop(Replay *replay)
{
    g_array_unref(replay->users);
    g_array_unref(replay->registrations);
    g_array_unref(replay->calls);
    g_free(replay->source);
    g_free(replay);
}

static PealSpan span(double seconds)
{
    return (PealSpan){llround(seconds * PEAL_NS_PER_S)};
}

static ReplayCall *add_call(Replay *replay, double at_s, double talk_s)
{
    ReplayCall call = {.at = span(at_s),
                       .caller = 0,
                       .callee = 1,
                       .ringing = span(0.1),
                       .final = span(3.1),
                       .cancel = REPLAY_NEVER,
                       .talk = span(talk_s),
                       .status = 200,
                       .outcome = HISTORY_ANSWERED};

    g_array_append_val(replay->calls, call);
    replay->span = call.at;
    return &g_array_index(replay->calls, ReplayCall, replay->calls->len - 1);
}

static void add_registration(Replay *replay, double at_s, uint32_t user, uint32_t expires_s)
{
    ReplayRegistration registration = {span(at_s), user, expires_s};

    g_array_append_val(replay->registrations, registration);
}

/* Writes the scenario, keeps its text, and loads it. */
static Scenario *written(const Replay *replay, const ReplayScale *scale, char **ret_text)
{
    g_autofree char *dir = g_dir_make_tmp("peal-fit-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "made.conf", NULL);
    g_autoptr(GError) error = NULL;
    Scenario *scenario;

    CU_ASSERT_TRUE(replay_write_scenario(replay, scale, path, &error));
    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NULL_FATAL(error);
    scenario = scenario_load(path, NULL, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    CU_ASSERT_STRING_EQUAL(scenario->name, "made");
    CU_ASSERT_TRUE(g_file_get_contents(path, ret_text, NULL, NULL));
    (void)g_unlink(path);
    (void)g_rmdir(dir);
    return scenario;
}

static void replay_spans_are_those_that_they_say(void)
{
    Replay *replay = empty_replay(2);
    ReplayFits fits;

    add_call(replay, 0, 10);
    add_call(replay, 2.5, 20)->outcome = HISTORY_REFUSED;
    add_call(replay, 2.5, 30)->talk = REPLAY_NEVER;
    add_call(replay, 7, 40);
    add_registration(replay, 0, 0, 60);
    add_registration(replay, 10, 1, 60);
    add_registration(replay, 50, 0, 60);
    add_registration(replay, 60, 0, 0); /* taken away: what follows is no refresh */
    add_registration(replay, 90, 0, 60);
    add_registration(replay, 99, 1, 60);
    for (int which = 0; which < REPLAY_SPANS; which++) {
        static const double WANTED[REPLAY_SPANS][3] = {{2.5, 0, 4.5}, {10, 40}, {50, 89}};
        g_autoptr(GArray) spans = replay_spans(replay, (ReplaySpans)which);

        CU_ASSERT_EQUAL_FATAL(spans->len, which == REPLAY_INTERARRIVAL ? 3 : 2);
        for (guint i = 0; i < spans->len; i++) {
            CU_ASSERT_DOUBLE_EQUAL(g_array_index(spans, double, i), WANTED[which][i], 1e-12);
        }
    }
    fits = replay_fits(replay);
    CU_ASSERT(fits.interarrival.n == 2 && fits.interarrival.zero == 1);
    CU_ASSERT(fits.holding.n == 2 && fits.registration.n == 2 && fits.holding.best == -1);
    drop(replay);
}

/* The trace's rate is a call in 2 s for 100 users. */
static void replay_scenario_keeps_the_rate_of_a_user(void)
{
    static const struct {
        ReplayScale scale;
        uint32_t peers;
        double interval_s;
    } SCALES[] = {{{0}, 100, 2},
                  {{.users = 2000}, 2000, 0.1},
                  {{.users = 2000, .users_per_peer = 4}, 500, 0.1},
                  {{.users = 10, .users_per_peer = 4}, 3, 2 * 100.0 / 12},
                  {{.users = 1000000}, 1000000, 2e-4}};
    Replay *replay = empty_replay(100);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    double at_s = 0;

    for (int i = 0; i < 3000; i++) {
        add_call(replay, at_s, gsl_ran_exponential(rng, 120));
        at_s += gsl_ran_exponential(rng, 2);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(SCALES); i++) {
        g_autofree char *text = NULL;
        g_autoptr(Scenario) scenario = written(replay, &SCALES[i].scale, &text);
        const ScenarioWorkload *workload = &scenario->workload;

        CU_ASSERT_EQUAL(scenario->peers, SCALES[i].peers);
        CU_ASSERT_EQUAL(workload->users_per_peer, MAX(1, SCALES[i].scale.users_per_peer));
        CU_ASSERT_EQUAL(workload->call_interval.kind, DIST_EXPONENTIAL);
        CU_ASSERT_DOUBLE_EQUAL(workload->call_interval.a / 1e6 / SCALES[i].interval_s, 1, 0.07);
        CU_ASSERT_EQUAL(workload->call_duration.kind, DIST_EXPONENTIAL);
        CU_ASSERT_DOUBLE_EQUAL(workload->call_duration.a / 120e6, 1, 0.07);
        CU_ASSERT_EQUAL(workload->ring.ns, peal_seconds(3).ns);
        CU_ASSERT_EQUAL(workload->calls_per_user_hour_milli, 0);
        CU_ASSERT_EQUAL(scenario->duration.ns,
                        replay->span.ns / PEAL_NS_PER_S * PEAL_NS_PER_S + PEAL_NS_PER_S);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, "Nobody registered: the default"));
        for (int family = 0; family < FIT_FAMILIES; family++) {
            CU_ASSERT_PTR_NOT_NULL(strstr(text, fit_family_name((FitFamily)family)));
        }
    }
    gsl_rng_free(rng);
    drop(replay);
}

/* With a shape of 0.8 a Pareto has no mean: what a run made of it would depend on its length. */
static void replay_scenario_takes_no_family_that_has_not_the_traces_mean(void)
{
    Replay *replay = empty_replay(50);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
    g_autofree char *text = NULL;
    g_autoptr(Scenario) scenario = NULL;
    double at_s = 0;
    double talk_s = 0;

    for (int i = 0; i < 3000; i++) {
        double talk = fmin(gsl_ran_pareto(rng, 0.8, 20) - 20, 86400);

        add_call(replay, at_s, talk);
        talk_s += talk / 3000;
        at_s += fmin(gsl_ran_pareto(rng, 0.8, 0.1) - 0.1, 3600);
    }
    CU_ASSERT_EQUAL(replay_fits(replay).interarrival.best, FIT_PARETO);
    scenario = written(replay, &(ReplayScale){0}, &text);
    CU_ASSERT_DOUBLE_EQUAL(dist_mean_us(&scenario->workload.call_interval) / 1e6 /
                               ((double)replay->span.ns / 1e9 / 2999),
                           1, 0.11);
    CU_ASSERT_DOUBLE_EQUAL(dist_mean_us(&scenario->workload.call_duration) / 1e6 / talk_s, 1, 0.11);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "has no mean"));
    gsl_rng_free(rng);
    drop(replay);
}

static void replay_scenario_of_too_little_says_so(void)
{
    Replay *replay = empty_replay(2);
    g_autofree char *text = NULL;
    g_autoptr(Scenario) scenario = NULL;

    add_call(replay, 0, 10);
    scenario = written(replay, &(ReplayScale){.workload = "a\nb.calls"}, &text);
    CU_ASSERT_EQUAL(scenario->duration.ns, peal_seconds(600).ns);
    CU_ASSERT_EQUAL(scenario->workload.call_interval.kind, DIST_EXPONENTIAL);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "too few"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "a?b.calls"));
    CU_ASSERT_DOUBLE_EQUAL(dist_mean_us(&scenario->workload.call_duration), 10e6, 1);
    g_clear_pointer(&scenario, scenario_free);
    g_clear_pointer(&text, g_free);

    add_call(replay, 4, 20)->outcome = HISTORY_CANCELLED;
    add_registration(replay, 0, 0, 1800);
    scenario = written(replay, &(ReplayScale){.users = 4}, &text);
    CU_ASSERT_DOUBLE_EQUAL(dist_mean_us(&scenario->workload.call_interval), 2e6, 1);
    CU_ASSERT_EQUAL(scenario_register_expires_s(scenario, 1, 0, 0), 1800);
    g_clear_pointer(&scenario, scenario_free);
    g_clear_pointer(&text, g_free);

    for (int i = 1; i < 40; i++) { /* all equal: a lifetime of 3,600 s */
        add_registration(replay, i * 3240.0, 0, 3600);
    }
    scenario = written(replay, &(ReplayScale){0}, &text);
    CU_ASSERT_EQUAL(scenario_register_expires_s(scenario, 1, 0, 0), 3600);
    CU_ASSERT_EQUAL(scenario->workload.register_expires.kind, DIST_CONSTANT);
    drop(replay);
}

static bool refuses(const Replay *replay, const ReplayScale *scale, const char *path,
                    const char *word)
{
    g_autoptr(GError) error = NULL;
    bool refused = !replay_write_scenario(replay, scale, path, &error);

    if (refused && strstr(error->message, word) == NULL) {
        printf("# %s\n", error->message);
        refused = false;
    }
    return refused;
}

static void replay_scenario_refuses_what_it_cannot_do(void)
{
    Replay *replay = empty_replay(2);
    g_autofree char *dir = g_dir_make_tmp("peal-fit-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "made.conf", NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;

    CU_ASSERT_TRUE(refuses(replay, &(ReplayScale){0}, path, "no calls"));
    add_call(replay, 0, 10);
    CU_ASSERT_TRUE(refuses(replay, &(ReplayScale){.users = 1}, path, "out of range"));
    CU_ASSERT_TRUE(refuses(replay, &(ReplayScale){.users = UINT32_MAX}, path, "out of range"));
    CU_ASSERT_TRUE(refuses(replay, &(ReplayScale){.users = 9000, .users_per_peer = 2000}, path,
                           "users-per-peer"));
    CU_ASSERT_FALSE(g_file_test(path, G_FILE_TEST_EXISTS));
    CU_ASSERT_TRUE(g_file_set_contents(path, "mine", -1, NULL));
    CU_ASSERT_TRUE(refuses(replay, &(ReplayScale){0}, path, "--force"));
    CU_ASSERT_TRUE(g_file_get_contents(path, &text, NULL, NULL));
    CU_ASSERT_STRING_EQUAL(text, "mine");
    CU_ASSERT_TRUE(replay_write_scenario(replay, &(ReplayScale){.force = true}, path, &error));
    CU_ASSERT_TRUE(refuses(replay, &(ReplayScale){0}, "/nowhere/made.conf", "/nowhere/made.conf"));
    (void)g_unlink(path);
    (void)g_rmdir(dir);
    drop(replay);
}

/* A capture's workload: what `peal replay` makes of it. */
static Replay *replay_of(const char *path)
{
    const HistoryConfig texts = {.texts = false};
    const ReplayOptions options = {.domain = "example.org", .speed = 1};
    const TraceConfig config = {.path = path, .from_ns = INT64_MIN, .until_ns = INT64_MAX};
    g_autoptr(History) history = history_new(&texts);
    const TraceSink sink = {.message = history_message,
                            .datagram = history_datagram,
                            .user = history};
    g_autoptr(GError) error = NULL;
    TraceCounts counts;
    Replay *replay;

    CU_ASSERT_TRUE_FATAL(trace_read(&config, &sink, &counts, &error));
    replay = replay_from_history(path, history_finish(history), &options, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(replay);
    return replay;
}

static void near_within_5_percent(const char *what, double got, double truth)
{
    printf("# %s: %g, generated with %g\n", what, got, truth);
    CU_ASSERT_DOUBLE_EQUAL(got / truth, 1, 0.05);
}

static void replay_scenario_of_a_capture_has_what_it_was_generated_with(void)
{
    const Traffic traffic = {.seed = 1, TRAFFIC_KNOWN};
    const ReplayScale scale = {.users = 10 * traffic.users};
    g_autofree char *dir = g_dir_make_tmp("peal-fit-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "traffic.pcap", NULL);
    g_autoptr(Replay) replay = NULL;
    g_autoptr(Scenario) scenario = NULL;
    g_autofree char *text = NULL;
    const ScenarioWorkload *workload;

    traffic_write(&traffic, path);
    replay = replay_of(path);
    (void)g_unlink(path);
    (void)g_rmdir(dir);
    CU_ASSERT_EQUAL(replay->users->len, traffic.users);
    CU_ASSERT_EQUAL(replay->calls->len, traffic.calls);
    CU_ASSERT_EQUAL(replay->registrations->len, traffic.users * (traffic.refreshes + 1));

    scenario = written(replay, &scale, &text);
    workload = &scenario->workload;
    CU_ASSERT_EQUAL(workload->call_interval.kind, DIST_WEIBULL);
    near_within_5_percent("shape between calls", workload->call_interval.b, traffic.shape);
    near_within_5_percent("scale between calls, s", 10 * workload->call_interval.a / 1e6,
                          traffic.scale_s);
    CU_ASSERT_EQUAL(workload->call_duration.kind, DIST_LOGNORMAL);
    near_within_5_percent("median duration, s", exp(workload->call_duration.a) / 1e6,
                          traffic.median_s);
    near_within_5_percent("sigma of the duration", workload->call_duration.b, traffic.sigma);
    CU_ASSERT_EQUAL(workload->register_expires.kind, DIST_EXPONENTIAL);
    near_within_5_percent("mean between registrations, s", 0.9 * workload->register_expires.a / 1e6,
                          traffic.refresh_s);
    CU_ASSERT_EQUAL(workload->ring.ns, llround(traffic.ring_s * PEAL_NS_PER_S));
}

PEAL_TEST_MAIN("scenarios/replay_fit", PEAL_TEST(replay_spans_are_those_that_they_say),
               PEAL_TEST(replay_scenario_keeps_the_rate_of_a_user),
               PEAL_TEST(replay_scenario_takes_no_family_that_has_not_the_traces_mean),
               PEAL_TEST(replay_scenario_of_too_little_says_so),
               PEAL_TEST(replay_scenario_refuses_what_it_cannot_do),
               PEAL_TEST(replay_scenario_of_a_capture_has_what_it_was_generated_with))
