/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/replay.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/lure.h"
#include "peal_test.h"

enum { SNIFFED_MAX = 2048 };

/* A workload by hand: four users and what they do. */

enum { ALICE, BOB, CAROL, MOVED, USERS };

static PealSpan ms(int64_t number)
{
    return peal_ms(number);
}

static void add_call(Replay *replay, ReplayCall call)
{
    call.last = call.final.ns > 0 ? call.final : call.cancel;
    g_array_index(replay->users, ReplayUser, call.callee).last_called = call.at;
    g_array_append_val(replay->calls, call);
}

static void user_clear(gpointer user)
{
    g_free(((ReplayUser *)user)->aor);
}

static Replay *workload(void)
{
    static const char *const names[USERS] = {"alice", "bob", "carol", LURE_MOVED};
    Replay *replay = g_new0(Replay, 1);
    const ReplayRegistration registrations[] = {
        {.at = ms(20), .user = CAROL, .expires_s = 0}, /* carol is yet to be called */
        {.at = ms(30), .user = ALICE, .expires_s = 600},
        {.at = ms(30), .user = ALICE, .expires_s = 900}, /* when the one before is answered */
        {.at = ms(100), .user = BOB, .expires_s = 1800},
    };

    replay->users = g_array_new(FALSE, TRUE, sizeof(ReplayUser));
    g_array_set_clear_func(replay->users, user_clear);
    replay->registrations = g_array_new(FALSE, TRUE, sizeof(ReplayRegistration));
    replay->calls = g_array_new(FALSE, TRUE, sizeof(ReplayCall));
    for (uint32_t i = 0; i < USERS; i++) {
        const ReplayUser user = {.aor = g_strdup_printf("sip:%s@127.0.0.1", names[i]),
                                 .place = UINT32_MAX,
                                 .index = i};

        g_array_append_val(replay->users, user);
    }
    g_array_append_vals(replay->registrations, registrations, G_N_ELEMENTS(registrations));
    replay->source = g_strdup("by hand");
    replay->peers = 1;
    replay->users_per_peer = USERS;
    replay->span = ms(1000);
    return replay;
}

static void add_answered(Replay *replay, uint32_t caller, uint32_t callee, bool callee_hangs_up)
{
    add_call(replay, (ReplayCall){.caller = caller,
                                  .callee = callee,
                                  .ringing = ms(20),
                                  .final = ms(100),
                                  .cancel = REPLAY_NEVER,
                                  .talk = ms(200),
                                  .status = 200,
                                  .outcome = HISTORY_ANSWERED,
                                  .callee_hangs_up = callee_hangs_up});
}

static void add_refused(Replay *replay, uint32_t caller, uint32_t callee, uint16_t status)
{
    add_call(replay, (ReplayCall){.at = ms(50),
                                  .caller = caller,
                                  .callee = callee,
                                  .ringing = REPLAY_NEVER,
                                  .final = ms(100),
                                  .cancel = REPLAY_NEVER,
                                  .talk = REPLAY_NEVER,
                                  .status = status,
                                  .outcome = HISTORY_REFUSED});
}

static void add_cancelled(Replay *replay, uint32_t caller, uint32_t callee)
{
    add_call(replay, (ReplayCall){.at = ms(60),
                                  .caller = caller,
                                  .callee = callee,
                                  .ringing = ms(20),
                                  .final = ms(250),
                                  .cancel = ms(200),
                                  .talk = REPLAY_NEVER,
                                  .status = 487,
                                  .outcome = HISTORY_CANCELLED});
}

/* A run of it. */

typedef struct Played {
    Replay *replay;
    Recorder *recorder;
    RunOutcome *outcome;
    GError *error;
    int64_t until_ms; /* of the trace, when it is interrupted; 0: never */
    bool done;
} Played;

static bool keep_on(void *user, PealTime now, uint64_t ended)
{
    const Played *played = user;

    (void)ended;
    return played->until_ms == 0 || now.ns < played->until_ms * PEAL_NS_PER_MS;
}

static bool get_ready(void *user, const char *what)
{
    (void)user;
    return what != NULL;
}

