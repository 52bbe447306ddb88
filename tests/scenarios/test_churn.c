/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_churn.c - [churn] says one thing or is refused; traces are read, or refused by a line. */
#include "churn.h"

#include <glib/gstdio.h>
#include <scenarios/network.h>
#include <string.h>

#include "peal_test.h"

#define KAD                                                     \
    "[churn]\nsession = weibull(shape=0.615, scale=169.5min)\n" \
    "absence = weibull(shape=0.476, scale=413.7min)\n"

static Scenario *load(const char *text, GError **error)
{
    return scenario_load_text("dir/test.conf", text, strlen(text), NULL, error);
}

static Scenario *loaded(const char *text)
{
    g_autoptr(GError) error = NULL;
    Scenario *scenario = load(text, &error);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

/* Is there an error with both texts in it? */
static void refused(const char *text, const char *one, const char *two)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = load(text, &error);

    CU_ASSERT_PTR_NULL(scenario);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    if (strstr(error->message, one) == NULL || strstr(error->message, two) == NULL) {
        printf("# no '%s' or '%s' in: %s\n", one, two, error->message);
        CU_FAIL("a text is missing from the message");
    }
}

static void churn_identities_are_peers_by_availability(void)
{
    g_autoptr(Scenario) kad = loaded("[scenario]\n[overlay]\npeers = 1000\n" KAD);
    g_autoptr(Scenario) half = loaded("[scenario]\n[overlay]\npeers = 50\n[churn]\n"
                                      "session = exponential(mean=10000s)\n"
                                      "absence = exponential(mean=10000s)\n"
                                      "[event:more]\nat = 1min\ndo = join 7\n");
    g_autoptr(Scenario) none = loaded("[scenario]\n[overlay]\npeers = 50\n");

    CU_ASSERT_DOUBLE_EQUAL(churn_availability(kad), .214, .001);
    CU_ASSERT_EQUAL(scenario_identities(kad), 4682);
    CU_ASSERT_EQUAL(scenario_online(kad), 1000);
    CU_ASSERT_EQUAL(scenario_identities(half), 107);
    CU_ASSERT_EQUAL(scenario_identities(none), 50);
    CU_ASSERT_TRUE(scenario_has_churn(kad));
    CU_ASSERT_FALSE(scenario_has_churn(none));
}

static void churn_that_contradicts_itself_is_refused(void)
{
    refused("[scenario]\n[churn]\nabsence = 1h\n", "dir/test.conf:3: churn.absence",
            "churn.session");
    refused("[scenario]\n[churn]\nsession = 1h\n", "dir/test.conf:3: churn.session",
            "churn.absence");
    refused("[scenario]\n[churn]\nleaves = 5%\n", "dir/test.conf:3", "churn.session");
    refused("[scenario]\n[churn]\ndiurnal = 5%\n", "dir/test.conf:3", "churn.session");
    refused("[scenario]\n[churn]\nsession = pareto(shape=1, scale=1h)\nabsence = 1h\n",
            "dir/test.conf:3", "infinite");
    refused("[scenario]\n[churn]\nsession = 1h\nabsence = pareto(shape=0.9, scale=1h)\n",
            "dir/test.conf:4", "infinite");
    refused("[scenario]\n[churn]\nsession = 1s\nabsence = 1d\n", "dir/test.conf:3",
            "churn.absence (dir/test.conf:4)");
    refused("[scenario]\n[churn]\nsession = gamma(mean=1h)\n", "dir/test.conf:3", "gamma");
    refused("[scenario]\n[churn]\nsession = trace:\n", "dir/test.conf:3", "trace:FILE");
    refused("[scenario]\n[churn]\nsession = trace:nowhere\n", "dir/test.conf:3", "dir/nowhere");
    refused("[scenario]\n[churn]\nsession = trace:/dev\n", "dir/test.conf:3", "no file");
}

/* A scenario with a trace that exists. more: other sections. Returns the message to g_free, or
 * NULL. */
static char *with_trace(const char *trace, const char *more)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Scenario) scenario = NULL;
    int fd = g_file_open_tmp("peal-trace-XXXXXX", &path, NULL);

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_TRUE(g_close(fd, NULL));
    CU_ASSERT_TRUE(g_file_set_contents(path, trace, -1, NULL));
    text = g_strdup_printf("[scenario]\nduration = 100s\nwarmup = 0s\n[overlay]\npeers = 3\n"
                           "[churn]\nsession = trace:%s\n%s",
                           path, more);
    scenario = load(text, &error);
    g_unlink(path);
    if (scenario != NULL) {
        CU_ASSERT_EQUAL(scenario_identities(scenario), 3);
        return NULL;
    }
    return g_strdup(error->message);
}

