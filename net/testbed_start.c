/* SPDX-License-Identifier: GPL-3.0-or-later */
/* testbed_start.c - makes the peers' files, starts them, waits for the overlay. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "address.h"
#include "control_socket.h"
#include "netns.h"
#include "testbed.h"
#include "testbed_ring.h"

enum {
    START_PATIENCE_S = 40,         /* and */
    START_PATIENCE_MS_PEER = 1000, /* for each */
    START_POLL_MS = 100,
    START_GAP_MS = 20, /* between two peers */
    START_ASK_MS = 2000,
    START_TAIL_LINES = 10,
    START_EXEC_FAILED = 127,
};

static volatile sig_atomic_t start_interrupted;

static void start_on_signal(int number)
{
    (void)number;
    start_interrupted = 1;
}

static void start_catch_signals(void)
{
    struct sigaction action = {.sa_handler = start_on_signal, .sa_flags = (int)SA_RESETHAND};

    start_interrupted = 0;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

/* Before anything is started. */

/* Can this port be had? As the node will ask for it: what TCP left behind is no hindrance. */
static bool start_port_free(const Testbed *testbed, unsigned peer, unsigned port, int type,
                            GError **error)
{
    const int on = 1;
    g_autofree char *ip = testbed_address(testbed, peer);
    struct sockaddr_storage system;
    PealAddr addr = {0};
    socklen_t len;
    int fd;
    bool ok;

    if (!address_parse_ip((PealStr){ip, strlen(ip)}, (uint16_t)port, &addr)) {
        return false;
    }
    len = address_to_system(&addr, &system);
    fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "no socket: %s", g_strerror(errno));
        return false;
    }
    if (type == SOCK_STREAM) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    }
    ok = bind(fd, (struct sockaddr *)&system, len) == 0;
    if (!ok) {
        testbed_fail(error, TESTBED_ERROR_INPUT,
                     "peer %u cannot listen on %s:%u (%s): %s; choose others with --base-port",
                     peer, ip, port, type == SOCK_STREAM ? "TCP" : "UDP", g_strerror(errno));
    }
    close(fd);
    return ok;
}

static bool start_ports_free(const Testbed *testbed, GError **error)
{
    bool ok = true;

    /* A new namespace has all ports free. */
    for (unsigned peer = 1; ok && !testbed->netns && peer <= testbed->peers; peer++) {
        TestbedPorts ports = testbed_ports(testbed, peer);

        ok = start_port_free(testbed, peer, ports.sip, SOCK_DGRAM, error) &&
             start_port_free(testbed, peer, ports.sip, SOCK_STREAM, error) &&
             start_port_free(testbed, peer, ports.reload, SOCK_DGRAM, error) &&
             start_port_free(testbed, peer, ports.http, SOCK_STREAM, error);
    }
    return ok;
}

static bool start_none_runs(const Testbed *testbed, GError **error)
{
    g_autoptr(Testbed) before = testbed_open(testbed->dir, NULL);

    for (unsigned peer = 1; before != NULL && peer <= before->peers; peer++) {
        pid_t pid;
        int fd = testbed_pidfd(before, peer, &pid);

        if (fd >= 0) {
            close(fd);
            testbed_fail(error, TESTBED_ERROR_INPUT,
                         "a testbed runs in %s (peer %u is process %ld); end it with: "
                         "peal testbed stop --dir %s",
                         testbed->dir, peer, (long)pid, testbed->dir);
            return false;
        }
    }
    return true;
}

/* Files. */

static void start_set_overlay(const Testbed *testbed, unsigned peer, GKeyFile *file)
{
    g_autofree char *ip = testbed_address(testbed, peer);
    g_autofree char *listen = g_strdup_printf("%s:%u", ip, testbed_ports(testbed, peer).reload);
    GString *bootstrap = g_string_new(NULL);

    g_key_file_set_value(file, "overlay", "name", "p2p.test");
    g_key_file_set_value(file, "overlay", "insecure-links", "yes");
    g_key_file_set_value(file, "overlay", "listen", listen);
    /* The first is not the only one: a peer that comes back finds the overlay without it. */
    for (unsigned other = 1; other <= MIN(peer == 1 ? 3U : 2U, testbed->peers); other++) {
        if (other != peer) {
            g_autofree char *address = testbed_address(testbed, other);

            g_string_append_printf(bootstrap, "%s%s:%u", bootstrap->len > 0 ? ", " : "", address,
                                   testbed_ports(testbed, other).reload);
        }
    }
    if (peer == 1) {
        g_key_file_set_value(file, "overlay", "first", "yes");
    }
    if (bootstrap->len > 0) {
        g_key_file_set_value(file, "overlay", "bootstrap", bootstrap->str);
    }
    g_string_free(bootstrap, TRUE);
}

static void start_set_path(const Testbed *testbed, unsigned peer, GKeyFile *file, const char *key,
                           const char *name)
{
    g_autofree char *path = testbed_path(testbed, peer, name);

    g_key_file_set_value(file, "node", key, path);
}