static void play_at_two(Played *played, uint16_t port, uint16_t other)
{
    g_autofree char *target = g_strdup_printf("127.0.0.1:%u", port);
    g_autofree char *second = other != 0 ? g_strdup_printf("127.0.0.1:%u", other) : NULL;
    char *targets[] = {target, second, NULL};
    ReplayLiveJob job = {.replay = played->replay,
                         .targets = targets,
                         .keep_on = keep_on,
                         .get_ready = get_ready,
                         .user = played};

    played->recorder = recorder_new(
        &(RecorderConfig){.duration = played->replay->span, .calls = true, .open_ended = true});
    played->outcome = g_new0(RunOutcome, 1);
    job.recorder = played->recorder;
    played->done = LIVE_WORLD.run(&job, played->outcome, &played->error);
}

static void play(Played *played, uint16_t port)
{
    play_at_two(played, port, 0);
}

static void played_clear(Played *played)
{
    recorder_free(played->recorder);
    g_free(played->outcome);
    g_clear_error(&played->error);
    replay_free(played->replay);
}

static double figure(const Played *played, const char *name)
{
    for (size_t i = 0; i < played->outcome->figures_len; i++) {
        if (strcmp(played->outcome->figures[i].name, name) == 0) {
            return played->outcome->figures[i].value;
        }
    }
    return -1;
}

/* Targets. */

static void targets_are_numeric_addresses(void)
{
    static const char *const good[] = {"127.0.0.1", "127.0.0.1:5060",  "[::1]:5061",
                                       "::1",       "udp:127.0.0.1:5", "2001:db8::1"};
    static const char *const bad[] = {"",
                                      "localhost",
                                      "sip.example.org:5060",
                                      "127.0.0.1:0",
                                      "127.0.0.1:65536",
                                      "127.0.0.1:",
                                      "127.0.0.1:5060x",
                                      "[::1",
                                      "tcp:127.0.0.1",
                                      "0.0.0.0:5060",
                                      "224.0.0.1",
                                      "ff02::1"};

    for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;

        CU_ASSERT(LIVE_WORLD.check(good[i], &error));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        CU_ASSERT(!LIVE_WORLD.check(bad[i], &error));
        CU_ASSERT(error != NULL && g_str_has_prefix(error->message, "--to "));
    }
}

static void a_targets_address_is_its_domain(void)
{
    g_autofree char *v4 = LIVE_WORLD.domain_of("127.0.0.1:5070");
    g_autofree char *v6 = LIVE_WORLD.domain_of("[2001:db8::1]:5070");

    CU_ASSERT_STRING_EQUAL(v4, "127.0.0.1");
    CU_ASSERT_STRING_EQUAL(v6, "[2001:db8::1]");
}

static void a_target_where_nobody_listens_is_an_error(void)
{
    Played played = {.replay = workload()};
    Lure *lure = lure_new();
    uint16_t port = lure->port;
    g_autofree char *named = g_strdup_printf("127.0.0.1:%u", port);

    lure_free(lure);
    play(&played, port);
    CU_ASSERT(!played.done);
    CU_ASSERT(played.error != NULL && strstr(played.error->message, named) != NULL);
    played_clear(&played);
}

static void a_target_that_is_not_there_leaves_nothing_at_the_others(void)
{
    Played played = {.replay = workload()};
    Lure *lure = lure_new();
    Lure *gone = lure_new();
    uint16_t port = gone->port;

    lure_free(gone);
    played.replay->peers = 2;
    g_array_index(played.replay->users, ReplayUser, CAROL).peer = 1;
    play_at_two(&played, lure->port, port);
    CU_ASSERT(!played.done && played.error != NULL);
    CU_ASSERT(lure->registers > 0);
    CU_ASSERT_EQUAL(g_hash_table_size(lure->bindings), 0);
    played_clear(&played);
    lure_free(lure);
}

/* Calls, and that nothing leaves. */

