/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_register.c - `peal register`. */
#include <net/commands.h>
#include <stdio.h>

#include "command.h"

enum { REGISTER_EXPIRES_S = 3600, REGISTER_EXPIRES_MAX_S = 86400 };

typedef struct Registering {
    CommandOptions options;
    gboolean remove;
    unsigned expires_s;
} Registering;

static bool parse(int argc, char **argv, Registering *registering, GError **error)
{
    g_autofree char *expires = NULL;
    const GOptionEntry entries[] = {
        {"expires", 0, 0, G_OPTION_ARG_STRING, &expires, "For how long (default 1h)", "TIME"},
        {"remove", 0, 0, G_OPTION_ARG_NONE, &registering->remove, "Remove it instead", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const CommandSyntax syntax = {
        .name = "peal register",
        .arguments = "AOR [CONTACT]",
        .summary =
            "Registers a user at a running node, without a phone: calls go to CONTACT, as in\n"
            "  peal register sip:bob@example.org sip:bob@192.0.2.7:5060\n"
            "Without CONTACT the node itself stands in the overlay for the user, until it ends or\n"
            "the registration is removed. Exit status 0: done; 1: refused, or nobody answered;\n"
            "2: no node there.",
        .entries = entries,
        .words = 1,
        .words_max = 2,
    };

    registering->expires_s = REGISTER_EXPIRES_S;
    return command_parse(&syntax, argc, argv, &registering->options, error) &&
           (expires == NULL || command_seconds("--expires", expires, REGISTER_EXPIRES_MAX_S,
                                               &registering->expires_s, error));
}

static void print_done(const Registering *registering, json_t *answer)
{
    if (registering->options.json) {
        command_print_json(answer);
        return;
    }
    printf("%s is %s; the overlay answered in %.1f ms\n",
           json_string_value(json_object_get(answer, "aor")),
           registering->remove ? "registered here no more" : "registered",
           json_number_value(json_object_get(answer, "latency_ms")));
}

int net_register_main(int argc, char **argv)
{
    Registering registering = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *aor = NULL;
    json_t *answer = NULL;
    int result;

    if (parse(argc, argv, &registering, &error) &&
        (aor = command_aor(registering.options.words[0], &error)) != NULL) {
        json_t *request =
            json_pack("{s:s, s:s, s:s*}", "do", registering.remove ? "unregister" : "register",
                      "aor", aor, "contact", registering.options.words[1]);

        if (!registering.remove) {
            json_object_set_new(request, "expires_s",
                                json_integer((json_int_t)registering.expires_s));
        }
        answer = command_ask(&registering.options, request, &error);
    }
    result = command_end("peal register", error);
    if (answer != NULL) {
        print_done(&registering, answer);
    }
    json_decref(answer);
    command_options_clear(&registering.options);
    return result;
}