static void churn_trace_contradicts_other_keys_and_joins(void)
{
    static const char *const more[][2] = {
        {"absence = 1h\n", "churn.absence"},
        {"diurnal = 5%\n", "churn.diurnal"},
        {"[event:more]\nat = 5s\ndo = join 5\n", "event:more.do"},
    };
    g_autofree char *good =
        with_trace("0 0 up\n", "leaves = 5%\n[event:x]\nat = 5s\ndo = fail 1\n");

    CU_ASSERT_PTR_NULL(good);
    for (size_t i = 0; i < G_N_ELEMENTS(more); i++) {
        g_autofree char *message = with_trace("0 0 up\n", more[i][0]);

        CU_ASSERT_PTR_NOT_NULL_FATAL(message);
        CU_ASSERT_PTR_NOT_NULL(strstr(message, more[i][1]));
        CU_ASSERT_PTR_NOT_NULL(strstr(message, "churn.session (dir/test.conf:7)"));
    }
}

static void churn_trace_lines_are_read_in_their_order(void)
{
    static const char text[] = "# who when\n\n0 0 up\n  0\t2 up # early\r\n12.5 0 down\n"
                               "12.5 0 up\n3600.000001 2 down";
    static const ChurnLine expected[] = {{0, 0, true},
                                         {0, 2, true},
                                         {12500000, 0, false},
                                         {12500000, 0, true},
                                         {INT64_C(3600000001), 2, false}};
    g_autoptr(GError) error = NULL;
    g_autoptr(ChurnTrace) trace = churn_trace_parse("t", text, strlen(text), 3, &error);

    CU_ASSERT_PTR_NOT_NULL_FATAL(trace);
    CU_ASSERT_EQUAL_FATAL(trace->len, G_N_ELEMENTS(expected));
    for (size_t i = 0; i < trace->len; i++) {
        CU_ASSERT_EQUAL(trace->lines[i].us, expected[i].us);
        CU_ASSERT_EQUAL(trace->lines[i].peer, expected[i].peer);
        CU_ASSERT_EQUAL(trace->lines[i].up, expected[i].up);
    }
}

static void churn_trace_names_the_line_that_is_wrong(void)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "t:1: the trace ends"},
        {"# nothing\n", "t:1: the trace ends"},
        {"0 0 up\n5 3 up\n", "t:2: there is no peer 3, only 0 to 2"},
        {"0 99999999999999999999 up\n", "t:1: there is no peer"},
        {"5 0 up\n4.9 1 up\n", "t:2: time runs backwards"},
        {"0 0 up\n\n1 0 up\n", "t:3: peer 0 is up already"},
        {"0 0 down\n", "t:1: peer 0 is down already"},
        {"0 0\n", "t:1: this is no line"},
        {"0 0 up now\n", "t:1: this is no line"},
        {"0 0 sideways\n", "t:1: this is no line"},
        {"-1 0 up\n", "t:1: this is no line"},
        {"1e3 0 up\n", "t:1: this is no line"},
        {"nan 0 up\n", "t:1: this is no line"},
        {"0.1234567 0 up\n", "t:1: this is no line"},
        {"999999999999999999999 0 up\n", "t:1: this is no line"},
        {"0 -1 up\n", "t:1: this is no line"},
        {"0 0x1 up\n", "t:1: this is no line"},
        {"SECONDS,PEER,up\n", "t:1: this is no line"},
    };
    static const char zero[] = "0 0 up\n1 0 \0down\n";
    g_autoptr(GError) zero_error = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(ChurnTrace) trace =
            churn_trace_parse("t", cases[i].text, strlen(cases[i].text), 3, &error);

        CU_ASSERT_PTR_NULL(trace);
        CU_ASSERT_PTR_NOT_NULL_FATAL(error);
        if (!g_str_has_prefix(error->message, cases[i].message)) {
            printf("# not '%s': %s\n", cases[i].message, error->message);
            CU_FAIL("another message was expected");
        }
    }
    CU_ASSERT_PTR_NULL(churn_trace_parse("t", zero, sizeof(zero) - 1, 3, &zero_error));
    CU_ASSERT_TRUE(g_error_matches(zero_error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE));
    CU_ASSERT_PTR_NOT_NULL(strstr(zero_error->message, "t:2: "));
}

