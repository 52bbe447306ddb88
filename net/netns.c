/* SPDX-License-Identifier: GPL-3.0-or-later */
/* netns.c - namespaces by way of ip(8), which mounts and names them as everybody else does. */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

static const char NETNS_DIR[] = "/run/netns";
static const char BRIDGE_ADDRESS[] = "10.77.0.254/24"; /* for phones in the bridge's namespace */
enum { NETNS_DIGITS = 8 };

char *netns_prefix(const Testbed *testbed)
{
    g_autofree char *digest = g_compute_checksum_for_string(G_CHECKSUM_SHA1, testbed->dir, -1);

    return g_strdup_printf("peal-%.*s", NETNS_DIGITS, digest);
}

/* Runs `ip WORDS`, which hold no spaces within a word. */
static bool netns_ip(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool netns_ip(GError **error, const char *format, ...)
{
    g_autofree char *words = NULL;
    g_autofree char *said = NULL;
    g_auto(GStrv) argv = NULL;
    g_autofree char *line = NULL;
    va_list arguments;
    int status;

    va_start(arguments, format);
    words = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    line = g_strconcat("ip ", words, NULL);
    argv = g_strsplit(line, " ", -1);
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                      NULL, NULL, &said, &status, NULL)) {
        testbed_fail(error, TESTBED_ERROR_INPUT,
                     "--netns needs the program ip, of the package iproute2");
        return false;
    }
    if (!g_spawn_check_wait_status(status, NULL)) {
        testbed_fail(error, TESTBED_ERROR_FAILED, "%s: %s", line, g_strchomp(said));
        return false;
    }
    return true;
}

static bool netns_make_bridge(const char *prefix, GError **error)
{
    return netns_ip(error, "netns add %s-0", prefix) &&
           netns_ip(error, "-n %s-0 link add br0 type bridge", prefix) &&
           netns_ip(error, "-n %s-0 addr add %s dev br0", prefix, BRIDGE_ADDRESS) &&
           netns_ip(error, "-n %s-0 link set br0 up", prefix) &&
           netns_ip(error, "-n %s-0 link set lo up", prefix);
}

static bool netns_make_peer(const char *prefix, unsigned peer, GError **error)
{
    return netns_ip(error, "netns add %s-%u", prefix, peer) &&
           netns_ip(error, "-n %s-0 link add p%u type veth peer name eth0 netns %s-%u", prefix,
                    peer, prefix, peer) &&
           netns_ip(error, "-n %s-0 link set p%u master br0 up", prefix, peer) &&
           netns_ip(error, "-n %s-%u addr add 10.77.0.%u/24 dev eth0", prefix, peer, peer) &&
           netns_ip(error, "-n %s-%u link set eth0 up", prefix, peer) &&
           netns_ip(error, "-n %s-%u link set lo up", prefix, peer);
}

bool netns_make(const Testbed *testbed, GError **error)
{
    g_autofree char *prefix = netns_prefix(testbed);
    bool ok;

    if (geteuid() != 0) {
        testbed_fail(error, TESTBED_ERROR_INPUT,
                     "--netns makes network namespaces, which takes root");
        return false;
    }
    netns_remove(testbed);
    ok = netns_make_bridge(prefix, error);
    for (unsigned peer = 1; ok && peer <= testbed->peers; peer++) {
        ok = netns_make_peer(prefix, peer, error);
    }
    if (!ok) {
        netns_remove(testbed);
    }
    return ok;
}

bool netns_enter(const Testbed *testbed, unsigned peer)
{
    g_autofree char *prefix = netns_prefix(testbed);
    g_autofree char *path = g_strdup_printf("%s/%s-%u", NETNS_DIR, prefix, peer);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool entered = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    int why = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = why;
    return entered;
}

void netns_remove(const Testbed *testbed)
{
    g_autofree char *prefix = netns_prefix(testbed);
    g_autofree char *start = g_strconcat(prefix, "-", NULL);
    g_autoptr(GDir) dir = g_dir_open(NETNS_DIR, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        if (g_str_has_prefix(name, start)) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    for (guint i = 0; i < names->len; i++) {
        netns_ip(NULL, "netns del %s", (const char *)g_ptr_array_index(names, i));
    }
}