static void play_all(Played *played, const Lure *lure)
{
    const RecorderFigures *figures;

    add_answered(played->replay, ALICE, BOB, false);
    add_answered(played->replay, CAROL, ALICE, true);
    add_refused(played->replay, BOB, CAROL, 403);
    add_refused(played->replay, ALICE, MOVED, 404);
    add_cancelled(played->replay, BOB, CAROL);
    play(played, lure->port);
    CU_ASSERT(played->done);
    if (!played->done) {
        return;
    }
    figures = recorder_figures(played->recorder);
    CU_ASSERT_EQUAL(figures->calls_started, 5);
    CU_ASSERT_EQUAL(figures->calls_answered, 2);
    CU_ASSERT_EQUAL(figures->calls_failed[403], 1);
    CU_ASSERT_EQUAL(figures->calls_failed[302], 1);
    CU_ASSERT_EQUAL(figures->calls_failed[487], 1);
    CU_ASSERT_EQUAL(figures->calls_unfinished, 0);
    CU_ASSERT_EQUAL(figure(played, "registrations.stored"), USERS + 3 + USERS);
    CU_ASSERT_EQUAL(figure(played, "registrations.failed"), 0);
    CU_ASSERT_EQUAL(figure(played, "replay.registrations_left"), 0);
    CU_ASSERT_EQUAL(figure(played, "replay.calls_of_strangers"), 0);
    CU_ASSERT(figure(played, "replay.kept_in") >= 1);
    CU_ASSERT_EQUAL(lure->byes, 2);
    CU_ASSERT_EQUAL(lure->cancels, 1);
    CU_ASSERT(lure->lured >= 4); /* ACK and BYE of both calls that were answered */
    CU_ASSERT_EQUAL(g_hash_table_size(lure->bindings), 0);
}

static void calls_go_as_they_went_in_the_trace(void)
{
    Played played = {.replay = workload()};
    Lure *lure = lure_new();

    CU_ASSERT_FATAL(lure != NULL);
    play_all(&played, lure);
    played_clear(&played);
    lure_free(lure);
}

static void an_interruption_hangs_up_and_leaves_nothing_behind(void)
{
    Played played = {.replay = workload(), .until_ms = 250};
    Lure *lure = lure_new();

    CU_ASSERT_FATAL(lure != NULL);
    add_answered(played.replay, ALICE, BOB, false);
    g_array_index(played.replay->calls, ReplayCall, 0).talk = peal_seconds(60);
    add_cancelled(played.replay, BOB, CAROL);
    g_array_index(played.replay->calls, ReplayCall, 1).cancel = peal_seconds(30);
    g_array_index(played.replay->calls, ReplayCall, 1).final = REPLAY_NEVER;
    play(&played, lure->port);
    CU_ASSERT_FATAL(played.done);
    CU_ASSERT_EQUAL(recorder_figures(played.recorder)->calls_answered, 1);
    CU_ASSERT_EQUAL(recorder_figures(played.recorder)->calls_unfinished, 1);
    CU_ASSERT(lure->byes >= 1); /* both of its users hang up */
    CU_ASSERT_EQUAL(lure->cancels, 1);
    CU_ASSERT_EQUAL(g_hash_table_size(lure->bindings), 0);
    played_clear(&played);
    lure_free(lure);
}

/* In a network of its own, where everything has a way out. */
static bool make_network(void)
{
    static const char *const commands[] = {
        "ip link set lo up",
        "ip link add out type veth peer name outer",
        "ip addr add 10.9.9.1/24 dev out",
        "ip link set out up",
        "ip link set outer up",
        ("ip neigh add " LURE_ADDRESS " lladdr 02:00:00:00:00:99 dev out"),
        ("ip route add default via " LURE_ADDRESS),
    };

    if (unshare(CLONE_NEWNET) != 0) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        int status = 1;

        if (!g_spawn_command_line_sync(commands[i], NULL, NULL, &status, NULL) || status != 0) {
            return false;
        }
    }
    return true;
}

static int sniffer_new(void)
{
    const int size = 32 << 20;
    int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ALL));

    if (fd >= 0) {
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    }
    return fd;
}

/* Is a packet one between the target and somebody on this host? */
static bool is_the_targets(const uint8_t *packet, size_t len, uint16_t port)
{
    const struct iphdr *ip = (const struct iphdr *)(const void *)packet;
    const struct udphdr *udp = (const struct udphdr *)(const void *)(packet + sizeof(*ip));

    return len >= sizeof(*ip) + sizeof(*udp) && ip->version == 4 && ip->ihl == 5 &&
           ip->protocol == IPPROTO_UDP && ip->saddr == htonl(INADDR_LOOPBACK) &&
           ip->daddr == htonl(INADDR_LOOPBACK) &&
           (udp->dest == htons(port) || udp->source == htons(port));
}

