/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command.c - options and endings of the commands that ask a node. */
#include "command.h"

#include <peal/peer.h>
#include <peal_openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "json_text.h"

enum { COMMAND_TIMEOUT_MS = 30000 };

bool command_parse(const CommandSyntax *syntax, int argc, char **argv, CommandOptions *ret_options,
                   GError **error)
{
    const GOptionEntry common[] = {
        {"socket", 's', 0, G_OPTION_ARG_FILENAME, &ret_options->socket,
         "The node's control socket (default $PEAL_CONTROL, /run/peal/control, "
         "$XDG_RUNTIME_DIR/peal/control)",
         "PATH"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &ret_options->json, "Print the answer as JSON", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &ret_options->words, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(syntax->arguments);
    guint words;

    g_set_prgname(syntax->name);
    g_option_context_set_summary(context, syntax->summary);
    if (syntax->entries != NULL) {
        g_option_context_add_main_entries(context, syntax->entries, NULL);
    }
    g_option_context_add_main_entries(context, common, NULL);
    if (!g_option_context_parse(context, &argc, &argv, error)) {
        return false;
    }
    words = ret_options->words != NULL ? g_strv_length(ret_options->words) : 0;
    if (words < syntax->words || words > syntax->words_max) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "usage: %s [OPTION...] %s",
                    syntax->name, syntax->arguments != NULL ? syntax->arguments : "");
        return false;
    }
    return true;
}

void command_options_clear(CommandOptions *options)
{
    g_free(options->socket);
    g_strfreev(options->words);
}

char *command_aor(const char *text, GError **error)
{
    bool has_scheme = g_ascii_strncasecmp(text, "sip:", strlen("sip:")) == 0 ||
                      g_ascii_strncasecmp(text, "sips:", strlen("sips:")) == 0;
    g_autofree char *aor = g_strconcat(has_scheme ? "" : "sip:", text, NULL);
    PealId resource;

    if (strlen(aor) > PEAL_AOR_MAX ||
        peal_aor_resource(peal_openssl_crypto(), (PealStr){aor, strlen(aor)}, &resource) != 0) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "'%s' is no SIP address; write it as sip:bob@example.org", text);
        return NULL;
    }
    return g_steal_pointer(&aor);
}

bool command_seconds(const char *option, const char *text, unsigned max, unsigned *ret_seconds,
                     GError **error)
{
    static const struct {
        const char *unit;
        unsigned seconds;
    } units[] = {{"", 1}, {"s", 1}, {"min", 60}, {"h", 3600}};
    char *end;
    guint64 number = g_ascii_strtoull(text, &end, 10);

    for (size_t i = 0; g_ascii_isdigit(text[0]) && i < G_N_ELEMENTS(units); i++) {
        if (strcmp(end, units[i].unit) == 0 && number <= max / units[i].seconds && number > 0) {
            *ret_seconds = (unsigned)number * units[i].seconds;
            return true;
        }
    }
    g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                "%s wants a time of 1s to %us, as 90s, 10min or 1h, not '%s'", option, max, text);
    return false;
}

json_t *command_ask(const CommandOptions *options, json_t *request, GError **error)
{
    g_autofree char *path = client_path(options->socket);

    return client_ask(path, request, COMMAND_TIMEOUT_MS, error);
}

int command_end(const char *name, const GError *error)
{
    if (error == NULL) {
        return EXIT_OK;
    }
    fprintf(stderr, "%s: %s\n", name, error->message);
    return error->domain == CLIENT_ERROR && error->code != CLIENT_ERROR_ABSENT ? EXIT_FAILED
                                                                               : EXIT_USAGE;
}

void command_print_json(json_t *answer)
{
    g_autofree char *text = NULL;

    json_object_del(answer, "ok");
    text = json_dumps(answer, JSON_TEXT_LINES);
    printf("%s\n", text != NULL ? text : "{}");
}
