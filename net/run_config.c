/* SPDX-License-Identifier: GPL-3.0-or-later */
/* run_config.c - see run_config.h. */
#include "run_config.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <scenarios/settings.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run_flood.h"

enum { SIP_MIN_EXPIRES_S = 60, SIP_MAX_EXPIRES_S = 86400 };

static bool refuse(const Scenario *point, const char *section, const char *key, const char *why,
                   GError **error)
{
    const Setting *setting = settings_find(point->settings, section, key);

    g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_UNAVAILABLE, "%s with --on sockets", why);
    if (setting != NULL) {
        settings_prefix(point->settings, setting, error);
    } else {
        g_prefix_error(error, "%s: %s.%s: ", point->path, section, key);
    }
    return false;
}

/* Whether nobody else has the port, for datagrams and streams. */
static bool is_free(uint32_t port)
{
    static const int types[] = {SOCK_DGRAM, SOCK_STREAM};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    bool ok = true;

    for (size_t i = 0; ok && i < G_N_ELEMENTS(types); i++) {
        int on = 1, fd = socket(AF_INET, types[i] | SOCK_CLOEXEC, 0);

        ok = fd >= 0;
        if (ok && types[i] == SOCK_STREAM) { /* closed connections do not count */
            setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        }
        ok = ok && bind(fd, (const struct sockaddr *)(const void *)&address, sizeof(address)) == 0;
        if (fd >= 0) {
            close(fd);
        }
    }
    return ok;
}

static bool check_ports(uint32_t base_port, uint32_t identities, GError **error)
{
    if ((uint64_t)base_port + (uint64_t)identities * RUN_PORTS_PER_PEER > UINT16_MAX) {
        g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                    "--base-port=%u leaves no room for %u peers with %d ports each; write %d or "
                    "less",
                    base_port, identities, RUN_PORTS_PER_PEER,
                    (int)UINT16_MAX - (int)identities * (int)RUN_PORTS_PER_PEER);
        return false;
    }
    for (uint32_t i = 0; i < 2 * identities; i++) { /* SIP's and RELOAD's */
        uint32_t port = base_port + i / 2 * RUN_PORTS_PER_PEER + i % 2;

        if (!is_free(port)) {
            g_set_error(error, SCENARIO_ERROR, SCENARIO_ERROR_VALUE,
                        "port %u of 127.0.0.1 is in use or not to be had; choose others with "
                        "--base-port",
                        port);
            return false;
        }
    }
    return true;
}

bool run_config_check(const Scenario *point, uint32_t base_port, GError **error)
{
    uint32_t identities = scenario_identities(point);

    if (point->peer.service.kind != DIST_NONE) {
        return refuse(point, "peer", "cpu", "peers have the machine's processor (cpu = infinite)",
                      error);
    }
    if (point->watch_paths || point->watch_ring.ns > 0) {
        return refuse(point, "scenario", point->watch_paths ? "watch-paths" : "watch-ring",
                      "nobody sees all messages and tables", error);
    }
    if (!run_flood_check(point, error)) {
        return false;
    }
    if (identities > RUN_PEERS_MAX) {
        g_autofree char *why =
            g_strdup_printf("each peer is a process, so there are %d at most", RUN_PEERS_MAX);

        return refuse(point, "overlay", "peers", why, error);
    }
    return check_ports(base_port != 0 ? base_port : RUN_BASE_PORT, identities, error);
}

/* Settings as lines of a file, section by section as they come. */
typedef struct Writer {
    GString *text;
    char *section;
    bool (*wants)(const char *section, const char *key);
} Writer;

static void write_line(Writer *writer, const char *section, const char *key, const char *value)
{
    if (g_strcmp0(writer->section, section) != 0) {
        g_free(writer->section);
        writer->section = g_strdup(section);
        g_string_append_printf(writer->text, "\n[%s]\n", section);
    }
    g_string_append_printf(writer->text, "%s = %s\n", key, value);
}

static void write_setting(Writer *writer, const Scenario *point, const Setting *setting)
{
    const char *file = NULL;

    if (strcmp(setting->section, "network") == 0 && strcmp(setting->key, "latency") == 0) {
        file = point->network.latency_file;
    } else if (strcmp(setting->section, "churn") == 0 && strcmp(setting->key, "session") == 0) {
        file = point->churn.trace_file;
    }
    if (file != NULL) {
        g_autofree char *path = g_canonicalize_filename(file, NULL);
        g_autofree char *value =
            g_strdup_printf("%.*s:%s", (int)strcspn(setting->value, ":"), setting->value, path);

        write_line(writer, setting->section, setting->key, value);
    } else {
        write_line(writer, setting->section, setting->key, setting->value);
    }
}

