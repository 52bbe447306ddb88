/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options.c - see options.h.
 */
#include "run/options.h"

#include <errno.h>
#include <string.h>

static bool parse_limit(RunOptions *options, GError **error)
{
    char *end;
    uint64_t factor = 1;
    uint64_t number;

    if (options->pcap_limit == NULL) {
        return true;
    }
    errno = 0;
    number = g_ascii_strtoull(options->pcap_limit, &end, 10);
    if (*end != '\0') {
        const char *units = "kMG";
        const char *unit = strchr(units, *end);

        for (const char *u = units; unit != NULL && u <= unit; u++) {
            factor *= 1000;
        }
        end += unit != NULL;
    }
    if (!g_ascii_isdigit(options->pcap_limit[0]) || *end != '\0' || errno != 0 || number == 0 ||
        number > UINT64_MAX / factor) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--pcap-limit=%s is no size; write bytes, or 100k, 20M, 1G",
                    options->pcap_limit);
        return false;
    }
    options->pcap_limit_bytes = number * factor;
    return true;
}

static bool bad_peers(const RunOptions *options, GError **error)
{
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "--pcap-peers=%s is no list of peers; write numbers and ranges, as 0,3,10-19",
                options->pcap_peers);
    return false;
}

static bool parse_peers(RunOptions *options, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(options->pcap_peers ? options->pcap_peers : "", ",", -1);

    options->pcap_peer_list = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    if (options->pcap_peers != NULL && parts[0] == NULL) {
        return bad_peers(options, error);
    }
    for (size_t i = 0; parts[i] != NULL; i++) {
        char *end;
        uint64_t first = g_ascii_strtoull(parts[i], &end, 10);
        uint64_t last = first;

        if (!g_ascii_isdigit(parts[i][0])) {
            return bad_peers(options, error);
        }
        if (*end == '-' && g_ascii_isdigit(end[1])) {
            last = g_ascii_strtoull(end + 1, &end, 10);
        }
        if (*end != '\0' || last < first || last >= SCENARIO_PEERS_MAX) {
            return bad_peers(options, error);
        }
        for (uint64_t peer = first; peer <= last; peer++) {
            uint32_t index = (uint32_t)peer;

            g_array_append_val(options->pcap_peer_list, index);
        }
    }
    return true;
}

static bool parse_port(RunOptions *options, GError **error)
{
    guint64 port = 0;

    if (options->base_port_text == NULL) {
        return true;
    }
    if (!options->world->has_ports) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--base-port goes with a world of sockets, not with --on %s",
                    options->world->name);
        return false;
    }
    if (!g_ascii_string_to_unsigned(options->base_port_text, 10, 1, UINT16_MAX, &port, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--base-port=%s is no port; write a number of 1..65535",
                    options->base_port_text);
        return false;
    }
    options->base_port = (uint32_t)port;
    return true;
}

enum { JOBS_MAX = 1024 };

static bool parse_jobs(RunOptions *options, GError **error)
{
    guint64 jobs = 0;

    if (options->jobs_text == NULL) {
        return true;
    }
    if (!g_ascii_string_to_unsigned(options->jobs_text, 10, 1, JOBS_MAX, &jobs, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--jobs=%s is no number of jobs; write one of 1..%d", options->jobs_text,
                    JOBS_MAX);
        return false;
    }
    if (jobs > 1 && options->world->has_ports) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--jobs=%s does not go with --on %s: replications would take each other's "
                    "ports and time; leave --jobs out",
                    options->jobs_text, options->world->name);
        return false;
    }
    options->jobs = (unsigned)jobs;
    return true;
}

static bool find_world(RunOptions *options, RunWorlds worlds, GError **error)
{
    g_autoptr(GString) names = g_string_new(NULL);

    options->world = options->on == NULL ? worlds.world[0] : NULL;
    for (size_t i = 0; i < worlds.len; i++) {
        if (g_strcmp0(options->on, worlds.world[i]->name) == 0) {
            options->world = worlds.world[i];
        }
        g_string_append_printf(names, "%s%s", i > 0 ? " or " : "", worlds.world[i]->name);
    }
    if (options->world == NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--on=%s is no world to run in; write --on %s", options->on, names->str);
        return false;
    }
    if (options->pcap != NULL && !options->world->captures) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--pcap is not to be had with --on %s; capture the traffic of the loopback "
                    "interface instead",
                    options->world->name);
        return false;
    }
    return true;
}

static bool check_options(RunOptions *options, RunWorlds worlds, GError **error)
{
    if (options->files == NULL || options->files[1] != NULL) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "one scenario file is wanted, as in: peal run scenarios/lookup.conf");
        return false;
    }
    if (options->pcap == NULL && (options->pcap_peers != NULL || options->pcap_limit != NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                    "--pcap-peers and --pcap-limit go with --pcap FILE");
        return false;
    }
    return find_world(options, worlds, error) && parse_port(options, error) &&
           parse_jobs(options, error) && parse_limit(options, error) && parse_peers(options, error);
}

bool options_parse(int argc, char **argv, RunWorlds worlds, RunOptions *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->sets, /* bytes as they are */
         "Set a scenario key, in place of the file's value or sweep", "SECTION.KEY=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_STRING, &options->seed, "Same as --set scenario.seed=N", "N"},
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &options->out,
         "Directory for the results (default out/NAME-SEED)", "DIR"},
        {"on", 0, 0, G_OPTION_ARG_STRING, &options->on,
         "Where peers live: sim, simulated (the default); or sockets, as processes of their own on "
         "this machine",
         "WORLD"},
        {"base-port", 0, 0, G_OPTION_ARG_STRING, &options->base_port_text,
         "On sockets: the first of the ports that peers use", "PORT"},
        {"jobs", 'j', 0, G_OPTION_ARG_STRING, &options->jobs_text,
         "Replications that run at a time, each in a process (default: the processors, or what "
         "fits "
         "into memory)",
         "N"},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &options->force,
         "Replace other results in that directory", NULL},
        {"pcap", 0, 0, G_OPTION_ARG_FILENAME, &options->pcap,
         "Write the traffic of replication 0 as a capture", "FILE"},
        {"pcap-peers", 0, 0, G_OPTION_ARG_STRING, &options->pcap_peers,
         "Capture only what these peers send or receive", "0,3,10-19"},
        {"pcap-limit", 0, 0, G_OPTION_ARG_STRING, &options->pcap_limit,
         "Leave out packets beyond this size of the file", "100M"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print the summary as JSON", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "No live view, no lines of progress",
         NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->files, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("FILE - run a scenario");

    g_option_context_set_summary(
        context, "Runs every point and replication of the scenario file, writes results.db and\n"
                 "summary.json, and prints the main figures. `peal help keys` lists the keys of a\n"
                 "scenario; `peal plot DIR` draws its results.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    return check_options(options, worlds, error);
}

void options_fini(RunOptions *options)
{
    g_strfreev(options->files);
    g_strfreev(options->sets);
    g_free(options->out);
    g_free(options->on);
    g_free(options->base_port_text);
    g_free(options->pcap);
    g_free(options->pcap_peers);
    g_free(options->pcap_limit);
    g_free(options->seed);
    g_free(options->jobs_text);
    if (options->pcap_peer_list != NULL) {
        g_array_unref(options->pcap_peer_list);
    }
}