/* --set: the loader checks sections, keys and values. */
static bool start_set_given(const Testbed *testbed, GKeyFile *file, GError **error)
{
    for (char **set = testbed->sets; set != NULL && *set != NULL; set++) {
        const char *value = strchr(*set, '=');
        const char *dot = strchr(*set, '.');
        g_autofree char *section = NULL;
        g_autofree char *key = NULL;

        if (value == NULL || dot == NULL || dot > value) {
            testbed_fail(error, TESTBED_ERROR_INPUT, "--set %s: write it as SECTION.KEY=VALUE",
                         *set);
            return false;
        }
        section = g_strndup(*set, (gsize)(dot - *set));
        key = g_strndup(dot + 1, (gsize)(value - dot - 1));
        g_key_file_set_value(file, section, key, value + 1);
    }
    return true;
}

static bool start_write_config(const Testbed *testbed, unsigned peer, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *path = testbed_path(testbed, peer, "node.conf");
    g_autofree char *ip = testbed_address(testbed, peer);
    TestbedPorts ports = testbed_ports(testbed, peer);
    g_autofree char *sip = g_strdup_printf("%s:%u", ip, ports.sip);
    g_autofree char *http = g_strdup_printf("%s:%u", ip, ports.http);

    start_set_path(testbed, peer, file, "state-dir", "state");
    start_set_path(testbed, peer, file, "log", "log");
    start_set_path(testbed, peer, file, "control", "control");
    start_set_overlay(testbed, peer, file);
    g_key_file_set_value(file, "sip", "listen", sip);
    g_key_file_set_value(file, "sip", "domain", "127.0.0.1, p2p.test");
    if (testbed->users != NULL) {
        g_key_file_set_value(file, "sip", "users", testbed->users);
    }
    g_key_file_set_value(file, "http", "listen", http);
    return start_set_given(testbed, file, error) && g_key_file_save_to_file(file, path, error);
}

static void start_forget(const Testbed *testbed, unsigned peer)
{
    g_autofree char *state = testbed_path(testbed, peer, "state");
    g_autoptr(GDir) dir = g_dir_open(state, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(state, name, NULL);

        g_unlink(path);
    }
}

static bool start_make_files(const Testbed *testbed, bool fresh, GError **error)
{
    for (unsigned peer = 1; peer <= testbed->peers; peer++) {
        g_autofree char *state = testbed_path(testbed, peer, "state");
        g_autofree char *control = testbed_path(testbed, peer, "control");

        if (!control_socket_fits(control)) {
            testbed_fail(error, TESTBED_ERROR_INPUT,
                         "%s is too long for a socket's name; choose a --dir with a shorter path",
                         control);
            return false;
        }
        if (g_mkdir_with_parents(state, S_IRWXU) != 0) {
            testbed_fail(error, TESTBED_ERROR_INPUT, "%s cannot be made: %s", state,
                         g_strerror(errno));
            return false;
        }
        if (fresh) {
            start_forget(testbed, peer);
        }
        if (!start_write_config(testbed, peer, error)) {
            return false;
        }
    }
    return testbed_save(testbed, error);
}

/* Lets the node itself say what is wrong with the config of the first and the last peer. */
static bool start_check_config(const Testbed *testbed, unsigned peer, GError **error)
{
    char exe[] = "/proc/self/exe";
    char node[] = "node";
    char check[] = "--check";
    g_autofree char *conf = testbed_path(testbed, peer, "node.conf");
    char *argv[] = {exe, node, conf, check, NULL};
    g_autofree char *said = NULL;
    int status;

    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, &said,
                      &status, error)) {
        return false;
    }
    if (!g_spawn_check_wait_status(status, NULL)) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "peer %u's config is refused:\n%s", peer,
                     g_strchomp(said));
        return false;
    }
    return true;
}

/* Processes. */

static void start_say_and_exit(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, g_strerror(errno));
    _exit(START_EXEC_FAILED);
}

/* In the child. */
static void start_become_node(const Testbed *testbed, unsigned peer)
{
    g_autofree char *conf = testbed_path(testbed, peer, "node.conf");
    g_autofree char *log = testbed_path(testbed, peer, "log");
    int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR | S_IRGRP);

    if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
        dup2(out, STDERR_FILENO) < 0) {
        start_say_and_exit(log);
    }
    setsid();
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    if (testbed->netns && !netns_enter(testbed, peer)) {
        start_say_and_exit("network namespace");
    }
    /* Nobody else is there yet: the first need not look. */
    execl("/proc/self/exe", "peal", "node", conf, peer == 1 ? "--set" : NULL,
          "overlay.bootstrap=none", NULL);
    start_say_and_exit("peal node");
}

/* Waits until the child is `peal node`, or has ended: from then on it can be told by its
 * arguments. */
