/* SPDX-License-Identifier: GPL-3.0-or-later */
/* options.c - see options.h. */
#include "replay/options.h"

#include <scenarios/scenario.h>
#include <string.h>

#include "replay/build.h"
#include "units.h"

enum { USERS_MAX = 100000000, KEY_FILE_MAX = 4096 };

static bool fail(GError **error, const char *message)
{
    g_set_error_literal(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, message);
    return false;
}

/* `10x` or `10`, `0.5x`. */
static bool parse_speed(ReplayCommand *command, GError **error)
{
    char *end = command->speed_text;

    command->speed = 1;
    if (command->speed_text == NULL) {
        return true;
    }
    command->speed = g_ascii_strtod(command->speed_text, &end);
    if (end == command->speed_text || (*end != '\0' && strcmp(end, "x") != 0) ||
        !(command->speed >= 0.001 && command->speed <= 1e6)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--speed=%s is no speed; write 10x for ten times as fast as the trace, 0.001x "
                    "to 1000000x",
                    command->speed_text);
        return false;
    }
    return true;
}

static bool parse_keep(ReplayCommand *command, GError **error)
{
    g_auto(GStrv) words = g_strsplit(command->keep != NULL ? command->keep : "", ",", -1);

    for (char **word = words; *word != NULL; word++) {
        if (strcmp(*word, "headers") == 0) {
            command->keep_headers = true;
        } else if (strcmp(*word, "bodies") == 0) {
            command->keep_bodies = true;
        } else {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "--keep=%s: '%s' is nothing to keep; write headers, bodies or both with a "
                        "comma",
                        command->keep, *word);
            return false;
        }
    }
    return true;
}

static bool parse_place(ReplayCommand *command, GError **error)
{
    const char *place = command->place;

    if (place == NULL || strcmp(place, "round-robin") == 0) {
        command->placing = REPLAY_ROUND_ROBIN;
    } else if (strcmp(place, "source") == 0) {
        command->placing = REPLAY_BY_SOURCE;
    } else if (g_str_has_prefix(place, "map:") && place[strlen("map:")] != '\0') {
        command->placing = REPLAY_BY_MAP;
        command->map = place + strlen("map:");
    } else {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--place=%s is no way to place users; write round-robin, source or map:FILE",
                    place);
        return false;
    }
    return true;
}

/* The key, or `@FILE` that holds it, so that it stands in no list of processes. */
static bool parse_key(ReplayCommand *command, GError **error)
{
    const char *text = command->anonymise;
    size_t len = 0;

    if (text == NULL) {
        return true;
    }
    if (text[0] != '@') {
        command->key = g_strdup(text);
    } else {
        command->key = read_small(text + 1, KEY_FILE_MAX, &len, error);
        if (command->key == NULL) {
            g_prefix_error(error, "--anonymise: ");
            return false;
        }
        if (strlen(command->key) != len) {
            return fail(error, "--anonymise: a key file is one line of text");
        }
        g_strchomp(command->key);
    }
    return command->key[0] != '\0' ||
           fail(error, "--anonymise wants a key: the same one gives the same names again");
}

static bool parse_users(ReplayCommand *command, GError **error)
{
    guint64 users = 0;

    if (command->users_text != NULL &&
        !g_ascii_string_to_unsigned(command->users_text, 10, 1, USERS_MAX, &users, NULL)) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "--users=%s is no number of users; write one of 1..%d", command->users_text,
                    USERS_MAX);
        return false;
    }
    command->users = (uint32_t)users;
    return true;
}

/* libpcap looks host names up. Words that are none: those of its language, and services behind
 * port. */
static bool is_filter_word(const char *word, const char *before)
{
    static const char *const WORDS[] = {"host",    "net",       "port",      "portrange",  "src",
                                        "dst",     "and",       "or",        "not",        "ip",
                                        "ip6",     "tcp",       "udp",       "sctp",       "icmp",
                                        "icmp6",   "arp",       "rarp",      "ether",      "vlan",
                                        "mpls",    "pppoes",    "proto",     "protochain", "less",
                                        "greater", "broadcast", "multicast", "gateway",    "mask",
                                        "len",     "link",      "inbound",   "outbound",   NULL};

    if (before != NULL && g_strv_contains(WORDS, before) && g_str_has_prefix(before, "port")) {
        return true;
    }
    return g_strv_contains(WORDS, word) || !g_ascii_isalpha(word[0]) ||
           (strchr(word, ':') != NULL && strspn(word, "0123456789abcdefABCDEF:.") == strlen(word));
}

/* A live replay asks nobody but the peers that it is to play to. */
static bool check_filter(const ReplayCommand *command, GError **error)
{
    g_auto(GStrv) words = NULL;
    const char *before = NULL;

    if (command->filter == NULL || command->targets == NULL) {
        return true;
    }
    words = g_strsplit_set(command->filter, " \t\n()!&|=<>[]+-*/^", -1);
    for (char **word = words; *word != NULL; word++) {
        if ((*word)[0] != '\0' && !is_filter_word(*word, before)) {
            g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                        "--filter: '%s' may be a host's name, which would be looked up, and a "
                        "replay with --to asks nobody: write its address",
                        *word);
            return false;
        }
        before = (*word)[0] != '\0' ? *word : before;
    }
    return true;
}

