/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_lookup.c - `peal lookup`. */
#include <net/commands.h>
#include <stdio.h>

#include "command.h"

static const CommandSyntax SYNTAX = {
    .name = "peal lookup",
    .arguments = "AOR",
    .summary =
        "Asks the overlay, through a running node, at which peers a user is registered, as in\n"
        "  peal lookup sip:bob@example.org\n"
        "Exit status 0: somewhere; 1: nowhere, or nobody answered; 2: no node there.",
    .words = 1,
    .words_max = 1,
};

static void print_registrations(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "registrations");
    const char *aor = json_string_value(json_object_get(answer, "aor"));
    size_t len = json_array_size(list);

    if (len == 0) {
        printf("%s is not registered\n", aor);
    }
    for (size_t i = 0; i < len; i++) {
        const json_t *entry = json_array_get(list, i);
        const char *uri = json_string_value(json_object_get(entry, "uri"));

        printf("%s is %s%s%s peer %s, for %lld s\n", aor,
               uri != NULL ? "reached as " : "registered", uri != NULL ? uri : "",
               uri != NULL ? " says" : " at", json_string_value(json_object_get(entry, "node_id")),
               (long long)json_integer_value(json_object_get(entry, "lifetime_s")));
    }
    printf("  peer %s answered in %.1f ms\n",
           json_string_value(json_object_get(answer, "responsible")),
           json_number_value(json_object_get(answer, "latency_ms")));
}

int net_lookup_main(int argc, char **argv)
{
    CommandOptions options = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *aor = NULL;
    json_t *answer = NULL;
    int result;

    if (command_parse(&SYNTAX, argc, argv, &options, &error) &&
        (aor = command_aor(options.words[0], &error)) != NULL) {
        answer = command_ask(&options, json_pack("{s:s, s:s}", "do", "lookup", "aor", aor), &error);
    }
    result = command_end(SYNTAX.name, error);
    if (answer != NULL) {
        if (options.json) {
            command_print_json(answer);
        } else {
            print_registrations(answer);
        }
        result =
            json_array_size(json_object_get(answer, "registrations")) > 0 ? EXIT_OK : EXIT_FAILED;
    }
    json_decref(answer);
    command_options_clear(&options);
    return result;
}
