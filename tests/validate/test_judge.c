/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_judge.c - the judge of known results: what fits, what does not, and what is not there. */
#include "analysis/recording.h"
#include "report.h"
#include "trends.h"

#include <analysis/results.h>
#include <glib/gstdio.h>
#include <peal_test.h>

#define HOPS "SELECT mean FROM distributions JOIN here ON here.id = replication_id WHERE name = "

/* Two points of three replications each, with 5 and 7 hops in the mean. */
static char *results_of(int64_t stop_s)
{
    char *dir = g_dir_make_tmp("peal-validate-XXXXXX", NULL);
    g_autofree char *made = g_build_filename(dir, "made", NULL);
    ResultsConfig config = {.dir = made,
                            .name = "made",
                            .version = "0.1.0",
                            .crypto = "none",
                            .scenario = "[scenario]\n",
                            .points = 2,
                            .sweep = true,
                            .replications = 3};
    Results *results = results_open(&config, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(results);
    for (unsigned point = 0; point < 2; point++) {
        ResultsParameter parameter = {"overlay.peers", point == 0 ? "100" : "200", true};

        CU_ASSERT(results_set_point(results, point, &parameter, 1, NULL));
        for (unsigned i = 0; i < 3; i++) {
            Recording recording = {.seed = 10 * point + i,
                                   .hops_mean = 5 + 2 * point,
                                   .duration_s = 60,
                                   .per_second = 20,
                                   .stop_s = stop_s};
            Recorder *recorder = recording_play(&recording);
            ResultsReplication head = {.point = point, .replication = i, .seed = i, .peers = 100};

            CU_ASSERT(results_add_replication(results, &head, recorder, NULL));
            recorder_free(recorder);
        }
    }
    results_close(results);
    return dir;
}

static void results_remove(char *dir)
{
    g_autofree char *made = g_build_filename(dir, "made", NULL);
    g_autofree char *database = g_build_filename(made, "results.db", NULL);

    g_unlink(database);
    g_rmdir(made);
    g_rmdir(dir);
    g_free(dir);
}

static Check hops_check(const char *point, double expected)
{
    return (Check){.measured = {"made", point, HOPS "'lookups.hops'"},
                   .expected = expected,
                   .rule = RULE_ABSOLUTE,
                   .tolerance = 0.2};
}

static void a_figure_within_its_tolerance_is_as_expected(void)
{
    char *dir = results_of(0);
    Check check = hops_check("overlay.peers=200", 7);
    Verdict verdict = {0};

    CU_ASSERT_FATAL(judge_check(dir, &check, &verdict, NULL));
    CU_ASSERT(verdict.good);
    CU_ASSERT_EQUAL(verdict.measured.count, 3);
    CU_ASSERT(verdict.measured.ci95.low < verdict.measured.mean);
    results_remove(dir);
}

static void a_wrong_expectation_is_said_to_be_wrong(void)
{
    static const Rule RULES[] = {RULE_EXACT, RULE_ABSOLUTE, RULE_RELATIVE, RULE_SIGMA,
                                 RULE_AT_MOST};
    char *dir = results_of(0);

    for (size_t i = 0; i < G_N_ELEMENTS(RULES); i++) {
        Check check = hops_check("overlay.peers=100", RULES[i] == RULE_AT_MOST ? 3.5 : 6.5);
        Verdict verdict = {.good = true};

        check.rule = RULES[i];
        CU_ASSERT_FATAL(judge_check(dir, &check, &verdict, NULL));
        CU_ASSERT_FALSE(verdict.good);
    }
    results_remove(dir);
}

static void an_expectation_may_be_measured_too(void)
{
    char *dir = results_of(0);
    Check check = hops_check("overlay.peers=200", 0);
    Verdict verdict = {0};

    check.expects = (Query){"made", "overlay.peers=100", HOPS "'lookups.hops'"};
    CU_ASSERT_FATAL(judge_check(dir, &check, &verdict, NULL));
    CU_ASSERT_DOUBLE_EQUAL(verdict.expected, 5, 0.2);
    CU_ASSERT_FALSE(verdict.good);
    results_remove(dir);
}

static void refused(const char *dir, const Check *check)
{
    Verdict verdict = {.good = true};
    GError *error = NULL;

    CU_ASSERT_FALSE(judge_check(dir, check, &verdict, &error));
    CU_ASSERT_FATAL(error != NULL);
    CU_ASSERT(g_error_matches(error, JUDGE_ERROR, 0));
    g_clear_error(&error);
}

static void what_is_absent_is_an_error_and_no_pass(void)
{
    char *dir = results_of(0);
    Check no_point = hops_check("overlay.peers=300", 7);
    Check no_figure = hops_check("overlay.peers=100", 7);
    Check no_scenario = hops_check("overlay.peers=100", 7);
    Check empty = hops_check("overlay.peers=100", 7);

    no_figure.measured.sql = HOPS "'lookups.nothing'";
    no_scenario.measured.scenario = "nowhere";
    empty.measured.sql = HOPS "'calls.setup_ns'"; /* the mean of no calls */
    refused(dir, &no_point);
    refused(dir, &no_figure);
    refused(dir, &no_scenario);
    refused(dir, &empty);
    results_remove(dir);
}

static void an_interrupted_run_is_an_error(void)
{
    char *dir = results_of(30);
    Check check = hops_check("overlay.peers=100", 5);

    refused(dir, &check);
    results_remove(dir);
}

static void a_level_is_crossed_between_the_points_around_it(void)
{
    static const double X[] = {100, 10, 1};
    static const double Y[] = {1, 0.9, 0.5};

    CU_ASSERT_DOUBLE_EQUAL(trends_crossing(X, Y, 3, 0.95), sqrt(1000), 1e-6);
    CU_ASSERT_DOUBLE_EQUAL(trends_crossing(X, Y, 3, 0.7), sqrt(10), 1e-6);
    CU_ASSERT(isnan(trends_crossing(X, Y, 3, 0.4)));
}

static void only_an_explained_figure_may_differ(void)
{
    const Claim plain = {1, "a claim", "a source", NULL, EXPLAINS_NOTHING};
    const Claim explained = {2, "a claim", "a source", "because", EXPLAINS_LESS};
    char missing[] = "missing";
    Finding findings[] = {
        {.claim = &plain, .verdict = {.good = true}},
        {.claim = &plain, .verdict = {.good = false}},
        {.claim = &explained, .verdict = {.expected = 2, .measured = {.mean = 1}}},
        {.claim = &explained, .verdict = {.expected = 2, .measured = {.mean = 3}}},
        {.claim = &explained, .error = missing},
    };

    CU_ASSERT_EQUAL(report_failures(findings, 1), 0);
    CU_ASSERT_EQUAL(report_failures(findings + 1, 1), 1);
    CU_ASSERT_EQUAL(report_failures(findings + 2, 1), 0);
    CU_ASSERT_EQUAL(report_failures(findings + 3, 1), 1); /* that is not what was explained */
    CU_ASSERT_EQUAL(report_failures(findings + 4, 1), 1);
}

static void every_check_has_its_claim_and_every_claim_its_check(void)
{
    for (size_t i = 0; i < CHECKS_LEN; i++) {
        CU_ASSERT_EQUAL(report_claim(CHECKS[i].row)->row, CHECKS[i].row);
        CU_ASSERT_PTR_NOT_NULL(CHECKS[i].measured.sql);
    }
    for (size_t i = 0; i < CLAIMS_LEN; i++) {
        bool checked = false;

        for (size_t k = 0; k < CHECKS_LEN; k++) {
            checked = checked || CHECKS[k].row == CLAIMS[i].row;
        }
        CU_ASSERT(checked);
    }
}

PEAL_TEST_MAIN("validate/judge", PEAL_TEST(a_figure_within_its_tolerance_is_as_expected),
               PEAL_TEST(a_wrong_expectation_is_said_to_be_wrong),
               PEAL_TEST(an_expectation_may_be_measured_too),
               PEAL_TEST(what_is_absent_is_an_error_and_no_pass),
               PEAL_TEST(an_interrupted_run_is_an_error),
               PEAL_TEST(a_level_is_crossed_between_the_points_around_it),
               PEAL_TEST(only_an_explained_figure_may_differ),
               PEAL_TEST(every_check_has_its_claim_and_every_claim_its_check))