static void churn_trace_tells_how_many_are_online(void)
{
    g_autofree char *path = NULL;
    g_autofree char *text = NULL;
    int fd = g_file_open_tmp("peal-trace-XXXXXX", &path, NULL);

    CU_ASSERT_TRUE_FATAL(fd >= 0);
    CU_ASSERT_TRUE(g_close(fd, NULL));
    /* Two are there all the time, one for half of it, another after the end. */
    CU_ASSERT_TRUE(g_file_set_contents(path,
                                       "0 0 up\n0 1 up\n25 2 up\n75 2 down\n150 2 up\n200 3 up\n",
                                       -1, NULL));
    text = g_strdup_printf("[scenario]\nduration = 100s\nwarmup = 0s\n[overlay]\npeers = 4\n"
                           "[churn]\nsession = trace:%s\n",
                           path);
    g_autoptr(Scenario) scenario = loaded(text);

    g_unlink(path);
    CU_ASSERT_EQUAL(scenario_online(scenario), 3);
}

static void churn_events_say_over_and_region(void)
{
    static const char *const good[] = {"join 5 peers over 1min", "fail 10% of region peers",
                                       "leave 3 region peers", "restart 1 region peer"};
    static const char *const bad[] = {
        "join 5 over",   "join 5 over 5",       "join 5 over 1min 2",     "fail 5 over 1min",
        "join 5 region", "partition 5% region", "fail 5 adjacent region", "fail region"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *text =
            g_strdup_printf("[scenario]\n[event:x]\nat = 1min\ndo = %s\n", good[i]);
        g_autoptr(Scenario) scenario = loaded(text);
        g_autofree char *again = scenario_event_text(&scenario->events[0]);

        CU_ASSERT_STRING_EQUAL(again, good[i]);
        CU_ASSERT_EQUAL(scenario->events[0].region, i > 0);
        CU_ASSERT_EQUAL(scenario->events[0].over.ns, i == 0 ? 60 * PEAL_NS_PER_S : 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *text =
            g_strdup_printf("[scenario]\n[event:x]\nat = 1min\ndo = %s\n", bad[i]);

        refused(text, "dir/test.conf:4", "event:x.do");
    }
    refused("[scenario]\n[network]\nlatency = constant:5ms\n[event:x]\nat = 1min\n"
            "do = fail 5% region\n",
            "dir/test.conf:6", "network.latency (dir/test.conf:3)");
}

/* The nearest tenth lies around the centre: nobody outside it is nearer than one within. */
static void churn_region_is_what_lies_near(void)
{
    enum { PEERS = 200, NEAR = 20 };
    g_autoptr(Scenario) scenario = loaded("[scenario]\n[network]\nlatency = plane\n");
    g_autoptr(GError) error = NULL;
    g_autoptr(Network) network = network_new(scenario, 5, PEERS, &error);
    uint32_t peers[PEERS];
    double last = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(network);
    for (uint32_t i = 0; i < PEERS; i++) {
        peers[i] = i;
    }
    network_sort_near(network, 17, peers, PEERS);
    CU_ASSERT_EQUAL(peers[0], 17);
    for (uint32_t i = 1; i < PEERS; i++) {
        double dx = (double)network->points[peers[i]].x - (double)network->points[17].x;
        double dy = (double)network->points[peers[i]].y - (double)network->points[17].y;

        CU_ASSERT_TRUE(dx * dx + dy * dy >= last);
        last = dx * dx + dy * dy;
    }
}

PEAL_TEST_MAIN("scenarios/churn", PEAL_TEST(churn_identities_are_peers_by_availability),
               PEAL_TEST(churn_that_contradicts_itself_is_refused),
               PEAL_TEST(churn_trace_contradicts_other_keys_and_joins),
               PEAL_TEST(churn_trace_lines_are_read_in_their_order),
               PEAL_TEST(churn_trace_names_the_line_that_is_wrong),
               PEAL_TEST(churn_trace_tells_how_many_are_online),
               PEAL_TEST(churn_events_say_over_and_region),
               PEAL_TEST(churn_region_is_what_lies_near))
