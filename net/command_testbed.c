/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_testbed.c - `peal testbed`: options and tables. */
#include <net/commands.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "json_text.h"
#include "netns.h"
#include "testbed.h"
#include "testbed_log.h"

enum { STATUS_ASK_MS = 2000, STATUS_ID_DIGITS = 12, PORT_MAX = 65535, LINES_DEFAULT = 20 };

typedef struct TestbedOptions {
    char *dir;
    char *peers;
    char *users;
    char **sets;
    char **words;
    char *base_port; /* NULL: the standard ports */
    int lines;
    gboolean netns;
    gboolean fresh;
    gboolean quiet;
    gboolean json;
    gboolean follow;
} TestbedOptions;

typedef struct TestbedCommand {
    const char *name;
    const char *arguments;
    const char *summary;
    int (*run)(TestbedOptions *options, GError **error);
} TestbedCommand;

static char *absolute(const char *path)
{
    return path != NULL ? g_canonicalize_filename(path, NULL) : NULL;
}

/* start */

static bool start_options(const TestbedOptions *options, Testbed *ret_testbed, GError **error)
{
    guint64 peers = 0;
    guint64 base_port = 0;
    guint64 most = options->netns ? TESTBED_NETNS_PEERS_MAX : TESTBED_PEERS_MAX;
    TestbedPorts last;

    if (options->peers == NULL ||
        !g_ascii_string_to_unsigned(options->peers, 10, 1, most, &peers, NULL)) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "--peers wants a number of peers, 1 to %u",
                     (unsigned)most);
        return false;
    }
    if (options->base_port != NULL &&
        !g_ascii_string_to_unsigned(options->base_port, 10, 1, PORT_MAX, &base_port, NULL)) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "--base-port wants a port, 1 to %d", PORT_MAX);
        return false;
    }
    *ret_testbed = (Testbed){
        .dir = absolute(options->dir),
        .peers = (unsigned)peers,
        .base_port = (unsigned)base_port,
        .netns = options->netns,
        .users = absolute(options->users),
        .sets = g_strdupv(options->sets),
    };
    last = testbed_ports(ret_testbed, (unsigned)peers);
    if (MAX(last.sip, MAX(last.reload, last.http)) > PORT_MAX) {
        testbed_fail(error, TESTBED_ERROR_INPUT,
                     "the ports of %u peers go beyond %d; choose fewer, or another --base-port",
                     (unsigned)peers, PORT_MAX);
        return false;
    }
    return true;
}

static void start_explain(const Testbed *testbed, const char *dir)
{
    TestbedPorts first = testbed_ports(testbed, 1);
    TestbedPorts last = testbed_ports(testbed, testbed->peers);
    g_autofree char *ip = testbed_address(testbed, 1);
    g_autofree char *last_ip = testbed_address(testbed, testbed->peers);

    printf("%u peers are one overlay, p2p.test, and healthy.\n", testbed->peers);
    printf("  phones    register sip:USER@%s at any peer: SIP at %s:%u to %s:%u\n",
           testbed->netns ? "p2p.test" : "127.0.0.1", ip, first.sip, last_ip, last.sip);
    printf("  pages     http://%s:%u/ to http://%s:%u/\n", ip, first.http, last_ip, last.http);
    if (testbed->netns) {
        g_autofree char *prefix = netns_prefix(testbed);

        printf("  reach     them with: ip netns exec %s-0 PROGRAM\n", prefix);
    }
    printf("  ask one   peal status --socket %s/peer-1/control\n", dir);
    printf("  all       peal testbed status --dir %s\n", dir);
    printf("  end it    peal testbed stop --dir %s\n", dir);
}

static int run_start(TestbedOptions *options, GError **error)
{
    Testbed *testbed = g_new0(Testbed, 1);
    int result = EXIT_USAGE;

    if (start_options(options, testbed, error) &&
        testbed_start(testbed, options->fresh, options->quiet, error)) {
        start_explain(testbed, options->dir);
        result = EXIT_OK;
    }
    testbed_free(testbed);
    return result;
}

/* status */

static const char *process_state(pid_t pid, bool runs)
{
    g_autofree char *path = g_strdup_printf("/proc/%ld/stat", (long)pid);
    g_autofree char *text = NULL;
    const char *after = NULL;

    if (runs && g_file_get_contents(path, &text, NULL, NULL)) {
        after = strrchr(text, ')'); /* of the program's name */
    }
    if (after == NULL) {
        return "ended";
    }
    return strncmp(after, ") T", strlen(") T")) == 0 ? "stopped" : "runs";
}

