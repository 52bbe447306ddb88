/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_network.c - delays of every model, losses, jitter, uplinks and partitions. */
#include <math.h>
#include <scenarios/network.h>

#include "peal_test.h"

enum { PEERS = 500 };

/* A scenario with the given lines in its [network] section. */
static Scenario *scenario_of(const char *lines)
{
    g_autofree char *text =
        g_strdup_printf("[scenario]\n[overlay]\npeers = %d\n[network]\n%s\n", PEERS, lines);
    g_autoptr(GError) error = NULL;
    Scenario *scenario = scenario_load_text("test.conf", text, strlen(text), NULL, &error);

    if (error != NULL) {
        printf("# %s\n", error->message);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(scenario);
    return scenario;
}

static Network *network_of(const char *lines, uint64_t seed)
{
    g_autoptr(Scenario) scenario = scenario_of(lines);
    Network *network = network_new(scenario, seed, PEERS, NULL);

    CU_ASSERT_PTR_NOT_NULL_FATAL(network);
    return network;
}

static int compare_doubles(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

/* The round-trip times in ms between all pairs, sorted; *ret_len of them, to g_free. */
static double *round_trips(const Network *network, size_t *ret_len)
{
    double *rtts = g_new(double, PEERS *PEERS);
    size_t len = 0;

    for (uint32_t a = 0; a < PEERS; a++) {
        for (uint32_t b = 0; b < a; b++) {
            PealSpan there = network_one_way(network, a, b);
            PealSpan back = network_one_way(network, b, a);

            CU_ASSERT_TRUE(there.ns >= network_min_one_way(network).ns);
            rtts[len++] = (double)(there.ns + back.ns) / 1e6;
        }
    }
    qsort(rtts, len, sizeof(rtts[0]), compare_doubles);
    *ret_len = len;
    return rtts;
}

static void constant_is_the_same_everywhere(void)
{
    g_autoptr(Network) network = network_of("latency = constant:50ms", 1);
    g_autoptr(Network) nothing = network_of("latency = constant:0s", 1);

    CU_ASSERT_EQUAL(network_one_way(network, 3, 4).ns, 50 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(network_one_way(network, 4, 3).ns, 50 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(network_min_one_way(network).ns, 50 * PEAL_NS_PER_MS);
    CU_ASSERT_EQUAL(network_one_way(nothing, 3, 4).ns, NETWORK_FLOOR.ns);
    CU_ASSERT_TRUE(network_is_plain(network));
}

static void synthetic_matches_planetlab_quantiles(void)
{
    static const struct {
        double quantile;
        double rtt_ms;
    } planetlab[] = {{.10, 31}, {.25, 59}, {.50, 134}, {.75, 203}, {.90, 291}, {.99, 404}};

    enum { MANY = 20000, STRIDES = 5 };
    g_autoptr(Scenario) scenario = scenario_of("latency = synthetic");
    g_autoptr(Network) network = network_new(scenario, 1, MANY, NULL);
    g_autofree double *rtts = g_new(double, MANY *STRIDES);

    for (uint32_t i = 0; i < MANY * STRIDES; i++) {
        uint32_t other = (i + 1 + i / MANY * 3571) % MANY;

        rtts[i] = 2 * (double)network_one_way(network, i % MANY, other).ns / 1e6;
    }
    qsort(rtts, MANY * STRIDES, sizeof(rtts[0]), compare_doubles);
    CU_ASSERT_TRUE(rtts[0] >= 2);
    for (size_t i = 0; i < G_N_ELEMENTS(planetlab); i++) {
        CU_ASSERT_DOUBLE_EQUAL(rtts[(size_t)(planetlab[i].quantile * MANY * STRIDES)],
                               planetlab[i].rtt_ms, planetlab[i].rtt_ms * .03);
    }
}

static void plane_is_symmetric_and_follows_the_seed(void)
{
    g_autoptr(Network) network = network_of("latency = plane", 1);
    g_autoptr(Network) again = network_of("latency = plane", 1);
    g_autoptr(Network) other = network_of("latency = plane", 2);
    size_t len;
    g_autofree double *rtts = round_trips(network, &len);
    double sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += rtts[i];
    }
    /* The mean distance in a square is 0.5214 of its side, here 140 ms. */
    CU_ASSERT_DOUBLE_EQUAL(sum / (double)len, 2 * .5214 * 140, 5);
    CU_ASSERT_TRUE(rtts[len - 1] <= 2 * 140 * sqrt(2));
    CU_ASSERT_EQUAL(network_one_way(network, 1, 2).ns, network_one_way(network, 2, 1).ns);
    CU_ASSERT_EQUAL(network_one_way(network, 1, 2).ns, network_one_way(again, 1, 2).ns);
    CU_ASSERT_NOT_EQUAL(network_one_way(network, 1, 2).ns, network_one_way(other, 1, 2).ns);
    CU_ASSERT_EQUAL(network_one_way(network, 1, 2).ns % PEAL_NS_PER_US, 0);
}

static void peers_keep_their_place_when_more_come(void)
{
    g_autoptr(Scenario) scenario = scenario_of("latency = synthetic");
    g_autoptr(Network) few = network_new(scenario, 1, 10, NULL);
    g_autoptr(Network) many = network_new(scenario, 1, 1000, NULL);

    CU_ASSERT_EQUAL(network_one_way(few, 3, 9).ns, network_one_way(many, 3, 9).ns);
}

/* A file in /tmp with a square matrix whose RTT from host a to host b is 10 a + b + 1 ms. */
static char *matrix_file(uint32_t hosts)
{
    g_autofree char *path = NULL;
    int fd = g_file_open_tmp("peal-XXXXXX", &path, NULL);
    FILE *file = fdopen(fd, "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (uint32_t a = 0; a < hosts; a++) {
        for (uint32_t b = 0; b < hosts; b++) {
            fprintf(file, "%u ", 10 * a + b + 1);
        }
        fprintf(file, "\n");
    }
    fclose(file);
    return g_steal_pointer(&path);
}

static void matrix_gives_each_peer_a_host_of_its_own(void)
{
    g_autofree char *path = matrix_file(PEERS);
    g_autofree char *lines = g_strdup_printf("latency = matrix:%s", path);
    g_autoptr(Scenario) scenario = scenario_of(lines);
    g_autoptr(Network) network = network_new(scenario, 1, PEERS, NULL);
    g_autoptr(GError) error = NULL;
    bool taken[PEERS] = {false};

    if (network == NULL) {
        CU_FAIL("there is no network");
        return;
    }
    for (uint32_t i = 0; i < PEERS; i++) {
        CU_ASSERT_FALSE(taken[network->host[i]]);
        taken[network->host[i]] = true;
    }
    for (uint32_t i = 1; i < PEERS; i++) {
        uint32_t rtt_ms = 10 * network->host[i - 1] + network->host[i] + 1;

        CU_ASSERT_EQUAL(network_one_way(network, i - 1, i).ns, rtt_ms * PEAL_NS_PER_MS / 2);
    }
    /* The least is from host 0 to host 1: 2 ms. */
    CU_ASSERT_EQUAL(network_min_one_way(network).ns, PEAL_NS_PER_MS);
    CU_ASSERT_PTR_NULL(network_new(scenario, 1, PEERS + 1, &error));
    CU_ASSERT_TRUE(g_error_matches(error, SCENARIO_ERROR, SCENARIO_ERROR_NETWORK));
    remove(path);
}

static void matrix_hosts_are_shared_on_request(void)
{
    g_autofree char *path = matrix_file(10);
    g_autofree char *lines = g_strdup_printf("latency = matrix:%s\nhosts = shared", path);
    g_autoptr(Network) network = network_of(lines, 1);
    uint32_t counts[10] = {0};

    for (uint32_t i = 0; i < PEERS; i++) {
        counts[network->host[i]]++;
    }
    for (uint32_t i = 0; i < 10; i++) {
        CU_ASSERT_DOUBLE_EQUAL(counts[i], 50, 30);
    }
    /* Two peers on host 0 are 1 ms of RTT apart. */
    CU_ASSERT_EQUAL(network_min_one_way(network).ns, PEAL_NS_PER_MS / 2);
    remove(path);
}

static void planetlab_matrix_has_its_published_quantiles(void)
{
    g_autofree char *path = g_build_filename(g_getenv("PEAL_SOURCE_ROOT"),
                                             "../shared/data/latency/planetlab-490.txt", NULL);
    g_autofree char *lines = g_strdup_printf("latency = matrix:%s\nhosts = shared", path);
    size_t len;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        PEAL_SKIP("needs ../shared/data/latency/planetlab-490.txt");
    }
    g_autoptr(Network) network = network_of(lines, 1);
    g_autofree double *rtts = round_trips(network, &len);

    CU_ASSERT_EQUAL(network->hosts, 490);
    CU_ASSERT_DOUBLE_EQUAL(rtts[len / 2], 134, 8);
    CU_ASSERT_DOUBLE_EQUAL(rtts[len * 9 / 10], 291, 15);
}

static void published_coordinates_have_their_median(void)
{
    g_autofree char *path = g_build_filename(g_getenv("PEAL_SOURCE_ROOT"),
                                             "../shared/data/latency/coords-15000.tsv", NULL);
    g_autofree char *lines = g_strdup_printf("latency = coordinates:%s", path);
    size_t len;

    if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
        PEAL_SKIP("needs ../shared/data/latency/coords-15000.tsv");
    }
    g_autoptr(Network) network = network_of(lines, 1);
    g_autofree double *rtts = round_trips(network, &len);

    CU_ASSERT_DOUBLE_EQUAL(rtts[len / 2], 2 * 70, 10);
}

static NetworkFrame frame_of(uint32_t from, uint64_t number)
{
    return (NetworkFrame){.from = from,
                          .to = 1,
                          .bytes = 1000,
                          .number = number,
                          .one_way = peal_ms(10),
                          .now = {peal_seconds(5).ns}};
}

static void loss_takes_its_share_of_datagrams_only(void)
{
    g_autoptr(Network) network = network_of("loss = 5%", 1);
    uint32_t lost = 0;

    CU_ASSERT_FALSE(network_is_plain(network));
    for (uint64_t i = 0; i < 100000; i++) {
        NetworkFrame frame = frame_of(0, i);
        PealSpan delay = {0};

        lost += network_send(network, &frame, &delay) == NETWORK_LOST;
        frame.lossless = true;
        CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_ARRIVES);
        CU_ASSERT_EQUAL(delay.ns, 10 * PEAL_NS_PER_MS);
    }
    CU_ASSERT_DOUBLE_EQUAL(lost, 5000, 250); /* a deviation is 69 */
}

