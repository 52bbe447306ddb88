/* SPDX-License-Identifier: GPL-3.0-or-later */
/* command_call.c - `peal call`: a SIP phone of this process's own calls through a node. */
#include <errno.h>
#include <glib-unix.h>
#include <net/commands.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "address.h"
#include "client.h"
#include "command.h"
#include "json_text.h"
#include "phone_env.h"

enum {
    CALL_TALK_S = 5,
    CALL_PATIENCE_S = 60,
    CALL_SECONDS_MAX = 86400,
    CALL_PHONE_ALIGN = 16,
    CALL_GOODBYE_MS = 5000, /* for the other side to confirm the end */
};

/* Nobody of the overlay's domains, so that no password is asked for. */
static const char CALLER[] = "sip:peal@caller.invalid";

typedef struct Call {
    GMainLoop *main_loop;
    Loop *loop;
    PhoneEnv *env;
    PealPhone *phone;
    LoopTimer patience; /* until it is answered; afterwards, until the end is confirmed */
    const char *aor;
    bool json;
    bool interrupted;
    bool impatient;
    bool ended;
    PealPhoneEvent last; /* ENDED */
    PealPhoneEvent answer;
    unsigned talk_s;
    unsigned patience_s;
} Call;

static double ms_of(PealSpan span)
{
    return (double)span.ns / 1e6;
}

/* Events. */

static void call_say_end(const Call *call)
{
    const PealPhoneEvent *end = &call->last;

    if (end->answered && end->lost) {
        printf("the connection was lost\n");
    } else if (end->answered) {
        printf("%s hung up\n", end->hung_up ? "peal" : "the other side");
    } else if (call->interrupted || call->impatient) {
        printf("given up %s\n", call->interrupted ? "by you" : "since nobody answered");
    } else {
        printf("not answered: SIP status %u\n", end->status);
    }
}

static void call_on_event(void *user, PealPhone *phone, const PealPhoneEvent *event)
{
    Call *call = user;

    (void)phone;
    if (event->kind == PEAL_PHONE_RINGING && !call->json) {
        printf("rings after %.1f ms\n", ms_of(event->to_ringing));
    } else if (event->kind == PEAL_PHONE_ANSWERED && !event->incoming) {
        loop_timer_unset(call->loop, &call->patience);
        if (!call->json) {
            printf("answered after %.1f ms\n", ms_of(event->to_answer));
        }
    } else if (event->kind == PEAL_PHONE_ENDED && !event->incoming) {
        call->last = *event;
        call->ended = true;
        g_main_loop_quit(call->main_loop);
    }
    (void)fflush(stdout);
}

static void call_on_hung_up(void *user)
{
    Call *call = user;

    g_main_loop_quit(call->main_loop); /* nobody confirms it */
}

static void call_hang_up(Call *call)
{
    peal_phone_hang_up_all(call->phone);
    call->patience.due = call_on_hung_up;
    loop_timer_set(call->loop, &call->patience,
                   peal_time_add(loop_now(call->loop), peal_ms(CALL_GOODBYE_MS)));
    loop_need_turn(call->loop);
}

static void call_on_impatient(void *user)
{
    Call *call = user;

    call->impatient = true;
    call_hang_up(call);
}

static gboolean call_on_signal(gpointer user)
{
    Call *call = user;

    if (call->interrupted) {
        g_main_loop_quit(call->main_loop);
        return G_SOURCE_CONTINUE;
    }
    call->interrupted = true;
    loop_refresh(call->loop);
    call_hang_up(call);
    return G_SOURCE_CONTINUE;
}

/* The call. */

static bool call_fail(GError **error, const char *what)
{
    g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_SILENT, "%s", what);
    return false;
}

/* Makes the phone in memory and lets it call; runs until the call has ended. */
static bool call_run_phone(Call *call, void *memory, const PealAddr *proxy, GError **error)
{
    PealSipConfig sip;
    const PealPhoneConfig config = {.sip = &sip, .calls_max = 1, .event = call_on_event};
    const PealPhoneIdentity identity = {.aor = {CALLER, strlen(CALLER)},
                                        .contact = *phone_env_local(call->env),
                                        .proxy = {.addr = *proxy, .transport = PEAL_UDP}};
    guint interrupt;
    guint terminate;

    peal_sip_defaults(&sip);
    if (peal_phone_init(memory, phone_env_ops(call->env), &config, &identity, call, &call->phone) !=
        0) {
        return call_fail(error, "the phone cannot be made");
    }
    phone_env_serve(call->env, call->phone);
    loop_refresh(call->loop);
    if (peal_phone_call(call->phone, (PealStr){call->aor, strlen(call->aor)},
                        peal_seconds(call->talk_s), 1) != 0) {
        peal_phone_fini(call->phone);
        return call_fail(error, "the call cannot be made");
    }
    loop_timer_set(call->loop, &call->patience,
                   peal_time_add(loop_now(call->loop), peal_seconds(call->patience_s)));
    loop_need_turn(call->loop);
    interrupt = g_unix_signal_add(SIGINT, call_on_signal, call);
    terminate = g_unix_signal_add(SIGTERM, call_on_signal, call);
    g_main_loop_run(call->main_loop);
    g_source_remove(interrupt);
    g_source_remove(terminate);
    peal_phone_fini(call->phone);
    return true;
}