/* What is known of one peer: its status, if it gives one, and more. */
static json_t *peer_row(const Testbed *testbed, unsigned peer)
{
    TestbedPorts ports = testbed_ports(testbed, peer);
    g_autofree char *ip = testbed_address(testbed, peer);
    g_autofree char *control = testbed_path(testbed, peer, "control");
    pid_t pid = 0;
    int fd = testbed_pidfd(testbed, peer, &pid);
    const char *state = process_state(pid, fd >= 0);
    json_t *status = strcmp(state, "runs") == 0 ? testbed_ask(testbed, peer, STATUS_ASK_MS) : NULL;
    json_t *row = json_pack("{s:i, s:s, s:I, s:b, s:s, s:i, s:i, s:i, s:s}", "peer", (int)peer,
                            "process", state, "pid", (json_int_t)pid, "healthy",
                            json_is_true(json_object_get(status, "healthy")), "address", ip, "sip",
                            (int)ports.sip, "reload", (int)ports.reload, "http", (int)ports.http,
                            "control", control);

    if (fd >= 0) {
        close(fd);
    }
    json_object_set_new(row, "status", status != NULL ? status : json_null());
    return row;
}

static void print_row(const json_t *row)
{
    const json_t *status = json_object_get(row, "status");
    const char *id = json_string_value(json_object_get(status, "node_id"));
    const char *why = json_string_value(json_object_get(json_object_get(status, "health"), "why"));
    bool healthy = json_is_true(json_object_get(row, "healthy"));

    printf("%4d  %-8s %7lld  %-*.*s %5lld %5lld  %15s %5lld %5lld  %s%s\n",
           (int)json_integer_value(json_object_get(row, "peer")),
           json_string_value(json_object_get(row, "process")),
           (long long)json_integer_value(json_object_get(row, "pid")), STATUS_ID_DIGITS,
           STATUS_ID_DIGITS, id != NULL ? id : "-",
           (long long)json_integer_value(json_object_get(status, "peers")),
           (long long)json_integer_value(json_object_get(status, "registrations")),
           json_string_value(json_object_get(row, "address")),
           (long long)json_integer_value(json_object_get(row, "sip")),
           (long long)json_integer_value(json_object_get(row, "http")),
           healthy ? "healthy" : "not healthy: ",
           healthy       ? ""
           : why != NULL ? why
                         : "it does not answer");
}

static int run_status(TestbedOptions *options, GError **error)
{
    g_autoptr(Testbed) testbed = testbed_open(options->dir, error);
    json_t *rows = json_array();
    unsigned healthy = 0;

    if (testbed == NULL) {
        json_decref(rows);
        return EXIT_USAGE;
    }
    if (!options->json) {
        printf("peer  process      pid  %-*s links users  %15s   SIP  HTTP  health\n",
               STATUS_ID_DIGITS, "Node-ID", "address");
    }
    for (unsigned peer = 1; peer <= testbed->peers; peer++) {
        json_t *row = peer_row(testbed, peer);

        healthy += json_is_true(json_object_get(row, "healthy"));
        if (!options->json) {
            print_row(row);
        }
        json_array_append_new(rows, row);
    }
    if (options->json) {
        g_autofree char *text = json_dumps(rows, JSON_TEXT_LINES);

        printf("%s\n", text != NULL ? text : "[]");
    }
    json_decref(rows);
    return healthy == testbed->peers ? EXIT_OK : EXIT_FAILED;
}

/* stop, logs */

static int run_stop(TestbedOptions *options, GError **error)
{
    g_autoptr(Testbed) testbed = testbed_open(options->dir, error);
    int killed;

    if (testbed == NULL) {
        return EXIT_USAGE;
    }
    killed = testbed_stop(testbed, error);
    if (killed > 0) {
        fprintf(stderr, "peal testbed: %d peers did not end by themselves and were killed\n",
                killed);
    }
    return killed == 0 ? EXIT_OK : EXIT_FAILED;
}

static int run_logs(TestbedOptions *options, GError **error)
{
    g_autoptr(Testbed) testbed = testbed_open(options->dir, error);
    guint64 peer = 0;

    if (testbed == NULL) {
        return EXIT_USAGE;
    }
    if (options->words != NULL &&
        !g_ascii_string_to_unsigned(options->words[0], 10, 1, testbed->peers, &peer, NULL)) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "there are peers 1 to %u, not '%s'",
                     testbed->peers, options->words[0]);
        return EXIT_USAGE;
    }
    if (options->lines < 0) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "--lines wants a number");
        return EXIT_USAGE;
    }
    testbed_log_show(testbed, (unsigned)peer, (unsigned)options->lines, options->follow);
    return EXIT_OK;
}

/* The front. */