static bool check_domain(const ReplayCommand *command, GError **error)
{
    const char *domain = command->domain;

    if (domain != NULL && (strlen(domain) > REPLAY_DOMAIN_MAX || !domain_is_good(domain))) {
        g_set_error(
            error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
            "--domain=%.60s is no domain; write a host's name or an IP address, an IPv6 one "
            "in brackets, of at most %d bytes",
            domain, REPLAY_DOMAIN_MAX);
        return false;
    }
    return true;
}

/* An option that nothing would heed is an error, so that nobody wonders. */
static bool check_company(const ReplayCommand *command, GError **error)
{
    const bool runs = command->scenario != NULL;
    const bool live = command->targets != NULL;
    const struct {
        bool given;
        bool heeded;
        const char *message;
    } rules[] = {
        {runs && live, false, "--scenario and --to are two ways to play it; choose one"},
        {command->users_text != NULL, command->write_scenario != NULL,
         "--users goes with --write-scenario"},
        {command->place != NULL, runs || live || command->write_workload != NULL,
         "--place goes with --scenario, --to or --write-workload"},
        {command->out != NULL, runs || live, "--out goes with --scenario or --to"},
        {command->sets != NULL || command->seed != NULL || command->on != NULL ||
             command->base_port != NULL || command->jobs != NULL || command->pcap != NULL,
         runs, "--set, --seed, --on, --base-port, --jobs and --pcap go with --scenario"},
        {command->credentials != NULL, live, "--credentials goes with --to"},
        {command->speed_text != NULL,
         runs || live || command->write_workload != NULL || command->write_scenario != NULL,
         "--speed goes with --scenario, --to, --write-workload or --write-scenario; a description "
         "has the trace's own times"},
        {command->json, runs || live || command->describe,
         "--json goes with --describe, --scenario or --to"},
        {command->domain != NULL, live || command->write_workload != NULL,
         "--domain goes with --to or --write-workload; a scenario has a domain of its own"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i].given && !rules[i].heeded) {
            return fail(error, rules[i].message);
        }
    }
    return true;
}

static bool check(ReplayCommand *command, GError **error)
{
    if (command->files == NULL || command->files[1] != NULL) {
        return fail(error, "one capture is wanted, as in: peal replay trace.pcap --describe");
    }
    if (command->scenario == NULL && command->targets == NULL && command->write_workload == NULL &&
        command->write_scenario == NULL) {
        command->describe = TRUE;
    }
    return parse_speed(command, error) && parse_keep(command, error) &&
           parse_place(command, error) && parse_key(command, error) &&
           parse_users(command, error) && check_domain(command, error) &&
           check_company(command, error) && check_filter(command, error);
}

