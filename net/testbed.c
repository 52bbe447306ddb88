/* SPDX-License-Identifier: GPL-3.0-or-later */
/* testbed.c - what a testbed is: its directory, its ports, its processes. */
#include "testbed.h"

#include <errno.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "json_text.h"

enum {
    TESTBED_SIP = 5060,
    TESTBED_RELOAD = 6084,
    TESTBED_HTTP = 6301,
    TESTBED_STEP = 10,
    TESTBED_TAIL_BYTES = 65536,
};

GQuark testbed_error_quark(void)
{
    return g_quark_from_static_string("peal-testbed-error");
}

void testbed_fail(GError **error, TestbedError code, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_propagate_error(error, g_error_new_valist(TESTBED_ERROR, (gint)code, format, arguments));
    va_end(arguments);
}

TestbedPorts testbed_ports(const Testbed *testbed, unsigned peer)
{
    unsigned step = testbed->netns ? 0 : TESTBED_STEP * (peer - 1);
    unsigned base = testbed->base_port;

    if (base == 0) {
        return (TestbedPorts){TESTBED_SIP + step, TESTBED_RELOAD + step, TESTBED_HTTP + step};
    }
    return (TestbedPorts){base + step, base + 1 + step, base + 2 + step};
}

char *testbed_address(const Testbed *testbed, unsigned peer)
{
    return testbed->netns ? g_strdup_printf("10.77.0.%u", peer) : g_strdup("127.0.0.1");
}

char *testbed_path(const Testbed *testbed, unsigned peer, const char *name)
{
    g_autofree char *dir = g_strdup_printf("%s/peer-%u", testbed->dir, peer);

    return name != NULL ? g_strconcat(dir, "/", name, NULL) : g_steal_pointer(&dir);
}

/* The description. */

Testbed *testbed_open(const char *dir, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(dir, NULL);
    g_autofree char *path = g_build_filename(absolute, "testbed.json", NULL);
    json_t *description = json_load_file(path, 0, NULL);
    json_int_t peers = json_integer_value(json_object_get(description, "peers"));
    json_int_t base_port = json_integer_value(json_object_get(description, "base_port"));
    bool netns = json_is_true(json_object_get(description, "netns"));
    Testbed *testbed;

    json_decref(description);
    if (peers < 1 || peers > TESTBED_PEERS_MAX || base_port < 0 || base_port > UINT16_MAX) {
        testbed_fail(error, TESTBED_ERROR_INPUT,
                     "there is no testbed in %s; make one with: peal testbed start --dir %s", dir,
                     dir);
        return NULL;
    }
    testbed = g_new0(Testbed, 1);
    testbed->dir = g_steal_pointer(&absolute);
    testbed->peers = (unsigned)peers;
    testbed->base_port = (unsigned)base_port;
    testbed->netns = netns;
    return testbed;
}

bool testbed_save(const Testbed *testbed, GError **error)
{
    g_autofree char *path = g_build_filename(testbed->dir, "testbed.json", NULL);
    json_t *description = json_pack("{s:i, s:i, s:b}", "peers", (int)testbed->peers, "base_port",
                                    (int)testbed->base_port, "netns", (int)testbed->netns);
    g_autofree char *text = json_dumps(description, JSON_TEXT_LINES);

    json_decref(description);
    return g_file_set_contents(path, text, -1, error);
}

void testbed_free(Testbed *testbed)
{
    if (testbed != NULL) {
        g_free(testbed->dir);
        g_free(testbed->users);
        g_strfreev(testbed->sets);
        g_free(testbed);
    }
}

/* Processes. */

/* A process whose arguments are `... node DIR/peer-K/node.conf`: no other one has these. A process
 * that has ended and was not waited for has none. */
static bool testbed_is_ours(const Testbed *testbed, unsigned peer, pid_t pid)
{
    g_autofree char *proc = g_strdup_printf("/proc/%ld/cmdline", (long)pid);
    g_autofree char *conf = testbed_path(testbed, peer, "node.conf");
    g_autofree char *arguments = NULL;
    gsize len = 0;
    gsize at = 0;

    if (!g_file_get_contents(proc, &arguments, &len, NULL)) {
        return false;
    }
    for (unsigned i = 0; i < 2 && at < len; i++) {
        at += strlen(arguments + at) + 1;
        if (i == 0 && (at >= len || strcmp(arguments + at, "node") != 0)) {
            return false;
        }
    }
    return at < len && strcmp(arguments + at, conf) == 0;
}

int testbed_pidfd(const Testbed *testbed, unsigned peer, pid_t *ret_pid)
{
    g_autofree char *path = testbed_path(testbed, peer, "pid");
    g_autofree char *text = NULL;
    guint64 pid;
    int fd;

    if (!g_file_get_contents(path, &text, NULL, NULL) ||
        !g_ascii_string_to_unsigned(g_strchomp(text), 10, 2, INT32_MAX, &pid, NULL)) {
        return -1;
    }
    /* The descriptor first: what is found out afterwards is about this process. */
    fd = pidfd_open((pid_t)pid, 0);
    if (fd >= 0 && !testbed_is_ours(testbed, peer, (pid_t)pid)) {
        close(fd);
        return -1;
    }
    if (fd >= 0) {
        *ret_pid = (pid_t)pid;
    }
    return fd;
}

json_t *testbed_ask(const Testbed *testbed, unsigned peer, unsigned timeout_ms)
{
    g_autofree char *path = testbed_path(testbed, peer, "control");

    return client_ask(path, json_pack("{s:s}", "do", "status"), timeout_ms, NULL);
}

/* Logs. */

static char *testbed_last_bytes(const char *path)
{
    FILE *file = fopen(path, "re");
    char *text = g_malloc0(TESTBED_TAIL_BYTES + 1);

    if (file == NULL) {
        return text;
    }
    if (fseek(file, -TESTBED_TAIL_BYTES, SEEK_END) != 0) {
        rewind(file); /* a shorter one, whole */
    }
    text[fread(text, 1, TESTBED_TAIL_BYTES, file)] = '\0';
    fclose(file);
    return text;
}

char *testbed_tail(const Testbed *testbed, unsigned peer, unsigned lines)
{
    g_autofree char *path = testbed_path(testbed, peer, "log");
    g_autofree char *text = testbed_last_bytes(path);
    const char *start = text + strlen(text);

    for (unsigned i = 0; start > text && i <= lines; i++) {
        const char *newline = start > text ? memrchr(text, '\n', (size_t)(start - text)) : NULL;

        if (newline == NULL) {
            return g_strdup(text);
        }
        start = newline;
    }
    return g_strdup(start[0] == '\n' ? start + 1 : start);
}
