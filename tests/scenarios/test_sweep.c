/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_sweep.c - lists and ranges of swept keys, crossed and zipped. */
#include "peal_test.h"
#include "sweep_values.h"

static char *joined(const char *text)
{
    g_autoptr(GPtrArray) values = sweep_values(text, NULL);
    GString *all = g_string_new(NULL);

    for (guint i = 0; values != NULL && i < values->len; i++) {
        g_string_append_printf(all, "%s%s", i > 0 ? "|" : "",
                               (const char *)g_ptr_array_index(values, i));
    }
    return g_string_free(all, FALSE);
}

static void check_values(const char *text, const char *expected)
{
    g_autofree char *values = joined(text);

    if (strcmp(values, expected) != 0) {
        printf("# %s: %s, not %s\n", text, values, expected);
    }
    CU_ASSERT_STRING_EQUAL(values, expected);
}

static void sweep_range_has_both_its_ends_and_keeps_the_unit(void)
{
    check_values("0%..50% step 10%", "0%|10%|20%|30%|40%|50%");
    check_values("100..100000 x10", "100|1000|10000|100000");
    check_values("10ms .. 30ms step 10ms", "10ms|20ms|30ms");
    check_values("3..1 step 1", "3|2|1");
    check_values("8h..1h x0.5", "8h|4h|2h|1h");
    check_values("7..7 step 2", "7");
}

static void sweep_range_is_exact_in_decimals(void)
{
    check_values("0%..0.5% step 0.1%", "0%|0.1%|0.2%|0.3%|0.4%|0.5%");
    check_values("1..3.375 x1.5", "1|1.5|2.25|3.375");
    check_values("0.5s..2s x2", "0.5s|1s|2s");
}

static void sweep_list_mixes_values_and_ranges(void)
{
    check_values("1, 10..30 step 10, weibull(shape=1, scale=5s)",
                 "1|10|20|30|weibull(shape=1, scale=5s)");
    check_values("matrix:../data/a.txt, plane", "matrix:../data/a.txt|plane");
    check_values("fail 10% of peers, fail 20% of peers", "fail 10% of peers|fail 20% of peers");
}

static void refused(const char *text, const char *word)
{
    GError *error = NULL;
    GPtrArray *values = sweep_values(text, &error);

    CU_ASSERT_PTR_NULL(values);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    if (strstr(error->message, word) == NULL) {
        printf("# %s: %s\n", text, error->message);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, word));
    g_error_free(error);
}

static void sweep_range_that_leads_nowhere_is_refused(void)
{
    refused("0..10 step 0", "never comes to its end");
    refused("1..10 x1", "never comes to its end");
    refused("0..10 x2", "never comes to its end");
    refused("1..10 x0", "never comes to its end");
    refused("1..10 x0.5", "goes away from its end");
    refused("10..1 x2", "goes away from its end");
    refused("0..10 step 3", "the last value before it is 9");
    refused("1..10 x3", "the last value before it is 9");
    refused("0..2000 step 1", "more than 1000 values");
    refused("1..10", "lacks its step or factor");
    refused("1ms..10s step 1ms", "the same unit");
    refused("1..10 x2ms", "a factor takes none");
    refused("1..ten step 1", "takes numbers");
    refused("1..10 step", "lacks its step");
    refused("1234567890123456..2 step 1", "at most 15 digits");
    refused("1, , 2", "value 2 of the list is empty");
    refused("", "value 1 of the list is empty");
}

static Scenario *load(const char *sweep, const char *const *sets, GError **error)
{
    g_autofree char *text = g_strconcat("[scenario]\nduration = 2h\n[sweep]\n", sweep, NULL);

    return scenario_load_text("s.conf", text, strlen(text), sets, error);
}

/* All points as `value value | value value`. */
static void check_points(const char *sweep, const char *const *sets, const char *expected)
{
    GError *error = NULL;
    g_autoptr(Scenario) scenario = load(sweep, sets, &error);
    g_autoptr(GString) all = g_string_new(NULL);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    for (guint i = 0; i < scenario->points; i++) {
        g_autoptr(Scenario) point = scenario_point(scenario, i, NULL);

        for (guint j = 0; j < point->parameters_len; j++) {
            g_string_append_printf(all, "%s ", point->parameters[j].value);
        }
        g_string_append(all, "| ");
    }
    CU_ASSERT_STRING_EQUAL(all->str, expected);
}