static void loss_of_everything_and_of_nothing(void)
{
    g_autoptr(Network) all = network_of("loss = 100%", 1);
    g_autoptr(Network) none = network_of("loss = 0%", 1);

    CU_ASSERT_TRUE(network_is_plain(none));
    for (uint64_t i = 0; i < 1000; i++) {
        NetworkFrame frame = frame_of(0, i);
        PealSpan delay;

        CU_ASSERT_EQUAL(network_send(all, &frame, &delay), NETWORK_LOST);
        CU_ASSERT_EQUAL(network_send(none, &frame, &delay), NETWORK_ARRIVES);
    }
}

static void jitter_adds_to_the_delay_and_is_replayable(void)
{
    g_autoptr(Network) network = network_of("jitter = exponential(mean=5ms)", 1);
    double sum = 0;

    for (uint64_t i = 0; i < 20000; i++) {
        NetworkFrame frame = frame_of(0, i);
        PealSpan delay = {0};
        PealSpan again = {0};

        CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_ARRIVES);
        CU_ASSERT_EQUAL(network_send(network, &frame, &again), NETWORK_ARRIVES);
        CU_ASSERT_EQUAL(delay.ns, again.ns);
        CU_ASSERT_TRUE(delay.ns >= frame.one_way.ns);
        sum += (double)(delay.ns - frame.one_way.ns) / 1e6;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / 20000, 5, .15);
}

