/* SPDX-License-Identifier: GPL-3.0-or-later */
/* node_main.c - `peal node`: options, signals, exit status; see <net/node.h>. */
#include <glib-unix.h>
#include <net/node.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "address.h"
#include "log.h"
#include "node_state.h"
#include "notify.h"

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct Options {
    gboolean check;
    gboolean example;
    char **sets;
    char **files;
} Options;

static void options_clear(Options *options)
{
    g_strfreev(options->sets);
    g_strfreev(options->files);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static bool parse_options(int argc, char **argv, Options *options)
{
    const GOptionEntry entries[] = {{"check", 0, 0, G_OPTION_ARG_NONE, &options->check,
                                     "read the configuration, say what the node would do, and end",
                                     NULL},
                                    {"example", 0, 0, G_OPTION_ARG_NONE, &options->example,
                                     "print a configuration with every key, and end", NULL},
                                    {"set", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->sets,
                                     "replace one value", "SECTION.KEY=VALUE"},
                                    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY,
                                     &options->files, NULL, NULL},
                                    {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new("FILE");
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) args = g_new0(char *, argc + 1);
    bool good;

    for (int i = 0; i < argc; i++) {
        args[i] = g_strdup(i == 0 ? "peal node" : argv[i]);
    }
    g_option_context_set_summary(
        context, "Runs one peer of an overlay, and serves SIP phones, until it is interrupted.\n"
                 "FILE is its configuration; `peal help keys node` explains every key.");
    g_option_context_add_main_entries(context, entries, NULL);
    g_set_prgname("peal node");
    good = g_option_context_parse_strv(context, &args, &error);
    if (!good) {
        fprintf(stderr, "peal node: %s\n`peal node --help` explains the options.\n",
                error->message);
    } else if (!options->example && (options->files == NULL || options->files[1] != NULL)) {
        fprintf(stderr, "peal node: name one configuration file: peal node FILE\n`peal node "
                        "--example` prints one to begin with.\n");
        good = false;
    }
    return good;
}

static int fail(int status, const GError *error)
{
    fprintf(stderr, "peal node: %s\n", error->message);
    return status;
}

static void print_hosts(const char *what, const NodeHosts *hosts)
{
    if (hosts->len > 0) {
        g_autofree char *list = g_strjoinv(", ", hosts->words);

        printf("%-14s %s\n", what, list);
    }
}

/* What the node would do. */
static void print_config(const NodeConfig *config)
{
    g_autofree char *domains = g_strjoinv(", ", config->sip_domains);

    printf("%s is good.\n", config->path);
    printf("%-14s %s, over %s\n", "overlay", config->overlay->overlay_name,
           config->overlay->overlay.link == PEAL_TCP ? "TCP" : "UDP");
    print_hosts("links at", &config->listen);
    print_hosts("advertised", &config->advertise);
    if (config->first) {
        printf("%-14s %s\n", "founds", "the overlay");
    }
    print_hosts("joins by", &config->bootstrap);
    print_hosts("phones at", &config->sip_listen);
    if (config->sip_listen.len > 0) {
        printf("%-14s %s\n", "domains", domains);
        printf("%-14s %s\n", "users",
               config->sip_users != NULL ? config->sip_users : "all, without a password");
    }
    print_hosts("status page", &config->http_listen);
    printf("%-14s %s\n", "control", config->control != NULL ? config->control : "none");
    printf("%-14s %s\n", "keeps state in",
           config->state_dir != NULL ? config->state_dir : "nothing: no node.state-dir");
    printf("%-14s %s\n", "log", config->log != NULL ? config->log : "standard error");
    if (config->capture != NULL) {
        printf("%-14s %s\n", "capture", config->capture);
    }
}

static int check(const NodeConfig *config)
{
    g_autoptr(GError) error = NULL;

    if (config->sip_users != NULL) {
        g_autoptr(Users) users = users_read(config->sip_users, &error);

        if (users == NULL) {
            return fail(EXIT_USAGE, error);
        }
    }
    print_config(config);
    return 0;
}

static gboolean on_end_signal(gpointer user)
{
    Node *node = user;

    if (node->leaving) {
        log_notice("ends at once");
        node->status = EXIT_FAILED;
        g_main_loop_quit(node->main);
    } else {
        log_notice("leaves the overlay");
        node_leave(node);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean on_reload_signal(gpointer user)
{
    Node *node = user;

    loop_refresh(node->loop);
    notify_manager("RELOADING=1");
    node_reload(node);
    notify_manager("READY=1");
    return G_SOURCE_CONTINUE;
}

/* Everything between the first socket and the last. */
static int run(Node *node)
{
    g_autoptr(GError) error = NULL;

    if (!node_open(node, &error) || !node_resolve(node, &error)) {
        return fail(EXIT_USAGE, error);
    }
    if (node->leaving) {
        return 0;
    }
    if (!node_begin(node, &error)) {
        return fail(EXIT_USAGE, error);
    }
    if (node->bootstrap_len > 0 && !node->config->first) {
        node_expect_join(node);
    }
    notify_manager("READY=1");
    g_main_loop_run(node->main);
    return node->status;
}

static int run_config(NodeConfig *config)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) main = g_main_loop_new(NULL, FALSE);
    Node node = {.config = config, .main = main, .joined = PEAL_TIME_NEVER};
    guint sources[3];
    int status;

    if (!log_open(config->log, config->log_level, &error)) {
        return fail(EXIT_USAGE, error);
    }
    node.loop = loop_new(NULL, &error);
    if (node.loop == NULL) {
        return fail(EXIT_FAILED, error);
    }
    (void)signal(SIGPIPE, SIG_IGN);
    node.started = loop_now(node.loop);
    sources[0] = g_unix_signal_add(SIGINT, on_end_signal, &node);
    sources[1] = g_unix_signal_add(SIGTERM, on_end_signal, &node);
    sources[2] = g_unix_signal_add(SIGHUP, on_reload_signal, &node);
    status = run(&node);
    node_end(&node);
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_source_remove(sources[i]);
    }
    loop_free(node.loop);
    log_close();
    return status;
}

int node_main(int argc, char **argv)
{
    g_auto(Options) options = {0};
    g_autoptr(NodeConfig) config = NULL;
    g_autoptr(GError) error = NULL;

    if (!parse_options(argc, argv, &options)) {
        return EXIT_USAGE;
    }
    if (options.example) {
        g_autofree char *example = node_config_example();

        fputs(example, stdout);
        return 0;
    }
    config = node_config_load(options.files[0], (const char *const *)options.sets, &error);
    if (config == NULL) {
        return fail(EXIT_USAGE, error);
    }
    return options.check ? check(config) : run_config(config);
}