/* Whether an earlier setting has begun the section: options may add to any. */
static bool is_begun(const GPtrArray *list, guint place)
{
    const Setting *setting = g_ptr_array_index(list, place);

    for (guint i = 0; i < place; i++) {
        const Setting *other = g_ptr_array_index(list, i);

        if (strcmp(other->section, setting->section) == 0) {
            return true;
        }
    }
    return false;
}

static void write_settings(Writer *writer, const Scenario *point)
{
    const GPtrArray *list = point->settings->list;

    for (guint i = 0; i < list->len; i++) {
        const char *section = ((const Setting *)g_ptr_array_index(list, i))->section;

        if (is_begun(list, i)) {
            continue;
        }
        for (guint j = i; j < list->len; j++) {
            const Setting *setting = g_ptr_array_index(list, j);

            if (strcmp(setting->section, section) == 0 &&
                (writer->wants == NULL || writer->wants(setting->section, setting->key))) {
                write_setting(writer, point, setting);
            }
        }
    }
}

static bool write_file(const char *path, GString *text, GError **error)
{
    return g_file_set_contents(path, text->str, (gssize)text->len, error);
}

bool run_config_scenario(const Scenario *point, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    Writer writer = {.text = text};

    write_settings(&writer, point);
    g_free(writer.section);
    return write_file(path, text, error);
}

/* What a node's configuration has in common with a scenario; fingers are numbered below. */
static bool is_nodes(const char *section, const char *key)
{
    static const char *const others[] = {"peers",   "routing", "start",       "join-interval",
                                         "fingers", "name",    "server-keeps"};

    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        if (strcmp(key, others[i]) == 0) {
            return false;
        }
    }
    return strcmp(section, "overlay") == 0 || strcmp(section, "defence") == 0;
}

static uint32_t base_of(const RunJob *job)
{
    return job->base_port != 0 ? job->base_port : RUN_BASE_PORT;
}

uint32_t run_config_house(const Scenario *point, uint32_t peer)
{
    return scenario_is_central(point) ? 0 : peer;
}

uint16_t run_config_sip_port(const RunJob *job, uint32_t peer)
{
    return (uint16_t)(base_of(job) + peer * RUN_PORTS_PER_PEER);
}

static void write_overlay(GString *text, const RunConfigNode *node)
{
    const Scenario *point = node->job->point;
    Writer writer = {.text = text, .section = g_strdup("overlay"), .wants = is_nodes};

    g_string_append_printf(text,
                           "\n[overlay]\nname = %s\nfingers = %u\ninsecure-links = yes\n"
                           "listen = 127.0.0.1:%u\n",
                           point->overlay_name, point->overlay.fingers,
                           run_config_sip_port(node->job, node->peer) + 1U);
    if (node->bootstrap_len == 0) {
        g_string_append(text, "first = yes\n");
    }
    for (size_t i = 0; i < node->bootstrap_len; i++) {
        g_string_append_printf(text, "%s127.0.0.1:%u", i == 0 ? "bootstrap = " : ", ",
                               run_config_sip_port(node->job, node->bootstrap[i]) + 1U);
    }
    g_string_append_c(text, '\n');
    write_settings(&writer, point);
    g_free(writer.section);
}

/* Lifetimes that the scenario asks for are granted, however short. */
static void write_sip(GString *text, const RunConfigNode *node)
{
    uint32_t least_s;
    uint32_t most_s;

    if (run_config_house(node->job->point, node->peer) != node->peer) {
        g_string_append(text, "\n[sip]\nlisten = none\n");
        return;
    }
    scenario_register_bounds(node->job->point, &least_s, &most_s);
    g_string_append_printf(text,
                           "\n[sip]\nlisten = 127.0.0.1:%u\ndomain = example.org\n"
                           "min-expires = %" PRIu32 "s\nmax-expires = %" PRIu32 "s\n",
                           run_config_sip_port(node->job, node->peer),
                           MIN(least_s, SIP_MIN_EXPIRES_S), MAX(most_s, SIP_MAX_EXPIRES_S));
}

bool run_config_node(const RunConfigNode *node, const char *path, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);

    g_string_append_printf(text, "[node]\ncontrol = %s\nlog = %s\n", node->control, node->log);
    if (node->peer == 0 && node->job->point->server_keeps &&
        scenario_is_central(node->job->point)) {
        g_string_append_printf(text, "state-dir = %s\n", node->state);
    }
    write_overlay(text, node);
    write_sip(text, node);
    g_string_append_printf(text,
                           "\n[http]\nlisten = none\n"
                           "\n[emulate]\nscenario = %s\nseed = %" PRIu64 "\npeer = %u\n"
                           "base-port = %u\n",
                           node->scenario, node->job->seed, node->peer, base_of(node->job));
    return write_file(path, text, error);
}