static void start_await_exec(int fds[2])
{
    char byte;

    close(fds[1]);
    while (read(fds[0], &byte, 1) < 0 && errno == EINTR) {
        /* a signal is heard once the child can be found and stopped */
    }
    close(fds[0]);
}

static bool start_peer(const Testbed *testbed, unsigned peer, GError **error)
{
    g_autofree char *path = testbed_path(testbed, peer, "pid");
    g_autofree char *text = NULL;
    int fds[2] = {-1, -1}; /* closed by exec */
    pid_t pid = pipe2(fds, O_CLOEXEC) == 0 ? fork() : -1;

    if (pid == 0) {
        start_become_node(testbed, peer);
    }
    if (pid < 0) {
        testbed_fail(error, TESTBED_ERROR_FAILED, "peer %u gets no process: %s", peer,
                     g_strerror(errno));
        close(fds[0]);
        close(fds[1]);
        return false;
    }
    start_await_exec(fds);
    text = g_strdup_printf("%ld\n", (long)pid);
    if (!g_file_set_contents(path, text, -1, error)) {
        kill(pid, SIGKILL); /* nobody else would know of it */
        waitpid(pid, NULL, 0);
        return false;
    }
    return true;
}

static void start_blame(const Testbed *testbed, unsigned peer, const char *what, GError **error)
{
    g_autofree char *path = testbed_path(testbed, peer, "log");
    g_autofree char *tail = testbed_tail(testbed, peer, START_TAIL_LINES);

    testbed_fail(error, TESTBED_ERROR_FAILED, "peer %u %s; the end of its log, %s:\n%s", peer, what,
                 path, g_strchomp(tail));
}

/* Some child has ended: which peer was it? */
static bool start_all_live(const Testbed *testbed, GError **error)
{
    int status;
    pid_t ended = waitpid(-1, &status, WNOHANG);

    if (ended <= 0) {
        return true;
    }
    for (unsigned peer = 1; peer <= testbed->peers; peer++) {
        g_autofree char *path = testbed_path(testbed, peer, "pid");
        g_autofree char *text = NULL;

        if (g_file_get_contents(path, &text, NULL, NULL) &&
            g_ascii_strtoll(text, NULL, 10) == (gint64)ended) {
            start_blame(testbed, peer, "ended by itself", error);
            return false;
        }
    }
    return true;
}

/* Waiting. */

static void start_progress(bool quiet, unsigned healthy, unsigned peers, const char *end)
{
    if (!quiet && isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%u of %u peers are up%s", healthy, peers, end);
    }
}

/* Waits until the first `peers` peers are healthy and one ring. */
static bool start_wait(const Testbed *testbed, unsigned peers, bool quiet, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)START_PATIENCE_S * G_USEC_PER_SEC +
                      (gint64)peers * START_PATIENCE_MS_PEER * 1000;
    g_autoptr(TestbedRing) ring = testbed_ring_new(peers);

    while (!testbed_ring_whole(ring)) {
        if (start_interrupted != 0) {
            testbed_fail(error, TESTBED_ERROR_FAILED, "interrupted; all peers are stopped");
            return false;
        }
        if (!start_all_live(testbed, error)) {
            return false;
        }
        if (g_get_monotonic_time() > deadline) {
            unsigned peer = testbed_ring_first_bad(ring);
            g_autofree char *why = testbed_ring_why(ring, peer);

            start_blame(testbed, peer, why, error);
            return false;
        }
        g_usleep((gulong)START_POLL_MS * 1000);
        for (unsigned peer = 1; peer <= peers && start_interrupted == 0; peer++) {
            testbed_ring_take(ring, peer, testbed_ask(testbed, peer, START_ASK_MS));
        }
        start_progress(quiet, testbed_ring_healthy(ring), testbed->peers, "");
    }
    return true;
}

static bool start_all(const Testbed *testbed, bool quiet, GError **error)
{
    if (!start_peer(testbed, 1, error) || !start_wait(testbed, 1, quiet, error)) {
        return false;
    }
    for (unsigned peer = 2; peer <= testbed->peers; peer++) {
        if (!start_peer(testbed, peer, error)) {
            return false;
        }
        g_usleep((gulong)START_GAP_MS * 1000);
    }
    if (!start_wait(testbed, testbed->peers, quiet, error)) {
        return false;
    }
    start_progress(quiet, testbed->peers, testbed->peers, "\n");
    return true;
}

bool testbed_start(const Testbed *testbed, bool fresh, bool quiet, GError **error)
{
    if (!start_none_runs(testbed, error) || !start_ports_free(testbed, error) ||
        !start_make_files(testbed, fresh, error) || !start_check_config(testbed, 1, error) ||
        !start_check_config(testbed, testbed->peers, error)) {
        return false;
    }
    if (testbed->netns && !netns_make(testbed, error)) {
        return false;
    }
    start_catch_signals();
    if (!start_all(testbed, quiet, error)) {
        testbed_stop(testbed, NULL);
        return false;
    }
    return true;
}
