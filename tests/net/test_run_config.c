/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_run_config.c - what a scenario on sockets refuses, and the files it writes. */
#include "run_config.h"

#include <glib/gstdio.h>
#include <netinet/in.h>
#include <peal_test.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"

#define HEAD "[scenario]\nduration = 1min\nwarmup = 0s\n[overlay]\npeers = 4\nstart = joins\n"
enum { BASE_PORT = 23900 };

static Scenario *load(const char *text)
{
    Scenario *scenario = scenario_load_text("test.conf", text, strlen(text), NULL, NULL);
    Scenario *point;

    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    point = scenario_point(scenario, 0, NULL);
    scenario_free(scenario);
    return point;
}

/* Whether a scenario is refused with both words. */
static bool refuses(const char *text, uint32_t base_port, const char *place, const char *word)
{
    g_autoptr(Scenario) point = load(text);
    g_autoptr(GError) error = NULL;

    return !run_config_check(point, base_port, &error) && strstr(error->message, place) != NULL &&
           strstr(error->message, word) != NULL;
}

static void check_takes_peers_that_join(void)
{
    g_autoptr(Scenario) point = load(HEAD "[event:a]\nat = 10s\ndo = fail 1 peers\n");
    g_autoptr(GError) error = NULL;

    CU_ASSERT(run_config_check(point, BASE_PORT, &error));
    CU_ASSERT_PTR_NULL(error);
}

static void check_names_what_processes_cannot_do(void)
{
    CU_ASSERT(refuses(HEAD "[peer]\ncpu = constant:1ms\n", BASE_PORT, "test.conf:8: peer.cpu",
                      "processor"));
    CU_ASSERT(refuses("[scenario]\n[overlay]\npeers = 201\n", BASE_PORT,
                      "test.conf:3: overlay.peers", "200"));
    CU_ASSERT(refuses("[scenario]\n", BASE_PORT, "test.conf: overlay.peers", "200"));
}

static void check_names_attacks_that_nodes_do_not_do(void)
{
    const char *const calls = HEAD "[workload]\ncalls-per-user-hour = 1\n";
    g_autofree char *of_peers =
        g_strconcat(calls, "[attack:x]\nkind = sip-flood\nattackers = 2\nrate = 5/s\n", NULL);
    g_autofree char *fast =
        g_strconcat(calls, "[attack:x]\nkind = sip-flood\nphones = 20\nrate = 501/s\n", NULL);
    g_autofree char *many =
        g_strconcat(calls, "[attack:x]\nkind = sip-flood\nphones = 251\nrate = 1/s\n", NULL);
    g_autofree char *fits =
        g_strconcat(calls, "[attack:x]\nkind = sip-flood\nphones = 20\nrate = 500/s\n", NULL);
    g_autoptr(Scenario) point = load(fits);
    g_autoptr(GError) error = NULL;

    CU_ASSERT(refuses(HEAD "[attack:x]\nkind = storm\nidentities = 2\n", BASE_PORT,
                      "test.conf:8: attack:x.kind = storm", "honest"));
    CU_ASSERT(refuses(of_peers, BASE_PORT, "attack:x.attackers", "phones"));
    CU_ASSERT(refuses(fast, BASE_PORT, "attack:x.rate", "10000"));
    CU_ASSERT(refuses(many, BASE_PORT, "attack:x.phones", "250"));
    CU_ASSERT(run_config_check(point, BASE_PORT, &error));
    CU_ASSERT_PTR_NULL(error);
}

static void check_counts_the_peers_of_join_events(void)
{
    CU_ASSERT(refuses(HEAD "[event:a]\nat = 10s\ndo = join 197 peers\n", BASE_PORT, "overlay.peers",
                      "200"));
}

static void check_wants_ports_for_all(void)
{
    CU_ASSERT(refuses(HEAD, 65500, "--base-port=65500", "65495"));
}

static void check_finds_ports_that_others_have(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(BASE_PORT + 11),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    CU_ASSERT_EQUAL_FATAL(bind(fd, (const struct sockaddr *)(const void *)&address,
                               sizeof(address)),
                          0);
    CU_ASSERT(refuses(HEAD, BASE_PORT, "port 23911", "--base-port"));
    close(fd);
}

static void append(void *user, const char *key, const char *value)
{
    g_string_append_printf(user, "%s = %s\n", key, value);
}

static char *values(const Scenario *scenario)
{
    GString *text = g_string_new(NULL);

    scenario_each_value(scenario, append, text);
    return g_string_free(text, FALSE);
}