static const TestbedCommand COMMANDS[] = {
    {"start", NULL,
     "Starts N peers as processes of this machine and waits until they are one overlay.\n"
     "Peer k listens on 127.0.0.1 at SIP 5060, RELOAD 6084 and HTTP 6301, each plus 10 (k - 1).\n"
     "They keep their Node-IDs when they are stopped and started again.",
     run_start},
    {"status", NULL, "Shows how each peer is. Exit status 0: all healthy.", run_status},
    {"stop", NULL, "Ends all peers and removes their namespaces; logs and state stay.", run_stop},
    {"logs", "[PEER]", "Shows the end of the log of all peers, or of one.", run_logs},
};

static void print_usage(FILE *file)
{
    fprintf(file, "Usage:\n");
    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        fprintf(file, "  peal testbed %s --dir DIR [OPTION...]%s%s\n", COMMANDS[i].name,
                COMMANDS[i].arguments != NULL ? " " : "",
                COMMANDS[i].arguments != NULL ? COMMANDS[i].arguments : "");
    }
    fprintf(file, "\nAn overlay of `peal node` processes on this machine, as in\n"
                  "  peal testbed start --peers 16 --dir tb\n"
                  "`peal testbed start --help` lists the options of a start, and so on.\n");
}

static bool parse(const TestbedCommand *command, int argc, char **argv, TestbedOptions *options,
                  GError **error)
{
    const GOptionEntry common[] = {
        {"dir", 'd', 0, G_OPTION_ARG_FILENAME, &options->dir, "The testbed's directory", "DIR"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const GOptionEntry start[] = {
        {"peers", 'n', 0, G_OPTION_ARG_STRING, &options->peers, "How many", "N"},
        {"base-port", 0, 0, G_OPTION_ARG_STRING, &options->base_port,
         "SIP at B, RELOAD at B + 1, HTTP at B + 2, each plus 10 (k - 1)", "B"},
        {"netns", 0, 0, G_OPTION_ARG_NONE, &options->netns,
         "Give each a network namespace and the address 10.77.0.k; takes root", NULL},
        {"users", 0, 0, G_OPTION_ARG_FILENAME, &options->users,
         "user:domain:password lines, or an SQLite database; without, anybody may register",
         "FILE"},
        {"set", 's', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->sets,
         "Set a key of every peer's config", "SECTION.KEY=VALUE"},
        {"fresh", 0, 0, G_OPTION_ARG_NONE, &options->fresh,
         "Forget the Node-IDs and registrations of an earlier run", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "No progress", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const GOptionEntry status[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print it as JSON", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const GOptionEntry logs[] = {
        {"follow", 'f', 0, G_OPTION_ARG_NONE, &options->follow, "Go on until Ctrl-C", NULL},
        {"lines", 0, 0, G_OPTION_ARG_INT, &options->lines, "How many of each (default 20)", "N"},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->words, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autofree char *name = g_strconcat("peal testbed ", command->name, NULL);
    g_autoptr(GOptionContext) context = g_option_context_new(command->arguments);

    g_set_prgname(name);
    g_option_context_set_summary(context, command->summary);
    g_option_context_add_main_entries(context, common, NULL);
    if (command->run == run_start) {
        g_option_context_add_main_entries(context, start, NULL);
    } else if (command->run == run_status) {
        g_option_context_add_main_entries(context, status, NULL);
    } else if (command->run == run_logs) {
        g_option_context_add_main_entries(context, logs, NULL);
    }
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    if (argc > 1 || (options->words != NULL && options->words[1] != NULL)) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "nothing is known of '%s'",
                     argc > 1 ? argv[1] : options->words[1]);
        return false;
    }
    if (options->dir == NULL) {
        testbed_fail(error, TESTBED_ERROR_INPUT, "--dir DIR is wanted: where the testbed is");
        return false;
    }
    return true;
}

static int run_command(const TestbedCommand *command, int argc, char **argv)
{
    TestbedOptions options = {.lines = LINES_DEFAULT};
    g_autoptr(GError) error = NULL;
    int result = EXIT_USAGE;

    if (parse(command, argc, argv, &options, &error)) {
        result = command->run(&options, &error);
    }
    if (error != NULL) {
        fprintf(stderr, "peal testbed: %s\n", error->message);
        result =
            g_error_matches(error, TESTBED_ERROR, TESTBED_ERROR_FAILED) ? EXIT_FAILED : EXIT_USAGE;
    }
    g_free(options.dir);
    g_free(options.peers);
    g_free(options.base_port);
    g_free(options.users);
    g_strfreev(options.sets);
    g_strfreev(options.words);
    return result;
}

int net_testbed_main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return EXIT_OK;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        if (strcmp(argv[1], COMMANDS[i].name) == 0) {
            return run_command(&COMMANDS[i], argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "peal testbed: nothing is known of '%s'; it is start, status, stop or logs\n",
            argv[1]);
    return EXIT_USAGE;
}
