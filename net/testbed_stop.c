/* SPDX-License-Identifier: GPL-3.0-or-later */
/* testbed_stop.c - ends a testbed's processes and tidies up after them. */
#include <errno.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "netns.h"
#include "testbed.h"

enum { STOP_PATIENCE_MS = 15000, STOP_KILL_PATIENCE_MS = 5000 };

typedef struct StopPeers {
    struct pollfd *process; /* fd -1: does not run (any more) */
    unsigned len;
} StopPeers;

static unsigned stop_running(const StopPeers *peers)
{
    unsigned running = 0;

    for (unsigned i = 0; i < peers->len; i++) {
        running += peers->process[i].fd >= 0;
    }
    return running;
}

static void stop_signal(const StopPeers *peers, int number)
{
    for (unsigned i = 0; i < peers->len; i++) {
        if (peers->process[i].fd >= 0) {
            pidfd_send_signal(peers->process[i].fd, number, NULL, 0);
        }
    }
}

/* A descriptor of a process becomes readable when it has ended. */
static void stop_wait(StopPeers *peers, int patience_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64)patience_ms * 1000;

    while (stop_running(peers) > 0) {
        gint64 left_ms = (deadline - g_get_monotonic_time()) / 1000;

        if (left_ms <= 0 ||
            (poll(peers->process, peers->len, (int)left_ms) < 0 && errno != EINTR)) {
            return;
        }
        for (unsigned i = 0; i < peers->len; i++) {
            if (peers->process[i].fd >= 0 && peers->process[i].revents != 0) {
                close(peers->process[i].fd);
                peers->process[i] = (struct pollfd){.fd = -1};
            }
        }
        while (waitpid(-1, NULL, WNOHANG) > 0) {
            /* those that this process has started itself */
        }
    }
}

static void stop_tidy(const Testbed *testbed)
{
    for (unsigned peer = 1; peer <= testbed->peers; peer++) {
        g_autofree char *pid = testbed_path(testbed, peer, "pid");
        g_autofree char *control = testbed_path(testbed, peer, "control");

        g_unlink(pid);
        g_unlink(control);
    }
    if (testbed->netns) {
        netns_remove(testbed);
    }
}

int testbed_stop(const Testbed *testbed, GError **error)
{
    g_autofree struct pollfd *processes = g_new(struct pollfd, testbed->peers);
    StopPeers peers = {processes, testbed->peers};
    unsigned killed;

    for (unsigned i = 0; i < testbed->peers; i++) {
        pid_t pid;

        processes[i] = (struct pollfd){.fd = testbed_pidfd(testbed, i + 1, &pid), .events = POLLIN};
    }
    stop_signal(&peers, SIGTERM);
    stop_signal(&peers, SIGCONT); /* one that was stopped must hear it */
    stop_wait(&peers, STOP_PATIENCE_MS);
    killed = stop_running(&peers);
    stop_signal(&peers, SIGKILL);
    stop_wait(&peers, STOP_KILL_PATIENCE_MS);
    if (stop_running(&peers) > 0) {
        testbed_fail(error, TESTBED_ERROR_FAILED, "%u peers do not even end when they are killed",
                     stop_running(&peers));
        return -1;
    }
    stop_tidy(testbed);
    return (int)killed;
}