static void sweep_keys_are_crossed_zipped_or_both(void)
{
    check_points("overlay.peers = 10, 20\nnetwork.loss = 0%, 1%\n", NULL,
                 "10 0% | 10 1% | 20 0% | 20 1% | ");
    check_points("combine = zip\noverlay.peers = 10, 20\nnetwork.loss = 0%, 1%\n", NULL,
                 "10 0% | 20 1% | ");
    check_points("overlay.peers = 10, 20\nnetwork.loss = 0%, 1%\noverlay.replicas = 1, 2\n"
                 "combine = zip(overlay.peers, overlay.replicas)\n",
                 NULL, "10 0% 1 | 10 1% 1 | 20 0% 2 | 20 1% 2 | ");
    /* An option takes a key out of its group. */
    check_points("overlay.peers = 10, 20\noverlay.replicas = 1, 2\n"
                 "combine = zip(overlay.peers, overlay.replicas)\n",
                 (const char *const[]){"overlay.replicas=1", NULL}, "10 | 20 | ");
}

static void sweep_takes_keys_of_events(void)
{
    check_points("event:crash.at = 1min\nevent:crash.do = fail 10% of peers, fail 20% of peers\n",
                 NULL, "1min fail 10% of peers | 1min fail 20% of peers | ");
}

static void check_refused(const char *sweep, const char *place, const char *word)
{
    GError *error = NULL;
    g_autoptr(Scenario) scenario = load(sweep, NULL, &error);

    CU_ASSERT_PTR_NULL(scenario);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    if (!g_str_has_prefix(error->message, place) || strstr(error->message, word) == NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_TRUE(g_str_has_prefix(error->message, place));
    CU_ASSERT_PTR_NOT_NULL(strstr(error->message, word));
    g_error_free(error);
}

static void sweep_that_makes_no_points_is_refused_with_its_line(void)
{
    check_refused("", "s.conf:3:", "sweeps nothing");
    check_refused("combine = zip\n", "s.conf:3:", "sweeps nothing");
    check_refused("overlay.peerz = 1, 2\n", "s.conf:4:", "'peers'");
    check_refused("overlay.peers =\n", "s.conf:4:", "empty");
    check_refused("overlay.peers = 1..9 step 3\n", "s.conf:4:", "hit its end");
    check_refused("combine = zip\noverlay.peers = 10, 20\nnetwork.loss = 0%\n",
                  "s.conf:6:", "which it is zipped with, has 2");
    check_refused("combine = both\noverlay.peers = 10\n", "s.conf:4:", "cross, zip");
    check_refused("combine = zip(overlay.peers, network.loss)\noverlay.peers = 10\n",
                  "s.conf:4:", "'network.loss'");
    check_refused("combine = zip(overlay.peers, network.loss), zip(overlay.peers, network.jitter)\n"
                  "overlay.peers = 10, 20\nnetwork.loss = 0%, 1%\nnetwork.jitter = none, none\n",
                  "s.conf:4:", "'overlay.peers' is zipped twice");
    check_refused("overlay.peers = 100..200 step 1\nnetwork.loss = 0%..10% step 1%\n",
                  "s.conf:5:", "more than 1000 points");
    check_refused("overlay.peers = 10, 20, 10\n", "s.conf:4:", "10 twice");
    check_refused("scenario.precision = 1%, 2%\n", "s.conf:4:", "share this key");
}

PEAL_TEST_MAIN("scenarios/sweep", PEAL_TEST(sweep_range_has_both_its_ends_and_keeps_the_unit),
               PEAL_TEST(sweep_range_is_exact_in_decimals),
               PEAL_TEST(sweep_list_mixes_values_and_ranges),
               PEAL_TEST(sweep_range_that_leads_nowhere_is_refused),
               PEAL_TEST(sweep_keys_are_crossed_zipped_or_both),
               PEAL_TEST(sweep_takes_keys_of_events),
               PEAL_TEST(sweep_that_makes_no_points_is_refused_with_its_line))
