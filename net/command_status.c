/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_status.c - `peal status`. */
#include <net/commands.h>
#include <stdio.h>

#include "command.h"

static const CommandSyntax SYNTAX = {
    .name = "peal status",
    .summary =
        "Asks a running node how it is. Exit status 0: healthy; 1: not, or it does not answer;\n"
        "2: no node there.",
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text != NULL ? text : "";
}

static long long number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static size_t count_of(const json_t *object, const char *key)
{
    return json_array_size(json_object_get(object, key));
}

static void print_list(const char *name, const json_t *list)
{
    size_t len = json_array_size(list);

    for (size_t i = 0; i < len; i++) {
        printf("%s%s", i == 0 ? name : ", ", json_string_value(json_array_get(list, i)));
    }
    printf("%s", len > 0 ? "\n" : "");
}

static void print_health(const json_t *health)
{
    const json_t *last = json_array_get(json_object_get(health, "rounds"), 0);

    if (json_is_true(json_object_get(last, "ok"))) {
        printf("  checked   put %.1f ms, get %.1f ms\n",
               json_number_value(json_object_get(last, "put_ms")),
               json_number_value(json_object_get(last, "get_ms")));
    } else if (last != NULL) {
        printf("  checked   %s (%s)\n", text_of(last, "failed"), text_of(last, "error"));
    }
}

static void print_status(const json_t *status)
{
    const json_t *addresses = json_object_get(status, "addresses");
    const json_t *health = json_object_get(status, "health");
    const json_t *sip = json_object_get(status, "sip");
    const json_t *gate = json_object_get(status, "gate");
    bool healthy = json_is_true(json_object_get(status, "healthy"));

    printf("node %s is %s%s%s\n", text_of(status, "node_id"), healthy ? "healthy" : "not healthy",
           healthy ? "" : ": ", healthy ? "" : text_of(health, "why"));
    printf("  overlay   %s, %s; runs for %.0f s\n", text_of(status, "overlay"),
           text_of(status, "state"), json_number_value(json_object_get(status, "uptime_s")));
    printf("  peers     %lld linked; %zu successors, %zu predecessors, %zu fingers\n",
           number_of(status, "peers"), count_of(status, "successors"),
           count_of(status, "predecessors"), count_of(status, "fingers"));
    printf("  phones    %lld registrations, %lld contacts, %lld calls being set up\n",
           number_of(status, "registrations"), number_of(sip, "bindings"), number_of(sip, "calls"));
    if (number_of(gate, "refused") + number_of(gate, "dropped") > 0) {
        printf(
            "  gate      %lld messages refused, %lld dropped; %lld sources, %lld of them known\n",
            number_of(gate, "refused"), number_of(gate, "dropped"), number_of(gate, "sources"),
            number_of(gate, "known"));
    }
    printf("  stored    %lld resources\n", number_of(status, "resources"));
    print_list("  RELOAD    ", json_object_get(addresses, "reload"));
    print_list("  SIP       ", json_object_get(addresses, "sip"));
    print_list("  HTTP      ", json_object_get(addresses, "http"));
    print_health(health);
}

int net_status_main(int argc, char **argv)
{
    CommandOptions options = {0};
    g_autoptr(GError) error = NULL;
    json_t *status = NULL;
    int result;

    if (command_parse(&SYNTAX, argc, argv, &options, &error)) {
        status = command_ask(&options, json_pack("{s:s}", "do", "status"), &error);
    }
    result = command_end(SYNTAX.name, error);
    if (status != NULL) {
        if (options.json) {
            command_print_json(status);
        } else {
            print_status(status);
        }
        result = json_is_true(json_object_get(status, "healthy")) ? EXIT_OK : EXIT_FAILED;
    }
    json_decref(status);
    command_options_clear(&options);
    return result;
}