static void scenario_file_says_the_same_as_the_point(void)
{
    static const char text[] =
        "[scenario]\nname = swept\nduration = 1min\nwarmup = 0s\n[overlay]\npeers = 4\n"
        "[event:some]\nat = 10s\ndo = fail 25% of peers\n[network]\nloss = 1%\n"
        "[sweep]\noverlay.peers = 5, 6\n";
    const char *sets[] = {"workload.users-per-peer=3", "network.jitter=exponential(mean=1ms)",
                          NULL};
    g_autoptr(Scenario) scenario =
        scenario_load_text("test.conf", text, sizeof(text) - 1, sets, NULL);
    g_autoptr(Scenario) point = scenario_point(scenario, 1, NULL);
    g_autoptr(Scenario) again = NULL;
    g_autofree char *path = NULL;
    g_autofree char *before = values(point);
    g_autofree char *after = NULL;
    int fd = g_file_open_tmp("peal-scenario-XXXXXX", &path, NULL);
    GError *error = NULL;

    close(fd);
    CU_ASSERT(run_config_scenario(point, path, &error));
    again = scenario_load(path, NULL, &error);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(again);
    after = values(again);
    CU_ASSERT_STRING_EQUAL(before, after);
    CU_ASSERT_EQUAL(again->peers, 6);
    g_unlink(path);
}

static void scenario_file_finds_its_matrix_from_anywhere(void)
{
    g_autofree char *dir = g_dir_make_tmp("peal-scenario-XXXXXX", NULL);
    g_autofree char *matrix = g_build_filename(dir, "some.txt", NULL);
    g_autofree char *path = g_build_filename(dir, "there.conf", NULL);
    g_autofree char *here = g_build_filename(dir, "here.conf", NULL);
    static const char text[] = "[scenario]\n[overlay]\npeers = 2\n[network]\n"
                               "latency = matrix:some.txt\n";
    g_autofree char *written = NULL;
    g_autoptr(Scenario) point = NULL;

    CU_ASSERT_FATAL(g_file_set_contents(matrix, "0 10\n10 0\n", -1, NULL));
    point = scenario_load_text(here, text, sizeof(text) - 1, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(point);
    CU_ASSERT(run_config_scenario(point, path, NULL));
    CU_ASSERT_FATAL(g_file_get_contents(path, &written, NULL, NULL));
    CU_ASSERT_PTR_NOT_NULL(strstr(written, matrix));
    g_unlink(matrix);
    g_unlink(path);
    g_rmdir(dir);
}

static void node_file_is_one_that_nodes_read(void)
{
    g_autoptr(Scenario) point = load(HEAD "link = tcp\nneighbours = 5\n"
                                          "[workload]\nregister-expires = exponential(mean=1h)\n");
    RunJob job = {.point = point, .seed = 77, .base_port = BASE_PORT};
    uint32_t bootstrap[] = {0, 2};
    RunConfigNode node = {.job = &job,
                          .scenario = "scenario.conf",
                          .control = "peer-3.sock",
                          .log = "peer-3.log",
                          .peer = 3,
                          .bootstrap = bootstrap,
                          .bootstrap_len = 2};
    g_autoptr(NodeConfig) config = NULL;
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("peal-node-XXXXXX", &path, NULL);
    GError *error = NULL;

    close(fd);
    CU_ASSERT(run_config_node(&node, path, &error));
    config = node_config_load(path, NULL, &error);
    CU_ASSERT_PTR_NULL(error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    CU_ASSERT_EQUAL(config->emulate.peer, 3);
    CU_ASSERT_EQUAL(config->emulate.seed, 77);
    CU_ASSERT_EQUAL(config->emulate.base_port, BASE_PORT);
    CU_ASSERT_EQUAL(config->bootstrap.len, 2);
    CU_ASSERT_EQUAL(config->bootstrap.item[1].port, BASE_PORT + 21);
    CU_ASSERT_EQUAL(config->listen.item[0].port, BASE_PORT + 31);
    CU_ASSERT_EQUAL(config->http_listen.len, 0);
    CU_ASSERT_EQUAL(config->sip.min_expires_s, SCENARIO_EXPIRES_LEAST_S);
    CU_ASSERT_EQUAL(config->sip.max_expires_s, SCENARIO_EXPIRES_MOST_S);
    CU_ASSERT_EQUAL(config->overlay->overlay.link, PEAL_TCP);
    CU_ASSERT_EQUAL(config->overlay->overlay.successors, 5);
    CU_ASSERT_EQUAL(config->overlay->overlay.fingers, point->overlay.fingers);
    CU_ASSERT_STRING_EQUAL(config->overlay->overlay_name, point->overlay_name);
    g_unlink(path);
}

PEAL_TEST_MAIN("net/run_config", PEAL_TEST(check_takes_peers_that_join),
               PEAL_TEST(check_names_what_processes_cannot_do),
               PEAL_TEST(check_names_attacks_that_nodes_do_not_do),
               PEAL_TEST(check_counts_the_peers_of_join_events),
               PEAL_TEST(check_wants_ports_for_all), PEAL_TEST(check_finds_ports_that_others_have),
               PEAL_TEST(scenario_file_says_the_same_as_the_point),
               PEAL_TEST(scenario_file_finds_its_matrix_from_anywhere),
               PEAL_TEST(node_file_is_one_that_nodes_read))
