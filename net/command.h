/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * command.h - what the commands that ask a node have in common: options and endings.
 * Source: none.   State: none beyond a command.   Time: none.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

enum { EXIT_OK, EXIT_FAILED, EXIT_USAGE };

typedef struct CommandOptions {
    char *socket;
    char **words; /* what is no option */
    gboolean json;
} CommandOptions;

typedef struct CommandSyntax {
    const char *name;      /* "peal status" */
    const char *arguments; /* after the options, as in the usage line */
    const char *summary;
    const GOptionEntry *entries; /* of its own, NULL-terminated, or NULL */
    guint words;                 /* wanted, at least */
    guint words_max;
} CommandSyntax;

/* command_parse reads --socket, --json, the command's own options and its words. */
bool command_parse(const CommandSyntax *syntax, int argc, char **argv, CommandOptions *ret_options,
                   GError **error);
void command_options_clear(CommandOptions *options);

/* command_aor is the text as an AOR: `bob@example.org` is short for `sip:bob@example.org`. NULL
 * with an error for what is none. */
char *command_aor(const char *text, GError **error);

/* command_seconds reads `90s`, `10min`, `1h` or plain seconds; false with an error. */
bool command_seconds(const char *option, const char *text, unsigned max, unsigned *ret_seconds,
                     GError **error);

/* command_ask asks the node that the options name, for at most 30 s. */
json_t *command_ask(const CommandOptions *options, json_t *request, GError **error);

/* command_end says the error, if there is one, and gives the exit status for it. */
int command_end(const char *name, const GError *error);

/* command_print_json prints an answer, without its "ok". */
void command_print_json(json_t *answer);

#endif