static bool call_run(Call *call, const PealAddr *proxy, GError **error)
{
    void *memory = aligned_alloc(CALL_PHONE_ALIGN, peal_phone_size());
    bool ok = false;

    PEAL_ASSERT(memory != NULL);
    memset(memory, 0, peal_phone_size());
    call->loop = loop_new(NULL, error);
    if (call->loop != NULL) {
        call->main_loop = g_main_loop_new(loop_context(call->loop), FALSE);
        call->patience = (LoopTimer){.due = call_on_impatient, .user = call};
        call->env = phone_env_new(call->loop, proxy, NULL);
        if (call->env == NULL) {
            g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_ABSENT, "no socket for a phone: %s",
                        g_strerror(errno));
        } else {
            ok = call_run_phone(call, memory, proxy, error);
        }
        loop_timer_unset(call->loop, &call->patience);
        phone_env_free(call->env);
        g_main_loop_unref(call->main_loop);
        loop_free(call->loop);
    }
    free(memory);
    return ok;
}

/* The node's SIP address, as it tells it. */
static bool call_find_proxy(const CommandOptions *options, PealAddr *ret_proxy, GError **error)
{
    json_t *status = command_ask(options, json_pack("{s:s}", "do", "status"), error);
    const json_t *list = json_object_get(json_object_get(status, "addresses"), "sip");
    const char *text = json_string_value(json_array_get(list, 0));
    const char *colon = text != NULL ? strrchr(text, ':') : NULL;
    guint64 port;
    bool found =
        colon != NULL && g_ascii_string_to_unsigned(colon + 1, 10, 1, UINT16_MAX, &port, NULL) &&
        address_parse_ip((PealStr){text, (size_t)(colon - text)}, (uint16_t)port, ret_proxy);

    if (status != NULL && !found) {
        g_set_error(error, CLIENT_ERROR, CLIENT_ERROR_ABSENT, "this node serves no phones");
    }
    json_decref(status);
    return found;
}

static void call_put_ms(json_t *object, const char *key, PealSpan span)
{
    json_object_set_new(object, key, span.ns >= 0 ? json_real(ms_of(span)) : json_null());
}

static void call_print_json(const Call *call)
{
    const PealPhoneEvent *end = &call->last;
    json_t *object =
        json_pack("{s:s, s:b, s:i, s:b, s:b}", "aor", call->aor, "answered",
                  call->ended && end->answered, "status", call->ended ? (int)end->status : 0,
                  "hung_up_here", call->ended && end->answered && end->hung_up, "lost",
                  call->ended && end->lost);
    g_autofree char *text = NULL;

    call_put_ms(object, "to_ringing_ms", call->ended ? end->to_ringing : (PealSpan){-1});
    call_put_ms(object, "to_answer_ms", call->ended ? end->to_answer : (PealSpan){-1});
    text = json_dumps(object, JSON_TEXT_LINES);
    printf("%s\n", text);
    json_decref(object);
}

static int call_report(const Call *call)
{
    if (call->json) {
        call_print_json(call);
    } else if (call->ended) {
        call_say_end(call);
    } else {
        printf("ended here; the other side did not confirm it\n");
    }
    return call->ended && call->last.answered ? EXIT_OK : EXIT_FAILED;
}

static bool call_parse(int argc, char **argv, CommandOptions *options, Call *ret_call,
                       GError **error)
{
    g_autofree char *duration = NULL;
    g_autofree char *patience = NULL;
    const GOptionEntry entries[] = {
        {"duration", 0, 0, G_OPTION_ARG_STRING, &duration,
         "Hang up so long after the answer (default 5s)", "TIME"},
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &patience,
         "Give up when nobody has answered after so long (default 60s)", "TIME"},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    const CommandSyntax syntax = {
        .name = "peal call",
        .arguments = "AOR",
        .summary =
            "Calls a user by SIP through a running node, as a phone of that node would, as in\n"
            "  peal call sip:bob@example.org --duration 10s\n"
            "No sound is sent. Ctrl-C hangs up. Exit status 0: answered; 1: not; 2: no node "
            "there.",
        .entries = entries,
        .words = 1,
        .words_max = 1,
    };

    ret_call->talk_s = CALL_TALK_S;
    ret_call->patience_s = CALL_PATIENCE_S;
    return command_parse(&syntax, argc, argv, options, error) &&
           (duration == NULL ||
            command_seconds("--duration", duration, CALL_SECONDS_MAX, &ret_call->talk_s, error)) &&
           (patience == NULL ||
            command_seconds("--timeout", patience, CALL_SECONDS_MAX, &ret_call->patience_s, error));
}

int net_call_main(int argc, char **argv)
{
    CommandOptions options = {0};
    Call call = {0};
    g_autoptr(GError) error = NULL;
    g_autofree char *aor = NULL;
    PealAddr proxy;
    int result = EXIT_USAGE;

    if (call_parse(argc, argv, &options, &call, &error) &&
        (aor = command_aor(options.words[0], &error)) != NULL &&
        call_find_proxy(&options, &proxy, &error)) {
        call.aor = aor;
        call.json = options.json;
        if (call_run(&call, &proxy, &error)) {
            result = call_report(&call);
        }
    }
    if (error != NULL) {
        result = command_end("peal call", error);
    }
    command_options_clear(&options);
    return result;
}