/* The kernel's own words on a new interface: IPv6 to its link's groups (RFC 3810, RFC 4861). */
static bool is_the_kernels(const uint8_t *packet, size_t len)
{
    return len >= 40 && packet[0] >> 4 == 6 && packet[24] == 0xff && packet[25] == 0x02 &&
           (packet[6] == IPPROTO_ICMPV6 || packet[6] == IPPROTO_HOPOPTS);
}

/* How many packets were seen, and how many of them are neither the target's nor the kernel's. */
static unsigned sniff(int fd, uint16_t port, unsigned *ret_others)
{
    _Alignas(struct iphdr) uint8_t packet[SNIFFED_MAX];
    struct sockaddr_ll link;
    socklen_t link_len = sizeof(link);
    unsigned seen = 0;
    ssize_t len;

    *ret_others = 0;
    while ((len = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&link, &link_len)) >=
           0) {
        seen++;
        *ret_others +=
            !is_the_targets(packet, (size_t)len, port) && !is_the_kernels(packet, (size_t)len);
        link_len = sizeof(link);
    }
    return seen;
}

static bool nothing_was_missed(int fd)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof(stats);

    return getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0 && stats.tp_drops == 0;
}

/* What the test itself sends there is seen: the network has a way out, and the sniffer eyes. */
static void send_out(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(5060)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, LURE_ADDRESS, &to.sin_addr);
    (void)!sendto(fd, "x", 1, 0, (const struct sockaddr *)&to, sizeof(to));
    close(fd);
}

enum { CHILD_GOOD, CHILD_BAD, CHILD_CANNOT };

static int child_main(void)
{
    Played played = {.replay = workload()};
    unsigned before = CU_get_number_of_failures();
    unsigned others;
    unsigned seen;
    Lure *lure;
    int fd;

    if (!make_network() || (fd = sniffer_new()) < 0) {
        return CHILD_CANNOT;
    }
    lure = lure_new();
    (void)sniff(fd, lure->port, &others); /* what the network's making brought */
    play_all(&played, lure);
    seen = sniff(fd, lure->port, &others);
    if (seen < 40 || others != 0 || !nothing_was_missed(fd)) {
        printf("# %u packets, %u of them not the target's\n", seen, others);
        return CHILD_BAD;
    }
    send_out();
    (void)sniff(fd, lure->port, &others);
    if (others == 0) {
        printf("# the sniffer does not see what leaves\n");
        return CHILD_BAD;
    }
    played_clear(&played);
    lure_free(lure);
    for (CU_pFailureRecord at = CU_get_failure_list(); at != NULL; at = at->pNext) {
        printf("# there: %s:%u: %s\n", at->strFileName, at->uiLineNumber, at->strCondition);
    }
    return CU_get_number_of_failures() == before ? CHILD_GOOD : CHILD_BAD;
}

static void no_packet_goes_anywhere_but_to_the_target(void)
{
    int status = 0;
    pid_t pid = fork();

    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        int result = child_main();

        fflush(stdout);
        _exit(result);
    }
    CU_ASSERT_FATAL(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    if (WEXITSTATUS(status) == CHILD_CANNOT) {
        PEAL_SKIP("needs the right to make a network namespace, and iproute2");
    }
    CU_ASSERT_EQUAL(WEXITSTATUS(status), CHILD_GOOD);
}

PEAL_TEST_MAIN("net/replay", PEAL_TEST(targets_are_numeric_addresses),
               PEAL_TEST(a_targets_address_is_its_domain),
               PEAL_TEST(a_target_where_nobody_listens_is_an_error),
               PEAL_TEST(a_target_that_is_not_there_leaves_nothing_at_the_others),
               PEAL_TEST(calls_go_as_they_went_in_the_trace),
               PEAL_TEST(an_interruption_hangs_up_and_leaves_nothing_behind),
               PEAL_TEST(no_packet_goes_anywhere_but_to_the_target))