static void add_entries(GOptionContext *context, ReplayCommand *command)
{
    const GOptionEntry entries[] = {
        {"describe", 'd', 0, G_OPTION_ARG_NONE, &command->describe,
         "Say what the capture holds (the default)", NULL},
        {"scenario", 's', 0, G_OPTION_ARG_FILENAME, &command->scenario,
         "Play it into a scenario's overlay", "FILE"},
        {"to", 't', 0, G_OPTION_ARG_STRING_ARRAY, &command->targets,
         "Play it into a running peer, by its IP address; may repeat", "ADDRESS[:PORT]"},
        {"write-workload", 0, 0, G_OPTION_ARG_FILENAME, &command->write_workload,
         "Write users, registrations and calls as a workload file", "FILE"},
        {"write-scenario", 0, 0, G_OPTION_ARG_FILENAME, &command->write_scenario,
         "Write a scenario whose workload has the distributions fitted to the trace", "FILE"},
        {"users", 0, 0, G_OPTION_ARG_STRING, &command->users_text,
         "Users of that scenario (default: the trace's)", "N"},
        {"filter", 'F', 0, G_OPTION_ARG_STRING, &command->filter,
         "Only packets that a filter of tcpdump lets through", "EXPRESSION"},
        {"from", 0, 0, G_OPTION_ARG_STRING, &command->from,
         "Only packets from then on: 2026-05-01T10:00:00Z, seconds since 1970, or +10min", "TIME"},
        {"until", 0, 0, G_OPTION_ARG_STRING, &command->until, "Only packets before then", "TIME"},
        {"speed", 0, 0, G_OPTION_ARG_STRING, &command->speed_text,
         "Play it so much faster than it was (default 1x)", "10x"},
        {"place", 0, 0, G_OPTION_ARG_STRING, &command->place,
         "Which peer a user is at: round-robin (the default), source (users of one source address "
         "together), or map:FILE of `user number` lines",
         "WAY"},
        {"domain", 0, 0, G_OPTION_ARG_STRING, &command->domain,
         "Domain of all users (default: with --to the first peer's address, else example.org)",
         "NAME"},
        {"credentials", 0, 0, G_OPTION_ARG_FILENAME, &command->credentials,
         "Passwords for challenges: a file of `user password` or `user name password` lines",
         "FILE"},
        {"keep", 0, 0, G_OPTION_ARG_STRING, &command->keep,
         "Send the INVITEs' own headers, bodies or both (headers,bodies) along", "WHAT"},
        {"anonymise", 0, 0, G_OPTION_ARG_STRING, &command->anonymise,
         "Replace names, and headers and bodies that are kept, by a hash with this key",
         "KEY|@FILE"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

static void add_run_entries(GOptionContext *context, ReplayCommand *command)
{
    const GOptionEntry entries[] = {
        {"set", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command->sets, /* bytes as they are */
         "Set a key of the scenario", "SECTION.KEY=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_STRING, &command->seed, "Same as --set scenario.seed=N", "N"},
        {"on", 0, 0, G_OPTION_ARG_STRING, &command->on,
         "Where the scenario's peers live: sim (the default) or sockets", "WORLD"},
        {"base-port", 0, 0, G_OPTION_ARG_STRING, &command->base_port,
         "On sockets: the first of the ports that peers use", "PORT"},
        {"jobs", 'j', 0, G_OPTION_ARG_STRING, &command->jobs, "Replications that run at a time",
         "N"},
        {"pcap", 0, 0, G_OPTION_ARG_FILENAME, &command->pcap,
         "Write the simulated traffic as a capture", "FILE"},
        {"out", 'o', 0, G_OPTION_ARG_FILENAME, &command->out,
         "Directory for the results (default out/NAME-SEED, with --to out/CAPTURE-live)", "DIR"},
        {"force", 'f', 0, G_OPTION_ARG_NONE, &command->force,
         "Replace results, workload and scenario files that are there", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &command->json, "Print as JSON", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &command->quiet, "No lines of progress", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &command->files, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };

    g_option_context_add_main_entries(context, entries, NULL);
}

bool replay_options_parse(int argc, char **argv, ReplayCommand *command, GError **error)
{
    g_autoptr(GOptionContext) context =
        g_option_context_new("CAPTURE - describe a capture of SIP, and play it into an overlay");

    g_option_context_set_summary(
        context,
        "CAPTURE is a pcap or pcapng file, gzip or not, - for standard input, or a workload file\n"
        "that --write-workload wrote. Calls, cancellations and refusals of the trace happen again\n"
        "in an overlay, and each is set beside what it was. A replay with --to sends to these\n"
        "addresses and nowhere else. scenarios/REPLAY.md is the guide.");
    add_entries(context, command);
    add_run_entries(context, command);
    return g_option_context_parse(context, &argc, &argv, error) && check(command, error);
}

void replay_options_fini(ReplayCommand *command)
{
    char *texts[] = {
        command->write_workload, command->write_scenario, command->scenario,   command->filter,
        command->from,           command->until,          command->speed_text, command->domain,
        command->credentials,    command->anonymise,      command->keep,       command->place,
        command->users_text,     command->seed,           command->out,        command->on,
        command->base_port,      command->jobs,           command->pcap,       command->key};

    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_free(texts[i]);
    }
    g_strfreev(command->files);
    g_strfreev(command->targets);
    g_strfreev(command->sets);
}

/* Seconds since 1970 with decimals, to the ns. */
static bool unix_seconds(const char *text, int64_t *ret_ns)
{
    Decimal decimal;
    const char *end = units_decimal(text, &decimal);
    PealSpan span;
    g_autofree char *with_unit = g_strconcat(text, "s", NULL);

    if (end == NULL || *end != '\0' || !units_span(with_unit, &span, NULL)) {
        return false;
    }
    *ret_ns = span.ns;
    return true;
}

bool replay_instant(const char *option, const char *text, int64_t *ret_ns, bool *ret_relative,
                    GError **error)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) instant = NULL;
    PealSpan span;

    *ret_relative = text[0] == '+';
    if (text[0] == '+' && units_span(text + 1, &span, NULL)) {
        *ret_ns = span.ns;
        return true;
    }
    if (text[0] != '+' && unix_seconds(text, ret_ns)) {
        return true;
    }
    instant = g_date_time_new_from_iso8601(text, utc);
    /* What an int64_t of ns can tell: 1678 to 2261. */
    if (instant != NULL && ABS(g_date_time_to_unix(instant)) < INT64_MAX / PEAL_NS_PER_S) {
        *ret_ns = g_date_time_to_unix(instant) * PEAL_NS_PER_S +
                  (int64_t)g_date_time_get_microsecond(instant) * PEAL_NS_PER_US;
        return true;
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "%s=%s is no time; write 2026-05-01T10:00:00Z, seconds since 1970, or +10min from "
                "the capture's first packet",
                option, text);
    return false;
}