static void uplink_queues_then_overflows(void)
{
    /* 1000 bytes take 1 s. */
    g_autoptr(Network) network = network_of("bandwidth = 8kbit/s\nbandwidth-queue = 2500ms", 1);
    NetworkFrame frame = frame_of(0, 0);
    NetworkFrame other = frame_of(2, 0);
    PealSpan delay = {0};

    for (int64_t i = 1; i <= 3; i++) {
        CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_ARRIVES);
        CU_ASSERT_EQUAL(delay.ns, peal_seconds(i).ns + frame.one_way.ns);
    }
    CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_OVERFLOWED);
    CU_ASSERT_EQUAL(network_send(network, &other, &delay), NETWORK_ARRIVES);
    CU_ASSERT_EQUAL(delay.ns, peal_seconds(1).ns + other.one_way.ns);
    /* A stream waits instead. */
    frame.lossless = true;
    CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_ARRIVES);
    CU_ASSERT_EQUAL(delay.ns, peal_seconds(4).ns + frame.one_way.ns);
    frame.lossless = false;
    frame.now = peal_time_add(frame.now, peal_seconds(10));
    CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_ARRIVES);
    CU_ASSERT_EQUAL(delay.ns, peal_seconds(1).ns + frame.one_way.ns);
}

static void partition_cuts_exactly_its_share_until_heal(void)
{
    g_autoptr(Network) network = network_of("", 1);
    NetworkFrame frame = frame_of(0, 0);
    PealSpan delay = {0};
    uint32_t cut = 0;

    CU_ASSERT_FALSE(network_is_partitioned(network));
    CU_ASSERT_FALSE(network_cut(network, 0, 1));
    network_partition(network, SCENARIO_PPM / 4, 0);
    CU_ASSERT_TRUE(network_is_partitioned(network));
    for (uint32_t i = 0; i < PEERS; i++) {
        CU_ASSERT_EQUAL(network_cut(network, 0, i), network_cut(network, i, 0));
        cut += network_cut(network, 0, i);
    }
    CU_ASSERT_TRUE(cut == PEERS / 4 || cut == PEERS - PEERS / 4);
    for (frame.to = 1; !network_cut(network, 0, frame.to); frame.to++) {
    }
    frame.lossless = true;
    CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_CUT);
    network_heal(network);
    CU_ASSERT_FALSE(network_is_partitioned(network));
    CU_ASSERT_EQUAL(network_send(network, &frame, &delay), NETWORK_ARRIVES);
    network_partition(network, SCENARIO_PPM, 1);
    CU_ASSERT_FALSE(network_cut(network, 0, 1));
}

PEAL_TEST_MAIN("scenarios/network", PEAL_TEST(constant_is_the_same_everywhere),
               PEAL_TEST(synthetic_matches_planetlab_quantiles),
               PEAL_TEST(plane_is_symmetric_and_follows_the_seed),
               PEAL_TEST(peers_keep_their_place_when_more_come),
               PEAL_TEST(matrix_gives_each_peer_a_host_of_its_own),
               PEAL_TEST(matrix_hosts_are_shared_on_request),
               PEAL_TEST(planetlab_matrix_has_its_published_quantiles),
               PEAL_TEST(published_coordinates_have_their_median),
               PEAL_TEST(loss_takes_its_share_of_datagrams_only),
               PEAL_TEST(loss_of_everything_and_of_nothing),
               PEAL_TEST(jitter_adds_to_the_delay_and_is_replayable),
               PEAL_TEST(uplink_queues_then_overflows),
               PEAL_TEST(partition_cuts_exactly_its_share_until_heal))
