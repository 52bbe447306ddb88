/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * peal.c - the front door: picks a subcommand.
 */
#include <analysis/compare.h>
#include <analysis/plot.h>
#include <analysis/report.h>
#include <fcntl.h>
#include <glib.h>
#include <net/commands.h>
#include <net/node.h>
#include <net/replay.h>
#include <net/run.h>
#include <scenarios/replay_main.h>
#include <scenarios/scenario.h>
#include <sim/run.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_FAILED = 1, EXIT_USAGE = 2 };

typedef struct Command {
    const char *name;
    int (*main)(int argc, char **argv);
    const char *help;
} Command;

static int help_main(int argc, char **argv);

static const RunWorld *const WORLDS[] = {&SIM_WORLD, &SOCKETS_WORLD};

static int run_scenario(int argc, char **argv)
{
    return run_main(argc, argv, WORLDS, G_N_ELEMENTS(WORLDS));
}

static int replay_capture(int argc, char **argv)
{
    return replay_main(argc, argv, WORLDS, G_N_ELEMENTS(WORLDS), &LIVE_WORLD);
}

static const Command COMMANDS[] = {
    {"run", run_scenario, "run a scenario, simulated or on sockets"},
    {"replay", replay_capture, "describe a capture of SIP, and play it into an overlay"},
    {"node", node_main, "run a peer on real sockets, for phones to register at"},
    {"testbed", net_testbed_main, "run an overlay of nodes on this machine"},
    {"status", net_status_main, "ask a node how it is"},
    {"lookup", net_lookup_main, "ask the overlay where a user is registered"},
    {"register", net_register_main, "register a user at a node"},
    {"call", net_call_main, "call a user through a node"},
    {"plot", plot_main, "draw the figures of a run"},
    {"report", report_main, "write the results of a run as one HTML page"},
    {"compare", compare_main, "set the results of two runs beside each other"},
    {"help", help_main, "show this, `peal help keys` every key of a scenario or a node"},
};

static void print_commands(FILE *file)
{
    fprintf(file, "usage: peal COMMAND [ARGUMENTS], where COMMAND is one of\n");
    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        fprintf(file, "  %-8s %s\n", COMMANDS[i].name, COMMANDS[i].help);
    }
    fprintf(file,
            "`peal COMMAND --help` explains a command; `peal --version` names the version.\n");
}

/* Edits (insert, delete, replace) that turn one word into another; both are short. */
static unsigned distance(const char *from, const char *to)
{
    unsigned row[16];
    size_t len = strlen(to);

    if (len >= G_N_ELEMENTS(row)) {
        return UINT32_MAX;
    }
    for (unsigned j = 0; j <= len; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; from[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= len; j++) {
            unsigned replaced = diagonal + (from[i - 1] != to[j - 1]);

            diagonal = row[j];
            row[j] = MIN(replaced, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[len];
}

static int unknown_command(const char *name)
{
    const Command *nearest = NULL;
    unsigned best = 3; /* further off it is no slip of the finger */

    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        unsigned edits = distance(name, COMMANDS[i].name);

        if (edits < best) {
            best = edits;
            nearest = &COMMANDS[i];
        }
    }
    fprintf(stderr, "peal: there is no command '%s'", name);
    if (nearest != NULL) {
        fprintf(stderr, "; did you mean 'peal %s'?", nearest->name);
    }
    fprintf(stderr, "\n`peal help` lists the commands.\n");
    return EXIT_USAGE;
}

static const Command *find_command(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(COMMANDS); i++) {
        if (strcmp(COMMANDS[i].name, name) == 0) {
            return &COMMANDS[i];
        }
    }
    return NULL;
}

/* `peal help keys [scenario|node] [--markdown]`: of both where neither is named, in Markdown of the
 * scenario. */
static int help_keys(int argc, char **argv)
{
    const char *which = argc > 0 && argv[0][0] != '-' ? argv[0] : NULL;
    int left = which == NULL ? argc : argc - 1;
    bool markdown = left == 1 && strcmp(argv[argc - 1], "--markdown") == 0;
    bool node = which == NULL ? !markdown : strcmp(which, "node") == 0;
    bool scenario = which == NULL || strcmp(which, "scenario") == 0;

    if (left > 1 || (left == 1 && !markdown) || (!node && !scenario)) {
        fprintf(stderr,
                "peal help keys: only scenario or node, and --markdown, may follow, not '%s'\n",
                !node && !scenario ? which : argv[argc - 1]);
        return EXIT_USAGE;
    }
    if (scenario) {
        g_autofree char *text = scenario_keys_text(markdown);

        fputs(text, stdout);
    }
    if (node) {
        g_autofree char *text = node_keys_text(markdown);

        printf("%s%s", scenario ? "\n" : "", text);
    }
    return 0;
}

static int help_main(int argc, char **argv)
{
    char option[] = "--help";
    const Command *command;

    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_commands(stdout);
        return 0;
    }
    if (strcmp(argv[1], "keys") == 0) {
        return help_keys(argc - 2, argv + 2);
    }
    command = find_command(argv[1]);
    if (command == NULL) {
        return unknown_command(argv[1]);
    }
    return command->main(2, (char *[]){argv[1], option, NULL});
}

static int run_command(int argc, char **argv)
{
    const Command *command;

    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("peal %s\n", PEAL_VERSION);
        return 0;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_commands(stdout);
        return 0;
    }
    command = find_command(argv[1]);
    return command != NULL ? command->main(argc - 1, argv + 1) : unknown_command(argv[1]);
}

/* A standard stream that the caller closed leads nowhere, not into the first file that is
 * opened. */
static void open_standard_streams(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

int main(int argc, char **argv)
{
    int status;

    open_standard_streams();
    status = run_command(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == 0) {
        fprintf(stderr, "peal: standard output could not be written to its end\n");
        status = EXIT_FAILED;
    }
    return status;
}
