/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_peer.c - see run_peer.h. */
#include "run_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONNECT_AGAIN peal_ms(10)

void run_peer_init(RunPeer *peer, const RunPeers *all, uint32_t index)
{
    *peer = (RunPeer){.all = all, .index = index, .known = PEAL_TIME_NEVER};
    peer->users = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

static void let_go(RunPeer *peer)
{
    loop_timer_unset(peer->all->loop, &peer->connect);
    g_clear_pointer(&peer->link, run_link_free);
    if (peer->watch != NULL) {
        g_source_destroy(peer->watch);
        g_clear_pointer(&peer->watch, g_source_unref);
    }
    peer->pid = 0;
    peer->known = PEAL_TIME_NEVER;
    peer->joined = peer->asked = false;
    peer->successors.len = peer->predecessors.len = 0;
    peer->totals_base = (RecorderTotals){0};
    peer->load_base = 0;
    peer->registered = 0;
    peer->load_before = peer->load;
}

void run_peer_fini(RunPeer *peer)
{
    GPid pid = peer->pid;

    let_go(peer);
    if (pid != 0) {
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    g_array_unref(peer->users);
}

char *run_peer_path(const RunPeer *peer, const char *suffix)
{
    return g_strdup_printf("%s/peer-%u%s", peer->all->dir, peer->index, suffix);
}

/* In the new process: a Ctrl-C of the terminal is not for it, and it does not outlive us. */
static void become_a_node(gpointer data)
{
    (void)data;
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void on_child(GPid pid, gint status, gpointer user)
{
    RunPeer *peer = user;
    RunPeerEnd ends = peer->ends;

    (void)status;
    (void)pid;
    let_go(peer);
    peer->all->on_gone(peer->all->user, peer, ends != RUN_PEER_STAYS);
}

static void on_answer(void *user, const json_t *answer)
{
    RunPeer *peer = user;

    if (json_object_get(answer, "events") == NULL) {
        return; /* of a lookup or registration: its outcome is an event */
    }
    peer->asked = false;
    peer->all->on_report(peer->all->user, peer, answer);
    if (peer->pid != 0 && peer->ends == RUN_PEER_FAILS) {
        kill(peer->pid, SIGKILL);
    }
}

static void on_link_end(void *user)
{
    RunPeer *peer = user;

    g_clear_pointer(&peer->link, run_link_free);
    peer->asked = false; /* the process's end tells the rest */
}

/* The socket is there soon after the process has started. */
static void connect_now(void *user)
{
    RunPeer *peer = user;
    RunLinkConfig config = {peer->all->loop, on_answer, on_link_end, peer};
    g_autofree char *path = run_peer_path(peer, ".sock");

    peer->link = run_link_new(&config, path);
    if (peer->link == NULL) {
        loop_timer_set(peer->all->loop, &peer->connect,
                       peal_time_add(loop_now(peer->all->loop), CONNECT_AGAIN));
        return;
    }
    peer->all->on_connected(peer->all->user, peer);
    run_peer_ask(peer);
}

bool run_peer_start(RunPeer *peer, GError **error)
{
    char program[] = "/proc/self/exe", command[] = "node";
    g_autofree char *config = run_peer_path(peer, ".conf");
    g_autofree char *output = run_peer_path(peer, ".out");
    char *argv[] = {program, command, config, NULL};
    int out = open(output, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool ok;

    if (out < 0) {
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(errno),
                    "cannot write %s: %s", output, g_strerror(errno));
        return false;
    }
    ok = g_spawn_async_with_fds(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, become_a_node, NULL,
                                &peer->pid, -1, out, out, error);
    close(out);
    if (!ok) {
        peer->pid = 0;
        return false;
    }
    peer->ends = RUN_PEER_STAYS;
    peer->stored = 0;
    peer->seen = true;
    peer->totals = (RecorderTotals){0};
    peer->watch = g_child_watch_source_new(peer->pid);
    g_source_set_callback(peer->watch, G_SOURCE_FUNC(on_child), peer, NULL);
    g_source_attach(peer->watch, loop_context(peer->all->loop));
    peer->known = loop_now(peer->all->loop);
    peer->asked_at = peer->known;
    peer->connect = (LoopTimer){.due = connect_now, .user = peer};
    loop_timer_set(peer->all->loop, &peer->connect, peal_time_add(peer->known, CONNECT_AGAIN));
    return true;
}

void run_peer_ask(RunPeer *peer)
{
    if (peer->link != NULL && !peer->asked) {
        peer->asked = true;
        peer->asked_at = loop_now(peer->all->loop);
        run_link_send_take(peer->link, json_pack("{s:s}", "do", "run-report"));
    }
}

void run_peer_fetch(RunPeer *peer, uint32_t number, const PealId *key)
{
    char text[PEAL_ID_TEXT_LEN];

    peal_id_text(key, text);
    run_link_send_take(peer->link, json_pack("{s:s, s:I, s:s}", "do", "run-fetch", "number",
                                             (json_int_t)number, "resource", text));
}

void run_peer_register(RunPeer *peer, PealStr aor, uint32_t expires_s)
{
    run_link_send_take(peer->link, json_pack("{s:s, s:s%, s:I}", "do", "run-register", "aor",
                                             aor.ptr, aor.len, "expires_s", (json_int_t)expires_s));
}

void run_peer_renew(RunPeer *peer)
{
    if (peer->link != NULL) {
        run_link_send_take(peer->link, json_pack("{s:s}", "do", "run-renew"));
    }
}

void run_peer_begin(RunPeer *peer)
{
    peer->totals_base = peer->totals;
    peer->load_base = peer->load;
    peer->totals = (RecorderTotals){0};
    peer->load = 0;
}

void run_peer_partition(RunPeer *peer, uint32_t ppm, uint32_t event)
{
    if (peer->link == NULL) {
        return; /* it is told when it can be */
    }
    run_link_send_take(peer->link, ppm > 0
                                       ? json_pack("{s:s, s:I, s:I}", "do", "run-partition", "ppm",
                                                   (json_int_t)ppm, "event", (json_int_t)event)
                                       : json_pack("{s:s}", "do", "run-heal"));
}

void run_peer_end(RunPeer *peer, RunPeerEnd how)
{
    peer->ends = how;
    if (how == RUN_PEER_LEAVES) {
        run_peer_ask(peer);
        kill(peer->pid, SIGTERM);
    } else if (peer->link == NULL) {
        kill(peer->pid, SIGKILL);
    } else {
        peer->asked = false; /* what is on its way may be older */
        run_peer_ask(peer);
    }
}

static char *last_line(const char *path)
{
    g_autofree char *text = NULL;
    char *newline;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return NULL;
    }
    g_strchomp(text);
    newline = strrchr(text, '\n');
    newline = newline != NULL ? newline + 1 : text;
    return *newline != '\0' ? g_utf8_make_valid(newline, -1) : NULL;
}

char *run_peer_said(const RunPeer *peer)
{
    g_autofree char *output = run_peer_path(peer, ".out");
    g_autofree char *log = run_peer_path(peer, ".log");
    char *line = last_line(output);

    if (line == NULL) {
        line = last_line(log);
    }
    return line != NULL ? line : g_strdup("it said nothing");
}

uint64_t run_peer_peak_bytes(const RunPeer *peer)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", (int)peer->pid);
    g_autofree char *text = NULL;
    const char *line;

    if (peer->pid == 0 || !g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    line = strstr(text, "\nVmHWM:");
    return line != NULL ? 1024 * g_ascii_strtoull(line + strlen("\nVmHWM:"), NULL, 10) : 0;
}
